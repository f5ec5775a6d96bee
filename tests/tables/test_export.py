import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pytest

from toolkit.exhibits import Caption
from toolkit.tables.exhibit import CellMark, TableColumn, TableExhibit
from toolkit.tables.export import export_table, load_exported_table, neutralise, table_csv

COLUMNS = (
    TableColumn("school_id", "学校代码"),
    TableColumn("school_name", "学校"),
    TableColumn("cv", "差异系数", "number", unit="元", decimals=2),
    TableColumn("share", "比例", "share"),
)
DATA = pd.DataFrame(
    {
        "school_id": ["0012", "0007"],
        "school_name": ["=cmd|' /C calc'!A0", "乙校"],
        "cv": [1 / 3, np.nan],
        "share": [0.5, 0.25],
    }
)
EXHIBIT = TableExhibit(
    Caption("dispersion", "差异系数", "zh", n="2 所学校", notes=("试验数据",)),
    COLUMNS,
    DATA,
    (CellMark(0, "cv", "provisional"), CellMark(1, "share", "suppressed")),
)


def test_csv_has_a_signature_lf_and_unrounded_values(tmp_path):
    content = export_table(EXHIBIT, tmp_path).csv.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfschool_id,school_name,cv,cv_mark,share,share_mark\n")
    assert b"\r" not in content
    assert b"0.3333333333333333" in content


def test_csv_reads_back_with_ids_as_text_and_empty_cells_as_missing(tmp_path):
    table = load_exported_table(export_table(EXHIBIT, tmp_path).csv)
    assert table["school_id"].tolist() == ["0012", "0007"]
    assert table["cv"][0] == 1 / 3
    assert table[["cv", "share"]].isna().to_numpy().tolist() == [[False, False], [True, True]]


def test_words_that_look_like_numbers_read_back_as_text(tmp_path):
    data = pd.DataFrame(
        {
            "school_name": ["101", "102"], "name": ["7", "08"], "sheet": ["2024", "2025"],
            "below_floor": [True, False], "value": [1.5, 2.0], "urban": [3.25, 4.0], "R1": [5.0, 6.5],
        }
    )  # fmt: skip
    kinds = {"below_floor": "flag", "value": "number", "urban": "number", "R1": "number"}
    columns = tuple(TableColumn(name, name, kinds.get(name, "text")) for name in data.columns)
    table = load_exported_table(export_table(TableExhibit(EXHIBIT.caption, columns, data), tmp_path).csv)
    assert table.to_dict("list") == data.to_dict("list")
    assert [str(table[name].dtype) for name in kinds] == ["bool", "float64", "float64", "float64"]


def test_the_files_of_a_withheld_table_say_why(tmp_path):
    withheld = TableExhibit(EXHIBIT.caption, COLUMNS, DATA.iloc[:0], empty_text="公开版不列出")
    notes = openpyxl.load_workbook(export_table(withheld, tmp_path).xlsx)["说明"]
    assert ("注", "公开版不列出") in list(notes.values)


def test_csv_tells_suppressed_from_missing_beside_an_empty_cell():
    assert table_csv(EXHIBIT).splitlines()[2] == "0007,乙校,,not_available,,suppressed"


def test_no_placeholder_stands_in_a_cell_of_the_csv():
    data = pd.DataFrame({"school_id": ["1", "2"], "deciding": ["–", None], "note": ["", "a–b"]})
    columns = tuple(TableColumn(name, name) for name in data.columns)
    lines = table_csv(TableExhibit(Caption("a", "t", "zh"), columns, data)).splitlines()
    assert lines == ["school_id,deciding,deciding_mark,note", "1,,,", "2,,not_available,a–b"]


def test_a_provisional_mark_gives_way_where_there_is_no_value():
    data = DATA.assign(cv=[np.nan, np.nan])
    exhibit = TableExhibit(EXHIBIT.caption, COLUMNS, data, (CellMark(0, "cv", "provisional"),))
    assert "not_available" in table_csv(exhibit).splitlines()[1]


def test_a_table_without_rows_has_both_files(tmp_path):
    files = export_table(TableExhibit(EXHIBIT.caption, COLUMNS, DATA.iloc[:0]), tmp_path)
    assert files.csv.read_text(encoding="utf-8-sig") == "school_id,school_name,cv,share\n"
    assert openpyxl.load_workbook(files.xlsx)["数据"].max_row == 1


def test_the_workbook_is_in_the_language_of_the_report(tmp_path):
    data = pd.DataFrame({"stage": ["primary"], "verdict": ["fail"], "flag": [True]})
    columns = (
        TableColumn("stage", "Stage", "code"),
        TableColumn("verdict", "Verdict", "met"),
        TableColumn("flag", "Near the limit", "flag"),
    )
    exhibit = TableExhibit(Caption("a", "Title", "en"), columns, data)
    book = openpyxl.load_workbook(export_table(exhibit, tmp_path).xlsx)
    rows = [[cell.value for cell in row] for row in book["Data"].iter_rows()]
    assert rows == [["Stage", "Verdict", "Near the limit"], ["Primary", "× not met", "yes"]]
    assert not any("一" <= sign <= "龥" for row in book["Notes"].iter_rows() for c in row for sign in c.value)


def test_a_suppressed_value_is_in_neither_file(tmp_path):
    files = export_table(EXHIBIT, tmp_path)
    assert "0.25" not in files.csv.read_text(encoding="utf-8-sig")
    with zipfile.ZipFile(files.xlsx) as archive:
        assert b"0.25" not in archive.read("xl/worksheets/sheet1.xml")


def test_the_workbook_has_one_header_row_no_merged_cells_and_notes(tmp_path):
    book = openpyxl.load_workbook(export_table(EXHIBIT, tmp_path).xlsx)
    sheet = book["数据"]
    assert [cell.value for cell in sheet[1]] == ["学校代码", "学校", "差异系数 (元)", "比例"]
    assert sheet["A2"].value == "0012"
    assert sheet["C2"].value == pytest.approx(1 / 3, rel=1e-15)
    assert sheet["C2"].number_format == "#,##0.00"
    assert not sheet.merged_cells.ranges
    notes = {row[0].value: row[1].value for row in book["说明"].iter_rows()}
    assert notes["范围"] == "2 所学校"
    assert notes["差异系数 元"] == "CSV 列名: cv"
    assert notes["[c]"] == "人数过少，为保护个人信息不列出"
    assert notes["C2"] == "[p] 仅含已填报学校"


def test_no_cell_of_the_workbook_is_a_formula(tmp_path):
    book = openpyxl.load_workbook(export_table(EXHIBIT, tmp_path).xlsx)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert book["数据"]["B2"].value == "'=cmd|' /C calc'!A0"


@pytest.mark.parametrize(
    "text", ["=1+1", "+86 10", "-cmd", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "＠x", "－1"]
)
def test_text_that_could_be_a_formula_is_neutralised(text):
    assert neutralise(text) == f"'{text}"


@pytest.mark.parametrize("text", ["乙校", "3-5 年级", "a=b", "–", "0012"])
def test_other_text_stays_as_it_is(text):
    assert neutralise(text) == text


def test_equal_tables_give_equal_files(tmp_path):
    one, other = export_table(EXHIBIT, tmp_path / "1"), export_table(EXHIBIT, tmp_path / "2")
    assert one.csv.read_bytes() == other.csv.read_bytes()
    assert one.xlsx.read_bytes() == other.xlsx.read_bytes()


def test_the_data_of_an_exhibit_are_not_changed(tmp_path):
    before = DATA.copy()
    export_table(EXHIBIT, tmp_path)
    pd.testing.assert_frame_equal(DATA, before)
