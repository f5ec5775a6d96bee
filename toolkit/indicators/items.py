"""The items of a standard beside the resource indicators: what they are, for the county and for each unit."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County
from toolkit.data.schema import COMPULSORY_STAGES, TABLES, conform
from toolkit.indicators.formula_rows import COUNTY_TABLES, counted_schools
from toolkit.indicators.formulas import evaluate_formula
from toolkit.indicators.possible import condition_addresses
from toolkit.indicators.row_tables import CountyRows, Rows
from toolkit.standards import Formula, Item, SpecialCase, Standard

VALUE_COLUMNS = [
    "item",
    "formula",
    "in_use",
    "entry",
    "year",
    "numerator",
    "denominator",
    "value",
    "low",
    "high",
    "n_units",
    "source",
    "missing",
]
UNIT_COLUMNS = [
    "item",
    "year",
    "unit_id",
    "unit_name",
    "school_id",
    "numerator",
    "denominator",
    "value",
    "low",
    "high",
    "limit",
    "special_case",
    "certain",
    "count_low",
    "count_high",
    "missing",
]
CASE_COLUMNS = [
    "item",
    "year",
    "school_id",
    "school_name",
    "case",
    "standard_limit",
    "limit",
    "value",
    "reason",
]
ENTERED_COLUMNS = [
    "item",
    "entry",
    "year",
    "item_value",
    "item_numerator",
    "item_denominator",
    "entered_verdict",
    "evidence",
    "judge",
    "judged_on",
]
UNITS_TESTED = ("school", "class")


@dataclass(frozen=True, slots=True)
class ItemValues:
    """Values of all items in all years.

    Attributes
    ----------
    standard : Standard
        The standard.
    values : pandas.DataFrame
        One row per item of the county, formula, entry (subject or respondents, "" for all) and year:
        numerator, denominator, value, its range over all completions of the missing cells, the
        `missing` cells, whether the formula is `in_use`, and the `source` ("schools", "entered").
    units : pandas.DataFrame
        One row per item tested on schools or classes, unit and year: the same, with the `limit` that
        holds for the unit and the `special_case` it comes from. A row of a size band stands for
        `count_low` to `count_high` classes.
    special_cases : pandas.DataFrame
        One row per item, school and year in which a special case replaced the limit, with the
        `reason`: pairs of column and value that met its conditions.
    entered : pandas.DataFrame
        What the county entered for each item, entry and year: numbers, verdict, evidence, judge, date.
    differences : pandas.DataFrame
        Items that both the school tables and the county give: `computed`, `entered`, `difference`.
    """

    standard: Standard
    values: pd.DataFrame
    units: pd.DataFrame
    special_cases: pd.DataFrame
    entered: pd.DataFrame
    differences: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per item, formula, entry and year."""
        return self.values


def compute_items(
    county: County,
    standard: Standard,
    *,
    only: Collection[str] | None = None,
    rows: CountyRows | None = None,
) -> ItemValues:
    """Compute every item of a standard that has a number.

    Parameters
    ----------
    county : County
        With the tables `schools` and `school_years`; what the other tables would give is missing
        where they are absent.
    standard : Standard
        Items, formulas and special cases; the cases that are enabled are applied.
    only : collection of str, optional
        Numbers of the items to compute; all by default.
    rows : CountyRows, optional
        Rows of all schools that count, `counted_schools(county, None)`, or of some of their years; read
        by default.

    Notes
    -----
    The scope of the resource indicators does not narrow the items: every school counts. Where the
    school tables give an item, their sum decides and an entered number is listed beside it; the
    entered number stands in where no school reports. A special case is applied only where the data
    show that it holds.
    """
    rows = rows or CountyRows(county, counted_schools(county, None))
    entered = _entered(county)
    items = [item for item in standard.items if only is None or item.id in only]
    counted = [item for item in items if not item.from_evidence]
    of_county = [item for item in counted if item.tested_on not in UNITS_TESTED]
    of_units = [item for item in counted if item.tested_on in UNITS_TESTED]
    values = [_values(county, item, formula, rows) for item in of_county for formula in item.formulas]
    table = _joined(values, VALUE_COLUMNS)
    limits = {item.id: _limits(standard, item, rows) for item in of_units}
    units = [_units(county, item, rows, limits[item.id]) for item in of_units]
    all_units = _joined(units, UNIT_COLUMNS)
    table, differences = _with_entered(table, entered)
    return ItemValues(
        standard=standard,
        values=table,
        units=all_units,
        special_cases=_special_cases(standard, of_units, limits, all_units, rows),
        entered=entered[entered["item"].isin([item.id for item in items])].reset_index(drop=True),
        differences=differences,
    )


def formula_in_use(item: Item) -> Formula:
    """Return the formula by which an item is judged."""
    return next(formula for formula in item.formulas if formula.name == item.formula)


def _joined(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype="object") for name in columns})
    return pd.concat(parts, ignore_index=True)[columns]


def _values(county: County, item: Item, formula: Formula, rows: CountyRows) -> pd.DataFrame:
    """Return one formula of an item of the county, by entry and year."""
    found = evaluate_formula(
        county,
        formula,
        applies_to=item.applies_to,
        tested_on=item.tested_on,
        item_id=item.id,
        entries=item.entries,
        rows=rows,
    )
    tables = {part.table for part in (*formula.numerator, *formula.denominator)}
    reported = (found["n_known"] > 0) & (not tables <= set(COUNTY_TABLES))
    return found.assign(
        item=item.id,
        formula=formula.name,
        in_use=formula.name == item.formula,
        source=np.where(reported, "schools", "entered" if tables <= set(COUNTY_TABLES) else ""),
    )


def _units(county: County, item: Item, rows: CountyRows, limits: pd.DataFrame) -> pd.DataFrame:
    """Return the units of one item with the limit that holds for each."""
    formula = formula_in_use(item)
    if item.room_bands:
        found = _rooms(county, item, formula, rows, limits)
    else:
        found = _evaluated(county, item, formula, rows)
    if any(part.table == "classes" for part in formula.numerator):
        found = pd.concat([found, _unreported_classes(item, found, rows.schools)], ignore_index=True)
    return found.merge(
        limits[["year", "school_id", "limit", "special_case"]], on=["year", "school_id"], how="left"
    ).assign(item=item.id)


def _evaluated(county: County, item: Item, formula: Formula, rows: CountyRows) -> pd.DataFrame:
    return evaluate_formula(
        county,
        formula,
        applies_to=item.applies_to,
        tested_on=item.tested_on,
        item_id=item.id,
        rows=rows,
    )


def _rooms(
    county: County, item: Item, formula: Formula, rows: CountyRows, limits: pd.DataFrame
) -> pd.DataFrame:
    """Return the rooms of at least the required area against those that the classes need."""
    parts = []
    for limit in sorted(limits["limit"].unique()):
        large = tuple(part for part in formula.numerator if item.room_bands[part.column] >= limit)
        found = _evaluated(county, item, replace(formula, numerator=large), rows)
        own = limits.loc[limits["limit"] == limit, ["year", "school_id"]]
        parts.append(found.merge(own, on=["year", "school_id"]))
    rooms = pd.concat(parts, ignore_index=True)
    # A school without classes needs no room.
    return rooms[rooms["denominator"] != 0].sort_values("year", kind="stable").reset_index(drop=True)


def _unreported_classes(item: Item, found: pd.DataFrame, schools: pd.DataFrame) -> pd.DataFrame:
    """Return one row per school and stage whose classes are not all listed."""
    stages = [stage for stage in COMPULSORY_STAGES if item.stage in (stage, "both_stages")]
    listed = found.groupby(["year", "school_id"])["count_high"].sum()
    keys = pd.MultiIndex.from_frame(schools[["year", "school_id"]])
    n_listed = listed.reindex(keys).fillna(0).to_numpy(dtype=float)
    numbers = {
        name: sum(schools[f"school_years.{name}_{stage}"].to_numpy(dtype=float) for stage in stages)
        for name in ("classes", "enrolment")
    }
    lacking = np.fmax(numbers["classes"] - n_listed, 0)
    unknown = np.isnan(numbers["classes"]) & (n_listed == 0) & (numbers["enrolment"] != 0)
    absent = (lacking > 0) | unknown
    own = schools[absent]
    return pd.DataFrame(
        {
            "year": own["year"],
            "unit_id": own["school_id"] + f"/{item.stage}",
            "unit_name": own["school_name"],
            "school_id": own["school_id"],
            "entry": "",
            "low": 0.0,
            "high": np.inf,
            "count_low": np.nan_to_num(lacking[absent]),
            "count_high": np.where(np.isnan(lacking[absent]), np.inf, lacking[absent]),
            "certain": True,
            "missing": [(("classes", "class_size", school),) for school in own["school_id"]],
        }
    ).astype({"missing": object})


def _limits(standard: Standard, item: Item, rows: CountyRows) -> pd.DataFrame:
    """Return the limit of an item in every school and year: the most favourable one of those that hold."""
    schools, own = rows.schools, rows.rows("school_years")
    limit = np.full(len(schools), item.limits[0])
    case_of = np.full(len(schools), "", dtype=object)
    for case in _cases(standard, item):
        other = case.limits[item.id]
        better = own.holding(case.when).surely & _more_favourable(item, other, limit)
        limit, case_of = np.where(better, other, limit), np.where(better, case.id, case_of)
    table = schools[["year", "school_id", "school_name"]].assign(limit=limit, special_case=case_of)
    return table.drop_duplicates(["year", "school_id"])


def _cases(standard: Standard, item: Item) -> list[SpecialCase]:
    return [case for case in standard.exceptions if case.enabled and item.id in case.limits]


def _more_favourable(item: Item, other: float, limit: np.ndarray) -> np.ndarray:
    return other < limit if item.comparator in (">=", ">") else other > limit


def _special_cases(
    standard: Standard,
    items: list[Item],
    limits: dict[str, pd.DataFrame],
    units: pd.DataFrame,
    rows: CountyRows,
) -> pd.DataFrame:
    """List the schools in which a special case replaced a limit, with what met its conditions."""
    values = units.drop_duplicates(["item", "year", "school_id"])[["item", "year", "school_id", "value"]]
    parts = []
    for item in items:
        for case in _cases(standard, item):
            table = limits[item.id]
            own = table[table["special_case"] == case.id]
            if own.empty:
                continue
            reasons = _reasons(case, rows.rows("school_years"), own.index.to_numpy())
            own = own[["year", "school_id", "school_name", "limit"]].reset_index(drop=True)
            parts.append(
                own.assign(item=item.id, case=case.id, standard_limit=item.limits[0], reason=reasons)
            )
    if not parts:
        return pd.DataFrame(columns=CASE_COLUMNS)
    # A school that the item does not cover has no limit to replace.
    found = pd.concat(parts, ignore_index=True).merge(values, on=["item", "year", "school_id"])
    return found.sort_values(["item", "year"], kind="stable", ignore_index=True)[CASE_COLUMNS]


def _reasons(case: SpecialCase, rows: Rows, at: NDArray[np.intp]) -> pd.Series:
    """Return, for the rows at some places, columns and values of the first alternative that each meets."""
    reasons: list[tuple[tuple[str, object], ...]] = [()] * len(at)
    for conditions in reversed(case.when):
        addresses = condition_addresses((conditions,))
        names = [name.split(".")[1] for name in addresses]
        columns = [rows.texts(name)[at] for name in addresses]
        for place in np.flatnonzero(rows.holding((conditions,)).surely[at]).tolist():
            reasons[place] = tuple(zip(names, (column[place] for column in columns), strict=True))
    return pd.Series(reasons, dtype=object)


def _entered(county: County) -> pd.DataFrame:
    """Return what the county entered, one row per item, subject and year."""
    table = county.tables.get("county_years", conform(pd.DataFrame(), TABLES["county_years"]))
    table = table.assign(entry=table["subject"].astype(object).fillna("")).dropna(subset=["year", "item"])
    table = table.drop_duplicates(["year", "item", "entry"], keep="last")
    return table.astype({"year": "int64"})[ENTERED_COLUMNS].reset_index(drop=True)


def _with_entered(values: pd.DataFrame, entered: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Let entered numbers stand in where no school reports, and list those beside computed values."""
    ratio = entered["item_numerator"] / entered["item_denominator"].where(entered["item_denominator"] > 0)
    given = entered.assign(entered=entered["item_value"].fillna(ratio)).dropna(subset=["entered"])
    columns = ["item", "entry", "year", "entered", "item_numerator", "item_denominator"]
    both = values.merge(given[columns], on=["item", "entry", "year"], how="left").set_axis(values.index)
    known = both["entered"].notna() & both["in_use"].astype(bool)
    stands_in = known & (both["source"] == "")
    changed = values.copy()
    for name in ("value", "low", "high"):
        changed[name] = values[name].mask(stands_in, both["entered"])
    changed["numerator"] = values["numerator"].mask(stands_in, both["item_numerator"])
    changed["denominator"] = values["denominator"].mask(stands_in, both["item_denominator"])
    changed["missing"] = [
        () if entered else cells for entered, cells in zip(stands_in, values["missing"], strict=True)
    ]
    changed["source"] = values["source"].mask(stands_in, "entered").replace("", "schools")
    found = both[known & (both["source"] == "schools")]
    differences = pd.DataFrame(
        {
            "item": found["item"],
            "year": found["year"],
            "computed": found["value"],
            "entered": found["entered"],
            "difference": found["entered"] - found["value"],
        }
    )
    return changed, differences.reset_index(drop=True)
