"""Make a panel, and freeze what other programs estimate from it.

Each program runs in an environment of its own:

    python -m venv /tmp/pyfixest && /tmp/pyfixest/bin/pip install pyfixest==0.60.0
    python -m venv /tmp/imputation && /tmp/imputation/bin/pip install did-imputation==0.1.0
    python -m venv /tmp/synthdid && /tmp/synthdid/bin/pip install synthdid-py==0.1.0
    /tmp/pyfixest/bin/python make.py panel
    /tmp/pyfixest/bin/python make.py pyfixest
    /tmp/imputation/bin/python make.py imputation
    /tmp/synthdid/bin/python make.py synthdid

pyfixest runs regressions only; its event study "saturated" is used without covariates, for it leaves
covariates out without a word.
"""

import contextlib
import io
import sys
import warnings
from importlib.metadata import version
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
N_UNITS, PERIODS, COHORTS, LAST = 96, range(2012, 2021), (0, 2015, 2016, 2018), 2
COLUMNS = ["program", "version", "method", "anticipation", "weights", "gaps", "estimate", "error"]


def make_panel() -> pd.DataFrame:
    """Return school groups that join in one of three years; `dropped` marks rows of the panel with gaps."""
    rng = np.random.default_rng(20261122)
    group = np.arange(N_UNITS) // 4
    of_group = np.array(COHORTS)[rng.permutation(np.repeat(np.arange(4), [9, 6, 5, 4]))]
    cohort = of_group[group]
    cluster = np.where(cohort > 0, group, 100 + np.arange(N_UNITS))
    weight = rng.uniform(0.5, 3, N_UNITS).round(3)
    shock = rng.normal(scale=0.08, size=(N_UNITS // 4, len(PERIODS)))
    level, rows = rng.normal(size=N_UNITS), []
    for place, period in enumerate(PERIODS):
        since = period - cohort
        exposed = (cohort > 0) & (since >= 0)
        effect = exposed * (0.1 + 0.04 * since * exposed + 0.1 * (cohort == 2016))
        dip = -0.1 * ((cohort > 0) & (since == -1))
        y = level + 0.03 * place + effect + dip + shock[group, place] + rng.normal(scale=0.15, size=N_UNITS)
        dropped = rng.random(N_UNITS) < 0.04
        columns = (
            range(N_UNITS),
            [period] * N_UNITS,
            y.round(6),
            cohort,
            cluster,
            weight,
            dropped.astype(int),
        )
        rows += list(zip(*columns, strict=True))
    names = ["unit", "period", "y", "cohort", "cluster", "weight", "dropped"]
    return pd.DataFrame(rows, columns=names).sort_values(["unit", "period"])


def designs() -> list[tuple[int, str, int, pd.DataFrame]]:
    """Return every design with its rows; `since` is missing for units that never join."""
    panel = pd.read_csv(HERE / "panel.csv")
    panel["since"] = np.where(panel["cohort"] > 0, panel["period"] - panel["cohort"], np.nan)
    found = []
    for early, weights, gaps in product((0, 1), ("", "weight"), (0, 1)):
        rows = panel[panel["dropped"] == 0] if gaps else panel
        own = rows["weight"] if weights else 1.0
        found.append((early, weights, gaps, rows.assign(own=own).reset_index(drop=True)))
    return found


def run_pyfixest() -> list[tuple]:
    """Return Sun-Abraham, two-way, local projection and stacked regressions, and the imputed means."""
    import pyfixest

    known = ("pyfixest", version("pyfixest"))
    rows = []
    for early, weights, gaps, panel in designs():
        design = (early, weights, gaps)
        methods = [sun_abraham, two_way, local_projection, stacked] + [two_stage] * (not gaps)
        for method in methods:
            rows.append((*known, method.__name__, *design, *method(pyfixest, panel, early)))
        if design == (0, "", 0):
            rows.append((*known, "saturated", *design, saturated(pyfixest, panel), np.nan))
            rows.append((*known, "lpdid", *design, *lpdid(pyfixest, panel)))
    return rows


def regress(pyfixest, formula: str, panel: pd.DataFrame):
    """Fit by weighted least squares; errors by cluster times G / (G - 1)."""
    return pyfixest.feols(
        formula, panel, vcov={"CRV1": "cluster"}, weights="own", fixef_tol=1e-12,
        ssc=pyfixest.ssc(k_adj=False, G_adj=True),
    )  # fmt: skip


def sun_abraham(pyfixest, panel: pd.DataFrame, early: int) -> tuple[float, float]:
    """Average the cohort by event time coefficients by weight, event times alike."""
    treated = panel[panel["cohort"] > 0]
    pairs = treated.groupby(["cohort", "since"])["own"].sum().drop(-1 - early, level="since")
    names, frame = [], panel.copy()
    for cohort, since in pairs.index:
        names.append(f"d{cohort:.0f}_{'m' if since < 0 else 'p'}{abs(since):.0f}")
        frame[names[-1]] = ((frame["cohort"] == cohort) & (frame["since"] == since)).astype(float)
    fit = regress(pyfixest, f"y ~ {' + '.join(names)} | unit + period", frame)
    times = pairs.index.get_level_values("since")
    size = pairs.to_numpy()
    load = np.zeros(len(pairs))
    for time in range(LAST + 1):
        here = times == time
        load[here] = size[here] / size[here].sum() / (LAST + 1)
    order = [list(fit.coef().index).index(name) for name in names]
    covariance = np.asarray(fit._vcov)[np.ix_(order, order)]
    return load @ fit.coef().to_numpy()[order], np.sqrt(load @ covariance @ load)


def two_way(pyfixest, panel: pd.DataFrame, early: int) -> tuple[float, float]:
    """Regress on the dummy without the years of anticipation."""
    kept = panel[~((panel["since"] < 0) & (panel["since"] >= -early))].copy()
    kept["d"] = (kept["since"] >= 0).astype(float)
    fit = regress(pyfixest, "y ~ d | unit + period", kept)
    return fit.coef()["d"], fit.se()["d"]


def local_projection(pyfixest, panel: pd.DataFrame, early: int) -> tuple[float, float]:
    """Regress the change from the base year to the mean of the window on joining, with period effects."""
    wide = panel.pivot(index="unit", columns="period", values="y")
    units = panel.drop_duplicates("unit").set_index("unit")
    rows = []
    for period in PERIODS:
        base, window = period - 1 - early, [period + time for time in range(LAST + 1)]
        if base not in wide or not set(window) <= set(wide):
            continue
        change = wide[window].mean(axis=1, skipna=False) - wide[base]
        joins, never = units["cohort"] == period, units["cohort"] == 0
        own = units.assign(change=change, joins=joins.astype(float), start=period)
        rows.append(own[joins | never].dropna(subset="change"))
    fit = regress(pyfixest, "change ~ joins | start", pd.concat(rows))
    return fit.coef()["joins"], fit.se()["joins"]


def stacked(pyfixest, panel: pd.DataFrame, early: int) -> tuple[float, float]:
    """Regress changes, less the comparison mean of the sub-experiment, with balanced weights."""
    wide = panel.pivot(index="unit", columns="period", values="y")
    units = panel.drop_duplicates("unit").set_index("unit")
    rows = []
    for cohort in COHORTS[1:]:
        change = wide[[cohort + time for time in range(LAST + 1)]].mean(axis=1, skipna=False)
        own = units.assign(change=change - wide[cohort - 1 - early], d=(units["cohort"] == cohort) * 1.0)
        own = own[own["cohort"].isin([0, cohort])].dropna(subset="change")
        rest, joined = own[own["d"] == 0], own[own["d"] == 1]
        own["change"] -= np.average(rest["change"], weights=rest["own"])
        own["own"] *= np.where(own["d"] == 1, 1, joined["own"].sum() / rest["own"].sum())
        rows.append(own)
    fit = regress(pyfixest, "change ~ d", pd.concat(rows))
    return fit.coef()["d"], fit.se()["d"]


def two_stage(pyfixest, panel: pd.DataFrame, early: int) -> tuple[float, float]:
    """Average the event times of the two-stage estimator, which are those of imputation."""
    kept = panel[~((panel["since"] < 0) & (panel["since"] >= -early)) & ~(panel["since"] > LAST)].copy()
    kept["treated"] = kept["since"] >= 0
    for time in range(LAST + 1):
        kept[f"t{time}"] = (kept["since"] == time).astype(float)
    fit = pyfixest.did2s(
        kept, yname="y", first_stage="~ 0 | unit + period", second_stage="~ 0 + t0 + t1 + t2",
        treatment="treated", cluster="cluster", weights="own",
    )  # fmt: skip
    return fit.coef()[["t0", "t1", "t2"]].mean(), np.nan


def saturated(pyfixest, panel: pd.DataFrame) -> float:
    """Return the mean over event times of pyfixest's own Sun-Abraham, without covariates."""
    fit = pyfixest.event_study(
        panel, yname="y", idname="unit", tname="period", gname="cohort", estimator="saturated", att=False
    )
    effects = fit.aggregate()
    return float(np.mean([effects.loc[time, "Estimate"] for time in (0.0, 1.0, 2.0)]))


def lpdid(pyfixest, panel: pd.DataFrame) -> tuple[float, float]:
    """Return pyfixest's own coefficient at event time 0, never treated as comparison, by cluster."""
    fit = pyfixest.lpdid(
        panel, yname="y", idname="unit", tname="period", gname="cohort", vcov={"CRV1": "cluster"},
        pre_window=-2, post_window=0, never_treated=0, att=False,
    )  # fmt: skip
    table = fit.tidy()
    return float(table.loc["time_to_treatment::0", "Estimate"]), float(
        table.loc["time_to_treatment::0", "Std. Error"]
    )


def run_imputation() -> list[tuple]:
    """Return the imputation estimator with effects centred by event time."""
    from did_imputation import did_imputation

    rows = []
    for early, weights, gaps, panel in designs():
        kept = panel[~((panel["since"] < 0) & (panel["since"] >= -early)) & ~(panel["since"] > LAST)].copy()
        kept["first"] = kept["cohort"].where(kept["cohort"] > 0).astype(float)
        is_target = kept["since"] >= 0
        size = kept[is_target].groupby("since")["own"].sum()
        kept["target"] = np.where(is_target, 1 / kept["since"].map(size) / (LAST + 1), 0.0)
        kept["by"] = np.where(is_target, kept["since"], -1.0)
        with contextlib.redirect_stdout(io.StringIO()):
            found = did_imputation(
                kept, y="y", i="unit", t="period", Ei="first", aw="own", wtr=["target"], sum=True,
                cluster="cluster", avgeffectsby=["by"], minn=0,
            )  # fmt: skip
        estimate = float(next(iter(found.estimates.values())))
        error = float(next(iter(found.std_errors.values())))
        rows.append(
            ("did-imputation", version("did-imputation"), "imputation", early, weights, gaps, estimate, error)
        )
    return rows


def run_synthdid() -> list[tuple]:
    """Return the synthetic estimator for the cigarette sales of California, default and converged further."""
    import synthdid

    setup = synthdid.panel_matrices(synthdid.load_california_prop99())
    np.savetxt(HERE / "california.csv", np.asarray(setup.Y), delimiter=",", fmt="%.15g")
    known = ("synthdid-py", version("synthdid-py"))
    plain = float(synthdid.synthdid_estimate(setup.Y, setup.N0, setup.T0))
    further = float(
        synthdid.synthdid_estimate(setup.Y, setup.N0, setup.T0, max_iter=500_000, min_decrease=1e-12)
    )
    return [
        (*known, "california", 0, "", 0, plain, np.nan),
        (*known, "california_further", 0, "", 0, further, np.nan),
    ]


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    program = sys.argv[1]
    if program == "panel":
        make_panel().to_csv(HERE / "panel.csv", index=False)
    else:
        runs = {"pyfixest": run_pyfixest, "imputation": run_imputation, "synthdid": run_synthdid}
        table = pd.DataFrame(runs[program](), columns=COLUMNS)
        table.to_csv(HERE / f"{program}.csv", index=False, float_format="%.15g")
