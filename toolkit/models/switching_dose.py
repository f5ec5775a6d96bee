"""Effects of doses that differ, switch on and off and move both ways, from arrays of one panel."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import DesignError
from toolkit.models.switching_dose_controls import (
    CovariateError,
    covariate_errors,
    covariate_moves,
    fit_residualisation,
    residualise,
)
from toolkit.models.switching_dose_effects import SwitchingDoseEffects
from toolkit.models.switching_dose_influence import Contrast, contrast_weights, find_contrast, unit_errors
from toolkit.models.switching_dose_panel import DosePanel
from toolkit.models.switching_dose_paths import DosePaths, read_dose_paths

Direction = Literal["both", "increase", "decrease"]
Comparison = Literal["not_yet", "never"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]


def estimate_switching_dose(
    panel: DosePanel,
    *,
    n_effects: int = 1,
    n_placebos: int = 0,
    direction: Direction = "both",
    comparison: Comparison = "not_yet",
    same_switchers: bool = False,
    keep_crossing: bool = False,
    polynomial: int = 0,
    covariate_error: CovariateError = "package",
) -> SwitchingDoseEffects:
    """Estimate event-study effects of a dose that may take any value and change more than once.

    A unit whose dose first changes in period F is compared, l periods on, with the units that had the same
    first dose and whose dose has not changed yet by then (and are of the same stratum): its change of the
    outcome from F - 1 to F - 1 + l less theirs. The mean over these switchers is the effect of having lived
    for l periods with the doses they really had instead of their first one, whatever these doses were: it is
    an effect of paths, and grows with the size of the doses. Divided by the mean summed departure of the dose
    it becomes the normalised effect, which can be read as an effect of one unit of dose: a weighted average
    of the effects of the current dose and of its l - 1 lags, with `lag_weights`. The average total effect per
    unit of dose sums all effects over all doses received: what one unit adds in its period and the later ones
    that are observed.

    It assumes that units of the same first dose would have moved in parallel had all kept it, and that
    nobody responds before the change. It does not assume that effects are equal or that lags have none.

    Parameters
    ----------
    panel : DosePanel
        Panel; `read_dose_paths` says what is done about missing doses.
    n_effects, n_placebos : int
        Largest numbers of horizons. Fewer come back where no unit can be followed so long; placebos are at
        most as many as effects are asked for, as each keeps the units compared in the effect of its horizon.
    direction : {"both", "increase", "decrease"}
        Which switchers count, by the mean dose after the change.
    comparison : {"not_yet", "never"}
        Units that have not changed yet, or only those that never do.
    same_switchers : bool
        Count only switchers for which all effects exist, so that horizons do not differ in composition.
    keep_crossing : bool
        See `read_dose_paths`.
    polynomial : int
        See `read_dose_paths`: for first doses that all differ. The authors warn that standard errors can then
        be too small when the order is larger than needed; bootstrap clusters beside it.
    covariate_error : {"package", "centred"}
        How the error of the covariates' slopes enters; see `covariate_errors`. "package" equals the authors'
        program and is too large where covariates move differently among switchers.

    Raises
    ------
    DesignError
        If no switcher has an unchanged unit of the same first dose, or first doses are all different.

    References
    ----------
    de Chaisemartin, C. and D'Haultfoeuille, X. (2024). Difference-in-differences estimators of intertemporal
    treatment effects. Review of Economics and Statistics (forthcoming), with its web appendix for covariates
    and variances.
    """
    paths = read_dose_paths(panel, keep_crossing=keep_crossing, polynomial=polynomial)
    wanted = {"both": (1, -1), "increase": (1,), "decrease": (-1,)}[direction]
    eligible = np.isin(paths.direction, wanted) & (paths.first <= paths.last)
    if not eligible.any():
        if direction != "both" and (paths.direction != 0).any():
            raise DesignError("dose_no_change_in_direction")
        raise DesignError("dose_no_unchanged_units", units=panel.n_units)
    study = _Study(panel, paths, covariate_error, comparison == "never")
    contrasts = study.contrasts(eligible, n_effects, n_placebos, same_switchers)
    if not any(len(one.switchers.units) for one in contrasts if not one.is_placebo):
        raise DesignError("dose_no_unchanged_units", units=panel.n_units)
    last = contrasts[-1].horizon
    return study.collect(contrasts, [study.point(contrast, last) for contrast in contrasts])


@dataclass(frozen=True, slots=True)
class _Point:
    """Sums over the switchers of one comparison."""

    total: float
    weight: float
    summed_dose: float
    current_dose: float
    periods_of_dose: float
    lag_doses: Floats
    errors: Floats
    n_increases: int
    cells: Flags


class _Study:
    """Comparisons of one panel."""

    def __init__(
        self, panel: DosePanel, paths: DosePaths, convention: CovariateError, never_only: bool
    ) -> None:
        self.panel, self.paths, self.never_only = panel, paths, never_only
        self.convention: CovariateError = convention
        codes = np.unique(panel.clusters[paths.units], return_inverse=True)[1]
        self.clusters = None if codes.max() + 1 == len(codes) else codes
        has_covariates = paths.covariates.shape[2] > 0
        self.fitted = fit_residualisation(paths, self.clusters) if has_covariates else None
        exposed = np.arange(paths.end) >= paths.first[:, None]
        known = exposed & np.isfinite(paths.doses[:, : paths.end])
        self.departure = np.where(known, paths.doses[:, : paths.end] - paths.baseline[:, None], 0.0)
        self.summed = self.departure.cumsum(axis=1)

    def contrasts(
        self, eligible: Flags, n_effects: int, n_placebos: int, same_switchers: bool
    ) -> list[Contrast]:
        """Return the placebos from the farthest, then the effects."""
        paths = self.paths
        reach = (paths.last - paths.first + 1)[eligible]
        before = np.minimum(reach, paths.first[eligible] - 1).max()
        effects = [
            self._find(eligible, horizon, False) for horizon in range(1, min(n_effects, reach.max()) + 1)
        ]
        if same_switchers:
            units = np.concatenate([found.switchers.units for found in effects])
            eligible = np.bincount(units, minlength=len(eligible)) == len(effects)
            effects = [self._find(eligible, found.horizon, False) for found in effects]
        farthest = min(n_placebos, n_effects, before)
        return [self._find(eligible, horizon, True) for horizon in range(farthest, 0, -1)] + effects

    def _find(self, eligible: Flags, horizon: int, is_placebo: bool) -> Contrast:
        return find_contrast(self.paths, eligible, horizon, is_placebo=is_placebo, never_only=self.never_only)

    def point(self, contrast: Contrast, n_effects: int) -> _Point:
        """Sum effects, doses and errors of one comparison over its switchers."""
        paths, side = self.paths, contrast.switchers
        signs = paths.direction[side.units]
        errors = np.zeros(len(paths.units))
        if self.fitted is not None:
            moves = covariate_moves(contrast, paths)
            errors += covariate_errors(contrast, paths, self.fitted, moves, signs, self.convention)
            contrast = residualise(contrast, paths, self.fitted, moves)
        own, demanded = contrast_weights(contrast, signs)
        errors += unit_errors(contrast, paths, self.clusters, signs)
        _, used = contrast_weights(contrast, np.abs(signs))
        cells = np.zeros(self.departure.shape, dtype=bool)
        cells[side.units, side.periods] = True
        cells[contrast.unchanged.units[used != 0], contrast.unchanged.periods[used != 0]] = True
        lags = np.arange(contrast.horizon)
        doses = self.departure[side.units[:, None], side.periods[:, None] - lags]
        followed = np.minimum(n_effects, (paths.last - paths.first + 1)[side.units]) - contrast.horizon + 1
        return _Point(
            total=float(own @ contrast.switchers.changes + demanded @ contrast.unchanged.changes),
            weight=float(side.weights.sum()),
            summed_dose=float(own @ self.summed[side.units, side.periods]),
            current_dose=float(own @ doses[:, 0]),
            periods_of_dose=float(own @ (doses[:, 0] * followed)),
            lag_doses=own @ doses,
            errors=errors,
            n_increases=int((signs > 0).sum()),
            cells=cells,
        )

    def collect(self, contrasts: list[Contrast], points: list[_Point]) -> SwitchingDoseEffects:
        """Put the comparisons side by side."""
        times = np.array([-one.horizon if one.is_placebo else one.horizon for one in contrasts])
        exposed = [point for point, time in zip(points, times, strict=True) if time > 0]
        weights = np.array([point.weight for point in points])
        weights[weights == 0] = np.nan
        received = sum(point.current_dose for point in exposed) or np.nan
        overall = sum(point.errors for point in exposed) / received
        errors = np.column_stack([*(p.errors / w for p, w in zip(points, weights, strict=True)), overall])
        influence = np.zeros((self.panel.n_units, errors.shape[1]))
        influence[self.paths.units] = errors * self.panel.n_units
        lag_weights = np.zeros((len(exposed), len(exposed)))
        for row, point in enumerate(exposed):
            lag_weights[row, : row + 1] = point.lag_doses / (point.summed_dose or np.nan)
        return SwitchingDoseEffects(
            event_times=times,
            effects=np.array([point.total for point in points]) / weights,
            dose_changes=np.array([point.summed_dose for point in points]) / weights,
            influence=influence[:, :-1],
            average=sum(point.total for point in exposed) / received,
            average_influence=influence[:, -1],
            n_switchers=np.array([len(one.switchers.units) for one in contrasts]),
            n_increases=np.array([point.n_increases for point in points]),
            n_observations=np.array([int(point.cells.sum()) for point in points]),
            switcher_weights=np.nan_to_num(weights),
            n_compared=len(
                np.unique(np.concatenate([one.switchers.units for one in contrasts if not one.is_placebo]))
            ),
            n_average_observations=int(np.logical_or.reduce([point.cells for point in exposed]).sum()),
            average_periods=sum(point.periods_of_dose for point in exposed) / received,
            lag_weights=lag_weights,
            covariance=self._covariance(errors),
            paths=self.paths,
        )

    def _covariance(self, errors: Floats) -> Floats:
        """Return the sum over clusters of the products of their errors."""
        if self.clusters is not None:
            by_cluster = [np.bincount(self.clusters, column) for column in errors.T]
            errors = np.column_stack(by_cluster).astype(np.float64)
        return errors.T @ errors
