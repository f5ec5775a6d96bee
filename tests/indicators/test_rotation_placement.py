"""Spells placed between schools: unmatched, inside one unit, without stage or share; reasons add up."""

import pandas as pd
import pytest

from tests.people import school, school_year, spell, with_tables
from toolkit.indicators.rotation_placement import PLACED_COLUMNS, place_spells
from toolkit.indicators.stable_units import trace_units

SCHOOLS = ["1", "2", "3", "9"]
UNITS = pd.DataFrame(
    [("1", "primary"), ("2", "primary"), ("2", "junior"), ("3", "primary"), ("3", "junior")],
    columns=["school", "stage"],
)
MERGED = {"from_school_id": "9", "to_school_id": "1", "link_date": "2022-08-01", "link_kind": "merge"}


OUTSIDE = {"sending_school_name": "甲", "receiving_school_name": "乙"}
TRAVELLING, ACROSS = (
    {"rotation_type": kind, "full_time_share": None}
    for kind in ("travelling_teaching", "cross_school_teaching")
)
SPELLS = {
    "known": spell("known", "1", "2", backbone=True),
    "no_sender": spell("no_sender", None, "2", **OUTSIDE),
    "no_receiver": spell("no_receiver", "1", None, **OUTSIDE),
    "neither": spell("neither", None, None, **OUTSIDE),
    "inside": spell("inside", "9", "1"),
    "one_stage": spell("one_stage", "1", "2", stage=None),
    "one_side": spell("one_side", "1", None, stage=None, **OUTSIDE),
    "two_stages": spell("two_stages", "2", "3", stage=None),
    "senior": spell("senior", "2", "3", stage="senior"),
    "travelling": spell("travelling", "1", "2", **TRAVELLING),
    "travelling_share": spell("travelling_share", "1", "2", **TRAVELLING | {"full_time_share": 0.4}),
    "across": spell("across", "1", "2", **ACROSS),
    "whole": spell("whole", "1", "2", full_time_share=None),
    "unsaid": spell("unsaid", "1", "2", backbone=None),
}
UNUSABLE = [spell("same", "1", "1"), spell("", "1", "2") | {"teacher_id": None}]


@pytest.fixture(scope="module")
def placed():
    county = with_tables(
        [school(code) for code in SCHOOLS],
        [school_year(code) for code in SCHOOLS],
        rotations=[*SPELLS.values(), *UNUSABLE],
        school_links=[MERGED],
    )
    return place_spells(county, UNITS, trace_units(county)).set_index("teacher_id")


def told(placed, name):
    return placed.loc[name, ["sending", "receiving", "stage", "share", "reason"]].tolist()


def test_a_spell_between_two_known_schools_counts_at_both(placed):
    assert told(placed, "known") == ["1", "2", "primary", 1.0, "rotation_used"]


def test_where_one_school_is_not_matched_the_spell_counts_at_the_other(placed):
    assert told(placed, "no_sender") == ["", "2", "primary", 1.0, "rotation_sender_unknown"]
    assert told(placed, "no_receiver") == ["1", "", "primary", 1.0, "rotation_receiver_unknown"]


def test_where_neither_is_matched_the_spell_is_at_no_school(placed):
    assert told(placed, "neither") == ["", "", "primary", 1.0, "rotation_sender_unknown"]


def test_a_move_between_a_school_and_the_one_that_took_it_over_is_inside_one_unit(placed):
    assert told(placed, "inside") == ["1", "1", "primary", 0.0, "rotation_inside_unit"]


def test_a_spell_without_stage_has_the_only_one_that_its_schools_teach(placed):
    assert placed.loc[["one_stage", "one_side"], "stage"].tolist() == ["primary", "primary"]


def test_where_both_schools_teach_two_stages_a_spell_without_stage_counts_nowhere(placed):
    assert told(placed, "two_stages") == ["2", "3", "", 0.0, "rotation_stage_unknown"]


def test_a_spell_of_the_senior_stage_counts_nowhere(placed):
    assert told(placed, "senior") == ["2", "3", "senior", 0.0, "rotation_stage_unknown"]


def test_part_time_kinds_without_a_share_count_nowhere_and_with_one_by_it(placed):
    for name in ("travelling", "across"):
        assert told(placed, name)[3:] == [0.0, "rotation_share_unknown"]
    assert told(placed, "travelling_share")[3:] == [0.4, "rotation_used"]


def test_a_full_time_kind_without_a_share_is_full_time(placed):
    assert told(placed, "whole")[3:] == [1.0, "rotation_used"]


def test_a_teacher_of_whom_nothing_says_backbone_is_none(placed):
    assert placed.loc[["known", "unsaid"], "is_backbone"].tolist() == [True, False]


def test_the_reasons_of_all_usable_spells_add_up(placed):
    assert placed.index.tolist() == list(SPELLS)
    counts = placed["reason"].value_counts().to_dict()
    assert counts == {
        "rotation_used": 5,
        "rotation_sender_unknown": 2,
        "rotation_receiver_unknown": 2,
        "rotation_inside_unit": 1,
        "rotation_stage_unknown": 2,
        "rotation_share_unknown": 2,
    }
    assert sum(counts.values()) == len(SPELLS)
    nowhere = ["rotation_inside_unit", "rotation_stage_unknown", "rotation_share_unknown"]
    assert ((placed["share"] == 0) == placed["reason"].isin(nowhere)).all()


def test_a_county_without_records_has_no_spells():
    county = with_tables([school("1")], [school_year("1")])
    table = place_spells(county, UNITS, trace_units(county))
    assert table.empty
    assert table.columns.tolist() == PLACED_COLUMNS
