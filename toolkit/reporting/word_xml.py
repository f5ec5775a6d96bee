"""Pieces of WordprocessingML that python-docx has no call for."""

import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docx.oxml.xmlchemy import BaseOxmlElement
    from docx.text.paragraph import Paragraph

# Characters that XML cannot hold.
FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def element(xml: str) -> "BaseOxmlElement":
    """Return an element from its XML, with the prefix of WordprocessingML known."""
    from docx.oxml import parse_xml

    head, found, rest = re.match(r"<([\w:]+)", xml), xml, ""
    assert head is not None
    found = f"<{head[1]} {NAMESPACE}{xml[head.end() :]}"
    return parse_xml(found + rest)


def xml_text(text: str) -> str:
    """Return a text as XML holds it; a line end becomes a space."""
    return escape(FORBIDDEN.sub("", " ".join(text.splitlines())))


def add_field(paragraph: "Paragraph", instruction: str, shown: str = "1") -> None:
    """Add a field such as the number of the page; `shown` is what stands there before it is computed."""
    for part in (
        '<w:fldChar w:fldCharType="begin"/>',
        f'<w:instrText xml:space="preserve"> {escape(instruction)} </w:instrText>',
        '<w:fldChar w:fldCharType="separate"/>',
        f"<w:t>{xml_text(shown)}</w:t>",
        '<w:fldChar w:fldCharType="end"/>',
    ):
        paragraph._p.append(element(f"<w:r>{part}</w:r>"))


def add_link(paragraph: "Paragraph", text: str, bookmark: str) -> None:
    """Add words that lead to a bookmark of the document."""
    run = f'<w:r><w:t xml:space="preserve">{xml_text(text)}</w:t></w:r>'
    paragraph._p.append(element(f'<w:hyperlink w:anchor="{bookmark}" w:history="1">{run}</w:hyperlink>'))


def add_bookmark(paragraph: "Paragraph", name: str, number: int) -> None:
    """Make a paragraph a place that links lead to."""
    start = element(f'<w:bookmarkStart w:id="{number}" w:name="{name}"/>')
    paragraph._p.insert(1 if paragraph._p.pPr is not None else 0, start)
    paragraph._p.append(element(f'<w:bookmarkEnd w:id="{number}"/>'))
