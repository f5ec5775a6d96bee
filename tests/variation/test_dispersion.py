"""校际差异系数: the published worked example, and what the definition implies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import DesignError
from toolkit.variation.dispersion import coefficient_of_variation

BOOKS = [279, 137, 935, 160, 402]
STUDENTS = [45, 37, 89, 76, 55]

# Every school meets 7.5 m2 per student, yet the tiny ones make the county fail (R5 primary).
ENROLMENT_F4 = np.array([1500, 1400, 1200, 1000, 900, 300, 150, 90, 70, 60])
AREA_PER_STUDENT_F4 = np.array([7.6, 7.8, 8, 8.2, 9, 25, 40, 60, 70, 80])

totals = st.lists(
    st.tuples(st.one_of(st.just(0.0), st.floats(0.01, 1e6)), st.integers(1, 5000)), min_size=1, max_size=30
).filter(lambda rows: sum(row[0] for row in rows) > 0)


def split(rows):
    amount, enrolment = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return amount, enrolment


def test_reproduces_the_published_example():
    # 县域义务教育校际均衡指标计算方法 (以生均图书册数为例): 3.2639 / 6.3344 = 0.51526, printed 0.52.
    assert coefficient_of_variation(BOOKS, STUDENTS) == pytest.approx(0.51526, abs=5e-6)


@pytest.mark.parametrize("wrong", [0.48877, 0.54646])
def test_is_not_one_of_the_unweighted_coefficients(wrong):
    per_student = np.divide(BOOKS, STUDENTS)
    unweighted = {ddof: per_student.std(ddof=ddof) / per_student.mean() for ddof in (0, 1)}
    assert wrong in [pytest.approx(value, abs=5e-6) for value in unweighted.values()]
    assert abs(coefficient_of_variation(BOOKS, STUDENTS) - wrong) > 0.02


def test_a_county_where_every_school_meets_the_minimum_can_exceed_the_limit():
    amount = AREA_PER_STUDENT_F4 * ENROLMENT_F4
    assert coefficient_of_variation(amount, ENROLMENT_F4) == pytest.approx(1.054, abs=5e-4)
    large = ENROLMENT_F4 >= 100
    assert coefficient_of_variation(amount[large], ENROLMENT_F4[large]) == pytest.approx(0.618, abs=5e-4)


def test_a_county_where_every_school_misses_the_minimum_can_be_even():
    per_student = np.linspace(4.75, 5.25, 10)
    assert coefficient_of_variation(per_student * 500, np.full(10, 500)) < 0.04


@given(totals)
def test_equals_the_slow_formula(rows):
    amount, enrolment = split(rows)
    mean = sum(amount) / sum(enrolment)
    variance = sum(p / sum(enrolment) * (x / p - mean) ** 2 for x, p in zip(amount, enrolment, strict=True))
    assert coefficient_of_variation(amount, enrolment) == pytest.approx(
        variance**0.5 / mean, rel=1e-10, abs=1e-12
    )


@given(totals, st.floats(0.001, 1000), st.floats(0.001, 1000), st.randoms())
def test_does_not_change_with_units_nor_with_the_order_of_schools(rows, amount_unit, student_unit, random):
    amount, enrolment = split(rows)
    expected = coefficient_of_variation(amount, enrolment)
    order = random.sample(range(len(amount)), len(amount))
    changed = coefficient_of_variation(amount[order] * amount_unit, enrolment[order] * student_unit)
    assert changed == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(totals)
def test_does_not_change_when_every_school_is_split_into_two_equal_halves(rows):
    amount, enrolment = split(rows)
    halves = coefficient_of_variation(np.tile(amount / 2, 2), np.tile(enrolment / 2, 2))
    assert halves == pytest.approx(coefficient_of_variation(amount, enrolment), rel=1e-9, abs=1e-9)


@given(totals, st.integers(2, 5))
def test_does_not_change_when_schools_with_equal_shares_merge(rows, copies):
    amount, enrolment = split(rows)
    apart = coefficient_of_variation(
        np.append(amount, [amount[0] * 2] * copies), np.append(enrolment, [enrolment[0] * 2] * copies)
    )
    merged = coefficient_of_variation(
        np.append(amount, amount[0] * 2 * copies), np.append(enrolment, enrolment[0] * 2 * copies)
    )
    assert merged == pytest.approx(apart, rel=1e-9, abs=1e-9)


def test_is_zero_when_every_student_has_the_same_share():
    assert coefficient_of_variation([20, 40, 60], [10, 20, 30]) == 0


def test_keeps_a_school_without_the_resource():
    # Two equal schools, one with everything: X = 0 and 2, mean 1, S = 1.
    assert coefficient_of_variation([0, 200], [100, 100]) == pytest.approx(1.0)


def test_leaves_its_arguments_as_they_were():
    amount, enrolment = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    coefficient_of_variation(amount, enrolment)
    assert amount.tolist() == [1.0, 2.0]
    assert enrolment.tolist() == [3.0, 4.0]


@pytest.mark.parametrize(
    ("amount", "enrolment", "message"),
    [
        ([1, np.nan, np.nan], [1, 1, 1], "2 of 3 schools lack the amount of this resource (first: number 2)"),
        ([0.4, -1.2], [10, 10], "not for standardised scores"),
        ([1, 2], [10, 0], "1 of 2 schools have no students (first: number 2)"),
        ([1, 2], [np.nan, 1], "1 of 2 schools lack the enrolment (first: number 1)"),
        ([0, 0], [10, 10], "None of the 2 schools has any of this resource"),
        ([], [], "There is no school"),
    ],
)
def test_refuses_what_has_no_coefficient(amount, enrolment, message):
    with pytest.raises(DesignError) as refusal:
        coefficient_of_variation(amount, enrolment)
    assert message in refusal.value.en
