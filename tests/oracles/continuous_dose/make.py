"""Make the panel and the results of diff-diff for doses that start and stay.

    python make.py

Needs diff-diff. Writes panel.csv (seeded) and results.json, with the version that made them.
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
SEED, N_UNITS, PERIODS = 20261122, 240, range(1, 7)


def make_panel() -> pd.DataFrame:
    """Return units that start a dose in period 3, 4 or 5, or never."""
    rng = np.random.default_rng(SEED)
    start = rng.choice([0, 3, 4, 5], N_UNITS, p=[0.4, 0.2, 0.2, 0.2])
    dose = np.where(start > 0, rng.uniform(0.2, 1.5, N_UNITS), 0.0)
    level = rng.normal(size=N_UNITS)
    rows = []
    for period in PERIODS:
        on = (start > 0) & (period >= start)
        effect = np.where(on, 0.4 * dose + 0.3 * dose**2 + 0.05 * (period - start), 0.0)
        outcome = level + 0.1 * period + effect + 0.3 * rng.normal(size=N_UNITS)
        rows.append(
            pd.DataFrame(
                {"unit": range(N_UNITS), "period": period, "start": start, "dose": dose, "outcome": outcome}
            )
        )
    return pd.concat(rows, ignore_index=True)


def main() -> None:
    """Write panel and results."""
    import diff_diff

    panel = make_panel().round(10)
    panel.to_csv(HERE / "panel.csv", index=False, lineterminator="\n")
    found = {}
    for degree in (1, 2, 3):
        model = diff_diff.ContinuousDiD(degree=degree, num_knots=0, control_group="never_treated")
        result = model.fit(panel, "outcome", "unit", "period", "start", "dose")
        found[str(degree)] = {
            "effect": result.overall_att,
            "effect_se": result.overall_att_se,
            "slope": result.overall_acrt,
            "slope_se": result.overall_acrt_se,
        }
    content = {"diff-diff": version("diff-diff"), "numpy": version("numpy"), "results": found}
    (HERE / "results.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
