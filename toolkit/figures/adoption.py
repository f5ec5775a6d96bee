"""When schools joined a programme, as figures."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.study_words import in_words_of_unit, schools_of, study_name
from toolkit.exhibits import Caption, exhibit_caption, schools_counted
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.theme import (
    GRID,
    INK,
    MUTED,
    PALETTE,
    height_for_rows,
    new_figure,
    pinyin_order,
    show_rows,
    tick_text,
)
from toolkit.indicators.adoption import Adoption
from toolkit.indicators.adoption_reasons import ADOPTER, COMPARISON
from toolkit.vocabulary import Language, label, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

ROWS_DRAWN = 60
LONGEST_SHOWN, USUAL_SHARE, ROOM = 2.0, 0.75, 1.3
LEAST_DECIMALS = 2
TOLERANCE = 1e-9
TABLE = "adoption_accounting"
STATES = ("adoption_not_yet", "member", "lead", "adoption_left")
MARKS: dict[str, dict[str, Any]] = {
    "adoption_not_yet": {"marker": ".", "color": MUTED, "markersize": 3},
    "member": {"marker": "s", "color": PALETTE[0], "markersize": 7},
    "lead": {"marker": "D", "color": PALETTE[1], "markersize": 6.5},
    "adoption_left": {"marker": "x", "color": PALETTE[6], "markersize": 6, "markeredgewidth": 1.6},
}
BARS: dict[str, dict[str, Any]] = {
    "adoption_never": {"color": GRID, "hatch": ""},
    "adoption_not_yet": {"color": "#c3d7e6", "hatch": "...."},
    "member": {"color": PALETTE[0], "hatch": ""},
    "lead": {"color": PALETTE[1], "hatch": "////"},
    "adoption_left": {"color": PALETTE[6], "hatch": "xxxx"},
}


@in_words_of_unit
def plot_timing(adoption: Adoption, stage: str, language: Language, *, named: bool = True) -> FigureExhibit:
    """Plot who was in the programme when, by group; counts by year where no school is named."""
    key = "figure_adoption_timing" if named else "figure_adoption_timing_public"
    programme = label(adoption.programme, language)
    caption = adoption_figure_caption(key, language, stage=label(stage, language), programme=programme)
    # One key for both editions: files and links stay the same.
    caption = replace(caption, key=f"figure_adoption_timing_{stage}")
    units = adoption.units
    joined = units[(units["stage"] == stage) & (units["status"] == ADOPTER)]
    if joined.empty:
        return nothing_to_draw(caption, "adoption_nothing_joined", language, table=TABLE)
    caption = replace(caption, n=schools_counted(len(joined), language))
    states = _states(adoption, joined)
    more: tuple[str, ...] = ()
    if named:
        rows = _rows_by_group(joined, language)
        figure = _draw_rows(adoption, rows[:ROWS_DRAWN], states, language)
        if len(rows) > ROWS_DRAWN:
            drawn = sum(bool(school) for _, school in rows[:ROWS_DRAWN])
            more = (sentence("adoption_note_rows_drawn", language, count=drawn),)
    else:
        figure = _draw_counts(adoption, states, stage, language)
    alt = sentence(
        "alt_adoption_timing",
        language,
        schools=len(joined),
        groups=int(joined["school_group"].nunique()),
        first=int(joined["adoption_year"].min()),
        last=int(joined["adoption_year"].max()),
        left=int((states == "adoption_left").any(axis=1).sum()),
    )
    caption = replace(caption, notes=(*caption.notes, *more))
    return FigureExhibit(caption, figure, alt, table=TABLE)


def adoption_figure_caption(
    key: str,
    language: Language,
    *,
    study: AdoptionStudy | None = None,
    interval: str = "",
    notes: tuple[str, ...] = (),
    **values: Any,
) -> Caption:
    """Return the caption of a figure; one of a single study has its stage and role in the key."""
    if study is None:
        caption = exhibit_caption(key, language, notes=notes, **values)
    else:
        name = study_name(study, language)
        n = schools_of(study.sample, language)
        caption = exhibit_caption(key, language, n=n, notes=notes, study=name, **values)
        caption = replace(caption, key=f"{key}_{study.sample.stage}_{study.sample.rules.role}")
    return replace(caption, interval=interval, source=sentence("source_adoption", language))


def nothing_to_draw(
    caption: Caption, name: str, language: Language, *, table: str = "", **values: object
) -> FigureExhibit:
    """Return a figure that says in a sentence of the vocabulary why there is nothing to draw."""
    figure = new_figure(16, 2.2)
    text = sentence(name, language, **values)
    figure.text(0.5, 0.5, text, ha="center", va="center", color=MUTED, fontsize=8.5, wrap=True)
    return FigureExhibit(caption, figure, text, table=table)


def format_effects(axis: "Axis") -> None:
    """Set ticks at round numbers, with as many decimals as they need and at least two."""
    from matplotlib.ticker import MaxNLocator

    def text(value: float, _: float) -> str:
        steps = np.diff(axis.get_majorticklocs())
        step = float(steps.min()) if len(steps) else 1.0
        return tick_text(value, max(LEAST_DECIMALS, -int(np.floor(np.log10(step) + TOLERANCE))))

    axis.set_major_locator(MaxNLocator(nbins=7, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(text)


def _states(adoption: Adoption, joined: pd.DataFrame) -> pd.DataFrame:
    """Return the state of each school that joined in each year; empty where it has no data."""
    years = adoption.years.merge(joined[["school", "stage"]], on=["school", "stage"])
    state = np.where(
        years["is_member"],
        years["role"].where(years["role"] == "lead", "member"),
        np.where(years["event_time"] < 0, "adoption_not_yet", "adoption_left"),
    )
    table = years.assign(state=state).pivot(index="school", columns="year", values="state")
    return table.reindex(index=joined["school"], columns=list(adoption.data_years)).fillna("")


def _draw_rows(
    adoption: Adoption, rows: list[tuple[str, str]], states: pd.DataFrame, language: Language
) -> "Figure":
    """Draw a row for each school under the name of its group."""
    figure = new_figure(16, height_for_rows(len(rows)) + 1.2)
    axes = figure.subplots()
    by_school = dict(zip(states.index.astype(str), states.to_numpy().tolist(), strict=True))
    places: dict[str, list[tuple[int, int]]] = {}
    for at, (_, school) in enumerate(rows):
        if not school:
            axes.axhspan(at - 0.5, at + 0.5, color=GRID, zorder=0)
            continue
        for year, state in zip(adoption.data_years, by_school[school], strict=True):
            if state:
                places.setdefault(state, []).append((year, at))
    for state, points in places.items():
        axes.plot(*zip(*points, strict=True), linestyle="none", **MARKS[state])
    show_rows(axes, [name for name, _ in rows], width=22 if language == "zh" else 30)
    for text, (_, school) in zip(axes.get_yticklabels(), rows, strict=True):
        text.set_color(INK if not school else MUTED)
        text.set_fontsize(8.5 if not school else 8)
    _year_axis(axes, adoption, language)
    handles = [
        axes.plot([], [], linestyle="none", label=label(state, language), **MARKS[state])[0]
        for state in STATES
        if (states == state).any(axis=None)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _rows_by_group(joined: pd.DataFrame, language: Language) -> list[tuple[str, str]]:
    """Return name and code of each row: groups (without a code) by first joining, leads before members."""
    rows: list[tuple[str, str]] = []
    first: pd.Series = joined.groupby("school_group")["adoption_year"].min()
    for group in sorted(pinyin_order(map(str, first.index)), key=lambda name: float(first.loc[name])):
        rows.append((group or label("adoption_without_group", language), ""))
        own = joined[joined["school_group"] == group]
        for role in ("lead", "member"):
            side = own[own["role"] == role]
            for name in pinyin_order(set(side["school_name"].astype(str))):
                codes = side.loc[side["school_name"].astype(str) == name, "school"]
                rows += [(name, str(code)) for code in sorted(codes)]
    return rows


def _draw_counts(adoption: Adoption, states: pd.DataFrame, stage: str, language: Language) -> "Figure":
    """Draw how many schools were in which state each year."""
    units = adoption.units
    untouched = units[(units["stage"] == stage) & (units["status"] == COMPARISON)]
    years = np.array(adoption.data_years)
    there = (untouched["first_year"].to_numpy()[:, None] <= years) & (
        untouched["last_year"].to_numpy()[:, None] >= years
    )
    counts = {"lead": (states == "lead").sum(), "member": (states == "member").sum()}
    counts |= {name: (states == name).sum() for name in ("adoption_left", "adoption_not_yet")}
    counts["adoption_never"] = pd.Series(there.sum(axis=0), index=years)
    figure = new_figure(16, 8)
    axes = figure.subplots()
    below = np.zeros(len(years))
    for state, own in counts.items():
        height = own.reindex(years).to_numpy(dtype=float)
        if not height.any():
            continue
        look = BARS[state]
        axes.bar(
            years, height, bottom=below, width=0.7, edgecolor="white", label=label(state, language), **look
        )
        for year, value, low in zip(years, height, below, strict=True):
            if value:
                axes.text(
                    year, low + value / 2, f"{value:.0f}", ha="center", va="center", fontsize=8,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
                )  # fmt: skip
        below += height
    _year_axis(axes, adoption, language)
    axes.set_ylabel(label("axis_school_count", language))
    axes.locator_params(axis="y", integer=True)
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def _year_axis(axes: "Axes", adoption: Adoption, language: Language) -> None:
    axes.set_xticks(list(adoption.data_years))
    axes.set_xlabel(label("year_axis", language))
    axes.margins(x=0.04)


def reach_of_effects(effects: pd.Series, low: pd.Series, high: pd.Series) -> float:
    """Return up to where an axis of effects shows all points and most intervals, symmetric about zero.

    One interval with hardly a degree of freedom would flatten all others; it may run out of the picture.
    Infinite where no interval is that long.
    """
    ends = np.fmax(low.abs().to_numpy(dtype=float), high.abs().to_numpy(dtype=float))
    known = ends[np.isfinite(ends)]
    if not len(known):
        return np.inf
    reach = max(LONGEST_SHOWN * float(np.quantile(known, USUAL_SHARE)), ROOM * float(effects.abs().max()))
    return reach if known.max() > reach else np.inf
