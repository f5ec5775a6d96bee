"""How far the coefficient of variation hangs on single schools, on reporting errors, and on the year.

The schools of a county are a census: these are named sensitivities, not sampling intervals.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from toolkit.variation.completions import CoefficientRange
from toolkit.variation.dispersion import coefficient_of_variation, school_totals
from toolkit.variation.drivers import leave_one_out_coefficients
from toolkit.variation.extremes import Sums, highest_over_vertices, lowest_in_box
from toolkit.variation.three_valued import at_most


@dataclass(frozen=True, slots=True)
class LeaveOneOutRange:
    """The coefficient when one school at a time is left out.

    Attributes
    ----------
    coefficient : float
        CV of all schools.
    low, high : float
        Smallest and largest CV with one school left out.
    without : ndarray of float, (n_schools,)
        CV without each school; NaN where the others have none of the resource.
    decides : ndarray of bool, (n_schools,)
        Schools without which the verdict on the limit is the opposite one.
    """

    coefficient: float
    low: float
    high: float
    without: NDArray[np.float64]
    decides: NDArray[np.bool_]

    def tidy(self) -> pd.DataFrame:
        """Return one row per school, in the order of the input."""
        return pd.DataFrame({"leave_one_out": self.without, "decides": self.decides})


@dataclass(frozen=True, slots=True)
class YearToYearStability:
    """Changes of the coefficient between consecutive years.

    Attributes
    ----------
    n_changes : int
        Pairs of consecutive years that both have a value.
    mean_change : float
        Mean change; NaN without a pair.
    standard_deviation : float
        Standard deviation of the changes (n - 1); NaN below two pairs.
    largest_change : float
        Largest absolute change; NaN without a pair.
    """

    n_changes: int
    mean_change: float
    standard_deviation: float
    largest_change: float


def leave_one_out_range(amount: ArrayLike, enrolment: ArrayLike, *, limit: float) -> LeaveOneOutRange:
    """Return the range of the coefficient with one school left out, and the schools that decide.

    Parameters
    ----------
    amount, enrolment : array_like, (n_schools,)
        As for `coefficient_of_variation`.
    limit : float
        Upper limit of the coefficient, itself included.

    Raises
    ------
    DesignError
        As for `coefficient_of_variation`.
    """
    coefficient = coefficient_of_variation(amount, enrolment)
    without = leave_one_out_coefficients(amount, enrolment)
    defined = without[np.isfinite(without)]
    return LeaveOneOutRange(
        coefficient=coefficient,
        low=float(defined.min()) if len(defined) else np.nan,
        high=float(defined.max()) if len(defined) else np.nan,
        without=without,
        decides=np.isfinite(without) & (at_most(without, limit) != at_most(coefficient, limit)),
    )


def reporting_error_band(
    amount: ArrayLike, enrolment: ArrayLike, *, amount_error: float, enrolment_error: float = 0.0
) -> CoefficientRange:
    """Return all values of the coefficient when every school's totals may be off by a share.

    Each amount lies anywhere in x_i (1 - e) .. x_i (1 + e) and each enrolment likewise with its own
    share, independently of the others. This is the widest range such errors allow, with no
    assumption on how likely they are. The lower end is exact to 1e-9 in
    1 + CV^2; the upper end is exact in
    small counties and else a proven bound, printed beside the largest value found.

    Parameters
    ----------
    amount, enrolment : array_like, (n_schools,)
        As for `coefficient_of_variation`. Zeros are taken as true zeros.
    amount_error, enrolment_error : float
        Largest error as a share of the reported total, in [0, 1).

    Raises
    ------
    DesignError
        As for `coefficient_of_variation`.
    """
    for name, share in (("amount_error", amount_error), ("enrolment_error", enrolment_error)):
        if not 0 <= share < 1:
            raise ValueError(f"{name} must be in [0, 1), not {share}")
    amount, enrolment = school_totals(amount, enrolment)
    amounts = [amount * (1 - amount_error), amount * (1 + amount_error)]
    enrolments = [enrolment * (1 - enrolment_error), enrolment * (1 + enrolment_error)]
    if amount_error == enrolment_error == 0:
        coefficient = coefficient_of_variation(amount, enrolment)
        return CoefficientRange(coefficient, coefficient, coefficient)

    pairs = [
        (x, p) for x in amounts[: 1 + (amount_error > 0)] for p in enrolments[: 1 + (enrolment_error > 0)]
    ]
    highest = highest_over_vertices(
        np.column_stack([x for x, _ in pairs]), np.column_stack([p for _, p in pairs]), Sums(0.0, 0.0, 0.0)
    )
    return CoefficientRange(
        low=coefficient_of_variation(*lowest_in_box(*amounts, *enrolments)),
        high=float(np.sqrt(max(highest.bound - 1, 0))),
        high_found=float(np.sqrt(max(highest.found - 1, 0))),
    )


def year_to_year_stability(years: ArrayLike, coefficients: ArrayLike) -> YearToYearStability:
    """Return how much the coefficient moves from one year to the next.

    Parameters
    ----------
    years : array_like of int, (n_years,)
        School years of one unbroken series.
    coefficients : array_like, (n_years,)
        Coefficient of each year; NaN where it is not decided. Years beside a gap give no change.
    """
    series = pd.Series(np.asarray(coefficients, dtype=float), index=np.asarray(years, dtype=int)).sort_index()
    if series.index.has_duplicates:
        raise ValueError("a year occurs twice")
    changes = (series - series.reindex(series.index - 1).to_numpy()).dropna().to_numpy()
    return YearToYearStability(
        n_changes=len(changes),
        mean_change=float(changes.mean()) if len(changes) else np.nan,
        standard_deviation=float(changes.std(ddof=1)) if len(changes) > 1 else np.nan,
        largest_change=float(np.abs(changes).max()) if len(changes) else np.nan,
    )
