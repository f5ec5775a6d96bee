"""Effects of a dose that starts at some time, stays, and differs between units: levels and slopes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.models.group_time import NEVER, AdoptionPanel

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ContinuousDose:
    """Mean effect of the doses received, and mean effect of a little more of them.

    Attributes
    ----------
    effect, slope : float
        Mean effect on the units with a dose, and mean derivative of the effect by dose at their doses, in
        units of the outcome, and of the outcome per unit of dose. Cells of a cohort count alike, cohorts by
        their number of units.
    influence : ndarray, (n_units, 2)
        Of `effect` and `slope`: estimate less limit is about the mean of the column. Doses and the sizes of
        cohorts are taken as given.
    n_dosed, n_never : int
        Units with a dose that enter, and units never dosed.
    """

    effect: float
    slope: float
    influence: Floats
    n_dosed: int
    n_never: int


def estimate_continuous_dose(
    panel: AdoptionPanel, doses: Floats, *, degree: int = 1
) -> ContinuousDose | None:
    """Estimate level and slope of the effect of a dose among units that start it at different times.

    The change of each dosed unit since the period before its start, less the mean change of units that never
    have a dose, is regressed on a polynomial of the dose within cohort and period. The level needs parallel
    trends of dosed units and those without; the slope needs more: that units with different doses would have
    had the same effect from the same dose (Callaway, Goodman-Bacon and Sant'Anna's strong parallel trends).
    Otherwise it mixes the effect of dose with what kind of unit takes a large one.

    Parameters
    ----------
    panel : AdoptionPanel
        Outcomes complete in the cells used; weights are not used. `cohorts` is the period of the start.
    doses : ndarray, (n_units,)
        Dose from the start on; not used for units that never have one.
    degree : int
        Degree of the polynomial.

    Returns
    -------
    ContinuousDose or None
        None where no cohort has more units than the polynomial has terms, or nobody is without a dose.

    References
    ----------
    Callaway, B., Goodman-Bacon, A. and Sant'Anna, P. H. C. (2024). Difference-in-differences with a
    continuous treatment. NBER Working Paper 32117.
    """
    is_never = panel.cohorts == NEVER
    parts = []
    for cohort in np.unique(panel.cohorts[~is_never]):
        base = np.flatnonzero(panel.periods == cohort - 1)
        later = np.flatnonzero(panel.periods >= cohort)
        if not len(base) or not len(later):
            continue
        is_own = panel.cohorts == cohort
        cells = [_cell(panel, doses, is_own, is_never, int(base[0]), int(at), degree) for at in later]
        found = [cell for cell in cells if cell is not None]
        if found:
            values = np.mean([value for value, _ in found], axis=0)
            parts.append(
                (int((panel.cohorts == cohort).sum()), values, np.mean([one for _, one in found], axis=0))
            )
    if not parts:
        return None
    sizes = np.array([size for size, _, _ in parts], dtype=float)
    shares = sizes / sizes.sum()
    values = sum(share * value for share, (_, value, _) in zip(shares, parts, strict=True))
    influence = sum(share * one for share, (_, _, one) in zip(shares, parts, strict=True))
    return ContinuousDose(
        effect=float(np.asarray(values)[0]),
        slope=float(np.asarray(values)[1]),
        influence=np.asarray(influence) * panel.n_units,
        n_dosed=int(sizes.sum()),
        n_never=int(is_never.sum()),
    )


def _cell(
    panel: AdoptionPanel,
    doses: Floats,
    is_own: NDArray[np.bool_],
    is_never: NDArray[np.bool_],
    base: int,
    period: int,
    degree: int,
) -> tuple[Floats, Floats] | None:
    """Return level and slope of one cohort and period, (2,), and what each unit adds to their error."""
    change = panel.outcomes[:, period] - panel.outcomes[:, base]
    seen = np.isfinite(change)
    own, never = np.flatnonzero(is_own & seen), np.flatnonzero(is_never & seen)
    if len(own) <= degree + 1 or len(never) < 2:
        return None
    trend = change[never].mean()
    gains = change[own] - trend
    powers = np.arange(degree + 1)
    design = doses[own][:, None] ** powers
    if np.linalg.matrix_rank(design) < degree + 1:
        return None
    inverse = np.linalg.inv(design.T @ design)
    slopes = inverse @ design.T @ gains
    derivative = (powers[1:] * doses[own][:, None] ** (powers[1:] - 1)).mean(axis=0)
    to_slope = np.concatenate([[0.0], derivative])
    left = gains - design @ slopes
    weights = design @ inverse @ to_slope
    errors = np.zeros((panel.n_units, 2))
    errors[own, 0] = (gains - gains.mean()) / len(own)
    errors[own, 1] = weights * left
    # A slope takes the common trend out: the weights of a regression with a constant add up to zero.
    errors[never, 0] = -(change[never] - trend) / len(never)
    errors[never, 1] = -weights.sum() * (change[never] - trend) / len(never)
    return np.array([gains.mean(), to_slope @ slopes]), errors
