"""Yearly series against limits in small multiples, and changes by their parts, as figures."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.exhibits import Caption, exhibit_caption
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.theme import INK, MUTED, PALETTE, height_for_rows, new_figure, show_rows, wrapped_name
from toolkit.standards import Standard, indicator_name
from toolkit.variation.changes import YearlyChanges
from toolkit.variation.limit_series import LimitSeries, series_breaks
from toolkit.variation.series_names import scale_of, series_name, unit_of_series
from toolkit.vocabulary import Language, label, sentence

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

PANELS_PER_ROW = 3
ROW_HEIGHT = 4.6
ITEMS_DRAWN = 12
# Stages, and subjects of an item, are told apart by colour and marker; dashes are for limits.
MARKERS = ("o", "s", "^", "D", "v", "P")
PART_LOOKS = {
    "stock_part": (PALETTE[0], ""),
    "enrolment_part": (PALETTE[1], "///"),
    "schools_part": (PALETTE[4], "..."),
}
PERCENT = 100
NO_BREAK_SPACE = "\u00a0"


def plot_mean_series(found: LimitSeries, standard: Standard, language: Language) -> FigureExhibit:
    """Plot every county mean over the years with the minimum of each school, one panel per indicator."""
    return _plot_series(found, standard, "mean", language)


def plot_coefficient_series(found: LimitSeries, standard: Standard, language: Language) -> FigureExhibit:
    """Plot every coefficient over the years with its limits, one panel per indicator."""
    return _plot_series(found, standard, "coefficient", language)


def plot_item_series(found: LimitSeries, standard: Standard, language: Language) -> FigureExhibit:
    """Plot the items that are not met or that moved, those not met first, one panel per item."""
    own = found.series[found.series["subject"].isin(["item", "item_units"])].dropna(subset="value")
    own = own[own["standard"] == standard.id]
    trends = found.trends.set_index("code")["is_met"]
    moved = own.groupby("code", sort=False).agg(years=("year", "nunique"), spread=("value", np.ptp))
    missed = {str(code) for code, met in trends.items() if met == "fail"}
    chosen = [
        str(code)
        for code, row in moved.iterrows()
        if row["years"] > 1 and (row["spread"] > 0 or code in missed)
    ]
    chosen.sort(key=lambda code: code not in missed)
    chosen = chosen[:ITEMS_DRAWN]
    caption = exhibit_caption("figure_item_series", language, count=ITEMS_DRAWN)
    return _small_multiples(own, chosen, found, standard, caption, "item_trends", language)


def plot_mean_changes(changes: YearlyChanges, standard: Standard, language: Language) -> FigureExhibit:
    """Plot the parts of the change of every county mean over the longest span."""
    table = changes.means
    relative = table.assign(
        **{
            name: PERCENT * table[name] / table["mean_before"]
            for name in ("change", "stock_part", "enrolment_part")
        }
    )
    axis = f"{label('axis_relative_change', language)} (%)"
    parts = ("stock_part", "enrolment_part")
    return _plot_parts(relative, parts, "mean_changes", axis, standard, language)


def plot_coefficient_changes(changes: YearlyChanges, standard: Standard, language: Language) -> FigureExhibit:
    """Plot the parts of the change of every coefficient over the longest span."""
    axis = label("axis_coefficient_change", language)
    return _plot_parts(
        changes.coefficients, tuple(PART_LOOKS), "coefficient_changes", axis, standard, language
    )


def _plot_series(found: LimitSeries, standard: Standard, subject: str, language: Language) -> FigureExhibit:
    own = found.series[(found.series["subject"] == subject) & (found.series["standard"] == standard.id)]
    own = own.dropna(subset="value")
    caption = exhibit_caption(f"figure_{subject}_series", language)
    codes = [str(code) for code in dict.fromkeys(own["code"])]
    return _small_multiples(own, codes, found, standard, caption, f"{subject}_trends", language)


def _small_multiples(
    own: pd.DataFrame,
    codes: list[str],
    found: LimitSeries,
    standard: Standard,
    caption: Caption,
    table: str,
    language: Language,
) -> FigureExhibit:
    """Draw one panel per code; all panels share the years, each has its own scale."""
    n_rows = max(1, -(-len(codes) // PANELS_PER_ROW))
    figure = new_figure(16, ROW_HEIGHT * n_rows + 1.2)
    panels = figure.subplots(n_rows, PANELS_PER_ROW, sharex=True, squeeze=False).ravel()
    for axes in panels[len(codes) :]:
        axes.set_visible(False)
    handles: dict[str, Artist] = {}
    for axes, code in zip(panels, codes, strict=False):
        part = own[own["code"] == code]
        handles |= _draw_panel(axes, part, found, standard, code, language)
    shown = [position for position in range(len(codes)) if position + PANELS_PER_ROW >= len(codes)]
    for position in shown:
        panels[position].tick_params(labelbottom=True)
    if codes:
        handles |= _keys(own[own["code"].isin(codes)], found, codes, language)
        figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=4)
        years = own["year"]
        first, last = str(int(years.min())), str(int(years.max()))
    else:
        figure.text(0.5, 0.5, label("nothing_to_draw", language), ha="center", va="center", color=INK)
        first = last = "–"
    alt = sentence("alt_series", language, count=len(codes), first=first, last=last)
    return FigureExhibit(caption, figure, alt, table=table)


def _draw_panel(
    axes: "Axes", part: pd.DataFrame, found: LimitSeries, standard: Standard, code: str, language: Language
) -> dict[str, "Artist"]:
    """Draw the lines of one indicator or item; parts on both sides of a break are not joined."""
    subject = str(part["subject"].iloc[0])
    scale = scale_of(standard, subject, code)
    starts = [entry.year for entry in series_breaks(found, code)]
    handles: dict[str, Artist] = {}
    lines = list(part.groupby(["stage", "entry"], sort=False))
    for at, ((stage, entry), line) in enumerate(lines):
        colour, marker = PALETTE[at % len(PALETTE)], MARKERS[at % len(MARKERS)]
        line = line.sort_values("year")
        segment = np.searchsorted(starts, line["year"].to_numpy(), side="right")
        for number in np.unique(segment):
            piece = line[segment == number]
            axes.plot(piece["year"], scale * piece["value"], color=colour, linewidth=1.2)
        for complete, points in line.groupby(line["is_complete"].astype(bool)):
            axes.plot(
                points["year"],
                scale * points["value"],
                linestyle="none",
                marker=marker,
                color=colour,
                markersize=3.6,
                markerfacecolor=colour if complete else "white",
            )
        if len(lines) > 1:
            handles[label(str(entry or stage), language)] = _key_line(colour, marker)
        limit = float(line["limit"].iloc[-1])
        if np.isfinite(limit):
            limit_colour = colour if len(lines) > 1 else INK
            axes.axhline(scale * limit, color=limit_colour, linestyle="--", linewidth=0.9)
    for year in starts:
        axes.axvline(year - 0.5, color=INK, linestyle=":", linewidth=1.1)
    unit = unit_of_series(standard, subject, code, language)
    if subject == "item_units":
        unit = f"{label('axis_share_meeting', language)} ({unit})"
    name = series_name(standard, code, "", language)
    axes.set_title(_panel_title(name, language), fontsize=8)
    axes.set_ylabel(unit, fontsize=7.5)
    axes.tick_params(labelsize=7.5)
    axes.tick_params(axis="x", labelrotation=45)
    years = sorted(found.series["year"].unique())
    axes.set_xticks(years, labels=[str(int(year)) for year in years])
    axes.margins(y=0.15)
    # A series that does not move must not look as if it did.
    low, high = axes.get_ylim()
    if high - low < 0.02 * max(abs(high), abs(low)):
        centre = (low + high) / 2
        axes.set_ylim(centre - 0.02 * abs(centre) - 1e-9, centre + 0.02 * abs(centre) + 1e-9)
    return handles


def _panel_title(name: str, language: Language) -> str:
    """Return a name broken into lines that fit a panel; the number stays with the first Chinese words."""
    if language != "zh":
        return wrapped_name(name, 24)
    return wrapped_name(name.replace(" ", NO_BREAK_SPACE), 13).replace(NO_BREAK_SPACE, " ")


def _key_line(colour: str, marker: str) -> "Artist":
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, marker=marker, linewidth=1.2, markersize=3.6)


def _keys(own: pd.DataFrame, found: LimitSeries, codes: list[str], language: Language) -> dict[str, "Artist"]:
    """Return the keys of limits, breaks and hollow points, where there are any."""
    from matplotlib.lines import Line2D

    keys: dict[str, Artist] = {
        label("drawn_limit", language): Line2D([], [], color=INK, linestyle="--", linewidth=0.9)
    }
    if any(series_breaks(found, code) for code in codes):
        keys[label("drawn_break", language)] = Line2D([], [], color=INK, linestyle=":", linewidth=1.1)
    if not own["is_complete"].all():
        keys[label("drawn_incomplete", language)] = Line2D(
            [], [], color=MUTED, linestyle="none", marker="o", markerfacecolor="white", markersize=4
        )
    return keys


def _plot_parts(
    table: pd.DataFrame, parts: tuple[str, ...], key: str, axis: str, standard: Standard, language: Language
) -> FigureExhibit:
    """Draw the parts as stacked bars on both sides of zero, the total as a diamond."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    own = table[table["first_year"] == table["first_year"].min()].dropna(subset="change")
    stages = list(dict.fromkeys(own["stage"]))
    n_rows = int(own.groupby("stage").size().max()) if len(own) else 1
    figure = new_figure(16, 1.35 * height_for_rows(n_rows) + 1)
    panels = figure.subplots(1, max(1, len(stages)), sharey=True, sharex=True, squeeze=False)[0]
    for axes, stage in zip(panels, stages, strict=False):
        rows = own[own["stage"] == stage].reset_index(drop=True)
        _draw_parts(axes, rows, parts)
        names = [indicator_name(standard, code, language) for code in rows["indicator"]]
        show_rows(axes, names, width=14 if language == "zh" else 30)
        axes.set_title(label(str(stage), language))
        axes.set_xlabel(axis)
    span = (int(own["first_year"].min()), int(own["last_year"].max())) if len(own) else (0, 0)
    first, last = (str(year) if year else "–" for year in span)
    if own.empty:
        panels[0].set_axis_off()
        panels[0].text(0.5, 0.5, label("nothing_to_draw", language), ha="center", va="center", color=INK)
    handles: list[Artist] = [
        Patch(facecolor=PART_LOOKS[name][0], hatch=PART_LOOKS[name][1], edgecolor="white",
              label=label(f"drawn_{name}", language))
        for name in parts
    ]  # fmt: skip
    handles.append(
        Line2D([], [], color=INK, linestyle="none", marker="D", markersize=4.5,
               label=label("drawn_total_change", language))
    )  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    caption = exhibit_caption(f"figure_{key}", language, first=first, last=last)
    alt = sentence("alt_changes", language, count=len(own), first=first, last=last)
    return FigureExhibit(caption, figure, alt, table=key)


def _draw_parts(axes: "Axes", rows: pd.DataFrame, parts: tuple[str, ...]) -> None:
    right, left = np.zeros(len(rows)), np.zeros(len(rows))
    for name in parts:
        width = rows[name].to_numpy(dtype=float)
        start = np.where(width >= 0, right, left)
        colour, hatch = PART_LOOKS[name]
        axes.barh(range(len(rows)), width, left=start, height=0.6, facecolor=colour, hatch=hatch,
                  edgecolor="white")  # fmt: skip
        right, left = right + np.maximum(width, 0), left + np.minimum(width, 0)
    axes.plot(rows["change"], range(len(rows)), linestyle="none", marker="D", color=INK, markersize=4.5)
    axes.axvline(0, color=INK, linewidth=0.9)
