"""Drivers, Lorenz curves and trends of the coefficients, as figures."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.exhibits import exhibit_caption
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.theme import (
    INK,
    PALETTE,
    RULE,
    new_figure,
    nice_limit,
    show_rows,
    wrapped_name,
)
from toolkit.standards import Standard, indicator_name
from toolkit.variation.locations import LocationComparison
from toolkit.variation.school_drivers import SchoolDrivers
from toolkit.variation.series import CoefficientTrends
from toolkit.vocabulary import Language, label, sentence

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

LINE_STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), "-")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
COEFFICIENTS_DRAWN = 4
CURVES_DRAWN = 3
SIDE_COLOURS = {"above": PALETTE[0], "below": PALETTE[1]}
SIDE_HATCHES = {"above": "", "below": "///"}
SIDE_MARKERS = {"above": "o", "below": "^"}
SCHOOLS_PER_COEFFICIENT = 8


def plot_drivers(
    drivers: SchoolDrivers, standard: Standard, language: Language, *, named: bool = True
) -> FigureExhibit:
    """Plot the schools that contribute most to the four largest coefficients.

    Where none is named, every school is a point without a name.
    """
    schools = drivers.schools
    largest = _largest_coefficients(schools)
    figure = new_figure(16, 13.5)
    panels = figure.subplots(2, 2, squeeze=False).ravel()
    for axes in panels[len(largest) :]:
        axes.set_visible(False)
    for axes, (stage, indicator) in zip(panels, largest, strict=False):
        own = schools[(schools["stage"] == stage) & (schools["indicator"] == indicator)]
        (_draw_largest if named else _draw_points)(axes, own, language)
        name = indicator_name(standard, indicator, language)
        axes.set_title(
            wrapped_name(f"{label(stage, language)} {name}", 20 if language == "zh" else 32), fontsize=8.5
        )
    figure.legend(handles=_key_of_sides(language, named=named), loc="outside lower center", ncols=2)
    # Schools that are all alike have no variance to share.
    shares = schools["variance_share"].fillna(0.0)
    share = f"{100 * shares.max():.0f}%"
    if not named:
        caption = exhibit_caption("figure_drivers", language, notes=(sentence("not_named", language),))
        alt = sentence("alt_drivers_unnamed", language, share=share)
        return FigureExhibit(caption, figure, alt, table="drivers")
    first = schools.iloc[int(shares.argmax())]
    alt = sentence("alt_drivers", language, school=first["school_name"], share=share)
    return FigureExhibit(exhibit_caption("figure_drivers", language), figure, alt, table="drivers")


def _largest_coefficients(schools: pd.DataFrame) -> list[tuple[str, str]]:
    """Return stage and indicator of the largest coefficients, the largest first."""
    spread = schools.assign(weighted=schools["student_share"] * schools["value"])
    mean = spread.groupby(["stage", "indicator"])["weighted"].transform("sum")
    spread["square"] = spread["student_share"] * (spread["value"] / mean - 1) ** 2
    squares = spread.groupby(["stage", "indicator"])["square"].sum().nlargest(COEFFICIENTS_DRAWN)
    return [(str(stage), str(indicator)) for stage, indicator in squares.index]


def _draw_largest(axes: "Axes", schools: pd.DataFrame, language: Language) -> None:
    """Draw a bar for each school that contributes much, the largest first."""
    own = schools.nlargest(SCHOOLS_PER_COEFFICIENT, "variance_share")
    above = (own["value"] > own["mean"]).to_numpy(dtype=bool)
    bars = axes.barh(range(len(own)), 100 * own["variance_share"], height=0.62)
    for bar, is_above in zip(bars, above, strict=True):
        side = "above" if is_above else "below"
        bar.set(facecolor=SIDE_COLOURS[side], hatch=SIDE_HATCHES[side], edgecolor="white")
    show_rows(axes, list(own["school_name"]), width=9 if language == "zh" else 16)
    axes.tick_params(axis="y", labelsize=7.5)
    axes.set_xlabel(f"{label('axis_contribution', language)} (%)")


def _draw_points(axes: "Axes", schools: pd.DataFrame, language: Language) -> None:
    """Draw every school where its value and its contribution lie, without a name."""
    above = schools["value"] > schools["mean"]
    for side, own in (("above", schools[above]), ("below", schools[~above])):
        axes.scatter(
            own["value"] / own["mean"],
            100 * own["variance_share"],
            s=16,
            marker=SIDE_MARKERS[side],
            color=SIDE_COLOURS[side],
            alpha=0.75,
            linewidths=0,
            clip_on=False,
        )
    axes.axvline(1, color=INK, linestyle="--", linewidth=1)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(label("axis_value_to_mean", language))
    axes.set_ylabel(f"{label('axis_contribution', language)} (%)")


def _key_of_sides(language: Language, *, named: bool) -> "list[Artist]":
    """Return the key of the two sides of the county mean: bars, or points where no school is named."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    names = {side: label(f"drawn_{side}_mean", language) for side in SIDE_COLOURS}
    if not named:
        return [
            Line2D([], [], linestyle="none", marker=SIDE_MARKERS[side], color=colour, label=names[side])
            for side, colour in SIDE_COLOURS.items()
        ]
    return [
        Patch(facecolor=colour, hatch=SIDE_HATCHES[side], edgecolor="white", label=names[side])
        for side, colour in SIDE_COLOURS.items()
    ]


def plot_lorenz_curves(
    comparison: LocationComparison, standard: Standard, language: Language
) -> FigureExhibit:
    """Plot the Lorenz curve of every indicator, one panel per stage."""
    curves = comparison.curves
    stages = list(dict.fromkeys(curves["stage"]))
    figure = new_figure(16, 9.2)
    panels = figure.subplots(1, len(stages), sharey=True, squeeze=False)[0]
    ids = [indicator.id for indicator in standard.indicators]
    for axes, stage in zip(panels, stages, strict=True):
        axes.plot([0, 100], [0, 100], color=RULE, linewidth=2, label=label("line_equal", language))
        ginis = comparison.table[comparison.table["stage"] == stage].set_index("indicator")["gini"]
        chosen = set(ginis.nlargest(CURVES_DRAWN).index)
        drawn = curves[(curves["stage"] == stage) & curves["indicator"].isin(chosen)]
        for indicator, own in drawn.groupby("indicator", sort=False):
            at = ids.index(str(indicator))
            axes.plot(
                100 * own["student_share"],
                100 * own["amount_share"],
                color=PALETTE[at % len(PALETTE)],
                linestyle=LINE_STYLES[at % len(LINE_STYLES)],
                linewidth=1.2,
                label=str(indicator),
            )
        axes.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
        axes.set_title(label(stage, language))
        axes.set_xlabel(f"{label('axis_share_students', language)} (%)")
        axes.legend(loc="upper left")
    panels[0].set_ylabel(f"{label('axis_share_resource', language)} (%)")
    farthest = comparison.table.iloc[int(comparison.table["gini"].argmax())]
    name = indicator_name(standard, farthest["indicator"], language)
    alt = sentence("alt_lorenz", language, indicator=f"{label(farthest['stage'], language)} {name}")
    caption = exhibit_caption("figure_lorenz", language, notes=(_key_of_indicators(standard, language),))
    return FigureExhibit(caption, figure, alt, table="inequality")


def plot_trends(trends: CoefficientTrends, standard: Standard, language: Language) -> FigureExhibit:
    """Plot every coefficient over the years against its limit, one panel per stage.

    Years in which a school does not report are drawn hollow.
    """
    series = trends.series.dropna(subset="coefficient")
    stages = list(dict.fromkeys(series["stage"]))
    ids = [*(indicator.id for indicator in standard.indicators), "composite"]
    figure = new_figure(16, 9.6)
    panels = figure.subplots(1, len(stages), sharey=True, squeeze=False)[0]
    for axes, stage in zip(panels, stages, strict=True):
        for indicator, own in series[series["stage"] == stage].groupby("indicator", sort=False):
            at = ids.index(str(indicator))
            colour = PALETTE[at % len(PALETTE)]
            axes.plot(
                own["year"],
                own["coefficient"],
                color=colour,
                linewidth=1.2,
                linestyle=LINE_STYLES[at % len(LINE_STYLES)],
                label=_short(str(indicator), language),
            )
            for hollow, part in own.groupby(own["n_missing"] > 0):
                axes.plot(
                    part["year"],
                    part["coefficient"],
                    linestyle="none",
                    marker=MARKERS[at % len(MARKERS)],
                    color=colour,
                    markerfacecolor="white" if hollow else colour,
                    markersize=4,
                )
        limit = series.loc[series["stage"] == stage, "limit"].max()
        if not np.isnan(limit):
            axes.axhline(limit, color=INK, linestyle="--", linewidth=1.2)
        limit_text = "" if np.isnan(limit) else f" {label('line_limit', language)} {limit:.2f}"
        axes.set_title(f"{label(stage, language)}{limit_text}")
        axes.set_xlabel(label("year_axis", language))
        axes.set_xticks(sorted(series["year"].unique()))
        axes.tick_params(axis="x", labelrotation=45)
    panels[0].set_ylabel(label("axis_coefficient", language))
    panels[0].set_ylim(0, nice_limit([*series["coefficient"], *series["limit"].dropna()]))
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=8)
    alt = sentence("alt_trends", language, first=int(series["year"].min()), last=int(series["year"].max()))
    caption = exhibit_caption("figure_trends", language, notes=(_key_of_indicators(standard, language),))
    return FigureExhibit(caption, figure, alt, table="trends")


def _key_of_indicators(standard: Standard, language: Language) -> str:
    names = [indicator_name(standard, indicator.id, language) for indicator in standard.indicators]
    return label("report_list_separator", language).join(names)


def _short(indicator_id: str, language: Language) -> str:
    return label("composite_short", language) if indicator_id == "composite" else indicator_id
