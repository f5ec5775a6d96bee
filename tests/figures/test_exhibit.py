import re

import pytest

from toolkit.exhibits import Caption
from toolkit.figures.exhibit import FigureExhibit, figure_html
from toolkit.figures.theme import new_figure


def exhibit(**changes):
    values = {
        "caption": Caption("bars", "差异系数 <3>", "zh", unit="无", n="57 所学校", source="模拟县"),
        "figure": new_figure(5, 3),
        "alt": '横条图："甲"最高',
        "table": "dispersion",
    }
    return FigureExhibit(**{**values, **changes})


def test_a_figure_carries_title_sample_source_and_alternative_text():
    html = figure_html(exhibit())
    assert "差异系数 &lt;3&gt;" in html
    assert "范围：57 所学校" in html
    assert "资料来源：模拟县" in html
    assert 'alt="横条图：&quot;甲&quot;最高"' in html


def test_a_figure_points_to_its_table():
    assert '<a class="exhibit-ref" href="#exhibit-dispersion">' in figure_html(exhibit())


def test_a_figure_is_shown_by_a_notebook_cell_in_its_own_style():
    html = exhibit()._repr_html_()
    assert html.startswith("<style>")
    assert re.search(r'src="data:image/png;base64,[A-Za-z0-9+/=]+"', html)


def test_a_figure_without_alternative_text_is_refused():
    with pytest.raises(ValueError, match="'bars' has no alternative text"):
        exhibit(alt=" ")


@pytest.mark.parametrize("key", ["Bars", "差异", "a-b", "../x", ""])
def test_a_key_that_cannot_be_a_file_name_is_refused(key):
    with pytest.raises(ValueError, match="key is lower-case ASCII"):
        Caption(key, "题", "zh")


def test_a_caption_without_a_title_is_refused():
    with pytest.raises(ValueError, match="has no title"):
        Caption("bars", "  ", "zh")


def test_the_plain_text_that_a_notebook_keeps_beside_a_figure_is_short():
    assert repr(exhibit()) == "<FigureExhibit bars>"
