"""A table with its full data, and how each column is to be read."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

from toolkit.exhibits import INTERACTIVE_STYLE, Caption
from toolkit.results import Verdict
from toolkit.vocabulary import Language, format_number, has_term, label, term, unit_label

ColumnKind = Literal["text", "number", "share", "code", "verdict", "met", "flag"]
Mark = Literal["suppressed", "not_available", "not_applicable", "provisional", "unsure"]

NUMERIC_KINDS = ("number", "share")
# Both hold pass, fail or undecided: "verdict" says passed, "met" says that a minimum or limit is met.
VERDICT_KINDS = ("verdict", "met")
# These stand in place of a value; the other marks stand behind one.
REPLACING_MARKS = ("suppressed", "not_available", "not_applicable")

PERCENT = 100
DEFAULT_DECIMALS = 1


@dataclass(frozen=True, slots=True)
class TableColumn:
    """How a column is labelled and printed.

    Attributes
    ----------
    name : str
        Column of the data.
    label : str
        Its heading.
    kind : {"text", "number", "share", "code", "verdict", "met", "flag"}
        "share" is in [0, 1] and printed as a percentage; "code" is a code name of the
        vocabulary; "verdict" and "met" are pass, fail or undecided, the former of a judgement,
        the latter of a minimum or limit; "flag" is true or false.
    unit : str
        Printed below the heading, empty when there is none.
    decimals : int
        Decimals printed; the data keep all.
    trims_whole : bool
        Whether whole numbers are printed without decimals: for a column of rows in different units.
    in_files_only : bool
        Whether pages leave the column out, since another says the same in words: codes, bare numbers.
    below : str
        Another column, printed on a second line of the same cell; empty for none.
    """

    name: str
    label: str
    kind: ColumnKind = "text"
    unit: str = ""
    decimals: int = DEFAULT_DECIMALS
    trims_whole: bool = False
    in_files_only: bool = False
    below: str = ""

    def __post_init__(self) -> None:
        if self.kind not in get_args(ColumnKind):
            raise ValueError(f"kind must be one of {get_args(ColumnKind)}, not {self.kind!r}")

    @property
    def is_numeric(self) -> bool:
        """Whether its values are numbers, set to the right."""
        return self.kind in NUMERIC_KINDS


@dataclass(frozen=True, slots=True)
class CellMark:
    """A symbol at one cell: the row by position in the data, the column by name."""

    row: int
    column: str
    mark: Mark


@dataclass(frozen=True, slots=True, eq=False)
class TableExhibit:
    """A table as it stands on a page. As the last expression of a notebook cell it shows itself.

    The first column names the rows. Missing values are shown with the mark "not available".

    Attributes
    ----------
    caption : Caption
        Title, unit, sample size, interval type, source, notes.
    columns : tuple of TableColumn
        The columns shown and exported, in order.
    data : pandas.DataFrame
        Unrounded values, one row per row of the table.
    marks : tuple of CellMark
        Symbols at single cells.
    total_rows : int
        How many of the last rows are totals; they stay at the end when a reader sorts.
    rows_shown : int
        How many rows the page shows, 0 for all. The files hold all of them.
    empty_text : str
        What stands in place of a table without rows, "None." when this is empty. A table whose
        rows an edition withholds must say so here: it is not without content.
    """

    caption: Caption
    columns: tuple[TableColumn, ...]
    data: pd.DataFrame
    marks: tuple[CellMark, ...] = ()
    total_rows: int = 0
    rows_shown: int = 0
    empty_text: str = ""

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        absent = [name for name in names if name not in self.data.columns]
        if absent:
            raise ValueError(f"table {self.caption.key!r}: the data have no column {', '.join(absent)}")
        second = {column.below for column in self.columns if column.below} - set(names)
        if second:
            raise ValueError(f"table {self.caption.key!r}: no column {', '.join(sorted(second))}")
        misplaced = [mark for mark in self.marks if mark.column not in names or mark.row >= len(self.data)]
        if misplaced:
            raise ValueError(f"table {self.caption.key!r}: mark at no cell of the table: {misplaced[0]}")

    @property
    def marks_by_cell(self) -> dict[tuple[int, str], Mark]:
        """The mark of each marked cell, by row and column; "not available" where a value is missing."""
        marks: dict[tuple[int, str], Mark] = {(mark.row, mark.column): mark.mark for mark in self.marks}
        for column in self.columns:
            for row, value in enumerate(self.data[column.name].tolist()):
                if is_missing(value) and marks.get((row, column.name)) not in REPLACING_MARKS:
                    marks[row, column.name] = "not_available"
        return marks

    @property
    def printed_columns(self) -> tuple[TableColumn, ...]:
        """The columns that a page shows."""
        return tuple(column for column in self.columns if not column.in_files_only)

    def second_line(self, row: int, column: TableColumn) -> str:
        """Return the text below a cell, empty when there is none."""
        if not column.below:
            return ""
        below = next(other for other in self.columns if other.name == column.below)
        return cell_text(self.data[below.name].iloc[row], below, self.caption.language)

    def tidy(self) -> pd.DataFrame:
        """Return the columns of the table with their unrounded values."""
        return self.data.loc[:, [column.name for column in self.columns]].reset_index(drop=True)

    def __repr__(self) -> str:
        # Jupyter keeps it beside the HTML of every cell; writing out the values took longer than the page.
        return f"<{type(self).__name__} {self.caption.key}: {len(self.data)} rows>"

    def _repr_html_(self) -> str:
        from toolkit.tables.html import table_html

        return INTERACTIVE_STYLE + table_html(self)


def vocabulary_column(
    name: str,
    language: Language,
    *,
    kind: ColumnKind | None = None,
    decimals: int | None = None,
    trims_whole: bool = False,
    in_files_only: bool = False,
    below: str = "",
) -> TableColumn:
    """Return a column whose label, unit and decimals are those of its name in the vocabulary.

    Parameters
    ----------
    name : str
        Column of the data and code name in the vocabulary.
    language : {"zh", "en"}
        Language of the labels.
    kind : str, optional
        By default "number" where the vocabulary gives decimals, else "text".
    decimals : int, optional
        Decimals in place of the vocabulary's.
    trims_whole : bool
        Whether whole numbers are printed without decimals.
    in_files_only : bool
        Whether pages leave the column out.
    below : str
        Another column, printed on a second line of the same cell.
    """
    entry = term(name)
    chosen = kind or ("text" if entry.decimals is None else "number")
    printed = entry.decimals if decimals is None else decimals
    return TableColumn(
        name=name,
        label=label(name, language),
        kind=chosen,
        unit=unit_label(name, language),
        decimals=DEFAULT_DECIMALS if printed is None else printed,
        trims_whole=trims_whole,
        in_files_only=in_files_only,
        below=below,
    )


def cell_text(value: object, column: TableColumn, language: Language) -> str:
    """Return a value as it is printed in its column; empty when it is missing."""
    if is_missing(value):
        return ""
    match column.kind:
        case "number":
            number = as_float(value)
            whole = column.trims_whole and number.is_integer()
            return format_number(number, 0 if whole else column.decimals)
        case "share":
            return f"{format_number(as_float(value) * PERCENT, column.decimals)}%"
        case "code":
            return label(str(value), language) if has_term(str(value)) else str(value)
        case "verdict" | "met":
            return verdict_text(str(value), language, kind=column.kind)
        case "flag":
            return label("report_yes" if value else "report_no", language)
        case _:
            return plain_text(value)


def verdict_text(verdict: str, language: Language, *, kind: Literal["verdict", "met"] = "verdict") -> str:
    """Return a verdict with its sign, so that colour is not the only cue."""
    if verdict not in get_args(Verdict):
        raise ValueError(f"verdict must be one of {get_args(Verdict)}, not {verdict!r}")
    return label(f"report_{kind}_{verdict}", language)


def plain_text(value: object) -> str:
    """Return a text, whole number, year or date as people write it."""
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def mark_symbol(mark: Mark) -> str:
    """Return the symbol of a mark, the same in both languages."""
    return label(f"report_mark_{mark}", "zh")


def is_missing(value: object) -> bool:
    """Say whether a cell has no value."""
    return (
        value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))
    )


def as_float(value: object) -> float:
    """Return a number of any numeric type as a float."""
    return float(value)  # pyright: ignore[reportArgumentType]
