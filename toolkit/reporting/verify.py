"""A run repeated from its record: whether the same comes out, and if not, where it parts from the first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from toolkit.errors import RunError
from toolkit.reporting.both_languages import column_told, title_told, word_told
from toolkit.reporting.compare import RunComparison, compare_runs
from toolkit.reporting.compared_runs import VARIATION, RunResults
from toolkit.reporting.file_changes import FileChange, file_changes, printed_cells
from toolkit.reporting.input_cells import input_cells
from toolkit.reporting.input_changes import SHORT_HASH
from toolkit.reporting.notebook_cache import NotebookCache
from toolkit.reporting.notebook_runs import kernels_at_a_time
from toolkit.reporting.record import RECORD_NAME, RunRecord, load_log, write_log
from toolkit.reporting.recorded_run import RecordedRun, load_recorded_run, under_recorded_names
from toolkit.reporting.repeat import RunRequest, request_again
from toolkit.reporting.run import run_report
from toolkit.reporting.run_change import NOTHING, Change, Section, Told, changed, labelled, same, told
from toolkit.share import resolve_path

Agreement = Literal["identical", "equal", "different"]

SCHOOL_VALUES = (VARIATION, "school_values")
# What went in otherwise makes another run of it, whatever comes out; other software need not.
DECISIVE: tuple[Section, ...] = ("standard", "parameter", "data", "notebook")
# A finding may be a long sentence.
LONGEST_TEXT = 160


@dataclass(frozen=True, slots=True)
class Verification:
    """What became of repeating a run.

    Attributes
    ----------
    agreement : Agreement
        "identical": the same bytes in all files; "equal": to printed precision; "different".
    comparison : RunComparison
        The two runs compared, the recorded one first; its changes say what differs, inputs and code with it.
    cells : tuple of Change
        Cells of tables that are printed otherwise, and findings that read otherwise; values of schools first.
    files : tuple of FileChange
        Files without the same bytes.
    remarks : tuple of Told
        What had to be assumed, and what cannot be told.
    failures : tuple of RunError
        Notebooks that failed in the repetition.
    """

    agreement: Agreement
    comparison: RunComparison
    cells: tuple[Change, ...]
    files: tuple[FileChange, ...]
    remarks: tuple[Told, ...]
    failures: tuple[RunError, ...]


def verify_run(
    folder: Path,
    *,
    data: Path | None = None,
    output: Path | None = None,
    cache: NotebookCache | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Verification:
    """Repeat a run from its record and compare what comes out.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the run; nothing in it is changed.
    data : pathlib.Path, optional
        Where its data are; by default where they were.
    output : pathlib.Path, optional
        Folder that keeps the repetition; by default it is removed.
    cache : NotebookCache, optional
        Where notebooks that did not change are taken from; by default all are run.
    progress : callable
        Receives the name of each step.

    Raises
    ------
    InputError
        If the folder is none of a run, or something that the run read cannot be found.
    DataError
        If the data as they are now have errors.
    ParameterError
        If the data are those of another county.
    """
    recorded = load_recorded_run(folder)
    request = request_again(recorded, data)
    if output is not None:
        return _verified(recorded, request, output, cache, progress)
    with TemporaryDirectory(prefix="junheng-verify-", ignore_cleanup_errors=True) as scratch:
        return _verified(recorded, request, Path(scratch), cache, progress)


def _verified(
    recorded: RecordedRun,
    request: RunRequest,
    reports: Path,
    cache: NotebookCache | None,
    progress: Callable[[str], None],
) -> Verification:
    location = resolve_path(str(request.parameters["data_path"]))
    with under_recorded_names(recorded, location) as (staged, renamed):
        outcome = run_report(
            {**request.parameters, "data_path": str(staged)},
            reports=reports,
            embed_font=request.embed_font,
            outputs=request.outputs,
            only=request.only,
            progress=progress,
            cache=cache,
            creates_texts=False,
            side_by_side=kernels_at_a_time(),
        )
    progress("comparing")
    repeated = outcome.placement.path
    _log_location(repeated, location)
    compared = compare_runs(recorded.folder, repeated)
    inputs, remarks = input_cells(recorded, location)
    own = (*inputs, *_record_changes(recorded, compared.after.record))
    comparison = replace(compared, changes=(*compared.changes, *own))
    files = file_changes(recorded.folder, repeated)
    agreement = _agreement(recorded, repeated, comparison, files)
    cells = (*_table_cells(comparison), *_finding_changes(comparison))
    nothing_moved = agreement == "different" and not cells and all(file.status == "equal" for file in files)
    unmoved = (told("verify_no_result_moved"),) if nothing_moved else ()
    return Verification(
        agreement=agreement,
        comparison=comparison,
        cells=cells,
        files=files,
        remarks=(*recorded.assumed, *renamed, *_relevant(compared, agreement), *remarks, *unmoved),
        failures=outcome.failures,
    )


def _log_location(repeated: Path, location: Path) -> None:
    """Let the log of a repetition that is kept name the data themselves, not a copy that is gone by then."""
    log = load_log(repeated)
    if log is not None and log.paths.get("data") != str(location):
        write_log(replace(log, paths={**log.paths, "data": str(location)}), repeated)


def _agreement(
    recorded: RecordedRun, repeated: Path, comparison: RunComparison, files: tuple[FileChange, ...]
) -> Agreement:
    """Return how far two runs agree. A record of an older version has other bytes by its form alone."""
    records = [(folder / RECORD_NAME).read_bytes() for folder in (recorded.folder, repeated)]
    if not files and (records[0] == records[1] or (recorded.assumed and not comparison.changes)):
        return "identical"
    if any(comparison.of(section) for section in DECISIVE):
        return "different"
    return "equal" if all(file.status == "equal" for file in files) else "different"


def _record_changes(recorded: RecordedRun, after: RunRecord) -> Iterator[Change]:
    """Give differences of the code that only the hashes tell, and of what was wanted beside the pages."""
    before = recorded.record
    if before.code_sha256 and before.code_sha256 != after.code_sha256:
        shown = [same(record.code_sha256[:SHORT_HASH]) for record in (before, after)]
        yield changed("software", "", labelled("verify_code"), NOTHING, shown)
    for name, sha in sorted(before.notebook_sha256.items()):
        now = after.notebook_sha256.get(name, "")
        if now and now != sha:
            shown = [same(found[:SHORT_HASH]) for found in (sha, now)]
            yield changed("software", "", same(name), labelled("verify_notebook_cells"), shown)


def _relevant(comparison: RunComparison, agreement: Agreement) -> tuple[Told, ...]:
    """Return what was not compared; that causes are incomplete only once, and where results differ."""
    absent = [told("compare_remark_no_values", run=run.name) for run in (comparison.before, comparison.after)]
    others = tuple(remark for remark in comparison.remarks if remark not in absent)
    first = next((remark for remark in comparison.remarks if remark in absent), None)
    return (*others, first) if first and agreement == "different" else others


def _table_cells(comparison: RunComparison) -> tuple[Change, ...]:
    """Return the cells that differ, the values of schools first: numbers, then words."""
    numbers = [change for change in comparison.of("number") if change.before != change.after]
    table = comparison.after.tables.get(SCHOOL_VALUES)
    title = title_told(table.caption).zh if table else ""
    numbers.sort(key=lambda change: not (title and change.subject.zh.startswith(title)))
    return (*numbers, *_word_cells(comparison.before, comparison.after))


def _word_cells(before: RunResults, after: RunResults) -> Iterator[Change]:
    """Give cells with words that differ, in tables whose rows are the same in number."""
    for key, table in after.tables.items():
        old = before.tables.get(key)
        if old is None or len(old.data) != len(table.data) or old.columns != table.columns:
            continue
        for row, cells in enumerate(zip(printed_cells(old), printed_cells(table), strict=True)):
            for column, *pair in zip(table.columns, *cells, strict=True):
                if pair[0] != pair[1] and not column.is_numeric:
                    language = table.caption.language
                    place = word_told(cells[1][0] or str(row + 1), language)
                    subject = told("compare_cell", table=title_told(table.caption), row=place)
                    shown = [word_told(text[:LONGEST_TEXT], language) for text in pair]
                    yield changed("number", "", subject, column_told(column, language), shown)


def _finding_changes(comparison: RunComparison) -> Iterator[Change]:
    """Give findings that read otherwise, or that only one run has."""
    old, new = comparison.before.findings, comparison.after.findings
    for key in dict.fromkeys([*old, *new]):
        one, other = old.get(key), new.get(key)
        if one is None or other is None or (one.zh, one.en) != (other.zh, other.en):
            shown = [
                Told(found.zh[:LONGEST_TEXT], found.en[:LONGEST_TEXT]) if found else same("")
                for found in (one, other)
            ]
            yield changed("number", "", same(key[0]), told("verify_finding", id=key[1]), shown)
