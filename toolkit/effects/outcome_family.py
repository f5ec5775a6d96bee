"""Effects of joining on several outcomes: one primary, the rest exploratory and adjusted as a family."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from toolkit.effects.adoption_data import AdoptionData
from toolkit.effects.adoption_study import StudySettings, with_base_year
from toolkit.effects.event_study import AdoptionEventStudy, estimate_event_study
from toolkit.effects.guard import check_design
from toolkit.effects.sample_rules import DEFAULT_RULES, SampleRules
from toolkit.inference.clusters import ClusterInfluence, align_clusters
from toolkit.inference.multiplier import draw_errors
from toolkit.inference.romano_wolf import romano_wolf

Floats = NDArray[np.float64]

FAMILY_COLUMNS = [
    "outcome",
    "is_primary",
    "n_adopters",
    "n_comparison",
    "mean_before",
    "effect",
    "std_error",
    "conf_low",
    "conf_high",
    "detectable",
    "p_value",
    "adjusted_p_value",
    "refusal",
]


@dataclass(frozen=True, slots=True)
class OutcomeFamily:
    """Effects on a family of outcomes.

    Attributes
    ----------
    stage : str
        Stage.
    primary : str
        The outcome that was chosen beforehand; it is not adjusted.
    table : pandas.DataFrame
        One row per outcome: schools, mean of adopters over the baseline years, average effect with t
        interval and minimum detectable effect in the unit of the outcome, p-value alone and adjusted for
        all exploratory outcomes, and the code of the refusal.
    """

    stage: str
    primary: str
    table: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per outcome."""
        return self.table


def estimate_outcome_family(
    data: AdoptionData,
    *,
    stage: str,
    outcomes: Sequence[str],
    primary: str,
    rules: SampleRules = DEFAULT_RULES,
    settings: StudySettings | None = None,
) -> OutcomeFamily:
    """Estimate the effect on each outcome with one design, and adjust the exploratory ones.

    Parameters
    ----------
    data : AdoptionData
        Exposure and outcomes.
    stage : {"primary", "junior"}
        Stage.
    outcomes : sequence of str
        Names in `panel.measures`; the primary one may be among them.
    primary : str
        Outcome chosen before looking.
    rules : SampleRules
        Who enters.
    settings : StudySettings, optional
        Design.

    Notes
    -----
    Exploratory outcomes share the multipliers of the clusters (Romano and Wolf), so that the dependence
    between them is used. With few clusters the normal tails of these draws are too thin: statistics are
    first carried from their t distribution at effective degrees of freedom to the normal one.
    """
    chosen = settings or StudySettings()
    names = [primary, *(name for name in outcomes if name != primary)]
    rows: list[dict[str, object]] = []
    found: dict[str, AdoptionEventStudy] = {}
    for name in names:
        sample = with_base_year(
            data.sample(stage=stage, outcome=name, rules=rules),
            anticipation=chosen.event_study.anticipation,
        )
        cells = chosen.event_study.cells(sample)
        guard = check_design(
            sample,
            comparison=chosen.event_study.comparison,
            anticipation=chosen.event_study.anticipation,
            limits=chosen.limits,
            last=chosen.event_study.last,
            cells=cells,
        )
        joined = np.isfinite(sample.cohorts)
        row: dict[str, object] = {
            "outcome": name,
            "is_primary": name == primary,
            "n_adopters": int(joined.sum()),
            "n_comparison": int((~joined).sum()),
            "refusal": guard.codes[0] if guard.is_refused else "",
        }
        if not guard.is_refused:
            found[name] = estimate_event_study(sample, chosen.event_study.for_average(), cells=cells)
            row |= _numbers(found[name])
        rows.append(row)
    table = pd.DataFrame(rows).reindex(columns=FAMILY_COLUMNS)
    # An outcome without spread has no error, and nothing to adjust.
    explored = {name: one for name, one in found.items() if name != primary and one.average.std_error > 0}
    adjusted = _adjusted(explored, chosen)
    table["adjusted_p_value"] = table["outcome"].map(adjusted).astype(float)
    return OutcomeFamily(stage, primary, table)


def _numbers(event_study: AdoptionEventStudy) -> dict[str, object]:
    average, sample = event_study.average, event_study.sample
    joined = np.isfinite(sample.cohorts)
    before = sample.outcomes[joined][:, np.isin(sample.periods, sample.baseline_years)]
    seen = np.isfinite(before).any(axis=1)
    weights = sample.weights[joined][seen]
    mean = np.average(np.nanmean(before[seen], axis=1), weights=weights) if seen.any() else np.nan
    return {
        "mean_before": float(mean),
        "effect": average.effect,
        "std_error": average.std_error,
        "conf_low": average.conf_low,
        "conf_high": average.conf_high,
        "detectable": average.detectable,
        "p_value": 2 * float(stats.t.sf(abs(average.effect) / average.std_error, average.degrees)),
    }


def _adjusted(found: dict[str, AdoptionEventStudy], settings: StudySettings) -> dict[str, float]:
    """Return p-values adjusted for all these outcomes, by name."""
    if not found:
        return {}
    own = settings.event_study
    parts = []
    for event_study in found.values():
        # Clusters are numbered within a sample: across samples a school group is known by its units.
        label = _cluster_names(event_study)
        parts.append(ClusterInfluence(label, event_study.influence.contributions[:, -1:]))
    draws = draw_errors(
        align_clusters([_in_order(part) for part in parts]), seed=own.seed, n_draws=own.n_draws
    )
    errors = np.array([one.average.std_error for one in found.values()])
    tails = [
        stats.t.sf(abs(one.average.effect) / one.average.std_error, one.average.degrees)
        for one in found.values()
    ]
    values = romano_wolf(stats.norm.isf(tails) * errors, errors, draws)
    return dict(zip(found, values.tolist(), strict=True))


def _cluster_names(event_study: AdoptionEventStudy) -> NDArray:
    """Return a name for each cluster that is the same in samples of other outcomes."""
    sample = event_study.sample
    joined = np.isfinite(sample.cohorts)
    names = np.where(joined, "group|" + sample.units["school_group"], sample.units["school"].astype(str))
    names = sample.units["county_id"].astype(str).to_numpy() + "|" + names
    first = {int(cluster): str(name) for cluster, name in zip(sample.clusters, names, strict=True)}
    return np.array([first[int(cluster)] for cluster in event_study.influence.clusters])


def _in_order(part: ClusterInfluence) -> ClusterInfluence:
    order = np.argsort(part.clusters)
    return ClusterInfluence(part.clusters[order], part.contributions[order])
