"""A standard against the values of a county: verdicts per school, indicator, stage and county."""

from dataclasses import dataclass

import pandas as pd

from toolkit.errors import DesignError
from toolkit.indicators.resources import ResourceIndicators
from toolkit.results import Verdict
from toolkit.standards import Standard
from toolkit.variation.coefficients import judge_coefficients
from toolkit.variation.school_verdicts import judge_units
from toolkit.variation.three_valued import all_of


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
    judged = [judge_units(resources, stage, units) for stage, units in parts]
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
