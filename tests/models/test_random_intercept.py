"""The random-intercept model: lme4, dense matrices, another package, and its own edges."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import optimize
from statsmodels.regression.mixed_linear_model import MixedLM

from tests.models.oracle import frozen_sums, lme4
from toolkit.errors import DesignError
from toolkit.models.random_intercept import (
    fit_random_intercept,
    group_sums,
    group_sums_from_moments,
    profile_of,
)
from toolkit.models.variance_ratio import criterion, criterion_slope

# R 4.2.2, lme4 1.1-31: intercept, its SE, between and within variance, criterion as printed there.
PRINTED = [
    ("hsb82", ["mAch"], "reml", (12.636974, 0.244394, 8.6140248, 39.1483219, 47116.79348)),
    ("hsb82", ["mAch"], "ml", (12.637070, 0.243617, 8.5534643, 39.1483996, 47115.81022)),
    ("hsb82", ["mAch", "meanses"], "reml", (12.684609, 0.149290, 2.6388782, 39.1570772, 46961.29149)),
    (
        "hsb82",
        ["mAch", "meanses", "cses", "sector"],
        "reml",
        (12.128212, 0.199198, 2.3687224, 37.0229651, 46553.83231),
    ),
    ("exam", ["normexam"], "ml", (-0.013167, 0.053627, 0.1686389, 0.8477605, 11010.64894)),
    ("exam", ["normexam", "standLRT"], "ml", (0.002391, 0.040023, 0.0921293, 0.5657310, 9357.24320)),
    ("dyestuff", ["Yield"], "reml", (1527.5, 19.383412, 1764.0500, 2451.2500, 319.65428)),
    ("dyestuff", ["Yield"], "ml", (1527.5, 17.694554, 1388.3333, 2451.2500, 327.32706)),
]


def ids(row):
    return f"{row[0]}-{len(row[1]) - 1}-{row[2]}"


@pytest.mark.parametrize("row", PRINTED, ids=ids)
def test_equals_what_lme4_prints_to_six_digits(row):
    name, columns, method, expected = row
    fit = fit_random_intercept(frozen_sums(name, *columns), method=method)
    found = (fit.coefficients[0], fit.std_error[0], fit.between_variance, fit.within_variance, fit.criterion)
    assert found == pytest.approx(expected, rel=1e-6, abs=5e-7)


@pytest.mark.parametrize("row", PRINTED, ids=ids)
def test_equals_lme4_in_every_fixed_effect(row):
    name, columns, method, _ = row
    reference = lme4(" ".join([name, *columns[1:]]) if columns[1:] else f"{name} null", method)
    fit = fit_random_intercept(frozen_sums(name, *columns), method=method)
    assert fit.terms == ("intercept", *columns[1:])
    for term, effect, error in zip(fit.terms, fit.coefficients, fit.std_error, strict=True):
        label = "(Intercept)" if term == "intercept" else term
        assert effect == pytest.approx(reference[f"effect {label}"], rel=1e-6)
        assert error == pytest.approx(reference[f"std_error {label}"], rel=1e-6)
    assert fit.criterion <= reference["criterion"] + 1e-8


def test_gives_the_published_icc_of_high_school_and_beyond():
    assert fit_random_intercept(frozen_sums("hsb82", "mAch")).icc == pytest.approx(0.18035, abs=5e-6)


def rows(rng, sizes, between, within=1.0, covariate=False):
    group = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.normal(size=len(group)) + 0.5 * (group % 3)
    y = (
        5
        + np.sqrt(between) * rng.normal(size=len(sizes))[group]
        + np.sqrt(within) * rng.normal(size=len(group))
    )
    return y + 0.7 * x * covariate, group, x[:, None]


def dense_criterion(y, design, group, ratio, method):
    """-2 log-likelihood or REML criterion from the covariance matrix itself, sigma profiled out."""
    covariance = np.eye(len(y)) + ratio * (group[:, None] == group[None, :])
    inverse = np.linalg.inv(covariance)
    information = design.T @ inverse @ design
    residual = y - design @ np.linalg.solve(information, design.T @ inverse @ y)
    degrees = len(y) - (design.shape[1] if method == "reml" else 0)
    value = degrees * (1 + np.log(2 * np.pi * (residual @ inverse @ residual) / degrees))
    value += np.linalg.slogdet(covariance)[1]
    return value + (np.linalg.slogdet(information)[1] if method == "reml" else 0)


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("ratio", [0.0, 0.03, 0.4, 7.0])
def test_criterion_equals_the_one_from_dense_matrices(method, ratio):
    y, group, x = rows(np.random.default_rng(1), [3, 1, 7, 12, 5, 2], 0.5)
    design = np.column_stack([np.ones(len(y)), x])
    found = criterion(profile_of(group_sums(y, group, x)), np.array([ratio]), method)[0]
    assert found == pytest.approx(dense_criterion(y, design, group, ratio, method), rel=1e-12)


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_slope_is_the_derivative_of_the_criterion(method):
    profile = profile_of(
        group_sums(*rows(np.random.default_rng(2), [3, 1, 7, 12, 5, 2], 0.5, covariate=True))
    )
    at = np.array([0.05, 0.6, 4.0])
    numeric = (criterion(profile, at * (1 + 1e-5), method) - criterion(profile, at * (1 - 1e-5), method)) / (
        2e-5 * at
    )
    assert criterion_slope(profile, at, method) == pytest.approx(numeric, rel=1e-6)


@pytest.mark.parametrize("reml", [True, False])
def test_agrees_with_statsmodels_and_is_never_worse(reml):
    compared = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        sizes = rng.integers(2, 25, size=int(rng.integers(8, 15)))
        y, group, x = rows(rng, sizes, between=[0.1, 0.3, 1.0][seed % 3], covariate=True)
        fit = fit_random_intercept(group_sums(y, group, x), method="reml" if reml else "ml")
        design = np.column_stack([np.ones(len(y)), x])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other = MixedLM(y, design, group).fit(reml=reml)
        between = float(other.cov_re[0, 0])
        theirs = dense_criterion(y, design, group, between / other.scale, fit.method)
        assert fit.criterion <= theirs + 1e-8
        if theirs > fit.criterion + 1e-5:  # MixedLM stopped short of the optimum
            continue
        compared += 1
        assert fit.coefficients == pytest.approx(other.fe_params, rel=1e-3)
        assert fit.within_variance == pytest.approx(other.scale, rel=1e-3)
        assert fit.between_variance == pytest.approx(between, rel=1e-3)
    assert compared >= 3


def test_balanced_reml_is_the_analysis_of_variance():
    y, group, _ = rows(np.random.default_rng(3), [30] * 12, 0.2)
    table = pd.Series(y).groupby(group)
    within = float(table.var(ddof=1).mean())
    between = float(30 * table.mean().var(ddof=1))
    fit = fit_random_intercept(group_sums(y, group))
    assert fit.within_variance == pytest.approx(within, rel=1e-10)
    assert fit.between_variance == pytest.approx((between - within) / 30, rel=1e-10)


def test_is_at_the_boundary_when_schools_differ_less_than_chance():
    fit = fit_random_intercept(group_sums_from_moments([10, 10, 10], [5.0, 5.01, 4.99], [9.0, 9.0, 9.0]))
    assert fit.at_boundary
    assert fit.between_variance == 0
    assert fit.icc == 0
    total = 27.0 + 10 * 2 * 0.01**2
    assert fit.within_variance == pytest.approx(total / 29, rel=1e-12)


@pytest.mark.parametrize("within_ss", [1e-12, 1e-6, 1e6])
def test_keeps_its_digits_at_extreme_ratios(within_ss):
    means = np.array([1.0, 2.0, 4.0, 8.0])
    fit = fit_random_intercept(group_sums_from_moments([5, 5, 5, 5], means, np.full(4, within_ss)))
    within = 4 * within_ss / 16
    assert fit.within_variance == pytest.approx(within if within_ss < 1 else fit.within_variance, rel=1e-9)
    assert fit.between_variance == pytest.approx(max(means.var(ddof=1) - within / 5, 0), rel=1e-9)


def test_takes_the_lower_of_two_minima():
    # Four tiny groups far apart, two huge ones close together: the criterion has a minimum for each story.
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(40):
        n = np.concatenate([rng.integers(1, 4, 6), rng.integers(200, 4000, 3)]).astype(float)
        mean = np.concatenate([rng.normal(0, 1.2, 6), rng.normal(0, 0.03, 3)])
        sums = group_sums_from_moments(n, mean, (n - 1) * 1.0)
        profile = profile_of(sums)
        fine = np.concatenate([[0.0], np.exp(np.linspace(np.log(1e-7), np.log(1e3), 800))])
        values = criterion(profile, fine, "reml")
        minima = np.sum((values[1:-1] < values[:-2]) & (values[1:-1] < values[2:])) + (values[0] < values[1])
        found += minima > 1
        assert fit_random_intercept(sums).criterion <= values.min() + 1e-9
    assert found > 0


def test_a_local_search_agrees_where_there_is_one_minimum():
    sums = frozen_sums("exam", "normexam")
    profile = profile_of(sums)
    local = optimize.minimize_scalar(
        lambda log: criterion(profile, np.exp([log]), "reml")[0], bounds=(-6, 3), method="bounded"
    )
    fit = fit_random_intercept(sums)
    assert fit.between_variance / fit.within_variance == pytest.approx(np.exp(local.x), rel=1e-4)


def test_is_the_same_in_other_units_and_for_other_orders():
    y, group, x = rows(np.random.default_rng(5), [20, 31, 8, 15, 40, 22], 0.3, covariate=True)
    fit = fit_random_intercept(group_sums(y, group, x))
    order = np.random.default_rng(6).permutation(len(y))
    moved = fit_random_intercept(
        group_sums(1000 + 10 * y[order], [f"s{g}" for g in group[order]], 3 + 2 * x[order])
    )
    assert moved.icc == pytest.approx(fit.icc, rel=1e-9)
    assert moved.coefficients[1] == pytest.approx(5 * fit.coefficients[1], rel=1e-9)
    assert moved.coefficients[0] == pytest.approx(
        1000 + 10 * fit.coefficients[0] - 15 * fit.coefficients[1], rel=1e-9
    )


def test_moments_and_rows_are_two_ways_to_the_same_sums():
    y, group, _ = rows(np.random.default_rng(7), [20, 31, 8, 15], 0.3)
    table = pd.Series(y).groupby(group)
    moments = group_sums_from_moments(table.size(), table.mean(), table.var(ddof=0) * table.size())
    one, other = fit_random_intercept(moments), fit_random_intercept(group_sums(y, group))
    assert one.icc == pytest.approx(other.icc, rel=1e-10)
    assert one.criterion == pytest.approx(other.criterion, rel=1e-12)


def test_recovers_the_truth_of_a_large_simulation():
    rng = np.random.default_rng(8)
    n = rng.integers(20, 600, 3000).astype(float)
    mean = 500 + 40 * rng.normal(size=3000) + 90 * rng.normal(size=3000) / np.sqrt(n)
    fit = fit_random_intercept(group_sums_from_moments(n, mean, 90**2 * rng.chisquare(n - 1)))
    assert fit.between_variance == pytest.approx(1600, abs=4 * 1700 * np.sqrt(2 / 3000))
    assert fit.within_variance == pytest.approx(8100, abs=4 * 8100 * np.sqrt(2 / n.sum()))


@pytest.mark.parametrize(
    ("n", "mean", "within", "words"),
    [
        ([5], [1.0], [2.0], "too few"),
        ([1, 1, 1], [1.0, 2.0, 3.0], [0.0, 0.0, 0.0], "one student only"),
        ([5, 5, 5], [1.0, 2.0, 3.0], [0.0, 0.0, 0.0], "do not vary"),
        ([5, 5, 5], [0.1, 0.1, 0.1], [1e-33, 0.0, 0.0], "do not vary"),
    ],
)
def test_refuses_what_the_data_cannot_tell(n, mean, within, words):
    with pytest.raises(DesignError, match=words):
        fit_random_intercept(group_sums_from_moments(n, mean, within))


def test_refuses_collinear_covariates():
    y, group, x = rows(np.random.default_rng(9), [20, 31, 8, 15], 0.3)
    with pytest.raises(DesignError, match="redundant"):
        fit_random_intercept(group_sums(y, group, np.column_stack([x, 2 * x])))


@pytest.mark.parametrize(
    ("n", "mean", "within", "words"),
    [
        ([5, 0], [1.0, 2.0], [1.0, 1.0], "needs an observation"),
        ([5, 5], [1.0, np.nan], [1.0, 1.0], "complete and finite"),
        ([5, 5], [1.0, 2.0], [1.0, -1.0], "not negative"),
        ([5, 5], [1.0], [1.0], "differ in shape"),
    ],
)
def test_refuses_moments_that_are_none(n, mean, within, words):
    with pytest.raises(ValueError, match=words):
        group_sums_from_moments(n, mean, within)


def test_refuses_incomplete_rows_and_unknown_methods():
    with pytest.raises(ValueError, match="complete and finite"):
        group_sums([1.0, np.nan], ["a", "b"])
    with pytest.raises(ValueError, match="method must be one of"):
        fit_random_intercept(frozen_sums("exam", "normexam"), method="bayes")  # type: ignore[arg-type]
