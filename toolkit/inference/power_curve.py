"""Power of a test by placebo assignments on the data's own outcomes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PlaceboTests = Callable[[Floats, Floats, Floats], Floats]
"""From untreated outcomes (n_units, n_periods), cohorts (n_draws, n_units) and effects (n_effects,), each
added in all treated periods, to p-values of no effect (n_effects, n_draws)."""


@dataclass(frozen=True, slots=True)
class PowerCurve:
    """Chance to reject no effect, by size of the effect.

    Attributes
    ----------
    effects : ndarray of float, (n_effects,)
        Increasing from zero, in the unit of the outcome.
    rejected : ndarray of float, (n_effects,)
        Share of the placebo assignments rejected; at zero the size of the test.
    n_draws : int
        Placebo assignments; the same ones serve all effects.
    size : float
        Nominal.
    """

    effects: Floats
    rejected: Floats
    n_draws: int
    size: float

    @property
    def monte_carlo_error(self) -> Floats:
        """Standard error of each share, (n_effects,)."""
        return np.sqrt(self.rejected * (1 - self.rejected) / self.n_draws)

    def detectable(self, power: float = 0.8) -> float:
        """Return the first effect with this power, linear between effects; infinite if none has it."""
        reached = np.flatnonzero(self.rejected >= power)
        if not len(reached):
            return np.inf
        last = int(reached[0])
        if last == 0:
            return float(self.effects[0])
        pair = slice(last - 1, last + 1)
        return float(np.interp(power, self.rejected[pair], self.effects[pair]))


def simulate_power(
    outcomes: Floats,
    school_group: NDArray[np.intp],
    adoption: Sequence[float],
    tests: PlaceboTests,
    *,
    seed: int,
    effects: Sequence[float] = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3),
    n_draws: int = 200,
    size: float = 0.05,
) -> PowerCurve:
    """Estimate the power of a test by adding a constant effect to placebo assignments of school groups.

    Outcomes keep their own covariance over schools and years, and everything else that simulated data
    lack. Whoever really adopts is not at random: the curve is that of an assignment at random.

    Parameters
    ----------
    outcomes : ndarray of float, (n_units, n_periods)
        Untreated: of never-treated schools, or of all before the first adoption.
    school_group : ndarray of int, (n_units,)
        Groups to be drawn, from 0, such as pseudo-groups; negative for schools that stay comparison.
    adoption : sequence of float
        First treated period of each treated group: its length is the number of groups drawn.
    tests : callable
        P-values of every effect and draw; cohorts are infinite where never treated. NaN counts as no
        rejection.
    seed : int
        Seed of the assignments.
    effects : sequence of float
        Added in all treated periods; zero first.
    n_draws : int
        Placebo assignments.
    size : float
        Size of the test.

    Raises
    ------
    ValueError
        If there are fewer groups than adoptions, or the effects do not increase from zero.
    """
    grid = np.asarray(effects, dtype=float)
    if grid[0] != 0 or not (np.diff(grid) > 0).all():
        raise ValueError("effects must increase from zero")
    n_groups = int(school_group.max(initial=-1)) + 1
    if not 0 < len(adoption) <= n_groups:
        raise ValueError(f"{len(adoption)} adoptions for {n_groups} school groups")
    rng = np.random.default_rng(seed)
    # Schools in no group read the last place, which never adopts.
    place = np.where(school_group < 0, n_groups, school_group)
    cohorts = np.empty((n_draws, len(outcomes)))
    for draw in range(n_draws):
        dates = np.full(n_groups + 1, np.inf)
        dates[rng.choice(n_groups, len(adoption), replace=False)] = adoption
        cohorts[draw] = dates[place]
    rejected = (tests(outcomes, cohorts, grid) <= size).mean(axis=1)
    return PowerCurve(grid, rejected, n_draws, size)
