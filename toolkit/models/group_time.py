"""Effects by cohort and period under staggered adoption, from arrays of one balanced or unbalanced panel."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from toolkit.models.propensity import Propensity, fit_propensity

NEVER = np.inf
LARGEST_PROPENSITY = 0.999
TRIMMED_PROPENSITY = 0.995

Comparison = Literal["never", "not_yet"]
Base = Literal["varying", "universal"]
Unbalanced = Literal["pairs", "complete"]
Refusal = Literal["", "no_treated", "no_comparison", "no_overlap", "collinear_covariates"]

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


@dataclass(frozen=True, slots=True)
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
    effects : ndarray of float, (n_cells,)
        Missing where the cell is refused.
    influence : ndarray of float, (n_units, n_cells)
        Influence of each unit on each effect: an effect minus its limit is about the mean of its column.
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
    effects: Floats
    influence: Floats
    n_treated: NDArray[np.int64]
    n_comparison: NDArray[np.int64]
    refusals: tuple[Refusal, ...]
    blocks: NDArray[np.int64]
    unit_blocks: NDArray[np.int64]

    @property
    def event_times(self) -> Floats:
        """Periods since adoption of each cell."""
        return self.periods - self.cohorts


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
    With complete data the regressions of one set of comparison units on the covariates are solved
    once for all periods, and one logit serves all periods of a cohort with the same comparison.
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
    kept = panel.take(used)
    cells = list(_cells(kept, base, anticipation))
    fits = _Nuisances(kept)
    estimate = np.full(len(cells), np.nan)
    influence = np.zeros((kept.n_units, len(cells)), order="F")
    counts = np.zeros((2, len(cells)), dtype=np.int64)
    refusals: list[Refusal] = []
    for position, (cohort, period, before) in enumerate(cells):
        latest = NEVER if comparison == "never" else max(kept.periods[period], kept.periods[before])
        sample = fits.sample(cohort, latest + anticipation, (period, before))
        counts[:, position] = sample.n_treated, sample.n_controls
        refusals.append("")
        if period == before:
            estimate[position] = 0.0
        elif isinstance(sample, _Sample):
            estimate[position] = sample.effect(period, before, influence[:, position])
        else:
            influence[:, position] = np.nan
            refusals[-1] = sample.reason
    cohorts, periods, bases = (
        (np.array(column) for column in zip(*cells, strict=True)) if cells else (np.array([]),) * 3
    )
    return GroupTimeEffects(
        panel=kept,
        used=used,
        cohorts=cohorts.astype(np.float64),
        periods=kept.periods[periods.astype(np.intp)],
        bases=kept.periods[bases.astype(np.intp)],
        effects=estimate,
        influence=influence,
        n_treated=counts[0],
        n_comparison=counts[1],
        refusals=tuple(refusals),
        blocks=np.zeros(len(cells), dtype=np.int64),
        unit_blocks=np.zeros(kept.n_units, dtype=np.int64),
    )


def _cells(panel: AdoptionPanel, base: Base, anticipation: int) -> Iterator[tuple[float, int, int]]:
    """Return cohort, position of the period and position of its base, cell by cell."""
    for cohort in np.unique(panel.cohorts[np.isfinite(panel.cohorts)]):
        before = int(np.flatnonzero(panel.periods + anticipation < cohort)[-1])
        for position, period in enumerate(panel.periods):
            if base == "universal" or period >= cohort:
                yield float(cohort), position, before
            elif position > 0:
                yield float(cohort), position, position - 1


class _Nuisances:
    """Models of the propensity and of the untreated outcomes, each fitted once for all cells it serves."""

    def __init__(self, panel: AdoptionPanel) -> None:
        self.panel = panel
        self.design = np.column_stack([np.ones(panel.n_units), panel.covariates])
        self.observed = np.isfinite(panel.outcomes)
        self.is_complete = bool(self.observed.all())
        self.samples: dict[tuple[float, float, tuple[int, ...]], _Sample | Refused] = {}
        self.regressions: dict[bytes, _Regression | None] = {}

    def sample(self, cohort: float, latest: float, pair: tuple[int, int]) -> "_Sample | Refused":
        """Return a cohort and its comparison, the units that adopt after `latest`."""
        later = self.panel.cohorts[self.panel.cohorts > latest]
        # Two periods between the same adoptions have the same comparison.
        threshold = float(later.min()) if len(later) else NEVER
        columns = tuple(range(len(self.panel.periods))) if self.is_complete else tuple(sorted(pair))
        key = (cohort, threshold, columns)
        if key not in self.samples:
            self.samples[key] = self._sample(cohort, threshold, columns)
        return self.samples[key]

    def _sample(self, cohort: float, threshold: float, columns: tuple[int, ...]) -> "_Sample | Refused":
        panel = self.panel
        seen = self.observed[:, columns].all(axis=1)
        treated = np.flatnonzero(seen & (panel.cohorts == cohort))
        controls = np.flatnonzero(seen & (panel.cohorts >= threshold) & (panel.cohorts != cohort))
        if not len(treated) or not len(controls):
            reason = "no_comparison" if len(treated) else "no_treated"
            return Refused(reason, len(treated), len(controls))
        regression = self._regression(controls, columns)
        if regression is None:
            return Refused("collinear_covariates", len(treated), len(controls))
        units = np.concatenate([treated, controls])
        is_treated = np.arange(len(units)) < len(treated)
        propensity = fit_propensity(self.design[units], is_treated, panel.weights[units])
        if propensity is None or (propensity.fitted[: len(treated)] > LARGEST_PROPENSITY).any():
            return Refused("no_overlap", len(treated), len(controls))
        return _Sample(panel, self.design, treated, regression, propensity)

    def _regression(self, controls: NDArray[np.intp], columns: tuple[int, ...]) -> "_Regression | None":
        key = controls.tobytes() + bytes(columns)
        if key not in self.regressions:
            weighted = self.design[controls] * self.panel.weights[controls, None]
            cross = weighted.T @ self.design[controls]
            is_singular = np.linalg.matrix_rank(cross, hermitian=True) < len(cross)
            self.regressions[key] = None if is_singular else _Regression(self, controls, columns)
        return self.regressions[key]


@dataclass(frozen=True, slots=True)
class Refused:
    """A cohort and its comparison that identify no effect, and how many units they have."""

    reason: Refusal
    n_treated: int
    n_controls: int


class _Regression:
    """Outcomes of the comparison units on the covariates, by weighted least squares, column by column."""

    def __init__(self, fits: _Nuisances, controls: NDArray[np.intp], columns: tuple[int, ...]) -> None:
        self.controls, self.columns = controls, {column: place for place, column in enumerate(columns)}
        self.design = fits.design[controls]
        self.weights = fits.panel.weights[controls]
        self.weighted = self.design * self.weights[:, None]
        self.inverse = np.linalg.inv(self.weighted.T @ self.design)
        outcomes = fits.panel.outcomes[controls][:, columns]
        self.slopes = self.inverse @ (self.weighted.T @ outcomes)
        self.gaps = np.asfortranarray(outcomes - self.design @ self.slopes)


class _Sample:
    """A cohort and its comparison, with the models that serve every pair of periods."""

    def __init__(
        self,
        panel: AdoptionPanel,
        design: Floats,
        treated: NDArray[np.intp],
        regression: _Regression,
        propensity: Propensity,
    ) -> None:
        own = design[treated]
        self.treated, self.regression = treated, regression
        self.gaps = panel.outcomes[treated][:, list(regression.columns)] - own @ regression.slopes
        self.shares = panel.weights[treated] / panel.weights[treated].sum()
        chance = propensity.fitted[len(treated) :]
        odds = np.where(chance < TRIMMED_PROPENSITY, chance / (1 - chance), 0.0) * regression.weights
        self.control_shares = odds / odds.sum()
        # What a slope of the regression moves: the comparison it predicts less the treated it predicts.
        predicted = self.control_shares @ regression.design - self.shares @ own
        self.of_residuals = regression.weighted @ (regression.inverse @ predicted)
        self.weighted_design = regression.design * self.control_shares[:, None]
        self.of_propensity = propensity.influence

    @property
    def n_treated(self) -> int:
        return len(self.treated)

    @property
    def n_controls(self) -> int:
        return len(self.regression.controls)

    def effect(self, period: int, before: int, influence: Floats) -> float:
        """Return the effect of one pair of periods; write the influence of the units."""
        now, then = (self.regression.columns[column] for column in (period, before))
        treated = self.gaps[:, now] - self.gaps[:, then]
        controls = self.regression.gaps[:, now] - self.regression.gaps[:, then]
        mean_treated, mean_controls = self.shares @ treated, self.control_shares @ controls
        of_odds = self.of_propensity @ (
            controls @ self.weighted_design - mean_controls * self.weighted_design.sum(axis=0)
        )
        n_units = len(influence)
        influence[self.treated] = n_units * (
            self.shares * (treated - mean_treated) - of_odds[: self.n_treated]
        )
        influence[self.regression.controls] = n_units * (
            self.of_residuals * controls
            - self.control_shares * (controls - mean_controls)
            - of_odds[self.n_treated :]
        )
        return float(mean_treated - mean_controls)
