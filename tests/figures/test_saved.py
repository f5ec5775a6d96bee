"""A saved figure stands on another page as it stood on its own."""

import pytest

from toolkit.errors import RunError
from toolkit.exhibits import Caption
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.saved import load_saved_figure, save_figure
from toolkit.figures.theme import new_figure


@pytest.fixture
def exhibit():
    figure = new_figure(6, 3)
    figure.add_subplot().bar(["一", "二"], [1, 2])
    return FigureExhibit(Caption("bars", "柱", "zh", notes=("说明",)), figure, "两根柱", "numbers")


def test_a_saved_figure_shows_the_same_picture_caption_and_description(exhibit, tmp_path):
    path = save_figure(exhibit, tmp_path)
    loaded = load_saved_figure(tmp_path, "bars")
    assert path.read_bytes() == loaded.png
    assert loaded.png.startswith(b"\x89PNG")
    assert loaded._repr_html_() == exhibit._repr_html_()


def test_a_figure_whose_picture_is_gone_is_refused(exhibit, tmp_path):
    save_figure(exhibit, tmp_path).unlink()
    with pytest.raises(RunError, match="saved figure bars cannot be read"):
        load_saved_figure(tmp_path, "bars")
    with pytest.raises(RunError, match="holds no others"):
        load_saved_figure(tmp_path, "others")
