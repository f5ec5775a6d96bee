"""The files of an input opened: which counties they name, and each county read from them."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.data.county import County, Reading
from toolkit.data.reading.blocks import Block
from toolkit.data.reading.corrections import Corrections, read_corrections
from toolkit.data.reading.layout import table_named
from toolkit.data.reading.log import ReadingLog
from toolkit.data.reading.mapped import counties_of, find_grid, find_headers, read_mapped
from toolkit.data.reading.mapping import LayoutMapping
from toolkit.data.reading.mapping_file import load_mapping
from toolkit.data.reading.recognised import read_recognised
from toolkit.data.reading.settling import identity, latest_names, settle, tell_missing_tables
from toolkit.data.reading.sources import Sources, read_sources
from toolkit.data.reading.unreadable import UnreadableFileError
from toolkit.data.schema import TABLES
from toolkit.data.text import squash
from toolkit.errors import InputError


@dataclass(slots=True)
class OpenedInput:
    """The files of an input, read once; its counties are settled one by one.

    Attributes
    ----------
    path : Path
        File or folder.
    sources : Sources
        Its grids.
    mapping : LayoutMapping or None
        How they are laid out, where a mapping says so.
    corrections : Corrections or None
        Names put right by hand.
    tables : collection of str
        Tables asked for.
    recognised : tuple or None
        Blocks that are the same for every county, and the log of reading them.
    """

    path: Path
    sources: Sources
    mapping: LayoutMapping | None
    corrections: Corrections | None
    tables: Collection[str]
    recognised: tuple[list[Block], ReadingLog] | None = None

    def read(self, county: str, year: str) -> Reading:
        """Return one county, or the only one when none is named."""
        blocks, log = self._blocks(county, year)
        if not blocks and not any(problem.table for problem in log.problems):
            sheets = "、".join(dict.fromkeys(grid.sheet or grid.file for grid in self.sources.grids))
            raise InputError("unreadable_no_tables", file=self.path.name, names=sheets[:200])
        mapped = self.mapping.tables if self.mapping else ()
        distinct = frozenset(table.table for table in mapped if table.distinct)
        of_register = "" if self.mapping else county
        frames, origins = settle(blocks, log, of_register, distinct, self.corrections)
        tell_missing_tables(frames, {block.place[0] for block in blocks}, self.path.name, log)
        county_id, name = identity(frames, self.path, county)
        return Reading(
            County(county_id, name, frames),
            log.listed_problems(latest_names(frames)),
            log.accounting(),
            log.conversion_table(),
            log.match_table(),
            origins,
        )

    def listed_counties(self, year: str) -> pd.DataFrame | None:
        """Return code, name and rows of the counties that are named; None where the mapping cannot say."""
        if self.mapping is not None:
            return _mapped_counties(self.sources, self.mapping)
        return _named_counties(self._recognised(year)[0])

    def counties(self, year: str) -> list[str]:
        """Return the codes of the counties that are named."""
        listed = self.listed_counties(year)
        return [] if listed is None else [str(code) for code in listed["county_id"]]

    def _recognised(self, year: str) -> tuple[list[Block], ReadingLog]:
        """Return the rows of the sheets that are recognised, read once."""
        if self.recognised is None:
            log = ReadingLog()
            _account_for_files(self.sources, log)
            blocks = read_recognised(self.sources.grids, log, year=year, asked=self.tables)
            self.recognised = blocks, log
        return self.recognised

    def _blocks(self, county: str, year: str) -> tuple[list[Block], ReadingLog]:
        """Return the rows of the sheets, and a log of their reading to go on with."""
        if self.mapping is not None:
            log = ReadingLog()
            _account_for_files(self.sources, log)
            _require_one_county(self.sources, self.mapping, county)
            return read_mapped(self.sources.grids, self.mapping, log, year=year, county=county), log
        blocks, log = self._recognised(year)
        return blocks, log.copied()


def open_input(path: Path, mapping: Path | None, names: Path | None, tables: Collection[str]) -> OpenedInput:
    """Open the files of an input with what says how to read them."""
    declared = load_mapping(Path(mapping)) if mapping is not None else None
    corrections = read_corrections(Path(names)) if names is not None else None
    return OpenedInput(path, _open(path, declared, tables), declared, corrections, tables)


def _named_counties(blocks: list[Block]) -> pd.DataFrame:
    """Return the counties that a register names."""
    frames = [
        block.frame.reindex(columns=["county_id", "county_name"])
        for block in blocks
        if block.place[0] == "schools"
    ]
    listed: Any = pd.concat([pd.DataFrame(columns=["county_id", "county_name"], dtype="str"), *frames])
    grouped = listed.dropna(subset=["county_id"]).groupby("county_id", sort=True)
    return grouped.agg(county_name=("county_name", "first"), rows=("county_id", "size")).reset_index()


def _open(path: Path, mapping: LayoutMapping | None, tables: Collection[str] = TABLES) -> Sources:
    def is_wanted(name: str) -> bool:
        table = "" if mapping else table_named(name)
        return not table or table in tables

    try:
        return read_sources(path, encoding=mapping.encoding if mapping else "", is_wanted=is_wanted)
    except UnreadableFileError as failure:
        raise failure.as_input_error() from failure


def _account_for_files(sources: Sources, log: ReadingLog) -> None:
    for failure in sources.failures:
        log.leave_out_sheet(failure.placeholders["file"], "", 0, "unreadable_file")
        log.problems.append(failure.as_problem())
    for name in sources.others:
        log.leave_out_sheet(name, "", 0, "other_file")


def _mapped_counties(sources: Sources, mapping: LayoutMapping) -> pd.DataFrame | None:
    for declared in mapping.tables:
        grid = find_grid(sources.grids, declared)
        if (
            grid is not None
            and declared.county
            and squash(declared.county) in find_headers(grid, declared)[1]
        ):
            return counties_of(grid, declared, mapping.county_name)
    return None


def _require_one_county(sources: Sources, mapping: LayoutMapping, county: str) -> None:
    """Refuse a file of several counties without a choice, and a choice that is not there."""
    listed = _mapped_counties(sources, mapping)
    if listed is None:
        return
    known = ", ".join(listed["county_id"].head(12))
    if county and county not in set(listed["county_id"]):
        raise InputError("county_unknown", county=county, known=known)
    if not county and len(listed) > 1:
        raise InputError("county_not_chosen", count=len(listed), known=known)
