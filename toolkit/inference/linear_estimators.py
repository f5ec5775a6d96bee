"""Group-time effects as estimators linear in the outcomes, for permutation."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.inference.permutation import LinearEstimator
from toolkit.models.group_time import AdoptionPanel, Comparison
from toolkit.models.group_time_batch import OverallKind, estimate_overall_effects

Floats = NDArray[np.float64]


def overall_effect_estimator(
    panel: AdoptionPanel,
    clusters: ArrayLike,
    *,
    kind: OverallKind = "event_time",
    comparison: Comparison = "never",
    anticipation: int = 0,
    last: float = np.inf,
) -> LinearEstimator:
    """Return the overall average of the group-time effects as a function of outcomes and cohorts.

    Periods, covariates and weights are the panel's. The estimate is linear in the outcomes because the
    propensity does not depend on them. Under another assignment a cell may be refused for lack of
    overlap: the average is over the cells that remain, and missing without any.

    Parameters
    ----------
    panel : AdoptionPanel
        Its outcomes and cohorts are not used.
    clusters : array_like, (n_units,)
        School groups, real and pseudo, and schools in none, each with its own label.
    kind : {"event_time", "simple"}
        Mean over event times 0 to `last` with equal weight, or over all cells by size of the cohort.
    comparison, anticipation
        See `estimate_group_time`.
    last : float
        Last time since adoption that enters.
    """
    _, member = np.unique(np.asarray(clusters), return_inverse=True)

    def estimate(outcomes: Floats, cohorts: Floats) -> tuple[Floats, Floats]:
        found = estimate_overall_effects(
            outcomes,
            cohorts,
            panel,
            member,
            kind=kind,
            comparison=comparison,
            anticipation=anticipation,
            last=last,
        )
        return found.overall, found.contributions

    return estimate
