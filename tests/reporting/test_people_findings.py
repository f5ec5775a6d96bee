"""Sentences on the spread of pupils, groups and rotation: built from the numbers of the tables."""

import pytest

from tests.people import member, school, school_year, spell, teacher, with_tables
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.reporting.people_findings import find_programmes, find_segregation
from toolkit.standards import load_standard
from toolkit.variation.programmes import describe_programmes
from toolkit.variation.pupil_segregation import compute_pupil_segregation
from toolkit.variation.rotation import describe_rotation
from toolkit.variation.rotation_dispersion import compare_placements

STANDARD = load_standard("national_2017")
SCHOOLS = [school("1"), school("2", location="rural")]


def findings_of(county):
    found = find_programmes(
        describe_programmes(county, year=2025),
        describe_rotation(county, STANDARD, year=2025),
        compare_placements(county, compute_resource_indicators(county, STANDARD), year=2025),
    )
    return {finding.id: finding for finding in found}


@pytest.fixture(scope="module")
def county():
    years = [
        school_year(code, year, migrant_students=members, backbone_teachers_primary=3)
        for year in (2024, 2025)
        for code, members in (("1", 10), ("2", 30))
    ]
    spells = [spell("a", "1", "2", backbone=True), spell("b", "1", "2"), spell("c", "2", None)]
    return with_tables(
        SCHOOLS,
        years,
        rotations=spells,
        teachers=[teacher(f"t{number}", "1") for number in range(10)],
        school_groups=[member("1", role="lead"), member("2", start_year=2025)],
    )


@pytest.fixture(scope="module")
def told(county):
    return findings_of(county)


def test_the_spread_of_a_group_is_told_with_what_chance_alone_would_give(county):
    found = {f.id: f for f in find_segregation(compute_pupil_segregation(county, last_year=2025))}
    told = found["segregation_migrant_pupils_all_stages"]
    assert "0.312" in told.zh  # 0.3125, printed to even
    assert "20.0%" in told.en
    assert "2024/2025" in told.zh
    assert {number.table for number in told.numbers} == {"segregation", "segregation_trend"}
    assert found["segregation_left_behind_pupils_all_stages"].kind == "not_judged"
    assert found["segregation_missing_left_behind_pupils_all_stages"].kind == "limit"


def test_shares_of_rotation_are_told_with_both_denominators_and_the_standard(told):
    share = told["rotation_counted_from_rows"].zh
    assert all(number in share for number in ("30.0%", "15.0%", "10%"))
    assert "33.3%" in told["rotation_backbone_counted_from_rows"].en
    assert told["rotation_doubt"].kind == "limit"


def test_groups_directions_and_unmatched_schools_are_told(told):
    assert "2 of 2 schools" in told["programmes_primary"].en
    assert told["programmes_changed"].en.endswith("this year: 1; that left: 0.")
    assert [number.value for number in told["rotation_directions"].numbers] == [2, 0, 0]
    assert "1" in told["rotation_unmatched"].en


def test_coefficients_are_told_as_a_description_and_no_effect(told):
    placement = told["rotation_placement_primary"]
    assert "不是交流轮岗的效果" in placement.zh
    assert "not an effect" in placement.en
    assert "R2" in placement.zh


def test_equal_numbers_of_county_and_rows_are_told_once():
    items = [
        {"year": 2025, "item": "G11a", "item_numerator": 1, "item_denominator": 2},
        {"year": 2025, "item": "G11b", "item_numerator": 0, "item_denominator": 1},
    ]
    tables = {
        "rotations": [spell("a", "1", "2")],
        "teachers": [teacher("a", "1"), teacher("b", "1")],
    }
    years = [school_year("1"), school_year("2")]
    agreeing = findings_of(with_tables(SCHOOLS, years, county_years=items, **tables))
    assert "rotation_entered_and_counted" in agreeing
    assert "rotation_counted_from_rows" not in agreeing
    items[0]["item_numerator"] = 7
    differing = findings_of(with_tables(SCHOOLS, years, county_years=items, **tables))
    assert differing["rotation_sources"].kind == "limit"
    assert "7" in differing["rotation_sources"].zh


def test_a_county_without_data_says_so_in_one_line_each():
    bare = with_tables(SCHOOLS, [school_year("1"), school_year("2")])
    found = findings_of(bare)
    assert set(found) == {"programmes_none", "rotation_none"}
    assert {finding.kind for finding in found.values()} == {"not_judged"}
    assert all("本年无数据" in finding.zh for finding in found.values())
