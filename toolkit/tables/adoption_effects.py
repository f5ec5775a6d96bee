"""What joining did: average effects and effects by year since joining, as tables."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from toolkit.effects.adoption_study import AdoptionStudy, Robustness
from toolkit.effects.primary_answers import adjust_primary_answers
from toolkit.effects.study_words import in_words_of_unit, p_value_text
from toolkit.standards import Standard
from toolkit.tables.adoption_texts import (
    adoption_caption,
    adoption_column,
    interval_words,
    not_applicable,
    outcome_name,
    range_text,
    ranges,
    studies_counted,
    study_columns,
    study_key,
)
from toolkit.tables.exhibit import TableExhibit, vocabulary_column
from toolkit.vocabulary import Language, format_number, label, sentence

RATIO_DECIMALS = 2
IN_FILES = (
    "std_error",
    "degrees",
    "conf_low",
    "conf_high",
    "p_value",
    "adjusted_p_value",
    "placebo_p_value",
    "breakdown_ratio",
    "trend_slope",
    "trend_bias",
)


@in_words_of_unit
def tabulate_effects(
    studies: Sequence[AdoptionStudy], standard: Standard, language: Language, *, programme: str
) -> TableExhibit:
    """Return the answer of every study: schools, average effect, printed interval, and what it can tell.

    Parameters
    ----------
    studies : sequence of AdoptionStudy
        All studies of one outcome; refused ones are shown as such.
    standard : Standard
        Names the indicators, where one is the outcome.
    language : {"zh", "en"}
        Language.
    programme : str
        Code of the programme.
    """
    rows = [
        study.tidy().iloc[0].to_dict()
        | study_key(study)
        | _answer(study, language)
        | _trend_not_seen(study)
        | {"adjusted_p": p_value_text(adjusted), "adjusted_p_value": adjusted}
        for study, adjusted in zip(studies, adjust_primary_answers(studies), strict=True)
    ]
    sizes = ("n_adopters", "n_groups", "n_comparison")
    shown = ("p", "adjusted_p", "detectable", "placebo_p", "breakdown")
    names = ["stage", "role", *sizes, "effect", "interval", "method", *shown, *IN_FILES]
    data = pd.DataFrame(rows, columns=names)
    columns = (
        vocabulary_column("stage", language, kind="code", below="role"),
        vocabulary_column("role", language, kind="code", in_files_only=True),
        *(adoption_column(name, language) for name in (*sizes, "effect")),
        adoption_column("interval", language, below="method"),
        adoption_column("method", language, in_files_only=True),
        *(adoption_column(name, language) for name in shown),
        *(adoption_column(name, language, in_files_only=True) for name in IN_FILES),
    )
    by_school = all(study.sample.rules.weighting == "school" for study in studies)
    unit = "adoption_note_unit_sd_schools" if by_school and studies else "adoption_note_unit_sd"
    notes = (unit, "adoption_note_adjusted", "adoption_note_detectable", "adoption_note_breakdown")
    outcomes = list(dict.fromkeys(study.sample.outcome for study in studies))
    is_achievement = outcomes == ["achievement"]
    caption = adoption_caption(
        "adoption_effects",
        language,
        n=studies_counted(studies, language),
        interval=interval_words("adoption_interval_printed", studies, language),
        notes=tuple(sentence(name, language) for name in notes[0 if is_achievement else 1 :]),
        programme=label(programme, language),
        outcome=label("list_separator", language).join(
            outcome_name(name, standard, language) for name in outcomes
        ),
    )
    return TableExhibit(
        caption,
        columns,
        data,
        marks=not_applicable(data, ("effect", "detectable", *IN_FILES)),
        empty_text=sentence("adoption_no_studies", language),
    )


@in_words_of_unit
def tabulate_event_study(studies: Sequence[AdoptionStudy], language: Language) -> TableExhibit:
    """Return the effects by year since joining of every estimated study; the base year is marked."""
    hidden = ("conf_low", "conf_high", "band_low", "band_high")
    columns = (
        *study_columns(language),
        adoption_column("event_time", language),
        adoption_column("year_kind", language, kind="code"),
        *(
            adoption_column(name, language)
            for name in ("effect", "std_error", "pointwise", "band", "n_cohorts")
        ),
        *(adoption_column(name, language, in_files_only=True) for name in hidden),
    )
    estimated = [study for study in studies if study.event_study is not None]
    parts = [_event_rows(study, language) for study in estimated]
    names = [column.name for column in columns]
    data = pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)
    caption = adoption_caption(
        "adoption_event_study",
        language,
        n=studies_counted(studies, language),
        interval=interval_words("adoption_interval_event_study", estimated, language),
    )
    return TableExhibit(
        caption,
        columns,
        data,
        marks=not_applicable(data, ("std_error", *hidden)),
        empty_text=sentence("adoption_no_studies", language),
    )


def _answer(study: AdoptionStudy, language: Language) -> dict[str, Any]:
    """Return the cells of one study that are words."""
    printed, bounds = study.interval, study.robustness
    if printed is None:
        refused = label("refused", language)
        return {"interval": refused, "method": "", "p": "", "placebo_p": "", "breakdown": ""}
    given = range_text(printed.conf_low, printed.conf_high, language)
    method = label(f"adoption_interval_{printed.choice.interval}", language)
    return {
        "interval": given or method,
        "method": method if given else sentence(f"adoption_reason_{printed.choice.reason}", language),
        "p": p_value_text(printed.p_value),
        "placebo_p": _placebo_text(bounds, language),
        "breakdown": _breakdown_text(bounds, language),
    }


def _trend_not_seen(study: AdoptionStudy) -> dict[str, float]:
    """Return the difference in trends that the test of the years before finds half the time, and its bias."""
    if study.robustness is None:
        return {"trend_slope": np.nan, "trend_bias": np.nan}
    trend = study.robustness.detectable_trend
    return {"trend_slope": trend.slope, "trend_bias": trend.bias}


def _placebo_text(bounds: Robustness | None, language: Language) -> str:
    """Return the p-value of the years before joining, or that there is none."""
    if bounds is None or bounds.placebo.refusal:
        return label("adoption_no_bound", language)
    return p_value_text(bounds.placebo.p_value)


def _breakdown_text(bounds: Robustness | None, language: Language) -> str:
    """Return the breakdown ratio, or that there is none."""
    if bounds is None or bounds.breakdown_ratio.refusal:
        return label("adoption_no_bound", language)
    value = bounds.breakdown_ratio.value
    if np.isinf(value):
        return sentence("adoption_breakdown_infinite", language)
    return format_number(value, RATIO_DECIMALS)


def _event_rows(study: AdoptionStudy, language: Language) -> pd.DataFrame:
    """Return the years of one study."""
    if study.event_study is None:
        raise ValueError("the design was refused: it has no event study")
    table = study.event_study.table
    return table.assign(
        **study_key(study),
        year_kind=[
            "adoption_year_base" if base else f"adoption_year_{_kind(time, study)}"
            for time, base in zip(table["event_time"], table["is_base"], strict=True)
        ],
        std_error=table["std_error"].mask(table["is_base"]),
        pointwise=ranges(table, "conf_low", "conf_high", language),
        band=ranges(table, "band_low", "band_high", language),
    )


def _kind(event_time: int, study: AdoptionStudy) -> str:
    if event_time >= 0:
        return "since"
    return "anticipation" if event_time >= -study.settings.event_study.anticipation else "before"
