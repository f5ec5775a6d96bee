"""Formulas of standards and plans, by hand on small counties."""

import numpy as np
import pandas as pd
import pytest

from tests.counties import make_county, with_tables
from toolkit.indicators.formula_rows import counted_schools
from toolkit.indicators.formulas import evaluate_formula
from toolkit.indicators.row_tables import CountyRows
from toolkit.standards import Component, Condition, Formula, load_standard

NATIONAL = load_standard("national_2017")


def formula(numerator, denominator=(), *, when=(), step=0.0) -> Formula:
    def parts(names):
        found = []
        for name in names:
            table, _, column = name.lstrip("-").rpartition(".")
            found.append(Component(column, -1 if name.startswith("-") else 1, table or "school_years"))
        return tuple(found)

    return Formula("", "", "", parts(numerator), parts(denominator), when, step)


def where(column, *against, comparator="=="):
    table, _, name = column.rpartition(".")
    return Condition((Component(name, 1, table or "school_years"),), (), comparator, against)


def school(code, **more):
    return {
        "school_id": code,
        "school_name": f"第{code}学校",
        "school_type": "primary_school",
        "ownership": "public",
        "location": "urban",
        "town": "东镇",
        "boarding_school": False,
    } | more


def year_of(code, year=2025, **more):
    return {"school_id": code, "year": year, "enrolment_primary": 100} | more


def only(table, **keys):
    for name, value in keys.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


@pytest.fixture
def county():
    """Three primary schools: 20, 30 and 50 teachers, of whom 20, 27 and 48 are certified."""
    return make_county(
        [school("1"), school("2", location="rural", town="西镇"), school("3", ownership="private")],
        [
            year_of("1", teachers_primary=20, certified_teachers_primary=20, migrant_students=30),
            year_of("2", teachers_primary=30, certified_teachers_primary=27, migrant_students=10),
            year_of("3", teachers_primary=50, certified_teachers_primary=48, migrant_students=60),
        ],
    )


CERTIFIED = formula(
    ["certified_teachers_primary", "certified_teachers_junior"], ["teachers_primary", "teachers_junior"]
)


def test_county_is_a_ratio_of_sums(county):
    row = only(evaluate_formula(county, CERTIFIED), year=2025)
    assert (row["numerator"], row["denominator"]) == (95, 100)
    assert row["value"] == row["low"] == row["high"] == 0.95
    assert row["n_units"] == 3
    assert row["missing"] == ()


def test_a_stage_that_a_school_does_not_teach_is_nothing_and_not_missing(county):
    assert county.tables["school_years"]["teachers_junior"].isna().all()
    assert only(evaluate_formula(county, CERTIFIED), year=2025)["denominator"] == 100


def test_each_school_has_its_own_value(county):
    table = evaluate_formula(county, CERTIFIED, tested_on="school")
    assert table["value"].tolist() == [1.0, 0.9, 0.96]
    assert table["unit_name"].tolist() == ["第1学校", "第2学校", "第3学校"]


def test_rows_of_the_numerator_may_be_fewer_than_those_of_the_denominator(county):
    share = formula(
        ["migrant_students"], ["migrant_students"], when=((where("schools.ownership", "public"),),)
    )
    assert only(evaluate_formula(county, share), year=2025)["value"] == 0.40


def test_a_missing_part_ranges_up_to_its_whole(county):
    county.tables["school_years"].loc[1, "certified_teachers_primary"] = np.nan
    row = only(evaluate_formula(county, CERTIFIED), year=2025)
    assert np.isnan(row["value"])
    assert np.isnan(row["numerator"])
    assert row["denominator"] == 100
    assert row["low"] == pytest.approx(68 / 100)
    assert row["high"] == pytest.approx(98 / 100)
    assert row["missing"] == (("school_years", "certified_teachers_primary", "2"),)
    assert row["n_known"] == 2


def test_range_is_that_of_all_completions_of_a_row_with_two_missing_cells(county):
    county.tables["school_years"].loc[1, ["certified_teachers_primary", "teachers_primary"]] = np.nan
    row = only(evaluate_formula(county, CERTIFIED), year=2025)
    values = [(68 + c) / (70 + t) for t in range(400) for c in range(t + 1)]
    assert row["high"] == 1.0  # approached as all of ever more teachers are certified
    assert row["high"] >= max(values)
    assert row["low"] == 0.0  # approached as none of ever more teachers is
    assert row["low"] <= min(values)


def test_a_school_that_may_or_may_not_be_covered_is_counted_or_not(county):
    county.tables["schools"].loc[1, "location"] = np.nan
    in_town = ((where("schools.location", "urban", "town_area"),),)
    row = only(evaluate_formula(county, CERTIFIED, applies_to=in_town), year=2025)
    # Without the second school 68 of 70, with it 95 of 100.
    assert row["low"] == pytest.approx(0.95)
    assert row["high"] == pytest.approx(68 / 70)
    assert row["missing"] == (("schools", "location", "2"),)
    of_schools = evaluate_formula(county, CERTIFIED, applies_to=in_town, tested_on="school")
    assert of_schools["certain"].tolist() == [True, False, True]


def test_a_town_without_covered_schools_has_a_row_of_zero(county):
    boarding = ((where("schools.boarding_school", True),),)
    county.tables["schools"].loc[0, "boarding_school"] = True
    table = evaluate_formula(county, formula(["schools.school_id"]), applies_to=boarding, tested_on="town")
    assert dict(zip(table["unit_id"], table["value"], strict=True)) == {"东镇": 1.0, "西镇": 0.0}


def test_codes_are_counted_once(county):
    members = [
        {"school_id": code, "stage": "primary", "programme": "group_schooling", "school_group": name}
        | {"role": "member", "start_year": 2024, "end_year": end}
        for code, name, end in (("1", "甲集团", None), ("2", "甲集团", None), ("3", "乙集团", 2024))
    ]
    years = [year_of(code, year) for code in "123" for year in (2023, 2024, 2025)]
    county = with_tables(county, school_groups=members, school_years=years)
    table = evaluate_formula(county, formula(["school_groups.school_group"]))
    assert dict(zip(table["year"], table["value"], strict=True)) == {2023: 0.0, 2024: 2.0, 2025: 1.0}


def test_projects_count_from_their_first_year_on(county):
    projects = [
        {"school_id": "1", "project_kind": "renovation", "project_start": "2024-10-01", "project_area": 300},
        {"school_id": "2", "project_kind": "renovation", "project_start": "2025-12-31", "project_area": 500},
        {"school_id": "2", "project_kind": "extension", "project_start": "2026-01-01", "project_area": 900},
    ]
    years = [year_of(code, year) for code in "123" for year in (2023, 2024, 2025)]
    county = with_tables(county, projects=projects, school_years=years)
    table = evaluate_formula(county, formula(["projects.project_area"]))
    assert table["value"].tolist() == [0.0, 300.0, 800.0]


def test_denominator_in_steps_is_rounded_up():
    county = make_county([school("1")], [year_of("1", classes_primary=25, music_rooms_96=2)])
    rooms = formula(["music_rooms_96"], ["classes_primary", "classes_junior"], step=12)
    row = only(evaluate_formula(county, rooms, tested_on="school"), year=2025)
    assert (row["numerator"], row["denominator"]) == (2, 3)


def test_a_band_is_a_class_of_a_range_and_counts_where_the_whole_band_meets_a_condition(county):
    classes = [
        {"school_id": "1", "year": 2025, "stage": "primary", "size_band": "band_41_45", "class_count": 3},
        {"school_id": "1", "year": 2025, "stage": "primary", "size_band": "band_56_60", "class_count": 2},
        {"school_id": "2", "year": 2025, "stage": "primary", "class_id": "101", "class_size": 57},
        {"school_id": "2", "year": 2025, "stage": "primary", "class_id": "102", "class_size": 55},
    ]
    county = with_tables(county, classes=classes)
    sizes = evaluate_formula(county, formula(["classes.class_size"]), tested_on="class")
    assert list(zip(sizes["low"], sizes["high"], strict=True)) == [(41, 45), (56, 60), (57, 57), (55, 55)]
    large = ((where("classes.class_size", 56, comparator=">="),),)
    share = formula(["classes.class_count"], ["classes.class_count"], when=large)
    row = only(evaluate_formula(county, share), year=2025)
    assert (row["numerator"], row["denominator"]) == (3, 7)


def test_a_band_that_holds_the_limit_of_a_condition_leaves_the_count_open(county):
    classes = [
        {"school_id": "1", "year": 2025, "stage": "primary", "size_band": "band_51_55", "class_count": 4}
    ]
    large = ((where("classes.class_size", 53, comparator=">="),),)
    row = only(
        evaluate_formula(
            with_tables(county, classes=classes), formula(["classes.class_count"]), applies_to=large
        ),
        year=2025,
    )
    assert (row["low"], row["high"]) == (0.0, 4.0)
    assert row["missing"] == (("classes", "class_size", "1/primary/band_51_55"),)


def test_entered_numbers_are_those_of_the_item(county):
    rows = [
        {"year": 2025, "item": "G08", "item_numerator": 93, "item_denominator": 92},
        {"year": 2025, "item": "G14a", "item_numerator": 1, "item_denominator": 2},
    ]
    pay = NATIONAL.item("G08").formulas[0]
    row = only(evaluate_formula(with_tables(county, county_years=rows), pay, item_id="G08"), year=2025)
    assert row["value"] == 93 / 92


def test_an_entered_ratio_without_its_parts_is_taken(county):
    rows = [{"year": 2025, "item": "G08", "item_value": 1.02}]
    pay = NATIONAL.item("G08").formulas[0]
    row = only(evaluate_formula(with_tables(county, county_years=rows), pay, item_id="G08"), year=2025)
    assert row["value"] == row["low"] == row["high"] == 1.02


def test_a_row_that_nobody_entered_is_named(county):
    pay = NATIONAL.item("G08").formulas[0]
    row = only(evaluate_formula(county, pay, item_id="G08"), year=2025)
    assert row["missing"] == (
        ("county_years", "item_numerator", "G08"),
        ("county_years", "item_denominator", "G08"),
    )
    assert (row["low"], row["high"]) == (0.0, np.inf)


def test_respondents_are_pooled_and_listed(county):
    surveys = [
        {
            "year": 2025,
            "respondents": "parents",
            "questionnaires_returned": 100,
            "questionnaires_satisfied": 80,
        },
        {"year": 2025, "respondents": "principals", "questionnaires_returned": 10}
        | {"questionnaires_satisfied": 10},
    ]
    item = NATIONAL.item("S1")
    table = evaluate_formula(
        with_tables(county, surveys=surveys),
        item.formulas[0],
        entries=("parents", "principals"),
    )
    assert only(table, entry="")["value"] == 90 / 110
    assert only(table, entry="parents")["value"] == 0.8


def test_order_of_rows_and_splitting_a_band_change_nothing(county):
    bands = [
        {"school_id": "1", "year": 2025, "stage": "primary", "grade": grade, "size_band": "band_56_60"}
        | {"class_count": count}
        for grade, count in ((1, 2), (2, 3))
    ]
    whole = [bands[0] | {"grade": None, "class_count": 5}]
    large = ((where("classes.class_size", 56, comparator=">="),),)
    count = formula(["classes.class_count"])
    values = [
        evaluate_formula(with_tables(county, classes=rows), count, applies_to=large)["value"].tolist()
        for rows in (bands, bands[::-1], whole)
    ]
    assert values == [[5.0]] * 3


def test_order_of_schools_changes_nothing(county):
    turned = with_tables(county)
    turned.tables["school_years"] = county.tables["school_years"].iloc[::-1].reset_index(drop=True)
    turned.tables["schools"] = county.tables["schools"].iloc[::-1].reset_index(drop=True)
    columns = ["numerator", "denominator", "value", "low", "high"]
    pd.testing.assert_frame_equal(
        evaluate_formula(turned, CERTIFIED)[columns], evaluate_formula(county, CERTIFIED)[columns]
    )


def test_inputs_are_not_changed(county):
    before = {name: table.copy() for name, table in county.tables.items()}
    evaluate_formula(county, CERTIFIED, tested_on="school")
    for name, table in before.items():
        pd.testing.assert_frame_equal(county.tables[name], table)


def test_conditions_beside_which_no_column_stands_are_refused(county):
    with pytest.raises(ValueError, match=r"classes\.stage"):
        evaluate_formula(county, CERTIFIED, applies_to=((where("classes.stage", "primary"),),))


@pytest.mark.parametrize("standard", ["national_2017", "meizhou", "heping", "zhenjiang", "puyang", "baoshan"])
def test_every_formula_that_ships_can_be_evaluated_on_a_county_with_two_tables_only(county, standard):
    rules = load_standard(standard)
    asked = [(item.id, item, formula) for item in rules.items for formula in item.formulas]
    asked += [(target.id, target, formula) for target in rules.targets for formula in target.formula]
    assert asked
    rows = CountyRows(county, counted_schools(county, None))
    for code, rule, formula_ in asked:
        table = evaluate_formula(
            county,
            formula_,
            applies_to=rule.applies_to,
            tested_on=rule.tested_on,
            item_id=code,
            rows=rows,
        )
        assert set(table["year"]) <= {2025}
