"""Which schools drive each coefficient of a county, and where an addition would lower it most."""

from dataclasses import dataclass

import pandas as pd

from toolkit.data.schema import TABLES
from toolkit.indicators.resources import ResourceIndicators
from toolkit.variation.drivers import addition_effects, compute_coefficient_drivers
from toolkit.variation.known import KnownStocks, known_stocks

# An addition that a county could make to one school: one teacher or room, 100 m2, 10,000 yuan.
ADDITION = {"": 1.0, "area": 100.0, "money": 10_000.0}
NUMBERS = ("student_share", "variance_share", "leave_one_out", "value", "mean", "addition", "unit_effect")


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
        (to the school's stock, of which a combined school's stage gets its share), `unit_effect`
        (exact change of the stage's coefficient when the school alone gets it), `mean` (county mean).
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
    empty = resources.units.head(0).assign(indicator="", **dict.fromkeys(NUMBERS, 0.0))
    return SchoolDrivers(year=year, schools=pd.concat([empty, *parts], ignore_index=True))


def addition_of(known: KnownStocks) -> float:
    """Return the size of the addition whose effect is computed, in the unit of the stock."""
    suffix = "" if known.indicator.shared else f"_{known.stage}"
    column = TABLES["school_years"].column(known.indicator.numerator[0].column + suffix)
    return ADDITION[column.quantity]


def _drivers(known: KnownStocks) -> pd.DataFrame:
    addition = addition_of(known)
    found = compute_coefficient_drivers(known.amount, known.enrolment)
    drivers = found.tidy()[["student_share", "variance_share", "leave_one_out"]]
    return pd.concat([known.units, drivers], axis=1).assign(
        indicator=known.indicator.id,
        value=known.indicator.per * found.per_student,
        mean=known.indicator.per * found.county_mean,
        addition=addition,
        unit_effect=addition_effects(known.amount, known.enrolment, addition * known.share),
    )
