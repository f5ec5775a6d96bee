"""Verdicts that may be open, and comparisons with a limit that float noise cannot turn."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.errors import DesignError
from toolkit.results import Verdict

# 100 * 21 / 500 and 21 / 500 * 100 differ in floats: a school at exactly 4.2 is at the limit, not beside it.
RELATIVE_TOLERANCE = 1e-9


def at_least(value: ArrayLike, minimum: ArrayLike) -> NDArray[np.bool_]:
    """Say where a value reaches a minimum, the minimum included.

    Values within a relative 1e-9 of the minimum are at the minimum. A missing value reaches nothing.
    """
    minimum = np.asarray(minimum, dtype=float)
    return np.asarray(value, dtype=float) >= minimum - RELATIVE_TOLERANCE * np.abs(minimum)


def at_most(value: ArrayLike, maximum: ArrayLike) -> NDArray[np.bool_]:
    """Say where a value stays within a maximum, the maximum included (relative tolerance 1e-9)."""
    maximum = np.asarray(maximum, dtype=float)
    return np.asarray(value, dtype=float) <= maximum + RELATIVE_TOLERANCE * np.abs(maximum)


def reaches(value: float, minimum: float) -> bool:
    """Say whether one number is `at_least` another."""
    return value >= minimum - RELATIVE_TOLERANCE * abs(minimum)


def stays_within(value: float, maximum: float) -> bool:
    """Say whether one number is `at_most` another."""
    return value <= maximum + RELATIVE_TOLERANCE * abs(maximum)


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict on the whole when every part must pass (Kleene conjunction).

    One part that fails settles it; otherwise one open part leaves it open.

    Raises
    ------
    DesignError
        If there is nothing to judge.
    """
    found = set(verdicts)
    if not found:
        raise DesignError("variation_nothing_to_judge")
    if "fail" in found:
        return "fail"
    return "undecided" if "undecided" in found else "pass"
