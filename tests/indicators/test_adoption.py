"""First joining of a programme, what followed, who cannot be used, and doses; then the planted county."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.people import member, school, school_year, spell, teacher, with_tables
from toolkit.data.simulate import DEMO, DEMO_SEED, simulate_county
from toolkit.indicators.adoption import CHANGES, compute_adoption, compute_county_adoption
from toolkit.indicators.adoption_reasons import REASONS
from toolkit.indicators.stable_units import trace_units
from toolkit.standards import load_standard
from toolkit.vocabulary import has_term

NATIONAL = load_standard("national_2017")
YEARS = range(2018, 2026)


def county(codes="12345", changes=None, years=None, **tables):
    schools = [school(code, town=f"镇{code}") | (changes or {}).get(code, {}) for code in codes]
    own = dict.fromkeys(codes, YEARS) | (years or {})
    return with_tables(schools, [school_year(c, y) for c in codes for y in own[c]], **tables)


def adopt(data, programme="group_schooling", **options):
    return compute_adoption(data, NATIONAL, programme=programme, **options)


def unit(adoption, code, stage="primary"):
    units = adoption.units
    return units[(units["school"] == code) & (units["stage"] == stage)].iloc[0]


def link(old, new, date, kind):
    return {"from_school_id": old, "to_school_id": new, "link_date": date, "link_kind": kind}


def test_a_school_adopts_when_it_first_joins_with_the_role_and_form_of_that_year():
    groups = [
        member("1", role="lead", start_year=2020, form="loose_form"),
        member("2", start_year=2021, announced=pd.Timestamp("2021-03-01")),
    ]
    found = adopt(county(school_groups=groups))
    lead, joined, never = (unit(found, code) for code in "123")
    assert (lead["adoption_year"], lead["role"], lead["form"]) == (2020, "lead", "loose_form")
    assert (joined["adoption_year"], joined["role"], joined["announced_year"]) == (2021, "member", 2020)
    assert np.isnan(never["adoption_year"])
    assert found.units["status"].tolist() == ["adopter", "adopter", *["comparison"] * 3]
    times = found.event_times()
    assert times[1].tolist() == [-3, -2, -1, 0, 1, 2, 3, 4]
    assert np.isnan(times[2]).all()
    assert found.anticipation == 1


def test_leaving_coming_back_and_changes_are_dated_and_leave_the_first_joining_alone():
    groups = [
        member("1", start_year=2019, end_year=2020),
        member("1", start_year=2022, school_group="乙集团", role="lead", form="loose_form"),
        member("2", start_year=2020, school_group="乙集团"),
    ]
    found = adopt(county(school_groups=groups))
    one, two = unit(found, "1"), unit(found, "2")
    assert (one["adoption_year"], one["school_group"], one["role"]) == (2019, "甲集团", "member")
    assert one["left_year"] == 2021
    assert one["rejoined_year"] == 2022
    assert one["group_change_year"] == one["role_change_year"] == one["form_change_year"] == 2022
    assert two[["left_year", "rejoined_year", "group_change_year", "form_change_year"]].isna().all()
    own = found.years[found.years["school"] == "1"].set_index("year")
    assert own["is_member"].tolist() == [False, True, True, False, True, True, True, True]
    assert own["event_time"].tolist() == list(range(-1, 7))


def test_a_move_between_groups_without_a_gap_is_no_leaving():
    groups = [
        member("1", start_year=2019, end_year=2020),
        member("1", start_year=2021, school_group="乙集团"),
    ]
    one = unit(adopt(county(school_groups=groups)), "1")
    assert (one["group_change_year"], one["adoption_year"]) == (2021, 2019)
    assert np.isnan(one["left_year"])


def test_a_renamed_school_is_one_unit_under_its_first_code():
    tables = {"school_links": [link("1", "9", "2021-08-31", "rename")]}
    data = county("129", years={"1": range(2018, 2021), "9": range(2021, 2026)}, **tables)
    groups = [member("9", start_year=2022)]
    joined = with_tables([], [], school_groups=groups).tables["school_groups"]
    found = adopt(replace(data, tables={**data.tables, "school_groups": joined}))
    one = unit(found, "1")
    assert (one["status"], one["adoption_year"], one["school_id"]) == ("adopter", 2022, "9")
    assert (one["first_year"], one["last_year"], one["renamed_year"]) == (2018, 2025, 2021)
    assert found.units["school"].tolist() == ["1", "2"]


def test_a_school_merged_away_is_part_of_the_one_it_went_into_or_a_unit_that_ends():
    tables = {"school_links": [link("5", "1", "2021-08-31", "merge")]}
    data = county(years={"5": range(2018, 2021)}, **tables)
    joined, apart = adopt(data), adopt(data, mergers="separate")
    assert joined.units["school"].tolist() == list("1234")
    assert np.isnan(unit(joined, "1")["absorbed_year"])
    assert apart.units["school"].tolist() == list("12345")
    assert unit(apart, "1")["absorbed_year"] == 2021
    assert unit(apart, "5")["ended_year"] == 2021


def test_mergers_in_a_circle_end_and_other_ways_of_joining_are_refused():
    links = [link("1", "2", "2020-08-31", "merge"), link("2", "1", "2021-08-31", "merge")]
    found = trace_units(county(school_links=links))
    assert found.unit("1") == found.unit("2") == "2"
    with pytest.raises(ValueError, match="mergers must be one of"):
        trace_units(county(), mergers="apart")


MEMBER = [member("1", start_year=2020)]


def other(code, **changes):
    return member(code, programme="strong_school_project", school_group="强校工程") | changes


@pytest.fixture(scope="module")
def reasons():
    """Return the reasons in a county with one school for each, named after it, and some without any."""
    after, before = range(2021, 2026), range(2018, 2020)
    schools = {reason: {} for reason in REASONS} | {name: {} for name in ("a", "b", "part", "half", "parent")}
    schools["unit_out_of_scope"] = {"school_type": "special_education_school"}
    schools["unit_other_stage"] = {"school_type": "nine_year_school"}
    years = {
        "unit_without_years": (),
        "unit_new_campus": range(2020, 2026),
        "unit_no_year_before": after,
        "unit_no_year_after": before,
    }
    cells = {"unit_without_students": {"enrolment_primary": 0}}
    groups = [
        member("a", start_year=2020),
        member("unit_roster_unusable", start_year=None),
        member("unit_parts_differ", start_year=2020),
        member("part", start_year=2019),
        member("unit_joins_after_data", start_year=2026),
        member("unit_two_roles", start_year=2020),
        member("unit_two_roles", start_year=2020, school_group="乙集团", role="lead"),
        member("unit_new_campus", start_year=2020),
        member("unit_treated_from_start", start_year=2016),
        member("unit_no_year_before", start_year=2020),
        member("unit_no_year_after", start_year=2020),
        member("unit_other_before", start_year=2020),
        other("unit_other_before", start_year=2019),
        other("unit_other_programme"),
        member("unit_other_stage", stage="junior", start_year=2021),
    ]
    links = [
        link("part", "unit_parts_differ", "2021-08-31", "merge"),
        link("unit_divided", "half", "2021-08-31", "split"),
        link("parent", "unit_new_campus", "2020-08-31", "new_campus"),
    ]
    data = with_tables(
        [school(code, **changes) for code, changes in schools.items()],
        [
            school_year(code, year, **cells.get(code, {}))
            for code in schools
            for year in years.get(code, YEARS)
        ],
        school_groups=groups,
        school_links=links,
    )
    units = adopt(data).units
    return units[units["stage"] == "primary"].set_index("school")["reason"].to_dict()


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_is_given_where_it_holds_and_nowhere_else(reasons, reason):
    halves = {"half"} if reason == "unit_divided" else set()
    assert {school for school, own in reasons.items() if own == reason} == {reason} | halves


def test_schools_that_nothing_stands_against_have_no_reason(reasons):
    assert {school for school, own in reasons.items() if own == ""} == {"a", "b", "parent"}


def test_statuses_and_reasons_add_up_to_all_schools_of_each_stage():
    changes = {"1": {"school_type": "nine_year_school"}, "5": {"school_type": "special_education_school"}}
    groups = [member("1", start_year=2020), member("2", start_year=2016), member("3", start_year=2021)]
    found = adopt(county(changes=changes, school_groups=groups))
    counts = found.accounting()
    assert counts["n_schools"].sum() == len(found.units) == 5 + 2
    assert counts.groupby("stage")["n_schools"].sum().to_dict() == {"primary": 5, "junior": 2}
    assert len(found.unusable()) == counts.loc[counts["status"] == "unusable", "n_schools"].sum()
    assert found.unusable()["reason"].ne("").all()


def test_pairings_touch_both_sides_and_building_projects_only_when_asked():
    support = [
        {"supporter_id": "2", "receiver_id": "3", "supporter_name": "x", "receiver_name": "y",
         "support_start": "2021-09-01", "programme": "paired_support"}
    ]  # fmt: skip
    projects = [{"school_id": "4", "project_kind": "extension", "project_start": pd.Timestamp("2020-10-01")}]
    data = county(school_groups=MEMBER, support=support, projects=projects)
    found = adopt(data)
    reasons = found.units.set_index("school")["reason"].to_dict()
    assert reasons == {"1": "", "2": "unit_other_programme", "3": "unit_other_programme", "4": "", "5": ""}
    assert unit(found, "3")["other_year"] == 2021
    assert unit(found, "3")["other_programmes"] == ("paired_support",)
    built = adopt(data, project_kinds=("extension",))
    assert unit(built, "4")["reason"] == "unit_other_programme"
    paired = adopt(data, programme="paired_support")
    assert paired.units["role"].tolist() == ["", "lead", "member", "", ""]
    assert paired.units["adoption_year"].tolist()[1:3] == [2021, 2021]
    assert paired.units["school_group"].tolist()[1:3] == ["x", "x"]
    assert paired.unused_rows.empty


def test_a_second_programme_after_joining_is_flagged_and_the_school_stays():
    later = [member("1", programme="school_zone", school_group="学区", start_year=2023)]
    found = adopt(county(school_groups=[*MEMBER, *later]))
    one = unit(found, "1")
    assert (one["status"], one["other_year"], one["other_programmes"]) == ("adopter", 2023, ("school_zone",))
    # Neither rotations nor a roster of teachers: nobody knows who moved.
    assert found.doses["moved"].isna().all()
    assert set(found.doses["source"]) == {""}


def test_rows_of_the_roster_without_a_unit_are_listed():
    groups = [*MEMBER, member("2", stage="junior"), member("8"), member("3", programme="school_zone")]
    found = adopt(county(school_groups=groups))
    assert found.unused_rows.set_index("row")["reason"].to_dict() == {
        1: "membership_stage_not_taught",
        2: "membership_school_unknown",
    }


GROUP = [
    member("1", role="lead", start_year=2020),
    member("2", start_year=2020),
    member("3", start_year=2022),
]


def test_the_dose_counts_members_per_lead_and_teachers_moved_inside_the_group():
    spells = [
        spell("a", "1", "2", rotation_start="2020-09-01", rotation_end="2022-08-31"),
        spell("b", "1", "3", rotation_start="2021-09-01", rotation_end="2023-08-31"),
        spell("c", "4", "2", rotation_start="2020-09-01", rotation_end="2023-08-31"),
        spell("d", None, "2", rotation_start="2020-09-01"),
        spell("e", "1", "5", rotation_start="2020-09-01"),
    ]
    groups = [*GROUP, member("5", role="lead", start_year=2020, school_group="乙集团")]
    doses = adopt(county(school_groups=groups, rotations=spells)).doses.set_index("year")
    assert doses.loc[doses["school_group"] == "乙集团", "moved"].eq(0).all()
    doses = doses[doses["school_group"] == "甲集团"]
    assert doses["members_per_lead"].to_dict() == dict.fromkeys(range(2020, 2022), 1.0) | dict.fromkeys(
        range(2022, 2026), 2.0
    )
    # Teacher b moves to school 3 before that school is in the group: counted from 2022 on.
    assert doses["moved"].tolist() == [1, 1, 1, 0, 0, 0]
    assert doses.loc[2020, "moved_share"] == pytest.approx(1 / 20)
    assert doses.loc[2022, "moved_share"] == pytest.approx(1 / 30)
    assert set(doses["source"]) == {"rotations"}


def test_without_rotations_the_roster_of_teachers_tells_who_moved():
    roster = [
        teacher("a", "1", 2020),
        teacher("a", "2", 2021),
        teacher("b", "1", 2020),
        teacher("b", "1", 2021),
    ]
    doses = adopt(county(school_groups=GROUP, teachers=roster)).doses.set_index("year")
    assert doses.loc[2021, ["moved", "source"]].tolist() == [1, "teachers"]
    assert np.isnan(doses.loc[2020, "moved"])


def test_neighbours_share_the_town_and_distances_are_great_circles():
    changes = {
        "1": {"town": "甲", "longitude": 0.0, "latitude": 0.0},
        "2": {"town": "甲", "longitude": 0.0, "latitude": 1.0},
        "3": {"town": "乙", "longitude": 1.0, "latitude": 0.0},
    }
    found = adopt(county("123", changes=changes, school_groups=MEMBER))
    assert unit(found, "2")["neighbour_year"] == 2020
    assert found.units.loc[[0, 2], "neighbour_year"].isna().all()
    # One degree of a great circle is pi/180 of the radius, 6371 km.
    assert found.units["nearest_adopter_km"].tolist()[1:] == pytest.approx([111.195] * 2, abs=1e-3)


def test_a_reform_of_the_whole_county_reaches_every_school_in_its_year():
    found = compute_county_adoption(
        county(school_groups=MEMBER), NATIONAL, programme="county_employment", adoption_year=2021
    )
    assert found.units["adoption_year"].eq(2021).all()
    assert found.units["status"].eq("adopter").all()
    without = compute_county_adoption(county(), NATIONAL, programme="county_employment", adoption_year=None)
    assert without.units["status"].eq("comparison").all()


def test_a_programme_that_the_contract_does_not_know_is_refused():
    with pytest.raises(ValueError, match="programme must be one of"):
        adopt(county("1"), programme="group_scholing")


def test_a_county_without_groups_has_comparison_schools_only():
    found = adopt(county())
    assert found.units["status"].eq("comparison").all()
    assert found.years.empty
    assert found.doses.empty
    assert found.anticipation == 0


@pytest.fixture(scope="module")
def demo():
    return simulate_county(replace(DEMO, with_scores=False, with_teachers=False), seed=DEMO_SEED)


@pytest.mark.parametrize("programme", ["group_schooling", "strong_school_project", "school_zone"])
def test_adoption_years_roles_and_forms_are_those_planted(demo, programme):
    found = adopt(demo.county, programme)
    planted: dict[tuple, dict] = {}
    for entry in demo.truth["programmes"]:
        if entry["programme"] == programme:
            key = (entry["school_id"], entry["stage"])
            planted[key] = min(planted.get(key, entry), entry, key=lambda one: one["start_year"])
    own = found.units[found.units["adoption_year"].notna()]
    got = {
        (row["school_id"], row["stage"]): (
            row["adoption_year"],
            row["role"],
            row["form"],
            row["school_group"],
        )
        for row in own.to_dict("records")
    }
    assert got == {
        key: (entry["start_year"], entry["role"], entry["form"] or "", entry["school_group"])
        for key, entry in planted.items()
    }
    left = own.set_index(["school_id", "stage"])["left_year"].dropna().to_dict()
    assert left == {key: entry["end_year"] + 1 for key, entry in planted.items() if entry["end_year"]}
    assert found.unused_rows.empty


def test_comparison_schools_of_the_planted_county_are_in_no_programme(demo):
    found = adopt(demo.county)
    touched = {entry["school_id"] for entry in demo.truth["programmes"]}
    comparison = set(found.units.loc[found.units["status"] == "comparison", "school_id"])
    assert comparison
    assert not comparison & touched
    left_out = {entry["school_id"] for entry in demo.truth["left_out"]}
    assert len(left_out) == 7
    assert set(found.units.loc[found.units["reason"] == "unit_out_of_scope", "school_id"]) == left_out
    renamed = [entry for entry in demo.truth["school_changes"] if entry["kind"] == "rename"]
    units = found.units.set_index("school_id")
    for change in renamed:
        assert units.loc[change["school_id"], "school"] == change["former_id"]
    merged = {entry["school_id"] for entry in demo.truth["school_changes"] if entry["kind"] == "merge"}
    assert not merged & set(found.units["school"])


def test_every_reason_and_change_has_a_label():
    names = {*REASONS, *CHANGES, "adopter", "comparison", "unusable", "membership_stage_not_taught"}
    assert {name for name in names if not has_term(name)} == set()
