"""Targets of local plans: every comparator, deadline and three-valued case on counties made by hand."""

import numpy as np
import pandas as pd
import pytest

from tests.counties import make_county
from toolkit.data.county import County
from toolkit.data.reading import load_county
from toolkit.data.schema import TABLES, conform
from toolkit.indicators.items import compute_items
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.share import share_path
from toolkit.standards import load_standard
from toolkit.variation.deadlines import deadline_state, deadline_year
from toolkit.variation.targets import judge_targets

NATIONAL = load_standard("national_2017")
PLANS = {"meizhou": 20, "heping": 29, "zhenjiang": 22, "puyang": 22, "baoshan": 21}
YEARS = range(2020, 2026)

PLAN = """
id = "trial"
kind = "local"
title = {{ zh = "试行方案", en = "Trial plan" }}
base = "national_2017"

[targets.T-1]
name = {{ zh = "目标", en = "Target" }}
quotation = "原文"
{target}
"""
TRAINED_SHARE = """
[targets.T-1.formula]
numerator_name = "trained_teachers_all"
denominator_name = "teachers_all"
numerator = ["trained_teachers_primary"]
denominator = ["teachers_primary"]
"""
NEEDS = 'needs = { zh = "台账", en = "Register" }\n'


def plan_with(folder, target):
    path = folder / "plan.toml"
    path.write_text(PLAN.format(target=target), encoding="utf-8")
    return load_standard(path)


def school(code, **changes):
    return {
        "school_id": code, "school_name": f"第{code}小学", "town": f"第{code}镇",
        "school_type": "primary_school", "ownership": "public", "location": "urban",
    } | changes  # fmt: skip


def school_year(code, year, trained=10.0, **changes):
    return {"school_id": code, "year": year, "enrolment_primary": 100, "teachers_primary": 20,
            "trained_teachers_primary": trained, "sports_ground_area": 800, "gymnasium_area": 0,
            "indoor_sports_area": 0} | changes  # fmt: skip


def county_with(rows, *, schools=("1", "2"), **tables):
    """Return a county; further tables are lists of rows."""
    county = make_county([entry if isinstance(entry, dict) else school(entry) for entry in schools], rows)
    more = {name: conform(pd.DataFrame(given), TABLES[name]) for name, given in tables.items()}
    return County(county.county_id, county.name, {**county.tables, **more})


def steady(values):
    """Return two schools of 20 teachers; `values` are the trained ones of each, by year."""
    return [
        school_year(code, year, value) for year, value in zip(YEARS, values, strict=False) for code in "12"
    ]


def judge(county, plan, year=2025, *, only=()):
    """Judge a plan that refers to no items of the base standard but those named."""
    resources = compute_resource_indicators(county, NATIONAL)
    items = compute_items(county, NATIONAL, only=only)
    return judge_targets(county, plan, resources=resources, items=items, year=year)


def row(results, target="T-1"):
    return results.table.set_index("target").loc[target]


def verdict_of(tmp_path, county, target, *, only=()):
    return row(judge(county, plan_with(tmp_path, target), only=only))


def all_of_plan(tmp_path, county, targets):
    """Return the rows of a plan with several targets, T-1, T-2 ..."""
    first, *others = targets
    heads = ['name = { zh = "目标", en = "Target" }\nquotation = "原文"\n' + text for text in others]
    text = first + "".join(
        f"\n[targets.T-1]\n{head}".replace("T-1", f"T-{at}") for at, head in enumerate(heads, 2)
    )
    return judge(county, plan_with(tmp_path, text)).table


def entered(*values, item="T-1", **changes):
    """Return rows of the county's own entries for the last years, in order."""
    years = range(2026 - len(values), 2026)
    return [
        {"year": year, "item": item, "item_value": value} | changes
        for year, value in zip(years, values, strict=True)
    ]


@pytest.fixture(scope="module")
def demo():
    tables = ("schools", "school_years", "classes", "county_years", "school_groups", "support", "projects")
    county = load_county(share_path("data", "demo_county.xlsx"), tables=tables).county
    only = {target.reference for plan in PLANS for target in load_standard(plan).targets}
    items = compute_items(county, NATIONAL, only=only)
    return county, compute_resource_indicators(county, NATIONAL), items


@pytest.mark.parametrize("plan", PLANS)
def test_every_target_of_a_plan_is_a_row_on_the_demonstration_county(demo, plan):
    county, resources, items = demo
    loaded = load_standard(plan)
    found = judge_targets(county, loaded, resources=resources, items=items, year=2025)
    assert list(found.table["target"]) == [target.id for target in loaded.targets]
    assert len(found.table) == PLANS[plan]
    assert set(found.table["verdict"]) <= {"pass", "fail", "undecided", ""}
    needs = {target.id for target in loaded.targets if target.needs.zh}
    assert set(found.table.loc[found.table["source"] == "absent", "target"]) == needs


def test_a_county_with_only_two_tables_runs_through_every_plan():
    county = county_with([school_year("1", 2025)])
    only = {target.reference for plan in PLANS for target in load_standard(plan).targets}
    resources = compute_resource_indicators(county, NATIONAL)
    items = compute_items(county, NATIONAL, only=only)
    for plan, count in PLANS.items():
        found = judge_targets(county, load_standard(plan), resources=resources, items=items, year=2025)
        assert len(found.table) == count


def test_no_plan_leaves_tables_without_rows():
    results = judge(county_with(steady([10] * 6)), None)
    assert (len(results.table), len(results.units), results.plan) == (0, 0, None)


def test_each_comparator_at_and_beside_its_limit(tmp_path):
    cases = [
        (">=", "0.5", "pass"), (">", "0.5", "fail"), ("<=", "0.5", "pass"), ("<", "0.5", "fail"),
        ("==", "0.5", "pass"), ("==", "0.4", "fail"), (">=", "0.51", "fail"), ("<=", "0.49", "fail"),
        ("between", "[0.4, 0.5]", "pass"), ("between", "[0.51, 0.6]", "fail"),
    ]  # fmt: skip
    targets = [
        f'comparator = "{comparator}"\nlimits = {limit}\nunit = "percent"\n{TRAINED_SHARE}'
        for comparator, limit, _ in cases
    ]
    found = all_of_plan(tmp_path, county_with(steady([10] * 6)), targets)
    assert found["value"].tolist() == [0.5] * len(cases)
    assert found["verdict"].tolist() == [met for _, _, met in cases]
    assert set(found["source"]) == {"formula"}


def test_a_reported_fact_is_shown_and_not_judged(tmp_path):
    target = f'comparator = "report"\nlimits = 0.4\nunit = "percent"\nkind = "baseline"\n{TRAINED_SHARE}'
    found = verdict_of(tmp_path, county_with(steady([10] * 6)), target)
    assert (found["value"], found["verdict"], found["reason"]) == (0.5, "", "reported_fact")
    exact = target.replace('"report"', '"=="')
    assert verdict_of(tmp_path, county_with(steady([10] * 6)), exact)["verdict"] == ""


def test_nondecreasing_is_judged_on_the_change_from_the_year_before(tmp_path):
    target = 'comparator = "nondecreasing"\nlimits = 0\nunit = "yuan"\ndeadline = "annual"\n' + NEEDS
    rows = [*entered(5, 6), *entered(6, 6, item="T-2"), *entered(7, 6, item="T-3")]
    found = all_of_plan(tmp_path, county_with(steady([10] * 6), county_years=rows), [target] * 3)
    assert found["value"].tolist() == [6, 6, 6]
    assert found["verdict"].tolist() == ["pass", "pass", "fail"]
    assert set(found["outlook"]) == {"annual"}


def test_nondecreasing_without_the_year_before_is_open(tmp_path):
    target = 'comparator = "nondecreasing"\nlimits = 0\nunit = "yuan"\ndeadline = "annual"\n' + NEEDS
    found = verdict_of(tmp_path, county_with(steady([10] * 6), county_years=entered(6)), target)
    assert (found["verdict"], found["reason"]) == ("undecided", "no_year_before")


def test_nondecreasing_is_open_in_the_year_of_a_declared_break(tmp_path):
    target = 'comparator = "nondecreasing"\nlimits = 0\nunit = "yuan"\ndeadline = "annual"\n' + NEEDS
    rows = [*entered(7, 6), {"year": 2025, "item": "break:T-1"}]
    found = verdict_of(tmp_path, county_with(steady([10] * 6), county_years=rows), target)
    assert (found["verdict"], found["reason"]) == ("undecided", "broken")


def test_a_missing_cell_leaves_open_only_what_it_can_turn(tmp_path):
    target = 'comparator = ">="\nlimits = {}\nunit = "percent"\n' + TRAINED_SHARE
    rows = [school_year("1", 2025, 10), school_year("2", 2025, None)]
    # Between 10 and 30 of 40 teachers are trained.
    found = all_of_plan(tmp_path, county_with(rows), [target.format(limit) for limit in (0.2, 0.6, 0.8)])
    assert found["verdict"].tolist() == ["pass", "undecided", "fail"]


def test_every_school_must_meet_a_target_tested_on_schools(tmp_path):
    target = 'comparator = ">="\nlimits = 7.5\nunit = "square_metres_per_student"\nstage = "primary"\n'
    target += 'tested_on = "school"\nreference = "R5"\n'
    rows = [school_year("1", 2025), school_year("2", 2025, sports_ground_area=700)]
    results = judge(county_with(rows), plan_with(tmp_path, target))
    found = row(results)
    assert (found["verdict"], found["n_met"], found["n_units"], found["worst"]) == ("fail", 1, 2, 7.0)
    assert results.units[["unit_id", "verdict"]].to_numpy().tolist() == [["2", "fail"]]
    assert found["source"] == "reference"


def test_a_school_that_does_not_report_decides_nothing_but_another_that_fails_does(tmp_path):
    target = 'comparator = ">="\nlimits = 7.5\nunit = "square_metres_per_student"\nstage = "primary"\n'
    target += 'tested_on = "school"\nreference = "R5"\n'
    rows = [school_year("1", 2025), school_year("2", 2025, sports_ground_area=None)]
    assert verdict_of(tmp_path, county_with(rows), target)["verdict"] == "undecided"
    rows.append(school_year("3", 2025, sports_ground_area=10))
    assert verdict_of(tmp_path, county_with(rows, schools="123"), target)["verdict"] == "fail"


def test_an_indicator_tested_on_the_county_is_its_mean(tmp_path):
    target = 'comparator = ">="\nlimits = 7.5\nunit = "square_metres_per_student"\nstage = "primary"\n'
    target += 'reference = "R5"\n'
    rows = [school_year("1", 2025), school_year("2", 2025, sports_ground_area=700)]
    found = verdict_of(tmp_path, county_with(rows), target)
    assert (found["value"], found["verdict"]) == (7.5, "pass")


def test_subjects_are_judged_one_by_one(tmp_path):
    target = 'comparator = "<"\nlimits = 0.15\nunit = "ratio_unit"\nreference = "Q9b"\n'
    rows = [
        {"year": 2025, "item": "Q9b", "subject": subject, "item_value": value}
        for subject, value in zip(
            ("chinese", "mathematics", "science", "physical_education", "art", "morality_law"),
            (0.1, 0.12, 0.15, 0.1, 0.1, 0.1),
            strict=True,
        )
    ]
    found = verdict_of(tmp_path, county_with(steady([10] * 6), county_years=rows), target, only=["Q9b"])
    assert (found["verdict"], found["n_met"], found["worst"]) == ("fail", 5, 0.15)


def test_towns_are_judged_one_by_one_and_street_offices_are_not_towns(tmp_path):
    target = 'comparator = ">="\nlimits = 1\nunit = "schools_unit"\ntested_on = "town"\n'
    target += "applies_to = [[{ numerator = ['schools.boarding_school'], against = true }]]\n"
    target += "[targets.T-1.formula]\nnumerator_name = 'boarding_schools_count'\n"
    target += "numerator = ['schools.school_id']\n"
    schools = [
        school("1", boarding_school=True),
        school("2", boarding_school=False),
        school("3", town="城关街道", boarding_school=False),
    ]
    rows = [school_year(code, 2025) for code in "123"]
    results = judge(county_with(rows, schools=schools), plan_with(tmp_path, target))
    assert (row(results)["n_units"], row(results)["n_met"], row(results)["verdict"]) == (2, 1, "fail")


def test_a_rule_that_touches_no_school_has_no_verdict(tmp_path):
    target = 'comparator = ">="\nlimits = 1\nunit = "rooms"\ntested_on = "school"\n'
    target += (
        'applies_to = [[{ numerator = ["students_with_disabilities"], comparator = ">=", against = 5 }]]\n'
    )
    target += "[targets.T-1.formula]\nnumerator_name = 'resource_rooms'\nnumerator = ['resource_rooms']\n"
    rows = [school_year(code, 2025, students_with_disabilities=0) for code in "12"]
    found = verdict_of(tmp_path, county_with(rows), target)
    assert (found["verdict"], found["reason"]) == ("", "no_unit")


def large_classes(tmp_path, classes, *, reported=3):
    target = 'comparator = "=="\nlimits = 0\nunit = "classes_unit"\ntested_on = "class"\n'
    target += 'applies_to = [[{ numerator = ["classes.class_size"], comparator = ">=", against = 56 }]]\n'
    target += "[targets.T-1.formula]\nnumerator_name = 'large_classes'\nnumerator = ['classes.class_count']\n"
    rows = [school_year("1", 2025, classes_primary=reported, classes_junior=0)]
    listed = [
        {"school_id": "1", "year": 2025, "stage": "primary", "class_id": str(at), "class_size": size}
        for at, size in enumerate(classes)
    ]
    return verdict_of(tmp_path, county_with(rows, schools="1", classes=listed), target)


def test_large_classes_are_counted_over_the_county(tmp_path):
    assert large_classes(tmp_path, [40, 56, 70])["value"] == 2
    assert large_classes(tmp_path, [40, 56, 70])["verdict"] == "fail"
    assert large_classes(tmp_path, [40, 55, 41])["verdict"] == "pass"


def test_classes_that_nobody_listed_may_be_large(tmp_path):
    assert large_classes(tmp_path, [40, 41])["verdict"] == "undecided"
    assert large_classes(tmp_path, [40, 57])["verdict"] == "fail"


def test_a_table_that_is_absent_is_named(tmp_path):
    target = 'comparator = ">="\nlimits = 2\nunit = "groups_unit"\n'
    target += "[targets.T-1.formula]\nnumerator_name = 'school_groups_count'\n"
    target += "numerator = ['school_groups.school_group']\n"
    found = verdict_of(tmp_path, county_with(steady([10] * 6)), target)
    assert (found["source"], found["verdict"], found["absent_tables"]) == (
        "absent",
        "undecided",
        ("school_groups",),
    )


def test_a_target_without_data_is_open_until_its_value_is_entered(tmp_path):
    target = 'comparator = ">="\nlimits = 0.96\nunit = "percent"\ntested_on = "city"\n' + NEEDS
    without = verdict_of(tmp_path, county_with(steady([10] * 6)), target)
    assert (without["source"], without["verdict"], without["reason"]) == (
        "absent",
        "undecided",
        "data_absent",
    )
    given = verdict_of(tmp_path, county_with(steady([10] * 6), county_years=entered(0.97)), target)
    assert (given["source"], given["verdict"], given["value"], given["caveats"]) == (
        "entered",
        "pass",
        0.97,
        (),
    )


def test_an_entered_ratio_is_divided_and_an_entered_verdict_is_taken(tmp_path):
    target = 'comparator = ">="\nlimits = 0.96\nunit = "percent"\n' + NEEDS
    ratio = [{"year": 2025, "item": "T-1", "item_numerator": 95, "item_denominator": 100}]
    found = verdict_of(tmp_path, county_with(steady([10] * 6), county_years=ratio), target)
    assert (found["value"], found["verdict"]) == (0.95, "fail")
    told = [{"year": 2025, "item": "T-1", "entered_verdict": "met"}]
    assert verdict_of(tmp_path, county_with(steady([10] * 6), county_years=told), target)["verdict"] == "pass"


def test_an_entered_percentage_is_not_guessed_to_be_a_share(tmp_path):
    target = 'comparator = ">="\nlimits = 0.96\nunit = "percent"\n' + NEEDS
    found = verdict_of(tmp_path, county_with(steady([10] * 6), county_years=entered(97)), target)
    assert (found["verdict"], found["reason"]) == ("undecided", "not_a_share")


def test_a_value_of_another_year_says_nothing_about_this_one(tmp_path):
    target = 'comparator = ">="\nlimits = 0.96\nunit = "percent"\n' + NEEDS
    rows = [{"year": 2024, "item": "T-1", "item_value": 0.99}]
    found = verdict_of(tmp_path, county_with(steady([10] * 6), county_years=rows), target)
    assert (found["verdict"], found["reason"], found["outlook"]) == ("undecided", "not_in_year", "no_value")


def test_what_the_county_cannot_answer_is_said(tmp_path):
    targets = [
        f'comparator = ">="\nlimits = 0.4\nunit = "percent"\ntested_on = "{unit}"\n{TRAINED_SHARE}'
        for unit in ("county", "city", "teacher")
    ]
    found = all_of_plan(tmp_path, county_with(steady([10])), targets)
    assert found["caveats"].tolist() == [(), ("city",), ("single_persons",)]


@pytest.mark.parametrize(
    ("deadline", "year", "state"),
    [
        ("2027", 2027, "ahead"), ("2025", 2025, "due"), ("2025-12-31", 2025, "due"),
        # On 30 June 2026 the last statistics are those of 1 September 2025.
        ("2026-06-30", 2025, "due"), ("2021-12-31", 2021, "passed"), ("annual", None, "annual"),
        ("none", None, "none"),
    ],
)  # fmt: skip
def test_a_deadline_is_the_last_school_year_observed_before_it(deadline, year, state):
    assert deadline_year(deadline) == year
    assert deadline_state(deadline, 2025) == state


def trained_target(deadline, limit=0.9, comparator=">="):
    rule = f'comparator = "{comparator}"\nlimits = {limit}\nunit = "percent"\n'
    return f'{rule}deadline = "{deadline}"\n{TRAINED_SHARE}'


def test_the_last_value_is_moved_on_by_the_least_squares_slope(tmp_path):
    trained = [10, 12, 11, 14, 15, 16]
    county = county_with(steady(trained))
    slope = np.polyfit(list(YEARS), np.array(trained) / 20, 1)[0]
    found = verdict_of(tmp_path, county, trained_target("2027", limit=0.9))
    assert found["slope"] == pytest.approx(slope)
    assert found["projected"] == pytest.approx(16 / 20 + 2 * slope)
    assert (found["outlook"], found["verdict"], found["n_points"]) == ("on_track", "fail", 6)
    assert verdict_of(tmp_path, county, trained_target("2026", limit=0.9))["outlook"] == "off_track"


def test_a_target_met_now_can_be_off_track(tmp_path):
    found = verdict_of(
        tmp_path, county_with(steady([20, 19, 18, 17, 16, 15])), trained_target("2028", limit=0.7)
    )
    assert (found["verdict"], found["outlook"]) == ("pass", "off_track")


def test_three_years_or_a_late_break_allow_no_outlook(tmp_path):
    short = [school_year(code, year, 10) for year in (2023, 2024, 2025) for code in "12"]
    assert verdict_of(tmp_path, county_with(short), trained_target("2027"))["outlook"] == "insufficient"
    cut = county_with(steady([10] * 6), county_years=[{"year": 2023, "item": "break:T-1"}])
    found = verdict_of(tmp_path, cut, trained_target("2027"))
    assert (found["n_points"], found["outlook"]) == (3, "insufficient")


def test_a_passed_deadline_tells_the_verdict_of_its_year(tmp_path):
    county = county_with(steady([10, 10, 19, 10, 10, 10]))
    found = verdict_of(tmp_path, county, trained_target("2022-12-31"))
    assert (found["deadline_state"], found["deadline_verdict"], found["verdict"]) == (
        "passed",
        "pass",
        "fail",
    )
    assert found["deadline_value"] == pytest.approx(0.95)
    assert found["outlook"] == "deadline_passed"


def test_other_deadlines_have_no_projection(tmp_path):
    targets = [trained_target(deadline) for deadline in ("2025", "none", "annual")]
    found = all_of_plan(tmp_path, county_with(steady([10] * 6)), targets)
    assert found["outlook"].tolist() == ["due", "no_deadline", "annual"]
    assert found["projected"].isna().all()


def test_the_share_of_schools_is_moved_on_where_schools_are_tested(tmp_path):
    target = 'comparator = ">="\nlimits = 0.5\nunit = "percent"\ntested_on = "school"\ndeadline = "2027"\n'
    values = {"1": [10] * 6, "2": [1, 1, 1, 10, 10, 10]}
    rows = [school_year(code, year, values[code][at]) for at, year in enumerate(YEARS) for code in "12"]
    found = verdict_of(tmp_path, county_with(rows), target + TRAINED_SHARE)
    slope = np.polyfit(list(YEARS), [0.5, 0.5, 0.5, 1, 1, 1], 1)[0]
    assert (found["value"], found["slope"]) == (1, pytest.approx(slope))
    assert found["outlook"] == "on_track"


def test_targets_are_computed_on_the_base_standard_of_the_plan(tmp_path):
    target = 'comparator = ">="\nlimits = 7.5\nunit = "square_metres_per_student"\nstage = "primary"\n'
    plan = plan_with(tmp_path, target + 'tested_on = "school"\nreference = "R5"\n')
    county = county_with([school_year("1", 2025), school_year("2", 2025)])
    old = load_standard("national_2012")
    found = judge_targets(
        county,
        plan,
        resources=compute_resource_indicators(county, old),
        items=compute_items(county, old, only=()),
        year=2025,
    )
    assert row(found)["worst"] == 8


def test_a_standard_without_targets_is_refused():
    county = county_with(steady([10] * 6))
    with pytest.raises(ValueError, match="no targets"):
        judge(county, NATIONAL)
