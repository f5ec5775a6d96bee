import numpy as np
import pytest

from toolkit.models import group_time_batch
from toolkit.models.group_time import NEVER, AdoptionPanel, estimate_group_time
from toolkit.models.group_time_aggregates import aggregate_group_time
from toolkit.models.group_time_batch import OverallKind, estimate_overall_effects
from toolkit.models.propensity import fit_propensity
from toolkit.models.propensity_batch import fit_propensities

PERIODS = np.arange(2015.0, 2022.0)
DATES = [2014.0, 2016.0, 2018.0, 2019.0, 2020.0]


def data(seed, n_covariates=1, n_assignments=5, has_never=True):
    """Outcomes, a panel without a meaning of its own, clusters and assignments of groups of three."""
    rng = np.random.default_rng(seed)
    n_units = 48
    group = np.where(np.arange(n_units) < 24, np.arange(n_units) // 3, -1)
    assignments = []
    for _ in range(n_assignments):
        dates = np.full(9, NEVER)
        dates[rng.choice(8, 5, replace=False)] = rng.choice(DATES, 5)
        assignments.append(dates[group])
    cohorts = np.array(assignments)
    if not has_never:
        cohorts = np.where(np.isinf(cohorts), 2020.0, cohorts)
    outcomes = rng.normal(size=(2, n_units, len(PERIODS)))
    panel = AdoptionPanel(
        outcomes[0], PERIODS, cohorts[0], rng.normal(size=(n_units, n_covariates)), rng.uniform(1, 3, n_units)
    )
    clusters = np.unique(np.where(group >= 0, group, 100 + np.arange(n_units)), return_inverse=True)[1]
    return outcomes, cohorts, panel, clusters


def one_by_one(outcomes, cohorts, panel, clusters, kind: OverallKind = "event_time", last=np.inf, **options):
    """Return the same from the estimator of one assignment."""
    shape = (len(outcomes), len(cohorts))
    overall, contributions = np.full(shape, np.nan), np.full((*shape, clusters.max() + 1), np.nan)
    for position in np.ndindex(*shape):
        own = AdoptionPanel(
            outcomes[position[0]], PERIODS, cohorts[position[1]], panel.covariates, panel.weights
        )
        effects = estimate_group_time(own, **options)
        if not (np.isfinite(effects.effects) & (effects.event_times >= 0)).any():
            continue
        average = aggregate_group_time(effects, kind, event_times=(-np.inf, last))
        influence = average.overall_influence / len(effects.used)
        overall[position] = average.overall
        contributions[position] = np.bincount(clusters[effects.used], influence, clusters.max() + 1)
    return overall, contributions


def assert_equal(given, **options):
    found = estimate_overall_effects(*given, **options)
    overall, contributions = one_by_one(*given, **options)
    np.testing.assert_allclose(found.overall, overall, atol=1e-11)
    np.testing.assert_allclose(found.contributions, contributions, atol=1e-11)
    return found


@pytest.mark.parametrize("comparison", ["never", "not_yet"])
@pytest.mark.parametrize("anticipation", [0, 1])
@pytest.mark.parametrize("n_covariates", [0, 2])
@pytest.mark.parametrize(("kind", "last"), [("event_time", 1), ("simple", np.inf)])
def test_equals_the_estimator_of_one_assignment(comparison, anticipation, n_covariates, kind, last):
    given = data(3, n_covariates)
    assert_equal(given, comparison=comparison, anticipation=anticipation, kind=kind, last=last)


@pytest.mark.parametrize("comparison", ["never", "not_yet"])
def test_takes_units_seen_in_both_periods_where_outcomes_are_missing(comparison):
    outcomes, *rest = data(4)
    outcomes[:, np.random.default_rng(1).random(outcomes.shape[1:]) < 0.1] = np.nan
    found = assert_equal((outcomes, *rest), comparison=comparison, last=2)
    assert np.isfinite(found.overall).all()


def test_leaves_out_cells_without_overlap_and_has_no_average_without_any_cell():
    outcomes, cohorts, panel, clusters = data(5)
    # Whoever adopts in the year 2018 of the first assignment is separated by the covariate.
    panel.covariates[:, 0] = np.where(cohorts[0] == 2018.0, 5.0, panel.covariates[:, 0])
    cohorts[1] = NEVER
    cohorts[2] = np.where(np.isfinite(cohorts[2]), 2014.0, NEVER)
    cohorts[3] = np.where(cohorts[0] == 2018.0, 2018.0, NEVER)
    found = assert_equal((outcomes, cohorts, panel, clusters), comparison="never")
    np.testing.assert_array_equal(np.isnan(found.overall[0]), [False, True, True, True, False])


def test_not_yet_treated_schools_serve_until_the_last_cohort():
    given = data(6, has_never=False)
    assert_equal(given, comparison="not_yet")
    assert np.isnan(assert_equal(given, comparison="never").overall).all()


def test_collinear_covariates_of_the_comparison_refuse_a_cell():
    outcomes, cohorts, panel, clusters = data(7)
    panel.covariates[np.isinf(cohorts[0])] = 0
    found = assert_equal((outcomes, cohorts, panel, clusters), comparison="never")
    assert np.isnan(found.overall[0, 0])
    assert np.isfinite(found.overall[0, 1])


def test_blocks_and_repeated_assignments_change_nothing(monkeypatch):
    outcomes, cohorts, panel, clusters = data(8)
    whole = estimate_overall_effects(outcomes, np.tile(cohorts, (3, 1)), panel, clusters)
    monkeypatch.setattr(group_time_batch, "BLOCK_VALUES", 2 * 48)
    parts = estimate_overall_effects(outcomes, np.tile(cohorts, (3, 1)), panel, clusters)
    np.testing.assert_allclose(parts.overall, whole.overall, atol=1e-13)
    np.testing.assert_allclose(parts.contributions, whole.contributions, atol=1e-13)
    np.testing.assert_allclose(whole.overall[:, :5], whole.overall[:, 10:], atol=1e-13)


def test_a_constant_effect_is_recovered_without_error():
    _, cohorts, panel, clusters = data(9)
    for assigned in cohorts:
        exposed = (PERIODS[None, :] >= assigned[:, None]).astype(float)
        found = estimate_overall_effects(exposed[None], assigned[None], panel, clusters, last=2)
        assert found.overall[0, 0] == pytest.approx(1.0)
        np.testing.assert_allclose(found.contributions, 0, atol=1e-13)


def test_estimates_and_contributions_are_linear_in_the_outcomes():
    outcomes, cohorts, panel, clusters = data(10)
    joint = np.concatenate([outcomes, [2 * outcomes[0] - 3 * outcomes[1]]])
    found = estimate_overall_effects(joint, cohorts, panel, clusters, comparison="not_yet")
    for values in (found.overall, found.contributions):
        np.testing.assert_allclose(values[2], 2 * values[0] - 3 * values[1], atol=1e-12)


def test_refuses_outcomes_that_are_missing_in_different_places():
    outcomes, cohorts, panel, clusters = data(11)
    outcomes[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="same places"):
        estimate_overall_effects(outcomes, cohorts, panel, clusters)


def test_logits_equal_those_fitted_one_by_one_and_separated_ones_are_none():
    rng = np.random.default_rng(12)
    design = np.column_stack([np.ones(40), rng.normal(size=(40, 2))])
    weights = rng.uniform(1, 2, 40)
    is_treated = rng.random((6, 40)) < 0.4
    is_treated[2] = design[:, 1] > 0
    is_used = is_treated | (rng.random((6, 40)) < 0.8)
    fitted, is_fitted = fit_propensities(design, is_treated, is_used, weights)
    np.testing.assert_array_equal(is_fitted, [True, True, False, True, True, True])
    for row in np.flatnonzero(is_fitted):
        own = is_used[row]
        slow = fit_propensity(design[own], is_treated[row, own], weights[own])
        assert slow is not None
        np.testing.assert_allclose(fitted[row, own], slow.fitted, atol=1e-13)
