"""The effect of joining by subgroup of adopters, against the same comparison schools."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.schema import COMPULSORY_STAGES
from toolkit.effects.adoption_data import AdoptionData
from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.adoption_study import with_base_year
from toolkit.effects.event_study import AdoptionEventStudy, EventStudySettings, estimate_event_study
from toolkit.effects.guard import GuardFinding
from toolkit.effects.guard_limits import DEFAULT_LIMITS, DesignLimits
from toolkit.effects.joint_effects import (
    ESTIMATE_COLUMNS,
    EqualityTest,
    adjust_p_values,
    align_averages,
    average_influence,
    compute_equality_test,
    contrast_effects,
    find_refusal,
    tabulate_estimates,
)
from toolkit.effects.subgroups import CHOSEN_AFTER_JOINING, HALVES, By, label_subgroups
from toolkit.inference.clusters import ClusterInfluence

Floats = NDArray[np.float64]

UNKNOWN = "subgroup_unknown"
SUBGROUP_COLUMNS = [
    "by",
    "stage",
    "subgroup",
    "n_schools",
    "n_clusters",
    *ESTIMATE_COLUMNS,
    "detectable",
    "caution",
    "refusal",
]
DIFFERENCE_COLUMNS = ["by", "subgroup", "other_subgroup", *ESTIMATE_COLUMNS]


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """Average effects of joining by subgroup of adopters.

    Attributes
    ----------
    by, outcome : str
        What divides the adopters, and what is studied.
    table : pandas.DataFrame
        One row per subgroup: adopters and their clusters, average effect with its interval, p-values (alone,
        and adjusted for all subgroups), the effect detectable with power 80 %, `caution` (clusters are so
        few that the interval is likely too narrow) and `refusal` (why there is no estimate), codes or "".
        Adopters whose subgroup is not known have a row of their own.
    differences : pandas.DataFrame
        One row per pair of estimated subgroups, first less second, adjusted for all pairs.
    equality : EqualityTest
        Joint test that the effects of all estimated subgroups are equal.
    studies : mapping of str to AdoptionEventStudy
        Event studies of the estimated subgroups.
    influence : ClusterInfluence
        Contributions of the clusters to the effects of the estimated subgroups, in their order.
    refusals : mapping of str to GuardFinding
        Why a subgroup is refused, with its counts.
    cut : float
        Median at which values were cut; missing for named subgroups.
    n_with_base_year : int
        Adopters whose earlier level holds the base year (see `label_subgroups`).
    is_descriptive : bool
        Whether the subgroups were chosen after joining, so that their effects describe and no more.
    """

    by: By
    outcome: str
    table: pd.DataFrame
    differences: pd.DataFrame
    equality: EqualityTest
    studies: Mapping[str, AdoptionEventStudy]
    influence: ClusterInfluence
    refusals: Mapping[str, GuardFinding]
    cut: float
    n_with_base_year: int
    is_descriptive: bool

    def tidy(self) -> pd.DataFrame:
        """Return one row per subgroup."""
        return self.table


@dataclass(frozen=True, slots=True)
class _Arm:
    """One subgroup with the sample it is taken from."""

    name: str
    whole: AdoptionSample
    own: NDArray[np.bool_]
    cut: float
    n_with_base_year: int


def estimate_heterogeneity(
    data: AdoptionData,
    sample: AdoptionSample,
    settings: EventStudySettings | None = None,
    *,
    by: By,
    limits: DesignLimits = DEFAULT_LIMITS,
) -> Heterogeneity:
    """Estimate the effect of joining by subgroup of adopters.

    Estimand: in each subgroup the mean over event times 0 to `last` of the effect on its schools, weighted
    as the sample says. Subgroups differ in more than what divides them: a difference between effects is
    not the effect of belonging to the one or the other. What a group did after it was formed (members per
    lead, teachers moved) was chosen in the light of how it went, so these subgroups only describe.

    Parameters
    ----------
    data : AdoptionData
        Exposure and outcomes of one county or several.
    sample : AdoptionSample
        Outcome, stage and rules. By role the sample is built anew with all roles, by stage for both.
    settings : EventStudySettings, optional
        As in the main study.
    by : str
        See `label_subgroups`.
    limits : DesignLimits
        Below which a subgroup is refused.

    Notes
    -----
    Schools that never joined are the comparison of every subgroup, and with "not_yet" so are adopters of
    the others up to their own anticipation. Of two subgroups that joined in one year, each serves the
    other in the years before it.
    """
    chosen = settings or EventStudySettings()
    arms = _arms(data, sample, by, chosen)
    rows, parts, effects = [], [], []
    studies: dict[str, AdoptionEventStudy] = {}
    refusals: dict[str, GuardFinding] = {}
    for arm in arms:
        own = take_subgroup(arm.whole, arm.own, chosen)
        n_schools, n_clusters = int(arm.own.sum()), len(np.unique(arm.whole.clusters[arm.own]))
        row: dict[str, object] = {"by": by, "stage": arm.whole.stage, "subgroup": arm.name}
        row |= {"n_schools": n_schools, "n_clusters": n_clusters, "caution": "", "refusal": ""}
        unknown = GuardFinding("subgroup_not_known", "refused", {"schools": n_schools})
        cells = chosen.cells(own)
        found = (unknown,)
        if arm.name != UNKNOWN:
            found = find_refusal(own, chosen, limits=limits, cells=cells)
        for finding in found:
            refusals[arm.name] = finding
            row["refusal"] = finding.code
        if not found:
            study = estimate_event_study(own, chosen, cells=cells)
            studies[arm.name] = study
            row["caution"] = "guard_few_clusters" if n_clusters < limits.few_clusters else ""
            row["detectable"] = study.average.detectable
            effects.append(study.average.effect)
            parts.append(average_influence(arm.whole, study.influence))
        rows.append(row)
    values, influence = np.array(effects), align_averages(parts)
    return Heterogeneity(
        by=by,
        outcome=sample.outcome,
        table=_table(rows, values, influence, [study.average.degrees for study in studies.values()], chosen),
        differences=_differences(by, list(studies), values, influence, chosen),
        equality=compute_equality_test(values, influence),
        studies=studies,
        influence=influence,
        refusals=refusals,
        cut=arms[-1].cut if arms else np.nan,
        n_with_base_year=arms[-1].n_with_base_year if arms else 0,
        is_descriptive=by in CHOSEN_AFTER_JOINING,
    )


def adjust_over_divisions(
    found: Sequence[Heterogeneity], *, seed: int = 1, n_draws: int = 999
) -> pd.DataFrame:
    """Adjust the p-values of all pairwise differences for all divisions looked at.

    Returns
    -------
    pandas.DataFrame
        The rows of `differences` of all divisions, with `p_adjusted` over all of them. Differences without
        a standard error stay without.
    """
    tables = [one.differences for one in found if len(one.differences)]
    if not tables:
        return pd.DataFrame(columns=DIFFERENCE_COLUMNS)
    table = pd.concat(tables, ignore_index=True)
    moved = [
        contrast_effects(list(one.studies), np.zeros(len(one.studies)), one.influence)[2]
        for one in found
        if len(one.differences)
    ]
    p_values = table["p_value"].to_numpy(dtype=float)
    adjusted = adjust_p_values(p_values, align_averages(moved), seed=seed, n_draws=n_draws)
    return table.assign(p_adjusted=adjusted)


def take_subgroup(
    sample: AdoptionSample, own: NDArray[np.bool_], settings: EventStudySettings
) -> AdoptionSample:
    """Return the sample with the adopters of one subgroup alone, and the comparison of all.

    With "not_yet" other adopters stay as comparison while they are not affected: their outcomes end
    with the last year before their anticipation. Those with fewer than two such years are left out.
    """
    others = np.isfinite(sample.cohorts) & ~own
    outcomes = sample.outcomes.copy()
    late = sample.periods >= (sample.cohorts - settings.anticipation)[:, None]
    outcomes[others[:, None] & late] = np.nan
    kept = ~others
    if settings.comparison == "not_yet":
        kept |= np.isfinite(outcomes).sum(axis=1) >= 2
    years = sample.units["adoption_year"].mask(pd.Series(others, index=sample.units.index))
    return take_units(
        replace(sample, outcomes=outcomes, units=sample.units.assign(adoption_year=years)), kept
    )


def take_units(sample: AdoptionSample, kept: NDArray[np.bool_]) -> AdoptionSample:
    """Return the sample with some of its schools; clusters keep their numbers."""
    return replace(
        sample,
        units=sample.units[kept].reset_index(drop=True),
        outcomes=sample.outcomes[kept],
        covariates=sample.covariates[kept],
        weights=sample.weights[kept],
        clusters=sample.clusters[kept],
    )


def _arms(data: AdoptionData, sample: AdoptionSample, by: By, settings: EventStudySettings) -> list[_Arm]:
    """Return the subgroups with their samples, those not known last."""
    wholes = [sample]
    if by == "stage":
        wholes = [
            sample
            if stage == sample.stage
            else data.sample(stage=stage, outcome=sample.outcome, rules=sample.rules)
            for stage in COMPULSORY_STAGES
        ]
    elif by == "role" and sample.rules.role != "any":
        rules = replace(sample.rules, role="any")
        wholes = [data.sample(stage=sample.stage, outcome=sample.outcome, rules=rules)]
    arms = []
    for each in wholes:
        whole = with_base_year(each, anticipation=settings.anticipation)
        labels = label_subgroups(data, whole, by=by, settings=settings)
        order = HALVES.get(by, tuple(sorted(set(labels.names) - {""})))
        names = [name for name in order if (labels.names == name).any()]
        parts = [(name, labels.names == name) for name in names]
        missing = np.isfinite(whole.cohorts) & (labels.names == "")
        if missing.any():
            parts.append((UNKNOWN, missing))
        arms += [_Arm(name, whole, own, labels.cut, labels.n_with_base_year) for name, own in parts]
    return arms


def _table(
    rows: list[dict[str, object]],
    effects: Floats,
    influence: ClusterInfluence,
    degrees: list[float],
    settings: EventStudySettings,
) -> pd.DataFrame:
    """Return one row per subgroup, with the estimates of those that have them."""
    table = pd.DataFrame(rows).reindex(columns=SUBGROUP_COLUMNS)
    has = (table["refusal"] == "").to_numpy(dtype=bool)
    if has.any():
        found = tabulate_estimates(effects, influence, settings, degrees_of=degrees)
        table.loc[has, ESTIMATE_COLUMNS] = found[ESTIMATE_COLUMNS].to_numpy()
    return table.astype(dict.fromkeys([*ESTIMATE_COLUMNS, "detectable"], float))


def _differences(
    by: str,
    names: list[str],
    effects: Floats,
    influence: ClusterInfluence,
    settings: EventStudySettings,
) -> pd.DataFrame:
    """Return one row per pair of subgroups."""
    if len(names) < 2:
        return pd.DataFrame(columns=DIFFERENCE_COLUMNS)
    pairs, differences, moved = contrast_effects(names, effects, influence)
    sides = pd.DataFrame(pairs, columns=["subgroup", "other_subgroup"]).assign(by=by)
    found = tabulate_estimates(differences, moved, settings)
    return pd.concat([sides, found], axis=1)[DIFFERENCE_COLUMNS]
