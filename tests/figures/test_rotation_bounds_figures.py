"""Figure of bounds on the effects of rotation: what is drawn, what is said where all are refused."""

import re
from dataclasses import replace

import pytest
from matplotlib.text import Text

from tests.effects import rotation_results as made
from toolkit.figures.rotation_bounds import plot_path_bounds
from toolkit.figures.theme import missing_in_figure

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def texts(exhibit):
    return [artist.get_text() for artist in exhibit.figure.findobj(Text) if artist.get_text()]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_figure_has_words_and_the_letters_of_its_font(language):
    exhibit = plot_path_bounds(made.bounds(), language)
    assert exhibit.alt
    assert exhibit.table == "rotation_path_bounds"
    assert "95" in exhibit.caption.interval
    assert missing_in_figure(exhibit.figure) == ()
    if language == "en":
        caption = exhibit.caption
        told = " ".join([*texts(exhibit), exhibit.alt, caption.title, caption.source, *caption.notes])
        assert CHINESE.findall(told) == []


def test_every_interval_stands_at_its_bound():
    given = [bounds for bounds in made.bounds()[0].flows if not bounds.refusal]
    figure = plot_path_bounds(made.bounds(), "zh").figure
    assert len(figure.axes) == 2 * len(given)
    relative = [one for one in given[0].intervals if one.restriction == "relative_magnitudes"]
    axes = figure.axes[0]
    drawn = [segment[:, 1].tolist() for segment in axes.collections[0].get_segments()]
    assert drawn == [[one.conf_low, one.conf_high] for one in relative]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0", "0.5", "1", "2"]
    assert axes.get_title(loc="left").startswith("小学\n派入")


def test_a_note_says_that_something_is_not_drawn_and_where_the_reason_stands():
    with_refused = plot_path_bounds(made.bounds(), "en").caption.notes
    without = plot_path_bounds(made.bounds()[:1], "en").caption.notes
    assert [note for note in with_refused if note not in without] == [
        "For what is not drawn no bounds were computed; the table says why."
    ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_where_all_are_refused_a_sentence_says_so(language):
    one = made.bounds()[0]
    refused = tuple(
        replace(bounds, intervals=tuple(replace(each, refusal="few_clusters") for each in bounds.intervals))
        for bounds in one.flows
    )
    for found in ([], [replace(one, flows=refused)], made.bounds()[1:]):
        exhibit = plot_path_bounds(found, language)
        assert texts(exhibit) == [exhibit.alt]
        assert exhibit.caption.interval == ""
