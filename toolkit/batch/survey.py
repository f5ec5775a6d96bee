"""Which counties and school years a file holds, without making anything of them."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.batch.workers import worker_processes
from toolkit.data.county import Reading
from toolkit.data.reading import list_counties, load_county
from toolkit.errors import InputError

# The register says which counties there are; the yearly figures, whose schools it links, which years.
REGISTER = ("schools",)
WITH_YEARS = (*REGISTER, "school_links", "school_years")
WITHOUT_CODES = "mapping_without_county"

logger = logging.getLogger(__name__)

Source = tuple[str, str]
"""Paths of the data and of the mapping, the latter empty where there is none."""


@dataclass(frozen=True, slots=True)
class CountyYears:
    """A county of a file.

    Attributes
    ----------
    county_id : str
        Its code, empty where the file has none.
    years : tuple of int
        Its school years, in order; empty when they were not asked for.
    """

    county_id: str
    years: tuple[int, ...]


def survey_inputs(
    sources: Sequence[Source], *, with_years: bool, jobs: int
) -> dict[Source, tuple[CountyYears, ...]]:
    """Return the counties of each input, side by side; of one that cannot be read or kills its worker none.

    Parameters
    ----------
    sources : sequence of Source
        The inputs, each once.
    with_years : bool
        Whether school years are wanted.
    jobs : int
        Processes at most.
    """
    found = _answers(sources, with_years, max(1, min(jobs, len(sources))))
    for source in sources:
        if source not in found:
            # A worker died, and nobody can tell at which file: each is asked for again by itself, beside one
            # more worker, since joblib would read a single one in this very process.
            found |= _answers([source], with_years, 2)
    return {source: found.get(source, ()) for source in sources}


def _answers(
    sources: Sequence[Source], with_years: bool, processes: int
) -> dict[Source, tuple[CountyYears, ...]]:
    """Return the counties of each input; without those whose answer was lost with a worker."""
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    found: dict[Source, tuple[CountyYears, ...]] = {}
    options: dict[str, Any] = {"n_jobs": processes, "batch_size": 1, "return_as": "generator_unordered"}
    try:
        with worker_processes(processes):
            answers: Any = Parallel(**options)(delayed(_counties)(source, with_years) for source in sources)
        found.update(answers)
    except BrokenProcessPool as error:
        logger.warning("a worker died while it read: %s", error)
    return found


def _counties(source: Source, with_years: bool) -> tuple[Source, tuple[CountyYears, ...]]:
    """Return an input and its counties. The reason why it cannot be read is told by its unit."""
    return source, _counties_in(*source, with_years)


def _counties_in(data: str, mapping: str, with_years: bool) -> tuple[CountyYears, ...]:
    try:
        if not with_years:
            return tuple(CountyYears(code, ()) for code in _codes(data, mapping, REGISTER))
        codes = _codes(data, mapping, WITH_YEARS)
        return tuple(
            CountyYears(code, _years(_load(data, mapping, code if len(codes) > 1 else ""))) for code in codes
        )
    except (InputError, OSError):
        return ()


def _codes(data: str, mapping: str, tables: Collection[str]) -> tuple[str, ...]:
    if mapping:
        try:
            return tuple(str(code) for code in list_counties(Path(data), Path(mapping))["county_id"])
        except InputError as error:
            if error.name != WITHOUT_CODES:
                raise
            return ("",)
    reading = _load(data, "", "", tables)
    schools = reading.county.tables.get("schools")
    codes = [] if schools is None else sorted(str(code) for code in schools["county_id"].dropna().unique())
    return tuple(codes) or ("",)


def _load(data: str, mapping: str, county: str, tables: Collection[str] = WITH_YEARS) -> Reading:
    chosen = Path(mapping) if mapping else None
    if chosen:
        return load_county(Path(data), mapping=chosen, county=county or None)
    return load_county(Path(data), county=county or None, tables=tables)


def _years(reading: Reading) -> tuple[int, ...]:
    table = reading.county.tables.get("school_years")
    return () if table is None else tuple(sorted(int(year) for year in table["year"].dropna().unique()))
