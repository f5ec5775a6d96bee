from dataclasses import replace

import pytest

from tests.reporting.pages import Outline, header
from toolkit.reporting.findings import Finding
from toolkit.reporting.index import Download, FailedPart, IndexEntry, NotRun, ReportIndex, render_index

VERDICT = Finding("v", "headline", 1, "初中不通过。", "Junior fails.", "fail")
INDEX = ReportIndex(
    header=header(),
    verdicts=(replace(VERDICT, id="w", importance=2, zh="小学通过。", status="pass"), VERDICT),
    entries=(
        IndexEntry("数据质量", "01.html", "数据是否完整。", ()),
        IndexEntry("校际差异", "02.html", "", (Finding("a", "finding", 1, "差异最大的是<体育>。", "PE."),)),
    ),
    not_run=(NotRun("集团化办学", "缺少“集团成员”表"),),
    failures=(FailedPart("教师轮岗", "二、读数", "KeyError：<x>"),),
    downloads=(Download("差异系数", "results/02/d.csv", "results/02/d.xlsx"),),
)


@pytest.fixture(scope="module")
def page():
    return Outline(render_index(INDEX))


def test_the_index_opens_with_the_verdict_coloured_by_the_worst(page):
    main = page.text[page.text.index("初中不通过") :]
    assert (
        main.index("初中不通过")
        < main.index("小学通过")
        < main.index("差异最大")
        < main.index("数据是否完整")
    )
    assert any(a.get("class") == "verdict-box status-fail" for a in page.all("section"))


def test_the_index_is_one_well_formed_page(page):
    assert not page.unbalanced
    assert page.headings().count(1) == 1
    ids = {a["id"] for _, a in page.tags if "id" in a}
    assert {a["href"][1:] for a in page.all("a") if a["href"].startswith("#")} <= ids


def test_values_are_escaped():
    html = render_index(INDEX)
    assert "差异最大的是&lt;体育&gt;。" in html
    assert "KeyError：&lt;x&gt;" in html


def test_remarks_and_counts_stand_below_the_verdict():
    made = replace(INDEX, remarks=("只含资源配置指标<1>。",), facts=(("登记学校数", "62"), ("纳入", "57")))
    html = render_index(made)
    text = Outline(html).text
    assert text.index("初中不通过") < text.index("只含资源配置指标<1>。") < text.index("登记学校数 62")
    assert text.index("登记学校数 62") < text.rindex("要点")
    assert '<a href="#scope">范围说明</a>' in html
    assert 'id="scope"' not in render_index(INDEX)


def test_the_change_in_a_year_stands_between_verdict_and_headlines():
    change = Finding("change_primary", "finding", 2, "小学与上一学年相比：<3> 项。", "Primary: <3>.")
    html = render_index(replace(INDEX, changes=(change,)))
    text = Outline(html).text
    assert text.index("初中不通过") < text.index("小学与上一学年相比：<3> 项。") < text.index("差异最大")
    assert '<a href="#changes">与上一学年相比</a>' in html
    assert 'id="changes"' not in render_index(INDEX)


def test_synthetic_data_are_said_below_the_title():
    html = render_index(replace(INDEX, header=replace(header(), is_synthetic=True)))
    assert html.index("</h1>") < html.index("本报告使用模拟数据") < html.index('class="facts"')
    assert "模拟数据" not in render_index(INDEX)


def test_what_was_not_done_stands_on_one_line_with_its_reason(page):
    assert "集团化办学：缺少“集团成员”表" in page.text


def test_failures_are_announced(page):
    assert [a["role"] for a in page.all("div") if "role" in a] == ["alert"]
    assert "教师轮岗" in page.text


def test_sections_without_content_are_left_out():
    html = render_index(replace(INDEX, not_run=(), failures=(), downloads=()))
    assert "本次未开展" not in html
    assert "运行出错" not in html
    assert "数据下载" not in html


def test_a_run_without_a_verdict_says_so():
    html = render_index(replace(INDEX, verdicts=()))
    assert "本次运行没有得出总体结论。" in html
    assert "status-none" in html


def test_the_index_is_written_in_english_too():
    english = Outline(render_index(replace(INDEX, header=header(language="en")))).text
    assert "Junior fails." in english
    assert "Self-assessment (not a national recognition)" in english


def test_two_renderings_are_equal():
    assert render_index(INDEX) == render_index(INDEX)
