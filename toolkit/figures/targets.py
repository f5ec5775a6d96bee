"""Targets of a local plan against the county, as a dot plot."""

import numpy as np

from toolkit.exhibits import exhibit_caption
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.theme import INK, PALETTE, height_for_rows, new_figure, show_rows
from toolkit.standards import Target
from toolkit.variation.targets import TargetResults
from toolkit.vocabulary import Language, label, sentence

LARGEST_DRAWN = 2.0
LOOKS = {"pass": (PALETTE[0], "o"), "fail": (PALETTE[1], "X"), "undecided": (PALETTE[4], "D")}


def plot_targets(results: TargetResults, language: Language) -> FigureExhibit:
    """Plot how far every target that can be computed is attained, 1 being the target."""
    drawn = attainments(results)
    figure = new_figure(16, height_for_rows(len(drawn)) + 0.8)
    axes = figure.subplots()
    from matplotlib.lines import Line2D

    for at, (_, value, verdict) in enumerate(drawn):
        colour, marker = LOOKS[verdict]
        axes.plot([1, min(value, LARGEST_DRAWN)], [at, at], color=colour, linewidth=1)
        axes.plot(min(value, LARGEST_DRAWN), at, marker=marker, color=colour, markersize=6, clip_on=False)
    if drawn:
        names = [f"{target.id} {getattr(target.name, language)}" for target, _, _ in drawn]
        show_rows(axes, names, width=20 if language == "zh" else 40)
        axes.axvline(1, color=INK, linestyle="--", linewidth=1.1)
        axes.set_xlim(0, LARGEST_DRAWN)
        axes.set_xlabel(label("axis_attainment", language))
        shown = [name for name in LOOKS if name in {verdict for _, _, verdict in drawn}]
        keys = [
            Line2D([], [], color=LOOKS[name][0], marker=LOOKS[name][1], linestyle="none",
                   label=label(f"report_met_{name}", language))
            for name in shown
        ]  # fmt: skip
        figure.legend(handles=keys, loc="outside lower center", ncols=3)
    else:
        axes.set_axis_off()
        words = label("nothing_to_draw", language)
        if results.plan is None:
            words = sentence("no_plan_chosen", language)
        axes.text(0.5, 0.5, words, ha="center", va="center", color=INK)
    met = sum(verdict == "pass" for _, _, verdict in drawn)
    alt = sentence("alt_targets", language, count=len(drawn), met=met)
    return FigureExhibit(exhibit_caption("figure_targets", language), figure, alt, table="targets")


def attainments(results: TargetResults) -> list[tuple[Target, float, str]]:
    """Return target, attainment and verdict of every judged target whose attainment is a ratio."""
    if results.plan is None:
        return []
    drawn = []
    for row in results.table.to_dict("records"):
        target = results.plan.target(row["target"])
        value = _attainment(target, row)
        if row["verdict"] and np.isfinite(value):
            drawn.append((target, value, row["verdict"]))
    return drawn


def _attainment(target: Target, row: dict) -> float:
    """Return 1 at the target, less where it is missed; missing where no ratio says so."""
    if row["source"] == "absent" or np.isnan(row["value"]):
        return np.nan
    if row["in_parts"]:
        return float(row["value"])
    limit, value = target.limits[0], float(row["value"])
    if target.comparator in (">=", ">") and limit > 0:
        return value / limit
    if target.comparator in ("<=", "<") and value > 0:
        return limit / value
    return np.nan
