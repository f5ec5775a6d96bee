"""A run as its folder tells it: what it asked for, what it read, and where that lay."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from toolkit.errors import InputError, RunError
from toolkit.reporting.outputs import FORMS_FOLDER, PDF_NAME, SCHOOLS_FOLDER, WORD_NAME
from toolkit.reporting.parameters import parameter_fields
from toolkit.reporting.record import (
    RECORD_NAME,
    InputFile,
    InputRole,
    RunLog,
    RunRecord,
    file_input,
    load_log,
    load_record,
    recorded_version,
)
from toolkit.reporting.run_change import Told, labelled, told
from toolkit.reporting.run_inputs import TRUTH, data_files
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

    @property
    def lists_truth(self) -> bool:
        """Whether the planted truth, which is no input, lay with the data and was listed as left out."""
        return any(row.get("file") == TRUTH for row in self.record.accounting)


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


@contextmanager
def under_recorded_names(recorded: RecordedRun, location: Path) -> Iterator[tuple[Path, tuple[Told, ...]]]:
    """Give data with the names that the record has; the tables of what was read print them.

    Files that were only renamed are copied under their old names into a folder that is removed in the end.

    Parameters
    ----------
    recorded : RecordedRun
        The run.
    location : pathlib.Path
        Its data as they are now: a file with the folder of its name, or a folder.

    Yields
    ------
    tuple of (Path, tuple of Told)
        Where the data are to be read, and which files have another name now.
    """
    folders = [folder for folder in _folders(location) if folder.is_dir()]
    names = _recorded_names(recorded, data_files(location))
    has_truth = any((folder / TRUTH).is_file() for folder in folders)
    is_told = bool(recorded.record.accounting)
    if not names and not (is_told and has_truth != recorded.lists_truth):
        yield location, ()
        return
    shown = ", ".join(f"{old} → {path.name}" for path, old in names.items())
    remarks = (told("verify_renamed", names=shown),) if names else ()
    with TemporaryDirectory(prefix="junheng-data-", ignore_cleanup_errors=True) as scratch:
        staged = Path(scratch) / names.get(location, location.name)
        for folder, target in zip(_folders(location), _folders(staged), strict=True):
            if folder.is_dir():
                _copy_folder(folder, target, names)
        if location.is_file():
            shutil.copy2(location, staged)
        _list_truth(_folders(staged)[-1 if location.is_file() else 0], listed=recorded.lists_truth)
        yield staged, remarks


def _folders(location: Path) -> tuple[Path, Path]:
    """Return where files of the data may lie: in the folder that they are, or in the one beside a file."""
    return location, location.with_suffix("")


def _recorded_names(recorded: RecordedRun, files: list[Path]) -> dict[Path, str]:
    """Return the recorded name of each file that has its content under another name."""
    present = {path.name for path in files}
    free = [file for file in recorded.of_role("data") if file.name not in present]
    known = {file.name for file in recorded.of_role("data")}
    names: dict[Path, str] = {}
    for path in files if free else ():
        sha = "" if path.name in known else file_input(path).sha256
        match = next((file for file in free if file.sha256 == sha), None)
        if match is not None:
            names[path] = match.name
            free.remove(match)
    return names


def _copy_folder(folder: Path, target: Path, names: Mapping[Path, str]) -> None:
    """Copy a folder; files in it receive the names given."""
    shutil.copytree(folder, target, dirs_exist_ok=True)
    for path, name in names.items():
        if path.is_relative_to(folder) and path != folder:
            copy = target / path.relative_to(folder)
            copy.rename(copy.with_name(name))


def _list_truth(folder: Path, *, listed: bool) -> None:
    """Let the planted truth, of which only the name is read, lie in a copy exactly if the run listed it."""
    if listed:
        folder.mkdir(exist_ok=True)
        (folder / TRUTH).touch()
    else:
        (folder / TRUTH).unlink(missing_ok=True)


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
