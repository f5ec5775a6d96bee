"""The average effect under every reasonable way of designing the study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd

from toolkit.effects.adoption_data import AdoptionData
from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.adoption_study import StudySettings, with_base_year
from toolkit.effects.event_study import EventStudySettings, estimate_average
from toolkit.effects.guard import check_design
from toolkit.effects.sample_rules import DEFAULT_RULES, SampleRules

CHOICES: Mapping[str, Sequence[str]] = {
    "comparison": ("not_yet", "never"),
    "base": ("before_selection", "year_before"),
    "covariates": ("with_covariates", "without_covariates"),
    "weighting": ("enrolment", "school"),
    "schools": ("all_adopters", "without_leavers", "without_changes"),
    "neighbours": ("with_neighbours", "without_neighbours"),
}
"""What may be chosen otherwise; the first of each is the default of a study, whose own design is marked."""

LEAVERS = ("left_year",)
CHANGED = ("left_year", "form_change_year", "other_year", "campus_year", "absorbed_year")
NUMBERS = ["effect", "std_error", "conf_low", "conf_high"]


@dataclass(frozen=True, slots=True)
class SpecificationCurve:
    """The average effect by specification.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per specification, in the order of the effect, refused ones last: a column for each of
        `CHOICES`, `is_study` (the design of the study), `n_adopters`, `n_comparison`, effect, standard
        error and t interval, `refusal` (code of the guard, or "").
    """

    table: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per specification."""
        return self.table

    @property
    def estimated(self) -> pd.DataFrame:
        """The specifications with an effect."""
        return self.table[self.table["refusal"] == ""]


def trace_specifications(
    data: AdoptionData,
    *,
    stage: str,
    outcome: str,
    rules: SampleRules = DEFAULT_RULES,
    settings: StudySettings | None = None,
) -> SpecificationCurve:
    """Estimate the average effect under every combination of choices that could have been made otherwise.

    The curve shows how far the answer hangs on choices; it is no test, and its intervals are t intervals
    of single specifications. Specifications that use the year just before joining as base are open to
    the selection of schools for one bad year.

    Parameters
    ----------
    data : AdoptionData
        Exposure and outcomes.
    stage, outcome : str
        As in `AdoptionData.sample`.
    rules, settings : SampleRules, StudySettings
        The design of the study, which is one of the specifications. Combinations that give the same
        schools and design as another are left out.

    References
    ----------
    Simonsohn, U., Simmons, J. and Nelson, L. (2020). Specification curve analysis. Nature Human Behaviour 4.
    """
    chosen = settings or StudySettings()
    base_anticipation = max(chosen.event_study.anticipation, 1)
    own_design = chosen.event_study
    own_sample = with_base_year(
        data.sample(stage=stage, outcome=outcome, rules=rules), anticipation=own_design.anticipation
    )
    study = _key(own_sample, own_design)
    rows, seen = [], set()
    samples: dict[SampleRules, AdoptionSample] = {}
    for values in product(*CHOICES.values()):
        named = dict(zip(CHOICES, values, strict=True))
        own = _rules(rules, named)
        if own not in samples:
            samples[own] = data.sample(stage=stage, outcome=outcome, rules=own)
        design = replace(
            chosen.event_study,
            comparison=named["comparison"],  # pyright: ignore[reportArgumentType]
            anticipation=base_anticipation if named["base"] == "before_selection" else 0,
        )
        # The other choices count by what they do: schools, weights and covariates that enter.
        sample = with_base_year(samples[own], anticipation=design.anticipation)
        key = _key(sample, design)
        if key in seen:
            continue
        seen.add(key)
        rows.append(named | _row(sample, design, chosen) | {"is_study": key == study})
    table = pd.DataFrame(rows)
    table = table.sort_values("effect", kind="stable", na_position="last").reset_index(drop=True)
    return SpecificationCurve(table)


def _key(sample: AdoptionSample, design: EventStudySettings) -> tuple[object, ...]:
    """Return what makes two specifications the same."""
    return (
        design.comparison,
        design.anticipation,
        sample.rules.weighting,
        sample.covariate_names,
        tuple(sample.units["county_id"].astype(str) + "|" + sample.units["school"].astype(str)),
    )


def _rules(rules: SampleRules, named: Mapping[str, str]) -> SampleRules:
    without = {"all_adopters": (), "without_leavers": LEAVERS, "without_changes": CHANGED}[named["schools"]]
    return replace(
        rules,
        covariates=rules.covariates if named["covariates"] == "with_covariates" else (),
        weighting=named["weighting"],  # pyright: ignore[reportArgumentType]
        without=without,
        without_neighbours=named["neighbours"] == "without_neighbours",
    )


def _row(sample: AdoptionSample, design: EventStudySettings, chosen: StudySettings) -> dict[str, object]:
    cells = design.cells(sample)
    guard = check_design(
        sample,
        comparison=design.comparison,
        anticipation=design.anticipation,
        limits=chosen.limits,
        last=design.last,
        cells=cells,
    )
    joined = np.isfinite(sample.cohorts)
    row: dict[str, object] = {"n_adopters": int(joined.sum()), "n_comparison": int((~joined).sum())}
    if guard.is_refused:
        return row | dict.fromkeys(NUMBERS, np.nan) | {"refusal": guard.codes[0]}
    average = estimate_average(sample, design, cells=cells)
    return row | {name: getattr(average, name) for name in NUMBERS} | {"refusal": ""}
