"""What an adoption did to schools near those that adopted, and to the main estimate through them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.effects.adoption_data import AdoptionData
from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.adoption_study import with_base_year
from toolkit.effects.event_study import (
    TABLE_COLUMNS,
    AdoptionEventStudy,
    EventStudySettings,
    estimate_event_study,
)
from toolkit.effects.guard import GuardFinding
from toolkit.effects.guard_limits import DEFAULT_LIMITS, DesignLimits
from toolkit.effects.heterogeneity import take_units
from toolkit.effects.joint_effects import (
    ESTIMATE_COLUMNS,
    align_averages,
    average_influence,
    contrast_effects,
    find_refusal,
    tabulate_estimates,
)
from toolkit.effects.nearness import Nearness, exposure_to_neighbours, find_near_adopters, town_clusters
from toolkit.effects.sample_cells import SampleCells
from toolkit.effects.sample_rules import DEFAULT_RULES, SampleRules
from toolkit.inference.clusters import ClusterInfluence

Floats = NDArray[np.float64]

SAMPLES = ("comparison_all", "comparison_without_neighbours")
DIFFERENCE = "difference_of_samples"
SENSITIVITY_COLUMNS = ["sample", "n_adopters", "n_comparison", *ESTIMATE_COLUMNS]
OWN_CODES = {
    "guard_no_outcome": "spillover_no_outcome",
    "guard_no_adopters": "spillover_no_neighbours",
    "guard_too_few_schools": "spillover_too_few_schools",
    "guard_too_few_clusters": "spillover_too_few_clusters",
    "guard_too_few_comparison": "spillover_too_few_comparison",
    "guard_no_pre_period": "spillover_no_pre_period",
}
"""Refusals of the guard in words that speak of neighbours."""


@dataclass(frozen=True, slots=True)
class Spillover:
    """Effect on untreated schools of an adopter near them.

    Attributes
    ----------
    nearness : {"town", "distance"}
        What near means.
    distance_km : float
        Limit of "distance".
    sample : AdoptionSample
        Untreated schools; `adoption_year` is that of the first adopter near.
    table : pandas.DataFrame
        Event study by years since that adoption; without rows if refused.
    average : pandas.DataFrame
        One row with the average over the years since, its interval and p-value; missing if refused.
    refusals : tuple of GuardFinding
        Why there is no estimate, with counts.
    """

    nearness: Nearness
    distance_km: float
    sample: AdoptionSample
    table: pd.DataFrame
    average: pd.DataFrame
    refusals: tuple[GuardFinding, ...]

    @property
    def counts(self) -> Mapping[str, int]:
        """Untreated schools with an adopter near, without, and not usable."""
        exposed = int(np.isfinite(self.sample.cohorts).sum())
        left_out = self.sample.left_out
        lost = int((left_out["reason"] != "spillover_joined_itself").sum())
        return {"near": exposed, "not_near": len(self.sample.units) - exposed, "unusable": lost}

    def tidy(self) -> pd.DataFrame:
        """Return one row per year since the first adoption near."""
        return self.table


@dataclass(frozen=True, slots=True)
class NeighbourSensitivity:
    """The main estimate with and without neighbours of adopters among the comparison.

    Attributes
    ----------
    table : pandas.DataFrame
        Average effect in both samples and the difference, first less second, with its own interval from
        shared influence; without rows if refused.
    refusals : tuple of GuardFinding
        Why the estimate without neighbours is not identified, with counts.
    """

    table: pd.DataFrame
    refusals: tuple[GuardFinding, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per sample and one for the difference."""
        return self.table


def estimate_spillover(
    data: AdoptionData,
    settings: EventStudySettings | None = None,
    *,
    stage: str,
    outcome: str,
    rules: SampleRules = DEFAULT_RULES,
    nearness: Nearness = "town",
    distance_km: float = 3.0,
    limits: DesignLimits = DEFAULT_LIMITS,
) -> Spillover:
    """Estimate the effect of an adopter near on untreated schools of its stage.

    Estimand: mean effect on schools that joined nothing themselves, by years since the first school
    near them joined, compared with untreated schools that have none near (or not yet). It holds all ways
    an adopter works on its neighbours, pupils and teachers drawn away included, and assumes that schools
    further off are untouched and would have moved alike.

    Parameters
    ----------
    data : AdoptionData
        Exposure and outcomes of one county or several.
    settings : EventStudySettings, optional
        As in the main study.
    stage, outcome, rules
        As in `AdoptionData.sample`; role and neighbours of the rules do not apply.
    nearness : {"town", "distance"}
        The same town, or at most `distance_km` apart. The data do not name feeder schools.
    distance_km : float
        In km, a convention to be set for a study.
    limits : DesignLimits
        Below which there is no estimate.

    Notes
    -----
    Exposed schools cluster by the group that came near them, in towns the others by town.
    """
    chosen = settings or EventStudySettings()
    exposed = []
    for adoption, panel in data.counties:
        near = find_near_adopters(adoption, nearness=nearness, distance_km=distance_km)
        exposed.append((exposure_to_neighbours(adoption, near), panel))
    own = replace(rules, role="any", without=(), without_neighbours=False, assignment="school_group")
    sample = AdoptionData(tuple(exposed)).sample(stage=stage, outcome=outcome, rules=own)
    sample = with_base_year(sample, anticipation=chosen.anticipation)
    if nearness == "town":
        sample = replace(sample, clusters=town_clusters(sample.units))
    cells = chosen.cells(sample)
    refusals = _refusals(sample, chosen, limits, cells)
    if refusals:
        blank = pd.DataFrame([[np.nan] * len(ESTIMATE_COLUMNS)], columns=ESTIMATE_COLUMNS)
        table = pd.DataFrame(columns=TABLE_COLUMNS)
        return Spillover(nearness, distance_km, sample, table, blank, refusals)
    study = estimate_event_study(sample, chosen, cells=cells)
    # One estimate has no clusters to share with another: their numbers will do.
    influence = ClusterInfluence(study.influence.clusters, study.influence.contributions[:, -1:])
    average = tabulate_estimates(
        np.array([study.average.effect]), influence, chosen, degrees_of=[study.average.degrees]
    )
    return Spillover(nearness, distance_km, sample, study.table, average, ())


def compare_without_neighbours(
    sample: AdoptionSample,
    settings: EventStudySettings | None = None,
    *,
    limits: DesignLimits = DEFAULT_LIMITS,
) -> NeighbourSensitivity:
    """Estimate the average effect with and without neighbours of adopters as comparison.

    If adopters harm or help the untreated schools near them, an estimate against these is off by that
    much; the difference shows it. Schools left out are those of `SampleRules.without_neighbours`:
    never adopted, with an adopter of their stage in town.

    Parameters
    ----------
    sample : AdoptionSample
        With all comparison schools.
    settings : EventStudySettings, optional
        As in the main study.
    limits : DesignLimits
        Below which there is no estimate.
    """
    chosen = settings or EventStudySettings()
    sample = with_base_year(sample, anticipation=chosen.anticipation)
    near = ~np.isfinite(sample.cohorts) & sample.units["neighbour_year"].notna().to_numpy()
    if not near.any():
        return _refused(GuardFinding("neighbours_none", "refused", {"schools": int((~near).sum())}))
    if near.sum() == (~np.isfinite(sample.cohorts)).sum():
        return _refused(GuardFinding("neighbours_all", "refused", {"schools": int(near.sum())}))
    studies = []
    for one in (sample, take_units(sample, ~near)):
        cells = chosen.cells(one)
        found = find_refusal(one, chosen, limits=limits, cells=cells)
        if found:
            return _refused(found[0])
        studies.append(estimate_event_study(one, chosen, cells=cells))
    return NeighbourSensitivity(_compared(sample, studies, chosen), ())


def _refusals(
    sample: AdoptionSample, settings: EventStudySettings, limits: DesignLimits, cells: SampleCells
) -> tuple[GuardFinding, ...]:
    """Return why spillover is not identified, in words that speak of neighbours."""
    exposed = np.isfinite(sample.cohorts)
    if exposed.any() and exposed.all():
        return (GuardFinding("spillover_everyone_near", "refused", {"schools": int(exposed.sum())}),)
    found = find_refusal(sample, settings, limits=limits, cells=cells)
    return tuple(replace(finding, code=OWN_CODES.get(finding.code, finding.code)) for finding in found)


def _refused(finding: GuardFinding) -> NeighbourSensitivity:
    return NeighbourSensitivity(pd.DataFrame(columns=SENSITIVITY_COLUMNS), (finding,))


def _compared(
    whole: AdoptionSample, studies: list[AdoptionEventStudy], settings: EventStudySettings
) -> pd.DataFrame:
    """Return both averages and their difference; the p-values are each alone, for one question is asked."""
    values = np.array([study.average.effect for study in studies])
    influence = align_averages([average_influence(whole, study.influence) for study in studies])
    _, difference, moved = contrast_effects(SAMPLES, values, influence)
    tables = [
        tabulate_estimates(
            values, influence, settings, degrees_of=[study.average.degrees for study in studies]
        ),
        tabulate_estimates(difference, moved, settings),
    ]
    joined = pd.concat(tables, ignore_index=True).assign(p_adjusted=np.nan, sample=[*SAMPLES, DIFFERENCE])
    counts = [np.isfinite(study.sample.cohorts) for study in studies]
    joined["n_adopters"] = [*(int(adopts.sum()) for adopts in counts), int(counts[0].sum())]
    lost = int((~counts[0]).sum() - (~counts[1]).sum())
    joined["n_comparison"] = [*(int((~adopts).sum()) for adopts in counts), lost]
    return joined[SENSITIVITY_COLUMNS]
