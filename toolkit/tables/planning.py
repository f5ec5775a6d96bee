"""Gaps to the standard, what closing them takes, and the ledger of problems, as tables."""

import math
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from toolkit.exhibits import exhibit_caption
from toolkit.planning.gaps import GapList
from toolkit.planning.ledger import Ledger
from toolkit.planning.posts import TeacherPosts
from toolkit.standards import indicator_name
from toolkit.tables.exhibit import PERCENT, CellMark, TableColumn, TableExhibit, vocabulary_column
from toolkit.tables.variation import school_year
from toolkit.vocabulary import Language, format_number, label, sentence

WHOLE_UNITS = 0
AREA_DECIMALS = 1
STATES = ("not_started", "in_progress", "done", "closed_out")
SIGNS = ("repeated", "relapsed", "close_out", "still_unmet", "overdue", "gone")
# The page of a large county stays readable, and small; the files hold all rows.
PROBLEMS_SHOWN = 60


def tabulate_gaps(gaps: GapList, language: Language) -> TableExhibit:
    """Return present stock, needed stock and gap of every school, stage and indicator below its minimum."""
    table = gaps.gaps
    data = table.assign(
        name=[_short_name(gaps, indicator, language) for indicator in table["indicator"]],
        gap_unit=[label(unit, language) for unit in table["unit"]],
        gap_is_open=table["status"] != "exact",
        gap_is_unbounded=np.isinf(table["gap_high"].astype(float)),
        gap=[_range_text(row, "gap", language) for row in table.to_dict("records")],
        floor_gap=[_range_text(row, "floor_gap", language) for row in table.to_dict("records")],
        joint_gap=[
            _range_text(row, "joint_gap", language) if row["whole_school"] else ""
            for row in table.to_dict("records")
        ],
        missing_cells=[
            label("list_separator", language).join(label(column, language) for column in row)
            for row in table["missing"]
        ],
    )
    columns = (
        TableColumn("school_name", label("school_name", language)),
        vocabulary_column("stage", language, kind="code"),
        TableColumn("name", label("indicator", language), below="gap_unit"),
        vocabulary_column("value", language, kind="number", decimals=2),
        vocabulary_column("minimum", language, kind="number", decimals=2),
        *(vocabulary_column(name, language, trims_whole=True) for name in ("gap_present", "gap_needed")),
        vocabulary_column("gap", language, below="missing_cells"),
        vocabulary_column("floor_gap", language),
        vocabulary_column("joint_gap", language),
        TableColumn("gap_unit", label("unit", language), in_files_only=True),
        vocabulary_column("missing_cells", language, in_files_only=True),
        *(
            vocabulary_column(name, language, kind="flag", in_files_only=True)
            for name in ("gap_is_open", "gap_is_unbounded")
        ),
    )
    data = data.rename(columns={"present": "gap_present", "needed": "gap_needed"})
    return TableExhibit(
        exhibit_caption("gaps", language, count=table["school_id"].nunique()),
        columns,
        data,
        empty_text=sentence("gaps_none", language),
    )


def tabulate_school_needs(gaps: GapList, language: Language) -> TableExhibit:
    """Return what the pass rule asks of each school: what must be closed, how much may stay."""
    table = gaps.schools.reset_index(drop=True)
    separator = label("list_separator", language)
    data = table.assign(
        **{name: [separator.join(row) for row in table[name]] for name in ("unmet", "below_floor", "open")},
        verdict=table["verdict"].replace("", pd.NA),
    )
    data = data.rename(
        columns={"unmet": "unmet_indicators", "below_floor": "to_floor", "open": "open_indicators"}
    )
    columns = (
        TableColumn("school_name", label("school_name", language)),
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("verdict", language, kind="met"),
        *(
            vocabulary_column(name, language)
            for name in ("unmet_indicators", "to_floor", "n_to_close", "n_may_stay", "open_indicators")
        ),
    )
    rule = gaps.standard.pass_rule
    notes = (
        (
            sentence(
                "school_rule",
                language,
                met=rule.minimum_met,
                indicators=len(gaps.standard.indicators),
                floor=f"{100 * rule.floor_ratio:g}",
            ),
        )
        if rule
        else ()
    )
    return TableExhibit(
        exhibit_caption("school_needs", language, notes=notes),
        columns,
        data,
        empty_text=sentence("gaps_none", language),
    )


def tabulate_gap_totals(gaps: GapList, language: Language) -> TableExhibit:
    """Return the county's totals by indicator and stage in teachers, square metres, rooms and yuan."""
    table = gaps.totals
    records = table.to_dict("records")
    data = table.assign(
        name=[_short_name(gaps, indicator, language) for indicator in table["indicator"]],
        gap_unit=[label(unit, language) for unit in table["unit"]],
        indicator_id=table["indicator"],
        gap_total=table["gap_low"],
        gap_total_range=[_open_range(row, "gap", language) for row in records],
        required_total=table["required_low"],
        required_range=[_open_range(row, "required", language) for row in records],
        least_total=table["least"],
        n_with_gap=table["n_schools"],
        n_gap_open=table["n_open"],
    )
    columns = (
        TableColumn("name", label("indicator", language)),
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("n_with_gap", language),
        TableColumn("gap_unit", label("unit", language)),
        vocabulary_column("gap_total", language, trims_whole=True),
        vocabulary_column("gap_total_range", language),
        vocabulary_column("required_total", language, trims_whole=True),
        vocabulary_column("required_range", language),
        vocabulary_column("least_total", language, trims_whole=True),
        vocabulary_column("n_gap_open", language),
        vocabulary_column("indicator_id", language, kind="text", in_files_only=True),
    )
    return TableExhibit(
        exhibit_caption("gap_totals", language), columns, data, empty_text=sentence("gaps_none", language)
    )


def tabulate_posts(posts: TeacherPosts, gaps: GapList, language: Language) -> TableExhibit:
    """Return the missing teachers of the county by whether teachers who are there could fill them."""
    table = posts.totals
    data = table.assign(
        name=[_short_name(gaps, indicator, language) for indicator in table["indicator"]],
        gap_teachers=table["gap"],
        n_with_gap=table["n_schools"],
        n_gap_open=table["n_unknown"],
    )
    columns = (
        TableColumn("name", label("indicator", language)),
        vocabulary_column("stage", language, kind="code"),
        *(
            vocabulary_column(name, language)
            for name in ("n_with_gap", "gap_teachers", "within_staff", "beyond_staff", "n_gap_open")
        ),
    )
    return TableExhibit(
        exhibit_caption("gap_posts", language), columns, data, empty_text=sentence("gap_posts_none", language)
    )


def tabulate_staff(posts: TeacherPosts, language: Language) -> TableExhibit:
    """Return staff, teachers and established posts of each stage beside the teachers to be added."""
    columns = (
        vocabulary_column("stage", language, kind="code"),
        *(
            vocabulary_column(name, language)
            for name in ("staff_total", "teachers_total", "established", "not_established", "more_teachers")
        ),
    )
    data = posts.staff.rename(columns={"staff": "staff_total", "teachers": "teachers_total"})
    return TableExhibit(exhibit_caption("gap_staff", language), columns, data)


def tabulate_ledger(ledger: Ledger, language: Language) -> TableExhibit:
    """Return the ledger: problem, measure, person, deadline, state, and what the data say of it."""
    table = ledger.tidy()
    # Shares are printed as percentages, and their title says so.
    scale = np.where(table["unit"] == "percent", PERCENT, 1.0)
    data = pd.DataFrame(
        {
            "school_name": table["school_name"],
            "stage": table["stage"].replace("", pd.NA),
            "ledger_title": [_ledger_title(row, language) for row in table.to_dict("records")],
            "ledger_value": scale * pd.to_numeric(table["value"], errors="coerce").astype("float64"),
            "ledger_limit": scale * pd.to_numeric(table["limit"], errors="coerce").astype("float64"),
            "ledger_measure": table["measure"],
            "ledger_person": table["person"],
            "ledger_deadline": table["deadline"],
            "ledger_state": [f"ledger_state_{state}" for state in table["state"]],
            "ledger_data_check": [f"ledger_check_{check}" for check in table["data_check"]],
            "ledger_proposal": [
                label(f"ledger_proposal_{proposal}", language) if proposal else ""
                for proposal in table["proposal"]
            ],
            "ledger_repeated": table["repeated"].astype(bool),
            "ledger_first_year": [school_year(int(year)) for year in table["first_year"]],
            "ledger_id": table["id"],
        }
    )
    kinds = {
        "stage": "code",
        "ledger_state": "code",
        "ledger_data_check": "code",
        "ledger_repeated": "flag",
        "ledger_first_year": "text",
    }
    of_any_unit = ("ledger_value", "ledger_limit")
    # The year in which a problem was first listed says whether it was listed before.
    in_files = ("ledger_repeated", "ledger_id")
    columns = (
        TableColumn("school_name", label("school_name", language)),
        *(
            vocabulary_column(
                str(name),
                language,
                kind=kinds.get(str(name)),  # pyright: ignore[reportArgumentType]
                trims_whole=name in of_any_unit,
                in_files_only=name in in_files,
            )
            for name in data.columns[1:]
        ),
    )
    marks = tuple(
        CellMark(row, "stage", "not_applicable") for row, stage in enumerate(table["stage"]) if not stage
    )
    return TableExhibit(
        exhibit_caption("ledger", language, n=sentence("n_problems", language, count=len(table))),
        columns,
        data,
        marks=marks,
        rows_shown=PROBLEMS_SHOWN,
        empty_text=sentence("ledger_empty", language),
    )


def _ledger_title(row: Mapping[Hashable, Any], language: Language) -> str:
    """Return what a row is about; that a share is in percent."""
    if row["unit"] != "percent":
        return str(row["title"])
    return sentence("ledger_title_percent", language, title=row["title"])


def tabulate_ledger_states(ledger: Ledger, language: Language) -> TableExhibit:
    """Return how many problems are in each state, by stage, and what the data say of them."""
    counts = count_ledger(ledger)
    columns = (
        TableColumn("part", label("ledger_part", language), "code"),
        *(vocabulary_column(name, language) for name in counts.columns[1:]),
    )
    return TableExhibit(
        exhibit_caption("ledger_states", language),
        columns,
        counts,
        total_rows=1 if len(counts) else 0,
        empty_text=sentence("ledger_empty", language),
    )


def count_ledger(ledger: Ledger) -> pd.DataFrame:
    """Count the problems by stage ("ledger_no_stage" for items without one), with a row "total"."""
    table = ledger.tidy()
    counted = pd.DataFrame(
        {
            "part": [
                stage if stage in ("primary", "junior") else "ledger_no_stage" for stage in table["stage"]
            ],
            "ledger_n": 1,
        }
    )
    for state in STATES:
        counted[f"ledger_n_{state}"] = (table["state"] == state).to_numpy(dtype=int)
    signs = {
        "repeated": table["repeated"].astype(bool),
        "relapsed": table["relapsed"].astype(bool),
        "gone": table["school_change"] == "gone",
    }
    for sign in SIGNS:
        said = signs.get(sign, table["proposal"] == sign)
        counted[f"ledger_n_{sign}"] = said.to_numpy(dtype=int)
    if counted.empty:
        return counted
    by_part = counted.groupby("part", sort=False).sum()
    order = [part for part in ("primary", "junior", "ledger_no_stage") if part in by_part.index]
    by_part = by_part.loc[order]
    by_part.loc["total"] = by_part.sum()
    return by_part.reset_index().rename(columns={"index": "part"})


def amount_text(value: float, unit: str) -> str:
    """Return an amount as it is printed in its unit: areas with one decimal, others whole."""
    return format_number(value, AREA_DECIMALS if unit == "square_metres" else WHOLE_UNITS)


def gap_text(low: float, high: float, unit: str, language: Language) -> str:
    """Return a gap: a number, a range, a lower bound, or that it cannot be computed."""
    if math.isnan(low):
        return ""
    if low == high:
        return amount_text(low, unit)
    if math.isfinite(high):
        return sentence("range", language, low=amount_text(low, unit), high=amount_text(high, unit))
    if low > 0:
        return sentence("gap_at_least", language, low=amount_text(low, unit))
    return label("gap_not_computable", language)


def _range_text(row: dict, name: str, language: Language) -> str:
    return gap_text(row[f"{name}_low"], row[f"{name}_high"], row["unit"], language)


def _open_range(row: dict, name: str, language: Language) -> str:
    """Return the range of a total, empty where it is exact."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if low == high:
        return ""
    if math.isinf(high):
        return sentence("gap_at_least", language, low=amount_text(low, row["unit"]))
    return gap_text(low, high, row["unit"], language)


def _short_name(gaps: GapList, indicator: str, language: Language) -> str:
    return indicator_name(gaps.standard, indicator, language)
