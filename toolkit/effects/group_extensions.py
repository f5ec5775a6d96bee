"""What stands beside the main estimate of a study: which schools, whom else it reached, other estimators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from toolkit.data.county import County
from toolkit.effects.adoption_data import AdoptionData
from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.event_study import AdoptionEventStudy
from toolkit.effects.group_schooling import STAGES, GroupDesign
from toolkit.effects.heterogeneity import Heterogeneity, adjust_over_divisions, estimate_heterogeneity
from toolkit.effects.intake import IntakeEffects, estimate_intake
from toolkit.effects.legacy import LegacyEffect, estimate_legacy_effect
from toolkit.effects.nearness import Nearness
from toolkit.effects.robustness import (
    RobustnessSettings,
    RobustnessTable,
    TwoWayStudy,
    compare_estimators,
    decompose_two_way,
)
from toolkit.effects.spillover import (
    NeighbourSensitivity,
    Spillover,
    compare_without_neighbours,
    estimate_spillover,
)
from toolkit.effects.subgroups import By
from toolkit.indicators.grade_panel import compute_grade_panel
from toolkit.inference.pretrends import compute_joint_placebo_test
from toolkit.standards import Standard

DIVISIONS: tuple[By, ...] = (
    "stage",
    "role",
    "form",
    "prior_level",
    "lead_distance_km",
    "members_per_lead",
    "moved_share",
)
INTAKE_ROLE = "member"


@dataclass(frozen=True, slots=True)
class Divisions:
    """The effect by subgroup, for all ways of dividing the adopters of one study.

    Attributes
    ----------
    divisions : tuple of Heterogeneity
        In the order of `DIVISIONS`; none where the study was refused.
    differences : pandas.DataFrame
        Pairwise differences of all divisions, `p_adjusted` over all of them.
    """

    divisions: tuple[Heterogeneity, ...]
    differences: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per subgroup of every division."""
        if not self.divisions:
            return pd.DataFrame()
        return pd.concat([one.table for one in self.divisions], ignore_index=True)


@dataclass(frozen=True, slots=True)
class StageIntake:
    """Effects on intake and enrolment of the schools of one stage and role.

    Attributes
    ----------
    stage, role : str
        Which schools.
    effects : IntakeEffects
        By outcome.
    trends_before : mapping of str to float
        By estimated outcome the p-value of the joint test that the years before the base year do not differ
        from it; missing where they cannot be tested.
    """

    stage: str
    role: str
    effects: IntakeEffects
    trends_before: Mapping[str, float]

    def tidy(self) -> pd.DataFrame:
        """Return one row per outcome and event time, and averages."""
        return self.effects.tidy().assign(stage=self.stage, role=self.role)


def estimate_divisions(data: AdoptionData, study: AdoptionStudy, design: GroupDesign) -> Divisions:
    """Estimate the effect by subgroup under every division; without any where the study was refused.

    P-values of the differences are adjusted for all divisions, since all of them are looked at.
    """
    if study.is_refused:
        return Divisions((), adjust_over_divisions(()))
    settings = design.settings.event_study
    found = tuple(
        estimate_heterogeneity(data, study.sample, settings, by=by, limits=study.settings.limits)
        for by in DIVISIONS
    )
    return Divisions(found, adjust_over_divisions(found, seed=design.seed, n_draws=design.n_draws))


def estimate_spillovers(
    data: AdoptionData, studies: Sequence[AdoptionStudy], design: GroupDesign
) -> tuple[Spillover, ...]:
    """Estimate the effect on untreated schools near adopters, by stage and by what near means."""
    stages = dict.fromkeys(study.sample.stage for study in studies)
    return tuple(
        estimate_spillover(
            data,
            design.settings.event_study,
            stage=stage,
            outcome=design.outcome,
            rules=design.rules("any"),
            nearness=nearness,
        )
        for stage in stages
        for nearness in get_args(Nearness)
    )


def compare_neighbours(studies: Sequence[AdoptionStudy]) -> tuple[NeighbourSensitivity | None, ...]:
    """Estimate each study with and without neighbours as comparison; None where it was refused."""
    return tuple(
        None
        if study.is_refused
        else compare_without_neighbours(
            study.sample, study.settings.event_study, limits=study.settings.limits
        )
        for study in studies
    )


def compute_legacy(
    counties: Sequence[County],
    standard: Standard,
    data: AdoptionData,
    studies: Sequence[AdoptionStudy],
    design: GroupDesign,
) -> tuple[LegacyEffect | None, ...]:
    """Estimate the effect on pupils who were there before; None where a study was refused or has no scores.

    Parameters
    ----------
    counties : sequence of County
        Those of `data`, in the same order.
    standard, data, studies, design
        Of the main study.
    """
    wanted = [not study.is_refused and study.sample.outcome == "achievement" for study in studies]
    if not any(wanted):
        return (None,) * len(studies)
    scores = data.scores or (None,) * len(data.counties)
    panels = [
        compute_grade_panel(county, standard, adoption, panel, outcomes=settled, follow_pupils=True)
        for county, (adoption, panel), settled in zip(counties, data.counties, scores, strict=True)
    ]
    return tuple(
        estimate_legacy_effect(
            study.sample, panels, design.settings.event_study, limits=study.settings.limits
        )
        if own
        else None
        for study, own in zip(studies, wanted, strict=True)
    )


def estimate_intakes(data: AdoptionData, design: GroupDesign) -> tuple[StageIntake, ...]:
    """Estimate the effect on intake and enrolment of member schools, for every stage that has any."""
    found = []
    for stage in STAGES:
        if not _has_members(data, stage):
            continue
        effects = estimate_intake(
            data, design.settings.event_study, stage=stage, rules=design.rules(INTAKE_ROLE)
        )
        trends = {outcome: _trend_before(study) for outcome, study in effects.studies.items()}
        found.append(StageIntake(stage, INTAKE_ROLE, effects, trends))
    return tuple(found)


def compare_robustness(study: AdoptionStudy) -> RobustnessTable | None:
    """Estimate the average effect of a study by other estimators; None where it was refused."""
    if study.is_refused:
        return None
    settings = study.settings.event_study
    return compare_estimators(
        study.sample,
        RobustnessSettings(
            comparison=settings.comparison,
            anticipation=settings.anticipation,
            last=settings.last,
            confidence_level=settings.confidence_level,
        ),
    )


def decompose_study(study: AdoptionStudy) -> TwoWayStudy | None:
    """Say what the two-way regression of a study compares with what; None where it was refused."""
    return None if study.is_refused else decompose_two_way(study.sample)


def _trend_before(study: AdoptionEventStudy) -> float:
    """Return the p-value of the years before the base year; missing where years have gaps or are too few."""
    if not study.bears_bounds:
        return np.nan
    return compute_joint_placebo_test(study.for_bounds()[0]).p_value


def _has_members(data: AdoptionData, stage: str) -> bool:
    """Say whether any school of the stage joined as a member, usable or not."""
    units = [adoption.units for adoption, _ in data.counties]
    return any(((own["stage"] == stage) & (own["role"] == INTAKE_ROLE)).any() for own in units)
