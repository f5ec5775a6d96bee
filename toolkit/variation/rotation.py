"""Teacher rotation of one year: who could move, who did, from where to where. A description."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from toolkit.data.county import County
from toolkit.data.schema import COMPULSORY_STAGES
from toolkit.data.schema.schools import LOCATIONS
from toolkit.indicators.exposure import RotationSpells, compute_memberships, compute_rotation_spells
from toolkit.indicators.roster import school_rows
from toolkit.indicators.stages import stages_taught
from toolkit.results import Verdict
from toolkit.standards import Standard
from toolkit.variation.eligibility import eligible_teachers
from toolkit.variation.programmes import programme_settings
from toolkit.variation.rotation_profile import (
    count_by_dimension,
    count_flows,
    describe_roster,
    describe_spells,
)

COMPLIANCE_COLUMNS = [
    "year",
    "source",
    "moved",
    "eligible",
    "eligible_unknown",
    "eligible_share",
    "limit",
    "met",
    "teachers",
    "teachers_unknown",
    "teacher_share",
    "backbone",
    "backbone_unknown",
    "backbone_share",
    "backbone_limit",
    "backbone_met",
]


@dataclass(frozen=True, slots=True)
class RotationYear:
    """Rotation of a county up to one school year, as counts of teachers. Holds no person.

    Attributes
    ----------
    year : int
        School year.
    standard : Standard
        The standard whose limits are shown.
    compliance : pandas.DataFrame
        One row per year and `source` ("entered" in the county's items, or "counted" from the
        spells): teachers who began a rotation (`moved`), of eligible ones and of all teachers,
        backbone teachers among them, each with its limit. `met` compares by all completions:
        "undecided" where what is not known could turn it, "" where there is nothing to compare.
    profile : pandas.DataFrame
        One row per `dimension` and `category` of the teachers who moved this year: `moved`,
        `backbone`, `others` (no backbone teacher, or not said) and, where the roster tells,
        `eligible` and the share.
    locations, towns : pandas.DataFrame
        Teachers by location (town) of the sending (rows) and the receiving school (columns).
    n_running : int
        Teachers on a spell in the year, whenever it began.
    n_further : int
        Spells this year of teachers who moved twice; the first one counts.
    n_sending_unmatched, n_receiving_unmatched : int
        Teachers who moved this year whose school matched no code.
    unusable : pandas.DataFrame
        Rows of the rotation table that cannot be used, with `reason`.
    mark : str
        Doubt about who is eligible, as the standard names it; "" when it names none.
    """

    year: int
    standard: Standard
    compliance: pd.DataFrame
    profile: pd.DataFrame
    locations: pd.DataFrame
    towns: pd.DataFrame
    n_running: int
    n_further: int
    n_sending_unmatched: int
    n_receiving_unmatched: int
    unusable: pd.DataFrame
    mark: str

    def tidy(self) -> pd.DataFrame:
        """Return the counts against the limits, one row per year and source."""
        return self.compliance

    @property
    def now(self) -> pd.DataFrame:
        """The rows of `compliance` of the year."""
        return self.compliance[self.compliance["year"] == self.year]


def describe_rotation(county: County, standard: Standard, *, year: int) -> RotationYear:
    """Describe the rotation of teachers up to a school year.

    A teacher moves in the school year in which a spell begins, once a year. Eligible teachers are
    those entered by the county, and those counted from the roster by the rule in the settings.

    Parameters
    ----------
    county : County
        Without `rotations`, `teachers` or `county_years` the parts that need them have no rows.
    standard : Standard
        Limits, and the doubt about who is eligible.
    year : int
        School year.
    """
    spells, memberships = compute_rotation_spells(county), compute_memberships(county)
    roster = eligible_teachers(county)
    started = spells.starting_in(year)
    described = describe_spells(first_spells(started), county, memberships, year)
    eligible = describe_roster(roster[roster["year"] == year], county, memberships, year)
    mark = programme_settings("eligible")["mark"]
    return RotationYear(
        year=year,
        standard=standard,
        compliance=_compliance(county, standard, spells, roster, year),
        profile=count_by_dimension(described, eligible, first_spells(spells.ending_in(year - 1))),
        locations=count_flows(described, "location", [*LOCATIONS]),
        towns=count_flows(described, "town", sorted(set(school_rows(county)["town"].dropna()))),
        n_running=int(spells.running_in(year)["teacher_id"].nunique()),
        n_further=len(started) - len(described),
        n_sending_unmatched=int(described["sending_school_id"].isna().sum()),
        n_receiving_unmatched=int(described["receiving_school_id"].isna().sum()),
        unusable=spells.unusable,
        mark=mark if mark in standard.marks else "",
    )


def first_spells(spells: pd.DataFrame) -> pd.DataFrame:
    """Return the first spell of each teacher, in the order of the table."""
    first = spells.sort_values(["start", "row"], kind="stable").drop_duplicates("teacher_id")
    return first.sort_values("row").reset_index(drop=True)


def _compliance(
    county: County, standard: Standard, spells: RotationSpells, roster: pd.DataFrame, last_year: int
) -> pd.DataFrame:
    """Return the shares of each year, entered and counted."""
    years = sorted(int(year) for year in county.tables["school_years"]["year"].dropna().unique())
    rows = []
    for year in [year for year in years if year <= last_year]:
        teachers, unknown = _teachers(county, year)
        staff = {"teachers": teachers, "teachers_unknown": unknown}
        for found in (_entered(county, year), _counted(spells, roster, year)):
            if found:
                rows.append({"year": year} | _shares(found | staff, standard))
    return pd.DataFrame(rows, columns=COMPLIANCE_COLUMNS)


def _entered(county: County, year: int) -> dict[str, object]:
    """Return what the county entered for the two items; nothing when it entered nothing."""
    table = county.tables.get("county_years")
    if table is None:
        return {}
    items = programme_settings("items")
    of_year = table[table["year"] == year].drop_duplicates("item").set_index("item")
    rotation, backbone = (
        of_year.reindex([items[name]]).iloc[0][["item_numerator", "item_denominator"]].astype(float)
        for name in ("rotation", "backbone")
    )
    moved = rotation["item_numerator"]
    moved = backbone["item_denominator"] if np.isnan(moved) else moved
    if np.isnan([moved, rotation["item_denominator"], backbone["item_numerator"]]).all():
        return {}
    return {
        "source": "entered_by_county",
        "moved": moved,
        "eligible": rotation["item_denominator"],
        "eligible_unknown": 0,
        "backbone": backbone["item_numerator"],
        "backbone_unknown": 0,
    }


def _counted(spells: RotationSpells, roster: pd.DataFrame, year: int) -> dict[str, object]:
    """Return what rotation rows and roster say of a year; nothing when no spell begins in it.

    A year without a row may be one that nobody recorded: it is not shown as zero.
    """
    moved = first_spells(spells.starting_in(year))
    if moved.empty:
        return {}
    here = roster[roster["year"] == year]
    return {
        "source": "counted_from_rows",
        "moved": float(len(moved)),
        "eligible": float((here["eligible"] == "yes").sum()) if len(here) else np.nan,
        "eligible_unknown": int((here["eligible"] == "unknown").sum()),
        "backbone": float(moved["is_backbone"].fillna(False).sum()),
        "backbone_unknown": int(moved["is_backbone"].isna().sum()),
    }


def _shares(found: dict[str, object], standard: Standard) -> dict[str, object]:
    """Return counts with their shares, limits, and whether these are met."""
    count = {name: float(value) for name, value in found.items() if name != "source"}  # pyright: ignore[reportArgumentType]
    items = programme_settings("items")
    limits = [_limit(standard, items[name]) for name in ("rotation", "backbone")]
    moved, eligible, backbone = count["moved"], count["eligible"], count["backbone"]
    widest = eligible + count["eligible_unknown"]
    most = backbone + count["backbone_unknown"]
    return found | {
        "eligible_share": _ratio(moved, eligible),
        "limit": limits[0],
        "met": _met(_ratio(moved, widest), _ratio(moved, eligible), limits[0]),
        "teacher_share": _ratio(moved, count["teachers"]),
        "backbone_share": _ratio(backbone, moved),
        "backbone_limit": limits[1],
        "backbone_met": _met(_ratio(backbone, moved), _ratio(most, moved), limits[1]),
    }


def _met(low: float, high: float, limit: float) -> Verdict | str:
    """Compare a share that lies between two ends with a least share."""
    if np.isnan([low, high, limit]).any():
        return ""
    return "pass" if low >= limit else "fail" if high < limit else "undecided"


def _ratio(part: float, whole: float) -> float:
    """Return a share; missing of nothing."""
    return part / whole if whole > 0 else np.nan


def _limit(standard: Standard, item_id: str) -> float:
    """Return the limit of an item; missing where the standard has no such item."""
    found = [item.limits for item in standard.items if item.id == item_id and item.limits]
    return float(found[0][0]) if found else np.nan


def _teachers(county: County, year: int) -> tuple[float, int]:
    """Return all full-time teachers of the compulsory stages, and the schools that do not report them."""
    rows = school_rows(county)
    rows = rows[
        (rows["year"] == year) & ~rows["school_type"].isin(programme_settings("schools")["excluded_types"])
    ]
    taught = stages_taught(rows)[:, : len(COMPULSORY_STAGES)]
    counts = rows[[f"teachers_{stage}" for stage in COMPULSORY_STAGES]].to_numpy(dtype=float)
    missing = (taught & np.isnan(counts)).any(axis=1)
    return float(np.nansum(counts)), int(missing.sum())
