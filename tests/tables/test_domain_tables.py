"""Tables of verdicts and variation: what a reader finds in them."""

import numpy as np
import pandas as pd
import pytest

from tests.counties import make_county
from toolkit.data.checks import completeness
from toolkit.data.problems import Problem
from toolkit.data.reading import load_county
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.share import share_path
from toolkit.standards import load_readings, load_standard
from toolkit.tables import quality, variation, verdicts
from toolkit.tables.exhibit import TableExhibit
from toolkit.tables.html import table_html
from toolkit.variation.compliance import judge_resources
from toolkit.variation.locations import compare_locations
from toolkit.variation.readings import compare_readings
from toolkit.variation.school_drivers import compute_school_drivers
from toolkit.variation.sensitivities import compute_sensitivities
from toolkit.variation.series import compute_coefficient_trends
from toolkit.variation.yearly_change import compare_with_year_before

STANDARD = load_standard("national_2017")


def school(
    code: str, kind: str = "primary_school", ownership: str = "public", location: str = "urban"
) -> dict:
    return {
        "school_id": code,
        "school_name": f"第{code}小学",
        "school_type": kind,
        "ownership": ownership,
        "location": location,
    }


def school_year(code: str, year: int, scale: float, **changes) -> dict:
    row = {
        "school_id": code,
        "year": year,
        "enrolment_primary": 100,
        "teachers_primary": 20,
        "teachers_above_required_qualification_primary": 6 * scale,
        "backbone_teachers_primary": 2 * scale,
        "pe_teachers_primary": 1 * scale,
        "arts_teachers_primary": 1 * scale,
        "teaching_area": 700 * scale,
        "indoor_sports_area": 0,
        "gymnasium_area": 0,
        "sports_ground_area": 1000 * scale,
        "equipment_value": 300_000 * scale,
        "multimedia_rooms": 4 * scale,
    }
    return row | changes


@pytest.fixture(scope="module")
def county():
    schools = [
        school("1"),
        school("2", location="rural"),
        school("3", ownership="private"),
        school("4", kind="teaching_point", location="rural"),
        school("5", kind="teaching_point"),
    ]
    rows = [
        school_year(code, year, scale)
        for year in range(2021, 2026)
        for code, scale in (("1", 1.0), ("2", 1.5), ("3", 0.5), ("4", 3.0))
    ]
    rows[-3] |= {"equipment_value": None}
    rows.append(school_year("5", 2025, 1.0, enrolment_primary=20))
    return make_county(schools, rows)


@pytest.fixture(scope="module")
def resources(county):
    return compute_resource_indicators(county, STANDARD)


@pytest.fixture(scope="module")
def compliance(resources):
    return judge_resources(resources, year=2025)


@pytest.fixture(scope="module")
def readings(county, compliance):
    return compare_readings(county, compliance, load_readings("national_2017"))


def shown(exhibit: TableExhibit) -> str:
    return table_html(exhibit)


def test_verdicts_stand_beside_those_of_the_year_before(resources, compliance):
    change = compare_with_year_before(resources, compliance)
    before = judge_resources(resources, year=2024).stages.set_index("stage")
    row = verdicts.tabulate_yearly_change(change, "zh").data.set_index("stage").loc["primary"]
    assert row["n_fail_before"] == before.loc["primary", "n_fail"]
    assert row["n_coefficients_undecided_before"] == 0
    # Equipment value is missing in one school of 2025 only.
    assert (row["n_undecided"], row["n_undecided_before"]) == (1, 0)


def test_a_county_without_the_year_before_says_so(resources):
    first = judge_resources(resources, year=2021)
    exhibit = verdicts.tabulate_yearly_change(compare_with_year_before(resources, first), "zh")
    assert "数据中没有可比的上一学年。" in shown(exhibit)


def test_coefficients_stand_with_limit_margin_and_verdict(compliance, readings):
    exhibit = verdicts.tabulate_coefficients(compliance, readings, "zh")
    row = exhibit.data.set_index("indicator").loc["R4"]
    assert (row["limit"], row["margin"]) == (0.5, pytest.approx(0.5 - row["coefficient"]))
    assert "R4 生均教学及辅助用房面积" in shown(exhibit)


def test_a_coefficient_of_the_schools_that_report_is_marked_with_its_possible_range(compliance, readings):
    exhibit = verdicts.tabulate_coefficients(compliance, readings, "zh")
    marked = {
        exhibit.data["indicator"].iloc[mark.row] for mark in exhibit.marks if mark.mark == "provisional"
    }
    assert marked == {"R6"}
    ranges = exhibit.data.set_index("indicator")["range"]
    assert ranges["R4"] == ""
    assert "至" in ranges["R6"]


def test_a_verdict_that_hangs_on_a_doubtful_rule_is_marked(compliance, readings):
    exhibit = verdicts.tabulate_school_verdicts(compliance, readings, "zh")
    marked = {exhibit.data["school_id"].iloc[mark.row] for mark in exhibit.marks if mark.mark == "unsure"}
    assert "3" in marked
    assert "1" not in marked


def test_every_school_has_one_row_with_its_missed_indicators(compliance, readings):
    data = verdicts.tabulate_school_verdicts(compliance, readings, "zh").data.set_index("school_id")
    assert list(data.index) == ["1", "2", "3", "4"]
    assert data.loc["3", "missed"] == "、".join(f"R{number}" for number in (1, 4, 5, 6, 7))
    assert data.loc["1", "missed"] == ""


def test_unmet_indicators_name_value_minimum_and_whether_the_floor_is_missed(compliance):
    data = verdicts.tabulate_unmet(compliance, "zh").data
    row = data[(data["school_id"] == "3") & (data["indicator"] == "R6")].iloc[0]
    assert (row["value"], row["minimum"], row["below_floor"]) == (1500, 2000, True)


def test_schools_left_out_carry_their_reason_in_words(resources):
    page = shown(verdicts.tabulate_left_out(resources, 2025, "zh"))
    assert "第5小学" in page
    assert "不足50人的教学点" in page


def test_contributions_are_listed_largest_first(resources):
    drivers = compute_school_drivers(resources, year=2025)
    data = variation.tabulate_drivers(drivers, STANDARD, "zh").data
    own = data[data["indicator"] == "R4"]
    assert own["variance_share"].is_monotonic_decreasing
    assert own["school_id"].iloc[0] == "4"
    assert len(own) == variation.DRIVERS_PER_COEFFICIENT


def test_without_names_contributions_are_summed_up_over_all_schools(resources):
    drivers = compute_school_drivers(resources, year=2025)
    named, unnamed = (
        variation.tabulate_drivers(drivers, STANDARD, "zh", named=named) for named in (True, False)
    )
    assert unnamed.caption.key == named.caption.key
    row = unnamed.data.iloc[3]
    own = drivers.schools.query("indicator == 'R4'")
    shares = sorted(own["variance_share"], reverse=True)
    # Schools 1 to 4 with 7, 10.5, 3.5 and 21 m2 and a mean of 10.5: one above, one on it, two below.
    assert row["name"].startswith("R4")
    assert (row["n_schools"], row["n_below_mean"]) == (4, 2)
    assert row["largest_share"] == pytest.approx(10.5**2 / (10.5**2 + 3.5**2 + 7**2))
    assert row["below_mean_share"] == pytest.approx(1 - row["largest_share"])
    assert row["three_largest_share"] == pytest.approx(sum(shares[:3]))
    assert "school_name" not in unnamed.data


def test_without_names_additions_are_counted_by_what_they_do(resources):
    drivers = compute_school_drivers(resources, year=2025)
    data = variation.tabulate_additions(drivers, STANDARD, "zh", named=False).data
    own = drivers.schools.query("indicator == 'R4'")["unit_effect"].sort_values().to_numpy()
    row = data.iloc[3]
    assert (row["n_schools"], row["n_lowering"]) == (4, 3)
    assert row["effect_low"] == own[0] < 0 < own[-1] == row["effect_high"]
    assert row["effect_median"] == pytest.approx((own[1] + own[2]) / 2)


def test_without_names_deciding_schools_are_counted():
    schools = [school(str(code)) for code in range(9)]
    rows = [school_year(str(code), 2025, 1.0 if code else 4.2) for code in range(9)]
    resources = compute_resource_indicators(make_county(schools, rows), STANDARD)
    sensitivities = compute_sensitivities(resources, year=2025, reporting_error=0.02)
    shown_table = variation.tabulate_sensitivities(sensitivities, STANDARD, "zh", named=False)
    assert "deciding_schools" not in [column.name for column in shown_table.columns]
    counts = shown_table.data["n_deciding_schools"]
    assert counts.tolist() == [len(names) for names in sensitivities.table["deciding_schools"]]


def test_contributions_of_all_schools_add_up_to_one(resources):
    schools = compute_school_drivers(resources, year=2025).schools
    totals = schools.groupby("indicator")["variance_share"].sum()
    assert totals.to_numpy() == pytest.approx(1)


def test_the_coefficient_without_teaching_points_stands_beside_the_official_one(resources):
    sensitivities = compute_sensitivities(resources, year=2025, reporting_error=0.02)
    row = sensitivities.table.set_index("indicator").loc["R4"]
    # Schools 1, 2 and 3 with 7, 10.5 and 3.5 m2 and equal enrolment: mean 7, S = sqrt(24.5 / 3).
    assert row["without_teaching_points"] == pytest.approx((24.5 / 3) ** 0.5 / 7)
    assert row["error_low"] < row["coefficient"] < row["error_high"]
    assert row["n_changes"] == 4


def test_many_deciding_schools_are_counted_instead_of_listed():
    schools = [school(str(code)) for code in range(9)]
    rows = [school_year(str(code), 2025, 1.0 if code else 4.2) for code in range(9)]
    resources = compute_resource_indicators(make_county(schools, rows), STANDARD)
    sensitivities = compute_sensitivities(resources, year=2025, reporting_error=0.02)
    texts = variation.tabulate_sensitivities(sensitivities, STANDARD, "zh").data["deciding_schools"]
    assert all(len(text) < 60 for text in texts)


def test_means_by_location_are_ratios_of_totals(resources):
    comparison = compare_locations(resources, year=2025)
    data = variation.tabulate_locations(comparison, STANDARD, "zh").data.set_index("indicator")
    assert data.loc["R4", "rural"] == pytest.approx((10.5 + 21) / 2)
    assert data.loc["R4", "urban"] == pytest.approx((7 + 3.5) / 2)


def test_trends_use_complete_years_only_and_say_so_when_too_few(resources):
    trends = compute_coefficient_trends(resources, last_year=2025)
    points = trends.trends.set_index("indicator")["n_points"]
    assert (points["R4"], points["R6"]) == (5, 4)
    short = compute_coefficient_trends(resources, last_year=2023)
    words = variation.tabulate_trends(short, STANDARD, "zh").data["outlook"]
    assert set(words) == {"趋势不足（少于4个完整学年）"}


def test_a_year_without_all_schools_makes_no_claim_about_this_year(resources):
    trends = compute_coefficient_trends(resources, last_year=2025)
    outlook = trends.trends.set_index("indicator")["outlook"]
    assert outlook["R6"] == "year_incomplete"


@pytest.mark.parametrize(
    ("spreads", "outlook"),
    [
        ((3.0, 2.9, 2.8, 2.7, 2.6), "reaching"),
        ((3.0, 2.999, 2.998, 2.997, 2.996), "too_far"),
        ((2.6, 2.7, 2.8, 2.9, 3.0), "never"),
        ((4.0, 2.3, 2.4, 2.5, 2.6), "unsteady"),
        ((1.5, 1.4, 1.3, 1.2, 1.1), "met"),
        ((1.1, 1.2, 1.3, 1.4, 1.5), "met_rising"),
    ],
)
def test_a_projection_is_made_only_where_the_last_years_fall_towards_the_limit(spreads, outlook):
    # Two equal schools with 1 and 1 + d of a stock have the coefficient d / (2 + d), at the limit for d = 2.
    rows = [
        school_year(code, 2021 + at, 1.0 + (spread if code == "2" else 0.0))
        for at, spread in enumerate(spreads)
        for code in ("1", "2")
    ]
    resources = compute_resource_indicators(make_county([school("1"), school("2")], rows), STANDARD)
    trends = compute_coefficient_trends(resources, last_year=2025).trends
    assert trends.set_index("indicator").loc["R4", "outlook"] == outlook


def test_years_in_which_other_schools_count_are_named():
    schools = [school("1"), school("2"), school("3") | {"opened": 2023}]
    rows = [
        school_year(code, year, 1.0)
        for year in range(2021, 2026)
        for code in ("1", "2", "3")
        if code != "3" or year >= 2023
    ]
    resources = compute_resource_indicators(make_county(schools, rows), STANDARD)
    trends = compute_coefficient_trends(resources, last_year=2025)
    assert set(variation.tabulate_trends(trends, STANDARD, "zh").data["changed"]) == {"2023"}


def test_an_addition_to_a_combined_school_works_on_a_stage_with_its_share_only():
    schools = [school("1"), school("2", kind="nine_year_school")]
    rows = [
        school_year("1", 2025, 2.0),
        school_year("2", 2025, 1.0, enrolment_junior=100, teachers_junior=10),
    ]
    resources = compute_resource_indicators(make_county(schools, rows), STANDARD)
    drivers = compute_school_drivers(resources, year=2025).schools
    found = drivers.query("school_id == '2' and indicator == 'R7' and stage == 'primary'")[
        "unit_effect"
    ].item()
    # One room more: the primary part gets 1 / 2.1 of it.
    before, after = np.array([8, 4 / 2.1]), np.array([8, 5 / 2.1])
    assert found == pytest.approx(after.std() / after.mean() - before.std() / before.mean())


def test_thin_data_leave_empty_tables_and_no_error():
    county = make_county(
        [school("1", location=None), school("2", location=None)],
        [{"school_id": code, "year": 2025, "enrolment_primary": 100} for code in ("1", "2")],
    )
    resources = compute_resource_indicators(county, STANDARD)
    compliance = judge_resources(resources, year=2025)
    readings = compare_readings(county, compliance, load_readings("national_2017"))
    drivers = compute_school_drivers(resources, year=2025)
    comparison = compare_locations(resources, year=2025)
    sensitivities = compute_sensitivities(resources, year=2025, reporting_error=0.02)
    trends = compute_coefficient_trends(resources, last_year=2025)
    for exhibit in (
        variation.tabulate_drivers(drivers, STANDARD, "zh"),
        variation.tabulate_drivers(drivers, STANDARD, "zh", named=False),
        variation.tabulate_additions(drivers, STANDARD, "zh"),
        variation.tabulate_additions(drivers, STANDARD, "zh", named=False),
        variation.tabulate_inequality(comparison, STANDARD, "zh"),
        variation.tabulate_locations(comparison, STANDARD, "zh"),
        variation.tabulate_sensitivities(sensitivities, STANDARD, "zh"),
        variation.tabulate_trends(trends, STANDARD, "zh"),
        variation.tabulate_rules_tried(readings, STANDARD, "zh"),
    ):
        assert shown(exhibit)
    assert verdicts.tabulate_coefficients(compliance, readings, "zh").data["verdict"].eq("undecided").all()


def test_a_doubtful_rule_that_turns_a_verdict_is_printed_both_ways(readings):
    data = variation.tabulate_readings(readings, STANDARD, "zh").data
    private = data[(data["mark"] == "private_schools") & (data["school_id"] == "3")].iloc[0]
    assert private["verdict"] == "fail"
    assert pd.isna(private["other_verdict"])


def test_doubts_about_other_parts_of_the_standard_are_not_tried(readings):
    assert not {"retention_formula", "school_size_exception", "room_exceptions"} & set(readings.marks)
    assert "private_schools" in readings.marks


@pytest.fixture(scope="module")
def demo():
    return load_county(
        share_path("data", "demo_county.xlsx"), tables=("schools", "school_links", "school_years")
    )


def test_rows_read_are_those_used_and_left_out(demo):
    data = quality.tabulate_accounting(demo, "zh").data
    assert (data["rows_read"] == data["rows_used"] + data["rows_left_out"]).all()
    assert data["rows_read"].iloc[-1] == data["rows_read"].iloc[:-1].sum()


def test_columns_that_decide_verdicts_come_first_in_the_list_of_gaps(demo):
    data = quality.tabulate_completeness(completeness(demo, STANDARD), "zh").data
    assert data["decides"].iloc[:-1].is_monotonic_decreasing


def test_codes_of_persons_never_enter_the_list_of_problems():
    problem = Problem(
        "rotations_overlap", "warning", table="rotations", cell="A7", values=(("teacher", "T990101007"),)
    )
    page = shown(quality.tabulate_problems((problem,), "zh"))
    assert "T990101007" not in page
    assert "A7" in page


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_code_name_is_visible_in_the_quality_tables(demo, language):
    pages = [
        shown(quality.tabulate_accounting(demo, language)),
        shown(quality.tabulate_conversions(demo, language)),
        shown(quality.tabulate_problem_counts(demo.problems, language)),
        shown(quality.tabulate_problems(demo.problems, language)),
    ]
    for page in pages:
        assert "header_row" not in page
        assert "school_years" not in page
