"""A county read from a workbook, a folder, or another layout with its mapping."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pandas as pd

from toolkit.data.county import Reading
from toolkit.data.reading.opening import open_input
from toolkit.data.reading.pools import Pool, chosen_county, is_pool, list_pool, open_pool, read_pool
from toolkit.data.schema import TABLES
from toolkit.data.text import plain_code
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
        A workbook, a CSV or Parquet file, a folder of them, a workbook beside a folder of its name, or
        the folder of a pool.
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
    path, wanted = Path(path), plain_code(county) if county else ""
    if is_pool(path):
        pool = _pool(path, mapping, names)
        return next(read_pool(pool, [chosen_county(pool, wanted)], tables))
    opened = open_input(path, mapping, names, tables)
    return opened.read(wanted, "" if year is None else str(year))


def load_counties(
    path: Path,
    counties: Sequence[str],
    *,
    mapping: Path | None = None,
    names: Path | None = None,
    year: int | None = None,
    tables: Collection[str] = TABLES,
) -> Iterator[Reading]:
    """Load several counties of one input, whose files are read once; otherwise as `load_county`.

    Parameters
    ----------
    path, mapping, names, year, tables
        As for `load_county`.
    counties : sequence of str
        Codes, in the order wanted.

    Raises
    ------
    InputError
        If nothing at all can be read, the mapping is not valid, or a county is not there.
    """
    path, wanted = Path(path), [plain_code(county) for county in counties]
    if is_pool(path):
        pool = _pool(path, mapping, names)
        for county in wanted:
            chosen_county(pool, county)
        yield from read_pool(pool, wanted, tables)
        return
    opened = open_input(path, mapping, names, tables)
    for county in wanted:
        yield opened.read(county, "" if year is None else str(year))


def load_every_county(
    path: Path,
    *,
    mapping: Path | None = None,
    names: Path | None = None,
    year: int | None = None,
) -> Iterator[Reading]:
    """Load all counties of an input, whose files are read once; otherwise as `load_county`.

    An input whose register names one county, or none, is read as if it held no other.
    """
    path, year_text = Path(path), "" if year is None else str(year)
    if is_pool(path):
        pool = _pool(path, mapping, names)
        yield from (reading for county in pool.counties for reading in read_pool(pool, [county]))
        return
    opened = open_input(path, mapping, names, TABLES)
    listed = opened.counties(year_text)
    for county in listed if len(listed) > 1 else [""]:
        yield opened.read(county, year_text)


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
    if is_pool(Path(path)):
        return list_pool(_pool(Path(path), mapping, None))
    opened = open_input(Path(path), mapping, None, TABLES)
    listed = opened.listed_counties("")
    if listed is None:
        raise InputError("mapping_without_county", file=Path(mapping or path).name)
    if listed.empty:
        raise InputError("input_without_county", file=Path(path).name)
    return listed


def _pool(path: Path, mapping: Path | None, names: Path | None) -> Pool:
    """Open a pool, to which nothing can be added that decides how sheets are read."""
    if mapping is not None or names is not None:
        raise InputError("pool_read_already", folder=path.name)
    return open_pool(path)
