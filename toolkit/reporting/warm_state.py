"""What a warm process has in memory, and how a fork of it becomes a kernel like any other."""

import gc
import importlib.util
import os
import random
import sys
import warnings
from dataclasses import dataclass
from typing import Any

from toolkit.reporting.kernel_preload import import_kernel, preload

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

    def become_kernel(self, arguments: tuple[str, ...]) -> None:
        """Be an IPython kernel until it is shut down, with the state that a plain one would have."""
        from ipykernel.kernelapp import IPKernelApp

        gc.enable()
        for name, value in self.variables:
            os.environ.setdefault(name, value)
        _draw_fresh_seeds()
        sys.argv = [_launcher_path(), *arguments]
        _set_filters(self.kernel_filters)
        # The variable that names the parent was read when the class was imported, before there was one.
        kernel = IPKernelApp.instance(parent_handle=os.getppid())
        kernel.initialize()
        _set_filters((*self.preload_filters, *warnings.filters))
        _connect_pyplot()
        kernel.start()


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
