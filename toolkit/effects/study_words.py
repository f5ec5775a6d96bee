"""Which study and outcome a number is about, and p-values, in words."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np

from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.sample_rules import SampleRules
from toolkit.indicators.adoption import Adoption
from toolkit.standards import Standard, indicator_name
from toolkit.vocabulary import (
    Language,
    Term,
    format_number,
    has_term,
    label,
    sentence,
    term,
    unit_label,
    wording,
)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

COUNTY_REFORM = "county_reform"
"""Programme that whole counties bring in."""
COUNTY_WORDS = "county"
COUNTY_ROLE = "adoption_role_county"

SMALLEST_P = 0.001
P_DECIMALS = 3
PERCENT = 100
# Outcomes of the panel whose name is that of another entry of the vocabulary.
OUTCOME_TERMS = {"prior_score": "adoption_prior_score", "coverage": "test_coverage"}
# Shares of the panel whose entry of the vocabulary has no unit.
SHARES = ("coverage", "urban", "town_area", "rural")


def in_words_of_unit(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let a function speak of counties where counties adopt, and of schools and groups otherwise.

    It is told by any argument that knows it: a study, an exposure, a sequence of studies, or `programme`.
    """

    @wraps(function)
    def told(*given: Arguments.args, **named: Arguments.kwargs) -> Result:
        is_of_counties = named.get("programme") == COUNTY_REFORM or any(
            adopts_by_county(value) for value in (*given, *named.values())
        )
        with wording(COUNTY_WORDS if is_of_counties else ""):
            return function(*given, **named)

    return told


def adopts_by_county(value: object) -> bool:
    """Say whether a study, an exposure, or the first of several, is of counties that adopt as a whole."""
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        value = value[0]
    if isinstance(value, Adoption):
        return value.programme == COUNTY_REFORM
    return isinstance(value, AdoptionStudy) and value.sample.rules.assignment == "county"


def role_code(rules: SampleRules) -> str:
    """Return the entry of the vocabulary that tables have for the role of a study."""
    if rules.assignment == "county":
        return COUNTY_ROLE
    return "adoption_role_any" if rules.role == "any" else rules.role


def role_name(role: str, language: Language) -> str:
    """Return a role at first joining in words."""
    return label(f"adoption_role_{role}", language)


def study_name(study: AdoptionStudy, language: Language) -> str:
    """Return stage and role of a study in words."""
    return sentence(
        "adoption_study_name",
        language,
        stage=label(study.sample.stage, language),
        role=role_name(study.sample.rules.role, language),
    )


def schools_of(sample: AdoptionSample, language: Language) -> str:
    """Return in words how many schools a study compares."""
    joined = sample.units["adoption_year"].notna()
    return sentence(
        "adoption_n_one",
        language,
        adopters=int(joined.sum()),
        groups=len(sample.units.loc[joined, ["county_id", "school_group"]].drop_duplicates()),
        comparison=int((~joined).sum()),
    )


def p_value_text(value: float) -> str:
    """Return a p-value as it is printed; empty when it is missing."""
    if np.isnan(value):
        return ""
    return f"< {SMALLEST_P:g}" if value < SMALLEST_P else format_number(value, P_DECIMALS)


def outcome_name(name: str, standard: Standard, language: Language, *, with_unit: bool = True) -> str:
    """Return an outcome of the panel in words, with its unit behind it where it has one."""
    entry = outcome_entry(name, standard)
    if any(name == indicator.id for indicator in standard.indicators):
        words, unit = indicator_name(standard, name, language), unit_label(entry, language)
    else:
        words, unit = label(entry, language), unit_label(entry, language)
    unit = label("percent", language) if name in SHARES else unit
    if not (unit and with_unit):
        return words
    return sentence("adoption_outcome_in_unit", language, name=words, unit=unit)


def outcome_entry(name: str, standard: Standard) -> str:
    """Return the entry of the vocabulary that an outcome of the panel has."""
    named = {indicator.id: indicator.name for indicator in standard.indicators}
    entry = named.get(name, OUTCOME_TERMS.get(name, name))
    if not has_term(entry):
        raise KeyError(f"the vocabulary has no outcome {name!r}")
    return entry


def outcome_scale(name: str, standard: Standard) -> tuple[float, int]:
    """Return the factor with which an outcome is printed, and the decimals of its effects."""
    found: Term = term(outcome_entry(name, standard))
    factor = PERCENT if found.unit == "percent" or name in SHARES else 1.0
    return float(factor), (1 if found.decimals is None else found.decimals) + 1
