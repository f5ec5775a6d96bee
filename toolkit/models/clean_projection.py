"""Changes of an outcome after a change of a flow, against units whose flows all stay (local projection)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CleanProjection:
    """The effect of a change of a flow after some periods.

    Attributes
    ----------
    horizon : int
        Periods since the change; negative ones are placebos.
    estimate : float
        Change of the outcome per unit of change of the flow.
    contributions : ndarray, (n_units,)
        The estimate minus its limit is about their sum; zero for units that do not enter.
    left_out : ndarray, (n_units,)
        Estimate without each unit; missing for units that do not enter, or whose loss leaves none.
    n_changes, n_clean : int
        Unit-periods with a change, and comparison unit-periods without any.
    n_units_changed : int
        Units with a change.
    """

    horizon: int
    estimate: float
    contributions: Floats
    left_out: Floats
    n_changes: int
    n_clean: int
    n_units_changed: int


def estimate_clean_projection(
    outcomes: Floats,
    flow: Floats,
    others: Floats,
    *,
    horizon: int,
    quiet: int = 1,
    unchanged: float = 1e-9,
    weights: Floats,
    blocks: Whole,
) -> CleanProjection | None:
    """Estimate the effect of a change of one flow that nothing else disturbs.

    A unit-period t enters when every flow stayed in the `quiet` periods before it and from t + 1 to
    t + horizon, and the other flows stayed at t as well: with a change of the flow at t it is a change,
    without one a clean comparison. The outcome is that at t + horizon less that at t - 1, regressed on the
    change of the flow with effects of block and period. Effects that differ are averaged with the squared
    change, block and period taken out, as weight. For negative horizons, the outcome is that at
    t + horizon less that at t - 1 under the same changes: what happened before.

    Parameters
    ----------
    outcomes, flow : ndarray, (n_units, n_periods)
        Missing where not known.
    others : ndarray, (n_units, n_periods, n_others)
        Flows that have to stay.
    horizon : int
        From 0 on, or at most -2 for placebos.
    quiet : int
        Periods before the change in which no flow moves.
    unchanged : float
        Changes up to this size are none.
    weights : ndarray, (n_units,)
        Weight of each unit.
    blocks : ndarray of int, (n_units,)
        County of each unit.

    Returns
    -------
    CleanProjection or None
        None where no change or no clean comparison in the same block and period is left.
    """
    if horizon == -1:
        raise ValueError("the period before the change is the base")
    n_periods = flow.shape[1]
    flows = np.concatenate([flow[:, :, None], others], axis=2)
    steps = np.full(flows.shape, np.nan)
    steps[:, 1:] = np.diff(flows, axis=1)
    still = np.asarray((np.abs(steps) <= unchanged).all(axis=2))
    stays_else = np.asarray((np.abs(steps[:, :, 1:]) <= unchanged).all(axis=2))
    rows, columns = [], []
    for period in range(1, n_periods):
        end = period + horizon
        if not 0 <= end < n_periods:
            continue
        before = still[:, max(period - quiet, 1) : period].all(axis=1)
        after = still[:, period + 1 : max(end, period) + 1].all(axis=1)
        observed = np.isfinite(outcomes[:, end] - outcomes[:, period - 1]) & np.isfinite(steps[:, period, 0])
        chosen = np.flatnonzero(before & after & stays_else[:, period] & observed)
        rows.append(chosen)
        columns.append(np.full(len(chosen), period))
    if not rows:
        return None
    unit, period = np.concatenate(rows), np.concatenate(columns)
    return _regress(outcomes, steps[:, :, 0], unit, period, horizon, unchanged, weights, blocks)


def _regress(
    outcomes: Floats,
    steps: Floats,
    unit: Whole,
    period: Whole,
    horizon: int,
    unchanged: float,
    weights: Floats,
    blocks: Whole,
) -> CleanProjection | None:
    """Regress the change of the outcome on that of the flow within block and period."""
    change = steps[unit, period]
    moved = np.abs(change) > unchanged
    change = np.where(moved, change, 0.0)
    response = outcomes[unit, period + horizon] - outcomes[unit, period - 1]
    _, cell = np.unique(blocks[unit] * outcomes.shape[1] + period, return_inverse=True)
    # Periods without a clean comparison or without a change tell nothing of the effect.
    useful = (np.bincount(cell, ~moved) > 0)[cell] & (np.bincount(cell, moved) > 0)[cell]
    if not useful.any():
        return None
    unit, change, response, moved = unit[useful], change[useful], response[useful], moved[useful]
    _, cell = np.unique(cell[useful], return_inverse=True)
    weight = weights[unit]
    estimate, residual = _slope(response, change, cell, weight)
    moved_left = change - _means(change, cell, weight)[cell]
    scores = weight * moved_left * residual / float(weight @ moved_left**2)
    left_out = np.full(len(weights), np.nan)
    for own in np.unique(unit):
        kept = unit != own
        left_out[own] = _slope(response[kept], change[kept], cell[kept], weight[kept])[0]
    return CleanProjection(
        horizon=horizon,
        estimate=estimate,
        contributions=np.bincount(unit, scores, minlength=len(weights)).astype(np.float64),
        left_out=left_out,
        n_changes=int(moved.sum()),
        n_clean=int((~moved).sum()),
        n_units_changed=len(np.unique(unit[moved])),
    )


def _slope(response: Floats, change: Floats, cell: Whole, weight: Floats) -> tuple[float, Floats]:
    """Return the slope within cells and what it leaves; missing where nothing varies."""
    left = [values - _means(values, cell, weight)[cell] for values in (change, response)]
    size = float(weight @ left[0] ** 2)
    slope = float(weight @ (left[0] * left[1])) / size if size > 0 else np.nan
    return slope, left[1] - slope * left[0]


def _means(values: Floats, cell: Whole, weight: Floats) -> Floats:
    """Return weighted means by cell."""
    total = np.bincount(cell, weight)
    return np.bincount(cell, weight * values) / np.where(total > 0, total, 1.0)
