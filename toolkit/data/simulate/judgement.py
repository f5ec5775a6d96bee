"""Values and verdicts of the planted truth in plain Python, with none of the package's own statistics."""

from math import fsum, sqrt

from toolkit.data.simulate.plan import Plan
from toolkit.data.simulate.plan_numbers import COMBINED, PER_100, constants, split_weights
from toolkit.data.simulate.register import Register

STAGES = ("primary", "junior")
INDICATORS = ("R1", "R2", "R3", "R4", "R5", "R6", "R7")
# Columns of each indicator: sign by column; names ending in "_" take the stage.
STOCKS = {
    "R1": {"teachers_above_required_qualification_": 1},
    "R2": {"backbone_teachers_": 1},
    "R3": {"pe_teachers_": 1, "arts_teachers_": 1},
    "R4": {"teaching_area": 1, "indoor_sports_area": -1},
    "R5": {"sports_ground_area": 1, "gymnasium_area": 1, "indoor_sports_area": 1},
    "R6": {"equipment_value": 1},
    "R7": {"multimedia_rooms": 1},
}
# Decimals to which values are written; verdicts come from the unrounded ones.
DECIMALS = 9


def judge_school(
    stage: str, record: dict, register: Register, plan: Plan, missing: set[tuple[str, str]]
) -> dict | None:
    """Return values, met indicators and verdict of one school and stage; nothing for those left out."""
    if not record[f"enrolment_{stage}"] > 0 or reason_left_out(record, register):
        return None
    values = {indicator: _value(indicator, stage, record, register) for indicator in INDICATORS}
    unknown = [
        indicator
        for indicator, columns in STOCKS.items()
        if any((record["school_id"], column) in missing for column in columns)
    ]
    minimum = constants()["minimum"][stage]
    met = [indicator for indicator in INDICATORS if _reaches(values[indicator], minimum[indicator])]
    known_met = [indicator for indicator in met if indicator not in unknown]
    verdict = _school_verdict(values, minimum, unknown)
    case = plan.cases.get(record["row"])
    if case is not None and case["stage"] == stage:
        cause = case["name"]
        expected = case["verdict"] if "missing" not in case or unknown else case["filled"]
    else:
        cause, expected = "built_above_every_minimum", "pass"
    if verdict != expected:
        raise RuntimeError(f"{record['school_id']} ({stage}) is {verdict}, planned was {expected}")
    return {
        "school_id": record["school_id"],
        "name": record["school_name"],
        "stage": stage,
        "enrolment": int(record[f"enrolment_{stage}"]),
        "values": {
            indicator: None if indicator in unknown else round(value, DECIMALS)
            for indicator, value in values.items()
        },
        "complete_values": {indicator: round(value, DECIMALS) for indicator, value in values.items()},
        "met": known_met,
        "not_met": [
            indicator for indicator in INDICATORS if indicator not in met and indicator not in unknown
        ],
        "unknown": unknown,
        "verdict": verdict,
        "cause": cause,
    }


def _value(indicator: str, stage: str, record: dict, register: Register) -> float:
    """Return the indicator of one school and stage, with the whole-school stock split by weights."""
    columns = STOCKS[indicator]
    per = 100 if indicator in PER_100 else 1
    if next(iter(columns)).endswith("_"):
        stock = fsum(sign * record[column + stage] for column, sign in columns.items())
        return per * stock / record[f"enrolment_{stage}"]
    kind = register.schools.at[record["row"], "type"]
    stock = fsum(sign * record[column] for column, sign in columns.items())
    weights = split_weights(str(kind))
    students = [_number(record[f"enrolment_{name}"]) for name in (*STAGES, "senior")]
    parts = [weight * count for weight, count in zip(weights, students, strict=True)]
    own = STAGES.index(stage)
    if kind not in COMBINED and kind != "complete_secondary_school":
        return per * stock / students[own]
    return per * stock * parts[own] / fsum(parts) / students[own]


def _number(value: float) -> float:
    return 0.0 if value != value else float(value)


def _reaches(value: float, minimum: float) -> bool:
    """Say whether a value reaches a minimum, rounding noise aside."""
    return value >= minimum * (1 - 1e-9)


def _school_verdict(values: dict[str, float], minimum: dict[str, float], unknown: list[str]) -> str:
    """Judge 6 of 7 and the floor; unknown stocks may be anything from nothing to plenty."""
    rule = constants()
    missed = [
        name for name in INDICATORS if name not in unknown and not _reaches(values[name], minimum[name])
    ]
    allowed = len(INDICATORS) - rule["minimum_met"]
    below_floor = any(not _reaches(values[name], rule["floor_ratio"] * minimum[name]) for name in missed)
    if len(missed) > allowed or below_floor:
        return "fail"
    # An unknown stock of zero lies below the floor, so it can always make the school fail.
    return "undecided" if unknown else "pass"


def _coefficient(values: list[float], students: list[float]) -> tuple[float, float]:
    """Return mean (ratio of totals) and student-weighted coefficient of variation."""
    total = fsum(students)
    mean = fsum(value * count for value, count in zip(values, students, strict=True)) / total
    variance = (
        fsum(count * (value - mean) ** 2 for value, count in zip(values, students, strict=True)) / total
    )
    return mean, sqrt(variance) / mean


def judge_indicator(stage: str, indicator: str, schools: list[dict]) -> dict:
    """Return mean, planned and realised coefficient and verdict of one indicator of a stage."""
    here = [school for school in schools if school["stage"] == stage]
    students = [float(school["enrolment"]) for school in here]
    mean, realised = _coefficient([school["complete_values"][indicator] for school in here], students)
    limit, near = constants()["limits"][stage], constants()["near_limit"]
    unknown = [school["school_id"] for school in here if indicator in school["unknown"]]
    least = _least_coefficient(here, students, indicator) if unknown else realised
    verdict = "fail" if least > limit else "undecided" if unknown else "pass"
    return {
        "stage": stage,
        "indicator": indicator,
        "n_schools": len(here),
        "mean": round(mean, DECIMALS),
        "planned_coefficient": constants()["coefficients"][stage][indicator],
        "coefficient": None if unknown else round(realised, DECIMALS),
        "complete_coefficient": round(realised, DECIMALS),
        "least_coefficient": round(least, DECIMALS),
        "limit": limit,
        "near_limit": abs(realised - limit) <= near and not unknown,
        "unknown_schools": unknown,
        "verdict": verdict,
    }


def _least_coefficient(here: list[dict], students: list[float], indicator: str) -> float:
    """Return the least coefficient over values of the unknown school (one school), by a fine search."""
    values = [school["values"][indicator] for school in here]
    place = values.index(None)
    known = [value for value in values if value is not None]
    low, high = 0.0, 4.0 * max(known)
    found = [float("inf")]
    for _ in range(6):
        grid = [low + (high - low) * step / 40 for step in range(41)]
        found = [_coefficient([*values[:place], value, *values[place + 1 :]], students)[1] for value in grid]
        best = found.index(min(found))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, 40)]
    return min(found)


def put_together(schools: list[dict], indicators: list[dict]) -> dict:
    """Put school and indicator verdicts together by stage and for the county's seven resource indicators."""
    result = {}
    for stage in STAGES:
        of_schools = [school["verdict"] for school in schools if school["stage"] == stage]
        of_indicators = [entry["verdict"] for entry in indicators if entry["stage"] == stage]
        result[stage] = {
            "schools": _all(of_schools),
            "coefficients": _all(of_indicators),
            "verdict": _all([*of_schools, *of_indicators]),
            **{f"schools_{verdict}": of_schools.count(verdict) for verdict in ("pass", "fail", "undecided")},
        }
    result["resources"] = _all([result[stage]["verdict"] for stage in STAGES])
    return result


def _all(verdicts: list[str]) -> str:
    if "fail" in verdicts:
        return "fail"
    return "undecided" if "undecided" in verdicts else "pass"


def reason_left_out(record: dict, register: Register) -> str:
    """Say why a school is not judged; empty if it is."""
    kind = register.schools.at[record["row"], "type"]
    if kind == "special_education_school":
        return "special_education_school"
    small = record["enrolment_primary"] < constants()["smallest_teaching_point"]
    return "teaching_point_below_minimum" if kind == "teaching_point" and small else ""
