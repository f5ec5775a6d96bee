"""Where the value of a target comes from, and what it is in every year."""

from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

import numpy as np
import pandas as pd

from toolkit.data.county import County
from toolkit.data.schema import COMPULSORY_STAGES, TABLES
from toolkit.indicators.conditions import meets
from toolkit.indicators.formula_rows import counted_schools
from toolkit.indicators.formulas import evaluate_formula
from toolkit.indicators.items import ItemValues, formula_in_use
from toolkit.indicators.resources import ResourceIndicators
from toolkit.indicators.roster import school_rows
from toolkit.indicators.row_tables import CountyRows
from toolkit.indicators.stages import stages_taught
from toolkit.standards import Alternatives, Formula, Indicator, Item, Standard, Target
from toolkit.vocabulary import label

Source = Literal["reference", "formula", "entered", "absent"]

UNIT_KINDS = ("class", "school", "town", "project")
COMBINED_TYPES = ("nine_year_school", "twelve_year_school")
PART_COLUMNS = [
    "year",
    "unit_id",
    "unit_name",
    "school_id",
    "stage",
    "entry",
    "value",
    "low",
    "high",
    "weight",
    "certain",
    "entered_verdict",
]


@dataclass(frozen=True, slots=True)
class TargetSources:
    """What the targets of a plan are computed from.

    Attributes
    ----------
    county : County
        The data.
    resources : ResourceIndicators
        Indicators under the base standard of the plan.
    items : ItemValues
        Items under the base standard.
    rows : CountyRows
        Rows of the schools in the scope of the plan, for sums over the county.
    judged_rows : CountyRows
        Rows of those of them in scope of the base standard, for rules on single schools.
    stages : pandas.DataFrame
        By school and year: the type, and whether each stage is taught.
    """

    county: County
    resources: ResourceIndicators
    items: ItemValues
    rows: CountyRows
    judged_rows: CountyRows
    stages: pd.DataFrame


@dataclass(frozen=True, slots=True)
class TargetValues:
    """What is known about one target in every year.

    Attributes
    ----------
    source : {"reference", "formula", "entered", "absent"}
        Where the values come from.
    by_unit : bool
        Whether each school, class, town or project is judged by itself.
    limits : tuple of float
        What the values are compared with: the limits of the target, but 1 for rooms of the area that
        it asks for, which are set against the rooms that the classes need.
    parts : pandas.DataFrame
        One row per year and part that is judged (unit, stage, or subject), with the columns
        `PART_COLUMNS`; `low` and `high` bound the value over all completions of missing cells,
        `weight` is the number of units that the row stands for, `certain` is False where it is open
        whether the unit is covered, `entered_verdict` is "met", "not_met" or "".
    absent_tables : tuple of str
        Tables of the data contract that the target needs and the county does not have.
    data_years : tuple of int
        Years in which all tables that it needs have rows.
    """

    source: Source
    by_unit: bool
    limits: tuple[float, ...]
    parts: pd.DataFrame
    absent_tables: tuple[str, ...]
    data_years: tuple[int, ...]

    @property
    def in_parts(self) -> bool:
        """Whether a year has several parts, each of which must meet the target."""
        return self.by_unit or bool(self.parts["year"].duplicated().any())


def target_sources(
    county: County, plan: Standard, resources: ResourceIndicators, items: ItemValues
) -> TargetSources:
    """Return what the targets of a plan are computed from."""
    schools = counted_schools(county, plan.scope)
    counted = pd.MultiIndex.from_frame(resources.units[["school_id", "year"]].astype({"year": "int64"}))
    in_scope = pd.MultiIndex.from_frame(schools[["school_id", "year"]]).isin(counted)
    return TargetSources(
        county=county,
        resources=resources,
        items=items,
        rows=CountyRows(county, schools),
        judged_rows=CountyRows(county, schools[in_scope].reset_index(drop=True)),
        stages=_stages_by_school(county),
    )


def target_values(sources: TargetSources, target: Target) -> TargetValues:
    """Return the values of a target from the first source that has any.

    In this order: the indicator or item of the base standard it refers to, its formula, the rows
    that the county entered under its id.
    """
    county = sources.county
    tables = _tables_read(target, sources.resources.standard)
    absent = tuple(name for name in tables if name not in county.tables or county.tables[name].empty)
    by_unit = target.tested_on in UNIT_KINDS and not _is_count(target)
    years = () if absent else _years_of_all(county, tables)
    limits = _compared_with(target, sources.resources.standard)
    measured, source = _parts({}), _way(target)
    if not absent and source != "absent":
        measured = _measured(sources, target)
        # A table without rows of a year says nothing about it; sums over it would be zero.
        measured = measured[measured["year"].isin(years)].reset_index(drop=True)
    if not _has_values(measured):
        entered = _entered_rows(county, target.id)
        if len(entered):
            entered_years = tuple(sorted(int(year) for year in entered["year"].unique()))
            return TargetValues("entered", False, target.limits, entered, (), entered_years)
    return TargetValues("absent" if absent else source, by_unit, limits, measured, absent, years)


def _way(target: Target) -> Source:
    """Return the way in which a plan says that a target is computed."""
    if target.reference:
        return "reference"
    return "formula" if target.formula else "absent"


def _compared_with(target: Target, base: Standard) -> tuple[float, ...]:
    rooms = {item.id for item in base.items if item.room_bands}
    return (1.0,) if target.reference in rooms else target.limits


def _tables_read(target: Target, base: Standard) -> tuple[str, ...]:
    """Return the tables that the formula behind a target adds up."""
    formulas = list(target.formula)
    if target.reference in {item.id for item in base.items}:
        item = base.item(target.reference)
        formulas = [entry for entry in item.formulas if entry.name == item.formula]
    read = {part.table for formula in formulas for part in (*formula.numerator, *formula.denominator)}
    return tuple(sorted(read))


def _years_of_all(county: County, tables: tuple[str, ...]) -> tuple[int, ...]:
    """Return the years in which every yearly table has rows."""
    yearly = [name for name in tables if "year" in TABLES[name].column_names]
    held = [
        {int(year) for year in county.tables[name]["year"].dropna().unique()}
        for name in (*yearly, "school_years")
    ]
    return tuple(sorted(set.intersection(*held)))


def _measured(sources: TargetSources, target: Target) -> pd.DataFrame:
    """Return the values that follow from the data."""
    base = sources.resources.standard
    if target.reference in {indicator.id for indicator in base.indicators}:
        return _of_indicator(sources.resources, base.indicator(target.reference), target)
    if target.reference:
        return _of_item(sources, base.item(target.reference), target)
    rows = _evaluated(sources, target.formula[0], target.applies_to, target, target.id)
    if _is_count(target):
        rows = _with_unlisted_classes(rows, sources)
    return _of_stage(rows, sources.stages, target)


def _of_indicator(resources: ResourceIndicators, indicator: Indicator, target: Target) -> pd.DataFrame:
    """Return an indicator by school, or its mean by stage where the target is tested on the whole."""
    k = [entry.id for entry in resources.standard.indicators].index(indicator.id)
    units, enrolment = resources.units, resources.units["enrolment"].to_numpy(dtype=float)
    chosen = meets(resources.rows, target.applies_to) & _in_stage(units, target)
    with np.errstate(invalid="ignore", divide="ignore"):
        low = np.nan_to_num(indicator.per * resources.amount_low[:, k] / enrolment, nan=0.0)
        high = indicator.per * resources.amount_high[:, k] / enrolment
    high = np.where(np.isnan(high), np.inf, high)
    value = resources.value[:, k]
    frame = pd.DataFrame(
        {
            "year": units["year"].astype("int64"),
            "unit_id": units["school_id"],
            "unit_name": units["school_name"],
            "school_id": units["school_id"],
            "stage": units["stage"],
            "value": value,
            "low": np.where(np.isnan(value), low, value),
            "high": np.where(np.isnan(value), high, value),
        }
    )[chosen]
    if target.tested_on in UNIT_KINDS:
        return _parts(frame.to_dict("list"))
    return _means(frame.assign(enrolment=enrolment[chosen]))


def _means(units: pd.DataFrame) -> pd.DataFrame:
    """Return the enrolment-weighted mean of every year and stage, open where students are missing."""
    rows = []
    for (year, stage), own in units.groupby(["year", "stage"], sort=True):
        students = own["enrolment"].to_numpy(dtype=float)
        value, low, high = (
            float((students * own[name].to_numpy(dtype=float)).sum() / students.sum())
            for name in ("value", "low", "high")
        )
        known = not np.isnan(students).any()
        rows.append(
            {
                "year": year,
                "stage": stage,
                "value": value,
                "low": low if known else 0.0,
                "high": high if known else np.inf,
            }
        )
    return _parts(pd.DataFrame(rows, columns=["year", "stage", "value", "low", "high"]).to_dict("list"))


def _of_item(sources: TargetSources, item: Item, target: Target) -> pd.DataFrame:
    """Return the values of an item of the base standard."""
    if item.from_evidence:
        return _entered_rows(sources.county, item.id)
    same_unit = (item.tested_on in UNIT_KINDS) == (target.tested_on in UNIT_KINDS)
    formula = formula_in_use(item)
    if item.room_bands:
        large = tuple(part for part in formula.numerator if item.room_bands[part.column] >= target.limits[0])
        formula = replace(formula, numerator=large)
    if target.applies_to or not same_unit or item.room_bands:
        covered = _both(item.applies_to, target.applies_to)
        rows = _evaluated(sources, formula, covered, target, item.id, item.entries)
    elif item.tested_on in UNIT_KINDS:
        rows = sources.items.units[sources.items.units["item"] == item.id]
    else:
        values = sources.items.tidy()
        rows = values[(values["item"] == item.id) & values["in_use"].astype(bool)]
    if item.entries and (rows["entry"] == "").any():
        # Where there is a row of all respondents together, the rule speaks of it.
        rows = rows[rows["entry"] == ""]
    return _of_stage(rows.reset_index(drop=True), sources.stages, target)


def _evaluated(
    sources: TargetSources,
    formula: Formula,
    applies_to: Alternatives,
    target: Target,
    item_id: str,
    entries: tuple[str, ...] = (),
) -> pd.DataFrame:
    return evaluate_formula(
        sources.county,
        formula,
        applies_to=applies_to,
        tested_on="county" if _is_count(target) else target.tested_on,
        item_id=item_id,
        entries=entries,
        rows=sources.judged_rows if target.tested_on == "school" else sources.rows,
    )


def _with_unlisted_classes(rows: pd.DataFrame, sources: TargetSources) -> pd.DataFrame:
    """Open the range of a count of classes by the classes that no row of the table stands for."""
    classes, schools = sources.county.tables["classes"], sources.rows.schools
    counts = classes["class_count"].where(classes["class_id"].isna(), 1.0)
    listed = counts.groupby([classes["year"].astype("int64"), classes["school_id"]]).sum()
    keys = pd.MultiIndex.from_arrays([schools["year"], schools["school_id"]])
    own = listed.reindex(keys).fillna(0).to_numpy(dtype=float)
    reported = schools[[f"school_years.classes_{stage}" for stage in COMPULSORY_STAGES]].sum(
        axis=1, skipna=False
    )
    unlisted = np.where(reported.isna(), np.where(own > 0, 0.0, np.inf), np.fmax(reported - own, 0.0))
    by_year = pd.Series(unlisted).groupby(schools["year"].to_numpy()).sum()
    more = rows["year"].map(by_year).fillna(0.0)
    return rows.assign(high=rows["high"] + more, value=rows["value"].mask(more > 0))


def _of_stage(rows: pd.DataFrame, stages: pd.DataFrame, target: Target) -> pd.DataFrame:
    """Return evaluated rows as parts: those of the target's stage; street offices are no towns."""
    if target.tested_on == "school" and not _is_count(target):
        rows = rows.merge(stages, on=["school_id", "year"], how="left")
        rows = rows[_teaches(rows, target)]
    if target.tested_on == "town":
        # An English one is a pseudonym.
        endings = tuple(label("street_office", language).lower() for language in ("zh", "en"))
        rows = rows[~rows["unit_id"].astype(str).str.lower().str.endswith(endings)]
    # Neither a value nor a range: there is nothing to divide by, so the rule does not touch the unit.
    rows = rows[rows["low"].notna() | rows["high"].notna()]
    given = {name: rows[name].tolist() for name in PART_COLUMNS if name in rows.columns}
    if "count_high" in rows.columns:
        high, low = (rows[f"count_{end}"].to_numpy(dtype=float) for end in ("high", "low"))
        given["weight"] = np.fmax(np.where(np.isfinite(high), high, low), 1.0).tolist()
        # A class that may not exist cannot fail.
        given["certain"] = (rows["certain"].to_numpy(dtype=bool) & (low > 0)).tolist()
    return _parts(given)


def _stages_by_school(county: County) -> pd.DataFrame:
    rows = school_rows(county)
    taught = stages_taught(rows)
    frame = rows[["school_id", "school_type"]].assign(year=rows["year"].astype("int64"))
    for position, stage in enumerate(COMPULSORY_STAGES):
        frame[f"teaches_{stage}"] = taught[:, position]
    return frame.drop_duplicates(["school_id", "year"])


def _teaches(rows: pd.DataFrame, target: Target) -> pd.Series:
    """Say which schools the stage of a target speaks of."""
    if target.stage in COMPULSORY_STAGES:
        return rows[f"teaches_{target.stage}"].eq(True)
    if target.stage == "combined_schools":
        return rows["school_type"].isin(COMBINED_TYPES)
    return pd.Series(True, index=rows.index)


def _in_stage(units: pd.DataFrame, target: Target) -> np.ndarray:
    if target.stage in COMPULSORY_STAGES:
        return (units["stage"] == target.stage).to_numpy(dtype=bool)
    if target.stage == "combined_schools":
        return units["school_type"].isin(COMBINED_TYPES).to_numpy(dtype=bool)
    return np.ones(len(units), dtype=bool)


def _entered_rows(county: County, code: str) -> pd.DataFrame:
    """Return what was entered in `county_years` under a code: a value, a ratio, or a verdict."""
    table = county.tables.get("county_years")
    if table is None:
        return _parts({})
    rows = table[(table["item"] == code) & table["year"].notna()]
    amount = rows["item_numerator"].to_numpy(dtype=float)
    total = rows["item_denominator"].to_numpy(dtype=float)
    ratio = np.divide(amount, total, out=np.full(len(rows), np.nan), where=total > 0)
    ratio = np.where(np.isnan(total), amount, ratio)
    value = np.where(rows["item_value"].notna(), rows["item_value"].to_numpy(dtype=float), ratio)
    return _parts(
        {
            "year": rows["year"].astype("int64").tolist(),
            "entry": rows["subject"].fillna("").tolist(),
            "value": value.tolist(),
            "low": value.tolist(),
            "high": value.tolist(),
            "entered_verdict": rows["entered_verdict"].fillna("").tolist(),
        }
    )


def _parts(given: dict) -> pd.DataFrame:
    """Return rows with all the columns of a part; those not given have their neutral value."""
    neutral = {"weight": 1.0, "certain": True, "value": np.nan, "low": np.nan, "high": np.nan}
    n_rows = len(given["year"]) if given else 0
    columns = {name: given.get(name, [neutral.get(name, "")] * n_rows) for name in PART_COLUMNS}
    dtypes = {"year": np.int64, "certain": bool} | dict.fromkeys(("value", "low", "high", "weight"), float)
    typed = {name: np.array(columns[name], dtype=dtype) for name, dtype in dtypes.items()}
    return pd.DataFrame(columns | typed)


def _has_values(parts: pd.DataFrame) -> bool:
    """Say whether anything is known: a value, or a range that is not everything."""
    bounded = np.isfinite(parts["high"]) | (parts["low"] > 0)
    return bool((parts["value"].notna() | bounded | (parts["entered_verdict"] != "")).any())


def _is_count(target: Target) -> bool:
    """Say whether the number is a count of classes: tested on the county, not on each class."""
    return bool(target.formula) and any(part.column == "class_count" for part in target.formula[0].numerator)


def _both(first: Alternatives, second: Alternatives) -> Alternatives:
    """Return the conditions under which both of two alternatives are met."""
    if not first or not second:
        return first or second
    return tuple(one + other for one, other in product(first, second))
