"""Results of other notebooks shown again: with their files where they are, or one line with the reason."""

from dataclasses import replace

import pandas as pd
import pytest

from tests.reporting.pages import Outline, code, header, html_output, notebook, prose
from toolkit.exhibits import EXHIBITS_NAME, Caption
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.saved import save_figure
from toolkit.figures.theme import new_figure
from toolkit.reporting.findings import Finding, FindingNumber, Findings, save_findings
from toolkit.reporting.record import NotebookOutcome
from toolkit.reporting.render import Page, render_page
from toolkit.reporting.saved_results import Notice, SavedResults, open_results, record_outcome
from toolkit.tables.exhibit import TableColumn, TableExhibit
from toolkit.tables.saved import save_table

DONE, FAILED, OWN = "02_inter_school_variation", "01_data_quality", "07_annual_report"


def table(key, title="差异系数"):
    data = pd.DataFrame({"school_name": ["甲"], "cv": [0.1]})
    columns = (TableColumn("school_name", "学校"), TableColumn("cv", "系数", "number"))
    return TableExhibit(Caption(key, title, "zh"), columns, data)


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    save_table(table("coefficients"), folder / DONE)
    save_table(table("unseen", "未列出的表"), folder / DONE)
    save_figure(
        FigureExhibit(Caption("bars", "柱", "zh"), new_figure(4, 2), "柱图", "coefficients"), folder / DONE
    )
    findings = tuple(
        Finding(
            key,
            "headline",
            1,
            f"结论{key}。",
            f"Finding {key}.",
            numbers=(FindingNumber("cv", 0.1, "", key),),
        )
        for key in ("coefficients", "unseen")
    )
    save_findings(Findings(DONE, findings), folder / DONE)
    (folder / OWN).mkdir()
    return SavedResults(folder, "zh")


def page_of(results, *shown):
    cells = [code("show()", outputs=[html_output(exhibit._repr_html_())]) for exhibit in shown]
    page = Page(header(), results=results.folder / OWN, results_href=f"results/{OWN}")
    return render_page(notebook(prose("# 年度报告", "zh"), *cells), page)


def links_of(html):
    return [link["href"] for link in Outline(html).all("a") if "class" not in link]


def test_a_table_shown_again_is_numbered_here_and_its_files_are_those_of_its_notebook(results):
    own = table("own")
    save_table(own, results.folder / OWN)
    html = page_of(results, own, results.show_table(DONE, "coefficients"))
    outline = Outline(html)
    assert "表2 差异系数" in outline.text
    links = [link["href"] for link in outline.all("a") if link["href"].startswith("results/")]
    assert links == [
        f"results/{OWN}/own.csv", f"results/{OWN}/own.xlsx",
        f"results/{DONE}/coefficients.csv", f"results/{DONE}/coefficients.xlsx",
    ]  # fmt: skip
    assert f"{DONE}.html#exhibit-coefficients" in links_of(html)
    assert not (results.folder / OWN / "coefficients.csv").exists()


def test_a_figure_refers_to_its_table_here_or_on_the_page_that_has_it(results):
    figure = results.show_figure(DONE, "bars")
    assert "数据见 表1 。" in Outline(page_of(results, results.show_table(DONE, "coefficients"), figure)).text
    alone = page_of(results, figure)
    assert f'<a href="{DONE}.html#exhibit-coefficients">差异系数</a>' in alone


def test_findings_link_to_tables_here_or_on_the_page_that_has_them(results):
    html = page_of(results, results.show_table(DONE, "coefficients"), results.show_findings(DONE))
    assert '<a class="exhibit-ref" href="#exhibit-coefficients">表1</a>' in html
    assert f'<a href="{DONE}.html#exhibit-unseen">未列出的表</a>' in html


def test_a_table_of_the_same_key_made_here_is_not_taken_for_the_other(results):
    html = page_of(results, table("coefficients", "另一张表"), results.show_findings(DONE))
    assert f'<a href="{DONE}.html#exhibit-coefficients">差异系数</a>' in html


def test_what_a_failed_notebook_would_show_is_one_line_with_the_reason(results):
    record_outcome(results.folder, NotebookOutcome(FAILED, "failed", "内存不足"))
    record_outcome(results.folder, NotebookOutcome(DONE, "done", ""))
    line = "本次未运行：数据质量报告（内存不足）。"
    shown = [
        results.show_table(FAILED, "problems"), results.show_figure(FAILED, "x"),
        results.show_findings(FAILED), results.not_run(FAILED),
    ]  # fmt: skip
    assert {notice.text.split("：")[0] for notice in shown} == {line.split("：")[0]}
    assert {notice.text.endswith("（内存不足）。") for notice in shown} == {True}
    assert results.findings(FAILED) is None
    assert Outline(page_of(results, shown[0])).text.count("内存不足") == 1
    assert results.was_run(DONE)


def test_a_study_that_this_version_does_not_have_is_one_line(results):
    (*here, part, last) = results.show_studies().parts
    assert [title for title, _ in here] == ["集团化办学的影响", "教师交流轮岗的影响"]
    told = [f"本次未开展：{title}（本次报告不含该项研究）。" for title, _ in (part, last)]
    assert [notice.text for _, notice in (part, last)] == told
    assert Outline(page_of(results, results.show_studies())).text.count("本次未开展") == 2


def test_a_study_that_was_run_shows_its_headlines(results):
    folder = results.folder / "05_value_added"
    found = [Finding(name, name, 1, f"{name}。", f"{name}.") for name in ("headline", "finding", "limit")]
    save_findings(Findings("05_value_added", tuple(found)), folder)
    text = Outline(page_of(results, results.show_studies(("05_value_added",)))).text
    assert "headline。" in text
    assert "limit。" in text
    assert "finding。" not in text


def test_an_exhibit_that_was_not_made_is_one_line(results):
    assert "该章节没有此表" in results.show_table(DONE, "bars").text
    assert "该章节没有此图" in results.show_figure(DONE, "coefficients").text


@pytest.mark.parametrize("name", [EXHIBITS_NAME, "findings.json", "coefficients.csv", "bars.png"])
def test_damaged_results_are_lines_never_exceptions(results, name):
    path = results.folder / DONE / name
    path.unlink()
    path.write_text("{", encoding="utf-8") if name.endswith("json") else None
    shown = {
        EXHIBITS_NAME: lambda: results.show_table(DONE, "coefficients"),
        "findings.json": lambda: results.show_findings(DONE),
        "coefficients.csv": lambda: results.show_table(DONE, "coefficients"),
        "bars.png": lambda: results.show_figure(DONE, "bars"),
    }[name]()
    assert isinstance(shown, Notice)
    assert "\n" not in shown.text


def test_findings_are_told_even_when_the_titles_of_their_tables_cannot_be_read(results):
    (results.folder / DONE / EXHIBITS_NAME).write_text("{", encoding="utf-8")
    assert isinstance(results.show_findings(DONE), Notice)
    assert len(results.findings(DONE)) == 2


def test_a_notebook_opened_alone_shows_lines_only():
    alone = SavedResults(None, "en")
    assert "opened alone" in alone.show_table(DONE, "coefficients").text
    assert alone.findings(DONE) is None
    assert all(isinstance(part, Notice) for _, part in alone.show_studies().parts)


def test_results_are_looked_for_beside_those_of_the_study(tmp_path, monkeypatch):
    class Opened:
        language = "zh"

        def __init__(self, results_dir):
            self.parameters = type("P", (), {"results_dir": results_dir})

    assert open_results(Opened("")).folder is None
    assert open_results(Opened(str(tmp_path / "results" / OWN))).folder == tmp_path / "results"


def test_outcomes_are_the_same_whatever_their_order(tmp_path):
    outcomes = [NotebookOutcome("b", "failed", "x"), NotebookOutcome("a", "done", "")]
    for folder, order in (("1", outcomes), ("2", outcomes[::-1])):
        for outcome in order:
            record_outcome(tmp_path / folder, outcome)
    assert (tmp_path / "1" / "outcomes.json").read_bytes() == (tmp_path / "2" / "outcomes.json").read_bytes()


def test_an_exhibit_shown_again_is_what_was_saved_but_for_where_it_comes_from(results):
    shown = results.show_table(DONE, "coefficients")
    assert shown.caption == replace(table("coefficients").caption, origin=DONE)
