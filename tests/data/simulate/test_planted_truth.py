"""The planted verdicts are true of the tables, and cannot turn by rounding or by an empty cell."""

from fractions import Fraction
from math import sqrt

import pytest

from tests.data.simulate import brute_force
from toolkit.data.simulate import SimulatedCounty
from toolkit.data.simulate.plan_numbers import constants
from toolkit.standards import load_standard

INDICATORS = ("R1", "R2", "R3", "R4", "R5", "R6", "R7")


@pytest.fixture(scope="module")
def judged(demo: SimulatedCounty) -> dict[tuple[str, str], dict]:
    found = brute_force.judged_schools(dict(demo.county.tables), demo.settings.last_year)
    return {(school["school_id"], school["stage"]): school for school in found}


def test_the_planned_numbers_are_those_of_the_shipped_standard():
    standard, planned = load_standard("national_2017"), constants()
    for indicator in standard.indicators:
        assert {stage: planned["minimum"][stage][indicator.id] for stage in planned["minimum"]} == dict(
            indicator.minimum
        )
    assert planned["limits"] == dict(standard.coefficient_limits)
    assert standard.pass_rule is not None
    assert (planned["minimum_met"], planned["floor_ratio"]) == (
        standard.pass_rule.minimum_met,
        standard.pass_rule.floor_ratio,
    )
    assert planned["near_limit"] == standard.near_limit
    assert planned["smallest_teaching_point"] == standard.scope.minimum_enrolment_by_type["teaching_point"]
    assert planned["split"] == {
        "junior": standard.split.junior,
        "senior_in_complete_secondary_school": standard.split.senior_in_complete_secondary_school,
        "senior_in_twelve_year_school": standard.split.senior_in_twelve_year_school,
    }


def test_every_school_has_the_verdict_that_the_truth_tells(demo, judged):
    told = {(school["school_id"], school["stage"]): school["verdict"] for school in demo.truth["schools"]}
    assert told == {key: school["verdict"] for key, school in judged.items()}


def test_every_value_is_the_one_that_the_truth_tells(demo, judged):
    for school in demo.truth["schools"]:
        values = judged[school["school_id"], school["stage"]]["values"]
        for indicator in INDICATORS:
            expected = values[indicator]
            assert (school["values"][indicator] is None) == (expected is None)
            if expected is not None:
                assert school["values"][indicator] == pytest.approx(float(expected), rel=1e-8)


def test_met_not_met_and_unknown_indicators_are_told(demo, judged):
    for school in demo.truth["schools"]:
        values, stage = judged[school["school_id"], school["stage"]]["values"], school["stage"]
        minimum = {name: Fraction(value) for name, value in brute_force.MINIMUM[stage].items()}
        assert school["unknown"] == [name for name in INDICATORS if values[name] is None]
        assert school["met"] == [n for n in INDICATORS if values[n] is not None and values[n] >= minimum[n]]
        assert school["not_met"] == [
            n for n in INDICATORS if values[n] is not None and values[n] < minimum[n]
        ]


def test_named_schools_miss_what_they_were_built_to_miss(demo):
    causes = {
        (school["cause"], school["stage"]): (school["not_met"], school["unknown"], school["verdict"])
        for school in demo.truth["schools"]
        if school["cause"] != "built_above_every_minimum"
    }
    assert causes == {
        ("zero_stock", "primary"): (["R2"], [], "fail"),
        ("missing_cell_decides", "primary"): (["R5"], ["R6"], "undecided"),
        ("missing_cell_does_not_decide", "primary"): (["R4"], ["R5"], "fail"),
        ("one_miss_above_floor", "primary"): (["R5"], [], "pass"),
        ("one_miss_below_floor", "primary"): (["R4"], [], "fail"),
        ("two_misses_above_floor", "primary"): (["R4", "R6"], [], "fail"),
        ("exactly_at_the_minimum", "primary"): ([], [], "pass"),
        ("one_miss_above_floor", "junior"): (["R5"], [], "pass"),
        ("one_miss_below_floor", "junior"): (["R1"], [], "fail"),
        ("two_misses_above_floor", "junior"): (["R4", "R6"], [], "fail"),
        ("junior_part_misses_one", "junior"): (["R5"], [], "pass"),
        ("junior_part_misses_two", "junior"): (["R4", "R5"], [], "fail"),
    }


def test_all_other_schools_lie_well_above_every_minimum(demo, judged):
    for school in demo.truth["schools"]:
        if school["cause"] == "built_above_every_minimum":
            values = judged[school["school_id"], school["stage"]]["values"]
            for indicator, least in brute_force.MINIMUM[school["stage"]].items():
                assert values[indicator] >= Fraction("1.049") * Fraction(least)


def test_coefficients_are_those_of_the_tables_and_on_the_planned_side(demo, judged):
    for entry in demo.truth["indicators"]:
        stage, indicator = entry["stage"], entry["indicator"]
        here = [school for school in judged.values() if school["stage"] == stage]
        assert entry["n_schools"] == len(here)
        values = [school["values"][indicator] for school in here]
        if None in values:
            assert entry["coefficient"] is None
            continue
        square = brute_force.squared_coefficient(values, [school["students"] for school in here])
        assert entry["coefficient"] == pytest.approx(sqrt(square), abs=1e-8)
        assert entry["verdict"] == ("pass" if square <= brute_force.LIMIT[stage] ** 2 else "fail")
        assert entry["near_limit"] == (abs(sqrt(square) - float(brute_force.LIMIT[stage])) <= 0.005)


def test_only_the_planned_coefficients_are_above_the_limit_and_one_is_near_it(demo):
    verdicts = {(entry["stage"], entry["indicator"]): entry["verdict"] for entry in demo.truth["indicators"]}
    assert [key for key, verdict in verdicts.items() if verdict == "fail"] == [
        ("primary", "R5"),
        ("junior", "R2"),
    ]
    assert [key for key, verdict in verdicts.items() if verdict == "undecided"] == [("primary", "R6")]
    near = [(entry["stage"], entry["indicator"]) for entry in demo.truth["indicators"] if entry["near_limit"]]
    assert near == [("primary", "R4")]
    for entry in demo.truth["indicators"]:
        if (entry["stage"], entry["indicator"]) != ("primary", "R4"):
            assert abs(entry["complete_coefficient"] - entry["limit"]) > 0.01


def test_empty_cells_leave_open_what_the_truth_leaves_open(demo, judged):
    for stage, indicator, verdict in (("primary", "R5", "fail"), ("primary", "R6", "undecided")):
        here = [school for school in judged.values() if school["stage"] == stage]
        students = [school["students"] for school in here]
        sides = set()
        for step in range(200):
            filled = Fraction(step, 4) if indicator == "R5" else Fraction(step * 200)
            values = [filled if s["values"][indicator] is None else s["values"][indicator] for s in here]
            sides.add(brute_force.squared_coefficient(values, students) <= brute_force.LIMIT[stage] ** 2)
        assert sides == ({False} if verdict == "fail" else {False, True})


def test_the_county_fails_in_both_stages(demo):
    verdicts = demo.truth["verdicts"]
    assert (verdicts["primary"]["verdict"], verdicts["junior"]["verdict"]) == ("fail", "fail")
    assert verdicts["resources"] == "fail"
    for stage in ("primary", "junior"):
        of_stage = [s["verdict"] for s in demo.truth["schools"] if s["stage"] == stage]
        for verdict in ("pass", "fail", "undecided"):
            assert verdicts[stage][f"schools_{verdict}"] == of_stage.count(verdict)


def test_schools_outside_the_scope_are_named_with_their_reason(demo):
    reasons = [school["reason"] for school in demo.truth["left_out"]]
    assert reasons.count("teaching_point_below_minimum") == 6
    assert reasons.count("special_education_school") == 1


def test_rotation_compliance_follows_from_rosters_and_spells(demo):
    teachers, spells = demo.county.tables["teachers"], demo.county.tables["rotations"]
    schools = demo.county.tables["schools"].drop_duplicates("school_id").set_index("school_id")
    own = schools.loc[teachers["school_id"]].reset_index(drop=True)
    ordinary = (own["ownership"] == "public") & (own["school_type"] != "special_education_school")
    eligible = teachers[
        ordinary.to_numpy()
        & (teachers["arrived"].dt.year <= teachers["year"].astype(int) - 6).to_numpy()
        & teachers["established_post"].to_numpy(dtype=bool)
        & teachers["exemption"].isna().to_numpy()
    ]
    starts = spells["rotation_start"].dt.year
    for entry in demo.truth["rotation"]["by_year"]:
        assert entry["eligible"] == (eligible["year"] == entry["year"]).sum()
        assert entry["rotated"] == (starts == entry["year"]).sum()
        assert entry["rotated_backbone"] == spells.loc[starts == entry["year"], "backbone"].sum()
    last = demo.truth["rotation"]["by_year"][-1]
    assert 0.10 <= last["rotated"] / last["eligible"] < 0.11
    assert 0.17 < last["rotated_backbone"] / last["rotated"] < 0.20
