"""What a warm process has in memory, and how a fork of it becomes a kernel."""

import gc
import importlib.util
import os
import random
import socket
import sys
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

from toolkit.reporting.kernel_preload import import_kernel, preload
from toolkit.reporting.kernel_server import QUIET_KERNEL, Cell

LAUNCHER = "ipykernel_launcher"
INLINE_MODULE = "matplotlib_inline.backend_inline"


@dataclass(frozen=True, slots=True)
class WarmState:
    """A process with everything imported.

    Attributes
    ----------
    kernel_filters : tuple
        Filters of warnings that a plain kernel has while it starts.
    preload_filters : tuple
        Those that the preloaded modules put in front of them.
    variables : tuple of (name, value)
        Environment variables that imported modules set, as they do in a plain kernel.
    """

    kernel_filters: tuple
    preload_filters: tuple
    variables: tuple[tuple[str, str], ...]

    @classmethod
    def prepared(cls) -> "WarmState":
        """Import everything into this process."""
        environment = dict(os.environ)
        import_kernel()
        before = tuple(warnings.filters)
        preload()
        added = tuple(entry for entry in warnings.filters if entry not in before)
        return cls(before, added, tuple(os.environ.items() - environment.items()))

    def run_cells(self, cells: Iterable[Cell], channel: socket.socket) -> NoReturn:
        """Be an IPython kernel that runs these cells, with the state that a plain one would have."""
        from toolkit.reporting.warm_cells import CellsApp, KeptMessages, run_cells

        gc.enable()
        for name, value in self.variables:
            os.environ.setdefault(name, value)
        _draw_fresh_seeds()
        sys.argv = [_launcher_path(), *QUIET_KERNEL]
        _set_filters(self.kernel_filters)
        app = CellsApp.instance(session=KeptMessages())
        app.initialize()
        _set_filters((*self.preload_filters, *warnings.filters))
        _connect_pyplot()
        run_cells(cells, channel, app)


def _draw_fresh_seeds() -> None:
    """Seed the shared generators anew: each fork would draw the same numbers."""
    random.seed()
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


def _set_filters(filters: tuple) -> None:
    # Python forgets by this which warnings it has shown.
    warnings.resetwarnings()
    list_of_filters: Any = warnings.filters
    list_of_filters[:] = filters


def _connect_pyplot() -> None:
    """Let pyplot show its figures in cells, as it does when it is imported inside a kernel.

    Imported before the fork it found no kernel, and would show nothing without an error.
    """
    backend = sys.modules.get(INLINE_MODULE)
    if backend is not None:
        backend._enable_matplotlib_integration()


def _launcher_path() -> str:
    spec = importlib.util.find_spec(LAUNCHER)
    return spec.origin or LAUNCHER if spec else LAUNCHER
