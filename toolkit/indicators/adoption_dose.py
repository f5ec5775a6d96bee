"""How much of a programme a group got: its size, members per lead, teachers moved inside it."""

import numpy as np
import pandas as pd

from toolkit.data.county import County
from toolkit.indicators.adoption_units import whole_sums
from toolkit.indicators.exposure import compute_rotation_spells
from toolkit.indicators.stable_units import StableUnits

DOSE_KEY = ["school_group", "stage", "year"]
DOSE_COLUMNS = [
    *DOSE_KEY,
    "leads",
    "members",
    "n_schools",
    "members_per_lead",
    "teachers",
    "moved",
    "moved_share",
    "source",
]


def compute_doses(county: County, years: pd.DataFrame, found: StableUnits) -> pd.DataFrame:
    """Compute the dose of each group, stage and year.

    Teachers moved inside the group are those on a rotation in the year between two schools that are
    both in the group in that year; without a table of rotations, those whose roster says another
    school of the group than the year before. The share is of all teachers of the stage in the group.

    Parameters
    ----------
    county : County
        Without `rotations` and `teachers` the moved teachers are missing, not zero; so they are in a year
        in which no rotation runs in the whole county, and in the first year of the roster.
    years : pandas.DataFrame
        Membership by unit and year.
    found : StableUnits
        Which codes are one unit.

    Notes
    -----
    Rotations whose schools matched no code are not counted: the share is then a lower bound.
    """
    inside = years[years["is_member"].astype(bool)]
    if inside.empty:
        return pd.DataFrame(columns=DOSE_COLUMNS)
    leads = inside.assign(leads=inside["role"].eq("lead")).groupby(DOSE_KEY)
    doses = leads.agg(leads=("leads", "sum"), n_schools=("school", "nunique")).reset_index()
    doses["members"] = doses["n_schools"] - doses["leads"]
    doses["members_per_lead"] = doses["members"] / doses["leads"].where(doses["leads"] > 0)
    moves, source = _moves(county, found)
    pair = ["school", "stage", "year"]
    place = inside.set_index(pair)["school_group"]
    doses = doses.merge(_teachers(county, found, place), on=DOSE_KEY, how="left")
    if not source:
        return doses.assign(moved=np.nan, moved_share=np.nan, source="")[DOSE_COLUMNS]
    sent, taken = (
        place.reindex(pd.MultiIndex.from_frame(moves[[side, "stage", "year"]])).to_numpy(dtype=object)
        for side in ("sending", "receiving")
    )
    within = [not pd.isna(one) and one == other for one, other in zip(sent, taken, strict=True)]
    counted = moves.assign(school_group=sent)[within].groupby(DOSE_KEY)["teacher_id"].nunique()
    keys = pd.MultiIndex.from_frame(doses[DOSE_KEY])
    known = doses["year"].isin(moves["year"].unique()).to_numpy()
    doses["moved"] = np.where(known, counted.reindex(keys).fillna(0).to_numpy(dtype=float), np.nan)
    doses["moved_share"] = doses["moved"] / doses["teachers"].where(doses["teachers"] > 0)
    return doses.assign(source=source)[DOSE_COLUMNS]


def _teachers(county: County, found: StableUnits, place: pd.Series) -> pd.DataFrame:
    """Return teachers of the stage by group and year; missing when a school does not report them."""
    table = county.tables["school_years"].dropna(subset=["school_id", "year"])
    units = [found.lineage.first_code(str(code)) for code in table["school_id"]]
    parts = [
        pd.DataFrame(
            {
                "school": units,
                "stage": stage,
                "year": table["year"].astype(int).to_numpy(),
                "teachers": table[f"teachers_{stage}"].to_numpy(dtype=float),
            }
        )
        for stage in ("primary", "junior")
    ]
    reported = pd.concat(parts).drop_duplicates(["school", "stage", "year"])
    counts = reported.set_index(["school", "stage", "year"])["teachers"].reindex(place.index)
    joined = pd.DataFrame({"school_group": place, "teachers": counts}).reset_index()
    joined["year"] = joined["year"].astype(int)
    return whole_sums(joined, DOSE_KEY, ["teachers"])


def _moves(county: County, found: StableUnits) -> tuple[pd.DataFrame, str]:
    """Return who was moved from where to where in which year, and the table that says so."""
    if len(county.tables.get("rotations", ())):
        return _rotations(county, found), "rotations"
    if len(county.tables.get("teachers", ())):
        return _changes_of_school(county, found), "teachers"
    return pd.DataFrame(columns=["teacher_id", "stage", "year", "sending", "receiving"]), ""


def _rotations(county: County, found: StableUnits) -> pd.DataFrame:
    """Return one row per rotation and year in which it runs."""
    spells = compute_rotation_spells(county)
    years = sorted({int(year) for year in county.tables["school_years"]["year"].dropna()})
    parts = [spells.running_in(year).assign(year=year) for year in years]
    running = pd.concat(parts, ignore_index=True)
    # A spell without stage may be in either: it is counted in the stage in which both schools are a group.
    staged = [
        running[running["stage"].eq(stage) | running["stage"].isna()].assign(stage=stage)
        for stage in ("primary", "junior")
    ]
    table = pd.concat(staged, ignore_index=True)
    return table.assign(
        sending=_units_of(table["sending_school_id"], found),
        receiving=_units_of(table["receiving_school_id"], found),
    )[["teacher_id", "stage", "year", "sending", "receiving"]]


def _changes_of_school(county: County, found: StableUnits) -> pd.DataFrame:
    """Return the teachers of each year with a row of the year before, and both schools."""
    table = county.tables["teachers"].dropna(subset=["teacher_id", "year", "school_id"])
    table = table.drop_duplicates(["teacher_id", "year"])
    now = pd.DataFrame(
        {
            "teacher_id": table["teacher_id"].to_numpy(dtype=object),
            "stage": table["stage"].to_numpy(dtype=object),
            "year": table["year"].astype(int).to_numpy(),
            "receiving": _units_of(table["school_id"], found).to_numpy(),
        }
    )
    before = now.assign(year=now["year"] + 1).rename(columns={"receiving": "sending"})
    joined = now.merge(before.drop(columns="stage"), on=["teacher_id", "year"])
    same = joined["sending"] == joined["receiving"]
    # Teachers who stay tell that the year is known; they are nowhere counted as moved.
    return joined.assign(sending=joined["sending"].mask(same))


def _units_of(codes: pd.Series, found: StableUnits) -> pd.Series:
    """Return the units of codes; missing where there is none."""
    units = [None if pd.isna(code) else found.lineage.first_code(str(code)) for code in codes]
    return pd.Series(units, index=codes.index, dtype="object")
