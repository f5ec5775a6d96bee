"""The planted truth computed again from the tables, slowly and with nothing of the package."""

from fractions import Fraction

import pandas as pd

MINIMUM = {
    "primary": {"R1": "4.2", "R2": "1", "R3": "0.9", "R4": "4.5", "R5": "7.5", "R6": "2000", "R7": "2.3"},
    "junior": {"R1": "5.3", "R2": "1", "R3": "0.9", "R4": "5.8", "R5": "10.2", "R6": "2500", "R7": "2.4"},
}
LIMIT = {"primary": Fraction("0.50"), "junior": Fraction("0.45")}
FLOOR = Fraction("0.85")
SENIOR_WEIGHT = {"complete_secondary_school": Fraction("1.2"), "twelve_year_school": Fraction("1.32")}


def exact(value: float) -> Fraction:
    """The number as it was written, not its binary neighbour."""
    return Fraction(repr(float(value)))


def count(value: float) -> Fraction:
    return Fraction(0) if pd.isna(value) else exact(value)


def share_of_stock(row: pd.Series, kind: str, stage: str) -> Fraction:
    """Share of a whole-school stock that goes to a stage."""
    primary, junior, senior = (count(row[f"enrolment_{name}"]) for name in ("primary", "junior", "senior"))
    if kind == "complete_secondary_school":
        return junior / (junior + SENIOR_WEIGHT[kind] * senior)
    if kind in ("nine_year_school", "twelve_year_school"):
        weight = Fraction("1.1")
        total = primary + weight * junior + SENIOR_WEIGHT.get(kind, Fraction(0)) * senior
        return (primary if stage == "primary" else weight * junior) / total
    return Fraction(1)


def indicator_values(row: pd.Series, kind: str, stage: str) -> dict[str, Fraction | None]:
    """R1 to R7 of one school and stage, None where a cell is empty."""
    students = exact(row[f"enrolment_{stage}"])
    share = share_of_stock(row, kind, stage)

    def total(columns: dict[str, int]) -> Fraction | None:
        if any(pd.isna(row[column]) for column in columns):
            return None
        return sum((sign * exact(row[column]) for column, sign in columns.items()), Fraction(0))

    def divided(amount: Fraction | None, factor: int | Fraction) -> Fraction | None:
        return None if amount is None else factor * amount / students

    return {
        "R1": divided(total({f"teachers_above_required_qualification_{stage}": 1}), 100),
        "R2": divided(total({f"backbone_teachers_{stage}": 1}), 100),
        "R3": divided(total({f"pe_teachers_{stage}": 1, f"arts_teachers_{stage}": 1}), 100),
        "R4": divided(total({"teaching_area": 1, "indoor_sports_area": -1}), share),
        "R5": divided(total({"sports_ground_area": 1, "gymnasium_area": 1, "indoor_sports_area": 1}), share),
        "R6": divided(total({"equipment_value": 1}), share),
        "R7": divided(total({"multimedia_rooms": 1}), 100 * share),
    }


def school_verdict(values: dict[str, Fraction | None], stage: str) -> str:
    """Try for every empty cell nothing and plenty; the school's verdict if all completions agree."""
    outcomes = set()
    unknown = [name for name, value in values.items() if value is None]
    for choice in range(2 ** len(unknown)):
        filled = dict(values)
        for position, name in enumerate(unknown):
            filled[name] = Fraction(10**9) if choice >> position & 1 else Fraction(0)
        missed = [name for name, least in MINIMUM[stage].items() if filled[name] < Fraction(least)]
        fine = len(missed) <= 1 and all(
            filled[name] >= FLOOR * Fraction(MINIMUM[stage][name]) for name in missed
        )
        outcomes.add("pass" if fine else "fail")
    return outcomes.pop() if len(outcomes) == 1 else "undecided"


def judged_schools(tables: dict[str, pd.DataFrame], year: int) -> list[dict]:
    """Values and verdicts of the schools within the scope of the standard."""
    schools = tables["schools"].set_index("school_id")["school_type"]
    here = tables["school_years"].query("year == @year")
    result = []
    for _, row in here.iterrows():
        kind = schools[row["school_id"]]
        if kind == "special_education_school" or (kind == "teaching_point" and row["enrolment_primary"] < 50):
            continue
        for stage in ("primary", "junior"):
            if count(row[f"enrolment_{stage}"]) > 0:
                values = indicator_values(row, kind, stage)
                result.append(
                    {
                        "school_id": row["school_id"],
                        "stage": stage,
                        "students": exact(row[f"enrolment_{stage}"]),
                        "values": values,
                        "verdict": school_verdict(values, stage),
                    }
                )
    return result


def squared_coefficient(values: list[Fraction], students: list[Fraction]) -> Fraction:
    """Square of S divided by the mean, with S² = Σ (P_i / P_N) (X_i − X̄)²."""
    total = sum(students)
    mean = sum(count * value for count, value in zip(students, values, strict=True)) / total
    variance = sum(count * (value - mean) ** 2 for count, value in zip(students, values, strict=True)) / total
    return variance / mean**2
