"""Group schooling in 200 simulated counties: bias of the estimates, and what 30 counties together show.

    python benchmarks/group_demo.py [number of counties]

Every county is the demonstration county with another seed: groups chosen for weak schools with a bad year
(-0.10) before joining, tight and loose forms that ramp up over three years, leads that lose 0.01, untouched
schools near a member that gain 0.01, pupils who enter a member school after it joined and are 0.05 better
(tested from the year after joining in junior schools, years later in primary ones), rotation, dirt. The seeds
were fixed before looking. Two truths are compared with: the planted effect of membership on the members that
entered (the estimand), and what the estimator makes of the planted effects of all schools without any noise
(the contrast), which holds spillover on comparison schools, rotation and intake, too. The bias of the
estimator is measured against the contrast.

Pools of 30 counties are drawn from the 200 without replacement: six that share no county, and 60 that do.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from toolkit.data.simulate import PlantedEffects, SimulationSettings, simulate_county
from toolkit.data.simulate.scores import GRADES
from toolkit.effects.adoption_panel import AdoptionSample, pool_samples
from toolkit.effects.adoption_study import estimate_adoption_study, with_base_year
from toolkit.effects.group_schooling import GroupDesign, trace_group_schooling
from toolkit.models.group_time_aggregates import aggregate_group_time
from toolkit.models.group_time_blocks import estimate_group_time_within
from toolkit.standards import load_standard

RESULTS = Path(__file__).with_name("group_demo.json")
FIRST_SEED = 41_000
N_COUNTIES, POOL, N_POOLS = 200, 30, 60
STAGES = ("primary", "junior")
DESIGN = GroupDesign()

Drawn = dict[str, tuple[AdoptionSample, np.ndarray]]


def main(arguments: list[str]) -> int:
    """Simulate, estimate, print and write `group_demo.json`."""
    count = int(arguments[0]) if arguments else N_COUNTIES
    drawn = Parallel(n_jobs=2)(delayed(draw_county)(number) for number in range(count))
    found = {}
    for stage in STAGES:
        samples = [own[stage] for own in drawn]
        found[stage] = {"counties": judge_counties(samples), "pools": judge_pools(samples)}
        print(stage, json.dumps(found[stage], indent=1))
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def draw_county(number: int) -> Drawn:
    """Return the sample of each stage and the planted effects of its units, (n_units, n_periods)."""
    settings = SimulationSettings(county_number=1)
    simulated = simulate_county(settings, seed=FIRST_SEED + number)
    data, _ = trace_group_schooling([simulated.county], load_standard("national_2017"), DESIGN)
    planted = simulated.truth["score_effects"]
    truth = pd.DataFrame(planted["rows"], columns=planted["columns"]).astype({"school_id": str})
    drawn = {}
    for stage in STAGES:
        sample = with_base_year(
            data.sample(stage=stage, outcome=DESIGN.outcome, rules=DESIGN.rules("member")), anticipation=1
        )
        units = sample.units.assign(county_id=f"99{number:04d}")
        drawn[stage] = (replace(sample, units=units), _planted(sample, truth))
    return drawn


def _planted(sample: AdoptionSample, truth: pd.DataFrame) -> np.ndarray:
    """Return the planted effects of membership, of rotation and of intake, (3, n_units, n_periods)."""
    own = truth[truth["stage"] == sample.stage].set_index(["school_id", "year"])
    keys = pd.MultiIndex.from_product([sample.units["school_id"], sample.periods.astype(int)])
    values = own[["membership_effect", "rotation_effect"]].reindex(keys).fillna(0.0).to_numpy()
    effects = values.reshape(*sample.outcomes.shape, 2).transpose(2, 0, 1)
    return np.concatenate([effects, _intake(sample)[None]])


def _intake(sample: AdoptionSample) -> np.ndarray:
    """Return the gain of pupils who entered after joining, by their share of both tested grades."""
    first, second, entry = GRADES[sample.stage]
    since = sample.periods - sample.cohorts[:, None]
    share = ((since >= first - entry) * 1.0 + (since >= second - entry)) / 2
    return PlantedEffects().intake * share


def judge_counties(samples: list[tuple[AdoptionSample, np.ndarray]]) -> dict:
    """Return bias, coverage and refusals over the counties."""
    rows = []
    for sample, planted in samples:
        study = estimate_adoption_study(sample, DESIGN.settings)
        if study.is_refused:
            rows.append({"refused": study.guard.codes[0]})
            continue
        contrast, effect = truths(sample, planted)
        average, interval = study.event_study.average, study.interval
        rows.append(
            {
                "refused": "",
                "estimate": average.effect,
                "contrast": contrast,
                "effect": effect,
                "interval": interval.choice.interval,
                "covers": bool(interval.conf_low <= contrast <= interval.conf_high),
                "rejects": bool(interval.conf_low > 0 or interval.conf_high < 0),
                "width": interval.conf_high - interval.conf_low,
            }
        )
    table = pd.DataFrame(rows)
    known = table[table["refused"] == ""]
    error = known["estimate"] - known["contrast"]
    printed = known[known["interval"] != "none"]
    return {
        "n": len(table),
        "refused": table.loc[table["refused"] != "", "refused"].value_counts().to_dict(),
        "intervals": known["interval"].value_counts().to_dict(),
        "bias": float(error.mean()),
        "monte_carlo_error": float(error.std(ddof=1) / np.sqrt(len(error))),
        "bias_in_errors": float(error.mean() / (error.std(ddof=1) / np.sqrt(len(error)))),
        "spread_of_estimates": float(error.std(ddof=1)),
        "mean_effect_on_members": float(known["effect"].mean()),
        "mean_contrast": float(known["contrast"].mean()),
        "coverage": float(printed["covers"].mean()),
        "rejects_zero": float(printed["rejects"].mean()),
        "median_width": float(printed["width"].median()),
    }


def truths(sample: AdoptionSample, planted: np.ndarray) -> tuple[float, float]:
    """Return what the estimator makes of the planted effects alone, and the effect on the members."""
    members = np.where(np.isfinite(sample.cohorts)[:, None], planted[0], 0.0)
    return _average_of(sample, planted.sum(axis=0)), _average_of(sample, members)


def _average_of(sample: AdoptionSample, effects: np.ndarray) -> float:
    """Return the average effect of outcomes that are nothing but effects."""
    own = DESIGN.settings.event_study
    panel = replace(sample.panel, outcomes=np.where(np.isfinite(sample.outcomes), effects, np.nan))
    cells = estimate_group_time_within(
        panel,
        pd.factorize(sample.units["county_id"], sort=True)[0].astype(np.int64),
        comparison=own.comparison,
        base="universal",
        anticipation=own.anticipation,
    )
    return aggregate_group_time(cells, "event_time", event_times=(own.first, own.last)).overall


def judge_pools(samples: list[tuple[AdoptionSample, np.ndarray]]) -> dict:
    """Return how often pools of counties reject zero, and cover the truth."""
    size = min(POOL, len(samples))
    apart = [range(start, start + size) for start in range(0, len(samples) - size + 1, size)]
    rng = np.random.default_rng(FIRST_SEED)
    shared = [np.sort(rng.choice(len(samples), size, replace=False)) for _ in range(N_POOLS)]
    return {
        "apart": _judge_pools([[samples[place] for place in own] for own in apart]),
        "shared": _judge_pools([[samples[place] for place in own] for own in shared]),
    }


def _judge_pools(pools: list[list[tuple[AdoptionSample, np.ndarray]]]) -> dict:
    rows = []
    for pool in pools:
        usable = [(sample, planted) for sample, planted in pool if np.isfinite(sample.cohorts).any()]
        periods = [sample.periods for sample, _ in usable]
        whole = pool_samples([sample for sample, _ in usable])
        study = estimate_adoption_study(whole, DESIGN.settings)
        planted = np.concatenate(
            [
                own[:, :, np.isin(years, whole.periods)]
                for (_, own), years in zip(usable, periods, strict=True)
            ],
            axis=1,
        )
        contrast, effect = truths(whole, planted)
        interval = study.interval
        rows.append(
            {
                "estimate": study.event_study.average.effect,
                "contrast": contrast,
                "effect": effect,
                "interval": interval.choice.interval,
                "covers": bool(interval.conf_low <= contrast <= interval.conf_high),
                "rejects": bool(interval.conf_low > 0),
                "width": interval.conf_high - interval.conf_low,
            }
        )
    table = pd.DataFrame(rows)
    return {
        "n": len(table),
        "intervals": table["interval"].value_counts().to_dict(),
        "mean_estimate": float(table["estimate"].mean()),
        "mean_contrast": float(table["contrast"].mean()),
        "mean_effect_on_members": float(table["effect"].mean()),
        "rejects_zero": float(table["rejects"].mean()),
        "covers": float(table["covers"].mean()),
        "median_width": float(table["width"].median()),
    }


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
