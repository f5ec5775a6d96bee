import subprocess
import sys
import warnings
from itertools import pairwise

import pytest
from matplotlib import colors

from toolkit.figures import theme


def bars():
    figure = theme.new_figure(12, 6)
    axes = figure.subplots()
    theme.show_rows(axes, ["犍为县第一中学", "郫都区氹仔路九年一贯制学校（东校区）"])
    axes.barh([0, 1], [-0.2, 0.4])
    return figure


def test_a_figure_is_drawn_in_chinese_without_any_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        png = theme.figure_png(bars())
    assert png.startswith(b"\x89PNG")


def test_the_same_figure_gives_the_same_bytes_without_a_program_name():
    png = theme.figure_png(bars())
    assert png == theme.figure_png(bars())
    assert b"Software" not in png


def test_figures_have_144_dots_per_inch():
    png = theme.figure_png(theme.new_figure(2.54, 5.08))
    width, height = int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
    assert (width, height) == (144, 288)


def test_characters_that_cannot_be_drawn_are_named():
    figure = theme.new_figure()
    figure.suptitle("县\ue123")
    with pytest.warns(theme.FontWarning, match="\ue123"):
        theme.figure_png(figure)


def test_figures_do_not_load_pyplot():
    program = (
        "import sys; from toolkit.figures.theme import *; "
        "figure_png(new_figure()); print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_neighbouring_colours_of_the_palette_differ_in_lightness_for_the_colour_blind():
    # Rec. 709 luminance; a difference of 0.03 is seen without any colour.
    luminance = [
        sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), colors.to_rgb(p), strict=True))
        for p in theme.PALETTE
    ]
    assert all(abs(one - other) > 0.03 for one, other in pairwise(luminance))


def test_order_by_pinyin_knows_readings_and_tones():
    # By code point 长 (chang) and 重 (chong) would come last; ma1 is before ma3.
    assert theme.pinyin_order(["马村", "妈村", "重庆", "阿坝", "北京", "长沙"]) == [
        "阿坝",
        "北京",
        "长沙",
        "重庆",
        "妈村",
        "马村",
    ]


def test_an_explicit_order_comes_first_and_the_rest_follow_by_pinyin():
    assert theme.explicit_order(["丙", "甲", "乙", "初中", "小学"], ["小学", "初中"]) == [
        "小学",
        "初中",
        "丙",
        "甲",
        "乙",
    ]


def test_long_names_are_broken_and_no_line_ends_in_an_opening_bracket():
    assert (
        theme.wrapped_name("郫都区氹仔路九年一贯制学校（东校区）", 14)
        == "郫都区氹仔路九年一贯制学校\n（东校区）"
    )
    assert theme.wrapped_name("短名", 14) == "短名"


def test_the_first_row_is_on_top():
    axes = bars().axes[0]
    bottom, top = axes.get_ylim()
    assert bottom > top


@pytest.mark.parametrize(
    ("value", "decimals", "text"), [(-0.0, 1, "0.0"), (-0.04, 1, "0.0"), (-1234.5, 0, "−1,234")]
)
def test_ticks_have_no_negative_zero_and_a_true_minus(value, decimals, text):
    assert theme.tick_text(value, decimals) == text


def test_an_axis_limit_ignores_missing_values():
    assert theme.nice_limit([1.0, float("nan")], headroom=0.5) == 1.5
    assert theme.nice_limit([]) == 1.0
