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
PUPILS = 2**32
"""More than there are pupils: a place and a pupil make one number."""

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


@dataclass(frozen=True, slots=True)
class NumberedPupils:
    """The scores that count, with the numbers of their unit and year, test and pupil.

    Attributes
    ----------
    outcomes : Outcomes
        The scores that count.
    cells : pandas.DataFrame
        `school` (unit), `stage` and `year` with any score, in this order.
    cell : ndarray of int, (n_scores,)
        Row of `cells` of each score.
    tests : pandas.DataFrame
        Year, stage, grade, subject and name of each test, in this order.
    test : ndarray of int, (n_scores,)
        Row of `tests` of each score.
    pupil : ndarray of int, (n_scores,)
        From 0; a score without the pupil's number is a pupil of its own.
    is_known : ndarray of bool, (n_scores,)
        Whether the pupil has a number.
    """

    outcomes: Outcomes
    cells: pd.DataFrame
    cell: NDArray[np.int64]
    tests: pd.DataFrame
    test: NDArray[np.int64]
    pupil: NDArray[np.int64]
    is_known: NDArray[np.bool_]

    def column(self, name: str) -> Floats:
        """Return a column of the scores as numbers."""
        return self.outcomes.pupils[name].to_numpy(dtype=float)

    def is_in(self, units: pd.DataFrame) -> NDArray[np.bool_]:
        """Say which scores are of these units (`school`, `stage`), (n_scores,)."""
        own = pd.MultiIndex.from_frame(self.cells[["school", "stage"]])
        return np.asarray(own.isin(pd.MultiIndex.from_frame(units)))[self.cell]


def number_pupils(outcomes: Outcomes, found: StableUnits) -> NumberedPupils:
    """Give units and years, tests and pupils of the scores that count their numbers."""
    pupils = outcomes.pupils
    units = {code: found.unit(str(code)) for code in pupils["school_id"].unique()}
    keyed = pupils[["stage", "year"]].assign(school=pupils["school_id"].astype("object").map(units))
    cell, cells = _numbered(keyed[UNIT_YEAR])
    test, tests = _numbered(pupils[TEST_KEY])
    pupil = pd.factorize(pupils["student_id"])[0].astype(np.int64)
    is_known = pupil >= 0
    pupil[~is_known] = len(pupil) + np.flatnonzero(~is_known)
    return NumberedPupils(outcomes, cells, cell, tests, test, pupil, is_known)


def _numbered(keys: pd.DataFrame) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """Return the number of each row's key, and the keys in order."""
    number = keys.groupby(list(keys.columns), sort=True).ngroup().to_numpy().astype(np.int64)
    first = np.unique(number, return_index=True)[1]
    return number, keys.iloc[first].reset_index(drop=True)


@dataclass(frozen=True, slots=True)
class StandardisedScores:
    """Scores on the scale of a reference.

    Attributes
    ----------
    reference : {"county", "untreated", "untreated_base_sd"}
        Whose mean is zero.
    value, prior : ndarray of float, (n_scores,)
        The score, and the earlier one of the pupil; missing where the reference has none, or no spread.
    chosen : ndarray of bool, (n_scores,)
        The scores of the reference.
    """

    reference: Reference
    value: Floats
    prior: Floats
    chosen: NDArray[np.bool_]


def standardise_scores(
    numbered: NumberedPupils,
    untreated: pd.DataFrame,
    *,
    reference: Reference = "county",
    base_years: tuple[int, ...] = (),
) -> StandardisedScores:
    """Standardise the scores of every test on a reference; see `compute_achievement`."""
    if reference not in get_args(Reference):
        raise ValueError(f"reference must be one of {get_args(Reference)}, not {reference!r}")
    if reference == "untreated_base_sd" and not base_years:
        raise ValueError("base_years are needed for a standard deviation of base years")
    number, weights, points = numbered.test, numbered.column("weight"), numbered.column("points")
    usable = numbered.outcomes.pupils["standardised"].notna().to_numpy()
    inside = np.ones(len(number), dtype=bool) if reference == "county" else numbered.is_in(untreated)
    chosen = inside & usable
    value = standardise(points, number, weights, chosen)
    if reference == "untreated_base_sd":
        value *= _scale(points, number, weights, chosen, numbered.tests, base_years)[number]
    prior = _prior(numbered.column("prior_score"), number, weights, inside)
    return StandardisedScores(reference, np.where(usable, value, np.nan), prior, chosen)


def compute_achievement(
    numbered: NumberedPupils,
    untreated: pd.DataFrame,
    *,
    reference: Reference = "county",
    base_years: tuple[int, ...] = (),
) -> Achievement:
    """Compute the mean standardised score of each unit and year over all its tests.

    Parameters
    ----------
    numbered : NumberedPupils
        The scores that count.
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
    scores = standardise_scores(numbered, untreated, reference=reference, base_years=base_years)
    return Achievement(
        schools=_school_means(numbered, scores),
        tested=_tested(numbered, np.isfinite(scores.value)),
        tests=_tests(numbered, scores),
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


def _prior(prior: Floats, number: NDArray[np.int64], weights: Floats, chosen: NDArray[np.bool_]) -> Floats:
    """Return the earlier scores of the pupils, standardised among the reference of the same test."""
    known = np.isfinite(prior)
    found = np.full(len(prior), np.nan)
    if known.any():
        found[known] = standardise(prior[known], number[known], weights[known], chosen[known])
    return found


def _school_means(numbered: NumberedPupils, scores: StandardisedScores) -> pd.DataFrame:
    """Return weighted means by unit and year, with the variance of the mean over pupils."""
    known, weights = np.isfinite(scores.value), numbered.column("weight")
    size = len(numbered.cells)
    cell, weight, value = numbered.cell[known], weights[known], scores.value[known]
    mass = np.bincount(cell, weight, size)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.bincount(cell, weight * value, size) / mass
    # A pupil's scores in several subjects are one draw: their deviations are added before squaring.
    pairs, pair = np.unique(_pairs(cell, numbered.pupil[known]), return_inverse=True)
    of_pupil = np.bincount(pair, weight * (value - means[cell]), len(pairs))
    squares = np.bincount(pairs // PUPILS, of_pupil**2, size)
    tested = count_pupils(numbered, known, numbered.cell, size)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.where(tested < 2, np.nan, squares / mass**2)
        earlier = np.isfinite(scores.prior)
        part, of_prior = numbered.cell[earlier], weights[earlier]
        prior = np.bincount(part, of_prior * scores.prior[earlier], size) / np.bincount(part, of_prior, size)
    columns = dict(zip(SCHOOL_COLUMNS, (means, variance, prior, tested), strict=True))
    has_score = np.bincount(cell, minlength=size) > 0
    return numbered.cells.assign(**columns)[has_score].reset_index(drop=True)


def count_pupils(
    numbered: NumberedPupils, chosen: NDArray[np.bool_], place: NDArray[np.int64], size: int
) -> NDArray[np.int64]:
    """Count the numbered pupils with a chosen score in each place, (size,)."""
    counted = chosen & numbered.is_known
    return np.bincount(np.unique(_pairs(place[counted], numbered.pupil[counted])) // PUPILS, minlength=size)


def _pairs(place: NDArray[np.int64], pupil: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one number for each place and pupil."""
    return place * PUPILS + pupil


def _tested(numbered: NumberedPupils, known: NDArray[np.bool_]) -> pd.DataFrame:
    """Return the number of scores of each unit, year and test."""
    size = max(len(numbered.tests), 1)
    pairs, counts = np.unique(numbered.cell[known] * size + numbered.test[known], return_counts=True)
    tests = numbered.tests.iloc[pairs % size][["grade", "subject", "test"]].reset_index(drop=True)
    cells = numbered.cells.iloc[pairs // size].reset_index(drop=True)
    return pd.concat([cells, tests], axis=1).assign(n_scores=counts)


def _tests(numbered: NumberedPupils, scores: StandardisedScores) -> pd.DataFrame:
    """Return every test with its pupils, those of the reference, and why it does not enter."""
    size = len(numbered.tests)
    tests = numbered.outcomes.tests[[*TEST_KEY, "scale", "n_pupils"]]
    own = pd.MultiIndex.from_frame(numbered.tests).get_indexer(pd.MultiIndex.from_frame(tests[TEST_KEY]))

    def counted(scored: NDArray[np.bool_]) -> NDArray[np.int64]:
        # A test without any score that counts reads the last place.
        return np.append(np.bincount(numbered.test[scored], minlength=size), 0)[own]

    tests = tests.assign(n_reference=counted(scores.chosen))
    without = counted(np.isfinite(scores.value)) == 0
    conditions = {
        "panel_test_letters_only": tests["scale"].eq("letters_only").to_numpy(),
        "panel_test_several_full_marks": tests["scale"].eq("several_full_marks").to_numpy(),
        "panel_test_without_reference": (tests["n_reference"] == 0).to_numpy(),
        "panel_test_without_spread": without & (scores.reference != "untreated_base_sd"),
        "panel_test_without_base": without,
    }
    tests["reason"] = np.select(list(conditions.values()), list(conditions), default="")
    return tests.drop(columns="scale").reset_index(drop=True)
