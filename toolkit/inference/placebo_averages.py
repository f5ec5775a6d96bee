"""The average effect of many placebo assignments, with the error that pools cohorts of single clusters."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.inference.pooled_cohorts import EffectCells, PooledAverage, pool_cells
from toolkit.models.group_time import NEVER, AdoptionPanel, Comparison
from toolkit.models.group_time_batch import BLOCK_VALUES, _fit, _Samples

Floats = NDArray[np.float64]


class _Cell(NamedTuple):
    """A date and period, with the first date of its comparison and its base."""

    date: float
    threshold: float
    period: int
    before: int


def estimate_placebo_averages(
    panel: AdoptionPanel,
    cohorts: Floats,
    clusters: ArrayLike,
    *,
    comparison: Comparison,
    anticipation: int = 0,
    last: float = np.inf,
) -> tuple[PooledAverage | None, ...]:
    """Estimate the average effect under each of many assignments of the same units.

    Equal to `estimate_pooled_average(estimate_group_time(...), clusters, last=last)` for every assignment;
    the logits and regressions of all assignments are solved side by side.

    Parameters
    ----------
    panel : AdoptionPanel
        Outcomes without missing values; its cohorts are not used.
    cohorts : ndarray of float, (n_assignments, n_units)
        First treated period under each assignment; infinite if never.
    clusters : array_like, (n_units,)
        Cluster of each unit.
    comparison, anticipation
        See `estimate_group_time`.
    last : float
        Last time since adoption that enters.

    Returns
    -------
    tuple of PooledAverage or None
        None where no effect from adoption to `last` is identified.

    Raises
    ------
    ValueError
        If outcomes are missing, or some unit adopts before there is a base period.
    """
    dates = np.unique(cohorts[np.isfinite(cohorts)])
    if not np.isfinite(panel.outcomes).all():
        raise ValueError("outcomes must be complete")
    if len(dates) and dates[0] <= panel.periods[0] + anticipation:
        raise ValueError("every unit needs a period before its adoption")
    cells = _cells(panel.periods, dates, comparison, anticipation, last)
    if not cells:
        return (None,) * len(cohorts)
    block = max(1, BLOCK_VALUES // panel.n_units)
    starts = range(0, len(cohorts), block)
    return tuple(
        average
        for start in starts
        for average in _averages(panel, cohorts[start : start + block], clusters, cells)
    )


def _averages(
    panel: AdoptionPanel, cohorts: Floats, clusters: ArrayLike, cells: list[_Cell]
) -> Iterator[PooledAverage | None]:
    """Fit the models of a block of assignments and yield the average of each."""
    of_date = np.array([cell.date for cell in cells])
    now, then = [cell.period for cell in cells], [cell.before for cell in cells]
    changes = (panel.outcomes[:, now] - panel.outcomes[:, then]).T
    design = np.column_stack([np.ones(panel.n_units), panel.covariates])
    effects = np.full((len(cohorts), len(cells)), np.nan)
    models = []
    for date, threshold in dict.fromkeys((cell.date, cell.threshold) for cell in cells):
        own = np.flatnonzero([(cell.date, cell.threshold) == (date, threshold) for cell in cells])
        treated = cohorts == date
        fitted = _fit(design, panel.weights, treated, (cohorts >= threshold) & ~treated)
        effects[fitted.rows[:, None], own] = fitted.effects(changes[own])
        models.append((own, fitted))
    times = np.round(panel.periods[now] - of_date, 9)
    for draw, assigned in enumerate(cohorts):
        known = np.flatnonzero(np.isfinite(effects[draw]))
        if not len(known):
            yield None
            continue
        identified = EffectCells(
            panel=replace(panel, cohorts=assigned),
            unit_blocks=np.zeros(panel.n_units, dtype=np.int64),
            effects=effects[draw, known],
            cohorts=of_date[known],
            times=times[known],
            blocks=np.zeros(len(known), dtype=np.int64),
            combine=partial(_errors, models, changes, draw, known),
        )
        yield pool_cells(identified, clusters)


def _cells(
    periods: Floats, dates: Floats, comparison: Comparison, anticipation: int, last: float
) -> list[_Cell]:
    """Return every date and period from adoption on that is averaged."""
    found = []
    for date in dates:
        before = int(np.flatnonzero(periods + anticipation < date)[-1])
        for position in np.flatnonzero((periods >= date) & (np.round(periods - date, 9) <= last)):
            later = dates[dates > periods[position] + anticipation]
            threshold = NEVER if comparison == "never" or not len(later) else float(later[0])
            found.append(_Cell(float(date), threshold, int(position), before))
    return found


def _errors(
    models: list[tuple[NDArray[np.intp], _Samples]],
    changes: Floats,
    draw: int,
    known: NDArray[np.intp],
    weights: Floats,
) -> Floats:
    """Return what each unit adds to the error of a weighted sum of cells under one assignment, (n_units,)."""
    mass = np.zeros(len(changes))
    mass[known] = weights
    total = np.zeros(changes.shape[1])
    for own, fitted in models:
        row = np.flatnonzero(fitted.rows == draw)
        if len(row):
            total += _of_rows(fitted, row).influence((mass[own] @ changes[own])[None, :])[0]
    return total


def _of_rows(fitted: _Samples, rows: NDArray[np.intp]) -> _Samples:
    """Return the models of some assignments."""
    by_row = ("rows", "controls", "inverse", "treated_shares", "control_shares", "of_residuals", "scores")
    taken = {name: getattr(fitted, name)[rows] for name in (*by_row, "information")}
    return replace(fitted, **taken)
