"""One comparison of switchers with unchanged units, and what each unit adds to its error."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.models.switching_dose_paths import DosePaths

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

DENSE = 4


@dataclass(frozen=True, slots=True)
class Side:
    """Cells on one side of a comparison.

    Attributes
    ----------
    units : ndarray of int, (n_cells,)
        Unit of each cell.
    periods : ndarray of int, (n_cells,)
        Period of its outcome.
    pairs : ndarray of int, (n_cells,)
        Pool and period, as one code.
    changes : ndarray of float, (n_cells,)
        Change of the outcome.
    weights : ndarray of float, (n_cells,)
        Weight in that period.
    """

    units: Whole
    periods: Whole
    pairs: Whole
    changes: Floats
    weights: Floats

    def take(self, chosen: Flags) -> "Side":
        """Return some cells."""
        return Side(
            self.units[chosen],
            self.periods[chosen],
            self.pairs[chosen],
            self.changes[chosen],
            self.weights[chosen],
        )


@dataclass(frozen=True, slots=True)
class Contrast:
    """Switchers a number of periods after their change, and the unchanged units of their pools.

    Attributes
    ----------
    horizon : int
        Periods of exposure to another dose, 1 in the period of the change.
    is_placebo : bool
        Whether the change is that over the `horizon` periods that end before the switch.
    switchers, unchanged : Side
        Both sides; every switcher has an unchanged unit in its pool and period.
    unchanged_weights : ndarray of float, (n_pairs,)
        Weight of the unchanged units by pool and period.
    """

    horizon: int
    is_placebo: bool
    switchers: Side
    unchanged: Side
    unchanged_weights: Floats


def find_contrast(
    paths: DosePaths, eligible: Flags, horizon: int, *, is_placebo: bool, never_only: bool
) -> Contrast:
    """Find the cells of one comparison.

    Parameters
    ----------
    paths : DosePaths
        Paths.
    eligible : ndarray of bool, (n_kept,)
        Units that count as switchers.
    horizon : int
        Periods of exposure.
    is_placebo : bool
        Take the change over as many periods before the switch, between the same units.
    never_only : bool
        Compare with units that never change only.
    """
    end = paths.end
    start = 2 * horizon if is_placebo else horizon
    changes = long_changes(paths.outcomes[:, :end], horizon, is_placebo=is_placebo)
    after = paths.outcomes[:, start:end] - paths.outcomes[:, start - horizon : end - horizon]
    seen = np.isfinite(changes) & np.isfinite(after)
    periods = np.arange(start, end)
    waits = paths.first[:, None] > periods
    if never_only:
        waits &= (paths.first == end)[:, None]
    rows, columns = np.nonzero(seen & waits)
    unchanged = _side(paths, changes, rows, columns, start)
    totals = np.bincount(unchanged.pairs, unchanged.weights, minlength=paths.n_pools * end).astype(np.float64)
    column = paths.first - 1 + horizon - start
    possible = np.flatnonzero(eligible & (column >= 0) & (column + start <= paths.last))
    possible = possible[seen[possible, column[possible]]]
    switchers = _side(paths, changes, possible, column[possible], start)
    switchers = switchers.take((totals[switchers.pairs] > 0) & (switchers.weights > 0))
    return Contrast(horizon, is_placebo, switchers, unchanged, totals)


def long_changes(values: Floats, horizon: int, *, is_placebo: bool) -> Floats:
    """Return changes over `horizon` periods along axis 1, or those before the switch, seen from after it.

    The placebo column of period t holds the value at t - 2 horizon less that at t - horizon: for a unit that
    switched `horizon` - 1 periods ago both lie before the switch.
    """
    n_periods = values.shape[1]
    if is_placebo:
        return (
            values[:, : max(n_periods - 2 * horizon, 0)]
            - values[:, horizon : max(n_periods - horizon, horizon)]
        )
    return values[:, horizon:] - values[:, : max(n_periods - horizon, 0)]


def _side(paths: DosePaths, changes: Floats, rows: Whole, columns: Whole, start: int) -> Side:
    """Return the cells of some units and columns of the changes."""
    periods = columns + start
    return Side(
        units=rows,
        periods=periods,
        pairs=paths.pool[rows] * paths.end + periods,
        changes=changes[rows, columns],
        weights=paths.weights[rows, periods],
    )


def contrast_weights(contrast: Contrast, signs: Whole) -> tuple[Floats, Floats]:
    """Return the weight of every change in the sum over switchers of signed change less expected change.

    Parameters
    ----------
    contrast : Contrast
        Comparison.
    signs : ndarray of int, (n_switchers,)
        Direction of each switcher; 0 leaves it out.

    Returns
    -------
    switchers, unchanged : ndarray of float
        Weights of the cells of both sides.
    """
    own = contrast.switchers.weights * signs
    demand = np.bincount(contrast.switchers.pairs, own, minlength=len(contrast.unchanged_weights))
    share = np.divide(
        demand, contrast.unchanged_weights, out=np.zeros_like(demand), where=contrast.unchanged_weights > 0
    )
    return own, -contrast.unchanged.weights * share[contrast.unchanged.pairs]


def unit_errors(contrast: Contrast, paths: DosePaths, clusters: Whole | None, signs: Whole) -> Floats:
    """Compute what each unit adds to the error of the signed sum of effects, (n_kept,).

    Changes are taken about the mean of the cohort (switchers) or of the unchanged units of the pool in the
    period, times the root of m / (m - 1) with m units, or clusters, behind that mean. Where m is one, the
    mean of both sides together takes its place, and where these are one cluster the cell adds nothing.

    Parameters
    ----------
    contrast : Contrast
        Comparison.
    paths : DosePaths
        Paths.
    clusters : ndarray of int, (n_kept,), or None
        Cluster of each unit; None where every unit is its own.
    signs : ndarray of int, (n_switchers,)
        See `contrast_weights`; the two directions are centred apart.
    """
    errors = np.zeros(len(paths.units))
    for sign in (1, -1):
        chosen = signs == sign
        if not chosen.any():
            continue
        switchers = contrast.switchers.take(chosen)
        own, demanded = contrast_weights(contrast, np.where(chosen, sign, 0))
        serves = demanded != 0
        unchanged = contrast.unchanged.take(serves)
        sides = ((switchers, paths.cohort[switchers.units]), (unchanged, unchanged.pairs))
        centred = [_centre(side, codes, clusters) for side, codes in sides]
        _centre_on_both((switchers, unchanged), centred, clusters)
        for side, weights, values in zip(
            (switchers, unchanged), (own[chosen], demanded[serves]), centred, strict=True
        ):
            errors += np.bincount(side.units, weights * values, minlength=len(errors))
    return errors


def count_clusters(codes: Whole, units: Whole, clusters: Whole | None) -> Whole:
    """Count the clusters behind each code; a unit has each code at most once."""
    if clusters is None or not len(codes):
        return np.bincount(codes)
    n_clusters = int(clusters.max()) + 1
    pairs = codes * n_clusters + clusters[units]
    largest = int(codes.max()) + 1
    if largest * n_clusters <= DENSE * len(pairs):
        return (np.bincount(pairs, minlength=largest * n_clusters) > 0).reshape(largest, -1).sum(axis=1)
    return np.bincount(np.unique(pairs) // n_clusters)


def scale_by_clusters(members: Whole) -> Floats:
    """Return the root of m / (m - 1) of each number of clusters, missing for fewer than two."""
    return np.sqrt(members / np.where(members > 1, members - 1.0, np.nan))


def weighted_means(codes: Whole, weights: Floats, values: Floats) -> Floats:
    """Return the weighted mean of each code, 0 for a code that does not occur."""
    totals = np.bincount(codes, weights)
    sums = np.bincount(codes, weights * values)
    return np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0)


def _centre(side: Side, codes: Whole, clusters: Whole | None) -> Floats:
    """Return changes about the mean of their code, scaled; missing where one cluster is behind it."""
    scale = scale_by_clusters(count_clusters(codes, side.units, clusters))
    return (side.changes - weighted_means(codes, side.weights, side.changes)[codes]) * scale[codes]


def _centre_on_both(sides: tuple[Side, Side], centred: list[Floats], clusters: Whole | None) -> None:
    """Fill what a single cluster left open from the mean of both sides, in place."""
    gaps = [np.flatnonzero(np.isnan(values)) for values in centred]
    is_open = np.zeros(1 + max(int(side.pairs.max(initial=0)) for side in sides), dtype=bool)
    for side, places in zip(sides, gaps, strict=True):
        is_open[side.pairs[places]] = True
    if not is_open.any():
        return
    near = [side.take(is_open[side.pairs]) for side in sides]
    units, pairs, changes, weights = (
        np.concatenate([getattr(side, name) for side in near])
        for name in ("units", "pairs", "changes", "weights")
    )
    mean = weighted_means(pairs, weights, changes)
    scale = np.nan_to_num(scale_by_clusters(count_clusters(pairs, units, clusters)))
    for side, places, values in zip(sides, gaps, centred, strict=True):
        at = side.pairs[places]
        values[places] = (side.changes[places] - mean[at]) * scale[at]
