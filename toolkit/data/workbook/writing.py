"""Tables of a county, or none, written as a workbook in the layout of the template."""

import datetime as dt
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from toolkit.data.schema import TABLES, Column, Table
from toolkit.data.workbook.headers import (
    BLOCK_COLOURS,
    allowed_words,
    block_of,
    column_note,
    entry_range,
    header_text,
    sheet_name,
)
from toolkit.data.workbook.instructions import write_instructions
from toolkit.errors import InputError
from toolkit.vocabulary import Language, label, sentence

LAST_ROW = 1_048_575
FIXED_DATE = dt.datetime(2025, 1, 1)  # noqa: DTZ001 - the file format has no time zone
FONT = {"font_name": "Microsoft YaHei", "font_size": 10}
FROZEN_COLUMNS = {"schools": 4, "school_years": 3}
# Tables wider than this are printed over several pages, with the school beside each.
WIDEST_ON_ONE_PAGE = 16
NUMBER_FORMATS = {"code": "@", "text": "@", "date": "yyyy-mm-dd", "year": "0", "integer": "#,##0"}
NARROWEST, WIDEST = 9, 26


def write_workbook(
    path: Path,
    tables: Mapping[str, pd.DataFrame] | None = None,
    *,
    language: Language = "zh",
    county_id: str = "",
    county_name: str = "",
) -> None:
    """Write a county's tables in the layout of the template; without tables, an empty template.

    The same tables give the same bytes. Codes and names are written as text, choices and yes/no
    as their labels, shares in percent.

    Parameters
    ----------
    path : pathlib.Path
        The workbook to write (.xlsx); an existing file is replaced.
    tables : mapping of str to pandas.DataFrame, optional
        Tables with canonical column names and values; absent tables become empty sheets.
    language : {"zh", "en"}, default "zh"
        Language of sheet names, headers, notes and entries.
    county_id, county_name : str
        County written beside schools that have none, and into the title.

    Raises
    ------
    InputError
        If a table has more rows than a sheet can hold.
    ValueError
        If a table or a column is not one of the schema.
    """
    filled = _completed(tables or {}, county_id, county_name)
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, options) as workbook:
        workbook.set_properties(
            {"title": sentence("template_title", language), "author": "Junheng", "created": FIXED_DATE}
        )
        write_instructions(workbook, FONT, language, county_name)
        for table in TABLES.values():
            sheet = workbook.add_worksheet(sheet_name(table, language))
            _write_sheet(workbook, sheet, table, filled.get(table.name), language)
    path.write_bytes(content.getvalue())


def _completed(
    tables: Mapping[str, pd.DataFrame], county_id: str, county_name: str
) -> dict[str, pd.DataFrame]:
    """Check the tables against the schema and put the county beside schools that have none."""
    for name, frame in tables.items():
        if name not in TABLES:
            raise ValueError(f"{name!r} is not a table of the schema: {', '.join(TABLES)}")
        unknown = set(frame.columns) - set(TABLES[name].column_names)
        if unknown:
            raise ValueError(f"table {name!r} has columns outside the schema: {', '.join(sorted(unknown))}")
        if len(frame) > LAST_ROW:
            raise InputError(
                "template_table_outgrows_sheet", table=label(f"table_{name}", "zh"), rows=len(frame)
            )
    filled = dict(tables)
    if "schools" in filled:
        schools = filled["schools"].reindex(columns=list(TABLES["schools"].column_names))
        county = {"county_id": county_id, "county_name": county_name}
        filled["schools"] = schools.assign(
            **{name: schools[name].astype("str").fillna(value) for name, value in county.items() if value}
        )
    return filled


def _write_sheet(
    workbook: xlsxwriter.Workbook,
    sheet: Worksheet,
    table: Table,
    frame: pd.DataFrame | None,
    language: Language,
) -> None:
    """Write one table: header, notes, entry rules, values and print setup."""
    headers = _header_formats(workbook)
    cells: dict[str, Format] = {}
    n_rows = 0 if frame is None else len(frame)
    for position, column in enumerate(table.columns):
        number_format = _number_format(column)
        cell = cells.setdefault(
            number_format, workbook.add_format({**FONT, "num_format": number_format, "valign": "vcenter"})
        )
        text = header_text(column, language)
        sheet.set_column(position, position, _width(column, text, language), cell)
        sheet.write_string(0, position, text, headers[block_of(table, column)])
        note = column_note(column, language)
        sheet.write_comment(0, position, note, {"author": "", "x_scale": 1.6, "y_scale": _note_height(note)})
        _add_entry_rule(sheet, position, column, language)
        if frame is not None and column.name in frame.columns:
            _write_values(sheet, position, _entries(frame[column.name], column, language), cell)
    _set_up(sheet, table, n_rows)


def _header_formats(workbook: xlsxwriter.Workbook) -> dict[str, Format]:
    look = {**FONT, "bold": True, "text_wrap": True, "valign": "vcenter", "align": "center", "border": 1}
    return {
        block: workbook.add_format({**look, "bg_color": colour, "border_color": "#7F7F7F"})
        for block, colour in BLOCK_COLOURS.items()
    }


def _number_format(column: Column) -> str:
    if column.kind in NUMBER_FORMATS:
        return NUMBER_FORMATS[column.kind]
    if column.quantity:
        return "#,##0.##"
    return "General"


def _width(column: Column, text: str, language: Language) -> float:
    """Return a column width that breaks long headers into about three lines."""
    characters = sum(2 if ord(character) > 0x2E80 else 1 for character in text)
    entries = (
        sum(2 if ord(character) > 0x2E80 else 1 for character in word)
        for word in allowed_words(column, language)
    )
    needed = max(characters / 2.6, *entries, 0) + 2
    floor = {"code": 16, "text": 18, "date": 12}.get(column.kind, NARROWEST)
    return min(max(needed, floor), WIDEST)


def _note_height(note: str) -> float:
    lines = sum(1 + len(line) // 20 for line in note.splitlines())
    return max(0.8, lines * 0.27)


def _add_entry_rule(sheet: Worksheet, position: int, column: Column, language: Language) -> None:
    """Offer the closed list, or warn about values outside the range; other entries stay possible."""
    rule = _entry_rule(column, language)
    if rule:
        rule |= {
            "ignore_blank": True,
            "error_type": "warning",
            "error_title": sentence("template_entry_title", language),
            "error_message": sentence("template_entry_outside", language),
        }
        sheet.data_validation(1, position, LAST_ROW, position, rule)


def _entry_rule(column: Column, language: Language) -> dict[str, Any]:
    words = allowed_words(column, language)
    if words:
        return {"validate": "list", "source": list(words)}
    if column.kind == "year":
        return {"validate": "integer", "criteria": "between", "minimum": 1000, "maximum": 9999}
    if column.kind == "date":
        return {"validate": "date", "criteria": ">=", "value": dt.date(1900, 1, 1)}
    if not column.is_numeric:
        return {}
    low, high = entry_range(column)
    validate = "integer" if column.kind == "integer" else "decimal"
    if low is not None and high is not None:
        return {"validate": validate, "criteria": "between", "minimum": low, "maximum": high}
    if low is not None:
        return {"validate": validate, "criteria": ">=", "value": low}
    return {}


def _entries(values: Any, column: Column, language: Language) -> list[Any]:
    """Return the values as they are entered, None where missing."""
    if column.kind == "choice":
        words = dict(zip(column.choices, allowed_words(column, language), strict=True))
        return [None if pd.isna(value) else words[value] for value in values]
    if column.kind == "boolean":
        yes, no = allowed_words(column, language)
        return [None if pd.isna(value) else (yes if value else no) for value in values]
    if column.kind in ("code", "text"):
        return [None if pd.isna(value) else str(value) for value in values]
    if column.kind == "date":
        return [None if pd.isna(value) else pd.Timestamp(value).to_pydatetime() for value in values]
    # Percent is rounded far below its precision, so that 0.07 is entered as 7 and not 7.000000000000001.
    scale = 100 if column.kind == "share" else 1
    return [None if pd.isna(value) else round(float(value) * scale, 9) for value in values]


def _write_values(sheet: Worksheet, position: int, entries: list[Any], cell: Format) -> None:
    for row, entry in enumerate(entries, start=1):
        if isinstance(entry, str):
            sheet.write_string(row, position, entry, cell)
        elif isinstance(entry, dt.datetime):
            sheet.write_datetime(row, position, entry, cell)
        elif entry is not None:
            sheet.write_number(row, position, entry, cell)


def _set_up(sheet: Worksheet, table: Table, n_rows: int) -> None:
    """Freeze the header and set up printing on A4 landscape with the header on each page."""
    frozen = FROZEN_COLUMNS.get(table.name, 0)
    sheet.set_row(0, 52)
    sheet.freeze_panes(1, frozen)
    sheet.autofilter(0, 0, max(n_rows, 1), len(table.columns) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.repeat_rows(0)
    if len(table.columns) <= WIDEST_ON_ONE_PAGE:
        sheet.fit_to_pages(1, 0)
    else:
        sheet.set_print_scale(60)
        names = table.column_names
        sheet.repeat_columns(names.index("school_id"), names.index("school_name"))
    sheet.set_footer("&L&A&R&P / &N")
    sheet.set_tab_color("#C00000" if table.required else "#5B9BD5")
