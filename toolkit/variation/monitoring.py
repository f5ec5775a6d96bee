"""What has been entered of the national monitoring of the quality of compulsory education."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from toolkit.data.county import County
from toolkit.data.schema import TABLES, conform
from toolkit.data.schema.county import MONITORED_SUBJECTS
from toolkit.standards import Standard

MONITORED_RANK = "monitoring_attainment_rank"
MONITORED_RATE = "monitoring_between_school_rate"
COLUMNS = ["subject", "year", "monitored_rank", "monitored_rate", "judged_on", "item_source"]


@dataclass(frozen=True, slots=True)
class EnteredMonitoring:
    """The latest entered results of the national monitoring, up to a year.

    Attributes
    ----------
    year : int
        School year of the report.
    table : pandas.DataFrame
        One row per monitored subject with an entry: `subject`, `year` of the entry, `monitored_rank`,
        `monitored_rate`, `judged_on`, `item_source`; missing where not entered.
    """

    year: int
    table: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per subject."""
        return self.table


def compute_entered_monitoring(county: County, standard: Standard, *, year: int) -> EnteredMonitoring:
    """Collect the latest entered level and rate of each monitored subject, without a verdict.

    Level and rate of a subject are taken from one and the same year, the latest with either.
    """
    items = {item.name: item.id for item in standard.items if item.name in (MONITORED_RANK, MONITORED_RATE)}
    entered = county.tables.get("county_years", conform(pd.DataFrame(), TABLES["county_years"]))
    rows = []
    for subject in MONITORED_SUBJECTS:
        own = entered[(entered["subject"] == subject) & entered["item"].isin(items.values())]
        own = own[own["year"] <= year].dropna(subset="item_value")
        if len(own):
            rows.append((subject, *_latest(own, items)))
    return EnteredMonitoring(year=year, table=pd.DataFrame(rows, columns=COLUMNS))


def monitoring_limit(standard: Standard) -> float:
    """Return the standard's limit for the rate published by the national monitoring; missing without one."""
    limits = [item.limits[0] for item in standard.items if item.name == MONITORED_RATE and item.limits]
    return limits[0] if limits else np.nan


def _latest(entries: pd.DataFrame, items: dict[str, str]) -> tuple[Any, ...]:
    """Return year, level, rate, date and source of the latest year entered."""
    latest = entries[entries["year"] == entries["year"].max()]
    values = latest.drop_duplicates("item", keep="last").set_index("item")["item_value"]
    source = latest["item_source"].dropna()
    return (
        int(latest["year"].iloc[0]),
        values.get(items.get(MONITORED_RANK, ""), np.nan),
        values.get(items.get(MONITORED_RATE, ""), np.nan),
        latest["judged_on"].max(),
        source.iloc[-1] if len(source) else pd.NA,
    )
