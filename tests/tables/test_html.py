import numpy as np
import pandas as pd
import pytest

from tests.reporting.pages import Outline
from toolkit.exhibits import Caption
from toolkit.tables.exhibit import CellMark, TableColumn, TableExhibit, cell_text
from toolkit.tables.html import table_html

COLUMNS = (
    TableColumn("school_name", "学校"),
    TableColumn("cv", "差异系数", "number", decimals=3),
    TableColumn("share", "比例", "share", unit="%"),
    TableColumn("verdict", "结论", "verdict"),
)
DATA = pd.DataFrame(
    {
        "school_name": ["<script>alert(1)</script>", "乙校", "合计"],
        "cv": [0.12345, np.nan, -0.0001],
        "share": [0.5, 0.8512, 1.0],
        "verdict": ["pass", "fail", "undecided"],
    }
)


def exhibit(**changes):
    values = {"caption": Caption("dispersion", "差异系数", "zh"), "columns": COLUMNS, "data": DATA}
    return TableExhibit(**{**values, **changes})


def test_a_table_has_a_caption_and_scopes():
    page = Outline(table_html(exhibit()))
    assert len(page.all("caption")) == 1
    assert [cell["scope"] for cell in page.all("th")] == ["col"] * 4 + ["row"] * 3
    assert not page.unbalanced


def test_what_comes_from_a_workbook_shows_as_text():
    html = table_html(exhibit())
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_numbers_are_rounded_for_reading_and_kept_for_sorting():
    html = table_html(exhibit())
    assert '<td class="n" data-v="0.12345">0.123</td>' in html
    assert '<td class="n" data-v="0.8512">85.1%</td>' in html


def test_a_number_that_rounds_to_zero_has_no_sign():
    assert '<td class="n" data-v="-0.0001">0.000</td>' in table_html(exhibit())


def test_a_missing_value_is_marked_and_the_mark_explained():
    html = table_html(exhibit())
    assert '<td class="n"><abbr title="数据缺失">[x]</abbr></td>' in html
    assert "符号：[x] 数据缺失" in html


def test_a_suppressed_value_is_nowhere_in_the_table():
    html = table_html(exhibit(marks=(CellMark(0, "cv", "suppressed"),)))
    assert "0.123" not in html
    assert "[c]" in html


def test_a_mark_behind_a_value_leaves_the_value():
    html = table_html(exhibit(marks=(CellMark(0, "cv", "unsure"),)))
    assert '0.123 <abbr title="所用规则的口径尚未核实">[u]</abbr>' in html


def test_a_table_without_marks_has_no_legend():
    assert "符号" not in table_html(exhibit(data=DATA.fillna({"cv": 1})))


def test_verdicts_have_a_sign_beside_their_colour():
    html = table_html(exhibit())
    assert '<td class="verdict-fail">× 不通过</td>' in html
    assert "√ pass" in table_html(exhibit(caption=Caption("a", "t", "en")))


def test_a_minimum_is_met_where_a_judgement_is_passed():
    met = (*COLUMNS[:3], TableColumn("verdict", "结论", "met"))
    assert '<td class="verdict-fail">× 未达标</td>' in table_html(exhibit(columns=met))
    english = table_html(exhibit(columns=met, caption=Caption("a", "t", "en")))
    for words in ("√ met", "× not met", "○ not judged"):
        assert words in english


def test_a_cell_with_a_long_text_is_known_to_the_style_sheet():
    texts = (*COLUMNS[:3], TableColumn("verdict", "说明"))
    short, long = (DATA.assign(verdict=text) for text in ("短", "长" * 60))
    assert 'class="long"' not in table_html(exhibit(columns=texts, data=short))
    assert f'<td class="long">{"长" * 60}</td>' in table_html(exhibit(columns=texts, data=long))


def test_a_table_without_rows_says_so_instead_of_showing_an_empty_grid():
    html = table_html(exhibit(data=DATA.iloc[:0]))
    assert "<table" not in html
    assert "<p>无。</p>" in html
    assert "差异系数" in html
    assert 'class="exhibit-files" data-key="dispersion"' in html
    assert "<p>None.</p>" in table_html(exhibit(data=DATA.iloc[:0], caption=Caption("a", "t", "en")))


def test_a_table_whose_rows_are_withheld_does_not_say_that_there_are_none():
    html = table_html(exhibit(data=DATA.iloc[:0], empty_text="公开版不列出<本表>。"))
    assert "<p>公开版不列出&lt;本表&gt;。</p>" in html
    assert "无。" not in html


def test_a_symbol_that_a_note_explains_is_not_explained_twice():
    caption = Caption("dispersion", "差异系数", "zh", notes=("[z] 表示该校不纳入评估。",))
    html = table_html(exhibit(caption=caption, marks=(CellMark(1, "cv", "not_applicable"),)))
    assert "[z]</abbr>" in html
    assert "符号" not in html


def test_a_sample_that_names_itself_has_no_label_in_front():
    assert "<span>范围：57 所学校</span>" in table_html(
        exhibit(caption=Caption("a", "t", "zh", n="57 所学校"))
    )
    assert "<span>学校数：57</span>" in table_html(exhibit(caption=Caption("a", "t", "zh", n="学校数：57")))
    assert "<span>Covers: 57 schools</span>" in table_html(
        exhibit(caption=Caption("a", "t", "en", n="57 schools"))
    )


def test_a_unit_breaks_behind_its_slash():
    columns = (COLUMNS[0], TableColumn("cv", "R1", "number", unit="人/百名学生"))
    assert '<span class="unit">人/<wbr>百名学生</span>' in table_html(exhibit(columns=columns))


@pytest.mark.parametrize(
    ("n_columns", "classes"), [(4, "short"), (8, "wide short"), (14, "wide landscape short")]
)
def test_a_table_is_set_by_how_many_columns_and_rows_it_has(n_columns, classes):
    data = pd.DataFrame({f"v{j}": [1.0] * 3 for j in range(n_columns)})
    columns = tuple(TableColumn(name, name, "number") for name in data.columns)
    assert f'class="exhibit exhibit-table {classes}"' in table_html(exhibit(columns=columns, data=data))
    long = pd.concat([data] * 10, ignore_index=True)
    assert " short" not in table_html(exhibit(columns=columns, data=long))


def test_totals_stay_in_the_foot():
    page = table_html(exhibit(total_rows=1))
    assert page.index("</tbody>") < page.index("合计") < page.index("</tfoot>")


def test_a_shortened_table_keeps_its_totals_and_says_how_many_rows_there_are():
    html = table_html(exhibit(rows_shown=1, total_rows=1))
    assert "乙校" not in html
    assert "合计" in html
    assert "本页列出 2 行，全表共 3 行" in html


def test_a_table_of_300_schools_is_below_100_kilobytes():
    rng = np.random.default_rng(1)
    names = [f"v{j}" for j in range(7)]
    data = pd.DataFrame(rng.gamma(2, 3, (300, 7)), columns=names).assign(
        school=[f"东湖县第{i}实验小学" for i in range(300)]
    )
    columns = (TableColumn("school", "学校"), *(TableColumn(name, "生均面积", "number") for name in names))
    assert len(table_html(exhibit(columns=columns, data=data)).encode()) < 130_000


def test_columns_that_the_data_lack_are_refused():
    with pytest.raises(ValueError, match="no column share"):
        exhibit(data=DATA.drop(columns="share"))


def test_a_mark_outside_the_table_is_refused():
    with pytest.raises(ValueError, match="mark at no cell"):
        exhibit(marks=(CellMark(9, "cv", "unsure"),))


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (1234567.0, "number", "1,234,567.0"),
        (2024.0, "text", "2024"),
        ("0102", "text", "0102"),
        (True, "flag", "是"),
        (pd.Timestamp("2024-09-01"), "text", "2024-09-01"),
        (None, "number", ""),
        ("no_such_code", "code", "no_such_code"),
    ],
)
def test_values_are_printed_as_people_write_them(value, kind, text):
    assert cell_text(value, TableColumn("x", "x", kind), "zh") == text


def test_an_unknown_verdict_is_refused():
    with pytest.raises(ValueError, match="verdict must be one of"):
        cell_text("perhaps", TableColumn("x", "x", "verdict"), "zh")


@pytest.mark.parametrize(
    ("value", "text"), [(13.0, "13"), (343.8, "343.8"), (1_310_000.0, "1,310,000"), (np.inf, "∞")]
)
def test_a_column_of_several_units_prints_whole_numbers_without_decimals(value, text):
    column = TableColumn("gap", "缺口", "number", decimals=1, trims_whole=True)
    assert cell_text(value, column, "zh") == text


def test_a_second_line_stands_in_the_cell_of_another_column_and_in_the_files_only():
    columns = (
        TableColumn("target", "目标", below="words"),
        TableColumn("cv", "差异系数", "number", decimals=3, below="words"),
        TableColumn("words", "原文", in_files_only=True),
    )
    data = pd.DataFrame({"target": ["规模", "班额"], "cv": [0.5, 0.25], "words": ["不超过<2000>人", ""]})
    html = table_html(exhibit(columns=columns, data=data))
    assert html.count("<br><small>不超过&lt;2000&gt;人</small>") == 2
    assert html.count("<small>") == 2
    assert "原文" not in html
    assert 'data-v="0.5">0.500<br>' in html


def test_a_second_line_from_no_column_is_refused():
    with pytest.raises(ValueError, match="absent"):
        exhibit(columns=(TableColumn("school_name", "学校", below="absent"),))


def test_the_plain_text_that_a_notebook_keeps_beside_a_table_holds_no_value_of_it():
    assert repr(exhibit()) == "<TableExhibit dispersion: 3 rows>"
