"""What a batch is given: a folder with one input a county, or a list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.batch.survey import CountyYears, survey_inputs
from toolkit.batch.unit_list import Row, read_list
from toolkit.batch.units import Unit, distinct, make_unit
from toolkit.data.reading.layout import table_named
from toolkit.data.reading.sources import TEXTS, WORKBOOKS
from toolkit.errors import InputError
from toolkit.vocabulary import label

LIST_SUFFIX = ".csv"
PARQUET = ".parquet"
# What other commands write beside a workbook, in either language.
BESIDE = ("checked", "names_path_beside")
ALL_YEARS = "all"


@dataclass(frozen=True, slots=True)
class Found:
    """What stands in a folder.

    Attributes
    ----------
    inputs : tuple of pathlib.Path
        Workbooks, folders and table files, each the data of one county or of several.
    left_out : tuple of str
        Names that are no data of a county.
    """

    inputs: tuple[Path, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Years:
    """The school years asked for.

    Attributes
    ----------
    all : bool
        Whether every year of the data is wanted.
    chosen : tuple of int
        Years by number; without any, and not all, the latest of each county.
    """

    all: bool = False
    chosen: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """The units that a user asked for.

    Attributes
    ----------
    units : tuple of Unit
        The units, in the order of the input.
    left_out : tuple of str
        Files of the folder that are no data of a county.
    """

    units: tuple[Unit, ...]
    left_out: tuple[str, ...] = ()


def find_units(source: Path, parameters: Mapping[str, Any], years: Years, *, jobs: int = 1) -> Wanted:
    """Return one unit for each county and year.

    Parameters
    ----------
    source : pathlib.Path
        Folder with the data, or a list.
    parameters : mapping
        Parameters of all units; what a row of the list says goes before.
    years : Years
        School years, where a list says none.
    jobs : int
        Processes that look into the files.

    Raises
    ------
    InputError
        If there are no data in the folder, or the list cannot be read.
    ParameterError
        If a parameter is not understood; of a list, the line is named.
    """
    if source.is_dir():
        found = find_inputs(source, is_mapped=bool(parameters.get("mapping_path")))
        if not found.inputs:
            raise InputError("batch_folder_empty", folder=source)
        rows = [Row(_shown(path, source), {"data_path": str(path)}) for path in found.inputs]
        return Wanted(_units(rows, parameters, years, jobs), found.left_out)
    return Wanted(_units(read_list(source, parameters), parameters, years, jobs))


def find_inputs(folder: Path, *, is_mapped: bool = False) -> Found:
    """Return the data of counties that stand in a folder.

    A workbook is an input, together with the folder of its name; so is a folder with tables in it. Loose
    table files named after tables make the folder itself one input. With a mapping, every table file is one.
    """
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith((".", "~$")))
    workbooks = {entry.stem for entry in entries if _is_workbook(entry)}
    inputs: list[Path] = []
    left_out: list[str] = []
    for entry in entries:
        if entry.is_dir() and entry.name in workbooks:
            continue
        data = _data_of(entry, is_mapped=is_mapped)
        if data is None:
            left_out.append(entry.name)
        elif data not in inputs:
            inputs.append(data)
    return Found(tuple(inputs), tuple(left_out))


def _data_of(entry: Path, *, is_mapped: bool) -> Path | None:
    """Return the input that an entry of the folder is, or is a part of; None when it is no data."""
    if entry.is_dir():
        return entry if any(_is_table(inside) for inside in entry.iterdir()) else None
    if _is_workbook(entry):
        return None if _is_beside(entry) else entry
    if not _is_table(entry):
        return None
    if is_mapped:
        return entry
    return entry.parent if table_named(entry.name) else None


def _units(rows: Sequence[Row], parameters: Mapping[str, Any], years: Years, jobs: int) -> tuple[Unit, ...]:
    """Return the units of all rows; files that do not say enough are looked into first."""
    full = [{**parameters, **row.own} for row in rows]
    open_questions = {
        (str(values["data_path"]), str(values.get("mapping_path", "")))
        for values in full
        if not values.get("county") or (years.all and not values.get("year"))
    }
    surveyed = survey_inputs(sorted(open_questions), with_years=years.all, jobs=jobs)
    units: list[Unit] = []
    for row, values in zip(rows, full, strict=True):
        counties = surveyed.get((str(values["data_path"]), str(values.get("mapping_path", ""))), ())
        identity = {name: value for name, value in row.own.items() if name != "data_path"}
        units += [
            make_unit(row.data, county, parameters_of_unit, identity)
            for county, parameters_of_unit in _counties_and_years(values, counties, years)
        ]
    return distinct(units)


def _counties_and_years(
    values: Mapping[str, Any], counties: Sequence[CountyYears], years: Years
) -> list[tuple[str, dict[str, Any]]]:
    """Return, for each unit of one input, its county and its parameters."""
    asked, year = str(values.get("county", "")), int(values.get("year", 0))
    # A file that cannot be read, or lacks the county asked for, is one unit: it fails with the reason.
    matching = [found for found in counties if found.county_id == asked] if asked else list(counties)
    wanted = matching or [CountyYears(asked, ())]
    # The county is a parameter where it chooses among several: so is the report that of a single run.
    chooses = bool(asked) or len(wanted) > 1
    return [
        (
            found.county_id,
            {**values, **({"county": found.county_id} if chooses else {}), **({"year": own} if own else {})},
        )
        for found in wanted
        for own in ([year] if year else _years(found, years))
    ]


def _years(found: CountyYears, years: Years) -> tuple[int, ...]:
    if years.all:
        return found.years or (0,)
    return years.chosen or (0,)


def _shown(path: Path, folder: Path) -> str:
    return folder.name if path == folder else path.name


def _is_workbook(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in WORKBOOKS


def _is_table(path: Path) -> bool:
    hidden = path.name.startswith((".", "~$"))
    return path.is_file() and not hidden and path.suffix.lower() in (*WORKBOOKS, *TEXTS, PARQUET)


def _is_beside(path: Path) -> bool:
    """Say whether a workbook is a marked copy or a list of names that belongs to another beside it."""
    marks = {label(name, language) for name in BESIDE for language in ("zh", "en")}
    return any(
        f"-{mark}" in path.stem and path.with_name(f"{path.stem.split(f'-{mark}')[0]}{suffix}").exists()
        for mark in marks
        for suffix in WORKBOOKS
    )
