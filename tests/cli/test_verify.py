"""The command that repeats a run, and the options of `run` that take over or refuse what was done before."""

import json
import shutil

import pytest

from tests.end_to_end.annual import small_county, write_county
from tests.reporting.quick_runs import quick_notebooks
from toolkit.reporting import run


@pytest.fixture
def workbook(place):
    return write_county(small_county(), place / "county.xlsx")


@pytest.fixture
def quick(junheng):
    """Return a function that runs a command with quick notebooks."""

    def command(*arguments):
        with quick_notebooks():
            return junheng(*arguments)

    return command


def made(place, quick, workbook, *options):
    assert quick("run", workbook, "--only", "01", "--only", "02", *options)[0] == 0
    return next((place / "reports").glob("*-*"))


def test_a_run_is_verified_then_taken_from_the_cache_then_told_apart(quick, place, workbook):
    folder = made(place, quick, workbook)
    code, out, err = quick("verify", folder)
    assert code == 0
    assert out.splitlines() == [
        f"完全一致：重做 {folder.name}，全部文件逐字节相同。",
        f"Identical: {folder.name} was repeated, all files have the same bytes.",
    ]
    assert "正在比对两次运行" in err
    _, _, err = quick("verify", folder, "--cached")
    assert err.count("Unchanged, taken from an earlier run.") == 2
    finding = folder / "results" / "01_data_quality" / "findings.json"
    finding.write_text(finding.read_text(encoding="utf-8").replace("schools", "pupils"), encoding="utf-8")
    code, out, _ = quick("verify", folder, "--output", "kept")
    assert code == 1
    assert "Different:" in out
    assert "finding verdict_primary" in out
    assert (place / "kept" / "compare.html").is_file()
    assert (place / "kept" / folder.name / "run.json").is_file()
    assert quick("verify", folder, "--output", "kept")[0] == 2


@pytest.mark.slow
def test_progress_and_log_say_what_was_not_run_again(quick, place, workbook):
    made(place, quick, workbook)
    code, _, err = quick("run", workbook, "--only", "01", "-o", "again")
    assert code == 0
    assert "沿用以前的运行结果" in err
    (folder,) = (place / "again").glob("*-*")
    assert json.loads((folder / "run-log.json").read_text(encoding="utf-8"))["reused"] == ["01_data_quality"]
    assert "Unchanged" not in quick("run", workbook, "--only", "01", "-o", "again", "--fresh")[2]


@pytest.mark.slow
def test_data_that_are_gone_are_asked_for(quick, place, workbook):
    folder = made(place, quick, workbook)
    shutil.move(workbook, place / "elsewhere.xlsx")
    code, _, err = quick("verify", folder)
    assert code == 3
    assert "--data" in err
    code, out, _ = quick("verify", folder, "--data", "elsewhere.xlsx", "--output", "kept")
    assert code == 0
    assert "county.xlsx → elsewhere.xlsx" in out
    log = json.loads((place / "kept" / folder.name / "run-log.json").read_text(encoding="utf-8"))
    assert log["paths"]["data"] == str(place / "elsewhere.xlsx")


def test_a_folder_that_is_no_run_is_told(junheng, place):
    for arguments in (("verify", place), ("run", "x.xlsx", "--like", place)):
        code, _, err = junheng(*arguments)
        assert code == 3
        assert "run.json" in err


def test_like_takes_over_what_is_not_given(quick, place, workbook, monkeypatch):
    folder = made(place, quick, workbook, "--rules", "visiting_teachers=off", "--year", "2025", "--schools")
    asked = {}

    def remember(parameters, **options):
        asked.update(options | parameters)
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "run_report", remember)
    _, out, _ = quick("run", "next.xlsx", "--like", folder, "--language", "en")
    assert "--only 01_data_quality --only 02_inter_school_variation --rules visiting_teachers=off" in out
    assert "--language en" not in out
    assert asked["rules"] == "visiting_teachers=off"
    assert asked["language"] == "en"
    assert asked["outputs"].schools
    assert asked["only"] == ("01_data_quality", "02_inter_school_variation")
    assert "year" not in asked
    assert asked["data_path"] == str(place / "next.xlsx")


@pytest.mark.parametrize("command", ["verify", "run"])
def test_help_says_what_is_taken_over_and_how_it_ends(junheng, command):
    _, out, _ = junheng(command, "--help")
    words = "".join(out.split())
    assert (
        "0identicalorequaltoprintedprecision" if command == "verify" else "schoolyear,correctednames"
    ) in words
