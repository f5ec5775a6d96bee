"""The summary of a batch as a page, workbooks and CSV files."""

import re
import shutil
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import toolkit
from toolkit.batch.county_results import load_county_results
from toolkit.batch.status import LOG_FILE, UnitStatus
from toolkit.batch.summary import (
    SummaryUnit,
    counted,
    in_order,
    standard_title,
    tabulate_batch_coefficients,
    tabulate_failures,
    tabulate_units,
)
from toolkit.batch.units import UNITS_FOLDER, Place
from toolkit.data.simulate.settings import is_synthetic
from toolkit.errors import RunError
from toolkit.reporting.page import TEMPLATES, PageHeader, shell_resources
from toolkit.reporting.record import DIGEST_LENGTH
from toolkit.reporting.render import NUMBER_MARK, exhibit_numbers, headings_in
from toolkit.reporting.run_key import code_digest
from toolkit.tables.exhibit import TableExhibit
from toolkit.tables.export import export_table
from toolkit.tables.html import table_html
from toolkit.vocabulary import Language, label, sentence

if TYPE_CHECKING:
    from jinja2 import Environment

PAGE_NAME = "index.html"
UNFINISHED_FOLDER = ".summary"
OWN_TEMPLATES = Path(__file__).with_name("template")
# Names of the folders of reports and units are ASCII letters, digits and hyphens: nothing needs escaping.
REPORT_CELL = re.compile(r"<td>([a-z0-9-]+-\d{4}-[0-9a-f]{8}(?:-\d+)?)</td>")
LOG_CELL = re.compile(rf"<td>({UNITS_FOLDER}/[a-z0-9-]+/{re.escape(LOG_FILE)})</td>")


def write_summary(statuses: Sequence[UnitStatus], place: Place, language: Language) -> Path:
    """Write ``index.html``, ``summary.xlsx`` and the other tables of a batch; return the page.

    The same units give the same bytes, whichever engine ran them, in whatever order they ended.
    """
    units = in_order([_with_results(status, place) for status in statuses])
    tables = (
        tabulate_units(units, language),
        *tabulate_batch_coefficients(units, language),
        tabulate_failures(units, language),
    )
    page = render_summary(units, tables, place, language)
    unfinished = place.folder / UNFINISHED_FOLDER
    # Of a call that was killed here.
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for table in tables:
        export_table(table, unfinished)
    (unfinished / PAGE_NAME).write_text(page, encoding="utf-8", newline="\n")
    # The page comes last: the files that it names are there already.
    for path in sorted(unfinished.iterdir(), key=lambda path: path.name == PAGE_NAME):
        path.replace(place.folder / path.name)
    unfinished.rmdir()
    return place.folder / PAGE_NAME


def render_summary(
    units: Sequence[SummaryUnit], tables: Sequence[TableExhibit], place: Place, language: Language
) -> str:
    """Return the summary as one self-contained page; its links lead to the reports beside the batch."""
    *results, failures = tables
    parts = [("results", _linked(table_html(results[0]), place))]
    if results[1:]:
        parts.append(("coefficients", "".join(map(table_html, results[1:]))))
    if len(failures.data):
        logs = LOG_CELL.sub(rf'<td><a href="\1">{escape(LOG_FILE)}</a></td>', table_html(failures))
        parts.insert(0, ("failures", logs))
    body = _with_numbers("".join(_section(name, html, language) for name, html in parts), language)
    title = label("batch_title", language)
    summary = counted(units, language)
    files = [f"{table.caption.key}.{suffix}" for table in tables for suffix in ("xlsx", "csv")]
    labels = {name: label(f"batch_heading_{name}", language) for name in ("overview", "files")}
    headings = headings_in(f'<h2 id="overview">{escape(labels["overview"])}</h2>{body}')
    shell = _shell(units, title, body, place, language)
    template = _environment().get_template("batch.html.j2")
    return template.render(
        shell_values=shell, headings=headings, labels=labels, summary=summary, body=body, files=files
    )


def _with_results(status: UnitStatus, place: Place) -> SummaryUnit:
    """Return a unit with what its report says; a report that was taken away leaves the cells empty."""
    if not status.report:
        return SummaryUnit(status, None)
    try:
        return SummaryUnit(status, load_county_results(place.reports / status.report))
    except RunError:
        return SummaryUnit(status, None)


def _shell(
    units: Sequence[SummaryUnit], title: str, text: str, place: Place, language: Language
) -> dict[str, Any]:
    """Return head and foot: of no single county, so the facts are those of the batch."""
    known = [unit.results for unit in units if unit.results]
    years = sorted({unit.status.year for unit in units if unit.status.year})
    standards = sorted({results.record.standard for results in known})
    separator = label("list_separator", language)
    shown_standards = separator.join(standard_title(standard, language) for standard in standards)
    editions = {results.edition for results in known}
    code = code_digest()[: 2 * DIGEST_LENGTH]
    header = PageHeader(
        language=language,
        county=place.folder.name,
        year=years[-1] if years else 0,
        standard=shown_standards,
        data_hash="",
        version=toolkit.__version__,
        edition="public" if editions == {"public"} else "internal",
        provenance=(
            (label("report_version", language), toolkit.__version__),
            (label("batch_code", language), code),
        ),
        is_synthetic=any(is_synthetic(results.record.county_id) for results in known),
    )
    facts = (
        (label("batch_name", language), place.folder.name),
        (
            label("batch_counties", language),
            str(len({unit.status.county_id for unit in units if unit.status.county_id})),
        ),
        (label("report_school_year_label", language), separator.join(map(str, years))),
        (label("report_standard", language), shown_standards),
        (label("report_version", language), toolkit.__version__),
    )
    own = {
        "facts": tuple((name, value) for name, value in facts if value),
        "document_title": sentence("batch_page_title", language, name=place.folder.name),
    }
    return shell_resources(header, title=title, text=text, embed_font=False) | own


def _section(name: str, html: str, language: Language) -> str:
    return f'<section><h2 id="{name}">{escape(label(f"batch_heading_{name}", language))}</h2>{html}</section>'


def _linked(html: str, place: Place) -> str:
    """Return the table with the names of reports as links."""
    up = "/".join([".."] * len(place.folder.relative_to(place.reports).parts))
    return REPORT_CELL.sub(
        lambda found: f'<td><a href="{up}/{found[1]}/{PAGE_NAME}">{found[1]}</a></td>', html
    )


def _with_numbers(html: str, language: Language) -> str:
    numbers = exhibit_numbers(html, language)
    return NUMBER_MARK.sub(
        lambda found: f'<span class="exhibit-number">{escape(numbers[found["key"]])}</span>', html
    )


@cache
def _environment() -> "Environment":
    """Return the template environment, which escapes every value."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader([OWN_TEMPLATES, TEMPLATES, TEMPLATES / "report"])
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
