"""What the trends of a county and the targets of its local plan say, in sentences built from numbers."""

from typing import Any

import numpy as np
import pandas as pd

from toolkit.reporting.findings import (
    Finding,
    FindingNumber,
    build_finding,
    number_in_cell,
    number_of_rows,
)
from toolkit.standards import Standard, format_requirement
from toolkit.tables.changes import mean_directions, series_id
from toolkit.tables.targets import (
    LIMITS,
    NUMBERS,
    TOTAL,
    deadline_words,
    outlook_words,
    value_now,
)
from toolkit.tables.variation import school_year
from toolkit.variation.changes import YearlyChanges
from toolkit.variation.limit_series import LimitSeries
from toolkit.variation.series_names import scale_of, series_name, unit_of_series
from toolkit.variation.targets import TargetResults
from toolkit.vocabulary import Language, Term, format_number, label, sentence, term

MEAN_WORDS = {"mean_direction": ("risen", "fallen", "level"), "mean_reason": ("diluted", "by_itself")}
LANGUAGES: tuple[Language, Language] = ("zh", "en")
NAMED_TARGETS = 6
COUNT_COLUMNS = {
    "count": "n_targets",
    "met": "n_targets_met",
    "failed": "n_targets_not_met",
    "undecided": "n_targets_undecided",
    "absent": "n_targets_absent",
    "reported": "n_targets_reported",
}
COUNTS_TOLD = ("met", "failed", "undecided", "absent", "reported")
SERIES_TABLES = {
    "mean": "mean_trends",
    "coefficient": "coefficient_trends",
    "item": "item_trends",
    "item_units": "item_trends",
}

Row = dict[str, Any]
"""One row of a table by column."""


def find_targets(results: TargetResults) -> list[Finding]:
    """Return the findings on a local plan: counts first, then those not met, off and on track."""
    if results.plan is None:
        return [build_finding("targets_no_plan", "finding_no_plan", kind="limit", importance=6)]
    return [
        *_target_counts(results),
        *_not_met(results),
        *_by_outlook(results, "off_track", importance=2),
        *_by_outlook(results, "on_track", importance=4),
        *_absent(results),
    ]


def find_changes(changes: YearlyChanges, found: LimitSeries, standard: Standard) -> list[Finding]:
    """Return the findings on changes of the year and on series that leave, or do not reach, their limit."""
    return [*_mean_changes(changes), *_leaving(found, standard), *_breaks(found)]


def _target_counts(results: TargetResults) -> list[Finding]:
    table = results.table
    judged = table[table["is_judged"].astype(bool)]
    absent = int((judged["source"] == "absent").sum())
    counts = {
        "count": len(table),
        "met": int((judged["verdict"] == "pass").sum()),
        "failed": int((judged["verdict"] == "fail").sum()),
        "undecided": int((judged["verdict"] == "undecided").sum()) - absent,
        "absent": absent,
        "reported": len(table) - len(judged),
    }
    assert results.plan is not None
    return [
        build_finding(
            "target_counts",
            "finding_target_counts",
            kind="headline",
            importance=2,
            numbers=tuple(
                number_in_cell(
                    f"targets_{name}",
                    count,
                    "target_counts",
                    COUNT_COLUMNS[name],
                    {"target_kind_code": TOTAL},
                )
                for name, count in counts.items()
            ),
            plan=Term(zh=f"“{results.plan.title.zh}”", en=results.plan.title.en),
            count=len(table),
            counts=_listed("finding_target_count", {name: counts[name] for name in COUNTS_TOLD}),
        )
    ]


def _listed(stem: str, counts: dict[str, int], separator: str = "list_separator") -> Term:
    """Return the counts that are not zero, in words."""

    def told(language: Language) -> str:
        return label(separator, language).join(
            sentence(f"{stem}_{name}", language, count=count) for name, count in counts.items() if count
        )

    return Term(zh=told("zh"), en=told("en"))


def _not_met(results: TargetResults) -> list[Finding]:
    """Name the commitments that are not met, those due or past their deadline first."""
    failing = _rows(results.table[results.table["verdict"] == "fail"])
    failing.sort(key=lambda row: (row["deadline_state"] not in ("due", "passed"), row["kind"] != "target"))
    return [
        build_finding(
            f"target_not_met_{row['target']}",
            "finding_target_not_met",
            kind="finding",
            importance=2 if row["deadline_state"] in ("due", "passed") else 3,
            status="fail",
            numbers=_numbers(row, results),
            **_told(row, results),  # pyright: ignore[reportArgumentType]
        )
        for row in failing[:NAMED_TARGETS]
    ]


def _by_outlook(results: TargetResults, outlook: str, *, importance: int) -> list[Finding]:
    return [
        build_finding(
            f"target_{outlook}_{row['target']}",
            f"finding_target_{outlook}",
            kind="finding",
            importance=importance,
            numbers=_numbers(row, results),
            **_told(row, results),  # pyright: ignore[reportArgumentType]
        )
        for row in _rows(results.table[results.table["outlook"] == outlook])
    ]


def _absent(results: TargetResults) -> list[Finding]:
    judged = results.table[results.table["is_judged"].astype(bool)]
    ids = list(judged.loc[judged["source"] == "absent", "target"])
    if not ids:
        return []
    return [
        build_finding(
            "targets_absent",
            "finding_targets_absent",
            kind="not_judged",
            importance=3,
            status="undecided",
            numbers=(
                number_in_cell(
                    "targets_absent",
                    len(ids),
                    "target_counts",
                    COUNT_COLUMNS["absent"],
                    {"target_kind_code": TOTAL},
                ),
            ),
            count=len(ids),
        )
    ]


def _told(row: Row, results: TargetResults) -> dict[str, object]:
    """Return a target with what is required, what it is now, its deadline and its outlook."""
    assert results.plan is not None
    target = results.plan.target(row["target"])
    zh, en = (
        {
            "required": format_requirement(target, language),
            "now": value_now(row, target, language),
            "deadline": deadline_words(row, target, language),
            "outlook": outlook_words(row, target, language),
        }
        for language in LANGUAGES
    )
    words: dict[str, object] = {name: Term(zh=zh[name], en=en[name]) for name in zh}
    return words | {"target": Term(zh=f"{target.id}“{target.name.zh}”", en=f"{target.id} ({target.name.en})")}


def _numbers(row: Row, results: TargetResults) -> tuple[FindingNumber, ...]:
    """Return what a sentence on a target may print: what is required, is there, and is to be expected."""
    assert results.plan is not None
    target = results.plan.target(row["target"])
    known = {column: row[name] for column, name in NUMBERS.items()}
    known |= dict(zip(LIMITS, target.limits, strict=False))
    return tuple(
        number_in_cell(f"{target.id}_{column}", float(value), "targets", column, {"target_number": target.id})
        for column, value in known.items()
        if np.isfinite(value)
    )


def _mean_changes(changes: YearlyChanges) -> list[Finding]:
    """Count, by stage, the means that rose and fell since the year before, and by enrolment alone."""
    table = changes.means.dropna(subset="change")
    if table.empty:
        return []
    latest = table[table["first_year"] == table["first_year"].max()]
    directions = mean_directions(changes)
    found = []
    for stage, own in latest.groupby("stage", sort=False):
        first = _rows(own.head(1))[0]
        rows = {"stage": str(stage), "change_first_year": str(int(first["first_year"]))}
        told = {
            name: {value: int((directions.loc[own.index, name] == value).sum()) for value in values}
            for name, values in MEAN_WORDS.items()
        }
        found.append(
            build_finding(
                f"mean_changes_{stage}",
                "finding_mean_changes",
                kind="finding",
                importance=4,
                numbers=(
                    number_of_rows("means", len(own), "mean_changes", rows, column="change"),
                    *(
                        number_of_rows(f"means_{value}", count, "mean_changes", rows | {name: value})
                        for name, counts in told.items()
                        for value, count in counts.items()
                    ),
                ),
                stage=term(str(stage)),
                before=school_year(int(first["first_year"])),
                count=len(own),
                counts=_change_words(told["mean_direction"], told["mean_reason"]),
            )
        )
    return found


def _change_words(directions: dict[str, int], reasons: dict[str, int]) -> Term:
    """Return how many means rose, fell or stayed, and how many of them through enrolment alone."""
    told, why = (_listed("finding_mean_changes", counts) for counts in (directions, reasons))
    if not why.zh:
        return told
    return Term(
        zh=label("report_list_separator", "zh").join([told.zh, why.zh]),
        en=label("report_list_separator", "en").join([told.en, why.en]),
    )


def _leaving(found: LimitSeries, standard: Standard) -> list[Finding]:
    """Name the coefficients and items that meet their limit but not for ten years on their slope."""
    table = found.trends[
        (found.trends["outlook"] == "met_leaving")
        & found.trends["subject"].isin(["coefficient", "item"])
        & (found.trends["standard"] == standard.id)
    ]
    return [
        build_finding(
            f"leaving_{row['subject']}_{row['code']}_{row['stage']}_{row['entry']}".rstrip("_"),
            "finding_series_leaving",
            kind="finding",
            importance=4,
            numbers=tuple(
                number_in_cell(
                    name,
                    float(row[name]) * scale_of(standard, row["subject"], row["code"]),
                    SERIES_TABLES[row["subject"]],
                    name,
                    {"series_id": series_id(row), "stage": str(row["stage"])},  # pyright: ignore[reportArgumentType]
                )
                for name in ("last_value", "limit", "slope")
            ),
            measure=term(f"series_{row['subject']}"),
            stage=term(row["stage"]),
            name=_series(standard, row),
            value=_printed(standard, row, "last_value"),
            limit=_printed(standard, row, "limit"),
            slope=_printed(standard, row, "slope"),
        )
        for row in _rows(table)
    ]


def _breaks(found: LimitSeries) -> list[Finding]:
    breaks = [entry for entry in found.breaks if entry.year <= found.year]
    if not breaks:
        return []
    return [
        build_finding(
            "breaks",
            "finding_breaks",
            kind="limit",
            importance=5,
            numbers=(number_of_rows("breaks", len(breaks), "breaks"),),
            count=len(breaks),
        )
    ]


def _series(standard: Standard, row: Row) -> Term:
    zh, en = (series_name(standard, row["code"], row["entry"], language) for language in LANGUAGES)
    return Term(zh=zh, en=en)


def _printed(standard: Standard, row: Row, name: str) -> Term:
    """Return a number of a series with its unit."""
    number = format_number(scale_of(standard, row["subject"], row["code"]) * row[name], 3)
    zh, en = (unit_of_series(standard, row["subject"], row["code"], language) for language in LANGUAGES)
    return Term(zh=f"{number}{zh}", en=f"{number} {en}".strip())


def _rows(table: pd.DataFrame) -> list[Row]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
