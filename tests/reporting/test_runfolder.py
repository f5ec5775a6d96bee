import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.errors import RunError
from toolkit.reporting import runfolder
from toolkit.reporting.runfolder import ascii_name, place_run, run_folder_name, scratch_folder


def finished(reports, content="一", log="1"):
    """A scratch folder with a report, left to the caller."""
    folder = Path(reports, ".x.unfinished-test")
    folder.mkdir(parents=True)
    (folder / "index.html").write_text(content, "utf-8")
    (folder / "results").mkdir()
    (folder / "results" / "t.csv").write_text("a", "utf-8")
    (folder / "run-log.json").write_text(log)
    return folder


@pytest.mark.parametrize(
    ("county", "name"),
    [
        ("110105", "110105"),
        ("东湖区", "donghuqu"),
        ("和平区 (Tianjin)", "hepingqu-tianjin"),
        ("../../etc/passwd", "etc-passwd"),
        ("CON", "county-con"),
        ("…", "county"),
        ("A" * 90, "a" * 40),
        ("1010.0", "1010-0"),
    ],
)
def test_the_name_of_a_county_is_safe_as_a_folder(county, name):
    assert ascii_name(county) == name


def test_a_run_is_named_by_county_year_and_digest():
    assert run_folder_name("东湖区", 2024, "0a1b2c3d") == "donghuqu-2024-0a1b2c3d"


def test_a_run_appears_as_a_whole(tmp_path):
    with scratch_folder(tmp_path, "x-2024") as scratch:
        (scratch / "index.html").write_text("一")
        placement = place_run(scratch, tmp_path / "x-2024")
    assert placement.status == "new"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["index.html", "x-2024"]


def test_a_failed_run_leaves_nothing(tmp_path):
    def fail():
        with scratch_folder(tmp_path, "x-2024") as scratch:
            (scratch / "half").write_text("一", "utf-8")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_an_equal_report_is_kept_whatever_its_log_says(tmp_path):
    place_run(finished(tmp_path), tmp_path / "x")
    placement = place_run(finished(tmp_path, log="2"), tmp_path / "x")
    assert (placement.status, placement.path) == ("identical", tmp_path / "x")


def test_a_different_report_is_never_overwritten(tmp_path):
    place_run(finished(tmp_path, "一"), tmp_path / "x")
    assert place_run(finished(tmp_path, "二"), tmp_path / "x").path == tmp_path / "x-2"
    assert place_run(finished(tmp_path, "三"), tmp_path / "x").path == tmp_path / "x-3"
    again = place_run(finished(tmp_path, "二"), tmp_path / "x")
    assert (again.status, again.path) == ("identical", tmp_path / "x-2")
    assert (tmp_path / "x" / "index.html").read_text("utf-8") == "一"


def test_a_report_is_replaced_when_asked_for(tmp_path):
    place_run(finished(tmp_path, "一"), tmp_path / "x")
    placement = place_run(finished(tmp_path, "二"), tmp_path / "x", replace=True)
    assert placement.status == "replaced"
    assert (tmp_path / "x" / "index.html").read_text("utf-8") == "二"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_file_open_in_excel_is_named_and_the_new_report_kept_beside(tmp_path, monkeypatch):
    place_run(finished(tmp_path, "一"), tmp_path / "x")
    new = finished(tmp_path, "二")
    rename, open_file = Path.rename, Path.open

    def refuse_rename(path, target):
        if path == tmp_path / "x":
            raise PermissionError(13, "in use")
        return rename(path, target)

    def refuse_open(path, mode="r", *rest, **options):
        if path.name == "t.csv" and "+" in mode:
            raise PermissionError(13, "in use")
        return open_file(path, mode, *rest, **options)

    monkeypatch.setattr(Path, "rename", refuse_rename)
    monkeypatch.setattr(Path, "open", refuse_open)
    placement = place_run(new, tmp_path / "x", replace=True)
    assert (placement.status, placement.file, placement.path) == ("in_use", "t.csv", tmp_path / "x-2")
    assert "文件 t.csv 正在其他程序（如 Excel）中打开" in placement.told("zh")
    assert (tmp_path / "x" / "index.html").exists()


def test_the_old_report_comes_back_when_the_new_one_cannot_be_moved(tmp_path, monkeypatch):
    place_run(finished(tmp_path, "一"), tmp_path / "x")
    new = finished(tmp_path, "二")
    rename = Path.rename

    def refuse(path, target):
        if path == new:
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(RunError, match="No space left on device"):
        place_run(new, tmp_path / "x", replace=True)
    assert (tmp_path / "x" / "index.html").read_text("utf-8") == "一"


def test_the_folder_of_a_killed_run_is_removed_by_the_next(tmp_path):
    program = (
        "import os, sys; from pathlib import Path\n"
        "from toolkit.reporting.runfolder import scratch_folder\n"
        "with scratch_folder(Path(sys.argv[1]), 'x') as scratch:\n"
        "    (scratch / 'half').write_text('1')\n"
        "    os._exit(9)\n"
    )
    root = Path(sys.modules["toolkit"].__file__).parents[1]
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=root, check=False)
    assert len(list(tmp_path.iterdir())) == 1
    with scratch_folder(tmp_path, "x") as scratch:
        assert list(tmp_path.iterdir()) == [scratch]


def test_folders_of_running_processes_and_of_other_machines_are_left_alone(tmp_path):
    elsewhere = tmp_path / ".y.unfinished-abc"
    elsewhere.mkdir()
    (elsewhere / ".owner.json").write_text(json.dumps({"pid": 1, "started": 0.0, "host": "another machine"}))
    with scratch_folder(tmp_path, "x") as first, scratch_folder(tmp_path, "x") as second:
        assert first.exists()
        assert second != first
        assert elsewhere.exists()


@pytest.mark.parametrize("host", ["here", "elsewhere"])
def test_a_report_set_aside_by_a_killed_process_of_this_machine_comes_back(tmp_path, host):
    aside = tmp_path / ".x.unfinished-replaced-2147483000"
    aside.mkdir()
    (aside / "index.html").write_text("一", "utf-8")
    owner = {"pid": 2147483000, "started": 1e9, "host": socket.gethostname() if host == "here" else host}
    (aside / ".owner.json").write_text(json.dumps(owner), "utf-8")
    runfolder.remove_stale_folders(tmp_path)
    assert aside.exists() is (host == "elsewhere")
    back = [path.name for path in (tmp_path / "x").glob("*")]
    assert back == (["index.html"] if host == "here" else [])


def test_a_report_that_cannot_be_replaced_comes_back_without_a_signature(tmp_path, monkeypatch):
    target = tmp_path / "x"
    target.mkdir()
    (target / "index.html").write_text("一", "utf-8")
    scratch = finished(tmp_path, "二")

    def refuse(*_):
        raise RunError("report_run_not_placed", path=target, reason="x")

    monkeypatch.setattr(runfolder, "_move", refuse)
    with pytest.raises(RunError):
        place_run(scratch, target, replace=True)
    assert [path.name for path in target.iterdir()] == ["index.html"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_report_can_be_read_by_others(tmp_path):
    with scratch_folder(tmp_path, "x") as scratch:
        assert scratch.stat().st_mode & 0o055 == 0o055
