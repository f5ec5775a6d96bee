"""Gaps to the standard against brute force: the gap reaches the minimum, one unit less does not."""

import math

import numpy as np
import pandas as pd
import pytest

from tests.counties import make_county
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.planning.gaps import compute_gaps
from toolkit.planning.posts import compare_with_posts
from toolkit.standards import load_standard
from toolkit.variation.compliance import judge_resources

STANDARD = load_standard("national_2017")
# The column that an addition of each indicator goes to; per stage where it ends in "_".
ADDED_TO = {
    "R1": "teachers_above_required_qualification_",
    "R2": "backbone_teachers_",
    "R3": "pe_teachers_",
    "R4": "teaching_area",
    "R5": "sports_ground_area",
    "R6": "equipment_value",
    "R7": "multimedia_rooms",
}
STAGES_OF = {
    "primary_school": ("primary",),
    "junior_secondary_school": ("junior",),
    "nine_year_school": ("primary", "junior"),
    "twelve_year_school": ("primary", "junior", "senior"),
    "complete_secondary_school": ("junior", "senior"),
}


def school(code, school_type="primary_school", **cells):
    """Return a register row and a year row that meets every minimum with plenty to spare."""
    stages = STAGES_OF[school_type]
    row = {"school_id": code, "year": 2025, "indoor_sports_area": 0, "gymnasium_area": 0}
    row |= {"teaching_area": 1e5, "sports_ground_area": 1e5, "equipment_value": 1e8, "multimedia_rooms": 900}
    for stage in stages:
        row[f"enrolment_{stage}"] = 500
    for stage in set(stages) - {"senior"}:
        row |= {f"teachers_{stage}": 300, f"teachers_above_required_qualification_{stage}": 200}
        row |= {
            f"backbone_teachers_{stage}": 50,
            f"pe_teachers_{stage}": 50,
            f"arts_teachers_{stage}": 50,
        }
        row |= {f"visiting_pe_arts_teachers_{stage}": 0}
    register = {"school_id": code, "school_name": f"学校{code}", "school_type": school_type}
    return register | {"ownership": "public", "location": "urban"}, row | cells


def gaps_of(*schools, tables=()):
    county = make_county([entry for entry, _ in schools], [row for _, row in schools])
    resources = compute_resource_indicators(county, STANDARD)
    compliance = judge_resources(resources, year=2025)
    return county, resources, compute_gaps(resources, compliance, year=2025)


def verdicts_of(variants):
    """Judge many variants of schools at once: met by (code of the variant, indicator, stage)."""
    county = make_county([entry for entry, _ in variants], [row for _, row in variants])
    values = judge_resources(compute_resource_indicators(county, STANDARD), year=2025).indicator_values
    return values.set_index(["school_id", "indicator", "stage"])["met"].to_dict()


def variant(school, code, column, change):
    entry, row = school
    return entry | {"school_id": code}, row | {"school_id": code, column: row[column] + change}


def random_school(rng, code):
    school_type = str(rng.choice(list(STAGES_OF)))
    stages = STAGES_OF[school_type]
    entry, row = school(code, school_type)
    for stage in stages:
        row[f"enrolment_{stage}"] = int(rng.integers(60, 900))
    students = sum(row[f"enrolment_{stage}"] for stage in stages)
    row["teaching_area"] = round(students * rng.uniform(0, 8), 1)
    row["sports_ground_area"] = round(students * rng.uniform(0, 14), 1)
    row["equipment_value"] = round(students * rng.uniform(0, 4000))
    row["multimedia_rooms"] = int(students * rng.uniform(0, 0.04))
    for stage in set(stages) - {"senior"}:
        pupils = row[f"enrolment_{stage}"]
        row[f"teachers_above_required_qualification_{stage}"] = int(pupils * rng.uniform(0, 0.08))
        row[f"backbone_teachers_{stage}"] = int(pupils * rng.uniform(0, 0.02))
        row[f"pe_teachers_{stage}"] = int(pupils * rng.uniform(0, 0.008))
        row[f"arts_teachers_{stage}"] = int(pupils * rng.uniform(0, 0.006))
    return entry, row


def test_the_gap_reaches_the_minimum_and_one_unit_less_does_not():
    rng = np.random.default_rng(0)
    by_code = {f"S{number:02d}": random_school(rng, f"S{number:02d}") for number in range(20)}
    _, _, gaps = gaps_of(*by_code.values())
    variants = []
    for at, gap in enumerate(gaps.gaps.to_dict("records")):
        column = ADDED_TO[gap["indicator"]]
        column = f"{column}{gap['stage']}" if column.endswith("_") else column
        unit = 1 if gap["counted"] else 0.01
        assert gap["gap_low"] == gap["gap_high"] > 0
        for name, change in (("enough", gap["gap_low"]), ("short", gap["gap_low"] - unit)):
            variants.append(variant(by_code[gap["school_id"]], f"{name}{at}", column, change))
    met = verdicts_of(variants)
    assert len(gaps.gaps) > 60
    for at, gap in enumerate(gaps.gaps.to_dict("records")):
        assert met[f"enough{at}", gap["indicator"], gap["stage"]] == "pass", gap
        assert met[f"short{at}", gap["indicator"], gap["stage"]] == "fail", gap


def test_the_joint_gap_of_a_combined_school_lets_all_stages_reach_their_minimum_and_no_less_does():
    rng = np.random.default_rng(100)
    schools = {f"S{number:02d}": random_school(rng, f"S{number:02d}") for number in range(40)}
    by_code = {
        code: found for code, found in schools.items() if found[0]["school_type"] == "nine_year_school"
    }
    _, _, gaps = gaps_of(*by_code.values())
    shared = gaps.gaps[gaps.gaps["whole_school"]].groupby(["school_id", "indicator"])
    variants = []
    for (code, indicator), own in shared:
        joint, unit = own["joint_gap_low"].iloc[0], 1 if own["counted"].iloc[0] else 0.01
        assert set(own["joint_gap_low"]) == {own["gap_low"].max()}
        for name, change in (("enough", joint), ("short", joint - unit)):
            variants.append(variant(by_code[code], f"{name}{code}{indicator}", ADDED_TO[indicator], change))
    met = verdicts_of(variants)
    assert len(shared) > 10
    for (code, indicator), _ in shared:
        both = [
            [met[f"{name}{code}{indicator}", indicator, stage] for stage in ("primary", "junior")]
            for name in ("enough", "short")
        ]
        assert both[0] == ["pass", "pass"]
        assert "fail" in both[1]


def test_a_combined_school_needs_the_largest_of_its_stages_not_the_sum_of_two_ceilings():
    # 100 and 100 students, 1 room: primary has 100 * 1 / (100 + 110) per 100 students, junior 1.1 times that.
    # Primary needs 2.3*210/100 = 4.83 -> 5 rooms, junior 2.4*210/110 = 4.58 -> 5 rooms: 4 more, not 8.
    nine = school("A", "nine_year_school", enrolment_primary=100, enrolment_junior=100, multimedia_rooms=1)
    _, _, gaps = gaps_of(nine)
    rooms = gaps.gaps[gaps.gaps["indicator"] == "R7"]
    assert list(rooms["present"]) == [1, 1]
    assert list(rooms["needed"]) == [5, 5]
    assert list(rooms["joint_gap_low"]) == [4, 4]
    totals = gaps.totals[gaps.totals["indicator"] == "R7"]
    assert list(totals["stage"]) == ["combined_stages", "total"]
    assert list(totals["gap_low"]) == [4, 4]
    assert list(totals["n_schools"]) == [1, 1]


def test_teachers_are_rounded_up_and_areas_are_not():
    # 4.2 * 333 / 100 = 13.986 teachers; 4.5 * 333 = 1498.5 m2.
    cells = {"enrolment_primary": 333, "teachers_above_required_qualification_primary": 10}
    _, _, gaps = gaps_of(school("A", **cells, teaching_area=1000.0))
    found = gaps.gaps.set_index("indicator")
    assert found.loc["R1", "needed"] == 14
    assert found.loc["R1", "gap_low"] == 4
    assert found.loc["R4", "needed"] == pytest.approx(1498.5, rel=1e-12)
    assert found.loc["R4", "gap_low"] == pytest.approx(498.5, rel=1e-12)
    assert (found["unit"] == pd.Series({"R1": "teachers_unit", "R4": "square_metres"})).all()


def test_a_stock_exactly_at_the_minimum_has_no_gap():
    # 4.2 * 500 / 100 = 21 exactly, which floats miss.
    _, _, gaps = gaps_of(school("A", teachers_above_required_qualification_primary=21))
    assert gaps.gaps.empty
    assert gaps.totals.empty
    assert gaps.schools.empty


def test_the_level_and_balance_example_has_no_gap_though_its_coefficient_fails():
    # Domain F.4: every school meets 7.5 m2 although the coefficient is 1.054.
    students = [1500, 1400, 1200, 1000, 900, 300, 150, 90, 70, 60]
    per_student = [7.6, 7.8, 8, 8.2, 9, 25, 40, 60, 70, 80]
    schools = [
        school(f"S{at}", enrolment_primary=n, sports_ground_area=n * m)
        for at, (n, m) in enumerate(zip(students, per_student, strict=True))
    ]
    _, resources, gaps = gaps_of(*schools)
    assert gaps.gaps[gaps.gaps["indicator"] == "R5"].empty
    coefficient = judge_resources(resources, year=2025).coefficients.set_index("indicator").loc["R5"]
    assert coefficient["coefficient"] == pytest.approx(1.054, abs=5e-4)


def test_the_other_way_round_every_school_has_a_gap():
    # Ten schools between 4.75 and 5.25 m2: 7.5 - m per student each.
    per_student = np.linspace(4.75, 5.25, 10)
    schools = [school(f"S{at}", sports_ground_area=500 * m) for at, m in enumerate(per_student)]
    _, _, gaps = gaps_of(*schools)
    sports = gaps.gaps[gaps.gaps["indicator"] == "R5"]
    assert list(sports["gap_low"]) == pytest.approx(list(500 * (7.5 - per_student)))
    total = gaps.totals[(gaps.totals["indicator"] == "R5") & (gaps.totals["stage"] == "total")].iloc[0]
    assert total["gap_low"] == pytest.approx(10 * 500 * 2.5)


def test_a_school_with_nothing_needs_everything():
    _, _, gaps = gaps_of(school("A", multimedia_rooms=0, backbone_teachers_primary=0))
    found = gaps.gaps.set_index("indicator")
    assert found.loc["R7", "gap_low"] == math.ceil(2.3 * 5)
    assert found.loc["R2", "gap_low"] == 5
    assert list(found["status"]) == ["exact", "exact"]


def test_a_missing_stock_leaves_a_range_and_names_the_cell():
    _, _, gaps = gaps_of(school("A", equipment_value=None))
    row = gaps.gaps.iloc[0]
    assert (row["indicator"], row["gap_low"], row["gap_high"]) == ("R6", 0, 1_000_000)
    assert (row["status"], row["met"], row["missing"]) == ("range", "undecided", ("equipment_value",))


def test_a_missing_part_of_a_stock_moves_both_ends():
    # 4.5 * 500 = 2250 m2 needed; 2000 m2 with an unknown indoor part of 0 to 2000 m2.
    _, _, gaps = gaps_of(school("A", teaching_area=2000.0, indoor_sports_area=None))
    row = gaps.gaps.set_index("indicator").loc["R4"]
    assert (row["gap_low"], row["gap_high"]) == (250, 2250)
    assert row["met"] == "fail"
    assert row["status"] == "range"


def test_missing_students_leave_the_gap_without_upper_bound():
    nine = school("A", "nine_year_school", enrolment_junior=None, multimedia_rooms=5)
    _, _, gaps = gaps_of(nine)
    row = gaps.gaps[(gaps.gaps["indicator"] == "R7") & (gaps.gaps["stage"] == "primary")].iloc[0]
    # With no junior student at all, 500 primary students need 11.5 -> 12 rooms.
    assert (row["gap_low"], row["gap_high"], row["status"]) == (7, math.inf, "at_least")
    assert row["missing"] == ("enrolment_junior",)
    junior = gaps.gaps[(gaps.gaps["indicator"] == "R2") & (gaps.gaps["stage"] == "junior")].iloc[0]
    assert junior["status"] == "not_computable"
    assert junior["missing"] == ("enrolment_junior",)


def test_open_gaps_agree_with_the_verdicts_of_the_compliance():
    rng = np.random.default_rng(7)
    schools = []
    for number in range(20):
        entry, row = random_school(rng, f"S{number:02d}")
        for column in ("teaching_area", "sports_ground_area", "equipment_value", "backbone_teachers_primary"):
            if column in row and rng.random() < 0.3:
                row[column] = None
        schools.append((entry, row))
    _, resources, gaps = gaps_of(*schools)
    values = judge_resources(resources, year=2025).indicator_values
    keys = ["school_id", "stage", "indicator"]
    both = values.merge(gaps.gaps[[*keys, "met", "above_floor"]], on=keys, how="left", suffixes=("", "_gap"))
    assert (both["met_gap"].fillna("pass") == both["met"]).all()
    listed = both["met_gap"].notna()
    assert (both.loc[listed, "above_floor_gap"] == both.loc[listed, "above_floor"]).all()
    assert set(both["met"]) == {"pass", "fail", "undecided"}


def test_the_pass_rule_says_what_must_be_closed_and_what_may_stay():
    # R4 at 0.9 of its minimum and R6 at 0.5: two unmet, one of them below the floor.
    two = school("A", teaching_area=0.9 * 4.5 * 500, equipment_value=500_000)
    one = school("B", teaching_area=0.9 * 4.5 * 500)
    low = school("C", equipment_value=500_000)
    _, _, gaps = gaps_of(two, one, low)
    needs = gaps.schools.set_index("school_id")
    assert needs.loc["A", ["unmet", "below_floor", "n_to_close", "n_may_stay"]].tolist() == [
        ("R4", "R6"),
        ("R6",),
        1,
        1,
    ]
    assert needs.loc["B", ["verdict", "n_to_close", "n_may_stay"]].tolist() == ["pass", 0, 1]
    assert needs.loc["C", ["verdict", "below_floor", "n_to_close", "n_may_stay"]].tolist() == [
        "fail",
        ("R6",),
        0,
        1,
    ]
    totals = gaps.totals[gaps.totals["stage"] == "total"].set_index("indicator")
    # To the minimum 500,000 yuan each; to the floor 0.85 * 1,000,000 - 500,000 each.
    assert totals.loc["R6", ["gap_low", "required_low", "least"]].tolist() == [1e6, 1e6, 700_000]
    # School B passes as it is, so only A's part is required, and none of it in every case.
    assert totals.loc["R4", ["gap_low", "required_low", "least"]].tolist() == pytest.approx([450, 225, 0])


def test_filling_the_required_amounts_lets_every_school_pass():
    rng = np.random.default_rng(11)
    schools = [random_school(rng, f"S{number}") for number in range(8)]
    _, _, gaps = gaps_of(*schools)
    amounts = gaps.gaps.groupby(["school_id", "indicator", "stage"])["gap_low"].first()
    for entry, row in schools:
        own = amounts[amounts.index.get_level_values("school_id") == entry["school_id"]]
        shared: dict[str, float] = {}
        for (_, indicator, stage), gap in own.items():
            column = ADDED_TO[indicator]
            if column.endswith("_"):
                row[f"{column}{stage}"] += gap
            else:
                shared[column] = max(shared.get(column, 0.0), gap)
        row |= {column: row[column] + gap for column, gap in shared.items()}
    county = make_county([entry for entry, _ in schools], [row for _, row in schools])
    verdicts = judge_resources(compute_resource_indicators(county, STANDARD), year=2025).schools["verdict"]
    assert set(verdicts) == {"pass"}


def test_teachers_who_are_there_can_fill_gaps_only_up_to_their_number():
    # R1 needs 21 of 500 students. A has 18 teachers, 16 count: 2 can still study, 3 must come.
    first = school("A", teachers_primary=18, teachers_above_required_qualification_primary=16)
    second = school("B", teachers_primary=40, teachers_above_required_qualification_primary=16)
    third = school("C", teachers_primary=None, teachers_above_required_qualification_primary=16)
    county, resources, gaps = gaps_of(first, second, third)
    posts = compare_with_posts(county, resources, gaps)
    found = posts.gaps.set_index("school_id")
    assert found.loc["A", ["gap", "within_staff", "beyond_staff"]].tolist() == [5, 2, 3]
    assert found.loc["B", ["gap", "within_staff", "beyond_staff"]].tolist() == [5, 5, 0]
    total = posts.totals.set_index("indicator").loc["R1"]
    assert total[["gap", "within_staff", "beyond_staff", "n_schools", "n_unknown"]].tolist() == [
        10,
        7,
        3,
        2,
        1,
    ]
    assert posts.staff["more_teachers"].tolist() == [3]
    assert np.isnan(posts.staff["established"]).all()


def test_inputs_are_not_changed_and_row_order_does_not_matter():
    rng = np.random.default_rng(5)
    schools = [random_school(rng, f"S{number}") for number in range(6)]
    county, _, gaps = gaps_of(*schools)
    before = county.tables["school_years"].copy()
    _, _, reversed_gaps = gaps_of(*schools[::-1])
    keys = ["stage", "school_id", "indicator"]
    pd.testing.assert_frame_equal(
        gaps.gaps.sort_values(keys, ignore_index=True),
        reversed_gaps.gaps.sort_values(keys, ignore_index=True),
    )
    pd.testing.assert_frame_equal(before, county.tables["school_years"])
