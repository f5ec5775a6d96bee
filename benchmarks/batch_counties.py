"""Counties for the benchmarks of batches, what a batch made of them, and the processes at work."""

import hashlib
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from toolkit.data.simulate import SimulationSettings, simulate_county  # noqa: E402
from toolkit.data.workbook import write_workbook  # noqa: E402

# Dask's profile of what a worker does grows with every unit.
WITHOUT_PROFILE = {"DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
MEGABYTE = 2**20
SMALLEST_SIMULATED = 20
KINDS = ("runner", "worker", "server", "kernel")


def write_counties(folder: Path, count: int, sizes: Sequence[int], *, broken: int = 0) -> dict[str, int]:
    """Write simulated counties of sizes in turn and return their numbers of schools by file.

    The last ones are broken, each in another way. A county of each size is simulated once with its years and
    its dirt, and written again under other codes and with other enrolments: the simulation would take longer
    than the reports.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    simulated = {size: _simulated(size, seed) for seed, size in enumerate(dict.fromkeys(sizes), start=1)}
    for number in range(1, count + 1):
        size = sizes[(number - 1) % len(sizes)]
        path = folder / f"county{number:03d}.xlsx"
        code, name = f"99{number:04d}", f"第{number}试验县"
        tables = _renumbered(simulated[size], number, code, name)
        write_workbook(path, tables, language="zh", county_id=code, county_name=name)
        written[path.name] = size
        if number > count - broken:
            break_workbook(path, (count - number) % 3)
    return written


def _simulated(n_schools: int, seed: int) -> Mapping[str, pd.DataFrame]:
    """Return the tables of a simulated county; of fewer schools than the simulation makes, the first."""
    settings = SimulationSettings(
        n_schools=max(SMALLEST_SIMULATED, n_schools), n_years=3, with_teachers=False, with_scores=False
    )
    tables = simulate_county(settings, seed=seed).county.tables
    if n_schools >= SMALLEST_SIMULATED:
        return tables
    register = tables["schools"]
    left, kept = (
        {value for name in ("school_id", "school_name") for value in part[name].dropna()}
        for part in (register[n_schools:], register[:n_schools])
    )
    gone = {name: table.isin(left - kept) for name, table in tables.items()}
    # Whatever names a school that is left out goes; of the register, only the cells that name it. Rotations
    # name schools as the office does, in many ways: they all go.
    cut = {name: table[~gone[name].any(axis=1)] for name, table in tables.items() if name != "rotations"}
    cut["schools"] = register.mask(gone["schools"])[:n_schools]
    return {name: table.reset_index(drop=True) for name, table in cut.items()}


def _renumbered(
    tables: Mapping[str, pd.DataFrame], number: int, code: str, name: str
) -> dict[str, pd.DataFrame]:
    """Return the tables of a county under another code and name, each school with some more pupils."""
    result = {}
    for key, table in tables.items():
        own = table.copy()
        own = own.assign(**{column: code for column in ("county_id",) if column in own})
        own = own.assign(**{column: name for column in ("county_name",) if column in own})
        if key == "school_years":
            own["enrolment_primary"] += number * (own["enrolment_primary"] > 0)
        result[key] = own
    return result


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
    """Return, by data file, the hash of each report as it lies on the disk, its state where none is done."""
    found = {}
    for status in statuses(reports):
        report = reports / status["report"]
        found[status["data"]] = _content(report) if status["state"] == "done" else status["state"]
    return found


def _content(report: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in report.rglob("*") if path.is_file() and path.name != "run-log.json"):
        digest.update(path.relative_to(report).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@contextmanager
def dask_cluster(workspace: Path, n_workers: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Start a scheduler and workers as processes of their own; give the address and their process numbers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    port = address.rpartition(":")[2]
    lines = [["scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"]]
    lines += [["worker", address, "--nthreads", "1", "--no-dashboard"]] * n_workers
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *line], env=environment(workspace) | WITHOUT_PROFILE, **quiet
        )
        for line in lines
    ]
    try:
        _wait_for_workers(address, n_workers)
        yield address, tuple(process.pid for process in processes)
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
    """Follows a batch: largest resident memory of each kind of process, and how many of it there are."""

    def __init__(self, runner: int, *workers: int, every: float = 0.5) -> None:
        super().__init__(daemon=True)
        self.roots = (runner, *workers)
        self.every = every
        self.began = time.monotonic()
        self.samples: list[tuple[float, dict[str, list[int]]]] = []

    def run(self) -> None:
        """Take samples until the runner ends."""
        while is_running(self.roots[0]):
            self.samples.append((time.monotonic() - self.began, self._sample()))
            time.sleep(self.every)

    def _sample(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for process, kind in batch_processes(*self.roots):
            # A process may end between two questions.
            with suppress(psutil.Error):
                found.setdefault(kind, []).append(process.memory_info().rss // MEGABYTE)
        return found

    def by_kind(self) -> dict[str, dict[str, float]]:
        """Return, of the largest process of each kind, peak and slope; and the peak of all together.

        The slope, in MB a minute, is that of a line through the largest process of each sample in the later
        two thirds of the run, when everything has been imported.
        """
        result = {}
        for kind in KINDS:
            largest = [(seconds / 60, max(found[kind])) for seconds, found in self.samples if kind in found]
            if not largest:
                continue
            late = largest[len(largest) // 3 :]
            slope = statistics.linear_regression(*zip(*late, strict=True)).slope if len(late) > 1 else 0.0
            peak = max(size for _, size in largest)
            result[kind] = {"peak MB": peak, "MB a minute": round(slope, 1)}
        together = (sum(map(sum, found.values())) for _, found in self.samples)
        return result | {"together": {"peak MB": max(together, default=0)}}


def is_running(pid: int) -> bool:
    """Say whether a process is there and not merely waiting to be collected."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def batch_processes(runner: int, *others: int) -> list[tuple[psutil.Process, str]]:
    """Return the processes of a batch with their kinds: of its runner, and of what others run."""
    found: dict[int, tuple[psutil.Process, str]] = {}
    for root in (runner, *others):
        with suppress(psutil.Error):
            for process in (psutil.Process(root), *psutil.Process(root).children(recursive=True)):
                with suppress(psutil.Error):
                    kind = "runner" if process.pid == runner else _kind(process)
                    if kind:
                        found[process.pid] = (process, kind)
    return list(found.values())


def _kind(process: psutil.Process) -> str:
    """Say by its command line what a process is; empty for helpers of joblib and of Dask.

    A warm kernel is a fork of its server and has the same command line, whose last word is the process that
    owns the server. That is the parent of the server and not of the kernel.
    """
    words = process.cmdline()
    line = " ".join(words)
    if "kernel_server" in line:
        return "server" if words[-1] == str(process.ppid()) else "kernel"
    if "ipykernel_launcher" in line:
        return "kernel"
    if "popen_loky" in line:
        return "worker"
    # Dask's: the process that is called "dask worker" watches over it.
    return "worker" if "multiprocessing.spawn" in line else ""
