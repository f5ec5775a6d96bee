"""Units run to the end, whatever becomes of the workers."""

from collections import Counter
from collections.abc import Iterator, Sequence

from toolkit.batch.engines import Engine, Work, WorkersLostError
from toolkit.batch.settings import batch_settings
from toolkit.batch.status import UnitStatus, failed_status, load_status, save_status, told_reason
from toolkit.batch.units import Job


def run_all(jobs: Sequence[Job], engine: Engine, work: Work) -> Iterator[UnitStatus]:
    """Give the status of every unit once, restarting the workers whenever some are lost.

    A unit that was under way when workers were lost is run again by itself, after all others: in company
    nobody can tell which unit took the worker down. One that a worker did not survive so often as
    `settings.toml` says has failed.
    """
    together, alone = list(jobs), []
    deaths: Counter[str] = Counter()
    while together or alone:
        # One at a time has a round of its own each, so that a trace of an earlier round misleads nobody.
        current, is_alone = (together, False) if together else (alone[:1], True)
        given: set[str] = set()
        broken = False
        try:
            for status in engine.run(work, current, alone=is_alone):
                given.add(status.unit)
                yield status
        except WorkersLostError:
            broken = True
        left = [job for job in current if job.unit.name not in given]
        finished, suspects, untouched = _sorted_out(left)
        yield from finished
        if not suspects and (not broken or len(untouched) == len(current)):
            # They died before a unit had begun, or an engine forgot units: not again without end.
            suspects, untouched = untouched[:1], untouched[1:]
        deaths.update(job.unit.name for job in suspects)
        dead = [job for job in suspects if deaths[job.unit.name] >= batch_settings().deaths]
        for job in dead:
            yield _died(job, deaths[job.unit.name])
        again = [job for job in suspects if job not in dead]
        together, alone = ([], alone[1:] + untouched + again) if is_alone else (untouched, alone + again)


def _sorted_out(jobs: Sequence[Job]) -> tuple[list[UnitStatus], list[Job], list[Job]]:
    """Return, of units whose result was lost, those that finished, those under way, and those not begun."""
    finished, suspects, untouched = [], [], []
    for job in jobs:
        status = load_status(job.folder)
        if status is None or status.token != job.token:
            untouched.append(job)
        elif status.is_finished:
            finished.append(status)
        else:
            suspects.append(job)
    return finished, suspects, untouched


def _died(job: Job, times: int) -> UnitStatus:
    """Return, after writing it, the status of a unit that no worker survives."""
    status = failed_status(job, told_reason("batch_worker_died", times=times))
    save_status(status, job.folder)
    return status
