"""Teacher-school matches: rows of outcomes summed over each teacher's time at one school."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Real = NDArray[np.floating[Any]]
Whole = NDArray[np.int64]


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
    of_teacher, teachers = _labels(teacher)
    of_school, schools = _labels(school)
    if not len(values) == len(of_teacher) == len(of_school):
        raise ValueError(f"{len(values)} outcomes, {len(of_teacher)} teachers and {len(of_school)} schools")
    if not len(values):
        raise ValueError("there is no row")
    if not np.isfinite(values).all() or (of_teacher < 0).any() or (of_school < 0).any():
        raise ValueError("outcome, teacher and school must be complete and finite")
    values = values - values.mean()
    match, pairs = pd.factorize(of_teacher * len(schools) + of_school, sort=True)
    return Matches(
        pairs // len(schools),
        pairs % len(schools),
        add_up(match, np.ones(len(match))),
        add_up(match, values),
        add_up(match, values**2),
        teachers,
        schools,
    )


def match_of_rows(teacher: ArrayLike, school: ArrayLike) -> Whole:
    """Return the position among the matches of each row, (n_rows,)."""
    of_teacher, _ = _labels(teacher)
    of_school, schools = _labels(school)
    return np.asarray(pd.factorize(of_teacher * len(schools) + of_school, sort=True)[0], dtype=np.int64)


def add_up(place: Whole, values: Floats) -> Floats:
    """Return the sum of the values of each place."""
    return np.bincount(place, values).astype(np.float64)


def _labels(labels: ArrayLike) -> tuple[Whole, NDArray[np.generic]]:
    """Return positions among the sorted labels (-1: missing), and the labels."""
    positions, found = pd.factorize(pd.Series(np.asarray(labels)), sort=True)
    return positions.astype(np.int64), np.asarray(found)


def _positions(codes: Whole, n_codes: int) -> tuple[Whole, Whole]:
    """Return positions among the codes that occur, and those codes."""
    found = np.flatnonzero(np.bincount(codes, minlength=n_codes))
    place = np.zeros(n_codes, dtype=np.int64)
    place[found] = np.arange(len(found))
    return place[codes], found
