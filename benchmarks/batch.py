"""Reports per minute of a batch, by loky and by Dask, against command lines in sequence and the floor.

    python benchmarks/batch.py [COUNTIES] [SAMPLE] [CHAPTERS ...]

Counties of mixed sizes are simulated, the last three broken in different ways. The whole is run by loky with
two workers and by a Dask scheduler with two worker processes over tcp on loopback: hashes must be equal, and
three units failed with reasons. On the first SAMPLE counties, in the same run, are measured

(a) `papermill` and `jupyter nbconvert` command lines, one after another, on the same notebooks, and
(b) the floor: the notebooks' cells in a process that has imported everything and is forked for each county,
    two at a time, pictures included, with no kernel, page or record.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
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

from toolkit.reporting.parameters import NOTEBOOKS

BROKEN = 3
WORKERS = 2
RESULTS = Path(__file__).with_name("batch.json")


def main(arguments: list[str]) -> int:
    """Measure, print and write `batch.json`."""
    count = int(arguments[0]) if arguments else 100
    sample = int(arguments[1]) if len(arguments) > 1 else 4
    chapters = arguments[2:]
    only = [part for chapter in chapters for part in ("--only", chapter)]
    result: dict[str, Any] = {"counties": count, "workers": WORKERS, "chapters": chapters or "all"}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        data = place / "data"
        write_counties(data, count, broken=BROKEN)
        result["loky"] = batch(place, "loky", "--jobs", str(WORKERS), *only)
        print(result["loky"], flush=True)
        with dask_cluster(place, WORKERS) as address:
            result["dask"] = batch(place, "dask", "--dask", address, *only)
        print(result["dask"], flush=True)
        by_loky, by_dask = hashes(place / "loky"), hashes(place / "dask")
        result["equal hashes"] = sum(by_dask.get(name) == value for name, value in by_loky.items())
        result["failures"] = {
            status["data"]: status["reasons"][0]["en"]
            for status in statuses(place / "loky")
            if status["state"] == "failed"
        }
        workbooks = sorted(data.glob("*.xlsx"))[:sample]
        notebooks = [name for name in NOTEBOOKS if not chapters or name[:2] in chapters]
        result["command lines"] = per_minute(len(workbooks), command_lines(place, workbooks, notebooks))
        print(result["command lines"], flush=True)
        result["floor"] = per_minute(len(workbooks), floor(place, workbooks, notebooks))
    own = result["loky"]["per minute"]
    result["times command lines"] = round(own / result["command lines"]["per minute"], 2)
    result["times floor"] = round(result["floor"]["per minute"] / own, 2)
    RESULTS.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1, ensure_ascii=False))
    return 0 if result["equal hashes"] == count and len(result["failures"]) == BROKEN else 1


def batch(place: Path, name: str, *options: str) -> dict[str, Any]:
    """Run a batch; return its pace, its pace by halves of its counties, and its memory by thirds."""
    clock = time.monotonic()
    runner = subprocess.Popen(
        command(place / "data", place / name, *options),
        env=environment(place),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watch = MemoryWatch(runner.pid)
    watch.start()
    ended = [time.monotonic() - clock for line in runner.stdout or () if " done, " in line and "left" in line]
    runner.wait()
    seconds = time.monotonic() - clock
    half = len(ended) // 2
    halves = (ended[half - 1], ended[-1] - ended[half - 1]) if half else (seconds, seconds)
    return {
        **per_minute(len(ended), seconds),
        "seconds of halves": [round(part, 1) for part in halves],
        "MB by thirds": watch.by_thirds(),
        "exit code": runner.returncode,
    }


def per_minute(reports: int, seconds: float) -> dict[str, float]:
    """Return a pace."""
    return {"reports": reports, "seconds": round(seconds, 1), "per minute": round(60 * reports / seconds, 2)}


def command_lines(place: Path, workbooks: list[Path], notebooks: list[str]) -> float:
    """Return the seconds of papermill and nbconvert as commands, one notebook after another."""
    clock = time.monotonic()
    for workbook in workbooks:
        for name in notebooks:
            folder = place / "lines" / workbook.stem
            folder.mkdir(parents=True, exist_ok=True)
            executed = folder / f"{name}.ipynb"
            results = folder / "results" / name
            parameters = ["-p", "data_path", str(workbook), "-p", "results_dir", str(results)]
            source = str(ROOT / "notebooks" / f"{name}.ipynb")
            run(
                "papermill",
                source,
                str(executed),
                *parameters,
                "-k",
                "python3",
                "--no-progress-bar",
                place=place,
            )
            run("jupyter", "nbconvert", "--to", "html", str(executed), place=place)
    return time.monotonic() - clock


def run(module: str, *arguments: str, place: Path) -> None:
    """Run a command of the environment of this interpreter."""
    subprocess.run(
        [sys.executable, "-m", module, *arguments], env=environment(place), capture_output=True, check=True
    )


def floor(place: Path, workbooks: list[Path], notebooks: list[str]) -> float:
    """Return the seconds of the cells alone: a fork of this warm process for each county, two at a time."""
    os.environ.update(environment(place))
    sources = {name: _code(name) for name in notebooks}
    for cells in sources.values():
        _import(cells)
    clock = time.monotonic()
    waiting, running = list(workbooks), set()
    while waiting or running:
        while waiting and len(running) < WORKERS:
            workbook = waiting.pop()
            pid = os.fork()
            if pid == 0:
                _execute(workbook, sources, place / "floor" / workbook.stem)
                os._exit(0)
            running.add(pid)
        pid, status = os.wait()
        running.discard(pid)
        if status:
            raise RuntimeError(f"a county of the floor ended with {status}")
    return time.monotonic() - clock


def _code(name: str) -> list[Any]:
    cells = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4).cells
    return [cell for cell in cells if cell.cell_type == "code"]


def _import(cells: list[Any]) -> None:
    for cell in cells:
        if cell.source.startswith(("from ", "import ")):
            exec(cell.source, {})


def _execute(workbook: Path, sources: dict[str, list[Any]], folder: Path) -> None:
    """Execute the cells of all notebooks, and make what each would show."""
    import ast

    for name, cells in sources.items():
        names: dict[str, Any] = {}
        for cell in cells:
            tree = ast.parse(cell.source)
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, name, "exec"), names)
            if "parameters" in cell.metadata.get("tags", []):
                names |= {"data_path": str(workbook), "results_dir": str(folder / name)}
            if isinstance(last, ast.Expr):
                shown = eval(compile(ast.Expression(last.value), name, "eval"), names)  # noqa: S307
                if hasattr(shown, "_repr_html_"):
                    shown._repr_html_()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
