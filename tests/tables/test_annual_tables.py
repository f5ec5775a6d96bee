"""What the annual report says about itself: scope, weights of the split, rules in doubt, special cases."""

import pytest

from tests.end_to_end.annual import small_county, study_of, with_table
from toolkit.standards import load_standard
from toolkit.tables.annual import tabulate_doubts, tabulate_exceptions, tabulate_scope, tabulate_split


def values(table):
    """Return the second column by the first."""
    return dict(zip(table.data.iloc[:, 0], table.data.iloc[:, 1], strict=True))


@pytest.fixture(scope="module")
def study():
    """Return a county of which one school has too few students to count, a teaching point."""
    county = small_county((2025, 3, "enrolment_primary", 20))
    schools = county.tables["schools"].copy()
    schools.loc[schools["school_id"] == "3601010003", "school_type"] = "teaching_point"
    return study_of(with_table(county, "schools", schools))


def test_the_scope_counts_schools_that_report_that_count_and_that_are_left_out(study):
    told = values(tabulate_scope(study.county, study.resources, None, year=2025, language="en"))
    counts = [value for name, value in told.items() if "chool" in name and value.isdigit()]
    assert counts[:3] == ["3", "2", "1"]
    assert told["Local plan compared with"] == "None chosen"
    assert "1 September 2025" in told.values()


def test_the_plan_is_named_when_there_is_one(study):
    plan = load_standard("meizhou")
    told = values(tabulate_scope(study.county, study.resources, plan, year=2025, language="zh"))
    assert any(plan.title.zh in value for value in told.values())


def test_the_weights_of_the_split_are_those_of_the_rule_and_stages_that_a_type_lacks_are_marked():
    table = tabulate_split(load_standard("national_2017"), "en")
    rows = {kind: weights for kind, *weights in table.data.to_numpy(dtype=object).tolist()}
    assert rows["nine_year_school"][:2] == [1.0, 1.1]
    assert rows["twelve_year_school"] == [1.0, 1.1, 1.32]
    assert rows["complete_secondary_school"][1:] == [1.0, 1.2]
    assert {(mark.row, mark.column) for mark in table.marks} == {(0, "senior_weight"), (1, "primary_weight")}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_doubt_and_special_case_of_the_standard_is_listed(language):
    standard = load_standard("national_2017")
    doubts = tabulate_doubts(standard, language).data
    assert doubts["doubt"].tolist() == [getattr(mark.doubt, language) for mark in standard.marks.values()]
    cases = tabulate_exceptions(standard, language).data
    assert cases.iloc[:, 0].tolist() == [getattr(case.name, language) for case in standard.exceptions]
    about = dict(zip(cases.iloc[:, 0], cases["doubt_about"], strict=True))
    (visiting,) = [value for name, value in about.items() if name.startswith(("50人", "Rural schools and"))]
    assert visiting == "R3"
