"""Pupils in classes in schools: lme4, dense matrices, recovery, boundaries."""

import numpy as np
import pytest
from scipy import optimize

from tests.models.oracle import frozen, lme4
from toolkit.errors import DesignError
from toolkit.models.nested import fit_nested
from toolkit.models.random_intercept import fit_random_intercept, group_sums_from_moments


def pupils(rng, n_schools, school, between_classes, size=(4, 12)):
    classes = rng.integers(1, 5, n_schools)
    school_of = np.repeat(np.arange(n_schools), classes)
    n = rng.integers(*size, len(school_of))
    class_of = np.repeat(np.arange(len(n)), n)
    y = 50 + np.sqrt(school) * rng.normal(size=n_schools)[school_of][class_of]
    return (
        y + np.sqrt(between_classes) * rng.normal(size=len(n))[class_of] + rng.normal(size=len(y)),
        class_of,
        school_of,
    )


def moments(y, class_of):
    n = np.bincount(class_of)
    mean = np.bincount(class_of, y) / n
    return n, mean, np.bincount(class_of, (y - mean[class_of]) ** 2)


def dense_criterion(ratios, y, class_of, school_of, method):
    schools = school_of[class_of]
    covariance = (
        np.eye(len(y))
        + ratios[0] * (class_of[:, None] == class_of)
        + ratios[1] * (schools[:, None] == schools)
    )
    inverse = np.linalg.inv(covariance)
    information = inverse.sum()
    residual = y - inverse.sum(axis=0) @ y / information
    degrees = len(y) - (method == "reml")
    value = degrees * (1 + np.log(2 * np.pi * (residual @ inverse @ residual) / degrees))
    return value + np.linalg.slogdet(covariance)[1] + (np.log(information) if method == "reml" else 0)


def test_equals_lme4_on_a_level_chemistry():
    # lme4 1.1-31 prints 5.318977 (.058107); school in LEA 2.7487234, LEA .1534838, residual 8.5160868.
    table = frozen("chem97")
    fit = fit_nested(table["n"], table["mean_score"], table["within_score_score"], table["lea"])
    found = (
        fit.mean,
        fit.std_error,
        fit.class_variance,
        fit.school_variance,
        fit.pupil_variance,
        fit.criterion,
    )
    expected = (5.318977, 0.058107, 2.7487234, 0.1534838, 8.5160868, 157873.78524)
    assert found == pytest.approx(expected, rel=1e-6, abs=5e-7)
    assert fit.criterion <= lme4("chem97 null", "reml")["criterion"] + 1e-8
    assert (fit.n_schools, fit.n_classes, fit.n_obs) == (131, 2410, 31022)


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("seed", range(3))
def test_equals_the_search_with_dense_matrices(seed, method):
    y, class_of, school_of = pupils(np.random.default_rng(seed), 8, 0.4, 0.3, size=(2, 6))
    fit = fit_nested(*moments(y, class_of), school_of, method=method)
    ratios = np.array([fit.class_variance, fit.school_variance]) / fit.pupil_variance
    at_fit = dense_criterion(ratios, y, class_of, school_of, method)
    assert fit.criterion == pytest.approx(at_fit, rel=1e-11)
    for start in ([0.1, 0.1], [1.0, 1.0]):
        local = optimize.minimize(
            dense_criterion, start, (y, class_of, school_of, method), method="L-BFGS-B", bounds=[(0, 50)] * 2
        )
        assert fit.criterion <= local.fun + 1e-8
        assert ratios == pytest.approx(local.x, abs=2e-3)


def test_shares_add_up_and_recover_the_truth():
    rng = np.random.default_rng(31)
    school = np.repeat(np.arange(1500), 6)
    n = rng.integers(30, 55, 9000)
    mean = np.sqrt(0.2) * rng.normal(size=1500)[school] + np.sqrt(0.1) * rng.normal(size=9000)
    mean += np.sqrt(0.7 / n) * rng.normal(size=9000)
    fit = fit_nested(n, mean, 0.7 * rng.chisquare(n - 1), school)
    assert fit.school_share == pytest.approx(0.2, abs=4 * 0.22 * np.sqrt(2 / 1500))
    assert fit.class_share == pytest.approx(0.1, abs=4 * 0.12 * np.sqrt(2 / 7500))
    assert fit.school_share + fit.class_share + fit.pupil_share == pytest.approx(1)
    assert fit.tidy()["share"].tolist() == [fit.school_share, fit.class_share, fit.pupil_share]


def test_without_class_effects_it_is_the_two_level_model_of_schools():
    school = np.repeat(np.arange(5), 3)
    n = np.full(15, 20)
    mean = np.repeat([0.0, 0.5, 1.0, -0.6, 0.2], 3) + np.tile([0.01, -0.01, 0.0], 5)
    fit = fit_nested(n, mean, np.full(15, 19.0), school)
    assert fit.at_boundary == ("class",)
    pooled = 3 * 19.0 + 20 * 2 * 0.01**2
    two = fit_random_intercept(
        group_sums_from_moments([60] * 5, mean.reshape(5, 3).mean(axis=1), [pooled] * 5)
    )
    assert fit.class_variance == 0
    assert fit.school_variance == pytest.approx(two.between_variance, rel=1e-8)
    assert fit.criterion == pytest.approx(two.criterion, rel=1e-12)


def test_without_school_effects_it_is_the_two_level_model_of_classes():
    school = np.repeat(np.arange(5), 4)
    n = np.full(20, 20)
    mean = np.tile([0.8, -0.8, 0.4, -0.4], 5) + np.repeat([0.01, -0.01, 0.0, 0.01, -0.01], 4)
    fit = fit_nested(n, mean, np.full(20, 19.0), school)
    two = fit_random_intercept(group_sums_from_moments(n, mean, np.full(20, 19.0)))
    assert fit.at_boundary == ("school",)
    assert fit.class_variance == pytest.approx(two.between_variance, rel=1e-8)


def test_both_effects_can_be_zero():
    mean = np.array([0.01, -0.01, 0.0, 0.005, 0.0, -0.005])
    fit = fit_nested(np.full(6, 20), mean, np.full(6, 19.0), ["a", "a", "b", "b", "c", "c"])
    assert fit.at_boundary == ("school", "class")
    assert fit.pupil_share == 1


def test_is_the_same_in_other_units():
    y, class_of, school_of = pupils(np.random.default_rng(4), 10, 0.4, 0.3)
    one = fit_nested(*moments(y, class_of), school_of)
    other = fit_nested(*moments(500 + 100 * y, class_of), [f"s{code}" for code in school_of])
    assert other.school_share == pytest.approx(one.school_share, rel=1e-6)
    assert other.mean == pytest.approx(500 + 100 * one.mean, rel=1e-9)


@pytest.mark.parametrize(
    ("n", "school", "words"),
    [
        ([5, 5, 5], ["a", "b", "c"], "one class only"),
        ([5, 5], ["a", "a"], "too few"),
        ([1, 1, 1], ["a", "a", "b"], "one student"),
    ],
)
def test_refuses_what_the_data_cannot_tell(n, school, words):
    with pytest.raises(DesignError, match=words):
        fit_nested(n, np.arange(len(n)), np.array(n) - 1.0, school)


def test_refuses_a_class_without_school_and_unknown_methods():
    with pytest.raises(ValueError, match="school it belongs to"):
        fit_nested([5, 5], [1, 2], [3, 3], ["a", None])
    with pytest.raises(ValueError, match="method must be one of"):
        fit_nested([5, 5], [1, 2], [3, 3], ["a", "b"], method="bayes")  # type: ignore[arg-type]
