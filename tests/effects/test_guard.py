"""Every code of the design guard trips where it should, and not where it should not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.effects.samples import YEARS, make_sample, never
from toolkit.effects.guard import (
    SEVERITIES,
    GuardFinding,
    check_design,
    guard_sentence,
    require_design,
)
from toolkit.effects.guard_limits import DesignLimits
from toolkit.effects.sample_rules import SampleRules
from toolkit.errors import DesignError
from toolkit.vocabulary import VARIANT_MARK, has_sentence, has_term, sentence_names

GOOD = [2020, 2021] * 12 + never(24)
COUNTY = SampleRules(assignment="county")


def gone(count, reason="unit_no_year_before"):
    """Return adopters that could not be used."""
    row = {"county_id": "990100", "stage": "primary", "adoption_year": 2020.0, "role": "member"}
    return pd.DataFrame([row | {"school": f"x{number}", "reason": reason} for number in range(count)])


def holed(cohorts, *, first=2016, last=2025):
    """Return outcomes that adopters have between two years only."""
    years = np.array(YEARS)
    outcomes = np.zeros((len(cohorts), len(years)))
    inside = (years >= first) & (years <= last)
    for row, year in enumerate(cohorts):
        outcomes[row, ~inside] = np.nan if year else 0.0
    return outcomes


def flagged(name, count):
    """Return a good sample in which that many adopters changed in 2023."""
    years = np.full(len(GOOD), np.nan)
    years[:count] = 2023
    return make_sample(GOOD, **{name: years})


def with_neighbours(count):
    years = np.full(len(GOOD), np.nan)
    years[24 : 24 + count] = 2020
    return make_sample(GOOD, neighbour_year=years)


def with_covariates(columns):
    names = tuple(f"x{number}" for number in range(columns.shape[1]))
    return make_sample(GOOD, covariates=columns, covariate_names=names)


def in_counties(cohorts, per_county, **changes):
    codes = [f"9901{row // per_county:02d}" for row in range(len(cohorts))]
    clusters = np.array([row // per_county for row in range(len(cohorts))])
    return make_sample(cohorts, county_id=codes, clusters=clusters, rules=COUNTY, **changes)


def without_outcomes(reason):
    """Return a sample whose only schools that joined were left out for a reason."""
    lost = make_sample([2020] * 3).units.assign(reason=reason)
    return make_sample(never(20), left_out=lost)


VARIED = np.arange(48.0)[:, None] % 7
AMONG_ADOPTERS = np.where(np.arange(48) < 24, np.arange(48), 0.0)[:, None]
APART = VARIED + 100.0 * (np.arange(48) < 24)[:, None]
HALF_APART = np.where(np.arange(48)[:, None] % 2, VARIED, APART)
MANY = np.random.default_rng(1).standard_normal((48, 6))
LATE = [2016] * 3 + [2020, 2021] * 12 + never(24)

# Code: a sample that trips it with the design, and one just short of it.
CASES = {
    "guard_no_outcome": (without_outcomes("sample_no_outcome_before"), without_outcomes("unit_divided"), {}),
    "guard_no_adopters": (make_sample(never(30)), make_sample(GOOD), {}),
    "guard_county_alone": (in_counties([2020] * 24, 24), in_counties([2020] * 12 + never(24), 2), {}),
    "guard_county_year_effects": (in_counties(GOOD, 2), make_sample(GOOD), {"county_by_year": True}),
    "guard_everyone_at_once": (make_sample([2020] * 24), make_sample([2020] * 24 + never(12)), {}),
    "guard_no_comparison": (make_sample([2020, 2021] * 12), make_sample(GOOD), {}),
    "guard_no_pre_period": (make_sample(GOOD, outcomes=holed(GOOD, first=2021)), make_sample(GOOD), {}),
    "guard_too_few_clusters": (
        make_sample(GOOD, groups=["甲", "乙"] * 24),
        make_sample(GOOD, groups=["甲", "乙", "丙"] * 16),
        {},
    ),
    "guard_too_few_schools": (make_sample([2020] * 4 + never(24)), make_sample([2020] * 5 + never(24)), {}),
    "guard_too_few_comparison": (
        make_sample([2020] * 24 + never(2)),
        make_sample([2020] * 24 + never(3)),
        {},
    ),
    "guard_covariates_collinear": (with_covariates(AMONG_ADOPTERS), with_covariates(VARIED), {}),
    "guard_no_overlap": (with_covariates(APART), with_covariates(HALF_APART), {}),
    "guard_part_without_overlap": (with_covariates(HALF_APART), with_covariates(VARIED), {}),
    "guard_no_legacy_pupils": (
        make_sample(GOOD, tested_grades=(6,)),
        make_sample(GOOD),
        {"estimand": "legacy"},
    ),
    "guard_one_pre_period": (
        make_sample(GOOD, outcomes=holed(GOOD, first=2019)),
        make_sample(GOOD, outcomes=holed(GOOD, first=2018)),
        {},
    ),
    "guard_base_in_selection": (
        make_sample(GOOD, outcomes=holed(GOOD, first=2019)),
        make_sample(GOOD, outcomes=holed(GOOD, first=2018)),
        {},
    ),
    "guard_no_prior_level": (
        make_sample(GOOD, rules=SampleRules(covariates=("prior_achievement",)), baseline_years=(2016,)),
        make_sample(GOOD, rules=SampleRules(covariates=("prior_achievement",)), baseline_years=(2016, 2017)),
        {},
    ),
    "guard_one_post_period": (
        make_sample([2020] * 24 + never(24), outcomes=holed([2020] * 24 + never(24), last=2020)),
        make_sample([2020] * 24 + never(24), outcomes=holed([2020] * 24 + never(24), last=2021)),
        {},
    ),
    "guard_few_clusters": (
        make_sample(GOOD, groups=list("甲乙丙丁") * 12),
        make_sample(GOOD, groups=list("abcdefghijkl") * 4),
        {},
    ),
    "guard_few_schools": (make_sample([2020] * 19 + never(24)), make_sample([2020] * 20 + never(24)), {}),
    "guard_few_comparison": (make_sample([2020] * 24 + never(11)), make_sample([2020] * 24 + never(12)), {}),
    "guard_few_per_covariate": (with_covariates(MANY), with_covariates(MANY[:, :2]), {}),
    "guard_no_never_treated": (make_sample([2020, 2022] * 12), make_sample(GOOD), {"comparison": "not_yet"}),
    "guard_treated_from_start": (
        make_sample(GOOD, left_out=gone(1, "unit_treated_from_start")),
        make_sample(GOOD, left_out=gone(1)),
        {},
    ),
    "guard_one_tested_grade": (make_sample(GOOD, tested_grades=(6,)), make_sample(GOOD), {}),
    "guard_neighbours": (with_neighbours(3), with_neighbours(2), {}),
    "guard_adopters_left_out": (make_sample(GOOD, left_out=gone(7)), make_sample(GOOD, left_out=gone(6)), {}),
    "guard_left": (flagged("left_year", 3), flagged("left_year", 2), {}),
    "guard_form_changed": (flagged("form_change_year", 3), flagged("form_change_year", 2), {}),
    "guard_second_programme": (flagged("other_year", 3), flagged("other_year", 2), {}),
    "guard_composition": (flagged("absorbed_year", 3), flagged("campus_year", 2), {}),
    "guard_outcome_missing": (
        make_sample(GOOD, outcomes=holed(GOOD, last=2022)),
        make_sample(GOOD, outcomes=holed(GOOD, last=2024)),
        {},
    ),
    "guard_coverage_moves": (
        make_sample(GOOD, coverage_after=[0.94] * 24 + [1.0] * 24),
        make_sample(GOOD, coverage_after=[0.96] * 24 + [1.0] * 24),
        {},
    ),
}


def test_every_code_has_a_case_and_a_sentence():
    assert set(CASES) == set(SEVERITIES)
    told = {name for name in sentence_names() if name.startswith("guard_")}
    assert {name for name in told if VARIANT_MARK not in name} == set(SEVERITIES)


@pytest.mark.parametrize("code", CASES)
def test_a_code_trips_where_it_should_and_not_short_of_it(code):
    tripped, clear, design = CASES[code]
    found = check_design(tripped, **design)
    assert code in found.codes
    assert code not in check_design(clear, **design).codes
    finding = next(finding for finding in found.findings if finding.code == code)
    assert finding.severity == SEVERITIES[code]
    for language in ("zh", "en"):
        text = guard_sentence(finding, language)
        assert "{" not in text
        assert "nan" not in text
        assert "–" not in text


def test_a_sound_design_has_no_finding():
    guard = check_design(make_sample(GOOD))
    assert guard.findings == ()
    assert not guard.is_refused
    assert guard.tidy().empty
    require_design(guard)


def test_the_numbers_are_those_counted():
    guard = check_design(with_neighbours(6))
    assert guard.findings == (
        GuardFinding("guard_neighbours", "qualified", {"affected": 6, "schools": 24, "share": 0.25}),
    )
    assert "6 of the 24 comparison schools (25.0%)" in guard_sentence(guard.findings[0], "en")
    assert guard.tidy()["value"].tolist() == [6, 24, 0.25]


def test_clusters_of_unequal_weight_are_worth_fewer():
    sample = make_sample(GOOD, groups=list("甲乙丙丁") * 12)
    heavy = replace(sample, weights=np.where(sample.units["school_group"] == "甲", 3.0, 1.0))
    even, uneven = (
        next(one for one in check_design(own).findings if one.code == "guard_few_clusters")
        for own in (sample, heavy)
    )
    assert even.numbers["effective"] == pytest.approx(4)
    # Weights 18, 6, 6, 6: 36² / (18² + 3 × 6²) = 3.
    assert uneven.numbers["effective"] == pytest.approx(3)


def test_anticipation_takes_years_before_away():
    sample = make_sample(GOOD, outcomes=holed(GOOD, first=2018))
    assert "guard_one_pre_period" not in check_design(sample).codes
    assert "guard_one_pre_period" in check_design(sample, anticipation=1).codes


def test_refusals_come_first_and_stop_with_their_sentence():
    guard = check_design(make_sample([2020] * 4 + never(24)))
    assert guard.is_refused
    assert guard.findings[0].severity == "refused"
    with pytest.raises(DesignError, match="Only 4 school"):
        require_design(guard)


def test_without_adopters_nothing_else_is_said():
    assert check_design(make_sample(never(2))).codes == ("guard_no_adopters",)


def test_every_refusal_has_a_sentence_and_words_for_a_table():
    refused = [code for code, severity in SEVERITIES.items() if severity == "refused"]
    assert [code for code in refused if not has_sentence(code)] == []
    assert [code for code in refused if not has_term(code.replace("guard_", "adoption_refused_"))] == []


def test_schools_that_joined_without_outcomes_are_not_told_as_if_nobody_had_joined():
    guard = check_design(without_outcomes("sample_no_outcome_after"))
    assert guard.codes == ("guard_no_outcome",)
    assert "3 所参加学校" in guard_sentence(guard.findings[0], "zh")


def test_limits_are_set_for_a_study():
    sample = make_sample([2020] * 4 + never(24))
    limits = DesignLimits(least_schools=2, few_schools=3, few_clusters=3)
    assert check_design(sample, limits=limits).codes == ()
