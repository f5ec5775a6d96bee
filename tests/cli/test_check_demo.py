"""The check of the demonstration run can fail, and fails for each kind of difference."""

import json

import pandas as pd
import pytest

from tools import check_demo

TRUTH = {
    "verdicts": {
        "primary": {"schools": "fail", "coefficients": "pass", "verdict": "fail", "schools_pass": 1},
        "resources": "fail",
    },
    "indicators": [
        {"stage": "primary", "indicator": "R1", "verdict": "pass"},
        {"stage": "primary", "indicator": "R2", "verdict": "undecided"},
    ],
    "schools": [
        {"stage": "primary", "school_id": "0101", "verdict": "pass"},
        {"stage": "primary", "school_id": "0102", "verdict": "fail"},
    ],
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return the folder of a complete run and make its truth the one that is compared."""
    folder = tmp_path / "办公室 office" / "reports" / "demo-2025-01234567"
    folder.joinpath(*check_demo.RESULTS).mkdir(parents=True)
    (folder / "index.html").touch()
    outcome = {"notebook": "02", "status": "done", "reason": ""}
    (folder / "run.json").write_text(json.dumps({"notebooks": [outcome]}), encoding="utf-8")
    stage = {"schools_verdict": "fail", "coefficients_verdict": "pass", "overall_verdict": "fail"}
    write(folder, "stage_verdicts", [{"stage": "primary", **stage}])
    indicators = [{"name": "R1 甲", "stage": "primary", "verdict": "pass"},
                  {"name": "R2 乙", "stage": "primary", "verdict": "undecided"}]  # fmt: skip
    write(folder, "coefficients", indicators)
    schools = [{"school_id": "0101", "stage": "primary", "verdict": "pass"},
               {"school_id": "0102", "stage": "primary", "verdict": "fail"}]  # fmt: skip
    write(folder, "school_verdicts", schools)
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps(TRUTH), encoding="utf-8")
    monkeypatch.setattr(check_demo, "share_path", lambda *_: truth)
    return folder


def table(run, name):
    return run.joinpath(*check_demo.RESULTS, f"{name}.csv")


def write(run, name, rows):
    pd.DataFrame(rows).to_csv(table(run, name), index=False, encoding="utf-8-sig")


def change(run, name, old, new):
    path = table(run, name)
    text = path.read_text(encoding="utf-8-sig")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8-sig")


def test_a_run_with_the_planted_verdicts_is_accepted(run, capsys):
    assert check_demo.main([str(run.parents[1])]) == 0
    assert "7 verdicts equal the truth" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("stage_verdicts", "fail,pass,fail", "fail,pass,undecided"),
        ("stage_verdicts", "fail,pass,fail", "pass,pass,fail"),
        ("stage_verdicts", "primary", "junior"),
        ("coefficients", "R2 乙,primary,undecided", "R2 乙,primary,fail"),
        ("coefficients", "R2 乙,primary,undecided", "R2 乙,primary,–"),
        ("coefficients", "R2 乙,primary,undecided", "R3 丙,primary,undecided"),
        ("school_verdicts", "0102,primary,fail", "0102,primary,pass"),
        ("school_verdicts", "0102,primary,fail\n", ""),
        ("school_verdicts", "0102,primary,fail\n", "0102,primary,fail\n0103,primary,pass\n"),
    ],
)
def test_a_wrong_a_missing_and_an_extra_verdict_are_each_refused(run, name, old, new):
    change(run, name, old, new)
    assert check_demo.main([str(run.parent)]) == 1


def test_one_school_twice_is_refused(run):
    change(run, "school_verdicts", "0102,primary,fail", "0101,primary,pass")
    with pytest.raises(SystemExit, match="school/primary/0101"):
        check_demo.main([str(run.parent)])


def test_a_failed_notebook_is_refused(run, capsys):
    outcome = {"notebook": "02", "status": "failed", "reason": "no data"}
    (run / "run.json").write_text(json.dumps({"notebooks": [outcome]}), encoding="utf-8")
    assert check_demo.main([str(run.parent)]) == 1
    assert "02 failed: no data" in capsys.readouterr().out


def test_no_truth_at_all_is_refused():
    with pytest.raises(SystemExit, match="no verdict"):
        check_demo.differences({}, {})


def test_a_folder_without_a_finished_run_is_refused(run):
    (run / "index.html").unlink()
    with pytest.raises(SystemExit, match="no run"):
        check_demo.main([str(run.parent)])


def test_the_demonstration_county_comes_with_verdicts_of_every_kind(checkout):
    truth = check_demo.load_json(checkout / "data" / "demo_county" / "truth.json")
    planted = check_demo.planted_verdicts(truth)
    assert {key.split("/")[0] for key in planted} == {"stage", "coefficient", "school"}
    assert set(planted.values()) == {"pass", "fail", "undecided"}
