"""Sheets read as a mapping file declares."""

from dataclasses import replace

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process

from toolkit.data.reading.blocks import Block, Options
from toolkit.data.reading.cells import Grid, is_blank
from toolkit.data.reading.headers import Match
from toolkit.data.reading.layout import Heading, Layout
from toolkit.data.reading.log import ReadingLog
from toolkit.data.reading.mapping import LayoutMapping, TableMapping
from toolkit.data.reading.quantities import convert_numbers
from toolkit.data.reading.sheets import read_block
from toolkit.data.reading.values import convert_column
from toolkit.data.schema import TABLES, Column
from toolkit.data.text import plain_code, squash, visible

_LAST_HEADER_ROW = 25
_CODE = Column("county_id", "code")


def read_mapped(
    grids: tuple[Grid, ...], mapping: LayoutMapping, log: ReadingLog, *, year: str, county: str
) -> list[Block]:
    """Read all tables that a mapping declares."""
    blocks = []
    used = set()
    for declared in mapping.tables:
        grid = find_grid(grids, declared, log)
        if grid is None:
            continue
        used.add((grid.file, grid.sheet))
        positions = find_headers(grid, declared)
        if _tell_missing_headers(grid, declared, positions, log):
            log.leave_out_sheet(grid.file, grid.sheet, len(grid.rows), "no_header")
            continue
        blocks.append(_read(grid, declared, positions, log, year=year, county=county))
    for grid in grids:
        if (grid.file, grid.sheet) not in used:
            log.leave_out_sheet(grid.file, grid.sheet, len(grid.rows), "not_mapped")
    return blocks


def find_grid(grids: tuple[Grid, ...], declared: TableMapping, log: ReadingLog | None = None) -> Grid | None:
    """Return the sheet that a table is declared to be in."""
    for grid in grids:
        if declared.file in ("", grid.file) and declared.sheet in ("", grid.sheet):
            return grid
    if log is not None:
        names = "、".join(dict.fromkeys(f"{grid.file} {grid.sheet}".strip() for grid in grids))
        wanted = f"{declared.file} {declared.sheet}".strip()
        log.add("mapped_sheet_missing", "error", table=declared.table, wanted=wanted, names=names)
    return None


def find_headers(grid: Grid, declared: TableMapping) -> tuple[int, dict[str, int]]:
    """Return the header row, counted from 0, and the position of each declared header in it."""
    wanted = {squash(header) for header in _declared_headers(declared)}
    rows = range(min(_LAST_HEADER_ROW, len(grid.rows)))
    if declared.header_row:
        rows = range(declared.header_row - 1, min(declared.header_row, len(grid.rows)))
    best, found = 0, {}
    for row in rows:
        texts: dict[str, int] = {}
        for position, value in enumerate(grid.rows[row]):
            if not is_blank(value):
                texts.setdefault(squash(str(value)), position)
        if len(wanted & texts.keys()) > len(wanted & found.keys()):
            best, found = row, texts
    return best, found


def counties_of(grid: Grid, declared: TableMapping, county_name: str) -> pd.DataFrame:
    """Return the counties of a mapped sheet with their number of rows."""
    row, positions = find_headers(grid, declared)
    data = grid.rows[row + 1 :]
    codes = _codes([cells[positions[squash(declared.county)]] for cells in data])
    at = positions.get(squash(county_name)) if county_name else None
    names = [visible(str(cells[at])) if at is not None else "" for cells in data]
    frame = pd.DataFrame({"county_id": codes, "county_name": pd.Series(names, dtype="str")}).dropna(
        subset=["county_id"]
    )
    grouped = frame.groupby("county_id", sort=True)
    return grouped.agg(county_name=("county_name", "first"), rows=("county_name", "size")).reset_index()


def _declared_headers(declared: TableMapping) -> list[str]:
    headers = [
        *declared.columns.values(),
        *(entry.ratio for entry in declared.computed.values()),
        *declared.where,
    ]
    return [*headers, declared.county] if declared.county else headers


def _tell_missing_headers(
    grid: Grid, declared: TableMapping, positions: tuple[int, dict[str, int]], log: ReadingLog
) -> bool:
    row, known = positions
    texts = [visible(str(value)) for value in grid.rows[row] if not is_blank(value)] if grid.rows else []
    missing = [header for header in dict.fromkeys(_declared_headers(declared)) if squash(header) not in known]
    for header in missing:
        near = process.extractOne(header, texts, scorer=fuzz.ratio, score_cutoff=40)
        log.add(
            "mapped_header_missing",
            "error",
            file=grid.file,
            sheet=grid.sheet,
            table=declared.table,
            header=header,
            row=row + 1,
            nearest=near[0] if near else "、".join(texts[:8]),
        )
    return bool(missing)


def _read(
    grid: Grid,
    declared: TableMapping,
    positions: tuple[int, dict[str, int]],
    log: ReadingLog,
    *,
    year: str,
    county: str,
) -> Block:
    row, at = positions
    headings = tuple(
        Heading(at[squash(header)], (header,), Match(column=name))
        for name, header in declared.columns.items()
    )
    layout = Layout(declared.table, row, row + 1, headings, "", "", "")
    options = Options(
        words={name: dict(words) for name, words in declared.words.items()},
        constants=dict(declared.constants),
        units=dict(declared.units),
        year=year,
        left_out=_left_out(grid, declared, positions, county),
        is_mapped=True,
    )
    block = read_block(grid, layout, log, options)
    for name in declared.computed:
        _compute(block, grid, declared, name, at, log)
    return block


def _left_out(
    grid: Grid, declared: TableMapping, positions: tuple[int, dict[str, int]], county: str
) -> dict[int, str]:
    """Return why rows are not wanted: another county, or outside the declared values."""
    row, at = positions
    reasons: dict[int, str] = {}
    data = range(row + 1, len(grid.rows))
    if declared.county and county:
        codes = _codes([grid.rows[number][at[squash(declared.county)]] for number in data])
        reasons |= {
            number + 1: "other_county" for number, code in zip(data, codes, strict=True) if code != county
        }
    for header, permitted in declared.where.items():
        position = at[squash(header)]
        wanted = {plain_code(value) for value in permitted}
        for number in data:
            text = _codes([grid.rows[number][position]])[0]
            if text not in wanted:
                reasons.setdefault(number + 1, "not_wanted")
    return reasons


def _codes(values: list[object]) -> list[str]:
    return [code if isinstance(code, str) else "" for code in convert_column(values, _CODE).series]


def _compute(
    block: Block, grid: Grid, declared: TableMapping, name: str, at: dict[str, int], log: ReadingLog
) -> None:
    """Add a stock that is given as a ratio: ratio × number ÷ per."""
    computed = declared.computed[name]
    column = replace(TABLES[declared.table].column(name), kind="number")
    position = at[squash(computed.ratio)]
    converted = convert_numbers(
        [grid.rows[row - 1][position] for row in block.rows], column, declared.units.get(name, "")
    )
    heading = Heading(position, (computed.ratio,), Match(column=name))
    for issue in converted.issues:
        log.add(
            issue.code,
            "error",
            file=grid.file,
            sheet=grid.sheet,
            cell=f"{heading.letters}{block.rows[issue.position]}",
            table=declared.table,
            column=name,
            header=computed.ratio,
            column_label=f"@{name}",
            **dict(issue.values),
        )
    stock = converted.series.to_numpy() * block.frame[computed.times].to_numpy() / computed.per
    block.frame[name] = stock
    block.letters[name] = heading.letters
    log.convert(block.place, name, "ratio_times_number", int(np.count_nonzero(~np.isnan(stock))))
