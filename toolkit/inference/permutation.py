"""Randomization inference: which school groups are treated, and when, is permuted."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.inference.assignments import permuted_cohorts, schedules_of

Floats = NDArray[np.float64]

LinearEstimator = Callable[[Floats, Floats], tuple[Floats, Floats]]
"""From outcomes (n_outcomes, n_units, n_periods) and cohorts (n_assignments, n_units) to estimates
(n_outcomes, n_assignments) and the contribution of each cluster to their errors (n_outcomes, n_assignments,
n_clusters), both linear in the outcomes and with every cluster in the same place."""

TIE = 1e-9


@dataclass(frozen=True, slots=True)
class PermutationTest:
    """An estimate judged by what other assignments of the same treatment give.

    Attributes
    ----------
    estimate, std_error, statistic : float
        Under the assignment that took place; the statistic is estimate over standard error, clusters
        as the estimator has them, without a factor for few clusters.
    p_value : float
        Share of assignments with an absolute statistic as large or larger.
    conf_low, conf_high : float
        Hull of the constant effects that are not rejected; infinite where no effect is far enough off.
    confidence_level : float
        Nominal; the level reached is at least this if the assumption holds.
    n_assignments : float
        Distinct assignments.
    n_used : int
        Assignments evaluated, the one that took place included.
    is_exact : bool
        Whether all distinct assignments were evaluated.
    n_undefined : int
        Assignments without an estimate; they count as larger.
    """

    estimate: float
    std_error: float
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float
    confidence_level: float
    n_assignments: float
    n_used: int
    is_exact: bool
    n_undefined: int

    @property
    def smallest_p_value(self) -> float:
        """Smallest p-value that the assignments evaluated can give."""
        return 1 / self.n_used


@dataclass(frozen=True, slots=True)
class _Statistics:
    """Estimates and their variances under each assignment as polynomials of the effect taken away.

    With the effect tau taken away an estimate is value - tau slope, and its variance is
    square - 2 tau cross + tau² curve. The first row is the assignment that took place.
    """

    value: Floats
    slope: Floats
    square: Floats
    cross: Floats
    curve: Floats

    def squared(self, effect: Floats) -> Floats:
        """Return squared t-statistics, (n_assignments, n_effects); NaN without an estimate."""
        tau = np.asarray(effect, dtype=float)[None, :]
        numerator = (self.value[:, None] - tau * self.slope[:, None]) ** 2
        variance = self.square[:, None] - 2 * tau * self.cross[:, None] + tau**2 * self.curve[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = numerator / variance
        return np.where(variance > 0, ratio, np.where(numerator > 0, np.inf, np.nan))

    def p_values(self, effect: ArrayLike) -> Floats:
        """Return the share of assignments at least as extreme as the first, (n_effects,)."""
        squared = self.squared(np.atleast_1d(np.asarray(effect, dtype=float)))
        observed = squared[0]
        is_larger = ~(squared < observed * (1 - TIE) - TIE)
        return is_larger.mean(axis=0)


def permutation_test(
    outcomes: Floats,
    periods: Floats,
    cohorts: Floats,
    school_group: NDArray[np.intp],
    estimator: LinearEstimator,
    *,
    seed: int,
    stratum: NDArray[np.intp] | None = None,
    n_draws: int = 999,
    most_exact: int = 2000,
    confidence_level: float = 0.95,
) -> PermutationTest:
    """Test that nobody was affected, and invert the test for constant effects.

    Parameters
    ----------
    outcomes : ndarray of float, (n_units, n_periods)
        Missing where not observed.
    periods : ndarray of float, (n_periods,)
        Increasing.
    cohorts : ndarray of float, (n_units,)
        First treated period; infinite for units that are never treated.
    school_group : ndarray, (n_units,)
        Real school groups and pseudo-groups, as whole numbers from 0; negative for units in none, which
        keep their cohort (they must be never treated) and serve as comparison.
    estimator : LinearEstimator
        Given the same outcomes and the cohorts of another assignment.
    seed : int
        Seed of the assignments if there are too many to evaluate all.
    stratum : ndarray, (n_groups,), optional
        Groups exchange schedules only within a stratum, such as a real group and its pseudo-groups.
    n_draws : int
        Random assignments within strata; the one that took place is added to them, which makes the p-value
        (1 + number as extreme) / (1 + draws).
    most_exact : int
        Up to so many distinct assignments all are evaluated.
    confidence_level : float
        In (0, 1).

    Notes
    -----
    Assumption: within a stratum, school groups are exchangeable: had nobody been treated, every
    assignment of the schedules (whether and when a group adopts) to the groups would have left the joint
    distribution of their outcomes the same. It holds if schedules were drawn at random within strata, and
    otherwise only as far as the pseudo-groups are like the real ones in everything that moves the
    outcome. Studentising keeps the level approximately right when groups differ in variance and only
    the average effect is zero; with few treated groups nothing does but the assumption.

    The interval assumes one effect, the same for all treated units in all treated periods. It inverts
    the test exactly: both statistics are ratios of polynomials of the effect, and the share changes only
    at roots of their difference.

    References
    ----------
    Fisher, R. A. (1935). The Design of Experiments. Edinburgh: Oliver and Boyd.
    Phipson, B. and Smyth, G. K. (2010). Permutation p-values should never be zero. Statistical
    Applications in Genetics and Molecular Biology 9(1), article 39.
    MacKinnon, J. G. and Webb, M. D. (2020). Randomization inference for difference-in-differences with
    few treated clusters. Journal of Econometrics 218(2), 435-450.
    """
    if np.isfinite(cohorts[school_group < 0]).any():
        raise ValueError("a treated unit is in no school group: every treated unit needs one")
    schedules = schedules_of(cohorts, school_group, stratum)
    possible = schedules.n_assignments
    is_exact = possible <= most_exact
    assignments = permuted_cohorts(schedules, cohorts, n_draws=None if is_exact else n_draws, seed=seed)
    exposed = periods[None, :] >= cohorts[:, None]
    exposure = np.where(np.isfinite(outcomes), exposed.astype(float), np.nan)
    statistics = _statistics(estimator, np.stack([outcomes, exposure]), np.array(list(assignments)))
    if not np.isfinite(statistics.value[0]):
        raise ValueError("the estimator has no estimate under the assignment that took place")
    low, high = _invert(statistics, 1 - confidence_level)
    value, std_error = statistics.value[0], np.sqrt(statistics.square[0])
    return PermutationTest(
        estimate=float(value),
        std_error=float(std_error),
        statistic=float(value / std_error),
        p_value=float(statistics.p_values(0.0)[0]),
        conf_low=low,
        conf_high=high,
        confidence_level=confidence_level,
        n_assignments=possible,
        n_used=len(statistics.value),
        is_exact=is_exact,
        n_undefined=int(np.count_nonzero(~np.isfinite(statistics.value))),
    )


def _statistics(estimator: LinearEstimator, outcomes: Floats, assignments: Floats) -> _Statistics:
    """Return estimates, slopes in the effect, and the three moments of the contributions."""
    (value, slope), (own, of_effect) = estimator(outcomes, assignments)
    products = ((own, own), (own, of_effect), (of_effect, of_effect))
    square, cross, curve = ((one * other).sum(axis=1) for one, other in products)
    return _Statistics(value, slope, square, cross, curve)


def _invert(statistics: _Statistics, size: float) -> tuple[float, float]:
    """Return the hull of the effects with a p-value above the size."""
    breaks = np.unique(np.concatenate([_crossings(statistics), statistics.value[:1] / statistics.slope[:1]]))
    reach = 1 + np.abs(breaks).max()
    inside = np.concatenate([[breaks[0] - reach], (breaks[1:] + breaks[:-1]) / 2, [breaks[-1] + reach]])
    # One less 0.9 is below a tenth in floating point.
    accepted = np.flatnonzero(_p_values_in_blocks(statistics, inside) > size * (1 + TIE))
    if not len(accepted):
        centre = float(statistics.value[0] / statistics.slope[0])
        return centre, centre
    ends = np.concatenate([[-np.inf], breaks, [np.inf]])
    return float(ends[accepted[0]]), float(ends[accepted[-1] + 1])


def _p_values_in_blocks(statistics: _Statistics, effects: Floats) -> Floats:
    blocks = np.array_split(effects, -(-len(effects) // 500))
    return np.concatenate([statistics.p_values(block) for block in blocks])


def _crossings(statistics: _Statistics) -> Floats:
    """Return effects at which an assignment's squared statistic equals that of the first."""
    finite = np.isfinite(statistics.value)
    value, slope = statistics.value[finite], statistics.slope[finite]
    square, cross, curve = statistics.square[finite], statistics.cross[finite], statistics.curve[finite]
    numerators = np.column_stack([value**2, -2 * value * slope, slope**2])
    variances = np.column_stack([square, -2 * cross, curve])
    differences = np.zeros((len(value), 5))
    for power in range(3):
        differences[:, power : power + 3] += numerators[:, power, None] * variances[0]
        differences[:, power : power + 3] -= numerators[0, power] * variances
    return np.unique(_real_roots(differences[1:]))


def _real_roots(polynomials: Floats) -> Floats:
    """Return the real roots of all polynomials (n_polynomials, n_coefficients), lowest power first."""
    roots = []
    degrees = np.where(polynomials != 0, np.arange(polynomials.shape[1]), 0).max(axis=1, initial=0)
    for degree in np.unique(degrees[degrees > 0]):
        own = polynomials[degrees == degree, : degree + 1]
        companions = np.zeros((len(own), degree, degree))
        companions[:, 1:, :-1] = np.eye(degree - 1)
        companions[:, :, -1] = -own[:, :-1] / own[:, -1:]
        found = np.linalg.eigvals(companions)
        roots.append(found.real[np.abs(found.imag) <= 1e-7 * (1 + np.abs(found.real))])
    return np.concatenate(roots) if roots else np.empty(0)
