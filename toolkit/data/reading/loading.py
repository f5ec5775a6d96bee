"""A county read from a workbook, a folder, or another layout with its mapping."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.data.county import County, Origin, Reading
from toolkit.data.reading.blocks import Block
from toolkit.data.reading.corrections import Corrections, read_corrections
from toolkit.data.reading.keys import (
    doubt_lonely_years,
    leave_out_repeated_rows,
    leave_out_rows_without_key,
    refuse_double_keys,
)
from toolkit.data.reading.layout import table_named
from toolkit.data.reading.log import ReadingLog
from toolkit.data.reading.mapped import counties_of, find_grid, find_headers, read_mapped
from toolkit.data.reading.mapping import LayoutMapping
from toolkit.data.reading.mapping_file import load_mapping
from toolkit.data.reading.plausibility import doubt_units
from toolkit.data.reading.recognised import read_recognised
from toolkit.data.reading.references import Register, settle_references
from toolkit.data.reading.sources import Sources, read_sources
from toolkit.data.reading.stacking import Stack, stack_blocks
from toolkit.data.reading.stages import settle_stages
from toolkit.data.reading.unreadable import UnreadableFileError
from toolkit.data.schema import TABLES
from toolkit.data.text import plain_code, squash
from toolkit.errors import InputError


def load_county(
    path: Path,
    *,
    mapping: Path | None = None,
    names: Path | None = None,
    year: int | None = None,
    county: str | None = None,
    tables: Collection[str] = TABLES,
) -> Reading:
    """Load the tables of one county, with everything that was noticed on the way.

    Parameters
    ----------
    path : pathlib.Path
        A workbook, a CSV or Parquet file, a folder of them, or a workbook beside a folder of its name.
    mapping : pathlib.Path, optional
        Mapping file for another layout.
    names : pathlib.Path, optional
        List of school names put right by hand, as `write_names` writes it.
    year : int, optional
        School year of the sheets that tell none.
    county : str, optional
        Code of the county to take from an input that holds several.
    tables : collection of str
        Tables to read, all by default; the register and its links, which others refer to, should be
        among them. Not for inputs with a mapping, which says itself what is read.

    Returns
    -------
    Reading
        Tables, problems, row accounting, conversions, name matches and addresses.

    Raises
    ------
    InputError
        If nothing at all can be read, the mapping is not valid, or the county is not among several.
    """
    declared = load_mapping(Path(mapping)) if mapping is not None else None
    corrections = read_corrections(Path(names)) if names is not None else None
    sources = _open(Path(path), declared, tables)
    log = ReadingLog()
    _account_for_files(sources, log)
    wanted = plain_code(county) if county else ""
    year_text = "" if year is None else str(year)
    if declared is None:
        blocks = read_recognised(sources.grids, log, year=year_text, asked=tables)
    else:
        _require_one_county(sources, declared, wanted)
        blocks = read_mapped(sources.grids, declared, log, year=year_text, county=wanted)
    if not blocks and not any(problem.table for problem in log.problems):
        sheets = "、".join(dict.fromkeys(grid.sheet or grid.file for grid in sources.grids))
        raise InputError("unreadable_no_tables", file=Path(path).name, names=sheets[:200])
    distinct = (
        frozenset(table.table for table in declared.tables if table.distinct) if declared else frozenset()
    )
    frames, origins = _settle(blocks, log, wanted if declared is None else "", distinct, corrections)
    _tell_missing_tables(frames, {block.place[0] for block in blocks}, Path(path).name, log)
    county_id, name = _identity(frames, Path(path), wanted)
    return Reading(
        County(county_id, name, frames),
        log.listed_problems(_latest_names(frames)),
        log.accounting(),
        log.conversion_table(),
        log.match_table(),
        origins,
    )


def list_counties(path: Path, mapping: Path | None = None) -> pd.DataFrame:
    """List the counties that an input holds.

    Returns
    -------
    pandas.DataFrame
        `county_id`, `county_name` and `rows`, ordered by code.

    Raises
    ------
    InputError
        If the input cannot be read, or nothing in it names counties.
    """
    declared = load_mapping(Path(mapping)) if mapping is not None else None
    sources = _open(Path(path), declared)
    if declared is not None:
        listed = _mapped_counties(sources, declared)
        if listed is None:
            raise InputError("mapping_without_county", file=Path(mapping or path).name)
        return listed
    blocks = [
        block
        for block in read_recognised(sources.grids, ReadingLog(), year="")
        if block.place[0] == "schools"
    ]
    frames = [block.frame.reindex(columns=["county_id", "county_name"]) for block in blocks]
    listed: Any = pd.concat(frames).dropna(subset=["county_id"]) if frames else ()
    if not len(listed):
        raise InputError("input_without_county", file=Path(path).name)
    grouped = listed.groupby("county_id", sort=True)
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


def _settle(
    blocks: list[Block],
    log: ReadingLog,
    county: str,
    distinct: frozenset[str],
    corrections: Corrections | None = None,
) -> tuple[dict[str, pd.DataFrame], dict[str, Origin]]:
    """Stack the blocks of each table and settle references, stages and keys, the register first."""
    tables: dict[str, pd.DataFrame] = {}
    origins: dict[str, Origin] = {}
    register: Register | None = None
    for name in TABLES:
        own = [block for block in blocks if block.place[0] == name]
        if not own:
            continue
        for block in own:
            _tell_missing_columns(block, log)
        stack = stack_blocks(name, own, log)
        sheets = {block.place[1:] for block in blocks if block.place[0] == "school_years"}
        derived = name == "schools" and any(block.place[1:] in sheets for block in own)
        if name in distinct or derived:
            leave_out_repeated_rows(stack)
        leave_out_rows_without_key(stack, schools=False)
        if name == "schools":
            _keep_county(stack, county)
        elif register is not None:
            if county and "school_id" in stack.frame:
                known = stack.frame["school_id"]
                stack.leave_out(known.notna() & ~known.isin(register.labels.keys()), "other_county")
            settle_references(stack, register)
        settle_stages(stack, register)
        leave_out_rows_without_key(stack, schools=True)
        refuse_double_keys(stack)
        doubt_lonely_years(stack)
        if name == "school_years":
            doubt_units(stack)
        if len(stack.frame):
            tables[name], origins[name] = stack.finished()
        if name == "schools" and "schools" in tables:
            links = [block.frame for block in blocks if block.place[0] == "school_links"]
            if len(tables["schools"].dropna(subset=["school_id"])):
                register = Register(tables["schools"], _links(links), corrections)
    if corrections and register is not None:
        corrections.tell(log, register.written_codes, {block.place[0] for block in blocks})
    return tables, origins


def _links(frames: list[pd.DataFrame]) -> pd.DataFrame | None:
    columns = ["from_school_name", "to_school_id", "link_kind"]
    return pd.concat(frames).reindex(columns=columns).astype("str") if frames else None


def _keep_county(stack: Stack, county: str) -> None:
    """Keep the schools of one county of several; without a choice, several are an error."""
    if "county_id" not in stack.frame:
        return
    codes = stack.frame["county_id"].dropna().unique()
    if county and len(codes):
        if county not in codes:
            raise InputError("county_unknown", county=county, known=", ".join(sorted(codes)[:20]))
        stack.leave_out(stack.frame["county_id"] != county, "other_county")
    elif len(codes) > 1:
        index = stack.frame.index[stack.frame["county_id"].eq(codes[1])][0]
        stack.tell(
            "several_counties",
            "error",
            index,
            "county_id",
            codes=", ".join(sorted(codes)[:10]),
            count=len(codes),
        )


def _tell_missing_columns(block: Block, log: ReadingLog) -> None:
    """Tell required columns that a sheet has in no form."""
    table, file, sheet = block.place
    for column in TABLES[table].columns:
        stands_in = column.names_school_in and column.names_school_in in block.frame and table != "schools"
        later = column.name == "stage" and "school_id" in TABLES[table].column_names
        if column.required and column.name not in block.frame and not stands_in and not later:
            log.add(
                "year_column_missing" if column.name == "year" else "column_missing",
                "error",
                file=file,
                sheet=sheet,
                table=table,
                column=column.name,
                column_label=f"@{column.name}",
            )


def _tell_missing_tables(tables: Mapping[str, Any], found: set[str], file: str, log: ReadingLog) -> None:
    for name, table in TABLES.items():
        if table.required and name not in tables:
            code = "table_without_rows" if name in found else "table_missing"
            log.add(code, "error", file=file, table=name, missing=f"@table_{name}")


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


def _latest_names(tables: Mapping[str, Any]) -> dict[str, str]:
    """Return the name of each code in the register, for messages."""
    if "schools" not in tables:
        return {}
    named = tables["schools"].dropna(subset=["school_id", "school_name"])
    return dict(zip(named["school_id"], named["school_name"], strict=True))


def _identity(tables: dict[str, pd.DataFrame], path: Path, county: str) -> tuple[str, str]:
    """Return code and name of the county, from the register or the name of the file."""
    stem = re.sub(r"\.\w{1,7}$", "", path.name)
    schools = tables.get("schools")
    codes = schools["county_id"].dropna().unique() if schools is not None else []
    names = schools["county_name"].dropna().unique() if schools is not None else []
    code = (
        str(codes[0])
        if len(codes)
        else county or re.sub(r"[^A-Za-z0-9]+", "-", stem).strip("-").lower() or "county"
    )
    return code, str(names[0]) if len(names) else code if county else stem
