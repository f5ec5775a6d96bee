"""The table of every school's indicators with what they are made of."""

import math

import pytest

from tests.counties import make_county
from tests.reporting.compared import FIGURES, SCHOOL
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.standards import load_standard
from toolkit.tables.school_values import tabulate_school_values
from toolkit.variation.compliance import judge_resources

# 300 primary and 200 junior students share 1,560 m2: 300 weigh 1 each, 200 weigh 1.1.
COMBINED = {
    **FIGURES,
    "school_id": "1",
    "enrolment_primary": 300,
    "enrolment_junior": 200,
    "teaching_area": 1560,
    "equipment_value": math.nan,
}
RURAL = {
    **FIGURES,
    "school_id": "2",
    "enrolment_primary": 80,
    "pe_teachers_primary": 1,
    "arts_teachers_primary": 0,
    "visiting_pe_arts_teachers_primary": 2,
}


@pytest.fixture(scope="module")
def table():
    schools = [
        {**SCHOOL, "school_id": "1", "school_name": "甲学校", "school_type": "nine_year_school"},
        {**SCHOOL, "school_id": "2", "school_name": "乙小学", "location": "rural"},
    ]
    county = make_county(schools, [COMBINED, RURAL])
    resources = compute_resource_indicators(county, load_standard("national_2017"))
    exhibit = tabulate_school_values(judge_resources(resources, year=2025), resources, "zh")
    return exhibit.tidy().set_index(["school_id", "stage", "indicator"])


def test_a_shared_stock_is_the_part_of_the_stage(table):
    primary, junior = (table.loc["1", stage, "R4"] for stage in ("primary", "junior"))
    assert primary["stock"] == pytest.approx(1560 * 300 / (300 + 1.1 * 200))
    assert primary["value"] == pytest.approx(1560 / (300 + 1.1 * 200))
    assert junior["enrolment"] == 200
    assert (primary["minimum"], junior["minimum"]) == (4.5, 5.8)
    assert primary["floor"] == pytest.approx(0.85 * 4.5)
    assert primary["met"] == "fail"


def test_a_special_case_and_its_addition_to_the_stock_are_named(table):
    assert table.loc["2", "primary", "R3"]["special_case"] == "visiting_teachers"
    assert table.loc["2", "primary", "R3"]["stock"] == 1 + 2
    assert table.loc["1", "primary", "R3"]["special_case"] == ""


def test_the_cell_that_a_value_lacks_is_named(table):
    missing = table.loc["1", "primary", "R6"]
    assert missing["missing_cell"] == "equipment_value"
    assert math.isnan(missing["value"])
    assert missing["met"] == "undecided"
    assert table.loc["2", "primary", "R6"]["missing_cell"] == ""
    assert table.loc["1", "junior", "R1"]["missing_cell"] == "teachers_above_required_qualification_junior"


def test_every_school_stage_and_indicator_has_one_row(table):
    assert len(table) == 3 * 7
    assert table.index.is_unique
