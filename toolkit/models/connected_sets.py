"""Sets of schools linked by teachers who moved, and what stays linked without any one of them."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from toolkit.models.teacher_matches import Matches, Whole, changes

Flags = NDArray[np.bool_]
Steps = NDArray[np.int8]
Link = Literal["teacher", "match"]
Sets = Literal["largest", "all"]

COUNTED = ("rows", "teachers", "schools", "movers")
STEPS = ("given", "not_linked", "other_sets", "cut_teachers", "cut_off", "observed_once", "kept")
GIVEN, NOT_LINKED, OTHER_SETS, CUT, CUT_OFF, ONCE, KEPT = range(len(STEPS))


@dataclass(frozen=True, slots=True)
class LinkedSets:
    """Matches in sets of schools that stay linked when any one link is left out.

    Attributes
    ----------
    matches : Matches
        What is kept.
    set_of_school : ndarray of int, (n_schools,)
        Set of each school kept, from 0; the set of most schools comes first.
    n_linked_sets : int
        Sets of two schools or more that moving teachers link, before any pruning.
    accounting : pandas.DataFrame
        One row per step: `step` and `rows`, `teachers`, `schools`, `movers`. "given" and "kept" are totals,
        the others losses: "not_linked" (schools without a moving teacher), "other_sets" (sets beside the
        largest), "cut_teachers" (links that alone hold two parts together), "cut_off" (parts that only
        these had linked), "observed_once" (teachers of one school with a single row).
    """

    matches: Matches
    set_of_school: Whole
    n_linked_sets: int
    accounting: pd.DataFrame

    @property
    def n_sets(self) -> int:
        """Number of sets kept."""
        return int(self.set_of_school.max(initial=-1)) + 1

    @property
    def movers_per_school(self) -> float:
        """Pairs of a moving teacher and a school, over schools."""
        return float(self.matches.mover.sum()) / max(len(self.matches.schools), 1)

    def tidy(self) -> pd.DataFrame:
        """Return the accounting."""
        return self.accounting.copy()


def find_linked_sets(matches: Matches, *, link: Link = "teacher", sets: Sets = "largest") -> LinkedSets:
    """Find the schools that remain linked when any one teacher, or any one match, is left out.

    Two schools are linked by a teacher seen at both. A teacher whose removal would break a set apart is left
    out with all rows (`link="teacher"`), or only those of the matches that would ("match"), until none is
    left. Effects of schools in different sets cannot be compared.

    Parameters
    ----------
    matches : Matches
        All teachers and schools.
    link : {"teacher", "match"}
        "teacher" is stricter: what it keeps also stays linked when any one match or row is left out.
    sets : {"largest", "all"}
        Keep the set of most schools, or every set of two schools or more.

    References
    ----------
    Kline, P., Saggio, R. and Sølvsten, M. (2020). Leave-out estimation of variance components. Econometrica
    88(5), 1859-1898.
    """
    for value, choices in ((link, Link), (sets, Sets)):
        if value not in get_args(choices):
            raise ValueError(f"{value!r} is not one of {get_args(choices)}")
    step = np.full(len(matches.n), KEPT, dtype=np.int8)
    linked = _sets_of_schools(matches, step == KEPT)
    found = linked[matches.school]
    step[found < 0] = NOT_LINKED
    if sets == "largest":
        step[found > 0] = OTHER_SETS
    _prune(matches, step, link, sets)
    kept = step == KEPT
    step[kept & (np.bincount(matches.teacher, kept * matches.n) == 1)[matches.teacher]] = ONCE
    own = matches.keep(step == KEPT)
    left = linked if own is matches else _sets_of_schools(own, np.ones(len(own.n), dtype=bool))
    return LinkedSets(own, left, int(linked.max()) + 1, _account(matches, step))


def cut_links(unit: Whole, node: Whole) -> Whole:
    """Return the units that alone hold two parts of a graph together.

    Parameters
    ----------
    unit, node : ndarray of int, (n_pairs,)
        Each unit joins all nodes it is paired with.

    Notes
    -----
    Two nodes joined by two units stay joined whichever one is left out, and so become one node; what is left
    after that is small, and searched for cut vertices in depth.
    """
    unit, node = _joining(unit, node)
    while len(unit):
        merged = _merge_safe(unit, node)
        if merged is None:
            return _articulation_units(unit, node)
        unit, node = _joining(unit, merged)
    return unit


def _joining(unit: Whole, node: Whole) -> tuple[Whole, Whole]:
    """Return the different pairs of the units that join two nodes or more, ordered."""
    size = int(node.max(initial=0)) + 1
    key = np.sort(unit * size + node)
    key = key[changes(key)]
    unit, node = key // size, key % size
    first = changes(unit)
    several = ~(first & np.append(first[1:], True))
    return unit[several], node[several]


def _merge_safe(unit: Whole, node: Whole) -> Whole | None:
    """Give nodes that two units join one name; None if there are none."""
    size = int(node.max()) + 1
    follows = unit[1:] == unit[:-1]
    edges, n_units = np.unique((node[:-1] * size + node[1:])[follows], return_counts=True)
    safe = edges[n_units > 1]
    return _parts(safe // size, safe % size, size)[node] if len(safe) else None


def _parts(one: Whole, other: Whole, size: int) -> Whole:
    """Return the part of each node of a graph of edges, (size,), numbered in the order of first nodes."""
    graph = sparse.coo_array((np.ones(len(one)), (one, other)), shape=(size, size))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _articulation_units(unit: Whole, node: Whole) -> Whole:
    """Return the units that are cut vertices of the graph of units and nodes (depth-first search)."""
    units, place = np.unique(unit, return_inverse=True)
    nodes, other = np.unique(node, return_inverse=True)
    size = len(units) + len(nodes)
    graph = sparse.coo_matrix((np.ones(len(unit)), (place, other + len(units))), shape=(size, size))
    graph = (graph + graph.T).tocsr()
    neighbours, start = graph.indices.tolist(), graph.indptr.tolist()
    seen, low, cut = [0] * size, [0] * size, set()
    following, clock = list(start[:-1]), 0
    for root in range(len(units), size):  # roots are nodes, so that the rule for roots is never needed
        if seen[root]:
            continue
        clock += 1
        seen[root] = low[root] = clock
        path = [(root, -1)]
        while path:
            here, before = path[-1]
            if following[here] < start[here + 1]:
                there = neighbours[following[here]]
                following[here] += 1
                if not seen[there]:
                    clock += 1
                    seen[there] = low[there] = clock
                    path.append((there, here))
                elif there != before:
                    low[here] = min(low[here], seen[there])
                continue
            path.pop()
            if before >= 0:
                low[before] = min(low[before], low[here])
                if before < len(units) and low[here] >= seen[before]:
                    cut.add(before)
    return units[sorted(cut)].astype(np.int64)


def _prune(matches: Matches, step: Steps, link: Link, sets: Sets) -> None:
    """Mark cut links, and what they cut off, until none is left."""
    while len(cut := _cut_matches(matches, step == KEPT, link)):
        step[cut] = CUT
        kept = step == KEPT
        found = _sets_of_schools(matches, kept)[matches.school]
        step[kept & ((found != 0) if sets == "largest" else (found < 0))] = CUT_OFF


def _cut_matches(matches: Matches, kept: Flags, link: Link) -> Whole:
    """Return the kept matches that belong to a cut link."""
    n_schools = np.bincount(matches.teacher[kept], minlength=len(matches.teachers))
    chosen = np.flatnonzero(kept & (n_schools > 1)[matches.teacher])
    teacher, school = matches.teacher[chosen], matches.school[chosen]
    unit, units, nodes = teacher, teacher, school
    if link == "match":
        # The two matches of a teacher of two schools are one link in a row; those of the others are links
        # of their own between the school and the teacher.
        several = n_schools[teacher] > 2
        unit = np.where(several, len(matches.teachers) + chosen, teacher)
        units = np.concatenate([unit, unit[several]])
        nodes = np.concatenate([school, len(matches.schools) + teacher[several]])
    cut = cut_links(units, nodes)
    return chosen[np.isin(unit, cut)] if len(cut) else cut


def _sets_of_schools(matches: Matches, kept: Flags) -> Whole:
    """Return the set of each school, most schools first; -1 where no kept teacher links it."""
    teacher, school = matches.teacher[kept], matches.school[kept]
    follows = teacher[1:] == teacher[:-1]
    label = _parts(school[:-1][follows], school[1:][follows], len(matches.schools))
    size = np.bincount(label)
    rows = np.bincount(label[school], matches.n[kept], minlength=len(size))
    order = np.lexsort((np.arange(len(size)), -rows, -size))
    rank = np.empty(len(size), dtype=np.int64)
    rank[order] = np.arange(len(size))
    return np.where(size[label] > 1, rank[label], -1)


def _account(matches: Matches, step: Steps) -> pd.DataFrame:
    """Return the accounting from the step at which each match was lost.

    A teacher or school is lost at the step that took the last of its matches.
    """
    of_teacher, of_school = np.zeros(len(matches.teachers), np.int8), np.zeros(len(matches.schools), np.int8)
    np.maximum.at(of_teacher, matches.teacher, step)
    np.maximum.at(of_school, matches.school, step)
    moved = np.bincount(matches.teacher) > 1
    rows = np.bincount(step, matches.n, minlength=len(STEPS))
    counts = [np.bincount(each, minlength=len(STEPS)) for each in (of_teacher, of_school, of_teacher[moved])]
    values = np.column_stack([rows, *counts]).astype(np.int64)
    values[GIVEN] = values.sum(axis=0)
    # A cut teacher is counted as such, whenever the last match was lost; schools go with what was cut off.
    n_cut = len(np.unique(matches.teacher[step == CUT]))
    both = values[CUT] + values[CUT_OFF]
    values[CUT] = np.minimum([rows[CUT], n_cut, 0, n_cut], both)
    values[CUT_OFF] = both - values[CUT]
    return pd.DataFrame(values, columns=list(COUNTED)).assign(step=STEPS)[["step", *COUNTED]]
