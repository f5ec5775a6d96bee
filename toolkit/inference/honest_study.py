"""An event study as honest bounds take it, their result, and when they are refused."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

Floats = NDArray[np.float64]
Restriction = Literal["relative_magnitudes", "smoothness"]
Refusal = Literal["", "few_clusters", "no_period_before", "singular_covariance"]

CLUSTERS_PER_COEFFICIENT = 2.0
SMALLEST_EIGENVALUE = 1e-12
SCANNED_BOUNDS = 9
SMALLEST_SOUGHT, LARGEST_SOUGHT = 1e-12, 1e12


@dataclass(frozen=True, slots=True)
class EventStudy:
    """Coefficients of an event study, all compared with one base period.

    The coefficients are taken as normal around effect plus difference in trends, with known covariance.
    Periods are consecutive and equally long; the base period, whose coefficient is zero, stands between
    `before` and `after` and is in neither. A period after the base period in which units may already
    anticipate belongs to `after`, with weight zero in the target.

    Attributes
    ----------
    before : ndarray of float, (n_before,)
        Coefficients of the periods before the base period, earliest first.
    after : ndarray of float, (n_after,)
        Coefficients of the periods after the base period, earliest first.
    covariance : ndarray of float, (n_before + n_after, n_before + n_after)
        Covariance of `before` followed by `after`.
    effective_clusters : float
        Effective number of clusters behind the covariance.
    """

    before: Floats
    after: Floats
    covariance: Floats
    effective_clusters: float

    def __post_init__(self) -> None:
        size = len(self.before) + len(self.after)
        if not len(self.after):
            raise ValueError("an event study needs a period after its base period")
        if self.covariance.shape != (size, size):
            raise ValueError(f"{size} coefficients, but a covariance of shape {self.covariance.shape}")
        if not (np.isfinite(self.coefficients).all() and np.isfinite(self.covariance).all()):
            raise ValueError("coefficients and covariance must be finite")
        if not np.allclose(self.covariance, self.covariance.T, rtol=1e-8, atol=0):
            raise ValueError("covariance must be symmetric")

    @property
    def coefficients(self) -> Floats:
        """Coefficients before and after the base period."""
        return np.concatenate([self.before, self.after])

    @property
    def n_before(self) -> int:
        """Number of coefficients before the base period."""
        return len(self.before)

    @property
    def n_after(self) -> int:
        """Number of coefficients after the base period."""
        return len(self.after)


@dataclass(frozen=True, slots=True)
class HonestInterval:
    """Confidence interval for a weighted effect that allows for a difference in trends.

    Attributes
    ----------
    restriction : {"relative_magnitudes", "smoothness"}
        How the difference in trends is bounded.
    bound : float
        Largest change of the difference after the base period over the largest before
        ("relative_magnitudes"), or largest change of its slope from period to period, in units of the
        outcome ("smoothness").
    confidence_level : float
        Coverage at every difference in trends within the bound.
    estimate : float
        Weighted coefficient ("relative_magnitudes") or the linear estimate in the middle of the
        interval, which takes out the trend before ("smoothness").
    conf_low, conf_high : float
        Limits; missing if refused.
    refusal : str
        Why there is no interval; empty if there is one.
    """

    restriction: Restriction
    bound: float
    confidence_level: float
    estimate: float
    conf_low: float
    conf_high: float
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Smallest bound on the difference in trends at which the interval contains zero.

    Attributes
    ----------
    restriction : {"relative_magnitudes", "smoothness"}
        How the difference in trends is bounded.
    confidence_level : float
        Coverage of the intervals.
    value : float
        The bound; 0 if the interval contains zero without any difference, infinite if none makes it,
        missing if refused.
    refusal : str
        Why there is no value; empty if there is one.
    """

    restriction: Restriction
    confidence_level: float
    value: float
    refusal: Refusal


def refuse_bounds(
    study: EventStudy, *, clusters_per_coefficient: float = CLUSTERS_PER_COEFFICIENT
) -> Refusal:
    """Say why no honest bound is given; empty if it can be.

    The bounds take the covariance as known. With hardly more clusters than coefficients it is not:
    its inverse is far from the truth and intervals are too short.

    Parameters
    ----------
    study : EventStudy
        Coefficients and covariance.
    clusters_per_coefficient : float
        Effective clusters required for each coefficient, before and after.
    """
    if not study.n_before:
        return "no_period_before"
    if study.effective_clusters < clusters_per_coefficient * len(study.covariance):
        return "few_clusters"
    return "singular_covariance" if is_singular(study.covariance) else ""


def is_singular(covariance: Floats) -> bool:
    """Say whether some combination of coefficients has no variance beyond rounding."""
    scale = np.sqrt(np.diag(covariance))
    if not (scale > 0).all():
        return True
    return bool(np.linalg.eigvalsh(covariance / np.outer(scale, scale))[0] < SMALLEST_EIGENVALUE)


def target_weights(study: EventStudy, weights: ArrayLike) -> Floats:
    """Return the weights of the target over the periods after, checked."""
    target = np.asarray(weights, dtype=np.float64)
    if target.shape != (study.n_after,):
        raise ValueError(f"{study.n_after} periods after the base period, but weights of {target.shape}")
    if not np.isfinite(target).all() or not target.any():
        raise ValueError("weights must be finite and not all zero")
    return target


def check_confidence_level(confidence_level: float) -> None:
    """Raise if a confidence level is not a probability above one half."""
    if not 0.5 < confidence_level < 1:
        raise ValueError(f"confidence_level must be between 0.5 and 1, not {confidence_level}")


def first_contact(distance: Callable[[float], float]) -> float:
    """Return the smallest bound at which the distance from an interval to zero is gone.

    The distance is looked at on a few equally spaced bounds first, because it need not fall throughout.
    """
    if distance(0.0) <= 0:
        return 0.0
    largest = 1.0
    while distance(largest) <= 0 and largest > SMALLEST_SOUGHT:
        largest /= 2
    while distance(largest) > 0:
        largest *= 2
        if largest > LARGEST_SOUGHT:
            return np.inf
    bounds = np.linspace(0.0, largest, SCANNED_BOUNDS)
    for below, above in pairwise(bounds.tolist()):
        if distance(above) <= 0:
            return zero_between(distance, below, above, 1e-10 * largest)
    return largest


def zero_between(function: Callable[[float], float], low: float, high: float, tolerance: float) -> float:
    """Return where a function that changes sign between two values is zero."""
    return float(brentq(function, low, high, xtol=tolerance))  # pyright: ignore[reportArgumentType]
