"""How far each coefficient hangs on single schools, small schools, misreporting and the year."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from toolkit.indicators.resources import ResourceIndicators
from toolkit.variation.coefficients import judge_coefficients
from toolkit.variation.drivers import coefficient_without
from toolkit.variation.known import KnownStocks, known_stocks
from toolkit.variation.sensitivity import leave_one_out_range, reporting_error_band, year_to_year_stability

COLUMNS = [
    "stage",
    "indicator",
    "n_schools",
    "n_missing",
    "coefficient",
    "limit",
    "leave_one_out_low",
    "leave_one_out_high",
    "deciding_schools",
    "without_teaching_points",
    "error_low",
    "error_high",
    "largest_yearly_change",
    "n_changes",
]


@dataclass(frozen=True, slots=True)
class Sensitivities:
    """Named sensitivities of the coefficients of one year; none of them is a sampling interval.

    Attributes
    ----------
    year : int
        School year.
    reporting_error : float
        Share by which each stock may be misreported in `error_low` and `error_high`.
    table : pandas.DataFrame
        One row per stage and indicator: `n_schools`, `n_missing`, `coefficient`, `limit`,
        `leave_one_out_low`, `leave_one_out_high`,
        `deciding_schools` (names of the schools without any one of which the verdict would turn),
        `without_teaching_points`, `error_low`, `error_high`, `largest_yearly_change`, `n_changes`.
    """

    year: int
    reporting_error: float
    table: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per stage and indicator."""
        return self.table


def compute_sensitivities(
    resources: ResourceIndicators, *, year: int, reporting_error: float
) -> Sensitivities:
    """Compute the named sensitivities of every coefficient of one year.

    Parameters
    ----------
    resources : ResourceIndicators
        All years; those up to `year` enter the year-to-year changes.
    year : int
        School year.
    reporting_error : float
        Share by which each school's stock may be misreported, in [0, 1).
    """
    series = coefficient_series(resources)
    series = series[series["year"] <= year]
    rows = [_sensitivity(known, series, reporting_error) for known in known_stocks(resources, year=year)]
    return Sensitivities(
        year=year, reporting_error=reporting_error, table=pd.DataFrame(rows, columns=COLUMNS)
    )


def coefficient_series(resources: ResourceIndicators) -> pd.DataFrame:
    """Return the coefficients of all years: `year` and the columns of `judge_coefficients`."""
    parts = [
        judge_coefficients(resources, year=year, stage=stage).assign(year=year)
        for year in resources.years
        for stage in resources.stages
        if len(resources.select(year=year, stage=stage))
    ]
    return pd.concat(parts, ignore_index=True)


def _sensitivity(known: KnownStocks, series: pd.DataFrame, reporting_error: float) -> dict[str, object]:
    without_one = leave_one_out_range(known.amount, known.enrolment, limit=known.limit)
    band = reporting_error_band(known.amount, known.enrolment, amount_error=reporting_error)
    own = series[(series["stage"] == known.stage) & (series["indicator"] == known.indicator.id)]
    # A coefficient of the schools that happen to report is not compared with one of all schools.
    complete = own[own["n_missing"] == 0]
    changes = year_to_year_stability(complete["year"].to_numpy(), complete["coefficient"].to_numpy())
    return {
        "stage": known.stage,
        "indicator": known.indicator.id,
        "n_schools": len(known.amount),
        "n_missing": known.n_missing,
        "coefficient": without_one.coefficient,
        "limit": known.limit,
        "leave_one_out_low": without_one.low,
        "leave_one_out_high": without_one.high,
        "deciding_schools": tuple(known.units["school_name"][without_one.decides]),
        "without_teaching_points": _without_teaching_points(known),
        "error_low": band.low,
        "error_high": band.high,
        "largest_yearly_change": changes.largest_change,
        "n_changes": changes.n_changes,
    }


def _without_teaching_points(known: KnownStocks) -> float:
    """Return the coefficient without 教学点, missing where there are none or nothing else."""
    points = (known.units["school_type"] == "teaching_point").to_numpy(dtype=bool)
    if not points.any() or known.amount[~points].sum() == 0:
        return np.nan
    return coefficient_without(known.amount, known.enrolment, points)
