"""A panel of units with a dose in every period, as arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import DesignError

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DosePanel:
    """Units over evenly spaced periods with a dose that may move up and down.

    Attributes
    ----------
    outcomes, doses : ndarray of float, (n_units, n_periods)
        Missing where not observed. Doses are compared for equality: round them before, to a step that
        means something.
    weights : ndarray of float, (n_units, n_periods)
        Weight of each cell in the estimand, above zero; that of the period of the outcome counts.
    clusters : ndarray of int, (n_units,)
        Cluster of each unit in the standard errors: the level at which doses were decided.
    covariates : ndarray of float, (n_units, n_periods, n_covariates)
        Covariates whose changes are allowed to shift the outcome. One that is fixed in time enters only
        multiplied by a function of time. A cell with a missing covariate is left out.
    strata : ndarray of int, (n_units,)
        Units are compared within a stratum only, such as the school stage.
    """

    outcomes: Floats
    doses: Floats
    weights: Floats
    clusters: Whole
    covariates: Floats
    strata: Whole

    def __post_init__(self) -> None:
        shape = self.outcomes.shape
        if self.doses.shape != shape or self.weights.shape != shape or self.covariates.shape[:2] != shape:
            raise ValueError(f"outcomes are {shape}, but doses, weights or covariates are not")
        if len(self.clusters) != shape[0] or len(self.strata) != shape[0]:
            raise ValueError(f"{len(self.clusters)} clusters, {len(self.strata)} strata for {shape[0]} units")
        if not (np.isfinite(self.weights) & (self.weights > 0)).all():
            raise ValueError("weights must be finite and above zero")
        if shape[1] < 2:
            raise DesignError("dose_few_periods", periods=shape[1])

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.outcomes)


def dose_panel(
    outcomes: Floats,
    doses: Floats,
    *,
    weights: Floats | None = None,
    clusters: Whole | None = None,
    covariates: Floats | None = None,
    strata: Whole | None = None,
) -> DosePanel:
    """Build a panel, by default with equal weights, every unit its own cluster and one stratum.

    Parameters
    ----------
    outcomes, doses : ndarray of float, (n_units, n_periods)
        See `DosePanel`.
    weights : ndarray of float, (n_units,) or (n_units, n_periods)
        One number per unit serves all its periods.
    clusters, covariates, strata
        See `DosePanel`.
    """
    n_units, n_periods = outcomes.shape
    given = np.ones(n_units) if weights is None else np.asarray(weights, dtype=np.float64)
    codes = np.arange(n_units) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    return DosePanel(
        np.asarray(outcomes, dtype=np.float64),
        np.asarray(doses, dtype=np.float64),
        np.broadcast_to(given[:, None] if given.ndim == 1 else given, (n_units, n_periods)),
        codes,
        np.empty((n_units, n_periods, 0)) if covariates is None else np.asarray(covariates, dtype=np.float64),
        np.zeros(n_units, dtype=np.int64) if strata is None else np.unique(strata, return_inverse=True)[1],
    )
