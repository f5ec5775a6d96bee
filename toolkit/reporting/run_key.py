"""What decides a result beside its inputs: the code with its packages, and the notebook."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from toolkit.reporting.notebook import cell_tags, read_notebook
from toolkit.reporting.record import package_versions, python_version
from toolkit.share import PACKAGE, share_path

# Copies of notebooks and data in an installed package have digests of their own.
APART = frozenset({"_share", "__pycache__"})
COMPILED = (".pyc", ".pyo")

Signature = tuple[tuple[str, int, int], ...]


def code_digest() -> str:
    """Return one hash over what can change a result: code, standards, words, templates, packages, Python."""
    return _code_digest(source_digest())


def source_digest() -> str:
    """Return the hash of this package's own files.

    Line ends and the place of the package do not count. It is computed anew only when a file was touched.
    """
    return _source_digest(PACKAGE, _signature(PACKAGE))


def notebook_digest(name: str) -> str:
    """Return the hash of a shipped notebook's cells: kind, source and tags, not outputs or other metadata.

    Parameters
    ----------
    name : str
        Name without ending, such as ``"02_inter_school_variation"``.
    """
    path = share_path("notebooks", f"{name}.ipynb")
    state = path.stat()
    return _notebook_digest(path, state.st_size, state.st_mtime_ns)


def content_digest(content: Mapping[str, object]) -> str:
    """Return the hash of JSON values, whatever the order of the keys."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def package_files(package: Path = PACKAGE) -> tuple[str, ...]:
    """Return the names of the package's files that can change a result, in their order."""
    return tuple(name for name, _, _ in _signature(package))


def _signature(package: Path) -> Signature:
    """Return name, size and time of each file: what tells cheaply that one was touched."""
    return tuple(sorted(_states(str(package), "")))


def _states(folder: str, prefix: str) -> Iterator[tuple[str, int, int]]:
    """Give name, size and time of the files of a folder that count."""
    # Several times as quick as pathlib, and asked for before every notebook.
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith((".", "~")) or entry.name in APART:
                continue
            if entry.is_dir():
                yield from _states(entry.path, f"{prefix}{entry.name}/")
            elif not entry.name.endswith(COMPILED):
                state = entry.stat()
                yield f"{prefix}{entry.name}", state.st_size, state.st_mtime_ns


@lru_cache(maxsize=4)
def _source_digest(package: Path, signature: Signature) -> str:
    """Return the hash of the files named in a signature."""
    return content_digest({name: _text_digest(package / name) for name, _, _ in signature})


@lru_cache(maxsize=4)
def _code_digest(source: str) -> str:
    """Return the hash of the package's files and of the versions around them."""
    return content_digest({"source": source, "packages": package_versions(), "python": python_version()})


@lru_cache(maxsize=64)
def _notebook_digest(path: Path, _size: int, _time: int) -> str:
    cells = [
        [cell.cell_type, cell.source.replace("\r\n", "\n"), sorted(cell_tags(cell))]
        for cell in read_notebook(path).cells
    ]
    return content_digest({"cells": cells})


def _text_digest(path: Path) -> str:
    """Return the hash of a file with LF line ends, as a checkout on Windows may have others."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
