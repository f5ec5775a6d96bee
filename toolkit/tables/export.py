"""Tables as files: CSV with code names for programs, xlsx with labels for people."""

import csv
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from toolkit.data.schema import TABLES
from toolkit.tables.exhibit import (
    REPLACING_MARKS,
    CellMark,
    Mark,
    TableColumn,
    TableExhibit,
    as_float,
    cell_text,
    mark_symbol,
    plain_text,
)
from toolkit.vocabulary import has_term, label, sentence, term

if TYPE_CHECKING:
    from xlsxwriter import Workbook

# What a spreadsheet program may take for the start of a formula, full-width forms included.
FORMULA_START = re.compile(r"^[\s]*[=+\-@＝＋－＠\t\r]")
# A workbook carries a creation date; one that is always the same keeps equal tables equal.
CREATION_DATE = datetime(2000, 1, 1)  # noqa: DTZ001 - written without a zone
MARKS_IN_FILES: tuple[Mark, ...] = ("suppressed", "not_available", "not_applicable", "provisional", "unsure")
WIDEST_COLUMN = 40
LARGEST_EXACT_INTEGER = 2**53
# How a CSV holds true and false.
FLAGS = ("True", "False")
# What a table of words prints where there is nothing to name.
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class TableFiles:
    """The files of one table."""

    csv: Path
    xlsx: Path


def export_table(exhibit: TableExhibit, folder: Path) -> TableFiles:
    """Write all rows of a table into a folder, as ``<key>.csv`` and ``<key>.xlsx``.

    The CSV (UTF-8 with signature, for Excel) has code names as its header, unrounded values
    and codes as they are. A cell without a value is empty; a column ``<name>_mark`` follows where
    a cell carries a mark or lacks its value, and says why. The workbook has labels, one header
    row, no merged cells and a sheet of notes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = TableFiles(folder / f"{exhibit.caption.key}.csv", folder / f"{exhibit.caption.key}.xlsx")
    files.csv.write_bytes(table_csv(exhibit).encode("utf-8-sig"))
    _write_workbook(exhibit, files.xlsx)
    return files


def load_exported_table(path: Path) -> pd.DataFrame:
    """Load a table written by `export_table`: empty cells become missing values, words stay text.

    A name that looks like a number, such as that of the school 101, stays text, too.
    """
    text_columns = [name for name in _header(path) if _holds_text(name)]
    table = pd.read_csv(
        path,
        encoding="utf-8-sig",
        na_values=[""],
        keep_default_na=False,
        dtype=dict.fromkeys(text_columns, "str"),
    )
    flags = [name for name in text_columns if len(table) and table[name].isin(FLAGS).all()]
    return table.assign(**{name: table[name] == "True" for name in flags})


def table_csv(exhibit: TableExhibit) -> str:
    """Return a table as CSV text with LF line ends."""
    marks = exhibit.marks_by_cell
    marked = {name for _, name in marks}
    header = [name for column in exhibit.columns for name in _csv_names(column.name, marked)]
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    values = {column.name: exhibit.data[column.name].tolist() for column in exhibit.columns}
    for row in range(len(exhibit.data)):
        cells: list[str] = []
        for column in exhibit.columns:
            mark = marks.get((row, column.name))
            cells.append(_csv_text(values[column.name][row], column, mark))
            if column.name in marked:
                cells.append(mark or "")
        writer.writerow(cells)
    return buffer.getvalue()


def neutralise(text: str) -> str:
    """Return a text that no spreadsheet program takes for a formula."""
    return f"'{text}" if FORMULA_START.match(text) else text


def _header(path: Path) -> list[str]:
    """Return the column names of a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file))


def _holds_text(name: str) -> bool:
    """Say whether a column holds words: an id, a mark, or a quantity without decimals in the vocabulary.

    A column headed by a code of a closed list, such as a location, holds numbers about it.
    """
    if name.endswith(("_id", "_code", "_mark")):
        return True
    return has_term(name) and term(name).decimals is None and name not in _codes()


@cache
def _codes() -> frozenset[str]:
    """Return the codes of all closed lists."""
    columns = (column for table in TABLES.values() for column in table.columns)
    return frozenset(code for column in columns for code in column.choices)


def _csv_names(name: str, marked: set[str]) -> tuple[str, ...]:
    """Return the name of a column in CSV, and that of its marks if it has any."""
    return (name, f"{name}_mark") if name in marked else (name,)


def _csv_text(value: object, column: TableColumn, mark: Mark | None) -> str:
    """Return a value as CSV holds it: unrounded, or nothing where there is none."""
    if mark in REPLACING_MARKS:
        return ""
    if column.is_numeric:
        return _number_text(as_float(value))
    text = plain_text(value)
    # Programs take a lone carriage return for the end of a row.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "" if text == NOTHING else neutralise(text)


def _number_text(value: float) -> str:
    """Return the shortest text that reads back as the same number."""
    if value.is_integer() and abs(value) < LARGEST_EXACT_INTEGER:
        return str(int(value))
    return repr(value)


def _write_workbook(exhibit: TableExhibit, path: Path) -> None:
    """Write one table and its notes as a workbook."""
    from xlsxwriter import Workbook

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(str(path), options) as workbook:
        workbook.set_properties({"created": CREATION_DATE, "title": exhibit.caption.title})
        _write_data(exhibit, workbook)
        _write_notes(exhibit, workbook)


def _write_data(exhibit: TableExhibit, workbook: "Workbook") -> None:
    """Write the sheet with the table."""
    language = exhibit.caption.language
    sheet = workbook.add_worksheet(label("report_sheet_data", language))
    marks = exhibit.marks_by_cell
    heading = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    sheet.freeze_panes(1, 1)
    for position, column in enumerate(exhibit.columns):
        text = f"{column.label} ({column.unit})" if column.unit else column.label
        sheet.write_string(0, position, neutralise(text), heading)
        number_format = workbook.add_format({"num_format": _number_format(column)})
        widest = len(text)
        for row, value in enumerate(exhibit.data[column.name].tolist(), start=1):
            mark = marks.get((row - 1, column.name))
            if mark in REPLACING_MARKS:
                sheet.write_string(row, position, mark_symbol(mark))
            elif column.is_numeric:
                sheet.write_number(row, position, as_float(value), number_format)
            else:
                text = cell_text(value, column, language)
                widest = max(widest, len(text))
                sheet.write_string(row, position, neutralise(text))
        sheet.set_column(position, position, min(2 * widest + 2, WIDEST_COLUMN))


def _number_format(column: TableColumn) -> str:
    """Return the number format of a column."""
    decimals = f".{'0' * column.decimals}" if column.decimals else ""
    return f"0{decimals}%" if column.kind == "share" else f"#,##0{decimals}"


def _write_notes(exhibit: TableExhibit, workbook: "Workbook") -> None:
    """Write the sheet that says what the table is and explains columns and symbols."""
    caption, language = exhibit.caption, exhibit.caption.language
    lines = [
        (label("report_table", language), caption.title),
        (label("report_unit", language), caption.unit),
        (label("report_n", language), caption.n),
        (label("report_interval", language), caption.interval),
        *((label("report_note", language), note) for note in caption.notes),
        (label("report_note", language), "" if len(exhibit.data) else exhibit.empty_text),
        (label("report_source", language), caption.source),
    ]
    lines = [(name, text) for name, text in lines if text]
    csv_name = label("report_csv_name", language)
    lines += [
        (f"{column.label} {column.unit}".strip(), f"{csv_name}: {column.name}") for column in exhibit.columns
    ]
    lines += [(mark_symbol(mark), label(f"report_mark_{mark}_meaning", language)) for mark in MARKS_IN_FILES]
    lines += [
        (
            _cell_name(exhibit, mark),
            sentence(
                "report_symbol",
                language,
                symbol=mark_symbol(mark.mark),
                meaning=label(f"report_mark_{mark.mark}_meaning", language),
            ),
        )
        for mark in exhibit.marks
        if mark.mark not in REPLACING_MARKS
    ]
    sheet = workbook.add_worksheet(label("report_sheet_notes", language))
    sheet.set_column(0, 0, WIDEST_COLUMN / 2)
    sheet.set_column(1, 1, WIDEST_COLUMN * 2)
    for row, (name, text) in enumerate(lines):
        sheet.write_string(row, 0, neutralise(name))
        sheet.write_string(row, 1, neutralise(text))


def _cell_name(exhibit: TableExhibit, mark: CellMark) -> str:
    """Return the address in the workbook of a marked cell."""
    from xlsxwriter.utility import xl_rowcol_to_cell

    names = [column.name for column in exhibit.columns]
    return xl_rowcol_to_cell(mark.row + 1, names.index(mark.column))
