"""Placeholders in a Word document: in paragraphs, tables, text boxes, headers and footers."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from toolkit.errors import InputError
from toolkit.reporting.archives import with_fixed_times
from toolkit.reporting.form_values import FormValues
from toolkit.reporting.forms import (
    PLACEHOLDER,
    Found,
    check_placeholders,
    is_alone,
    placeholders_in,
    value_of,
)
from toolkit.reporting.word_tables import fit_table, table_element, text_table

BODY = "word/document.xml"
PLACE_LENGTH = 24


def filled(form: Path, values: FormValues) -> bytes:
    """Return the filled document.

    Raises
    ------
    InputError
        If the document cannot be read, or its placeholders cannot all be filled.
    """
    import docx
    from docx.opc.exceptions import PackageNotFoundError

    try:
        document = docx.Document(str(form))
    except (OSError, BadZipFile, PackageNotFoundError, KeyError, ValueError) as error:
        raise InputError("form_unreadable", form=form.name, reason=error) from error
    paragraphs = [each for part in _parts(document) for each in _paragraphs(*part)]
    check_placeholders(form, [found for place, each in paragraphs for found in _found(place, each)], values)
    for _, paragraph in paragraphs:
        _fill(paragraph, values)
    content = BytesIO()
    document.save(content)
    return with_fixed_times(content.getvalue())


def _parts(document: Any) -> Iterator[tuple[str, Any]]:
    """Give the body, headers and footers, notes, each with the name of its part."""
    yield "", document.element
    for relation in document.part.rels.values():
        if relation.is_external:
            continue
        name = relation.reltype.rpartition("/")[2]
        if name in ("header", "footer"):
            yield name, relation.target_part.element


def _paragraphs(name: str, root: Any) -> Iterator[tuple[str, Any]]:
    """Give the paragraphs of a part that hold placeholders, each with where it stands."""
    from docx.oxml.ns import qn

    for number, paragraph in enumerate(root.iter(qn("w:p")), start=1):
        text = _text(paragraph)
        if placeholders_in(text):
            start = text.strip()[:PLACE_LENGTH]
            yield f"{name or 'document'} ¶{number} “{start}”", paragraph


def _texts(paragraph: Any) -> list[Any]:
    """Return the elements that hold the text of a paragraph, without those of text boxes inside it."""
    from docx.oxml.ns import qn

    return [text for text in paragraph.iter(qn("w:t")) if next(text.iterancestors(qn("w:p"))) is paragraph]


def _text(paragraph: Any) -> str:
    """Return the text of a paragraph, whatever runs it is split over."""
    return "".join(text.text or "" for text in _texts(paragraph))


def _found(place: str, paragraph: Any) -> Iterator[Found]:
    """Give the placeholders of a paragraph."""
    text = _text(paragraph)
    for name in placeholders_in(text):
        yield Found(place, name, is_alone(text))


def _fill(paragraph: Any, values: FormValues) -> None:
    """Fill the placeholders of one paragraph; each takes the look of its first letter."""
    text = _text(paragraph)
    for found in reversed(list(PLACEHOLDER.finditer(text))):
        table = Found("", found["name"], is_alone=True).table
        shown = "" if table else value_of(found["name"], values).text
        _replace(_texts(paragraph), found.start(), found.end(), shown)
        if table:
            content = text_table(values.tables[table])
            paragraph.addprevious(table_element(content, fit_table(content, may_turn=False)))


def _replace(texts: list[Any], start: int, end: int, shown: str) -> None:
    """Put a text in the place of the characters from start to end, which may be split over runs."""
    from docx.oxml.ns import qn

    position = 0
    for element in texts:
        content = element.text or ""
        first, last = max(start - position, 0), min(end - position, len(content))
        if first < last:
            # The first run that it touches receives the value, the others lose their share of it.
            element.text = content[:first] + (shown if start >= position else "") + content[last:]
            element.set(qn("xml:space"), "preserve")
        position += len(content)
