"""Teachers and stocks of the last year that hit the planned coefficients and cases."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.simulate.coefficient_search import search_values
from toolkit.data.simulate.plan_numbers import COMBINED, PER_100, constants

# Steps to which the shared stocks are rounded: m2, m2, yuan, rooms.
STEPS = {"R4": 0.1, "R5": 0.1, "R6": 100.0, "R7": 1.0}


def planned_staff(
    indicator: str,
    stage: str,
    rows: NDArray[np.int64],
    students: NDArray[np.int64],
    counted: NDArray[np.bool_],
    cases: dict[int, dict[str, Any]],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Return numbers of teachers by school of one stage."""
    numbers = constants()
    minimum, target = numbers["minimum"][stage][indicator], numbers["coefficients"][stage][indicator]
    least = np.ceil(numbers["margin"] * minimum * students / 100 - 1e-9)
    planned = _planned(rows, indicator, stage, cases)
    fixed = ~np.isnan(planned)
    fixed_count = np.floor(planned * minimum * students / 100 + 0.5)
    excess = _excess(students, indicator, rng)

    def count(values: NDArray[np.float64]) -> NDArray[np.float64]:
        free = np.maximum(np.round(values * students / 100), least)
        return np.where(fixed, fixed_count, free)

    def realised(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return (100 * count(values) / students)[..., counted]

    base = np.full(len(rows), numbers["margin"] * minimum)
    values = search_values(excess, base, realised, students[counted].astype(float), target)
    return count(values).astype(np.int64)


def planned_stock(
    indicator: str,
    schools: pd.DataFrame,
    students: dict[str, NDArray[np.int64]],
    effective: NDArray[np.float64],
    judged: NDArray[np.bool_],
    open_now: dict[str, NDArray[np.bool_]],
    cases: dict[int, dict[str, Any]],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return whole-school stocks: combined schools first, then the others stage by stage."""
    numbers = constants()
    combined = schools["type"].isin(COMBINED).to_numpy()
    excess = _excess(effective.astype(np.int64), indicator, rng)
    per = 100 if indicator in PER_100 else 1
    step, junior_weight = STEPS[indicator], numbers["split"]["junior"]
    minimum = {stage: numbers["minimum"][stage][indicator] for stage in ("primary", "junior")}
    both = max(minimum["primary"], minimum["junior"] / junior_weight)
    stock = _whole(both * (numbers["margin"] + 0.25 * excess) * effective / per, step)
    parts = {}
    for stage in ("primary", "junior"):
        rows = np.flatnonzero(students[stage] > 0)
        weight = np.where(combined[rows] & (stage == "junior"), junior_weight, 1.0)
        planned = _planned(rows, indicator, stage, cases)
        fixed = ~np.isnan(planned)
        stock[rows[fixed]] = _whole((planned * minimum[stage] / weight * effective[rows] / per)[fixed], step)
        parts[stage] = rows, weight, ~combined[rows] & ~fixed
    for stage, (rows, weight, free) in parts.items():
        counted = (judged & open_now[stage])[rows]
        least = _whole(numbers["margin"] * minimum[stage] * effective[rows] / per, step)
        part = _Part(
            stock[rows], least, effective[rows] / per, weight * per / effective[rows], free, counted, step
        )
        values = search_values(
            excess[rows],
            np.full(len(rows), numbers["margin"] * minimum[stage]),
            part.realised,
            students[stage][rows][counted].astype(float),
            numbers["coefficients"][stage][indicator],
        )
        stock[rows] = part.stock(values)
    return np.round(stock, 1)


@dataclass(frozen=True, slots=True)
class _Part:
    """The schools of one stage while the stocks of those with `free` are sought."""

    given: NDArray[np.float64]
    least: NDArray[np.float64]
    stock_of_one: NDArray[np.float64]
    value_of_one: NDArray[np.float64]
    free: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    step: float

    def stock(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return whole stocks that give these values, never below the least."""
        wanted = np.round(values * self.stock_of_one / self.step) * self.step
        return np.where(self.free, np.maximum(wanted, self.least), self.given)

    def realised(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values per student that whole stocks give, of the counted schools."""
        return (self.stock(values) * self.value_of_one)[..., self.counted]


def _excess(students: NDArray[np.int64], indicator: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the shape of what schools have above the minimum: more in small schools, skewed."""
    shape = constants()["shape"][indicator]
    size = (np.median(students) / students) ** shape["size"]
    return size * np.exp(shape["scatter"] * np.clip(rng.standard_normal(len(students)), -2.0, 2.0))


def _planned(
    rows: NDArray[np.int64], indicator: str, stage: str, cases: dict[int, dict[str, Any]]
) -> NDArray[np.float64]:
    """Return the planned share of the minimum, missing where nothing is planned."""
    ratios = [
        cases[row]["ratios"].get(indicator, np.nan)
        if row in cases and cases[row]["stage"] == stage
        else np.nan
        for row in rows.tolist()
    ]
    return np.array(ratios)


def _whole(amount: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Round an amount up to whole steps."""
    return np.ceil(amount / step - 1e-6) * step
