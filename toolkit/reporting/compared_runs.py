"""Two runs as they were left behind: record, tables and findings, read from their folders alone."""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from toolkit.errors import InputError, ParameterError, RunError
from toolkit.exhibits import EXHIBITS_NAME, saved_exhibits
from toolkit.reporting.findings import FILE_NAME as FINDINGS_NAME
from toolkit.reporting.findings import Finding, load_findings
from toolkit.reporting.notebook_runs import RESULTS_FOLDER
from toolkit.reporting.record import RECORD_NAME, RunRecord, load_record
from toolkit.tables.exhibit import TableExhibit
from toolkit.tables.export import NOTHING
from toolkit.tables.saved import load_saved_table

VARIATION = "02_inter_school_variation"

TableKey = tuple[str, str]
"""Notebook and key of a table."""

Loaded = TypeVar("Loaded")


@dataclass(frozen=True, slots=True)
class RunResults:
    """What a run left behind.

    Attributes
    ----------
    name : str
        Name of its folder.
    record : RunRecord
        What decided its results.
    tables : mapping of TableKey to TableExhibit
        Tables of all notebooks.
    findings : mapping of (str, str) to Finding
        Findings by notebook and id.
    """

    name: str
    record: RunRecord
    tables: Mapping[TableKey, TableExhibit]
    findings: Mapping[tuple[str, str], Finding]

    def parameter(self, name: str) -> object:
        """Return a parameter by its name, from the first notebook that has it; None where none has."""
        notebooks = self.record.parameters.values()
        return next((values[name] for values in notebooks if name in values), None)


def load_run(folder: Path) -> RunResults:
    """Load a run from its folder.

    Raises
    ------
    InputError
        If the folder is none of a run, or one of its files is absent or damaged; the file is named.
    """
    if not (folder / RECORD_NAME).is_file():
        raise InputError("compare_no_run", folder=folder, file=RECORD_NAME)
    record = _read(folder / RECORD_NAME, lambda: load_record(folder))
    tables: dict[TableKey, TableExhibit] = {}
    findings: dict[tuple[str, str], Finding] = {}
    for outcome in record.notebooks:
        results = folder / RESULTS_FOLDER / outcome.notebook
        if outcome.status != "done":
            continue
        path = results / FINDINGS_NAME
        found = _read(path, lambda results=results: load_findings(results))
        findings |= {(outcome.notebook, finding.id): finding for finding in found.findings}
        saved = _read(results / EXHIBITS_NAME, lambda results=results: _saved(results))
        for key, entry in saved.items():
            if entry["kind"] == "table":
                path = results / f"{key}.csv"
                tables[outcome.notebook, key] = _read(path, lambda path=path: _table(path))
    return RunResults(folder.resolve().name, record, tables, findings)


def require_comparable(before: RunResults, after: RunResults) -> None:
    """Refuse runs of two counties.

    Raises
    ------
    ParameterError
        Naming both counties.
    """
    if before.record.county_id != after.record.county_id:
        raise ParameterError(
            "compare_other_county",
            before=f"{before.record.county_name} ({before.record.county_id})",
            after=f"{after.record.county_name} ({after.record.county_id})",
        )


def rows_of(run: RunResults, key: str, notebook: str = VARIATION) -> list[dict[str, Any]]:
    """Return the rows of a table of a run, none when the run has no such table."""
    table = run.tables.get((notebook, key))
    if table is None:
        return []
    return [{str(name): value for name, value in row.items()} for row in table.data.to_dict("records")]


def plain(value: object) -> str:
    """Return a text as it was, empty where the table names nothing."""
    return "" if value is None or value != value or value == NOTHING else str(value)


def _saved(results: Path) -> dict[str, dict[str, Any]]:
    """Load the list of a notebook's exhibits, without which nothing is known of its tables."""
    if not (results / EXHIBITS_NAME).is_file():
        raise FileNotFoundError(EXHIBITS_NAME)
    return saved_exhibits(results)


def _table(path: Path) -> TableExhibit:
    """Load a table whose file has the columns that were saved with it."""
    table = load_saved_table(path.parent, path.stem)
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file), [])
    names = [column.name for column in table.columns]
    # A quantity may be called a mark, too: that of all points of a test.
    beside = {f"{name}_mark" for name in names} - set(names)
    if [name for name in header if name not in beside] != names:
        raise RunError("saved_table_unreadable", key=path.stem, reason=", ".join(header))
    return table


def _read(path: Path, load: Callable[[], Loaded]) -> Loaded:
    """Load a file of a run, or say in an error which one cannot be read."""
    try:
        return load()
    except RunError as error:
        reason = error.values.get("reason", error.en)
        raise InputError("compare_unreadable", path=path, reason=reason) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("compare_unreadable", path=path, reason=error) from error
