from dataclasses import replace

import numpy as np
import pytest

from toolkit.inference.power import AssignmentDesign, detectable_effect
from toolkit.inference.power_needs import needs_of_effects, pool_counties, with_years

DESIGN = AssignmentDesign(
    n_schools=60,
    treated_share=0.3,
    icc=0.2,
    r2_school=0.0,
    r2_pupil=0.5,
    pupils_per_school=100,
    schools_per_group=3,
    group_correlation=0.2,
)
YEARS = {"year_correlation": 0.8, "years_before": 2, "years_after": 3}


def test_variance_of_years_equals_that_of_simulated_schools():
    rng = np.random.default_rng(1)
    lasting = rng.normal(size=(40_000, 1)) * np.sqrt(0.2 * 0.8)
    years = lasting + rng.normal(size=(40_000, 5)) * np.sqrt(0.2 * 0.2)
    change = years[:, 2:].mean(axis=1) - years[:, :2].mean(axis=1)
    planned = with_years(DESIGN, **YEARS)
    assert planned.icc * (1 - planned.r2_school) == pytest.approx(change.var(), rel=0.03)
    assert (1 - planned.r2_pupil) == pytest.approx(0.5 * (1 / 2 + 1 / 3))


def test_needs_are_the_first_numbers_that_suffice():
    for needs in needs_of_effects((0.05, 0.1), DESIGN, **YEARS):
        planned = with_years(DESIGN, **YEARS)
        schools = [detectable_effect(replace(planned, n_schools=needs.schools + step)) for step in (-1, 0)]
        assert schools[0] > needs.effect >= schools[1]
        counties = [detectable_effect(pool_counties(planned, needs.counties + step)) for step in (-1, 0)]
        assert counties[0] > needs.effect >= counties[1]


def test_half_the_effect_needs_about_four_times_the_schools():
    fine, coarse = needs_of_effects((0.05, 0.1), DESIGN, **YEARS)
    assert fine.schools / coarse.schools == pytest.approx(4, rel=0.05)


def test_years_after_cannot_make_up_for_one_year_before():
    design = replace(DESIGN, n_schools=400)
    plan = {"year_correlation": 0.8, "years_before": 1}
    limit = detectable_effect(with_years(design, **plan, years_after=10**9))
    effect = 1.1 * limit
    fine, coarse = needs_of_effects((0.99 * limit, effect), design, **plan, years_after=1)
    assert fine.years_after is None
    enough, short = (
        detectable_effect(with_years(design, **plan, years_after=coarse.years_after + step))
        for step in (0, -1)
    )
    assert enough <= effect < short


def test_pooled_counties_leave_a_degree_of_freedom_each_on_either_side():
    pooled = pool_counties(DESIGN, 10)
    assert pooled.n_schools == 600
    treated, others = 60, 140
    expected = (1 / treated + 1 / others) ** 2 / (
        1 / treated**2 / (treated - 10) + 1 / others**2 / (others - 10)
    )
    assert pooled.degrees_of_freedom == pytest.approx(expected)


def test_refuses_no_year_and_impossible_correlation():
    with pytest.raises(ValueError, match="at least 1"):
        with_years(DESIGN, year_correlation=0.5, years_before=0, years_after=1)
    with pytest.raises(ValueError, match="correlation"):
        with_years(DESIGN, year_correlation=1.5, years_before=1, years_after=1)
