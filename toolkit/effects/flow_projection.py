"""The path of the outcome after a clean change of one flow: receiving and sending, year by year."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from toolkit.effects.flow_effects import FlowSettings
from toolkit.effects.rotation_data import RotationSample, rotation_settings
from toolkit.effects.rotation_guard import require_records
from toolkit.errors import DesignError
from toolkit.inference.clusters import debiased_effective_clusters, degrees_of_freedom
from toolkit.models.clean_projection import CleanProjection, estimate_clean_projection

Floats = NDArray[np.float64]

HORIZONS = (-3, -2, 0, 1, 2)
LEAST_CHANGED = 5
"""Schools with a clean change below which a horizon is not estimated."""
COLUMNS = [
    "flow",
    "horizon",
    "effect",
    "std_error",
    "conf_low",
    "conf_high",
    "n_changes",
    "n_clean",
    "n_changed_schools",
    "refusal",
]


@dataclass(frozen=True, slots=True)
class FlowProjection:
    """Effects of clean changes by years since the change.

    Attributes
    ----------
    sample : RotationSample
        Schools.
    table : pandas.DataFrame
        One row per flow and horizon, `COLUMNS`: negative horizons are years before the change, where the
        effect should be zero; `refusal` says why a row has no number.
    confidence_level : float
        Of the intervals.
    """

    sample: RotationSample
    table: pd.DataFrame
    confidence_level: float

    def tidy(self) -> pd.DataFrame:
        """Return one row per flow and horizon."""
        return self.table.assign(stage=self.sample.stage)


def project_flows(
    sample: RotationSample, settings: FlowSettings | None = None, *, horizons: Sequence[int] = HORIZONS
) -> FlowProjection:
    """Follow schools after a change of one flow that nothing else disturbs, against schools without change.

    Estimand: mean change of the outcome per full-time equivalent and 100 students, over schools and years
    with a change of the flow of which nothing moved the year before and up to the horizon, larger changes
    counting more. In the year of the change receiving holds what the teacher's first year costs. Effects may
    differ freely between schools and years; what the joint model assumes of earlier flows is not needed,
    since there are none. Few changes are as clean as that.

    Parameters
    ----------
    sample : RotationSample
        Schools of one stage.
    settings : FlowSettings, optional
        The first two flows, and the level.
    horizons : sequence of int
        Years since the change; -1 is the base.
    """
    chosen = settings or FlowSettings()
    flows = chosen.flows[:2]
    try:
        require_records(sample, chosen.flows)
    except DesignError:
        nothing = (*[np.nan] * 4, 0, 0, 0, "projection_not_reliable")
        refused = [(name, horizon, *nothing) for name in flows for horizon in horizons]
        return FlowProjection(sample, pd.DataFrame(refused, columns=COLUMNS), chosen.confidence_level)
    rates = {name: sample.steady_per_100(name) for name in flows}
    limit = 100 * rotation_settings("settings")["unchanged"] / float(np.nanmax(sample.mean_enrolment))
    rows = []
    for place, name in enumerate(flows):
        other = rates[flows[1 - place]]
        for horizon in horizons:
            found = estimate_clean_projection(
                sample.outcomes,
                rates[name],
                other[:, :, None],
                horizon=horizon,
                # A placebo is one only if nothing moved between the year shown and the change.
                quiet=max(1, -horizon - 1),
                unchanged=limit,
                weights=sample.weights,
                blocks=sample.blocks,
            )
            rows.append((name, horizon, *_row(found, chosen)))
    return FlowProjection(sample, pd.DataFrame(rows, columns=COLUMNS), chosen.confidence_level)


def _row(found: CleanProjection | None, settings: FlowSettings) -> tuple[object, ...]:
    """Return effect, error, interval, counts and the reason why there is none."""
    if found is None:
        return (*[np.nan] * 4, 0, 0, 0, "projection_no_clean_change")
    counts = found.n_changes, found.n_clean, found.n_units_changed
    if found.n_units_changed < LEAST_CHANGED:
        return (*[np.nan] * 4, *counts, "projection_few_clean_changes")
    used = found.contributions[found.contributions != 0]
    left = found.left_out[np.isfinite(found.left_out)]
    # Leaving schools out: with few changes, sums of squared contributions are too small.
    error = float(np.sqrt((len(left) - 1) / len(left) * ((left - left.mean()) ** 2).sum()))
    degrees = degrees_of_freedom(debiased_effective_clusters(used))
    half = float(stats.t.ppf(0.5 + settings.confidence_level / 2, degrees)) * error
    return (found.estimate, error, found.estimate - half, found.estimate + half, *counts, "")
