"""Many counties read, checked and put into one folder of Parquet files."""

import logging
import pickle
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import toolkit
from toolkit.data.checks import check_county
from toolkit.data.county import Reading
from toolkit.data.pool_files import PoolWriter, write_manifest, written_accounts
from toolkit.data.pool_inputs import PoolInput, PoolInputs, file_digest
from toolkit.data.pool_join import Part, join_parts
from toolkit.data.pool_left_out import LeftOut, left_out_for_errors, left_out_for_failure
from toolkit.data.reading import load_county, load_every_county
from toolkit.data.reading.pools import POOL_NAME, POOL_VERSION, open_pool
from toolkit.data.schema import TABLES
from toolkit.errors import InputError, JunhengError

CODES_LISTED = 200
SPOOL = "spool"

Progress = Callable[[int, int, str], None]
"""Receives the number of the input, how many there are, and its name."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PoolSummary:
    """What became of the inputs of a pool.

    Attributes
    ----------
    counties : tuple of str
        Codes of the counties in it.
    left_out : tuple of LeftOut
        What is not in it, and why.
    rows : dict
        Rows by table.
    shared_codes : dict
        Codes of schools that several counties use, with the counties.
    """

    counties: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    rows: dict[str, int]
    shared_codes: dict[str, tuple[str, ...]]


@dataclass(slots=True)
class _Building:
    """A pool while it is being built."""

    folder: Path
    spooled: dict[str, list[tuple[str, Path]]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    counties: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    schools: dict[str, list[str]] = field(default_factory=dict)


def build_pool(
    found: PoolInputs, folder: Path, *, strict: bool = False, progress: Progress = lambda *_: None
) -> PoolSummary:
    """Read and check every county of the inputs, and write them as a pool.

    A county with errors is left out with the reason. One county is in memory at a time.

    Parameters
    ----------
    found : PoolInputs
        What to read.
    folder : Path
        Empty folder that receives the pool; the caller moves it into its place when it is complete.
    strict : bool
        Whether to refuse everything when a county would be left out.
    progress : callable
        Told of every input.

    Raises
    ------
    InputError
        If no county is left, or with `strict` one is left out.
    """
    building = _Building(folder)
    spool = folder / SPOOL
    spool.mkdir(parents=True)
    for number, one in enumerate(found.inputs, start=1):
        progress(number, len(found.inputs), one.name)
        _spool(one, building, spool)
    writer = PoolWriter(folder)
    try:
        for county in sorted(building.spooled):
            reading = _joined(county, building)
            if reading is not None:
                writer.add(reading)
                _count(reading, building, county)
    finally:
        writer.close()
    shutil.rmtree(spool)
    left_out = tuple(sorted(building.left_out, key=lambda entry: (entry.county_id, entry.places)))
    if strict and left_out:
        names = "；".join(f"{entry.county_id or entry.places[0]}: {entry.zh}" for entry in left_out[:5])
        english = "; ".join(f"{entry.county_id or entry.places[0]}: {entry.en}" for entry in left_out[:5])
        raise InputError("pool_strict", count=len(left_out), reasons=names, reasons_en=english)
    if not building.counties:
        first = left_out[0]
        raise InputError("pool_without_counties", count=len(left_out), reason=first.zh, reason_en=first.en)
    return _finish(building, found, left_out)


def _spool(one: PoolInput, building: _Building, spool: Path) -> None:
    """Read the counties of an input, each of which is put aside; a county that cannot be read is told."""
    try:
        for reading in _readings(one):
            _put_aside(reading, one, building, spool)
    except JunhengError as error:
        building.left_out.append(LeftOut(one.county, "", (one.name,), error.zh, error.en))
    except Exception as error:
        # One file nobody thought of must not cost the other counties their pool.
        logger.exception("%s", one.name)
        building.left_out.append(left_out_for_failure(one.county, "", (one.name,), error))


def _readings(one: PoolInput) -> Iterator[Reading]:
    if one.county:
        yield load_county(one.path, mapping=one.mapping, names=one.names, year=one.year, county=one.county)
        return
    yield from load_every_county(one.path, mapping=one.mapping, names=one.names, year=one.year)


def _put_aside(reading: Reading, one: PoolInput, building: _Building, spool: Path) -> None:
    county = reading.county
    if reading.errors:
        building.left_out.append(left_out_for_errors(reading, (one.name,), reading.errors))
        return
    if not one.county and not county.tables["schools"]["county_id"].notna().any():
        error = InputError("pool_county_without_code", file=one.name)
        building.left_out.append(LeftOut("", county.name, (one.name,), error.zh, error.en))
        return
    parts = building.spooled.setdefault(county.county_id, [])
    path = spool / f"{sum(map(len, building.spooled.values()))}.pickle"
    with path.open("wb") as file:
        pickle.dump(reading, file, protocol=pickle.HIGHEST_PROTOCOL)
    parts.append((one.name, path))
    building.names.setdefault(county.county_id, county.name)


def _joined(county: str, building: _Building) -> Reading | None:
    """Return a county from all its inputs, checked; None where it is left out."""
    places = tuple(name for name, _ in building.spooled[county])
    name = building.names[county]
    try:
        parts = []
        for place, path in building.spooled[county]:
            # Written a moment ago by `_put_aside`: nobody else's bytes are loaded.
            with path.open("rb") as file:
                parts.append(Part(place, pickle.load(file)))  # noqa: S301
        reading = join_parts(parts)
        errors = tuple(found for found in check_county(reading) if found.severity == "error")
    except JunhengError as error:
        building.left_out.append(LeftOut(county, name, places, error.zh, error.en))
        return None
    except Exception as error:
        logger.exception("%s", county)
        building.left_out.append(left_out_for_failure(county, name, places, error))
        return None
    if errors:
        building.left_out.append(left_out_for_errors(reading, places, errors))
        return None
    return reading


def _count(reading: Reading, building: _Building, county: str) -> None:
    """Note what a county brings into the pool."""
    account = reading.accounting
    building.counties.append(
        {
            "county_id": county,
            "county_name": reading.county.name,
            "inputs": [name for name, _ in building.spooled[county]],
            "years": sorted({int(y) for y in reading.county.tables["school_years"]["year"].dropna()}),
            "rows": {name: len(table) for name, table in reading.county.tables.items()},
            "accounting": {
                str(table): {
                    "rows_read": int(own["rows_read"].sum()),
                    "rows_used": int(own["rows_used"].sum()),
                    "left_out": {
                        str(reason): int(count)
                        for reason, count in own.groupby("reason", sort=True)["rows_left_out"].sum().items()
                        if count
                    },
                }
                for table, own in account.groupby("table", sort=True)
                if table
            },
            "warnings": sum(problem.severity == "warning" for problem in reading.problems),
        }
    )
    for school in reading.county.tables["schools"]["school_id"].dropna().unique():
        building.schools.setdefault(school, []).append(county)


def _finish(building: _Building, found: PoolInputs, left_out: tuple[LeftOut, ...]) -> PoolSummary:
    """Write the manifest, last of all: a folder without it is no pool."""
    folder = building.folder
    rows = {
        name: sum(entry["rows"].get(name, 0) for entry in building.counties)
        for name in TABLES
        if any(name in entry["rows"] for entry in building.counties)
    }
    files = [*(f"{name}.parquet" for name in rows), *written_accounts()]
    shared = {code: tuple(own) for code, own in sorted(building.schools.items()) if len(own) > 1}
    write_manifest(
        folder / POOL_NAME,
        {
            "pool_version": POOL_VERSION,
            "junheng": toolkit.__version__,
            "tables": rows,
            "files": {name: file_digest(folder / name) for name in files},
            "counties": building.counties,
            "left_out": [entry.as_entry() for entry in left_out],
            "inputs": [
                {"name": one.name, "files": [{"name": p.name, "sha256": file_digest(p)} for p in one.files]}
                for one in found.inputs
            ],
            "other_files": list(found.others),
            "shared_school_codes": {
                "count": len(shared),
                "first": {code: list(shared[code]) for code in list(shared)[:CODES_LISTED]},
            },
        },
    )
    open_pool(folder)
    return PoolSummary(tuple(entry["county_id"] for entry in building.counties), left_out, rows, shared)
