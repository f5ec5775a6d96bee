"""One intraclass correlation from several plausible values of each pupil's score."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats


@dataclass(frozen=True, slots=True)
class CombinedICC:
    """Intraclass correlation combined over plausible values.

    Attributes
    ----------
    estimate, low, high : float
        Combined correlation and its interval, on the scale of the correlation.
    std_error : float
        Standard error on the scale of the correlation.
    confidence_level : float
        Nominal coverage.
    degrees_of_freedom : float
        Of the t quantile behind the interval.
    missing_information : float
        Share of the variance that comes from the differences between plausible values.
    n_values : int
        Number of plausible values.
    """

    estimate: float
    std_error: float
    low: float
    high: float
    confidence_level: float
    degrees_of_freedom: float
    missing_information: float
    n_values: int


def fisher_z(icc: ArrayLike, group_size: float) -> NDArray[np.float64]:
    """Return Fisher's z of a correlation among groups of n: log((1 + (n - 1) r) / (1 - r)) / 2."""
    r = np.asarray(icc, dtype=float)
    return 0.5 * np.log((1 + (group_size - 1) * r) / (1 - r))


def combine_icc(
    icc: ArrayLike,
    *,
    n_groups: int,
    group_size: float,
    std_error: ArrayLike | None = None,
    confidence_level: float = 0.95,
) -> CombinedICC:
    """Combine the correlations of the plausible values by Rubin's rules on Fisher's z scale.

    On that scale the variance hardly depends on the correlation and an estimate of zero stays finite,
    which on the logit scale it does not.

    Parameters
    ----------
    icc : array_like, (n_values,)
        REML estimate from each plausible value; never the estimate from the mean of the values.
    n_groups : int
        Number of schools.
    group_size : float
        Pupils per school; `effective_group_size` when sizes differ.
    std_error : array_like, (n_values,), optional
        Standard error of each estimate, for instance from the jackknife of a weighted sample. Without it,
        the large-sample variance n / (2 (n - 1) (k - 1)) of z is taken.
    confidence_level : float, default 0.95
        Nominal coverage.

    Notes
    -----
    The degrees of freedom are those of Barnard and Rubin with k - 1 for complete data. Bounds below zero
    are returned as zero. One value alone is allowed: the differences between values are then unknown and
    left out.

    References
    ----------
    Rubin, D. B. (1987). Multiple Imputation for Nonresponse in Surveys, section 3.1. Wiley.
    Barnard, J. and Rubin, D. B. (1999). Small-sample degrees of freedom with multiple imputation.
    Biometrika 86(4), 948-955.
    Fisher, R. A. (1925). Statistical Methods for Research Workers, chapter 7.
    """
    values = np.atleast_1d(np.asarray(icc, dtype=float))
    if not len(values) or not ((values >= 0) & (values < 1)).all():
        raise ValueError("icc must hold one correlation in [0, 1) per plausible value")
    if n_groups < 2 or group_size <= 1:
        raise ValueError("combining needs two groups or more, of more than one pupil")
    z = fisher_z(values, group_size)
    within = _variance_of_z(values, n_groups, group_size, std_error)
    between = float(np.var(z, ddof=1)) if len(z) > 1 else 0.0
    extra = (1 + 1 / len(z)) * between
    total = within + extra
    degrees = _degrees_of_freedom(len(z), extra / total if total > 0 else 0.0, n_groups - 1)
    centre = float(z.mean())
    margin = float(stats.t.ppf((1 + confidence_level) / 2, degrees)) * np.sqrt(total)
    estimate, low, high = (_from_z(value, group_size) for value in (centre, centre - margin, centre + margin))
    return CombinedICC(
        estimate=estimate,
        std_error=float(np.sqrt(total) / _slope(estimate, group_size)),
        low=max(low, 0.0),
        high=max(high, 0.0),
        confidence_level=confidence_level,
        degrees_of_freedom=degrees,
        missing_information=extra / total if total > 0 else 0.0,
        n_values=len(z),
    )


def _variance_of_z(
    icc: NDArray[np.float64], n_groups: int, group_size: float, std_error: ArrayLike | None
) -> float:
    """Return the mean sampling variance of z over the plausible values."""
    if std_error is None:
        return group_size / (2 * (group_size - 1) * (n_groups - 1))
    errors = np.broadcast_to(np.asarray(std_error, dtype=float), icc.shape)
    return float(np.mean((errors * _slope(icc, group_size)) ** 2))


def _slope(icc: ArrayLike, group_size: float) -> NDArray[np.float64]:
    """Return the derivative of z with respect to the correlation."""
    r = np.asarray(icc, dtype=float)
    return group_size / (2 * (1 + (group_size - 1) * r) * (1 - r))


def _from_z(z: float, group_size: float) -> float:
    """Return the correlation whose z is given."""
    growth = np.exp(2 * z)
    return float((growth - 1) / (growth + group_size - 1))


def _degrees_of_freedom(n_values: int, share: float, complete: int) -> float:
    """Return Barnard and Rubin's degrees of freedom."""
    observed = (complete + 1) / (complete + 3) * complete * (1 - share)
    if n_values == 1 or share == 0:
        return float(observed)
    old = (n_values - 1) / share**2
    return float(old * observed / (old + observed))
