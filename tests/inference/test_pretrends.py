"""Placebo tests and the trends they miss: textbook tests, simulation, another package, refusals."""

import numpy as np
import pytest
from scipy import stats

from tests.inference.honest_oracle import MANY, frozen_rows, frozen_studies, medicaid_study, random_study
from toolkit.inference.honest_boxes import box_probability
from toolkit.inference.honest_study import EventStudy
from toolkit.inference.pretrends import (
    compute_joint_placebo_test,
    compute_placebo_power,
    find_detectable_trend,
)

STUDIES = frozen_studies()


def study_of_means(values):
    """An event study whose coefficients are means over clusters, the last of them after."""
    centred = values - values.mean(axis=0)
    mean = values.mean(axis=0)
    covariance = centred.T @ centred / len(values) ** 2
    return EventStudy(mean[:-1], mean[-1:], covariance, float(len(values)))


def test_of_one_coefficient_is_the_t_test_of_a_mean():
    values = np.random.default_rng(1).normal(0.4, 1.0, size=(9, 2))
    found = compute_joint_placebo_test(study_of_means(values))
    textbook = stats.ttest_1samp(values[:, 0], 0.0)
    assert found.statistic == pytest.approx(textbook.statistic**2)
    assert found.p_value == pytest.approx(textbook.pvalue)


def test_has_its_size_with_hardly_more_clusters_than_coefficients():
    rng = np.random.default_rng(2)
    n_draws = 1500
    p_values = np.array(
        [compute_joint_placebo_test(study_of_means(rng.normal(size=(8, 4)))).p_value for _ in range(n_draws)]
    )
    assert np.mean(p_values < 0.05) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / n_draws))


def test_is_the_wald_test_with_very_many_clusters():
    study, _ = STUDIES[7]
    found = compute_joint_placebo_test(EventStudy(study.before, study.after, study.covariance, 1e9))
    inverse = np.linalg.inv(study.covariance[: study.n_before, : study.n_before])
    assert found.wald == pytest.approx(study.before @ inverse @ study.before)
    assert found.p_value == pytest.approx(stats.chi2.sf(found.wald, study.n_before), rel=1e-6)


def test_joint_power_is_the_share_of_rejections_among_drawn_clusters():
    rng = np.random.default_rng(3)
    n_clusters, n_draws, slope = 12, 1500, 0.15
    values = rng.normal(size=(n_draws, n_clusters, 3)) - slope * np.array([2.0, 1.0, -1.0])
    rejected = np.array(
        [compute_joint_placebo_test(study_of_means(drawn)).p_value < 0.05 for drawn in values]
    )
    study = EventStudy(np.zeros(2), np.zeros(1), np.eye(3) / n_clusters, float(n_clusters))
    power = compute_placebo_power(study, slope)
    assert rejected.mean() == pytest.approx(power, abs=4 * np.sqrt(power * (1 - power) / n_draws))


@pytest.mark.parametrize("row", frozen_rows("power"), ids=lambda row: row["design"])
def test_power_of_single_coefficients_equals_statspai(row):
    study, _ = STUDIES[int(row["design"])]
    power = compute_placebo_power(study, float(row["slope"]), rule="any")
    assert power == pytest.approx(float(row["power"]), abs=2e-4)


@pytest.mark.parametrize("rule", ["joint", "any"])
@pytest.mark.parametrize("power", [0.5, 0.8])
def test_undetected_trends_bias_as_among_draws_that_pass(rule, power):
    study = medicaid_study()
    study = EventStudy(study.before, study.after, study.covariance, MANY)
    target = np.array([0.5, 0.5])
    found = find_detectable_trend(study, target, power=power, rule=rule)
    assert found.bias == pytest.approx(1.5 * found.slope)
    rng = np.random.default_rng(4)
    n_draws = 60_000
    truth = found.slope * np.array([-5.0, -4, -3, -2, -1, 1, 2])
    draws = rng.multivariate_normal(truth, study.covariance, size=n_draws)
    before, covariance = draws[:, :5], study.covariance[:5, :5]
    if rule == "any":
        passed = (np.abs(before) <= stats.norm.ppf(0.975) * np.sqrt(np.diag(covariance))).all(axis=1)
    else:
        wald = np.einsum("ni,ij,nj->n", before, np.linalg.inv(covariance), before)
        passed = wald * (MANY - 5) / (MANY * 5) <= stats.f.isf(0.05, 5, MANY - 5)
    assert passed.mean() == pytest.approx(1 - power, abs=4 * np.sqrt(power * (1 - power) / n_draws))
    biases = draws[passed, 5:] @ target
    assert found.bias_if_undetected == pytest.approx(
        biases.mean(), abs=4 * biases.std() / np.sqrt(len(biases))
    )


def test_shrinkage_allows_for_few_clusters():
    rng = np.random.default_rng(5)
    n_clusters, n_draws = 7, 3000
    study = EventStudy(np.zeros(2), np.zeros(1), np.eye(3) / n_clusters, float(n_clusters))
    study.covariance[2, :2] = study.covariance[:2, 2] = 0.6 / n_clusters
    found = find_detectable_trend(study, [1.0], power=0.8)
    values = rng.multivariate_normal(
        found.slope * np.array([-2.0, -1, 1]), n_clusters * study.covariance, size=(n_draws, n_clusters)
    )
    passed = np.array([compute_joint_placebo_test(study_of_means(drawn)).p_value >= 0.05 for drawn in values])
    after = values.mean(axis=1)[passed, 2]
    assert passed.mean() == pytest.approx(0.2, abs=4 * np.sqrt(0.16 / n_draws))
    assert found.bias_if_undetected == pytest.approx(after.mean(), abs=4 * after.std() / np.sqrt(len(after)))


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_box_probabilities_equal_those_of_scipy(size):
    rng = np.random.default_rng(6)
    study = random_study(rng, size, 1)
    covariance, mean = study.covariance[:size, :size], rng.normal(size=size) * 0.5
    limits = 1.5 * np.sqrt(np.diag(covariance))
    expected = stats.multivariate_normal.cdf(
        limits, mean, covariance, lower_limit=-limits, maxpts=200_000, abseps=1e-7, releps=1e-7
    )
    assert box_probability(limits, mean, covariance) == pytest.approx(expected, abs=5e-5)


def test_independent_errors_leave_the_bias_as_it_is():
    study = EventStudy(np.zeros(3), np.zeros(2), np.diag([1.0, 2, 1, 3, 1]), 60.0)
    for rule in ("joint", "any"):
        found = find_detectable_trend(study, [0.0, 1.0], rule=rule)
        assert found.bias_if_undetected == pytest.approx(found.bias) == pytest.approx(2 * found.slope)


def test_power_and_slope_invert_each_other_in_any_unit():
    study = medicaid_study()
    for rule in ("joint", "any"):
        slope = find_detectable_trend(study, [1.0, 0.0], power=0.8, rule=rule).slope
        assert compute_placebo_power(study, slope, rule=rule) == pytest.approx(0.8, abs=1e-6)
        assert compute_placebo_power(study, -slope, rule=rule) == pytest.approx(0.8, abs=1e-3)
        larger = EventStudy(study.before, study.after, 1e6 * study.covariance, study.effective_clusters)
        found = find_detectable_trend(larger, [1.0, 0.0], power=0.8, rule=rule)
        assert found.slope == pytest.approx(1e3 * slope, rel=1e-6)


def test_refuses_what_cannot_be_tested():
    few = EventStudy(np.zeros(3), np.zeros(1), np.eye(4), 3.0)
    assert compute_joint_placebo_test(few).refusal == "few_clusters"
    assert np.isnan(compute_joint_placebo_test(few).p_value)
    assert find_detectable_trend(few, [1.0]).refusal == "few_clusters"
    with pytest.raises(ValueError, match="few_clusters"):
        compute_placebo_power(few, 0.1)
    alone = EventStudy(np.array([]), np.zeros(1), np.eye(1), 30.0)
    assert compute_joint_placebo_test(alone).refusal == "no_period_before"
    twin = EventStudy(np.zeros(2), np.zeros(1), np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1.0]]), 30.0)
    assert compute_joint_placebo_test(twin).refusal == "singular_covariance"
    study = medicaid_study()
    with pytest.raises(ValueError, match="rule must be one of"):
        compute_placebo_power(study, 0.1, rule="some")
    with pytest.raises(ValueError, match="power must be between"):
        find_detectable_trend(study, [1.0, 0.0], power=0.05)
