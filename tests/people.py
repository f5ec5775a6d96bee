"""Small counties with groups and rotating teachers, written out by hand for tests."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pandas as pd

from tests.counties import make_county
from toolkit.data.county import County
from toolkit.data.schema import TABLES, conform

Rows = Iterable[Mapping[str, object]]
DATES = ("rotation_start", "rotation_end", "arrived", "link_date", "support_start", "support_end")


def school(code: str, **changes: object) -> dict[str, object]:
    """Return a public urban primary school of the register."""
    row = {
        "school_id": code,
        "school_name": f"第{code}小学",
        "school_type": "primary_school",
        "ownership": "public",
        "location": "urban",
        "town": "东镇",
    }
    return row | changes


def school_year(code: str, year: int = 2025, **changes: object) -> dict[str, object]:
    """Return a year of a primary school with 100 pupils and 10 teachers."""
    return {"school_id": code, "year": year, "enrolment_primary": 100, "teachers_primary": 10} | changes


def spell(teacher: str, sent: str | None, taken: str | None, **changes: object) -> dict[str, object]:
    """Return a spell of rotation that began with the school year 2025 and runs."""
    row = {
        "teacher_id": teacher,
        "rotation_start": "2025-09-01",
        "sending_school_id": sent,
        "receiving_school_id": taken,
        "sending_school_name": sent,
        "receiving_school_name": taken,
        "rotation_type": "fixed_term_rotation",
        "backbone": False,
        "stage": "primary",
        "subject": "chinese",
        "full_time_share": 1.0,
        "file_moved": False,
    }
    return row | changes


def member(code: str, **changes: object) -> dict[str, object]:
    """Return a membership in a group since 2020."""
    row = {
        "school_id": code,
        "school_name": f"第{code}小学",
        "stage": "primary",
        "programme": "group_schooling",
        "school_group": "甲集团",
        "role": "member",
        "form": "close_form",
        "start_year": 2020,
    }
    return row | changes


def teacher(code: str, at: str, year: int = 2025, **changes: object) -> dict[str, object]:
    """Return a teacher of the roster who is eligible for rotation."""
    row = {
        "teacher_id": code,
        "year": year,
        "school_id": at,
        "stage": "primary",
        "subject": "chinese",
        "qualification": "bachelor",
        "established_post": True,
        "arrived": "2019-08-25",
    }
    return row | changes


def with_tables(schools: Rows, school_years: Rows, **tables: Rows) -> County:
    """Return a county with further tables; what is not given is missing."""
    county = make_county(schools, school_years)
    added = {}
    for name, rows in tables.items():
        frame = pd.DataFrame(list(rows))
        for column in set(DATES) & set(frame.columns):
            frame[column] = pd.to_datetime(frame[column])
        added[name] = conform(frame, TABLES[name])
    return replace(county, tables={**county.tables, **added})
