"""What joining did to several outcomes and to differences between schools, as tables."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from toolkit.effects.dispersion import DispersionEffect
from toolkit.effects.outcome_family import OutcomeFamily
from toolkit.effects.study_words import in_words_of_unit, p_value_text
from toolkit.standards import Standard
from toolkit.tables.adoption_texts import (
    adoption_caption,
    adoption_column,
    interval_of,
    not_applicable,
    outcome_name,
    outcome_scale,
    range_text,
    ranges,
    refusal_words,
)
from toolkit.tables.exhibit import ColumnKind, TableExhibit, vocabulary_column
from toolkit.vocabulary import Language, format_number, sentence


@in_words_of_unit
def tabulate_families(
    families: Sequence[OutcomeFamily],
    standard: Standard,
    language: Language,
    *,
    confidence_level: float = 0.95,
    programme: str = "",  # noqa: ARG001 - tells the decorator whether groups or counties adopted
) -> TableExhibit:
    """Return the effects on several outcomes by stage, the primary one first, the others adjusted.

    `confidence_level` is that of the settings under which the families were estimated, `programme` the code
    of what was adopted.
    """
    rows = [
        {"stage": family.stage, "outcome_code": row["outcome"]} | _outcome_row(row, standard, language)
        for family in families
        for row in family.table.to_dict("records")
    ]
    kinds: dict[str, ColumnKind] = {"effect": "text", "detectable": "text", "outcome_kind": "code"}
    words = ("outcome", "outcome_kind", "n_adopters", "n_comparison", "before_mean", "effect", "interval")
    words += ("detectable", "p", "adjusted_p", "why_none")
    numbers = ("before_mean_value", "effect_value", "std_error", "conf_low", "conf_high", "detectable_value")
    numbers += ("p_value", "adjusted_p_value")
    columns = (
        vocabulary_column("stage", language, kind="code"),
        *(adoption_column(name, language, kind=kinds.get(name)) for name in words),
        *(adoption_column(name, language, in_files_only=True) for name in (*numbers, "outcome_code")),
    )
    data = pd.DataFrame(rows, columns=[column.name for column in columns])
    if data["why_none"].eq("").all():
        columns = tuple(column for column in columns if column.name != "why_none")
    caption = adoption_caption(
        "adoption_families",
        language,
        interval=interval_of("adoption_interval_t", confidence_level, language),
        notes=(sentence("adoption_note_detectable", language),),
    )
    return TableExhibit(
        caption,
        columns,
        data,
        marks=not_applicable(data, numbers),
        empty_text=sentence("adoption_no_studies", language),
    )


@in_words_of_unit
def tabulate_dispersion(
    effects: Sequence[DispersionEffect],
    standard: Standard,
    language: Language,
    *,
    confidence_level: float = 0.95,
) -> TableExhibit:
    """Return what joining did to differences between schools, in two versions with their assumptions.

    `confidence_level` is the one with which the effects were estimated.
    """
    parts = [_dispersion_rows(effect, standard, language) for effect in effects]
    columns = (
        vocabulary_column("stage", language, kind="code"),
        adoption_column("outcome", language, below="measure"),
        adoption_column("version", language, kind="code", below="assumption"),
        adoption_column("measure", language, kind="code", in_files_only=True),
        *(adoption_column(name, language) for name in ("n_adopters", "n_comparison")),
        adoption_column("effect", language, entry="adoption_dispersion_effect"),
        adoption_column("interval", language),
        *(adoption_column(name, language) for name in ("std_error", "why_none")),
        *(
            adoption_column(name, language, in_files_only=True)
            for name in ("critical_value", "conf_low", "conf_high")
        ),
        adoption_column("assumption", language, in_files_only=True),
        adoption_column("outcome_code", language, in_files_only=True),
    )
    names = [column.name for column in columns]
    data = pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)
    if data["why_none"].eq("").all():
        columns = tuple(column for column in columns if column.name != "why_none")
    caption = adoption_caption(
        "adoption_dispersion",
        language,
        interval=interval_of("adoption_interval_dispersion", confidence_level, language),
    )
    return TableExhibit(
        caption,
        columns,
        data,
        marks=not_applicable(data, ("effect", "std_error", "critical_value", "conf_low", "conf_high")),
        empty_text=sentence("adoption_no_dispersion", language),
    )


def _outcome_row(row: Mapping[Any, Any], standard: Standard, language: Language) -> dict[str, Any]:
    """Return one outcome in its unit and decimals."""
    factor, decimals = outcome_scale(str(row["outcome"]), standard)
    kind = "primary" if row["is_primary"] else "exploratory"
    values = {name: factor * float(row[name]) for name in ("mean_before", "effect", "detectable")}
    words = {
        name: "" if np.isnan(value) else format_number(value, decimals) for name, value in values.items()
    }
    limits = {name: factor * float(row[name]) for name in ("std_error", "conf_low", "conf_high")}
    return limits | {
        "outcome": outcome_name(str(row["outcome"]), standard, language),
        "outcome_kind": f"adoption_{kind}_outcome",
        "n_adopters": row["n_adopters"],
        "n_comparison": row["n_comparison"],
        "before_mean": words["mean_before"],
        "effect": words["effect"],
        "detectable": words["detectable"],
        "interval": range_text(limits["conf_low"], limits["conf_high"], language, decimals=decimals),
        "p": p_value_text(row["p_value"]),
        "adjusted_p": p_value_text(row["adjusted_p_value"]),
        "why_none": refusal_words([row["refusal"]], language)[0],
        "before_mean_value": values["mean_before"],
        "effect_value": values["effect"],
        "detectable_value": values["detectable"],
        "p_value": row["p_value"],
        "adjusted_p_value": row["adjusted_p_value"],
    }


def _dispersion_rows(effect: DispersionEffect, standard: Standard, language: Language) -> pd.DataFrame:
    """Return the two versions of one stage."""
    table, joined = effect.effects, effect.sample.units["adoption_year"].notna()
    none = sentence("adoption_no_dispersion_error", language)
    return table.assign(
        stage=effect.sample.stage,
        outcome=outcome_name(effect.sample.outcome, standard, language, with_unit=False),
        outcome_code=effect.sample.outcome,
        version="adoption_version_" + table["version"],
        assumption=[sentence(f"adoption_assumption_{name}", language) for name in table["version"]],
        measure=f"adoption_measure_{effect.measure}",
        n_adopters=int(joined.sum()),
        n_comparison=int((~joined).sum()),
        interval=ranges(table, "conf_low", "conf_high", language),
        why_none=[none if np.isnan(error) else "" for error in table["std_error"]],
    )
