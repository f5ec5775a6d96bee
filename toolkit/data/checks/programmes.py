"""Links between schools, school groups and support."""

import pandas as pd

from toolkit.data.checks.evidence import Evidence, rows
from toolkit.data.problems import Problem
from toolkit.data.schema.schools import possible_stages

# Programmes in which a lead school and its members belong together.
LED_PROGRAMMES = ("group_schooling", "school_zone", "joint_schooling")


def links_to_closed_schools(evidence: Evidence) -> list[Problem]:
    """Find links to the school itself, or to one that had closed before."""
    links = evidence.table("school_links")
    closed = evidence.table("schools").groupby("school_id")["closed"].max()
    closing = links["to_school_id"].map(closed).astype("float64")
    gone = closing < links["link_date"].dt.year
    itself = links["from_school_id"] == links["to_school_id"]
    found = [
        evidence.problem(
            "link_to_closed",
            "warning",
            "school_links",
            index,
            "to_school_id",
            school_column="to_school_id",
            closed=closing[index],
        )
        for index in rows(gone)
    ]
    # A renamed school may keep its code.
    return found + [
        evidence.problem(
            "link_to_itself", "warning", "school_links", index, "to_school_id", school_column="to_school_id"
        )
        for index in rows(itself & (links["link_kind"] != "rename"))
    ]


def shares_above_one(evidence: Evidence) -> list[Problem]:
    """Find schools whose students were shared out more than once."""
    links = evidence.table("school_links")
    key = ["from_school_id", "link_date"]
    total = links.groupby(key)["link_share"].transform("sum")
    over = links[(total > 1 + 1e-9).to_numpy()].drop_duplicates(key)
    return [
        evidence.problem(
            "link_shares_above_one",
            "warning",
            "school_links",
            int(index),
            "link_share",
            school_column="from_school_id",
            percent=f"{100 * total[index]:.0f}%",
        )
        for index in over.index
    ]


def overlapping_memberships(evidence: Evidence) -> list[Problem]:
    """Find a stage of a school in two groups of one programme at the same time."""
    groups = evidence.table("school_groups").dropna(subset=["school_id", "start_year"])
    key = ["school_id", "stage", "programme"]
    ordered = groups.sort_values([*key, "start_year"], kind="stable")
    earlier = ordered.groupby(key)[["end_year", "school_group"]].shift()
    first = ordered.groupby(key).cumcount() == 0
    # A spell without an end is still running.
    overlaps = ~first & (earlier["end_year"].isna() | (earlier["end_year"] > ordered["start_year"]))
    return [
        evidence.problem(
            "memberships_overlap",
            "warning",
            "school_groups",
            index,
            "start_year",
            other=earlier.at[index, "school_group"],
            year=ordered.at[index, "start_year"],
        )
        for index in rows(overlaps)
    ]


def groups_without_lead(evidence: Evidence) -> list[Problem]:
    """Find school groups with members but no lead school, or with a lead and no member."""
    groups = evidence.table("school_groups").dropna(subset=["school_group", "role"])
    groups = groups[groups["programme"].isin(LED_PROGRAMMES)]
    found = []
    for (_, name), rows_of_group in groups.groupby(["programme", "school_group"], sort=False):
        roles = set(rows_of_group["role"])
        if roles == {"lead", "member"}:
            continue
        found.append(
            evidence.problem(
                "group_without_lead" if roles == {"member"} else "group_without_member",
                "warning" if roles == {"member"} else "notice",
                "school_groups",
                int(rows_of_group.index[0]),
                "role",
                group=str(name),
                count=len(rows_of_group),
            )
        )
    return found


def stages_outside_school(evidence: Evidence) -> list[Problem]:
    """Find memberships of a stage that the school does not teach."""
    groups = evidence.table("school_groups")
    types = evidence.table("schools").groupby("school_id")["school_type"].agg(list)
    taught = {
        code: {stage for name in names for stage in possible_stages(name)} for code, names in types.items()
    }
    outside = [
        code in taught and not pd.isna(stage) and stage not in taught[code]
        for code, stage in zip(groups["school_id"], groups["stage"], strict=True)
    ]
    return [
        evidence.problem(
            "member_stage_not_of_school",
            "warning",
            "school_groups",
            index,
            "stage",
            stage=f"@{groups.at[index, 'stage']}",
        )
        for index in rows(pd.Series(outside, index=groups.index, dtype=bool))
    ]


def support_of_itself(evidence: Evidence) -> list[Problem]:
    """Find schools that support themselves."""
    support = evidence.table("support")
    return [
        evidence.problem(
            "support_of_itself", "warning", "support", index, "receiver_id", school_column="receiver_id"
        )
        for index in rows(support["supporter_id"] == support["receiver_id"])
    ]
