"""Runs that are refused: a clear message, the right exit code, nothing left behind."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import listed
from tests.notebooks import cells
from tests.notebooks.cells import read_once
from toolkit.data.problems import Problem
from toolkit.data.schema import TABLES
from toolkit.errors import DesignError, RunError
from toolkit.reporting import run, study
from toolkit.reporting.run import RunOutcome
from toolkit.reporting.runfolder import Placement


@pytest.mark.parametrize(
    ("options", "code", "zh", "en"),
    [
        (["--year", "1999"], 3, "没有 1999 学年", "no school year 1999"),
        (["--standard", "nosuch"], 2, "找不到标准“nosuch”", 'Standard "nosuch" not found'),
        (["--standard", "nosuch.toml"], 2, "找不到标准", "not found"),
        (["--standard", "meizhou"], 2, "没有定义资源配置指标", "defines no resource indicators"),
        (["--edition", "secret"], 2, "internal, public", "internal, public"),
        (["--language", "fr"], 2, "zh, en", "zh, en"),
        (["--unstaged-teachers", "no"], 2, "undecided, by_teachers", "Choose from"),
        (["--reporting-error", "-1"], 2, "reporting_error 的值 -1.0 超出范围", "at least 0.0 and below 1.0"),
        (["--reporting-error", "1"], 2, "超出范围", "below 1.0"),
        (["--mapping", "nomap.toml"], 3, "nomap.toml", "nomap.toml"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_refused_run_leaves_nothing_behind(junheng, place, workbook, options, code, zh, en):
    found, out, err = junheng("run", workbook, *options)
    assert found == code
    assert zh in err
    assert en in err
    assert out == ""
    assert listed(place) == []


def test_a_file_that_does_not_exist_is_refused(junheng, place):
    code, _, err = junheng("run", "nothere.xlsx")
    assert code == 3
    assert "找不到“nothere.xlsx”" in err
    assert "“nothere.xlsx” was not found" in err
    assert listed(place) == []


def test_a_standard_that_is_no_standard_is_refused(junheng, place, workbook):
    (place / "own.toml").write_text("this is = not [ toml", encoding="utf-8")
    code, _, err = junheng("run", workbook, "--standard", "own.toml")
    assert code == 3
    assert "own.toml" in err
    assert listed(place) == ["own.toml"]


def test_a_place_that_cannot_be_written_is_told_before_any_notebook_runs(
    junheng, place, workbook, monkeypatch
):
    monkeypatch.setattr(run, "execute_notebooks", lambda *_: pytest.fail("a notebook was run"))
    (place / "taken").touch()
    code, _, err = junheng("run", workbook, "-o", "taken/reports")
    assert code == 4
    assert f"无法写入 {place / 'taken' / 'reports'}" in err
    assert "cannot be written" in err
    assert listed(place) == ["taken"]


def test_data_with_errors_list_them_and_point_to_the_check(junheng, place, workbook, monkeypatch):
    error = Problem("value_missing", "error", "county.xlsx", "学校年度", "D4", "school_years", "year", "甲校",
                    (("column_label", "@year"), ("header", "学年")))  # fmt: skip
    reading = read_once(workbook, mapping=None, year=None, county=None, tables=TABLES)
    bad = replace(reading, problems=(error,) * 31)
    monkeypatch.setattr(cells, "read_once", lambda *_, **__: bad)
    code, out, err = junheng("run", workbook)
    assert code == 3
    assert out == ""
    assert err.count("county.xlsx 学校年度 D4 甲校") == 5
    assert "同类问题另有 26 处" in err
    assert "共有 26 处未列出" in err
    assert "31 处错误，须更正后才能出具报告" in err
    assert "junheng check" in err
    assert listed(place) == []


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (KeyboardInterrupt(), 130),
        (DesignError("no_units_in_year", year=2020, years="2019"), 5),
        (RunError("report_run_not_placed", path="x", reason="y"), 4),
    ],
)
def test_the_exit_code_says_what_ended_the_run(junheng, workbook, monkeypatch, raised, code):
    def stop(*_, **__):
        raise raised

    monkeypatch.setattr(study, "open_study", stop)
    monkeypatch.setattr(run, "open_study", stop)
    assert junheng("run", workbook)[0] == code


def test_a_failed_notebook_is_told_in_three_lines_and_the_rest_is_kept(junheng, workbook, monkeypatch):
    kept = Path("reports/x/failed/02.ipynb")
    failure = RunError("report_notebook_failed", notebook="02", section="一、结论", error="ValueError",
                       detail="no data", path=kept)  # fmt: skip
    outcome = RunOutcome(Placement(Path("reports/x"), "new", Path("reports/x")), (failure,), ())
    monkeypatch.setattr(run, "run_report", lambda *_, **__: outcome)
    code, out, err = junheng("run", workbook)
    assert code == 4
    assert err.splitlines()[-6:-3] == [
        "笔记本“02”在“一、结论”处出错",
        "ValueError：no data",
        f"已运行部分保存在：{kept}",
    ]
    assert f"报告已生成：{Path('reports/x/index.html')}" in out
