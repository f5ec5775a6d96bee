"""Wall time of a report against the least it could take, and the size of its pages.

    python benchmarks/report.py

The floor is what no arrangement of the same work can avoid: one kernel start, the imports of all
notebooks, and their cells, pictures included, in one process. The run has more: a kernel for each
notebook, imports for each, its own reading of the data, the pages, the record. Both are measured in
turn, twice; the least counts. Pages are those of a county of 300 schools and 10 years.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from jupyter_client.manager import start_new_kernel

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from toolkit.data.simulate import SimulationSettings, simulate_county, write_county  # noqa: E402

SEED = 1
REPETITIONS = 2
LARGE = SimulationSettings(n_schools=300, first_year=2016, n_years=10, with_teachers=False, with_scores=False)
RESULTS = Path(__file__).with_name("report.json")
CELLS = "cells"


def main(arguments: list[str]) -> int:
    """Measure, print and write `report.json`; with `cells`, execute the cells and print their seconds."""
    if arguments == [CELLS]:
        print(json.dumps(execute_cells()))
        return 0
    floors, runs = [], []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for repetition in range(REPETITIONS):
            floors.append(floor())
            runs.append(run(place, "demo", "--output", place / f"demo{repetition}"))
            print(floors[-1], runs[-1], flush=True)
        workbook = place / "county.xlsx"
        write_county(simulate_county(LARGE, seed=SEED), workbook)
        large = run(place, "run", workbook, "--output", place / "large")
    least_floor, least_run = (min(each, key=lambda one: one["wall"]) for each in (floors, runs))
    result = {
        "floor": least_floor,
        "run": least_run,
        "ratio": {kind: round(least_run[kind] / least_floor[kind], 2) for kind in ("wall", "processor")},
        "county of 300 schools": large,
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
    return 0


def floor() -> dict[str, float]:
    """Return the seconds of one kernel start, of the imports, and of the cells in one process."""
    before, clock = os.times(), time.perf_counter()
    manager, client = start_new_kernel()
    kernel = time.perf_counter() - clock
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    told = subprocess.run(
        [sys.executable, __file__, CELLS], capture_output=True, text=True, check=True, env=environment(ROOT)
    )
    parts = {"kernel": round(kernel, 2)} | json.loads(told.stdout.splitlines()[-1])
    return parts | {"wall": round(sum(parts.values()), 2), "processor": processor_seconds(before)}


def execute_cells() -> dict[str, float]:
    """Execute the code cells of all notebooks in this process; return the seconds of imports and of work."""
    seconds = {"imports": 0.0, "work": 0.0}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        names: dict[str, object] = {}
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type != "code":
                continue
            clock = time.perf_counter()
            execute(cell.source, names)
            kind = "imports" if cell.source.startswith(("from ", "import ")) else "work"
            seconds[kind] += time.perf_counter() - clock
    return {kind: round(value, 2) for kind, value in seconds.items()}


def execute(source: str, names: dict[str, object]) -> None:
    """Execute a cell, and make the picture or table of its last expression as the notebook would."""
    code, last = source.rstrip(), ""
    lines = code.splitlines()
    if lines and lines[-1].startswith(("study.", "variation_", "verdict_", "quality_")):
        code, last = "\n".join(lines[:-1]), lines[-1]
    exec(code, names)
    shown = eval(last, names) if last else None  # noqa: S307
    if hasattr(shown, "_repr_html_"):
        shown._repr_html_()


def run(place: Path, *arguments: object) -> dict[str, float]:
    """Return the wall and processor seconds of one command, and the size of its pages in kilobytes."""
    before, clock = os.times(), time.perf_counter()
    subprocess.run(
        [sys.executable, ROOT / "junheng_command.py", *map(str, arguments)],
        check=True,
        capture_output=True,
        env=environment(place),
    )
    wall, processor = time.perf_counter() - clock, processor_seconds(before)
    pages = Path(str(arguments[-1])).rglob("*.html")
    sizes = {f"{page.name} kB": round(page.stat().st_size / 1000) for page in sorted(pages)}
    return {"wall": round(wall, 2), "processor": processor, **sizes}


def processor_seconds(before: os.times_result) -> float:
    """Return the processor seconds that child processes have used since."""
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return round(used, 2)


def environment(workspace: Path) -> dict[str, str]:
    """Return the environment of a process that writes into a workspace of its own."""
    return os.environ | {"JUNHENG_WORKSPACE": str(workspace), "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
