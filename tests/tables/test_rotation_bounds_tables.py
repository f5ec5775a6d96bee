"""Tables of bounds on the effects of rotation and of what smaller effects would take."""

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.effects import rotation_results as made
from toolkit.effects.flow_power import compute_flow_power
from toolkit.effects.path_bounds import FlowBounds
from toolkit.inference.honest_study import Breakdown
from toolkit.inference.power_needs import ScaledNeeds
from toolkit.tables.html import table_html
from toolkit.tables.rotation_bounds import tabulate_path_bounds
from toolkit.tables.rotation_needs import tabulate_flow_needs

CHINESE = re.compile(r"[\u4e00-\u9fff]")
CODE_NAME = re.compile(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b")


def of_two_stages(language):
    return [tabulate_path_bounds(made.bounds(), language), tabulate_flow_needs(made.power(), language)]


def test_without_stages_a_sentence_stands_in_the_place_of_the_table():
    for table in (tabulate_path_bounds([], "zh"), tabulate_flow_needs([], "zh")):
        assert table.data.empty
        assert "未作估计" in table_html(table)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_table_renders_with_title_source_and_without_missing_words(language):
    for table in of_two_stages(language):
        html = table_html(table)
        assert table.caption.title in html
        assert table.caption.source
        assert "nan" not in html.lower()
        assert CODE_NAME.findall(re.sub(r"<[^>]+>", " ", html)) == []


def test_no_chinese_is_left_in_english_tables():
    for table in of_two_stages("en"):
        assert CHINESE.findall(table_html(table)) == []
        assert CHINESE.findall(table.data.to_csv()) == []


def test_intervals_by_bound_are_those_of_the_bounds_with_their_breakdown_values():
    bounds = made.bounds()[0].flows[0]
    data = tabulate_path_bounds(made.bounds(), "en").data
    own = data[data["flow"] == f"flow_{bounds.flow}"]
    given = own.dropna(subset=["conf_low"])
    for name, column in (("conf_low", "conf_low"), ("conf_high", "conf_high"), ("estimate", "effect")):
        assert given[column].tolist() == [getattr(one, name) for one in bounds.intervals]
    assert given["bound"].tolist() == ["0", "0.5", "1", "2", "0", "0.01", "0.02"]
    ratio, curvature = (one.value for one in bounds.breakdowns)
    assert given["breakdown_value"].tolist() == [ratio] * 4 + [curvature] * 3


@pytest.mark.parametrize(("value", "words"), [(0.0, "0"), (np.inf, "none contains zero"), (0.4567, "0.457")])
def test_the_breakdown_value_is_told_in_words(value, words):
    one = made.bounds()[0]
    breakdowns = tuple(Breakdown(old.restriction, 0.95, value, "") for old in one.flows[0].breakdowns)
    data = tabulate_path_bounds(
        [replace(one, flows=(replace(one.flows[0], breakdowns=breakdowns),))], "en"
    ).data
    assert set(data["breakdown"]) == {words}
    assert data["breakdown_value"].isna().all() == np.isinf(value)


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ("few_clusters", "没有计算界限（有效聚类数少于系数个数的两倍"),
        ("no_period_before", "没有计算界限（基准年之前没有可用的年份"),
        ("no_first_year", "变化当年可比的学校太少"),
    ],
)
def test_refused_bounds_are_one_row_with_a_sentence(refusal, words):
    one = made.bounds()[0]
    given = one.flows[0]
    refused = tuple(
        replace(each, conf_low=np.nan, conf_high=np.nan, refusal=refusal) for each in given.intervals
    )
    found = (
        replace(given, study=None, intervals=(), breakdowns=())
        if refusal == "no_first_year"
        else replace(given, intervals=refused)
    )
    table = tabulate_path_bounds([FlowBounds(one.paths, (found,))], "zh")
    assert len(table.data) == 1
    assert words in table.data["why_none"].iloc[0]
    assert table.data[["effect", "conf_low", "conf_high"]].isna().all(axis=None)
    assert table.caption.interval == ""


def test_refused_paths_have_their_reason_here_too():
    data = tabulate_path_bounds(made.bounds(), "zh").data
    junior = data[data["stage"] == "junior"]
    assert len(junior) == 2
    assert (junior["why_none"].str.len() > 10).all()


def test_needs_are_those_of_the_study_and_a_refused_stage_has_a_reason():
    data = tabulate_flow_needs(made.power(), "zh").data
    primary, junior = (data[data["stage"] == stage] for stage in ("primary", "junior"))
    needs = [one for flow in made.power()[0].needs.values() for one in flow]
    assert primary["needs_counties_value"].tolist() == [float(one.counties) for one in needs]
    assert primary["planned"].tolist() == [0.05, 0.10, 0.05, 0.10]
    assert primary["power"].between(0, 1).all()
    assert len(junior) == 1
    assert "不予估计" in junior["why_none"].iloc[0]


def test_what_no_number_detects_is_said_and_not_a_number():
    one = made.power()[0]
    none = replace(one, needs={flow: (ScaledNeeds(0.05, None, None, None),) for flow in one.needs})
    data = tabulate_flow_needs([none], "en").data
    assert data["needs_years"].tolist() == ["not with any number up to 30"] * 2
    assert data["needs_years_value"].isna().all()


def test_the_notes_say_what_the_study_has_and_by_which_power_it_is_planned():
    study = made.studies()[0]
    level = replace(study, settings=replace(study.settings, confidence_level=0.9, power=0.7))
    table = tabulate_flow_needs([compute_flow_power(level, n_draws=1)], "en")
    told = " ".join(table.caption.notes)
    assert "60 schools and 8 school years" in told
    assert "power 70%, two-sided 10%" in told
    assert f"{study.table['detectable'].iloc[0]:.3f}" in told
