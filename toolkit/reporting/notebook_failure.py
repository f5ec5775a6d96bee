"""What is told about a notebook that did not run to its end."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import RunError
from toolkit.reporting.notebook import headings, keep_language, read_notebook, without_markers
from toolkit.reporting.parameter_types import JsonValue
from toolkit.vocabulary import Language, label

if TYPE_CHECKING:
    from nbformat import NotebookNode

ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


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


def notebook_failure(
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


def on_one_line(text: str) -> str:
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


def _was_started(cell: "NotebookNode") -> bool:
    """Say whether the execution reached a code cell."""
    status = cell.metadata.get("papermill", {}).get("status", "pending")
    return cell.cell_type == "code" and status != "pending"
