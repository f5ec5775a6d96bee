"""One run: from a county's data to a folder with pages, tables, findings and a record."""

import shutil
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path

import toolkit
from toolkit.data.simulate.settings import is_synthetic
from toolkit.errors import JunhengError, ParameterError, RunError
from toolkit.reporting.kernel import start_warm_server
from toolkit.reporting.ledger_reading import load_ledger
from toolkit.reporting.narrative import NARRATIVE_FOLDER, create_narrative, narrative_path, read_narrative
from toolkit.reporting.notebook_cache import NotebookCache, Reuse
from toolkit.reporting.notebook_runs import (
    EXECUTED_FOLDER,
    RESULTS_FOLDER,
    Progress,
    execute_notebooks,
)
from toolkit.reporting.opened import hand_over, stamp_files
from toolkit.reporting.outputs import Outputs, require_forms, write_outputs
from toolkit.reporting.page import page_header
from toolkit.reporting.parameters import (
    NEEDED_TABLES,
    NOTEBOOKS,
    PATH_PARAMETERS,
    STANDARD_PARAMETERS,
    StudyParameters,
    check_parameters,
    parameter_fields,
)
from toolkit.reporting.pseudonym_key import (
    REPORTS_FOLDER,
    RESTRICTED_FOLDER,
    open_secret,
    write_pseudonym_key,
)
from toolkit.reporting.record import (
    NotebookOutcome,
    file_input,
    run_digest,
    write_log,
    write_record,
)
from toolkit.reporting.refusal import DataError
from toolkit.reporting.run_description import describe_log, describe_run
from toolkit.reporting.run_inputs import (
    data_files,
    decisive_values,
    input_files,
    shown_values,
    standard_hashes,
)
from toolkit.reporting.run_pages import ANNUAL_REPORT, FinishedRun, write_pages
from toolkit.reporting.runfolder import Placement, place_run, run_folder_name, scratch_folder
from toolkit.reporting.saved_results import record_outcome
from toolkit.reporting.study import (
    Study,
    data_location,
    load_plan,
    open_study,
    opened_data,
    standard_location,
)
from toolkit.share import resolve_path, workspace
from toolkit.vocabulary import Language, label, sentence

NO_OUTPUTS = Outputs()


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a run left behind.

    Attributes
    ----------
    placement : Placement
        Where the report is.
    failures : tuple of RunError
        One for each notebook that failed; the rest of the report is complete.
    narratives : tuple of Path
        Files for the county's own text that were created in this run.
    notices : tuple of JunhengError
        What could not be made beside the pages, and what to do about it.
    """

    placement: Placement
    failures: tuple[RunError, ...]
    narratives: tuple[Path, ...]
    notices: tuple[JunhengError, ...] = ()


def run_report(
    parameters: Mapping[str, object],
    *,
    reports: Path | None = None,
    embed_font: bool = False,
    outputs: Outputs = NO_OUTPUTS,
    only: Collection[str] = (),
    progress: Progress = lambda _: None,
    cache: NotebookCache | None = None,
    creates_texts: bool = True,
    side_by_side: int = 1,
) -> RunOutcome:
    """Read, check and analyse a county, and put the report in place when it is complete.

    A run that is refused leaves nothing behind, save a secret of pseudonyms that it was the first to need.

    Parameters
    ----------
    parameters : mapping
        Values for fields of the notebooks' parameter records; the others keep their defaults.
    reports : pathlib.Path, optional
        Folder that receives the report; by default `reports` in the workspace.
    embed_font : bool
        Whether pages bring a Chinese font along.
    outputs : Outputs
        What is wanted beside the pages.
    only : collection of str
        Notebooks to run, by name or number such as "02"; all when empty.
    progress : callable
        Receives the name of each step.
    cache : NotebookCache, optional
        Where notebooks that did not change are taken from and others kept; by default all are run.
    creates_texts : bool
        Whether empty files for the county's own text are made where there are none.
    side_by_side : int
        Notebooks executed at a time.

    Raises
    ------
    ParameterError
        If a parameter is unknown, of the wrong type or out of range, or the standard defines no
        resource indicators.
    DataError
        If the data have errors.
    InputError
        If the data cannot be read, or the secret of the pseudonyms is damaged or gone.
    RunError
        If the report can be written neither to its place nor beside it.
    """
    every = parameter_records(parameters)
    chosen = _chosen(only)
    if (outputs.docx or outputs.pdf) and ANNUAL_REPORT not in chosen:
        raise ParameterError("word_without_annual_report")
    started, clock = datetime.now(UTC), time.perf_counter()
    start_warm_server()
    _require_readable(every[ANNUAL_REPORT])
    require_forms(outputs.forms)
    if every[ANNUAL_REPORT].school_names == "pseudonym":
        open_secret(reports)
    progress("reading")
    study = open_study(_with_what_is_read(every[ANNUAL_REPORT], chosen))
    _require_no_errors(study)
    lacking = _without_tables(study)
    records = {name: every[name] for name in chosen if name not in lacking}
    narratives = narrative_paths(study)
    texts = [path for path in narratives.values() if read_narrative(path)]
    read = tuple(data_files(data_location(study.parameters)))
    stamped = read, stamp_files(read)
    inputs = (
        *input_files(study.parameters),
        *(file_input(path, "narrative") for path in texts),
        *(file_input(path, "form") for path in outputs.forms),
    )
    shown = {name: shown_values(record, study) for name, record in records.items()}
    digest = run_digest({"notebooks": shown, **standard_hashes(study), **outputs.decisive()}, inputs)
    target = (reports or workspace() / REPORTS_FOLDER) / run_folder_name(
        study.county.county_id, study.year, digest
    )
    records = {name: _resolved(record, study) for name, record in records.items()}
    with _scratch(target) as scratch:
        left_out = _left_out(chosen, lacking, study.language)
        for outcome in left_out:
            record_outcome(scratch / RESULTS_FOLDER, outcome)
        with hand_over(opened_data(study)):
            reuse = Reuse(cache, decisive_values(study, shown, inputs), *stamped) if cache else None
            done, failed = execute_notebooks(
                records, scratch, study.language, progress, reuse, side_by_side=side_by_side
            )
        progress("rendering")
        record = replace(
            describe_run(study, shown, inputs, (*(each.outcome for each in (*done, *failed)), *left_out)),
            only=tuple(chosen) if len(chosen) < len(NOTEBOOKS) else (),
            outputs=tuple(outputs.decisive().get("outputs", ())),
            embed_font=embed_font,
        )
        header = page_header(
            record,
            standard=_standard_title(study),
            version=toolkit.__version__,
            is_synthetic=is_synthetic(study.county.county_id),
        )
        finished = FinishedRun(header, records, done, failed, narratives, scratch, embed_font, _facts(study))
        write_pages(finished)
        notices = write_outputs(finished, record, study, outputs, progress)
        shutil.rmtree(scratch / EXECUTED_FOLDER, ignore_errors=True)
        write_record(record, scratch)
        write_log(describe_log(every, study, (target, outputs.forms), started, clock, done), scratch)
        placement = place_run(scratch, target)
    if len(study.pseudonyms):
        write_pseudonym_key(_restricted(placement.path), study.pseudonyms, study.language)
    texts = narratives.values() if creates_texts else ()
    created = tuple(path for path in texts if create_narrative(path, study.language))
    failures = tuple(notebook.told(placement.path) for notebook in failed)
    return RunOutcome(placement, failures, created, notices)


def parameter_records(values: Mapping[str, object]) -> dict[str, StudyParameters]:
    """Return the record of each notebook with the values that it knows.

    Raises
    ------
    ParameterError
        If no notebook knows a value, or it has the wrong type, choice or range.
    """
    names = {entry.name for entry in parameter_fields()}
    unknown = sorted(set(values) - names)
    if unknown:
        raise ParameterError("parameter_unknown", names=", ".join(unknown), known=", ".join(sorted(names)))
    records = {
        name: replace(
            record(), **{entry.name: values[entry.name] for entry in fields(record) if entry.name in values}
        )
        for name, record in NOTEBOOKS.items()
    }
    for record in records.values():
        check_parameters(record)
    return records


def _chosen(only: Collection[str]) -> list[str]:
    """Return the notebooks to run, in their order."""
    unknown = [name for name in only if not any(name in (known, known[:2]) for known in NOTEBOOKS)]
    if unknown:
        raise ParameterError("notebook_unknown", names=", ".join(unknown), known=", ".join(NOTEBOOKS))
    return [name for name in NOTEBOOKS if not only or name in only or name[:2] in only]


def _with_what_is_read(record: StudyParameters, chosen: Collection[str]) -> StudyParameters:
    """Return the record that holds the files of all notebooks, without what only an absent one would read."""
    if ANNUAL_REPORT in chosen:
        return record
    own = {entry.name for entry in fields(record)} - {entry.name for entry in fields(StudyParameters)}
    return replace(record, **dict.fromkeys(own, ""))


def _without_tables(study: Study) -> dict[str, tuple[str, ...]]:
    """Return the notebooks that have nothing to study in these data, with the tables they lack."""
    empty = {name for name, table in study.county.tables.items() if table.empty}
    found = {
        name: tuple(table for table in tables if table in empty or table not in study.county.tables)
        for name, tables in NEEDED_TABLES.items()
    }
    return {name: tables for name, tables in found.items() if tables}


def _left_out(
    chosen: Collection[str], lacking: Mapping[str, tuple[str, ...]], language: Language
) -> tuple[NotebookOutcome, ...]:
    """Return the notebooks that were not asked for, or whose tables the data do not have."""
    found = []
    for name in NOTEBOOKS:
        if name not in chosen:
            found.append(NotebookOutcome(name, "not_run", label("notebook_not_asked_for", language)))
        elif name in lacking:
            tables = label("list_separator", language).join(
                label(f"table_{table}", language) for table in lacking[name]
            )
            reason = sentence("notebook_without_tables", language, tables=tables)
            found.append(NotebookOutcome(name, "not_run", reason))
    return tuple(found)


def _facts(study: Study) -> tuple[tuple[str, str], ...]:
    """Return how many schools report for the year, how many count, and how many are left out."""
    units, left_out = study.resources.units, study.resources.left_out
    counted = set(units.loc[units["year"] == study.year, "school_id"])
    outside = set(left_out.loc[left_out["year"] == study.year, "school_id"])
    numbers = {
        "schools_reporting": counted | outside,
        "schools_counted": counted,
        "schools_left_out": outside,
    }
    return tuple((label(name, study.language), str(len(schools))) for name, schools in numbers.items())


def narrative_paths(study: Study) -> dict[str, Path]:
    """Return where the county's own text for each notebook is kept."""
    folder = workspace() / NARRATIVE_FOLDER
    return {name: narrative_path(folder, study.county.county_id, study.year, name) for name in NOTEBOOKS}


@contextmanager
def _scratch(target: Path) -> Iterator[Path]:
    """Give the folder in which a run is built, or say that nothing can be written there."""
    with ExitStack() as stack:
        try:
            scratch = stack.enter_context(scratch_folder(target.parent, target.name))
        except OSError as error:
            raise RunError("file_not_written", path=target.parent, reason=error.strerror or error) from error
        yield scratch


def _require_readable(record: StudyParameters) -> None:
    """Refuse a plan or ledger that cannot be read before any notebook starts, also when none will read it."""
    if plan := getattr(record, "plan", ""):
        load_plan(plan)
    path = getattr(record, "ledger_path", "")
    if path and record.school_names == "pseudonym":
        raise ParameterError("ledger_with_pseudonyms")
    if path:
        load_ledger(resolve_path(path))


def _require_no_errors(study: Study) -> None:
    errors = tuple(problem for problem in study.problems if problem.severity == "error")
    if errors:
        raise DataError(errors)


def _resolved(record: StudyParameters, study: Study) -> StudyParameters:
    """Return the record with the year and the absolute paths that the kernel needs."""
    paths = {
        name: str(resolve_path(getattr(record, name)).resolve())
        for name in PATH_PARAMETERS
        if name != "results_dir" and getattr(record, name, "")
    }
    standards = {
        name: str(standard_location(getattr(record, name)))
        for name in STANDARD_PARAMETERS
        if getattr(record, name, "")
    }
    return replace(record, year=study.year, **standards, **paths)


def _restricted(report: Path) -> Path:
    """Return the folder beside a report for what must not be passed on with it."""
    return report.parent / RESTRICTED_FOLDER / report.name


def _standard_title(study: Study) -> str:
    standard = study.standard
    title = getattr(standard.title, study.language)
    if not standard.document:
        return title
    return sentence("standard_with_number", study.language, title=title, document=standard.document)
