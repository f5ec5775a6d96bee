"""Effects by cohort and period: published values, a reference program, plain formulas, known truth."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from toolkit.models import group_time_aggregates, group_time_influence, group_time_samples, propensity
from toolkit.models.group_time import NEVER, AdoptionPanel, estimate_group_time
from toolkit.models.group_time_aggregates import aggregate_group_time

ORACLES = Path(__file__).parents[1] / "oracles"
KINDS = ("simple", "event_time", "cohort", "period")


def wide(table, unit, period, outcome, cohort, covariates=(), weight=None):
    """Return the panel of a long table, and its units."""
    outcomes = table.pivot(index=unit, columns=period, values=outcome)
    fixed = table.groupby(unit).first()
    adopted = fixed[cohort].to_numpy(dtype=float)
    return AdoptionPanel(
        outcomes.to_numpy(),
        outcomes.columns.to_numpy(dtype=float),
        np.where(adopted == 0, NEVER, adopted),
        fixed[list(covariates)].to_numpy(dtype=float),
        np.ones(len(fixed)) if weight is None else fixed[weight].to_numpy(dtype=float),
    ), fixed


def standard_error(influence, clusters=None):
    """Return the root of the summed squares of what each unit, or cluster, adds."""
    n_units = len(influence)
    labels = np.arange(n_units) if clusters is None else clusters
    sums = np.zeros((labels.max() + 1, *influence.shape[1:]))
    np.add.at(sums, labels, influence)
    return np.sqrt((sums**2).sum(axis=0)) / n_units


@pytest.fixture(scope="module")
def mpdta():
    table = pd.read_csv(ORACLES / "mpdta" / "mpdta.csv")
    return {
        covariates: wide(table, "countyreal", "year", "lemp", "first_treat", covariates)[0]
        for covariates in ((), ("lpop",))
    }


@pytest.mark.parametrize(
    ("cohort", "period", "effect", "error"),
    [
        (2004, 2004, -0.010503, 0.023251), (2004, 2005, -0.070423, 0.030985),
        (2004, 2006, -0.137259, 0.036436), (2004, 2007, -0.100811, 0.034359),
        (2006, 2004, 0.006520, 0.023327), (2006, 2005, -0.002751, 0.019559),
        (2006, 2006, -0.004595, 0.017755), (2006, 2007, -0.041224, 0.020229),
        (2007, 2004, 0.030507, 0.015034), (2007, 2005, -0.002726, 0.016396),
        (2007, 2006, -0.031087, 0.017878), (2007, 2007, -0.026054, 0.016655),
    ],
)  # fmt: skip
def test_equals_the_published_effects_on_the_minimum_wage_panel(mpdta, cohort, period, effect, error):
    found = estimate_group_time(mpdta[()])
    (cell,) = np.flatnonzero((found.cohorts == cohort) & (found.periods == period))
    assert found.effects[cell] == pytest.approx(effect, abs=1e-6)
    assert standard_error(found.influence[:, cell]) == pytest.approx(error, abs=1e-5)


@pytest.mark.parametrize(
    ("covariates", "comparison", "kind", "effect", "error"),
    [
        ((), "never", "simple", -0.0399513, 0.0120340),
        ((), "not_yet", "simple", -0.0397636, 0.0120524),
        (("lpop",), "never", "simple", -0.0417518, 0.0115028),
        (("lpop",), "not_yet", "simple", -0.0413516, 0.0114278),
        ((), "never", "event_time", -0.0772398, 0.0199650),
        ((), "not_yet", "event_time", -0.0773993, 0.0195602),
        (("lpop",), "never", "event_time", -0.0803539, 0.0189576),
        (("lpop",), "not_yet", "event_time", -0.0799926, 0.0184940),
        ((), "never", "period", -0.0417004, 0.0159719),
        ((), "not_yet", "period", -0.0442671, 0.0155709),
        (("lpop",), "never", "period", -0.0441774, 0.0150382),
        (("lpop",), "not_yet", "period", -0.0456646, 0.0146983),
    ],
)
def test_equals_the_published_averages_on_the_minimum_wage_panel(
    mpdta, covariates, comparison, kind, effect, error
):
    found = aggregate_group_time(estimate_group_time(mpdta[covariates], comparison=comparison), kind)
    assert found.overall == pytest.approx(effect, abs=1e-6)
    assert standard_error(found.overall_influence) == pytest.approx(error, abs=1e-5)


@pytest.fixture(scope="module")
def reference():
    """Return the panel, and what csdid gives by design."""
    text = {"weights": str, "clusters": str, "at": str, "period": str}
    table = pd.read_csv(ORACLES / "csdid" / "csdid.csv", dtype=text)
    table = table.fillna(dict.fromkeys(text, ""))
    names = ["comparison", "formula", "base", "weights", "clusters", "anticipation"]
    return pd.read_csv(ORACLES / "csdid" / "panel.csv"), dict(list(table.groupby(names)))


@pytest.mark.parametrize("comparison", ["never", "not_yet"])
@pytest.mark.parametrize("covariates", [(), ("x1", "x2")])
@pytest.mark.parametrize("base", ["varying", "universal"])
@pytest.mark.parametrize("weight", ["", "weight"])
@pytest.mark.parametrize("anticipation", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_equals_csdid(reference, comparison, covariates, base, weight, anticipation):
    table, designs = reference
    panel, fixed = wide(table, "unit", "period", "y", "cohort", covariates, weight or None)
    found = estimate_group_time(panel, comparison=comparison, base=base, anticipation=anticipation)
    districts = fixed["district"].to_numpy()
    formula = f"y~{'+'.join(covariates) or 1}"
    for clusters in ("", "district"):
        expected = designs[comparison, formula, base, weight, clusters, anticipation]
        labels = districts if clusters else None
        cells = expected[expected["kind"] == "cell"]
        assert found.cohorts.tolist() == cells["at"].astype(float).tolist()
        assert found.periods.tolist() == cells["period"].astype(float).tolist()
        np.testing.assert_allclose(found.effects, cells["effect"], atol=1e-10)
        errors = standard_error(found.influence, labels)
        np.testing.assert_allclose(errors, cells["error"].fillna(0.0), atol=1e-8)
        for kind in KINDS:
            average = aggregate_group_time(found, kind)
            rows = expected[expected["kind"] == kind]
            overall, points = rows[rows["at"] == "overall"], rows[rows["at"] != "overall"]
            np.testing.assert_allclose(average.overall, overall["effect"].iloc[0], atol=1e-10)
            error = standard_error(average.overall_influence, labels)
            np.testing.assert_allclose(error, overall["error"].iloc[0], atol=1e-8)
            assert average.at.tolist() == points["at"].astype(float).tolist()
            np.testing.assert_allclose(average.effects, points["effect"], atol=1e-10)
            errors = standard_error(average.influence, labels)
            np.testing.assert_allclose(errors, points["error"].fillna(0.0), atol=1e-8)


def plain_effect(panel, cohort, period, before):
    """Return one effect from its definition, the logit by a general optimiser."""
    treated = panel.cohorts == cohort
    sample = treated | ~np.isfinite(panel.cohorts)
    design = np.column_stack([np.ones(panel.n_units), panel.covariates])[sample]
    d, w = treated[sample], panel.weights[sample]
    y = (panel.outcomes[:, period] - panel.outcomes[:, before])[sample]

    def loss(b):
        return (w * (np.logaddexp(0, design @ b) - d * (design @ b))).sum()

    odds = np.exp(design @ minimize(loss, np.zeros(design.shape[1]), tol=1e-14).x)
    slope = np.linalg.lstsq(design[~d] * np.sqrt(w[~d])[:, None], y[~d] * np.sqrt(w[~d]), rcond=None)[0]
    gap = y - design @ slope
    return np.average(gap[d], weights=w[d]) - np.average(gap[~d], weights=(w * odds)[~d])


def small_panel(rng, n_units=60, n_periods=5, *, effect=0.0):
    cohorts = rng.choice([3.0, 4.0, NEVER], n_units)
    periods = np.arange(1.0, n_periods + 1)
    x = rng.normal(size=(n_units, 2))
    outcomes = rng.normal(size=(n_units, n_periods)) + x[:, :1] * periods
    outcomes += effect * (periods >= cohorts[:, None])
    return AdoptionPanel(outcomes, periods, cohorts, x, rng.uniform(0.5, 2, n_units))


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_definition_by_brute_force(seed):
    panel = small_panel(np.random.default_rng(seed))
    found = estimate_group_time(panel)
    for position in range(len(found.effects)):
        pair = [int(found.periods[position]) - 1, int(found.bases[position]) - 1]
        expected = plain_effect(panel, found.cohorts[position], *pair)
        assert found.effects[position] == pytest.approx(expected, abs=1e-6)


def test_without_covariates_an_effect_is_a_difference_of_mean_changes():
    panel = replace(small_panel(np.random.default_rng(3)), covariates=np.empty((60, 0)))
    found = estimate_group_time(panel, base="universal")
    (cell,) = np.flatnonzero((found.cohorts == 3) & (found.periods == 5))
    change = panel.outcomes[:, 4] - panel.outcomes[:, 1]
    means = [
        np.average(change[chosen], weights=panel.weights[chosen])
        for chosen in (panel.cohorts == 3, ~np.isfinite(panel.cohorts))
    ]
    assert found.effects[cell] == pytest.approx(means[0] - means[1], abs=1e-12)


def test_the_influence_is_what_a_small_change_of_a_weight_does():
    panel = small_panel(np.random.default_rng(4))
    found = estimate_group_time(panel, comparison="not_yet")
    step = 1e-6
    for unit in range(0, panel.n_units, 7):
        weights = panel.weights.copy()
        weights[unit] *= 1 + step
        moved = estimate_group_time(replace(panel, weights=weights), comparison="not_yet")
        slope = (moved.effects - found.effects) / step * panel.n_units
        np.testing.assert_allclose(found.influence[unit], slope, atol=2e-4)
        averages = [aggregate_group_time(each, "simple") for each in (found, moved)]
        slope = (averages[1].overall - averages[0].overall) / step * panel.n_units
        assert averages[0].overall_influence[unit] == pytest.approx(slope, abs=2e-4)


def test_the_influence_of_all_units_sums_to_zero():
    found = estimate_group_time(small_panel(np.random.default_rng(5)))
    np.testing.assert_allclose(found.influence.sum(axis=0), 0, atol=1e-8)


@pytest.mark.parametrize("comparison", ["never", "not_yet"])
@pytest.mark.parametrize("has_gaps", [False, True])
def test_the_influence_on_a_sum_of_effects_is_the_sum_of_the_influences(comparison, has_gaps):
    rng = np.random.default_rng(12)
    panel = small_panel(rng)
    if has_gaps:
        outcomes = np.where(rng.random(panel.outcomes.shape) < 0.1, np.nan, panel.outcomes)
        panel = replace(panel, outcomes=outcomes)
    found = estimate_group_time(panel, comparison=comparison, base="universal")
    weights = rng.normal(size=(len(found.effects), 3)) * np.isfinite(found.effects)[:, None]
    expected = np.nan_to_num(found.influence) @ weights
    np.testing.assert_allclose(found.combine_influence(weights), expected, atol=1e-9)


def test_refused_cells_have_no_influence_and_do_not_enter_sums_with_weight_zero():
    panel = replace(small_panel(np.random.default_rng(11)), cohorts=np.repeat([3.0, 5.0], 30))
    found = estimate_group_time(panel, comparison="not_yet")
    known = np.isfinite(found.effects)
    assert not known.all()
    np.testing.assert_array_equal(np.isfinite(found.influence), np.tile(known, (60, 1)))
    assert np.isfinite(found.combine_influence(known[:, None].astype(float))).all()


@pytest.mark.parametrize("has_gaps", [False, True])
def test_units_taken_a_few_at_a_time_give_the_same(has_gaps, monkeypatch):
    rng = np.random.default_rng(13)
    panel = small_panel(rng)
    if has_gaps:
        outcomes = np.where(rng.random(panel.outcomes.shape) < 0.05, np.nan, panel.outcomes)
        panel = replace(panel, outcomes=outcomes)
    whole = estimate_group_time(panel, comparison="not_yet")
    averages = aggregate_group_time(whole, "event_time")
    for module in (propensity, group_time_samples, group_time_influence, group_time_aggregates):
        monkeypatch.setattr(module, "BLOCK_UNITS", 7)
    parts = estimate_group_time(panel, comparison="not_yet")
    np.testing.assert_allclose(parts.effects, whole.effects, atol=1e-10)
    again = aggregate_group_time(parts, "event_time")
    np.testing.assert_allclose(again.influence, averages.influence, atol=1e-9)


def test_order_of_units_level_of_outcomes_and_scale_of_weights_change_nothing():
    rng = np.random.default_rng(6)
    panel = small_panel(rng)
    order = rng.permutation(panel.n_units)
    found = estimate_group_time(panel)
    other = replace(panel, outcomes=panel.outcomes + rng.normal(size=(60, 1)) + 7, weights=3 * panel.weights)
    again = estimate_group_time(other.take(order))
    np.testing.assert_allclose(again.effects, found.effects, atol=1e-10)
    np.testing.assert_allclose(again.influence, found.influence[order], atol=1e-7)


def test_a_constant_effect_is_recovered_within_its_error():
    panel = small_panel(np.random.default_rng(7), n_units=4000, effect=0.5)
    average = aggregate_group_time(estimate_group_time(panel, comparison="not_yet"), "simple")
    error = standard_error(average.overall_influence)
    assert error < 0.06
    assert abs(average.overall - 0.5) < 3 * error


def test_pairs_take_units_seen_in_both_periods_and_complete_those_seen_in_all():
    panel = small_panel(np.random.default_rng(8))
    outcomes = panel.outcomes.copy()
    outcomes[:20:2, 0] = np.nan
    gaps = replace(panel, outcomes=outcomes)
    pairs, complete = (estimate_group_time(gaps, unbalanced=rule) for rule in ("pairs", "complete"))
    whole = estimate_group_time(panel)
    unaffected = np.minimum(pairs.periods, pairs.bases) > 1
    np.testing.assert_allclose(pairs.effects[unaffected], whole.effects[unaffected], atol=1e-12)
    assert (pairs.n_treated + pairs.n_comparison)[~unaffected].max() < len(pairs.used)
    seen = estimate_group_time(panel.take(np.flatnonzero(np.isfinite(outcomes).all(axis=1))))
    np.testing.assert_allclose(complete.effects, seen.effects, atol=1e-12)


def test_units_treated_from_the_start_are_left_out():
    panel = small_panel(np.random.default_rng(9))
    early = replace(panel, cohorts=np.where(np.arange(60) < 5, 1.0, panel.cohorts))
    assert estimate_group_time(early).used.tolist() == list(range(5, 60))


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"cohorts": np.repeat([3.0, 4.0], 30)}, "no_comparison"),
        ({"covariates": np.repeat([[1.0, 2.0]], 60, axis=0)}, "collinear_covariates"),
        ({"cohorts": np.repeat([3.0, NEVER], 30), "covariates": np.arange(60.0)[:, None]}, "no_overlap"),
        # The comparison, 0.4 % of all weight, is trimmed to nothing.
        (
            {
                "cohorts": np.repeat([3.0, NEVER], [59, 1]),
                "covariates": np.empty((60, 0)),
                "weights": np.repeat([1.0, 0.25], [59, 1]),
            },
            "no_overlap",
        ),
    ],
)
def test_a_cell_that_is_not_identified_is_refused_and_says_why(change, refusal):
    found = estimate_group_time(replace(small_panel(np.random.default_rng(10)), **change))
    assert set(found.refusals) == {refusal}
    assert np.isnan(found.effects).all()
    with pytest.raises(ValueError, match="no effect after adoption"):
        aggregate_group_time(found, "simple")


def test_the_last_cohort_serves_those_before_it_as_comparison_until_it_adopts():
    panel = replace(small_panel(np.random.default_rng(11)), cohorts=np.repeat([3.0, 5.0], 30))
    found = estimate_group_time(panel, comparison="not_yet")
    by_cell = dict(zip(zip(found.cohorts, found.periods, strict=True), found.refusals, strict=True))
    assert [by_cell[3.0, period] for period in (3.0, 4.0, 5.0)] == ["", "", "no_comparison"]
    # Its own placebo periods have no comparison once the first cohort has adopted.
    assert [by_cell[5.0, period] for period in (2.0, 3.0, 4.0, 5.0)] == ["", *["no_comparison"] * 3]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weights": np.zeros(60)}, "weights"),
        ({"periods": np.array([1.0, 3, 2, 4, 5])}, "increase"),
        ({"covariates": np.full((60, 1), np.nan)}, "covariates"),
        ({"cohorts": np.ones(3)}, "60 units"),
    ],
)
def test_a_panel_that_does_not_fit_together_is_refused(change, said):
    with pytest.raises(ValueError, match=said):
        replace(small_panel(np.random.default_rng(12)), **change)
