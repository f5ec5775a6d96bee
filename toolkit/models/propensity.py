"""Logit models of the chance to be treated."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

MOST_STEPS = 50
STEP_TOLERANCE = 1e-12
LARGEST_INDEX = 30.0
"""Beyond this index chances are 0 or 1 to machine precision: the groups are separated."""


@dataclass(frozen=True, slots=True)
class Propensity:
    """A weighted logit fitted to who is treated.

    Attributes
    ----------
    fitted : ndarray of float, (n_units,)
        Chance of treatment.
    influence : ndarray of float, (n_units, n_terms)
        Change of the coefficients by each unit (inverse information times score): sums to zero.
    """

    fitted: NDArray[np.float64]
    influence: NDArray[np.float64]

    @classmethod
    def empty(cls) -> "Propensity":
        """Return the model of no units."""
        return cls(np.empty(0), np.empty((0, 0)))


def fit_propensity(
    design: NDArray[np.float64], is_treated: NDArray[np.bool_], weights: NDArray[np.float64]
) -> Propensity | None:
    """Fit a logit by Newton's method; None where it has no maximum or is not identified.

    Parameters
    ----------
    design : ndarray of float, (n_units, n_terms)
        With a constant.
    is_treated : ndarray of bool, (n_units,)
        Both values must occur.
    weights : ndarray of float, (n_units,)
        Weight of each unit in the likelihood.
    """
    share = float(weights[is_treated].sum() / weights.sum())
    coefficients = np.zeros(design.shape[1])
    coefficients[0] = np.log(share / (1 - share))
    for _ in range(MOST_STEPS):
        index = design @ coefficients
        if np.abs(index).max() > LARGEST_INDEX:
            return None
        fitted = expit(index)
        score = design.T @ (weights * (is_treated - fitted))
        information = _information(design, weights, fitted)
        if np.linalg.matrix_rank(information, hermitian=True) < len(information):
            return None
        step = np.linalg.solve(information, score)
        coefficients = coefficients + step
        if np.abs(step).max() <= STEP_TOLERANCE * (1 + np.abs(coefficients).max()):
            break
    else:
        return None
    fitted = expit(design @ coefficients)
    scores = design * (weights * (is_treated - fitted))[:, None]
    inverse = np.linalg.inv(_information(design, weights, fitted))
    return Propensity(fitted, scores @ inverse)


def _information(
    design: NDArray[np.float64], weights: NDArray[np.float64], fitted: NDArray[np.float64]
) -> NDArray[np.float64]:
    return (design * (weights * fitted * (1 - fitted))[:, None]).T @ design
