"""Sets of schools linked by teachers who moved, and what stays linked without any one of them."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from toolkit.models.teacher_matches import Matches, Whole

Flags = NDArray[np.bool_]
Link = Literal["teacher", "match"]
Sets = Literal["largest", "all"]

COUNTED = ("rows", "teachers", "schools", "movers")
STEPS = ("given", "not_linked", "other_sets", "cut_teachers", "cut_off", "observed_once", "kept")


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
    kept = np.ones(len(matches.n), dtype=bool)
    movers = np.bincount(matches.teacher) > 1
    counts = [_counts(matches, kept, movers)]
    linked = _sets_of_schools(matches, kept)
    kept &= linked[matches.school] >= 0
    counts.append(_counts(matches, kept, movers))
    n_linked = len(np.unique(linked[linked >= 0]))
    if sets == "largest":
        kept &= linked[matches.school] == 0
    counts.append(_counts(matches, kept, movers))
    kept, cut, off = _prune(matches, kept, link, sets)
    lost = [_counts(matches, cut, movers), _counts(matches, off, movers)]
    counts.append(_counts(matches, kept, movers))
    once = kept & ((np.bincount(matches.teacher, kept * matches.n) == 1)[matches.teacher])
    kept &= ~once
    counts.append(_counts(matches, kept, movers))
    own = matches.keep(kept)
    found = _sets_of_schools(own, np.ones(len(own.n), dtype=bool))
    return LinkedSets(own, found, n_linked, _account(counts, lost))


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
    while len(unit):
        pairs = _distinct(unit, node)
        several = np.bincount(pairs[:, 0], minlength=1)[pairs[:, 0]] > 1
        unit, node = pairs[several].T
        if not len(unit):
            break
        merged = _merge_safe(unit, node)
        if merged is None:
            return _articulation_units(unit, node)
        node = merged
    return unit


def _distinct(unit: Whole, node: Whole) -> Whole:
    """Return the different pairs, ordered."""
    width = int(node.max()) + 1
    key = np.sort(unit * width + node)
    key = key[np.diff(key, prepend=-1) != 0]
    return np.column_stack([key // width, key % width])


def _merge_safe(unit: Whole, node: Whole) -> Whole | None:
    """Give nodes that two units join one name; None if there are none."""
    size = int(node.max()) + 1
    follows = unit[1:] == unit[:-1]
    keys, n_units = np.unique((node[:-1] * size + node[1:])[follows], return_counts=True)
    safe = keys[n_units > 1]
    if not len(safe):
        return None
    graph = sparse.coo_matrix((np.ones(len(safe)), (safe // size, safe % size)), shape=(size, size))
    return connected_components(graph, directed=False)[1].astype(np.int64)[node]


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


def _prune(matches: Matches, kept: Flags, link: Link, sets: Sets) -> tuple[Flags, Flags, Flags]:
    """Leave out cut links until none is left; return what is kept, cut, and cut off."""
    kept = kept.copy()
    cut, off = np.zeros_like(kept), np.zeros_like(kept)
    while True:
        chosen = np.flatnonzero(kept)
        drop = chosen[_cut_matches(matches, chosen, link)]
        kept[drop], cut[drop] = False, True
        found = _sets_of_schools(matches, kept)[matches.school]
        lost = kept & ((found != 0) if sets == "largest" else (found < 0))
        kept &= ~lost
        off |= lost
        if not len(drop):
            return kept, cut, off


def _cut_matches(matches: Matches, chosen: Whole, link: Link) -> Flags:
    """Return which of the chosen matches belong to a cut link."""
    teacher, school = matches.teacher[chosen], matches.school[chosen]
    n_schools = np.bincount(teacher)[teacher]
    moving = n_schools > 1
    unit, node = teacher[moving], school[moving]
    if link == "match":
        # The two matches of a teacher of two schools are one link in a row; those of the others are links
        # of their own between the school and the teacher.
        several = np.flatnonzero(n_schools > 2)
        two = n_schools == 2
        own = len(matches.teachers) + several
        unit = np.concatenate([teacher[two], own, own])
        node = np.concatenate([school[two], school[several], len(matches.schools) + teacher[several]])
    cut = np.zeros(len(matches.teachers) + len(teacher), dtype=bool)
    cut[cut_links(unit, node)] = True
    return (cut[: len(matches.teachers)][teacher] & moving) | cut[len(matches.teachers) :]


def _sets_of_schools(matches: Matches, kept: Flags) -> Whole:
    """Return the set of each school, most schools first; -1 where no kept teacher links it."""
    teacher, school = matches.teacher[kept], matches.school[kept]
    n_schools, n_teachers = len(matches.schools), len(matches.teachers)
    graph = sparse.coo_matrix(
        (np.ones(len(teacher)), (school, n_schools + teacher)), shape=(n_schools + n_teachers,) * 2
    )
    label = connected_components(graph, directed=False)[1][:n_schools]
    size = np.bincount(label)
    rows = np.bincount(label[school], matches.n[kept], minlength=len(size))
    order = np.lexsort((np.arange(len(size)), -rows, -size))
    rank = np.empty(len(size), dtype=np.int64)
    rank[order] = np.arange(len(size))
    return np.where(size[label] > 1, rank[label], -1)


def _counts(matches: Matches, kept: Flags, movers: Flags) -> Whole:
    """Return rows, teachers, schools and teachers who moved among the matches kept."""
    teachers = np.bincount(matches.teacher[kept], minlength=len(movers)) > 0
    n_schools = np.count_nonzero(np.bincount(matches.school[kept]))
    return np.array(
        [matches.n[kept].sum(), teachers.sum(), n_schools, (movers & teachers).sum()], dtype=np.int64
    )


def _account(counts: list[Whole], lost: list[Whole]) -> pd.DataFrame:
    """Return the accounting from the totals after each step and what the pruning lost."""
    given, linked, largest, pruned, kept = counts
    both = largest - pruned
    # A cut teacher is counted as such; schools go with what was cut off.
    cut = np.array([lost[0][0], lost[0][1], 0, lost[0][3]])
    cut = np.minimum(cut, both)
    values = np.vstack([given, given - linked, linked - largest, cut, both - cut, pruned - kept, kept])
    return pd.DataFrame(values, columns=list(COUNTED)).assign(step=STEPS)[["step", *COUNTED]]
