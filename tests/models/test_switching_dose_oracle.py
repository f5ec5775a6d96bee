"""Effects of switching doses beside the authors' program: frozen estimates, errors and documented example."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.models.switching_dose import estimate_switching_dose
from toolkit.models.switching_dose_effects import compute_joint_test
from toolkit.models.switching_dose_panel import dose_panel

FOLDER = Path(__file__).parents[1] / "oracles" / "switching_dose"
RUNS = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))["runs"]
SIZES = {"staggered": (5, 3), "once": (4, 2), "switching": (4, 3), "scattered": (3, 2), "favara_imbs": (8, 3)}
DIRECTIONS = {None: "both", "in": "increase", "out": "decrease"}


@pytest.fixture(scope="module")
def tables():
    found = dict(list(pd.read_csv(FOLDER / "panels.csv").groupby("panel")))
    names = {
        "county": "unit",
        "year": "period",
        "state_n": "cluster",
        "Dl_vloans_b": "y",
        "inter_bra": "dose",
    }
    return found | {"favara_imbs": pd.read_csv(FOLDER / "favara_imbs.csv.gz").rename(columns=names)}


def wide(table, column):
    return table.pivot(index="unit", columns="period", values=column).to_numpy(dtype=float)


def estimate(table, options, n_effects, n_placebos):
    """Return the estimates for options as the authors name them."""
    fixed = table.groupby("unit").first()
    panel = dose_panel(
        wide(table, "y"),
        wide(table, "dose"),
        weights=wide(table, "weight") if "weight" in options else None,
        clusters=fixed["cluster"].to_numpy() if "cluster" in options else None,
        strata=fixed["stratum"].to_numpy() if "trends_nonparam" in options else None,
        covariates=np.stack([wide(table, name) for name in options["controls"]], axis=2)
        if "controls" in options
        else None,
    )
    return estimate_switching_dose(
        panel,
        n_effects=options.get("effects", n_effects),
        n_placebos=options.get("placebo", n_placebos),
        direction=DIRECTIONS[options.get("switchers")],
        comparison="never" if "only_never_switchers" in options else "not_yet",
        same_switchers="same_switchers" in options,
        keep_crossing="dont_drop_larger_lower" in options,
        polynomial=options.get("continuous", 0),
    )


def numbers(values):
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def describe(run):
    words = [f"{name}={value}" for name, value in run["options"].items()]
    return "-".join([run["panel"], *words, *["corrected"] * run["corrected"]])


@pytest.mark.parametrize("run", RUNS, ids=describe)
def test_equals_the_program_of_the_authors(tables, run):
    options = run["options"]
    found = estimate(tables[run["panel"]], options, *SIZES[run["panel"]])
    program = {name: numbers(values) for name, values in run["points"].items()}
    at = program["horizon"].astype(int)
    scale = np.abs(found.dose_changes) if "normalized" in options else np.ones(len(found.effects))
    place = {int(time): position for position, time in enumerate(found.event_times)}
    order = [place[time] for time in at if time]
    own = np.append((found.effects / scale)[order], found.average)
    errors = np.append((found.std_errors / scale)[order], found.average_std_error)
    counts = np.append(found.n_switchers[order], found.n_switchers[found.event_times > 0].sum())
    cells = np.append(found.n_observations[order], found.n_average_observations)
    ours = np.concatenate([np.flatnonzero(at), np.flatnonzero(at == 0)])
    # The program counts a cluster too many where covariates and clusters meet.
    miscounts = {"cluster", "controls"} <= set(options) and not run["corrected"]
    np.testing.assert_allclose(own, program["estimate"][ours], rtol=0, atol=1e-9)
    np.testing.assert_allclose(errors, program["error"][ours], rtol=2e-3 if miscounts else 1e-8)
    np.testing.assert_array_equal(counts, program["switchers"][ours])
    np.testing.assert_array_equal(cells, program["observations"][ours])
    if miscounts:
        return
    theirs = np.array([numbers(row) for row in run["covariance"]])
    covariance = (found.covariance[:-1, :-1] / np.outer(scale, scale))[np.ix_(order, order)]
    np.testing.assert_allclose(covariance, theirs, rtol=0, atol=1e-10)
    for name, chosen in (("p_effects", found.event_times > 0), ("p_placebos", found.event_times < 0)):
        if run[name] is not None:
            assert compute_joint_test(found, chosen).p_value == pytest.approx(run[name], abs=1e-9)
    if "weight" not in options:
        assert found.average_periods == pytest.approx(run["average_periods"], abs=1e-9)


def test_equals_the_documented_effects_of_lifting_limits_on_banking(tables):
    # Documentation of py-did-multiplegt-dyn 0.1.9: normalised effects, clusters by state, same switchers.
    found = estimate(tables["favara_imbs"], {"cluster": 1, "same_switchers": True}, 8, 3)
    exposed = found.event_times > 0
    errors = found.std_errors / found.dose_changes
    documented = [0.0240393, 0.0116702, 0.0143443, 0.0115211, 0.0161627, 0.0133861, 0.00981002, 0.0100838]
    assert found.normalised[exposed] == pytest.approx(documented, abs=5e-8)
    documented = [0.0184241, 0.0106714, 0.00828821, 0.00819515]
    assert errors[exposed][:4] == pytest.approx(documented, abs=5e-8)
    documented = [0.00684205, 0.00625129, 0.00495722, 0.00430933]
    assert errors[exposed][4:] == pytest.approx(documented, abs=5e-9)
    assert found.normalised[~exposed][::-1] == pytest.approx([0.0303785, -0.0217763, -0.0137113], abs=5e-8)
    assert errors[~exposed][::-1] == pytest.approx([0.0264052, 0.0253522, 0.0263437], abs=5e-8)
    assert (found.average, found.average_std_error) == pytest.approx((0.055063, 0.0268082), abs=5e-8)
    assert list(found.n_observations[exposed]) == [3368, 2604, 2031, 1541, 1412, 1293, 1248, 1248]
    assert list(found.n_switchers[~exposed][::-1]) == [764, 497, 358]
    assert (found.n_average_observations, found.n_switchers[exposed].sum()) == (9861, 6184)
