"""Weighted variance components and plausible values."""

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import DesignError
from toolkit.models.grouped_sums import compute_group_moments
from toolkit.models.plausible_values import combine_icc, fisher_z
from toolkit.models.random_intercept import fit_random_intercept, group_sums_from_moments
from toolkit.models.weighted_components import estimate_weighted_components

COLUMNS = ["n", "mean", "within_ss", "weight_sum", "weight_square_sum"]


def sample(rng, k, weights, icc=0.2, size=(20, 40)):
    n = rng.integers(*size, k)
    school = np.repeat(np.arange(k), n)
    score = np.sqrt(icc) * rng.normal(size=k)[school] + np.sqrt(1 - icc) * rng.normal(size=n.sum())
    return pd.DataFrame({"school_id": school, "score": score, "weight": weights(rng, n.sum())})


def estimate(frame, **options):
    table = compute_group_moments(frame, outcome="score", by="school_id", weight="weight")
    return estimate_weighted_components(*(table[column] for column in COLUMNS), **options)


def test_equal_weights_give_the_analysis_of_variance():
    frame = sample(np.random.default_rng(51), 12, lambda rng, n: np.full(n, 2.5))
    groups = frame.groupby("school_id")["score"]
    n, total, k = groups.size(), len(frame), 12
    within = float(((n - 1) * groups.var()).sum() / (total - k))
    between = float((n * (groups.mean() - frame["score"].mean()) ** 2).sum() / (k - 1))
    size = (total - (n**2).sum() / total) / (k - 1)
    found = estimate(frame)
    assert found.within_variance == pytest.approx(within, rel=1e-10)
    assert found.between_variance == pytest.approx((between - within) / size, rel=1e-10)


def test_schools_of_one_size_give_reml():
    frame = sample(np.random.default_rng(52), 12, lambda rng, n: np.ones(n), size=(30, 31))
    table = compute_group_moments(frame, outcome="score", by="school_id")
    reml = fit_random_intercept(group_sums_from_moments(table["n"], table["mean"], table["within_ss"]))
    assert estimate(frame).icc == pytest.approx(reml.icc, rel=1e-9)


def test_a_common_factor_of_the_weights_has_no_effect():
    frame = sample(np.random.default_rng(53), 9, lambda rng, n: rng.uniform(1, 5, n))
    one, other = estimate(frame), estimate(frame.assign(weight=frame["weight"] * 400))
    assert (other.icc, other.low, other.high) == pytest.approx((one.icc, one.low, one.high), rel=1e-9)


def test_is_right_on_average_with_very_unequal_weights():
    rng = np.random.default_rng(54)
    found = [estimate(sample(rng, 40, lambda r, n: r.lognormal(0, 1, n))) for _ in range(25)]
    between = np.array([one.between_variance for one in found])
    within = np.array([one.within_variance for one in found])
    assert between.mean() == pytest.approx(0.2, abs=4 * between.std() / np.sqrt(25))
    assert within.mean() == pytest.approx(0.8, abs=4 * within.std() / np.sqrt(25))
    assert np.mean([one.std_error for one in found]) == pytest.approx(
        np.std([one.icc for one in found]), rel=0.5
    )
    assert np.mean([one.low < 0.2 < one.high for one in found]) > 0.85


def test_weighted_estimate_stays_at_zero_when_schools_are_alike():
    found = estimate_weighted_components(
        [30] * 5, [0.0, 0.01, 0.0, 0.01, 0.0], [29.0] * 5, [30.0] * 5, [30.0] * 5
    )
    assert found.at_boundary
    assert found.icc == found.low == 0


def test_weighted_estimate_refuses_too_few_schools_and_wrong_weights():
    with pytest.raises(DesignError, match="too few"):
        estimate_weighted_components([5, 5], [1, 2], [4, 4], [5, 5], [5, 5])
    with pytest.raises(ValueError, match="positive weights"):
        estimate_weighted_components([5, 5, 5], [1, 2, 3], [4, 4, 4], [5, 0, 5], [5, 5, 5])


def test_plausible_values_follow_rubins_rules_by_hand():
    icc = np.array([0.12, 0.16, 0.14, 0.15, 0.11])
    z = 0.5 * np.log((1 + 29 * icc) / (1 - icc))
    within, between = 30 / (2 * 29 * 11), z.var(ddof=1)
    total = within + 1.2 * between
    found = combine_icc(icc, n_groups=12, group_size=30)
    assert fisher_z(found.estimate, 30) == pytest.approx(z.mean(), rel=1e-12)
    assert found.missing_information == pytest.approx(1.2 * between / total, rel=1e-12)
    share, complete = 1.2 * between / total, 11
    observed = (complete + 1) / (complete + 3) * complete * (1 - share)
    old = 4 / share**2
    assert found.degrees_of_freedom == pytest.approx(1 / (1 / old + 1 / observed), rel=1e-12)
    assert found.low < found.estimate < found.high


def test_equal_plausible_values_add_no_variance():
    one = combine_icc([0.15], n_groups=12, group_size=30)
    five = combine_icc([0.15] * 5, n_groups=12, group_size=30)
    assert (five.low, five.high) == pytest.approx((one.low, one.high), rel=1e-9)
    # Donner's standard error, k = 12, n = 30: 0.066.
    assert one.std_error == pytest.approx(0.066, abs=5e-4)


def test_given_standard_errors_replace_the_formula():
    given = combine_icc([0.15] * 3, n_groups=12, group_size=30, std_error=[0.1, 0.1, 0.1])
    assert given.std_error == pytest.approx(0.1, rel=1e-9)


def test_an_estimate_of_zero_does_not_break_the_combination():
    found = combine_icc([0.0, 0.02, 0.01], n_groups=8, group_size=30)
    assert found.low == 0
    assert 0 < found.estimate < found.high


def test_combination_refuses_what_is_no_correlation():
    with pytest.raises(ValueError, match="one correlation"):
        combine_icc([], n_groups=8, group_size=30)
    with pytest.raises(ValueError, match="one correlation"):
        combine_icc([1.0], n_groups=8, group_size=30)
    with pytest.raises(ValueError, match="two groups"):
        combine_icc([0.1], n_groups=1, group_size=30)
