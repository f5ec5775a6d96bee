"""What schools were like before any of them adopted: the years, and means over them."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.indicators.adoption import Adoption
from toolkit.indicators.adoption_reasons import ADOPTER
from toolkit.indicators.school_panel import SchoolPanel

LEAST_YEARS_OF_LEVEL = 2
LOCATION_DUMMIES = ("town_area", "rural")


def baseline_years(adoption: Adoption, *, stage: str, selection_years: int = 1) -> tuple[int, ...]:
    """Return the years of data before the first adoption of a stage and before schools were selected.

    One baseline for all units keeps adopters and comparison alike. `selection_years` are the years just
    before an adoption in which schools were chosen, perhaps for a bad result; they are no baseline.
    Without such a year left, and without adopters, there is none.
    """
    units = adoption.units
    own = (units["stage"] == stage) & (units["status"] == ADOPTER)
    if not own.any():
        return ()
    first = units["adoption_year"][own].min() - selection_years
    return tuple(year for year in adoption.data_years if year < first)


def baseline_mean(
    panel: SchoolPanel, outcome: str, years: tuple[int, ...], *, least_years: int = 1
) -> NDArray[np.float64]:
    """Return the mean of an outcome over the baseline years it is known in, (n_units,).

    Missing where it is known in fewer than `least_years` of them.
    """
    values = panel.measures[outcome][:, np.isin(panel.years, years)]
    known = np.isfinite(values)
    counts = known.sum(axis=1)
    sums = np.where(known, values, 0.0).sum(axis=1)
    return np.where(counts >= max(least_years, 1), sums / np.maximum(counts, 1), np.nan)


def prior_achievement(panel: SchoolPanel, years: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the level of achievement over two or more baseline years, (n_units,).

    A single year is no level: schools chosen for one bad year come back to their own mean anyway.
    """
    return baseline_mean(panel, "achievement", years, least_years=LEAST_YEARS_OF_LEVEL)


def location_dummies(units: pd.DataFrame) -> NDArray[np.float64]:
    """Return whether a school lies in a town or in the country, missing where not known, (n_units, 2)."""
    location = units["location"].to_numpy(dtype=object)
    dummies = np.column_stack([(location == place).astype(float) for place in LOCATION_DUMMIES])
    dummies[units["location"].isna().to_numpy()] = np.nan
    return dummies
