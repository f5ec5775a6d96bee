"""The units of a batch: one county, one school year, and the parameters of its report."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.errors import ParameterError
from toolkit.reporting.outputs import Outputs
from toolkit.reporting.parameters import NOTEBOOKS
from toolkit.reporting.run_key import content_digest
from toolkit.reporting.runfolder import ascii_name

UNITS_FOLDER = "units"
MARK_LENGTH = 6
LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Unit:
    """One report of a batch.

    Attributes
    ----------
    name : str
        Name of its folder: county, year, and a mark that tells it from others of the same two.
    data : str
        The data as the user named them, for people.
    county : str
        Code of the county, empty where the file has not told it. Among the parameters it stands only where
        the file holds several, as in a single run.
    parameters : mapping
        Values for the notebooks' parameters, paths absolute.
    """

    name: str
    data: str
    county: str
    parameters: Mapping[str, Any]

    @property
    def year(self) -> int:
        """School year asked for, 0 for the latest."""
        return int(self.parameters.get("year", 0))


@dataclass(frozen=True, slots=True)
class Options:
    """What all units of a batch are asked for beside their parameters."""

    embed_font: bool = False
    outputs: Outputs = field(default_factory=Outputs)
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a batch works.

    Attributes
    ----------
    reports : pathlib.Path
        Folder that receives the reports.
    folder : pathlib.Path
        Folder of the batch itself, inside `reports`.
    workspace : pathlib.Path
        Workspace of whoever started it; workers on other machines use the same.
    """

    reports: Path
    folder: Path
    workspace: Path


@dataclass(frozen=True, slots=True)
class Job:
    """A unit as it is sent to a worker.

    Attributes
    ----------
    unit : Unit
        The unit.
    key : mapping of str to str
        Hashes of everything that decides its report, by kind; none when an input cannot be read.
    why : tuple of str
        Why it is run: names of the vocabulary behind ``batch_why_``. Empty when it need not be.
    token : str
        The call of the batch, so that its traces are told from those of earlier ones.
    place : Place
        Where the batch works.
    options : Options
        What is wanted.
    """

    unit: Unit
    key: Mapping[str, str]
    why: tuple[str, ...]
    token: str
    place: Place
    options: Options

    @property
    def folder(self) -> Path:
        """Folder of the unit's log and status."""
        return self.place.folder / UNITS_FOLDER / self.unit.name


def make_unit(data: str, county: str, parameters: Mapping[str, Any], own: Mapping[str, Any]) -> Unit:
    """Return a unit with a name that stays the same from one call to the next.

    Parameters
    ----------
    data, county : str
        The data as the user named them, and the code of the county.
    parameters : mapping
        All parameters of the unit.
    own : mapping
        Those that belong to this unit alone. Parameters of the whole batch do not change its name.
    """
    year = int(parameters.get("year", 0))
    shown = ascii_name(county or Path(data).stem)
    identity = content_digest({"data": data, "county": county, "year": year, "own": dict(own)})
    return Unit(f"{shown}-{year or LATEST}-{identity[:MARK_LENGTH]}", data, county, dict(parameters))


def distinct(units: Iterable[Unit]) -> tuple[Unit, ...]:
    """Return the units in their order, each name once: a name tells everything that differs."""
    return tuple({unit.name: unit for unit in units}.values())


def require_notebooks(only: Collection[str]) -> None:
    """Refuse a notebook that is not there before any unit starts.

    Raises
    ------
    ParameterError
        Naming it and those there are.
    """
    unknown = [name for name in only if not any(name in (known, known[:2]) for known in NOTEBOOKS)]
    if unknown:
        raise ParameterError("notebook_unknown", names=", ".join(unknown), known=", ".join(NOTEBOOKS))
