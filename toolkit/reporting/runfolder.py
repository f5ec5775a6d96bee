"""The folder of a run: built beside its place, moved into it when complete, never over a different one."""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from toolkit.errors import RunError
from toolkit.reporting.owner import load_owner, sign
from toolkit.reporting.record import LOG_NAME
from toolkit.vocabulary import Language, sentence

PlacementStatus = Literal["new", "identical", "replaced", "kept_beside", "in_use"]

OWNER_NAME = ".owner.json"
SCRATCH_MARK = ".unfinished-"
REPLACED_MARK = "replaced-"
LONGEST_COUNTY_NAME = 40
RESERVED_NAMES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{d}{i}" for d in ("com", "lpt") for i in range(1, 10))}
)
UNSIGNED_LIFETIME_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a report was put, and what became of the one that was there.

    Attributes
    ----------
    path : pathlib.Path
        Folder of the report.
    status : {"new", "identical", "replaced", "kept_beside", "in_use"}
        "identical": the old one is kept; "kept_beside": a different one was there and stays;
        "in_use": the old one could not be replaced because a program holds one of its files.
    existing : pathlib.Path
        The place that was asked for.
    file : str
        The file that is in use, empty otherwise.
    """

    path: Path
    status: PlacementStatus
    existing: Path
    file: str = ""

    def told(self, language: Language) -> str:
        """Return one line for people."""
        values = {"path": self.path, "existing": self.existing.name, "file": self.file}
        return sentence(f"report_run_{self.status}", language, **values)


def run_folder_name(county: str, year: int, digest: str) -> str:
    """Return ``<county>-<year>-<digest>`` in ASCII.

    Parameters
    ----------
    county : str
        Code or name of the county; Chinese characters become pinyin.
    year : int
        School year.
    digest : str
        From `toolkit.reporting.record.run_digest`.
    """
    return f"{ascii_name(county)}-{year}-{digest}"


def ascii_name(text: str) -> str:
    """Return a text as a name of lower-case ASCII letters, digits and hyphens, safe on every system."""
    if not text.isascii():
        from pypinyin import lazy_pinyin

        text = "".join(lazy_pinyin(text))
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:LONGEST_COUNTY_NAME].strip("-")
    return f"county-{name}".strip("-") if not name or name in RESERVED_NAMES else name


@contextmanager
def scratch_folder(reports: Path, name: str) -> Iterator[Path]:
    """Give a folder in which a run is built; whatever is still in it afterwards is removed.

    Folders left by runs that were killed are removed first.
    """
    reports.mkdir(parents=True, exist_ok=True)
    remove_stale_folders(reports)
    folder = Path(tempfile.mkdtemp(prefix=f".{name}{SCRATCH_MARK}", dir=reports))
    sign(folder / OWNER_NAME)
    # mkdtemp makes folders for one user only; a report is read by a whole office.
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_stale_folders(reports: Path) -> tuple[Path, ...]:
    """Remove the unfinished folders of processes of this machine that no longer run.

    A report that was about to be replaced when its process was killed is put back.
    """
    stale = [folder for folder in sorted(reports.glob(f".*{SCRATCH_MARK}*")) if _is_stale(folder)]
    for folder in stale:
        name, _, owner = folder.name.removeprefix(".").partition(SCRATCH_MARK)
        if owner.startswith(REPLACED_MARK) and not (reports / name).exists():
            (folder / OWNER_NAME).unlink(missing_ok=True)
            folder.rename(reports / name)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return tuple(stale)


def place_run(scratch: Path, target: Path, *, replace: bool = False) -> Placement:
    """Move a finished run into place.

    A report of equal content stays as it is. A different one is left alone, and the new one is put
    beside it with a number, unless `replace` is set; then the old one is removed after the
    new one has taken its place.

    Parameters
    ----------
    scratch : pathlib.Path
        From `scratch_folder`, complete.
    target : pathlib.Path
        Where the report belongs, on the same disk.
    replace : bool
        Whether a different report of the same name may be replaced.

    Raises
    ------
    RunError
        If the report can be put neither there nor beside it.
    """
    (scratch / OWNER_NAME).unlink(missing_ok=True)
    if not target.exists():
        try:
            _move(scratch, target)
        except RunError:
            # Another process may have finished the same report in this moment.
            if not target.exists():
                raise
        else:
            return Placement(target, "new", target)
    if same_content(scratch, target):
        return Placement(target, "identical", target)
    if replace:
        return _replace(scratch, target)
    for beside in _numbered(target):
        if beside.exists() and same_content(scratch, beside):
            return Placement(beside, "identical", target)
        if not beside.exists():
            _move(scratch, beside)
            return Placement(beside, "kept_beside", target)
    raise AssertionError("unreachable: there is always a next number")


def same_content(one: Path, other: Path) -> bool:
    """Say whether two reports hold the same files with the same bytes, the log left aside."""
    files = _files(one)
    return files == _files(other) and all(
        (one / name).read_bytes() == (other / name).read_bytes() for name in files
    )


def _files(folder: Path) -> list[Path]:
    """Return the files of a report that count for its content."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in paths if path.name not in (LOG_NAME, OWNER_NAME))


def _replace(scratch: Path, target: Path) -> Placement:
    """Put the new report in the place of the old one, or beside it if that is held by a program."""
    aside = target.with_name(f".{target.name}{SCRATCH_MARK}{REPLACED_MARK}{os.getpid()}")
    try:
        # Signed before it is moved: another machine that sees it knows that it is not for it to put back.
        sign(target / OWNER_NAME)
        target.rename(aside)
    except OSError:
        (target / OWNER_NAME).unlink(missing_ok=True)
        beside = next(path for path in _numbered(target) if not path.exists())
        _move(scratch, beside)
        return Placement(beside, "in_use", target, file=_file_in_use(target))
    try:
        _move(scratch, target)
    except RunError:
        (aside / OWNER_NAME).unlink(missing_ok=True)
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)
    return Placement(target, "replaced", target)


def _move(scratch: Path, target: Path) -> None:
    """Rename a folder: it appears as a whole or not at all."""
    try:
        scratch.rename(target)
    except OSError as error:
        raise RunError("report_run_not_placed", path=target, reason=error.strerror or error) from error


def _numbered(target: Path) -> Iterator[Path]:
    """Give the names beside a folder: <name>-2, <name>-3 and so on."""
    number = 2
    while True:
        yield target.with_name(f"{target.name}-{number}")
        number += 1


def _file_in_use(folder: Path) -> str:
    """Return the first file of a folder that another program does not let us change."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            try:
                with path.open("r+b"):
                    continue
            except OSError:
                return path.name
    return folder.name


def _is_stale(folder: Path) -> bool:
    """Say whether the process that owned a folder is gone; of another machine's we cannot know."""
    owner = load_owner(folder / OWNER_NAME)
    if owner is None:
        # Killed before it was signed, or just made and about to be.
        return time.time() - folder.stat().st_mtime > UNSIGNED_LIFETIME_SECONDS
    return owner.is_here and not owner.runs
