"""Spells of rotation placed: from which unit to which, at which stage, inside a group or not, up or down."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County
from toolkit.data.schema import COMPULSORY_STAGES
from toolkit.indicators.exposure import compute_rotation_spells
from toolkit.indicators.rotation_records import ends_of
from toolkit.indicators.school_calendar import exposure_settings
from toolkit.indicators.stable_units import StableUnits

Floats = NDArray[np.float64]

DIRECTIONS = ("down", "level", "up")
UNKNOWN_DIRECTION = "unknown"
PLACED_COLUMNS = [
    "row",
    "teacher_id",
    "sending",
    "receiving",
    "stage",
    "start",
    "end",
    "first_year",
    "last_year",
    "share",
    "is_backbone",
    "reason",
]


def place_spells(county: County, units: pd.DataFrame, found: StableUnits) -> pd.DataFrame:
    """Place each usable spell of rotation between two units of a study.

    A full-time spell without end is over when the teacher's next one begins. A spell without stage belongs
    to the one in which both schools teach, if there is one only. The share of full time is 1 where the kind
    of rotation is full-time and none is given.

    Parameters
    ----------
    county : County
        With `rotations`; without, there are no rows.
    units : pandas.DataFrame
        `school` and `stage` of each unit.
    found : StableUnits
        Which codes are one unit.

    Returns
    -------
    pandas.DataFrame
        `PLACED_COLUMNS`: `sending` and `receiving` are units, "" where not known or outside the county;
        `share` of full time; `reason` is "rotation_used", or why the spell counts on one side only or on
        none (then its share is zero). Rows are persons: none may be shown.
    """
    spells = compute_rotation_spells(county).spells
    sides = {}
    for side in ("sending", "receiving"):
        codes = spells[f"{side}_school_id"]
        sides[side] = [found.unit(str(code)) if isinstance(code, str) and code else "" for code in codes]
    taught = units.groupby("school")["stage"].agg(set).to_dict()
    stages = [
        _stage(given, taught.get(sent), taught.get(taken))
        for given, sent, taken in zip(spells["stage"], sides["sending"], sides["receiving"], strict=True)
    ]
    part_time = spells["rotation_type"].isin(exposure_settings("rotation")["part_time_types"])
    share = spells["full_time_share"].where(spells["full_time_share"].notna() | part_time, 1.0)
    whole = spells[~part_time]
    ends = ends_of(whole["teacher_id"], whole["start"], whole["end"])
    placed = spells.assign(
        end=spells["end"].fillna(ends),
        **sides,
        stage=stages,
        is_backbone=spells["is_backbone"].fillna(False).astype(bool),
        share=share,
    )
    conditions = {
        "rotation_inside_unit": (placed["sending"] == placed["receiving"]) & (placed["sending"] != ""),
        "rotation_stage_unknown": ~placed["stage"].isin(COMPULSORY_STAGES),
        "rotation_share_unknown": share.isna(),
    }
    counts_nowhere = np.logical_or.reduce([np.asarray(one) for one in conditions.values()])
    conditions |= {
        "rotation_sender_unknown": placed["sending"] == "",
        "rotation_receiver_unknown": placed["receiving"] == "",
    }
    placed["reason"] = np.select(list(conditions.values()), list(conditions), default="rotation_used")
    placed["share"] = placed["share"].mask(counts_nowhere, 0.0)
    return placed[PLACED_COLUMNS].reset_index(drop=True)


def mark_inside(placed: pd.DataFrame, memberships: pd.DataFrame) -> NDArray[np.bool_]:
    """Say which spells begin between two schools of one group, (n_spells,).

    Parameters
    ----------
    placed : pandas.DataFrame
        See `place_spells`.
    memberships : pandas.DataFrame
        `school` (unit), `stage`, `year` and `school_group`, the years of `Adoption`.
    """
    key = ["school", "stage", "year"]
    own = memberships.groupby(key)["school_group"].agg(frozenset).to_dict() if len(memberships) else {}
    nothing: frozenset[str] = frozenset()
    first = placed["first_year"].fillna(0).astype(int)
    return np.array(
        [
            bool(own.get((sent, stage, year), nothing) & own.get((taken, stage, year), nothing))
            for sent, taken, stage, year in zip(
                placed["sending"], placed["receiving"], placed["stage"], first, strict=True
            )
        ],
        dtype=bool,
    )


def mark_directions(
    placed: pd.DataFrame,
    units: pd.DataFrame,
    years: tuple[int, ...],
    quality: Floats,
    official: Mapping[str, float] | None = None,
) -> NDArray[np.str_]:
    """Say of each spell whether it leads to a weaker school (down), to one like it, or to a stronger one.

    A school's quality is the mean of its achievement in the years before the spell begins, at most as
    many as the settings say, so that nothing that the rotation did enters; or a level from an official list.

    Parameters
    ----------
    placed : pandas.DataFrame
        See `place_spells`.
    units : pandas.DataFrame
        `school` and `stage` of each unit.
    years : tuple of int
        School years of `quality`.
    quality : ndarray, (n_units, n_years)
        Achievement in standard deviations of pupils.
    official : mapping of str to float, optional
        Level by school (unit), higher for stronger schools; every difference of levels is a direction.

    Returns
    -------
    ndarray of str, (n_spells,)
        One of `DIRECTIONS`, or `UNKNOWN_DIRECTION` where the quality of a school is not known.
    """
    rule = exposure_settings("rotation")
    margin = 0.0 if official is not None else float(rule["direction_margin"])
    place = {key: row for row, key in enumerate(zip(units["school"], units["stage"], strict=True))}
    found = np.full(len(placed), UNKNOWN_DIRECTION, dtype="<U7")
    all_years = np.array(years)
    for first, spells in placed.groupby("first_year"):
        before = (all_years < first) & (all_years >= first - rule["direction_years"])
        known = np.isfinite(quality[:, before]).sum(axis=1)
        total = np.nansum(quality[:, before], axis=1)
        mean = np.divide(total, known, out=np.full(len(quality), np.nan), where=known > 0)
        for row, sent, taken, stage in zip(
            spells.index, spells["sending"], spells["receiving"], spells["stage"], strict=True
        ):
            levels = [
                official.get(school, np.nan)
                if official is not None
                else mean[place[school, stage]]
                if (school, stage) in place
                else np.nan
                for school in (sent, taken)
            ]
            step = levels[1] - levels[0]
            if not np.isnan(step):
                found[row] = "down" if step < -margin else "up" if step > margin else "level"
    return found


def _stage(given: object, sending: set[str] | None, receiving: set[str] | None) -> str:
    """Return the stage of a spell: as given, else the only one that both schools can mean."""
    if isinstance(given, str) and given:
        return given
    known = [taught for taught in (sending, receiving) if taught is not None]
    both = set.intersection(*known) if known else set()
    return both.pop() if len(both) == 1 else ""
