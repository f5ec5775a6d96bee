from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill

from toolkit.data.county import County, Reading
from toolkit.data.marked_copy import write_marked_copy
from toolkit.data.problems import Problem
from toolkit.errors import InputError


@pytest.fixture
def reading():
    empty = pd.DataFrame()
    return Reading(County("441402", "甲县", {}), (), empty, empty, empty, {})


@pytest.fixture
def source(tmp_path):
    """A workbook with formats, a formula, a merged cell, an old note and a sheet of the office's own."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "学校年度"
    for row in (["学校代码", "专任教师", "骨干教师"], ["101", 20, 30], ["102", "=10+4", 3]):
        sheet.append(row)
    sheet["A1"].font = Font(bold=True)
    sheet["A2"].fill = PatternFill("solid", start_color="00FF00")
    sheet["C3"].comment = Comment("请王老师核对", "王")
    sheet.merge_cells("A5:B6")
    sheet["A5"] = "注"
    workbook.create_sheet("O'Brien").append(["不要动"])
    path = tmp_path / "甲县.xlsx"
    workbook.save(path)
    return path


def _problem(cell, severity="error", sheet="学校年度", file="甲县.xlsx", school="红星小学"):
    values = (("value", "30"), ("whole", "@teachers_primary"), ("limit", "20"))
    return Problem(
        "part_above_whole",
        severity,
        file,
        sheet,
        cell,
        "school_years",
        "backbone_teachers_primary",
        school,
        values,
    )


def test_marks_each_cell_by_colour_and_note_and_keeps_everything_else(reading, source):
    before = source.read_bytes()
    target = source.with_name("甲县-检查.xlsx")
    problems = [
        _problem("C2"),
        _problem("C3", "warning"),
        _problem("B3", "notice"),
        _problem("C2", "warning"),
    ]
    assert write_marked_copy(reading, problems, source, target) == target
    assert source.read_bytes() == before
    workbook = openpyxl.load_workbook(target)
    assert workbook.sheetnames == ["检查结果", "学校年度", "O'Brien"]
    sheet = workbook["学校年度"]
    assert [sheet[cell].fill.start_color.rgb[2:] for cell in ("C2", "C3", "B3")] == [
        "FFC7CE",
        "FFEB9C",
        "BDD7EE",
    ]
    assert sheet["C2"].comment.text.count("大于“小学专任教师数”的20") == 2
    assert sheet["C2"].comment.text.startswith("【错误】")
    assert "改法：" in sheet["C2"].comment.text
    assert "请王老师核对" in sheet["C3"].comment.text
    assert sheet["B3"].value == "=10+4"
    assert sheet["A1"].font.bold
    assert sheet["A2"].fill.start_color.rgb == "0000FF00"
    assert workbook["O'Brien"]["A1"].value == "不要动"
    assert workbook.active.title == "检查结果"


def test_the_list_names_every_problem_with_a_link_to_its_cell(reading, source):
    target = source.with_name("b.xlsx")
    problems = [_problem("A1", "notice", "O'Brien"), _problem("C2"), _problem("", "warning", "", "")]
    write_marked_copy(reading, problems, source, target, language="en")
    sheet = openpyxl.load_workbook(target)["Check results"]
    assert sheet["A1"].value == "甲县 Results of the data check"
    assert sheet["A2"].value.startswith("1 errors, 1 warnings, 1 notices")
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=5)]
    assert [row[1] for row in rows] == ["Error", "Warning", "Notice"]
    assert rows[0][2:7] == ["甲县.xlsx", "学校年度", "C2", "Backbone teachers, primary", "红星小学"]
    assert rows[0][7] == "The value 30 is larger than “Full-time teachers, primary”, 20."
    assert sheet["E5"].hyperlink.location == "'学校年度'!C2"
    assert sheet["E6"].hyperlink is None
    assert sheet["E7"].hyperlink.location == "'O''Brien'!A1"


def test_a_problem_in_a_merged_range_is_marked_at_its_first_cell(reading, source):
    target = source.with_name("b.xlsx")
    write_marked_copy(reading, [_problem("B6")], source, target)
    assert openpyxl.load_workbook(target)["学校年度"]["A5"].comment is not None


def test_values_from_the_workbook_are_never_formulas_in_the_list(reading, source):
    target = source.with_name("b.xlsx")
    write_marked_copy(reading, [_problem("C2", school="=cmd|' /C calc'!A0")], source, target)
    cell = openpyxl.load_workbook(target)["检查结果"]["G5"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == ("=cmd|' /C calc'!A0", "s", True)


def test_a_csv_becomes_a_workbook_with_the_same_addresses(reading, tmp_path):
    source = tmp_path / "学校年度.csv"
    source.write_bytes("学校代码,专任教师\n=1+1,20\n102,14\n".encode("gb18030"))
    problem = _problem("B3", "error", "", "学校年度.csv")
    target = tmp_path / "out.xlsx"
    write_marked_copy(reading, [problem], source, target)
    workbook = openpyxl.load_workbook(target)
    assert workbook.sheetnames == ["检查结果", "学校年度"]
    sheet = workbook["学校年度"]
    assert str(sheet["B3"].value) == "14"
    assert sheet["B3"].comment is not None
    assert (sheet["A2"].value, sheet["A2"].data_type) == ("=1+1", "s")
    assert "只有内容" in workbook["检查结果"]["A3"].value
    assert workbook["检查结果"]["E5"].hyperlink.location == "'学校年度'!B3"


def test_an_old_workbook_becomes_a_new_one(reading, tmp_path):
    xlwt = pytest.importorskip("xlwt")
    book = xlwt.Workbook()
    sheet = book.add_sheet("学校年度")
    for row, values in enumerate([("学校代码", "专任教师"), ("101", 20.0)]):
        for column, value in enumerate(values):
            sheet.write(row, column, value)
    book.save(str(tmp_path / "甲县.xls"))
    target = tmp_path / "out.xlsx"
    write_marked_copy(reading, [_problem("B2", file="甲县.xls")], tmp_path / "甲县.xls", target)
    marked = openpyxl.load_workbook(target)["学校年度"]
    assert marked["B2"].value == 20
    assert marked["B2"].comment is not None


def test_a_folder_gives_one_sheet_for_each_file_concerned(reading, tmp_path):
    folder = tmp_path / "甲县"
    folder.mkdir()
    for name in ("学校名录", "学校年度", "满意度"):
        (folder / f"{name}.csv").write_text("学校代码,学校名称\n1,甲\n", encoding="utf-8")
    problems = [_problem("A2", sheet="", file="学校名录.csv"), _problem("B2", sheet="", file="学校年度.csv")]
    target = tmp_path / "out.xlsx"
    write_marked_copy(reading, problems, folder, target)
    assert set(openpyxl.load_workbook(target).sheetnames) == {"检查结果", "学校名录", "学校年度"}


def test_a_copy_open_in_another_program_is_kept_and_a_new_name_is_told(reading, source, monkeypatch):
    target = source.with_name("b.xlsx")
    target.write_bytes(b"open in Excel")
    replace = Path.replace

    def locked(self, name):
        if Path(name) == target:
            raise PermissionError(13, "used by another process", str(name))
        return replace(self, name)

    monkeypatch.setattr(Path, "replace", locked)
    written = write_marked_copy(reading, [_problem("C2")], source, target)
    assert written == source.with_name("b-2.xlsx")
    assert target.read_bytes() == b"open in Excel"
    assert openpyxl.load_workbook(written).sheetnames[0] == "检查结果"
    assert {path.name for path in source.parent.iterdir()} == {"甲县.xlsx", "b.xlsx", "b-2.xlsx"}


def test_nothing_is_left_when_no_name_can_be_written(reading, source, monkeypatch):
    def locked(self, name):
        raise PermissionError(13, "read-only", str(name))

    monkeypatch.setattr(Path, "replace", locked)
    with pytest.raises(InputError, match=r"b\.xlsx"):
        write_marked_copy(reading, [_problem("C2")], source, source.with_name("b.xlsx"))
    assert [path.name for path in source.parent.iterdir()] == ["甲县.xlsx"]


def test_never_replaces_the_source(reading, source):
    before = source.read_bytes()
    with pytest.raises(InputError, match="甲县"):
        write_marked_copy(reading, [_problem("C2")], source, source.parent / "." / "甲县.xlsx")
    assert source.read_bytes() == before


def test_a_second_copy_of_a_copy_keeps_both_lists(reading, source):
    first, second = source.with_name("b.xlsx"), source.with_name("c.xlsx")
    write_marked_copy(reading, [_problem("C2")], source, first)
    write_marked_copy(reading, [_problem("C2", file="b.xlsx")], first, second)
    workbook = openpyxl.load_workbook(second)
    assert workbook.sheetnames == ["检查结果1", "检查结果", "学校年度", "O'Brien"]
