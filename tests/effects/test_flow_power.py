"""What a study of rotation can detect: power of placebo flows, and what smaller effects would take."""

from dataclasses import replace

import numpy as np
import pytest

from tests.effects import rotation_results as made
from tests.effects.rotation_samples import YEARS, make_rotation_sample
from toolkit.effects.flow_effects import study_flows
from toolkit.effects.flow_power import compute_flow_power

RECEIVED, SENT = "backbone_inflow", "backbone_outflow"


def study_of(seed=51, **changes):
    return study_flows(make_rotation_sample(np.random.default_rng(seed), **changes), made.QUICK)


@pytest.fixture(scope="module")
def power():
    return compute_flow_power(study_of(noise=0.15), n_draws=200)


def test_what_the_study_detects_needs_no_more_than_its_own_schools_and_years():
    study = study_of(noise=0.3)
    now = float(study.table["detectable"].iloc[0])
    found = compute_flow_power(study, effects=(1.001 * now, 0.5 * now), n_draws=1)
    enough, half = found.needs[RECEIVED]
    assert (enough.schools, enough.years, enough.counties) == (40, len(YEARS), 1)
    # Half the effect takes a quarter of the variance, less what degrees of freedom give.
    assert half.counties == 4
    assert 120 < half.schools <= 160
    assert 1 + 7 * 3.9 < half.years <= 1 + 7 * 4.1


def test_receiving_and_sending_are_planned_for_and_the_first_year_is_not(power):
    assert list(power.needs) == list(power.curves) == [RECEIVED, SENT]
    table = power.tidy()
    assert table["effect"].tolist() == [0.05, 0.10, 0.05, 0.10]
    assert set(table["stage"]) == {"primary"}
    assert (power.n_schools, power.n_years) == (40, len(YEARS))


def test_counties_are_single_ones_where_several_are_studied_together():
    study = study_of(n_counties=2, n_schools=60, noise=0.3)
    half = compute_flow_power(study, effects=(0.5 * study.table["detectable"].iloc[0],), n_draws=1)
    needs = half.needs[RECEIVED][0]
    assert needs.counties % 2 == 0
    assert 30 * (needs.counties - 2) < needs.schools <= 30 * needs.counties


def test_power_rises_from_the_size_of_the_test_to_certainty(power):
    for flow in (RECEIVED, SENT):
        curve = power.curves[flow]
        assert curve.rejected[0] < 0.12
        assert (np.diff(curve.rejected) >= 0).all()
        assert curve.rejected[-1] > 0.98
        assert power.power(flow, 0.10) == curve.rejected[2]


def test_where_schools_are_alike_simulation_and_standard_error_agree():
    study = study_of(n_schools=100, noise=0.3, seed=52)
    found = compute_flow_power(study, n_draws=200)
    for place, flow in enumerate((RECEIVED, SENT)):
        assert found.curves[flow].detectable() == pytest.approx(
            study.table["detectable"].iloc[place], rel=0.3
        )


def test_estimated_effects_are_taken_off_before_flows_change_places():
    study = study_of(noise=0.1)
    sample = study.sample
    moved = replace(sample, outcomes=sample.outcomes + 0.7 * sample.flows[RECEIVED])
    one, other = (compute_flow_power(study_flows(each, made.QUICK), n_draws=50) for each in (sample, moved))
    np.testing.assert_array_equal(one.curves[RECEIVED].rejected, other.curves[RECEIVED].rejected)
    np.testing.assert_array_equal(one.curves[SENT].rejected, other.curves[SENT].rejected)


def test_a_refused_study_detects_nothing():
    found = compute_flow_power(made.studies()[1])
    assert (found.needs, found.curves, found.n_schools, found.n_years) == ({}, {}, 0, 0)
    assert found.tidy().empty
