"""The event study of an adoption: effects by year since joining, their average, and what bounds them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.sample_cells import SampleCells, Within
from toolkit.inference.clusters import (
    ClusterInfluence,
    cluster_covariance,
    cluster_std_errors,
    sum_influence,
    t_interval,
)
from toolkit.inference.honest_study import EventStudy
from toolkit.inference.multiplier import draw_errors, simultaneous_critical_value
from toolkit.inference.pooled_cohorts import PooledAverage, estimate_pooled_average
from toolkit.inference.power import detectable_from_std_error
from toolkit.models.group_time import Comparison, GroupTimeEffects
from toolkit.models.group_time_aggregates import Aggregate, aggregate_group_time

Floats = NDArray[np.float64]
FEW_DRAWS = 99

TABLE_COLUMNS = [
    "event_time",
    "effect",
    "std_error",
    "conf_low",
    "conf_high",
    "band_low",
    "band_high",
    "n_cohorts",
    "is_base",
]


@dataclass(frozen=True, slots=True)
class EventStudySettings:
    """How an event study is estimated.

    Attributes
    ----------
    comparison : {"never", "not_yet"}
        Schools that never adopt, or also those that have not yet.
    anticipation : int
        Years before joining in which a school may already have changed: announcement and selection.
    first, last : int
        First and last year since joining that enter; the average effect is over 0 to `last`.
    confidence_level : float
        Of intervals and bands.
    n_draws, seed : int
        Draws of the multiplier bootstrap behind the band.
    within : {"county", "province", "everywhere"}, optional
        Where schools are compared: with "county" whatever moves a county in a year drops out, with
        "province" (the first two digits of the county's code) whatever moves a province. If not given,
        within the county where groups adopt, and everywhere where counties do.
    """

    comparison: Comparison = "not_yet"
    anticipation: int = 0
    first: int = -6
    last: int = 2
    confidence_level: float = 0.95
    n_draws: int = 999
    seed: int = 1
    within: Within | None = None

    def __post_init__(self) -> None:
        if self.within is not None and self.within not in get_args(Within):
            raise ValueError(f"within must be one of {get_args(Within)}, not {self.within!r}")
        if self.last < 0 or self.anticipation < 0 or self.first >= -self.anticipation:
            raise ValueError("an event study needs years before the anticipation, and year 0 or later")

    def for_average(self) -> "EventStudySettings":
        """Return the settings under which only the average is wanted: no years before, hardly any draws."""
        return replace(self, first=-self.anticipation - 1, n_draws=FEW_DRAWS)

    def cells(self, sample: AdoptionSample) -> SampleCells:
        """Return the effects by cohort and period on which all averages of a sample rest."""
        return SampleCells(sample, self.comparison, self.anticipation, self.within)


@dataclass(frozen=True, slots=True)
class AverageEffect:
    """The mean effect over the years since joining, each with equal weight.

    Attributes
    ----------
    effect, std_error : float
        In the unit of the outcome; clustered, cohorts of a single group pooled (`inference.pooled_cohorts`).
    degrees : float
        Effective degrees of freedom.
    conf_low, conf_high : float
        t interval. Missing, as error and degrees, where one group alone joined or outcomes have no spread.
        Which interval is printed is for `inference.interval_rule` to say.
    detectable : float
        Effect that a repetition would find with power 80 % at 5 %.
    """

    effect: float
    std_error: float
    degrees: float
    conf_low: float
    conf_high: float
    detectable: float


@dataclass(frozen=True, slots=True)
class AdoptionEventStudy:
    """Effects by year since joining, compared with the last year before anticipation.

    Attributes
    ----------
    sample : AdoptionSample
        Schools, outcome and weights.
    settings : EventStudySettings
        How it was estimated.
    effects : GroupTimeEffects
        The cells behind the averages, refused ones with their reason.
    table : pandas.DataFrame
        One row per year since joining: effect, standard error, pointwise interval, simultaneous band and
        cohorts behind it; the base year with effect 0.
    average : AverageEffect
        Mean over the years from joining on.
    influence : ClusterInfluence
        Contributions of the clusters to the rows of `table` and, last, to the average, scaled so that their
        squares add to the squared standard errors; those of a year without an error as they are.
    is_treated : ndarray of bool, (n_clusters,)
        Clusters with adopters.
    """

    sample: AdoptionSample
    settings: EventStudySettings
    effects: GroupTimeEffects
    table: pd.DataFrame
    average: AverageEffect
    influence: ClusterInfluence
    is_treated: NDArray[np.bool_]

    def tidy(self) -> pd.DataFrame:
        """Return one row per year since joining."""
        return self.table

    @property
    def bears_bounds(self) -> bool:
        """Whether years are consecutive and have an error, from the first that has one."""
        _, times, errors = self._years_for_bounds()
        return bool((np.diff(times) == 1).all() and np.isfinite(errors).all())

    def _years_for_bounds(self) -> tuple[NDArray[np.bool_], Floats, Floats]:
        """Return the rows of the table that bounds use, their times and their errors."""
        table = self.table
        times, errors = table["event_time"].to_numpy(dtype=float), table["std_error"].to_numpy(dtype=float)
        # Early years of a single group have no error: bounds start with the first year after them.
        unknown = times[np.isnan(errors) & (times < -1 - self.settings.anticipation)]
        used = times > unknown.max(initial=-np.inf)
        return used, times[used], errors[used]

    def for_bounds(self) -> tuple[EventStudy, Floats]:
        """Return the coefficients as honest bounds take them, and the weights of the average.

        Raises
        ------
        ValueError
            If a year between the first and the last is missing, or has no error from the base year on:
            bounds compare consecutive years.
        """
        used, times, _ = self._years_for_bounds()
        if not self.bears_bounds:
            raise ValueError(f"years since joining have gaps: {times.tolist()}")
        base = -1 - self.settings.anticipation
        effects = self.table["effect"].to_numpy(dtype=float)[used]
        kept = np.flatnonzero(used)[times != base]
        covariance = cluster_covariance(self.influence)[np.ix_(kept, kept)]
        after = times[times > base]
        weights = np.where(after >= 0, 1.0 / np.count_nonzero(after >= 0), 0.0)
        effective = self.average.degrees + 1
        study = EventStudy(effects[times < base], effects[times > base], covariance, effective)
        return study, weights


def estimate_event_study(
    sample: AdoptionSample,
    settings: EventStudySettings | None = None,
    *,
    cells: SampleCells | None = None,
) -> AdoptionEventStudy:
    """Estimate the effect of joining by year since joining.

    Every year is compared with the same base year, the last one before anticipation, so that the years
    before can contradict the design. Estimand: mean effect on the schools that first joined, whatever
    came after, weighted as the sample says.

    Parameters
    ----------
    sample : AdoptionSample
        One stage, role and outcome.
    settings : EventStudySettings, optional
        Defaults as in the class.
    cells : SampleCells, optional
        The cells of this sample and design, where they are at hand.

    Raises
    ------
    ValueError
        If no effect after joining is identified (let the design guard look first), or the year before
        the anticipation was not observed for some cohort: its years would be compared with another base.
        If the cells are those of another sample or design.
    """
    chosen = settings or EventStudySettings()
    effects = _effects(sample, chosen, cells)
    averages = aggregate_group_time(effects, "event_time", event_times=(chosen.first, chosen.last))
    clusters = sample.clusters[effects.used]
    columns = np.column_stack([averages.influence, averages.overall_influence])
    raw = sum_influence(columns, clusters)
    whole = estimate_pooled_average(effects, clusters, last=chosen.last)
    by_year = [estimate_pooled_average(effects, clusters, first=at, last=at) for at in averages.at]
    influence = _scaled(raw, [*by_year, whole])
    adopters = np.unique(clusters[np.isfinite(effects.panel.cohorts)])
    return AdoptionEventStudy(
        sample=sample,
        settings=chosen,
        effects=effects,
        table=_table(averages, by_year, influence, chosen),
        average=_average(whole, chosen),
        influence=influence,
        is_treated=np.isin(influence.clusters, adopters),
    )


def estimate_average(
    sample: AdoptionSample, settings: EventStudySettings, *, cells: SampleCells | None = None
) -> AverageEffect:
    """Estimate the average effect alone, as `estimate_event_study` does beside the years.

    Parameters
    ----------
    sample, settings, cells
        As in `estimate_event_study`.

    Raises
    ------
    ValueError
        As there.
    """
    effects = _effects(sample, settings, cells)
    return _average(
        estimate_pooled_average(effects, sample.clusters[effects.used], last=settings.last), settings
    )


def _effects(
    sample: AdoptionSample, settings: EventStudySettings, cells: SampleCells | None
) -> GroupTimeEffects:
    """Return the cells, of which all cohorts have the same base year."""
    own = settings.cells(sample) if cells is None else cells
    design = (own.comparison, own.anticipation, own.within)
    if own.sample is not sample or design != (settings.comparison, settings.anticipation, settings.within):
        raise ValueError("the cells are those of another sample or design")
    effects = own.effects
    is_elsewhere = (effects.bases - effects.cohorts) != -1 - settings.anticipation
    if is_elsewhere.any():
        cohorts = sorted({int(cohort) for cohort in effects.cohorts[is_elsewhere]})
        raise ValueError(f"the base year was not observed for the cohorts of {cohorts}")
    return effects


def _scaled(raw: ClusterInfluence, pooled: Sequence[PooledAverage]) -> ClusterInfluence:
    """Scale contributions to the pooled standard errors, which hold what single groups seem to lack."""
    errors = cluster_std_errors(raw)
    wanted = np.array([one.std_error for one in pooled])
    known = np.isfinite(wanted) & (errors > 0)
    factor = np.where(known, wanted / np.where(known, errors, 1.0), 1.0)
    return ClusterInfluence(raw.clusters, raw.contributions * factor)


def _average(pooled: PooledAverage, settings: EventStudySettings) -> AverageEffect:
    if not pooled.std_error > 0:
        return AverageEffect(pooled.effect, np.nan, np.nan, np.nan, np.nan, np.nan)
    low, high = pooled.interval(settings.confidence_level)
    return AverageEffect(
        effect=pooled.effect,
        std_error=pooled.std_error,
        degrees=pooled.degrees,
        conf_low=low,
        conf_high=high,
        detectable=detectable_from_std_error(pooled.std_error, pooled.degrees),
    )


def _table(
    averages: Aggregate,
    by_year: Sequence[PooledAverage],
    influence: ClusterInfluence,
    settings: EventStudySettings,
) -> pd.DataFrame:
    is_base = averages.at == -1 - settings.anticipation
    critical = _critical_value(influence, by_year, settings)
    rows = []
    for position, (at, effect, own) in enumerate(zip(averages.at, averages.effects, by_year, strict=True)):
        error, limits = np.nan, (np.nan,) * 4
        if is_base[position]:
            error = 0.0
        elif own.std_error > 0:
            error = own.std_error
            interval = t_interval(effect, error, own.degrees, confidence_level=settings.confidence_level)
            # Never narrower than the pointwise interval: with few clusters its quantile is the larger.
            half = max(critical * error, interval[1] - effect)
            limits = (*interval, effect - half, effect + half)
        n_cohorts = int(averages.n_cohorts[position])
        rows.append((int(at), effect, error, *limits, n_cohorts, bool(is_base[position])))
    return pd.DataFrame(rows, columns=TABLE_COLUMNS)


def _critical_value(
    influence: ClusterInfluence, by_year: Sequence[PooledAverage], settings: EventStudySettings
) -> float:
    """Return the quantile that covers all years with an error at once."""
    known = np.flatnonzero([one.std_error > 0 for one in by_year])
    if not len(known):
        return np.nan
    points = ClusterInfluence(influence.clusters, influence.contributions[:, known])
    draws = draw_errors(points, seed=settings.seed, n_draws=settings.n_draws)
    return simultaneous_critical_value(draws, confidence_level=settings.confidence_level)
