"""Execution of one notebook in a kernel of its own. The only module that imports papermill."""

import importlib
import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from toolkit.errors import ParameterError
from toolkit.reporting.kernel import KERNEL_NAME, kernel_environment
from toolkit.reporting.kernel_client import kernel_manager
from toolkit.reporting.kernel_server import QUIET_KERNEL
from toolkit.reporting.notebook import block_unused_grammars, cell_tags, read_notebook, tidied, write_notebook
from toolkit.reporting.notebook_failure import notebook_failure, on_one_line
from toolkit.reporting.parameter_types import PYTHON_TYPES, JsonValue, has_type, refuse_unfit_for_json
from toolkit.reporting.warm_kernel import (
    StartKernel,
    has_code,
    start_warm_kernel,
    tell_once,
    warm_client,
    warm_kernels_wanted,
)
from toolkit.reporting.warm_server import WarmKernelError
from toolkit.vocabulary import Language

if TYPE_CHECKING:
    from nbformat import NotebookNode

ENGINE_NAME = "junheng"
START_ATTEMPTS = 3
DEFAULT_TIMEOUT_SECONDS = 900


@dataclass(frozen=True, slots=True)
class NotebookParameter:
    """One line of a notebook's parameters cell: name, annotated type, default as written."""

    name: str
    type: str
    default: str


def execute_notebook(
    path: Path,
    parameters: Mapping[str, JsonValue],
    scratch: Path,
    *,
    language: Language = "zh",
    timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS,
) -> Path:
    """Execute a copy of a notebook in a folder of its own and return the path of the executed copy.

    Parameters
    ----------
    path : pathlib.Path
        The notebook; it is not changed.
    parameters : mapping
        Values for names of its cell tagged ``parameters``. JSON types only, so that every value
        arrives as it was given: the code "0102" stays a text.
    scratch : pathlib.Path
        Folder for the executed copy and working directory of the kernel; made if absent.
    language : {"zh", "en"}
        Language of the section headings named in a failure.
    timeout_seconds : int
        Longest time that one cell may take.

    Raises
    ------
    ParameterError
        Before a kernel starts, if a parameter is unknown or has the wrong type.
    NotebookError
        If a cell fails or takes too long, or if the kernel cannot start or ends early.
    """
    check_parameters(path, parameters)
    scratch.mkdir(parents=True, exist_ok=True)
    executed = scratch / path.name
    notebook = _execute_with_papermill(path, dict(parameters), executed, language, timeout_seconds)
    write_notebook(tidied(notebook), executed)
    return executed


def notebook_parameters(path: Path) -> tuple[NotebookParameter, ...]:
    """Return the parameters that a notebook declares.

    Raises
    ------
    ParameterError
        If it does not have exactly one cell tagged ``parameters``.
    """
    tagged = [cell for cell in read_notebook(path).cells if "parameters" in cell_tags(cell)]
    if len(tagged) != 1:
        raise ParameterError("report_notebook_without_parameters", notebook=path.stem, count=len(tagged))
    _import_quietly()
    import papermill

    inspected = papermill.inspect_notebook(_without_braces(path))
    return tuple(
        NotebookParameter(name, entry["inferred_type_name"], entry["default"])
        for name, entry in inspected.items()
    )


def check_parameters(path: Path, parameters: Mapping[str, JsonValue]) -> None:
    """Refuse parameters that the notebook does not have, or of another type than it declares."""
    declared = {parameter.name: parameter.type for parameter in notebook_parameters(path)}
    unknown = sorted(parameters.keys() - declared.keys())
    if unknown:
        raise ParameterError(
            "report_parameter_unknown",
            notebook=path.stem,
            names=", ".join(unknown),
            known=", ".join(declared),
        )
    for name, value in parameters.items():
        refuse_unfit_for_json(name, value)
        expected = declared[name].split("[")[0].strip()
        if expected in PYTHON_TYPES and not has_type(value, PYTHON_TYPES[expected]):
            raise ParameterError(
                "report_parameter_type",
                notebook=path.stem,
                parameter=name,
                expected=expected,
                received=type(value).__name__,
                value=repr(value),
            )


def _import_quietly() -> None:
    """Import papermill without its announcements."""
    block_unused_grammars()
    with warnings.catch_warnings():
        # On Windows, the event loop that the kernels' sockets need is announced with a warning.
        warnings.filterwarnings("ignore", message=".*[Pp]roactor.*", category=RuntimeWarning)
        importlib.import_module("papermill")
    # Its messages are told by our own failures.
    logging.getLogger("papermill").setLevel(logging.CRITICAL)


def _execute_with_papermill(
    path: Path, parameters: dict, executed: Path, language: Language, timeout_seconds: int
) -> "NotebookNode":
    """Run the cells and return the notebook; turn each way of failing into a failure told in three lines."""
    _import_quietly()
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill import PapermillExecutionError

    failure = partial(notebook_failure, path, parameters, executed, language)
    for attempt in range(1, START_ATTEMPTS + 1):
        try:
            # What keeps a warm kernel from starting may not keep a plain one.
            warm = attempt == 1 and warm_kernels_wanted()
            notebook = _run_cells(path, parameters, executed, timeout_seconds, warm=warm)
        except WarmKernelError as error:
            tell_once(str(error))
        except PapermillExecutionError as error:
            detail = on_one_line(error.evalue)
            raise failure("report_notebook_failed", error=error.ename, detail=detail) from error
        except CellTimeoutError as error:
            raise failure("report_notebook_timed_out", seconds=timeout_seconds) from error
        except DeadKernelError as error:
            raise failure("report_kernel_died") from error
        except (RuntimeError, NoSuchKernel) as error:
            if attempt == START_ATTEMPTS:
                detail = on_one_line(str(error))
                raise failure("report_kernel_not_started", attempts=attempt, detail=detail) from error
        else:
            if not all(_was_run(cell) for cell in notebook.cells):
                raise failure("report_notebook_stopped")
            return notebook
    raise AssertionError("unreachable: the last attempt succeeds or fails")


def _run_cells(
    path: Path, parameters: dict, executed: Path, timeout_seconds: int, *, warm: bool
) -> "NotebookNode":
    """Run the cells in a kernel that works in the folder of the executed copy, and return the notebook.

    papermill writes it to its file when the cells have ended, one of them with an error perhaps.
    """
    import papermill
    from papermill.engines import papermill_engines

    papermill_engines.register(ENGINE_NAME, _engine())
    with TemporaryDirectory(prefix="junheng-ipython-", ignore_cleanup_errors=True) as ipython_folder:
        environment = {**kernel_environment(), "IPYTHONDIR": ipython_folder}
        if warm:
            kernel: dict[str, Any] = {"start": partial(start_warm_kernel, executed.parent, environment)}
        else:
            kernel = {
                "kernel_manager_class": kernel_manager(executed.parent, environment),
                "extra_arguments": list(QUIET_KERNEL),
                # Every output has arrived by then, and an orderly shutdown stands still for seconds now and
                # then: one thread of the kernel waits for another that has ended.
                "shutdown_kernel": "immediate",
            }
        return papermill.execute_notebook(
            _without_braces(path),
            _without_braces(executed),
            parameters,
            engine_name=ENGINE_NAME,
            # Before and after every cell: with a megabyte of output that takes longer than the cells.
            request_save_on_cell_execute=False,
            kernel_name=KERNEL_NAME,
            language="python",
            progress_bar=False,
            execution_timeout=timeout_seconds,
            copy=executed,
            **kernel,
        )


@cache
def _engine() -> type:
    """Return papermill's engine, which also runs cells in warm kernels and keeps what it left.

    Of a notebook that took too long, or whose kernel died, papermill would leave nothing.
    """
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine
    from papermill.log import logger

    client = warm_client(PapermillNotebookClient)

    class ReportEngine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(
            cls, nb_man: Any, *arguments: Any, copy: Path, start: StartKernel | None = None, **options: Any
        ) -> Any:
            try:
                if start is None:
                    return super().execute_managed_notebook(nb_man, *arguments, **options)
                seconds = options["execution_timeout"]
                return client(nb_man, start, timeout=seconds, log=logger).execute()
            except BaseException:
                write_notebook(nb_man.nb, copy)
                raise

    return ReportEngine


def _without_braces(path: Path) -> str:
    """Return a path for papermill, which would fill braces in it with parameters."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _was_run(cell: "NotebookNode") -> bool:
    """Say whether a cell was run, if it holds code."""
    return not has_code(cell) or cell.execution_count is not None
