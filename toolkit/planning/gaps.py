"""What each school lacks to the standard: present stock, needed stock and the gap between them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.schema import COMPULSORY_STAGES, TABLES
from toolkit.indicators.resources import ResourceIndicators, indicator_terms
from toolkit.planning.stocks import StockRange, needed_stock, stage_stock
from toolkit.standards import Indicator, Standard
from toolkit.variation.compliance import Compliance
from toolkit.variation.three_valued import at_least
from toolkit.vocabulary import term

COMBINED = "combined_stages"
TOTAL = "total"
IDENTITY = ["school_id", "school_name", "school_type", "location", "stage", "enrolment"]
SUMS = ["gap_low", "gap_high", "required_low", "required_high", "least"]


@dataclass(frozen=True, slots=True)
class GapList:
    """What is missing for every school to reach every minimum of the standard.

    Attributes
    ----------
    standard : Standard
        The standard.
    year : int
        School year.
    gaps : pandas.DataFrame
        One row per school, stage and indicator that misses its minimum in some completion of the
        missing cells: identity, `indicator`, `unit` (vocabulary code), `counted` (whole units only),
        `whole_school` (the stock serves several stages, so present and needed are the school's),
        `value`, `minimum`, `floor`, `present` and `needed` (missing where open), `gap_low` and `gap_high`
        to the minimum, `floor_gap_low` and `floor_gap_high` to the floor, `joint_gap_low` and
        `joint_gap_high` (so that all stages of the school that share the stock reach their minimum), `met`,
        `above_floor`, `verdict` on the school, `status` ("exact", "range", "at_least", "not_computable") and
        `missing`, the columns of the missing cells.
    schools : pandas.DataFrame
        One row per school and stage in `gaps`: identity, `verdict`, `unmet`, `below_floor` and `open`
        (tuples of indicators), `n_to_close` (unmet indicators that must reach the minimum), `n_may_stay`
        (those that may stay between floor and minimum).
    totals : pandas.DataFrame
        One row per indicator and `stage`, where "combined_stages" are stocks that serve several stages of one
        school and "total" is their sum: `unit`, `n_schools`, `n_open`, `gap_low` and `gap_high` for all to
        reach the minimum, `required_low` and `required_high` the part in schools that do not pass, `least`
        the part that no plan can do without.
    """

    standard: Standard
    year: int
    gaps: pd.DataFrame
    schools: pd.DataFrame
    totals: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per school, stage and indicator."""
        return self.gaps


def compute_gaps(resources: ResourceIndicators, compliance: Compliance, *, year: int) -> GapList:
    """Compute present stock, needed stock and gap of every school, stage and indicator.

    Parameters
    ----------
    resources : ResourceIndicators
        Stocks of the schools in scope.
    compliance : Compliance
        The verdicts of the same year.
    year : int
        School year.

    Notes
    -----
    With P students, the minimum m per 1 or per 100 students needs m P, or m P / 100 rounded up to
    whole teachers and rooms. A stock shared by stages needs the largest of what its stages need, each by
    the official split: x w / (A + 1.1 B + 1.32 C) per student for a stage of weight w. A gap is
    that of one indicator alone: one teacher may close several, and indoor sports rooms taken out of
    teaching area would open another.
    """
    parts = [
        _indicator_gaps(resources, indicator, stage, _units(resources, indicator, stage, year))
        for stage in resources.stages
        for indicator in resources.standard.indicators
    ]
    rows = pd.concat(parts, ignore_index=True).sort_values("position", kind="stable", ignore_index=True)
    verdicts = compliance.schools[["school_id", "stage", "verdict"]]
    rows = _with_joint_gaps(rows).merge(verdicts, on=["school_id", "stage"], how="left")
    listed = rows[rows["gap_high"] > 0].drop(columns="position").reset_index(drop=True)
    return GapList(
        standard=resources.standard,
        year=year,
        gaps=listed,
        schools=_school_needs(listed, resources.standard),
        totals=_totals(listed, resources.standard),
    )


def _units(resources: ResourceIndicators, indicator: Indicator, stage: str, year: int) -> NDArray[np.intp]:
    """Return the units of a stage for which the standard asks a minimum of the indicator."""
    units = resources.select(year=year, stage=stage)
    return units if stage in indicator.minimum else units[:0]


def _indicator_gaps(
    resources: ResourceIndicators, indicator: Indicator, stage: str, units: NDArray[np.intp]
) -> pd.DataFrame:
    """Return present, needed and missing stock of one indicator in the schools of one stage."""
    k = resources.standard.indicators.index(indicator)
    stock = stage_stock(resources, indicator, stage, units)
    columns = [column for column, _, _ in indicator_terms(resources.standard, indicator, stage)]
    counted = all(TABLES["school_years"].column(column).kind == "integer" for column in columns)
    minimum = indicator.minimum.get(stage, np.nan)
    floor = resources.standard.floor(indicator).get(stage, np.nan)
    shared = resources.taught[units].sum(axis=1) > 1
    to_minimum = _gap(resources, indicator, stage, units, stock, minimum, counted=counted)
    to_floor = _gap(resources, indicator, stage, units, stock, floor, counted=counted)
    exact = ~np.isnan(stock.known)
    return (
        resources.units.iloc[units][IDENTITY]
        .reset_index(drop=True)
        .assign(
            position=units,
            indicator=indicator.id,
            unit=term(columns[0]).unit,
            counted=counted,
            whole_school=shared & indicator.shared,
            value=resources.value[units, k],
            minimum=minimum,
            floor=floor,
            present=stock.known,
            needed=to_minimum.needed,
            gap_low=to_minimum.low,
            gap_high=to_minimum.high,
            floor_gap_low=to_floor.low,
            floor_gap_high=to_floor.high,
            met=_verdicts(to_minimum),
            above_floor=_verdicts(to_floor),
            status=_status(to_minimum, exact & ~np.isnan(to_minimum.needed)),
            missing=pd.Series(stock.missing, dtype=object),
        )
    )


@dataclass(frozen=True, slots=True)
class _Gap:
    """Needed stock where it is known, least and largest gap, (n_units,) each."""

    needed: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def _gap(
    resources: ResourceIndicators,
    indicator: Indicator,
    stage: str,
    units: NDArray[np.intp],
    stock: StockRange,
    target: float,
    *,
    counted: bool,
) -> _Gap:
    """Return the range of the gap to a target over all completions of the missing cells."""
    need = needed_stock(resources, indicator, stage, units, target)
    with np.errstate(invalid="ignore"):
        low = _shortfall(need.low, stock.high, counted=counted)
        high = _shortfall(need.high, stock.low, counted=counted)
    needed = np.where(need.low == need.high, need.low, np.nan)
    return _Gap(_whole(needed) if counted else needed, low, high)


def _shortfall(
    needed: NDArray[np.float64], stock: NDArray[np.float64], *, counted: bool
) -> NDArray[np.float64]:
    """Return what is missing: nothing where the stock is enough, whole units of what is counted."""
    missing = needed - stock
    missing = _whole(missing) if counted else missing
    missing = np.where(at_least(stock, needed), 0.0, np.maximum(missing, 0.0))
    return np.where(np.isnan(needed), np.nan, missing)


def _whole(amount: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round up to whole units; binary dust above a whole number is not a further unit."""
    return np.ceil(np.round(amount, 9))


def _verdicts(gap: _Gap) -> NDArray[np.str_]:
    """Say where a target is reached whatever the missing cells hold; "" where there is no target."""
    names = ["", "pass", "fail"]
    return np.select([np.isnan(gap.high), gap.high == 0, gap.low > 0], names, default="undecided")


def _status(gap: _Gap, exact: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Say how well the gap is known."""
    bounded, something = np.isfinite(gap.high), gap.low > 0
    names = ["exact", "range", "at_least"]
    return np.select([exact, bounded, something], names, default="not_computable")


def _with_joint_gaps(rows: pd.DataFrame) -> pd.DataFrame:
    """Add what closes an indicator in all stages that share the stock: the largest gap, not the sum."""
    keys = [rows["school_id"], rows["indicator"], rows["stage"].where(~rows["whole_school"], COMBINED)]
    joint = {
        f"joint_{name}": rows.groupby(keys, sort=False)[name].transform("max")
        for name in ("gap_low", "gap_high")
    }
    return rows.assign(**joint)


def _school_needs(gaps: pd.DataFrame, standard: Standard) -> pd.DataFrame:
    """Return what the pass rule asks of each school: how many indicators to close, how many may stay."""
    rule = standard.pass_rule
    allowed = len(standard.indicators) - rule.minimum_met if rule else 0
    rows = []
    for (_, _), own in gaps.groupby(["stage", "school_id"], sort=False):
        unmet = tuple(own.loc[own["met"] == "fail", "indicator"])
        rows.append(
            {name: own[name].iloc[0] for name in (*IDENTITY, "verdict")}
            | {
                "unmet": unmet,
                "below_floor": tuple(own.loc[own["above_floor"] == "fail", "indicator"]),
                "open": tuple(own.loc[own["met"] == "undecided", "indicator"]),
                "n_to_close": max(len(unmet) - allowed, 0),
                "n_may_stay": min(len(unmet), allowed),
            }
        )
    columns = [*IDENTITY, "verdict", "unmet", "below_floor", "open", "n_to_close", "n_may_stay"]
    return pd.DataFrame(rows, columns=columns)


def _totals(gaps: pd.DataFrame, standard: Standard) -> pd.DataFrame:
    """Return the sums over schools, a stock that serves two stages counted once."""
    rule = standard.pass_rule
    may_stay = rule is not None and rule.minimum_met < len(standard.indicators)
    fails, passes = gaps["verdict"] == "fail", gaps["verdict"] == "pass"
    least = gaps["floor_gap_low"] if may_stay else gaps["gap_low"]
    amounts = gaps.assign(
        stage=gaps["stage"].where(~gaps["whole_school"], COMBINED),
        required_low=gaps["gap_low"].where(fails, 0.0),
        required_high=gaps["gap_high"].where(~passes, 0.0),
        least=least.where(fails, 0.0),
    )
    keys = ["indicator", "stage", "unit", "school_id"]
    schools = amounts.groupby(keys, sort=False)[SUMS].max().reset_index()
    schools = schools.assign(
        n_schools=schools["gap_low"] > 0, n_open=schools["gap_low"] != schools["gap_high"]
    )
    by_stage = schools.drop(columns="school_id").groupby(keys[:3], sort=False).sum().reset_index()
    both = schools.drop(columns=["school_id", "stage"]).groupby(["indicator", "unit"], sort=False).sum()
    table = pd.concat([by_stage, both.reset_index().assign(stage=TOTAL)], ignore_index=True)
    ids = [indicator.id for indicator in standard.indicators]
    parts = [*COMPULSORY_STAGES, COMBINED, TOTAL]
    table = table.sort_values("stage", key=lambda names: names.map(parts.index), kind="stable")
    table = table.sort_values("indicator", key=lambda names: names.map(ids.index), kind="stable")
    columns = ["indicator", "stage", "unit", "n_schools", "n_open", *SUMS]
    return table[columns].astype(dict.fromkeys(["n_schools", "n_open"], "int64")).reset_index(drop=True)
