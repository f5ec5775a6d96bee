"""The settings of batches."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """What was measured or chosen for batches.

    Attributes
    ----------
    runner_mb, kernel_mb, server_mb : int
        Memory of a worker, of the kernel it starts and of the process that forks it, in megabytes.
    reserve_mb : int
        Memory left to everything else.
    deaths : int
        Workers that a unit may take down before it has failed.
    connect_seconds : int
        How long a scheduler and its first worker are waited for.
    """

    runner_mb: int
    kernel_mb: int
    server_mb: int
    reserve_mb: int
    deaths: int
    connect_seconds: int


@cache
def batch_settings() -> BatchSettings:
    """Return the settings of `settings.toml`."""
    content = tomllib.loads(Path(__file__).with_name("settings.toml").read_text(encoding="utf-8"))
    return BatchSettings(**content["memory"], **content["workers"])
