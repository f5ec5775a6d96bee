"""Small samples for the study of rotation, made by hand."""

import numpy as np
import pandas as pd

from toolkit.effects.rotation_data import RotationSample

YEARS = tuple(range(2016, 2024))


def make_rotation_sample(
    rng,
    *,
    n_schools=40,
    effects=(0.10, -0.04, -0.03),
    noise=0.1,
    move=0.25,
    n_counties=1,
    linked_shock=0.0,
    flows=None,
):
    """Return schools between which backbone teachers move; `move` is the chance of a change in a year.

    Teachers come in whole persons to schools of 300 to 900 students; the outcome adds the three effects per
    full-time equivalent and 100 students to school levels, county-year shocks and noise.
    """
    shape = (n_schools, len(YEARS))
    students = rng.integers(300, 900, n_schools)[:, None] * np.ones(len(YEARS))
    teachers = {}
    for name in ("backbone_inflow", "backbone_outflow"):
        changes = rng.random(shape) < move
        drawn = rng.integers(0, 4, shape).astype(float)
        held = np.zeros(shape)
        for year in range(1, len(YEARS)):
            held[:, year] = np.where(changes[:, year], drawn[:, year], held[:, year - 1])
        teachers[name] = held
    teachers["first_year_inflow"] = rng.poisson(1.0, shape).astype(float)
    rates = {name: 100 * held / students for name, held in teachers.items()}
    if flows is not None:
        rates = flows(rates)
    blocks = np.arange(n_schools) % n_counties
    drawn_links = [(*sorted(rng.choice(n_schools, 2, replace=False).tolist()), year)
                   for year in range(1, len(YEARS)) for _ in range(n_schools // 2)]  # fmt: skip
    links = sorted(set(drawn_links))
    outcomes = rng.normal(size=(n_schools, 1)) + rng.normal(size=(n_counties, len(YEARS)))[blocks]
    outcomes = outcomes + noise * rng.normal(size=shape)
    for effect, rate in zip(effects, rates.values(), strict=False):
        outcomes = outcomes + effect * rate
    for one, other, year in links:
        shock = linked_shock * rng.normal()
        outcomes[[one, other], year] += shock
    units = pd.DataFrame(
        {"county_id": blocks.astype(str), "school": [f"S{number}" for number in range(n_schools)]}
    )
    units = units.assign(
        school_id=units["school"], school_name=units["school"], town="甲镇", location="rural"
    )
    return RotationSample(
        stage="primary",
        outcome="achievement",
        units=units,
        years=YEARS,
        outcomes=outcomes,
        enrolment=students,
        flows=rates,
        controls=np.empty((*shape, 0)),
        control_names=(),
        weights=students.mean(axis=1),
        blocks=blocks,
        links=np.array(links, dtype=np.int64).reshape(-1, 3),
        left_out=pd.DataFrame(columns=["county_id", "school", "school_id", "school_name", "stage", "reason"]),
        unmatched_share=0.01,
    )
