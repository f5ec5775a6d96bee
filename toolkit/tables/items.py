"""The items of a standard: overview, and one table for each part."""

import math
from dataclasses import replace
from typing import Any

import pandas as pd

from toolkit.data.county import County
from toolkit.exhibits import exhibit_caption
from toolkit.standards import Indicator, Item, Standard
from toolkit.tables.exhibit import CellMark, ColumnKind, TableColumn, TableExhibit, vocabulary_column
from toolkit.tables.item_texts import (
    formula_text,
    item_title,
    requirement_text,
    result_text,
    value_text,
)
from toolkit.variation.county_verdict import NUMBERED_PARTS, RESOURCES, CountyVerdict
from toolkit.variation.item_readings import ItemReadings
from toolkit.variation.items import ItemCompliance, Row, records
from toolkit.vocabulary import Language, format_number, label, sentence, term

COEFFICIENT_DECIMALS = 3
LIMIT_DECIMALS = 2
UNITS_TESTED = ("school", "class")


def tabulate_item_parts(verdict: CountyVerdict, language: Language) -> TableExhibit:
    """Return the verdict on each part of the standard and on the county."""
    totals = verdict.numbers[verdict.numbers["part"].isin(NUMBERED_PARTS)]["verdict"]
    overall = {
        "part": "county_overall",
        "n_items": len(totals),
        **{f"n_{name}": int((totals == name).sum()) for name in ("pass", "fail", "undecided")},
        "verdict": verdict.verdict,
    }
    table = pd.concat([verdict.parts, pd.DataFrame([overall])], ignore_index=True)
    data = table.assign(
        part=[
            label(part if part == "county_overall" else f"part_{part}", language) for part in table["part"]
        ],
        part_code=table["part"],
        n_items_pass=table["n_pass"],
        n_items_fail=table["n_fail"],
        n_items_undecided=table["n_undecided"],
    )
    columns = (
        TableColumn("part", label("standard_part", language)),
        *(
            vocabulary_column(name, language)
            for name in ("n_items", "n_items_pass", "n_items_fail", "n_items_undecided")
        ),
        vocabulary_column("verdict", language, kind="verdict"),
        vocabulary_column("part_code", language, kind="text", in_files_only=True),
    )
    caption = exhibit_caption(
        "item_parts", language, count=len(totals), notes=_absent_parts(verdict.parts["part"], language)
    )
    return TableExhibit(caption, columns, data, total_rows=1)


def tabulate_item_overview(
    verdict: CountyVerdict, readings: ItemReadings, language: Language
) -> TableExhibit:
    """Return one row per numbered item, then prerequisite and vetoes: result, limit, verdict, doubts.

    A verdict that another reading of a doubtful rule would turn is marked.
    """
    numbers = verdict.numbers.reset_index(drop=True)
    rows = [_overview_row(verdict, row, language) for row in records(numbers)]
    data = pd.DataFrame(rows)
    absent = [column.name for column in _coefficient_columns(verdict, language)]
    data = data.reindex(columns=list(dict.fromkeys([*data.columns, *absent])))
    columns = (
        TableColumn("item_number", label("item_number", language)),
        TableColumn("name", label("name", language)),
        TableColumn("standard_part", label("standard_part", language)),
        TableColumn("item_result", label("item_result", language)),
        TableColumn("standard_requirement", label("standard_requirement", language)),
        vocabulary_column("verdict", language, kind="met"),
        vocabulary_column("near_limit", language, kind="flag"),
        vocabulary_column("evidence", language, kind="text", in_files_only=True),
        TableColumn("standard_marks", label("standard_marks", language)),
        *_coefficient_columns(verdict, language),
    )
    turned = set(readings.flips.loc[readings.flips["subject"] == "item", "item"])
    marks = tuple(
        CellMark(position, "verdict", "unsure")
        for position, number in enumerate(numbers["number"])
        if turned & set(_items_of(verdict.items, number))
    )
    counted = int(numbers["part"].isin(NUMBERED_PARTS).sum())
    marks += tuple(
        CellMark(int(position), "verdict", "not_applicable")
        for position in numbers.index[numbers["verdict"] == ""]
    )
    marks += tuple(
        CellMark(position, column.name, "not_applicable")
        for position, part in enumerate(numbers["part"])
        for column in _coefficient_columns(verdict, language)
        if part != RESOURCES
    )
    caption = exhibit_caption("item_overview", language, count=counted)
    return TableExhibit(caption, columns, data, marks=marks)


def tabulate_government_items(compliance: ItemCompliance, language: Language) -> TableExhibit:
    """Return every government item with numerator, denominator, formula, verdict and evidence."""
    return _part_table(compliance, "government", language)


def tabulate_quality_items(compliance: ItemCompliance, language: Language) -> TableExhibit:
    """Return every quality item; both retention formulas are named in words."""
    return _part_table(compliance, "quality", language)


def tabulate_monitoring(compliance: ItemCompliance, language: Language) -> TableExhibit:
    """Return the entered results of the national monitoring by subject, each with its verdict."""
    table = compliance.entries[compliance.entries["decides"].astype(bool)].reset_index(drop=True)
    items = [compliance.standard.item(item) for item in table["item"]]
    data = table.assign(
        item_number=[item_title(compliance.standard, item.id, language) for item in items],
        tested_subject=table["entry"],
        item_result=[
            value_text(item, entry, language) for item, entry in zip(items, records(table), strict=True)
        ],
        standard_requirement=[requirement_text(item, language) for item in items],
    )
    columns = (
        TableColumn("item_number", label("item_number", language)),
        vocabulary_column("tested_subject", language, kind="code"),
        TableColumn("item_result", label("item_result", language)),
        TableColumn("standard_requirement", label("standard_requirement", language)),
        vocabulary_column("verdict", language, kind="met"),
    )
    return TableExhibit(exhibit_caption("monitoring_items", language), columns, data)


def tabulate_social_items(compliance: ItemCompliance, county: County, language: Language) -> TableExhibit:
    """Return questionnaires sent, returned and satisfied by respondents; the verdict is on all of them."""
    items = [item for item in compliance.standard.items if item.part == "social" and item.entries]
    asked = list(dict.fromkeys(entry for item in items for entry in item.entries))
    table = _surveys(county, compliance.year, asked)
    total = table[QUESTIONNAIRES].sum(min_count=len(table) or 1)
    table = pd.concat([table, total.to_frame().T.assign(respondents="all_respondents")], ignore_index=True)
    data = table.assign(
        response_rate=table["questionnaires_returned"] / table["questionnaires_sent"],
        satisfied_share=table["questionnaires_satisfied"] / table["questionnaires_returned"],
        verdict=pd.Series([None] * len(table), dtype=object),
    )
    if not items:
        data = data.iloc[:0]
    ids = [item.id for item in items]
    verdicts = compliance.items[compliance.items["item"].isin(ids)]["verdict"].tolist()
    if len(verdicts) == 1:
        data.loc[len(data) - 1, "verdict"] = verdicts[0]
    columns = (
        vocabulary_column("respondents", language, kind="code"),
        *(vocabulary_column(name, language) for name in QUESTIONNAIRES),
        vocabulary_column("response_rate", language, kind="share"),
        vocabulary_column("satisfied_share", language, kind="share", decimals=2),
        vocabulary_column("verdict", language, kind="met"),
    )
    requirement = label("report_list_separator", language).join(
        requirement_text(item, language) for item in items
    )
    marks = tuple(CellMark(row, "verdict", "not_applicable") for row in range(len(data) - 1))
    caption = exhibit_caption("social_items", language, requirement=requirement)
    table = TableExhibit(caption, columns, data, marks=marks, total_rows=min(len(data), 1))
    return table if items else _without_part(table)


QUESTIONNAIRES = ["questionnaires_sent", "questionnaires_returned", "questionnaires_satisfied"]


def _absent_parts(parts: pd.Series, language: Language) -> tuple[str, ...]:
    """Return the note on the numbered parts that a standard does not have."""
    absent = [label(f"part_{part}", language) for part in NUMBERED_PARTS if part not in set(parts)]
    if not absent:
        return ()
    names = label("list_separator", language).join(absent)
    return (sentence("standard_without_parts", language, parts=names),)


def _without_part(table: TableExhibit) -> TableExhibit:
    """Return an empty table with the line that the standard has no such part."""
    line = sentence("standard_without_part", table.caption.language)
    return replace(table, caption=replace(table.caption, notes=()), empty_text=line)


def _surveys(county: County, year: int, asked: list[str]) -> pd.DataFrame:
    """Return one row per group that is to be asked, missing where it was not."""
    groups = pd.DataFrame({"respondents": asked})
    if "surveys" not in county.tables:
        return groups.assign(**dict.fromkeys(QUESTIONNAIRES, math.nan))
    surveys = county.tables["surveys"]
    own = surveys[(surveys["year"] == year).fillna(False)].drop_duplicates("respondents", keep="last")
    return groups.merge(own[["respondents", *QUESTIONNAIRES]], on="respondents", how="left")


def _overview_row(verdict: CountyVerdict, row: Row, language: Language) -> Row:
    if row["part"] == RESOURCES:
        indicator = verdict.resources.standard.indicator(row["number"])
        told = {
            "name": label(indicator.name, language),
            "item_result": _indicator_result(verdict, indicator, language),
            "standard_requirement": _indicator_limit(verdict.resources.standard, indicator, language),
            "evidence": "",
            **_coefficients(verdict, indicator),
        }
    else:
        own = records(verdict.items.items[verdict.items.items["number"] == row["number"]])
        items = [verdict.items.standard.item(entry["item"]) for entry in own]
        separator = label("report_list_separator", language)
        told = {
            "name": separator.join(label(item.name, language) for item in items),
            "item_result": separator.join(
                result_text(item, entry, language) for item, entry in zip(items, own, strict=True)
            ),
            "standard_requirement": separator.join(requirement_text(item, language) for item in items),
            "evidence": label("list_separator", language).join(
                str(entry["evidence"]) for entry in own if entry["evidence"]
            ),
        }
    return {
        "item_number": row["number"],
        "standard_part": label(f"part_{row['part']}", language),
        **told,
        "verdict": row["verdict"] or None,
        "near_limit": row["near_limit"],
        "standard_marks": _rests_on(verdict.items.standard, row["marks"], language),
    }


def _coefficient_columns(verdict: CountyVerdict, language: Language) -> tuple[TableColumn, ...]:
    """Return the columns with what `_indicator_result` and `_indicator_limit` print as one text."""
    stages = list(dict.fromkeys(verdict.resources.coefficients["stage"]))
    names = [
        *(f"{name}_{stage}" for stage in stages for name in ("coefficient", "coefficient_limit")),
        "n_coefficients_undecided",
    ]
    return tuple(vocabulary_column(name, language, in_files_only=True) for name in names)


def _coefficients(verdict: CountyVerdict, indicator: Indicator) -> Row:
    """Return coefficient and limit of an indicator by stage, and how many of them are not judged."""
    table = verdict.resources.coefficients
    own = records(table[table["indicator"] == indicator.id])
    return {
        **{f"coefficient_{entry['stage']}": entry["coefficient"] for entry in own},
        **{f"coefficient_limit_{entry['stage']}": entry["limit"] for entry in own},
        "n_coefficients_undecided": sum(entry["verdict"] == "undecided" for entry in own),
    }


def _rests_on(standard: Standard, marks: tuple[str, ...], language: Language) -> str:
    statuses = dict.fromkeys(standard.marks[code].status for code in marks)
    return label("list_separator", language).join(label(f"mark_{status}", language) for status in statuses)


def _items_of(compliance: ItemCompliance, number: str) -> tuple[str, ...]:
    own = compliance.numbers.loc[compliance.numbers["number"] == number, "items"]
    return own.iloc[0] if len(own) else ()


def _indicator_result(verdict: CountyVerdict, indicator: Indicator, language: Language) -> str:
    table = verdict.resources.coefficients
    own = records(table[table["indicator"] == indicator.id])
    coefficients = label("list_separator", language).join(
        sentence(
            "item_result_indicator",
            language,
            stage=label(entry["stage"], language),
            coefficient=format_number(entry["coefficient"], COEFFICIENT_DECIMALS),
        )
        for entry in own
    )
    values = verdict.resources.indicator_values
    missed = values[(values["indicator"] == indicator.id) & (values["met"] == "fail")]
    failing = verdict.resources.schools[verdict.resources.schools["verdict"] == "fail"]
    count = len(missed.merge(failing[["stage", "school_id"]], on=["stage", "school_id"]))
    if not count:
        return coefficients
    return sentence("item_result_indicator_schools", language, coefficients=coefficients, count=count)


def _indicator_limit(standard: Standard, indicator: Indicator, language: Language) -> str:
    decimals = term(indicator.name).decimals
    limits = standard.coefficient_limits
    parts = []
    for stage, least in indicator.minimum.items():
        values = {"stage": label(stage, language), "minimum": format_number(least, decimals or 0)}
        if stage in limits:
            limit = format_number(limits[stage], LIMIT_DECIMALS)
            parts.append(sentence("item_indicator_limit", language, limit=limit, **values))
        else:
            parts.append(sentence("item_indicator_minimum", language, **values))
    return label("report_list_separator", language).join(parts)


def _part_table(compliance: ItemCompliance, part: str, language: Language) -> TableExhibit:
    """Return the items of one part; formulas beside the one in use follow it without a verdict."""
    rows: list[Row] = []
    beside: list[int] = []
    for entry in records(compliance.items[compliance.items["part"] == part]):
        item = compliance.standard.item(entry["item"])
        rows.append(_item_row(compliance, item, entry, language))
        for other in _other_formulas(compliance, item):
            beside.append(len(rows))
            rows.append(_formula_row(item, other, language))
    names = (*PART_COLUMNS, *FRACTION_COLUMNS, *FILE_COLUMNS)
    data = pd.DataFrame(rows, columns=[name for name, _ in names])
    columns = tuple(
        vocabulary_column(name, language, kind=kind, below="item_fraction" if name == "item_formula" else "")
        for name, kind in PART_COLUMNS
    )
    columns += tuple(
        vocabulary_column(name, language, kind=kind, decimals=0, in_files_only=True)
        for name, kind in FRACTION_COLUMNS
    )
    columns += tuple(
        vocabulary_column(name, language, kind=kind, in_files_only=True)  # pyright: ignore[reportArgumentType]
        for name, kind in FILE_COLUMNS
    )
    marks = [CellMark(row, "verdict", "not_applicable") for row in beside]
    marks += [
        CellMark(position, name, "not_applicable")
        for position, row in enumerate(rows)
        for name in ("item_numerator", "item_denominator")
        if not row[f"has_{name}"]
    ]
    marks += [
        CellMark(position, name, "not_applicable")
        for position, row in enumerate(rows)
        for name in ("item_result_value", "item_limit_value", "item_n_near")
        if not row[f"has_{name}"]
    ]
    table = TableExhibit(exhibit_caption(f"{part}_items", language), columns, data, marks=tuple(marks))
    return table if rows else _without_part(table)


PART_COLUMNS: tuple[tuple[str, ColumnKind], ...] = (
    ("item_number", "text"),
    ("item_result", "text"),
    ("standard_requirement", "text"),
    ("verdict", "met"),
    ("near_limit", "flag"),
    ("item_formula", "text"),
    ("evidence", "text"),
)
# What stands below the formula in words, and its parts.
FRACTION_COLUMNS: tuple[tuple[str, ColumnKind], ...] = (
    ("item_fraction", "text"),
    ("counted_above", "text"),
    ("item_numerator", "number"),
    ("counted_below", "text"),
    ("item_denominator", "number"),
)
# The printed texts as numbers, and what tells the rows apart in either language.
FILE_COLUMNS = (
    ("item_id", "text"),
    ("formula_code", "text"),
    ("item_result_value", "number"),
    ("item_limit_value", "number"),
    ("item_n_near", "number"),
)


def _item_row(compliance: ItemCompliance, item: Item, entry: Row, language: Language) -> Row:
    row: Row = {
        "item_number": item_title(compliance.standard, item.id, language),
        "item_result": result_text(item, entry, language),
        "standard_requirement": requirement_text(item, language),
        "verdict": entry["verdict"],
        "near_limit": entry["near_limit"],
        "evidence": str(entry["evidence"]),
        **_values(item, entry, "" if item.from_evidence else item.formula),
    }
    if item.from_evidence:
        return row | _counted("", math.nan, "", math.nan, formula="")
    formula = next(formula for formula in item.formulas if formula.name == item.formula)
    words = formula_text(formula, language)
    if item.tested_on in UNITS_TESTED:
        met, covered = (label(name, language) for name in ("units_met", "units_covered"))
        # The result says how many of them meet it.
        return row | _counted(met, entry["n_pass"], covered, entry["n_units"], formula=words)
    name = label(item.name, language)
    return row | _sides(formula, entry, "" if words == name else words, language)


def _formula_row(item: Item, entry: Row, language: Language) -> Row:
    formula = next(formula for formula in item.formulas if formula.name == entry["formula"])
    return {
        "item_number": f"{item.id} {label(formula.name, language)}",
        "item_result": value_text(item, entry, language),
        "standard_requirement": "",
        "verdict": None,
        "near_limit": False,
        "evidence": "",
        **_values(item, entry, formula.name),
        "has_item_limit_value": False,
        "item_limit_value": math.nan,
        **_sides(formula, entry, formula_text(formula, language), language),
    }


def _values(item: Item, entry: Row, formula: str) -> Row:
    """Return result and limit as numbers; a share where percent are printed.

    What units are tested on has no result of its own, and what is judged from evidence no number at all.
    """
    tested = item.tested_on in UNITS_TESTED
    return {
        "item_id": item.id,
        "formula_code": formula,
        "item_result_value": math.nan if item.from_evidence or tested else entry["value"],
        "has_item_result_value": not (item.from_evidence or tested),
        "item_limit_value": item.limits[0] if item.limits else math.nan,
        "has_item_limit_value": bool(item.limits),
        "item_n_near": entry["n_near"] if tested and "n_near" in entry else math.nan,
        "has_item_n_near": tested and "n_near" in entry,
    }


def _sides(formula: Any, entry: Row, words: str, language: Language) -> Row:
    if not formula.denominator:
        # What is entered as it stands is the result itself, and no fraction.
        return _counted("", math.nan, "", math.nan, formula=words)
    names = [
        label(name, language) if name else "" for name in (formula.numerator_name, formula.denominator_name)
    ]
    return _counted(names[0], entry["numerator"], names[1], entry["denominator"], formula=words) | {
        "has_item_denominator": bool(formula.denominator),
        "item_fraction": _fraction(entry["numerator"], entry["denominator"]),
    }


def _fraction(numerator: float, denominator: float) -> str:
    """Return the numbers of a formula, empty where one is missing."""
    if math.isnan(numerator) or math.isnan(denominator):
        return ""
    return f"{format_number(numerator, 0)} ÷ {format_number(denominator, 0)}"


def _counted(above: str, numerator: float, below: str, denominator: float, *, formula: str) -> Row:
    return {
        "counted_above": above,
        "item_numerator": numerator,
        "has_item_numerator": bool(above),
        "counted_below": below,
        "item_denominator": denominator,
        "has_item_denominator": bool(below),
        "item_formula": formula,
        "item_fraction": "",
    }


def _other_formulas(compliance: ItemCompliance, item: Item) -> list[Row]:
    table = compliance.formulas
    own = (table["item"] == item.id) & ~table["in_use"].astype(bool) & (table["entry"] == "")
    return records(table[own])
