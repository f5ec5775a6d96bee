"""The 2012 standard: eight indicators, one composite."""

from toolkit.standards import load_standard

STANDARD = load_standard("national_2012")


def test_eight_indicators_without_minima():
    assert [indicator.name for indicator in STANDARD.indicators] == [
        "teaching_area_per_student",
        "sports_area_per_student",
        "equipment_value_per_student",
        "computers_per_100_students",
        "books_per_student",
        "teachers_per_student",
        "teachers_above_required_qualification_per_student",
        "teachers_intermediate_title_per_student",
    ]
    assert all(not indicator.minimum for indicator in STANDARD.indicators)
    assert all(not STANDARD.floor(indicator) for indicator in STANDARD.indicators)
    assert STANDARD.pass_rule is None


def test_limits_hold_for_the_mean_of_the_coefficients_and_are_from_memory():
    assert STANDARD.composite
    assert STANDARD.coefficient_limits == {"primary": 0.65, "junior": 0.55}
    (mark,) = STANDARD.coefficients.marks
    assert STANDARD.marks[mark].status == "memory"


def test_five_stocks_are_split_with_the_same_weights():
    assert [indicator.id for indicator in STANDARD.indicators if indicator.shared] == [
        "B1",
        "B2",
        "B3",
        "B4",
        "B5",
    ]
    split = STANDARD.split
    weights = (split.junior, split.senior_in_complete_secondary_school, split.senior_in_twelve_year_school)
    assert weights == (1.1, 1.2, 1.32)


def test_scope_leaves_out_teaching_points_private_and_directly_administered_schools():
    assert STANDARD.scope.excluded_types == ("teaching_point", "special_education_school")
    assert STANDARD.scope.ownership == ("public",)
    assert STANDARD.scope.excludes_directly_administered
    assert STANDARD.scope.marks == ("scope_2012",)
