"""One school through its changes of code (学校沿革)."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from toolkit.data.county import County
from toolkit.indicators.school_calendar import school_year_counting_from


@dataclass(frozen=True, slots=True)
class Lineage:
    """Which code a school had in which year, and when schools ended.

    Only a rename carries a school on: one that is merged or split ends, and a new campus begins.

    Attributes
    ----------
    successor : mapping of str to (str, int)
        For a code given up in a rename: the next code and the first school year under it.
    predecessor : mapping of str to str
        The code before.
    ended : mapping of str to int
        First school year without the school: merged away or closed by the register.
    """

    successor: Mapping[str, tuple[str, int]]
    predecessor: Mapping[str, str]
    ended: Mapping[str, int]

    def first_code(self, school_id: str) -> str:
        """Return the earliest code of a school: the same for all its codes."""
        while school_id in self.predecessor:
            school_id = self.predecessor[school_id]
        return school_id

    def code_in(self, school_id: str, year: int) -> str:
        """Return the code of a school in a school year."""
        code = self.first_code(school_id)
        while code in self.successor and self.successor[code][1] <= year:
            code = self.successor[code][0]
        return code

    def exists(self, school_id: str, year: int) -> bool:
        """Say whether a school has not ended before a school year."""
        return year < self.ended.get(self.code_in(school_id, year), year + 1)


def trace_schools(county: County) -> Lineage:
    """Follow the schools of a county through renames, mergers and closures.

    A rename is followed where it is the only one from its old and to its new code; several schools
    that take one new code are a merger, whatever it is called.
    """
    links = county.tables.get("school_links")
    renamed: dict[str, tuple[str, int]] = {}
    ended: dict[str, int] = {}
    if links is not None and len(links):
        dated = links.dropna(subset=["from_school_id", "to_school_id", "link_date"])
        dated = dated[dated["from_school_id"] != dated["to_school_id"]]
        since = [school_year_counting_from(date) for date in dated["link_date"]]
        dated = dated.assign(since=since).sort_values(
            ["since", "from_school_id", "to_school_id"], kind="stable"
        )
        renames = dated[dated["link_kind"] == "rename"]
        alone = ~renames.duplicated("from_school_id", keep=False) & ~renames.duplicated(
            "to_school_id", keep=False
        )
        renamed = _without_circles(renames[alone])
        merged = dated[dated["link_kind"] == "merge"]
        ended = {
            str(code): int(year) for code, year in merged.groupby("from_school_id")["since"].min().items()
        }
    closed = county.tables["schools"].dropna(subset=["school_id", "closed"])
    for code, year in closed.groupby("school_id")["closed"].max().items():
        if str(code) not in renamed:
            ended[str(code)] = min(int(year), ended.get(str(code), int(year)))
    return Lineage(renamed, {new: old for old, (new, _) in renamed.items()}, ended)


def _without_circles(renames: pd.DataFrame) -> dict[str, tuple[str, int]]:
    """Return the renames by old code, without those that lead back to a code in the same chain."""
    found: dict[str, tuple[str, int]] = {}
    for old, new, since in zip(
        renames["from_school_id"], renames["to_school_id"], renames["since"], strict=True
    ):
        code, seen = str(new), {str(old)}
        while code in found and code not in seen:
            seen.add(code)
            code = found[code][0]
        if code not in seen:
            found[str(old)] = (str(new), int(since))
    return found
