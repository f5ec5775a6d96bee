"""The verdict on a school from several indicators at once, with cells missing."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from toolkit.errors import DesignError
from toolkit.variation.feasibility import Completions, can_fail_together, can_pass_together
from toolkit.variation.three_valued import RELATIVE_TOLERANCE


@dataclass(frozen=True, slots=True)
class SchoolRule:
    """A rule such as "at least 6 of 7 indicators met, and none below 0.85 of its minimum".

    Indicator k of a school with the cells c is (numerators[k] @ c) / (denominators[k] @ c). All cells
    are non-negative totals (students, teachers, m2, yuan). The split of combined schools stays
    linear: with A, B, C students of the stages and a stock x, the primary part has x / (A + 1.1 B +
    1.32 C) per student and the junior part 1.1 x / (A + 1.1 B + 1.32 C).

    Attributes
    ----------
    numerators, denominators : ndarray of float, (n_indicators, n_cells)
        Coefficients; "per 100 students" is a factor 100 in the numerator.
    thresholds : ndarray of float, (n_indicators,)
        Minimum of each indicator, included; at least zero.
    minimum_met : int
        Indicators that must reach their minimum.
    floor_ratio : float
        Share of its minimum that every indicator must reach, in [0, 1].
    at_most : tuple of (int, int)
        Pairs (i, j) of cells of which i is a part of j, so that i never exceeds j.
    """

    numerators: NDArray[np.float64]
    denominators: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    minimum_met: int
    floor_ratio: float
    at_most: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        n_indicators = len(self.thresholds)
        if self.numerators.shape != self.denominators.shape or len(self.numerators) != n_indicators:
            raise ValueError("numerators and denominators must have one row per threshold and the same cells")
        if not 1 <= self.minimum_met <= n_indicators or not 0 <= self.floor_ratio <= 1:
            raise ValueError("minimum_met must be in 1..n_indicators and floor_ratio in [0, 1]")
        if (self.thresholds < 0).any():
            raise ValueError("thresholds must not be negative")

    @property
    def used(self) -> NDArray[np.bool_]:
        """Cells of which each indicator is made, (n_indicators, n_cells)."""
        return (self.numerators != 0) | (self.denominators != 0)

    def margins(self, share: float) -> NDArray[np.float64]:
        """Return coefficients whose product with the cells is negative exactly below share * minimum."""
        minimum = share * self.thresholds * (1 - RELATIVE_TOLERANCE)
        return self.numerators - minimum[:, None] * self.denominators


@dataclass(frozen=True, slots=True)
class SchoolVerdicts:
    """Three-valued verdicts; each is "pass", "fail" or "undecided".

    Attributes
    ----------
    verdicts : ndarray of str, (n_schools,)
        Verdict on each school.
    met, above_floor : ndarray of str, (n_schools, n_indicators)
        Whether the indicator reaches its minimum, and the floor below it.
    deciding_cells : ndarray of bool, (n_schools, n_cells)
        Missing cells on which the verdict of an undecided school hangs.
    """

    verdicts: NDArray[np.str_]
    met: NDArray[np.str_]
    above_floor: NDArray[np.str_]
    deciding_cells: NDArray[np.bool_]

    def tidy(self) -> pd.DataFrame:
        """Return one row per school and indicator, numbered from 0 in the order of the input."""
        n_schools, n_indicators = self.met.shape
        school, indicator = np.divmod(np.arange(n_schools * n_indicators), n_indicators)
        return pd.DataFrame(
            {
                "school": school,
                "indicator": indicator,
                "met": self.met.ravel(),
                "above_floor": self.above_floor.ravel(),
                "verdict": self.verdicts[school],
            }
        )


@dataclass(frozen=True, slots=True)
class _Possible:
    """What each indicator (n_schools, n_indicators) can do in some completion."""

    met: NDArray[np.bool_]
    missed: NDArray[np.bool_]
    at_floor: NDArray[np.bool_]
    below_floor: NDArray[np.bool_]


def judge_schools(rule: SchoolRule, cells: ArrayLike) -> SchoolVerdicts:
    """Judge schools: "pass" when every completion of the missing cells passes, "fail" when none does.

    Completions are real numbers, not only whole ones. Each indicator is compared unrounded with
    its minimum; a relative 1e-9 below it counts as reached.

    Parameters
    ----------
    rule : SchoolRule
        The rule; schools with other indicators or another split are judged in another call.
    cells : array_like, (n_schools, n_cells)
        Cells of each school; NaN where missing.

    Raises
    ------
    DesignError
        If a cell is negative, a denominator is zero in every completion (no students of the
        stage), or a part would have to exceed its whole.

    Notes
    -----
    Each indicator alone is settled by the bounds of its cells. Where open indicators share missing
    cells, what is possible together is settled by linear programmes over the patterns of
    indicators that may be missed; these treat a relative 1e-8 as equal.
    """
    cells = np.asarray(cells, dtype=float)
    if cells.ndim != 2 or cells.shape[1] != rule.numerators.shape[1]:
        raise ValueError(f"cells must have {rule.numerators.shape[1]} columns, not shape {cells.shape}")
    if (cells < 0).any():
        wrong = np.flatnonzero((cells < 0).any(axis=1))
        raise DesignError(
            "variation_amount_negative", count=len(wrong), total=len(cells), first=int(wrong[0]) + 1
        )
    low, high = _cell_bounds(rule, cells)
    missing = np.isnan(cells)
    linked = _linked(rule, missing)
    possible = _settle_linked(rule, low, high, linked[:, None] & (missing.astype(int) @ rule.used.T >= 2))
    can_pass, can_fail = _settle_together(rule, low, high, missing, linked, possible)
    verdicts = _three_valued(can_pass, can_fail)
    hanging = missing & (verdicts == "undecided")[:, None]
    return SchoolVerdicts(
        verdicts=verdicts,
        met=_three_valued(possible.met, possible.missed),
        above_floor=_three_valued(possible.at_floor, possible.below_floor),
        deciding_cells=(_pivotal(rule, possible) @ rule.used) & hanging,
    )


def _three_valued(can_pass: NDArray[np.bool_], can_fail: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Return the verdicts from what is possible."""
    return np.where(can_pass & can_fail, "undecided", np.where(can_pass, "pass", "fail"))


def _cell_bounds(
    rule: SchoolRule, cells: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and largest value of each cell, given the others."""
    missing = np.isnan(cells)
    low, high = np.where(missing, 0.0, cells), np.where(missing, np.inf, cells)
    for _ in rule.at_most:
        for part, whole in rule.at_most:
            low[:, whole] = np.where(
                missing[:, whole], np.maximum(low[:, whole], low[:, part]), low[:, whole]
            )
            high[:, part] = np.where(
                missing[:, part], np.minimum(high[:, part], high[:, whole]), high[:, part]
            )
    crossed = (low > high).any(axis=1)
    if crossed.any():
        raise DesignError(
            "variation_no_completion",
            count=int(crossed.sum()),
            total=len(cells),
            first=int(crossed.argmax()) + 1,
        )
    return low, high


def _linked(rule: SchoolRule, missing: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say in which schools a part and its whole are both missing."""
    pairs = np.array(rule.at_most, dtype=int).reshape(-1, 2)
    return np.any(missing[:, pairs[:, 0]] & missing[:, pairs[:, 1]], axis=1)


def _settle_alone(rule: SchoolRule, low: NDArray[np.float64], high: NDArray[np.float64]) -> _Possible:
    """Settle each indicator alone; exact unless a part and its whole are both missing."""
    without = (_largest(rule.denominators, low, high) <= 0).any(axis=1)
    if without.any():
        raise DesignError(
            "variation_denominator_not_positive",
            count=int(without.sum()),
            total=len(low),
            first=int(without.argmax()) + 1,
        )
    has_students = low @ rule.denominators.T > 0

    def reached(share: float) -> NDArray[np.bool_]:
        largest = _largest(rule.margins(share), low, high)
        # A margin of zero that needs a school without students is not reached by any school.
        return (largest > 0) | ((largest == 0) & (has_students | (share * rule.thresholds == 0)))

    def missed(share: float) -> NDArray[np.bool_]:
        return _largest(-rule.margins(share), low, high) > 0

    floor = rule.floor_ratio
    return _Possible(reached(1.0), missed(1.0), reached(floor), missed(floor))


def _largest(
    coefficients: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the supremum of each linear form over the bounds, (n_schools, n_forms)."""
    unbounded = np.isinf(high)
    rising = np.clip(coefficients, 0, None)
    finite = np.where(unbounded, 0.0, high) @ rising.T + low @ np.clip(coefficients, None, 0).T
    return np.where(unbounded.astype(int) @ (rising > 0).T.astype(int) > 0, np.inf, finite)


def _settle_linked(
    rule: SchoolRule,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    linked_indicators: NDArray[np.bool_],
) -> _Possible:
    """Settle each indicator alone, by linear programmes where its cells are tied to one another."""
    possible = _settle_alone(rule, low, high)
    met, missed, at_floor, below_floor = (
        part.copy() for part in (possible.met, possible.missed, possible.at_floor, possible.below_floor)
    )
    minimum, floor = rule.margins(1.0), rule.margins(rule.floor_ratio)
    for school, indicator in zip(*np.nonzero(linked_indicators), strict=True):
        completions = Completions(low[school], high[school], rule.denominators, rule.at_most)
        met[school, indicator] = completions.exist(reaching=minimum[[indicator]])
        missed[school, indicator] = completions.exist(missing=minimum[[indicator]])
        at_floor[school, indicator] = completions.exist(reaching=floor[[indicator]])
        below_floor[school, indicator] = completions.exist(missing=floor[[indicator]])
    return _Possible(met, missed, at_floor, below_floor)


def _settle_together(
    rule: SchoolRule,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    missing: NDArray[np.bool_],
    linked: NDArray[np.bool_],
    possible: _Possible,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which schools can pass and which can fail, (n_schools,) each."""
    can_pass = possible.at_floor.all(axis=1) & (possible.met.sum(axis=1) >= rule.minimum_met)
    can_fail = possible.below_floor.any(axis=1) | ((~possible.missed).sum(axis=1) < rule.minimum_met)

    is_open = (possible.met & possible.missed) | (possible.at_floor & possible.below_floor)
    shared = (((is_open.astype(int) @ rule.used) >= 2) & missing).any(axis=1)
    tied = shared | (linked & (is_open.sum(axis=1) >= 2))
    minimum, floor = rule.margins(1.0), rule.margins(rule.floor_ratio)
    for school in np.flatnonzero(tied & can_pass & can_fail):
        completions = Completions(low[school], high[school], rule.denominators, rule.at_most)
        met, missed, sunk = possible.met[school], possible.missed[school], possible.below_floor[school]
        can_pass[school] = can_pass_together(
            completions, minimum, floor, rule.minimum_met, can_meet=met, can_miss=missed, can_sink=sunk
        )
        can_fail[school] = sunk.any() or can_fail_together(
            completions, minimum, rule.minimum_met, can_meet=met, can_miss=missed
        )
    return can_pass, can_fail


def _pivotal(rule: SchoolRule, possible: _Possible) -> NDArray[np.bool_]:
    """Say which indicators can turn the verdict, were each free to do what it can alone."""
    can_pass = possible.at_floor.all(axis=1) & (possible.met.sum(axis=1) >= rule.minimum_met)
    sinking = can_pass[:, None] & possible.below_floor
    # Met or not matters when exactly one more is needed among the others, all of which stay above the floor.
    between = possible.missed & possible.at_floor & (rule.floor_ratio < 1)
    others_can_meet = possible.met.sum(axis=1)[:, None] - possible.met
    others_must_meet = (~between).sum(axis=1)[:, None] - ~between
    others_above = (~possible.at_floor).sum(axis=1)[:, None] - ~possible.at_floor == 0
    needed = rule.minimum_met - 1
    in_reach = (others_must_meet <= needed) & (needed <= others_can_meet)
    return sinking | (possible.met & between & others_above & in_reach)
