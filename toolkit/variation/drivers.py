"""Which schools drive the coefficient of variation, and where one more unit would lower it most."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from toolkit.variation.dispersion import coefficient_of_variation, school_totals

# Below this standard deviation relative to the mean all schools are equal and only rounding differs.
EQUAL_SHARES = 1e-12


@dataclass(frozen=True, slots=True)
class CoefficientDrivers:
    """The part of each school in the coefficient of variation; arrays of shape (n_schools,).

    Attributes
    ----------
    coefficient, county_mean : float
        CV, and Xbar in units per student.
    turning_point : float
        Xbar (1 + CV^2) in units per student: more stock lowers the CV exactly in the schools below it.
    unit : float
        Size of the addition behind `unit_effect`, in the unit of the amount.
    per_student : ndarray
        X_i = x_i / P_i.
    student_share : ndarray
        w_i = P_i / P_N.
    variance_share : ndarray
        w_i (X_i - Xbar)^2 / S^2, adding up to 1; NaN when all schools are equal.
    marginal_effect : ndarray
        dCV / dx_i per unit of amount; the derivative upwards when all schools are equal.
    unit_effect : ndarray
        Change of the CV when this school alone gets `unit` more.
    leave_one_out : ndarray
        CV of the other schools; NaN when none of them has the resource.
    """

    coefficient: float
    county_mean: float
    turning_point: float
    unit: float
    per_student: NDArray[np.float64]
    student_share: NDArray[np.float64]
    variance_share: NDArray[np.float64]
    marginal_effect: NDArray[np.float64]
    unit_effect: NDArray[np.float64]
    leave_one_out: NDArray[np.float64]

    def tidy(self) -> pd.DataFrame:
        """Return one row per school, in the order of the input."""
        return pd.DataFrame(
            {
                "per_student": self.per_student,
                "student_share": self.student_share,
                "variance_share": self.variance_share,
                "marginal_effect": self.marginal_effect,
                "unit_effect": self.unit_effect,
                "leave_one_out": self.leave_one_out,
                "more_lowers_coefficient": self.per_student < self.turning_point,
            }
        )


def compute_coefficient_drivers(
    amount: ArrayLike, enrolment: ArrayLike, *, unit: float = 1.0
) -> CoefficientDrivers:
    """Compute each school's contribution to the coefficient and the effect of more stock there.

    The marginal effect is dCV / dx_i = [ (X_i - Xbar) / S - CV ] / (P_N Xbar). It is negative
    exactly when X_i < Xbar (1 + CV^2), so the order of "where does one more teacher help most"
    is the order of X_i.

    Parameters
    ----------
    amount, enrolment : array_like, (n_schools,)
        As for `coefficient_of_variation`.
    unit : float, default 1
        Addition whose exact effect is computed: one teacher or room, but perhaps 100 m2 or 10,000 yuan.

    Raises
    ------
    DesignError
        As for `coefficient_of_variation`.
    """
    if unit <= 0:
        raise ValueError(f"unit must be positive, not {unit}")
    amount, enrolment = school_totals(amount, enrolment)
    students, per_student = enrolment.sum(), amount / enrolment
    county_mean = amount.sum() / students
    deviation = per_student - county_mean
    squares = enrolment * deviation**2
    spread = np.sqrt(squares.sum() / students)
    coefficient = spread / county_mean

    if spread <= EQUAL_SHARES * county_mean:
        variance_share = np.full(len(amount), np.nan)
        slope = np.sqrt(students / enrolment - 1)
    else:
        variance_share = squares / squares.sum()
        slope = deviation / spread - coefficient

    return CoefficientDrivers(
        coefficient=float(coefficient),
        county_mean=float(county_mean),
        turning_point=float(county_mean * (1 + coefficient**2)),
        unit=unit,
        per_student=per_student,
        student_share=enrolment / students,
        variance_share=variance_share,
        marginal_effect=slope / (students * county_mean),
        unit_effect=addition_effects(amount, enrolment, np.full(len(amount), unit)),
        leave_one_out=leave_one_out_coefficients(amount, enrolment),
    )


def addition_effects(amount: ArrayLike, enrolment: ArrayLike, addition: ArrayLike) -> NDArray[np.float64]:
    """Return the exact change of the coefficient when each school alone gets its addition, (n_schools,).

    Parameters
    ----------
    amount, enrolment : array_like, (n_schools,)
        As for `coefficient_of_variation`.
    addition : array_like, (n_schools,)
        Addition to each school's stock, in the unit of the amount.

    Raises
    ------
    DesignError
        As for `coefficient_of_variation`.
    """
    amount, enrolment = school_totals(amount, enrolment)
    added = np.asarray(addition, dtype=float)
    students, county_mean = enrolment.sum(), amount.sum() / enrolment.sum()
    deviation = amount / enrolment - county_mean
    squares = np.sum(enrolment * deviation**2)
    squares_after = squares + 2 * deviation * added + added**2 * (1 / enrolment - 1 / students)
    spread_after = np.sqrt(np.maximum(squares_after, 0) / students)
    return spread_after / (county_mean + added / students) - np.sqrt(squares / students) / county_mean


def leave_one_out_coefficients(amount: ArrayLike, enrolment: ArrayLike) -> NDArray[np.float64]:
    """Return the coefficient of the other schools for each school left out, (n_schools,).

    NaN where the other schools have none of the resource, or there are none.
    """
    amount, enrolment = school_totals(amount, enrolment)
    deviation = amount / enrolment - amount.sum() / enrolment.sum()
    squares = enrolment * deviation**2
    students_left, amount_left = _without_each(enrolment), _without_each(amount)
    defined = amount_left > 0
    students_left = np.where(defined, students_left, np.nan)
    squares_left = squares.sum() - squares - (enrolment * deviation) ** 2 / students_left
    coefficients = np.sqrt(np.maximum(squares_left, 0) * students_left) / np.where(
        defined, amount_left, np.nan
    )
    # Where one school carries all the variance, the difference above is rounding: compute it afresh.
    for school in np.flatnonzero(squares_left < 1e-6 * squares.sum()):
        rest = np.arange(len(amount)) != school
        coefficients[school] = coefficient_of_variation(amount[rest], enrolment[rest])
    return coefficients


def coefficient_without(amount: ArrayLike, enrolment: ArrayLike, left_out: ArrayLike) -> float:
    """Return the coefficient of the schools that are not left out, e.g. without 教学点.

    Parameters
    ----------
    amount, enrolment : array_like, (n_schools,)
        As for `coefficient_of_variation`.
    left_out : array_like of bool, (n_schools,)
        Schools to leave out.

    Raises
    ------
    DesignError
        As for `coefficient_of_variation`, on the schools that remain.
    """
    kept = ~np.asarray(left_out, dtype=bool)
    return coefficient_of_variation(
        np.asarray(amount, dtype=float)[kept], np.asarray(enrolment, dtype=float)[kept]
    )


def _without_each(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of all other values, without the cancellation of total minus own."""
    before = np.concatenate([[0.0], np.cumsum(values)[:-1]])
    after = np.concatenate([np.cumsum(values[::-1])[::-1][1:], [0.0]])
    return before + after
