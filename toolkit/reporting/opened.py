"""What a run has read and checked, handed to its kernels so that no notebook reads the same files again."""

import os
import pickle
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from toolkit.data.county import County, Reading
from toolkit.data.problems import Problem

# A file that only this user may write, named to the kernels of this run alone: it is unpickled.
HANDED_VARIABLE = "JUNHENG_OPENED"
FILE_NAME = "opened.pickle"

Stamp = tuple[tuple[str, int, int], ...]
"""Path, bytes and time of the last change of each file."""


@dataclass(frozen=True, slots=True)
class Request:
    """What decides how data are read.

    Attributes
    ----------
    files : tuple of (str, int, int)
        Data, mapping and corrected names, as `stamp_files` gives them.
    places : tuple of str
        Paths of the data, the mapping and the corrected names.
    county : str
        County to take from an input that holds several.
    """

    files: Stamp
    places: tuple[str, ...]
    county: str


@dataclass(frozen=True, slots=True)
class OpenedData:
    """A county as a run has read and checked it.

    Attributes
    ----------
    request : Request
        What was read.
    years : tuple of int
        School year asked for, 0 for the latest, and the one chosen.
    reading : Reading
        All tables, with the names that the office knows.
    problems : tuple of Problem
        Everything noticed in reading and checking.
    """

    request: Request
    years: tuple[int, ...]
    reading: Reading
    problems: tuple[Problem, ...]

    def restricted(self, tables: Collection[str]) -> Reading:
        """Return the reading with the tables asked for."""
        county = self.reading.county
        kept = {name: table for name, table in county.tables.items() if name in tables}
        return replace(self.reading, county=County(county.county_id, county.name, kept))


def stamp_files(paths: Iterable[Path]) -> Stamp:
    """Return size and time of the last change of every file, of folders those inside."""
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
    stamps = [(file, file.stat()) for file in files if file.is_file()]
    return tuple((str(file), found.st_size, found.st_mtime_ns) for file, found in stamps)


@contextmanager
def hand_over(opened: OpenedData) -> Iterator[None]:
    """Let the kernels that start meanwhile take what this process has read."""
    before = os.environ.get(HANDED_VARIABLE)
    with TemporaryDirectory(prefix="junheng-opened-", ignore_cleanup_errors=True) as folder:
        file = Path(folder) / FILE_NAME
        file.write_bytes(pickle.dumps(opened, protocol=pickle.HIGHEST_PROTOCOL))
        os.environ[HANDED_VARIABLE] = str(file)
        try:
            yield
        finally:
            if before is None:
                os.environ.pop(HANDED_VARIABLE, None)
            else:
                os.environ[HANDED_VARIABLE] = before


def take_over(request: Request, year: int) -> OpenedData | None:
    """Return what the run of this kernel has read, None if it has read something else or nothing."""
    file = os.environ.get(HANDED_VARIABLE, "")
    if not file or not Path(file).is_file():
        return None
    # Written by the parent of this kernel into a folder of its own (see `hand_over`).
    opened = pickle.loads(Path(file).read_bytes())  # noqa: S301
    return opened if opened.request == request and year in opened.years else None
