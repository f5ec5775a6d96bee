"""The notebooks of one run: executed in kernels of their own, side by side, or taken as they were."""

import os
import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Lock

from toolkit.errors import RunError
from toolkit.reporting.execute import execute_notebook
from toolkit.reporting.notebook import notebook_title, read_notebook
from toolkit.reporting.notebook_cache import Reuse, reads_others
from toolkit.reporting.notebook_failure import NotebookError
from toolkit.reporting.parameters import StudyParameters
from toolkit.reporting.record import NotebookOutcome
from toolkit.reporting.running_kernels import end_kernels
from toolkit.reporting.saved_results import OUTCOMES_NAME, record_outcome
from toolkit.share import share_path
from toolkit.vocabulary import Language

FAILED_FOLDER = "failed"
EXECUTED_FOLDER = "executed"
RESULTS_FOLDER = "results"

# A kernel with a county of 60 schools takes 250 to 450 MB.
KERNEL_BYTES = 600_000_000
END_SECONDS = 0.05

UNCHANGED = "unchanged"
"""Step that is told of a notebook that was not run again."""

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
    reused : bool
        Whether it was taken from an earlier run.
    """

    name: str
    title: str
    executed: Path
    seconds: float
    reused: bool = False

    @property
    def outcome(self) -> NotebookOutcome:
        """What the record of the run says of it."""
        return NotebookOutcome(self.name, "done", "")


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

    @property
    def outcome(self) -> NotebookOutcome:
        """What the record of the run says of it."""
        return NotebookOutcome(self.name, "failed", self.error.reason)

    def told(self, report: Path) -> RunError:
        """Return the failure in three lines, the last with the place of the copy in the report."""
        kept = report / FAILED_FOLDER / f"{self.name}.ipynb"
        return RunError(self.error.name, **{**self.error.values, "path": kept})


def execute_notebooks(
    records: Mapping[str, StudyParameters],
    scratch: Path,
    language: Language,
    progress: Progress,
    reuse: Reuse | None = None,
    *,
    side_by_side: int = 1,
) -> tuple[tuple[DoneNotebook, ...], tuple[FailedNotebook, ...]]:
    """Execute the notebooks into a folder; one that fails does not stop the others.

    Parameters
    ----------
    records : mapping of str to StudyParameters
        Parameters by notebook, in the order of the report.
    scratch : pathlib.Path
        Receives ``executed/<name>/``, ``results/<name>/`` and, for a notebook that failed, its copy in
        ``failed/``; of such a one no results are left.
    language : {"zh", "en"}
        Language of titles.
    progress : callable
        Receives the name of each notebook before it starts, and "unchanged" where it need not. Called by
        one thread at a time.
    reuse : Reuse, optional
        What is needed to take notebooks that did not change from earlier runs; by default all are run.
    side_by_side : int
        Notebooks executed at a time. Those that show what others found wait for these.
    """
    work = _Work(scratch, language, progress, reuse)
    ended: dict[str, DoneNotebook | FailedNotebook] = {}
    for names in _rounds(records):
        ended |= _execute_together({name: records[name] for name in names}, work, side_by_side)
        for name in names:
            record_outcome(work.outcomes, ended[name].outcome)
    if reuse:
        reuse.cache.prune()
    # The record of the run says the same; this one was for the notebooks that came after.
    (work.outcomes / OUTCOMES_NAME).unlink(missing_ok=True)
    every = [ended[name] for name in records]
    return (
        tuple(notebook for notebook in every if isinstance(notebook, DoneNotebook)),
        tuple(notebook for notebook in every if isinstance(notebook, FailedNotebook)),
    )


def kernels_at_a_time() -> int:
    """Return how many kernels this machine bears side by side: one a processor, as memory allows."""
    import psutil

    by_memory = psutil.virtual_memory().available // KERNEL_BYTES
    return max(1, min(os.cpu_count() or 1, int(by_memory)))


@dataclass(frozen=True, slots=True)
class _Work:
    """Where and how the notebooks of a run are executed."""

    scratch: Path
    language: Language
    progress: Progress
    reuse: Reuse | None
    telling: Lock = field(default_factory=Lock)

    @property
    def outcomes(self) -> Path:
        """Folder with the results of all notebooks and with their outcomes."""
        return self.scratch / RESULTS_FOLDER

    def execute(self, name: str, record: StudyParameters) -> DoneNotebook | FailedNotebook:
        """Execute a notebook, or take it from an earlier run."""
        self._tell(name)
        source = share_path("notebooks", f"{name}.ipynb")
        title = notebook_title(read_notebook(source), self.language)
        executed = self.scratch / EXECUTED_FOLDER / name / source.name
        clock = time.perf_counter()
        try:
            reused = _execute_or_take(source, record, executed, self.outcomes, self.reuse)
        except NotebookError as error:
            shutil.rmtree(self.outcomes / name, ignore_errors=True)
            _keep(executed, self.scratch / FAILED_FOLDER)
            return FailedNotebook(name, title, error)
        if reused:
            self._tell(UNCHANGED)
        return DoneNotebook(name, title, executed, time.perf_counter() - clock, reused)

    def _tell(self, step: str) -> None:
        with self.telling:
            self.progress(step)


def _rounds(records: Mapping[str, StudyParameters]) -> list[list[str]]:
    """Return the notebooks that need no other, then one by one those that show what others found."""
    alone = [name for name in records if not reads_others(name)]
    return [alone, *([name] for name in records if name not in alone)]


def _execute_together(
    records: Mapping[str, StudyParameters], work: _Work, side_by_side: int
) -> dict[str, DoneNotebook | FailedNotebook]:
    """Execute notebooks side by side; an interrupt ends their kernels, and no other is begun."""
    started: dict[str, Future[DoneNotebook | FailedNotebook]] = {}
    with ThreadPoolExecutor(side_by_side) as pool:
        try:
            for name, record in records.items():
                started[name] = pool.submit(work.execute, name, record)
            return {name: future.result() for name, future in started.items()}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            # A kernel that was about to start when the others were ended is met the next time round.
            while not all(future.done() for future in started.values()):
                end_kernels()
                time.sleep(END_SECONDS)
            raise


def _execute_or_take(
    source: Path, record: StudyParameters, executed: Path, outcomes: Path, reuse: Reuse | None
) -> bool:
    """Execute a notebook, or take it from an earlier run; say whether it was taken."""
    results = outcomes / source.stem
    key = reuse.key(source.stem, outcomes) if reuse else ""
    if reuse and reuse.cache.restore(key, executed, results):
        return True
    parameters = asdict(replace(record, results_dir=str(results)))
    language: Language = "en" if record.language == "en" else "zh"
    execute_notebook(source, parameters, executed.parent, language=language)
    if reuse:
        reuse.keep(source.stem, key, executed, outcomes)
    return False


def _keep(executed: Path, folder: Path) -> None:
    """Keep the copy that failed, for whoever mends it; there is none when no kernel started."""
    if executed.exists():
        folder.mkdir(exist_ok=True)
        shutil.copyfile(executed, folder / executed.name)
