"""What smaller effects of rotation would take, as a table."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from toolkit.effects.flow_effects import FlowSettings
from toolkit.effects.flow_power import FlowPower
from toolkit.effects.guard import guard_sentence
from toolkit.inference.power_needs import MOST_COUNTIES, MOST_SCHOOLS, MOST_YEARS, ScaledNeeds
from toolkit.tables.adoption_extensions import table_of
from toolkit.tables.exhibit import PERCENT, TableExhibit, vocabulary_column
from toolkit.tables.rotation_effects import rotation_caption, rotation_column
from toolkit.vocabulary import Language, format_number, label, sentence

LIMITS = {"schools": MOST_SCHOOLS, "years": MOST_YEARS, "counties": MOST_COUNTIES}


def tabulate_flow_needs(found: Sequence[FlowPower], language: Language) -> TableExhibit:
    """Return how many schools, school years or counties receiving and sending effects need to be found.

    Parameters
    ----------
    found : sequence of FlowPower
        One per stage; refused ones are a row with the reason.
    language : {"zh", "en"}
        Language.
    """
    rows = [row for one in found for row in _rows(one, language)]
    names = [f"needs_{name}" for name in LIMITS]
    columns = (
        vocabulary_column("stage", language, kind="code"),
        rotation_column("flow", language, kind="code"),
        rotation_column("planned", language),
        *(rotation_column(name, language, kind="share") for name in ("power", "size")),
        *(rotation_column(name, language) for name in names),
        rotation_column("why_none", language),
        *(rotation_column(f"{name}_value", language, in_files_only=True) for name in names),
    )
    estimated = [one for one in found if one.needs]
    simulated = (sentence("rotation_note_needs_simulated", language),) if estimated else ()
    settings = found[0].study.settings if found else FlowSettings()
    caption = rotation_caption(
        "rotation_flow_needs",
        language,
        notes=(*simulated, *(_present(one, language) for one in estimated)),
        power=format_number(PERCENT * settings.power, 0),
        size=format_number(PERCENT * (1 - settings.confidence_level), 0),
    )
    return table_of(caption, columns, rows, (), sentence("rotation_not_estimated", language))


def _rows(found: FlowPower, language: Language) -> list[dict[str, Any]]:
    """Return one row per flow and planned effect, or the reason why there is none."""
    about = {"stage": found.study.sample.stage}
    if not found.needs:
        return [about | {"why_none": guard_sentence(found.study.guard.findings[0], language)}]
    return [
        about
        | {
            "flow": f"flow_{flow}",
            "planned": one.effect,
            "power": found.power(flow, one.effect),
            "size": float(found.curves[flow].rejected[0]),
        }
        | _numbers(one, language)
        for flow, needs in found.needs.items()
        for one in needs
    ]


def _numbers(needs: ScaledNeeds, language: Language) -> dict[str, Any]:
    """Return the cells of what an effect takes, in words and as numbers."""
    cells: dict[str, Any] = {}
    for name, limit in LIMITS.items():
        number: int | None = getattr(needs, name)
        none = sentence("adoption_needs_none", language, limit=format_number(limit, 0))
        cells[f"needs_{name}"] = none if number is None else format_number(number, 0)
        cells[f"needs_{name}_value"] = np.nan if number is None else float(number)
    return cells


def _present(found: FlowPower, language: Language) -> str:
    """Return what the study of a stage has, and what it can detect now."""
    study = found.study
    detectable = [format_number(value, 3) for value in study.table["detectable"].head(2)]
    return sentence(
        "rotation_needs_present",
        language,
        stage=label(study.sample.stage, language),
        schools=found.n_schools,
        years=found.n_years,
        received=detectable[0],
        sent=detectable[1],
    )
