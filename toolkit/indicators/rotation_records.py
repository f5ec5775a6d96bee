"""Records of rotation put in order: reported by both schools, two places at once, titles at the start."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.indicators.school_calendar import exposure_settings

FULL_TIME = 1.0 + 1e-9
"""Share of full time that one teacher has, with room for rounding."""

ROSTER_COLUMNS = ["teacher_id", "year", "title", "backbone_title", "backbone_expiry"]


@dataclass(frozen=True, slots=True)
class MergedRecords:
    """Periods of records after those of one spell were put together.

    Attributes
    ----------
    start, end : pandas.Series of datetime64, (n_records,)
        As recorded; of a record that others repeat, the earliest start and the latest end (missing
        where one of them runs).
    repeats : ndarray of bool, (n_records,)
        Records that repeat an earlier one.
    """

    start: pd.Series
    end: pd.Series
    repeats: NDArray[np.bool_]


def merge_repeated(table: pd.DataFrame, usable: NDArray[np.bool_]) -> MergedRecords:
    """Put together the records of one teacher between the same two schools whose periods overlap.

    Both schools may report a teacher, with other dates. The first record in the table stands for all.

    Parameters
    ----------
    table : pandas.DataFrame, (n_records, ...)
        Table `rotations` with a RangeIndex.
    usable : ndarray of bool, (n_records,)
        Records to look at.
    """
    start, end = table["rotation_start"].copy(), table["rotation_end"].copy()
    sending, receiving = school_keys(table, "sending"), school_keys(table, "receiving")
    repeats = np.zeros(len(table), dtype=bool)
    known = usable & (sending != "") & (receiving != "")
    own = table[known].assign(sending=sending[known], receiving=receiving[known])
    key = ["teacher_id", "sending", "receiving"]
    for _, group in own[own.duplicated(key, keep=False)].groupby(key, sort=False):
        for rows in _overlapping(group):
            first = min(rows)
            start[first] = start[rows].min()
            end[first] = pd.NaT if end[rows].isna().any() else end[rows].max()
            repeats[[row for row in rows if row != first]] = True
    return MergedRecords(start, end, repeats)


def find_second_places(table: pd.DataFrame, periods: MergedRecords, usable: NDArray[np.bool_]) -> pd.Series:
    """Say which spells put a teacher at a second school for more than full time in all, (n_records,).

    The earlier spell is kept. A share that is not said is full time, except for kinds of rotation that
    are part-time by nature: these do not decide. A spell without end is over when the teacher's next one
    begins: its end was forgotten.

    Parameters
    ----------
    table : pandas.DataFrame, (n_records, ...)
        Table `rotations` with a RangeIndex.
    periods : MergedRecords
        Periods of the records.
    usable : ndarray of bool, (n_records,)
        Records to look at.
    """
    part_time = table["rotation_type"].isin(exposure_settings("rotation")["part_time_types"])
    share = table["full_time_share"].fillna(part_time.map({True: 0.0, False: 1.0}))
    own = pd.DataFrame(
        {
            "teacher": table["teacher_id"],
            "place": school_keys(table, "receiving"),
            "start": periods.start,
            "end": periods.end,
            "share": share,
        }
    )[usable]
    ends = ends_of(own["teacher"], own["start"], own["end"])
    own = own.assign(end=ends.fillna(pd.Timestamp.max))
    second = pd.Series(False, index=table.index)
    several = own["teacher"].duplicated(keep=False) & (own["place"] != "")
    for _, group in own[several].sort_values("start", kind="stable").groupby("teacher", sort=False):
        second[_too_many(group)] = True
    return second


def ends_of(teacher: pd.Series, start: pd.Series, end: pd.Series) -> pd.Series:
    """Return the ends of spells; one without is over the day before the same teacher's next spell begins."""
    order = pd.DataFrame({"teacher": teacher, "start": start}).sort_values(
        ["teacher", "start"], kind="stable"
    )
    following = order.groupby("teacher", sort=False)["start"].shift(-1)
    return end.fillna(following.reindex(end.index) - pd.Timedelta(days=1))


def fill_from_roster(spells: pd.DataFrame, roster: pd.DataFrame) -> pd.DataFrame:
    """Return spells with title and backbone at their start.

    Where a record does not say it, the roster of the first school year does, else that of the year before. A
    backbone title counts if its expiry is missing or not before the start. A roster of a year that
    names no backbone title at all says nothing of them.

    Parameters
    ----------
    spells : pandas.DataFrame, (n_spells, ...)
        `teacher_id`, `start`, `first_year`, `backbone` and `title`.
    roster : pandas.DataFrame
        Table `teachers`; may be empty.

    Returns
    -------
    pandas.DataFrame, (n_spells, ...)
        With `is_backbone` (boolean; missing where neither says) and `backbone_source` ("row", "roster", "").
    """
    roster = roster[ROSTER_COLUMNS].dropna(subset=["teacher_id", "year"])
    said = roster.groupby("year")["backbone_title"].transform("count") > 0
    by_year = spells["first_year"].astype("Int64")
    told = pd.Series(pd.NA, index=spells.index, dtype="boolean")
    title = spells["title"]
    for back in (0, 1):
        keys = pd.MultiIndex.from_arrays([spells["teacher_id"], by_year - back])
        told = told.fillna(_backbone_on(spells["start"], keys, roster[said]))
        titles = roster.dropna(subset=["title"]).drop_duplicates(["teacher_id", "year"])
        held = titles.set_index(["teacher_id", "year"])["title"].reindex(keys)
        title = title.fillna(pd.Series(held.to_numpy(), index=spells.index, dtype=title.dtype))
    row = spells["backbone"].astype("boolean")
    source = np.select([row.notna(), told.notna()], ["row", "roster"], default="")
    return spells.assign(
        title=title,
        is_backbone=row.fillna(told),
        backbone_source=pd.Series(source, index=spells.index, dtype="str"),
    )


def school_keys(table: pd.DataFrame, side: str) -> NDArray[np.object_]:
    """Return what tells the school of one side apart, (n_records,): its code, else its name, else ""."""
    code, name = table[f"{side}_school_id"], table[f"{side}_school_name"]
    return code.astype("object").where(code.notna(), name.astype("object")).fillna("").to_numpy(dtype=object)


def _overlapping(group: pd.DataFrame) -> list[list[int]]:
    """Return the rows of each set of records whose periods overlap one another in a chain."""
    chains: list[list[int]] = []
    until = pd.Timestamp.min
    ordered = group.sort_values("rotation_start", kind="stable")
    ends = ordered["rotation_end"].fillna(pd.Timestamp.max)
    for row, begun, end in zip(ordered.index, ordered["rotation_start"], ends, strict=True):
        if chains and begun < until:
            chains[-1].append(int(row))
            until = max(until, end)
        else:
            chains.append([int(row)])
            until = end
    return [rows for rows in chains if len(rows) > 1]


def _too_many(group: pd.DataFrame) -> list[int]:
    """Return the spells of a teacher, in order of their start, for which no time is left."""
    kept: list[tuple[pd.Timestamp, float, str]] = []
    refused: list[int] = []
    columns = (group[name].tolist() for name in ("start", "end", "share", "place"))
    for row, start, end, share, place in zip(group.index, *columns, strict=True):
        others = [one for one in kept if one[0] > start]
        elsewhere = any(one[2] != place for one in others)
        if elsewhere and share + sum(one[1] for one in others) > FULL_TIME:
            refused.append(row)
        else:
            kept.append((end, share, place))
    return refused


def _backbone_on(start: pd.Series, keys: pd.MultiIndex, roster: pd.DataFrame) -> pd.Series:
    """Say whether a title of the roster is in force on the day of the start; missing where not listed."""
    asked = pd.DataFrame(
        {
            "at": range(len(start)),
            "start": start.to_numpy(),
            "teacher_id": keys.get_level_values(0),
            "year": keys.get_level_values(1),
        }
    )
    joined = asked.merge(roster, on=["teacher_id", "year"])
    in_force = joined["backbone_expiry"].isna() | (joined["backbone_expiry"] >= joined["start"])
    valid = (joined["backbone_title"].notna() & in_force).groupby(joined["at"]).any()
    return pd.Series(valid.reindex(range(len(start))).to_numpy(), index=start.index, dtype="boolean")
