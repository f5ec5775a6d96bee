"""The usual dirt: empty cells, and schools written by name."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from toolkit.data.simulate.names import names
from toolkit.data.simulate.plan import Plan
from toolkit.data.simulate.register import Register
from toolkit.data.simulate.settings import SimulationSettings, stream

# Columns in which cells of earlier years are empty; none of them is needed by the standard of 2017.
OFTEN_EMPTY = ("teacher_satisfaction", "teacher_weekly_hours", "books", "computers", "left_behind_students")
EMPTY_SHARE = 0.012
BY_NAME_SHARE = 0.35
EXACT_SHARE = 0.3
# Ways of writing that need a person to decide.
ODD_VARIANTS, ODD_SHARE = ("note",), 0.08
OUTSIDE_SPELLS = 3


@dataclass(frozen=True, slots=True)
class Dirt:
    """What was made dirty.

    Attributes
    ----------
    empty_cells : list of dict
        `table`, `school_id`, `year`, `column`, `planned` (True when a verdict was planned around it).
    texts : list of dict
        Rows of `rotations` with a name instead of a code: `teacher_id`, `rotation_start`, `column`,
        `text`, `school_id` (missing for places outside the county), `variant`.
    """

    empty_cells: list[dict]
    texts: list[dict]


def add_dirt(
    tables: dict[str, pd.DataFrame], register: Register, plan: Plan, settings: SimulationSettings, seed: int
) -> Dirt:
    """Make the tables dirty in place of their clean copies; return what was done."""
    rng = stream(seed, settings, "dirt")
    cells = _empty_planned(tables, register, plan, settings) + _empty_some(tables, settings, rng)
    return Dirt(cells, _write_names(tables, register, rng))


def _empty_planned(
    tables: dict[str, pd.DataFrame], register: Register, plan: Plan, settings: SimulationSettings
) -> list[dict]:
    """Empty the cells that the cases ask for."""
    table = tables["school_years"].copy()
    cells = []
    for row, case in plan.cases.items():
        if "missing" in case:
            school = register.ids[row]
            here = (table["school_id"] == school) & (table["year"] == settings.last_year)
            table.loc[here, case["missing"]] = np.nan
            cells.append(_cell(school, settings.last_year, case["missing"], planned=True))
    tables["school_years"] = table
    return cells


def _empty_some(
    tables: dict[str, pd.DataFrame], settings: SimulationSettings, rng: np.random.Generator
) -> list[dict]:
    table = tables["school_years"].copy()
    cells = []
    for column in OFTEN_EMPTY:
        empty = (
            (rng.random(len(table)) < EMPTY_SHARE)
            & (table["year"] < settings.last_year)
            & table[column].notna()
        )
        for index in table.index[empty]:
            cells.append(
                _cell(
                    str(table["school_id"].loc[index]), int(table["year"].loc[index]), column, planned=False
                )
            )
        table[column] = table[column].mask(empty)
    tables["school_years"] = table
    return cells


def _cell(school: str, year: int, column: str, *, planned: bool) -> dict:
    return {
        "table": "school_years",
        "school_id": str(school),
        "year": year,
        "column": column,
        "planned": planned,
    }


def _write_names(tables: dict[str, pd.DataFrame], register: Register, rng: np.random.Generator) -> list[dict]:
    """Replace codes in rotations by names as people write them, some of places outside the county."""
    table = tables["rotations"].copy()
    listed = {*register.names, *register.schools["former_name"]}
    by_name = rng.random(len(table)) < BY_NAME_SHARE
    # One side of a spell at least is written as it stands in the register.
    careless = np.where(rng.random(len(table)) < 0.5, "sending", "receiving")
    outside = rng.permutation(len(table))[:OUTSIDE_SPELLS]
    starts = table["rotation_start"].dt.strftime("%Y-%m-%d").tolist()
    teachers = table["teacher_id"].tolist()
    texts = []
    for side in ("sending", "receiving"):
        codes = table[f"{side}_school_id"].astype(object).to_numpy(copy=True)
        written = table[f"{side}_school_name"].astype(object).to_numpy(copy=True)
        for position in range(len(table)):
            if side == "receiving" and position in outside:
                code, variant = None, "outside"
                written[position] = names()["variants"]["outside"][
                    int(np.flatnonzero(outside == position)[0])
                ]
            elif by_name[position]:
                code = str(codes[position])
                variant = "exact"
                if careless[position] == side:
                    written[position], variant = _variant(written[position], register.county, listed, rng)
            else:
                continue
            codes[position] = None
            text = {
                "teacher_id": teachers[position],
                "rotation_start": starts[position],
                "column": f"{side}_school_name",
                "text": written[position],
                "school_id": code,
                "variant": variant,
            }
            texts.append(text)
        table[f"{side}_school_id"] = pd.Series(codes, index=table.index).astype("str")
        table[f"{side}_school_name"] = pd.Series(written, index=table.index).astype("str")
    tables["rotations"] = table
    return texts


def _variant(name: str, county: str, listed: set[str], rng: np.random.Generator) -> tuple[str, str]:
    """Return a way of writing a name that is not the name of another school."""
    words = names()["variants"]
    old, new = words["town_suffix"]
    short = name.removeprefix(county)
    for full, brief in words["short"]:
        short = short.replace(full, brief)
    candidates = {
        "without_county": name.removeprefix(county),
        "with_county": name if name.startswith(county) else county + name,
        "without_town_suffix": name.replace(old, new, 1),
        "short": short,
        "note": words["note"].format(name=name),
    }
    changed = sorted(kind for kind, text in candidates.items() if text != name and text not in listed)
    odd = rng.random() < ODD_SHARE
    changed = [kind for kind in changed if (kind in ODD_VARIANTS) == odd]
    if not changed or rng.random() < EXACT_SHARE:
        return name, "exact"
    kind = changed[int(rng.integers(len(changed)))]
    return candidates[kind], kind
