"""Teacher and school effects from teachers who move between schools, and their variances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from toolkit.errors import DesignError
from toolkit.models.category_effects import remove_category_effects
from toolkit.models.connected_sets import Link, LinkedSets, Sets, find_linked_sets
from toolkit.models.leave_out_variance import (
    LeaveOut,
    LeaveOutVariance,
    correct_variances,
    quadratic_forms,
    sampling_covariance,
    units_left_out,
)
from toolkit.models.leverages import compute_leverages
from toolkit.models.school_system import SchoolSystem, build_school_system, settings
from toolkit.models.teacher_matches import Floats, Matches, collapse_to_matches

COMPONENTS = (
    "teacher_variance",
    "school_effect_variance",
    "teacher_school_covariance",
    "teacher_school_correlation",
    "teacher_school_error_variance",
    "teacher_school_outcome_variance",
)
FEWEST_SCHOOLS = 2


@dataclass(frozen=True, slots=True)
class Advice:
    """Something the reader of a decomposition should know.

    Attributes
    ----------
    sentence : str
        Name of a sentence of the vocabulary.
    values : Mapping of str to float
        Its values.
    """

    sentence: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class TeacherSchoolEffects:
    """Estimated effects, sampling noise included.

    Attributes
    ----------
    teachers, schools : ndarray, (n_teachers,), (n_schools,)
        Labels.
    teacher_effects, school_effects : ndarray of float
        Effects in the unit of the outcome. School effects have a mean of zero over the rows of their set, the
        teacher effects take up what is left of the mean of the outcome, which is zero in each set.
    set_of_school : ndarray of int, (n_schools,)
        Effects compare within a set alone.
    plug_in : ndarray of float, (3,)
        Variance of teacher effects, covariance, variance of school effects over rows within sets.
    """

    teachers: NDArray[np.generic]
    schools: NDArray[np.generic]
    teacher_effects: Floats
    school_effects: Floats
    set_of_school: NDArray[np.int64]
    plug_in: Floats

    def tidy(self) -> pd.DataFrame:
        """Return one row per school: `school`, `set`, `estimate`. Teachers are persons and not listed."""
        return pd.DataFrame(
            {"school": self.schools, "set": self.set_of_school, "estimate": self.school_effects}
        )


@dataclass(frozen=True, slots=True)
class TeacherSchoolVariance:
    """Variance of an outcome by teachers, schools and the rest, sampling noise taken out.

    Attributes
    ----------
    plug_in, leave_out, std_error : ndarray of float, (6,)
        In the order of `COMPONENTS`: of the estimated effects, with noise taken out, and the standard errors
        of the latter (missing for error and outcome variance, or where none were asked for).
    leave_out_by : {"match", "observation"}
        What was left out.
    linked : LinkedSets
        Schools used, and what was lost on the way.
    exact_leverages : bool
        Whether leverages are exact or projected.
    largest_eigenvalue_share : float
        Largest squared eigenvalue of the school variance over their sum. Near one, a few contrasts between
        schools carry all information and the normal approximation of an interval fails.
    advice : tuple of Advice
        What qualifies the result.
    """

    plug_in: Floats
    leave_out: Floats
    std_error: Floats
    leave_out_by: LeaveOut
    linked: LinkedSets
    exact_leverages: bool
    largest_eigenvalue_share: float
    advice: tuple[Advice, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per component: `component`, `plug_in`, `leave_out`, `std_error`, `share`.

        `share` is that of the variance of the outcome; the covariance counts twice, the correlation not.
        """
        count = np.array([1.0, 1.0, 2.0, np.nan, 1.0, 1.0])
        columns = {"plug_in": self.plug_in, "leave_out": self.leave_out, "std_error": self.std_error}
        share = count * self.leave_out / self.leave_out[-1]
        return pd.DataFrame({"component": COMPONENTS, **columns, "share": share})


def estimate_teacher_school_effects(linked: LinkedSets) -> TeacherSchoolEffects:
    """Estimate teacher and school effects by least squares.

    The outcome of a row is the effect of the teacher plus that of the school plus an error whose mean is zero
    given all teachers and schools: teachers may move to better or worse schools and better or worse teachers
    may move, but not because of errors, and the effects add up.

    References
    ----------
    Abowd, J. M., Kramarz, F. and Margolis, D. N. (1999). High wage workers and high wage firms. Econometrica
    67(2), 251-333.
    """
    system, teacher, school = _fit(linked)
    return TeacherSchoolEffects(
        linked.matches.teachers,
        linked.matches.schools,
        teacher,
        school,
        linked.set_of_school,
        quadratic_forms(system, teacher, school),
    )


def decompose_teacher_school_variance(
    outcome: ArrayLike,
    teacher: ArrayLike,
    school: ArrayLike,
    *,
    categories: Sequence[ArrayLike] = (),
    leave_out: LeaveOut = "match",
    link: Link = "teacher",
    sets: Sets = "largest",
    std_errors: bool = True,
    draws: int | None = None,
    seed: int = 0,
) -> TeacherSchoolVariance:
    """Estimate the variances of teacher and of school effects, and their covariance, without sampling noise.

    Variances are over rows, so that a teacher or a school counts as often as it is seen, and within sets of
    linked schools. Estimated effects vary more than true ones, and the noise of the two is negatively
    correlated; the noise is estimated from errors of fits that leave the observation out, whatever their
    variances, and taken off.

    Parameters
    ----------
    outcome : array_like, (n_rows,)
        Outcome of a teacher at a school, such as mean scores of a year's pupils. Complete.
    teacher, school : array_like, (n_rows,)
        Labels.
    categories : sequence of array_like, each (n_rows,)
        Labels of year, grade or subject whose effects are estimated beside the others and taken out first.
        They are then treated as known.
    leave_out : {"match", "observation"}
        "match" allows errors of one teacher at one school to be correlated. Teachers of one school are then
        still treated by row: with correlated errors the variance of teacher effects is too large. That
        of schools and the covariance do not depend on them.
    link, sets
        See `find_linked_sets`.
    std_errors : bool
        Whether to estimate standard errors, for which errors of equal match length and similar leverage are
        taken to have one variance. They hold for one draw of errors, the effects being fixed.
    draws : int, optional
        Random projections where leverages are not exact; by default that of the settings.
    seed : int
        Seed of all draws.

    Raises
    ------
    DesignError
        If no teacher moves, or fewer than two schools stay linked when any one link is left out.

    References
    ----------
    Kline, P., Saggio, R. and Sølvsten, M. (2020). Leave-out estimation of variance components. Econometrica
    88(5), 1859-1898.
    """
    if leave_out not in get_args(LeaveOut):
        raise ValueError(f"leave_out must be one of {get_args(LeaveOut)}, not {leave_out!r}")
    values = np.asarray(outcome, dtype=float)
    if len(categories):
        values = remove_category_effects(values, teacher, school, categories)
    linked = find_identified_sets(collapse_to_matches(values, teacher, school), link=link, sets=sets)
    system, of_teacher, of_school = _fit(linked)
    rng = np.random.default_rng(seed)
    draws = int(settings()["projection"]["draws"]) if draws is None else draws
    leverages = compute_leverages(system, units_left_out(system, leave_out), draws, rng)
    plug_in, corrected = correct_variances(system, of_teacher, of_school, leverages)
    covariance = np.full((3, 3), np.nan)
    if std_errors:
        noise_draws = int(settings()["noise"]["draws"])
        covariance = sampling_covariance(system, of_teacher, of_school, leverages, noise_draws, rng)
    total = float(system.matches.squares.sum()) / float(system.set_rows.sum())
    share = _largest_eigenvalue(system, rng) ** 2 / leverages.squared_eigenvalues
    return TeacherSchoolVariance(
        _components(plug_in, total),
        _components(corrected, total),
        _errors(LeaveOutVariance(plug_in, corrected, covariance)),
        leave_out,
        linked,
        leverages.exact,
        min(share, 1.0),
        _advice(linked, corrected, share, leave_out),
    )


def find_identified_sets(matches: Matches, *, link: Link = "teacher", sets: Sets = "largest") -> LinkedSets:
    """Find the linked sets as `find_linked_sets` does, and refuse what cannot be decomposed.

    Raises
    ------
    DesignError
        If no teacher moves, or fewer than two schools stay linked when any one link is left out.
    """
    if not matches.mover.any():
        teachers, schools = len(matches.teachers), len(matches.schools)
        raise DesignError("teacher_school_no_movers", teachers=teachers, schools=schools)
    linked = find_linked_sets(matches, link=link, sets=sets)
    if len(linked.matches.schools) < FEWEST_SCHOOLS:
        schools, movers = len(matches.schools), int(linked.accounting["movers"].to_numpy()[0])
        raise DesignError("teacher_school_not_linked", schools=schools, movers=movers)
    return linked


def _fit(linked: LinkedSets) -> tuple[SchoolSystem, Floats, Floats]:
    """Return the normal equations on the outcome centred by set, and teacher and school effects."""
    matches = linked.matches.centred(linked.set_of_school[linked.matches.school])
    system = build_school_system(matches, linked.set_of_school)
    teacher, school = system.fit(matches.total, settings()["projection"]["tolerance_effects"])
    return system, teacher, school


def _components(three: Floats, total: float) -> Floats:
    """Return the six components from the three and the variance of the outcome."""
    teacher, both, school = three
    rest = total - teacher - school - 2 * both
    return np.array([teacher, school, both, _correlation(three), rest, total])


def _correlation(three: Floats) -> float:
    """Return the correlation, missing where a variance is not positive."""
    teacher, both, school = three
    return float(both / np.sqrt(teacher * school)) if min(teacher, school) > 0 else np.nan


def _errors(variance: LeaveOutVariance) -> Floats:
    """Return standard errors of the six components; that of the correlation by the delta method."""
    teacher, _, school = variance.estimate
    found = np.full(len(COMPONENTS), np.nan)
    found[[0, 2, 1]] = np.sqrt(np.diag(variance.covariance))
    if min(teacher, school) > 0:
        correlation = _correlation(variance.estimate)
        slope = np.array(
            [-correlation / (2 * teacher), 1 / np.sqrt(teacher * school), -correlation / (2 * school)]
        )
        found[3] = np.sqrt(slope @ variance.covariance @ slope)
    return found


def _largest_eigenvalue(system: SchoolSystem, rng: np.random.Generator) -> float:
    """Return the largest eigenvalue of the school variance as a form in the estimated effects."""
    total, found = system.set_rows.sum(), 0.0
    effects = system.normalised(rng.standard_normal(len(system.school_rows)))
    for _ in range(30):
        effects /= np.sqrt(system.school_rows @ effects**2)
        effects = system.solve(system.school_rows * effects, 1e-4)
        found = float(np.sqrt(system.school_rows @ effects**2)) / total
    return found


def _advice(linked: LinkedSets, estimate: Floats, share: float, leave_out: LeaveOut) -> tuple[Advice, ...]:
    """Return what qualifies the result."""
    limits, found = settings()["advice"], []
    if linked.movers_per_school < limits["movers_per_school"]:
        values = {"found": linked.movers_per_school, "limit": limits["movers_per_school"]}
        found.append(Advice("teacher_school_few_movers", MappingProxyType(values)))
    correlation = _correlation(estimate)
    if np.isnan(correlation):
        found.append(Advice("teacher_school_negative_variance", MappingProxyType({})))
    elif abs(correlation) > 1:
        values = MappingProxyType({"found": correlation})
        found.append(Advice("teacher_school_correlation_out_of_range", values))
    if share > limits["largest_eigenvalue_share"]:
        found.append(Advice("teacher_school_few_contrasts", MappingProxyType({"share": share})))
    if leave_out == "match" and not linked.matches.mover.all():
        staying = float(linked.matches.n[~linked.matches.mover].sum() / linked.matches.n.sum())
        found.append(Advice("teacher_school_stayers_by_row", MappingProxyType({"share": staying})))
    return tuple(found)
