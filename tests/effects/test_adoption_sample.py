"""Who enters the panel of a study, with what weight, covariates and cluster."""

from typing import get_args

import numpy as np
import pytest

from tests.effects.samples import YEARS, make_study, make_units
from toolkit.effects.adoption_panel import build_adoption_sample, pool_samples
from toolkit.effects.baseline import baseline_mean, baseline_years, prior_achievement
from toolkit.effects.sample_rules import SampleReason, SampleRules
from toolkit.models.group_time import NEVER, estimate_group_time
from toolkit.models.group_time_aggregates import aggregate_group_time
from toolkit.vocabulary import has_term

BARE = SampleRules(covariates=())


def build(units, rules=BARE, outcome="achievement", **values):
    adoption, panel = make_study(units, **values)
    return build_adoption_sample(adoption, panel, stage="primary", outcome=outcome, rules=rules)


def reasons(sample):
    return sample.left_out.set_index("school")["reason"].to_dict()


def test_members_and_untouched_schools_enter_and_leads_are_studied_apart():
    units = make_units([2020, 2021, 2021, None, None], role=["lead", "member", "member", "", ""])
    sample, leads = build(units), build(units, SampleRules(role="lead", covariates=()))
    assert sample.units["school"].tolist() == list("1234")
    assert reasons(sample) == {"0": "sample_other_role"}
    assert sample.cohorts.tolist() == [2021, 2021, NEVER, NEVER]
    assert leads.units["school"].tolist() == list("034")
    assert len(build(units, SampleRules(role="any", covariates=())).units) == 5


def test_those_left_out_and_those_in_add_up_to_all_schools_with_one_reason_each():
    units = make_units([2020, 2020, 2021, 2022, None, None, None])
    units.loc[1, "renamed_year"] = 2023
    # Before the first year of the data: no change that the data could show.
    units.loc[0, "renamed_year"] = 2010
    units.loc[4, "neighbour_year"] = 2020
    units.loc[5, ["status", "reason"]] = "unusable", "unit_other_programme"
    outcomes = np.zeros((7, len(YEARS)))
    outcomes[2, :5] = np.nan
    outcomes[3, 6:] = np.nan
    rules = SampleRules(covariates=(), without=("renamed_year",), without_neighbours=True)
    sample = build(units, rules, achievement=outcomes)
    assert reasons(sample) == {
        "1": "sample_flagged",
        "2": "sample_no_outcome_before",
        "3": "sample_no_outcome_after",
        "4": "sample_neighbour",
        "5": "unit_other_programme",
    }
    assert len(sample.units) + len(sample.left_out) == 7
    assert len(build(units).units) == 6


def test_schools_without_baseline_covariate_or_two_years_of_outcome_are_left_out():
    units = make_units([2020, 2020, None, None, None])
    enrolment, outcomes = np.full((5, len(YEARS)), 100.0), np.zeros((5, len(YEARS)))
    enrolment[1, :4] = np.nan
    outcomes[2, 1:] = np.nan
    units.loc[3, "location"] = np.nan
    rules = SampleRules(covariates=("location",))
    sample = build(units, rules, enrolment=enrolment, achievement=outcomes)
    assert reasons(sample) == {
        "1": "sample_no_baseline",
        "2": "sample_no_outcome",
        "3": "sample_covariate_missing",
    }


def test_the_baseline_ends_before_the_first_adoption_and_the_years_of_selection():
    adoption, panel = make_study(make_units([2020, 2022, None]))
    assert baseline_years(adoption, stage="primary") == (2016, 2017, 2018)
    assert baseline_years(adoption, stage="primary", selection_years=0) == (2016, 2017, 2018, 2019)
    assert baseline_years(adoption, stage="junior") == ()
    assert baseline_mean(panel, "enrolment", (2016, 2017)).tolist() == [100.0] * 3


def test_weights_are_the_mean_enrolment_of_the_baseline_or_one_for_every_school():
    enrolment = np.full((3, len(YEARS)), 50.0)
    enrolment[0, :4] = [100, 200, 300, 5000]
    units = make_units([2020, None, None])
    assert build(units, enrolment=enrolment).weights.tolist() == [200, 50, 50]
    alike = build(units, SampleRules(weighting="school", covariates=()), enrolment=enrolment)
    assert alike.weights.tolist() == [1, 1, 1]


def test_the_level_of_achievement_needs_two_years_before_selection():
    units = make_units([2019, None, None])
    levels = np.arange(30.0).reshape(3, 10)
    rules = SampleRules(covariates=("prior_achievement",))
    sample = build(units, rules, achievement=levels)
    assert sample.covariate_names == ("prior_achievement",)
    assert sample.covariates[:, 0].tolist() == [0.5, 10.5, 20.5]
    early = build(make_units([2018, None, None]), rules, achievement=levels)
    assert early.covariate_names == ()
    _, panel = make_study(units, achievement=levels)
    assert np.isnan(prior_achievement(panel, (2016,))).all()


def test_covariates_that_do_not_vary_are_not_in_the_panel():
    units = make_units([2020, None, None, None], location=["urban", "rural", "urban", "rural"])
    sample = build(units, SampleRules(covariates=("location", "log_enrolment")))
    assert sample.covariate_names == ("town_area", "rural", "log_enrolment")
    assert sample.panel.covariates.tolist() == [[0], [1], [0], [1]]


def test_adopters_cluster_by_group_comparison_schools_alone_and_counties_as_one():
    groups = ["甲", "甲", "乙", "", ""]
    units = make_units([2020, 2021, 2020, None, None], groups=groups)
    clusters = build(units).clusters
    assert clusters[0] == clusters[1]
    assert len(set(clusters)) == 4
    assert set(build(units, SampleRules(covariates=(), assignment="county")).clusters) == {0}


def test_counties_are_pooled_over_all_their_years_and_apart():
    one = build(make_units([2020, None, None]))
    other = make_units([2021, None], county_id="990200")
    adoption, panel = make_study(other, years=(2019, 2020, 2021, 2022, 2026))
    two = build_adoption_sample(
        adoption, panel, stage="primary", outcome="achievement", rules=SampleRules(covariates=())
    )
    pooled = pool_samples([one, two])
    assert pooled.periods.tolist() == [*YEARS, 2026]
    assert np.isfinite(pooled.outcomes).sum(axis=1).tolist() == [10, 10, 10, 5, 5]
    assert len(set(pooled.clusters)) == 5
    assert pooled.weights.tolist() == [100.0] * 5
    with pytest.raises(ValueError, match="same school"):
        pool_samples([one, one])
    with pytest.raises(ValueError, match="2 kinds"):
        pool_samples([one, build(other, SampleRules(role="lead", covariates=()))])


def test_a_planted_effect_comes_back_from_the_panel():
    rng = np.random.default_rng(4)
    units = make_units([2020] * 3 + [2022] * 3 + [None] * 6)
    after = np.array(YEARS) >= units["adoption_year"].fillna(np.inf).to_numpy()[:, None]
    outcomes = rng.standard_normal((12, 1)) + rng.standard_normal((1, 10)) + 0.3 * after
    sample = build(units, achievement=outcomes)
    effects = aggregate_group_time(estimate_group_time(sample.panel), "simple")
    assert effects.overall == pytest.approx(0.3)


def test_what_does_not_belong_together_is_refused():
    adoption, panel = make_study(make_units([2020, None]))
    other, _ = make_study(make_units([2020, None, None]))
    with pytest.raises(ValueError, match="other units"):
        build_adoption_sample(other, panel, stage="primary", outcome="achievement")
    with pytest.raises(ValueError, match="outcome must be one of"):
        build_adoption_sample(adoption, panel, stage="primary", outcome="happiness")
    with pytest.raises(ValueError, match="not rules of a sample"):
        SampleRules(without=("bad_luck",))


def test_every_reason_has_a_label():
    assert [reason for reason in get_args(SampleReason) if not has_term(reason)] == []
