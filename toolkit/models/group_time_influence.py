"""Influence of the units on weighted sums of group-time effects, made only for the sums asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from toolkit.models.group_time_samples import Refused, Sample, SampleInfluence, SortedUnits, fit_sample
from toolkit.models.propensity import BLOCK_UNITS

Floats = NDArray[np.float64]


class InfluenceSource(Protocol):
    """What gives the influence of the units on sums of effects."""

    def combine(self, weights: Floats) -> Floats:
        """Return the influence on sums of the effects, (n_units, n_columns), by weights (n_cells, n_columns).

        Cells without an effect must have the weight zero.
        """
        ...


@dataclass(frozen=True, slots=True)
class CellDesign:
    """A cohort and period, with its base and comparison.

    Attributes
    ----------
    cohort : int
        Number of the cohort among those of the panel.
    first : int
        The comparison is the cohorts from this one on.
    period, before : int
        Positions of the period and of its base.
    """

    cohort: int
    first: int
    period: int
    before: int


class CellModels:
    """Models of all cells of a panel, each fitted once for the cells that it serves.

    Parameters
    ----------
    outcomes : ndarray of float, (n_units, n_periods)
        Missing where a unit was not observed: a cell takes the units seen in both of its periods.
    covariates : ndarray of float, (n_units, n_covariates)
        Without a constant.
    weights : ndarray of float, (n_units,)
        Of the units.
    codes : ndarray of int, (n_units,)
        Number of the cohort of each unit, in the order of the dates.
    cells : sequence of CellDesign
        What to fit.

    Attributes
    ----------
    samples : tuple of Sample or Refused
        Models of each cell.
    effects : ndarray of float, (n_cells,)
        Missing where refused, zero in the base period.
    """

    def __init__(
        self,
        outcomes: Floats,
        covariates: Floats,
        weights: Floats,
        codes: NDArray[np.unsignedinteger],
        cells: Sequence[CellDesign],
    ) -> None:
        self._panel = outcomes, covariates, weights, codes
        self._cells = tuple(cells)
        self._is_complete = bool(np.isfinite(outcomes).all())
        self._loaded: dict[tuple[int, ...], SortedUnits] = {}
        fitted: dict[tuple[int, int, tuple[int, ...]], Sample | Refused] = {}
        for columns, own in self._by_columns():
            for cell in own:
                key = (self._cells[cell].cohort, self._cells[cell].first, columns)
                if key not in fitted:
                    fitted[key] = fit_sample(self._load(columns), *key[:2])
        self.samples = tuple(fitted[cell.cohort, cell.first, self._columns(cell)] for cell in self._cells)
        self.effects = np.array(
            [self._effect(cell, sample) for cell, sample in zip(self._cells, self.samples, strict=True)]
        )

    def combine(self, weights: Floats) -> Floats:
        """Return the influence on sums of the effects; see `InfluenceSource`."""
        n_units, n_columns = len(self._panel[0]), weights.shape[1]
        total = np.zeros((n_units, n_columns))
        for columns, own in self._by_columns():
            served = self._contrasts(columns, own, weights * n_units)
            if not served:
                continue
            sorted_units = self._load(columns)
            for cohort in range(len(sorted_units.cross)):
                moved = [
                    (asked, influence, influence.sample.cohort == cohort)
                    for asked, influence in served
                    if cohort >= influence.sample.first or influence.sample.cohort == cohort
                ]
                for part in sorted_units.parts(cohort, cohort + 1) if moved else ():
                    values, of_units = sorted_units.values[:, part], sorted_units.weights[part]
                    block = np.zeros((n_columns, part.stop - part.start))
                    for asked, influence, is_treated in moved:
                        block[asked] += influence.of_units(values, of_units, is_treated)
                    total[sorted_units.units[part]] += block.T
        return total

    def _contrasts(
        self, columns: tuple[int, ...], own: list[int], weights: Floats
    ) -> list[tuple[NDArray[np.intp], SampleInfluence]]:
        """Return for each sample the sums that it enters, and its influence on them."""
        place = {column: position for position, column in enumerate(columns)}
        found: dict[tuple[int, int], tuple[Sample, Floats]] = {}
        for cell in own:
            sample, design = self.samples[cell], self._cells[cell]
            if isinstance(sample, Sample) and weights[cell].any():
                blank = np.zeros((len(columns), weights.shape[1]))
                _, contrasts = found.setdefault((design.cohort, design.first), (sample, blank))
                contrasts[place[design.period]] += weights[cell]
                contrasts[place[design.before]] -= weights[cell]
        served = []
        for sample, contrasts in found.values():
            asked = np.flatnonzero(contrasts.any(axis=0))
            served.append((asked, sample.influence(contrasts[:, asked])))
        return served

    def _by_columns(self) -> Iterator[tuple[tuple[int, ...], list[int]]]:
        """Return the cells that take the same units, with the periods in which these were seen."""
        found: dict[tuple[int, ...], list[int]] = {}
        for position, cell in enumerate(self._cells):
            found.setdefault(self._columns(cell), []).append(position)
        yield from found.items()

    def _columns(self, cell: CellDesign) -> tuple[int, ...]:
        if self._is_complete:
            return tuple(range(self._panel[0].shape[1]))
        return tuple(sorted({cell.period, cell.before}))

    def _load(self, columns: tuple[int, ...]) -> SortedUnits:
        """Return the units seen in some periods; of a large panel only those asked for last are kept."""
        if columns not in self._loaded:
            outcomes, covariates, weights, codes = self._panel
            if len(outcomes) > BLOCK_UNITS:
                self._loaded.clear()
            own = outcomes if self._is_complete else outcomes[:, columns]
            self._loaded[columns] = SortedUnits(own, covariates, weights, codes)
        return self._loaded[columns]

    def _effect(self, cell: CellDesign, sample: Sample | Refused) -> float:
        if cell.period == cell.before:
            return 0.0
        if isinstance(sample, Refused):
            return np.nan
        columns = self._columns(cell)
        now, then = (sample.effects[columns.index(column)] for column in (cell.period, cell.before))
        return float(now - then)


class JoinedInfluence:
    """Influence on the cells of several sets of units, one set after the other.

    Parameters
    ----------
    parts : sequence of (units, source)
        Positions of the units of each set, and the influence on the cells of the set.
    n_cells : sequence of int
        Cells of each set.
    """

    def __init__(
        self, parts: Sequence[tuple[NDArray[np.intp], InfluenceSource]], n_cells: Sequence[int]
    ) -> None:
        self._parts = tuple(parts)
        self._bounds = np.concatenate([[0], np.cumsum(n_cells)])

    def combine(self, weights: Floats) -> Floats:
        """Return the influence on sums of the effects; see `InfluenceSource`."""
        n_units = sum(len(units) for units, _ in self._parts)
        total = np.zeros((n_units, weights.shape[1]))
        for (units, source), start, stop in zip(
            self._parts, self._bounds[:-1], self._bounds[1:], strict=True
        ):
            asked = np.flatnonzero(weights[start:stop].any(axis=0))
            if len(asked):
                own = source.combine(weights[start:stop, asked] * (n_units / len(units)))
                total[np.ix_(units, asked)] = own
        return total
