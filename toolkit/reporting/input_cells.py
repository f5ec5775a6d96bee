"""Cells of an input file that differ from those of the file a run read, where that one is still there."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from toolkit.data.reading.cells import Grid
from toolkit.data.reading.sources import read_file
from toolkit.data.reading.unreadable import UnreadableFileError
from toolkit.reporting.input_changes import SHORT_HASH
from toolkit.reporting.record import file_input
from toolkit.reporting.recorded_run import RecordedRun
from toolkit.reporting.run_change import Change, Told, changed, joined, labelled, numbers, same, told
from toolkit.reporting.run_inputs import TRUTH, data_files

# More of them are no correction but another file.
MOST_CELLS = 200
NAMES_IN_ROW = 2


def input_cells(recorded: RecordedRun, data: Path) -> tuple[tuple[Change, ...], tuple[Told, ...]]:
    """Return the cells of the data that differ from what a run read, where that is still to be found.

    Parameters
    ----------
    recorded : RecordedRun
        The run.
    data : pathlib.Path
        Its data as they are now.

    Returns
    -------
    tuple of (tuple of Change, tuple of Told)
        The cells, and the files whose cells cannot be told.
    """
    there = {path: file_input(path).sha256 for path in data_files(data) if path.name != TRUTH}
    known = {file.sha256 for file in recorded.record.inputs}
    new = {path.name: path for path, sha in there.items() if sha not in known}
    logged = recorded.logged("data")
    old = {path.name: path for path in data_files(Path(logged))} if logged else {}
    found: list[Change] = []
    remarks: list[Told] = []
    for file in recorded.of_role("data"):
        now = new.get(file.name)
        if now is None and Path(logged).name == file.name:
            now = _only_one_like(file.name, new)
        if now is None or file.sha256 in there.values():
            continue
        before = old.get(file.name)
        if before is not None and file_input(before).sha256 == file.sha256:
            found += cell_changes(before, now)
        else:
            remarks.append(told("verify_no_cells", file=file.name, sha=file.sha256[:SHORT_HASH]))
    return tuple(found), tuple(remarks)


def _only_one_like(name: str, new: dict[str, Path]) -> Path | None:
    """Return the only unknown file, taken as the one of this name changed and renamed if of its kind."""
    if len(new) != 1:
        return None
    (only,) = new.values()
    return only if only.suffix.lower() == Path(name).suffix.lower() else None


def cell_changes(before: Path, after: Path) -> tuple[Change, ...]:
    """Return the cells that differ between two files of data, by sheet and address.

    Sheets that only one file has, or with other numbers of rows, are told as such: which row became which
    cannot be known.

    Parameters
    ----------
    before, after : pathlib.Path
        A workbook, text table or Parquet file as a run read it, and as it is now.
    """
    try:
        old, new = ({grid.sheet: grid for grid in read_file(path)} for path in (before, after))
    except UnreadableFileError:
        return ()
    return tuple(islice(_differences(after.name, old, new), MOST_CELLS))


def _differences(file: str, old: dict[str, Grid], new: dict[str, Grid]) -> Iterator[Change]:
    for sheet in dict.fromkeys([*old, *new]):
        place = " ".join(part for part in (file, sheet) if part)
        one, other = old.get(sheet), new.get(sheet)
        counts = [len(grid.rows) if grid else 0 for grid in (one, other)]
        if one is None or other is None or counts[0] != counts[1]:
            yield changed("data", "", same(place), labelled("compare_rows"), numbers(counts[0], counts[1], 0))
        else:
            yield from _cells(place, one, other)


def _cells(place: str, one: Grid, other: Grid) -> Iterator[Change]:
    """Give the cells of a sheet that differ, each with its address and what stands beside and above it."""
    from xlsxwriter.utility import xl_rowcol_to_cell

    for row, (old, new) in enumerate(zip(one.rows, other.rows, strict=True)):
        for column in range(max(len(old), len(new))):
            values = [line[column] if column < len(line) else "" for line in (old, new)]
            if values[0] != values[1]:
                address = f"{place} {xl_rowcol_to_cell(row, column)}".strip()
                beside = joined(_beside(other, row, column))
                aspect = told("verify_cell_beside", names=beside) if beside else Told("", "")
                shown = [same(_text(value)) for value in values]
                yield changed("data", "", same(address), aspect, shown)


def _beside(grid: Grid, row: int, column: int) -> Iterator[Told]:
    """Give the words that name a cell: those at the beginning of its row, and the one heading its column."""
    left = [word for value in grid.rows[row][:column] if (word := _word(value))]
    above = [word for line in grid.rows[:row] if (word := _word(line[column]))]
    for word in (*left[:NAMES_IN_ROW], *above[:1]):
        yield same(word)


def _word(value: object) -> str:
    """Return a cell that holds text, empty for one that holds a number or nothing."""
    return value.strip() if isinstance(value, str) else ""


def _text(value: object) -> str:
    """Return the value of a cell as it was typed: whole numbers without decimals."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
