"""Extremes of PQ / T^2 over intervals, against enumeration and random search."""

from itertools import product

import numpy as np
import pytest

from toolkit.variation import extremes
from toolkit.variation.dispersion import coefficient_of_variation
from toolkit.variation.extremes import Sums, highest_over_vertices, lowest_in_box


def county(rng, n_schools):
    enrolment = rng.integers(30, 2000, n_schools).astype(float)
    return enrolment * rng.lognormal(1.5, 0.5, n_schools), enrolment


def box(rng, n_schools):
    amount, enrolment = county(rng, n_schools)
    wide, narrow = rng.uniform(0.02, 0.6), rng.uniform(0.02, 0.6)
    return amount * (1 - wide), amount * (1 + wide), enrolment * (1 - narrow), enrolment * (1 + narrow)


@pytest.mark.parametrize("seed", range(20))
def test_highest_is_the_largest_over_all_vertices(seed):
    rng = np.random.default_rng(seed)
    low, high, few, many = box(rng, 4)
    amounts, enrolments = np.column_stack([low, low, high, high]), np.column_stack([few, many, few, many])
    slow = max(
        coefficient_of_variation(amounts[range(4), choice], enrolments[range(4), choice])
        for choice in product(range(4), repeat=4)
    )
    highest = highest_over_vertices(amounts, enrolments, Sums(0.0, 0.0, 0.0))
    assert np.sqrt(highest.bound - 1) == pytest.approx(slow, rel=1e-10)


@pytest.mark.parametrize("seed", range(20))
def test_the_bound_for_many_schools_encloses_the_exact_one_tightly(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    low, high, _, _ = box(rng, 12)
    enrolment = rng.integers(30, 2000, 12).astype(float)
    arguments = np.column_stack([low, high]), np.column_stack([enrolment] * 2), Sums(500.0, 4000.0, 1200.0)
    exact = highest_over_vertices(*arguments)
    monkeypatch.setattr(extremes, "MOST_COMBINATIONS", 0)
    bounded = highest_over_vertices(*arguments)
    assert bounded.found <= exact.bound * (1 + 1e-11)
    assert exact.bound <= bounded.bound * (1 + 1e-11)
    assert bounded.bound - 1 <= (exact.bound - 1) * 1.05


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.slow
def test_lowest_is_not_beaten_by_descent_from_many_points(seed):
    rng = np.random.default_rng(seed)
    bounds = box(rng, 5)
    amount, enrolment = lowest_in_box(*bounds)
    assert ((bounds[0] <= amount) & (amount <= bounds[1])).all()
    assert ((bounds[2] <= enrolment) & (enrolment <= bounds[3])).all()
    found = coefficient_of_variation(amount, enrolment)
    best = np.inf
    for _ in range(30):
        x, p = rng.uniform(bounds[0], bounds[1]), rng.uniform(bounds[2], bounds[3])
        for _ in range(200):
            mean = x.sum() / p.sum()
            turning = (x**2 / p).sum() / x.sum()
            x = np.clip(p * turning, bounds[0], bounds[1])
            p = np.clip(x / np.sqrt((x**2 / p).sum() / p.sum()), bounds[2], bounds[3])
            assert mean > 0
        best = min(best, coefficient_of_variation(x, p))
    assert found <= best + 1e-9
    assert found == pytest.approx(best, abs=1e-5)
