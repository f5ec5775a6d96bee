"""School verdicts with missing cells, against all ways of filling them in."""

import time
from itertools import combinations

import numpy as np
import pytest

from toolkit.errors import DesignError
from toolkit.variation.school_rule import SchoolRule, judge_schools

# Cells of a nine-year school as its primary part sees them.
A, B, QUALIFIED, BACKBONE, TEACHING, INDOOR, GROUNDS = range(7)
NAN = np.nan


def rows(*entries):
    matrix = np.zeros((len(entries), 7))
    for row, entry in zip(matrix, entries, strict=True):
        for cell, coefficient in entry.items():
            row[cell] = coefficient
    return matrix


def nine_year_rule(minimum_met=3, floor_ratio=0.85, thresholds=(4.0, 1.0, 4.5, 7.5)):
    split = {A: 1, B: 1.1}
    return SchoolRule(
        numerators=rows(
            {QUALIFIED: 100}, {BACKBONE: 100}, {TEACHING: 1, INDOOR: -1}, {GROUNDS: 1, INDOOR: 1}
        ),
        denominators=rows({A: 1}, {A: 1}, split, split),
        thresholds=np.array(thresholds),
        minimum_met=minimum_met,
        floor_ratio=floor_ratio,
        at_most=((INDOOR, TEACHING), (BACKBONE, QUALIFIED)),
    )


def slow_verdict(rule, cells):
    """Apply the rule, as it is worded, to many completed schools at once."""
    values = (cells @ rule.numerators.T) / (cells @ rule.denominators.T)
    met = (values >= rule.thresholds * (1 - 1e-9)).sum(axis=1) >= rule.minimum_met
    above = (values >= rule.floor_ratio * rule.thresholds * (1 - 1e-9)).all(axis=1)
    return met & above


def completions(rule, cells, rng):
    """Corners of all regions into which the conditions cut the missing cells, and points around them."""
    missing = np.flatnonzero(np.isnan(cells))
    known = np.where(np.isnan(cells), 0, cells)
    parts = [np.eye(7)[whole] - np.eye(7)[part] for part, whole in rule.at_most]
    forms = [
        rule.numerators[k] - share * rule.thresholds[k] * rule.denominators[k]
        for k in range(len(rule.thresholds))
        for share in (1, rule.floor_ratio)
    ]
    planes = np.array([*forms, *parts, *np.eye(7)[missing]])
    sides = planes @ known
    planes = np.vstack([planes[:, missing], np.eye(len(missing))])
    sides = np.r_[sides, [-1e6] * len(missing)]
    corners = []
    for chosen in combinations(range(len(planes)), len(missing)):
        system = planes[list(chosen)]
        if abs(np.linalg.det(system)) > 1e-9:
            corners.append(np.linalg.solve(system, -sides[list(chosen)]))
    corners = np.array(corners)
    corners = corners[(corners >= -1e-9).all(axis=1)].clip(0)
    around = corners[:, None] + rng.normal(0, 1e-3, (len(corners), 60, len(missing))) * np.maximum(
        corners[:, None], 1
    )
    pairs = rng.integers(0, len(corners), (800, 2))
    points = np.vstack([corners, around.reshape(-1, len(missing)), corners[pairs].mean(axis=1)])
    filled = np.tile(known, (len(points), 1))
    filled[:, missing] = points
    allowed = (points >= 0).all(axis=1) & (filled @ rule.denominators.T > 1e-7).all(axis=1)
    for part, whole in rule.at_most:
        if np.isnan(cells[[part, whole]]).any():
            allowed &= filled[:, part] <= filled[:, whole]
    return filled[allowed]


def random_school(rng, n_missing):
    pupils, juniors = rng.integers(50, 400, 2)
    weighted = pupils + 1.1 * juniors
    near = rng.choice([0.6, 0.87, 0.95, 1.0, 1.1, 1.6], 4)
    indoor = rng.integers(0, 300)
    cells = np.array(
        [
            pupils,
            juniors,
            np.round(4.0 * near[0] * pupils / 100),
            np.round(1.0 * near[1] * pupils / 100),
            np.round(4.5 * near[2] * weighted) + indoor,
            indoor,
            max(0, np.round(7.5 * near[3] * weighted) - indoor),
        ]
    )
    cells[BACKBONE] = min(cells[BACKBONE], cells[QUALIFIED])
    cells[rng.choice(7, n_missing, replace=False)] = NAN
    return cells


@pytest.mark.parametrize("n_missing", [1, 2, 3])
@pytest.mark.parametrize(("minimum_met", "floor_ratio"), [(3, 0.85), (2, 0.85), (4, 0.5), (3, 0.0)])
def test_verdict_is_that_of_all_completions(n_missing, minimum_met, floor_ratio):
    rng = np.random.default_rng(1000 * n_missing + minimum_met)
    rule = nine_year_rule(minimum_met, floor_ratio)
    schools = np.array([random_school(rng, n_missing) for _ in range(40)])
    found = judge_schools(rule, schools)
    for school, cells in enumerate(schools):
        passed = slow_verdict(rule, completions(rule, cells, rng))
        expected = "pass" if passed.all() else "undecided" if passed.any() else "fail"
        assert found.verdicts[school] == expected, cells.tolist()


def test_schools_like_these_meet_all_three_verdicts():
    rng = np.random.default_rng(2003)
    schools = np.array([random_school(rng, 1) for _ in range(200)])
    assert set(judge_schools(nine_year_rule(floor_ratio=0.0), schools).verdicts) == {
        "pass",
        "fail",
        "undecided",
    }


@pytest.mark.parametrize("n_missing", [1, 2])
def test_knowing_a_cell_that_does_not_decide_leaves_the_verdict_open(n_missing):
    rng = np.random.default_rng(n_missing)
    rule = nine_year_rule()
    schools = np.array([random_school(rng, n_missing) for _ in range(60)])
    found = judge_schools(rule, schools)
    assert not found.deciding_cells[found.verdicts != "undecided"].any()
    for school in np.flatnonzero(found.verdicts == "undecided"):
        deciding = found.deciding_cells[school]
        assert deciding.any()
        assert not (deciding & ~np.isnan(schools[school])).any()
        for cell in np.flatnonzero(np.isnan(schools[school]) & ~deciding):
            rest = completions(rule, schools[school], rng)
            for completion in rest[rng.integers(0, len(rest), 10)]:
                filled = schools[school].copy()
                filled[cell] = completion[cell]
                assert judge_schools(rule, filled[None]).verdicts[0] == "undecided"


def test_settling_all_deciding_cells_settles_the_verdict():
    rng = np.random.default_rng(8)
    rule = nine_year_rule()
    for cells in [random_school(rng, 2) for _ in range(40)]:
        found = judge_schools(rule, cells[None])
        if found.verdicts[0] == "undecided":
            options = completions(rule, cells, rng)
            filled = np.where(found.deciding_cells[0], options[rng.integers(len(options))], cells)
            assert judge_schools(rule, filled[None]).verdicts[0] != "undecided"


def test_one_missing_area_that_cannot_serve_two_indicators_at_once_fails_the_school():
    # 100 + 0 weighted pupils. Teaching less indoor needs 450, grounds plus indoor 750: with teaching 500 and
    # grounds 600 either one can be had, both floors (382.5 and 637.5) too, but not both minimums.
    cells = np.array([[100, 0, 4, 1, 500, NAN, 600]])
    both = judge_schools(nine_year_rule(minimum_met=4), cells)
    assert both.met.tolist() == [["pass", "pass", "undecided", "undecided"]]
    assert both.verdicts[0] == "fail"
    assert judge_schools(nine_year_rule(minimum_met=3), cells).verdicts[0] == "undecided"
    assert not both.deciding_cells.any()


def test_shared_area_can_be_enough_wherever_it_is_counted():
    # Indoor area is unknown, but one of the two indicators is met whatever it is and the floors always hold.
    cells = np.array([[100, 0, 4, 1, 600, NAN, 640]])
    rule = nine_year_rule(minimum_met=3, floor_ratio=0.0)
    assert judge_schools(rule, cells).verdicts[0] == "pass"


def test_missing_part_is_bounded_by_its_whole():
    # At most 3 of 3 qualified teachers can be backbone teachers, but 5 would be needed.
    cells = np.array([[500, 0, 3, NAN, 9000, 0, 9000]])
    found = judge_schools(nine_year_rule(), cells)
    assert found.met[0, 1] == "fail"
    assert found.verdicts[0] == "fail"


def test_missing_part_and_whole_together_are_not_bounded_but_never_negative():
    rule = nine_year_rule(thresholds=(4.0, 1.0, 0.0, 7.5))
    found = judge_schools(rule, [[100, 0, 4, 1, NAN, NAN, 900]])
    assert found.met[0, 2] == "pass"
    assert judge_schools(nine_year_rule(), [[100, 0, 4, 1, NAN, NAN, 900]]).met[0, 2] == "undecided"


def test_missing_enrolment_cannot_help_a_school_that_has_none_of_the_resource():
    found = judge_schools(nine_year_rule(), [[NAN, 0, 4, 0, 500, 0, 800]])
    assert found.met[0, 1] == "fail"
    assert found.above_floor[0, 1] == "fail"
    assert found.verdicts[0] == "fail"


def test_missing_enrolment_leaves_a_school_with_resources_open():
    found = judge_schools(nine_year_rule(), [[NAN, 0, 4, 1, 500, 0, 800]])
    assert found.verdicts[0] == "undecided"
    assert found.deciding_cells[0].tolist() == [True] + [False] * 6


@pytest.mark.parametrize(
    ("backbone", "verdict"),
    [(20, "pass"), (17, "pass"), (16.9, "fail")],
)
def test_one_indicator_may_be_missed_down_to_the_floor_included(backbone, verdict):
    cells = [[2000, 0, 80, backbone, 9000, 0, 15000]]
    assert judge_schools(nine_year_rule(), cells).verdicts[0] == verdict


def test_two_indicators_just_below_their_minimum_are_too_many():
    assert judge_schools(nine_year_rule(), [[2000, 0, 79, 19, 9000, 0, 15000]]).verdicts[0] == "fail"


@pytest.mark.parametrize("minimum", [0.9, 2.3, 2.4, 4.2, 4.5, 5.3, 5.8, 7.5, 10.2])
@pytest.mark.parametrize("share", [1.0, 0.85])
def test_a_value_exactly_at_a_limit_counts_as_reached_whatever_the_floats_are(minimum, share):
    rule = SchoolRule(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), np.array([minimum]), 1, 0.85)
    for pupils in range(1, 400):
        amount = round(minimum * share * pupils, 6)
        found = judge_schools(rule, [[amount, pupils]])
        assert found.above_floor[0, 0] == "pass"
        assert found.met[0, 0] == ("pass" if share == 1 else "fail")


def test_split_of_a_nine_year_school_is_linear_in_its_cells():
    # 测算均衡系数拆分公式: 166 primary and 210 junior pupils, 23226 books; 58.504 and 64.354 per pupil.
    for numerator, per_pupil in ((1.0, 58.504), (1.1, 64.354)):
        for margin, verdict in ((-5e-4, "pass"), (5e-4, "fail")):
            rule = SchoolRule(
                np.array([[0, 0, numerator]]),
                np.array([[1, 1.1, 0]]),
                np.array([per_pupil + margin]),
                1,
                0.85,
            )
            assert judge_schools(rule, [[166, 210, 23226]]).verdicts[0] == verdict


def test_schools_are_judged_alone_and_in_any_order():
    rng = np.random.default_rng(5)
    rule = nine_year_rule()
    schools = np.array([random_school(rng, n % 4) for n in range(40)])
    together = judge_schools(rule, schools)
    backwards = judge_schools(rule, schools[::-1])
    assert backwards.verdicts[::-1].tolist() == together.verdicts.tolist()
    alone = [judge_schools(rule, school[None]).verdicts[0] for school in schools]
    assert together.verdicts.tolist() == alone


def test_verdict_does_not_change_with_the_unit_of_a_cell():
    rng = np.random.default_rng(6)
    rule, unit = nine_year_rule(), np.array([1, 1, 1, 1, 1e4, 1e4, 1e4])
    schools = np.array([random_school(rng, n % 4) for n in range(40)])
    scaled = SchoolRule(
        rule.numerators / unit,
        rule.denominators,
        rule.thresholds,
        rule.minimum_met,
        rule.floor_ratio,
        rule.at_most,
    )
    assert (
        judge_schools(scaled, schools * unit).verdicts.tolist()
        == judge_schools(rule, schools).verdicts.tolist()
    )


def test_tidy_has_one_row_per_school_and_indicator():
    table = judge_schools(nine_year_rule(), [[100, 0, 4, 1, 500, 0, 800], [100, 0, 0, 0, 500, 0, 800]]).tidy()
    assert len(table) == 8
    assert table["verdict"].tolist() == ["pass"] * 4 + ["fail"] * 4
    assert table.query("school == 1")["met"].tolist() == ["fail", "fail", "pass", "pass"]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([[100, 0, 4, 1, 500, -3, 800]], "1 of 1 schools have a negative amount"),
        ([[0, 0, 4, 1, 500, 3, 800]], "1 of 1 schools have no students to divide by"),
    ],
)
def test_refuses_cells_that_no_school_can_have(cells, message):
    with pytest.raises(DesignError) as refusal:
        judge_schools(nine_year_rule(), cells)
    assert message in refusal.value.en


def test_refuses_a_part_that_would_have_to_exceed_its_whole():
    chained = SchoolRule(
        np.array([[1.0, 0, 0, 0]]), np.array([[0, 0, 0, 1.0]]), np.array([1.0]), 1, 0.85, ((0, 1), (1, 2))
    )
    with pytest.raises(DesignError, match="contradict each other"):
        judge_schools(chained, [[9, NAN, 5, 1]])


def test_three_thousand_complete_schools_are_judged_in_a_moment():
    rng = np.random.default_rng(7)
    schools = np.array([random_school(rng, 0) for _ in range(3000)])
    start = time.perf_counter()
    judge_schools(nine_year_rule(), schools)
    assert time.perf_counter() - start < 0.5
