"""The public edition: small cells of person-level tables withheld, schools in no order of a result."""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.figures.theme import pinyin_order
from toolkit.tables.exhibit import CellMark, TableExhibit
from toolkit.vocabulary import sentence

Edition = Literal["internal", "public"]
Cell = tuple[int, int]

TOTAL = "total"
SCHOOL = "school_name"
# Tables that judge schools and other subjects name both in one column.
SCHOOL_COLUMNS = {"readings": "name"}


@dataclass(frozen=True, slots=True)
class SuppressedCounts:
    """A table of counts with its totals, and which cells a public edition withholds.

    Attributes
    ----------
    counts : pandas.DataFrame
        The counts with a row and a column "total" added.
    withheld : pandas.DataFrame of bool
        The same shape; true where a cell is withheld.
    """

    counts: pd.DataFrame
    withheld: pd.DataFrame


@cache
def minimum_cell() -> int:
    """Return the smallest number of persons that the public edition shows."""
    path = Path(__file__).with_name("disclosure.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))["minimum_cell"]


def suppress_counts(counts: pd.DataFrame, *, minimum: int | None = None) -> SuppressedCounts:
    """Add totals to a table of persons and choose the cells that must be withheld.

    Withheld are counts from 1 to `minimum` - 1, totals included, and further cells until no
    withheld one follows from the others by adding and subtracting along rows and columns. Zeros are
    shown: nobody is in them.

    Parameters
    ----------
    counts : pandas.DataFrame, (n_rows, n_columns)
        Persons in each cell, without totals.
    minimum : int, optional
        By default the one of the public edition.

    Notes
    -----
    With rows and columns as nodes and withheld cells as edges, a withheld cell can be
    computed exactly if and only if it lies on no cycle (Gusfield 1988, SIAM J. Comput. 17(3),
    552-571). For each such cell the rectangle that withholds the fewest further persons is closed.
    Bounds that follow from counts being no less than zero are not widened further.
    """
    limit = minimum_cell() if minimum is None else minimum
    table = _with_totals(counts)
    values = table.to_numpy(dtype=float)
    withheld = (values > 0) & (values < limit)
    while exposed := _cells_on_no_cycle(withheld):
        for row, column in _cheapest_rectangle(values, withheld, exposed[0]):
            withheld[row, column] = True
    return SuppressedCounts(table, pd.DataFrame(withheld, index=table.index, columns=table.columns))


def suppress_small_samples(
    exhibit: TableExhibit, persons: pd.Series, columns: Iterable[str], *, edition: Edition
) -> TableExhibit:
    """Return the table as an edition shows it: statistics of few persons withheld.

    Parameters
    ----------
    exhibit : TableExhibit
        A table whose rows summarise persons.
    persons : pandas.Series of float, (n_rows,)
        Number of persons behind each row, in the order of the table.
    columns : iterable of str
        The columns to withhold.
    edition : {"internal", "public"}
        The internal edition shows all.
    """
    small = [row for row, number in enumerate(persons) if 0 < number < minimum_cell()]
    if edition == "internal" or not small:
        return exhibit
    return _withhold(exhibit, [CellMark(row, name, "suppressed") for row, name in product(small, columns)])


def suppress_count_table(exhibit: TableExhibit, withheld: pd.DataFrame, *, edition: Edition) -> TableExhibit:
    """Return a table of counts as an edition shows it.

    Parameters
    ----------
    exhibit : TableExhibit
        Its data have the rows of `withheld` in the same order.
    withheld : pandas.DataFrame of bool
        From `suppress_counts`; its columns are columns of the table.
    edition : {"internal", "public"}
        The internal edition shows all.
    """
    if edition == "internal" or not withheld.to_numpy().any():
        return exhibit
    cells = np.argwhere(withheld.to_numpy())
    return _withhold(
        exhibit, [CellMark(int(row), str(withheld.columns[column]), "suppressed") for row, column in cells]
    )


def singles_out_schools(edition: Edition) -> bool:
    """Say whether an edition may name single schools by a result.

    The public edition does not: it shows every school in the order of the pinyin, or the distribution
    without names. The verdicts of the schools themselves are public.
    """
    return edition == "internal"


def order_of_schools(
    schools: pd.DataFrame, *, edition: Edition, by: str, name: str = "school_name"
) -> pd.DataFrame:
    """Return schools in the order an edition may show: by a result, or by the pinyin of their names."""
    if edition == "internal":
        return schools.sort_values([by, name], kind="stable").reset_index(drop=True)
    return schools.sort_values(name, key=_pinyin_places, kind="stable").reset_index(drop=True)


def in_pinyin_order(exhibit: TableExhibit) -> TableExhibit:
    """Return a table with its schools in the order of their pinyin, others as they are.

    Blocks stay where they are: rows of one stage, and of equal cells before the name of the school,
    such as one coefficient.
    """
    columns = [column.name for column in exhibit.columns]
    school = SCHOOL_COLUMNS.get(exhibit.caption.key, SCHOOL)
    if school not in columns:
        return exhibit
    data = exhibit.data.reset_index(drop=True)
    blocks = [*columns[: columns.index(school)], *(name for name in columns if name == "stage")]
    block = data.groupby(blocks, sort=False, dropna=False).ngroup() if blocks else 0
    totals = data.index >= len(data) - exhibit.total_rows
    keys = pd.DataFrame({"total": totals, "block": block, "place": _pinyin_places(data[school])})
    order = keys.sort_values(["total", "block", "place"], kind="stable").index.tolist()
    marks = tuple(replace(mark, row=order.index(mark.row)) for mark in exhibit.marks)
    return replace(exhibit, data=data.loc[order].reset_index(drop=True), marks=marks)


def _pinyin_places(names: pd.Series) -> pd.Series:
    """Return the place of each name in the order of the pinyin."""
    place = {school: position for position, school in enumerate(pinyin_order(set(names)))}
    return names.map(place)


def _withhold(exhibit: TableExhibit, marks: list[CellMark]) -> TableExhibit:
    """Return the table with cells withheld: their values are gone from the data, too."""
    data = exhibit.data.reset_index(drop=True).copy()
    for name in {mark.column for mark in marks}:
        rows = [mark.row for mark in marks if mark.column == name]
        data[name] = data[name].astype(object).mask(data.index.isin(rows))
    covered = {(mark.row, mark.column) for mark in marks}
    others = tuple(mark for mark in exhibit.marks if (mark.row, mark.column) not in covered)
    caption = exhibit.caption
    note = sentence("report_suppression_note", caption.language, minimum=minimum_cell())
    return replace(
        exhibit,
        data=data,
        marks=(*others, *marks),
        caption=replace(caption, notes=(*caption.notes, note)),
    )


def _with_totals(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the table with a column and a row of totals."""
    table = counts.assign(**{TOTAL: counts.sum(axis=1)})
    table.loc[TOTAL] = table.sum(axis=0)
    return table


def _cells_on_no_cycle(withheld: NDArray[np.bool_]) -> list[Cell]:
    """Return the withheld cells that follow from the rest of the table."""
    cells = [(int(row), int(column)) for row, column in np.argwhere(withheld)]
    return [cell for cell in cells if not _still_connected(withheld, cell)]


def _still_connected(withheld: NDArray[np.bool_], cell: Cell) -> bool:
    """Say whether the row and the column of a cell are linked by other withheld cells."""
    row, column = cell
    rows, columns = {row}, set[int]()
    waiting = [("row", row)]
    while waiting:
        side, position = waiting.pop()
        if side == "row":
            found = {
                int(j) for j in np.flatnonzero(withheld[position]) if (position, int(j)) != cell
            } - columns
            columns |= found
            waiting += [("column", j) for j in found]
        else:
            found = {
                int(i) for i in np.flatnonzero(withheld[:, position]) if (int(i), position) != cell
            } - rows
            rows |= found
            waiting += [("row", i) for i in found]
    return column in columns


def _cheapest_rectangle(
    values: NDArray[np.float64], withheld: NDArray[np.bool_], cell: Cell
) -> tuple[Cell, Cell, Cell]:
    """Return the other corners of the rectangle through a cell that withholds the fewest persons."""
    return min(
        _rectangles(values.shape, cell), key=lambda corners: (_cost(values, withheld, corners), corners)
    )


def _rectangles(shape: tuple[int, ...], cell: Cell) -> Iterator[tuple[Cell, Cell, Cell]]:
    """Give the other three corners of every rectangle with one corner at a cell."""
    row, column = cell
    for i, j in product(range(shape[0]), range(shape[1])):
        if i != row and j != column:
            yield (row, j), (i, column), (i, j)


def _cost(
    values: NDArray[np.float64], withheld: NDArray[np.bool_], corners: tuple[Cell, Cell, Cell]
) -> tuple[int, float]:
    """Return zeros, which everyone can guess, and persons that a rectangle newly withholds."""
    new = [values[corner] for corner in corners if not withheld[corner]]
    return sum(value == 0 for value in new), float(sum(new))
