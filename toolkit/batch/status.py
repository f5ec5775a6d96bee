"""What became of a unit, kept beside its log and written as a whole or not at all."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from toolkit.batch.units import Job
from toolkit.errors import JunhengError
from toolkit.reporting.notebook_failure import on_one_line
from toolkit.reporting.record import LOG_NAME
from toolkit.vocabulary import sentence

STATUS_NAME = "status.json"
LOG_FILE = "unit.log"
SCHEMA_VERSION = 2
# "incomplete": a report is there, but one of its notebooks or files beside the pages failed.
State = Literal["running", "done", "incomplete", "failed"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something failed, on one line, in Chinese and in English."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """What became of a unit.

    Attributes
    ----------
    unit, data : str
        Its name, and its data as the user named them.
    state : {"running", "done", "incomplete", "failed"}
        "running" is also what a unit says whose process was killed.
    key : mapping of str to str
        What decided its report, from `unit_keys`.
    token : str
        The call of the batch that ran it.
    county_id, county_name : str
        The county, as far as it is known.
    year : int
        The school year of the report; before there is one, the year asked for.
    report : str
        Name of the report's folder, empty when there is none. While the unit runs, the incomplete one that
        it will replace.
    listing, content : str
        Hash of names and sizes of the report's files, and hash of what they hold.
    seconds : float
        How long it took.
    reasons : tuple of Reason
        What failed.
    """

    unit: str
    data: str
    state: State
    key: Mapping[str, str]
    token: str
    county_id: str = ""
    county_name: str = ""
    year: int = 0
    report: str = ""
    listing: str = ""
    content: str = ""
    seconds: float = 0.0
    reasons: tuple[Reason, ...] = ()

    @property
    def is_finished(self) -> bool:
        """Whether the unit came to an end, good or bad."""
        return self.state != "running"


def running_status(job: Job, earlier: UnitStatus | None = None) -> UnitStatus:
    """Return the status of a unit that begins; it remembers the incomplete report that it will replace.

    Parameters
    ----------
    job : Job
        The unit.
    earlier : UnitStatus, optional
        What the unit said before.
    """
    unit = job.unit
    status = UnitStatus(
        unit.name, unit.data, "running", job.key, job.token, county_id=unit.county, year=unit.year
    )
    # One that was killed passes on what it had to replace.
    if earlier is None or earlier.state not in ("incomplete", "running"):
        return status
    return replace(status, report=earlier.report, listing=earlier.listing)


def failed_status(job: Job, reason: Reason, seconds: float = 0.0) -> UnitStatus:
    """Return the status of a unit that came to nothing."""
    return replace(running_status(job), state="failed", reasons=(reason,), seconds=seconds)


def reason_of(error: JunhengError) -> Reason:
    """Return the text of an error on one line."""
    return Reason(on_one_line(error.zh), on_one_line(error.en))


def told_reason(name: str, **values: object) -> Reason:
    """Return a sentence of the vocabulary as a reason."""
    return Reason(sentence(name, "zh", **values), sentence(name, "en", **values))


def save_status(status: UnitStatus, folder: Path) -> None:
    """Write a status: the file holds the old one or the new one, never a part."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"schema_version": SCHEMA_VERSION, **asdict(status)}
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)
    unfinished = folder / f".{STATUS_NAME}-{os.getpid()}"
    unfinished.write_bytes(f"{text}\n".encode())
    unfinished.replace(folder / STATUS_NAME)


def load_status(folder: Path) -> UnitStatus | None:
    """Return the status of a unit, None when there is none that can be read: it is then run again."""
    try:
        content = json.loads((folder / STATUS_NAME).read_text(encoding="utf-8"))
        if content.pop("schema_version") != SCHEMA_VERSION:
            return None
        reasons = tuple(Reason(**entry) for entry in content.pop("reasons"))
        return UnitStatus(reasons=reasons, **content)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def report_listing(report: Path) -> str:
    """Return the hash of names and sizes of a report's files: cheap, and it tells that one is missing."""
    return _hashed(f"{name}\0{path.stat().st_size}" for name, path in _files(report))


def report_content(report: Path) -> str:
    """Return the hash of what a report's files hold; the log, which has times, is left aside."""
    hashes = ((name, hashlib.sha256(path.read_bytes()).hexdigest()) for name, path in _files(report))
    return _hashed(f"{name}\0{content}" for name, content in hashes)


def is_complete(status: UnitStatus, reports: Path) -> bool:
    """Say whether the report of a status is still there as it was left."""
    report = reports / status.report
    return bool(status.report) and report.is_dir() and report_listing(report) == status.listing


def _files(report: Path) -> list[tuple[str, Path]]:
    files = (path for path in report.rglob("*") if path.is_file() and path.name != LOG_NAME)
    return sorted((path.relative_to(report).as_posix(), path) for path in files)


def _hashed(lines: Iterator[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8")).hexdigest()
