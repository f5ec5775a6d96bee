from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from toolkit.inference.power import (
    AssignmentDesign,
    detectable_effect,
    detectable_from_std_error,
    detectable_multiplier,
)

PRIMARY = AssignmentDesign(
    n_schools=40, treated_share=0.25, icc=0.20, r2_school=0.7, r2_pupil=0.5, pupils_per_school=100
)


# The published table of domain knowledge: multiplier 2.8, 100 pupils a school, two decimals.
@pytest.mark.parametrize(
    ("schools", "share", "first", "second"),
    [
        (20, 0.30, 0.35, 0.23),
        (40, 0.25, 0.26, 0.17),
        (60, 0.30, 0.20, 0.13),
        (150, 0.30, 0.13, 0.08),
        (400, 0.30, 0.08, 0.05),
    ],
)
def test_formula_with_2_8_gives_the_planning_table(schools, share, first, second):
    one = replace(PRIMARY, n_schools=schools, treated_share=share)
    other = replace(one, icc=0.12, r2_school=0.8)
    assert round(detectable_effect(one, degrees=np.inf), 2) == first
    assert round(detectable_effect(other, degrees=np.inf), 2) == second


def test_multiplier_is_2_80_for_many_degrees_and_grows_as_they_fall():
    assert detectable_multiplier(np.inf) == pytest.approx(1.959964 + 0.841621, abs=1e-6)
    # t quantiles of a printed table: 4.303 and 1.061 at 2 degrees of freedom.
    assert detectable_multiplier(2) == pytest.approx(4.303 + 1.061, abs=1e-3)
    assert detectable_multiplier(0) == np.inf


def test_effect_from_a_standard_error_is_detected_as_often_as_stated():
    degrees, std_error = 12, 0.07
    effect = detectable_from_std_error(std_error, degrees)
    critical = stats.t.ppf(0.975, degrees)
    power = stats.nct.sf(critical, degrees, effect / std_error)
    assert power == pytest.approx(0.8, abs=0.01)


def test_schools_alone_have_no_design_effect_and_groups_as_one_school_the_full_one():
    assert PRIMARY.group_design_effect == 1
    groups = replace(PRIMARY, schools_per_group=4, group_correlation=1.0, pupils_per_school=1e12)
    alone = replace(PRIMARY, n_schools=10, pupils_per_school=1e12)
    assert groups.std_error == pytest.approx(alone.std_error)
    assert groups.degrees_of_freedom == alone.degrees_of_freedom


def test_standard_error_equals_that_of_simulated_schools_in_groups():
    design = replace(
        PRIMARY, schools_per_group=5, group_correlation=0.4, pupils_per_school=20, treated_share=0.5
    )
    rng = np.random.default_rng(1)
    n_draws, n_groups = 6000, 8
    between, within = 0.2 * 0.3, 0.8 * 0.5 / 20
    shared = rng.normal(size=(n_draws, n_groups, 1)) * np.sqrt(0.4 * between)
    schools = shared + rng.normal(size=(n_draws, n_groups, 5)) * np.sqrt(0.6 * between + within)
    effects = schools[:, :4].mean(axis=(1, 2)) - schools[:, 4:].mean(axis=(1, 2))
    assert design.std_error == pytest.approx(effects.std(), rel=4 / np.sqrt(2 * n_draws))


def test_degrees_of_freedom_are_welch_s_and_vanish_with_one_treated_group():
    design = replace(PRIMARY, n_schools=20, treated_share=0.3)
    expected = (1 / 6 + 1 / 14) ** 2 / ((1 / 6) ** 2 / 5 + (1 / 14) ** 2 / 13)
    assert design.degrees_of_freedom == pytest.approx(expected)
    one = replace(PRIMARY, n_schools=20, treated_share=0.25, schools_per_group=5)
    assert detectable_effect(one) == np.inf


def test_refuses_shares_outside_their_range():
    with pytest.raises(ValueError, match="strictly inside"):
        replace(PRIMARY, treated_share=1.0)
    with pytest.raises(ValueError, match="above 1"):
        replace(PRIMARY, r2_school=1.2)
    with pytest.raises(ValueError, match="at least 1"):
        replace(PRIMARY, schools_per_group=0.5)
