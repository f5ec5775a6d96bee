"""School names put right by hand: listed, filled in, read back."""

import openpyxl
import pytest

from toolkit.data.names_file import list_names, write_names
from toolkit.data.reading import load_county
from toolkit.data.reading.corrections import read_corrections
from toolkit.errors import InputError

ROTATIONS = [
    ["教师编号", "原单位名称", "交流轮岗单位名称", "交流轮岗起始日期", "交流轮岗结束日期"],
    ["T1", "第一小学", "城关初中部", "2022-09-01", "2023-08-31"],
    ["T2", "第一小学", "城关初中部", "2022-09-01", "2023-08-31"],
    ["T3", "第二小学（支教）", "育才", "2022-09-01", "2023-08-31"],
    ["T4", "邻县第一小学", "第二小学", "2022-09-01", "2023-08-31"],
]


@pytest.fixture
def listed(workbook, tmp_path):
    """Return the workbook with rotations, and the list of its names."""
    source = workbook({"教师交流轮岗": ROTATIONS})
    path = tmp_path / "names.xlsx"
    write_names(list_names(load_county(source)), path)
    return source, path


def _fill(path, corrections):
    """Write corrections into the column for them; return their cells by name."""
    book = openpyxl.load_workbook(path)
    sheet = book["名称对照"]
    headers = [cell.value for cell in sheet[1]]
    cells = {}
    for row in sheet.iter_rows(min_row=2):
        name = row[headers.index("填报名称")].value
        if name in corrections:
            cell = row[headers.index("更正后学校代码")]
            cell.value = corrections[name]
            cells[name] = cell.coordinate
    book.save(path)
    return cells


def _hows(reading):
    return dict(zip(reading.matches["name"], reading.matches["how"], strict=True))


def test_the_list_has_the_names_that_need_a_look_with_their_number(listed):
    _, path = listed
    sheet = openpyxl.load_workbook(path)["名称对照"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]

    assert rows[0] == [
        "数据表", "填报名称", "次数", "匹配结果代码", "匹配到的学校", "匹配方式", "最相近的学校",
        "更正后学校代码", "备注",
    ]  # fmt: skip
    names = {row[1]: row for row in rows[1:]}
    assert set(names) == {"城关初中部", "育才", "第二小学（支教）", "邻县第一小学"}
    assert names["城关初中部"][2] == 2
    assert names["第二小学（支教）"][3:5] == ["0102", "第二小学"]
    assert names["邻县第一小学"][5] == "未匹配"


def test_corrections_win_over_the_matcher_and_are_counted_as_corrected(listed):
    source, path = listed
    _fill(path, {"城关初中部": "0103", "第二小学（支教）": "0104", "邻县第一小学": "县外", "育才": "104"})

    reading = load_county(source, names=path)

    assert _hows(reading) | {"第一小学": "", "第二小学": ""} == {
        "第一小学": "",
        "第二小学": "",
        "城关初中部": "corrected",
        "第二小学（支教）": "corrected",
        "邻县第一小学": "corrected",
        "育才": "corrected",
    }
    rotations = reading.county.tables["rotations"].set_index("teacher_id")
    assert rotations["receiving_school_id"].dropna().to_dict() == {
        "T1": "0103", "T2": "0103", "T3": "0104", "T4": "0102",
    }  # fmt: skip
    assert rotations["sending_school_id"].dropna().to_dict() == {"T1": "0101", "T2": "0101", "T3": "0104"}
    assert not [one for one in reading.problems if one.code.startswith(("school_", "names_"))]


def test_an_empty_list_changes_nothing(listed):
    source, path = listed
    assert load_county(source, names=path).matches.equals(load_county(source).matches)


def test_a_code_that_does_not_exist_is_an_error_with_its_address(listed):
    source, path = listed
    cells = _fill(path, {"育才": "9999"})

    problem = next(one for one in load_county(source, names=path).errors if one.code == "names_code_unknown")

    assert (problem.file, problem.sheet, problem.cell) == ("names.xlsx", "名称对照", cells["育才"])
    assert "9999" in problem.message("zh")
    assert "9999" in problem.message("en")
    assert "县外" in problem.remedy("zh")
    assert "outside" in problem.remedy("en")


def test_a_correction_of_a_name_that_is_gone_is_a_notice(listed, workbook):
    _, path = listed
    _fill(path, {"育才": "0104"})
    rotations = [row for row in ROTATIONS if row[0] != "T3"]

    reading = load_county(workbook({"教师交流轮岗": rotations}, name="later.xlsx"), names=path)

    (problem,) = (one for one in reading.problems if one.code == "names_not_found")
    assert problem.severity == "notice"
    assert "育才" in problem.message("en")


def test_two_corrections_of_one_name_are_an_error(listed):
    source, path = listed
    _fill(path, {"育才": "0104"})
    book = openpyxl.load_workbook(path)
    sheet = book["名称对照"]
    sheet.append(["教师交流轮岗", "育才", 1, None, None, None, None, "0102"])
    book.save(path)

    told = [one for one in load_county(source, names=path).errors if one.code.startswith("names_")]

    assert [problem.code for problem in told] == ["names_corrected_twice"]


def test_a_new_list_keeps_the_corrections_of_the_old_one(listed, tmp_path):
    source, path = listed
    _fill(path, {"城关初中部": "0103", "邻县第一小学": "外"})
    again = tmp_path / "again.xlsx"

    write_names(list_names(load_county(source, names=path), read_corrections(path)), again, language="en")

    kept = {row.name: row.code for row in read_corrections(again).rows}
    assert kept == {"城关初中部": "0103", "邻县第一小学": ""}
    assert load_county(source, names=again).matches.equals(load_county(source, names=path).matches)


def test_codes_that_a_spreadsheet_took_for_numbers_are_read(listed):
    source, path = listed
    _fill(path, {"育才": 104})
    assert "names_code_unknown" not in [problem.code for problem in load_county(source, names=path).problems]


@pytest.mark.parametrize("content", ["表头,另一\n1,2\n", ""])
def test_a_file_without_such_a_list_is_refused(listed, tmp_path, content):
    source, _ = listed
    path = tmp_path / "other.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"other\.csv"):
        load_county(source, names=path)
