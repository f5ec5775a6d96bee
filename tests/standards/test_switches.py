"""Special cases switched on and off, formulas chosen, and the readings of doubtful rules beside them."""

from dataclasses import replace

import pytest

from tests.counties import make_county
from toolkit.errors import ParameterError
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.standards import describe_switches, hash_standard, load_readings, load_standard, parse_rules

PLAIN = load_standard("national_2017")


def test_signs_and_spaces_of_either_width_are_understood():
    expected = {"visiting_teachers": "off", "Q1": "retention_with_transfers"}
    assert parse_rules("visiting_teachers=off, Q1=retention_with_transfers") == expected
    assert parse_rules(" visiting_teachers ＝ off；\nQ1=retention_with_transfers、") == expected
    assert parse_rules("") == parse_rules(" , ") == {}


@pytest.mark.parametrize("text", ["visiting_teachers", "=off", "visiting_teachers=", "a=b=c"])
def test_an_entry_that_is_no_choice_is_refused(text):
    with pytest.raises(ParameterError, match="write rule=choice"):
        parse_rules(text)


def test_a_rule_chosen_in_two_ways_is_refused():
    with pytest.raises(ParameterError, match="two choices, on and off"):
        parse_rules("visiting_teachers=on, visiting_teachers=off")
    assert parse_rules("a=on, a=on") == {"a": "on"}


def test_only_the_named_special_case_is_switched_off():
    standard = load_standard("national_2017", rules="school_size_2400=off")
    assert not standard.exception("school_size_2400").enabled
    cases = tuple(
        replace(case, enabled=True) if case.id == "school_size_2400" else case for case in standard.exceptions
    )
    assert replace(standard, exceptions=cases) == PLAIN


def test_the_retention_formula_is_chosen_by_its_name():
    standard = load_standard("national_2017", rules="q1=retention_with_transfers")
    assert PLAIN.item("Q1").formula == "retention_of_entrants"
    assert standard.item("Q1").formula == "retention_with_transfers"


def test_the_words_for_on_and_off_are_understood():
    assert (
        not load_standard("national_2017", rules="visiting_teachers=关")
        .exception("visiting_teachers")
        .enabled
    )
    assert load_standard("national_2017", rules="visiting_teachers=开") == PLAIN


def test_the_hash_tells_switched_rules_apart_whatever_their_order():
    one = load_standard("national_2017", rules="Q1=retention_with_transfers, rooms_small_primary=off")
    other = load_standard("national_2017", rules="rooms_small_primary=off，Q1=retention_with_transfers")
    assert hash_standard(one) == hash_standard(other) != hash_standard(PLAIN)


def test_an_unknown_rule_is_refused_with_the_list_of_rules():
    with pytest.raises(ParameterError) as refused:
        load_standard("national_2017", rules="visiting=off")
    assert "visiting_teachers=off|on" in refused.value.zh
    assert "Q1=retention_of_entrants|retention_with_transfers" in refused.value.en
    assert refused.value.exit_code == 2


def test_an_unknown_choice_is_refused_with_the_choices():
    with pytest.raises(
        ParameterError, match=r"no choice simple\. There are: retention_of_entrants, retention_w"
    ):
        load_standard("national_2017", rules="Q1=simple")
    with pytest.raises(ParameterError, match="There are: off, on"):
        load_standard("national_2017", rules="visiting_teachers=maybe")


def test_a_standard_without_rules_to_switch_says_so():
    with pytest.raises(ParameterError, match="There are: –"):
        load_standard("national_2012", rules="visiting_teachers=off")


@pytest.mark.parametrize(
    ("rules", "enabled"), [("", False), ("visiting_teachers=off", True), ("visiting_teachers=on", False)]
)
def test_a_reading_is_the_other_side_of_what_was_chosen(rules, enabled):
    reading = load_readings("national_2017", rules=rules)["visiting_teachers"]
    assert reading.exception("visiting_teachers").enabled is enabled


@pytest.mark.parametrize(
    ("rules", "formula"),
    [
        ("", "retention_with_transfers"),
        ("Q1=retention_with_transfers", "retention_of_entrants"),
        ("Q1=retention_of_entrants", "retention_with_transfers"),
    ],
)
def test_a_reading_uses_the_other_formula(rules, formula):
    assert load_readings("national_2017", rules=rules)["retention_formula"].item("Q1").formula == formula


def test_a_reading_of_one_rule_keeps_what_was_chosen_for_others():
    reading = load_readings("national_2017", rules="visiting_teachers=off, Q1=retention_with_transfers")
    assert not reading["private_schools"].exception("visiting_teachers").enabled
    assert not reading["retention_formula"].exception("visiting_teachers").enabled
    assert reading["visiting_teachers"].item("Q1").formula == "retention_with_transfers"


def test_a_doubt_about_three_cases_of_which_one_is_switched_still_reads_the_other_way():
    reading = load_readings("national_2017", rules="rooms_small_primary=off")["room_exceptions"]
    cases = ("rooms_built_by_2016", "rooms_small_primary", "rooms_small_junior")
    assert [reading.exception(case).enabled for case in cases] == [False, False, False]


def test_an_own_standard_can_be_switched(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('extends = "national_2017"\ntitle = { zh = "本县", en = "Own" }\n', encoding="utf-8")
    assert not load_standard(path, rules="visiting_teachers=off").exception("visiting_teachers").enabled


def test_visiting_teachers_count_only_while_their_rule_is_on():
    school = {
        "school_id": "1",
        "school_name": "甲小学",
        "school_type": "primary_school",
        "ownership": "public",
        "location": "rural",
    }
    numbers = {"pe_teachers_primary": 0, "arts_teachers_primary": 0, "visiting_pe_arts_teachers_primary": 2}
    county = make_county([school], [{"school_id": "1", "year": 2025, "enrolment_primary": 80, **numbers}])
    position = [indicator.id for indicator in PLAIN.indicators].index("R3")
    values = [
        compute_resource_indicators(county, load_standard("national_2017", rules=rules)).value[0, position]
        for rules in ("", "visiting_teachers=off")
    ]
    assert values == pytest.approx([100 * 2 / 80, 0.0])


def test_the_reader_sees_each_chosen_rule_in_words():
    rules = "visiting_teachers=off, Q1=retention_with_transfers"
    rows = describe_switches(PLAIN, rules, "en")
    assert [choice for _, choice in rows][1] == "not applied"
    assert rows[0][0].startswith("Q1 ")
    assert "÷" in rows[0][1]
    assert rows[1][0].startswith("Rural schools and teaching points of 50 to 99 students")
    assert describe_switches(PLAIN, "", "zh") == ()
    assert describe_switches(PLAIN, "visiting_teachers=关", "zh")[0][1] == "不适用"
