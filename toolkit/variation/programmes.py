"""Groups, zones and pairings of one year, and how much of the county they cover. A description."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from toolkit.data.county import County
from toolkit.data.schema import COMPULSORY_STAGES, TABLES, conform
from toolkit.data.schema.schools import LOCATIONS
from toolkit.indicators.exposure import Memberships, compute_memberships
from toolkit.indicators.roster import school_rows
from toolkit.indicators.school_calendar import school_year_of_end, school_year_of_start
from toolkit.indicators.stages import stages_taught

ANY_PROGRAMME = "any_programme"
TOTAL = "total"
UNKNOWN = "not_known"

GROUP_COLUMNS = [
    "programme",
    "school_group",
    "stage",
    "form",
    "start_year",
    "leads",
    "members",
    "n_schools",
    "students",
    "n_unknown",
    "joined",
    "left",
]
COVERAGE_COLUMNS = [
    "programme",
    "stage",
    "location",
    "n_schools",
    "all_schools",
    "school_share",
    "students",
    "all_students",
    "student_share",
    "n_unknown",
]
SUPPORT_COLUMNS = ["programme", "supporter", "receiver", "first_year", "last_year", "support_cycle"]


@dataclass(frozen=True, slots=True)
class ProgrammeYear:
    """Programmes of a county in one school year.

    Attributes
    ----------
    year : int
        School year.
    school_groups : pandas.DataFrame
        One row per programme, group and stage that runs or that a school has just left: `form`,
        `start_year` (its first), `leads`, `members`, `joined`, `left` (tuples of names),
        `n_schools`, `students` of the stage in them, `n_unknown` schools that report no enrolment.
        Joined: a member this year and not the year before; left: the reverse.
    coverage : pandas.DataFrame
        One row per programme (and any of them), stage and location (and all): schools and
        students in it, of how many, `n_unknown` schools without enrolment.
    support : pandas.DataFrame
        Pairings that run in the year.
    unusable : pandas.DataFrame
        Rows of the membership table that cannot be used, with `reason`.
    """

    year: int
    school_groups: pd.DataFrame
    coverage: pd.DataFrame
    support: pd.DataFrame
    unusable: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return the coverage, one row per programme, stage and location."""
        return self.coverage


def describe_programmes(county: County, *, year: int) -> ProgrammeYear:
    """Describe the groups, zones, projects and pairings of a school year.

    Parameters
    ----------
    county : County
        Without `school_groups` or `support` those parts have no rows.
    year : int
        School year.

    Notes
    -----
    Schools and students are those of the stage of the membership, among all schools that report the
    stage in the year, private ones included, special education left out.
    """
    memberships = compute_memberships(county)
    units = stage_units(county, year)
    return ProgrammeYear(
        year=year,
        school_groups=_school_groups(memberships, units, year),
        coverage=_coverage(memberships.in_year(year), units),
        support=_support(county, year),
        unusable=memberships.unusable,
    )


def stage_units(county: County, year: int) -> pd.DataFrame:
    """Return one row per school and compulsory stage it teaches in a year: identity, `stage`, `enrolment`.

    `enrolment` is missing where not reported; a stage without students is no unit.
    """
    rows = school_rows(county)
    excluded = rows["school_type"].isin(programme_settings("schools")["excluded_types"])
    rows = rows[(rows["year"] == year) & ~excluded].reset_index(drop=True)
    taught = stages_taught(rows)
    parts = []
    for position, stage in enumerate(COMPULSORY_STAGES):
        enrolment = rows[f"enrolment_{stage}"]
        there = taught[:, position] & ~(enrolment == 0).to_numpy(dtype=bool)
        columns = ["school_id", "school_name", "town", "location", "ownership"]
        parts.append(rows.loc[there, columns].assign(stage=stage, enrolment=enrolment[there]))
    return pd.concat(parts, ignore_index=True)


def _school_groups(memberships: Memberships, units: pd.DataFrame, year: int) -> pd.DataFrame:
    """Return one row per programme, group and stage."""
    key = ["programme", "school_group", "stage"]
    now, before = memberships.in_year(year), memberships.in_year(year - 1)
    ended = memberships.spells[
        (memberships.spells["end_year"] == year - 1).fillna(False).to_numpy(dtype=bool)
    ]
    names = dict(zip(memberships.spells["school"], memberships.spells["school_name"], strict=True))
    current = dict(zip(units["school_id"], units["school_name"], strict=True))
    names |= {
        school: current[code]
        for school, code in zip(now["school"], now["school_id"], strict=True)
        if code in current
    }
    students = units.set_index(["school_id", "stage"])["enrolment"]
    keys = pd.concat([now[key], before[key], ended[key]]).drop_duplicates()
    keys = keys.assign(order=keys["programme"].map(_programme_place)).sort_values(
        ["order", "stage", "school_group"], key=_in_order, kind="stable"
    )
    rows = []
    for programme, school_group, stage in keys[key].itertuples(index=False):
        own = _chosen(now, programme, school_group, stage)
        was = _chosen(before, programme, school_group, stage)
        gone = _chosen(ended, programme, school_group, stage)
        # A school that reports nothing before the first year of the data cannot be told to have joined.
        joined = set(own.loc[own["start_year"] == year, "school"]) - set(was["school"])
        left = (set(was["school"]) | set(gone["school"])) - set(own["school"])
        enrolled = students.reindex(pd.MultiIndex.from_arrays([own["school_id"], own["stage"]]))
        forms = own["form"].dropna()
        rows.append(
            {
                "programme": programme,
                "school_group": school_group,
                "stage": stage,
                "form": forms.iloc[0] if len(forms) else np.nan,
                "start_year": float(pd.concat([own, was, gone])["start_year"].astype(float).min()),
                "leads": _named(own.loc[own["role"] == "lead", "school"], names),
                "members": _named(own.loc[own["role"] != "lead", "school"], names),
                "n_schools": own["school"].nunique(),
                "students": float(enrolled[~own.duplicated("school").to_numpy()].sum()),
                "n_unknown": int(enrolled.isna().sum()),
                "joined": _named(joined, names),
                "left": _named(left, names),
            }
        )
    table = pd.DataFrame(rows, columns=GROUP_COLUMNS)
    changed = (table["n_schools"] > 0) | (table["left"].map(len) > 0)
    return table[changed.to_numpy(dtype=bool)].reset_index(drop=True)


def _coverage(now: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """Return schools and students in each programme and in any, by stage and location."""
    rows = []
    present = list(dict.fromkeys(sorted(now["programme"], key=_programme_place)))
    for programme in [*present, *([ANY_PROGRAMME] if len(present) > 1 else [])]:
        own = now if programme == ANY_PROGRAMME else now[now["programme"] == programme]
        within = set(zip(own["school_id"], own["stage"], strict=True))
        covered = [unit in within for unit in zip(units["school_id"], units["stage"], strict=True)]
        marked = units.assign(covered=covered, location=units["location"].fillna(UNKNOWN))
        for stage in COMPULSORY_STAGES:
            of_stage = marked[marked["stage"] == stage]
            if not of_stage["covered"].any():
                continue
            places = [place for place in (*LOCATIONS, UNKNOWN) if (of_stage["location"] == place).any()]
            for place in [*places, TOTAL]:
                there = of_stage if place == TOTAL else of_stage[of_stage["location"] == place]
                rows.append({"programme": programme, "stage": stage, "location": place} | _covered(there))
    return pd.DataFrame(rows, columns=COVERAGE_COLUMNS)


def _covered(units: pd.DataFrame) -> dict[str, object]:
    within = units[units["covered"]]
    students, of_students = within["enrolment"].sum(), units["enrolment"].sum()
    return {
        "n_schools": len(within),
        "all_schools": len(units),
        "school_share": len(within) / len(units),
        "students": float(students),
        "all_students": float(of_students),
        "student_share": float(students / of_students) if of_students > 0 else np.nan,
        "n_unknown": int(units["enrolment"].isna().sum()),
    }


def _support(county: County, year: int) -> pd.DataFrame:
    """Return the pairings that run in a year, in the order of the table."""
    table = county.tables.get("support")
    table = conform(pd.DataFrame(), TABLES["support"]) if table is None else table.reset_index(drop=True)
    first = school_year_of_start(table["support_start"])
    last = school_year_of_end(table["support_end"])
    running = (first <= year).fillna(False) & ~(last < year).fillna(False)
    register = county.tables["schools"].drop_duplicates("school_id", keep="last")
    names = register.set_index("school_id")["school_name"]
    found = pd.DataFrame(
        {
            "programme": table["programme"],
            "supporter": table["supporter_id"].map(names).fillna(table["supporter_name"]),
            "receiver": table["receiver_id"].map(names).fillna(table["receiver_name"]),
            "first_year": first.astype("Float64").astype(float),
            "last_year": last.astype("Float64").astype(float),
            "support_cycle": table["support_cycle"],
        },
        columns=SUPPORT_COLUMNS,
    )
    return found[running.to_numpy(dtype=bool)].reset_index(drop=True)


def _chosen(table: pd.DataFrame, programme: str, school_group: str, stage: str) -> pd.DataFrame:
    own = (table["programme"] == programme) & (table["school_group"] == school_group)
    return table[own & (table["stage"] == stage)]


def _named(schools: Iterable[str], names: dict[str, str]) -> tuple[str, ...]:
    """Return the names of schools, each once, in the order of their codes."""
    return tuple(str(names[school]) for school in sorted(set(schools)))


def _programme_place(programme: str) -> int:
    """Return the place of a programme in the order of the contract."""
    choices = TABLES["school_groups"].column("programme").choices
    return choices.index(programme) if programme in choices else len(choices)


def _in_order(values: pd.Series) -> pd.Series:
    """Put stages in their order; leave other keys as they are."""
    if values.name != "stage":
        return values
    return values.map({stage: place for place, stage in enumerate(COMPULSORY_STAGES)})


@cache
def programme_settings(section: str) -> dict[str, Any]:
    """Return one section of the settings of programmes and rotations."""
    path = Path(__file__).with_name("programmes.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))[section]
