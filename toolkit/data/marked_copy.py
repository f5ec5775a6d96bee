"""A copy of the user's data in which every problem is marked where it stands."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from toolkit.data.county import Reading
from toolkit.data.problems import Problem, Severity
from toolkit.data.reading.cells import Grid
from toolkit.data.reading.sources import read_sources
from toolkit.errors import InputError
from toolkit.vocabulary import Language, has_term, label, sentence

FILLS: Mapping[Severity, PatternFill] = {
    "error": PatternFill("solid", start_color="FFC7CE"),
    "warning": PatternFill("solid", start_color="FFEB9C"),
    "notice": PatternFill("solid", start_color="BDD7EE"),
}
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "notice")
HEADINGS = ("number", "severity", "file", "sheet", "cell", "column", "school", "message", "remedy")
WIDTHS = (6, 10, 18, 14, 9, 26, 22, 60, 60)
LIST_START = 4
NOTE_WIDTH, LINE_HEIGHT = 360, 18
LONGEST_NOTE = 2000
# Copying a larger table cell by cell takes minutes; its problems are listed without a copy.
LARGEST_COPY = 400_000
LAST_NAME = 9
KEPT_SUFFIXES = (".xlsx", ".xlsm")

Place = tuple[str, str]
"""File and sheet."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """A workbook to mark, which sheet holds which part of the input, and whether its looks were kept."""

    workbook: Workbook
    sheets: Mapping[Place, Worksheet]
    keeps_format: bool


def write_marked_copy(
    reading: Reading,
    problems: Sequence[Problem],
    source: Path,
    target: Path,
    *,
    language: Language = "zh",
) -> Path:
    """Write a copy of the input with a list of all problems and a coloured cell and note for each.

    A workbook keeps its formats, formulas and other sheets. Other inputs (folders, text, xls) become
    a new workbook in which every cell stands at its address in the input.

    Parameters
    ----------
    reading : Reading
        The county as it was read.
    problems : sequence of Problem
        What to mark.
    source : pathlib.Path
        The file or folder that was read; it is not changed.
    target : pathlib.Path
        The copy (.xlsx, or .xlsm as the source).
    language : {"zh", "en"}
        Language of the list and the notes.

    Returns
    -------
    pathlib.Path
        The file written: another name than `target` when that is open in another program.

    Raises
    ------
    InputError
        If the copy would replace the source, or cannot be written under any name.
    """
    if target.resolve() == source.resolve():
        raise InputError("marked_copy_replaces_source", file=target.name)
    copy = _open_copy(source, problems)
    _mark(copy, problems, language)
    _write_list(copy, problems, reading.county.name, language)
    content = io.BytesIO()
    copy.workbook.save(content)
    return _put(content.getvalue(), target)


def _open_copy(source: Path, problems: Iterable[Problem]) -> _Copy:
    """Open the workbook as it is, or build one from the contents of other inputs."""
    if source.suffix.lower() in KEPT_SUFFIXES and source.is_file():
        try:
            workbook = load_workbook(source, keep_vba=source.suffix.lower() == ".xlsm", rich_text=True)
        except (InvalidFileException, BadZipFile, KeyError, TypeError, ValueError):
            # Not a workbook within, or styles that only its own program understands.
            return _rebuilt(source, problems)
        return _Copy(workbook, {(source.name, sheet.title): sheet for sheet in workbook.worksheets}, True)
    return _rebuilt(source, problems)


def _rebuilt(source: Path, problems: Iterable[Problem]) -> _Copy:
    concerned = {(problem.file, problem.sheet) for problem in problems if problem.cell}
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    sheets = {}
    for grid in read_sources(source).grids:
        if (grid.file, grid.sheet) in concerned and len(grid.rows) * grid.width <= LARGEST_COPY:
            sheets[grid.file, grid.sheet] = _copied(workbook, grid)
    return _Copy(workbook, sheets, False)


def _copied(workbook: Workbook, grid: Grid) -> Worksheet:
    title = grid.sheet or Path(grid.file).stem
    sheet = workbook.create_sheet("".join("_" if mark in r"[]:*?/\\" else mark for mark in title)[:28])
    for row, values in enumerate(grid.rows, start=1):
        for column, value in enumerate(values, start=1):
            if value not in (None, ""):
                _set(sheet.cell(row, column), value)
    return sheet


def _set(cell: Any, value: object) -> None:
    """Write a value; text stays text, whatever sign it begins with."""
    if isinstance(value, bool | int | float) or hasattr(value, "isoformat"):
        cell.value = value
        return
    cell.value = "".join(mark for mark in str(value) if mark >= " " or mark in "\n\t")
    cell.data_type = "s"
    cell.quotePrefix = cell.value.startswith(("=", "+", "-", "@"))


def _mark(copy: _Copy, problems: Iterable[Problem], language: Language) -> None:
    """Colour the cells and put what is wrong into their notes."""
    by_cell: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        if problem.cell and (problem.file, problem.sheet) in copy.sheets:
            by_cell.setdefault((problem.file, problem.sheet, problem.cell), []).append(problem)
    for (file, sheet_name, address), found in by_cell.items():
        cell = _anchor(copy.sheets[file, sheet_name], address)
        found = sorted(found, key=lambda problem: SEVERITIES.index(problem.severity))
        cell.fill = FILLS[found[0].severity]
        text = "\n\n".join(_note(problem, language) for problem in found)
        if cell.comment is not None:
            text = f"{text}\n\n{cell.comment.text}"
        height = LINE_HEIGHT * (2 + sum(1 + len(line) // 24 for line in text.splitlines()))
        cell.comment = Comment(text[:LONGEST_NOTE], "Junheng", width=NOTE_WIDTH, height=min(height, 500))


def _note(problem: Problem, language: Language) -> str:
    severity = label(f"check_{problem.severity}", language)
    return sentence(
        "check_note",
        language,
        severity=severity,
        message=problem.message(language),
        remedy=problem.remedy(language),
    )


def _anchor(sheet: Worksheet, address: str) -> Any:
    """Return a cell, or the first one of the merged range it lies in."""
    cell = sheet[address]
    for merged in sheet.merged_cells.ranges if isinstance(cell, MergedCell) else ():
        if address in merged:
            return sheet.cell(merged.min_row, merged.min_col)
    return cell


def _write_list(copy: _Copy, problems: Sequence[Problem], county: str, language: Language) -> None:
    """Put the list of all problems in front, each with a link to its cell."""
    sheet = copy.workbook.create_sheet(label("check_sheet", language), 0)
    copy.workbook.active = 0
    for other in copy.workbook.worksheets[1:]:
        other.sheet_view.tabSelected = False
    counts = {severity: sum(problem.severity == severity for problem in problems) for severity in SEVERITIES}
    title = sentence("check_list_title", language, county=county)
    _set(sheet.cell(1, 1), title.strip())
    sheet.cell(1, 1).font = Font(bold=True, size=14)
    _set(sheet.cell(2, 1), sentence("check_list_counts", language, **counts))
    if not copy.keeps_format:
        _set(sheet.cell(3, 1), sentence("check_list_rebuilt", language))
    for position, (heading, width) in enumerate(zip(HEADINGS, WIDTHS, strict=True), start=1):
        cell = sheet.cell(LIST_START, position)
        _set(cell, label(f"check_heading_{heading}", language))
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", start_color="D9D9D9")
        sheet.column_dimensions[cell.column_letter].width = width
    ordered = sorted(problems, key=lambda problem: SEVERITIES.index(problem.severity))
    for number, problem in enumerate(ordered, start=1):
        _write_entry(sheet, number, problem, copy.sheets, language)
    sheet.freeze_panes = f"A{LIST_START + 1}"
    sheet.auto_filter.ref = (
        f"A{LIST_START}:{sheet.cell(1, len(HEADINGS)).column_letter}{LIST_START + len(problems)}"
    )
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{LIST_START}:{LIST_START}"


def _write_entry(
    sheet: Worksheet, number: int, problem: Problem, sheets: Mapping[Place, Worksheet], language: Language
) -> None:
    row = LIST_START + number
    entries = (
        number,
        label(f"check_{problem.severity}", language),
        problem.file,
        problem.sheet,
        problem.cell,
        label(problem.column, language) if has_term(problem.column) else problem.column,
        problem.school,
        problem.message(language),
        problem.remedy(language),
    )
    for position, entry in enumerate(entries, start=1):
        cell = sheet.cell(row, position)
        _set(cell, entry)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    # Not every program fits the height of a row to wrapped text when it opens a file.
    sheet.row_dimensions[row].height = LINE_HEIGHT * max(map(_lines, entries, WIDTHS))
    sheet.cell(row, 2).fill = FILLS[problem.severity]
    target = sheets.get((problem.file, problem.sheet))
    if target is not None and problem.cell:
        link = sheet.cell(row, HEADINGS.index("cell") + 1)
        title = target.title.replace("'", "''")
        link.hyperlink = Hyperlink(ref=link.coordinate, location=f"'{title}'!{problem.cell}")
        link.font = Font(color="0563C1", underline="single")


def _lines(entry: object, width: int) -> int:
    """Return the lines that a text needs in a column; Chinese characters count twice."""
    return 1 + sum(2 if mark > "\u2e80" else 1 for mark in str(entry)) // width


def _put(content: bytes, target: Path) -> Path:
    """Put the copy in place in one step; beside the target when another program holds that open."""
    beside = target.with_name(f".{target.name}.tmp")
    beside.write_bytes(content)
    names = (target.with_stem(f"{target.stem}-{number}") for number in range(2, LAST_NAME + 1))
    for name in (target, *names):
        try:
            beside.replace(name)
        except PermissionError:
            continue
        return name
    beside.unlink()
    raise InputError("marked_copy_locked", file=target.name)
