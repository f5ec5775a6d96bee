"""Whether missing cells can be filled so that several linear conditions hold together."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

# Slack, relative to the size of each condition, below which a strict inequality does not hold.
LEAST_SLACK = 1e-8


@dataclass(frozen=True, slots=True)
class Completions:
    """All completions of one school's cells.

    Attributes
    ----------
    low, high : ndarray of float, (n_cells,)
        Bounds of each cell, equal where it is known.
    denominators : ndarray of float, (n_indicators, n_cells)
        Linear forms that are positive in every completion.
    at_most : tuple of (int, int)
        Pairs of cells of which the first never exceeds the second.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    denominators: NDArray[np.float64]
    at_most: tuple[tuple[int, int], ...]

    def exist(
        self, *, reaching: NDArray[np.float64] | None = None, missing: NDArray[np.float64] | None = None
    ) -> bool:
        """Say whether some completion makes the forms `reaching` >= 0 and the forms `missing` < 0.

        The least slack of all strict conditions is maximised by a linear programme.
        """
        n_cells = len(self.low)
        none = np.empty((0, n_cells))
        free = self.low < self.high
        parts = [np.eye(n_cells)[[whole]] - np.eye(n_cells)[[part]] for part, whole in self.at_most]
        linked = [form for form in parts if (form[0] != 0)[free].sum() == 2]
        weak = np.vstack([none if reaching is None else reaching, *linked])
        unsure = self.denominators[self.denominators @ self.low <= 0]
        strict = np.vstack([unsure, none if missing is None else -missing])
        forms = np.vstack([weak, strict])
        known, unknown = forms[:, ~free] @ self.low[~free], forms[:, free]
        if not free.any():
            return bool((known[: len(weak)] >= 0).all() and (known[len(weak) :] > 0).all())

        scale = _cell_scales(known, unknown)
        unknown = unknown * scale
        size = np.maximum(np.abs(known), np.abs(unknown).max(axis=1))
        size[size == 0] = 1.0
        slack = np.r_[np.zeros(len(weak)), np.ones(len(strict))]
        solution = optimize.linprog(
            np.r_[np.zeros(free.sum()), -1.0],
            A_ub=np.column_stack([-unknown / size[:, None], slack]),
            b_ub=known / size,
            bounds=[*zip(self.low[free] / scale, self.high[free] / scale, strict=True), (None, 1.0)],
            method="highs",
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )
        # Status 2: no completion meets even the weak conditions.
        if solution.status == 2:
            return False
        if solution.status != 0:
            raise ArithmeticError(f"the linear programme ended without an answer: {solution.message}")
        return bool(solution.x[-1] > LEAST_SLACK)


def _cell_scales(known: NDArray[np.float64], unknown: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the size at which each missing cell weighs as much as the known part of a typical form."""
    scales = np.ones(unknown.shape[1])
    for cell, column in enumerate(unknown.T):
        weighed = (column != 0) & (known != 0)
        if weighed.any():
            scales[cell] = np.median(np.abs(known[weighed] / column[weighed]))
    return scales


def can_pass_together(
    completions: Completions,
    minimum: NDArray[np.float64],
    floor: NDArray[np.float64],
    minimum_met: int,
    *,
    can_meet: NDArray[np.bool_],
    can_miss: NDArray[np.bool_],
    can_sink: NDArray[np.bool_],
) -> bool:
    """Say whether some completion keeps all indicators above the floor and enough at their minimum.

    Parameters
    ----------
    completions : Completions
        The school's completions.
    minimum, floor : ndarray of float, (n_indicators, n_cells)
        Forms that are negative below the minimum and below the floor.
    minimum_met : int
        Indicators that must reach their minimum.
    can_meet, can_miss, can_sink : ndarray of bool, (n_indicators,)
        What each indicator can do alone: reach its minimum, miss it, fall below the floor.
    """
    contested = np.flatnonzero(can_meet & can_miss)
    spare = int(can_meet.sum()) - minimum_met
    for given_up in combinations(contested, min(spare, len(contested))):
        kept = np.setdiff1d(contested, given_up)
        floored = np.setdiff1d(np.flatnonzero(can_sink), kept)
        if completions.exist(reaching=np.vstack([minimum[kept], floor[floored]])):
            return True
    return False


def can_fail_together(
    completions: Completions,
    minimum: NDArray[np.float64],
    minimum_met: int,
    *,
    can_meet: NDArray[np.bool_],
    can_miss: NDArray[np.bool_],
) -> bool:
    """Say whether some completion leaves too few indicators at their minimum.

    Parameters are those of `can_pass_together`.
    """
    contested = np.flatnonzero(can_meet & can_miss)
    too_many = int(can_meet.sum()) - minimum_met + 1
    if too_many <= 0:
        return True
    return any(
        completions.exist(missing=minimum[list(missed)]) for missed in combinations(contested, too_many)
    )
