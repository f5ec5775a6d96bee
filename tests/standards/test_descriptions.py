"""Tables of standards, labels in both languages, and the columns that standards read."""

from dataclasses import replace

import pytest

from toolkit.data.schema import TABLES
from toolkit.standards import (
    available_standards,
    check_columns,
    describe_items,
    describe_standard,
    describe_targets,
    format_requirement,
    load_standard,
    referenced_columns,
)
from toolkit.vocabulary import has_term, label, term


def names_of(standard):
    for indicator in standard.indicators:
        yield indicator.name
        yield term(indicator.name).unit
    for item in standard.items:
        yield from (item.name, f"part_{item.part}", item.stage, f"tested_on_{item.tested_on}", *item.entries)
        yield from [item.unit] if item.unit else []
        for formula in item.formulas:
            yield from (formula.name, formula.numerator_name)
            yield from [formula.denominator_name] if formula.denominator else []
    for target in standard.targets:
        yield from (target.unit, target.stage, f"tested_on_{target.tested_on}", f"target_kind_{target.kind}")
        for formula in target.formula:
            yield from (formula.numerator_name, *([formula.denominator_name] if formula.denominator else []))
    for mark in standard.marks.values():
        yield f"mark_{mark.status}"
    yield f"kind_{standard.kind}"


@pytest.mark.parametrize("standard_id", available_standards())
def test_every_name_has_a_label_in_both_languages(standard_id):
    for name in names_of(load_standard(standard_id)):
        assert has_term(name), name
        assert label(name, "zh"), name
        assert label(name, "en"), name


@pytest.mark.parametrize("standard_id", available_standards())
def test_every_text_is_in_both_languages(standard_id):
    standard = load_standard(standard_id)
    texts = [standard.title, *(mark.doubt for mark in standard.marks.values()), *standard.sources.values()]
    texts += [case.name for case in standard.exceptions]
    texts += [rule.text for rule in (*standard.unmeasured, *standard.process_rules)]
    assert all(text.zh and text.en for text in texts)


@pytest.mark.parametrize("standard_id", available_standards())
def test_every_column_that_is_read_exists_in_the_data_contract(standard_id):
    check_columns(load_standard(standard_id), {name: table.column_names for name, table in TABLES.items()})


def test_stage_columns_and_shared_stocks_are_told_apart():
    columns = referenced_columns(load_standard("national_2017"))
    assert {"school_years.backbone_teachers_primary", "school_years.backbone_teachers_junior"} <= columns
    assert "school_years.multimedia_rooms" in columns
    assert "school_years.multimedia_rooms_primary" not in columns
    assert {"school_years.rented_sports_area", "school_years.visiting_pe_arts_teachers_primary"} <= columns


@pytest.mark.parametrize("standard_id", available_standards())
def test_conditions_on_closed_lists_use_words_of_the_list(standard_id):
    standard = load_standard(standard_id)
    rules = [case.when for case in standard.exceptions]
    rules += [entry.applies_to for entry in (*standard.items, *standard.targets)]
    rules += [formula.numerator_when for entry in standard.targets for formula in entry.formula]
    for condition in (condition for rule in rules for conditions in rule for condition in conditions):
        column = TABLES[condition.numerator[0].table].column(condition.numerator[0].column)
        if column.choices:
            assert set(condition.against) <= set(column.choices)
        if column.kind == "boolean":
            assert set(condition.against) <= {True, False}


def test_standard_table_has_a_row_for_each_indicator_and_stage():
    table = describe_standard(load_standard("national_2017"), "zh")
    assert len(table) == 14
    first = table.iloc[0]
    assert first["standard_name"] == "每百名学生拥有高于规定学历教师数"
    assert (first["standard_minimum"], first["standard_floor"], first["coefficient_limit"]) == (
        4.2,
        3.57,
        0.5,
    )
    assert all(has_term(column) for column in table.columns)


def test_numbers_of_the_table_are_equal_in_both_languages():
    standard = load_standard("national_2017")
    numbers = ["standard_minimum", "standard_floor", "coefficient_limit"]
    assert describe_standard(standard, "zh")[numbers].equals(describe_standard(standard, "en")[numbers])


def test_old_standard_has_no_minima_in_its_table():
    table = describe_standard(load_standard("national_2012"), "en")
    assert table["standard_minimum"].isna().all()
    assert "Source to be checked" in table["standard_marks"].iloc[0]


@pytest.mark.parametrize(
    ("plan", "number", "zh"),
    [
        ("meizhou", "MZ-01", "≥96%"),
        ("meizhou", "MZ-02", "100%"),
        ("meizhou", "MZ-03", "0个"),
        ("meizhou", "MZ-17", "不低于上年"),
        ("heping", "HP-03", "＜0.15"),
        ("heping", "HP-04", "≤2,000人"),
        ("puyang", "PY-03", "报告值1.2%"),
        ("baoshan", "BS-03", "3.0–3.1人/班"),
    ],
)
def test_requirement_is_printed_as_people_write_it(plan, number, zh):
    assert format_requirement(load_standard(plan).target(number), "zh") == zh


def test_share_is_printed_without_binary_dust():
    item = replace(load_standard("national_2017").item("G13b"), limits=(0.57,))
    assert format_requirement(item, "en") == "≥ 57%"


def test_items_and_targets_have_a_row_each_with_labelled_columns():
    items = describe_items(load_standard("national_2017"), "en")
    targets = describe_targets(load_standard("heping"), "en")
    assert len(items) == 40
    assert len(targets) == 29
    assert all(has_term(column) for column in (*items.columns, *targets.columns))
