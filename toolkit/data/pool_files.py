"""The files of a pool, written county by county."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from toolkit.data.county import Reading
from toolkit.data.reading.pools import (
    ACCOUNTS,
    ADDRESS,
    COUNTY,
    LETTER_COLUMNS,
    READING_FOLDER,
    account_schema,
    arrow_schema,
)
from toolkit.data.schema import TABLES

CELLS_PER_GROUP = 2_000_000
"""Cells after which a row group is closed: the most that reading one county has to decode too much."""

COMPRESSION_LEVEL = 3


@dataclass(slots=True)
class PoolWriter:
    """Writes counties into one Parquet file a table; of a file, at most one row group is in memory.

    Attributes
    ----------
    folder : Path
        Folder of the pool.
    files : dict
        Open files by their name in the folder.
    """

    folder: Path
    files: dict[str, "_File"] = field(default_factory=dict)

    def add(self, reading: Reading) -> None:
        """Write a county; counties are to come in the order of their codes."""
        county = reading.county
        for name in (table for table in TABLES if table in county.tables):
            address = reading.origins[name].rows.rename(columns=ADDRESS)
            if ADDRESS["part"] not in address:
                address[ADDRESS["part"]] = ""
            frame = pd.concat([county.tables[name].reset_index(drop=True), address], axis=1)
            schema = arrow_schema(TABLES[name])
            self._write(f"{name}.parquet", frame.assign(**{COUNTY: county.county_id})[schema.names], schema)
        for name, frame in _accounts(reading).items():
            file = f"{READING_FOLDER}/{name}.parquet"
            self._write(file, frame.assign(**{COUNTY: county.county_id}), account_schema(name))

    def close(self) -> None:
        """Write what is left and close the files."""
        for file in self.files.values():
            file.close()

    def _write(self, file: str, frame: pd.DataFrame, schema: pa.Schema) -> None:
        if file not in self.files:
            path = self.folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            self.files[file] = _File(_writer(path, schema), schema)
        self.files[file].add(frame)


def written_accounts() -> tuple[str, ...]:
    """Return the files of the accounts of the readings, by their names in the folder."""
    return tuple(f"{READING_FOLDER}/{name}.parquet" for name in ACCOUNTS)


@dataclass(slots=True)
class _File:
    """An open file and the rows that wait for their row group to be full."""

    writer: pq.ParquetWriter
    schema: pa.Schema
    waiting: list[pa.Table] = field(default_factory=list)
    n_waiting: int = 0

    def add(self, frame: pd.DataFrame) -> None:
        """Take rows; write whole row groups."""
        rows = pa.Table.from_pandas(frame, schema=self.schema, preserve_index=False, nthreads=1)
        self.waiting.append(rows.replace_schema_metadata(None))
        self.n_waiting += rows.num_rows
        if self.n_waiting >= CELLS_PER_GROUP // len(self.schema):
            self._flush()

    def close(self) -> None:
        """Write the last row group and the foot of the file."""
        if self.n_waiting or not self.waiting:
            self._flush()
        self.writer.close()

    def _flush(self) -> None:
        size = CELLS_PER_GROUP // len(self.schema)
        if self.waiting:
            self.writer.write_table(pa.concat_tables(self.waiting).combine_chunks(), row_group_size=size)
        self.waiting, self.n_waiting = [], 0


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, schema, compression="zstd", compression_level=COMPRESSION_LEVEL)


def _accounts(reading: Reading) -> dict[str, pd.DataFrame]:
    """Return what is kept of a reading beside its tables."""
    problems = [
        {
            "values": json.dumps(problem.values, ensure_ascii=False),
            **{
                name: getattr(problem, name)
                for name in ("code", "severity", "file", "sheet", "cell", "table", "column", "school")
            },
        }
        for problem in reading.problems
    ]
    letters = [
        (table, *place, found)
        for table, origin in reading.origins.items()
        for place, found in origin.letters.items()
    ]
    return {
        "problems": pd.DataFrame(problems, columns=list(ACCOUNTS["problems"])),
        "accounting": reading.accounting,
        "conversions": reading.conversions,
        "matches": reading.matches,
        "letters": pd.DataFrame(letters, columns=list(LETTER_COLUMNS)),
    }


def write_manifest(path: Path, content: Mapping[str, Any]) -> None:
    """Write the manifest: sorted keys, LF, the same bytes for the same pool."""
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    path.write_bytes(f"{text}\n".encode())
