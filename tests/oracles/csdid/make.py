"""Make `panel.csv` and `csdid.csv`: a panel and what csdid estimates from it.

Run in an environment of its own: ``pip install csdid==0.4.3`` and ``python make.py``. csdid follows the R
package did 2.x of Callaway and Sant'Anna; the tests read its numbers only.
"""

import contextlib
import io
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from csdid.att_gt import ATTgt

HERE = Path(__file__).parent
N_UNITS, PERIODS, COHORTS = 360, range(2010, 2017), (0, 2012, 2013, 2015)
NAMES = {"group": "cohort", "simple": "simple", "dynamic": "event_time", "calendar": "period"}


def make_panel() -> pd.DataFrame:
    """Return a balanced panel in which joining depends on the covariates and effects grow."""
    rng = np.random.default_rng(20261122)
    x1, x2 = rng.normal(size=N_UNITS).round(3), rng.binomial(1, 0.4, N_UNITS)
    index = np.column_stack([0.4 * k * (x1 - 0.5 * x2) for k in range(len(COHORTS))])
    cohort = np.array(COHORTS)[(index + rng.gumbel(size=index.shape)).argmax(axis=1)]
    weight, district = rng.uniform(0.5, 3, N_UNITS).round(3), np.arange(N_UNITS) % 40
    shock = rng.normal(scale=0.1, size=(40, len(PERIODS)))
    level, rows = rng.normal(size=N_UNITS), []
    for t, period in enumerate(PERIODS):
        exposed = (cohort > 0) & (period >= cohort)
        effect = exposed * 0.05 * (1 + np.where(exposed, period - cohort, 0))
        y = (
            level
            + 0.02 * t
            + 0.05 * t * x1
            + effect
            + shock[district, t]
            + rng.normal(scale=0.2, size=N_UNITS)
        )
        rows += list(
            zip(range(N_UNITS), [period] * N_UNITS, y.round(6), cohort, x1, x2, weight, district, strict=True)
        )
    names = ["unit", "period", "y", "cohort", "x1", "x2", "weight", "district"]
    return pd.DataFrame(rows, columns=names).sort_values(["unit", "period"])


def estimate(panel: pd.DataFrame) -> pd.DataFrame:
    """Return group-time effects and averages by design."""
    rows = []
    for comparison, option in (("never", "nevertreated"), ("not_yet", "notyettreated")):
        for formula in ("y~1", "y~x1+x2"):
            for base in ("varying", "universal"):
                for weights in ("", "weight"):
                    for clusters in ("", "district"):
                        for anticipation in (0, 1):
                            design = (comparison, formula, base, weights, clusters, anticipation)
                            rows += one_design(panel, option, design)
    names = ["comparison", "formula", "base", "weights", "clusters", "anticipation"]
    return pd.DataFrame(rows, columns=[*names, "kind", "at", "period", "effect", "error"])


def one_design(panel: pd.DataFrame, option: str, design: tuple) -> list[tuple]:
    """Return the rows of one design."""
    _, formula, base, weights, clusters, anticipation = design
    fit = ATTgt(
        yname="y", tname="period", idname="unit", gname="cohort", data=panel, control_group=[option],
        xformla=formula, weights_name=weights or None, clustervar=clusters or None, anticipation=anticipation,
    ).fit(est_method="dr", base_period=base, bstrap=False)  # fmt: skip
    found = fit.results
    rows = [
        (*design, "cell", *row)
        for row in zip(found["group"], found["year"], found["att"], found["se"], strict=True)
    ]
    for typec, kind in NAMES.items():
        average = fit.aggte(typec=typec, bstrap=False, cband=False).atte
        rows.append((*design, kind, "overall", "", average["overall_att"], float(average["overall_se"])))
        if kind != "simple":
            points = zip(average["egt"], average["att_egt"], np.ravel(average["se_egt"]), strict=True)
            rows += [(*design, kind, at, "", effect, error) for at, effect, error in points]
    return rows


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    table = make_panel()
    table.to_csv(HERE / "panel.csv", index=False)
    with contextlib.redirect_stdout(io.StringIO()):
        estimates = estimate(table)
    estimates.to_csv(HERE / "csdid.csv", index=False, float_format="%.15g")
