"""Which schools drive each coefficient of a county, and where an addition would lower it most."""

from dataclasses import dataclass

import pandas as pd

from toolkit.data.schema import TABLES
from toolkit.indicators.resources import ResourceIndicators
from toolkit.variation.drivers import compute_coefficient_drivers
from toolkit.variation.known import KnownStocks, known_stocks

# An addition that a county could make to one school: one teacher or room, 100 m2, 10,000 yuan.
ADDITION = {"": 1.0, "area": 100.0, "money": 10_000.0}


@dataclass(frozen=True, slots=True)
class SchoolDrivers:
    """The part of each school in each coefficient of one year.

    Attributes
    ----------
    year : int
        School year.
    schools : pandas.DataFrame
        One row per unit and indicator that reports: identity, `indicator`, `value`, `student_share`,
        `variance_share` (adds up to 1), `leave_one_out` (coefficient of the others), `addition`
        (size of the addition), `unit_effect` (change of the coefficient when the school alone
        gets it), `more_lowers_coefficient`.
    """

    year: int
    schools: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per unit and indicator."""
        return self.schools


def compute_school_drivers(resources: ResourceIndicators, *, year: int) -> SchoolDrivers:
    """Compute contributions, leave-one-out coefficients and effects of an addition for one year.

    Schools that do not report an indicator are left out of that indicator.
    """
    parts = [_drivers(known) for known in known_stocks(resources, year=year)]
    empty = resources.units.head(0).assign(indicator="", value=0.0)
    return SchoolDrivers(year=year, schools=pd.concat([empty, *parts], ignore_index=True))


def addition_of(known: KnownStocks) -> float:
    """Return the size of the addition whose effect is computed, in the unit of the stock."""
    suffix = "" if known.indicator.shared else f"_{known.stage}"
    column = TABLES["school_years"].column(known.indicator.numerator[0].column + suffix)
    return ADDITION[column.quantity]


def _drivers(known: KnownStocks) -> pd.DataFrame:
    addition = addition_of(known)
    drivers = compute_coefficient_drivers(known.amount, known.enrolment, unit=addition).tidy()
    value = known.indicator.per * drivers["per_student"]
    identity = known.units.assign(indicator=known.indicator.id, value=value, addition=addition)
    columns = ["student_share", "variance_share", "leave_one_out", "unit_effect", "more_lowers_coefficient"]
    return pd.concat([identity, drivers[columns]], axis=1)
