"""The average effect by other estimators, and what the two-way regression compares, as tables."""

from collections.abc import Mapping
from typing import Any

from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.robustness import RobustnessTable, TwoWayStudy
from toolkit.effects.study_words import in_words_of_unit, p_value_text
from toolkit.tables.adoption_extensions import table_of
from toolkit.tables.adoption_texts import (
    EFFECT_DECIMALS,
    adoption_caption,
    adoption_column,
    interval_of,
    joining_year,
    range_text,
)
from toolkit.tables.exhibit import PERCENT, TableExhibit, as_float
from toolkit.vocabulary import Language, format_number, label, sentence

WORDS = ("average", "comparison", "within", "base", "anticipation_rule", "covariates", "weights")
IN_FILES = ("average", "within", "anticipation_rule", "covariates", "assumption")
COUNTS = ("n_units", "n_treated", "n_treated_clusters")
NUMBERS = ("conf_low", "conf_high", "p_value")
CALIPER_DECIMALS = 2
NOT_VALID = "later_earlier"


@in_words_of_unit
def tabulate_robustness(
    result: RobustnessTable | None, study: AdoptionStudy, language: Language
) -> TableExhibit:
    """Return the average effect by every estimator, the main one first, with what each compares.

    Parameters
    ----------
    result : RobustnessTable or None
        None where the study was refused.
    study : AdoptionStudy
        The study it is about.
    language : {"zh", "en"}
        Language.
    """
    rows = [] if result is None else [_row(row, language) for row in result.table.to_dict("records")]
    columns = (
        adoption_column("estimator", language, entry="robustness_estimator"),
        *(adoption_column(name, language) for name in ("estimate", "std_error", "interval")),
        adoption_column("comparison", language, entry="adoption_compared_with", below="base"),
        adoption_column("weights", language, entry="adoption_weights_and_error", below="error_convention"),
        adoption_column("sides", language),
        adoption_column("why_none", language, entry="adoption_why_incomplete"),
        *(
            adoption_column(name, language, entry=f"robustness_{name}", in_files_only=True)
            for name in ("base", "error_convention", *IN_FILES)
        ),
        *(adoption_column(name, language, in_files_only=True) for name in NUMBERS),
        *(adoption_column(name, language, entry=f"robustness_{name}", in_files_only=True) for name in COUNTS),
    )
    level = study.settings.event_study.confidence_level
    caption = adoption_caption(
        "adoption_robustness",
        language,
        study=study,
        interval=interval_of("adoption_interval_robustness", level, language),
        notes=() if result is None else _notes(result, language),
    )
    return table_of(caption, columns, rows, (), sentence("adoption_not_estimated", language))


@in_words_of_unit
def tabulate_two_way(found: TwoWayStudy | None, study: AdoptionStudy, language: Language) -> TableExhibit:
    """Return what the two-way regression compares with what, by kind; the files hold every comparison."""
    shown: list[dict[str, Any]] = []
    more: list[dict[str, Any]] = []
    notes: tuple[str, ...] = ()
    empty = "adoption_not_estimated"
    if found is not None and found.decomposition is None:
        empty = found.refusal
    elif found is not None and found.decomposition is not None:
        shown = [_kind(row, language) for row in found.tidy().to_dict("records")]
        more = [_comparison(row, language) for row in found.decomposition.comparisons.to_dict("records")]
        notes = (two_way_sentence(found, language),)
    columns = (
        *(adoption_column(name, language) for name in ("kind", "n_comparisons")),
        adoption_column("weight", language, kind="share"),
        adoption_column("estimate", language),
        adoption_column("cohort", language, in_files_only=True),
        adoption_column("comparison_cohort", language, in_files_only=True),
    )
    caption = adoption_caption("adoption_two_way", language, study=study, notes=notes)
    return table_of(caption, columns, shown, more, sentence(empty, language))


def two_way_sentence(found: TwoWayStudy, language: Language) -> str:
    """Return in a sentence of how many comparisons the two-way estimate is made, and how many are not valid.

    Raises
    ------
    ValueError
        If the decomposition was refused.
    """
    parts = found.decomposition
    if parts is None:
        raise ValueError(f"the two-way regression was not decomposed: {found.refusal}")
    weights = parts.comparisons.groupby("kind")["weight"].sum()
    return sentence(
        "robustness_two_way_parts",
        language,
        two_way=format_number(parts.two_way, EFFECT_DECIMALS),
        comparisons=len(parts.comparisons),
        share=format_number(PERCENT * float(weights.get(NOT_VALID, 0.0)), 1),
        schools=parts.n_units,
    )


def _row(row: Mapping[Any, Any], language: Language) -> dict[str, Any]:
    """Return one estimator with its codes in words."""
    words = {name: label(str(row[name]), language) for name in (*WORDS, "error_convention")}
    interval = range_text(row["conf_low"], row["conf_high"], language)
    p_value = p_value_text(as_float(row["p_value"]))
    if p_value and not interval:
        interval = sentence("adoption_placebo_p_text", language, p_value=p_value)
    return (
        dict(row)
        | words
        | {
            "estimator": label(str(row["estimator"]), language),
            "interval": interval,
            "sides": f"{row['n_treated']} / {row['n_units'] - row['n_treated']}",
            "assumption": sentence(str(row["assumption"]), language),
            "why_none": sentence(str(row["refusal"]), language) if row["refusal"] else "",
        }
    )


def _notes(result: RobustnessTable, language: Language) -> tuple[str, ...]:
    """Return how intervals are made, and the limits of the estimators that need a warning."""
    notes = [sentence("robustness_intervals", language)]
    for code, counts in (
        ("estimator_two_way", _wild(result, language)),
        ("estimator_matched", _matching(result, language)),
        ("estimator_synthetic", _synthetic(result, language)),
    ):
        told = sentence(f"assumes_{code.removeprefix('estimator_')}", language)
        limits = sentence(
            "adoption_estimator_limits", language, estimator=label(f"adoption_{code}", language), limits=told
        )
        notes.append(limits + ("" if language == "zh" or not counts else " ") + counts)
    return tuple(notes)


def _wild(result: RobustnessTable, language: Language) -> str:
    """Return what the wild bootstrap says of the two-way regression; empty where that was refused."""
    wild = result.wild
    if wild is None:
        return ""
    return sentence(
        "robustness_wild_bootstrap",
        language,
        clusters=wild.n_clusters,
        draws=wild.n_draws,
        percent=f"{PERCENT * wild.confidence_level:g}",
        interval=range_text(wild.conf_low, wild.conf_high, language),
        p_value=p_value_text(wild.p_value),
    )


def _matching(result: RobustnessTable, language: Language) -> str:
    """Return how many schools were matched; empty where nothing was."""
    matched = result.matched
    if not matched.n_matched:
        return ""
    return sentence(
        "robustness_matching_counts",
        language,
        matched=matched.n_matched,
        caliper=format_number(matched.caliper, CALIPER_DECIMALS),
        used=matched.n_comparison_used,
        unmatched=matched.n_unmatched,
    )


def _synthetic(result: RobustnessTable, language: Language) -> str:
    """Return which schools the synthetic estimator is about; empty where it was refused."""
    group = result.synthetic
    if group.placebos is None:
        return ""
    return sentence(
        "robustness_synthetic_counts",
        language,
        members=len(group.members),
        year=joining_year(group.cohort),
        donors=group.n_donors,
        placebos=len(group.placebos.estimates),
        p_value=p_value_text(group.p_value),
    )


def _kind(row: Mapping[Any, Any], language: Language) -> dict[str, Any]:
    return dict(row) | {"kind": label(f"robust_kind_{row['kind']}", language)}


def _comparison(row: Mapping[Any, Any], language: Language) -> dict[str, Any]:
    """Return one comparison of two cohorts."""
    never = label("adoption_never", language)
    return _kind(row, language) | {
        "n_comparisons": 1,
        "cohort": joining_year(row["cohort"]),
        "comparison_cohort": joining_year(row["comparison_cohort"]) or never,
    }
