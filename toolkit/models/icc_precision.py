"""What an intraclass correlation from few schools can tell."""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from toolkit.models.icc_interval import IntervalMethod

Effects = Literal["normal", "skewed"]

NOMINAL_COVERAGE = 0.95
SMALLEST_PROMISED_ICC = 0.05


def icc_standard_error(icc: ArrayLike, n_groups: ArrayLike, group_size: ArrayLike) -> NDArray[np.float64]:
    """Return the large-sample standard error of the intraclass correlation.

    sqrt(2 (1 - r)^2 (1 + (n - 1) r)^2 / (n (n - 1) (k - 1))) for k groups of n; arguments broadcast.

    References
    ----------
    Fisher, R. A. (1925). Statistical Methods for Research Workers, chapter 7.
    Donner, A. (1986). A review of inference procedures for the intraclass correlation coefficient in the
    one-way random effects model. International Statistical Review 54(1), 67-82.
    """
    r, k, n = _design(icc, n_groups, group_size)
    return np.sqrt(2 * (1 - r) ** 2 * (1 + (n - 1) * r) ** 2 / (n * (n - 1) * (k - 1)))


def chance_below(
    limit: ArrayLike, icc: ArrayLike, n_groups: ArrayLike, group_size: ArrayLike
) -> NDArray[np.float64]:
    """Return the probability that the estimated correlation falls below a limit.

    Exact for k groups of n with normal effects and observations, where REML is the analysis-of-variance
    estimate (F - 1) / (F + n - 1), taken as zero below, and F over 1 + n r / (1 - r) is an F variable
    with k - 1 and k (n - 1) degrees of freedom. Arguments broadcast.

    References
    ----------
    Searle, S. R. (1971). Linear Models, section 9.9. Wiley.
    """
    r, k, n = _design(icc, n_groups, group_size)
    bound = np.asarray(limit, dtype=float)
    if not ((bound > 0) & (bound < 1)).all():
        raise ValueError("limit must lie between 0 and 1")
    observed = (1 + (n - 1) * bound) / (1 - bound)
    expected = (1 + (n - 1) * r) / (1 - r)
    return np.asarray(stats.f.cdf(observed / expected, k - 1, k * (n - 1)))


def effective_group_size(n: ArrayLike) -> float:
    """Return the size n0 that stands for unequal sizes in formulas for groups of one size.

    n0 = (N - sum n_i^2 / N) / (k - 1), the weight of the between variance in the mean square between.
    """
    sizes = np.asarray(n, dtype=float)
    if len(sizes) < 2 or not (sizes > 0).all():
        raise ValueError("an effective size needs two groups or more, none of them empty")
    return float((sizes.sum() - np.sum(sizes**2) / sizes.sum()) / (len(sizes) - 1))


@cache
def _measured_coverage() -> pd.DataFrame:
    """Return the measured coverage as written by the simulation."""
    with resources.files("toolkit.models").joinpath("coverage.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file)


def interval_coverage() -> pd.DataFrame:
    """Return the coverage of both intervals of the correlation as measured by simulation.

    Returns
    -------
    DataFrame
        One row per setting: `method`, `n_groups`, `sizes` ("equal": 30 pupils, "unequal": 20 to 600),
        `effects` ("normal" or "skewed" school effects), `icc`, `coverage`, `below` and `above` (shares of
        intervals that lie wholly below or above the truth), `mean_width`, `draws`.
    """
    return _measured_coverage().copy()


@dataclass(frozen=True, slots=True)
class LowestCoverage:
    """The lowest measured coverage of the 95 % interval.

    Attributes
    ----------
    n_groups : int
        Number of groups that was simulated.
    coverage : float
        Lowest coverage over the correlations of at least 0.05 and both size patterns.
    """

    n_groups: int
    coverage: float

    @property
    def shortfall(self) -> float:
        """By how much the coverage falls short of 95 %; not below zero."""
        return max(0.0, NOMINAL_COVERAGE - self.coverage)


def lowest_coverage(method: IntervalMethod, n_groups: int, *, effects: Effects = "normal") -> LowestCoverage:
    """Return the lowest measured coverage with about so many groups.

    The number of groups is the largest one simulated that is not above `n_groups`, or the smallest one
    simulated. The Monte Carlo standard error of one coverage of 95 % from 2,000 draws is 0.005: as the worst
    of ten settings, a shortfall of up to 0.015 can be noise, and is for the exact method with normal effects.

    Raises
    ------
    ValueError
        If nothing was measured for the method and the effects.
    """
    table = interval_coverage()
    rows = table[
        (table["method"] == method) & (table["effects"] == effects) & (table["icc"] >= SMALLEST_PROMISED_ICC)
    ]
    if rows.empty:
        raise ValueError(f"no coverage was measured for method {method!r} with effects {effects!r}")
    simulated = rows["n_groups"].to_numpy()
    nearest = max((int(k) for k in simulated if k <= n_groups), default=int(simulated.min()))
    return LowestCoverage(nearest, float(rows.loc[simulated == nearest, "coverage"].to_numpy().min()))


def _design(
    icc: ArrayLike, n_groups: ArrayLike, group_size: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the arguments as arrays, or refuse what is no correlation or no design."""
    r, k, n = (np.asarray(value, dtype=float) for value in (icc, n_groups, group_size))
    if not ((r >= 0) & (r < 1)).all():
        raise ValueError("icc must lie in [0, 1)")
    if not (k >= 2).all() or not (n > 1).all():
        raise ValueError("precision needs two groups or more, of more than one pupil")
    return r, k, n
