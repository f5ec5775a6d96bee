"""Blocks of one table stacked, with the address of each row kept at its side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from toolkit.data.county import Origin
from toolkit.data.problems import Severity
from toolkit.data.reading.blocks import Block
from toolkit.data.reading.log import ReadingLog
from toolkit.data.schema import TABLES, Table
from toolkit.data.schema.frames import conform


@dataclass(slots=True)
class Stack:
    """All rows of one table while they are being settled.

    Attributes
    ----------
    table : Table
        The table of the contract.
    frame : pandas.DataFrame
        Values; the index is a running number that never changes.
    origin : pandas.DataFrame
        `file`, `sheet`, `row` and `part` of each row, with the same index.
    letters : dict
        Column letters by file, sheet and column.
    undeclared : set of (str, str, str)
        File, sheet and column of money or areas without a declared unit.
    log : ReadingLog
        The account of the reading.
    addresses : list of (str, str, int, str)
        The rows of `origin` as they were stacked, for quick access by index.
    """

    table: Table
    frame: Any
    origin: Any
    letters: dict[tuple[str, str, str], str]
    undeclared: set[tuple[str, str, str]]
    log: ReadingLog
    addresses: list[tuple[str, str, int, str]]

    def place(self, index: int) -> tuple[str, str]:
        """Return file and sheet of a row."""
        return self.addresses[index][:2]

    def cell(self, index: int, column: str) -> str:
        """Return the address of a value, or of the row's first column if it has none."""
        file, sheet, row, part = self.addresses[index]
        letters = self.letters.get((file, sheet, f"{part}/{column}")) or self.letters.get(
            (file, sheet, column)
        )
        return f"{letters or 'A'}{row}"

    def tell(
        self, code: str, severity: Severity, index: int, column: str, *, school: str = "", **values: object
    ) -> None:
        """Note a problem at one value."""
        file, sheet = self.place(index)
        self.log.add(
            code,
            severity,
            file=file,
            sheet=sheet,
            cell=self.cell(index, column),
            table=self.table.name,
            column=column,
            school=school,
            **values,
        )

    def leave_out(self, flagged: Any, reason: str) -> None:
        """Take flagged rows out; an input row is left out when none of its rows remains."""
        if not flagged.any():
            return
        gone = self.origin[flagged]
        self.frame, self.origin = self.frame[~flagged], self.origin[~flagged]
        remaining = set(zip(self.origin["file"], self.origin["sheet"], self.origin["row"], strict=True))
        for file, sheet, row in zip(gone["file"], gone["sheet"], gone["row"], strict=True):
            if (file, sheet, row) not in remaining:
                self.log.leave_out((self.table.name, file, sheet), row, reason)

    def finished(self) -> tuple[pd.DataFrame, Origin]:
        """Return the table with exactly the columns of the contract, and its origin."""
        known = [name for name in self.frame.columns if name in self.table.column_names]
        return conform(self.frame[known], self.table), Origin(
            self.origin.reset_index(drop=True), dict(self.letters)
        )


def stack_blocks(table: str, blocks: Sequence[Block], log: ReadingLog) -> Stack:
    """Stack the sheets of one table in the order of the input."""
    frames, origins = [], []
    letters: dict[tuple[str, str, str], str] = {}
    undeclared: set[tuple[str, str, str]] = set()
    for block in blocks:
        _, file, sheet = block.place
        frames.append(block.frame)
        origins.append(pd.DataFrame({"file": file, "sheet": sheet, "row": block.rows, "part": block.parts}))
        letters |= {(file, sheet, name): letter for name, letter in block.letters.items()}
        undeclared |= {(file, sheet, name) for name in block.undeclared}
    origin = pd.concat(origins, ignore_index=True).astype(
        {"file": "str", "sheet": "str", "part": "str", "row": "int64"}
    )
    addresses = list(zip(*(origin[name].tolist() for name in origin.columns), strict=True))
    frame = pd.concat(frames, ignore_index=True)
    return Stack(TABLES[table], frame, origin, letters, undeclared, log, addresses)
