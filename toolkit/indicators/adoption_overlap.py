"""What other programmes touched a school, from when."""

import numpy as np
import pandas as pd

from toolkit.data.county import County
from toolkit.data.schema import COMPULSORY_STAGES
from toolkit.indicators.exposure import Memberships
from toolkit.indicators.school_calendar import school_year_of_start
from toolkit.indicators.stable_units import StableUnits

TOUCH_COLUMNS = ["school", "stage", "programme", "start_year"]


def compute_touches(
    county: County, memberships: Memberships, found: StableUnits, project_kinds: tuple[str, ...]
) -> pd.DataFrame:
    """Return contacts of units with programmes: `school`, `stage`, `programme`, `start_year`, `is_own`.

    Pairings touch both sides and all stages of a school; so do building projects of the kinds given.
    `is_own` is false for what a school brought along that the unit took in.

    Parameters
    ----------
    county : County
        Any of `school_groups`, `support`, `projects` may be absent.
    memberships : Memberships
        Of the same county.
    found : StableUnits
        Which codes are one unit.
    project_kinds : tuple of str
        Kinds of building projects that count.
    """
    parts = [
        memberships.spells[TOUCH_COLUMNS].assign(start_year=memberships.spells["start_year"].astype(float))
    ]
    support = county.tables.get("support")
    if support is not None:
        start = _as_years(support["support_start"])
        for side in ("supporter_id", "receiver_id"):
            parts += _all_stages(support[side], support["programme"].fillna("paired_support"), start)
    projects = county.tables.get("projects")
    if projects is not None and project_kinds:
        chosen = projects[projects["project_kind"].isin(project_kinds)]
        start = _as_years(chosen["project_start"])
        parts += _all_stages(chosen["school_id"], chosen["project_kind"], start)
    touches = pd.concat(parts, ignore_index=True)
    touches = touches[touches["school"].notna() & touches["start_year"].notna()].reset_index(drop=True)
    first = [found.lineage.first_code(str(code)) for code in touches["school"]]
    touches["school"] = pd.Series([found.unit(code) for code in first], index=touches.index, dtype="object")
    same = [code == unit for code, unit in zip(first, touches["school"], strict=True)]
    return touches.assign(is_own=np.array(same, dtype=bool))


def first_touches(units: pd.DataFrame, touches: pd.DataFrame, programme: str, last_year: int) -> pd.DataFrame:
    """Add when other programmes first touched each unit: in its stage, or its school in the other stage.

    `other_year` and `other_programmes` are of its stage, `other_stage_year` of any programme (this one,
    too) in another stage alone, `brought_year` of what came with a school that it took in. Contacts
    after the last year of the data do not count.
    """
    known = touches[touches["start_year"] <= last_year]
    mine = known[known["is_own"]]
    other = mine[mine["programme"] != programme].groupby(["school", "stage"])
    years = other["start_year"].min()
    names = other["programme"].agg(lambda own: tuple(sorted(set(own))))
    keys = list(zip(units["school"], units["stage"], strict=True))
    by_stage = mine.groupby(["school", "stage"])["start_year"].min()
    brought = known[~known["is_own"]].groupby("school")["start_year"].min()
    elsewhere = []
    for school, stage in keys:
        stages = [s for s in COMPULSORY_STAGES if s != stage and (school, s) in by_stage.index]
        found = [float(by_stage[school, s]) for s in stages]
        elsewhere.append(min(found) if found else np.nan)
    return units.assign(
        other_year=[float(years.get(key, np.nan)) for key in keys],
        other_programmes=[names.get(key, ()) for key in keys],
        other_stage_year=elsewhere,
        brought_year=units["school"].map(brought).astype(float),
    )


def _as_years(dates: pd.Series) -> np.ndarray:
    return school_year_of_start(dates).to_numpy(dtype=float, na_value=np.nan)


def _all_stages(schools: pd.Series, programmes: pd.Series, start: np.ndarray) -> list[pd.DataFrame]:
    """Return the contacts of schools once per stage."""
    columns = {"school": schools.to_numpy(dtype=object), "programme": programmes.to_numpy(dtype=object)}
    table = pd.DataFrame(columns).assign(start_year=start)
    return [table.assign(stage=stage)[TOUCH_COLUMNS] for stage in COMPULSORY_STAGES]
