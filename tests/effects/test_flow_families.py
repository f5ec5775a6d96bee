"""Kinds of the flow in as one family: no smaller p-values, dependence used, few false findings."""

from dataclasses import replace

import numpy as np
import pytest

from tests.effects import rotation_results as made
from tests.effects.rotation_samples import make_rotation_sample
from toolkit.effects.flow_effects import FlowSettings, study_flow_kinds
from toolkit.effects.flow_families import adjust_flow_kinds

SETTINGS = FlowSettings(n_draws=1999)
HALVES = ("backbone_inside", "backbone_outside")


def kinds_at(n_kinds):
    """Return flows with those received divided at random into some kinds."""

    def split(rates):
        kind = np.random.default_rng(5).integers(n_kinds, size=rates["backbone_inflow"].shape)
        return rates | {f"kind_{one}": rates["backbone_inflow"] * (kind == one) for one in range(n_kinds)}

    return split


def studied(sample, **divisions):
    return {name: (study_flow_kinds(sample, kinds, SETTINGS),) for name, kinds in divisions.items()}


@pytest.fixture(scope="module")
def adjusted():
    return adjust_flow_kinds(made.kinds(), SETTINGS)["kinds_group"]


def test_only_the_kinds_are_adjusted_and_never_below_their_own_p_value(adjusted):
    table = adjusted[0].table.set_index("flow")
    assert table["p_adjusted"].notna().to_dict() == {
        "backbone_inside": True,
        "backbone_outflow": False,
        "backbone_outside": True,
        "first_year_inflow": False,
    }
    kinds = table.loc[list(HALVES)]
    assert (kinds["p_adjusted"] >= kinds["p_value"]).all()


def test_estimates_stay_as_they_were(adjusted):
    before = made.kinds()["kinds_group"][0].table
    assert adjusted[0].table[before.columns.tolist()].equals(before)


def test_a_refused_stage_stays_refused(adjusted):
    assert adjusted[1].is_refused
    assert adjusted[1].table.empty


def test_without_draws_nothing_is_adjusted():
    found = adjust_flow_kinds(made.kinds(), replace(SETTINGS, n_draws=0))
    assert found["kinds_group"][0].table["p_adjusted"].isna().all()


def test_a_division_that_comes_twice_is_no_second_hypothesis():
    sample = make_rotation_sample(np.random.default_rng(31), effects=(), flows=made.split_in_groups)
    once = adjust_flow_kinds(studied(sample, one=HALVES), SETTINGS)["one"][0]
    twice = adjust_flow_kinds(studied(sample, one=HALVES, other=HALVES), SETTINGS)["other"][0]
    np.testing.assert_allclose(twice.table["p_adjusted"], once.table["p_adjusted"])


def test_the_smallest_p_value_of_several_kinds_is_about_that_of_independent_tests():
    sample = make_rotation_sample(np.random.default_rng(32), n_schools=200, effects=(), flows=kinds_at(4))
    kinds = tuple(f"kind_{one}" for one in range(4))
    table = adjust_flow_kinds(studied(sample, one=kinds), SETTINGS)["one"][0].table
    least = table.dropna(subset=["p_adjusted"]).nsmallest(1, "p_value").iloc[0]
    assert least["p_adjusted"] == pytest.approx(1 - (1 - least["p_value"]) ** 4, abs=0.05)


def test_stages_are_families_of_their_own():
    sample = make_rotation_sample(np.random.default_rng(33), effects=(), flows=made.split_in_groups)
    other = replace(sample, stage="junior")
    both = {"one": (*studied(sample, one=HALVES)["one"], *studied(other, one=HALVES)["one"])}
    found = adjust_flow_kinds(both, SETTINGS)["one"]
    alone = adjust_flow_kinds(studied(sample, one=HALVES), SETTINGS)["one"][0]
    np.testing.assert_array_equal(found[0].table["p_adjusted"], alone.table["p_adjusted"])
    np.testing.assert_array_equal(found[1].table["p_adjusted"], alone.table["p_adjusted"])


@pytest.mark.slow
def test_with_no_effect_few_families_hold_a_finding():
    rng = np.random.default_rng(34)
    sample = make_rotation_sample(rng, n_schools=60, effects=(), flows=kinds_at(5))
    kinds = tuple(f"kind_{one}" for one in range(5))
    quick = replace(SETTINGS, n_draws=399)
    false, naive, n_samples = 0, 0, 120
    for _ in range(n_samples):
        drawn = replace(sample, outcomes=rng.normal(size=sample.outcomes.shape))
        table = adjust_flow_kinds(studied(drawn, one=kinds), quick)["one"][0].table.dropna()
        false += (table["p_adjusted"] < 0.05).any()
        naive += (table["p_value"] < 0.05).any()
    # Binomial limit of 5 % with three standard errors; alone about one in five families has a finding.
    assert false / n_samples <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / n_samples)
    assert naive / n_samples > 0.13
