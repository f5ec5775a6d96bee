"""Which process a folder or a lock belongs to, and whether that process still runs."""

import json
import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

# Two clocks tell when a process was started; they agree to this many seconds.
CLOCK_TOLERANCE = 2.0
WATCH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Owner:
    """A process of this machine or of another one.

    Attributes
    ----------
    pid : int
        Its number.
    started : float
        When it was started, since a number is given again.
    host : str
        Name of its machine.
    """

    pid: int
    started: float
    host: str

    @property
    def is_here(self) -> bool:
        """Whether it is a process of this machine; of others nothing can be known."""
        return self.host == socket.gethostname()

    @property
    def runs(self) -> bool:
        """Whether a process of this machine still runs."""
        return self.is_here and abs(_process_start(self.pid) - self.started) <= CLOCK_TOLERANCE


def this_process() -> Owner:
    """Return this process as an owner."""
    return Owner(os.getpid(), _process_start(os.getpid()), socket.gethostname())


def sign(path: Path) -> None:
    """Write down that this process owns something."""
    path.write_text(json.dumps(asdict(this_process())), encoding="utf-8")


def load_owner(path: Path) -> Owner | None:
    """Return who signed a file, None where it is absent or damaged."""
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
        return Owner(int(owner["pid"]), float(owner["started"]), str(owner["host"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def end_with(owner: Owner) -> None:
    """Let this process end at once when its owner does, even one that was killed and told nobody."""
    threading.Thread(target=_end_after, args=(owner,), name="owner", daemon=True).start()


def _end_after(owner: Owner) -> None:
    """Wait for the end of a process of this machine, then end this one."""
    import psutil

    with suppress(psutil.NoSuchProcess):
        if owner.runs:
            # From here on by the process itself: when it was started reads otherwise once the clock is set.
            process = psutil.Process(owner.pid)
            while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                time.sleep(WATCH_SECONDS)
    os._exit(1)


def _process_start(pid: int) -> float:
    """Return when a process was started, 0 if there is none that runs."""
    import psutil

    try:
        process = psutil.Process(pid)
        return 0.0 if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return 0.0
