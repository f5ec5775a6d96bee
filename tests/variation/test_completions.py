"""Range of the coefficient while cells are missing, against grids and random completions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from toolkit.errors import DesignError
from toolkit.variation.completions import (
    CoefficientRange,
    coefficient_range,
    coefficient_verdict,
)
from toolkit.variation.dispersion import coefficient_of_variation

BOOKS = [279, 137, 935, 160, 402]
STUDENTS = [45, 37, 89, 76, 55]
SIZES = np.concatenate([[0.0], np.geomspace(1e-4, 1e9, 60)])


def coefficients(amounts, enrolments):
    """Return the coefficient of each row by the definition."""
    weights = enrolments / enrolments.sum(axis=1, keepdims=True)
    means = amounts.sum(axis=1, keepdims=True) / enrolments.sum(axis=1, keepdims=True)
    return np.sqrt((weights * (amounts / enrolments - means) ** 2).sum(axis=1)) / means[:, 0]


def brute_force(low, high, enrolment, n_draws=4000, seed=0):
    """Smallest and largest coefficient over random completions that favour the ends and wide scales."""
    rng = np.random.default_rng(seed)
    low, high, enrolment = (np.array(part, dtype=float) for part in (low, high, enrolment))
    shape = (n_draws, len(low))
    unbounded = np.isinf(high)
    within = low + rng.random(shape) * np.where(unbounded, 0, high - low)
    amounts = np.where(unbounded, low + rng.choice(SIZES, shape), within)
    end = rng.random(shape)
    amounts = np.where(end < 0.3, low, np.where((end > 0.7) & ~unbounded, high, amounts))
    enrolments = np.where(np.isnan(enrolment), np.exp(rng.uniform(-9, 20, shape)), enrolment)
    some = amounts.sum(axis=1) > 0
    values = coefficients(amounts[some], enrolments[some])
    return values.min(), values.max()


cell = st.one_of(
    st.tuples(st.integers(0, 50), st.just(None)),
    st.tuples(st.integers(0, 30), st.integers(1, 40)),
    st.tuples(st.integers(0, 10), st.just(np.inf)),
)
school = st.tuples(cell, st.one_of(st.integers(1, 60), st.just(np.nan)))


@settings(max_examples=60, deadline=None)
@given(st.lists(school, min_size=1, max_size=5))
def test_range_contains_every_completion(rows):
    low = [float(x) for (x, _), _ in rows]
    high = [float(x if more is None else x + more) for (x, more), _ in rows]
    enrolment = [p for _, p in rows]
    if sum(high) == 0:
        return
    found = coefficient_range(low, high, enrolment)
    smallest, largest = brute_force(low, high, enrolment, n_draws=400)
    assert found.low <= smallest + 1e-9
    assert largest <= found.high + 1e-9
    assert found.high_found <= found.high


def descend(low, high, enrolment, rng):
    """Minimise the coefficient by a general optimiser from a random completion."""
    free, open_enrolment = np.flatnonzero(low < high), np.flatnonzero(np.isnan(enrolment))

    def complete(cells):
        amount, students = low.copy(), enrolment.copy()
        amount[free] = cells[: len(free)]
        students[open_enrolment] = np.exp(cells[len(free) :])
        return amount, students

    def squared_coefficient(cells):
        amount, students = complete(cells)
        return students.sum() * (amount**2 / students).sum() / amount.sum() ** 2

    start = np.r_[rng.uniform(low[free], high[free]), rng.uniform(-2, 5, len(open_enrolment))]
    bounds = [*zip(low[free], high[free], strict=True), *[(-15, 15)] * len(open_enrolment)]
    end = optimize.minimize(squared_coefficient, start, bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-10})
    return coefficient_of_variation(*complete(end.x))


@pytest.mark.parametrize("seed", range(30))
def test_low_end_is_approached_by_descent(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 7))
    low = rng.integers(0, 50, n).astype(float)
    high = np.where(rng.random(n) < 0.5, low, low + rng.integers(1, 60, n))
    enrolment = rng.integers(1, 60, n).astype(float)
    enrolment[rng.random(n) < 0.25] = np.nan
    low[0], high[0] = low[0] + 1, high[0] + 6
    best = min(descend(low, high, enrolment, rng) for _ in range(3))
    found = coefficient_range(low, high, enrolment).low
    assert found <= best + 1e-9
    assert found == pytest.approx(best, abs=1e-3)


@pytest.mark.parametrize("seed", range(20))
def test_high_end_is_attained_at_a_corner_of_the_bounds(seed):
    rng = np.random.default_rng(100 + seed)
    n = int(rng.integers(2, 7))
    low = rng.integers(0, 50, n).astype(float)
    low[0] += 1
    high = low + rng.integers(0, 60, n)
    enrolment = rng.integers(1, 60, n).astype(float)
    corners = np.indices((2,) * n).reshape(n, -1).T
    slow = max(coefficient_of_variation(np.where(corner, high, low), enrolment) for corner in corners)
    assert coefficient_range(low, high, enrolment).high == pytest.approx(slow, rel=1e-10)


def test_range_of_known_totals_is_the_coefficient():
    found = coefficient_range(BOOKS, BOOKS, STUDENTS)
    assert found.low == found.high == found.high_found == coefficient_of_variation(BOOKS, STUDENTS)


def test_one_missing_total_is_lowest_at_the_turning_point_and_highest_at_an_end():
    low, high = np.array(BOOKS, float), np.array(BOOKS, float)
    low[2], high[2] = 0, np.inf
    grid = np.tile(low, (30001, 1))
    grid[:, 2] = np.linspace(0, 3000, 30001)
    found = coefficient_range(low, high, STUDENTS)
    assert found.low == pytest.approx(coefficients(grid, np.array([STUDENTS])).min(), abs=1e-8)
    # Limit of one total that drowns the others: sqrt((1 - w) / w).
    share = 89 / 302
    assert found.high == pytest.approx(np.sqrt((1 - share) / share))


def test_several_unbounded_totals_are_highest_when_the_smallest_school_drowns_the_others():
    found = coefficient_range([5, 0, 0, 5], [5, np.inf, np.inf, 5], [10, 20, 70, 100])
    assert found.high == pytest.approx(np.sqrt(200 / 20 - 1))


def test_a_bounded_total_can_beat_the_unbounded_one():
    # Known: nothing for 98 of 100 students; one student holds 0..1, one school of 99 is unbounded.
    found = coefficient_range([0, 1], [np.inf, 1], [99, 1])
    assert found.high == pytest.approx(np.sqrt(99))


def test_all_totals_missing_leaves_everything_between_equal_shares_and_one_owner():
    found = coefficient_range([0, 0, 0], [np.inf] * 3, [10, 20, 70])
    assert found.low == pytest.approx(0, abs=1e-12)
    assert found.high == pytest.approx(np.sqrt(100 / 10 - 1))


def test_known_zeros_keep_the_coefficient_above_zero_whatever_the_others_have():
    found = coefficient_range([0, 0, 0], [0, np.inf, np.inf], [50, 25, 25])
    assert found.low == pytest.approx(1.0)
    assert found.high == pytest.approx(np.sqrt(3))


def test_a_school_known_to_have_nothing_cannot_be_the_only_owner():
    found = coefficient_range([0, 0, 0], [0, 40, 9], [5, 25, 70])
    assert found.high == pytest.approx(np.sqrt(100 / 25 - 1))


def test_missing_enrolments_follow_the_closed_form():
    # (sqrt(P A) + sum x)^2 / (sum of all x)^2 with P = 30, A = 100 / 10 + 900 / 20 = 55, x = 25 + 15.
    low = coefficient_range([10, 30, 25, 15], [10, 30, 25, 15], [10, 20, np.nan, np.nan]).low
    expected = np.sqrt(((np.sqrt(30 * 55) + 40) / 80) ** 2 - 1)
    assert low == pytest.approx(expected, rel=1e-10)


def test_a_missing_enrolment_has_no_upper_limit_beside_other_schools():
    assert coefficient_range([10, 30], [10, 30], [10, np.nan]).high == np.inf
    assert coefficient_range([10], [10], [np.nan]) == CoefficientRange(0.0, 0.0, 0.0)


def test_a_school_without_stock_and_enrolment_can_be_negligible():
    without = coefficient_of_variation([10, 30], [10, 10])
    found = coefficient_range([10, 30, 0], [10, 30, 0], [10, 10, np.nan])
    assert found.low == pytest.approx(without)
    assert found.high == np.inf


def test_a_school_of_which_nothing_is_known_can_make_the_county_even():
    assert coefficient_range([10, 30, 0], [10, 30, np.inf], [10, 10, np.nan]).low == 0.0


def test_a_missing_enrolment_beside_known_zeros_can_make_them_negligible():
    assert coefficient_range([0, 30], [0, 30], [10, np.nan]).low == 0.0


def test_many_missing_totals_have_a_bound_close_to_what_is_found():
    rng = np.random.default_rng(1)
    enrolment = rng.integers(50, 2000, 60).astype(float)
    known = enrolment * rng.lognormal(0, 0.4, 60)
    low, high = known.copy(), known.copy()
    low[:40], high[:40] = 0, 2 * known[:40]
    found = coefficient_range(low, high, enrolment)
    assert found.high_found <= found.high <= 1.01 * found.high_found
    assert found.high_found >= brute_force(low, high, enrolment, n_draws=500)[1]


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.1, 0.5, "pass"),
        (0.1, 0.5001, "undecided"),
        (0.5, 0.7, "undecided"),
        (0.5001, 0.7, "fail"),
        (0.2, np.inf, "undecided"),
    ],
)
def test_limit_itself_passes(low, high, verdict):
    assert coefficient_verdict(CoefficientRange(low, high, high), 0.5) == verdict


@pytest.mark.parametrize(
    ("low", "high", "enrolment", "message"),
    [
        ([1, 5], [1, 4], [1, 1], "lower bound exceeds the upper one (first: number 2)"),
        ([np.nan, 5], [1, 5], [1, 1], "lack the amount"),
        ([-1, 5], [1, 5], [1, 1], "negative amount"),
        ([0, 5], [1, 5], [1, 0], "have no students"),
        ([0, 0], [0, 0], [1, 1], "None of the 2 schools"),
    ],
)
def test_refuses_impossible_bounds(low, high, enrolment, message):
    with pytest.raises(DesignError) as refusal:
        coefficient_range(low, high, enrolment)
    assert message in refusal.value.en
