"""Untreated schools with an adopter near: since when, and through which group."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.indicators.adoption import CHANGES, Adoption
from toolkit.indicators.adoption_reasons import ADOPTER, COMPARISON, UNUSABLE
from toolkit.indicators.distances import great_circle_km

Floats = NDArray[np.float64]
Nearness = Literal["town", "distance"]


@dataclass(frozen=True, slots=True)
class NearAdopters:
    """The first adoption near each school by another school of its stage.

    Attributes
    ----------
    years : ndarray of float, (n_units,)
        School year of that adoption; missing where there is none.
    groups : ndarray of str, (n_units,)
        The group that was joined then; of several in that year the first by name.
    is_placed : ndarray of bool, (n_units,)
        Whether it is known where the school is.
    """

    years: Floats
    groups: NDArray[np.object_]
    is_placed: NDArray[np.bool_]


def find_near_adopters(adoption: Adoption, *, nearness: Nearness, distance_km: float) -> NearAdopters:
    """Find the first adoption near each school.

    Adopters count even where they cannot be used themselves; adoptions after the data do not.

    Parameters
    ----------
    adoption : Adoption
        Exposure of a county.
    nearness : {"town", "distance"}
        The same town, or at most `distance_km` away. Feeder schools are not named in the data.
    distance_km : float
        Limit of "distance".
    """
    if nearness not in get_args(Nearness):
        raise ValueError(f"nearness must be one of {get_args(Nearness)}, not {nearness!r}")
    units = adoption.units
    near = _near_pairs(units, nearness, distance_km)
    near &= units["stage"].to_numpy(dtype=object)[:, None] == units["stage"].to_numpy(dtype=object)
    near &= units["school"].to_numpy(dtype=object)[:, None] != units["school"].to_numpy(dtype=object)
    joined = units["adoption_year"].to_numpy(dtype=float)
    last = adoption.data_years[-1] if adoption.data_years else -np.inf
    seen = np.where(joined <= last, joined, np.inf)
    when = np.where(near, seen[None, :], np.inf)
    first = when.min(axis=1, initial=np.inf)
    labels = units["school_group"].astype(str).to_numpy(dtype=object)
    groups = [
        min(labels[row == year]) if np.isfinite(year) else "" for row, year in zip(when, first, strict=True)
    ]
    years = np.where(np.isfinite(first), first, np.nan)
    return NearAdopters(years, np.array(groups, dtype=object), _is_placed(units, nearness))


def exposure_to_neighbours(adoption: Adoption, near: NearAdopters) -> Adoption:
    """Return an adoption in which untreated schools "join" when the first school near them did.

    Schools that adopted themselves, and those of unknown place, cannot be used. Untreated schools
    belong to the group that came near them first.
    """
    units = adoption.units
    untouched = (units["status"] == COMPARISON).to_numpy()
    exposed = untouched & near.is_placed & np.isfinite(near.years)
    reason = units["reason"].to_numpy(dtype=object).copy()
    reason[(units["status"] == ADOPTER).to_numpy()] = "spillover_joined_itself"
    reason[untouched & ~near.is_placed] = "spillover_place_unknown"
    usable = untouched & near.is_placed
    status = np.where(exposed, ADOPTER, np.where(usable, COMPARISON, UNUSABLE))
    changed = units.assign(
        status=status,
        reason=np.where(usable, "", reason),
        adoption_year=np.where(exposed, near.years, np.nan),
        role=np.where(exposed, "member", ""),
        school_group=np.where(exposed, near.groups, ""),
        neighbour_year=np.nan,
    ).assign(**{name: np.nan for name in CHANGES if name in units})
    return replace(adoption, units=changed)


def town_clusters(units: pd.DataFrame) -> NDArray[np.int64]:
    """Return clusters of exposed schools by the group near them and of all others by town, (n_units,)."""
    exposed = units["adoption_year"].notna()
    group, town = "group|" + units["school_group"].astype(str), "town|" + units["town"].astype(str)
    label = units["county_id"].astype(str) + "|" + group.where(exposed, town)
    return pd.factorize(label, sort=True)[0].astype(np.int64)


def _near_pairs(units: pd.DataFrame, nearness: Nearness, distance_km: float) -> NDArray[np.bool_]:
    if nearness == "town":
        town = units["town"].to_numpy(dtype=object)
        placed = _is_placed(units, nearness)
        return (town[:, None] == town[None, :]) & placed[:, None] & placed[None, :]
    places = units[["latitude", "longitude"]].to_numpy(dtype=float)
    apart = great_circle_km(places, places)
    return np.isfinite(apart) & (apart <= distance_km)


def _is_placed(units: pd.DataFrame, nearness: Nearness) -> NDArray[np.bool_]:
    columns = ["town"] if nearness == "town" else ["latitude", "longitude"]
    return units[columns].notna().all(axis=1).to_numpy(dtype=bool)
