"""Words and places that the findings of a group-schooling study share."""

from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.study_words import outcome_name, outcome_scale, role_code
from toolkit.standards import Standard, indicator_name
from toolkit.vocabulary import Term, format_number, term

EFFECT_DECIMALS = 3


def row_of(study: AdoptionStudy) -> dict[str, str]:
    """Return what says which row of a table is about a study."""
    return {"stage": study.sample.stage, "role": role_code(study.sample.rules)}


def key_of(study: AdoptionStudy) -> str:
    """Return what the keys of exhibits about one study end with."""
    return f"{study.sample.stage}_{study.sample.rules.role}"


def who_of(study: AdoptionStudy, standard: Standard) -> dict[str, object]:
    """Return stage, role and outcome for a sentence."""
    return {
        "stage": term(study.sample.stage),
        "role": term(f"finding_group_{study.sample.rules.role}"),
        "outcome": outcome_term(study.sample.outcome, standard),
    }


def outcome_term(name: str, standard: Standard) -> Term:
    """Return the name of an outcome for a sentence, an indicator without its unit."""
    if name == "achievement":
        return term("finding_group_achievement")
    if any(name == indicator.id for indicator in standard.indicators):
        return Term(zh=indicator_name(standard, name, "zh"), en=indicator_name(standard, name, "en"))
    return Term(zh=outcome_name(name, standard, "zh"), en=outcome_name(name, standard, "en"))


def value_in_unit(value: float, study: AdoptionStudy, standard: Standard) -> Term:
    """Return a number in the unit of the outcome, which the name of the outcome states unless it is SD."""
    name = study.sample.outcome
    text = scaled_text(value, name, standard)
    unit = term("finding_group_sd")
    is_sd = name == "achievement"
    return Term(zh=f"{text} {unit.zh}" if is_sd else text, en=f"{text} {unit.en}" if is_sd else text)


def scaled_text(value: float, name: str, standard: Standard) -> str:
    """Return a number in the unit in which an outcome is printed."""
    factor, decimals = outcome_scale(name, standard)
    return format_number(
        factor * float(value), max(decimals, 2) if name != "achievement" else EFFECT_DECIMALS
    )


def plain_text(value: float) -> str:
    """Return an effect without unit."""
    return format_number(float(value), EFFECT_DECIMALS)


def p_value_words(value: float) -> str:
    """Return a p-value for a sentence."""
    return "<0.001" if value < 0.001 else format_number(value, 3)
