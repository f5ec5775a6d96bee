"""Named sensitivities of the coefficient."""

import time

import numpy as np
import pytest

from toolkit.variation.completions import coefficient_range
from toolkit.variation.dispersion import coefficient_of_variation
from toolkit.variation.drivers import compute_coefficient_drivers
from toolkit.variation.inequality import decompose_theil, decompose_variance, gini
from toolkit.variation.sensitivity import (
    leave_one_out_range,
    reporting_error_band,
    year_to_year_stability,
)

BOOKS = np.array([279, 137, 935, 160, 402])
STUDENTS = np.array([45, 37, 89, 76, 55])


def test_leave_one_out_names_the_school_that_turns_the_verdict():
    found = leave_one_out_range(BOOKS, STUDENTS, limit=0.5)
    expected = [
        coefficient_of_variation(np.delete(BOOKS, school), np.delete(STUDENTS, school)) for school in range(5)
    ]
    assert found.without == pytest.approx(expected)
    assert (found.low, found.high) == (pytest.approx(min(expected)), pytest.approx(max(expected)))
    assert found.decides.tolist() == [value <= 0.5 for value in expected]
    assert list(found.tidy()) == ["leave_one_out", "decides"]


def test_leave_one_out_of_a_single_school_has_no_range():
    found = leave_one_out_range([3], [2], limit=0.5)
    assert np.isnan([found.low, found.high]).all()
    assert not found.decides.any()


@pytest.mark.parametrize(("amount_error", "enrolment_error"), [(0.05, 0.0), (0.0, 0.05), (0.05, 0.02)])
def test_error_band_contains_random_errors_and_is_attained_at_the_top(amount_error, enrolment_error):
    band = reporting_error_band(BOOKS, STUDENTS, amount_error=amount_error, enrolment_error=enrolment_error)
    rng = np.random.default_rng(3)
    signs = rng.uniform(-1, 1, (4000, 2, 5))
    signs[2000:] = np.sign(signs[2000:])
    values = [
        coefficient_of_variation(BOOKS * (1 + amount_error * x), STUDENTS * (1 + enrolment_error * p))
        for x, p in signs
    ]
    assert band.low <= min(values) + 1e-12
    assert max(values) <= band.high + 1e-12
    assert max(values) == pytest.approx(band.high, abs=2e-3)
    assert min(values) == pytest.approx(band.low, abs=1e-2)


def test_error_band_of_amounts_alone_equals_the_range_over_the_same_bounds():
    band = reporting_error_band(BOOKS, STUDENTS, amount_error=0.1)
    completions = coefficient_range(BOOKS * 0.9, BOOKS * 1.1, STUDENTS)
    assert band.low == pytest.approx(completions.low, rel=1e-9)
    assert band.high == pytest.approx(completions.high, rel=1e-9)


def test_error_band_without_errors_is_the_coefficient():
    band = reporting_error_band(BOOKS, STUDENTS, amount_error=0.0)
    assert band.low == band.high == coefficient_of_variation(BOOKS, STUDENTS)


def test_error_band_is_zero_at_the_bottom_when_errors_can_hide_all_differences():
    band = reporting_error_band([100, 105, 95], [10, 10, 10], amount_error=0.06)
    assert band.low == pytest.approx(0, abs=1e-6)


def test_error_band_refuses_an_error_of_everything():
    with pytest.raises(ValueError, match="amount_error must be in"):
        reporting_error_band(BOOKS, STUDENTS, amount_error=1.0)


def test_stability_is_that_of_changes_between_consecutive_years_only():
    found = year_to_year_stability([2018, 2019, 2020, 2022, 2023], [0.5, 0.53, 0.51, 0.9, 0.8])
    changes = [0.03, -0.02, -0.1]
    assert found.n_changes == 3
    assert found.mean_change == pytest.approx(np.mean(changes))
    assert found.standard_deviation == pytest.approx(np.std(changes, ddof=1))
    assert found.largest_change == pytest.approx(0.1)


def test_stability_of_one_year_is_unknown():
    found = year_to_year_stability([2020, 2021], [0.5, np.nan])
    assert found.n_changes == 0
    assert np.isnan([found.mean_change, found.standard_deviation, found.largest_change]).all()


def test_a_county_of_300_schools_for_ten_years_takes_well_under_a_second():
    rng = np.random.default_rng(0)
    place = rng.choice(["urban", "town", "rural"], 300)
    start = time.perf_counter()
    for _ in range(70):
        enrolment = rng.integers(30, 2500, 300).astype(float)
        amount = enrolment * rng.lognormal(0, 0.5, 300)
        compute_coefficient_drivers(amount, enrolment)
        leave_one_out_range(amount, enrolment, limit=0.5)
        gini(amount, enrolment)
        decompose_theil(amount, enrolment, place)
        decompose_variance(amount, enrolment, place)
        coefficient_range(amount, amount, enrolment)
    assert time.perf_counter() - start < 2
