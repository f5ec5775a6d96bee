"""Counties for the benchmarks of batches, what a batch made of them, and the processes at work."""

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from toolkit.data.simulate import SimulationSettings, simulate_county, write_county  # noqa: E402

SIZES = (20, 20, 24, 30, 40, 60)
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
MEGABYTE = 2**20
KINDS = ("runner", "worker", "kernel")


def write_counties(folder: Path, count: int, *, broken: int = 0) -> None:
    """Write counties of mixed sizes; the last ones are broken, each in another way."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        settings = SimulationSettings(
            county_number=(number - 1) % 99 + 1,
            n_schools=SIZES[number % len(SIZES)],
            n_years=3,
            with_teachers=False,
            with_scores=False,
        )
        path = folder / f"county{number:03d}.xlsx"
        write_county(simulate_county(settings, seed=number), path)
        if number > count - broken:
            break_workbook(path, (count - number) % 3)


def break_workbook(path: Path, way: int) -> None:
    """Cut a workbook off, put text in its place, or take a required sheet away."""
    if way == 0:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif way == 1:
        path.write_text("this is no workbook", encoding="utf-8")
    else:
        from openpyxl import load_workbook

        from toolkit.vocabulary import label

        workbook = load_workbook(path)
        del workbook[label("table_school_years", "zh")]
        workbook.save(path)


def command(data: Path, reports: Path, *options: str) -> list[str]:
    """Return the command line of a batch."""
    return [
        sys.executable,
        str(ROOT / "junheng_command.py"),
        "batch",
        str(data),
        "-o",
        str(reports),
        *options,
    ]


def environment(workspace: Path) -> dict[str, str]:
    """Return the environment of the runner and of Dask workers."""
    own = {"PYTHONPATH": str(ROOT), "JUNHENG_WORKSPACE": str(workspace)}
    return {**os.environ, **own, **ONE_THREAD}


def statuses(reports: Path) -> list[dict]:
    """Return the status of each unit of the only batch of a folder."""
    paths = sorted(reports.glob("batch/*/units/*/status.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def hashes(reports: Path) -> dict[str, str]:
    """Return, by data file, the hash of each report as it lies on the disk, "failed" where there is none."""
    found = {}
    for status in statuses(reports):
        report = reports / status["report"]
        found[status["data"]] = _content(report) if status["report"] else status["state"]
    return found


def _content(report: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in report.rglob("*") if path.is_file() and path.name != "run-log.json"):
        digest.update(path.relative_to(report).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@contextmanager
def dask_cluster(workspace: Path, n_workers: int) -> Iterator[str]:
    """Start a scheduler and workers as processes of their own; give the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    port = address.rpartition(":")[2]
    lines = [["scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"]]
    lines += [["worker", address, "--nthreads", "1", "--no-dashboard"]] * n_workers
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [
        subprocess.Popen([sys.executable, "-m", "dask", *line], env=environment(workspace), **quiet)
        for line in lines
    ]
    try:
        _wait_for_workers(address, n_workers)
        yield address
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=60)


def _wait_for_workers(address: str, n_workers: int) -> None:
    from distributed import Client

    with Client(address, timeout=60, set_as_default=False) as client:
        client.wait_for_workers(n_workers, timeout=120)


class MemoryWatch(threading.Thread):
    """Follows a process and its children: highest resident memory of each kind over thirds of the run."""

    def __init__(self, pid: int, every: float = 0.5) -> None:
        super().__init__(daemon=True)
        self.pid, self.every, self.samples = pid, every, []

    def run(self) -> None:
        """Take samples until the process ends."""
        while psutil.pid_exists(self.pid):
            self.samples.append((time.monotonic(), resident(self.pid)))
            time.sleep(self.every)

    def by_thirds(self) -> list[dict[str, int]]:
        """Return the highest memory in MB of runner, worker and kernel in each third."""
        size = max(1, len(self.samples) // 3)
        parts = [self.samples[start : start + size] for start in range(0, 3 * size, size)]
        return [
            {
                kind: max((sample.get(kind, 0) for _, sample in part), default=0)
                for kind in ("runner", "worker", "kernel")
            }
            for part in parts
        ]


def resident(pid: int) -> dict[str, int]:
    """Return the largest resident memory in MB of each kind of process below a runner."""
    largest: dict[str, int] = {}
    try:
        runner = psutil.Process(pid)
        processes = (runner, *runner.children(recursive=True))
    except psutil.Error:
        return largest
    for process in processes:
        # A process may end between two questions.
        with suppress(psutil.Error):
            kind = process_kind(process, runner)
            largest[kind] = max(largest.get(kind, 0), process.memory_info().rss // MEGABYTE)
    return largest


def process_kind(process: psutil.Process, runner: psutil.Process) -> str:
    """Say whether a process is the runner, a worker or a kernel; empty for helpers of theirs.

    What a worker has started is a kernel, or the server that its kernels are forked from.
    """
    if process.pid == runner.pid:
        return "runner"
    if _is_worker(process):
        return "worker"
    return "kernel" if any(_is_worker(parent) for parent in process.parents()) else ""


def _is_worker(process: psutil.Process) -> bool:
    return any("popen_loky" in part for part in process.cmdline())
