"""Values of one row that cannot stand beside each other: parts above their whole, ends before starts."""

import pandas as pd

from toolkit.data.checks.evidence import Evidence, rows, total_enrolment
from toolkit.data.problems import Problem
from toolkit.data.schema import COMPULSORY_STAGES, TABLES

PARTS_OF_ENROLMENT = (
    "migrant_students",
    "purchased_place_students",
    "left_behind_students",
    "students_with_disabilities",
    "selective_students",
)
FURTHER_PARTS = tuple(
    (f"{part}_{stage}", f"{whole}_{stage}")
    for stage in COMPULSORY_STAGES
    for part, whole in (
        ("new_entrants", "enrolment"),
        ("teachers", "staff"),
        ("senior_title_teachers", "teachers_intermediate_title"),
    )
)
SPELLS = {
    "schools": ("opened", "closed"),
    "school_groups": ("start_year", "end_year"),
    "support": ("support_start", "support_end"),
    "rotations": ("rotation_start", "rotation_end"),
    "projects": ("project_start", "project_end"),
}
SCHOOL_COLUMN = {"support": "receiver_id", "rotations": "receiving_school_id"}


def parts_above_their_whole(evidence: Evidence) -> list[Problem]:
    """Find values above the column of the same row that contains them."""
    found = []
    for table in TABLES.values():
        pairs = [(column.name, column.at_most) for column in table.columns if column.at_most]
        frame = evidence.table(table.name)
        for part, whole in (*pairs, *(FURTHER_PARTS if table.name == "school_years" else ())):
            severity = "error" if (part, whole) in pairs else "warning"
            found += [
                evidence.problem(
                    "part_above_whole",
                    severity,
                    table.name,
                    index,
                    part,
                    value=frame.at[index, part],
                    whole=f"@{whole}",
                    limit=frame.at[index, whole],
                )
                for index in rows(frame[part] > frame[whole])
            ]
    return found


def parts_above_enrolment(evidence: Evidence) -> list[Problem]:
    """Find groups of students larger than all students of the compulsory stages."""
    school_years = evidence.school_years
    students = total_enrolment(school_years, COMPULSORY_STAGES)
    return [
        evidence.problem(
            "part_above_enrolment",
            "error",
            "school_years",
            index,
            part,
            value=school_years.at[index, part],
            limit=students[index],
        )
        for part in PARTS_OF_ENROLMENT
        for index in rows(school_years[part] > students)
    ]


def ends_before_starts(evidence: Evidence) -> list[Problem]:
    """Find spells that end before they start."""
    found = []
    for table, (start, end) in SPELLS.items():
        frame = evidence.table(table)
        found += [
            evidence.problem(
                "ends_before_start",
                "error",
                table,
                index,
                end,
                school_column=SCHOOL_COLUMN.get(table, "school_id"),
                start=_day(frame.at[index, start]),
                end=_day(frame.at[index, end]),
            )
            for index in rows(frame[end] < frame[start])
        ]
    return found


def _day(value: object) -> str:
    return value.date().isoformat() if isinstance(value, pd.Timestamp) else str(value)
