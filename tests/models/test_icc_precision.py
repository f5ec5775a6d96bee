"""Precision of the intraclass correlation: the domain's table, simulation, measured coverage."""

import numpy as np
import pytest

from toolkit.models.icc_precision import (
    LowestCoverage,
    chance_below,
    effective_group_size,
    icc_standard_error,
    interval_coverage,
    lowest_coverage,
)
from toolkit.models.random_intercept import fit_random_intercept, group_sums_from_moments

# Standard errors with 30 pupils a school (Donner 1986), k = 8, 12, 20, 40.
TABLE = {
    0.10: [0.064, 0.051, 0.039, 0.027],
    0.15: [0.082, 0.066, 0.050, 0.035],
    0.20: [0.099, 0.079, 0.060, 0.042],
}


@pytest.mark.parametrize("icc", TABLE)
def test_reproduces_the_table_of_standard_errors(icc):
    assert icc_standard_error(icc, [8, 12, 20, 40], 30) == pytest.approx(TABLE[icc], abs=5.01e-4)


# Simulated: 12 schools of 30 pupils, chance to be estimated below 0.15.
@pytest.mark.parametrize(("icc", "chance"), [(0.10, 0.85), (0.12, 0.74), (0.15, 0.56), (0.18, 0.39)])
def test_chance_to_be_below_the_limit_is_the_simulated_one(icc, chance):
    assert chance_below(0.15, icc, 12, 30) == pytest.approx(chance, abs=0.01)


def test_chance_is_that_of_the_reml_estimate():
    rng = np.random.default_rng(21)
    k, n, icc, draws = 8, 30, 0.12, 150
    below = 0
    for _ in range(draws):
        mean = np.sqrt(icc + (1 - icc) / n) * rng.normal(size=k)
        within = (1 - icc) * rng.chisquare(k * (n - 1))
        below += fit_random_intercept(group_sums_from_moments([n] * k, mean, within)).icc < 0.15
    expected = float(chance_below(0.15, icc, k, n))
    assert below / draws == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / draws))


def test_chance_is_certain_for_a_limit_far_away():
    assert chance_below([0.9, 0.001], 0.15, 40, 300) == pytest.approx([1, 0], abs=1e-9)


def test_effective_size_is_the_common_size_and_less_than_the_mean_of_unequal_ones():
    assert effective_group_size([30] * 7) == pytest.approx(30)
    assert effective_group_size([10, 50]) == pytest.approx(60 - 2600 / 60)


@pytest.mark.parametrize(
    ("arguments", "words"), [((1.0, 8, 30), "icc"), ((0.1, 1, 30), "two groups"), ((0.1, 8, 1), "one pupil")]
)
def test_refuses_what_is_no_design(arguments, words):
    with pytest.raises(ValueError, match=words):
        icc_standard_error(*arguments)


def test_refuses_a_limit_that_is_no_share():
    with pytest.raises(ValueError, match="limit"):
        chance_below(0, 0.1, 8, 30)


def test_measured_coverage_holds_its_promise_from_twelve_schools_on():
    table = interval_coverage()
    promised = table[(table["effects"] == "normal") & (table["n_groups"] >= 12)]
    assert set(promised["draws"]) == {2000}
    assert len(promised) == 2 * 3 * 2 * 5
    assert promised["coverage"].between(0.93, 0.97).all()


def test_measured_coverage_adds_up_and_is_a_copy():
    table = interval_coverage()
    assert (table[["coverage", "below", "above"]].sum(axis=1) - 1).abs().max() < 1e-9
    table["coverage"] = 0
    assert interval_coverage()["coverage"].min() > 0


def test_lowest_coverage_is_that_of_the_worst_setting_at_most_as_many_schools():
    table = interval_coverage()
    rows = table[(table["method"] == "profile") & (table["effects"] == "skewed") & (table["n_groups"] == 8)]
    for schools in (4, 8, 11):
        found = lowest_coverage("profile", schools, effects="skewed")
        assert (found.n_groups, found.coverage) == (8, rows["coverage"].min())
        assert found.shortfall == pytest.approx(0.95 - rows["coverage"].min())
    assert rows["coverage"].min() < 0.9  # neither interval is made for skewed school effects
    assert LowestCoverage(8, 0.96).shortfall == 0
    with pytest.raises(ValueError, match="no coverage"):
        lowest_coverage("bootstrap", 8)  # type: ignore[arg-type]
