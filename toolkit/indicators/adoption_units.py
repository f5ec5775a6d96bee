"""The schools and stages that a programme could have reached."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from toolkit.data.county import County
from toolkit.data.schema import COMPULSORY_STAGES
from toolkit.data.schema.schools import STAGES_OF_TYPE
from toolkit.indicators.roster import school_rows
from toolkit.indicators.scope import left_out_reason
from toolkit.indicators.stable_units import StableUnits
from toolkit.indicators.stages import stages_taught, with_untaught_stages_empty
from toolkit.indicators.unstaged import with_stage_teachers
from toolkit.standards import Standard

EARTH_RADIUS_KM = 6371.0
IDENTITY_COLUMNS = ["school", "first_code", "school_id", "school_name", "year", "scope"]
FIXED_COLUMNS = ["school_type", "ownership", "town", "location", "longitude", "latitude"]


def unit_rows(
    county: County, standard: Standard, found: StableUnits, columns: Sequence[str] = ()
) -> pd.DataFrame:
    """Return one row per code, stage and year that could count, with identity and the columns asked for.

    `school` is the unit, `is_own` says that the row is the unit's and not a school's that it took in,
    `enrolment` is that of the stage, `scope` why the standard leaves the row out ("" where it counts).
    """
    rows, _ = with_stage_teachers(school_rows(county), "undecided")
    taught = stages_taught(rows)
    rows = with_untaught_stages_empty(rows, taught)
    rows = rows.assign(
        scope=left_out_reason(rows, standard.scope),
        school=pd.Series([found.unit(str(code)) for code in rows["school_id"]], dtype="object"),
        first_code=[found.lineage.first_code(str(code)) for code in rows["school_id"]],
    )
    parts = []
    kept = [*IDENTITY_COLUMNS, *FIXED_COLUMNS, *columns]
    for position, stage in enumerate(COMPULSORY_STAGES):
        own = rows[taught[:, position]]
        parts.append(own[kept].assign(stage=stage, enrolment=own[f"enrolment_{stage}"]))
    long = pd.concat(parts, ignore_index=True)
    long["is_own"] = long["school"] == long["first_code"]
    nobody = (long["enrolment"] == 0).to_numpy(dtype=bool) & (long["scope"] == "").to_numpy(dtype=bool)
    long["scope"] = long["scope"].mask(nobody, "left_out_no_students")
    return long.sort_values(["school", "stage", "year", "is_own"], kind="stable").reset_index(drop=True)


def list_units(county: County, standard: Standard, found: StableUnits) -> pd.DataFrame:
    """List every school and stage with its identity, its years in scope, and what happened to it.

    Parameters
    ----------
    county : County
        Schools of the register without yearly figures are listed, too.
    standard : Standard
        Whose scope says which school-years count.
    found : StableUnits
        Which codes are one unit.
    """
    long = unit_rows(county, standard, found)
    own = long[long["is_own"]]
    by, counted = own.groupby(["school", "stage"]), own[own["scope"] == ""].groupby(["school", "stage"])
    units = by[["school_id", "school_name", "scope"]].last()
    units = units.join(by[FIXED_COLUMNS].first())
    units = units.join(counted["year"].agg(first_year="min", last_year="max").astype(float))
    units = units.reset_index()
    units["scope"] = units["scope"].where(units["first_year"].isna(), "")
    listed = pd.concat([units, _without_years(county, found, units)], ignore_index=True)
    places = listed["stage"].map({stage: place for place, stage in enumerate(COMPULSORY_STAGES)})
    listed = listed.assign(place=places).sort_values(["place", "school"], kind="stable")
    listed = listed.drop(columns="place").reset_index(drop=True)
    listed["county_id"] = county.county_id
    register = county.tables["schools"].dropna(subset=["school_id", "opened"])
    opened = {
        found.lineage.first_code(str(code)): float(year)
        for code, year in zip(register["school_id"], register["opened"], strict=True)
    }
    events = {
        "opened_year": opened,
        "renamed_year": found.renamed,
        "absorbed_year": found.absorbed,
        "divided_year": found.divided,
        "campus_year": found.sent_campus,
        "began_as_campus": found.began_as_campus,
    }
    for name, years in events.items():
        listed[name] = listed["school"].map(years).astype(float)
    ended = {found.lineage.first_code(code): year for code, year in found.lineage.ended.items()}
    listed["ended_year"] = listed["school"].map(ended).astype(float)
    return listed


def whole_sums(rows: pd.DataFrame, by: list[str], columns: list[str]) -> pd.DataFrame:
    """Return sums by key, missing where a part is missing: one row per key with the key as columns."""
    keyed = rows.groupby(by)
    sums = keyed[columns].sum()
    complete = keyed[columns].count().eq(keyed.size(), axis=0)
    return sums.where(complete).reset_index()


def mark_neighbours(units: pd.DataFrame) -> pd.DataFrame:
    """Add the first adoption by another school of the town and stage, and how far the nearest adopter is.

    Adopters count even when they cannot be used themselves. Distances are great circles in km.
    """
    joined = units["adoption_year"].notna().to_numpy()
    first, distance = np.full(len(units), np.nan), np.full(len(units), np.nan)
    places = np.radians(units[["latitude", "longitude"]].to_numpy(dtype=float))
    for stage in COMPULSORY_STAGES:
        here = np.flatnonzero((units["stage"] == stage).to_numpy())
        adopters = here[joined[here]]
        if not len(adopters):
            continue
        towns = units["town"].to_numpy(dtype=object)
        years = units["adoption_year"].to_numpy(dtype=float)
        for row in here:
            others = adopters[adopters != row]
            near = others[[towns[other] == towns[row] for other in others]] if len(others) else others
            if len(near):
                first[row] = years[near].min()
            apart = _distances(places[row], places[others])
            if np.isfinite(apart).any():
                distance[row] = np.nanmin(apart)
    return units.assign(neighbour_year=first, nearest_adopter_km=distance)


def _distances(place: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return great-circle distances in km by the haversine formula, (n,)."""
    half = np.sin((others - place) / 2) ** 2
    chord = half[:, 0] + np.cos(place[0]) * np.cos(others[:, 0]) * half[:, 1]
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(chord, 0, 1)))


def _without_years(county: County, found: StableUnits, units: pd.DataFrame) -> pd.DataFrame:
    """Return the schools of the register that have no yearly figures in a stage of their type."""
    known = set(zip(units["school"], units["stage"], strict=True))
    rows = []
    for entry in county.tables["schools"].dropna(subset=["school_id"]).to_dict("records"):
        first = found.lineage.first_code(str(entry["school_id"]))
        if found.unit(first) != first:
            continue
        for stage in STAGES_OF_TYPE.get(str(entry["school_type"]), ()):
            if stage in COMPULSORY_STAGES and (first, stage) not in known:
                known.add((first, stage))
                same = {name: entry[name] for name in ["school_id", "school_name", *FIXED_COLUMNS]}
                rows.append(same | {"school": first, "stage": stage, "scope": ""})
    return pd.DataFrame(rows, columns=units.columns)
