"""Total effects of rotation if trends were not parallel, as a table."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from toolkit.effects.path_bounds import FlowBounds, PathBounds
from toolkit.inference.honest_study import Breakdown
from toolkit.tables.adoption_design import bound_refusal
from toolkit.tables.adoption_extensions import table_of
from toolkit.tables.adoption_texts import range_text
from toolkit.tables.exhibit import TableExhibit, vocabulary_column
from toolkit.tables.rotation_effects import rotation_caption, rotation_column
from toolkit.vocabulary import Language, format_number, sentence

BREAKDOWN_DECIMALS = 3


def tabulate_path_bounds(found: Sequence[FlowBounds], language: Language) -> TableExhibit:
    """Return intervals of the total effects by bound on the difference in trends, and breakdown values.

    Parameters
    ----------
    found : sequence of FlowBounds
        One per stage.
    language : {"zh", "en"}
        Language.
    """
    rows = [
        {"stage": one.paths.sample.stage, "flow": f"flow_{bounds.flow}"} | row
        for one in found
        for bounds in one.flows
        for row in _rows(bounds, language)
    ]
    rows += [
        {
            "stage": one.paths.sample.stage,
            "flow": f"flow_{flow}",
            "why_none": refusal.zh if language == "zh" else refusal.en,
        }
        for one in found
        for flow, refusal in one.paths.refusals.items()
    ]
    columns = (
        vocabulary_column("stage", language, kind="code"),
        rotation_column("flow", language, kind="code"),
        rotation_column("restriction", language, kind="code"),
        *(rotation_column(name, language) for name in ("bound", "effect", "interval")),
        *(rotation_column(name, language) for name in ("breakdown", "why_none")),
        *(rotation_column(name, language, in_files_only=True) for name in ("conf_low", "conf_high")),
        rotation_column("breakdown_value", language, in_files_only=True),
    )
    given = [one for one in found if any(not bounds.refusal for bounds in one.flows)]
    caption = rotation_caption(
        "rotation_path_bounds",
        language,
        level=given[0].paths.confidence_level if given else None,
        interval="adoption_interval_bounds",
    )
    return table_of(caption, columns, rows, (), sentence("rotation_not_estimated", language))


def path_bounds_refusal(bounds: PathBounds, language: Language) -> str:
    """Return in a sentence why the bounds of a flow were not computed; empty if they were."""
    if not bounds.refusal:
        return ""
    if bounds.study is None:
        return sentence("rotation_bounds_no_first_year", language)
    return sentence("adoption_bounds_refused", language, reason=bound_refusal(bounds.refusal, language))


def _rows(bounds: PathBounds, language: Language) -> list[dict[str, Any]]:
    """Return the intervals of one flow, each with the breakdown value of its restriction; or why none."""
    if bounds.refusal:
        return [{"why_none": path_bounds_refusal(bounds, language)}]
    breakdowns = {one.restriction: one for one in bounds.breakdowns}
    return [
        {
            "restriction": f"rotation_bound_{one.restriction}",
            "bound": f"{one.bound:g}",
            "effect": one.estimate,
            "interval": range_text(one.conf_low, one.conf_high, language),
            "conf_low": one.conf_low,
            "conf_high": one.conf_high,
        }
        | _breakdown(breakdowns[one.restriction], language)
        for one in bounds.intervals
    ]


def _breakdown(breakdown: Breakdown, language: Language) -> dict[str, Any]:
    """Return from which bound on an interval contains zero, in words and as a number."""
    if np.isinf(breakdown.value):
        return {
            "breakdown": sentence("adoption_breakdown_infinite", language),
            "breakdown_value": np.nan,
        }
    text = format_number(breakdown.value, BREAKDOWN_DECIMALS) if breakdown.value else "0"
    return {"breakdown": text, "breakdown_value": breakdown.value}
