"""What an average effect hangs on, and what a study can detect, as figures."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.effects.adoption_power import AdoptionPower
from toolkit.effects.adoption_sensitivity import LeaveOneGroupOut
from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.dispersion import DispersionEffect
from toolkit.effects.specification_curve import CHOICES, SpecificationCurve
from toolkit.effects.study_words import in_words_of_unit, outcome_name, study_name
from toolkit.figures.adoption import (
    adoption_figure_caption,
    format_effects,
    nothing_to_draw,
    reach_of_effects,
)
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.theme import (
    GRID,
    INK,
    MUTED,
    PALETTE,
    RULE,
    height_for_rows,
    new_figure,
    pinyin_order,
    show_rows,
    tick_text,
    wrapped_name,
)
from toolkit.inference.power_curve import PowerCurve
from toolkit.standards import Standard
from toolkit.vocabulary import Language, format_number, label, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PERCENT = 100
EFFECT_DECIMALS = 3
TICK_DECIMALS = 2
PATH_STYLES = ("-", "--", ":")
PATHS = ("observed", "without_shifted", "without_squares")
TARGET_POWER = 0.8
# Size of the marks of the choices, in points, and what a row of them may take together.
LARGEST_MARK, WIDTH_OF_MARKS = 3.2, 240.0
LINE_STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D")


@in_words_of_unit
def plot_leave_one_out(
    result: LeaveOneGroupOut | None, study: AdoptionStudy, language: Language, *, named: bool = True
) -> FigureExhibit:
    """Plot the average effect without each group; where none is named, in the order of the effect."""
    key = "figure_adoption_leave_one_out"
    interval = sentence("adoption_interval_std_error", language)
    caption = adoption_figure_caption(
        key if named else f"{key}_unnamed", language, study=study, interval=interval
    )
    caption = replace(caption, key=caption.key.replace("_unnamed", ""))
    table = "adoption_leave_one_out_" + caption.key.removeprefix(f"{key}_")
    known = pd.DataFrame() if result is None else result.table.dropna(subset=["effect"])
    if result is None or known.empty:
        reason = "adoption_not_estimated" if study.is_refused else "adoption_no_group_left"
        return nothing_to_draw(caption, reason, language, table=table)
    names = known["school_group"].astype(str)
    order = pinyin_order(names)
    own = (
        known.assign(place=[order.index(name) for name in names]).sort_values("place", kind="stable")
        if named
        else known.sort_values("effect", kind="stable")
    )
    figure = new_figure(16, height_for_rows(len(own)) + 0.6)
    axes = figure.subplots()
    axes.axvline(0, color=RULE, linewidth=1.2, zorder=0)
    whole = label("adoption_all_groups", language)
    axes.axvline(result.effect, color=PALETTE[1], linestyle="--", linewidth=1.4, label=whole)
    axes.errorbar(
        own["effect"],
        np.arange(len(own)),
        xerr=own["std_error"],
        linestyle="none",
        marker="o",
        color=PALETTE[0],
    )
    show_rows(axes, [str(name) if named else "" for name in own["school_group"]], width=20)
    if not named:
        axes.tick_params(axis="y", length=0)
    _effect_axis(axes, language, vertical=False)
    figure.legend(loc="outside lower center")
    low, high = result.range
    words = {name: format_number(value, EFFECT_DECIMALS) for name, value in
             (("low", low), ("high", high), ("effect", result.effect))}  # fmt: skip
    alt = sentence("alt_adoption_leave_one_out", language, count=len(own), **words)
    return FigureExhibit(caption, figure, alt, table=table)


@in_words_of_unit
def plot_specification_curve(
    curve: SpecificationCurve | None, study: AdoptionStudy, language: Language
) -> FigureExhibit:
    """Plot the effects of all specifications in their order, and below what each of them chose."""
    key = "figure_adoption_specifications"
    percent = format_number(PERCENT * study.settings.event_study.confidence_level, 0)
    interval = sentence("adoption_interval_t", language, percent=percent)
    caption = adoption_figure_caption(key, language, study=study, interval=interval)
    table = "adoption_specifications_" + caption.key.removeprefix(f"{key}_")
    if curve is None or curve.estimated.empty:
        return nothing_to_draw(caption, "adoption_not_estimated", language, table=table)
    own = curve.estimated.sort_values("effect", kind="stable").reset_index(drop=True)
    refused = len(curve.table) - len(own)
    if refused:
        more = sentence("adoption_note_refused_specifications", language, count=refused)
        caption = replace(caption, notes=(*caption.notes, more))
    options = [(name, option) for name, values in CHOICES.items() for option in values]
    figure = new_figure(16, 7.5 + 0.5 * len(options))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(7, 0.5 * len(options)))
    _draw_curve(above, own, language)
    reach = reach_of_effects(own["effect"], own["conf_low"], own["conf_high"])
    if np.isfinite(reach):
        above.set_ylim(-reach, reach)
        more = sentence("adoption_note_beyond_picture", language)
        caption = replace(caption, notes=(*caption.notes, more))
    at = np.arange(len(own))
    size = min(LARGEST_MARK, WIDTH_OF_MARKS / len(own))
    for row, (name, option) in enumerate(options):
        chosen = at[(own[name] == option).to_numpy()]
        below.plot(
            chosen, np.full(len(chosen), row), linestyle="none", marker="s", markersize=size, color=INK
        )
    names = [
        sentence(
            "adoption_choice",
            language,
            choice=label(f"adoption_choice_{name}", language),
            option=label(f"adoption_option_{option}", language),
        )
        for name, option in options
    ]
    show_rows(below, names, width=40)
    below.tick_params(axis="y", labelsize=7.5, length=0)
    below.set_xticks([])
    below.set_xlabel(label("adoption_axis_specifications", language))
    for row in np.cumsum([len(values) for values in CHOICES.values()])[:-1]:
        below.axhline(row - 0.5, color=RULE, linewidth=0.7)
    alt = sentence(
        "alt_adoption_specifications",
        language,
        count=len(own),
        low=format_number(own["effect"].min(), EFFECT_DECIMALS),
        high=format_number(own["effect"].max(), EFFECT_DECIMALS),
        median=format_number(own["effect"].median(), EFFECT_DECIMALS),
    )
    return FigureExhibit(caption, figure, alt, table=table)


@in_words_of_unit
def plot_power(
    studies: Sequence[AdoptionStudy], powers: Sequence[AdoptionPower | None], language: Language
) -> FigureExhibit:
    """Plot the chance to find an effect against its size, with the size of the test at no effect.

    Arguments as `tabulate_power`.
    """
    pairs = [
        (study, power.curve)
        for study, power in zip(studies, powers, strict=True)
        if power is not None and power.curve is not None
    ]
    caption = adoption_figure_caption("figure_adoption_power", language)
    if not pairs:
        return nothing_to_draw(caption, "adoption_nothing_simulated", language, table="adoption_power")
    figure = new_figure(16, 8.5)
    axes = figure.subplots()
    lines = (TARGET_POWER, "adoption_power_line"), (pairs[0][1].size, "adoption_nominal_line")
    largest = max(float(curve.effects[-1]) for _, curve in pairs)
    for height, name in lines:
        axes.axhline(PERCENT * height, color=MUTED, linestyle=":", linewidth=1.1, zorder=0)
        words = sentence(name, language, percent=f"{PERCENT * height:g}")
        axes.text(1.015 * largest, PERCENT * height, words, va="center", fontsize=8, color=MUTED)
    for position, (study, curve) in enumerate(pairs):
        look = position % len(MARKERS)
        colour, shares = PALETTE[position % len(PALETTE)], PERCENT * curve.rejected
        axes.errorbar(
            curve.effects, shares, yerr=PERCENT * curve.monte_carlo_error, color=colour, elinewidth=0.8,
            marker=MARKERS[look], linestyle=LINE_STYLES[look], label=_drawn(study, curve, language),
        )  # fmt: skip
        axes.plot(
            [0],
            shares[:1],
            marker=MARKERS[look],
            markersize=8,
            color=colour,
            markerfacecolor="white",
            zorder=4,
        )
    axes.set_xticks(pairs[0][1].effects.tolist())
    axes.xaxis.set_major_formatter(lambda value, _: tick_text(value, TICK_DECIMALS))
    axes.set_xlim(-0.02 * largest, 1.01 * largest)
    axes.set_ylim(0, 103)
    axes.set_xlabel(label("adoption_axis_true_effect", language))
    axes.set_ylabel(label("adoption_axis_rejected", language))
    figure.legend(loc="outside lower center", ncols=1)
    ends = pairs[0][1].rejected
    words = {"low": format_number(PERCENT * ends[0], 0), "high": format_number(PERCENT * ends[-1], 0)}
    alt = sentence("alt_adoption_power", language, largest=format_number(largest, 2), **words)
    return FigureExhibit(caption, figure, alt, table="adoption_power")


@in_words_of_unit
def plot_dispersion(
    effects: Sequence[DispersionEffect], standard: Standard, language: Language
) -> FigureExhibit:
    """Plot differences between schools by year, observed and without joining, a panel for each effect."""
    lost = any(effect.years[list(PATHS)].isna().any(axis=None) for effect in effects)
    notes = (sentence("adoption_note_paths_end", language),) if lost else ()
    caption = adoption_figure_caption("figure_adoption_dispersion", language, notes=notes)
    if not effects:
        return nothing_to_draw(caption, "adoption_no_dispersion", language, table="adoption_dispersion")
    stages = list(dict.fromkeys(effect.sample.stage for effect in effects))
    n_rows = max(sum(effect.sample.stage == stage for effect in effects) for stage in stages)
    figure = new_figure(16, 5.8 * n_rows + 2.0)
    panels = figure.subplots(n_rows, len(stages), squeeze=False)
    for column, stage in enumerate(stages):
        own = [effect for effect in effects if effect.sample.stage == stage]
        for row in range(n_rows):
            if row < len(own):
                _draw_paths(panels[row, column], own[row], standard, language)
            else:
                panels[row, column].set_axis_off()
    handles, names = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3 if language == "zh" else 1)
    span = [int(year) for effect in effects for year in effect.years["year"]]
    alt = sentence("alt_adoption_dispersion", language, first=min(span), last=max(span))
    return FigureExhibit(caption, figure, alt, table="adoption_dispersion")


def _draw_paths(axes: "Axes", effect: DispersionEffect, standard: Standard, language: Language) -> None:
    """Draw the three paths of one effect, years with schools that had joined shaded."""
    years = effect.years["year"].to_numpy(dtype=float)
    treated = years[effect.years["treated_share"].to_numpy() > 0]
    if len(treated):
        axes.axvspan(treated.min() - 0.5, years.max() + 0.5, color=GRID, zorder=0, linewidth=0)
    for position, name in enumerate(PATHS):
        axes.plot(
            years,
            effect.years[name],
            color=PALETTE[position],
            linestyle=PATH_STYLES[position],
            marker=MARKERS[position],
            markersize=4.5,
            label=label(f"adoption_{name}", language),
        )
    name = outcome_name(effect.sample.outcome, standard, language, with_unit=False)
    title = sentence("adoption_study_name", language, stage=label(effect.sample.stage, language), role=name)
    axes.set_title(wrapped_name(title, 24 if language == "zh" else 44), fontsize=8.5)
    axes.set_xticks(years.astype(int).tolist())
    axes.tick_params(axis="x", labelsize=8)
    axes.set_xlim(years.min() - 0.5, years.max() + 0.5)
    axes.set_ylabel(label(f"adoption_measure_{effect.measure}", language), fontsize=8)
    format_effects(axes.yaxis)


def _draw_curve(axes: "Axes", own: pd.DataFrame, language: Language) -> None:
    """Draw the effects with their intervals, that of the study as a diamond."""
    at = np.arange(len(own))
    axes.axhline(0, color=MUTED, linewidth=0.9, zorder=0)
    axes.vlines(at, own["conf_low"], own["conf_high"], color="#8bb3d0", linewidth=1.0)
    axes.plot(at, own["effect"], linestyle="none", marker="o", markersize=3, color=PALETTE[0])
    study = own["is_study"].to_numpy(dtype=bool)
    if study.any():
        axes.plot(
            at[study], own.loc[study, "effect"], linestyle="none", marker="D", markersize=7, color=PALETTE[1],
            markeredgecolor=INK, label=label("adoption_this_study", language),
        )  # fmt: skip
        axes.legend(loc="upper left")
    _effect_axis(axes, language, vertical=True)


def _effect_axis(axes: "Axes", language: Language, *, vertical: bool) -> None:
    axis = axes.yaxis if vertical else axes.xaxis
    format_effects(axis)
    axis.set_label_text(label("adoption_axis_effect", language))


def _drawn(study: AdoptionStudy, curve: PowerCurve, language: Language) -> str:
    """Return how many placebo assignments a curve rests on, and what it rejects without an effect."""
    return sentence(
        "adoption_simulated_draws",
        language,
        study=study_name(study, language),
        draws=format_number(curve.n_draws, 0),
        percent=format_number(PERCENT * float(curve.rejected[0]), 1),
    )
