"""Files and folders as lists of grids."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.parsers.expat import ExpatError

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from toolkit.data.reading import xls
from toolkit.data.reading.cells import Grid, make_grid
from toolkit.data.reading.pools import is_pool
from toolkit.data.reading.textfiles import read_csv, read_parquet
from toolkit.data.reading.unreadable import UnreadableFileError
from toolkit.data.reading.xlsx import MAXIMUM_CELLS, inspect_xlsx

WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".et", ".xltx")
TEXTS = (".csv", ".tsv", ".txt")
_OTHER_SPREADSHEETS = (".ods", ".xlsb", ".numbers", ".fods")


@dataclass(frozen=True, slots=True)
class Sources:
    """What a path holds.

    Attributes
    ----------
    grids : tuple of Grid
        All sheets of all files that could be read.
    failures : tuple of UnreadableFileError
        Files of a table format that could not be read.
    others : tuple of str
        Files of a folder that are no tables.
    """

    grids: tuple[Grid, ...]
    failures: tuple[UnreadableFileError, ...]
    others: tuple[str, ...]


def read_sources(
    path: Path,
    *,
    encoding: str = "",
    only: frozenset[str] | None = None,
    is_wanted: Callable[[str], bool] = lambda _: True,
) -> Sources:
    """Read a workbook, a text table, a folder of them, or a workbook with the folder of its name.

    Parameters
    ----------
    path : Path
        File or folder.
    encoding : str
        Encoding of text tables; found out when empty.
    only : frozenset of str or None
        Names of the files of a folder to read.
    is_wanted : callable
        Says of the name of a text or Parquet file in a folder whether it is to be read.

    Raises
    ------
    UnreadableFileError
        If nothing at all can be read.
    """
    if not path.exists():
        raise UnreadableFileError("file_missing", path.name or str(path))
    if is_pool(path):
        # Its counties are read by `toolkit.data.reading.pools`; the sheets they came from are elsewhere.
        return Sources((), (), ())
    beside = path.with_suffix("")
    folder = path if path.is_dir() else beside if beside != path and beside.is_dir() else None
    files = [] if path.is_dir() else [path]
    others: list[str] = []
    for entry in sorted(folder.iterdir()) if folder else ():
        if entry.name.startswith((".", "~$")) or (only is not None and entry.name not in only):
            continue
        if entry.suffix.lower() in (*TEXTS, ".parquet") and not is_wanted(entry.stem):
            continue
        known = (*WORKBOOKS, *TEXTS, ".parquet", *_OTHER_SPREADSHEETS)
        if entry.is_file() and entry.suffix.lower() in known:
            files.append(entry)
        else:
            others.append(entry.name)
    grids: list[Grid] = []
    failures: list[UnreadableFileError] = []
    for file in files:
        try:
            grids.extend(read_file(file, encoding=encoding))
        except UnreadableFileError as failure:
            failures.append(failure)
    if not grids:
        raise failures[0] if failures else UnreadableFileError("folder_empty", path.name)
    return Sources(tuple(grids), tuple(failures), tuple(others))


def read_file(path: Path, *, encoding: str = "") -> list[Grid]:
    """Read all sheets of one file; its content, not its name, decides how.

    Raises
    ------
    UnreadableFileError
        If the file cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return [read_parquet(path)]
    if suffix in _OTHER_SPREADSHEETS:
        raise UnreadableFileError("file_unsupported", path.name)
    try:
        data = path.read_bytes()
    except PermissionError as error:
        raise UnreadableFileError("file_locked", path.name) from error
    if not data.strip(b"\x00 \t\r\n"):
        raise UnreadableFileError("file_empty", path.name)
    if data[:4] == b"PK\x03\x04":
        return _read_xlsx(data, path.name)
    if data[:8] == xls.SIGNATURE:
        return _read_xls(data, path.name)
    if suffix in (*TEXTS, *WORKBOOKS):
        grid = read_csv(data, path.name, encoding)
        if suffix in WORKBOOKS and grid.width < 2:
            raise UnreadableFileError("file_not_workbook", path.name)
        return [grid]
    raise UnreadableFileError("file_not_workbook", path.name)


def _read_xlsx(data: bytes, file: str) -> list[Grid]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if len(set(archive.namelist())) < len(archive.namelist()):
                raise UnreadableFileError("file_damaged", file)
            defects = inspect_xlsx(archive, file)
    except (
        zipfile.BadZipFile,
        KeyError,
        ExpatError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as error:
        raise UnreadableFileError("file_damaged", file) from error
    return _grids(data, file, defects)


def _read_xls(data: bytes, file: str) -> list[Grid]:
    if xls.is_encrypted_package(data):
        raise UnreadableFileError("file_protected", file)
    workbook = _open(data, file)
    workbook.close()
    try:
        defects, sizes = xls.inspect_xls(data)
    except xls.DamagedRecordsError as error:
        raise UnreadableFileError("file_damaged", file) from error
    if sum(sizes.values()) > MAXIMUM_CELLS:
        raise UnreadableFileError(
            "file_too_many_cells", file, sheet=max(sizes, key=sizes.__getitem__), limit=f"{MAXIMUM_CELLS:,}"
        )
    return _grids(data, file, defects)


def _open(data: bytes, file: str) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(data))
    except PasswordError as error:
        raise UnreadableFileError("file_protected", file) from error
    except CalamineError as error:
        raise UnreadableFileError("file_damaged", file) from error


def _grids(data: bytes, file: str, defects: dict) -> list[Grid]:
    workbook = _open(data, file)
    grids = []
    for sheet in workbook.sheets_metadata:
        if sheet.typ != SheetTypeEnum.WorkSheet:
            continue
        try:
            block = workbook.get_sheet_by_name(sheet.name)
            merged = tuple((*first, *last) for first, last in block.merged_cell_ranges or ())
            rows = block.to_python(skip_empty_area=False)
        except CalamineError as error:
            raise UnreadableFileError("file_damaged", file) from error
        hidden = sheet.visible != SheetVisibleEnum.Visible
        grids.append(
            make_grid(file, sheet.name, rows, merged=merged, hidden=hidden, defects=defects.get(sheet.name))
        )
    return grids
