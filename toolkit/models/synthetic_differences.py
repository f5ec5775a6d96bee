"""Synthetic difference-in-differences for one treated group, with placebo groups of untreated units."""

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

Floats = NDArray[np.float64]

TINY_RIDGE = 1e-6
DRAWS_PER_PLACEBO = 20


@dataclass(frozen=True, slots=True)
class SyntheticDifference:
    """The effect on one group, compared with weighted untreated units and weighted earlier periods.

    Attributes
    ----------
    estimate : float
        Mean effect over the periods after adoption, in the unit of the outcome.
    unit_weights : ndarray of float, (n_units,)
        Weights of the untreated units; they add up to one.
    period_weights : ndarray of float, (n_before,)
        Weights of the periods before; they add up to one.
    """

    estimate: float
    unit_weights: Floats
    period_weights: Floats


@dataclass(frozen=True, slots=True)
class PlaceboStudy:
    """Estimates for random groups of untreated units of the size of the treated group.

    Attributes
    ----------
    estimates : ndarray of float, (n_placebos,)
        One per placebo group; the groups are distinct, and may share units.
    p_value : float
        (1 + placebos at least as far from zero as the estimate) / (1 + placebos).
    std_error : float
        Root of the mean squared deviation of the placebo estimates from their mean.
    """

    estimates: Floats
    p_value: float
    std_error: float


def estimate_synthetic_difference(
    treated: Floats, untreated: Floats, *, n_before: int, n_treated: int
) -> SyntheticDifference:
    """Estimate the effect on a group by synthetic difference-in-differences.

    Untreated units are weighted so that their mean moves in parallel with the group before adoption, with
    a penalty on uneven weights; periods before so that they predict the mean of those after among the
    untreated. Assumes that the group, untreated, had kept to the course of the weighted units.

    Parameters
    ----------
    treated : ndarray of float, (n_periods,)
        Mean outcome of the group.
    untreated : ndarray of float, (n_units, n_periods)
        Outcomes of units that never adopt, complete.
    n_before : int
        Periods before adoption; the rest comes after.
    n_treated : int
        Units in the group: the penalty grows with their number.

    References
    ----------
    Arkhangelsky, D., Athey, S., Hirshberg, D., Imbens, G. and Wager, S. (2021). Synthetic
    difference-in-differences. American Economic Review 111(12).
    """
    before, after = untreated[:, :n_before], untreated[:, n_before:]
    noise = float(np.std(np.diff(before, axis=1), ddof=1))
    penalty = (n_treated * after.shape[1]) ** 0.25 * noise
    units = simplex_weights(before.T, treated[:n_before], ridge=penalty**2 * n_before)
    periods = simplex_weights(before, after.mean(axis=1), ridge=(TINY_RIDGE * noise) ** 2 * len(before))
    rise = treated[n_before:].mean() - periods @ treated[:n_before]
    trend = units @ (after.mean(axis=1) - before @ periods)
    return SyntheticDifference(float(rise - trend), units, periods)


def simplex_weights(design: Floats, target: Floats, *, ridge: float) -> Floats:
    """Return weights, not negative and adding up to one, that bring the columns nearest to the target.

    An intercept is free: columns and target are taken less their means.

    Parameters
    ----------
    design : ndarray of float, (n_rows, n_columns)
        Columns to be weighted.
    target : ndarray of float, (n_rows,)
        What they are to follow.
    ridge : float
        Penalty on the sum of squared weights.
    """
    gaps = (design - design.mean(axis=0)) - (target - target.mean())[:, None]
    # Weights that add to one bring the target inside the square; scaled, they are those of least squares
    # under non-negativity with one more row that asks for the sum one.
    size = np.sqrt(max(float((gaps**2).sum(axis=0).max()) + ridge, np.finfo(float).tiny))
    rows = np.vstack([gaps / size, np.ones(design.shape[1])])
    if ridge > 0:
        rows = np.vstack([rows, np.sqrt(ridge) / size * np.eye(design.shape[1])])
    goal = np.zeros(len(rows))
    goal[len(gaps)] = 1.0
    weights, _ = nnls(rows, goal)
    return weights / weights.sum()


def estimate_placebos(
    untreated: Floats,
    estimate: float,
    *,
    group_size: int,
    n_before: int,
    n_placebos: int,
    seed: int,
    weights: Floats | None = None,
) -> PlaceboStudy:
    """Estimate effects that are not there: on random groups of untreated units of the same size.

    The p value is exact if, without an effect, every group of so many schools was equally likely to adopt.
    Schools drawn at random share no shocks, as those of a real group may: the p value is then too small.

    Parameters
    ----------
    untreated : ndarray of float, (n_units, n_periods)
        Outcomes of units that never adopt, complete.
    estimate : float
        Estimate for the treated group.
    group_size, n_before : int
        As for the treated group.
    n_placebos : int
        Groups; fewer if there are no more distinct ones.
    seed : int
        Of the draws.
    weights : ndarray of float, (n_units,), optional
        Weights of the units in the mean of a group.
    """
    own = np.ones(len(untreated)) if weights is None else weights
    estimates = []
    for group in _groups(len(untreated), group_size, n_placebos, seed):
        rest = np.setdiff1d(np.arange(len(untreated)), group)
        mean = own[group] @ untreated[group] / own[group].sum()
        placebo = estimate_synthetic_difference(
            mean, untreated[rest], n_before=n_before, n_treated=group_size
        )
        estimates.append(placebo.estimate)
    values = np.array(estimates)
    extreme = np.count_nonzero(np.abs(values) >= abs(estimate) * (1 - 1e-12))
    return PlaceboStudy(values, (1 + extreme) / (1 + len(values)), float(values.std()))


def possible_placebos(n_untreated: int, group_size: int) -> int:
    """Return how many distinct groups of this size leave two or more untreated units for comparison."""
    return comb(n_untreated, group_size) if n_untreated >= group_size + 2 else 0


def _groups(n_units: int, size: int, n_wanted: int, seed: int) -> list[NDArray[np.intp]]:
    """Draw distinct groups of units."""
    n_groups = min(n_wanted, possible_placebos(n_units, size))
    if size == 1 and n_groups == n_units:
        return [np.array([unit]) for unit in range(n_units)]
    rng = np.random.default_rng(seed)
    drawn: dict[tuple[int, ...], None] = {}
    for _ in range(DRAWS_PER_PLACEBO * n_groups):
        drawn[tuple(sorted(rng.choice(n_units, size, replace=False).tolist()))] = None
        if len(drawn) == n_groups:
            break
    return [np.array(group) for group in drawn]
