"""Inequality between pupils in the resources of their schools: Lorenz curve, Gini, Theil, variance."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from toolkit.variation.dispersion import refuse, school_totals

GROUP_COLUMNS = ["location", "n_schools", "amount", "students", "theil"]


@dataclass(frozen=True, slots=True)
class LorenzCurve:
    """Cumulative shares of students and of the resource, schools in ascending order per student.

    Attributes
    ----------
    student_share, amount_share : ndarray of float, (n_schools + 1,)
        Points of the curve from (0, 0) to (1, 1).
    order : ndarray of int, (n_schools,)
        Position in the input of the school behind each step.
    """

    student_share: NDArray[np.float64]
    amount_share: NDArray[np.float64]
    order: NDArray[np.intp]

    def tidy(self) -> pd.DataFrame:
        """Return one row per point of the curve."""
        return pd.DataFrame({"student_share": self.student_share, "amount_share": self.amount_share})


@dataclass(frozen=True, slots=True)
class TheilDecomposition:
    """Theil's T and its parts within and between locations.

    Attributes
    ----------
    total, within, between : float
        T = within + between, in nats.
    locations : pandas.DataFrame, (n_locations, 7)
        `location`, `n_schools`, `student_share`, `amount_share`, `per_student`, `theil` (inside the
        location, NaN where it has none of the resource), `within_part` (adding up to `within`).
    """

    total: float
    within: float
    between: float
    locations: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per location."""
        return self.locations.copy()


@dataclass(frozen=True, slots=True)
class VarianceDecomposition:
    """The variance behind the coefficient of variation, within and between locations.

    Attributes
    ----------
    total : float
        S^2, in the squared unit per student.
    within_share, between_share : float
        Shares of `total`, adding up to 1; NaN when it is 0.
    locations : pandas.DataFrame, (n_locations, 6)
        `location`, `n_schools`, `student_share`, `per_student`, `variance` (inside the location),
        `variance_share` (share of `total` that its schools contribute, both parts together).
    """

    total: float
    within_share: float
    between_share: float
    locations: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per location."""
        return self.locations.copy()


def compute_lorenz_curve(amount: ArrayLike, enrolment: ArrayLike) -> LorenzCurve:
    """Compute the Lorenz curve of a resource over students.

    Every student counts with the amount per student of the school: inequality inside schools is
    not in it.

    Raises
    ------
    DesignError
        As for `coefficient_of_variation`.

    References
    ----------
    Lorenz, M. O. (1905). Methods of measuring the concentration of wealth. Publications of the
    American Statistical Association 9(70), 209-219.
    """
    amount, enrolment = school_totals(amount, enrolment)
    order = np.argsort(amount / enrolment, kind="stable")
    students, stock = np.cumsum(enrolment[order]), np.cumsum(amount[order])
    return LorenzCurve(
        student_share=np.concatenate([[0.0], students / students[-1]]),
        amount_share=np.concatenate([[0.0], stock / stock[-1]]),
        order=order,
    )


def gini(amount: ArrayLike, enrolment: ArrayLike) -> float:
    """Return the Gini coefficient of a resource over students.

    G = sum_ij w_i w_j |X_i - X_j| / (2 Xbar), which is one minus twice the area under the Lorenz
    curve: G = 1 - sum_k (F_k - F_{k-1}) (L_k + L_{k-1}).

    Raises
    ------
    DesignError
        As for `coefficient_of_variation`.

    References
    ----------
    Lerman, R. I. and Yitzhaki, S. (1989). Improving the accuracy of estimates of Gini coefficients.
    Journal of Econometrics 42(1), 43-47 (weighted observations).
    """
    curve = compute_lorenz_curve(amount, enrolment)
    heights = curve.amount_share[1:] + curve.amount_share[:-1]
    return max(0.0, float(1 - np.sum(np.diff(curve.student_share) * heights)))


def theil(amount: ArrayLike, enrolment: ArrayLike) -> float:
    """Return Theil's T of a resource over students, in nats and not below zero.

    T = sum_i s_i ln(s_i / w_i) with s_i the school's share of the resource and w_i of the students.

    Raises
    ------
    DesignError
        As for `coefficient_of_variation`.
    """
    amount, enrolment = school_totals(amount, enrolment)
    shares, weights = amount / amount.sum(), enrolment / enrolment.sum()
    held = shares > 0
    return max(0.0, float(np.sum(shares[held] * np.log(shares[held] / weights[held]))))


def decompose_theil(amount: ArrayLike, enrolment: ArrayLike, location: ArrayLike) -> TheilDecomposition:
    """Decompose Theil's T over students into parts within and between locations.

    T = sum_i s_i ln(X_i / Xbar) with s_i the school's share of the resource (0 ln 0 = 0), and
    T = sum_g s_g T_g + sum_g s_g ln(Xbar_g / Xbar).

    Parameters
    ----------
    amount, enrolment : array_like, (n_schools,)
        As for `coefficient_of_variation`.
    location : array_like, (n_schools,)
        Urban, town or rural, or any other grouping of the schools.

    Raises
    ------
    DesignError
        As for `coefficient_of_variation`, or if a location is missing.

    References
    ----------
    Theil, H. (1967). Economics and Information Theory, chapter 4. North-Holland.
    Shorrocks, A. F. (1980). The class of additively decomposable inequality measures. Econometrica
    48(3), 613-625 (the member with parameter 1).
    """
    amount, enrolment = school_totals(amount, enrolment)
    names, member = _locations(location, len(amount))
    rows = []
    for position, name in enumerate(names):
        inside = member == position
        rows.append(
            (name, inside.sum(), amount[inside].sum(), enrolment[inside].sum(),
             theil(amount[inside], enrolment[inside]) if amount[inside].sum() > 0 else np.nan)
        )  # fmt: skip
    return combine_theil(pd.DataFrame(rows, columns=GROUP_COLUMNS))


def combine_theil(groups: pd.DataFrame) -> TheilDecomposition:
    """Put Theil's T of all students together from those of groups of schools: no school is needed again.

    Parameters
    ----------
    groups : pandas.DataFrame
        One row per group, as counties of a province: `location` (its name), `n_schools`, `amount`,
        `students`, `theil` (missing where the group has none of the resource).

    Raises
    ------
    DesignError
        As for `coefficient_of_variation`, of the groups.
    """
    amount, students = school_totals(groups["amount"], groups["students"])
    held, taught = amount / amount.sum(), students / students.sum()
    inside = np.where(held > 0, groups["theil"].to_numpy(dtype=float), 0.0)
    within, between = held * inside, theil(amount, students)
    table = pd.DataFrame(
        {
            "location": groups["location"].to_numpy(),
            "n_schools": groups["n_schools"].to_numpy(),
            "student_share": taught,
            "amount_share": held,
            "per_student": amount / students,
            "theil": groups["theil"].to_numpy(dtype=float),
            "within_part": within,
        }
    )
    return TheilDecomposition(
        total=float(within.sum()) + between, within=float(within.sum()), between=between, locations=table
    )


def decompose_variance(amount: ArrayLike, enrolment: ArrayLike, location: ArrayLike) -> VarianceDecomposition:
    """Decompose the student-weighted variance S^2 into parts within and between locations.

    S^2 = sum_g w_g S_g^2 + sum_g w_g (Xbar_g - Xbar)^2 with w_g the location's share of students.
    Parameters, errors: as for `decompose_theil`.
    """
    amount, enrolment = school_totals(amount, enrolment)
    names, member = _locations(location, len(amount))
    per_student, weights = amount / enrolment, enrolment / enrolment.sum()
    county_mean = amount.sum() / enrolment.sum()
    student_share = np.bincount(member, weights)
    means = np.bincount(member, amount) / np.bincount(member, enrolment)
    variances = np.bincount(member, weights * (per_student - means[member]) ** 2) / student_share
    between = student_share * (means - county_mean) ** 2
    within = student_share * variances
    total = float(between.sum() + within.sum())
    divisor = total if total > 0 else np.nan
    return VarianceDecomposition(
        total=total,
        within_share=float(within.sum() / divisor),
        between_share=float(between.sum() / divisor),
        locations=pd.DataFrame(
            {
                "location": names,
                "n_schools": np.bincount(member),
                "student_share": student_share,
                "per_student": means,
                "variance": variances,
                "variance_share": (between + within) / divisor,
            }
        ),
    )


def _locations(location: ArrayLike, n_schools: int) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Return the locations in order of appearance and the position of each school's one."""
    member, names = pd.factorize(pd.Series(np.asarray(location, dtype=object)))
    if len(member) != n_schools:
        raise ValueError(f"{len(member)} locations for {n_schools} schools")
    refuse("variation_location_missing", member < 0)
    return np.asarray(names, dtype=object), member
