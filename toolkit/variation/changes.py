"""How much of a change between two years comes from stock, from enrolment, and from other schools."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from toolkit.indicators.resources import ResourceIndicators
from toolkit.variation.breaks import Break, break_years
from toolkit.variation.dispersion import coefficient_of_variation

# Relative difference below which two stocks are the same number computed in two ways.
EQUAL_STOCKS = 1e-12

MEAN_COLUMNS = [
    "stage",
    "indicator",
    "first_year",
    "last_year",
    "mean_before",
    "mean_after",
    "change",
    "stock_part",
    "enrolment_part",
    "n_left_out",
    "is_broken",
]
COEFFICIENT_COLUMNS = [
    "stage",
    "indicator",
    "first_year",
    "last_year",
    "coefficient_before",
    "coefficient_after",
    "change",
    "stock_part",
    "enrolment_part",
    "schools_part",
    "n_both",
    "n_entered",
    "n_left",
    "n_left_out",
    "is_broken",
]


@dataclass(frozen=True, slots=True)
class SchoolStocks:
    """One resource in the schools of one year; arrays of shape (n_schools,).

    Attributes
    ----------
    school_id : ndarray of str
        Schools, each once.
    stock : ndarray
        Stock of the whole school.
    share : ndarray
        Part of it that the official split gives to the stage; 1 where it is not shared.
    enrolment : ndarray
        Students of the stage.
    """

    school_id: NDArray[np.str_]
    stock: NDArray[np.float64]
    share: NDArray[np.float64]
    enrolment: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MeanChange:
    """Change of a ratio of totals: `change` is `stock_part` + `enrolment_part`."""

    before: float
    after: float
    change: float
    stock_part: float
    enrolment_part: float


@dataclass(frozen=True, slots=True)
class CoefficientChange:
    """Change of a coefficient of variation: `change` is the sum of the three parts.

    NaN where no school, or none of those present in both years, has any of the resource.
    """

    before: float
    after: float
    change: float
    stock_part: float
    enrolment_part: float
    schools_part: float
    n_both: int
    n_entered: int
    n_left: int


@dataclass(frozen=True, slots=True)
class YearlyChanges:
    """Changes of county means and coefficients, each split into its parts.

    Attributes
    ----------
    means : pandas.DataFrame
        One row per stage, indicator and span, with the columns `MEAN_COLUMNS`.
    coefficients : pandas.DataFrame
        The same for the coefficients, with the columns `COEFFICIENT_COLUMNS`.

    Notes
    -----
    Schools that do not report in one of the two years are left out of both (`n_left_out`). A span
    over a declared break has no parts (`is_broken`): the two years do not measure the same.
    """

    means: pd.DataFrame
    coefficients: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return the changes of the means."""
        return self.means


def decompose_changes(
    resources: ResourceIndicators,
    *,
    last_year: int,
    first_years: Iterable[int] | None = None,
    links: pd.DataFrame | None = None,
    breaks: Iterable[Break] = (),
) -> YearlyChanges:
    """Split the change of every county mean and coefficient up to a year into its parts.

    Parameters
    ----------
    resources : ResourceIndicators
        Values of all years under one standard.
    last_year : int
        Later year of every span.
    first_years : iterable of int, optional
        Earlier years; by default the year before and the first year of the data.
    links : pandas.DataFrame, optional
        `school_links`: a school that only changed its code counts as the same one.
    breaks : iterable of Break
        Years from which on an indicator is counted differently.
    """
    years = resources.years
    starts = [last_year - 1, *years[:1]] if first_years is None else list(first_years)
    starts = sorted({year for year in starts if year in years and year < last_year}, reverse=True)
    breaks = tuple(breaks)
    means, coefficients = [], []
    for first_year in starts if last_year in years else []:
        for stage in resources.stages:
            for k, indicator in enumerate(resources.standard.indicators):
                before, after, left_out = _stocks_of_both_years(
                    resources, k, stage, (first_year, last_year), links
                )
                if not len(before.school_id) or not len(after.school_id):
                    continue
                broken = any(first_year < year <= last_year for year in break_years(breaks, indicator.id))
                key = (stage, indicator.id, first_year, last_year)
                means.append((*key, *_mean_row(before, after, indicator.per, broken), left_out, broken))
                coefficients.append((*key, *_coefficient_row(before, after, broken), left_out, broken))
    return YearlyChanges(
        means=pd.DataFrame(means, columns=MEAN_COLUMNS),
        coefficients=pd.DataFrame(coefficients, columns=COEFFICIENT_COLUMNS),
    )


def decompose_mean_change(before: SchoolStocks, after: SchoolStocks, *, per: float = 1) -> MeanChange:
    """Split the change of a county mean into the part from stock and the part from enrolment.

    With the mean m(a, b) = sum(s_i(a) v_i(b)) / sum(P_i(b)), where s_i(a) is the stock of school i
    in year a, v_i(b) the part of it that the official split gives to the stage with the students
    of year b, and P_i(b) those students,

        stock part     = [ m(1, 0) - m(0, 0) + m(1, 1) - m(0, 1) ] / 2
        enrolment part = [ m(0, 1) - m(0, 0) + m(1, 1) - m(1, 0) ] / 2,

    the Shapley values of the two factors. They add up to m(1, 1) - m(0, 0) exactly, do not depend
    on the order in which the factors are changed, and change their sign when the years change
    places. A school that is not there in a year has no stock and no students in it, and is split
    as in its other year. For a stock that is not shared this is the ratio of totals x / P with
    stock part (x1 - x0) (1 / P0 + 1 / P1) / 2.

    Parameters
    ----------
    before, after : SchoolStocks
        The two years, without missing values.
    per : float
        Students that the mean refers to.

    References
    ----------
    Shorrocks, A. F. (2013). Decomposition procedures for distributional analysis: a unified
    framework based on the Shapley value. Journal of Economic Inequality, 11(1), 99-126.
    """
    both = _aligned(before, after)

    def mean(stock_year: int, enrolment_year: int) -> float:
        amount = both.stock[stock_year] * both.share[enrolment_year]
        return float(per * amount.sum() / both.enrolment[enrolment_year].sum())

    stock_part, enrolment_part = shapley_of_two_factors(mean)
    start, end = mean(0, 0), mean(1, 1)
    return MeanChange(start, end, end - start, stock_part, enrolment_part)


def decompose_coefficient_change(before: SchoolStocks, after: SchoolStocks) -> CoefficientChange:
    """Split the change of a coefficient of variation into stock, enrolment, and entry and exit.

    With c(a, b) the coefficient of the schools present in both years, computed from the stocks of
    year a and the students (and so the weights, the values per student and the split) of year b,
    the parts from stock and from enrolment are the Shapley values of `decompose_mean_change` with
    c in place of m. Schools that entered or left make the rest:

        schools part = [ CV(all, 1) - c(1, 1) ] - [ CV(all, 0) - c(0, 0) ].

    The three parts add up to the change of the coefficient of all schools exactly.

    Parameters
    ----------
    before, after : SchoolStocks
        The two years, without missing values.

    References
    ----------
    Shorrocks, A. F. (2013), as for `decompose_mean_change`.
    """
    both = _aligned(before, after)
    present = both.present[0] & both.present[1]

    def coefficient(stock_year: int, enrolment_year: int) -> float:
        amount = both.stock[stock_year] * both.share[enrolment_year]
        return _coefficient(amount[present], both.enrolment[enrolment_year][present])

    stock_part, enrolment_part = shapley_of_two_factors(coefficient)
    start, end = (
        _coefficient((both.stock * both.share)[year][there], both.enrolment[year][there])
        for year, there in enumerate(both.present)
    )
    stayed = coefficient(1, 1) - coefficient(0, 0)
    unchanged = bool(present.all())
    return CoefficientChange(
        before=start,
        after=end,
        change=end - start,
        stock_part=stock_part,
        enrolment_part=enrolment_part,
        # Without entry and exit the rest is zero, not the rounding of two orders of summation.
        schools_part=0.0 if unchanged and np.isfinite(stayed) else (end - start) - stayed,
        n_both=int(present.sum()),
        n_entered=int((~both.present[0]).sum()),
        n_left=int((~both.present[1]).sum()),
    )


def shapley_of_two_factors(value: Callable[[int, int], float]) -> tuple[float, float]:
    """Return the parts of two factors in value(1, 1) - value(0, 0), the mean over both orders.

    Parameters
    ----------
    value : callable
        Value with the first and the second factor as before (0) or after (1).
    """
    first = (value(1, 0) - value(0, 0) + value(1, 1) - value(0, 1)) / 2
    second = (value(0, 1) - value(0, 0) + value(1, 1) - value(1, 0)) / 2
    return first, second


@dataclass(frozen=True, slots=True)
class _BothYears:
    """Schools of either year; arrays of shape (2, n_schools), the earlier year first."""

    stock: NDArray[np.float64]
    share: NDArray[np.float64]
    enrolment: NDArray[np.float64]
    present: NDArray[np.bool_]


def _aligned(before: SchoolStocks, after: SchoolStocks) -> _BothYears:
    """Set the schools of two years side by side; absent ones have nothing and keep their split."""
    frames = [_by_school(year) for year in (before, after)]
    schools = frames[0].index.union(frames[1].index, sort=True)
    wide = [frame.reindex(schools) for frame in frames]
    present = np.vstack([frame["enrolment"].notna().to_numpy() for frame in wide])
    share = np.vstack([frame["share"].to_numpy(dtype=float) for frame in wide])
    stock = np.vstack([frame["stock"].fillna(0.0).to_numpy(dtype=float) for frame in wide])
    # A shared stock is recovered from its part: one that did not change must not differ by rounding.
    unchanged = np.isclose(stock[0], stock[1], rtol=EQUAL_STOCKS, atol=0)
    return _BothYears(
        stock=np.where(unchanged, stock[0], stock),
        share=np.where(present, share, share[::-1]),
        enrolment=np.vstack([frame["enrolment"].fillna(0.0).to_numpy(dtype=float) for frame in wide]),
        present=present,
    )


def _by_school(stocks: SchoolStocks) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"stock": stocks.stock, "share": stocks.share, "enrolment": stocks.enrolment}, index=stocks.school_id
    )
    if frame.index.has_duplicates or frame.isna().to_numpy().any():
        raise ValueError("schools of a year must be known and occur once")
    return frame


def _coefficient(amount: ArrayLike, enrolment: ArrayLike) -> float:
    """Return the coefficient, NaN where no school has any of the resource."""
    return coefficient_of_variation(amount, enrolment) if np.sum(amount) > 0 else np.nan


def _mean_row(before: SchoolStocks, after: SchoolStocks, per: int, broken: bool) -> tuple[float, ...]:
    found = decompose_mean_change(before, after, per=per)
    if broken:
        return found.before, found.after, np.nan, np.nan, np.nan
    return found.before, found.after, found.change, found.stock_part, found.enrolment_part


def _coefficient_row(before: SchoolStocks, after: SchoolStocks, broken: bool) -> tuple[float, ...]:
    found = decompose_coefficient_change(before, after)
    parts = (found.change, found.stock_part, found.enrolment_part, found.schools_part)
    parts = (np.nan,) * len(parts) if broken else parts
    return (found.before, found.after, *parts, found.n_both, found.n_entered, found.n_left)


def _stocks_of_both_years(
    resources: ResourceIndicators, k: int, stage: str, years: tuple[int, int], links: pd.DataFrame | None
) -> tuple[SchoolStocks, SchoolStocks, int]:
    """Return one indicator of two years without the schools unknown in one of them, and their number."""
    codes = [_codes(resources, year, stage) for year in years]
    codes[0] = _as_called_later(codes[0], links, years)
    known = [_known(resources, k, year, stage) for year in years]
    unknown = {
        code
        for own, is_known in zip(codes, known, strict=True)
        for code in np.asarray(own)[~is_known].tolist()
    }
    sides = [
        _select(resources, k, resources.select(year=year, stage=stage), own, unknown)
        for year, own in zip(years, codes, strict=True)
    ]
    return sides[0], sides[1], len(unknown)


def _codes(resources: ResourceIndicators, year: int, stage: str) -> list[str]:
    units = resources.select(year=year, stage=stage)
    return resources.units["school_id"].iloc[units].astype(str).tolist()


def _known(resources: ResourceIndicators, k: int, year: int, stage: str) -> NDArray[np.bool_]:
    units = resources.select(year=year, stage=stage)
    enrolment = resources.units["enrolment"].to_numpy(dtype=float)[units]
    return np.isfinite(resources.amount[units, k]) & np.isfinite(enrolment)


def _select(
    resources: ResourceIndicators, k: int, units: NDArray[np.intp], codes: list[str], unknown: set[str]
) -> SchoolStocks:
    kept = np.array([code not in unknown for code in codes], dtype=bool)
    chosen = units[kept]
    share = resources.share[chosen, k]
    return SchoolStocks(
        school_id=np.asarray(codes, dtype=str)[kept],
        stock=resources.amount[chosen, k] / share,
        share=share,
        enrolment=resources.units["enrolment"].to_numpy(dtype=float)[chosen],
    )


def _as_called_later(codes: list[str], links: pd.DataFrame | None, years: tuple[int, int]) -> list[str]:
    """Return the codes of the earlier year with those of renamed schools replaced by the later ones."""
    if links is None or links.empty:
        return codes
    # A new code holds from the school year whose statistic date, 1 September, is not before the link.
    starts = links["link_date"].dt.year + (links["link_date"].dt.month > 9)
    renamed = links[(links["link_kind"] == "rename") & (starts > years[0]) & (starts <= years[1])]
    later = {
        str(row["from_school_id"]): str(row["to_school_id"])
        for row in renamed.sort_values("link_date", kind="stable").to_dict("records")
    }
    found = []
    for code in codes:
        # A code can change more than once; a circle of links ends where it began.
        seen = {code}
        while later.get(code, code) not in seen:
            code = later[code]
            seen.add(code)
        found.append(code)
    return found if len(set(found)) == len(found) else codes
