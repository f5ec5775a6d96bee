"""Records of rotation: one spell reported twice, two places at once, backbone and title at the start."""

import pandas as pd
import pytest

from tests.people import school, school_year, spell, with_tables
from toolkit.indicators.exposure import compute_rotation_spells
from toolkit.indicators.rotation_records import ends_of


def spells_of(rotations, teachers=None):
    tables = {"rotations": rotations} | ({"teachers": teachers} if teachers else {})
    return compute_rotation_spells(
        with_tables([school(code) for code in "123"], [school_year(code) for code in "123"], **tables)
    )


def lasting(teacher, sent, taken, start, end=None, **changes):
    return spell(teacher, sent, taken, rotation_start=start, rotation_end=end, **changes)


def listed(teacher, year, **changes):
    row = {"teacher_id": teacher, "year": year, "school_id": "1", "stage": "primary"}
    return row | {"title": None, "backbone_title": None, "backbone_expiry": None} | changes


def titled(year, expiry):
    return listed("a", year, backbone_title="city_backbone", backbone_expiry=expiry)


def days(found, name):
    return [None if pd.isna(day) else str(day.date()) for day in found.spells[name]]


def test_a_spell_that_both_schools_report_counts_once_with_the_union_of_its_dates():
    found = spells_of(
        [
            lasting("a", "1", "2", "2022-09-10", "2023-07-31", subject="chinese"),
            lasting("b", "1", "2", "2022-09-01", "2023-08-31"),
            lasting("a", "1", "2", "2022-09-01", "2023-06-30", subject="maths"),
        ]
    )
    assert found.spells["row"].tolist() == [0, 1]
    assert (days(found, "start")[0], days(found, "end")[0]) == ("2022-09-01", "2023-07-31")
    assert found.spells["subject"].tolist()[0] == "chinese"
    assert found.spells["first_year"].tolist() == [2022, 2022]
    assert found.unusable[["row", "reason"]].to_numpy().tolist() == [[2, "rotation_reported_by_both"]]


def test_a_spell_that_one_school_reports_as_running_runs():
    found = spells_of(
        [
            lasting("a", "1", "2", "2022-09-01", "2023-08-31"),
            lasting("a", "1", "2", "2022-09-02"),
        ]
    )
    assert days(found, "end") == [None]
    assert found.spells["running"].tolist() == [True]


def test_overlaps_in_a_chain_are_one_spell_and_one_after_the_other_are_two():
    chain = [
        lasting("a", "1", "2", "2020-09-01", "2021-08-31"),
        lasting("a", "1", "2", "2021-03-01", "2022-08-31"),
        lasting("a", "1", "2", "2022-03-01", "2023-08-31"),
        lasting("a", "1", "2", "2023-09-01", "2024-08-31"),
    ]
    found = spells_of(chain)
    assert list(zip(days(found, "start"), days(found, "end"), strict=True)) == [
        ("2020-09-01", "2023-08-31"),
        ("2023-09-01", "2024-08-31"),
    ]
    back = spells_of(
        [lasting("a", "1", "2", "2020-09-01", "2022-08-31"), lasting("a", "2", "1", "2021-09-01")]
    )
    assert "rotation_reported_by_both" not in set(back.unusable["reason"])


def test_schools_without_a_code_are_told_apart_by_their_names():
    records = [
        lasting("a", None, "2", start, "2023-08-31", sending_school_name=name)
        for start, name in (
            ("2022-09-01", "外县小学"),
            ("2022-09-05", "外县小学"),
            ("2022-09-09", "另一小学"),
        )
    ]
    assert spells_of(records).unusable["row"].tolist() == [1]


@pytest.mark.parametrize(
    ("shares", "second_is_kept"),
    [((1.0, 1.0), False), ((0.5, 0.5), True), ((0.6, 0.5), False), ((None, 0.5), False)],
)
def test_a_teacher_at_two_schools_at_once_has_one_full_time(shares, second_is_kept):
    found = spells_of(
        [
            lasting("a", "1", "3", "2023-03-01", "2024-08-31", full_time_share=shares[1]),
            lasting("a", "1", "2", "2022-09-01", "2023-08-31", full_time_share=shares[0]),
        ]
    )
    assert found.spells["row"].tolist() == ([0, 1] if second_is_kept else [1])
    reasons = found.unusable["reason"].tolist()
    assert reasons == ([] if second_is_kept else ["rotation_two_places_at_once"])


def test_part_time_kinds_without_a_share_do_not_fill_a_teachers_time():
    found = spells_of(
        [
            lasting("a", "1", "2", "2022-09-01", rotation_type="travelling_teaching", full_time_share=None),
            lasting("a", "1", "3", "2022-10-01"),
        ]
    )
    assert found.unusable.empty


def test_a_third_school_is_refused_where_two_leave_no_time_and_kept_when_one_has_ended():
    records = [
        lasting("a", "1", "2", "2022-09-01", "2023-01-31", full_time_share=0.5),
        lasting("a", "1", "3", "2022-09-02", "2023-08-31", full_time_share=0.5),
    ]
    early = lasting("a", "2", "1", "2022-12-01", "2023-08-31", full_time_share=0.5)
    late = lasting("a", "2", "1", "2023-02-01", "2023-08-31", full_time_share=0.5)
    assert spells_of([*records, early]).unusable["row"].tolist() == [2]
    assert spells_of([*records, late]).unusable.empty


@pytest.mark.parametrize(
    ("row", "roster", "backbone", "source"),
    [
        (True, [listed("a", 2022)], True, "row"),
        (False, [listed("a", 2022, backbone_title="county_backbone")], False, "row"),
        (None, [listed("a", 2022, backbone_title="county_backbone")], True, "roster"),
        (None, [titled(2022, "2022-09-01")], True, "roster"),
        (None, [titled(2022, "2022-08-31")], False, "roster"),
        (None, [listed("a", 2021, backbone_title="city_backbone")], True, "roster"),
        (None, [listed("a", 2022), listed("b", 2022, backbone_title="city_backbone")], False, "roster"),
        (None, [listed("a", 2022), listed("a", 2021, backbone_title="city_backbone")], True, "roster"),
        (None, [listed("a", 2022)], None, ""),
        (None, [listed("b", 2022, backbone_title="city_backbone")], None, ""),
        (None, [listed("a", 2020, backbone_title="city_backbone")], None, ""),
        (None, None, None, ""),
    ],
)  # fmt: skip
def test_a_backbone_teacher_is_one_by_the_row_or_by_a_title_in_force_at_the_start(
    row, roster, backbone, source
):
    for one in roster or ():
        one["backbone_expiry"] = pd.Timestamp(one["backbone_expiry"]) if one["backbone_expiry"] else None
    found = spells_of([lasting("a", "1", "2", "2022-09-01", backbone=row)], roster).spells
    assert [None if pd.isna(value) else value for value in found["is_backbone"]] == [backbone]
    assert found["backbone_source"].tolist() == [source]
    assert [None if pd.isna(value) else value for value in found["backbone"]] == [row]


def test_the_title_at_the_start_comes_from_the_row_else_from_the_roster():
    roster = [
        listed("a", 2022, title="level_1"),
        listed("a", 2021, title="level_2"),
        listed("b", 2021, title="level_2"),
    ]
    records = [
        lasting("a", "1", "2", "2022-09-01", "2023-08-31", title=None),
        lasting("a", "1", "2", "2023-09-01", "2024-08-31", title="senior"),
        lasting("b", "1", "2", "2022-09-01", title=None),
        lasting("c", "1", "2", "2022-09-01", title=None),
    ]
    titles = spells_of(records, roster).spells["title"]
    assert [None if pd.isna(title) else title for title in titles] == ["level_1", "senior", "level_2", None]


def test_an_end_that_was_forgotten_is_the_day_before_the_teachers_next_spell():
    teacher = pd.Series(["a", "a", "b"])
    start = pd.to_datetime(pd.Series(["2020-09-01", "2022-09-01", "2020-09-01"]))
    found = ends_of(teacher, start, pd.Series([pd.NaT] * 3))
    assert found.tolist()[0] == pd.Timestamp("2022-08-31")
    assert found.isna().tolist() == [False, True, True]
