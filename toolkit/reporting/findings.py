"""Findings: the sentences of a study with their numbers, as the annual report and the index read them."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Literal, get_args

from toolkit.errors import RunError
from toolkit.exhibits import reference_html
from toolkit.vocabulary import Language, Term, label, sentence

FindingKind = Literal["headline", "finding", "limit", "not_judged"]
FindingStatus = Literal["pass", "fail", "undecided", "none"]
NumberMeasure = Literal["cell", "count", "sum"]

SCHEMA_VERSION = 1
FILE_NAME = "findings.json"


@dataclass(frozen=True, slots=True)
class NumberPlace:
    """Where in the file of a table a number stands.

    Attributes
    ----------
    measure : {"cell", "count", "sum"}
        The number is the cell of the one row meant, how many rows are meant, or the sum of their cells.
    column : str
        Column of the cell or cells, by its name in the CSV. Rows without a value in it are not counted;
        when it is empty all rows meant are.
    rows : mapping of str to str
        Column and content of the rows meant; all rows when it is empty.
    """

    measure: NumberMeasure = "cell"
    column: str = ""
    rows: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.measure not in get_args(NumberMeasure):
            raise ValueError(f"measure must be one of {get_args(NumberMeasure)}, not {self.measure!r}")
        if self.measure != "count" and not self.column:
            raise ValueError(f"a {self.measure} has a column")


@dataclass(frozen=True, slots=True)
class FindingNumber:
    """A number that a sentence states, and where it comes from.

    Attributes
    ----------
    name : str
        Code name of the quantity.
    value : float or None
        Unrounded; None when missing.
    unit : str
        Code name of the unit, empty when there is none.
    table : str
        Key of the table that holds the number.
    place : NumberPlace or None
        Where in the file of the table it stands; None where only the table is known.
    """

    name: str
    value: float | None
    unit: str
    table: str
    place: NumberPlace | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about the results, in both languages.

    Attributes
    ----------
    id : str
        Unique within the notebook.
    kind : {"headline", "finding", "limit", "not_judged"}
        What sort of statement it is.
    importance : int
        1 comes first.
    zh, en : str
        The sentence.
    status : {"pass", "fail", "undecided", "none"}
        Verdict that the sentence states; "none" when it states none.
    numbers : tuple of FindingNumber
        The numbers in it.
    """

    id: str
    kind: FindingKind
    importance: int
    zh: str
    en: str
    status: FindingStatus = "none"
    numbers: tuple[FindingNumber, ...] = ()

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("kind", self.kind, FindingKind),
            ("status", self.status, FindingStatus),
        ):
            if value not in get_args(allowed):
                raise ValueError(
                    f"finding {self.id!r}: {name} must be one of {get_args(allowed)}, not {value!r}"
                )

    def text(self, language: Language) -> str:
        """Return the sentence in one language."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Findings:
    """What a notebook found, the most important first."""

    notebook: str
    findings: tuple[Finding, ...]

    def __post_init__(self) -> None:
        ids = [finding.id for finding in self.findings]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"findings of {self.notebook!r} use an id twice: {', '.join(twice)}")

    def of_kind(self, kind: FindingKind) -> tuple[Finding, ...]:
        """Return the findings of one kind, in order of importance."""
        return tuple(finding for finding in ordered(self.findings) if finding.kind == kind)


@dataclass(frozen=True, slots=True)
class FindingsExhibit:
    """The findings as a list. As the last expression of a notebook cell it shows itself.

    Attributes
    ----------
    findings : Findings
        The findings.
    language : {"zh", "en"}
        Language of the list.
    origin : str
        Notebook that found them, when another one shows them again.
    titles : mapping of str to str
        Titles of its tables by key.
    """

    findings: Findings
    language: Language
    origin: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self.findings.findings)} findings>"

    def _repr_html_(self) -> str:
        return findings_html(self.findings.findings, self.language, origin=self.origin, titles=self.titles)


def number_in_cell(
    name: str, value: float, table: str, column: str, rows: Mapping[str, str], *, unit: str = ""
) -> FindingNumber:
    """Return a number that stands in one cell of a table; a missing or an infinite one has no value."""
    known = float(value) if math.isfinite(value) else None
    return FindingNumber(name, known, unit, table, NumberPlace("cell", column, rows))


def number_of_rows(
    name: str, count: int, table: str, rows: Mapping[str, str] | None = None, *, column: str = ""
) -> FindingNumber:
    """Return how many rows of a table have a content, or a value in a column."""
    return FindingNumber(name, float(count), "", table, NumberPlace("count", column, rows or {}))


def number_in_sum(
    name: str,
    value: float,
    table: str,
    column: str,
    rows: Mapping[str, str] | None = None,
    *,
    unit: str = "",
) -> FindingNumber:
    """Return the sum of a column of a table."""
    return FindingNumber(name, float(value), unit, table, NumberPlace("sum", column, rows or {}))


def build_finding(
    finding_id: str,
    sentence_name: str,
    *,
    kind: FindingKind,
    importance: int,
    status: FindingStatus = "none",
    numbers: tuple[FindingNumber, ...] = (),
    **values: object,
) -> Finding:
    """Return a finding whose sentence comes from the vocabulary.

    A value that is a `Term` is put in as its label in the language of the sentence.
    """
    return Finding(
        id=finding_id,
        kind=kind,
        importance=importance,
        zh=sentence(sentence_name, "zh", **_in_language(values, "zh")),
        en=sentence(sentence_name, "en", **_in_language(values, "en")),
        status=status,
        numbers=numbers,
    )


def show_findings(findings: Findings, language: Language) -> FindingsExhibit:
    """Return the findings as an exhibit of a page."""
    return FindingsExhibit(findings, language)


def save_findings(findings: Findings, folder: Path) -> Path:
    """Write ``findings.json`` into a folder and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = [asdict(finding) for finding in ordered(findings.findings)]
    content = {"schema_version": SCHEMA_VERSION, "notebook": findings.notebook, "findings": entries}
    path = folder / FILE_NAME
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    path.write_bytes(f"{text}\n".encode())
    return path


def load_findings(path: Path) -> Findings:
    """Load ``findings.json``, or the one in a folder.

    Raises
    ------
    RunError
        If the file is absent, no JSON, of another version, or has other fields than it should.
    """
    file = path / FILE_NAME if path.is_dir() else path
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return _findings_from(content)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError("report_findings_unreadable", path=file.name, reason=error) from error


def ordered(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return findings by importance; those of equal importance stay in the order of the notebook."""
    return tuple(sorted(findings, key=lambda finding: finding.importance))


def findings_html(
    findings: tuple[Finding, ...],
    language: Language,
    *,
    origin: str = "",
    titles: Mapping[str, str] | None = None,
) -> str:
    """Return findings as a list, each with its kind and links to its tables.

    Parameters
    ----------
    findings : tuple of Finding
        In any order.
    language : {"zh", "en"}
        Language of the list.
    origin : str
        Notebook that found them, when another one shows them again.
    titles : mapping of str to str, optional
        Titles of its tables by key.
    """
    if not findings:
        return ""
    items = "".join(_item(finding, language, origin, titles or {}) for finding in ordered(findings))
    return f'<ul class="findings" aria-label="{escape(label("report_findings", language))}">{items}</ul>'


def _item(finding: Finding, language: Language, origin: str, titles: Mapping[str, str]) -> str:
    """Return one finding as a list item."""
    kind = escape(label(f"report_finding_kind_{finding.kind}", language))
    tables = sorted({number.table for number in finding.numbers if number.table})
    links = "".join(f" {reference_html(key, origin=origin, title=titles.get(key, ''))}" for key in tables)
    classes = f"finding finding-{finding.kind} status-{finding.status}"
    text = escape(finding.text(language))
    return f'<li class="{classes}"><span class="finding-kind">{kind}</span> <span>{text}{links}</span></li>'


def _in_language(values: Mapping[str, object], language: Language) -> dict[str, object]:
    """Return the values with terms replaced by their labels."""
    return {
        name: getattr(value, language) if isinstance(value, Term) else value for name, value in values.items()
    }


def _findings_from(content: Mapping[str, Any]) -> Findings:
    """Return findings from the content of a file; other fields than expected are errors."""
    unknown = content.keys() - {"schema_version", "notebook", "findings"}
    if unknown:
        raise ValueError(f"unknown fields {', '.join(sorted(unknown))}")
    if content["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"schema_version {content['schema_version']}, not {SCHEMA_VERSION}")
    found = tuple(
        Finding(**{**entry, "numbers": tuple(_number_from(number) for number in entry["numbers"])})
        for entry in content["findings"]
    )
    return Findings(notebook=content["notebook"], findings=found)


def _number_from(entry: Mapping[str, Any]) -> FindingNumber:
    """Return a number of a file; those of earlier versions do not say where in the table it stands."""
    place = entry.get("place")
    return FindingNumber(**{**entry, "place": NumberPlace(**place) if place else None})
