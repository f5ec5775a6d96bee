"""Schools as units that stay the same over years: renames followed, mergers joined or kept apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

from toolkit.data.county import County
from toolkit.indicators.lineage import Lineage, trace_schools
from toolkit.indicators.school_calendar import school_year_counting_from

Mergers = Literal["joined", "separate"]


@dataclass(frozen=True, slots=True)
class StableUnits:
    """Which unit each code belongs to, and what happened to the units.

    Attributes
    ----------
    lineage : Lineage
        Renames and ends of single schools.
    into : mapping of str to str
        For a school that became part of another: that one (first codes). Empty when mergers are kept apart.
    renamed, absorbed, divided, sent_campus, began_as_campus : mapping of str to int
        By unit, the first school year after a rename, after it took in another school that is kept apart,
        after it was split or went into several (or received part of such a school), after it gave pupils to
        a new campus, and of a new campus itself.
    """

    lineage: Lineage
    into: Mapping[str, str]
    renamed: Mapping[str, int]
    absorbed: Mapping[str, int]
    divided: Mapping[str, int]
    sent_campus: Mapping[str, int]
    began_as_campus: Mapping[str, int]

    def unit(self, code: str) -> str:
        """Return the unit of a code: the first code of the school, or of the one it became part of."""
        school = self.lineage.first_code(code)
        while school in self.into:
            school = self.into[school]
        return school


def trace_units(county: County, *, mergers: Mergers = "joined") -> StableUnits:
    """Settle which codes are one unit through all years.

    Parameters
    ----------
    county : County
        Without `school_links` every code is its own unit.
    mergers : {"joined", "separate"}
        A school that went as a whole into one other is part of the receiving unit in all years, also
        before; or it is a unit of its own that ends. A school that was split, or went into several, is
        never joined.
    """
    if mergers not in get_args(Mergers):
        raise ValueError(f"mergers must be one of {get_args(Mergers)}, not {mergers!r}")
    lineage = trace_schools(county)
    links = _dated_links(county, lineage)
    followed = links["link_kind"].eq("rename") & links["from"].eq(links["to"])
    moved = links[~followed & (links["from"] != links["to"])]
    gone = moved[moved["link_kind"].isin(["merge", "rename"])]
    in_several = gone.groupby("from")["to"].nunique()
    several = gone["from"].isin(in_several.index[in_several > 1])
    whole = gone[~several]
    apart = pd.concat([gone[several], moved[moved["link_kind"] == "split"]])
    campus = moved[moved["link_kind"] == "new_campus"]
    return StableUnits(
        lineage=lineage,
        into=_without_circles(whole) if mergers == "joined" else {},
        renamed=_first_years(links[followed], "from"),
        absorbed={} if mergers == "joined" else _first_years(whole, "to"),
        divided=_earliest(_first_years(apart, "from"), _first_years(apart, "to")),
        sent_campus=_first_years(campus, "from"),
        began_as_campus=_first_years(campus, "to"),
    )


def _dated_links(county: County, lineage: Lineage) -> pd.DataFrame:
    """Return the links between first codes with the first school year they count for."""
    table = county.tables.get("school_links")
    if table is None:
        table = pd.DataFrame(columns=["from_school_id", "to_school_id", "link_date", "link_kind"])
    dated = table.dropna(subset=["from_school_id", "to_school_id", "link_date"])
    return pd.DataFrame(
        {
            "from": [lineage.first_code(str(code)) for code in dated["from_school_id"]],
            "to": [lineage.first_code(str(code)) for code in dated["to_school_id"]],
            "since": [school_year_counting_from(date) for date in dated["link_date"]],
            "link_kind": dated["link_kind"].to_numpy(dtype=object),
        }
    )


def _without_circles(merged: pd.DataFrame) -> dict[str, str]:
    """Return where each school went, without mergers that lead back to a school in the same chain."""
    into: dict[str, str] = {}
    ordered = merged.sort_values(["since", "from", "to"], kind="stable")
    for old, new in zip(ordered["from"], ordered["to"], strict=True):
        end = str(new)
        while end in into:
            end = into[end]
        if end != old:
            into[str(old)] = str(new)
    return into


def _first_years(links: pd.DataFrame, side: str) -> dict[str, int]:
    """Return the first year of the links by the school on one side."""
    return {str(school): int(year) for school, year in links.groupby(side)["since"].min().items()}


def _earliest(*years: Mapping[str, int]) -> dict[str, int]:
    """Return the earliest year by school over several events."""
    found: dict[str, int] = {}
    for own in years:
        for school, year in own.items():
            found[school] = min(year, found.get(school, year))
    return found
