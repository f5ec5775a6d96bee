"""Series against limits: slopes, breaks, standards that are never joined, years that are not complete."""

import numpy as np
import pandas as pd
import pytest

from tests.counties import make_county
from toolkit.data.county import County
from toolkit.data.schema import TABLES, conform
from toolkit.indicators.items import compute_items
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.standards import load_standard
from toolkit.variation.breaks import Break, break_years, breaks_of, declared_breaks
from toolkit.variation.limit_series import compute_limit_series, series_breaks

NEW, OLD = load_standard("national_2017"), load_standard("national_2012")
YEARS = range(2018, 2026)


def county_with(teachers, *, entered=(), missing=()):
    """Return two primary schools of 100 pupils; `teachers` of both by year."""
    schools = [{"school_id": code, "school_type": "primary_school", "ownership": "public"} for code in "ab"]
    rows = [
        {"school_id": code, "year": year, "enrolment_primary": 100,
         "teachers_above_required_qualification_primary":
             np.nan if (code, year) in missing else count + (1 if code == "a" else -1),
         "teachers_primary": 10, "trained_teachers_primary": 9}
        for year, count in zip(YEARS, teachers, strict=False)
        for code in "ab"
    ]  # fmt: skip
    county = make_county(schools, rows)
    table = conform(pd.DataFrame(list(entered)), TABLES["county_years"])
    return County(county.county_id, county.name, {**county.tables, "county_years": table})


def series_of(county, *, breaks=(), last_year=2025, standards=(NEW,)):
    resources = [compute_resource_indicators(county, standard) for standard in standards]
    items = compute_items(county, standards[0], only=["G08", "G09", "Q9b"])
    return compute_limit_series(*resources, items=items, last_year=last_year, breaks=breaks)


def trend(found, code="R1", subject="mean"):
    own = found.trends[(found.trends["code"] == code) & (found.trends["subject"] == subject)]
    return own.iloc[0]


def test_mean_moves_by_its_slope_to_the_year_that_reaches_the_minimum():
    # 2.0, 2.1 ... 2.7 teachers per 100 against 4.2: 15 more years, more than the ten that are told.
    found = trend(series_of(county_with([2 + 0.1 * at for at in range(8)])))
    assert (found["slope"], found["limit"]) == (pytest.approx(0.1), 4.2)
    assert (found["reaching_year"], found["outlook"]) == (2040, "too_far")
    sooner = trend(series_of(county_with([2 + 0.2 * at for at in range(8)])))
    assert (sooner["reaching_year"], sooner["outlook"]) == (2029, "reaching")


def test_a_mean_above_the_minimum_that_falls_below_it_within_ten_years_is_leaving():
    falling = trend(series_of(county_with([6 - 0.2 * at for at in range(8)])))
    assert (falling["is_met"], falling["outlook"]) == ("pass", "met_leaving")
    slowly = trend(series_of(county_with([6 - 0.001 * at for at in range(8)])))
    assert slowly["outlook"] == "met"


def test_a_mean_that_does_not_rise_is_never_reached():
    assert trend(series_of(county_with([3.0] * 8)))["outlook"] == "never"


def test_a_mean_that_rose_long_ago_but_not_of_late_is_not_projected():
    # Report 02 says the same of its coefficients: one report must not answer twice.
    found = trend(series_of(county_with([2.0, 2.6, 3.2, 3.8, 4.0, 3.9, 3.9, 3.8])))
    assert (found["outlook"], found["slope"] > 0) == ("unsteady", True)


def test_three_years_are_not_a_trend():
    found = trend(series_of(county_with([2, 3, 4]), last_year=2020))
    assert (found["n_points"], found["outlook"]) == (3, "insufficient")


def test_a_trend_starts_at_the_last_break_of_its_indicator():
    county = county_with([9, 9, 9, 2.0, 2.1, 2.2, 2.3, 2.4])
    cut = trend(series_of(county, breaks=[Break("R1", 2021, "")]))
    assert (cut["first_year"], cut["n_points"], cut["n_points_before_break"]) == (2021, 5, 3)
    assert cut["slope"] == pytest.approx(0.1)
    assert cut["breaks"] == (2021,)
    other = trend(series_of(county, breaks=[Break("R5", 2021, "")]))
    assert (other["n_points"], other["breaks"]) == (8, ())
    every = trend(series_of(county, breaks=[Break("all", 2021, "")]))
    assert every["first_year"] == 2021


def test_after_a_late_break_nothing_is_said():
    found = trend(series_of(county_with([3.0] * 8), breaks=[Break("R1", 2023, "")]))
    assert (found["n_points"], found["outlook"]) == (3, "insufficient")


def test_a_year_in_which_a_school_does_not_report_is_shown_but_does_not_enter():
    found = series_of(county_with([3.0] * 8, missing={("a", 2025)}))
    rows = found.series[(found.series["code"] == "R1") & (found.series["subject"] == "mean")]
    assert rows["is_complete"].tolist() == [True] * 7 + [False]
    assert (trend(found)["last_year"], trend(found)["outlook"]) == (2024, "year_incomplete")


def test_two_standards_have_two_series_and_none_joins_them():
    found = series_of(county_with([3.0] * 8), standards=(NEW, OLD))
    coefficients = found.trends[found.trends["subject"] == "coefficient"]
    by_standard = coefficients.groupby("standard")["n_points"].max()
    assert set(by_standard.index) == {"national_2017", "national_2012"} & set(by_standard.index)
    for _, own in found.series.groupby(["standard", "subject", "code", "stage", "entry"]):
        assert own["standard"].nunique() == 1
        assert not own["year"].duplicated().any()


def test_items_of_the_school_tables_and_entered_ones_are_followed():
    entered = [
        {"year": year, "item": "G08", "item_numerator": 90 + at, "item_denominator": 100}
        for at, year in enumerate(range(2022, 2026))
    ]
    found = series_of(county_with([3.0] * 8, entered=entered))
    trained = trend(found, "G09", "item")
    assert (trained["last_value"], trained["is_met"], trained["outlook"]) == (0.9, "fail", "never")
    pay = trend(found, "G08", "item")
    assert pay["slope"] == pytest.approx(0.01)
    assert pay["reaching_year"] == 2032


def test_a_strict_limit_is_not_met_at_the_limit():
    entered = [
        {"year": year, "item": "Q9b", "subject": "chinese", "item_value": 0.15} for year in range(2022, 2026)
    ]
    found = trend(series_of(county_with([3.0] * 8, entered=entered)), "Q9b", "item")
    assert (found["entry"], found["is_met"]) == ("chinese", "fail")


def test_later_years_than_the_report_do_not_enter():
    found = series_of(county_with([3.0] * 8), last_year=2023)
    assert found.series["year"].max() == 2023


def test_breaks_are_read_from_the_county_items():
    entered = [
        {"year": 2021, "item": "break:R5", "item_name": "体育馆改按使用面积"},
        {"year": 2020, "item": "break:all", "evidence": "区划调整"},
        {"year": 2021, "item": "G08", "item_numerator": 1},
    ]
    found = declared_breaks(county_with([3.0] * 8, entered=entered))
    assert [(entry.code, entry.year, entry.text) for entry in found] == [
        ("all", 2020, "区划调整"),
        ("R5", 2021, "体育馆改按使用面积"),
    ]
    assert break_years(found, "R5") == (2020, 2021)
    assert break_years(found, "R1") == (2020,)
    assert breaks_of(found, "r5") == found


def test_a_county_without_that_table_declares_nothing():
    county = county_with([3.0] * 8)
    bare = County(
        county.county_id, county.name, {name: county.tables[name] for name in ("schools", "school_years")}
    )
    assert declared_breaks(bare) == ()


def test_only_breaks_inside_the_years_of_the_series_are_drawn():
    found = series_of(county_with([3.0] * 8), breaks=[Break("R1", 2010, ""), Break("R1", 2022, "")])
    assert [entry.year for entry in series_breaks(found, "R1")] == [2022]
