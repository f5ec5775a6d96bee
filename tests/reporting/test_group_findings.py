"""Findings of a group-schooling study: detected, not detected, refused, no interval; numbers traced."""

import numpy as np
import pytest

from tests.effects.test_adoption_sensitivity import SETTINGS, make_data, study_of
from tests.effects.test_adoption_study import groups_sample
from toolkit.effects.adoption_sensitivity import leave_one_group_out, place_placebo_adoption
from toolkit.effects.adoption_study import estimate_adoption_study
from toolkit.effects.outcome_family import estimate_outcome_family
from toolkit.effects.specification_curve import trace_specifications
from toolkit.reporting.group_findings import find_group_schooling
from toolkit.standards import load_standard
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
