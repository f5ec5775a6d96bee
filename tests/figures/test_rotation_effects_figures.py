"""Figures of rotation: what is drawn, what is refused, what the public edition withholds."""

import re
from functools import cache

import numpy as np
import pytest
from matplotlib.text import Text

from tests.effects import rotation_results as made
from toolkit.effects.rotation_data import sum_doses
from toolkit.figures import rotation_effects as figures
from toolkit.figures.theme import missing_in_figure
from toolkit.reporting.people_disclosure import withheld_doses

CHINESE = re.compile(r"[\u4e00-\u9fff]")
SCHOOL = re.compile(r"第.小学")


def texts(exhibit):
    return [artist.get_text() for artist in exhibit.figure.findobj(Text) if artist.get_text()]


@cache
def of_schools(language, *, named=True):
    return [
        figures.plot_school_flows(made.rotation(), "primary", language, named=named),
        figures.plot_school_balance(made.rotation(), "primary", language, named=named),
    ]


@cache
def others(language):
    return [
        figures.plot_flow_effects(made.studies(), language),
        figures.plot_paths(made.paths(), language),
        figures.plot_projections(made.projections(), language),
        figures.plot_doses([made.rotation()], language),
    ]


@cache
def nothing(language):
    refused = made.studies()[1:]
    without = made.no_rotation()
    return [
        figures.plot_flow_effects(refused, language),
        figures.plot_paths(made.paths()[1:], language),
        figures.plot_projections(made.projections()[1:], language),
        figures.plot_doses([without], language),
        figures.plot_school_flows(without, "primary", language),
        figures.plot_school_flows(made.rotation(), "junior", language),
        figures.plot_school_balance(without, "primary", language),
        figures.plot_school_balance(made.rotation(), "junior", language),
        *of_schools(language, named=False),
    ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_figure_has_words_and_the_letters_of_its_font(language):
    for exhibit in [*others(language), *of_schools(language)]:
        assert exhibit.alt
        assert exhibit.caption.source
        assert missing_in_figure(exhibit.figure) == ()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_with_nothing_to_draw_a_figure_says_why(language):
    for exhibit in nothing(language):
        assert texts(exhibit) == [exhibit.alt]
        assert len(exhibit.alt) >= 10
        assert exhibit.caption.interval == ""


def test_no_chinese_is_left_in_english_figures_but_names_of_schools():
    for exhibit in [*others("en"), *nothing("en"), *of_schools("en")]:
        caption = exhibit.caption
        told = " ".join([*texts(exhibit), exhibit.alt, caption.title, caption.source, *caption.notes])
        assert CHINESE.findall(SCHOOL.sub("", told)) == [], caption.key


def test_the_public_edition_shows_no_school_and_not_how_to_read_what_is_not_there():
    for exhibit in of_schools("zh", named=False):
        told = " ".join([*texts(exhibit), exhibit.alt, *exhibit.caption.notes])
        assert not SCHOOL.search(told)
        assert exhibit.caption.notes == ()
        assert exhibit.table == ""


def test_every_effect_stands_at_its_value_with_its_interval():
    study = made.studies()[0]
    axes = figures.plot_flow_effects(made.studies(), "zh").figure.axes[0]
    points = [line.get_xdata()[0] for line in axes.get_lines() if line.get_marker() == "o"]
    assert points == study.table["effect"].tolist()
    assert len(axes.get_yticklabels()) == 3
    assert all("小学" in name.get_text() for name in axes.get_yticklabels())


def test_paths_have_a_hollow_base_before_the_change():
    for exhibit, base in (
        (figures.plot_paths(made.paths(), "zh"), 0),
        (figures.plot_projections(made.projections(), "zh"), -1),
    ):
        panels = [axes for axes in exhibit.figure.axes if axes.get_title(loc="left")]
        assert [axes.get_title(loc="left") for axes in panels] == ["小学\n派入骨干教师", "小学\n派出骨干教师"]
        for axes in panels:
            hollow = [line for line in axes.get_lines() if line.get_markerfacecolor() == "white"]
            assert [(list(line.get_xdata()), list(line.get_ydata())) for line in hollow] == [([base], [0])]


def test_titles_of_panels_are_no_wider_than_their_panel():
    figure = figures.plot_paths([made.paths()[0], made.paths()[0]], "en").figure
    figure.draw_without_rendering()
    for axes in figure.axes:
        title = axes.get_window_extent().width
        words = [text for text in axes.findobj(Text) if text.get_text() == axes.get_title(loc="left")]
        assert words[0].get_window_extent().width <= title


def test_the_size_of_rotation_is_drawn_as_it_stands_in_its_table():
    doses = sum_doses([made.rotation()])
    axes = figures.plot_doses([made.rotation()], "zh").figure.axes[0]
    assert list(axes.get_lines()[0].get_ydata()) == doses["inflow"].tolist()


def test_what_the_public_edition_withholds_is_not_drawn():
    doses = sum_doses([made.rotation()])
    withheld = withheld_doses(doses, edition="public")
    axes = figures.plot_doses([made.rotation()], "zh", withheld=withheld).figure.axes[0]
    for line in axes.get_lines():
        drawn = np.asarray(line.get_ydata(), dtype=float)
        assert set(drawn[np.isfinite(drawn)]) <= {0.0}


def test_schools_stand_by_place_and_each_pair_has_one_dot():
    axes = figures.plot_school_flows(made.rotation(), "primary", "zh").figure.axes[0]
    rows = [text.get_text() for text in axes.get_yticklabels()]
    assert sorted(rows[:2]) == ["第1小学", "第2小学"]
    assert rows[2] == "第3小学"
    dots = axes.collections[0].get_offsets()
    # Ten spells between known schools, two of them between the same two.
    assert len(dots) == 9
    assert [text.get_text() for text in axes.get_xticklabels()] == rows


def test_the_balance_has_the_largest_surplus_on_top():
    exhibit = figures.plot_school_balance(made.rotation(), "primary", "zh")
    axes = exhibit.figure.axes[0]
    rows = [text.get_text() for text in axes.get_yticklabels()]
    # 2025: school 4 received four and sent one; school 1 received one and sent three.
    assert rows[0] == "第4小学"
    assert rows[-1] == "第1小学"
    diamonds = next(line for line in axes.get_lines() if line.get_marker() == "D")
    assert list(diamonds.get_xdata()) == pytest.approx([3, 1, 0, -1, -2])
    assert "2" in exhibit.alt
