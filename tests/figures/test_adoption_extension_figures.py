"""Figures of what stands beside the main estimate: what is drawn, and what is said where nothing is."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.text import Text

from tests.effects import extension_results as made
from toolkit.effects.group_extensions import Divisions
from toolkit.effects.intake import IntakeEffects
from toolkit.effects.robustness import TwoWayStudy
from toolkit.figures.adoption_extensions import (
    plot_divisions,
    plot_intake,
    plot_robustness,
    plot_two_way,
)
from toolkit.figures.theme import missing_in_figure
from toolkit.vocabulary import label, sentence


def texts(exhibit):
    return [artist.get_text() for artist in exhibit.figure.findobj(Text) if artist.get_text()]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_figure_has_words_and_the_letters_of_its_font(language):
    one = made.results()
    study = one["study"]
    for exhibit in (
        plot_divisions(one["divisions"], study, language),
        plot_robustness(one["robustness"], study, language),
        plot_two_way(one["two_way"], study, language),
        plot_intake(one["intakes"], study, language),
    ):
        assert exhibit.alt
        assert exhibit.table
        assert exhibit.caption.source
        assert missing_in_figure(exhibit.figure) == ()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_with_nothing_to_draw_a_figure_says_why(language):
    one = made.results()
    refused = one["refused"]
    nothing = Divisions((), one["divisions"].differences.head(0))
    why = sentence("adoption_not_estimated", language)
    for exhibit in (
        plot_divisions(nothing, refused, language),
        plot_robustness(None, refused, language),
        plot_two_way(None, refused, language),
    ):
        assert exhibit.alt == why
    gaps = TwoWayStudy(None, 0, "robustness_years_with_gaps")
    exhibit = plot_two_way(gaps, one["study"], language)
    assert exhibit.alt == sentence("robustness_years_with_gaps", language)
    blank = one["intakes"][0]
    blank = replace(blank, effects=IntakeEffects(blank.effects.table, {}, blank.effects.refusals))
    assert plot_intake([blank], one["study"], language).alt == sentence("adoption_no_studies", language)


def test_every_subgroup_has_a_row_and_refused_ones_a_word():
    one = made.results()
    exhibit = plot_divisions(one["divisions"], one["study"], "zh")
    (axes,) = exhibit.figure.axes
    tidy = one["divisions"].tidy()
    assert len(axes.get_yticks()) == len(tidy) + len(one["divisions"].divisions)
    assert texts(exhibit).count(label("refused", "zh")) == int(tidy["effect"].isna().sum())


def test_methods_that_only_diagnose_are_hollow():
    one = made.results()
    (axes,) = plot_robustness(one["robustness"], one["study"], "zh").figure.axes
    filled = {
        int(line.get_ydata()[0]): line.get_markerfacecolor() != "white"
        for line in axes.get_lines()
        if line.get_marker() == "o"
    }
    order = one["robustness"].table["estimator"].tolist()
    assert filled[order.index("estimator_group_time")]
    for name in ("estimator_two_way", "estimator_matched", "estimator_synthetic"):
        assert not filled[order.index(name)]


def test_every_comparison_of_two_cohorts_is_a_point():
    one = made.results()
    (axes,) = plot_two_way(one["two_way"], one["study"], "zh").figure.axes
    drawn = sum(len(line.get_xdata()) for line in axes.get_lines() if line.get_linestyle() == "None")
    assert drawn == len(one["two_way"].decomposition.comparisons)


def test_entrants_are_drawn_in_percent():
    one = made.results()
    exhibit = plot_intake(one["intakes"], one["study"], "en")
    axes = exhibit.figure.axes[list(one["intakes"][0].effects.studies).index("log_new_entrants")]
    heights = np.concatenate([line.get_ydata() for line in axes.get_lines() if len(line.get_ydata()) > 2])
    assert np.max(heights) == pytest.approx(100 * (np.exp(made.GROWTH) - 1), abs=1.5)
