"""Batches with real workers, kernels and schedulers: what arrives is right, whatever is killed."""

import base64
import hashlib
import json
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from functools import partial

import psutil
import pytest

from tests.batch.deadly import look_or_die
from tests.batch.stand_ins import calls, make_report, planned, write_orders
from tests.batch.tiny import write_tiny
from toolkit.batch import survey
from toolkit.batch.batch import batch_place, plan_batch, run_batch
from toolkit.batch.dask_workers import require_fit_workers
from toolkit.batch.engines import DaskEngine, LokyEngine, connect_dask
from toolkit.batch.inputs import Years, find_units
from toolkit.batch.units import Options
from toolkit.reporting.run import run_report
from toolkit.tables.export import load_exported_table

pytestmark = pytest.mark.slow

QUICK = Options(only=("01",))
N_COUNTIES = 20
PICTURE = re.compile(r'src="data:image/png;base64,([^"]+)"')


def run(data, reports, engine=None, *, options=QUICK, **choices):
    place = batch_place(reports, "counties")
    plan = plan_batch(find_units(data, {}, Years()).units, place, options, **choices)
    return run_batch(plan, engine or LokyEngine(4), place)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("batch")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUNHENG_WORKSPACE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def twenty(workspace):
    """Twenty counties and a broken workbook, run on four workers."""
    data = workspace / "counties"
    data.mkdir()
    facts = [write_tiny(data, number) for number in range(N_COUNTIES)]
    (data / "broken.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    return data, facts, run(data, workspace / "reports")


def pictures(page):
    found = PICTURE.findall(page.read_text(encoding="utf-8"))
    return [hashlib.sha256(base64.b64decode(text)).hexdigest() for text in found]


def test_each_of_twenty_reports_on_four_workers_carries_its_own_county(twenty, workspace):
    _, facts, outcome = twenty
    by_code = {status.county_id: status for status in outcome.statuses}
    assert outcome.count("done") == N_COUNTIES
    every = {name for _, name, _ in facts}
    for code, name, n_schools in facts:
        report = workspace / "reports" / by_code[code].report
        page = (report / "01_data_quality.html").read_text(encoding="utf-8")
        assert f"<dd>{name}</dd>" in page
        assert {other for other in every - {name} if f"<dd>{other}</dd>" in page} == set()
        record = json.loads((report / "run.json").read_text(encoding="utf-8"))
        assert (record["county_id"], record["county_name"]) == (code, name)
        accounting = load_exported_table(report / "results" / "01_data_quality" / "accounting.csv")
        assert accounting.set_index("table_code").loc["schools", "rows_used"] == n_schools


def test_a_report_of_a_batch_has_the_bytes_of_a_single_run(twenty, workspace):
    data, _, outcome = twenty
    status = next(status for status in outcome.statuses if status.data == "county07.xlsx")
    single = run_report(
        {"data_path": str(data / "county07.xlsx")}, reports=workspace / "single", only=QUICK.only
    ).placement.path
    batch = workspace / "reports" / status.report
    assert single.name == batch.name
    assert files(single) == files(batch)
    assert pictures(single / "01_data_quality.html") == pictures(batch / "01_data_quality.html")


def test_the_broken_workbook_fails_with_its_reason_and_a_rerun_does_only_that_one(twenty, workspace):
    data, _, outcome = twenty
    (failed,) = [status for status in outcome.statuses if status.state == "failed"]
    assert failed.data == "broken.xlsx"
    assert "broken.xlsx" in failed.reasons[0].zh
    before = changes(workspace / "reports")
    write_tiny(data, N_COUNTIES)
    (data / f"county{N_COUNTIES:02d}.xlsx").replace(data / "broken.xlsx")
    again = run(data, workspace / "reports", LokyEngine(2))
    assert (again.kept, again.count("done")) == (N_COUNTIES, N_COUNTIES + 1)
    after = changes(workspace / "reports")
    assert {name: time for name, time in after.items() if name in before} == before
    assert len(after) == len(before) + 1


def test_a_worker_killed_in_a_unit_costs_no_report(workspace, tmp_path):
    data, reports = tmp_path / "killed", tmp_path / "reports"
    data.mkdir()
    for number in range(2):
        write_tiny(data, number)
    place = batch_place(reports, "counties")
    plan = plan_batch(find_units(data, {}, Years()).units, place, QUICK)
    script = (
        "import sys, pickle; from toolkit.batch.batch import run_batch; "
        "from toolkit.batch.engines import LokyEngine; "
        "plan, place = pickle.load(sys.stdin.buffer); "
        "outcome = run_batch(plan, LokyEngine(2), place); sys.exit(outcome.count('failed'))"
    )
    runner = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, env=environment())
    runner.stdin.write(pickle.dumps((plan, place)))
    runner.stdin.close()
    worker = wait_for(lambda: _busy_worker(runner.pid, place))
    time.sleep(1)
    os.kill(worker, signal.SIGKILL)
    assert runner.wait(timeout=240) == 0
    assert [path.name for path in reports.glob(".*")] == []
    again = plan_batch(find_units(data, {}, Years()).units, place, QUICK)
    assert len(again.kept) == 2


def test_workers_end_with_a_runner_that_is_killed(data, reports):
    write_orders(data, **dict.fromkeys("abcd", "sleep 60"))
    script = (
        "import sys, pickle; from toolkit.batch.batch import run_batch; "
        "from toolkit.batch.engines import LokyEngine; from tests.batch.stand_ins import make_report; "
        "plan, place = pickle.load(sys.stdin.buffer); run_batch(plan, LokyEngine(2), place, make=make_report)"
    )
    plan, place = planned(data, reports)
    runner = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, env=environment())
    runner.stdin.write(pickle.dumps((plan, place)))
    runner.stdin.close()
    wait_for(lambda: _busy_worker(runner.pid, place))
    workers = psutil.Process(runner.pid).children(recursive=True)
    runner.kill()
    runner.wait()
    assert psutil.wait_procs(workers, timeout=30)[1] == []


def test_units_that_kill_their_worker_fail_and_all_others_are_done(data, reports):
    write_orders(data, a="good", b="die", c="kill once", d="refuse", e="good")
    plan, place = planned(data, reports)
    outcome = run_batch(plan, LokyEngine(2), place, make=make_report)
    assert {status.data[0]: status.state for status in outcome.statuses} == {
        "a": "done", "b": "failed", "c": "done", "d": "failed", "e": "done"
    }  # fmt: skip
    assert calls(data).count("b") == 2


def test_a_worker_that_dies_while_files_are_looked_into_costs_no_answer_but_that_of_a_deadly_file(
    data, monkeypatch
):
    write_orders(data, a="good", b="die once", c="die", d="good")
    monkeypatch.setattr(survey, "_counties", look_or_die)
    sources = [(str(data / f"{name}.txt"), "") for name in "abcd"]
    found = survey.survey_inputs(sources, with_years=False, jobs=2)
    assert [[own.county_id for own in found[source]] for source in sources] == [["a"], ["b"], [], ["d"]]


def test_one_worker_survives_a_deadly_unit_too(data, reports):
    write_orders(data, a="die", b="good")
    plan, place = planned(data, reports)
    outcome = run_batch(plan, LokyEngine(1), place, make=make_report)
    assert [status.state for status in outcome.statuses] == ["failed", "done"]


def test_two_dask_workers_give_the_same_bytes_as_this_machine(workspace, twenty):
    data, _, outcome = twenty
    expected = {status.data: status.content for status in outcome.statuses if status.data < "county04"}
    few = workspace / "few"
    few.mkdir()
    for name in expected:
        if name.startswith("county"):
            (few / name).write_bytes((data / name).read_bytes())
    with DaskCluster(2) as address:
        client = connect_dask(address)
        try:
            place = batch_place(workspace / "dask", "few")
            assert require_fit_workers(client, place) == 2
            plan = plan_batch(find_units(few, {}, Years()).units, place, QUICK)
            found = run_batch(plan, DaskEngine(client, address), place)
        finally:
            client.close()
    assert {status.data: status.content for status in found.statuses} == {
        name: content for name, content in expected.items() if name.startswith("county")
    }


def test_a_unit_that_dask_workers_do_not_survive_fails_and_the_others_are_done(data, reports):
    write_orders(data, a="good", b="die", c="good")
    # By default the scheduler gives a unit up after four workers.
    with DaskCluster(2, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0") as address:
        client = connect_dask(address)
        try:
            plan, place = planned(data, reports)
            outcome = run_batch(plan, DaskEngine(client, address), place, make=make_report)
        finally:
            client.close()
    assert {status.data[0]: status.state for status in outcome.statuses} == {
        "a": "done", "b": "failed", "c": "done"
    }  # fmt: skip


class DaskCluster(ExitStack):
    """A scheduler and workers, each a process of its own, as the guide says to start them."""

    def __init__(self, n_workers, **settings):
        super().__init__()
        self.n_workers = n_workers
        self.settings = settings

    def __enter__(self):
        super().__enter__()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        address = f"tcp://127.0.0.1:{port}"
        self._start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
        for _ in range(self.n_workers):
            self._start("worker", address, "--nthreads", "1", "--no-dashboard")
        client = connect_dask(address)
        client.wait_for_workers(self.n_workers, timeout=60)
        client.close()
        return address

    def _start(self, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            env=environment(
                OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", **self.settings
            ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.callback(partial(_end, process))


def _end(process):
    process.terminate()
    process.wait(timeout=30)


def environment(**more):
    """Return the environment with this checkout on the search path."""
    here = os.pathsep.join(entry for entry in sys.path if entry)
    return {**os.environ, "PYTHONPATH": here, **more}


def _busy_worker(runner, place):
    """Return a worker that has begun a unit, None while there is none."""
    begun = [path.read_text(encoding="utf-8") for path in place.folder.glob("units/*/status.json")]
    if not any('"running"' in text for text in begun):
        return None
    for process in psutil.Process(runner).children(recursive=True):
        if any("popen_loky" in part for part in process.cmdline()):
            return process.pid
    return None


def wait_for(found, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def files(report):
    paths = sorted(path for path in report.rglob("*") if path.is_file() and path.name != "run-log.json")
    return {path.relative_to(report).as_posix(): path.read_bytes() for path in paths}


def changes(reports):
    return {path.name: path.stat().st_mtime_ns for path in reports.iterdir() if path.name.startswith("99")}
