"""The schools of one year and stage, judged by the pass rule whatever their missing cells hold."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.schema import STAGES, TABLES
from toolkit.indicators.resources import ResourceIndicators, indicator_terms
from toolkit.indicators.stages import stage_weights
from toolkit.standards import Standard
from toolkit.variation.school_rule import SchoolRule, judge_schools
from toolkit.variation.three_valued import at_most


def judge_units(
    resources: ResourceIndicators, stage: str, units: NDArray[np.intp]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the values of one stage against their minima, and the verdict on each school."""
    standard = resources.standard
    identity = resources.units.iloc[units].reset_index(drop=True)
    minimum = np.array([indicator.minimum.get(stage, np.nan) for indicator in standard.indicators])
    floor = np.array([standard.floor(indicator).get(stage, np.nan) for indicator in standard.indicators])
    met, above, verdicts, deciding = _three_valued(resources, stage, units, minimum)
    value = resources.value[units]
    with np.errstate(invalid="ignore"):
        ratio = value / minimum
        near = at_most(np.abs(ratio - 1), standard.near_limit) | at_most(
            np.abs(value - floor) / minimum, standard.near_limit
        )
    n_schools, n_indicators = value.shape
    repeated = identity.take(np.tile(np.arange(n_schools), n_indicators)).reset_index(drop=True)
    judged = pd.DataFrame(
        {
            "indicator": np.repeat([indicator.id for indicator in standard.indicators], n_schools),
            "value": value.T.ravel(),
            "minimum": np.repeat(minimum, n_schools),
            "floor": np.repeat(floor, n_schools),
            "ratio": ratio.T.ravel(),
            "met": met.T.ravel(),
            "above_floor": above.T.ravel(),
            "near_limit": near.T.ravel(),
        }
    )
    values = pd.concat([repeated, judged], axis=1)
    ids = np.array([indicator.id for indicator in standard.indicators])
    schools = identity.assign(
        n_met=(met == "pass").sum(axis=1),
        verdict=verdicts,
        near_limit=pd.Series([tuple(ids[row]) for row in near], dtype=object),
        missed=pd.Series([tuple(ids[row == "fail"]) for row in met], dtype=object),
        deciding=pd.Series(deciding, dtype=object),
    )
    return values, schools


def _three_valued(
    resources: ResourceIndicators, stage: str, units: NDArray[np.intp], minimum: NDArray[np.float64]
) -> tuple[NDArray[np.str_], NDArray[np.str_], NDArray[np.str_], list[tuple[str, ...]]]:
    """Judge the units in batches that share their split, special cases and missing cells."""
    met = np.full((len(units), len(minimum)), "", dtype="<U9")
    above, verdicts = met.copy(), np.full(len(units), "", dtype="<U9")
    deciding: list[tuple[str, ...]] = [()] * len(units)
    rule = resources.standard.pass_rule
    if rule is None or np.isnan(minimum).any():
        return met, above, verdicts, deciding
    columns = _cell_columns(resources.standard, stage)
    cells = resources.rows.iloc[units][columns].to_numpy(dtype=float)
    held = np.column_stack(
        [np.zeros(len(units), dtype=bool), *(case[units] for case in resources.holds.values())]
    )
    for alike in _alike(np.hstack([resources.taught[units], held])):
        numerators, denominators = _linear_forms(resources, stage, columns, int(units[alike[0]]))
        used = (numerators != 0).any(axis=0) | (denominators != 0).any(axis=0)
        for batch in _alike(np.isnan(cells[alike]) & used):
            members = alike[batch]
            judged = judge_schools(
                SchoolRule(
                    numerators=numerators,
                    denominators=denominators,
                    thresholds=minimum,
                    minimum_met=rule.minimum_met,
                    floor_ratio=rule.floor_ratio,
                    at_most=_bounding_pairs(columns, np.isnan(cells[members[0]]), used),
                ),
                cells[members],
            )
            met[members], above[members], verdicts[members] = judged.met, judged.above_floor, judged.verdicts
            for member, pivotal in zip(members, judged.deciding_cells, strict=True):
                deciding[member] = tuple(
                    name for name, pivots in zip(columns, pivotal, strict=True) if pivots
                )
    return met, above, verdicts, deciding


def _alike(keys: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Return the positions of equal rows, one array for each different row."""
    _, kind = np.unique(keys, axis=0, return_inverse=True)
    return [np.flatnonzero(kind.ravel() == number) for number in range(kind.max() + 1)]


def _cell_columns(standard: Standard, stage: str) -> list[str]:
    """Return the columns of all cells that the indicators of a stage can involve, and their bounds."""
    columns = [f"enrolment_{name}" for name in STAGES]
    for indicator in standard.indicators:
        columns += [column for column, _, _ in indicator_terms(standard, indicator, stage)]
    schema = TABLES["school_years"]
    columns += [schema.column(column).at_most for column in columns if schema.column(column).at_most]
    return list(dict.fromkeys(columns))


def _linear_forms(
    resources: ResourceIndicators, stage: str, columns: list[str], unit: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return numerator and denominator of each indicator as linear forms in the cells of one unit."""
    standard = resources.standard
    assert standard.split is not None
    taught = resources.taught[[unit]]
    weights = stage_weights(standard.split, taught)[0]
    numerators = np.zeros((len(standard.indicators), len(columns)))
    denominators = np.zeros_like(numerators)
    for k, indicator in enumerate(standard.indicators):
        for column, sign, case in indicator_terms(standard, indicator, stage):
            if not case or resources.holds[case][unit]:
                numerators[k, columns.index(column)] += sign * indicator.per
        for position, name in enumerate(STAGES):
            at = columns.index(f"enrolment_{name}")
            if indicator.shared and taught[0, position]:
                denominators[k, at] = weights[position] / weights[STAGES.index(stage)]
            elif not indicator.shared and name == stage:
                denominators[k, at] = 1.0
    return numerators, denominators


def _bounding_pairs(
    columns: list[str], missing: NDArray[np.bool_], used: NDArray[np.bool_]
) -> tuple[tuple[int, int], ...]:
    """Return the pairs of cells of which a known one bounds a missing one that matters."""
    schema, pairs = TABLES["school_years"], []
    for part, column in enumerate(columns):
        bound = schema.column(column).at_most
        if not bound or not used[part]:
            continue
        whole = columns.index(bound)
        if missing[part] or (missing[whole] and used[whole]):
            pairs.append((part, whole))
    return tuple(pairs)
