"""Findings of a study of rotation: detected, doubtful, not detected, refused; every number traced."""

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tests.effects import rotation_results as made
from tests.reporting.traced import astray, untold
from toolkit.effects.flow_effects import study_flows
from toolkit.reporting.rotation_findings import find_rotation
from toolkit.tables import rotation_effects as tables
from toolkit.tables.rotation_bounds import tabulate_path_bounds
from toolkit.tables.rotation_needs import tabulate_flow_needs
from toolkit.tables.saved import save_table

CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Level of the intervals, power, and one teacher per 100 students.
RULES = {0.95, 95, 80, 1, 100}


def by_id(studies, paths=(), bounds=(), powers=()):
    return {one.id: one for one in find_rotation(studies, paths, bounds, powers)}


@cache
def told():
    return by_id(made.studies(), made.paths(), made.bounds(), made.power())


def study_of(**changes):
    return study_flows(replace(made.samples()[0], **changes), made.QUICK)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    for table in (
        tables.tabulate_flow_effects(made.studies(), "zh"),
        tables.tabulate_net_effects(made.studies(), "zh"),
        tables.tabulate_path_averages(made.paths(), "zh"),
        tabulate_path_bounds(made.bounds(), "zh"),
        tabulate_flow_needs(made.power(), "zh"),
    ):
        save_table(table, folder)
    return folder


def test_every_number_of_every_finding_is_the_cell_of_the_file_it_names(folder):
    found = list(told().values())
    assert sum(len(one.numbers) for one in found) >= 20
    assert astray(found, lambda key: folder / f"{key}.csv") == []


def test_no_sentence_of_an_effect_prints_another_number(folder):
    found = [one for one in told().values() if one.numbers]
    assert untold(found, lambda key: folder / f"{key}.csv", rules=RULES) == []


def test_an_effect_whose_interval_excludes_zero_is_stated_with_its_interval():
    row = made.studies()[0].table.iloc[0]
    one = told()["effect_primary_backbone_inflow"]
    assert row["conf_low"] > 0
    assert one.kind == "headline"
    assert f"平均变化 {row['effect']:.3f} 个标准差（95% 置信区间 {row['conf_low']:.3f}" in one.zh
    assert "95 % interval" in one.en


def test_where_next_years_flows_show_an_effect_is_not_put_down_to_rotation():
    sample = made.samples()[0]
    ahead = np.column_stack([sample.flows["backbone_inflow"][:, 1:], np.zeros(len(sample.units))])
    found = by_id([study_of(outcomes=sample.outcomes + 0.3 * ahead + sample.flows["backbone_inflow"])])
    one = found["effect_primary_backbone_inflow"]
    assert "不宜作为交流的结果" in one.zh
    assert "should not be put down to rotation" in one.en
    assert "不可信" in found["next_year_primary"].zh


def test_no_detectable_effect_is_told_with_what_could_have_been_found():
    sample = made.samples()[0]
    noise = np.random.default_rng(4).normal(size=sample.outcomes.shape)
    study = study_of(outcomes=noise)
    row = study.table.iloc[0]
    assert row["conf_low"] < 0 < row["conf_high"]
    one = by_id([study])["effect_primary_backbone_inflow"]
    assert "未见可检出的效应" in one.zh
    assert "no detectable effect" in one.en
    assert f"{row['detectable']:.3f}" in one.zh


def test_a_refused_design_is_one_sentence_without_a_number():
    found = [one for key, one in told().items() if key.endswith("_junior") or "_junior_" in key]
    assert {one.kind for one in found} == {"not_judged"}
    assert all(one.numbers == () for one in found)
    assert "不予估计" in told()["refused_junior"].zh
    assert "not estimated" in told()["refused_junior"].en


def test_a_move_is_told_for_both_schools_together():
    study = made.studies()[0]
    net = study.table["effect"].iloc[:2].sum()
    one = told()["net_primary"]
    assert f"{net:.3f}" in one.zh
    assert next(number.value for number in one.numbers if number.name == "effect") == pytest.approx(net)


def test_without_a_test_of_next_year_a_sentence_says_so():
    one = by_id([replace(made.studies()[0], placebo_p_value=np.nan)])["next_year_primary"]
    assert one.numbers == ()
    assert "年份太少" in one.zh


def test_what_qualifies_the_estimates_is_told_once_per_stage():
    one = told()["qualified_primary"]
    assert one.kind == "limit"
    assert one.zh.count("派出学校与接收学校同在一县") == 1


def test_paths_tell_how_many_schools_are_behind_them():
    row = made.paths()[0].averages.iloc[0]
    one = told()["paths_primary_backbone_inflow"]
    assert f"{row['n_changed']} 所变化学校中 {row['n_compared']} 所" in one.zh
    assert f"{row['n_compared']} of {row['n_changed']} schools" in one.en


def test_both_languages_say_it_and_english_has_no_chinese():
    for one in told().values():
        assert CHINESE.findall(one.en) == []
        assert CHINESE.search(one.zh)
        assert "{" not in one.zh + one.en
        assert "第1小学" not in one.zh


def seen_paths(**changes):
    """Return the primary paths with intervals above zero, and their bounds with these breakdown values."""
    paths, bounds = made.paths()[0], made.bounds()[0]
    above = replace(paths, averages=paths.averages.assign(effect=0.4, conf_low=0.2, conf_high=0.6))
    flows = tuple(
        replace(one, breakdowns=tuple(replace(each, **changes) for each in one.breakdowns))
        for one in bounds.flows
    )
    return [above], [replace(bounds, paths=above, flows=flows)]


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (0.0, "即使走势完全平行", "even if trends are parallel"),
        (0.75, "最大偏离的 0.75 倍", "less than 0.75 times"),
        (np.inf, "都不含零", "every difference in trends that was looked at"),
    ],
)
def test_a_total_effect_that_is_seen_is_told_with_how_far_trends_may_part(value, zh, en, tmp_path):
    paths, bounds = seen_paths(value=value)
    found = by_id([], paths, bounds)
    one = found["paths_primary_backbone_inflow"]
    assert zh in one.zh
    assert en in one.en
    for table in (tables.tabulate_path_averages(paths, "zh"), tabulate_path_bounds(bounds, "zh")):
        save_table(table, tmp_path)
    assert astray(list(found.values()), lambda key: tmp_path / f"{key}.csv") == []


def test_a_total_effect_that_is_seen_without_bounds_says_why_there_are_none():
    paths, bounds = seen_paths()
    without = tuple(replace(one, study=None, intervals=(), breakdowns=()) for one in bounds[0].flows)
    one = by_id([], paths, [replace(bounds[0], flows=without)])["paths_primary_backbone_inflow"]
    assert "太少，不能给出走势偏离时的区间" in one.zh


def test_what_the_planned_effect_would_take_is_told_for_the_flow_that_takes_most(tmp_path):
    power = made.power()[0]
    needs = {"backbone_inflow": 3, "backbone_outflow": 5}
    more = {
        flow: tuple(replace(one, counties=needs[flow]) if one.effect == 0.1 else one for one in own)
        for flow, own in power.needs.items()
    }
    planned = replace(power, needs=more)
    one = by_id([], powers=[planned])["needs_primary"]
    assert "派出骨干教师" in one.zh
    assert "0.10 个标准差" in one.zh
    assert "约需 5 个" in one.zh
    assert "about 5 counties" in one.en
    save_table(tabulate_flow_needs([planned], "zh"), tmp_path)
    assert astray([one], lambda key: tmp_path / f"{key}.csv") == []
    assert "needs_primary" not in told()  # one county is enough there
