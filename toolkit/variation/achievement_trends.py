"""The between-school share of achievement over the years, without a verdict."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from toolkit.variation.achievement import AchievementReadings
from toolkit.variation.trends import MINIMUM_POINTS

# A sample and a full examination answer different questions: their years are never one series.
SERIES_KEY = ["stage", "grade", "subject", "test", "estimand"]
COLUMNS = [
    *SERIES_KEY,
    "n_points",
    "first_year",
    "last_year",
    "first_icc",
    "last_icc",
    "lowest_icc",
    "highest_icc",
    "slope",
    "intervals_meet",
]


@dataclass(frozen=True, slots=True)
class AchievementTrends:
    """Yearly between-school shares of each grade and subject.

    Attributes
    ----------
    year : int
        School year of the report, the last one used.
    series : pandas.DataFrame
        The readings that have a value, up to `year`.
    trends : pandas.DataFrame
        One row per stage, grade, subject, test and estimand: `n_points`, `first_year`, `last_year`,
        `first_icc`, `last_icc`, `lowest_icc`, `highest_icc`, `slope` (least-squares change per year, missing
        below four years), and `intervals_meet`: whether the intervals of the lowest and the highest year
        share a value.
    """

    year: int
    series: pd.DataFrame
    trends: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per series."""
        return self.trends


def compute_achievement_trends(readings: AchievementReadings, *, last_year: int) -> AchievementTrends:
    """Follow the between-school share of each grade and subject over the years.

    Each year tests other pupils. The slope describes; it has no interval, and no verdict follows from it.
    """
    table = readings.table
    series = table[(table["year"] <= last_year) & (table["refusal"] == "")].reset_index(drop=True)
    rows = [
        (*key, *_trend(own.sort_values("year", kind="stable")))
        for key, own in series.groupby(SERIES_KEY, sort=False)
    ]
    return AchievementTrends(year=last_year, series=series, trends=pd.DataFrame(rows, columns=COLUMNS))


def _trend(own: pd.DataFrame) -> tuple[float | int | bool, ...]:
    """Return the summary of one series, in the order of the columns after its key."""
    years, values = own["year"].to_numpy(dtype=float), own["icc"].to_numpy(dtype=float)
    slope = float(np.polyfit(years, values, 1)[0]) if len(own) >= MINIMUM_POINTS else math.nan
    lowest, highest = int(values.argmin()), int(values.argmax())
    meet = own["icc_high"].iloc[lowest] >= own["icc_low"].iloc[highest]
    return (
        len(own),
        int(years[0]),
        int(years[-1]),
        float(values[0]),
        float(values[-1]),
        float(values[lowest]),
        float(values[highest]),
        slope,
        bool(meet),
    )
