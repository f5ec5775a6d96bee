"""One unit: its report made, its log and status written, whatever happens."""

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from toolkit.batch.status import (
    LOG_FILE,
    STATUS_NAME,
    Reason,
    UnitStatus,
    failed_status,
    is_complete,
    load_status,
    reason_of,
    report_content,
    report_listing,
    running_status,
    save_status,
    told_reason,
)
from toolkit.batch.units import Job
from toolkit.errors import JunhengError, RunError
from toolkit.reporting.notebook_failure import on_one_line
from toolkit.reporting.record import load_record
from toolkit.reporting.refusal import DataError
from toolkit.reporting.run import RunOutcome, run_report
from toolkit.reporting.runfolder import Placement, place_run
from toolkit.share import WORKSPACE_VARIABLE
from toolkit.vocabulary import Language, label, sentence

logger = logging.getLogger(__name__)

LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"
# The last line of a notebook's failure says where its copy is kept: that stands in the report.
LINES_WITHOUT_PLACE = 2

MakeReport = Callable[..., RunOutcome]


def run_unit(job: Job, make: MakeReport = run_report) -> UnitStatus:
    """Make the report of a unit and return what became of it. A failure is a status, never an exception.

    An engine that gives the same unit to two workers does no harm: the later one finds the status of
    the same call.

    Parameters
    ----------
    job : Job
        The unit and where it belongs.
    make : callable
        Makes the report, as `toolkit.reporting.run.run_report` does.
    """
    earlier = load_status(job.folder)
    if earlier is not None and earlier.is_finished and earlier.token == job.token:
        return earlier
    clock = time.perf_counter()
    running = running_status(job, earlier)
    try:
        _sweep(job.folder)
        save_status(running, job.folder)
        with _unit_log(job.folder / LOG_FILE), _workspace(job.place.workspace):
            status = _made(job, running, make)
        status = replace(status, seconds=round(time.perf_counter() - clock, 2))
        save_status(status, job.folder)
    except OSError as error:
        reason = told_reason("file_not_written", path=job.folder, reason=error.strerror or error)
        return failed_status(job, reason, round(time.perf_counter() - clock, 2))
    return status


def _made(job: Job, running: UnitStatus, make: MakeReport) -> UnitStatus:
    """Return what became of the report."""
    options = job.options
    logger.info("%s %s", job.unit.name, dict(job.unit.parameters))
    for reason in job.why:
        logger.info("%s: %s", label(f"batch_why_{reason}", "zh"), label(f"batch_why_{reason}", "en"))
    try:
        outcome = make(
            job.unit.parameters,
            reports=job.place.reports,
            embed_font=options.embed_font,
            outputs=options.outputs,
            only=options.only,
            progress=logger.info,
        )
        status = _finished(job, running, outcome)
    except JunhengError as error:
        return failed_status(job, _refused(error))
    except Exception as error:
        logger.exception("unexpected")
        name = type(error).__name__
        reason = told_reason("batch_unexpected", error=name, detail=error, log=job.folder / LOG_FILE)
        return failed_status(job, Reason(on_one_line(reason.zh), on_one_line(reason.en)))
    for reason in status.reasons:
        logger.error("%s\n%s", reason.zh, reason.en)
    return status


def _finished(job: Job, running: UnitStatus, outcome: RunOutcome) -> UnitStatus:
    """Return the status of a unit whose report is in place."""
    report = _placed(outcome.placement, running)
    record = load_record(report)
    reasons = (*map(_notebook_reason, outcome.failures), *map(reason_of, outcome.notices))
    return replace(
        running_status(job),
        state="incomplete" if reasons else "done",
        county_id=record.county_id,
        county_name=record.county_name,
        year=record.year,
        report=report.name,
        listing=report_listing(report),
        content=report_content(report),
        reasons=reasons,
    )


def _placed(placement: Placement, running: UnitStatus) -> Path:
    """Return where the report is: in the place of the incomplete one that an earlier call left.

    Nothing else is replaced: that one is known by its status, is of the same inputs, and holds what it held.
    """
    place = placement.existing
    earlier = place.with_name(running.report or place.name)
    is_of_same_inputs = earlier == place or earlier.name.startswith(f"{place.name}-")
    if earlier == placement.path or not is_of_same_inputs or not is_complete(running, place.parent):
        return placement.path
    if placement.status == "identical" or placement.path == place:
        shutil.rmtree(earlier, ignore_errors=True)
        return placement.path
    return place_run(placement.path, earlier, replace=True).path


def _refused(error: JunhengError) -> Reason:
    """Log a refusal, with every error of the data; return it with the first of them, which can be mended."""
    logger.error("%s\n%s", error.zh, error.en, exc_info=error)
    reason = reason_of(error)
    if not isinstance(error, DataError):
        return reason
    for problem in error.problems:
        place = " ".join(part for part in (problem.file, problem.sheet, problem.cell, problem.school) if part)
        logger.error("%s: %s %s", place, problem.message("zh"), problem.message("en"))
    first = error.problems[0]
    place = "".join(f"{part} " for part in (first.sheet, first.cell, first.school) if part)

    def told(language: Language) -> str:
        known = {"place": place, "problem": first.message(language), "remedy": first.remedy(language)}
        return sentence("batch_first_problem", language, reason=getattr(reason, language), **known)

    return Reason(told("zh"), told("en"))


def _notebook_reason(failure: RunError) -> Reason:
    zh, en = ("\n".join(text.splitlines()[:LINES_WITHOUT_PLACE]) for text in (failure.zh, failure.en))
    return Reason(on_one_line(zh), on_one_line(en))


def _sweep(folder: Path) -> None:
    """Remove what a killed process left of a status."""
    for unfinished in folder.glob(f".{STATUS_NAME}-*"):
        unfinished.unlink(missing_ok=True)


@contextmanager
def _unit_log(path: Path) -> Iterator[None]:
    """Write what this thread logs to the log of the unit, behind what earlier calls wrote."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    own = threading.get_ident()
    handler.addFilter(lambda record: record.thread == own)
    root = logging.getLogger()
    earlier_level = logger.level
    root.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(earlier_level)
        root.removeHandler(handler)
        handler.close()


@contextmanager
def _workspace(folder: Path) -> Iterator[None]:
    """Work in the workspace of whoever started the batch, on whatever machine this is."""
    before = os.environ.get(WORKSPACE_VARIABLE)
    os.environ[WORKSPACE_VARIABLE] = str(folder)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(WORKSPACE_VARIABLE, None)
        else:
            os.environ[WORKSPACE_VARIABLE] = before
