"""template, check, simulate, lab: what they write, what they refuse, nothing replaced."""

import json
from io import StringIO

import openpyxl
import pytest
from rich.console import Console

from tests.cli.conftest import listed
from toolkit.cli.console import PROBLEMS_OF_A_KIND, print_problems
from toolkit.data.problems import Problem
from toolkit.reporting.parameters import NOTEBOOKS
from toolkit.share import WORKSPACE_MARK

VALUES = (("start", "2"), ("end", "1"), ("count", "2"), ("codes", "a, b"))
SMALL = ("--schools", "20", "--years", "3")


def test_the_template_is_written_and_never_over_a_file(junheng, place):
    code, out, _ = junheng("template", "新/表.xlsx")
    assert code == 0
    assert f"填报工作簿已生成：{place / '新' / '表.xlsx'}" in out
    assert "学校名录" in openpyxl.load_workbook(place / "新" / "表.xlsx").sheetnames
    before = (place / "新" / "表.xlsx").read_bytes()
    code, _, err = junheng("template", "新/表.xlsx")
    assert code == 2
    assert "已存在，未覆盖" in err
    assert (place / "新" / "表.xlsx").read_bytes() == before


def test_the_template_is_a_workbook(junheng, place):
    assert junheng("template", "form.docx")[0] == 2
    assert listed(place) == []


def test_a_place_that_cannot_be_written_is_told(junheng, place):
    (place / "taken").touch()
    code, _, err = junheng("template", "taken/form.xlsx")
    assert code == 4
    assert "无法写入" in err


def test_a_county_is_simulated_with_its_truth(junheng, place):
    code, out, _ = junheng("simulate", "甲县.xlsx", *SMALL, "--no-effects", "--seed", "5")
    assert code == 0
    assert f"模拟数据已生成：{place / '甲县.xlsx'}" in out
    truth = json.loads((place / "甲县" / "truth.json").read_text(encoding="utf-8"))
    assert truth["seed"] == 5
    assert truth["settings"]["n_years"] == 3
    assert set(truth["settings"]["effects"].values()) >= {0.0}


def test_several_counties_go_into_a_folder(junheng, place, monkeypatch):
    monkeypatch.setattr("toolkit.data.simulate.write_county", lambda _, path: path.touch())
    assert junheng("simulate", "pool", *SMALL, "--counties", "2")[0] == 0
    assert len(list((place / "pool").glob("*.xlsx"))) == 2


def test_several_counties_do_not_fit_a_workbook(junheng, place):
    assert junheng("simulate", "pool.xlsx", "--counties", "2")[0] == 2
    assert listed(place) == []


@pytest.mark.parametrize("existing", ["county.xlsx", "county"])
def test_simulated_data_never_replace_others(junheng, place, existing):
    (place / existing).mkdir()
    code, _, err = junheng("simulate", "county.xlsx", *SMALL)
    assert code == 2
    assert "未覆盖" in err
    assert listed(place) == [existing]


def test_a_checked_county_gets_a_marked_copy(junheng, place, workbook):
    before = workbook.read_bytes()
    code, out, _ = junheng("check", workbook, "--marked", "marked.xlsx")
    assert code == 0
    assert "错误 0 处" in out
    assert "0 errors" in out
    assert (place / "marked.xlsx").exists()
    assert workbook.read_bytes() == before


def test_all_problems_are_printed_when_asked(junheng, workbook, monkeypatch):
    monkeypatch.setattr("toolkit.data.marked_copy.write_marked_copy", lambda *_: "copy.xlsx")
    _, few, _ = junheng("check", workbook, "--marked", "one.xlsx")
    _, every, _ = junheng("check", workbook, "--marked", "two.xlsx", "--all")
    assert few.count("county.xlsx 交流轮岗") <= every.count("county.xlsx 交流轮岗")
    assert "未列出" not in every


def eight_of_each(*kinds):
    """Return problems of kinds that alternate, as a county's tables give them."""
    return [
        Problem(code, severity, cell=f"A{number}", values=VALUES)
        for number in range(8)
        for code, severity in kinds
    ]


def printed(problems, **options):
    console = Console(file=StringIO(), soft_wrap=True)
    print_problems(problems, console, **options)
    return console.file.getvalue()


def test_errors_are_printed_first_and_few_of_each_kind():
    problems = eight_of_each(("ends_before_start", "warning"), ("several_counties", "error"))
    text = printed(problems)
    assert text.count("[错误 Error]") == text.count("[警示 Warning]") == PROBLEMS_OF_A_KIND
    assert text.rindex("[错误 Error]") < text.index("[警示 Warning]")
    assert text.count("同类问题另有 3 处") == 2
    assert "共有 6 处未列出" in text
    every = printed(problems, every=True)
    assert every.count("[错误 Error]") == every.count("[警示 Warning]") == 8
    assert "同类" not in every


def test_no_more_than_a_screenful_is_printed(monkeypatch):
    monkeypatch.setattr("toolkit.cli.console.PROBLEMS_PRINTED", 7)
    problems = eight_of_each(
        ("ends_before_start", "warning"), ("several_counties", "error"), ("ends_before_start", "notice")
    )
    text = printed(problems)
    assert (text.count("[错误 Error]"), text.count("[警示 Warning]"), text.count("[提示 Notice]")) == (
        5,
        2,
        0,
    )
    assert "共有 17 处未列出" in text


def test_data_with_errors_are_told_by_the_exit_code(junheng, place):
    junheng("template", "empty.xlsx")
    code, out, err = junheng("check", "empty.xlsx")
    assert code == 3
    assert "empty.xlsx" in out + err


def test_the_copy_never_replaces_the_source(junheng, place, workbook):
    copy = place / "county.xlsx"
    copy.write_bytes(workbook.read_bytes())
    code, _, _ = junheng("check", copy, "--marked", copy)
    assert code == 3
    assert copy.read_bytes() == workbook.read_bytes()


def test_the_lab_copies_the_notebooks_once(junheng, place):
    code, out, _ = junheng("lab", "work", "--no-start")
    notebooks = place / "work" / "notebooks"
    assert code == 0
    assert str(notebooks) in out
    assert (place / "work" / WORKSPACE_MARK).exists()
    assert {path.stem for path in notebooks.glob("*.ipynb")} == set(NOTEBOOKS)
    own = notebooks / "01_data_quality.ipynb"
    own.write_text("mine", encoding="utf-8")
    assert junheng("lab", "work", "--no-start")[0] == 0
    assert own.read_text(encoding="utf-8") == "mine"


def test_the_list_of_names_is_written_beside_the_data_filled_in_and_read_back(junheng, place, workbook):
    data = place / "county.xlsx"
    data.write_bytes(workbook.read_bytes())
    code, out, _ = junheng("names", "county.xlsx")
    path = place / "county-学校名称对照.xlsx"
    assert code == 0
    assert str(path) in out.replace("\n", "")
    book = openpyxl.load_workbook(path)
    sheet = book["名称对照"]
    headers = [cell.value for cell in sheet[1]]
    at = next(
        row
        for row in range(2, sheet.max_row + 1)
        if sheet.cell(row, headers.index("匹配方式") + 1).value == "未匹配"
    )
    sheet.cell(at, headers.index("更正后学校代码") + 1).value = "没有的代码"
    book.save(path)
    before = path.read_bytes()

    assert junheng("names", "county.xlsx")[0] == 0
    assert (place / "county-学校名称对照-2.xlsx").exists()
    code, _, err = junheng("names", "county.xlsx", "--output", path.name)
    assert code == 2
    assert "已存在，未覆盖" in err
    assert path.read_bytes() == before
    code, out, _ = junheng("check", "county.xlsx", "--names", path.name)
    assert code == 3
    assert "没有的代码" in out
