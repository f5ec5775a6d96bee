"""How often the intervals of the effect on inequality between schools hold the truth.

    python benchmarks/group_inequality.py [draws per cell] [draws at 30 groups] [seed]

Schools of one county over eight years, as in `group_schooling.py`: groups of two to four members that adopt
in two or three of the years 4 to 6 after a bad year, and half as many schools again that stay alone, 12 at
least. Measure: standard deviation between schools, weighted by enrolment. The truth of a county is the
measure as observed less the measure with the planted effects taken off, averaged over the years in which
some schools are treated; beside it stands its expectation, given groups, years and enrolment, over levels
and noise drawn anew. Both versions agree where both intervals exclude zero on the same side. Writes
`group_inequality.json`.

The panels are complete and without covariates, so that the counterfactual paths need only sums by cohort.
The study computes them so, twenty times as fast; the first counties of each cell must give the figures of
the package to 1e-10.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from group_schooling import ADOPTION, YEARS, effects_of, make_sample, untreated_outcomes

from toolkit.effects import dispersion
from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.dispersion import VERSIONS, estimate_dispersion_effect
from toolkit.models.counterfactual_dispersion import DispersionPaths
from toolkit.models.group_time import AdoptionPanel, Comparison

RESULTS = Path(__file__).with_name("group_inequality.json")
SEED = 20261122
N_DRAWS, N_DRAWS_MANY, N_EXPECTED, N_CHECKED = 400, 400, 100, 2
N_GROUPS = (6, 12, 30)
EFFECTS = ("none", "constant", "closing", "cohorts")
GROUP_SHOCK = 0.04
# Taking one effect off schools that gain differently leaves the spread of their gains behind.
WRONG = {("closing", "shifted")}


@dataclass(frozen=True, slots=True)
class County:
    """A drawn county: what the estimator sees, and the truth."""

    sample: AdoptionSample
    realised: float
    expected: float


def main(arguments: list[str]) -> int:
    """Run all cells, print and write the figures."""
    defaults = (N_DRAWS, N_DRAWS_MANY, SEED)
    n_draws, n_many, seed = (*map(int, arguments), *defaults[len(arguments) :])
    found = []
    for n_groups in N_GROUPS:
        for effect in EFFECTS:
            rng = np.random.default_rng([seed, n_groups, EFFECTS.index(effect)])
            counties = range(n_many if n_groups == N_GROUPS[-1] else n_draws)
            draws = pd.concat([estimates(draw_county(n_groups, effect, rng), draw) for draw in counties])
            cell = {"groups": n_groups, "effect": effect}
            agreed = agreement(draws)
            found += [cell | {"version": v} | summary(draws, v, effect) | agreed for v in VERSIONS]
            print(pd.DataFrame(found[-2:]).round(4).to_string(), flush=True)
            RESULTS.write_text(json.dumps({"seed": seed, "cells": found}, indent=1) + "\n", encoding="utf-8")
    return 0


def draw_county(n_groups: int, effect: str, rng: np.random.Generator) -> County:
    """Draw a county, its effect on inequality, and the expectation of that given the design."""
    sizes = rng.integers(2, 5, n_groups)
    dates = np.sort(rng.choice(ADOPTION, rng.integers(2, 4), replace=False))
    of_group = rng.permutation(np.concatenate([dates, rng.choice(dates, n_groups - len(dates))]))
    n_alone = max(12, round(1.5 * int(sizes.sum())))
    group = np.concatenate([np.repeat(np.arange(n_groups), sizes), np.full(n_alone, -1)])
    cohorts = np.where(group >= 0, of_group[group], np.inf)
    enrolment = np.exp(rng.normal(6.7, 0.4, len(group)))
    outcomes, realised = draw_outcomes(cohorts, group, enrolment, effect, rng)
    anew = [draw_outcomes(cohorts, group, enrolment, effect, rng)[1] for _ in range(N_EXPECTED)]
    return County(make_sample(outcomes, cohorts, group, enrolment), realised, float(np.mean(anew)))


def draw_outcomes(
    cohorts: np.ndarray, group: np.ndarray, enrolment: np.ndarray, effect: str, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Return outcomes, and the effect on the standard deviation in the years with treated schools."""
    prior, untreated = untreated_outcomes(cohorts, group, GROUP_SHOCK, rng)
    outcomes = untreated + effects_of(effect, cohorts, YEARS[None, :] - cohorts[:, None], prior)
    gap = std_devs(outcomes, enrolment) - std_devs(untreated, enrolment)
    return outcomes, float(gap[cohorts.min() <= YEARS].mean())


def std_devs(outcomes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted standard deviation between schools by year."""
    mean = np.average(outcomes, axis=0, weights=weights)
    return np.sqrt(np.average((outcomes - mean) ** 2, axis=0, weights=weights))


def estimates(county: County, draw: int) -> pd.DataFrame:
    """Return the two versions of a county with its truths."""
    slow = dispersion.compute_dispersion_paths
    own = estimate(county.sample) if draw < N_CHECKED else None
    dispersion.compute_dispersion_paths = sum_paths
    try:
        found = estimate(county.sample)
    finally:
        dispersion.compute_dispersion_paths = slow
    if own is not None:
        pd.testing.assert_frame_equal(found, own, rtol=0, atol=1e-10)
    return found.assign(draw=draw, realised=county.realised, expected=county.expected)


def estimate(sample: AdoptionSample) -> pd.DataFrame:
    """Return the effects of both versions."""
    return estimate_dispersion_effect(sample, measure="std_dev", comparison="not_yet", anticipation=1).effects


def sum_paths(panel: AdoptionPanel, *, comparison: Comparison, anticipation: int) -> DispersionPaths:
    """Compute the paths of `compute_dispersion_paths` from sums by cohort: complete data, no covariates."""
    if comparison != "not_yet" or panel.covariates.shape[1] or not np.isfinite(panel.outcomes).all():
        raise ValueError("sums by cohort do not suffice")
    cohorts, own = np.unique(panel.cohorts, return_inverse=True)
    member = (own == np.arange(len(cohorts))[:, None]) * panel.weights
    sizes = member.sum(axis=1)
    shares = (sizes / sizes.sum())[:, None]
    first, second = (member @ panel.outcomes**power / sizes[:, None] for power in (1, 2))
    shift = changes(first, cohorts, sizes, panel.periods, anticipation)
    mean = (shares * first).sum(axis=0)
    untreated = mean - (shares * shift).sum(axis=0)

    def around(centre: np.ndarray) -> np.ndarray:
        return second - 2 * centre * first + centre**2

    of_squares = changes(around(untreated), cohorts, sizes, panel.periods, anticipation)
    variance = (shares * around(mean)).sum(axis=0)
    return DispersionPaths(
        periods=panel.periods,
        treated_share=(shares * (panel.periods >= cohorts[:, None])).sum(axis=0),
        mean=mean,
        mean_untreated=untreated,
        variance=variance,
        variance_shifted=(shares * around(untreated + shift)).sum(axis=0),
        variance_squares=variance - (shares * of_squares).sum(axis=0) + (mean - untreated) ** 2,
    )


def changes(
    means: np.ndarray, cohorts: np.ndarray, sizes: np.ndarray, periods: np.ndarray, anticipation: int
) -> np.ndarray:
    """Return the effect by cohort and year, zero before adoption."""
    effects = np.zeros(means.shape)
    for row, cohort in enumerate(cohorts[np.isfinite(cohorts)]):
        base = np.flatnonzero(periods + anticipation < cohort)[-1]
        for now in np.flatnonzero(periods >= cohort):
            others = np.where(cohorts > periods[now] + anticipation, sizes, 0.0)
            gap = means[:, now] - means[:, base]
            effects[row, now] = gap[row] - others @ gap / others.sum()
    return effects


def summary(draws: pd.DataFrame, version: str, effect: str) -> dict[str, object]:
    """Return bias, coverage, rejections and width of one version in one cell."""
    own = draws[draws["version"] == version]
    given = own[own["conf_low"].notna()]
    gap = own["effect"] - own["realised"]
    low, high = given["conf_low"], given["conf_high"]
    zero_out = float(((low > 0) | (high < 0)).mean())
    return {
        "draws": len(own),
        "is_right": (effect, version) not in WRONG,
        "missing": 1 - len(given) / len(own),
        "truth": float(own["realised"].mean()),
        "bias": float(gap.mean()),
        "bias_error": float(gap.std() / np.sqrt(gap.count())),
        "bias_uncorrected": float((own["uncorrected"] - own["realised"]).mean()),
        "scatter": float(gap.std()),
        "std_error": float(given["std_error"].median()),
        "covered": float(given["realised"].between(low, high).mean()),
        "covered_expected": float(given["expected"].between(low, high).mean()),
        "excludes_zero": zero_out,
        "width": float((high - low).median()),
    }


def agreement(draws: pd.DataFrame) -> dict[str, float]:
    """Return how often both intervals exclude zero on the same side, above and below."""
    above = (draws["conf_low"] > 0).groupby(draws["draw"]).all()
    below = (draws["conf_high"] < 0).groupby(draws["draw"]).all()
    return {"both_above": float(above.mean()), "both_below": float(below.mean())}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
