"""Markdown as paragraphs of a Word document."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from toolkit.reporting.equations import omml
from toolkit.reporting.prose import prose_tokens
from toolkit.reporting.word_tables import TextTable, fit_table, table_element

if TYPE_CHECKING:
    from docx.document import Document
    from docx.text.paragraph import Paragraph

DEEPEST_HEADING = 3
SIDE_BY_SIDE = r"\qquad"
Refer = Callable[["Paragraph", str], None]
"""Writes the number of an exhibit, by its key, into a paragraph."""


def add_prose(document: "Document", source: str, refer: Refer, *, deeper: int = 0) -> None:
    """Add Markdown to a document.

    Parameters
    ----------
    document : docx.document.Document
        Receives the paragraphs.
    source : str
        Markdown as in the notebooks; a heading of level two becomes the document's first level.
    refer : callable
        Writes a reference to an exhibit.
    deeper : int
        How many levels headings are moved down.
    """
    for token in prose_tokens(source):
        _add_block(document, token, refer, deeper)


def _add_block(document: "Document", token: dict[str, Any], refer: Refer, deeper: int) -> None:
    """Add one block of Markdown."""
    match token["type"]:
        case "heading":
            level = min(max(token["attrs"]["level"] - 1 + deeper, 1), DEEPEST_HEADING)
            _add_inline(document.add_paragraph(style=f"Heading {level}"), token["children"], refer)
        case "paragraph" | "block_text":
            _add_inline(document.add_paragraph(style="Body Indented"), token["children"], refer)
        case "block_math":
            # Equations that stand side by side on a screen stand one below the other on paper.
            for formula in token["raw"].split(SIDE_BY_SIDE):
                add_equation(document.add_paragraph(style="Equation Line"), formula.strip().rstrip(",，"))
        case "list":
            _add_list(document, token, refer)
        case "table":
            _add_table(document, token)
        case "block_quote":
            for child in token["children"]:
                _add_block(document, child, refer, deeper)
        case "block_code":
            for line in token["raw"].splitlines():
                document.add_paragraph(line, style="Body Indented")


def add_equation(paragraph: "Paragraph", formula: str) -> None:
    """Add an equation, as it was written if it cannot be converted."""
    equation = omml(formula, display=False)
    if equation is None:
        paragraph.add_run(formula)
    else:
        paragraph._p.append(equation)


def _add_list(document: "Document", token: dict[str, Any], refer: Refer, depth: int = 0) -> None:
    """Add a list; its signs are written out, so that they look the same in every program."""
    is_ordered = token["attrs"].get("ordered", False)
    first = token["attrs"].get("start", 1)
    for position, item in enumerate(token["children"], start=first):
        sign = f"{position}. " if is_ordered else "• "
        for child in item["children"]:
            if child["type"] == "list":
                _add_list(document, child, refer, depth + 1)
                continue
            paragraph = document.add_paragraph(style="Body Indented")
            paragraph.add_run("\u3000" * depth + sign)
            _add_inline(paragraph, child.get("children", []), refer)
            sign = ""


def _add_table(document: "Document", token: dict[str, Any]) -> None:
    """Add a table of the prose."""
    head, *body = token["children"]
    rows = [row["children"] for part in body for row in part["children"]]
    table = TextTable(
        headings=tuple(_plain(cell["children"]) for cell in head["children"]),
        rows=tuple(tuple(_plain(cell["children"]) for cell in row) for row in rows),
        aligned=tuple(cell["attrs"]["align"] or "left" for cell in head["children"]),
    )
    document._body._element._insert_tbl(table_element(table, fit_table(table)))
    document.add_paragraph(style="Exhibit Note")


def _plain(tokens: list[dict[str, Any]]) -> str:
    """Return the text of inline Markdown."""
    return "".join(token.get("raw") or _plain(token.get("children", [])) for token in tokens)


def _add_inline(
    paragraph: "Paragraph",
    tokens: list[dict[str, Any]],
    refer: Refer,
    *,
    bold: bool = False,
    italic: bool = False,
) -> None:
    """Add inline Markdown to a paragraph."""
    for token in tokens:
        match token["type"]:
            case "inline_math":
                add_equation(paragraph, token["raw"])
            case "exhibit_reference":
                refer(paragraph, token["raw"])
            case "softbreak":
                paragraph.add_run(" " if paragraph.text[-1:].isascii() else "")
            case "linebreak":
                paragraph.add_run().add_break()
            case "screen_only":
                continue
            case "strong":
                _add_inline(paragraph, token["children"], refer, bold=True, italic=italic)
            case "emphasis":
                _add_inline(paragraph, token["children"], refer, bold=bold, italic=True)
            case "link":
                _add_inline(paragraph, token["children"], refer, bold=bold, italic=italic)
                if not token["attrs"]["url"].startswith("#"):
                    paragraph.add_run(f" ({token['attrs']['url']})")
            case _ if "children" in token:
                _add_inline(paragraph, token["children"], refer, bold=bold, italic=italic)
            case _:
                run = paragraph.add_run(token.get("raw", ""))
                run.bold, run.italic = bold or None, italic or None
