"""Pupils' scores with planted effects of group schooling and rotation."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.simulate.enrolment import BURN_IN, Enrolment
from toolkit.data.simulate.frames import column, records
from toolkit.data.simulate.names import names
from toolkit.data.simulate.planted_effects import planted_effects
from toolkit.data.simulate.programmes import Programmes
from toolkit.data.simulate.register import Register
from toolkit.data.simulate.rotation import Rotations
from toolkit.data.simulate.settings import SimulationSettings, stream
from toolkit.data.simulate.teachers import Staff

SUBJECTS = ("chinese", "mathematics")
# First and second tested grade of a cohort, and the grade in which it entered the stage.
GRADES = {"primary": (5, 6, 1), "junior": (8, 9, 7)}
FULL_MARK = {"primary": 100, "junior": 120}
ONE_YEAR_CORRELATION = 0.75
YEAR_SHOCK = 0.06
SAME_ACROSS_SUBJECTS = 0.8
ABSENT = 0.012


@dataclass(frozen=True, slots=True)
class Scores:
    """Tests and what was planted in them.

    Attributes
    ----------
    table : pandas.DataFrame
        Rows of `scores`, still with `row`.
    effects : pandas.DataFrame
        Planted effects by (row, stage, year): `membership_effect`, `rotation_effect`, `choice_year_dip`,
        in standard deviations of pupil scores.
    """

    table: pd.DataFrame
    effects: pd.DataFrame


def simulate_scores(
    register: Register,
    enrolment: Enrolment,
    staff: Staff,
    programmes: Programmes,
    rotations: Rotations,
    settings: SimulationSettings,
    seed: int,
) -> Scores:
    """Simulate two consecutive tests of each cohort in each stage.

    A score is the sum of a lasting school effect, a school-by-year shock, the planted effects, the
    teacher's effect, the pupil's lasting ability and noise; its variance is about one before the
    planted effects.
    """
    rng = stream(seed, settings, "scores")
    effects = planted_effects(register, enrolment, programmes, rotations, settings)
    if not settings.with_scores:
        return Scores(pd.DataFrame(), effects)
    teachers = _subject_teachers(staff, rotations, settings, rng)
    parts = [
        _stage_scores(stage, register, enrolment, programmes, effects, teachers, settings, rng)
        for stage in GRADES
    ]
    table = pd.concat(parts, ignore_index=True)
    order = ["year", "row", "grade", "subject", "student_id"]
    return Scores(table.sort_values(order, kind="stable").reset_index(drop=True), effects)


@dataclass(frozen=True, slots=True)
class _Teachers:
    """Who can teach a tested subject at a school, and how good they are."""

    present: dict[tuple[int, str, str, int], list[int]]
    effect: dict[int, float]
    steady_backbone: dict[tuple[int, int], bool]


def _subject_teachers(
    staff: Staff, rotations: Rotations, settings: SimulationSettings, rng: np.random.Generator
) -> _Teachers:
    """Return teachers by school, stage, subject and year; rotating teachers are where they rotate to."""
    roster = staff.roster[staff.roster["subject"].isin(SUBJECTS)]
    sent: dict[Any, int] = {}
    for spell in records(rotations.spells):
        for year in range(spell.start, min(spell.start + spell.length - 1, settings.last_year) + 1):
            if spell.share == 1.0:
                sent[spell.person, year] = spell.receiving
    rotating = set(rotations.spells["person"])
    people = np.unique(column(roster, "person").to_numpy())
    draws = settings.effects.teacher_sd * rng.standard_normal(len(people))
    present: dict[tuple[int, str, str, int], list[int]] = {}
    backbone = {}
    columns = [roster[name] for name in ("person", "row", "stage", "subject", "year", "backbone")]
    for person, row, stage, subject, year, strong in zip(*columns, strict=True):
        place = sent.get((person, year), int(row))
        present.setdefault((place, stage, subject, year), []).append(person)
        backbone[person, year] = bool(strong) and person not in rotating
    return _Teachers(present, dict(zip(people.tolist(), draws.tolist(), strict=True)), backbone)


def _stage_scores(
    stage: str,
    register: Register,
    enrolment: Enrolment,
    programmes: Programmes,
    effects: pd.DataFrame,
    teachers: _Teachers,
    settings: SimulationSettings,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return both tests of all cohorts of one stage."""
    first_grade, second_grade, entry_grade = GRADES[stage]
    icc = settings.icc_primary if stage == "primary" else settings.icc_junior
    pupils = _pupils(stage, first_grade, register, enrolment, settings, rng)
    lasting = np.sqrt(icc) * programmes.quality[stage]
    ability_variance = ONE_YEAR_CORRELATION - icc
    noise_variance = 1 - ONE_YEAR_CORRELATION - YEAR_SHOCK**2 - settings.effects.teacher_sd**2
    ability = np.sqrt(ability_variance * SAME_ACROSS_SUBJECTS) * rng.standard_normal(len(pupils))
    ability += 0.12 * pupils["ses"].to_numpy() * np.sqrt(ability_variance)
    entry_year = pupils["cohort"].to_numpy() - (first_grade - entry_grade)
    ability += _intake_effects(stage, pupils["row"].to_numpy(), entry_year, programmes, settings)
    shocks = YEAR_SHOCK * rng.standard_normal((len(register), settings.n_years + 2))
    parts = []
    own = np.sqrt(ability_variance * (1 - SAME_ACROSS_SUBJECTS))
    for subject in SUBJECTS:
        subject_ability = ability + own * rng.standard_normal(len(pupils))
        prior = np.full(len(pupils), np.nan)
        for grade in (first_grade, second_grade):
            year = pupils["cohort"].to_numpy() + grade - first_grade
            planted = _school_year_values(effects, stage, pupils["row"].to_numpy(), year)
            teacher, teacher_effect = _assigned(pupils, stage, subject, grade, year, teachers, settings)
            value = (
                lasting[pupils["row"]]
                + shocks[pupils["row"], year - settings.first_year + 1]
                + planted
                + teacher_effect
                + subject_ability
                + np.sqrt(noise_variance) * rng.standard_normal(len(pupils))
            )
            score = _marks(value, stage, subject, grade, year)
            absent = rng.random(len(pupils)) < ABSENT
            shown = pupils.assign(
                year=year,
                grade=grade,
                subject=subject,
                teacher=teacher,
                score=np.where(absent, np.nan, score),
                absent=absent,
                prior_score=prior,
            )
            parts.append(shown[(year >= settings.first_year) & (year <= settings.last_year)])
            prior = np.where(absent, np.nan, score)
    return _columns(pd.concat(parts, ignore_index=True), stage, register)


def _pupils(
    stage: str,
    first_grade: int,
    register: Register,
    enrolment: Enrolment,
    settings: SimulationSettings,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the tested pupils of all cohorts: all of a small grade, a sample of a large one."""
    special = (register.schools["type"] == "special_education_school").to_numpy()
    cohorts = np.arange(settings.first_year - 1, settings.last_year + 1)
    sizes = enrolment.grades[:, first_grade - 1, cohorts - settings.first_year + BURN_IN] * ~special[:, None]
    later = np.roll(enrolment.grades[:, first_grade, cohorts - settings.first_year + BURN_IN], -1, axis=1)
    later[:, -1] = sizes[:, -1]
    sizes = np.where(later > 0, sizes, 0)
    row, column = np.nonzero(sizes)
    size = sizes[row, column]
    tested = np.minimum(size, settings.pupils_per_grade)
    index = np.repeat(np.arange(len(row)), tested)
    within = np.arange(len(index)) - np.repeat(np.cumsum(tested) - tested, tested)
    n_classes = np.maximum(-(-size // (45 if stage == "primary" else 50)), 1)
    pupils = pd.DataFrame({"row": row[index], "cohort": cohorts[column[index]]})
    pupils["class_number"] = within % n_classes[index] + 1
    pupils["weight"] = np.round(size[index] / tested[index], 3)
    pupils["number"] = np.arange(len(pupils)) + (0 if stage == "primary" else 500_000)
    location = register.schools["location"].to_numpy(dtype=object)[pupils["row"]]
    pupils["ses"] = np.round(
        rng.standard_normal(len(pupils))
        + np.select([location == "urban", location == "rural"], [0.25, -0.25], 0.0),
        1,
    )
    draw = rng.random((3, len(pupils)))
    pupils["gender"] = np.where(draw[0] < 0.525, "male", "female")
    pupils["migrant"] = draw[1] < np.select([location == "urban", location == "rural"], [0.13, 0.01], 0.05)
    pupils["left_behind"] = draw[2] < np.select(
        [location == "urban", location == "rural"], [0.02, 0.20], 0.10
    )
    return pupils


def _intake_effects(
    stage: str,
    rows: NDArray[np.int64],
    entry_year: NDArray[np.int64],
    programmes: Programmes,
    settings: SimulationSettings,
) -> NDArray[np.float64]:
    """Return the gain in ability of pupils who entered a member school after it joined."""
    table = programmes.memberships
    members = table[
        (table["stage"] == stage) & (table["role"] == "member") & (table["programme"] == "group_schooling")
    ]
    joined = (
        column(members.groupby("row")[["start_year"]].min(), "start_year").reindex(rows).to_numpy(dtype=float)
    )
    return np.where(entry_year >= joined, settings.effects.intake, 0.0)


def _school_year_values(
    effects: pd.DataFrame, stage: str, rows: NDArray[np.int64], years: NDArray[np.int64]
) -> NDArray[np.float64]:
    keys = pd.MultiIndex.from_arrays([rows, np.full(len(rows), stage), years])
    return effects.sum(axis=1).reindex(keys).fillna(0.0).to_numpy()


def _assigned(
    pupils: pd.DataFrame,
    stage: str,
    subject: str,
    grade: int,
    years: NDArray[np.int64],
    teachers: _Teachers,
    settings: SimulationSettings,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the teacher of each pupil's class (missing where the roster has none) and the class effect."""
    classes = pd.DataFrame({"row": pupils["row"], "year": years, "number": pupils["class_number"]})
    code = classes.groupby(["row", "year", "number"], sort=True).ngroup().to_numpy()
    unique = classes.drop_duplicates().sort_values(["row", "year", "number"])
    teacher, effect = np.full(len(unique), np.nan), np.zeros(len(unique))
    for position, (row, year, number) in enumerate(unique.itertuples(index=False)):
        listed = teachers.present.get((row, stage, subject, year))
        if listed:
            person = listed[(2 * number + grade) % len(listed)]
            teacher[position] = person
            bonus = settings.effects.backbone_teacher if teachers.steady_backbone[person, year] else 0.0
            effect[position] = teachers.effect[person] + bonus
    return teacher[code], effect[code]


def _marks(
    value: NDArray[np.float64], stage: str, subject: str, grade: int, years: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Turn standard scores into whole marks; difficulty differs between tests, so years are not linked."""
    full = FULL_MARK[stage]
    harder = ((years * 7 + grade * 3 + (11 if subject == "mathematics" else 0)) % 9 - 4) / 100
    mean, spread = (0.71 + harder) * full, 0.115 * full
    return np.clip(np.round(mean + spread * value), 0, full)


def _columns(table: pd.DataFrame, stage: str, register: Register) -> pd.DataFrame:
    rows, years = table["row"].to_numpy(dtype=int), table["year"].to_numpy(dtype=int)
    return pd.DataFrame(
        {
            "row": rows,
            "number": table["number"],
            "teacher": table["teacher"],
            "student_id": "",
            "year": years,
            "grade": table["grade"],
            "subject": table["subject"],
            "test": names()["tests"]["name"],
            "school_id": register.codes_in(rows, years),
            "class_id": table["grade"].astype(str) + table["class_number"].astype(str).str.zfill(2),
            "score": table["score"],
            "full_mark": FULL_MARK[stage],
            "absent": table["absent"],
            "prior_score": table["prior_score"],
            "weight": table["weight"],
            "gender": table["gender"],
            "migrant": table["migrant"],
            "left_behind": table["left_behind"],
            "ses": table["ses"],
        }
    )
