"""Targets of a local plan against the county, as tables."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from toolkit.exhibits import exhibit_caption
from toolkit.standards import Standard, Target, format_requirement
from toolkit.standards.describe import RANK
from toolkit.tables.exhibit import CellMark, TableColumn, TableExhibit, vocabulary_column
from toolkit.tables.variation import school_year
from toolkit.variation.targets import TargetResults
from toolkit.vocabulary import Language, format_number, has_term, label, sentence

PERCENT = 100
TOTAL = "total"
ROWS_SHOWN = 60
UNITS_NOT_PRINTED = ("ratio_unit", "yes_no")
COUNTS = (
    "n_targets_met",
    "n_targets_not_met",
    "n_targets_undecided",
    "n_targets_absent",
    "n_targets_no_unit",
    "n_targets_reported",
    "n_on_track",
    "n_off_track",
)
# The printed texts as numbers; a share where percent are printed.
NUMBERS = {
    "target_value_now": "value",
    "target_value_low": "low",
    "target_value_high": "high",
    "target_worst_value": "worst",
    "n_target_parts": "n_units",
    "n_target_parts_met": "n_met",
    "n_target_parts_undecided": "n_undecided",
    "target_projected_value": "projected",
}
# What the page prints below or within another cell.
OF_TARGETS = (
    "target_quotation",
    "target_kind",
    "standard_tested_on",
    "target_outlook",
)
# These outlooks say no more than the deadline or the remarks do.
OUTLOOKS_SAID_ELSEWHERE = ("no_value", "no_deadline", "annual", "deadline_passed", "due")
LIMITS = ("target_limit_value", "target_limit_upper_value")

Row = dict[str, Any]
"""One row of a table by column."""


def tabulate_targets(results: TargetResults, language: Language) -> TableExhibit:
    """Return every target of the plan: required, now, met or not, deadline, outlook, words of the plan."""
    columns = (
        vocabulary_column("target_number", language),
        vocabulary_column("target_name", language, below="target_quotation"),
        vocabulary_column("target_covers", language, below="target_kind"),
        vocabulary_column("target_requirement", language),
        vocabulary_column("target_now", language),
        TableColumn("verdict", label("target_verdict", language), "met"),
        vocabulary_column("target_deadline", language, below="target_outlook"),
        vocabulary_column("target_remark", language),
        *(vocabulary_column(name, language, in_files_only=True) for name in OF_TARGETS),
        vocabulary_column("stage", language, kind="code", in_files_only=True),
        vocabulary_column("year", language, kind="text", in_files_only=True),
        *(vocabulary_column(name, language, in_files_only=True) for name in (*LIMITS, *NUMBERS)),
    )
    rows = _rows(results)
    data = _frame([_target_row(row, results, language) for row in rows], columns)
    marks = [CellMark(at, "verdict", "not_applicable") for at, row in enumerate(rows) if not row["verdict"]]
    plan = _plan_title(results.plan, language)
    notes = (
        sentence("note_targets_year", language, year=school_year(results.year)),
        sentence("note_targets_scope", language),
    )
    caption = exhibit_caption("targets", language, plan=plan, notes=notes)
    return TableExhibit(caption, columns, data, marks=tuple(marks), empty_text=_empty(results, language))


def tabulate_target_counts(results: TargetResults, language: Language) -> TableExhibit:
    """Return how many targets of each kind are met, not met, open, without data, on and off track."""
    columns = (
        vocabulary_column("target_kind", language),
        vocabulary_column("n_targets", language),
        *(vocabulary_column(name, language) for name in COUNTS),
        vocabulary_column("target_kind_code", language, kind="text", in_files_only=True),
    )
    table = results.table
    kinds = list(dict.fromkeys(table["kind"]))
    rows = [
        _counted(kind, label(f"target_kind_{kind}", language), table[table["kind"] == kind]) for kind in kinds
    ]
    if rows:
        rows.append(_counted(TOTAL, label(TOTAL, language), table))
    return TableExhibit(
        exhibit_caption("target_counts", language),
        columns,
        _frame(rows, columns),
        total_rows=1 if rows else 0,
        empty_text=_empty(results, language),
    )


def tabulate_targets_absent(results: TargetResults, language: Language) -> TableExhibit:
    """Return the targets that the data cannot answer, and what they need."""
    columns = tuple(
        vocabulary_column(name, language)
        for name in ("target_number", "target_name", "target_requirement", "target_deadline", "target_needs")
    )
    rows = [
        _target_row(row, results, language) | {"target_needs": _needs(row, results, language)}
        for row in _rows(results)
        if row["source"] == "absent"
    ]
    return TableExhibit(
        exhibit_caption("targets_absent", language),
        columns,
        _frame(rows, columns),
        empty_text=_empty(results, language),
    )


def tabulate_target_units(results: TargetResults, language: Language) -> TableExhibit:
    """Return the schools, classes, towns and subjects that miss a target or are open."""
    columns = (
        vocabulary_column("target_number", language),
        vocabulary_column("target_name", language),
        vocabulary_column("target_requirement", language),
        vocabulary_column("target_unit_name", language),
        vocabulary_column("n_target_units", language),
        vocabulary_column("target_value", language),
        TableColumn("verdict", label("target_verdict", language), "met"),
    )
    rows = []
    for unit in results.units.to_dict("records"):
        target = _target(results, unit["target"])
        name = unit["unit_name"] or (unit["entry"] or unit["stage"])
        rows.append(
            {
                "target_number": target.id,
                "target_name": getattr(target.name, language),
                "target_requirement": format_requirement(target, language),
                "target_unit_name": label(name, language) if has_term(str(name)) else name,
                "n_target_units": unit["n_units"],
                "target_value": None
                if np.isnan(unit["value"])
                else _with_unit(unit["value"], target, language),
                "verdict": unit["verdict"],
            }
        )
    caption = exhibit_caption("target_units", language, shown=ROWS_SHOWN)
    return TableExhibit(
        caption, columns, _frame(rows, columns), rows_shown=ROWS_SHOWN, empty_text=_empty(results, language)
    )


def tabulate_plan_demands(results: TargetResults, language: Language) -> TableExhibit:
    """Return the demands of the plan that have no number, and its rules about the work."""
    columns = tuple(vocabulary_column(name, language) for name in ("demand_text", "demand_kind"))
    kinds = {"unmeasured": "demand_unmeasured", "process_rules": "demand_process"}
    rows = [
        {"demand_text": getattr(demand.text, language), "demand_kind": label(kind, language)}
        for name, kind in kinds.items()
        for demand in (getattr(results.plan, name) if results.plan else ())
    ]
    return TableExhibit(
        exhibit_caption("plan_demands", language),
        columns,
        _frame(rows, columns),
        empty_text=_empty(results, language),
    )


def value_now(row: Row, target: Target, language: Language) -> str:
    """Return the value of a target as people read it; "" when there is none."""
    if row["source"] == "absent" or pd.isna(row["n_units"]):
        return ""
    unit = _unit(target, language)
    if row["in_parts"]:
        name = "target_now_units_open" if row["n_undecided"] else "target_now_units"
        return sentence(
            name,
            language,
            met=f"{row['n_met']:.0f}",
            total=f"{row['n_units']:.0f}",
            open=f"{row['n_undecided']:.0f}",
            worst=_with_unit(row["worst"], target, language),
        )
    if not np.isnan(row["value"]):
        return _with_unit(row["value"], target, language)
    if np.isnan(row["low"]) and row["verdict"] in ("pass", "fail"):
        return sentence("target_now_entered", language)
    low, high = (_number(row[name], target) for name in ("low", "high"))
    return sentence("target_now_range", language, low=low, high=high, unit=unit).strip()


def outlook_words(row: Row, target: Target, language: Language) -> str:
    """Return the outlook of a target in words, with the projected value."""
    projected = ""
    if not np.isnan(row["projected"]):
        projected = (
            f"{format_number(PERCENT * row['projected'], 1)}%"
            if row["in_parts"]
            else _with_unit(row["projected"], target, language)
        )
    return sentence(f"target_outlook_{row['outlook']}", language, projected=projected)


def deadline_words(row: Row, target: Target, language: Language) -> str:
    """Return a deadline; one that has passed is said so, with the verdict of its year."""
    told = f"target_deadline_{row['deadline_state']}"
    if row["deadline_state"] == "passed" and row["deadline_verdict"]:
        told = f"{told}_{row['deadline_verdict']}"
    year = "" if np.isnan(row["deadline_year"]) else school_year(int(row["deadline_year"]))
    return sentence(told, language, deadline=target.deadline, year=year)


def _target_row(row: Row, results: TargetResults, language: Language) -> Row:
    target = _target(results, row["target"])
    return {
        "target_number": target.id,
        "target_name": getattr(target.name, language),
        "target_kind": label(f"target_kind_{target.kind}", language),
        "stage": target.stage,
        "standard_tested_on": label(f"tested_on_{target.tested_on}", language),
        "target_requirement": format_requirement(target, language),
        "target_now": value_now(row, target, language) or None,
        "year": school_year(results.year) if value_now(row, target, language) else None,
        "verdict": row["verdict"] or None,
        "target_deadline": deadline_words(row, target, language),
        "target_covers": _covers(target, language),
        "target_outlook": ""
        if row["outlook"] in OUTLOOKS_SAID_ELSEWHERE
        else outlook_words(row, target, language),
        "target_remark": _remarks(row, target, results.plan, language),
        "target_quotation": target.quotation,
        **dict(zip(LIMITS, target.limits, strict=False)),
        # A range without an end has none.
        **{name: row[column] if np.isfinite(row[column]) else None for name, column in NUMBERS.items()},
    }


def _covers(target: Target, language: Language) -> str:
    """Return on what a target is tested, and in which stage."""
    return sentence(
        "target_covers_of",
        language,
        tested=label(f"tested_on_{target.tested_on}", language),
        stage=label(target.stage, language),
    )


def _remarks(row: Row, target: Target, plan: Standard | None, language: Language) -> str:
    """Return why there is no verdict, what the value does not answer, notes and doubts of the plan."""
    told = [sentence("target_source_entered", language)] if row["source"] == "entered" else []
    told += [sentence(f"target_reason_{row['reason']}", language)] if row["reason"] else []
    told += [sentence(f"target_caveat_{caveat}", language) for caveat in row["caveats"]]
    told += [getattr(target.note, language)] if target.note.zh else []
    marks = plan.marks if plan else {}
    told += [sentence("target_doubt", language, doubt=getattr(marks[mark].doubt, language))
             for mark in target.marks]  # fmt: skip
    return label("report_list_separator", language).join(told)


def _needs(row: Row, results: TargetResults, language: Language) -> str:
    target = _target(results, row["target"])
    if target.needs.zh:
        return getattr(target.needs, language)
    told = [
        sentence("target_table_absent", language, table=label(f"table_{name}", language))
        for name in row["absent_tables"]
    ]
    return label("list_separator", language).join(told)


def _counted(code: str, name: str, rows: pd.DataFrame) -> Row:
    """Return the counts of one kind of target."""
    judged = rows[rows["is_judged"].astype(bool)]
    absent = judged["source"] == "absent"
    return {
        "target_kind": name,
        "target_kind_code": code,
        "n_targets": len(rows),
        "n_targets_met": int((judged["verdict"] == "pass").sum()),
        "n_targets_not_met": int((judged["verdict"] == "fail").sum()),
        "n_targets_undecided": int(((judged["verdict"] == "undecided") & ~absent).sum()),
        "n_targets_absent": int(absent.sum()),
        "n_targets_no_unit": int((judged["verdict"] == "").sum()),
        "n_targets_reported": len(rows) - len(judged),
        "n_on_track": int((judged["outlook"] == "on_track").sum()),
        "n_off_track": int((judged["outlook"] == "off_track").sum()),
    }


def _with_unit(value: float, target: Target, language: Language) -> str:
    number = _number(value, target)
    if target.unit == "percent":
        return f"{number}%"
    if target.unit == RANK:
        return sentence("quantity_rank", language, value=number)
    return sentence("target_now_value", language, value=number, unit=_unit(target, language)).strip()


def _unit(target: Target, language: Language) -> str:
    return "" if target.unit in UNITS_NOT_PRINTED else label(target.unit, language)


def _number(value: float, target: Target) -> str:
    """Return a number: percent with one decimal, whole numbers without, others with up to three."""
    if target.unit == "percent":
        return format_number(PERCENT * value, 1)
    if np.isnan(value) or float(value).is_integer() or abs(value) >= 1000:
        return format_number(value, 0)
    return format_number(value, 3 if abs(value) < 1 or target.unit in UNITS_NOT_PRINTED else 2)


def _target(results: TargetResults, target_id: str) -> Target:
    assert results.plan is not None
    return results.plan.target(target_id)


def _plan_title(plan: Standard | None, language: Language) -> str:
    return "–" if plan is None else getattr(plan.title, language)


def _empty(results: TargetResults, language: Language) -> str:
    return sentence("no_plan_chosen", language) if results.plan is None else ""


def _rows(results: TargetResults) -> list[Row]:
    return [{str(name): value for name, value in row.items()} for row in results.table.to_dict("records")]


def _frame(rows: Iterable[Row], columns: tuple[TableColumn, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=[column.name for column in columns])
