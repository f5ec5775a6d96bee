"""What was planted, written down without any of the package's own statistics."""

from dataclasses import asdict

import numpy as np
import pandas as pd

from toolkit.data.simulate.classes import USUAL, Classes
from toolkit.data.simulate.dirt import Dirt
from toolkit.data.simulate.frames import counted, looked_up, only
from toolkit.data.simulate.judgement import (
    INDICATORS,
    STAGES,
    judge_indicator,
    judge_school,
    put_together,
    reason_left_out,
)
from toolkit.data.simulate.plan import Plan
from toolkit.data.simulate.programmes import Programmes
from toolkit.data.simulate.register import Register
from toolkit.data.simulate.rotation import Rotations
from toolkit.data.simulate.settings import SimulationSettings

SCHEMA_VERSION = 1
ELIGIBLE = (
    "on the roster of the year of a public ordinary school, established post, no exemption, "
    "at the school since year - 6 or earlier"
)
EFFECTS = ("membership_effect", "rotation_effect", "choice_year_dip")


def describe_truth(
    complete: pd.DataFrame,
    classes: Classes,
    register: Register,
    plan: Plan,
    programmes: Programmes,
    rotations: Rotations,
    effects: pd.DataFrame,
    dirt: Dirt,
    settings: SimulationSettings,
    seed: int,
) -> dict:
    """Return the planted truth as plain values.

    Parameters
    ----------
    complete : pandas.DataFrame
        `school_years` before cells were emptied, with `row`.

    Returns
    -------
    dict
        See `docs/decisions/0041-planted-truth.md` for the structure.

    Raises
    ------
    RuntimeError
        If a school's verdict is not the planned one.
    """
    last = only(complete, complete["year"] == settings.last_year).to_dict("records")
    missing = {(cell["school_id"], cell["column"]) for cell in dirt.empty_cells if cell["planned"]}
    schools = [
        entry
        for stage in STAGES
        for record in last
        if (entry := judge_school(stage, record, register, plan, missing))
    ]
    indicators = [judge_indicator(stage, indicator, schools) for stage in STAGES for indicator in INDICATORS]
    return {
        "schema_version": SCHEMA_VERSION,
        "synthetic": True,
        "seed": seed,
        "settings": asdict(settings),
        "standard": "national_2017",
        "county": {"county_id": settings.county_id, "name": register.county},
        "year": settings.last_year,
        "verdicts": put_together(schools, indicators),
        "indicators": indicators,
        "schools": schools,
        "left_out": _left_out(last, register),
        "missing_cells": dirt.empty_cells,
        "free_text_schools": dirt.texts,
        "school_changes": _changes(register),
        "large_classes": _large_classes(classes, register, settings),
        "programmes": _programmes(programmes, register),
        "rotation": {
            "eligible_means": ELIGIBLE,
            "by_year": rotations.compliance.astype(int).to_dict("records"),
            "spells": len(rotations.spells),
        },
        "score_effects": _score_effects(effects, register),
    }


def _left_out(last: list[dict], register: Register) -> list[dict]:
    return [
        {"school_id": record["school_id"], "name": record["school_name"], "reason": reason}
        for record in last
        if (reason := reason_left_out(record, register))
    ]


def _large_classes(classes: Classes, register: Register, settings: SimulationSettings) -> list[dict]:
    """Return the number of classes above the limit of the standard in the last year."""
    sections = only(classes.sections, classes.sections["year"] == settings.last_year)
    large = only(sections, sections["size"].to_numpy() > looked_up(sections["stage"], USUAL))
    counts = counted(large, ["row", "stage"])
    return [
        {"school_id": register.ids[row], "stage": stage, "classes": int(count)}
        for row, stage, count in counts.reset_index().itertuples(index=False)
    ]


def _changes(register: Register) -> list[dict]:
    """Return renames, closures with their receiving school, and openings."""
    changes = [
        {"kind": "opening", "school_id": register.ids[row], "year": int(register.schools["opened"].loc[row])}
        for row in register.opened_rows
    ]
    for row, school in enumerate(register.schools.to_dict("records")):
        if school["renamed"] == school["renamed"]:
            changes.append(
                {"kind": "rename", "school_id": school["school_id"], "former_id": school["former_id"],
                 "former_name": school["former_name"], "year": int(school["renamed"])}
            )  # fmt: skip
        if school["closed"] == school["closed"]:
            changes.append(
                {"kind": "merge", "school_id": register.ids[row], "into": register.ids[school["merged_into"]],
                 "type": school["type"], "year": int(school["closed"])}
            )  # fmt: skip
    return changes


def _programmes(programmes: Programmes, register: Register) -> list[dict]:
    """Return memberships with present codes."""
    columns = ["stage", "programme", "school_group", "role", "form", "start_year", "end_year"]
    table = programmes.memberships[columns].assign(school_id=register.ids[programmes.memberships["row"]])
    records = table.astype(object).where(table.notna(), None).to_dict("records")
    return [
        {**record, "start_year": int(record["start_year"]),
         "end_year": None if record["end_year"] is None else int(record["end_year"])}
        for record in records
    ]  # fmt: skip


def _score_effects(effects: pd.DataFrame, register: Register) -> dict:
    """Return the planted effects by school, stage and year (present codes), those that are not zero."""
    table = effects[list(EFFECTS)]
    table = table[(table != 0).any(axis=1)].reset_index()
    return {
        "unit": "standard deviations of pupil scores",
        "columns": ["school_id", "stage", "year", *EFFECTS],
        "rows": [
            [register.ids[row], stage, int(year), *(round(float(value), 6) for value in values)]
            for row, stage, year, *values in table.itertuples(index=False)
        ],
    }


def as_plain(value: object) -> object:
    """Turn numpy scalars inside a structure into plain values."""
    if isinstance(value, dict):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
