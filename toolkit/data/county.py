"""A county's tables after loading, and everything that was noticed on the way."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from toolkit.data.problems import Problem


@dataclass(frozen=True, slots=True)
class County:
    """The tables of one county with canonical names, types and units.

    Attributes
    ----------
    county_id : str
        Administrative code, or a code made from the file name.
    name : str
        Name of the county as people write it.
    tables : mapping of str to pandas.DataFrame
        Tables that are present; each has all columns of its schema.
    """

    county_id: str
    name: str
    tables: Mapping[str, pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the rows and columns of one loaded table stood in the input.

    Attributes
    ----------
    rows : pandas.DataFrame, (n_rows, 3 or 4)
        `file`, `sheet` and `row` (1-based, as a spreadsheet counts) of each loaded row. Where one
        row of the input gave several, `part` says which (a subject, a class-size band).
    letters : mapping of (str, str, str) to str
        Column letters in the input by file, sheet and canonical column name; for the values of a
        part by file, sheet and `part/column`.
    """

    rows: pd.DataFrame
    letters: Mapping[tuple[str, str, str], str]

    def cell(self, index: int, column: str) -> tuple[str, str, str]:
        """Return file, sheet and address of one value; the address is empty for absent columns."""
        file, sheet = str(self.rows["file"].at[index]), str(self.rows["sheet"].at[index])
        part = self.rows["part"].at[index] if "part" in self.rows.columns else ""
        letter = self.letters.get((file, sheet, column), "")
        if part:
            letter = self.letters.get((file, sheet, f"{part}/{column}"), letter)
        return file, sheet, f"{letter}{self.rows['row'].at[index]}" if letter else ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A county as it was read, with the full account of the reading.

    Attributes
    ----------
    county : County
        The loaded tables.
    problems : tuple of Problem
        Everything noticed, in the order of the input.
    accounting : pandas.DataFrame
        One row per sheet and reason: `table`, `file`, `sheet`, `rows_read`, `rows_used`,
        `rows_left_out`, `reason`. The reason (a term `row_<reason>` of the vocabulary) is empty for the
        rows used; over a sheet, `rows_read` adds up to all its rows.
    conversions : pandas.DataFrame
        One row per converted column: `table`, `column`, `file`, `sheet`, `conversion`, `cells`.
    matches : pandas.DataFrame
        One row per school name matched to a code: `table`, `column`, `name`, `school_id`,
        `how`, `cells` (in which the name stands).
    origins : mapping of str to Origin
        Addresses of the loaded rows by table.
    """

    county: County
    problems: tuple[Problem, ...]
    accounting: pd.DataFrame
    conversions: pd.DataFrame
    matches: pd.DataFrame
    origins: Mapping[str, Origin]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that stop a run."""
        return tuple(problem for problem in self.problems if problem.severity == "error")
