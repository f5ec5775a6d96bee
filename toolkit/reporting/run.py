"""One run: from a county's data to a folder with pages, tables, findings and a record."""

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from socket import gethostname

import toolkit
from toolkit.data.county import Reading
from toolkit.data.problems import Problem
from toolkit.errors import InputError, ParameterError
from toolkit.reporting.execute import NotebookError, execute_notebook
from toolkit.reporting.findings import FILE_NAME as FINDINGS_NAME
from toolkit.reporting.findings import load_findings
from toolkit.reporting.index import Download, FailedPart, IndexEntry, ReportIndex, render_index
from toolkit.reporting.narrative import create_narrative, narrative_path, read_narrative
from toolkit.reporting.notebook import notebook_title, read_notebook
from toolkit.reporting.page import PageHeader, PageLink, page_header
from toolkit.reporting.parameters import NOTEBOOKS, StudyParameters, printed_parameters
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
from toolkit.reporting.render import Page, render_page
from toolkit.reporting.runfolder import Placement, place_run, run_folder_name, scratch_folder
from toolkit.reporting.study import (
    Study,
    data_location,
    load_table_titles,
    open_study,
    standard_location,
)
from toolkit.share import project_root, resolve_path, share_path, workspace
from toolkit.standards import Standard, hash_standard
from toolkit.vocabulary import Language, sentence

VERDICT_NOTEBOOK = "02_inter_school_variation"
PATH_PARAMETERS = ("data_path", "results_dir", "mapping_path")
HEADLINE_KINDS = ("headline", "not_judged")

Progress = Callable[[str], None]


class DataError(InputError):
    """Raised when the data have errors that must be mended before a report is made.

    Attributes
    ----------
    problems : tuple of Problem
        Everything noticed, errors and others.
    """

    def __init__(self, name: str, /, *, problems: tuple[Problem, ...], **values: object) -> None:
        super().__init__(name, **values)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a run left behind.

    Attributes
    ----------
    placement : Placement
        Where the report is.
    failures : tuple of FailedPart
        Notebooks that failed; the rest of the report is complete.
    narratives : tuple of Path
        Files for the county's own text that were created in this run.
    """

    placement: Placement
    failures: tuple[FailedPart, ...]
    narratives: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class _Done:
    """A notebook that was executed, and its title."""

    name: str
    title: str
    executed: Path
    seconds: float


def run_report(
    parameters: Mapping[str, object],
    *,
    reports: Path | None = None,
    embed_font: bool = False,
    progress: Progress = lambda _: None,
) -> RunOutcome:
    """Read, check and analyse a county, and put the report in place when it is complete.

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
        If a parameter is unknown, or the standard defines no resource indicators.
    DataError
        If the data have errors.
    InputError
        If the data cannot be read.
    """
    records = parameter_records(parameters)
    base = next(iter(records.values()))
    started, clock = datetime.now(UTC), time.perf_counter()
    progress("reading")
    study = open_study(base)
    _require_indicators(study.standard)
    _require_no_errors(study)
    records = {name: _resolved(record, study) for name, record in records.items()}
    narratives = _prepare_narratives(study)
    inputs = input_files(base) + tuple(file_input(path) for path in _written(study))
    shown = {name: _without_paths(record) for name, record in records.items()}
    digest = run_digest({"notebooks": shown, "standard": hash_standard(study.standard)}, inputs)
    reports = reports or workspace() / "reports"
    folder_name = run_folder_name(study.county.county_id, study.year, digest)
    with scratch_folder(reports, folder_name) as scratch:
        done, failures = _execute_all(records, scratch, study.language, progress)
        progress("rendering")
        record = _record(study, shown, inputs, done, failures)
        header = page_header(record, standard=_standard_title(study), version=toolkit.__version__)
        for position, notebook in enumerate(done):
            _write_page(done, position, records, header, scratch, study, embed_font)
        (scratch / "index.html").write_text(
            render_index(_index(done, failures, header, scratch), embed_font=embed_font),
            encoding="utf-8",
            newline="\n",
        )
        shutil.rmtree(scratch / "executed", ignore_errors=True)
        write_record(record, scratch)
        write_log(
            RunLog(
                started=started,
                seconds=time.perf_counter() - clock,
                host=gethostname(),
                paths={"data": str(data_location(base)), "reports": str(reports)},
                seconds_by_notebook={notebook.name: notebook.seconds for notebook in done},
            ),
            scratch,
        )
        placement = place_run(scratch, reports / folder_name)
    return RunOutcome(placement, failures, narratives)


def parameter_records(values: Mapping[str, object]) -> dict[str, StudyParameters]:
    """Return the record of each notebook with the values that it knows.

    Raises
    ------
    ParameterError
        If no notebook knows a value.
    """
    names = {entry.name for record in NOTEBOOKS.values() for entry in fields(record)}
    unknown = sorted(set(values) - names)
    if unknown:
        raise ParameterError("parameter_unknown", names=", ".join(unknown), known=", ".join(sorted(names)))
    return {
        name: record(**{entry.name: values[entry.name] for entry in fields(record) if entry.name in values})  # pyright: ignore[reportArgumentType]
        for name, record in NOTEBOOKS.items()
    }


def input_files(parameters: StudyParameters) -> tuple[InputFile, ...]:
    """Return every file that the parameters name: data, the folder beside a workbook, and the mapping."""
    location = data_location(parameters)
    beside = location.with_suffix("")
    folders = [folder for folder in (location, beside) if folder.is_dir()]
    paths = [location] if location.is_file() else []
    paths += [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    if parameters.mapping_path:
        paths.append(resolve_path(parameters.mapping_path))
    return tuple(file_input(path) for path in paths)


def _require_indicators(standard: Standard) -> None:
    if not standard.indicators or standard.split is None:
        raise ParameterError("standard_without_indicators", standard=standard.id)


def _require_no_errors(study: Study) -> None:
    errors = [problem for problem in study.problems if problem.severity == "error"]
    if errors:
        raise DataError("data_have_errors", problems=study.problems, count=len(errors))


def _resolved(record: StudyParameters, study: Study) -> StudyParameters:
    """Return the record with the year and the absolute paths that the kernel needs."""
    paths = {
        name: str(resolve_path(getattr(record, name)).resolve())
        for name in ("data_path", "mapping_path")
        if getattr(record, name)
    }
    location = standard_location(record.standard)
    standard = str(location.resolve()) if isinstance(location, Path) else record.standard
    return replace(record, year=study.year, standard=standard, **paths)


def _without_paths(record: StudyParameters) -> dict[str, object]:
    """Return the values that decide the results, files by their names only."""
    values = {name: value for name, value in asdict(record).items() if name not in PATH_PARAMETERS}
    return values | {"standard": Path(record.standard).name}


def _prepare_narratives(study: Study) -> tuple[Path, ...]:
    """Create the files for the county's own text that are not there yet."""
    return tuple(path for path in _narrative_paths(study) if create_narrative(path, study.language))


def _narrative_paths(study: Study) -> list[Path]:
    folder = workspace() / "narrative"
    return [narrative_path(folder, study.county.county_id, study.year, name) for name in NOTEBOOKS]


def _written(study: Study) -> list[Path]:
    """Return the files of the county's own text that hold some."""
    return [path for path in _narrative_paths(study) if read_narrative(path)]


def _execute_all(
    records: Mapping[str, StudyParameters], scratch: Path, language: Language, progress: Progress
) -> tuple[list[_Done], tuple[FailedPart, ...]]:
    """Execute the notebooks one after another; one that fails does not stop the others."""
    done, failures = [], []
    for name, record in records.items():
        progress(name)
        source = share_path("notebooks", f"{name}.ipynb")
        title = notebook_title(read_notebook(source), language)
        values = asdict(replace(record, results_dir=str(scratch / "results" / name)))
        clock = time.perf_counter()
        try:
            executed = execute_notebook(source, values, scratch / "executed" / name, language=language)
        except NotebookError as error:
            failures.append(FailedPart(title, error.section, error.reason))
            _keep_failed(scratch, name)
            continue
        done.append(_Done(name, title, executed, time.perf_counter() - clock))
    return done, tuple(failures)


def _keep_failed(scratch: Path, name: str) -> None:
    """Keep the copy that failed beside the report, for whoever mends it."""
    executed = scratch / "executed" / name / f"{name}.ipynb"
    if executed.exists():
        target = scratch / "failed" / executed.name
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(executed, target)


def _record(
    study: Study,
    shown: Mapping[str, Mapping[str, object]],
    inputs: tuple[InputFile, ...],
    done: list[_Done],
    failures: tuple[FailedPart, ...],
) -> RunRecord:
    finished = {notebook.name for notebook in done}
    failed = dict(zip([name for name in NOTEBOOKS if name not in finished], failures, strict=True))
    outcomes = [
        NotebookOutcome(name, "done", "") if name in finished else NotebookOutcome(name, "failed", failed[name].reason)
        for name in NOTEBOOKS
    ]
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
        seed=0,
        commit=checkout_commit(root) if root else "",
        notebooks=tuple(outcomes),
        accounting=_accounting(study.reading),
    )


def _accounting(reading: Reading) -> tuple[dict[str, object], ...]:
    return tuple(
        {str(name): value for name, value in row.items()} for row in reading.accounting.to_dict("records")
    )


def _standard_title(study: Study) -> str:
    standard = study.standard
    title = getattr(standard.title, study.language)
    if not standard.document:
        return title
    return sentence("standard_with_number", study.language, title=title, document=standard.document)


def _write_page(
    done: list[_Done],
    position: int,
    records: Mapping[str, StudyParameters],
    header: PageHeader,
    scratch: Path,
    study: Study,
    embed_font: bool,
) -> None:
    notebook = done[position]
    links = [PageLink(other.title, f"{other.name}.html") for other in done]
    narrative = narrative_path(workspace() / "narrative", study.county.county_id, study.year, notebook.name)
    page = Page(
        header=header,
        title=notebook.title,
        parameters=tuple(printed_parameters(records[notebook.name], study.language)),
        narrative=read_narrative(narrative),
        results=scratch / "results" / notebook.name,
        results_href=f"results/{notebook.name}",
        previous_page=links[position - 1] if position else None,
        next_page=links[position + 1] if position + 1 < len(links) else None,
        embed_font=embed_font,
    )
    html = render_page(read_notebook(notebook.executed), page)
    (scratch / f"{notebook.name}.html").write_text(html, encoding="utf-8", newline="\n")


def _index(
    done: list[_Done], failures: tuple[FailedPart, ...], header: PageHeader, scratch: Path
) -> ReportIndex:
    found = {
        notebook.name: load_findings(scratch / "results" / notebook.name / FINDINGS_NAME).findings
        for notebook in done
    }
    verdicts = [finding for finding in found.get(VERDICT_NOTEBOOK, ()) if finding.id.startswith("verdict_")]
    entries = [
        IndexEntry(
            title=notebook.title,
            href=f"{notebook.name}.html",
            summary=sentence(f"summary_{notebook.name}", header.language),
            headlines=tuple(
                finding
                for finding in found[notebook.name]
                if finding.kind in HEADLINE_KINDS and finding not in verdicts
            ),
        )
        for notebook in done
    ]
    return ReportIndex(
        header=header,
        verdicts=tuple(verdicts),
        entries=tuple(entries),
        not_run=(),
        failures=failures,
        downloads=tuple(_downloads(done, scratch)),
    )


def _downloads(done: list[_Done], scratch: Path) -> list[Download]:
    """Return the tables of all notebooks with their titles, in the order of the pages."""
    return [
        Download(title, f"results/{notebook.name}/{key}.csv", f"results/{notebook.name}/{key}.xlsx")
        for notebook in done
        for key, title in load_table_titles(scratch / "results" / notebook.name).items()
    ]
