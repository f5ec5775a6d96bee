"""Averages of group-time effects: overall, by time since adoption, by cohort and by period."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from toolkit.models.group_time import GroupTimeEffects
from toolkit.models.propensity import BLOCK_UNITS

Floats = NDArray[np.float64]
Kind = Literal["simple", "event_time", "cohort", "period"]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Averages of group-time effects and their influence functions.

    Attributes
    ----------
    kind : {"simple", "event_time", "cohort", "period"}
        What the effects are averaged by; "simple" has the overall average alone.
    at : ndarray of float, (n_points,)
        Time since adoption, cohort or period of each average.
    effects : ndarray of float, (n_points,)
        Averages.
    influence : ndarray of float, (n_units, n_points)
        Influence of each unit on each average.
    n_cohorts : ndarray of int, (n_points,)
        Cohorts behind each average.
    overall : float
        Average over the points of exposure: all cells from adoption on by size of the cohort
        ("simple"), event times from 0 with equal weight, cohorts by size, periods with equal weight.
    overall_influence : ndarray of float, (n_units,)
        Influence of each unit on the overall average.
    """

    kind: Kind
    at: Floats
    effects: Floats
    influence: Floats
    n_cohorts: NDArray[np.int64]
    overall: float
    overall_influence: Floats


def aggregate_group_time(
    effects: GroupTimeEffects, kind: Kind, *, event_times: tuple[float, float] = (-np.inf, np.inf)
) -> Aggregate:
    """Average group-time effects; cohorts count by the weight of their units.

    The cohorts of different blocks are different cohorts, averaged alike.

    Parameters
    ----------
    effects : GroupTimeEffects
        Refused cells are left out of every average.
    kind : {"simple", "event_time", "cohort", "period"}
        What to average by.
    event_times : (float, float)
        First and last time since adoption that enters.

    Raises
    ------
    ValueError
        If no cell from adoption on is left.

    References
    ----------
    Callaway, B. and Sant'Anna, P. (2021). Difference-in-differences with multiple time periods. Journal of
    Econometrics 225.
    """
    cells = _Cells(effects, event_times)
    if not cells.exposed.any():
        raise ValueError("no effect after adoption is identified")
    labels = {"event_time": cells.event_times, "cohort": cells.cohorts, "period": cells.periods}.get(kind)
    chosen = cells.kept if kind == "event_time" else cells.exposed
    at = np.empty(0) if labels is None else np.unique(labels[chosen])
    members = [np.flatnonzero(chosen & (labels == point)) for point in at]
    averages = [cells.average(own) for own in members]
    if kind == "simple":
        overall = cells.average(np.flatnonzero(cells.exposed))
    elif kind == "cohort":
        overall = cells.over_cohorts(averages, at)
    else:
        overall = _mean([own for own, point in zip(averages, at, strict=True) if point >= 0])
    influence = cells.influence([*averages, overall])
    return Aggregate(
        kind=kind,
        at=at,
        effects=np.array([own.value for own in averages]),
        influence=influence[:, :-1],
        n_cohorts=np.array([len(np.unique(cells.groups[own])) for own in members], dtype=np.int64),
        overall=overall.value,
        overall_influence=influence[:, -1],
    )


@dataclass(frozen=True, slots=True)
class _Average:
    """An average of effects: its value, the weights of the cells, and what the size of a cohort moves."""

    value: float
    weights: Floats
    of_sizes: Floats


def _mean(averages: list[_Average]) -> _Average:
    """Average averages with equal weight."""
    return _Average(
        float(np.mean([own.value for own in averages])),
        np.mean([own.weights for own in averages], axis=0),
        np.mean([own.of_sizes for own in averages], axis=0),
    )


class _Cells:
    """Group-time effects with the shares of the cohorts, those of different blocks apart."""

    def __init__(self, effects: GroupTimeEffects, event_times: tuple[float, float]) -> None:
        self.effects, self.panel = effects, effects.panel
        self.cohorts, self.periods = effects.cohorts, effects.periods
        pairs = np.column_stack([effects.blocks, effects.cohorts])
        self.labels, self.groups = np.unique(pairs, axis=0, return_inverse=True)
        self.of_unit = self._group_of_unit()
        totals = np.bincount(self.of_unit, self.panel.weights, minlength=len(self.labels) + 1)
        self.shares = totals[:-1] / self.panel.n_units
        # Rounding keeps apart and together the same times of fractional periods.
        self.event_times = np.round(effects.event_times, 9)
        first, last = event_times
        self.kept = np.isfinite(effects.effects)
        self.kept &= (self.event_times >= first) & (self.event_times <= last)
        self.exposed = self.kept & (self.event_times >= 0)

    def average(self, own: NDArray[np.intp]) -> _Average:
        """Average some cells by the size of their cohorts."""
        groups, values = self.groups[own], self.effects.effects[own]
        sizes = self.shares[groups]
        value = float(values @ sizes / sizes.sum())
        weights = np.zeros(len(self.groups))
        weights[own] = sizes / sizes.sum()
        of_sizes = np.zeros(len(self.shares))
        np.add.at(of_sizes, groups, (values - value) / sizes.sum())
        return _Average(value, weights, of_sizes)

    def over_cohorts(self, averages: list[_Average], cohorts: Floats) -> _Average:
        """Average one value per cohort by its size, the same cohort of all blocks together."""
        values = np.array([own.value for own in averages])
        belongs = self.labels[:, 1] == cohorts[:, None]
        sizes = belongs @ self.shares
        parts = sizes / sizes.sum()
        value = float(values @ parts)
        of_sizes = parts @ np.array([own.of_sizes for own in averages])
        of_sizes += (values - value) / sizes.sum() @ belongs
        return _Average(value, parts @ np.array([own.weights for own in averages]), of_sizes)

    def influence(self, averages: list[_Average]) -> Floats:
        """Return the influence of the units, (n_units, n_averages), which move the shares as well."""
        influence = self.effects.combine_influence(np.column_stack([own.weights for own in averages]))
        of_sizes = np.array([[*own.of_sizes, 0.0] for own in averages]).T
        centre = self.shares @ of_sizes[:-1]
        for start in range(0, len(influence), BLOCK_UNITS):
            part = slice(start, start + BLOCK_UNITS)
            influence[part] += of_sizes[self.of_unit[part]] * self.panel.weights[part, None] - centre
        return influence

    def _group_of_unit(self) -> NDArray[np.intp]:
        """Return the group of each unit, (n_units,); one more than the last for those that never adopt."""
        dates, date = np.unique(self.panel.cohorts, return_inverse=True)
        blocks, block = np.unique(self.effects.unit_blocks, return_inverse=True)
        group = np.full((len(blocks), len(dates)), len(self.labels))
        rows, columns = np.searchsorted(blocks, self.labels[:, 0]), np.searchsorted(dates, self.labels[:, 1])
        group[rows, columns] = np.arange(len(self.labels))
        return group[block, date]
