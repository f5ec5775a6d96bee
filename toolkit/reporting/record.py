"""The record of a run: everything that decides its results, nothing that does not."""

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from toolkit.errors import RunError

SCHEMA_VERSION = 1
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


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that a run read: its name without folders, and its content's SHA-256."""

    name: str
    sha256: str


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


@dataclass(frozen=True, slots=True)
class RunLog:
    """What a run was like on this machine: never part of a record or a page."""

    started: datetime
    seconds: float
    host: str
    paths: Mapping[str, str]
    seconds_by_notebook: Mapping[str, float]


def write_record(record: RunRecord, folder: Path) -> Path:
    """Write ``run.json``: sorted keys, LF, the same bytes for the same record."""
    return _write_json(folder / RECORD_NAME, {"schema_version": SCHEMA_VERSION, **asdict(record)})


def load_record(path: Path) -> RunRecord:
    """Load ``run.json``, or the one in a folder.

    Raises
    ------
    RunError
        If the file is absent, no JSON, of another version, or has other fields than it should.
    """
    file = path / RECORD_NAME if path.is_dir() else path
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        version = content.pop("schema_version")
        if version != SCHEMA_VERSION:
            raise ValueError(f"schema_version {version}, not {SCHEMA_VERSION}")
        inputs = tuple(InputFile(**entry) for entry in content.pop("inputs"))
        notebooks = tuple(NotebookOutcome(**entry) for entry in content.pop("notebooks"))
        accounting = tuple(content.pop("accounting"))
        return RunRecord(inputs=inputs, notebooks=notebooks, accounting=accounting, **content)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise RunError("report_record_unreadable", path=file.name, reason=error) from error


def write_log(log: RunLog, folder: Path) -> Path:
    """Write ``run-log.json``."""
    content = {**asdict(log), "started": log.started.isoformat(timespec="seconds")}
    return _write_json(folder / LOG_NAME, content)


def run_digest(parameters: Mapping[str, Any], inputs: Iterable[InputFile]) -> str:
    """Return eight hexadecimal digits that name a run by its parameters and inputs.

    The names of the inputs do not count, only what they hold.
    """
    content = {"parameters": parameters, "inputs": sorted(file.sha256 for file in inputs)}
    return hashlib.sha256(_json(content).encode("utf-8")).hexdigest()[:DIGEST_LENGTH]


def file_input(path: Path) -> InputFile:
    """Return a file with the hash of its content."""
    with path.open("rb") as file:
        return InputFile(path.name, hashlib.file_digest(file, "sha256").hexdigest())


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


def _write_json(path: Path, content: Mapping[str, Any]) -> Path:
    """Write JSON with LF line ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(f"{_json(content)}\n".encode())
    return path


def _json(content: Mapping[str, Any]) -> str:
    """Return JSON with sorted keys."""
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
