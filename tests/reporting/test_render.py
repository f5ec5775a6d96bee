import re
from dataclasses import replace
from itertools import pairwise

import nbformat
import pandas as pd
import pytest

from tests.reporting.pages import Outline, code, header, html_output, notebook, prose, record
from toolkit.errors import RunError
from toolkit.exhibits import Caption
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.theme import new_figure
from toolkit.reporting.page import PageLink, page_header, template_text
from toolkit.reporting.render import Page, render_page
from toolkit.tables.exhibit import TableColumn, TableExhibit
from toolkit.tables.export import export_table


def table(key, title="表题"):
    data = pd.DataFrame({"school_name": ["甲<b>", "乙", "丙"], "cv": [0.1, 0.2, 0.3]})
    columns = (TableColumn("school_name", "学校"), TableColumn("cv", "系数", "number"))
    return TableExhibit(Caption(key, title, "zh"), columns, data)


def figure(key):
    return FigureExhibit(Caption(key, "图题", "zh"), new_figure(4, 2), "说明", "first")


def shown(exhibit, source="show()"):
    return code(source, outputs=[html_output(exhibit._repr_html_())])


def sample(*more):
    return notebook(
        prose("# 校际差异\n\n见[@second]与[@bars]。", "zh"),
        prose("# Variation\n\nSee [@second].", "en"),
        code('data_path = "/home/someone/secret.xlsx"', "injected-parameters"),
        code("import os", "imports"),
        prose("## 一、结果\n\n### 细目\n\n$$x_i$$", "zh"),
        prose("## 1 Results", "en"),
        shown(table("first")),
        shown(figure("bars")),
        shown(table("second")),
        *more,
    )


PAGE = Page(header(), parameters=(("学年", "2024"),), narrative="## 工作举措\n\n已建 <b>两所</b>。")


@pytest.fixture(scope="module")
def html():
    return render_page(sample(), PAGE)


@pytest.fixture(scope="module")
def page(html):
    return Outline(html)


def test_all_elements_are_closed_in_order(page):
    assert not page.unbalanced


def test_the_page_names_its_language():
    assert Outline(render_page(sample(), PAGE)).all("html") == [{"lang": "zh-CN"}]
    assert Outline(render_page(sample(), replace(PAGE, header=header(language="en")))).all("html") == [
        {"lang": "en"}
    ]


def test_the_page_has_one_title_and_headings_without_gaps(page):
    levels = page.headings()
    assert levels.count(1) == 1
    assert all(following <= level + 1 for level, following in pairwise(levels))


def test_the_title_is_that_of_the_notebook_with_county_and_year(html):
    assert "<title>校际差异 · 东湖县 · 2024/2025 学年</title>" in html
    assert "<h1>校际差异</h1>" in html


def test_a_given_title_wins():
    assert "<h1>另一题</h1>" in render_page(sample(), replace(PAGE, title="另一题"))


def test_the_head_states_what_the_page_is_about(page):
    for text in (
        "自评结果（非国家认定）",
        "内部版",
        "东湖县",
        "2024/2025 学年",
        "2024 年 9 月 1 日",
        "教督〔2017〕6号",
    ):
        assert text in page.text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", "本报告使用模拟数据，县名、校名均为虚构，不得作为评估依据。"),
        ("en", "Synthetic data: county and school names are invented. Not for use in an evaluation."),
    ],
)
def test_synthetic_data_are_said_below_the_title(language, words):
    head = page_header(record(language=language), standard="x", version="1", is_synthetic=True)
    html = render_page(sample(), replace(PAGE, header=head))
    assert html.index("</h1>") < html.index(words) < html.index('class="facts"')
    assert words not in render_page(sample(), replace(PAGE, header=header(language=language)))


def test_the_public_edition_says_so():
    assert "公开版" in render_page(sample(), replace(PAGE, header=header(edition="public")))


def test_nothing_is_asked_from_another_host(html, page):
    addresses = [a[name] for _, a in page.tags for name in ("src", "href") if name in a]
    assert addresses
    assert not [address for address in addresses if re.match(r"(?:https?:)?//", address)]
    assert not re.search(r"url\((?!data:)|@import", html)
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_exhibits_are_numbered_by_kind_in_the_order_of_the_page(html):
    assert re.findall(r'<span class="exhibit-number">([^<]+)</span>', html) == ["表1", "图1", "表2"]


def test_references_carry_the_number(html):
    assert 'href="#exhibit-second">表2</a>' in html
    assert 'href="#exhibit-bars">图1</a>' in html
    assert '数据见<a class="exhibit-ref" href="#exhibit-first">表1</a>' in html


def test_every_link_within_the_page_has_its_target(page):
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    targets = {a["href"][1:] for a in page.all("a") if a.get("href", "").startswith("#")}
    assert targets <= ids


def test_ids_are_unique(page):
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_pictures_have_alternative_texts_and_tables_captions(page):
    assert all(image.get("alt") for image in page.all("img"))
    assert len(page.all("table")) == len(page.all("caption")) == 3


def test_a_reference_to_nothing_is_an_error():
    with pytest.raises(RunError, match="does not have: nowhere"):
        render_page(sample(prose("见[@nowhere]。", "zh")), PAGE)


def test_a_key_used_twice_is_an_error():
    with pytest.raises(RunError, match="name first is used twice"):
        render_page(sample(shown(table("first"))), PAGE)


def test_prose_is_kept_in_one_language():
    english = Outline(render_page(sample(), replace(PAGE, header=header(language="en")))).text
    assert "See" in english
    assert "一、结果" not in english


def test_parameters_are_a_table_and_never_code(html, page):
    assert "secret.xlsx" not in html
    assert '<tr><th scope="row">学年</th><td>2024</td></tr>' in html


def test_code_is_there_but_not_seen_before_it_is_asked_for(html):
    assert html.count('<details class="code">') == 4
    assert 'id="show-code"' in html
    assert "details.code{display:none;" in html
    assert ".code-shown details.code{display:block}" in html


def test_warnings_of_a_cell_are_dropped_and_its_failure_is_announced():
    stderr = nbformat.v4.new_output("stream", name="stderr", text="UserWarning at /home/x")
    error = nbformat.v4.new_output("error", ename="KeyError", evalue="<x>", traceback=["/home/x line 3"])
    html = render_page(sample(code("y", outputs=[stderr, error])), PAGE)
    assert "/home/x" not in html
    assert '<div class="error" role="alert"><p>本单元运行出错</p><pre>KeyError: &lt;x&gt;</pre></div>' in html


def test_a_picture_without_exhibit_still_has_an_alternative_text():
    output = nbformat.v4.new_output("display_data", data={"image/png": "iVBORw0KGgo="})
    assert 'alt="未附文字说明的图"' in render_page(sample(code("plot", outputs=[output])), PAGE)


def test_text_from_data_shows_as_text(html):
    assert "甲&lt;b&gt;" in html
    assert "已建 &lt;b&gt;两所&lt;/b&gt;" in html


def test_the_countys_own_text_is_left_out_when_empty():
    assert 'id="narrative"' not in render_page(sample(), replace(PAGE, narrative=" \n"))


def test_files_are_linked_where_they_exist(tmp_path):
    export_table(table("first"), tmp_path)
    html = render_page(sample(), replace(PAGE, results=tmp_path, results_href="results/02"))
    assert 'href="results/02/first.csv"' in html
    assert 'href="results/02/first.xlsx"' in html
    assert "second.csv" not in html


def test_neighbours_and_index_are_linked():
    html = render_page(sample(), replace(PAGE, next_page=PageLink("规划", "06.html")))
    assert '<a class="index" href="index.html">报告首页</a>' in html
    assert '<a class="next" href="06.html">规划</a>' in html


def test_the_style_for_jupyter_is_not_repeated_in_the_page(html):
    assert html.count("<style>") == 1


def test_the_foot_has_hashes_and_versions_but_no_folder(page):
    for text in ("东湖县.xlsx (SHA-256 abababababab…)", "pandas 3.0.0", "0123abc", "3.12.1"):
        assert text in page.text


def test_a_page_can_bring_its_font():
    html = render_page(sample(), replace(PAGE, embed_font=True))
    assert "src:url(data:font/woff;base64," in html
    assert html == render_page(sample(), replace(PAGE, embed_font=True))


def test_two_renderings_are_equal(html):
    assert render_page(sample(), PAGE) == html


def test_the_notebook_is_not_changed_by_rendering():
    made = sample()
    before = nbformat.writes(made)
    render_page(made, PAGE)
    assert nbformat.writes(made) == before


def test_tables_and_figures_scroll_in_their_own_box(page):
    assert len([a for a in page.all("div") if a.get("class") == "table-box"]) == 3
    assert len([a for a in page.all("div") if a.get("class") == "figure-box"]) == 1


def test_a_table_without_rows_keeps_number_and_files(tmp_path):
    empty = replace(table("none"), data=table("none").data.iloc[:0])
    export_table(empty, tmp_path)
    html = render_page(sample(shown(empty)), replace(PAGE, results=tmp_path, results_href="results/02"))
    assert '<span class="exhibit-number">表3</span>' in html
    assert 'href="results/02/none.csv"' in html
    assert 'href="results/02/none.xlsx"' in html


def test_what_only_a_screen_can_do_is_not_printed():
    printed = template_text("report.css").split("@media print")[1]
    hidden = next(line for line in printed.splitlines() if line.endswith("{display:none!important}"))
    for name in (".screen-only", ".scroll-hint", ".code-switch", ".exhibit-files"):
        assert name in hidden
