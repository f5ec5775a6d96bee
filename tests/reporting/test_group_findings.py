"""Findings of a group-schooling study: detected, not detected, refused, no interval; numbers traced."""

from dataclasses import replace

import numpy as np
import pytest

from tests.effects.samples import YEARS, make_sample
from tests.effects.test_adoption_sensitivity import SETTINGS, make_data, study_of
from tests.effects.test_adoption_study import groups_sample
from toolkit.effects.adoption_panel import pool_samples
from toolkit.effects.adoption_sensitivity import leave_one_group_out, place_placebo_adoption
from toolkit.effects.adoption_study import estimate_adoption_study
from toolkit.effects.outcome_family import estimate_outcome_family
from toolkit.effects.sample_rules import SampleRules
from toolkit.effects.specification_curve import trace_specifications
from toolkit.inference.interval_rule import IntervalChoice
from toolkit.reporting.group_findings import find_group_schooling
from toolkit.standards import load_standard
from toolkit.tables.adoption_design import tabulate_intervals
from toolkit.tables.adoption_effects import tabulate_effects

STANDARD = load_standard("national_2017")


def findings_of(study, **beside):
    return {one.id: one for one in find_group_schooling([study], STANDARD, **beside)}


def test_an_effect_whose_interval_excludes_zero_is_stated_with_its_interval_and_method():
    found = findings_of(estimate_adoption_study(groups_sample(effect=0.3), SETTINGS))
    told = found["effect_primary_member"]
    assert told.kind == "headline"
    assert "平均提高" in told.zh
    assert "置信区间" in told.zh
    assert "higher on average" in told.en


def test_an_effect_with_trends_that_differed_before_is_not_put_down_to_joining():
    sample = groups_sample(effect=0.3, n_groups=8)
    joined = np.isfinite(sample.cohorts)
    since = sample.periods - np.where(joined, sample.cohorts, np.nan)[:, None]
    moved = replace(sample, outcomes=sample.outcomes + np.where(since < -3, -0.5, 0.0))
    study = estimate_adoption_study(moved, SETTINGS)
    assert study.robustness.placebo.p_value < 0.05
    told = findings_of(study)["effect_primary_member"]
    assert "不宜作为参加的结果" in told.zh
    assert "should not be put down to joining" in told.en


def test_outcomes_that_moved_alike_give_no_interval_and_no_conclusion():
    sample = groups_sample()
    study = estimate_adoption_study(replace(sample, outcomes=np.zeros(sample.outcomes.shape)), SETTINGS)
    assert study.interval.choice == IntervalChoice("none", "no_spread")
    assert "误差无从得知" in findings_of(study)["effect_primary_member"].zh
    assert tabulate_intervals([study], "zh").data["method"].tolist() == ["adoption_interval_none"]


def test_the_note_says_how_schools_were_weighed():
    sample = groups_sample()
    alike = replace(sample, rules=replace(sample.rules, weighting="school"))
    for own, words in ((sample, "weighted by enrolment"), (alike, "every school alike")):
        study = estimate_adoption_study(own, SETTINGS)
        table = tabulate_effects([study], STANDARD, "en", programme="group_schooling")
        assert any(words in note for note in table.caption.notes)


def test_groups_of_one_name_in_two_counties_are_two():
    first, second = groups_sample(), groups_sample(seed=1, county="990200")
    study = estimate_adoption_study(pool_samples([first, second]), SETTINGS)
    assert study.tidy()["n_groups"].item() == 12


def test_a_placebo_that_shows_nothing_rules_nothing_out_within_its_interval():
    study = study_of(make_data(noise=0.05, n_never=30))
    placebo = place_placebo_adoption(study)
    row = placebo.table[placebo.table["is_study_base"]].iloc[0]
    told = findings_of(study, placebo=placebo)["placebo_adoption"]
    seen = row["conf_low"] > 0 or row["conf_high"] < 0
    assert ("is not ruled out" in told.en) is not seen


def test_no_detectable_effect_is_told_with_what_is_ruled_out_and_what_could_be_found():
    study = estimate_adoption_study(groups_sample(effect=0.0), SETTINGS)
    told = findings_of(study)["effect_primary_member"]
    assert "未见可检出的变化" in told.zh
    assert "no detectable effect" in told.en
    assert f"{study.event_study.average.detectable:.3f}" in told.en


def test_a_refused_design_is_a_sentence_without_a_number_of_an_effect():
    sample = groups_sample(n_never=0, n_groups=2)
    told = findings_of(estimate_adoption_study(sample, SETTINGS))["refused_primary_member"]
    assert told.kind == "not_judged"
    assert told.numbers == ()


def test_with_too_few_groups_there_is_an_estimate_and_no_conclusion():
    study = estimate_adoption_study(groups_sample(n_groups=3, n_never=4), SETTINGS)
    assert study.interval.choice.interval == "none"
    told = findings_of(study)["effect_primary_member"]
    assert "不能据此下结论" in told.zh
    assert {number.name: number.value for number in told.numbers}["conf_low"] is None


def test_every_number_of_a_result_stands_in_the_row_it_names():
    study = estimate_adoption_study(groups_sample(), SETTINGS)
    table = tabulate_effects([study], STANDARD, "zh", programme="group_schooling").data
    found = findings_of(study)
    for number in (*found["effect_primary_member"].numbers, *found["credibility_primary_member"].numbers):
        rows = table
        for column, content in number.place.rows.items():
            rows = rows[rows[column].astype(str) == content]
        assert len(rows) == 1
        assert rows[number.place.column].item() == pytest.approx(number.value)


def test_what_stands_beside_the_effect_is_told_once_each():
    data = make_data(effect=0.3)
    study = study_of(data)
    family = estimate_outcome_family(
        data, stage="primary", outcomes=("R1", "R2"), primary="achievement", settings=SETTINGS
    )
    found = findings_of(
        study,
        left_out=leave_one_group_out(study),
        placebo=place_placebo_adoption(study),
        curve=trace_specifications(data, stage="primary", outcome="achievement", settings=SETTINGS),
        families=[family],
    )
    assert {"leave_one_group_out", "placebo_adoption", "specifications", "family_primary"} <= set(found)
    assert "方向不变" in found["leave_one_group_out"].zh
    assert "R2" in found["family_primary"].zh
    assert all(np.isfinite(number.value) for number in found["specifications"].numbers)


def test_where_counties_joined_as_a_whole_the_first_sentence_names_them_and_their_years():
    parts = []
    for number in range(8):
        year = (2020, None)[number % 2]
        parts.append(
            make_sample(
                [year] * 4,
                outcomes=np.random.default_rng(number).normal(size=(4, len(YEARS))),
                county_id=f"9901{number:02d}",
                rules=SampleRules(assignment="county"),
            )
        )
    told = findings_of(estimate_adoption_study(pool_samples(parts), SETTINGS))["unit"]
    assert "990100（2020 学年）、990102（2020 学年）" in told.zh
    assert "990101" not in told.zh


def test_a_placebo_without_an_interval_is_told_without_one():
    study = study_of(make_data(noise=0.05, n_never=30))
    placebo = place_placebo_adoption(study)
    lost = replace(placebo, table=placebo.table.assign(conf_low=np.nan, conf_high=np.nan))
    told = findings_of(study, placebo=lost)["placebo_adoption"]
    assert "不能判断有无自然回升" in told.zh
    assert {number.name for number in told.numbers} == {"n_schools", "effect"}
