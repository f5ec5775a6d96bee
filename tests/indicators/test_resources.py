"""Values per student: the published split, scope, special cases, missing cells."""

import math

import numpy as np
import pandas as pd
import pytest

from tests.counties import make_county
from toolkit.indicators.resources import compute_resource_indicators, special_cases_applied
from toolkit.standards import load_standard

STANDARD = load_standard("national_2017")


def resources_of(school: dict, year: dict, **options):
    county = make_county(
        [{"school_id": "1", "school_name": "甲校", "ownership": "public", "location": "urban"} | school],
        [{"school_id": "1", "year": 2025} | year],
    )
    return compute_resource_indicators(county, STANDARD, **options)


def value(resources, stage: str, indicator: str) -> float:
    (unit,) = resources.select(year=2025, stage=stage)
    ids = [entry.id for entry in resources.standard.indicators]
    return resources.value[unit, ids.index(indicator)]


def test_splits_a_nine_year_school_as_published():
    # 测算均衡系数拆分公式: 166 primary and 210 junior students share 23,226 volumes; here as equipment value.
    resources = resources_of(
        {"school_type": "nine_year_school"},
        {"enrolment_primary": 166, "enrolment_junior": 210, "equipment_value": 23226},
    )
    (primary,) = resources.select(year=2025, stage="primary")
    (junior,) = resources.select(year=2025, stage="junior")
    assert resources.amount[primary, 5] == pytest.approx(9711.6, abs=0.05)
    assert resources.amount[junior, 5] == pytest.approx(13514.4, abs=0.05)
    assert value(resources, "primary", "R6") == pytest.approx(58.504, abs=5e-4)
    assert value(resources, "junior", "R6") == pytest.approx(64.354, abs=5e-4)


@pytest.mark.parametrize(
    ("school_type", "enrolment", "junior_share"),
    [
        ("complete_secondary_school", {"junior": 600, "senior": 900}, 600 / (600 + 1.2 * 900)),
        (
            "twelve_year_school",
            {"primary": 500, "junior": 300, "senior": 200},
            1.1 * 300 / (500 + 1.1 * 300 + 1.32 * 200),
        ),
    ],
)
def test_splits_other_combined_schools_by_the_published_weights(school_type, enrolment, junior_share):
    resources = resources_of(
        {"school_type": school_type},
        {f"enrolment_{stage}": students for stage, students in enrolment.items()} | {"multimedia_rooms": 100},
    )
    (junior,) = resources.select(year=2025, stage="junior")
    assert resources.amount[junior, 6] == pytest.approx(100 * junior_share, rel=1e-12)


def test_the_parts_of_a_split_stock_add_up_to_the_whole():
    resources = resources_of(
        {"school_type": "nine_year_school"},
        {
            "enrolment_primary": 731,
            "enrolment_junior": 402,
            "sports_ground_area": 9000,
            "gymnasium_area": 800,
            "indoor_sports_area": 0,
            "teaching_area": 5000,
        },
    )
    assert resources.amount[:, 4].sum() == pytest.approx(9800, rel=1e-12)
    assert resources.amount[:, 3].sum() == pytest.approx(5000, rel=1e-12)


def test_indoor_sports_rooms_move_from_teaching_area_to_sports_area():
    resources = resources_of(
        {"school_type": "primary_school"},
        {
            "enrolment_primary": 100,
            "teaching_area": 700,
            "indoor_sports_area": 150,
            "gymnasium_area": 50,
            "sports_ground_area": 400,
        },
    )
    assert value(resources, "primary", "R4") == pytest.approx(5.5)
    assert value(resources, "primary", "R5") == pytest.approx(6.0)


def test_zero_stays_zero_and_missing_stays_missing():
    resources = resources_of(
        {"school_type": "primary_school"}, {"enrolment_primary": 100, "multimedia_rooms": 0}
    )
    assert value(resources, "primary", "R7") == 0
    assert math.isnan(value(resources, "primary", "R6"))


def test_a_missing_stock_can_be_anything_from_nothing_to_what_bounds_it():
    resources = resources_of(
        {"school_type": "primary_school"},
        {"enrolment_primary": 100, "teachers_primary": 8, "teaching_area": 500, "sports_ground_area": 300},
    )
    (unit,) = resources.select(year=2025, stage="primary")
    assert (resources.amount_low[unit, 0], resources.amount_high[unit, 0]) == (0, 8)
    # Indoor sports rooms are part of the teaching area: between none and all of it.
    assert (resources.amount_low[unit, 3], resources.amount_high[unit, 3]) == (0, 500)
    assert (resources.amount_low[unit, 4], resources.amount_high[unit, 4]) == (300, np.inf)


def test_missing_senior_students_leave_the_junior_share_open():
    resources = resources_of(
        {"school_type": "complete_secondary_school"}, {"enrolment_junior": 600, "multimedia_rooms": 30}
    )
    (unit,) = resources.select(year=2025, stage="junior")
    assert math.isnan(resources.amount[unit, 6])
    assert (resources.amount_low[unit, 6], resources.amount_high[unit, 6]) == (0, pytest.approx(30))


@pytest.mark.parametrize(
    ("school", "year", "reason"),
    [
        ({"school_type": "special_education_school"}, {"enrolment_primary": 80}, "left_out_type"),
        ({"school_type": "teaching_point"}, {"enrolment_primary": 49}, "left_out_small"),
        ({"school_type": "primary_school"}, {"enrolment_primary": 0}, "left_out_no_students"),
        ({}, {"enrolment_primary": 300}, "left_out_unknown_type"),
    ],
)
def test_a_school_out_of_scope_is_listed_with_its_reason(school, year, reason):
    resources = resources_of(school, year)
    assert resources.units.empty
    assert resources.left_out["reason"].tolist() == [reason]


@pytest.mark.parametrize(
    ("school_type", "enrolment"), [("teaching_point", 50), ("primary_school", 12), ("teaching_point", None)]
)
def test_a_small_school_counts_from_fifty_students_and_when_its_size_is_unknown(school_type, enrolment):
    resources = resources_of({"school_type": school_type}, {"enrolment_primary": enrolment})
    assert len(resources.units) == 1


def test_visiting_teachers_count_in_small_rural_schools_only():
    year = {
        "enrolment_primary": 80,
        "pe_teachers_primary": 0,
        "arts_teachers_primary": 0,
        "visiting_pe_arts_teachers_primary": 1,
    }
    rural = resources_of({"school_type": "primary_school", "location": "rural"}, year)
    urban = resources_of({"school_type": "primary_school", "location": "urban"}, year)
    assert value(rural, "primary", "R3") == pytest.approx(1.25)
    assert value(urban, "primary", "R3") == 0
    assert special_cases_applied(rural)[["case", "indicator"]].values.tolist() == [
        ["visiting_teachers", "R3"]
    ]


def test_whole_school_teachers_of_a_nine_year_school_stay_open_unless_the_rule_splits_them():
    school = {"school_type": "nine_year_school"}
    year = {
        "enrolment_primary": 400,
        "enrolment_junior": 300,
        "teachers_primary": 20,
        "teachers_junior": 30,
        "backbone_teachers_total": 10,
    }
    assert math.isnan(value(resources_of(school, year), "primary", "R2"))
    split = resources_of(school, year, unstaged_teachers="by_teachers")
    assert value(split, "primary", "R2") == pytest.approx(1.0)
    assert value(split, "junior", "R2") == pytest.approx(2.0)
    assert split.assumed["column"].tolist() == ["backbone_teachers_primary", "backbone_teachers_junior"]


def test_whole_school_teachers_of_a_single_stage_school_are_those_of_its_stage():
    resources = resources_of(
        {"school_type": "primary_school"}, {"enrolment_primary": 200, "backbone_teachers_total": 3}
    )
    assert value(resources, "primary", "R2") == pytest.approx(1.5)
    assert resources.assumed.empty


def test_a_school_keeps_the_register_entry_of_each_year():
    county = make_county(
        [
            {"school_id": "1", "school_name": "旧名小学", "school_type": "primary_school"},
            {
                "school_id": "1",
                "school_name": "新名学校",
                "school_type": "nine_year_school",
                "valid_from": 2024,
            },
        ],
        [
            {"school_id": "1", "year": year, "enrolment_primary": 100, "enrolment_junior": 50}
            for year in (2023, 2025)
        ],
    )
    units = compute_resource_indicators(county, STANDARD).units
    names = units.loc[units["stage"] == "primary", ["year", "school_name"]].values.tolist()
    assert sorted(names) == [[2023, "旧名小学"], [2025, "新名学校"]]


def test_row_order_does_not_matter_and_inputs_are_not_modified():
    rng = np.random.default_rng(1)
    schools = [
        {"school_id": str(i), "school_name": f"校{i}", "school_type": kind}
        for i, kind in enumerate(["primary_school", "nine_year_school", "junior_secondary_school"] * 4)
    ]
    years = [
        {
            "school_id": school["school_id"],
            "year": 2025,
            "enrolment_primary": 100 + int(rng.integers(500)),
            "enrolment_junior": 50 + int(rng.integers(500)),
            "multimedia_rooms": int(rng.integers(40)),
        }
        for school in schools
    ]
    county = make_county(schools, years)
    before = county.tables["school_years"].copy()
    first = compute_resource_indicators(county, STANDARD).tidy()
    second = compute_resource_indicators(make_county(schools, years[::-1]), STANDARD).tidy()
    keys = ["school_id", "stage", "indicator"]
    pd.testing.assert_frame_equal(
        first.sort_values(keys).reset_index(drop=True), second.sort_values(keys).reset_index(drop=True)
    )
    pd.testing.assert_frame_equal(before, county.tables["school_years"])
