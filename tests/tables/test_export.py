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
    assert content.startswith(b"\xef\xbb\xbfschool_id,school_name,cv,cv_mark,share\n")
    assert b"\r" not in content
    assert b"0.3333333333333333" in content


def test_csv_reads_back_with_ids_as_text_and_symbols_as_missing(tmp_path):
    table = load_exported_table(export_table(EXHIBIT, tmp_path).csv)
    assert table["school_id"].tolist() == ["0012", "0007"]
    assert table["cv"][0] == 1 / 3
    assert table[["cv", "share"]].isna().to_numpy().tolist() == [[False, False], [True, True]]


def test_csv_tells_suppressed_from_missing():
    assert table_csv(EXHIBIT).splitlines()[2] == "0007,乙校,[x],,[c]"


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
    assert notes["样本"] == "2 所学校"
    assert notes["[c]"] == "人数过少，为保护个人信息不列出"
    assert notes["C2"] == "[p] 暂定数"


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
