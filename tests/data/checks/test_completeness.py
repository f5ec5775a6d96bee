"""What is missing: which cells count, and in which year."""

import pytest

from toolkit.data.checks import completeness
from toolkit.standards import load_standard

NATIONAL = load_standard("national_2017")


@pytest.fixture
def counted(reading_of):
    """Count the cells of a county given as rows; return (cells, missing, in the year, missing in it)."""

    def count(tables, column, *, table="school_years", year=None, standard=NATIONAL):
        listed = completeness(reading_of(tables), standard, year)
        row = listed[(listed["table"] == table) & (listed["column"] == column)].iloc[0]
        names = ("cells", "missing", "cells_in_year", "missing_in_year")
        return tuple(int(row[name]) for name in names)

    return count


@pytest.mark.parametrize(
    ("column", "schools"),
    [
        ("enrolment_primary", 4),
        ("enrolment_grade_3", 4),
        ("enrolment_grade_8", 3),
        ("graduates_junior", 3),
        ("grade7_enrolment_at_entry", 3),
        ("enrolment_senior", 1),
        ("teaching_area", 6),
        ("books", 6),
    ],
)
def test_a_column_counts_the_schools_that_can_fill_it(counted, clean, column, schools):
    cells, _, in_year, _ = counted(clean, column)
    assert (cells, in_year) == (3 * schools, schools)


def test_missing_cells_are_counted_in_the_year_asked_for_and_over_all_years(counted, clean):
    clean["school_years"][0]["teaching_area"] = None  # 2023
    clean["school_years"][12]["teaching_area"] = None  # 2025
    clean["school_years"][13]["teaching_area"] = None
    assert counted(clean, "teaching_area") == (18, 3, 6, 2)
    assert counted(clean, "teaching_area", year=2023) == (18, 3, 6, 1)
    assert counted(clean, "teaching_area", year=2024) == (18, 3, 6, 0)


def out_of_scope(**values):
    return lambda tables: tables["schools"][0].update(values)


def without_students(tables):
    for row in tables["school_years"]:
        if row["school_id"] == "101":
            row["enrolment_primary"] = 0.0


def small(tables):
    for row in tables["school_years"]:
        if row["school_id"] == "103":
            row["enrolment_primary"] = 49.0


@pytest.mark.parametrize(
    "change",
    [
        out_of_scope(school_type="special_education_school"),
        out_of_scope(school_type=None),
        without_students,
        small,
    ],
)
def test_columns_of_the_indicators_count_only_schools_in_scope(counted, clean, change):
    change(clean)
    assert counted(clean, "teaching_area")[0] == 15
    assert counted(clean, "books")[0] == 18


def test_a_special_school_lacks_no_senior_enrolment(counted, clean):
    clean["schools"][0]["school_type"] = "special_education_school"
    assert counted(clean, "enrolment_senior") == (3, 0, 1, 0)


def test_a_school_whose_enrolment_is_missing_stays_in_scope(counted, clean):
    for row in clean["school_years"]:
        if row["school_id"] == "103":
            row["enrolment_primary"] = None
    assert counted(clean, "enrolment_primary") == (12, 3, 4, 1)


def test_what_is_empty_by_nature_is_not_listed(reading_of, clean):
    listed = completeness(reading_of(clean), NATIONAL)
    names = set(zip(listed["table"], listed["column"], strict=True))
    assert not names & {
        ("schools", "former_names"), ("schools", "closed"), ("schools", "parent_school_id"),
        ("rotations", "rotation_end"), ("teachers", "exemption"), ("school_groups", "end_year"),
        ("school_years", "rented_sports_minutes"), ("school_years", "school_name"),
        ("classes", "size_band"), ("support", "supporter_id"),
    }  # fmt: skip
    assert {("schools", "school_type"), ("school_years", "books"), ("rotations", "stage")} <= names


def test_an_absent_pupil_lacks_no_score(counted, clean):
    pupil = {"year": 2025, "grade": 6, "subject": "chinese", "test": "期末", "school_id": "101"}
    clean["scores"] = [
        pupil | {"student_id": "S1", "score": 80.0},
        pupil | {"student_id": "S2", "absent": True},
        pupil | {"student_id": "S3"},
    ]
    assert counted(clean, "score", table="scores") == (2, 1, 2, 1)


def test_a_table_without_years_is_not_counted_by_year(reading_of, clean):
    listed = completeness(reading_of(clean), NATIONAL)
    assert listed.loc[listed["table"] == "rotations", "cells_in_year"].isna().all()
    assert listed.loc[listed["table"] == "school_years", "cells_in_year"].notna().all()


def test_the_columns_of_the_seven_indicators_are_needed_and_no_others(reading_of, clean):
    listed = completeness(reading_of(clean), NATIONAL)
    needed = set(listed.loc[listed["decides"], "column"])
    assert {"enrolment_senior", "backbone_teachers_junior", "multimedia_rooms"} <= needed
    assert not needed & {"books", "classes_primary", "school_id", "teachers_primary"}


def test_scope_and_deciding_columns_are_those_of_the_standard(reading_of, clean):
    standard = load_standard("national_2012")
    listed = {
        name: completeness(reading_of(clean), each).set_index("column")["decides"]
        for name, each in (("national_2017", NATIONAL), ("national_2012", standard))
    }
    assert not listed["national_2017"]["books"]
    assert listed["national_2012"]["books"]
    assert listed["national_2017"]["multimedia_rooms"]
    assert not listed["national_2012"]["multimedia_rooms"]
