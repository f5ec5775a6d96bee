"""Reports per minute of a batch, by loky and by Dask, against command lines in sequence and the floor.

    python benchmarks/batch.py [--counties 100] [--sizes 20 30 40] [--broken 3] [--only 01 ...]
                               [--dask 8] [--lines 4] [--floor 48] [--seconds-for-lines 600]

Counties of mixed sizes are simulated, the last ones broken in different ways. The batch of all is run by loky
with two workers; the first `--dask` of its counties and the broken ones again by a Dask scheduler with two
worker processes over tcp on loopback, which must give equal hashes. Right after the first batch, on the first
counties, which are in the same proportion of sizes, and with the notebooks that it ran for them, are measured
(the pace of a shared machine changes by a fifth within minutes: the floor needs many counties, too)

(a) `papermill` and `jupyter nbconvert` command lines, one after another, for each notebook, and
(b) the floor: a process that has imported everything is forked for each county, two at a time; each fork
    reads and checks the data, runs the notebooks' cells and turns what they show into HTML and pictures, but
    has no kernel, page or record. The reading is given by itself, too.

Sizes are the same for all, so paces are compared as they are. `batch.json` says what was a subset.
"""

import argparse
import ast
import gc
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
from batch_counties import (
    ROOT,
    MemoryWatch,
    command,
    dask_cluster,
    environment,
    hashes,
    statuses,
    write_counties,
)

from toolkit.reporting.kernel_preload import preload
from toolkit.reporting.opened import hand_over
from toolkit.reporting.record import NotebookOutcome, load_record
from toolkit.reporting.run import ANNUAL_REPORT, parameter_records
from toolkit.reporting.saved_results import record_outcome
from toolkit.reporting.study import open_study, opened_data

WORKERS = 2
READING_FILE = "seconds-of-reading"
PROGRESS = re.compile(r"(\d+) done, (\d+) failed, (\d+) left")
RESULTS = Path(__file__).with_name("batch.json")


@dataclass(frozen=True, slots=True)
class Sample:
    """Counties whose notebooks are run by others than the batch."""

    workbooks: tuple[Path, ...]
    sizes: Mapping[str, int]
    notebooks: Mapping[str, tuple[str, ...]]


def main(arguments: list[str]) -> int:
    """Measure, print and write `batch.json`."""
    asked = _parsed(arguments)
    only = [part for chapter in asked.only for part in ("--only", chapter)]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        sizes = write_counties(place / "all", asked.counties, asked.sizes, broken=asked.broken)
        whole = sorted(sizes)[: asked.counties - asked.broken]
        result: dict[str, Any] = {
            "counties": asked.counties,
            "broken": asked.broken,
            "schools of counties in turn": asked.sizes,
            "notebooks asked for": asked.only or "all",
            "workers": WORKERS,
        }
        _tell(result, "loky", batch(place, "all", "loky", "--jobs", str(WORKERS), *only))
        result["loky"]["seconds a county by schools"] = by_size(units(place / "loky"), sizes)
        _tell(
            result,
            "failures",
            {each["data"]: each["reasons"][0]["en"] for each in statuses(place / "loky") if each["reasons"]},
        )
        own = {"loky": result["loky"]["steady reports a minute"], "with start": _pace(result["loky"])}
        for key, count, measure in (("floor", asked.floor, floor), ("command lines", asked.lines, lines)):
            if not count:
                continue
            chosen = sample(place, whole[:count], sizes)
            _tell(result, key, measured(place, chosen, asked, measure))
            if measure is floor:
                taken = [float(path.read_text()) for path in (place / "floor").glob(f"*/{READING_FILE}")]
                _tell(result[key], "seconds of reading a county", round(sum(taken) / len(taken), 2))
            pace = _pace(result[key])
            result[key]["ours / this, steady"] = round(own["loky"] / pace, 2)
            result[key]["ours / this, with start"] = round(own["with start"] / pace, 2)
        if asked.dask:
            _tell(result, "dask", dask(place, whole[: asked.dask], sorted(sizes)[len(whole) :], only))
            by_loky, by_dask = hashes(place / "loky"), hashes(place / "dask")
            result["dask"]["equal hashes"] = sum(by_loky[name] == value for name, value in by_dask.items())
            result["dask"]["counties"] = f"the first {min(asked.dask, len(whole))} and the broken ones"
    RESULTS.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1, ensure_ascii=False))
    equal = not asked.dask or result["dask"]["equal hashes"] == min(asked.dask, len(whole)) + asked.broken
    return 0 if equal and len(result["failures"]) == asked.broken else 1


def _parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--counties", type=int, default=100)
    parser.add_argument("--sizes", type=int, nargs="+", default=[8, 12, 20, 30])
    parser.add_argument("--broken", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=[], help="numbers of notebooks; all by default")
    parser.add_argument("--dask", type=int, default=8, help="counties run by Dask, too")
    parser.add_argument("--lines", type=int, default=4, help="counties run by command lines")
    parser.add_argument("--floor", type=int, default=48, help="counties of the floor")
    parser.add_argument("--seconds-for-lines", type=float, default=600, help="begin no county after these")
    return parser.parse_args(arguments)


def _tell(result: dict[str, Any], key: str, value: Any) -> None:
    result[key] = value
    print(key, json.dumps(value, ensure_ascii=False), flush=True)


def _pace(figures: Mapping[str, Any]) -> float:
    return 60 * figures["reports"] / figures["seconds"]


def batch(place: Path, data: str, reports: str, *options: str, others: Sequence[int] = ()) -> dict[str, Any]:
    """Run a batch; return its pace and its memory."""
    clock = time.monotonic()
    runner = subprocess.Popen(
        command(place / data, place / reports, *options),
        env={**environment(place), "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    watch = MemoryWatch(runner.pid, *others)
    watch.start()
    ended: list[float] = []
    lines = []
    for line in runner.stdout or ():
        lines.append(line)
        told = PROGRESS.search(line)
        if told and int(told[1]) > len(ended):
            ended.append(time.monotonic() - clock)
    runner.wait()
    seconds = time.monotonic() - clock
    watch.join()
    if runner.returncode not in (0, 4) or not ended:
        raise RuntimeError("".join(lines))
    # From the end of the first unit of each worker on; a batch of so few units has no steady state.
    first = WORKERS - 1 if len(ended) > WORKERS else -1
    steady = ended[-1] - (ended[first] if first >= 0 else 0.0)
    return {
        "reports": len(ended),
        "seconds": round(seconds, 1),
        "reports a minute with start": round(60 * len(ended) / seconds, 2),
        "steady reports a minute": round(60 * (len(ended) - first - 1) / steady, 2),
        "seconds until the first report": round(ended[0], 1),
        "seconds a report, by quarter": by_quarter(ended),
        "memory": watch.by_kind(),
        "exit code": runner.returncode,
    }


def by_quarter(ended: Sequence[float]) -> list[float]:
    """Return the seconds a report in each quarter of the reports: equal ones say that the time is linear."""
    marks = [round(quarter * (len(ended) - 1) / 4) for quarter in range(5)]
    return [
        round((ended[last] - ended[first]) / (last - first), 2)
        for first, last in pairwise(marks)
        if last > first
    ]


def dask(place: Path, names: Sequence[str], broken: Sequence[str], only: Sequence[str]) -> dict[str, Any]:
    """Run some of the counties, and the broken ones, by Dask."""
    few = place / "few"
    few.mkdir()
    for name in (*names, *broken):
        shutil.copyfile(place / "all" / name, few / name)
    with dask_cluster(place, WORKERS) as (address, processes):
        return batch(place, "few", "dask", "--dask", address, *only, others=processes)


def units(reports: Path) -> list[tuple[str, float]]:
    """Return file and seconds of each unit that is done."""
    return [(each["data"], each["seconds"]) for each in statuses(reports) if each["state"] == "done"]


def by_size(found: Sequence[tuple[str, float]], sizes: Mapping[str, int]) -> dict[str, float]:
    """Return the mean seconds of a county by its number of schools."""
    grouped: dict[int, list[float]] = {}
    for name, seconds in found:
        grouped.setdefault(sizes[name], []).append(seconds)
    return {str(size): round(sum(own) / len(own), 2) for size, own in sorted(grouped.items())}


def sample(place: Path, names: Sequence[str], sizes: Mapping[str, int]) -> Sample:
    """Return the first counties with the notebooks that the batch ran for each."""
    done = {}
    for status in statuses(place / "loky"):
        if status["data"] in names and status["report"]:
            record = load_record(place / "loky" / status["report"])
            done[status["data"]] = tuple(own.notebook for own in record.notebooks if own.status == "done")
    return Sample(tuple(place / "all" / name for name in names), sizes, done)


Measure = Callable[[Path, Sample, float], tuple[float, list[tuple[str, float]]]]


def measured(place: Path, chosen: Sample, asked: argparse.Namespace, measure: Measure) -> dict[str, Any]:
    """Return the pace of another way to run the same notebooks."""
    seconds, each = measure(place, chosen, asked.seconds_for_lines)
    return {
        "reports": len(each),
        "seconds": round(seconds, 1),
        "reports a minute": round(60 * len(each) / seconds, 2),
        "counties": f"the first {len(each)} of {asked.counties}",
        "notebooks": sorted({name for own in chosen.notebooks.values() for name in own}),
        "seconds a county by schools": by_size(each, chosen.sizes),
    }


def lines(place: Path, chosen: Sample, limit: float) -> tuple[float, list[tuple[str, float]]]:
    """Give papermill and nbconvert as commands, one notebook after another; of each county the seconds."""
    began = time.monotonic()
    each = []
    for workbook in chosen.workbooks:
        clock = time.monotonic()
        if clock - began > limit:
            break
        folder = place / "lines" / workbook.stem
        folder.mkdir(parents=True)
        for name in chosen.notebooks[workbook.name]:
            executed = folder / f"{name}.ipynb"
            results = folder / "results"
            source = str(ROOT / "notebooks" / f"{name}.ipynb")
            parameters = ["-p", "data_path", str(workbook), "-p", "results_dir", str(results / name)]
            run(place, "papermill", source, str(executed), *parameters, "--no-progress-bar")
            run(place, "jupyter", "nbconvert", "--to", "html", str(executed))
            record_outcome(results, NotebookOutcome(name, "done", ""))
        each.append((workbook.name, time.monotonic() - clock))
    return time.monotonic() - began, each


def run(place: Path, program: str, *arguments: str) -> None:
    """Run a command of the environment of this interpreter, as typed on its command line."""
    found = shutil.which(program, path=str(Path(sys.executable).parent))
    called = [found] if found else [sys.executable, "-m", program]
    ended = subprocess.run(
        [*called, *arguments], env=environment(place), capture_output=True, check=False, text=True
    )
    if ended.returncode:
        raise RuntimeError(ended.stderr)


def floor(place: Path, chosen: Sample, _: float) -> tuple[float, list[tuple[str, float]]]:
    """Run the cells alone in forks of this process, two at a time; of each county the seconds."""
    os.environ |= {**environment(place), "MPLBACKEND": "agg"}
    names = {name for own in chosen.notebooks.values() for name in own}
    sources = {name: _code(name) for name in names}
    preload()
    gc.collect()
    gc.freeze()
    began = time.monotonic()
    each: list[tuple[str, float]] = []
    waiting, running = list(chosen.workbooks), {}
    while waiting or running:
        while waiting and len(running) < WORKERS:
            workbook = waiting.pop(0)
            cells = {name: sources[name] for name in chosen.notebooks[workbook.name]}
            pid = _forked(workbook, cells, place / "floor" / workbook.stem)
            running[pid] = (workbook.name, time.monotonic())
        pid, status = os.wait()
        name, clock = running.pop(pid)
        each.append((name, time.monotonic() - clock))
        if status:
            raise RuntimeError(f"{name} ended with {status}")
    return time.monotonic() - began, each


def _forked(workbook: Path, cells: Mapping[str, Sequence[Any]], folder: Path) -> int:
    """Run the cells of one county in a fork of this process; return its number."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        clock = time.monotonic()
        records = parameter_records({"data_path": str(workbook)})
        study = open_study(records[ANNUAL_REPORT])
        _ = study.problems
        with hand_over(opened_data(study)):
            folder.mkdir(parents=True)
            (folder / READING_FILE).write_text(str(time.monotonic() - clock))
            for name, own in cells.items():
                _execute(own, {"data_path": str(workbook), "results_dir": str(folder / name)})
                record_outcome(folder, NotebookOutcome(name, "done", ""))
        code = 0
    except BaseException:  # noqa: BLE001 - nothing may come back into the loop of the parent.
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _code(name: str) -> list[Any]:
    cells = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4).cells
    return [cell for cell in cells if cell.cell_type == "code"]


def _execute(cells: Sequence[Any], parameters: Mapping[str, str]) -> None:
    """Execute the cells of a notebook, and make what each would show."""
    names: dict[str, Any] = {}
    for cell in cells:
        tree = ast.parse(cell.source)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "cell", "exec"), names)
        if "parameters" in cell.metadata.get("tags", []):
            names |= parameters
        if isinstance(last, ast.Expr):
            shown = eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307
            if hasattr(shown, "_repr_html_"):
                shown._repr_html_()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
