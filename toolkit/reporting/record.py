"""The record of a run: everything that decides its results, nothing that does not."""

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from toolkit.errors import RunError

SCHEMA_VERSION = 2
# Version 1 says neither what was wanted beside the pages nor what each input was for.
READABLE_VERSIONS = (1, SCHEMA_VERSION)
RECORD_NAME = "run.json"
LOG_NAME = "run-log.json"
DIGEST_LENGTH = 8
GIT_TIMEOUT_SECONDS = 10

# Packages whose version can change a number, a table, a figure or a page.
RECORDED_PACKAGES = (
    "junheng",
    "cycler",
    "duckdb",
    "fonttools",
    "jinja2",
    "latex2mathml",
    "lxml",
    "matplotlib",
    "mistune",
    "nbclient",
    "nbconvert",
    "nbformat",
    "numpy",
    "openpyxl",
    "pandas",
    "papermill",
    "pillow",
    "pyarrow",
    "pylopdf-fonts-zh-cn",
    "pypinyin",
    "python-calamine",
    "python-docx",
    "rapidfuzz",
    "scikit-learn",
    "scipy",
    "seaborn",
    "statsmodels",
    "xlsxwriter",
)

InputRole = Literal["data", "mapping", "names", "ledger", "narrative", "form", "unknown"]
"""What an input is for; unknown in a record of version 1."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that a run read: its name without folders, its content's SHA-256, and what it is for."""

    name: str
    sha256: str
    role: InputRole = "data"


@dataclass(frozen=True, slots=True)
class NotebookOutcome:
    """What became of a notebook: "done", "failed" or "not_run", with the reason on one line."""

    notebook: str
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What decides the results of a run.

    Attributes
    ----------
    county_id, county_name : str
        The county.
    year : int
        The school year that starts in it.
    edition, language : str
        Edition and language of the report.
    parameters : mapping
        Parameters of each notebook, JSON types, without paths.
    inputs : tuple of InputFile
        The data files, and the county's own text.
    standard, standard_sha256 : str
        Id of the standard and hash of its content.
    plan, plan_sha256 : str
        The same of the local plan, empty when none was chosen.
    packages : mapping
        Version of each package.
    python : str
        Version of Python.
    seed : int
        Seed of all random numbers.
    commit : str
        Commit of the checkout, with "+" when files differ from it; empty outside a checkout.
    notebooks : tuple of NotebookOutcome
        What became of each notebook.
    accounting : tuple of mapping
        For each table, rows read, used and left out by reason.
    only : tuple of str
        Notebooks that were asked for, empty for all.
    outputs : tuple of str
        What was wanted beside the pages: "docx", "pdf", "schools"; forms are among the inputs.
    embed_font : bool
        Whether the pages bring a Chinese font along.
    code_sha256 : str
        Hash of Junheng's own code, standards, words and templates.
    notebook_sha256 : mapping of str to str
        Hash of each notebook's cells.
    """

    county_id: str
    county_name: str
    year: int
    edition: str
    language: str
    parameters: Mapping[str, Any]
    inputs: tuple[InputFile, ...]
    standard: str
    standard_sha256: str
    plan: str
    plan_sha256: str
    packages: Mapping[str, str]
    python: str
    seed: int
    commit: str
    notebooks: tuple[NotebookOutcome, ...]
    accounting: tuple[Mapping[str, Any], ...]
    only: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    embed_font: bool = False
    code_sha256: str = ""
    notebook_sha256: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunLog:
    """What a run was like on this machine: never part of a record or a page.

    Attributes
    ----------
    started : datetime.datetime
        When it began.
    seconds : float
        How long it took.
    host : str
        Name of the machine.
    paths : mapping of str to str
        Where data, reports and the other files lay that parameters name.
    seconds_by_notebook : mapping of str to float
        How long each notebook took.
    reused : tuple of str
        Notebooks that were not run again but taken from an earlier run.
    forms : tuple of str
        Where the forms lay.
    """

    started: datetime
    seconds: float
    host: str
    paths: Mapping[str, str]
    seconds_by_notebook: Mapping[str, float]
    reused: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()


def write_record(record: RunRecord, folder: Path) -> Path:
    """Write ``run.json``: sorted keys, LF, the same bytes for the same record."""
    return _write_json(folder / RECORD_NAME, {"schema_version": SCHEMA_VERSION, **asdict(record)})


def load_record(path: Path) -> RunRecord:
    """Load ``run.json``, or the one in a folder; of an older version, what that did not say has its default.

    Raises
    ------
    RunError
        If the file is absent, no JSON, of another version, or has other fields than it should.
    """
    file = _in_folder(path, RECORD_NAME)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        version = content.pop("schema_version")
        if version not in READABLE_VERSIONS:
            raise ValueError(f"schema_version {version}, not {SCHEMA_VERSION}")
        role = {"role": "unknown"} if version == 1 else {}
        inputs = tuple(InputFile(**role, **entry) for entry in content.pop("inputs"))
        notebooks = tuple(NotebookOutcome(**entry) for entry in content.pop("notebooks"))
        listed = {name: tuple(content.pop(name, ())) for name in ("accounting", "only", "outputs")}
        return RunRecord(inputs=inputs, notebooks=notebooks, **listed, **content)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise RunError("report_record_unreadable", path=file.name, reason=error) from error


def recorded_version(path: Path) -> int:
    """Return the version of a ``run.json`` that `load_record` reads, or of the one in a folder."""
    return json.loads(_in_folder(path, RECORD_NAME).read_text(encoding="utf-8"))["schema_version"]


def write_log(log: RunLog, folder: Path) -> Path:
    """Write ``run-log.json``."""
    content = {**asdict(log), "started": log.started.isoformat(timespec="seconds")}
    return _write_json(folder / LOG_NAME, content)


def load_log(folder: Path) -> RunLog | None:
    """Load ``run-log.json`` of a run; None where it is absent, as in a report that was passed on.

    Raises
    ------
    RunError
        If the file is no log.
    """
    file = _in_folder(folder, LOG_NAME)
    if not file.is_file():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        started = datetime.fromisoformat(content.pop("started"))
        listed = {name: tuple(content.pop(name, ())) for name in ("reused", "forms")}
        return RunLog(started=started, **listed, **content)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise RunError("report_record_unreadable", path=file.name, reason=error) from error


def run_digest(parameters: Mapping[str, Any], inputs: Iterable[InputFile]) -> str:
    """Return eight hexadecimal digits that name a run by its parameters and inputs.

    The names of the inputs do not count, only what they hold.
    """
    content = {"parameters": parameters, "inputs": sorted(file.sha256 for file in inputs)}
    return hashlib.sha256(_json(content).encode("utf-8")).hexdigest()[:DIGEST_LENGTH]


def file_input(path: Path, role: InputRole = "data") -> InputFile:
    """Return a file with the hash of its content."""
    with path.open("rb") as file:
        return InputFile(path.name, hashlib.file_digest(file, "sha256").hexdigest(), role)


def inputs_digest(inputs: Iterable[InputFile]) -> str:
    """Return one short hash over all inputs, as printed on every page."""
    hashes = "\n".join(sorted(file.sha256 for file in inputs))
    return hashlib.sha256(hashes.encode("ascii")).hexdigest()[: 2 * DIGEST_LENGTH]


def package_versions(names: Iterable[str] = RECORDED_PACKAGES) -> dict[str, str]:
    """Return the versions of the packages that are installed."""
    versions = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def python_version() -> str:
    """Return the version of Python, such as 3.12.4."""
    return platform.python_version()


def checkout_commit(folder: Path) -> str:
    """Return the commit of a checkout, "+" behind it if files differ; empty outside a checkout."""
    if not (folder / ".git").exists():
        return ""
    commit = _git(folder, "rev-parse", "HEAD")
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}+" if commit and changed else commit


def _git(folder: Path, *arguments: str) -> str:
    """Return what git answers, empty if it cannot."""
    try:
        answer = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, timeout=GIT_TIMEOUT_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.decode("utf-8", "replace").strip()


def _in_folder(path: Path, name: str) -> Path:
    """Return a file, by its path or by that of its folder."""
    return path / name if path.is_dir() else path


def _write_json(path: Path, content: Mapping[str, Any]) -> Path:
    """Write JSON with LF line ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(f"{_json(content)}\n".encode())
    return path


def _json(content: Mapping[str, Any]) -> str:
    """Return JSON with sorted keys."""
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
