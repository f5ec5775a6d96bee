"""Paths on the command line: relative ones start at the current folder, new files replace nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolkit.errors import ParameterError, RunError
from toolkit.share import resolve_path


def given_path(path: str) -> Path:
    """Return the absolute path of something to read: from the current folder, else from the workspace."""
    here = Path(path).resolve()
    return here if here.exists() else resolve_path(path)


def new_path(path: Path) -> Path:
    """Return a path under which nothing stands yet.

    Raises
    ------
    ParameterError
        If something does.
    """
    if path.exists():
        raise ParameterError("file_exists", path=path)
    return path


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give a path whose folder exists; tell a failure to write there in plain words.

    Raises
    ------
    RunError
        If the system does not let us write there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield path
    except OSError as error:
        raise RunError("file_not_written", path=path, reason=error.strerror or error) from error
