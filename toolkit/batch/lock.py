"""One call of a batch at a time on one machine: two would write the same reports."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from toolkit.errors import RunError

LOCK_NAME = ".running.json"
# Two clocks tell when a process was started; they agree to this many seconds.
CLOCK_TOLERANCE = 2.0


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Hold the folder of a batch. What a killed process of this machine left is taken over.

    Raises
    ------
    RunError
        If another process of this machine holds it, or it cannot be written.
    """
    lock = folder / LOCK_NAME
    owner = {"pid": os.getpid(), "started": psutil.Process().create_time(), "host": socket.gethostname()}
    if _is_held(lock):
        raise RunError("batch_running", folder=folder)
    try:
        lock.write_text(json.dumps(owner), encoding="utf-8")
    except OSError as error:
        raise RunError("file_not_written", path=folder, reason=error.strerror or error) from error
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _is_held(lock: Path) -> bool:
    """Say whether a process of this machine that still runs has written the lock."""
    try:
        owner = json.loads(lock.read_text(encoding="utf-8"))
        host, pid, started = owner["host"], int(owner["pid"]), float(owner["started"])
        running = psutil.Process(pid).create_time()
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return False
    return host == socket.gethostname() and abs(running - started) <= CLOCK_TOLERANCE
