"""What the gap list and the ledger say, in sentences built from their numbers."""

import math
from typing import Any

from toolkit.planning.gaps import TOTAL, GapList
from toolkit.planning.ledger import Ledger
from toolkit.planning.posts import TeacherPosts
from toolkit.reporting.edition import Edition
from toolkit.reporting.findings import (
    Finding,
    FindingNumber,
    build_finding,
    number_in_cell,
    number_in_sum,
    number_of_rows,
)
from toolkit.tables.planning import amount_text, count_ledger
from toolkit.vocabulary import Term, label, term

NAMED_SCHOOLS = 5
LEDGER_COUNTS = ("n", "n_not_started", "n_in_progress", "n_done", "n_closed_out")
LEDGER_SIGNS = ("repeated", "relapsed", "close_out", "still_unmet", "overdue")


def find_gaps(gaps: GapList, posts: TeacherPosts, *, edition: Edition = "internal") -> list[Finding]:
    """Return what is missing for all schools to reach the standard; the public edition names no school."""
    if gaps.gaps.empty:
        return [build_finding("gaps_none", "finding_gaps_none", kind="finding", importance=4)]
    return [
        _schools_to_mend(gaps, edition),
        *_missing_amounts(gaps),
        *_open_gaps(gaps),
        *_posts(posts),
    ]


def find_ledger(ledger: Ledger) -> list[Finding]:
    """Return how far the problems of the ledger are mended; no school is named."""
    counts = count_ledger(ledger)
    if counts.empty:
        return [build_finding("ledger_empty", "finding_ledger_empty", kind="finding", importance=4)]
    total = counts[counts["part"] == TOTAL].to_dict("records")[0]
    overview = build_finding(
        "ledger_states",
        "finding_ledger_states",
        kind="headline",
        importance=3,
        numbers=tuple(_ledger_number(total, f"ledger_{name}") for name in LEDGER_COUNTS),
        **{name: int(total[f"ledger_{name}"]) for name in LEDGER_COUNTS},  # pyright: ignore[reportArgumentType]
    )
    signs = [
        build_finding(
            f"ledger_{sign}",
            f"finding_ledger_{sign}",
            kind="finding",
            importance=3,
            numbers=(_ledger_number(total, f"ledger_n_{sign}"),),
            count=int(total[f"ledger_n_{sign}"]),
        )
        for sign in LEDGER_SIGNS
        if total[f"ledger_n_{sign}"]
    ]
    return [overview, *signs]


def _schools_to_mend(gaps: GapList, edition: Edition) -> Finding:
    """Count the schools, by stage, that must mend something to pass; the internal edition names the first."""
    schools = gaps.schools
    failing = schools[schools["verdict"] == "fail"]
    unmet = schools[schools["unmet"].map(len) > 0]
    names = [str(name) for name in failing["school_name"]]
    named = edition == "internal" and bool(names)
    values: dict[str, object] = {"count": len(unmet), "failing": len(failing)}
    if named:
        values["schools"] = Term(
            zh=label("list_separator", "zh").join(names[:NAMED_SCHOOLS]),
            en=label("list_separator", "en").join(names[:NAMED_SCHOOLS]),
        )
    many = "_many" if len(names) > NAMED_SCHOOLS else ""
    return build_finding(
        "gap_schools",
        f"finding_gap_schools_named{many}" if named else "finding_gap_schools",
        kind="headline",
        importance=2,
        numbers=(
            number_of_rows("n_unmet", len(unmet), "school_needs", column="unmet_indicators"),
            number_of_rows("n_fail", len(failing), "school_needs", {"verdict": "fail"}),
        ),
        **values,  # pyright: ignore[reportArgumentType]
    )


def _missing_amounts(gaps: GapList) -> list[Finding]:
    """Say of each indicator how much all schools together lack."""
    totals = gaps.totals[(gaps.totals["stage"] == TOTAL) & (gaps.totals["gap_low"] > 0)]
    return [_missing_amount(row, gaps) for row in totals.to_dict("records")]


def _missing_amount(row: dict[Any, Any], gaps: GapList) -> Finding:
    name = term(gaps.standard.indicator(row["indicator"]).name)
    unit = term(row["unit"])
    rows = {"indicator_id": str(row["indicator"]), "stage": TOTAL}
    return build_finding(
        f"gap_{row['indicator']}",
        "finding_gap_amount" if row["n_open"] == 0 else "finding_gap_amount_open",
        kind="finding",
        importance=4,
        numbers=(
            *(
                number_in_cell(name, row[column], "gap_totals", name, rows, unit=row["unit"])
                for name, column in (("gap_total", "gap_low"), ("required_total", "required_low"))
            ),
            number_in_cell("n_with_gap", row["n_schools"], "gap_totals", "n_with_gap", rows),
        ),
        indicator=Term(zh=f"{row['indicator']}（{name.zh}）", en=f"{row['indicator']} ({name.en})"),
        schools=int(row["n_schools"]),
        amount=amount_text(row["gap_low"], row["unit"]),
        required=amount_text(row["required_low"], row["unit"]),
        unit=unit,
    )


def _open_gaps(gaps: GapList) -> list[Finding]:
    """Count the gaps that missing cells leave open."""
    opened = gaps.gaps[gaps.gaps["status"] != "exact"]
    if opened.empty:
        return []
    infinite = int(sum(math.isinf(high) for high in opened["gap_high"]))
    return [
        build_finding(
            "gaps_open",
            "finding_gaps_open_unbounded" if infinite else "finding_gaps_open",
            kind="not_judged",
            importance=4,
            status="undecided",
            numbers=(
                number_of_rows("n_open", len(opened), "gaps", {"gap_is_open": "True"}),
                number_of_rows("n_unbounded", infinite, "gaps", {"gap_is_unbounded": "True"}),
            ),
            **({"count": len(opened)} | ({"unbounded": infinite} if infinite else {})),  # pyright: ignore[reportArgumentType]
        )
    ]


def _posts(posts: TeacherPosts) -> list[Finding]:
    """Say how many missing teachers those who are there could fill, and that posts are not known."""
    totals = posts.totals
    if not len(totals) or not totals["gap"].sum():
        return []
    return [
        build_finding(
            "gap_posts",
            "finding_gap_posts",
            kind="limit",
            importance=4,
            numbers=(
                *(
                    number_in_sum(name, totals[column].sum(), "gap_posts", name, unit="teachers_unit")
                    for name, column in (
                        ("within_staff", "within_staff"),
                        ("beyond_staff", "beyond_staff"),
                        ("gap_teachers", "gap"),
                    )
                ),
                number_in_sum(
                    "more_teachers",
                    posts.staff["more_teachers"].sum(),
                    "gap_staff",
                    "more_teachers",
                    unit="teachers_unit",
                ),
            ),
            gap=amount_text(float(totals["gap"].sum()), "teachers_unit"),
            within=amount_text(float(totals["within_staff"].sum()), "teachers_unit"),
            beyond=amount_text(float(totals["beyond_staff"].sum()), "teachers_unit"),
            more=amount_text(float(posts.staff["more_teachers"].sum()), "teachers_unit"),
        )
    ]


def _ledger_number(total: dict[Any, Any], name: str) -> FindingNumber:
    return number_in_cell(name, float(total[name]), "ledger_states", name, {"part": TOTAL})
