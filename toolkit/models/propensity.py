"""Logit models of the chance to be treated."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

MOST_STEPS = 50
STEP_TOLERANCE = 1e-8
"""Newton's error squares with every step: after one as small as this it is beyond machine precision."""
LARGEST_INDEX = 30.0
"""Beyond this index chances are 0 or 1 to machine precision: the groups are separated."""
BLOCK_UNITS = 4096
"""Units worked on at a time: their arrays stay in the cache, and BLAS leaves their products to one thread."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LogitUnits:
    """Some of the units of a logit.

    Attributes
    ----------
    design : ndarray of float, (n_terms, n_units)
        With a constant.
    is_treated : ndarray of bool, (n_units,), or bool
        One value if it holds for all.
    weights : ndarray of float, (n_units,)
        Weight of each unit in the likelihood.
    """

    design: Floats
    is_treated: NDArray[np.bool_] | bool
    weights: Floats


@dataclass(frozen=True, slots=True)
class Logit:
    """A weighted logit.

    Attributes
    ----------
    coefficients : ndarray of float, (n_terms,)
        Of the design.
    inverse : ndarray of float, (n_terms, n_terms)
        Inverse of the information.
    """

    coefficients: Floats
    inverse: Floats


@dataclass(frozen=True, slots=True)
class Propensity:
    """A weighted logit fitted to who is treated.

    Attributes
    ----------
    fitted : ndarray of float, (n_units,)
        Chance of treatment.
    """

    fitted: Floats


def fit_propensity(design: Floats, is_treated: NDArray[np.bool_], weights: Floats) -> Propensity | None:
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
    starts = range(0, len(design), BLOCK_UNITS)
    parts = [slice(start, start + BLOCK_UNITS) for start in starts]
    logit = fit_logit([LogitUnits(design[own].T, is_treated[own], weights[own]) for own in parts])
    return None if logit is None else Propensity(expit(design @ logit.coefficients))


def fit_logit(units: Sequence[LogitUnits]) -> Logit | None:
    """Fit a logit as `fit_propensity` does, to units in parts; nothing larger than a part is made.

    Parameters
    ----------
    units : sequence of LogitUnits
        Treated units and others must occur.
    """
    total = sum(float(part.weights.sum()) for part in units)
    share = sum(float((part.weights * part.is_treated).sum()) for part in units) / total
    coefficients = np.zeros(len(units[0].design))
    coefficients[0] = np.log(share / (1 - share))
    for _ in range(MOST_STEPS):
        moments = _moments(units, coefficients)
        if moments is None:
            return None
        score, information = moments
        if np.linalg.matrix_rank(information, hermitian=True) < len(information):
            return None
        step = np.linalg.solve(information, score)
        coefficients = coefficients + step
        if np.abs(step).max() <= STEP_TOLERANCE * (1 + np.abs(coefficients).max()):
            break
    else:
        return None
    moments = _moments(units, coefficients)
    return None if moments is None else Logit(coefficients, np.linalg.inv(moments[1]).astype(np.float64))


def _moments(units: Sequence[LogitUnits], coefficients: Floats) -> tuple[Floats, Floats] | None:
    """Return score and information; None where an index is beyond the largest."""
    score = np.zeros(len(coefficients))
    information = np.zeros((len(coefficients), len(coefficients)))
    for part in units:
        index = coefficients @ part.design
        if max(index.max(), -index.min()) > LARGEST_INDEX:
            return None
        chance = 1 / (1 + np.exp(-index))
        score += part.design @ (part.weights * (part.is_treated - chance))
        information += (part.design * (part.weights * chance * (1 - chance))) @ part.design.T
    return score, information
