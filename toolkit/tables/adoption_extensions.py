"""Which schools gained, and what joining did to schools near: subgroups and neighbours, as tables."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.extension_words import division_name, shown_divisions, subgroup_name
from toolkit.effects.group_extensions import Divisions
from toolkit.effects.guard import GuardFinding, guard_sentence
from toolkit.effects.heterogeneity import Heterogeneity
from toolkit.effects.joint_effects import ESTIMATE_COLUMNS, EqualityTest
from toolkit.effects.spillover import NeighbourSensitivity, Spillover
from toolkit.effects.study_words import in_words_of_unit, p_value_text
from toolkit.exhibits import Caption
from toolkit.tables.adoption_texts import (
    adoption_caption,
    adoption_column,
    interval_of,
    interval_words,
    not_applicable,
    range_text,
    refusal_words,
    study_columns,
    study_key,
)
from toolkit.tables.exhibit import TableColumn, TableExhibit, as_float, vocabulary_column
from toolkit.vocabulary import Language, format_number, label, sentence

ESTIMATE_NUMBERS = ("std_error", "degrees", "conf_low", "conf_high", "p_value", "adjusted_p_value")
ONLY_WHERE_NEEDED = ("why_none", "remark", "equality")
STATISTIC_DECIMALS = 2
DEGREES_DECIMALS = 1


@in_words_of_unit
def tabulate_divisions(found: Divisions, study: AdoptionStudy, language: Language) -> TableExhibit:
    """Return the average effect by subgroup under every division of the schools that joined."""
    found = shown_divisions(found, study)
    rows = [
        estimate_cells(row, language)
        | {
            "division": division_name(one, language),
            "subgroup": subgroup_name(one.by, str(row["subgroup"]), language),
            "remark": _remark(row, language),
        }
        for one in found.divisions
        for row in one.table.to_dict("records")
    ]
    columns = (
        *(adoption_column(name, language) for name in ("division", "subgroup", "n_schools")),
        adoption_column("n_clusters", language, entry="adoption_n_groups"),
        *(adoption_column(name, language) for name in ("effect", "interval")),
        *(adoption_column(name, language) for name in ("adjusted_p", "detectable", "remark")),
        *number_columns(language),
    )
    notes = [sentence("note_subgroups_not_causes", language)]
    if any(one.is_descriptive for one in found.divisions):
        notes.append(sentence("note_dose_descriptive", language))
    held = sum(one.n_with_base_year for one in found.divisions)
    if held:
        notes.append(sentence("note_prior_level_base", language, affected=held))
    caption = _caption("adoption_divisions", study, language, notes=tuple(notes))
    return _of_study(caption, columns, rows, study)


@in_words_of_unit
def tabulate_differences(found: Divisions, study: AdoptionStudy, language: Language) -> TableExhibit:
    """Return differences between subgroups, adjusted for all divisions, and tests of equality."""
    found = shown_divisions(found, study)
    rows = [row for one in found.divisions for row in _difference_rows(one, found.differences, language)]
    columns = (
        *(adoption_column(name, language) for name in ("division", "pair")),
        adoption_column("effect", language, entry="adoption_effect_difference"),
        *(adoption_column(name, language) for name in ("interval", "p", "adjusted_p")),
        *(adoption_column(name, language) for name in ("equality", "why_none")),
        *number_columns(language),
    )
    return _of_study(_caption("adoption_differences", study, language), columns, rows, study)


@in_words_of_unit
def tabulate_spillover(found: Sequence[Spillover], design: AdoptionStudy, language: Language) -> TableExhibit:
    """Return the effect on untreated schools near adopters; the files hold it by year, too.

    Parameters
    ----------
    found : sequence of Spillover
        By stage and meaning of near.
    design : AdoptionStudy
        A study of the same design, for the level of the intervals.
    language : {"zh", "en"}
        Language.
    """
    averages = [_spillover_row(one, language) for one in found]
    years = [
        _spillover_key(one, language) | estimate_cells(row, language) | {"since": since_text(row, language)}
        for one in found
        for row in one.table.to_dict("records")
    ]
    counts = ("n_near", "n_not_near", "n_unusable")
    columns = (
        adoption_column("nearness", language),
        vocabulary_column("stage", language, kind="code"),
        adoption_column("near_and_not", language),
        *(adoption_column(name, language, in_files_only=True) for name in ("since", *counts)),
        adoption_column("effect", language, entry="adoption_spillover_effect"),
        *(adoption_column(name, language) for name in ("interval", "p", "why_none")),
        *number_columns(language, adjusted=False),
    )
    caption = adoption_caption(
        "adoption_spillover",
        language,
        interval=interval_words("adoption_interval_t", [design], language),
        notes=(sentence("note_no_feeder_schools", language),),
    )
    return table_of(caption, columns, averages, years, sentence("adoption_no_studies", language))


@in_words_of_unit
def tabulate_neighbours(
    found: Sequence[NeighbourSensitivity | None], studies: Sequence[AdoptionStudy], language: Language
) -> TableExhibit:
    """Return the average effects with and without neighbours of adopters among the comparison schools."""
    rows: list[dict[str, Any]] = []
    for one, study in zip(found, studies, strict=True):
        if one is None:
            continue
        rows += [
            study_key(study)
            | estimate_cells(row, language)
            | {"comparison_sample": label(str(row["sample"]), language)}
            for row in one.table.to_dict("records")
        ]
        if one.refusals:
            why = {"comparison_sample": label("comparison_without_neighbours", language)}
            rows.append(study_key(study) | why | {"why_none": reasons(one.refusals, language)})
    columns = (
        *study_columns(language),
        adoption_column("comparison_sample", language),
        *(adoption_column(name, language) for name in ("n_adopters", "n_comparison", "effect")),
        *(adoption_column(name, language) for name in ("interval", "p", "why_none")),
        *number_columns(language, adjusted=False),
    )
    caption = adoption_caption(
        "adoption_neighbours",
        language,
        interval=interval_words("adoption_interval_t", studies, language),
    )
    return table_of(caption, columns, rows, (), sentence("adoption_no_studies", language))


def estimate_cells(row: Mapping[Any, Any], language: Language) -> dict[str, Any]:
    """Return the cells of one estimate: its columns, interval and p-values in words."""
    p_value, adjusted = (as_float(row.get(name, np.nan)) for name in ("p_value", "p_adjusted"))
    return dict(row) | {
        "interval": range_text(row["conf_low"], row["conf_high"], language),
        "p": p_value_text(p_value),
        "adjusted_p": p_value_text(adjusted),
        "adjusted_p_value": adjusted,
    }


def number_columns(language: Language, *, adjusted: bool = True) -> tuple[TableColumn, ...]:
    """Return the columns of an estimate that only the files hold."""
    names = ESTIMATE_NUMBERS if adjusted else ESTIMATE_NUMBERS[:-1]
    return tuple(adoption_column(name, language, in_files_only=True) for name in names)


def table_of(
    caption: Caption,
    columns: tuple[TableColumn, ...],
    shown: Sequence[Mapping[str, Any]],
    in_files: Sequence[Mapping[str, Any]],
    empty_text: str,
) -> TableExhibit:
    """Return a table whose page shows the first rows and whose files hold all; absent texts are empty."""
    numbers = [column.name for column in columns if column.is_numeric]
    names = [column.name for column in columns]
    texts = [name for name in names if name not in numbers]
    data = pd.DataFrame([*shown, *in_files]).reindex(columns=names)
    data = data.astype(dict.fromkeys(numbers, float) | dict.fromkeys(texts, object))
    data = data.fillna(dict.fromkeys(texts, ""))
    needless = {name for name in ONLY_WHERE_NEEDED if name in names and data[name].eq("").all()}
    columns = tuple(
        replace(column, in_files_only=True) if column.name in needless else column for column in columns
    )
    return TableExhibit(
        caption,
        columns,
        data,
        marks=not_applicable(data, numbers),
        rows_shown=len(shown) if in_files else 0,
        empty_text=empty_text,
    )


def reasons(refusals: Iterable[GuardFinding], language: Language) -> str:
    """Return why there is no estimate, in whole sentences."""
    return ("" if language == "zh" else " ").join(guard_sentence(one, language) for one in refusals)


def since_text(row: Mapping[Any, Any], language: Language) -> str:
    """Return the year since joining of a row, or that it is the average."""
    time = as_float(row.get("event_time", np.nan))
    if np.isnan(time):
        return label("adoption_average_of_years", language)
    return f"{time:+.0f}" if time else "0"


def _of_study(
    caption: Caption,
    columns: tuple[TableColumn, ...],
    rows: Sequence[Mapping[str, Any]],
    study: AdoptionStudy,
) -> TableExhibit:
    """Return a table of rows with intervals in words; without rows it says why."""
    none = "adoption_not_estimated" if study.is_refused else "adoption_nothing_found"
    return table_of(caption, columns, rows, (), sentence(none, caption.language))


def _caption(key: str, study: AdoptionStudy, language: Language, *, notes: tuple[str, ...] = ()) -> Caption:
    level = study.settings.event_study.confidence_level
    interval = interval_of("adoption_interval_t", level, language)
    return adoption_caption(key, language, study=study, interval=interval, notes=notes)


def _remark(row: Mapping[Any, Any], language: Language) -> str:
    """Return why a subgroup has no effect, or why its interval needs care."""
    if row["refusal"]:
        return refusal_words([row["refusal"]], language)[0]
    return label("adoption_caution_few_clusters", language) if row["caution"] else ""


def _difference_rows(
    one: Heterogeneity, differences: pd.DataFrame, language: Language
) -> list[dict[str, Any]]:
    """Return the pairs of one division; a division with fewer than two effects says so."""
    division = {"division": division_name(one, language)}
    own = differences[differences["by"] == one.by]
    if own.empty:
        why = one.equality.refusal or "equality_one_effect"
        blank = dict.fromkeys(("interval", "p", "adjusted_p"), "")
        return [division | blank | {"why_none": label(why, language)}]
    # With two subgroups the test of their difference is the test of equality.
    equality = _equality(one.equality, language) if len(own) > 1 else ""
    rows = []
    for row in own.to_dict("records"):
        first, second = (
            subgroup_name(one.by, str(row[name]), language) for name in ("subgroup", "other_subgroup")
        )
        pair = sentence("adoption_pair", language, first=first, second=second)
        rows.append(division | estimate_cells(row, language) | {"pair": pair, "equality": equality})
    return rows


def _equality(test: EqualityTest, language: Language) -> str:
    """Return the joint test of a division in words."""
    if test.refusal:
        return label(test.refusal, language)
    return sentence(
        "adoption_equality",
        language,
        statistic=format_number(test.statistic, STATISTIC_DECIMALS),
        degrees=format_number(test.degrees, 0),
        denominator=format_number(test.denominator_degrees, DEGREES_DECIMALS),
        p_value=p_value_text(test.p_value),
    )


def _spillover_key(one: Spillover, language: Language) -> dict[str, Any]:
    distance = format_number(one.distance_km, 0 if one.distance_km.is_integer() else 1)
    nearness = sentence(f"adoption_near_{one.nearness}", language, distance=distance)
    return {"stage": one.sample.stage, "nearness": nearness}


def _spillover_row(one: Spillover, language: Language) -> dict[str, Any]:
    """Return the average over the years since the first adoption near, or why there is none."""
    average = one.average.iloc[0][ESTIMATE_COLUMNS].to_dict()
    counts: dict[str, Any] = {f"n_{name}": count for name, count in one.counts.items()}
    counts["near_and_not"] = f"{counts['n_near']} / {counts['n_not_near']}"
    row = _spillover_key(one, language) | estimate_cells(average, language) | counts
    return row | {
        "since": since_text({}, language),
        "why_none": reasons(one.refusals, language),
    }
