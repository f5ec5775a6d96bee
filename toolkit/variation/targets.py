"""Targets of a local plan against the county: met now or not, and on track to the deadline or not."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County
from toolkit.indicators.items import ItemValues, compute_items
from toolkit.indicators.resources import ResourceIndicators, compute_resource_indicators
from toolkit.results import Verdict
from toolkit.standards import Standard, Target, load_standard
from toolkit.standards.values import Comparator
from toolkit.variation.breaks import Break, break_years, declared_breaks
from toolkit.variation.deadlines import deadline_state, deadline_year
from toolkit.variation.items import judge_range
from toolkit.variation.target_values import TargetValues, target_sources, target_values
from toolkit.variation.three_valued import all_of
from toolkit.variation.trends import MINIMUM_POINTS, trend_against_limit

TargetOutlook = Literal[
    "not_judged",
    "no_value",
    "no_deadline",
    "annual",
    "deadline_passed",
    "due",
    "insufficient",
    "on_track",
    "off_track",
]
Reason = Literal[
    "", "reported_fact", "data_absent", "no_unit", "not_in_year", "cells_missing", "not_a_share",
    "no_year_before", "broken",
]  # fmt: skip

# What the sums of one county do not answer.
BEYOND_COUNTY = {"city": "city", "teacher": "single_persons", "student": "single_persons"}

YEAR_COLUMNS = [
    "target",
    "year",
    "value",
    "low",
    "high",
    "worst",
    "n_units",
    "n_met",
    "n_failed",
    "n_undecided",
    "verdict",
    "reason",
]
TABLE_COLUMNS = [
    "target",
    "kind",
    "is_judged",
    "source",
    "by_unit",
    "in_parts",
    *YEAR_COLUMNS[2:10],
    "verdict",
    "reason",
    "caveats",
    "absent_tables",
    "deadline_year",
    "deadline_state",
    "deadline_value",
    "deadline_verdict",
    "n_points",
    "slope",
    "projected",
    "outlook",
]


UNIT_COLUMNS = [
    "target",
    "unit_id",
    "unit_name",
    "school_id",
    "stage",
    "entry",
    "n_units",
    "value",
    "verdict",
]
ALL_COLUMNS = (TABLE_COLUMNS, YEAR_COLUMNS, UNIT_COLUMNS)


@dataclass(frozen=True, slots=True)
class TargetResults:
    """Every target of a plan against the county.

    Attributes
    ----------
    plan : Standard or None
        The plan; None when none was chosen, then the tables have no rows.
    year : int
        School year judged.
    table : pandas.DataFrame
        One row per target in the order of the plan: `source` ("reference", "formula", "entered",
        "absent"); `value` now, for a target tested on units the share of them that meets it, with
        `worst` the value farthest from the limit, and `n_units`, `n_met`, `n_failed`,
        `n_undecided`; `verdict`, "" for what is reported and not judged; `reason` why there is no
        verdict; `caveats`; the deadline as a school year, `deadline_state`, and for one that has
        passed value and verdict of its year; `n_points`, `slope`, `projected` (value in the
        deadline year) and `outlook`.
    series : pandas.DataFrame
        The values and verdicts of every year, one row per target and year.
    units : pandas.DataFrame
        Schools, towns and subjects that miss a target in `year` or are open, with the value; classes
        put together by school, with their number and the value farthest from the limit.

    Notes
    -----
    The rule of the outlook: with at least four years of data since the last break, the last value
    moved on by the least-squares slope is compared with the limit in the deadline year. It is a
    reading of the past, not a forecast. For targets tested on units the share of units that meet
    the target is moved on and compared with all of them.
    """

    plan: Standard | None
    year: int
    table: pd.DataFrame
    series: pd.DataFrame
    units: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per target."""
        return self.table


def judge_targets(
    county: County,
    plan: Standard | None,
    *,
    resources: ResourceIndicators,
    items: ItemValues,
    year: int,
) -> TargetResults:
    """Set every target of a plan beside what the county has.

    Parameters
    ----------
    county : County
        The data. Where they do not hold what a target speaks of, its value can be entered in
        `county_years` under the target's id.
    plan : Standard or None
        A local plan, None where the report has none.
    resources, items : ResourceIndicators, ItemValues
        Indicators and items; where they are not those of the plan's base standard, these are computed.
    year : int
        School year to judge. A verdict rests on it alone; the years before enter the outlook.

    Raises
    ------
    ValueError
        If `plan` has no targets.
    """
    if plan is None:
        return TargetResults(None, year, *(_stacked([], names) for names in ALL_COLUMNS))
    if not plan.targets:
        raise ValueError(f"plan {plan.id!r} has no targets")
    if plan.base and resources.standard.id != plan.base:
        base = load_standard(plan.base)
        resources = compute_resource_indicators(county, base)
        items = compute_items(county, base, only={target.reference for target in plan.targets})
    sources = target_sources(county, plan, resources, items)
    breaks = declared_breaks(county)
    rows, series, units = [], [], []
    for target in plan.targets:
        values = target_values(sources, target)
        judged = _judged_parts(values, target, breaks)
        by_year = _by_year(judged, values, target)
        series.append(by_year)
        rows.append(_result(target, values, by_year, year, breaks))
        units.append(_not_met(judged, target, year))
    return TargetResults(
        plan=plan,
        year=year,
        table=pd.DataFrame(rows, columns=TABLE_COLUMNS),
        series=_stacked(series, YEAR_COLUMNS),
        units=_stacked(units, UNIT_COLUMNS),
    )


def is_judged(target: Target) -> bool:
    """Say whether a target asks for something: facts that the plan reports do not."""
    return target.kind != "baseline" and target.comparator != "report"


def _judged_parts(values: TargetValues, target: Target, breaks: Iterable[Break]) -> pd.DataFrame:
    """Return the parts with their verdict and the reason where there is none."""
    parts = values.parts
    rows = parts.assign(tested_low=parts["low"], tested_high=parts["high"], reason="")
    if target.comparator == "nondecreasing":
        rows = _changes_from_year_before(parts)
    shares = (target.unit == "percent") & (parts["low"] > 1) & (max(target.limits) <= 1)
    rows = rows.assign(reason=np.where(shares & parts["value"].notna(), "not_a_share", rows["reason"]))
    if target.comparator == "nondecreasing":
        first_years = break_years(breaks, target.id, target.reference)
        rows["reason"] = np.where(rows["year"].isin(first_years), "broken", rows["reason"])
    read = ("reason", "value", "entered_verdict", "tested_low", "tested_high", "certain")
    verdicts = [
        _part_verdict(dict(zip(read, row, strict=True)), target, values.limits)
        for row in zip(*(rows[name].tolist() for name in read), strict=True)
    ]
    return rows.assign(verdict=pd.Series(verdicts, index=rows.index, dtype=object))


def _part_verdict(row: dict, target: Target, limits: tuple[float, ...]) -> Verdict:
    if row["reason"]:
        return "undecided"
    if np.isnan(row["value"]) and row["entered_verdict"]:
        return "pass" if row["entered_verdict"] == "met" else "fail"
    comparator: Comparator = ">=" if target.comparator == "nondecreasing" else target.comparator
    if comparator == "report":
        return "undecided"
    verdict = judge_range(row["tested_low"], row["tested_high"], comparator, limits)
    # Whether the rule covers the unit at all is open: only meeting it settles the matter.
    return "undecided" if verdict == "fail" and not row["certain"] else verdict


def _changes_from_year_before(parts: pd.DataFrame) -> pd.DataFrame:
    """Return parts whose tested range is the change from the year before."""
    key = ["unit_id", "stage", "entry"]
    before = parts[["year", *key, "low", "high"]].assign(year=parts["year"] + 1)
    joined = parts.merge(before, on=["year", *key], how="left", suffixes=("", "_before"))
    absent = joined["low_before"].isna() & joined["high_before"].isna()
    with np.errstate(invalid="ignore"):
        low, high = joined["low"] - joined["high_before"], joined["high"] - joined["low_before"]
    return parts.assign(
        tested_low=low.to_numpy(),
        tested_high=high.to_numpy(),
        reason=np.where(absent.to_numpy(), "no_year_before", ""),
    )


def _by_year(parts: pd.DataFrame, values: TargetValues, target: Target) -> pd.DataFrame:
    columns = {name: parts[name].to_numpy(dtype=float) for name in ("weight", "value", "low", "high")}
    columns |= {name: parts[name].to_numpy(dtype=object) for name in ("verdict", "reason")}
    years, several = parts["year"].to_numpy(dtype=np.int64), values.in_parts
    rows = [
        _year_row(year, {name: found[years == year] for name, found in columns.items()}, several, target)
        for year in np.unique(years).tolist()
    ]
    return pd.DataFrame(rows, columns=YEAR_COLUMNS)


def _year_row(year: int, parts: dict[str, NDArray[Any]], several: bool, target: Target) -> dict[str, object]:
    """Return the value and the verdict of one year from those of its parts."""
    weights = parts["weight"]
    counts = {name: float(weights[parts["verdict"] == name].sum()) for name in ("pass", "fail", "undecided")}
    known = parts["value"][~np.isnan(parts["value"])]
    worst = known[int(np.argmax(_distance(known, target)))] if len(known) else np.nan
    total = float(weights.sum())
    if several:
        low, high = counts["pass"] / total, (total - counts["fail"]) / total
        value = low if counts["undecided"] == 0 else np.nan
    else:
        value, low, high = (float(parts[name][0]) for name in ("value", "low", "high"))
    verdict = all_of(parts["verdict"])
    reasons = parts["reason"][parts["verdict"] == "undecided"]
    reason = (max(reasons) or "cells_missing") if verdict == "undecided" else ""
    return dict(
        zip(
            YEAR_COLUMNS,
            (target.id, year, value, low, high, worst, total, counts["pass"], counts["fail"],
             counts["undecided"], verdict, reason),
            strict=True,
        )
    )  # fmt: skip


def _distance(values: pd.Series | NDArray[np.float64], target: Target) -> NDArray[np.float64]:
    """Return how far each value lies on the wrong side of the limit, negative on the right one."""
    found = np.asarray(values, dtype=float)
    match target.comparator:
        case ">=" | ">" | "nondecreasing" | "report":
            return -found
        case "<=" | "<":
            return found
        case _:
            return np.maximum(min(target.limits) - found, found - max(target.limits))


def _result(
    target: Target, values: TargetValues, by_year: pd.DataFrame, year: int, breaks: tuple[Break, ...]
) -> dict[str, object]:
    """Return the row of one target."""
    judged = is_judged(target)
    now = _row_of(by_year, year)
    deadline = deadline_year(target.deadline)
    state = deadline_state(target.deadline, year)
    at_deadline = _row_of(by_year, deadline) if state == "passed" and deadline is not None else None
    trend = _outlook(target, values, by_year, year, breaks)
    return {
        "target": target.id,
        "kind": target.kind,
        "is_judged": judged,
        "source": values.source,
        "by_unit": values.by_unit,
        "in_parts": values.in_parts,
        **{name: now[name] if now is not None else np.nan for name in YEAR_COLUMNS[2:10]},
        "verdict": _verdict(judged, values, now, year),
        "reason": _reason(judged, values, now, year),
        "caveats": _caveats(target, values),
        "absent_tables": values.absent_tables,
        "deadline_year": np.nan if deadline is None else float(deadline),
        "deadline_state": state,
        "deadline_value": at_deadline["value"] if at_deadline is not None else np.nan,
        "deadline_verdict": at_deadline["verdict"] if at_deadline is not None and judged else "",
        **trend,
    }


def _row_of(by_year: pd.DataFrame, year: int) -> dict | None:
    own = by_year[by_year["year"] == year]
    return own.to_dict("records")[0] if len(own) else None


def _verdict(judged: bool, values: TargetValues, now: dict | None, year: int) -> str:
    """Return the verdict, "" for a reported fact and for a rule that touches no unit this year."""
    if not judged or _reason(judged, values, now, year) == "no_unit":
        return ""
    return "undecided" if now is None else now["verdict"]


def _reason(judged: bool, values: TargetValues, now: dict | None, year: int) -> Reason:
    if values.source == "absent":
        return "data_absent"
    if now is None:
        return "no_unit" if values.by_unit and year in values.data_years else "not_in_year"
    if judged:
        return now["reason"]
    return "cells_missing" if np.isnan(now["value"]) else "reported_fact"


def _caveats(target: Target, values: TargetValues) -> tuple[str, ...]:
    """Return what a value of the county does not answer."""
    if values.source in ("entered", "absent"):
        return ()
    told = [BEYOND_COUNTY[target.tested_on]] if target.tested_on in BEYOND_COUNTY else []
    if any(part.table == "projects" for formula in target.formula for part in formula.numerator):
        told.append("all_projects")
    return tuple(told)


def _outlook(
    target: Target, values: TargetValues, by_year: pd.DataFrame, year: int, breaks: tuple[Break, ...]
) -> dict[str, object]:
    """Move the last value on by its slope to the deadline, where there are enough years."""
    nothing: dict[str, object] = {"n_points": 0, "slope": np.nan, "projected": np.nan}
    known = by_year[(by_year["year"] <= year)].dropna(subset="value")
    state = deadline_state(target.deadline, year)
    if not is_judged(target):
        return nothing | {"outlook": "not_judged"}
    if known.empty or int(known["year"].iloc[-1]) < year:
        return nothing | {"outlook": "no_value"}
    trend = trend_against_limit(
        known["year"], known["value"], min(target.limits), "at_least",
        breaks=break_years(breaks, target.id, target.reference),
    )  # fmt: skip
    found = nothing | {"n_points": trend.n_points, "slope": trend.slope}
    deadline = deadline_year(target.deadline)
    plain = {"none": "no_deadline", "annual": "annual", "passed": "deadline_passed", "due": "due"}
    if deadline is None or state != "ahead":
        return found | {"outlook": plain[state]}
    if trend.n_points < MINIMUM_POINTS:
        return found | {"outlook": "insufficient"}
    projected = trend.last_value + trend.slope * (deadline - trend.last_year)
    return found | {"projected": projected, "outlook": _kept(projected, values.in_parts, target)}


def _kept(projected: float, several: bool, target: Target) -> TargetOutlook:
    comparator, limits = (">=", (1.0,)) if several else (target.comparator, target.limits)
    return "on_track" if judge_range(projected, projected, comparator, limits) == "pass" else "off_track"


def _not_met(parts: pd.DataFrame, target: Target, year: int) -> pd.DataFrame:
    """Return the parts of the year that miss the target or are open, where there are several.

    Classes are put together by school.
    """
    own = parts[parts["year"] == year]
    if len(own) < 2 or not is_judged(target):
        return pd.DataFrame(columns=UNIT_COLUMNS)
    found = own.assign(target=target.id, n_units=own["weight"])[own["verdict"] != "pass"]
    if target.tested_on != "class" or found.empty:
        return found[UNIT_COLUMNS]
    rows = []
    for (school, verdict), classes in found.groupby(["school_id", "verdict"], sort=False):
        farthest = int(np.argmax(np.nan_to_num(_distance(classes["value"], target), nan=-np.inf)))
        row = classes.iloc[farthest].to_dict() | {"n_units": float(classes["weight"].sum())}
        rows.append(row | {"unit_id": school, "verdict": verdict})
    return pd.DataFrame(rows)[UNIT_COLUMNS]


def _stacked(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Return frames below each other; without rows, a frame with the columns alone."""
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=columns)
