"""Spells placed between schools, and full-time equivalents in and out by school and year."""

import numpy as np
import pandas as pd
import pytest

from toolkit.indicators.rotation_dose import compute_rotation_doses
from toolkit.indicators.rotation_placement import PLACED_COLUMNS, mark_directions, mark_inside

UNITS = pd.DataFrame({"school": ["甲", "乙", "丙"], "stage": "primary"})
YEARS = (2020, 2021, 2022, 2023)
ENROLMENT = np.tile([[200.0], [400.0], [100.0]], 4)


def spell(sending, receiving, start, end, **changes):
    first = pd.Timestamp(start).year - (pd.Timestamp(start).month < 8)
    last = None if end is None else pd.Timestamp(end).year - (pd.Timestamp(end).month < 9)
    given = {
        "row": 0,
        "teacher_id": "T",
        "sending": sending,
        "receiving": receiving,
        "stage": "primary",
        "start": pd.Timestamp(start),
        "end": pd.NaT if end is None else pd.Timestamp(end),
        "first_year": first,
        "last_year": last,
        "share": 1.0,
        "is_backbone": True,
        "reason": "rotation_used",
    }
    return given | changes


def placed(*spells):
    table = pd.DataFrame(list(spells), columns=PLACED_COLUMNS)
    table["start"], table["end"] = pd.to_datetime(table["start"]), pd.to_datetime(table["end"])
    return table.astype({"first_year": "Int64", "last_year": "Int64"})


def doses(*spells):
    return compute_rotation_doses(placed(*spells), UNITS, YEARS, ENROLMENT)


def test_two_whole_years_count_one_teacher_at_each_school_in_each():
    found = doses(spell("甲", "乙", "2021-09-01", "2023-07-10"))
    np.testing.assert_allclose(found.flows["backbone_inflow"][1], [0, 1, 1, 0])
    np.testing.assert_allclose(found.flows["backbone_outflow"][0], [0, 1, 1, 0])
    np.testing.assert_allclose(found.flows["first_year_inflow"][1], [0, 1, 0, 0])
    np.testing.assert_allclose(found.per_100("backbone_inflow")[1], [0, 0.25, 0.25, 0])
    assert found.flows["inflow"][2].sum() == 0


def test_a_running_spell_lasts_to_the_end_of_the_data():
    found = doses(spell("甲", "乙", "2022-09-01", None))
    np.testing.assert_allclose(found.flows["inflow"][1][1:], [0, 1, 1])


def test_a_start_in_the_last_days_of_august_is_a_whole_year():
    found = doses(spell("甲", "乙", "2021-08-25", "2022-08-31"))
    np.testing.assert_allclose(found.flows["inflow"][1], [0, 1, 0, 0])


def test_part_of_a_year_and_part_of_full_time_multiply():
    found = doses(spell("甲", "乙", "2021-09-01", "2022-01-29", share=0.5))
    days = (pd.Timestamp("2022-01-29") - pd.Timestamp("2021-09-01")).days + 1
    whole = (pd.Timestamp("2022-06-30") - pd.Timestamp("2021-09-01")).days + 1
    assert found.flows["inflow"][1, 1] == pytest.approx(0.5 * days / whole)


def test_spell_years_and_the_years_after_the_return_are_told_apart():
    found = doses(spell("甲", "乙", "2020-09-01", "2022-07-10"))
    np.testing.assert_allclose(found.flows["backbone_year_1"][1], [1, 0, 0, 0])
    np.testing.assert_allclose(found.flows["backbone_year_2"][1], [0, 1, 0, 0])
    np.testing.assert_allclose(found.flows["backbone_after"][1], [0, 0, 1, 1])


def test_spell_years_add_up_to_the_flow_in():
    found = doses(
        spell("甲", "乙", "2020-09-01", "2023-07-10"),
        spell("丙", "乙", "2022-09-01", None, is_backbone=False),
    )
    parts = sum(found.flows[f"backbone_year_{number}"] for number in (1, 2, 3))
    np.testing.assert_allclose(parts, found.flows["backbone_inflow"])


def test_years_before_the_records_begin_are_missing_and_not_zero():
    found = doses(spell("甲", "乙", "2022-09-01", "2023-07-10"))
    assert np.isnan(found.flows["inflow"][:, 0]).all()
    np.testing.assert_allclose(found.flows["inflow"][1], [np.nan, 0, 1, 0])


def test_a_school_outside_counts_nothing_and_the_other_side_stays():
    found = doses(spell("", "乙", "2021-09-01", "2022-07-10", reason="rotation_sender_unknown"))
    assert found.flows["inflow"].sum() == 1
    assert found.flows["outflow"].sum() == 0
    assert len(found.links) == 0
    assert found.unmatched_share == 1.0


def test_what_goes_in_comes_out_when_all_schools_are_known():
    found = doses(
        spell("甲", "乙", "2020-09-01", "2022-07-10", share=0.4),
        spell("乙", "丙", "2021-09-01", None),
        spell("丙", "甲", "2021-09-01", "2022-03-01", is_backbone=False),
    )
    np.testing.assert_allclose(found.flows["inflow"].sum(axis=0), found.flows["outflow"].sum(axis=0))
    assert found.links.groupby("year")["fte"].sum().sum() == pytest.approx(found.flows["inflow"].sum())


def test_a_move_between_schools_of_one_group_in_its_first_year_is_inside():
    years = pd.DataFrame(
        [("甲", "primary", 2021, "集团"), ("乙", "primary", 2021, "集团"), ("丙", "primary", 2021, "别的")],
        columns=["school", "stage", "year", "school_group"],
    )
    table = placed(
        spell("甲", "乙", "2021-09-01", None),
        spell("甲", "丙", "2021-09-01", None),
        spell("甲", "乙", "2020-09-01", None),
    )
    assert mark_inside(table, years).tolist() == [True, False, False]


def test_direction_looks_only_at_years_before_the_spell():
    quality = np.array([[0.5, 0.5, -9, -9], [0.0, 0.1, 9, 9], [0.6, 0.5, 0, 0]])
    table = placed(
        spell("甲", "乙", "2022-09-01", None),
        spell("甲", "丙", "2022-09-01", None),
        spell("乙", "甲", "2022-09-01", None),
        spell("乙", "甲", "2020-09-01", None),
        spell("", "甲", "2022-09-01", None),
    )
    found = mark_directions(table, UNITS, YEARS, quality)
    assert found.tolist() == ["down", "level", "up", "unknown", "unknown"]


def test_an_official_list_decides_on_every_difference():
    table = placed(spell("甲", "乙", "2022-09-01", None), spell("甲", "丙", "2022-09-01", None))
    found = mark_directions(table, UNITS, YEARS, np.zeros((3, 4)), {"甲": 3, "乙": 2, "丙": 3})
    assert found.tolist() == ["down", "level"]
