"""A standard against the values of a county: verdicts per school, indicator, stage and county."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.schema import STAGES, TABLES
from toolkit.errors import DesignError
from toolkit.indicators.resources import ResourceIndicators, indicator_terms
from toolkit.indicators.stages import stage_weights
from toolkit.results import Verdict
from toolkit.standards import Standard
from toolkit.variation.completions import CoefficientRange, coefficient_range, coefficient_verdict
from toolkit.variation.dispersion import coefficient_of_variation
from toolkit.variation.school_rule import SchoolRule, judge_schools
from toolkit.variation.three_valued import all_of, at_most

COEFFICIENT_COLUMNS = [
    "stage",
    "indicator",
    "n_schools",
    "n_missing",
    "mean",
    "coefficient",
    "low",
    "high",
    "limit",
    "margin",
    "verdict",
    "near_limit",
]


@dataclass(frozen=True, slots=True)
class Compliance:
    """Verdicts of one year; each is "pass", "fail" or "undecided".

    Attributes
    ----------
    standard : Standard
        The standard behind the verdicts.
    year : int
        School year.
    indicator_values : pandas.DataFrame
        One row per unit and indicator: identity, `value`, `minimum`, `floor`, `ratio` (value over
        minimum), `met`, `above_floor`, `near_limit`.
    schools : pandas.DataFrame
        One row per unit: identity, `n_met`, `verdict`, `missed` (indicators below the minimum),
        `near_limit` (indicators close to the minimum or the floor),
        `deciding` (columns of the missing cells on which the verdict hangs).
    coefficients : pandas.DataFrame
        One row per stage and indicator. `mean` and `coefficient` are those of the schools that
        report; `low` and `high` is the range over all completions, on which the verdict rests.
    stages : pandas.DataFrame
        One row per stage: `schools`, `coefficients` and `overall` verdict, and counts.
    verdict : Verdict
        Verdict on the resource indicators of the county.
    """

    standard: Standard
    year: int
    indicator_values: pd.DataFrame
    schools: pd.DataFrame
    coefficients: pd.DataFrame
    stages: pd.DataFrame
    verdict: Verdict

    def tidy(self) -> pd.DataFrame:
        """Return the coefficients, one row per stage and indicator."""
        return self.coefficients


def judge_resources(resources: ResourceIndicators, *, year: int) -> Compliance:
    """Judge one year's resource indicators by their standard.

    A school passes when it meets enough indicators and misses the others by no more than the
    floor allows; a stage passes when all its schools and all its coefficients do. Cells that are
    missing leave a verdict open unless every completion of them leads to the same one.

    Parameters
    ----------
    resources : ResourceIndicators
        Values of the schools in scope.
    year : int
        School year to judge.

    Raises
    ------
    DesignError
        If no school in scope reports for the year.

    Notes
    -----
    The verdict on a stage combines its parts by Kleene's conjunction: it is never wrong, but stays
    open where only filling the cells of several schools together could decide.
    """
    if year not in resources.years:
        raise DesignError("no_units_in_year", year=year, years=", ".join(map(str, resources.years)))
    standard = resources.standard
    parts = [(stage, resources.select(year=year, stage=stage)) for stage in resources.stages]
    parts = [(stage, units) for stage, units in parts if len(units)]
    judged = [_judge_schools(resources, stage, units) for stage, units in parts]
    values = pd.concat([part[0] for part in judged], ignore_index=True)
    schools = pd.concat([part[1] for part in judged], ignore_index=True)
    coefficients = pd.concat(
        [judge_coefficients(resources, year=year, stage=stage) for stage, _ in parts], ignore_index=True
    )
    stages = pd.DataFrame([_judge_stage(stage, schools, coefficients, standard) for stage, _ in parts])
    return Compliance(
        standard=standard,
        year=year,
        indicator_values=values,
        schools=schools,
        coefficients=coefficients,
        stages=stages,
        verdict=all_of(stages["overall"]),
    )


def judge_coefficients(resources: ResourceIndicators, *, year: int, stage: str) -> pd.DataFrame:
    """Return the coefficient of variation of each indicator in one year and stage, judged by its limit.

    Where the standard limits the mean of the coefficients, the verdict stands in a last row
    "composite" and the indicators have none.

    Returns
    -------
    pandas.DataFrame
        With the columns `COEFFICIENT_COLUMNS`; `verdict` is "" where there is no limit.
    """
    units = resources.select(year=year, stage=stage)
    indicators = resources.standard.indicators
    table = pd.DataFrame(
        [_coefficient(resources, k, indicator.per, units) for k, indicator in enumerate(indicators)],
        columns=["n_missing", "mean", "coefficient", "low", "high"],
    ).assign(indicator=[indicator.id for indicator in indicators])
    limit = resources.standard.coefficient_limits.get(stage, np.nan)
    table["limit"] = np.nan if resources.standard.composite else limit
    if resources.standard.composite:
        mean = table[["coefficient", "low", "high"]].mean(skipna=False)
        table.loc[len(table)] = {
            "indicator": "composite",
            "n_missing": table["n_missing"].max(),
            "limit": limit,
            **mean,
        }
    table["margin"] = table["limit"] - table["coefficient"]
    table["near_limit"] = at_most(table["margin"].abs(), resources.standard.near_limit)
    table["verdict"] = [
        _coefficient_verdict(low, high, limit)
        for low, high, limit in table[["low", "high", "limit"]].itertuples(index=False)
    ]
    return table.assign(stage=stage, n_schools=len(units))[COEFFICIENT_COLUMNS]


def _coefficient(
    resources: ResourceIndicators, k: int, per: int, units: NDArray[np.intp]
) -> tuple[int, float, float, float, float]:
    """Return schools that do not report, county mean, coefficient, and its range over all completions."""
    amount = resources.amount[units, k]
    enrolment = resources.units["enrolment"].to_numpy(dtype=float)[units]
    known = ~np.isnan(amount) & ~np.isnan(enrolment)
    amount, students = amount[known], enrolment[known]
    mean = per * amount.sum() / students.sum() if known.any() else np.nan
    coefficient = coefficient_of_variation(amount, students) if amount.sum() > 0 else np.nan
    high = resources.amount_high[units, k]
    if high.sum() == 0:
        return int((~known).sum()), mean, coefficient, np.nan, np.nan
    bounds = coefficient_range(resources.amount_low[units, k], high, enrolment)
    return int((~known).sum()), mean, coefficient, bounds.low, bounds.high


def _coefficient_verdict(low: float, high: float, limit: float) -> str:
    """Judge a range by its limit; a resource that no school has leaves the coefficient undefined."""
    if np.isnan(limit):
        return ""
    if np.isnan(high):
        return "undecided"
    return coefficient_verdict(CoefficientRange(low, high, high), limit)


def _judge_schools(
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


def _judge_stage(
    stage: str, schools: pd.DataFrame, coefficients: pd.DataFrame, standard: Standard
) -> dict[str, object]:
    """Return the verdicts on one stage; "" where the standard has no such rule."""
    own = schools[schools["stage"] == stage]
    judged = coefficients[(coefficients["stage"] == stage) & (coefficients["verdict"] != "")]
    by_school = all_of(own["verdict"]) if standard.pass_rule else None
    by_coefficient = all_of(judged["verdict"]) if len(judged) else None
    found: list[Verdict] = [verdict for verdict in (by_school, by_coefficient) if verdict is not None]
    return {
        "stage": stage,
        "n_schools": len(own),
        "n_pass": int((own["verdict"] == "pass").sum()),
        "n_fail": int((own["verdict"] == "fail").sum()),
        "n_undecided": int((own["verdict"] == "undecided").sum()),
        "schools": by_school or "",
        "n_coefficients": len(judged),
        "n_coefficients_pass": int((judged["verdict"] == "pass").sum()),
        "n_coefficients_fail": int((judged["verdict"] == "fail").sum()),
        "n_coefficients_undecided": int((judged["verdict"] == "undecided").sum()),
        "coefficients": by_coefficient or "",
        "overall": all_of(found) if found else "undecided",
    }
