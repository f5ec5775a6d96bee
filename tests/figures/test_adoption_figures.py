"""Figures of group schooling: what is drawn, what is refused, what the public edition withholds."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.text import Text

from tests.effects import adoption_results as made
from tests.tables.test_adoption_tables import LEFT, STANDARD, curve, dispersion
from toolkit.figures.adoption import plot_timing
from toolkit.figures.adoption_sensitivity import (
    plot_dispersion,
    plot_leave_one_out,
    plot_power,
    plot_specification_curve,
)
from toolkit.figures.event_study import plot_bounds, plot_effects, plot_event_studies
from toolkit.figures.theme import missing_in_figure


def texts(exhibit):
    return [artist.get_text() for artist in exhibit.figure.findobj(Text) if artist.get_text()]


def all_figures(language):
    studies = made.studies()
    powers = [None if study.is_refused else made.power(study) for study in studies]
    return [
        plot_timing(made.exposure(), "primary", language),
        plot_timing(made.exposure(), "primary", language, named=False),
        plot_event_studies(studies, language),
        plot_effects(studies, language),
        plot_bounds(studies[0], language),
        plot_leave_one_out(LEFT, studies[0], language),
        plot_leave_one_out(LEFT, studies[0], language, named=False),
        plot_specification_curve(curve(), studies[0], language),
        plot_power(studies, powers, language),
        plot_dispersion([dispersion(True)], STANDARD, language),
    ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_figure_has_words_and_the_letters_of_its_font(language):
    for exhibit in all_figures(language):
        assert exhibit.alt
        assert exhibit.caption.source
        assert missing_in_figure(exhibit.figure) == ()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_with_nothing_to_draw_a_figure_says_why(language):
    _, few, refused = made.studies()
    for exhibit in (
        plot_timing(made.exposure(), "junior", language),
        plot_event_studies([refused], language),
        plot_effects([refused], language),
        plot_bounds(refused, language),
        plot_bounds(few, language),
        plot_leave_one_out(None, refused, language),
        plot_specification_curve(None, refused, language),
        plot_power([refused], [None], language),
        plot_dispersion([], STANDARD, language),
    ):
        assert texts(exhibit) == [exhibit.alt]
        assert len(exhibit.alt) >= 10


def test_schools_stand_under_their_group_with_what_they_were_each_year():
    exhibit = plot_timing(made.exposure(), "primary", "zh")
    rows = [text.get_text() for text in exhibit.figure.axes[0].get_yticklabels()]
    assert rows == ["集团甲", "第一小学", "第二小学", "第三小学", "集团乙", "第四小学", "第五小学"]
    left = [
        point
        for line in exhibit.figure.axes[0].get_lines()
        if line.get_marker() == "x"
        for point in zip(line.get_xdata(), line.get_ydata(), strict=True)
    ]
    assert left == [(year, 3) for year in (2022, 2023, 2024, 2025)]


def test_the_public_edition_draws_counts_and_names_nobody():
    exhibit = plot_timing(made.exposure(), "primary", "zh", named=False)
    told = " ".join([*texts(exhibit), exhibit.alt])
    assert "第" not in told
    assert "集团甲" not in told
    heights = {bar.get_height() for bar in exhibit.figure.axes[0].patches}
    assert heights - {0} == {1, 2, 3, 5}
    public = plot_leave_one_out(LEFT, made.studies()[0], "zh", named=False)
    assert not any(name in " ".join(texts(public)) for name in ("集团甲", "集团乙"))


def test_an_event_study_is_drawn_point_by_point_with_a_hollow_base():
    strong, few, refused = made.studies()
    exhibit = plot_event_studies([strong, few, refused], "zh")
    panels = [axes for axes in exhibit.figure.axes if axes.get_title(loc="left")]
    assert len(panels) == 2
    hollow = [line for line in panels[0].get_lines() if line.get_markerfacecolor() == "white"]
    assert [list(line.get_xdata()) for line in hollow] == [[-2]]
    table = strong.event_study.table
    drawn = [list(line.get_ydata()) for line in panels[0].get_lines()]
    assert table.loc[~table["is_base"], "effect"].tolist() in drawn
    assert any("未画出" in note and "核心校" in note for note in exhibit.caption.notes)


def test_the_forest_has_a_word_where_no_interval_is_printed():
    exhibit = plot_effects(made.studies(), "zh")
    words = texts(exhibit)
    assert any("不给出区间" in word for word in words)
    assert "不予估计" in words
    hollow = [line for line in exhibit.figure.axes[0].get_lines() if line.get_markerfacecolor() == "white"]
    assert len(hollow) == 1


def test_an_open_interval_is_told_at_its_point():
    strong = made.studies()[0]
    open_ended = replace(strong, interval=replace(strong.interval, conf_low=-np.inf))
    assert any("−∞" in word for word in texts(plot_effects([open_ended], "en")))


def test_the_specification_of_the_study_stands_out_in_the_order_of_the_effects():
    exhibit = plot_specification_curve(curve(), made.studies()[0], "zh")
    above = exhibit.figure.axes[0]
    diamond = next(line for line in above.get_lines() if line.get_marker() == "D")
    assert (list(diamond.get_xdata()), list(diamond.get_ydata())) == ([2], [0.2])
    assert any("1 种设定" in note for note in exhibit.caption.notes)


def test_the_power_curve_tells_what_is_rejected_without_an_effect():
    strong = made.studies()[0]
    exhibit = plot_power([strong], [made.power(strong)], "zh")
    assert any("6.0%" in word for word in texts(exhibit))
    lines = [list(line.get_ydata()) for line in exhibit.figure.axes[0].get_lines()]
    assert any(line == pytest.approx([6, 50, 70]) for line in lines if len(line) == 3)
    assert [80, 80] in lines


def test_inequality_is_drawn_as_observed_and_in_two_versions():
    exhibit = plot_dispersion([dispersion(True)], STANDARD, "zh")
    lines = [list(line.get_ydata()) for line in exhibit.figure.axes[0].get_lines()]
    assert lines == [[0.4, 0.3], [0.4, 0.35], [0.4, 0.36]]
