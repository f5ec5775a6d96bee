"""How much of the spread of scores lies between schools, classes of a school, and pupils of a class."""

import math
from dataclasses import dataclass

import pandas as pd
from scipy import stats

from toolkit.indicators.outcomes import TEST_KEY, Outcomes
from toolkit.models.nested import fit_nested
from toolkit.variation.achievement import AchievementReadings, achievement_settings, moments_by_test

COLUMNS = [
    *TEST_KEY,
    "estimand",
    "n_schools",
    "n_classes",
    "n_pupils",
    "school_share",
    "class_share",
    "pupil_share",
    "class_p_value",
    "is_large",
]


@dataclass(frozen=True, slots=True)
class ClassShares:
    """Shares of the variance of scores in a three-level model, by test of one year.

    Attributes
    ----------
    year : int
        School year.
    table : pandas.DataFrame
        One row per test with class ids: `n_schools`, `n_classes`, `n_pupils`, `school_share`,
        `class_share`, `pupil_share`, `class_p_value` (F test of no difference between the classes of a
        school) and `is_large`.
    large_share, significance : float
        `is_large` where the class share is at least the one and the P value at most the other.
    """

    year: int
    table: pd.DataFrame
    large_share: float
    significance: float

    def tidy(self) -> pd.DataFrame:
        """Return one row per test."""
        return self.table


def estimate_class_shares(
    outcomes: Outcomes,
    readings: AchievementReadings,
    *,
    year: int,
    large_share: float | None = None,
    significance: float | None = None,
) -> ClassShares:
    """Estimate the shares of schools, classes and pupils in the variance of scores.

    Three-level model with random schools and random classes within them, REML. Pupils without a class
    id are left out, and so are tests in which no school has two classes with pupils to compare, with too
    few pupils (``achievement.toml``), or without a reading. A class effect holds teachers, peers and how
    pupils came into the class, and the model cannot tell them apart. Neither weights nor plausible values
    beyond their mean enter.

    Parameters
    ----------
    outcomes : Outcomes
        The scores that count.
    readings : AchievementReadings
        Say which tests can be read.
    year : int
        School year.
    large_share, significance : float, optional
        By default those of ``achievement.toml``.
    """
    settings = achievement_settings()["classes"]
    share = settings["large_share"] if large_share is None else large_share
    level = settings["significance"] if significance is None else significance
    usable = readings.of_year(year).query("refusal == ''").set_index(TEST_KEY)["estimand"]
    pupils = outcomes.pupils[outcomes.pupils["year"] == year]
    by_test = moments_by_test(pupils, "points", ["school_id", "class_id"])
    rows = []
    for key, estimand in usable.items():
        own = by_test.get(tuple(key))  # pyright: ignore[reportArgumentType]
        if own is not None and _is_identified(own, settings["least_pupils"]):
            rows.append((*key, estimand, *_shares(own)))  # pyright: ignore[reportGeneralTypeIssues]
    table = pd.DataFrame(rows, columns=COLUMNS[:-1])
    large = (table["class_share"] >= share) & (table["class_p_value"] <= level)
    return ClassShares(year=year, table=table.assign(is_large=large), large_share=share, significance=level)


def class_p_value(classes: pd.DataFrame) -> float:
    """Return the P value of no difference between the classes of a school, given the schools.

    F = between classes within schools over within classes; exact for normal pupils, whatever the numbers.

    Parameters
    ----------
    classes : pandas.DataFrame, (n_classes, >= 4)
        `school_id`, `n`, `mean`, `within_ss`.
    """
    total = classes["n"] * classes["mean"]
    sums = classes.assign(total=total).groupby("school_id")[["n", "total"]].transform("sum")
    between = float((classes["n"] * (classes["mean"] - sums["total"] / sums["n"]) ** 2).sum())
    within = float(classes["within_ss"].sum())
    of_classes = len(classes) - classes["school_id"].nunique()
    of_pupils = int(classes["n"].sum()) - len(classes)
    if of_classes < 1 or of_pupils < 1 or within <= 0:
        return math.nan
    return float(stats.f.sf(between / of_classes / (within / of_pupils), of_classes, of_pupils))


def _is_identified(classes: pd.DataFrame, least_pupils: int) -> bool:
    """Say whether schools, classes and pupils can be told apart."""
    if classes["n"].sum() < least_pupils:
        return False
    per_school = classes.groupby("school_id").size()
    return bool(len(per_school) > 1 and per_school.max() > 1 and classes["n"].max() > 1)


def _shares(classes: pd.DataFrame) -> tuple[float, ...]:
    """Return counts, shares and P value of one test, in the order of the columns after its estimand."""
    fit = fit_nested(
        classes["n"].to_numpy(dtype=float),
        classes["mean"].to_numpy(dtype=float),
        classes["within_ss"].to_numpy(dtype=float),
        classes["school_id"].to_numpy(),
    )
    return (
        fit.n_schools,
        fit.n_classes,
        fit.n_obs,
        fit.school_share,
        fit.class_share,
        fit.pupil_share,
        class_p_value(classes),
    )
