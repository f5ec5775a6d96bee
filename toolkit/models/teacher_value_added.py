"""Value added of teachers from their residual means over years, shrunken towards zero."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ResidualMeans:
    """Mean residual of each teacher's pupils by year.

    Attributes
    ----------
    residuals : ndarray, (n_teachers, n_years)
        Missing where the teacher has no pupils.
    pupils : ndarray, (n_teachers, n_years)
        Effective number of pupils behind each mean; zero without.
    places : ndarray of int, (n_teachers, n_years)
        School of the teacher in the year; -1 without.
    """

    residuals: Floats
    pupils: Floats
    places: NDArray[np.int64]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether there is a mean, (n_teachers, n_years)."""
        return np.isfinite(self.residuals) & (self.pupils > 0)


@dataclass(frozen=True, slots=True)
class Persistence:
    """How much of the residual means lasts.

    Attributes
    ----------
    teacher_variance : float
        Covariance of the means of one teacher in two years: what lasts. Negative in data without it.
    same_school, other_school : float
        The same over pairs of years at one school, and at two: where the first is much larger, part of what
        lasts is the school's. Missing without such pairs.
    year_variance : float
        Variance of a year's mean beyond what lasts and the draw of pupils.
    pupil_variance : float
        Variance of the residual of a pupil within the classes of a teacher.
    n_teachers, n_pairs : int
        Teachers with two years or more, and pairs of years.
    n_other_pairs : int
        Pairs of years at two schools.
    """

    teacher_variance: float
    same_school: float
    other_school: float
    year_variance: float
    pupil_variance: float
    n_teachers: int
    n_pairs: int
    n_other_pairs: int

    def reliability(self, pupils: Floats) -> Floats:
        """Return the shrinkage factor of means over years with so many pupils, (n_teachers,)."""
        information = self._information(pupils).sum(axis=1)
        return information / (information + 1 / self.teacher_variance)

    def _information(self, pupils: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            noise = self.year_variance + self.pupil_variance / pupils
        return np.where(pupils > 0, 1 / noise, 0.0)


def estimate_persistence(means: ResidualMeans, pupil_variance: float, *, least_gap: int = 1) -> Persistence:
    """Estimate the variance of what lasts from products of the means of one teacher in two years.

    Pupils of two years are different draws, so that the expected product of two means is the variance of what
    lasts over them, whatever the noise of each. Pairs weigh by the harmonic number of pupils.

    Parameters
    ----------
    means : ResidualMeans
        Residuals with a mean of zero over all pupils.
    pupil_variance : float
        Variance of a pupil's residual within the classes of one teacher.
    least_gap : int
        Years that two means must be apart.
    """
    n_years = means.residuals.shape[1]
    known, values = means.known, np.where(means.known, means.residuals, 0.0)
    products, weights, same = [], [], []
    for one, other in combinations(range(n_years), 2):
        if other - one < least_gap:
            continue
        both = known[:, one] & known[:, other]
        counts = means.pupils[both][:, [one, other]]
        products.append(values[both, one] * values[both, other])
        weights.append(counts.prod(axis=1) / counts.sum(axis=1))
        same.append(means.places[both, one] == means.places[both, other])
    product, weight, at_one = (
        np.concatenate(part) if part else np.zeros(0) for part in (products, weights, same)
    )
    at_one = at_one.astype(bool)
    teacher = _mean(product, weight)
    total = _mean(values[known] ** 2, means.pupils[known])
    drawn = pupil_variance * known.sum() / means.pupils[known].sum() if known.any() else np.nan
    return Persistence(
        teacher_variance=teacher,
        same_school=_mean(product[at_one], weight[at_one]),
        other_school=_mean(product[~at_one], weight[~at_one]),
        year_variance=float(np.fmax(total - teacher - drawn, 0.0)),
        pupil_variance=pupil_variance,
        n_teachers=int((known.sum(axis=1) > 1).sum()),
        n_pairs=len(product),
        n_other_pairs=int((~at_one).sum()),
    )


def predict_value_added(
    means: ResidualMeans, persistence: Persistence, left_out: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Predict what a teacher adds, from the years that are not left out.

    The best linear prediction where what lasts is constant and the noise of years is independent: each year
    counts by the inverse of its noise, and the mean is drawn towards zero by its unreliability.

    Parameters
    ----------
    means, persistence
        See `estimate_persistence`; the teacher variance must be above zero.
    left_out : ndarray of bool, (n_years,)
        Years that must not enter.

    Returns
    -------
    predictions : ndarray, (n_teachers,)
        Zero, the mean of all teachers, without any year.
    known : ndarray of bool, (n_teachers,)
        Whether there is a year.
    """
    if not persistence.teacher_variance > 0:
        raise ValueError("nothing lasts from year to year: there is nothing to predict")
    used = means.known & ~left_out
    information = np.where(used, persistence._information(means.pupils), 0.0)
    sums = (information * np.where(used, means.residuals, 0.0)).sum(axis=1)
    total = information.sum(axis=1)
    return sums / (total + 1 / persistence.teacher_variance), total > 0


def _mean(values: Floats, weights: Floats) -> float:
    return float(np.average(values, weights=weights)) if len(values) else float("nan")
