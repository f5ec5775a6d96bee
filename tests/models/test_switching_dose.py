"""Effects of switching doses: the definition in loops, known truth, invariances, missing doses, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from toolkit.errors import DesignError
from toolkit.inference.clusters import cluster_covariance, sum_influence
from toolkit.models.switching_dose import estimate_switching_dose
from toolkit.models.switching_dose_controls import fit_residualisation
from toolkit.models.switching_dose_effects import compute_joint_test
from toolkit.models.switching_dose_panel import dose_panel
from toolkit.models.switching_dose_paths import read_dose_paths

NAN = np.nan


def switching_doses(rng, n_units=120, n_periods=6, chance=0.2):
    """Return doses that move up or down, never below and above their start."""
    start = rng.choice([1.0, 2.0], n_units)
    sign = rng.choice([-1.0, 1.0], n_units)
    steps = rng.choice([0.25, 0.5], (n_units, n_periods - 1)) * (
        rng.random((n_units, n_periods - 1)) < chance
    )
    moves = np.concatenate([np.zeros((n_units, 1)), steps.cumsum(axis=1)], axis=1)
    back = rng.random((n_units, n_periods)) < 0.1
    return start[:, None] + sign[:, None] * np.where(back, 0.0, moves)


def known_outcomes(rng, doses, *, now=0.5, lag=0.2, noise=0.3):
    """Return outcomes that a dose moves at once and a period later, with trends by first dose."""
    n_units, n_periods = doses.shape
    before = np.concatenate([doses[:, :1], doses[:, :-1]], axis=1)
    trend = np.arange(n_periods) * (0.1 + 0.2 * doses[:, :1])
    level = rng.normal(size=(n_units, 1))
    return level + trend + now * doses + lag * before + rng.normal(scale=noise, size=doses.shape)


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(5)
    doses = switching_doses(rng)
    return dose_panel(
        known_outcomes(rng, doses),
        doses,
        weights=rng.uniform(0.5, 2, doses.shape),
        clusters=np.arange(len(doses)) % 25,
        covariates=rng.normal(size=(*doses.shape, 2)),
    )


def without_covariates(panel):
    return replace(panel, covariates=panel.covariates[:, :, :0])


def difference_of_one_unit(outcomes, doses, weights, first, unit, horizon, shift):
    """Return the difference-in-differences of one unit, from the definition; None where there is none."""
    n_units, n_periods = doses.shape
    period = first[unit] - 1 + horizon
    early = first[unit] - 1 - horizon if shift else period
    if period >= n_periods or early < 0:
        return None
    others = [
        other
        for other in range(n_units)
        if doses[other, 0] == doses[unit, 0] and (first[other] is None or first[other] > period)
    ]
    if not others:
        return None
    change = [outcomes[i, early] - outcomes[i, first[unit] - 1] for i in range(n_units)]
    expected = np.average([change[i] for i in others], weights=[weights[i, period] for i in others])
    return change[unit] - expected


def loop_effects(panel, horizon, *, is_placebo=False):
    """Return effect, mean summed dose change and the number of switchers of one horizon by loops."""
    outcomes, doses, weights = panel.outcomes, panel.doses, panel.weights
    first = [next((t for t in range(doses.shape[1]) if row[t] != row[0]), None) for row in doses]
    found = []
    for unit in range(panel.n_units):
        if first[unit] is None:
            continue
        effect = difference_of_one_unit(outcomes, doses, weights, first, unit, horizon, is_placebo)
        if effect is None:
            continue
        later = doses[unit, first[unit] : first[unit] + horizon] - doses[unit, 0]
        sign = np.sign((doses[unit, first[unit] :] - doses[unit, 0]).sum())
        weight = weights[unit, first[unit] - 1 + horizon]
        found.append((weight, sign * effect, sign * later.sum(), sign * later[-1]))
    weight, effect, dose, last = np.array(found).T
    return weight, effect, dose, last


@pytest.mark.parametrize("horizon", [-2, -1, 1, 2, 3])
def test_equals_the_loop_over_units_from_the_definition(panel, horizon):
    found = estimate_switching_dose(without_covariates(panel), n_effects=3, n_placebos=2)
    weight, effect, dose, _ = loop_effects(panel, abs(horizon), is_placebo=horizon < 0)
    at = np.flatnonzero(found.event_times == horizon)[0]
    assert found.effects[at] == pytest.approx(np.average(effect, weights=weight), rel=1e-10)
    assert found.dose_changes[at] == pytest.approx(np.average(dose, weights=weight), rel=1e-10)
    assert found.n_switchers[at] == len(weight)
    assert found.normalised[at] == pytest.approx((weight @ effect) / (weight @ dose), rel=1e-10)


def test_the_average_is_the_sum_of_effects_over_the_sum_of_doses(panel):
    found = estimate_switching_dose(without_covariates(panel), n_effects=3)
    loops = [loop_effects(panel, horizon) for horizon in (1, 2, 3)]
    total = sum(weight @ effect for weight, effect, _, _ in loops)
    received = sum(weight @ last for weight, _, _, last in loops)
    assert found.average == pytest.approx(total / received, rel=1e-10)


def test_the_lag_weights_are_the_shares_of_the_doses_of_each_age(panel):
    found = estimate_switching_dose(without_covariates(panel), n_effects=3)
    doses = [loop_effects(panel, horizon) for horizon in (1, 2, 3)]
    weight, _, summed, last = doses[2]
    assert found.lag_weights.sum(axis=1) == pytest.approx(np.ones(3), rel=1e-12)
    assert found.lag_weights[2, 0] == pytest.approx((weight @ last) / (weight @ summed), rel=1e-10)
    assert np.triu(found.lag_weights, 1).max() == 0


def test_the_errors_are_those_of_two_samples_when_all_switch_at_once():
    # Cohorts of 30 and 50: variance of a difference of means, each sample by its own n - 1.
    rng = np.random.default_rng(3)
    outcomes = rng.normal(size=(80, 2))
    doses = np.zeros((80, 2))
    doses[:30, 1] = 2.0
    found = estimate_switching_dose(dose_panel(outcomes, doses))
    change = outcomes[:, 1] - outcomes[:, 0]
    variance = change[:30].var(ddof=1) / 30 + change[30:].var(ddof=1) / 50
    assert found.effects[0] == pytest.approx(change[:30].mean() - change[30:].mean(), rel=1e-12)
    assert found.std_errors[0] == pytest.approx(np.sqrt(variance), rel=1e-12)
    assert found.average == pytest.approx(found.effects[0] / 2, rel=1e-12)


def test_the_shared_inference_gives_the_same_covariance_from_the_influence(panel):
    found = estimate_switching_dose(panel, n_effects=3, n_placebos=2)
    influence = np.column_stack([found.influence, found.average_influence])
    covariance = cluster_covariance(sum_influence(influence, panel.clusters))
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-10)
    placebos = found.event_times < 0
    values, own = found.effects[placebos], found.covariance[:-1, :-1][np.ix_(placebos, placebos)]
    test = compute_joint_test(found, placebos)
    assert (test.statistic, test.degrees) == (pytest.approx(values @ np.linalg.inv(own) @ values), 2)


def test_slopes_are_those_of_regressions_with_period_dummies_before_the_first_change(panel):
    paths = read_dose_paths(panel)
    fitted = fit_residualisation(paths, None)
    for pool in range(paths.n_pools):
        rows = []
        for unit in np.flatnonzero(paths.pool == pool):
            for period in range(1, min(paths.first[unit], paths.end)):
                dummies = np.arange(1, paths.end) == period
                moves = panel.covariates[unit, period] - panel.covariates[unit, period - 1]
                change = panel.outcomes[unit, period] - panel.outcomes[unit, period - 1]
                root = np.sqrt(panel.weights[unit, period])
                rows.append(root * np.concatenate([moves, dummies, [change]]))
        table = np.array(rows)
        slopes = np.linalg.lstsq(table[:, :-1], table[:, -1], rcond=None)[0][:2]
        np.testing.assert_allclose(fitted.slopes[pool], slopes, rtol=1e-9)


def spread(found):
    """Return estimates and errors of event times and average over draws, (n_draws, n_points + 1)."""
    estimates = np.array([np.append(one.effects, one.average) for one in found])
    errors = np.array([np.append(one.std_errors, one.average_std_error) for one in found])
    return estimates, errors


def test_recovers_known_effects_with_errors_near_the_spread_of_the_draws():
    doses = switching_doses(np.random.default_rng(1), n_units=240)
    rng = np.random.default_rng(2)
    found = [
        estimate_switching_dose(dose_panel(known_outcomes(rng, doses), doses), n_effects=2, n_placebos=1)
        for _ in range(200)
    ]
    estimates, errors = spread(found)
    # One unit of dose adds 0.5 at once and 0.2 a period later.
    first, second = found[0].dose_changes[1:]
    current, before = found[0].lag_weights[1]
    effects = np.array([0.5 * first, (0.5 * current + 0.2 * before) * second])
    number = found[0].switcher_weights[1:]
    average = number @ effects / (number @ [first, current * second])
    bias = estimates.mean(axis=0) - [0.0, *effects, average]
    assert (np.abs(bias) < 4 * estimates.std(axis=0) / np.sqrt(200)).all()
    ratio = errors.mean(axis=0) / estimates.std(axis=0)
    assert ((ratio > 0.85) & (ratio < 1.2)).all()


def test_centred_errors_hold_where_covariates_move_with_the_dose_and_the_programs_are_too_large():
    doses = switching_doses(np.random.default_rng(1), n_units=240)
    rng = np.random.default_rng(4)
    found = {"centred": [], "package": []}
    for _ in range(80):
        x = rng.normal(size=doses.shape).cumsum(axis=1) + 4 * (doses - doses[:, :1])
        panel = dose_panel(known_outcomes(rng, doses) + x, doses, covariates=x[:, :, None])
        for convention, several in found.items():
            several.append(estimate_switching_dose(panel, covariate_error=convention))
    ratios = {}
    for convention, several in found.items():
        estimates, errors = spread(several)
        ratios[convention] = errors.mean(axis=0) / estimates.std(axis=0)
    assert ((ratios["centred"] > 0.8) & (ratios["centred"] < 1.25)).all()
    assert (ratios["package"] > 1.3).all()


def test_the_programs_errors_differ_from_centred_ones_by_a_constant_where_first_doses_are_equal(panel):
    chosen = panel.doses[:, 0] == 1
    names = ("outcomes", "doses", "weights", "clusters", "covariates", "strata")
    one = replace(panel, **{name: getattr(panel, name)[chosen] for name in names})
    centred, package = (
        estimate_switching_dose(one, n_effects=1, covariate_error=convention)
        for convention in ("centred", "package")
    )
    difference = package.influence[:, 0] - centred.influence[:, 0]
    assert np.ptp(difference) < 1e-10
    assert abs(difference[0]) > 1e-4


def test_errors_by_cluster_follow_the_spread_where_clusters_move_together():
    rng = np.random.default_rng(6)
    clusters = np.arange(240) // 4
    doses = np.repeat(switching_doses(np.random.default_rng(1), n_units=60), 4, axis=0)
    found = []
    for _ in range(120):
        shocks = rng.normal(scale=0.5, size=(60, doses.shape[1]))[clusters]
        panel = dose_panel(known_outcomes(rng, doses) + shocks, doses, clusters=clusters)
        found.append(estimate_switching_dose(panel, n_effects=1))
    estimates, errors = spread(found)
    ratio = errors.mean(axis=0) / estimates.std(axis=0)
    assert ((ratio > 0.8) & (ratio < 1.2)).all()


def same(found, other, *, scale=1.0, dose=1.0):
    np.testing.assert_allclose(other.effects, scale * found.effects, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(other.std_errors, abs(scale) * found.std_errors, rtol=1e-8)
    np.testing.assert_allclose(other.dose_changes, dose * found.dose_changes, rtol=1e-8)
    assert other.average == pytest.approx(found.average * scale / dose, rel=1e-8)
    assert other.average_std_error == pytest.approx(found.average_std_error * abs(scale) / dose, rel=1e-8)


OPTIONS = {"n_effects": 3, "n_placebos": 2}


def test_does_not_depend_on_the_order_of_units(panel):
    order = np.random.default_rng(0).permutation(panel.n_units)
    names = ("outcomes", "doses", "weights", "clusters", "covariates", "strata")
    shuffled = replace(panel, **{name: getattr(panel, name)[order] for name in names})
    found, other = (estimate_switching_dose(one, **OPTIONS) for one in (panel, shuffled))
    same(found, other)
    np.testing.assert_allclose(other.influence, found.influence[order], atol=1e-9)


def test_is_blind_to_levels_of_units_and_to_common_shocks_among_units_of_equal_first_dose(panel):
    rng = np.random.default_rng(0)
    shocks = rng.normal(size=(2, panel.outcomes.shape[1]))[(panel.doses[:, 0] == 2).astype(int)]
    moved = panel.outcomes + 5 * rng.normal(size=(panel.n_units, 1)) + shocks
    found, other = (
        estimate_switching_dose(one, **OPTIONS, covariate_error="centred")
        for one in (panel, replace(panel, outcomes=moved))
    )
    same(found, other)


def test_follows_the_scales_of_outcome_dose_and_weights(panel):
    found = estimate_switching_dose(panel, **OPTIONS)
    same(found, estimate_switching_dose(replace(panel, outcomes=-3 * panel.outcomes), **OPTIONS), scale=-3)
    same(found, estimate_switching_dose(replace(panel, doses=4 * panel.doses), **OPTIONS), dose=4)
    same(found, estimate_switching_dose(replace(panel, weights=7 * panel.weights), **OPTIONS))


def test_turning_the_sign_of_the_dose_turns_the_effects(panel):
    found = estimate_switching_dose(panel, **OPTIONS)
    turned = estimate_switching_dose(replace(panel, doses=-panel.doses), **OPTIONS)
    same(found, turned, scale=-1)
    assert (turned.n_increases == found.n_switchers - found.n_increases).all()


def test_both_directions_are_the_weighted_mean_of_increases_and_decreases(panel):
    both, up, down = (
        estimate_switching_dose(panel, **OPTIONS, direction=direction)
        for direction in ("both", "increase", "decrease")
    )
    mean = up.switcher_weights * up.effects + down.switcher_weights * down.effects
    np.testing.assert_allclose(both.effects, mean / both.switcher_weights, rtol=1e-10)
    np.testing.assert_array_equal(both.n_switchers, up.n_switchers + down.n_switchers)


def test_strata_are_estimated_apart_and_averaged_by_weight(panel):
    bare = without_covariates(panel)
    strata = np.arange(panel.n_units) % 2
    both = estimate_switching_dose(replace(bare, strata=strata), n_effects=2)
    names = ("outcomes", "doses", "weights", "clusters", "covariates", "strata")
    parts = [
        estimate_switching_dose(
            replace(bare, **{name: getattr(bare, name)[strata == code] for name in names}), n_effects=2
        )
        for code in (0, 1)
    ]
    mean = sum(part.switcher_weights * part.effects for part in parts)
    np.testing.assert_allclose(both.effects, mean / both.switcher_weights, rtol=1e-10)


def test_same_switchers_are_those_with_every_effect(panel):
    found = estimate_switching_dose(panel, n_effects=3, same_switchers=True)
    assert len(set(found.n_switchers)) == 1
    assert found.n_switchers[0] == estimate_switching_dose(panel, n_effects=3).n_switchers[-1]


def test_missing_doses_follow_the_stated_rules():
    doses = np.array(
        [
            [
                0,
                NAN,
                0,
                1,
                NAN,
                2,
            ],  # between unchanged doses: unchanged; after the change: that of the change
            [0, 0, NAN, 1, 1, 1],  # date of the change unknown: comparison up to the second period
            [0, 0, NAN, 0, 0, NAN],  # never changes: known until the fifth period
            [NAN, 0, 0, 0, 0, 0],  # not seen in the first period
            [0, 1, 1, -1, 1, 1],  # crosses its first dose: left out from the fourth period on
        ]
    )
    outcomes = np.arange(30.0).reshape(5, 6)
    paths = read_dose_paths(dose_panel(outcomes, doses))
    np.testing.assert_array_equal(paths.doses[0], [0, 0, 0, 1, 1, 2])
    np.testing.assert_array_equal(np.isfinite(paths.outcomes[1]), [1, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(np.isfinite(paths.outcomes[2]), [1, 1, 1, 1, 1, 0])
    np.testing.assert_array_equal(np.isfinite(paths.outcomes[3]), [0, 1, 1, 1, 1, 1])
    np.testing.assert_array_equal(np.isfinite(paths.outcomes[4]), [1, 1, 1, 0, 0, 0])
    assert list(paths.first) == [3, 6, 6, 6, 1]
    assert list(paths.direction) == [1, 0, 0, 0, 1]
    assert np.isfinite(read_dose_paths(dose_panel(outcomes, doses), keep_crossing=True).outcomes[4]).all()


def test_a_unit_without_outcome_or_dose_gets_no_influence(panel):
    outcomes, doses = panel.outcomes.copy(), panel.doses.copy()
    outcomes[3], doses[7] = NAN, NAN
    found = estimate_switching_dose(replace(panel, outcomes=outcomes, doses=doses), **OPTIONS)
    assert found.influence.shape == (panel.n_units, 5)
    assert (found.influence[[3, 7]] == 0).all()


def test_counts_the_units_that_changed_without_anybody_to_compare_with():
    doses = np.zeros((12, 4))
    doses[:4, 2:] = 1
    doses[10] = [5, 5, 6, 6]
    found = estimate_switching_dose(dose_panel(np.random.default_rng(0).normal(size=(12, 4)), doses))
    assert (found.paths.n_changed, found.n_compared) == (5, 4)


def test_the_table_has_a_row_per_event_time_and_the_average(panel):
    table = estimate_switching_dose(panel, **OPTIONS).tidy()
    assert list(table["event_time"][:-1]) == [-2, -1, 1, 2, 3]
    assert table["event_time"].isna().iloc[-1]
    assert table["estimate"].notna().all()


def test_refuses_a_single_period():
    with pytest.raises(DesignError, match="at least two"):
        dose_panel(np.zeros((4, 1)), np.zeros((4, 1)))


def test_refuses_where_nobody_of_the_same_first_dose_waits():
    doses = np.array([[0, 1, 1], [0, 1, 1], [1, 1, 1], [1, 1, 1]], dtype=float)
    with pytest.raises(DesignError, match="No comparison"):
        estimate_switching_dose(dose_panel(np.random.default_rng(0).normal(size=(4, 3)), doses))


def test_refuses_first_doses_that_all_differ_and_advises_to_round():
    rng = np.random.default_rng(0)
    doses = rng.random((30, 1)) + np.arange(4) * (np.arange(30) % 2)[:, None]
    with pytest.raises(DesignError, match="round the doses"):
        estimate_switching_dose(dose_panel(rng.normal(size=(30, 4)), doses))
    assert np.isfinite(
        estimate_switching_dose(dose_panel(rng.normal(size=(30, 4)), doses), polynomial=1).average
    )


def test_refuses_a_direction_in_which_nobody_moves():
    doses = np.zeros((20, 3))
    doses[:8, 2] = 1
    panel = dose_panel(np.random.default_rng(0).normal(size=(20, 3)), doses)
    with pytest.raises(DesignError, match="direction"):
        estimate_switching_dose(panel, direction="decrease")


def test_refuses_when_no_outcome_spans_a_change():
    doses = np.zeros((20, 3))
    doses[:8, 2] = 1
    outcomes = np.ones((20, 3))
    outcomes[:8, 1] = NAN
    with pytest.raises(DesignError, match="No comparison"):
        estimate_switching_dose(dose_panel(outcomes, doses))
