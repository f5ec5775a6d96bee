"""Assignments of adoption schedules to school groups."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import factorial, prod

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Schedules:
    """When the members of each school group adopt.

    Attributes
    ----------
    members : tuple of ndarray of int, n_groups
        Positions of the units of each group.
    dates : tuple of tuple of float
        Distinct schedules: one date for all members, or one per member if they adopted in steps.
    of_group : ndarray of int, (n_groups,)
        Schedule of each group.
    strata : tuple of ndarray of int
        Groups that exchange schedules.
    """

    members: tuple[Whole, ...]
    dates: tuple[tuple[float, ...], ...]
    of_group: Whole
    strata: tuple[Whole, ...]

    @property
    def n_assignments(self) -> float:
        """Number of distinct assignments; infinite if beyond floating point."""
        count = prod(_arrangements(self.of_group[groups]) for groups in self.strata)
        return float(count) if count < 10**300 else np.inf

    def cohorts(self, assignment: Whole, cohorts: Floats) -> Floats:
        """Return the cohorts of the units if each group had the schedule assigned to it.

        Where group and schedule differ in size, members take the dates of the same rank.
        """
        sizes = np.array([len(members) for members in self.members])
        of_unit = np.repeat(np.arange(len(sizes)), sizes)
        rank = (np.arange(len(of_unit)) - (np.cumsum(sizes) - sizes)[of_unit] + 0.5) / sizes[of_unit]
        lengths = np.array([len(dates) for dates in self.dates])
        first, schedule = np.cumsum(lengths) - lengths, assignment[of_unit]
        place = first[schedule] + (rank * lengths[schedule]).astype(np.intp)
        assigned = cohorts.copy()
        assigned[np.concatenate(self.members)] = np.concatenate(self.dates)[place]
        return assigned


def schedules_of(cohorts: Floats, school_group: Whole, stratum: Whole | None = None) -> Schedules:
    """Read the schedule of each school group off the cohorts of its units.

    Parameters
    ----------
    cohorts : ndarray of float, (n_units,)
        First treated period; infinite if never.
    school_group : ndarray of int, (n_units,)
        Groups from 0, each with a unit; negative for units in none.
    stratum : ndarray of int, (n_groups,), optional
        Groups exchange schedules only within a stratum; all of them if not given.

    Raises
    ------
    ValueError
        If a group has no unit or the strata are not one per group.
    """
    n_groups = int(school_group.max(initial=-1)) + 1
    members = tuple(np.flatnonzero(school_group == label) for label in range(n_groups))
    if not n_groups or not all(len(own) for own in members):
        raise ValueError("school groups must be numbered from 0 without a gap")
    strata = np.zeros(n_groups, dtype=np.intp) if stratum is None else np.asarray(stratum)
    if strata.shape != (n_groups,):
        raise ValueError(f"{strata.shape} strata for {n_groups} school groups")
    own_dates = [_schedule(cohorts[own]) for own in members]
    dates = tuple(sorted(set(own_dates)))
    return Schedules(
        members=members,
        dates=dates,
        of_group=np.array([dates.index(own) for own in own_dates]),
        strata=tuple(np.flatnonzero(strata == label) for label in np.unique(strata)),
    )


def permuted_cohorts(
    schedules: Schedules, cohorts: Floats, *, n_draws: int | None, seed: int
) -> Iterator[Floats]:
    """Yield the cohorts of the units under other assignments, that which took place first.

    With `n_draws` random assignments follow, each equally likely; without, all the other distinct ones.
    """
    yield cohorts
    if n_draws is None:
        for assignment in _all_assignments(schedules):
            if (assignment != schedules.of_group).any():
                yield schedules.cohorts(assignment, cohorts)
        return
    rng = np.random.default_rng(seed)
    for _ in range(n_draws):
        assignment = schedules.of_group.copy()
        for groups in schedules.strata:
            assignment[groups] = rng.permutation(assignment[groups])
        yield schedules.cohorts(assignment, cohorts)


def _schedule(dates: Floats) -> tuple[float, ...]:
    return (float(dates[0]),) if (dates == dates[0]).all() else tuple(dates.tolist())


def _arrangements(labels: Whole) -> int:
    counts = np.unique(labels, return_counts=True)[1]
    return factorial(len(labels)) // prod(factorial(int(count)) for count in counts)


def _all_assignments(schedules: Schedules) -> Iterator[Whole]:
    """Yield every distinct assignment, lexicographic within strata."""
    choices = [list(_distinct_orders(schedules.of_group[groups].tolist())) for groups in schedules.strata]
    for choice in product(*choices):
        assignment = np.empty_like(schedules.of_group)
        for groups, own in zip(schedules.strata, choice, strict=True):
            assignment[groups] = own
        yield assignment


def _distinct_orders(labels: list[int]) -> Iterator[tuple[int, ...]]:
    """Yield the distinct orders of a list with repeated labels, each from the one before it."""
    order = sorted(labels)
    while True:
        yield tuple(order)
        rise = next((i for i in range(len(order) - 2, -1, -1) if order[i] < order[i + 1]), None)
        if rise is None:
            return
        larger = next(i for i in range(len(order) - 1, rise, -1) if order[i] > order[rise])
        order[rise], order[larger] = order[larger], order[rise]
        order[rise + 1 :] = order[:rise:-1]
