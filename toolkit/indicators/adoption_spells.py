"""Spells of membership in one programme: the first joining, and what changed after it."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County
from toolkit.data.schema import COMPULSORY_STAGES
from toolkit.indicators.exposure import Memberships
from toolkit.indicators.school_calendar import school_year_of_end, school_year_of_start
from toolkit.indicators.stable_units import StableUnits

MEMBERSHIP_COLUMNS = [
    "table",
    "row",
    "school",
    "stage",
    "school_group",
    "role",
    "form",
    "start_year",
    "end_year",
    "announced_year",
]
YEAR_COLUMNS = ["school", "stage", "year", "event_time", "is_member", "school_group", "role", "form"]
JOINING = {
    "adoption_year": np.nan,
    "announced_year": np.nan,
    "role": "",
    "form": "",
    "school_group": "",
    "n_first_roles": 0,
    "left_year": np.nan,
    "rejoined_year": np.nan,
    "group_change_year": np.nan,
    "role_change_year": np.nan,
    "form_change_year": np.nan,
}
"""What is said of a unit that never joined."""

Unit = tuple[str, str]


def programme_spells(
    county: County, memberships: Memberships, found: StableUnits, programme: str
) -> pd.DataFrame:
    """Return the spells of one programme by unit, with the school year in which each was announced.

    An announcement in or after the last month before a school year belongs to the year that follows.
    Spells of schools that became part of another unit are not spells of that unit.
    """
    own = memberships.spells[memberships.spells["programme"] == programme]
    groups = county.tables.get("school_groups")
    announced = pd.Series(dtype="datetime64[ns]")
    if groups is not None:
        announced = groups["announced"].reset_index(drop=True).loc[own["row"]]
    roster = own.assign(
        table="school_groups",
        start_year=own["start_year"].astype("Float64").to_numpy(dtype=float, na_value=np.nan),
        end_year=own["end_year"].astype("Float64").to_numpy(dtype=float, na_value=np.nan),
        announced_year=_as_years(school_year_of_start(announced)),
        form=own["form"].fillna(""),
    )[MEMBERSHIP_COLUMNS]
    spells = pd.concat([roster, *_pairings(county, programme)], ignore_index=True)
    first = [found.lineage.first_code(str(code)) for code in spells["school"]]
    spells["school"] = pd.Series(first, index=spells.index, dtype="object")
    stays = np.array([found.unit(code) == code for code in first], dtype=bool)
    return spells[stays].reset_index(drop=True)


def _pairings(county: County, programme: str) -> list[pd.DataFrame]:
    """Return the pairings of a programme as spells: who supports leads, who receives is a member.

    A pairing is of the whole school: both stages join. One without a matched school or a start is no spell.
    """
    table = county.tables.get("support")
    if table is None:
        return []
    own = table.reset_index(drop=True)
    own = own[own["programme"] == programme]
    fixed = {
        "table": "support",
        "row": own.index,
        "school_group": own["supporter_name"].fillna(own["supporter_id"]).fillna(""),
        "form": "",
        "start_year": _as_years(school_year_of_start(own["support_start"])),
        "end_year": _as_years(school_year_of_end(own["support_end"])),
        "announced_year": np.nan,
    }
    sides = (("supporter_id", "lead"), ("receiver_id", "member"))
    return [
        own.assign(**fixed, school=own[side], role=role, stage=stage)
        .dropna(subset=["school", "start_year"])[MEMBERSHIP_COLUMNS]
        .astype({"school": "object"})
        for side, role in sides
        for stage in COMPULSORY_STAGES
    ]


def _as_years(years: pd.Series) -> NDArray[np.float64]:
    return years.to_numpy(dtype=float, na_value=np.nan)


def describe_joining(
    units: pd.DataFrame, spells: pd.DataFrame, data_years: tuple[int, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add first joining and later changes to the units; return them and the years of the joined ones.

    A change is dated by the first year of the data in which it shows while the school exists.
    """
    ended = dict(zip(zip(units["school"], units["stage"], strict=True), units["ended_year"], strict=True))
    first: dict[Unit, dict[str, Any]] = {}
    years: list[dict[str, Any]] = []
    for unit, own in _by_unit(spells).items():
        start = own[0]
        together = [spell for spell in own if spell["start_year"] == start["start_year"]]
        history = _history(own, data_years)
        years += [{"school": unit[0], "stage": unit[1]} | year for year in history]
        lived = [year for year in history if year["event_time"] >= 0 and not year["year"] >= ended[unit]]
        announced = [spell["announced_year"] for spell in together if not np.isnan(spell["announced_year"])]
        first[unit] = {
            "adoption_year": start["start_year"],
            "announced_year": min(announced, default=np.nan),
            "role": start["role"],
            "form": start["form"],
            "school_group": start["school_group"],
            "n_first_roles": len({spell["role"] for spell in together}),
        } | _changes(lived, start)
    joined = [JOINING | first.get(unit, {}) for unit in ended]
    added = {name: [unit[name] for unit in joined] for name in JOINING}
    return units.assign(**added), pd.DataFrame(years, columns=YEAR_COLUMNS)


def _by_unit(spells: pd.DataFrame) -> dict[Unit, list[dict[str, Any]]]:
    """Return the spells of each unit, the earliest first."""
    found: dict[Unit, list[dict[str, Any]]] = {}
    for record in spells.sort_values(["start_year", "row"], kind="stable").to_dict("records"):
        spell = {str(name): value for name, value in record.items()}
        found.setdefault((spell["school"], spell["stage"]), []).append(spell)
    return found


def _history(spells: list[dict[str, Any]], data_years: tuple[int, ...]) -> list[dict[str, Any]]:
    """Return each year with the spell that runs: the earliest begun where several do."""
    history = []
    for year in data_years:
        running = [spell for spell in spells if spell["start_year"] <= year and not spell["end_year"] < year]
        named = {name: running[0][name] if running else "" for name in ("school_group", "role", "form")}
        event_time = year - spells[0]["start_year"]
        history.append({"year": year, "event_time": event_time, "is_member": bool(running)} | named)
    return history


def _changes(years: list[dict[str, Any]], start: dict[str, Any]) -> dict[str, float]:
    """Return the first year of leaving, of coming back, and of another group, role or form."""
    inside = [year for year in years if year["is_member"]]
    left = min((float(year["year"]) for year in years if not year["is_member"]), default=np.nan)
    back = [float(year["year"]) for year in inside if year["year"] > left]
    found = {"left_year": left, "rejoined_year": min(back, default=np.nan)}
    for name, what in (("group", "school_group"), ("role", "role"), ("form", "form")):
        other = [float(year["year"]) for year in inside if year[what] != start[what]]
        found[f"{name}_change_year"] = min(other, default=np.nan)
    return found
