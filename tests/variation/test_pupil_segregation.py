"""Segregation of groups of pupils in small counties."""

import numpy as np
import pytest

from tests.people import school, school_year, with_tables
from toolkit.variation.pupil_segregation import compute_pupil_segregation


def rows_of(county, pupils, *, last_year=2025):
    table = compute_pupil_segregation(county, last_year=last_year).table
    return table[table["pupils"] == pupils].reset_index(drop=True)


def pupil(number, at, prior, **changes):
    row = {
        "student_id": f"s{number}",
        "year": 2025,
        "grade": 6,
        "subject": "chinese",
        "test": "监测",
        "school_id": at,
        "score": 60.0,
        "prior_score": prior,
    }
    return row | changes


def test_migrant_pupils_are_counted_over_all_stages_of_a_school():
    schools = [school("1"), school("2", school_type="twelve_year_school")]
    years = [
        school_year("1", migrant_students=10),
        school_year("2", migrant_students=30, enrolment_primary=40, enrolment_junior=40, enrolment_senior=20),
    ]
    row = rows_of(with_tables(schools, years), "migrant_pupils").iloc[0]
    assert (row["part"], row["students"], row["members"]) == ("all_stages", 200, 40)
    assert row["dissimilarity"] == pytest.approx(0.3125)
    assert row["information"] == pytest.approx(0.064805, abs=5e-7)
    excess = row["dissimilarity"] - row["dissimilarity_random"]
    assert row["dissimilarity_corrected"] == pytest.approx(excess / (1 - row["dissimilarity_random"]))


def test_a_school_that_does_not_report_is_left_out_and_counted_not_taken_as_zero():
    schools = [school(code) for code in "123"]
    years = [
        school_year("1", migrant_students=10),
        school_year("2", migrant_students=30),
        school_year("3"),
    ]
    row = rows_of(with_tables(schools, years), "migrant_pupils").iloc[0]
    assert (row["n_schools"], row["n_missing"], row["students"]) == (2, 1, 200)
    assert row["dissimilarity"] == pytest.approx(0.3125)


def test_a_school_that_reports_more_members_than_pupils_is_left_out_and_counted():
    schools = [school(code) for code in "123"]
    years = [
        school_year("1", migrant_students=10),
        school_year("2", migrant_students=30),
        school_year("3", migrant_students=101),
    ]
    row = rows_of(with_tables(schools, years), "migrant_pupils").iloc[0]
    assert (row["n_schools"], row["n_missing"], row["n_inconsistent"]) == (2, 0, 1)


def test_boarders_are_counted_by_stage():
    schools = [school("1"), school("2"), school("3", school_type="nine_year_school")]
    years = [
        school_year("1", boarders_primary=0),
        school_year("2", boarders_primary=20),
        school_year("3", boarders_primary=0, boarders_junior=5, enrolment_junior=50),
    ]
    found = rows_of(with_tables(schools, years), "boarding_pupils").set_index("part")
    assert (found.at["primary", "students"], found.at["primary", "members"]) == (300, 20)
    # 20 of 20 boarders and 80 of 280 others in school 2: D = (1 - 0 + |1 - 80/280| ...)/2 = 1 - 80/280.
    assert found.at["primary", "dissimilarity"] == pytest.approx(1 - 80 / 280)
    assert found.at["junior", "state"] == "segregation_one_school"
    assert np.isnan(found.at["junior", "dissimilarity"])


def test_says_that_nobody_or_everybody_belongs_to_a_group():
    schools = [school("1"), school("2")]
    years = [school_year(code, migrant_students=0, left_behind_students=100) for code in "12"]
    county = with_tables(schools, years)
    assert rows_of(county, "migrant_pupils").at[0, "state"] == "segregation_nobody"
    assert rows_of(county, "left_behind_pupils").at[0, "state"] == "segregation_everybody"
    assert rows_of(county, "migrant_pupils")["dissimilarity"].isna().all()
    assert rows_of(county, "left_behind_pupils").at[0, "share"] == 1


def test_special_education_schools_and_later_years_are_left_out():
    schools = [school("1"), school("2"), school("3", school_type="special_education_school")]
    years = [school_year(code, year, migrant_students=5) for code in "123" for year in (2024, 2025, 2026)]
    found = rows_of(with_tables(schools, years), "migrant_pupils")
    assert found["year"].tolist() == [2024, 2025]
    assert found["n_schools"].tolist() == [2, 2]


def test_low_prior_pupils_are_the_lowest_quarter_of_the_grade_in_the_county():
    priors = {"1": [10, 20, 30, 40], "2": [50, 60, 70, 80]}
    scores = [
        pupil(f"{at}{number}", at, prior) for at, own in priors.items() for number, prior in enumerate(own)
    ]
    county = with_tables([school("1"), school("2")], [school_year("1"), school_year("2")], scores=scores)
    row = rows_of(county, "low_prior_pupils").iloc[0]
    assert (row["part"], row["grade"]) == ("in_grade_6", 6)
    assert (row["students"], row["members"], row["n_schools"]) == (8, 2, 2)
    # Both are in school 1: 2/2 - 2/6 of the others, halved over two schools: 2/3.
    assert row["dissimilarity"] == pytest.approx(2 / 3)


def test_prior_scores_are_standardised_by_subject_before_they_are_averaged():
    # In points the mathematics paper (of 1000) would decide alone; standardised, both weigh the same.
    chinese = {"a": 10, "b": 50, "c": 90, "d": 50}
    maths = {"a": 600, "b": 500, "c": 600, "d": 700}
    scores = [pupil(name, "1" if name in "ab" else "2", prior) for name, prior in chinese.items()]
    scores += [
        pupil(name, "1" if name in "ab" else "2", prior, subject="mathematics")
        for name, prior in maths.items()
    ]
    county = with_tables([school("1"), school("2")], [school_year("1"), school_year("2")], scores=scores)
    row = rows_of(county, "low_prior_pupils").iloc[0]
    assert (row["students"], row["members"]) == (4, 2)  # a and b tie: -1.41 + 0 and 0 - 1.41
    assert row["dissimilarity"] == pytest.approx(1.0)


def test_pupils_without_prior_score_are_left_out_and_counted():
    scores = [pupil(number, "12"[number % 2], prior) for number, prior in enumerate([1, 2, 3, 4, None, None])]
    scores.append(pupil(9, "3", None))
    county = with_tables(
        [school(code) for code in "123"], [school_year(code) for code in "123"], scores=scores
    )
    row = rows_of(county, "low_prior_pupils").iloc[0]
    assert (row["students"], row["n_pupils_left_out"], row["n_missing"]) == (4, 3, 1)


def test_does_not_depend_on_the_order_of_the_rows():
    priors = np.random.default_rng(3).normal(70, 10, 60).round(1)
    scores = [pupil(number, "123"[number % 3], prior) for number, prior in enumerate(priors)]
    schools, years = (
        [school(code) for code in "123"],
        [school_year(code, migrant_students=7) for code in "123"],
    )
    first = compute_pupil_segregation(with_tables(schools, years, scores=scores), last_year=2025)
    again = compute_pupil_segregation(
        with_tables(schools[::-1], years[::-1], scores=scores[::-1]), last_year=2025
    )
    assert again.table.round(12).equals(first.table.round(12))


def test_a_county_without_scores_or_counts_has_no_index():
    found = compute_pupil_segregation(with_tables([school("1")], [school_year("1")]), last_year=2025)
    assert "low_prior_pupils" not in set(found.table["pupils"])
    assert set(found.table["state"]) == {"segregation_no_schools"}
    assert found.tidy() is found.table
