"""Effects by year since joining, average effects, and bounds if trends differ, as figures."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.study_words import in_words_of_unit, study_name
from toolkit.figures.adoption import (
    adoption_figure_caption,
    format_effects,
    nothing_to_draw,
    reach_of_effects,
)
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.theme import (
    INK,
    MUTED,
    PALETTE,
    height_for_rows,
    new_figure,
    show_rows,
    tick_text,
)
from toolkit.vocabulary import Language, format_number, label, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PERCENT = 100
PANELS_ABREAST = 2
BAND_COLOUR = "#c3d7e6"
ANTICIPATION_COLOUR = "#f3ead9"
EFFECT_DECIMALS = 3
LIMITS = ("low", "high")


@in_words_of_unit
def plot_event_studies(studies: Sequence[AdoptionStudy], language: Language) -> FigureExhibit:
    """Plot the effects by year since joining, one panel per estimated study; refused ones are named."""
    drawn = [study for study in studies if study.event_study is not None]
    caption = adoption_figure_caption(
        "figure_adoption_event_studies",
        language,
        notes=_refused(studies, language),
        interval=_interval("adoption_interval_event_study", drawn, language),
    )
    if not drawn:
        return nothing_to_draw(caption, "adoption_no_studies", language, table="adoption_design")
    n_columns = min(PANELS_ABREAST, len(drawn))
    n_rows = -(-len(drawn) // n_columns)
    figure = new_figure(16, 6.4 * n_rows + 1.4)
    panels = figure.subplots(n_rows, n_columns, sharey=True, squeeze=False).ravel()
    for axes, study in zip(panels, drawn, strict=False):
        _event_panel(axes, study, language)
    for axes in panels[len(drawn) :]:
        axes.set_axis_off()
    for axes in panels[::n_columns]:
        axes.set_ylabel(label(_effect_axis(drawn), language))
    rows = pd.concat([_table(study) for study in drawn])
    reach = reach_of_effects(rows["effect"], rows["band_low"], rows["band_high"])
    if np.isfinite(reach):
        panels[0].set_ylim(-reach, reach)
        caption = replace(caption, notes=(*caption.notes, sentence("adoption_note_beyond_picture", language)))
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2)
    since = pd.concat([_table(study).query("event_time >= 0") for study in drawn])["effect"]
    alt = sentence(
        "alt_adoption_event_studies",
        language,
        count=len(drawn),
        low=format_number(since.min(), EFFECT_DECIMALS),
        high=format_number(since.max(), EFFECT_DECIMALS),
    )
    return FigureExhibit(caption, figure, alt, table="adoption_event_study")


@in_words_of_unit
def plot_effects(studies: Sequence[AdoptionStudy], language: Language) -> FigureExhibit:
    """Plot average effects with their printed intervals; without one the point is hollow, with a word."""
    drawn = [study for study in studies if study.event_study is not None]
    caption = adoption_figure_caption(
        "figure_adoption_effects", language, interval=_interval("adoption_interval_printed", drawn, language)
    )
    if not drawn:
        return nothing_to_draw(caption, "adoption_no_studies", language, table="adoption_design")
    figure = new_figure(16, height_for_rows(2 * len(studies)))
    axes = figure.subplots()
    axes.axvline(0, color=MUTED, linewidth=0.9, zorder=0)
    for at, study in enumerate(studies):
        _effect_row(axes, study, at, language)
    show_rows(axes, [study_name(study, language) for study in studies], width=32)
    axes.set_xlabel(label(_effect_axis(drawn), language))
    _pad(axes)
    effects = [study.event_study.average.effect for study in drawn if study.event_study is not None]
    alt = sentence(
        "alt_adoption_effects",
        language,
        count=len(studies),
        estimated=len(drawn),
        low=format_number(min(effects), EFFECT_DECIMALS),
        high=format_number(max(effects), EFFECT_DECIMALS),
    )
    return FigureExhibit(caption, figure, alt, table="adoption_effects")


@in_words_of_unit
def plot_bounds(study: AdoptionStudy, language: Language) -> FigureExhibit:
    """Plot the intervals that allow for differences in trends, by bound; a sentence where all are refused."""
    percent = format_number(PERCENT * study.settings.event_study.confidence_level, 0)
    caption = adoption_figure_caption(
        "figure_adoption_bounds",
        language,
        study=study,
        interval=sentence("adoption_interval_bounds", language, percent=percent),
    )
    if study.is_refused:
        return nothing_to_draw(caption, "adoption_not_estimated", language, table="adoption_design")
    if study.robustness is None:
        return nothing_to_draw(caption, "adoption_years_have_gaps", language, table="adoption_bounds")
    table = study.robustness.tidy()
    given = table[table["refusal"] == ""]
    if given.empty:
        reason = sentence(f"adoption_bound_{table['refusal'].iloc[0]}", language)
        return nothing_to_draw(
            caption, "adoption_bounds_refused", language, table="adoption_bounds", reason=reason
        )
    restrictions = list(dict.fromkeys(given["restriction"]))
    figure = new_figure(16, 8)
    panels = figure.subplots(1, len(restrictions), sharey=True, squeeze=False)[0]
    for axes, restriction in zip(panels, restrictions, strict=True):
        own = given[given["restriction"] == restriction]
        effect = own["estimate"].to_numpy(dtype=float)
        at = np.arange(len(own))
        axes.axhline(0, color=MUTED, linewidth=0.9, zorder=0)
        axes.vlines(at, own["conf_low"], own["conf_high"], color=PALETTE[0], linewidth=1.6)
        axes.plot(at, effect, linestyle="none", marker="o", color=PALETTE[0])
        axes.set_xticks(at.tolist(), [f"{bound:g}" for bound in own["bound"]])
        axes.set_xlim(-0.6, len(own) - 0.4)
        axes.set_xlabel(label(f"adoption_axis_{restriction}", language))
    panels[0].set_ylabel(label(_effect_axis([study]), language))
    format_effects(panels[0].yaxis)
    zero = int(((given["conf_low"] <= 0) & (given["conf_high"] >= 0)).sum())
    alt = sentence("alt_adoption_bounds", language, count=len(given), zero=zero)
    return FigureExhibit(caption, figure, alt, table="adoption_bounds")


def _event_panel(axes: "Axes", study: AdoptionStudy, language: Language) -> None:
    """Draw one study: points, pointwise bars, simultaneous band, hollow base, years of anticipation."""
    table, settings = _table(study), study.settings.event_study
    percent = format_number(PERCENT * settings.confidence_level, 0)
    if settings.anticipation:
        axes.axvspan(
            -settings.anticipation - 0.5, -0.5, color=ANTICIPATION_COLOUR, zorder=0, linewidth=0,
            label=label_of("anticipation", language, percent),
        )  # fmt: skip
    axes.axhline(0, color=MUTED, linewidth=0.9, zorder=1)
    base, points = table[table["is_base"]], table[~table["is_base"]]
    at = points["event_time"].to_numpy(dtype=float)
    bands = points.dropna(subset=["band_low", "band_high"])
    axes.vlines(
        bands["event_time"], bands["band_low"], bands["band_high"], color=BAND_COLOUR, linewidth=7, zorder=2,
        label=label_of("band", language, percent),
    )  # fmt: skip
    effect = points["effect"].to_numpy(dtype=float)
    lengths = np.vstack([effect - points["conf_low"], points["conf_high"] - effect])
    axes.errorbar(
        at, effect, yerr=lengths, linestyle="none", color=PALETTE[0], elinewidth=1.4, marker="o", zorder=3,
        label=label_of("pointwise", language, percent),
    )  # fmt: skip
    axes.plot(
        base["event_time"], base["effect"], linestyle="none", marker="o", markersize=6, color=PALETTE[0],
        markerfacecolor="white", zorder=4, label=label_of("base", language, percent),
    )  # fmt: skip
    joined = study.sample.units["adoption_year"].notna()
    title = sentence(
        "adoption_panel_title",
        language,
        study=study_name(study, language),
        adopters=int(joined.sum()),
        groups=len(study.sample.units.loc[joined, ["county_id", "school_group"]].drop_duplicates()),
    )
    axes.set_title(title, fontsize=9)
    axes.set_xticks(table["event_time"].tolist(), [tick_text(time, 0) for time in table["event_time"]])
    axes.set_xlabel(label("adoption_axis_event_time", language))
    format_effects(axes.yaxis)


def label_of(name: str, language: Language, percent: str) -> str:
    """Return an entry of the legend of an event study."""
    return sentence(f"adoption_legend_{name}", language, percent=percent)


def _effect_row(axes: "Axes", study: AdoptionStudy, at: int, language: Language) -> None:
    """Draw one study of the forest: its interval, a hollow point with a word, or only the word."""
    if study.event_study is None or study.interval is None:
        _annotate(axes, label("refused", language), 0.0, at, above=-3)
        return
    effect, printed = study.event_study.average.effect, study.interval
    number = format_number(effect, EFFECT_DECIMALS)
    if np.isnan(printed.conf_low):
        axes.plot([effect], [at], marker="o", linestyle="none", color=PALETTE[0], markerfacecolor="white")
        words = label("adoption_interval_none", language)
        _annotate(axes, sentence("adoption_outcome_in_unit", language, name=number, unit=words), effect, at)
        return
    finite = [limit for limit in (printed.conf_low, printed.conf_high) if np.isfinite(limit)]
    axes.plot([*finite, effect], [at] * (len(finite) + 1), color=PALETTE[0], linewidth=1.6)
    for limit in finite:
        axes.plot([limit], [at], marker="|", color=PALETTE[0], markersize=9)
    axes.plot([effect], [at], marker="o", linestyle="none", color=PALETTE[0])
    if len(finite) < len(LIMITS):
        limits = {name: format_number(getattr(printed, f"conf_{name}"), EFFECT_DECIMALS) for name in LIMITS}
        words = sentence("adoption_range", language, **limits)
        number = sentence("adoption_outcome_in_unit", language, name=number, unit=words)
    _annotate(axes, number, effect, at)


def _annotate(axes: "Axes", text: str, effect: float, at: int, *, above: int = 6) -> None:
    """Print a number or word some points above its row."""
    axes.annotate(
        text,
        (effect, at),
        xytext=(0, above),
        textcoords="offset points",
        ha="center",
        fontsize=8,
        color=INK,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
    )


def _pad(axes: "Axes") -> None:
    """Leave room for the words at the points."""
    low, high = axes.get_xlim()
    space = max(0.08 * (high - low), 0.02)
    axes.set_xlim(low - space, high + space)
    format_effects(axes.xaxis)


def _table(study: AdoptionStudy) -> pd.DataFrame:
    if study.event_study is None:
        raise ValueError("the design was refused: there is no event study")
    return study.event_study.table


def _effect_axis(studies: Sequence[AdoptionStudy]) -> str:
    """Return the label of an axis of effects: in standard deviations where all outcomes are achievement."""
    in_sd = all(study.sample.outcome == "achievement" for study in studies)
    return "adoption_axis_effect" if in_sd else "adoption_axis_outcome_effect"


def _refused(studies: Sequence[AdoptionStudy], language: Language) -> tuple[str, ...]:
    names = [study_name(study, language) for study in studies if study.is_refused]
    if not names or len(names) == len(studies):
        return ()
    joined = label("report_list_separator", language).join(names)
    return (sentence("adoption_note_not_drawn", language, studies=joined),)


def _interval(name: str, studies: Sequence[AdoptionStudy], language: Language) -> str:
    levels = sorted({study.settings.event_study.confidence_level for study in studies})
    percent = "/".join(format_number(PERCENT * level, 0) for level in levels)
    return sentence(name, language, percent=percent) if levels else ""
