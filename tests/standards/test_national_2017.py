"""The 2017 standard: every number against the value printed in the sources."""

import pytest

from toolkit.standards import available_standards, load_readings, load_standard

STANDARD = load_standard("national_2017")

# number, minimum primary, minimum junior, floor primary, floor junior (85 %), as printed
MINIMA = [
    ("R1", 4.2, 5.3, 3.57, 4.505),
    ("R2", 1, 1, 0.85, 0.85),
    ("R3", 0.9, 0.9, 0.765, 0.765),
    ("R4", 4.5, 5.8, 3.825, 4.93),
    ("R5", 7.5, 10.2, 6.375, 8.67),
    ("R6", 2000, 2500, 1700, 2125),
    ("R7", 2.3, 2.4, 1.955, 2.04),
]

# item, comparator, limit (shares in [0, 1]), unit on which it is tested
ITEMS = [
    ("G03a", ">=", 1, "school"),
    ("G03b", ">=", 96, "school"),
    ("G03c", ">=", 90, "school"),
    ("G03d", ">=", 1, "school"),
    ("G04a", "<=", 2000, "school"),
    ("G04b", "<=", 2500, "school"),
    ("G05a", "<=", 45, "class"),
    ("G05b", "<=", 50, "class"),
    ("G06", ">=", 100, "school"),
    ("G07", ">=", 6000, "county"),
    ("G08", ">=", 1, "county"),
    ("G09", ">=", 1, "county"),
    ("G11a", ">=", 0.10, "county"),
    ("G11b", ">=", 0.20, "county"),
    ("G12", ">=", 1, "county"),
    ("G13a", ">=", 1, "county"),
    ("G13b", ">=", 0.95, "county"),
    ("G14a", ">=", 0.50, "county"),
    ("G15a", ">=", 0.85, "county"),
    ("Q1", ">=", 0.95, "county"),
    ("Q2", ">=", 0.95, "county"),
    ("Q4", ">=", 0.05, "school"),
    ("Q9a", ">=", 3, "county"),
    ("Q9b", "<", 0.15, "county"),
    ("S1", ">=", 0.85, "county"),
]
FROM_EVIDENCE = [
    "G01",
    "G02",
    "G10",
    "G14b",
    "G15b",
    "Q3",
    "Q5",
    "Q6",
    "Q7",
    "Q8",
    "P1",
    "V1",
    "V2",
    "V3",
    "V4",
]


def columns_of(components):
    return {(component.column, component.sign) for component in components}


def test_seven_standards_ship():
    assert available_standards() == (
        "national_2012",
        "national_2017",
        "baoshan",
        "heping",
        "meizhou",
        "puyang",
        "zhenjiang",
    )


@pytest.mark.parametrize(("number", "primary", "junior", "floor_primary", "floor_junior"), MINIMA)
def test_minimum_and_floor_are_as_printed(number, primary, junior, floor_primary, floor_junior):
    indicator = STANDARD.indicator(number)
    assert indicator.minimum == {"primary": primary, "junior": junior}
    assert STANDARD.floor(indicator) == {"primary": floor_primary, "junior": floor_junior}


def test_there_are_seven_indicators_fifteen_government_nine_quality_and_one_social_item():
    assert [indicator.id for indicator in STANDARD.indicators] == ["R1", "R2", "R3", "R4", "R5", "R6", "R7"]
    numbers = {part: {item.number for item in STANDARD.items if item.part == part} for part in STANDARD.parts}
    assert numbers["government"] == {f"G{number:02d}" for number in range(1, 16)}
    assert numbers["quality"] == {f"Q{number}" for number in range(1, 10)}
    assert numbers["social"] == {"S1"}


@pytest.mark.parametrize(("number", "comparator", "limit", "tested_on"), ITEMS)
def test_item_is_as_printed(number, comparator, limit, tested_on):
    item = STANDARD.item(number)
    assert (item.comparator, item.limits, item.tested_on) == (comparator, (limit,), tested_on)
    assert not item.from_evidence
    assert item.formulas


def test_items_without_a_number_are_judged_from_evidence():
    assert {item.id for item in STANDARD.items if item.from_evidence} == set(FROM_EVIDENCE)
    assert all(not item.limits for item in STANDARD.items if item.from_evidence)
    assert {item.id for item in STANDARD.items} == set(FROM_EVIDENCE) | {row[0] for row in ITEMS}


def test_a_school_must_meet_six_of_seven_and_the_other_at_85_percent():
    assert (STANDARD.pass_rule.minimum_met, STANDARD.pass_rule.floor_ratio) == (6, 0.85)


def test_limits_hold_for_each_coefficient():
    assert STANDARD.coefficient_limits == {"primary": 0.50, "junior": 0.45}
    assert not STANDARD.composite
    assert STANDARD.near_limit == 0.005


def test_split_weights_are_as_published():
    split = STANDARD.split
    assert (split.primary, split.junior) == (1, 1.1)
    assert split.senior_in_complete_secondary_school == 1.2
    assert split.senior_in_twelve_year_school == 1.32


def test_scope_leaves_out_special_education_and_small_teaching_points():
    assert STANDARD.scope.excluded_types == ("special_education_school",)
    assert STANDARD.scope.minimum_enrolment_by_type == {"teaching_point": 50}
    assert STANDARD.scope.ownership == ("public", "private")
    assert "private_schools" in STANDARD.scope.marks


def test_only_premises_equipment_and_rooms_are_split_between_stages():
    assert [indicator.id for indicator in STANDARD.indicators if indicator.shared] == ["R4", "R5", "R6", "R7"]
    assert [indicator.id for indicator in STANDARD.indicators if indicator.per == 100] == [
        "R1",
        "R2",
        "R3",
        "R7",
    ]


def test_indoor_sports_rooms_leave_the_teaching_area_and_enter_the_sports_area():
    assert columns_of(STANDARD.indicator("R4").numerator) == {
        ("teaching_area", 1),
        ("indoor_sports_area", -1),
    }
    assert columns_of(STANDARD.indicator("R5").numerator) == {
        ("sports_ground_area", 1),
        ("gymnasium_area", 1),
        ("indoor_sports_area", 1),
    }


def test_special_cases_are_on_and_each_carries_its_doubt():
    assert all(case.enabled and case.marks for case in STANDARD.exceptions)
    assert {case.id: case.limits for case in STANDARD.exceptions if case.limits} == {
        "school_size_2400": {"G04a": 2400, "G04b": 3000},
        "rooms_built_by_2016": {"G03b": 73, "G03c": 67},
        "rooms_small_primary": {"G03b": 54, "G03c": 54},
        "rooms_small_junior": {"G03b": 61, "G03c": 61},
    }


def test_visiting_teachers_count_in_rural_schools_of_50_to_99_students():
    case = STANDARD.exception("visiting_teachers")
    assert case.applies_to == ("R3",)
    assert columns_of(case.adds) == {("visiting_pe_arts_teachers", 1)}
    (conditions,) = case.when
    assert [(condition.comparator, condition.against) for condition in conditions] == [
        ("==", ("rural",)),
        (">=", (50,)),
        ("<", (100,)),
    ]


def test_rented_venues_count_within_ten_minutes_on_foot():
    case = STANDARD.exception("rented_sports_area")
    assert case.applies_to == ("R5",)
    assert columns_of(case.adds) == {("rented_sports_area", 1)}
    walk = case.when[0][1]
    assert (walk.numerator[0].column, walk.comparator, walk.against) == ("rented_sports_minutes", "<=", (10,))


def test_school_size_is_relaxed_by_age_or_by_migrant_share():
    by_age, by_migrants = STANDARD.exception("school_size_2400").when
    assert by_age[0].numerator[0].column == "planned_by_2010"
    assert (by_migrants[0].comparator, by_migrants[0].against) == (">", (0.5,))


def test_one_music_and_one_art_room_for_every_twelve_classes():
    for number in ("G03a", "G03b", "G03c", "G03d"):
        assert STANDARD.item(number).formulas[0].denominator_step == 12
    assert set(STANDARD.item("G03b").room_bands.values()) == {0, 54, 61, 73, 96}
    assert set(STANDARD.item("G03c").room_bands.values()) == {0, 54, 61, 67, 90}


def test_both_retention_formulas_are_known_and_one_is_in_use():
    retention = STANDARD.item("Q1")
    entrants, transfers = retention.formulas
    assert retention.formula == entrants.name == "retention_of_entrants"
    assert columns_of(entrants.numerator) == {
        ("graduates_junior", 1),
        ("transferred_in", -1),
        ("transferred_out", 1),
    }
    assert columns_of(entrants.denominator) == {("grade7_enrolment_at_entry", 1), ("deceased", -1)}
    assert columns_of(transfers.numerator) == {("graduates_junior", 1)}
    assert columns_of(transfers.denominator) == {
        ("grade7_enrolment_at_entry", 1),
        ("transferred_in", 1),
        ("deceased", -1),
        ("transferred_out", -1),
    }


def test_monitoring_is_entered_for_six_subjects_and_recognition_for_seven_respondents():
    assert len(STANDARD.item("Q9a").entries) == len(STANDARD.item("Q9b").entries) == 6
    assert len(STANDARD.item("S1").entries) == 7


def test_each_reading_changes_the_rule_in_doubt():
    readings = load_readings("national_2017")
    assert set(readings) == {
        "private_schools",
        "small_village_schools",
        "visiting_teachers",
        "dense_urban_sports",
        "school_size_exception",
        "room_exceptions",
        "special_education_quota",
        "retention_formula",
    }
    assert readings["private_schools"].scope.ownership == ("public",)
    assert readings["small_village_schools"].scope.minimum_enrolment_by_type == {
        "teaching_point": 50,
        "primary_school": 50,
    }
    assert not readings["visiting_teachers"].exception("visiting_teachers").enabled
    assert readings["special_education_quota"].item("G07").limits == (8000,)
    assert readings["retention_formula"].item("Q1").formula == "retention_with_transfers"
    assert STANDARD.item("G07").limits == (6000,)
