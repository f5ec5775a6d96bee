"""Schools and classes under the items that each of them must meet."""

import pandas as pd

from toolkit.data.county import County
from toolkit.exhibits import exhibit_caption
from toolkit.indicators.class_sizes import ClassSizes, distribution_columns
from toolkit.indicators.roster import school_rows
from toolkit.standards import Item, Standard
from toolkit.tables.exhibit import CellMark, TableColumn, TableExhibit, vocabulary_column
from toolkit.tables.item_texts import item_title, quantity_text, value_text
from toolkit.variation.items import ItemCompliance, Row, records
from toolkit.vocabulary import Language, format_number, has_term, label, sentence

CASES_SHOWN = 20
UNITS_SHOWN = 60
SIZES_SHOWN = 20
CASE_SIGNS = "①②③④⑤⑥⑦⑧⑨⑩"


def tabulate_missed_units(compliance: ItemCompliance, language: Language) -> TableExhibit:
    """Return the schools that miss an item or are not judged, item by item; classes by school."""
    rows = []
    for item in compliance.standard.items:
        units = compliance.units[compliance.units["item"] == item.id]
        units = units[units["verdict"] != "pass"]
        by_school = units.groupby("school_id", sort=False)
        rows += [_missed_row(compliance.standard, item, own, language) for _, own in by_school]
    columns = (
        TableColumn("item_number", label("item_number", language)),
        TableColumn("school_name", label("school_name", language)),
        TableColumn("unit_result", label("unit_result", language)),
        vocabulary_column("applied_limit", language),
        vocabulary_column("verdict", language, kind="met"),
        vocabulary_column("missed_by", language),
        vocabulary_column("open_classes", language),
        *_case_columns(language),
        vocabulary_column("item_id", language, in_files_only=True),
    )
    data, notes = _with_signs(pd.DataFrame(rows, columns=[column.name for column in columns]), language)
    marks = _not_applicable(data, ("missed_by", "open_classes"))
    caption = exhibit_caption("missed_units", language, notes=notes)
    return TableExhibit(caption, columns, data, marks=marks, rows_shown=UNITS_SHOWN)


def tabulate_class_sizes(sizes: ClassSizes, language: Language) -> TableExhibit:
    """Return the number of classes by size, stage, ownership and location."""
    columns = (
        vocabulary_column("stage", language, kind="code"),
        TableColumn("kind", label("kind_of_school", language), "code"),
        *(vocabulary_column(name, language) for name in ("n_classes", *distribution_columns())),
    )
    caption = exhibit_caption("class_sizes", language)
    return TableExhibit(caption, columns, sizes.table, empty_text=sentence("no_class_sizes", language))


def tabulate_school_sizes(compliance: ItemCompliance, county: County, language: Language) -> TableExhibit:
    """Return the size of every school against the limit that holds for it, the largest first."""
    sized = [item.id for item in compliance.standard.items if _limits_size(item)]
    units = compliance.units[compliance.units["item"].isin(sized)]
    schools = school_rows(county)
    schools = schools[(schools["year"] == compliance.year).fillna(False)].drop_duplicates("school_id")
    joined = units.merge(schools[["school_id", "school_type", "location"]], on="school_id", how="left")
    joined = joined.sort_values("value", ascending=False, kind="stable", ignore_index=True)
    data = joined.assign(
        school_name=joined["unit_name"],
        compulsory_students=joined["value"],
        applied_limit=joined["limit"],
        case=[_case_name(compliance.standard, case, language) for case in joined["special_case"]],
    )
    data, notes = _with_signs(data, language)
    columns = (
        TableColumn("school_name", label("school_name", language)),
        vocabulary_column("school_type", language, kind="code"),
        vocabulary_column("location", language, kind="code"),
        vocabulary_column("compulsory_students", language),
        vocabulary_column("applied_limit", language),
        vocabulary_column("verdict", language, kind="met"),
        *_case_columns(language),
    )
    counted = sentence("n_whole_schools", language, count=len(data))
    caption = exhibit_caption("school_sizes", language, n=counted, notes=notes)
    return TableExhibit(caption, columns, data, rows_shown=SIZES_SHOWN)


def tabulate_item_special_cases(compliance: ItemCompliance, language: Language) -> TableExhibit:
    """Return the schools for which a special case replaced a limit, with the reason."""
    table, standard = compliance.special_cases, compliance.standard
    data = table.assign(
        item_number=[item_title(standard, item, language) for item in table["item"]],
        case=[_case_name(standard, case, language) for case in table["case"]],
        applied_limit=table["limit"],
        case_reason=[_reason(pairs, language) for pairs in table["reason"]],
    )
    data, notes = _with_signs(data, language)
    columns = (
        TableColumn("item_number", label("item_number", language)),
        TableColumn("school_name", label("school_name", language)),
        *_case_columns(language),
        vocabulary_column("standard_limit", language),
        vocabulary_column("applied_limit", language),
        TableColumn("case_reason", label("case_reason", language)),
    )
    caption = exhibit_caption("item_special_cases", language, notes=notes)
    return TableExhibit(caption, columns, data, rows_shown=CASES_SHOWN)


def _limits_size(item: Item) -> bool:
    """Say whether an item sets a greatest number of students of a school."""
    return item.tested_on == "school" and item.comparator in ("<=", "<") and item.unit == "students"


def _missed_row(standard: Standard, item: Item, units: pd.DataFrame, language: Language) -> Row:
    first = records(units.head(1))[0]
    failed = units[units["verdict"] == "fail"]
    row: Row = {
        "item_number": item_title(standard, item.id, language),
        "item_id": item.id,
        "school_name": first["unit_name"],
        "applied_limit": first["limit"],
        "verdict": "fail" if len(failed) else "undecided",
        "case": _case_name(standard, first["special_case"], language),
    }
    if item.tested_on == "class":
        open_units = units[units["verdict"] == "undecided"]
        largest = units["value"].max()
        return row | {
            "missed_by": float(failed["count_low"].sum()),
            "open_classes": float(open_units["count_low"].sum()),
            "unit_result": "" if pd.isna(largest) else quantity_text(item, float(largest), language),
        }
    result = _rooms_text(first, language) if item.room_bands else value_text(item, first, language)
    return row | {"missed_by": None, "open_classes": None, "unit_result": result}


def _rooms_text(row: Row, language: Language) -> str:
    if pd.isna(row["value"]):
        return sentence("item_rooms_open", language)
    rooms, needed = (format_number(row[name], 0) for name in ("numerator", "denominator"))
    return sentence("item_rooms", language, rooms=rooms, needed=needed)


def _case_name(standard: Standard, case: str, language: Language) -> str:
    return getattr(standard.exception(case).name, language) if case else ""


def _case_columns(language: Language) -> tuple[TableColumn, ...]:
    """Return the sign of a special case, and its name for the files."""
    return (
        vocabulary_column("case_sign", language),
        vocabulary_column("case", language, kind="text", in_files_only=True),
    )


def _with_signs(data: pd.DataFrame, language: Language) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a table with a sign for each special case, and the notes that explain the signs."""
    cases = [case for case in dict.fromkeys(data["case"].tolist()) if case]
    signs = {case: CASE_SIGNS[position % len(CASE_SIGNS)] for position, case in enumerate(cases)}
    told = [sentence("case_explained", language, sign=sign, name=case) for case, sign in signs.items()]
    data = data.assign(case_sign=[signs.get(case, "") for case in data["case"]])
    return data, (label("report_list_separator", language).join(told),) if told else ()


def _reason(pairs: tuple[tuple[str, object], ...], language: Language) -> str:
    """Return what met the conditions of a special case, in words."""
    texts = [
        sentence("item_reason_pair", language, column=label(column, language), value=_value(value, language))
        for column, value in pairs
    ]
    return label("report_list_separator", language).join(texts)


def _value(value: object, language: Language) -> str:
    if isinstance(value, bool):
        return label("report_yes" if value else "report_no", language)
    if isinstance(value, str):
        return label(value, language) if has_term(value) else value
    return format_number(float(value), 0)  # pyright: ignore[reportArgumentType]


def _not_applicable(data: pd.DataFrame, names: tuple[str, ...]) -> tuple[CellMark, ...]:
    return tuple(
        CellMark(row, name, "not_applicable")
        for name in names
        for row, value in enumerate(data[name].tolist())
        if pd.isna(value)
    )
