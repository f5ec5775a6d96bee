"""Segregation of groups of pupils over the years, as a figure."""

from typing import TYPE_CHECKING

import pandas as pd

from toolkit.exhibits import exhibit_caption
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.theme import INK, PALETTE, new_figure, nice_limit
from toolkit.variation.pupil_segregation import PupilSegregation
from toolkit.vocabulary import Language, format_number, label, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

MARKERS = ("o", "s", "^", "D", "v", "P")
COLUMNS = 2
PANEL_HEIGHT_CM = 5.2


def plot_segregation(segregation: PupilSegregation, language: Language) -> FigureExhibit:
    """Plot the dissimilarity index by year, one panel per group of pupils: raw and corrected.

    Years in which a school does not report are drawn hollow.
    """
    table = segregation.table.dropna(subset="dissimilarity")
    groups = list(dict.fromkeys(table["pupils"]))
    n_rows = max(1, -(-len(groups) // COLUMNS))
    figure = new_figure(16, PANEL_HEIGHT_CM * n_rows + 1.2)
    panels = figure.subplots(n_rows, COLUMNS, squeeze=False, sharex=True).ravel()
    for axes in panels[len(groups) :]:
        axes.set_axis_off()
    if not groups:
        panels[0].text(0.5, 0.5, sentence("people_no_data", language), ha="center", va="center", color=INK)
    years = sorted({int(year) for year in table["year"]})
    for axes, name in zip(panels, groups, strict=False):
        own = table[table["pupils"] == name]
        _lines(axes, own, language)
        axes.set_title(label(str(name), language))
        axes.set_xticks(years)
        axes.tick_params(axis="x", labelrotation=45, labelbottom=True)
        axes.set_ylim(
            min(0.0, own["dissimilarity_corrected"].min()), nice_limit(own["dissimilarity"], headroom=0.2)
        )
        axes.set_ylabel(label("segregation_axis", language))
        if len(set(own["part"])) > 1:
            axes.legend(loc="best", fontsize=7.5)
    if groups:
        figure.legend(handles=_legend(language), loc="outside lower center", ncols=3)
    latest = segregation.latest.dropna(subset="dissimilarity_corrected")
    told = [
        sentence(
            "alt_segregation_part",
            language,
            pupils=label(row["pupils"], language),
            part=label(row["part"], language),
            raw=format_number(row["dissimilarity"], 3),
            corrected=format_number(row["dissimilarity_corrected"], 3),
        )
        for row in latest.to_dict("records")
    ]
    alt = sentence("alt_segregation", language, parts=label("report_list_separator", language).join(told))
    return FigureExhibit(
        exhibit_caption("figure_segregation", language), figure, alt, table="segregation_trend"
    )


def _lines(axes: "Axes", own: pd.DataFrame, language: Language) -> None:
    """Draw the raw and the corrected index of every part of one group of pupils."""
    for at, (part, points) in enumerate(own.groupby("part", sort=False)):
        colour, marker = PALETTE[at % len(PALETTE)], MARKERS[at % len(MARKERS)]
        axes.plot(points["year"], points["dissimilarity"], color=colour, linestyle="--", linewidth=1.0)
        axes.plot(
            points["year"],
            points["dissimilarity_corrected"],
            color=colour,
            linewidth=1.5,
            marker=marker,
            label=label(str(part), language),
        )
        hollow = points[points["n_missing"] + points["n_inconsistent"] > 0]
        for name in ("dissimilarity", "dissimilarity_corrected"):
            axes.plot(
                hollow["year"],
                hollow[name],
                linestyle="none",
                marker=marker,
                color=colour,
                markerfacecolor="white",
            )


def _legend(language: Language) -> list["Line2D"]:
    """Return what the kinds of lines and points mean."""
    from matplotlib.lines import Line2D

    looks = {
        "segregation_corrected_line": {"linewidth": 1.5, "marker": "o"},
        "segregation_raw_line": {"linewidth": 1.0, "linestyle": "--"},
        "segregation_hollow": {"linestyle": "none", "marker": "o", "markerfacecolor": "white"},
    }
    return [Line2D([], [], color=INK, label=label(name, language), **look) for name, look in looks.items()]
