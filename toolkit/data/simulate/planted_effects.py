"""Effects of programmes and rotation on the mean score of a school."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.simulate.enrolment import BURN_IN, Enrolment
from toolkit.data.simulate.frames import columns, only, records
from toolkit.data.simulate.programmes import Programmes
from toolkit.data.simulate.register import Register
from toolkit.data.simulate.rotation import Rotations, rotation_doses
from toolkit.data.simulate.settings import SimulationSettings

STAGES = ("primary", "junior")
RAMP = (1 / 3, 2 / 3, 1.0)


def planted_effects(
    register: Register,
    enrolment: Enrolment,
    programmes: Programmes,
    rotations: Rotations,
    settings: SimulationSettings,
) -> pd.DataFrame:
    """Return the effects on the school mean by (row, stage, year)."""
    parts = []
    doses = rotation_doses(rotations, settings)
    for stage in STAGES:
        students = getattr(enrolment, stage)[:, BURN_IN:]
        row, position = np.nonzero(students)
        part = pd.DataFrame({"row": row, "stage": stage, "year": settings.first_year + position})
        member = _membership_effects(stage, register, programmes, settings)
        dip = _choice_year_dips(stage, register, programmes, settings)
        part["membership_effect"] = member[row, position]
        part["choice_year_dip"] = dip[row, position]
        dose = (
            doses.reindex(pd.MultiIndex.from_frame(columns(part, ["row", "stage", "year"])))
            .fillna(0)
            .reset_index(drop=True)
        )
        part["rotation_effect"] = _rotation_effects(stage, dose, students[row, position], settings)
        parts.append(part)
    return pd.concat(parts).set_index(["row", "stage", "year"]).sort_index()


def _rotation_effects(
    stage: str, dose: pd.DataFrame, students: NDArray[np.int64], settings: SimulationSettings
) -> NDArray[np.float64]:
    effects = settings.effects
    receiving = effects.receiving_primary if stage == "primary" else effects.receiving_junior
    total = (
        receiving * dose["backbone_inflow"]
        + effects.disruption * dose["first_year_inflow"]
        + effects.sending * dose["backbone_outflow"]
    )
    return (total * 100).to_numpy() / students


def _membership_effects(
    stage: str, register: Register, programmes: Programmes, settings: SimulationSettings
) -> NDArray[np.float64]:
    """Return the effects of groups, of 强校工程 and of members nearby, (n_schools, n_years)."""
    effects = settings.effects
    years = np.arange(settings.first_year, settings.last_year + 1)
    planted = np.zeros((len(register), settings.n_years))
    touched = np.zeros(planted.shape, dtype=bool)
    towns = register.schools["town"].to_numpy(dtype=object)
    near = np.zeros(planted.shape, dtype=bool)
    full = {"close_form": effects.close_form, "loose_form": effects.loose_form}
    for spell in records(only(programmes.memberships, programmes.memberships["stage"] == stage)):
        there = (years >= spell.start_year) & ~(years > np.nan_to_num(spell.end_year, nan=9999))
        ramp = np.array(RAMP)[np.clip(years - spell.start_year, 0, len(RAMP) - 1)]
        touched[spell.row] |= there
        if spell.programme == "strong_school_project":
            planted[spell.row] += there * ramp * effects.strong_school_project
        elif spell.programme == "group_schooling" and spell.role == "lead":
            planted[spell.row] += there * effects.lead
        elif spell.programme == "group_schooling":
            planted[spell.row] += there * ramp * full[spell.form]
            near |= (towns == towns[spell.row])[:, None] & there[None, :]
    never = ~touched.any(axis=1, keepdims=True)
    return planted + effects.spillover * (near & never)


def _choice_year_dips(
    stage: str, register: Register, programmes: Programmes, settings: SimulationSettings
) -> NDArray[np.float64]:
    dips = np.zeros((len(register), settings.n_years))
    table = programmes.memberships
    chosen = table[
        (table["stage"] == stage) & (table["role"] == "member") & (table["programme"] != "school_zone")
    ]
    size = settings.effects.choice_year_dip * settings.selection_strength
    for spell in records(chosen):
        before = spell.start_year - 1 - settings.first_year
        if before >= 0:
            dips[spell.row, before] = size
    return dips
