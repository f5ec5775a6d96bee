"""Years in which a definition, a scope or a boundary changed, as the county declares them."""

from collections.abc import Iterable
from dataclasses import dataclass

from toolkit.data.county import County
from toolkit.data.schema.county import BREAK_PREFIX

# After the prefix, in place of one indicator or item: every series of the county.
EVERY_SERIES = "all"


@dataclass(frozen=True, slots=True)
class Break:
    """The first year of a new definition.

    Attributes
    ----------
    code : str
        Indicator, item or target concerned, or "all".
    year : int
        First school year of the new definition.
    text : str
        What changed, as the county says it.
    """

    code: str
    year: int
    text: str


def declared_breaks(county: County) -> tuple[Break, ...]:
    """Return the breaks that a county declares in the order of their years.

    They are the rows of `county_years` whose item is `break:` and the code of an indicator, an
    item or a target, or `break:all`; the year is the first of the new definition, and what
    changed stands in the item's name, or else in its evidence.
    """
    table = county.tables.get("county_years")
    if table is None:
        return ()
    codes = table["item"].fillna("").str.replace("：", ":").str.replace(" ", "").str.casefold()
    rows = table[codes.str.startswith(BREAK_PREFIX) & table["year"].notna()]
    found = [
        Break(
            code=str(row["item"]).replace("：", ":").partition(":")[2].strip(),
            year=int(row["year"]),
            text=_first_text(row["item_name"], row["evidence"]),
        )
        for row in rows.to_dict("records")
    ]
    return tuple(sorted(found, key=lambda entry: (entry.year, entry.code)))


def breaks_of(breaks: Iterable[Break], *codes: str) -> tuple[Break, ...]:
    """Return the breaks that touch any of some codes, those of all series included."""
    wanted = {code.casefold() for code in (*codes, EVERY_SERIES)}
    return tuple(entry for entry in breaks if entry.code.casefold() in wanted)


def break_years(breaks: Iterable[Break], *codes: str) -> tuple[int, ...]:
    """Return the years of the breaks that touch any of some codes."""
    return tuple(sorted({entry.year for entry in breaks_of(breaks, *codes)}))


def _first_text(*values: object) -> str:
    return next((value.strip() for value in values if isinstance(value, str) and value.strip()), "")
