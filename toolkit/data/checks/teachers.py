"""Teachers against students, whole-school totals and the teacher roll."""

import pandas as pd

from toolkit.data.checks.evidence import Evidence, Frame, has_stage, rows
from toolkit.data.checks.settings import settings
from toolkit.data.problems import Problem
from toolkit.data.schema import COMPULSORY_STAGES

TOTALS = ("backbone_teachers", "pe_teachers", "arts_teachers")


def stages_without_teachers(evidence: Evidence) -> list[Problem]:
    """Find stages with students and no teacher."""
    years = evidence.school_years
    return [
        evidence.problem(
            "students_without_teachers",
            "warning",
            "school_years",
            index,
            f"teachers_{stage}",
            students=years.at[index, f"enrolment_{stage}"],
        )
        for stage in COMPULSORY_STAGES
        for index in rows((years[f"enrolment_{stage}"] > 0) & (years[f"teachers_{stage}"] == 0))
    ]


def students_per_teacher(evidence: Evidence) -> list[Problem]:
    """Find stages with implausibly few or many students per teacher."""
    years = evidence.school_years
    limits = settings("students_per_teacher")
    low, high = limits["between"]
    found = []
    for stage in COMPULSORY_STAGES:
        students, teachers = years[f"enrolment_{stage}"], years[f"teachers_{stage}"]
        ratio = students / teachers.where(teachers > 0)
        odd = (students >= limits["least_students"]) & ((ratio < low) | (ratio > high))
        found += [
            evidence.problem(
                "students_per_teacher_odd",
                "warning",
                "school_years",
                index,
                f"teachers_{stage}",
                students=students[index],
                teachers=teachers[index],
                ratio=round(float(ratio[index]), 1),
            )
            for index in rows(odd)
        ]
    return found


def pe_and_arts_above_teachers(evidence: Evidence) -> list[Problem]:
    """Find stages where teachers of PE and arts together outnumber all teachers."""
    years = evidence.school_years
    found = []
    for stage in COMPULSORY_STAGES:
        both = years[f"pe_teachers_{stage}"] + years[f"arts_teachers_{stage}"]
        found += [
            evidence.problem(
                "pe_arts_above_teachers",
                "warning",
                "school_years",
                index,
                f"arts_teachers_{stage}",
                value=both[index],
                limit=years.at[index, f"teachers_{stage}"],
            )
            for index in rows(both > years[f"teachers_{stage}"])
        ]
    return found


def totals_against_stages(evidence: Evidence) -> list[Problem]:
    """Find whole-school numbers of teachers that contradict the numbers by stage.

    A school with a senior stage may have more in all than in its compulsory stages.
    """
    years = evidence.school_years
    with_senior = has_stage(years["school_type"], "senior")
    found = []
    for stem in TOTALS:
        stages = pd.DataFrame({stage: years[f"{stem}_{stage}"] for stage in COMPULSORY_STAGES})
        # A stage that is not taught adds nothing; a taught stage without a value leaves the sum open.
        is_open = pd.Series(False, index=years.index)
        for stage in COMPULSORY_STAGES:
            is_open |= has_stage(years["school_type"], stage) & stages[stage].isna()
        total, sums = years[f"{stem}_total"], stages.sum(axis=1, min_count=1)
        wrong = (sums > total) | ((sums < total) & ~is_open & ~with_senior)
        found += [
            evidence.problem(
                "total_differs_from_stages",
                "warning",
                "school_years",
                index,
                f"{stem}_total",
                value=total[index],
                total=sums[index],
            )
            for index in rows(wrong)
        ]
    return found


def roll_against_school_years(evidence: Evidence) -> list[Problem]:
    """Find school years in which the roll lists clearly more or fewer teachers than are reported."""
    roll, years = evidence.table("teachers"), evidence.school_years
    tolerance = settings("roll")["tolerance"]
    listed = roll.groupby(["school_id", "year", "stage"]).size()
    found = []
    for stage in COMPULSORY_STAGES:
        if listed.empty or stage not in listed.index.get_level_values("stage"):
            continue
        of_stage = listed.xs(stage, level="stage")
        keys = pd.MultiIndex.from_frame(years[["school_id", "year"]])
        on_roll = pd.Series(of_stage.reindex(keys).to_numpy(dtype=float), index=years.index)
        reported = years[f"teachers_{stage}"]
        differs = (on_roll - reported).abs() > tolerance * reported.clip(lower=1 / tolerance)
        found += [
            evidence.problem(
                "roll_differs",
                "warning",
                "school_years",
                index,
                f"teachers_{stage}",
                value=reported[index],
                listed=on_roll[index],
            )
            for index in rows(differs)
        ]
    return found


def backbone_against_titles(evidence: Evidence) -> list[Problem]:
    """Find more backbone teachers reported than the roll lists with a title in force on 1 September.

    The latest year gives a warning per school and stage, the earlier ones a notice in all. A year in
    which the roll names no backbone title at all, or does not list the school, tells nothing.
    """
    above = _backbone_above_titles(evidence)
    if above.empty:
        return []
    latest = above["year"] == evidence.school_years["year"].max()
    found = [
        evidence.problem(
            "backbone_above_titles",
            "warning",
            "school_years",
            int(row["row"]),
            row["column"],
            reported=row["reported"],
            valid=row["valid"],
        )
        for row in above[latest].to_dict("records")
    ]
    earlier = above[~latest]
    if not earlier.empty:
        found.append(
            evidence.problem(
                "backbone_above_titles_earlier",
                "notice",
                "school_years",
                int(earlier["row"].iloc[0]),
                earlier["column"].iloc[0],
                school_column="",
                years=sorted({int(year) for year in earlier["year"]}),
                schools=earlier["school_id"].nunique(),
                reported=earlier["reported"].sum(),
                valid=earlier["valid"].sum(),
            )
        )
    return found


def _backbone_above_titles(evidence: Evidence) -> pd.DataFrame:
    """Return the school years and stages that report more backbone teachers than titles in force."""
    roll, years = evidence.table("teachers"), evidence.school_years
    titled = roll["backbone_title"].notna()
    in_force = titled & ~_is_expired(roll)
    roll = roll[roll["year"].isin(roll.loc[titled, "year"].dropna())]
    parts = []
    for stage in COMPULSORY_STAGES:
        of_stage = roll[roll["stage"] == stage].assign(valid=in_force)
        counts = of_stage.groupby(["school_id", "year"])["valid"].sum()
        keys = pd.MultiIndex.from_frame(years[["school_id", "year"]])
        part = years[["school_id", "year"]].assign(
            row=years.index,
            column=f"backbone_teachers_{stage}",
            reported=years[f"backbone_teachers_{stage}"],
            valid=counts.reindex(keys).to_numpy(dtype=float),
        )
        parts.append(part[part["reported"] > part["valid"]])
    return pd.concat(parts, ignore_index=True)


def _is_expired(roll: Frame) -> pd.Series:
    """Say which backbone titles had expired on the statistic date; without a date none has."""
    statistic_date = pd.to_datetime(roll["year"].astype("str") + "-09-01", errors="coerce")
    return roll["backbone_expiry"] < statistic_date


def expired_titles(evidence: Evidence) -> list[Problem]:
    """Count, by year, backbone titles that had expired on the statistic date."""
    roll = evidence.table("teachers")
    titled = roll.dropna(subset=["backbone_expiry", "year"])
    expired = titled[_is_expired(titled)]
    return [
        evidence.problem(
            "backbone_title_expired",
            "notice",
            "teachers",
            int(group.index[0]),
            "backbone_expiry",
            count=len(group),
            schools=group["school_id"].nunique(),
            year=int(year),
        )
        for year, group in expired.groupby("year")
    ]
