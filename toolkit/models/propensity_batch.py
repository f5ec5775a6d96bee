"""Logit models of the chance to be treated under many assignments of the same units."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from toolkit.models.propensity import LARGEST_INDEX, MOST_STEPS, STEP_TOLERANCE

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def fit_propensities(
    design: Floats, is_treated: Flags, is_used: Flags, weights: Floats
) -> tuple[Floats, Flags]:
    """Fit a logit per assignment by Newton's method, as `fit_propensity` does.

    Parameters
    ----------
    design : ndarray of float, (n_units, n_terms)
        With a constant.
    is_treated, is_used : ndarray of bool, (n_assignments, n_units)
        Treated units and, with them, their comparison; both must occur in every assignment.
    weights : ndarray of float, (n_units,)
        Weight of each unit in the likelihood.

    Returns
    -------
    fitted : ndarray of float, (n_assignments, n_units)
        Chance of treatment, one half where there is none.
    is_fitted : ndarray of bool, (n_assignments,)
        False where the logit has no maximum or is not identified.
    """
    n_terms = design.shape[1]
    outer = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    counted = is_used * weights
    share = (is_treated * weights).sum(axis=1) / counted.sum(axis=1)
    coefficients = np.zeros((len(share), n_terms))
    coefficients[:, 0] = np.log(share / (1 - share))
    is_fitted = np.zeros(len(share), dtype=bool)
    active = np.arange(len(share))
    for _ in range(MOST_STEPS):
        if not len(active):
            break
        index = coefficients[active] @ design.T
        active = active[np.abs(index * is_used[active]).max(axis=1) <= LARGEST_INDEX]
        chance = expit(coefficients[active] @ design.T)
        spread = (counted[active] * chance * (1 - chance)) @ outer
        information = spread.reshape(-1, n_terms, n_terms)
        is_regular = np.linalg.matrix_rank(information, hermitian=True) == n_terms
        active, chance = active[is_regular], chance[is_regular]
        score = (counted[active] * (is_treated[active] - chance)) @ design
        step = np.linalg.solve(information[is_regular], score[:, :, None])[:, :, 0]
        coefficients[active] += step
        largest = np.abs(coefficients[active]).max(axis=1)
        is_settled = np.abs(step).max(axis=1) <= STEP_TOLERANCE * (1 + largest)
        is_fitted[active[is_settled]] = True
        active = active[~is_settled]
    fitted = expit(coefficients @ design.T)
    return np.where(is_fitted[:, None], fitted, 0.5), is_fitted
