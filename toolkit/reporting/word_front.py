"""The first pages of a Word document: title page and contents."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from toolkit.reporting.page import PageHeader, shell_resources
from toolkit.reporting.word_style import CONTENTS_DEPTH
from toolkit.reporting.word_tables import TextTable, fit_table, table_element
from toolkit.reporting.word_xml import add_bookmark, add_link, element
from toolkit.vocabulary import label, sentence

if TYPE_CHECKING:
    from docx.document import Document
    from docx.text.paragraph import Paragraph

CONTENTS_FIELD = rf'TOC \o "1-{CONTENTS_DEPTH}" \h \z \u'
HEADING_BOOKMARK = "_Toc{number:08d}"
# Numbers of bookmarks of headings start behind those of exhibits.
FIRST_HEADING_NUMBER = 10_000
FACTS_WIDTH = 0.8


def add_cover(document: "Document", header: PageHeader, title: str) -> None:
    """Add the title page: county, title, school year, that it is a self-assessment, edition and basis.

    Parameters
    ----------
    document : docx.document.Document
        Receives the paragraphs; its first page carries neither running line nor number.
    header : PageHeader
        What stands at the head of the page.
    title : str
        Title of the report.
    """
    shell = shell_resources(header, title=title, text="", embed_font=False)
    years = {"year": header.year, "next_year": header.year + 1}
    document.add_paragraph(header.county, style="Cover County")
    document.add_paragraph(title, style="Title")
    lines = (
        sentence("word_cover_year", header.language, **years),
        shell["labels"]["self_assessment"],
        shell["edition_label"],
    )
    for line in lines:
        document.add_paragraph(line, style="Cover Line")
    if shell["synthetic"]:
        document.add_paragraph(shell["synthetic"], style="Cover Remark")
    document.add_paragraph(style="Cover Space")
    _add_facts(document, shell["facts"])
    document.sections[0].different_first_page_header_footer = True


def _add_facts(document: "Document", facts: Sequence[tuple[str, str]]) -> None:
    """Add what the report rests on, as a table without headings narrower than the text."""
    table = TextTable(("", ""), tuple(tuple(fact) for fact in facts), ("left", "left"))
    made = table_element(table, fit_table(table, part=FACTS_WIDTH))
    made.remove(made.tr_lst[0])
    document._body._element._insert_tbl(made)


def add_contents(document: "Document", header: PageHeader) -> None:
    """Add the table of contents to a document that is otherwise complete.

    It stands behind the title page and is a field that Word fills with the numbers of the pages when it
    opens the document. Until then, and in programs that do not, it holds the headings as links.

    Parameters
    ----------
    document : docx.document.Document
        The document, begun by `add_cover`.
    header : PageHeader
        What stands at the head of the page; it says the language.
    """
    from docx.oxml.ns import qn

    headings = list(_headings(document))
    facts = document.tables[0]._tbl
    following = facts.getnext()
    title = document.add_paragraph(label("report_contents", header.language), style="Contents Title")
    lines = [title]
    for number, (level, heading) in enumerate(headings, start=FIRST_HEADING_NUMBER):
        name = HEADING_BOOKMARK.format(number=number)
        add_bookmark(heading, name, number)
        lines.append(document.add_paragraph(style=f"toc {level}"))
        add_link(lines[-1], _text(heading), name)
    _make_field(lines[1:])
    for line in reversed(lines):
        facts.addnext(line._p)
    if headings and following is not None and following.tag == qn("w:p"):
        following.get_or_add_pPr()._add_pageBreakBefore()


def _headings(document: "Document") -> "Iterator[tuple[int, Paragraph]]":
    """Give the headings that the contents list, each with its level."""
    levels = {f"Heading {level}": level for level in range(1, CONTENTS_DEPTH + 1)}
    for paragraph in document.paragraphs:
        name = paragraph.style.name if paragraph.style is not None else None
        if name in levels:
            yield levels[name], paragraph


def _text(heading: "Paragraph") -> str:
    """Return the words of a heading, with those of links and equations in it."""
    return str(heading._p.xpath("string()")).strip()


def _make_field(lines: "Sequence[Paragraph]") -> None:
    """Make paragraphs the content of the field of contents."""
    if not lines:
        return
    begin = (
        '<w:fldChar w:fldCharType="begin" w:dirty="true"/>',
        f'<w:instrText xml:space="preserve"> {CONTENTS_FIELD} </w:instrText>',
        '<w:fldChar w:fldCharType="separate"/>',
    )
    first = 1 if lines[0]._p.pPr is not None else 0
    for position, part in enumerate(begin, start=first):
        lines[0]._p.insert(position, element(f"<w:r>{part}</w:r>"))
    lines[-1]._p.append(element('<w:r><w:fldChar w:fldCharType="end"/></w:r>'))
