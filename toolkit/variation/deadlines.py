"""Deadlines of local plans, in school years."""

from datetime import date
from typing import Literal

DeadlineState = Literal["none", "annual", "ahead", "due", "passed"]

# School year Y is observed on its statistic date, 1 September of Y.
STATISTIC_MONTH = 9


def deadline_year(deadline: str) -> int | None:
    """Return the last school year whose statistic date is not after a deadline.

    Parameters
    ----------
    deadline : str
        "2025" (end of that year), "2021-12-31", "annual" or "none"; the latter two have no year.
    """
    if deadline in ("annual", "none"):
        return None
    if len(deadline) == len("2025"):
        return int(deadline)
    day = date.fromisoformat(deadline)
    return day.year if day.month >= STATISTIC_MONTH else day.year - 1


def deadline_state(deadline: str, year: int) -> DeadlineState:
    """Say where a school year stands to a deadline.

    "ahead" when a later year is still observed before it, "due" when this year is the last one.
    """
    last = deadline_year(deadline)
    if last is None:
        return "annual" if deadline == "annual" else "none"
    if last > year:
        return "ahead"
    return "due" if last == year else "passed"
