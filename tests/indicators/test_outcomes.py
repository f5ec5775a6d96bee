"""Which scores count, for which school and stage, and what a test is."""

import numpy as np
import pandas as pd
import pytest

from tests.tests_of_pupils import make_tested_county, score_rows
from toolkit.indicators.outcomes import NOT_COUNTED, compute_outcomes, standardise
from toolkit.standards import load_standard

STANDARD = load_standard("national_2017")
MARKS = {"a": [60.0, 70.0, 80.0], "b": [50.0, 90.0]}
STUDENTS = {"a": 3, "b": 2}


def outcomes(scores, **options):
    options = {"enrolment": STUDENTS} | options
    return compute_outcomes(make_tested_county(scores, **options), STANDARD)


def only(table):
    assert len(table) == 1
    return table.iloc[0]


def test_a_county_without_scores_has_no_tests():
    county = make_tested_county(score_rows({"a": [1.0]}), enrolment={"a": 1})
    found = compute_outcomes(
        type(county)(
            county.county_id, county.name, {k: v for k, v in county.tables.items() if k != "scores"}
        ),
        STANDARD,
    )
    assert found.tests.empty
    assert found.pupils.empty


def test_every_entry_is_counted_or_listed_with_its_reason():
    scores = score_rows({**MARKS, "x": [40.0], "s": [44.0]})
    extra = score_rows({"a": [np.nan, 55.0, np.nan], "b": [61.0]}).assign(
        absent=pd.array([False, True, False, False], dtype="boolean"),
        grade_letter=["A", np.nan, np.nan, np.nan],
        school_id=["a", "a", "a", np.nan],
        student_id=["E1", "E2", "E3", "E4"],
    )
    found = outcomes(
        pd.concat([scores, extra]),
        enrolment={**STUDENTS, "s": 1},
        types={"s": "special_education_school"},
    )
    row = only(found.tests)
    assert row["n_entries"] == 11
    assert row["n_pupils"] == 5
    assert {name: row[name] for name in NOT_COUNTED} == {
        "entry_absent": 1,
        "entry_letter_only": 1,
        "entry_without_score": 1,
        "entry_without_school": 1,
        "entry_school_unknown": 1,
        "entry_out_of_scope": 1,
    }
    assert row["n_pupils"] + sum(row[name] for name in NOT_COUNTED) == row["n_entries"]


def test_entries_outside_compulsory_grades_are_told_apart():
    found = outcomes(pd.concat([score_rows(MARKS), score_rows({"a": [1.0, 2.0]}, grade=11)]))
    assert only(found.tests)["n_entries"] == 5
    assert found.other_entries.to_dict("records") == [{"year": 2025, "n_entries": 2}]


def test_a_combined_school_is_one_school_in_each_of_its_stages():
    scores = pd.concat([score_rows({"a": [60.0, 70.0]}, grade=5), score_rows({"a": [80.0, 90.0]}, grade=8)])
    found = outcomes(scores, enrolment={"a": 2}, types={"a": "nine_year_school"})
    assert found.tests["stage"].tolist() == ["primary", "junior"]


def test_grade_six_is_junior_in_a_school_without_a_primary_stage():
    county = make_tested_county(score_rows({"a": [60.0, 70.0]}, grade=6), enrolment={"a": 2})
    junior = make_tested_county(
        score_rows({"a": [60.0, 70.0]}, grade=6), enrolment={"a": 2}, grade=6, first_of_junior=6
    )
    assert only(compute_outcomes(county, STANDARD).tests)["stage"] == "primary"
    assert only(compute_outcomes(junior, STANDARD).tests)["stage"] == "junior"


@pytest.mark.parametrize(
    ("students", "estimand"),
    [
        ({"a": 3, "b": 2}, "census_test"),
        ({"a": 3, "b": 2.5}, "census_test"),
        ({"a": 3, "b": 2.6}, "sample_test"),
        ({"a": 30, "b": np.nan}, "sample_test"),
        ({"a": 3, "b": np.nan}, "unclassed_test"),
    ],
)
def test_a_test_is_classed_by_its_coverage_of_the_grade(students, estimand):
    # 5 pupils of 5, 5.5 and 5.6; of 30 and more; of 3 and an unknown number.
    assert only(outcomes(score_rows(MARKS), enrolment=students).tests)["estimand"] == estimand


def test_schools_that_did_not_test_count_for_coverage():
    row = only(outcomes(score_rows(MARKS), enrolment={**STUDENTS, "c": 5}).tests)
    assert row["coverage"] == pytest.approx(0.5)
    assert (row["n_schools"], row["n_schools_with_grade"]) == (2, 3)


def test_the_scale_of_a_test_is_recognised():
    changes = {
        "chinese": ({}, "mark_scale"),
        "mathematics": ({"full_mark": np.nan}, "scale_without_full_mark"),
        "english": ({"linked_scale": True}, "linked_scale_test"),
        "science": ({"plausible_value_1": 510.0}, "linked_scale_test"),
        "music": ({"full_mark": [100.0, 100.0, 120.0, 120.0, 120.0]}, "several_full_marks"),
        "art": ({"score": np.nan, "grade_letter": "A"}, "letters_only"),
        "history": ({"score": [-1.2, 0.3, 0.1, 0.4, 0.2], "full_mark": np.nan}, "linked_scale_test"),
    }
    scores = pd.concat(
        [score_rows(MARKS, subject=subject).assign(**change) for subject, (change, _) in changes.items()]
    )
    found = outcomes(scores).tests.set_index("subject")["scale"].to_dict()
    assert found == {subject: scale for subject, (_, scale) in changes.items()}


def test_points_are_out_of_a_hundred_where_the_full_mark_is_known():
    found = outcomes(score_rows({"a": [60.0, 90.0, 120.0], "b": [30.0, 0.0]}, full_mark=120.0))
    assert found.pupils["points"].tolist() == [50.0, 75.0, 100.0, 25.0, 0.0]


def test_standardised_scores_have_mean_zero_and_unit_spread_in_each_test():
    scores = pd.concat([score_rows(MARKS), score_rows(MARKS, subject="mathematics").assign(score=range(5))])
    by = outcomes(scores).pupils.groupby("subject")["standardised"]
    assert by.mean().to_numpy() == pytest.approx(np.zeros(2), abs=1e-12)
    assert by.std(ddof=0).to_numpy() == pytest.approx(np.ones(2))


def test_standardising_on_some_pupils_makes_their_mean_the_zero():
    values, weights = np.array([1.0, 3.0, 9.0]), np.array([1.0, 3.0, 1.0])
    z = standardise(values, np.zeros(3, dtype=int), weights, np.array([True, True, False]))
    # Mean (1 + 3 * 3) / 4 = 2.5, variance (2.25 + 3 * 0.25) / 4 = 0.75.
    assert z == pytest.approx((values - 2.5) / np.sqrt(0.75))


def test_equal_scores_cannot_be_standardised():
    assert np.isnan(outcomes(score_rows({"a": [70.1] * 3, "b": [70.1] * 2})).pupils["standardised"]).all()


def test_incomplete_weights_are_not_used():
    scores = score_rows(MARKS).assign(weight=[2.0, 2.0, 2.0, np.nan, 3.0])
    found = outcomes(scores)
    assert not only(found.tests)["weighted"]
    assert (found.pupils["weight"] == 1).all()
