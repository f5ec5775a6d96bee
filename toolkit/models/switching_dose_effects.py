"""Effects of a switching dose by time since the first change, with their errors."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from toolkit.models.switching_dose_paths import DosePaths

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SwitchingDoseEffects:
    """Effects of having been exposed to another dose path than the first dose, by time since its change.

    Attributes
    ----------
    event_times : ndarray of int, (n_points,)
        -p to -1 (placebos), then 1 to n_effects: periods of exposure, 1 in the period of the change.
    effects : ndarray of float, (n_points,)
        Non-normalised: outcome under the actual dose path less that had the unit kept its first dose, mean
        over switchers by weight, the sign of decreases turned. At -l the change over the l periods that end
        before the switch, seen from its end. Missing where no switcher can be compared.
    dose_changes : ndarray of float, (n_points,)
        Mean over the same switchers of the summed departure from the first dose over the periods exposed (at
        -l that of horizon l).
    influence : ndarray of float, (n_units, n_points)
        Of the non-normalised effects: estimate less its limit is about the mean of its column over the units
        of the panel. Holds the authors' factors for few units per cohort, so that covariances need no other.
    average : float
        Average total effect per unit of dose.
    average_influence : ndarray of float, (n_units,)
        Influence on it.
    n_switchers, n_increases : ndarray of int, (n_points,)
        Switchers behind each point, and those whose dose rose.
    n_observations : ndarray of int, (n_points,)
        Cells of unit and period whose change enters, of switchers and of the units compared with.
    switcher_weights : ndarray of float, (n_points,)
        Sum of the switchers' weights.
    n_compared : int
        Units behind some effect, of the `paths.n_changed` whose dose was seen to change: the others had no
        unit of the same first dose left to be compared with, no outcome beside the change, or no known date.
    n_average_observations : int
        Cells that enter some effect.
    average_periods : float
        Periods over which the effect of a dose is summed in `average`, mean over the doses received.
    lag_weights : ndarray of float, (n_effects, n_effects)
        Row l, column k: share of the normalised effect at l that is an effect of the dose k periods ago.
    covariance : ndarray of float, (n_points + 1, n_points + 1)
        Clustered covariance of effects and, last, the average.
    paths : DosePaths
        First doses, first changes and directions.
    """

    event_times: Whole
    effects: Floats
    dose_changes: Floats
    influence: Floats
    average: float
    average_influence: Floats
    n_switchers: Whole
    n_increases: Whole
    n_observations: Whole
    switcher_weights: Floats
    n_compared: int
    n_average_observations: int
    average_periods: float
    lag_weights: Floats
    covariance: Floats
    paths: DosePaths

    @property
    def std_errors(self) -> Floats:
        """Standard errors of the non-normalised effects."""
        return np.sqrt(np.diag(self.covariance))[:-1]

    @property
    def average_std_error(self) -> float:
        """Standard error of the average total effect per unit of dose."""
        return float(np.sqrt(self.covariance[-1, -1]))

    @property
    def normalised(self) -> Floats:
        """Effects per unit of dose, averaged over the current dose and its lags by `lag_weights`."""
        return self.effects / self.dose_changes

    @property
    def normalised_influence(self) -> Floats:
        """Influence on the normalised effects; the doses are taken as given, as by the authors."""
        return self.influence / self.dose_changes

    def tidy(self) -> pd.DataFrame:
        """Return one row per event time and, with event time missing, the average per unit of dose."""
        points = pd.DataFrame(
            {
                "event_time": self.event_times,
                "estimate": self.effects,
                "std_error": self.std_errors,
                "dose_change": self.dose_changes,
                "normalised": self.normalised,
                "normalised_std_error": self.std_errors / self.dose_changes,
                "switchers": self.n_switchers,
                "increases": self.n_increases,
                "observations": self.n_observations,
            }
        )
        exposed = self.event_times > 0
        points.loc[len(points)] = {
            "estimate": self.average,
            "std_error": self.average_std_error,
            "switchers": self.n_switchers[exposed].sum(),
            "increases": self.n_increases[exposed].sum(),
            "observations": self.n_average_observations,
        }
        return points.astype({"event_time": "Int64"})


@dataclass(frozen=True, slots=True)
class JointTest:
    """Wald test that estimates are all zero.

    Attributes
    ----------
    statistic : float
        Referred to chi-squared; missing where an estimate is.
    degrees : int
        Estimates tested.
    p_value : float
        Asymptotic; with few clusters it is too small.
    """

    statistic: float
    degrees: int
    p_value: float


def compute_joint_test(effects: SwitchingDoseEffects, chosen: Flags) -> JointTest:
    """Compute the Wald test that the effects at chosen event times are all zero, such as all placebos.

    Parameters
    ----------
    effects : SwitchingDoseEffects
        Estimates.
    chosen : ndarray of bool, (n_points,)
        Such as ``effects.event_times < 0``.
    """
    values = effects.effects[chosen]
    if not len(values) or not np.isfinite(values).all():
        return JointTest(np.nan, len(values), np.nan)
    inverse = np.linalg.pinv(effects.covariance[:-1, :-1][np.ix_(chosen, chosen)], hermitian=True)
    statistic = float(values @ inverse @ values)
    return JointTest(statistic, len(values), float(stats.chi2.sf(statistic, len(values))))
