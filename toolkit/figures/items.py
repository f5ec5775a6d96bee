"""Class sizes against the limit of each stage, as a figure."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.exhibits import exhibit_caption
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.theme import INK, PALETTE, new_figure, nice_limit
from toolkit.indicators.class_sizes import ClassSizes
from toolkit.indicators.formula_rows import band_bounds
from toolkit.results import Verdict
from toolkit.standards import Standard
from toolkit.variation.items import judge_range
from toolkit.vocabulary import Language, format_number, label, sentence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS: dict[Verdict, str] = {"pass": PALETTE[0], "fail": PALETTE[1], "undecided": "#b9c3cc"}
HATCHES: dict[Verdict, str] = {"pass": "", "fail": "///", "undecided": "..."}
LABELS: dict[Verdict, str] = {
    "pass": "class_within_limit",
    "fail": "class_above_limit",
    "undecided": "class_across_limit",
}


def plot_class_sizes(sizes: ClassSizes, standard: Standard, language: Language) -> FigureExhibit:
    """Plot the number of classes in each size band, stage by stage, marked by the limit of the stage."""
    stages = list(dict.fromkeys(sizes.bands["stage"]))
    verdicts = _verdicts(sizes, standard)
    bands = sizes.bands.assign(verdict=verdicts)
    figure = new_figure(16, 7.5)
    panels = figure.subplots(1, max(len(stages), 1), sharey=True, squeeze=False)[0]
    for axes, stage in zip(panels, stages, strict=False):
        own = bands[bands["stage"] == stage].reset_index(drop=True)
        bars = axes.bar(range(len(own)), own["n_classes"], width=0.8)
        for bar, verdict, count in zip(bars, own["verdict"], own["n_classes"], strict=True):
            bar.set(facecolor=COLOURS[verdict], edgecolor="white", hatch=HATCHES[verdict])
            if count:
                middle = bar.get_x() + bar.get_width() / 2
                axes.annotate(
                    format_number(count, 0),
                    (middle, count),
                    xytext=(0, 2),
                    textcoords="offset points",
                    ha="center",
                    fontsize=8,
                )
        axes.set_xticks(range(len(own)), labels=_band_labels(own["band"]), rotation=45, ha="right")
        axes.grid(visible=False, axis="x")
        axes.set_title(label(stage, language))
        axes.set_xlabel(label("axis_class_size", language))
    if stages:
        panels[0].set_ylabel(label("axis_classes", language))
        panels[0].set_ylim(0, nice_limit(bands["n_classes"], headroom=0.15))
        _legend(figure, set(verdicts), language)
    else:
        panels[0].set_axis_off()
        panels[0].text(0.5, 0.5, sentence("no_class_sizes", language), ha="center", va="center", color=INK)
    above = bands.loc[bands["verdict"] == "fail", "n_classes"].sum()
    alt = sentence(
        "alt_class_sizes",
        language,
        count=format_number(float(bands["n_classes"].sum()), 0),
        above=format_number(float(above), 0),
    )
    return FigureExhibit(exhibit_caption("figure_class_sizes", language), figure, alt, table="class_sizes")


def _verdicts(sizes: ClassSizes, standard: Standard) -> list[Verdict]:
    """Return whether each band of each stage lies within the limit of the standard for that stage."""
    low, high = band_bounds(sizes.bands["band"])
    items = {item.stage: item for item in standard.items if item.tested_on == "class"}
    found: list[Verdict] = []
    for stage, least, most in zip(sizes.bands["stage"], low, high, strict=True):
        item = items.get(stage)
        found.append(judge_range(least, most, item.comparator, item.limits) if item else "pass")
    return found


def _band_labels(bands: pd.Series) -> list[str]:
    low, high = band_bounds(bands)
    return [
        f"≥{least:.0f}" if np.isinf(most) else f"≤{most:.0f}" if least <= 1 else f"{least:.0f}–{most:.0f}"
        for least, most in zip(low, high, strict=True)
    ]


def _legend(figure: "Figure", present: set[Verdict], language: Language) -> None:
    from matplotlib.patches import Patch

    figure.legend(
        handles=[
            Patch(
                facecolor=COLOURS[name],
                hatch=HATCHES[name],
                edgecolor="white",
                label=label(text, language),
            )
            for name, text in LABELS.items()
            if name in present
        ],
        loc="outside lower center",
        ncols=3,
    )
