"""Matching on the propensity: the slow search gives the same, and what cannot be matched is said."""

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from tests.models.robustness_panel import make_panel
from toolkit.models.group_time import NEVER
from toolkit.models.matched_differences import estimate_matched_difference

LAST, EARLY = 2, 1


def simulated(seed=0, *, effect=0.0, noise=0.2, n_never=40, gaps=0.0):
    """Return schools of which the weak and large join more often, in 2014 or 2015."""
    rng = np.random.default_rng(seed)
    size, level = rng.normal(size=(2, 20 + n_never))
    joins = np.argsort(-(0.5 * size - 0.5 * level + rng.gumbel(size=len(size))))[:20]
    cohorts = np.full(len(size), NEVER)
    cohorts[joins] = np.where(np.arange(20) % 2, 2014.0, 2015.0)
    since = np.arange(2010, 2019)[None, :] - cohorts[:, None]
    outcomes = level[:, None] + noise * rng.normal(size=since.shape) + effect * (since >= 0)
    outcomes[rng.random(outcomes.shape) < gaps] = np.nan
    weights = rng.uniform(0.5, 2, len(size))
    return make_panel(cohorts, outcomes, weights=weights, covariates=size[:, None])


def slow(panel):
    """Return the effect by a search through all pairs, the score by statsmodels; and the matches."""
    t, y = panel.periods, panel.outcomes
    joins = np.isfinite(panel.cohorts)
    level = np.nanmean(y[:, t < 2014 - EARLY], axis=1)
    design = sm.add_constant(np.column_stack([panel.covariates, level]))
    index = design @ sm.Logit(joins.astype(float), design).fit(disp=0, tol=1e-12, method="newton").params
    caliper = 0.2 * index.std(ddof=1)
    matches, terms = {}, []
    for unit in np.flatnonzero(joins):
        cohort = panel.cohorts[unit]
        after, before = (t >= cohort) & (t <= cohort + LAST), t < cohort - EARLY
        change = np.nanmean(y[:, after], axis=1) - np.nanmean(y[:, before], axis=1)
        nearest = min(np.flatnonzero(~joins), key=lambda other: abs(index[other] - index[unit]))
        if abs(index[nearest] - index[unit]) <= caliper:
            matches[unit] = nearest
            terms.append((panel.weights[unit], change[unit], change[nearest]))
    weight, own, other = np.array(terms).T
    return np.average(own - other, weights=weight), matches, terms


def test_the_effect_is_that_of_a_search_through_all_pairs():
    panel, clusters = simulated(1)
    expected, matches, _ = slow(panel)
    found = estimate_matched_difference(panel, clusters, last=LAST, anticipation=EARLY)
    assert found.effect.estimate == pytest.approx(expected, abs=1e-9)
    assert found.n_matched == len(matches) < 20
    assert found.n_matched + found.n_unmatched == 20
    assert found.n_comparison_used == len(set(matches.values()))


def test_the_standard_error_is_that_of_the_weighted_regression_on_the_matched_sample():
    panel, clusters = simulated(2)
    _, matches, terms = slow(panel)
    outcome = np.array([own for _, own, _ in terms] + [other for _, _, other in terms])
    dummy = np.repeat([1.0, 0.0], len(terms))
    weight = np.tile([weight for weight, _, _ in terms], 2)
    labels = np.array([*matches, *matches.values()])
    fit = sm.WLS(outcome, sm.add_constant(dummy), weights=weight).fit()
    errors = sm.stats.sandwich_covariance.cov_cluster(fit, labels, use_correction=False)
    n_clusters = len(np.unique(labels))
    found = estimate_matched_difference(panel, clusters, last=LAST, anticipation=EARLY)
    expected = np.sqrt(errors[1, 1] * n_clusters / (n_clusters - 1))
    assert found.effect.std_error == pytest.approx(expected, rel=1e-9)


def test_a_planted_effect_comes_back():
    found = estimate_matched_difference(*simulated(3, effect=1.0, noise=0.05), last=LAST, anticipation=EARLY)
    assert found.effect.estimate == pytest.approx(1.0, abs=4 * found.effect.std_error)


def test_matching_on_a_chance_dip_before_finds_an_effect_that_is_none():
    """The limit that is printed: schools matched on a bad year return to their mean."""
    rng = np.random.default_rng(4)
    estimates = []
    for _ in range(60):
        cohorts = np.repeat([2013.0, NEVER], [30, 90])
        level = np.where(np.isfinite(cohorts), -1.0, 0.0)[:, None]
        outcomes = level + rng.normal(size=(120, 6))
        panel, clusters = make_panel(cohorts, outcomes)
        found = estimate_matched_difference(panel, clusters, last=LAST, anticipation=EARLY)
        estimates.append(found.effect.estimate)
    mean, error = np.mean(estimates), np.std(estimates) / np.sqrt(60)
    assert mean < -5 * error


def test_nothing_moves_when_units_are_reordered_or_all_outcomes_shift():
    panel, clusters = simulated(5, gaps=0.05)
    found = estimate_matched_difference(panel, clusters, last=LAST, anticipation=EARLY)
    order = np.random.default_rng(6).permutation(panel.n_units)
    years = replace(panel, outcomes=panel.outcomes + 5)
    for moved, labels in ((panel.take(order), clusters[order]), (years, clusters)):
        other = estimate_matched_difference(moved, labels, last=LAST, anticipation=EARLY)
        assert other.effect.estimate == pytest.approx(found.effect.estimate, abs=1e-9)
        assert other.effect.std_error == pytest.approx(found.effect.std_error, abs=1e-9)
        assert other.n_matched == found.n_matched


def test_equally_near_schools_are_averaged():
    cohorts = [2013.0, 2013.0, *[NEVER] * 4]
    outcomes = np.zeros((6, 6))
    outcomes[:, 0] = [1, 0, 1, 1, 0, 0]
    outcomes[2, 3:], outcomes[3, 3:] = 1.0, 3.0
    panel, clusters = make_panel(cohorts, outcomes)
    found = estimate_matched_difference(panel, clusters, last=LAST, anticipation=0)
    # The first adopter has two twins with changes that differ by 2, the second two without change.
    assert found.effect.estimate == pytest.approx(-(1 + 3) / 2 / 2, abs=1e-12)
    assert found.n_comparison_used == 4


def test_schools_that_are_told_apart_by_their_covariates_have_no_score():
    panel, clusters = simulated(7)
    apart = replace(panel, covariates=np.isfinite(panel.cohorts).astype(float)[:, None])
    found = estimate_matched_difference(apart, clusters, last=LAST, anticipation=EARLY)
    assert found.effect.refusal == "robustness_no_score"


def test_a_caliper_that_nobody_meets_leaves_no_match():
    panel, clusters = simulated(8)
    found = estimate_matched_difference(panel, clusters, last=LAST, caliper_share=1e-9)
    assert (found.effect.refusal, found.n_matched, found.n_unmatched) == ("robustness_no_match", 0, 20)


@pytest.mark.parametrize(
    ("cohort", "reason"), [(NEVER, "robustness_no_treated"), (2014.0, "robustness_no_comparison")]
)
def test_one_side_alone_is_refused(cohort, reason):
    panel, clusters = simulated(9)
    panel = replace(panel, cohorts=np.full(panel.n_units, cohort))
    found = estimate_matched_difference(panel, clusters, last=LAST)
    assert found.effect.refusal == reason
