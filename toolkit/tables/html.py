"""Tables as accessible HTML: caption, scopes, numbers to the right, raw values for sorting."""

from collections.abc import Mapping
from html import escape

from toolkit.exhibits import caption_html, exhibit_id, labelled, meta_html, notes_html
from toolkit.tables.exhibit import (
    REPLACING_MARKS,
    VERDICT_KINDS,
    Mark,
    TableColumn,
    TableExhibit,
    as_float,
    cell_text,
    mark_symbol,
)
from toolkit.vocabulary import Language, format_number, label, sentence

MarksByCell = Mapping[tuple[int, str], Mark]

# From so many columns on a table is set closer, and printed on a page turned sideways.
WIDE_COLUMNS = 8
LANDSCAPE_COLUMNS = 14
# A table of up to so many rows is kept on one page of paper.
SHORT_ROWS = 14
# A text of more letters is given a wider column on a narrow screen.
LONG_TEXT = 40


def table_html(exhibit: TableExhibit) -> str:
    """Return a table as HTML, or one line when it has no rows. Every text that comes from data is escaped."""
    if exhibit.data.empty:
        return _empty_html(exhibit)
    shown = rows_on_page(exhibit)
    marks = exhibit.marks_by_cell
    values = {column.name: exhibit.data[column.name].tolist() for column in exhibit.columns}
    rows = [_row(exhibit, values, row, marks) for row in shown]
    body_end = len(rows) - exhibit.total_rows
    foot = f"<tfoot>{''.join(rows[body_end:])}</tfoot>" if exhibit.total_rows else ""
    return (
        f'<figure class="{_classes(exhibit, len(rows))}" id="{exhibit_id(exhibit.caption.key)}">'
        f"{meta_html(exhibit.caption)}"
        f'<div class="table-box" tabindex="0" role="region" aria-label="{escape(exhibit.caption.title)}">'
        f'<table><caption><div class="caption">{caption_html(exhibit.caption, "table")}</div></caption>'
        f"<thead><tr>{''.join(_heading(column) for column in exhibit.printed_columns)}</tr></thead>"
        f"<tbody>{''.join(rows[:body_end])}</tbody>{foot}</table></div>"
        f"{notes_html(exhibit.caption, _legend(exhibit, shown, marks))}</figure>"
    )


def _empty_html(exhibit: TableExhibit) -> str:
    """Return a table without rows: its title, and that there is nothing in it."""
    caption = exhibit.caption
    nothing = escape(exhibit.empty_text or label("report_empty_table", caption.language))
    return (
        f'<figure class="exhibit exhibit-table exhibit-empty" id="{exhibit_id(caption.key)}">'
        f"<figcaption>{caption_html(caption, 'table')}</figcaption><p>{nothing}</p>"
        f"{notes_html(caption)}</figure>"
    )


def _classes(exhibit: TableExhibit, n_rows: int) -> str:
    """Return the classes that say how closely a table is set and how it is printed."""
    n_columns = len(exhibit.printed_columns)
    fitting = (
        ("wide", n_columns >= WIDE_COLUMNS),
        ("landscape", n_columns >= LANDSCAPE_COLUMNS),
        ("short", n_rows <= SHORT_ROWS),
    )
    return " ".join(["exhibit", "exhibit-table", *(name for name, applies in fitting if applies)])


def rows_on_page(exhibit: TableExhibit) -> list[int]:
    """Return the positions of the rows on the page: the first ones, and the totals."""
    n_rows = len(exhibit.data)
    first_total = n_rows - exhibit.total_rows
    last = min(exhibit.rows_shown or first_total, first_total)
    return [*range(last), *range(first_total, n_rows)]


def _heading(column: TableColumn) -> str:
    """Return the heading of a column, its unit below; a unit breaks behind its slash only."""
    unit = f' <span class="unit">{escape(column.unit).replace("/", "/<wbr>")}</span>' if column.unit else ""
    numeric = ' class="n"' if column.is_numeric else ""
    return f'<th scope="col"{numeric}>{escape(column.label)}{unit}</th>'


def _row(exhibit: TableExhibit, values: Mapping[str, list], row: int, marks: MarksByCell) -> str:
    """Return one row; its first cell is its heading."""
    first, *others = exhibit.printed_columns
    language = exhibit.caption.language
    heading = _cell_content(values[first.name][row], first, marks.get((row, first.name)), language)
    heading += _below(exhibit.second_line(row, first))
    cells = [
        _cell(values[c.name][row], c, marks.get((row, c.name)), exhibit.second_line(row, c), language)
        for c in others
    ]
    return f'<tr><th scope="row">{heading}</th>{"".join(cells)}</tr>'


def _below(text: str) -> str:
    """Return the second line of a cell."""
    return f"<br><small>{escape(text)}</small>" if text else ""


def _cell(value: object, column: TableColumn, mark: Mark | None, below: str, language: Language) -> str:
    """Return one cell; numbers carry their unrounded value."""
    content = _cell_content(value, column, mark, language) + _below(below)
    if column.kind in VERDICT_KINDS and mark not in REPLACING_MARKS:
        return f'<td class="verdict-{escape(str(value))}">{content}</td>'
    if column.kind in ("code", "flag"):
        return f'<td class="word">{content}</td>'
    if not column.is_numeric:
        return f'<td class="long">{content}</td>' if len(content) > LONG_TEXT else f"<td>{content}</td>"
    raw = "" if mark in REPLACING_MARKS else f' data-v="{as_float(value):.12g}"'
    return f'<td class="n"{raw}>{content}</td>'


def _cell_content(value: object, column: TableColumn, mark: Mark | None, language: Language) -> str:
    """Return the text of a cell with its mark, escaped."""
    if mark is None:
        return escape(cell_text(value, column, language))
    meaning = escape(label(f"report_mark_{mark}_meaning", language))
    symbol = f'<abbr title="{meaning}">{escape(mark_symbol(mark))}</abbr>'
    if mark in REPLACING_MARKS:
        return symbol
    return f"{escape(cell_text(value, column, language))} {symbol}"


def symbols_explained(exhibit: TableExhibit, shown: list[int], marks: MarksByCell) -> str:
    """Return what the symbols in the rows shown mean, empty when there are none to explain."""
    language = exhibit.caption.language
    on_page = set(shown)
    printed = {column.name for column in exhibit.printed_columns}
    used: set[Mark] = {mark for (row, name), mark in marks.items() if row in on_page and name in printed}
    explained = [
        sentence(
            "report_symbol",
            language,
            symbol=mark_symbol(mark),
            meaning=label(f"report_mark_{mark}_meaning", language),
        )
        for mark in sorted(used)
        if not any(mark_symbol(mark) in note for note in exhibit.caption.notes)
    ]
    return label("report_list_separator", language).join(explained)


def _legend(exhibit: TableExhibit, shown: list[int], marks: MarksByCell) -> tuple[str, ...]:
    """Return the lines that explain the symbols used and say how many rows are not shown.

    A symbol that a note of the table explains is left to that note.
    """
    language = exhibit.caption.language
    lines = []
    symbols = symbols_explained(exhibit, shown, marks)
    if symbols:
        lines.append(labelled("report_symbols", symbols, language))
    hidden = len(exhibit.data) - len(shown)
    if hidden:
        counts = {"shown": format_number(len(shown), 0), "total": format_number(len(exhibit.data), 0)}
        lines.append(escape(sentence("report_rows_shown", language, **counts)))
    return tuple(lines)
