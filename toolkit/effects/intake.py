"""What joining did to who enters a school, and to how many."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from toolkit.effects.adoption_data import AdoptionData
from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.adoption_study import with_base_year
from toolkit.effects.event_study import AdoptionEventStudy, EventStudySettings, estimate_event_study
from toolkit.effects.guard import GuardFinding
from toolkit.effects.guard_limits import DEFAULT_LIMITS, DesignLimits
from toolkit.effects.joint_effects import (
    ESTIMATE_COLUMNS,
    align_averages,
    average_influence,
    find_refusal,
    tabulate_estimates,
)
from toolkit.effects.sample_rules import DEFAULT_RULES, SampleRules

INTAKE_OUTCOMES = ("prior_score", "log_new_entrants", "log_enrolment", "migrant_share", "left_behind_share")
LOGARITHMS = {"log_new_entrants": "new_entrants"}
"""Counts taken as logarithms: in large schools they move more, whoever joins."""

TABLE_COLUMNS = [
    "outcome",
    "event_time",
    "n_adopters",
    "n_comparison",
    "baseline_mean",
    *ESTIMATE_COLUMNS,
    "detectable",
    "refusal",
]


@dataclass(frozen=True, slots=True)
class IntakeEffects:
    """Effects of joining on intake and enrolment.

    Attributes
    ----------
    table : pandas.DataFrame
        By outcome one row per event time and, with a missing `event_time`, the average: schools on each side,
        mean of the adopters in the baseline years, effect in units of the outcome, interval and p-value;
        `p_adjusted` of the averages holds for all outcomes together. `refusal` says why there is none.
    studies : mapping of str to AdoptionEventStudy
        By outcome, where estimated.
    refusals : mapping of str to GuardFinding
        By outcome, where not.
    """

    table: pd.DataFrame
    studies: Mapping[str, AdoptionEventStudy]
    refusals: Mapping[str, GuardFinding]

    def tidy(self) -> pd.DataFrame:
        """Return one row per outcome and event time, and averages."""
        return self.table


def estimate_intake(
    data: AdoptionData,
    settings: EventStudySettings | None = None,
    *,
    stage: str,
    rules: SampleRules = DEFAULT_RULES,
    outcomes: tuple[str, ...] = INTAKE_OUTCOMES,
    limits: DesignLimits = DEFAULT_LIMITS,
) -> IntakeEffects:
    """Estimate the effect of joining on prior score, entrants, enrolment and the mix of pupils.

    An effect here says that results of a school after joining are partly those of other pupils. Estimands
    and weights are those of the main study, with the same base year. Shares of migrant and left-behind
    students are of the whole school, all stages.

    Parameters
    ----------
    data : AdoptionData
        Exposure and outcomes of one county or several.
    settings : EventStudySettings, optional
        As in the main study.
    stage, rules
        As in `AdoptionData.sample`.
    outcomes : tuple of str
        Names in `SchoolPanel.measures`, or of `LOGARITHMS`, in the order of the table.
    limits : DesignLimits
        Below which there is no estimate.

    Notes
    -----
    Covariates are fixed before joining; where log enrolment is the outcome, its own baseline is not one of
    them: the base year would stand on both sides.
    """
    chosen = settings or EventStudySettings()
    studies: dict[str, AdoptionEventStudy] = {}
    refusals: dict[str, GuardFinding] = {}
    wholes: dict[str, AdoptionSample] = {}
    for outcome in outcomes:
        measure = LOGARITHMS.get(outcome, outcome)
        if measure not in data.outcomes:
            refusals[outcome] = GuardFinding("intake_no_data", "refused", {})
            continue
        own = replace(rules, covariates=tuple(name for name in rules.covariates if name != outcome))
        sample = data.sample(stage=stage, outcome=measure, rules=own)
        if outcome in LOGARITHMS:
            positive = np.where(sample.outcomes > 0, sample.outcomes, np.nan)
            sample = replace(sample, outcome=outcome, outcomes=np.log(positive))
        sample = with_base_year(sample, anticipation=chosen.anticipation)
        wholes[outcome] = sample
        cells = chosen.cells(sample)
        found = find_refusal(sample, chosen, limits=limits, cells=cells)
        if found:
            refusals[outcome] = found[0]
        else:
            studies[outcome] = estimate_event_study(sample, chosen, cells=cells)
    return IntakeEffects(_table(outcomes, wholes, studies, refusals, chosen), studies, refusals)


def _table(
    outcomes: tuple[str, ...],
    wholes: Mapping[str, AdoptionSample],
    studies: Mapping[str, AdoptionEventStudy],
    refusals: Mapping[str, GuardFinding],
    settings: EventStudySettings,
) -> pd.DataFrame:
    """Return event times and the average of each outcome, averages adjusted for all outcomes."""
    effects = np.array([study.average.effect for study in studies.values()])
    parts = [average_influence(wholes[name], study.influence) for name, study in studies.items()]
    degrees = [study.average.degrees for study in studies.values()]
    averages = (
        tabulate_estimates(effects, align_averages(parts), settings, degrees_of=degrees)
        if parts
        else pd.DataFrame()
    )
    rows = []
    for outcome in outcomes:
        counts = _counts(wholes.get(outcome))
        if outcome in refusals:
            rows.append({"outcome": outcome, "refusal": refusals[outcome].code} | counts)
            continue
        study = studies[outcome]
        same = ["event_time", "effect", "std_error", "conf_low", "conf_high"]
        for row in study.table[same].to_dict("records"):
            rows.append({"outcome": outcome, "refusal": ""} | counts | row)
        average = averages.iloc[list(studies).index(outcome)].to_dict()
        average["detectable"] = study.average.detectable
        rows.append({"outcome": outcome, "refusal": ""} | counts | average)
    numbers = [*TABLE_COLUMNS[1:-1]]
    return pd.DataFrame(rows).reindex(columns=TABLE_COLUMNS).astype(dict.fromkeys(numbers, float))


def _counts(sample: AdoptionSample | None) -> dict[str, float]:
    """Return schools on both sides and the weighted mean of the adopters in the baseline years."""
    if sample is None:
        return {"n_adopters": 0, "n_comparison": 0}
    adopts = np.isfinite(sample.cohorts)
    own = sample.outcomes[adopts][:, np.isin(sample.periods, sample.baseline_years)]
    mass = sample.weights[adopts][:, None] * np.isfinite(own)
    mean = float(np.nansum(mass * np.nan_to_num(own)) / mass.sum()) if mass.sum() > 0 else np.nan
    counts = {"n_adopters": int(adopts.sum()), "n_comparison": int((~adopts).sum())}
    return counts | {"baseline_mean": mean}
