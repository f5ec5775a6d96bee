"""Pseudo-groups of never-treated schools, matched to the real school groups."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Whole = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class PseudoGroups:
    """Real school groups and the pseudo-groups formed beside them.

    Attributes
    ----------
    school_group : ndarray of int, (n_units,)
        Real groups as given, from 0; pseudo-groups numbered after them; -1 for schools in none.
    matched_to : ndarray of int, (n_groups,)
        Real group that each group was matched to, real groups to themselves: strata for a permutation
        within matched sets.
    distance : ndarray of float, (n_groups,)
        Mean number of strata between a member of the real group and the school in its place.
    n_missing : int
        Pseudo-groups asked for that could not be formed for lack of never-treated schools of a type.
    """

    school_group: Whole
    matched_to: Whole
    distance: NDArray[np.float64]
    n_missing: int

    @property
    def n_real(self) -> int:
        """Number of real groups."""
        return int(self.matched_to.max()) + 1


def form_pseudo_groups(
    school_group: Whole,
    is_candidate: NDArray[np.bool_],
    school_type: ArrayLike,
    baseline: ArrayLike,
    *,
    seed: int,
    n_per_group: int = 1,
    n_strata: int = 4,
) -> PseudoGroups:
    """Form groups of never-treated schools with the sizes, types and baselines of the real groups.

    Each baseline measure is cut at its quantiles over members and candidates together. The place of a
    member is taken by a candidate of the same type from the nearest stratum (fewest strata away, added
    over the measures), drawn at random among equally near ones; a school is used once. Every real
    group gets its first pseudo-group before any gets a second, in random order.

    Parameters
    ----------
    school_group : ndarray of int, (n_units,)
        Real groups from 0; negative for schools in none.
    is_candidate : ndarray of bool, (n_units,)
        Never-treated schools that no real group holds.
    school_type : array_like, (n_units,)
        Such as stage and ownership; matched exactly.
    baseline : array_like, (n_units, n_measures)
        Such as mean outcome and enrolment before announcement. Take the mean outcome of two years or more:
        matching on one bad year brings in schools that were only unlucky.
    seed : int
        Seed of the draws.
    n_per_group : int
        Pseudo-groups for each real group.
    n_strata : int
        Strata of each measure.

    Raises
    ------
    ValueError
        If a candidate is in a real group, or a baseline of a member or candidate is missing.
    """
    types, measures = np.asarray(school_type), np.asarray(baseline, dtype=float)
    if (is_candidate & (school_group >= 0)).any():
        raise ValueError("a candidate for pseudo-groups is in a real school group")
    concerned = is_candidate | (school_group >= 0)
    if not np.isfinite(measures[concerned]).all():
        raise ValueError("the baseline of a member or candidate is missing")
    strata = np.column_stack([_strata(column, concerned, n_strata) for column in measures.T])
    n_real = int(school_group.max(initial=-1)) + 1
    rng = np.random.default_rng(seed)
    formed, free = school_group.copy(), is_candidate.copy()
    matched_to, distance, n_missing = list(range(n_real)), [0.0] * n_real, 0
    for _ in range(n_per_group):
        for real in rng.permutation(n_real):
            chosen = _match(np.flatnonzero(school_group == real), free, types, strata, rng)
            if chosen is None:
                n_missing += 1
                continue
            units, away = chosen
            formed[units], free[units] = len(matched_to), False
            matched_to.append(int(real))
            distance.append(away)
    return PseudoGroups(formed, np.array(matched_to), np.array(distance), n_missing)


def _strata(values: NDArray[np.float64], concerned: NDArray[np.bool_], n_strata: int) -> Whole:
    """Return the quantile stratum of each unit, cut over the units concerned."""
    cuts = np.quantile(values[concerned], np.arange(1, n_strata) / n_strata)
    return np.searchsorted(cuts, values, side="right")


def _match(
    members: Whole, free: NDArray[np.bool_], types: NDArray, strata: Whole, rng: np.random.Generator
) -> tuple[Whole, float] | None:
    """Draw a school for the place of each member; None if schools of a type run out."""
    free = free.copy()
    units, away = [], []
    for member in members:
        open_to = np.flatnonzero(free & (types == types[member]))
        if not len(open_to):
            return None
        steps = np.abs(strata[open_to] - strata[member]).sum(axis=1)
        chosen = rng.choice(open_to[steps == steps.min()])
        free[chosen] = False
        units.append(chosen)
        away.append(float(steps.min()))
    return np.array(units), float(np.mean(away))
