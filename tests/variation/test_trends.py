"""Trends against a limit: exact lines, breaks, and too few points."""

import numpy as np
import pytest

from toolkit.errors import DesignError
from toolkit.variation.trends import trend_against_limit

YEARS = [2019, 2020, 2021, 2022, 2023]


def test_recovers_the_slope_of_a_line_and_the_year_it_reaches_the_limit():
    values = [0.80, 0.75, 0.70, 0.65, 0.60]
    trend = trend_against_limit(YEARS, values, 0.5, "at_most", deadline=2025)
    assert trend.slope == pytest.approx(-0.05)
    assert trend.reaching_year == 2025
    assert trend.outlook == "on_track"
    assert trend_against_limit(YEARS, values, 0.5, "at_most", deadline=2024).outlook == "off_track"


def test_slope_is_the_least_squares_one():
    values = [0.9, 0.7, 0.8, 0.4, 0.6]
    expected = np.polyfit(YEARS, values, 1)[0]
    assert trend_against_limit(YEARS, values, 0.5, "at_most").slope == pytest.approx(expected)


def test_projection_starts_at_the_last_observed_value():
    values = [0.9, 0.7, 0.8, 0.4, 0.6]
    slope = np.polyfit(YEARS, values, 1)[0]
    trend = trend_against_limit(YEARS, values, 0.5, "at_most")
    assert trend.reaching_year == 2023 + np.ceil((0.5 - 0.6) / slope)


def test_a_value_that_must_rise_is_projected_upwards():
    trend = trend_against_limit(YEARS, [80, 82, 84, 86, 88], 95, "at_least", deadline=2026)
    assert trend.reaching_year == 2027
    assert trend.outlook == "off_track"


def test_a_slope_that_leads_away_never_reaches_the_limit():
    trend = trend_against_limit(YEARS, [0.5, 0.52, 0.54, 0.56, 0.58], 0.45, "at_most", deadline=2035)
    assert trend.reaching_year == np.inf
    assert trend.outlook == "off_track"


def test_a_series_that_keeps_the_limit_now_but_is_leaving_it_is_off_track():
    trend = trend_against_limit(YEARS, [0.30, 0.34, 0.38, 0.42, 0.46], 0.5, "at_most", deadline=2026)
    assert trend.is_met
    assert trend.reaching_year == 2023
    assert trend.outlook == "off_track"


def test_three_points_are_not_a_trend():
    trend = trend_against_limit(YEARS[:3], [0.6, 0.55, 0.5], 0.5, "at_most", deadline=2025)
    assert trend.outlook == "insufficient"
    assert np.isnan(trend.slope)
    assert np.isnan(trend.reaching_year)
    assert trend.is_met


def test_missing_values_do_not_count_as_points():
    trend = trend_against_limit(YEARS, [0.6, np.nan, 0.5, np.nan, 0.4], 0.5, "at_most")
    assert trend.n_points == 3
    assert trend.outlook == "insufficient"


def test_parts_before_and_after_a_break_are_never_joined():
    years = range(2014, 2023)
    before, after = [0.9, 0.9, 0.9, 0.9, 0.9], [0.5, 0.49, 0.48, 0.47]
    trend = trend_against_limit(years, before + after, 0.45, "at_most", breaks=[2019])
    assert trend.slope == pytest.approx(-0.01)
    assert (trend.first_year, trend.n_points, trend.n_points_before_break) == (2019, 4, 5)
    late_break = trend_against_limit(years, before + after, 0.45, "at_most", breaks=[2019, 2022])
    assert late_break.outlook == "insufficient"


def test_the_order_of_the_years_does_not_matter():
    mixed = trend_against_limit([2022, 2019, 2021, 2020], [0.6, 0.9, 0.7, 0.8], 0.5, "at_most")
    assert mixed.slope == pytest.approx(-0.1)
    assert mixed.last_value == 0.6


def test_a_deadline_before_the_last_year_is_named_as_passed():
    trend = trend_against_limit(YEARS, [0.9, 0.8, 0.7, 0.6, 0.5], 0.5, "at_most", deadline=2022)
    assert trend.outlook == "deadline_passed"


def test_refuses_two_standards_in_one_series():
    standards = ["national_2012", "national_2012", "national_2017", "national_2017"]
    with pytest.raises(DesignError, match="national_2012, national_2017"):
        trend_against_limit(YEARS[:4], [1, 2, 3, 4], 3, "at_most", standards=standards)


def test_refuses_a_year_twice_and_an_empty_series():
    with pytest.raises(DesignError, match="2020 occurs more than once"):
        trend_against_limit([2019, 2020, 2020], [1, 2, 3], 3, "at_most")
    with pytest.raises(DesignError, match="no known value"):
        trend_against_limit([2019, 2020], [np.nan, np.nan], 3, "at_most")
