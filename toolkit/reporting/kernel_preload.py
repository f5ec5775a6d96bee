"""What a warm kernel has in memory before its first cell: what the notebooks import, and packaged files."""

import ast
import builtins
import importlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace

from toolkit.reporting.notebook import block_unused_grammars
from toolkit.share import share_path

IMPORTS_TAG = "imports"
INLINE_BACKEND = "module://matplotlib_inline.backend_inline"
# What IPython's kernel imports before its first cell, the debugger alone a third of a second.
KERNEL_MODULES = (
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "debugpy.server.api",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.extensions.storemagic",
    "IPython.utils.wildcard",
    "encodings.idna",
    "psutil",
    "pydoc",
    "tornado.platform.asyncio",
    "toolkit.reporting.warm_cells",
    "tornado.queues",
    "zmq.utils.garbage",
)
# What the functions of the notebooks import when they are called.
LAZY_MODULES = (
    "PIL.BmpImagePlugin",
    "PIL.GifImagePlugin",
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    "PIL.PpmImagePlugin",
    "diff_diff",
    "encodings.cp437",
    "encodings.unicode_escape",
    "encodings.utf_16_le",
    "encodings.utf_8_sig",
    "importlib.readers",
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "matplotlib.font_manager",
    "mpl_toolkits.mplot3d",
    "nbformat",
    "pandas.core.methods.to_dict",
    "pandas.core.reshape.reshape",
    "pandas.io.formats.string",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
    "pypinyin",
    "toolkit.tables.html",
    "xlsxwriter",
)


def import_kernel() -> None:
    """Import what every kernel imports before its first cell."""
    for name in KERNEL_MODULES:
        importlib.import_module(name)


def preload() -> None:
    """Import what the notebooks import, and read what they read of packaged files.

    Nothing here may leave a thread, a lock or a random state behind: every kernel that is forked from this
    process would have it too.
    """
    # matplotlib asks once which backend it has; a plain kernel names it before the first cell.
    if not os.environ.get("MPLBACKEND"):
        os.environ["MPLBACKEND"] = INLINE_BACKEND
    block_unused_grammars()
    with _seen_as_kernel():
        for name, attributes in notebook_imports():
            _import(name, attributes)
        for name in LAZY_MODULES:
            importlib.import_module(name)
    _read_packaged_files()


@cache
def notebook_imports() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the modules that the shipped notebooks import at their top, with the names taken from each."""
    cells = (
        "".join(cell["source"])
        for path in sorted(share_path("notebooks").glob("*.ipynb"))
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if IMPORTS_TAG in cell["metadata"].get("tags", ())
    )
    return tuple(entry for source in cells for entry in _imports(source))


@contextmanager
def _seen_as_kernel() -> Iterator[None]:
    """Let a module that asks during its import find itself in a kernel.

    pandas does, and would otherwise cut tables to the width of a terminal in every kernel.
    """
    if hasattr(builtins, "get_ipython"):
        yield
        return
    setattr(builtins, "get_ipython", lambda: SimpleNamespace(kernel=None))  # noqa: B010
    try:
        yield
    finally:
        delattr(builtins, "get_ipython")


def _imports(source: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Return the modules that a cell imports, with the names taken from each."""
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Import):
            yield from ((alias.name, ()) for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            yield statement.module, tuple(alias.name for alias in statement.names)


def _import(name: str, attributes: tuple[str, ...]) -> None:
    """Import a module, and those of the names taken from it that are modules themselves."""
    module = importlib.import_module(name)
    for attribute in attributes:
        if not hasattr(module, attribute):
            importlib.import_module(f"{name}.{attribute}")


def _read_packaged_files() -> None:
    """Fill caches that hold packaged files only, the same in every kernel."""
    from toolkit.figures.fonts import missing_characters
    from toolkit.vocabulary.loading import sentence_names, term_names

    term_names()
    sentence_names()
    missing_characters("均衡")
