"""All honest bounds of one target: intervals under each restriction, and where they begin to contain zero."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.inference.honest_relative import estimate_under_relative_magnitudes, find_breakdown_ratio
from toolkit.inference.honest_smoothness import estimate_under_smoothness, find_breakdown_curvature
from toolkit.inference.honest_study import Breakdown, EventStudy, HonestInterval


@dataclass(frozen=True, slots=True)
class HonestBounds:
    """Bounds of one target.

    Attributes
    ----------
    intervals : tuple of HonestInterval
        One per bound, relative magnitudes first; refused ones say why.
    breakdown_ratio, breakdown_curvature : Breakdown
        Smallest bound at which the interval contains zero.
    """

    intervals: tuple[HonestInterval, ...]
    breakdown_ratio: Breakdown
    breakdown_curvature: Breakdown


def compute_honest_bounds(
    study: EventStudy,
    weights: NDArray[np.float64],
    *,
    ratios: Sequence[float],
    curvatures: Sequence[float],
    confidence_level: float = 0.95,
) -> HonestBounds:
    """Compute intervals and breakdown values under relative magnitudes and under smoothness.

    Parameters
    ----------
    study : EventStudy
        Years before and after, with their covariance.
    weights : ndarray of float, (n_after,)
        Of the years after in the target.
    ratios : sequence of float
        Bounds on a change after, in units of the largest one before.
    curvatures : sequence of float
        Bounds on the change of the slope from year to year, in the unit of the outcome.
    confidence_level : float
        Of the intervals.
    """
    level = confidence_level
    intervals = [
        estimate_under_relative_magnitudes(study, weights, ratio=ratio, confidence_level=level)
        for ratio in ratios
    ]
    intervals += [
        estimate_under_smoothness(study, weights, curvature=curvature, confidence_level=level)
        for curvature in curvatures
    ]
    return HonestBounds(
        tuple(intervals),
        find_breakdown_ratio(study, weights, confidence_level=level),
        find_breakdown_curvature(study, weights, confidence_level=level),
    )
