"""Captions, columns and numbers in words that the tables of group schooling share."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.study_words import (
    outcome_name as outcome_name,
)
from toolkit.effects.study_words import (
    outcome_scale as outcome_scale,
)
from toolkit.effects.study_words import (
    role_code,
    schools_of,
    study_name,
)
from toolkit.exhibits import Caption, exhibit_caption
from toolkit.tables.exhibit import (
    PERCENT,
    CellMark,
    ColumnKind,
    TableColumn,
    as_float,
    is_missing,
    vocabulary_column,
)
from toolkit.tables.variation import school_year
from toolkit.vocabulary import Language, format_number, label, sentence

PREFIX = "adoption_"
EFFECT_DECIMALS = 3


def adoption_caption(
    key: str,
    language: Language,
    *,
    interval: str = "",
    study: AdoptionStudy | None = None,
    own_key: bool = False,
    n: str = "",
    notes: tuple[str, ...] = (),
    **values: Any,
) -> Caption:
    """Return the caption of an exhibit of group schooling.

    Parameters
    ----------
    key, language, n, notes
        As in `exhibit_caption`.
    interval : str
        Kind of the intervals.
    study : AdoptionStudy, optional
        The one study it is about: its name is a placeholder of the title, and its schools are the sample.
    own_key : bool
        Whether stage and role of the study are part of the key.
    **values
        Further placeholders.
    """
    if study is not None:
        values["study"] = study_name(study, language)
        n = n or schools_of(study.sample, language)
    caption = exhibit_caption(key, language, n=n, notes=notes, **values)
    if study is not None and own_key:
        caption = replace(caption, key=f"{key}_{study.sample.stage}_{study.sample.rules.role}")
    return replace(caption, interval=interval, source=sentence("source_adoption", language))


def adoption_column(
    name: str,
    language: Language,
    *,
    kind: ColumnKind | None = None,
    entry: str = "",
    in_files_only: bool = False,
    below: str = "",
) -> TableColumn:
    """Return a column labelled by the entry of its name in this part of the vocabulary."""
    column = vocabulary_column(
        entry or PREFIX + name, language, kind=kind, in_files_only=in_files_only, below=below
    )
    return replace(column, name=name)


def study_key(study: AdoptionStudy) -> dict[str, str]:
    """Return the cells that say which study a row is about."""
    return {"stage": study.sample.stage, "role": role_code(study.sample.rules)}


def study_columns(language: Language) -> tuple[TableColumn, ...]:
    """Return the columns that say which study a row is about."""
    return (
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("role", language, kind="code"),
    )


def studies_counted(studies: Sequence[AdoptionStudy], language: Language) -> str:
    """Return in words how many studies there are, and how many were estimated."""
    estimated = sum(not study.is_refused for study in studies)
    return sentence("adoption_n_studies", language, count=len(studies), estimated=estimated)


def interval_words(name: str, studies: Sequence[AdoptionStudy], language: Language) -> str:
    """Return the kind of the intervals of some studies; empty without any."""
    levels = {study.settings.event_study.confidence_level for study in studies}
    percents = "/".join(format_number(PERCENT * level, 0) for level in sorted(levels))
    return sentence(name, language, percent=percents) if levels else ""


def interval_of(name: str, confidence_level: float, language: Language) -> str:
    """Return the kind of intervals of one level."""
    return sentence(name, language, percent=format_number(PERCENT * confidence_level, 0))


def range_text(
    low: object, high: object, language: Language, *, decimals: int = EFFECT_DECIMALS, factor: float = 1.0
) -> str:
    """Return an interval as it is printed; empty when a limit is missing."""
    if is_missing(low) or is_missing(high):
        return ""
    limits = [format_number(factor * as_float(value), decimals) for value in (low, high)]
    return sentence("adoption_range", language, low=limits[0], high=limits[1])


def ranges(data: pd.DataFrame, low: str, high: str, language: Language) -> list[str]:
    """Return the intervals of a table as they are printed."""
    return [range_text(*limits, language) for limits in zip(data[low], data[high], strict=True)]


def joining_year(year: object) -> str:
    """Return the school year of first joining; empty if it never happened."""
    return "" if is_missing(year) else school_year(int(as_float(year)))


def code_words(codes: Iterable[object], language: Language, prefix: str = "") -> list[str]:
    """Return codes in words; an empty code stays empty."""
    return [label(f"{prefix}{code}", language) if code else "" for code in codes]


def refusal_words(codes: Iterable[object], language: Language) -> list[str]:
    """Return the codes of a guard in few words; an empty code stays empty."""
    return [
        label(str(code).replace("guard_", "adoption_refused_"), language) if code else "" for code in codes
    ]


def not_applicable(data: pd.DataFrame, names: Iterable[str]) -> tuple[CellMark, ...]:
    """Return marks for missing values that there cannot be."""
    return tuple(
        CellMark(row, name, "not_applicable")
        for name in names
        for row, value in enumerate(data[name].tolist())
        if is_missing(value)
    )
