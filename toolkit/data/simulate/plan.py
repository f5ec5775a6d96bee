"""The resources of the last year, built so that every verdict is known beforehand."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.simulate.enrolment import Enrolment
from toolkit.data.simulate.register import Register
from toolkit.data.simulate.settings import SimulationSettings, stream

STAFF_INDICATORS = ("R1", "R2", "R3")
SHARED_INDICATORS = ("R4", "R5", "R6", "R7")
PER_100 = ("R1", "R2", "R3", "R7")
COMBINED = ("nine_year_school", "twelve_year_school")
# Steps to which the shared stocks are rounded: m2, m2, yuan, rooms.
STEPS = {"R4": 0.1, "R5": 0.1, "R6": 100.0, "R7": 1.0}
# A coefficient this near to the planned one is hit; a mean this far above the least one is still realistic.
CLOSE, HIGHEST_MEAN = 0.003, 1.4
POWERS = (1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.5)
LARGEST_CASE = 0.08
SCALES = np.geomspace(1e-3, 1e3, 241)


@dataclass(frozen=True, slots=True)
class Plan:
    """Stocks of the last year that make the planned verdicts true.

    Attributes
    ----------
    staff : pandas.DataFrame
        R1, R2, R3 as numbers of teachers by (row of the register, stage), excluded schools too.
    stocks : pandas.DataFrame
        R4, R5, R6, R7 as whole-school stocks (m2, m2, yuan, rooms) by row of the register.
    cases : Mapping of int to dict
        Planned case by row of the register.
    """

    staff: pd.DataFrame
    stocks: pd.DataFrame
    cases: dict[int, dict[str, Any]]


@cache
def constants() -> dict[str, Any]:
    """Return the planned numbers of `plan.toml`."""
    return tomllib.loads(Path(__file__).with_name("plan.toml").read_text(encoding="utf-8"))


def in_scope(register: Register, primary: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which schools the standard judges, given their primary enrolment."""
    kinds = register.schools["type"].to_numpy()
    small = (kinds == "teaching_point") & (primary < constants()["smallest_teaching_point"])
    return (kinds != "special_education_school") & ~small


def split_weights(kind: str) -> tuple[float, float, float]:
    """Return the weight of a primary, junior and senior student in the stock of a school."""
    split = constants()["split"]
    if kind in COMBINED:
        return 1.0, split["junior"], split["senior_in_twelve_year_school"]
    return 1.0, 1.0, split["senior_in_complete_secondary_school"]


def simulate_plan(register: Register, enrolment: Enrolment, settings: SimulationSettings, seed: int) -> Plan:
    """Choose cases and solve for stocks whose coefficients of variation hit the planned ones."""
    rng = stream(seed, settings, "plan")
    schools = register.schools
    students = {"primary": enrolment.primary, "junior": enrolment.junior}
    reference = {stage: _last_filled(counts) for stage, counts in students.items()}
    open_now = {stage: counts[:, -1] > 0 for stage, counts in students.items()}
    judged = in_scope(register, enrolment.primary[:, -1])
    cases = _choose_cases(schools, reference)
    weights = np.array([split_weights(kind) for kind in schools["type"]])
    counts = np.column_stack([reference["primary"], reference["junior"], enrolment.senior[:, -1]])
    effective = (weights * counts).sum(axis=1)

    staff = {}
    for stage in ("primary", "junior"):
        rows = np.flatnonzero(reference[stage] > 0)
        counted = (judged & open_now[stage])[rows]
        staff[stage] = pd.DataFrame(
            {
                indicator: _staff(indicator, stage, rows, reference[stage][rows], counted, cases, rng)
                for indicator in STAFF_INDICATORS
            },
            index=pd.Index(rows, name="row"),
        )
    stocks = {
        indicator: _shared(indicator, schools, reference, effective, judged, open_now, cases, rng)
        for indicator in SHARED_INDICATORS
    }
    return Plan(pd.concat(staff, names=["stage"]).swaplevel().sort_index(), pd.DataFrame(stocks), cases)


def weighted_coefficient(values: NDArray[np.float64], students: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the student-weighted coefficient of variation along the last axis."""
    shares = students / students.sum()
    mean = (values * shares).sum(axis=-1, keepdims=True)
    return np.sqrt(((values - mean) ** 2 * shares).sum(axis=-1)) / mean[..., 0]


def _last_filled(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the enrolment of the last year in which there was any."""
    filled = counts > 0
    last = counts.shape[1] - 1 - filled[:, ::-1].argmax(axis=1)
    return counts[np.arange(len(counts)), last]


def _choose_cases(
    schools: pd.DataFrame, reference: dict[str, NDArray[np.int64]]
) -> dict[int, dict[str, Any]]:
    """Give each case a school of its kind, never more than half of the schools of a kind."""
    chosen: dict[int, dict[str, Any]] = {}
    stable = (
        schools["closed"].isna()
        & schools["renamed"].isna()
        & ~schools["merged_into"].loc[lambda into: into >= 0].pipe(lambda into: schools.index.isin(into))
    )
    for case in constants()["cases"]:
        kind = (schools["type"] == case["type"]) & (schools["location"] == case["location"])
        if "ownership" in case:
            kind &= schools["ownership"] == case["ownership"]
        else:
            kind &= schools["ownership"] == "public"
        rows = schools.index[kind & stable]
        counts = reference[case["stage"]]
        small = counts <= LARGEST_CASE * counts.sum()
        free = [row for row in rows if row not in chosen and counts[row] > 0 and small[row]]
        if "ownership" in case and free:
            chosen[int(free[0])] = case
        elif len(free) * 2 > len(rows) and len(free) > 1:
            chosen[int(free[len(free) // 2])] = case
    return chosen


def _excess(students: NDArray[np.int64], indicator: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the shape of what schools have above the minimum: more in small schools, skewed."""
    shape = constants()["shape"][indicator]
    size = (np.median(students) / students) ** shape["size"]
    return size * np.exp(shape["scatter"] * np.clip(rng.standard_normal(len(students)), -2.0, 2.0))


def _solve(
    excess: NDArray[np.float64],
    base: NDArray[np.float64],
    realised: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    students: NDArray[np.float64],
    target: float,
) -> NDArray[np.float64]:
    """Return values base + scale * excess whose coefficient is nearest to the target.

    `realised` turns values into those that whole stocks give. Of several solutions the one with the
    least unequal excess is taken whose mean is not far above the base, else the one with the least mean.
    """
    solutions = [_scaled(excess**power, base, realised, students, target) for power in POWERS]
    moderate = [solution for solution in solutions if not solution[0] and not solution[1]]
    return moderate[0][3] if moderate else min(solutions, key=lambda solution: solution[:3])[3]


def _scaled(
    shape: NDArray[np.float64],
    base: NDArray[np.float64],
    realised: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    students: NDArray[np.float64],
    target: float,
) -> tuple[bool, bool, float, NDArray[np.float64]]:
    """Return whether the target is missed, whether the mean is too high, mean over base, values."""
    scales = SCALES * (base.mean() / shape.mean())
    found, distance = base, np.inf
    for search in (_first_nearest, *[_nearest] * 3):
        values = base + scales[:, None] * shape
        coefficients = weighted_coefficient(realised(values), students)
        best = search(coefficients, target)
        found, distance = values[best], abs(coefficients[best] - target)
        scales = np.linspace(scales[max(best - 1, 0)], scales[min(best + 1, len(scales) - 1)], len(scales))
    mean = float((realised(found) * students).sum() / students.sum() / base.mean())
    return bool(distance > CLOSE), mean > HIGHEST_MEAN, mean, found


def _nearest(coefficients: NDArray[np.float64], target: float) -> int:
    """Return the position nearest to the target."""
    return int(np.argmin(np.abs(coefficients - target)))


def _first_nearest(coefficients: NDArray[np.float64], target: float) -> int:
    """Return the first position where the target is met or crossed, or the nearest one if it never is."""
    met = np.abs(coefficients - target) < CLOSE
    met[1:] |= np.diff(np.sign(coefficients - target)) != 0
    return int(np.argmax(met)) if met.any() else _nearest(coefficients, target)


def _staff(
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
    values = _solve(excess, base, realised, students[counted].astype(float), target)
    return count(values).astype(np.int64)


def _shared(
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
        values = _solve(
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
