"""A county opened for study: its data read and checked, the standard loaded, the year chosen."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import cast

import pandas as pd

from toolkit.data.checks import check_county
from toolkit.data.county import County, Reading
from toolkit.data.problems import Problem
from toolkit.data.pseudonyms import pseudonymise_reading
from toolkit.data.reading import load_county
from toolkit.data.schema import TABLES
from toolkit.errors import InputError, ParameterError
from toolkit.exhibits import saved_exhibits
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.saved import save_figure
from toolkit.indicators.resources import ResourceIndicators, compute_resource_indicators
from toolkit.indicators.unstaged import UnstagedRule
from toolkit.reporting.edition import Edition, in_pinyin_order, singles_out_schools
from toolkit.reporting.findings import Finding, Findings, FindingsExhibit, save_findings, show_findings
from toolkit.reporting.opened import OpenedData, Request, stamp_files, take_over
from toolkit.reporting.parameters import NOTEBOOKS, AnnualReport, StudyParameters, check_parameters
from toolkit.reporting.pseudonym_key import open_secret
from toolkit.reporting.refusal import DataError
from toolkit.share import resolve_path, share_path
from toolkit.standards import Standard, check_columns, load_readings, load_standard
from toolkit.tables.exhibit import TableExhibit
from toolkit.tables.saved import save_table
from toolkit.vocabulary import Language, sentence

DEMO_WORKBOOK = ("data", "demo_county.xlsx")
# Cell addresses, what was typed, codes of teachers: work for the office, not for the public.
INTERNAL_TABLES = (
    "problems",
    "match_list",
    "unmatched",
    "open_schools",
    "item_open",
    "target_units",
    "gaps",
    "school_needs",
    "ledger",
)


@dataclass(frozen=True)
class Study:
    """One county, one year and one standard, as a notebook works on them.

    Attributes
    ----------
    parameters : StudyParameters
        Parameters of the notebook.
    reading : Reading
        The data as they were read.
    standard : Standard
        The standard to judge by.
    readings : mapping of str to Standard
        The standard with one doubtful rule read the other way, by mark.
    year : int
        The school year of the report.
    pseudonyms : pandas.DataFrame
        Key to the pseudonyms of the schools, empty where names are as they are.
    as_read : Reading or None
        The data with the names of the schools, where `reading` has pseudonyms.
    checked : tuple of Problem or None
        What the run that this notebook is part of found on checking all tables.
    """

    parameters: StudyParameters
    reading: Reading
    standard: Standard
    readings: Mapping[str, Standard]
    year: int
    pseudonyms: pd.DataFrame = field(default_factory=pd.DataFrame)
    as_read: Reading | None = None
    checked: tuple[Problem, ...] | None = None

    @property
    def county(self) -> County:
        """The loaded tables."""
        return self.reading.county

    @property
    def language(self) -> Language:
        """Language of labels and sentences."""
        return "en" if self.parameters.language == "en" else "zh"

    @property
    def edition(self) -> Edition:
        """Internal edition, or the one for publication."""
        return "public" if self.parameters.edition == "public" else "internal"

    @property
    def singles_out_schools(self) -> bool:
        """Whether tables and figures may name single schools by a result."""
        return singles_out_schools(self.edition)

    @property
    def unstaged_teachers(self) -> UnstagedRule:
        """What is done with teachers of combined schools that are reported without stage."""
        return cast("UnstagedRule", self.parameters.unstaged_teachers)

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Everything noticed in reading and checking, with the names that the office knows."""
        reading = self.as_read or self.reading
        if self.checked is not None:
            return self.checked
        return reading.problems + check_county(reading, county=self.parameters.county)

    @cached_property
    def plan(self) -> Standard | None:
        """The local plan whose targets are compared with the data, if one was chosen."""
        chosen = self.parameters.plan if isinstance(self.parameters, AnnualReport) else ""
        return load_plan(chosen) if chosen else None

    @cached_property
    def resources(self) -> ResourceIndicators:
        """The resource indicators of all years."""
        return compute_resource_indicators(
            self.county, self.standard, unstaged_teachers=self.unstaged_teachers
        )

    def table(self, exhibit: TableExhibit) -> TableExhibit:
        """Return a table as the edition shows it, after writing its files when there is a results folder."""
        if self.edition == "public" or len(self.pseudonyms):
            exhibit = _without_internal_rows(exhibit, edition=self.edition)
        if self.edition == "public":
            exhibit = in_pinyin_order(exhibit)
        if self.parameters.results_dir:
            save_table(exhibit, resolve_path(self.parameters.results_dir))
        return exhibit

    def figure(self, exhibit: FigureExhibit) -> FigureExhibit:
        """Return a figure, after writing its picture when there is a results folder."""
        if self.parameters.results_dir:
            save_figure(exhibit, resolve_path(self.parameters.results_dir))
        return exhibit

    def findings(self, *findings: Finding) -> FindingsExhibit:
        """Return findings for showing, after writing them when the study has a results folder."""
        name = next(name for name, record in NOTEBOOKS.items() if type(self.parameters) is record)
        found = Findings(notebook=name, findings=findings)
        if self.parameters.results_dir:
            save_findings(found, resolve_path(self.parameters.results_dir))
        return show_findings(found, self.language)


def open_study(parameters: StudyParameters, *, tables: Collection[str] = TABLES) -> Study:
    """Read the county that the parameters name.

    Parameters
    ----------
    parameters : StudyParameters
        Parameters of the notebook.
    tables : collection of str
        Tables that the notebook works on, all by default.

    Raises
    ------
    ParameterError
        If a parameter has the wrong type or value, or the standard defines no resource indicators.
    DataError
        If errors leave no school year to study.
    InputError
        If nothing can be read, the data do not have the year, or the secret of the pseudonyms is damaged
        or gone.
    """
    check_parameters(parameters)
    standard = load_own_or_shipped(parameters.standard, rules=parameters.rules)
    opened = take_over(_request(parameters), parameters.year)
    reading = opened.restricted(tables) if opened else _read(parameters, tables)
    if reading.errors and not _years(reading.county):
        # The errors say which sheet or column is missing; that no year was read is only what follows.
        raise DataError(reading.errors)
    language: Language = "en" if parameters.language == "en" else "zh"
    key, as_read = pd.DataFrame(), None
    if parameters.school_names == "pseudonym":
        as_read = reading
        reading, key = pseudonymise_reading(reading, language, secret=open_secret())
    return Study(
        parameters=parameters,
        reading=reading,
        standard=standard,
        readings=load_readings(standard_location(parameters.standard), rules=parameters.rules),
        year=chosen_year(reading.county, parameters.year),
        pseudonyms=key,
        as_read=as_read,
        checked=opened.problems if opened else None,
    )


def opened_data(study: Study) -> OpenedData:
    """Return what was read and checked, for the notebooks of the same run."""
    years = (study.parameters.year, study.year)
    return OpenedData(_request(study.parameters), years, study.as_read or study.reading, study.problems)


def data_location(parameters: StudyParameters) -> Path:
    """Return the file or folder with the data; the demonstration county when none is named."""
    return resolve_path(parameters.data_path) if parameters.data_path else share_path(*DEMO_WORKBOOK)


def standard_location(standard: str) -> str | Path:
    """Return a shipped standard's id, or the path of one's own file."""
    return resolve_path(standard) if standard.endswith(".toml") else standard


def load_own_or_shipped(standard: str, *, rules: str = "") -> Standard:
    """Load a standard, switch its rules, and check that every column it uses exists.

    Raises
    ------
    ParameterError
        If there is no such standard, or it defines no resource indicators, as the local plans.
    """
    loaded = load_standard(standard_location(standard), rules=rules)
    if not loaded.indicators or loaded.split is None:
        raise ParameterError("standard_without_indicators", standard=loaded.id)
    check_columns(loaded, _columns_by_table())
    return loaded


def load_plan(plan: str) -> Standard:
    """Load a local plan, or a standard with targets of one's own, and check its columns."""
    loaded = load_standard(standard_location(plan))
    check_columns(loaded, _columns_by_table())
    return loaded


def _columns_by_table() -> dict[str, set[str]]:
    return {table.name: set(table.column_names) for table in TABLES.values()}


def chosen_year(county: County, year: int) -> int:
    """Return the school year of the report: the one asked for, or the latest in the data.

    Raises
    ------
    InputError
        If the data have no such year, or no year at all.
    """
    years = _years(county)
    if not years:
        raise InputError("no_school_years", county=county.name)
    if year and year not in years:
        raise InputError("year_not_in_data", year=year, years=", ".join(map(str, years)))
    return year or years[-1]


def _read(parameters: StudyParameters, tables: Collection[str]) -> Reading:
    return load_county(
        data_location(parameters),
        mapping=resolve_path(parameters.mapping_path) if parameters.mapping_path else None,
        names=resolve_path(parameters.names_path) if parameters.names_path else None,
        year=parameters.year or None,
        county=parameters.county or None,
        tables=tables,
    )


def _request(parameters: StudyParameters) -> Request:
    """Return what decides the reading; a workbook may have a folder of its name beside it."""
    location = data_location(parameters).resolve()
    mapping, names = (
        str(resolve_path(path).resolve()) if path else ""
        for path in (parameters.mapping_path, parameters.names_path)
    )
    paths = [location, location.with_suffix(""), *(Path(path) for path in (mapping, names) if path)]
    return Request(stamp_files(dict.fromkeys(paths)), (str(location), mapping, names), parameters.county)


def _years(county: County) -> list[int]:
    """Return the school years of the data, in order."""
    table = county.tables.get("school_years")
    return [] if table is None else sorted(int(value) for value in table["year"].dropna().unique())


def load_table_titles(folder: Path) -> dict[str, str]:
    """Return the titles of the tables that a notebook wrote, by key, in their order."""
    return {
        key: entry["caption"]["title"]
        for key, entry in saved_exhibits(folder).items()
        if entry["kind"] == "table"
    }


def _without_internal_rows(exhibit: TableExhibit, *, edition: Edition) -> TableExhibit:
    """Return a table without its rows, and with the reason, when they are for the office only."""
    caption = exhibit.caption
    if caption.key not in INTERNAL_TABLES or exhibit.data.empty:
        return exhibit
    reason = "public_edition_not_listed" if edition == "public" else "pseudonyms_not_listed"
    note = sentence(reason, caption.language, count=len(exhibit.data))
    return replace(
        exhibit,
        caption=replace(caption, notes=()),
        data=exhibit.data.iloc[:0],
        marks=(),
        total_rows=0,
        rows_shown=0,
        empty_text=note,
    )
