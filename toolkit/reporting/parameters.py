"""The parameters of each notebook: one record from which cell, options, run record and page derive."""

from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from toolkit.data.schema.programmes import PROGRAMMES
from toolkit.errors import ParameterError
from toolkit.share import resolve_path
from toolkit.standards import describe_switches, load_standard
from toolkit.vocabulary import Language, has_term, label

LANGUAGES = ("zh", "en")
EDITIONS = ("internal", "public")
UNSTAGED_RULES = ("undecided", "by_teachers")
SCHOOL_NAMES = ("real", "pseudonym")
COMPARISONS = ("not_yet", "never")
WEIGHTINGS = ("enrolment", "school")
DOSES = ("backbone_teachers", "all_teachers")

# Where the data and results are is no setting: these never enter a record or a page.
PATH_PARAMETERS = ("data_path", "results_dir", "mapping_path", "names_path", "ledger_path")
# Ids of what ships, or files of one's own.
STANDARD_PARAMETERS = ("standard", "plan")
OWN_STANDARD = ".toml"
RULES = "rules"


def _choice(default: str, choices: tuple[str, ...]) -> Any:
    return field(default=default, metadata={"choices": choices})


def _whole(default: int, *, minimum: int, below: int) -> Any:
    return field(default=default, metadata={"minimum": minimum, "below": below})


def _share(default: float) -> Any:
    return field(default=default, metadata={"minimum": 0.0, "below": 1.0})


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
    names_path : str
        List of school names put right by hand; empty when there is none.
    county : str
        County to take from a file that holds several; empty when it holds one.
    year : int
        School year that starts in it; 0 means the latest in the data.
    standard : str
        Id of a standard that ships, or a file with one's own.
    rules : str
        Special cases switched on or off, and formulas chosen, such as
        ``"visiting_teachers=off, Q1=retention_with_transfers"``; empty for the rules of the standard.
    unstaged_teachers : str
        What to do with teachers that a combined school reports for the whole school only.
    school_names : str
        Names of schools as they are, or pseudonyms.
    language : str
        Language of labels, tables and figures.
    edition : str
        Internal edition, or the one for publication.
    """

    data_path: str = ""
    results_dir: str = ""
    mapping_path: str = ""
    names_path: str = ""
    county: str = ""
    year: int = 0
    standard: str = "national_2017"
    rules: str = ""
    unstaged_teachers: str = _choice("undecided", UNSTAGED_RULES)
    school_names: str = _choice("real", SCHOOL_NAMES)
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

    reporting_error: float = _share(0.02)


@dataclass(frozen=True, slots=True)
class GroupSchooling(StudyParameters):
    """Parameters of 03_group_schooling: a design that is set before looking at results.

    Attributes
    ----------
    programme : str
        Programme that schools join.
    outcome : str
        Primary outcome; all others are exploratory.
    comparison : str
        Schools that have not joined yet, or only those that never do.
    selection_years : int
        School years before joining in which schools were announced or chosen.
    years_after : int
        Last school year since joining that is averaged; 0 is the first year of membership.
    covariates : str
        Covariates fixed before anyone joined, with commas; empty for none.
    weighting : str
        Weight of a school.
    counties : str
        Codes of counties to be studied together, with commas, or ``"all"`` for all that the data hold;
        empty for the county of the report.
    county_years : str
        First school year of a reform that whole counties brought in, as ``"990101=2021, 990102=2022"``;
        empty where schools join by themselves.
    draws : int
        Draws of bootstrap and permutation.
    seed : int
        Seed of the draws.
    """

    programme: str = _choice("group_schooling", PROGRAMMES)
    outcome: str = "achievement"
    comparison: str = _choice("not_yet", COMPARISONS)
    selection_years: int = _whole(1, minimum=0, below=6)
    years_after: int = _whole(2, minimum=0, below=10)
    covariates: str = "log_enrolment"
    weighting: str = _choice("enrolment", WEIGHTINGS)
    counties: str = ""
    county_years: str = ""
    draws: int = _whole(999, minimum=99, below=100_000)
    seed: int = _whole(1, minimum=0, below=2**31)


@dataclass(frozen=True, slots=True)
class TeacherRotation(StudyParameters):
    """Parameters of 04_teacher_rotation: a design that is set before looking at results.

    Attributes
    ----------
    outcome : str
        Primary outcome.
    dose : str
        Teachers whose moves are studied: backbone teachers, or all.
    weighting : str
        Weight of a school.
    counties : str
        Codes of counties to be studied together, with commas, or ``"all"`` for all that the data hold;
        empty for the county of the report.
    draws : int
        Draws of bootstrap.
    seed : int
        Seed of the draws.
    """

    outcome: str = "achievement"
    dose: str = _choice("backbone_teachers", DOSES)
    weighting: str = _choice("enrolment", WEIGHTINGS)
    counties: str = ""
    draws: int = _whole(999, minimum=99, below=100_000)
    seed: int = _whole(1, minimum=0, below=2**31)


@dataclass(frozen=True, slots=True)
class AnnualReport(StudyParameters):
    """Parameters of 07_annual_report.

    Attributes
    ----------
    plan : str
        Id of a local plan that ships, or a file with one's own, whose targets are compared with the data;
        empty for none.
    ledger_path : str
        Rectification ledger of an earlier run as people edited it; empty when there is none.
    """

    plan: str = ""
    ledger_path: str = ""


NOTEBOOKS: dict[str, type[StudyParameters]] = {
    "01_data_quality": DataQuality,
    "02_inter_school_variation": InterSchoolVariation,
    "03_group_schooling": GroupSchooling,
    "04_teacher_rotation": TeacherRotation,
    "07_annual_report": AnnualReport,
}

NEEDED_TABLES: dict[str, tuple[str, ...]] = {
    "03_group_schooling": ("school_groups",),
    "04_teacher_rotation": ("rotations",),
}
"""Tables without which a notebook has nothing to study, beside those that every county has."""


def parameter_fields() -> list[Field[Any]]:
    """Return every parameter that a notebook has, each once."""
    return list({entry.name: entry for record in NOTEBOOKS.values() for entry in fields(record)}.values())


def check_parameters(parameters: StudyParameters) -> None:
    """Refuse values of the wrong type, outside their choices or outside their range.

    Raises
    ------
    ParameterError
        Naming the parameter, the value and what is allowed.
    """
    for entry in fields(parameters):
        value = getattr(parameters, entry.name)
        _check_type(entry, value)
        _check_choice(entry.name, value, entry.metadata.get("choices", ()))
        if "minimum" in entry.metadata and not entry.metadata["minimum"] <= value < entry.metadata["below"]:
            raise ParameterError("parameter_range", name=entry.name, value=value, **entry.metadata)


def require_language(value: str) -> Language:
    """Return a language, or refuse a value that is none.

    Raises
    ------
    ParameterError
        Naming the languages.
    """
    _check_choice("language", value, LANGUAGES)
    return "en" if value == "en" else "zh"


def parameters_cell(record: type[StudyParameters]) -> str:
    """Return the source of a notebook's parameters cell: one annotated literal a line."""
    return "\n".join(
        f"{entry.name}: {_type_name(entry)} = {_literal(entry.default)}"
        f"  # {label(f'parameter_{entry.name}', 'zh')}"
        for entry in fields(record)
    )


def printed_parameters(parameters: StudyParameters, language: Language) -> list[tuple[str, str]]:
    """Return label and value of the parameters a reader of the page needs, without any path.

    Rules that were switched or chosen stand in words, one row each, in the place of the parameter.
    """
    rows: list[tuple[str, str]] = []
    for entry in fields(parameters):
        value = getattr(parameters, entry.name)
        if entry.name == RULES:
            rows += _printed_rules(parameters, language)
        elif entry.name not in PATH_PARAMETERS and value != "":
            rows.append((_printed_label(entry.name, language), _printed(entry, value, language)))
    return rows


def shown_standard(standard: str) -> str:
    """Return a standard's id, or the name of one's own file without its folder."""
    return Path(standard).name if standard.endswith(OWN_STANDARD) else standard


def _check_type(entry: Field[Any], value: object) -> None:
    """Refuse a value of another type: a bool is an int in Python, but never a year."""
    if type(value) is not entry.type:
        raise ParameterError(f"parameter_not_{_type_name(entry)}", name=entry.name, value=repr(value))


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if choices and value not in choices:
        raise ParameterError("parameter_choice", name=name, value=value, choices=", ".join(choices))


def _type_name(entry: Field[Any]) -> str:
    return entry.type if isinstance(entry.type, str) else entry.type.__name__


def _printed(entry: Field[Any], value: object, language: Language) -> str:
    if "choices" in entry.metadata:
        return label(f"{entry.name}_{value}", language)
    if entry.name in STANDARD_PARAMETERS:
        return _printed_standard(str(value), language)
    return str(value)


def _printed_label(name: str, language: Language) -> str:
    """Return the label of a parameter; where that says how to set it, the one for readers."""
    for_readers = f"printed_{name}"
    return label(for_readers if has_term(for_readers) else f"parameter_{name}", language)


def _printed_standard(standard: str, language: Language) -> str:
    """Return the title of a standard that ships, or the name of one's own file."""
    if standard.endswith(OWN_STANDARD):
        return shown_standard(standard)
    return getattr(load_standard(standard).title, language)


def _printed_rules(parameters: StudyParameters, language: Language) -> tuple[tuple[str, str], ...]:
    if not parameters.rules.strip():
        return ()
    standard = parameters.standard
    location = resolve_path(standard) if standard.endswith(OWN_STANDARD) else standard
    return describe_switches(load_standard(location), parameters.rules, language)


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
