"""School means of scores, standardised within year, grade, subject and test on a stated reference."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.indicators.outcomes import TEST_KEY, Outcomes, standardise
from toolkit.indicators.stable_units import StableUnits

Reference = Literal["county", "untreated", "untreated_base_sd"]

UNIT_YEAR = ["school", "stage", "year"]
SCHOOL_COLUMNS = ("achievement", "achievement_error_variance", "prior_score", "tested_pupils")
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Achievement:
    """Standardised school means.

    Attributes
    ----------
    schools : pandas.DataFrame
        One row per `school` (unit), `stage` and `year`: `achievement`, `achievement_error_variance`,
        `prior_score`, `tested_pupils`.
    tested : pandas.DataFrame
        One row per unit, stage, year, grade, subject and test with its number of scores, `n_scores`.
    tests : pandas.DataFrame
        One row per test with `n_pupils`, `n_reference`, `reason`.
    """

    schools: pd.DataFrame
    tested: pd.DataFrame
    tests: pd.DataFrame


def compute_achievement(
    outcomes: Outcomes,
    found: StableUnits,
    untreated: pd.DataFrame,
    *,
    reference: Reference = "county",
    base_years: tuple[int, ...] = (),
) -> Achievement:
    """Compute the mean standardised score of each unit and year over all its tests.

    Parameters
    ----------
    outcomes : Outcomes
        The scores that count.
    found : StableUnits
        Which codes are one unit.
    untreated : pandas.DataFrame
        `school` and `stage` of the units that no programme touched.
    reference : {"county", "untreated", "untreated_base_sd"}
        Pupils whose mean is zero and whose standard deviation is the unit.
    base_years : tuple of int
        Years whose standard deviation is the unit with "untreated_base_sd": the root of the mean variance
        of the tests of a grade and subject, on a scale of 100 where full marks are known.

    Raises
    ------
    ValueError
        If the reference is not one of those, or has no base years and needs them.
    """
    if reference not in get_args(Reference):
        raise ValueError(f"reference must be one of {get_args(Reference)}, not {reference!r}")
    if reference == "untreated_base_sd" and not base_years:
        raise ValueError("base_years are needed for a standard deviation of base years")
    pupils = outcomes.pupils
    units = {code: found.unit(str(code)) for code in pupils["school_id"].unique()}
    pupils = pupils.assign(school=pupils["school_id"].astype("object").map(units))
    number = pupils.groupby(TEST_KEY, sort=True).ngroup().to_numpy().astype(np.int64)
    chosen = np.ones(len(pupils), dtype=bool)
    if reference != "county":
        inside = pd.MultiIndex.from_frame(untreated)
        chosen = pd.MultiIndex.from_frame(pupils[["school", "stage"]]).isin(inside)
    weights = pupils["weight"].to_numpy(dtype=float)
    usable = pupils["standardised"].notna().to_numpy()
    points = pupils["points"].to_numpy(dtype=float)
    standardised = standardise(points, number, weights, chosen & usable)
    tests = pupils[TEST_KEY].assign(number=number).drop_duplicates("number").sort_values("number")
    if reference == "untreated_base_sd":
        standardised *= _scale(points, number, weights, chosen & usable, tests, base_years)[number]
    standardised = np.where(usable, standardised, np.nan)
    scored = pupils.assign(value=standardised, prior=_prior(pupils, number, weights, chosen))
    return Achievement(
        schools=_school_means(scored),
        tested=scored[np.isfinite(standardised)]
        .groupby([*UNIT_YEAR, "grade", "subject", "test"], observed=True)
        .size()
        .rename("n_scores")
        .reset_index(),
        tests=_tests(outcomes, scored, chosen & usable, reference),
    )


def _scale(
    values: Floats,
    number: NDArray[np.int64],
    weights: Floats,
    chosen: NDArray[np.bool_],
    tests: pd.DataFrame,
    base_years: tuple[int, ...],
) -> Floats:
    """Return, by test, its own standard deviation over that of the base years; missing without these."""
    mass = np.where(chosen, weights, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = np.bincount(number, mass, len(tests))
        mean = np.bincount(number, mass * values, len(tests)) / total
        variance = np.bincount(number, mass * (values - mean[number]) ** 2, len(tests)) / total
    same = ["stage", "grade", "subject"]
    own = tests.assign(variance=variance)
    base = own[own["year"].isin(base_years)].groupby(same)["variance"].mean()
    of_base = base.reindex(pd.MultiIndex.from_frame(own[same])).to_numpy(dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.sqrt(variance / of_base)


def _prior(
    pupils: pd.DataFrame, number: NDArray[np.int64], weights: Floats, chosen: NDArray[np.bool_]
) -> Floats:
    """Return the earlier scores of the pupils, standardised among the reference of the same test."""
    prior = pupils["prior_score"].to_numpy(dtype=float)
    known = np.isfinite(prior)
    found = np.full(len(prior), np.nan)
    if known.any():
        found[known] = standardise(prior[known], number[known], weights[known], chosen[known])
    return found


def _school_means(scored: pd.DataFrame) -> pd.DataFrame:
    """Return weighted means by unit and year, with the variance of the mean over pupils."""
    known = scored[np.isfinite(scored["value"])]
    if known.empty:
        return pd.DataFrame(columns=[*UNIT_YEAR, *SCHOOL_COLUMNS])
    weighted = known.assign(sum_value=known["weight"] * known["value"])
    by = weighted.groupby(UNIT_YEAR)
    table = by.agg(
        mass=("weight", "sum"), total=("sum_value", "sum"), tested_pupils=("student_id", "nunique")
    )
    table["achievement"] = table["total"] / table["mass"]
    joined = weighted.merge(table[["achievement", "mass"]].reset_index(), on=UNIT_YEAR)
    # A pupil's scores in several subjects are one draw: their deviations are added before squaring.
    joined["part"] = joined["weight"] * (joined["value"] - joined["achievement"])
    pupil = joined["student_id"].where(joined["student_id"].notna(), joined.index.astype(str))
    own = joined.assign(pupil=pupil).groupby([*UNIT_YEAR, "pupil"])["part"].sum()
    squares = (own**2).groupby(level=UNIT_YEAR).sum()
    table["achievement_error_variance"] = squares.reindex(table.index) / table["mass"] ** 2
    few = table["tested_pupils"] < 2
    table.loc[few, "achievement_error_variance"] = np.nan
    earlier = scored[np.isfinite(scored["prior"])]
    sums = earlier.assign(part=earlier["weight"] * earlier["prior"]).groupby(UNIT_YEAR)[["part", "weight"]]
    means = sums.sum()
    table["prior_score"] = (means["part"] / means["weight"]).reindex(table.index)
    return table.reset_index()[[*UNIT_YEAR, *SCHOOL_COLUMNS]]


def _tests(
    outcomes: Outcomes, scored: pd.DataFrame, chosen: NDArray[np.bool_], reference: Reference
) -> pd.DataFrame:
    """Return every test with its pupils, those of the reference, and why it does not enter."""
    counts = scored.assign(chosen=chosen, used=np.isfinite(scored["value"])).groupby(TEST_KEY)
    sums = counts[["chosen", "used"]].sum()
    tests = outcomes.tests[[*TEST_KEY, "scale", "n_pupils"]]
    sums = sums.reindex(pd.MultiIndex.from_frame(tests[TEST_KEY])).fillna(0).astype(int)
    tests = tests.assign(n_reference=sums["chosen"].to_numpy())
    conditions = {
        "panel_test_letters_only": tests["scale"].eq("letters_only").to_numpy(),
        "panel_test_several_full_marks": tests["scale"].eq("several_full_marks").to_numpy(),
        "panel_test_without_reference": (tests["n_reference"] == 0).to_numpy(),
        "panel_test_without_spread": (sums["used"] == 0).to_numpy()
        & np.full(len(tests), reference != "untreated_base_sd"),
        "panel_test_without_base": (sums["used"] == 0).to_numpy(),
    }
    tests["reason"] = np.select(list(conditions.values()), list(conditions), default="")
    return tests.drop(columns="scale").reset_index(drop=True)
