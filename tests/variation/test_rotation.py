"""Rotation of one year: eligible, moved, backbone, from where to where."""

import numpy as np
import pytest

from tests.people import member, school, school_year, spell, teacher, with_tables
from toolkit.standards import load_standard
from toolkit.variation.eligibility import eligible_teachers
from toolkit.variation.rotation import describe_rotation

STANDARD = load_standard("national_2017")
SCHOOLS = [
    school("1"),
    school("2", location="rural", town="西镇"),
    school("3", location="town_area", town="西镇"),
    school("4", ownership="private"),
    school("5", school_type="special_education_school"),
]
YEARS = [school_year(code, year) for year in (2024, 2025) for code in "12345"]


def county(**tables):
    return with_tables(SCHOOLS, YEARS, **tables)


def describe(**tables):
    return describe_rotation(county(**tables), STANDARD, year=2025)


def category(rotation, dimension):
    own = rotation.profile[rotation.profile["dimension"] == dimension]
    return own.set_index("category")["moved"].to_dict()


@pytest.mark.parametrize(
    ("changes", "eligible"),
    [
        ({}, "yes"),
        ({"arrived": "2019-09-01"}, "yes"),
        ({"arrived": "2020-08-25"}, "no"),
        ({"school_id": "4"}, "no"),
        ({"school_id": "5"}, "no"),
        ({"stage": "senior"}, "no"),
        ({"exemption": "孕期或哺乳期"}, "no"),
        ({"established_post": False}, "no"),
        ({"established_post": None}, "unknown"),
        ({"arrived": None}, "unknown"),
        ({"arrived": None, "exemption": "孕期或哺乳期"}, "no"),
    ],
)
def test_eligible_is_who_meets_every_condition_and_unknown_what_could_go_either_way(changes, eligible):
    # The second teacher gives every column a type.
    roster = [teacher("t", "1") | changes, teacher("u", "1", exemption="x", established_post=True)]
    assert eligible_teachers(county(teachers=roster)).at[0, "eligible"] == eligible


def test_shares_are_of_eligible_teachers_of_all_teachers_and_of_those_who_moved():
    roster = [teacher(f"t{number}", "1") for number in range(20)]
    spells = [spell("t1", "1", "2", backbone=True), spell("t2", "1", "3"), spell("t3", "2", "1")]
    row = describe(teachers=roster, rotations=spells).now.iloc[0]
    assert (row["moved"], row["eligible"], row["teachers"], row["backbone"]) == (3, 20, 40, 1)
    assert row["eligible_share"] == pytest.approx(0.15)
    assert row["teacher_share"] == pytest.approx(0.075)
    assert row["backbone_share"] == pytest.approx(1 / 3)
    assert (row["limit"], row["met"]) == (0.10, "pass")
    assert (row["backbone_limit"], row["backbone_met"]) == (0.20, "pass")


def test_a_share_that_unknown_teachers_could_turn_is_left_open():
    roster = [teacher(f"t{number}", "1") for number in range(10)]
    roster += [teacher(f"u{number}", "1", arrived=None) for number in range(10)]
    row = describe(teachers=roster, rotations=[spell("t1", "1", "2")]).now.iloc[0]
    assert (row["eligible"], row["eligible_unknown"]) == (10, 10)
    assert row["met"] == "undecided"  # 1 of 10 to 20


def test_a_backbone_share_with_unknown_teachers_is_left_open():
    spells = [spell(f"t{number}", "1", "2", backbone=None if number < 2 else False) for number in range(5)]
    row = describe(rotations=spells).now.iloc[0]
    assert (row["backbone"], row["backbone_unknown"], row["backbone_met"]) == (0, 2, "undecided")


def test_entered_numbers_stand_beside_the_counted_ones():
    items = [
        {"year": 2025, "item": "G11a", "item_numerator": 4, "item_denominator": 50},
        {"year": 2025, "item": "G11b", "item_numerator": 2, "item_denominator": 4},
    ]
    found = describe(county_years=items, rotations=[spell("t1", "1", "2")]).now.set_index("source")
    assert found.at["entered_by_county", "eligible_share"] == pytest.approx(0.08)
    assert found.at["entered_by_county", "met"] == "fail"
    assert found.at["entered_by_county", "backbone_share"] == pytest.approx(0.5)
    assert found.at["counted_from_rows", "moved"] == 1
    assert np.isnan(found.at["counted_from_rows", "eligible_share"])
    assert found.at["counted_from_rows", "met"] == ""


def test_a_teacher_who_moves_twice_in_a_year_counts_once():
    spells = [
        spell("t1", "1", "2", rotation_end="2025-12-31"),
        spell("t1", "2", "3", rotation_start="2026-02-01"),
    ]
    found = describe(rotations=spells)
    assert (found.now.iloc[0]["moved"], found.n_further) == (1, 1)
    assert category(found, "direction") == {"urban>rural": 1}


def test_moves_are_counted_by_direction_group_length_and_flow():
    spells = [
        spell("a", "1", "2", rotation_end="2026-08-31"),
        spell("b", "1", "3"),
        spell("c", "2", "1", rotation_end="2028-08-31"),
        spell("d", "2", None, receiving_school_name="外县小学"),
        spell("e", "1", "2", rotation_start="2024-09-01", rotation_end="2025-08-31"),
    ]
    found = describe(rotations=spells, school_groups=[member("1", role="lead"), member("2")])
    assert category(found, "direction") == {
        "urban>town_area": 1,
        "urban>rural": 1,
        "rural>urban": 1,
        "not_known": 1,
    }
    assert category(found, "inside") == {"inside_school_group": 2, "outside_school_group": 1, "not_known": 1}
    assert category(found, "length") == {"length_0.5_1": 1, "length_2_3": 1, "still_running": 2}
    assert category(found, "completed_length") == {"length_0.5_1": 1}
    assert found.locations.at["urban", "rural"] == 1
    assert found.locations.at["rural", "not_known"] == 1
    assert found.locations.to_numpy().sum() == 4
    assert found.towns.at["东镇", "西镇"] == 2
    assert (found.n_running, found.n_receiving_unmatched) == (4, 1)


def test_every_dimension_adds_up_to_all_who_moved():
    rng = np.random.default_rng(5)
    codes = ["1", "2", "3", "4", None]
    spells = [
        spell(f"t{number}", sent, taken, backbone=bool(number % 3 == 0), sending_school_name=f"派{number}")
        for number in range(60)
        for sent, taken in [rng.choice(np.array(codes, dtype=object), 2, replace=False)]
    ]
    found = describe(
        rotations=spells, teachers=[teacher("t1", "1")], school_groups=[member("1"), member("3")]
    )
    sums = found.profile.groupby("dimension")[["moved", "backbone", "others"]].sum()
    assert (sums["moved"] == 60).all()
    assert (sums["backbone"] + sums["others"] == 60).all()
    assert found.towns.to_numpy().sum() == found.locations.to_numpy().sum() == 60


def test_eligible_teachers_are_counted_by_the_same_categories():
    roster = [teacher("a", "1"), teacher("b", "2"), teacher("c", "2", subject="music")]
    found = describe(rotations=[spell("a", "1", "2")], teachers=roster).profile
    by_place = found[found["dimension"] == "location"].set_index("category")
    assert by_place["eligible"].to_dict() == {"urban": 1, "rural": 2}
    assert by_place["eligible_share"].to_dict() == {"urban": 1.0, "rural": 0.0}


def test_a_year_without_spells_is_not_counted_as_zero():
    found = describe(rotations=[spell("t1", "1", "2", rotation_start="2024-09-01")])
    assert found.compliance["year"].tolist() == [2024]
    assert found.now.empty
    assert found.locations.empty


def test_a_county_without_rotations_has_empty_parts():
    found = describe()
    assert found.compliance.empty
    assert found.profile.empty
    assert found.towns.empty
    assert found.tidy() is found.compliance


def test_a_standard_without_the_items_gives_no_limit():
    found = describe_rotation(
        county(rotations=[spell("t1", "1", "2")]), load_standard("national_2012"), year=2025
    )
    assert found.compliance["limit"].isna().all()
    assert found.compliance["met"].tolist() == [""]
    assert found.mark == ""
