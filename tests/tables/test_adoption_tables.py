"""Tables of group schooling: what a reader finds, what is refused, what the public edition withholds."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tests.effects import adoption_results as made
from tests.effects.samples import make_sample, never
from toolkit.effects.adoption_sensitivity import PLACEBO_COLUMNS, LeaveOneGroupOut, PlaceboAdoption
from toolkit.effects.balance import COVARIATE_COLUMNS, TREND_COLUMNS, Balance
from toolkit.effects.dispersion import EFFECT_COLUMNS, YEAR_COLUMNS, DispersionEffect
from toolkit.effects.outcome_family import FAMILY_COLUMNS, OutcomeFamily
from toolkit.effects.specification_curve import CHOICES, SpecificationCurve
from toolkit.standards import load_standard
from toolkit.tables import adoption, adoption_design, adoption_effects, adoption_outcomes
from toolkit.tables import adoption_power as power_tables
from toolkit.tables import adoption_sensitivity as sensitivity
from toolkit.tables.html import table_html

STANDARD = load_standard("national_2017")
LEFT = LeaveOneGroupOut(
    0.3,
    pd.DataFrame(
        [("集团甲", 2, 0.25, 0.1, -0.05, ""), ("集团乙", 2, 0.4, 0.1, 0.1, ""),
         ("集团丙", 3, np.nan, np.nan, np.nan, "sensitivity_too_few_groups")],
        columns=["school_group", "n_schools", "effect", "std_error", "change", "reason"],
    ),
)  # fmt: skip


def balance():
    covariates = [
        ("member", "R4", 4, 5, 8.0, 6.0, 2.0, 1.0),
        ("member", "prior_achievement", 0, 0, *[np.nan] * 4),
        ("lead", "R4", 2, 5, 9.0, 6.0, 3.0, 1.0),
        ("lead", "prior_achievement", 0, 0, *[np.nan] * 4),
        ("member", "migrant_share", 4, 5, 0.1, 0.2, 0.1, -1.0),
        ("lead", "migrant_share", 2, 5, 0.3, 0.2, 0.0, np.nan),
    ]
    trends = [
        ("member", "achievement", 4, 5, 2, 0.01, 0.02),
        ("lead", "achievement", 0, 0, 0, np.nan, np.nan),
    ]
    return Balance(
        "primary",
        (2016, 2017),
        pd.DataFrame(covariates, columns=COVARIATE_COLUMNS),
        pd.DataFrame(trends, columns=TREND_COLUMNS),
    )


def family():
    rows = [
        ("achievement", True, 8, 9, -0.2, 0.1234, 0.05, 0.02, 0.22, 0.14, 0.0004, np.nan, ""),
        ("migrant_share", False, 8, 9, 0.1, -0.0123, 0.01, -0.03, 0.01, 0.03, 0.2, 0.41, ""),
        ("prior_score", False, 3, 9, *[np.nan] * 8, "guard_too_few_schools"),
    ]
    return OutcomeFamily("primary", "achievement", pd.DataFrame(rows, columns=FAMILY_COLUMNS))


def curve():
    first = {name: values[0] for name, values in CHOICES.items()}
    rows = [
        first | {"n_adopters": 9, "n_comparison": 4, "effect": effect, "std_error": 0.1, "refusal": "",
                 "conf_low": effect - 0.2, "conf_high": effect + 0.2, "is_study": effect == 0.2}
        for effect in (-0.1, 0.1, 0.2, 0.6)
    ]  # fmt: skip
    blank = dict.fromkeys(("effect", "std_error", "conf_low", "conf_high"), np.nan)
    rows.append(first | blank | {"n_adopters": 9, "n_comparison": 0, "is_study": False,
                                 "refusal": "guard_no_comparison"})  # fmt: skip
    return SpecificationCurve(pd.DataFrame(rows))


def dispersion(is_known):
    numbers = (-0.05, 0.02, 6.0, -0.1, 0.0) if is_known else (-0.04, *[np.nan] * 4)
    rows = [(name, *numbers) for name in ("shifted", "squares")]
    years = pd.DataFrame([(2018, 0.0, 0.4, 0.4, 0.4), (2019, 0.5, 0.3, 0.35, 0.36)], columns=YEAR_COLUMNS)
    sample = made.studies()[0].sample
    return DispersionEffect(sample, "std_dev", years, pd.DataFrame(rows, columns=EFFECT_COLUMNS))


def placebo():
    rows = [(0, False, 4, 0.2, 0.05, 0.1, 0.3), (1, True, 4, 0.01, 0.05, -0.1, 0.12)]
    return PlaceboAdoption(pd.DataFrame(rows, columns=PLACEBO_COLUMNS), "")


def left_out_studies():
    return [SimpleNamespace(sample=left_out_sample())]


def left_out_sample():
    rows = [("990100", "7", "7", "第八小学", "primary", np.nan, "", "sample_no_baseline"),
            ("990100", "0", "0", "第一小学", "primary", 2018.0, "lead", "sample_other_role")]  # fmt: skip
    names = ["county_id", "school", "school_id", "school_name", "stage", "adoption_year", "role", "reason"]
    return make_sample(never(3), left_out=pd.DataFrame(rows, columns=names))


def all_tables(language):
    studies = made.studies()
    strong, _, refused = studies
    powers = [made.power(study) if not study.is_refused else None for study in studies]
    return [
        adoption.tabulate_accounting(made.exposure(), language),
        adoption.tabulate_left_out(made.exposure(), left_out_studies(), language),
        adoption.tabulate_left_out(made.exposure(), left_out_studies(), language, listed=False),
        adoption.tabulate_balance([balance()], STANDARD, language),
        adoption.tabulate_trends_before([balance()], STANDARD, language),
        adoption_design.tabulate_design(studies, language),
        adoption_design.tabulate_intervals(studies, language),
        adoption_design.tabulate_bounds(studies, language),
        adoption_effects.tabulate_effects(studies, STANDARD, language, programme="group_schooling"),
        adoption_effects.tabulate_event_study(studies, language),
        adoption_outcomes.tabulate_families([family()], STANDARD, language),
        adoption_outcomes.tabulate_dispersion([dispersion(True), dispersion(False)], STANDARD, language),
        sensitivity.tabulate_leave_one_out(LEFT, strong, language),
        sensitivity.tabulate_leave_one_out(LEFT, strong, language, named=False),
        sensitivity.tabulate_leave_one_out(None, refused, language),
        sensitivity.tabulate_placebo(placebo(), strong, language),
        sensitivity.tabulate_placebo(None, refused, language),
        sensitivity.tabulate_specifications(curve(), strong, language),
        sensitivity.tabulate_specifications(None, refused, language),
        power_tables.tabulate_power(studies, powers, language),
        power_tables.tabulate_needs(studies, powers, language),
    ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_table_renders_with_title_source_and_without_missing_words(language):
    for table in all_tables(language):
        html = table_html(table)
        assert table.caption.title in html
        assert table.caption.source
        assert "nan" not in html.lower()
        assert "[x]" not in html
        assert "adoption_" not in "".join(str(value) for value in table.caption.notes)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_tables_without_rows_say_why(language):
    _, _, refused = made.studies()
    for table in (
        adoption_design.tabulate_intervals([refused], language),
        adoption_design.tabulate_bounds([refused], language),
        adoption_effects.tabulate_event_study([refused], language),
        adoption_outcomes.tabulate_dispersion([], STANDARD, language),
        sensitivity.tabulate_leave_one_out(None, refused, language),
        sensitivity.tabulate_placebo(None, refused, language),
        sensitivity.tabulate_specifications(None, refused, language),
        power_tables.tabulate_power([refused], [None], language),
        power_tables.tabulate_needs([refused], [None], language),
    ):
        assert table.data.empty
        assert table.empty_text in table_html(table).replace("&quot;", '"')
        assert len(table.empty_text) > 10


def test_the_accounting_adds_up_to_all_schools():
    table = adoption.tabulate_accounting(made.exposure(), "zh")
    body, total = table.data.iloc[: -table.total_rows], table.data.iloc[-table.total_rows :]
    assert body["n_schools"].sum() == total["n_schools"].sum() == 10
    assert body["n_schools"].tolist() == [2, 3, 3, 2]


def test_left_out_schools_are_named_with_reason_and_study_but_not_those_of_the_other_role():
    table = adoption.tabulate_left_out(made.exposure(), left_out_studies(), "zh")
    told = table.data[["school_name", "reason", "left_out_of"]].to_numpy().tolist()
    assert told == [
        ["第九小学", "unit_other_programme", "全部估计"],
        ["第十小学", "unit_other_programme", "全部估计"],
        ["第八小学", "sample_no_baseline", "成员校"],
    ]


def test_the_public_edition_counts_left_out_schools_by_reason():
    table = adoption.tabulate_left_out(made.exposure(), left_out_studies(), "zh", listed=False)
    assert table.data["n_schools"].tolist() == [2, 1]
    assert "小学" not in table.tidy().drop(columns="stage").to_csv()


def test_power_of_a_design_without_degrees_of_freedom_is_marked():
    study = made.studies()[0]
    power = replace(made.power(study), by_formula=np.inf)
    table = power_tables.tabulate_power([study], [power], "zh")
    assert (0, "by_formula") in [(mark.row, mark.column) for mark in table.marks]


def test_balance_without_adopters_is_a_table_without_rows():
    nobody = replace(balance(), covariates=balance().covariates.head(0), baseline_years=())
    assert adoption.tabulate_balance([nobody], STANDARD, "zh").data.empty


def test_balance_sets_roles_side_by_side_and_shares_in_percent():
    table = adoption.tabulate_balance([balance()], STANDARD, "zh").data.set_index("covariate")
    assert len(table) == 2
    row = table.loc[next(name for name in table.index if "R4" in name)]
    assert row[["mean_comparison", "mean_member", "difference_member", "mean_lead"]].tolist() == [6, 8, 1, 9]
    share = table.loc[next(name for name in table.index if "随迁" in name)]
    assert share["mean_member"] == pytest.approx(10)
    assert np.isnan(share["difference_lead"])


def test_the_design_of_a_refused_study_is_told_in_a_sentence():
    table = adoption_design.tabulate_design(made.studies(), "zh").data
    refused = table[table["verdict"] == "refused"]
    assert refused["role"].unique().tolist() == ["lead"]
    assert "不予估计" in refused["finding"].iloc[0]


def test_the_main_table_prints_interval_word_or_refusal():
    strong, few, _ = made.studies()
    table = adoption_effects.tabulate_effects(made.studies(), STANDARD, "zh", programme="group_schooling")
    data = table.data
    assert data["effect"].iloc[0] == strong.event_study.average.effect
    assert few.interval.choice.interval == "none"
    assert data["interval"].tolist()[1:] == ["不给出区间", "不予估计"]
    assert "比较学校太少" in data["method"].iloc[1]
    assert data.loc[2, ["effect", "p_value", "conf_low"]].isna().all()
    assert table.marks_by_cell[2, "effect"] == "not_applicable"
    assert data["n_groups"].tolist() == [14, 4, 3]


def test_a_limit_that_is_infinite_is_printed_as_such():
    strong = made.studies()[0]
    open_ended = replace(strong, interval=replace(strong.interval, conf_low=-np.inf, conf_high=0.4))
    table = adoption_effects.tabulate_effects([open_ended], STANDARD, "en", programme="group_schooling")
    assert table.data["interval"].iloc[0] == "−∞\u00a0to\u00a00.400"


def test_the_base_year_is_marked_and_has_no_interval():
    table = adoption_effects.tabulate_event_study(made.studies(), "zh").data
    base = table[table["year_kind"] == "adoption_year_base"]
    assert (base["event_time"] == -2).all()
    assert (base["pointwise"] == "").all()
    assert set(table["role"]) == {"member"}
    assert table.loc[table["event_time"] == -1, "year_kind"].unique().tolist() == [
        "adoption_year_anticipation"
    ]


def test_one_interval_of_each_study_is_printed_with_its_reason():
    exhibit = adoption_design.tabulate_intervals(made.studies(), "zh")
    table = exhibit.data
    for _, own in table.groupby(["stage", "role"]):
        assert own["is_printed"].sum() == 1
        assert (own["reason"] != "").tolist() == own["is_printed"].tolist()
        reason = own.loc[own["is_printed"], "reason"].iloc[0]
        assert any(reason in note for note in exhibit.caption.notes)
    assert table.loc[table["is_printed"], "method"].tolist()[1] == "adoption_interval_none"


def test_bounds_are_given_with_their_breakdown_or_refused_in_words():
    table = adoption_design.tabulate_bounds(made.studies(), "zh")
    given = table.data[table.data["stage"] == "primary"]
    assert (given["why_none"] == "").all()
    assert given["bound"].str.contains("区间开始包含 0 的界限").sum() == 2
    refused = table.data[table.data["stage"] == "junior"]
    assert (refused["interval"] == "").all()
    assert refused["why_none"].str.contains("有效聚类数").all()
    assert any("联合检验" in note for note in table.caption.notes)


def test_the_public_edition_names_no_group_by_its_effect():
    strong = made.studies()[0]
    shown = sensitivity.tabulate_leave_one_out(LEFT, strong, "zh")
    public = sensitivity.tabulate_leave_one_out(LEFT, strong, "zh", named=False)
    assert shown.caption.key == public.caption.key
    assert "集团甲" in table_html(shown)
    assert "集团甲" not in table_html(public)
    row = public.data.iloc[0]
    assert row[["n_groups", "n_none", "lowest", "median", "highest"]].tolist() == [3, 1, 0.25, 0.325, 0.4]


def test_the_placebo_names_the_base_of_the_study():
    table = sensitivity.tabulate_placebo(placebo(), made.studies()[0], "zh")
    assert table.data["base"].tolist() == ["参加前一年", "参加前第 2 年（本研究）"]
    none = PlaceboAdoption(pd.DataFrame(columns=PLACEBO_COLUMNS), "sensitivity_too_few_placebos")
    assert "比较学校太少" in sensitivity.tabulate_placebo(none, made.studies()[0], "zh").empty_text


def test_the_family_marks_the_primary_outcome_and_adjusts_the_others():
    table = adoption_outcomes.tabulate_families([family()], STANDARD, "zh").data
    assert table["outcome_kind"].tolist() == [
        "adoption_primary_outcome",
        *["adoption_exploratory_outcome"] * 2,
    ]
    assert table["p"].tolist() == ["< 0.001", "0.200", ""]
    assert table["adjusted_p"].tolist() == ["", "0.410", ""]
    assert table["effect"].tolist() == ["0.123", "−1.23", ""]
    assert table["why_none"].tolist() == ["", "", "参加学校太少"]


def test_specifications_end_with_their_spread():
    table = sensitivity.tabulate_specifications(curve(), made.studies()[0], "zh")
    totals = table.data.iloc[-table.total_rows :]
    assert totals["effect"].tolist() == pytest.approx([0.15, -0.1, 0.6])
    assert "4 种设定" in totals["place"].iloc[0]
    assert "75% 与本研究同号" in totals["place"].iloc[0]
    assert table.data["place"].tolist()[:3] == ["1", "2", "本研究"]
    assert table.data["why_none"].iloc[4] == "没有比较学校"


def test_needs_that_no_number_meets_are_told_in_words():
    studies = made.studies()[:1]
    needs = power_tables.tabulate_needs(studies, [made.power(studies[0])], "zh").data
    assert needs["needs_schools"].tolist() == ["1,234", "300"]
    assert needs["needs_years_after"].tolist() == ["不超过 30 时都不能检出", "12"]
    assert np.isnan(needs["needs_counties_value"].iloc[1])
    power = power_tables.tabulate_power(studies, [made.power(studies[0])], "zh").data
    assert "大于 0.20" in power["by_simulation"].iloc[0]
    assert power["size"].iloc[0] == 0.06


def test_both_versions_of_the_effect_on_inequality_state_their_assumption():
    table = adoption_outcomes.tabulate_dispersion([dispersion(True), dispersion(False)], STANDARD, "zh")
    html = table_html(table)
    assert html.count("离差平方在两组之间平行变化") == 2
    assert table.data["why_none"].eq("").tolist() == [True, True, False, False]
