"""Matches of teachers and schools: against groups of pandas, for labels of every kind."""

import numpy as np
import pandas as pd
import pytest

from tests.models.mover_panel import simulate_movers
from toolkit.models.teacher_matches import collapse_to_matches, match_of_rows

LEAST, MOST = np.iinfo(np.int64).min, np.iinfo(np.int64).max
NAMES = np.array([f"教师{each:03d}" for each in range(128)])
# Each keeps the order of 0 to 127, so that the matches are those of the numbers themselves.
LABELS = {
    "short": lambda code: code.astype(np.int8),
    "short, from end to end": lambda code: (2 * code - 128).astype(np.int8),
    "unsigned": lambda code: code.astype(np.uint8),
    "unsigned, beyond the signed": lambda code: code.astype(np.uint64) + np.uint64(2**63),
    "big-endian": lambda code: code.astype(">i8"),
    "negative": lambda code: code - 1000,
    "far apart": lambda code: code * 10**6,
    "too far apart to sort with places": lambda code: code * 10**16,
    "from end to end": lambda code: np.where(code == 0, LEAST, np.where(code == code.max(), MOST, code)),
    "before the end": lambda code: code + (MOST - 127),
    "after the beginning": lambda code: code + LEAST,
    "fractions": lambda code: code / 8 - 3,
    "strings": lambda code: NAMES[code],
    "strings of Arrow": lambda code: pd.Series(NAMES[code], dtype="string[pyarrow]"),
    "objects": lambda code: NAMES[code].astype(object),
    "list": lambda code: NAMES[code].tolist(),
    "nullable": lambda code: pd.array(code, dtype="Int64"),
    "index of its own": lambda code: pd.Series(code, index=code[::-1]),
    "times": lambda code: np.datetime64("2020-09-01T08:00:00") + code,
}
MISSING = {
    "fraction": np.array([1.0, np.nan, 2.0]),
    "string": np.array(["a", None, "b"], dtype=object),
    "nullable": pd.array([1, None, 2], dtype="Int64"),
    "string of Arrow": pd.array(["a", None, "b"], dtype="string[pyarrow]"),
    "day": np.array(["2020-09-01", "NaT", "2020-09-02"], dtype="datetime64[D]"),
}


def arrays(matches):
    return [matches.teacher, matches.school, matches.n, matches.total, matches.squares]


def assert_same(found, expected):
    assert all((one == other).all() for one, other in zip(arrays(found), arrays(expected), strict=True))


def slow_matches(outcome, teacher, school):
    """Return one row per match by pandas, sums of rows in their order."""
    values = outcome - outcome.mean()
    rows = pd.DataFrame({"teacher": teacher, "school": school, "total": values, "squares": values**2})
    groups = rows.groupby(["teacher", "school"])
    in_order = groups[["total", "squares"]].agg(lambda each: sum(each.tolist(), 0.0))
    return in_order.assign(n=groups.size()).reset_index()


@pytest.mark.parametrize("far_apart", [1, 1000, 10**16])
@pytest.mark.parametrize("order", ["teacher", "year", "none"])
def test_sums_are_those_of_the_rows_of_each_pair_added_in_their_order(order, far_apart):
    panel = simulate_movers(90, 5, 12, seed=8)
    years = {"teacher": np.arange(450), "year": np.arange(450).reshape(90, 5).T.ravel()}
    rows = years.get(order, np.random.default_rng(1).permutation(450))
    outcome, teacher, school = panel.outcome[rows], far_apart * panel.teacher[rows], panel.school[rows] - 5
    found, expected = collapse_to_matches(outcome, teacher, school), slow_matches(outcome, teacher, school)
    assert found.teachers[found.teacher].tolist() == expected["teacher"].tolist()
    assert found.schools[found.school].tolist() == expected["school"].tolist()
    assert found.n.tolist() == expected["n"].tolist()
    assert found.total.tolist() == expected["total"].tolist()
    assert found.squares.tolist() == expected["squares"].tolist()
    row = match_of_rows(teacher, school)
    assert (found.teachers[found.teacher[row]] == teacher).all()
    assert (found.schools[found.school[row]] == school).all()


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("n_teachers", [20, 128])
def test_labels_of_every_kind_give_the_same_matches(kind, n_teachers):
    panel = simulate_movers(n_teachers, 4, 12, seed=2)
    rows = np.random.default_rng(3).permutation(len(panel.outcome))
    outcome, teacher, school = panel.outcome[rows], panel.teacher[rows], panel.school[rows]
    expected = collapse_to_matches(outcome, teacher, school)
    label = LABELS[kind]
    for found, labels, codes in (
        (collapse_to_matches(outcome, label(teacher), school), "teachers", teacher),
        (collapse_to_matches(outcome, teacher, label(school)), "schools", school),
        (collapse_to_matches(outcome, label(teacher), label(school)), "teachers", teacher),
    ):
        assert_same(found, expected)
        assert getattr(found, labels).tolist() == sorted(set(np.asarray(label(codes)).tolist()))
    assert (match_of_rows(label(teacher), label(school)) == match_of_rows(teacher, school)).all()


@pytest.mark.parametrize("kind", MISSING)
def test_missing_labels_are_refused(kind):
    for teacher, school in ((MISSING[kind], [1, 1, 2]), ([1, 1, 2], MISSING[kind])):
        with pytest.raises(ValueError, match="complete and finite"):
            collapse_to_matches([1.0, 2.0, 3.0], teacher, school)


def test_rows_that_are_none_or_do_not_agree_are_refused():
    with pytest.raises(ValueError, match="there is no row"):
        collapse_to_matches([], [], [])
    with pytest.raises(ValueError, match="2 outcomes, 1 teachers and 2 schools"):
        collapse_to_matches([1.0, 2.0], [1], [1, 2])
    with pytest.raises(ValueError, match="1-dimensional"):
        collapse_to_matches([1.0, 2.0], [[1], [2]], [1, 2])


def test_labels_and_outcomes_given_are_left_as_they_were():
    panel = simulate_movers(seed=1)
    given = [panel.outcome, panel.teacher * 10**6, panel.school - 3]
    before = [each.copy() for each in given]
    for each in given:
        each.flags.writeable = False
    collapse_to_matches(*given)
    assert all((one == other).all() for one, other in zip(given, before, strict=True))


def test_matches_kept_are_those_of_the_rows_kept():
    panel = simulate_movers(seed=5)
    matches = collapse_to_matches(panel.outcome, panel.teacher, panel.school)
    chosen = np.random.default_rng(4).random(len(matches.n)) < 0.4
    kept = matches.keep(chosen)
    assert (kept.teachers[kept.teacher] == matches.teachers[matches.teacher[chosen]]).all()
    assert (kept.schools[kept.school] == matches.schools[matches.school[chosen]]).all()
    assert (kept.total == matches.total[chosen]).all()
    assert set(kept.teacher) == set(range(len(kept.teachers)))
    assert set(kept.school) == set(range(len(kept.schools)))
    assert_same(matches.keep(np.ones(len(matches.n), dtype=bool)), matches)
