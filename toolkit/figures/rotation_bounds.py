"""Total effects of rotation if trends were not parallel, as a figure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from toolkit.effects.path_bounds import FlowBounds, PathBounds
from toolkit.figures.adoption import format_effects, nothing_to_draw
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.rotation_effects import rotation_figure_caption
from toolkit.figures.theme import MUTED, PALETTE, new_figure
from toolkit.inference.honest_study import Restriction
from toolkit.vocabulary import Language, label, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RESTRICTIONS: tuple[Restriction, ...] = ("relative_magnitudes", "smoothness")


def plot_path_bounds(found: Sequence[FlowBounds], language: Language) -> FigureExhibit:
    """Plot the intervals by bound, a row per stage and flow; a sentence where all are refused.

    Parameters
    ----------
    found : sequence of FlowBounds
        One per stage.
    language : {"zh", "en"}
        Language.
    """
    given = [(one, bounds) for one in found for bounds in one.flows if not bounds.refusal]
    caption = rotation_figure_caption(
        "figure_rotation_path_bounds",
        language,
        level=given[0][0].paths.confidence_level if given else None,
        interval="adoption_interval_bounds",
    )
    if not given:
        return nothing_to_draw(caption, "rotation_bounds_all_refused", language, table="rotation_path_bounds")
    if len(given) < sum(len(one.flows) + len(one.paths.refusals) for one in found):
        left_out = sentence("rotation_note_bounds_refused", language)
        caption = replace(caption, notes=(*caption.notes, left_out))
    figure = new_figure(16, 6.1 * len(given) + 0.6)
    grid = figure.subplots(len(given), len(RESTRICTIONS), sharey="row", squeeze=False)
    for panels, (one, bounds) in zip(grid, given, strict=True):
        for axes, restriction in zip(panels, RESTRICTIONS, strict=True):
            _panel(axes, bounds, restriction)
            axes.set_xlabel(label(f"rotation_axis_{restriction}", language))
        flow = label(f"flow_{bounds.flow}", language)
        panels[0].set_title(f"{label(one.paths.sample.stage, language)}\n{flow}", loc="left")
        panels[0].set_ylabel(label("rotation_axis_total_effect", language))
    intervals = [interval for _, bounds in given for interval in bounds.intervals]
    zero = sum(interval.conf_low <= 0 <= interval.conf_high for interval in intervals)
    alt = sentence("alt_adoption_bounds", language, count=len(intervals), zero=zero)
    return FigureExhibit(caption, figure, alt, table="rotation_path_bounds")


def _panel(axes: "Axes", bounds: PathBounds, restriction: Restriction) -> None:
    """Draw the intervals of one flow under one restriction."""
    own = [one for one in bounds.intervals if one.restriction == restriction]
    at = np.arange(len(own))
    axes.axhline(0, color=MUTED, linewidth=0.9, zorder=0)
    low, high = [one.conf_low for one in own], [one.conf_high for one in own]
    axes.vlines(at, low, high, color=PALETTE[0], linewidth=1.6)
    axes.plot(at, [one.estimate for one in own], linestyle="none", marker="o", color=PALETTE[0])
    axes.set_xticks(at.tolist(), [f"{one.bound:g}" for one in own])
    axes.set_xlim(-0.6, len(own) - 0.4)
    format_effects(axes.yaxis)
