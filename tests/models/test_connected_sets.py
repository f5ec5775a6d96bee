"""Sets of schools linked by teachers: against a search that leaves out one link after the other."""

import numpy as np
import pytest

from tests.models.mover_panel import simulate_movers
from toolkit.models.connected_sets import cut_links, find_linked_sets
from toolkit.models.teacher_matches import collapse_to_matches


def parts(unit, node, without=None):
    """Return the number of parts of the graph of nodes, one unit left out."""
    nodes = set(node.tolist())
    group = {each: each for each in nodes}

    def top(each):
        while group[each] != each:
            each = group[each]
        return each

    for one in np.unique(unit):
        if one != without:
            own = node[unit == one]
            for other in own[1:]:
                group[top(other)] = top(own[0])
    return len({top(each) for each in nodes})


def slow_parts(edges):
    """Return the parts of a graph of edges: a set of nodes each."""
    found = []
    for edge in edges:
        joined = [part for part in found if part & set(edge)]
        found = [part for part in found if not part & set(edge)] + [set(edge).union(*joined)]
    return found


def schools_of(edges):
    """Return the sets of schools that teachers link; edges join ("t", teacher) and ("s", school)."""
    parts_found = [{each for kind, each in part if kind == "s"} for part in slow_parts(edges)]
    return [part for part in parts_found if len(part) > 1]


def slow_links(rows, link, sets):
    """Return the rows kept, their sets and the accounting, one link left out after the other."""

    def edges(own):
        return sorted({(("t", teacher), ("s", school)) for teacher, school in own})

    def movers(own):
        seen = {}
        for teacher, school in set(own):
            seen.setdefault(teacher, set()).add(school)
        return {teacher for teacher in seen if len(seen[teacher]) > 1}

    def ordered(own):
        size = lambda part: (-len(part), -sum(school in part for _, school in own), min(part))  # noqa: E731
        return sorted(schools_of(edges(own)), key=size)

    def within(own, found):
        return [row for row in own if any(row[1] in part for part in found)]

    def counts(own):
        teachers = {teacher for teacher, _ in own}
        return [len(own), len(teachers), len({school for _, school in own}), len(teachers & movers(rows))]

    def cut_from(own):
        moving = [row for row in own if row[0] in movers(own)]
        whole = len(slow_parts(edges(moving)))
        cut = []
        for row in sorted(set(moving)):
            if link == "teacher":
                rest = [other for other in moving if other[0] != row[0]]
                alone = len({school for _, school in moving} - {school for _, school in rest})
                more = len(slow_parts(edges(rest))) + alone > whole
            else:
                rest = [other for other in moving if other != row]
                more = len(slow_parts(edges(rest))) + (row[1] not in {school for _, school in rest}) > whole
            cut += [row] * more
        return set(cut)

    chosen = slice(1) if sets == "largest" else slice(None)
    kept = within(rows, ordered(rows))
    totals = [counts(rows), counts(kept)]
    kept = within(rows, ordered(rows)[chosen])
    totals.append(counts(kept))
    lost = []
    while cut := cut_from(kept):
        lost += [row for row in kept if row in cut]
        kept = [row for row in kept if row not in cut]
        kept = within(kept, ordered(kept)[chosen])
    totals.append(counts(kept))
    n_rows = {teacher: sum(teacher == other for other, _ in kept) for teacher, _ in kept}
    kept = [row for row in kept if n_rows[row[0]] > 1]
    totals.append(counts(kept))
    given, at_all, largest, pruned, end = np.array(totals)
    both, touched = largest - pruned, len({teacher for teacher, _ in lost})
    of_cut = np.minimum([len(lost), touched, 0, touched], both)
    account = [given, given - at_all, at_all - largest, of_cut, both - of_cut, pruned - end, end]
    return kept, ordered(kept), np.array(account).tolist()


def linked(teacher, school, **options):
    return find_linked_sets(collapse_to_matches(np.arange(len(teacher)) * 1.0, teacher, school), **options)


@pytest.mark.parametrize("seed", range(40))
def test_cut_links_are_those_whose_removal_adds_a_part(seed):
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(14), rng.integers(1, 4, 14))
    node = rng.integers(0, 3 + seed // 2, len(unit))
    whole = parts(unit, node)
    expected = [each for each in range(14) if parts(unit, node, each) > whole]
    assert sorted(cut_links(unit, node).tolist()) == expected


@pytest.mark.parametrize("link", ["teacher", "match"])
@pytest.mark.parametrize("seed", range(6))
def test_schools_kept_stay_linked_whatever_is_left_out(seed, link):
    panel = simulate_movers(50, 4, 16, zone=8, move=0.15, seed=seed)
    found = linked(panel.teacher, panel.school, link=link, sets="all").matches
    for left in range(len(found.n)):
        gone = found.teacher == found.teacher[left] if link == "teacher" else np.arange(len(found.n)) == left
        rest = ~gone | ~found.mover
        assert parts(found.teacher[rest], found.school[rest]) == parts(found.teacher, found.school)


def test_a_teacher_who_alone_links_two_parts_is_left_out_with_what_she_linked():
    # Schools 0, 1, 2 are linked twice over; teacher 9 alone leads to school 3; school 4 has no mover.
    teacher = [1, 1, 2, 2, 3, 3, 4, 4, 9, 9, 5, 5, 6, 6, 7]
    school = [0, 1, 0, 1, 1, 2, 1, 2, 2, 3, 3, 3, 4, 4, 0]
    result = linked(teacher, school)
    account = result.tidy().set_index("step")
    assert result.matches.schools.tolist() == [0, 1, 2]
    assert account.loc["given"].tolist() == [15, 8, 5, 5]
    assert account.loc["not_linked"].tolist() == [2, 1, 1, 0]
    assert account.loc["other_sets"].tolist() == [0, 0, 0, 0]
    assert account.loc["cut_teachers"].tolist() == [2, 1, 0, 1]
    assert account.loc["cut_off"].tolist() == [2, 1, 1, 0]
    assert account.loc["observed_once"].tolist() == [1, 1, 0, 0]
    assert account.loc["kept"].tolist() == [8, 4, 3, 4]


def test_a_cut_match_costs_less_than_a_cut_teacher():
    # Teacher 9 works at 0 and 1, which others link twice, and alone leads to school 2.
    teacher = [1, 1, 2, 2, 9, 9, 9, 5, 5]
    school = [0, 1, 0, 1, 0, 1, 2, 2, 2]
    assert linked(teacher, school, link="teacher").accounting["rows"].iloc[-1] == 4
    kept = linked(teacher, school, link="match").matches
    assert kept.n.sum() == 6
    assert kept.teachers.tolist() == [1, 2, 9]


def test_every_set_is_kept_on_request_the_one_of_most_schools_first():
    teacher = [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]
    school = [8, 9, 8, 9, 0, 1, 0, 1, 1, 2, 1, 2]
    found = linked(teacher, school, sets="all")
    assert found.n_sets == found.n_linked_sets == 2
    assert found.set_of_school.tolist() == [0, 0, 0, 1, 1]
    assert linked(teacher, school).matches.schools.tolist() == [0, 1, 2]
    assert found.movers_per_school == pytest.approx(12 / 5)


def test_accounting_adds_up():
    for seed in range(8):
        panel = simulate_movers(80, 4, 40, zone=5, move=0.1, far=0.05, seed=seed)
        for sets in ("largest", "all"):
            account = (
                linked(panel.teacher, panel.school, sets=sets).accounting.drop(columns="step").to_numpy()
            )
            assert (account >= 0).all()
            assert (account[0] - account[1:-1].sum(axis=0) == account[-1]).all()


@pytest.mark.parametrize("link", ["teacher", "match"])
@pytest.mark.parametrize("sets", ["largest", "all"])
@pytest.mark.parametrize("seed", range(12))
def test_sets_and_accounting_equal_those_of_a_slow_search(seed, sets, link):
    panel = simulate_movers(30, 4, 20, zone=5, move=0.2, far=0.1, seed=seed)
    seen = np.random.default_rng(seed).random(120) < 0.7
    teacher, school = panel.teacher[seen], panel.school[seen]
    found = linked(teacher, school, link=link, sets=sets)
    rows, parts_kept, account = slow_links(list(zip(teacher, school, strict=True)), link, sets)
    own = found.matches
    pairs = list(zip(own.teachers[own.teacher], own.schools[own.school], strict=True))
    assert pairs == sorted(set(rows))
    assert own.n.tolist() == [rows.count(pair) for pair in pairs]
    assert own.schools.tolist() == sorted(set().union(*parts_kept))
    place = [next(i for i, part in enumerate(parts_kept) if each in part) for each in own.schools]
    assert found.set_of_school.tolist() == place
    assert found.accounting.drop(columns="step").to_numpy().tolist() == account


def test_of_two_parts_that_one_teacher_held_together_the_larger_is_kept():
    # Schools 0 and 1, and 5, 6 and 7, are linked twice over; teacher 9 alone links the two parts.
    teacher = [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 9, 9]
    school = [0, 1, 0, 1, 5, 6, 5, 6, 6, 7, 6, 7, 1, 5]
    assert linked(teacher, school).matches.schools.tolist() == [5, 6, 7]
    assert linked(teacher, school).n_sets == linked(teacher, school).n_linked_sets == 1
    every = linked(teacher, school, sets="all")
    assert every.matches.schools.tolist() == [0, 1, 5, 6, 7]
    assert every.set_of_school.tolist() == [1, 1, 0, 0, 0]


def test_nothing_is_lost_where_every_link_is_double():
    teacher, school = [1, 1, 2, 2, 3, 3], [5, 6, 5, 6, 6, 5]
    matches = collapse_to_matches(np.arange(6.0), teacher, school)
    found = find_linked_sets(matches)
    assert found.matches is matches
    assert found.set_of_school.tolist() == [0, 0]
    account = found.accounting.drop(columns="step").to_numpy()
    assert account[0].tolist() == account[-1].tolist() == [6, 3, 2, 3]
    assert not account[1:-1].any()


def test_unknown_options_are_refused():
    with pytest.raises(ValueError, match="is not one of"):
        linked([1, 1], [1, 2], link="school")
