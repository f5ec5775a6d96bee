"""Unit and period effects in a panel with gaps, and the two-way regression on a dummy of adoption."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.models.group_time import AdoptionPanel
from toolkit.models.robust_estimate import (
    Floats,
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
    used, own = leave_out_early(panel, clusters, anticipation)
    since = used.periods[None, :] - used.cohorts[:, None]
    cells = np.isfinite(used.outcomes) & ((since < -anticipation) | (since >= 0))
    effects = TwoWayEffects(cells, used.weights)
    dummy = (since >= 0).astype(float)
    if not (dummy * cells).any():
        return refuse(AVERAGE, "robustness_no_treated")
    rest = np.where(cells, effects.gaps(dummy), 0.0)
    weighted = used.weights[:, None] * rest
    size = float((weighted * rest).sum())
    if size <= ESTIMABLE * float((used.weights[:, None] * cells * dummy).sum()):
        return refuse(AVERAGE, "robustness_no_comparison")
    outcome = np.where(cells, effects.gaps(used.outcomes), 0.0)
    estimate = float((weighted * outcome).sum()) / size
    scores = (weighted * (outcome - estimate * rest)).sum(axis=1) / size
    seen = cells.any(axis=1)
    treated = (dummy * cells).any(axis=1)
    return accept(
        estimate,
        clustered_error(scores[seen], own[seen], few_clusters_factor=True),
        convention="cluster_g",
        average=AVERAGE,
        treated_clusters=own[treated],
        n_comparison=int((seen & ~treated).sum()),
    )
