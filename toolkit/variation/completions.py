"""What the coefficient of variation can be while some cells are missing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from toolkit.errors import DesignError
from toolkit.results import Verdict
from toolkit.variation.dispersion import coefficient_of_variation, refuse
from toolkit.variation.extremes import Highest, Sums, highest_over_vertices
from toolkit.variation.three_valued import at_most


@dataclass(frozen=True, slots=True)
class CoefficientRange:
    """All values that the coefficient of variation can take.

    Attributes
    ----------
    low : float
        Infimum.
    high : float
        Supremum, or a proven upper bound of it; infinite when nothing limits it.
    high_found : float
        Largest value that some completion attains or comes arbitrarily near to. Equals `high`
        unless many schools vary, see `extremes.highest_over_vertices`.
    """

    low: float
    high: float
    high_found: float


def coefficient_range(
    amount_low: ArrayLike, amount_high: ArrayLike, enrolment: ArrayLike
) -> CoefficientRange:
    """Return infimum and supremum of the coefficient over all completions of the missing cells.

    Completions are real numbers, so the range is never too narrow for counts. Those in which no
    school has any of the resource have no coefficient and are left out.

    Parameters
    ----------
    amount_low, amount_high : array_like, (n_schools,)
        Bounds of each school's total; equal where it is known. The upper one may be infinite.
    enrolment : array_like, (n_schools,)
        Students of each school; NaN where missing, then any positive number is possible.

    Returns
    -------
    CoefficientRange
        The supremum is exact up to 14 schools with missing but bounded totals.

    Raises
    ------
    DesignError
        If a bound is missing, negative or above the other, a known enrolment is not positive, or
        no school can have the resource.

    Notes
    -----
    Given the enrolments, CV falls in x_i while X_i < Xbar (1 + CV^2), and is quasi-convex: at the
    infimum all missing totals sit at one common amount per student, cut off at their own bounds.
    Given the amounts, (P + sum p)(Q + sum x^2 / p) >= (sqrt(PQ) + sum x)^2 by the inequality of
    Cauchy and Schwarz, which settles the missing enrolments p. The supremum lies at bounds, or where
    one unbounded total drowns the others, sqrt((1 - w) / w) with its share w of the students; a
    missing enrolment has no bound, so beside other schools it makes the supremum infinite.
    """
    low, high, enrolment = _bounds(amount_low, amount_high, enrolment)
    if np.array_equal(low, high) and not np.isnan(enrolment).any():
        coefficient = coefficient_of_variation(low, enrolment)
        return CoefficientRange(coefficient, coefficient, coefficient)
    highest = _highest(low, high, enrolment)
    return CoefficientRange(
        low=_lowest(low, high, enrolment),
        high=float(np.sqrt(max(highest.bound - 1, 0))),
        high_found=float(np.sqrt(max(highest.found - 1, 0))),
    )


def coefficient_verdict(coefficients: CoefficientRange, limit: float) -> Verdict:
    """Judge a coefficient against its upper limit, the limit itself included.

    "pass" when every completion stays within the limit, "fail" when none does.
    """
    if at_most(coefficients.high, limit):
        return "pass"
    return "undecided" if at_most(coefficients.low, limit) else "fail"


def _bounds(
    amount_low: ArrayLike, amount_high: ArrayLike, enrolment: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the bounds and enrolments as arrays, refusing impossible ones."""
    low, high, enrolment = (np.asarray(part, dtype=float) for part in (amount_low, amount_high, enrolment))
    if low.ndim != 1 or not low.shape == high.shape == enrolment.shape:
        raise ValueError("amount_low, amount_high and enrolment must be equally long vectors")
    if not len(low):
        raise DesignError("variation_no_schools")
    refuse("variation_amount_missing", ~np.isfinite(low) | np.isnan(high))
    refuse("variation_amount_negative", low < 0)
    refuse("variation_bounds_crossed", low > high)
    refuse("variation_enrolment_not_positive", (enrolment <= 0) | np.isinf(enrolment))
    if high.sum() == 0:
        raise DesignError("variation_resource_absent", total=len(low))
    return low, high, enrolment


def _lowest(low: NDArray[np.float64], high: NDArray[np.float64], enrolment: NDArray[np.float64]) -> float:
    """Return the infimum of the coefficient."""
    open_enrolment = np.isnan(enrolment)
    # A school that can be given the size that suits it should be as large as possible.
    movable = float(high[open_enrolment].sum())
    low, high, students = low[~open_enrolment], high[~open_enrolment], enrolment[~open_enrolment]
    if movable > 0 and (np.isinf(movable) or low.sum() == 0):
        return 0.0

    low_per_student, high_per_student = low / students, high / students
    if low.sum() == 0:
        shared = float(high_per_student[high > 0].min())
        return coefficient_of_variation(
            students * np.clip(min(shared, 1.0), low_per_student, high_per_student), students
        )

    def surplus(per_student: float) -> float:
        """Fall with the common amount per student, to zero at the one that minimises the coefficient."""
        shares = np.clip(per_student, low_per_student, high_per_student)
        amounts = students * shares
        quadratic_mean = np.sqrt(np.sum(amounts * shares) / students.sum())
        return float(np.sum(amounts * (shares - per_student)) + movable * (quadratic_mean - per_student))

    finite = np.concatenate([low_per_student, high_per_student[np.isfinite(high_per_student)]])
    top = float(finite.max())
    shared = top
    if surplus(top) < 0:
        shared = optimize.root_scalar(
            surplus, bracket=(0.0, top), method="brentq", xtol=1e-300, rtol=1e-15
        ).root
    amounts = students * np.clip(shared, low_per_student, high_per_student)
    if movable > 0:
        quadratic_mean = np.sqrt(np.sum(amounts**2 / students) / students.sum())
        amounts = np.append(amounts, movable)
        students = np.append(students, movable / quadratic_mean)
    return coefficient_of_variation(amounts, students)


def _highest(low: NDArray[np.float64], high: NDArray[np.float64], enrolment: NDArray[np.float64]) -> Highest:
    """Return the supremum of 1 + CV^2."""
    if len(low) == 1:
        return Highest(1.0, 1.0)
    if np.isnan(enrolment).any():
        return Highest(np.inf, np.inf)
    drowning = enrolment.sum() / np.where(np.isinf(high), enrolment, np.inf).min()
    if low.sum() == 0:
        alone = enrolment.sum() / enrolment[high > 0].min()
        return Highest(alone, alone)
    varying = (low < high) & np.isfinite(high)
    known, students = low[~varying], enrolment[~varying]
    at_bounds = highest_over_vertices(
        np.column_stack([low[varying], high[varying]]),
        np.column_stack([enrolment[varying]] * 2),
        Sums(float(students.sum()), float(np.sum(known**2 / students)), float(known.sum())),
    )
    return Highest(max(at_bounds.bound, drowning), max(at_bounds.found, drowning))
