"""Sheets read by what their names and headers say."""

from collections.abc import Collection
from dataclasses import replace

from toolkit.data.reading.blocks import Block, Options
from toolkit.data.reading.cells import Grid
from toolkit.data.reading.layout import Layout, find_layout, is_instruction_sheet, relate_layout, table_named
from toolkit.data.reading.log import ReadingLog
from toolkit.data.reading.sheets import read_block
from toolkit.data.schema import TABLES

_SCHOOL_KEYS = frozenset(("school_id", "school_name", "year", "stage"))


def read_recognised(
    grids: tuple[Grid, ...], log: ReadingLog, *, year: str, asked: Collection[str] = TABLES
) -> list[Block]:
    """Read the sheets that hold a table asked for; the others are accounted for."""
    layouts = [
        (grid, layout) for grid in grids if (layout := _layout_or_account(grid, log, asked)) is not None
    ]
    tables = {layout.table for _, layout in layouts}
    blocks = []
    for grid, layout in layouts:
        facets = _facets(grid, layout, tables)
        used = frozenset(heading.position for facet in facets for heading in facet.headings)
        blocks.append(read_block(grid, layout, log, Options(year=year, used_elsewhere=used)))
        blocks.extend(read_block(grid, facet, log, Options(year=year, is_mapped=True)) for facet in facets)
    return blocks


def _layout_or_account(grid: Grid, log: ReadingLog, asked: Collection[str]) -> Layout | None:
    """Return how a sheet is to be read, or note why it is left out."""
    address = {"file": grid.file, "sheet": grid.sheet}
    name = grid.sheet or grid.file
    if not grid.rows:
        named = table_named(name)
        log.leave_out_sheet(grid.file, grid.sheet, 0, "empty_sheet")
        if named:
            log.add("table_empty", "notice", **address, table=named)
        return None
    named = table_named(name)
    if named and named not in asked:
        log.leave_out_sheet(grid.file, grid.sheet, len(grid.rows), "not_asked")
        return None
    layout = find_layout(grid)
    if layout is None:
        _account_for_unknown(grid, name, log)
        return None
    if grid.hidden:
        log.leave_out_sheet(grid.file, grid.sheet, len(grid.rows), "hidden_sheet")
        log.add("sheet_hidden", "warning", **address, table=layout.table, title=name)
        return None
    if layout.table not in asked:
        log.leave_out_sheet(grid.file, grid.sheet, len(grid.rows), "not_asked")
        return None
    if layout.table != table_named(name):
        log.add(
            "sheet_by_headers",
            "notice",
            **address,
            table=layout.table,
            title=name,
            found=f"@table_{layout.table}",
        )
    return layout


def _account_for_unknown(grid: Grid, name: str, log: ReadingLog) -> None:
    named = table_named(name)
    reason = (
        "hidden_sheet"
        if grid.hidden
        else "instruction_sheet"
        if is_instruction_sheet(name)
        else "unknown_sheet"
    )
    if named and reason == "unknown_sheet":
        reason = "no_header"
        first = next(
            (column for column in TABLES[named].columns if column.required and not column.names_school_in),
            TABLES[named].columns[0],
        )
        log.add(
            "header_missing",
            "error",
            file=grid.file,
            sheet=grid.sheet,
            table=named,
            title=name,
            found=f"@table_{named}",
            example=f"@{first.name}",
        )
    elif reason == "unknown_sheet":
        log.add("sheet_unknown", "warning", file=grid.file, sheet=grid.sheet, title=name)
    log.leave_out_sheet(grid.file, grid.sheet, len(grid.rows), reason)


def _facets(grid: Grid, layout: Layout, tables: set[str]) -> list[Layout]:
    """Return the further tables that a sheet holds: class-size bands, the register, the yearly data."""
    facets = []
    if layout.table == "school_years":
        bands = relate_layout(grid, layout, "classes")
        parts = [heading for heading in bands.headings if heading.match.part]
        if "classes" not in tables and len(parts) >= 3:
            keys = [heading for heading in bands.headings if heading.match.column in _SCHOOL_KEYS]
            facets.append(replace(bands, headings=(*keys, *parts)))
        if "schools" not in tables:
            facets.extend(_facet(grid, layout, "schools", {"school_type"}))
    if layout.table == "schools" and "school_years" not in tables:
        facets.extend(_facet(grid, layout, "school_years", set()))
    return facets


def _facet(grid: Grid, layout: Layout, table: str, needed: set[str]) -> list[Layout]:
    """Return the layout of another table in the same sheet if its own columns are there."""
    other = relate_layout(grid, layout, table)
    own = {heading.match.column for heading in layout.headings}
    kept = tuple(
        heading
        for heading in other.headings
        if heading.match.stem
        or (
            heading.match.column and (heading.match.column not in own or heading.match.column in _SCHOOL_KEYS)
        )
    )
    columns = {heading.match.column or heading.match.stem for heading in kept}
    return (
        [replace(other, headings=kept)]
        if needed <= columns and len(columns - _SCHOOL_KEYS) >= (1 if needed else 2)
        else []
    )
