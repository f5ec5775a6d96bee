"""An executed notebook as a Word document in the style of official documents."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from toolkit.errors import RunError
from toolkit.exhibits import OWN_LABEL, Caption
from toolkit.figures.saved import load_saved_figure
from toolkit.reporting.archives import with_fixed_times
from toolkit.reporting.notebook import notebook_title
from toolkit.reporting.page import PageHeader
from toolkit.reporting.render import Page
from toolkit.reporting.word_blocks import (
    Block,
    ExhibitBlock,
    FindingLine,
    Line,
    Prose,
    notebook_blocks,
    numbered,
)
from toolkit.reporting.word_front import add_contents, add_cover
from toolkit.reporting.word_prose import add_prose
from toolkit.reporting.word_style import new_document, set_paper, text_width_mm
from toolkit.reporting.word_tables import TextTable, fit_table, table_element, text_table
from toolkit.reporting.word_xml import add_bookmark, add_field, add_link
from toolkit.tables.exhibit import TableExhibit
from toolkit.tables.html import rows_on_page, symbols_explained
from toolkit.tables.saved import load_saved_table
from toolkit.vocabulary import Language, format_number, label, sentence

if TYPE_CHECKING:
    from docx.document import Document
    from docx.text.paragraph import Paragraph
    from nbformat import NotebookNode

# A document carries a date of creation; one that is always the same keeps equal reports equal.
CREATED = datetime(2000, 1, 1, tzinfo=UTC)
MM_PER_CSS_PIXEL = 25.4 / 96
TALLEST_PICTURE_MM = 190


def write_word(notebook: "NotebookNode", page: Page, target: Path) -> Path:
    """Write an executed notebook as a .docx file and return its path.

    The document has what the page has: prose of one language, findings, exhibits with numbers, captions,
    notes and sources, the county's own text and the parameters. Of a table it has the rows that the page
    shows, and names the file with all of them.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        The executed notebook; its exhibits were saved by `Study.table` and `Study.figure`.
    page : Page
        What `render_page` takes; `results` and `results_href` are needed.
    target : pathlib.Path
        The file to write.

    Raises
    ------
    RunError
        If an exhibit was not saved, a key is used twice, prose refers to an exhibit that there is none of,
        or the file cannot be written.
    """
    language = page.header.language
    title = page.title or notebook_title(notebook, language)
    writer = _Writer(new_document(language), page, notebook_blocks(notebook, language))
    writer.write(title)
    saved = BytesIO()
    writer.document.save(saved)
    try:
        target.write_bytes(with_fixed_times(saved.getvalue()))
    except OSError as error:
        raise RunError("file_not_written", path=target, reason=error.strerror or error) from error
    return target


class _Writer:
    """Adds the blocks of one notebook to a document, in order."""

    def __init__(self, document: "Document", page: Page, blocks: tuple[Block, ...]) -> None:
        self.document, self.page, self.blocks = document, page, blocks
        self.language: Language = page.header.language
        self.numbers = numbered(blocks, self.language)
        self.is_landscape = False

    def write(self, title: str) -> None:
        """Write the whole document."""
        add_cover(self.document, self.page.header, title)
        self._running_lines(title)
        for block, following in zip(self.blocks, [*self.blocks[1:], None], strict=True):
            self._add(block, following)
        self._turn_sheet(is_landscape=False)
        self._narrative()
        self._parameters()
        self._provenance()
        add_contents(self.document, self.page.header)
        self._properties(title)

    def _running_lines(self, title: str) -> None:
        """Write the line above and the number below every page."""
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        header = self.page.header
        years = {"year": header.year, "next_year": header.year + 1}
        section = self.document.sections[0]
        above, below = section.header.paragraphs[0], section.footer.paragraphs[0]
        above.style = below.style = "Exhibit Note"
        above.text = sentence("report_page_title", self.language, title=title, county=header.county, **years)
        above.alignment = below.alignment = WD_ALIGN_PARAGRAPH.CENTER
        below.add_run("— ")
        add_field(below, "PAGE")
        below.add_run(" —")

    def _add(self, block: Block, following: Block | None) -> None:
        """Add one block; a single paragraph stands on the sheet of the exhibit that it announces."""
        match block:
            case ExhibitBlock(kind="table"):
                self._table(load_saved_table(self._folder(block), block.key), block)
            case ExhibitBlock():
                self._turn_sheet(is_landscape=False)
                self._figure(block)
            case Prose():
                announces = isinstance(following, ExhibitBlock)
                is_single = len(block.source.strip().splitlines()) == 1
                self._turn_sheet(is_landscape=announces and is_single and self._is_wide(following))
                add_prose(self.document, block.source, self._refer, deeper=block.deeper)
                last = self.document.element.body.xpath("w:p[last()]")
                if announces and last:
                    last[0].get_or_add_pPr().get_or_add_keepNext()
            case FindingLine():
                self._turn_sheet(is_landscape=False)
                self._finding(block)
            case Line():
                self._turn_sheet(is_landscape=False)
                self.document.add_paragraph(block.text, style="Heading 3" if block.is_strong else "Remark")

    def _is_wide(self, block: ExhibitBlock) -> bool:
        """Say whether an exhibit is a table that needs a sheet turned sideways."""
        if block.kind == "figure":
            return False
        exhibit = load_saved_table(self._folder(block), block.key)
        return not exhibit.data.empty and fit_table(text_table(exhibit)).is_landscape

    def _folder(self, block: ExhibitBlock) -> Path:
        """Return the folder with the results of the notebook that computed an exhibit."""
        if self.page.results is None:
            raise RunError("word_without_results", key=block.key)
        return self.page.results.with_name(block.origin) if block.origin else self.page.results

    def _table(self, exhibit: TableExhibit, block: ExhibitBlock) -> None:
        """Add a table: caption, unit and sample above, notes, source and file below."""
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        if exhibit.data.empty:
            self._turn_sheet(is_landscape=False)
            self._caption(exhibit.caption, "Exhibit Caption")
            nothing = exhibit.empty_text or label("report_empty_table", self.language)
            self.document.add_paragraph(nothing, style="Exhibit Note").alignment = WD_ALIGN_PARAGRAPH.CENTER
            self._notes(exhibit.caption, ())
            return
        table = text_table(exhibit)
        fit = fit_table(table)
        self._turn_sheet(is_landscape=fit.is_landscape)
        self._caption(exhibit.caption, "Exhibit Caption")
        self._meta(exhibit.caption)
        self.document._body._element._insert_tbl(table_element(table, fit))
        self._notes(exhibit.caption, self._table_lines(exhibit, block))

    def _table_lines(self, exhibit: TableExhibit, block: ExhibitBlock) -> tuple[str, ...]:
        """Return the lines on symbols and on the file with all rows."""
        shown = rows_on_page(exhibit)
        symbols = symbols_explained(exhibit, shown, exhibit.marks_by_cell)
        lines = [self._labelled("report_symbols", symbols)] if symbols else []
        href = PurePosixPath(self.page.results_href)
        folder = href.with_name(block.origin) if block.origin else href
        file = f"{folder}/{block.key}.xlsx"
        if len(shown) < len(exhibit.data):
            counts = {"shown": format_number(len(shown), 0), "total": format_number(len(exhibit.data), 0)}
            lines.append(sentence("word_rows_shown", self.language, file=file, **counts))
        else:
            lines.append(sentence("word_table_file", self.language, file=file))
        return tuple(lines)

    def _figure(self, block: ExhibitBlock) -> None:
        """Add a figure with its description for those who cannot see it, the caption below."""
        from docx.shared import Mm

        figure = load_saved_figure(self._folder(block), block.key)
        width, height = (pixels * MM_PER_CSS_PIXEL for pixels in figure.size)
        scale = min(1.0, text_width_mm(is_landscape=False) / width, TALLEST_PICTURE_MM / height)
        self._meta(figure.caption)
        paragraph = self.document.add_paragraph(style="Picture")
        picture = paragraph.add_run().add_picture(BytesIO(figure.png), width=Mm(width * scale))
        picture._inline.docPr.set("descr", figure.alt)
        picture._inline.docPr.set("name", block.key)
        self._caption(figure.caption, "Figure Caption")
        behind = self._behind(figure.table, block, figure.table_title)
        self._notes(figure.caption, (behind,) if behind else ())

    def _behind(self, table: str, block: ExhibitBlock, title: str) -> str:
        """Return the line that names the table behind a figure, empty when there is none."""
        if not table:
            return ""
        number = self._number(table, block.origin) or title or table
        return sentence("report_table_behind_figure", self.language, table=number)

    def _number(self, key: str, origin: str) -> str:
        """Return the number of an exhibit in this document, empty when it is not in it."""
        number, from_notebook = self.numbers.get(key, ("", ""))
        return number if not origin or from_notebook == origin else ""

    def _caption(self, caption: Caption, style: str) -> None:
        """Add number and title of an exhibit, where references lead."""
        number, _ = self.numbers[caption.key]
        paragraph = self.document.add_paragraph(f"{number}\u3000{caption.title}", style=style)
        add_bookmark(paragraph, caption.key, list(self.numbers).index(caption.key) + 1)

    def _meta(self, caption: Caption) -> None:
        """Add the line with unit, sample and interval type."""
        parts = (
            ("report_unit", caption.unit), ("report_n", caption.n), ("report_interval", caption.interval)
        )  # fmt: skip
        shown = [
            text if name == "report_n" and OWN_LABEL.search(text) else self._labelled(name, text)
            for name, text in parts
            if text
        ]
        if shown:
            self.document.add_paragraph("\u3000".join(shown), style="Exhibit Meta")

    def _notes(self, caption: Caption, more: tuple[str, ...]) -> None:
        """Add notes below an exhibit, and the source in one line with the file."""
        lines = [self._labelled("report_note", note) for note in caption.notes]
        ending = [self._labelled("report_source", caption.source)] if caption.source else []
        lines += more[:-1]
        lines.append("\u3000".join([*ending, *more[-1:]]))
        for line in filter(None, lines[:-1]):
            self.document.add_paragraph(line, style="Exhibit Note")
        self.document.add_paragraph(lines[-1], style="Exhibit Ending")

    def _labelled(self, name: str, text: str) -> str:
        """Return a text behind its label."""
        return sentence("report_labelled", self.language, label=label(name, self.language), text=text)

    def _finding(self, line: FindingLine) -> None:
        """Add one finding with the numbers of its tables."""
        paragraph = self.document.add_paragraph(style="Finding")
        named = sentence("word_finding_kind", self.language, kind=line.kind)
        paragraph.add_run(named).bold = True
        paragraph.add_run(line.text)
        if not line.references:
            return
        opening, closing = sentence("word_references", self.language, references="\0").split("\0")
        paragraph.add_run(opening)
        for position, reference in enumerate(line.references):
            if position:
                paragraph.add_run(label("report_list_separator", self.language))
            number = self._number(reference.key, reference.origin)
            if number:
                add_link(paragraph, number, reference.key)
            else:
                paragraph.add_run(sentence("word_other_page", self.language, title=reference.title))
        paragraph.add_run(closing)

    def _refer(self, paragraph: "Paragraph", key: str) -> None:
        """Write the number of an exhibit that prose refers to."""
        if key not in self.numbers:
            raise RunError("report_reference_unknown", key=key, known=", ".join(self.numbers))
        add_link(paragraph, self.numbers[key][0], key)

    def _narrative(self) -> None:
        """Add the county's own text."""
        if not self.page.narrative.strip():
            return
        self.document.add_paragraph(label("report_narrative", self.language), style="Heading 1")
        self.document.add_paragraph(label("report_narrative_by", self.language), style="Remark")

        def as_written(paragraph: "Paragraph", key: str) -> None:
            paragraph.add_run(self._number(key, "") or f"[@{key}]")

        add_prose(self.document, self.page.narrative, as_written, deeper=1)

    def _parameters(self) -> None:
        """Add the parameters of the run."""
        if not self.page.parameters:
            return
        self.document.add_paragraph(label("report_parameters", self.language), style="Heading 1")
        headings = (label("report_parameter", self.language), label("report_value", self.language))
        self._insert(TextTable(headings, self.page.parameters, ("left", "left")))

    def _provenance(self) -> None:
        """Add what stands at the foot of the page."""
        self.document.add_paragraph(label("report_provenance", self.language), style="Heading 1")
        for name, text in self.page.header.provenance:
            line = sentence("report_labelled", self.language, label=name, text=text)
            self.document.add_paragraph(line, style="Exhibit Note")

    def _insert(self, table: TextTable) -> None:
        """Insert a small table of words."""
        self.document._body._element._insert_tbl(table_element(table, fit_table(table)))
        self.document.add_paragraph(style="Exhibit Note")

    def _turn_sheet(self, *, is_landscape: bool) -> None:
        """Begin a section on a sheet the other way round if the last one does not lie so."""
        if is_landscape == self.is_landscape:
            return
        section = self.document.add_section()
        section.different_first_page_header_footer = False
        set_paper(section, is_landscape=is_landscape)
        self.is_landscape = is_landscape

    def _properties(self, title: str) -> None:
        """Set the properties of the document; none of them is a time or a name of this machine."""
        properties = self.document.core_properties
        header: PageHeader = self.page.header
        version = label("report_version", self.language)
        properties.title, properties.subject = title, header.county
        properties.author = properties.last_modified_by = f"Junheng {header.version}"
        properties.comments, properties.keywords = f"{version} {header.version}", header.data_hash
        properties.created = properties.modified = CREATED.replace(tzinfo=None)
        properties.revision = 1
        properties.language = "zh-CN" if self.language == "zh" else "en"
