"""The XML of an xlsx file looked through before it is read: size, safety, error values, formulas.

The fast reader makes one dense block of a sheet, gives error values and formulas without a stored
result as empty cells, and trusts the sizes a zip archive declares. What it must not meet, or would
not tell, is found here.
"""

import re
import zipfile
from collections.abc import Iterator
from operator import itemgetter
from posixpath import join, normpath
from xml.parsers import expat

from toolkit.data.reading.cells import CellError, Position, column_position
from toolkit.data.reading.unreadable import UnreadableFileError

MAXIMUM_CELLS = 4_000_000
MAXIMUM_XML_BYTES = 1_000_000_000
_CHUNK = 1 << 24
_FILLED_CELL = re.compile(rb"""<(?:\w+:)?c\s[^>/]*?\br=["']([A-Z]{1,3})(\d{1,7})["'][^>/]*>(?!</)""")
_SIGNS_OF_DEFECTS = (b"<f>", b"<f ", b"<f/", b":f>", b":f ", b":f/", b't="e"', b"t='e'")


def inspect_xlsx(archive: zipfile.ZipFile, file: str) -> dict[str, dict[Position, CellError]]:
    """Return the defects of each sheet of an open xlsx archive.

    Raises
    ------
    UnreadableFileError
        If the archive is damaged, unsafe or too large, or is no workbook.
    """
    names = archive.namelist()
    if "xl/workbook.xml" not in names:
        raise UnreadableFileError(
            "file_unsupported" if "xl/workbook.bin" in names else "file_not_workbook", file
        )
    parts = [part for part in archive.infolist() if part.filename.endswith((".xml", ".rels"))]
    if sum(part.file_size for part in parts) > MAXIMUM_XML_BYTES:
        raise UnreadableFileError("file_too_large", file)
    sheets = {part: name for name, part in _sheet_parts(archive, file)}
    defects: dict[str, dict[Position, CellError]] = {}
    total = 0
    for part in parts:
        if part.filename in sheets:
            cells, found = _inspect_sheet(archive, part.filename, file)
            total += cells
            defects[sheets[part.filename]] = found
            if total > MAXIMUM_CELLS:
                raise UnreadableFileError(
                    "file_too_many_cells", file, sheet=sheets[part.filename], limit=f"{MAXIMUM_CELLS:,}"
                )
        elif part.filename.startswith("xl/"):
            for chunk in _chunks(archive, part.filename):
                _refuse_declarations(chunk, file)
    return defects


def _sheet_parts(archive: zipfile.ZipFile, file: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each sheet and the part of the archive that holds it."""
    targets: dict[str, str] = {}
    found: list[tuple[str, str]] = []

    def relationship(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def sheet(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "sheet":
            reference = next((value for name, value in attributes.items() if name.endswith(":id")), "")
            found.append((attributes.get("name", ""), reference))

    for part, handler in (("xl/_rels/workbook.xml.rels", relationship), ("xl/workbook.xml", sheet)):
        parser = _parser(file)
        parser.StartElementHandler = handler
        parser.Parse(archive.read(part), True)
    for name, reference in found:
        target = targets.get(reference, "")
        yield name, target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))


def _inspect_sheet(archive: zipfile.ZipFile, part: str, file: str) -> tuple[int, dict[Position, CellError]]:
    """Return the size of the block of filled cells and the defects of one sheet."""
    columns: set[bytes] = set()
    last_row, tail, suspicious = 0, b"", False
    for chunk in _chunks(archive, part):
        _refuse_declarations(chunk, file)
        data = tail + chunk
        cut = data.rfind(b"<")
        data, tail = data[:cut], data[cut:]
        addresses = _FILLED_CELL.findall(data)
        columns.update(map(itemgetter(0), addresses))
        last_row = max(last_row, *map(int, set(map(itemgetter(1), addresses))), 0)
        suspicious = suspicious or any(sign in data for sign in _SIGNS_OF_DEFECTS)
    width = max((column_position(letters.decode()) + 1 for letters in columns), default=0)
    return last_row * width, _defects(archive, part, file) if suspicious else {}


def _defects(archive: zipfile.ZipFile, part: str, file: str) -> dict[Position, CellError]:
    """Return error values and formulas without a stored result by position."""
    found: dict[Position, CellError] = {}
    cell: dict[str, str] = {}
    state: dict[str, int] = {"formula": 0, "inside": 0, "row": 0, "column": -1}
    text: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "row":
            state["row"], state["column"] = (
                int(attributes["r"]) if "r" in attributes else state["row"] + 1,
                -1,
            )
        elif name == "c":
            cell.clear()
            cell.update(attributes)
            text.clear()
            state["formula"] = 0
            letters = attributes.get("r", "").rstrip("0123456789")
            state["column"] = column_position(letters) if letters else state["column"] + 1
        elif name == "f":
            state["formula"] = 1
        elif name in ("v", "t"):
            state["inside"] = 1

    def end(tag: str) -> None:
        name = tag.rpartition(":")[2]
        if name in ("v", "t"):
            state["inside"] = 0
        elif name == "c":
            value, kind = "".join(text), cell.get("t", "")
            position = (state["row"] - 1, state["column"])
            if kind == "e":
                found[position] = CellError(value or "#N/A")
            elif state["formula"] and not value and kind != "str":
                found[position] = CellError("")

    def characters(data: str) -> None:
        if state["inside"]:
            text.append(data)

    parser = _parser(file)
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, characters
    for chunk in _chunks(archive, part):
        parser.Parse(chunk, False)
    parser.Parse(b"", True)
    return found


def _chunks(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Yield a part in pieces; the archive's own checksum is verified at its end."""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _refuse_declarations(chunk: bytes, file: str) -> None:
    """Refuse document types and entities, which no spreadsheet program writes."""
    if b"<!DOCTYPE" in chunk or b"<!ENTITY" in chunk:
        raise UnreadableFileError("file_unsafe", file)


def _parser(file: str) -> expat.XMLParserType:
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise UnreadableFileError("file_unsafe", file)

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.buffer_text = True
    return parser
