"""Coefficients against their limits, and schools against their minima, as figures."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.exhibits import exhibit_caption, schools_counted
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.theme import (
    INK,
    MUTED,
    PALETTE,
    height_for_rows,
    new_figure,
    nice_limit,
    pinyin_order,
    show_rows,
)
from toolkit.standards import indicator_name
from toolkit.variation.compliance import Compliance
from toolkit.vocabulary import Language, format_number, label, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

VERDICT_COLOURS = {"pass": PALETTE[0], "fail": PALETTE[1], "undecided": "#b9c3cc", "": PALETTE[0]}
VERDICT_HATCHES = {"pass": "", "fail": "///", "undecided": "...", "": ""}
SIGNS = {"pass": "√", "fail": "×", "undecided": "○", "": ""}
SCHOOLS_DRAWN = 40
# Where the column of numbers begins, as a share of the axis.
NUMBERS_FROM = 0.8


def plot_coefficients(compliance: Compliance, language: Language) -> FigureExhibit:
    """Plot the coefficient of every indicator as a bar against the limit of its stage."""
    table = compliance.coefficients
    stages = list(dict.fromkeys(table["stage"]))
    n_rows = int(table.groupby("stage").size().max())
    figure = new_figure(16, 1.5 * height_for_rows(n_rows))
    panels = figure.subplots(1, len(stages), sharey=True, squeeze=False)[0]
    top = nice_limit([*table["coefficient"].dropna(), *table["limit"].dropna()], headroom=0.42)
    for axes, stage in zip(panels, stages, strict=True):
        own = table[table["stage"] == stage].reset_index(drop=True)
        names = [indicator_name(compliance.standard, indicator, language) for indicator in own["indicator"]]
        bars = axes.barh(range(len(own)), own["coefficient"].fillna(0), height=0.6)
        for at, (bar, row) in enumerate(zip(bars, own.to_dict("records"), strict=True)):
            verdict = row["verdict"]
            bar.set(facecolor=VERDICT_COLOURS[verdict], edgecolor="white", hatch=VERDICT_HATCHES[verdict])
            if row["n_missing"] and np.isfinite(row["low"]):
                end = min(row["high"], NUMBERS_FROM * top)
                axes.plot([row["low"], end], [at, at], color=INK, linewidth=1.1)
            # One column of numbers at the right, clear of bars and limit.
            axes.annotate(
                format_number(row["coefficient"], 3),
                (top, at),
                xytext=(-2, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=8,
            )
        limit = own["limit"].max()
        if not np.isnan(limit):
            axes.axvline(limit, color=INK, linestyle="--", linewidth=1.2)
            title = f"{label(stage, language)}（{label('line_limit', language)} {limit:.2f}）"
            axes.set_title(title if language == "zh" else title.replace("（", " (").replace("）", ")"))
        else:
            axes.set_title(label(stage, language))
        show_rows(axes, names, width=14 if language == "zh" else 30)
        axes.set_xlim(0, top)
        axes.set_xlabel(label("axis_coefficient", language))
    from matplotlib.patches import Patch

    shown = [verdict for verdict in ("pass", "fail", "undecided") if verdict in set(table["verdict"])]
    figure.legend(
        handles=[
            Patch(
                facecolor=VERDICT_COLOURS[name],
                hatch=VERDICT_HATCHES[name],
                edgecolor="white",
                label=label(f"verdict_{name}_short", language),
            )
            for name in shown
        ],
        loc="outside lower center",
        ncols=3,
    )
    largest = table.iloc[int(table["coefficient"].fillna(-1).argmax())]
    highest = indicator_name(compliance.standard, largest["indicator"], language)
    alt = sentence(
        "alt_coefficients",
        language,
        count=len(table),
        above=int((table["verdict"] == "fail").sum()),
        highest=f"{label(largest['stage'], language)} {highest}",
        value=format_number(largest["coefficient"], 3),
    )
    return FigureExhibit(exhibit_caption("figure_coefficients", language), figure, alt, table="coefficients")


def plot_schools(compliance: Compliance, stage: str, language: Language) -> FigureExhibit:
    """Plot value over minimum of every indicator in the schools that miss one or are not judged.

    Schools stand in the order of their pinyin; where there are more than fit, those with the
    lowest ratios are drawn.
    """
    schools = compliance.schools[compliance.schools["stage"] == stage]
    chosen = schools[(schools["verdict"] != "pass") | (schools["missed"].map(len) > 0)]
    if chosen.empty:
        chosen = schools
    values = compliance.indicator_values[compliance.indicator_values["stage"] == stage]
    ratios = values.pivot(index="school_id", columns="indicator", values="ratio").reindex(
        index=chosen["school_id"], columns=[indicator.id for indicator in compliance.standard.indicators]
    )
    if len(ratios) > SCHOOLS_DRAWN:
        ratios = ratios.loc[ratios.min(axis=1).nsmallest(SCHOOLS_DRAWN).index]
    names = dict(zip(chosen["school_id"], chosen["school_name"], strict=True))
    order = pinyin_order(names[school] for school in ratios.index)
    ratios = ratios.iloc[np.argsort([order.index(names[school]) for school in ratios.index], kind="stable")]
    verdicts = dict(zip(chosen["school_id"], chosen["verdict"], strict=True))
    drawn = [f"{SIGNS[verdicts[school]]} {names[school]}".strip() for school in ratios.index]
    figure = new_figure(16, height_for_rows(len(drawn)) + 0.6)
    _heat_map(figure.subplots(), ratios, drawn, compliance, language)
    missed = int((ratios < 1).to_numpy().sum())
    caption = exhibit_caption(
        f"figure_schools_{stage}",
        language,
        n=schools_counted(len(drawn), language),
        notes=(sentence("note_figure_schools", language),),
    )
    alt = sentence("alt_schools", language, count=len(drawn), missed=missed)
    return FigureExhibit(caption, figure, alt, table="school_verdicts")


def _heat_map(
    axes: "Axes", ratios: pd.DataFrame, names: list[str], compliance: Compliance, language: Language
) -> None:
    """Draw ratios with three classes: below the floor, below the minimum, met."""
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Patch

    if not names:
        axes.set_axis_off()
        axes.text(0.5, 0.5, schools_counted(0, language), ha="center", va="center", color=INK)
        return
    rule = compliance.standard.pass_rule
    floor = rule.floor_ratio if rule else 1.0
    colours = ["#d17a00", "#f3d9a8", "#dbe8f2"]
    shown = ratios.to_numpy(dtype=float)
    axes.imshow(
        np.ma.masked_invalid(shown),
        cmap=ListedColormap(colours),
        aspect="auto",
        norm=BoundaryNorm([-1, floor - 1e-9, 1 - 1e-9, np.inf], 3),
    )
    for row, column in np.ndindex(*shown.shape):
        text = format_number(float(shown[row, column]), 2)
        axes.text(column, row, text, ha="center", va="center", fontsize=7.5, color=INK)
    axes.set_xticks(range(shown.shape[1]), labels=list(ratios.columns))
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    show_rows(axes, names, width=18 if language == "zh" else 36)
    labels = ("below_floor_short", "below_minimum_short", "verdict_pass_short", "missing_short")
    axes.figure.legend(
        handles=[
            Patch(facecolor=colour, edgecolor=MUTED, label=label(name, language))
            for colour, name in zip([*colours, "white"], labels, strict=True)
        ],
        loc="outside lower center",
        ncols=4,
    )
