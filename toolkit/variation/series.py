"""The coefficients over the years against their limits."""

from dataclasses import dataclass

import pandas as pd

from toolkit.indicators.resources import ResourceIndicators
from toolkit.variation.sensitivities import coefficient_series
from toolkit.variation.trends import trend_against_limit


@dataclass(frozen=True, slots=True)
class CoefficientTrends:
    """Yearly coefficients under one standard, and where their slope leads.

    Attributes
    ----------
    series : pandas.DataFrame
        One row per stage, indicator and year: `coefficient`, `limit`, `verdict`, `n_schools`, `n_missing`.
    trends : pandas.DataFrame
        One row per stage and indicator with a limit: `first_year`, `last_year`, `n_points`, `last_value`,
        `limit`, `slope` (per year), `reaching_year`, `is_met`, `outlook`.
    """

    series: pd.DataFrame
    trends: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return the yearly coefficients."""
        return self.series


def compute_coefficient_trends(resources: ResourceIndicators, *, last_year: int) -> CoefficientTrends:
    """Follow every coefficient up to a year against its limit.

    Years in which a school does not report have a coefficient of other schools; they are shown
    but do not enter the slope. Below four points no slope is given.
    """
    series = coefficient_series(resources)
    series = series[series["year"] <= last_year].reset_index(drop=True)
    rows = []
    for (stage, indicator), own in series.groupby(["stage", "indicator"], sort=False):
        complete = own[own["n_missing"] == 0].dropna(subset="coefficient")
        limit = own["limit"].iloc[-1]
        if pd.isna(limit) or complete.empty:
            continue
        trend = trend_against_limit(complete["year"], complete["coefficient"], limit, "at_most")
        rows.append(
            {
                "stage": stage,
                "indicator": indicator,
                "limit": limit,
                "first_year": trend.first_year,
                "last_year": trend.last_year,
                "n_points": trend.n_points,
                "last_value": trend.last_value,
                "slope": trend.slope,
                "reaching_year": trend.reaching_year,
                "is_met": trend.is_met,
                "outlook": trend.outlook,
            }
        )
    columns = ["stage", "indicator", "limit", "first_year", "last_year", "n_points", "last_value", "slope",
               "reaching_year", "is_met", "outlook"]  # fmt: skip
    return CoefficientTrends(series=series, trends=pd.DataFrame(rows, columns=columns))
