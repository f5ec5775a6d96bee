"""Notebook files: reading, writing, tags, prose in two languages, and parts that a run leaves out."""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count, groupby
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import RunError
from toolkit.vocabulary import Language, sentence

if TYPE_CHECKING:
    from nbformat import NotebookNode

UNUSED_GRAMMARS = "rfc3987_syntax"
REMOVED_TAGS = frozenset({"papermill-error-cell-tag"})
LANGUAGE_TAGS = frozenset({"zh", "en"})
# For a cell that reads the same in both languages, such as a formula.
NEUTRAL_TAG = "both"
# A cell tagged `part:<name>` belongs to a part that a run may declare to be without results; one of several
# such parts is reason enough to keep it. Prose and code with the part `omitted` say which ones are left out.
PART_PREFIX = "part:"
OMITTED_PART = "omitted"
OMITTED_TYPE = "application/vnd.junheng.omitted+json"
HEADING = re.compile(r"^#{1,6}\s+(.+)$", re.MULTILINE)
TITLE = re.compile(r"^#\s+(.+)$", re.MULTILINE)
NUMERALS = "一二三四五六七八九"
NUMBERED = re.compile(rf"^## (?:(?P<zh>[{NUMERALS}十]+)、|\d+ )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class UnpairedCell:
    """A cell of prose without its counterpart in the other language.

    Attributes
    ----------
    position : int
        Place in the notebook, counted from 1.
    tag : str
        "zh" or "en"; empty if the cell has neither tag.
    start : str
        How its text begins.
    """

    position: int
    tag: str
    start: str

    def told(self, language: Language) -> str:
        """Return one line for people."""
        values = {"position": self.position, "start": self.start}
        if not self.tag:
            return sentence("report_untagged_cell", language, **values)
        return sentence("report_unpaired_cell", language, tag=self.tag, **values)


def check_pairs(notebook: "NotebookNode") -> tuple[UnpairedCell, ...]:
    """Return the cells of prose that lack their pair.

    Between two code cells there must be as many cells tagged ``zh`` as ``en``, pairs in the
    same order. A cell tagged ``both`` needs no pair.
    """
    unpaired: list[UnpairedCell] = []
    numbered = enumerate(notebook.cells, start=1)
    for is_prose, run in groupby(numbered, key=lambda item: item[1].cell_type == "markdown"):
        if is_prose:
            unpaired += _unpaired_in_run(list(run))
    return tuple(sorted(unpaired, key=lambda cell: cell.position))


def keep_language(cells: Iterable["NotebookNode"], language: Language) -> list["NotebookNode"]:
    """Return the cells without prose in the other language, and without parts declared to be empty.

    Where parts are left out, the numbered headings of level two are numbered anew.
    """
    cells = list(cells)
    other = LANGUAGE_TAGS - {language}
    kept = [cell for cell in cells if cell.cell_type != "markdown" or not other & cell_tags(cell)]
    omitted = _omitted_parts(cells)
    if omitted is None:
        return kept
    kept = [cell for cell in kept if not cell_parts(cell) or cell_parts(cell) - omitted]
    return _renumbered(kept) if omitted != {OMITTED_PART} else kept


def headings(cells: Iterable["NotebookNode"]) -> list[str]:
    """Return the headings in cells of prose, in order."""
    prose = (cell.source for cell in cells if cell.cell_type == "markdown")
    return [heading.strip() for source in prose for heading in HEADING.findall(source)]


def notebook_title(notebook: "NotebookNode", language: Language) -> str:
    """Return the first heading of level one in a language, empty if there is none."""
    for cell in keep_language(notebook.cells, language):
        found = TITLE.search(cell.source) if cell.cell_type == "markdown" else None
        if found:
            return found.group(1).strip()
    return ""


def read_notebook(path: Path) -> "NotebookNode":
    """Return a notebook from its file."""
    block_unused_grammars()
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise RunError("report_notebook_unreadable", path=path.name, reason=error) from error


def write_notebook(notebook: "NotebookNode", path: Path) -> None:
    """Write a notebook with LF line ends."""
    block_unused_grammars()
    import nbformat

    path.write_bytes((nbformat.writes(notebook).rstrip("\n") + "\n").encode("utf-8"))


def tidied(notebook: "NotebookNode") -> "NotebookNode":
    """Return a copy without what differs between two equal runs: times, paths, random cell ids."""
    copy = type(notebook)(notebook)
    copy.metadata = type(notebook)(notebook.metadata)
    copy.metadata.pop("papermill", None)
    copy.cells = [_tidied_cell(cell, position) for position, cell in enumerate(without_markers(notebook))]
    return copy


def without_markers(notebook: "NotebookNode") -> list["NotebookNode"]:
    """Return the cells without those that papermill inserts to point at an error."""
    return [cell for cell in notebook.cells if not REMOVED_TAGS & cell_tags(cell)]


def cell_tags(cell: "NotebookNode") -> frozenset[str]:
    """Return the tags of a cell."""
    return frozenset(cell.metadata.get("tags", ()))


def cell_parts(cell: "NotebookNode") -> frozenset[str]:
    """Return the parts that a cell belongs to."""
    return frozenset(tag.removeprefix(PART_PREFIX) for tag in cell_tags(cell) if tag.startswith(PART_PREFIX))


def block_unused_grammars() -> None:
    """Keep jsonschema from building grammars that no Jupyter schema uses: a second per process.

    Known as jsonschema issue 1428. Has no effect once the package has been imported.
    """
    sys.modules.setdefault(UNUSED_GRAMMARS, None)  # pyright: ignore[reportArgumentType]


def _omitted_parts(cells: Iterable["NotebookNode"]) -> frozenset[str] | None:
    """Return the parts that a cell declared to be left out; None where no cell was run that declares any.

    Where all parts have results, there is nothing to say of omissions: that part is the one left out.
    """
    for cell in cells:
        for output in cell.get("outputs", ()):
            declared = output.get("data", {}).get(OMITTED_TYPE)
            if declared is not None:
                return frozenset(declared["parts"] or (OMITTED_PART,))
    return None


def _renumbered(cells: Iterable["NotebookNode"]) -> list["NotebookNode"]:
    """Return copies of cells whose numbered headings of level two count from one."""
    numbers = count(1)

    def numbered(found: re.Match[str]) -> str:
        number = next(numbers)
        return f"## {_chinese_numeral(number)}、" if found["zh"] else f"## {number} "

    copies = []
    for cell in cells:
        copy = type(cell)(cell)
        if cell.cell_type == "markdown":
            copy.source = NUMBERED.sub(numbered, cell.source)
        copies.append(copy)
    return copies


def _chinese_numeral(number: int) -> str:
    """Return a number below one hundred as headings have it."""
    tens, ones = divmod(number, 10)
    leading = f"{NUMERALS[tens - 1] if tens > 1 else ''}十" if tens else ""
    return leading + (NUMERALS[ones - 1] if ones else "")


def _tidied_cell(cell: "NotebookNode", position: int) -> "NotebookNode":
    """Return a copy of a cell with a fixed id and without times."""
    copy = type(cell)(cell)
    copy.id = f"c{position}"
    dropped = ("papermill", "execution")
    copy.metadata = type(cell.metadata)(
        {key: cell.metadata[key] for key in cell.metadata if key not in dropped}
    )
    return copy


def _unpaired_in_run(run: list[tuple[int, "NotebookNode"]]) -> list[UnpairedCell]:
    """Return what is unpaired among neighbouring cells of prose."""
    tagged: dict[str, list[UnpairedCell]] = {"zh": [], "en": [], "": []}
    for position, cell in run:
        if NEUTRAL_TAG in cell_tags(cell):
            continue
        tags = sorted(LANGUAGE_TAGS & cell_tags(cell))
        tag = tags[0] if len(tags) == 1 else ""
        tagged[tag].append(UnpairedCell(position, tag, cell.source.strip().split("\n")[0][:40]))
    pairs = min(len(tagged["zh"]), len(tagged["en"]))
    return tagged[""] + tagged["zh"][pairs:] + tagged["en"][pairs:]
