"""What a design cannot identify, or only with care, said before anything is estimated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.guard_checks import Checks
from toolkit.effects.guard_limits import DEFAULT_LIMITS, DesignLimits
from toolkit.effects.sample_cells import SampleCells
from toolkit.errors import DesignError
from toolkit.models.group_time import Comparison
from toolkit.vocabulary import Language, format_number, sentence

Severity = Literal["refused", "qualified"]
Estimand = Literal["total", "legacy"]

SEVERITIES: Mapping[str, Severity] = {
    "guard_no_outcome": "refused",
    "guard_no_adopters": "refused",
    "guard_county_alone": "refused",
    "guard_county_year_effects": "refused",
    "guard_everyone_at_once": "refused",
    "guard_no_comparison": "refused",
    "guard_no_pre_period": "refused",
    "guard_too_few_clusters": "refused",
    "guard_too_few_schools": "refused",
    "guard_too_few_comparison": "refused",
    "guard_covariates_collinear": "refused",
    "guard_no_overlap": "refused",
    "guard_no_legacy_pupils": "refused",
    "guard_one_pre_period": "qualified",
    "guard_base_in_selection": "qualified",
    "guard_no_prior_level": "qualified",
    "guard_one_post_period": "qualified",
    "guard_few_clusters": "qualified",
    "guard_few_schools": "qualified",
    "guard_few_comparison": "qualified",
    "guard_few_per_covariate": "qualified",
    "guard_part_without_overlap": "qualified",
    "guard_no_never_treated": "qualified",
    "guard_treated_from_start": "qualified",
    "guard_one_tested_grade": "qualified",
    "guard_neighbours": "qualified",
    "guard_adopters_left_out": "qualified",
    "guard_left": "qualified",
    "guard_form_changed": "qualified",
    "guard_second_programme": "qualified",
    "guard_composition": "qualified",
    "guard_outcome_missing": "qualified",
    "guard_coverage_moves": "qualified",
}
"""Codes in the order in which they are told; each is a sentence of the vocabulary."""
WITHOUT_ADOPTERS = ("guard_no_outcome", "guard_no_adopters")
"""Codes beside which nothing else need be said, the first of them alone."""


@dataclass(frozen=True, slots=True)
class GuardFinding:
    """One thing that a design cannot identify, or only with care.

    Attributes
    ----------
    code : str
        Name of its sentence.
    severity : {"refused", "qualified"}
        Nothing may be estimated, or the estimate must be shown with this beside it.
    numbers : mapping of str to float
        The numbers behind it; those named `...share` lie in [0, 1].
    """

    code: str
    severity: Severity
    numbers: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class DesignGuard:
    """What the guard found about one design.

    Attributes
    ----------
    findings : tuple of GuardFinding
        Refusals first.
    limits : DesignLimits or mapping
        The limits that were applied.
    """

    findings: tuple[GuardFinding, ...]
    limits: DesignLimits | Mapping[str, float]

    @property
    def is_refused(self) -> bool:
        """Whether nothing may be estimated."""
        return any(finding.severity == "refused" for finding in self.findings)

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the findings."""
        return tuple(finding.code for finding in self.findings)

    def tidy(self) -> pd.DataFrame:
        """Return one row per finding and number behind it."""
        rows = [
            {"code": finding.code, "severity": finding.severity, "number": name, "value": value}
            for finding in self.findings
            for name, value in (finding.numbers or {"": float("nan")}).items()
        ]
        return pd.DataFrame(rows, columns=["code", "severity", "number", "value"])


def check_design(
    sample: AdoptionSample,
    *,
    comparison: Comparison = "never",
    anticipation: int = 0,
    estimand: Estimand = "total",
    county_by_year: bool = False,
    limits: DesignLimits = DEFAULT_LIMITS,
    last: int | None = None,
    cells: SampleCells | None = None,
) -> DesignGuard:
    """Check what a sample can identify under the design that is planned for it.

    Parameters
    ----------
    sample : AdoptionSample
        The units of the study, and those left out.
    comparison : {"never", "not_yet"}
        Comparison that will be used.
    anticipation : int
        Years before adoption that may already respond.
    estimand : {"total", "legacy"}
        Effect on the results of schools, or on pupils who were there before.
    county_by_year : bool
        Whether effects of county × year are to be taken out.
    limits : DesignLimits
        From where on a design is refused or qualified.
    last : int, optional
        Last year since joining that enters; all if not given.
    cells : SampleCells, optional
        The effects of this sample and design by cohort and year, where they are estimated as well.

    Notes
    -----
    What is checked is in the design, the counts and the covariates, not in the estimates: parallel trends
    and the size of what can be detected are for the estimators.
    """
    own = cells or SampleCells(sample, comparison, anticipation)
    checks = Checks(sample, comparison, anticipation, estimand, county_by_year, limits, last, own)
    found = checks.found()
    nobody = next((code for code in WITHOUT_ADOPTERS if code in found), None)
    if nobody:
        found = {nobody: found[nobody]}
    findings = [
        GuardFinding(code, severity, found[code]) for code, severity in SEVERITIES.items() if code in found
    ]
    return DesignGuard(tuple(findings), limits)


def guard_sentence(finding: GuardFinding, language: Language) -> str:
    """Return a finding as one sentence."""
    values = {name: _in_words(name, value) for name, value in finding.numbers.items()}
    return sentence(finding.code, language, **values)


def require_design(guard: DesignGuard) -> None:
    """Refuse to go on with a design that identifies nothing.

    Raises
    ------
    DesignError
        With the sentence of the first refusal, in both languages.
    """
    for finding in guard.findings:
        if finding.severity == "refused":
            values = {name: _in_words(name, value) for name, value in finding.numbers.items()}
            raise DesignError(finding.code, **values)


def _in_words(name: str, value: float) -> str:
    """Return a number for a sentence: shares as percent with one decimal, years and counts whole."""
    if name.endswith("share"):
        return format_number(100 * value, 1)
    if name.endswith("year"):
        return f"{value:.0f}"
    return format_number(value, 0 if float(value).is_integer() else 1)
