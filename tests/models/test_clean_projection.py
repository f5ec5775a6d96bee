"""Local projections on clean changes: brute force, known truth, and who may serve as comparison."""

import numpy as np
import pytest

from toolkit.models.clean_projection import estimate_clean_projection

N_PERIODS = 8


def made(rng, *, n_units=60, effect=0.5, noise=0.1, n_blocks=1):
    """Return outcomes and two flows of rare steps; effects last while the flow does."""
    steps = np.where(
        rng.random((n_units, N_PERIODS, 2)) < 0.12, rng.choice([1.0, 2.0], (n_units, N_PERIODS, 2)), 0
    )
    steps[:, 0] = 0
    flows = steps.cumsum(axis=1)
    blocks = np.arange(n_units) % n_blocks
    outcomes = rng.normal(size=(n_units, 1)) + rng.normal(size=(n_blocks, N_PERIODS))[blocks]
    outcomes = (
        outcomes
        + effect * flows[:, :, 0]
        + 2 * flows[:, :, 1]
        + noise * rng.normal(size=(n_units, N_PERIODS))
    )
    return outcomes, flows[:, :, 0], flows[:, :, 1:], blocks


def attempt(outcomes, flow, others, blocks, *, horizon=0, weights=None, **changes):
    own = np.ones(len(flow)) if weights is None else weights
    return estimate_clean_projection(
        outcomes, flow, others, horizon=horizon, weights=own, blocks=blocks, **changes
    )


def estimate(*data, **changes):
    found = attempt(*data, **changes)
    assert found is not None
    return found


def by_hand(outcomes, flow, others, blocks, horizon, weights):
    """Collect unit-periods one by one and regress with a dummy for each block and period."""
    rows = []
    both = np.concatenate([flow[:, :, None], others], axis=2)
    for unit in range(len(flow)):
        for t in range(1, N_PERIODS):
            end = t + horizon
            if not 0 <= end < N_PERIODS:
                continue
            stays = [both[unit, s].tolist() == both[unit, s - 1].tolist() for s in range(1, N_PERIODS)]
            quiet_before = t == 1 or stays[t - 2]
            quiet_after = all(stays[s - 1] for s in range(t + 1, end + 1))
            if quiet_before and quiet_after and (others[unit, t] == others[unit, t - 1]).all():
                change = flow[unit, t] - flow[unit, t - 1]
                rows.append((unit, t, blocks[unit], change, outcomes[unit, end] - outcomes[unit, t - 1]))
    cells = {}
    for row in rows:
        cells.setdefault((row[2], row[1]), []).append(row)
    kept = [
        row for group in cells.values() if {one[3] == 0 for one in group} == {True, False} for row in group
    ]
    names = sorted({(row[2], row[1]) for row in kept})
    design = np.array([[row[3], *[float((row[2], row[1]) == name) for name in names]] for row in kept])
    root = np.sqrt([weights[row[0]] for row in kept])
    return np.linalg.lstsq(design * root[:, None], np.array([row[4] for row in kept]) * root, rcond=None)[0][
        0
    ]


@pytest.mark.parametrize("horizon", [-3, -2, 0, 1, 2])
def test_estimates_are_those_of_unit_periods_collected_by_hand(horizon):
    rng = np.random.default_rng(1)
    data = made(rng, n_blocks=2)
    weights = rng.uniform(1, 4, 60)
    found = estimate(*data, horizon=horizon, weights=weights)
    assert found.estimate == pytest.approx(by_hand(*data, horizon, weights), abs=1e-10)


@pytest.mark.parametrize("horizon", [0, 1, 2])
def test_without_noise_the_effect_comes_back_and_before_the_change_there_is_none(horizon):
    data = made(np.random.default_rng(2), noise=0.0)
    assert estimate(*data, horizon=horizon).estimate == pytest.approx(0.5, abs=1e-10)
    assert estimate(*data, horizon=-2).estimate == pytest.approx(0.0, abs=1e-10)


def test_effects_of_the_other_flow_do_not_enter():
    outcomes, flow, others, blocks = made(np.random.default_rng(3))
    moved = outcomes + 7 * others[:, :, 0]
    one, other = (estimate(y, flow, others, blocks, horizon=1).estimate for y in (outcomes, moved))
    assert one == pytest.approx(other, abs=1e-9)


@pytest.mark.slow
def test_contributions_add_up_to_zero_and_give_the_variance_over_draws():
    rng = np.random.default_rng(4)
    outcomes, flow, others, blocks = made(rng, n_units=120, noise=0.0)
    draws = [
        estimate(outcomes + 0.3 * rng.normal(size=outcomes.shape), flow, others, blocks) for _ in range(300)
    ]
    assert abs(draws[0].contributions.sum()) < 1e-12
    errors = [np.sqrt((one.contributions**2).sum()) for one in draws]
    spread = np.std([one.estimate for one in draws])
    assert np.mean(errors) == pytest.approx(spread, rel=0.15)


def test_estimates_without_a_unit_are_those_of_the_panel_without_it():
    outcomes, flow, others, blocks = made(np.random.default_rng(9), n_units=30)
    found = estimate(outcomes, flow, others, blocks)
    for unit in np.flatnonzero(np.isfinite(found.left_out))[:5]:
        kept = np.arange(30) != unit
        again = attempt(outcomes[kept], flow[kept], others[kept], blocks[kept])
        assert again is not None
        assert found.left_out[unit] == pytest.approx(again.estimate, abs=1e-9)


def test_changes_smaller_than_the_limit_are_none():
    outcomes, flow, others, blocks = made(np.random.default_rng(5))
    shaken = flow + 0.001 * np.random.default_rng(6).random(flow.shape)
    found = estimate(outcomes, shaken, others, blocks, unchanged=0.01)
    assert found.n_changes == estimate(outcomes, flow, others, blocks).n_changes


def test_without_a_clean_change_or_a_clean_comparison_there_is_none():
    outcomes, flow, others, blocks = made(np.random.default_rng(7))
    assert attempt(outcomes, np.zeros_like(flow), others, blocks) is None
    everyone = np.tile(np.arange(N_PERIODS, dtype=float), (len(flow), 1))
    assert attempt(outcomes, everyone, others, blocks) is None


def test_the_base_period_is_refused_as_horizon():
    with pytest.raises(ValueError, match="base"):
        attempt(*made(np.random.default_rng(8)), horizon=-1)
