"""Least squares with teacher and school effects, the teacher effects eliminated."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from scipy import linalg, sparse

from toolkit.models.teacher_matches import Floats, Matches, Real, Whole, add_up, changes


@cache
def settings() -> dict[str, dict[str, Any]]:
    """Return the settings of the computation and of the advice."""
    text = resources.files("toolkit.models").joinpath("teacher_school_effects.toml").read_text("utf-8")
    return tomllib.loads(text)


@dataclass(frozen=True, slots=True)
class SchoolSystem:
    """The normal equations of the school effects.

    Within each set the school effects are normalised to a mean of zero over rows.

    Attributes
    ----------
    matches : Matches
        Matches, ordered by teacher.
    set_of_school : ndarray of int, (n_schools,)
        Set of linked schools of each school, from 0.
    laplacian : scipy.sparse.csr_array, (n_schools, n_schools)
        Cross-products of the school dummies less their means over the rows of a teacher.
    by_teacher : scipy.sparse.csr_array, (n_teachers, n_matches)
        Ones: sums matches by teacher.
    by_school : scipy.sparse.csr_array, (n_schools, n_matches)
        Ones: sums matches by school.
    teacher_rows, school_rows, set_rows : ndarray of float
        Rows of each teacher, school and set.
    inverses : tuple of ndarray
        Inverse of the normal equations of each set, where they are small enough; otherwise empty.
    members : tuple of ndarray of int
        Schools of each set.
    """

    matches: Matches
    set_of_school: Whole
    laplacian: sparse.csr_array
    by_teacher: sparse.csr_array
    by_school: sparse.csr_array
    teacher_rows: Floats
    school_rows: Floats
    set_rows: Floats
    inverses: tuple[Floats, ...]
    members: tuple[Whole, ...]

    @property
    def exact(self) -> bool:
        """Whether every set has its inverse."""
        return len(self.inverses) > 0

    @property
    def set_of_match(self) -> Whole:
        """Set of each match."""
        return self.set_of_school[self.matches.school]

    @property
    def set_of_teacher(self) -> Whole:
        """Set of each teacher."""
        found = np.empty(len(self.teacher_rows), dtype=np.int64)
        found[self.matches.teacher] = self.set_of_match
        return found

    def teacher_means(self, sums: Floats) -> Floats:
        """Return means over the rows of each teacher of sums over the rows of matches."""
        return (self.by_teacher @ sums) / _column(self.teacher_rows, sums)

    def mean_school_effect(self, effects: Floats) -> Floats:
        """Return the mean school effect over the rows of each teacher."""
        return self.teacher_means(_column(self.matches.n, effects) * effects[self.matches.school])

    def solve(self, target: Floats, tolerance: float) -> Floats:
        """Return the school effects of right-hand sides that add up to zero in every set, (n_schools, k)."""
        if not self.exact:
            found = conjugate_gradients(self.laplacian, target, tolerance)
            return self.normalised(np.asarray(found, dtype=np.float64))
        found = np.zeros_like(target)
        for inverse, schools in zip(self.inverses, self.members, strict=True):
            found[schools] = inverse @ target[schools]
        return self.normalised(found)

    def normalised(self, effects: Floats) -> Floats:
        """Return school effects less their mean over the rows of their set."""
        return effects - self.set_means(effects, self.school_rows, self.set_of_school)

    def set_means(self, values: Floats, rows: Floats, sets: Whole) -> Floats:
        """Return the mean over rows of the set of each value."""
        pick = sparse.csr_array((rows, (sets, np.arange(len(sets)))), shape=(len(self.set_rows), len(sets)))
        return ((pick @ values) / _column(self.set_rows, values))[sets]

    def fit(self, sums: Floats, tolerance: float) -> tuple[Floats, Floats]:
        """Return teacher and school effects of outcomes summed over the rows of matches, one per column."""
        means = self.teacher_means(sums)
        within = sums - _column(self.matches.n, sums) * means[self.matches.teacher]
        school = self.solve(self.by_school @ within, tolerance)
        return means - self.mean_school_effect(school), school

    def solve_both(self, teacher: Floats, school: Floats, tolerance: float) -> tuple[Floats, Floats]:
        """Return the effects solving the normal equations of teachers and schools for right-hand sides."""
        matches = self.matches
        share = teacher / _column(self.teacher_rows, teacher)
        spread = self.by_school @ (_column(matches.n, teacher) * share[matches.teacher])
        effects = self.solve(school - spread, tolerance)
        return share - self.mean_school_effect(effects), effects

    def fitted(self, teacher: Floats, school: Floats) -> Floats:
        """Return the sum of both effects of each match."""
        return teacher[self.matches.teacher] + school[self.matches.school]


def build_school_system(
    matches: Matches, set_of_school: Whole, largest_exact: int | None = None
) -> SchoolSystem:
    """Build the normal equations of the school effects.

    Parameters
    ----------
    matches : Matches
        Matches.
    set_of_school : ndarray of int, (n_schools,)
        Set of linked schools of each school, from 0.
    largest_exact : int, optional
        Sets of up to so many schools are inverted; by default that of the settings.
    """
    limit = int(settings()["exact"]["schools"]) if largest_exact is None else largest_exact
    n_matches = len(matches.n)
    ones, place = np.ones(n_matches), np.arange(n_matches)
    start = np.append(np.flatnonzero(changes(matches.teacher)), n_matches)
    by_teacher = sparse.csr_array((ones, place, start), shape=(len(matches.teachers), n_matches))
    by_school = sparse.csr_array((ones, (matches.school, place)), shape=(len(matches.schools), n_matches))
    laplacian = _laplacian(matches)
    sizes = np.bincount(set_of_school)
    order = np.argsort(set_of_school, kind="stable")
    members = tuple(np.split(order, np.cumsum(sizes)[:-1]))
    school_rows = by_school @ matches.n
    inverses = (
        tuple(_inverse(laplacian[schools][:, schools].toarray()) for schools in members)
        if sizes.max() <= limit
        else ()
    )
    return SchoolSystem(
        matches,
        set_of_school,
        laplacian,
        by_teacher,
        by_school,
        by_teacher @ matches.n,
        school_rows,
        add_up(set_of_school, school_rows),
        inverses,
        members,
    )


def _laplacian(matches: Matches) -> sparse.csr_array:
    """Return the cross-products of the school dummies within teachers who moved."""
    moving = matches.mover
    n, school = matches.n[moving], matches.school[moving]
    teacher = np.cumsum(np.diff(matches.teacher[moving], prepend=-1) != 0) - 1
    size = len(matches.schools)
    rows = np.bincount(teacher, n)
    shape = (len(rows), size)
    cross = sparse.csr_array((n, (teacher, school)), shape=shape)
    scaled = sparse.csr_array((n / rows[teacher], (teacher, school)), shape=shape)
    own = np.bincount(school, n, minlength=size)
    return (sparse.diags_array(own.astype(np.float64)) - cross.T @ scaled).tocsr()


def _inverse(laplacian: Floats) -> Floats:
    """Return an inverse of a singular matrix whose only null vector is constant."""
    size = len(laplacian)
    lift = max(float(np.trace(laplacian)), 1.0) / size**2
    factor = linalg.cho_factor(laplacian + lift, lower=True, check_finite=False)
    return linalg.cho_solve(factor, np.eye(size), check_finite=False) - 1 / (lift * size**2)


def conjugate_gradients(matrix: sparse.csr_array, target: Real, tolerance: float) -> Real:
    """Solve a positive semidefinite system for several right-hand sides, preconditioned by its diagonal.

    Raises
    ------
    ValueError
        If it does not converge.
    """
    width = int(settings()["projection"]["columns"])
    if target.ndim == 1:
        return conjugate_gradients(matrix, target[:, None], tolerance)[:, 0]
    if target.shape[1] > width:
        blocks = [target[:, i : i + width] for i in range(0, target.shape[1], width)]
        return np.hstack([conjugate_gradients(matrix, block, tolerance) for block in blocks])
    diagonal = matrix.diagonal()
    scale = (1 / np.where(diagonal > 0, diagonal, 1))[:, None].astype(target.dtype)
    found, left = np.zeros_like(target), target.copy()
    step = scale * left
    size = np.einsum("ij,ij->j", left, step)
    enough = tolerance**2 * size
    for _ in range(int(settings()["projection"]["iterations"])):
        if (size <= enough).all():
            return found
        image = matrix @ step
        curvature = np.einsum("ij,ij->j", step, image)
        length = np.where(size > enough, size / np.where(curvature > 0, curvature, 1), 0).astype(target.dtype)
        found += length * step
        left -= length * image
        scaled = scale * left
        smaller = np.einsum("ij,ij->j", left, scaled)
        ratio = np.where(size > 0, smaller / np.where(size > 0, size, 1), 0).astype(target.dtype)
        step *= ratio
        step += scaled
        size = smaller
    raise ValueError("the conjugate gradients of the school effects did not converge")


def _column(values: Floats, like: Floats) -> Floats:
    """Return values that multiply the rows of an array of one or two dimensions."""
    return values if like.ndim == 1 else values[:, None]
