"""What must be true of every worker of a Dask scheduler before units are sent to it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.batch.engines import ONE_THREAD, THREAD_VARIABLES
from toolkit.batch.units import Place
from toolkit.errors import RunError
from toolkit.reporting.run_key import code_digest

if TYPE_CHECKING:
    from distributed import Client

SEEN_NAME = ".seen-by-workers"


def require_fit_workers(client: "Client", place: Place) -> int:
    """Return how many workers there are, after asking each what would make its reports wrong.

    Raises
    ------
    RunError
        If a worker has several threads, or does not limit numeric threads to one, or has other code, or
        does not see the folder of the batch. It names the worker and the remedy.
    """
    mark = place.folder / SEEN_NAME
    mark.write_bytes(b"")
    try:
        answers: Any = client.run(_worker_facts, mark)
    finally:
        mark.unlink(missing_ok=True)
    threads: Any = client.nthreads()
    own = code_digest()
    for address, facts in sorted(answers.items()):
        if threads.get(address, 1) != 1:
            raise RunError("batch_worker_threads", worker=address, threads=threads[address])
        if facts["variables"]:
            raise RunError(
                "batch_worker_numeric_threads", worker=address, variables=" ".join(facts["variables"])
            )
        if not facts["sees"]:
            raise RunError("batch_worker_folder", worker=address, folder=place.folder)
        if facts["code"] != own:
            raise RunError("batch_worker_code", worker=address)
    return len(answers)


def _worker_facts(mark: Path) -> dict[str, Any]:
    """Return what a worker says of itself."""
    unset = [f"{name}={ONE_THREAD}" for name in THREAD_VARIABLES if os.environ.get(name) != ONE_THREAD]
    return {"variables": unset, "sees": mark.is_file(), "code": code_digest()}
