from dataclasses import replace

import numpy as np
import pytest

from toolkit.inference.power import AssignmentDesign, detectable_effect
from toolkit.inference.power_needs import (
    MOST_YEARS,
    StudyPrecision,
    needs_of_effects,
    needs_of_precision,
    pool_counties,
    with_years,
)

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
STUDY = StudyPrecision(std_error=0.05, effective_clusters=17.0, n_schools=37, n_years=8)
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


def test_an_error_is_scaled_with_schools_and_with_years_as_that_of_simulated_panels():
    rng = np.random.default_rng(2)

    def spread(n_schools, n_years):
        flows, outcomes = rng.normal(size=(2, 3000, n_schools, n_years))
        flows -= flows.mean(axis=2, keepdims=True)
        return ((flows * outcomes).sum(axis=(1, 2)) / (flows**2).sum(axis=(1, 2))).std()

    few = StudyPrecision(std_error=spread(30, 4), effective_clusters=1e9, n_schools=30, n_years=4)
    multiplier = 1.959964 + 0.841621
    assert few.detectable() == pytest.approx(multiplier * few.std_error, rel=1e-5)
    assert few.detectable(years=9) == pytest.approx(multiplier * spread(30, 9), rel=0.06)
    assert few.detectable(times_schools=3) == pytest.approx(multiplier * spread(90, 4), rel=0.06)


def test_more_schools_bring_degrees_of_freedom_and_more_years_none():
    # t quantiles of 0.975 and 0.8 at 16 and at 33 degrees of freedom.
    assert STUDY.detectable() == pytest.approx((2.1199 + 0.8647) * 0.05, rel=1e-4)
    assert STUDY.detectable(times_schools=2) == pytest.approx((2.0345 + 0.8527) * 0.05 / np.sqrt(2), rel=1e-4)
    assert STUDY.detectable(years=15) == pytest.approx(STUDY.detectable() / np.sqrt(2))
    assert STUDY.detectable(years=1) == np.inf


def test_needs_of_a_study_are_the_first_numbers_that_suffice():
    for needs in needs_of_precision((0.05, 0.1), STUDY):
        counties = [STUDY.detectable(times_schools=needs.counties + step) for step in (-1, 0)]
        assert counties[0] > needs.effect >= counties[1]
        schools = [STUDY.detectable(times_schools=(needs.schools + step) / 37) for step in (-1, 0)]
        assert schools[0] > needs.effect >= schools[1]
        assert 37 * (needs.counties - 1) < needs.schools <= 37 * needs.counties
    coarse = needs_of_precision((0.1,), STUDY)[0]
    assert STUDY.detectable(years=coarse.years - 1) > 0.1 >= STUDY.detectable(years=coarse.years)


def test_what_no_number_of_years_detects_is_none():
    assert STUDY.detectable(years=MOST_YEARS) > 0.05
    assert needs_of_precision((0.05,), STUDY)[0].years is None


def test_a_study_without_error_or_with_one_year_has_no_precision():
    for changes in ({"std_error": 0.0}, {"n_years": 1}, {"effective_clusters": 0.0}):
        with pytest.raises(ValueError, match="above zero"):
            replace(STUDY, **changes)
