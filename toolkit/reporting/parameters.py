"""The parameters of each notebook: one record from which cell, options, run record and page derive."""

from dataclasses import Field, asdict, dataclass, field, fields
from typing import Any, Protocol

from toolkit.errors import ParameterError
from toolkit.vocabulary import Language, label

LANGUAGES = ("zh", "en")
EDITIONS = ("internal", "public")
UNSTAGED_RULES = ("undecided", "by_teachers")

JSON_TYPES = (str, int, float, bool)


def _choice(default: str, choices: tuple[str, ...]) -> Any:
    return field(default=default, metadata={"choices": choices})


@dataclass(frozen=True, slots=True)
class StudyParameters:
    """What every notebook asks for.

    Attributes
    ----------
    data_path : str
        Workbook, folder or table file; empty means the demonstration county.
    results_dir : str
        Folder for tables and findings; empty means that none are written.
    mapping_path : str
        Mapping file for another layout of the data; empty when there is none.
    county : str
        County to take from a file that holds several; empty when it holds one.
    year : int
        School year that starts in it; 0 means the latest in the data.
    standard : str
        Id of a standard that ships, or a file with one's own.
    unstaged_teachers : str
        What to do with teachers that a combined school reports for the whole school only.
    language : str
        Language of labels, tables and figures.
    edition : str
        Internal edition, or the one for publication.
    """

    data_path: str = ""
    results_dir: str = ""
    mapping_path: str = ""
    county: str = ""
    year: int = 0
    standard: str = "national_2017"
    unstaged_teachers: str = _choice("undecided", UNSTAGED_RULES)
    language: str = _choice("zh", LANGUAGES)
    edition: str = _choice("internal", EDITIONS)


@dataclass(frozen=True, slots=True)
class DataQuality(StudyParameters):
    """Parameters of 01_data_quality."""


@dataclass(frozen=True, slots=True)
class InterSchoolVariation(StudyParameters):
    """Parameters of 02_inter_school_variation.

    Attributes
    ----------
    reporting_error : float
        Share by which each school's stock may be misreported, in the sensitivity to such errors.
    """

    reporting_error: float = 0.02


NOTEBOOKS: dict[str, type[StudyParameters]] = {
    "01_data_quality": DataQuality,
    "02_inter_school_variation": InterSchoolVariation,
}


class _Record(Protocol):
    __dataclass_fields__: dict[str, Field[Any]]


def check_parameters(parameters: StudyParameters) -> None:
    """Refuse values of the wrong type or outside their choices.

    Raises
    ------
    ParameterError
        Naming the parameter, the value and what is allowed.
    """
    for entry in fields(parameters):
        value = getattr(parameters, entry.name)
        # A bool is an int in Python, but never a year.
        if type(value) is not entry.type:
            raise ParameterError(
                "parameter_type",
                name=entry.name,
                value=repr(value),
                type=label(f"type_{entry.type.__name__}", "zh"),
                type_en=label(f"type_{entry.type.__name__}", "en"),
            )
        choices = entry.metadata.get("choices")
        if choices and value not in choices:
            raise ParameterError("parameter_choice", name=entry.name, value=value, choices=", ".join(choices))


def parameters_cell(record: type[_Record]) -> str:
    """Return the source of a notebook's parameters cell: one annotated literal a line."""
    return "\n".join(
        f"{entry.name}: {entry.type.__name__} = {_literal(entry.default)}  # {label(f'parameter_{entry.name}', 'zh')}"
        for entry in fields(record)
    )


def printed_parameters(parameters: StudyParameters, language: Language) -> list[tuple[str, str]]:
    """Return label and value of the parameters a reader of the page needs, without any path."""
    hidden = {"data_path", "results_dir", "mapping_path"}
    return [
        (label(f"parameter_{name}", language), _printed(name, value, language))
        for name, value in asdict(parameters).items()
        if name not in hidden and value not in ("", 0)
    ]


def _printed(name: str, value: object, language: Language) -> str:
    closed = {entry.name for entry in fields(InterSchoolVariation) if entry.metadata.get("choices")}
    return label(f"{name}_{value}", language) if name in closed else str(value)


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
