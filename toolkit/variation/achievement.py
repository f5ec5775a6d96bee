"""校际差异率 from the county's own tests: four readings by name, for reference only and never a verdict."""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from toolkit.indicators.outcomes import PLAUSIBLE_VALUES, TEST_KEY, Outcomes
from toolkit.models.grouped_sums import MOMENT_COLUMNS, WEIGHT_COLUMNS, compute_group_moments
from toolkit.models.icc_interval import icc_interval
from toolkit.models.icc_precision import effective_group_size
from toolkit.models.plausible_values import combine_icc
from toolkit.models.random_intercept import group_sums_from_moments
from toolkit.models.weighted_components import estimate_weighted_components
from toolkit.standards import Standard
from toolkit.variation.monitoring import monitoring_limit
from toolkit.variation.school_means import (
    POINT_SCALES,
    RATIO_SCALES,
    between_school_share_of_squares,
    cv_of_school_means,
    sd_of_school_means,
)

Refusal = Literal[
    "",
    "refused_letters_only",
    "refused_several_full_marks",
    "refused_no_scores",
    "refused_one_school",
    "refused_one_pupil_each",
    "refused_no_spread",
    "withheld_few_pupils",
]
"""Why a test has no reading at all, or shows none in a public edition; empty when it has."""

READINGS = ("icc", "eta_squared", "mean_sd", "mean_cv")
# The standard error of the weighted estimate leaves out one school at a time.
LEAST_WEIGHTED = 3
VALUES = ("icc", "icc_low", "icc_high", "icc_weighted", "eta_squared", "mean_sd", "mean_cv", "mean")


@dataclass(frozen=True, slots=True)
class AchievementReadings:
    """Four readings of 校际差异率 for every test.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per year, stage, grade, subject and test, with `n_schools`, `n_schools_with_grade`,
        `n_pupils`, `coverage`, `estimand`, `scale`, `full_mark`, `weighted`, `refusal` and the readings:
        `icc` with `icc_low` and `icc_high` (between-school share of the variance of a superpopulation of
        schools and pupils, REML, not weighted), `icc_weighted` (moment estimate with the pupils' weights;
        missing without weights), `eta_squared`, `mean_sd` (points), `mean_cv`, and `mean`. `group_size` is
        the number of pupils per school that the unequal numbers are worth.
    limit : float
        Limit of the standard for the rate published by the national monitoring, missing when it has none.
    confidence_level : float
        Level of the intervals.
    census_from : float
        Coverage from which on a test is a full-census examination.
    """

    table: pd.DataFrame
    limit: float
    confidence_level: float
    census_from: float

    def of_year(self, year: int) -> pd.DataFrame:
        """Return the tests of one school year."""
        return self.table[self.table["year"] == year].reset_index(drop=True)

    def tidy(self) -> pd.DataFrame:
        """Return one row per test."""
        return self.table


def estimate_achievement_readings(
    outcomes: Outcomes, standard: Standard, *, confidence_level: float = 0.95
) -> AchievementReadings:
    """Estimate how much schools differ in each test, in four named readings.

    The intraclass correlation is estimated by REML without weights and has an exact interval under
    normal school effects; with plausible values it is combined over them by Rubin's rules. The other
    three describe the pupils at hand, weighted where weights are given; with plausible values they are
    means over the values. Readings that the scale does not carry are missing: the spread in points on a
    linked scale, the coefficient of variation without a known full mark.

    Parameters
    ----------
    outcomes : Outcomes
        The scores that count.
    standard : Standard
        Whose limit for the monitored rate is kept beside the readings.
    confidence_level : float, default 0.95
        Level of the intervals.

    Notes
    -----
    The intervals speak of schools like these, not of these schools: they cover the chance in schools and
    pupils, not errors of marking, nor the choice of the tested subject.
    """
    parts = _moments_by_test(outcomes)
    return AchievementReadings(
        table=read_tests(outcomes.tests, TEST_KEY, parts, confidence_level),
        limit=monitoring_limit(standard),
        confidence_level=confidence_level,
        census_from=outcomes.census_from,
    )


def read_tests(
    tests: pd.DataFrame,
    key: Sequence[str],
    parts: Mapping[tuple[Any, ...], list[pd.DataFrame]],
    confidence_level: float,
) -> pd.DataFrame:
    """Return the tests with their readings, or why there are none.

    Parameters
    ----------
    tests : pandas.DataFrame
        One row per test: the columns of `key`, `scale`, `weighted`.
    key : sequence of str
        Columns that name a test.
    parts : mapping
        By test, the moments of its schools: `n`, `mean`, `within_ss`, `weighted_mean`, `weighted_within_ss`,
        `weight_sum`, `weight_square_sum`; one table per plausible value where there are several.
    confidence_level : float
        Level of the intervals.
    """
    rows = []
    for test in tests.to_dict("records"):
        moments = parts.get(tuple(test[name] for name in key), [])
        refusal = _refusal(test, moments)
        values: dict[str, object] = dict.fromkeys((*VALUES, "group_size"), math.nan)
        if not refusal:
            values |= _readings(test, moments, confidence_level)
            values["group_size"] = effective_group_size(_pupils(moments))
        rows.append(values | {"refusal": refusal})
    columns = [*VALUES, "refusal", "group_size"]
    return pd.concat([tests, pd.DataFrame(rows, columns=columns)], axis=1)


@cache
def achievement_settings() -> dict[str, dict[str, Any]]:
    """Return what the readings are set beside: the national sample, true shares, a large class share."""
    path = Path(__file__).with_name("achievement.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _moments_by_test(outcomes: Outcomes) -> dict[tuple[Any, ...], list[pd.DataFrame]]:
    """Return, by test, the moments of its schools; one table per plausible value where there are several."""
    pupils = outcomes.pupils
    several = outcomes.tests.set_index(TEST_KEY)["n_plausible_values"] > 1
    with_values = pd.MultiIndex.from_frame(pupils[TEST_KEY]).isin(several.index[several])
    found = _by_test(pupils[~with_values], "points")
    for name in PLAUSIBLE_VALUES if with_values.any() else ():
        for key, moments in _by_test(pupils[with_values].dropna(subset=name), name).items():
            found.setdefault(key, []).extend(moments)
    return found


def moments_by_test(
    pupils: pd.DataFrame, outcome: str, by: Sequence[str]
) -> dict[tuple[Any, ...], pd.DataFrame]:
    """Return the moments of groups by test; no test without pupils.

    Parameters
    ----------
    pupils : pandas.DataFrame
        Rows of `Outcomes.pupils`.
    outcome : str
        Column of the outcome.
    by : sequence of str
        Columns that make a group within a test.
    """
    moments = _moments(pupils, outcome, by)
    return {tuple(key): own.reset_index(drop=True) for key, own in moments.groupby(TEST_KEY, sort=False)}


def _moments(
    pupils: pd.DataFrame, outcome: str, by: Sequence[str], weight: str | None = None
) -> pd.DataFrame:
    """Return the moments of groups within tests; without pupils a table without rows."""
    keys = [*TEST_KEY, *by]
    complete = pupils.dropna(subset=[outcome, *by])
    if complete.empty:
        return pd.DataFrame(columns=[*keys, *MOMENT_COLUMNS, *(WEIGHT_COLUMNS if weight else ())])
    return compute_group_moments(complete, outcome=outcome, by=keys, weight=weight)


def _by_test(pupils: pd.DataFrame, outcome: str) -> dict[tuple[Any, ...], list[pd.DataFrame]]:
    """Return the moments of the schools by test: plain ones, and weighted ones as `weighted_...`."""
    plain = _moments(pupils, outcome, ["school_id"])
    weighted = _moments(pupils, outcome, ["school_id"], "weight").drop(columns="n")
    names = {"mean": "weighted_mean", "within_ss": "weighted_within_ss"}
    joined = plain.merge(weighted.rename(columns=names), on=[*TEST_KEY, "school_id"])
    return {tuple(key): [own] for key, own in joined.groupby(TEST_KEY, sort=False)}


def _refusal(test: Mapping[Any, Any], moments: list[pd.DataFrame]) -> Refusal:
    """Return why a test has no reading."""
    if test["scale"] == "letters_only":
        return "refused_letters_only"
    if test["scale"] == "several_full_marks":
        return "refused_several_full_marks"
    if not moments:
        return "refused_no_scores"
    if len(moments[0]) < 2:
        return "refused_one_school"
    if moments[0]["n"].max() < 2:
        return "refused_one_pupil_each"
    # Rounding leaves dust in the sums of squares of equal scores.
    dust = min((own["n"] * own["mean"] ** 2).sum() for own in moments) * np.finfo(float).eps
    if min(own["within_ss"].sum() for own in moments) <= dust:
        return "refused_no_spread"
    return ""


def _readings(
    test: Mapping[Any, Any], moments: list[pd.DataFrame], confidence_level: float
) -> dict[str, float]:
    """Return the readings of a test, means over its plausible values."""
    each = pd.DataFrame([_reading(test, own) for own in moments]).mean().to_dict()
    return {str(name): float(value) for name, value in each.items()} | _icc(moments, confidence_level)


def _reading(test: Mapping[Any, Any], moments: pd.DataFrame) -> dict[str, float]:
    """Return what describes the pupils at hand, from the moments of the schools."""
    scale, weighted = test["scale"], bool(test["weighted"])
    mass, mean = moments["weight_sum"].to_numpy(), moments["weighted_mean"].to_numpy()
    within = moments["weighted_within_ss"].to_numpy()
    return {
        "icc_weighted": _weighted_icc(moments) if weighted else math.nan,
        "eta_squared": between_school_share_of_squares(mass, mean, within),
        "mean_sd": sd_of_school_means(mass, mean, scale=scale) if scale in POINT_SCALES else math.nan,
        "mean_cv": cv_of_school_means(mass, mean, scale=scale) if scale in RATIO_SCALES else math.nan,
        "mean": float(np.average(mean, weights=mass)),
    }


def _weighted_icc(moments: pd.DataFrame) -> float:
    """Return the weighted moment estimate of the between-school share; missing below three schools."""
    if len(moments) < LEAST_WEIGHTED:
        return math.nan
    names = ("n", "weighted_mean", "weighted_within_ss", "weight_sum", "weight_square_sum")
    return estimate_weighted_components(*(moments[name].to_numpy(dtype=float) for name in names)).icc


def _icc(moments: list[pd.DataFrame], confidence_level: float) -> dict[str, float]:
    """Return the between-school share by REML with its interval."""
    found = [
        icc_interval(
            group_sums_from_moments(own["n"], own["mean"], own["within_ss"]),
            confidence_level=confidence_level,
        )
        for own in moments
    ]
    if len(found) == 1:
        return {"icc": found[0].estimate, "icc_low": found[0].low, "icc_high": found[0].high}
    combined = combine_icc(
        np.array([one.estimate for one in found]),
        n_groups=found[0].n_groups,
        group_size=effective_group_size(_pupils(moments)),
        confidence_level=confidence_level,
    )
    return {"icc": combined.estimate, "icc_low": combined.low, "icc_high": combined.high}


def _pupils(moments: list[pd.DataFrame]) -> np.ndarray:
    """Return the pupils of each school."""
    return moments[0]["n"].to_numpy(dtype=float)
