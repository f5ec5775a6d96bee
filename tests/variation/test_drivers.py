"""Which schools drive the coefficient: against differences of the coefficient itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import DesignError
from toolkit.variation.dispersion import coefficient_of_variation
from toolkit.variation.drivers import (
    coefficient_without,
    compute_coefficient_drivers,
    leave_one_out_coefficients,
)

# Every school meets 7.5 m2 per student, yet the tiny ones make the county fail (R5 primary).
ENROLMENT = np.array([1500, 1400, 1200, 1000, 900, 300, 150, 90, 70, 60])
AMOUNT = ENROLMENT * np.array([7.6, 7.8, 8, 8.2, 9, 25, 40, 60, 70, 80])

rows = st.lists(st.tuples(st.floats(1, 1e4), st.integers(20, 3000)), min_size=2, max_size=20)
AMOUNT_ZERO = np.array([0.0, 30, 90, 45])
ENROLMENT_ZERO = np.array([100.0, 200, 300, 100])


@pytest.mark.parametrize(("amount", "enrolment"), [(AMOUNT, ENROLMENT), (AMOUNT_ZERO, ENROLMENT_ZERO)])
def test_marginal_effect_is_the_derivative_of_the_coefficient(amount, enrolment):
    drivers = compute_coefficient_drivers(amount, enrolment)
    step = 1e-4 * amount.mean()
    for school in range(len(amount)):
        change = np.eye(len(amount))[school] * step
        up = coefficient_of_variation(amount + change, enrolment)
        down_amount = np.maximum(amount - change, 0)
        down = coefficient_of_variation(down_amount, enrolment)
        slope = (up - down) / (amount[school] + step - down_amount[school])
        assert drivers.marginal_effect[school] == pytest.approx(slope, rel=2e-3)


def test_derivative_upwards_is_given_where_all_schools_are_equal():
    amount, enrolment = np.array([20.0, 40, 60]), np.array([10.0, 20, 30])
    drivers = compute_coefficient_drivers(amount, enrolment)
    for school in range(3):
        up = coefficient_of_variation(amount + np.eye(3)[school] * 1e-5, enrolment)
        assert drivers.marginal_effect[school] == pytest.approx(up / 1e-5, rel=1e-4)
    assert np.isnan(drivers.variance_share).all()


@given(rows, st.floats(0.5, 100))
def test_unit_effect_is_the_change_of_the_coefficient(rows, unit):
    amount, enrolment = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    drivers = compute_coefficient_drivers(amount, enrolment, unit=unit)
    for school in range(len(amount)):
        after = coefficient_of_variation(amount + np.eye(len(amount))[school] * unit, enrolment)
        expected = after - coefficient_of_variation(amount, enrolment)
        assert drivers.unit_effect[school] == pytest.approx(expected, rel=1e-6, abs=1e-7)


@given(rows)
def test_more_stock_lowers_the_coefficient_exactly_below_the_turning_point(rows):
    amount, enrolment = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    drivers = compute_coefficient_drivers(amount, enrolment)
    if drivers.coefficient > 1e-6:
        clear = np.abs(drivers.per_student / drivers.turning_point - 1) > 1e-9
        below = drivers.per_student < drivers.turning_point
        assert ((drivers.marginal_effect < 0) == below)[clear].all()
        assert drivers.tidy()["more_lowers_coefficient"].tolist() == below.tolist()


def test_turning_point_is_the_mean_times_one_plus_the_squared_coefficient():
    # Two equal schools with X = 0 and 2: mean 1, CV 1.
    assert compute_coefficient_drivers([0, 200], [100, 100]).turning_point == pytest.approx(2.0)


def test_variance_shares_add_up_and_name_the_tiny_schools():
    drivers = compute_coefficient_drivers(AMOUNT, ENROLMENT)
    mean = AMOUNT.sum() / ENROLMENT.sum()
    parts = ENROLMENT / ENROLMENT.sum() * (AMOUNT / ENROLMENT - mean) ** 2
    assert drivers.variance_share == pytest.approx(parts / parts.sum(), rel=1e-10)
    assert drivers.variance_share.sum() == pytest.approx(1)
    assert drivers.variance_share.argmax() == 9


@given(rows)
def test_leave_one_out_equals_the_coefficient_of_the_others(rows):
    amount, enrolment = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    found = leave_one_out_coefficients(amount, enrolment)
    for school in range(len(amount)):
        expected = coefficient_of_variation(np.delete(amount, school), np.delete(enrolment, school))
        assert found[school] == pytest.approx(expected, rel=1e-7, abs=1e-9)


def test_leave_one_out_is_exact_when_one_school_carries_all_the_variance():
    found = leave_one_out_coefficients([20, 40, 60, 9999], [10, 20, 30, 40])
    assert found[3] == pytest.approx(0, abs=1e-14)


def test_leave_one_out_is_missing_when_the_others_have_nothing():
    found = leave_one_out_coefficients([0, 0, 7], [10, 20, 30])
    assert np.isnan(found).tolist() == [False, False, True]
    assert np.isnan(leave_one_out_coefficients([7], [10])).all()


def test_coefficient_without_the_schools_below_100_students():
    assert coefficient_without(AMOUNT, ENROLMENT, ENROLMENT < 100) == pytest.approx(0.618, abs=5e-4)


def test_refuses_to_leave_out_all_schools():
    with pytest.raises(DesignError, match="There is no school"):
        coefficient_without(AMOUNT, ENROLMENT, ENROLMENT > 0)
