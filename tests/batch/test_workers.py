"""How many workers are started, how far a batch is, and what a Dask worker must be like."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from toolkit.batch import dask_workers
from toolkit.batch.dask_workers import require_fit_workers
from toolkit.batch.engines import connect_dask
from toolkit.batch.memory import available_cores, available_memory_mb, fitting_workers
from toolkit.batch.progress import Progress, starting_progress, told_duration
from toolkit.batch.settings import BatchSettings
from toolkit.batch.status import UnitStatus
from toolkit.batch.units import Place
from toolkit.errors import ParameterError, RunError

SETTINGS = BatchSettings(
    runner_mb=250, kernel_mb=200, server_mb=50, reserve_mb=1000, deaths=2, connect_seconds=1
)
STATUS = UnitStatus("u", "u.xlsx", "done", {}, "t")


@pytest.mark.parametrize(
    ("asked", "units", "available", "expected"),
    [
        (8, 100, 100_000, 8),
        (8, 3, 100_000, 3),
        (8, 0, 100_000, 1),
        (8, 100, 3000, 4),
        (8, 100, 1499, 1),
        (2, 100, 10, 1),
    ],
)
def test_workers_are_as_many_as_asked_for_as_there_are_units_and_as_fit(asked, units, available, expected):
    workers = fitting_workers(asked, units, available_mb=available, settings=SETTINGS)
    assert workers.jobs == expected
    assert workers.is_lowered == (expected < min(asked, max(units, 1)))
    assert workers.needed_mb == 500


def test_without_a_number_there_is_a_worker_on_each_core():
    workers = fitting_workers(0, 10_000, available_mb=10**9)
    assert workers.jobs == available_cores()
    assert available_memory_mb() > 0


def test_the_time_left_follows_the_pace_of_this_call():
    now = SimpleNamespace(value=100.0)
    kept = (STATUS, replace(STATUS, state="failed"))
    progress = replace(starting_progress(12, kept), clock=lambda: now.value, started=100.0)
    assert (progress.done, progress.failed, progress.left, progress.seconds_left) == (1, 1, 10, None)
    now.value = 160.0
    progress = progress.after(STATUS).after(replace(STATUS, state="incomplete"))
    assert (progress.done, progress.failed, progress.left) == (2, 2, 8)
    assert progress.seconds_left == 240.0
    assert progress.told("en") == "2 done, 2 failed, 8 left, about 4 min"
    assert progress.told("zh") == "完成 2，失败 2，剩余 8，约需 4 分钟"


def test_at_the_end_no_time_is_left():
    assert Progress(1).after(STATUS).told("en") == "1 done, 0 failed, 0 left"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.2, "1 s"), (59, "59 s"), (90, "2 min"), (3600, "1 h 0 min"), (9000, "2 h 30 min")],
)
def test_a_duration_is_told_in_its_largest_parts(seconds, told):
    assert told_duration(seconds, "en") == told


class Client:
    """A scheduler with two workers that answer as they are told."""

    def __init__(self, threads=1, **facts):
        self.facts = {"variables": [], "sees": True, "code": "own", **facts}
        self.threads = threads

    def run(self, function, mark):
        assert mark.is_file()
        return {"tcp://a:1": {"variables": [], "sees": True, "code": "own"}, "tcp://b:2": self.facts}

    def nthreads(self):
        return {"tcp://a:1": 1, "tcp://b:2": self.threads}


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(dask_workers, "code_digest", lambda: "own")
    return Place(tmp_path, tmp_path, tmp_path)


def test_fit_workers_are_counted_and_nothing_is_left_in_the_folder(place):
    assert require_fit_workers(Client(), place) == 2
    assert list(place.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("client", "told"),
    [
        (Client(threads=4), "--nthreads 1"),
        (Client(variables=["OMP_NUM_THREADS=1"]), "OMP_NUM_THREADS=1"),
        (Client(sees=False), "shared folder"),
        (Client(code="other"), "another version"),
    ],
    ids=["threads", "numeric threads", "folder", "code"],
)
def test_a_worker_that_would_make_other_reports_is_refused_by_name(place, client, told):
    with pytest.raises(RunError, match=told) as caught:
        require_fit_workers(client, place)
    assert "tcp://b:2" in caught.value.zh


def test_a_missing_dask_is_told_with_its_remedy(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ParameterError, match="pip install"):
        connect_dask("tcp://127.0.0.1:1")
