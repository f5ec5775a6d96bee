"""A cohort with its comparison: the models of propensity and outcomes, and what each unit moves in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from toolkit.models.propensity import BLOCK_UNITS, Logit, LogitUnits, fit_logit

LARGEST_PROPENSITY = 0.999
TRIMMED_PROPENSITY = 0.995

Refusal = Literal["", "no_treated", "no_comparison", "no_overlap", "collinear_covariates"]

Floats = NDArray[np.float64]


class SortedUnits:
    """Units in the order of their cohorts, so that a cohort or a comparison is one or two ranges of them.

    Attributes
    ----------
    units : ndarray of int, (n_sorted,)
        Their positions in the panel.
    values : ndarray of float, (n_periods + n_terms, n_sorted)
        Outcomes less that of the first period, which every difference between two periods leaves as it
        is, and below them the design: a constant and the covariates.
    design : ndarray of float, (n_terms, n_sorted)
        Part of `values`.
    weights : ndarray of float, (n_sorted,)
        Of the units.
    bounds : ndarray of int, (n_cohorts + 1,)
        Cohort c is the units from `bounds[c]` up to `bounds[c + 1]`.
    cross : ndarray of float, (n_cohorts, n_terms, n_periods + n_terms)
        Weighted products of design and values, summed over each cohort.
    """

    def __init__(
        self, outcomes: Floats, covariates: Floats, weights: Floats, codes: NDArray[np.unsignedinteger]
    ) -> None:
        seen = np.flatnonzero(np.isfinite(outcomes).all(axis=1))
        n_cohorts = int(codes.max(initial=0)) + 1
        self.units = seen[np.argsort(codes[seen], kind="stable")]
        self.weights = weights[self.units]
        self.bounds = np.concatenate([[0], np.cumsum(np.bincount(codes[seen], minlength=n_cohorts))])
        n_periods, n_terms = outcomes.shape[1], covariates.shape[1] + 1
        self.values = np.ones((n_periods + n_terms, len(seen)))
        self.design = self.values[n_periods:]
        self.cross = np.zeros((n_cohorts, n_terms, n_periods + n_terms))
        for own in self.parts(0, n_cohorts):
            taken = outcomes[self.units[own]]
            self.values[:n_periods, own] = (taken - taken[:, :1]).T
            self.design[1:, own] = covariates[self.units[own]].T
        for cohort in range(n_cohorts):
            for own in self.parts(cohort, cohort + 1):
                self.cross[cohort] += (self.design[:, own] * self.weights[own]) @ self.values[:, own].T

    def parts(self, first: int, last: int) -> Iterator[slice]:
        """Return the units of the cohorts from `first` to before `last`, a block at a time."""
        start, stop = int(self.bounds[first]), int(self.bounds[last])
        for place in range(start, stop, BLOCK_UNITS):
            yield slice(place, min(place + BLOCK_UNITS, stop))

    def count(self, cohorts: Sequence[int]) -> int:
        """Return the number of units of some cohorts."""
        return int(np.diff(self.bounds)[list(cohorts)].sum())


@dataclass(frozen=True, slots=True)
class Refused:
    """A cohort and its comparison that identify no effect, and how many units they have."""

    reason: Refusal
    n_treated: int
    n_controls: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A cohort and its comparison, with the models that serve every pair of periods.

    Attributes
    ----------
    cohort : int
        Treated units.
    first : int
        The comparison is the cohorts from this one on, other than the treated.
    n_treated, n_controls : int
        Units.
    treated_weight, odds_total : float
        Weight of the treated, and of the comparison reweighted to them.
    logit : Logit
        Of the propensity.
    slopes : ndarray of float, (n_terms, n_periods)
        Of the outcomes of the comparison on the design.
    of_slopes : ndarray of float, (n_terms,)
        What the residual of a unit of the comparison moves by way of the slopes, per term of its design.
    treated_gaps, control_gaps : ndarray of float, (n_periods,)
        Mean residual of the treated, and of the reweighted comparison.
    of_logit : ndarray of float, (n_terms, n_periods)
        What the score of a unit in the logit moves, per term of its design.
    """

    cohort: int
    first: int
    n_treated: int
    n_controls: int
    treated_weight: float
    odds_total: float
    logit: Logit
    slopes: Floats
    of_slopes: Floats
    treated_gaps: Floats
    control_gaps: Floats
    of_logit: Floats

    @property
    def effects(self) -> Floats:
        """Effect of each period, (n_periods,): only the difference between two of them means something."""
        return self.treated_gaps - self.control_gaps

    def influence(self, contrasts: Floats) -> "SampleInfluence":
        """Return the influence of the units on contrasts of the effects by period, (n_periods, n_columns)."""
        return SampleInfluence(
            sample=self,
            of_values=np.vstack([contrasts, -self.slopes @ contrasts]).T,
            of_treated=(np.vstack([self.of_logit, self.treated_gaps]) @ contrasts).T,
            of_controls=(np.vstack([self.of_logit, self.control_gaps]) @ contrasts).T,
        )


@dataclass(frozen=True, slots=True)
class SampleInfluence:
    """Influence of the units of a sample on contrasts of its effects, as sums of their values.

    Attributes
    ----------
    sample : Sample
        Its models.
    of_values : ndarray of float, (n_columns, n_periods + n_terms)
        Contrasts of the residuals, from outcomes and design.
    of_treated, of_controls : ndarray of float, (n_columns, n_terms + 1)
        What to subtract, per score in the logit times design, and per share in the mean.
    """

    sample: Sample
    of_values: Floats
    of_treated: Floats
    of_controls: Floats

    def of_units(self, values: Floats, weights: Floats, is_treated: bool) -> Floats:
        """Return the influence of some units, (n_columns, n_units), over the number of all units."""
        sample = self.sample
        design = values[-len(sample.of_slopes) :]
        odds = np.exp(sample.logit.coefficients @ design)
        chance = odds / (1 + odds)
        if is_treated:
            share = pull = weights / sample.treated_weight
            score = weights * (1 - chance)
        else:
            share = weights * np.where(chance < TRIMMED_PROPENSITY, odds, 0.0) / -sample.odds_total
            pull = share + weights * (sample.of_slopes @ design)
            score = -weights * chance
        moved = self.of_values @ values
        moved *= pull
        moved -= (self.of_treated if is_treated else self.of_controls) @ np.vstack([design * score, share])
        return moved


def fit_sample(sorted_units: SortedUnits, cohort: int, first: int) -> Sample | Refused:
    """Fit the models of a cohort and its comparison, the cohorts from `first` on other than itself."""
    n_cohorts, n_terms, n_values = sorted_units.cross.shape
    n_periods = n_values - n_terms
    others = [each for each in range(first, n_cohorts) if each != cohort]
    counts = sorted_units.count([cohort]), sorted_units.count(others)
    if not all(counts):
        return Refused("no_comparison" if counts[0] else "no_treated", *counts)
    cross = sorted_units.cross[others].sum(axis=0)
    if np.linalg.matrix_rank(cross[:, n_periods:], hermitian=True) < n_terms:
        return Refused("collinear_covariates", *counts)
    inverse = np.linalg.inv(cross[:, n_periods:])
    slopes = inverse @ cross[:, :n_periods]
    treated = list(sorted_units.parts(cohort, cohort + 1))
    controls = [
        *sorted_units.parts(first, max(first, cohort)),
        *sorted_units.parts(max(first, cohort + 1), n_cohorts),
    ]
    logit = fit_logit(_logit_units(sorted_units, treated, controls))
    odds = None if logit is None else _odds_moments(sorted_units, logit, treated, controls)
    if logit is None or odds is None:
        return Refused("no_overlap", *counts)
    # The constant is the first term: its row has the weighted sums.
    own = sorted_units.cross[cohort][0]
    mean_treated, by_odds = own / own[n_periods], odds / odds[0, n_periods]
    residuals = by_odds[:, :n_periods] - by_odds[:, n_periods:] @ slopes
    difference = by_odds[0, n_periods:] - mean_treated[n_periods:]
    return Sample(
        cohort=cohort,
        first=first,
        n_treated=counts[0],
        n_controls=counts[1],
        treated_weight=float(own[n_periods]),
        odds_total=float(odds[0, n_periods]),
        logit=logit,
        slopes=slopes,
        of_slopes=inverse @ difference,
        treated_gaps=mean_treated[:n_periods] - mean_treated[n_periods:] @ slopes,
        control_gaps=residuals[0],
        of_logit=logit.inverse @ (residuals - np.outer(by_odds[0, n_periods:], residuals[0])),
    )


def _logit_units(sorted_units: SortedUnits, treated: list[slice], controls: list[slice]) -> list[LogitUnits]:
    """Return the units of a logit: as they lie, a block at a time, or few of them put together."""
    design, weights = sorted_units.design, sorted_units.weights
    parts = [*treated, *controls]
    sizes = [part.stop - part.start for part in parts]
    is_treated = [True] * len(treated) + [False] * len(controls)
    if sum(sizes) > BLOCK_UNITS:
        return [
            LogitUnits(design[:, part], own, weights[part])
            for part, own in zip(parts, is_treated, strict=True)
        ]
    together = np.concatenate([np.arange(part.start, part.stop) for part in parts])
    return [LogitUnits(design[:, together], np.repeat(is_treated, sizes), weights[together])]


def _odds_moments(
    sorted_units: SortedUnits, logit: Logit, treated: list[slice], controls: list[slice]
) -> Floats | None:
    """Return products of design and values of the comparison by its odds; None without overlap."""
    largest = max((logit.coefficients @ sorted_units.design[:, own]).max() for own in treated)
    if expit(largest) > LARGEST_PROPENSITY:
        return None
    moments = np.zeros(sorted_units.cross.shape[1:])
    for own in controls:
        design = sorted_units.design[:, own]
        odds = np.exp(logit.coefficients @ design)
        odds[odds / (1 + odds) >= TRIMMED_PROPENSITY] = 0.0
        moments += (design * (odds * sorted_units.weights[own])) @ sorted_units.values[:, own].T
    return moments if moments[0, -len(moments)] > 0 else None
