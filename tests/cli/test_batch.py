"""The command `batch`: what it refuses, what it tells, and its exit codes."""

import re

import pytest

from tests.batch.stand_ins import calls, make_report
from tests.cli.conftest import listed
from toolkit.batch import batch, inputs, summary_page, unit_key
from toolkit.batch.engines import LokyEngine
from toolkit.batch.survey import CountyYears
from toolkit.cli import batch_commands
from toolkit.tables import export


@pytest.fixture
def stand_in(monkeypatch):
    """Run units in this process, with reports of one page, and let every file hold the county of its name."""

    def in_process(self, work, jobs, *, alone):
        for job in jobs:
            yield work(job)

    def survey(sources, *, with_years, jobs):
        return {source: (CountyYears("990101", (2023, 2024)),) for source in sources}

    original = batch.run_batch
    monkeypatch.setattr(LokyEngine, "run", in_process)
    monkeypatch.setattr(inputs, "survey_inputs", survey)
    for module in (unit_key, summary_page):
        monkeypatch.setattr(module, "code_digest", lambda: "0" * 64)
    # Nothing reads the workbooks, and writing them takes most of the time.
    monkeypatch.setattr(export, "_write_workbook", lambda *_: None)
    monkeypatch.setattr(batch, "run_batch", lambda *a, **k: original(*a, **k, make=make_report))


@pytest.fixture
def counties(place):
    """A folder with two files that pass for workbooks."""
    folder = place / "counties"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.xlsx").write_text("good", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("options", "code", "zh", "en"),
    [
        (["nothere"], 3, "找不到“nothere”", "was not found"),
        (["county.xlsx"], 2, "junheng run", "junheng run"),
        (["empty"], 3, "没有工作簿", "no workbook"),
        (["counties", "--years", "soon"], 2, "soon", "2023,2024"),
        (["counties", "--year", "2024", "--years", "2023"], 2, "只能给出一个", "either"),
        (["counties", "--jobs", "0"], 2, "不能小于 1", "at least 1"),
        (["counties", "--jobs", "2", "--dask", "tcp://127.0.0.1:1"], 2, "--jobs", "--jobs"),
        (["counties", "--edition", "secret"], 2, "internal, public", "internal, public"),
        (["counties", "--only", "99"], 2, "99", "99"),
        (["counties", "--form", "nothere.xlsx"], 3, "nothere.xlsx", "nothere.xlsx"),
        (["counties", "--plan", "nosuch", "--language", "fr"], 2, "zh, en", "zh, en"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_refused_batch_leaves_nothing_behind(junheng, place, counties, stand_in, options, code, zh, en):
    (place / "empty").mkdir()
    (place / "county.xlsx").touch()
    before = listed(place)
    found, _, err = junheng("batch", *options, "-o", "out/reports")
    assert found == code
    assert zh in err
    assert en in err
    assert [path for path in listed(place) if not path.startswith("out")] == before
    assert not any("index.html" in path for path in listed(place))


def test_a_batch_tells_counts_and_summary_and_runs_nothing_twice(junheng, place, counties, stand_in):
    code, out, err = junheng("batch", "counties", "--jobs", "2", "-o", "reports")
    assert code == 0
    assert "2 reports, 0 there already, 2 to run" in out
    assert "完成 2，失败 0，剩余 0" in err
    assert str(place / "reports" / "batch" / "counties" / "index.html") in out
    assert calls(counties) == ["a", "b"]
    code, out, _ = junheng("batch", "counties", "-o", "reports")
    assert (code, calls(counties)) == (0, [])
    assert "2 there already, 0 to run" in out


def test_a_failed_unit_is_named_with_its_reason_and_sets_the_exit_code(junheng, counties, stand_in):
    (counties / "b.xlsx").write_text("refuse", encoding="utf-8")
    code, _, err = junheng("batch", "counties", "-o", "reports")
    assert code == 4
    assert "b.xlsx" in err
    assert "1 done" in err
    assert "1 failed" in err
    code, _, _ = junheng("batch", "counties", "-o", "reports", "--keep-failed")
    assert (code, calls(counties)) == (4, ["a", "b"])


def test_years_make_units_of_their_own(junheng, counties, stand_in):
    _, out, _ = junheng("batch", "counties", "--years", "all", "-o", "reports")
    assert "4 reports" in out
    _, out, _ = junheng("batch", "counties", "--years", "2023", "-o", "reports", "--name", "older")
    assert "Batch older: 2 reports" in out


def test_files_that_are_no_data_are_told(junheng, counties, stand_in):
    (counties / "readme.md").touch()
    _, out, _ = junheng("batch", "counties", "-o", "reports")
    assert "readme.md" in out


def test_fewer_workers_than_asked_for_are_announced(junheng, counties, stand_in, monkeypatch):
    monkeypatch.setattr("toolkit.batch.memory.available_memory_mb", lambda: 1000)
    _, out, _ = junheng("batch", "counties", "--jobs", "2", "-o", "reports")
    assert "1 side by side in place of 2" in out


def test_an_interrupt_tells_how_to_go_on(junheng, counties, stand_in, monkeypatch):
    def stopped(self, work, jobs, *, alone):
        yield work(jobs[0])
        raise KeyboardInterrupt

    monkeypatch.setattr(LokyEngine, "run", stopped)
    code, out, _ = junheng("batch", "counties", "-o", "reports")
    assert code == 130
    assert "1 done, 1 left" in out
    assert "the same command goes on" in out


def test_a_list_is_a_source_too(junheng, place, counties, stand_in):
    (place / "list.csv").write_text("data,plan\ncounties/a.xlsx,meizhou\n", encoding="utf-8")
    code, out, _ = junheng("batch", "list.csv", "-o", "reports")
    assert code == 0
    assert "Batch list: 1 reports" in out


def test_the_options_of_a_single_run_are_there(junheng):
    code, out, _ = junheng("batch", "--help")
    assert code == 0
    for option in ("--plan", "--standard", "--docx", "--only", "--dask", "--fresh", "--keep-failed"):
        assert option in out
    assert batch_commands.SOME_FAILED == 4
    described = out.split("Options:")[1].split("-h, --help")[0]
    blocks = re.split(r"\n(?=  -)", described)[1:]
    assert [block for block in blocks if not re.search(r"[\u4e00-\u9fff]", block)] == []
