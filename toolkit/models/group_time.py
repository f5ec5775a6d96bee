"""Effects by cohort and period under staggered adoption, from arrays of one balanced or unbalanced panel."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from toolkit.models.group_time_influence import CellDesign, CellModels, InfluenceSource
from toolkit.models.group_time_samples import Refusal, Refused

NEVER = np.inf

Comparison = Literal["never", "not_yet"]
Base = Literal["varying", "universal"]
Unbalanced = Literal["pairs", "complete"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AdoptionPanel:
    """Units over periods, some of which adopt a treatment and keep it.

    Attributes
    ----------
    outcomes : ndarray of float, (n_units, n_periods)
        Missing where a unit was not observed.
    periods : ndarray of float, (n_periods,)
        Increasing.
    cohorts : ndarray of float, (n_units,)
        First period of treatment; `NEVER` (infinite) for units that never adopt.
    covariates : ndarray of float, (n_units, n_covariates)
        Fixed before adoption; without a constant.
    weights : ndarray of float, (n_units,)
        Weight of each unit in the estimand, above zero.
    """

    outcomes: Floats
    periods: Floats
    cohorts: Floats
    covariates: Floats
    weights: Floats

    def __post_init__(self) -> None:
        n_units, n_periods = self.outcomes.shape
        sizes = (len(self.cohorts), len(self.covariates), len(self.weights))
        if sizes != (n_units,) * 3 or len(self.periods) != n_periods:
            raise ValueError(f"a panel of {n_units} units and {n_periods} periods, but arrays of {sizes}")
        if not (np.diff(self.periods) > 0).all():
            raise ValueError("periods must increase")
        if not (np.isfinite(self.weights) & (self.weights > 0)).all():
            raise ValueError("weights must be finite and above zero")
        if not np.isfinite(self.covariates).all():
            raise ValueError("covariates must not be missing")

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.cohorts)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "AdoptionPanel":
        """Return the panel of some units."""
        return replace(
            self,
            outcomes=self.outcomes[chosen],
            cohorts=self.cohorts[chosen],
            covariates=self.covariates[chosen],
            weights=self.weights[chosen],
        )


@dataclass(frozen=True)
class GroupTimeEffects:
    """Effects on the treated by cohort and period.

    Attributes
    ----------
    panel : AdoptionPanel
        Units that entered; with the unbalanced rule "complete" those observed in all periods.
    used : ndarray of int, (n_units,)
        Position of those units in the panel that was given.
    cohorts, periods, bases : ndarray of float, (n_cells,)
        Cohort and period of each cell, and the period it is compared with.
    comparisons : ndarray of float, (n_cells,)
        Units of this and later cohorts other than its own, and those that never adopt, are its comparison.
    effects : ndarray of float, (n_cells,)
        Missing where the cell is refused.
    source : InfluenceSource
        Influence of each unit on sums of the effects.
    n_treated, n_comparison : ndarray of int, (n_cells,)
        Units behind each cell.
    refusals : tuple of str, n_cells
        Why a cell has no effect; empty where it has.
    blocks : ndarray of int, (n_cells,)
        Block of units within which each cell compares, such as a county; 0 where there is one.
    unit_blocks : ndarray of int, (n_units,)
        Block of each unit.
    """

    panel: AdoptionPanel
    used: NDArray[np.intp]
    cohorts: Floats
    periods: Floats
    bases: Floats
    comparisons: Floats
    effects: Floats
    source: InfluenceSource
    n_treated: NDArray[np.int64]
    n_comparison: NDArray[np.int64]
    refusals: tuple[Refusal, ...]
    blocks: NDArray[np.int64]
    unit_blocks: NDArray[np.int64]

    @property
    def event_times(self) -> Floats:
        """Periods since adoption of each cell."""
        return self.periods - self.cohorts

    @cached_property
    def influence(self) -> Floats:
        """Influence of each unit on each effect, (n_units, n_cells), missing where the cell is refused.

        An effect minus its limit is about the mean of its column. Large: `combine_influence` gives that
        on sums of effects, such as averages, without it.
        """
        influence = self.source.combine(np.eye(len(self.effects)))
        influence[:, np.isnan(self.effects)] = np.nan
        return influence

    def combine_influence(self, weights: Floats) -> Floats:
        """Return the influence of each unit on sums of the effects, (n_units, n_columns).

        Parameters
        ----------
        weights : ndarray of float, (n_cells, n_columns)
            Of the effects in each sum; zero where the cell is refused.
        """
        return self.source.combine(weights)


def estimate_group_time(
    panel: AdoptionPanel,
    *,
    comparison: Comparison = "never",
    base: Base = "varying",
    anticipation: int = 0,
    unbalanced: Unbalanced = "pairs",
) -> GroupTimeEffects:
    """Estimate the effect on the treated of each cohort in each period, doubly robust.

    The change since the base period of a cohort's units is compared with that of units outside the
    treatment, reweighted to the cohort's covariates by a logit and adjusted by a linear regression;
    either model being right suffices. Without covariates this is a difference of mean changes.

    Parameters
    ----------
    panel : AdoptionPanel
        Units treated in the first period or before have no base period and are left out.
    comparison : {"never", "not_yet"}
        Units that never adopt, or also those that have adopted neither in the period nor in the
        base period (nor anticipate it).
    base : {"varying", "universal"}
        With "universal" every cell is compared with the last period before adoption (less the
        periods of anticipation); with "varying" a period before adoption with the one before it.
    anticipation : int
        Periods before adoption in which units may already respond.
    unbalanced : {"pairs", "complete"}
        Units missing in some period: a cell takes those observed in both of its periods, or all
        cells take only units observed in every period.

    Returns
    -------
    GroupTimeEffects
        One cell per cohort and period, in this order.

    Notes
    -----
    With complete data the products that the regressions need are summed once per cohort, and those of a
    comparison are sums of them over its cohorts; one logit serves all periods of a cohort with the same
    comparison. Influences are made when asked for, a few thousand units at a time.
    Propensities above 0.995 are trimmed among the comparison; a cell in which a treated unit
    reaches 0.999 is refused for lack of overlap.

    References
    ----------
    Callaway, B. and Sant'Anna, P. (2021). Difference-in-differences with multiple time periods. Journal of
    Econometrics 225.
    Sant'Anna, P. and Zhao, J. (2020). Doubly robust difference-in-differences estimators. Journal of
    Econometrics 219.
    """
    used = np.flatnonzero(panel.cohorts > panel.periods[0] + anticipation)
    if unbalanced == "complete":
        used = used[np.isfinite(panel.outcomes[used]).all(axis=1)]
    kept = panel if len(used) == panel.n_units else panel.take(used)
    dates, codes = np.unique(kept.cohorts, return_inverse=True)
    cells = list(_cells(dates, kept.periods, comparison, base, anticipation))
    models = CellModels(
        kept.outcomes,
        kept.covariates,
        kept.weights,
        codes.astype(np.min_scalar_type(len(dates))),
        cells,
    )
    in_base = [cell.period == cell.before for cell in cells]
    return GroupTimeEffects(
        panel=kept,
        used=used,
        cohorts=dates[[cell.cohort for cell in cells]],
        periods=kept.periods[[cell.period for cell in cells]],
        bases=kept.periods[[cell.before for cell in cells]],
        comparisons=np.append(dates, NEVER)[[cell.first for cell in cells]],
        effects=models.effects,
        source=models,
        n_treated=np.array([sample.n_treated for sample in models.samples], dtype=np.int64),
        n_comparison=np.array([sample.n_controls for sample in models.samples], dtype=np.int64),
        refusals=tuple(
            sample.reason if isinstance(sample, Refused) and not is_base else ""
            for sample, is_base in zip(models.samples, in_base, strict=True)
        ),
        blocks=np.zeros(len(cells), dtype=np.int64),
        unit_blocks=np.zeros(kept.n_units, dtype=np.int64),
    )


def _cells(
    dates: Floats, periods: Floats, comparison: Comparison, base: Base, anticipation: int
) -> Iterator[CellDesign]:
    """Return the cells, cohort by cohort; `dates` are those of the cohorts, increasing."""
    for cohort in np.flatnonzero(np.isfinite(dates)):
        before = int(np.flatnonzero(periods + anticipation < dates[cohort])[-1])
        for period in range(len(periods)):
            if base == "universal" or periods[period] >= dates[cohort]:
                then = before
            elif period > 0:
                then = period - 1
            else:
                continue
            if comparison == "never":
                first = np.searchsorted(dates, NEVER)
            else:
                latest = periods[max(period, then)] + anticipation
                first = np.searchsorted(dates, latest, side="right")
            yield CellDesign(int(cohort), int(first), period, then)
