"""How often the printed interval of an event study of group schooling holds the truth.

    python benchmarks/group_schooling.py [draws per cell] [full draws] [seed]

Schools of one county over eight years: groups of two to four members that adopt in two or three of the
years 4 to 6, and schools alone. The treated have a bad year before they adopt. The first counties of each
cell go through the design guard, the event study (base year two years before adoption, not yet treated as
comparison, years 0 to 2) and the interval that the rule selects, with the other intervals beside it (199
draws); where there is an effect an eighth as many do. For the other counties only the two t intervals are
computed: "analytic_t" pools cohorts of a single group, "cohort_t" takes the mean of its own cohort out of
each group. The truth is the mean of the realised effects on the treated schools, weighted as the estimate.
Writes `group_schooling.json`. With no full draws at all, only the two t intervals of valid designs are
studied, which is quick; that goes to `group_schooling_t.json`.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.event_study import EventStudySettings, estimate_event_study
from toolkit.effects.guard import check_design
from toolkit.effects.printed_interval import print_interval
from toolkit.effects.sample_rules import SampleRules
from toolkit.indicators.adoption import CHANGES
from toolkit.inference.clusters import (
    cluster_std_errors,
    debiased_effective_clusters,
    degrees_of_freedom,
    inflate_by_side,
    sum_influence,
    t_interval,
)
from toolkit.inference.pooled_cohorts import estimate_pooled_average
from toolkit.models.group_time import estimate_group_time
from toolkit.models.group_time_aggregates import aggregate_group_time

RESULTS = Path(__file__).with_name("group_schooling.json")
RESULTS_OF_T = RESULTS.with_stem("group_schooling_t")
SEED = 20261122
N_DRAWS, N_FULL = 400, 120
YEARS = np.arange(2016.0, 2024.0)
ADOPTION = (2019.0, 2020.0, 2021.0)
N_GROUPS = (3, 6, 12, 30)
EFFECTS = ("none", "constant", "growing", "cohorts", "closing")
INVALID = (
    "everyone at once",
    "no pre-period",
    "one group",
    "two groups",
    "no comparison",
    "only later adopters",
)
BAD_YEAR = -0.10
SETTINGS = EventStudySettings(comparison="not_yet", anticipation=1, last=2, n_draws=199)
RULES = SampleRules(covariates=())
METHODS = ("printed", "analytic_t", "cohort_t", "multiplier", "permutation")
T_METHODS = ("analytic_t", "cohort_t")
ALL_JOIN = ("everyone at once", "no comparison", "only later adopters")
LEFT_OUT = ["county_id", "school", "school_id", "school_name", "stage", "adoption_year", "role", "reason"]


def main(arguments: list[str]) -> int:
    """Run all cells, print and write the figures."""
    defaults = (N_DRAWS, N_FULL, SEED)
    n_draws, n_full, seed = (*map(int, arguments), *defaults[len(arguments) :])
    methods, results = (METHODS, RESULTS) if n_full else (T_METHODS, RESULTS_OF_T)
    found = {"draws": n_draws, "full": n_full, "seed": seed, "valid": [], "invalid": []}
    for n_groups in N_GROUPS:
        for effect in EFFECTS:
            for shock in (0.04, 0.0) if effect == "none" else (0.04,):
                some = n_full if effect == "none" else n_full // 8
                draws = study_cell(n_groups, effect, shock, n_draws, some, seed)
                found["valid"] += [
                    {"groups": n_groups, "effect": effect, "group_shock": shock} | summary(draws, method)
                    for method in methods
                ]
                print(pd.DataFrame(found["valid"][-len(methods) :]).round(3).to_string(), flush=True)
                results.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if not n_full:
        return 0
    for position, design in enumerate(INVALID):
        rng = np.random.default_rng([seed, 99, position])
        samples = [invalid_sample(design, rng) for _ in range(n_draws // 4)]
        by_guard = np.mean([not is_valid(sample) for sample in samples])
        silent = np.mean([intervals(sample)[0][3] == "none" for sample in samples])
        found["invalid"].append(
            {"design": design, "refused_by_guard": float(by_guard), "no_interval": float(silent)}
        )
        print(found["invalid"][-1], flush=True)
    results.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def study_cell(
    n_groups: int, effect: str, group_shock: float, n_draws: int, n_full: int, seed: int
) -> pd.DataFrame:
    """Return one row per draw and method."""
    key = [seed, n_groups, EFFECTS.index(effect), int(100 * group_shock)]
    rng = np.random.default_rng(key)
    rows = []
    for draw in range(n_draws):
        sample, truth = draw_county(n_groups, effect, group_shock, rng)
        found = intervals(sample) if draw < n_full else t_intervals(sample)
        rows += [(draw, name, truth, low, high, chosen) for name, low, high, chosen in found]
    return pd.DataFrame(rows, columns=["draw", "method", "truth", "low", "high", "chosen"])


def intervals(sample: AdoptionSample) -> list[tuple[str, float, float, str]]:
    """Return method, limits and name of the chosen interval; limits are missing where refused."""
    nothing = (np.nan, np.nan)
    if not is_valid(sample):
        return [(name, *nothing, "none") for name in METHODS]
    event_study = estimate_event_study(sample, SETTINGS)
    printed, average = print_interval(event_study), event_study.average
    limits = {
        "printed": (printed.conf_low, printed.conf_high),
        "cohort_t": (average.conf_low, average.conf_high),
    }
    for name, low, high in printed.methods[["interval", "conf_low", "conf_high"]].to_numpy():
        limits[str(name)] = (float(low), float(high))
    return [(name, *limits.get(name, nothing), printed.choice.interval) for name in METHODS]


def t_intervals(sample: AdoptionSample) -> list[tuple[str, float, float, str]]:
    """Return the t intervals alone, without the rest of the event study."""
    effects = estimate_group_time(
        sample.panel, comparison=SETTINGS.comparison, anticipation=SETTINGS.anticipation
    )
    average = aggregate_group_time(effects, "event_time", event_times=(0, SETTINGS.last))
    influence = sum_influence(average.overall_influence, sample.clusters)
    adopters = np.unique(sample.clusters[np.isfinite(sample.cohorts)])
    influence = inflate_by_side(influence, np.isin(influence.clusters, adopters))
    degrees = degrees_of_freedom(debiased_effective_clusters(influence.contributions[:, 0]))
    by_cohort = t_interval(average.overall, float(cluster_std_errors(influence)[0]), degrees)
    pooled = estimate_pooled_average(effects, sample.clusters, last=SETTINGS.last)
    return [("analytic_t", *pooled.interval(), ""), ("cohort_t", *by_cohort, "")]


def is_valid(sample: AdoptionSample) -> bool:
    """Tell whether the guard lets a sample through."""
    return not check_design(
        sample, comparison=SETTINGS.comparison, anticipation=SETTINGS.anticipation
    ).is_refused


def summary(draws: pd.DataFrame, method: str) -> dict[str, object]:
    """Return coverage, false alarms, refusals, width and power of one method in one cell."""
    own = draws[draws["method"] == method]
    given = own[own["low"].notna()]
    covered = (given["low"] <= given["truth"]) & (given["truth"] <= given["high"])
    gap_low, gap_high = given["low"] - given["truth"], given["high"] - given["truth"]
    power = {
        f"power_{size:.2f}": float(((gap_low + size > 0) | (gap_high + size < 0)).mean())
        for size in (0.10, 0.20)
    }
    found: dict[str, object] = {
        "method": method,
        "draws": len(own),
        "chosen": "/".join(sorted({*own["chosen"]} - {""})),
        "refused": 1 - len(given) / len(own),
        "covered": float(covered.mean()),
        # Without an interval nothing is asserted, and nothing is covered.
        "covered_of_all": float(covered.sum() / len(own)),
        "false_alarms": float(1 - covered.mean()) if (own["truth"] == 0).all() else None,
        "width": float((given["high"] - given["low"]).median()),
        "unbounded": float(np.isinf(given["high"] - given["low"]).mean()),
    }
    return found | power


def draw_county(
    n_groups: int, effect: str, group_shock: float, rng: np.random.Generator
) -> tuple[AdoptionSample, float]:
    """Draw a county and the mean of its effects on the treated, weighted as the estimate."""
    sizes = rng.integers(2, 5, n_groups)
    dates = np.sort(rng.choice(ADOPTION, rng.integers(2, 4), replace=False))
    of_group = rng.permutation(np.concatenate([dates, rng.choice(dates, n_groups - len(dates))]))
    n_treated = int(sizes.sum())
    n_alone = max(12, round(n_treated * rng.choice([1.0, 1.5])))
    group = np.concatenate([np.repeat(np.arange(n_groups), sizes), np.full(n_alone, -1)])
    cohorts = np.where(group >= 0, of_group[group], np.inf)
    enrolment = np.exp(rng.normal(6.7, 0.4, len(group)))
    prior, outcomes = untreated_outcomes(cohorts, group, group_shock, rng)
    event_times = YEARS[None, :] - cohorts[:, None]
    effects = effects_of(effect, cohorts, event_times, prior)
    treated = np.flatnonzero(group >= 0)
    first = np.searchsorted(YEARS, cohorts[treated])
    realised = np.column_stack([effects[treated, first + year] for year in range(SETTINGS.last + 1)])
    truth = float(np.average(realised.mean(axis=1), weights=enrolment[treated]))
    return make_sample(outcomes + effects, cohorts, group, enrolment), truth


def untreated_outcomes(
    cohorts: np.ndarray, group: np.ndarray, group_shock: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the lasting level of each school and its outcomes had nobody been treated."""
    shape = (len(cohorts), len(YEARS))
    prior = rng.normal(0, 0.35, shape[0])
    outcomes = prior[:, None] + rng.normal(0, 0.05, shape[1])
    outcomes += rng.normal(0, 0.06, shape) + rng.normal(0, 0.08, shape)
    of_groups = rng.normal(0, 1.0, (int(group.max()) + 1, shape[1]))
    outcomes += np.where((group >= 0)[:, None], group_shock * of_groups[group], 0.0)
    return prior, outcomes + BAD_YEAR * (YEARS[None, :] == cohorts[:, None] - 1)


def effects_of(effect: str, cohorts: np.ndarray, event_times: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Return the effect on each school in each year."""
    exposed = (event_times >= 0).astype(float)
    if effect == "none":
        return 0 * exposed
    if effect == "constant":
        return 0.10 * exposed
    if effect == "growing":
        return 0.12 * np.clip((event_times + 1) / 3, 0, 1)
    if effect == "cohorts":
        early = cohorts == cohorts.min()
        return np.where(early, 0.15, 0.05)[:, None] * exposed
    return (0.10 - 0.2 * prior)[:, None] * exposed


def invalid_sample(design: str, rng: np.random.Generator) -> AdoptionSample:
    """Draw a county that identifies nothing, or that rests on one or two groups."""
    n_groups = {"one group": 1, "two groups": 2}.get(design, 8)
    group = np.repeat(np.arange(n_groups), rng.integers(2, 5, n_groups))
    group = np.concatenate([group, np.full(0 if design in ALL_JOIN else 16, -1)])
    dates = rng.choice(ADOPTION, n_groups)
    if design == "everyone at once":
        dates[:] = dates[0]
    if design == "no comparison":
        # Whoever joins a year later anticipates it: nobody is left to compare with.
        dates = ADOPTION[0] + np.arange(n_groups) % 2
    if design == "no pre-period":
        dates[:] = YEARS[0] + rng.integers(0, 2, n_groups)
    cohorts = np.where(group >= 0, dates[group], np.inf)
    _, outcomes = untreated_outcomes(cohorts, group, 0.04, rng)
    return make_sample(outcomes, cohorts, group, np.exp(rng.normal(6.7, 0.4, len(group))))


def make_sample(
    outcomes: np.ndarray, cohorts: np.ndarray, group: np.ndarray, enrolment: np.ndarray
) -> AdoptionSample:
    """Return the sample of these schools, with everything observed and nobody left out."""
    joined = group >= 0
    names = [str(number) for number in range(len(group))]
    units = pd.DataFrame(
        {
            "county_id": "990100",
            "school": names,
            "school_id": names,
            "school_name": names,
            "stage": "primary",
            "status": np.where(joined, "adopter", "comparison"),
            "reason": "",
            "adoption_year": np.where(np.isfinite(cohorts), cohorts, np.nan),
            "announced_year": np.nan,
            "role": np.where(joined, "member", ""),
            "form": np.where(joined, "close_form", ""),
            "school_group": np.where(joined, group.astype(str), ""),
            "location": "urban",
            "neighbour_year": np.nan,
            "coverage_before": 1.0,
            "coverage_after": 1.0,
        }
    ).assign(**dict.fromkeys(CHANGES, np.nan))
    own = np.where(joined, group, group.max() + 1 + np.arange(len(group)))
    return AdoptionSample(
        outcome="achievement",
        stage="primary",
        rules=RULES,
        units=units,
        outcomes=outcomes,
        periods=YEARS,
        covariates=np.empty((len(group), 0)),
        covariate_names=(),
        weights=enrolment,
        clusters=np.unique(own, return_inverse=True)[1].astype(np.int64),
        baseline_years=(2016, 2017),
        left_out=pd.DataFrame(columns=LEFT_OUT),
        tested_grades=(5, 6),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
