"""How many workers fit into the memory of this machine."""

import os
from dataclasses import dataclass

from toolkit.batch.settings import BatchSettings, batch_settings

MEGABYTE = 2**20


@dataclass(frozen=True, slots=True)
class Workers:
    """How many workers are started, and why not more.

    Attributes
    ----------
    jobs : int
        Workers that are started.
    wanted : int
        Workers that were asked for, at most one for each unit.
    needed_mb, available_mb : int
        Memory of one worker with what it starts, and memory that was free.
    """

    jobs: int
    wanted: int
    needed_mb: int
    available_mb: int

    @property
    def is_lowered(self) -> bool:
        """Whether the memory allows fewer than were wanted."""
        return self.jobs < self.wanted


def fitting_workers(
    asked: int, n_units: int, *, available_mb: int, settings: BatchSettings | None = None
) -> Workers:
    """Return how many workers are started: as many as asked for, as there are units, and as fit.

    Parameters
    ----------
    asked : int
        Workers asked for, 0 for one on each core.
    n_units : int
        Units to run.
    available_mb : int
        Memory that is free.
    settings : BatchSettings, optional
        Measured memory of a worker and its kernel; those of `settings.toml` by default.
    """
    measured = settings or batch_settings()
    needed = measured.runner_mb + measured.kernel_mb + measured.server_mb
    wanted = max(1, min(asked or available_cores(), n_units))
    fitting = max(1, (available_mb - measured.reserve_mb) // needed)
    return Workers(min(wanted, fitting), wanted, needed, available_mb)


def available_memory_mb() -> int:
    """Return the memory that is free, in megabytes."""
    import psutil

    return psutil.virtual_memory().available // MEGABYTE


def available_cores() -> int:
    """Return the cores that this process may use, as joblib counts them: containers may have fewer."""
    import joblib

    return joblib.cpu_count() or os.cpu_count() or 1
