"""Receiving, sending and first-year effects of rotation, estimated together, and their net."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from toolkit.effects.guard import DesignGuard
from toolkit.effects.rotation_data import RotationSample
from toolkit.effects.rotation_guard import check_rotation_design, effective_schools
from toolkit.inference.clusters import degrees_of_freedom
from toolkit.inference.wild_bootstrap import WildTest, wild_cluster_test
from toolkit.models.flow_regression import FlowRegression, estimate_flow_regression

Floats = NDArray[np.float64]

JOINT_FLOWS = ("backbone_inflow", "backbone_outflow", "first_year_inflow")
"""Receiving, sending, disruption."""

EFFECT_COLUMNS = [
    "flow",
    "effect",
    "std_error",
    "degrees",
    "conf_low",
    "conf_high",
    "p_value",
    "detectable",
    "spread",
    "effective",
]
NET_COLUMNS = ["net", "effect", "std_error", "conf_low", "conf_high", "p_value"]


@dataclass(frozen=True, slots=True)
class FlowSettings:
    """How the joint model is estimated. Set before looking at the results.

    Attributes
    ----------
    flows : tuple of str
        Names in `RotationSample.flows`: flow in, flow out, teachers in their first year, in this order.
    confidence_level, power : float
        Of the intervals, and of the detectable effects.
    n_draws, seed : int
        Of the wild bootstrap; no draws, no bootstrap.
    """

    flows: tuple[str, ...] = JOINT_FLOWS
    confidence_level: float = 0.95
    power: float = 0.80
    n_draws: int = 999
    seed: int = 1


@dataclass(frozen=True, slots=True)
class FlowStudy:
    """What rotation did at receiving and sending schools.

    Attributes
    ----------
    sample : RotationSample
        Schools.
    settings : FlowSettings
        Design.
    guard : DesignGuard
        What the design cannot identify, or only with care.
    regression : FlowRegression or None
        None where the guard refuses.
    table : pandas.DataFrame
        One row per flow, `EFFECT_COLUMNS`: effect of one full-time equivalent per 100 students on the
        outcome, with the printed interval; `detectable` at the power; `spread` is the standard deviation of
        the flow that identifies it, `effective` the effective number of schools behind it.
    net : pandas.DataFrame
        `NET_COLUMNS`, see `net_effects`.
    covariance : ndarray, (n_flows, n_flows)
        Of the effects.
    placebo_p_value : float
        Of the joint test that next year's flows in and out do nothing this year.
    wild : tuple of WildTest
        Each effect judged by the wild cluster bootstrap, beside the printed interval.
    without_trends : pandas.DataFrame
        `EFFECT_COLUMNS` once more, each school's linear trend taken out: teachers may have been sent where
        scores were rising steadily, which the test of next year's flows does not see. Empty where the years
        do not suffice.
    """

    sample: RotationSample
    settings: FlowSettings
    guard: DesignGuard
    regression: FlowRegression | None
    table: pd.DataFrame
    net: pd.DataFrame
    covariance: Floats = field(default_factory=lambda: np.empty((0, 0)))
    placebo_p_value: float = np.nan
    wild: tuple[WildTest, ...] = ()
    without_trends: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=EFFECT_COLUMNS))

    @property
    def is_refused(self) -> bool:
        """Whether nothing was estimated."""
        return self.regression is None

    def tidy(self) -> pd.DataFrame:
        """Return one row per flow."""
        return self.table.assign(stage=self.sample.stage, outcome=self.sample.outcome)


def study_flows(sample: RotationSample, settings: FlowSettings | None = None) -> FlowStudy:
    """Estimate receiving, sending and first-year effects jointly, or say why they cannot be.

    Estimand: the change of a school's outcome with one more full-time equivalent per 100 students of the
    flow, the other flows held fixed; the same at every school and in every year (linear). With effects that
    differ the estimate is an average that weights observations by how much of the flow the rest leaves.
    Schools whose flows in and out stay as they were are the comparison; they may be touched through pupils
    and teachers of the others (interference), and the effects are those of schools within one county.

    Standard errors allow any dependence over the years of a school; and, where larger, dependence between
    two schools in a year in which a teacher of one was at the other, too. t quantiles at the effective
    number of schools less one.

    Parameters
    ----------
    sample : RotationSample
        Schools of one stage.
    settings : FlowSettings, optional
        Flows and level.
    """
    chosen = settings or FlowSettings()
    guard = check_rotation_design(sample, chosen.flows)
    if guard.is_refused:
        nothing = pd.DataFrame(columns=EFFECT_COLUMNS), pd.DataFrame(columns=NET_COLUMNS)
        return FlowStudy(sample, chosen, guard, None, *nothing)
    found = estimate_flow_regression(sample.panel_of(chosen.flows))
    covariance = linked_covariance(found, sample.links)
    return FlowStudy(
        sample=sample,
        settings=chosen,
        guard=guard,
        regression=found,
        table=_table(found, covariance, chosen),
        net=net_effects(sample, found, covariance, chosen),
        covariance=covariance,
        placebo_p_value=_next_year(sample, chosen),
        wild=_wild(found, chosen),
        without_trends=_without_trends(sample, chosen),
    )


def _table(found: FlowRegression, covariance: Floats, settings: FlowSettings) -> pd.DataFrame:
    """Return one row per flow with effect, interval and what identifies it."""
    effective = effective_schools(found)
    rows = [
        (
            name,
            *_judged(found.estimates[term], covariance[term, term], effective[term], settings),
            found.spreads[term],
            effective[term],
        )
        for term, name in enumerate(settings.flows)
    ]
    return pd.DataFrame(rows, columns=EFFECT_COLUMNS)


def _without_trends(sample: RotationSample, settings: FlowSettings) -> pd.DataFrame:
    """Return the effects once each school's linear trend is taken out."""
    try:
        found = estimate_flow_regression(sample.panel_of(settings.flows, with_trends=True))
    except ValueError:
        return pd.DataFrame(columns=EFFECT_COLUMNS)
    return _table(found, linked_covariance(found, sample.links), settings)


def linked_covariance(found: FlowRegression, links: NDArray[np.int64]) -> Floats:
    """Return the covariance of the effects, by school and between schools linked by a teacher.

    Sums over the years of a school are squared, times G / (G - 1); products of the contributions of two
    linked schools in the year of the link are added. A variance that this makes smaller (or negative) is
    that by school alone.
    """
    sums = found.contributions.sum(axis=1)
    n_schools = int(found.cells.any(axis=1).sum())
    own = sums.T @ sums * n_schools / (n_schools - 1)
    one, other, year = links.T
    crossed = found.contributions[one, year].T @ found.contributions[other, year]
    linked = own + crossed + crossed.T
    # Scaling rows and columns keeps the correlations of the estimates and raises variances only.
    scale = np.sqrt(np.maximum(np.diag(linked) / np.diag(own), 1.0))
    return own * np.outer(scale, scale)


def net_effects(
    sample: RotationSample, found: FlowRegression, covariance: Floats, settings: FlowSettings
) -> pd.DataFrame:
    """Return what the effects come to when both schools of a move are counted.

    "net_move": one teacher who moves between two schools, in standard deviations summed over their pupils
    and divided by 100: 100 pupils gain by the effect of receiving and 100 lose by that of sending, whatever
    the sizes of the schools, since an effect per 100 students is shared by more students in a larger one.
    "net_first_year": the same in the first year of the move. "net_county": effect of all rotation of the
    last year on the mean of the county's pupils of the stage.
    """
    names = settings.flows
    rows = []
    move = np.array([1.0 if place < 2 else 0.0 for place in range(len(names))])
    first = np.ones(len(names))
    last = len(sample.years) - 1
    students = sample.enrolment[:, last]
    counted = np.isfinite(students) & (students > 0)
    flows = np.column_stack([sample.flows[name][:, last] for name in names])
    county = np.average(np.nan_to_num(flows[counted]), axis=0, weights=students[counted])
    effective = effective_schools(found)
    for name, weights in (("net_move", move), ("net_first_year", first), ("net_county", county)):
        if name == "net_first_year" and len(names) < 3:
            continue
        effect = float(weights @ found.estimates)
        variance = float(weights @ covariance @ weights)
        used = effective[weights != 0].min() if (weights != 0).any() else np.nan
        rows.append((name, *_judged(effect, variance, used, settings)))
    columns = ["net", *EFFECT_COLUMNS[1:8]]
    return pd.DataFrame(rows, columns=columns)[NET_COLUMNS]


def _judged(effect: float, variance: float, effective: float, settings: FlowSettings) -> tuple[float, ...]:
    """Return effect, standard error, degrees of freedom, interval, p-value and detectable effect."""
    error, degrees = float(np.sqrt(variance)), degrees_of_freedom(effective)
    quantile = float(stats.t.ppf(0.5 + settings.confidence_level / 2, degrees))
    p_value = float(2 * stats.t.sf(abs(effect) / error, degrees)) if error > 0 else np.nan
    detectable = (quantile + float(stats.t.ppf(settings.power, degrees))) * error
    return (
        float(effect),
        error,
        degrees,
        effect - quantile * error,
        effect + quantile * error,
        p_value,
        detectable,
    )


def _next_year(sample: RotationSample, settings: FlowSettings) -> float:
    """Return the p-value of the joint test that next year's flows in and out do nothing this year.

    Missing where the last year taken off leaves too little.
    """
    ahead = settings.flows[:2]
    try:
        found = estimate_flow_regression(sample.panel_of(settings.flows, leads=ahead))
    except ValueError:
        return np.nan
    terms = np.arange(len(settings.flows), len(settings.flows) + len(ahead))
    covariance = linked_covariance(found, sample.links)[np.ix_(terms, terms)]
    statistic = found.estimates[terms] @ np.linalg.solve(covariance, found.estimates[terms])
    degrees = degrees_of_freedom(float(effective_schools(found)[terms].min()))
    n_terms = len(terms)
    # Hotelling's factor: the covariance is estimated with few degrees of freedom.
    scaled = statistic * (degrees - n_terms + 1) / (degrees * n_terms)
    if degrees - n_terms + 1 <= 0:
        return np.nan
    return float(stats.f.sf(scaled, n_terms, degrees - n_terms + 1))


def _wild(found: FlowRegression, settings: FlowSettings) -> tuple[WildTest, ...]:
    """Judge each effect by the wild cluster bootstrap over schools."""
    if not settings.n_draws:
        return ()
    return tuple(
        wild_cluster_test(
            found.outcome,
            found.flows,
            found.units,
            seed=settings.seed,
            coefficient=term,
            residualise=found.residualise,
            n_draws=settings.n_draws,
            confidence_level=settings.confidence_level,
        )
        for term in range(len(found.estimates))
    )


def study_flow_kinds(sample: RotationSample, kinds: Sequence[str], settings: FlowSettings) -> FlowStudy:
    """Estimate the joint model with the flow in split into kinds (by spell year, direction or group).

    Parameters
    ----------
    sample : RotationSample
        Schools of one stage.
    kinds : sequence of str
        Names of flows that take the place of the first; kinds that no school had are left out.
    settings : FlowSettings
        Of the joint model. The wild bootstrap is for the primary effects alone.
    """
    some = tuple(kind for kind in kinds if np.nansum(sample.flows.get(kind, np.zeros(1))) > 0)
    # The flow out comes second, where the guard looks for it.
    flows = (*some[:1], settings.flows[1], *some[1:], *settings.flows[2:])
    return study_flows(sample, replace(settings, flows=flows, n_draws=0))
