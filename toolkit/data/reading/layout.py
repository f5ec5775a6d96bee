"""Where the header of a sheet stands and which table the sheet holds."""

import re
from dataclasses import dataclass
from itertools import pairwise

from toolkit.data.reading.cells import Grid, column_letters, is_blank
from toolkit.data.reading.headers import Match, is_annotation, match_header, stage_of
from toolkit.data.schema import TABLES
from toolkit.data.text import squash, visible
from toolkit.data.words import INSTRUCTION_SHEETS
from toolkit.vocabulary import label

_LAST_HEADER_START = 25
_DEEPEST_HEADER = 4
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)")
_NUMBER_LIKE = re.compile(r"[-+]?[\d.,]+%?")
_INSTRUCTIONS = frozenset(map(squash, INSTRUCTION_SHEETS))


@dataclass(frozen=True, slots=True)
class Heading:
    """One column of a sheet: its position, the texts above it and what they stand for."""

    position: int
    parts: tuple[str, ...]
    match: Match

    @property
    def text(self) -> str:
        """The header as one text."""
        return " ".join(self.parts)

    @property
    def letters(self) -> str:
        """The letters of the column."""
        return column_letters(self.position)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of a sheet are to be read.

    Attributes
    ----------
    table : str
        Name of the table.
    first_header, first_row : int
        Rows, counted from 0, where the header and the data begin.
    headings : tuple of Heading
        Columns that have a header.
    stage : str
        Stage that the sheet as a whole is about, empty when none.
    year : str
        School year told by the sheet's name or a title, empty when none.
    unit_note : str
        Text of a note above the header that declares units.
    """

    table: str
    first_header: int
    first_row: int
    headings: tuple[Heading, ...]
    stage: str
    year: str
    unit_note: str

    @property
    def known(self) -> float:
        """Number of different columns that are known; one whose stage is open counts a little less."""
        return _known({heading.match for heading in self.headings})


@dataclass(frozen=True, slots=True)
class _Header:
    """Rows that may be a header: the first, their number, the stage told above and the texts by column."""

    start: int
    depth: int
    stage: str
    texts: tuple[tuple[str, ...], ...]
    filled: int


def table_named(name: str) -> str:
    """Return the table that a sheet or file name stands for: exactly, or as the longest name in it."""
    plain = squash(re.sub(r"\.\w{2,7}$", "", name))
    names = {
        squash(text): table.name
        for table in TABLES.values()
        for text in (
            label(f"table_{table.name}", "zh"),
            label(f"table_{table.name}", "en"),
            table.name,
            *table.aliases,
        )
    }
    if plain in names:
        return names[plain]
    if is_instruction_sheet(name):
        return ""
    inside = [known for known in names if len(known) >= 3 and known in plain]
    return names[max(inside, key=len)] if inside else ""


def is_instruction_sheet(name: str) -> bool:
    """Say whether a sheet only explains."""
    plain = squash(name)
    return any(plain.endswith(word) or plain.startswith(word) for word in _INSTRUCTIONS)


def find_layout(grid: Grid) -> Layout | None:
    """Find the table and the header of a sheet; None when it holds no table of the contract.

    The name of the sheet decides; where it tells nothing, or its header does not fit, the table
    whose columns explain most of the header does, if it is the only one.
    """
    named = table_named(grid.sheet or grid.file)
    headers = _possible_headers(grid)
    layout = find_header(grid, named, headers) if named else None
    if is_instruction_sheet(grid.sheet) or (layout is not None and layout.known * 2 >= len(layout.headings)):
        return layout
    others = [
        found
        for table in TABLES
        if table != named and (found := find_header(grid, table, headers)) is not None
    ]
    others.sort(key=lambda found: -found.known)
    best = others[0] if others else None
    if layout is not None and (best is None or layout.known >= 2 or best.known < 4):
        return layout
    if best is None or best.known < 3 or not _has_key(best):
        return layout
    if len(others) > 1 and others[1].known == best.known and _has_key(others[1]):
        return layout
    return best


def find_header(grid: Grid, table: str, headers: tuple[_Header, ...]) -> Layout | None:
    """Find the rows of a sheet that name most columns of one table."""
    best: _Header | None = None
    best_rank: tuple[float, int, int] = (0.0, 0, 0)
    for header in headers:
        if header.filled < max(best_rank[0], 1.8):
            continue
        matches = {match_header(parts, table, header.stage) for parts in header.texts if parts}
        rank = (_known(matches), -header.depth, -header.start)
        if rank[0] >= 1.8 and (best is None or rank > best_rank):
            best, best_rank = header, rank
    if best is None:
        return None
    return _with_annotation_rows(grid, _layout(grid, table, best.start, best.depth))


def _possible_headers(grid: Grid) -> tuple[_Header, ...]:
    """Return all runs of rows near the top of a sheet that may be its header."""
    shown = _shown_rows(grid, _LAST_HEADER_START + _DEEPEST_HEADER)
    wordy = [_is_wordy(row) for row in grid.rows[: len(shown)]]
    headers = []
    for start in range(min(_LAST_HEADER_START, len(shown))):
        stage = _stage_above(grid, start)
        for depth in range(1, min(_DEEPEST_HEADER, len(shown) - start) + 1):
            if not wordy[start + depth - 1]:
                break
            texts = tuple(_header_texts(grid, shown[start : start + depth], start))
            headers.append(_Header(start, depth, stage, texts, sum(map(bool, texts))))
    return tuple(headers)


def _known(matches: set[Match]) -> float:
    """Return the number of different columns that are known; one whose stage is open counts less."""
    named = {(match.column, match.stem, match.part, match.stage) for match in matches if match.is_known}
    return sum(1.0 if column or stage else 0.9 for column, _, _, stage in named)


def _layout(grid: Grid, table: str, start: int, depth: int) -> Layout:
    texts = _header_texts(grid, _shown_rows(grid, start + depth)[start:], start)
    titles = _titles(grid, start)
    stage = _stage_above(grid, start)
    headings = tuple(
        Heading(position, parts, match_header(parts, table, stage))
        for position, parts in enumerate(texts)
        if parts
    )
    year = next((found for text in (grid.sheet, *titles, grid.file) if (found := _year_in(text))), "")
    note = " ".join(title for title in titles if "单位" in title)
    return Layout(table, start, start + depth, headings, stage, year, note)


def _titles(grid: Grid, start: int) -> list[str]:
    """Return the texts above a header."""
    return [
        visible(str(value)) for row in grid.rows[:start] for value in row if isinstance(value, str) and value
    ]


def _stage_above(grid: Grid, start: int) -> str:
    """Return the stage that the sheet's name, or else the first title that says one, is about."""
    return next((found for text in (grid.sheet, *_titles(grid, start)) if (found := stage_of(text))), "")


def _shown_rows(grid: Grid, count: int) -> list[list[str]]:
    """Return the texts of the first rows; what cannot be part of a header is empty."""
    return [
        [visible(str(value)) if _may_be_header(value) else "" for value in row] for row in grid.rows[:count]
    ]


def _with_annotation_rows(grid: Grid, layout: Layout) -> Layout:
    """Take rows of units, remarks or column numbers below the header into it."""
    row = layout.first_row
    while row < len(grid.rows) and _is_annotation_row(grid.rows[row]):
        row += 1
    if row == layout.first_row:
        return layout
    return _layout(grid, layout.table, layout.first_header, row - layout.first_header)


def _is_annotation_row(row: tuple[object, ...]) -> bool:
    """Say whether a row only holds units and remarks, or numbers the columns (甲 乙 1 2 3)."""
    filled = [value for value in row if not is_blank(value)]
    texts = [value.strip() for value in filled if isinstance(value, str)]
    words = [text for text in texts if not text.isdigit()]
    others = [value for value in filled if not isinstance(value, str)]
    numbers = [float(text) for text in texts if text.isdigit()]
    numbers += [
        float(value) for value in others if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    if not filled or len(words) + len(numbers) < len(filled) or not all(map(is_annotation, words)):
        return False
    counts = len(numbers) > 2 and numbers[0] in (0, 1) and all(b - a == 1 for a, b in pairwise(numbers))
    return counts or not numbers


def _header_texts(grid: Grid, shown: list[list[str]], start: int) -> list[tuple[str, ...]]:
    """Return the texts above each column, merged and left-blank cells filled from the left."""
    rows = [list(row) for row in shown]
    depth = len(rows)
    merged_rows = set()
    for top, left, bottom, right in grid.merged:
        if top >= start + depth or bottom < start:
            continue
        text = rows[top - start][left] if top >= start and left < grid.width else ""
        for row in range(max(top, start), min(bottom, start + depth - 1) + 1):
            merged_rows.add(row - start)
            for column in range(left, min(right, grid.width - 1) + 1):
                rows[row - start][column] = text
    for number, row in enumerate(rows[:-1]):
        if number not in merged_rows:
            _fill_right(row, rows[number + 1 :])
    return [
        tuple(dict.fromkeys(text for text in (row[column] for row in rows) if text))
        for column in range(grid.width)
    ]


def _fill_right(row: list[str], below: list[list[str]]) -> None:
    """Fill the blanks right of a text where a lower header row has a text of its own."""
    last = ""
    for column, text in enumerate(row):
        if text:
            last = text
        elif last and any(lower[column] for lower in below):
            row[column] = last
        else:
            last = ""


def _may_be_header(value: object) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool) and not is_blank(value)


def _is_wordy(row: tuple[object, ...]) -> bool:
    """Say whether a row may belong to a header: it has words, and not mostly numbers."""
    filled = [value for value in row if not is_blank(value)]
    words = [
        value for value in filled if isinstance(value, str) and not _NUMBER_LIKE.fullmatch(value.strip())
    ]
    return bool(words) and len(words) * 2 >= len(filled)


def _has_key(layout: Layout) -> bool:
    """Say whether the header has a column that identifies rows."""
    key = {"school_id", "school_name", *TABLES[layout.table].key}
    return any(heading.match.column in key - {"year", "stage", "subject"} for heading in layout.headings)


def _year_in(text: str) -> str:
    years = _YEAR.findall(text)
    if len(years) == 2 and int(years[1]) - int(years[0]) == 1:
        return years[0]
    return years[0] if len(set(years)) == 1 else ""


def relate_layout(grid: Grid, layout: Layout, table: str) -> Layout:
    """Return the same header rows matched to the columns of another table."""
    return _layout(grid, table, layout.first_header, layout.first_row - layout.first_header)
