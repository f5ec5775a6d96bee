"""From exposure and outcomes to the panel of one study: one stage, one role, one outcome."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.effects.baseline import baseline_mean, baseline_years
from toolkit.effects.sample_rules import (
    DEFAULT_RULES,
    Assignment,
    SampleRules,
    baseline_covariates,
    reasons_left_out,
)
from toolkit.indicators.adoption import Adoption
from toolkit.indicators.adoption_reasons import ADOPTER
from toolkit.indicators.school_panel import SchoolPanel
from toolkit.models.group_time import NEVER, AdoptionPanel

Floats = NDArray[np.float64]

LEFT_OUT_COLUMNS = [
    "county_id",
    "school",
    "school_id",
    "school_name",
    "stage",
    "adoption_year",
    "role",
    "reason",
]


@dataclass(frozen=True, slots=True)
class AdoptionSample:
    """The units of one study as arrays, and those left out.

    Attributes
    ----------
    outcome, stage : str
        What is studied.
    rules : SampleRules
        Who entered.
    units : pandas.DataFrame, (n_units, n_columns)
        The rows of `Adoption.units` that entered, with `county_id`, `coverage_before` and `coverage_after`
        (mean coverage of the tests before and from the first adoption on).
    outcomes : ndarray, (n_units, n_periods)
        Missing where not observed.
    periods : ndarray, (n_periods,)
        School years in which the outcome is known of any unit.
    covariates : ndarray, (n_units, n_covariates)
        Fixed before adoption, with names `covariate_names`.
    weights : ndarray, (n_units,)
        Weight of each unit.
    clusters : ndarray of int, (n_units,)
        Group or county of the adopters; every comparison school is its own.
    baseline_years : tuple of int
        Years of the baseline.
    left_out : pandas.DataFrame
        All other schools of the stage, with `reason`: with `units` they add up to all.
    tested_grades : tuple of int
        Grades of the stage tested in two or more years.
    """

    outcome: str
    stage: str
    rules: SampleRules
    units: pd.DataFrame
    outcomes: Floats
    periods: Floats
    covariates: Floats
    covariate_names: tuple[str, ...]
    weights: Floats
    clusters: NDArray[np.int64]
    baseline_years: tuple[int, ...]
    left_out: pd.DataFrame
    tested_grades: tuple[int, ...]

    @property
    def cohorts(self) -> Floats:
        """First year of membership, infinite for units that never joined, (n_units,)."""
        years = self.units["adoption_year"].to_numpy(dtype=float)
        return np.where(np.isnan(years), NEVER, years)

    @property
    def panel(self) -> AdoptionPanel:
        """The panel for estimation; covariates that do not vary are left out."""
        varies = np.ptp(self.covariates, axis=0) > 0 if len(self.units) else np.zeros(0, dtype=bool)
        covariates = self.covariates[:, varies] if len(self.units) else self.covariates[:, :0]
        return AdoptionPanel(self.outcomes, self.periods, self.cohorts, covariates, self.weights)

    def tidy(self) -> pd.DataFrame:
        """Return one row per unit with its weight, cluster and covariates."""
        named = dict(zip(self.covariate_names, self.covariates.T, strict=True))
        return self.units.assign(weight=self.weights, cluster=self.clusters, **named)


def build_adoption_sample(
    adoption: Adoption,
    panel: SchoolPanel,
    *,
    stage: str,
    outcome: str,
    rules: SampleRules = DEFAULT_RULES,
) -> AdoptionSample:
    """Build the panel of one study from exposure and outcomes.

    Adopters keep their first joining whatever came after (intention to treat). The adoption is never
    refused here: what the design cannot identify is for the guard to say.

    Parameters
    ----------
    adoption : Adoption
        Exposure of a county.
    panel : SchoolPanel
        Outcomes of the same units.
    stage : {"primary", "junior"}
        Stage.
    outcome : str
        Name in `panel.measures`.
    rules : SampleRules
        Who enters, and with what weight.

    Raises
    ------
    ValueError
        If `panel` has other units than `adoption`, or not the outcome.
    """
    if not panel.units.equals(adoption.units[["school", "stage"]].reset_index(drop=True)):
        raise ValueError("the panel holds other units than the adoption")
    if outcome not in panel.measures:
        raise ValueError(f"outcome must be one of {sorted(panel.measures)}, not {outcome!r}")
    years = rules.baseline_years or baseline_years(
        adoption, stage=stage, selection_years=rules.selection_years
    )
    # Without a year before the selection the years of selection must do; the guard says so.
    years = years or baseline_years(adoption, stage=stage, selection_years=0)
    covariates, names = baseline_covariates(adoption, panel, rules, years)
    enrolment = baseline_mean(panel, "enrolment", years)
    values = panel.measures[outcome]
    reason = reasons_left_out(adoption.units, rules, values, np.array(panel.years), covariates, enrolment)
    own = (adoption.units["stage"] == stage).to_numpy()
    kept = own & (reason == "")
    units = adoption.units[kept].reset_index(drop=True)
    observed = np.isfinite(values[kept]).any(axis=0)
    coverage = _coverage(panel, adoption, stage)
    out = own & ~kept
    left_out = adoption.units[LEFT_OUT_COLUMNS[:-1]][out].assign(reason=reason[out])
    return AdoptionSample(
        outcome=outcome,
        stage=stage,
        rules=rules,
        units=units.assign(coverage_before=coverage[0][kept], coverage_after=coverage[1][kept]),
        outcomes=values[kept][:, observed],
        periods=np.array(panel.years, dtype=float)[observed],
        covariates=covariates[kept],
        covariate_names=names,
        weights=enrolment[kept] if rules.weighting == "enrolment" else np.ones(int(kept.sum())),
        clusters=_clusters(units, rules.assignment),
        baseline_years=years,
        left_out=left_out.reset_index(drop=True),
        tested_grades=panel.tested_grades(stage),
    )


def pool_samples(samples: Sequence[AdoptionSample]) -> AdoptionSample:
    """Put the samples of several counties into one panel over all their periods.

    Raises
    ------
    ValueError
        If the samples differ in outcome, stage, covariates or the role, weighting and assignment they take,
        or two have a school of the same county.
    """
    kinds = {
        (
            one.outcome,
            one.stage,
            one.covariate_names,
            one.rules.role,
            one.rules.weighting,
            one.rules.assignment,
        )
        for one in samples
    }
    if len(kinds) != 1:
        raise ValueError(f"samples of {len(kinds)} kinds cannot be pooled")
    units = pd.concat([one.units for one in samples], ignore_index=True)
    if units.duplicated(["county_id", "school"]).any():
        raise ValueError("two samples hold the same school")
    periods = np.unique(np.concatenate([one.periods for one in samples]))
    blocks = []
    for one in samples:
        block = np.full((len(one.units), len(periods)), np.nan)
        block[:, np.searchsorted(periods, one.periods)] = one.outcomes
        blocks.append(block)
    first = samples[0]
    grades = set.intersection(*(set(one.tested_grades) for one in samples))
    return AdoptionSample(
        outcome=first.outcome,
        stage=first.stage,
        rules=first.rules,
        units=units,
        outcomes=np.vstack(blocks),
        periods=periods,
        covariates=np.vstack([one.covariates for one in samples]),
        covariate_names=first.covariate_names,
        weights=np.concatenate([one.weights for one in samples]),
        clusters=_clusters(units, first.rules.assignment),
        baseline_years=tuple(sorted({year for one in samples for year in one.baseline_years})),
        left_out=pd.concat([one.left_out for one in samples], ignore_index=True),
        tested_grades=tuple(sorted(grades)),
    )


def _coverage(panel: SchoolPanel, adoption: Adoption, stage: str) -> tuple[Floats, Floats]:
    """Return mean coverage of the tests before the first adoption of the stage, and from it on."""
    own = (adoption.units["stage"] == stage) & (adoption.units["status"] == ADOPTER)
    first = adoption.units.loc[own, "adoption_year"].min()
    before = tuple(year for year in panel.years if year < first)
    after = tuple(year for year in panel.years if year >= first)
    return baseline_mean(panel, "coverage", before), baseline_mean(panel, "coverage", after)


def _clusters(units: pd.DataFrame, assignment: Assignment) -> NDArray[np.int64]:
    """Return the number of each unit's cluster, from 0."""
    label = units["county_id"].astype(str).tolist()
    if assignment == "school_group":
        names = zip(units["adoption_year"].notna(), units["school_group"], units["school"], strict=True)
        label = [
            f"{county}|group|{group}" if joined else f"{county}|{school}"
            for county, (joined, group, school) in zip(label, names, strict=True)
        ]
    return np.unique(np.array(label, dtype=str), return_inverse=True)[1].astype(np.int64)
