"""Sheets as grids of raw values whose positions are those of the file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Position = tuple[int, int]
"""Row and column of a cell, counted from 0."""

Area = tuple[int, int, int, int]
"""First row, first column, last row and last column of a merged range, counted from 0."""


@dataclass(frozen=True, slots=True)
class CellError:
    """A cell without a usable value: an error value, or a formula that was never calculated.

    Attributes
    ----------
    text : str
        The error value; empty for a formula without a stored result.
    """

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet or one text file as rows of raw values.

    Attributes
    ----------
    file, sheet : str
        Names as a person finds them; a text file has no sheet.
    rows : tuple of tuple
        Raw values, all rows of one width; an empty cell is the empty string.
    merged : tuple of Area
        Merged ranges.
    hidden : bool
        Whether the sheet is hidden.
    is_typed : bool
        Whether the file says what its columns hold: it has no totals, notes or headers among its rows.
    """

    file: str
    sheet: str
    rows: tuple[tuple[object, ...], ...]
    merged: tuple[Area, ...] = ()
    hidden: bool = False
    is_typed: bool = False

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.rows[0]) if self.rows else 0


def make_grid(
    file: str,
    sheet: str,
    rows: Sequence[Sequence[object]],
    *,
    merged: tuple[Area, ...] = (),
    hidden: bool = False,
    defects: Mapping[Position, CellError] | None = None,
) -> Grid:
    """Return a grid with rows of equal width, its defects put in and its blank tail cut off."""
    defects = defects or {}
    height = max([len(rows), *(row + 1 for row, _ in defects)])
    width = max([*(len(row) for row in rows), *(column + 1 for _, column in defects), 0])
    padded = [*([*row, *[""] * (width - len(row))] for row in rows)]
    padded += [[""] * width for _ in range(height - len(rows))]
    for (row, column), defect in defects.items():
        padded[row][column] = defect
    while padded and is_blank_row(padded[-1]):
        padded.pop()
    return Grid(file, sheet, tuple(map(tuple, padded)), merged, hidden)


def is_blank(value: object) -> bool:
    """Say whether a raw value is an empty cell (a zero is not)."""
    if isinstance(value, str):
        return not value or not value.strip("\u200b\ufeff \t\r\n\u3000\xa0")
    return value is None


def is_blank_row(row: list[object] | tuple[object, ...]) -> bool:
    """Say whether all cells of a row are empty."""
    return all(is_blank(value) for value in row)


def column_letters(position: int) -> str:
    """Return the letters of a column counted from 0."""
    letters = ""
    position += 1
    while position:
        position, remainder = divmod(position - 1, 26)
        letters = chr(65 + remainder) + letters
    return letters


def column_position(letters: str) -> int:
    """Return the position, counted from 0, of a column's letters."""
    position = 0
    for letter in letters:
        position = position * 26 + ord(letter) - 64
    return position - 1
