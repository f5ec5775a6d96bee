"""Segregation indices: by hand, by enumeration, and what the definition implies."""

from fractions import Fraction
from itertools import combinations
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import DesignError
from toolkit.variation.segregation import (
    correct_small_unit_bias,
    dissimilarity,
    expected_dissimilarity,
    expected_information_index,
    information_index,
    undefined_reason,
)

TINY = [([1, 2, 3], 2), ([2, 2, 2], 3), ([4, 1], 1), ([1, 1, 1, 3], 4), ([3, 4], 6)]

counties = st.lists(
    st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=2, max_size=12
).filter(lambda rows: 0 < sum(a for a, _ in rows) < sum(n for _, n in rows))


def slow_dissimilarity(members, students):
    """Half the sum of the differences between the two distributions over schools."""
    inside, outside = sum(members), sum(students) - sum(members)
    shares = [
        abs(Fraction(a, inside) - Fraction(n - a, outside)) for a, n in zip(members, students, strict=True)
    ]
    return float(sum(shares) / 2)


def slow_entropy(share):
    return sum(-part * log(part) for part in (share, 1 - share) if part > 0)


def slow_information(members, students):
    total = sum(students)
    within = sum(n * slow_entropy(a / n) for a, n in zip(members, students, strict=True))
    return 1 - within / (total * slow_entropy(sum(members) / total))


def allocations(sizes, members):
    """Give the members of each school in every way to seat the members among all places."""
    ends = np.cumsum(sizes)
    for chosen in combinations(range(int(ends[-1])), members):
        place = np.searchsorted(ends, chosen, side="right")
        yield np.bincount(place, minlength=len(sizes)).tolist()


def test_agrees_with_a_county_worked_out_by_hand():
    # 10 of 100, 30 of 100: p = 0.2, |10-20| + |30-20| = 20, 2 N p (1-p) = 64: D = 20/64 = 0.3125.
    assert dissimilarity([10, 30], [100, 100]) == pytest.approx(0.3125, abs=1e-12)
    # E(0.1) = 0.325083, E(0.3) = 0.610864, E(0.2) = 0.500402: H = 1 - 0.4679735 / 0.500402 = 0.064805.
    assert information_index([10, 30], [100, 100]) == pytest.approx(0.064805, abs=5e-7)


@given(counties)
def test_agrees_with_the_slow_formulas(rows):
    members, students = zip(*rows, strict=True)
    assert dissimilarity(members, students) == pytest.approx(
        slow_dissimilarity(members, students), rel=1e-10, abs=1e-12
    )
    assert information_index(members, students) == pytest.approx(
        slow_information(members, students), abs=1e-9
    )


@pytest.mark.parametrize(("sizes", "members"), TINY)
def test_expected_values_agree_with_every_possible_allocation(sizes, members):
    ways = list(allocations(sizes, members))
    mean_d = sum(slow_dissimilarity(way, sizes) for way in ways) / len(ways)
    mean_h = sum(slow_information(way, sizes) for way in ways) / len(ways)
    assert expected_dissimilarity(sizes, members) == pytest.approx(mean_d, rel=1e-12)
    assert expected_information_index(sizes, members) == pytest.approx(mean_h, rel=1e-10)


def test_raw_indices_of_random_allocations_average_to_the_expected_ones():
    rng = np.random.default_rng(20251122)
    sizes = np.array([8, 15, 30, 30, 60, 120])
    drawn = rng.multivariate_hypergeometric(sizes, 50, size=4000)
    for index, expected in (
        (dissimilarity, expected_dissimilarity(sizes, 50)),
        (information_index, expected_information_index(sizes, 50)),
    ):
        values = np.array([index(members, sizes) for members in drawn])
        error = values.std(ddof=1) / np.sqrt(len(values))
        assert abs(values.mean() - expected) < 4 * error
        assert values.mean() > 10 * error  # the bias that is taken away


def test_corrected_index_is_near_zero_under_random_allocation_and_the_raw_one_is_not():
    rng = np.random.default_rng(7)
    sizes = np.full(40, 30)
    drawn = rng.multivariate_hypergeometric(sizes, 120, size=500)
    expected = expected_dissimilarity(sizes, 120)
    corrected = [correct_small_unit_bias(dissimilarity(members, sizes), expected) for members in drawn]
    assert expected > 0.2
    assert abs(np.mean(corrected)) < 0.05


def test_corrected_index_runs_from_complete_evenness_to_complete_separation():
    assert correct_small_unit_bias(1.0, 0.2) == pytest.approx(1.0)
    assert correct_small_unit_bias(0.6, 0.2) == pytest.approx(0.5)
    assert correct_small_unit_bias(0.2, 0.2) == 0
    assert correct_small_unit_bias(0.1, 0.2) == pytest.approx(-0.5)
    assert correct_small_unit_bias(0.0, 0.2) == pytest.approx(-1.0)


def test_correction_is_missing_where_chance_alone_separates_completely():
    expected = expected_dissimilarity([1, 1, 1], 1)
    assert expected == pytest.approx(1.0)
    assert np.isnan(correct_small_unit_bias(1.0, expected))


def test_is_one_when_the_members_have_schools_of_their_own():
    assert dissimilarity([20, 0, 5], [20, 70, 5]) == pytest.approx(1.0)
    assert information_index([20, 0, 5], [20, 70, 5]) == pytest.approx(1.0)


def test_is_zero_when_every_school_has_the_same_share():
    assert dissimilarity([1, 3, 10], [10, 30, 100]) == pytest.approx(0.0, abs=1e-12)
    assert information_index([1, 3, 10], [10, 30, 100]) == pytest.approx(0.0, abs=1e-12)


@given(counties, st.randoms(use_true_random=False))
def test_does_not_depend_on_the_order_of_the_schools(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    for index in (dissimilarity, information_index):
        before, after = (index(*map(list, zip(*table, strict=True))) for table in (rows, shuffled))
        assert after == pytest.approx(before, rel=1e-12, abs=1e-12)


@given(counties)
def test_does_not_change_when_schools_with_equal_shares_are_merged(rows):
    doubled = [*rows, *rows]
    merged = [(2 * a, 2 * n) for a, n in rows]
    for index in (dissimilarity, information_index):
        apart, together = (index(*map(list, zip(*table, strict=True))) for table in (doubled, merged))
        assert together == pytest.approx(apart, rel=1e-10, abs=1e-12)


@given(counties)
def test_does_not_depend_on_which_side_is_called_the_group(rows):
    members, students = map(np.array, zip(*rows, strict=True))
    for index in (dissimilarity, information_index):
        assert index(students - members, students) == pytest.approx(
            index(members, students), rel=1e-9, abs=1e-10
        )


def test_schools_without_pupils_change_nothing():
    assert dissimilarity([10, 0, 30], [100, 0, 100]) == pytest.approx(0.3125)
    assert information_index([10, 0, 30], [100, 0, 100]) == pytest.approx(0.064805, abs=5e-7)
    assert expected_dissimilarity([100, 0, 100], 40) == expected_dissimilarity([100, 100], 40)


def test_larger_schools_leave_less_to_chance():
    assert expected_dissimilarity([50] * 10, 100) > expected_dissimilarity([500] * 10, 1000)


@pytest.mark.parametrize("index", [dissimilarity, information_index])
def test_refuses_what_is_not_defined_or_no_count(index):
    for members, students, name in (
        ([0, 0], [10, 10], "segregation_nobody_refused"),
        ([10, 10], [10, 10], "segregation_everybody_refused"),
        ([0, 0], [0, 0], "segregation_no_schools_refused"),
        ([11, 1], [10, 10], "segregation_members_above_students"),
        ([np.nan, 1], [10, 10], "segregation_no_count"),
        ([1.5, 1], [10, 10], "segregation_no_count"),
        ([-1, 1], [10, 10], "segregation_no_count"),
    ):
        with pytest.raises(DesignError) as error:
            index(members, students)
        assert error.value.name == name


@pytest.mark.parametrize(
    ("members", "students", "reason"),
    [
        ([], [], "segregation_no_schools"),
        ([0, 0], [10, 5], "segregation_nobody"),
        ([10, 5], [10, 5], "segregation_everybody"),
        ([3], [10], "segregation_one_school"),
        ([3, 0], [10, 5], ""),
    ],
)
def test_says_why_no_index_can_be_computed(members, students, reason):
    assert undefined_reason(members, students) == reason
