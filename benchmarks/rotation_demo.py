"""Teacher rotation in 200 simulated counties: bias of the joint model and coverage of its intervals.

    python benchmarks/rotation_demo.py [number of counties] [minutes]

Every county is the demonstration county with another seed: rotation of one to three years, half of it inside
groups, groups with effects of their own, part-time spells, names for codes and spells to places outside. The
seeds were fixed before looking. Names in the records of rotation are matched to codes as on reading; what is
left unmatched stays so. The planted effects are those of `PlantedEffects`: receiving 0.10 in primary and 0 in
junior schools, sending -0.034, first year -0.03, per full-time equivalent and 100 students.

Beside the bias against them stand two contrasts, which the estimator makes of planted effects without any
noise: "flows" of those of rotation alone (it differs from the planted ones where records are incomplete),
"all" with those of groups, spillover and bad years as well (where these are not wholly held fixed). Stops
after the given minutes and says how many counties ran. Writes `rotation_demo.json`.
"""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from toolkit.data.county import County
from toolkit.data.names import match_schools
from toolkit.data.simulate import PlantedEffects, SimulationSettings, simulate_county
from toolkit.effects.flow_effects import FlowSettings, FlowStudy, study_flows
from toolkit.effects.rotation_data import RotationSample, build_rotation_sample, trace_rotation
from toolkit.models.flow_regression import estimate_flow_regression
from toolkit.standards import load_standard

RESULTS = Path(__file__).with_name("rotation_demo.json")
FIRST_SEED = 52_000
N_COUNTIES, MINUTES = 200, 15.0
STAGES = ("primary", "junior")
SETTINGS = FlowSettings(n_draws=0)
PLANTED = PlantedEffects()
SOURCES = {"flows": ["rotation_effect"], "all": ["rotation_effect", "membership_effect", "choice_year_dip"]}
SIGNIFICANT = 0.05


def main(arguments: list[str]) -> int:
    """Simulate, estimate, print and write `rotation_demo.json`."""
    count = int(arguments[0]) if arguments else N_COUNTIES
    minutes = float(arguments[1]) if len(arguments) > 1 else MINUTES
    until = time.monotonic() + 60 * minutes
    rows: list[dict[str, object]] = []
    n_run = 0
    while n_run < count and time.monotonic() < until:
        rows += study_county(FIRST_SEED + n_run)
        n_run += 1
    table = pd.DataFrame(rows)
    found = {"counties": n_run, "stages": {stage: judge(table[table["stage"] == stage]) for stage in STAGES}}
    print(json.dumps(found, indent=1))
    RESULTS.write_text(json.dumps(found | {"rows": rows}, indent=1) + "\n", encoding="utf-8")
    return 0


def study_county(seed: int) -> list[dict[str, object]]:
    """Return one row per stage and flow, or one per refused stage."""
    simulated = simulate_county(SimulationSettings(county_number=1), seed=seed)
    traced = trace_rotation(with_codes(simulated.county), load_standard("national_2017"))
    planted = simulated.truth["score_effects"]
    effects = pd.DataFrame(planted["rows"], columns=planted["columns"]).astype({"school_id": str})
    rows: list[dict[str, object]] = []
    for stage in STAGES:
        sample = build_rotation_sample([traced], stage=stage, outcome="achievement")
        study = study_flows(sample, SETTINGS)
        given: dict[str, object] = {"seed": seed, "stage": stage, "unmatched": sample.unmatched_share}
        if study.is_refused:
            rows.append(given | {"refused": study.guard.codes[0]})
            continue
        contrasts = {name: contrast_of(sample, effects, columns) for name, columns in SOURCES.items()}
        rows += [given | row for row in judged(study, contrasts)]
    return rows


def with_codes(county: County) -> County:
    """Return the county with the names in its records of rotation matched to codes, as on reading."""
    table = county.tables["rotations"].copy()
    for side in ("sending", "receiving"):
        codes, names = table[f"{side}_school_id"], table[f"{side}_school_name"]
        found = match_schools(
            names[codes.isna()].dropna(), county.tables["schools"], county.tables.get("school_links")
        )
        matched = names.map(found.set_index("name")["school_id"])
        table[f"{side}_school_id"] = codes.where(codes.notna(), matched).astype("str")
    return replace(county, tables={**county.tables, "rotations": table})


def contrast_of(sample: RotationSample, effects: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """Return what the estimator makes of outcomes that are nothing but planted effects, (n_flows,)."""
    own = effects[effects["stage"] == sample.stage].set_index(["school_id", "year"])[columns].sum(axis=1)
    keys = pd.MultiIndex.from_product([sample.units["school_id"], sample.years])
    values = own.reindex(keys).fillna(0.0).to_numpy().reshape(sample.outcomes.shape)
    shown = replace(sample, outcomes=np.where(np.isfinite(sample.outcomes), values, np.nan))
    return estimate_flow_regression(shown.panel_of(SETTINGS.flows)).estimates


def judged(study: FlowStudy, contrasts: dict[str, np.ndarray]) -> list[dict[str, object]]:
    """Return estimate, truth and verdicts of each flow."""
    receiving = PLANTED.receiving_primary if study.sample.stage == "primary" else PLANTED.receiving_junior
    truths = (receiving, PLANTED.sending, PLANTED.disruption)
    rows = []
    for place, (row, truth) in enumerate(zip(study.table.to_dict("records"), truths, strict=True)):
        low, high = float(row["conf_low"]), float(row["conf_high"])
        contrast = {name: float(values[place]) for name, values in contrasts.items()}
        rows.append(
            {
                "refused": "",
                "flow": row["flow"],
                "truth": truth,
                "estimate": float(row["effect"]),
                **contrast,
                "covers": low <= truth <= high,
                "covers_all": low <= contrast["all"] <= high,
                "rejects": low > 0 or high < 0,
                "width": high - low,
                "effective": float(row["effective"]),
                "next_year": study.placebo_p_value < SIGNIFICANT,
            }
        )
    return rows


def judge(table: pd.DataFrame) -> dict[str, object]:
    """Return bias, coverage, rejections and refusals of one stage."""
    refused = table[table["refused"] != ""]
    known = table[table["refused"] == ""]
    found: dict[str, object] = {
        "refused": {str(code): int(n) for code, n in refused["refused"].value_counts().items()},
        "mean_unmatched": float(table["unmatched"].mean()),
    }
    for flow, own in known.groupby("flow", sort=False):
        error = own["estimate"] - own["truth"]
        against = own["estimate"] - own["all"]
        found[str(flow)] = {
            "n": len(own),
            "truth": float(own["truth"].iloc[0]),
            "mean_estimate": float(own["estimate"].mean()),
            "bias": float(error.mean()),
            "monte_carlo_error": (error_of_mean := float(error.std(ddof=1) / np.sqrt(len(own)))),
            "bias_in_errors": float(error.mean()) / error_of_mean,
            "mean_contrast_flows": float(own["flows"].mean()),
            "mean_contrast_all": float(own["all"].mean()),
            "bias_against_all_in_errors": float(against.mean() / (against.std(ddof=1) / np.sqrt(len(own)))),
            "spread_of_estimates": float(error.std(ddof=1)),
            "coverage": float(own["covers"].mean()),
            "coverage_all": float(own["covers_all"].mean()),
            "rejects_zero": float(own["rejects"].mean()),
            "next_year_rejects": float(own["next_year"].mean()),
            "mean_width": float(own["width"].mean()),
            "mean_effective": float(own["effective"].mean()),
        }
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
