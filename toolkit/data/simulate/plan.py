"""The resources of the last year, built so that every verdict is known beforehand."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.simulate.enrolment import Enrolment
from toolkit.data.simulate.plan_numbers import constants, split_weights
from toolkit.data.simulate.planned_stocks import planned_staff, planned_stock
from toolkit.data.simulate.register import Register
from toolkit.data.simulate.settings import SimulationSettings, stream

STAFF_INDICATORS = ("R1", "R2", "R3")
SHARED_INDICATORS = ("R4", "R5", "R6", "R7")
LARGEST_CASE = 0.08


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


def in_scope(register: Register, primary: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which schools the standard judges, given their primary enrolment."""
    kinds = register.schools["type"].to_numpy()
    small = (kinds == "teaching_point") & (primary < constants()["smallest_teaching_point"])
    return (kinds != "special_education_school") & ~small


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
                indicator: planned_staff(indicator, stage, rows, reference[stage][rows], counted, cases, rng)
                for indicator in STAFF_INDICATORS
            },
            index=pd.Index(rows, name="row"),
        )
    stocks = {
        indicator: planned_stock(indicator, schools, reference, effective, judged, open_now, cases, rng)
        for indicator in SHARED_INDICATORS
    }
    return Plan(pd.concat(staff, names=["stage"]).swaplevel().sort_index(), pd.DataFrame(stocks), cases)


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
