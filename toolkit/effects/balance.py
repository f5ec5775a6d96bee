"""How alike adopters and comparison schools were before anyone adopted, and how their outcome moved."""

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.effects.baseline import baseline_mean, baseline_years, prior_achievement
from toolkit.effects.guard_limits import DEFAULT_LIMITS
from toolkit.effects.sample_rules import Role
from toolkit.indicators.adoption import Adoption
from toolkit.indicators.adoption_reasons import ADOPTER, COMPARISON
from toolkit.indicators.school_panel import SchoolPanel

Floats = NDArray[np.float64]

LOCATION_SHARES = ("urban", "town_area", "rural")
COVARIATE_COLUMNS = [
    "role",
    "covariate",
    "n_adopters",
    "n_comparison",
    "mean_adopters",
    "mean_comparison",
    "standard_deviation",
    "standardised_difference",
]
TREND_COLUMNS = ["role", "outcome", "n_adopters", "n_comparison", "n_cohorts", "estimate", "std_error"]


@dataclass(frozen=True, slots=True)
class Balance:
    """Adopters, by role, beside comparison schools before adoption.

    Attributes
    ----------
    stage : str
        Stage.
    baseline_years : tuple of int
        Years over which covariates are means.
    covariates : pandas.DataFrame
        One row per `role` and `covariate`: schools with a value on each side, means, the pooled standard
        deviation and the standardised difference (missing where nothing varies).
    trends : pandas.DataFrame
        One row per `role` and `outcome`: difference in yearly change before adoption (`estimate`, in units
        of the outcome a year) with its standard error, and what is behind it.
    """

    stage: str
    baseline_years: tuple[int, ...]
    covariates: pd.DataFrame
    trends: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per role and covariate."""
        return self.covariates


def compute_balance(
    adoption: Adoption,
    panel: SchoolPanel,
    *,
    stage: str,
    outcomes: tuple[str, ...] = ("achievement",),
    selection_years: int = 1,
) -> Balance:
    """Compute standardised differences at baseline, and differences in trend before adoption.

    Parameters
    ----------
    adoption, panel : Adoption, SchoolPanel
        Exposure and outcomes of the same units.
    stage : {"primary", "junior"}
        Stage.
    outcomes : tuple of str
        Outcomes whose trends are compared.
    selection_years : int
        Years before an adoption in which schools were chosen: neither baseline nor trend.

    Notes
    -----
    The difference is (mean of adopters − mean of comparison) / sqrt((s1² + s0²) / 2), every school alike,
    with the variances of the two sides over n − 1 (Rosenbaum and Rubin 1985). It does not grow with the
    number of schools, as a test would.

    The trend of a school is the least-squares slope over the years before its cohort's adoption, less the
    years of selection; comparison schools take the same years, cohort by cohort, and cohorts count by their
    schools. Standard errors cluster adopters by group, without a factor for few clusters; where the groups
    are fewer than a study needs there is none. Schools missing in such a year are left out of the cohort's
    comparison.
    """
    years = baseline_years(adoption, stage=stage, selection_years=selection_years)
    units = adoption.units
    values = {"prior_achievement": prior_achievement(panel, years)} if "achievement" in panel.measures else {}
    for name in panel.outcomes:
        if name not in ("achievement", "achievement_error_variance", "tested_pupils"):
            values[name] = baseline_mean(panel, name, years)
    for place in LOCATION_SHARES:
        known = units["location"].notna().to_numpy()
        values[place] = np.where(known, units["location"].eq(place).to_numpy(dtype=float), np.nan)
    own = (units["stage"] == stage).to_numpy()
    untouched = own & (units["status"] == COMPARISON).to_numpy()
    rows, trends = [], []
    for role in [name for name in get_args(Role) if name != "any"]:
        adopts = own & (units["status"] == ADOPTER).to_numpy() & (units["role"] == role).to_numpy()
        for name, column in values.items():
            rows.append({"role": role, "covariate": name} | _difference(column[adopts], column[untouched]))
        for outcome in outcomes:
            found = _trend(adoption, panel, outcome, adopts, untouched, selection_years)
            trends.append({"role": role, "outcome": outcome} | found)
    return Balance(
        stage=stage,
        baseline_years=years,
        covariates=pd.DataFrame(rows, columns=COVARIATE_COLUMNS),
        trends=pd.DataFrame(trends, columns=TREND_COLUMNS),
    )


def _difference(adopters: Floats, comparison: Floats) -> dict[str, float]:
    """Return means and the standardised difference of two sides, their missing values left out."""
    sides = [side[np.isfinite(side)] for side in (adopters, comparison)]
    means = [float(side.mean()) if len(side) else np.nan for side in sides]
    variances = [float(side.var(ddof=1)) if len(side) > 1 else np.nan for side in sides]
    pooled = float(np.sqrt(np.mean(variances)))
    return {
        "n_adopters": len(sides[0]),
        "n_comparison": len(sides[1]),
        "mean_adopters": means[0],
        "mean_comparison": means[1],
        "standard_deviation": pooled,
        "standardised_difference": (means[0] - means[1]) / pooled if pooled > 0 else np.nan,
    }


def _trend(
    adoption: Adoption,
    panel: SchoolPanel,
    outcome: str,
    adopts: NDArray[np.bool_],
    untouched: NDArray[np.bool_],
    selection_years: int,
) -> dict[str, float]:
    """Return the mean difference in slope over cohorts, with its standard error by cluster."""
    values, years = panel.measures[outcome], np.array(panel.years, dtype=float)
    joined = adoption.units["adoption_year"].to_numpy(dtype=float)
    parts: list[tuple[int, float, Floats]] = []
    used = np.zeros((2, len(values)), dtype=bool)
    for cohort in np.unique(joined[adopts]):
        window = years < cohort - selection_years
        if window.sum() < 2:
            continue
        slopes = _slopes(values[:, window], years[window])
        sides = [side & np.isfinite(slopes) for side in (adopts & (joined == cohort), untouched)]
        if not all(side.any() for side in sides):
            continue
        used |= np.array(sides)
        own, other = (slopes[side].mean() for side in sides)
        share = np.zeros(len(values))
        share[sides[0]] = (slopes[sides[0]] - own) / sides[0].sum()
        share[sides[1]] = -(slopes[sides[1]] - other) / sides[1].sum()
        parts.append((int(sides[0].sum()), float(own - other), share))
    blank = {"n_adopters": 0, "n_comparison": 0, "n_cohorts": 0, "estimate": np.nan, "std_error": np.nan}
    if not parts:
        return blank
    sizes = np.array([size for size, _, _ in parts], dtype=float)
    weights = sizes / sizes.sum()
    influence = np.sum([w * share for w, (_, _, share) in zip(weights, parts, strict=True)], axis=0)
    group = _clusters(adoption.units, adopts)
    by_cluster = pd.Series(influence).groupby(group).sum().to_numpy()
    # Of one or two groups that moved together the scatter between groups is not known.
    is_known = len(set(group[used[0]])) >= DEFAULT_LIMITS.least_clusters
    return {
        "n_adopters": int(used[0].sum()),
        "n_comparison": int(used[1].sum()),
        "n_cohorts": len(parts),
        "estimate": float(weights @ [difference for _, difference, _ in parts]),
        "std_error": float(np.sqrt(np.sum(by_cluster**2))) if is_known else np.nan,
    }


def _clusters(units: pd.DataFrame, adopts: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Return the group of each adopter, and each other school by itself; counties may share names."""
    own = units["school_group"].where(pd.Series(adopts), units["school"])
    return (units["county_id"].astype(str) + "|" + own.astype(str)).to_numpy(dtype=object)


def _slopes(values: Floats, years: Floats) -> Floats:
    """Return least-squares slopes over years, missing for units not observed in all of them, (n_units,)."""
    centred = years - years.mean()
    return values @ centred / (centred @ centred)
