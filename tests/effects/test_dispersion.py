"""The effect on inequality: algebra by hand, known truths, and where each version errs."""

import numpy as np
import pytest

from tests.effects.samples import make_sample, never
from toolkit.effects.dispersion import estimate_dispersion_effect
from toolkit.models.counterfactual_dispersion import compute_dispersion_paths
from toolkit.models.group_time import NEVER, AdoptionPanel

PERIODS = np.arange(2016.0, 2022.0)


def draw_panel(rng, *, n_units=400, noise=0.0, spread=1.0, effect=0.3, closing=0.0):
    """Return a panel and the same without treatment; weak schools join, and may gain more."""
    level = spread * rng.normal(size=n_units)
    joins = rng.random(n_units) < np.where(level < 0, 0.5, 0.2)
    cohorts = np.where(joins, rng.choice([2018.0, 2020.0], n_units), NEVER)
    untreated = level[:, None] + 0.1 * (PERIODS - 2016) + noise * rng.normal(size=(n_units, len(PERIODS)))
    gain = effect - closing * level
    outcomes = untreated + gain[:, None] * (cohorts[:, None] <= PERIODS)
    weights = rng.uniform(0.5, 2, n_units)
    panels = [
        AdoptionPanel(y, PERIODS, cohorts, np.empty((n_units, 0)), weights) for y in (outcomes, untreated)
    ]
    return panels[0], panels[1]


def variance_of(panel, period):
    values = panel.outcomes[:, list(PERIODS).index(period)]
    mean = np.average(values, weights=panel.weights)
    return np.average((values - mean) ** 2, weights=panel.weights)


def test_without_noise_and_with_one_effect_both_versions_give_the_variance_without_adoption():
    panel, untreated = draw_panel(np.random.default_rng(1))
    paths = compute_dispersion_paths(panel)
    truth = [variance_of(untreated, period) for period in PERIODS]
    np.testing.assert_allclose(paths.variance_shifted, truth, rtol=1e-9)
    np.testing.assert_allclose(paths.variance_squares, truth, rtol=1e-9)
    np.testing.assert_allclose(paths.variance, [variance_of(panel, period) for period in PERIODS])
    assert paths.treated_share[:2].tolist() == [0, 0]


def test_where_weak_schools_gain_more_only_the_squares_give_the_variance_without_adoption():
    panel, untreated = draw_panel(np.random.default_rng(2), closing=0.4)
    paths = compute_dispersion_paths(panel)
    truth = variance_of(untreated, 2021.0)
    assert paths.variance_squares[-1] == pytest.approx(truth, rel=1e-9)
    assert paths.variance_shifted[-1] < 0.97 * truth
    assert paths.variance[-1] < truth


def test_where_the_adopters_would_have_spread_by_themselves_only_the_shift_is_right():
    rng = np.random.default_rng(3)
    panel, untreated = draw_panel(rng)
    apart = np.zeros(panel.outcomes.shape)
    for cohort in (2018.0, 2020.0):
        own = panel.cohorts == cohort
        drift = rng.normal(size=own.sum())
        drift -= np.average(drift, weights=panel.weights[own])
        apart[np.ix_(own, cohort <= PERIODS)] = drift[:, None]
    spread = [
        AdoptionPanel(p.outcomes + apart, PERIODS, p.cohorts, p.covariates, p.weights)
        for p in (panel, untreated)
    ]
    paths = compute_dispersion_paths(spread[0])
    truth = variance_of(spread[1], 2021.0)
    assert paths.variance_shifted[-1] == pytest.approx(truth, rel=1e-9)
    assert abs(paths.variance_squares[-1] - truth) > 0.05


def test_level_and_scale_of_the_outcome_and_order_of_units_do_what_they_must():
    rng = np.random.default_rng(4)
    panel, _ = draw_panel(rng, noise=0.2)
    paths = compute_dispersion_paths(panel)
    order = rng.permutation(panel.n_units)
    moved = AdoptionPanel(
        5 + 3 * panel.outcomes[order],
        PERIODS,
        panel.cohorts[order],
        panel.covariates,
        2 * panel.weights[order],
    )
    again = compute_dispersion_paths(moved)
    for name in ("variance", "variance_shifted", "variance_squares"):
        np.testing.assert_allclose(getattr(again, name), 9 * getattr(paths, name), rtol=1e-9)
    np.testing.assert_allclose(again.mean_untreated, 5 + 3 * paths.mean_untreated)


def make_noisy(rng, *, n_groups=12, n_never=40, closing=0.0, effect=0.2, noise=0.3):
    """Return a sample of groups of two, and its inequality without adoption in the treated years."""
    dates = [year for number in range(n_groups) for year in [(2019, 2021)[number % 2]] * 2]
    groups = [f"集团{number}" for number in range(n_groups) for _ in range(2)] + [""] * n_never
    periods = np.arange(2016.0, 2024.0)
    level = rng.normal(size=len(groups))
    cohorts = np.array([*dates, *[np.inf] * n_never])
    untreated = level[:, None] + noise * rng.normal(size=(len(groups), len(periods)))
    exposed = periods >= cohorts[:, None]
    outcomes = untreated + (effect - closing * level)[:, None] * exposed
    sample = make_sample([*dates, *never(n_never)], groups=groups, outcomes=outcomes, periods=periods)
    late = periods >= 2019
    truth = (outcomes.var(axis=0) - untreated.var(axis=0))[late].mean()
    return sample, truth


@pytest.mark.slow
def test_over_many_samples_effects_are_unbiased_and_their_errors_right():
    rng = np.random.default_rng(5)
    errors, stated, inside = [], [], []
    for _ in range(60):
        sample, truth = make_noisy(rng)
        found = estimate_dispersion_effect(sample, measure="variance").effects
        errors.append(found["effect"].to_numpy() - truth)
        stated.append(found["std_error"].to_numpy())
        inside.append(((found["conf_low"] < truth) & (truth < found["conf_high"])).to_numpy())
    bias, scatter = np.mean(errors, axis=0), np.std(errors, axis=0)
    assert (np.abs(bias) < 3 * scatter / np.sqrt(60)).all()
    assert (np.abs(np.mean(stated, axis=0) / scatter - 1) < 0.35).all()
    assert (np.mean(inside, axis=0) >= 0.88).all()


def test_years_are_listed_with_what_was_observed_and_what_would_have_been():
    sample, _ = make_noisy(np.random.default_rng(6), closing=0.3)
    found = estimate_dispersion_effect(sample)
    assert found.years["year"].tolist() == list(range(2016, 2024))
    assert (found.years["treated_share"] > 0).tolist() == [False] * 3 + [True] * 5
    before = found.years[found.years["treated_share"] == 0]
    np.testing.assert_allclose(before["observed"], before["without_shifted"])
    assert found.effects["version"].tolist() == ["shifted", "squares"]
    assert found.effects.set_index("version").at["squares", "effect"] < 0


def test_intervals_reach_out_by_their_critical_value_which_grows_with_the_confidence_level():
    sample, _ = make_noisy(np.random.default_rng(10))
    low, high = (estimate_dispersion_effect(sample, confidence_level=level).effects for level in (0.9, 0.99))
    half = high["critical_value"] * high["std_error"]
    np.testing.assert_allclose(high["conf_high"] - high["effect"], half)
    np.testing.assert_allclose(high["effect"] - high["conf_low"], half)
    assert (low["std_error"] == high["std_error"]).all()
    assert (low["critical_value"] * 1.4 < high["critical_value"]).all()


def test_a_single_adopting_group_gives_a_figure_without_an_interval():
    sample, _ = make_noisy(np.random.default_rng(9), n_groups=1, n_never=20)
    found = estimate_dispersion_effect(sample).effects
    assert found["effect"].notna().all()
    assert found[["std_error", "conf_low", "conf_high"]].isna().all(axis=None)


def test_a_coefficient_of_variation_of_standardised_scores_is_refused():
    sample, _ = make_noisy(np.random.default_rng(7))
    with pytest.raises(ValueError, match="true zero"):
        estimate_dispersion_effect(sample, measure="cv")


def test_a_coefficient_of_variation_is_free_of_the_unit():
    sample, _ = make_noisy(np.random.default_rng(8), noise=0.1)
    parts = [
        estimate_dispersion_effect(
            make_sample(
                [None if np.isinf(year) else int(year) for year in sample.cohorts],
                outcomes=scale * (sample.outcomes + 10), periods=sample.periods, clusters=sample.clusters,
            ),
            measure="cv", is_ratio_scale=True,
        ).effects["effect"].to_numpy()
        for scale in (1.0, 7.0)
    ]  # fmt: skip
    np.testing.assert_allclose(parts[0], parts[1], rtol=1e-9)


def test_a_sample_without_treated_years_is_refused():
    sample = make_sample(never(10), outcomes=np.zeros((10, 3)), periods=np.array([1.0, 2.0, 3.0]))
    with pytest.raises(ValueError, match="no year has treated"):
        estimate_dispersion_effect(sample)
