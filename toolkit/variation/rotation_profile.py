"""Teachers who moved in a year by stage, place, group, direction, length, subject and type of their spell."""

from itertools import pairwise

import numpy as np
import pandas as pd

from toolkit.data.county import County
from toolkit.data.schema import TABLES
from toolkit.data.schema.schools import LOCATIONS
from toolkit.indicators.exposure import Memberships
from toolkit.indicators.lineage import trace_schools
from toolkit.indicators.roster import school_rows
from toolkit.indicators.school_calendar import exposure_settings
from toolkit.variation.programmes import UNKNOWN, programme_settings

COMPLETED = "completed_length"
DIMENSIONS = (
    "stage",
    "location",
    "membership",
    "inside",
    "direction",
    "length",
    "subject",
    "rotation_type",
)
# Dimensions of which the roster tells the eligible teachers as well.
ELIGIBLE_BY = ("stage", "location", "membership", "subject")
PROFILE_COLUMNS = ["dimension", "category", "moved", "backbone", "others", "eligible", "eligible_share"]
INSIDE, OUTSIDE = "inside_school_group", "outside_school_group"
IN_GROUP, IN_NONE = "sends_from_school_group", "sends_from_no_school_group"
RUNNING = "still_running"
ARROW = ">"


def count_by_dimension(moved: pd.DataFrame, eligible: pd.DataFrame, completed: pd.DataFrame) -> pd.DataFrame:
    """Count the teachers who moved by every dimension, categories in their order.

    Parameters
    ----------
    moved : pandas.DataFrame
        From `describe_spells`, one row per teacher.
    eligible : pandas.DataFrame
        From `describe_roster`.
    completed : pandas.DataFrame
        Spells that ended with the year before, counted by their length.
    """
    parts = [_by(name, moved, eligible) for name in DIMENSIONS] if len(moved) else []
    if len(completed):
        parts.append(_by(COMPLETED, completed.assign(**{COMPLETED: _length_band(completed)}), eligible))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=PROFILE_COLUMNS)


def count_flows(spells: pd.DataFrame, place: str, order: list[str]) -> pd.DataFrame:
    """Count teachers by place of the sending (rows) and of the receiving school (columns).

    Places that nobody left or reached are left out; teachers whose school is unmatched have a place
    of their own.
    """
    sent, taken = (spells[f"{side}_{place}"].fillna(UNKNOWN) for side in ("sending", "receiving"))
    counts = pd.DataFrame({"sent": sent, "taken": taken}).groupby(["sent", "taken"]).size()
    present = set(sent) | set(taken)
    names = [name for name in [*order, UNKNOWN] if name in present]
    table = counts.unstack(fill_value=0).reindex(index=names, columns=names, fill_value=0)
    return table.rename_axis(index=None, columns=None).astype(int)


def describe_spells(
    spells: pd.DataFrame, county: County, memberships: Memberships, year: int
) -> pd.DataFrame:
    """Return spells with location and town of both schools, direction, group and band of length."""
    lineage = trace_schools(county)
    rows = school_rows(county)
    rows = rows[rows["year"] == year].drop_duplicates("school_id").set_index("school_id")
    found = spells.copy()
    for side in ("sending", "receiving"):
        codes = [
            lineage.code_in(code, year) if isinstance(code, str) else None
            for code in spells[f"{side}_school_id"]
        ]
        for name in ("location", "town"):
            found[f"{side}_{name}"] = rows[name].reindex(pd.Index(codes, dtype=object)).to_numpy(dtype=object)
    found["location"] = found["sending_location"]
    both = found["sending_location"].notna() & found["receiving_location"].notna()
    found["direction"] = (
        found["sending_location"].astype(object) + ARROW + found["receiving_location"].astype(object)
    ).where(both)
    found["membership"] = _sends_from(found, memberships, county, year)
    found["inside"] = _inside(found, memberships, county, year)
    found["length"] = _length_band(found)
    return found


def describe_roster(
    roster: pd.DataFrame, county: County, memberships: Memberships, year: int
) -> pd.DataFrame:
    """Return the eligible teachers of a year with what the dimensions need."""
    eligible = roster[roster["eligible"] == "yes"].reset_index(drop=True)
    renamed = eligible.rename(columns={"school_id": "sending_school_id"})
    renamed["membership"] = _sends_from(renamed, memberships, county, year)
    return renamed


def _by(dimension: str, moved: pd.DataFrame, eligible: pd.DataFrame) -> pd.DataFrame:
    """Return the teachers who moved by one dimension."""
    category = moved[dimension].fillna(UNKNOWN)
    counts = moved.groupby(category)["is_backbone"].agg(
        moved="size", backbone=lambda flags: int(flags.fillna(False).sum())
    )
    found = counts.reindex(_in_order(dimension, set(category)))
    found["others"] = found["moved"] - found["backbone"]
    found["eligible"] = np.nan
    if dimension in ELIGIBLE_BY and len(eligible):
        sizes = eligible.groupby(eligible[dimension].fillna(UNKNOWN)).size()
        found = found.reindex(_in_order(dimension, set(category) | set(sizes.index)), fill_value=0)
        found["eligible"] = sizes.reindex(found.index, fill_value=0)
    table = found.rename_axis("category").reset_index().assign(dimension=dimension)
    possible = table["eligible"].astype(float)
    table["eligible"] = possible
    table["eligible_share"] = (table["moved"] / possible.where(possible > 0)).astype(float)
    return table[PROFILE_COLUMNS]


def _in_order(dimension: str, found: set[str]) -> list[str]:
    """Return the categories of a dimension in the order of the contract, others behind them."""
    rotations = TABLES["rotations"]
    orders: dict[str, list[str]] = {
        "stage": list(rotations.column("stage").choices),
        "location": list(LOCATIONS),
        "membership": [IN_GROUP, IN_NONE],
        "inside": [INSIDE, OUTSIDE],
        "direction": [f"{sent}{ARROW}{taken}" for sent in LOCATIONS for taken in LOCATIONS],
        "subject": list(rotations.column("subject").choices),
        "rotation_type": list(rotations.column("rotation_type").choices),
        "length": [*_bands(), RUNNING],
        COMPLETED: _bands(),
    }
    known = [name for name in orders[dimension] if name in found]
    rest = sorted(found - set(known) - {UNKNOWN})
    return [*known, *rest, *([UNKNOWN] if UNKNOWN in found else [])]


def _school_groups_of(memberships: Memberships, year: int) -> dict[tuple[str, str], set[str]]:
    """Return the groups of each school (first code) and stage in a year."""
    now = memberships.in_year(year)
    now = now[now["programme"].isin(exposure_settings("membership")["led_programmes"])]
    found: dict[tuple[str, str], set[str]] = {}
    for school, stage, programme, name in zip(
        now["school"], now["stage"], now["programme"], now["school_group"], strict=True
    ):
        found.setdefault((school, stage), set()).add(f"{programme}/{name}")
    return found


def _sends_from(spells: pd.DataFrame, memberships: Memberships, county: County, year: int) -> pd.Series:
    """Say whether the school of each teacher is in a group of the stage."""
    groups, lineage = _school_groups_of(memberships, year), trace_schools(county)
    words = [
        (IN_GROUP if (lineage.first_code(code), stage) in groups else IN_NONE)
        if isinstance(code, str)
        else None
        for code, stage in zip(spells["sending_school_id"], spells["stage"], strict=True)
    ]
    return pd.Series(words, index=spells.index, dtype=object)


def _inside(spells: pd.DataFrame, memberships: Memberships, county: County, year: int) -> pd.Series:
    """Say whether sending and receiving school are in one group of the stage."""
    groups, lineage = _school_groups_of(memberships, year), trace_schools(county)
    none: set[str] = set()
    words = []
    for sent, taken, stage in zip(
        spells["sending_school_id"], spells["receiving_school_id"], spells["stage"], strict=True
    ):
        if not (isinstance(sent, str) and isinstance(taken, str)):
            words.append(None)
            continue
        shared = groups.get((lineage.first_code(sent), stage), none) & groups.get(
            (lineage.first_code(taken), stage), none
        )
        words.append(INSIDE if shared else OUTSIDE)
    return pd.Series(words, index=spells.index, dtype=object)


def _length_band(spells: pd.DataFrame) -> pd.Series:
    """Return the band of each spell's length, or that it is still running."""
    settings = programme_settings("spells")
    length = spells["length"].astype(float).round(settings["length_decimals"])
    place = np.searchsorted(settings["length_bands"], length.fillna(0).to_numpy(dtype=float), side="left")
    words = np.array(_bands(), dtype=object)[place]
    return pd.Series(np.where(spells["running"], RUNNING, words), index=spells.index, dtype=object)


def _bands() -> list[str]:
    """Return the code of every band of length: its ends in school years."""
    ends = [0.0, *programme_settings("spells")["length_bands"]]
    bands = [f"length_{low:g}_{high:g}" for low, high in pairwise(ends)]
    return [*bands, f"length_{ends[-1]:g}_"]
