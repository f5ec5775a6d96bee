"""Placeholders in a workbook; formats, merged cells, formulas and print settings stay as they are."""

import re
from collections.abc import Iterator
from copy import copy
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from toolkit.errors import InputError
from toolkit.reporting.archives import with_fixed_times
from toolkit.reporting.form_values import FormValues
from toolkit.reporting.forms import (
    Found,
    check_placeholders,
    is_alone,
    placeholders_in,
    replaced,
    value_of,
)
from toolkit.tables.exhibit import REPLACING_MARKS, TableExhibit, as_float, cell_text, mark_symbol

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

GENERAL = "General"
CORE = "docProps/core.xml"
MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")
FIXED_TIME = rb"\g<1>2000-01-01T00:00:00Z\g<2>"
SIDES = ("left", "center", "right")
MARGINS = ("oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader", "firstFooter")


def filled(form: Path, values: FormValues) -> bytes:
    """Return the filled workbook.

    Raises
    ------
    InputError
        If the workbook cannot be read, or its placeholders cannot all be filled.
    """
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        workbook = openpyxl.load_workbook(form)
    except (OSError, BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        raise InputError("form_unreadable", form=form.name, reason=error) from error
    sheets = list(workbook.worksheets)
    check_placeholders(form, [each for sheet in sheets for each in _found(sheet, values)], values)
    for sheet in sheets:
        for cell in list(_cells(sheet)):
            _fill_cell(sheet, cell, values)
        for part in _margin_texts(sheet):
            part.text = replaced(part.text, values)
    # Results of formulas are not stored: the program that opens the form computes them.
    workbook.calculation.fullCalcOnLoad = True
    content = BytesIO()
    workbook.save(content)
    return with_fixed_times(content.getvalue(), _without_time)


def _cells(sheet: "Worksheet") -> Iterator[Any]:
    """Give the cells with placeholders."""
    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell.value, str) and placeholders_in(cell.value):
                yield cell


def _margin_texts(sheet: "Worksheet") -> Iterator[Any]:
    """Give the texts above and below the printed sheet that hold placeholders."""
    for margin in MARGINS:
        for side in SIDES:
            part = getattr(getattr(sheet, margin), side)
            if part.text and placeholders_in(part.text):
                yield part


def _found(sheet: "Worksheet", values: FormValues) -> Iterator[Found]:
    """Give the placeholders of a sheet with their places."""
    for cell in _cells(sheet):
        for name in placeholders_in(cell.value):
            found = Found(f"{sheet.title}!{cell.coordinate}", name, is_alone(cell.value))
            table = values.tables.get(found.table) if found.table else None
            fits = cell.data_type != "f" and (table is None or _has_room(sheet, cell, table))
            yield Found(found.place, name, found.is_alone, fits)
    for part in _margin_texts(sheet):
        for name in placeholders_in(part.text):
            yield Found(sheet.title, name, is_alone=False)


def _has_room(sheet: "Worksheet", cell: Any, table: TableExhibit) -> bool:
    """Say whether the cells that a table would take are empty and not merged."""
    last_row, last_column = cell.row + len(table.data), cell.column + len(table.columns) - 1
    for row in sheet.iter_rows(cell.row, last_row, cell.column, last_column):
        if any(other.value is not None and other.coordinate != cell.coordinate for other in row):
            return False
    return not any(
        merged.min_row <= last_row
        and merged.max_row >= cell.row
        and merged.min_col <= last_column
        and merged.max_col >= cell.column
        for merged in sheet.merged_cells.ranges
    )


def _fill_cell(sheet: "Worksheet", cell: Any, values: FormValues) -> None:
    """Fill one cell: with a number, a text, or a table that starts there."""
    text = cell.value
    if not is_alone(text):
        _write_text(cell, replaced(text, values))
        return
    (name,) = placeholders_in(text)
    table = Found("", name, is_alone=True).table
    if table:
        _write_table(sheet, cell, values.tables[table])
        return
    value = value_of(name, values)
    if value.number is None:
        _write_text(cell, value.text)
    else:
        _write_number(cell, value.number, value.number_format)


def _write_text(cell: Any, text: str) -> None:
    """Write a text that no program takes for a formula."""
    cell.value = text
    if cell.data_type != "s" and text:
        cell.data_type = "s"
        cell.quotePrefix = True


def _write_number(cell: Any, number: float, number_format: str) -> None:
    """Write a number; the form's own format wins."""
    cell.value = int(number) if number.is_integer() else number
    if cell.number_format == GENERAL:
        cell.number_format = number_format


def _write_table(sheet: "Worksheet", start: Any, table: TableExhibit) -> None:
    """Write a table with its headings from a cell on, in the look of that cell."""
    marks, language = table.marks_by_cell, table.caption.language
    for offset, column in enumerate(table.columns):
        heading = _like(sheet.cell(start.row, start.column + offset), start)
        _write_text(heading, f"{column.label} ({column.unit})" if column.unit else column.label)
        for row, value in enumerate(table.data[column.name].tolist()):
            cell = _like(sheet.cell(start.row + 1 + row, start.column + offset), start)
            mark = marks.get((row, column.name))
            if mark in REPLACING_MARKS:
                _write_text(cell, mark_symbol(mark))
            elif column.is_numeric:
                decimals = f".{'0' * column.decimals}" if column.decimals else ""
                shown = f"0{decimals}%" if column.kind == "share" else f"#,##0{decimals}"
                _write_number(cell, as_float(value), shown)
            else:
                _write_text(cell, cell_text(value, column, language))


def _like(cell: Any, model: Any) -> Any:
    """Return a cell after giving it the look of another."""
    if cell.coordinate != model.coordinate:
        cell._style = copy(model._style)
    return cell


def _without_time(name: str, part: bytes) -> bytes:
    """Return a part of the workbook without the time of this run."""
    return MODIFIED.sub(FIXED_TIME, part) if name == CORE else part
