"""Tables, figures and findings of targets and changes: what a reader finds in them."""

import numpy as np
import pandas as pd
import pytest

from tests.counties import make_county
from toolkit.data.county import County
from toolkit.data.schema import TABLES, conform
from toolkit.figures import changes as change_figures
from toolkit.figures import targets as target_figures
from toolkit.figures.theme import missing_in_figure
from toolkit.indicators.items import compute_items
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.reporting.target_findings import find_changes, find_targets
from toolkit.standards import format_requirement, load_standard
from toolkit.tables import changes as change_tables
from toolkit.tables import targets as target_tables
from toolkit.tables.html import table_html
from toolkit.variation.breaks import declared_breaks
from toolkit.variation.changes import decompose_changes
from toolkit.variation.limit_series import compute_limit_series
from toolkit.variation.targets import judge_targets

STANDARD = load_standard("national_2017")
TARGET_TABLES = (
    target_tables.tabulate_targets,
    target_tables.tabulate_target_counts,
    target_tables.tabulate_targets_absent,
    target_tables.tabulate_target_units,
    target_tables.tabulate_plan_demands,
)
TREND_TABLES = (
    change_tables.tabulate_mean_trends,
    change_tables.tabulate_coefficient_trends,
    change_tables.tabulate_item_trends,
    change_tables.tabulate_breaks,
)
CHANGE_TABLES = (change_tables.tabulate_mean_changes, change_tables.tabulate_coefficient_changes)


def yearly(code, year, students, area):
    return {
        "school_id": code, "year": year, "enrolment_primary": students, "teachers_primary": 20,
        "trained_teachers_primary": 12 + (year - 2021), "sports_ground_area": area, "gymnasium_area": 0,
        "indoor_sports_area": 0, "teaching_area": 900, "equipment_value": 200_000, "multimedia_rooms": 9,
    }  # fmt: skip


@pytest.fixture(scope="module")
def county():
    schools = [
        {"school_id": code, "school_name": f"第{code}小学", "school_type": "primary_school",
         "ownership": "public", "location": "urban", "town": "城关镇"}
        for code in "12"
    ]  # fmt: skip
    rows = [yearly(code, year, 100 if year < 2025 else 80, 700 + 200 * at)
            for year in range(2021, 2026) for at, code in enumerate("12")]  # fmt: skip
    made = make_county(schools, rows)
    entered = [
        {"year": 2023, "item": "break:R5", "item_name": "改按新口径统计"},
        *({"year": year, "item": "HP-25", "item_value": 5.0} for year in (2024, 2025)),
    ]
    table = conform(pd.DataFrame(entered), TABLES["county_years"])
    return County(made.county_id, made.name, {**made.tables, "county_years": table})


@pytest.fixture(scope="module")
def results(county):
    resources = compute_resource_indicators(county, STANDARD)
    items, breaks = compute_items(county, STANDARD), declared_breaks(county)
    return {
        "targets": judge_targets(
            county, load_standard("heping"), resources=resources, items=items, year=2025
        ),
        "none": judge_targets(county, None, resources=resources, items=items, year=2025),
        "series": compute_limit_series(resources, items=items, last_year=2025, breaks=breaks),
        "changes": decompose_changes(resources, last_year=2025, breaks=breaks),
    }


@pytest.mark.parametrize("tabulate", TARGET_TABLES, ids=lambda function: function.__name__)
def test_tables_of_targets_have_the_same_rows_in_both_languages(results, tabulate):
    for name in ("targets", "none"):
        tables = [tabulate(results[name], language) for language in ("zh", "en")]
        assert len(tables[0].data) == len(tables[1].data)
        assert all(table_html(table) for table in tables)
    assert "未选择地方工作方案" in table_html(tabulate(results["none"], "zh"))


def test_every_target_is_a_row_with_its_words_and_the_rule_stands_below(results):
    table = target_tables.tabulate_targets(results["targets"], "zh")
    by_number = table.data.set_index("target_number")
    assert len(by_number) == 29
    assert by_number["target_quotation"].map(len).min() > 0
    assert by_number.loc["HP-14", "target_now"] == "2/2达到（最不利值8.75平方米/生）"
    assert by_number.loc["HP-25", "target_now"] == "5所/年"
    assert "县级录入" in by_number.loc["HP-25", "target_remark"]
    assert "期限已过" in by_number.loc["HP-06", "target_deadline"]
    assert "最小二乘斜率" in table.caption.notes[0]


def test_the_page_has_few_columns_of_a_target_and_the_files_all(results):
    table = target_tables.tabulate_targets(results["targets"], "zh")
    printed = [column.name for column in table.printed_columns]
    assert len(printed) <= 8
    html = table_html(table)
    for row in table.data.to_dict("records"):
        assert row["target_quotation"] in html
    assert "2025/2026" in table.caption.notes[1]
    assert {"target_quotation", "target_outlook", "stage", "year"} <= set(table.tidy().columns) - set(printed)


def test_a_rank_is_named_and_not_counted(results):
    rank = load_standard("heping").target("HP-02")
    assert (format_requirement(rank, "zh"), format_requirement(rank, "en")) == (
        "3级及以上",
        "rank 3 or better",
    )


def test_counts_add_up_to_the_targets(results):
    data = target_tables.tabulate_target_counts(results["targets"], "en").data
    parts = [name for name in target_tables.COUNTS if name not in ("n_on_track", "n_off_track")]
    assert (data[parts].sum(axis=1) == data["n_targets"]).all()
    assert data["n_targets"].iloc[-1] == 29 == data["n_targets"].iloc[:-1].sum()


def test_targets_without_data_say_what_they_need(results):
    data = target_tables.tabulate_targets_absent(results["targets"], "zh").data.set_index("target_number")
    assert data.loc["HP-23", "target_needs"] == "艺术学科带头人培养名单"
    assert "项目" in data.loc["HP-08", "target_needs"]
    assert "HP-25" not in data.index


@pytest.mark.parametrize("tabulate", TREND_TABLES, ids=lambda function: function.__name__)
def test_tables_of_trends_have_the_same_rows_in_both_languages(results, tabulate):
    tables = [tabulate(results["series"], STANDARD, language) for language in ("zh", "en")]
    assert len(tables[0].data) == len(tables[1].data) > 0
    assert all(table_html(table) for table in tables)


def test_a_declared_break_is_listed_and_stands_beside_its_trend(results):
    breaks = change_tables.tabulate_breaks(results["series"], STANDARD, "zh").data
    assert breaks.to_numpy().tolist() == [["R5 生均体育运动场馆面积", 2023, "改按新口径统计"]]
    means = change_tables.tabulate_mean_trends(results["series"], STANDARD, "zh").data
    sports = means[means["series_name"].str.startswith("R5")].iloc[0]
    assert (sports["break_years"], sports["outlook"]) == ("2023/2024", "趋势不足（少于4个可比学年）")


def test_shares_are_printed_in_percent(results):
    items = change_tables.tabulate_item_trends(results["series"], STANDARD, "en").data
    trained = items[items["series_name"].str.startswith("G09")].iloc[0]
    assert (trained["last_value"], trained["limit"], trained["unit"]) == (80, 100, "%")
    assert trained["slope"] == pytest.approx(5)


@pytest.mark.parametrize("tabulate", CHANGE_TABLES, ids=lambda function: function.__name__)
def test_the_printed_parts_of_a_change_add_up(results, tabulate):
    data = tabulate(results["changes"], STANDARD, "zh").data.dropna(subset="change")
    parts = [name for name in change_tables.PARTS if name in data]
    assert len(data)
    assert np.allclose(data[parts].sum(axis=1), data["change"], atol=1e-12)


def test_figures_have_all_their_characters_and_an_alternative_text(results):
    series, changes = results["series"], results["changes"]
    for language in ("zh", "en"):
        exhibits = [
            change_figures.plot_mean_series(series, STANDARD, language),
            change_figures.plot_coefficient_series(series, STANDARD, language),
            change_figures.plot_item_series(series, STANDARD, language),
            change_figures.plot_mean_changes(changes, STANDARD, language),
            change_figures.plot_coefficient_changes(changes, STANDARD, language),
            target_figures.plot_targets(results["targets"], language),
            target_figures.plot_targets(results["none"], language),
        ]
        for exhibit in exhibits:
            assert exhibit.alt
            assert missing_in_figure(exhibit.figure) == ()


def test_a_line_is_cut_at_a_break(results):
    figure = change_figures.plot_mean_series(results["series"], STANDARD, "zh").figure
    panel = next(axes for axes in figure.axes if axes.get_title(loc="left").startswith("R5"))
    joined = [
        line.get_xdata() for line in panel.lines if line.get_linestyle() == "-" and len(line.get_xdata()) > 1
    ]
    assert [list(part) for part in joined] == [[2021, 2022], [2023, 2024, 2025]]


def test_findings_count_the_targets_and_name_those_not_met(results):
    found = {finding.id: finding for finding in find_targets(results["targets"])}
    counts = {number.name: number.value for number in found["target_counts"].numbers}
    table = results["targets"].table
    assert counts["targets_met"] == (table["verdict"] == "pass").sum()
    assert counts["targets_count"] == 29
    assert all(number.table for finding in found.values() for number in finding.numbers)
    named = {name for name in found if name.startswith("target_not_met_")}
    assert named <= {f"target_not_met_{code}" for code in table.loc[table["verdict"] == "fail", "target"]}


def test_without_a_plan_one_finding_says_so(results):
    (finding,) = find_targets(results["none"])
    assert "No local plan" in finding.en


def test_findings_tell_means_that_rose_by_enrolment_alone_from_others(results):
    found = {finding.id: finding for finding in find_changes(results["changes"], results["series"], STANDARD)}
    numbers = {number.name: number.value for number in found["mean_changes_primary"].numbers}
    assert numbers["means_fallen"] == 0
    assert numbers["means_risen"] > 0
    assert found["breaks"].numbers[0].value == 1
