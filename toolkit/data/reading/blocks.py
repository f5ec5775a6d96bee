"""The rows of one sheet for one table, and what a mapping says about them."""

from dataclasses import dataclass, field

import pandas as pd

from toolkit.data.reading.log import Place

STEM_MARK = "?"
"""Ends the name of a column whose stage is still to be found: `enrolment?`."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a mapping declares about a sheet, besides its headers.

    Attributes
    ----------
    words : dict
        Words of closed lists by column.
    constants : dict
        Values of columns that the sheet does not have.
    units : dict
        Units by column; they come before those of the header.
    year : str
        School year to use where the sheet tells none.
    left_out : dict
        Reasons of rows, counted from 1, that are not wanted.
    used_elsewhere : set of int
        Positions of columns that another table takes from the same sheet.
    is_mapped : bool
        Whether unknown headers are none of our business.
    """

    words: dict[str, dict[str, str]] = field(default_factory=dict)
    constants: dict[str, object] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    year: str = ""
    left_out: dict[int, str] = field(default_factory=dict)
    used_elsewhere: frozenset[int] = frozenset()
    is_mapped: bool = False


@dataclass(slots=True)
class Block:
    """The rows of one sheet for one table.

    Attributes
    ----------
    place : Place
        Table, file and sheet.
    frame : pandas.DataFrame
        Canonical values; columns ending in `?` still lack their stage.
    rows : list of int
        Row of the input, counted from 1, of each row of the frame.
    parts : list of str
        Which part of the input row each row is, where it gave several.
    letters : dict
        Column letters by canonical column, or by `part/column`.
    undeclared : set of str
        Columns of money or area whose unit is said nowhere.
    """

    place: Place
    frame: pd.DataFrame
    rows: list[int]
    parts: list[str]
    letters: dict[str, str]
    undeclared: set[str]
