"""What schools and teachers were exposed to: membership in programmes, spells of rotation."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from toolkit.data.county import County
from toolkit.data.schema import TABLES, conform
from toolkit.indicators.lineage import Lineage, trace_schools
from toolkit.indicators.rotation_records import fill_from_roster, find_second_places, merge_repeated
from toolkit.indicators.school_calendar import exposure_settings, school_year_of_end, school_year_of_start

MEMBERSHIP_YEAR_COLUMNS = [
    "row",
    "school",
    "school_id",
    "year",
    "stage",
    "programme",
    "school_group",
    "role",
    "form",
    "start_year",
    "end_year",
]
SPELL_COLUMNS = [
    "row",
    "teacher_id",
    "sending_school_id",
    "receiving_school_id",
    "start",
    "end",
    "running",
    "first_year",
    "last_year",
    "length",
    "rotation_type",
    "backbone",
    "is_backbone",
    "backbone_source",
    "stage",
    "subject",
    "title",
    "full_time_share",
    "file_moved",
]
UNUSABLE_COLUMNS = ["row", "name", "reason"]


@dataclass(frozen=True, slots=True)
class Memberships:
    """Membership of schools in programmes (集团、学区等).

    Attributes
    ----------
    spells : pandas.DataFrame
        One row per usable row of the table: `row` (its position), `school` (the school's first code, the same
        through renames), `school_id` and `school_name` as entered, `stage`, `programme`,
        `school_group`, `role`, `form`, `start_year`, `end_year` (last year of membership; missing
        while it runs).
    years : pandas.DataFrame
        One row per spell and school year, from the start to the end or the last year of the data,
        as long as the school exists; `school_id` is its code in that year.
    unusable : pandas.DataFrame
        `row`, `name` (of the school) and `reason` (a vocabulary code) of each other row.
    """

    spells: pd.DataFrame
    years: pd.DataFrame
    unusable: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per spell and school year."""
        return self.years

    def in_year(self, year: int) -> pd.DataFrame:
        """Return the memberships that run in a school year."""
        return self.years[self.years["year"] == year].reset_index(drop=True)


@dataclass(frozen=True, slots=True)
class RotationSpells:
    """Spells of teacher rotation (交流轮岗). Rows are persons: none may be shown.

    Attributes
    ----------
    spells : pandas.DataFrame
        One row per usable row of the table: `row` (its position), `teacher_id`, codes of the
        sending and the receiving school as matched on reading (missing where unmatched), `start`,
        `end`, `running` (no end given), `first_year` and `last_year` (school years; the last one
        missing while it runs), `length` (school years: 1 September to 31 August is 1.0), and what
        the table says of the teacher. `is_backbone` is what the row says, else what the roster says of
        the day of the start (missing where neither says), `backbone_source` which of them ("row",
        "roster" or ""); `title` is filled from the roster likewise.
    unusable : pandas.DataFrame
        `row`, `name` (of the sending school) and `reason` of each other row.
    n_sending_unmatched, n_receiving_unmatched : int
        Usable spells whose school was matched to no code of the county.
    """

    spells: pd.DataFrame
    unusable: pd.DataFrame
    n_sending_unmatched: int
    n_receiving_unmatched: int

    def tidy(self) -> pd.DataFrame:
        """Return one row per usable spell."""
        return self.spells

    def starting_in(self, year: int) -> pd.DataFrame:
        """Return the spells that begin in a school year."""
        return self.spells[(self.spells["first_year"] == year).to_numpy(dtype=bool)].reset_index(drop=True)

    def ending_in(self, year: int) -> pd.DataFrame:
        """Return the spells whose last school year it is."""
        last = (self.spells["last_year"] == year).fillna(False)
        return self.spells[last.to_numpy(dtype=bool)].reset_index(drop=True)

    def running_in(self, year: int) -> pd.DataFrame:
        """Return the spells that have begun by a school year and not ended before it."""
        begun = (self.spells["first_year"] <= year).to_numpy(dtype=bool)
        over = (self.spells["last_year"] < year).fillna(False).to_numpy(dtype=bool)
        return self.spells[begun & ~over].reset_index(drop=True)


def compute_memberships(county: County) -> Memberships:
    """Compute the spells and school years of membership in programmes.

    A membership follows its school through renames and ends when the school is merged or closed.
    `end_year` is the last school year of membership.

    Parameters
    ----------
    county : County
        Without the table `school_groups` the result has no rows.
    """
    table = _table(county, "school_groups")
    lineage = trace_schools(county)
    known = set(county.tables["schools"]["school_id"].dropna())
    known |= set(county.tables["school_years"]["school_id"].dropna())
    reason = np.select(
        [
            table["school_id"].isna(),
            ~table["school_id"].isin(known),
            table["school_group"].isna() | table["programme"].isna() | table["stage"].isna(),
            table["start_year"].isna(),
            (table["end_year"] < table["start_year"]).fillna(False),
        ],
        [
            "membership_school_unmatched",
            "membership_school_unknown",
            "membership_without_programme",
            "membership_without_start",
            "membership_ends_before_start",
        ],
        default="",
    )
    usable = reason == ""
    spells = table[usable].assign(row=np.flatnonzero(usable))
    first = [lineage.first_code(str(code)) for code in spells["school_id"]]
    spells["school"] = pd.Series(first, index=spells.index, dtype="str")
    columns = ["row", "school", "school_id", "school_name"]
    columns += ["stage", "programme", "school_group", "role", "form", "start_year", "end_year"]
    spells = spells[columns].reset_index(drop=True)
    return Memberships(
        spells, _membership_years(county, spells, lineage), _unusable(table, reason, "school_name")
    )


def compute_rotation_spells(county: County) -> RotationSpells:
    """Compute the usable spells of rotation, and list the others with their reason.

    A spell needs a teacher, a start, an end that is not before the start if there is one, and a
    receiving school other than the sending one. Spells whose school matched no code stay: the
    teacher moved, from or to where is not known. A spell that both schools report counts once, with the
    union of the dates; of overlapping spells at two schools for more than full time the earlier counts.

    Parameters
    ----------
    county : County
        Without the table `rotations` the result has no rows.
    """
    table = _table(county, "rotations")
    start, end = table["rotation_start"], table["rotation_end"]
    codes = table["sending_school_id"], table["receiving_school_id"]
    names = table["sending_school_name"], table["receiving_school_name"]
    without_codes = codes[0].isna() & codes[1].isna()
    conditions = {
        "rotation_without_teacher": table["teacher_id"].isna(),
        "rotation_without_start": start.isna(),
        "rotation_ends_before_start": end < start,
        "rotation_to_same_school": (codes[0] == codes[1]) | (without_codes & (names[0] == names[1])),
    }
    usable = ~np.logical_or.reduce([each.to_numpy(dtype=bool) for each in conditions.values()])
    periods = merge_repeated(table, usable)
    usable &= ~periods.repeats
    conditions["rotation_reported_by_both"] = pd.Series(periods.repeats)
    twice = table.assign(start=periods.start).loc[usable].duplicated(["teacher_id", "start"])
    conditions["rotation_entered_twice"] = twice.reindex(table.index, fill_value=False)
    usable &= ~conditions["rotation_entered_twice"].to_numpy(dtype=bool)
    conditions["rotation_two_places_at_once"] = find_second_places(table, periods, usable)
    reason = np.select(list(conditions.values()), list(conditions), default="")
    spells = _as_spells(table.assign(rotation_start=periods.start, rotation_end=periods.end), reason == "")
    spells = fill_from_roster(spells, _table(county, "teachers"))[SPELL_COLUMNS]
    return RotationSpells(
        spells=spells,
        unusable=_unusable(table, reason, "sending_school_name"),
        n_sending_unmatched=int(spells["sending_school_id"].isna().sum()),
        n_receiving_unmatched=int(spells["receiving_school_id"].isna().sum()),
    )


def _as_spells(table: pd.DataFrame, usable: np.ndarray) -> pd.DataFrame:
    """Return usable records with their school years and length."""
    start, end = table["rotation_start"], table["rotation_end"]
    first, last = school_year_of_start(start), school_year_of_end(end)
    days = (end - start).dt.days + 1
    spells = table.assign(
        row=range(len(table)),
        start=start,
        end=end,
        running=end.isna(),
        first_year=first,
        last_year=last.where(last.isna() | (last >= first), first),
        length=days / exposure_settings("rotation")["days_per_school_year"],
    )
    return spells[usable].reset_index(drop=True)


def _membership_years(county: County, spells: pd.DataFrame, lineage: Lineage) -> pd.DataFrame:
    """Return one row per spell and school year of the data in which the school exists."""
    years = sorted(int(year) for year in county.tables["school_years"]["year"].dropna().unique())
    parts = []
    for year in years:
        begun = (spells["start_year"] <= year).to_numpy(dtype=bool)
        over = (spells["end_year"] < year).fillna(False).to_numpy(dtype=bool)
        exists = np.array([lineage.exists(code, year) for code in spells["school"]], dtype=bool)
        own = spells[begun & ~over & exists]
        codes = [lineage.code_in(code, year) for code in own["school"]]
        parts.append(own.assign(year=year, school_id=pd.Series(codes, index=own.index, dtype="str")))
    empty = spells.head(0).assign(year=pd.Series(dtype="int64"))
    return pd.concat([empty, *(part for part in parts if len(part))])[MEMBERSHIP_YEAR_COLUMNS].reset_index(
        drop=True
    )


def _unusable(table: pd.DataFrame, reason: np.ndarray, name: str) -> pd.DataFrame:
    """Return position, name and reason of the rows that cannot be used."""
    rows = np.flatnonzero(reason != "")
    found = {"row": rows, "name": table[name].to_numpy(dtype=object)[rows], "reason": reason[rows]}
    return pd.DataFrame(found, columns=UNUSABLE_COLUMNS)


def _table(county: County, name: str) -> pd.DataFrame:
    """Return a table of the county, empty where it has none."""
    table = county.tables.get(name)
    return conform(pd.DataFrame(), TABLES[name]) if table is None else table.reset_index(drop=True)
