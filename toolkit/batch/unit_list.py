"""The list of a batch: one row a unit, columns named after the data, the county, the year and parameters."""

import csv
import io
from collections.abc import Mapping
from dataclasses import Field, dataclass
from pathlib import Path
from typing import Any

from toolkit.errors import InputError, JunhengError, ParameterError
from toolkit.reporting.notebook_failure import on_one_line
from toolkit.reporting.parameters import (
    OWN_STANDARD,
    PATH_PARAMETERS,
    STANDARD_PARAMETERS,
    parameter_fields,
)
from toolkit.reporting.run import parameter_records
from toolkit.vocabulary import label

DATA = "data"
# Excel in a Chinese office writes a list without a signature in its own encoding.
ENCODINGS = ("utf-8-sig", "gb18030")
DELIMITERS = (",", "\t", ";", "，")
# The folder with results is the run's own.
NOT_IN_LISTS = ("data_path", "results_dir")
SHORT_PATHS = {"mapping": "mapping_path", "names": "names_path", "ledger": "ledger_path"}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a list, or one input of a folder.

    Attributes
    ----------
    data : str
        The data as the user named them.
    own : mapping
        Values of parameters that belong to this row, paths absolute.
    """

    data: str
    own: Mapping[str, Any]


def read_list(path: Path, shared: Mapping[str, Any]) -> tuple[Row, ...]:
    """Return the rows of a list. Codes stay text with their zeros; an empty cell leaves the default.

    Relative paths start at the folder of the list.

    Parameters
    ----------
    path : pathlib.Path
        CSV file, UTF-8 with or without signature, or GB18030.
    shared : mapping
        Parameters of all units, with which a row must agree.

    Raises
    ------
    InputError
        If the file cannot be read, lacks the column of the data, or has no row.
    ParameterError
        If a column is no parameter, or a value is not understood; the line is named.
    """
    lines = _lines(path)
    header = [_column(name) for name in lines[0][1]] if lines else []
    if DATA not in header:
        raise InputError("batch_list_without_data", file=path.name, column=DATA)
    known = _known_columns()
    unknown = [name for name in header if name and name not in known]
    if unknown or len(set(header)) < len(header):
        names = unknown or sorted({name for name in header if header.count(name) > 1})
        raise ParameterError(
            "batch_list_columns", file=path.name, names=", ".join(names), known=", ".join(known)
        )
    rows = tuple(
        _row(path, number, dict(zip(header, cells, strict=False)), shared) for number, cells in lines[1:]
    )
    if not rows:
        raise InputError("batch_list_empty", file=path.name)
    return rows


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Return number and cells of each line that holds something."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError("batch_list_unreadable", file=path.name, reason=error.strerror or error) from error
    text = _decoded(content, path.name)
    first = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise InputError("batch_list_unreadable", file=path.name, reason=error) from error
    return [(number, cells) for number, cells in lines if any(cells)]


def _decoded(content: bytes, file: str) -> str:
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError("batch_list_encoding", file=file)


def _column(name: str) -> str:
    """Return the column that a heading names: a code name, or a label of the vocabulary."""
    plain = name.strip()
    labels = {label(f"batch_column_{code}", language): code for code in (DATA, "county", "year")
              for language in ("zh", "en")}  # fmt: skip
    return SHORT_PATHS.get(plain, labels.get(plain, plain))


def _known_columns() -> list[str]:
    return [DATA, *(entry.name for entry in parameter_fields() if entry.name not in NOT_IN_LISTS)]


def _row(path: Path, number: int, cells: Mapping[str, str], shared: Mapping[str, Any]) -> Row:
    """Return a row with its values in the types of the parameters."""
    given = {name: text for name, text in cells.items() if name and text}
    if DATA not in given:
        raise InputError("batch_list_row_without_data", file=path.name, line=number)
    fields = {entry.name: entry for entry in parameter_fields()}
    try:
        own = {name: _value(fields[name], text) for name, text in given.items() if name != DATA}
        own = {name: _resolved(name, value, path.parent) for name, value in own.items()}
        parameter_records({**shared, **own})
    except JunhengError as error:
        reason = on_one_line(str(error))
        raise ParameterError("batch_list_row", file=path.name, line=number, reason=reason) from error
    return Row(given[DATA], own | {"data_path": _resolved("data_path", given[DATA], path.parent)})


def _value(entry: Field[Any], text: str) -> object:
    """Return a cell in the type of its parameter; what is no number stays text and is refused by name."""
    if entry.type not in (int, float):
        return text
    try:
        return int(text) if entry.type is int else float(text)
    except ValueError:
        return text


def _resolved(name: str, value: Any, folder: Path) -> Any:
    """Return a path as an absolute one; other values as they are."""
    is_path = name in PATH_PARAMETERS or (name in STANDARD_PARAMETERS and value.endswith(OWN_STANDARD))
    return str((folder / value).resolve()) if is_path else value
