"""The tools behind `run.py wheelhouse` and the check of the demonstration run."""

import json
import re

import pytest

from tools import check_demo, wheelhouse


def names_for(checkout, platform, python):
    environment = wheelhouse.target_environment(wheelhouse.platform_tags(platform), python)
    return wheelhouse.pins(checkout / "requirements.lock", environment)


def test_a_wheelhouse_for_windows_has_what_only_windows_needs(checkout):
    names = {line.split("==")[0] for line in names_for(checkout, "win_amd64", "3.12")}
    assert {"pywinpty", "colorama"} <= names
    assert not {"pexpect", "appnope"} & names


def test_a_wheelhouse_for_macos_has_what_only_macos_needs(checkout):
    names = {line.split("==")[0] for line in names_for(checkout, "macosx_14_0_arm64", "3.12")}
    assert {"appnope", "pexpect"} <= names
    assert "pywinpty" not in names


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_a_wheelhouse_has_one_numpy_for_its_python(checkout, python):
    numpy = [line for line in names_for(checkout, "win_amd64", python) if line.startswith("numpy==")]
    assert len(numpy) == 1


def test_the_pins_of_a_wheelhouse_carry_no_conditions(checkout):
    lines = names_for(checkout, "manylinux_2_28_x86_64", "3.12")
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9a-z.]+", line)] == []


def test_a_newer_glibc_accepts_the_wheels_of_older_ones():
    tags = wheelhouse.platform_tags("manylinux_2_28_aarch64")
    assert tags[0] == "manylinux_2_28_aarch64"
    assert {"manylinux_2_17_aarch64", "manylinux2014_aarch64"} <= set(tags)


def test_an_unknown_system_is_refused():
    with pytest.raises(SystemExit, match="beos"):
        wheelhouse.target_environment(["beos_x86"], "3.12")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return the folder of a complete run and make its truth the one that is compared."""
    folder = tmp_path / "reports" / "demo-2025-01234567"
    (folder / "results").mkdir(parents=True)
    (folder / "index.html").touch()
    write(folder / "run.json", {"notebooks": [{"notebook": "02", "status": "done", "reason": ""}]})
    write(folder / "results" / "verdicts.json", {"school/1": "pass", "school/2": "fail"})
    truth = tmp_path / "truth.json"
    write(truth, {"verdicts": {"school/1": "pass", "school/2": "fail"}})
    monkeypatch.setattr(check_demo, "share_path", lambda *parts: truth)
    return folder


def write(path, content):
    path.write_text(json.dumps(content), encoding="utf-8")


def test_a_run_with_the_planned_verdicts_is_accepted(run):
    assert check_demo.main([str(run.parent)]) == 0


@pytest.mark.parametrize(
    "found",
    [
        {"school/1": "pass", "school/2": "pass"},
        {"school/1": "pass"},
        {"school/1": "pass", "school/2": "fail", "school/3": "pass"},
    ],
)
def test_a_wrong_a_missing_and_an_extra_verdict_are_each_refused(run, found):
    write(run / "results" / "verdicts.json", found)
    assert check_demo.main([str(run.parent)]) == 1


def test_a_failed_notebook_is_refused(run, capsys):
    write(run / "run.json", {"notebooks": [{"notebook": "02", "status": "failed", "reason": "no data"}]})
    assert check_demo.main([str(run.parent)]) == 1
    assert "02 failed: no data" in capsys.readouterr().out


def test_no_verdict_at_all_is_refused(run):
    write(run / "results" / "verdicts.json", {})
    with pytest.raises(SystemExit, match="no verdict"):
        check_demo.main([str(run.parent)])


def test_a_folder_without_a_finished_run_is_refused(run):
    (run / "index.html").unlink()
    with pytest.raises(SystemExit, match="no run"):
        check_demo.main([str(run.parent)])
