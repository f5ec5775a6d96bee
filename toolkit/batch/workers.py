"""The worker processes of this machine: one numeric thread each, and no longer life than their runner's."""

from contextlib import AbstractContextManager, nullcontext

from toolkit.reporting.owner import end_with, this_process


def worker_processes(count: int) -> AbstractContextManager:
    """Return the joblib configuration of that many workers; one alone is this very process.

    joblib's workers wait for minutes for a runner that was killed.
    """
    from joblib import parallel_config

    if count == 1:
        return nullcontext()
    return parallel_config(
        backend="loky", inner_max_num_threads=1, initializer=end_with, initargs=(this_process(),)
    )
