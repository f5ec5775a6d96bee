"""Other layouts, declared in a mapping file: which file, header, unit and word stands for what."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Computed:
    """A stock given as a ratio: stock = ratio × times ÷ per.

    Attributes
    ----------
    ratio : str
        Header of the ratio.
    times : str
        Canonical column that the ratio refers to.
    per : float
        1, or 100 for "per 100 students" and percentages.
    """

    ratio: str
    times: str
    per: float


@dataclass(frozen=True, slots=True)
class TableMapping:
    """How one table is found in another layout.

    Attributes
    ----------
    table : str
        Name of the table.
    file, sheet : str
        Where it is; empty for the only one.
    header_row : int
        Row of the header, counted from 1; 0 to look for it.
    county : str
        Header of the column with the county's code, empty when there is none.
    columns : mapping of str to str
        Header by canonical column.
    constants : mapping of str to object
        Values by canonical column that hold for all rows.
    units : mapping of str to str
        Unit by canonical column.
    computed : mapping of str to Computed
        Stocks to be computed from ratios.
    words : mapping of str to mapping
        Words of closed lists, by canonical column, with their code names.
    where : mapping of str to tuple of str
        Rows to keep: header and permitted values.
    distinct : bool
        Whether rows that repeat a key with equal values are one row.
    """

    table: str
    file: str
    sheet: str
    header_row: int
    county: str
    columns: Mapping[str, str]
    constants: Mapping[str, Any]
    units: Mapping[str, str]
    computed: Mapping[str, Computed]
    words: Mapping[str, Mapping[str, str]]
    where: Mapping[str, tuple[str, ...]]
    distinct: bool


@dataclass(frozen=True, slots=True)
class LayoutMapping:
    """A mapping file.

    Attributes
    ----------
    encoding : str
        Encoding of text tables, empty to find it out.
    county_name : str
        Header of the county's name, empty when there is none.
    tables : tuple of TableMapping
        Tables in the order of the file.
    """

    encoding: str
    county_name: str
    tables: tuple[TableMapping, ...]
