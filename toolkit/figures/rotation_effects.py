"""What rotation did, and how much there was of it, as figures."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.effects.flow_effects import FlowStudy
from toolkit.effects.flow_paths import FlowPaths
from toolkit.effects.flow_projection import FlowProjection
from toolkit.effects.rotation_data import RotationCounty, sum_doses
from toolkit.exhibits import Caption, exhibit_caption
from toolkit.figures.adoption import format_effects, nothing_to_draw, reach_of_effects
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.theme import (
    INK,
    MUTED,
    PALETTE,
    height_for_rows,
    new_figure,
    pinyin_order,
    show_rows,
    tick_text,
)
from toolkit.vocabulary import Language, format_number, label, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PERCENT = 100
DECIMALS = 3
STAGES = ("primary", "junior")
FLOW_LINES: dict[str, dict[str, Any]] = {
    "inflow": {"color": PALETTE[0], "linestyle": "-", "marker": "o"},
    "first_year_inflow": {"color": PALETTE[1], "linestyle": ":", "marker": "D"},
    "backbone_inflow": {"color": PALETTE[2], "linestyle": "--", "marker": "^"},
}
LARGEST_DOT = 70.0
MANY_SCHOOLS = 30
LOCATIONS = ("urban", "town_area", "rural")


def plot_flow_effects(studies: Sequence[FlowStudy], language: Language) -> FigureExhibit:
    """Plot receiving, sending and first-year effects of every stage with their intervals."""
    drawn = [study for study in studies if not study.is_refused]
    caption = rotation_figure_caption("figure_rotation_effects", language, level=_level(drawn))
    if not drawn:
        return nothing_to_draw(caption, "rotation_not_estimated", language, table="rotation_design")
    rows = [(study.sample.stage, row) for study in drawn for row in study.table.to_dict("records")]
    figure = new_figure(16, height_for_rows(2 * len(rows)))
    axes = figure.subplots()
    axes.axvline(0, color=MUTED, linewidth=0.9, zorder=0)
    for at, (stage, row) in enumerate(rows):
        colour = PALETTE[STAGES.index(stage)]
        axes.hlines(at, row["conf_low"], row["conf_high"], color=colour, linewidth=1.6)
        axes.plot(row["effect"], at, marker="o", color=colour, markersize=5)
        axes.annotate(
            format_number(row["effect"], DECIMALS),
            (row["effect"], at),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=INK,
        )
    names = [
        f"{label(stage, language)} · {label('flow_' + str(row['flow']), language)}" for stage, row in rows
    ]
    show_rows(axes, names, width=30)
    axes.set_xlabel(label("rotation_axis_effect", language))
    format_effects(axes.xaxis)
    effects = [row["effect"] for _, row in rows]
    alt = sentence(
        "alt_rotation_effects",
        language,
        count=len(rows),
        low=format_number(min(effects), DECIMALS),
        high=format_number(max(effects), DECIMALS),
    )
    return FigureExhibit(caption, figure, alt, table="rotation_flow_effects")


def plot_projections(found: Sequence[FlowProjection], language: Language) -> FigureExhibit:
    """Plot the outcome before and after a clean change of a flow, one panel per stage and flow."""
    panels = [
        (one.sample.stage, str(flow), rows.rename(columns={"horizon": "at"}))
        for one in found
        for flow, rows in one.table.groupby("flow", sort=False)
    ]
    return _panels("rotation_projections", panels, -1, language, level=_later_level(found))


def plot_paths(found: Sequence[FlowPaths], language: Language) -> FigureExhibit:
    """Plot effects by year since the first change of a flow, one panel per stage and flow."""
    panels = [
        (one.sample.stage, str(flow), rows.rename(columns={"event_time": "at"}))
        for one in found
        for flow, rows in one.table.groupby("flow", sort=False)
    ]
    return _panels("rotation_paths", panels, 0, language, level=_later_level(found))


def _panels(
    key: str,
    given: Sequence[tuple[str, str, pd.DataFrame]],
    base: int,
    language: Language,
    *,
    level: float | None,
) -> FigureExhibit:
    """Draw effects by year, one panel per stage and flow; those without any are left out."""
    caption = rotation_figure_caption(
        f"figure_{key}", language, level=level, interval="rotation_interval_by_school"
    )
    panels = [panel for panel in given if panel[2]["effect"].notna().any()]
    if not panels:
        return nothing_to_draw(caption, "rotation_not_estimated", language, table=key)
    n_columns = min(2, len(panels))
    n_rows = -(-len(panels) // n_columns)
    figure = new_figure(16, 6.1 * n_rows + 0.6)
    grid = figure.subplots(n_rows, n_columns, squeeze=False, sharey=True).ravel()
    for axes, (stage, flow, rows) in zip(grid, panels, strict=False):
        _path(axes, rows, base)
        # On two lines: the English words are wider than a panel.
        axes.set_title(f"{label(stage, language)}\n{label(f'flow_{flow}', language)}", loc="left")
        axes.set_xlabel(label("rotation_axis_years", language))
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    for axes in grid[::n_columns]:
        axes.set_ylabel(label("rotation_effect_effect", language))
    table = pd.concat([rows for _, _, rows in panels])
    reach = reach_of_effects(table["effect"], table["conf_low"], table["conf_high"])
    if np.isfinite(reach):
        grid[0].set_ylim(-reach, reach)
        caption = replace(caption, notes=(*caption.notes, sentence("adoption_note_beyond_picture", language)))
    since = table.loc[table["at"] > base, "effect"].dropna()
    alt = sentence(
        "alt_rotation_paths",
        language,
        count=len(panels),
        low=format_number(since.min(), DECIMALS),
        high=format_number(since.max(), DECIMALS),
    )
    return FigureExhibit(caption, figure, alt, table=key)


def plot_doses(
    counties: Sequence[RotationCounty], language: Language, *, withheld: pd.DataFrame | None = None
) -> FigureExhibit:
    """Plot teachers in and out by school year, one panel per stage.

    Parameters
    ----------
    counties : sequence of RotationCounty
        Counties.
    language : {"zh", "en"}
        Language.
    withheld : pandas.DataFrame of bool, optional
        Values that are not shown, with the rows of `sum_doses` and its flows as columns.
    """
    caption = rotation_figure_caption("figure_rotation_doses", language)
    table = sum_doses(counties)
    if withheld is not None:
        table[withheld.columns] = table[withheld.columns].mask(withheld)
    if table.empty:
        return nothing_to_draw(caption, "rotation_without_spells", language, table="rotation_use")
    years = sorted(table["year"].unique().tolist())
    figure = new_figure(16, 7.4)
    grid = figure.subplots(1, len(STAGES), sharey=True, squeeze=False)[0]
    for axes, stage in zip(grid, STAGES, strict=True):
        own = table[table["stage"] == stage]
        for name, style in FLOW_LINES.items():
            axes.plot(own["year"], own[name], label=label(f"flow_{name}", language), markersize=4, **style)
        axes.set_title(label(stage, language), loc="left")
        axes.set_xticks(years, [str(year) for year in years], rotation=45)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(label("rotation_axis_year", language))
    grid[0].set_ylabel(label("rotation_axis_flow", language))
    handles, names = grid[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3)
    return FigureExhibit(caption, figure, sentence("alt_rotation_doses", language), table="rotation_doses")


def plot_school_flows(
    county: RotationCounty, stage: str, language: Language, *, named: bool = True
) -> FigureExhibit:
    """Plot who sent how many teachers to whom over all years: a matrix of sending and receiving schools.

    Parameters
    ----------
    county : RotationCounty
        One county.
    stage : {"primary", "junior"}
        Stage.
    language : {"zh", "en"}
        Language.
    named : bool
        Whether schools may be named; otherwise a sentence stands in its place, for few teachers move between
        any two schools.
    """
    links = county.doses.links
    links = links[links["stage"] == stage]
    caption = rotation_figure_caption("figure_rotation_matrix", language, stage=label(stage, language))
    caption = replace(caption, key=f"figure_rotation_matrix_{stage}")
    if not named or links.empty:
        return _no_schools(caption, language, named=named)
    order = _by_place(county, stage, set(links["sending"]) | set(links["receiving"]))
    names = order["school_name"].tolist()
    place = {school: at for at, school in enumerate(order["school"])}
    pairs = links.groupby(["sending", "receiving"], as_index=False)["fte"].sum()
    pairs = pairs[pairs["sending"].isin(place) & pairs["receiving"].isin(place)]
    figure = new_figure(16, min(max(0.34 * len(names) + 4.5, 8.0), 24.0))
    axes = figure.subplots()
    axes.scatter(
        pairs["receiving"].map(place),
        pairs["sending"].map(place),
        s=LARGEST_DOT * pairs["fte"] / pairs["fte"].max(),
        color=PALETTE[0],
        linewidths=0,
    )
    size = 5.5 if len(names) > MANY_SCHOOLS else 7
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=size)
    axes.set_yticks(range(len(names)), names, fontsize=size)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set_ylim(len(names) - 0.4, -0.6)
    for edge in np.flatnonzero(np.diff(pd.factorize(order["location"])[0])):
        axes.axvline(edge + 0.5, color=MUTED, linewidth=0.8)
        axes.axhline(edge + 0.5, color=MUTED, linewidth=0.8)
    axes.set_xlabel(label("rotation_receiving_school", language))
    axes.set_ylabel(label("rotation_sending_school", language))
    alt = sentence("alt_rotation_matrix", language, pairs=len(pairs), schools=len(names))
    return FigureExhibit(caption, figure, alt)


def plot_school_balance(
    county: RotationCounty, stage: str, language: Language, *, named: bool = True
) -> FigureExhibit:
    """Plot teachers received and sent in the last year, a row a school, the largest surplus on top."""
    caption = rotation_figure_caption("figure_rotation_balance", language, stage=label(stage, language))
    caption = replace(caption, key=f"figure_rotation_balance_{stage}")
    doses = county.doses
    own = (doses.units["stage"] == stage).to_numpy() & np.isfinite(doses.enrolment[:, -1])
    if not named or not len(county.placed) or not own.any():
        return _no_schools(caption, language, named=named)
    taken, sent = (doses.flows[name][own, -1] for name in ("inflow", "outflow"))
    names = county.adoption.units["school_name"].to_numpy(dtype=str)[own]
    order = np.lexsort((names, sent - taken))
    figure = new_figure(16, height_for_rows(len(names)))
    axes = figure.subplots()
    rows = np.arange(len(names))
    received, gone = label("flow_inflow", language), label("flow_outflow", language)
    axes.barh(rows, taken[order], color=PALETTE[0], height=0.7, label=received)
    axes.barh(rows, -sent[order], color=PALETTE[1], height=0.7, hatch="////", edgecolor="white", label=gone)
    axes.plot((taken - sent)[order], rows, linestyle="none", marker="D", color=INK, markersize=3.5,
              label=label("rotation_balance", language))  # fmt: skip
    axes.axvline(0, color=MUTED, linewidth=0.9)
    show_rows(axes, names[order].tolist(), width=30)
    axes.xaxis.set_major_formatter(lambda value, _: format_number(abs(value), 0))
    axes.set_xlabel(label("rotation_axis_flow", language))
    handles, words = axes.get_legend_handles_labels()
    figure.legend(handles, words, loc="outside lower center", ncols=3)
    alt = sentence("alt_rotation_balance", language, schools=len(taken), more=int((taken > sent).sum()))
    return FigureExhibit(caption, figure, alt)


def _no_schools(caption: Caption, language: Language, *, named: bool) -> FigureExhibit:
    """Return a figure that says why no school is shown, without the notes on how to read it."""
    name = "rotation_without_spells" if named else "rotation_schools_not_shown"
    return nothing_to_draw(replace(caption, notes=()), name, language)


def _by_place(county: RotationCounty, stage: str, linked: set[str]) -> pd.DataFrame:
    """Return the schools that sent or received, by location, town and pinyin."""
    units = county.adoption.units
    own = units[(units["stage"] == stage) & units["school"].isin(linked)]
    rank = {name: at for at, name in enumerate(pinyin_order(own["school_name"].astype(str)))}
    towns = {name: at for at, name in enumerate(pinyin_order(own["town"].fillna("").astype(str)))}
    places = own["location"].map({name: at for at, name in enumerate(LOCATIONS)}).fillna(len(LOCATIONS))
    keys = {
        "place": places,
        "town_rank": own["town"].fillna("").astype(str).map(towns),
        "rank": own["school_name"].astype(str).map(rank),
    }
    return own.assign(**keys).sort_values(list(keys), kind="stable")


def _path(axes: "Axes", rows: pd.DataFrame, base: int) -> None:
    """Draw the estimates of one flow with their intervals; the base is a hollow point at zero."""
    given = rows.dropna(subset=["effect"])
    axes.axhline(0, color=MUTED, linewidth=0.9, zorder=0)
    axes.vlines(given["at"], given["conf_low"], given["conf_high"], color=PALETTE[0], linewidth=1.6)
    axes.plot(given["at"], given["effect"], linestyle="none", marker="o", color=PALETTE[0])
    axes.plot(base, 0, linestyle="none", marker="o", markerfacecolor="white", color=MUTED)
    at = sorted({base, *rows["at"].astype(int)})
    axes.set_xticks(at, [tick_text(value, 0) for value in at])


def rotation_figure_caption(
    key: str,
    language: Language,
    *,
    level: float | None = None,
    interval: str = "rotation_interval",
    **values: Any,
) -> Caption:
    """Return the caption of a figure; `level` is that of its intervals, `interval` says what they are."""
    caption = exhibit_caption(key, language, **values)
    percent = "" if level is None else format_number(PERCENT * level, 0)
    told = "" if level is None else sentence(interval, language, percent=percent)
    return replace(caption, interval=told, source=sentence("source_rotation_study", language))


def _level(studies: Sequence[FlowStudy]) -> float | None:
    return studies[0].settings.confidence_level if studies else None


def _later_level(found: Sequence[FlowPaths] | Sequence[FlowProjection]) -> float | None:
    estimated = [one for one in found if one.table["effect"].notna().any()]
    return estimated[0].confidence_level if estimated else None
