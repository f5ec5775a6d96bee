"""School names put right by hand: the list of names as an evaluator filled it in."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.data.names import Found
from toolkit.data.problems import Severity
from toolkit.data.reading.cells import Grid, column_letters
from toolkit.data.reading.log import ReadingLog
from toolkit.data.reading.sources import read_file
from toolkit.data.reading.unreadable import UnreadableFileError
from toolkit.data.schema import TABLES
from toolkit.data.text import plain_code, squash, visible
from toolkit.errors import InputError
from toolkit.vocabulary import label, term

FIELDS = ("table", "name", "count", "found_id", "found_name", "how", "nearest", "corrected_id", "note")
"""Columns of the list in their order; the terms `names_file_<field>` are their headers."""

NEEDED = ("name", "corrected_id")
HEADER_SEARCHED = 20
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Correction:
    """One row of the list that was filled in.

    Attributes
    ----------
    table : str
        Table in which it holds; empty for all.
    name : str
        Name as written in the data.
    code : str
        Code of the school; empty for a school outside the county.
    note : str
        What the evaluator remarked.
    sheet, cell : str
        Where the code stands.
    """

    table: str
    name: str
    code: str
    note: str = ""
    sheet: str = ""
    cell: str = ""


@dataclass(slots=True)
class Corrections:
    """The corrections of one file, and which of them were used.

    Attributes
    ----------
    file : str
        Name of the file.
    rows : tuple of Correction
        In the order of the file.
    used : set of (str, str)
        Tables and names of the corrections that were asked for.
    """

    file: str
    rows: tuple[Correction, ...]
    used: set[tuple[str, str]] = field(default_factory=set)
    _by_name: dict[tuple[str, str], Correction] = field(default_factory=dict)

    def find(self, name: str, table: str, codes: Mapping[str, str]) -> Found | None:
        """Return what a name was corrected to, None where it was not.

        Parameters
        ----------
        name, table : str
            Name as written, and the table in which it stands.
        codes : mapping of str to str
            Codes of the register as people may write them, to the codes themselves.
        """
        if not self._by_name:
            self._by_name.update({(row.table, visible(row.name)): row for row in reversed(self.rows)})
        for key in ((table, visible(name)), ("", visible(name))):
            if key in self._by_name:
                self.used.add(key)
                code = self._by_name[key].code
                if not code:
                    return Found("", "corrected")
                return Found(codes[code], "corrected") if code in codes else None
        return None

    def tell(self, log: ReadingLog, codes: Collection[str], tables: Collection[str]) -> None:
        """Tell codes that do not exist, names corrected twice, and names that no longer occur.

        Parameters
        ----------
        log : ReadingLog
            Where problems are noted.
        codes : collection of str
            Codes of the register as people may write them.
        tables : collection of str
            Tables that were read; corrections of others are not looked at.
        """
        first: dict[tuple[str, str], Correction] = {}
        for row in self.rows:
            key = (row.table, visible(row.name))
            said = {"file": self.file, "sheet": row.sheet, "cell": row.cell, "written": row.name}
            other = first.setdefault(key, row)
            if row.code and row.code not in codes:
                self._note(log, "names_code_unknown", "error", row, value=row.code, **said)
            elif other.code != row.code:
                self._note(log, "names_corrected_twice", "error", row, other=other.cell, **said)
            elif key not in self.used and (not row.table or row.table in tables):
                self._note(log, "names_not_found", "notice", row, **said)

    def _note(self, log: ReadingLog, code: str, severity: Severity, row: Correction, **values: str) -> None:
        place = {"file": self.file, "sheet": row.sheet, "cell": row.cell}
        extra = {name: value for name, value in values.items() if name not in place}
        log.add(code, severity, **place, table=row.table, school=row.name, **extra)


def read_corrections(path: Path) -> Corrections:
    """Read a list of names that an evaluator filled in; rows without a correction count for nothing.

    Parameters
    ----------
    path : pathlib.Path
        Workbook or text table; columns are known by their headers in either language.

    Raises
    ------
    InputError
        If the file cannot be read or has no such list.
    """
    try:
        grids = read_file(path) if path.is_file() else []
    except UnreadableFileError as failure:
        raise failure.as_input_error() from failure
    for grid in grids:
        for at, row in enumerate(grid.rows[:HEADER_SEARCHED]):
            columns = _known_headers(row)
            if set(NEEDED) <= set(columns):
                return Corrections(path.name, tuple(_rows(grid, at, columns)))
    headers = [label(f"names_file_{name}", language) for language in LANGUAGES for name in NEEDED]
    raise InputError("names_file_without_list", file=path.name, headers="、".join(headers))


def outside_words() -> frozenset[str]:
    """Return the words that say that a school is outside the county, squashed."""
    words = [term(name) for name in ("names_file_outside", "names_file_outside_short")]
    return frozenset(squash(text) for word in words for text in (word.zh, word.en))


def _rows(grid: Grid, header: int, columns: Mapping[str, int]) -> list[Correction]:
    tables = {squash(alias): name for name, table in TABLES.items() for alias in (name, *table.aliases)}
    tables |= {squash(label(f"table_{name}", language)): name for name in TABLES for language in LANGUAGES}
    outside = outside_words()
    found = []
    for at, row in enumerate(grid.rows[header + 1 :], start=header + 2):
        texts = {name: _text(row[column]) for name, column in columns.items()}
        written = texts["corrected_id"]
        if not written or not texts["name"]:
            continue
        found.append(
            Correction(
                table=tables.get(squash(texts.get("table", "")), ""),
                name=texts["name"],
                code="" if squash(written) in outside else plain_code(written),
                note=texts.get("note", ""),
                sheet=grid.sheet,
                cell=f"{column_letters(columns['corrected_id'])}{at}",
            )
        )
    return found


def _known_headers(row: tuple[object, ...]) -> dict[str, int]:
    """Return the position of each known column, the first where one stands twice."""
    headers = {
        squash(label(f"names_file_{name}", language)): name for name in FIELDS for language in LANGUAGES
    }
    columns: dict[str, int] = {}
    for at, cell in enumerate(row):
        name = headers.get(squash(_text(cell)))
        if name:
            columns.setdefault(name, at)
    return columns


def _text(value: object) -> str:
    """Return a cell as text; a code that a spreadsheet took for a number has no decimals."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value).strip()
