"""Effects by year since the first change of a flow: known truth, refusals, what is left out."""

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.effects.rotation_results import QUICK
from tests.effects.rotation_samples import YEARS, make_rotation_sample
from toolkit.effects.flow_paths import AVERAGE_COLUMNS, LEAST_SWITCHERS, PATH_COLUMNS, follow_flow_paths


def on_the_grid(rates):
    """Return rates that are multiples of the step to which doses are rounded."""
    return {name: 0.05 * np.round(rate / 0.05) for name, rate in rates.items()}


def clean_sample(seed=1, **changes):
    given = {"n_schools": 80, "noise": 0.0, "flows": on_the_grid} | changes
    return make_rotation_sample(np.random.default_rng(seed), **given)


@pytest.fixture(scope="module")
def found():
    return follow_flow_paths(clean_sample(), QUICK)


def test_without_noise_the_year_of_the_change_gives_the_effect_of_one_teacher(found):
    first = found.table[found.table["event_time"] == 1].set_index("flow")
    for flow, effect in {"backbone_inflow": 0.10, "backbone_outflow": -0.04}.items():
        assert first.loc[flow, "effect"] == pytest.approx(effect, abs=1e-8)
        assert first.loc[flow, "total"] == pytest.approx(effect * first.loc[flow, "dose_change"], abs=1e-8)


def test_where_effects_do_not_last_the_mean_over_earlier_teachers_falls(found):
    own = found.table[(found.table["flow"] == "backbone_inflow") & (found.table["event_time"] > 0)]
    assert (own["effect"].diff().dropna() < -0.01).all()


def test_where_effects_last_every_year_gives_the_effect_of_one_teacher():
    sample = clean_sample(effects=())
    lasting = 0.10 * np.cumsum(sample.flows["backbone_inflow"], axis=1)
    lasts = replace(sample, outcomes=sample.outcomes + lasting)
    table = follow_flow_paths(lasts, replace(QUICK, flows=("backbone_inflow",))).table
    np.testing.assert_allclose(table.loc[table["event_time"] > 0, "effect"], 0.10, atol=1e-8)


def test_without_noise_the_years_before_show_nothing(found):
    before = found.table[found.table["event_time"] < 0]
    assert len(before) == 4
    np.testing.assert_allclose(before["effect"], 0, atol=1e-8)


def test_without_noise_the_total_effect_is_that_of_one_teacher_since_nothing_lasts(found):
    np.testing.assert_allclose(found.averages["effect"], [0.10, -0.04], atol=1e-8)


def test_no_more_schools_are_compared_than_changed(found):
    averages = found.averages
    assert (averages["n_compared"] <= averages["n_changed"]).all()
    assert (averages["n_changed"] <= 80).all()
    assert found.table["n_switchers"].max() <= averages["n_compared"].max()


def test_intervals_hold_the_estimate_and_the_band_holds_the_interval():
    table = follow_flow_paths(clean_sample(noise=0.1), QUICK).table
    assert (table["band_low"] <= table["conf_low"]).all()
    assert (table["conf_low"] < table["effect"]).all()
    assert (table["effect"] < table["conf_high"]).all()
    assert (table["conf_high"] <= table["band_high"]).all()


def test_years_that_few_schools_reach_have_no_number():
    table = follow_flow_paths(clean_sample(n_schools=12, noise=0.1), QUICK).table
    few = table["n_switchers"] < LEAST_SWITCHERS
    assert few.any()
    assert table.loc[few, ["effect", "std_error", "conf_low", "conf_high", "band_low"]].isna().all(axis=None)


def test_a_change_of_enrolment_alone_is_no_change_of_the_flow(found):
    sample = clean_sample()
    growth = np.linspace(0.8, 1.2, len(YEARS))
    enrolment = sample.enrolment * growth
    flows = {name: rate / growth for name, rate in sample.flows.items()}
    moved = follow_flow_paths(replace(sample, enrolment=enrolment, flows=flows), QUICK)
    np.testing.assert_allclose(moved.table["effect"], found.table["effect"], atol=1e-8)


def test_too_few_schools_are_refused_in_both_languages_and_without_a_number():
    refused = follow_flow_paths(clean_sample(n_schools=9), QUICK)
    assert list(refused.refusals) == ["backbone_inflow", "backbone_outflow"]
    assert refused.table.columns.tolist() == PATH_COLUMNS
    assert refused.averages.columns.tolist() == AVERAGE_COLUMNS
    assert len(refused.table) == len(refused.averages) == 0
    assert all("少于最低要求的 10 所" in one.zh for one in refused.refusals.values())
    assert all("fewer than the least number of 10" in one.en for one in refused.refusals.values())


def test_flows_of_which_few_schools_can_be_compared_are_refused():
    sample = clean_sample(n_schools=30)
    flow = sample.flows["backbone_inflow"].copy()
    flow[4:] = flow[4:, :1]
    few = replace(sample, flows=dict(sample.flows) | {"backbone_inflow": flow})
    refused = follow_flow_paths(few, QUICK)
    assert list(refused.refusals) == ["backbone_inflow"]
    assert re.match(r"Only [0-4] schools", refused.refusals["backbone_inflow"].en)
    assert set(refused.table["flow"]) == {"backbone_outflow"}


def test_records_that_are_not_reliable_are_refused_here_too():
    unmatched = replace(clean_sample(), unmatched_share=0.4)
    told = follow_flow_paths(unmatched, QUICK).refusals["backbone_inflow"]
    assert told.zh.startswith("40.0% 的交流轮岗记录")


def test_flows_that_never_change_are_refused():
    refused = follow_flow_paths(clean_sample(move=0.0), QUICK)
    assert len(refused.refusals) == 2
    assert refused.tidy().empty


def test_a_stage_without_schools_is_refused():
    sample = clean_sample(n_schools=5)
    nobody = replace(
        sample,
        units=sample.units.head(0),
        outcomes=sample.outcomes[:0],
        enrolment=sample.enrolment[:0],
        flows={name: rate[:0] for name, rate in sample.flows.items()},
        weights=sample.weights[:0],
        blocks=sample.blocks[:0],
    )
    told = follow_flow_paths(nobody, QUICK).refusals["backbone_inflow"]
    assert "没有一所学校" in told.zh
    assert "No school" in told.en
