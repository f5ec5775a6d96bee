"""A ledger as people gave it back: rows and columns in any order, columns and rows added, dates as text."""

import datetime as dt
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from toolkit.data.schema import TABLES
from toolkit.data.text import squash
from toolkit.data.words import ORDER_HEADERS, TOTAL_EDGES, TOTALS
from toolkit.errors import InputError
from toolkit.planning.ledger import HAND, SEPARATOR, Ledger, LedgerRow, problem_id
from toolkit.reporting.ledger_columns import FIELDS, LANGUAGES, fields_by_header, plain
from toolkit.reporting.ledger_texts import date_text, unguarded
from toolkit.standards import available_standards, load_standard
from toolkit.vocabulary import has_term, label, sentence, term

HEADER_SEARCHED = 20
NEEDED = ("id", "state")
HAND_ID = re.compile(rf"{HAND}\d+")

# Teachers and students are counted by the same word; a ledger never lacks students.
NO_STOCKS = ("", "students")

Cells = Sequence[Sequence[object]]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The sheet with the ledger: its name, its cells, the row of its header, what stands in each column."""

    name: str
    cells: Cells
    header: int
    fields: Mapping[int, str]
    extra: Mapping[int, str]

    def column(self, field: str) -> int | None:
        """Return the position of a field, None when the column is gone."""
        return next((at for at, name in self.fields.items() if name == field), None)

    def address(self, row: int, field: str) -> str:
        """Return the address of a cell as a spreadsheet names it."""
        from xlsxwriter.utility import xl_rowcol_to_cell

        return xl_rowcol_to_cell(row, self.column(field) or 0)


def load_ledger(path: Path) -> Ledger:
    """Load a ledger that `place_ledger` wrote and people edited.

    Columns are known by their headers in either language, wherever they stand; others are kept as people's
    own. Empty rows and totals are left out; rows without id become rows by hand, or get the id that
    their school, item and stage make.

    Raises
    ------
    InputError
        If the file cannot be read, has no ledger, or a row has an unknown state or a damaged id.
    """
    sheet = _ledger_sheet(path)
    read = [(at, _fields(sheet, at)) for at in range(sheet.header + 1, len(sheet.cells))]
    read = [(at, found) for at, found in read if _is_problem(found)]
    year = max((_year(found.get("year")) for _, found in read), default=0)
    rows: list[LedgerRow] = []
    taken = {str(found["id"]) for _, found in read if found["id"]}
    seen: dict[str, int] = {}
    for at, found in read:
        name = _row_id(sheet, at, found, taken)
        if name in seen:
            raise _refusal("ledger_id_twice", sheet, at, found, "id", id=name, other=seen[name] + 1)
        seen[name] = at
        taken.add(name)
        rows.append(_row(sheet, at, found, name, year))
    return Ledger(year=year, rows=tuple(rows), extra=tuple(sheet.extra.values()))


def _ledger_sheet(path: Path) -> _Sheet:
    """Return the first sheet whose header names the columns that every ledger has."""
    for name, cells in _sheets(path):
        for at, row in enumerate(cells[:HEADER_SEARCHED]):
            fields = _known_headers(row)
            if set(NEEDED) <= set(fields.values()):
                return _Sheet(name, cells, at, fields, _further_headers(cells, at, fields))
    raise InputError(
        "ledger_not_found",
        file=path.name,
        headers=_listed([FIELDS[field].header(language) for field in NEEDED for language in LANGUAGES]),
    )


def _sheets(path: Path) -> Iterator[tuple[str, Cells]]:
    """Give name and cells of each sheet."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        workbook = CalamineWorkbook.from_path(str(path))
        for name in workbook.sheet_names:
            yield name, workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except (CalamineError, OSError) as error:
        raise InputError("ledger_unreadable", file=path.name, reason=error) from error


def _known_headers(row: Sequence[object]) -> dict[int, str]:
    """Return the field of each column with a known header, the first where one stands twice."""
    fields: dict[int, str] = {}
    for at, cell in enumerate(row):
        field = fields_by_header().get(_plain(cell))
        if field and field not in fields.values():
            fields[at] = field
    return fields


def _further_headers(cells: Cells, header: int, fields: Mapping[int, str]) -> dict[int, str]:
    """Return the headers of the columns that people added; one without header is named by its letter."""
    from xlsxwriter.utility import xl_col_to_name

    width = max((len(row) for row in cells[header:]), default=0)
    extra: dict[int, str] = {}
    for at in range(width):
        if at in fields:
            continue
        name = unguarded(_text(cells[header][at])) if at < len(cells[header]) else ""
        if not name:
            if not any(_text(row[at]) for row in cells[header + 1 :] if at < len(row)):
                continue
            name = sentence("ledger_column_without_header", "zh", letter=xl_col_to_name(at))
        extra[at] = _unused(name, {*extra.values(), *fields_by_header()})
    return extra


def _unused(name: str, taken: set[str]) -> str:
    """Return a header, with a number where it stands twice."""
    used, number = name, 2
    while plain(used) in {plain(other) for other in taken}:
        used, number = f"{name} ({number})", number + 1
    return used


def _fields(sheet: _Sheet, at: int) -> dict[str, Any]:
    """Return the cells of a row by field; those of people's own columns under `extra`."""
    row = sheet.cells[at]
    found: dict[str, Any] = dict.fromkeys(FIELDS, "")
    found |= {field: row[column] for column, field in sheet.fields.items() if column < len(row)}
    found["id"] = unguarded(_plain(found["id"])).replace("｜", SEPARATOR)
    found["extra"] = {
        name: _own(row[column])
        for column, name in sheet.extra.items()
        if column < len(row) and _own(row[column]) != ""
    }
    return found


def _is_problem(found: Mapping[str, Any]) -> bool:
    """Say whether a row is a problem: not empty but for its running number, and not a line of totals."""
    own = [
        _text(value)
        for name, value in found["extra"].items()
        if not (name in ORDER_HEADERS and isinstance(value, float))
    ]
    texts = [_text(value) for name, value in found.items() if name != "extra"] + own
    first = next((text for text in texts if text), "")
    has_id = SEPARATOR in found["id"] or HAND_ID.fullmatch(found["id"]) is not None
    return bool(first) and (has_id or not _is_total(first, found))


def _is_total(first: str, found: Mapping[str, Any]) -> bool:
    """Say whether a row without id is a line of totals: it begins so, and nobody is to do anything."""
    word = squash(first).rstrip(":：")
    planned = _text(found["measure"]) or _text(found["person"])
    return not planned and (word in map(squash, TOTALS) or word.startswith(TOTAL_EDGES))


def _row_id(sheet: _Sheet, at: int, found: Mapping[str, Any], taken: set[str]) -> str:
    """Return the id of a row, checked against what the row says; a new one for a row by hand."""
    given = str(found["id"])
    school, item = _code(found["school_id"]), _text(found["item"])
    stage = _stage(found["stage"])
    if not given:
        made = problem_id(school, item, stage)
        if school and item and made not in taken:
            return made
        number = 1
        while f"{HAND}{number}" in taken:
            number += 1
        return f"{HAND}{number}"
    if HAND_ID.fullmatch(given):
        return given
    parts = given.rsplit(SEPARATOR, 2)
    told = (school, item, stage)
    columns = ("school_id", "item", "stage")
    differs = len(parts) == len(columns) and any(
        says != part
        for name, says, part in zip(columns, told, parts, strict=True)
        if sheet.column(name) is not None and (says or name == "stage")
    )
    if len(parts) != len(columns) or not parts[0] or not parts[1] or differs:
        raise _refusal("ledger_id_damaged", sheet, at, found, "id", id=given)
    return given


def _row(sheet: _Sheet, at: int, found: Mapping[str, Any], name: str, year: int) -> LedgerRow:
    """Return a row; what is computed is taken as it stands and computed anew when it is carried over."""
    school, item, stage = (
        (_code(found["school_id"]), _text(found["item"]), _stage(found["stage"]))
        if HAND_ID.fullmatch(name)
        else name.rsplit(SEPARATOR, 2)
    )
    own_year = _year(found["year"]) or year
    return LedgerRow(
        id=name,
        school_id=school,
        school_name=_text(found["school_name"]),
        item=item,
        title=_text(found["title"]),
        stage=stage,
        value=_number(found["value"]),
        limit=_number(found["limit"]),
        gap=_number(found["gap"]),
        unit=_unit(_text(found["unit"])),
        measure=_text(found["measure"]),
        person=_text(found["person"]),
        deadline=date_text(found["deadline"]),
        state=_state(sheet, at, found),
        evidence=_text(found["evidence"]),
        recheck_date=date_text(found["recheck_date"]),
        data_check=_choice("data_check", found, "undecided"),
        proposal=_choice("proposal", found, ""),
        repeated=_flag(found["repeated"]),
        relapsed=_flag(found["relapsed"]),
        first_year=_year(found["first_year"]) or own_year,
        year=own_year,
        school_change=_choice("school_change", found, ""),
        history=_text(found["history"]),
        extra=found["extra"],
    )


def _state(sheet: _Sheet, at: int, found: Mapping[str, Any]) -> Any:
    """Return the state; an empty cell means that nothing was begun."""
    word = _plain(found["state"])
    state = FIELDS["state"].value(word) if word else "not_started"
    if state is None:
        words = [
            FIELDS["state"].word(value, language)
            for language in LANGUAGES
            for value in FIELDS["state"].words or ()
        ]
        raise _refusal("ledger_state_unknown", sheet, at, found, "state", state=word, words=_listed(words))
    return state


def _listed(words: list[str]) -> str:
    """Return words as a list in a message of either language."""
    return label("list_separator", "en").join(words)


def _refusal(
    name: str, sheet: _Sheet, at: int, found: Mapping[str, Any], field: str, **values: object
) -> InputError:
    """Return an error that names sheet, cell and school."""
    school = _text(found["school_name"]) or _code(found["school_id"]) or "–"
    return InputError(name, sheet=sheet.name, cell=sheet.address(at, field), school=school, **values)


def _choice(field: str, found: Mapping[str, Any], default: str) -> Any:
    """Return a computed word, the default where it is not one of the list."""
    return FIELDS[field].value(_plain(found[field])) or default


def _stage(value: object) -> str:
    """Return the code of a stage, people's own word where it is none."""
    return FIELDS["stage"].value(_plain(value)) or _text(value)


def _unit(word: str) -> str:
    """Return the code of a unit, people's own word where it is none."""
    return _units().get(word, word)


@cache
def _units() -> dict[str, str]:
    """Return the units of stocks, then of items, by their words in both languages; the first of equals."""
    columns = (column.name for column in TABLES["school_years"].columns)
    stocks = [term(name).unit for name in columns if has_term(name)]
    items = [item.unit for name in available_standards() for item in load_standard(name).items]
    names = [name for name in dict.fromkeys((*stocks, *items)) if name not in NO_STOCKS]
    return {label(name, language): name for name in reversed(names) for language in LANGUAGES}


def _flag(value: object) -> bool:
    """Return whether a cell says yes."""
    return value is True or _plain(value) in {label("yes", language) for language in LANGUAGES}


def _year(value: object) -> int:
    """Return a school year, 0 where there is none."""
    found = re.match(r"(?:19|20)\d{2}", _code(value))
    return int(found.group()) if found else 0


def _number(value: object) -> float | str:
    """Return a number, people's own text where it is none, missing for an empty cell."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    text = _text(value)
    try:
        return float(text.replace(",", "")) if text else math.nan
    except ValueError:
        return text


def _own(value: object) -> object:
    """Return a cell of a column of people's own."""
    if isinstance(value, dt.datetime):
        return value.date() if value.time() == dt.time() else value.isoformat(sep=" ")
    if isinstance(value, (dt.date, bool)):
        return value
    if isinstance(value, (int, float)):
        return float(value)
    return _text(value)


def _text(value: object) -> str:
    """Return a cell as people typed it."""
    if isinstance(value, str):
        return unguarded(value.strip())
    if isinstance(value, (dt.datetime, dt.date)):
        return date_text(value)
    return _code(value) if value is not None else ""


def _code(value: object) -> str:
    """Return a code, also where a program made it a number."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _text(value) if isinstance(value, str) else str(value) if value is not None else ""


def _plain(value: object) -> str:
    """Return the text of a cell in half width without spaces at its ends."""
    return plain(_text(value))
