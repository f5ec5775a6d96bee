"""Verdicts, splits and coefficients against plain formulas on 1,000 simulated counties.

    python benchmarks/agreement.py [COUNTIES]

The formulas are those of `tests/variation/test_compliance.py`: plain Python, one school at a time, with
nothing of the package in them. Half of the counties are complete; in the other half every second school lacks
one cell, and its verdict must be "undecided" exactly when completions of that cell disagree. Schools of all
types occur, so do stocks that are zero. The seeds are those of the counties: 0, 1, 2 …
"""

import json
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.counties import make_county  # noqa: E402
from tests.variation.test_compliance import (  # noqa: E402
    LIMITS,
    MINIMA,
    STAGES,
    STANDARD,
    TYPES,
    coefficient,
    completions,
    in_scope,
    passes,
    school_values,
    simulated_county,
)
from toolkit.indicators.resources import compute_resource_indicators  # noqa: E402
from toolkit.variation.compliance import Compliance, judge_resources  # noqa: E402

COUNTIES = 1000
YEAR = 2000
SCHOOLS = (6, 40)
RELATIVE = 1e-10
SHOWN = 20
RESULTS = Path(__file__).with_name("agreement.json")


@dataclass(slots=True)
class Tally:
    """Comparisons made and what differed."""

    compared: Counter[str] = field(default_factory=Counter)
    cases: Counter[str] = field(default_factory=Counter)
    mismatches: list[str] = field(default_factory=list)

    def compare(self, what: str, where: object, found: object, expected: object) -> None:
        """Count a comparison; numbers agree to a relative 1e-10."""
        self.compared[what] += 1
        if isinstance(found, float) and isinstance(expected, float):
            same = math.isclose(found, expected, rel_tol=RELATIVE, abs_tol=1e-12)
        else:
            same = found == expected
        if not same:
            self.mismatches.append(f"{what} {where}: {found!r}, by hand {expected!r}")


@dataclass(frozen=True, slots=True)
class SchoolCase:
    """One school in one stage: the complete row, its missing cells, and the values by hand."""

    county: int
    row: dict[str, Any]
    gap: list[str]
    stage: int

    @property
    def place(self) -> tuple[int, str, str]:
        """County, school and stage."""
        return self.county, self.row["school_id"], STAGES[self.stage]


def main(arguments: list[str]) -> int:
    """Compare, write `agreement.json` and return 1 when anything differs."""
    n_counties = int(arguments[0]) if arguments else COUNTIES
    tally, clock = Tally(), time.perf_counter()
    for seed in range(n_counties):
        compare_county(seed, tally)
        if (seed + 1) % 100 == 0:
            print(f"{seed + 1} counties, {len(tally.mismatches)} mismatches", flush=True)
    result = {
        "counties": n_counties,
        "compared": dict(tally.compared),
        "cases": dict(tally.cases),
        "mismatches": len(tally.mismatches),
        "seconds": round(time.perf_counter() - clock, 1),
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
    for line in tally.mismatches[:SHOWN]:
        print(line)
    return 1 if tally.mismatches else 0


def compare_county(seed: int, tally: Tally) -> None:
    """Compare one county: every school by stage, every coefficient, the stages and the county."""
    n_schools = SCHOOLS[0] + seed % (SCHOOLS[1] - SCHOOLS[0] + 1)
    share_missing = 0.5 if seed % 2 else 0.0
    schools, given, complete, gaps = simulated_county(seed, 1, n_schools, share_missing)
    kinds = {school["school_id"]: school["school_type"] for school in schools}
    resources = compute_resource_indicators(make_county(schools, given), STANDARD)
    compliance = judge_resources(resources, year=YEAR)
    cases = [
        SchoolCase(seed, row, gap, stage)
        for row, gap in zip(complete, gaps, strict=True)
        for stage in (0, 1)
        if TYPES[kinds[row["school_id"]]][stage] and in_scope(row, kinds[row["school_id"]])
    ]
    count_cases(cases, kinds, tally)
    compare_values(cases, compliance, tally)
    verdicts = compare_schools(cases, compliance, tally)
    compare_coefficients(cases, verdicts, compliance, tally)


def count_cases(cases: list[SchoolCase], kinds: dict[str, str], tally: Tally) -> None:
    """Count what makes a county hard: combined schools, zeros and missing cells."""
    for case in cases:
        tally.cases["school-stages"] += 1
        tally.cases["of combined schools"] += sum(TYPES[kinds[case.row["school_id"]]]) > 1
        tally.cases["with a stock of zero"] += any(
            value == 0 for value in school_values(case.row, case.stage).values()
        )
        tally.cases["with a missing cell"] += bool(case.gap)


def compare_values(cases: list[SchoolCase], compliance: Compliance, tally: Tally) -> None:
    """Compare the seven values after the split; one that a missing cell enters must be missing."""
    table = compliance.indicator_values
    keys = zip(table["school_id"], table["stage"], table["indicator"], strict=True)
    found = dict(zip(keys, table["value"], strict=True))
    for case in cases:
        values = school_values(case.row, case.stage)
        _, school, stage = case.place
        for name in MINIMA:
            where, value = (*case.place, name), float(found[school, stage, name])
            if entered(case, name):
                tally.compare("missing value", where, math.isnan(value), True)
            else:
                tally.compare("value after the split", where, value, float(values[name]))


def compare_schools(
    cases: list[SchoolCase], compliance: Compliance, tally: Tally
) -> dict[tuple[str, str], str]:
    """Compare the verdict of each school and the cells that decide it; return the verdicts by hand."""
    found = {(row["school_id"], row["stage"]): row for row in compliance.schools.to_dict("records")}
    tally.compare("schools judged", cases[0].county if cases else "", len(found), len(cases))
    verdicts = {}
    for case in cases:
        _, school, stage = case.place
        outcomes = {passes(school_values(case.row, case.stage), case.stage)}
        outcomes |= {
            passes(school_values(filled, case.stage), case.stage)
            for filled in completions(case.row, case.gap, case.stage)
        }
        verdict = "undecided" if len(outcomes) == 2 else "pass" if outcomes.pop() else "fail"
        verdicts[school, stage] = verdict
        tally.compare("verdict of a school", case.place, found[school, stage]["verdict"], verdict)
        deciding = tuple(case.gap) if verdict == "undecided" else ()
        tally.compare("deciding cells", case.place, found[school, stage]["deciding"], deciding)
    return verdicts


def compare_coefficients(
    cases: list[SchoolCase], verdicts: dict[tuple[str, str], str], compliance: Compliance, tally: Tally
) -> None:
    """Compare coefficients and what follows for stages and county.

    Where cells are missing, the coefficients of the complete county and of the county with zeros must lie in
    the range that is told, and may not contradict a verdict.
    """
    table = compliance.coefficients
    found = {(row["stage"], row["indicator"]): row for row in table.to_dict("records")}
    stages = {row["stage"]: row for row in compliance.stages.to_dict("records")}
    overall = []
    for number, stage in enumerate(STAGES):
        own = [case for case in cases if case.stage == number]
        if not own:
            continue
        by_hand = dict(coefficients_by_hand(own, number))
        for name in MINIMA.keys() - by_hand.keys():
            compare_range(own, name, found[stage, name], tally)
        for name, value in by_hand.items():
            where = (own[0].county, stage, name)
            tally.compare("coefficient", where, float(found[stage, name]["coefficient"]), value)
            expected = "pass" if value <= LIMITS[number] else "fail"
            tally.compare("verdict of a coefficient", where, found[stage, name]["verdict"], expected)
        expected = joined([verdicts[case.row["school_id"], stage] for case in own])
        tally.compare("schools of a stage", (own[0].county, stage), stages[stage]["schools"], expected)
        overall.append(expected)
        if len(by_hand) == len(MINIMA):
            expected = joined(["pass" if v <= LIMITS[number] else "fail" for v in by_hand.values()])
            overall.append(expected)
            where = (own[0].county, stage)
            tally.compare("coefficients of a stage", where, stages[stage]["coefficients"], expected)
        else:
            overall.append("")
    if overall and "" not in overall:
        tally.compare("county", cases[0].county, compliance.verdict, joined(overall))


def compare_range(own: list[SchoolCase], indicator: str, found: dict[str, Any], tally: Tally) -> None:
    """Compare the range of a coefficient with what two completions of the missing cells give."""
    stage = own[0].stage
    students = [case.row[f"enrolment_{STAGES[stage]}"] for case in own]
    complete = [school_values(case.row, stage)[indicator] for case in own]
    # Teaching area cannot be less than the sports rooms inside it.
    empty = [
        case.row
        | {name: float(case.row["indoor_sports_area"] if name == "teaching_area" else 0) for name in case.gap}
        for case in own
    ]
    zeros = [school_values(row, stage)[indicator] for row in empty]
    for values in (complete, zeros):
        if not sum(values):
            continue
        value = coefficient(values, students)
        where = (own[0].county, STAGES[stage], indicator)
        inside = found["low"] * (1 - RELATIVE) <= value <= found["high"] * (1 + RELATIVE)
        tally.compare("range of a coefficient", (*where, found["low"], value, found["high"]), inside, True)
        possible = ("undecided", "pass" if value <= LIMITS[stage] else "fail")
        tally.compare("verdict of a range", (*where, value), found["verdict"] in possible, True)


def coefficients_by_hand(own: list[SchoolCase], stage: int) -> Iterator[tuple[str, float]]:
    """Yield the coefficients of one stage that can be told: no value missing, not all of them zero."""
    students = [case.row[f"enrolment_{STAGES[stage]}"] for case in own]
    for name in MINIMA:
        values = [school_values(case.row, stage)[name] for case in own]
        if sum(values) and not any(entered(case, name) for case in own):
            yield name, coefficient(values, students)


def entered(case: SchoolCase, indicator: str) -> bool:
    """Say whether a missing cell of a school enters an indicator: its value moves with the cell."""
    return any(
        school_values(case.row | {name: 0.0}, case.stage)[indicator]
        != school_values(case.row | {name: 1.0}, case.stage)[indicator]
        for name in case.gap
    )


def joined(verdicts: list[str]) -> str:
    """Return "fail" if one fails, else "undecided" if one is, else "pass"."""
    return next((verdict for verdict in ("fail", "undecided") if verdict in verdicts), "pass")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
