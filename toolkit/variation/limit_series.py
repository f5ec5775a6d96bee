"""Means, coefficients and items over the years against their limits, with the breaks of definition."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from toolkit.indicators.items import ItemValues
from toolkit.indicators.resources import ResourceIndicators
from toolkit.standards import Item, Standard
from toolkit.standards.values import Comparator
from toolkit.variation.breaks import Break, break_years, breaks_of
from toolkit.variation.items import judge_range
from toolkit.variation.sensitivities import coefficient_series
from toolkit.variation.series import LONGEST_PROJECTION
from toolkit.variation.trends import MINIMUM_POINTS, Direction, LimitTrend, trend_against_limit

Subject = Literal["mean", "coefficient", "item", "item_units"]
SeriesOutlook = Literal[
    "insufficient",
    "year_incomplete",
    "no_projection",
    "met",
    "met_leaving",
    "reaching",
    "too_far",
    "never",
    "unsteady",
]

UNIT_KINDS = ("class", "school", "town", "project")
DIRECTIONS: dict[str, Direction] = {">=": "at_least", ">": "at_least", "<=": "at_most", "<": "at_most"}
SERIES_KEY = ["standard", "subject", "code", "stage", "entry"]
SERIES_COLUMNS = [*SERIES_KEY, "year", "value", "is_complete", "limit", "comparator"]
TREND_COLUMNS = [
    *SERIES_KEY,
    "limit",
    "comparator",
    "first_year",
    "last_year",
    "n_points",
    "n_points_before_break",
    "breaks",
    "last_value",
    "is_met",
    "slope",
    "reaching_year",
    "outlook",
]


@dataclass(frozen=True, slots=True)
class LimitSeries:
    """Yearly values under one or several standards, and where their slopes lead.

    Attributes
    ----------
    year : int
        School year of the report.
    series : pandas.DataFrame
        One row per series and year with the columns `SERIES_COLUMNS`. Subjects: "mean" (county mean
        of an indicator; its limit is the minimum of each school), "coefficient", "item" (value of
        the county), "item_units" (share of the schools or classes that meet an item). Values of
        years that are not complete are those of what is reported, or missing.
    trends : pandas.DataFrame
        One row per series with the columns `TREND_COLUMNS`, from the complete years since the last
        break. Outlooks: "insufficient" below four of them; "year_incomplete" when the last is not
        `year`; "no_projection" where the rule is no limit on one side; "met", or "met_leaving" when the
        slope leads to the other side within ten years; "never" when the slope leads away; "too_far"
        beyond ten years; else "reaching".
    breaks : tuple of Break
        The declared breaks.
    """

    year: int
    series: pd.DataFrame
    trends: pd.DataFrame
    breaks: tuple[Break, ...]

    def tidy(self) -> pd.DataFrame:
        """Return the yearly values."""
        return self.series


def compute_limit_series(
    *resources: ResourceIndicators, items: ItemValues, last_year: int, breaks: Iterable[Break] = ()
) -> LimitSeries:
    """Follow every mean, coefficient and item up to a year against its limit.

    Parameters
    ----------
    *resources : ResourceIndicators
        Indicators under one standard, or under several: each standard has series of its own, and
        no series ever joins values of two.
    items : ItemValues
        Items of the first standard.
    last_year : int
        School year of the report.
    breaks : iterable of Break
        Declared breaks; a trend starts at the last one.
    """
    breaks = tuple(breaks)
    parts = [part for one in resources for part in _of_resources(one)] + [_items(items)]
    filled = [part for part in parts if len(part)]
    series = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=SERIES_COLUMNS)
    series = series[series["year"] <= last_year].reset_index(drop=True)
    standards = {one.standard.id: one.standard for one in resources}
    trends = [
        _trend(own, last_year, _years(breaks, own, standards))
        for _, own in series.groupby(SERIES_KEY, sort=False)
        if own["is_complete"].any()
    ]
    return LimitSeries(last_year, series, pd.DataFrame(trends, columns=TREND_COLUMNS), breaks)


def series_breaks(found: LimitSeries, code: str) -> tuple[Break, ...]:
    """Return the breaks within the years of the report that touch an indicator or item."""
    years = found.series["year"]
    return tuple(
        entry
        for entry in breaks_of(found.breaks, code)
        if len(years) and years.min() < entry.year <= years.max()
    )


def _years(breaks: tuple[Break, ...], own: pd.DataFrame, standards: dict[str, Standard]) -> tuple[int, ...]:
    code, standard = str(own["code"].iloc[0]), standards[str(own["standard"].iloc[0])]
    numbers = [item.number for item in standard.items if item.id == code]
    return break_years(breaks, code, *numbers)


def _of_resources(resources: ResourceIndicators) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the means, with the minimum that holds for each school, and the coefficients."""
    table = coefficient_series(resources)
    coefficients = _frame(
        resources.standard, "coefficient", table, table["coefficient"], table["limit"].tolist(), "<="
    )
    table = table[table["indicator"] != "composite"]
    minimum = {indicator.id: indicator.minimum for indicator in resources.standard.indicators}
    limits = [
        minimum[code].get(stage, np.nan)
        for code, stage in zip(table["indicator"], table["stage"], strict=True)
    ]
    return _frame(resources.standard, "mean", table, table["mean"], limits, ">="), coefficients


def _frame(
    standard: Standard,
    subject: Subject,
    table: pd.DataFrame,
    value: pd.Series,
    limits: list[float],
    comparator: str,
) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "standard": standard.id,
            "subject": subject,
            "code": table["indicator"].to_numpy(),
            "stage": table["stage"].to_numpy(),
            "entry": "",
            "year": table["year"].astype("int64").to_numpy(),
            "value": value.to_numpy(dtype=float),
            "limit": limits,
            "comparator": comparator,
        }
    )
    complete = (table["n_missing"] == 0).to_numpy(dtype=bool) & frame["value"].notna()
    return frame.assign(is_complete=complete)[SERIES_COLUMNS]


def _items(items: ItemValues) -> pd.DataFrame:
    """Return the numeric items: values of the county, or shares of units that meet them."""
    parts = [
        _share_that_meets(item, items) if item.tested_on in UNIT_KINDS else _county_values(item, items)
        for item in items.standard.items
        if item.limits
    ]
    rows = [row for part in parts for row in part]
    return pd.DataFrame(rows, columns=SERIES_COLUMNS)


def _county_values(item: Item, items: ItemValues) -> list[tuple[object, ...]]:
    table = items.tidy()
    own = table[(table["item"] == item.id) & table["in_use"].astype(bool)]
    # Where all respondents together are judged, theirs is the series.
    pooled = own[own["entry"] == ""]
    own = (pooled if len(pooled) else own).dropna(subset="value")
    # Rules between two numbers, or on an exact one, have no single limit to move towards.
    limit = item.limits[0] if len(item.limits) == 1 else np.nan
    return [
        (
            items.standard.id,
            "item",
            item.id,
            item.stage,
            row["entry"],
            int(row["year"]),
            float(row["value"]),
            True,
            limit,
            item.comparator,
        )
        for row in own.to_dict("records")
    ]


def _share_that_meets(item: Item, items: ItemValues) -> list[tuple[object, ...]]:
    """Return by year the share of the units that meet an item, missing while one is open."""
    own = items.units[items.units["item"] == item.id]
    # Rooms of the required area are compared with the rooms that the classes need.
    limits = np.ones(len(own)) if item.room_bands else own["limit"].to_numpy(dtype=float)
    own = own.assign(limit=limits)
    rows = []
    for year, units in own.groupby("year", sort=True):
        verdicts = np.array(
            [
                judge_range(low, high, item.comparator, (limit, *item.limits[1:]))
                for low, high, limit in zip(units["low"], units["high"], units["limit"], strict=True)
            ]
        )
        high = units["count_high"].to_numpy(dtype=float)
        weight = np.where(np.isfinite(high), high, units["count_low"].to_numpy(dtype=float))
        known = np.isfinite(high).all() and units["certain"].astype(bool).all()
        decided = known and not (verdicts == "undecided").any()
        share = weight[verdicts == "pass"].sum() / weight.sum() if decided and weight.sum() else np.nan
        rows.append(
            (items.standard.id, "item_units", item.id, item.stage, "", int(str(year)), share,
             not np.isnan(share), 1.0, ">=")
        )  # fmt: skip
    return rows


def _trend(own: pd.DataFrame, year: int, breaks: tuple[int, ...]) -> dict[str, object]:
    """Return the trend of one series."""
    first = own.iloc[0]
    comparator, limit = str(first["comparator"]), float(first["limit"])
    complete = own[own["is_complete"]]
    direction = DIRECTIONS.get(comparator, "at_least")
    trend = trend_against_limit(
        complete["year"], complete["value"], limit, direction,
        breaks=breaks, standards=sorted(set(own["standard"])),
    )  # fmt: skip
    met = ""
    if np.isfinite(limit):
        met = judge_range(trend.last_value, trend.last_value, _comparator(comparator), (limit,))
    start, end = int(own["year"].min()), int(own["year"].max())
    return {
        **{name: first[name] for name in SERIES_KEY},
        "limit": limit,
        "comparator": comparator,
        "first_year": trend.first_year,
        "last_year": trend.last_year,
        "n_points": trend.n_points,
        "n_points_before_break": trend.n_points_before_break,
        "breaks": tuple(found for found in breaks if start < found <= end),
        "last_value": trend.last_value,
        "is_met": met,
        "slope": trend.slope,
        "reaching_year": trend.reaching_year if comparator in DIRECTIONS and np.isfinite(limit) else np.nan,
        "outlook": _outlook(trend, complete["value"].to_numpy(dtype=float), met, comparator, limit, year),
    }


def _outlook(
    trend: LimitTrend, values: np.ndarray, met: str, comparator: str, limit: float, year: int
) -> SeriesOutlook:
    """Say what a series allows to say; the more cautious reading comes first."""
    if trend.n_points < MINIMUM_POINTS:
        return "insufficient"
    if trend.last_year < year:
        return "year_incomplete"
    if comparator not in DIRECTIONS or np.isnan(limit):
        return "no_projection"
    if met == "pass":
        later = trend.last_value + trend.slope * LONGEST_PROJECTION
        kept = judge_range(later, later, _comparator(comparator), (limit,))
        return "met" if kept == "pass" else "met_leaving"
    if np.isinf(trend.reaching_year):
        return "never"
    recent = np.polyfit(np.arange(MINIMUM_POINTS), values[-MINIMUM_POINTS:], 1)[0]
    if (recent <= 0) if DIRECTIONS[comparator] == "at_least" else (recent >= 0):
        return "unsteady"
    return "too_far" if trend.reaching_year - year > LONGEST_PROJECTION else "reaching"


def _comparator(name: str) -> Comparator:
    return next(known for known in get_args(Comparator) if known == name)
