"""Which interval is printed beside an effect, or none."""

from dataclasses import dataclass
from typing import Literal

ROUNDED = 9

EstimatorKind = Literal["influence", "regression", "placebo"]
Interval = Literal["multiplier", "analytic_t", "permutation", "wild", "none"]
Reason = Literal[
    "many_clusters",
    "enough_clusters",
    "few_treated_clusters",
    "few_clusters_in_regression",
    "placebo_only",
    "too_few_treated_clusters",
    "too_few_comparison_clusters",
    "too_few_assignments",
    "no_spread",
]


@dataclass(frozen=True, slots=True)
class IntervalRule:
    """Limits of the rule.

    Those for group-time effects of one county come from the study of coverage in
    `benchmarks/group_schooling.py`; those for regressions are conventions.

    Attributes
    ----------
    fewest_treated : int
        Below this no interval: one or two school groups are case studies; nothing tells the effect from
        their own shocks but the assumption that they are like the others.
    fewest_comparison : int
        Below this no interval: the variance among the untreated, which every method borrows, is not known.
    fewest_effective : float
        Effective number of treated clusters below which there is no interval: one group then carries the
        estimate, and less than one degree of freedom is left for the variance of the treated.
    treated_for_t, effective_for_t : int, float
        Of a regression: treated clusters, and effective clusters, from which the t interval is printed. The
        t interval of group-time effects pools the cohorts (`pooled_cohorts`) and needs no such number.
    treated_for_multiplier, effective_for_multiplier : int, float
        The same for the multiplier bootstrap, whose quantiles are near normal and take no account
        of few degrees of freedom.
    treated_for_wild, comparison_for_wild : int
        Clusters on either side from which the restricted wild bootstrap of a regression is printed: with
        few treated it hardly ever rejects.
    size : float
        One less confidence level. Permutation needs assignments enough for a p-value this small.
    """

    fewest_treated: int = 3
    fewest_effective: float = 2.0
    fewest_comparison: int = 6
    treated_for_t: int = 12
    effective_for_t: float = 10.0
    treated_for_multiplier: int = 30
    effective_for_multiplier: float = 40.0
    treated_for_wild: int = 6
    comparison_for_wild: int = 6
    size: float = 0.05


@dataclass(frozen=True, slots=True)
class ClusterCounts:
    """What the rule looks at: the design, never the estimate.

    Attributes
    ----------
    treated, comparison : int
        Clusters (school groups and schools alone) that are treated, and that serve as comparison.
    effective_treated, effective : float
        Effective numbers of treated and of all clusters, see `clusters.effective_clusters`.
    assignments : float
        Distinct assignments of a permutation over real groups and pseudo-groups; 0 if none can be formed.
    """

    treated: int
    comparison: int
    effective_treated: float
    effective: float
    assignments: float


@dataclass(frozen=True, slots=True)
class IntervalChoice:
    """The interval that is printed and why.

    Attributes
    ----------
    interval : {"multiplier", "analytic_t", "permutation", "wild", "none"}
        Method.
    reason : str
        Code of the reason, for the report.
    """

    interval: Interval
    reason: Reason


def choose_interval(
    counts: ClusterCounts, kind: EstimatorKind, rule: IntervalRule | None = None
) -> IntervalChoice:
    """Choose the interval for an effect from the number of clusters behind it.

    Group-time effects: multiplier bootstrap with many treated clusters, t at effective degrees of freedom
    down to three of them, none below. Permutation stands beside it and is not printed: it covers only if
    pseudo-groups have the shocks that real groups share, which nothing in the data shows.
    Regressions: multiplier bootstrap, t, wild bootstrap, permutation, none. Effective numbers stand in for
    counts: twelve treated groups of which one carries the estimate are few.

    Parameters
    ----------
    counts : ClusterCounts
        Clusters behind the effect.
    kind : {"influence", "regression", "placebo"}
        Estimators with an influence function (group-time effects), regressions on dummies, and
        estimators judged by placebo assignments alone (synthetic difference-in-differences).
    rule : IntervalRule, optional
        Limits.
    """
    limits = rule or IntervalRule()
    # One group treated is what synthetic controls are for: placebos alone decide there.
    if kind != "placebo" and counts.treated < limits.fewest_treated:
        return IntervalChoice("none", "too_few_treated_clusters")
    if counts.comparison < limits.fewest_comparison:
        return IntervalChoice("none", "too_few_comparison_clusters")
    can_permute = counts.assignments * limits.size >= 1
    if kind == "placebo":
        return _permutation(can_permute, "placebo_only")
    treated = min(float(counts.treated), counts.effective_treated)
    # Two groups of equal weight are worth two, whatever the last digit says.
    if kind == "influence" and round(treated, ROUNDED) < limits.fewest_effective:
        return IntervalChoice("none", "too_few_treated_clusters")
    if treated >= limits.treated_for_multiplier and counts.effective >= limits.effective_for_multiplier:
        return IntervalChoice("multiplier", "many_clusters")
    if kind == "influence":
        return IntervalChoice("analytic_t", "enough_clusters")
    if treated >= limits.treated_for_t and counts.effective >= limits.effective_for_t:
        return IntervalChoice("analytic_t", "enough_clusters")
    is_wild = treated >= limits.treated_for_wild and counts.comparison >= limits.comparison_for_wild
    if is_wild:
        return IntervalChoice("wild", "few_clusters_in_regression")
    return _permutation(can_permute, "few_treated_clusters")


def _permutation(can_permute: bool, reason: Reason) -> IntervalChoice:
    return (
        IntervalChoice("permutation", reason)
        if can_permute
        else IntervalChoice("none", "too_few_assignments")
    )
