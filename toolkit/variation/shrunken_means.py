"""Mean scores of schools, drawn to the county's mean as far as chance explains their distance from it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from toolkit.indicators.outcomes import TEST_KEY, Outcomes
from toolkit.models.random_intercept import fit_random_intercept, group_sums_from_moments
from toolkit.variation.achievement import AchievementReadings, moments_by_test

COLUMNS = [
    *TEST_KEY,
    "school_id",
    "school_name",
    "n_pupils",
    "school_mean",
    "reliability",
    "shrunken",
    "conf_low",
    "conf_high",
]


@dataclass(frozen=True, slots=True)
class ShrunkenMeans:
    """Shrunken mean scores of schools in the highest tested grade of each stage.

    Attributes
    ----------
    year : int
        School year.
    table : pandas.DataFrame
        One row per test and school: `n_pupils`, `school_mean` and `reliability` (share of the variance of
        the mean that is not chance), and `shrunken` with `conf_low` and `conf_high`: standard deviations
        of pupil scores above the mean of all schools.
    confidence_level : float
        Level of the intervals, each for one school.
    """

    year: int
    table: pd.DataFrame
    confidence_level: float

    def tidy(self) -> pd.DataFrame:
        """Return one row per test and school."""
        return self.table


def estimate_shrunken_means(
    outcomes: Outcomes, readings: AchievementReadings, *, year: int, confidence_level: float = 0.95
) -> ShrunkenMeans:
    """Estimate the mean score of each school in the highest tested grade of its stage.

    Best linear unbiased prediction in the random-intercept model, in standard deviations of pupil
    scores. The means describe where pupils stand. They are no measure of what a school adds: neither prior
    attainment nor home background is taken into account. Intervals take the variance components as known,
    and each speaks of one school: they are not made for comparing two.

    References
    ----------
    Goldstein, H. and Healy, M. J. R. (1995). The graphical presentation of a collection of means. Journal
    of the Royal Statistical Society A 158(1), 175-177.
    """
    tests = readings.of_year(year).query("refusal == ''")
    highest = tests[tests["grade"] == tests.groupby("stage")["grade"].transform("max")]
    pupils = outcomes.pupils[outcomes.pupils["year"] == year]
    by_test = moments_by_test(pupils, "points", ["school_id"])
    keys = [tuple(key) for key in highest[TEST_KEY].itertuples(index=False)]
    parts = [_shrunken(by_test[key], confidence_level) for key in keys if key in by_test]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    names = outcomes.schools[outcomes.schools["year"] == year].set_index("school_id")["school_name"]
    table["school_name"] = table["school_id"].map(names)
    return ShrunkenMeans(year=year, table=table[COLUMNS], confidence_level=confidence_level)


def _shrunken(moments: pd.DataFrame, confidence_level: float) -> pd.DataFrame:
    """Return the schools of one test with their shrunken means."""
    fit = fit_random_intercept(group_sums_from_moments(moments["n"], moments["mean"], moments["within_ss"]))
    n, spread = moments["n"].to_numpy(dtype=float), np.sqrt(fit.between_variance + fit.within_variance)
    reliability = fit.between_variance / (fit.between_variance + fit.within_variance / n)
    overall = fit.coefficients[0]
    # The chance in the mean of all schools counts where a school is drawn to it.
    variance = fit.between_variance * (1 - reliability) + ((1 - reliability) * fit.std_error[0]) ** 2
    margin = stats.norm.ppf((1 + confidence_level) / 2) * np.sqrt(variance) / spread
    shrunken = reliability * (moments["mean"].to_numpy() - overall) / spread
    return moments.rename(columns={"n": "n_pupils", "mean": "school_mean"}).assign(
        reliability=reliability,
        shrunken=shrunken,
        conf_low=shrunken - margin,
        conf_high=shrunken + margin,
    )
