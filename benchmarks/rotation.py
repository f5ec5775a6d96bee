"""How often the intervals of receiving, sending and first-year effects of rotation hold the truth.

    python benchmarks/rotation.py [counties per cell] [with projection] [with paths] [invalid] [seed]

Counties of 20, 40 or 80 schools over eight years, or four counties of 40 studied together. From the second
year on about one backbone teacher per four schools and three other teachers per four schools move a year, as
whole persons, from one school to another for one to three years: what one school sends another receives, and
schools between which somebody moved are linked. Outcomes are school levels, county-year shocks, shocks of
schools that last (AR(1), 0.6), noise that is larger in small schools, and the planted effects per full-time
equivalent and 100 students. The estimand of a county is what the estimator makes of the planted effects
without levels, shocks and noise; "planted" is the mean effect over the teacher-years of the flow. In the
first counties of each cell clean changes are projected and paths followed, too.

In three invalid cells nothing has an effect and moves answer to outcomes: volunteers were improving anyway.
"sent after a rise": a receiving school is drawn the more often, the more its observed scores have risen over
the last two years (e times as often per standard deviation). "sent where scores rise" and "volunteers from
schools that rise": a third of the schools rise by 0.03 a year for good and are drawn four times as often as
receiving, or as sending schools. A finding is false where the interval excludes zero, the test of next year's
flows does not qualify it and the interval without the schools' own trends excludes zero, too, as in the
report. Writes `rotation.json`.
"""

import json
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from toolkit.effects.flow_effects import FlowSettings, study_flows
from toolkit.effects.flow_paths import follow_flow_paths
from toolkit.effects.flow_projection import project_flows
from toolkit.effects.rotation_data import RotationSample
from toolkit.models.flow_regression import estimate_flow_regression

RESULTS = Path(__file__).with_name("rotation.json")
SEED = 20261123
N_DRAWS, N_PROJECTED, N_PATHS, N_INVALID = 2_000, 500, 200, 500
YEARS = tuple(range(2016, 2024))
SIZES = {"40": (1, 40), "20": (1, 20), "4 x 40": (4, 40), "80": (1, 80)}
VALID = ("none", "planted", "growing", "differing", "linked shocks")
INVALID = ("sent after a rise", "sent where scores rise", "volunteers from schools that rise")
RECEIVING, SENDING, FIRST_YEAR = 0.10, -0.04, -0.03
GROWING = np.array([0.05, 0.10, 0.15])
SPREAD_OF_EFFECTS = 0.10
BACKBONE_STARTS, OTHER_STARTS = 0.25, 0.75
LENGTHS, LENGTH_SHARES = (1, 2, 3), (0.35, 0.25, 0.40)
LEVEL, COUNTY_YEAR, LASTING, PERSISTENCE, NOISE, LINKED = 0.35, 0.05, 0.06, 0.6, 0.12, 0.05
RISE, RISING_SHARE, PREFERENCE = 0.03, 1 / 3, 4.0
SETTINGS = FlowSettings(n_draws=0)
PATHS = FlowSettings(n_draws=99)
SIGNIFICANT = 0.05
LEFT_OUT = ["county_id", "school", "school_id", "school_name", "stage", "reason"]

Result = dict[str, object]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn sample, the same with effects for outcomes, and the mean planted effects of the flows."""

    sample: RotationSample
    effects: RotationSample
    planted: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Moves:
    """Flows in full-time equivalents and effects on outcomes of one county, (n_schools, n_years) each."""

    flows: dict[str, np.ndarray]
    effects: np.ndarray
    shared: np.ndarray
    links: set[tuple[int, int, int]]
    received: list[float]


def main(arguments: list[str]) -> int:
    """Run all cells, print and write the figures."""
    defaults = (N_DRAWS, N_PROJECTED, N_PATHS, N_INVALID, SEED)
    n_draws, n_projected, n_paths, n_invalid, seed = (*map(int, arguments), *defaults[len(arguments) :])
    found: list[Result] = []
    warnings.simplefilter("ignore", RuntimeWarning)
    for place, size in enumerate(SIZES):
        for case in (*VALID, *INVALID):
            began = time.monotonic()
            rng = np.random.default_rng([seed, place, (*VALID, *INVALID).index(case)])
            count, projected, paths = n_draws, n_projected, n_paths
            if case in INVALID:
                count, projected, paths = n_invalid, 0, 0
            rows: list[Result] = []
            for draw in range(count):
                drawn = draw_sample(size, case, rng)
                own = joint_rows(drawn)
                own += projection_rows(drawn) if draw < projected else []
                own += path_rows(drawn) if draw < paths else []
                rows += [{"draw": draw} | row for row in own]
            cell = summaries(pd.DataFrame(rows), size, case)
            shown = pd.DataFrame(cell).drop(columns=["schools", "case", "refusals"])
            print(size, case, f"{time.monotonic() - began:.0f} s")
            print(shown.round(3).to_string(), flush=True)
            found += cell
            RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def draw_sample(size: str, case: str, rng: np.random.Generator) -> Drawn:
    """Draw one county, or several on top of each other."""
    n_counties, n_schools = SIZES[size]
    counties = [draw_county(n_schools, case, rng) for _ in range(n_counties)]
    enrolment = np.concatenate([students for students, _, _ in counties])
    outcomes = np.concatenate([untreated for _, untreated, _ in counties])
    moves = [own for _, _, own in counties]
    effects = np.concatenate([own.effects for own in moves])
    shared = np.concatenate([own.shared for own in moves])
    flows = {
        name: 100 * np.concatenate([own.flows[name] for own in moves]) / enrolment for name in SETTINGS.flows
    }
    links = [
        (one + place * n_schools, other + place * n_schools, year)
        for place, own in enumerate(moves)
        for one, other, year in sorted(own.links)
    ]
    blocks = np.repeat(np.arange(n_counties), n_schools)
    sample = make_sample(outcomes + shared + effects, enrolment, flows, links, blocks)
    received = [effect for own in moves for effect in own.received]
    # In the invalid cells and in the first one nothing has an effect.
    others = (0.0, 0.0) if case in ("none", *INVALID) else (SENDING, FIRST_YEAR)
    planted = (float(np.mean(received)) if received else 0.0, *others)
    return Drawn(sample, replace(sample, outcomes=effects), planted)


def draw_county(n_schools: int, case: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, Moves]:
    """Draw enrolment, outcomes without rotation, and moves."""
    shape = (n_schools, len(YEARS))
    start = np.exp(rng.normal(6.3, 0.45, n_schools))
    enrolment = np.round(start[:, None] * np.exp(rng.normal(0, 0.02, shape).cumsum(axis=1)))
    lasting = np.empty(shape)
    lasting[:, 0] = rng.normal(0, LASTING, n_schools)
    for year in range(1, shape[1]):
        fresh = rng.normal(0, LASTING * np.sqrt(1 - PERSISTENCE**2), n_schools)
        lasting[:, year] = PERSISTENCE * lasting[:, year - 1] + fresh
    noise = NOISE * (start.mean() / start)[:, None] ** 0.25 * rng.normal(size=shape)
    rises = rng.random(n_schools) < (RISING_SHARE if case in INVALID[1:] else 0.0)
    outcomes = rng.normal(0, LEVEL, (n_schools, 1)) + rng.normal(0, COUNTY_YEAR, shape[1])
    outcomes = outcomes + lasting + noise + RISE * rises[:, None] * np.arange(shape[1])
    pull, push = enrolment.copy(), enrolment.copy()
    if case == INVALID[0]:
        risen = outcomes[:, 2:-1] - outcomes[:, :-3]
        pull[:, 3:] *= np.exp((risen - risen.mean(axis=0)) / risen.std(axis=0))
    elif case in INVALID:
        chosen = pull if case == INVALID[1] else push
        chosen *= np.where(rises, PREFERENCE, 1.0)[:, None]
    return enrolment, outcomes, draw_moves(case, enrolment, pull, push, rng)


def draw_moves(
    case: str, enrolment: np.ndarray, pull: np.ndarray, push: np.ndarray, rng: np.random.Generator
) -> Moves:
    """Move teachers; `pull` and `push` say how often schools are drawn as receiving and sending ones."""
    shape = enrolment.shape
    has_effect = case not in ("none", *INVALID)
    own_effect = RECEIVING + SPREAD_OF_EFFECTS * rng.normal(size=shape[0]) * (case == "differing")
    flows = {name: np.zeros(shape) for name in SETTINGS.flows}
    inflow, outflow, first = flows.values()
    moves = Moves(flows, np.zeros(shape), np.zeros(shape), set(), [])
    for year, sent, taken, length, is_backbone in draw_spells(pull, push, rng):
        first[taken, year] += 1
        if has_effect:
            moves.effects[taken, year] += FIRST_YEAR * 100 / enrolment[taken, year]
        for step in range(min(length, shape[1] - year)):
            there = year + step
            moves.links.add((min(sent, taken), max(sent, taken), there))
            if case == "linked shocks":
                moves.shared[[sent, taken], there] += rng.normal(0, LINKED)
            if not is_backbone:
                continue
            inflow[taken, there] += 1
            outflow[sent, there] += 1
            effect = float(GROWING[step] if case == "growing" else own_effect[taken]) * has_effect
            moves.received.append(effect)
            moves.effects[taken, there] += effect * 100 / enrolment[taken, there]
            moves.effects[sent, there] += SENDING * has_effect * 100 / enrolment[sent, there]
    return moves


def draw_spells(
    pull: np.ndarray, push: np.ndarray, rng: np.random.Generator
) -> Iterator[tuple[int, int, int, int, bool]]:
    """Yield year (position), sending and receiving school, length and whether a backbone teacher moves."""
    n_schools, n_years = pull.shape
    for year in range(1, n_years):
        n_backbone = int(rng.poisson(BACKBONE_STARTS * n_schools))
        n_moves = n_backbone + int(rng.poisson(OTHER_STARTS * n_schools))
        sent = rng.choice(n_schools, n_moves, p=push[:, year] / push[:, year].sum())
        taken = rng.choice(n_schools, n_moves, p=pull[:, year] / pull[:, year].sum())
        lengths = rng.choice(LENGTHS, n_moves, p=LENGTH_SHARES)
        for place in np.flatnonzero(sent != taken):
            yield year, int(sent[place]), int(taken[place]), int(lengths[place]), bool(place < n_backbone)


def make_sample(
    outcomes: np.ndarray,
    enrolment: np.ndarray,
    flows: dict[str, np.ndarray],
    links: list[tuple[int, int, int]],
    blocks: np.ndarray,
) -> RotationSample:
    """Return the sample of these schools, with everything observed and matched."""
    schools = [f"S{number}" for number in range(len(blocks))]
    units = pd.DataFrame({"county_id": blocks.astype(str), "school": schools, "school_id": schools})
    return RotationSample(
        stage="primary",
        outcome="achievement",
        units=units.assign(school_name=schools, town="", location="rural"),
        years=YEARS,
        outcomes=outcomes,
        enrolment=enrolment,
        flows=flows,
        controls=np.empty((*outcomes.shape, 0)),
        control_names=(),
        weights=enrolment.mean(axis=1),
        blocks=blocks.astype(np.int64),
        links=np.array(links, dtype=np.int64).reshape(-1, 3),
        left_out=pd.DataFrame(columns=LEFT_OUT),
        unmatched_share=0.0,
    )


def joint_rows(drawn: Drawn) -> list[Result]:
    """Return one row per flow of the joint model: estimate, interval, estimand, doubt of the report."""
    found = study_flows(drawn.sample, SETTINGS)
    if found.is_refused:
        refusal = found.guard.codes[0]
        return [{"estimator": "joint", "flow": flow, "refusal": refusal} for flow in SETTINGS.flows]
    estimands = estimate_flow_regression(drawn.effects.panel_of(SETTINGS.flows)).estimates
    doubtful = bool(found.placebo_p_value < SIGNIFICANT)
    without = found.without_trends.set_index("flow")
    holds = (without["conf_low"] > 0) | (without["conf_high"] < 0)
    rows = zip(found.table.to_dict("records"), estimands, drawn.planted, strict=True)
    return [
        row_of("joint", str(given["flow"]), given, float(estimand), planted)
        | {"doubtful": doubtful, "holds": bool(holds.get(given["flow"], False))}
        for given, estimand, planted in rows
    ]


def row_of(estimator: str, flow: str, given: dict, estimand: float, planted: float) -> Result:
    """Return one estimate beside its truth."""
    return {
        "estimator": estimator,
        "flow": flow,
        "refusal": "",
        "doubtful": False,
        "holds": True,
        "estimate": float(given["effect"]),
        "std_error": float(given["std_error"]),
        "low": float(given["conf_low"]),
        "high": float(given["conf_high"]),
        "estimand": estimand,
        "planted": planted,
    }


def path_rows(drawn: Drawn) -> list[Result]:
    """Return the average total effects of having received or sent more than at first."""
    found = follow_flow_paths(drawn.sample, PATHS)
    truth = dict.fromkeys(SETTINGS.flows, 0.0)
    # Outcomes without any variation have no standard error.
    if drawn.effects.outcomes.any():
        still = follow_flow_paths(drawn.effects, PATHS).averages
        truth = dict(zip(still["flow"], still["effect"], strict=True))
    rows = [
        row_of("paths", str(given["flow"]), given, float(truth[given["flow"]]), np.nan)
        | {"doubtful": bool(given["placebo_p_value"] < SIGNIFICANT)}
        for given in found.averages.to_dict("records")
    ]
    return rows + [
        {"estimator": "paths", "flow": flow, "refusal": refusal.name}
        for flow, refusal in found.refusals.items()
    ]


def projection_rows(drawn: Drawn) -> list[Result]:
    """Return the effects of clean changes by horizon."""
    found = project_flows(drawn.sample, SETTINGS).table
    has_effects = bool(drawn.effects.outcomes.any())
    truths = project_flows(drawn.effects, SETTINGS).table["effect"] if has_effects else np.zeros(len(found))
    rows: list[Result] = []
    for given, truth in zip(found.to_dict("records"), truths, strict=True):
        name = f"projection {given['horizon']:+d}"
        if given["refusal"]:
            rows.append({"estimator": name, "flow": given["flow"], "refusal": given["refusal"]})
        else:
            rows.append(row_of(name, str(given["flow"]), given, float(truth), np.nan))
    return rows


def summaries(table: pd.DataFrame, size: str, case: str) -> list[Result]:
    """Return one row per estimator and flow."""
    cell: Result = {"schools": size, "case": case}
    rows: list[Result] = []
    for (estimator, flow), own in table.groupby(["estimator", "flow"], sort=False):
        row: Result = {**cell, "estimator": estimator, "flow": flow}
        rows.append(row | summary(own))
    joint = table[(table["estimator"] == "joint") & (table["refusal"] == "")]
    found = ((joint["low"] > 0) | (joint["high"] < 0)) & ~joint["doubtful"].astype(bool)
    found &= joint["holds"].astype(bool)
    for name, flows in (("any of two", SETTINGS.flows[:2]), ("any of three", SETTINGS.flows)):
        by_county = found[joint["flow"].isin(flows)].groupby(joint["draw"]).any()
        rows.append(cell | {"estimator": "joint", "flow": name, "finding": float(by_county.mean())})
    return rows


def summary(own: pd.DataFrame) -> Result:
    """Return bias, coverage, findings, refusals and width of one estimator and flow in one cell."""
    refused = own["refusal"] != ""
    given = own[~refused]
    codes = {str(code): int(n) for code, n in own.loc[refused, "refusal"].value_counts().items()}
    found: Result = {"draws": len(own), "refused": float(refused.mean()), "refusals": codes}
    if given.empty:
        return found
    low, high = given["low"], given["high"]
    error = given["estimate"] - given["estimand"]
    excludes = (low > 0) | (high < 0)
    spread = float(error.std(ddof=1))
    is_planted = bool(given["planted"].notna().all())
    return found | {
        "estimand": float(given["estimand"].mean()),
        "planted": float(given["planted"].mean()) if is_planted else None,
        "bias": float(error.mean()),
        "bias_in_errors": float(error.mean()) / (spread / np.sqrt(len(given))),
        "spread": spread,
        "mean_std_error": float(np.sqrt((given["std_error"] ** 2).mean())),
        "covered": float(given["estimand"].between(low, high).mean()),
        "covered_planted": float(given["planted"].between(low, high).mean()) if is_planted else None,
        "excludes_zero": float(excludes.mean()),
        "doubtful": float(given["doubtful"].astype(bool).mean()),
        "finding": float((excludes & ~given["doubtful"].astype(bool) & given["holds"].astype(bool)).mean()),
        "width": float((high - low).mean()),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
