"""Figures of segregation and of the flows of teachers."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from tests.people import school, school_year, spell, with_tables
from toolkit.figures.programmes import plot_rotation_flows
from toolkit.figures.segregation import plot_segregation
from toolkit.figures.theme import missing_in_figure
from toolkit.standards import load_standard
from toolkit.variation.pupil_segregation import compute_pupil_segregation
from toolkit.variation.rotation import describe_rotation

STANDARD = load_standard("national_2017")
SCHOOLS = [school("1"), school("2", location="rural", town="西镇"), school("3", town="南镇")]


def texts(figure):
    return {artist.get_text() for artist in figure.findobj(Text) if artist.get_text()}


@pytest.fixture(scope="module")
def county():
    years = [
        school_year(code, year, migrant_students=None if (code, year) == ("3", 2024) else int(code) * 5)
        for code in "123"
        for year in (2023, 2024, 2025)
    ]
    spells = [spell(f"t{n}", "1", "2") for n in range(12)] + [spell("u", "2", "3"), spell("v", "3", None)]
    return with_tables(SCHOOLS, years, rotations=spells)


@pytest.fixture(scope="module")
def rotation(county):
    return describe_rotation(county, STANDARD, year=2025)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_lines_show_raw_and_corrected_indices_with_missing_years_hollow(county, language):
    segregation = compute_pupil_segregation(county, last_year=2025)
    exhibit = plot_segregation(segregation, language)
    lines = exhibit.figure.axes[0].get_lines()
    own = segregation.table[segregation.table["pupils"] == "migrant_pupils"]
    drawn = [list(map(float, line.get_ydata())) for line in lines]
    assert own["dissimilarity"].tolist() in drawn
    assert own["dissimilarity_corrected"].tolist() in drawn
    hollow = [
        line for line in lines if line.get_markerfacecolor() == "white" and line.get_linestyle() == "None"
    ]
    assert {tuple(line.get_xdata()) for line in hollow} == {(2024,)}
    assert exhibit.table == "segregation_trend"
    assert missing_in_figure(exhibit.figure) == ()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_matrix_prints_every_flow_between_towns(rotation, language):
    exhibit = plot_rotation_flows(rotation, language)
    assert {"东镇", "西镇", "南镇", "12", "1"} <= texts(exhibit.figure)
    assert "14" in exhibit.alt
    assert missing_in_figure(exhibit.figure) == ()


def test_withheld_cells_are_neither_printed_nor_shaded_nor_told(rotation):
    flows = rotation.locations
    withheld = pd.DataFrame(True, index=flows.index, columns=flows.columns)
    exhibit = plot_rotation_flows(rotation, "zh", places="locations", withheld=withheld)
    assert "12" not in texts(exhibit.figure)
    assert "12" not in exhibit.alt
    assert "保护个人信息" in " ".join(exhibit.caption.notes)
    assert np.ma.getmaskarray(exhibit.figure.axes[0].images[0].get_array()).all()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_county_without_data_is_drawn_as_a_sentence(language):
    bare = with_tables(SCHOOLS, [school_year(code) for code in "123"])
    empty = describe_rotation(bare, STANDARD, year=2025)
    for exhibit in (
        plot_segregation(compute_pupil_segregation(bare, last_year=2025), language),
        plot_rotation_flows(empty, language),
        plot_rotation_flows(empty, language, places="locations"),
    ):
        assert len(texts(exhibit.figure)) >= 1
        assert exhibit.alt
