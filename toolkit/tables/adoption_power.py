"""What a study of joining can detect, and what smaller effects would take, as tables."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from toolkit.effects.adoption_power import AdoptionPower
from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.study_words import in_words_of_unit
from toolkit.inference.power_needs import MOST_COUNTIES, MOST_SCHOOLS, MOST_YEARS
from toolkit.tables.adoption_texts import (
    adoption_caption,
    adoption_column,
    not_applicable,
    studies_counted,
    study_columns,
    study_key,
)
from toolkit.tables.exhibit import TableExhibit
from toolkit.vocabulary import Language, format_number, sentence

NEEDS_LIMITS = {"schools": MOST_SCHOOLS, "years_after": MOST_YEARS, "counties": MOST_COUNTIES}


@in_words_of_unit
def tabulate_power(
    studies: Sequence[AdoptionStudy], powers: Sequence[AdoptionPower | None], language: Language
) -> TableExhibit:
    """Return what each study can detect, by formula, by its standard error and by simulation.

    Parameters
    ----------
    studies : sequence of AdoptionStudy
        The studies.
    powers : sequence of AdoptionPower or None
        One for each study, None where it was refused.
    language : {"zh", "en"}
        Language.
    """
    own = ("n_schools", "icc", "year_correlation", "group_correlation", "pupils_per_school")
    found = ("by_formula", "by_error", "by_simulation")
    columns = (
        *study_columns(language),
        *(adoption_column(name, language) for name in (*own, *found)),
        adoption_column("size", language, kind="share"),
        adoption_column("by_simulation_value", language, in_files_only=True),
    )
    rows = [
        _power_row(study, power, language)
        for study, power in zip(studies, powers, strict=True)
        if power is not None
    ]
    data = pd.DataFrame(rows, columns=[column.name for column in columns])
    caption = adoption_caption("adoption_power", language, n=studies_counted(studies, language))
    marks = not_applicable(data, (*own, *found[:2], "size", "by_simulation_value"))
    return TableExhibit(
        caption, columns, data, marks=marks, empty_text=sentence("adoption_no_studies", language)
    )


@in_words_of_unit
def tabulate_needs(
    studies: Sequence[AdoptionStudy], powers: Sequence[AdoptionPower | None], language: Language
) -> TableExhibit:
    """Return how many schools, years or counties each planned effect takes; arguments as `tabulate_power`."""
    columns = (
        *study_columns(language),
        adoption_column("effect", language, entry="adoption_planned_effect"),
        *(adoption_column(f"needs_{name}", language) for name in NEEDS_LIMITS),
        *(adoption_column(f"needs_{name}_value", language, in_files_only=True) for name in NEEDS_LIMITS),
    )
    rows: list[dict[str, Any]] = []
    for study, power in zip(studies, powers, strict=True):
        for one in () if power is None else power.needs:
            row: dict[str, Any] = study_key(study) | {"effect": one.effect}
            for name, limit in NEEDS_LIMITS.items():
                number: int | None = getattr(one, name)
                row[f"needs_{name}"] = _need(number, limit, language)
                row[f"needs_{name}_value"] = np.nan if number is None else float(number)
            rows.append(row)
    data = pd.DataFrame(rows, columns=[column.name for column in columns])
    return TableExhibit(
        adoption_caption("adoption_needs", language, n=studies_counted(studies, language)),
        columns,
        data,
        marks=not_applicable(data, [f"needs_{name}_value" for name in NEEDS_LIMITS]),
        empty_text=sentence("adoption_no_studies", language),
    )


def _power_row(study: AdoptionStudy, power: AdoptionPower, language: Language) -> dict[str, Any]:
    design, curve = power.design, power.curve
    detectable = np.nan if curve is None else curve.detectable()
    if curve is None:
        words = sentence("adoption_not_simulated", language)
    elif np.isinf(detectable):
        largest = format_number(float(curve.effects[-1]), 2)
        words = sentence("adoption_not_reached", language, largest=largest)
    else:
        words = format_number(detectable, 3)
    return study_key(study) | {
        "n_schools": design.n_schools,
        "icc": design.icc,
        "year_correlation": power.year_correlation,
        "group_correlation": design.group_correlation,
        "pupils_per_school": design.pupils_per_school,
        # Without a degree of freedom left no effect is large enough.
        "by_formula": power.by_formula if np.isfinite(power.by_formula) else np.nan,
        "by_error": power.by_error,
        "by_simulation": words,
        "by_simulation_value": detectable if np.isfinite(detectable) else np.nan,
        "size": np.nan if curve is None else float(curve.rejected[0]),
    }


def _need(number: int | None, limit: int, language: Language) -> str:
    if number is None:
        return sentence("adoption_needs_none", language, limit=format_number(limit, 0))
    return format_number(number, 0)
