"""One call of a batch at a time on one machine: two would write the same reports."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolkit.errors import RunError
from toolkit.reporting.owner import load_owner, sign

LOCK_NAME = ".running.json"


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Hold the folder of a batch. What a killed process of this machine left is taken over.

    Raises
    ------
    RunError
        If another process of this machine holds it, or it cannot be written.
    """
    lock = folder / LOCK_NAME
    owner = load_owner(lock)
    if owner is not None and owner.runs:
        raise RunError("batch_running", folder=folder)
    try:
        sign(lock)
    except OSError as error:
        raise RunError("file_not_written", path=folder, reason=error.strerror or error) from error
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
