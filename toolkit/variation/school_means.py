"""Readings of 校际差异率 from the means of schools: share of squares, spread in points, coefficient."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.errors import DesignError
from toolkit.indicators.outcomes import Scale

POINT_SCALES: tuple[Scale, ...] = ("mark_scale", "scale_without_full_mark")
RATIO_SCALES: tuple[Scale, ...] = ("mark_scale",)


def between_school_share_of_squares(mass: ArrayLike, mean: ArrayLike, within_ss: ArrayLike) -> float:
    """Return η², the share of the sum of squares that lies between schools.

    Describes the pupils at hand. Chance differences between the pupils of schools count as differences
    between schools, so as an estimate of the variance share it is biased up, by about
    (1 - share) (n_schools - 1) / n_pupils.

    Parameters
    ----------
    mass : array_like, (n_schools,)
        Pupils of each school, or the sum of their weights.
    mean : array_like, (n_schools,)
        Mean score.
    within_ss : array_like, (n_schools,)
        Sum of (weighted) squared deviations from the school's mean.

    Raises
    ------
    DesignError
        With fewer than two schools, or scores that are all equal.
    """
    weights, means = _schools(mass, mean)
    within = float(np.sum(np.asarray(within_ss, dtype=float)))
    between = float(np.sum(weights * (means - np.average(means, weights=weights)) ** 2))
    if between + within <= 0:
        raise DesignError("achievement_no_spread")
    return between / (between + within)


def sd_of_school_means(mass: ArrayLike, mean: ArrayLike, *, scale: Scale) -> float:
    """Return the student-weighted standard deviation of school means, in points.

    sqrt(Σ w_i (m_i - M)²) with w_i the school's share of pupils and M the mean of all pupils: what one
    district's own script prints as 校际差异率 on a scale of 100.

    Parameters
    ----------
    mass, mean : array_like, (n_schools,)
        Pupils, or sum of weights, and mean points of each school.
    scale : Scale
        What the scores are.

    Raises
    ------
    DesignError
        If the scale has no points, or there are fewer than two schools.
    """
    if scale not in POINT_SCALES:
        raise DesignError(f"achievement_points_{scale}")
    weights, means = _schools(mass, mean)
    return float(np.sqrt(np.average((means - np.average(means, weights=weights)) ** 2, weights=weights)))


def cv_of_school_means(mass: ArrayLike, mean: ArrayLike, *, scale: Scale) -> float:
    """Return the student-weighted coefficient of variation of school means.

    Only marks out of a known full mark have the true zero that a ratio to the mean needs: on a
    standardised or linked scale the value can be made anything by moving the zero.

    Parameters
    ----------
    mass, mean : array_like, (n_schools,)
        Pupils, or sum of weights, and mean points of each school.
    scale : Scale
        What the scores are.

    Raises
    ------
    DesignError
        If the scale has no true zero, all marks are zero, or there are fewer than two schools.
    """
    if scale not in RATIO_SCALES:
        raise DesignError(f"achievement_cv_{scale}")
    weights, means = _schools(mass, mean)
    overall = float(np.average(means, weights=weights))
    if overall <= 0:
        raise DesignError("achievement_no_spread")
    return sd_of_school_means(weights, means, scale=scale) / overall


def _schools(mass: ArrayLike, mean: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return weights and means as arrays, refusing fewer than two schools."""
    weights, means = np.asarray(mass, dtype=float), np.asarray(mean, dtype=float)
    if len(weights) < 2:
        raise DesignError("achievement_one_school", schools=len(weights))
    return weights, means
