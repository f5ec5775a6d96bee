"""Averages of group-time effects: overall, by time since adoption, by cohort and by period."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from toolkit.models.group_time import GroupTimeEffects

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
    everything = cells.average(np.flatnonzero(cells.exposed))
    if kind == "simple":
        blank = np.empty((effects.panel.n_units, 0))
        empty = np.empty(0)
        return Aggregate(kind, empty, empty, blank, np.empty(0, dtype=np.int64), *everything)
    labels = {"event_time": cells.event_times, "cohort": cells.cohorts, "period": cells.periods}[kind]
    chosen = cells.kept if kind == "event_time" else cells.exposed
    at = np.unique(labels[chosen])
    members = [np.flatnonzero(chosen & (labels == point)) for point in at]
    averages = [cells.average(own) for own in members]
    values = np.array([value for value, _ in averages])
    influence = np.column_stack([own for _, own in averages])
    if kind == "cohort":
        overall = cells.over_cohorts(values, influence, at)
    else:
        counted = at >= 0 if kind == "event_time" else np.ones(len(at), dtype=bool)
        overall = float(values[counted].mean()), influence[:, counted].mean(axis=1)
    n_cohorts = np.array([len(np.unique(cells.groups[own])) for own in members])
    return Aggregate(kind, at, values, influence, n_cohorts, *overall)


class _Cells:
    """Group-time effects with the shares of the cohorts and what each unit adds to these."""

    def __init__(self, effects: GroupTimeEffects, event_times: tuple[float, float]) -> None:
        self.effects, self.panel = effects, effects.panel
        self.cohorts, self.periods = effects.cohorts, effects.periods
        pairs = np.column_stack([effects.blocks, effects.cohorts])
        self.labels, self.groups = np.unique(pairs, axis=0, return_inverse=True)
        # Rounding keeps apart and together the same times of fractional periods.
        self.event_times = np.round(effects.event_times, 9)
        first, last = event_times
        self.kept = np.isfinite(effects.effects)
        self.kept &= (self.event_times >= first) & (self.event_times <= last)
        self.exposed = self.kept & (self.event_times >= 0)

    def average(self, own: NDArray[np.intp]) -> tuple[float, Floats]:
        """Average some cells by the size of their cohorts; return the average and its influence."""
        groups = self.groups[own]
        members = np.column_stack([self._members(group) for group in np.unique(groups)])
        places = np.searchsorted(np.unique(groups), groups)
        return self.weighted(self.effects.effects[own], self.effects.influence[:, own], members, places)

    def over_cohorts(self, values: Floats, influence: Floats, cohorts: Floats) -> tuple[float, Floats]:
        """Average one value per cohort by its size, the same cohort of all blocks together."""
        members = self.panel.cohorts[:, None] == cohorts
        return self.weighted(values, influence, members, np.arange(len(cohorts)))

    def weighted(
        self, values: Floats, influence: Floats, members: NDArray[np.bool_], places: NDArray[np.intp]
    ) -> tuple[float, Floats]:
        """Average values by the weight of the units behind them.

        `members` has a column for each set of units, `places` the column of each value. The shares of
        the sets are estimates, too, and units move them.
        """
        weighted = self.panel.weights[:, None] * members
        shares = weighted.sum(axis=0) / self.panel.n_units
        total = shares[places].sum()
        average = float(values @ shares[places] / total)
        surplus = np.bincount(places, (values - average) / total, minlength=len(shares))
        return average, influence @ (shares[places] / total) + (weighted - shares) @ surplus

    def _members(self, group: int) -> NDArray[np.bool_]:
        """Return the units of a cohort of one block, (n_units,)."""
        block, cohort = self.labels[group]
        return (self.panel.cohorts == cohort) & (self.effects.unit_blocks == block)
