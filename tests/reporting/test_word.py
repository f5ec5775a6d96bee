"""The Word document: what it holds, how it is built, and that it is always the same."""

import zipfile
from dataclasses import replace
from io import BytesIO

import docx
import pandas as pd
import pytest
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn

from tests.reporting.pages import code, header, html_output, notebook, prose
from toolkit.errors import RunError
from toolkit.exhibits import Caption
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.saved import save_figure
from toolkit.figures.theme import new_figure
from toolkit.reporting.equations import OMML, omml
from toolkit.reporting.findings import Finding, FindingNumber, Findings, FindingsExhibit
from toolkit.reporting.render import Page
from toolkit.reporting.saved_results import SavedResults
from toolkit.reporting.word import write_word
from toolkit.reporting.word_tables import TextTable, fit_table, table_element, text_table
from toolkit.tables.exhibit import CellMark, TableColumn, TableExhibit
from toolkit.tables.saved import save_table

RESULTS = r"""## 一、结果

记 $X_i$ 为生均值[，点击列标题排序]{.screen}。

$$CV=\frac{1}{\bar X}\sqrt{\sum_i p_i}$$

- 一项

### 细目"""
OWN, OTHER = "07_annual_report", "02_inter_school_variation"


def table(key, n_rows=2, n_columns=2, **changes):
    names = ["school_name", *(f"c{i}" for i in range(1, n_columns))]
    data = pd.DataFrame(
        {name: [1.5] * n_rows for name in names} | {"school_name": [f"第{i}\x0b小学" for i in range(n_rows)]}
    )
    columns = (
        TableColumn("school_name", "学校"),
        *(TableColumn(name, "数值", "number", unit="元") for name in names[1:]),
    )
    caption = Caption(key, f"题{key}", "zh", unit="元", n="2 所学校", source="填报", notes=("说明一",))
    return TableExhibit(caption, columns, data, **changes)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "results"
    for exhibit in (
        table("first", marks=(CellMark(0, "c1", "suppressed"), CellMark(1, "c1", "unsure")), total_rows=1),
        table("long", 40, rows_shown=3), table("wide", 30, 24), table("none", 0, empty_text="公开版不列出"),
    ):  # fmt: skip
        save_table(exhibit, folder / OWN)
    save_table(table("coefficients"), folder / OTHER)
    save_figure(
        FigureExhibit(Caption("bars", "柱", "zh"), new_figure(8, 4), "两根“柱”", "first"), folder / OWN
    )
    return folder


@pytest.fixture(scope="module")
def executed(results):
    from toolkit.figures.saved import load_saved_figure
    from toolkit.tables.saved import load_saved_table

    def cell(exhibit):
        return code("show()", outputs=[html_output(exhibit._repr_html_())])

    findings = Findings(OWN, (Finding("a", "headline", 1, "结论甲。", "Finding A.", numbers=(
        FindingNumber("x", 1.0, "", "first"), FindingNumber("y", 1.0, "", "long"))),))  # fmt: skip
    saved = SavedResults(results, "zh")
    return notebook(
        prose("# 年度报告\n\n总说明，见[@first]与[@bars]。", "zh"),
        prose("# Annual report\n\nSee [@first].", "en"),
        code('results_dir = "/home/someone"', "injected-parameters"),
        code("x = 1"),
        prose(RESULTS, "zh"),
        cell(FindingsExhibit(findings, "zh")),
        *(cell(load_saved_table(results / OWN, key)) for key in ("first", "long")),
        prose("宽表如下。", "zh"),
        cell(load_saved_table(results / OWN, "wide")),
        cell(load_saved_table(results / OWN, "none")),
        cell(load_saved_figure(results / OWN, "bars")),
        cell(saved.show_table(OTHER, "coefficients")),
        cell(saved.show_findings("01_data_quality")),
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(results):
    return Page(
        header(), parameters=(("学年", "2024"),), narrative="## 工作举措\n\n已建**两所**。",
        results=results / OWN, results_href=f"results/{OWN}",
    )  # fmt: skip


@pytest.fixture(scope="module")
def written(executed, page, tmp_path_factory):
    return write_word(executed, page, tmp_path_factory.mktemp("word") / "report.docx")


@pytest.fixture(scope="module")
def document(written):
    return docx.Document(str(written))


def texts(document, style):
    return [paragraph.text for paragraph in document.paragraphs if paragraph.style.name == style]


def whole(document):
    return "".join(document.element.body.itertext())


def test_it_has_title_prose_findings_and_own_text_of_one_language(document):
    assert texts(document, "Title") == ["年度报告"]
    assert texts(document, "Heading 1")[:2] == ["一、结果", "本地说明"]
    assert texts(document, "Heading 2")[:2] == ["细目", "工作举措"]
    assert texts(document, "Finding") == ["【结论】结论甲。（表1；表2）"]
    assert "总说明，见表1与图1。" in texts(document, "Body Indented")
    text = whole(document)
    assert "Annual report" not in text
    assert "someone" not in text
    assert "点击列标题排序" not in text
    assert "自评结果" in text


def test_the_title_page_says_what_it_is_and_carries_no_running_line(document):
    assert texts(document, "Cover County") == ["东湖县"]
    assert texts(document, "Cover Line") == ["（2024/2025 学年）", "自评结果（非国家认定）", "内部版"]
    facts = {row.cells[0].text: row.cells[1].text for row in document.tables[0].rows}
    assert facts["评估标准"] == "教督〔2017〕6号"
    first, *others = document.sections
    assert first.different_first_page_header_footer
    assert not first.first_page_header.paragraphs[0].text
    assert not any(section.different_first_page_header_footer for section in others)


def test_the_contents_are_a_field_that_already_lists_the_headings(document):
    listed = [*texts(document, "toc 1"), *texts(document, "toc 2")]
    headings = [*texts(document, "Heading 1"), *texts(document, "Heading 2")]
    assert listed == headings
    lines = [each for each in document.paragraphs if each.style.name.startswith("toc")]
    assert 'TOC \\o "1-2"' in "".join(lines[0]._p.itertext())
    kinds = [mark.get(qn("w:fldCharType")) for line in lines for mark in line._p.iter(qn("w:fldChar"))]
    assert kinds == ["begin", "separate", "end"]
    places = {mark.get(qn("w:name")) for mark in document.element.body.iter(qn("w:bookmarkStart"))}
    assert {link.get(qn("w:anchor")) for line in lines for link in line._p.iter(qn("w:hyperlink"))} <= places


def test_the_text_begins_on_a_page_of_its_own(document):
    names = [paragraph.style.name for paragraph in document.paragraphs]
    last = max(position for position, name in enumerate(names) if name.startswith("toc"))
    assert document.paragraphs[last + 1].paragraph_format.page_break_before


def test_exhibits_are_numbered_tables_captioned_above_and_figures_below(document):
    assert texts(document, "Exhibit Caption") == [
        "表1\u3000题first", "表2\u3000题long", "表3\u3000题wide", "表4\u3000题none",
        "表5\u3000题coefficients",
    ]  # fmt: skip
    assert texts(document, "Figure Caption") == ["图1\u3000柱"]
    styles = [
        element.style.name if hasattr(element, "style") and element.style else ""
        for element in document.iter_inner_content()
    ]
    first = styles.index("Exhibit Caption")
    assert styles[first + 1] == "Exhibit Meta"
    assert styles[styles.index("Picture") + 1] == "Figure Caption"


def test_every_table_names_its_file_and_a_long_one_what_it_leaves_out(document):
    notes = texts(document, "Exhibit Note")
    endings = texts(document, "Exhibit Ending")
    assert f"资料来源：填报\u3000数据文件：results/{OWN}/first.xlsx" in endings
    assert f"资料来源：填报\u3000本文列出 3 行，全表共 40 行，见数据文件 results/{OWN}/long.xlsx。" in endings
    assert f"资料来源：填报\u3000数据文件：results/{OTHER}/coefficients.xlsx" in endings
    assert "数据见表1。" in endings
    assert "注：说明一" in notes
    assert any("[c] 人数过少" in note for note in notes)


def test_cells_are_as_printed_and_headings_are_repeated(document):
    first = document.tables[1]
    assert [[cell.text for cell in row.cells] for row in first.rows] == [
        ["学校", "数值\n元"], ["第0 小学", "[c]"], ["第1 小学", "1.5 [u]"]
    ]  # fmt: skip
    assert all(table.rows[0]._tr.xpath("w:trPr/w:tblHeader") for table in document.tables[1:])
    assert not first.rows[1]._tr.xpath("w:trPr/w:tblHeader")
    assert len(document.tables[2].rows) == 4


def test_a_withheld_table_says_why_and_a_missing_study_is_one_line(document):
    assert "公开版不列出" in texts(document, "Exhibit Note")
    (line,) = [text for text in texts(document, "Remark") if "本次未运行" in text]
    assert line.endswith("）。")


def test_a_wide_table_lies_on_a_sheet_turned_sideways_with_its_announcement(document):
    orientations = [section.orientation for section in document.sections]
    assert orientations == [WD_ORIENT.PORTRAIT, WD_ORIENT.LANDSCAPE, WD_ORIENT.PORTRAIT]
    body = list(document.element.body)
    breaks = [position for position, element in enumerate(body) if element.xpath("w:pPr/w:sectPr")]
    assert "宽表如下。" in "".join("".join(element.itertext()) for element in body[breaks[0] : breaks[1]])


def test_no_table_is_wider_than_its_paper(document):
    for table, room in ((document.tables[1], 156), (document.tables[3], 225)):
        widths = [int(column.get(qn("w:w"))) for column in table._tbl.tblGrid]
        assert sum(widths) * 25.4 / 1440 <= room + 1


def test_letters_shrink_before_the_sheet_is_turned():
    def fitted(columns, n_rows):
        row = ("第一实验小学",) + ("1,234.56",) * (columns - 1)
        return fit_table(
            TextTable(("栏",) * columns, (row,) * n_rows, ("left",) + ("right",) * (columns - 1))
        )

    assert (fitted(4, 30).size, fitted(4, 30).is_landscape) == (10.5, False)
    assert fitted(8, 30).size < 10.5
    assert not fitted(10, 30).is_landscape
    assert fitted(16, 3).is_landscape
    assert fitted(40, 3).is_landscape
    assert sum(fitted(4, 30).widths) <= 156.5
    for columns in (4, 8, 10, 16, 40):
        fit = fitted(columns, 30)
        assert sum(fit.widths) <= (225.5 if fit.is_landscape else 172.5)


def test_a_long_table_of_long_words_is_set_smaller_where_fewer_lines_are_broken():
    def fitted(name):
        rows = ((name,) + ("1,234.56",) * 6,) * 40
        return fit_table(TextTable(("栏",) * 7, rows, ("left",) + ("right",) * 6))

    assert fitted("第一实验小学").size > fitted("每百名学生拥有高于规定学历的教师数").size


def test_a_second_line_counts_as_a_line_of_its_own():
    quotation = "小学、初中规模不超过二千人" * 2
    cells = text_table(
        TableExhibit(
            Caption("targets", "目标", "zh"),
            (TableColumn("name", "目标", below="words"), TableColumn("words", "原文", in_files_only=True)),
            pd.DataFrame({"name": ["规模", "班额"], "words": [quotation, ""]}),
        )
    )
    assert cells.headings == ("目标",)
    assert cells.rows == ((f"规模\n{quotation}",), ("班额",))
    made = table_element(cells, fit_table(cells))
    assert len(made.xpath(".//w:tr[2]//w:br")) == 1


def test_equations_side_by_side_are_set_one_below_the_other(page, tmp_path):
    cells = notebook(prose("# 题\n\n$$a=1,\\qquad b=2$$", "zh"))
    document = docx.Document(str(write_word(cells, page, tmp_path / "x.docx")))
    equations = [each for each in document.paragraphs if each.style.name == "Equation Line"]
    assert ["".join(each._p.xpath("string()")) for each in equations] == ["a=1", "b=2"]


def test_pictures_have_their_description(document):
    (shape,) = document.inline_shapes
    assert shape._inline.docPr.get("descr") == "两根“柱”"
    assert shape.width.mm <= 156


def test_equations_are_those_of_word(document):
    equations = document.element.body.findall(f".//{{{OMML}}}oMath")
    assert len(equations) == 2
    assert "".join(equations[1].itertext()) == "CV=1Xipi"
    names = {str(element.tag).rpartition("}")[2] for element in equations[1].iter()}
    assert {"f", "num", "den", "rad", "nary", "bar", "sSub"} <= names


@pytest.mark.parametrize(
    ("formula", "name"),
    [
        (r"\sum_{i=1}^{n} x_i", "nary"),
        (r"\hat\beta_1^2", "acc"),
        (r"\sqrt[3]{x}", "deg"),
        (r"\left(\frac{a}{b}\right)^2", "f"),
    ],
)
def test_formulas_keep_their_structure(formula, name):
    assert omml(formula, display=True).find(f".//{{{OMML}}}{name}") is not None


def test_a_formula_that_cannot_be_read_stays_as_it_was_written():
    assert omml(r"\frac{1}", display=False) is None


def test_paper_margins_and_fonts_are_those_of_official_documents(document):
    section = document.sections[0]
    sizes = (
        section.page_width,
        section.page_height,
        section.top_margin,
        section.bottom_margin,
        section.left_margin,
        section.right_margin,
    )
    assert [round(size.mm) for size in sizes] == [210, 297, 37, 35, 28, 26]
    fonts = {
        name: document.styles[name].element.rPr.rFonts.get(qn("w:eastAsia"))
        for name in ("Title", "Heading 1", "Heading 2", "Body Indented")
    }
    assert fonts == {
        "Title": "方正小标宋简体",
        "Heading 1": "黑体",
        "Heading 2": "楷体_GB2312",
        "Body Indented": "仿宋_GB2312",
    }
    body = document.styles["Body Indented"]
    assert (body.font.size.pt, body.paragraph_format.line_spacing.pt) == (16, 28)
    assert "PAGE" in "".join(section.footer._element.itertext())


def test_equal_reports_have_equal_bytes_without_time_or_place(executed, page, written, tmp_path):
    again = write_word(executed, page, tmp_path / "again.docx")
    assert again.read_bytes() == written.read_bytes()
    with zipfile.ZipFile(BytesIO(again.read_bytes())) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert all(str(tmp_path).encode() not in archive.read(name) for name in archive.namelist())


def test_it_is_written_in_english_too(executed, page, tmp_path):
    english = replace(page, header=header(language="en"), narrative="")
    cells = notebook(*[cell for cell in executed.cells if "zh" not in cell.metadata.get("tags", ())])
    document = docx.Document(str(write_word(cells, english, tmp_path / "en.docx")))
    assert texts(document, "Title") == ["Annual report"]
    assert texts(document, "Exhibit Caption")[0].startswith("Table 1")
    assert "See Table 1." in texts(document, "Body Indented")


def test_an_exhibit_that_was_not_saved_is_refused(page, tmp_path):
    cells = notebook(prose("# 题", "zh"), code("x", outputs=[html_output(table("unsaved")._repr_html_())]))
    with pytest.raises(RunError, match="holds no unsaved"):
        write_word(cells, page, tmp_path / "x.docx")


def test_a_reference_to_nothing_is_refused(page, tmp_path):
    with pytest.raises(RunError, match="nowhere"):
        write_word(notebook(prose("# 题\n\n见[@nowhere]", "zh")), page, tmp_path / "x.docx")
