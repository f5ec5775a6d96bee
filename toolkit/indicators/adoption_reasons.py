"""Why a school can be neither adopter nor comparison in a study of one programme: one reason each."""

from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County
from toolkit.indicators.exposure import Memberships
from toolkit.indicators.stable_units import StableUnits

ADOPTER, COMPARISON, UNUSABLE = "adopter", "comparison", "unusable"

Reason = Literal[
    "unit_out_of_scope",
    "unit_without_students",
    "unit_without_years",
    "unit_roster_unusable",
    "unit_parts_differ",
    "unit_divided",
    "unit_joins_after_data",
    "unit_two_roles",
    "unit_new_campus",
    "unit_treated_from_start",
    "unit_no_year_before",
    "unit_no_year_after",
    "unit_other_before",
    "unit_other_programme",
    "unit_other_stage",
]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""In the order in which they are asked; the first that applies is given."""

SCHOOL_UNKNOWN = ("membership_school_unmatched", "membership_school_unknown")


def reasons_unusable(
    units: pd.DataFrame,
    memberships: Memberships,
    found: StableUnits,
    county: County,
    programme: str,
    data_years: tuple[int, ...],
) -> NDArray[np.str_]:
    """Return why each unit cannot be used: a code of `REASONS`, "" for those that can, (n_units,).

    Parameters
    ----------
    units : pandas.DataFrame
        With joining, changes, other programmes and what happened to the schools.
    memberships : Memberships
        Whose unusable rows leave open when a school joined what.
    found : StableUnits
        Which codes are one unit.
    county : County
        Whose roster those rows stand in.
    programme : str
        The programme studied.
    data_years : tuple of int
        School years of the data.
    """
    first, last = (data_years[0], data_years[-1]) if data_years else (0, -1)
    year = units["adoption_year"].to_numpy(dtype=float)
    joined = ~np.isnan(year)
    start, end = (units[name].to_numpy(dtype=float) for name in ("first_year", "last_year"))
    unclear_here, unclear_any = _unclear(units, memberships, found, county, programme)
    began = np.fmax(units["opened_year"].to_numpy(), units["began_as_campus"].to_numpy())
    is_campus = units["form"].eq("new_campus_form").to_numpy() | (began > first)
    other, divided = units["other_year"].to_numpy(dtype=float), units["divided_year"].to_numpy(dtype=float)
    no_before = joined & ~(start < year)
    conditions: dict[Reason, NDArray[np.bool_]] = {
        "unit_out_of_scope": ~units["scope"].isin(["", "left_out_no_students"]).to_numpy(),
        "unit_without_students": units["scope"].eq("left_out_no_students").to_numpy(),
        "unit_without_years": np.isnan(start),
        "unit_roster_unusable": unclear_here | (unclear_any & ~joined),
        "unit_parts_differ": units["brought_year"].notna().to_numpy(),
        "unit_divided": (divided > first) & (divided <= last),
        "unit_joins_after_data": year > last,
        "unit_two_roles": (units["n_first_roles"] > 1).to_numpy(),
        "unit_new_campus": no_before & is_campus,
        "unit_treated_from_start": no_before & (year <= first),
        "unit_no_year_before": no_before,
        "unit_no_year_after": joined & (end < year),
        "unit_other_before": joined & (other < year),
        "unit_other_programme": ~joined & ~np.isnan(other),
        "unit_other_stage": ~joined & units["other_stage_year"].notna().to_numpy(),
    }
    return np.select([conditions[reason] for reason in REASONS], REASONS, default="")


def _unclear(
    units: pd.DataFrame, memberships: Memberships, found: StableUnits, county: County, programme: str
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whether a unit stands in an unusable row of this programme, and of any; (n_units,) each.

    A row without stage speaks of all stages of the school, one without programme of any programme.
    """
    here, anywhere = np.zeros(len(units), dtype=bool), np.zeros(len(units), dtype=bool)
    rows = memberships.unusable[~memberships.unusable["reason"].isin(SCHOOL_UNKNOWN)]
    if rows.empty:
        return here, anywhere
    table = county.tables["school_groups"].reset_index(drop=True).loc[rows["row"]]
    for school_id, stage, named in table[["school_id", "stage", "programme"]].itertuples(index=False):
        own = units["school"].eq(found.unit(str(school_id))).to_numpy()
        if not pd.isna(stage):
            own = own & units["stage"].eq(stage).to_numpy()
        anywhere |= own
        if pd.isna(named) or named == programme:
            here |= own
    return here, anywhere
