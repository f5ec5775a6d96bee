"""Where a yearly series is heading, against a limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from toolkit.errors import DesignError
from toolkit.variation.three_valued import at_least, at_most

Direction = Literal["at_most", "at_least"]
Outlook = Literal["insufficient", "no_deadline", "deadline_passed", "on_track", "off_track"]

# Three points on a line say nothing about whether there is one.
MINIMUM_POINTS = 4


@dataclass(frozen=True, slots=True)
class LimitTrend:
    """Slope of the last unbroken part of a series and what it means for a limit.

    Attributes
    ----------
    first_year, last_year : int
        Years of the part that is used, those without a value left out.
    n_points : int
        Its points.
    n_points_before_break : int
        Points before the last break, which are not used.
    last_value : float
        Observed value of `last_year`.
    is_met : bool
        Whether `last_value` keeps the limit.
    slope : float
        Least-squares change per year; NaN when insufficient.
    reaching_year : float
        First school year that keeps the limit when the last observed value moves on by the slope:
        `last_year` when it is kept already, infinite when the slope leads away, NaN when insufficient.
    outlook : {"insufficient", "no_deadline", "deadline_passed", "on_track", "off_track"}
        "insufficient" below four points; "on_track" when the same line keeps the limit in the
        deadline year, so a series that meets it now but is about to leave it is off track.
    """

    first_year: int
    last_year: int
    n_points: int
    n_points_before_break: int
    last_value: float
    is_met: bool
    slope: float
    reaching_year: float
    outlook: Outlook


def trend_against_limit(
    years: ArrayLike,
    values: ArrayLike,
    limit: float,
    direction: Direction,
    *,
    deadline: int | None = None,
    breaks: Sequence[int] = (),
    standards: Sequence[str] = (),
) -> LimitTrend:
    """Project a yearly series towards its limit on its present slope.

    The projection starts at the last observed value and moves by the least-squares slope of the
    unbroken part: value(year) = last value + slope (year - last year). It is a reading of the
    past, not a forecast, and has no interval.

    Parameters
    ----------
    years : array_like of int, (n_years,)
        School years in any order.
    values : array_like, (n_years,)
        Value of each year; NaN where it is missing or not decided.
    limit : float
        Limit, itself included.
    direction : {"at_most", "at_least"}
        Side of the limit that is asked for.
    deadline : int, optional
        School year in which the limit must be kept.
    breaks : sequence of int
        First years of a new definition, scope or boundary. Parts are never joined.
    standards : sequence of str
        Standard behind each value; a series has one.

    Raises
    ------
    DesignError
        If values of two standards are given as one series, a year occurs twice, or there is no value.
    """
    if direction not in get_args(Direction):
        raise ValueError(f"direction must be one of {get_args(Direction)}, not {direction!r}")
    if len(set(standards)) > 1:
        raise DesignError("variation_standards_mixed", standards=", ".join(sorted(set(standards))))
    years, values = np.asarray(years, dtype=int), np.asarray(values, dtype=float)
    if len(np.unique(years)) < len(years):
        raise DesignError(
            "variation_year_repeated", year=int(np.sort(years)[:-1][np.diff(np.sort(years)) == 0][0])
        )
    known = np.isfinite(values)
    if not known.any():
        raise DesignError("variation_series_empty")
    order = np.argsort(years[known])
    years, values = years[known][order], values[known][order]
    start = max((year for year in breaks if year <= years[-1]), default=years[0])
    used = years >= start

    slope = _slope(years[used], values[used])
    last_year, last_value = int(years[-1]), float(values[-1])
    return LimitTrend(
        first_year=int(years[used][0]),
        last_year=last_year,
        n_points=int(used.sum()),
        n_points_before_break=int((~used).sum()),
        last_value=last_value,
        is_met=_keeps(last_value, limit, direction),
        slope=slope,
        reaching_year=_reaching_year(last_year, last_value, slope, limit, direction),
        outlook=_outlook(last_year, last_value, slope, limit, direction, deadline),
    )


def _slope(years: np.ndarray, values: np.ndarray) -> float:
    """Return the least-squares slope per year, NaN below four points."""
    if len(years) < MINIMUM_POINTS:
        return np.nan
    centred = years - years.mean()
    return float(centred @ (values - values.mean()) / (centred @ centred))


def _keeps(value: float, limit: float, direction: Direction) -> bool:
    """Say whether a value keeps the limit."""
    return bool(at_most(value, limit) if direction == "at_most" else at_least(value, limit))


def _reaching_year(
    last_year: int, last_value: float, slope: float, limit: float, direction: Direction
) -> float:
    """Return the first whole year in which the line keeps the limit."""
    if np.isnan(slope):
        return np.nan
    if _keeps(last_value, limit, direction):
        return float(last_year)
    if slope == 0 or (slope < 0) != (limit < last_value):
        return np.inf
    exact = (limit - last_value) / slope
    # The line may meet the limit in a whole year up to rounding.
    return float(last_year + max(1, np.ceil(exact - 1e-9 * max(1.0, exact))))


def _outlook(
    last_year: int,
    last_value: float,
    slope: float,
    limit: float,
    direction: Direction,
    deadline: int | None,
) -> Outlook:
    """Judge the line in the year of the deadline."""
    if np.isnan(slope):
        return "insufficient"
    if deadline is None:
        return "no_deadline"
    if deadline < last_year:
        return "deadline_passed"
    kept = _keeps(last_value + slope * (deadline - last_year), limit, direction)
    return "on_track" if kept else "off_track"
