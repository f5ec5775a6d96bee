"""Variance between schools, between classes of a school and between pupils of a class."""

from dataclasses import dataclass
from itertools import product
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from toolkit.errors import DesignError
from toolkit.models.random_intercept import estimate_ratio, group_sums_from_moments, profile_of
from toolkit.models.variance_ratio import Method

GRID_STEPS = 18
CONVERGED = 1e-10


@dataclass(frozen=True, slots=True)
class NestedFit:
    """Estimates of y_scp = m + u_s + v_c + e_p with normal effects of schools, classes and pupils.

    Attributes
    ----------
    method : {"reml", "ml"}
        Restricted or full maximum likelihood.
    mean, std_error : float
        Overall mean (schools weigh by their precision) and its standard error.
    school_variance, class_variance, pupil_variance : float
        The three variances.
    criterion : float
        REML criterion or -2 log-likelihood, constants included.
    n_schools, n_classes, n_obs : int
        Units of each kind.
    at_boundary : tuple of str
        Which of "school", "class" is estimated as zero.
    """

    method: Method
    mean: float
    std_error: float
    school_variance: float
    class_variance: float
    pupil_variance: float
    criterion: float
    n_schools: int
    n_classes: int
    n_obs: int
    at_boundary: tuple[str, ...]

    @property
    def total_variance(self) -> float:
        """Sum of the three variances."""
        return self.school_variance + self.class_variance + self.pupil_variance

    @property
    def school_share(self) -> float:
        """Share of the variance between schools."""
        return self.school_variance / self.total_variance

    @property
    def class_share(self) -> float:
        """Share of the variance between classes of a school."""
        return self.class_variance / self.total_variance

    @property
    def pupil_share(self) -> float:
        """Share of the variance between pupils of a class."""
        return self.pupil_variance / self.total_variance

    def tidy(self) -> pd.DataFrame:
        """Return one row per variance."""
        variances = (self.school_variance, self.class_variance, self.pupil_variance)
        return pd.DataFrame(
            {
                "component": ["school", "class", "pupil"],
                "variance": variances,
                "share": [variance / self.total_variance for variance in variances],
            }
        )


@dataclass(frozen=True, slots=True)
class _ClassSums:
    """Statistics per class; schools numbered from zero; `within` is the total within classes."""

    n: NDArray[np.float64]
    mean: NDArray[np.float64]
    within: float
    school: NDArray[np.intp]
    n_schools: int
    degrees: float
    restricted: bool


@dataclass(frozen=True, slots=True)
class _Point:
    """The criterion at a pair of variance ratios (class, school), with gradient and fixed effect."""

    value: float
    gradient: NDArray[np.float64]
    mean: float
    precision: float
    residual: float


def fit_nested(
    n: ArrayLike, mean: ArrayLike, within_ss: ArrayLike, school: ArrayLike, *, method: Method = "reml"
) -> NestedFit:
    """Estimate the three variances from moments per class.

    Mean and pupil variance are profiled out; the two ratios that are left are searched on a grid and
    refined from every minimum of it. Solutions with a variance of zero are those of the model without
    that effect, and compete by their criterion.

    Parameters
    ----------
    n, mean, within_ss : array_like, (n_classes,)
        Pupils, mean, and sum of squares about the mean of each class.
    school : array_like, (n_classes,)
        School of each class.
    method : {"reml", "ml"}, default "reml"
        REML takes the mean out of the degrees of freedom.

    Raises
    ------
    DesignError
        If there are fewer than two schools, no school has two classes, no class has two pupils, or
        nothing varies within classes.

    Notes
    -----
    Assumes that pupils are not sorted into classes by what the model calls the school effect. A class
    share well above zero says that classes differ, from sorting or from teaching: not which.

    References
    ----------
    Goldstein, H. (2011). Multilevel Statistical Models, 4th ed., section 2.11. Wiley.
    Bates et al. (2015). Journal of Statistical Software 67(1), equation (42): the profiled criterion.
    """
    if method not in get_args(Method):
        raise ValueError(f"method must be one of {get_args(Method)}, not {method!r}")
    sums = group_sums_from_moments(n, mean, within_ss)
    codes, labels = pd.factorize(pd.Series(np.asarray(school)))
    if len(codes) != sums.n_groups or (codes < 0).any():
        raise ValueError("every class needs the school it belongs to")
    if len(labels) < 2:
        raise DesignError("models_too_few_groups", groups=len(labels))
    if len(labels) == sums.n_groups:
        raise DesignError("models_one_class_per_school", schools=len(labels))
    class_only = profile_of(sums)  # also refuses what has no variation within classes
    # A shift of the origin: the criterion does not change, the rounding does.
    centre = float(class_only.centre[-1])
    restricted = method == "reml"
    classes = _ClassSums(
        n=sums.n,
        mean=sums.means[:, 0] - centre,
        within=float(sums.within[0, 0]),
        school=codes,
        n_schools=len(labels),
        degrees=float(sums.n_obs - (1 if restricted else 0)),
        restricted=restricted,
    )
    start = np.array([estimate_ratio(class_only, method), 0.0])
    ratios = _lowest(classes, [start, np.array([0.0, _school_ratio(classes, method)]), *_interior(classes)])
    point = _evaluate(classes, ratios)
    pupil = point.residual / classes.degrees
    return NestedFit(
        method=method,
        mean=point.mean + centre,
        std_error=float(np.sqrt(pupil / point.precision)),
        school_variance=float(ratios[1]) * pupil,
        class_variance=float(ratios[0]) * pupil,
        pupil_variance=pupil,
        criterion=point.value,
        n_schools=len(labels),
        n_classes=sums.n_groups,
        n_obs=sums.n_obs,
        at_boundary=tuple(
            name for name, ratio in zip(("class", "school"), ratios, strict=True) if ratio == 0
        )[::-1],
    )


def _evaluate(classes: _ClassSums, ratios: NDArray[np.float64]) -> _Point:
    """Return criterion and gradient; V of a school is I + class ratio ZZ' + school ratio 11'."""
    class_ratio, school_ratio = ratios
    a = classes.n / (1 + classes.n * class_ratio)
    weight = np.bincount(classes.school, a, classes.n_schools)
    mean = np.bincount(classes.school, a * classes.mean, classes.n_schools) / weight
    spread = float(np.sum(a * (classes.mean - mean[classes.school]) ** 2))
    b = weight / (1 + school_ratio * weight)
    centre = float(np.sum(b * mean) / b.sum())
    residual = classes.within + spread + float(np.sum(b * (mean - centre) ** 2))
    value = classes.degrees * (1 + np.log(2 * np.pi * residual / classes.degrees))
    value += np.sum(np.log1p(classes.n * class_ratio)) + np.sum(np.log1p(school_ratio * weight))

    shrunk = (school_ratio * b * (mean - centre))[classes.school]
    class_residual = a * (classes.mean - centre - shrunk)
    school_factor = 1 / (1 + school_ratio * weight)
    trace = np.sum(a) - np.sum(school_ratio * school_factor[classes.school] * a**2)
    falls = np.array([np.sum(class_residual**2), np.sum((b * (mean - centre)) ** 2)])
    gradient = np.array([trace, b.sum()]) - classes.degrees * falls / residual
    if classes.restricted:
        value += np.log(b.sum())
        gradient -= np.array([np.sum((a * school_factor[classes.school]) ** 2), np.sum(b**2)]) / b.sum()
    return _Point(float(value), gradient, centre, float(b.sum()), residual)


def _school_ratio(classes: _ClassSums, method: Method) -> float:
    """Return the school ratio at the lowest minimum when classes do not differ."""
    size = np.bincount(classes.school, classes.n, classes.n_schools)
    mean = np.bincount(classes.school, classes.n * classes.mean, classes.n_schools) / size
    spread = float(np.sum(classes.n * (classes.mean - mean[classes.school]) ** 2))
    pooled = np.full(len(size), (classes.within + spread) / len(size))
    return estimate_ratio(profile_of(group_sums_from_moments(size, mean, pooled)), method)


def _interior(classes: _ClassSums) -> list[NDArray[np.float64]]:
    """Return the points inside where the gradient is zero, started from every minimum of a grid."""
    spread = float(np.var(classes.mean)) * (classes.n.sum() - len(classes.n)) / classes.within
    ends = np.log(1e-4 / classes.n.max()), np.log(1e2 * (1 + spread))
    axis = np.linspace(*ends, GRID_STEPS)
    values = np.array([_evaluate(classes, np.exp(pair)).value for pair in product(axis, axis)])
    values = np.pad(values.reshape(GRID_STEPS, GRID_STEPS), 1, constant_values=np.inf)
    centre = values[1:-1, 1:-1]
    neighbours = [
        values[1 + i : GRID_STEPS + 1 + i, 1 + j : GRID_STEPS + 1 + j]
        for i, j in product((-1, 0, 1), repeat=2)
        if (i, j) != (0, 0)
    ]
    lowest = np.all([centre <= other for other in neighbours], axis=0)
    return [_refine(classes, axis[list(position)], ends) for position in np.argwhere(lowest)]


def _refine(
    classes: _ClassSums, start: NDArray[np.float64], ends: tuple[float, float]
) -> NDArray[np.float64]:
    """Return the ratios to which a search in the logarithms leads."""

    def criterion(logs: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        point = _evaluate(classes, np.exp(logs))
        return point.value, point.gradient * np.exp(logs)

    def gradient(logs: NDArray[np.float64]) -> NDArray[np.float64]:
        return criterion(np.clip(logs, ends[0] - 20, ends[1] + 20))[1]

    rough = optimize.minimize(
        criterion, start, jac=True, method="L-BFGS-B", bounds=[(ends[0] - 12, ends[1] + 12)] * 2
    )
    # The value of the criterion is flat to rounding near its minimum; its gradient is not.
    fine = optimize.root(gradient, rough.x, method="hybr", options={"xtol": CONVERGED})
    better = fine.success and np.max(np.abs(fine.x - rough.x)) < 1
    return np.exp(fine.x if better else rough.x)


def _lowest(classes: _ClassSums, candidates: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the candidate with the lowest criterion; a boundary wins a tie."""
    values = np.array([_evaluate(classes, candidate).value for candidate in candidates])
    tolerance = 1e-9 * max(1.0, abs(float(values.min())) * 1e-3)
    return candidates[int(np.argmax(values <= values.min() + tolerance))]
