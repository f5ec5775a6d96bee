"""The study of a programme that schools join in groups: every stage and role under one design."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County
from toolkit.effects.adoption_data import AdoptionData
from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.adoption_power import AdoptionPower, compute_adoption_power
from toolkit.effects.adoption_study import (
    AdoptionStudy,
    StudySettings,
    estimate_adoption_study,
    with_base_year,
)
from toolkit.effects.balance import Balance, compute_balance
from toolkit.effects.baseline import baseline_years
from toolkit.effects.dispersion import DispersionEffect, estimate_dispersion_effect
from toolkit.effects.event_study import EventStudySettings
from toolkit.effects.outcome_family import OutcomeFamily, estimate_outcome_family
from toolkit.effects.sample_rules import Covariate, SampleRules, Weighting
from toolkit.effects.specification_curve import SpecificationCurve, trace_specifications
from toolkit.errors import ParameterError
from toolkit.indicators.adoption import Adoption, compute_adoption, compute_county_adoption
from toolkit.indicators.outcomes import Outcomes, compute_outcomes
from toolkit.indicators.school_panel import SchoolPanel, ScoreScale, compute_school_panels
from toolkit.inference.interval_rule import IntervalRule
from toolkit.models.group_time import Comparison
from toolkit.standards import Standard

Floats = NDArray[np.float64]

STAGES = ("primary", "junior")
ROLES = ("member", "lead")
SPREAD_INDICATORS = ("R1", "R2")
FAMILY = (
    *(f"R{number}" for number in range(1, 8)),
    "backbone_teacher_share",
    "higher_qualification_share",
    "senior_title_share",
)
RATIO_SCALE = ("R1", "R2", "R3", "R4", "R5", "R6", "R7")


@dataclass(frozen=True, slots=True)
class GroupDesign:
    """The design of a study, set before looking at its results.

    Attributes
    ----------
    programme : str
        Code of the programme.
    outcome : str
        The primary outcome.
    comparison : {"not_yet", "never"}
        Schools that have not joined yet, or only those that never do.
    selection_years : int
        Years before joining in which schools were announced or chosen: neither baseline nor base year.
    last : int
        Last year since joining that is averaged.
    covariates : tuple of {"log_enrolment", "location", "prior_achievement"}
        Fixed before anyone joined.
    weighting : {"enrolment", "school"}
        Weight of a school.
    n_draws, seed : int
        Draws of bootstrap and permutation.
    county_years : mapping of str to int
        First school year of a reform that whole counties brought in, by code of the county; the others are
        without it. Empty where schools join by themselves.
    """

    programme: str = "group_schooling"
    outcome: str = "achievement"
    comparison: Comparison = "not_yet"
    selection_years: int = 1
    last: int = 2
    covariates: tuple[Covariate, ...] = ("log_enrolment",)
    weighting: Weighting = "enrolment"
    n_draws: int = 999
    seed: int = 1
    county_years: Mapping[str, int] = field(default_factory=dict)

    @property
    def settings(self) -> StudySettings:
        """The design as the estimators take it."""
        return StudySettings(
            EventStudySettings(
                comparison=self.comparison,
                anticipation=self.selection_years,
                last=self.last,
                first=-self.selection_years - 5,
                n_draws=self.n_draws,
                seed=self.seed,
            )
        )

    def rules(self, role: str) -> SampleRules:
        """Return who enters the study of one role."""
        return SampleRules(
            role=role,  # pyright: ignore[reportArgumentType]
            covariates=self.covariates,
            weighting=self.weighting,
            selection_years=self.selection_years,
            assignment="county" if self.county_years else "school_group",
        )

    def adoption(self, county: County, standard: Standard) -> Adoption:
        """Return who joined when in a county."""
        if not self.county_years:
            return compute_adoption(county, standard, programme=self.programme)
        year = self.county_years.get(county.county_id)
        return compute_county_adoption(county, standard, programme=self.programme, adoption_year=year)


def trace_group_schooling(
    counties: Sequence[County], standard: Standard, design: GroupDesign
) -> tuple[AdoptionData, AdoptionData]:
    """Compute who joined when and what became of the schools, for effects on means and on inequality.

    Parameters
    ----------
    counties : sequence of County
        One, or several to be pooled.
    standard : Standard
        Indicators, split and scope.
    design : GroupDesign
        Programme and years of selection.

    Returns
    -------
    AdoptionData, AdoptionData
        The first with scores in standard deviations of the comparison schools' pupils of the same test; in
        the second the standard deviation is that of the years before anyone joined, since one that is set
        to one every year would hide what happens to the spread.

    Raises
    ------
    ParameterError
        If a county whose year is given is not among the counties.
    """
    known = [county.county_id for county in counties]
    absent = sorted(set(design.county_years) - set(known))
    if absent:
        raise ParameterError("county_years_unknown", names=", ".join(absent), known=", ".join(known))
    means: list[tuple[Adoption, SchoolPanel]] = []
    spreads: list[tuple[Adoption, SchoolPanel]] = []
    scores: list[Outcomes] = []
    for county in counties:
        adoption = design.adoption(county, standard)
        settled = compute_outcomes(county, standard)
        scales = [ScoreScale("untreated")]
        base = _base_years(adoption, design)
        if base:
            scales.append(ScoreScale("untreated_base_sd", base))
        panels = compute_school_panels(county, standard, adoption, scales, outcomes=settled)
        means.append((adoption, panels[0]))
        spreads.append((adoption, panels[-1]))
        scores.append(settled)
    # Of many counties they would fill the memory, and are settled again where they are needed.
    kept = tuple(scores) if len(scores) == 1 else ()
    return AdoptionData(tuple(means), kept), AdoptionData(tuple(spreads))


def estimate_studies(data: AdoptionData, design: GroupDesign) -> tuple[AdoptionStudy, ...]:
    """Estimate the primary outcome for every stage and role that schools joined in.

    Refused designs are among the studies; where nobody joined in any stage there is one, refused.

    Raises
    ------
    ParameterError
        If the data do not have the outcome.
    """
    if design.outcome not in data.panel.measures:
        raise ParameterError("outcome_unknown", outcome=design.outcome, known=", ".join(data.outcomes))
    arms = [(stage, role) for stage in STAGES for role in ROLES if _has_role(data, stage, role)]
    return tuple(
        estimate_adoption_study(
            data.sample(stage=stage, outcome=design.outcome, rules=design.rules(role)), design.settings
        )
        for stage, role in arms or [(STAGES[0], ROLES[0])]
    )


def compute_balances(data: AdoptionData, design: GroupDesign) -> tuple[Balance, ...]:
    """Compare adopters and comparison schools before adoption, stage by stage, all counties together."""
    adoption, panel = data.pooled()
    return tuple(
        compute_balance(
            adoption,
            panel,
            stage=stage,
            outcomes=(design.outcome,),
            selection_years=design.selection_years,
        )
        for stage in STAGES
        if (adoption.units["stage"] == stage).any()
    )


def estimate_spreads(spread: AdoptionData, design: GroupDesign) -> tuple[DispersionEffect, ...]:
    """Estimate the effect on inequality between schools, by stage, leads and members together.

    The primary outcome, and the indicators of teachers that the programme is meant to even out, by their
    coefficient of variation. No covariates: trends of squared deviations are hard enough to believe for
    few schools. A stage with fewer groups or comparison schools than an interval of the average effect
    needs has no estimate. Of several counties that of the report is studied: inequality is that between the
    schools of a county, and trends of another county are no comparison.
    """
    spread = AdoptionData(spread.counties[:1])
    found = []
    for stage in STAGES:
        for outcome in dict.fromkeys((design.outcome, *SPREAD_INDICATORS)):
            if outcome not in spread.outcomes:
                continue
            rules = replace(design.rules("any"), covariates=())
            sample = with_base_year(
                spread.sample(stage=stage, outcome=outcome, rules=rules), anticipation=design.selection_years
            )
            if not _has_clusters_enough(sample, design.settings.rule):
                continue
            is_ratio = outcome in RATIO_SCALE
            found.append(
                estimate_dispersion_effect(
                    sample,
                    measure="cv" if is_ratio else "std_dev",
                    is_ratio_scale=is_ratio,
                    comparison=design.comparison,
                    anticipation=design.selection_years,
                )
            )
    return tuple(found)


def compute_powers(data: AdoptionData, studies: Sequence[AdoptionStudy]) -> tuple[AdoptionPower | None, ...]:
    """Compute what each study can detect.

    None where it was refused, is not of achievement, or every school joined: no share is then left untreated.
    """
    return tuple(
        None
        if study.is_refused
        or study.sample.outcome != "achievement"
        or not study.sample.units["adoption_year"].isna().any()
        else compute_adoption_power(study, *_errors(data, study))
        for study in studies
    )


def main_study(studies: Sequence[AdoptionStudy]) -> AdoptionStudy:
    """Return the study whose credibility is looked into: the first that was not refused, else the first."""
    return next((study for study in studies if not study.is_refused), studies[0])


def estimate_families(data: AdoptionData, design: GroupDesign) -> tuple[OutcomeFamily, ...]:
    """Estimate resources and teacher mix of member schools beside the primary outcome, by stage."""
    known = tuple(name for name in FAMILY if name in data.outcomes)
    return tuple(
        estimate_outcome_family(
            data,
            stage=stage,
            outcomes=known,
            primary=design.outcome,
            rules=design.rules("member"),
            settings=design.settings,
        )
        for stage in STAGES
        if _has_role(data, stage, "member")
    )


def trace_choices(data: AdoptionData, study: AdoptionStudy, design: GroupDesign) -> SpecificationCurve:
    """Estimate the effect of one study under the other choices that could have been made."""
    return trace_specifications(
        data,
        stage=study.sample.stage,
        outcome=study.sample.outcome,
        rules=design.rules(study.sample.rules.role),
        settings=design.settings,
    )


def _errors(data: AdoptionData, study: AdoptionStudy) -> tuple[Floats, Floats]:
    """Return the sampling variance of each school mean and the pupils tested, (n_units, n_periods) each."""
    sample = study.sample
    found = np.full((2, len(sample.units), len(sample.periods)), np.nan)
    for adoption, panel in data.counties:
        rows = pd.MultiIndex.from_frame(adoption.units[["county_id", "school", "stage"]])
        place = rows.get_indexer(pd.MultiIndex.from_frame(sample.units[["county_id", "school", "stage"]]))
        own = place >= 0
        years = pd.Index(panel.years).get_indexer(pd.Index(sample.periods.astype(int)))
        for position, name in enumerate(("achievement_error_variance", "tested_pupils")):
            values = panel.measures[name][place[own]]
            found[position, own] = np.where(years >= 0, values[:, years], np.nan)
    return found[0], found[1]


def _has_clusters_enough(sample: AdoptionSample, rule: IntervalRule) -> bool:
    joined = np.isfinite(sample.cohorts)
    treated, comparison = (len(np.unique(sample.clusters[side])) for side in (joined, ~joined))
    return treated >= rule.fewest_treated and comparison >= rule.fewest_comparison


def _has_role(data: AdoptionData, stage: str, role: str) -> bool:
    """Say whether any school of the stage joined in the role, usable or not."""
    units = [adoption.units for adoption, _ in data.counties]
    return any(((own["stage"] == stage) & (own["role"] == role)).any() for own in units)


def _base_years(adoption: Adoption, design: GroupDesign) -> tuple[int, ...]:
    """Return the years before anyone joined, over all stages."""
    by_stage = [
        baseline_years(adoption, stage=stage, selection_years=design.selection_years) for stage in STAGES
    ]
    known = [set(years) for years in by_stage if years]
    return tuple(sorted(set.intersection(*known))) if known else ()
