"""Pupils linked to teachers: the switches as binned scatters, movers beside matched stayers."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.effects.rotation_movers import ALL_DIRECTIONS, PERIODS, RotationMovers
from toolkit.effects.teacher_switch import PLACEBOS, SOURCES, TeacherSwitch
from toolkit.exhibits import Caption, exhibit_caption
from toolkit.figures.adoption import format_effects, nothing_to_draw
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.theme import INK, MUTED, PALETTE, new_figure, tick_text
from toolkit.indicators.rotation_placement import DIRECTIONS
from toolkit.vocabulary import Language, format_number, label, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DECIMALS = 2
EXPECTED = (1.0, 0.0)
LEAST_YEARS = 2
ROOM = 1.15


def plot_teacher_switch(study: TeacherSwitch, language: Language) -> FigureExhibit:
    """Plot changes of mean scores, and of earlier scores, against changes of predicted value added."""
    caption = _caption("figure_teacher_switch", language)
    if study.is_refused or study.points.empty:
        return nothing_to_draw(caption, "teacher_switch_none", language, table="teacher_switch_design")
    known = set(study.points["outcome"])
    outcomes = ("score", next((one for one in PLACEBOS if one in known), PLACEBOS[0]))
    figure = new_figure(16, 8.6)
    grid = figure.subplots(1, len(outcomes), sharex=True, sharey=True, squeeze=False)[0]
    slopes = {outcome: float(study.row(SOURCES[0], outcome)["estimate"]) for outcome in outcomes}
    reach = ROOM * float(study.points["value_added"].abs().max())
    for axes, outcome, expected in zip(grid, outcomes, EXPECTED, strict=True):
        own = study.points[study.points["outcome"] == outcome]
        axes.axhline(0, color=MUTED, linewidth=0.8, zorder=0)
        axes.scatter(own["value_added"], own["change"], color=PALETTE[0], s=22, zorder=3)
        ends = np.array([-reach, reach])
        if np.isfinite(slopes[outcome]):
            axes.plot(
                ends, slopes[outcome] * ends, color=PALETTE[0], label=label("switch_line_fitted", language)
            )
        axes.plot(
            ends,
            expected * ends,
            color=PALETTE[1],
            linestyle="--",
            label=label("switch_line_expected", language),
        )
        axes.set_title(label(f"switch_panel_{outcome}", language), loc="left")
        axes.set_xlabel(label("switch_axis_value_added", language))
        axes.text(0.03, 0.95, _slope(study, outcome, language), transform=axes.transAxes, va="top", color=INK)
        format_effects(axes.xaxis)
    grid[0].set_ylabel(label("switch_axis_change", language))
    format_effects(grid[0].yaxis)
    handles, names = grid[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2)
    texts = {
        name: format_number(slope, DECIMALS)
        for name, slope in zip(("score", "prior"), slopes.values(), strict=True)
    }
    return FigureExhibit(
        caption, figure, sentence("alt_teacher_switch", language, **texts), table="teacher_switch"
    )


def plot_rotation_movers(movers: RotationMovers, language: Language) -> FigureExhibit:
    """Plot value added before and after the move beside that of matched stayers, one panel per direction."""
    caption = _caption("figure_rotation_movers", language)
    shown = movers.table[(movers.table["refusal"] == "") & movers.table["since"].notna()]
    panels = [
        (name, own.sort_values("since"))
        for name in (ALL_DIRECTIONS, *DIRECTIONS)
        if len(own := shown[shown["direction"] == name]) >= LEAST_YEARS
    ]
    if movers.is_refused or not panels:
        return nothing_to_draw(caption, "teacher_switch_none", language, table="teacher_switch_design")
    years = sorted({int(year) for _, own in panels for year in own["since"]})
    n_columns = min(2, len(panels))
    n_rows = -(-len(panels) // n_columns)
    figure = new_figure(16, 5.8 * n_rows + 1.2)
    grid = figure.subplots(n_rows, n_columns, squeeze=False, sharey=True, sharex=True).ravel()
    for axes, (name, own) in zip(grid, panels, strict=False):
        _curves(axes, own, language)
        axes.set_title(label(f"movers_{name}", language), loc="left")
        axes.set_xlabel(label("movers_axis_since", language))
        axes.tick_params(labelbottom=True)
        axes.set_xticks(years, [tick_text(year, 0) for year in years])
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    for axes in grid[::n_columns]:
        axes.set_ylabel(label("movers_axis_value", language))
    format_effects(grid[0].yaxis)
    handles, names = grid[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2)
    return FigureExhibit(caption, figure, _alt(movers, len(panels), language), table="rotation_movers")


def _slope(study: TeacherSwitch, outcome: str, language: Language) -> str:
    """Return slope and interval in words; why there is none, where there is none."""
    row = study.row(SOURCES[0], outcome)
    if row["refusal"]:
        return sentence(row["refusal"], language)
    values = {name: format_number(row[name], DECIMALS) for name in ("estimate", "conf_low", "conf_high")}
    return sentence("switch_slope", language, **values)


def _curves(axes: "Axes", own: pd.DataFrame, language: Language) -> None:
    """Draw movers and matched stayers by year since the move, with the interval of the difference."""
    axes.axhline(0, color=MUTED, linewidth=0.8, zorder=0)
    axes.axvline(-0.5, color=MUTED, linewidth=0.9, linestyle=":", zorder=0)
    half = (own["conf_high"] - own["conf_low"]) / 2
    axes.vlines(own["since"], own["movers"] - half, own["movers"] + half, color=PALETTE[0], linewidth=1.2)
    axes.plot(
        own["since"],
        own["movers"],
        color=PALETTE[0],
        marker="o",
        markersize=4.5,
        label=label("movers_line_movers", language),
    )
    axes.plot(
        own["since"],
        own["stayers"],
        color=PALETTE[1],
        linestyle="--",
        marker="s",
        markersize=4,
        label=label("movers_line_stayers", language),
    )


def _alt(movers: RotationMovers, panels: int, language: Language) -> str:
    rows = movers.table[(movers.table["direction"] == ALL_DIRECTIONS) & movers.table["since"].isna()]
    after = rows[rows["period"] == PERIODS[1]].iloc[0]
    values = {name: format_number(after[name], DECIMALS) for name in ("movers", "stayers")}
    return sentence("alt_rotation_movers", language, panels=panels, **values)


def _caption(key: str, language: Language) -> Caption:
    caption = exhibit_caption(key, language)
    return Caption(
        caption.key,
        caption.title,
        language,
        source=sentence("source_teacher_study", language),
        notes=caption.notes,
    )
