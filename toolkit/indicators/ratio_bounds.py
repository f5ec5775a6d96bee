"""The least and the largest value that a ratio of sums can take while cells are missing."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

RELATIVE_TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True)
class OpenPart:
    """What some missing cells can add to numerator and denominator.

    Attributes
    ----------
    corners : ndarray, (n_corners, 2)
        Numerator and denominator at completions among which all extremes lie.
    rays : ndarray, (n_rays, 2)
        Directions in which both can grow without end.
    """

    corners: NDArray[np.float64]
    rays: NDArray[np.float64]


def open_part(
    weights: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    at_most: tuple[tuple[int, int], ...],
) -> OpenPart:
    """Return what missing cells c with low <= c <= high can add, c_i <= c_j for the pairs (i, j).

    Parameters
    ----------
    weights : ndarray, (n_cells, 2)
        What one unit of each cell adds to numerator and denominator.
    low, high : ndarray, (n_cells,)
        Bounds of the cells; the upper ones may be infinite.
    at_most : tuple of (int, int)
        Cells of which one is a part of the other.

    Notes
    -----
    At a corner every cell sits at a bound of its own or of a cell it is tied to; directions without
    end raise only unbounded cells, and with a part always the whole.
    """
    return _open_part(
        tuple((float(one), float(other)) for one, other in weights.tolist()),
        tuple(low.tolist()),
        tuple(high.tolist()),
        at_most,
    )


def distinct(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each point once, in order of the first and then of the second coordinate."""
    return np.array(sorted({(one, other) for one, other in points.tolist()})).reshape(-1, 2)


# Rows with the same columns missing mostly have the same bounds.
@lru_cache(maxsize=4096)
def _open_part(
    weights: tuple[tuple[float, float], ...],
    low: tuple[float, ...],
    high: tuple[float, ...],
    at_most: tuple[tuple[int, int], ...],
) -> OpenPart:
    bounds = sorted({bound for bound in (*low, *high) if np.isfinite(bound)})
    tied = {i for pair in at_most for i in pair}
    choices = [
        [bound for bound in bounds if low[i] <= bound <= high[i]]
        if i in tied
        else [bound for bound in {low[i], high[i]} if np.isfinite(bound)]
        for i in range(len(low))
    ]
    steps = [(0.0, 1.0) if np.isinf(bound) else (0.0,) for bound in high]
    corners = [cell for cell in product(*choices) if all(cell[i] <= cell[j] for i, j in at_most)]
    rays = [ray for ray in product(*steps) if any(ray) and all(ray[i] <= ray[j] for i, j in at_most)]
    each = np.array(weights)
    return OpenPart(
        distinct(np.array(corners).reshape(-1, len(low)) @ each),
        distinct(np.array(rays).reshape(-1, len(low)) @ each),
    )


def sum_range(known: float, parts: list[OpenPart]) -> tuple[float, float]:
    """Return the range of a sum (the first coordinate of the parts)."""
    low = known + sum(float(part.corners[:, 0].min()) for part in parts)
    high = known + sum(float(part.corners[:, 0].max()) for part in parts)
    ends = np.concatenate([part.rays[:, 0] for part in parts]) if parts else np.empty(0)
    return (-np.inf if (ends < 0).any() else low), (np.inf if (ends > 0).any() else high)


def ratio_range(numerator: float, denominator: float, parts: list[OpenPart]) -> tuple[float, float]:
    """Return infimum and supremum of a ratio of sums over all completions with a positive denominator.

    Parameters
    ----------
    numerator, denominator : float
        Sums of the known cells.
    parts : list of OpenPart
        What the missing cells can add, independently of each other.

    Returns
    -------
    low, high : float
        Infinite where nothing limits the ratio; missing where no denominator can be positive.

    Notes
    -----
    Dinkelbach's method: the ratio N/D has the supremum r where the largest N - r D over all
    completions is zero; for a given r each part is maximised alone. Where a denominator may fall
    below zero and the numerator may be positive, the ratio has no upper limit.
    """
    high = _supremum(numerator, denominator, parts)
    mirrored = [OpenPart(part.corners * (-1, 1), part.rays * (-1, 1)) for part in parts]
    low = -_supremum(-numerator, denominator, mirrored)
    return low, high


def _supremum(numerator: float, denominator: float, parts: list[OpenPart]) -> float:
    rays = np.concatenate([part.rays for part in parts]) if parts else np.empty((0, 2))
    least = denominator + sum(float(part.corners[:, 1].min()) for part in parts)
    growing = rays[rays[:, 1] > 0]
    widest = _choose(numerator, denominator, parts, np.array([0.0, 1.0]))
    if widest[1] <= 0 and not len(growing):
        return np.nan
    if (rays[(rays[:, 1] == 0), 0] > 0).any():
        return np.inf
    falls = least < 0 or bool((rays[:, 1] < 0).any())
    if falls and _may_be_positive(numerator, denominator, parts, rays):
        return np.inf
    if least == 0 and _choose(numerator, denominator, parts, np.array([1e-9, -1.0]))[0] > 0:
        return np.inf
    best = float((growing[:, 0] / growing[:, 1]).max()) if len(growing) else -np.inf
    if widest[1] > 0:
        best = max(best, widest[0] / widest[1])
    while True:
        chosen = _choose(numerator, denominator, parts, np.array([1.0, -best]))
        gain = chosen[0] - best * chosen[1]
        if gain <= RELATIVE_TOLERANCE * max(1.0, abs(chosen[0]), abs(best * chosen[1])):
            return best
        if chosen[1] <= 0:
            return np.inf
        best = chosen[0] / chosen[1]


def _may_be_positive(
    numerator: float, denominator: float, parts: list[OpenPart], rays: NDArray[np.float64]
) -> bool:
    largest = _choose(numerator, denominator, parts, np.array([1.0, 0.0]))[0]
    return largest > 0 or bool((rays[:, 0] > 0).any())


def _choose(
    numerator: float, denominator: float, parts: list[OpenPart], direction: NDArray[np.float64]
) -> tuple[float, float]:
    """Return numerator and denominator of the corners that lie farthest in a direction."""
    total = np.array([numerator, denominator])
    for part in parts:
        total = total + part.corners[int(np.argmax(part.corners @ direction))]
    return float(total[0]), float(total[1])
