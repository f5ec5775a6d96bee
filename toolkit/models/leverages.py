"""Leverages of teacher-school matches, and what each adds to the variance of estimated effects."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import sparse

from toolkit.models.school_system import SchoolSystem, conjugate_gradients, settings
from toolkit.models.teacher_matches import Floats, Whole

PARTS = ("teacher_variance", "covariance", "school_variance")


@dataclass(frozen=True, slots=True)
class Leverages:
    """How much each match counts in its own fit and in the variance components.

    With x the dummies of a row of match m, S their cross-products and A the matrix of a component.

    Attributes
    ----------
    units : ndarray of float, (n_matches,)
        Units of match m that are left out one at a time: its rows, or one for the whole match.
    inverse_rest : ndarray of float, (n_matches,)
        1 / (1 - leverage of a unit); unbiased where leverages are projected.
    weight : ndarray of float, (n_matches, 3)
        x' S^-1 A S^-1 x over 1 - leverage of a unit, for each of `PARTS`, times the rows of a unit.
    leverage : ndarray of float, (n_matches,)
        Leverage of a unit.
    squared_eigenvalues : float
        Sum of the squared eigenvalues of the school variance as a form in the estimated effects.
    exact : bool
        Whether nothing was drawn.
    """

    units: Floats
    inverse_rest: Floats
    weight: Floats
    leverage: Floats
    squared_eigenvalues: float
    exact: bool


def compute_leverages(system: SchoolSystem, units: Floats, draws: int, rng: Generator) -> Leverages:
    """Compute the leverages of all matches.

    Exact where the system holds its inverses. Otherwise by random projections: with normal draws the
    projection of a unit on the effects and what is left of it are independent, so that the ratio of their
    mean squares, times (draws - 2) / draws, is an unbiased estimate of leverage / (1 - leverage) however
    close to one the leverage is. (Kline, Saggio and Sølvsten 2020 correct signed draws to second order.)
    """
    if system.exact:
        forms, eigen = _exact_forms(system)
        return _assemble(system, units, forms, eigen)
    return _projected(system, units, draws, rng)


def rows_per_unit(system: SchoolSystem, units: Floats) -> Floats:
    """Return the rows of a unit of each match."""
    return system.matches.n / units


def _assemble(system: SchoolSystem, units: Floats, forms: Floats, eigen: float) -> Leverages:
    """Return exact leverages from the three forms of each match."""
    within, mean, spread = forms
    per_unit = rows_per_unit(system, units)
    leverage = per_unit * (1 / system.teacher_rows[system.matches.teacher] + within)
    # A teacher of one school with a single row has no rest; such teachers never come here.
    inverse = 1 / (1 - leverage)
    weight = (per_unit * inverse)[:, None] * _components(system, within, mean, spread)
    return Leverages(units, inverse, weight, leverage, eigen, True)


def _components(system: SchoolSystem, within: Floats, mean: Floats, spread: Floats) -> Floats:
    """Return x' S^-1 A S^-1 x for teacher variance, covariance and school variance, (n_matches, 3).

    within = d' G d, mean = (p - s)' G d, spread = d' G A G d, where G inverts the normal equations of
    schools, d is the school dummy of the match less its mean p over the rows of the teacher, s the mean over
    the set and A the matrix of the school variance.
    """
    total = system.set_rows.sum()
    of_match = system.teacher_rows[system.matches.teacher]
    of_set = system.set_rows[system.set_of_match]
    teacher = (1 / of_match - 1 / of_set - 2 * mean - within) / total + spread
    return np.column_stack([teacher, (mean + within) / total - spread, spread])


def _exact_forms(system: SchoolSystem) -> tuple[Floats, float]:
    """Return the three forms of each match, and the sum of squared eigenvalues of the school variance."""
    matches, moving = system.matches, np.flatnonzero(system.matches.mover)
    total, eigen = system.set_rows.sum(), 0.0
    forms = np.zeros((3, len(matches.n)))
    place = np.empty(len(matches.schools), dtype=np.int64)
    in_set = system.set_of_match[moving]
    order = np.argsort(in_set, kind="stable")
    ends = np.searchsorted(in_set[order], np.arange(len(system.members) + 1))
    for number, (inverse, schools) in enumerate(zip(system.inverses, system.members, strict=True)):
        place[schools] = np.arange(len(schools))
        own = moving[order[ends[number] : ends[number + 1]]]
        rows = system.school_rows[schools]
        image = inverse * rows - np.outer(inverse @ rows, rows) / rows.sum()
        eigen += float(np.sum(image * image.T)) / total**2
        size = max(1, 2_000_000 // len(schools))
        for few in _whole_teachers(matches.teacher[own], size):
            forms[:, own[few]] = _forms_of(system, own[few], place, inverse, rows)
    return forms, eigen


def _whole_teachers(teacher: Whole, size: int) -> list[slice]:
    """Split ordered matches into blocks of about a size without parting a teacher."""
    starts = np.flatnonzero(np.diff(teacher, prepend=-1))
    cuts = [0]
    while cuts[-1] < len(teacher):
        nearest = np.searchsorted(starts, cuts[-1] + size)
        cuts.append(int(starts[nearest]) if nearest < len(starts) else len(teacher))
    return [slice(a, b) for a, b in pairwise(cuts)]


def _forms_of(
    system: SchoolSystem, own: Whole, place: Whole, inverse: Floats, rows: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the three forms of matches of whole teachers in one set."""
    matches = system.matches
    school = place[matches.school[own]]
    first = np.cumsum(np.diff(matches.teacher[own], prepend=-1) != 0) - 1
    share = matches.n[own] / system.teacher_rows[matches.teacher[own]]
    pick = sparse.csr_array((share, (first, school)), shape=(first[-1] + 1, len(rows)))
    means = pick @ inverse  # rows of p' G
    image = inverse[school] - means[first]  # rows of d' G
    mean_of = np.asarray((pick.multiply(means)).sum(axis=1)).ravel()
    own_mean = means[first, school]  # p' G e, G being symmetric
    within = image[np.arange(len(own)), school] - (own_mean - mean_of[first])
    centre = image @ rows / rows.sum()
    mean = own_mean - mean_of[first] - centre
    spread = (image**2 @ rows - centre**2 * rows.sum()) / system.set_rows.sum()
    return within, mean, spread


def _projected(system: SchoolSystem, units: Floats, draws: int, rng: Generator) -> Leverages:
    """Return leverages from random projections."""
    moving = np.flatnonzero(system.matches.mover)
    sums, eigen = _projection_sums(system, moving, units[moving], draws, rng)
    fit, rest, mean, spread = sums / draws
    matches = system.matches
    of_teacher = system.teacher_rows[matches.teacher]
    per_unit = rows_per_unit(system, units)
    shrink = (draws - 2) / draws
    inverse = 1 / (1 - per_unit / of_teacher)
    ratio, over = np.zeros(len(matches.n)), inverse.copy()
    ratio[moving] = shrink * fit / rest
    over[moving] = shrink / rest
    # 1 / (1 - leverage) = (1 + leverage of the school part / rest) / (share of a unit outside its teacher).
    inverse *= 1 + ratio
    total = system.set_rows.sum()
    within, middle, wide = (np.zeros(len(matches.n)) for _ in range(3))
    within[moving] = (ratio / per_unit)[moving]
    middle[moving] = mean * over[moving]
    wide[moving] = spread * inverse[moving]
    constant = (1 / of_teacher - 1 / system.set_rows[system.set_of_match]) * inverse
    weight = per_unit[:, None] * np.column_stack(
        [
            (constant - 2 * middle - within) / total + wide,
            (middle + within) / total - wide,
            wide,
        ]
    )
    leverage = 1 - 1 / inverse
    return Leverages(units, inverse, weight, leverage, eigen, False)


def _projection_sums(
    system: SchoolSystem, moving: Whole, units: Floats, draws: int, rng: Generator
) -> tuple[Floats, float]:
    """Return sums over draws of the squares that estimate the forms of each moving match, (4, n_moving).

    Single precision suffices: the error of a draw is a million times larger.
    """
    design = _MovingMatches.build(system, moving)
    root, school = design.root, system.matches.school[moving]
    inside, outside = (np.sqrt(each).astype(np.float32)[:, None] for each in (1 / units, 1 - 1 / units))
    width = int(settings()["projection"]["columns"])
    sums, eigen = np.zeros((4, len(moving))), 0.0
    for start in range(0, draws, width):
        noise = rng.standard_normal((len(moving), min(width, draws - start)), dtype=np.float32)
        noise -= root * design.spread(design.by_teacher @ noise)
        effects = design.solve(system, design.by_school @ noise)
        mean = design.spread(design.mean_school @ effects)
        gap = effects[school] - mean
        sums[2] += np.einsum("ij,ij->i", mean, gap)
        noise -= root * gap
        gap *= root * inside
        sums[0] += np.einsum("ij,ij->i", gap, gap)
        noise *= inside
        if (units > 1).any():
            noise += outside * rng.standard_normal(noise.shape, dtype=np.float32)
        sums[1] += np.einsum("ij,ij->i", noise, noise)
        effects = design.solve(system, _school_noise(system, rng, noise.shape[1]))
        eigen += float(np.sum(system.school_rows[:, None] * effects**2)) / system.set_rows.sum()
        gap = effects[school] - design.spread(design.mean_school @ effects)
        sums[3] += np.einsum("ij,ij->i", gap, gap)
    return sums, eigen / draws


@dataclass(frozen=True, slots=True)
class _MovingMatches:
    """Matches of teachers who moved, in single precision."""

    root: NDArray[np.float32]
    position: Whole
    by_teacher: sparse.csr_array
    by_school: sparse.csr_array
    mean_school: sparse.csr_array
    laplacian: sparse.csr_array

    @classmethod
    def build(cls, system: SchoolSystem, moving: Whole) -> "_MovingMatches":
        """Build the sums over matches of the teachers who moved."""
        matches = system.matches
        n, school = matches.n[moving], matches.school[moving]
        position = np.cumsum(np.diff(matches.teacher[moving], prepend=-1) != 0) - 1
        rows, place = np.bincount(position, n), np.arange(len(moving))
        root = np.sqrt(n)
        n_schools = len(matches.schools)
        single = (
            sparse.csr_array((root / rows[position], (position, place))),
            sparse.csr_array((root, (school, place)), shape=(n_schools, len(moving))),
            sparse.csr_array((n / rows[position], (position, school)), shape=(len(rows), n_schools)),
            system.laplacian,
        )
        narrow = (sparse.csr_array(each, dtype=np.float32) for each in single)
        return cls(root.astype(np.float32)[:, None], position, *narrow)

    def spread(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the value of the teacher of each match."""
        return values[self.position]

    def solve(self, system: SchoolSystem, target: Floats) -> NDArray[np.float32]:
        """Return school effects of right-hand sides, (n_schools, k)."""
        tolerance = settings()["projection"]["tolerance_projections"]
        found = conjugate_gradients(self.laplacian, target.astype(np.float32), tolerance)
        return system.normalised(np.asarray(found, dtype=np.float64)).astype(np.float32)


def _school_noise(system: SchoolSystem, rng: Generator, draws: int) -> Floats:
    """Draw right-hand sides whose covariance is the matrix of the school variance."""
    root = np.sqrt(system.school_rows)[:, None]
    noise = rng.standard_normal((len(root), draws))
    mean = system.set_means(noise / root, system.school_rows, system.set_of_school)
    return (root * noise - root**2 * mean) / np.sqrt(system.set_rows.sum())
