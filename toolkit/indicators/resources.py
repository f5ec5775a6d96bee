"""The resource indicators of a standard: what each stage of each school has per student."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County
from toolkit.data.schema import COMPULSORY_STAGES, TABLES
from toolkit.indicators.conditions import meets
from toolkit.indicators.roster import school_rows
from toolkit.indicators.scope import left_out_reason
from toolkit.indicators.stages import (
    split_denominators,
    stage_enrolment,
    stage_weights,
    stages_taught,
    with_untaught_stages_empty,
)
from toolkit.indicators.unstaged import UnstagedRule, with_stage_teachers
from toolkit.standards import Indicator, Standard

UNIT_COLUMNS = [
    "school_id",
    "school_name",
    "town",
    "school_type",
    "ownership",
    "location",
    "year",
    "stage",
    "enrolment",
]


@dataclass(frozen=True, slots=True)
class ResourceIndicators:
    """Resource indicators of every school and stage in scope, by year.

    A unit is one stage of one school in one year; the part of a combined school counts as one
    school of its stage.

    Attributes
    ----------
    standard : Standard
        The standard that defines the K indicators.
    units : pandas.DataFrame, (n_units, 9)
        Identity of each unit and the `enrolment` of its stage.
    rows : pandas.DataFrame, (n_units, n_columns)
        The school's cells behind each unit.
    taught : ndarray of bool, (n_units, 3)
        Stages that the school teaches: primary, junior, senior.
    holds : mapping of str to ndarray of bool, (n_units,)
        Where each enabled special case holds.
    value : ndarray, (n_units, K)
        Stock per student, or per 100 students; missing where a cell of it is missing.
    amount : ndarray, (n_units, K)
        Stock attributed to the unit after the split.
    amount_low, amount_high : ndarray, (n_units, K)
        Range of the stock over all completions of the missing cells.
    share : ndarray, (n_units, K)
        Part of an addition to the school's stock that falls to the unit: below 1 for stocks shared
        between stages; missing where the students of a stage are.
    left_out : pandas.DataFrame
        Schools and years out of scope: identity, `enrolment`, `reason` (a vocabulary code).
    assumed : pandas.DataFrame
        Teachers that were split between stages by assumption: identity, `column`.
    """

    standard: Standard
    units: pd.DataFrame
    rows: pd.DataFrame
    taught: NDArray[np.bool_]
    holds: Mapping[str, NDArray[np.bool_]]
    value: NDArray[np.float64]
    amount: NDArray[np.float64]
    amount_low: NDArray[np.float64]
    amount_high: NDArray[np.float64]
    share: NDArray[np.float64]
    left_out: pd.DataFrame
    assumed: pd.DataFrame

    def select(self, *, year: int, stage: str) -> NDArray[np.intp]:
        """Return the positions of the units of one year and stage."""
        chosen = (self.units["year"] == year) & (self.units["stage"] == stage)
        return np.flatnonzero(chosen.to_numpy(dtype=bool))

    @property
    def years(self) -> list[int]:
        """Years with units, in order."""
        return sorted(int(year) for year in self.units["year"].unique())

    @property
    def stages(self) -> list[str]:
        """Stages with units, in order."""
        present = set(self.units["stage"])
        return [stage for stage in COMPULSORY_STAGES if stage in present]

    def tidy(self) -> pd.DataFrame:
        """Return one row per unit and indicator."""
        parts = [
            self.units.assign(indicator=indicator.id, amount=self.amount[:, k], value=self.value[:, k])
            for k, indicator in enumerate(self.standard.indicators)
        ]
        return pd.concat(parts, ignore_index=True)


def compute_resource_indicators(
    county: County, standard: Standard, *, unstaged_teachers: UnstagedRule = "undecided"
) -> ResourceIndicators:
    """Compute every resource indicator of a standard for every school, stage and year.

    Parameters
    ----------
    county : County
        With the tables `schools` and `school_years`.
    standard : Standard
        Indicators, scope, split and special cases; the cases that are enabled are applied.
    unstaged_teachers : {"undecided", "by_teachers"}
        Teachers that a combined school reports for the whole school only have no official
        rule: leave them open, or split them by the share of teachers and list where.

    Returns
    -------
    ResourceIndicators
        All years; no school is dropped without a reason in `left_out`.

    Raises
    ------
    ValueError
        If `standard` has no resource indicators.

    Notes
    -----
    A whole-school stock x is split A : 1.1 B : 1.32 C over primary, junior and senior students;
    the unit's value is its part of the stock divided by the students of its stage.
    """
    if not standard.indicators or standard.split is None:
        raise ValueError(f"standard {standard.id!r} defines no resource indicators")
    rows, assumed = with_stage_teachers(school_rows(county), unstaged_teachers)
    taught = stages_taught(rows)
    rows = with_untaught_stages_empty(rows, taught)
    reason = left_out_reason(rows, standard.scope)
    left_out = rows.loc[reason != "", ["school_id", "school_name", "school_type", "year"]].assign(
        enrolment=np.nansum(stage_enrolment(rows), axis=1)[reason != ""], reason=reason[reason != ""]
    )

    school, stage = _units(rows, taught & (reason == "")[:, None])
    rows, taught = rows.iloc[school].reset_index(drop=True), taught[school]
    holds = {case.id: meets(rows, case.when) for case in standard.exceptions if case.enabled}
    own = _own_stage(stage_enrolment(rows), stage)
    stage_names = np.array(COMPULSORY_STAGES)[stage]
    columns = [
        _indicator(indicator, standard, rows, taught, stage, own, holds) for indicator in standard.indicators
    ]
    value, amount, low, high, share = (np.column_stack(group) for group in zip(*columns, strict=True))
    return ResourceIndicators(
        standard=standard,
        units=rows.assign(stage=stage_names, enrolment=own)[UNIT_COLUMNS],
        rows=rows,
        taught=taught,
        holds=holds,
        value=value,
        amount=amount,
        amount_low=low,
        amount_high=high,
        share=share,
        left_out=left_out.reset_index(drop=True),
        assumed=assumed,
    )


def indicator_terms(standard: Standard, indicator: Indicator, stage: str) -> list[tuple[str, int, str]]:
    """Return the columns an indicator adds up at one stage: column, sign, special case or ''."""
    parts = [(part, "") for part in indicator.numerator]
    parts += [
        (part, case.id)
        for case in standard.exceptions
        if case.enabled and indicator.id in case.applies_to
        for part in case.adds
    ]
    suffix = "" if indicator.shared else f"_{stage}"
    return [(part.column + suffix, part.sign, case) for part, case in parts]


def special_cases_applied(resources: ResourceIndicators) -> pd.DataFrame:
    """List the units in which a special case changed what an indicator counts."""
    identity = resources.units[["school_id", "school_name", "year", "stage"]]
    known = {indicator.id for indicator in resources.standard.indicators}
    parts = [
        identity[resources.holds[case.id]].assign(case=case.id, indicator=indicator)
        for case in resources.standard.exceptions
        if case.enabled and case.adds
        for indicator in case.applies_to
        if indicator in known
    ]
    return pd.concat([identity.head(0).assign(case="", indicator=""), *parts], ignore_index=True)


def _units(rows: pd.DataFrame, counted: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return school and stage of each unit: a stage that the school teaches, unless it has no students."""
    compulsory = slice(0, len(COMPULSORY_STAGES))
    present = counted[:, compulsory] & ~(stage_enrolment(rows)[:, compulsory] == 0)
    stage, school = np.nonzero(present.T)
    return school, stage


def _own_stage(by_stage: NDArray[np.float64], stage: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the column of each unit's own stage, (n_units,)."""
    return np.take_along_axis(by_stage, stage[:, None], axis=1)[:, 0]


def _indicator(
    indicator: Indicator,
    standard: Standard,
    rows: pd.DataFrame,
    taught: NDArray[np.bool_],
    stage: NDArray[np.intp],
    own: NDArray[np.float64],
    holds: Mapping[str, NDArray[np.bool_]],
) -> tuple[NDArray[np.float64], ...]:
    """Return value, amount, its range and the share of one indicator in every unit."""
    assert standard.split is not None
    stock = np.empty((3, len(rows)))
    for position, name in enumerate(COMPULSORY_STAGES):
        at = stage == position
        terms = indicator_terms(standard, indicator, name)
        stock[:, at] = _stock(rows[at], terms, {case: where[at] for case, where in holds.items()})
    if not indicator.shared:
        return indicator.per * stock[0] / own, *stock, np.ones(len(rows))

    weights = stage_weights(standard.split, taught)
    enrolment = stage_enrolment(rows)
    spread = _own_stage(split_denominators(enrolment, weights), stage)
    least = _own_stage(split_denominators(np.nan_to_num(enrolment), weights), stage)
    value = indicator.per * stock[0] / spread
    # With students of a stage missing, the unit's part can be anything up to what the known ones leave it.
    share = np.divide(own, least, out=np.ones(len(own)), where=~np.isnan(own) & (least > 0))
    open_share = np.isnan(spread)
    part = np.where(open_share, 0.0, own / spread), np.where(open_share, share, own / spread)
    with np.errstate(invalid="ignore"):
        high = np.where(part[1] == 0, 0.0, stock[2] * part[1])
    return value, stock[0] * own / spread, stock[1] * part[0], high, own / spread


def _stock(
    rows: pd.DataFrame, terms: list[tuple[str, int, str]], holds: Mapping[str, NDArray[np.bool_]]
) -> NDArray[np.float64]:
    """Return a stock and its least and largest completion, (3, n_rows)."""
    stock = np.zeros((3, len(rows)))
    for column, sign, case in terms:
        cell = rows[column].to_numpy(dtype=float)
        cell = np.where(holds[case], cell, 0.0) if case else cell
        missing = np.isnan(cell)
        least, most = np.where(missing, 0.0, cell), np.where(missing, _cell_maximum(rows, column), cell)
        stock += sign * np.vstack([cell, least, most] if sign > 0 else [cell, most, least])
    return np.vstack([stock[0], np.maximum(stock[1:], 0.0)])


def _cell_maximum(rows: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return what a missing cell can at most become: the column that bounds it, else infinity."""
    bound = TABLES["school_years"].column(column).at_most
    limit = rows[bound].to_numpy(dtype=float) if bound else np.full(len(rows), np.inf)
    return np.where(np.isnan(limit), np.inf, limit)
