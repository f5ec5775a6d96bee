"""Matching on the propensity to adopt, then differences of changes, as most Chinese studies do."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from toolkit.models.group_time import AdoptionPanel
from toolkit.models.propensity import fit_propensity
from toolkit.models.robust_estimate import (
    Floats,
    Refusal,
    RobustEstimate,
    Whole,
    accept,
    clustered_error,
    leave_out_untimely,
    refuse,
)

AVERAGE: Final = "matched_change"
TIE: Final = 1e-9
ROWS_AT_ONCE: Final = 500
SURE: Final = 1e-12


@dataclass(frozen=True, slots=True)
class MatchedDifference:
    """The effect after matching, and how the matching went.

    Attributes
    ----------
    effect : RobustEstimate
        Mean difference of changes.
    n_matched, n_unmatched : int
        Treated units with a comparison unit within the caliper, and without: these are left out, and the
        effect is that on the rest.
    n_comparison_used : int
        Comparison units that were taken at least once.
    caliper : float
        Largest distance of the logit of the propensity.
    """

    effect: RobustEstimate
    n_matched: int
    n_unmatched: int
    n_comparison_used: int
    caliper: float


def estimate_matched_difference(
    panel: AdoptionPanel,
    clusters: Whole,
    *,
    last: int,
    anticipation: int = 0,
    caliper_share: float = 0.2,
) -> MatchedDifference:
    """Estimate the effect by propensity score matching and difference-in-differences.

    A logit of ever adopting on the covariates and the mean outcome of the years before the first adoption
    (less anticipation) gives the score. Each adopter takes the nearest never-adopting unit on the logit of
    the score, with replacement, within `caliper_share` standard deviations of that logit; ties are
    averaged. The change is the mean of years 0 to `last` since adoption less the mean of all years before
    anticipation, over the same years for the adopter and its match.

    Assumes parallel trends given the score. Limits: matching on an outcome before adoption brings in
    comparison units whose bad or good years were chance, which then return to their mean; one score stands
    for all cohorts; the standard error is that of the matched sample as if the score were known and the
    matches fixed.

    Parameters
    ----------
    panel : AdoptionPanel
        Weights of the adopters count in the mean; not in the logit.
    clusters : ndarray of int, (n_units,)
        Level at which adoption was decided.
    last : int
        Last event time.
    anticipation : int
        Years before adoption in which a unit may already have changed.
    caliper_share : float
        Caliper in standard deviations of the logit of the score over all units.
    """
    used, own = leave_out_untimely(panel, clusters, anticipation)
    adopts = np.isfinite(used.cohorts)
    if not adopts.any() or adopts.all():
        return _refused("robustness_no_comparison" if adopts.any() else "robustness_no_treated")
    index = _score(used, adopts, anticipation)
    if index is None:
        return _refused("robustness_no_score")
    caliper = caliper_share * float(np.std(index[np.isfinite(index)], ddof=1))
    pairs = _match(used, index, caliper, last, anticipation)
    n_treated = int(adopts.sum())
    if not len(pairs.treated):
        return _refused("robustness_no_match", n_unmatched=n_treated, caliper=caliper)
    matched = np.unique(pairs.treated)
    total = used.weights[matched].sum()
    share = used.weights[pairs.treated] * pairs.shares / total
    mean_treated, mean_comparison = share @ pairs.changes, share @ pairs.comparison_changes
    contributions = np.concatenate(
        [share * (pairs.changes - mean_treated), -share * (pairs.comparison_changes - mean_comparison)]
    )
    error = clustered_error(
        contributions, own[np.concatenate([pairs.treated, pairs.comparison])], few_clusters_factor=True
    )
    n_used = len(np.unique(pairs.comparison))
    effect = accept(
        float(mean_treated - mean_comparison),
        error,
        convention="cluster_g",
        average=AVERAGE,
        treated_clusters=own[matched],
        n_comparison=n_used,
    )
    return MatchedDifference(effect, len(matched), n_treated - len(matched), n_used, caliper)


def _refused(reason: Refusal, *, n_unmatched: int = 0, caliper: float = np.nan) -> MatchedDifference:
    return MatchedDifference(refuse(AVERAGE, reason), 0, n_unmatched, 0, caliper)


def _score(panel: AdoptionPanel, adopts: NDArray[np.bool_], anticipation: int) -> Floats | None:
    """Return the logit of the propensity, missing where no outcome was seen before; None without a fit."""
    before = panel.periods < panel.cohorts[adopts].min() - anticipation
    level = _mean_of(panel.outcomes, before)
    seen = np.isfinite(level)
    if not adopts[seen].any() or adopts[seen].all():
        return None
    columns = np.column_stack([panel.covariates, level])[seen]
    spread = columns.std(axis=0)
    varies = spread > 0
    standardised = (columns[:, varies] - columns[:, varies].mean(axis=0)) / spread[varies]
    design = np.column_stack([np.ones(len(standardised)), standardised])
    fit = fit_propensity(design, adopts[seen], np.ones(len(design)))
    if fit is None:
        return None
    index = np.full(panel.n_units, np.nan)
    index[seen] = logit(np.clip(fit.fitted, SURE, 1 - SURE))
    return index


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Treated units, their matches with shares that add to one by treated unit, and the changes of both."""

    treated: NDArray[np.intp]
    comparison: NDArray[np.intp]
    shares: Floats
    changes: Floats
    comparison_changes: Floats


def _match(panel: AdoptionPanel, index: Floats, caliper: float, last: int, anticipation: int) -> _Pairs:
    """Match each treated unit to the nearest untreated ones within the caliper, cohort by cohort."""
    found: list[tuple[NDArray, ...]] = []
    for cohort in np.unique(panel.cohorts[np.isfinite(panel.cohorts)]):
        after = (panel.periods >= cohort) & (panel.periods <= cohort + last)
        before = panel.periods < cohort - anticipation
        change = _mean_of(panel.outcomes, after) - _mean_of(panel.outcomes, before)
        usable = np.isfinite(change) & np.isfinite(index)
        treated = np.flatnonzero(usable & (panel.cohorts == cohort))
        pool = np.flatnonzero(usable & ~np.isfinite(panel.cohorts))
        for start in range(0, len(treated) if len(pool) else 0, ROWS_AT_ONCE):
            some = treated[start : start + ROWS_AT_ONCE]
            distance = np.abs(index[some][:, None] - index[pool][None, :])
            nearest = distance.min(axis=1, keepdims=True)
            row, column = np.nonzero((distance <= nearest + TIE) & (nearest <= caliper))
            shares = 1.0 / np.bincount(row, minlength=len(some))[row]
            found.append((some[row], pool[column], shares, change[some[row]], change[pool[column]]))
    if not found:
        nothing = np.empty(0, dtype=np.intp)
        return _Pairs(nothing, nothing, np.empty(0), np.empty(0), np.empty(0))
    return _Pairs(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _mean_of(outcomes: Floats, chosen: NDArray[np.bool_]) -> Floats:
    """Return the mean of the observed outcomes of chosen periods, missing where none was."""
    seen = np.isfinite(outcomes) & chosen
    counts = seen.sum(axis=1)
    totals = np.where(seen, outcomes, 0.0).sum(axis=1)
    return np.divide(totals, counts, out=np.full(len(outcomes), np.nan), where=counts > 0)
