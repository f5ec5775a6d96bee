"""What is printed around the content of a page: title, county, year, standard, edition, provenance."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from toolkit.reporting.edition import Edition
from toolkit.reporting.record import RunRecord, inputs_digest
from toolkit.vocabulary import Language, label, sentence

TEMPLATES = Path(__file__).with_name("template")
LANGUAGE_CODES: dict[Language, str] = {"zh": "zh-CN", "en": "en"}
SHORT_HASH = 12
SHELL_LABELS = (
    "brand",
    "self_assessment",
    "skip_to_content",
    "contents",
    "show_code",
    "sort",
    "more_columns",
    "provenance",
)


@dataclass(frozen=True, slots=True)
class PageLink:
    """A page of the report: its title and its file beside this page."""

    title: str
    href: str


@dataclass(frozen=True, slots=True)
class PageHeader:
    """What stands at the head and foot of every page of a run.

    Attributes
    ----------
    language : {"zh", "en"}
        Language of the page.
    county : str
        Name of the county.
    year : int
        School year.
    standard : str
        Title of the standard, with its number.
    data_hash : str
        Hash over the input files.
    version : str
        Version of the software.
    edition : {"internal", "public"}
        Edition of the report.
    provenance : tuple of (str, str)
        Label and text of each line at the foot.
    is_synthetic : bool
        Whether the data are invented; every page then says so below its title.
    """

    language: Language
    county: str
    year: int
    standard: str
    data_hash: str
    version: str
    edition: Edition
    provenance: tuple[tuple[str, str], ...]
    is_synthetic: bool = False


def page_header(record: RunRecord, *, standard: str, version: str, is_synthetic: bool = False) -> PageHeader:
    """Return the head and foot of the pages of a run.

    Parameters
    ----------
    record : RunRecord
        The record; nothing else about the run is printed.
    standard : str
        Title of the standard in the language of the report.
    version : str
        Version of the software.
    is_synthetic : bool
        Whether the data are invented.
    """
    language: Language = "en" if record.language == "en" else "zh"
    return PageHeader(
        language=language,
        county=record.county_name,
        year=record.year,
        standard=standard,
        data_hash=inputs_digest(record.inputs),
        version=version,
        edition="public" if record.edition == "public" else "internal",
        provenance=_provenance(record, standard, version, language),
        is_synthetic=is_synthetic,
    )


def shell_resources(header: PageHeader, *, title: str, text: str, embed_font: bool) -> dict[str, Any]:
    """Return what the shell of a page shows, for the templates.

    Parameters
    ----------
    header : PageHeader
        Head and foot.
    title : str
        Title of the page.
    text : str
        All the text of the page; its characters decide what an embedded font holds.
    embed_font : bool
        Whether the page brings a Chinese font along.
    """
    language, year = header.language, header.year
    years = {"year": year, "next_year": year + 1}
    facts = (
        (label("report_county", language), header.county),
        (label("report_school_year_label", language), sentence("report_school_year", language, **years)),
        (
            label("report_statistic_date_label", language),
            sentence("report_statistic_date", language, year=year),
        ),
        (label("report_standard", language), header.standard),
        (label("report_data_hash", language), header.data_hash),
        (label("report_version", language), header.version),
    )
    synthetic = sentence("report_synthetic", language) if header.is_synthetic else ""
    return {
        "language_code": LANGUAGE_CODES[language],
        "title": title,
        "document_title": sentence("report_page_title", language, title=title, county=header.county, **years),
        "edition": header.edition,
        "edition_label": label(f"report_edition_{header.edition}", language),
        "facts": facts,
        "synthetic": synthetic,
        "provenance": header.provenance,
        "footer": sentence("report_footer", language, version=header.version),
        "labels": {name: label(f"report_{name}", language) for name in SHELL_LABELS},
        "css": template_text("report.css"),
        "script": template_text("report.js"),
        "has_code": False,
        "font": _font_data(text + synthetic + "".join(map("".join, facts))) if embed_font else "",
    }


@cache
def template_text(name: str) -> str:
    """Return a file of the template folder."""
    return (TEMPLATES / "report" / name).read_text(encoding="utf-8")


def _provenance(
    record: RunRecord, standard: str, version: str, language: Language
) -> tuple[tuple[str, str], ...]:
    """Return the lines at the foot: no time, no host, no path."""
    separator = label("report_list_separator", language)
    inputs = separator.join(f"{file.name} (SHA-256 {file.sha256[:SHORT_HASH]}…)" for file in record.inputs)
    packages = separator.join(
        sentence("report_package_version", language, package=name, version=number)
        for name, number in sorted(record.packages.items())
    )
    lines = (
        ("report_inputs", inputs),
        ("report_standard", f"{standard} (SHA-256 {record.standard_sha256[:SHORT_HASH]}…)"),
        ("report_version", version),
        ("report_commit", record.commit),
        ("report_seed", str(record.seed)),
        ("report_python", record.python),
        ("report_packages", packages),
    )
    return tuple((label(name, language), text) for name, text in lines if text)


def _font_data(text: str) -> str:
    """Return an embedded font with the characters of a text, empty if there is no Chinese font."""
    from base64 import b64encode

    from toolkit.figures.fonts import font_subset

    ascii_characters = "".join(map(chr, range(32, 127)))
    return b64encode(font_subset(text + ascii_characters)).decode("ascii")
