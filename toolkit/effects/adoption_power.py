"""What a study of adoption can detect: from its own variances, and by placebo assignments on its own data."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.event_study import EventStudySettings
from toolkit.inference.placebo_averages import estimate_placebo_averages
from toolkit.inference.power import AssignmentDesign, detectable_effect
from toolkit.inference.power_curve import PlaceboTests, PowerCurve, simulate_power
from toolkit.inference.power_needs import Needs, needs_of_effects, with_years
from toolkit.models.group_time import AdoptionPanel

Floats = NDArray[np.float64]

PLANNED_EFFECTS = (0.05, 0.10)
SIMULATED_EFFECTS = (0.0, 0.05, 0.10, 0.15, 0.20, 0.30)


@dataclass(frozen=True, slots=True)
class AdoptionPower:
    """What a study can detect, in standard deviations of pupils' scores.

    Attributes
    ----------
    design : AssignmentDesign
        Schools, groups and variances of the study, for one outcome year.
    year_correlation : float
        Correlation of a school's own level between years, sampling error of its mean taken out.
    years_after : int
        Years since joining that are averaged; one year before is compared with.
    by_formula : float
        Minimum detectable effect by the formula of the design (power 80 %, two-sided 5 %).
    by_error : float
        Minimum detectable effect from the standard error of the study.
    needs : tuple of Needs
        Schools, years after or counties that each planned effect takes; counties by multiples of those here.
    curve : PowerCurve or None
        Power by placebo assignments; None where outcomes of too many schools are incomplete.
    """

    design: AssignmentDesign
    year_correlation: float
    years_after: int
    by_formula: float
    by_error: float
    needs: tuple[Needs, ...]
    curve: PowerCurve | None

    def tidy(self) -> pd.DataFrame:
        """Return one row per planned effect."""
        rows = [(one.effect, one.schools, one.years_after, one.counties) for one in self.needs]
        return pd.DataFrame(rows, columns=["effect", "schools", "years_after", "counties"])


def compute_adoption_power(
    study: AdoptionStudy,
    error_variance: Floats,
    pupils: Floats,
    *,
    effects: Sequence[float] = PLANNED_EFFECTS,
    n_draws: int = 100,
) -> AdoptionPower:
    """Compute what the study detects, and what others like it would need.

    Parameters
    ----------
    study : AdoptionStudy
        Not refused; its outcome in standard deviations of pupils.
    error_variance, pupils : ndarray of float, (n_units, n_periods)
        Sampling variance of each school mean, and pupils tested, of the units and periods of the sample.
    effects : sequence of float
        Effects to plan for.
    n_draws : int
        Placebo assignments of the simulation.

    Raises
    ------
    ValueError
        If the study was refused.

    Notes
    -----
    The variance between schools is that of the years in which no school had joined, less the mean sampling
    variance, within counties; pupils have variance one, so that it is the intraclass correlation. The
    correlation of two schools of a group is that of their yearly changes before any had joined; a
    negative estimate counts as zero.

    The simulation takes the estimated effects off the schools that joined, draws groups at random from
    the real groups and groups of comparison schools formed like them (over several counties from all
    groups and schools alone), lets them join in the real years and counts rejections of the t test of the
    study, estimated anew. Its size at no effect is part of the result.
    """
    if study.event_study is None or study.interval is None:
        raise ValueError("the design was refused: it can detect nothing")
    sample = study.sample
    joined = np.isfinite(sample.cohorts)
    untreated = sample.periods[None, :] < sample.cohorts[:, None]
    values = np.where(untreated, _within_county_years(sample.outcomes, sample.units, untreated), np.nan)
    between = max(float(np.nanmean(values**2) - np.nanmean(error_variance[untreated])), 0.0)
    correlation = _year_correlation(values, between)
    sizes = sample.units.loc[joined].groupby(["county_id", "school_group"]).size()
    design = AssignmentDesign(
        n_schools=float(len(joined)),
        treated_share=float(joined.mean()),
        icc=min(between, 1.0),
        r2_school=0.0,
        r2_pupil=0.0,
        pupils_per_school=float(1 / np.nanmean(1 / np.where(pupils > 0, pupils, np.nan))),
        schools_per_group=float(sizes.mean()),
        group_correlation=_group_correlation(values, sample.units),
    )
    after = study.settings.event_study.last + 1
    planned = with_years(design, year_correlation=correlation, years_before=1, years_after=after)
    return AdoptionPower(
        design=design,
        year_correlation=correlation,
        years_after=after,
        by_formula=detectable_effect(planned),
        by_error=study.event_study.average.detectable,
        needs=tuple(
            replace(one, counties=one.counties and one.counties * sample.units["county_id"].nunique())
            for one in needs_of_effects(
                effects, design, year_correlation=correlation, years_before=1, years_after=after
            )
        ),
        curve=_simulate(study, n_draws),
    )


def _within_county_years(outcomes: Floats, units: pd.DataFrame, chosen: NDArray[np.bool_]) -> Floats:
    """Return outcomes less the mean of the chosen units of the county in the year, (n_units, n_periods)."""
    centred = np.full(outcomes.shape, np.nan)
    county = units["county_id"].to_numpy()
    for name in pd.unique(units["county_id"]):
        own = county == name
        values = np.where(chosen[own], outcomes[own], np.nan)
        counts = np.isfinite(values).sum(axis=0)
        means = np.where(counts > 1, np.nansum(values, axis=0) / np.maximum(counts, 1), np.nan)
        # A mean takes a degree of freedom: without the factor few schools look too much alike.
        factor = np.sqrt(counts / np.maximum(counts - 1, 1))
        centred[own] = (outcomes[own] - means) * factor
    return centred


def _year_correlation(values: Floats, between: float) -> float:
    """Return the mean product over pairs of years of a school, over the variance between schools."""
    seen = np.isfinite(values)
    filled = np.where(seen, values, 0.0)
    pairs = np.triu_indices(values.shape[1], 1)
    products = (filled.T @ filled)[pairs].sum()
    counts = (seen.T.astype(float) @ seen)[pairs].sum()
    if between == 0 or counts == 0:
        return 0.0
    return float(np.clip(products / counts / between, 0.0, 1.0))


def _group_correlation(values: Floats, units: pd.DataFrame) -> float:
    """Return the correlation of yearly changes between schools of a group before any joined; at least 0."""
    changes = np.diff(values, axis=1)
    joined = units["adoption_year"].notna().to_numpy()
    label = (units["county_id"].astype(str) + "|" + units["school_group"]).to_numpy()
    products, squares, pairs, count = 0.0, 0.0, 0, 0
    for name in np.unique(label[joined]):
        own = changes[joined & (label == name)]
        seen = np.isfinite(own)
        filled = np.where(seen, own, 0.0)
        squares += float((filled**2).sum())
        count += int(seen.sum())
        products += float((filled.sum(axis=0) ** 2 - (filled**2).sum(axis=0)).sum()) / 2
        pairs += int((seen.sum(axis=0) * (seen.sum(axis=0) - 1)).sum()) // 2
    if not pairs or squares == 0:
        return 0.0
    return float(np.clip((products / pairs) / (squares / count), 0.0, 1.0))


def _simulate(study: AdoptionStudy, n_draws: int) -> PowerCurve | None:
    """Draw placebo assignments over the real groups and groups of comparison schools like them."""
    event_study = study.event_study
    if event_study is None:
        return None
    settings, panel = event_study.settings, event_study.effects.panel
    untreated = _without_effects(study)
    complete = np.flatnonzero(np.isfinite(untreated).all(axis=1))
    groups = _groups_to_draw(study)[event_study.effects.used][complete]
    names, place = np.unique(groups, return_inverse=True)
    groups = (place - np.count_nonzero(names < 0)).astype(np.intp)
    cohorts = panel.cohorts[complete]
    adoption = [float(cohorts[groups == name].min()) for name in np.unique(groups[np.isfinite(cohorts)])]
    if not adoption or len(adoption) >= groups.max() + 1:
        return None
    return simulate_power(
        untreated[complete],
        groups,
        adoption,
        _own_tests(panel.take(complete), groups, settings),
        seed=settings.seed,
        effects=SIMULATED_EFFECTS,
        n_draws=n_draws,
    )


def _own_tests(panel: AdoptionPanel, groups: NDArray[np.intp], settings: EventStudySettings) -> PlaceboTests:
    """Return the t test of the study for effects added to placebo assignments.

    Group-time effects compare changes since before adoption with those of units not yet treated: a
    constant effect in all treated periods moves their average by itself and no contribution to its
    error, so that one estimate of an assignment serves all effects.
    """
    clusters = np.where(groups < 0, groups.max() + 1 + np.arange(len(groups)), groups)

    def p_values(outcomes: Floats, cohorts: Floats, effects: Floats) -> Floats:
        found = np.full((len(effects), len(cohorts)), np.nan)
        averages = estimate_placebo_averages(
            replace(panel, outcomes=outcomes),
            cohorts,
            clusters,
            comparison=settings.comparison,
            anticipation=settings.anticipation,
            last=settings.last,
        )
        for draw, own in enumerate(averages):
            if own is not None and own.std_error > 0:
                found[:, draw] = 2 * stats.t.sf(np.abs(own.effect + effects) / own.std_error, own.degrees)
        return found

    return p_values


def _groups_to_draw(study: AdoptionStudy) -> NDArray[np.intp]:
    """Return real and pseudo-groups, -1 for schools in none; over several counties every cluster."""
    pseudo = None if study.interval is None else study.interval.pseudo_groups
    return study.sample.clusters.astype(np.intp) if pseudo is None else pseudo.school_group


def _without_effects(study: AdoptionStudy) -> Floats:
    """Return outcomes less the estimated effect of each cohort and year, (n_used, n_periods)."""
    event_study = study.event_study
    if event_study is None:
        raise ValueError("the design was refused")
    effects, panel = event_study.effects, event_study.effects.panel
    values = panel.outcomes.copy()
    for cohort, period, effect, block in zip(
        effects.cohorts, effects.periods, effects.effects, effects.blocks, strict=True
    ):
        if period >= cohort and np.isfinite(effect):
            own = (panel.cohorts == cohort) & (effects.unit_blocks == block)
            values[own, np.searchsorted(panel.periods, period)] -= effect
    return values
