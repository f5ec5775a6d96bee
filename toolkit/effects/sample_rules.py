"""Who enters the panel of a study of adoption, with what covariates, and why others do not."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.effects.baseline import (
    LEAST_YEARS_OF_LEVEL,
    LOCATION_DUMMIES,
    baseline_mean,
    location_dummies,
    prior_achievement,
)
from toolkit.indicators.adoption import CHANGES, Adoption
from toolkit.indicators.adoption_reasons import ADOPTER, UNUSABLE
from toolkit.indicators.school_panel import SchoolPanel

Role = Literal["member", "lead", "any"]
Weighting = Literal["enrolment", "school"]
Assignment = Literal["school_group", "county"]
Covariate = Literal["log_enrolment", "location", "prior_achievement"]
Floats = NDArray[np.float64]

SampleReason = Literal[
    "sample_other_role",
    "sample_flagged",
    "sample_neighbour",
    "sample_no_baseline",
    "sample_covariate_missing",
    "sample_no_outcome_before",
    "sample_no_outcome_after",
    "sample_no_outcome",
]


@dataclass(frozen=True, slots=True)
class SampleRules:
    """Who enters the panel of a study, and with what weight.

    Attributes
    ----------
    role : {"member", "lead", "any"}
        Role at first joining of the adopters; the others are left out, never used as comparison.
    covariates : tuple of {"log_enrolment", "location", "prior_achievement"}
        Fixed over the baseline years. The level of achievement enters only with two or more such years.
    weighting : {"enrolment", "school"}
        Baseline enrolment, so that the effect is that on a student; or every school alike.
    selection_years : int
        Years before an adoption in which schools were chosen: no baseline.
    baseline_years : tuple of int
        The baseline, where it is not to follow from the first adoption (a county without adopters).
    without : tuple of str
        Changes (`CHANGES`) within the years of the data whose adopters are left out: sensitivity samples.
    without_neighbours : bool
        Whether comparison schools with an adopter of their stage in town are left out.
    assignment : {"school_group", "county"}
        What adopted together: the cluster of adopters.
    """

    role: Role = "member"
    covariates: tuple[Covariate, ...] = ("log_enrolment",)
    weighting: Weighting = "enrolment"
    selection_years: int = 1
    baseline_years: tuple[int, ...] = ()
    without: tuple[str, ...] = ()
    without_neighbours: bool = False
    assignment: Assignment = "school_group"

    def __post_init__(self) -> None:
        known = {*get_args(Role), *get_args(Weighting), *get_args(Assignment), *get_args(Covariate), *CHANGES}
        given = {self.role, self.weighting, self.assignment, *self.covariates, *self.without}
        if given - known:
            raise ValueError(f"not rules of a sample: {sorted(given - known)}")


DEFAULT_RULES = SampleRules()


def baseline_covariates(
    adoption: Adoption, panel: SchoolPanel, rules: SampleRules, years: tuple[int, ...]
) -> tuple[Floats, tuple[str, ...]]:
    """Return the covariates of all units and their names; no level of achievement from a single year."""
    columns: list[Floats] = []
    names: list[str] = []
    for covariate in rules.covariates:
        if covariate == "location":
            columns += list(location_dummies(adoption.units).T)
            names += list(LOCATION_DUMMIES)
        elif covariate == "log_enrolment":
            columns.append(baseline_mean(panel, covariate, years))
            names.append(covariate)
        elif len(years) >= LEAST_YEARS_OF_LEVEL:
            columns.append(prior_achievement(panel, years))
            names.append(covariate)
    blank = np.empty((len(adoption.units), 0))
    return (np.column_stack(columns) if columns else blank), tuple(names)


def reasons_left_out(
    units: pd.DataFrame,
    rules: SampleRules,
    values: Floats,
    years: Floats,
    covariates: Floats,
    enrolment: Floats,
) -> NDArray[np.str_]:
    """Return why each unit is left out: unusable at all, or one reason of this sample; "" if it enters."""
    joined = units["adoption_year"].to_numpy(dtype=float)
    adopts = (units["status"] == ADOPTER).to_numpy()
    seen = np.isfinite(values)
    before = np.asarray((seen & (years < joined[:, None])).any(axis=1))
    after = np.asarray((seen & (years >= joined[:, None])).any(axis=1))
    flagged = (
        units[list(rules.without)].gt(years[0]).any(axis=1).to_numpy()
        if rules.without
        else np.zeros(len(units), dtype=bool)
    )
    other_role = (
        adopts & ~units["role"].isin(get_args(Role) if rules.role == "any" else [rules.role]).to_numpy()
    )
    no_baseline = ~(enrolment > 0) if rules.weighting == "enrolment" else np.zeros(len(units), dtype=bool)
    neighbour = np.zeros(len(units), dtype=bool)
    if rules.without_neighbours:
        neighbour = ~adopts & units["neighbour_year"].notna().to_numpy()
    reasons: dict[SampleReason, NDArray[np.bool_]] = {
        "sample_other_role": other_role,
        "sample_flagged": adopts & flagged,
        "sample_neighbour": neighbour,
        "sample_no_baseline": no_baseline,
        "sample_covariate_missing": np.asarray(np.isnan(covariates).any(axis=1)),
        "sample_no_outcome_before": adopts & ~before,
        "sample_no_outcome_after": adopts & ~after,
        "sample_no_outcome": ~adopts & (seen.sum(axis=1) < 2),
    }
    own = np.select(list(reasons.values()), list(reasons), default="")
    return np.where(units["status"] == UNUSABLE, units["reason"].to_numpy(dtype=str), own)
