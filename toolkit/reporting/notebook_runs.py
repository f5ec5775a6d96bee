"""The notebooks of one run: executed one after another, each in a kernel of its own."""

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from toolkit.errors import RunError
from toolkit.reporting.execute import execute_notebook
from toolkit.reporting.notebook import notebook_title, read_notebook
from toolkit.reporting.notebook_failure import NotebookError
from toolkit.reporting.parameters import StudyParameters
from toolkit.reporting.record import NotebookOutcome
from toolkit.reporting.saved_results import OUTCOMES_NAME, record_outcome
from toolkit.share import share_path
from toolkit.vocabulary import Language

FAILED_FOLDER = "failed"
EXECUTED_FOLDER = "executed"
RESULTS_FOLDER = "results"

Progress = Callable[[str], None]
"""Receives the name of each step."""


@dataclass(frozen=True, slots=True)
class DoneNotebook:
    """A notebook that was executed to its end.

    Attributes
    ----------
    name, title : str
        Name of the notebook, and its title in the language of the run.
    executed : pathlib.Path
        The executed copy.
    seconds : float
        How long it took.
    """

    name: str
    title: str
    executed: Path
    seconds: float


@dataclass(frozen=True, slots=True)
class FailedNotebook:
    """A notebook that failed.

    Attributes
    ----------
    name, title : str
        Name of the notebook, and its title in the language of the run.
    error : NotebookError
        Where and why.
    """

    name: str
    title: str
    error: NotebookError

    def told(self, report: Path) -> RunError:
        """Return the failure in three lines, the last with the place of the copy in the report."""
        kept = report / FAILED_FOLDER / f"{self.name}.ipynb"
        return RunError(self.error.name, **{**self.error.values, "path": kept})


def execute_notebooks(
    records: Mapping[str, StudyParameters], scratch: Path, language: Language, progress: Progress
) -> tuple[tuple[DoneNotebook, ...], tuple[FailedNotebook, ...]]:
    """Execute the notebooks into a folder; one that fails does not stop the others.

    Parameters
    ----------
    records : mapping of str to StudyParameters
        Parameters by notebook, in the order of execution.
    scratch : pathlib.Path
        Receives ``executed/<name>/``, ``results/<name>/`` and, for a notebook that failed, its copy in
        ``failed/``; of such a one no results are left.
    language : {"zh", "en"}
        Language of titles.
    progress : callable
        Receives the name of each notebook before it starts.
    """
    done, failed = [], []
    for name, record in records.items():
        progress(name)
        source = share_path("notebooks", f"{name}.ipynb")
        title = notebook_title(read_notebook(source), language)
        results = scratch / RESULTS_FOLDER / name
        folder = scratch / EXECUTED_FOLDER / name
        clock = time.perf_counter()
        try:
            executed = execute_notebook(
                source, asdict(replace(record, results_dir=str(results))), folder, language=language
            )
        except NotebookError as error:
            failed.append(FailedNotebook(name, title, error))
            shutil.rmtree(results, ignore_errors=True)
            record_outcome(scratch / RESULTS_FOLDER, NotebookOutcome(name, "failed", error.reason))
            _keep(folder / source.name, scratch / FAILED_FOLDER)
            continue
        record_outcome(scratch / RESULTS_FOLDER, NotebookOutcome(name, "done", ""))
        done.append(DoneNotebook(name, title, executed, time.perf_counter() - clock))
    # The record of the run says the same; this one was for the notebooks that came after.
    (scratch / RESULTS_FOLDER / OUTCOMES_NAME).unlink(missing_ok=True)
    return tuple(done), tuple(failed)


def _keep(executed: Path, folder: Path) -> None:
    """Keep the copy that failed, for whoever mends it; there is none when no kernel started."""
    if executed.exists():
        folder.mkdir(exist_ok=True)
        shutil.copyfile(executed, folder / executed.name)
