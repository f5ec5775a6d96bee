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


def test_unknown_options_are_refused():
    with pytest.raises(ValueError, match="is not one of"):
        linked([1, 1], [1, 2], link="school")
