"""Time and memory of variance components of 10^5, 10^6 and 10^7 pupils from Parquet, beside other programs.

    python benchmarks/components.py [interpreter that has mixedlm-rs, pandas and pyarrow]

Pupils of 333 to a school in random order, with the score as a floating-point number. Every measurement is
a new process: imports are not timed, reading the file is. Of three repetitions the least is taken, of the
other programs one. Peak memory (MB) is that of the whole process; what the imports alone take stands beside
it. The difference of the ICC from ours and the excess of the criterion over ours are printed.
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
SIZES = (100_000, 1_000_000, 10_000_000)
PUPILS_PER_SCHOOL = 333
SLOWEST_MIXEDLM = 1_000_000

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
from toolkit.models.grouped_sums import load_group_moments
from toolkit.models.icc_interval import icc_interval
from toolkit.models.random_intercept import fit_random_intercept, group_sums_from_moments
""",
    """
table = load_group_moments(sys.argv[1], outcome="score", by="school_id", threads={threads})
read = time.perf_counter() - wall
sums = group_sums_from_moments(table["n"], table["mean"], table["within_ss"])
fit = fit_random_intercept(sums)
interval = icc_interval(sums)
values = dict(icc=fit.icc, criterion=fit.criterion, read=read, low=interval.low, high=interval.high)
""",
)
MIXEDLM = (
    "import numpy as np, pandas as pd, warnings\n"
    "from statsmodels.regression.mixed_linear_model import MixedLM\n"
    "warnings.simplefilter('ignore')",
    """
table = pd.read_parquet(sys.argv[1])
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
    peer = sys.argv[1] if len(sys.argv) > 1 else None
    results: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for pupils in SIZES:
            path = write_pupils(Path(folder) / f"{pupils}.parquet", pupils)
            rows = {
                "one thread": measured(sys.executable, OWN[0], OWN[1].format(threads=1), path, 3),
                "two threads": measured(sys.executable, OWN[0], OWN[1].format(threads=2), path, 3),
            }
            if pupils <= SLOWEST_MIXEDLM:
                rows["statsmodels MixedLM"] = measured(sys.executable, *MIXEDLM, path, 1)
            if peer:
                rows["mixedlm-rs"] = measured(peer, *MIXEDLM_RS, path, 1)
            own = rows["one thread"]
            for name, row in rows.items():
                row["ratio"] = round(row["wall"] / own["wall"], 1)
                row["icc_difference"] = abs(row["icc"] / own["icc"] - 1)
                row["criterion_excess"] = row["criterion"] - own["criterion"]
                print(pupils, name, {key: round(value, 9) for key, value in row.items()}, flush=True)
            results[str(pupils)] = dict(rows)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def write_pupils(path: Path, pupils: int) -> Path:
    """Write a file of pupils with a true ICC of 0.2."""
    rng = np.random.default_rng([SEED, pupils])
    schools = pupils // PUPILS_PER_SCHOOL
    school = rng.integers(0, schools, pupils)
    score = 500 + 90 * (
        np.sqrt(0.2) * rng.standard_normal(schools)[school] + np.sqrt(0.8) * rng.standard_normal(pupils)
    )
    names = pa.array([f"{number:06d}" for number in range(schools)])
    column = pa.DictionaryArray.from_arrays(pa.array(school), names).cast(pa.string())
    pq.write_table(pa.table({"school_id": column, "score": score}), path)
    return path


def measured(interpreter: str, imports: str, work: str, path: Path, repetitions: int) -> dict[str, float]:
    """Return the fastest of several processes."""
    code = MEASURE.format(imports=imports, work=work)
    runs = []
    for _ in range(repetitions):
        command = [interpreter, "-c", code, str(path)]
        output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        runs.append(json.loads(output.stdout.splitlines()[-1]))
    return min(runs, key=lambda run: run["wall"])


if __name__ == "__main__":
    sys.exit(main())
