"""Counties read from a pool: Parquet files of many counties, one a table, each county with its account."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from toolkit.data.county import County, Origin, Reading
from toolkit.data.problems import Problem
from toolkit.data.reading.log import ACCOUNTING_COLUMNS, CONVERSION_COLUMNS, MATCH_COLUMNS
from toolkit.data.schema import DTYPES, TABLES, Table, conform
from toolkit.errors import InputError

POOL_NAME = "pool.json"
POOL_VERSION = 1
READING_FOLDER = "reading"
COUNTY = "county_id"
ADDRESS = {"file": "source_file", "sheet": "source_sheet", "row": "source_row", "part": "source_part"}
PROBLEM_COLUMNS = ("code", "severity", "file", "sheet", "cell", "table", "column", "school", "values")
LETTER_COLUMNS = ("table", "file", "sheet", "column", "letters")
ACCOUNTS: Mapping[str, Sequence[str]] = {
    "problems": PROBLEM_COLUMNS,
    "accounting": ACCOUNTING_COLUMNS,
    "conversions": CONVERSION_COLUMNS,
    "matches": MATCH_COLUMNS,
    "letters": LETTER_COLUMNS,
}
"""What is kept of the reading of each county, beside its tables."""

_ARROW_TYPES = {
    "str": pa.string(),
    "float64": pa.float64(),
    "boolean": pa.bool_(),
    "Int64": pa.int64(),
    "datetime64[ns]": pa.timestamp("ns"),
}
_PANDAS_TYPES = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
_COUNTS = ("rows_read", "rows_used", "rows_left_out", "cells")
_KNOWN_NAMED = 12


@dataclass(frozen=True, slots=True)
class Pool:
    """A folder with the tables of many counties.

    Attributes
    ----------
    folder : Path
        The folder.
    manifest : mapping
        What `pool.json` says.
    """

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def counties(self) -> dict[str, str]:
        """Names of the counties by code, in the order of the files."""
        return {entry["county_id"]: entry["county_name"] for entry in self.manifest["counties"]}


def is_pool(path: Path) -> bool:
    """Say whether a path is a folder that `junheng pool` wrote."""
    return (path / POOL_NAME).is_file()


def pool_files(pool: Pool) -> list[Path]:
    """Return the files that a county is read from; the tables of the province beside them are not."""
    return [pool.folder / POOL_NAME, *(pool.folder / name for name in sorted(pool.manifest["files"]))]


def open_pool(folder: Path) -> Pool:
    """Open a pool; nothing but its manifest is read.

    Raises
    ------
    InputError
        If the manifest is damaged or of another version.
    """
    try:
        manifest = json.loads((folder / POOL_NAME).read_text(encoding="utf-8"))
        if manifest["pool_version"] != POOL_VERSION:
            raise ValueError(f"pool_version {manifest['pool_version']}, not {POOL_VERSION}")
        _ = manifest["files"].keys()
        for entry in manifest["counties"]:
            _ = entry["county_id"], entry["county_name"], entry["rows"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError("pool_damaged", file=POOL_NAME, folder=folder.name, reason=error) from error
    return Pool(folder, manifest)


def list_pool(pool: Pool) -> pd.DataFrame:
    """Return the counties of a pool with their number of rows in the register."""
    rows = [
        (entry["county_id"], entry["county_name"], int(entry["rows"].get("schools", 0)))
        for entry in pool.manifest["counties"]
    ]
    return pd.DataFrame(rows, columns=["county_id", "county_name", "rows"])


def chosen_county(pool: Pool, county: str) -> str:
    """Return the county to read: the one asked for, or the only one.

    Raises
    ------
    InputError
        If it is not in the pool, or several are and none is asked for.
    """
    known = list(pool.counties)
    if not county and len(known) > 1:
        raise InputError("county_not_chosen", count=len(known), known=", ".join(known[:_KNOWN_NAMED]))
    if county and county not in known:
        raise InputError("county_unknown", county=county, known=", ".join(known[:_KNOWN_NAMED]))
    return county or known[0]


def read_pool(pool: Pool, counties: Sequence[str], tables: Collection[str] = TABLES) -> Iterator[Reading]:
    """Give counties of a pool as they were read before pooling, in the order asked for.

    Every file is scanned once, whatever the number of counties.

    Parameters
    ----------
    pool : Pool
        The pool.
    counties : sequence of str
        Codes, all of which are in the pool.
    tables : collection of str
        Tables to read.

    Raises
    ------
    InputError
        If a file of the pool is missing or damaged.
    """
    held = [name for name in TABLES if name in tables and name in pool.manifest["tables"]]
    rows = {name: _rows(pool, name, counties) for name in held}
    accounts = {name: _rows(pool, f"{READING_FOLDER}/{name}", counties) for name in ACCOUNTS}
    for code in counties:
        kept = {name: _records(found.of(code), ACCOUNTS[name]) for name, found in accounts.items()}
        yield _reading(code, pool.counties[code], rows, kept, tables)


def arrow_schema(table: Table) -> pa.Schema:
    """Return the columns of a table's file: county, columns of the contract, address in the input."""
    kinds = {column.name: DTYPES[column.kind] for column in table.columns}
    own = [(name, _ARROW_TYPES[kind]) for name, kind in kinds.items() if name != COUNTY]
    address = [(name, pa.int64() if part == "row" else pa.string()) for part, name in ADDRESS.items()]
    return pa.schema([(COUNTY, pa.string()), *own, *address])


def account_schema(name: str) -> pa.Schema:
    """Return the columns of the file that keeps one account of the readings."""
    columns = [(column, pa.int64() if column in _COUNTS else pa.string()) for column in ACCOUNTS[name]]
    return pa.schema([(COUNTY, pa.string()), *columns])


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a file, and where those of each county stand.

    Attributes
    ----------
    frame : DataFrame
        Rows with the columns of the table, or of the account.
    address : DataFrame
        File, sheet, row and part of each row of a table.
    places : mapping of str to (int, int)
        First row of each county, and the one after its last.
    """

    frame: pd.DataFrame
    address: pd.DataFrame
    places: Mapping[str, tuple[int, int]]

    def of(self, county: str) -> pd.DataFrame:
        """Return the rows of a county."""
        return self._part(self.frame, county)

    def address_of(self, county: str) -> pd.DataFrame:
        """Return the addresses of the rows of a county."""
        return self._part(self.address, county)

    def _part(self, frame: pd.DataFrame, county: str) -> pd.DataFrame:
        first, after = self.places.get(county, (0, 0))
        return frame.iloc[first:after].reset_index(drop=True)


def _rows(pool: Pool, name: str, counties: Sequence[str]) -> _Rows:
    """Return the rows of counties in one file; only row groups that may hold them are read."""
    filters = None if set(counties) >= pool.counties.keys() else [(COUNTY, "in", sorted(set(counties)))]
    file = f"{name}.parquet"
    try:
        read = pq.read_table(pool.folder / file, filters=filters, use_threads=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise InputError("pool_damaged", file=file, folder=pool.folder.name, reason=error) from error
    frame = read.to_pandas(types_mapper=_PANDAS_TYPES.get)
    codes = frame[COUNTY].to_numpy(dtype=object)
    starts = [0, *(np.flatnonzero(codes[1:] != codes[:-1]) + 1).tolist()] if len(codes) else []
    places = {codes[first]: (first, after) for first, after in pairwise([*starts, len(codes)])}
    if name not in TABLES:
        return _Rows(frame, frame.iloc[:, :0], places)
    own = [column for column in TABLES[name].column_names if column in frame]
    return _Rows(conform(frame[own], TABLES[name]), _address(frame), places)


def _records(frame: pd.DataFrame, columns: Sequence[str]) -> list[dict[str, Any]]:
    return [
        dict(zip(columns, row, strict=True))
        for row in frame[list(columns)].itertuples(index=False, name=None)
    ]


def _reading(
    code: str,
    name: str,
    rows: Mapping[str, _Rows],
    kept: Mapping[str, list[dict[str, Any]]],
    tables: Collection[str],
) -> Reading:
    """Put a county together as it was when it was read."""
    own = {table: found for table, found in rows.items() if code in found.places}
    problems = (
        Problem(**{**row, "values": tuple(map(tuple, json.loads(row["values"])))})
        for row in kept["problems"]
        if not row["table"] or row["table"] in tables
    )
    return Reading(
        County(code, name, {table: found.of(code) for table, found in own.items()}),
        tuple(problems),
        _frame(kept["accounting"], ACCOUNTING_COLUMNS),
        _frame(kept["conversions"], CONVERSION_COLUMNS),
        _frame(kept["matches"], MATCH_COLUMNS),
        {
            table: Origin(found.address_of(code), _letters(kept["letters"], table))
            for table, found in own.items()
        },
    )


def _address(read: pd.DataFrame) -> pd.DataFrame:
    """Return file, sheet, row and part of each row in the input."""
    parts = {name: read[column] for name, column in ADDRESS.items()}
    return pd.DataFrame(parts).astype({"file": "str", "sheet": "str", "row": "int64", "part": "str"})


def _letters(kept: list[dict[str, Any]], table: str) -> dict[tuple[str, str, str], str]:
    return {
        (row["file"], row["sheet"], row["column"]): row["letters"] for row in kept if row["table"] == table
    }


def _frame(rows: list[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame([tuple(row[name] for name in columns) for row in rows], columns=list(columns))
