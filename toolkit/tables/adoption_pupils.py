"""What joining did to pupils who were there before, and to who enters, as tables."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.extension_words import intake_decimals, intake_name, intake_text, intake_values
from toolkit.effects.group_extensions import StageIntake
from toolkit.effects.legacy import LegacyEffect
from toolkit.effects.study_words import in_words_of_unit, p_value_text
from toolkit.tables.adoption_extensions import estimate_cells, number_columns, reasons, since_text, table_of
from toolkit.tables.adoption_texts import (
    adoption_caption,
    adoption_column,
    interval_words,
    range_text,
    refusal_words,
    study_columns,
    study_key,
)
from toolkit.tables.exhibit import TableExhibit, as_float, is_missing, vocabulary_column
from toolkit.vocabulary import Language, format_number, label, sentence

IN_PRINTED_UNIT = ("effect", "conf_low", "conf_high", "detectable")


@in_words_of_unit
def tabulate_legacy(
    found: Sequence[LegacyEffect | None], studies: Sequence[AdoptionStudy], language: Language
) -> TableExhibit:
    """Return effects on all pupils and on those there before; the files hold years and grades, too."""
    known = [(study_key(study), one) for one, study in zip(found, studies, strict=True) if one is not None]
    shown = [row for key, one in known for row in _legacy_averages(key, one, language)]
    more = [
        key | _legacy_row(row, language)
        for key, one in known
        for table in (one.table, one.followed)
        for row in table[table["event_time"].notna()].to_dict("records")
    ]
    more += [key | _cell_row(row, language) for key, one in known for row in one.cells.to_dict("records")]
    columns = (
        *study_columns(language),
        *(adoption_column(name, language) for name in ("pupils", "n_cells")),
        *(adoption_column(name, language) for name in ("effect", "interval", "p", "why_none")),
        *(adoption_column(name, language, in_files_only=True) for name in ("since", "grade", "n_schools")),
        *number_columns(language, adjusted=False),
    )
    caption = adoption_caption(
        "adoption_legacy",
        language,
        interval=interval_words("adoption_interval_t", studies, language),
        notes=(sentence("note_legacy_grades_differ", language),),
    )
    return table_of(caption, columns, shown, more, sentence("adoption_no_legacy", language))


@in_words_of_unit
def tabulate_intake(found: Sequence[StageIntake], design: AdoptionStudy, language: Language) -> TableExhibit:
    """Return effects on intake and enrolment, averages first; the files hold them by year, too.

    Parameters
    ----------
    found : sequence of StageIntake
        By stage.
    design : AdoptionStudy
        A study of the same design, for the level of the intervals.
    language : {"zh", "en"}
        Language.
    """
    rows = [_intake_row(one, row, language) for one in found for row in one.effects.table.to_dict("records")]
    shown = [row for row in rows if is_missing(row["event_time"])]
    more = [row for row in rows if not is_missing(row["event_time"])]
    texts = ("sides", "before_mean", "effect", "interval", "detectable", "adjusted_p", "placebo_p")
    numbers = ("before_mean_value", "effect_value", "conf_low", "conf_high", "detectable_value")
    columns = (
        adoption_column("outcome", language),
        vocabulary_column("stage", language, kind="code"),
        *(adoption_column(name, language, kind="text") for name in texts),
        adoption_column("why_none", language),
        adoption_column("since", language, in_files_only=True),
        *(adoption_column(name, language, in_files_only=True) for name in numbers),
        adoption_column("std_error", language, entry="adoption_intake_std_error", in_files_only=True),
        *(adoption_column(name, language, in_files_only=True) for name in ("p_value", "adjusted_p_value")),
    )
    caption = adoption_caption(
        "adoption_intake",
        language,
        interval=interval_words("adoption_interval_t", [design], language),
        notes=(sentence("adoption_note_detectable", language),),
    )
    return table_of(caption, columns, shown, more, sentence("adoption_no_studies", language))


def _legacy_averages(key: Mapping[str, Any], one: LegacyEffect, language: Language) -> list[dict[str, Any]]:
    """Return the averages of one study, and why there is none."""
    rows = []
    for table, refusals, pupils in (
        (one.table, one.refusals, "effect_legacy"),
        (one.followed, one.followed_refusals, "effect_seen_before"),
    ):
        averages = table[table["event_time"].isna()].to_dict("records")
        rows += [dict(key) | _legacy_row(row, language) for row in averages]
        if refusals:
            why = {"pupils": label(pupils, language), "why_none": reasons(refusals, language)}
            rows.append(dict(key) | why | {"since": since_text({}, language)})
    return rows


def _legacy_row(row: Mapping[Any, Any], language: Language) -> dict[str, Any]:
    words = {"pupils": label(str(row["estimate"]), language), "since": since_text(row, language)}
    return estimate_cells(row, language) | words


def _cell_row(row: Mapping[Any, Any], language: Language) -> dict[str, Any]:
    """Return one grade and year since joining."""
    pupils = label("adoption_legacy_grade" if row["is_legacy"] else "adoption_other_grade", language)
    cells = {"effect": row["effect"], "grade": row["grade"], "n_schools": row["n_schools"]}
    return cells | {"pupils": pupils, "since": since_text(row, language), "n_cells": row["n_cohorts"]}


def _intake_row(one: StageIntake, row: Mapping[Any, Any], language: Language) -> dict[str, Any]:
    """Return one outcome and year in the unit and decimals it is printed in."""
    outcome = str(row["outcome"])
    values = {name: as_float(intake_values(outcome, row[name])) for name in IN_PRINTED_UNIT}
    decimals = intake_decimals(outcome)
    is_average = is_missing(row["event_time"])
    return estimate_cells(row, language) | {
        "stage": one.stage,
        "outcome": intake_name(outcome, language),
        "since": since_text(row, language),
        "sides": f"{row['n_adopters']:.0f} / {row['n_comparison']:.0f}",
        "before_mean": _before(outcome, row["baseline_mean"]),
        "before_mean_value": _natural(outcome, row["baseline_mean"]),
        "effect": intake_text(outcome, row["effect"]),
        "effect_value": values["effect"],
        "conf_low": values["conf_low"],
        "conf_high": values["conf_high"],
        "interval": range_text(values["conf_low"], values["conf_high"], language, decimals=decimals),
        "detectable": "" if np.isnan(values["detectable"]) else format_number(values["detectable"], decimals),
        "detectable_value": values["detectable"],
        "placebo_p": _trend(one, outcome, language) if is_average else "",
        "why_none": refusal_words([row["refusal"]], language)[0],
    }


def _trend(one: StageIntake, outcome: str, language: Language) -> str:
    """Return the p-value of the years before the base year, or that they cannot be tested."""
    if outcome not in one.trends_before:
        return ""
    return p_value_text(one.trends_before[outcome]) or label("adoption_trend_untested", language)


def _natural(outcome: str, value: float) -> float:
    """Return a mean in pupils, percent or standard deviations; of logarithms the geometric mean."""
    if outcome.startswith("log_"):
        return float(np.exp(value))
    return as_float(intake_values(outcome, value))


def _before(outcome: str, value: float) -> str:
    if np.isnan(value):
        return ""
    decimals = 0 if outcome.startswith("log_") else intake_decimals(outcome)
    return format_number(_natural(outcome, value), decimals)
