"""Achievement by grade: the same scores, grade by grade, and the pupils who were there before."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.people import member, school, school_year, with_tables
from tests.tests_of_pupils import score_rows
from toolkit.data.schema import TABLES, conform
from toolkit.indicators.adoption import compute_adoption
from toolkit.indicators.grade_panel import compute_grade_panel
from toolkit.indicators.school_panel import ScoreScale, compute_school_panel
from toolkit.standards import load_standard

NATIONAL = load_standard("national_2017")
YEARS = (2019, 2020, 2021)
# School 1 joins in 2021. Grade 5 of a year is grade 6 of the next; in 2021 pupil z moves from school 2 to 1.
PUPILS = {
    (2019, 5): {"1": "ab", "2": "cd", "3": "ef"},
    (2020, 5): {"1": "gh", "2": "zi", "3": "jk"},
    (2020, 6): {"1": "ab", "2": "cd", "3": "ef"},
    (2021, 5): {"1": "lm", "2": "no", "3": "pq"},
    (2021, 6): {"1": "ghz", "2": "i", "3": "jk"},
}


def mark(pupil, year):
    return 40.0 + 7 * (ord(pupil) % 9) + year % 5


def written_county():
    figures = [
        school_year(code, year, enrolment_grade_5=4, enrolment_grade_6=4) for code in "123" for year in YEARS
    ]
    data = with_tables(
        [school(code) for code in "123"], figures, school_groups=[member("1", start_year=2021)]
    )
    parts = []
    for (year, grade), schools in PUPILS.items():
        marks = {code: [mark(pupil, year) for pupil in own] for code, own in schools.items()}
        rows = score_rows(marks, year=year, grade=grade)
        parts.append(rows.assign(student_id=list("".join(schools.values()))))
    scores = pd.concat(parts, ignore_index=True).astype({"year": "Int64"})
    return replace(data, tables={**data.tables, "scores": conform(scores, TABLES["scores"])})


@pytest.fixture(scope="module")
def data():
    return written_county()


@pytest.fixture(scope="module")
def adoption(data):
    return compute_adoption(data, NATIONAL, programme="group_schooling")


@pytest.fixture(scope="module", params=["county", "untreated"])
def reference(request):
    return request.param


@pytest.fixture(scope="module")
def panel(data, adoption, reference):
    return compute_school_panel(data, NATIONAL, adoption, scale=ScoreScale(reference))


@pytest.fixture(scope="module")
def grades(data, adoption, panel):
    return compute_grade_panel(data, NATIONAL, adoption, panel, follow_pupils=True)


def deviations(year, grade, reference):
    """Return the marks of one test by school, in deviations of the reference, over all its pupils."""
    own = {code: np.array([mark(p, year) for p in pupils]) for code, pupils in PUPILS[year, grade].items()}
    inside = np.concatenate([own[code] for code in own if reference == "county" or code != "1"])
    return {code: (values - inside.mean()) / inside.std() for code, values in own.items()}


def test_the_mean_of_a_grade_is_that_of_its_pupils_on_the_reference(grades, reference):
    assert grades.grades == (5, 6)
    for year, grade in PUPILS:
        expected = deviations(year, grade, reference)
        for unit, code in enumerate(grades.units["school"]):
            value = grades.achievement[grades.grades.index(grade), unit, YEARS.index(year)]
            assert value == pytest.approx(expected[code].mean())
            count = grades.tested_pupils[grades.grades.index(grade), unit, YEARS.index(year)]
            assert count == len(expected[code])
    assert np.isnan(grades.achievement[1, :, 0]).all()


def test_grades_weighted_by_their_pupils_are_the_achievement_of_the_school(grades, panel):
    mass = np.nan_to_num(grades.tested_pupils)
    mean = (mass * np.nan_to_num(grades.achievement)).sum(axis=0) / mass.sum(axis=0)
    np.testing.assert_allclose(mean, panel.measures["achievement"])


def test_from_a_year_on_only_pupils_with_an_earlier_score_at_the_school_count(grades, reference):
    seen = grades.seen_before[2021]
    np.testing.assert_allclose(seen[:, :, :2], grades.achievement[:, :, :2])
    assert np.isnan(seen[0, :, 2]).all()
    own = deviations(2021, 6, reference)
    # Pupil z was at school 2 before: not seen at school 1, and gone from school 2.
    assert seen[1, 0, 2] == pytest.approx(own["1"][:2].mean())
    assert seen[1, 1, 2] == pytest.approx(own["2"].mean())
    assert grades.achievement[1, 0, 2] == pytest.approx(own["1"].mean())


def test_pupils_who_cannot_be_followed_leave_it_empty(data, adoption, panel):
    alone = compute_grade_panel(data, NATIONAL, adoption, panel)
    assert alone.seen_before == {}
    scores = data.tables["scores"]
    once = scores.assign(student_id=[f"P{number}" for number in range(len(scores))])
    apart = replace(data, tables={**data.tables, "scores": conform(once, TABLES["scores"])})
    assert compute_grade_panel(apart, NATIONAL, adoption, panel, follow_pupils=True).seen_before == {}


def test_a_row_for_every_grade_school_and_year_with_scores(grades):
    table = grades.tidy()
    assert len(table) == 3 * len(PUPILS)
    assert table["tested_pupils"].sum() == sum(len("".join(own.values())) for own in PUPILS.values())


def test_another_panel_is_refused(data, adoption, panel):
    with pytest.raises(ValueError, match="other units"):
        compute_grade_panel(data, NATIONAL, adoption, replace(panel, units=panel.units.head(1)))
