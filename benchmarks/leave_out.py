"""Time, memory and bias of the decomposition into teacher and school effects, beside other programs.

    python benchmarks/leave_out.py [interpreter with pytwoway] [interpreter with hdfe-stream]

Speed: 1.2 million rows, 200,000 teachers over 6 years at 8,000 schools in zones of 25; one in ten moves a
year, and one move in ten leaves the zone, so that all schools are linked. Every measurement is a new process
that makes the panel from a seed (not timed). Processor seconds stand beside wall seconds for a machine that
others use; peak memory (MB) is that of the whole process. Bias: of both variances over new draws of errors on
one panel of 2,000 teachers and 100 schools, exact and projected.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).with_name("leave_out.json")
ZONE, MOVE = 25, 0.1
BIAS_DRAWS = 400
LONGEST = 900

# This file is loaded by its path: with its folder on the path, other programs take coverage.py for a package.
MEASURE = """
import importlib.util, json, sys, time
import numpy as np
own = importlib.util.spec_from_file_location("leave_out", "benchmarks/leave_out.py")
module = importlib.util.module_from_spec(own)
own.loader.exec_module(module)
make_panel = module.make_panel
{imports}
outcome, teacher, school, _, truth = make_panel()
{prepare}
wall, processor = time.perf_counter(), time.process_time()
{work}
wall, processor = time.perf_counter() - wall, time.process_time() - processor
with open("/proc/self/status") as file:
    peak = next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM"))
found = [float(each) for each in found]
print("@" + json.dumps(dict(wall=wall, processor=processor, peak=peak, truth=truth, found=found)))
"""
OWN = """
from toolkit.models.teacher_school_effects import (
    collapse_to_matches, decompose_teacher_school_variance, estimate_teacher_school_effects, find_linked_sets
)
"""
COLLAPSED = "matches = collapse_to_matches(outcome, teacher, school)"
DECOMPOSE = "found = decompose_teacher_school_variance(outcome, teacher, school{}).leave_out[:3]"
PROGRAMS = {
    "own, rows to matches": ("", "matches = collapse_to_matches(outcome, teacher, school); found = []"),
    "own, linked sets": (COLLAPSED, "linked = find_linked_sets(matches); found = []"),
    "own, plug-in of matches": (
        COLLAPSED + "; linked = find_linked_sets(matches)",
        "found = estimate_teacher_school_effects(linked).plug_in[[0, 2, 1]]",
    ),
    "own, plug-in from rows": (
        "",
        "linked = find_linked_sets(collapse_to_matches(outcome, teacher, school))\n"
        "found = estimate_teacher_school_effects(linked).plug_in[[0, 2, 1]]",
    ),
    "own, leave-out from rows": ("", DECOMPOSE.format(", std_errors=False")),
    "own, leave-out from rows with errors": ("", DECOMPOSE.format("")),
    "own, leave-out from rows, separate zones": (
        "outcome, teacher, school, _, truth = make_panel(far=0.0)",
        DECOMPOSE.format(", std_errors=False, sets='all'"),
    ),
}
PYTWOWAY = (
    "import bipartitepandas as bpd, pytwoway as tw, pandas as pd, warnings; warnings.simplefilter('ignore')",
    """
year = np.tile(np.arange(6), 200_000)
frame = pd.DataFrame({"i": teacher, "j": school, "t": year, "y": outcome - outcome.mean()})
options = {"connectedness": "leave_out_worker", "drop_single_stayers": True, "verbose": False}
""",
    """
data = bpd.BipartiteDataFrame(frame, log=False).clean(bpd.clean_params(options)).collapse(level="match")
fit = tw.FEEstimator(data, tw.fe_params({"he": True, "ho": False, "progress_bars": False, "verbose": False}))
fit.fit(np.random.default_rng(1))
found = [fit.summary["var(psi)_he"], fit.summary["cov(psi, alpha)_he"]]
""",
)
HDFE = (
    "from hdfe_stream import leave_out_kss; import pandas as pd, tempfile",
    """
folder = tempfile.mkdtemp()
pd.DataFrame({"i": teacher, "j": school, "y": outcome - outcome.mean()}).to_parquet(folder + "/p.parquet")
""",
    """
fit = leave_out_kss("y ~ 1 | i + j", folder + "/p.parquet", workdir=folder, n_draws=100, verbose=False)
found = [fit.leave_out[name] for name in ("var(alpha)", "var(psi)", "cov(psi, alpha)")]
""",
)


def main(arguments: list[str]) -> int:
    """Measure, print and write `leave_out.json`."""
    scripts = {name: (sys.executable, OWN, *parts) for name, parts in PROGRAMS.items()}
    peers = (("pytwoway, leave-out", PYTWOWAY), ("hdfe-stream, leave-out, 100 draws", HDFE))
    for (name, parts), python in zip(peers, arguments, strict=False):
        scripts[name] = (python, *parts)
    results: dict[str, object] = {}
    for name, (python, imports, prepare, work) in scripts.items():
        script = MEASURE.replace("{imports}", imports).replace("{prepare}", prepare)
        results[name] = run(python, script.replace("{work}", work))
        print(name, results[name], flush=True)
    results["bias"] = {kind: measure_bias(limit) for kind, limit in (("exact", 1000), ("projected", 0))}
    print(results["bias"])
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def make_panel(
    n_teachers: int = 200_000,
    n_years: int = 6,
    n_schools: int = 8_000,
    far: float = 0.1,
    seed: int = 20265,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, list[float]]:
    """Return outcome, teacher, school, outcome without error, and the true variances of both effects."""
    rng = np.random.default_rng(seed)
    of_teacher, of_school = rng.normal(0, 0.3, n_teachers), rng.normal(0, 0.3, n_schools)
    place = np.empty((n_teachers, n_years), dtype=np.int64)
    place[:, 0] = rng.integers(0, n_schools, n_teachers)
    for year in range(1, n_years):
        before = place[:, year - 1]
        near = before // ZONE * ZONE + rng.integers(0, ZONE, n_teachers)
        aim = np.where(rng.random(n_teachers) < far, rng.integers(0, n_schools, n_teachers), near)
        place[:, year] = np.where(rng.random(n_teachers) < MOVE, aim, before)
    teacher, school = np.repeat(np.arange(n_teachers), n_years), place.ravel()
    signal = of_teacher[teacher] + of_school[school]
    truth = [float(of_teacher[teacher].var()), float(of_school[school].var())]
    return signal + rng.normal(0, 0.5, len(teacher)), teacher, school, signal, truth


def run(python: str, script: str) -> dict[str, object] | str:
    """Run one program in a new process; return what it measured, or why it did not."""
    try:
        done = subprocess.run(
            [python, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        return f"stopped after {LONGEST} s"
    lines = [line for line in done.stdout.splitlines() if line.startswith("@")]
    if not lines:
        return f"failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.returncode}"
    return json.loads(lines[-1][1:])


def measure_bias(largest_exact: int) -> dict[str, list[float]]:
    """Return relative bias of both variances, its Monte Carlo error, and how good the standard errors are."""
    sys.path.insert(0, str(ROOT))
    from toolkit.models import school_system
    from toolkit.models.teacher_school_effects import decompose_teacher_school_variance

    school_system.settings()["exact"]["schools"] = largest_exact
    _, teacher, school, signal, truth = make_panel(2_000, 6, 100, seed=3)
    rng = np.random.default_rng(7)
    found = []
    for seed in range(BIAS_DRAWS):
        errors = rng.normal(0, 0.5, len(signal)) * (0.5 + (teacher % 4) / 3)
        result = decompose_teacher_school_variance(signal + errors, teacher, school, seed=seed)
        found.append([*result.leave_out[:2], *result.plug_in[:2], *result.std_error[:2]])
    sample = np.array(found)
    two = np.array(truth)
    covered = np.abs(sample[:, :2] - two) < 1.96 * sample[:, 4:]
    return {
        "leave_out": list(sample[:, :2].mean(axis=0) / two - 1),
        "monte_carlo": list(sample[:, :2].std(axis=0) / np.sqrt(BIAS_DRAWS) / two),
        "plug_in": list(sample[:, 2:4].mean(axis=0) / two - 1),
        "error_over_spread": list(np.sqrt((sample[:, 4:] ** 2).mean(axis=0)) / sample[:, :2].std(axis=0)),
        "coverage": list(covered.mean(axis=0)),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
