"""The official coefficient of variation between schools (校际差异系数)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.errors import DesignError


def coefficient_of_variation(amount: ArrayLike, enrolment: ArrayLike) -> float:
    """Return the enrolment-weighted coefficient of variation between schools (校际差异系数).

    With X_i = x_i / P_i, county mean Xbar = sum(x_i) / sum(P_i) and w_i = P_i / sum(P_i),

        CV = sqrt( sum( w_i (X_i - Xbar)^2 ) ) / Xbar.

    The mean is the ratio of totals, and the schools are a census: nothing is divided by n - 1
    and there is no sampling interval.

    Parameters
    ----------
    amount : array_like, (n_schools,)
        School totals of one resource, e.g. teachers or square metres; not per student. A zero
        is a school without the resource; missing totals go through `completions`.
    enrolment : array_like, (n_schools,)
        Students of each school, in the same order.

    Returns
    -------
    float
        Dimensionless; 0 when every student has the same share. Unrounded: limits are compared
        with this number, not with the printed one.

    Raises
    ------
    DesignError
        If a total is missing or negative (standardised scores have no zero: the coefficient is
        for ratio-scale quantities), a school has no students, or no school has the resource.

    References
    ----------
    教育部《县域义务教育均衡发展督导评估暂行办法》(教督〔2012〕3号), 附件: 差异系数计算方法.
    """
    amount, enrolment = school_totals(amount, enrolment)
    students = enrolment.sum()
    county_mean = amount.sum() / students
    variance = enrolment @ (amount / enrolment - county_mean) ** 2 / students
    return float(np.sqrt(variance) / county_mean)


def school_totals(amount: ArrayLike, enrolment: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return totals and enrolments as float arrays fit for a ratio-scale statistic.

    Raises
    ------
    DesignError
        As for `coefficient_of_variation`.
    """
    amount = np.asarray(amount, dtype=float)
    enrolment = np.asarray(enrolment, dtype=float)
    if amount.ndim != 1 or amount.shape != enrolment.shape:
        raise ValueError(
            f"amount {amount.shape} and enrolment {enrolment.shape} must be equally long vectors"
        )
    if not len(amount):
        raise DesignError("variation_no_schools")
    refuse("variation_amount_missing", ~np.isfinite(amount))
    refuse("variation_enrolment_missing", ~np.isfinite(enrolment))
    refuse("variation_amount_negative", amount < 0)
    refuse("variation_enrolment_not_positive", enrolment <= 0)
    if amount.sum() == 0:
        raise DesignError("variation_resource_absent", total=len(amount))
    return amount, enrolment


def refuse(sentence_name: str, wrong: NDArray[np.bool_]) -> None:
    """Raise the named DesignError if any school is wrong, with count, total and first position."""
    if wrong.any():
        raise DesignError(
            sentence_name, count=int(wrong.sum()), total=len(wrong), first=int(wrong.argmax()) + 1
        )
