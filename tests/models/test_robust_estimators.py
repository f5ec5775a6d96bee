"""Other estimators of adoption: equal to other programs, to slow formulas, and invariant."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.models.robustness_panel import LAST, frozen_estimates, frozen_panel, make_panel
from toolkit.models.diff_diff_adapter import (
    decompose_two_way,
    estimate_local_projection,
    estimate_sun_abraham,
)
from toolkit.models.group_time import NEVER, estimate_group_time
from toolkit.models.group_time_aggregates import aggregate_group_time
from toolkit.models.imputation import estimate_imputation
from toolkit.models.stacked import estimate_stacked
from toolkit.models.two_way import estimate_two_way

WINDOWED = {
    "sun_abraham": estimate_sun_abraham,
    "stacked": estimate_stacked,
    "local_projection": estimate_local_projection,
    "imputation": estimate_imputation,
}
OWN = {"stacked": estimate_stacked, "imputation": estimate_imputation}
EVERY_DESIGN = [(early, weights, gaps) for early in (0, 1) for weights in ("", "weight") for gaps in (0, 1)]
SOME_DESIGNS = [(0, "", 0), (1, "weight", 0), (1, "weight", 1)]
GOLDEN = [("pyfixest", "stacked", *design) for design in EVERY_DESIGN]
GOLDEN += [("pyfixest", "two_way", *design) for design in EVERY_DESIGN]
GOLDEN += [("imputation", "imputation", *design) for design in EVERY_DESIGN]
GOLDEN += [
    ("pyfixest", name, *design) for name in ("sun_abraham", "local_projection") for design in SOME_DESIGNS
]


def estimated(method, panel, clusters, anticipation, last=LAST):
    if method == "two_way":
        return estimate_two_way(panel, clusters, anticipation=anticipation)
    return WINDOWED[method](panel, clusters, last=last, anticipation=anticipation)


def frozen_row(program, method, early, weights, gaps):
    table = frozen_estimates(program)
    rows = table[
        (table["method"] == method)
        & (table["anticipation"] == early)
        & (table["weights"] == weights)
        & (table["gaps"] == gaps)
    ]
    return rows.squeeze()


def simulated(seed=0, *, n_never=12, n_groups=6, gaps=0.0, n_periods=9):
    """Return groups of three that join in 2013 or 2015, with clusters by group."""
    rng = np.random.default_rng(seed)
    dates = [(2013, 2015)[number % 2] for number in range(n_groups) for _ in range(3)]
    cohorts = np.array([*dates, *[NEVER] * n_never], dtype=float)
    outcomes = rng.normal(size=(len(cohorts), 1)) + rng.normal(scale=0.3, size=(len(cohorts), n_periods))
    outcomes[rng.random(outcomes.shape) < gaps] = np.nan
    panel, _ = make_panel(cohorts, outcomes, weights=rng.uniform(0.5, 2, len(cohorts)))
    clusters = np.concatenate([np.repeat(np.arange(n_groups), 3), 100 + np.arange(n_never)])
    return panel, clusters


@pytest.mark.parametrize(("program", "method", "early", "weights", "gaps"), GOLDEN)
def test_estimate_and_error_are_those_of_the_reference_program(program, method, early, weights, gaps):
    found = estimated(method, *frozen_panel(weighted=bool(weights), gaps=bool(gaps)), early)
    expected = frozen_row(program, method, early, weights, gaps)
    assert found.estimate == pytest.approx(expected["estimate"], abs=1e-6)
    assert found.std_error == pytest.approx(expected["error"], abs=1e-6)
    assert found.refusal == ""


def test_the_imputation_estimate_is_that_of_the_two_stage_regression():
    expected = frozen_row("pyfixest", "two_stage", 1, "weight", 0)["estimate"]
    assert estimated("imputation", *frozen_panel(weighted=True), 1).estimate == pytest.approx(
        expected, abs=1e-6
    )


def test_sun_abraham_without_covariates_is_that_of_the_saturated_event_study():
    expected = frozen_row("pyfixest", "saturated", 0, "", 0)["estimate"]
    assert estimated("sun_abraham", *frozen_panel(), 0).estimate == pytest.approx(expected, abs=1e-6)


def test_the_local_projection_of_one_year_is_that_of_pyfixest():
    expected = frozen_row("pyfixest", "lpdid", 0, "", 0)["estimate"]
    found = estimate_local_projection(*frozen_panel(), last=0, comparison="not_yet")
    assert found.estimate == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("method", ["sun_abraham", "stacked"])
def test_with_complete_data_they_are_the_group_time_effects_without_covariates(method):
    panel, clusters = frozen_panel(weighted=True)
    cells = estimate_group_time(panel, comparison="never", base="universal", anticipation=1)
    expected = aggregate_group_time(cells, "event_time", event_times=(-9, LAST)).overall
    assert estimated(method, panel, clusters, 1).estimate == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("method", [*WINDOWED, "two_way"])
def test_without_noise_the_effect_comes_back_and_the_years_of_anticipation_do_not_enter(method):
    panel, clusters = simulated()
    since = panel.periods[None, :] - panel.cohorts[:, None]
    level = np.random.default_rng(1).normal(size=(panel.n_units, 1))
    outcomes = level + np.arange(9) ** 1.5 + 0.5 * (since >= 0) - 7.0 * (since == -1)
    found = estimated(method, replace(panel, outcomes=outcomes), clusters, 1)
    assert found.estimate == pytest.approx(0.5, abs=1e-9)
    assert found.std_error == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("method", [*OWN, "two_way"])
def test_nothing_moves_when_units_are_reordered_or_levels_and_years_shift(method):
    panel, clusters = simulated(2, gaps=0.05)
    found = estimated(method, panel, clusters, 1)
    order = np.random.default_rng(3).permutation(panel.n_units)
    shift = np.random.default_rng(4).normal(size=(panel.n_units, 1)) + np.arange(9) * 0.3
    for moved, labels in (
        (panel.take(order), clusters[order]),
        (replace(panel, outcomes=panel.outcomes + shift), clusters),
        (replace(panel, weights=panel.weights * 7), clusters * 3 + 1),
    ):
        other = estimated(method, moved, labels, 1)
        assert other.estimate == pytest.approx(found.estimate, abs=1e-10)
        assert other.std_error == pytest.approx(found.std_error, abs=1e-10)


def test_units_of_the_library_may_stand_in_any_order():
    panel, clusters = simulated(5)
    order = np.random.default_rng(6).permutation(panel.n_units)
    for method in ("sun_abraham", "local_projection"):
        found = estimated(method, panel, clusters, 1)
        other = estimated(method, panel.take(order), clusters[order], 1)
        assert other.estimate == pytest.approx(found.estimate, abs=1e-10)
        assert other.std_error == pytest.approx(found.std_error, abs=1e-10)


def test_the_stacked_estimate_is_the_slow_difference_of_differences():
    panel, clusters = simulated(7, gaps=0.03)
    # The cohort of 2017 may serve that of 2013 up to 2015, that of 2016 is in anticipation by then.
    late = np.select([clusters == 3, clusters == 5], [2016.0, 2017.0], panel.cohorts)
    panel = replace(panel, cohorts=late)
    y, w, t = panel.outcomes, panel.weights, panel.periods.tolist()
    differences, sizes = [], []
    for cohort in (2013.0, 2015.0, 2016.0):
        joined, rest = [], []
        for unit in range(panel.n_units):
            window = [y[unit, t.index(cohort + at)] for at in range(LAST + 1)]
            change = sum(window) / len(window) - y[unit, t.index(cohort - 2)]
            later = panel.cohorts[unit] > cohort + LAST + 1
            if np.isfinite(change) and (panel.cohorts[unit] == cohort or later):
                (joined if panel.cohorts[unit] == cohort else rest).append((w[unit], change))
        means = [sum(a * b for a, b in side) / sum(a for a, _ in side) for side in (joined, rest)]
        differences.append(means[0] - means[1])
        sizes.append(sum(a for a, _ in joined))
    expected = np.average(differences, weights=sizes)
    found = estimate_stacked(panel, clusters, last=LAST, anticipation=1, comparison="not_yet")
    assert found.estimate == pytest.approx(expected, abs=1e-12)


def test_imputation_by_dummies_gives_the_same_estimate():
    panel, clusters = simulated(8, gaps=0.05)
    since = panel.periods[None, :] - panel.cohorts[:, None]
    unit, period = np.nonzero(np.isfinite(panel.outcomes))
    design = np.column_stack([np.eye(panel.n_units)[unit], np.eye(9)[period]])
    untreated = since[unit, period] < -1
    root = np.sqrt(panel.weights[unit])[untreated, None]
    outcome = panel.outcomes[unit, period]
    fit = np.linalg.lstsq(design[untreated] * root, outcome[untreated] * root[:, 0], rcond=None)[0]
    effects = pd.DataFrame(
        {"since": since[unit, period], "effect": outcome - design @ fit, "w": panel.weights[unit]}
    )
    by_time = [
        np.average(rows["effect"], weights=rows["w"])
        for at, rows in effects.groupby("since")
        if 0 <= at <= LAST
    ]
    found = estimate_imputation(panel, clusters, last=LAST, anticipation=1)
    assert found.estimate == pytest.approx(np.mean(by_time), abs=1e-10)


def slow_two_way(outcomes, dummy, weights):
    """Return the coefficient of the dummy and its mean squared residual, by dummies of unit and period."""
    n_units, n_periods = outcomes.shape
    effects = np.column_stack(
        [np.repeat(np.eye(n_units), n_periods, axis=0), np.tile(np.eye(n_periods), (n_units, 1))]
    )
    root = np.sqrt(np.repeat(weights, n_periods))
    target = dummy.ravel() * root
    rest = (
        target - (effects * root[:, None]) @ np.linalg.lstsq(effects * root[:, None], target, rcond=None)[0]
    )
    return rest @ (outcomes.ravel() * root) / (rest @ rest), rest @ rest / (weights.sum() * n_periods)


def slow_comparisons(panel):
    """Return weight and estimate of every comparison of two cohorts, by regressions on their data alone."""
    y, t = panel.outcomes, panel.periods
    dummy = (t[None, :] >= panel.cohorts[:, None]).astype(float)
    total = slow_two_way(y, dummy, panel.weights)
    rows = {}
    cohorts = np.unique(panel.cohorts)
    for treated in cohorts[np.isfinite(cohorts)]:
        for other in cohorts[cohorts != treated]:
            years = t < other if treated < other else t >= other
            units = np.isin(panel.cohorts, [treated, other])
            chosen = dummy[units][:, years]
            own = panel.weights[units]
            estimate, variance = slow_two_way(y[units][:, years], chosen, own)
            share = own.sum() / panel.weights.sum() * years.mean()
            rows[(treated, other)] = (share**2 * variance / total[1], estimate)
    return total[0], rows


@pytest.mark.parametrize("weighted", [False, True])
def test_the_decomposition_is_that_of_regressions_on_every_pair_of_cohorts(weighted):
    panel, clusters = simulated(9)
    panel = replace(panel, cohorts=np.where(clusters == 5, 2017.0, panel.cohorts))
    panel = panel if weighted else replace(panel, weights=np.ones(panel.n_units))
    found = decompose_two_way(panel)
    two_way, expected = slow_comparisons(panel)
    assert not isinstance(found, str)
    table = found.comparisons
    assert len(table) == len(expected) == 9
    for row in table.itertuples():
        other = NEVER if np.isnan(row.comparison_cohort) else row.comparison_cohort
        assert (row.weight, row.estimate) == pytest.approx(expected[(row.cohort, other)], abs=1e-9)
    assert table["weight"].sum() == pytest.approx(1, abs=1e-9)
    assert (table["weight"] * table["estimate"]).sum() == pytest.approx(two_way, abs=1e-9)
    assert found.two_way == pytest.approx(estimate_two_way(panel, clusters).estimate, abs=1e-9)


def test_units_treated_from_the_start_are_left_out_of_the_decomposition():
    panel, _ = simulated(17)
    early = replace(panel, cohorts=np.where(panel.cohorts == 2013, 2010.0, panel.cohorts))
    found = decompose_two_way(early)
    kept = decompose_two_way(panel.take(panel.cohorts > 2013))
    assert found.n_units == kept.n_units == 21
    assert found.two_way == pytest.approx(kept.two_way, abs=1e-12)
    pd.testing.assert_frame_equal(found.comparisons, kept.comparisons)


def test_adopters_without_a_clean_comparison_are_not_counted_in_the_local_projection():
    panel, clusters = simulated(18)
    outcomes = panel.outcomes.copy()
    outcomes[np.isinf(panel.cohorts), 3] = np.nan
    found = estimated("local_projection", replace(panel, outcomes=outcomes), clusters, 0)
    assert (found.n_treated, found.n_treated_clusters) == (9, 3)


def test_growing_effects_turn_the_two_way_regression_away_from_them_but_not_the_others():
    panel, clusters = simulated(10, n_never=3)
    since = panel.periods[None, :] - panel.cohorts[:, None]
    outcomes = np.where(since >= 0, 1.0 * np.maximum(since, 0) ** 2 * np.isfinite(since), 0.0)
    panel = replace(panel, outcomes=np.nan_to_num(outcomes))
    assert estimated("stacked", panel, clusters, 0).estimate == pytest.approx(5 / 3)
    assert estimated("imputation", panel, clusters, 0).estimate == pytest.approx(5 / 3)
    later = decompose_two_way(panel).comparisons.set_index("kind").loc["later_earlier"]
    assert later["estimate"] < 0 < later["weight"]


def test_a_cohort_that_is_one_group_has_no_standard_error_by_sun_abraham():
    panel, clusters = simulated(11, n_groups=2)
    found = estimated("sun_abraham", panel, clusters, 1)
    assert (found.refusal, found.convention) == ("robustness_single_cluster_cohort", "none")
    assert np.isfinite(found.estimate)
    assert np.isnan(found.std_error)


@pytest.mark.parametrize("method", [*WINDOWED, "two_way"])
def test_one_treated_group_has_an_estimate_without_standard_error(method):
    panel, clusters = simulated(12, n_groups=1)
    found = estimated(method, panel, clusters, 1)
    assert np.isfinite(found.estimate)
    assert np.isnan(found.std_error)
    assert found.refusal in {"robustness_few_treated_clusters", "robustness_single_cluster_cohort"}


@pytest.mark.parametrize("method", [*WINDOWED, "two_way"])
def test_a_panel_that_nobody_joins_is_refused(method):
    panel, clusters = simulated(13, n_groups=0)
    found = estimated(method, panel, clusters, 1)
    assert np.isnan(found.estimate)
    assert found.refusal in {"robustness_no_treated", "robustness_no_complete_window"}


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("sun_abraham", "robustness_no_comparison"),
        ("stacked", "robustness_no_comparison"),
        ("local_projection", "robustness_no_comparison"),
        ("imputation", "robustness_year_without_untreated"),
    ],
)
def test_without_comparison_there_is_a_reason_and_no_number(method, reason):
    panel, clusters = simulated(14, n_never=0)
    panel = replace(panel, cohorts=np.full(panel.n_units, 2013.0))
    found = estimated(method, panel, clusters, 1)
    assert found.refusal == reason
    assert np.isnan(found.estimate)
    assert np.isnan(estimate_two_way(panel, clusters).estimate)
    assert decompose_two_way(panel) == "robustness_no_comparison"


@pytest.mark.parametrize(
    ("method", "columns", "reason"),
    [
        ("sun_abraham", [0, 2, 3, 4, 5, 6, 7, 8], "robustness_no_base_year"),
        ("local_projection", [0, 1, 2, 3, 5, 6, 7, 8], "robustness_years_with_gaps"),
        ("local_projection", [0, 1, 2, 3, 4], "robustness_no_complete_window"),
        ("local_projection", [3, 4, 5, 6, 7, 8], "robustness_no_second_year_before"),
        ("stacked", [0, 1, 2, 3, 4], "robustness_no_complete_window"),
        ("sun_abraham", [0, 1, 2, 3, 4], "robustness_no_complete_window"),
        ("imputation", [0, 1, 2, 3, 4], "robustness_no_complete_window"),
    ],
)
def test_years_that_a_method_needs_are_asked_for(method, columns, reason):
    panel, clusters = simulated(15)
    cut = replace(panel, outcomes=panel.outcomes[:, columns], periods=panel.periods[columns])
    assert estimated(method, cut, clusters, 1).refusal == reason


def test_a_cohort_that_gaps_cut_off_from_its_base_year_is_refused_by_sun_abraham():
    panel, clusters = simulated(16)
    outcomes = panel.outcomes.copy()
    outcomes[panel.cohorts == 2013, 1] = np.nan
    found = estimated("sun_abraham", replace(panel, outcomes=outcomes), clusters, 1)
    assert found.refusal == "robustness_gaps_in_cohort"
