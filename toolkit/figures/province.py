"""The counties of a province as points: coefficients of one year, by indicator."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.exhibits import exhibit_caption
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.theme import INK, PALETTE, height_for_rows, new_figure, nice_limit, show_rows
from toolkit.standards import indicator_name
from toolkit.variation.province import Province
from toolkit.vocabulary import Language, format_number, label, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

LOOKS = {
    "band_met": (PALETTE[0], "o"),
    "band_near": (PALETTE[2], "D"),
    "band_above": (PALETTE[1], "^"),
    "band_undecided": (PALETTE[4], "s"),
    "": (PALETTE[4], "o"),
}
HALF_WIDTH = 0.32
# The golden ratio spreads neighbours far apart, whatever their number, and needs no random numbers.
GOLDEN = (5**0.5 - 1) / 2
ROW_HEIGHT = 1.5


def plot_province(province: Province, language: Language, *, year: int) -> FigureExhibit:
    """Plot the coefficient of every county in one year, one panel a stage, one row an indicator."""
    table = province.counties[province.counties["year"] == year].dropna(subset=["coefficient"])
    stages = list(dict.fromkeys(table["stage"]))
    ids = list(dict.fromkeys(table["indicator"]))
    names = [indicator_name(province.standard, name, language) for name in ids]
    figure = new_figure(16, max(height_for_rows(len(ids)), 2.4 + ROW_HEIGHT * len(ids)))
    panels = figure.subplots(1, max(1, len(stages)), sharey=True, squeeze=False)[0]
    end = nice_limit([*table["coefficient"], *table["limit"].dropna()])
    for axes, stage in zip(panels, stages, strict=False):
        own = table[table["stage"] == stage]
        for at, indicator in enumerate(ids):
            _draw(axes, own[own["indicator"] == indicator], at)
        axes.set_xlim(0, end)
        limits = own["limit"].dropna().unique()
        told = f" {label('line_limit', language)} {limits[0]:.2f}" if len(limits) == 1 else ""
        axes.set_title(f"{label(stage, language)}{told}")
        axes.set_xlabel(label("axis_coefficient", language))
    show_rows(panels[0], names, width=9 if language == "zh" else 18)
    bands = [band for band in LOOKS if band and (table["band"] == band).any()]
    figure.legend(handles=_legend(bands, language), loc="outside lower center", ncols=6)
    n_counties = table["county_id"].nunique()
    caption = exhibit_caption(
        "figure_province",
        language,
        n=sentence("n_counties_covered", language, count=n_counties),
        year=sentence("report_school_year", language, year=year, next_year=year + 1),
    )
    worst = province.limits[(province.limits["year"] == year)].nlargest(1, "median")
    alt = sentence("alt_province", language, count=n_counties, worst=_worst(province, worst, language))
    return FigureExhibit(caption, figure, alt, table="province_limits")


def _draw(axes: "Axes", own: pd.DataFrame, at: int) -> None:
    """Draw the counties of one row, their median and the limit."""
    ranked = own.sort_values(["coefficient", "county_id"], kind="stable")
    height = at + HALF_WIDTH * (2 * ((np.arange(len(ranked)) * GOLDEN) % 1) - 1)
    for band, (colour, marker) in LOOKS.items():
        chosen = (ranked["band"] == band).to_numpy(dtype=bool)
        axes.scatter(
            ranked["coefficient"].to_numpy()[chosen],
            height[chosen],
            s=13,
            color=colour,
            marker=marker,
            alpha=0.7,
            linewidths=0,
            # In front of the median's line, which would hide those beside it.
            zorder=3,
        )
    if len(ranked):
        middle = ranked["coefficient"].median()
        axes.plot([middle, middle], [at - 0.42, at + 0.42], color=INK, linewidth=1.6)
        limit = ranked["limit"].max()
        if not np.isnan(limit):
            axes.plot([limit, limit], [at - 0.5, at + 0.5], color=INK, linestyle="--", linewidth=1)


def _legend(bands: list[str], language: Language) -> list["Line2D"]:
    from matplotlib.lines import Line2D

    found = [
        Line2D([], [], linestyle="none", marker=LOOKS[band][1], color=LOOKS[band][0], markersize=5,
               label=label(band, language))
        for band in bands
    ]  # fmt: skip
    found.append(Line2D([], [], color=INK, label=label("line_median_of_counties", language)))
    if bands:
        found.append(Line2D([], [], color=INK, linestyle="--", label=label("line_limit", language)))
    return found


def _worst(province: Province, row: pd.DataFrame, language: Language) -> str:
    if row.empty:
        return ""
    first = row.iloc[0]
    name = indicator_name(province.standard, first["indicator"], language)
    return f"{label(first['stage'], language)} {name} {format_number(first['median'], 3)}"
