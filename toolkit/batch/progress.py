"""How far a batch is, and how long it will take."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from toolkit.batch.status import UnitStatus
from toolkit.vocabulary import Language, sentence

MINUTE = 60
HOUR = 60 * MINUTE


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of a batch under way.

    Attributes
    ----------
    total : int
        Units of the batch.
    done, failed : int
        Units that came to an end; those in part failed count as failed.
    ran : int
        Those of them that this call ran.
    started : float
        When this call started, by `clock`.
    clock : callable
        Seconds that only grow.
    """

    total: int
    done: int = 0
    failed: int = 0
    ran: int = 0
    clock: Callable[[], float] = time.monotonic
    started: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> int:
        """Units to come."""
        return self.total - self.done - self.failed

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the end, from the pace of this call so far; None before the first unit."""
        return (self.clock() - self.started) / self.ran * self.left if self.ran else None

    def after(self, status: UnitStatus) -> "Progress":
        """Return the counts after one more unit."""
        if status.state == "done":
            return replace(self, done=self.done + 1, ran=self.ran + 1)
        return replace(self, failed=self.failed + 1, ran=self.ran + 1)

    def told(self, language: Language) -> str:
        """Return the counts and the time left on one line."""
        counts = {"done": self.done, "failed": self.failed, "left": self.left}
        if self.seconds_left is None or not self.left:
            return sentence("batch_progress", language, **counts)
        duration = told_duration(self.seconds_left, language)
        return sentence("batch_progress_left", language, **counts, duration=duration)


def starting_progress(total: int, kept: tuple[UnitStatus, ...]) -> Progress:
    """Return the counts before the first unit: what was kept is done or failed already."""
    done = sum(status.state == "done" for status in kept)
    return Progress(total, done, len(kept) - done)


def told_duration(seconds: float, language: Language) -> str:
    """Return a length of time in the two largest of hours, minutes and seconds."""
    whole = max(1, round(seconds))
    if whole < MINUTE:
        return sentence("batch_seconds", language, seconds=whole)
    minutes = round(whole / MINUTE)
    if whole < HOUR:
        return sentence("batch_minutes", language, minutes=minutes)
    return sentence("batch_hours", language, hours=minutes // MINUTE, minutes=minutes % MINUTE)
