"""Leave-out estimates of the variances of teacher and school effects, and their sampling covariance."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator

from toolkit.models.leverages import Leverages
from toolkit.models.school_system import SchoolSystem, settings
from toolkit.models.teacher_matches import Floats, Whole, add_up

LeaveOut = Literal["match", "observation"]


@dataclass(frozen=True, slots=True)
class LeaveOutVariance:
    """Variance of teacher effects, covariance, variance of school effects, in this order.

    Attributes
    ----------
    plug_in : ndarray of float, (3,)
        Of the estimated effects, sampling noise included.
    estimate : ndarray of float, (3,)
        With the noise taken out.
    covariance : ndarray of float, (3, 3)
        Sampling covariance of `estimate`; missing where it was not asked for.
    """

    plug_in: Floats
    estimate: Floats
    covariance: Floats


def units_left_out(system: SchoolSystem, leave_out: LeaveOut) -> Floats:
    """Return the units of each match that are left out one at a time.

    A teacher of one school cannot be left out by match, for nothing would tell of the teacher: rows are.
    """
    if leave_out == "observation":
        return system.matches.n.copy()
    return np.where(system.matches.mover, 1.0, system.matches.n)


def unit_squares(system: SchoolSystem, units: Floats) -> Floats:
    """Return the sum over the units of a match of squared means, times the rows of a unit."""
    matches = system.matches
    whole = (units == 1) & (matches.n > 1)
    return np.where(whole, matches.total**2 / matches.n, matches.squares)


def correct_variances(
    system: SchoolSystem, teacher: Floats, school: Floats, leverages: Leverages
) -> tuple[Floats, Floats]:
    """Return plug-in and leave-out components, each (3,).

    The variance of the error of a unit is estimated without bias by its outcome times its residual from a
    fit without it. The outcome is taken about its mean over the set, which makes the estimates independent
    of a constant at the price of a bias of one part in the number of rows.
    """
    fitted = system.fitted(teacher, school)
    squares = unit_squares(system, leverages.units)
    noise = squares - system.matches.total * fitted
    plug_in = quadratic_forms(system, teacher, school)
    return plug_in, plug_in - leverages.weight.T @ noise


def quadratic_forms(system: SchoolSystem, teacher: Floats, school: Floats) -> Floats:
    """Return variance of teachers, covariance, variance of schools over rows within sets, (3,) or (3, k)."""
    total = system.set_rows.sum()
    from_mean = teacher - system.set_means(teacher, system.teacher_rows, system.set_of_teacher)
    centred = system.normalised(school)
    along = system.mean_school_effect(centred)
    forms = (
        (system.teacher_rows, from_mean, from_mean),
        (system.teacher_rows, from_mean, along),
        (system.school_rows, centred, centred),
    )
    # Sums of a vector are too short for threads of a BLAS, which take longer to wake than to add.
    return np.stack([np.einsum("i,i...,i...->...", *form) / total for form in forms])


def sampling_covariance(
    system: SchoolSystem,
    teacher: Floats,
    school: Floats,
    leverages: Leverages,
    draws: int,
    rng: Generator,
) -> Floats:
    """Estimate the sampling covariance of the leave-out components, (3, 3).

    Each component is a form y' C y without diagonal in independent errors. Its variance is
    4 sum_i ((C E y)_i)^2 s_i^2 + 2 sum_il C_il^2 s_i^2 s_l^2. The first term with y in place of E y exceeds
    its aim by twice the second, which is found from draws of normal noise and taken off. The error variances
    s^2 are means of the unbiased estimates within classes of match length and leverage.

    Assumes errors independent between units, and their variance a function of those classes.
    """
    variance = class_variances(system, teacher, school, leverages)
    first = _linear_part(system, teacher, school, leverages, variance)
    second = _noise_part(system, leverages, variance, draws, rng)
    covariance = first - second
    return covariance if (np.diag(covariance) >= np.diag(second)).all() else np.maximum(first, 2 * second) / 2


def class_variances(system: SchoolSystem, teacher: Floats, school: Floats, leverages: Leverages) -> Floats:
    """Return the error variance of the units of each match, a mean over its class, (n_matches,)."""
    options = settings()["noise"]
    matches, units = system.matches, leverages.units
    noise = unit_squares(system, units) - matches.total * system.fitted(teacher, school)
    found = leverages.inverse_rest * noise
    length = np.minimum(matches.n, options["longest_match"]).astype(np.int64)
    kind = (matches.mover * 2 + (units == 1)).astype(np.int64)
    n_classes = int(options["leverage_classes"])
    group = kind * (int(options["longest_match"]) + 1) + length
    order = np.lexsort((leverages.leverage, group))
    sizes = np.bincount(group)
    start = np.concatenate([[0], np.cumsum(sizes)])[group[order]]
    position = np.empty(len(group), dtype=np.int64)
    position[order] = (np.arange(len(group)) - start) * n_classes // sizes[group[order]]
    means, counts = _class_means(group * n_classes + position, found, units)
    overall, _ = _class_means(kind, found, units)
    least = max(float(np.sum(found) / units.sum()), 0.0) * 1e-3
    return np.maximum(np.where(counts >= options["least_units"], means, overall), least)


def _class_means(label: Whole, found: Floats, units: Floats) -> tuple[Floats, Floats]:
    """Return mean over the units and number of units of the class of each match."""
    counts = add_up(label, units)
    return (add_up(label, found) / np.maximum(counts, 1))[label], counts[label]


def _linear_part(
    system: SchoolSystem, teacher: Floats, school: Floats, leverages: Leverages, variance: Floats
) -> Floats:
    """Return 4 sum_i (C_a y)_i (C_b y)_i s_i^2 for all pairs of components."""
    matches, weight = system.matches, leverages.weight
    tolerance = settings()["projection"]["tolerance_projections"]
    images = system.fitted(*system.solve_both(*_gradients(system, teacher, school), tolerance))
    fitted = system.fitted(teacher, school)
    again = system.fitted(*system.fit(weight * matches.total[:, None], tolerance))
    constant = images + (weight * fitted[:, None] + again) / 2
    # Of one unit: constant - weight x its mean outcome, times the root of its rows.
    squares = unit_squares(system, leverages.units)
    scaled = constant * (matches.n * variance)[:, None]
    mixed = constant * (matches.total * variance)[:, None]
    both = mixed.T @ weight
    return 4 * (scaled.T @ constant - both - both.T + (weight * (squares * variance)[:, None]).T @ weight)


def _gradients(system: SchoolSystem, teacher: Floats, school: Floats) -> tuple[Floats, Floats]:
    """Return A b for each component, its teacher part (n_teachers, 3) and its school part (n_schools, 3)."""
    matches, total = system.matches, system.set_rows.sum()
    from_mean = teacher - system.set_means(teacher, system.teacher_rows, system.set_of_teacher)
    centred = system.normalised(school)
    of_teacher, of_school = (np.zeros((len(values), 3)) for values in (teacher, school))
    of_teacher[:, 0] = system.teacher_rows * from_mean
    of_teacher[:, 1] = system.by_teacher @ (matches.n * centred[matches.school]) / 2
    of_school[:, 1] = system.by_school @ (matches.n * from_mean[matches.teacher]) / 2
    of_school[:, 2] = system.school_rows * centred
    return of_teacher / total, of_school / total


def _noise_part(
    system: SchoolSystem, leverages: Leverages, variance: Floats, draws: int, rng: Generator
) -> Floats:
    """Return 2 sum_il C_il^a C_il^b s_i^2 s_l^2 from draws of normal noise."""
    matches, units = system.matches, leverages.units
    width, tolerance = settings()["projection"]["columns"], settings()["projection"]["tolerance_projections"]
    found = []
    for start in range(0, draws, width):
        size = (len(matches.n), min(width, draws - start))
        sums = rng.standard_normal(size) * np.sqrt(matches.n * variance)[:, None]
        squares = sums**2 / matches.n[:, None]
        several = units > 1
        spread = 2 * rng.standard_gamma((units[several, None] - 1) / 2, (int(several.sum()), size[1]))
        squares[several] += variance[several, None] * spread
        effects = system.fit(sums, tolerance)
        noise = squares - sums * system.fitted(*effects)
        found.append(quadratic_forms(system, *effects) - leverages.weight.T @ noise)
    return np.cov(np.hstack(found))
