"""Dose paths of units: first dose, first change, its direction, and the cells that may be compared."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import DesignError
from toolkit.models.switching_dose_panel import DosePanel

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DosePaths:
    """What the dose paths say about each unit that can serve in a comparison.

    Periods are positions from 0; `end` stands for "not within the panel".

    Attributes
    ----------
    units : ndarray of int, (n_kept,)
        Position in the panel.
    outcomes, doses, weights : ndarray of float, (n_kept, n_periods)
        Outcomes that may be compared; doses with the gaps filled that the path decides; weights, zero where
        outcome or dose is unknown.
    baseline : ndarray of float, (n_kept,)
        First observed dose.
    first : ndarray of int, (n_kept,)
        Period of the first change; `end` where there is none or its date is unknown.
    last : ndarray of int, (n_kept,)
        Last period in which some unit of the pool had not changed.
    direction : ndarray of int, (n_kept,)
        1 or -1 for a mean dose above or below the first one after the change; 0 without change.
    pool : ndarray of int, (n_kept,)
        Units that may be compared: same first dose and stratum.
    cohort : ndarray of int, (n_kept,)
        Same pool, same first change, same dose at it: around the mean of these the errors are taken.
    covariates : ndarray of float, (n_kept, n_periods, n_covariates)
        With those of `polynomial`.
    end : int
        Periods in which somebody had not changed yet.
    n_changed : int
        Units of the panel whose dose was seen to change, kept or not.
    """

    units: Whole
    outcomes: Floats
    doses: Floats
    weights: Floats
    baseline: Floats
    first: Whole
    last: Whole
    direction: Whole
    pool: Whole
    cohort: Whole
    covariates: Floats
    end: int
    n_changed: int

    @property
    def n_pools(self) -> int:
        """Number of pools."""
        return int(self.pool.max()) + 1


def read_dose_paths(panel: DosePanel, *, keep_crossing: bool = False, polynomial: int = 0) -> DosePaths:
    """Find first doses and first changes, and apply the authors' rules for missing doses.

    The rules: the first observed dose is the baseline. Before the first change a missing dose between two
    observed ones is the baseline. When the period before the change, or the change itself, was not observed,
    the date is unknown and the unit serves as comparison up to its last dose known unchanged. After a dated
    change a missing dose is that of the change. A unit that never changes serves until its last observed
    dose. Outcomes before the first observed dose are not used.

    Parameters
    ----------
    panel : DosePanel
        Panel.
    keep_crossing : bool
        Keep cells of units that had both a higher and a lower dose than at first. Their effect mixes both
        directions, so that they are left out from the crossing on.
    polynomial : int
        Above 0, units of all first doses are one pool, and the trend without change may depend on the
        first dose through a polynomial of this order in each period.

    Raises
    ------
    DesignError
        If no pool has units that changed at different times, or that changed and did not.
    """
    lacks: Flags = np.logical_or.reduce(np.isnan(panel.covariates), axis=2)
    observed = np.isfinite(panel.doses) & ~lacks
    units = np.flatnonzero(observed.any(axis=1) & (np.isfinite(panel.outcomes) & ~lacks).any(axis=1))
    if not len(units):
        raise DesignError("dose_no_unchanged_units", units=0)
    baseline = panel.doses[units, observed[units].argmax(axis=1)]
    changed, crossed = _moves(np.where(observed[units], panel.doses[units] - baseline[:, None], 0.0))
    pool = _code(panel.strata[units], np.zeros(len(units)) if polynomial else baseline)
    contrasted = _differ_in_first_change(pool, changed)
    if not contrasted.any():
        raise _refusal(pool, changed)
    n_changed = int(changed[:, -1].sum())
    units, baseline, pool = units[contrasted], baseline[contrasted], _code(pool[contrasted])
    changed, crossed = changed[contrasted], crossed[contrasted]
    usable = ~lacks[units] if keep_crossing else ~lacks[units] & ~crossed
    served = _pools_with_unchanged(pool, usable & ~changed)
    usable &= served[pool]
    end = int(np.flatnonzero(served.any(axis=0))[-1]) + 1
    covariates = panel.covariates[units]
    if polynomial:
        powers = baseline[:, None] ** np.arange(1, polynomial + 1)
        covariates = np.concatenate([covariates, _steps(powers, changed.shape[1])], axis=2)
    cells = _Cells(
        np.where(usable, panel.outcomes[units], np.nan),
        np.where(usable, panel.doses[units], np.nan),
        usable,
        baseline,
        np.where(changed[:, -1], changed.argmax(axis=1), end),
        observed[units],
        end,
    )
    paths = _assemble(cells, units, pool, panel.weights[units], by_dose=not polynomial)
    return replace(paths, covariates=covariates, n_changed=n_changed)


def _code(*columns: NDArray) -> Whole:
    """Return one code per distinct row, from 0."""
    codes = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        own = np.unique(column, return_inverse=True)[1]
        codes = np.unique(codes * (own.max() + 1) + own, return_inverse=True)[1]
    return codes.astype(np.int64)


def _moves(departure: Floats) -> tuple[Flags, Flags]:
    """Return where the dose has changed by then, and where it has been both above and below the first one."""
    above = np.logical_or.accumulate(departure > 0, axis=1)
    below = np.logical_or.accumulate(departure < 0, axis=1)
    return above | below, above & below


def _differ_in_first_change(pool: Whole, changed: Flags) -> Flags:
    """Return the units of pools that did not all change first at the same time."""
    first = np.where(changed[:, -1], changed.argmax(axis=1), -1)
    low, high = np.full(pool.max() + 1, changed.shape[1]), np.full(pool.max() + 1, -1)
    np.minimum.at(low, pool, first)
    np.maximum.at(high, pool, first)
    return (low < high)[pool]


def _pools_with_unchanged(pool: Whole, waiting: Flags) -> Flags:
    """Return where a pool has a unit that waits, (n_pools, n_periods)."""
    served = np.zeros((pool.max() + 1, waiting.shape[1]), dtype=bool)
    for period, column in enumerate(waiting.T):
        served[pool[column], period] = True
    return served


def _refusal(pool: Whole, changed: Flags) -> DesignError:
    """Return why no pool can be used: first doses all different, or nobody left unchanged."""
    moved = changed[:, -1]
    alone = np.bincount(pool)[pool] == 1
    if len(pool) > 1 and moved.any() and alone[moved].all():
        return DesignError("dose_continuous_baseline", units=len(pool), doses=int(pool.max()) + 1)
    return DesignError("dose_no_unchanged_units", units=len(pool))


def _steps(powers: Floats, n_periods: int) -> Floats:
    """Return each power switched on from each period after the first, (n_units, n_periods, n_columns)."""
    on = np.arange(n_periods)[:, None] >= np.arange(1, n_periods)
    return np.concatenate([on * powers[:, [k], None] for k in range(powers.shape[1])], axis=2)


@dataclass(frozen=True, slots=True)
class _Cells:
    """Cells of the units kept, before gaps in the doses are resolved."""

    outcomes: Floats
    doses: Floats
    usable: Flags
    baseline: Floats
    first: Whole
    observed: Flags
    end: int


def _assemble(cells: _Cells, units: Whole, pool: Whole, weights: Floats, *, by_dose: bool) -> DosePaths:
    """Resolve gaps in the doses, then find how far each unit is compared, and in which direction it moved."""
    outcomes, doses, first, reach = _resolve_gaps(cells)
    period, rows = np.arange(doses.shape[1]), np.arange(len(units))
    last = np.zeros(pool.max() + 1, dtype=np.int64)
    np.maximum.at(last, pool, reach)
    last = last[pool] - 1
    after = (period >= first[:, None]) & (period <= last[:, None]) & np.isfinite(doses)
    moved = np.where(after, doses - cells.baseline[:, None], 0.0).sum(axis=1)
    switches = first < cells.end
    direction = np.where(switches, np.sign(moved), 0.0).astype(np.int64)
    # Only with crossings kept: a path whose later doses average to the first one has no direction.
    returned = switches & after.any(axis=1) & (direction == 0)
    outcomes[returned] = np.nan
    at_first = np.where(switches, doses[rows, np.minimum(first, cells.end - 1)], cells.baseline)
    return DosePaths(
        units=units,
        outcomes=outcomes,
        doses=doses,
        weights=np.where(np.isfinite(outcomes) & np.isfinite(doses), weights, 0.0),
        baseline=cells.baseline,
        first=first,
        last=last,
        direction=direction,
        pool=pool,
        cohort=_code(pool, first, at_first if by_dose else direction),
        covariates=np.empty((*doses.shape, 0)),
        end=cells.end,
        n_changed=int(switches.sum()),
    )


def _resolve_gaps(cells: _Cells) -> tuple[Floats, Floats, Whole, Whole]:
    """Return outcomes, doses, first change, and the period up to which each unit is known unchanged."""
    period, end = np.arange(cells.doses.shape[1]), cells.end
    outcomes, doses, first = cells.outcomes.copy(), cells.doses.copy(), cells.first[:, None].copy()
    base = np.broadcast_to(cells.baseline[:, None], doses.shape)
    known = np.isfinite(doses)
    start = cells.observed.argmax(axis=1)[:, None]
    final = len(period) - 1 - cells.observed[:, ::-1].argmax(axis=1)[:, None]
    unchanged_until = np.where(known & (period < first), period, -1).max(axis=1)[:, None]
    outcomes[period < start] = np.nan
    between = (first < end) & (period > start) & (period < unchanged_until)
    undated = (first < end) & (unchanged_until < first - 1)
    outcomes[undated & (period > unchanged_until)] = np.nan
    first[undated] = end
    switches = first < end
    at_first = np.take_along_axis(doses, np.minimum(first, end - 1), axis=1)
    gaps = cells.usable & ~known
    doses = np.where(gaps & between, base, doses)
    doses = np.where(gaps & switches & (period > first), at_first, doses)
    doses = np.where(gaps & ~switches & (period > start) & (period < final) & np.isnan(doses), base, doses)
    outcomes[~switches & (period > final)] = np.nan
    reach = np.where(switches, first, np.minimum(first, final + 1))
    return outcomes, doses, first[:, 0], reach[:, 0]
