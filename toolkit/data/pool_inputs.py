"""Which files and folders are to be pooled: those of a folder, or those that a list names."""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from toolkit.data.reading.layout import table_named
from toolkit.data.reading.pools import is_pool
from toolkit.data.reading.sources import TEXTS, WORKBOOKS
from toolkit.data.text import plain_code, squash
from toolkit.errors import InputError
from toolkit.vocabulary import label

COLUMNS = ("data", "county", "year", "mapping", "names")
"""Columns of a list; that of a batch has them, too, and others that do not matter here."""

PARQUET = ".parquet"
LANGUAGES = ("zh", "en")
ENCODINGS = ("utf-8-sig", "gb18030")
# What other commands write beside a workbook.
BESIDE = ("checked", "names_path_beside")
TRUTH = "truth.json"


@dataclass(frozen=True, slots=True)
class PoolInput:
    """One workbook, table file or folder to read.

    Attributes
    ----------
    path : Path
        Where it is.
    name : str
        Its path as messages and the manifest say it: from the folder, or as in the list.
    county : str
        Code of the county wanted of it; empty for every county that it holds.
    year : int or None
        School year of sheets that tell none.
    mapping, names : Path or None
        As for `load_county`.
    """

    path: Path
    name: str
    county: str = ""
    year: int | None = None
    mapping: Path | None = None
    names: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All files behind it, that of the mapping and the list of names too."""
        folders = dict.fromkeys((self.path, self.path.with_suffix("")))
        found = [self.path] if self.path.is_file() else []
        found += [
            path
            for folder in folders
            if folder.is_dir()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != TRUTH
        ]
        return (*found, *(path for path in (self.mapping, self.names) if path is not None))


@dataclass(frozen=True, slots=True)
class PoolInputs:
    """What is to be pooled, and what lies beside it.

    Attributes
    ----------
    inputs : tuple of PoolInput
        In the order of their names.
    others : tuple of str
        Files that are no tables, or copies with marked problems.
    """

    inputs: tuple[PoolInput, ...]
    others: tuple[str, ...]


def find_inputs(source: Path) -> PoolInputs:
    """Find what is to be pooled.

    Parameters
    ----------
    source : Path
        A folder: each workbook (with the folder of its name beside it), and each folder in it that holds
        tables as text or Parquet files, is one input; other folders are searched likewise. A folder that
        holds the register as such a file is one input itself. Or a list, a CSV file with the columns
        `data`, `county`, `year`, `mapping` and `names`, or their Chinese labels; only the first is needed.

    Raises
    ------
    InputError
        If there is nothing, or the list cannot be understood.
    """
    if not source.exists():
        raise InputError("pool_source_missing", path=source)
    if source.is_dir():
        others: list[str] = []
        inputs = tuple(_in_folder(source, source, others))
    else:
        inputs, others = _listed(source), []
    if not inputs:
        raise InputError("pool_source_empty", path=source.name)
    return PoolInputs(tuple(sorted(inputs, key=lambda one: one.name)), tuple(others))


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _in_folder(folder: Path, root: Path, others: list[str]) -> Iterator[PoolInput]:
    """Give the inputs of a folder."""
    if is_pool(folder) or _holds_register(folder):
        yield PoolInput(folder, folder.relative_to(root).as_posix() if folder != root else folder.name)
        return
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith((".", "~$")))
    workbooks = [entry for entry in entries if entry.is_file() and entry.suffix.lower() in WORKBOOKS]
    stems = {entry.with_suffix("") for entry in workbooks}
    for entry in entries:
        name = entry.relative_to(root).as_posix()
        if entry in workbooks and not _is_beside(entry, stems):
            yield PoolInput(entry, name)
        elif entry.is_dir() and entry not in stems:
            yield from _in_folder(entry, root, others)
        elif entry.is_file():
            others.append(name)


def _holds_register(folder: Path) -> bool:
    """Say whether a folder holds the register of schools as a text or Parquet file."""
    return any(
        entry.is_file()
        and entry.suffix.lower() in (*TEXTS, PARQUET)
        and not entry.name.startswith((".", "~$"))
        and table_named(entry.stem) == "schools"
        for entry in folder.iterdir()
    )


def _is_beside(workbook: Path, stems: set[Path]) -> bool:
    """Say whether a workbook was written by another command for one beside it: marked copy, list of names."""
    return any(
        workbook.with_name(workbook.stem.partition(f"-{mark}")[0]) in stems - {workbook.with_suffix("")}
        for mark in (label(name, language) for name in BESIDE for language in LANGUAGES)
        if f"-{mark}" in workbook.stem
    )


def _listed(source: Path) -> tuple[PoolInput, ...]:
    """Return the inputs that a list names; relative paths start at the folder of the list."""
    rows = list(csv.reader(_text(source).splitlines()))
    known = {squash(label(f"pool_list_{name}", language)): name for name in COLUMNS for language in LANGUAGES}
    known |= {name: name for name in COLUMNS}
    header = [known.get(squash(cell), "") for cell in rows[0]] if rows else []
    if "data" not in header:
        wanted = ", ".join((*COLUMNS, *(label(f"pool_list_{name}", "zh") for name in COLUMNS)))
        raise InputError("pool_list_without_paths", file=source.name, columns=wanted)
    inputs = []
    for number, cells in enumerate(rows[1:], start=2):
        row = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if name}
        if any(row.values()):
            inputs.append(_listed_input(row, source, number))
    return tuple(inputs)


def _listed_input(row: dict[str, str], source: Path, number: int) -> PoolInput:
    paths = {name: source.parent / row[name] for name in ("data", "mapping", "names") if row.get(name)}
    absent = [row[name] for name, path in paths.items() if not path.exists()]
    if absent or "data" not in paths:
        raise InputError("pool_list_path_absent", file=source.name, row=number, path=", ".join(absent) or "–")
    year = row.get("year", "")
    if year and not year.isdigit():
        raise InputError("pool_list_year", file=source.name, row=number, found=year)
    return PoolInput(
        path=paths["data"],
        name=Path(row["data"]).as_posix(),
        county=plain_code(row.get("county", "")),
        year=int(year) if year else None,
        mapping=paths.get("mapping"),
        names=paths.get("names"),
    )


def _text(source: Path) -> str:
    data = source.read_bytes()
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError("unreadable_file_encoding", file=source.name)
