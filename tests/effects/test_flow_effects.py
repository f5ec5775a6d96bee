"""Receiving, sending and first-year effects: known truth, refusals, net effects, linked schools."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.effects.rotation_samples import YEARS, make_rotation_sample
from toolkit.effects.flow_effects import (
    FlowSettings,
    linked_covariance,
    net_effects,
    study_flow_kinds,
    study_flows,
)
from toolkit.effects.guard import guard_sentence
from toolkit.effects.rotation_guard import SEVERITIES, check_rotation_design, stayers
from toolkit.models.flow_regression import estimate_flow_regression
from toolkit.vocabulary import has_sentence

FLOWS = FlowSettings().flows
QUICK = FlowSettings(n_draws=99)


def test_effects_come_back_without_noise():
    found = study_flows(make_rotation_sample(np.random.default_rng(1), noise=0.0), QUICK)
    np.testing.assert_allclose(found.table["effect"], [0.10, -0.04, -0.03], atol=1e-8)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(2)
    sample = make_rotation_sample(rng, n_schools=30)
    base = sample.outcomes
    hits = np.zeros(3)
    for _ in range(200):
        drawn = replace(sample, outcomes=base + 0.2 * rng.normal(size=base.shape))
        found = estimate_flow_regression(drawn.panel_of(FLOWS))
        still = estimate_flow_regression(sample.panel_of(FLOWS)).estimates
        variance = np.diag(linked_covariance(found, sample.links))
        limit = stats.t.ppf(0.975, 20) * np.sqrt(variance)
        hits += np.abs(found.estimates - still) <= limit
    assert (hits / 200 > 0.90).all()


def test_errors_shared_by_linked_schools_widen_the_error_and_never_shrink_it():
    sample = make_rotation_sample(np.random.default_rng(3), n_schools=60, linked_shock=0.5)
    found = estimate_flow_regression(sample.panel_of(FLOWS))
    alone = linked_covariance(found, sample.links[:0])
    linked = linked_covariance(found, sample.links)
    assert (np.diag(linked) >= np.diag(alone) - 1e-15).all()
    assert np.linalg.eigvalsh(linked).min() > 0
    sums = found.contributions.sum(axis=1)
    np.testing.assert_allclose(alone, sums.T @ sums * 60 / 59)


def test_the_net_of_a_move_is_receiving_plus_sending_and_the_county_adds_up_pupils():
    sample = make_rotation_sample(np.random.default_rng(4))
    found = study_flows(sample, QUICK)
    effect = found.table.set_index("flow")["effect"]
    net = found.net.set_index("net")["effect"]
    assert net["net_move"] == pytest.approx(effect["backbone_inflow"] + effect["backbone_outflow"])
    assert net["net_first_year"] == pytest.approx(effect.sum())
    students = sample.enrolment[:, -1]
    gained = sum(sample.flows[name][:, -1] * effect[name] for name in FLOWS)
    assert net["net_county"] == pytest.approx((gained * students).sum() / students.sum())


def test_counties_are_compared_within_themselves():
    sample = make_rotation_sample(np.random.default_rng(5), n_counties=2)
    shocks = np.random.default_rng(6).normal(size=(2, len(YEARS)))[sample.blocks]
    moved = replace(sample, outcomes=sample.outcomes + 5 * shocks)
    one, other = (study_flows(each, QUICK).table["effect"] for each in (sample, moved))
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_teachers_sent_where_scores_are_about_to_rise_show_in_the_test_of_next_year():
    sample = make_rotation_sample(np.random.default_rng(7), n_schools=80, noise=0.05)
    ahead = np.column_stack([sample.flows["backbone_inflow"][:, 1:], np.zeros(80)])
    rising = replace(sample, outcomes=sample.outcomes + 0.3 * ahead)
    assert study_flows(rising, QUICK).placebo_p_value < 0.01
    assert study_flows(sample, QUICK).placebo_p_value > 0.05


def test_the_wild_bootstrap_stands_beside_every_effect():
    found = study_flows(make_rotation_sample(np.random.default_rng(8)), QUICK)
    for effect, test in zip(found.table["effect"], found.wild, strict=True):
        assert test.estimate == pytest.approx(effect, abs=1e-10)
        assert test.conf_low < effect < test.conf_high


def test_where_every_school_moves_every_year_nothing_is_estimated():
    found = study_flows(make_rotation_sample(np.random.default_rng(9), move=1.0, flows=always_moving), QUICK)
    assert found.is_refused
    assert found.guard.findings[0].code == "rotation_no_stayers"
    assert found.table.empty


def always_moving(rates):
    rng = np.random.default_rng(0)
    return {name: rate + rng.uniform(0.1, 0.5, rate.shape) for name, rate in rates.items()}


def test_flows_that_move_together_are_refused():
    def together(rates):
        noise = 0.001 * np.random.default_rng(0).normal(size=rates["backbone_inflow"].shape)
        return rates | {"backbone_outflow": rates["backbone_inflow"] * (1 + noise)}

    guard = check_rotation_design(make_rotation_sample(np.random.default_rng(10), flows=together), FLOWS)
    assert guard.codes[0] == "rotation_flows_collinear"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"unmatched_share": 0.4}, "rotation_unmatched_refused"),
        ({"unmatched_share": 0.1}, "rotation_unmatched"),
        ({"outcomes": np.full((40, 8), np.nan)}, "rotation_no_outcome"),
    ],
)
def test_records_that_do_not_suffice_are_named(changes, code):
    sample = replace(make_rotation_sample(np.random.default_rng(11)), **changes)
    assert code in check_rotation_design(sample, FLOWS).codes


def test_few_schools_are_refused_and_some_more_qualified():
    rng = np.random.default_rng(12)
    assert (
        "rotation_few_schools_refused"
        in check_rotation_design(make_rotation_sample(rng, n_schools=8), FLOWS).codes
    )
    assert (
        "rotation_few_schools" in check_rotation_design(make_rotation_sample(rng, n_schools=25), FLOWS).codes
    )


def test_a_flow_that_does_not_exist_refuses_the_design():
    def none_sent(rates):
        return rates | {"backbone_outflow": np.zeros_like(rates["backbone_outflow"])}

    guard = check_rotation_design(make_rotation_sample(np.random.default_rng(13), flows=none_sent), FLOWS)
    assert guard.codes == ("rotation_no_flow",)


def test_stayers_keep_both_flows():
    sample = make_rotation_sample(np.random.default_rng(14))
    same = [np.diff(sample.teachers(name), axis=1) == 0 for name in FLOWS[:2]]
    np.testing.assert_array_equal(stayers(sample, FLOWS), same[0] & same[1])


def test_a_flow_split_in_two_kinds_of_equal_effect_gives_it_twice():
    def split(rates):
        first = np.random.default_rng(0).random(rates["backbone_inflow"].shape) < 0.5
        parts = {
            "backbone_inside": rates["backbone_inflow"] * first,
            "backbone_outside": rates["backbone_inflow"] * ~first,
        }
        return rates | parts

    sample = make_rotation_sample(np.random.default_rng(15), noise=0.0, flows=split)
    found = study_flow_kinds(sample, ("backbone_inside", "backbone_outside", "backbone_down"), QUICK)
    effect = found.table.set_index("flow")["effect"]
    assert effect["backbone_inside"] == pytest.approx(0.10, abs=1e-8)
    assert effect["backbone_outside"] == pytest.approx(0.10, abs=1e-8)
    assert "backbone_down" not in effect.index


def test_every_finding_of_the_guard_has_its_sentence_in_both_languages():
    guard = check_rotation_design(make_rotation_sample(np.random.default_rng(16), n_schools=25), FLOWS)
    assert all(has_sentence(code) for code in SEVERITIES)
    for finding in guard.findings:
        assert guard_sentence(finding, "zh") != guard_sentence(finding, "en")


def test_net_effects_use_the_covariance_of_the_effects():
    sample = make_rotation_sample(np.random.default_rng(17))
    found = estimate_flow_regression(sample.panel_of(FLOWS))
    covariance = linked_covariance(found, sample.links)
    net = net_effects(sample, found, covariance, QUICK).set_index("net")["std_error"]
    assert net["net_move"] ** 2 == pytest.approx(covariance[:2, :2].sum())


def test_schools_that_rise_steadily_and_receive_teachers_leave_nothing_without_their_trends():
    sample = make_rotation_sample(
        np.random.default_rng(18), n_schools=80, effects=(0.0, 0.0, 0.0), noise=0.05
    )
    slope = np.diff(sample.flows["backbone_inflow"][:, [0, -1]], axis=1)
    rising = replace(sample, outcomes=sample.outcomes + 0.3 * slope * np.arange(len(YEARS)))
    found = study_flows(rising, QUICK)
    own, without = (
        table.set_index("flow").loc["backbone_inflow"] for table in (found.table, found.without_trends)
    )
    assert own["conf_low"] > 0
    assert without["conf_low"] < 0 < without["conf_high"]
