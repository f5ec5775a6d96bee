"""Tables saved by one notebook and shown again by another, cell for cell as they were printed."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.errors import RunError
from toolkit.exhibits import save_exhibit, saved_caption, saved_exhibit
from toolkit.tables.exhibit import (
    REPLACING_MARKS,
    CellMark,
    TableColumn,
    TableExhibit,
    as_float,
    is_missing,
    plain_text,
)
from toolkit.tables.export import FORMULA_START, NOTHING, TableFiles, export_table, table_csv

Cell = tuple[int, str]
Value = str | float | bool | None


@dataclass(frozen=True, slots=True)
class CsvColumn:
    """How a column stands in the CSV.

    Attributes
    ----------
    column : TableColumn
        The column.
    marked : bool
        Whether a column with its marks follows.
    empty : str
        What an empty cell without a mark means: no text, or the sign that there is nothing to name.
    """

    column: TableColumn
    marked: bool
    empty: str


def save_table(exhibit: TableExhibit, folder: Path) -> TableFiles:
    """Write the files of a table, and beside them what is needed to show it again.

    The values stand in the CSV only. `exhibits.json` has the caption, the columns and the marks, and
    those texts that a CSV for spreadsheet programs cannot hold as they are.
    """
    files = export_table(exhibit, folder)
    columns = _csv_columns(exhibit)
    content = {
        "columns": [asdict(column) for column in columns],
        "marks": [asdict(mark) for mark in exhibit.marks],
        "total_rows": exhibit.total_rows,
        "rows_shown": exhibit.rows_shown,
        "empty_text": exhibit.empty_text,
        "texts": _texts_beside(exhibit, columns),
    }
    save_exhibit(folder, "table", exhibit.caption, content)
    return files


def load_saved_table(folder: Path, key: str) -> TableExhibit:
    """Return a table that `save_table` wrote: printed, it equals the original.

    Raises
    ------
    RunError
        If the folder has no such table, or its files are damaged.
    """
    entry = saved_exhibit(folder, "table", key)
    try:
        text = (folder / f"{key}.csv").read_bytes().decode("utf-8-sig")
        columns = tuple(
            CsvColumn(**{**column, "column": TableColumn(**column["column"])}) for column in entry["columns"]
        )
        values = _decoded(text, columns)
        for cell in entry["texts"]:
            values[cell["column"]][cell["row"]] = cell["text"]
        return TableExhibit(
            caption=saved_caption(entry),
            columns=tuple(column.column for column in columns),
            data=_frame(values, columns),
            marks=tuple(CellMark(**mark) for mark in entry["marks"]),
            total_rows=entry["total_rows"],
            rows_shown=entry["rows_shown"],
            empty_text=entry["empty_text"],
        )
    except (OSError, ValueError, TypeError, KeyError, IndexError, csv.Error) as error:
        raise RunError("saved_table_unreadable", key=key, reason=error) from error


def _csv_columns(exhibit: TableExhibit) -> tuple[CsvColumn, ...]:
    """Return how the columns of a table stand in its CSV."""
    marked = {name for _, name in exhibit.marks_by_cell}
    return tuple(
        CsvColumn(
            column,
            marked=column.name in marked,
            empty="" if any(_is_no_text(value) for value in exhibit.data[column.name].tolist()) else NOTHING,
        )
        for column in exhibit.columns
    )


def _is_no_text(value: object) -> bool:
    """Say whether a value is a text without characters."""
    return isinstance(value, str) and not value


def _texts_beside(exhibit: TableExhibit, columns: tuple[CsvColumn, ...]) -> list[dict[str, Any]]:
    """Return the cells whose text the CSV does not give back, such as one neutralised twice."""
    decoded = _decoded(table_csv(exhibit), columns)
    withheld = {cell for cell, mark in exhibit.marks_by_cell.items() if mark in REPLACING_MARKS}
    return [
        {"row": row, "column": name, "text": value}
        for (row, name), value in _values(exhibit)
        if (row, name) not in withheld and decoded[name][row] != value
    ]


def _values(exhibit: TableExhibit) -> Iterator[tuple[Cell, Value]]:
    """Give every cell with the value that decides what is printed."""
    for column in exhibit.columns:
        for row, value in enumerate(exhibit.data[column.name].tolist()):
            yield (row, column.name), _printed_value(value, column)


def _printed_value(value: object, column: TableColumn) -> Value:
    """Return a value in the type of its column; of a text, what people read."""
    if is_missing(value):
        return None
    if column.is_numeric:
        return as_float(value)
    return bool(value) if column.kind == "flag" else plain_text(value)


def _decoded(text: str, columns: tuple[CsvColumn, ...]) -> dict[str, list[Value]]:
    """Return the values of a CSV text by column."""
    _, *rows = csv.reader(StringIO(text, newline=""))
    starts = [0]
    for column in columns:
        starts.append(starts[-1] + (2 if column.marked else 1))
    return {
        column.column.name: [
            _cell(row[start], row[start + 1] if column.marked else "", column) for row in rows
        ]
        for column, start in zip(columns, starts[:-1], strict=True)
    }


def _cell(text: str, mark: str, stored: CsvColumn) -> Value:
    """Return the value of one cell of a CSV."""
    if mark in REPLACING_MARKS:
        return None
    if stored.column.is_numeric:
        return float(text)
    if stored.column.kind == "flag":
        return text == "True"
    if text.startswith("'") and FORMULA_START.match(text[1:]):
        return text[1:]
    return text or stored.empty


def _frame(values: Mapping[str, list[Value]], columns: tuple[CsvColumn, ...]) -> pd.DataFrame:
    """Return the values as a table: numbers as such, everything else as objects."""
    numeric = {stored.column.name for stored in columns if stored.column.is_numeric}
    return pd.DataFrame(
        {
            name: pd.Series(cells, dtype="float64" if name in numeric else "object")
            for name, cells in values.items()
        }
    )
