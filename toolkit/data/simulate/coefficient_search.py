"""Search for values whose student-weighted coefficient of variation hits a planned one."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

# A coefficient this near to the planned one is hit; a mean this far above the least one is still realistic.
CLOSE, HIGHEST_MEAN = 0.003, 1.4
POWERS = (1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.5)
SCALES = np.geomspace(1e-3, 1e3, 241)


def weighted_coefficient(values: NDArray[np.float64], students: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the student-weighted coefficient of variation along the last axis."""
    shares = students / students.sum()
    mean = (values * shares).sum(axis=-1, keepdims=True)
    return np.sqrt(((values - mean) ** 2 * shares).sum(axis=-1)) / mean[..., 0]


def search_values(
    excess: NDArray[np.float64],
    base: NDArray[np.float64],
    realised: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    students: NDArray[np.float64],
    target: float,
) -> NDArray[np.float64]:
    """Return values base + scale * excess whose coefficient is nearest to the target.

    `realised` turns values into those that whole stocks give. Of several solutions the one with the
    least unequal excess is taken whose mean is not far above the base, else the one with the least mean.
    """
    solutions = [_scaled(excess**power, base, realised, students, target) for power in POWERS]
    moderate = [solution for solution in solutions if not solution[0] and not solution[1]]
    return moderate[0][3] if moderate else min(solutions, key=lambda solution: solution[:3])[3]


def _scaled(
    shape: NDArray[np.float64],
    base: NDArray[np.float64],
    realised: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    students: NDArray[np.float64],
    target: float,
) -> tuple[bool, bool, float, NDArray[np.float64]]:
    """Return whether the target is missed, whether the mean is too high, mean over base, values."""
    scales = SCALES * (base.mean() / shape.mean())
    found, distance = base, np.inf
    for search in (_first_nearest, *[_nearest] * 3):
        values = base + scales[:, None] * shape
        coefficients = weighted_coefficient(realised(values), students)
        best = search(coefficients, target)
        found, distance = values[best], abs(coefficients[best] - target)
        scales = np.linspace(scales[max(best - 1, 0)], scales[min(best + 1, len(scales) - 1)], len(scales))
    mean = float((realised(found) * students).sum() / students.sum() / base.mean())
    return bool(distance > CLOSE), mean > HIGHEST_MEAN, mean, found


def _nearest(coefficients: NDArray[np.float64], target: float) -> int:
    """Return the position nearest to the target."""
    return int(np.argmin(np.abs(coefficients - target)))


def _first_nearest(coefficients: NDArray[np.float64], target: float) -> int:
    """Return the first position where the target is met or crossed, or the nearest one if it never is."""
    met = np.abs(coefficients - target) < CLOSE
    met[1:] |= np.diff(np.sign(coefficients - target)) != 0
    return int(np.argmax(met)) if met.any() else _nearest(coefficients, target)
