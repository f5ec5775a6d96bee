"""Execution of one notebook in a kernel of its own. The only module that imports papermill."""

import importlib
import logging
import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import toolkit
from toolkit.errors import ParameterError, RunError
from toolkit.reporting.notebook import (
    block_unused_grammars,
    cell_tags,
    headings,
    keep_language,
    read_notebook,
    tidied,
    without_markers,
    write_notebook,
)
from toolkit.vocabulary import Language, label

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager
    from nbformat import NotebookNode

JsonValue = str | int | float | bool | list | dict | None

KERNEL_NAME = "python3"
QUIET_KERNEL = ("--log-level=50", "--HistoryManager.enabled=False")
START_ATTEMPTS = 3
DEFAULT_TIMEOUT_SECONDS = 900

# One thread: on few cores more of them slow a batch down, and they reorder sums.
KERNEL_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "PYTHONUTF8": "1",
    "PYTHONHASHSEED": "0",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}

INSTALLED_PACKAGES = ("site-packages", "dist-packages")
ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
}


@dataclass(frozen=True, slots=True)
class NotebookParameter:
    """One line of a notebook's parameters cell: name, annotated type, default as written."""

    name: str
    type: str
    default: str


class NotebookError(RunError):
    """A notebook that did not run to its end.

    Attributes
    ----------
    notebook : str
        Name of the notebook.
    section : str
        Heading above the cell that failed.
    reason : str
        What went wrong on one line, in the language of the run, without absolute paths.
    """

    def __init__(self, name: str, *, reason: str, **values: object) -> None:
        super().__init__(name, **values)
        self.notebook = str(values["notebook"])
        self.section = str(values["section"])
        self.reason = reason


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
    _execute_with_papermill(path, dict(parameters), executed, language, timeout_seconds)
    notebook = read_notebook(executed)
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
        _check_json(name, value)
        expected = declared[name].split("[")[0].strip()
        if expected in PYTHON_TYPES and not _has_type(value, PYTHON_TYPES[expected]):
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


def _run_cells(path: Path, parameters: dict, executed: Path, timeout_seconds: int) -> None:
    """Run the cells in a kernel that works in the folder of the executed copy."""
    import papermill

    with TemporaryDirectory(prefix="junheng-ipython-", ignore_cleanup_errors=True) as ipython_folder:
        environment = {**_environment(), "IPYTHONDIR": ipython_folder}
        papermill.execute_notebook(
            read_notebook(path),
            _without_braces(executed),
            parameters,
            kernel_name=KERNEL_NAME,
            language="python",
            progress_bar=False,
            execution_timeout=timeout_seconds,
            extra_arguments=list(QUIET_KERNEL),
            kernel_manager_class=_kernel_manager(executed.parent, environment),
        )


def _environment() -> dict[str, str]:
    """Return the environment of the kernel, which imports the same toolkit as this process."""
    search_path = [
        str(Path(entry).absolute()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry
    ]
    home = Path(toolkit.__file__).absolute().parents[1]
    if home.name not in INSTALLED_PACKAGES:
        search_path.insert(0, str(home))
    return {**os.environ, **KERNEL_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(search_path)}


def _without_braces(path: Path) -> str:
    """Return a path for papermill, which would fill braces in it with parameters."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _kernel_manager(folder: Path, environment: dict[str, str]) -> "type[AsyncKernelManager]":
    """Return a kernel manager with its own folder and environment.

    papermill's own `cwd` changes the folder of this whole process, and it offers no environment.
    """
    from jupyter_client.manager import AsyncKernelManager

    class ReportKernelManager(AsyncKernelManager):
        async def start_kernel(self, **options: object) -> None:
            await super().start_kernel(**{**options, "cwd": str(folder), "env": environment})

    return ReportKernelManager


def _execute_with_papermill(
    path: Path, parameters: dict, executed: Path, language: Language, timeout_seconds: int
) -> None:
    """Run the cells; turn each way of failing into a failure told in three lines."""
    _import_quietly()
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill import PapermillExecutionError

    failure = partial(_failure, path, parameters, executed, language)
    for attempt in range(1, START_ATTEMPTS + 1):
        try:
            _run_cells(path, parameters, executed, timeout_seconds)
        except PapermillExecutionError as error:
            detail = _one_line(error.evalue)
            raise failure("report_notebook_failed", error=error.ename, detail=detail) from error
        except CellTimeoutError as error:
            raise failure("report_notebook_timed_out", seconds=timeout_seconds) from error
        except DeadKernelError as error:
            raise failure("report_kernel_died") from error
        except (RuntimeError, NoSuchKernel) as error:
            if attempt == START_ATTEMPTS:
                detail = _one_line(str(error))
                raise failure("report_kernel_not_started", attempts=attempt, detail=detail) from error
        else:
            break
    if not all(_was_run(cell) for cell in read_notebook(executed).cells):
        raise failure("report_notebook_stopped")


def _failure(
    path: Path,
    parameters: Mapping[str, JsonValue],
    executed: Path,
    language: Language,
    sentence_name: str,
    **values: object,
) -> NotebookError:
    """Return the failure of a notebook; its reason is the second line of the message."""
    section = _failed_section(executed, language)
    told = RunError(sentence_name, notebook=path.stem, section=section, path=executed, **values)
    reason = without_paths(getattr(told, language).splitlines()[1], parameters)
    return NotebookError(sentence_name, reason=reason, **told.values)


def without_paths(text: str, parameters: Mapping[str, JsonValue]) -> str:
    """Return a text in which absolute paths among the parameters are cut down to their last part."""
    for value in parameters.values():
        if isinstance(value, str) and value and Path(value).is_absolute():
            text = text.replace(value, Path(value).name)
    return text


def _one_line(text: str) -> str:
    """Return a message on one line, without terminal colours; a text in two languages stays in both."""
    lines = [line.strip() for line in ANSI_COLOUR.sub("", text).splitlines()]
    return " / ".join(line for line in lines if line)


def _failed_section(executed: Path, language: Language) -> str:
    """Return the heading above the cell at which the execution ended."""
    if not executed.exists():
        return label("report_beginning", language)
    cells = without_markers(read_notebook(executed))
    failed = max((position for position, cell in enumerate(cells) if _was_started(cell)), default=0)
    above = headings(keep_language(cells[:failed], language))
    return above[-1] if above else label("report_beginning", language)


def _was_run(cell: "NotebookNode") -> bool:
    """Say whether a cell was run, if it holds code."""
    return cell.cell_type != "code" or not cell.source.strip() or cell.execution_count is not None


def _was_started(cell: "NotebookNode") -> bool:
    """Say whether the execution reached a code cell."""
    status = cell.metadata.get("papermill", {}).get("status", "pending")
    return cell.cell_type == "code" and status != "pending"


def _check_json(name: str, value: object) -> None:
    """Refuse a value that JSON would change."""
    if isinstance(value, list):
        for item in value:
            _check_json(name, item)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_json(name, key)
            _check_json(name, item)
    elif value is not None and type(value) not in (str, int, float, bool):
        raise ParameterError("report_parameter_not_json", parameter=name, received=type(value).__name__)


def _has_type(value: object, types: tuple[type, ...]) -> bool:
    """Say whether a value has one of the types; true and false are no numbers."""
    return isinstance(value, types) and (bool in types or not isinstance(value, bool))
