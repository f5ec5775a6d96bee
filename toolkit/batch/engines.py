"""The engines that run units side by side: joblib on this machine, Dask on several. The unit is the same."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from toolkit.batch.settings import batch_settings
from toolkit.batch.status import UnitStatus
from toolkit.batch.units import Job
from toolkit.batch.workers import worker_processes
from toolkit.errors import ParameterError, RunError

if TYPE_CHECKING:
    from distributed import Client

Work = Callable[[Job], UnitStatus]

# What numeric libraries read when they are imported; joblib sets them in the workers that it starts.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
ONE_THREAD = "1"


class WorkersLostError(Exception):
    """Raised when workers ended in the middle of units; which ones, the status of the units tells."""


class Engine(Protocol):
    """Runs units side by side."""

    def run(self, work: Work, jobs: Sequence[Job], *, alone: bool) -> Iterator[UnitStatus]:
        """Give the status of each unit as it comes to an end, in any order.

        Parameters
        ----------
        work : callable
            What is done with each unit; it and the units can be pickled.
        jobs : sequence of Job
            The units.
        alone : bool
            Whether one unit is run at a time, so that a worker that dies tells by which.

        Raises
        ------
        WorkersLostError
            When workers ended. Units whose status was not given may be finished or not.
        """
        ...


@dataclass(frozen=True, slots=True)
class LokyEngine:
    """Worker processes on this machine.

    Attributes
    ----------
    jobs : int
        How many.
    """

    jobs: int

    def run(self, work: Work, jobs: Sequence[Job], *, alone: bool) -> Iterator[UnitStatus]:
        """Give the status of each unit as it comes to an end."""
        from joblib import Parallel, delayed
        from joblib.externals.loky.process_executor import BrokenProcessPool

        one_by_one = alone or self.jobs == 1
        # joblib runs a single job in this very process, which a dying unit would take along. So there are
        # two workers, and one unit on its way at a time.
        workers = 2 if one_by_one else self.jobs
        on_the_way = 1 if one_by_one else 2 * self.jobs
        options: dict[str, Any] = {"batch_size": 1, "pre_dispatch": on_the_way}
        results: Any = iter(())
        try:
            with worker_processes(workers):
                results = Parallel(n_jobs=workers, return_as="generator_unordered", **options)(
                    delayed(work)(job) for job in jobs
                )
            yield from results
        except BrokenProcessPool as error:
            raise WorkersLostError(str(error)) from error
        finally:
            if hasattr(results, "close"):
                results.close()


@dataclass(frozen=True, slots=True)
class DaskEngine:
    """Workers of a Dask scheduler, on this machine or on several that share the folders.

    Attributes
    ----------
    client : distributed.Client
        Connection to the scheduler.
    address : str
        Address of the scheduler, for people.
    """

    client: "Client"
    address: str

    def run(self, work: Work, jobs: Sequence[Job], *, alone: bool) -> Iterator[UnitStatus]:
        """Give the status of each unit as it comes to an end."""
        if not alone:
            yield from self._run_together(work, jobs)
            return
        for job in jobs:
            yield from self._run_together(work, [job])

    def _run_together(self, work: Work, jobs: Sequence[Job]) -> Iterator[UnitStatus]:
        from distributed import KilledWorker, as_completed
        from distributed.client import FutureCancelledError

        # joblib's own backend for Dask is never told of a unit that the scheduler gave up, and would wait on.
        futures = [
            self.client.submit(work, job, key=f"{job.unit.name}-{job.token}-{number}", pure=False)
            for number, job in enumerate(jobs)
        ]
        lost = 0
        try:
            for future in as_completed(futures, loop=self.client.loop):
                try:
                    status = future.result()
                except KilledWorker:
                    lost += 1
                    continue
                except FutureCancelledError as error:
                    raise RunError("batch_scheduler_lost", address=self.address) from error
                yield status
        finally:
            # Units that wait are taken back; those under way end by themselves.
            with suppress(OSError, RuntimeError):
                self.client.cancel(futures)
        if lost:
            raise WorkersLostError(f"{lost} units")


def connect_dask(address: str) -> "Client":
    """Return the connection to a scheduler that has workers.

    Raises
    ------
    ParameterError
        If Dask is not installed, or the address is none.
    RunError
        If no scheduler answers there, or none of its workers comes up.
    """
    try:
        import distributed
    except ImportError as error:
        raise ParameterError("batch_dask_missing") from error
    seconds = batch_settings().connect_seconds
    try:
        client = distributed.Client(address, timeout=seconds, set_as_default=False)
    except ValueError as error:
        raise ParameterError("batch_dask_address", address=address) from error
    except OSError as error:
        raise RunError("batch_scheduler_absent", address=address) from error
    try:
        client.wait_for_workers(1, timeout=seconds)
    except TimeoutError as error:
        client.close()
        raise RunError("batch_no_worker", address=address, seconds=seconds) from error
    return client
