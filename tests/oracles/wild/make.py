"""Simulate a small panel of schools in ten clusters and test one coefficient with wildboottest.

    python -m venv /tmp/oracle && /tmp/oracle/bin/pip install wildboottest==0.3.2 numpy==2.4.6 pandas==3.1.1
    /tmp/oracle/bin/python tests/oracles/wild/make.py

Writes the panel and the p-values beside this file.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from wildboottest.wildboottest import WildboottestCL

FOLDER = Path(__file__).resolve().parent
N_CLUSTERS = 10
EFFECTS = {"none": 0.0, "small": 0.25, "large": 0.9}


def main() -> None:
    """Write `panel.csv` and `tests.csv`."""
    panel = simulate()
    panel.to_csv(FOLDER / "panel.csv", index=False, lineterminator="\n")
    rows = []
    for effect, size in EFFECTS.items():
        outcome = (panel["outcome"] + size * panel["treated"]).to_numpy()
        for name, design in designs(panel).items():
            boot = run(outcome, design, panel["cluster"].to_numpy())
            observed, drawn = abs(boot.t_stat), np.abs(boot.t_boot)
            row = {"model": name, "effect": effect, "size": size, "t": boot.t_stat, "draws": boot.B}
            # The package's own p-value counts by rounding the two sign vectors that give the data back.
            larger = np.count_nonzero(drawn > observed * (1 + 1e-9))
            rows.append(row | {"p_printed": boot.pvalue, "larger": larger})
    pd.DataFrame(rows).to_csv(FOLDER / "tests.csv", index=False, lineterminator="\n")


def simulate() -> pd.DataFrame:
    """Return an unbalanced panel of four years with correlated errors, half of the clusters treated."""
    rng = np.random.default_rng(20260422)
    rows = []
    for cluster in range(N_CLUSTERS):
        for school in range(int(rng.integers(2, 5))):
            shock = rng.normal()
            for year in range(4):
                if rng.random() < 0.1:
                    continue
                treated = float(cluster < 5 and year >= 2 + cluster % 2)
                covariate = rng.normal()
                outcome = (
                    shock + 0.3 * year + 0.5 * covariate + rng.normal() + 0.4 * np.sin(cluster * (year + 1))
                )
                rows.append((cluster, 10 * cluster + school, year, treated, covariate, outcome))
    columns = ["cluster", "school", "year", "treated", "covariate", "outcome"]
    return pd.DataFrame(rows, columns=columns).round(6)


def designs(panel: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the full designs, dummies included; the treatment comes first."""
    terms = panel[["treated", "covariate"]].to_numpy()
    years = pd.get_dummies(panel["year"]).to_numpy(dtype=float)
    schools = pd.get_dummies(panel["school"]).to_numpy(dtype=float)
    return {
        "constant": np.column_stack([terms, np.ones(len(panel))]),
        "years": np.column_stack([terms, years]),
        "schools_years": np.column_stack([terms, schools, years[:, 1:]]),
    }


def run(outcome: np.ndarray, design: np.ndarray, clusters: np.ndarray) -> WildboottestCL:
    """Run the restricted bootstrap with all sign vectors; no small-sample factors."""
    which = np.zeros(design.shape[1])
    which[0] = 1
    boot = WildboottestCL(X=design, Y=outcome, cluster=clusters, R=which, B=9999, seed=1)
    boot.get_scores(bootstrap_type="11", impose_null=True, adj=False, cluster_adj=False)
    boot.get_weights(weights_type="rademacher")
    boot.get_numer()
    boot.get_denom()
    boot.get_tboot()
    boot.get_vcov()
    boot.get_tstat()
    boot.get_pvalue()
    return boot


if __name__ == "__main__":
    main()
