"""How often the intervals of the effect on inequality between schools hold the truth.

    python benchmarks/group_inequality.py [draws per cell] [seed]

Schools of one county over eight years, as in `group_schooling.py`: groups of two to four members that adopt
in two or three of the years 4 to 6 after a bad year, and half as many schools again that stay alone, 12 at
least. Measure: standard deviation between schools, weighted by enrolment. The truth of a county is the
measure as observed less the measure with the planted effects taken off, averaged over the years in which
some schools are treated. Both versions agree where both intervals exclude zero on the same side. Without
effect also with all groups joining in the same year. Writes `group_inequality.json`.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from group_schooling import ADOPTION, YEARS, effects_of, make_sample, untreated_outcomes

from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.dispersion import VERSIONS, estimate_dispersion_effect

RESULTS = Path(__file__).with_name("group_inequality.json")
SEED = 20261130
N_DRAWS = 4_000
N_GROUPS = (3, 4, 6, 12, 30)
EFFECTS = ("none", "constant", "closing", "cohorts")
ONE_YEAR = "none, all in one year"
GROUP_SHOCK = 0.04
# Taking one effect off schools that gain differently leaves the spread of their gains behind.
WRONG = {("closing", "shifted")}


@dataclass(frozen=True, slots=True)
class County:
    """A drawn county: what the estimator sees, and the truth."""

    sample: AdoptionSample
    truth: float


def main(arguments: list[str]) -> int:
    """Run all cells, print and write the figures."""
    defaults = (N_DRAWS, SEED)
    n_draws, seed = (*map(int, arguments), *defaults[len(arguments) :])
    found = []
    for n_groups in N_GROUPS:
        for number, effect in enumerate((*EFFECTS, ONE_YEAR)):
            rng = np.random.default_rng([seed, n_groups, number])
            counties = [draw_county(n_groups, effect, rng) for _ in range(n_draws)]
            draws = pd.concat([estimates(county, draw) for draw, county in enumerate(counties)])
            cell = {"groups": n_groups, "effect": effect}
            agreed = agreement(draws)
            found += [cell | {"version": v} | summary(draws, v, effect) | agreed for v in VERSIONS]
            print(pd.DataFrame(found[-2:]).round(4).to_string(), flush=True)
            RESULTS.write_text(json.dumps({"seed": seed, "cells": found}, indent=1) + "\n", encoding="utf-8")
    return 0


def draw_county(n_groups: int, effect: str, rng: np.random.Generator) -> County:
    """Draw a county and its effect on inequality."""
    sizes = rng.integers(2, 5, n_groups)
    n_dates = 1 if effect == ONE_YEAR else rng.integers(2, 4)
    dates = np.sort(rng.choice(ADOPTION, n_dates, replace=False))
    of_group = rng.permutation(np.concatenate([dates, rng.choice(dates, n_groups - len(dates))]))
    n_alone = max(12, round(1.5 * int(sizes.sum())))
    group = np.concatenate([np.repeat(np.arange(n_groups), sizes), np.full(n_alone, -1)])
    cohorts = np.where(group >= 0, of_group[group], np.inf)
    enrolment = np.exp(rng.normal(6.7, 0.4, len(group)))
    prior, untreated = untreated_outcomes(cohorts, group, GROUP_SHOCK, rng)
    planted = "none" if effect == ONE_YEAR else effect
    outcomes = untreated + effects_of(planted, cohorts, YEARS[None, :] - cohorts[:, None], prior)
    gap = std_devs(outcomes, enrolment) - std_devs(untreated, enrolment)
    truth = float(gap[cohorts.min() <= YEARS].mean())
    return County(make_sample(outcomes, cohorts, group, enrolment), truth)


def std_devs(outcomes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted standard deviation between schools by year."""
    mean = np.average(outcomes, axis=0, weights=weights)
    return np.sqrt(np.average((outcomes - mean) ** 2, axis=0, weights=weights))


def estimates(county: County, draw: int) -> pd.DataFrame:
    """Return the two versions of a county with its truth."""
    found = estimate_dispersion_effect(county.sample, measure="std_dev", comparison="not_yet", anticipation=1)
    return found.effects.assign(draw=draw, truth=county.truth)


def summary(draws: pd.DataFrame, version: str, effect: str) -> dict[str, object]:
    """Return bias, coverage, rejections and width of one version in one cell."""
    own = draws[draws["version"] == version]
    given = own[own["conf_low"].notna()]
    gap = own["effect"] - own["truth"]
    low, high = given["conf_low"], given["conf_high"]
    zero_out = float(((low > 0) | (high < 0)).mean())
    return {
        "draws": len(own),
        "is_right": (effect, version) not in WRONG,
        "missing": 1 - len(given) / len(own),
        "truth": float(own["truth"].mean()),
        "bias": float(gap.mean()),
        "bias_error": float(gap.std() / np.sqrt(gap.count())),
        "scatter": float(gap.std()),
        "std_error": float(given["std_error"].median()),
        "covered": float(given["truth"].between(low, high).mean()),
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
