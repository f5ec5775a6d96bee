"""Which rows below a header are data, and why the others are not."""

import re
import unicodedata
from itertools import islice

from toolkit.data.reading.cells import Grid, is_blank
from toolkit.data.reading.layout import Layout
from toolkit.data.reading.quantities import convert_numbers
from toolkit.data.schema import TABLES
from toolkit.data.text import squash, visible
from toolkit.data.words import NOTES, TOTAL_EDGES, TOTALS

_TOTALS = frozenset(map(squash, TOTALS))
_NOTES = tuple(unicodedata.normalize("NFKC", word).lower() for word in NOTES)
_SECTION = re.compile(r"[(（]?[一二三四五六七八九十]{1,3}[)）]?[、.．]")
_LONG_NOTE = 25


def classify_rows(grid: Grid, layout: Layout) -> dict[int, str]:
    """Return the fate of each row of a sheet, counted from 1: empty for data, else the reason."""
    fates = {}
    for row in range(layout.first_row):
        blank = all(is_blank(value) for value in grid.rows[row])
        header = row >= layout.first_header
        fates[row + 1] = "blank_row" if blank else "header_row" if header else "note_above"
    known = [heading.position for heading in layout.headings if heading.match.is_known]
    codes = _code_positions(layout)
    header = {
        heading.position: squash(heading.parts[-1]) for heading in layout.headings if heading.match.is_known
    }
    explaining = _explaining_rows(grid, layout)
    for row in range(layout.first_row, len(grid.rows)):
        cells = grid.rows[row]
        if row in explaining:
            fates[row + 1] = "note_row"
        elif all(is_blank(cells[position]) for position in known):
            fates[row + 1] = _fate_without_values(cells)
        elif grid.is_typed:
            fates[row + 1] = ""
        else:
            fates[row + 1] = _fate(cells, codes, header)
    return fates


def _fate_without_values(cells: tuple[object, ...]) -> str:
    texts = [visible(value) for value in cells if isinstance(value, str) and not is_blank(value)]
    if any(_is_total(text, has_code=False) for text in texts):
        return "total_row"
    return "note_row" if texts else "blank_row"


def _fate(cells: tuple[object, ...], codes: list[int], header: dict[int, str]) -> str:
    filled = list(islice((value for value in cells if not is_blank(value)), 4))
    texts = [visible(value) for value in filled if isinstance(value, str)]
    has_code = any(_is_code(cells[position]) for position in codes)
    if any(_is_total(text, has_code=has_code) for text in texts[:3]):
        return "total_row"
    if texts and filled[0] is not None and _is_note(texts[0], alone=len(filled) == 1):
        return "note_row"
    if len(filled) == 1 and texts and _SECTION.match(texts[0]):
        return "section_row"
    return "repeated_header" if _repeats(cells, header) else ""


def _repeats(cells: tuple[object, ...], header: dict[int, str]) -> bool:
    """Say whether at least two cells, and half of them, say what the header says."""
    may_differ = min(len(header) // 2, len(header) - 2)
    for at, text in header.items():
        value = cells[at]
        if not isinstance(value, str) or squash(value) != text:
            may_differ -= 1
            if may_differ < 0:
                return False
    return may_differ >= 0


def _is_code(value: object) -> bool:
    """Say whether a cell of a code column holds a code, and not the word for a total."""
    return not is_blank(value) and not (isinstance(value, str) and _is_total(value, has_code=False))


def _is_total(text: str, *, has_code: bool) -> bool:
    plain = squash(text)
    if plain in _TOTALS:
        return True
    return not has_code and len(plain) <= 14 and plain.startswith(TOTAL_EDGES) | plain.endswith(TOTAL_EDGES)


def _is_note(text: str, *, alone: bool) -> bool:
    plain = unicodedata.normalize("NFKC", text).lower().replace(" ", "")
    return plain.startswith(_NOTES) or (alone and len(plain) > _LONG_NOTE)


def _code_positions(layout: Layout) -> list[int]:
    table = TABLES[layout.table]
    return [
        heading.position
        for heading in layout.headings
        if heading.match.column in table.column_names and table.column(heading.match.column).kind == "code"
    ]


def _explaining_rows(grid: Grid, layout: Layout) -> set[int]:
    """Return up to three rows right below the header that explain the columns in words."""
    table = TABLES[layout.table]
    measured = [
        (heading.position, table.column(heading.match.column))
        for heading in layout.headings
        if heading.match.column in table.column_names and table.column(heading.match.column).is_numeric
    ]
    found: set[int] = set()
    for row in range(layout.first_row, min(layout.first_row + 3, len(grid.rows))):
        cells = [(grid.rows[row][at], column) for at, column in measured if not is_blank(grid.rows[row][at])]
        wordy = [
            isinstance(value, str) and bool(convert_numbers([value], column).issues)
            for value, column in cells
        ]
        # Every number would be unreadable: two words in a row of data can be mistakes, three cannot.
        if len(wordy) < 3 or not all(wordy):
            break
        found.add(row)
    return found
