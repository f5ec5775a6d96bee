"""Units that move matched to units that stay, by their level before, in the same years."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class MatchedSets:
    """Sets of one mover and the stayers matched to it.

    Attributes
    ----------
    mover : ndarray of int, (n_sets,)
        Row of each mover.
    stayers : ndarray of int, (n_sets, matches)
        Rows of its stayers; the last one repeats where there are fewer.
    is_match : ndarray of bool, (n_sets, matches)
        Whether a stayer counts.
    levels : ndarray, (n_sets, 1 + matches)
        Level before, the mover first.
    since : ndarray of int, (n_since,)
        Years since the move.
    values : ndarray, (n_sets, 1 + matches, n_since)
        Values by year since the move, the mover first; missing where not seen, not matched, or after the
        spell.
    pupils : ndarray, (n_sets, 1 + matches, n_since)
        Pupils behind them.
    n_seen : int
        Movers with values before and after, matched or not.
    """

    mover: Whole
    stayers: Whole
    is_match: NDArray[np.bool_]
    levels: Floats
    since: Whole
    values: Floats
    pupils: Floats
    n_seen: int

    def of_year(self, place: int) -> Floats:
        """Return the values of one year since the move, (n_sets, 1 + matches)."""
        return self.values[:, :, place]

    def of_years(self, chosen: NDArray[np.bool_]) -> Floats:
        """Return means over years, weighted by pupils, of the years in which the mover is seen."""
        there = np.isfinite(self.values) & chosen & np.isfinite(self.values[:, :1])
        mass = np.where(there, self.pupils, 0.0)
        sums = (mass * np.where(there, self.values, 0.0)).sum(axis=2)
        total = mass.sum(axis=2)
        return np.divide(sums, total, out=np.full(total.shape, np.nan), where=total > 0)


def match_stayers(
    values: Floats,
    pupils: Floats,
    *,
    first: Floats,
    last: Floats,
    stays: NDArray[np.bool_],
    kind: NDArray[np.integer],
    before: int,
    after: int,
    matches: int,
    caliper: float,
) -> MatchedSets:
    """Match each mover to the nearest stayers of its kind by the mean value before the move.

    The mean is over the same calendar years for both, weighted by pupils, and stayers were seen in as many of
    them: a mean over more years is nearer to what lasts. A stayer may be matched to several movers.

    Parameters
    ----------
    values, pupils : ndarray, (n_units, n_years)
        Values, missing where not seen, and pupils behind them.
    first, last : ndarray, (n_units,)
        First and last year (position) of the move; missing for those who do not move, or move for good.
    stays : ndarray of bool, (n_units,)
        Who may be matched.
    kind : ndarray of int, (n_units,)
        Matches are of one kind.
    before, after : int
        Years before the move that make up the level, and years shown from the move on.
    matches : int
        Stayers per mover.
    caliper : float
        Largest difference of levels, in standard deviations of the stayers' levels.
    """
    since = np.arange(-before, after)
    n_years = values.shape[1]
    found, n_seen = [], 0
    for unit in np.flatnonzero(np.isfinite(first)).tolist():
        years = since + int(first[unit])
        end = last[unit] if np.isfinite(last[unit]) else np.inf
        inside = (years >= 0) & (years < n_years) & (years <= end)
        window = np.where(inside, np.clip(years, 0, n_years - 1), -1)
        own = _in_window(values[unit][None, :], window)[0]
        if not (np.isfinite(own[:before]).any() and np.isfinite(own[before:]).any()):
            continue
        n_seen += 1
        others = np.flatnonzero(stays & (kind == kind[unit]))
        chosen, levels = _nearest(unit, others, values, pupils, window, before, matches, caliper)
        if len(chosen):
            found.append((unit, chosen, levels, window))
    return _collect(found, values, pupils, since, matches, n_seen)


def _nearest(
    unit: int,
    others: Whole,
    values: Floats,
    pupils: Floats,
    window: Whole,
    before: int,
    matches: int,
    caliper: float,
) -> tuple[Whole, Floats]:
    """Return the stayers nearest in level, and levels with the mover's first."""
    rows = np.append(others, unit)
    seen = _in_window(values[rows], window)
    mass = np.where(np.isfinite(seen), _in_window(pupils[rows], window), 0.0)
    counts = (mass[:, :before] > 0).sum(axis=1)
    total = mass[:, :before].sum(axis=1)
    sums = (mass * np.nan_to_num(seen))[:, :before].sum(axis=1)
    level = np.divide(sums, total, out=np.full(len(rows), np.nan), where=total > 0)
    usable = (counts == counts[-1]) & np.isfinite(seen[:, before:]).any(axis=1)
    usable[-1] = False
    if usable.sum() < 2:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    distance = np.where(usable, np.abs(level - level[-1]), np.inf)
    order = np.argsort(distance, kind="stable")[:matches]
    order = order[distance[order] <= caliper * level[usable].std()]
    return rows[order], np.append(level[-1], level[order])


def _collect(
    found: list[tuple[int, Whole, Floats, Whole]],
    values: Floats,
    pupils: Floats,
    since: Whole,
    matches: int,
    n_seen: int,
) -> MatchedSets:
    """Return the sets as arrays."""
    n_sets = len(found)
    stayers = np.zeros((n_sets, matches), dtype=np.int64)
    is_match = np.zeros((n_sets, matches), dtype=bool)
    levels = np.zeros((n_sets, 1 + matches))
    shape = (n_sets, 1 + matches, len(since))
    aligned, counts = np.full(shape, np.nan), np.zeros(shape)
    for place, (unit, chosen, level, window) in enumerate(found):
        n_chosen = len(chosen)
        stayers[place] = np.resize(np.append(chosen, np.full(matches - n_chosen, chosen[-1])), matches)
        is_match[place, :n_chosen] = True
        levels[place, : 1 + n_chosen] = level
        rows = np.append(unit, chosen)
        aligned[place, : 1 + n_chosen] = _in_window(values[rows], window)
        counts[place, : 1 + n_chosen] = np.nan_to_num(_in_window(pupils[rows], window))
    mover = np.array([unit for unit, *_ in found], dtype=np.int64)
    return MatchedSets(mover, stayers, is_match, levels, since, aligned, counts, n_seen)


def _in_window(values: Floats, window: Whole) -> Floats:
    """Return values at the positions of a window, missing where it is outside."""
    return np.where(window >= 0, values[:, window], np.nan)
