"""Time and memory of variance components of 10^4 to 10^7 pupils from Parquet, beside other programs.

    python benchmarks/components.py [interpreter that has mixedlm-rs, pandas and pyarrow]

Pupils of 333 to a school in random order, with the columns of a table of scores. Every measurement is a new
process: imports are not timed, reading the file is. Two rounds, in each of which the programs run one after
the other, so that ratios compare what the machine did at one time. What takes longer than three minutes is
stopped. Ours sums the file per test and school, estimates the components and makes the exact interval, and
does the same from rows in memory; the others read two columns through pandas and estimate. Peak memory (MB)
is that of the whole process; what the imports alone take stands beside it. The difference of the ICC from
ours and the excess of the criterion over ours are printed.
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
RESULTS = Path(__file__).with_name("components.json")
SEED = 20172
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
PUPILS_PER_SCHOOL = 333
ROUNDS = 2
LONGEST = 180

MEASURE = """
import json, sys, time
{imports}
def peak_memory():
    # Not ru_maxrss: a child starts with that of its parent.
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM"))
start = peak_memory()
wall, processor = time.perf_counter(), time.process_time()
{work}
wall, processor = time.perf_counter() - wall, time.process_time() - processor
peak = peak_memory()
print(json.dumps(dict(wall=wall, processor=processor, imports=start, peak=peak, **values)))
"""
OWN = (
    """
from toolkit.models.icc_interval import icc_interval
from toolkit.models.random_intercept import fit_random_intercept, group_sums_from_moments
from toolkit.variation.score_files import read_score_moments
""",
    """
table = read_score_moments(sys.argv[1], threads={threads}).schools
read = time.perf_counter() - wall
sums = group_sums_from_moments(table["n"], table["mean"], table["within_ss"])
fit = fit_random_intercept(sums)
interval = icc_interval(sums)
values = dict(icc=fit.icc, criterion=fit.criterion, read=read, low=interval.low, high=interval.high)
""",
)
IN_MEMORY = (
    """
import pandas as pd
from toolkit.models.icc_interval import icc_interval
from toolkit.models.random_intercept import fit_random_intercept, group_sums
""",
    """
table = pd.read_parquet(sys.argv[1], columns=["school_id", "score"])
sums = group_sums(table["score"], table["school_id"])
fit = fit_random_intercept(sums)
interval = icc_interval(sums)
values = dict(icc=fit.icc, criterion=fit.criterion, low=interval.low, high=interval.high)
""",
)
MIXEDLM = (
    "import numpy as np, pandas as pd, warnings\n"
    "from statsmodels.regression.mixed_linear_model import MixedLM\n"
    "warnings.simplefilter('ignore')",
    """
table = pd.read_parquet(sys.argv[1], columns=["school_id", "score"])
fit = MixedLM(table["score"].to_numpy(), np.ones((len(table), 1)), table["school_id"].to_numpy()).fit()
between = float(np.ravel(fit.cov_re)[0])
values = dict(icc=between / (between + float(fit.scale)), criterion=-2 * float(fit.llf))
""",
)
MIXEDLM_RS = (
    "import numpy as np, pandas as pd\nfrom mixedlm_rs import MixedLM",
    MIXEDLM[1],
)


def main() -> int:
    """Measure, print and write `components.json`."""
    programs: dict[str, tuple[str, str, str]] = {
        "Junheng": (sys.executable, OWN[0], OWN[1].format(threads=1)),
        "Junheng, two threads": (sys.executable, OWN[0], OWN[1].format(threads=2)),
        "Junheng, rows in memory": (sys.executable, *IN_MEMORY),
        "statsmodels MixedLM": (sys.executable, *MIXEDLM),
    }
    if len(sys.argv) > 1:
        programs["mixedlm-rs"] = (sys.argv[1], *MIXEDLM_RS)
    results: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for pupils in SIZES:
            path = write_pupils(Path(folder) / f"{pupils}.parquet", pupils)
            stopped: set[str] = set()
            for number in range(ROUNDS):
                rows = {name: measured(*work, path) for name, work in programs.items() if name not in stopped}
                stopped |= {name for name, row in rows.items() if row is None}
                results += compared(rows, pupils, number + 1)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def compared(rows: dict[str, dict[str, float] | None], pupils: int, number: int) -> list[dict[str, object]]:
    """Print and return the programs of a round beside ours."""
    own = rows["Junheng"]
    assert own is not None
    found: list[dict[str, object]] = []
    for name, row in rows.items():
        entry: dict[str, object] = {"pupils": pupils, "round": number, "program": name}
        if row is None:
            entry["stopped_after"] = LONGEST
        else:
            entry |= row | {
                "wall_ratio": row["wall"] / own["wall"],
                "processor_ratio": row["processor"] / own["processor"],
                "icc_difference": abs(row["icc"] / own["icc"] - 1),
                "criterion_excess": row["criterion"] - own["criterion"],
            }
        print({key: round(x, 9) if isinstance(x, float) else x for key, x in entry.items()}, flush=True)
        found.append(entry)
    return found


def write_pupils(path: Path, pupils: int) -> Path:
    """Write a file of pupils with a true ICC of 0.2."""
    rng = np.random.default_rng([SEED, pupils])
    schools = pupils // PUPILS_PER_SCHOOL
    school = rng.integers(0, schools, pupils)
    score = 50 + 9 * (
        np.sqrt(0.2) * rng.standard_normal(schools)[school] + np.sqrt(0.8) * rng.standard_normal(pupils)
    )
    names = pa.array([f"{number:06d}" for number in range(schools)])
    column = pa.DictionaryArray.from_arrays(pa.array(school), names).cast(pa.string())
    fixed = {"year": 2025, "grade": 5.0, "subject": "mathematics", "test": "期末", "full_mark": 100.0}
    same = {name: pa.repeat(pa.scalar(value), pupils) for name, value in fixed.items()}
    pq.write_table(pa.table({"school_id": column, "score": score, **same}), path)
    return path


def measured(interpreter: str, imports: str, work: str, path: Path) -> dict[str, float] | None:
    """Return the measures of a new process; none when it was stopped."""
    command = [interpreter, "-c", MEASURE.format(imports=imports, work=work), str(path)]
    try:
        output = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        return None
    return json.loads(output.stdout.splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
