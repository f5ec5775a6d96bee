"""What reading keeps account of: problems, conversions, matches, and the fate of each row."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from toolkit.data.problems import Problem, Severity

LISTED_PER_KIND = 50
"""Problems of one kind in one column that are listed one by one; the rest are counted."""

ACCOUNTING_COLUMNS = ("table", "file", "sheet", "rows_read", "rows_used", "rows_left_out", "reason")
CONVERSION_COLUMNS = ("table", "column", "file", "sheet", "conversion", "cells")
MATCH_COLUMNS = ("table", "column", "name", "school_id", "how", "cells")

Place = tuple[str, str, str]
"""Table, file and sheet."""


@dataclass(slots=True)
class ReadingLog:
    """The account that the steps of one reading write into.

    Attributes
    ----------
    problems : list of Problem
        In the order of reading, of each kind in each column the first few.
    counts : Counter
        All problems by kind: code, severity, file, sheet, table and column.
    conversions : Counter
        Cells by table, column, file, sheet and conversion.
    matches : dict
        How a name was matched: (table, column, name) to (school_id, how).
    name_cells : Counter
        Cells in which a name was looked up, by table, column and name.
    heights : dict
        Number of rows of each sheet that was read for a table.
    reasons : dict
        Why a row (counted from 1) was left out; the empty text for a row that is used.
    without_rows : dict
        Why a sheet or file without rows was left out.
    """

    problems: list[Problem] = field(default_factory=list)
    counts: Counter = field(default_factory=Counter)
    conversions: Counter = field(default_factory=Counter)
    matches: dict[tuple[str, str, str], tuple[str, str]] = field(default_factory=dict)
    name_cells: Counter = field(default_factory=Counter)
    heights: dict[Place, int] = field(default_factory=dict)
    reasons: dict[Place, dict[int, str]] = field(default_factory=dict)
    without_rows: dict[Place, str] = field(default_factory=dict)

    def copied(self) -> "ReadingLog":
        """Return a log that goes on from here, while this one stays as it is."""
        return ReadingLog(
            list(self.problems),
            self.counts.copy(),
            self.conversions.copy(),
            self.matches.copy(),
            self.name_cells.copy(),
            self.heights.copy(),
            {place: reasons.copy() for place, reasons in self.reasons.items()},
            self.without_rows.copy(),
        )

    def add(
        self,
        code: str,
        severity: Severity,
        *,
        file: str = "",
        sheet: str = "",
        cell: str = "",
        table: str = "",
        column: str = "",
        school: str = "",
        **values: object,
    ) -> None:
        """Note a problem."""
        kind = (code, severity, file, sheet, table, column)
        self.counts[kind] += 1
        if self.counts[kind] > LISTED_PER_KIND:
            return
        pairs = tuple((name, str(value)) for name, value in values.items())
        self.problems.append(Problem(code, severity, file, sheet, cell, table, column, school, pairs))

    def convert(self, place: Place, column: str, conversion: str, cells: int) -> None:
        """Note that cells of a column were converted."""
        if cells:
            self.conversions[(place[0], column, place[1], place[2], conversion)] += cells

    def open_sheet(self, place: Place, height: int) -> None:
        """Begin the account of a sheet."""
        self.heights[place] = height
        self.reasons.setdefault(place, {})

    def leave_out(self, place: Place, row: int, reason: str) -> None:
        """Note why a row, counted from 1, is left out."""
        self.reasons[place][row] = reason

    def leave_out_sheet(self, file: str, sheet: str, height: int, reason: str) -> None:
        """Note that a whole sheet is left out."""
        place = ("", file, sheet)
        self.open_sheet(place, height)
        self.without_rows[place] = reason
        self.reasons[place] = dict.fromkeys(range(1, height + 1), reason)

    def accounting(self) -> pd.DataFrame:
        """Return rows read, used and left out, by sheet and reason."""
        rows = []
        for place, height in self.heights.items():
            counts = Counter(self.reasons[place].values())
            if height == 0:
                rows.append((*place, 0, 0, 0, self.without_rows.get(place, "empty_sheet")))
            for reason, count in sorted(counts.items()):
                used = count if reason == "" else 0
                rows.append((*place, count, used, count - used, reason))
        return pd.DataFrame(rows, columns=list(ACCOUNTING_COLUMNS))

    def conversion_table(self) -> pd.DataFrame:
        """Return the converted cells by column and conversion."""
        return pd.DataFrame(
            [(*key, count) for key, count in self.conversions.items()], columns=list(CONVERSION_COLUMNS)
        )

    def match_table(self) -> pd.DataFrame:
        """Return the names that were matched to codes, and the unmatched with an empty code."""
        return pd.DataFrame(
            [(*key, *found, self.name_cells[key]) for key, found in self.matches.items()],
            columns=list(MATCH_COLUMNS),
        )

    def listed_problems(self, names: Mapping[str, str]) -> tuple[Problem, ...]:
        """Return the problems, the many of one kind in one column shortened to a first few and a count.

        Parameters
        ----------
        names : mapping of str to str
            Names of the schools by code; a problem that has the code gets the name.
        """
        first = {_kind(problem): problem for problem in reversed(self.problems)}
        more = [
            (kind, count - LISTED_PER_KIND) for kind, count in self.counts.items() if count > LISTED_PER_KIND
        ]
        named = (
            replace(problem, school=names.get(problem.school, problem.school)) for problem in self.problems
        )
        return (*named, *(_more_of(first[kind], count) for kind, count in more))


def _kind(problem: Problem) -> tuple[str, ...]:
    return (problem.code, problem.severity, problem.file, problem.sheet, problem.table, problem.column)


def _more_of(problem: Problem, count: int) -> Problem:
    values: Mapping[str, str] = {"count": str(count), "cell": problem.cell or problem.sheet or problem.file}
    return Problem(
        "more_of_the_same",
        problem.severity,
        problem.file,
        problem.sheet,
        "",
        problem.table,
        problem.column,
        "",
        tuple(values.items()),
    )
