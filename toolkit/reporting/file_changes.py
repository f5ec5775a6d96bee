"""The files of two run folders: the same bytes, equal to printed precision, or different."""

import json
import re
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

from toolkit.data.reading.sources import read_file
from toolkit.errors import RunError
from toolkit.exhibits import EXHIBITS_NAME, saved_exhibits
from toolkit.reporting.notebook_runs import FAILED_FOLDER, RESULTS_FOLDER
from toolkit.reporting.record import LOG_NAME, RECORD_NAME
from toolkit.reporting.runfolder import OWNER_NAME
from toolkit.tables.exhibit import TableExhibit, cell_text
from toolkit.tables.saved import load_saved_table

FileStatus = Literal["equal", "different", "absent", "new"]

# Records are compared field by field; a copy of a notebook that failed holds paths.
APART = (LOG_NAME, OWNER_NAME, RECORD_NAME)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
PAGES = (".html", ".docx")
MAIN = re.compile(r"<main\b.*</main>", re.DOTALL)
# Pictures and fonts inside a page; the pictures are compared as files.
EMBEDDED = re.compile(r"data:[a-z]+/[a-z0-9.+-]+;base64,[A-Za-z0-9+/=]+")
SETTINGS = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that does not have the same bytes in two runs.

    Attributes
    ----------
    name : str
        Path in the folder of the run.
    status : FileStatus
        "equal" to printed precision, "different", or in one of the runs only.
    """

    name: str
    status: FileStatus


def file_changes(before: Path, after: Path) -> tuple[FileChange, ...]:
    """Return the files of two runs that do not have the same bytes, record and log aside."""
    old, new = (set(run_files(folder)) for folder in (before, after))
    changes = [FileChange(name, "absent") for name in old - new]
    changes += [FileChange(name, "new") for name in new - old]
    for name in old & new:
        if (before / name).read_bytes() != (after / name).read_bytes():
            status = "equal" if are_equal(before / name, after / name, tolerance_of(name)) else "different"
            changes.append(FileChange(name, status))
    return tuple(sorted(changes, key=lambda change: change.name))


def run_files(folder: Path) -> Iterator[str]:
    """Give the files of a run that count for its results."""
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if path.is_file() and name.name not in APART and name.parts[0] != FAILED_FOLDER:
            yield name.as_posix()


def are_equal(before: Path, after: Path, tolerance: float) -> bool:
    """Say whether two files show the same, numbers to printed precision or within a relative tolerance.

    Parameters
    ----------
    before, after : pathlib.Path
        Files of one name in the folders of two runs. A table is judged by its CSV, a document that was
        printed from a page by that page.
    tolerance : float
        Relative difference of numbers that are not printed.
    """
    compare = COMPARED_AS.get(before.suffix)
    return compare is not None and compare(before, after, tolerance)


def tolerance_of(name: str) -> float:
    """Return the relative tolerance for the numbers of a file, by the notebook it comes from."""
    # A page prints fewer digits than that; behind them it holds those that its tables are sorted by.
    fitted = name.endswith(PAGES) or any(notebook in name for notebook in _settings()["fitted"])
    return _settings()["fits" if fitted else "numbers"]


def printed_cells(table: TableExhibit) -> list[list[str]]:
    """Return the rows of a table as they are printed."""
    language = table.caption.language
    return [
        [cell_text(value, column, language) for value, column in zip(row, table.columns, strict=True)]
        for row in table.data[[column.name for column in table.columns]].itertuples(index=False)
    ]


def equal_texts(one: str, other: str, tolerance: float) -> bool:
    """Say whether two texts are the same but for numbers that differ within a relative tolerance."""
    if NUMBER.sub("#", one) != NUMBER.sub("#", other):
        return False
    pairs = zip(NUMBER.findall(one), NUMBER.findall(other), strict=True)
    return all(a == b or _close(float(a), float(b), tolerance) for a, b in pairs)


def equal_values(one: Any, other: Any, tolerance: float) -> bool:
    """Say whether two JSON values are the same but for numbers that differ within a relative tolerance."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            equal_values(value, other[key], tolerance) for key, value in one.items()
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(
            equal_values(*pair, tolerance) for pair in zip(one, other, strict=True)
        )
    if isinstance(one, float) and isinstance(other, int | float):
        return _close(one, other, tolerance)
    return type(one) is type(other) and one == other


def _close(one: float, other: float, tolerance: float) -> bool:
    return one == other or abs(one - other) <= tolerance * max(abs(one), abs(other))


def _equal_tables(before: Path, after: Path, tolerance: float) -> bool:
    """Compare the CSV of a table cell by cell as printed, of another file as text."""
    if not _is_exhibit(before) or not _is_exhibit(after):
        one, other = (path.read_text(encoding="utf-8-sig") for path in (before, after))
        return equal_texts(one, other, tolerance)
    try:
        old, new = (load_saved_table(path.parent, path.stem) for path in (before, after))
    except RunError:
        # A file that was edited: no table of the run any more.
        return False
    names = [[column.name for column in table.columns] for table in (old, new)]
    return names[0] == names[1] and printed_cells(old) == printed_cells(new)


def _equal_workbooks(before: Path, after: Path, tolerance: float) -> bool:
    """Compare workbooks: that of a table by its CSV, others cell by cell."""
    if _is_exhibit(before) and _is_exhibit(after):
        return _equal_tables(before.with_suffix(".csv"), after.with_suffix(".csv"), tolerance)
    one, other = (
        [[grid.sheet, [list(row) for row in grid.rows]] for grid in read_file(path)]
        for path in (before, after)
    )
    return equal_values(one, other, tolerance)


def _equal_json(before: Path, after: Path, tolerance: float) -> bool:
    return equal_values(json.loads(before.read_bytes()), json.loads(after.read_bytes()), tolerance)


def _equal_pages(before: Path, after: Path, tolerance: float) -> bool:
    """Compare what pages say: head and foot repeat the record, pictures are files of their own."""
    one, other = (_said(path.read_text(encoding="utf-8")) for path in (before, after))
    return equal_texts(one, other, tolerance)


def _said(page: str) -> str:
    found = MAIN.search(page)
    return EMBEDDED.sub("", found[0] if found else page)


def _equal_pictures(before: Path, after: Path, _tolerance: float) -> bool:
    return _equal_images(before.read_bytes(), after.read_bytes())


def _equal_images(before: bytes, after: bytes) -> bool:
    from PIL import Image, ImageChops

    one, other = (Image.open(BytesIO(content)).convert("RGBA") for content in (before, after))
    if one.size != other.size:
        return False
    bands = ImageChops.difference(one, other).split()
    return all(band.point(lambda value: value > _settings()["colour"]).getbbox() is None for band in bands)


def _equal_documents(before: Path, after: Path, tolerance: float) -> bool:
    """Compare the parts of Word documents: pictures as pictures, the rest as text."""
    with zipfile.ZipFile(before) as one, zipfile.ZipFile(after) as other:
        if one.namelist() != other.namelist():
            return False
        return all(_equal_parts(name, one.read(name), other.read(name), tolerance) for name in one.namelist())


def _equal_parts(name: str, before: bytes, after: bytes, tolerance: float) -> bool:
    if before == after:
        return True
    if name.endswith(".png"):
        return _equal_images(before, after)
    return name.endswith((".xml", ".rels")) and equal_texts(before.decode(), after.decode(), tolerance)


def _equal_prints(before: Path, after: Path, tolerance: float) -> bool:
    """Compare the pages that PDF documents were printed from: the prints carry the time."""
    one, other = (path.with_suffix(".html") for path in (before, after))
    if not one.is_file() or not other.is_file():
        return False
    return one.read_bytes() == other.read_bytes() or _equal_pages(one, other, tolerance)


def _is_exhibit(path: Path) -> bool:
    """Say whether a file holds a table that a notebook saved."""
    return path.parent.parent.name == RESULTS_FOLDER and path.stem in _exhibits(path.parent / EXHIBITS_NAME)


def _exhibits(path: Path) -> tuple[str, ...]:
    try:
        return tuple(saved_exhibits(path.parent))
    except RunError:
        return ()


@cache
def _settings() -> dict[str, Any]:
    return tomllib.loads(SETTINGS.read_text(encoding="utf-8"))


COMPARED_AS: dict[str, Callable[[Path, Path, float], bool]] = {
    ".csv": _equal_tables,
    ".xlsx": _equal_workbooks,
    ".json": _equal_json,
    ".html": _equal_pages,
    ".png": _equal_pictures,
    ".docx": _equal_documents,
    ".pdf": _equal_prints,
}
