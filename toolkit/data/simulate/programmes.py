"""School groups, other programmes and pairings."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from toolkit.data.simulate.enrolment import Enrolment
from toolkit.data.simulate.frames import rows_where
from toolkit.data.simulate.names import names
from toolkit.data.simulate.register import Register
from toolkit.data.simulate.settings import SimulationSettings, stream

SCHOOLS_PER_SCHOOL_GROUP = 5.5
SCHOOL_GROUP_SIZES = (2, 3)
CLOSE_SHARE = 0.6
# Years after the first in which school groups start; the last one must leave years to see an effect.
FIRST_START, LAST_START = 2, 5


@dataclass(frozen=True, slots=True)
class Programmes:
    """Who takes part in what.

    Attributes
    ----------
    memberships : pandas.DataFrame
        `row`, `stage`, `programme`, `school_group`, `role`, `form`, `start_year`, `end_year`, `basis`.
    quality : Mapping of str to ndarray, (n_schools,)
        Standardised lasting quality of each school by stage, which selection acts on.
    """

    memberships: pd.DataFrame
    quality: dict[str, np.ndarray]


def simulate_programmes(
    register: Register, enrolment: Enrolment, settings: SimulationSettings, seed: int
) -> Programmes:
    """Form groups around strong schools; weak schools are more likely to be made members."""
    rng = stream(seed, settings, "programmes")
    schools = register.schools
    quality = {stage: rng.standard_normal(len(register)) for stage in ("primary", "junior")}
    lottery = rng.standard_normal(len(register))
    free = (
        (schools["ownership"] == "public")
        & schools["type"].isin(["primary_school", "junior_secondary_school", "nine_year_school"])
        & schools["closed"].isna()
        & (schools["opened"] < settings.first_year)
    )
    rows: list[tuple] = []
    for stage in ("primary", "junior"):
        there = free.to_numpy() & (getattr(enrolment, stage)[:, -1] > 0)
        rows += _school_groups(stage, there, quality[stage], lottery, register, settings, rng)
        if stage == "junior":
            rows += _strong_school_project(there, quality[stage], rows, settings)
    rows += _school_zone(free.to_numpy(), enrolment, register, settings)
    columns = ["row", "stage", "programme", "school_group", "role", "form", "start_year", "end_year", "basis"]
    memberships = pd.DataFrame(rows, columns=columns)
    return Programmes(memberships.drop_duplicates(["row", "stage", "programme", "start_year"]), quality)


def _school_groups(
    stage: str,
    there: np.ndarray,
    quality: np.ndarray,
    lottery: np.ndarray,
    register: Register,
    settings: SimulationSettings,
    rng: np.random.Generator,
) -> list[tuple]:
    """Return leads and members of the groups of one stage, with staggered starts."""
    urban = (register.schools["location"] != "rural").to_numpy()
    n_groups = max(1, round(there.sum() / SCHOOLS_PER_SCHOOL_GROUP))
    leads = [int(row) for row in np.argsort(-quality, kind="stable") if there[row] and urban[row]][:n_groups]
    wish = -settings.selection_strength * quality + lottery
    others = [int(row) for row in np.argsort(-wish, kind="stable") if there[row] and row not in leads]
    starts = np.arange(min(FIRST_START, settings.n_years - 1), min(LAST_START, settings.n_years - 1) + 1)
    basis = names()["programmes"]
    result: list[tuple] = []
    for number, lead in enumerate(leads):
        size = int(rng.choice(SCHOOL_GROUP_SIZES))
        members, others = others[:size], others[size:]
        start = settings.first_year + int(starts[number % len(starts)])
        form = "close_form" if number % 5 < round(5 * CLOSE_SHARE) else "loose_form"
        title = basis["school_group"].format(lead=register.names[lead])
        result.append(
            (lead, stage, "group_schooling", title, "lead", form, start, np.nan, basis["volunteered"])
        )
        for position, member in enumerate(members):
            late = position == size - 1 and start < settings.last_year - 1 and number % 2 == 1
            leaves = number == 0 and position == 0 and not settings.clean and settings.n_years > 6
            result.append(
                (member, stage, "group_schooling", title, "member", form, start + late,
                 settings.last_year - 1 if leaves else np.nan,
                 basis["nearest"] if position % 2 else basis["weakest"])
            )  # fmt: skip
    return result


def _strong_school_project(
    there: np.ndarray, quality: np.ndarray, taken: list[tuple], settings: SimulationSettings
) -> list[tuple]:
    """Return the weakest junior schools outside the groups."""
    in_school_groups = {row for row, stage, *_ in taken if stage == "junior"}
    weakest = [
        int(row) for row in np.argsort(quality, kind="stable") if there[row] and row not in in_school_groups
    ]
    n_chosen = max(1, round(there.sum() / 9))
    title, basis = names()["programmes"]["strong_school_project"], names()["programmes"]["weakest"]
    start = settings.first_year + min(3, settings.n_years - 1)
    return [
        (row, "junior", "strong_school_project", title, "member", "", start, np.nan, basis)
        for row in weakest[:n_chosen]
    ]


def _school_zone(
    free: np.ndarray, enrolment: Enrolment, register: Register, settings: SimulationSettings
) -> list[tuple]:
    """Put all public schools of one or more towns into a zone."""
    towns = register.schools["town"]
    outside = towns[free & (register.schools["location"] != "urban").to_numpy()]
    chosen = sorted(outside.unique())[: max(1, settings.n_schools // 60)]
    start = settings.first_year + min(4, settings.n_years - 1)
    patterns = names()["programmes"]
    result: list[tuple] = []
    for town in chosen:
        title = patterns["school_zone"].format(town=town)
        for row in np.flatnonzero(free & (towns == town).to_numpy()):
            role = "lead" if not any(title == entry[3] for entry in result) else "member"
            for stage in ("primary", "junior"):
                if getattr(enrolment, stage)[row, -1] > 0:
                    result.append(
                        (
                            int(row),
                            stage,
                            "school_zone",
                            title,
                            role,
                            "",
                            start,
                            np.nan,
                            patterns["whole_zone"],
                        )
                    )
    return result


def membership_table(programmes: Programmes, register: Register) -> pd.DataFrame:
    """Return 集团成员 with the codes and names of the year in which each membership began."""
    table = programmes.memberships
    rows, years = table["row"].to_numpy(dtype=int), table["start_year"].to_numpy(dtype=int)
    return pd.DataFrame(
        {
            "school_id": register.codes_in(rows, years),
            "school_name": register.names_in(rows, years),
            "stage": table["stage"],
            "programme": table["programme"],
            "school_group": table["school_group"],
            "role": table["role"],
            "form": table["form"],
            "announced": [f"{year}-08-15" for year in years],
            "start_year": years,
            "end_year": table["end_year"],
            "selection_basis": table["basis"],
        }
    )


def support_table(programmes: Programmes, register: Register, settings: SimulationSettings) -> pd.DataFrame:
    """Return 结对委托: leads and outsiders that support schools in no group."""
    memberships = programmes.memberships
    leads = memberships.loc[memberships["role"] == "lead", "row"].unique()
    touched = set(memberships["row"])
    free = register.schools["type"].isin(["primary_school", "junior_secondary_school"]) & (
        register.schools["ownership"] == "public"
    )
    receivers = [
        int(row)
        for row in rows_where(free & register.schools["closed"].isna())
        if row not in touched and register.schools["renamed"].isna().at[row]
    ][-4:]
    patterns = names()["programmes"]
    rows = []
    for number, receiver in enumerate(receivers):
        lead = int(leads[number % len(leads)])
        outsider = (patterns["institute"], patterns["county_outside"])[number // 2 % 2] if number % 2 else ""
        year = settings.first_year + min(2 + number, settings.n_years - 1)
        rows.append(
            {
                "supporter_id": "" if outsider else register.ids[lead],
                "supporter_name": outsider or register.names[lead],
                "receiver_id": register.ids[receiver],
                "receiver_name": register.names[receiver],
                "programme": "entrusted_management" if number % 2 else "paired_support",
                "support_start": f"{year}-09-01",
                "support_end": f"{year + 3}-08-31",
                "support_cycle": 1,
            }
        )
    return pd.DataFrame(rows)
