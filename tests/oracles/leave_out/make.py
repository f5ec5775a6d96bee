"""Make the panels, and what two programs estimate from them; each runs in an environment of its own.

    python make.py panels
    <python with pytwoway>    make.py pytwoway
    <python with hdfe-stream> make.py hdfe_stream

pytwoway 0.3.21 (MIT) needs numpy < 2, pandas < 2.2 and scipy < 1.13; hdfe-stream 0.5.1 (MIT) runs on
current ones and needs pyfixest for its formulas.
"""

import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
PANELS = HERE / "panels.csv.gz"
DESIGNS = {
    "mobile": {"teachers": 300, "years": 5, "schools": 20, "move": 0.30, "rate": 1.0, "seed": 1},
    "sparse": {"teachers": 400, "years": 6, "schools": 60, "move": 0.05, "rate": 1.0, "seed": 2},
    "gaps": {"teachers": 500, "years": 7, "schools": 40, "move": 0.12, "rate": 0.7, "seed": 3},
}
HDFE_DRAWS = 1_000
PYTWOWAY_KEPT = ("var(y)", "var(psi)_fe", "cov(psi, alpha)_fe", "var(psi)_he")


def simulate(teachers: int, years: int, schools: int, move: float, rate: float, seed: int) -> pd.DataFrame:
    """Return teachers who move, better ones to better schools, with errors of unequal variances."""
    rng = np.random.default_rng(seed)
    of_school = np.sort(rng.normal(0, 0.3, schools))
    of_teacher = rng.normal(0, 0.3, teachers)
    place = np.empty((teachers, years), dtype=int)
    place[:, 0] = rng.integers(0, schools, teachers)
    for year in range(1, years):
        aim = np.clip(
            np.rint(schools / 2 + schools * (of_teacher / 2 + rng.normal(0, 0.3, teachers))), 0, schools - 1
        ).astype(int)
        place[:, year] = np.where(rng.random(teachers) < move, aim, place[:, year - 1])
    teacher = np.repeat(np.arange(teachers), years)
    school = place.ravel()
    noise = rng.normal(0, 1, len(teacher)) * (0.3 + 0.4 * (school % 2))
    outcome = of_teacher[teacher] + of_school[school] + noise
    year = np.tile(np.arange(years), teachers)
    panel = pd.DataFrame({"i": teacher, "j": school, "t": year, "y": outcome})
    return panel[rng.random(len(panel)) < rate].reset_index(drop=True)


def read_panels() -> dict[str, pd.DataFrame]:
    """Return the panels by name."""
    table = pd.read_csv(PANELS)
    return {name: part.drop(columns="panel").reset_index(drop=True) for name, part in table.groupby("panel")}


def make_panels() -> None:
    """Write the panels."""
    parts = []
    for name, design in DESIGNS.items():
        part = simulate(**design).assign(panel=name)
        parts.append(part.assign(y=part["y"].round(4)))
    pd.concat(parts).to_csv(PANELS, index=False, compression={"method": "gzip", "mtime": 0})


def run_pytwoway() -> list[dict]:
    """Return the variance of school effects with observations left out, by exact leverages and traces."""
    import bipartitepandas as bpd
    import pytwoway as tw

    found = []
    for name, panel in read_panels().items():
        frame = bpd.BipartiteDataFrame(panel[["i", "j", "t", "y"]], log=False)
        options = {"connectedness": "leave_out_worker", "drop_single_stayers": True, "verbose": False}
        frame = frame.clean(bpd.clean_params(options))
        options = {"he": True, "ho": False, "Sii_stayers": "upper_bound", "exact_trace_sigma_2": True}
        options |= {"exact_trace_he": True, "exact_lev_he": True, "progress_bars": False, "verbose": False}
        fit = tw.FEEstimator(frame, tw.fe_params(options))
        fit.fit(np.random.default_rng(1))
        summary = {key: float(fit.summary[key]) for key in PYTWOWAY_KEPT}
        found.append({"panel": name, "leave_out": "observation", **summary, **counts(frame)})
    return found


def counts(frame: pd.DataFrame) -> dict[str, int]:
    """Return rows, teachers and schools used."""
    rows = int(frame["w"].sum()) if "w" in frame else len(frame)
    return {"rows": rows, "teachers": int(frame["i"].nunique()), "schools": int(frame["j"].nunique())}


def run_hdfe_stream() -> list[dict]:
    """Return projected leave-out estimates by match and by observation, with standard errors."""
    from hdfe_stream import leave_out_kss

    found = []
    for name, panel in read_panels().items():
        for leave_out in ("match", "observation"):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "panel.parquet"
                panel.to_parquet(path)
                result = leave_out_kss(
                    "y ~ 1 | i + j",
                    str(path),
                    workdir=folder,
                    n_draws=HDFE_DRAWS,
                    se=True,
                    seed=1,
                    leave_out=leave_out,
                    verbose=False,
                )
                found.append(
                    {
                        "panel": name,
                        "leave_out": leave_out,
                        "rows": int(result.n_obs),
                        "levels": result.pruning["levels_after"],
                        "plug_in": result.plug_in,
                        "estimate": result.leave_out,
                        "std_error": result.se.se,
                        "largest_eigenvalue_share": result.weak_id.ratios["var(psi)"][0],
                    }
                )
                print(found[-1], flush=True)
    return found


if __name__ == "__main__":
    if sys.argv[1] == "panels":
        make_panels()
    else:
        run, package = {
            "pytwoway": (run_pytwoway, ("pytwoway", "bipartitepandas")),
            "hdfe_stream": (run_hdfe_stream, ("hdfe-stream",)),
        }[sys.argv[1]]
        versions = {each: version(each) for each in (*package, "numpy", "scipy")}
        text = json.dumps({"versions": versions, "results": run()}, indent=1)
        (HERE / f"{sys.argv[1]}.json").write_text(text + "\n", encoding="utf-8")
