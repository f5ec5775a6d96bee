"""Rendering of an executed notebook as one HTML page that needs nothing else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from html import escape
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from toolkit.errors import RunError
from toolkit.exhibits import INTERACTIVE_STYLE, exhibit_id
from toolkit.reporting.notebook import block_unused_grammars, cell_tags, keep_language, notebook_title
from toolkit.reporting.page import TEMPLATES, PageHeader, PageLink, shell_resources
from toolkit.reporting.prose import prose_html, without_title
from toolkit.vocabulary import Language, label, sentence

if TYPE_CHECKING:
    from nbconvert.exporters import TemplateExporter
    from nbformat import NotebookNode

# Never shown as code: they hold paths of this machine.
HIDDEN_TAGS = frozenset({"parameters", "injected-parameters", "hidden"})
NUMBER_MARK = re.compile(
    r'<span class="exhibit-number" data-kind="(?P<kind>table|figure)" '
    r'data-key="(?P<key>[a-z0-9_]+)">[^<]*</span>'
)
# The notebook that computed an exhibit, when another one shows it again.
ORIGIN = r'(?: data-origin="(?P<origin>[A-Za-z0-9_]+)")?'
REFERENCE_MARK = re.compile(
    rf'<a class="exhibit-ref" href="#exhibit-(?P<key>[a-z0-9_]+)"{ORIGIN}>(?P<text>[^<]*)</a>'
)
FILES_MARK = re.compile(rf'<p class="exhibit-files" data-key="(?P<key>[a-z0-9_]+)"{ORIGIN}></p>')
FIGURE_IMAGE = re.compile(r'<img src="data:image/png;base64,[^"]+"[^>]* width="\d+" height="\d+">')
HEADING = re.compile(r'<h(?P<level>[23]) id="(?P<id>[^"]+)">(?P<text>.*?)</h[23]>', re.DOTALL)
TAGS = re.compile(r"<[^>]+>")
FILE_TYPES = ("csv", "xlsx")


@dataclass(frozen=True, slots=True)
class Heading:
    """An entry of the contents: level 2 or 3, id, text as HTML."""

    level: int
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """What a page consists of beside the notebook.

    Attributes
    ----------
    header : PageHeader
        What all pages of the run share.
    title : str
        Title of the page; empty for the first heading of the notebook in the page's language.
    parameters : tuple of (str, str)
        Label and value of each parameter that a reader should know.
    narrative : str
        The county's own text as Markdown, empty when there is none.
    results : pathlib.Path or None
        Folder with the exported tables of this notebook; None when there are none.
    results_href : str
        How that folder is reached from the page, such as "results/02_inter_school_variation".
    previous_page, next_page : PageLink or None
        Neighbours in the report.
    index_href : str
        How the index is reached from the page; empty when there is none.
    embed_font : bool
        Whether the page brings a Chinese font along.
    """

    header: PageHeader
    title: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    narrative: str = ""
    results: Path | None = None
    results_href: str = ""
    previous_page: PageLink | None = None
    next_page: PageLink | None = None
    index_href: str = "index.html"
    embed_font: bool = False


def render_page(notebook: "NotebookNode", page: Page) -> str:
    """Return an executed notebook as a page.

    Raises
    ------
    RunError
        If the prose refers to an exhibit that the page does not have, or a key is used twice.
    """
    language = page.header.language
    title = page.title or notebook_title(notebook, language)
    kept = _prepared(notebook, language)
    # The body is rendered before the shell: contents and font depend on it.
    body = _finished(_convert(kept, {"part": "body", "labels": _cell_labels(language)}), page)
    closing = _narrative(page, language) + _parameter_table(page, language)
    contents = headings_in(body + closing)
    resources = shell_resources(
        page.header, title=title, text=body + closing + title, embed_font=page.embed_font
    )
    resources |= {
        "part": "page",
        "body": body + closing,
        "contents": contents,
        "links": _links(page, language),
        "has_code": 'class="code"' in body,
    }
    return _convert(kept, resources)


def headings_in(html: str) -> tuple[Heading, ...]:
    """Return the headings of level 2 and 3 of a page, in order."""
    return tuple(
        Heading(int(found["level"]), found["id"], TAGS.sub("", found["text"]))
        for found in HEADING.finditer(html)
    )


def exhibit_numbers(html: str, language: Language) -> dict[str, str]:
    """Return the printed number of each exhibit, such as "表 2", in the order of the page.

    Raises
    ------
    RunError
        If two exhibits have the same key.
    """
    numbers: dict[str, str] = {}
    counts = {"table": 0, "figure": 0}
    for found in NUMBER_MARK.finditer(html):
        kind, key = found["kind"], found["key"]
        if key in numbers:
            raise RunError("report_exhibit_twice", key=key)
        counts[kind] += 1
        numbers[key] = sentence(
            "report_exhibit_number", language, kind=label(f"report_{kind}", language), number=counts[kind]
        )
    return numbers


def _prepared(notebook: "NotebookNode", language: Language) -> "NotebookNode":
    """Return the cells that a page shows, prose in one language, title taken out."""
    copy = type(notebook)(notebook)
    copy.cells = [
        _without_its_title(cell) for cell in keep_language(notebook.cells, language) if _is_shown(cell)
    ]
    return copy


def _is_shown(cell: "NotebookNode") -> bool:
    """Say whether a page shows a cell."""
    return cell.cell_type in ("code", "markdown") and not HIDDEN_TAGS & cell_tags(cell)


def _without_its_title(cell: "NotebookNode") -> "NotebookNode":
    """Return a cell of prose without a heading of level one at its start."""
    if cell.cell_type != "markdown":
        return cell
    copy = type(cell)(cell)
    copy.source = without_title(cell.source)
    return copy


def _cell_labels(language: Language) -> dict[str, str]:
    """Return the labels around cells."""
    names = ("code", "error", "figure_without_description")
    return {name: label(f"report_{name}", language) for name in names}


def _finished(body: str, page: Page) -> str:
    """Return the body with exhibits numbered, references resolved, files linked and figures in a box."""
    body = body.replace(INTERACTIVE_STYLE, "")
    body = FIGURE_IMAGE.sub(r'<div class="figure-box">\g<0></div>', body)
    numbers = exhibit_numbers(body, page.header.language)
    body = NUMBER_MARK.sub(lambda found: _number_html(numbers[found["key"]]), body)
    origins = {found["key"]: found["origin"] for found in FILES_MARK.finditer(body)}
    body = REFERENCE_MARK.sub(partial(_reference_html, numbers, origins), body)
    return FILES_MARK.sub(partial(_files_html, page), body)


def _number_html(number: str) -> str:
    """Return the printed number of an exhibit."""
    return f'<span class="exhibit-number">{escape(number)}</span>'


def _reference_html(
    numbers: Mapping[str, str], origins: Mapping[str, str | None], found: re.Match[str]
) -> str:
    """Return a link to an exhibit by its number, or by its title to the page that has it."""
    key, origin = found["key"], found["origin"]
    if origin and origins.get(key) != origin:
        return f'<a href="{origin}.html#{exhibit_id(key)}">{found["text"]}</a>'
    if key not in numbers:
        raise RunError("report_reference_unknown", key=key, known=", ".join(numbers))
    return f'<a class="exhibit-ref" href="#{exhibit_id(key)}">{escape(numbers[key])}</a>'


def _files_html(page: Page, found: re.Match[str]) -> str:
    """Return the links to the files of an exhibit that exist, and to the page that it comes from."""
    if page.results is None:
        return ""
    key, origin = found["key"], found["origin"]
    folder = page.results.with_name(origin) if origin else page.results
    href = str(PurePosixPath(page.results_href).with_name(origin)) if origin else page.results_href
    links = [
        f'<a href="{escape(href)}/{key}.{file_type}" download>{file_type.upper()}</a>'
        for file_type in FILE_TYPES
        if (folder / f"{key}.{file_type}").exists()
    ]
    if origin:
        text = escape(label("report_on_its_own_page", page.header.language))
        links.append(f'<a href="{origin}.html#{exhibit_id(key)}">{text}</a>')
    return f'<p class="exhibit-files">{" ".join(links)}</p>' if links else ""


def _narrative(page: Page, language: Language) -> str:
    """Return the section with the county's own text, empty when there is none."""
    if not page.narrative.strip():
        return ""
    heading = escape(label("report_narrative", language))
    remark = escape(label("report_narrative_by", language))
    text = prose_html(page.narrative, prefix="narrative", deeper=1)
    return (
        f'<section class="narrative"><h2 id="narrative">{heading}</h2>'
        f'<p class="remark">{remark}</p>{text}</section>'
    )


def _parameter_table(page: Page, language: Language) -> str:
    """Return the section with the parameters of the run, empty when there are none."""
    if not page.parameters:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in page.parameters
    )
    heading = escape(label("report_parameters", language))
    columns = "".join(
        f'<th scope="col">{escape(label(name, language))}</th>'
        for name in ("report_parameter", "report_value")
    )
    return (
        f'<section class="parameters"><h2 id="parameters">{heading}</h2>'
        '<div class="table-box"><table class="plain">'
        f'<caption class="visually-hidden">{heading}</caption><thead><tr>{columns}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _links(page: Page, language: Language) -> list[tuple[str, PageLink]]:
    """Return the links to the index and the neighbouring pages, each with its role."""
    index = PageLink(label("report_index", language), page.index_href) if page.index_href else None
    links = (("previous", page.previous_page), ("index", index), ("next", page.next_page))
    return [(role, link) for role, link in links if link is not None]


def _convert(notebook: "NotebookNode", resources: dict[str, Any]) -> str:
    """Return a notebook through the template."""
    html, _ = _exporter().from_notebook_node(notebook, resources=resources)
    return html


@cache
def _exporter() -> "TemplateExporter":
    """Return the exporter with the template of the reports.

    Not `HTMLExporter`: that parses every page once more to add alternative texts, which
    exhibits have, and asks for scripts from other hosts.
    """
    block_unused_grammars()
    from nbconvert.exporters import TemplateExporter

    class ReportExporter(TemplateExporter):
        output_mimetype = "text/html"

        def _file_extension_default(self) -> str:
            return ".html"

        def _template_name_default(self) -> str:
            return "report"

    # Each notebook is validated once, not after each of eleven steps that change nothing.
    exporter = ReportExporter(extra_template_basedirs=[str(TEMPLATES)], optimistic_validation=True)
    exporter.register_filter("prose", prose_html)
    return exporter
