"""What it takes to run again what a run has run: its parameters, its outputs, and its files found again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from toolkit.errors import InputError, JunhengError
from toolkit.reporting.outputs import Outputs
from toolkit.reporting.parameters import OWN_STANDARD, STANDARD_PARAMETERS
from toolkit.reporting.pseudonym_key import load_secret, secret_path
from toolkit.reporting.record import InputFile, InputRole, file_input
from toolkit.reporting.recorded_run import RecordedRun
from toolkit.share import share_path, workspace
from toolkit.standards import hash_standard, load_standard

PARAMETER_OF_ROLE: Mapping[InputRole, str] = {
    "mapping": "mapping_path",
    "names": "names_path",
    "ledger": "ledger_path",
}
# New data are of another year, and what was put right or filled in by hand belongs to the old ones.
TAKEN_OVER: tuple[InputRole, ...] = ("mapping",)
OF_THE_DATA = "year"
WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".et")


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a run is asked for.

    Attributes
    ----------
    parameters : mapping of str to object
        Values of parameters, paths of files among them.
    outputs : Outputs
        What is wanted beside the pages.
    embed_font : bool
        Whether pages bring a Chinese font along.
    only : tuple of str
        Notebooks to run, all when empty.
    """

    parameters: Mapping[str, object]
    outputs: Outputs
    embed_font: bool
    only: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """The search for a file that a run has read.

    Attributes
    ----------
    file, sha256 : str
        Its name, and the hash of its content.
    content : callable
        Returns the hash of a candidate's content.
    candidates : sequence of Path
        Where it may be, the place it had first.
    """

    file: str
    sha256: str
    content: Callable[[Path], str]
    candidates: Sequence[Path]

    def found(self, *, must_be_same: bool) -> Path:
        """Return the file with the content that was read; one of its name, if that will do."""
        there = [path for path in self.candidates if path.is_file()]
        same = [path for path in there if self.content(path) == self.sha256]
        if same or (there and not must_be_same):
            return (same or there)[0]
        raise InputError(
            "repeat_file_changed" if there else "repeat_file_absent",
            file=self.file,
            sha=self.sha256,
            path=[*there, *self.candidates][0],
        )


def request_again(recorded: RecordedRun, data: Path | None = None) -> RunRequest:
    """Return what repeats a run. A file that was changed meanwhile is taken as it is now.

    Parameters
    ----------
    recorded : RecordedRun
        The run.
    data : pathlib.Path, optional
        Where its data are; by default where they were.

    Raises
    ------
    InputError
        If a file cannot be found, or the secret of its pseudonyms.
    """
    location = data or _data_again(recorded)
    parameters = recorded.parameters()
    if parameters.get("school_names") == "pseudonym":
        load_secret(secret_path())
    places = _places(recorded, location)
    files = {
        PARAMETER_OF_ROLE[role]: str(_search(recorded, file, places).found(must_be_same=False))
        for role in PARAMETER_OF_ROLE
        for file in recorded.of_role(role)
    }
    standards = {
        name: str(_standard_search(recorded, name, places).found(must_be_same=False))
        for name in _own_standards(recorded)
    }
    forms = tuple(
        _search(recorded, file, places).found(must_be_same=False) for file in recorded.of_role("form")
    )
    return RunRequest(
        parameters={**parameters, **files, **standards, "data_path": str(location)},
        outputs=_outputs(recorded.record.outputs, forms),
        embed_font=recorded.record.embed_font,
        only=recorded.record.only,
    )


def request_like(recorded: RecordedRun, given: RunRequest) -> RunRequest:
    """Return what does with other data what a run has done with its own; what is given goes first.

    The school year, the list of corrected names and the ledger belong to the old data and are not taken over.

    Parameters
    ----------
    recorded : RecordedRun
        The earlier run.
    given : RunRequest
        What is asked for; parameters that are empty texts and outputs that are not wanted are not given.

    Raises
    ------
    InputError
        If the mapping, a form or a standard of one's own cannot be found as it was.
    """
    own = {name: value for name, value in given.parameters.items() if value != ""}
    places = _places(recorded, Path(str(own["data_path"])))
    values = {name: value for name, value in recorded.parameters().items() if name != OF_THE_DATA}
    files = {
        PARAMETER_OF_ROLE[role]: str(_search(recorded, file, places).found(must_be_same=True))
        for role in TAKEN_OVER
        for file in recorded.of_role(role)
        if PARAMETER_OF_ROLE[role] not in own
    }
    standards = {
        name: str(_standard_search(recorded, name, places).found(must_be_same=True))
        for name in _own_standards(recorded)
        if name not in own
    }
    forms = given.outputs.forms or tuple(
        _search(recorded, file, places).found(must_be_same=True) for file in recorded.of_role("form")
    )
    wanted = {*recorded.record.outputs, *given.outputs.decisive().get("outputs", ())}
    return RunRequest(
        parameters={**values, **files, **standards, **own},
        outputs=_outputs(wanted, forms),
        embed_font=given.embed_font or recorded.record.embed_font,
        only=given.only or recorded.record.only,
    )


def _outputs(names: Sequence[str] | set[str], forms: tuple[Path, ...]) -> Outputs:
    return Outputs(docx="docx" in names, pdf="pdf" in names, schools="schools" in names, forms=forms)


def _data_again(recorded: RecordedRun) -> Path:
    """Return where the data of a run are: where they were, else where their main file is found."""
    logged = recorded.logged("data")
    if logged and Path(logged).exists():
        return Path(logged)
    data = recorded.of_role("data")
    # The workbook comes first; of a folder nothing tells which files belong to it.
    if data and (len(data) == 1 or Path(data[0].name).suffix.lower() in WORKBOOKS):
        for place in (*_places(recorded, None), share_path("data")):
            if _content(place / data[0].name) == data[0].sha256:
                return place / data[0].name
    names = ", ".join(file.name for file in data)
    raise InputError("repeat_data_absent", names=names, path=logged or "–")


def _search(recorded: RecordedRun, file: InputFile, places: Sequence[Path]) -> Search:
    """Return the search for an input."""
    forms = recorded.log.forms if recorded.log else ()
    logged = (*forms, recorded.logged(PARAMETER_OF_ROLE.get(file.role, "")))
    at_home = [Path(path) for path in logged if path and Path(path).name == file.name]
    candidates = (*at_home, *(place / file.name for place in places))
    return Search(file.name, file.sha256, _content, candidates)


def _own_standards(recorded: RecordedRun) -> Iterator[str]:
    """Give the parameters that name a file with a standard of the county's own."""
    values = recorded.parameters()
    return (name for name in STANDARD_PARAMETERS if str(values.get(name, "")).endswith(OWN_STANDARD))


def _standard_search(recorded: RecordedRun, name: str, places: Sequence[Path]) -> Search:
    """Return the search for the file of a standard or plan."""
    values = recorded.parameters()
    file, logged = str(values[name]), recorded.logged(name)
    rules = str(values.get("rules", "")) if name == "standard" else ""
    candidates = (*([Path(logged)] if logged else []), *(place / file for place in places))
    sha = getattr(recorded.record, f"{name}_sha256")
    return Search(file, sha, partial(_standard_content, rules=rules), candidates)


def _content(path: Path) -> str:
    """Return the hash of a file, empty where there is none."""
    return file_input(path).sha256 if path.is_file() else ""


def _standard_content(path: Path, *, rules: str) -> str:
    """Return the hash of a standard, empty of a file that is none."""
    try:
        return hash_standard(load_standard(path, rules=rules))
    except JunhengError:
        return ""


def _places(recorded: RecordedRun, data: Path | None) -> tuple[Path, ...]:
    """Return the folders in which files of a run are looked for."""
    beside = [data.parent] if data else []
    paths = recorded.log.paths if recorded.log else {}
    logged = [Path(path).parent for path in paths.values()]
    others = [workspace(), workspace() / "data", Path.cwd(), recorded.folder.resolve().parent]
    return tuple(dict.fromkeys([*beside, *logged, *others]))
