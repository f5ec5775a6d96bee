"""A batch: the same call again does only what is missing, changed or failed."""

import json
import os
import socket

import psutil
import pytest

from tests.batch.stand_ins import InProcess, calls, make_report, planned, write_orders
from toolkit.batch.batch import run_batch
from toolkit.batch.units import Options
from toolkit.errors import RunError
from toolkit.reporting.run_key import content_digest


@pytest.fixture(autouse=True)
def _quick_summary(monkeypatch):
    """Leave the summary to its own tests."""

    def write(statuses, place, language):
        page = place.folder / "index.html"
        page.touch()
        return page

    monkeypatch.setattr("toolkit.batch.batch.write_summary", write)


def run(data, reports, **choices):
    plan, place = planned(data, reports, **choices)
    return run_batch(plan, InProcess(), place, make=make_report)


@pytest.fixture
def done(data, reports):
    """A batch of three good units and one that is refused."""
    write_orders(data, a="good", b="good", c="good", d="refuse")
    outcome = run(data, reports)
    assert calls(data) == ["a", "b", "c", "d"]
    return outcome


def states(outcome):
    return {status.data[0]: status.state for status in outcome.statuses}


def test_a_failed_unit_does_not_stop_the_others(done):
    assert states(done) == {"a": "done", "b": "done", "c": "done", "d": "failed"}
    assert done.summary.is_file()


def test_the_same_call_again_runs_the_failed_unit_only(done, data, reports):
    outcome = run(data, reports)
    assert calls(data) == ["d"]
    assert (outcome.kept, states(outcome)) == (3, states(done))


def test_a_mended_input_is_run_and_nothing_else(done, data, reports):
    write_orders(data, d="good")
    assert states(run(data, reports)) == dict.fromkeys("abcd", "done")
    assert calls(data) == ["d"]


def test_a_changed_input_is_run_again(done, data, reports):
    write_orders(data, b="good, and more", d="good")
    run(data, reports)
    assert calls(data) == ["b", "d"]


def test_failed_units_can_be_left_as_they_are_and_still_count(done, data, reports):
    outcome = run(data, reports, retry_failed=False)
    assert calls(data) == []
    assert outcome.count("failed") == 1


def test_all_units_run_again_on_demand(done, data, reports):
    run(data, reports, fresh=True)
    assert calls(data) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    "changed",
    [
        {"parameters": {"edition": "public"}},
        {"options": Options(embed_font=True)},
        {"options": Options(only=("02",))},
    ],
    ids=["parameter", "font", "only"],
)
def test_other_parameters_or_options_run_all_units_again(done, data, reports, changed):
    run(data, reports, **changed)
    assert calls(data) == ["a", "b", "c", "d"]


def test_other_code_runs_all_units_again(done, data, reports, monkeypatch):
    monkeypatch.setattr("toolkit.batch.unit_key.code_digest", lambda: content_digest({"code": 1}))
    run(data, reports)
    assert calls(data) == ["a", "b", "c", "d"]


def test_the_countys_own_text_counts_and_an_empty_form_for_it_does_not(done, data, reports):
    text = data.parent / "narrative" / "b-2024" / "07_annual_report.md"
    text.parent.mkdir(parents=True)
    text.write_text("<!-- 请填写 -->\n\n## 工作举措\n\n\n", encoding="utf-8")
    run(data, reports)
    assert calls(data) == ["d"]
    text.write_text("## 工作举措\n\n轮岗。\n", encoding="utf-8")
    run(data, reports)
    assert calls(data) == ["b", "d"]


def test_each_unit_that_is_run_again_says_why(done, data, reports, monkeypatch):
    write_orders(data, a="good, and more", e="good")
    page = next(reports.glob("b-2024-*")) / "index.html"
    page.unlink()
    plan, _ = planned(data, reports)
    assert {job.unit.county: job.why for job in plan.jobs} == {
        "a": ("data",),
        "b": ("incomplete",),
        "c": (),
        "d": ("failed",),
        "e": ("new",),
    }
    assert plan.why == {"data": 1, "incomplete": 1, "failed": 1, "new": 1}
    monkeypatch.setattr("toolkit.batch.unit_key.code_digest", lambda: content_digest({"code": 1}))
    plan, place = planned(data, reports, parameters={"edition": "public"})
    assert {job.unit.county: job.why for job in plan.jobs}["a"] == ("data", "parameters", "program")
    run_batch(plan, InProcess(), place, make=make_report)
    log = next((place.folder / "units").glob("a-*")) / "unit.log"
    assert "数据文件有变: data changed" in log.read_text(encoding="utf-8")


@pytest.mark.parametrize("damage", ["removed", "emptied", "cut"])
def test_a_report_that_is_no_longer_complete_is_made_again(done, data, reports, damage):
    report = reports / "b-2024-0123abcd"
    page = report / "index.html"
    if damage == "removed":
        for path in report.iterdir():
            path.unlink()
        report.rmdir()
    elif damage == "emptied":
        page.unlink()
    else:
        page.write_text("", encoding="utf-8")
    run(data, reports)
    assert calls(data) == ["b", "d"]


def test_a_unit_that_was_killed_while_running_is_run_again(done, data, reports):
    path = next((reports / "batch" / "counties" / "units").glob("b-*")) / "status.json"
    content = json.loads(path.read_text(encoding="utf-8")) | {"state": "running"}
    path.write_text(json.dumps(content), encoding="utf-8")
    run(data, reports)
    assert calls(data) == ["b", "d"]


def test_a_unit_of_an_unreadable_file_is_run_every_time(data, reports):
    write_orders(data, a="good")
    plan, place = planned(data, reports)
    (data / "a.txt").unlink()
    again, _ = planned(data, reports)
    assert again.jobs == ()
    assert plan.jobs[0].key
    assert run_batch(plan, InProcess(), place, make=make_report).count("failed") == 1


def test_a_batch_that_is_running_on_this_machine_is_not_started_twice(done, data, reports):
    lock = reports / "batch" / "counties" / ".running.json"
    own = {"pid": os.getpid(), "started": psutil.Process().create_time(), "host": socket.gethostname()}
    lock.write_text(json.dumps(own), encoding="utf-8")
    with pytest.raises(RunError, match="running on this machine"):
        run(data, reports)
    for stale in ({**own, "started": 1.0}, {**own, "host": "elsewhere"}, {"pid": 1}):
        lock.write_text(json.dumps(stale), encoding="utf-8")
        run(data, reports)
        assert not lock.exists()


def test_unfinished_folders_of_this_machine_are_removed_and_those_of_others_kept(data, reports):
    write_orders(data, a="good")
    for host in (socket.gethostname(), "elsewhere"):
        folder = reports / f".x-2024-0123abcd.unfinished-{host}"
        folder.mkdir(parents=True)
        owner = {"pid": 2**22 + 1, "started": 1000.0, "host": host}
        (folder / ".owner.json").write_text(json.dumps(owner), encoding="utf-8")
    run(data, reports)
    assert [path.name for path in reports.glob(".*unfinished*")] == [".x-2024-0123abcd.unfinished-elsewhere"]


def test_an_interrupt_stops_the_batch_and_the_next_call_goes_on(data, reports):
    write_orders(data, a="good", b="good")

    class Stopped(InProcess):
        def run(self, work, jobs, *, alone):
            yield work(jobs[0])
            raise KeyboardInterrupt

    plan, place = planned(data, reports)
    with pytest.raises(KeyboardInterrupt):
        run_batch(plan, Stopped(), place, make=make_report)
    assert calls(data) == ["a"]
    assert states(run(data, reports)) == {"a": "done", "b": "done"}
    assert calls(data) == ["b"]
