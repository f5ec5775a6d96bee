"""The rows of a county's tables as formulas read them, each column and condition worked out once."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County
from toolkit.data.schema import TABLES, conform
from toolkit.indicators.cell_bounds import Cells, cells
from toolkit.indicators.formula_rows import COUNTY_TABLES, SCHOOL_TABLES, formula_rows
from toolkit.indicators.possible import Holding, holding
from toolkit.standards import Alternatives

ENTRY_COLUMN = {"county_years": "subject", "surveys": "respondents"}


class Source:
    """A frame with columns named `table.column`, and what was read from it so far."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        self._columns = frozenset(frame.columns)
        self._cells: dict[str, Cells] = {}
        self._holding: dict[Alternatives, Holding] = {}
        self._texts: dict[str, NDArray[np.object_]] = {}
        self._absent: dict[str, NDArray[np.bool_]] = {}

    def __contains__(self, address: str) -> bool:
        return address in self._columns

    def cells(self, address: str) -> Cells:
        """Return the numbers of a column and what its missing cells can be."""
        if address not in self._cells:
            self._cells[address] = cells(self._frame, address)
        return self._cells[address]

    def holding(self, alternatives: Alternatives) -> Holding:
        """Say where conditions hold, surely and possibly."""
        if alternatives not in self._holding:
            self._holding[alternatives] = holding(self._frame, alternatives)
        return self._holding[alternatives]

    def texts(self, address: str) -> NDArray[np.object_]:
        """Return a column as Python objects."""
        if address not in self._texts:
            self._texts[address] = self._frame[address].to_numpy(dtype=object)
        return self._texts[address]

    def absent(self, address: str) -> NDArray[np.bool_]:
        """Say which cells of a column are missing."""
        if address not in self._absent:
            self._absent[address] = self._frame[address].isna().to_numpy(dtype=bool)
        return self._absent[address]


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a source, with the keys by which they are put together and named.

    Attributes
    ----------
    source : Source
        Where the columns stand.
    at : ndarray of int, (n_rows,)
        Position of each row in the source.
    year : ndarray of int, (n_rows,)
        School year.
    school_id, school_name, name : ndarray of object, (n_rows,)
        The school, and how the row is named to the reader.
    entry : ndarray of object, (n_rows,), or None
        Subject or respondents of the county's own rows.
    """

    source: Source
    at: NDArray[np.intp]
    year: NDArray[np.int64]
    school_id: NDArray[np.object_]
    school_name: NDArray[np.object_]
    name: NDArray[np.object_]
    entry: NDArray[np.object_] | None = None

    def __len__(self) -> int:
        return len(self.at)

    def __contains__(self, address: str) -> bool:
        return address in self.source

    def take(self, chosen: NDArray[np.bool_]) -> "Rows":
        """Return the rows that are chosen."""
        if chosen.all():
            return self
        return Rows(
            source=self.source,
            at=self.at[chosen],
            year=self.year[chosen],
            school_id=self.school_id[chosen],
            school_name=self.school_name[chosen],
            name=self.name[chosen],
            entry=None if self.entry is None else self.entry[chosen],
        )

    def of_entry(self, entry: str) -> "Rows":
        """Return the rows of one subject or respondent; rows of schools are nobody's own."""
        return self if self.entry is None else self.take(self.entry == entry)

    def cells(self, address: str) -> Cells:
        """Return the numbers of a column and what its missing cells can be."""
        found = self.source.cells(address)
        return Cells(found.value[self.at], found.low[self.at], found.high[self.at])

    def holding(self, alternatives: Alternatives) -> Holding:
        """Say where conditions hold, surely and possibly."""
        found = self.source.holding(alternatives)
        return Holding(found.surely[self.at], found.possibly[self.at])

    def texts(self, address: str) -> NDArray[np.object_]:
        """Return a column as Python objects."""
        return self.source.texts(address)[self.at]

    def absent(self, address: str) -> NDArray[np.bool_]:
        """Say which cells of a column are missing."""
        return self.source.absent(address)[self.at]


class CountyRows:
    """The rows of every table that formulas add up, each table read once.

    Parameters
    ----------
    county : County
        The county; an absent table has no rows.
    schools : pandas.DataFrame
        Schools and years that count, from `counted_schools`; rows of other schools are left out.
    """

    def __init__(self, county: County, schools: pd.DataFrame) -> None:
        self.schools = schools
        self.years = sorted(int(year) for year in schools["year"].unique())
        self._county = county
        self._tables: dict[str, Rows] = {}
        self._own: dict[str, tuple[Source, pd.DataFrame]] = {}

    def rows(self, table: str, *, item_id: str = "", entries: tuple[str, ...] = ()) -> Rows:
        """Return the rows of one table.

        Parameters
        ----------
        table : str
            Table of the data contract.
        item_id : str
            Item whose rows of `county_years` are meant.
        entries : tuple of str
            Subjects or respondents that must be there: those that are not have a row of missing cells.
        """
        if table in COUNTY_TABLES:
            return self._entered(table, item_id, entries)
        table = SCHOOL_TABLES[0] if table in SCHOOL_TABLES else table
        if table not in self._tables:
            self._tables[table] = _rows(formula_rows(self._county, table, self.schools))
        return self._tables[table]

    def _entered(self, table: str, item_id: str, entries: tuple[str, ...]) -> Rows:
        """Return the county's entered rows, one per year and entry, missing ones included."""
        source, own = self._entered_table(table)
        if table == "county_years":
            own = own[(own["item"] == item_id).to_numpy(dtype=bool)]
        places: dict[tuple[int, str], int] = {}
        for year, entry, at in zip(
            own["year"].tolist(), own["entry"].tolist(), own["at"].tolist(), strict=True
        ):
            # The last row of a year and entry counts, and stands at its own place.
            places.pop((year, entry), None)
            places[year, entry] = at
        by_year: dict[int, list[str]] = {year: [] for year in self.years}
        for year, entry in places:
            by_year.setdefault(year, []).append(entry)
        wanted = [(year, name) for year in sorted(by_year) for name in entries or by_year[year] or [""]]
        prefix = item_id if table == "county_years" else ""
        names = ["/".join(part for part in (prefix, name) if part) or table for _, name in wanted]
        nothing = np.full(len(wanted), "", dtype=object)
        return Rows(
            source=source,
            at=np.array([places.get(key, -1) for key in wanted], dtype=np.intp),
            year=np.array([year for year, _ in wanted], dtype=np.int64),
            school_id=nothing,
            school_name=nothing,
            name=_objects(names),
            entry=_objects([name for _, name in wanted]),
        )

    def _entered_table(self, table: str) -> tuple[Source, pd.DataFrame]:
        """Return the columns of an entered table, with a row of missing cells at the end, and its keys."""
        if table not in self._own:
            rows = self._county.tables.get(table, conform(pd.DataFrame(), TABLES[table]))
            columns = rows.reindex(range(len(rows) + 1)).rename(columns=lambda name: f"{table}.{name}")
            keys = pd.DataFrame(
                {
                    "year": rows["year"],
                    "entry": rows[ENTRY_COLUMN[table]].astype(object).fillna(""),
                    "item": rows["item"] if table == "county_years" else "",
                    "at": np.arange(len(rows)),
                }
            )
            dated = keys[keys["year"].notna()].astype({"year": "int64"})
            self._own[table] = Source(columns), dated
        return self._own[table]


def _rows(frame: pd.DataFrame) -> Rows:
    keys = {name: frame[name].to_numpy(dtype=object) for name in ("school_id", "school_name", "row")}
    return Rows(
        source=Source(frame),
        at=np.arange(len(frame)),
        year=frame["year"].to_numpy(dtype=np.int64),
        school_id=keys["school_id"],
        school_name=keys["school_name"],
        name=keys["row"],
    )


def _objects(texts: list[str]) -> NDArray[np.object_]:
    found = np.empty(len(texts), dtype=object)
    found[:] = texts
    return found
