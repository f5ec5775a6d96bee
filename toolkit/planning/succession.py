"""Schools that were renamed, merged or split: under which codes what was known of them goes on."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import pandas as pd

FOLLOWED_KINDS = ("rename", "merge", "split")
# A school year starts, and is counted, on 1 September.
STATISTIC_MONTH_DAY = "09-01"

Change = Literal["", "rename", "merge", "split", "gone"]


@dataclass(frozen=True, slots=True)
class Successor:
    """A school that goes on, and how it came from the earlier one: "" when it is the same school."""

    school_id: str
    change: Change


def find_successors(
    school_id: str, school_links: pd.DataFrame | None, existing: Collection[str], *, year: int
) -> tuple[Successor, ...]:
    """Return the schools under which an earlier school goes on in a year.

    A school that still exists is its own successor, also after a split. Otherwise renames, merges and
    splits up to the statistic date are followed, over several steps where needed; a school
    without successor comes back as "gone".

    Parameters
    ----------
    school_id : str
        The earlier school.
    school_links : pandas.DataFrame or None
        `from_school_id`, `to_school_id`, `link_date`, `link_kind`.
    existing : collection of str
        Schools of the year.
    year : int
        School year.
    """
    if school_id in existing:
        return (Successor(school_id, ""),)
    links = _links_until(school_links, year)
    found: dict[str, Change] = {}
    seen = {school_id}
    waiting: list[tuple[str, Change]] = [(school_id, "")]
    while waiting:
        current, change = waiting.pop(0)
        for kind, following in links.get(current, ()):
            if following in seen:
                continue
            seen.add(following)
            told = change or kind
            if following in existing:
                found[following] = told
            else:
                waiting.append((following, told))
    if not found:
        return (Successor(school_id, "gone"),)
    return tuple(Successor(code, change) for code, change in found.items())


def _links_until(school_links: pd.DataFrame | None, year: int) -> dict[str, list[tuple[Change, str]]]:
    """Return the links by earlier school, in the order of their dates."""
    if school_links is None or school_links.empty:
        return {}
    known = school_links[
        school_links["link_kind"].isin(FOLLOWED_KINDS)
        & (school_links["link_date"] <= pd.Timestamp(f"{year}-{STATISTIC_MONTH_DAY}"))
    ].sort_values("link_date", kind="stable")
    links: dict[str, list[tuple[Change, str]]] = {}
    for earlier, kind, following in zip(
        known["from_school_id"], known["link_kind"], known["to_school_id"], strict=True
    ):
        links.setdefault(earlier, []).append((kind, following))
    return links
