"""Tables of what rotation did: what a reader finds, what is refused, what the public edition withholds."""

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from tests.effects import rotation_results as made
from toolkit.effects.flow_effects import FlowSettings, study_flows
from toolkit.effects.flow_families import adjust_flow_kinds
from toolkit.effects.rotation_data import sum_doses, sum_use
from toolkit.reporting.people_disclosure import (
    suppress_rotation_doses,
    suppress_rotation_use,
    withheld_doses,
)
from toolkit.tables import rotation_effects as tables
from toolkit.tables.html import table_html

CHINESE = re.compile(r"[\u4e00-\u9fff]")
CODE_NAME = re.compile(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b")
ESTIMATES = ["effect", "std_error", "conf_low", "conf_high"]


@cache
def all_tables(language):
    county = [made.rotation()]
    return [
        tables.tabulate_rotation_use(sum_use(county), language),
        tables.tabulate_doses(county, language),
        tables.tabulate_rotation_design(made.studies(), language),
        tables.tabulate_flow_effects(made.studies(), language),
        tables.tabulate_net_effects(made.studies(), language),
        tables.tabulate_flow_kinds(made.kinds(), language),
        tables.tabulate_projections(made.projections(), language),
        tables.tabulate_paths(made.paths(), language),
        tables.tabulate_path_averages(made.paths(), language),
    ]


def refused_tables(language):
    refused = made.studies()[1:]
    return [
        tables.tabulate_flow_effects(refused, language),
        tables.tabulate_net_effects(refused, language),
        tables.tabulate_path_averages(made.paths()[1:], language),
        tables.tabulate_projections([], language),
        tables.tabulate_paths([], language),
    ]


def without_records(language):
    county = [made.no_rotation()]
    return [
        tables.tabulate_rotation_use(sum_use(county), language),
        tables.tabulate_doses(county, language),
    ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_table_renders_with_title_source_and_without_missing_words(language):
    for table in all_tables(language):
        html = table_html(table)
        assert table.caption.title in html
        assert table.caption.source
        assert "nan" not in html.lower()
        words = re.sub(r"<[^>]+>", " ", html)
        assert CODE_NAME.findall(words) == []


def test_no_chinese_is_left_in_english_tables():
    for table in [*all_tables("en"), *refused_tables("en"), *without_records("en")]:
        assert CHINESE.findall(table_html(table)) == []
        assert CHINESE.findall(table.data.to_csv()) == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_tables_without_rows_say_why(language):
    for table in [*refused_tables(language), *without_records(language)]:
        assert table.data.empty
        assert table.caption.interval == ""
        assert len(table.empty_text) > 10
        assert table.empty_text in table_html(table)


def test_the_use_of_spells_adds_up_to_its_total():
    table = tables.tabulate_rotation_use(sum_use([made.rotation()]), "zh")
    assert table.total_rows == 1
    *parts, total = table.data["n_spells"]
    assert sum(parts) == total == len(made.moves())
    assert table.data["reason"].tolist()[0] == "派出、接收双方均已计入"


def test_the_doses_are_those_of_all_schools_by_school_year():
    table = tables.tabulate_doses([made.rotation()], "zh").data
    assert table["year"].tolist()[-1] == "2025/2026"
    assert table["inflow"].tolist() == pytest.approx([0, 2, 2, 8, 8, 9])


def test_the_design_of_a_refused_stage_is_told_in_a_sentence():
    table = tables.tabulate_rotation_design(made.studies(), "zh").data
    refused = table[table["verdict"] == "refused"]
    assert set(refused["stage"]) == {"junior"}
    assert refused["remark"].str.contains("不予估计").all()
    assert set(table.loc[table["stage"] == "primary", "verdict"]) == {"qualified"}


def test_a_design_without_remarks_says_so():
    assert "未发现" in tables.tabulate_rotation_design([], "zh").empty_text


def test_the_effects_are_those_of_the_study_with_the_meaning_of_each_flow():
    study = made.studies()[0]
    table = tables.tabulate_flow_effects(made.studies(), "zh")
    assert set(table.data["stage"]) == {"primary"}
    np.testing.assert_array_equal(table.data[ESTIMATES], study.table[ESTIMATES])
    assert table.data["meaning"].tolist() == ["接收效应", "派出效应", "首年磨合效应"]
    row = study.table.iloc[0]
    assert table.data["interval"].iloc[0] == f"{row['conf_low']:.3f}\u00a0至\u00a0{row['conf_high']:.3f}"
    assert table.data["wild_low"].tolist() == [one.conf_low for one in study.wild]
    assert "95%" in table.caption.interval
    assert any("联合检验" in note for note in table.caption.notes)


def test_all_teachers_have_the_same_meanings_as_backbone_teachers():
    sample = made.samples()[0]
    flows = dict(sample.flows) | {
        "inflow": sample.flows["backbone_inflow"], "outflow": sample.flows["backbone_outflow"]
    }  # fmt: skip
    settings = FlowSettings(flows=("inflow", "outflow", "first_year_inflow"), n_draws=99)
    study = study_flows(replace(sample, flows=flows), settings)
    data = tables.tabulate_flow_effects([study], "en").data
    assert data["meaning"].tolist() == ["Receiving", "Sending", "First-year disruption"]
    assert data["flow"].tolist()[0] == "flow_inflow"


def test_the_level_of_the_intervals_is_that_of_the_study():
    settings = replace(made.QUICK, confidence_level=0.9)
    study = study_flows(made.samples()[0], settings)
    assert "90%" in tables.tabulate_flow_effects([study], "en").caption.interval


def test_without_a_test_of_next_year_a_note_says_so():
    study = replace(made.studies()[0], placebo_p_value=np.nan)
    table = tables.tabulate_flow_effects([study], "en")
    assert any("too few years" in note for note in table.caption.notes)
    assert table.data["placebo_p_value"].isna().all()


def test_the_net_effects_are_those_of_the_study():
    table = tables.tabulate_net_effects(made.studies(), "zh").data
    assert table["net"].tolist() == ["net_move", "net_first_year", "net_county"]
    np.testing.assert_array_equal(table[ESTIMATES], made.studies()[0].net[ESTIMATES])


def test_kinds_stand_without_the_other_flows_and_a_refused_stage_has_a_reason():
    table = tables.tabulate_flow_kinds(made.kinds(), "zh").data
    primary, junior = (table[table["stage"] == stage] for stage in ("primary", "junior"))
    assert primary["flow"].tolist() == ["flow_backbone_inside", "flow_backbone_outside"]
    assert primary["effect"].notna().all()
    assert len(junior) == 1
    assert junior[["effect", "conf_low", "conf_high"]].isna().all(axis=None)
    assert "不予估计" in junior["why_none"].iloc[0]


def test_kinds_have_p_values_adjusted_as_a_family_and_the_note_says_so():
    studies = adjust_flow_kinds(made.kinds(), made.QUICK)
    table = tables.tabulate_flow_kinds(studies, "en")
    own = table.data[table.data["stage"] == "primary"]
    expected = studies["kinds_group"][0].table["p_adjusted"].dropna().tolist()
    assert own["p_adjusted"].tolist() == expected
    assert own["adjusted_p"].tolist() == [f"{value:.3f}" for value in expected]
    assert any("Romano and Wolf" in note for note in table.caption.notes)
    assert table.data.loc[table.data["stage"] == "junior", "adjusted_p"].tolist() == [""]


def test_refused_paths_have_a_sentence_and_no_number():
    table = tables.tabulate_paths(made.paths(), "zh").data
    refused = table[table["stage"] == "junior"]
    assert len(refused) == 2
    assert refused[ESTIMATES].isna().all(axis=None)
    assert (refused["why_none"].str.len() > 10).all()
    estimated = table[table["stage"] == "primary"]
    assert sorted(estimated["event_time"].unique()) == [-2, -1, 1, 2, 3]


def test_projections_without_number_have_a_reason_and_those_with_one_have_none():
    table = tables.tabulate_projections(made.projections(), "en").data
    assert (table["effect"].isna() == (table["why_none"] != "")).all()
    assert table.loc[table["stage"] == "junior", "effect"].isna().all()
    assert table["interval"].fillna("").eq("").equals(table["effect"].isna())


def test_intervals_by_year_do_not_claim_what_only_the_joint_model_allows_for():
    joint, *later = (
        tables.tabulate_flow_effects(made.studies(), "en"),
        tables.tabulate_paths(made.paths(), "en"),
        tables.tabulate_path_averages(made.paths(), "en"),
        tables.tabulate_projections(made.projections(), "en"),
    )
    assert "linked" in joint.caption.interval
    assert all(one.caption.interval and "linked" not in one.caption.interval for one in later)


def test_no_table_names_a_school():
    for table in all_tables("zh"):
        assert "小学" not in table.data.drop(columns="stage", errors="ignore").to_csv()


def test_the_public_edition_withholds_few_spells_and_one_more_that_would_give_them_away():
    use = pd.DataFrame(
        [("rotation_used", 756), ("rotation_receiver_unknown", 5), ("rotation_stage_unknown", 40)],
        columns=["reason", "n_spells"],
    )
    table = tables.tabulate_rotation_use(use, "en")
    public = suppress_rotation_use(table, use, edition="public")
    assert public.data["n_spells"].isna().tolist() == [False, True, True, False]
    assert suppress_rotation_use(table, use, edition="internal") is table


def test_the_public_edition_withholds_few_teachers_of_a_year_and_what_is_left_of_all():
    years = {
        "inflow": [0.0, 40.0, 100.0, 50.0],
        "outflow": [0.0, 41.0, 100.0, 51.0],
        "backbone_inflow": [0.0, 8.0, 95.0, 20.0],
        "backbone_outflow": [0.0, 9.0, 60.0, 21.0],
        "first_year_inflow": [0.0, 40.0, 30.0, 45.0],
    }
    doses = pd.DataFrame(years).assign(stage="primary", year=[2018, 2019, 2020, 2021])
    hidden = withheld_doses(doses, edition="public")
    assert hidden is not None
    assert hidden.any(axis=1).tolist() == [False, True, True, True]
    assert hidden["backbone_inflow"].tolist() == [False, True, True, False]
    assert hidden["backbone_outflow"].tolist() == [False, True, True, True]
    assert hidden["first_year_inflow"].tolist() == [False, False, False, True]
    assert not hidden["inflow"].any()
    assert hidden["outflow"].tolist() == [False, True, False, True]
    assert withheld_doses(doses, edition="internal") is None


def test_the_public_table_of_a_small_county_has_no_number_of_teachers_below_the_limit():
    county = [made.rotation()]
    table = tables.tabulate_doses(county, "zh")
    public = suppress_rotation_doses(table, sum_doses(county), edition="public")
    values = public.data[["inflow", "outflow", "backbone_inflow", "first_year_inflow"]].astype(float)
    assert ((values == 0) | values.isna()).all(axis=None)
    assert suppress_rotation_doses(table, sum_doses(county), edition="internal") is table
