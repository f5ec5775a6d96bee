"""A small clean county, made by hand, and a way to spoil it."""

from collections.abc import Callable, Mapping

import pandas as pd
import pytest

from toolkit.data.checks import check_county
from toolkit.data.county import County, Origin, Reading
from toolkit.data.problems import Problem
from toolkit.data.schema import TABLES, conform

Tables = dict[str, list[dict[str, object]]]


def _frame(table: str, entries: list[dict[str, object]]) -> pd.DataFrame:
    return conform(pd.DataFrame(entries), TABLES[table])


def _letter(position: int) -> str:
    return chr(65 + position) if position < 26 else chr(64 + position // 26) + chr(65 + position % 26)


def _reading(tables: Tables) -> Reading:
    frames: Mapping[str, pd.DataFrame] = {name: _frame(name, rows) for name, rows in tables.items()}
    origins = {}
    for name, frame in frames.items():
        places = pd.DataFrame({"file": "county.xlsx", "sheet": name, "row": range(2, len(frame) + 2)})
        letters = {
            ("county.xlsx", name, column): _letter(position)
            for position, column in enumerate(TABLES[name].column_names)
        }
        origins[name] = Origin(places, letters)
    empty = pd.DataFrame()
    return Reading(County("000000", "甲县", frames), (), empty, empty, empty, origins)


def _school_year(code: str, year: int, stages: tuple[str, ...], pupils: int) -> dict[str, object]:
    """A school year in which everything agrees; numbers grow a little from year to year."""
    grown = pupils + 4 * (year - 2023)
    row: dict[str, object] = {"school_id": code, "year": year}
    grades = {"primary": range(1, 7), "junior": range(7, 10)}
    for stage in stages:
        if stage == "senior":
            row["enrolment_senior"] = grown
            continue
        of_stage = list(grades[stage])
        by_grade = [grown // len(of_stage)] * len(of_stage)
        by_grade[-1] += grown - sum(by_grade)
        row |= {f"enrolment_grade_{grade}": count for grade, count in zip(of_stage, by_grade, strict=True)}
        teachers = max(2, grown // 14)
        row |= {
            f"enrolment_{stage}": grown,
            f"new_entrants_{stage}": by_grade[0],
            f"boarders_{stage}": 0,
            f"classes_{stage}": max(1, grown // 40),
            f"staff_{stage}": teachers + 1,
            f"teachers_{stage}": teachers,
            f"teachers_above_required_qualification_{stage}": teachers - 1,
            f"backbone_teachers_{stage}": 1,
            f"pe_teachers_{stage}": 1,
            f"arts_teachers_{stage}": 1,
        }
    total = grown * len(stages)
    row |= {
        "teaching_area": 6.0 * total,
        "indoor_sports_area": 0.0,
        "gymnasium_area": 0.0,
        "sports_ground_area": 9.0 * total,
        "equipment_value": 2400.0 * total,
        "multimedia_rooms": max(1, total // 40),
        "computers": max(1, total // 10),
        "books": 25 * total,
    }
    return row


SCHOOLS = (
    ("101", "红星小学", "primary_school", ("primary",), 420),
    ("102", "育才小学", "primary_school", ("primary",), 300),
    ("103", "柳河教学点", "teaching_point", ("primary",), 60),
    ("201", "第一中学", "junior_secondary_school", ("junior",), 510),
    ("301", "实验学校", "nine_year_school", ("primary", "junior"), 270),
    ("401", "县高级中学", "complete_secondary_school", ("junior", "senior"), 480),
)


def _clean() -> Tables:
    """A county in which everything agrees."""
    tables: Tables = {
        "schools": [
            {
                "school_id": code,
                "school_name": name,
                "town": "城关镇",
                "school_type": kind,
                "ownership": "public",
                "location": "urban",
                "opened": 1985,
                "longitude": 112.5 + position / 100,
                "latitude": 34.6 + position / 100,
            }
            for position, (code, name, kind, _, _) in enumerate(SCHOOLS)
        ],
        "school_years": [
            _school_year(code, year, stages, pupils)
            for year in (2023, 2024, 2025)
            for code, _, _, stages, pupils in SCHOOLS
        ],
        "school_links": [],
        "classes": [],
        "school_groups": [
            {
                "school_id": "101",
                "stage": "primary",
                "programme": "group_schooling",
                "school_group": "红星集团",
            }
            | {"role": "lead", "start_year": 2024},
            {
                "school_id": "102",
                "stage": "primary",
                "programme": "group_schooling",
                "school_group": "红星集团",
            }
            | {"role": "member", "start_year": 2024},
        ],
        "support": [
            {"supporter_name": "市教科院", "receiver_id": "103", "support_start": "2024-09-01"},
        ],
        "rotations": [
            {"teacher_id": "T1", "rotation_start": "2023-09-01", "rotation_end": "2024-07-31"}
            | {"sending_school_id": "101", "receiving_school_id": "102"},
            {"teacher_id": "T1", "rotation_start": "2024-09-01"}
            | {"sending_school_id": "101", "receiving_school_id": "103"},
        ],
        "teachers": [],
        "scores": [],
        "county_years": [
            {
                "year": 2025,
                "item": "G07",
                "item_numerator": 640000.0,
                "item_denominator": 80.0,
                "item_value": 8000.0,
            },
            {
                "year": 2025,
                "item": "G01",
                "entered_verdict": "met",
                "judge": "督导室",
                "judged_on": "2025-10-20",
            },
        ],
        "surveys": [
            {"year": 2025, "respondents": "parents", "questionnaires_sent": 1000}
            | {"questionnaires_returned": 960, "questionnaires_satisfied": 900},
        ],
        "projects": [],
    }
    return tables


@pytest.fixture(scope="session")
def new_county() -> Callable[[], Tables]:
    """Make a county in which everything agrees."""
    return _clean


@pytest.fixture
def clean() -> Tables:
    """A county in which everything agrees."""
    return _clean()


@pytest.fixture(scope="session")
def reading_of() -> Callable[[Tables], Reading]:
    """Turn rows into a reading whose rows stand below one header row."""
    return _reading


@pytest.fixture(scope="session")
def check() -> Callable[[Tables], tuple[Problem, ...]]:
    """Check a county given as rows."""
    return lambda tables: check_county(_reading(tables))
