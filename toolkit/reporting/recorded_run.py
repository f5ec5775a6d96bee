"""A run as its folder tells it: what it asked for, what it read, and where that lay."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from toolkit.errors import InputError, RunError
from toolkit.reporting.outputs import FORMS_FOLDER, PDF_NAME, SCHOOLS_FOLDER, WORD_NAME
from toolkit.reporting.parameters import parameter_fields
from toolkit.reporting.record import (
    RECORD_NAME,
    InputFile,
    InputRole,
    RunLog,
    RunRecord,
    load_log,
    load_record,
    recorded_version,
)
from toolkit.reporting.run_change import Told, labelled, told
from toolkit.vocabulary import label

ROLES_BY_ENDING: Mapping[str, InputRole] = {".toml": "mapping", ".md": "narrative", ".docx": "form"}
MADE_BY_OUTPUT = {"docx": WORD_NAME, "pdf": PDF_NAME, "schools": SCHOOLS_FOLDER}
# How a page says that it brings a font along.
FONT_MARK = "@font-face"


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """What a run left behind about itself.

    Attributes
    ----------
    folder : pathlib.Path
        Its folder.
    record : RunRecord
        What decided its results; one of an older version is completed by what the folder shows.
    log : RunLog or None
        Where its files lay; None in a report that was passed on without its log.
    assumed : tuple of Told
        What the record does not say.
    """

    folder: Path
    record: RunRecord
    log: RunLog | None
    assumed: tuple[Told, ...]

    def parameters(self) -> dict[str, object]:
        """Return the values that can be given to a run again, those of files aside."""
        known = {entry.name for entry in parameter_fields()}
        values = {name: value for given in self.record.parameters.values() for name, value in given.items()}
        return {name: value for name, value in values.items() if name in known}

    def of_role(self, role: InputRole) -> tuple[InputFile, ...]:
        """Return the inputs that served one purpose."""
        return tuple(file for file in self.record.inputs if file.role == role)

    def logged(self, name: str) -> str:
        """Return where a file lay, empty where that is not known."""
        return self.log.paths.get(name, "") if self.log else ""


def load_recorded_run(folder: Path) -> RecordedRun:
    """Load what a run says about itself.

    Raises
    ------
    InputError
        If the folder is none of a run, or its record or log is damaged.
    """
    if not (folder / RECORD_NAME).is_file():
        raise InputError("compare_no_run", folder=folder, file=RECORD_NAME)
    try:
        record, log = load_record(folder), load_log(folder)
    except RunError as error:
        raise InputError("compare_unreadable", path=folder, reason=error.en) from error
    if recorded_version(folder) > 1:
        return RecordedRun(folder, record, log, ())
    return _completed(folder, record, log)


def _completed(folder: Path, record: RunRecord, log: RunLog | None) -> RecordedRun:
    """Return a run whose record is of version 1 with what its folder shows, and what that assumes."""
    forms = {path.name for path in (folder / FORMS_FOLDER).glob("*")}
    inputs = tuple(replace(file, role=_role(file, forms)) for file in record.inputs)
    outputs = tuple(name for name, made in MADE_BY_OUTPUT.items() if (folder / made).exists())
    embed_font = FONT_MARK in _first_page(folder)
    not_asked = label("notebook_not_asked_for", "en" if record.language == "en" else "zh")
    only = tuple(entry.notebook for entry in record.notebooks if entry.reason != not_asked)
    wanted = [*outputs, *(["embed_font"] if embed_font else [])]
    completed = replace(record, inputs=inputs, outputs=outputs, embed_font=embed_font, only=only)
    names = ", ".join(wanted) or labelled("repeat_nothing")
    return RecordedRun(
        folder, completed, log, (told("repeat_assumed_outputs", names=names), told("repeat_assumed_inputs"))
    )


def _role(file: InputFile, forms: set[str]) -> InputRole:
    """Return what an input of an old record was for: a list of names or a ledger cannot be told from data."""
    return "form" if file.name in forms else ROLES_BY_ENDING.get(Path(file.name).suffix.lower(), "data")


def _first_page(folder: Path) -> str:
    page = folder / "index.html"
    return page.read_text(encoding="utf-8") if page.is_file() else ""
