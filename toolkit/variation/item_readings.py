"""Verdicts on items under the other readings of rules that are in doubt."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from toolkit.data.county import County
from toolkit.indicators.formula_rows import counted_schools
from toolkit.indicators.items import compute_items
from toolkit.indicators.row_tables import CountyRows
from toolkit.standards import Item, Standard
from toolkit.variation.items import ItemCompliance, judge_items

FLIP_COLUMNS = ["mark", "subject", "item", "unit_id", "name", "verdict", "other_verdict"]


@dataclass(frozen=True, slots=True)
class ItemReadings:
    """What would be judged differently if a doubtful rule were read the other way.

    Attributes
    ----------
    flips : pandas.DataFrame
        One row per verdict that differs: `mark` (code of the doubt), `subject` ("item", "unit"), `item`,
        `unit_id` and `name` of a unit, `verdict`, `other_verdict`.
    values : pandas.DataFrame
        One row per item of the county that was tried: `mark`, `item`, `value`, `other_value`, `verdict`,
        `other_verdict`, whether they differ or not.
    marks : tuple of str
        The doubts that were tried.
    """

    flips: pd.DataFrame
    values: pd.DataFrame
    marks: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per verdict that differs."""
        return self.flips


def compare_item_readings(
    county: County, compliance: ItemCompliance, readings: Mapping[str, Standard]
) -> ItemReadings:
    """Judge the items that another reading changes, and list the verdicts that differ.

    Parameters
    ----------
    county : County
        The county.
    compliance : ItemCompliance
        The verdicts under the standard as it is applied.
    readings : mapping of str to Standard
        By mark of doubt, the standard as it reads the other way.
    """
    schools = counted_schools(county, None)
    rows = CountyRows(county, schools[schools["year"] == compliance.year].reset_index(drop=True))
    flips, values, tried = [], [], []
    for mark, reading in readings.items():
        changed = _changed(compliance.standard, reading)
        if not changed:
            continue
        tried.append(mark)
        computed = compute_items(county, reading, only=changed, rows=rows)
        other = judge_items(computed, year=compliance.year, only=changed)
        both = _verdicts(compliance, changed).merge(
            _verdicts(other, changed), how="outer", on=["subject", "item", "unit_id"], suffixes=("", "_other")
        )
        both = both.fillna({"verdict": "", "verdict_other": "", "name": "", "name_other": ""})
        differs = both[both["verdict"] != both["verdict_other"]]
        flips.append(
            differs.assign(
                mark=mark, name=differs["name"].where(differs["name"] != "", differs["name_other"])
            )
        )
        of_items = both[both["subject"] == "item"]
        values.append(of_items.assign(mark=mark))
    return ItemReadings(
        flips=_put_together(flips, FLIP_COLUMNS),
        values=_put_together(values, ["mark", "item", "value", "other_value", "verdict", "other_verdict"]),
        marks=tuple(tried),
    )


def _put_together(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype="object") for name in columns})
    renamed = {"verdict_other": "other_verdict", "value_other": "other_value"}
    return pd.concat(parts, ignore_index=True).rename(columns=renamed)[columns]


def _changed(standard: Standard, reading: Standard) -> tuple[str, ...]:
    """Return the items whose rules differ."""
    return tuple(
        item.id for item in standard.items if _rules(standard, item) != _rules(reading, reading.item(item.id))
    )


def _rules(standard: Standard, item: Item) -> tuple[object, ...]:
    return item, tuple(case for case in standard.exceptions if item.id in case.limits)


def _verdicts(compliance: ItemCompliance, items: tuple[str, ...]) -> pd.DataFrame:
    """Return all verdicts on some items as one table."""
    columns = ["subject", "item", "unit_id", "name", "value", "verdict"]
    own = compliance.items[compliance.items["item"].isin(items)]
    units = compliance.units[compliance.units["item"].isin(items)]
    parts = [
        own.assign(subject="item", unit_id="", name=""),
        units.assign(subject="unit", name=units["unit_name"]),
    ]
    return pd.concat([part[columns] for part in parts], ignore_index=True)
