"""What the data of a year say about each school and item: the problems a ledger is made from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from toolkit.data.county import County
from toolkit.indicators.resources import ResourceIndicators
from toolkit.planning.gaps import GapList
from toolkit.results import Verdict
from toolkit.standards import indicator_name
from toolkit.variation.compliance import Compliance
from toolkit.vocabulary import Language

REQUIRED = ("school_id", "school_name", "item", "stage", "value", "limit")


@dataclass(frozen=True, slots=True)
class Judged:
    """One item of one school, or of the county, as the data of the year show it.

    Attributes
    ----------
    school_id, school_name : str
        The school, or the county for an item of the county.
    item : str
        Number of the indicator or item.
    title : str
        Its name.
    stage : str
        Stage, empty for items without one.
    value, limit, gap : float
        Value, its limit and what is missing, in `unit` of the stock; missing where not known.
    unit : str
        Vocabulary code of the unit of the gap, empty when there is none.
    met : Verdict
        Whether the limit is kept.
    """

    school_id: str
    school_name: str
    item: str
    title: str
    stage: str
    value: float
    limit: float
    gap: float
    unit: str
    met: Verdict


@dataclass(frozen=True, slots=True)
class Problems:
    """Everything that was judged in a year, and the schools that exist.

    Attributes
    ----------
    year : int
        School year.
    county_id : str
        Stands in place of a school for items of the county.
    judged : tuple of Judged
        In the order of the report.
    schools : mapping of str to str
        Names of the county and of all schools that report in the year, in scope or not, by code.
    """

    year: int
    county_id: str
    judged: tuple[Judged, ...]
    schools: Mapping[str, str]


def collect_problems(
    county: County,
    resources: ResourceIndicators,
    compliance: Compliance,
    gaps: GapList,
    *,
    further: pd.DataFrame | None = None,
    language: Language = "zh",
) -> Problems:
    """Collect what was judged: the resource indicators of each school, then further items.

    Parameters
    ----------
    county : County
        Its schools of the year.
    resources, compliance, gaps
        The resource indicators, their verdicts and gaps.
    further : pandas.DataFrame, optional
        Items judged elsewhere: `school_id` (empty for the county), `school_name`, `item`, `stage` (empty
        for items without one), `value`, `limit`; optional `met` ("pass", "fail",
        "undecided"; "fail" when the column is absent), `title`, `gap` and `unit`. Items that are met
        belong in it, too: otherwise a ledger cannot tell that a problem is solved.
    language : {"zh", "en"}
        Language of the titles.

    Raises
    ------
    ValueError
        If `further` lacks a column.
    """
    years = county.tables["school_years"]
    own = years[years["year"] == gaps.year]
    names = dict(zip(resources.rows["school_id"], resources.rows["school_name"], strict=True))
    schools = {
        code: _text(names.get(code)) or _text(given) or code
        for code, given in zip(own["school_id"], own["school_name"], strict=True)
    }
    units = resources.units[resources.units["year"] == gaps.year]
    schools |= dict(zip(units["school_id"], units["school_name"], strict=True))
    left = resources.left_out[resources.left_out["year"] == gaps.year]
    schools |= dict(zip(left["school_id"], left["school_name"], strict=True))
    return Problems(
        year=gaps.year,
        county_id=county.county_id,
        judged=(*_indicators(compliance, gaps, language), *_further(further, county)),
        schools={county.county_id: county.name} | schools,
    )


def _indicators(compliance: Compliance, gaps: GapList, language: Language) -> list[Judged]:
    """Return the resource indicators of every school in scope."""
    keys = ["school_id", "stage", "indicator"]
    amounts = gaps.gaps.set_index(keys)[["gap_low", "status", "unit"]].to_dict("index")
    judged = []
    for row in compliance.indicator_values.to_dict("records"):
        if not row["met"]:
            continue
        found = amounts.get(tuple(row[key] for key in keys))
        gap = found["gap_low"] if found and found["status"] == "exact" else np.nan
        judged.append(
            Judged(
                school_id=row["school_id"],
                school_name=row["school_name"],
                item=row["indicator"],
                title=indicator_name(gaps.standard, row["indicator"], language),
                stage=row["stage"],
                value=float(row["value"]),
                limit=float(row["minimum"]),
                gap=0.0 if row["met"] == "pass" else float(gap),
                unit=found["unit"] if found else "",
                met=row["met"],
            )
        )
    return judged


def _further(further: pd.DataFrame | None, county: County) -> list[Judged]:
    """Return the items that were judged elsewhere."""
    if further is None:
        return []
    absent = [name for name in REQUIRED if name not in further.columns]
    if absent:
        raise ValueError(f"further problems lack the columns {', '.join(absent)}")
    return [
        Judged(
            school_id=_text(row["school_id"]) or county.county_id,
            school_name=_text(row["school_name"]) or county.name,
            item=str(row["item"]),
            title=_text(row.get("title")) or str(row["item"]),
            stage=_text(row["stage"]),
            value=float(row["value"]),
            limit=float(row["limit"]),
            gap=float(row.get("gap", np.nan)),
            unit=_text(row.get("unit")),
            met=row.get("met", "fail"),
        )
        for row in further.to_dict("records")
    ]


def _text(value: object) -> str:
    """Return a text, empty where it is missing."""
    return value if isinstance(value, str) else ""
