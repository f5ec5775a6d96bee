"""Time and memory of effects of a switching dose for 20,000 schools over 8 years, beside other programs.

    python benchmarks/switching_dose.py [interpreter with py-did-multiplegt-dyn] [moderndid] [diff-diff]

Doses of three first values that rise and return; five effects and three placebos with analytic errors, by
school and by 500 clusters. (Where doses also fall below the first one, moderndid 0.2.0 differs from the
authors' program and our own does not; here none do.) Every measurement is a new process that loads the
panel from Parquet (not timed), in two rounds in each of which the programs run one after the other. Peak
memory (MB) is that of the whole process. The last effect and its error are printed: those of the authors'
program, of moderndid and our own are to agree. Our own also runs with two covariates and for 195,000 schools
over 10 years.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).with_name("switching_dose.json")
SEED = 20265
SIZES = {"20,000 x 8": (20_000, 8), "195,000 x 10": (195_000, 10)}
N_CLUSTERS, N_EFFECTS, N_PLACEBOS = 500, 5, 3
ROUNDS = 2
LONGEST = 600

MEASURE = """
import json, sys, time, warnings
warnings.filterwarnings("ignore")
{imports}
{load}
wall, processor = time.perf_counter(), time.process_time()
{work}
wall, processor = time.perf_counter() - wall, time.process_time() - processor
with open("/proc/self/status") as file:
    peak = next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM"))
found = dict(wall=wall, processor=processor, peak=peak, effect=float(effect), error=float(error))
print("@" + json.dumps(found))
"""
OWN = {
    "imports": "import pandas as pd, numpy as np\n"
    "from toolkit.models.switching_dose import estimate_switching_dose\n"
    "from toolkit.models.switching_dose_panel import dose_panel",
    "load": """
table = pd.read_parquet(sys.argv[1])
n_periods = table["period"].nunique()
outcomes, doses = (table[name].to_numpy().reshape(-1, n_periods) for name in ("y", "dose"))
clusters = table["cluster"].to_numpy()[::n_periods]
covariates = table[["x1", "x2"]].to_numpy().reshape(-1, n_periods, 2)
""",
    "work": f"""
found = estimate_switching_dose(
    dose_panel(outcomes, doses, {{options}}), n_effects={N_EFFECTS}, n_placebos={N_PLACEBOS}
)
effect, error = found.effects[-1], found.std_errors[-1]
""",
}
OWN_OPTIONS = {
    "by school": "",
    "500 clusters": "clusters=clusters",
    "500 clusters, covariates": "clusters=clusters, covariates=covariates",
}
PROGRAMS = {
    "py-did-multiplegt-dyn": {
        "imports": "import numpy as np, polars as pl\nfrom did_multiplegt_dyn import DidMultiplegtDyn",
        "load": "table = pl.read_parquet(sys.argv[1])",
        "work": f"""
fit = DidMultiplegtDyn(
    df=table, outcome="y", group="unit", time="period", treatment="dose", effects={N_EFFECTS},
    placebo={N_PLACEBOS}, cluster={{cluster}},
)
fit.fit()
effect, error = np.asarray(fit.result["mat_res_XX"])[{N_EFFECTS - 1}][:2]
""",
        "cluster": ("None", '"cluster"'),
    },
    "moderndid": {
        "imports": "import pandas as pd, moderndid",
        "load": "table = pd.read_parquet(sys.argv[1])",
        "work": f"""
fit = moderndid.did_multiplegt(
    table, yname="y", tname="period", idname="unit", dname="dose", effects={N_EFFECTS}, placebo={N_PLACEBOS},
    cluster={{cluster}},
)
effect, error = fit.effects.estimates[-1], fit.effects.std_errors[-1]
""",
        "cluster": ("None", '"cluster"'),
    },
    "diff-diff": {
        "imports": "import pandas as pd\nfrom diff_diff import ChaisemartinDHaultfoeuille",
        "load": "table = pd.read_parquet(sys.argv[1])",
        "work": f"""
fit = ChaisemartinDHaultfoeuille().fit(
    table, outcome="y", unit="unit", time="period", treatment="dose", L_max={N_EFFECTS}
)
effect, error = (fit.event_study_effects[{N_EFFECTS}][name] for name in ("effect", "se"))
""",
        "cluster": ("",),
    },
}


def main(arguments: list[str]) -> int:
    """Measure, print and write `switching_dose.json`."""
    pythons = dict(zip(PROGRAMS, arguments, strict=False))
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{n_units}.parquet" for name, (n_units, _) in SIZES.items()}
        for name, path in paths.items():
            make_panel(*SIZES[name]).to_parquet(path, index=False)
        for _ in range(ROUNDS):
            rounds.append({name: run(*each, paths) for name, each in scripts(pythons).items()})
            for name, found in rounds[-1].items():
                print(name, found if isinstance(found, str) else {k: round(v, 6) for k, v in found.items()})
    RESULTS.write_text(json.dumps({"rounds": rounds}, indent=1) + "\n", encoding="utf-8")
    return 0


def make_panel(n_units: int, n_periods: int) -> pd.DataFrame:
    """Return the panel in long form, ordered by unit and period."""
    rng = np.random.default_rng(SEED)
    doses = np.repeat(rng.choice([0.0, 1.0, 2.0], n_units, p=[0.6, 0.3, 0.1])[:, None], n_periods, axis=1)
    for period in range(1, n_periods):
        step = np.where(rng.random(n_units) < 0.08, rng.choice([0.5, 1.0], n_units), 0.0)
        returns = rng.random(n_units) < 0.03
        doses[:, period] = np.where(returns, doses[:, 0], doses[:, period - 1] + step)
    x = rng.normal(size=(n_units, n_periods, 2))
    outcomes = rng.normal(size=(n_units, 1)) + 0.3 * doses + 0.2 * x[:, :, 0] + rng.normal(size=doses.shape)
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(n_units), n_periods),
            "period": np.tile(np.arange(1, n_periods + 1), n_units),
            "y": outcomes.ravel(),
            "dose": doses.ravel(),
            "cluster": np.repeat(rng.integers(0, N_CLUSTERS, n_units), n_periods),
            "x1": x[:, :, 0].ravel(),
            "x2": x[:, :, 1].ravel(),
        }
    )


def scripts(pythons: dict[str, str]) -> dict[str, tuple[str, str, str]]:
    """Return interpreter, script and size by name."""
    found = {}
    for size in SIZES:
        for design, options in OWN_OPTIONS.items():
            text = MEASURE.format(**OWN | {"work": OWN["work"].format(options=options)})
            found[f"own, {size}, {design}"] = (sys.executable, text, size)
    size = next(iter(SIZES))
    for name, python in pythons.items():
        program = PROGRAMS[name]
        for design, cluster in zip(OWN_OPTIONS, program["cluster"], strict=False):
            text = MEASURE.format(**program | {"work": program["work"].format(cluster=cluster)})
            found[f"{name}, {size}, {design}"] = (python, text, size)
    return found


def run(python: str, script: str, size: str, paths: dict[str, Path]) -> dict[str, float] | str:
    """Run one program in a new process; return what it measured, or why it did not."""
    command = [python, "-c", script, str(paths[size])]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return f"stopped after {LONGEST} s"
    lines = [line for line in done.stdout.splitlines() if line.startswith("@")]
    if not lines:
        return f"failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.returncode}"
    return json.loads(lines[-1][1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
