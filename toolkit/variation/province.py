"""Coefficients and inequality of every county and year, and what they come to over a province."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from toolkit.data.county import County
from toolkit.errors import DesignError
from toolkit.indicators.resources import ResourceIndicators, compute_resource_indicators
from toolkit.indicators.unstaged import UnstagedRule
from toolkit.standards import Standard
from toolkit.variation.coefficients import judge_coefficients
from toolkit.variation.inequality import combine_theil, theil

QUANTILES = {"least": 0.0, "tenth": 0.1, "quarter": 0.25, "median": 0.5, "three_quarters": 0.75,
             "nine_tenths": 0.9, "greatest": 1.0}  # fmt: skip
BANDS = ("band_met", "band_near", "band_above", "band_undecided")
# A change needs two years.
MINIMUM_YEARS = 2
KEY = ["year", "stage", "indicator"]
COUNTY_COLUMNS = [
    "county_id", "county_name", *KEY, "n_schools", "n_missing", "students", "amount", "mean",
    "coefficient", "low", "high", "limit", "verdict", "near_limit", "band", "theil",
]  # fmt: skip
LIMIT_COLUMNS = [
    *KEY, "n_counties", "n_without_value", *QUANTILES, "limit", *(f"n_{band}" for band in BANDS), "n_pass",
]  # fmt: skip
INEQUALITY_COLUMNS = [
    *KEY, "n_counties", "n_schools", "n_missing", "students", "mean",
    "theil", "theil_within", "theil_between", "theil_between_counties",
]  # fmt: skip
TREND_COLUMNS = [
    "stage", "indicator", "n_counties", "first_year", "last_year", "median_first", "median_last",
    "theil_first", "theil_last", "between_first", "between_last", "n_pass_first", "n_pass_last",
]  # fmt: skip
MET_COLUMNS = [
    "county_id", "county_name", "year",
    "n_limits", "n_limits_met", "n_limits_near", "n_limits_above", "n_limits_undecided",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Province:
    """Counties judged by one standard, and what they come to together.

    Attributes
    ----------
    standard : Standard
        The standard.
    counties : pandas.DataFrame
        One row per county, year, stage and indicator: schools, those that do not report, `students` and
        `amount` of those that do, county `mean`, `coefficient` with its range, `limit`, `verdict`, `band`
        (within the limit, near it, above it, undecided; "" without a limit), `theil` between the pupils of
        the county.
    limits : pandas.DataFrame
        One row per year, stage and indicator: `n_counties` with a coefficient, its quantiles, counties by
        band, and `n_pass`, those whose verdict is "pass".
    met : pandas.DataFrame
        One row per county and year: how many of the limits are met, near, exceeded, undecided.
    inequality : pandas.DataFrame
        One row per year, stage and indicator: Theil's T over all pupils of the province, `theil_within` and
        `theil_between` counties, and `theil_between_counties`, the share between.
    trends : pandas.DataFrame
        One row per stage and indicator, of the counties that have every year: first and last median
        coefficient, Theil, share between counties, and counties within the limit.
    """

    standard: Standard
    counties: pd.DataFrame
    limits: pd.DataFrame
    met: pd.DataFrame
    inequality: pd.DataFrame
    trends: pd.DataFrame

    @property
    def years(self) -> list[int]:
        """School years, in order."""
        return sorted(int(year) for year in self.counties["year"].unique())

    def tidy(self) -> pd.DataFrame:
        """Return one row per county, year, stage and indicator."""
        return self.counties


def describe_province(
    counties: Iterable[County], standard: Standard, *, unstaged_teachers: UnstagedRule = "undecided"
) -> Province:
    """Judge the counties of a province, one in memory at a time, and put them together.

    Parameters
    ----------
    counties : iterable of County
        With the tables `schools` and `school_years`.
    standard : Standard
        Indicators and limits.
    unstaged_teachers : {"undecided", "by_teachers"}
        As for `compute_resource_indicators`.

    Raises
    ------
    DesignError
        If no county has a school in scope.

    Notes
    -----
    Every pupil counts with what the school has per student of the stage. T = within + between, with
    within = sum of the counties' T weighted by their shares of the resource. Trends are those of the counties
    that have all years, so that no county's coming or going is taken for a change.
    """
    parts = [judge_county_years(county, standard, unstaged_teachers=unstaged_teachers) for county in counties]
    parts = [part for part in parts if len(part)]
    if not parts:
        raise DesignError("province_without_units")
    table = pd.concat(parts, ignore_index=True)
    order = {indicator.id: at for at, indicator in enumerate(standard.indicators)}
    table["_order"] = table["indicator"].map(order).fillna(len(order))
    stage = table["stage"].eq("junior").astype(int)
    table = table.assign(_stage=stage).sort_values(["county_id", "year", "_stage", "_order"], kind="stable")
    table = table[COUNTY_COLUMNS].reset_index(drop=True)
    return Province(
        standard=standard,
        counties=table,
        limits=_limits(table),
        met=_met(table),
        inequality=_inequality(table),
        trends=_trends(table),
    )


def judge_county_years(
    county: County, standard: Standard, *, unstaged_teachers: UnstagedRule = "undecided"
) -> pd.DataFrame:
    """Return the coefficients of every year of a county with what Theil's T of a province needs of it.

    Returns
    -------
    pandas.DataFrame
        With the columns `COUNTY_COLUMNS`; students, amount and Theil are missing in the row of a mean of
        coefficients and where no school has or reports the resource.
    """
    resources = compute_resource_indicators(county, standard, unstaged_teachers=unstaged_teachers)
    parts = [_year(resources, year) for year in resources.years]
    if not parts:
        return pd.DataFrame(columns=COUNTY_COLUMNS)
    table = pd.concat(parts, ignore_index=True)
    return table.assign(county_id=county.county_id, county_name=county.name)[COUNTY_COLUMNS]


def _year(resources: ResourceIndicators, year: int) -> pd.DataFrame:
    """Return coefficients, sums and Theil of one year."""
    judged = [
        judge_coefficients(resources, year=year, stage=stage)
        for stage in resources.stages
        if len(resources.select(year=year, stage=stage))
    ]
    sums = pd.DataFrame(_sums(resources, year), columns=["stage", "indicator", "students", "amount", "theil"])
    table = pd.concat(judged, ignore_index=True).merge(sums, on=["stage", "indicator"], how="left")
    near = table["near_limit"].astype(bool) & table["limit"].notna()
    band = np.select(
        [table["verdict"] == "", table["verdict"] == "undecided", near, table["verdict"] == "pass"],
        ["", "band_undecided", "band_near", "band_met"],
        default="band_above",
    )
    return table.assign(year=year, band=band)


def _sums(resources: ResourceIndicators, year: int) -> list[tuple[str, str, float, float, float]]:
    """Return students, stock and Theil of each stage and indicator that a school has and reports."""
    found = []
    for stage in resources.stages:
        units = resources.select(year=year, stage=stage)
        enrolment = resources.units["enrolment"].to_numpy(dtype=float)[units]
        for k, indicator in enumerate(resources.standard.indicators):
            amount = resources.amount[units, k]
            known = ~np.isnan(amount) & ~np.isnan(enrolment)
            stock, students = amount[known], enrolment[known]
            if stock.sum() > 0:
                spread = theil(stock, students)
                found.append((stage, indicator.id, float(students.sum()), float(stock.sum()), spread))
    return found


def _limits(table: pd.DataFrame) -> pd.DataFrame:
    """Return how the coefficients of the counties are distributed, and how many keep their limit."""
    rows = []
    for key, own in _groups(table, KEY):
        values = own["coefficient"].dropna()
        found = {"n_counties": len(values), "n_without_value": len(own) - len(values)}
        known = {name: values.quantile(share) for name, share in QUANTILES.items()}
        bands = {f"n_{band}": int((own["band"] == band).sum()) for band in BANDS}
        judged = {"limit": own["limit"].max(), "n_pass": int((own["verdict"] == "pass").sum())}
        rows.append(key | found | known | bands | judged)
    return _ordered(pd.DataFrame(rows, columns=LIMIT_COLUMNS))


def _met(table: pd.DataFrame) -> pd.DataFrame:
    """Return how many limits each county meets in each year."""
    judged = table[table["band"] != ""]
    by = judged.groupby(["county_id", "county_name", "year"], sort=True)
    counts = by.agg(
        n_limits=("band", "size"),
        n_limits_met=("verdict", lambda found: int((found == "pass").sum())),
        n_limits_near=("band", lambda found: int((found == "band_near").sum())),
        n_limits_above=("verdict", lambda found: int((found == "fail").sum())),
        n_limits_undecided=("verdict", lambda found: int((found == "undecided").sum())),
    )
    return counts.reset_index()[MET_COLUMNS]


def _inequality(table: pd.DataFrame) -> pd.DataFrame:
    """Return Theil's T of each year, stage and indicator over the counties that have the resource."""
    rows = []
    for key, own in _groups(table.dropna(subset=["students"]), KEY):
        parts = combine_theil(own.rename(columns={"county_id": "location"}))
        students = own["students"].sum()
        found = {
            "n_counties": len(own),
            "n_schools": int(own["n_schools"].sum()),
            "n_missing": int(own["n_missing"].sum()),
            "students": students,
            "mean": (own["mean"] * own["students"]).sum() / students,
            "theil": parts.total,
            "theil_within": parts.within,
            "theil_between": parts.between,
            "theil_between_counties": parts.between / parts.total if parts.total > 0 else np.nan,
        }
        rows.append(key | found)
    return _ordered(pd.DataFrame(rows, columns=INEQUALITY_COLUMNS))


def _trends(table: pd.DataFrame) -> pd.DataFrame:
    """Return first and last year of the counties that have every year of a stage and indicator."""
    rows = []
    n_years = table["year"].nunique()
    for key, own in _groups(table, ["stage", "indicator"]):
        years = own.dropna(subset=["coefficient"]).groupby("county_id")["year"].nunique()
        steady = own[own["county_id"].isin(years.index[years == n_years])]
        if steady.empty or n_years < MINIMUM_YEARS:
            continue
        first, last = int(steady["year"].min()), int(steady["year"].max())
        found = {
            "n_counties": steady["county_id"].nunique(),
            "first_year": first,
            "last_year": last,
            **_state(steady[steady["year"] == first], "first"),
            **_state(steady[steady["year"] == last], "last"),
        }
        rows.append(key | found)
    return pd.DataFrame(rows, columns=TREND_COLUMNS)


def _state(own: pd.DataFrame, name: str) -> dict[str, float]:
    """Return what the counties of one year come to."""
    sums = _inequality(own)
    passed = (own["verdict"] == "pass").sum() if (own["band"] != "").any() else np.nan
    return {
        f"median_{name}": own["coefficient"].median(),
        f"theil_{name}": sums["theil"].iloc[0] if len(sums) else np.nan,
        f"between_{name}": sums["theil_between_counties"].iloc[0] if len(sums) else np.nan,
        f"n_pass_{name}": float(passed),
    }


def _groups(table: pd.DataFrame, key: list[str]) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Give the groups of a table in the order in which they come, each with its key."""
    for values, own in table.groupby(key, sort=False):
        yield dict(zip(key, cast("tuple[Any, ...]", values), strict=True)), own


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table by year, stage and indicator, indicators in the order in which they came."""
    order = {name: at for at, name in enumerate(dict.fromkeys(table["indicator"]))}
    keys = table.assign(_at=table["indicator"].map(order), _stage=table["stage"].eq("junior").astype(int))
    return table.loc[keys.sort_values(["year", "_stage", "_at"], kind="stable").index].reset_index(drop=True)
