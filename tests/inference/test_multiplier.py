import numpy as np
import pytest
from scipy import stats

from toolkit.inference import multiplier
from toolkit.inference.clusters import align_clusters, cluster_std_errors, sum_influence
from toolkit.inference.multiplier import (
    draw_errors,
    draw_multipliers,
    interquartile_std_errors,
    simultaneous_band,
    simultaneous_critical_value,
)

RNG = np.random.default_rng(1)
INFLUENCE = RNG.normal(size=(300, 4)) @ RNG.normal(size=(4, 4))
CLUSTERS = RNG.integers(0, 60, size=300)
SUMMED = sum_influence(INFLUENCE, CLUSTERS)


@pytest.mark.parametrize(
    ("kind", "third", "fourth"), [("rademacher", 0, 1), ("mammen", 1, 2), ("webb", 0, 7 / 6)]
)
def test_multipliers_have_their_published_moments(kind, third, fourth):
    draws = draw_multipliers(np.random.default_rng(2), 1000, 333, kind)
    tolerance = 6 / np.sqrt(draws.size)
    assert draws.mean() == pytest.approx(0, abs=tolerance)
    assert (draws**2).mean() == pytest.approx(1, abs=tolerance)
    assert (draws**3).mean() == pytest.approx(third, abs=3 * tolerance)
    assert (draws**4).mean() == pytest.approx(fourth, abs=3 * tolerance)


def test_webb_has_six_equally_likely_points():
    draws = draw_multipliers(np.random.default_rng(2), 600, 100, "webb")
    points, counts = np.unique(np.round(draws, 9), return_counts=True)
    np.testing.assert_allclose(points**2, [1.5, 1, 0.5, 0.5, 1, 1.5], rtol=1e-8)
    np.testing.assert_allclose(counts / draws.size, 1 / 6, atol=0.01)


@pytest.mark.parametrize("kind", ["rademacher", "mammen", "webb"])
def test_draws_do_not_depend_on_the_size_of_the_blocks(kind, monkeypatch):
    whole = draw_errors(SUMMED, seed=7, n_draws=50, kind=kind)
    monkeypatch.setattr(multiplier, "BLOCK_BYTES", 400)
    monkeypatch.setattr(multiplier, "CACHED_BYTES", 3)
    monkeypatch.setattr(multiplier, "CACHED_DRAWS", 2)
    np.testing.assert_allclose(
        draw_errors(SUMMED, seed=7, n_draws=50, kind=kind), whole, rtol=1e-12, atol=1e-15
    )


def test_a_draw_is_the_sum_of_multiplier_times_contribution():
    signs = draw_multipliers(np.random.default_rng(7), 20, SUMMED.n_clusters, "rademacher")
    slow = [sum(sign * row for sign, row in zip(own, SUMMED.contributions, strict=True)) for own in signs]
    np.testing.assert_allclose(draw_errors(SUMMED, seed=7, n_draws=20), slow, rtol=1e-12, atol=1e-15)


def test_order_of_units_and_scale_of_outcomes_do_not_move_the_draws():
    order = RNG.permutation(300)
    moved = draw_errors(sum_influence(10 * INFLUENCE[order], CLUSTERS[order]), seed=7, n_draws=30)
    np.testing.assert_allclose(moved, 10 * draw_errors(SUMMED, seed=7, n_draws=30), rtol=1e-9, atol=1e-12)


def test_outcomes_share_the_multipliers_of_a_draw():
    joint = align_clusters([SUMMED, sum_influence(-2 * INFLUENCE[:, 0], CLUSTERS)])
    errors = draw_errors(joint, seed=7, n_draws=30)
    np.testing.assert_allclose(errors[:, 4], -2 * errors[:, 0], rtol=1e-12)


def test_bootstrap_standard_errors_agree_with_the_analytic_ones():
    errors = draw_errors(SUMMED, seed=7, n_draws=20_000)
    np.testing.assert_allclose(errors.std(axis=0), cluster_std_errors(SUMMED), rtol=0.02)
    np.testing.assert_allclose(interquartile_std_errors(errors), cluster_std_errors(SUMMED), rtol=0.04)


@pytest.mark.parametrize("n_estimates", [1, 3, 8])
def test_critical_value_of_independent_estimates_is_the_known_quantile(n_estimates):
    errors = np.random.default_rng(3).normal(size=(60_000, n_estimates)) * np.arange(1, n_estimates + 1)
    exact = stats.norm.ppf(0.5 + 0.95 ** (1 / n_estimates) / 2)
    assert simultaneous_critical_value(errors) == pytest.approx(exact, rel=0.01)


def test_critical_value_of_copies_of_one_estimate_is_that_of_one():
    draws = np.random.default_rng(3).normal(size=(5000, 1))
    assert simultaneous_critical_value(draws * [1.0, -3.0, 10.0]) == simultaneous_critical_value(draws)


def test_critical_value_equals_the_order_statistics_counted_by_hand():
    errors = np.random.default_rng(4).normal(size=(40, 2)) * 5
    ordered = np.sort(errors, axis=0)
    # Of 40 ordered draws the quartiles are the 10th and the 30th, the 95 % quantile the 38th.
    scale = (ordered[29] - ordered[9]) / (0.6744897501960817 * 2)
    largest = sorted(max(abs(a) / scale[0], abs(b) / scale[1]) for a, b in errors)
    np.testing.assert_allclose(interquartile_std_errors(errors), scale)
    assert simultaneous_critical_value(errors) == pytest.approx(max(largest[37], 1.959963984540054))


def test_base_period_without_error_is_left_out_of_the_critical_value():
    errors = draw_errors(SUMMED, seed=7)
    with_base = np.column_stack([errors, np.zeros(len(errors))])
    assert simultaneous_critical_value(with_base) == simultaneous_critical_value(errors)
    band = simultaneous_band(np.zeros(5), with_base)
    assert band.conf_low[4] == band.conf_high[4] == 0


def test_band_covers_all_estimates_together_near_its_level():
    rng = np.random.default_rng(5)
    mixing = np.eye(5) + 0.6
    hits = []
    for draw in range(150):
        values = rng.normal(size=(150, 5)) @ mixing
        means = values.mean(axis=0)
        errors = draw_errors(sum_influence(values - means, np.arange(150)), seed=draw, n_draws=399)
        band = simultaneous_band(means, errors)
        hits.append(((band.conf_low <= 0) & (band.conf_high >= 0)).all())
    assert np.mean(hits) == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 150) + 0.01)


def test_refuses_an_unknown_kind_and_estimates_without_error():
    with pytest.raises(ValueError, match="kind must be one of"):
        draw_multipliers(np.random.default_rng(1), 2, 2, "normal")
    with pytest.raises(ValueError, match="nothing to bound"):
        simultaneous_critical_value(np.zeros((10, 2)))
