"""Seconds to read and check a county of 300 schools and 10 years, against a plain read of the same file.

    python benchmarks/reading.py

The plain read gives every sheet of the workbook as Python lists with calamine and does nothing with
them. Wall and processor seconds are the least of three repetitions in one process, after one that is not
counted.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from python_calamine import CalamineWorkbook

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from toolkit.data.checks import check_county  # noqa: E402
from toolkit.data.county import Reading  # noqa: E402
from toolkit.data.reading import load_county  # noqa: E402
from toolkit.data.simulate import SimulationSettings, simulate_county, write_county  # noqa: E402

SEED = 1
REPETITIONS = 3
SETTINGS = SimulationSettings(
    n_schools=300, first_year=2016, n_years=10, with_teachers=False, with_scores=False
)
RESULTS = Path(__file__).with_name("reading.json")


def main() -> int:
    """Measure, print and write `reading.json`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "county.xlsx"
        write_county(simulate_county(SETTINGS, seed=SEED), path)
        reading = load_county(path)
        result: dict[str, object] = {
            "schools": SETTINGS.n_schools,
            "years": SETTINGS.n_years,
            "rows": {name: len(table) for name, table in reading.county.tables.items()},
            "megabytes": round(path.stat().st_size / 1e6, 2),
        }
        steps: dict[str, Callable[[], object]] = {
            "plain": lambda: plain_read(path),
            "read": lambda: load_county(path),
            "check": lambda: check_county(reading),
            "read and check": lambda: read_and_check(path),
        }
        for name, step in steps.items():
            result[name] = measured(step)
            print(name, result[name], flush=True)
    plain, both = result["plain"], result["read and check"]
    assert isinstance(plain, dict)
    assert isinstance(both, dict)
    result["ratio"] = {kind: round(both[kind] / plain[kind], 2) for kind in plain}
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print("ratio", result["ratio"])
    return 0


def plain_read(path: Path) -> None:
    """Turn every sheet into lists of cells."""
    book = CalamineWorkbook.from_path(str(path))
    for name in book.sheet_names:
        book.get_sheet_by_name(name).to_python(skip_empty_area=False)


def read_and_check(path: Path) -> Reading:
    """Read the county and run all checks, as `junheng check` does."""
    reading = load_county(path)
    check_county(reading)
    return reading


def measured(step: Callable[[], object]) -> dict[str, float]:
    """Return the least wall and processor seconds of a step."""
    walls, processors = [], []
    for repetition in range(REPETITIONS + 1):
        wall, processor = time.perf_counter(), time.process_time()
        step()
        if repetition:
            walls.append(time.perf_counter() - wall)
            processors.append(time.process_time() - processor)
    return {"wall": round(min(walls), 2), "processor": round(min(processors), 2)}


if __name__ == "__main__":
    sys.exit(main())
