"""The processes in which notebooks of this process run now, so that an interrupt can end them."""

from typing import Protocol
from weakref import WeakSet


class RunningKernel(Protocol):
    """A process that runs the cells of a notebook."""

    def end(self) -> None:
        """Kill it, if it still runs; whoever waits for it finds it dead."""
        ...


# Those of all threads.
RUNNING: "WeakSet[RunningKernel]" = WeakSet()


def end_kernels() -> None:
    """Kill every kernel of this process that still runs; whoever waits for it finds it dead."""
    for kernel in list(RUNNING):
        kernel.end()
