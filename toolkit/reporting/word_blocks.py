"""What a notebook holds, as blocks of a document: prose, exhibits by key, findings, single lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.errors import RunError
from toolkit.exhibits import INTERACTIVE_STYLE, ExhibitKind
from toolkit.reporting.notebook import cell_tags, keep_language
from toolkit.reporting.prose import without_title
from toolkit.reporting.render import HIDDEN_TAGS
from toolkit.vocabulary import Language, label, sentence

if TYPE_CHECKING:
    from nbformat import NotebookNode


@dataclass(frozen=True, slots=True)
class Reference:
    """A table that a finding comes from: its key, the other notebook that made it, and its title."""

    key: str
    origin: str
    title: str


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown, its headings moved down by some levels."""

    source: str
    deeper: int = 0


@dataclass(frozen=True, slots=True)
class ExhibitBlock:
    """A table or figure: its key, and the notebook that computed it if that is another one."""

    kind: ExhibitKind
    key: str
    origin: str


@dataclass(frozen=True, slots=True)
class FindingLine:
    """One finding: its kind in words, the sentence, and the tables it comes from."""

    kind: str
    text: str
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line by itself; a title of what follows when it is strong."""

    text: str
    is_strong: bool = False


Block = Prose | ExhibitBlock | FindingLine | Line


def notebook_blocks(notebook: "NotebookNode", language: Language) -> tuple[Block, ...]:
    """Return the blocks of an executed notebook in one language, in order."""
    return tuple(block for cell in keep_language(notebook.cells, language) for block in _of_cell(cell))


def numbered(blocks: tuple[Block, ...], language: Language) -> dict[str, tuple[str, str]]:
    """Return the printed number of each exhibit and the notebook it comes from, by key.

    Raises
    ------
    RunError
        If two exhibits have the same key.
    """
    numbers: dict[str, tuple[str, str]] = {}
    counts: dict[ExhibitKind, int] = {"table": 0, "figure": 0}
    for block in blocks:
        if isinstance(block, ExhibitBlock):
            if block.key in numbers:
                raise RunError("report_exhibit_twice", key=block.key)
            counts[block.kind] += 1
            number = sentence(
                "report_exhibit_number",
                language,
                kind=label(f"report_{block.kind}", language),
                number=counts[block.kind],
            )
            numbers[block.key] = (number, block.origin)
    return numbers


def _of_cell(cell: "NotebookNode") -> Iterator[Block]:
    """Give the blocks of one cell."""
    if HIDDEN_TAGS & cell_tags(cell):
        return
    if cell.cell_type == "markdown":
        yield Prose(without_title(cell.source))
    elif cell.cell_type == "code":
        for output in cell.outputs:
            html = output.get("data", {}).get("text/html", "")
            if html:
                yield from _of_html(html.replace(INTERACTIVE_STYLE, ""))


def _of_html(html: str) -> Iterator[Block]:
    """Give the blocks of what a cell showed."""
    from lxml.html import fragments_fromstring

    for part in fragments_fromstring(html):
        if isinstance(part, str):
            if part.strip():
                yield Line(part.strip())
        else:
            yield from _of_element(part)


def _of_element(element: Any) -> Iterator[Block]:
    """Give the blocks of an HTML element."""
    classes = element.get("class", "").split()
    if "exhibit" in classes:
        number = element.xpath('.//span[@class="exhibit-number"]')[0]
        files = element.xpath('.//p[@class="exhibit-files"]')[0]
        yield ExhibitBlock(number.get("data-kind"), number.get("data-key"), files.get("data-origin", ""))
    elif "findings" in classes:
        yield from (_finding(item) for item in element)
    elif element.tag == "p":
        yield Line(" ".join(element.text_content().split()), is_strong=element.find("strong") is not None)
    elif element.tag not in ("style", "script"):
        nested = [child for child in element if isinstance(child.tag, str)]
        if nested:
            for child in nested:
                yield from _of_element(child)
        elif element.text_content().strip():
            yield Line(" ".join(element.text_content().split()))


def _finding(item: Any) -> FindingLine:
    """Return one item of a list of findings."""
    kind, told = item
    links = told.xpath('.//a[@class="exhibit-ref"]')
    return FindingLine(
        kind=kind.text_content().strip(),
        text=(told.text or "").strip(),
        references=tuple(
            Reference(
                key=link.get("href").removeprefix("#exhibit-"),
                origin=link.get("data-origin", ""),
                title=link.text_content().strip(),
            )
            for link in links
        ),
    )
