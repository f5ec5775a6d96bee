"""The comparison of two runs as tables, as a page and as files."""

from dataclasses import replace
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import toolkit
from toolkit.data.simulate.settings import is_synthetic
from toolkit.exhibits import Caption
from toolkit.reporting.compare import RunComparison
from toolkit.reporting.compared_runs import RunResults
from toolkit.reporting.page import TEMPLATES, PageHeader, page_header, shell_resources
from toolkit.reporting.record import inputs_digest
from toolkit.reporting.render import NUMBER_MARK, exhibit_numbers, headings_in
from toolkit.reporting.run_change import SECTIONS, Change, Section
from toolkit.standards import available_standards, load_standard
from toolkit.tables.exhibit import ColumnKind, TableExhibit, vocabulary_column
from toolkit.tables.export import TableFiles, export_table
from toolkit.tables.html import table_html
from toolkit.vocabulary import Language, label, sentence

if TYPE_CHECKING:
    from jinja2 import Environment

KEY = "changes"
# All of them are in the files.
NUMBERS_SHOWN = 200
VERDICT_WORDS = ("compare_aspect", "compare_before", "compare_after")
COLUMNS = ("stage", "compare_subject", "compare_aspect", "compare_before", "compare_after", "compare_cause")


def tabulate_changes(
    comparison: RunComparison, language: Language, *, section: Section | None = None
) -> TableExhibit:
    """Return all differences of two runs, verdicts first, or those of one kind.

    Parameters
    ----------
    comparison : RunComparison
        The two runs.
    language : {"zh", "en"}
        Language.
    section : Section, optional
        Kind of difference; all by default.
    """
    changes = comparison.changes if section is None else comparison.of(section)
    data = pd.DataFrame([_row(change, language) for change in changes], columns=["compare_section", *COLUMNS])
    names = ("compare_section", *COLUMNS) if section is None else _filled(data)
    columns = tuple(vocabulary_column(name, language, kind=_kind(name, section)) for name in names)
    title = sentence(f"title_{KEY}", language)
    if section is not None:
        title = label(f"compare_section_{section}", language)
    caption = Caption(
        KEY if section is None else f"{KEY}_{section}",
        title,
        language,
        n=sentence("compare_count", language, count=len(changes)),
    )
    shown = NUMBERS_SHOWN if section == "number" else 0
    return TableExhibit(caption, columns, data, rows_shown=shown)


def write_comparison(comparison: RunComparison, page: Path, language: Language) -> TableFiles:
    """Write the page, and ``changes.csv`` and ``changes.xlsx`` beside it."""
    files = export_table(tabulate_changes(comparison, language), page.parent)
    page.write_text(render_comparison(comparison, language), encoding="utf-8", newline="\n")
    return files


def render_comparison(comparison: RunComparison, language: Language) -> str:
    """Return the comparison as one self-contained page."""
    parts = [
        _section(section, _numbered(comparison, section, language), language)
        for section in SECTIONS
        if comparison.of(section)
    ]
    runs = [_run_facts(run, language) for run in (comparison.before, comparison.after)]
    title = sentence("compare_title", language)
    body = _with_numbers("".join(parts), language)
    labels = {name: label(f"compare_{name}", language) for name in ("runs", "files")}
    header = _header(comparison, language)
    values = {
        "runs": list(zip([name for name, _ in runs[0]], *([v for _, v in run] for run in runs), strict=True)),
        "run_names": (comparison.before.name, comparison.after.name),
        "labels": labels,
        "remarks": [getattr(remark, language) for remark in comparison.remarks],
        "summary": summary(comparison, language),
        "body": body,
        "files": (f"{KEY}.csv", f"{KEY}.xlsx"),
    }
    headings = headings_in(f'<h2 id="runs">{escape(labels["runs"])}</h2>{body}')
    shell = shell_resources(header, title=title, text=body, embed_font=False)
    template = _environment().get_template("report/compare.html.j2")
    return template.render(**values, shell_values=shell, headings=headings)


def summary(comparison: RunComparison, language: Language) -> str:
    """Return one sentence with the number of differences of each kind."""
    counts = [
        sentence(
            "compare_counted_section",
            language,
            section=label(f"compare_section_{section}", language),
            count=len(comparison.of(section)),
        )
        for section in SECTIONS
        if comparison.of(section)
    ]
    if not counts:
        return sentence("compare_no_difference", language)
    parts = label("compare_list", language).join(counts)
    return sentence("compare_summary", language, parts=parts)


def _row(change: Change, language: Language) -> tuple[str, ...]:
    causes = label("compare_cause_separator", language).join(
        getattr(cause, language) for cause in change.causes
    )
    texts = (change.subject, change.aspect, change.before, change.after)
    section = f"compare_section_{change.section}"
    return (section, change.stage, *(getattr(text, language) for text in texts), causes)


def _kind(name: str, section: Section | None) -> ColumnKind:
    """Return how a column is printed: stages and verdicts are words that no line breaks."""
    words = ("stage", "compare_section", *(VERDICT_WORDS if section == "verdict" else ()))
    return "code" if name in words else "text"


def _filled(data: pd.DataFrame) -> list[str]:
    """Return the columns that hold something; what changed, before and after always."""
    return [
        name
        for name in COLUMNS
        if name in ("compare_subject", "compare_before", "compare_after") or (data[name] != "").any()
    ]


def _numbered(comparison: RunComparison, section: Section, language: Language) -> str:
    """Return the table of one kind of difference; what names a row stands first."""
    exhibit = tabulate_changes(comparison, language, section=section)
    first = [column for column in exhibit.columns if column.name == "compare_subject"]
    rest = [column for column in exhibit.columns if column.name != "compare_subject"]
    return table_html(replace(exhibit, columns=(*first, *rest)))


def _section(section: Section, table: str, language: Language) -> str:
    heading = escape(label(f"compare_section_{section}", language))
    return f'<section><h2 id="{section}">{heading}</h2>{table}</section>'


def _with_numbers(html: str, language: Language) -> str:
    """Return the tables with their numbers."""
    numbers = exhibit_numbers(html, language)
    return NUMBER_MARK.sub(
        lambda found: f'<span class="exhibit-number">{escape(numbers[found["key"]])}</span>', html
    )


def _header(comparison: RunComparison, language: Language) -> PageHeader:
    """Return head and foot of the page: of the later run, and internal if one of the runs is."""
    record = comparison.after.record
    editions = {run.record.edition for run in (comparison.before, comparison.after)}
    edition = "public" if editions == {"public"} else "internal"
    return page_header(
        replace(record, language=language, edition=edition),
        standard=_standard(comparison.after, language),
        version=toolkit.__version__,
        is_synthetic=is_synthetic(record.county_id),
    )


def _standard(run: RunResults, language: Language) -> str:
    """Return the title of a standard that ships, the id of another."""
    if run.record.standard not in available_standards():
        return run.record.standard
    return getattr(load_standard(run.record.standard).title, language)


def _run_facts(run: RunResults, language: Language) -> list[tuple[str, str]]:
    record = run.record
    years = {"year": record.year, "next_year": record.year + 1}
    return [
        (label("report_school_year_label", language), sentence("report_school_year", language, **years)),
        (label("report_standard", language), _standard(run, language)),
        (label("parameter_edition", language), label(f"edition_{record.edition}", language)),
        (label("parameter_language", language), label(f"language_{record.language}", language)),
        (label("report_data_hash", language), inputs_digest(record.inputs)),
        (label("report_version", language), record.packages.get("junheng", toolkit.__version__)),
    ]


@cache
def _environment() -> "Environment":
    """Return the template environment, which escapes every value."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader([TEMPLATES, TEMPLATES / "report"])
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
