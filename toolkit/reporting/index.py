"""The first page of a report: the verdict, the headlines, and where everything else is."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from toolkit.reporting.findings import Finding, ordered
from toolkit.reporting.page import TEMPLATES, PageHeader, shell_resources
from toolkit.reporting.render import Heading
from toolkit.vocabulary import Language, label, sentence

if TYPE_CHECKING:
    from jinja2 import Environment

LABELS = (
    "index_verdict",
    "index_no_verdict",
    "index_scope",
    "index_changes",
    "index_headlines",
    "index_pages",
    "index_not_run",
    "index_failures",
    "index_downloads",
    "table",
)
# The worst verdict colours the box.
STATUS_ORDER = ("fail", "undecided", "pass")


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """A page of the report with its findings.

    Attributes
    ----------
    title, href : str
        Title and file of the page.
    summary : str
        One line on what it answers, empty when there is none.
    headlines : tuple of Finding
        What the index repeats from it.
    """

    title: str
    href: str
    summary: str
    headlines: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class NotRun:
    """A study that was not done, and why."""

    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class FailedPart:
    """A notebook that failed: its title, the section it had reached, the reason in plain words."""

    title: str
    section: str
    reason: str


@dataclass(frozen=True, slots=True)
class Download:
    """A table with its two files, as reached from the index."""

    title: str
    csv: str
    xlsx: str


@dataclass(frozen=True, slots=True)
class ReportIndex:
    """What the first page shows.

    Attributes
    ----------
    header : PageHeader
        What all pages of the run share.
    verdicts : tuple of Finding
        The overall verdict, one sentence per stage.
    entries : tuple of IndexEntry
        The pages, in order.
    not_run : tuple of NotRun
        What was not done.
    failures : tuple of FailedPart
        What failed.
    downloads : tuple of Download
        All tables.
    remarks : tuple of str
        What the verdict covers and what it leaves open, one paragraph each.
    facts : tuple of (str, str)
        Label and value of the counts behind the verdict.
    changes : tuple of Finding
        What is different from the year before, one sentence per stage.
    """

    header: PageHeader
    verdicts: tuple[Finding, ...]
    entries: tuple[IndexEntry, ...]
    not_run: tuple[NotRun, ...]
    failures: tuple[FailedPart, ...]
    downloads: tuple[Download, ...]
    remarks: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    changes: tuple[Finding, ...] = ()


def render_index(index: ReportIndex, *, embed_font: bool = False) -> str:
    """Return the first page of a report."""
    language = index.header.language
    labels = {name: label(f"report_{name}", language) for name in LABELS}
    title = label("report_index_title", language)
    shown = {
        "labels": labels,
        "status": _worst([finding.status for finding in index.verdicts]),
        "verdicts": [finding.text(language) for finding in ordered(index.verdicts)],
        "remarks": index.remarks,
        "facts": index.facts,
        "changes": [finding.text(language) for finding in ordered(index.changes)],
        "headlines": _headlines(index, language),
        "pages": index.entries,
        "not_run": [
            sentence("report_not_run_line", language, title=study.title, reason=study.reason)
            for study in index.not_run
        ],
        "failures": index.failures,
        "downloads": index.downloads,
        "headings": _headings(index, labels),
    }
    text = title + "".join(str(value) for value in shown.values())
    shell = shell_resources(index.header, title=title, text=text, embed_font=embed_font)
    return _environment().get_template("report/run_index.html.j2").render(**shown, shell_values=shell)


def _headlines(index: ReportIndex, language: Language) -> list[dict[str, str]]:
    """Return the headlines of all pages, each with the page it comes from."""
    return [
        {
            "kind": finding.kind,
            "kind_label": label(f"report_finding_kind_{finding.kind}", language),
            "text": finding.text(language),
            "href": entry.href,
            "page": entry.title,
        }
        for entry in index.entries
        for finding in ordered(entry.headlines)
    ]


def _headings(index: ReportIndex, labels: dict[str, str]) -> tuple[Heading, ...]:
    """Return the contents of the page."""
    sections = (
        ("verdict", "index_verdict", True),
        ("scope", "index_scope", bool(index.remarks or index.facts)),
        ("changes", "index_changes", bool(index.changes)),
        ("headlines", "index_headlines", any(entry.headlines for entry in index.entries)),
        ("pages", "index_pages", True),
        ("failures", "index_failures", bool(index.failures)),
        ("not-run", "index_not_run", bool(index.not_run)),
        ("downloads", "index_downloads", bool(index.downloads)),
    )
    return tuple(Heading(2, name, labels[text]) for name, text, is_shown in sections if is_shown)


def _worst(statuses: list[str]) -> str:
    """Return the worst of the verdicts, "none" when there is none."""
    return next((status for status in STATUS_ORDER if status in statuses), "none")


@cache
def _environment() -> "Environment":
    """Return the template environment, which escapes every value."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader([TEMPLATES, TEMPLATES / "report"])
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
