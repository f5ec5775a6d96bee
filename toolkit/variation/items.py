"""Items beside the resource indicators against their standard: verdicts by unit, item, part and county."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan
from typing import Any, get_args

import numpy as np
import pandas as pd

from toolkit.indicators.items import UNITS_TESTED, ItemValues, formula_in_use
from toolkit.results import Verdict
from toolkit.standards import Component, Formula, Item, Standard
from toolkit.standards.values import Comparator, Part
from toolkit.variation.three_valued import all_of, reaches, stays_within

SHARE_UNITS = ("percent", "ratio_unit")
OPEN_COLUMNS = ["item", "unit_name", "table", "column", "row"]
JUDGED_COLUMNS = ["evidence", "entered_verdict", "judge", "judged_on"]
ENTERED_TEXTS = ["evidence", "entered_verdict", "judge"]
DESCRIBED_COLUMNS = [
    "item",
    "number",
    "part",
    "name",
    "stage",
    "tested_on",
    "from_evidence",
    "formula",
    "marks",
]
NUMBER_COLUMNS = ["number", "part", "items", "verdict", "near_limit", "marks"]
PART_COLUMNS = ["part", "n_items", "n_pass", "n_fail", "n_undecided", "verdict"]
ENTERED_TO_VERDICT: dict[str, Verdict] = {"met": "pass", "not_met": "fail"}

Row = dict[str, Any]
"""One row of a table by column."""


@dataclass(frozen=True, slots=True)
class ItemCompliance:
    """Verdicts of one year on items; each is "pass", "fail" or "undecided".

    Attributes
    ----------
    standard : Standard
        The standard behind the verdicts.
    year : int
        School year.
    items : pandas.DataFrame
        One row per item (sub-items apart), in the order of the parts: number, part, `verdict`, numbers
        of the county or counts of units, `near_limit`, `source`, and what was entered as evidence.
    entries : pandas.DataFrame
        One row per subject or respondent; `decides` says whether the item rests on it.
    formulas : pandas.DataFrame
        Every formula of the items of the county in this year, `in_use` or beside it.
    units : pandas.DataFrame
        One row per school or class (or size band) and item, with the limit that holds for it.
    numbers : pandas.DataFrame
        One row per numbered item; all its sub-items must pass.
    parts : pandas.DataFrame
        One row per part of the standard with its verdict and counts of numbered items.
    open : pandas.DataFrame
        Cells on which open verdicts hang: `item`, `unit_name`, `table`, `column`, `row`.
    special_cases, differences : pandas.DataFrame
        Those of the year, see `ItemValues`.
    """

    standard: Standard
    year: int
    items: pd.DataFrame
    entries: pd.DataFrame
    formulas: pd.DataFrame
    units: pd.DataFrame
    numbers: pd.DataFrame
    parts: pd.DataFrame
    open: pd.DataFrame
    special_cases: pd.DataFrame
    differences: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per item."""
        return self.items


def judge_items(values: ItemValues, *, year: int, only: Iterable[str] | None = None) -> ItemCompliance:
    """Judge every item of a standard in one year; a standard without items gives empty tables.

    An item with a number passes when every completion of the missing cells meets its limit, and
    fails when none does; one that is tested on schools or classes must be met by all of them. An item
    judged from evidence takes the verdict that was entered; none entered leaves it open.

    Parameters
    ----------
    values : ItemValues
        Values of all years.
    year : int
        School year to judge.
    only : iterable of str, optional
        Items to judge; all of the standard by default.
    """
    standard = values.standard
    chosen = None if only is None else set(only)
    order = get_args(Part)
    items = [item for item in standard.items if chosen is None or item.id in chosen]
    items = sorted(items, key=lambda item: order.index(item.part))
    formulas = _judged(values.values, items, year)
    units = _judged(values.units, items, year)
    in_use = formulas[formulas["in_use"].astype(bool)]
    notes = values.entered[values.entered["year"] == year]
    own = tuple(_by_item(table) for table in (in_use, units, notes))
    judged = [_judge_item(standard, item, *(rows[item.id] for rows in own)) for item in items]
    table = pd.DataFrame([row for row, _ in judged], columns=ITEM_COLUMNS)
    table = table.assign(**{name: table[name].astype(object).fillna("") for name in ENTERED_TEXTS})
    numbers = _numbers(table)
    cases = values.special_cases
    return ItemCompliance(
        standard=standard,
        year=year,
        items=table,
        entries=_entries(formulas, items),
        formulas=formulas,
        units=units,
        numbers=numbers,
        parts=_parts(numbers),
        open=pd.DataFrame([cell for _, cells in judged for cell in cells], columns=OPEN_COLUMNS),
        special_cases=cases[cases["year"] == year].reset_index(drop=True),
        differences=values.differences[values.differences["year"] == year].reset_index(drop=True),
    )


def judge_range(low: float, high: float, comparator: Comparator, limits: tuple[float, ...]) -> Verdict:
    """Judge a value that lies between `low` and `high`, limits included (relative tolerance 1e-9).

    A missing bound leaves the verdict open.

    Raises
    ------
    ValueError
        If the comparator is no test of one year's value.
    """
    low, high, first = float(low), float(high), float(limits[0])
    if isnan(low) or isnan(high):
        return "undecided"
    match comparator:
        case ">=":
            return _settled(reaches(low, first), reaches(high, first))
        case ">":
            return _settled(not stays_within(low, first), not stays_within(high, first))
        case "<=":
            return _settled(stays_within(high, first), stays_within(low, first))
        case "<":
            return _settled(not reaches(high, first), not reaches(low, first))
        case "==":
            inside = reaches(high, first) and stays_within(low, first)
            return _settled(reaches(low, first) and stays_within(high, first), inside)
        case "between":
            return all_of(
                (judge_range(low, high, ">=", limits[:1]), judge_range(low, high, "<=", limits[1:]))
            )
        case _:
            raise ValueError(f"{comparator!r} does not test the value of one year")


def records(table: pd.DataFrame) -> list[Row]:
    """Return the rows of a table as dictionaries by column."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _settled(always: bool, sometimes: bool) -> Verdict:
    if always:
        return "pass"
    return "undecided" if sometimes else "fail"


def _judged(table: pd.DataFrame, items: list[Item], year: int) -> pd.DataFrame:
    """Return the rows of a year with the verdict on each value."""
    by_id = {item.id: item for item in items}
    own = table[(table["year"] == year) & table["item"].isin(list(by_id))].reset_index(drop=True)
    rows = records(own)
    limits = [_limit(by_id[row["item"]], row) for row in rows]
    verdicts = [_verdict(by_id[row["item"]], row, limit) for row, limit in zip(rows, limits, strict=True)]
    near = [_near(by_id[row["item"]], row["value"], limit) for row, limit in zip(rows, limits, strict=True)]
    return own.assign(verdict=pd.Series(verdicts, dtype=object), near=pd.Series(near, dtype=object))


def _limit(item: Item, row: Row) -> tuple[float, ...]:
    """Return what a value is compared with; rooms of the required area with the rooms needed."""
    if item.room_bands:
        return (1.0,)
    return (row["limit"], *item.limits[1:]) if "limit" in row else item.limits


def _verdict(item: Item, row: Row, limits: tuple[float, ...]) -> Verdict:
    """Judge one value; a unit that may not be covered, or may not exist, cannot fail."""
    verdict = judge_range(row["low"], row["high"], item.comparator, limits)
    doubtful = not row.get("certain", True) or row.get("count_low", 1) == 0
    return "undecided" if verdict == "fail" and doubtful else verdict


def _near(item: Item, value: float, limits: tuple[float, ...]) -> float:
    """Return the distance of a share or ratio from the nearest limit; missing for counts and amounts."""
    if item.unit not in SHARE_UNITS or np.isnan(value):
        return np.nan
    # A share cannot lie above one, so that all being met is not near the limit.
    if item.unit == "percent" and value == 1 and limits == (1,):
        return np.nan
    return min(abs(value - limit) for limit in limits)


def _judge_item(
    standard: Standard, item: Item, values: pd.DataFrame, units: pd.DataFrame, notes: pd.DataFrame
) -> tuple[Row, list[Row]]:
    """Return the row of one item, and the cells on which its verdict hangs."""
    note = _first(notes.sort_values("entry", kind="stable"), JUDGED_COLUMNS)
    row: Row = {
        "item": item.id,
        "number": item.number,
        "part": item.part,
        "name": item.name,
        "stage": item.stage,
        "tested_on": item.tested_on,
        "from_evidence": item.from_evidence,
        "formula": item.formula,
        "marks": _marks(standard, item),
    }
    if item.from_evidence:
        judged = _from_evidence(item, note)
    elif item.tested_on in UNITS_TESTED:
        judged = _from_units(item, units, standard)
    else:
        judged = _from_values(item, values, standard)
    numbers, cells = judged
    return row | EMPTY_NUMBERS | numbers | note, cells


def _by_item(table: pd.DataFrame) -> defaultdict[str, pd.DataFrame]:
    """Return the rows of each item; an item without any has none."""
    empty = table.iloc[:0]
    return defaultdict(lambda: empty, {str(item): own for item, own in table.groupby("item", sort=False)})


EMPTY_NUMBERS: Row = {
    "numerator": np.nan,
    "denominator": np.nan,
    "value": np.nan,
    "low": np.nan,
    "high": np.nan,
    "n_units": np.nan,
    "n_pass": np.nan,
    "n_fail": np.nan,
    "n_undecided": np.nan,
    "near_limit": False,
    "n_near": 0,
    "source": "",
}
ITEM_COLUMNS = [*DESCRIBED_COLUMNS, *EMPTY_NUMBERS, "verdict", *JUDGED_COLUMNS]


def _first(table: pd.DataFrame, columns: list[str]) -> Row:
    """Return the first value of each column, missing where there is none."""
    if table.empty:
        return dict.fromkeys(columns)
    return {name: table[name].dropna().iloc[0] if table[name].notna().any() else None for name in columns}


def _marks(standard: Standard, item: Item) -> tuple[str, ...]:
    """Return the doubts about an item, and about the special cases that change its limit."""
    cases = [case for case in standard.exceptions if case.enabled and item.id in case.limits]
    return tuple(dict.fromkeys((*item.marks, *(mark for case in cases for mark in case.marks))))


def _from_evidence(item: Item, note: Row) -> tuple[Row, list[Row]]:
    verdict = ENTERED_TO_VERDICT.get(note["entered_verdict"], "undecided")
    cells = [] if verdict != "undecided" else [_cell(item, "", ("county_years", "entered_verdict", item.id))]
    return {"verdict": verdict, "source": "evidence"}, cells


def _from_units(item: Item, units: pd.DataFrame, standard: Standard) -> tuple[Row, list[Row]]:
    """Judge an item that all schools or classes must meet; one that covers none of them is met."""
    verdicts = units["verdict"].tolist()
    counts = units["count_high"].where(np.isfinite(units["count_high"].astype(float)), units["count_low"])
    by_verdict = {
        f"n_{name}": float(counts[units["verdict"] == name].sum()) for name in ("pass", "fail", "undecided")
    }
    near = units["near"].astype(float) <= standard.near_limit
    numbers = {
        "verdict": all_of(verdicts) if verdicts else "pass",
        "n_units": float(counts.sum()),
        **by_verdict,
        "near_limit": bool(near.any()),
        "n_near": int(near.sum()),
        "source": "schools",
    }
    open_units = records(units[units["verdict"] == "undecided"])
    return numbers, [
        _cell(item, str(row["unit_name"]), cell)
        for row in open_units
        for cell in row["missing"] or _undivided(formula_in_use(item), row["school_id"])
    ]


def _from_values(item: Item, rows: pd.DataFrame, standard: Standard) -> tuple[Row, list[Row]]:
    """Judge an item of the county: by the row of all entries if there is one, else by every entry."""
    deciding = rows[rows["entry"] == ""] if (rows["entry"] == "").any() else rows
    verdicts = deciding["verdict"].tolist()
    first = deciding.iloc[0] if len(deciding) else None
    worst = _worst(item, deciding)
    near = deciding["near"].astype(float) <= standard.near_limit
    numbers: Row = {
        "verdict": all_of(verdicts) if verdicts else "undecided",
        "near_limit": bool(near.any()),
        "n_near": int(near.sum()),
        "source": str(first["source"]) if first is not None else "",
    }
    if worst is not None:
        numbers |= {
            name: worst[name] for name in ("numerator", "denominator", "value", "low", "high", "n_units")
        }
    if len(deciding) > 1:
        numbers |= {f"n_{name}": float(verdicts.count(name)) for name in ("pass", "fail", "undecided")}
    open_rows = records(deciding[deciding["verdict"] == "undecided"])
    cells = [
        _cell(item, "", cell)
        for row in open_rows
        for cell in row["missing"] or _undivided(formula_in_use(item), item.id)
    ]
    if not verdicts:
        cells = [_cell(item, "", cell) for cell in _undivided(formula_in_use(item), item.id)]
    return numbers, cells


def _worst(item: Item, rows: pd.DataFrame) -> pd.Series | None:
    """Return the row farthest on the wrong side; the first with a missing value where there is one."""
    if not len(rows):
        return None
    values = rows["value"].astype(float)
    if values.isna().any():
        return rows[values.isna()].iloc[0]
    order = values if item.comparator in (">=", ">") else -values
    return rows.iloc[int(order.argmin())]


def _undivided(formula: Formula, row: str) -> list[tuple[str, str, str]]:
    """Name the cells of a denominator that is zero, or of a formula without any row."""
    parts: tuple[Component, ...] = formula.denominator or formula.numerator
    return [(part.table, part.column, row) for part in parts]


def _cell(item: Item, unit_name: str, cell: tuple[str, str, str]) -> Row:
    return dict(zip(OPEN_COLUMNS, (item.id, unit_name, *cell), strict=True))


def _entries(formulas: pd.DataFrame, items: list[Item]) -> pd.DataFrame:
    """Return the rows of subjects and respondents; they decide where there is no row of all of them."""
    with_entries = [item.id for item in items if item.entries]
    rows = formulas[formulas["item"].isin(with_entries) & formulas["in_use"].astype(bool)]
    pooled = set(rows.loc[rows["entry"] == "", "item"])
    own = rows[rows["entry"] != ""].reset_index(drop=True)
    return own.assign(decides=~own["item"].isin(pooled))


def _numbers(items: pd.DataFrame) -> pd.DataFrame:
    """Return one row per numbered item with the verdict on all its sub-items."""
    return pd.DataFrame(
        [
            {
                "number": number,
                "part": own["part"].iloc[0],
                "items": tuple(own["item"]),
                "verdict": all_of(own["verdict"]),
                "near_limit": bool(own["near_limit"].any()),
                "marks": tuple(dict.fromkeys(mark for marks in own["marks"] for mark in marks)),
            }
            for number, own in items.groupby("number", sort=False)
        ],
        columns=NUMBER_COLUMNS,
    )


def _parts(numbers: pd.DataFrame) -> pd.DataFrame:
    rows = [part_row(str(part), own["verdict"].tolist()) for part, own in numbers.groupby("part", sort=False)]
    return pd.DataFrame(rows, columns=PART_COLUMNS)


def part_row(part: str, verdicts: list[Verdict]) -> Row:
    """Return verdict and counts of one part of a standard."""
    return {
        "part": part,
        "n_items": len(verdicts),
        "n_pass": verdicts.count("pass"),
        "n_fail": verdicts.count("fail"),
        "n_undecided": verdicts.count("undecided"),
        "verdict": all_of(verdicts),
    }
