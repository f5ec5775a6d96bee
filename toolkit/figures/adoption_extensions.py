"""Subgroups, other estimators, comparisons of the two-way regression, and intake, as figures."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.extension_words import (
    division_name,
    intake_name,
    intake_values,
    shown_divisions,
    subgroup_name,
)
from toolkit.effects.group_extensions import Divisions, StageIntake
from toolkit.effects.robustness import RobustnessTable, TwoWayStudy
from toolkit.effects.study_words import in_words_of_unit, p_value_text
from toolkit.exhibits import Caption
from toolkit.figures.adoption import adoption_figure_caption, format_effects, nothing_to_draw
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.theme import (
    INK,
    MUTED,
    PALETTE,
    height_for_rows,
    new_figure,
    show_rows,
    tick_text,
    wrapped_name,
)
from toolkit.vocabulary import Language, format_number, label, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PERCENT = 100
EFFECT_DECIMALS = 3
ANTICIPATION_COLOUR = "#f3ead9"
PANELS_ABREAST = 3
DIAGNOSTIC = ("estimator_two_way", "estimator_matched", "estimator_synthetic")
KINDS = {
    "treated_never": ("o", PALETTE[0]),
    "earlier_later": ("s", PALETTE[2]),
    "later_earlier": ("X", PALETTE[6]),
}


@in_words_of_unit
def plot_divisions(found: Divisions, study: AdoptionStudy, language: Language) -> FigureExhibit:
    """Plot the average effect by subgroup, under the name of each division; refused ones say so."""
    found = shown_divisions(found, study)
    caption = _caption("figure_adoption_divisions", study, language)
    table = "adoption_divisions"
    tidy = found.tidy()
    if tidy.empty or tidy["effect"].isna().all():
        reason = "adoption_not_estimated" if study.is_refused else "adoption_no_subgroup"
        return nothing_to_draw(caption, reason, language, table=table)
    names: list[str] = []
    drawn: list[tuple[int, pd.Series]] = []
    for one in found.divisions:
        names.append(division_name(one, language))
        for _, row in one.table.iterrows():
            drawn.append((len(names), row))
            names.append(subgroup_name(one.by, str(row["subgroup"]), language))
    figure = new_figure(16, height_for_rows(len(names)) + 1.2)
    axes = figure.subplots()
    _main_line(axes, study, language)
    for at, row in drawn:
        if np.isnan(row["effect"]):
            _refused(axes, at, language)
            continue
        _draw_estimate(axes, row["effect"], (row["conf_low"], row["conf_high"]), at)
    show_rows(axes, names, width=24 if language == "zh" else 34)
    headings = set(range(len(names))) - {at for at, _ in drawn}
    for at, text in enumerate(axes.get_yticklabels()):
        text.set_color(INK if at in headings else MUTED)
        text.set_fontsize(8.5 if at in headings else 8)
    _effect_axis(axes, study, language)
    figure.legend(loc="outside lower center")
    known = tidy["effect"].dropna()
    alt = sentence(
        "alt_adoption_divisions",
        language,
        count=len(known),
        refused=len(tidy) - len(known),
        low=format_number(known.min(), EFFECT_DECIMALS),
        high=format_number(known.max(), EFFECT_DECIMALS),
    )
    return FigureExhibit(caption, figure, alt, table=table)


@in_words_of_unit
def plot_robustness(
    result: RobustnessTable | None, study: AdoptionStudy, language: Language
) -> FigureExhibit:
    """Plot the average effect by every estimator; those that only diagnose or compare are hollow."""
    caption = _caption("figure_adoption_robustness", study, language, interval="adoption_interval_robustness")
    table = "adoption_robustness"
    if result is None:
        return nothing_to_draw(caption, "adoption_not_estimated", language, table=table)
    rows = result.table.reset_index(drop=True)
    figure = new_figure(16, height_for_rows(2 * len(rows)))
    axes = figure.subplots()
    axes.axvline(0, color=MUTED, linewidth=0.9, zorder=0)
    for at, row in rows.iterrows():
        place = int(str(at))
        if np.isnan(row["estimate"]):
            _refused(axes, place, language)
            continue
        hollow = row["estimator"] in DIAGNOSTIC
        _draw_estimate(axes, row["estimate"], (row["conf_low"], row["conf_high"]), place, hollow=hollow)
        _annotate(axes, _printed(row, language), row["estimate"], place)
    axes.margins(x=0.14)
    show_rows(
        axes, [label(str(code), language) for code in rows["estimator"]], width=30 if language == "zh" else 32
    )
    _effect_axis(axes, study, language)
    known = rows["estimate"].dropna()
    alt = sentence(
        "alt_adoption_robustness",
        language,
        count=len(rows),
        estimated=len(known),
        low=format_number(known.min(), EFFECT_DECIMALS),
        high=format_number(known.max(), EFFECT_DECIMALS),
    )
    return FigureExhibit(caption, figure, alt, table=table)


@in_words_of_unit
def plot_two_way(found: TwoWayStudy | None, study: AdoptionStudy, language: Language) -> FigureExhibit:
    """Plot the comparisons of two cohorts of the two-way regression, their estimates by their weights."""
    caption = _caption("figure_adoption_two_way", study, language, interval="")
    table = "adoption_two_way"
    if found is None or found.decomposition is None:
        reason = "adoption_not_estimated" if found is None else found.refusal
        return nothing_to_draw(caption, reason, language, table=table)
    rows = found.decomposition.comparisons
    figure = new_figure(16, 8.4)
    axes = figure.subplots()
    axes.axhline(0, color=MUTED, linewidth=0.9, zorder=0)
    axes.axhline(
        found.decomposition.two_way, color=PALETTE[1], linestyle="--", linewidth=1.4, zorder=0,
        label=label("adoption_two_way_estimate", language),
    )  # fmt: skip
    for kind, (marker, colour) in KINDS.items():
        own = rows[rows["kind"] == kind]
        if own.empty:
            continue
        share = format_number(PERCENT * float(own["weight"].sum()), 1)
        words = sentence(
            "adoption_kind_with_share", language, kind=label(f"robust_kind_{kind}", language), share=share
        )
        axes.plot(
            PERCENT * own["weight"],
            own["estimate"],
            linestyle="none",
            marker=marker,
            color=colour,
            label=words,
        )
    axes.set_xlabel(label("adoption_axis_weight", language))
    axes.set_ylabel(label("adoption_estimate", language))
    format_effects(axes.yaxis)
    figure.legend(loc="outside lower center", ncols=1)
    weights = rows.groupby("kind")["weight"].sum()
    alt = sentence(
        "alt_adoption_two_way",
        language,
        count=len(rows),
        share=format_number(PERCENT * float(weights.get("later_earlier", 0.0)), 1),
    )
    return FigureExhibit(caption, figure, alt, table=table)


@in_words_of_unit
def plot_intake(found: Sequence[StageIntake], design: AdoptionStudy, language: Language) -> FigureExhibit:
    """Plot effects on intake and enrolment by year since joining: outcomes below each other, stages abreast.

    `design` is a study of the same design, for the years of selection and the level of the intervals.
    """
    settings = design.settings.event_study
    percent = format_number(PERCENT * settings.confidence_level, 0)
    caption = adoption_figure_caption(
        "figure_adoption_intake",
        language,
        interval=sentence("adoption_interval_intake", language, percent=percent),
    )
    outcomes = dict.fromkeys(name for one in found for name in one.effects.studies)
    if not outcomes:
        return nothing_to_draw(caption, "adoption_no_studies", language, table="adoption_intake")
    places = [(one, outcome) for outcome in outcomes for one in found]
    n_columns = len(found) if len(found) > 1 else min(PANELS_ABREAST, len(places))
    n_rows = -(-len(places) // n_columns)
    figure = new_figure(16, 3.9 * n_rows + 0.8)
    panels = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, (one, outcome) in zip(panels, places, strict=False):
        if outcome in one.effects.studies:
            axes.set_axis_on()
            table = one.effects.studies[outcome].table
            _intake_panel(axes, outcome, table, settings.anticipation)
        title = sentence(
            "adoption_intake_panel",
            language,
            stage=label(one.stage, language),
            outcome=intake_name(outcome, language),
        )
        axes.set_title(wrapped_name(title, 48), fontsize=8.5)
    figure.supxlabel(label("adoption_axis_event_time", language), fontsize=8.5)
    names = label("list_separator", language).join(intake_name(name, language) for name in outcomes)
    alt = sentence("alt_adoption_intake", language, count=len(outcomes), outcomes=names)
    return FigureExhibit(caption, figure, alt, table="adoption_intake")


def _intake_panel(axes: "Axes", outcome: str, table: pd.DataFrame, anticipation: int) -> None:
    """Draw the effects on one outcome with pointwise bars and simultaneous bands; the base year is hollow."""
    if anticipation:
        axes.axvspan(-anticipation - 0.5, -0.5, color=ANTICIPATION_COLOUR, zorder=0, linewidth=0)
    axes.axhline(0, color=MUTED, linewidth=0.9, zorder=1)
    names = ("effect", "conf_low", "conf_high", "band_low", "band_high")
    values = {name: intake_values(outcome, table[name].to_numpy(dtype=float)) for name in names}
    at, is_base = table["event_time"].to_numpy(dtype=float), table["is_base"].to_numpy(dtype=bool)
    axes.vlines(at, values["band_low"], values["band_high"], color="#c3d7e6", linewidth=6, zorder=2)
    axes.vlines(at, values["conf_low"], values["conf_high"], color=PALETTE[0], linewidth=1.4, zorder=3)
    look = {"linestyle": "none", "marker": "o", "color": PALETTE[0], "markersize": 4.5}
    axes.plot(at[~is_base], values["effect"][~is_base], zorder=4, **look)
    axes.plot(at[is_base], values["effect"][is_base], markerfacecolor="white", zorder=4, **look)
    axes.set_xticks(at.tolist(), [tick_text(time, 0) for time in at], fontsize=7.5)
    axes.tick_params(axis="y", labelsize=7.5)


def _caption(
    key: str, study: AdoptionStudy, language: Language, *, interval: str = "adoption_interval_t"
) -> Caption:
    """Return the caption of a figure of one study, whose key does not change with the study."""
    percent = format_number(PERCENT * study.settings.event_study.confidence_level, 0)
    words = sentence(interval, language, percent=percent) if interval else ""
    return replace(adoption_figure_caption(key, language, study=study, interval=words), key=key)


def _draw_estimate(
    axes: "Axes", effect: float, limits: tuple[float, float], at: int, *, hollow: bool = False
) -> None:
    """Draw a point with its interval; without one, or where it only diagnoses, the point is hollow."""
    colour = PALETTE[4] if hollow else PALETTE[0]
    if np.isfinite(limits).all():
        axes.plot(limits, [at, at], color=colour, linewidth=1.6, linestyle="--" if hollow else "-")
        axes.plot(limits, [at, at], linestyle="none", marker="|", color=colour, markersize=8)
    filled = np.isfinite(limits).all() and not hollow
    axes.plot(
        [effect], [at], marker="o", linestyle="none", color=colour,
        markerfacecolor=colour if filled else "white",
    )  # fmt: skip


def _printed(row: pd.Series, language: Language) -> str:
    """Return an estimate in words, with the placebo p-value where it has that instead of an interval."""
    number = format_number(row["estimate"], EFFECT_DECIMALS)
    if np.isfinite(row["conf_low"]):
        return number
    if np.isfinite(row["p_value"]):
        words = sentence("adoption_placebo_p_text", language, p_value=p_value_text(row["p_value"]))
    else:
        words = label("adoption_interval_none", language)
    return sentence("adoption_outcome_in_unit", language, name=number, unit=words)


def _annotate(axes: "Axes", text: str, effect: float, at: int) -> None:
    """Print a number some points above its row."""
    axes.annotate(
        text, (effect, at), xytext=(0, 5), textcoords="offset points", ha="center", fontsize=8, color=INK,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
    )  # fmt: skip


def _refused(axes: "Axes", at: int, language: Language) -> None:
    """Print at zero that there is no estimate."""
    axes.text(
        0, at, label("refused", language), ha="center", va="center", fontsize=8, color=MUTED,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
    )  # fmt: skip


def _main_line(axes: "Axes", study: AdoptionStudy, language: Language) -> None:
    """Draw zero and the average effect of all schools that joined."""
    axes.axvline(0, color=MUTED, linewidth=0.9, zorder=0)
    if study.event_study is not None:
        axes.axvline(
            study.event_study.average.effect, color=PALETTE[1], linestyle="--", linewidth=1.4, zorder=0,
            label=label("adoption_all_schools", language),
        )  # fmt: skip


def _effect_axis(axes: "Axes", study: AdoptionStudy, language: Language) -> None:
    in_sd = study.sample.outcome == "achievement"
    axes.set_xlabel(label("adoption_axis_effect" if in_sd else "adoption_axis_outcome_effect", language))
    format_effects(axes.xaxis)
