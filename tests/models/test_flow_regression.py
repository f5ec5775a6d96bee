"""Several flows at once: least squares with school and year effects, written out and brute-forced."""

import numpy as np
import pytest

from toolkit.models.flow_regression import FlowPanel, estimate_flow_regression

BETA = np.array([0.4, -0.2])


def made(rng, *, n_units=12, n_years=6, noise=0.1, blocks=None, controls=0, gaps=0.0):
    flows = rng.normal(size=(n_units, n_years, 2))
    owned = np.zeros(n_units, dtype=int) if blocks is None else blocks
    shocks = rng.normal(size=(owned.max() + 1, n_years))
    extra = rng.normal(size=(n_units, n_years, controls))
    outcomes = rng.normal(size=(n_units, 1)) + shocks[owned] + flows @ BETA
    outcomes = outcomes + extra.sum(axis=2) + noise * rng.normal(size=(n_units, n_years))
    outcomes[rng.random(outcomes.shape) < gaps] = np.nan
    return FlowPanel(outcomes, flows, extra, rng.uniform(1, 5, n_units), owned)


def by_dummies(panel):
    """Regress with a dummy for each unit and each block and period, weights under the root."""
    cells = panel.cells
    units, years = np.nonzero(cells)
    root = np.sqrt(panel.weights[units])[:, None]
    unit = (units[:, None] == np.unique(units)[None, :]).astype(float)
    pair = panel.blocks[units] * cells.shape[1] + years
    period = (pair[:, None] == np.unique(pair)[None, :]).astype(float)
    design = np.hstack([panel.flows[cells], panel.controls[cells], unit, period]) * root
    return np.linalg.lstsq(design, panel.outcomes[cells] * root[:, 0], rcond=None)[0][:2]


@pytest.mark.parametrize("gaps", [0.0, 0.2])
@pytest.mark.parametrize("controls", [0, 2])
def test_estimates_are_those_of_least_squares_with_dummies(gaps, controls):
    rng = np.random.default_rng(1)
    panel = made(rng, blocks=np.repeat([0, 1], 6), controls=controls, gaps=gaps)
    np.testing.assert_allclose(estimate_flow_regression(panel).estimates, by_dummies(panel), atol=1e-9)


def test_without_noise_the_effects_come_back_exactly():
    found = estimate_flow_regression(made(np.random.default_rng(2), noise=0.0, controls=1, gaps=0.1))
    np.testing.assert_allclose(found.estimates, BETA, atol=1e-10)


def test_the_estimate_is_the_sum_of_loads_times_outcomes():
    panel = made(np.random.default_rng(3), gaps=0.15)
    found = estimate_flow_regression(panel)
    weighted = found.loads * np.nan_to_num(panel.outcomes)[:, :, None]
    np.testing.assert_allclose(weighted.sum(axis=(0, 1)), found.estimates, atol=1e-10)


def test_contributions_add_up_to_zero_and_give_the_variance_over_draws():
    panel = made(np.random.default_rng(4), n_units=40)
    found = estimate_flow_regression(panel)
    np.testing.assert_allclose(found.contributions.sum(axis=(0, 1)), 0.0, atol=1e-12)
    rng, draws, variances = np.random.default_rng(5), [], []
    for _ in range(300):
        outcomes = panel.flows @ BETA + rng.normal(size=(40, 1)) + 0.5 * rng.normal(size=panel.outcomes.shape)
        drawn = estimate_flow_regression(
            FlowPanel(outcomes, panel.flows, panel.controls, panel.weights, panel.blocks)
        )
        draws.append(drawn.estimates)
        variances.append((drawn.contributions.sum(axis=1) ** 2).sum(axis=0))
    np.testing.assert_allclose(
        np.mean(draws, axis=0), BETA, atol=4 * np.std(draws, axis=0).max() / np.sqrt(300)
    )
    np.testing.assert_allclose(np.sqrt(np.mean(variances, axis=0)), np.std(draws, axis=0), rtol=0.15)


def test_school_levels_and_county_shocks_do_not_matter():
    rng = np.random.default_rng(6)
    panel = made(rng, blocks=np.repeat([0, 1, 2], 4))
    moved = panel.outcomes + rng.normal(size=(12, 1)) + rng.normal(size=(3, 6))[panel.blocks]
    other = FlowPanel(moved, panel.flows, panel.controls, panel.weights, panel.blocks)
    first, second = (estimate_flow_regression(one).estimates for one in (panel, other))
    np.testing.assert_allclose(first, second, atol=1e-10)


def test_order_of_schools_and_scale_of_a_flow_carry_over():
    panel = made(np.random.default_rng(7))
    order = np.random.default_rng(8).permutation(12)
    np.testing.assert_allclose(
        estimate_flow_regression(panel.take(order)).estimates,
        estimate_flow_regression(panel).estimates,
        atol=1e-10,
    )
    scaled = FlowPanel(panel.outcomes, panel.flows * [2.0, 1.0], panel.controls, panel.weights, panel.blocks)
    np.testing.assert_allclose(
        estimate_flow_regression(scaled).estimates,
        estimate_flow_regression(panel).estimates / [2.0, 1.0],
        atol=1e-10,
    )


def test_taking_out_effects_twice_is_taking_them_out_once():
    found = estimate_flow_regression(made(np.random.default_rng(9), controls=1, gaps=0.1))
    raw = np.random.default_rng(10).normal(size=(len(found.outcome), 3))
    once = found.residualise(raw)
    np.testing.assert_allclose(found.residualise(once), once, atol=1e-10)
    np.testing.assert_allclose(found.residualise(found.flows), found.flows, atol=1e-10)


def test_flows_that_are_the_same_beside_the_effects_are_refused():
    panel = made(np.random.default_rng(11))
    same = panel.flows.copy()
    same[:, :, 1] = same[:, :, 0] + np.arange(6) + np.arange(12)[:, None]
    with pytest.raises(ValueError, match="not told apart"):
        estimate_flow_regression(FlowPanel(panel.outcomes, same, panel.controls, panel.weights, panel.blocks))


def test_a_flow_that_never_moves_is_refused():
    panel = made(np.random.default_rng(12))
    still = panel.flows.copy()
    still[:, :, 0] = 0.0
    with pytest.raises(ValueError, match="not told apart"):
        estimate_flow_regression(
            FlowPanel(panel.outcomes, still, panel.controls, panel.weights, panel.blocks)
        )


def test_a_school_seen_once_does_not_enter():
    panel = made(np.random.default_rng(13))
    panel.outcomes[0, 1:] = np.nan
    found = estimate_flow_regression(panel)
    assert not found.cells[0].any()
    np.testing.assert_allclose(
        found.estimates, estimate_flow_regression(panel.take(np.arange(1, 12))).estimates
    )


def test_trends_are_those_of_a_dummy_and_a_line_for_each_unit():
    rng = np.random.default_rng(14)
    panel = made(rng, blocks=np.repeat([0, 1], 6), controls=1, gaps=0.1)
    tilted = panel.outcomes + rng.normal(size=(12, 1)) * np.arange(6)
    given = FlowPanel(tilted, panel.flows, panel.controls, panel.weights, panel.blocks, with_trends=True)
    cells = given.cells
    units, years = np.nonzero(cells)
    root = np.sqrt(given.weights[units])[:, None]
    unit = (units[:, None] == np.arange(12)[None, :]).astype(float)
    pair = given.blocks[units] * 6 + years
    period = (pair[:, None] == np.unique(pair)[None, :]).astype(float)
    terms = [given.flows[cells], given.controls[cells], unit, unit * years[:, None], period]
    design = np.hstack(terms) * root
    by_hand = np.linalg.lstsq(design, tilted[cells] * root[:, 0], rcond=None)[0][:2]
    found = estimate_flow_regression(given)
    np.testing.assert_allclose(found.estimates, by_hand, atol=1e-8)
    plain = FlowPanel(panel.outcomes, *[getattr(panel, name) for name in NAMES], with_trends=True)
    np.testing.assert_allclose(estimate_flow_regression(plain).estimates, found.estimates, atol=1e-8)


NAMES = ("flows", "controls", "weights", "blocks")
