"""Outcomes of the units of a study: achievement on a stated reference, and what schools report."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.people import member, school, school_year, with_tables
from tests.tests_of_pupils import score_rows
from toolkit.data.schema import TABLES, conform
from toolkit.indicators.adoption import compute_adoption
from toolkit.indicators.outcomes import compute_outcomes
from toolkit.indicators.panel_achievement import compute_achievement, number_pupils
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.indicators.school_panel import compute_school_panel
from toolkit.indicators.stable_units import trace_units
from toolkit.standards import load_standard

NATIONAL = load_standard("national_2017")
YEARS = (2019, 2020, 2021)
# School 1 joins in 2021, 2 and 3 never do, 4 goes into 3 in 2020.
MARKS = {
    2019: {"1": [50.0, 60.0], "2": [70.0, 90.0], "3": [80.0, 80.0], "4": [40.0, 50.0]},
    2020: {"1": [55.0, 65.0], "2": [60.0, 80.0], "3": [70.0, 70.0, 50.0, 60.0]},
    2021: {"1": [75.0, 85.0], "2": [60.0, 100.0], "3": [80.0, 80.0]},
}


def written_county():
    years = {"4": (2019,)}
    figures = [
        school_year(
            code, year, backbone_teachers_primary=number, teachers_above_required_qualification_primary=8,
            migrant_students=5 * number, enrolment_grade_5=4, equipment_value=1000.0 * number,
        )
        for number, code in enumerate("1234", start=1)
        for year in years.get(code, YEARS)
    ]  # fmt: skip
    links = [{"from_school_id": "4", "to_school_id": "3", "link_date": "2020-08-31", "link_kind": "merge"}]
    data = with_tables(
        [school(code) for code in "1234"],
        figures,
        school_groups=[member("1", start_year=2021)],
        school_links=links,
    )
    rows = pd.concat([score_rows(marks, year=year) for year, marks in MARKS.items()], ignore_index=True)
    scores = conform(rows.astype({"year": "Int64"}), TABLES["scores"])
    return replace(data, tables={**data.tables, "scores": scores})


@pytest.fixture(scope="module")
def data():
    return written_county()


@pytest.fixture(scope="module")
def adoption(data):
    return compute_adoption(data, NATIONAL, programme="group_schooling")


@pytest.fixture(scope="module")
def panel(data, adoption):
    return compute_school_panel(data, NATIONAL, adoption)


def units_of(marks):
    """Return the marks by unit: school 4 is part of school 3."""
    joined = {code: list(own) for code, own in marks.items() if code != "4"}
    joined["3"] = joined["3"] + list(marks.get("4", []))
    return joined


def test_achievement_is_the_mean_in_deviations_of_the_county_of_the_year(panel):
    for position, year in enumerate(YEARS):
        pupils = np.concatenate(list(MARKS[year].values()))
        expected = [
            np.mean((np.array(own) - pupils.mean()) / pupils.std()) for own in units_of(MARKS[year]).values()
        ]
        assert panel.measures["achievement"][:, position] == pytest.approx(expected)
    assert panel.units["school"].tolist() == ["1", "2", "3"]


@pytest.fixture(scope="module")
def standardised(data, adoption):
    """Return a function of reference and base years."""
    numbered = number_pupils(compute_outcomes(data, NATIONAL), trace_units(data))
    untreated = adoption.units.loc[adoption.units["status"] == "comparison", ["school", "stage"]]

    def compute(reference, base_years=()):
        return compute_achievement(numbered, untreated, reference=reference, base_years=base_years)

    return compute


def test_the_untreated_can_be_the_reference_with_their_own_deviation_or_that_of_base_years(standardised):
    own, base = standardised("untreated"), standardised("untreated_base_sd", (2019,))
    without = {
        year: np.concatenate([m for c, m in marks.items() if c != "1"]) for year, marks in MARKS.items()
    }
    for year in YEARS:
        raw = np.array([np.mean(marks) for marks in units_of(MARKS[year]).values()]) - without[year].mean()
        for found, deviation in ((own, without[year].std()), (base, without[2019].std())):
            of_year = found.schools[found.schools["year"] == year].sort_values("school")
            assert of_year["achievement"].to_numpy() == pytest.approx(raw / deviation)
    assert own.tests["n_reference"].tolist() == [6, 6, 4]


def test_references_that_cannot_be_are_refused_and_tests_without_base_listed(standardised):
    with pytest.raises(ValueError, match="base_years are needed"):
        standardised("untreated_base_sd")
    with pytest.raises(ValueError, match="reference must be one of"):
        standardised("city")
    none = standardised("untreated_base_sd", (2017,))
    assert set(none.tests["reason"]) == {"panel_test_without_base"}
    assert none.schools.empty


def test_pupils_coverage_and_the_variance_of_the_mean_are_told(panel):
    values = panel.measures
    assert values["tested_pupils"].tolist() == [[2, 2, 2], [2, 2, 2], [4, 4, 2]]
    # Grade 5 has four pupils in every school; in 2019 unit 3 is two schools.
    assert values["coverage"].tolist() == [[0.5] * 3, [0.5] * 3, [0.5, 1.0, 0.5]]
    pupils = np.concatenate(list(MARKS[2021].values()))
    spread = (np.array([60, 100]) - 80) / pupils.std()
    assert values["achievement_error_variance"][1, 2] == pytest.approx(np.sum(spread**2) / 4)
    assert panel.tested_grades("primary") == (5,)


def test_scores_of_one_pupil_in_two_subjects_are_one_draw(data, adoption):
    two = pd.concat(
        [score_rows(MARKS[2020], year=2020, subject=name) for name in ("chinese", "mathematics")],
        ignore_index=True,
    )
    scores = conform(two.astype({"year": "Int64"}), TABLES["scores"])
    outcomes = compute_outcomes(replace(data, tables={**data.tables, "scores": scores}), NATIONAL)
    numbered = number_pupils(outcomes, trace_units(data))
    schools = compute_achievement(numbered, adoption.units[["school", "stage"]]).schools
    pupils = np.concatenate(list(MARKS[2020].values()))
    spread = (np.array([60, 80]) - 70) / pupils.std()
    own = schools[schools["school"] == "2"].iloc[0]
    assert own["achievement_error_variance"] == pytest.approx(np.sum(spread**2) / 4)
    assert own["tested_pupils"] == 2
    assert set(schools["year"]) == {2020}


def test_joined_schools_add_up_and_shares_are_of_what_they_add_up_to(panel):
    values = panel.measures
    assert values["enrolment"].tolist() == [[100] * 3, [100] * 3, [200, 100, 100]]
    assert values["backbone_teacher_share"][:, 0] == pytest.approx([1 / 10, 2 / 10, (3 + 4) / 20])
    assert values["higher_qualification_share"][:, 0] == pytest.approx([0.8] * 3)
    assert values["migrant_share"][:, 0] == pytest.approx([0.05, 0.10, 35 / 200])
    assert values["R6"][:, 0] == pytest.approx([10.0, 20.0, 7000 / 200])
    assert np.exp(values["log_enrolment"]) == pytest.approx(values["enrolment"])


def test_indicators_of_schools_that_stand_alone_are_those_of_the_standard(data, panel):
    resources = compute_resource_indicators(data, NATIONAL).tidy()
    own = resources[(resources["school_id"] == "2") & (resources["indicator"] == "R2")].sort_values("year")
    assert panel.measures["R2"][1] == pytest.approx(own["value"].to_numpy())


def test_without_scores_and_a_cell_of_one_joined_school_the_rest_is_known(data, adoption):
    table = data.tables["school_years"].copy()
    table.loc[table["school_id"] == "4", "backbone_teachers_primary"] = np.nan
    tables = {name: own for name, own in data.tables.items() if name != "scores"} | {"school_years": table}
    found = compute_school_panel(replace(data, tables=tables), NATIONAL, adoption)
    shares = found.measures["backbone_teacher_share"]
    assert np.isnan(shares).tolist() == [[False] * 3, [False] * 3, [True, False, False]]
    assert np.isnan(found.measures["achievement"]).all()
    assert "achievement" not in found.outcomes
    assert "R6" in found.outcomes
    assert found.tests.empty
    assert len(found.tidy()) == len(found.units) * len(YEARS)
