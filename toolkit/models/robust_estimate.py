"""One average effect by one estimator, with what a reader must know to compare it with others."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from toolkit.models.group_time import NEVER, AdoptionPanel, Comparison

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

Convention = Literal["cluster_g", "imputation_event_time", "pooled_cohorts", "placebo", "none"]
Average = Literal["event_times_equal", "pooled_window", "two_way", "matched_change", "synthetic_mean"]
Refusal = Literal[
    "",
    "robustness_no_treated",
    "robustness_no_comparison",
    "robustness_no_base_year",
    "robustness_no_complete_window",
    "robustness_gaps_in_cohort",
    "robustness_years_with_gaps",
    "robustness_no_second_year_before",
    "robustness_year_without_untreated",
    "robustness_single_cluster_cohort",
    "robustness_few_treated_clusters",
    "robustness_no_score",
    "robustness_no_match",
    "robustness_few_placebos",
    "robustness_few_years_before",
    "robustness_many_donors",
]


@dataclass(frozen=True, slots=True)
class RobustEstimate:
    """An average effect of adoption.

    Attributes
    ----------
    estimate, std_error : float
        In the unit of the outcome. Both missing where the method is refused; the standard error alone
        where only it is.
    convention : str
        How the standard error is made: "cluster_g" sums scores by cluster, times G / (G - 1) for the
        variance; "pooled_cohorts" does so cohort by cohort, cohorts of a single cluster pooled;
        "imputation_event_time" is the conservative variance of the imputation estimator, by cluster, effects
        centred by event time, without factor; "placebo" the standard deviation of placebo estimates; "none"
        no standard error.
    average : str
        What is averaged: "event_times_equal" the effects of the event times from 0 with equal weight, as in
        the main estimate; "pooled_window" the mean outcome over these years as one outcome; "two_way" the
        coefficient of a dummy; "matched_change" and "synthetic_mean" mean changes of the treated units.
    n_units, n_treated : int
        Units used, and the treated among them.
    n_treated_clusters : int
        Clusters of these.
    refusal : str
        Why there is no estimate, or no standard error; empty where both are there.
    """

    estimate: float
    std_error: float
    convention: Convention
    average: Average
    n_units: int
    n_treated: int
    n_treated_clusters: int
    refusal: Refusal

    def without_error(self, refusal: Refusal) -> "RobustEstimate":
        """Return the estimate without its standard error, which is refused."""
        return replace(self, std_error=np.nan, convention="none", refusal=refusal)


def refuse(average: Average, refusal: Refusal) -> RobustEstimate:
    """Return the record of a refused estimator."""
    return RobustEstimate(np.nan, np.nan, "none", average, 0, 0, 0, refusal)


def accept(
    estimate: float,
    std_error: float,
    *,
    convention: Convention,
    average: Average,
    treated_clusters: NDArray[np.int64],
    n_comparison: int,
) -> RobustEstimate:
    """Return the record of an estimate; with one treated cluster its standard error is refused."""
    n_clusters = len(np.unique(treated_clusters))
    has_error = n_clusters > 1
    return RobustEstimate(
        estimate=float(estimate),
        std_error=float(std_error) if has_error else np.nan,
        convention=convention if has_error else "none",
        average=average,
        n_units=len(treated_clusters) + n_comparison,
        n_treated=len(treated_clusters),
        n_treated_clusters=n_clusters,
        refusal="" if has_error else "robustness_few_treated_clusters",
    )


def leave_out_early(panel: AdoptionPanel, clusters: Whole, anticipation: int) -> tuple[AdoptionPanel, Whole]:
    """Return the panel without units already exposed, or in anticipation, in the first period."""
    kept = panel.cohorts > panel.periods[0] + anticipation
    return panel.take(kept), clusters[kept]


def leave_out_untimely(
    panel: AdoptionPanel, clusters: Whole, anticipation: int
) -> tuple[AdoptionPanel, Whole]:
    """Return the panel without units exposed from the start, and without those that adopt after its end."""
    used, own = leave_out_early(panel, clusters, anticipation)
    kept = ~np.isfinite(used.cohorts) | (used.cohorts <= used.periods[-1])
    return used.take(kept), own[kept]


def has_clean_comparison(
    panel: AdoptionPanel, last: int, anticipation: int, comparison: Comparison
) -> NDArray[np.bool_]:
    """Return which adopters were observed in base year and window, as was some clean comparison unit."""
    chosen = np.zeros(panel.n_units, dtype=bool)
    for cohort in np.unique(panel.cohorts[np.isfinite(panel.cohorts)]):
        needed = [cohort - 1 - anticipation, *(cohort + np.arange(last + 1))]
        columns = np.isin(panel.periods, needed)
        seen = np.isfinite(panel.outcomes[:, columns]).all(axis=1)
        latest = NEVER if comparison == "never" else cohort + last + anticipation + 1
        if columns.sum() == len(needed) and (seen & (panel.cohorts >= latest)).any():
            chosen |= seen & (panel.cohorts == cohort)
    return chosen


def clustered_error(contributions: Floats, clusters: Whole, *, few_clusters_factor: bool) -> float:
    """Return the root of the sum of squared cluster sums, with the factor G / (G - 1) if wanted.

    Parameters
    ----------
    contributions : ndarray of float, (n_rows,)
        What each row adds to the error of the estimate.
    clusters : ndarray of int, (n_rows,)
        Cluster of each row.
    few_clusters_factor : bool
        Whether the variance is multiplied by G / (G - 1).
    """
    _, member = np.unique(clusters, return_inverse=True)
    sums = np.bincount(member, contributions)
    factor = len(sums) / (len(sums) - 1) if few_clusters_factor and len(sums) > 1 else 1.0
    return float(np.sqrt(factor * (sums @ sums)))
