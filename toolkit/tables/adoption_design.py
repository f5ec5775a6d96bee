"""What a design can identify, which interval is printed and why, and bounds if trends differ, as tables."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from toolkit.effects.adoption_study import AdoptionStudy, Robustness
from toolkit.effects.guard import guard_sentence
from toolkit.effects.study_words import in_words_of_unit, p_value_text, study_name
from toolkit.inference.honest_study import Breakdown, HonestInterval
from toolkit.tables.adoption_texts import (
    adoption_caption,
    adoption_column,
    interval_words,
    not_applicable,
    range_text,
    ranges,
    studies_counted,
    study_columns,
    study_key,
)
from toolkit.tables.exhibit import PERCENT, TableExhibit
from toolkit.vocabulary import Language, format_number, label, sentence

COUNTS = ("treated", "comparison", "effective_treated", "effective", "assignments")
NUMBERS = ("conf_low", "conf_high", "p_value")
BOUND_COLUMNS = [
    "stage",
    "role",
    "restriction",
    "bound",
    "estimate",
    "interval",
    "conf_low",
    "conf_high",
    "why_none",
]


@in_words_of_unit
def tabulate_design(studies: Sequence[AdoptionStudy], language: Language) -> TableExhibit:
    """Return what the guard found about every study, one row per finding."""
    rows = []
    for study in studies:
        own = study_key(study)
        for finding in study.guard.findings:
            told = guard_sentence(finding, language)
            rows.append(own | {"verdict": finding.severity, "finding": told, "code": finding.code})
        if not study.guard.findings:
            told = sentence("adoption_design_sound", language)
            rows.append(own | {"verdict": "adoption_sound", "finding": told, "code": ""})
    columns = (
        *study_columns(language),
        adoption_column("verdict", language, kind="code"),
        adoption_column("finding", language),
        adoption_column("code", language, in_files_only=True),
    )
    data = pd.DataFrame(rows, columns=[column.name for column in columns])
    caption = adoption_caption("adoption_design", language, n=studies_counted(studies, language))
    return TableExhibit(caption, columns, data, empty_text=sentence("adoption_no_studies", language))


@in_words_of_unit
def tabulate_intervals(studies: Sequence[AdoptionStudy], language: Language) -> TableExhibit:
    """Return every interval that could be computed, which one is printed, and the counts it was chosen by."""
    estimated = [study for study in studies if study.interval is not None]
    parts = [_interval_rows(study, language) for study in estimated]
    columns = (
        *study_columns(language),
        adoption_column("method", language, kind="code"),
        adoption_column("is_printed", language, kind="flag"),
        adoption_column("interval", language),
        adoption_column("p", language),
        adoption_column("reason", language, in_files_only=True),
        adoption_column("treated", language, in_files_only=True),
        adoption_column("comparison", language, entry="adoption_comparison_clusters", in_files_only=True),
        *(adoption_column(name, language, in_files_only=True) for name in (*COUNTS[2:], *NUMBERS)),
    )
    data = (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=[column.name for column in columns])
    )
    caption = adoption_caption(
        "adoption_intervals",
        language,
        n=studies_counted(studies, language),
        notes=tuple(_clusters(study, language) for study in estimated),
        interval=interval_words("adoption_interval_printed", estimated, language),
    )
    marks = not_applicable(data, (*COUNTS[2:], *NUMBERS))
    return TableExhibit(
        caption, columns, data, marks=marks, empty_text=sentence("adoption_no_studies", language)
    )


@in_words_of_unit
def tabulate_bounds(studies: Sequence[AdoptionStudy], language: Language) -> TableExhibit:
    """Return intervals that allow for differences in trends, or why there are none.

    Bounds refused for one reason share a row. The tests of the years before stand in the notes.
    """
    estimated = [study for study in studies if not study.is_refused]
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    for study in estimated:
        own = study_key(study)
        bounds = study.robustness
        if bounds is None:
            rows.append(own | {"why_none": sentence("adoption_years_have_gaps", language)})
            continue
        rows += [own | row for row in _bound_rows(bounds, language)]
        notes.append(_told_before(study, bounds, language))
    data = pd.DataFrame(rows, columns=BOUND_COLUMNS)
    texts = ["restriction", "bound", "interval", "why_none"]
    data[texts] = data[texts].fillna("")
    hidden = ("conf_low", "conf_high")
    columns = (
        *study_columns(language),
        *(adoption_column(name, language, in_files_only=name in hidden) for name in BOUND_COLUMNS[2:]),
    )
    caption = adoption_caption(
        "adoption_bounds",
        language,
        n=studies_counted(studies, language),
        notes=tuple(notes),
        interval=interval_words("adoption_interval_bounds", estimated, language),
    )
    return TableExhibit(
        caption,
        columns,
        data,
        marks=not_applicable(data, ("estimate", *hidden)),
        empty_text=sentence("adoption_no_studies", language),
    )


def bound_refusal(code: str, language: Language) -> str:
    """Return why there are no bounds; empty for no reason."""
    return sentence(f"adoption_bound_{code}", language) if code else ""


def _interval_rows(study: AdoptionStudy, language: Language) -> pd.DataFrame:
    """Return one row per method, and one that says so where none is printed."""
    printed = study.interval
    if printed is None:
        raise ValueError("the design was refused: it has no interval")
    methods = printed.methods
    if printed.choice.interval == "none":
        blank = {
            "interval": "none",
            "conf_low": np.nan,
            "conf_high": np.nan,
            "p_value": np.nan,
            "is_printed": True,
        }
        methods = pd.concat([methods, pd.DataFrame([blank])], ignore_index=True)
    why = sentence(f"adoption_reason_{printed.choice.reason}", language)
    texts = ranges(methods, "conf_low", "conf_high", language)
    # A permutation with few assignments may rule nothing out; files hold no infinite number.
    methods = methods.replace({"conf_low": [-np.inf], "conf_high": [np.inf]}, np.nan)
    return methods.assign(
        **study_key(study),
        method="adoption_interval_" + methods["interval"],
        interval=texts,
        p=[p_value_text(value) for value in methods["p_value"]],
        reason=[why if chosen else "" for chosen in methods["is_printed"]],
        **{name: getattr(printed.counts, name) for name in COUNTS},
    )


def _clusters(study: AdoptionStudy, language: Language) -> str:
    """Return the numbers by which the interval of a study was chosen, and the reason."""
    if study.interval is None:
        raise ValueError("the design was refused: it has no interval")
    counts = study.interval.counts
    return sentence(
        "adoption_study_clusters",
        language,
        study=study_name(study, language),
        treated=counts.treated,
        comparison=counts.comparison,
        effective_treated=format_number(counts.effective_treated, 1),
        effective=format_number(counts.effective, 1),
        assignments=format_number(counts.assignments, 0),
        reason=sentence(f"adoption_reason_{study.interval.choice.reason}", language),
    )


def _bound_rows(bounds: Robustness, language: Language) -> list[dict[str, Any]]:
    """Return the rows of one study: intervals by bound, refusals together, and the breakdown values."""
    rows = []
    breakdowns = {one.restriction: one for one in (bounds.breakdown_ratio, bounds.breakdown_curvature)}
    for restriction, found in groupby(bounds.intervals, key=lambda one: one.restriction):
        words = {"restriction": label(f"adoption_{restriction}", language)}
        intervals = list(found)
        given = [one for one in intervals if not one.refusal]
        rows += [words | _bound_row(one, language) for one in given]
        for refusal in dict.fromkeys(one.refusal for one in intervals if one.refusal):
            same = [f"{one.bound:g}" for one in intervals if one.refusal == refusal]
            together = label("list_separator", language).join(same)
            rows.append(words | {"bound": together, "why_none": bound_refusal(refusal, language)})
        if given:
            rows.append(words | {"bound": _breakdown_text(breakdowns[restriction], language)})
    return rows


def _bound_row(one: HonestInterval, language: Language) -> dict[str, Any]:
    return {
        "bound": f"{one.bound:g}",
        "estimate": one.estimate,
        "interval": range_text(one.conf_low, one.conf_high, language),
        "conf_low": one.conf_low,
        "conf_high": one.conf_high,
    }


def _breakdown_text(breakdown: Breakdown, language: Language) -> str:
    """Return from which bound on an interval contains zero."""
    value = (
        bound_refusal(breakdown.refusal, language)
        if breakdown.refusal
        else sentence("adoption_breakdown_infinite", language)
        if np.isinf(breakdown.value)
        else format_number(breakdown.value, 2)
    )
    return sentence("adoption_breakdown_row", language, value=value)


def _told_before(study: AdoptionStudy, bounds: Robustness, language: Language) -> str:
    """Return what the years before joining say about parallel trends, and how much they could have said."""
    test, trend = bounds.placebo, bounds.detectable_trend
    name = study_name(study, language)
    refusal = test.refusal or trend.refusal
    if refusal:
        return sentence(
            "adoption_study_pretrend_refused", language, study=name, reason=bound_refusal(refusal, language)
        )
    return sentence(
        "adoption_study_pretrend",
        language,
        study=name,
        statistic=format_number(test.statistic, 2),
        degrees=format_number(test.degrees, 0),
        denominator=format_number(test.denominator_degrees, 1),
        p_value=p_value_text(test.p_value),
        slope=format_number(trend.slope, 3),
        percent=format_number(PERCENT * trend.power, 0),
        bias=format_number(trend.bias_if_undetected, 3),
    )
