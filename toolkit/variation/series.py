"""The coefficients over the years against their limits."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from toolkit.indicators.resources import ResourceIndicators
from toolkit.variation.sensitivities import coefficient_series
from toolkit.variation.trends import MINIMUM_POINTS, LimitTrend, trend_against_limit

TrendOutlook = Literal[
    "insufficient", "year_incomplete", "met", "met_rising", "never", "unsteady", "too_far", "reaching"
]
"""What a series says about its limit, see `CoefficientTrends`."""

# A line through a few points says nothing about a year so far off.
LONGEST_PROJECTION = 10

COLUMNS = [
    "stage",
    "indicator",
    "limit",
    "first_year",
    "last_year",
    "n_points",
    "last_value",
    "slope",
    "reaching_year",
    "is_met",
    "outlook",
]


@dataclass(frozen=True, slots=True)
class CoefficientTrends:
    """Yearly coefficients under one standard, and where their slope leads.

    Attributes
    ----------
    year : int
        School year of the report.
    series : pandas.DataFrame
        One row per stage, indicator and year: `coefficient`, `limit`, `verdict`, `n_schools`, `n_missing`
        and `schools_changed`: whether other schools count than in the year before.
    trends : pandas.DataFrame
        One row per stage and indicator with a limit: `first_year`, `last_year`, `n_points`, `last_value`,
        `limit`, `slope` (per year), `reaching_year`, `is_met`, `outlook`. Outlooks: "insufficient" below
        four complete years; "year_incomplete" when a school does not report in `year`; "met" or
        "met_rising"; "never" when the slope leads away; "unsteady" when the last four years do not fall
        as the whole series does; "too_far" beyond ten years; else "reaching".
    """

    year: int
    series: pd.DataFrame
    trends: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return the yearly coefficients."""
        return self.series


def compute_coefficient_trends(resources: ResourceIndicators, *, last_year: int) -> CoefficientTrends:
    """Follow every coefficient up to a year against its limit.

    Years in which a school does not report have a coefficient of other schools; they are shown
    but do not enter the slope.
    """
    series = coefficient_series(resources)
    series = series[series["year"] <= last_year].reset_index(drop=True)
    changed = _years_with_other_schools(resources)
    series["schools_changed"] = [
        (stage, year) in changed for stage, year in zip(series["stage"], series["year"], strict=True)
    ]
    rows = []
    for stage, indicator in series[["stage", "indicator"]].drop_duplicates().itertuples(index=False):
        own = series[(series["stage"] == stage) & (series["indicator"] == indicator)]
        complete = own[own["n_missing"] == 0].dropna(subset=["coefficient"])
        limit = float(own["limit"].iloc[-1])
        if np.isnan(limit) or complete.empty:
            continue
        years, values = complete["year"].to_numpy(), complete["coefficient"].to_numpy()
        trend = trend_against_limit(years, values, limit, "at_most")
        rows.append(
            (
                stage,
                indicator,
                limit,
                trend.first_year,
                trend.last_year,
                trend.n_points,
                trend.last_value,
                trend.slope,
                trend.reaching_year,
                trend.is_met,
                _outlook(trend, values, last_year),
            )
        )
    return CoefficientTrends(year=last_year, series=series, trends=pd.DataFrame(rows, columns=COLUMNS))


def _outlook(trend: LimitTrend, values: np.ndarray, year: int) -> TrendOutlook:
    """Say what a series allows to say; the more cautious reading comes first."""
    if trend.n_points < MINIMUM_POINTS:
        return "insufficient"
    if trend.last_year < year:
        return "year_incomplete"
    if trend.is_met:
        return "met_rising" if trend.slope > 0 else "met"
    if np.isinf(trend.reaching_year):
        return "never"
    recent = np.polyfit(np.arange(MINIMUM_POINTS), values[-MINIMUM_POINTS:], 1)[0]
    if recent >= 0:
        return "unsteady"
    return "too_far" if trend.reaching_year - year > LONGEST_PROJECTION else "reaching"


def _years_with_other_schools(resources: ResourceIndicators) -> set[tuple[str, int]]:
    """Return stage and year wherever the schools that count are not those of the year before."""
    changed = set()
    for stage in resources.stages:
        before: set[str] | None = None
        for year in resources.years:
            units = resources.select(year=year, stage=stage)
            schools = set(resources.units["school_id"].iloc[units])
            if before is not None and schools != before:
                changed.add((stage, year))
            before = schools
    return changed
