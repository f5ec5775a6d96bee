"""Groups, coverage and pairings of one year in counties written out by hand."""

import pytest

from tests.people import member, school, school_year, with_tables
from toolkit.variation.programmes import ANY_PROGRAMME, describe_programmes

SCHOOLS = [
    school("1"),
    school("2", location="rural"),
    school("3", location="rural"),
    school("4", location="rural"),
    school("5", school_type="special_education_school"),
]
YEARS = [
    school_year(code, year, enrolment_primary=size)
    for year in (2024, 2025)
    for code, size in (("1", 400), ("2", 100), ("3", 50), ("4", None), ("5", 60))
]


def describe(*groups, **tables):
    return describe_programmes(with_tables(SCHOOLS, YEARS, school_groups=groups, **tables), year=2025)


def test_a_group_lists_its_leads_members_students_and_who_came_and_went():
    found = describe(
        member("1", role="lead"),
        member("2"),
        member("3", start_year=2025),
        member("4", end_year=2024),
    ).school_groups.iloc[0]
    assert (found["leads"], found["members"]) == (("第1小学",), ("第2小学", "第3小学"))
    assert (found["joined"], found["left"]) == (("第3小学",), ("第4小学",))
    assert (found["n_schools"], found["students"], found["form"]) == (3, 550, "close_form")


def test_a_school_that_renews_its_membership_neither_joins_nor_leaves():
    found = describe(member("1", role="lead"), member("2", end_year=2024), member("2", start_year=2025))
    row = found.school_groups.iloc[0]
    assert (row["joined"], row["left"], row["n_schools"]) == ((), (), 2)


def test_a_group_that_ended_with_the_year_before_is_shown_as_left():
    row = describe(member("1", role="lead", end_year=2024), member("2", end_year=2024)).school_groups.iloc[0]
    assert (row["n_schools"], row["left"]) == (0, ("第1小学", "第2小学"))


def test_coverage_counts_schools_and_students_by_place_among_all_of_the_stage():
    found = describe(member("1", role="lead"), member("2")).coverage.set_index("location")
    assert found["n_schools"].to_dict() == {"urban": 1, "rural": 1, "total": 2}
    assert found["all_schools"].to_dict() == {"urban": 1, "rural": 3, "total": 4}
    assert found.at["total", "student_share"] == pytest.approx(500 / 550)
    assert found["n_unknown"].to_dict() == {"urban": 0, "rural": 1, "total": 1}


def test_a_school_in_two_programmes_counts_once_in_any():
    found = describe(
        member("1", role="lead"), member("2"), member("2", programme="school_zone", school_group="乙学区")
    ).coverage
    total = found[found["location"] == "total"].set_index("programme")["n_schools"]
    assert total.to_dict() == {"group_schooling": 2, "school_zone": 1, ANY_PROGRAMME: 2}


def test_pairings_are_shown_while_they_run():
    pairs = [
        {"supporter_id": "1", "receiver_id": "2", "programme": "paired_support", "support_start": start}
        | {"support_end": end, "supporter_name": "x", "receiver_name": "y"}
        for start, end in (("2022-09-01", "2025-08-31"), ("2024-03-01", None), ("2026-09-01", None))
    ]
    pairs.append(pairs[1] | {"supporter_id": None, "supporter_name": "某研究院"})
    found = describe(support=pairs).support
    assert found["supporter"].tolist() == ["第1小学", "某研究院"]
    assert found["first_year"].tolist() == [2023, 2023]


def test_a_county_without_groups_has_empty_parts():
    found = describe_programmes(with_tables(SCHOOLS, YEARS), year=2025)
    assert found.school_groups.empty
    assert found.coverage.empty
    assert found.support.empty
    assert found.tidy() is found.coverage
