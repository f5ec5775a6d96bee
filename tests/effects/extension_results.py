"""A small study with planted differences, neighbours and intake, for the tests of what stands beside it."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from tests.effects.samples import YEARS, make_study, make_units, never
from toolkit.effects.adoption_data import AdoptionData
from toolkit.effects.adoption_study import estimate_adoption_study
from toolkit.effects.group_extensions import (
    compare_neighbours,
    compare_robustness,
    decompose_study,
    estimate_divisions,
    estimate_intakes,
    estimate_spillovers,
)
from toolkit.effects.group_schooling import GroupDesign
from toolkit.effects.joint_effects import ESTIMATE_COLUMNS
from toolkit.effects.legacy import CELL_COLUMNS, ESTIMATES, TABLE_COLUMNS, LegacyEffect
from toolkit.indicators.adoption_units import mark_neighbours

DESIGN = GroupDesign(covariates=(), n_draws=99)
N_GROUPS, N_FAR = 12, 16
SPELLS = ["school", "stage", "school_group", "role", "start_year", "end_year"]
SPILLOVER, GROWTH = 0.2, 0.1


def data_of(*, close=0.5, loose=0.1, trend=0.0):
    """Return groups of two in towns of their own with one neighbour each, and schools in towns far off.

    Close groups gain `close`, loose ones `loose`, neighbours SPILLOVER; entrants grow by GROWTH in
    logarithms, and by `trend` a year all along in schools that joined.
    """
    rng = np.random.default_rng(3)
    dates, towns, forms, groups = [], [], [], []
    for group in range(N_GROUPS):
        dates += [(2020, 2022)[group // 2 % 2]] * 2 + never(1)
        towns += [f"镇{group}"] * 3
        forms += [("close_form", "loose_form")[group % 2]] * 2 + [""]
        groups += [f"集团{group}"] * 2 + [""]
    dates += never(N_FAR)
    towns += [f"远{number}" for number in range(N_FAR)]
    units = make_units(
        dates, groups=groups + [""] * N_FAR, town=towns, form=forms + [""] * N_FAR,
        longitude=np.nan, latitude=np.nan,
    )  # fmt: skip
    units = mark_neighbours(units.assign(first_code=units["school"]))
    first = units["adoption_year"].fillna(units["neighbour_year"]).fillna(np.inf).to_numpy()
    after = np.array(YEARS) >= first[:, None]
    joined = units["adoption_year"].notna().to_numpy()
    size = np.where(joined, np.where(units["form"] == "close_form", close, loose), SPILLOVER)
    scores = rng.normal(size=(len(units), 1)) + 0.03 * rng.normal(size=after.shape) + size[:, None] * after
    grown = GROWTH * (after & joined[:, None]) + trend * joined[:, None] * np.arange(len(YEARS))
    entrants = 50 * np.exp(0.01 * rng.normal(size=after.shape) + grown)
    enrolment = 100 * np.exp(0.02 * rng.normal(size=after.shape))
    unknown = np.full(after.shape, np.nan)
    adoption, panel = make_study(
        units, achievement=scores, new_entrants=entrants, enrolment=enrolment, prior_score=unknown,
        migrant_share=unknown, left_behind_share=unknown,
    )  # fmt: skip
    return AdoptionData(((replace(adoption, spells=pd.DataFrame(columns=SPELLS)), panel),))


def study_of(data, role="member", stage="primary"):
    """Return the study of one role and stage."""
    sample = data.sample(stage=stage, outcome="achievement", rules=DESIGN.rules(role))
    return estimate_adoption_study(sample, DESIGN.settings)


def legacy(study, *, refusals=()):
    """Return effects on pupils who were there before, written by hand."""
    numbers = dict.fromkeys(ESTIMATE_COLUMNS, 0.04) | {"conf_low": -0.1, "conf_high": 0.2}
    rows = [
        {"event_time": time, "estimate": name, "n_cells": 4} | numbers | {"effect": effect}
        for time in (0.0, np.nan)
        for name, effect in zip(ESTIMATES, (0.3, 0.25, 0.05), strict=True)
    ]
    cells = pd.DataFrame([(5, 0.0, 2, 8, 0.31, True, True)], columns=CELL_COLUMNS)
    table = pd.DataFrame([] if refusals else rows, columns=TABLE_COLUMNS)
    blank = pd.DataFrame(columns=TABLE_COLUMNS)
    return LegacyEffect(study.sample, "pupils", {5: 1.0}, cells, table, refusals, blank, ())


@cache
def results():
    """Return all results of the study, and a refused study without any."""
    data = data_of()
    study, refused = study_of(data), study_of(data, role="lead")
    return {
        "study": study,
        "refused": refused,
        "divisions": estimate_divisions(data, study, DESIGN),
        "spillovers": estimate_spillovers(data, [study], DESIGN),
        "neighbours": compare_neighbours([study, refused]),
        "legacies": (legacy(study), None),
        "intakes": estimate_intakes(data, DESIGN),
        "robustness": compare_robustness(study),
        "two_way": decompose_study(study),
    }
