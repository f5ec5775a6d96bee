"""Verdicts under the other readings of rules that are in doubt."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from toolkit.data.county import County
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.indicators.unstaged import UnstagedRule
from toolkit.standards import Standard
from toolkit.variation.compliance import Compliance, judge_resources


@dataclass(frozen=True, slots=True)
class OtherReadings:
    """What would be judged differently if a doubtful rule were read the other way.

    Attributes
    ----------
    flips : pandas.DataFrame
        One row per verdict that differs: `mark` (code of the doubt), `subject` ("school", "coefficient",
        "stage"), `stage`, `name` (school name, indicator id or ""), `verdict`, `other_verdict`. A school
        that only one reading counts has the verdict "" under the other.
    marks : tuple of str
        The doubts that were tried.
    """

    flips: pd.DataFrame
    marks: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per verdict that differs."""
        return self.flips


def compare_readings(
    county: County,
    compliance: Compliance,
    readings: Mapping[str, Standard],
    *,
    unstaged_teachers: UnstagedRule = "undecided",
) -> OtherReadings:
    """Judge the county under each other reading and list the verdicts that differ.

    Parameters
    ----------
    county : County
        The county.
    compliance : Compliance
        The verdicts under the standard as it is applied.
    readings : mapping of str to Standard
        By mark of doubt, the standard as it reads the other way.
    unstaged_teachers : {"undecided", "by_teachers"}
        As for the verdicts themselves.
    """
    own = _verdicts(compliance)
    parts, tried = [], []
    for mark, reading in readings.items():
        # A doubt about another part of the standard, such as the limit of school size, is left to that part.
        if _resource_rules(reading) == _resource_rules(compliance.standard):
            continue
        tried.append(mark)
        resources = compute_resource_indicators(county, reading, unstaged_teachers=unstaged_teachers)
        if compliance.year not in resources.years:
            continue
        other = _verdicts(judge_resources(resources, year=compliance.year))
        both = own.merge(
            other, how="outer", on=["subject", "stage", "school_id", "name"], suffixes=("", "_other")
        )
        both = both.fillna({"verdict": "", "verdict_other": ""})
        differs = both[both["verdict"] != both["verdict_other"]]
        parts.append(differs.assign(mark=mark).rename(columns={"verdict_other": "other_verdict"}))
    columns = ["mark", "subject", "stage", "school_id", "name", "verdict", "other_verdict"]
    flips = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return OtherReadings(flips=flips[columns], marks=tuple(tried))


def _resource_rules(standard: Standard) -> tuple[object, ...]:
    """Return the rules on which verdicts on resource indicators rest."""
    ids = {indicator.id for indicator in standard.indicators}
    cases = tuple(case for case in standard.exceptions if ids & set(case.applies_to))
    return (
        standard.scope,
        standard.indicators,
        standard.split,
        standard.pass_rule,
        standard.coefficients,
        cases,
    )


def _verdicts(compliance: Compliance) -> pd.DataFrame:
    """Return all verdicts of a county as one table."""
    schools = compliance.schools.assign(subject="school", name=compliance.schools["school_name"])
    coefficients = compliance.coefficients.assign(
        subject="coefficient", name=compliance.coefficients["indicator"], school_id=""
    )
    stages = compliance.stages.assign(
        subject="stage", name="", school_id="", verdict=compliance.stages["overall"]
    )
    columns = ["subject", "stage", "school_id", "name", "verdict"]
    return pd.concat([part[columns] for part in (schools, coefficients, stages)], ignore_index=True)
