"""Regression on one regressor with effects of blocks, by least squares or with one instrument."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BlockedRegression:
    """A slope, and what each observation adds to it.

    Attributes
    ----------
    estimate : float
        Slope.
    first_stage : float
        Slope of the regressor on the instrument; 1 where the regressor is its own.
    loads : ndarray, (n,)
        The estimate is the sum of loads times outcomes.
    contributions, first_contributions : ndarray, (n,)
        Loads times residuals: of the estimate, and of the first stage.
    outcome, regressor : ndarray, (n,)
        Block effects and the control taken out.
    """

    estimate: float
    first_stage: float
    loads: Floats
    contributions: Floats
    first_contributions: Floats
    outcome: Floats
    regressor: Floats


def remove_block_means(values: Floats, blocks: NDArray[np.int64], weights: Floats) -> Floats:
    """Return values less their weighted mean in each block, (n,)."""
    mass = np.bincount(blocks, weights)
    sums = np.bincount(blocks, weights * values)
    return values - (sums / np.where(mass > 0, mass, 1.0))[blocks]


def estimate_blocked_regression(
    outcome: Floats,
    regressor: Floats,
    weights: Floats,
    blocks: NDArray[np.int64],
    instrument: Floats | None = None,
    control: Floats | None = None,
) -> BlockedRegression:
    """Estimate a slope with an effect of each block, weighted.

    Parameters
    ----------
    outcome, regressor : ndarray, (n,)
        Complete.
    weights : ndarray, (n,)
        Positive.
    blocks : ndarray of int, (n,)
        Numbers from 0.
    instrument : ndarray, (n,), optional
        What moves the regressor without moving the outcome otherwise; the regressor itself if not given.
    control : ndarray, (n,), optional
        Held fixed with the blocks.

    Raises
    ------
    ValueError
        If nothing is left of the regressor, or of its relation with the instrument, within blocks.
    """
    held = None if control is None else remove_block_means(control, blocks, weights)

    def inside(values: Floats) -> Floats:
        return _remove_control(remove_block_means(values, blocks, weights), held, weights)

    y, x = inside(outcome), inside(regressor)
    z = x if instrument is None else inside(instrument)
    cross, square = float((weights * z) @ x), float((weights * z) @ z)
    scale = float(weights @ regressor**2)
    if abs(cross) <= 1e-10 * scale or square <= 1e-10 * scale:
        raise ValueError("nothing is left of the regressor within blocks")
    loads = weights * z / cross
    estimate, first = float(loads @ y), cross / square
    first_residual = x - first * z
    return BlockedRegression(
        estimate,
        first,
        loads,
        loads * (y - estimate * x),
        weights * z / square * first_residual,
        y,
        x,
    )


def _remove_control(values: Floats, held: Floats | None, weights: Floats) -> Floats:
    """Return values less what a control explains, both without block means."""
    square = 0.0 if held is None else float((weights * held) @ held)
    if held is None or square <= 0:
        return values
    return values - held * float((weights * held) @ values) / square
