"""Stepdown p-values of several hypotheses, from draws they share."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def romano_wolf(estimates: ArrayLike, std_errors: ArrayLike, errors: ArrayLike) -> Floats:
    """Compute p-values adjusted for the family, dependence between the estimates used.

    The chance of any false rejection is controlled: hypotheses are ordered by absolute t-statistic, and
    each is compared with the largest draw among itself and those below it. Draws are divided by the
    standard errors of the estimates, not studentised anew.

    Parameters
    ----------
    estimates, std_errors : array_like, (n_hypotheses,)
        Of effects that are zero under the null.
    errors : array_like, (n_draws, n_hypotheses)
        Draws centred at zero that share multipliers, see `multiplier.draw_errors`.

    Returns
    -------
    ndarray of float, (n_hypotheses,)
        (1 + draws as extreme) / (1 + draws), not decreasing along the order.

    Raises
    ------
    ValueError
        If a value is missing or a standard error is not above zero.

    References
    ----------
    Romano, J. P. and Wolf, M. (2005). Stepwise multiple testing as formalized data snooping.
    Econometrica 73(4), 1237-1282.
    Romano, J. P. and Wolf, M. (2016). Efficient computation of adjusted p-values for resampling-based
    stepdown multiple testing. Statistics and Probability Letters 113, 38-40.
    """
    statistics, draws = _studentise(estimates, std_errors, errors)
    order = np.argsort(-statistics, kind="stable")
    # Column k holds the largest draw among the hypotheses from rank k on.
    largest = np.maximum.accumulate(draws[:, order[::-1]], axis=1)[:, ::-1]
    n_larger = (largest >= statistics[order]).sum(axis=0)
    adjusted = np.empty(len(statistics))
    adjusted[order] = np.maximum.accumulate((1 + n_larger) / (1 + len(draws)))
    return adjusted


def bootstrap_p_values(estimates: ArrayLike, std_errors: ArrayLike, errors: ArrayLike) -> Floats:
    """Compute p-values of each hypothesis alone from the same draws, (n_hypotheses,)."""
    statistics, draws = _studentise(estimates, std_errors, errors)
    return (1 + (draws >= statistics).sum(axis=0)) / (1 + len(draws))


def holm(p_values: ArrayLike) -> Floats:
    """Adjust p-values for the family, whatever their dependence.

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of
    Statistics 6(2), 65-70.
    """
    values = np.asarray(p_values, dtype=float)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("p-values must be in [0, 1]")
    order = np.argsort(values, kind="stable")
    left = np.arange(len(values), 0, -1)
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(np.maximum.accumulate(left * values[order]), 1.0)
    return adjusted


def _studentise(estimates: ArrayLike, std_errors: ArrayLike, errors: ArrayLike) -> tuple[Floats, Floats]:
    """Return absolute statistics of the estimates and of the draws."""
    values, scale = np.asarray(estimates, dtype=float), np.asarray(std_errors, dtype=float)
    draws = np.asarray(errors, dtype=float)
    if not (np.isfinite(values).all() and np.isfinite(draws).all() and (scale > 0).all()):
        raise ValueError("estimates and draws must be finite, and standard errors above zero")
    return np.abs(values) / scale, np.abs(draws) / scale
