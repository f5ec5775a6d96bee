"""Bounds that let trends differ after treatment as much as they did before, times a ratio."""

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.inference.honest_moments import (
    ViolationFunctions,
    least_favourable_value,
    reject_conditionally,
)
from toolkit.inference.honest_study import (
    CLUSTERS_PER_COEFFICIENT,
    Breakdown,
    EventStudy,
    HonestInterval,
    check_confidence_level,
    first_contact,
    refuse_bounds,
    target_weights,
)

Floats = NDArray[np.float64]
Test = Literal["hybrid", "conditional"]

# Part of the error probability spent in the first step of the hybrid test, as Rambachan and Roth (2023).
FIRST_STEP_SHARE = 0.1
GRID = 401
ZOOM = 33
ZOOMS = 6


def estimate_under_relative_magnitudes(
    study: EventStudy,
    weights: ArrayLike,
    *,
    ratio: float = 1.0,
    confidence_level: float = 0.95,
    test: Test = "hybrid",
    clusters_per_coefficient: float = CLUSTERS_PER_COEFFICIENT,
) -> HonestInterval:
    """Estimate an interval for a weighted effect under bounds on relative magnitudes.

    From one period to the next after the base period, the difference in trends changes by at most
    `ratio` times its largest change before. The sampling error of the changes before is taken into
    account: the interval inverts a test with correct size whatever the change before, not a plug-in of
    its estimate.

    Parameters
    ----------
    study : EventStudy
        Coefficients and covariance.
    weights : array_like, (n_after,)
        Weights of the target over the periods after the base period.
    ratio : float
        Bound on the relative magnitude, 0 for parallel trends after the base period.
    confidence_level : float
        Coverage.
    test : {"hybrid", "conditional"}
        Conditional test behind a least-favourable first step (C-LF), or alone.
    clusters_per_coefficient : float
        Effective clusters required for each coefficient.

    Returns
    -------
    HonestInterval
        The smallest interval around the accepted values, which may leave gaps between them.

    Notes
    -----
    The restriction is a union of polyhedra, one per change before and its sign; the accepted values are
    the union of those of each. Only inequalities that involve a period after the base period are used.
    The covariance is taken as known and the coefficients as normal: nothing is corrected for the number
    of clusters beyond the refusal.

    References
    ----------
    Rambachan and Roth (2023), Review of Economic Studies 90(5), section 2.4.1 and 3; Andrews, Roth and
    Pakes (2023), Review of Economic Studies 90(6).
    """
    if ratio < 0 or not np.isfinite(ratio):
        raise ValueError(f"ratio must be finite and not negative, not {ratio}")
    if test not in get_args(Test):
        raise ValueError(f"test must be one of {get_args(Test)}, not {test!r}")
    check_confidence_level(confidence_level)
    target = target_weights(study, weights)
    refusal = refuse_bounds(study, clusters_per_coefficient=clusters_per_coefficient)
    low, high = np.nan, np.nan
    if not refusal:
        found = [
            accepted
            for change in _changes_before(study.n_before)
            if (accepted := _accepted(violations(study, target, change, ratio), test, 1 - confidence_level))
        ]
        low, high = min(limits[0] for limits in found), max(limits[1] for limits in found)
    return HonestInterval(
        restriction="relative_magnitudes",
        bound=ratio,
        confidence_level=confidence_level,
        estimate=float(target @ study.after),
        conf_low=low,
        conf_high=high,
        refusal=refusal,
    )


def find_breakdown_ratio(
    study: EventStudy,
    weights: ArrayLike,
    *,
    confidence_level: float = 0.95,
    clusters_per_coefficient: float = CLUSTERS_PER_COEFFICIENT,
) -> Breakdown:
    """Find the smallest ratio of relative magnitudes at which the interval contains zero.

    Parameters are those of `estimate_under_relative_magnitudes`, whose hybrid intervals are used.
    """
    target = target_weights(study, weights)
    refusal = refuse_bounds(study, clusters_per_coefficient=clusters_per_coefficient)
    value = np.nan
    if not refusal:
        estimate = float(target @ study.after)

        def distance(ratio: float) -> float:
            """Return how far zero is outside the interval."""
            interval = estimate_under_relative_magnitudes(
                study,
                target,
                ratio=ratio,
                confidence_level=confidence_level,
                clusters_per_coefficient=clusters_per_coefficient,
            )
            return interval.conf_low if estimate > 0 else -interval.conf_high

        value = first_contact(distance)
    return Breakdown("relative_magnitudes", confidence_level, value, refusal)


def violations(study: EventStudy, target: Floats, change: Floats, ratio: float) -> ViolationFunctions:
    """Return the functions whose largest is the least violation of one polyhedron.

    The inequalities are, for each period after the base period, that the change of the difference in
    trends, upwards and downwards, is at most `ratio` times one signed change before. Nuisance parameters
    are the effects, which cancel in a combination of the inequalities only if it weights the changes
    like the target, or weights up and down alike. The vertices of the dual are therefore the target
    upwards, the target downwards, and one pair for each period. If the target takes one change only, the
    pair of its period is between the first two and never largest, which does no harm.

    Parameters
    ----------
    study : EventStudy
        Coefficients and covariance.
    target : ndarray of float, (n_after,)
        Weights of the target.
    change : ndarray of float, (n_before,)
        Weights of the signed change on the coefficients before.
    ratio : float
        Bound on the relative magnitude.
    """
    later = _later_weights(target)
    steps = np.eye(study.n_after) - np.eye(study.n_after, k=-1)
    before = np.tile(-ratio * change, (study.n_after, 1))
    up, down = (_standard_deviations(np.hstack([before, sign * steps]), study) for sign in (1, -1))
    upwards = np.abs(later) @ np.where(later > 0, up, down)
    downwards = np.abs(later) @ np.where(later > 0, down, up)
    reach = ratio * np.abs(later).sum()
    pairs = np.column_stack([np.zeros(study.n_after), -2 * ratio / (up + down)])
    functions = np.vstack([[1 / upwards, -reach / upwards], [-1 / downwards, -reach / downwards], pairs])
    rows = np.zeros((2, len(study.covariance)))
    rows[0, study.n_before :] = target
    rows[1, : study.n_before] = change
    return ViolationFunctions(functions, rows @ study.coefficients, rows @ study.covariance @ rows.T)


def _changes_before(n_before: int) -> Iterator[Floats]:
    """Return the weights of each change before the base period and of its opposite."""
    steps = np.eye(n_before, k=1) - np.eye(n_before)
    for row in steps:
        yield row
        yield -row


def _later_weights(target: Floats) -> Floats:
    """Return the weight with which the target takes each change after the base period."""
    return np.cumsum(target[::-1])[::-1]


def _standard_deviations(rows: Floats, study: EventStudy) -> Floats:
    """Return the standard deviations of combinations of the coefficients."""
    return np.sqrt(np.einsum("ij,jk,ik->i", rows, study.covariance, rows))


def _accepted(violation: ViolationFunctions, test: Test, size: float) -> tuple[float, float] | None:
    """Return the smallest and largest value of the target that one polyhedron does not reject."""
    if test == "conditional":
        return _accepted_between(violation, _wide_range(violation, size), size, np.inf)
    first = FIRST_STEP_SHARE * size
    ceiling = least_favourable_value(violation, first)
    limits = violation.range_below(ceiling)
    if limits is None:
        return None
    return _accepted_between(violation, limits, (size - first) / (1 - first), ceiling)


def _wide_range(violation: ViolationFunctions, size: float) -> tuple[float, float]:
    """Return a range of the target at whose ends the conditional test rejects."""
    centre = violation.estimates[0]
    reach = 20 * np.sqrt(violation.covariance[0, 0]) + np.abs(
        violation.functions[:2, 1] / violation.functions[:2, 0] * violation.estimates[1]
    ).max(initial=0.0)
    ends = centre + reach * np.array([-1.0, 1.0])
    while not reject_conditionally(violation, ends, size).all():
        ends = centre + 2 * (ends - centre)
    return float(ends[0]), float(ends[1])


def _least_violated(violation: ViolationFunctions) -> float:
    """Return the value of the target at which its first two functions meet, the smallest statistic."""
    (rise, reach), (fall, other_reach) = violation.functions[:2]
    target, change = violation.estimates
    return float(target + (reach - other_reach) * change / (rise - fall))


def _accepted_between(
    violation: ViolationFunctions, limits: tuple[float, float], size: float, ceiling: float
) -> tuple[float, float] | None:
    """Return the first and last accepted value between limits, to their width times 1e-11."""
    grid = np.sort(np.append(np.linspace(*limits, GRID), np.clip(_least_violated(violation), *limits)))
    accepted = np.flatnonzero(~reject_conditionally(violation, grid, size, ceiling))
    if not len(accepted):
        return None
    first, last = accepted[[0, -1]]
    ends = (grid[max(first - 1, 0)], grid[first]), (grid[min(last + 1, GRID)], grid[last])
    for _ in range(ZOOMS):
        fine = np.array([np.linspace(*end, ZOOM) for end in ends])
        kept = ~reject_conditionally(violation, fine.ravel(), size, ceiling).reshape(fine.shape)
        at = np.argmax(kept, axis=1)
        ends = tuple((row[max(i - 1, 0)], row[i]) for row, i in zip(fine, at, strict=True))
    return float(ends[0][1]), float(ends[1][1])
