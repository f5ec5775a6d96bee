"""The frozen sums and lme4's estimates in tests/oracles/lme4."""

from pathlib import Path

import numpy as np
import pandas as pd

from toolkit.models.random_intercept import GroupSums

FOLDER = Path(__file__).resolve().parent.parent / "oracles" / "lme4"


def frozen(name):
    return pd.read_csv(FOLDER / f"{name}.csv")


def frozen_sums(name, *columns):
    table = frozen(name)

    def total(one, other):
        pair = f"within_{one}_{other}"
        return table[pair if pair in table else f"within_{other}_{one}"].sum()

    within = np.array([[total(one, other) for other in columns] for one in columns])
    means = table[[f"mean_{column}" for column in columns]].to_numpy()
    return GroupSums(table["n"].to_numpy(dtype=float), means, within, columns)


def lme4(model, method):
    table = frozen("lme4")
    rows = table[(table["model"] == model) & (table["method"] == method)]
    return dict(zip(rows["quantity"], rows["value"], strict=True))
