"""One run: from a county's data to a folder with pages, tables, findings and a record."""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from socket import gethostname

import toolkit
from toolkit.data.simulate.settings import is_synthetic
from toolkit.errors import ParameterError, RunError
from toolkit.reporting.narrative import create_narrative, narrative_path, read_narrative
from toolkit.reporting.notebook_runs import (
    EXECUTED_FOLDER,
    DoneNotebook,
    FailedNotebook,
    Progress,
    execute_notebooks,
)
from toolkit.reporting.page import page_header
from toolkit.reporting.parameters import (
    NOTEBOOKS,
    PATH_PARAMETERS,
    StudyParameters,
    check_parameters,
    parameter_fields,
    shown_standard,
)
from toolkit.reporting.record import (
    InputFile,
    NotebookOutcome,
    RunLog,
    RunRecord,
    checkout_commit,
    file_input,
    package_versions,
    python_version,
    run_digest,
    write_log,
    write_record,
)
from toolkit.reporting.refusal import DataError
from toolkit.reporting.run_pages import FinishedRun, write_pages
from toolkit.reporting.runfolder import Placement, place_run, run_folder_name, scratch_folder
from toolkit.reporting.study import Study, data_location, open_study, standard_location
from toolkit.share import project_root, resolve_path, workspace
from toolkit.standards import hash_standard
from toolkit.vocabulary import label, sentence

# Nothing random enters the notebooks there are; those that draw will say from which seed.
SEED = 0
TRUTH = "truth.json"


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
    """

    placement: Placement
    failures: tuple[RunError, ...]
    narratives: tuple[Path, ...]


def run_report(
    parameters: Mapping[str, object],
    *,
    reports: Path | None = None,
    embed_font: bool = False,
    progress: Progress = lambda _: None,
) -> RunOutcome:
    """Read, check and analyse a county, and put the report in place when it is complete.

    A run that is refused leaves nothing behind.

    Parameters
    ----------
    parameters : mapping
        Values for fields of the notebooks' parameter records; the others keep their defaults.
    reports : pathlib.Path, optional
        Folder that receives the report; by default `reports` in the workspace.
    embed_font : bool
        Whether pages bring a Chinese font along.
    progress : callable
        Receives the name of each step.

    Raises
    ------
    ParameterError
        If a parameter is unknown, of the wrong type or out of range, or the standard defines no
        resource indicators.
    DataError
        If the data have errors.
    InputError
        If the data cannot be read.
    RunError
        If the report can be written neither to its place nor beside it.
    """
    records = parameter_records(parameters)
    started, clock = datetime.now(UTC), time.perf_counter()
    progress("reading")
    study = open_study(next(iter(records.values())))
    _require_no_errors(study)
    narratives = narrative_paths(study)
    texts = [path for path in narratives.values() if read_narrative(path)]
    inputs = input_files(study.parameters) + tuple(file_input(path) for path in texts)
    shown = {name: _without_paths(record, study) for name, record in records.items()}
    digest = run_digest({"notebooks": shown, "standard": hash_standard(study.standard)}, inputs)
    target = (reports or workspace() / "reports") / run_folder_name(
        study.county.county_id, study.year, digest
    )
    records = {name: _resolved(record, study) for name, record in records.items()}
    with _scratch(target) as scratch:
        done, failed = execute_notebooks(records, scratch, study.language, progress)
        progress("rendering")
        record = _record(study, shown, inputs, done, failed)
        header = page_header(
            record,
            standard=_standard_title(study),
            version=toolkit.__version__,
            is_synthetic=is_synthetic(study.county.county_id),
        )
        write_pages(
            FinishedRun(header, records, done, failed, narratives, scratch, embed_font, _facts(study))
        )
        shutil.rmtree(scratch / EXECUTED_FOLDER, ignore_errors=True)
        write_record(record, scratch)
        write_log(_log(study, target, started, time.perf_counter() - clock, done), scratch)
        placement = place_run(scratch, target)
    created = tuple(path for path in narratives.values() if create_narrative(path, study.language))
    return RunOutcome(placement, tuple(notebook.told(placement.path) for notebook in failed), created)


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


def input_files(parameters: StudyParameters) -> tuple[InputFile, ...]:
    """Return every file that the parameters name: data, the folder beside a workbook, and the mapping."""
    location = data_location(parameters)
    paths = [location] if location.is_file() else []
    for folder in dict.fromkeys((location, location.with_suffix(""))):
        # The planted truth beside a simulated county is no input.
        paths += [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != TRUTH]
    if parameters.mapping_path:
        paths.append(resolve_path(parameters.mapping_path))
    return tuple(file_input(path) for path in paths)


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
    folder = workspace() / "narrative"
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


def _require_no_errors(study: Study) -> None:
    errors = tuple(problem for problem in study.problems if problem.severity == "error")
    if errors:
        raise DataError(errors)


def _resolved(record: StudyParameters, study: Study) -> StudyParameters:
    """Return the record with the year and the absolute paths that the kernel needs."""
    paths = {
        name: str(resolve_path(getattr(record, name)).resolve())
        for name in ("data_path", "mapping_path")
        if getattr(record, name)
    }
    return replace(record, year=study.year, standard=str(standard_location(record.standard)), **paths)


def _without_paths(record: StudyParameters, study: Study) -> dict[str, object]:
    """Return the values that decide the results: the year that was chosen, files by their names only."""
    values = {name: value for name, value in asdict(record).items() if name not in PATH_PARAMETERS}
    return values | {"year": study.year, "standard": shown_standard(record.standard)}


def _record(
    study: Study,
    shown: Mapping[str, Mapping[str, object]],
    inputs: tuple[InputFile, ...],
    done: tuple[DoneNotebook, ...],
    failed: tuple[FailedNotebook, ...],
) -> RunRecord:
    outcomes = {notebook.name: NotebookOutcome(notebook.name, "done", "") for notebook in done}
    for notebook in failed:
        outcomes[notebook.name] = NotebookOutcome(notebook.name, "failed", notebook.error.reason)
    root = project_root()
    return RunRecord(
        county_id=study.county.county_id,
        county_name=study.county.name,
        year=study.year,
        edition=study.edition,
        language=study.language,
        parameters=shown,
        inputs=inputs,
        standard=study.standard.id,
        standard_sha256=hash_standard(study.standard),
        packages=package_versions(),
        python=python_version(),
        seed=SEED,
        commit=checkout_commit(root) if root else "",
        notebooks=tuple(outcomes[name] for name in NOTEBOOKS),
        accounting=tuple(
            {str(name): value for name, value in row.items()}
            for row in study.reading.accounting.to_dict(orient="records")
        ),
    )


def _log(
    study: Study, target: Path, started: datetime, seconds: float, done: tuple[DoneNotebook, ...]
) -> RunLog:
    return RunLog(
        started=started,
        seconds=seconds,
        host=gethostname(),
        paths={"data": str(data_location(study.parameters)), "reports": str(target.parent)},
        seconds_by_notebook={notebook.name: notebook.seconds for notebook in done},
    )


def _standard_title(study: Study) -> str:
    standard = study.standard
    title = getattr(standard.title, study.language)
    if not standard.document:
        return title
    return sentence("standard_with_number", study.language, title=title, document=standard.document)
