"""Unit and period effects in a panel with gaps, and the two-way regression on a dummy of adoption."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.models.group_time import AdoptionPanel
from toolkit.models.robust_estimate import (
    Floats,
    Refusal,
    RobustEstimate,
    Whole,
    accept,
    clustered_error,
    leave_out_early,
    refuse,
)

AVERAGE: Final = "two_way"
ESTIMABLE = 1e-8


@dataclass(frozen=True, slots=True)
class TwoWayEffects:
    """Unit and period effects over chosen cells of a panel, by weighted least squares.

    Attributes
    ----------
    cells : ndarray of bool, (n_units, n_periods)
        Observations that enter.
    weights : ndarray of float, (n_units,)
        Weight of each unit.
    """

    cells: NDArray[np.bool_]
    weights: Floats

    @property
    def shares(self) -> Floats:
        """One over the number of cells of a unit, in its cells, (n_units, n_periods)."""
        return self.cells / np.maximum(self.cells.sum(axis=1), 1)[:, None]

    @property
    def cross(self) -> Floats:
        """Cross-products of the period dummies less their unit means, (n_periods, n_periods)."""
        weighted = self.weights[:, None] * self.cells
        return np.diag(weighted.sum(axis=0)) - weighted.T @ self.shares

    def gaps(self, values: Floats) -> Floats:
        """Return the values of all cells less what the effects fitted to the chosen ones predict."""
        shares = self.shares
        known = np.where(self.cells, values, 0.0)
        means = (known * shares).sum(axis=1)
        target = (self.weights[:, None] * np.where(self.cells, known - means[:, None], 0.0)).sum(axis=0)
        slopes = np.linalg.pinv(self.cross, rcond=1e-12, hermitian=True) @ target
        return values - (means - shares @ slopes)[:, None] - slopes[None, :]

    def loads(self, target: Floats) -> Floats | None:
        """Return the weight of each chosen cell in the sum of `target` times `gaps`, target cells apart.

        None where a period of the target is tied to the others by no chosen cell.
        """
        shares, cross = self.shares, self.cross
        of_unit = target.sum(axis=1)
        moved = target.sum(axis=0) - of_unit @ shares
        slopes = np.linalg.pinv(cross, rcond=1e-12, hermitian=True) @ moved
        if np.abs(cross @ slopes - moved).max() > ESTIMABLE:
            return None
        deviations = np.where(self.cells, slopes[None, :] - (shares @ slopes)[:, None], 0.0)
        return -(of_unit[:, None] * shares + self.weights[:, None] * deviations)


@dataclass(frozen=True, slots=True)
class TwoWayRegression:
    """The regression on a dummy of adoption, unit and period effects taken out of both sides.

    Attributes
    ----------
    effects : TwoWayEffects
        Cells and weights of the units seen.
    outcome, dummy : ndarray, (n_units, n_periods)
        Less what the effects predict; zero outside the cells.
    unit_clusters : ndarray of int, (n_units,)
        Level at which adoption was decided.
    is_treated : ndarray of bool, (n_units,)
        Units seen after adoption.
    """

    effects: TwoWayEffects
    outcome: Floats
    dummy: Floats
    unit_clusters: Whole
    is_treated: NDArray[np.bool_]

    @property
    def estimate(self) -> float:
        """Coefficient of the dummy."""
        weighted = self.effects.weights[:, None] * self.dummy
        return float((weighted * self.outcome).sum() / (weighted * self.dummy).sum())

    @property
    def scores(self) -> Floats:
        """Contribution of each unit to the error of the coefficient, (n_units,)."""
        weighted = self.effects.weights[:, None] * self.dummy
        left = self.outcome - self.estimate * self.dummy
        return (weighted * left).sum(axis=1) / (weighted * self.dummy).sum()

    @property
    def clusters(self) -> Whole:
        """Cluster of each observation, (n_obs,)."""
        units, _ = np.nonzero(self.effects.cells)
        return self.unit_clusters[units]

    def observations(self, values: Floats) -> Floats:
        """Return the cells as observations scaled by the root of their weight, (n_obs,)."""
        units, _ = np.nonzero(self.effects.cells)
        return values[self.effects.cells] * np.sqrt(self.effects.weights[units])

    def residualise(self, stacked: Floats) -> Floats:
        """Take the effects out of stacked observations, (n_obs, k)."""
        cells = self.effects.cells
        units, _ = np.nonzero(cells)
        root = np.sqrt(self.effects.weights[units])
        found = np.empty_like(stacked)
        for position in range(stacked.shape[1]):
            values = np.zeros(cells.shape)
            values[cells] = stacked[:, position] / root
            found[:, position] = self.effects.gaps(values)[cells] * root
        return found


@dataclass(frozen=True, slots=True)
class TwoWayDecomposition:
    """The two-way regression as an average of comparisons of two cohorts.

    Attributes
    ----------
    two_way : float
        Coefficient of the dummy of adoption.
    comparisons : pandas.DataFrame
        One row per comparison: `kind` ("treated_never", "earlier_later" or "later_earlier"), `cohort`,
        `comparison_cohort` (missing: never), `weight`, `estimate`. Weights add up to one, and the weighted
        mean is `two_way`.
    n_units : int
        Units used: those observed in all periods.
    """

    two_way: float
    comparisons: pd.DataFrame
    n_units: int


def estimate_two_way(panel: AdoptionPanel, clusters: Whole, *, anticipation: int = 0) -> RobustEstimate:
    """Estimate the coefficient of a dummy of adoption beside unit and period effects.

    A diagnostic: with staggered adoption and effects that change it is no average of effects, for units that
    adopted earlier serve as comparison. Years of anticipation are left out; all event times enter. No
    covariates.

    Parameters
    ----------
    panel : AdoptionPanel
        Weights count in the regression.
    clusters : ndarray of int, (n_units,)
        Level at which adoption was decided.
    anticipation : int
        Years before adoption in which a unit may already have changed.
    """
    found = two_way_regression(panel, clusters, anticipation=anticipation)
    if isinstance(found, str):
        return refuse(AVERAGE, found)
    return accept(
        found.estimate,
        clustered_error(found.scores, found.unit_clusters, few_clusters_factor=True),
        convention="cluster_g",
        average=AVERAGE,
        treated_clusters=found.unit_clusters[found.is_treated],
        n_comparison=int((~found.is_treated).sum()),
    )


def two_way_regression(
    panel: AdoptionPanel, clusters: Whole, *, anticipation: int = 0
) -> TwoWayRegression | Refusal:
    """Return the two-way regression with its effects taken out, or why there is none.

    Parameters
    ----------
    panel, clusters, anticipation
        As in `estimate_two_way`.
    """
    used, own = leave_out_early(panel, clusters, anticipation)
    since = used.periods[None, :] - used.cohorts[:, None]
    cells = np.isfinite(used.outcomes) & ((since < -anticipation) | (since >= 0))
    dummy = (since >= 0).astype(float)
    if not (dummy * cells).any():
        return "robustness_no_treated"
    seen = cells.any(axis=1)
    effects = TwoWayEffects(cells[seen], used.weights[seen])
    rest = np.where(effects.cells, effects.gaps(dummy[seen]), 0.0)
    size = float((effects.weights[:, None] * rest**2).sum())
    if size <= ESTIMABLE * float((effects.weights[:, None] * effects.cells * dummy[seen]).sum()):
        return "robustness_no_comparison"
    outcome = np.where(effects.cells, effects.gaps(used.outcomes[seen]), 0.0)
    is_treated = np.asarray((dummy[seen] * effects.cells).any(axis=1))
    return TwoWayRegression(effects, outcome, rest, own[seen], is_treated)
