"""Level and slope of the effect of a dose: a frozen reference, formulas by hand, known truth."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.models.continuous_dose import estimate_continuous_dose
from toolkit.models.group_time import AdoptionPanel

ORACLE = Path(__file__).parent.parent / "oracles" / "continuous_dose"


def panel_of(outcomes, cohorts, first=1.0):
    n_units, n_periods = outcomes.shape
    periods = np.arange(first, first + n_periods)
    return AdoptionPanel(outcomes, periods, cohorts, np.empty((n_units, 0)), np.ones(n_units))


def made(rng, n_units=200, noise=0.2, slope=0.6):
    cohorts = rng.choice([3.0, 4.0, np.inf], n_units)
    doses = rng.uniform(0.5, 1.5, n_units)
    on = np.arange(1, 7)[None, :] >= cohorts[:, None]
    outcomes = rng.normal(size=(n_units, 1)) + 0.1 * np.arange(6) + on * (0.2 + slope * doses)[:, None]
    return panel_of(outcomes + noise * rng.normal(size=outcomes.shape), cohorts), doses


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_level_slope_and_errors_equal_the_reference(degree):
    table = pd.read_csv(ORACLE / "panel.csv")
    units = table.drop_duplicates("unit").sort_values("unit")
    cohorts = np.where(units["start"] > 0, units["start"].astype(float), np.inf)
    outcomes = table.pivot_table(index="unit", columns="period", values="outcome").to_numpy()
    found = estimate_continuous_dose(panel_of(outcomes, cohorts), units["dose"].to_numpy(), degree=degree)
    wanted = json.loads((ORACLE / "results.json").read_text(encoding="utf-8"))["results"][str(degree)]
    assert found is not None
    errors = np.sqrt((found.influence**2).sum(axis=0)) / len(cohorts)
    assert [found.effect, found.slope] == pytest.approx([wanted["effect"], wanted["slope"]], abs=1e-9)
    assert errors == pytest.approx([wanted["effect_se"], wanted["slope_se"]], abs=1e-9)


def test_one_cohort_is_a_difference_of_means_and_a_regression_on_the_dose():
    rng = np.random.default_rng(1)
    outcomes, doses = rng.normal(size=(40, 2)), rng.uniform(size=40)
    cohorts = np.where(np.arange(40) < 25, 2.0, np.inf)
    found = estimate_continuous_dose(panel_of(outcomes, cohorts), doses)
    change = outcomes[:, 1] - outcomes[:, 0]
    assert found is not None
    assert found.effect == pytest.approx(change[:25].mean() - change[25:].mean())
    assert found.slope == pytest.approx(np.polyfit(doses[:25], change[:25], 1)[0])


def test_known_effects_come_back_and_errors_follow_the_spread():
    rng = np.random.default_rng(2)
    draws, errors = [], []
    for _ in range(200):
        panel, doses = made(rng)
        found = estimate_continuous_dose(panel, doses)
        assert found is not None
        draws.append((found.effect - 0.2 - 0.6 * doses[np.isfinite(panel.cohorts)].mean(), found.slope - 0.6))
        errors.append(np.sqrt((found.influence**2).sum(axis=0)) / panel.n_units)
    spread = np.std(draws, axis=0)
    assert (np.abs(np.mean(draws, axis=0)) < 4 * spread / np.sqrt(200)).all()
    np.testing.assert_allclose(np.mean(errors, axis=0)[1], spread[1], rtol=0.15)


def test_scale_of_the_dose_turns_the_slope_and_leaves_the_level():
    panel, doses = made(np.random.default_rng(3))
    one, other = (estimate_continuous_dose(panel, factor * doses, degree=2) for factor in (1.0, 100.0))
    assert one is not None
    assert other is not None
    assert other.effect == pytest.approx(one.effect)
    assert other.slope == pytest.approx(one.slope / 100)


def test_without_units_that_never_start_or_with_equal_doses_there_is_none():
    panel, doses = made(np.random.default_rng(4))
    dosed = np.isfinite(panel.cohorts)
    nobody = panel_of(panel.outcomes[dosed], panel.cohorts[dosed])
    assert estimate_continuous_dose(nobody, doses[dosed]) is None
    assert estimate_continuous_dose(panel, np.ones_like(doses)) is None
