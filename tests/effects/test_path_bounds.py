"""Honest bounds of effects by doses that move both ways: a straight trend stays straight and is recovered."""

from dataclasses import replace

import numpy as np
import pytest

from tests.effects.rotation_results import QUICK
from tests.effects.rotation_samples import YEARS, make_rotation_sample
from toolkit.effects.flow_paths import follow_flow_paths
from toolkit.effects.path_bounds import bound_flow_paths, path_event_study

FLOW = "backbone_inflow"
BASE, RATE, SLOPE, BEND = 3, 0.2, 0.05, 0.02
SINCE_BASE = np.arange(len(YEARS)) - BASE
RECEIVED = 3 * RATE
"""Teachers per 100 students and school over the three years that are followed."""


def one_change(*, n_schools=120, noise=0.005, falls=False, difference=0.0, loud=1.0):
    """Return paths of schools half of which change their flow once, `difference` a school-year added to them.

    The first two schools, one of either half, have outcomes that are `loud` times as far apart.
    """
    changed = np.arange(n_schools) % 2 == 0
    later = changed[:, None] & (SINCE_BASE > 0)
    turned = np.arange(n_schools) % 4 == 0 if falls else np.zeros(n_schools, dtype=bool)

    def flows(rates):
        # Half of the unchanged schools stay at the high flow from which the others fall.
        high = turned | ((np.arange(n_schools) % 4 == 1) & falls)
        return dict(rates) | {FLOW: RATE * np.where(high[:, None], ~later, later)}

    sample = make_rotation_sample(
        np.random.default_rng(41), n_schools=n_schools, effects=(), noise=noise, flows=flows
    )
    sign = np.where(turned, -1.0, 1.0)[:, None]
    outcomes = sample.outcomes + sign * changed[:, None] * difference
    outcomes[:2] *= loud
    return follow_flow_paths(replace(sample, outcomes=outcomes), replace(QUICK, flows=(FLOW,)))


def bounds_of(paths, **bounds):
    (found,) = bound_flow_paths(paths, **bounds).flows
    return found


def covers(interval, value):
    return interval.conf_low <= value <= interval.conf_high


@pytest.mark.parametrize("falls", [False, True])
def test_a_straight_difference_in_trends_is_a_line_through_zero(falls):
    found = one_change(falls=falls, difference=SLOPE * SINCE_BASE).estimates[FLOW]
    study, _ = path_event_study(found)
    np.testing.assert_allclose(study.before, SLOPE * np.array([-2, -1]), atol=0.004)
    np.testing.assert_allclose(study.after, SLOPE * np.array([1, 2, 3]), atol=0.004)


def test_a_straight_difference_is_taken_out_by_smoothness_and_not_by_parallel_trends():
    found = bounds_of(one_change(difference=SLOPE * SINCE_BASE), ratios=(0.0, 1.2), curvatures=(0.0,))
    parallel, like_before, straight = found.intervals
    assert parallel.estimate == pytest.approx(SLOPE * (1 + 2 + 3) / RECEIVED, rel=0.03)
    assert parallel.conf_low > 0
    assert covers(like_before, 0)
    assert covers(straight, 0)
    assert abs(straight.estimate) < 0.1 * parallel.estimate


def test_after_as_much_change_as_before_the_interval_holds_zero():
    ratio, _ = bounds_of(one_change(noise=0.001, difference=SLOPE * SINCE_BASE)).breakdowns
    assert ratio.value == pytest.approx(1.0, abs=0.04)


def test_the_bend_of_a_trend_is_the_bound_from_which_the_interval_holds_zero():
    since = np.maximum(SINCE_BASE, 0)
    bent = SLOPE * SINCE_BASE + BEND * since * (since + 1) / 2
    found = bounds_of(one_change(noise=0.001, difference=bent), ratios=(), curvatures=(0.0, 1.1 * BEND))
    straight, wide = found.intervals
    assert straight.estimate == pytest.approx(BEND * (1 + 3 + 6) / RECEIVED, rel=0.1)
    assert not covers(straight, 0)
    assert covers(wide, 0)
    assert found.breakdowns[1].value == pytest.approx(BEND, rel=0.06)


def test_without_a_difference_the_target_is_the_total_effect():
    paths = one_change(difference=0.3 * RATE * (SINCE_BASE > 0))
    row = paths.averages.iloc[0]
    found = bounds_of(paths, ratios=(0.0,), curvatures=(0.0,))
    assert found.intervals[0].estimate == pytest.approx(row["effect"], abs=1e-12)
    assert row["effect"] == pytest.approx(0.3, abs=0.01)
    assert all(covers(one, 0.3) for one in found.intervals)
    assert found.intervals[0].conf_low > 0


def test_the_error_of_the_target_is_that_of_the_total_effect():
    paths = one_change(noise=0.1)
    study, weights = path_event_study(paths.estimates[FLOW])
    own = study.covariance[study.n_before :, study.n_before :]
    assert np.sqrt(weights @ own @ weights) == pytest.approx(paths.averages["std_error"].iloc[0])


def test_few_schools_are_refused_as_in_the_study_of_joining():
    found = bounds_of(one_change(n_schools=24, noise=0.1, loud=4.0))
    assert found.study.effective_clusters < 2 * len(found.study.covariance)
    assert found.refusal == "few_clusters"
    assert {one.refusal for one in found.intervals} == {"few_clusters"}
    assert all(np.isnan([one.conf_low, one.conf_high]).all() for one in found.intervals)
    assert all(np.isnan(one.value) for one in found.breakdowns)


def test_years_that_few_schools_reach_are_left_out_and_the_later_ones_with_them():
    found = one_change(noise=0.1).estimates[FLOW]
    few = replace(found, n_switchers=np.where(np.isin(found.event_times, [-2, 2]), 3, found.n_switchers))
    study, weights = path_event_study(few)
    assert (study.n_before, study.n_after) == (1, 1)
    assert weights[0] == pytest.approx(1 / RATE)
    assert path_event_study(replace(found, n_switchers=np.zeros_like(found.n_switchers))) is None


def test_refused_paths_have_no_bounds():
    paths = one_change(n_schools=8)
    assert list(paths.refusals) == [FLOW]
    assert bound_flow_paths(paths).flows == ()
    assert bound_flow_paths(paths).tidy().empty
