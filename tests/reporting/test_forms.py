"""Forms filled in: what is replaced, what stays, and what is refused with its place."""

import docx
import openpyxl
import pandas as pd
import pytest
from docx.oxml import OxmlElement
from openpyxl.styles import Font

from tests.reporting.pages import record
from toolkit.errors import InputError
from toolkit.exhibits import Caption
from toolkit.reporting.findings import Finding, Findings, save_findings
from toolkit.reporting.form_values import collect_form_values, write_placeholders
from toolkit.reporting.forms import fill_form
from toolkit.tables.exhibit import CellMark, TableColumn, TableExhibit
from toolkit.tables.export import load_exported_table
from toolkit.tables.saved import save_table

EVIL = '=HYPERLINK("http://x","y")'


def coefficients():
    data = pd.DataFrame(
        {
            "name": ["R1 每百名学生拥有教师数", "R1 每百名学生拥有教师数", "R2 骨干"],
            "stage": ["primary", "junior", "primary"],
            "mean": [5.768424973229666, 7.5, 1.0],
            "coefficient": [0.32, 0.25, 0.44],
            "share": [0.9531, 0.5, 0.25],
            "verdict": ["pass", "pass", "fail"],
            "remark": [EVIL, "", "b"],
        }
    )
    kinds = {"stage": "code", "mean": "number", "coefficient": "number", "share": "share", "verdict": "met"}
    columns = tuple(
        TableColumn(name, f"列{name}", kinds.get(name, "text"), decimals=2) for name in data.columns
    )
    return TableExhibit(
        Caption("coefficients", "差异系数表", "zh"), columns, data, (CellMark(1, "mean", "suppressed"),)
    )


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    results = tmp_path_factory.mktemp("run") / "results"
    save_table(coefficients(), results / "02_inter_school_variation")
    schools = pd.DataFrame({"school_name": ["甲", "甲"], "n": [1.0, 2.0], "school_id": ["0012", "0013"]})
    columns = (
        TableColumn("school_name", "学校"),
        TableColumn("n", "数", "number"),
        TableColumn("school_id", "代码"),
    )
    save_table(TableExhibit(Caption("schools", "学校", "zh"), columns, schools), results / "07_annual_report")
    findings = [
        Finding(name, "headline", 1, f"{name}。", f"{name}.", status=status)
        for name, status in (
            ("items_county", "undecided"),
            ("items_part_government", "pass"),
            ("open_G05", "none"),
        )
    ]
    save_findings(Findings("07_annual_report", tuple(findings)), results / "07_annual_report")
    first = [Finding("verdict_county", "headline", 1, "a", "a", status="fail"),
             Finding("verdict_primary", "headline", 1, "b", "b", status="fail")]  # fmt: skip
    save_findings(Findings("02_inter_school_variation", tuple(first)), results / "02_inter_school_variation")
    return collect_form_values(results, record())


def workbook(path, **cells):
    book = openpyxl.Workbook()
    for address, value in cells.items():
        book.active[address] = value
    book.save(path)
    return path


def document(path, *texts):
    made = docx.Document()
    for text in texts:
        made.add_paragraph(text)
    made.save(path)
    return path


def test_numbers_have_names_of_table_row_and_column(values):
    found = {name: (value.text, value.number) for name, value in values.named.items()}
    assert found["coefficients.R1.primary.mean"] == ("5.77", 5.768424973229666)
    assert found["R1.primary.cv"] == ("0.32", 0.32)
    assert found["R1.junior.mean"][1] is None
    assert found["R2.primary.verdict"][0].endswith("未达标")
    assert found["schools.0013.n"] == ("2.0", 2.0)
    assert found["county_name"] == ("东湖县", None)
    assert found["county.verdict"][0].endswith("不予判定")
    assert found["part.government.verdict"][0].endswith("通过")
    assert "不通过" in found["primary.verdict"][0]
    assert found["finding.open_G05"] == ("open_G05。", None)


def test_a_workbook_is_filled_and_keeps_its_look(values, tmp_path):
    form = workbook(
        tmp_path / "f.xlsx",
        A1="{{county_name}}{{ school_year }}统计表", A3="{{R1.primary.mean}}", B3="约 {{R1.primary.cv}}",
        C3="{{coefficients.R1.primary.share}}", D3="=A3*2", E3="{{R1.junior.mean}}",
        F3="{{R1.primary.remark}}",
    )  # fmt: skip
    book = openpyxl.load_workbook(form)
    sheet = book.active
    sheet.merge_cells("A1:E1")
    sheet["A1"].font = Font(name="黑体", size=20)
    sheet["A3"].number_format = "0.000"
    sheet.print_area, sheet.page_setup.orientation = "A1:F9", "landscape"
    sheet.oddFooter.center.text = "{{county_name}}"
    sheet.column_dimensions["A"].width = 33
    book.save(form)
    filled = openpyxl.load_workbook(fill_form(form, values, tmp_path / "out.xlsx")).active
    assert filled["A1"].value == "东湖县2024/2025 学年统计表"
    assert (filled["A3"].value, filled["A3"].number_format) == (5.768424973229666, "0.000")
    assert filled["B3"].value == "约 0.32"
    assert (filled["C3"].value, filled["C3"].number_format) == (0.9531, "0.00%")
    assert (filled["D3"].value, filled["D3"].data_type) == ("=A3*2", "f")
    assert filled["E3"].value == "[c]"
    assert (filled["F3"].value, filled["F3"].data_type) == (EVIL, "s")
    assert (filled["A1"].font.name, filled.column_dimensions["A"].width) == ("黑体", 33)
    assert [str(area) for area in filled.merged_cells.ranges] == ["A1:E1"]
    assert (filled.print_area, filled.page_setup.orientation) == ("'Sheet'!$A$1:$F$9", "landscape")
    assert filled.oddFooter.center.text == "东湖县"


def test_a_table_is_written_from_its_cell_on(values, tmp_path):
    form = workbook(tmp_path / "f.xlsx", B2="{{table:coefficients}}", A1="表")
    sheet = openpyxl.load_workbook(fill_form(form, values, tmp_path / "out.xlsx")).active
    rows = [[cell.value for cell in row] for row in sheet["B2:H4"]]
    assert rows[0] == [
        f"列{name}" for name in ("name", "stage", "mean", "coefficient", "share", "verdict", "remark")
    ]
    assert rows[1][:4] == ["R1 每百名学生拥有教师数", "小学", 5.768424973229666, 0.32]
    assert rows[2][2] == "[c]"
    assert sheet["H3"].data_type == "s"


@pytest.mark.parametrize(
    "cells",
    [
        {"B2": "{{table:coefficients}}", "C3": "占用"}, {"B2": "见{{table:coefficients}}"},
        {"B2": '="{{county_name}}"&"x"'},
    ],
    ids=["no room", "not alone", "formula"],
)  # fmt: skip
def test_a_placeholder_where_it_cannot_be_filled_is_refused(values, tmp_path, cells):
    form = workbook(tmp_path / "f.xlsx", **cells)
    with pytest.raises(InputError, match=r"Sheet!B2: \{\{"):
        fill_form(form, values, tmp_path / "out.xlsx")
    assert not (tmp_path / "out.xlsx").exists()


def test_a_table_over_merged_cells_is_refused(values, tmp_path):
    form = workbook(tmp_path / "f.xlsx", B2="{{table:schools}}")
    book = openpyxl.load_workbook(form)
    book.active.merge_cells("C3:D3")
    book.save(form)
    with pytest.raises(InputError, match="cannot be filled"):
        fill_form(form, values, tmp_path / "out.xlsx")


@pytest.mark.parametrize("kind", ["xlsx", "docx"])
def test_all_unknown_placeholders_are_named_with_place_and_near_names(values, tmp_path, kind):
    if kind == "xlsx":
        form = workbook(
            tmp_path / "f.xlsx", A1="{{county_nam}}", B7="{{R1.primary.men}} {{table:coefficient}}"
        )
    else:
        form = document(
            tmp_path / "f.docx", "{{county_nam}}", "均值{{R1.primary.men}}", "{{table:coefficient}}"
        )
    with pytest.raises(InputError) as refused:
        fill_form(form, values, tmp_path / f"out.{kind}")
    told = refused.value.en
    assert "3 placeholders" in told
    assert "{{county_nam}} ≈ county_name" in told
    assert "R1.primary.mean" in told
    assert "≈ table:coefficients" in told
    assert ("Sheet!B7" if kind == "xlsx" else "document ¶2 “均值{{R1") in told
    assert not (tmp_path / f"out.{kind}").exists()


def test_a_document_is_filled_in_split_runs_tables_headers_and_text_boxes(values, tmp_path):
    made = docx.Document()
    paragraph = made.add_paragraph()
    for part, bold in (
        ("县名：{", False),
        ("{county", True),
        ("_name}", False),
        ("}，均值{{R1.primary.mean}}。", False),
    ):
        paragraph.add_run(part).bold = bold
    table = made.add_table(1, 2)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "{{R2.primary.verdict}}"
    made.sections[0].header.paragraphs[0].text = "{{school_year}}"
    made.sections[0].footer.paragraphs[0].text = "{{R1.primary.remark}}"
    box = made.add_paragraph("框外{{year}}")
    content, inner, run, text = (OxmlElement(f"w:{name}") for name in ("txbxContent", "p", "r", "t"))
    text.text = "框内{{year}}"
    run.append(text), inner.append(run), content.append(inner), box._p.append(content)
    made.add_paragraph("{{table:coefficients}}")
    form = tmp_path / "f.docx"
    made.save(form)
    filled = docx.Document(fill_form(form, values, tmp_path / "out.docx"))
    assert filled.paragraphs[0].text == "县名：东湖县，均值5.77。"
    assert [run.text for run in filled.paragraphs[0].runs][:3] == ["县名：东湖县", "", ""]
    assert "未达标" in filled.tables[0].cell(0, 0).text
    assert filled.sections[0].header.paragraphs[0].text == "2024/2025 学年"
    assert filled.sections[0].footer.paragraphs[0].text == EVIL
    assert "框内2024" in "".join(filled.element.itertext())
    assert "框外2024" in "".join(filled.element.itertext())
    assert [cell.text for cell in filled.tables[1].rows[1].cells][:3] == [
        "R1 每百名学生拥有教师数",
        "小学",
        "5.77",
    ]
    assert "{{" not in "".join(filled.element.itertext())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("f.xls", "save it as .xlsx"),
        ("f.doc", "save it as .docx"),
        ("f.xlsm", "neither run nor kept"),
        ("f.pdf", "neither"),
    ],
)
def test_other_kinds_of_files_are_refused_with_a_remedy(values, tmp_path, name, told):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InputError, match=told):
        fill_form(tmp_path / name, values, tmp_path / "out.xlsx")


@pytest.mark.parametrize("name", ["f.xlsx", "f.docx"])
def test_a_damaged_form_is_refused(values, tmp_path, name):
    (tmp_path / name).write_bytes(b"no archive")
    with pytest.raises(InputError, match="cannot be read"):
        fill_form(tmp_path / name, values, tmp_path / f"out-{name}")


def test_a_form_without_placeholders_or_onto_itself_is_refused(values, tmp_path):
    form = workbook(tmp_path / "f.xlsx", A1="无")
    with pytest.raises(InputError, match="no placeholders"):
        fill_form(form, values, tmp_path / "out.xlsx")
    with pytest.raises(InputError, match="itself"):
        fill_form(form, values, form)


def test_equal_forms_are_filled_with_equal_bytes_and_stay_as_they_were(values, tmp_path):
    for form in (workbook(tmp_path / "f.xlsx", A1="{{year}}"), document(tmp_path / "f.docx", "{{year}}")):
        before = form.read_bytes()
        one, other = (fill_form(form, values, tmp_path / f"{number}{form.suffix}") for number in (1, 2))
        assert one.read_bytes() == other.read_bytes()
        assert form.read_bytes() == before


def test_the_list_of_placeholders_has_every_name_with_its_value_and_file(values, tmp_path):
    table = load_exported_table(write_placeholders(values, tmp_path, "zh").csv).set_index("placeholder")
    assert table.loc["{{R1.primary.cv}}", "form_value"] in ("0.32", 0.32)
    assert (
        table.loc["{{R1.primary.cv}}", "form_source"] == "results/02_inter_school_variation/coefficients.csv"
    )
    assert table.loc["{{table:schools}}", "form_value"] == "学校"
    assert len(table) == len(values.named) + len(values.tables)
