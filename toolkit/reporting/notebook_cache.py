"""Executed notebooks kept in the workspace with their results: what did not change is not run again."""

import hashlib
import json
import logging
import os
import platform
import shutil
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.reporting.notebook import cell_tags, read_notebook, write_notebook
from toolkit.reporting.opened import Stamp, stamp_files
from toolkit.reporting.run_key import code_digest, content_digest, notebook_digest
from toolkit.share import share_path, workspace

if TYPE_CHECKING:
    from nbformat import NotebookNode

CACHE_FOLDER = ".junheng-cache"
NOTEBOOKS_FOLDER = "notebooks"
LAYOUT = 1
KEY_LENGTH = 32
ENTRY_NAME = "entry.json"
COPY_NAME = "executed.ipynb"
RESULTS_NAME = "results"
UNFINISHED = ".unfinished-"
UNFINISHED_LIFETIME_SECONDS = 24 * 3600
PAGE_TYPE = "text/html"
# It holds the paths of the run that made the copy.
INJECTED_TAG = "injected-parameters"
# A notebook that shows what others found says so in its cells.
READS_OTHERS = "open_results"
SETTINGS = Path(__file__).with_suffix(".toml")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NotebookCache:
    """Executed notebooks with their results, one folder for each.

    An entry holds what the report of its run holds, no more: nothing about single persons, and of a public
    edition or of pseudonyms nothing that these withhold.

    Attributes
    ----------
    folder : pathlib.Path
        Where the entries are.
    reads : bool
        Whether entries are used; if not, everything is run, and takes the place of what is there.
    """

    folder: Path
    reads: bool = True

    def restore(self, key: str, executed: Path, results: Path) -> bool:
        """Copy an entry into a run; say whether there was one. A damaged one is removed and not used.

        Parameters
        ----------
        key : str
            From `notebook_key`.
        executed : pathlib.Path
            Receives the executed copy.
        results : pathlib.Path
            Folder that receives the results.
        """
        entry = self.folder / key
        if not self.reads or not entry.is_dir():
            return False
        try:
            contents = _checked_contents(entry)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            logger.warning("an entry of the cache is damaged and removed: %s", key, exc_info=True)
            shutil.rmtree(entry, ignore_errors=True)
            return False
        results.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            target = executed if name == COPY_NAME else results / Path(name).relative_to(RESULTS_NAME)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        _touch(entry)
        return True

    def keep(self, key: str, executed: Path, results: Path) -> None:
        """Keep a notebook that came to its end; where that is not possible the run goes on without."""
        try:
            self._write(key, executed, results)
        except OSError:
            logger.warning("an executed notebook could not be kept: %s", key, exc_info=True)

    def prune(self) -> None:
        """Remove what was used longest ago until the rest is within bounds, and what was left half done."""
        limits = _limits()
        number = size = 0
        for entry, entry_size in _by_last_use(self.folder):
            number, size = number + 1, size + entry_size
            if number > limits["largest_number"] or size > limits["largest_bytes"]:
                shutil.rmtree(entry, ignore_errors=True)
        for folder in self.folder.glob(f"{UNFINISHED}*"):
            if time.time() - _last_use(folder) > UNFINISHED_LIFETIME_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)

    def _write(self, key: str, executed: Path, results: Path) -> None:
        """Write an entry beside its place and rename it: it is there as a whole or not at all."""
        _make_folder(self.folder)
        unfinished = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self.folder))
        try:
            write_notebook(_as_shown(executed), unfinished / COPY_NAME)
            if results.is_dir():
                shutil.copytree(results, unfinished / RESULTS_NAME)
            contents = {name: path.read_bytes() for name, path in _files(unfinished)}
            entry = {
                "layout": LAYOUT,
                "bytes": sum(map(len, contents.values())),
                "files": {name: _hash(content) for name, content in contents.items()},
            }
            (unfinished / ENTRY_NAME).write_text(
                json.dumps(entry, indent=1, sort_keys=True), encoding="utf-8"
            )
            if not self.reads:
                shutil.rmtree(self.folder / key, ignore_errors=True)
            if not (self.folder / key).exists():
                unfinished.rename(self.folder / key)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Reuse:
    """What one run needs to take notebooks from the cache.

    Attributes
    ----------
    cache : NotebookCache
        The cache.
    decisive : mapping of str to mapping
        By notebook, what decides its results beside code and results of others: parameters without paths,
        inputs, standard, plan.
    files : tuple of Path
        The inputs.
    stamp : Stamp
        Size and time of the inputs when they were hashed.
    """

    cache: NotebookCache
    decisive: Mapping[str, Mapping[str, object]]
    files: tuple[Path, ...]
    stamp: Stamp

    def key(self, name: str, results: Path) -> str:
        """Return the key of a notebook that is about to run.

        Parameters
        ----------
        name : str
            Name of the notebook.
        results : pathlib.Path
            Folder with the results of the notebooks that were run before it, and with their outcomes.
        """
        content = {
            "layout": LAYOUT,
            "notebook": name,
            "cells": notebook_digest(name),
            "code": code_digest(),
            # The last digits of a sum may differ between processors.
            "machine": [platform.node(), platform.system(), platform.machine()],
            "decisive": self.decisive[name],
            "others": folder_digest(results, without=name) if reads_others(name) else "",
        }
        return content_digest(content)[:KEY_LENGTH]

    def keep(self, name: str, key: str, executed: Path, results: Path) -> None:
        """Keep a notebook that came to its end, unless a file of data or code was changed meanwhile.

        Parameters
        ----------
        name, key : str
            The notebook, and its key when it started.
        executed : pathlib.Path
            The executed copy.
        results : pathlib.Path
            Folder with the results of all notebooks.
        """
        if self.key(name, results) == key and stamp_files(self.files) == self.stamp:
            self.cache.keep(key, executed, results / name)


def open_cache(*, fresh: bool = False) -> NotebookCache:
    """Return the cache of the workspace; a fresh run takes nothing from it."""
    return NotebookCache(workspace() / CACHE_FOLDER / NOTEBOOKS_FOLDER, reads=not fresh)


def reads_others(name: str) -> bool:
    """Say whether a notebook shows what others found."""
    notebook = read_notebook(share_path("notebooks", f"{name}.ipynb"))
    return any(cell.cell_type == "code" and READS_OTHERS in cell.source for cell in notebook.cells)


def folder_digest(folder: Path, *, without: str = "") -> str:
    """Return the hash of all files of a folder with their names, those of one folder inside left aside."""
    files = ((name, path) for name, path in _files(folder) if name.split("/")[0] != without)
    return content_digest({name: _hash(path.read_bytes()) for name, path in files})


def _as_shown(executed: Path) -> "NotebookNode":
    """Return an executed copy without what no page shows: paths of its run, objects written out as text."""
    notebook = read_notebook(executed)
    for cell in notebook.cells:
        if INJECTED_TAG in cell_tags(cell):
            cell.source = ""
        for shown in cell.get("outputs", ()):
            if PAGE_TYPE in shown.get("data", {}):
                shown.data = type(shown.data)({PAGE_TYPE: shown.data[PAGE_TYPE]})
    return notebook


def _checked_contents(entry: Path) -> dict[str, bytes]:
    """Return the files of an entry, or fail where one is not as it was written."""
    listed = json.loads((entry / ENTRY_NAME).read_text(encoding="utf-8"))
    hashes = listed["files"]
    contents = {name: path.read_bytes() for name, path in _files(entry) if name != ENTRY_NAME}
    found = {name: _hash(content) for name, content in contents.items()}
    if listed["layout"] != LAYOUT or found != hashes or COPY_NAME not in found:
        raise ValueError("files differ from their list")
    return contents


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Give every file below a folder with its name there, nothing where there is none."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _make_folder(folder: Path) -> None:
    """Make the folder of the cache; version control leaves it alone by the note inside."""
    folder.mkdir(parents=True, exist_ok=True)
    note = folder.parent / ".gitignore"
    if not note.exists():
        note.write_text("*\n", encoding="utf-8")


def _by_last_use(folder: Path) -> list[tuple[Path, int]]:
    """Return the entries with their sizes, those used last first."""
    entries = [path for path in folder.glob("*") if path.is_dir() and not path.name.startswith(".")]
    entries.sort(key=lambda entry: (-_last_use(entry), entry.name))
    return [(entry, _size(entry)) for entry in entries]


def _last_use(path: Path) -> float:
    """Return when a folder was used last, 0 when another run has just removed it."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _size(entry: Path) -> int:
    """Return the size of an entry as listed in it; one that has no list is checked when it is used."""
    try:
        return int(json.loads((entry / ENTRY_NAME).read_text(encoding="utf-8"))["bytes"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _touch(entry: Path) -> None:
    """Remember that an entry was used; that another run removed it meanwhile does not matter any more."""
    try:
        os.utime(entry)
    except OSError:
        logger.info("an entry of the cache is gone: %s", entry.name)


@cache
def _limits() -> dict[str, int]:
    return tomllib.loads(SETTINGS.read_text(encoding="utf-8"))
