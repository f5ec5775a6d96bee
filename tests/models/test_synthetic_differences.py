"""Synthetic difference-in-differences: the published number, slow optimisers, placebos."""

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import minimize

from tests.models.robustness_panel import FOLDER, frozen_estimates
from toolkit.models.synthetic_differences import (
    estimate_placebos,
    estimate_synthetic_difference,
    possible_placebos,
    simplex_weights,
)


def california():
    """Return the cigarette sales of 39 states, California last, 1970 to 2000; the tax rose in 1989."""
    return np.loadtxt(FOLDER / "california.csv", delimiter=",")


def test_the_effect_of_the_tobacco_tax_in_california_is_the_published_one():
    # Arkhangelsky et al. (2021), table 1: -15.6.
    sales = california()
    found = estimate_synthetic_difference(sales[38], sales[:38], n_before=19, n_treated=1)
    assert found.estimate == pytest.approx(-15.6, abs=0.05)


def test_it_is_what_the_reference_program_converges_to():
    sales = california()
    found = estimate_synthetic_difference(sales[38], sales[:38], n_before=19, n_treated=1)
    expected = frozen_estimates("synthdid").set_index("method")["estimate"]
    # Its optimiser stops early by default and later when asked to.
    assert found.estimate == pytest.approx(expected["california"], abs=2e-3)
    assert found.estimate == pytest.approx(expected["california_further"], abs=2e-4)


@pytest.mark.parametrize("ridge", [0.05, 0.5, 20.0])
def test_the_weights_are_those_of_a_general_optimiser(ridge):
    rng = np.random.default_rng(1)
    design, target = rng.normal(size=(12, 7)), rng.normal(size=12)

    def loss(weights):
        gap = design @ weights - target
        return ((gap - gap.mean()) ** 2).sum() + ridge * (weights @ weights)

    slow = minimize(
        loss,
        np.full(7, 1 / 7),
        method="SLSQP",
        bounds=[(0, 1)] * 7,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1},
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    found = simplex_weights(design, target, ridge=ridge)
    assert found.sum() == pytest.approx(1, abs=1e-12)
    assert found.min() >= 0
    assert loss(found) <= slow.fun + 1e-12
    np.testing.assert_allclose(found, slow.x, atol=2e-5)


def test_an_untreated_path_that_is_a_mean_of_others_gives_the_planted_effect():
    rng = np.random.default_rng(2)
    untreated = rng.normal(size=(30, 3)) @ rng.normal(size=(3, 12)) + np.arange(12)
    treated = 0.5 * (untreated[3] + untreated[7]) + 2.0 + 0.8 * (np.arange(12) >= 8)
    untreated += 1e-4 * rng.normal(size=untreated.shape)
    found = estimate_synthetic_difference(treated, untreated, n_before=8, n_treated=2)
    # The penalty keeps the weights from the two units alone.
    assert found.estimate == pytest.approx(0.8, abs=0.03)


def test_levels_scale_and_the_order_of_units_do_not_matter():
    rng = np.random.default_rng(3)
    untreated, treated = rng.normal(size=(25, 10)), rng.normal(size=10)
    found = estimate_synthetic_difference(treated, untreated, n_before=6, n_treated=3)
    levels = rng.normal(size=(25, 1))
    order = rng.permutation(25)
    other = estimate_synthetic_difference(treated + 9, untreated[order], n_before=6, n_treated=3)
    assert other.estimate == pytest.approx(found.estimate, abs=1e-9)
    np.testing.assert_allclose(other.unit_weights, found.unit_weights[order], atol=1e-9)
    shifted = estimate_synthetic_difference(treated, untreated + levels, n_before=6, n_treated=3)
    assert shifted.unit_weights == pytest.approx(found.unit_weights, abs=1e-9)
    ten = estimate_synthetic_difference(10 * treated, 10 * untreated, n_before=6, n_treated=3)
    assert ten.estimate == pytest.approx(10 * found.estimate, rel=1e-9)


def test_single_placebos_are_every_untreated_unit_once():
    rng = np.random.default_rng(4)
    untreated = rng.normal(size=(21, 9))
    study = estimate_placebos(untreated, 0.4, group_size=1, n_before=6, n_placebos=999, seed=1)
    slow = [
        estimate_synthetic_difference(
            untreated[unit], np.delete(untreated, unit, axis=0), n_before=6, n_treated=1
        ).estimate
        for unit in range(21)
    ]
    np.testing.assert_allclose(study.estimates, slow, atol=1e-12)
    assert study.p_value == (1 + sum(abs(each) >= 0.4 for each in slow)) / 22
    assert study.std_error == pytest.approx(np.std(slow))


def test_placebo_groups_are_distinct_and_of_the_size_of_the_group():
    rng = np.random.default_rng(5)
    untreated, weights = rng.normal(size=(8, 8)), rng.uniform(1, 3, 8)
    study = estimate_placebos(
        untreated, 9.0, group_size=2, n_before=5, n_placebos=999, seed=2, weights=weights
    )
    slow = []
    for pair in combinations(range(8), 2):
        own = list(pair)
        mean = np.average(untreated[own], axis=0, weights=weights[own])
        rest = np.delete(untreated, own, axis=0)
        slow.append(estimate_synthetic_difference(mean, rest, n_before=5, n_treated=2).estimate)
    assert len(study.estimates) == len(set(study.estimates)) == possible_placebos(8, 2) == 28
    np.testing.assert_allclose(np.sort(study.estimates), np.sort(slow), atol=1e-9)
    assert study.p_value == 1 / 29


def test_draws_repeat_with_their_seed():
    untreated = np.random.default_rng(6).normal(size=(15, 8))
    studies = [
        estimate_placebos(untreated, 0.1, group_size=3, n_before=5, n_placebos=20, seed=seed).estimates
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(studies[0], studies[1])
    assert not np.array_equal(studies[0], studies[2])


def test_without_an_effect_small_p_values_are_as_rare_as_they_say():
    rng = np.random.default_rng(7)
    rejected = 0
    for _ in range(60):
        outcomes = rng.normal(size=(20, 1)) + rng.normal(size=(20, 8))
        estimate = estimate_synthetic_difference(outcomes[0], outcomes[1:], n_before=5, n_treated=1).estimate
        study = estimate_placebos(outcomes[1:], estimate, group_size=1, n_before=5, n_placebos=99, seed=1)
        rejected += study.p_value <= 0.1
    assert 0.1 * 60 - 4 * np.sqrt(60 * 0.09) < rejected < 0.1 * 60 + 4 * np.sqrt(60 * 0.09)
