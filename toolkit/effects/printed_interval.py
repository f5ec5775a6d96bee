"""The interval that is printed beside an average effect, chosen by the rule, and the others beside it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.event_study import AdoptionEventStudy
from toolkit.effects.sample_cells import treated_without_effect
from toolkit.inference.assignments import schedules_of
from toolkit.inference.clusters import ClusterInfluence, debiased_effective_clusters
from toolkit.inference.interval_rule import (
    ClusterCounts,
    Interval,
    IntervalChoice,
    IntervalRule,
    choose_interval,
)
from toolkit.inference.linear_estimators import overall_effect_estimator
from toolkit.inference.multiplier import draw_errors, simultaneous_critical_value
from toolkit.inference.permutation import PermutationTest, permutation_test
from toolkit.inference.pooled_cohorts import PooledAverage, estimate_pooled_average
from toolkit.inference.pseudo_groups import PseudoGroups, form_pseudo_groups
from toolkit.inference.romano_wolf import bootstrap_p_values

Floats = NDArray[np.float64]

PSEUDO_GROUPS_PER_GROUP = 1
METHOD_COLUMNS = ["interval", "conf_low", "conf_high", "p_value", "is_printed"]


@dataclass(frozen=True, slots=True)
class PrintedInterval:
    """What is printed beside the average effect.

    Attributes
    ----------
    choice : IntervalChoice
        Method and the reason for it; "none" where the clusters do not bear one.
    counts : ClusterCounts
        What the rule looked at.
    conf_low, conf_high, p_value : float
        Of the chosen method; missing without one.
    methods : pandas.DataFrame
        One row per method that could be computed: `interval`, `conf_low`, `conf_high`, `p_value`,
        `is_printed`.
    permutation : PermutationTest or None
        None where no assignment to real and pseudo-groups could be formed.
    pseudo_groups : PseudoGroups or None
        Groups formed of comparison schools.
    """

    choice: IntervalChoice
    counts: ClusterCounts
    conf_low: float
    conf_high: float
    p_value: float
    methods: pd.DataFrame
    permutation: PermutationTest | None
    pseudo_groups: PseudoGroups | None

    def tidy(self) -> pd.DataFrame:
        """Return one row per method."""
        return self.methods


def print_interval(event_study: AdoptionEventStudy, rule: IntervalRule | None = None) -> PrintedInterval:
    """Choose the interval of the average effect by the written rule, and compute what stands beside it.

    Parameters
    ----------
    event_study : AdoptionEventStudy
        The average effect and the contributions of the clusters to it.
    rule : IntervalRule, optional
        Limits of the rule.

    Notes
    -----
    Permutation exchanges the schedules of real groups and of pseudo-groups formed from comparison schools
    alike in outcome and enrolment before anyone joined. Over several counties it is not offered.
    """
    settings, average = event_study.settings, event_study.average
    pseudo = _pseudo_groups(event_study)
    own = event_study.influence.contributions[:, -1:]
    clusters = event_study.sample.clusters[event_study.effects.used]
    pooled = estimate_pooled_average(event_study.effects, clusters, last=settings.last)
    counts = _counts(event_study, pseudo, pooled)
    choice = choose_interval(counts, "influence", rule)
    if not average.std_error > 0:
        # Outcomes that moved alike everywhere, or no two groups that can be compared with each other.
        choice = choice if choice.interval == "none" else IntervalChoice("none", "no_spread")
        methods = pd.DataFrame(columns=METHOD_COLUMNS)
        return PrintedInterval(choice, counts, np.nan, np.nan, np.nan, methods, None, pseudo)
    level, seed = settings.confidence_level, settings.seed
    rows: list[tuple[Interval, float, float, float]] = []
    p_value = 2 * float(stats.t.sf(abs(average.effect) / average.std_error, average.degrees))
    rows.append(("analytic_t", average.conf_low, average.conf_high, p_value))
    draws = draw_errors(
        ClusterInfluence(event_study.influence.clusters, own), seed=seed, n_draws=settings.n_draws
    )
    half = simultaneous_critical_value(draws, confidence_level=level) * average.std_error
    boot = float(bootstrap_p_values([average.effect], [average.std_error], draws)[0])
    rows.append(("multiplier", average.effect - half, average.effect + half, boot))
    permutation = None
    if pseudo is not None and counts.assignments > 1:
        permutation = _permute(event_study, pseudo)
        rows.append(("permutation", permutation.conf_low, permutation.conf_high, permutation.p_value))
    methods = pd.DataFrame(rows, columns=METHOD_COLUMNS[:-1])
    methods["is_printed"] = methods["interval"] == choice.interval
    printed = methods[methods["is_printed"]]
    low, high, p = printed.iloc[0, 1:4] if len(printed) else (np.nan,) * 3
    return PrintedInterval(choice, counts, float(low), float(high), float(p), methods, permutation, pseudo)


def _counts(
    event_study: AdoptionEventStudy, pseudo: PseudoGroups | None, pooled: PooledAverage
) -> ClusterCounts:
    own = event_study.influence.contributions[:, -1]
    sample = event_study.sample
    # Groups of which no effect could be estimated stand behind nothing.
    without = treated_without_effect(sample, event_study.effects, event_study.settings.last)
    behind = np.isfinite(sample.cohorts) & ~without
    assignments = 0.0
    if pseudo is not None:
        assignments = schedules_of(event_study.sample.cohorts, pseudo.school_group).n_assignments
    return ClusterCounts(
        treated=len(np.unique(sample.clusters[behind])),
        comparison=int((~event_study.is_treated).sum()),
        effective_treated=pooled.effective_treated,
        effective=debiased_effective_clusters(own) if np.any(own) else np.nan,
        assignments=assignments,
    )


def _pseudo_groups(event_study: AdoptionEventStudy) -> PseudoGroups | None:
    """Form pseudo-groups like the real ones; None over several counties or without a baseline."""
    sample, settings = event_study.sample, event_study.settings
    if len(sample.units["county_id"].unique()) > 1 or sample.rules.assignment == "county":
        return None
    joined = np.isfinite(sample.cohorts)
    group = np.full(len(joined), -1, dtype=np.intp)
    group[joined] = pd.factorize(sample.units.loc[joined, "school_group"], sort=True)[0]
    baseline = _baseline(sample, settings.anticipation)
    candidates = ~joined & np.isfinite(baseline).all(axis=1)
    alike = np.zeros(len(joined), dtype=np.int64)
    return form_pseudo_groups(
        group, candidates, alike, baseline, seed=settings.seed, n_per_group=PSEUDO_GROUPS_PER_GROUP
    )


def _baseline(sample: AdoptionSample, anticipation: int) -> Floats:
    """Return the size of each school and its mean outcome before anyone joined, (n_units, n_measures).

    The outcome is left out where it is not known of every school that joined.
    """
    joined = np.isfinite(sample.cohorts)
    before = sample.outcomes[:, sample.periods < sample.cohorts.min() - anticipation]
    seen = np.isfinite(before)
    means = np.where(seen, before, 0.0).sum(axis=1) / np.where(seen.any(axis=1), seen.sum(axis=1), np.nan)
    measures = (
        [np.log(sample.weights), means] if np.isfinite(means[joined]).all() else [np.log(sample.weights)]
    )
    return np.column_stack(measures)


def _permute(event_study: AdoptionEventStudy, pseudo: PseudoGroups) -> PermutationTest:
    sample, settings = event_study.sample, event_study.settings
    alone = pseudo.school_group < 0
    clusters = np.where(alone, len(pseudo.matched_to) + np.arange(len(alone)), pseudo.school_group)
    estimator = overall_effect_estimator(
        sample.panel,
        clusters,
        comparison=settings.comparison,
        anticipation=settings.anticipation,
        last=settings.last,
    )
    return permutation_test(
        sample.outcomes,
        sample.periods,
        sample.cohorts,
        pseudo.school_group,
        estimator,
        seed=settings.seed,
        n_draws=settings.n_draws,
        confidence_level=settings.confidence_level,
    )
