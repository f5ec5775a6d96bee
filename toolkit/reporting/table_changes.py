"""Tables of two runs, row by row: verdicts on items and targets, limits, and every number that differs."""

from collections.abc import Iterator, Sequence
from typing import Any

from toolkit.reporting.both_languages import column_told, title_told, word_told
from toolkit.reporting.compared_runs import VARIATION, RunResults, TableKey, plain
from toolkit.reporting.run_change import (
    Change,
    Told,
    changed,
    differ,
    joined,
    labelled,
    numbers,
    same,
    told,
    verdict,
)
from toolkit.reporting.verdict_causes import RuleSwitch, rule_causes, switched_rules
from toolkit.tables.exhibit import VERDICT_KINDS, TableExhibit
from toolkit.vocabulary import has_term

RowKey = tuple[str, ...]
Rows = dict[RowKey, dict[str, Any]]

KEY_KINDS = ("text", "code")
IDS = ("school_id", "item_number", "target_number")
NAMES = ("school_name", "name", "target_name")
LIMITS = ("limit", "minimum", "floor", "standard_requirement", "target_requirement")
# Told by school, indicator and stage, or what is said of them in other words.
TOLD_ELSEWHERE = ("school_values", "school_verdicts", "stage_verdicts", "coefficients", "unmet", "readings")
REPEATED = ("school_verdicts", "unmet", "item_overview")
VALUES = "school_values"
LONGEST_TEXT = 40
ITEM = "item_number"


def limit_changes(before: RunResults, after: RunResults) -> Iterator[Change]:
    """Give the limits that differ, each once: minimum and floor by indicator, limit of each coefficient."""
    seen = set()
    for key, names in ((VALUES, ("minimum", "floor")), ("coefficients", ("limit",))):
        for _, old, new in _common_rows(before, after, (VARIATION, key)):
            stage = str(new.get("stage", ""))
            subject = _indicator(new) if key == VALUES else labelled("compare_coefficient")
            for name in names:
                place = (key, stage, subject, name)
                if place not in seen and differ(_float(old[name]), _float(new[name])):
                    seen.add(place)
                    shown = numbers(_float(old[name]), _float(new[name]), 2)
                    yield changed("standard", stage, subject, labelled(name), shown)


def item_verdict_changes(before: RunResults, after: RunResults) -> Iterator[Change]:
    """Give verdicts in all tables that no other module speaks of, with what changed in the same row."""
    switched = switched_rules(before, after)
    same_rules = _rules(before) == _rules(after)
    for key, table in after.tables.items():
        verdicts = [column for column in table.columns if column.kind in VERDICT_KINDS]
        if key[1] in TOLD_ELSEWHERE or not verdicts:
            continue
        for row, old, new in _common_rows(before, after, key):
            for column in verdicts:
                found = [plain(side.get(column.name)) for side in (old, new)]
                if found[0] != found[1]:
                    causes = (
                        *_row_causes(table, old, new, same_rules=same_rules),
                        *_switched(switched, plain(new.get(ITEM))),
                    )
                    causes = causes or rule_causes(before, after)
                    shown = [verdict(name) for name in found]
                    stage = str(new.get("stage", ""))
                    subject = _named(row, table, new)
                    heading = column_told(column, table.caption.language)
                    yield changed("verdict", stage, subject, heading, shown, causes)


def number_changes(before: RunResults, after: RunResults) -> Iterator[Change]:
    """Give every number that differs, and tables with other rows."""
    repeated = (
        REPEATED if (VARIATION, VALUES) in after.tables and (VARIATION, VALUES) in before.tables else ()
    )
    for key, table in after.tables.items():
        if key not in before.tables or key[1] in repeated:
            continue
        counts = [len(run.tables[key].data) for run in (before, after)]
        if counts[0] != counts[1]:
            yield changed(
                "number",
                "",
                title_told(table.caption),
                labelled("compare_rows"),
                numbers(counts[0], counts[1], 0),
            )
        for row, old, new in _common_rows(before, after, key):
            for column in table.columns:
                if column.is_numeric and column.name in old:
                    values = _float(old[column.name]), _float(new[column.name])
                    if differ(*values):
                        subject = told(
                            "compare_cell", table=title_told(table.caption), row=_named(row, table, new)
                        )
                        shown = numbers(*values, column.decimals, share=column.kind == "share")
                        heading = column_told(column, table.caption.language)
                        yield changed("number", str(new.get("stage", "")), subject, heading, shown)


def _rules(run: RunResults) -> tuple[str, str]:
    """Return what the limits of a run come from."""
    return run.record.standard_sha256, run.record.plan_sha256


def _row_causes(
    table: TableExhibit, old: dict[str, Any], new: dict[str, Any], *, same_rules: bool
) -> Iterator[Told]:
    """Give what changed in a row beside its verdicts: numbers, limits, short texts.

    A limit of the same rules that only reads otherwise, in a report of another version, is none of it.
    """
    for column in table.columns:
        # What stands in the files only says in numbers what a printed text says.
        if column.name not in old or column.kind in VERDICT_KINDS or column.in_files_only:
            continue
        if column.is_numeric:
            values = _float(old[column.name]), _float(new[column.name])
            if differ(*values):
                shown = numbers(*values, column.decimals, share=column.kind == "share")
                kind = "limit" if column.name in LIMITS else "number"
                yield told(
                    f"compare_cause_cell_{kind}",
                    name=column_told(column, table.caption.language),
                    before=shown[0],
                    after=shown[1],
                )
        elif not (same_rules and column.name in LIMITS):
            texts = [plain(side[column.name]) for side in (old, new)]
            if texts[0] != texts[1] and max(map(len, texts)) <= LONGEST_TEXT:
                told_texts = [labelled(text) if text else same("") for text in texts]
                values = {"before": told_texts[0], "after": told_texts[1]}
                kind = "limit" if column.name in LIMITS else "number"
                yield told(
                    f"compare_cause_cell_{kind}", name=column_told(column, table.caption.language), **values
                )


def _common_rows(
    before: RunResults, after: RunResults, key: TableKey
) -> Iterator[tuple[RowKey, dict[str, Any], dict[str, Any]]]:
    """Give the rows that a table has in both runs, matched by the fewest columns that tell them apart."""
    tables = [run.tables.get(key) for run in (before, after)]
    if tables[0] is None or tables[1] is None:
        return
    columns = _key_columns(tables[0], tables[1])
    old, new = (_by_key(table, columns) for table in tables if table is not None)
    for row, values in new.items():
        if row in old:
            yield row, old[row], values


def _key_columns(one: TableExhibit, other: TableExhibit) -> list[str]:
    """Return the columns that name the rows of both tables: ids first, then words in their order."""
    shared = {column.name for column in one.printed_columns}
    words = [
        column.name for column in other.printed_columns if column.kind in KEY_KINDS and column.name in shared
    ]
    candidates = [*(name for name in IDS if name in words), *(name for name in words if name not in IDS)]
    if "stage" in candidates and candidates.index("stage") > 1:
        candidates.insert(1, candidates.pop(candidates.index("stage")))
    for count in range(1, len(candidates) + 1):
        if all(_are_unique(table, candidates[:count]) for table in (one, other)):
            return candidates[:count]
    return []


def _are_unique(table: TableExhibit, columns: Sequence[str]) -> bool:
    return not table.data[list(columns)].astype(object).fillna("").duplicated().any()


def _by_key(table: TableExhibit, columns: Sequence[str]) -> Rows:
    """Return rows by what names them; none where nothing does, except in a table of one row."""
    rows = [{str(name): value for name, value in row.items()} for row in table.data.to_dict("records")]
    if not columns and len(rows) != 1:
        return {}
    return {tuple(plain(row[name]) for name in columns): row for row in rows}


def _switched(switched: Sequence[RuleSwitch], item: str) -> Iterator[Told]:
    """Give the switched rules that speak of an item, or of an item whose part it is."""
    for rule in switched:
        if item and any(name.startswith(item) or item.startswith(name) for name in rule.items):
            yield told("compare_cause_switched", rule=rule.name, before=rule.before, after=rule.after)


def _named(row: RowKey, table: TableExhibit, values: dict[str, Any]) -> Told:
    """Return what names a row, in words: a school by its name rather than its code."""
    names = [plain(values.get(name)) for name in NAMES]
    code = plain(values.get("school_id")) if "school_name" in values else ""
    words = [word for word in dict.fromkeys([*names[:1], *row, *names[1:]]) if word != code]
    language = table.caption.language
    parts = (labelled(part) if has_term(part) else word_told(part, language) for part in words if part)
    return joined(parts) or title_told(table.caption)


def _indicator(row: dict[str, Any]) -> Told:
    named = labelled(str(row["indicator_name"]))
    return told("compare_indicator", number=row["indicator"], name=named)


def _float(value: object) -> float:
    """Return a number, missing where there is none."""
    return float(value) if isinstance(value, int | float) else float("nan")
