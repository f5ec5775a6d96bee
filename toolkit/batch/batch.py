"""A batch: what is missing or changed is run, what is there is kept, and the summary tells of all."""

import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from toolkit.batch.engines import Engine
from toolkit.batch.lock import one_at_a_time
from toolkit.batch.rounds import run_all
from toolkit.batch.run_unit import MakeReport, run_unit
from toolkit.batch.status import UnitStatus, is_complete, load_status
from toolkit.batch.summary_page import write_summary
from toolkit.batch.unit_key import unit_keys
from toolkit.batch.units import Job, Options, Place, Unit
from toolkit.errors import RunError
from toolkit.reporting.run import run_report
from toolkit.reporting.runfolder import ascii_name, remove_stale_folders
from toolkit.share import workspace
from toolkit.vocabulary import Language

BATCH_FOLDER = "batch"
TOKEN_BYTES = 8


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """The units of a batch before it starts.

    Attributes
    ----------
    jobs : tuple of Job
        Every unit.
    kept : tuple of UnitStatus
        Units that are done as they should be, or that failed and are not to be tried again.
    """

    jobs: tuple[Job, ...]
    kept: tuple[UnitStatus, ...]

    @property
    def waiting(self) -> tuple[Job, ...]:
        """Units to be run."""
        return tuple(job for job in self.jobs if job.why)

    @property
    def why(self) -> Mapping[str, int]:
        """How many units are run for each reason; one may have several."""
        return Counter(reason for job in self.jobs for reason in job.why)


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What a batch left behind.

    Attributes
    ----------
    statuses : tuple of UnitStatus
        What became of each unit, in the order of the units.
    kept : int
        How many were there already.
    summary : pathlib.Path
        The page that tells of all.
    """

    statuses: tuple[UnitStatus, ...]
    kept: int
    summary: Path

    def count(self, *states: str) -> int:
        """Return how many units are in these states."""
        return sum(status.state in states for status in self.statuses)


def batch_place(reports: Path, name: str) -> Place:
    """Return the place of a batch, with its folder made.

    Raises
    ------
    RunError
        If nothing can be written there.
    """
    folder = reports / BATCH_FOLDER / ascii_name(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError("file_not_written", path=folder, reason=error.strerror or error) from error
    return Place(reports, folder, workspace())


def plan_batch(
    units: Sequence[Unit], place: Place, options: Options, *, fresh: bool = False, retry_failed: bool = True
) -> BatchPlan:
    """Return which units are run, and why: those that are missing, changed or failed.

    Parameters
    ----------
    units : sequence of Unit
        The units.
    place : Place
        Where the batch works.
    options : Options
        What is wanted of each.
    fresh : bool
        Whether all are run.
    retry_failed : bool
        Whether those that failed are run again although nothing changed.
    """
    token = secrets.token_hex(TOKEN_BYTES)
    keys = unit_keys(units, options)
    jobs, kept = [], []
    for unit in units:
        job = Job(unit, keys[unit.name], (), token, place, options)
        earlier = load_status(job.folder)
        why = ("fresh",) if fresh else _why(job, earlier, retry_failed=retry_failed)
        jobs.append(replace(job, why=why))
        if earlier is not None and not why:
            kept.append(earlier)
    return BatchPlan(tuple(jobs), tuple(kept))


def run_batch(
    plan: BatchPlan,
    engine: Engine,
    place: Place,
    *,
    language: Language = "zh",
    make: MakeReport = run_report,
    told: Callable[[UnitStatus], None] = lambda _: None,
) -> BatchOutcome:
    """Run the units that wait and write the summary of all.

    Killed at any moment, it leaves no half-written report; the next call completes what is missing.

    Parameters
    ----------
    plan : BatchPlan
        From `plan_batch`.
    engine : Engine
        What runs the units.
    place : Place
        Where the batch works.
    language : {"zh", "en"}
        Language of the summary.
    make : callable
        Makes a report, as `toolkit.reporting.run.run_report` does.
    told : callable
        Receives the status of each unit that came to an end.

    Raises
    ------
    RunError
        If the same batch is running already, or its folder cannot be written.
    """
    statuses = {status.unit: status for status in plan.kept}
    with one_at_a_time(place.folder):
        try:
            for status in run_all(plan.waiting, engine, partial(run_unit, make=make)):
                statuses[status.unit] = status
                told(status)
        finally:
            # Of workers that were lost or stopped; each run removes those of earlier ones by itself.
            remove_stale_folders(place.reports)
        ordered = tuple(statuses[job.unit.name] for job in plan.jobs)
        try:
            summary = write_summary(ordered, place, language)
        except OSError as error:
            raise RunError("file_not_written", path=place.folder, reason=error.strerror or error) from error
    return BatchOutcome(ordered, len(plan.kept), summary)


def _why(job: Job, earlier: UnitStatus | None, *, retry_failed: bool) -> tuple[str, ...]:
    """Return why a unit is run, nothing when what an earlier call left is as it should be."""
    if earlier is None:
        return ("new",)
    if not job.key:
        return ("unreadable",)
    if changed := tuple(kind for kind, value in job.key.items() if earlier.key.get(kind) != value):
        return changed
    if not earlier.is_finished:
        return ("interrupted",)
    if earlier.state == "done":
        return () if is_complete(earlier, job.place.reports) else ("incomplete",)
    return ("failed",) if retry_failed else ()
