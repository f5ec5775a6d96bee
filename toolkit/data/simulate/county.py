"""A whole simulated county, and pools of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from toolkit.data.county import County
from toolkit.data.schema import TABLES, conform
from toolkit.data.simulate.classes import class_table, simulate_classes
from toolkit.data.simulate.county_items import county_item_table, survey_table
from toolkit.data.simulate.dirt import Dirt, add_dirt
from toolkit.data.simulate.enrolment import simulate_enrolment
from toolkit.data.simulate.frames import column, rows_where
from toolkit.data.simulate.plan import simulate_plan
from toolkit.data.simulate.premises import Premises, simulate_premises
from toolkit.data.simulate.programmes import membership_table, simulate_programmes, support_table
from toolkit.data.simulate.register import Register, simulate_register
from toolkit.data.simulate.rotation import Rotations, simulate_rotations
from toolkit.data.simulate.school_years import school_year_table
from toolkit.data.simulate.scores import simulate_scores
from toolkit.data.simulate.settings import DEMO, SimulationSettings, stream
from toolkit.data.simulate.teachers import Staff, simulate_teachers
from toolkit.data.simulate.truth import as_plain, describe_truth


@dataclass(frozen=True, slots=True)
class SimulatedCounty:
    """A synthetic county with known truth.

    Attributes
    ----------
    county : County
        The tables of the data contract, as a perfect reading would return them: with the planted
        empty cells and names without codes unless the settings ask for a clean county.
    truth : dict
        What was planted; plain values that JSON can hold.
    settings : SimulationSettings
        What was asked for.
    """

    county: County
    truth: dict
    settings: SimulationSettings


def simulate_county(settings: SimulationSettings = DEMO, *, seed: int) -> SimulatedCounty:
    """Simulate a county whose verdicts and effects are known beforehand.

    The same settings and seed give the same county on every platform.
    """
    register = simulate_register(settings, seed)
    enrolment = simulate_enrolment(register, settings, seed)
    register.schools["boarding_school"] = register.schools["type"].isin(
        ["junior_secondary_school", "nine_year_school"]
    ) & (register.schools["location"] != "urban")
    plan = simulate_plan(register, enrolment, settings, seed)
    staff = simulate_teachers(enrolment, plan, settings, seed)
    classes = simulate_classes(register, enrolment, settings, seed)
    premises = simulate_premises(register, plan, settings, seed)
    programmes = simulate_programmes(register, enrolment, settings, seed)
    rotations = simulate_rotations(register, enrolment, staff, programmes, settings, seed)
    scores = simulate_scores(register, enrolment, staff, programmes, rotations, settings, seed)
    school_years = school_year_table(register, enrolment, classes, staff, premises, settings, seed)

    frames = {
        "schools": _school_table(register, settings, seed, school_years),
        "school_links": _link_table(register),
        "school_years": school_years.drop(columns="row"),
        "classes": class_table(classes, register, settings),
        "school_groups": membership_table(programmes, register),
        "support": support_table(programmes, register, settings),
        "rotations": _rotation_table(rotations, register, settings),
        "county_years": county_item_table(school_years, rotations, settings, seed),
        "surveys": survey_table(settings, seed),
        "projects": _project_table(premises, register),
    }
    if settings.with_teachers:
        frames["teachers"] = _teacher_table(staff, register, settings)
    if settings.with_scores:
        codes = scores.table.assign(
            student_id=_codes("S", column(scores.table, "number"), settings),
            teacher_id=_codes("T", column(scores.table, "teacher"), settings),
        )
        frames["scores"] = codes.drop(columns=["row", "number", "teacher"])
    tables = {
        name: conform(frame.replace("", None), TABLES[name]) for name, frame in frames.items() if len(frame)
    }
    dirt = Dirt([], []) if settings.clean else add_dirt(tables, register, plan, settings, seed)
    truth = describe_truth(
        school_years, classes, register, plan, programmes, rotations, scores.effects, dirt, settings, seed
    )
    county = County(settings.county_id, register.county, tables)
    return SimulatedCounty(county, {key: as_plain(value) for key, value in truth.items()}, settings)


def simulate_pool(
    n_counties: int, settings: SimulationSettings = DEMO, *, seed: int
) -> Iterator[SimulatedCounty]:
    """Simulate counties with different names and codes, one at a time."""
    for number in range(n_counties):
        own = replace(settings, county_number=settings.county_number + number)
        yield simulate_county(own, seed=seed)


def _codes(letter: str, numbers: pd.Series, settings: SimulationSettings) -> np.ndarray:
    """Return codes of 18 characters that cannot be those of real people; missing numbers give none."""
    prefix = f"{letter}{settings.county_id}"
    codes = [None if number != number else f"{prefix}{int(number):011d}" for number in numbers.astype(float)]
    return np.array(codes, dtype=object)


def _school_table(
    register: Register, settings: SimulationSettings, seed: int, school_years: pd.DataFrame
) -> pd.DataFrame:
    """Return 学校名录: one row per code; a school with a new code has two."""
    rng = stream(seed, settings, "names")
    schools = register.schools
    small = _last_total(school_years).reindex(schools.index)
    largest = school_years.groupby("row")["largest_class_size"].last().reindex(schools.index)
    rural = schools["location"] == "rural"
    changed_name = schools["former_name"] != schools["name"]
    same_code = schools["former_id"] == schools["school_id"]
    parents = schools["parent"].to_numpy()
    base = pd.DataFrame(
        {
            "county_id": settings.county_id,
            "county_name": register.county,
            "school_id": schools["school_id"],
            "school_name": schools["name"],
            "former_names": schools["former_name"].where(changed_name & same_code, ""),
            "town": schools["town"],
            "school_type": schools["type"],
            "ownership": schools["ownership"],
            "location": schools["location"],
            "valid_from": schools["opened"].where(same_code, schools["renamed"]),
            "opened": schools["opened"],
            "closed": schools["closed"],
            "parent_school_id": np.where(parents >= 0, register.ids[np.maximum(parents, 0)], ""),
            "boarding_school": schools["boarding_school"],
            "directly_administered": False,
            "planned_by_2010": schools["opened"] <= 2010,
            "built_by_2016": schools["opened"] <= 2016,
            "dense_urban": False,
            "rural_small_school": rural & (small >= 50) & (small < 100),
            "largest_class_below_30": rural & (largest < 30),
        }
    )
    center = {town: rng.uniform(-0.3, 0.3, 2) for town in schools["town"].drop_duplicates()}
    spread = rng.normal(0, 0.02, (len(schools), 2))
    # A square of open sea: the places are invented.
    place = np.array([center[town] for town in schools["town"]]) + spread
    base["longitude"], base["latitude"] = np.round(140 + place[:, 0], 4), np.round(12 + place[:, 1], 4)
    renamed = schools[~same_code]
    old = base[~same_code].assign(
        school_id=renamed["former_id"],
        school_name=renamed["former_name"],
        valid_from=renamed["opened"],
        closed=renamed["renamed"],
    )
    return pd.concat([base, old], ignore_index=True)


def _last_total(school_years: pd.DataFrame) -> pd.Series:
    columns = ["enrolment_primary", "enrolment_junior"]
    return school_years.set_index("row")[columns].fillna(0).sum(axis=1).groupby(level=0).last()


def _link_table(register: Register) -> pd.DataFrame:
    """Return 学校沿革: renames with a new code, mergers, and the new campus of the first urban school."""
    schools = register.schools
    rows = []
    first = rows_where((schools["type"] == "primary_school") & (schools["location"] == "urban"))[0]
    for row, school in enumerate(schools.to_dict("records")):
        if row in register.opened_rows:
            rows.append((register.ids[first], register.names[first], school["school_id"], school["name"],
                         int(school["opened"]), "new_campus"))  # fmt: skip
        if school["former_id"] != school["school_id"]:
            rows.append((school["former_id"], school["former_name"], school["school_id"], school["name"],
                         int(school["renamed"]), "rename"))  # fmt: skip
        if school["merged_into"] >= 0:
            into = int(school["merged_into"])
            rows.append((school["school_id"], school["name"], register.ids[into], register.names[into],
                         int(school["closed"]), "merge"))  # fmt: skip
    columns = ["from_school_id", "from_school_name", "to_school_id", "to_school_name", "year", "link_kind"]
    table = pd.DataFrame(rows, columns=columns)
    table["link_date"] = table["year"].astype(str) + "-08-31"
    table["link_share"] = np.where(table["link_kind"] == "new_campus", np.nan, 1.0)
    return table.drop(columns="year")


def _rotation_table(rotations: Rotations, register: Register, settings: SimulationSettings) -> pd.DataFrame:
    spells = rotations.spells
    start, end = spells["start"].to_numpy(dtype=int), (spells["start"] + spells["length"]).to_numpy(dtype=int)
    ends = [
        None if running else f"{year}-08-31" for running, year in zip(spells["running"], end, strict=True)
    ]
    table = pd.DataFrame(
        {
            "teacher_id": _codes("T", column(spells, "person"), settings),
            "rotation_start": [f"{year}-09-01" for year in start],
            "rotation_end": ends,
            "rotation_type": spells["type"],
            "backbone": spells["backbone"],
            "stage": spells["stage"],
            "subject": spells["subject"],
            "title": spells["title"],
            "full_time_share": spells["share"],
            "file_moved": spells["file_moved"],
        }
    )
    for side in ("sending", "receiving"):
        rows = spells[side].to_numpy(dtype=int)
        table[f"{side}_school_id"] = register.codes_in(rows, start)
        table[f"{side}_school_name"] = register.names_in(rows, start)
    return table.sort_values(["rotation_start", "teacher_id"], kind="stable")


def _teacher_table(staff: Staff, register: Register, settings: SimulationSettings) -> pd.DataFrame:
    roster = staff.roster
    rows, years = roster["row"].to_numpy(dtype=int), roster["year"].to_numpy(dtype=int)
    expiry = roster["backbone_expiry"].to_numpy(dtype=int)
    # The people of one arrival year come on different days; the day follows from the number of the person.
    days = np.where(roster["person"] % 3 == 0, "-09-01", "-08-25")
    return pd.DataFrame(
        {
            "teacher_id": _codes("T", column(roster, "person"), settings),
            "year": years,
            "school_id": register.codes_in(rows, years),
            "stage": roster["stage"],
            "subject": roster["subject"],
            "post": roster["post"],
            "qualification": roster["qualification"],
            "title": roster["title"],
            "backbone_title": roster["backbone_title"],
            "backbone_expiry": [f"{year}-08-31" if year else None for year in expiry],
            "established_post": roster["established"],
            "arrived": [f"{year}{day}" for year, day in zip(roster["arrived_year"], days, strict=True)],
            "birth_year": roster["birth_year"],
            "exemption": roster["exemption"],
            "first_title_application": roster["applied"],
        }
    )


def _project_table(premises: Premises, register: Register) -> pd.DataFrame:
    projects = premises.projects
    rows, years = projects["row"].to_numpy(dtype=int), projects["started"].to_numpy(dtype=int)
    return pd.DataFrame(
        {
            "school_id": register.codes_in(rows, years),
            "school_name": register.names_in(rows, years),
            "project_kind": projects["kind"],
            "project_start": [f"{year}-10-01" for year in years],
            "project_end": [f"{year}-08-20" for year in projects["finished"]],
            "project_amount": projects["amount"],
            "project_places": projects["places"],
            "project_area": projects["area"],
        }
    )
