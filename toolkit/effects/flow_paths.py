"""Receiving and sending as doses that start, change and end: effects by years since the first change."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from toolkit.effects.flow_effects import FlowSettings
from toolkit.effects.rotation_data import RotationSample, rotation_settings
from toolkit.effects.rotation_guard import require_records
from toolkit.errors import DesignError
from toolkit.inference.clusters import debiased_effective_clusters, degrees_of_freedom, sum_influence
from toolkit.inference.multiplier import draw_errors, simultaneous_critical_value
from toolkit.models.switching_dose import estimate_switching_dose
from toolkit.models.switching_dose_effects import SwitchingDoseEffects
from toolkit.models.switching_dose_panel import dose_panel

Floats = NDArray[np.float64]

N_EFFECTS, N_PLACEBOS = 3, 2
LEAST_SWITCHERS = 5
PATH_COLUMNS = [
    "flow",
    "event_time",
    "effect",
    "std_error",
    "conf_low",
    "conf_high",
    "band_low",
    "band_high",
    "total",
    "dose_change",
    "n_switchers",
]
AVERAGE_COLUMNS = [
    "flow",
    "effect",
    "std_error",
    "conf_low",
    "conf_high",
    "p_value",
    "detectable",
    "placebo_p_value",
    "n_compared",
    "n_changed",
]


@dataclass(frozen=True, slots=True)
class FlowPaths:
    """Effects of having received, or sent, more teachers than at first.

    Attributes
    ----------
    sample : RotationSample
        Schools.
    table : pandas.DataFrame
        One row per flow and year since its first change (1 is the year of the change), `PATH_COLUMNS`:
        effect per full-time teacher and 100 students, averaged over that year's flow and the earlier ones;
        `total` is that of the whole path, `dose_change` the summed departure of the flow. Negative years are
        placebos.
    averages : pandas.DataFrame
        One row per flow, `AVERAGE_COLUMNS`: total effect of a full-time teacher and 100 students in that year
        and the later ones; `n_compared` of the `n_changed` schools whose flow changed have a comparison.
    refusals : mapping of str to DesignError
        By flow, why nothing is estimated.
    confidence_level : float
        Of the intervals.
    estimates : mapping of str to SwitchingDoseEffects
        By flow that is not refused, effects that are not divided by the flow, with their influence.
    """

    sample: RotationSample
    table: pd.DataFrame
    averages: pd.DataFrame
    refusals: Mapping[str, DesignError]
    confidence_level: float
    estimates: Mapping[str, SwitchingDoseEffects]

    def tidy(self) -> pd.DataFrame:
        """Return one row per flow and year."""
        return self.table.assign(stage=self.sample.stage)


def follow_flow_paths(sample: RotationSample, settings: FlowSettings | None = None) -> FlowPaths:
    """Estimate the effects of receiving and of sending as doses that move both ways.

    A school whose flow first changes in some year is compared, year by year, with schools that had the same
    flow at first, have not changed it yet, and lie in the same county (de Chaisemartin and D'Haultfoeuille).
    Effects may differ between schools and years, and lags matter: the effect after two years is that of two
    years of the flow. The other flows enter as covariates, linearly. Assumed are parallel trends among
    schools with the same first flow, and that nobody responds before the first change.

    Parameters
    ----------
    sample : RotationSample
        Schools of one stage.
    settings : FlowSettings, optional
        Flow in, flow out, and the others that are held fixed.
    """
    chosen = settings or FlowSettings()
    tables, averages, refusals, estimates = [], [], {}, {}
    for name in chosen.flows[:2]:
        try:
            found = _estimate(sample, name, chosen)
        except DesignError as refusal:
            refusals[name] = refusal
            continue
        estimates[name] = found
        tables.append(_path(name, found, chosen))
        averages.append(_average(name, found, chosen))
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=PATH_COLUMNS)
    summed = pd.DataFrame(averages, columns=AVERAGE_COLUMNS)
    return FlowPaths(sample, table, summed, refusals, chosen.confidence_level, estimates)


def _estimate(sample: RotationSample, name: str, settings: FlowSettings) -> SwitchingDoseEffects:
    """Estimate the paths of one flow; the first flows of schools are compared after rounding."""
    require_records(sample, settings.flows)
    step = rotation_settings("settings")["dose_step"]
    rates = {flow: sample.steady_per_100(flow) for flow in settings.flows}
    others = [rates[flow] for flow in settings.flows if flow != name]
    panel = dose_panel(
        sample.outcomes,
        step * np.round(rates[name] / step),
        weights=sample.weights,
        covariates=np.stack(others, axis=2) if others else None,
        strata=sample.blocks,
    )
    found = estimate_switching_dose(
        panel, n_effects=N_EFFECTS, n_placebos=N_PLACEBOS, covariate_error="centred"
    )
    if found.n_switchers[found.event_times > 0].max() < LEAST_SWITCHERS:
        raise DesignError("paths_few_switchers", schools=int(found.n_compared), least=LEAST_SWITCHERS)
    return found


def _path(name: str, found: SwitchingDoseEffects, settings: FlowSettings) -> pd.DataFrame:
    """Return the effects by year per unit of the flow, with intervals at effective clusters and a band."""
    normal = found.normalised
    own = found.normalised_influence
    influence = sum_influence(own, np.arange(len(own)))
    errors = found.std_errors / np.abs(found.dose_changes)
    quantiles = np.array([_quantile(column, settings) for column in influence.contributions.T])
    drawn = draw_errors(influence, seed=settings.seed, n_draws=settings.n_draws)
    normal_quantile = stats.norm.ppf(0.5 + settings.confidence_level / 2)
    wider = simultaneous_critical_value(drawn, confidence_level=settings.confidence_level) / normal_quantile
    table = pd.DataFrame(
        {
            "flow": name,
            "event_time": found.event_times,
            "effect": normal,
            "std_error": errors,
            "conf_low": normal - quantiles * errors,
            "conf_high": normal + quantiles * errors,
            "band_low": normal - wider * quantiles * errors,
            "band_high": normal + wider * quantiles * errors,
            "total": found.effects,
            "dose_change": found.dose_changes,
            "n_switchers": found.n_switchers,
        }
    )[PATH_COLUMNS]
    numbers = ["effect", "std_error", "conf_low", "conf_high", "band_low", "band_high"]
    table.loc[table["n_switchers"] < LEAST_SWITCHERS, numbers] = np.nan
    return table


def _average(name: str, found: SwitchingDoseEffects, settings: FlowSettings) -> dict[str, object]:
    """Return the total effect per unit of the flow, and the joint test of the years before."""
    error = found.average_std_error
    contributions = found.average_influence / len(found.average_influence)
    quantile = _quantile(contributions, settings)
    degrees = degrees_of_freedom(debiased_effective_clusters(contributions))
    return {
        "flow": name,
        "effect": found.average,
        "std_error": error,
        "conf_low": found.average - quantile * error,
        "conf_high": found.average + quantile * error,
        "p_value": float(2 * stats.t.sf(abs(found.average) / error, degrees)),
        "detectable": (quantile + float(stats.t.ppf(settings.power, degrees))) * error,
        "placebo_p_value": _years_before(found),
        "n_compared": found.n_compared,
        "n_changed": found.paths.n_changed,
    }


def _quantile(contributions: Floats, settings: FlowSettings) -> float:
    """Return the t quantile at the effective number of schools less one."""
    degrees = degrees_of_freedom(debiased_effective_clusters(contributions))
    return float(stats.t.ppf(0.5 + settings.confidence_level / 2, degrees))


def _years_before(found: SwitchingDoseEffects) -> float:
    """Return the p-value of the joint test that the years before the change show nothing (Hotelling)."""
    before = np.flatnonzero((found.event_times < 0) & (found.n_switchers >= LEAST_SWITCHERS))
    if not len(before):
        return np.nan
    covariance = found.covariance[np.ix_(before, before)]
    wald = float(found.effects[before] @ np.linalg.solve(covariance, found.effects[before]))
    contributions = found.influence[:, before] / len(found.influence)
    clusters = min(debiased_effective_clusters(column) for column in contributions.T)
    free = clusters - len(before)
    if free <= 0:
        return np.nan
    return float(stats.f.sf(wald * free / (clusters * len(before)), len(before), free))
