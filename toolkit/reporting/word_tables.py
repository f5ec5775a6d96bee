"""Tables of Word documents: ruled by three lines, headings on every page, no wider than the paper."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from toolkit.reporting.word_style import text_width_mm
from toolkit.reporting.word_xml import element, xml_text
from toolkit.tables.exhibit import (
    REPLACING_MARKS,
    VERDICT_KINDS,
    Mark,
    TableColumn,
    TableExhibit,
    cell_text,
    mark_symbol,
)
from toolkit.tables.html import SHORT_ROWS, rows_on_page

if TYPE_CHECKING:
    from docx.oxml.xmlchemy import BaseOxmlElement

MM_PER_POINT = 25.4 / 72
TWIPS_PER_MM = 1440 / 25.4
LATIN_WIDTH = 0.55
PADDING_EM = 0.9
LAST_RESORT_WIDTH = 2
# Smaller letters are taken, too, where they make a table that much lower because fewer lines are broken.
MUCH_LOWER = 0.6
# How far a table with many columns reaches into each margin.
OVERHANG_MM = 8.0


@dataclass(frozen=True, slots=True)
class Breaks:
    """How words are broken: lines of a text, its fewest and most letters in a line, those of a heading."""

    lines: int
    fewest: float
    most: float
    heading: float


ROOMY, CLOSE, TIGHT = Breaks(3, 8, 28, 5), Breaks(4, 6, 28, 4), Breaks(5, 5, 28, 3)


@dataclass(frozen=True, slots=True)
class Setting:
    """A way to set a table: size of the letters, how words are broken, sheet, use of the margins."""

    size: float
    breaks: Breaks = ROOMY
    is_landscape: bool = False
    overhang: float = 0.0

    def room(self, part: float) -> float:
        """Return how many letters of full width a part of the width holds."""
        width = part * text_width_mm(is_landscape=self.is_landscape) + 2 * self.overhang
        return width / (self.size * MM_PER_POINT)


# Settings tried until a table fits, in letters of 五号, 小五 and 六号. A sheet of its own leaves half-empty
# pages before and behind, so that a table is rather set closer.
SETTINGS = (
    Setting(10.5),
    Setting(9.0),
    Setting(9.0, CLOSE, overhang=OVERHANG_MM),
    Setting(7.5),
    Setting(7.5, overhang=OVERHANG_MM),
    Setting(7.5, TIGHT, overhang=OVERHANG_MM),
    Setting(10.5, is_landscape=True),
    Setting(9.0, is_landscape=True),
    Setting(7.5, is_landscape=True),
    Setting(7.5, TIGHT, is_landscape=True),
)


@dataclass(frozen=True, slots=True)
class Fit:
    """How a table fits on the paper: size of its letters, the sheet, the width of each column in mm."""

    size: float
    is_landscape: bool
    widths: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table of texts.

    Attributes
    ----------
    headings : tuple of str
        Headings of the columns; a unit stands on a line of its own.
    rows : tuple of tuple of str
        The cells, each of one line or more.
    aligned : tuple of str
        How each column is set: "left", "right" or "center".
    total_rows : int
        How many of the last rows are totals.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    aligned: tuple[str, ...]
    total_rows: int = 0


def text_table(exhibit: TableExhibit) -> TextTable:
    """Return the rows of a table that a page shows, as they are printed."""
    marks, language = exhibit.marks_by_cell, exhibit.caption.language
    columns = {column.name: exhibit.data[column.name].tolist() for column in exhibit.printed_columns}
    return TextTable(
        headings=tuple(
            f"{column.label}\n{column.unit}" if column.unit else column.label
            for column in exhibit.printed_columns
        ),
        rows=tuple(
            tuple(
                _printed(
                    cell_text(columns[column.name][row], column, language),
                    marks.get((row, column.name)),
                    exhibit.second_line(row, column),
                )
                for column in exhibit.printed_columns
            )
            for row in rows_on_page(exhibit)
        ),
        aligned=tuple(_alignment(column) for column in exhibit.printed_columns),
        total_rows=exhibit.total_rows,
    )


def fit_table(table: TextTable, *, may_turn: bool = True, part: float = 1.0) -> Fit:
    """Return the largest letters at which a table fits, on an upright sheet where that can be read.

    Parameters
    ----------
    table : TextTable
        The table.
    may_turn : bool
        Whether a sheet may be turned sideways; a form keeps its own.
    part : float
        Which part of the width of the text the table may take.
    """
    tried = [setting for setting in SETTINGS if may_turn or not setting.is_landscape]
    fits = [fit for setting in tried if (fit := _fit(table, setting, part)) is not None]
    if not fits:
        return _squeezed(table, tried[-1], part)
    same_way = [fit for fit in fits if fit.is_landscape == fits[0].is_landscape]
    return next(
        (fit for fit in same_way if _height(table, fit) < MUCH_LOWER * _height(table, fits[0])), fits[0]
    )


def _fit(table: TextTable, setting: Setting, part: float) -> Fit | None:
    """Return how a table is set in one way, none if it is too wide for it."""
    columns = range(len(table.headings))
    needed, room = [_needed_em(table, column, setting.breaks) for column in columns], setting.room(part)
    if sum(needed) > room:
        return None
    cells = [_wanted_em(column, table.rows) for column in columns]
    whole = [_wanted_em(column, (table.headings, *table.rows)) for column in columns]
    # A heading broken is one more line, a cell one in every row.
    return Fit(setting.size, setting.is_landscape, _shared_out(needed, (cells, whole), room, setting.size))


def _squeezed(table: TextTable, setting: Setting, part: float) -> Fit:
    """Return how a table too wide for any setting is set: all columns narrower than they need."""
    needed = [_needed_em(table, column, setting.breaks) for column in range(len(table.headings))]
    mm = setting.size * MM_PER_POINT * setting.room(part) / sum(needed)
    return Fit(setting.size, setting.is_landscape, tuple(width * mm for width in needed))


def _height(table: TextTable, fit: Fit) -> float:
    """Return about how high the rows of a table are, in points."""
    return _lines(table, fit) * fit.size


def table_element(table: TextTable, fit: Fit) -> "BaseOxmlElement":
    """Return a table as WordprocessingML."""
    widths = [round(width * TWIPS_PER_MM) for width in fit.widths]
    last_body = len(table.rows) - table.total_rows
    is_short, last = _lines(table, fit) <= SHORT_ROWS, len(table.rows) - 1
    rows = [_row(table.headings, table, fit, widths, is_heading=True, keep=True)]
    rows += [
        _row(
            cells,
            table,
            fit,
            widths,
            is_total=bool(table.total_rows) and position == last_body,
            keep=is_short and position != last,
        )
        for position, cells in enumerate(table.rows)
    ]
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return element(
        f'<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="center"/>'
        '<w:tblBorders><w:top w:val="single" w:sz="12" w:space="0" w:color="000000"/>'
        '<w:bottom w:val="single" w:sz="12" w:space="0" w:color="000000"/></w:tblBorders>'
        '<w:tblLayout w:type="fixed"/>'
        '<w:tblCellMar><w:top w:w="24" w:type="dxa"/><w:left w:w="45" w:type="dxa"/>'
        '<w:bottom w:w="24" w:type="dxa"/><w:right w:w="45" w:type="dxa"/></w:tblCellMar>'
        f"</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"
    )


def em_width(text: str) -> float:
    """Return the width of a text in letters of full width."""
    return sum(1.0 if unicodedata.east_asian_width(sign) in "WFA" else LATIN_WIDTH for sign in text)


def _printed(text: str, mark: Mark | None, below: str) -> str:
    """Return the text of a cell with its mark, and its second line."""
    if mark is not None:
        text = mark_symbol(mark) if mark in REPLACING_MARKS else f"{text} {mark_symbol(mark)}"
    return f"{text}\n{below}" if below else text


def _alignment(column: TableColumn) -> str:
    """Return how a column is set."""
    if column.is_numeric:
        return "right"
    return "center" if column.kind in ("flag", *VERDICT_KINDS) else "left"


def _needed_em(table: TextTable, column: int, breaks: Breaks) -> float:
    """Return the least width of a column: numbers and verdicts unbroken, words in lines of some length."""
    lines = [row[column].split("\n") for row in table.rows]
    words = [line for cell in lines for line in cell]
    widest = 0.0
    if table.aligned[column] != "left":
        # Only what stands below a number may be broken.
        widest = max((em_width(cell[0]) for cell in lines), default=0.0)
        words = [line for cell in lines for line in cell[1:]]
    longest = max((em_width(text) for text in words), default=0.0)
    broken = min(longest, max(longest / breaks.lines, breaks.fewest))
    broken = max(broken, max((_longest_piece(text) for text in words), default=0.0))
    widest = max(widest, min(broken, breaks.most))
    heading = max(
        max(min(em_width(line), breaks.heading), _longest_piece(line))
        for line in table.headings[column].split("\n")
    )
    return max(widest, heading, LAST_RESORT_WIDTH) + PADDING_EM


def _wanted_em(column: int, rows: Sequence[tuple[str, ...]]) -> float:
    """Return the width at which nothing of a column is broken in some rows, up to a limit for words."""
    texts = [text for row in rows for text in row[column].split("\n")]
    return min(max((em_width(text) for text in texts), default=0.0), 2 * ROOMY.most) + PADDING_EM


def _longest_piece(text: str) -> float:
    """Return the width of the longest part of a text that a line does not break: a word or a number."""
    pieces, piece = [0.0], 0.0
    for sign in text:
        breaks = sign.isspace() or unicodedata.east_asian_width(sign) in "WF" or sign in "-/"
        if breaks:
            pieces.append(piece + (LATIN_WIDTH if sign in "-/" else 0))
            piece = 0.0
            if unicodedata.east_asian_width(sign) in "WF":
                pieces.append(1.0)
        else:
            piece += em_width(sign)
    return max(*pieces, piece)


def _shared_out(
    needed: Sequence[float], wanted: Sequence[Sequence[float]], room: float, size: float
) -> tuple[float, ...]:
    """Return widths in mm: what each column needs, and of the rest as much as it wants.

    Several wants are met one after the other.
    """
    widths = list(needed)
    for want in wanted:
        wishes = [max(wish - width, 0.0) for wish, width in zip(want, widths, strict=True)]
        rest = room - sum(widths)
        part = min(1.0, rest / sum(wishes)) if sum(wishes) else 0.0
        widths = [width + part * wish for width, wish in zip(widths, wishes, strict=True)]
    # A table much narrower than the text looks lost: it is stretched.
    stretch = room / sum(widths)
    return tuple(width * stretch * size * MM_PER_POINT for width in widths)


def _lines(table: TextTable, fit: Fit) -> int:
    """Return about how many lines of text the rows of a table take."""
    room = [width / (fit.size * MM_PER_POINT) - PADDING_EM for width in fit.widths]
    return sum(
        max((_cell_lines(text, em) for text, em in zip(row, room, strict=True) if em > 0), default=1)
        for row in table.rows
    )


def _cell_lines(text: str, room: float) -> int:
    """Return about how many lines a cell takes."""
    return sum(max(1, ceil(em_width(line) / room)) for line in text.split("\n"))


def _row(
    cells: Sequence[str],
    table: TextTable,
    fit: Fit,
    widths: Sequence[int],
    *,
    is_heading: bool = False,
    is_total: bool = False,
    keep: bool = False,
) -> str:
    """Return one row; that of the headings is repeated on every page."""
    properties = "<w:cantSplit/><w:tblHeader/>" if is_heading else "<w:cantSplit/>"
    content = "".join(
        _cell(
            text, width, table.aligned[column], fit.size, is_heading=is_heading, is_total=is_total, keep=keep
        )
        for column, (text, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"<w:tr><w:trPr>{properties}</w:trPr>{content}</w:tr>"


def _cell(
    text: str, width: int, aligned: str, size: float, *, is_heading: bool, is_total: bool, keep: bool
) -> str:
    """Return one cell."""
    line = '<w:{0} w:val="single" w:sz="6" w:space="0" w:color="000000"/>'
    borders = line.format("bottom") if is_heading else line.format("top") if is_total else ""
    vertical = "bottom" if is_heading else "center"
    letters = f'<w:rPr>{"<w:b/>" if is_heading else ""}<w:sz w:val="{round(2 * size)}"/></w:rPr>'
    lines = "<w:br/>".join(f'<w:t xml:space="preserve">{xml_text(part)}</w:t>' for part in text.split("\n"))
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/><w:tcBorders>{borders}</w:tcBorders>'
        f'<w:vAlign w:val="{vertical}"/></w:tcPr>'
        f'<w:p><w:pPr><w:pStyle w:val="TableText"/>{"<w:keepNext/>" if keep else ""}'
        # The mark at the end of a paragraph has a size of its own, which would decide how high the row is.
        f'<w:jc w:val="{aligned}"/>{letters}</w:pPr>'
        f"<w:r>{letters}{lines}</w:r></w:p></w:tc>"
    )
