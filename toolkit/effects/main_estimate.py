"""The average of the event study as one row among other estimators."""

from collections.abc import Mapping

import numpy as np

from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.event_study import EventStudySettings, estimate_event_study
from toolkit.models.group_time import Comparison
from toolkit.models.robust_estimate import Refusal, RobustEstimate, refuse

REFUSALS: Mapping[str, Refusal] = {
    "no effect after adoption is identified": "robustness_no_comparison",
    "the base year was not observed": "robustness_no_base_year",
}
FEW_DRAWS = 99
"""The average has no band; the study asks for draws all the same."""


def estimate_main(
    sample: AdoptionSample, *, comparison: Comparison, anticipation: int, last: int, confidence_level: float
) -> tuple[RobustEstimate, tuple[float, float]]:
    """Return the average effect of the event study over years 0 to `last`, and its interval.

    Parameters
    ----------
    sample : AdoptionSample
        One stage, role and outcome.
    comparison : {"never", "not_yet"}
        Schools compared with.
    anticipation : int
        Years before joining in which a school may already have changed.
    last : int
        Last year since joining.
    confidence_level : float
        Of the interval.
    """
    settings = EventStudySettings(
        comparison=comparison,
        anticipation=anticipation,
        first=-anticipation - 1,
        last=last,
        confidence_level=confidence_level,
        n_draws=FEW_DRAWS,
    )
    try:
        study = estimate_event_study(sample, settings)
    except ValueError as error:
        reasons: list[Refusal] = [REFUSALS[words] for words in REFUSALS if words in str(error)]
        if not reasons:
            raise
        return refuse("event_times_equal", reasons[0]), (np.nan, np.nan)
    average, panel = study.average, study.effects.panel
    if np.isnan(average.std_error):
        return refuse("event_times_equal", "robustness_few_treated_clusters"), (np.nan, np.nan)
    found = RobustEstimate(
        estimate=average.effect,
        std_error=average.std_error,
        convention="pooled_cohorts",
        average="event_times_equal",
        n_units=panel.n_units,
        n_treated=int(np.isfinite(panel.cohorts).sum()),
        n_treated_clusters=int(study.is_treated.sum()),
        refusal="",
    )
    return found, (average.conf_low, average.conf_high)
