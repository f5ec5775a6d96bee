"""Dispersion between units that adopt a treatment, and what it would have been without."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from toolkit.models.group_time import AdoptionPanel, Comparison, GroupTimeEffects, estimate_group_time

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DispersionPaths:
    """Weighted means and variances between units by period, as observed and without the treatment.

    All arrays are (n_periods,). Units treated from the first period on are not in them: nothing tells
    what they would have been. Missing where an effect that they need is not identified.

    Attributes
    ----------
    periods : ndarray of float
        Periods.
    treated_share : ndarray of float
        Share of the weight that is treated, in [0, 1].
    mean, mean_untreated : ndarray of float
        Mean of the outcome, and without the treatment.
    variance : ndarray of float
        Variance of the outcome between units.
    variance_shifted : ndarray of float
        Without the treatment, if it moved all units of a cohort in a period by the same amount.
    variance_squares : ndarray of float
        Without the treatment, if squared deviations from the untreated mean would have moved in parallel.
    effects : GroupTimeEffects
        Effects on the mean, by cohort and period, that were taken off; its panel holds the units.
    """

    periods: Floats
    treated_share: Floats
    mean: Floats
    mean_untreated: Floats
    variance: Floats
    variance_shifted: Floats
    variance_squares: Floats
    effects: GroupTimeEffects

    @property
    def shares(self) -> Floats:
        """Share of each unit in the weight of those observed in a period, (n_units, n_periods)."""
        seen = self.effects.panel.weights[:, None] * np.isfinite(self.effects.panel.outcomes)
        return seen / seen.sum(axis=0)

    @property
    def deviations(self) -> Floats:
        """Deviation from the untreated mean, the effect taken off the treated, (n_units, n_periods)."""
        return self.effects.panel.outcomes - _effects_by_unit(self.effects) - self.mean_untreated


def compute_dispersion_paths(
    panel: AdoptionPanel, *, comparison: Comparison = "never", anticipation: int = 0
) -> DispersionPaths:
    """Compute the variance between units by period and two versions of it without the treatment.

    Parallel trends in means do not say how the untreated outcomes of the treated would have spread.
    Both versions take the group-time effects on the mean; then

    - *shifted* takes them off the treated, cell by cell: exact if the effect is the same for all units
      of a cell, otherwise the spread of the effects stays in the counterfactual;
    - *squares* estimates group-time effects on the squared deviation from the untreated mean of the
      period. With m1 and m0 the means with and without treatment, the variance without it is
      V0 = V1 - sum of share times effect on the square + (m1 - m0)²: exact if squared deviations
      would have moved in parallel, whatever the effects.

    Parameters
    ----------
    panel : AdoptionPanel
        Complete or not; a period takes the units observed in it.
    comparison, anticipation
        See `estimate_group_time`.

    Notes
    -----
    V1 = E(Y - m0)² - (m1 - m0)² and E(Y - m0)² without treatment is V0. Both counterfactuals hold
    the errors of the estimated effects.
    """
    effects = estimate_group_time(panel, comparison=comparison, base="universal", anticipation=anticipation)
    kept = effects.panel
    seen = np.isfinite(kept.outcomes)
    shares = kept.weights[:, None] * seen
    shares = shares / shares.sum(axis=0)
    outcomes = np.where(seen, kept.outcomes, 0.0)
    mean = (shares * outcomes).sum(axis=0)
    shift = _effects_by_unit(effects)
    mean_untreated = mean - (shares * shift).sum(axis=0)
    untreated = outcomes - shift
    # A period whose untreated mean is not known is no period for the squares.
    known = seen & np.isfinite(mean_untreated)
    squares = np.where(known, (kept.outcomes - mean_untreated) ** 2, np.nan)
    on_squares = estimate_group_time(
        replace(kept, outcomes=squares), comparison=comparison, base="universal", anticipation=anticipation
    )
    of_squares = (shares * _effects_by_unit(on_squares)).sum(axis=0)
    variance = (shares * (outcomes - mean) ** 2).sum(axis=0)
    return DispersionPaths(
        periods=kept.periods,
        treated_share=(shares * (kept.periods >= kept.cohorts[:, None])).sum(axis=0),
        mean=mean,
        mean_untreated=mean_untreated,
        variance=variance,
        variance_shifted=(shares * (untreated - mean_untreated) ** 2).sum(axis=0),
        variance_squares=variance - of_squares + (mean - mean_untreated) ** 2,
        effects=effects,
    )


def _effects_by_unit(effects: GroupTimeEffects) -> Floats:
    """Return the effect of its cell by unit and period, zero where untreated, (n_units, n_periods)."""
    panel = effects.panel
    spread = np.zeros(panel.outcomes.shape)
    for cohort, period, effect in zip(effects.cohorts, effects.periods, effects.effects, strict=True):
        if period >= cohort:
            spread[panel.cohorts == cohort, np.searchsorted(panel.periods, period)] = effect
    return spread
