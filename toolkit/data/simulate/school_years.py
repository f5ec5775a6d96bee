"""学校年度 of a simulated county: everything a school reports in a year."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.simulate.classes import Classes
from toolkit.data.simulate.enrolment import BURN_IN, Enrolment
from toolkit.data.simulate.premises import Premises
from toolkit.data.simulate.register import Register
from toolkit.data.simulate.settings import SimulationSettings, stream
from toolkit.data.simulate.teachers import Staff

STAGES = ("primary", "junior")
MIGRANT = {"urban": 0.13, "town_area": 0.05, "rural": 0.01}
LEFT_BEHIND = {"urban": 0.02, "town_area": 0.10, "rural": 0.20}
BOARDING = {"urban": 0.0, "town_area": 0.25, "rural": 0.45}
SPENDING = {"primary": 10_500, "junior": 13_800}
PUBLIC_FUNDS = {"primary": 720, "junior": 940}
FUNDED_AT_LEAST = 100


def school_year_table(
    register: Register,
    enrolment: Enrolment,
    classes: Classes,
    staff: Staff,
    premises: Premises,
    settings: SimulationSettings,
    seed: int,
) -> pd.DataFrame:
    """Return one row per school and year with students."""
    primary, junior = enrolment.primary[:, BURN_IN:], enrolment.junior[:, BURN_IN:]
    row, position = np.nonzero(primary + junior)
    order = np.lexsort((row, position))
    row, position = row[order], position[order]
    year = settings.first_year + position
    frame = pd.DataFrame(
        {
            "row": row,
            "year": year,
            "school_id": register.codes_in(row, year),
            "school_name": register.names_in(row, year),
            "enrolment_primary": primary[row, position],
            "enrolment_junior": junior[row, position],
            "enrolment_senior": enrolment.senior[row, BURN_IN + position],
        }
    )
    for grade in range(9):
        frame[f"enrolment_grade_{grade + 1}"] = enrolment.grades[row, grade, BURN_IN + position]
    frame["new_entrants_primary"] = frame["enrolment_grade_1"]
    frame["new_entrants_junior"] = frame["enrolment_grade_7"]
    _add_students(frame, register, settings, seed)
    _add_classes(frame, classes)
    _add_teachers(frame, register, staff, settings, seed)
    for name, stock in premises.stocks.items():
        frame[name] = stock[row, position]
    _add_rooms_and_equipment(frame, register, settings, seed)
    _add_funds(frame, register, settings, seed)
    _add_retention(frame, enrolment, settings, seed)
    _blank_absent_stages(frame, register)
    return frame


def _place(frame: pd.DataFrame, register: Register, column: str) -> pd.Series:
    return register.schools[column].iloc[frame["row"]].reset_index(drop=True)


def _steady(frame: pd.DataFrame, register: Register, rng: np.random.Generator, spread: float) -> NDArray:
    """Return a factor around one that a school keeps over the years."""
    factor = np.exp(spread * np.clip(rng.standard_normal(len(register)), -2, 2))
    return factor[frame["row"]]


def _add_students(frame: pd.DataFrame, register: Register, settings: SimulationSettings, seed: int) -> None:
    rng = stream(seed, settings, "pupils")
    location, private = _place(frame, register, "location"), _place(frame, register, "ownership") == "private"
    total = frame["enrolment_primary"] + frame["enrolment_junior"]
    for stage, boards in (("primary", 0.35), ("junior", 1.0)):
        share = location.map(BOARDING).to_numpy() * boards * _steady(frame, register, rng, 0.25)
        boarding = _place(frame, register, "boarding_school").to_numpy(dtype=bool)
        students = frame[f"enrolment_{stage}"]
        frame[f"boarders_{stage}"] = np.floor(np.where(boarding, np.minimum(share, 0.95), 0.0) * students)
        outside = np.where(
            private, 0.55, np.where(stage == "primary", 0.0, 0.025 * _steady(frame, register, rng, 0.2))
        )
        frame[f"in_zone_students_{stage}"] = np.ceil((1 - outside) * students)
    for name, shares, spread in (
        ("migrant_students", MIGRANT, 0.3),
        ("left_behind_students", LEFT_BEHIND, 0.3),
    ):
        share = location.map(shares).to_numpy() * _steady(frame, register, rng, spread)
        frame[name] = np.floor(np.minimum(share, 0.6) * total)
    frame["purchased_place_students"] = np.where(private, np.floor(0.6 * frame["migrant_students"]), 0)
    special = _place(frame, register, "type") == "special_education_school"
    frame["students_with_disabilities"] = np.where(special, total, rng.binomial(total, 0.004))
    frame["selective_students"] = 0


def _add_classes(frame: pd.DataFrame, classes: Classes) -> None:
    keys = pd.MultiIndex.from_arrays([frame["row"], frame["year"]])
    counts = classes.per_school().reindex(keys)
    for stage in STAGES:
        frame[f"classes_{stage}"] = counts[stage].fillna(0).to_numpy()
    frame["largest_class_size"] = classes.largest().reindex(keys).to_numpy()


def _add_teachers(
    frame: pd.DataFrame, register: Register, staff: Staff, settings: SimulationSettings, seed: int
) -> None:
    rng = stream(seed, settings, "funds")
    students = frame["enrolment_primary"] + frame["enrolment_junior"]
    # Between 50 and 99 students visiting teachers would count for R3, beside those of the plan.
    rural_small = (_place(frame, register, "location") == "rural") & (students >= 100) & (students < 200)
    early = (settings.last_year - frame["year"]).to_numpy()
    for stage in STAGES:
        keys = pd.MultiIndex.from_arrays([frame["row"], [stage] * len(frame), frame["year"]])
        counts = staff.counts.reindex(keys).fillna(0)
        for name in counts.columns:
            frame[f"{name}_{stage}"] = counts[name].to_numpy()
        teachers = frame[f"teachers_{stage}"].to_numpy(dtype=int)
        specialists = (frame[f"pe_teachers_{stage}"] + frame[f"arts_teachers_{stage}"]).to_numpy()
        frame[f"staff_{stage}"] = np.ceil(1.06 * teachers)
        frame[f"pe_arts_instructors_{stage}"] = specialists + np.minimum(
            np.ceil(0.03 * teachers), teachers - specialists
        )
        frame[f"visiting_pe_arts_teachers_{stage}"] = np.where(
            rural_small & (teachers > 0), rng.integers(0, 3, len(frame)), 0
        )
        frame[f"certified_teachers_{stage}"] = teachers - rng.binomial(
            teachers, np.minimum(0.004 * early, 0.03)
        )
        frame[f"trained_teachers_{stage}"] = teachers - rng.binomial(
            teachers, np.minimum(0.010 * early, 0.08)
        )
    frame["teacher_exits"] = _exits(frame, staff)
    frame["teacher_weekly_hours"] = np.round(14 + 1.5 * rng.standard_normal(len(frame)), 1)
    frame["teacher_satisfaction"] = np.round(
        np.clip(0.84 + 0.05 * rng.standard_normal(len(frame)), 0.5, 0.99), 2
    )


def _exits(frame: pd.DataFrame, staff: Staff) -> NDArray[np.float64]:
    """Return how many teachers of the year before are no longer at the school, missing in the first year."""
    roster = staff.roster[["person", "row", "year"]]
    next_year = roster.assign(year=roster["year"] + 1)
    stayed = next_year.merge(roster, on=["person", "row", "year"]).groupby(["row", "year"]).size()
    exits = next_year.groupby(["row", "year"]).size().sub(stayed, fill_value=0)
    keys = pd.MultiIndex.from_arrays([frame["row"], frame["year"]])
    return np.asarray(exits.reindex(keys), dtype=float)


def _add_rooms_and_equipment(
    frame: pd.DataFrame, register: Register, settings: SimulationSettings, seed: int
) -> None:
    rng = stream(seed, settings, "funds")
    rng.random(1000)
    location = _place(frame, register, "location")
    needed = np.ceil((frame["classes_primary"] + frame["classes_junior"]).to_numpy() / 12)
    total = (frame["enrolment_primary"] + frame["enrolment_junior"] + frame["enrolment_senior"]).to_numpy()
    for kind, bands in (
        ("music", ("96", "73", "61", "54", "below_54")),
        ("art", ("90", "67", "61", "54", "below_54")),
    ):
        draw = rng.random(len(register))[frame["row"]]
        band = np.where(location == "rural", np.where(draw < 0.6, 2, 1), np.where(draw < 0.75, 0, 1))
        for position, name in enumerate(bands):
            frame[f"{kind}_rooms_{name}"] = np.where(band == position, needed, 0)
    frame["resource_rooms"] = (frame["students_with_disabilities"] >= 5).astype(int)
    back = (settings.last_year - frame["year"]).to_numpy()
    computers = 0.16 * 0.97**back * _steady(frame, register, rng, 0.2)
    frame["computers"] = np.ceil(computers * total)
    frame["books"] = np.round(26 * 0.985**back * _steady(frame, register, rng, 0.2) * total)
    frame["bandwidth_mbps"] = np.where(back < 3, 1000, np.where(location == "rural", 200, 500))
    share = 0.995 - 0.008 * back * rng.random(len(register))[frame["row"]]
    frame["experiments_offered_share"] = np.round(share, 3)


def _add_funds(frame: pd.DataFrame, register: Register, settings: SimulationSettings, seed: int) -> None:
    rng = stream(seed, settings, "funds")
    rng.random(2000)
    growth = 1.035 ** (frame["year"] - settings.last_year).to_numpy()
    budget = np.zeros(len(frame))
    for stage in STAGES:
        students = frame[f"enrolment_{stage}"].to_numpy()
        per_student = SPENDING[stage] * growth * _steady(frame, register, rng, 0.12)
        frame[f"spending_{stage}"] = np.round(students * per_student, -2)
        budget += students * PUBLIC_FUNDS[stage] * growth
    total = frame["enrolment_primary"] + frame["enrolment_junior"]
    small = (_place(frame, register, "location") == "rural") & (total < FUNDED_AT_LEAST)
    frame["public_funds_students"] = np.where(small, FUNDED_AT_LEAST, total)
    frame["public_funds_budget"] = np.round(budget * frame["public_funds_students"] / total, -2)
    frame["public_funds_settled"] = np.round(0.985 * frame["public_funds_budget"], -2)
    frame["training_funds"] = (
        np.ceil(frame["public_funds_budget"] * (0.052 + 0.012 * rng.random(len(frame))) / 100) * 100
    )


def _add_retention(
    frame: pd.DataFrame, enrolment: Enrolment, settings: SimulationSettings, seed: int
) -> None:
    """Account for the cohort that finished grade 9 in June: entry, transfers, deaths, graduates."""
    rng = stream(seed, settings, "pupils")
    rng.random(1000)
    row = frame["row"].to_numpy()
    position = (frame["year"] - settings.first_year).to_numpy() + BURN_IN
    leaving = enrolment.grades[row, 8, position - 1]
    entered = enrolment.grades[row, 6, position - 3]
    there = (leaving > 0) & (entered > 0)
    deceased = rng.binomial(entered, 0.0004)
    moved = leaving - entered + deceased
    exchange = np.round(0.006 * entered)
    columns = {
        "graduates_junior": leaving - rng.binomial(leaving, 0.005),
        "grade7_enrolment_at_entry": entered,
        "transferred_in": np.maximum(moved, 0) + exchange,
        "transferred_out": np.maximum(-moved, 0) + exchange,
        "deceased": deceased,
    }
    for name, values in columns.items():
        frame[name] = np.where(there, values, np.nan)


def _blank_absent_stages(frame: pd.DataFrame, register: Register) -> None:
    """Leave empty what a school of this type does not have; zero stays where the stage exists."""
    kind = _place(frame, register, "type")
    without = {
        "primary": kind.isin(["junior_secondary_school", "complete_secondary_school"]),
        "junior": kind.isin(["primary_school", "teaching_point"]),
        "senior": ~kind.isin(["complete_secondary_school", "twelve_year_school"]),
    }
    for stage, absent in without.items():
        names = [name for name in frame.columns if name.endswith(f"_{stage}")]
        grades = {"primary": range(1, 7), "junior": range(7, 10)}.get(stage, ())
        names += [f"enrolment_grade_{grade}" for grade in grades]
        frame[names] = frame[names].astype(float).mask(absent.to_numpy()[:, None].repeat(len(names), axis=1))
