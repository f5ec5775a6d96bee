"""Stocks of schools as the resource indicators count them, and the stocks that a minimum needs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.data.schema import COMPULSORY_STAGES, STAGES, TABLES
from toolkit.indicators.resources import ResourceIndicators, indicator_terms
from toolkit.indicators.stages import split_denominators, stage_enrolment, stage_weights
from toolkit.standards import Indicator


@dataclass(frozen=True, slots=True)
class StockRange:
    """A stock of each unit, whole for the school where stages share it.

    Attributes
    ----------
    known : ndarray, (n_units,)
        The stock, missing where a cell of it is.
    low, high : ndarray, (n_units,)
        Range over all completions of the missing cells; the upper one may be infinite.
    missing : list of tuple of str
        Columns of the missing cells of each unit: of the stock, then of the students it is divided by.
    """

    known: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    missing: list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class NeededRange:
    """The stock that a target needs, least and largest over the missing enrolments, (n_units,) each."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


def stage_stock(
    resources: ResourceIndicators, indicator: Indicator, stage: str, units: NDArray[np.intp]
) -> StockRange:
    """Return the stock behind an indicator in the units of one stage, before it is split."""
    rows = resources.rows.iloc[units]
    low, high, known = np.zeros(len(units)), np.zeros(len(units)), np.zeros(len(units))
    missing: list[tuple[str, ...]] = [()] * len(units)
    for column, sign, case in indicator_terms(resources.standard, indicator, stage):
        cell = rows[column].to_numpy(dtype=float)
        cell = np.where(resources.holds[case][units], cell, 0.0) if case else cell
        absent = np.isnan(cell)
        most = np.where(absent, _most(resources, column, units), cell)
        least = np.where(absent, 0.0, cell)
        known = known + sign * cell
        low, high = low + sign * (least if sign > 0 else most), high + sign * (most if sign > 0 else least)
        missing = _with_missing(missing, column, absent)
    for column in _enrolment_columns(indicator, stage):
        missing = _with_missing(missing, column, np.isnan(rows[column].to_numpy(dtype=float)))
    return StockRange(known, np.maximum(low, 0.0), np.maximum(high, 0.0), missing)


def needed_stock(
    resources: ResourceIndicators, indicator: Indicator, stage: str, units: NDArray[np.intp], target: float
) -> NeededRange:
    """Return the stock, whole for the school, with which the stage has `target` per student or per 100."""
    enrolment = stage_enrolment(resources.rows.iloc[units])
    position = COMPULSORY_STAGES.index(stage)
    if not indicator.shared:
        own = enrolment[:, position]
        return _range(target / indicator.per, own, np.isnan(own))
    assert resources.standard.split is not None
    weights = stage_weights(resources.standard.split, resources.taught[units])
    spread = split_denominators(np.nan_to_num(enrolment), weights)[:, position]
    return _range(target / indicator.per, spread, np.any(np.isnan(enrolment), axis=1))


def _range(per_student: float, students: NDArray[np.float64], is_open: NDArray[np.bool_]) -> NeededRange:
    """Return the need of the known students, without upper bound where some are missing."""
    known = np.nan_to_num(students) * per_student
    return NeededRange(known, np.where(is_open & (per_student > 0), np.inf, known))


def _most(resources: ResourceIndicators, column: str, units: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return what missing cells can at most become: the column that bounds them, else infinity."""
    bound = TABLES["school_years"].column(column).at_most
    if not bound:
        return np.full(len(units), np.inf)
    limit = resources.rows[bound].to_numpy(dtype=float)[units]
    return np.where(np.isnan(limit), np.inf, limit)


def _enrolment_columns(indicator: Indicator, stage: str) -> list[str]:
    """Return the enrolments by which an indicator of a stage is divided."""
    return [f"enrolment_{name}" for name in (STAGES if indicator.shared else (stage,))]


def _with_missing(
    missing: list[tuple[str, ...]], column: str, absent: NDArray[np.bool_]
) -> list[tuple[str, ...]]:
    """Add a column to the list of the units in which it is missing."""
    return [(*names, column) if away else names for names, away in zip(missing, absent, strict=True)]
