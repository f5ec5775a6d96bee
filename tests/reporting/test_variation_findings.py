"""Sentences about variation, built from numbers written by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from toolkit.reporting.variation_findings import find_variation
from toolkit.standards import load_standard

INF, NAN = float("inf"), float("nan")


def coefficient(indicator, verdict, value, *, stage="primary", low=None, near=False, missing=0):
    limit = 0.5 if stage == "primary" else 0.45
    return {
        "stage": stage, "indicator": indicator, "n_schools": 10, "n_missing": missing, "mean": 4.0,
        "coefficient": value, "low": value if low is None else low, "high": value, "limit": limit,
        "margin": limit - value, "verdict": verdict, "near_limit": near,
    }  # fmt: skip


def school(name, verdict, *, stage="primary", missed=(), deciding=()):
    return {
        "school_name": name, "stage": stage, "verdict": verdict,
        "missed": tuple(missed), "deciding": tuple(deciding),
    }  # fmt: skip


def stage(overall, *, name="primary", n_pass=9, n_fail=1, n_undecided=0, met=6):
    return {
        "stage": name, "overall": overall, "n_schools": n_pass + n_fail + n_undecided, "n_pass": n_pass,
        "n_fail": n_fail, "n_undecided": n_undecided, "n_coefficients": 7, "n_coefficients_pass": met,
        "n_coefficients_fail": 7 - met, "n_coefficients_undecided": 0, "schools": overall,
    }  # fmt: skip


def trend(outlook, reaching, *, slope=-0.02, is_met=False, points=5):
    return {
        "stage": "primary", "indicator": "R5", "n_points": points, "slope": slope, "is_met": is_met,
        "outlook": outlook, "reaching_year": reaching, "first_year": 2021, "last_year": 2025,
        "last_value": 0.6,
    }  # fmt: skip


def flip(subject, other="fail"):
    return {"subject": subject, "stage": "primary", "verdict": "pass", "other_verdict": other}


def sensitivity(indicator="R4", low=0.3, high=0.4, deciding=()):
    return {
        "stage": "primary", "indicator": indicator, "coefficient": 0.497, "limit": 0.5, "error_low": low,
        "error_high": high, "deciding_schools": tuple(deciding),
    }  # fmt: skip


def find(
    *,
    stages=(),
    coefficients=(),
    schools=(),
    drivers=(),
    locations=(),
    trends=(),
    flips=(),
    sensitivities=(),
    changes=(),
    edition="internal",
):
    """Return the findings by id for tables that hold only what is given."""
    found = find_variation(
        SimpleNamespace(
            standard=load_standard("national_2017"),
            stages=frame(stages, stage("pass")),
            coefficients=frame(coefficients, coefficient("R1", "pass", 0.3)),
            schools=frame(schools, school("甲", "pass")),
            verdict="fail",
        ),
        SimpleNamespace(schools=frame(drivers, driver("甲", 0.1, 4.0))),
        SimpleNamespace(reporting_error=0.02, table=frame(sensitivities, sensitivity())),
        SimpleNamespace(
            table=frame(locations, {"stage": "primary", "indicator": "R1", "variance_between_share": 0.1})
        ),
        SimpleNamespace(trends=frame(trends, trend("insufficient", NAN))),
        SimpleNamespace(flips=frame(flips, flip("stage")), marks=("a", "b")),
        SimpleNamespace(year=2025, stages=frame(changes, change())),
        edition=edition,
    )
    return {finding.id: finding for finding in found}


def change(*, schools="fail", coefficients="fail"):
    return {
        "stage": "primary", "schools": schools, "coefficients": coefficients,
        "n_coefficients_fail": 1, "n_coefficients_fail_before": 3, "n_fail": 2, "n_fail_before": 5,
    }  # fmt: skip


def frame(rows, like):
    return pd.DataFrame(list(rows), columns=list(like))


def driver(name, share, value, *, indicator="R5"):
    return {
        "stage": "primary", "indicator": indicator, "school_name": name, "school_id": name,
        "variance_share": share, "value": value,
    }  # fmt: skip


@pytest.mark.parametrize("verdict", ["pass", "fail", "undecided"])
def test_each_verdict_on_a_stage_has_its_sentence(verdict):
    found = find(stages=[stage(verdict)])["verdict_primary"]
    words = {"pass": "are met", "fail": "are not met", "undecided": "not judged because data are missing"}
    assert words[verdict] in found.en
    assert (found.status, found.kind, found.importance) == (verdict, "headline", 1)


def test_a_coefficient_above_its_limit_names_the_school_that_contributes_most():
    found = find(
        coefficients=[coefficient("R5", "fail", 0.6084)],
        drivers=[driver("甲", 0.2, 1.0), driver("乙", 0.5, 9.0), driver("丙", 0.9, 9.0, indicator="R1")],
    )["coefficient_primary_R5"]
    assert found.zh == (
        "小学R5（生均体育运动场馆面积）差异系数为 0.608，高于限值 0.50；"
        "影响最大的是乙，对差异（方差 S²）的贡献为 50.0%，其实际值高于县域均值。"
    )
    assert found.numbers[0].value == 0.6084


def test_the_public_edition_counts_failing_schools_and_names_none():
    few = [school(name, "fail", missed=["R1"]) for name in ("东校", "西校")]
    many = [school(f"{name}校", "fail", stage="junior") for name in "甲乙丙丁戊己"]
    rows = {
        "coefficients": [coefficient("R5", "fail", 0.6084)],
        "drivers": [driver("东校", 0.5, 9.0)],
        "schools": [*few, *many],
        "sensitivities": [sensitivity("R5", deciding=("东校",))],
    }
    internal, public = find(**rows), find(**rows, edition="public")
    assert "东校" in internal["coefficient_primary_R5"].zh + internal["schools_primary"].zh
    told = " ".join(finding.zh + finding.en for finding in public.values())
    assert [row["school_name"] for row in rows["schools"] if row["school_name"] in told] == []
    assert "小学有 2 所学校未达标，见“各校资源配置指标与结论”表" in public["schools_primary"].zh
    assert "schools that fail: 6 (see the table" in public["schools_junior"].en
    assert "whatever the missing data are" in public["schools_junior"].en
    assert public["coefficient_primary_R5"].zh.endswith("各校贡献的分布见“各项差异系数的贡献分布”表。")
    # But for the part of the school that is not named.
    assert {name: found.numbers for name, found in public.items()} == {
        name: tuple(number for number in found.numbers if number.table != "drivers")
        for name, found in internal.items()
    }


def test_what_fails_is_set_beside_the_year_before():
    found = find(changes=[change()])["change_primary"]
    assert found.zh == (
        "小学与 2024/2025 学年相比：高于限值的差异系数上一学年 3 项、本学年 1 项，"
        "未达标学校上一学年 5 所、本学年 2 所（不予判定的不计入）。"
    )
    assert found.kind == "finding"
    assert [(one.name, one.value) for one in found.numbers] == [
        ("n_coefficients_fail_before", 3), ("n_coefficients_fail", 1), ("n_fail_before", 5), ("n_fail", 2),
    ]  # fmt: skip
    assert {one.table for one in found.numbers} == {"yearly_change"}


@pytest.mark.parametrize(
    ("without", "names"),
    [
        ({"schools": ""}, ["n_coefficients_fail_before", "n_coefficients_fail"]),
        ({"coefficients": ""}, ["n_fail_before", "n_fail"]),
    ],
)
def test_a_change_is_told_only_of_what_the_standard_judges(without, names):
    found = find(changes=[change(**without)])["change_primary"]
    assert [one.name for one in found.numbers] == names


def test_without_the_year_before_no_change_is_told():
    assert "change_primary" not in find()


def test_a_coefficient_without_drivers_is_told_without_a_school():
    found = find(coefficients=[coefficient("R5", "fail", 0.7)])["coefficient_primary_R5"]
    assert found.en.endswith("the coefficient is 0.700, above the limit of 0.50.")


def test_the_worst_coefficient_comes_first():
    rows = [coefficient("R2", "fail", 0.6), coefficient("R5", "fail", 0.9)]
    ids = [name for name in find(coefficients=rows) if name.startswith("coefficient_")]
    assert ids == ["coefficient_primary_R5", "coefficient_primary_R2"]


def test_a_value_near_its_limit_is_flagged_with_the_margin_of_the_standard():
    found = find(coefficients=[coefficient("R4", "pass", 0.497, near=True)])["near_primary_R4"]
    assert "相差不超过 0.005" in found.zh
    assert found.kind == "limit"


def test_failing_schools_are_named_with_the_indicator_missed_most():
    rows = [
        school("甲", "fail", missed=["R2", "R5"]),
        school("乙", "fail", missed=["R5"]),
        school("丙", "pass"),
    ]
    found = find(schools=rows)["schools_primary"]
    assert (
        found.zh
        == "小学有 2 所学校未达标：甲、乙；这些学校中未达到标准值最多的是R5（生均体育运动场馆面积）（2 所）。"
    )


def test_of_many_failing_schools_the_first_five_are_named():
    rows = [school(name, "fail", missed=["R1"]) for name in "甲乙丙丁戊己"]
    found = find(schools=rows)["schools_primary"]
    assert "甲、乙、丙、丁、戊等" in found.zh
    assert "己" not in found.zh


def test_schools_that_fail_whatever_is_missing_need_no_known_miss():
    found = find(schools=[school("甲", "fail")])["schools_primary"]
    assert "无论缺失数据取何值" in found.zh


def test_open_schools_say_how_many_cells_decide():
    rows = [school("甲", "undecided", deciding=["a", "b"]), school("乙", "undecided", deciding=["a"])]
    found = find(schools=rows)["open_primary"]
    assert (found.kind, found.status) == ("not_judged", "undecided")
    assert "because data are missing: 2; cells to fill in for a verdict: 3" in found.en


def test_an_open_coefficient_says_how_low_it_may_be():
    rows = [coefficient("R6", "undecided", 0.303, low=0.3021, missing=1)]
    found = find(coefficients=rows)["open_coefficient_primary_R6"]
    assert "schools not reporting: 1. The coefficient may be as low as 0.302" in found.en


def test_the_largest_share_between_locations_is_named():
    rows = [
        {"stage": "primary", "indicator": "R1", "variance_between_share": 0.25},
        {"stage": "junior", "indicator": "R2", "variance_between_share": 0.5},
        {"stage": "junior", "indicator": "R3", "variance_between_share": np.nan},
    ]
    found = find(locations=rows)["locations"]
    assert "largest for Junior secondary, R2" in found.en
    assert "(50.0%) and smallest for Primary, R1" in found.en


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (trend("reaching", 2029.0), "would reach its limit about 2029/2030"),
        (trend("never", INF, slope=0.01), "does not reach its limit"),
        (trend("too_far", 2040.0), "not reach its limit within ten years"),
        (trend("unsteady", 2029.0), "nothing is projected"),
        (trend("year_incomplete", 2029.0), "this year is incomplete"),
        (trend("insufficient", NAN, slope=NAN, points=3), "trend (3)"),
    ],
)
def test_a_trend_above_the_limit_says_where_it_leads(row, told):
    assert told in find(trends=[row])["trend_primary_R5"].en


def test_a_trend_within_the_limit_is_not_mentioned():
    assert "trend_primary_R5" not in find(trends=[trend("met", 2020.0, is_met=True)])


@pytest.mark.parametrize(
    ("subjects", "told", "importance"),
    [
        ([], "no verdict changes", 6),
        (["school"], "verdicts that change: 1; schools that drop out or enter: 0", 6),
        (["school", "stage"], "verdicts that change: 2, among them that on a stage", 4),
    ],
)
def test_other_readings_are_told_by_the_gravest_change(subjects, told, importance):
    found = find(flips=[flip(subject) for subject in subjects])["readings"]
    assert told in found.en
    assert found.importance == importance


def test_schools_that_only_one_reading_counts_are_told_apart_from_turned_verdicts():
    found = find(flips=[flip("school", other=""), flip("coefficient")])["readings"]
    assert "1 项结论改变，另有 1 个学校" in found.zh


def test_the_county_verdict_comes_first_with_that_on_each_stage():
    found = find(stages=[stage("fail"), stage("undecided", name="junior")])["verdict_county"]
    assert found.zh == "全县资源配置指标自评结论：不通过（小学不通过、初中不予判定）。"
    assert found.importance == 0


def test_a_standard_without_a_rule_on_schools_makes_no_claim_about_them():
    row = stage("pass") | {"schools": ""}
    found = find(stages=[row])["verdict_primary"]
    assert "本标准未设逐校判定规则" in found.zh
    assert "所学校全部达标" not in found.zh


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (sensitivity(low=0.48, high=0.52), "各校存量误差 ±2% 时结论可能改变"),
        (sensitivity(deciding=["甲", "乙"]), "有 2 所学校，单独去掉其中任何一所，结论即改变"),
        (sensitivity(low=0.48, high=0.52, deciding=["甲", "乙"]), "另有 2 所学校，单独去掉其中任何一所"),
        (sensitivity(low=0.48, high=0.52, deciding=["甲"]), "结论可能改变；去掉某 1 所学校，结论也会改变"),
        (sensitivity(deciding=["甲"]), "不稳健：去掉某 1 所学校，结论即改变"),
    ],
)
def test_a_verdict_that_hangs_on_little_is_said_not_to_be_robust(row, told):
    found = find(coefficients=[coefficient("R4", "pass", 0.497)], sensitivities=[row])
    assert told in found["unstable_primary_R4"].zh


def test_a_verdict_that_nothing_small_would_turn_is_not_doubted():
    found = find(coefficients=[coefficient("R4", "pass", 0.35)], sensitivities=[sensitivity()])
    assert "unstable_primary_R4" not in found
