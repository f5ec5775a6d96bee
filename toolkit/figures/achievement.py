"""Between-school shares of achievement by test and over the years, and the means of schools, as figures."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.exhibits import Caption, exhibit_caption, schools_counted
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.theme import (
    INK,
    MUTED,
    PALETTE,
    RULE,
    height_for_rows,
    new_figure,
    nice_limit,
    pinyin_order,
    show_rows,
)
from toolkit.indicators.tested import name_tests
from toolkit.variation.achievement import AchievementReadings
from toolkit.variation.achievement_trends import SERIES_KEY, AchievementTrends
from toolkit.variation.shrunken_means import ShrunkenMeans
from toolkit.vocabulary import Language, format_number, label, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SERIES_DRAWN = 6
SUBJECTS_DRAWN = 3
SCHOOLS_DRAWN = 60
LINE_STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P")
# Points of one year stand side by side, so that their intervals can be told apart.
YEAR_SPREAD = 0.5
BAND = 0.2


def plot_icc(readings: AchievementReadings, *, year: int, language: Language) -> FigureExhibit:
    """Plot the between-school share of every test of a year with its interval, one panel per stage."""
    tests = readings.of_year(year).query("refusal == ''")
    caption = _caption("figure_icc", language, notes=_notes(readings, language), year=_year(year))
    caption = _with_interval(caption, readings.confidence_level, language)
    if tests.empty:
        return _nothing(caption, language, "achievement_readings")
    stages = list(dict.fromkeys(tests["stage"]))
    figure = new_figure(16, height_for_rows(int(tests.groupby("stage").size().max())) + 0.8)
    panels = figure.subplots(1, len(stages), sharex=True, squeeze=False)[0]
    for axes, stage in zip(panels, stages, strict=True):
        own = tests[tests["stage"] == stage].reset_index(drop=True)
        for at, row in own.iterrows():
            full = row["estimand"] == "census_test"
            _interval(axes, row, horizontal_at=float(at), colour=PALETTE[0], full=full)  # pyright: ignore[reportArgumentType]
        _reference(axes, readings.limit, vertical=True)
        show_rows(axes, name_tests(own, language, with_stage=False), width=24)
        axes.set_title(label(stage, language))
        axes.set_xlabel(label("axis_icc", language))
        axes.set_xlim(0, nice_limit([*tests["icc_high"], readings.limit]))
    highest = tests.iloc[[int(tests["icc"].argmax())]]
    words, icc = name_tests(highest, language)[0], format_number(highest["icc"].iloc[0], 3)
    alt = sentence("alt_icc", language, tested=words, icc=icc)
    return FigureExhibit(caption, figure, alt, table="achievement_readings")


def plot_icc_years(
    trends: AchievementTrends, readings: AchievementReadings, language: Language
) -> FigureExhibit:
    """Plot the between-school share over the years with intervals, one panel per stage."""
    series = trends.series
    notes = _notes(readings, language)
    caption = _caption("figure_icc_years", language, notes=notes)
    caption = _with_interval(caption, readings.confidence_level, language)
    if series.empty:
        return _nothing(caption, language, "achievement_series")
    stages = list(dict.fromkeys(series["stage"]))
    figure = new_figure(16, 6.2 * len(stages) + 1)
    panels = figure.subplots(len(stages), 1, sharex=True, squeeze=False)[:, 0]
    cut = False
    for axes, stage in zip(panels, stages, strict=True):
        own = trends.trends[trends.trends["stage"] == stage]
        drawn = own.sort_values("n_points", ascending=False, kind="stable").head(SERIES_DRAWN).sort_index()
        cut = cut or len(drawn) < len(own)
        _draw_series(axes, series, drawn, language)
        _reference(axes, readings.limit, vertical=False)
        axes.set_title(label(stage, language))
        axes.set_ylabel(label("axis_icc", language), fontsize=8)
        axes.set_ylim(0, nice_limit([*series["icc_high"], readings.limit]))
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=7.5)
    years = sorted(int(year) for year in series["year"].unique())
    panels[-1].set_xticks(years)
    panels[-1].set_xlabel(label("year_axis", language))
    if cut:
        more = sentence("note_icc_years_drawn", language, count=SERIES_DRAWN)
        caption = replace(caption, notes=(*caption.notes, more))
    alt = sentence("alt_icc_years", language, first=years[0], last=years[-1])
    return FigureExhibit(caption, figure, alt, table="achievement_series")


def plot_school_means(means: ShrunkenMeans, language: Language, *, named: bool = True) -> FigureExhibit:
    """Plot the shrunken means of schools by pinyin, or their distribution when none is named."""
    key = "figure_school_means" if named else "figure_school_means_public"
    note = sentence("note_school_achievement", language)
    caption = _caption(key, language, notes=(note,), year=_year(means.year))
    table = means.table
    if table.empty:
        return _nothing(caption, language, "school_achievement")
    schools = table.drop_duplicates(["stage", "school_id"])
    caption = replace(caption, n=schools_counted(len(schools), language))
    if not named:
        return _distribution(table, caption, len(schools), language)
    percent = f"{100 * means.confidence_level:g}"
    order = sentence("school_means_in_pinyin_order", language)
    interval = sentence("interval_shrunken", language, percent=percent)
    caption = replace(caption, interval=interval, notes=(order, *caption.notes))
    drawn = _farthest(table)
    if len(drawn) < len(table):
        more = sentence("note_schools_drawn", language, count=SCHOOLS_DRAWN)
        table, caption = drawn, replace(caption, notes=(*caption.notes, more))
    stages = list(dict.fromkeys(table["stage"]))
    rows = int(table.groupby("stage")["school_id"].nunique().max())
    figure = new_figure(16, 2.5 + 0.42 * rows)
    panels = figure.subplots(1, len(stages), squeeze=False)[0]
    for axes, stage in zip(panels, stages, strict=True):
        own = table[table["stage"] == stage]
        names = pinyin_order(own.drop_duplicates("school_id")["school_name"])
        codes = [code for name in dict.fromkeys(names) for code in _codes(own, name)]
        tests = list(own.groupby(["grade", "subject", "test"], sort=False))[:SUBJECTS_DRAWN]
        words = _names_of([test for _, test in tests], language)
        for position, (_, test) in enumerate(tests):
            shift = (position - (len(tests) - 1) / 2) * BAND
            at = test["school_id"].map(codes.index).to_numpy(dtype=float) + shift
            _school_points(axes, test, at, position, words[position])
        axes.axvline(0, color=RULE, linewidth=1.2, zorder=0)
        show_rows(axes, names, width=18 if language == "zh" else 22)
        axes.tick_params(axis="y", labelsize=6.5)
        axes.set_title(label(stage, language))
        axes.set_xlabel(label("axis_shrunken", language), fontsize=8)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.06), fontsize=7, ncols=len(tests))
    alt = sentence("alt_school_means", language, count=len(schools))
    return FigureExhibit(caption, figure, alt, table="school_achievement")


def _farthest(table: pd.DataFrame) -> pd.DataFrame:
    """Return the schools of each stage that lie farthest from the mean in one of their tests."""
    distance = table["shrunken"].astype(float).abs().groupby([table["stage"], table["school_id"]]).max()
    kept = distance.groupby("stage", group_keys=False).nlargest(SCHOOLS_DRAWN)
    return table[pd.MultiIndex.from_frame(table[["stage", "school_id"]]).isin(kept.index)]


def _codes(schools: pd.DataFrame, name: str) -> list[str]:
    """Return the codes of the schools with a name; two may share one."""
    return sorted(set(schools.loc[schools["school_name"] == name, "school_id"]))


def _draw_series(axes: "Axes", series: pd.DataFrame, drawn: pd.DataFrame, language: Language) -> None:
    """Draw the series of one stage, each year's points side by side."""
    names = name_tests(drawn, language, with_stage=False)
    for position, (trend, name) in enumerate(zip(drawn.to_dict("records"), names, strict=True)):
        same = np.ones(len(series), dtype=bool)
        for column in SERIES_KEY:
            same &= (series[column] == trend[column]).to_numpy(dtype=bool)
        own = series[same].sort_values("year", kind="stable")
        shift = YEAR_SPREAD * (position - (len(drawn) - 1) / 2) / max(len(drawn), 1)
        full = trend["estimand"] == "census_test"
        colour = PALETTE[position % len(PALETTE)]
        axes.errorbar(
            own["year"].to_numpy(dtype=float) + shift,
            own["icc"],
            yerr=_lengths(own),
            color=colour,
            linestyle=LINE_STYLES[position % len(LINE_STYLES)],
            linewidth=1.1,
            elinewidth=0.8,
            capsize=1.5,
            marker=MARKERS[position % len(MARKERS)],
            markersize=4,
            markerfacecolor=colour if full else "white",
            label=name,
        )


def _interval(axes: "Axes", row: Any, *, horizontal_at: float, colour: str, full: bool) -> None:
    """Draw one share with its interval along a row."""
    axes.plot([row["icc_low"], row["icc_high"]], [horizontal_at] * 2, color=colour, linewidth=1.4)
    axes.plot(
        [row["icc"]],
        [horizontal_at],
        marker="o",
        linestyle="none",
        color=colour,
        markerfacecolor=colour if full else "white",
    )
    axes.annotate(
        format_number(row["icc"], 3),
        (row["icc"], horizontal_at),
        xytext=(0, 5),
        textcoords="offset points",
        ha="center",
        fontsize=7.5,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
    )


def _school_points(axes: "Axes", test: pd.DataFrame, at: np.ndarray, position: int, name: str) -> None:
    """Draw the schools of one test with their intervals."""
    estimate = test["shrunken"].to_numpy(dtype=float)
    low, high = test["conf_low"].to_numpy(dtype=float), test["conf_high"].to_numpy(dtype=float)
    axes.errorbar(
        estimate,
        at,
        xerr=np.vstack([estimate - low, high - estimate]),
        linestyle="none",
        color=PALETTE[position],
        elinewidth=0.8,
        capsize=0,
        marker=MARKERS[position],
        markersize=3,
        label=name,
    )


def _distribution(table: pd.DataFrame, caption: Caption, count: int, language: Language) -> FigureExhibit:
    """Draw how many schools lie how far from the mean, without names."""
    stages = list(dict.fromkeys(table["stage"]))
    figure = new_figure(16, 7)
    panels = figure.subplots(1, len(stages), sharex=True, squeeze=False)[0]
    largest = max(float(table["shrunken"].abs().max()), BAND)
    edges = BAND * np.arange(-np.ceil(largest / BAND), np.ceil(largest / BAND) + 1)
    for axes, stage in zip(panels, stages, strict=True):
        own = table[table["stage"] == stage]
        tests = list(own.groupby(["grade", "subject", "test"], sort=False))[:SUBJECTS_DRAWN]
        words = _names_of([test for _, test in tests], language)
        for position, (_, test) in enumerate(tests):
            axes.hist(
                test["shrunken"].to_numpy(dtype=float),
                bins=edges.tolist(),
                histtype="step",
                color=PALETTE[position],
                linestyle=LINE_STYLES[position],
                linewidth=1.4,
                label=words[position],
            )
        axes.set_title(label(stage, language))
        axes.set_xlabel(label("axis_shrunken", language), fontsize=8)
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), fontsize=7.5, ncols=len(tests))
    panels[0].set_ylabel(label("axis_school_count", language))
    return FigureExhibit(caption, figure, sentence("alt_school_means_public", language, count=count))


def _caption(key: str, language: Language, *, source: str = "source_scores", **values: Any) -> Caption:
    """Return the caption of an exhibit made from scores."""
    return replace(exhibit_caption(key, language, **values), source=sentence(source, language))


def _nothing(caption: Caption, language: Language, table: str) -> FigureExhibit:
    """Return a figure that says in words that there is nothing to draw."""
    figure = new_figure(16, 2.5)
    text = sentence("alt_no_tests", language)
    figure.text(0.5, 0.5, text, ha="center", va="center", color=MUTED)
    return FigureExhibit(caption, figure, text, table=table)


def _reference(axes: "Axes", limit: float, *, vertical: bool) -> None:
    """Draw the standard's limit for another quantity as a line of reference."""
    if np.isfinite(limit):
        draw = axes.axvline if vertical else axes.axhline
        draw(limit, color=INK, linestyle="--", linewidth=1)


def _notes(readings: AchievementReadings, language: Language) -> tuple[str, ...]:
    notes = (sentence("definition_icc", language), sentence("note_estimand_drawn", language))
    if not np.isfinite(readings.limit):
        return notes
    return (*notes, sentence("reference_line", language, limit=f"{readings.limit:.2f}"))


def _with_interval(caption: Caption, confidence_level: float, language: Language) -> Caption:
    percent = f"{100 * confidence_level:g}"
    return replace(caption, interval=sentence("interval_icc", language, percent=percent))


def _lengths(own: pd.DataFrame) -> np.ndarray:
    """Return how far the interval reaches below and above each point, (2, n_points)."""
    icc = own["icc"].to_numpy(dtype=float)
    return np.clip(
        [icc - own["icc_low"].to_numpy(dtype=float), own["icc_high"].to_numpy(dtype=float) - icc], 0, None
    )


def _names_of(tests: list[pd.DataFrame], language: Language) -> list[str]:
    """Return the names of tests, each given by the rows of its schools."""
    return name_tests(pd.concat([test.iloc[:1] for test in tests]), language, with_stage=False)


def _year(year: int) -> str:
    return f"{year}/{year + 1}"
