"""Variance between and within schools from a sample of pupils with unequal weights."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from toolkit.errors import DesignError
from toolkit.models.icc_precision import effective_group_size
from toolkit.models.plausible_values import fisher_z


@dataclass(frozen=True, slots=True)
class WeightedComponents:
    """Weighted analysis-of-variance estimate of both variances.

    Attributes
    ----------
    mean : float
        Weighted mean.
    between_variance, within_variance : float
        Estimates; the first is zero if its equation has a negative solution.
    std_error : float
        Standard error of `icc`, by leaving one school out at a time.
    low, high : float
        Interval for `icc`, at least 0 and below 1.
    confidence_level : float
        Nominal coverage.
    n_groups, n_obs : int
        Schools and pupils in the sample.
    at_boundary : bool
        Whether the between variance was set to zero.
    """

    mean: float
    between_variance: float
    within_variance: float
    std_error: float
    low: float
    high: float
    confidence_level: float
    n_groups: int
    n_obs: int
    at_boundary: bool

    @property
    def icc(self) -> float:
        """Between variance as a share of both."""
        return self.between_variance / (self.between_variance + self.within_variance)


def estimate_weighted_components(
    n: ArrayLike,
    mean: ArrayLike,
    within_ss: ArrayLike,
    weight_sum: ArrayLike,
    weight_square_sum: ArrayLike,
    *,
    confidence_level: float = 0.95,
) -> WeightedComponents:
    """Estimate the variances by equating weighted sums of squares to their expectations.

    Restricted likelihood is not defined with sampling weights: a weight stands for pupils who were not
    seen, not for more knowledge of one who was. With W_i and Q_i the sums of the weights and of their
    squares in school i, W = sum W_i, and variances b and s,

        E sum_ij w_ij (y_ij - ybar_i)^2 = s sum_i (W_i - Q_i / W_i),
        E sum_i W_i (ybar_i - ybar)^2   = b (W - sum_i W_i^2 / W) + s (sum_i Q_i / W_i - sum_i Q_i / W).

    Equal weights give the analysis-of-variance estimate; a common factor of the weights has no effect.

    Parameters
    ----------
    n : array_like, (n_groups,)
        Pupils of the sample in each school.
    mean, within_ss : array_like, (n_groups,)
        Weighted mean and weighted sum of squares about it.
    weight_sum, weight_square_sum : array_like, (n_groups,)
        W_i and Q_i.
    confidence_level : float, default 0.95
        Nominal coverage.

    Raises
    ------
    DesignError
        If there are fewer than three schools, no school has two pupils, or nothing varies in them.

    Notes
    -----
    The interval is a t interval with k - 1 degrees of freedom on Fisher's z scale, its standard error from
    the jackknife over schools, taken as drawn with replacement. Weights that depend on the score given
    school bias the estimate.

    References
    ----------
    Searle, S. R., Casella, G. and McCulloch, C. E. (1992). Variance Components, section 3.6 (unequal
    sizes; here with weights in their place). Wiley.
    Korn, E. L. and Graubard, B. I. (2003). Estimating variance components by using survey data. Journal of
    the Royal Statistical Society B 65(1), 175-190.
    """
    columns = [
        np.asarray(value, dtype=float) for value in (n, mean, within_ss, weight_sum, weight_square_sum)
    ]
    if len({column.shape for column in columns}) > 1 or not all(
        np.isfinite(column).all() for column in columns
    ):
        raise ValueError("n, mean, within_ss and both sums of weights must be complete and of one length")
    size, means, squares, weight, square = columns
    if (size < 1).any() or (weight <= 0).any() or (square <= 0).any() or (squares < 0).any():
        raise ValueError("every school needs a pupil and positive weights")
    if len(size) < 3:
        raise DesignError("models_too_few_groups", groups=len(size))
    if size.max() < 2:
        raise DesignError("models_no_group_with_two", groups=len(size))
    if squares.sum() <= 1e-24 * weight.sum() * np.max(np.abs(means)) ** 2:
        raise DesignError("models_no_variation_within")
    everyone = np.ones(len(size), dtype=bool)
    between, within, centre = _components(means, squares, weight, square, everyone)
    icc = max(between, 0.0) / (max(between, 0.0) + within)
    left_out = _leave_one_out(means, squares, weight, square)
    low, high, std_error = _jackknife(icc, left_out, effective_group_size(size), confidence_level)
    return WeightedComponents(
        mean=centre,
        between_variance=max(between, 0.0),
        within_variance=within,
        std_error=std_error,
        low=low,
        high=high,
        confidence_level=confidence_level,
        n_groups=len(size),
        n_obs=round(size.sum()),
        at_boundary=between <= 0,
    )


def _components(
    means: NDArray[np.float64],
    squares: NDArray[np.float64],
    weight: NDArray[np.float64],
    square: NDArray[np.float64],
    kept: NDArray[np.bool_],
) -> tuple[float, float, float]:
    """Return between variance (can be negative), within variance and mean of the schools kept."""
    m, ss, w, q = means[kept], squares[kept], weight[kept], square[kept]
    total = w.sum()
    centre = float(w @ m / total)
    within = float(ss.sum() / (total - np.sum(q / w)))
    noise = within * (np.sum(q / w) - q.sum() / total)
    between = float((w @ (m - centre) ** 2 - noise) / (total - w @ w / total))
    return between, within, centre


def _leave_one_out(
    means: NDArray[np.float64],
    squares: NDArray[np.float64],
    weight: NDArray[np.float64],
    square: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the correlation without each school in turn."""
    correlations = []
    for position in range(len(means)):
        kept = np.arange(len(means)) != position
        if not squares[kept].any():
            raise DesignError("models_no_variation_within")
        between, within, _ = _components(means, squares, weight, square, kept)
        correlations.append(max(between, 0.0) / (max(between, 0.0) + within))
    return np.array(correlations)


def _jackknife(
    icc: float, left_out: NDArray[np.float64], scale: float, confidence_level: float
) -> tuple[float, float, float]:
    """Return the bounds of the interval and the standard error of the correlation."""
    k = len(left_out)

    def spread(values: NDArray[np.float64]) -> float:
        return float(np.sqrt((k - 1) / k * np.sum((values - values.mean()) ** 2)))

    centre = float(fisher_z(icc, scale))
    margin = float(stats.t.ppf((1 + confidence_level) / 2, k - 1)) * spread(fisher_z(left_out, scale))
    growth = np.exp(2 * np.array([centre - margin, centre + margin]))
    bounds = np.maximum((growth - 1) / (growth + scale - 1), 0.0)
    return float(bounds[0]), float(bounds[1]), spread(left_out)
