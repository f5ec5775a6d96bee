"""The records of an xls file looked through before it is read: size, error values, formulas."""

import struct
from collections.abc import Iterator

from toolkit.data.reading.cells import CellError, Position

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_END_OF_CHAIN = 0xFFFFFFFE
_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
_BOUNDSHEET, _END, _FORMULA, _BOOL_OR_ERROR = 0x85, 0x0A, 0x06, 0x205
_CELLS = {0x203, 0x204, 0xFD, 0x27E, 0xBD, _FORMULA, _BOOL_OR_ERROR}


class DamagedRecordsError(Exception):
    """Raised when the records of an xls file cannot be followed."""


def inspect_xls(data: bytes) -> tuple[dict[str, dict[Position, CellError]], dict[str, int]]:
    """Return the defects of each sheet and the size of its block of filled cells.

    Raises
    ------
    DamagedRecordsError
        If the file is cut off or its directory is broken.
    """
    try:
        stream = _stream(data)
        sheets = list(_sheets(stream))
        defects: dict[str, dict[Position, CellError]] = {}
        sizes: dict[str, int] = {}
        for name, offset in sheets:
            defects[name], sizes[name] = _inspect_sheet(stream, offset)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise DamagedRecordsError(str(error)) from error
    return defects, sizes


def is_encrypted_package(data: bytes) -> bool:
    """Say whether the file is a password-protected xlsx in its wrapping."""
    return "EncryptedPackage".encode("utf-16-le") in data


def _stream(data: bytes) -> bytes:
    """Return the workbook stream of a compound file."""
    sector = 1 << struct.unpack_from("<H", data, 30)[0]
    mini_cutoff = struct.unpack_from("<I", data, 56)[0]
    directory_start, mini_start = struct.unpack_from("<I", data, 48)[0], struct.unpack_from("<I", data, 60)[0]
    table = _allocation_table(data, sector)
    directory = _chain(data, table, directory_start, sector)
    root, workbook = None, None
    for position in range(0, len(directory), 128):
        length = struct.unpack_from("<H", directory, position + 64)[0]
        name = directory[position : position + max(length - 2, 0)].decode("utf-16-le", errors="replace")
        start, size = struct.unpack_from("<II", directory, position + 116)
        if directory[position + 66] == 5:
            root = (start, size)
        elif name in ("Workbook", "Book"):
            workbook = (start, size)
    if root is None or workbook is None:
        raise DamagedRecordsError("no workbook stream")
    start, size = workbook
    if size >= mini_cutoff:
        return _chain(data, table, start, sector)[:size]
    mini_table = struct.unpack(
        f"<{len(packed := _chain(data, table, mini_start, sector)) // 4}I", packed[: len(packed) // 4 * 4]
    )
    return _chain(b"\0" * 64 + _chain(data, table, root[0], sector), mini_table, start, 64)[:size]


def _allocation_table(data: bytes, sector: int) -> tuple[int, ...]:
    """Return the sector that follows each sector."""
    count, next_block, blocks = *struct.unpack_from("<I", data, 44), *struct.unpack_from("<II", data, 68)
    numbers = list(struct.unpack_from("<109I", data, 76))
    for _ in range(min(blocks, len(data) // sector)):
        block = struct.unpack_from(f"<{sector // 4}I", data, (next_block + 1) * sector)
        numbers.extend(block[:-1])
        next_block = block[-1]
    entries: list[int] = []
    for number in numbers[:count]:
        entries.extend(struct.unpack_from(f"<{sector // 4}I", data, (number + 1) * sector))
    return tuple(entries)


def _chain(data: bytes, table: tuple[int, ...], start: int, sector: int) -> bytes:
    """Return the sectors of one chain, joined."""
    pieces, number = [], start
    while number < _END_OF_CHAIN:
        if len(pieces) > len(table):
            raise DamagedRecordsError("a chain of sectors without end")
        pieces.append(data[(number + 1) * sector : (number + 2) * sector])
        number = table[number]
    return b"".join(pieces)


def _records(stream: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    while offset + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, offset)
        yield kind, stream[offset + 4 : offset + 4 + length]
        offset += 4 + length


def _sheets(stream: bytes) -> Iterator[tuple[str, int]]:
    """Yield name and offset of each sheet of a BIFF8 stream."""
    for kind, body in _records(stream, 0):
        if kind == _BOUNDSHEET:
            wide = body[7] & 1
            raw = body[8 : 8 + body[6] * (2 if wide else 1)]
            yield raw.decode("utf-16-le" if wide else "latin-1"), struct.unpack_from("<I", body)[0]
        elif kind == _END:
            return


def _inspect_sheet(stream: bytes, offset: int) -> tuple[dict[Position, CellError], int]:
    found: dict[Position, CellError] = {}
    height = width = 0
    for kind, body in _records(stream, offset):
        if kind == _END:
            break
        if kind not in _CELLS:
            continue
        row, column = struct.unpack_from("<HH", body)
        last_column = struct.unpack_from("<H", body, len(body) - 2)[0] if kind == 0xBD else column
        height, width = max(height, row + 1), max(width, last_column + 1)
        if kind == _BOOL_OR_ERROR and body[7]:
            found[row, column] = CellError(_ERRORS.get(body[6], "#N/A"))
        elif kind == _FORMULA and body[12:14] == b"\xff\xff":
            if body[6] == 2:
                found[row, column] = CellError(_ERRORS.get(body[8], "#N/A"))
            elif body[6] == 3:
                # Excel stores an empty text this way, writers without a calculator leave it so.
                found[row, column] = CellError("")
    return found, height * width
