"""Effects by year since a clean change of one flow: known truth, refusals, counts."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.effects.rotation_results import QUICK
from tests.effects.rotation_samples import make_rotation_sample
from toolkit.effects.flow_projection import COLUMNS, HORIZONS, LEAST_CHANGED, project_flows
from toolkit.vocabulary import has_sentence

EFFECTS = {"backbone_inflow": 0.10, "backbone_outflow": -0.04}


def clean_sample(seed=1, **changes):
    # Teachers in their first year do nothing here: a projection does not hold them fixed.
    given = {"n_schools": 120, "noise": 0.0, "move": 0.15, "effects": (*EFFECTS.values(), 0.0)} | changes
    return make_rotation_sample(np.random.default_rng(seed), **given)


def test_without_noise_every_year_since_gives_the_effect_of_one_teacher():
    table = project_flows(clean_sample(), QUICK).table
    for flow, effect in EFFECTS.items():
        since = table[(table["flow"] == flow) & (table["horizon"] >= 0)]
        np.testing.assert_allclose(since["effect"], effect, atol=1e-9)


def test_years_before_a_change_lie_within_their_intervals_about_as_often_as_they_say():
    rng = np.random.default_rng(2)
    sample = clean_sample()
    hits = []
    for _ in range(15):
        drawn = replace(sample, outcomes=rng.normal(size=sample.outcomes.shape))
        table = project_flows(drawn, QUICK).table
        before = table[table["horizon"] < 0]
        hits += ((before["conf_low"] < 0) & (before["conf_high"] > 0)).tolist()
    assert np.mean(hits) > stats.binom.ppf(0.001, len(hits), 0.95) / len(hits) - 0.03


def test_every_flow_has_every_year_and_those_without_number_a_reason():
    table = project_flows(clean_sample(n_schools=30), QUICK).table
    assert table.columns.tolist() == COLUMNS
    assert table.groupby("flow")["horizon"].agg(list).tolist() == [list(HORIZONS)] * 2
    assert (table["effect"].isna() == (table["refusal"] != "")).all()
    assert all(has_sentence(code) for code in table["refusal"] if code)


def test_no_more_schools_than_changes_and_fewer_than_the_least_give_no_number():
    table = project_flows(clean_sample(n_schools=20, move=0.3), QUICK).table
    assert (table["n_changed_schools"] <= table["n_changes"]).all()
    few = table["n_changed_schools"] < LEAST_CHANGED
    assert few.any()
    assert (table["effect"].isna() == few).all()


def test_the_counts_are_those_of_a_search_by_hand():
    sample = clean_sample(n_schools=40, move=0.2)
    row = project_flows(sample, QUICK, horizons=(0,)).table.iloc[0]
    moved = {flow: np.diff(sample.teachers(flow), axis=1) != 0 for flow in EFFECTS}
    quiet_else = ~moved["backbone_outflow"]
    anything = moved["backbone_inflow"] | moved["backbone_outflow"]
    before = np.column_stack([np.zeros(len(anything), dtype=bool), anything[:, :-1]])
    entered = quiet_else & ~before
    changed, clean = entered & moved["backbone_inflow"], entered & ~moved["backbone_inflow"]
    both = changed.any(axis=0) & clean.any(axis=0)
    assert row["n_changes"] == changed[:, both].sum()
    assert row["n_clean"] == clean[:, both].sum()
    assert row["n_changed_schools"] == changed[:, both].any(axis=1).sum()


def test_counties_are_compared_within_themselves():
    sample = clean_sample(n_counties=2, noise=0.1)
    shocks = np.random.default_rng(3).normal(size=(2, sample.outcomes.shape[1]))[sample.blocks]
    one, other = (
        project_flows(each, QUICK).table["effect"]
        for each in (sample, replace(sample, outcomes=sample.outcomes + 9 * shocks))
    )
    np.testing.assert_allclose(one, other, atol=1e-9)


@pytest.mark.parametrize("n_schools", [0, 3])
def test_a_stage_with_few_schools_or_none_has_reasons_and_no_number(n_schools):
    sample = clean_sample(n_schools=6)
    few = replace(
        sample,
        units=sample.units.head(n_schools),
        outcomes=sample.outcomes[:n_schools],
        enrolment=sample.enrolment[:n_schools],
        flows={name: rate[:n_schools] for name, rate in sample.flows.items()},
        weights=sample.weights[:n_schools],
        blocks=sample.blocks[:n_schools],
    )
    table = project_flows(few, QUICK).tidy()
    assert len(table) == 2 * len(HORIZONS)
    assert table["effect"].isna().all()
    assert set(table["refusal"]) == {"projection_not_reliable"}


def test_records_that_are_not_reliable_are_refused_here_too():
    table = project_flows(replace(clean_sample(), unmatched_share=0.4), QUICK).table
    assert set(table["refusal"]) == {"projection_not_reliable"}
