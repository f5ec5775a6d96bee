"""Which subgroup each adopter belongs to: form, role, earlier level, distance to its lead, dose."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.effects.adoption_data import AdoptionData
from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.baseline import LEAST_YEARS_OF_LEVEL
from toolkit.effects.event_study import EventStudySettings
from toolkit.indicators.adoption import Adoption
from toolkit.indicators.distances import great_circle_km
from toolkit.indicators.school_panel import SchoolPanel

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]
By = Literal["form", "stage", "role", "prior_level", "lead_distance_km", "members_per_lead", "moved_share"]

CHOSEN_AFTER_JOINING: tuple[By, ...] = ("members_per_lead", "moved_share")
"""What groups chose once they had been formed: differences between these subgroups describe, no more."""

HALVES: dict[str, tuple[str, str]] = {
    "prior_level": ("subgroup_prior_low", "subgroup_prior_high"),
    "lead_distance_km": ("subgroup_lead_near", "subgroup_lead_far"),
    "members_per_lead": ("subgroup_dose_low", "subgroup_dose_high"),
    "moved_share": ("subgroup_dose_low", "subgroup_dose_high"),
}


@dataclass(frozen=True, slots=True)
class Subgroups:
    """Subgroups of the adopters of one sample.

    Attributes
    ----------
    by : str
        What divides them.
    names : ndarray of str, (n_units,)
        Code of the subgroup; empty for schools that never joined and adopters whose value is not known.
    values : ndarray of float, (n_units,)
        What was cut at the median of the adopters; missing elsewhere, and for names given as such.
    cut : float
        That median; schools below it are in the first half. Missing where nothing was cut.
    n_with_base_year : int
        Adopters whose earlier level holds the base year of their own comparison, for want of others.
    """

    by: str
    names: Texts
    values: Floats
    cut: float
    n_with_base_year: int


def label_subgroups(
    data: AdoptionData, sample: AdoptionSample, *, by: By, settings: EventStudySettings
) -> Subgroups:
    """Divide the adopters of a sample.

    Parameters
    ----------
    data : AdoptionData
        Exposure and outcomes of the counties of the sample.
    sample : AdoptionSample
        Schools of one stage.
    by : {"form", "stage", "role", "prior_level", "lead_distance_km", "members_per_lead", "moved_share"}
        Form, role and stage at first joining; level of achievement over the baseline years; distance to
        the nearest lead of the group at joining; members per lead, or share of teachers moved inside the
        group, as the mean over the years from joining to the last one studied.
    settings : EventStudySettings
        Which year is the base, and the last year since joining.

    Notes
    -----
    A school whose scores were low by chance in the year that all others are compared with would seem
    to gain afterwards. The level therefore leaves out the school's own base year where two other
    baseline years are known; one year alone is never a level.

    Raises
    ------
    ValueError
        If the sample has schools that the data do not know.
    """
    if by not in get_args(By):
        raise ValueError(f"by must be one of {get_args(By)}, not {by!r}")
    adopts = np.isfinite(sample.cohorts)
    if by in ("form", "role", "stage"):
        given = sample.units[by].to_numpy(dtype=object)
        names = [
            "" if pd.isna(name) or not own else str(name) for name, own in zip(given, adopts, strict=True)
        ]
        return Subgroups(by, np.array(names, dtype=object), np.full(len(names), np.nan), np.nan, 0)
    values, held = np.full(len(adopts), np.nan), np.zeros(len(adopts), dtype=bool)
    for adoption, panel in data.counties:
        own = np.flatnonzero((sample.units["county_id"] == adoption.county_id).to_numpy() & adopts)
        units = sample.units.iloc[own].reset_index(drop=True)
        if by == "prior_level":
            values[own], held[own] = _prior_level(panel, sample, units, settings)
        elif by == "lead_distance_km":
            values[own] = _lead_distance(adoption, units)
        else:
            values[own] = _dose(adoption, units, by, settings.last)
    known = np.isfinite(values)
    cut = float(np.median(values[known])) if known.any() else np.nan
    low, high = HALVES[by]
    names = np.where(known, np.where(values < cut, low, high), "").astype(object)
    return Subgroups(by, names, values, cut, int((held & known).sum()))


def _prior_level(
    panel: SchoolPanel, sample: AdoptionSample, units: pd.DataFrame, settings: EventStudySettings
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the mean achievement over baseline years, and whether it holds the school's base year."""
    years = np.array(panel.years, dtype=float)
    joined = units["adoption_year"].to_numpy(dtype=float)[:, None]
    values = panel.measures["achievement"][positions_in(panel.units, units)]
    # Pooled counties have their baselines in different years: none may lie in a school's own selection.
    early = np.isin(years, sample.baseline_years) & (years < joined - sample.rules.selection_years)
    known = np.isfinite(values) & early
    other = known & (years != joined - 1 - settings.anticipation)
    enough = other.sum(axis=1) >= LEAST_YEARS_OF_LEVEL
    used = np.where(enough[:, None], other, known)
    counts = used.sum(axis=1)
    means = np.where(used, values, 0.0).sum(axis=1) / np.maximum(counts, 1)
    held = (used & ~other).any(axis=1)
    return np.where(counts >= LEAST_YEARS_OF_LEVEL, means, np.nan), held


def _lead_distance(adoption: Adoption, units: pd.DataFrame) -> Floats:
    """Return km to the nearest lead of the school's group in the year it joined; missing for leads."""
    places = adoption.units.set_index(["school", "stage"])[["latitude", "longitude"]]
    spells = adoption.spells[adoption.spells["role"] == "lead"]
    found = np.full(len(units), np.nan)
    columns = ["school", "stage", "school_group", "adoption_year", "role", "latitude", "longitude"]
    for position, unit in enumerate(units[columns].itertuples(index=False)):
        school, stage, group, year, role, latitude, longitude = unit
        if role != "member":
            continue
        there = spells["school_group"].eq(group) & spells["stage"].eq(stage) & spells["start_year"].le(year)
        there &= ~spells["end_year"].lt(year) & spells["school"].ne(school)
        leads = places.reindex(pd.MultiIndex.from_frame(spells.loc[there, ["school", "stage"]]))
        apart = great_circle_km(np.array([[latitude, longitude]], dtype=float), leads.to_numpy(dtype=float))
        if np.isfinite(apart).any():
            found[position] = np.nanmin(apart)
    return found


def _dose(adoption: Adoption, units: pd.DataFrame, name: str, last: int) -> Floats:
    """Return the mean dose of the group of first joining over the years 0 to `last` since joining."""
    if adoption.doses.empty:
        return np.full(len(units), np.nan)
    doses = adoption.doses.set_index(["school_group", "stage", "year"])[name]
    columns = []
    for since in range(last + 1):
        years = units["adoption_year"].astype(int) + since
        keys = pd.MultiIndex.from_arrays([units["school_group"], units["stage"], years])
        columns.append(doses.reindex(keys).to_numpy(dtype=float))
    values = np.column_stack(columns)
    known = np.isfinite(values)
    counts = known.sum(axis=1)
    return np.where(counts > 0, np.where(known, values, 0.0).sum(axis=1) / np.maximum(counts, 1), np.nan)


def positions_in(whole: pd.DataFrame, part: pd.DataFrame) -> NDArray[np.intp]:
    """Return where the schools and stages of one table stand in another.

    Raises
    ------
    ValueError
        If one is not there.
    """
    key = ["school", "stage"]
    found = pd.MultiIndex.from_frame(whole[key]).get_indexer(pd.MultiIndex.from_frame(part[key]))
    if (found < 0).any():
        raise ValueError(f"{int((found < 0).sum())} schools of the sample are not among those given")
    return found
