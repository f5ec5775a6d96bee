"""Largest and smallest coefficient of variation when school totals may lie in an interval.

With P = sum(P_i), Q = sum(x_i^2 / P_i) and T = sum(x_i), the coefficient obeys 1 + CV^2 = PQ / T^2.
Since sqrt(PQ) = min over m > 0 of (mP + Q/m) / 2, both extremes become one-dimensional searches over
the scale m around ratios of sums, and a ratio of sums is optimised school by school (Dinkelbach 1967).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

# 2^14 combinations of interval ends are enumerated in a few milliseconds.
MOST_COMBINATIONS = 2**14

# Relative rounding of a converged ratio, and what a search over scales may leave.
GAP = 1e-12
SEARCH_GAP = 1e-9


class Sums(NamedTuple):
    """Students P, sum of squares Q = sum(x^2 / P), and total amount T of some schools."""

    students: float
    squares: float
    amount: float


class Highest(NamedTuple):
    """A proven upper bound of PQ / T^2, and the largest value found; equal when the search is exact."""

    bound: float
    found: float


def highest_over_vertices(
    amounts: NDArray[np.float64], enrolments: NDArray[np.float64], fixed: Sums
) -> Highest:
    """Return the largest PQ / T^2 when every school takes one of its own pairs of totals.

    PQ / T^2 is quasi-convex in each amount and convex in each enrolment, so over a box it is
    largest at a vertex. Up to 2^14 combinations of vertices are enumerated; beyond that the bound
    is the maximum over the convex hull of the sums (P, Q, T), which the mixing of vertices in
    very few schools separates from the largest value found.

    Parameters
    ----------
    amounts, enrolments : ndarray of float, (n_schools, n_vertices)
        The pairs among which each school chooses. Every choice must leave a positive total amount.
    fixed : Sums
        Sums of the schools whose totals are known.
    """
    squares = np.divide(amounts**2, enrolments, out=np.zeros_like(amounts), where=amounts > 0)
    n_schools, n_vertices = amounts.shape
    if n_vertices**n_schools <= MOST_COMBINATIONS:
        choice = np.indices((n_vertices,) * n_schools).reshape(n_schools, n_vertices**n_schools)
        school = np.arange(n_schools)[:, None]
        students, square, amount = (
            start + parts[school, choice].sum(axis=0)
            for start, parts in zip(fixed, (enrolments, squares, amounts), strict=True)
        )
        highest = float((students * square / amount**2).max())
        return Highest(highest, highest)
    return _hull_bound(amounts, enrolments, squares, fixed)


def _hull_bound(
    amounts: NDArray[np.float64],
    enrolments: NDArray[np.float64],
    squares: NDArray[np.float64],
    fixed: Sums,
) -> Highest:
    """Bound PQ / T^2 over all combinations by the scale that gives the smallest bound."""
    rows, bound, found = np.arange(len(amounts)), np.inf, 1.0

    def largest_ratio(log_scale: float) -> float:
        """Maximise (mP + Q/m) / 2T over the combinations: never below the maximum of sqrt(PQ) / T."""
        nonlocal bound, found
        scale, ratio = np.exp(log_scale), 1.0
        while True:
            picked = np.argmax(scale * enrolments + squares / scale - 2 * ratio * amounts, axis=1)
            students = fixed.students + enrolments[rows, picked].sum()
            square = fixed.squares + squares[rows, picked].sum()
            amount = fixed.amount + amounts[rows, picked].sum()
            found = max(found, float(students * square / amount**2))
            improved = float((scale * students + square / scale) / (2 * amount))
            if improved <= ratio:
                bound = min(bound, ratio**2 * (1 + GAP))
                return ratio
            ratio = improved

    least_mean_square = (fixed.squares + squares.min(axis=1).sum()) / (
        fixed.students + enrolments.max(axis=1).sum()
    )
    most_mean_square = (fixed.squares + squares.max(axis=1).sum()) / (
        fixed.students + enrolments.min(axis=1).sum()
    )
    scales = (np.log(least_mean_square) / 2, np.log(most_mean_square) / 2)
    optimize.minimize_scalar(largest_ratio, bounds=scales, method="bounded", options={"xatol": 1e-10})
    exact = found >= bound * (1 - 4 * GAP)
    return Highest(found if exact else bound, found)


def lowest_in_box(
    amount_low: NDArray[np.float64],
    amount_high: NDArray[np.float64],
    enrolment_low: NDArray[np.float64],
    enrolment_high: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the amounts and enrolments within the box that have the smallest PQ / T^2.

    The search over the scale splits the range of possible scales until no part can hold a value
    of sqrt(PQ) / T smaller than the best one by more than a relative 1e-9. All bounds must be
    finite, enrolments positive, and some amount positive.
    """
    low = np.sum(np.divide(amount_low**2, enrolment_high)) / enrolment_high.sum()
    high = np.sum(np.divide(amount_high**2, enrolment_low)) / enrolment_low.sum()
    positive = amount_low > 0
    if not positive.any():
        raise ValueError("some amount must be positive throughout its interval")
    box = (amount_low, amount_high, enrolment_low, enrolment_high)
    parts = [(0.5 * np.log(low), 0.5 * np.log(high))]
    best, best_point = np.inf, (amount_low, enrolment_low)
    while parts:
        start, end = parts.pop()
        middle, half_width = (start + end) / 2, (end - start) / 2
        smallest, point = _smallest_ratio(np.exp(middle), *box)
        students, amount = point[1].sum(), point[0].sum()
        found = np.sqrt(students * np.sum(point[0] ** 2 / point[1])) / amount
        if found < best:
            best, best_point = found, point
        # (mP + Q/m) / 2T is sqrt(PQ)/T times cosh(log m - log sqrt(Q/P)), which is limited in this part.
        # Nothing is below 1, where all schools are equal.
        if max(1.0, smallest / np.cosh(half_width)) < best * (1 - SEARCH_GAP):
            parts += [(start, middle), (middle, end)]
    return best_point


def _smallest_ratio(
    scale: float,
    amount_low: NDArray[np.float64],
    amount_high: NDArray[np.float64],
    enrolment_low: NDArray[np.float64],
    enrolment_high: NDArray[np.float64],
) -> tuple[float, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Minimise (mP + Q/m) / 2T over the box for one scale m, with the totals that attain it."""
    # For any ratio >= 1 the school's part m p + x^2 / (m p) - 2 ratio x is least at this enrolment.
    enrolment = np.clip(amount_high / scale, enrolment_low, enrolment_high)
    ratio, point = np.inf, (amount_high, enrolment)
    slope = np.inf
    while True:
        amount = np.clip(slope * scale * enrolment, amount_low, amount_high)
        improved = float(
            (scale * enrolment.sum() + np.sum(amount**2 / enrolment) / scale) / (2 * amount.sum())
        )
        if improved >= ratio * (1 - GAP / 10):
            return min(ratio, improved), point if ratio <= improved else (amount, enrolment)
        ratio, slope, point = improved, improved, (amount, enrolment)
