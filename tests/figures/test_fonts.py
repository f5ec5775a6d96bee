from pathlib import Path

import pytest

from toolkit.figures import fonts, theme

# A private-use character: no font of ours has it.
NOWHERE = "\ue123"


@pytest.fixture
def without_packaged_font(monkeypatch):
    fonts.figure_font.cache_clear()
    monkeypatch.setattr(fonts, "FONT_PACKAGE", "a_package_that_is_not_there")
    monkeypatch.setattr(fonts, "SYSTEM_FONTS", ())
    yield
    fonts.figure_font.cache_clear()


def test_the_packaged_font_is_found_by_its_path():
    font = fonts.figure_font()
    assert (font.origin, font.path.name) == ("packaged", "NotoSansSC-Regular.otf")


def test_characters_of_county_names_are_all_there():
    assert fonts.missing_characters("犍为县 郫都区 氹仔 濮阳 亳州 − ≤ √ × ○ （） α") == ()


def test_lacking_characters_are_listed_once_in_order():
    assert fonts.missing_characters(f"县{NOWHERE}a\ue001{NOWHERE}\n") == ("\ue001", NOWHERE)


def test_without_the_package_a_notice_is_given_in_both_languages(without_packaged_font):
    with pytest.warns(theme.FontWarning, match=r"没有可用的中文字体[\s\S]*No Chinese font"):
        theme.use_report_theme()
    assert fonts.figure_font().origin == "latin"
    assert fonts.font_subset("县") == b""


def test_a_damaged_font_file_is_not_used(monkeypatch, tmp_path):
    broken = tmp_path / "font.otf"
    broken.write_bytes(b"no font")
    fonts.figure_font.cache_clear()
    monkeypatch.setattr(fonts, "packaged_font_path", lambda: broken)
    monkeypatch.setattr(fonts, "SYSTEM_FONTS", ())
    assert fonts.figure_font().origin == "latin"
    fonts.figure_font.cache_clear()


def test_a_subset_holds_the_characters_asked_for_and_is_the_same_twice(tmp_path):
    from fontTools.ttLib import TTFont

    subset = fonts.font_subset("均衡县")
    (tmp_path / "subset.woff").write_bytes(subset)
    characters = TTFont(tmp_path / "subset.woff").getBestCmap()
    assert {ord(c) for c in "均衡县"} <= set(characters)
    assert len(subset) < 20_000
    assert fonts.font_subset("县衡均均") == subset


def test_the_font_does_not_come_from_the_system():
    assert "pylopdf_fonts_zh_cn" in Path(fonts.figure_font().path).parts
