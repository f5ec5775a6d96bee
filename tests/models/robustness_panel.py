"""The frozen panel of tests/oracles/robustness as arrays, and small panels with known effects."""

from pathlib import Path

import numpy as np
import pandas as pd

from toolkit.models.group_time import NEVER, AdoptionPanel

FOLDER = Path(__file__).resolve().parent.parent / "oracles" / "robustness"
LAST = 2


def frozen_panel(*, weighted=False, gaps=False):
    """Return panel and clusters of a design."""
    rows = pd.read_csv(FOLDER / "panel.csv")
    units = rows.drop_duplicates("unit").set_index("unit")
    kept = rows[rows["dropped"] == 0] if gaps else rows
    wide = kept.pivot(index="unit", columns="period", values="y").reindex(units.index)
    panel = AdoptionPanel(
        wide.to_numpy(),
        wide.columns.to_numpy(dtype=float),
        np.where(units["cohort"] > 0, units["cohort"], NEVER),
        np.empty((len(units), 0)),
        units["weight"].to_numpy() if weighted else np.ones(len(units)),
    )
    return panel, units["cluster"].to_numpy()


def frozen_estimates(program):
    """Return what a program estimated."""
    table = pd.read_csv(FOLDER / f"{program}.csv", dtype={"weights": "str"})
    return table.assign(weights=table["weights"].fillna(""))


def make_panel(cohorts, outcomes, *, periods=None, weights=None, covariates=None):
    """Return a panel of these cohorts (infinite: never) with each unit its own cluster."""
    outcomes = np.asarray(outcomes, dtype=float)
    n_units, n_periods = outcomes.shape
    panel = AdoptionPanel(
        outcomes,
        np.arange(2010.0, 2010.0 + n_periods) if periods is None else np.asarray(periods, dtype=float),
        np.asarray(cohorts, dtype=float),
        np.empty((n_units, 0)) if covariates is None else covariates,
        np.ones(n_units) if weights is None else np.asarray(weights, dtype=float),
    )
    return panel, np.arange(n_units)
