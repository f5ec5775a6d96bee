"""Spells of teacher rotation."""

import pandas as pd

from toolkit.data.checks.evidence import Evidence, rows
from toolkit.data.problems import Problem

SCHOOL = "receiving_school_id"


def rotations_to_the_same_school(evidence: Evidence) -> list[Problem]:
    """Find spells whose sending and receiving school are one."""
    spells = evidence.table("rotations")
    same = spells["sending_school_id"] == spells["receiving_school_id"]
    names = spells["sending_school_name"] == spells["receiving_school_name"]
    unknown = spells["sending_school_id"].isna() & spells["receiving_school_id"].isna()
    return [
        evidence.problem("rotation_to_itself", "warning", "rotations", index, SCHOOL, school_column=SCHOOL)
        for index in rows(same | (names & unknown))
    ]


def overlapping_rotations(evidence: Evidence) -> list[Problem]:
    """Find spells that start before the teacher's earlier one has ended."""
    spells = evidence.table("rotations").dropna(subset=["teacher_id", "rotation_start"])
    ordered = spells.sort_values(["teacher_id", "rotation_start"], kind="stable")
    by_teacher = ordered.groupby("teacher_id")
    earlier_end = by_teacher["rotation_end"].shift()
    follows = by_teacher.cumcount() > 0
    overlaps = follows & (earlier_end.isna() | (earlier_end > ordered["rotation_start"]))
    return [
        evidence.problem(
            "rotations_overlap",
            "warning",
            "rotations",
            index,
            "rotation_start",
            school_column=SCHOOL,
            teacher=ordered.at[index, "teacher_id"],
        )
        for index in rows(overlaps)
    ]


def rotations_against_roll(evidence: Evidence) -> list[Problem]:
    """Find rotated teachers whom the roll does not hold, or exempts."""
    spells, roll = evidence.table("rotations"), evidence.table("teachers")
    if roll.empty:
        return []
    exempt = set(roll.loc[roll["exemption"].notna(), "teacher_id"])
    unknown = spells["teacher_id"].notna() & ~spells["teacher_id"].isin(roll["teacher_id"])
    return [
        evidence.problem(
            code,
            "notice",
            "rotations",
            index,
            "teacher_id",
            school_column=SCHOOL,
            teacher=spells.at[index, "teacher_id"],
        )
        for code, flagged in (
            ("rotation_teacher_unknown", unknown),
            ("rotation_teacher_exempt", spells["teacher_id"].isin(exempt)),
        )
        for index in rows(flagged)
    ]


def backbone_without_title(evidence: Evidence) -> list[Problem]:
    """Find spells marked as backbone whose teacher has no backbone title in the roll of that year."""
    spells, roll = evidence.table("rotations"), evidence.table("teachers")
    if roll["backbone_title"].isna().all():
        return []
    started = spells["rotation_start"]
    school_year = (started.dt.year - (started.dt.month < 9)).astype("float64")
    keys = pd.MultiIndex.from_arrays([spells["teacher_id"], school_year])
    titled = roll.assign(year=roll["year"].astype("float64"))
    listed = pd.MultiIndex.from_frame(titled[["teacher_id", "year"]])
    with_title = pd.MultiIndex.from_frame(
        titled.loc[titled["backbone_title"].notna(), ["teacher_id", "year"]]
    )
    wrong = keys.isin(listed) & ~keys.isin(with_title) & spells["backbone"].fillna(False).astype(bool)
    return [
        evidence.problem(
            "backbone_without_title",
            "notice",
            "rotations",
            index,
            "backbone",
            school_column=SCHOOL,
            teacher=spells.at[index, "teacher_id"],
        )
        for index in rows(wrong)
    ]
