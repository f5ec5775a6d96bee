"""Warm kernels: the cells of a notebook run in a process forked from one that has everything imported."""

import logging
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.reporting.kernel_server import KernelRequest
from toolkit.reporting.warm_server import SERVERS, SWITCH, WarmKernel

if TYPE_CHECKING:
    from nbformat import NotebookNode

# Forked processes on macOS are known to crash in system libraries; there it takes an explicit "1".
SWITCHED_ON, SWITCHED_OFF = "1", "0"
MAY_FAIL = "raises-exception"

StartKernel = Callable[["NotebookNode"], WarmKernel]

logger = logging.getLogger(__name__)


def warm_kernels_wanted() -> bool:
    """Say whether kernels are forked from a warm process here.

    On Linux unless the environment variable JUNHENG_WARM_KERNELS is 0, on macOS if it is 1.
    """
    switch = os.environ.get(SWITCH, "")
    if sys.platform == "linux":
        return switch != SWITCHED_OFF
    return sys.platform == "darwin" and switch == SWITCHED_ON


def start_warm_kernel(folder: Path, environment: dict[str, str], notebook: "NotebookNode") -> WarmKernel:
    """Have a process forked that runs the cells of a notebook one after another, unasked.

    Parameters
    ----------
    folder : pathlib.Path
        Its working folder.
    environment : dict
        All its environment variables.
    notebook : nbformat.NotebookNode
        The notebook with its parameters.

    Raises
    ------
    WarmKernelError
        If there is none to be had.
    """
    cells = tuple(
        (cell.source, MAY_FAIL in cell.metadata.get("tags", ())) for cell in notebook.cells if has_code(cell)
    )
    # As a plain kernel has it.
    own = {**environment, "JPY_PARENT_PID": str(os.getpid())}
    return SERVERS.get(environment).fork_kernel(KernelRequest(cells, own, str(folder)))


def has_code(cell: "NotebookNode") -> bool:
    """Say whether there is something to run in a cell."""
    return cell.cell_type == "code" and bool(cell.source.strip())


@cache
def warm_client(papermill_client: type) -> type:
    """Return papermill's client of a kernel, which here asks nothing: it takes the answers as they come."""
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    class WarmClient(papermill_client):
        def __init__(self, nb_man: Any, start: StartKernel, **options: Any) -> None:
            super().__init__(nb_man, **options)
            self._start = start

        def execute(self, **_: Any) -> "NotebookNode":
            self.reset_execution_trackers()
            self._kernel = self._start(self.nb)
            try:
                self.nb.metadata["language_info"] = self._answer(self.nb.cells[0])["language_info"]
                self.papermill_execute_cells()
            finally:
                self._kernel.close()
            self.set_widgets_metadata()
            return self.nb

        def execute_cell(self, cell: "NotebookNode", cell_index: int, *_: Any, **__: Any) -> "NotebookNode":
            if not has_code(cell):
                return cell
            answer = self._answer(cell)
            self.clear_before_next_output = False
            for message in answer["messages"]:
                self.process_message(message, cell, cell_index)
            reply = answer["reply"]
            cell.execution_count = reply["execution_count"]
            if reply["status"] == "error" and MAY_FAIL not in cell.metadata.get("tags", ()):
                raise CellExecutionError.from_cell_and_msg(cell, reply)
            return cell

        def _answer(self, cell: "NotebookNode") -> dict[str, Any]:
            """Return what the kernel tells next."""
            try:
                answer = self._kernel.answer(self.timeout)
            except TimeoutError as error:
                raise CellTimeoutError.error_from_timeout_and_cell(
                    "no answer", self.timeout or 0, cell
                ) from error
            if answer is None:
                raise DeadKernelError("Kernel died")
            return answer

    return WarmClient


@cache
def tell_once(reason: str) -> None:
    """Log a reason once, not for every notebook of a batch."""
    logger.warning("%s", reason)
