"""Membership in programmes and spells of rotation, through changes of code and dates."""

import pandas as pd
import pytest

from tests.people import member, school, school_year, spell, with_tables
from toolkit.indicators.exposure import compute_memberships, compute_rotation_spells
from toolkit.indicators.lineage import trace_schools
from toolkit.indicators.school_calendar import (
    school_year_counting_from,
    school_year_of_end,
    school_year_of_start,
)


def link(old, new, date, kind="rename"):
    return {"from_school_id": old, "to_school_id": new, "link_date": date, "link_kind": kind}


def county(codes="123", years=range(2020, 2026), **tables):
    return with_tables(
        [school(code) for code in codes], [school_year(c, y) for c in codes for y in years], **tables
    )


@pytest.mark.parametrize(
    ("date", "first", "last"),
    [
        ("2024-09-01", 2024, 2023),
        ("2024-08-25", 2024, 2023),
        ("2024-07-31", 2023, 2023),
        ("2025-02-20", 2024, 2024),
        ("2025-08-31", 2025, 2024),
        ("2025-12-31", 2025, 2025),
    ],
)
def test_a_start_in_late_summer_opens_a_school_year_and_an_end_closes_one(date, first, last):
    dates = pd.Series(pd.to_datetime([date, None]))
    assert school_year_of_start(dates).tolist()[0] == first
    assert school_year_of_end(dates).tolist()[0] == last
    assert school_year_of_start(dates).isna().tolist() == [False, True]
    assert school_year_of_end(dates).isna().tolist() == [False, True]


@pytest.mark.parametrize(("date", "year"), [("2021-08-31", 2021), ("2021-09-01", 2021), ("2021-09-02", 2022)])
def test_a_change_counts_from_the_next_statistic_date(date, year):
    assert school_year_counting_from(pd.Timestamp(date)) == year


def test_a_school_keeps_its_identity_through_renames():
    lineage = trace_schools(county(school_links=[link("1", "2", "2021-08-31"), link("2", "3", "2024-03-01")]))
    assert {lineage.first_code(code) for code in "123"} == {"1"}
    assert [lineage.code_in("3", year) for year in (2020, 2021, 2023, 2024)] == ["1", "2", "2", "3"]


def test_a_merged_school_ends_and_its_successor_is_another_school():
    lineage = trace_schools(county(school_links=[link("1", "2", "2022-08-31", kind="merge")]))
    assert lineage.first_code("2") == "2"
    assert [lineage.exists("1", year) for year in (2021, 2022)] == [True, False]
    assert lineage.exists("2", 2025)


def test_renames_of_two_schools_to_one_code_and_circles_are_not_followed():
    lineage = trace_schools(
        county(
            "12345",
            school_links=[
                link("1", "3", "2021-08-31"),
                link("2", "3", "2021-08-31"),
                link("4", "5", "2021-08-31"),
                link("5", "4", "2022-08-31"),
            ],
        )
    )
    assert lineage.first_code("3") == "3"
    assert lineage.code_in("1", 2025) == "1"
    assert lineage.first_code("5") == "4"


def test_a_membership_runs_from_its_start_to_its_end_inclusive():
    groups = [member("1", start_year=2021, end_year=2023), member("2", start_year=2024)]
    found = compute_memberships(county(school_groups=groups))
    years = found.years.groupby("school")["year"].agg(list).to_dict()
    assert years == {"1": [2021, 2022, 2023], "2": [2024, 2025]}
    assert found.in_year(2023)["school_id"].tolist() == ["1"]
    assert found.unusable.empty


def test_a_membership_follows_a_rename_and_ends_with_a_merger_or_a_closure():
    tables = {
        "school_groups": [member("1"), member("3"), member("4")],
        "school_links": [link("1", "2", "2022-08-31"), link("3", "2", "2023-08-31", kind="merge")],
    }
    base = county("123", **tables)
    register = pd.concat(
        [base.tables["schools"], county("4").tables["schools"].assign(closed=2024)], ignore_index=True
    )
    closing = type(base)(
        base.county_id, base.name, {**base.tables, "schools": register.astype({"closed": "Int64"})}
    )
    years = compute_memberships(closing).years
    codes = years[years["school"] == "1"].set_index("year")["school_id"].to_dict()
    assert codes == {2020: "1", 2021: "1", 2022: "2", 2023: "2", 2024: "2", 2025: "2"}
    assert years.loc[years["school"] == "3", "year"].max() == 2022
    assert years.loc[years["school"] == "4", "year"].max() == 2023


def test_a_membership_entered_under_the_new_code_belongs_to_the_school_of_the_old_one():
    tables = {"school_groups": [member("2", start_year=2020)], "school_links": [link("1", "2", "2022-08-31")]}
    years = compute_memberships(county(**tables)).years
    assert years.set_index("year")["school_id"].to_dict()[2020] == "1"


def test_membership_rows_that_cannot_be_used_are_listed_with_their_reason():
    groups = [
        member("1"),
        member("9"),
        member("1", school_id=None),
        member("1", start_year=None),
        member("1", start_year=2022, end_year=2021),
        member("1", school_group=None),
    ]
    found = compute_memberships(county(school_groups=groups))
    assert len(found.spells) + len(found.unusable) == len(groups)
    assert found.unusable.set_index("row")["reason"].to_dict() == {
        1: "membership_school_unknown",
        2: "membership_school_unmatched",
        3: "membership_without_start",
        4: "membership_ends_before_start",
        5: "membership_without_programme",
    }


def test_a_spell_from_september_to_august_is_one_school_year_long():
    spells = [spell("t", "1", "2", rotation_start="2024-09-01", rotation_end="2025-08-31")]
    found = compute_rotation_spells(county(rotations=spells)).spells.iloc[0]
    assert found["length"] == pytest.approx(1.0, abs=0.003)
    assert (found["first_year"], found["last_year"], found["running"]) == (2024, 2024, False)


def test_spells_are_counted_in_every_school_year_they_touch():
    spells = [
        spell("a", "1", "2", rotation_start="2023-09-01", rotation_end="2025-08-31"),
        spell("b", "1", "2", rotation_start="2024-02-15"),
        spell("c", "1", "2", rotation_start="2025-08-20", rotation_end="2026-01-31"),
    ]
    found = compute_rotation_spells(county(rotations=spells))
    assert found.starting_in(2023)["teacher_id"].tolist() == ["a", "b"]
    assert found.running_in(2024)["teacher_id"].tolist() == ["a", "b"]
    assert found.running_in(2025)["teacher_id"].tolist() == ["b", "c"]
    assert found.ending_in(2024)["teacher_id"].tolist() == ["a"]


def test_unmatched_schools_are_counted_and_their_spells_kept():
    spells = [
        spell("a", None, "2", sending_school_name="外县小学"),
        spell("b", "1", None),
        spell("c", "1", "2"),
    ]
    found = compute_rotation_spells(county(rotations=spells))
    assert (len(found.spells), found.n_sending_unmatched, found.n_receiving_unmatched) == (3, 1, 1)


def test_spells_that_cannot_be_used_are_listed_with_their_reason():
    spells = [
        spell("a", "1", "2"),
        spell("b", "1", "1"),
        spell("c", None, None, sending_school_name="某校", receiving_school_name="某校"),
        spell("d", "1", "2", rotation_end="2025-08-01"),
        spell("e", "1", "2", rotation_start=None),
        spell(None, "1", "2"),
        spell("a", "1", "3"),
    ]
    found = compute_rotation_spells(county(rotations=spells))
    assert len(found.spells) + len(found.unusable) == len(spells)
    assert found.unusable.set_index("row")["reason"].to_dict() == {
        1: "rotation_to_same_school",
        2: "rotation_to_same_school",
        3: "rotation_ends_before_start",
        4: "rotation_without_start",
        5: "rotation_without_teacher",
        6: "rotation_entered_twice",
    }


def test_a_county_without_the_tables_has_no_rows_and_all_columns():
    bare = county()
    memberships, spells = compute_memberships(bare), compute_rotation_spells(bare)
    assert memberships.tidy().empty
    assert spells.tidy().empty
    assert memberships.in_year(2025).empty
    assert spells.running_in(2025).empty
    assert {"school_id", "year", "role", "form"} <= set(memberships.years.columns)
