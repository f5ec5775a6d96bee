"""What changed against the year before: coefficients above their limits, schools that fail."""

from dataclasses import dataclass

import pandas as pd

from toolkit.indicators.resources import ResourceIndicators
from toolkit.variation.compliance import Compliance, judge_resources

COUNTS = ("n_coefficients_fail", "n_coefficients_undecided", "n_fail", "n_undecided")


@dataclass(frozen=True, slots=True)
class YearlyChange:
    """Verdicts of one year beside those of the year before, under one standard.

    Attributes
    ----------
    year : int
        The later of the two school years.
    stages : pandas.DataFrame
        One row per stage judged in both years: `stage`; `schools` and `coefficients`, "" where the
        standard has no such rule; `n_coefficients_fail`, `n_coefficients_undecided`, `n_fail` and
        `n_undecided`, each also of the year before as `<name>_before`. No rows when the data do not
        hold the year before.
    """

    year: int
    stages: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per stage."""
        return self.stages


def compare_with_year_before(resources: ResourceIndicators, compliance: Compliance) -> YearlyChange:
    """Judge the year before as well and set its counts beside those of the year judged."""
    year = compliance.year
    now = compliance.stages[["stage", "schools", "coefficients", *COUNTS]]
    if year - 1 in resources.years:
        before = judge_resources(resources, year=year - 1).stages
    else:
        before = compliance.stages.iloc[:0]
    before = before[["stage", *COUNTS]].rename(columns={name: f"{name}_before" for name in COUNTS})
    return YearlyChange(year=year, stages=now.merge(before, on="stage"))
