"""The verdict on a county from its resource indicators and its items."""

from dataclasses import dataclass

import pandas as pd

from toolkit.results import Verdict
from toolkit.variation.compliance import Compliance
from toolkit.variation.items import ItemCompliance, Row, part_row
from toolkit.variation.three_valued import all_of

RESOURCES = "resource"
NUMBERED_PARTS = (RESOURCES, "government", "quality", "social")
"""Parts whose items are counted; prerequisite and vetoes stand beside them."""


@dataclass(frozen=True, slots=True)
class CountyVerdict:
    """All parts of a standard put together.

    Attributes
    ----------
    resources : Compliance
        Verdicts on the resource indicators.
    items : ItemCompliance
        Verdicts on the items.
    numbers : pandas.DataFrame
        One row per numbered item: `number`, `part`, `name`, `verdict` ("" where none is given), `near_limit`,
        `marks`; the resource indicators first, then the items, prerequisite and vetoes last.
    parts : pandas.DataFrame
        One row per part with its verdict and counts of numbered items.
    open : pandas.DataFrame
        What cannot be judged, and the cells that decide: `number`, `item`, `unit_name`, `table`, `column`,
        `row`.
    verdict : Verdict
        Verdict on the county.
    """

    resources: Compliance
    items: ItemCompliance
    numbers: pd.DataFrame
    parts: pd.DataFrame
    open: pd.DataFrame
    verdict: Verdict

    def tidy(self) -> pd.DataFrame:
        """Return one row per numbered item."""
        return self.numbers


def judge_county(resources: Compliance, items: ItemCompliance) -> CountyVerdict:
    """Judge a county by all parts of its standard, each of which must pass.

    The seven resource indicators count as one item each, over both stages: an indicator passes when
    its coefficients do and it fails no school. A school that fails is held against every
    indicator that it misses; an indicator that a school may miss by its rule is not failed by it.

    Parameters
    ----------
    resources : Compliance
        Verdicts on the resource indicators of the year.
    items : ItemCompliance
        Verdicts on the items of the same year.

    Raises
    ------
    ValueError
        If the two are of different years or standards.
    """
    if resources.year != items.year or resources.standard.id != items.standard.id:
        raise ValueError("resources and items must be judged for one year and one standard")
    indicators = _indicators(resources)
    named = items.numbers.assign(name=[_name(items, ids) for ids in items.numbers["items"]])
    numbers = pd.concat([indicators, named], ignore_index=True)
    # The verdict on resources rests on more than the indicators one by one: cells that two of them share.
    resource_part = part_row(RESOURCES, indicators["verdict"].tolist()) | {"verdict": resources.verdict}
    parts = pd.concat([pd.DataFrame([resource_part]), items.parts], ignore_index=True)
    number_of = dict(zip(items.items["item"], items.items["number"], strict=True))
    open_items = items.open.assign(number=items.open["item"].map(number_of))
    return CountyVerdict(
        resources=resources,
        items=items,
        numbers=numbers[["number", "part", "name", "verdict", "near_limit", "marks"]],
        parts=parts,
        open=pd.concat([_open_resources(resources), open_items], ignore_index=True),
        verdict=all_of(parts["verdict"]),
    )


def _name(items: ItemCompliance, ids: tuple[str, ...]) -> str:
    return items.standard.item(ids[0]).name


def _indicators(resources: Compliance) -> pd.DataFrame:
    """Return one row per resource indicator over both stages.

    Where a standard judges the mean of the coefficients, a single indicator has no verdict.
    """
    unjudged = "" if resources.standard.composite else "undecided"
    rows: list[Row] = []
    for indicator in resources.standard.indicators:
        own = resources.coefficients[resources.coefficients["indicator"] == indicator.id]
        verdicts = [verdict for verdict in own["verdict"] if verdict]
        verdicts += _of_schools(resources, indicator.id)
        rows.append(
            {
                "number": indicator.id,
                "part": RESOURCES,
                "name": indicator.name,
                "verdict": all_of(verdicts) if verdicts else unjudged,
                "near_limit": bool(own["near_limit"].any()),
                "marks": indicator.marks,
            }
        )
    return pd.DataFrame(rows)


def _of_schools(resources: Compliance, indicator: str) -> list[Verdict]:
    """Return what the schools that do not pass say about one indicator."""
    if resources.standard.pass_rule is None:
        return []
    values = resources.indicator_values
    own = values.loc[values["indicator"] == indicator, ["stage", "school_id", "met"]]
    verdicts = resources.schools[["stage", "school_id", "verdict"]]
    both = own.merge(verdicts, on=["stage", "school_id"])
    failed = (both["verdict"] == "fail") & (both["met"] == "fail")
    doubtful = (both["verdict"] != "pass") & (both["met"] != "pass") & ~failed
    if failed.any():
        return ["fail"]
    return ["undecided"] if doubtful.any() else ["pass"]


def _open_resources(resources: Compliance) -> pd.DataFrame:
    """Return the cells on which schools that are not judged hang."""
    schools = resources.schools[resources.schools["verdict"] == "undecided"]
    rows = [
        {
            "number": "",
            "item": RESOURCES,
            "unit_name": school["school_name"],
            "table": "school_years",
            "column": column,
            "row": school["school_id"],
        }
        for school in schools.to_dict("records")
        for column in school["deciding"]
    ]
    return pd.DataFrame(rows, columns=["number", "item", "unit_name", "table", "column", "row"])
