"""Teacher-school matches: rows of outcomes summed over each teacher's time at one school."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Real = NDArray[np.floating[Any]]
Whole = NDArray[np.int64]

# Integers are looked up in a table of their range where that has at most so many places per value.
PLACES_PER_VALUE = 4
LARGEST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Matches:
    """Sufficient statistics of the model of teacher and school effects.

    A match is all rows of one teacher at one school. Matches are ordered by teacher, then by school.

    Attributes
    ----------
    teacher, school : ndarray of int, (n_matches,)
        Positions in `teachers` and `schools`.
    n : ndarray of float, (n_matches,)
        Rows.
    total : ndarray of float, (n_matches,)
        Sum of the outcome, less its mean over all rows.
    squares : ndarray of float, (n_matches,)
        Sum of squares of the same.
    teachers, schools : ndarray, (n_teachers,), (n_schools,)
        Labels, sorted.
    """

    teacher: Whole
    school: Whole
    n: Floats
    total: Floats
    squares: Floats
    teachers: NDArray[np.generic]
    schools: NDArray[np.generic]

    @property
    def mover(self) -> NDArray[np.bool_]:
        """Whether the teacher of a match was seen at two schools or more, (n_matches,)."""
        return np.bincount(self.teacher, minlength=len(self.teachers))[self.teacher] > 1

    def keep(self, chosen: NDArray[np.bool_]) -> "Matches":
        """Return the chosen matches, teachers and schools without one left out."""
        if chosen.all():
            return self
        teacher, teachers = _positions(self.teacher[chosen], len(self.teachers))
        school, schools = _positions(self.school[chosen], len(self.schools))
        sums = (self.n[chosen], self.total[chosen], self.squares[chosen])
        return Matches(teacher, school, *sums, self.teachers[teachers], self.schools[schools])

    def centred(self, within: Whole) -> "Matches":
        """Return the matches with the outcome less its mean over the rows of each set of matches."""
        sizes = np.bincount(within, self.n)
        mean = (np.bincount(within, self.total) / np.maximum(sizes, 1))[within]
        squares = self.squares - 2 * mean * self.total + mean**2 * self.n
        total = self.total - mean * self.n
        return Matches(self.teacher, self.school, self.n, total, squares, self.teachers, self.schools)


def collapse_to_matches(outcome: ArrayLike, teacher: ArrayLike, school: ArrayLike) -> Matches:
    """Sum rows by teacher and school.

    Parameters
    ----------
    outcome : array_like, (n_rows,)
        Outcome, such as the mean standardised score of the pupils a teacher taught in a year.
    teacher, school : array_like, (n_rows,)
        Labels; their order does not matter.

    Raises
    ------
    ValueError
        If a value is missing or not finite: leave rows out before, and say how many.
    """
    values = np.asarray(outcome, dtype=float)
    of_teacher, teachers = _ranks(teacher)
    of_school, schools = _ranks(school)
    if not len(values) == len(of_teacher) == len(of_school):
        raise ValueError(f"{len(values)} outcomes, {len(of_teacher)} teachers and {len(of_school)} schools")
    if not len(values):
        raise ValueError("there is no row")
    if not np.isfinite(values).all() or of_teacher.min() < 0 or of_school.min() < 0:
        raise ValueError("outcome, teacher and school must be complete and finite")
    values = values - values.mean()
    match, pairs = _ranks(of_teacher * len(schools) + of_school)
    return Matches(
        *np.divmod(pairs, len(schools)),
        np.bincount(match).astype(np.float64),
        add_up(match, values),
        add_up(match, values**2),
        teachers,
        schools,
    )


def match_of_rows(teacher: ArrayLike, school: ArrayLike) -> Whole:
    """Return the position among the matches of each row, (n_rows,)."""
    of_teacher, _ = _ranks(teacher)
    of_school, schools = _ranks(school)
    return _ranks(of_teacher * len(schools) + of_school)[0]


def add_up(place: Whole, values: Floats) -> Floats:
    """Return the sum of the values of each place."""
    return np.bincount(place, values).astype(np.float64, copy=False)


def changes(values: Whole) -> NDArray[np.bool_]:
    """Return which values differ from the one before; the first does."""
    different = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=different[1:])
    return different


def _ranks(labels: ArrayLike) -> tuple[Whole, NDArray[Any]]:
    """Return positions among the sorted different labels (-1: missing), and those."""
    values = np.asarray(labels)
    if values.dtype.kind in "iu" and values.ndim == 1 and len(values):
        low = values.min()
        width = int(values.max()) - int(low) + 1
        if width << len(values).bit_length() <= LARGEST:
            # Short and unsigned integers wrap around on the way to 64 bits, and again on the way back.
            offset = np.subtract(values, low, dtype=np.int64)
            compact = width <= PLACES_PER_VALUE * len(values)
            positions, found = _positions(offset, width) if compact else _sorted_positions(offset)
            return positions, found.astype(values.dtype) + low
    positions, found = pd.factorize(pd.Series(values), sort=True)
    return positions.astype(np.int64), np.asarray(found)


def _positions(codes: Whole, n_codes: int) -> tuple[Whole, Whole]:
    """Return positions among the codes that occur, and those codes."""
    occurs = np.zeros(n_codes, dtype=bool)
    occurs[codes] = True
    return (np.cumsum(occurs) - 1)[codes], np.flatnonzero(occurs)


def _sorted_positions(codes: Whole) -> tuple[Whole, Whole]:
    """Return the same without a table of all codes.

    To sort codes that carry their place in their last bits is several times faster than to sort places by
    code, or to look codes up. Rows of one teacher at one school often follow each other: only the first of
    equal neighbours is sorted.
    """
    first = changes(codes)
    carrying = codes[first]
    bits = len(carrying).bit_length()
    carrying <<= bits
    carrying |= np.arange(len(carrying))
    carrying.sort()
    ordered = carrying >> bits
    new = changes(ordered)
    position = np.empty(len(carrying), dtype=np.int64)
    position[carrying & ((1 << bits) - 1)] = np.cumsum(new) - 1
    return position[np.cumsum(first) - 1], ordered[new]
