"""Formulas of a standard or plan, evaluated on a county: value and range by unit and year."""

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County
from toolkit.indicators.cell_bounds import address_of
from toolkit.indicators.contributions import Contributions, MissingCell, contributions
from toolkit.indicators.formula_rows import counted_schools
from toolkit.indicators.ratio_bounds import OpenPart, ratio_range, sum_range
from toolkit.indicators.row_tables import CountyRows, Rows
from toolkit.standards import Alternatives, Formula, Scope
from toolkit.standards.values import TestedOn

UnitKind = Literal["school", "row", "town", "county"]

UNIT_OF: dict[str, UnitKind] = {"school": "school", "class": "row", "project": "row", "town": "town"}
SUMMED = ("county", "town")
TEXTS = ("unit_id", "unit_name", "school_id", "entry")
CLASS_COUNT = "classes.class_count"
ENTERED_VALUE = "county_years.item_value"

_Columns = dict[str, NDArray[Any]]
"""Columns of a table of results, all of one length."""


def evaluate_formula(
    county: County,
    formula: Formula,
    *,
    applies_to: Alternatives = (),
    tested_on: TestedOn = "county",
    item_id: str = "",
    entries: tuple[str, ...] = (),
    scope: Scope | None = None,
    rows: CountyRows | None = None,
) -> pd.DataFrame:
    """Evaluate a formula for every unit and year.

    Parameters
    ----------
    county : County
        With the tables `schools` and `school_years`; other tables may be absent.
    formula : Formula
        What is summed, and divided by what.
    applies_to : Alternatives
        Rows that are covered.
    tested_on : TestedOn
        "school", "class", "town" and "project" give one row per unit and year, anything else one row
        per year with the sums over the county.
    item_id : str
        Row of `county_years` that the formula reads.
    entries : tuple of str
        Subjects or respondents: each has a row of its own, beside the row of all where the formula
        divides; where one is not in the data its cells are missing.
    scope : Scope or None
        Schools that count; None for all.
    rows : CountyRows or None
        Rows of `counted_schools(county, scope)`, where several formulas are evaluated; read by default.

    Returns
    -------
    pandas.DataFrame
        `year`, `unit_id`, `unit_name`, `school_id`, `entry`, `numerator`, `denominator`, `value`,
        `low`, `high`, `n_units` and `n_known` (rows that enter, and those without missing cells),
        `count_low`, `count_high`, `certain`, `missing`. The range holds over all completions of the
        missing cells; it is missing where the denominator is zero.
        `certain` is False where a missing cell leaves open whether the unit is covered.
        `missing` names these cells by table, column and row.

    Raises
    ------
    ValueError
        If conditions read columns that do not stand beside the rows of the formula.

    Notes
    -----
    A missing cell is at least zero and any known part of it, and at most what the schema says it is
    part of; a row of which it is open whether it is covered may be counted or not.
    """
    if rows is None:
        rows = CountyRows(county, counted_schools(county, scope))
    kind = UNIT_OF.get(tested_on, "county")
    tables = dict.fromkeys(part.table for part in (*formula.numerator, *formula.denominator))
    read = {table: rows.rows(table, item_id=item_id, entries=entries) for table in tables}
    pooled = not entries or kind != "county" or bool(formula.denominator)
    found = [_evaluate(read, formula, applies_to, kind, rows, "")] if pooled else []
    if kind == "county":
        for entry in entries:
            own = {table: part.of_entry(entry) for table, part in read.items()}
            found.append(_evaluate(own, formula, applies_to, kind, rows, entry))
    columns = _put_together(found)
    if kind == "county" and tuple(read) == ("county_years",):
        _take_entered_value(columns, formula, read["county_years"])
    order = np.argsort(np.asarray(columns["year"], dtype=np.int64), kind="stable")
    return pd.DataFrame({name: _series(name, values, order) for name, values in columns.items()})


def _put_together(parts: list[_Columns]) -> _Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _series(name: str, values: NDArray[Any], order: NDArray[np.intp]) -> pd.Series:
    dtype = "object" if name == "missing" else "str" if name in TEXTS else None
    return pd.Series(values[order], dtype=dtype)


def _evaluate(
    read: dict[str, Rows],
    formula: Formula,
    applies_to: Alternatives,
    kind: UnitKind,
    rows: CountyRows,
    entry: str,
) -> _Columns:
    """Return numerator, denominator, value and range of each unit and year."""
    parts = [
        contributions(own, table, formula, applies_to, _units(own, kind), coverage_adds=kind in SUMMED)
        for table, own in read.items()
    ]
    identity = _identity(parts, read, kind, rows)
    n_units = len(identity["year"])
    place = {key: at for at, key in enumerate(_keys(identity["year"], identity["unit_id"]))}
    placed = [
        np.array([place[key] for key in _keys(part.rows.year, part.unit)], dtype=np.intp) for part in parts
    ]
    totals = _Totals(n_units)
    for part, at in zip(parts, placed, strict=True):
        totals.add(part, at)
    counts = _counts(parts[0], placed[0], kind, n_units)
    return identity | {"entry": np.full(n_units, entry, dtype=object)} | totals.values(formula, counts)


def _keys(years: NDArray[Any], units: NDArray[Any]) -> list[tuple[int, str]]:
    return list(zip(years.tolist(), units.tolist(), strict=True))


class _Totals:
    """Sums by unit, filled table by table."""

    def __init__(self, n_units: int) -> None:
        self.amounts = np.zeros((n_units, 2))
        self.unknown = np.zeros((n_units, 2), dtype=bool)
        self.certain = np.ones(n_units, dtype=bool)
        self.n_rows = np.zeros(n_units)
        self.n_known = np.zeros(n_units)
        self.open: dict[int, list[OpenPart]] = {}
        self.missing: dict[int, list[MissingCell]] = {}

    def add(self, part: Contributions, at: NDArray[np.intp]) -> None:
        """Add the rows of one table; `at` is the unit of each row."""
        np.add.at(self.amounts, at, part.amounts)
        np.logical_or.at(self.unknown, at, part.unknown)
        np.logical_and.at(self.certain, at, part.certain)
        if not self.n_rows.any():
            np.add.at(self.n_rows, at, 1)
            np.add.at(self.n_known, at, ~part.unknown.any(axis=1))
        for row, parts in part.open.items():
            self.open.setdefault(int(at[row]), []).extend(parts)
        for row, absent in part.missing.items():
            self.missing.setdefault(int(at[row]), []).extend(absent)

    def values(self, formula: Formula, counts: NDArray[np.float64]) -> _Columns:
        """Return numerator, denominator, value and range of each unit."""
        numerator = np.where(self.unknown[:, 0], np.nan, self.amounts[:, 0])
        divides = bool(formula.denominator)
        denominator = np.where(self.unknown[:, 1] | (not divides), np.nan, self.amounts[:, 1])
        value = numerator.copy()
        if divides:
            with np.errstate(divide="ignore", invalid="ignore"):
                value = np.where(denominator > 0, numerator / denominator, np.nan)
        low, high = value.copy(), value.copy()
        for at, parts in self.open.items():
            n, d = self.amounts[at]
            low[at], high[at] = ratio_range(n, d, parts) if divides else sum_range(n, parts)
        missing = np.empty(len(value), dtype=object)
        for at in range(len(value)):
            missing[at] = tuple(dict.fromkeys(self.missing.get(at, ())))
        return {
            "numerator": numerator,
            "denominator": denominator,
            "value": value,
            "low": low,
            "high": high,
            "n_units": self.n_rows,
            "n_known": self.n_known,
            "count_low": counts[:, 0],
            "count_high": counts[:, 1],
            "certain": self.certain,
            "missing": missing,
        }


def _units(rows: Rows, kind: UnitKind) -> NDArray[np.object_]:
    """Return the unit of each row; empty for the county."""
    if kind == "county":
        return np.full(len(rows), "", dtype=object)
    if kind == "row":
        return rows.name
    if "schools.town" not in rows:
        raise ValueError("entered rows of the county have no school, class or town")
    return rows.school_id if kind == "school" else _towns(rows)


def _towns(rows: Rows) -> NDArray[np.object_]:
    return np.where(rows.absent("schools.town"), "", rows.texts("schools.town"))


def _identity(
    parts: list[Contributions], read: dict[str, Rows], kind: UnitKind, rows: CountyRows
) -> _Columns:
    """Return one row per unit and year: every year and every town, else the units that are covered."""
    if kind == "county":
        years = sorted({*rows.years, *(year for own in read.values() for year in own.year.tolist())})
        keys = [(year, "", "", "") for year in years]
    elif kind == "town":
        schools = rows.rows("school_years")
        keys = [(year, town, town, "") for year, town in dict.fromkeys(_keys(schools.year, _towns(schools)))]
    else:
        found: dict[tuple[int, str], tuple[str, str]] = {}
        for part in parts:
            of_school = zip(part.rows.school_name.tolist(), part.rows.school_id.tolist(), strict=True)
            for key, school in zip(_keys(part.rows.year, part.unit), of_school, strict=True):
                found.setdefault(key, school)
        keys = [(*key, *school) for key, school in found.items()]
    names = ("unit_id", "unit_name", "school_id")
    texts = np.array([key[1:] for key in keys], dtype=object).reshape(-1, len(names))
    return {"year": np.array([key[0] for key in keys], dtype=np.int64)} | {
        name: texts[:, at] for at, name in enumerate(names)
    }


def _counts(part: Contributions, at: NDArray[np.intp], kind: UnitKind, n_units: int) -> NDArray[np.float64]:
    """Return how many classes each unit stands for at least and at most, one for other units."""
    if kind != "row" or CLASS_COUNT not in part.rows:
        return np.ones((n_units, 2))
    found = part.rows.cells(CLASS_COUNT)
    counts = np.zeros((n_units, 2))
    np.add.at(counts, at, np.column_stack([found.low, found.high]))
    return counts


def _take_entered_value(columns: _Columns, formula: Formula, rows: Rows) -> None:
    """Take the entered value of a ratio of which neither numerator nor denominator is entered."""
    if len(formula.numerator) != 1 or len(formula.denominator) != 1 or len(rows) == 0 or rows.entry is None:
        return
    absent = [rows.absent(address_of(part)) for part in (*formula.numerator, *formula.denominator)]
    empty = np.all(absent, axis=0) & ~rows.absent(ENTERED_VALUE)
    numbers = rows.cells(ENTERED_VALUE).value
    entered = {key: numbers[at] for at, key in enumerate(_keys(rows.year, rows.entry)) if empty[at]}
    for at, key in enumerate(_keys(columns["year"], columns["entry"])):
        if key in entered:
            for name in ("value", "low", "high"):
                columns[name][at] = entered[key]
            columns["missing"][at] = ()
