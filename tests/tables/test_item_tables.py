"""Tables, figure and findings of the items: what a reader finds in them."""

from dataclasses import replace

import pandas as pd
import pytest

from tests.counties import make_county
from tests.variation.test_items import (
    SCHOOLS,
    STANDARD,
    build,
    entered,
    junior_year,
    resource_columns,
    without,
    year_of,
)
from toolkit.data.county import Reading
from toolkit.figures.items import plot_class_sizes
from toolkit.figures.theme import figure_png
from toolkit.indicators.class_sizes import compute_class_sizes
from toolkit.indicators.items import compute_items
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.reporting.item_findings import find_items, findings_of_part
from toolkit.standards import load_readings
from toolkit.tables import item_evidence, item_units
from toolkit.tables import items as item_tables
from toolkit.tables.html import table_html
from toolkit.variation.compliance import judge_resources
from toolkit.variation.county_verdict import judge_county
from toolkit.variation.item_readings import compare_item_readings
from toolkit.variation.items import judge_items


class Case:
    """A county with all that is shown of its items."""

    def __init__(self, county):
        self.county = county
        self.items = judge_items(compute_items(county, STANDARD), year=2025)
        resources = judge_resources(compute_resource_indicators(county, STANDARD), year=2025)
        self.verdict = judge_county(resources, self.items)
        self.readings = compare_item_readings(county, self.items, load_readings("national_2017"))
        self.sizes = compute_class_sizes(county, year=2025)
        self.drawn = {}

    def tables(self, language):
        if language not in self.drawn:
            self.drawn[language] = self.draw(language)
        return self.drawn[language]

    def draw(self, language):
        nothing = Reading(self.county, (), None, None, None, {})
        return [
            item_tables.tabulate_item_parts(self.verdict, language),
            item_tables.tabulate_item_overview(self.verdict, self.readings, language),
            item_tables.tabulate_government_items(self.items, language),
            item_tables.tabulate_quality_items(self.items, language),
            item_tables.tabulate_monitoring(self.items, language),
            item_tables.tabulate_social_items(self.items, self.county, language),
            item_units.tabulate_missed_units(self.items, language),
            item_units.tabulate_class_sizes(self.sizes, language),
            item_units.tabulate_school_sizes(self.items, self.county, language),
            item_units.tabulate_item_special_cases(self.items, language),
            item_evidence.tabulate_item_evidence(self.items, language),
            item_evidence.tabulate_item_differences(self.items, language),
            item_evidence.tabulate_item_open(self.verdict, nothing, language),
            item_evidence.tabulate_item_readings(self.readings, self.items, language),
        ]


@pytest.fixture(scope="module")
def case():
    """One school lacks a music room, its training funds are missing, and the county claims all certified."""
    changes = {"music_rooms_96": 1, "training_funds": None, "certified_teachers_primary": 49}
    first = resource_columns() | changes
    rows = [*without("G01"), entered("G12", item_value=1.0)]
    return Case(build(first, resource_columns(), county_years=rows))


@pytest.fixture(scope="module")
def thin():
    rows = [year_of("1", **resource_columns()), junior_year("2", **resource_columns())]
    return Case(make_county(SCHOOLS, rows))


def cell(exhibit, name, column):
    data = exhibit.data
    row = data[data[data.columns[0] if "item_number" not in data else "item_number"].str.startswith(name)]
    return row[column].iloc[0]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_table_is_drawn_in_both_languages_with_and_without_the_optional_tables(case, thin, language):
    for one in (case, thin):
        for exhibit in one.tables(language):
            assert "nan" not in table_html(exhibit)
            assert exhibit.caption.title


def test_overview_has_32_items_then_prerequisite_and_vetoes(case):
    table = item_tables.tabulate_item_overview(case.verdict, case.readings, "zh")
    assert table.data["item_number"].tolist()[:8] == [*(f"R{number}" for number in range(1, 8)), "G01"]
    assert len(table.data) == 32 + 5
    assert "32" in table.caption.title
    assert cell(table, "G03", "verdict") == "fail"
    assert cell(table, "Q4", "verdict") == "undecided"
    # The quota of special education is in doubt, and 8,000 yuan would not be reached.
    marked = {table.data["item_number"].iloc[mark.row] for mark in table.marks if mark.mark == "unsure"}
    assert marked == {"G07"}


def test_government_table_shows_both_denominators_of_rotation_and_judges_one(case):
    data = item_tables.tabulate_government_items(case.items, "zh").data
    rotation = data[data["item_number"].str.startswith("G11a")]
    assert rotation["item_numerator"].tolist() == [12, 12]
    assert rotation["item_denominator"].tolist() == [100, 100]
    assert rotation["verdict"].tolist()[0] == "pass"
    assert rotation["verdict"].isna().tolist() == [False, True]
    assert rotation["item_result"].tolist() == ["12.00%", "12.00%"]


def test_the_numbers_of_a_formula_stand_below_it(case):
    table = item_tables.tabulate_government_items(case.items, "zh")
    rotation = table.data[table.data["item_number"].str.startswith("G11a")]
    assert rotation["item_fraction"].tolist() == ["12 ÷ 100", "12 ÷ 100"]
    assert "<br><small>12 ÷ 100</small>" in table_html(table)
    assert "counted_above" not in [column.name for column in table.printed_columns]


def test_special_cases_are_signs_that_a_note_explains(case):
    rows = pd.DataFrame(
        [
            ("G03b", "甲校", name, 96.0, 73.0, ())
            for name in ("rooms_built_by_2016",) * 2 + ("school_size_2400",)
        ],
        columns=["item", "school_name", "case", "standard_limit", "limit", "reason"],
    )
    table = item_units.tabulate_item_special_cases(replace(case.items, special_cases=rows), "zh")
    assert table.data["case_sign"].tolist() == ["①", "①", "②"]
    for sign, name in zip(table.data["case_sign"], table.data["case"], strict=True):
        assert f"{sign} {name}" in "".join(table.caption.notes)
        assert table_html(table).count(name) == 1


def test_quality_table_names_the_retention_formula_in_words(case):
    data = item_tables.tabulate_quality_items(case.items, "en").data
    words = data.loc[data["item_number"].str.startswith("Q1"), "item_formula"].tolist()
    assert len(words) == 2
    assert "÷" in words[0]
    assert "Deceased" in words[0]
    assert "Transferred" in words[1]


def test_social_table_has_response_rates_and_a_judged_total(case):
    data = item_tables.tabulate_social_items(case.items, case.county, "zh").data
    assert data["response_rate"].round(12).tolist() == [0.9] * 8
    assert data["satisfied_share"].iloc[-1] == pytest.approx(80 / 90)
    assert data["verdict"].iloc[-1] == "pass"
    assert data["verdict"].iloc[:-1].isna().all()


def test_missed_units_name_the_school_what_there_is_and_the_limit(case):
    data = item_units.tabulate_missed_units(case.items, "zh").data
    rooms = data[data["item_number"].str.startswith("G03b")].iloc[0]
    assert (rooms["school_name"], rooms["applied_limit"], rooms["verdict"]) == ("第1小学", 96, "fail")
    assert "1间" in rooms["unit_result"]
    assert "2间" in rooms["unit_result"]
    assert data.loc[data["item_number"].str.startswith("Q4"), "verdict"].tolist() == ["undecided"]


def test_open_table_names_the_rows_to_fill(case):
    nothing = Reading(case.county, (), None, None, None, {})
    data = item_evidence.tabulate_item_open(case.verdict, nothing, "zh").data
    assert sorted(data["row_named"]) == ["G01", "第1小学"]


def test_a_different_entered_number_is_listed(case):
    data = item_evidence.tabulate_item_differences(case.items, "zh").data
    assert data["computed_value"].tolist() == [0.99]
    assert data["entered_value"].tolist() == [1.0]


def test_class_sizes_count_every_class_once_in_each_division(case):
    table = case.sizes.table.set_index(["stage", "kind"])
    assert table.loc[("primary", "all_classes"), "n_classes"] == 24
    assert table.loc[("primary", "all_classes"), "class_size_up_to_45"] == 24
    assert table.loc[("junior", "public"), "class_size_46_50"] == 18
    assert table.loc[("junior", "urban"), "class_size_66_up"] == 0
    assert set(table["class_size_unknown"]) == {0}


def test_figure_of_class_sizes_is_drawn_without_classes_too(case, thin):
    for one, count in ((case, "42"), (thin, "0")):
        exhibit = plot_class_sizes(one.sizes, STANDARD, "zh")
        assert count in exhibit.alt
        assert figure_png(exhibit.figure)


def test_findings_give_the_verdict_on_each_part_and_each_failed_or_open_item(case):
    found = {finding.id: finding for finding in find_items(case.verdict, case.readings)}
    assert found["items_county"].status == "fail"
    assert found["items_part_government"].status == "fail"
    assert found["items_part_quality"].status == "undecided"
    assert found["items_part_social"].status == "pass"
    assert "第1小学" in found["item_G03b"].zh
    assert "99.00%" in found["item_G12"].zh
    assert found["open_G01"].kind == "not_judged"
    assert "training" in found["open_Q4"].en.lower()
    assert found["item_reading_special_education_quota_G07"].kind == "limit"
    assert "item_differences" in found
    assert all(number.table for finding in found.values() for number in finding.numbers)


def test_findings_of_the_public_edition_name_no_failing_school(case):
    for finding in find_items(case.verdict, case.readings, edition="public"):
        assert "第1小学" not in finding.zh


def test_tables_named_by_findings_exist(case, thin):
    for one in (case, thin):
        keys = {exhibit.caption.key for exhibit in one.tables("zh")}
        named = {
            number.table for finding in find_items(one.verdict, one.readings) for number in finding.numbers
        }
        assert named <= keys


def test_headlines_name_the_failed_items_and_what_is_not_judged(case):
    found = {finding.id: finding for finding in find_items(case.verdict, case.readings)}
    assert "G12" in found["items_part_government"].zh
    assert found["items_part_government"].kind == "headline"
    assert found["item_G12"].kind == "finding"
    assert found["items_not_judged"].kind == "not_judged"
    nearest = [number.name for number in found["binding_coefficients"].numbers]
    assert 0 < sum(name.endswith("_coefficient") for name in nearest) <= 3


def test_findings_of_a_part_are_those_on_its_own_items(case):
    found = find_items(case.verdict, case.readings)
    quality = {finding.id for finding in findings_of_part(found, STANDARD, "quality")}
    government = {finding.id for finding in findings_of_part(found, STANDARD, "government")}
    assert "open_Q4" in quality
    assert {"item_G12", "open_G01", "item_differences"} <= government
    assert not quality & government
    assert not {"items_county", "items_part_quality"} & (quality | government)


def test_evidence_lists_items_judged_from_it_or_entered_with_it(case):
    data = item_evidence.tabulate_item_evidence(case.items, "zh").data
    assert (data["verdict_decides"] | (data["evidence"] != "") | (data["entered_verdict"] != "")).all()
    assert len(data) < len(case.items.items)
