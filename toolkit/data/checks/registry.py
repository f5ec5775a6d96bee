"""The register of schools against the tables that refer to it."""

import pandas as pd

from toolkit.data.checks.evidence import Evidence, rows
from toolkit.data.checks.settings import settings
from toolkit.data.problems import Problem

# Flags of the register that say when a school was built, and the year they speak of.
BUILT_BY = {"planned_by_2010": 2010, "built_by_2016": 2016}


def code_that_was_only_asked_for(evidence: Evidence, county: str) -> list[Problem]:
    """Tell that the code of the county comes from the one who asked, not from the register."""
    schools = evidence.table("schools")
    if not county or schools.empty or schools["county_id"].notna().any():
        return []
    file, sheet, _ = evidence.place("schools", int(schools.index[0]), "county_id")
    values = (("county", county), ("what", "@county_id"), ("sheet", "@table_schools"))
    return [Problem("county_code_absent", "notice", file, sheet, "", "schools", "county_id", "", values)]


def parents_outside_register(evidence: Evidence) -> list[Problem]:
    """Find parent schools that the register does not hold."""
    schools = evidence.table("schools")
    parents = schools["parent_school_id"]
    return [
        evidence.problem(
            "parent_outside_register", "warning", "schools", index, "parent_school_id", value=parents[index]
        )
        for index in rows(parents.notna() & ~parents.isin(schools["school_id"]))
    ]


def open_schools_without_years(evidence: Evidence) -> list[Problem]:
    """Find schools without a row in years in which they were open, once for each school.

    A school that took over from another, or was taken over, is expected only as long as it reports.
    """
    years = evidence.table("school_years").dropna(subset=["school_id", "year"])
    schools = evidence.table("schools").dropna(subset=["school_id"])
    covered = sorted(int(year) for year in years["year"].unique())
    reported: dict[str, set[int]] = {}
    for code, year in zip(years["school_id"], years["year"], strict=True):
        reported.setdefault(code, set()).add(int(year))
    links = evidence.table("school_links")
    successors, predecessors = set(links["to_school_id"]), set(links["from_school_id"])
    entries = schools.assign(first=schools.index).groupby("school_id", sort=False)
    lifetimes = entries.agg(first=("first", "first"), opened=("opened", "min"), closed=("closed", "max"))
    found = []
    for code, first, opened, closed in lifetimes.itertuples(name=None):
        has = reported.get(code, set())
        expected_from, expected_to = opened, closed - 1
        if pd.isna(expected_from) or code in successors:
            expected_from = min(has or covered, default=0)
        if code in predecessors and has:
            expected_to = max(has)
        ends = not pd.isna(expected_to)
        open_in = [year for year in covered if expected_from <= year and not (ends and year > expected_to)]
        absent = [year for year in open_in if year not in has]
        if absent:
            found.append(
                evidence.problem(
                    "school_without_years", "warning", "schools", int(first), "school_id", years=absent
                )
            )
    return found


def reports_outside_lifetime(evidence: Evidence) -> list[Problem]:
    """Find school years before a school opened or after it closed."""
    years = evidence.school_years
    found = []
    for code, column, flagged in (
        ("reports_before_opening", "opened", years["year"] < years["opened"]),
        ("reports_after_closing", "closed", years["year"] > years["closed"]),
    ):
        found += [
            evidence.problem(
                code,
                "warning",
                "school_years",
                index,
                "year",
                year=years.at[index, "year"],
                event=years.at[index, column],
            )
            for index in rows(flagged)
        ]
    return found


def same_names_in_a_town(evidence: Evidence) -> list[Problem]:
    """Find schools with different codes but one name in one town."""
    schools = evidence.table("schools").dropna(subset=["school_id", "school_name"])
    latest = schools.drop_duplicates("school_id", keep="last")
    place = [latest["town"].fillna(""), latest["school_name"]]
    first = latest.groupby(place)["school_id"].transform("first")
    twice = latest["school_id"] != first
    return [
        evidence.problem("same_name_in_town", "warning", "schools", index, "school_name", other=first[index])
        for index in rows(twice)
    ]


def positions_outside_county(evidence: Evidence) -> list[Problem]:
    """Find coordinates far from the county's other schools, as exchanged ones are."""
    schools = evidence.table("schools")
    furthest = settings("coordinates")["furthest_from_county"]
    found = []
    for column in ("longitude", "latitude"):
        values = schools[column]
        found += [
            evidence.problem(
                "position_outside", "warning", "schools", index, column, value=f"{values[index]:.4f}"
            )
            for index in rows((values - values.median()).abs() > furthest)
        ]
    return found


def flags_against_opening(evidence: Evidence) -> list[Problem]:
    """Find schools said to be built by a year before they opened."""
    schools = evidence.table("schools")
    return [
        evidence.problem(
            "flag_contradicts_opening",
            "warning",
            "schools",
            index,
            flag,
            year=year,
            opened=schools.at[index, "opened"],
        )
        for flag, year in BUILT_BY.items()
        for index in rows(schools[flag].fillna(False).astype(bool) & (schools["opened"] > year))
    ]
