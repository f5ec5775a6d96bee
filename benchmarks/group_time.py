"""Time and memory of group-time effects of 195,000 schools over 10 years, beside other programs.

    python benchmarks/group_time.py [interpreter with csdid] [interpreter with diff-diff]

Two covariates, five cohorts and schools that never adopt; group-time effects, overall average and event
study with analytic errors, then the same with 999 multiplier draws and a simultaneous band. Every
measurement is a new process that loads the panel from Parquet (not timed): the others as the long table of
pandas that they ask for, our own column by column into arrays. Two rounds, in each of which the
programs run one after the other, so that ratios compare what the machine did at one time. Peak memory (MB)
is that of the whole process; "before" is what it was with the panel read, before the work. The overall
average and its error of every program are printed: they are to agree.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).with_name("group_time.json")
SEED = 20264
N_UNITS, N_PERIODS, N_DRAWS = 195_000, 10, 999
COHORTS = (0, 4, 5, 6, 8, 9)
ROUNDS = 2
LONGEST = 600

MEASURE = """
import json, os, sys, time
{imports}
{prepare}
def peak_memory():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM"))
before = peak_memory()
wall, processor = time.perf_counter(), time.process_time()
{work}
wall, processor = time.perf_counter() - wall, time.process_time() - processor
found = dict(wall=wall, processor=processor, peak=peak_memory(), before=before)
found.update(effect=float(effect), error=float(error))
print("@" + json.dumps(found))
"""
OWN_IMPORTS = """
import numpy as np
from toolkit.inference.clusters import cluster_std_errors, sum_influence
from toolkit.inference.multiplier import draw_errors, simultaneous_band
from toolkit.models.group_time import AdoptionPanel, estimate_group_time
from toolkit.models.group_time_aggregates import aggregate_group_time
"""
LONG_TABLE = """
import pandas as pd
panel = pd.read_parquet(sys.argv[1])
"""
OWN_PREPARE = f"""
from pyarrow import parquet
def read(column, each):
    values = parquet.read_table(sys.argv[1], columns=[column], use_threads=False).column(0)
    return np.array(values.to_numpy()[::each], dtype=float)
cohort = read("cohort", {N_PERIODS})
cohort[cohort == 0] = np.inf
covariates = np.column_stack([read(name, {N_PERIODS}) for name in ("x1", "x2")])
outcomes = read("y", 1).reshape(-1, {N_PERIODS})
arrays = AdoptionPanel(outcomes, np.arange(1.0, {N_PERIODS} + 1), cohort, covariates, np.ones(len(cohort)))
"""
OWN_WORK = """
effects = estimate_group_time(arrays, comparison="{comparison}")
overall, by_time = (aggregate_group_time(effects, kind) for kind in ("simple", "event_time"))
own = sum_influence(
    np.column_stack([by_time.influence, overall.overall_influence]), np.arange(effects.panel.n_units)
)
effect, error = overall.overall, cluster_std_errors(own)[-1]
"""
OWN_DRAWS = f"""
band = simultaneous_band(by_time.effects, draw_errors(own, seed=1, n_draws={N_DRAWS})[:, :-1])
"""
CSDID = """
from csdid.att_gt import ATTgt
sys.stdout = open(os.devnull, "w")
fit = ATTgt(
    yname="y", tname="period", idname="unit", gname="cohort", data=panel, xformla="y~x1+x2",
    control_group=["{comparison}"], biters=max({draws}, 1), cband={band},
).fit(est_method="dr", bstrap={band})
overall = fit.aggte(typec="simple", bstrap={band}, cband={band}, biters=max({draws}, 1)).atte
fit.aggte(typec="dynamic", bstrap={band}, cband={band}, biters=max({draws}, 1))
effect, error = (float(np.ravel(overall[name])[0]) for name in ("overall_att", "overall_se"))
sys.stdout = sys.__stdout__
"""
DIFF_DIFF = """
fit = CallawaySantAnna(
    control_group="{comparison}", estimation_method="dr", n_bootstrap={draws}, seed=1
).fit(
    panel, outcome="y", unit="unit", time="period", first_treat="cohort", covariates=["x1", "x2"],
    aggregate="event_study",
)
effect, error = fit.overall_att, fit.overall_se
"""
CONTROL = {"csdid": ("nevertreated", "notyettreated"), "diff-diff": ("never_treated", "not_yet_treated")}


def main(arguments: list[str]) -> int:
    """Measure, print and write `group_time.json`."""
    pythons: dict[str, str] = dict(zip(("csdid", "diff-diff"), arguments, strict=False))
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "panel.parquet"
        make_panel().to_parquet(path, index=False)
        for _ in range(ROUNDS):
            rounds.append({name: run(*each, path) for name, each in programs(pythons).items()})
            for name, found in rounds[-1].items():
                print(name, found if isinstance(found, str) else {k: round(v, 6) for k, v in found.items()})
    RESULTS.write_text(json.dumps({"rounds": rounds}, indent=1) + "\n", encoding="utf-8")
    return 0


def make_panel() -> pd.DataFrame:
    """Return the panel in long form, ordered by unit and period."""
    rng = np.random.default_rng(SEED)
    x = rng.normal(size=(N_UNITS, 2))
    cohort = rng.choice(COHORTS, N_UNITS, p=[0.5, *[0.1] * 5])
    periods = np.arange(1, N_PERIODS + 1)
    exposed = (cohort > 0)[:, None] & (periods >= cohort[:, None])
    outcome = rng.normal(size=(N_UNITS, 1)) + 0.1 * x[:, :1] * periods + 0.2 * exposed
    outcome = outcome + rng.normal(size=outcome.shape)
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(N_UNITS), N_PERIODS),
            "period": np.tile(periods, N_UNITS),
            "y": outcome.ravel(),
            "cohort": np.repeat(cohort, N_PERIODS),
            "x1": np.repeat(x[:, 0], N_PERIODS),
            "x2": np.repeat(x[:, 1], N_PERIODS),
        }
    )


def programs(pythons: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Return interpreter and script of each program by name and design."""
    found = {}
    for position, comparison in enumerate(("never", "not_yet")):
        for draws in (0, N_DRAWS):
            suffix = f"{comparison}, {draws} draws"
            own = OWN_WORK.format(comparison=comparison) + (OWN_DRAWS if draws else "")
            found[f"own, {suffix}"] = (
                sys.executable,
                MEASURE.format(imports=OWN_IMPORTS, prepare=OWN_PREPARE, work=own),
            )
            for name, work, imports in (
                ("csdid", CSDID, "import numpy as np, warnings; warnings.filterwarnings('ignore')"),
                ("diff-diff", DIFF_DIFF, "from diff_diff import CallawaySantAnna"),
            ):
                if name in pythons:
                    options = {"comparison": CONTROL[name][position], "draws": draws, "band": bool(draws)}
                    script = MEASURE.format(imports=imports, prepare=LONG_TABLE, work=work.format(**options))
                    found[f"{name}, {suffix}"] = (pythons[name], script)
    return found


def run(python: str, script: str, path: Path) -> dict[str, float] | str:
    """Run one program in a new process; return what it measured, or why it did not."""
    try:
        done = subprocess.run(
            [python, "-c", script, str(path)], cwd=ROOT, capture_output=True, text=True, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        return f"stopped after {LONGEST} s"
    lines = [line for line in done.stdout.splitlines() if line.startswith("@")]
    if not lines:
        return f"failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.returncode}"
    return json.loads(lines[-1][1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
