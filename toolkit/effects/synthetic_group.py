"""Synthetic difference-in-differences for the largest school group of a study."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.models.group_time import AdoptionPanel
from toolkit.models.robust_estimate import Refusal, RobustEstimate, refuse
from toolkit.models.synthetic_differences import (
    PlaceboStudy,
    SyntheticDifference,
    estimate_placebos,
    estimate_synthetic_difference,
    possible_placebos,
)

AVERAGE: Final = "synthetic_mean"


@dataclass(frozen=True, slots=True)
class SyntheticLimits:
    """When the synthetic estimator is refused, and how many placebos it gets.

    Attributes
    ----------
    n_placebos : int
        Placebo groups drawn.
    least_placebos : int
        Below so many distinct placebo groups no p value can be small: 19 allow 0.05.
    least_donors : int
        Never-joining schools that must remain for comparison when a placebo group is taken out.
    most_donors : int
        Beyond so many never-joining schools the weights would take too long.
    least_years_before : int
        Years before anticipation to fit the weights on.
    seed : int
        Of the draws.
    """

    n_placebos: int = 199
    least_placebos: int = 19
    least_donors: int = 5
    most_donors: int = 600
    least_years_before: int = 3
    seed: int = 1


DEFAULT_LIMITS = SyntheticLimits()


@dataclass(frozen=True, slots=True)
class SyntheticGroup:
    """The effect on one school group and its placebos.

    Attributes
    ----------
    effect : RobustEstimate
        Mean effect on the members over the years 0 to `last` since joining. Its standard error is the
        standard deviation of the placebo estimates.
    members : ndarray of int
        Positions in the sample of the members that joined in the same year.
    cohort : float
        The year they joined; missing where refused.
    n_donors : int
        Never-joining schools, observed in all years used.
    difference : SyntheticDifference or None
        With the weights of donors and years.
    placebos : PlaceboStudy or None
        Estimates for random groups of donors of the same size.
    """

    effect: RobustEstimate
    members: NDArray[np.intp]
    cohort: float
    n_donors: int
    difference: SyntheticDifference | None
    placebos: PlaceboStudy | None

    @property
    def p_value(self) -> float:
        """Placebo p value; missing where refused."""
        return np.nan if self.placebos is None else self.placebos.p_value


def estimate_synthetic_group(
    sample: AdoptionSample, *, last: int, anticipation: int, limits: SyntheticLimits
) -> SyntheticGroup:
    """Estimate the effect on the largest school group by synthetic difference-in-differences.

    Only groups with years enough before joining are looked at. The group's members that joined in the same
    year are one unit, their mean weighted as in the sample.
    Years of anticipation are left out. Schools with a missing year are left out.

    Parameters
    ----------
    sample : AdoptionSample
        One stage, role and outcome.
    last : int
        Last year since joining.
    anticipation : int
        Years before joining in which a school may already have changed.
    limits : SyntheticLimits
        When to refuse.
    """
    panel = sample.panel
    timely = _cohorts_with_window(panel, last)
    if not timely:
        return _refused("robustness_no_complete_window")
    fitted = [
        cohort for cohort in timely if _n_before(panel, cohort, anticipation) >= limits.least_years_before
    ]
    if not fitted:
        return _refused("robustness_few_years_before")
    members = _largest_group(panel, sample.clusters, fitted, last, anticipation)
    if not len(members):
        return _refused("robustness_no_complete_window")
    cohort = float(panel.cohorts[members[0]])
    chosen = _years(panel, cohort, last, anticipation)
    n_before = _n_before(panel, cohort, anticipation)
    never = ~np.isfinite(panel.cohorts)
    donors = np.flatnonzero(never & np.isfinite(panel.outcomes[:, chosen]).all(axis=1))
    size = len(members)
    problem = _problem(len(donors), size, limits)
    if problem:
        return _refused(problem)
    weights, untreated = panel.weights, panel.outcomes[donors][:, chosen]
    mean = weights[members] @ panel.outcomes[members][:, chosen] / weights[members].sum()
    found = estimate_synthetic_difference(mean, untreated, n_before=n_before, n_treated=size)
    placebos = estimate_placebos(
        untreated,
        found.estimate,
        group_size=size,
        n_before=n_before,
        n_placebos=limits.n_placebos,
        seed=limits.seed,
        weights=weights[donors],
    )
    effect = RobustEstimate(
        estimate=found.estimate,
        std_error=placebos.std_error,
        convention="placebo",
        average=AVERAGE,
        n_units=size + len(donors),
        n_treated=size,
        n_treated_clusters=1,
        refusal="",
    )
    return SyntheticGroup(effect, members, cohort, len(donors), found, placebos)


def _problem(n_donors: int, size: int, limits: SyntheticLimits) -> Refusal:
    if n_donors > limits.most_donors:
        return "robustness_many_donors"
    n_placebos = min(possible_placebos(n_donors, size), limits.n_placebos)
    few = n_placebos < limits.least_placebos or n_donors < size + limits.least_donors
    return "robustness_few_placebos" if few else ""


def _refused(reason: Refusal) -> SyntheticGroup:
    nobody = np.empty(0, dtype=np.intp)
    return SyntheticGroup(refuse(AVERAGE, reason), nobody, np.nan, 0, None, None)


def _years(panel: AdoptionPanel, cohort: float, last: int, anticipation: int) -> NDArray[np.bool_]:
    """Return the periods before anticipation and those of the window."""
    before = panel.periods < cohort - anticipation
    return before | ((panel.periods >= cohort) & (panel.periods <= cohort + last))


def _n_before(panel: AdoptionPanel, cohort: float, anticipation: int) -> int:
    return int((panel.periods < cohort - anticipation).sum())


def _cohorts_with_window(panel: AdoptionPanel, last: int) -> list[float]:
    """Return the cohorts of which all years of the window are in the data."""
    cohorts = np.unique(panel.cohorts[np.isfinite(panel.cohorts)])
    return [float(one) for one in cohorts if np.isin(one + np.arange(last + 1), panel.periods).all()]


def _largest_group(
    panel: AdoptionPanel,
    clusters: NDArray[np.int64],
    cohorts: list[float],
    last: int,
    anticipation: int,
) -> NDArray[np.intp]:
    """Return the most members of one cluster that joined in one year and were observed in all years used.

    Of equal groups the one that joined first, then the first cluster.
    """
    best = np.empty(0, dtype=np.intp)
    for cohort in cohorts:
        chosen = _years(panel, cohort, last, anticipation)
        complete = np.isfinite(panel.outcomes[:, chosen]).all(axis=1)
        own = np.flatnonzero((panel.cohorts == cohort) & complete)
        if not len(own):
            continue
        labels, counts = np.unique(clusters[own], return_counts=True)
        if counts.max() > len(best):
            best = own[clusters[own] == labels[counts.argmax()]]
    return best
