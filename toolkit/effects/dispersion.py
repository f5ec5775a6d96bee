"""The effect of an adoption on inequality between schools."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.dispersion_errors import Measure, shifted_error, squares_error
from toolkit.models.counterfactual_dispersion import DispersionPaths, compute_dispersion_paths
from toolkit.models.group_time import Comparison

Floats = NDArray[np.float64]
VERSIONS = ("shifted", "squares")
YEAR_COLUMNS = ["year", "treated_share", "observed", "without_shifted", "without_squares"]
EFFECT_COLUMNS = ["version", "effect", "std_error", "critical_value", "conf_low", "conf_high"]


@dataclass(frozen=True, slots=True)
class DispersionEffect:
    """Inequality between schools with and without the adoption.

    Attributes
    ----------
    sample : AdoptionSample
        The schools between which inequality is measured: adopters and comparison of one stage. Schools
        left out of the sample are in neither figure.
    measure : {"variance", "std_dev", "cv"}
        Weighted variance, its root, or the root over the mean.
    years : pandas.DataFrame
        Per school year: share of weight treated, measure observed, and without the adoption by version.
    effects : pandas.DataFrame
        Per version: effect (observed less counterfactual, mean over the years in which some are treated),
        standard error, its multiple that the interval reaches to, interval.
    """

    sample: AdoptionSample
    measure: Measure
    years: pd.DataFrame
    effects: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per version."""
        return self.effects


def estimate_dispersion_effect(
    sample: AdoptionSample,
    *,
    measure: Measure = "std_dev",
    is_ratio_scale: bool = False,
    comparison: Comparison = "not_yet",
    anticipation: int = 0,
    confidence_level: float = 0.95,
) -> DispersionEffect:
    """Estimate what an adoption did to inequality between schools, under two assumptions.

    Estimand: the measure among just the schools of the sample as it was, less what it would have been had
    none adopted, averaged over the years in which some have. Version "shifted" assumes one effect for
    all schools of a cohort in a year; "squares" assumes that squared deviations from the untreated mean
    would have moved in parallel. Where adoption helps weak schools more, only the second sees it; where
    the spread among adopters would have changed by itself, only the first is right. Sums over both are
    not an answer: both are shown.

    Parameters
    ----------
    sample : AdoptionSample
        One stage and outcome; roles together, as inequality is between all schools.
    measure : {"variance", "std_dev", "cv"}
        The coefficient of variation only for outcomes with a true zero.
    is_ratio_scale : bool
        Whether the outcome has a true zero; standardised scores have not.
    comparison, anticipation
        See `estimate_group_time`.
    confidence_level : float
        Of the intervals.

    Raises
    ------
    ValueError
        If the coefficient of variation is asked for without a true zero, or no year has treated schools.

    Notes
    -----
    Which schools there are is given: their levels and the effects on them are no source of error, the changes
    that they would have had without adoption are. Standard errors are those of `shifted_error` and
    `squares_error`, by clusters (groups, schools alone), with cohorts of few groups pooled as in
    `estimate_pooled_average`. With a single adopting group there is no interval.
    """
    if measure == "cv" and not is_ratio_scale:
        raise ValueError("a coefficient of variation needs an outcome with a true zero")
    panel = sample.panel
    whole = compute_dispersion_paths(panel, comparison=comparison, anticipation=anticipation)
    treated = whole.treated_share > 0
    if not treated.any():
        raise ValueError("no year has treated schools")
    clusters = np.asarray(sample.clusters)[whole.effects.used]
    errors = {
        "shifted": shifted_error(whole, clusters, measure, confidence_level=confidence_level),
        "squares": squares_error(
            whole,
            clusters,
            measure,
            comparison=comparison,
            anticipation=anticipation,
            confidence_level=confidence_level,
        ),
    }
    observed, *without = _measures(whole, measure)
    rows = []
    for version, counterfactual in zip(VERSIONS, without, strict=True):
        error, critical = errors[version]
        effect = float((observed - counterfactual)[treated].mean())
        if not (np.isfinite(effect) and error > 0):
            error = critical = np.nan
        half = critical * error
        rows.append((version, effect, error, critical, effect - half, effect + half))
    by_year = zip(whole.periods.astype(int), whole.treated_share, observed, *without, strict=True)
    return DispersionEffect(
        sample=sample,
        measure=measure,
        years=pd.DataFrame(list(by_year), columns=YEAR_COLUMNS),
        effects=pd.DataFrame(rows, columns=EFFECT_COLUMNS),
    )


def _measures(paths: DispersionPaths, measure: Measure) -> tuple[Floats, Floats, Floats]:
    """Return the measure as observed and by version; missing where an estimated variance is below zero."""
    variances = (paths.variance, paths.variance_shifted, paths.variance_squares)
    if measure == "variance":
        return variances
    with np.errstate(invalid="ignore"):
        observed, shifted, squares = (np.sqrt(variance) for variance in variances)
    if measure == "std_dev":
        return observed, shifted, squares
    return observed / paths.mean, shifted / paths.mean_untreated, squares / paths.mean_untreated
