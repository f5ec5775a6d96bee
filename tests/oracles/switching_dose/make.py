"""Make `panels.csv`, `favara_imbs.csv.gz` and `results.json`: panels, and what the authors' program finds.

Run in an environment of its own: ``pip install py-did-multiplegt-dyn==0.1.9 "polars<2"``, ``pip install
--no-deps moderndid==0.2.0`` for the documented data set it ships, and ``python make.py``. The tests read the
numbers only.
"""

import gzip
import importlib.metadata
import inspect
import io
import json
import platform
import warnings
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from did_multiplegt_dyn import DidMultiplegtDyn, did_multiplegt_dyn_core, did_multiplegt_main

HERE = Path(__file__).parent
COLUMNS = {"outcome": "y", "group": "unit", "time": "period", "treatment": "dose"}
DOCUMENTED = "moderndid/core/datasets/favara_imbs.csv.gz"
# It counts clusters, and counts "no cluster" as one of them.
COUNTED = '.n_unique()\n                                .over("time_XX")'


def staggered(rng: np.random.Generator) -> pd.DataFrame:
    """Return units that adopt at different times and keep the treatment."""
    n, periods = 160, 8
    first = rng.choice([2, 4, 5, 7, 99], n, p=[0.1, 0.2, 0.2, 0.1, 0.4])
    time = np.arange(1, periods + 1)
    return _table(rng, (time >= first[:, None]).astype(float), effect=0.4, clusters=n)


def once(rng: np.random.Generator) -> pd.DataFrame:
    """Return doses that change once, up or down, to one of several values."""
    n, periods = 220, 7
    before = rng.choice([0.0, 1.0, 2.5], n)
    after = rng.choice([0.0, 0.5, 1.0, 2.5, 4.0], n)
    first = np.where(rng.random(n) < 0.35, 99, rng.integers(2, periods + 1, n))
    time = np.arange(1, periods + 1)
    doses = np.where(time >= first[:, None], after[:, None], before[:, None])
    return _table(rng, doses, effect=0.3, clusters=30)


def switching(rng: np.random.Generator) -> pd.DataFrame:
    """Return doses that move often and both ways, with unequal weights, clusters and missing cells."""
    n, periods = 260, 8
    doses = np.repeat(rng.choice([0.0, 1.0, 2.0], n, p=[0.5, 0.3, 0.2])[:, None], periods, axis=1)
    for period in range(1, periods):
        moves = rng.random(n) < 0.16
        step = rng.choice([-1.0, 0.5, 1.0], n)
        doses[:, period] = np.where(moves, np.maximum(doses[:, period - 1] + step, 0), doses[:, period - 1])
    table = _table(rng, doses, effect=0.25, clusters=40)
    table.loc[rng.random(len(table)) < 0.05, "y"] = np.nan
    table.loc[rng.random(len(table)) < 0.04, "dose"] = np.nan
    late, early = rng.choice(n, (2, 12), replace=False)
    table.loc[table["unit"].isin(late) & (table["period"] < 3), ["y", "dose"]] = np.nan
    table.loc[table["unit"].isin(early) & (table["period"] > 6), ["y", "dose"]] = np.nan
    return table


def scattered(rng: np.random.Generator) -> pd.DataFrame:
    """Return first doses that all differ."""
    n, periods = 120, 5
    before = rng.uniform(0, 2, n).round(3)
    first = np.where(rng.random(n) < 0.5, 99, rng.integers(2, periods + 1, n))
    step = rng.choice([-0.5, 0.5, 1.0], n)
    doses = before[:, None] + step[:, None] * (np.arange(1, periods + 1) >= first[:, None])
    return _table(rng, doses.round(3), effect=0.3, clusters=n)


def _table(rng: np.random.Generator, doses: np.ndarray, *, effect: float, clusters: int) -> pd.DataFrame:
    """Return the long table of a panel in which doses act at once and half as much a period later."""
    n, periods = doses.shape
    cluster = rng.permutation(np.arange(n) % clusters)
    shocks = rng.normal(scale=0.2, size=(clusters, periods))
    walk = rng.normal(scale=0.5, size=(n, periods)).cumsum(axis=1)
    x = np.stack([walk + 0.3 * doses, rng.normal(size=(n, periods))], axis=2)
    lagged = np.concatenate([doses[:, :1], doses[:, :-1]], axis=1)
    y = rng.normal(size=(n, 1)) + 0.1 * np.arange(periods) * (1 + doses[:, :1])
    y = y + effect * (doses + 0.5 * lagged) + 0.4 * x[:, :, 0] - 0.2 * x[:, :, 1] + shocks[cluster]
    y = y + rng.normal(scale=0.3, size=y.shape)
    weights = rng.uniform(0.5, 3, size=y.shape)
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(n), periods),
            "period": np.tile(np.arange(1, periods + 1), n),
            "y": y.ravel().round(6),
            "dose": doses.ravel(),
            "weight": weights.ravel().round(4),
            "cluster": np.repeat(cluster, periods),
            "stratum": np.repeat(np.arange(n) % 2, periods),
            "x1": x[:, :, 0].ravel().round(5),
            "x2": x[:, :, 1].ravel().round(5),
            "x3": np.where(rng.random(n * periods) < 0.03, np.nan, x[:, :, 0].ravel().round(5)),
        }
    )


PANELS = {"staggered": staggered, "once": once, "switching": switching, "scattered": scattered}
SAME, NORMAL = {"same_switchers": True}, {"normalized": True}
WEIGHT, CLUSTER, STRATA = {"weight": "weight"}, {"cluster": "cluster"}, {"trends_nonparam": ["stratum"]}
ONE, TWO, GAPS = {"controls": ["x1"]}, {"controls": ["x1", "x2"]}, {"controls": ["x3"]}
NEVER, CROSSING = {"only_never_switchers": True}, {"dont_drop_larger_lower": True}
IN, OUT = {"switchers": "in"}, {"switchers": "out"}
RUNS = {
    "staggered": [
        {},
        SAME | {"effects": 3, "placebo": 2},
        *(ONE, TWO, CLUSTER, STRATA, NEVER, WEIGHT | TWO),
    ],
    "once": [
        {},
        *(NORMAL, CLUSTER, WEIGHT, IN, OUT, SAME | NORMAL | {"placebo": 1}, STRATA | CLUSTER),
        *(TWO, TWO | WEIGHT, CLUSTER | ONE, CLUSTER | TWO | WEIGHT),
    ],
    "switching": [
        {},
        *(NORMAL, WEIGHT, CLUSTER, WEIGHT | CLUSTER | NORMAL, IN | CLUSTER, OUT, SAME | {"placebo": 2}),
        *(CROSSING, CROSSING | NORMAL, NEVER | WEIGHT, STRATA | CLUSTER, ONE, TWO, TWO | WEIGHT),
        *(GAPS, GAPS | WEIGHT, TWO | WEIGHT | CLUSTER, IN | TWO, OUT | ONE),
        TWO | SAME | NORMAL | {"effects": 3, "placebo": 1},
    ],
    "scattered": [{"continuous": 1}, {"continuous": 2, "normalized": True}],
}
SIZES = {"staggered": (5, 3), "once": (4, 2), "switching": (4, 3), "scattered": (3, 2)}


@contextmanager
def clusters_counted_right():
    """Replace the line of the program that counts cells outside a pool as one cluster more."""
    source = inspect.getsource(did_multiplegt_dyn_core)
    if source.count(COUNTED) != 1:
        raise RuntimeError("the program has changed: look whether it still counts a cluster too many")
    scope = {"__name__": did_multiplegt_dyn_core.__name__}
    exec(compile(source.replace(COUNTED, ".drop_nulls()" + COUNTED), "core", "exec"), scope)
    original = did_multiplegt_main.did_multiplegt_dyn_core_pl
    did_multiplegt_main.did_multiplegt_dyn_core_pl = scope["did_multiplegt_dyn_core_pl"]
    try:
        yield
    finally:
        did_multiplegt_main.did_multiplegt_dyn_core_pl = original


def estimate(table: pd.DataFrame, names: dict, options: dict, effects: int, placebos: int) -> dict:
    """Return the table, covariance and joint tests of one run."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        model = DidMultiplegtDyn(
            df=pl.from_pandas(table), **names, **({"effects": effects, "placebo": placebos} | options)
        )
        model.fit()
    found = model.result
    rows = np.asarray(found["mat_res_XX"], dtype=float)
    names_of = ["estimate", "error", "low", "high", "observations", "switchers", "weighted_observations",
                "weighted_switchers", "horizon"]  # fmt: skip
    tests = found["did_multiplegt_dyn"]
    return {
        "points": {name: _plain(rows[:, place]) for place, name in enumerate(names_of)},
        "covariance": [_plain(row) for row in np.asarray(found["coef"]["vcov"], dtype=float)],
        "average_periods": _plain([tests.get("delta_D_avg_total")])[0],
        "p_effects": _plain([tests.get("p_jointeffects")])[0],
        "p_placebos": _plain([tests.get("p_jointplacebo")])[0],
    }


def _plain(values) -> list:
    """Return floats, None for missing."""
    return [None if value is None or not np.isfinite(value) else float(value) for value in values]


def main() -> None:
    """Write panels and results."""
    results = []
    panels = []
    for place, (name, make) in enumerate(PANELS.items()):
        table = make(np.random.default_rng([20261122, place]))
        panels.append(table.assign(panel=name))
        for options in RUNS[name]:
            found = estimate(table, COLUMNS, options, *SIZES[name])
            results.append({"panel": name, "options": options, "corrected": False, **found})
            if "cluster" in options and "controls" in options:
                with clusters_counted_right():
                    found = estimate(table, COLUMNS, options, *SIZES[name])
                results.append({"panel": name, "options": options, "corrected": True, **found})
            print(name, options, found["points"]["estimate"][0], found["points"]["error"][0], flush=True)
    documented = pd.read_csv(importlib.metadata.distribution("moderndid").locate_file(DOCUMENTED))
    documented = documented[["year", "county", "state_n", "Dl_vloans_b", "inter_bra"]]
    names = {"outcome": "Dl_vloans_b", "group": "county", "time": "year", "treatment": "inter_bra"}
    for options in (SAME | NORMAL | {"cluster": "state_n"}, {}):
        found = estimate(documented, names, options, 8, 3)
        results.append({"panel": "favara_imbs", "options": options, "corrected": False, **found})
    versions = {
        name: importlib.metadata.version(name) for name in ("py_did_multiplegt_dyn", "polars", "numpy")
    }
    versions |= {"python": platform.python_version(), "moderndid": importlib.metadata.version("moderndid")}
    pd.concat(panels).to_csv(HERE / "panels.csv", index=False)
    raw = documented.to_csv(index=False).encode()
    (HERE / "favara_imbs.csv.gz").write_bytes(gzip.compress(raw, mtime=0))
    text = json.dumps({"versions": versions, "runs": results}, indent=None)
    (HERE / "results.json").write_text(text.replace('{"panel"', '\n{"panel"') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
