"""Inequality of each resource over students, and how much of it lies between town and country."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from toolkit.indicators.resources import ResourceIndicators
from toolkit.variation.inequality import compute_lorenz_curve, decompose_theil, decompose_variance, gini
from toolkit.variation.known import KnownStocks, known_stocks

INEQUALITY_COLUMNS = [
    "stage",
    "indicator",
    "n_schools",
    "gini",
    "theil",
    "theil_between_share",
    "variance_between_share",
]
LOCATION_COLUMNS = ["stage", "indicator", "location", "n_schools", "student_share", "mean", "variance_share"]
CURVE_COLUMNS = ["student_share", "amount_share", "stage", "indicator"]


@dataclass(frozen=True, slots=True)
class LocationComparison:
    """Gini, Theil and variance of each resource in one year, by location.

    Attributes
    ----------
    year : int
        School year.
    table : pandas.DataFrame
        One row per stage and indicator: `gini`, `theil`, `theil_between_share`, `variance_between_share`.
        The shares are missing when no school has another location than the others.
    locations : pandas.DataFrame
        One row per stage, indicator and location: `n_schools`, `student_share`, `mean`, `variance_share`.
    curves : pandas.DataFrame
        Points of the Lorenz curves: `stage`, `indicator`, `student_share`, `amount_share`.
    n_without_location : int
        Units left out of the shares because the register gives no location.
    """

    year: int
    table: pd.DataFrame
    locations: pd.DataFrame
    curves: pd.DataFrame
    n_without_location: int

    def tidy(self) -> pd.DataFrame:
        """Return one row per stage and indicator."""
        return self.table


def compare_locations(resources: ResourceIndicators, *, year: int) -> LocationComparison:
    """Compare urban, town and rural schools in every resource of one year."""
    known = list(known_stocks(resources, year=year))
    units = resources.units[resources.units["year"] == year]
    locations = [pd.DataFrame(columns=LOCATION_COLUMNS), *(_by_location(part) for part in known)]
    curves = [pd.DataFrame(columns=CURVE_COLUMNS), *(_curve(part) for part in known)]
    return LocationComparison(
        year=year,
        table=pd.DataFrame([_inequality(part) for part in known], columns=INEQUALITY_COLUMNS),
        locations=pd.concat([part for part in locations if len(part)] or locations[:1], ignore_index=True),
        curves=pd.concat([part for part in curves if len(part)] or curves[:1], ignore_index=True),
        n_without_location=int(units["location"].isna().sum()),
    )


def _inequality(known: KnownStocks) -> dict[str, object]:
    located = _located(known)
    row: dict[str, object] = {
        "stage": known.stage,
        "indicator": known.indicator.id,
        "n_schools": len(known.amount),
        "gini": gini(known.amount, known.enrolment),
        "theil": decompose_theil(known.amount, known.enrolment, np.zeros(len(known.amount))).total,
        "theil_between_share": np.nan,
        "variance_between_share": np.nan,
    }
    if len(set(located.units["location"])) > 1 and located.amount.sum() > 0:
        place = located.units["location"].to_numpy()
        theil = decompose_theil(located.amount, located.enrolment, place)
        variance = decompose_variance(located.amount, located.enrolment, place)
        row["theil_between_share"] = theil.between / theil.total if theil.total > 0 else np.nan
        row["variance_between_share"] = variance.between_share
    return row


def _by_location(known: KnownStocks) -> pd.DataFrame:
    located = _located(known)
    if not len(located.amount) or located.amount.sum() == 0:
        return pd.DataFrame(columns=LOCATION_COLUMNS)
    parts = decompose_variance(located.amount, located.enrolment, located.units["location"].to_numpy())
    table = parts.locations.assign(stage=known.stage, indicator=known.indicator.id)
    table["mean"] = known.indicator.per * table["per_student"]
    return table[LOCATION_COLUMNS]


def _curve(known: KnownStocks) -> pd.DataFrame:
    curve = compute_lorenz_curve(known.amount, known.enrolment)
    points = {"student_share": curve.student_share, "amount_share": curve.amount_share}
    return pd.DataFrame(points).assign(stage=known.stage, indicator=known.indicator.id)


def _located(known: KnownStocks) -> KnownStocks:
    """Return the schools whose location is known."""
    has = known.units["location"].notna().to_numpy(dtype=bool)
    units = known.units[has].reset_index(drop=True)
    return replace(
        known,
        units=units,
        amount=known.amount[has],
        enrolment=known.enrolment[has],
        share=known.share[has],
    )
