"""CSV and Parquet files as grids."""

import csv
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from toolkit.data.reading.cells import Grid, make_grid
from toolkit.data.reading.unreadable import UnreadableFileError

MAXIMUM_CELLS = 20_000_000
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = (",", "\t", ";", "，", "|")


def read_csv(data: bytes, file: str, encoding: str = "") -> Grid:
    """Return a text table; row numbers are those a spreadsheet program would show.

    Raises
    ------
    UnreadableFileError
        If the bytes are no text in a known encoding, or hold no table.
    """
    if b"\x00" in data and data[:2] not in _UTF16_MARKS and not encoding:
        raise UnreadableFileError("file_not_workbook", file)
    text = _decode(data, file, encoding)
    if text.lstrip()[:1] == "<":
        raise UnreadableFileError("file_html", file)
    lines = [line for line in text[:100_000].splitlines() if line.strip()][:20]
    delimiter = max(_DELIMITERS, key=lambda mark: sum(line.count(mark) for line in lines))
    try:
        rows = [list(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)]
    except csv.Error as error:
        raise UnreadableFileError("file_damaged", file) from error
    if len(rows) * max(map(len, rows), default=0) > MAXIMUM_CELLS:
        raise UnreadableFileError("file_too_many_cells", file, sheet=file, limit=f"{MAXIMUM_CELLS:,}")
    return make_grid(file, "", [list(row) for row in rows])


def read_parquet(path: Path) -> Grid:
    """Return a Parquet file as a grid whose first row is the header.

    Raises
    ------
    UnreadableFileError
        If the file is no Parquet file or is too large.
    """
    try:
        metadata = pq.read_metadata(path)
        if metadata.num_rows * metadata.num_columns > MAXIMUM_CELLS:
            raise UnreadableFileError(
                "file_too_many_cells", path.name, sheet=path.name, limit=f"{MAXIMUM_CELLS:,}"
            )
        table = pq.read_table(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise UnreadableFileError("file_damaged", path.name) from error
    columns = [_cells(column) for column in table.columns]
    rows = (tuple(table.column_names), *zip(*columns, strict=True))
    return Grid(path.name, "", rows, is_typed=True)


def _cells(column: pa.ChunkedArray) -> list[object]:
    """Return the cells of a column, a list or a record among them as its text."""
    values: list[object] = column.to_pylist()
    if pa.types.is_nested(column.type):
        values = [None if value is None else str(value) for value in values]
    if not column.null_count and not pa.types.is_floating(column.type):
        return values
    return ["" if value is None or value != value else value for value in values]


def _decode(data: bytes, file: str, encoding: str) -> str:
    if data[:2] in _UTF16_MARKS:
        encoding = "utf-16"
    for candidate in (encoding,) if encoding else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(candidate)
        except UnicodeDecodeError:
            continue
    raise UnreadableFileError("file_encoding", file)
