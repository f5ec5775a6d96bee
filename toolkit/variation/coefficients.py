"""Coefficients of variation of one year and stage, judged by their limit."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.indicators.resources import ResourceIndicators
from toolkit.variation.completions import CoefficientRange, coefficient_range, coefficient_verdict
from toolkit.variation.dispersion import coefficient_of_variation
from toolkit.variation.three_valued import at_most

COEFFICIENT_COLUMNS = [
    "stage",
    "indicator",
    "n_schools",
    "n_missing",
    "mean",
    "coefficient",
    "low",
    "high",
    "limit",
    "margin",
    "verdict",
    "near_limit",
]


def judge_coefficients(resources: ResourceIndicators, *, year: int, stage: str) -> pd.DataFrame:
    """Return the coefficient of variation of each indicator in one year and stage, judged by its limit.

    Where the standard limits the mean of the coefficients, the verdict stands in a last row
    "composite" and the indicators have none.

    Returns
    -------
    pandas.DataFrame
        With the columns `COEFFICIENT_COLUMNS`; `verdict` is "" where there is no limit.
    """
    units = resources.select(year=year, stage=stage)
    indicators = resources.standard.indicators
    table = pd.DataFrame(
        [_coefficient(resources, k, indicator.per, units) for k, indicator in enumerate(indicators)],
        columns=["n_missing", "mean", "coefficient", "low", "high"],
    ).assign(indicator=[indicator.id for indicator in indicators])
    limit = resources.standard.coefficient_limits.get(stage, np.nan)
    table["limit"] = np.nan if resources.standard.composite else limit
    if resources.standard.composite:
        mean = table[["coefficient", "low", "high"]].mean(skipna=False)
        table.loc[len(table)] = {
            "indicator": "composite",
            "n_missing": table["n_missing"].max(),
            "limit": limit,
            **mean,
        }
    table["margin"] = table["limit"] - table["coefficient"]
    table["near_limit"] = at_most(table["margin"].abs(), resources.standard.near_limit)
    table["verdict"] = [
        _coefficient_verdict(low, high, limit)
        for low, high, limit in table[["low", "high", "limit"]].itertuples(index=False)
    ]
    return table.assign(stage=stage, n_schools=len(units))[COEFFICIENT_COLUMNS]


def _coefficient(
    resources: ResourceIndicators, k: int, per: int, units: NDArray[np.intp]
) -> tuple[int, float, float, float, float]:
    """Return schools that do not report, county mean, coefficient, and its range over all completions."""
    amount = resources.amount[units, k]
    enrolment = resources.units["enrolment"].to_numpy(dtype=float)[units]
    known = ~np.isnan(amount) & ~np.isnan(enrolment)
    amount, students = amount[known], enrolment[known]
    mean = per * amount.sum() / students.sum() if known.any() else np.nan
    coefficient = coefficient_of_variation(amount, students) if amount.sum() > 0 else np.nan
    high = resources.amount_high[units, k]
    if high.sum() == 0:
        return int((~known).sum()), mean, coefficient, np.nan, np.nan
    bounds = coefficient_range(resources.amount_low[units, k], high, enrolment)
    return int((~known).sum()), mean, coefficient, bounds.low, bounds.high


def _coefficient_verdict(low: float, high: float, limit: float) -> str:
    """Judge a range by its limit; a resource that no school has leaves the coefficient undefined."""
    if np.isnan(limit):
        return ""
    if np.isnan(high):
        return "undecided"
    return coefficient_verdict(CoefficientRange(low, high, high), limit)
