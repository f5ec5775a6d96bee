"""When each school joined a programme: first joining, what followed, and which schools cannot be used."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County
from toolkit.data.schema import COMPULSORY_STAGES
from toolkit.data.schema.programmes import PROGRAMMES
from toolkit.indicators.adoption_dose import compute_doses
from toolkit.indicators.adoption_overlap import compute_touches, first_touches
from toolkit.indicators.adoption_reasons import ADOPTER, COMPARISON, UNUSABLE, reasons_unusable
from toolkit.indicators.adoption_spells import MEMBERSHIP_COLUMNS, describe_joining, programme_spells
from toolkit.indicators.adoption_units import list_units, mark_neighbours
from toolkit.indicators.exposure import Memberships, compute_memberships
from toolkit.indicators.stable_units import Mergers, StableUnits, trace_units
from toolkit.standards import Standard

CHANGES = (
    "left_year",
    "rejoined_year",
    "group_change_year",
    "role_change_year",
    "form_change_year",
    "other_year",
    "other_stage_year",
    "renamed_year",
    "absorbed_year",
    "campus_year",
    "ended_year",
)
"""Columns of `Adoption.units` with the first school year of what may call for a sensitivity sample."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """Exposure of the schools of a county to one programme. A unit is one stage of one school.

    Attributes
    ----------
    county_id, programme : str
        County and code of the programme.
    data_years : tuple of int
        School years of the county's yearly figures.
    units : pandas.DataFrame
        One row per school and stage it teaches, or should by its type: `school` (the unit's lasting code),
        `school_id` and `school_name` (the last ones), `stage`, `school_type`, `ownership`, `town`, `location`
        (of the first year), `longitude`, `latitude`, `first_year` and `last_year` with figures in scope;
        `status` ("adopter", "comparison", "unusable") and `reason` (why unusable, a vocabulary code, or "");
        `adoption_year` (first joining, missing = never), `announced_year` (school year in which it was
        announced), `role`, `form`, `school_group` of the first joining; the years named in `CHANGES`;
        `other_programmes`; `neighbour_year` (first adoption by another school of the same town and stage)
        and `nearest_adopter_km`. All years are missing where the event did not happen.
    spells : pandas.DataFrame
        Membership spells of the programme: `school`, `stage`, `school_group`, `role`, `form`, `start_year`,
        `end_year`, `announced_year`, `table` and its `row`.
    years : pandas.DataFrame
        One row per unit with a first joining and year of data: `event_time` (0 = first year of
        membership; counted on after leaving), `is_member`, `school_group`, `role`, `form`.
    doses : pandas.DataFrame
        One row per group, stage and year: `leads`, `members`, `n_schools`, `members_per_lead`, `teachers`,
        `moved` (teachers moved between its schools), `moved_share`, `source` ("rotations", "teachers" or "").
    unused_rows : pandas.DataFrame
        `row`, `name`, `reason` of the rows of the roster that no unit could take.
    mergers : {"joined", "separate"}
        How merged schools are units.
    """

    county_id: str
    programme: str
    data_years: tuple[int, ...]
    units: pd.DataFrame
    spells: pd.DataFrame
    years: pd.DataFrame
    doses: pd.DataFrame
    unused_rows: pd.DataFrame
    mergers: Mergers

    def tidy(self) -> pd.DataFrame:
        """Return one row per school and stage."""
        return self.units

    def event_times(self) -> NDArray[np.float64]:
        """Return years since first joining, (n_units, n_years); missing for units that never joined."""
        return np.array(self.data_years, dtype=float) - self.units["adoption_year"].to_numpy()[:, None]

    def unusable(self) -> pd.DataFrame:
        """Return the schools that cannot be used, with the reason."""
        columns = ["school_id", "school_name", "stage", "adoption_year", "role", "reason"]
        return self.units.loc[self.units["status"] == UNUSABLE, columns].reset_index(drop=True)

    def accounting(self) -> pd.DataFrame:
        """Return how many schools each stage has by status, role and reason; they add up to all."""
        key = ["stage", "status", "role", "reason"]
        table = self.units.assign(role=self.units["role"].where(self.units["status"] == ADOPTER, ""))
        counts = table.groupby(key, sort=False).size().rename("n_schools").reset_index()
        order = {status: place for place, status in enumerate((ADOPTER, COMPARISON, UNUSABLE))}
        counts["place"] = counts["status"].map(order)
        counts["stage_place"] = counts["stage"].map(list(COMPULSORY_STAGES).index)
        counts = counts.sort_values(["stage_place", "place", "role", "reason"], kind="stable")
        return counts[[*key, "n_schools"]].reset_index(drop=True)

    @property
    def anticipation(self) -> int:
        """Most school years between announcement and first joining among the adopters; 0 if not known."""
        own = self.units[self.units["status"] == ADOPTER]
        ahead = (own["adoption_year"] - own["announced_year"]).max()
        return 0 if np.isnan(ahead) else max(int(ahead), 0)


def compute_adoption(
    county: County,
    standard: Standard,
    *,
    programme: str,
    mergers: Mergers = "joined",
    project_kinds: tuple[str, ...] = (),
) -> Adoption:
    """Compute who joined a programme when, by intention to treat: what counts is the first joining.

    A school that was in any other programme (groups, zones, projects of the roster, pairings on either
    side, building projects of `project_kinds`) is no comparison, nor is one whose other stage was.

    Parameters
    ----------
    county : County
        Without `school_groups` no school has adopted anything.
    standard : Standard
        Whose scope says which schools count.
    programme : str
        Code of the programme in `school_groups` or `support`. In pairings whoever supports is a lead.
    mergers : {"joined", "separate"}
        Whether a school that went as a whole into another is part of that unit in all years.
    project_kinds : tuple of str
        Kinds of building projects that touch a school, too; by default none, since nearly every school
        has had one.

    Raises
    ------
    ValueError
        If the contract of the data knows no such programme.
    """
    if programme not in PROGRAMMES:
        raise ValueError(f"programme must be one of {PROGRAMMES}, not {programme!r}")
    memberships = compute_memberships(county)
    found = trace_units(county, mergers=mergers)
    spells = programme_spells(county, memberships, found, programme)
    return _adoption(county, standard, memberships, found, spells, programme, mergers, project_kinds)


def compute_county_adoption(
    county: County,
    standard: Standard,
    *,
    programme: str,
    adoption_year: int | None,
    mergers: Mergers = "joined",
) -> Adoption:
    """Compute the exposure to a reform that a county brought in for all its schools at once.

    Parameters
    ----------
    county : County
        With `schools` and `school_years`.
    standard : Standard
        Whose scope says which schools count.
    programme : str
        Name of the reform, a vocabulary code; no programme of the roster counts against a school here.
    adoption_year : int or None
        First school year of the reform; None for a county without it.
    mergers : {"joined", "separate"}
        Whether a school that went as a whole into another is part of that unit in all years.
    """
    memberships = compute_memberships(county)
    nobody = Memberships(memberships.spells.head(0), memberships.years.head(0), memberships.unusable.head(0))
    found = trace_units(county, mergers=mergers)
    units = list_units(county, standard, found)
    spells = pd.DataFrame(columns=MEMBERSHIP_COLUMNS)
    if adoption_year is not None:
        spells = units[["school", "stage"]].assign(
            table="county",
            row=range(len(units)),
            school_group=county.county_id,
            role="member",
            form="",
            start_year=float(adoption_year),
            end_year=np.nan,
            announced_year=np.nan,
        )[MEMBERSHIP_COLUMNS]
    bare = County(
        county.county_id,
        county.name,
        {name: table for name, table in county.tables.items() if name != "support"},
    )
    return _adoption(bare, standard, nobody, found, spells, programme, mergers, ())


def _adoption(
    county: County,
    standard: Standard,
    memberships: Memberships,
    found: StableUnits,
    spells: pd.DataFrame,
    programme: str,
    mergers: Mergers,
    project_kinds: tuple[str, ...],
) -> Adoption:
    """Put units, spells, other programmes, reasons and doses together."""
    units = list_units(county, standard, found)
    data_years = tuple(sorted({int(year) for year in county.tables["school_years"]["year"].dropna()}))
    present = pd.MultiIndex.from_frame(units[["school", "stage"]])
    there = pd.MultiIndex.from_frame(spells[["school", "stage"]]).isin(present)
    # A pairing is of all stages of a school, taught or not: only rows of the roster can miss their stage.
    astray = spells[~there & spells["table"].eq("school_groups").to_numpy()]
    stray = pd.DataFrame(
        {
            "row": astray["row"],
            "name": astray["school"],
            "reason": "membership_stage_not_taught",
        }
    )
    spells = spells[there].reset_index(drop=True)
    units, years = describe_joining(units, spells, data_years)
    touches = compute_touches(county, memberships, found, project_kinds)
    units = first_touches(units, touches, programme, data_years[-1] if data_years else 0)
    units["reason"] = reasons_unusable(units, memberships, found, county, programme, data_years)
    usable = np.where(units["adoption_year"].isna(), COMPARISON, ADOPTER)
    units["status"] = np.where(units["reason"] == "", usable, UNUSABLE)
    unused = memberships.unusable
    if len(unused):
        of_programme = county.tables["school_groups"]["programme"].to_numpy(dtype=object)
        unused = unused[[of_programme[row] == programme for row in unused["row"]]]
    return Adoption(
        county_id=county.county_id,
        programme=programme,
        data_years=data_years,
        units=mark_neighbours(units),
        spells=spells,
        years=years,
        doses=compute_doses(county, years, found),
        unused_rows=pd.concat([unused, stray], ignore_index=True),
        mergers=mergers,
    )
