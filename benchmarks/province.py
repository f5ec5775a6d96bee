"""Time and peak memory of pools and of the scores of a province.

    python benchmarks/province.py [pupil rows of the largest file, 100000000 by default]

Every measurement is a new process; imports are not timed, peak memory (VmHWM, MB) is that of the whole
process. Counties are simulated (60 schools, 5 years, with teachers and scores). Rows of scores lie in the
order of the counties, as a pool has them, 100 schools to a county.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).with_name("province.json")
COUNTIES = (5, 30)
PUPIL_ROWS = (10_000_000, 30_000_000)
LARGEST = 100_000_000
CHUNK = 1_000_000
SCHOOLS = 100
COUNTIES_OF_SCORES = 100
ROWS_PER_GROUP = 120_000
SEED = 83

MEASURE = """
import json, sys, time
from pathlib import Path
{imports}
def peak_memory():
    # Not ru_maxrss: a child starts with that of its parent.
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM"))
start = peak_memory()
wall, processor = time.perf_counter(), time.process_time()
{work}
wall, processor = time.perf_counter() - wall, time.process_time() - processor
print(json.dumps(dict(wall=round(wall, 2), processor=round(processor, 2), imports=round(start),
                      peak=round(peak_memory()))))
"""
SIMULATE = """
from dataclasses import replace
from toolkit.data.simulate import SimulationSettings, simulate_county, write_county
for number in range(1, int(sys.argv[2]) + 1):
    settings = SimulationSettings(county_number=number, n_years=5, pupils_per_grade=20)
    write_county(simulate_county(settings, seed=1), Path(sys.argv[1]) / f"{settings.county_id}.xlsx")
"""
POOL_IMPORTS = "from toolkit.data.pool import build_pool\nfrom toolkit.data.pool_inputs import find_inputs"
READ_IMPORTS = "from toolkit.data.reading import list_counties, load_counties, load_county"
STEPS = {
    "pool": (
        POOL_IMPORTS,
        "Path(sys.argv[2]).mkdir(); build_pool(find_inputs(Path(sys.argv[1])), Path(sys.argv[2]))",
    ),
    "one county from its workbook": (READ_IMPORTS, "load_county(Path(sys.argv[1]) / '990101.xlsx')"),
    "one county from the pool": (READ_IMPORTS, "load_county(Path(sys.argv[2]), county='990101')"),
    "all counties, one by one": (
        READ_IMPORTS,
        "for code in list_counties(Path(sys.argv[2]))['county_id']:\n"
        "    load_county(Path(sys.argv[2]), county=code)",
    ),
    "all counties, one scan": (
        READ_IMPORTS,
        "pool = Path(sys.argv[2])\nfound = list(load_counties(pool, list(list_counties(pool)['county_id'])))",
    ),
    "tables of the province": (
        "from toolkit.reporting.province_page import analyse_pool\n"
        "from toolkit.standards import load_standard",
        "analyse_pool(Path(sys.argv[2]), load_standard('national_2017'))",
    ),
}
SCORES = (
    "from toolkit.variation.score_files import read_score_moments",
    "read_score_moments(sys.argv[1], by=['county_id'], memory_limit=sys.argv[2])",
)


def main() -> int:
    """Measure, print and write `province.json`."""
    largest = int(float(sys.argv[1])) if len(sys.argv) > 1 else LARGEST
    results: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for count in COUNTIES:
            source, pool = Path(folder) / f"in-{count}", Path(folder) / f"pool-{count}"
            source.mkdir()
            measured("", SIMULATE, str(source), str(count))
            for name, (imports, work) in STEPS.items():
                results.append(
                    {"step": name, "counties": count, **measured(imports, work, str(source), str(pool))}
                )
                print(results[-1], flush=True)
        for rows in sorted({*(size for size in PUPIL_ROWS if size < largest), largest}):
            path = write_scores(Path(folder) / "scores.parquet", rows)
            for limit in ("1GB", "400MB"):
                found = measured(*SCORES, str(path), limit)
                results.append({"step": "scores", "rows": rows, "memory_limit": limit, **found})
                print(results[-1], flush=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def write_scores(path: Path, rows: int) -> Path:
    """Write rows of scores, county after county."""
    rng = np.random.default_rng(SEED)
    subjects = pa.array(["chinese", "mathematics", "english"])
    writer = None
    for first in range(0, rows, CHUNK):
        size, county = min(CHUNK, rows - first), first // CHUNK % COUNTIES_OF_SCORES
        names = pa.array([f"99{county:04d}{school:04d}" for school in range(SCHOOLS)])
        school = pa.array(np.sort(rng.integers(0, SCHOOLS, size)))
        table = pa.table(
            {
                "county_id": pa.repeat(pa.scalar(f"99{county:04d}"), size),
                "year": rng.integers(2021, 2026, size),
                "grade": rng.choice([4.0, 5.0, 8.0], size),
                "subject": pa.DictionaryArray.from_arrays(
                    pa.array(rng.integers(0, len(subjects), size)), subjects
                ).cast(pa.string()),
                "test": pa.repeat(pa.scalar("期末"), size),
                "school_id": pa.DictionaryArray.from_arrays(school, names).cast(pa.string()),
                "score": np.round(np.clip(70 + 12 * rng.standard_normal(size), 0, 100), 1),
                "full_mark": np.full(size, 100.0),
                "absent": rng.random(size) < 0.01,
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=ROWS_PER_GROUP)
    assert writer is not None
    writer.close()
    return path


def measured(imports: str, work: str, *arguments: str) -> dict[str, float]:
    """Return the measures of a new process."""
    command = [sys.executable, "-c", MEASURE.format(imports=imports, work=work), *arguments]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(output.stdout.splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
