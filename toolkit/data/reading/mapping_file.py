"""A mapping file, read and checked."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePath
from typing import Any

from toolkit.data.reading.mapping import Computed, LayoutMapping, TableMapping
from toolkit.data.reading.quantities import unit_factor
from toolkit.data.reading.values import convert_column
from toolkit.data.schema import TABLES, Column, Table
from toolkit.errors import InputError
from toolkit.vocabulary import label

_TOP_KEYS = ("version", "encoding", "county", "county_name")
_PLACE_KEYS = ("file", "sheet", "header_row", "county")
_TABLE_KEYS = (*_PLACE_KEYS, "columns", "constants", "units", "computed", "words", "where", "distinct")
_COMPUTED_KEYS = ("ratio", "times", "per")


def load_mapping(path: Path) -> LayoutMapping:
    """Read and check a mapping file.

    Raises
    ------
    InputError
        If the file is missing, is no TOML, or declares what cannot be.
    """
    if not path.is_file():
        raise InputError("mapping_missing", file=path.name)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError("mapping_not_toml", file=path.name, detail=error) from error
    reader = _MappingReader(path.name)
    tables = {key: value for key, value in content.items() if key not in _TOP_KEYS}
    if content.get("version") != 1:
        raise InputError("mapping_version", file=path.name)
    reader.refuse_unknown("", tables, tuple(TABLES))
    if not tables:
        raise InputError("mapping_without_tables", file=path.name)
    encoding = reader.text(content, "encoding", "")
    try:
        "".encode(encoding or "utf-8")
    except LookupError as error:
        raise InputError("mapping_encoding", file=path.name, encoding=encoding) from error
    county = reader.text(content, "county", "")
    mapped = tuple(reader.table(TABLES[name], body, county) for name, body in tables.items())
    return LayoutMapping(encoding, reader.text(content, "county_name", ""), mapped)


@dataclass(frozen=True, slots=True)
class _MappingReader:
    file: str

    def table(self, table: Table, body: Any, county: str) -> TableMapping:
        """Check the section of one table."""
        section = table.name
        if not isinstance(body, dict):
            raise self._wrong_type(section, "{ }")
        self.refuse_unknown(section, body, _TABLE_KEYS)
        columns = self.texts(body, f"{section}.columns", "columns")
        computed = self._mapping(body, f"{section}.computed", "computed")
        constants = self._mapping(body, f"{section}.constants", "constants")
        words = self._mapping(body, f"{section}.words", "words")
        units = self.texts(body, f"{section}.units", "units")
        by_column = {
            "columns": columns,
            "computed": computed,
            "constants": constants,
            "words": words,
            "units": units,
        }
        for name, entries in by_column.items():
            self.refuse_unknown(f"{section}.{name}", entries, table.column_names)
        self._refuse_twice(section, columns, constants, computed)
        self._check_constants(table, constants)
        self._check_units(table, units)
        return TableMapping(
            table=section,
            file=self._file_name(body, section),
            sheet=self.text(body, "sheet", section),
            header_row=self._header_row(body, section),
            county=self.text(body, "county", section) or county,
            columns=columns,
            constants=constants,
            units=units,
            computed={name: self._computed(table, name, entry, columns) for name, entry in computed.items()},
            words={name: self._words(table.column(name), entry, section) for name, entry in words.items()},
            where={
                key: self._permitted(section, key, value)
                for key, value in self._mapping(body, section, "where").items()
            },
            distinct=self._flag(body, "distinct", section),
        )

    def refuse_unknown(self, section: str, entries: Mapping[str, Any], known: tuple[str, ...]) -> None:
        """Refuse a key that is not known, with the one most like it."""
        for key in entries:
            if key not in known:
                near = get_close_matches(key, known, n=1, cutoff=0.5)
                raise InputError(
                    "mapping_key",
                    file=self.file,
                    section=f"[{section}]" if section else self.file,
                    key=key,
                    known=near[0] if near else ", ".join(known[:12]),
                )

    def text(self, body: Mapping[str, Any], key: str, section: str) -> str:
        """Return a text, empty when it is not given."""
        value = body.get(key, "")
        if not isinstance(value, str):
            raise self._wrong_type(f"{section}.{key}".lstrip("."), '"…"')
        return value

    def texts(self, body: Mapping[str, Any], section: str, key: str) -> dict[str, str]:
        """Return a table of texts."""
        entries = self._mapping(body, section, key)
        for name, value in entries.items():
            if not isinstance(value, str) or not value.strip():
                raise self._wrong_type(f"{section}.{name}", '"…"')
        return entries

    def _mapping(self, body: Mapping[str, Any], section: str, key: str) -> dict[str, Any]:
        value = body.get(key, {})
        if not isinstance(value, dict):
            raise self._wrong_type(section, "{ }")
        return value

    def _flag(self, body: Mapping[str, Any], key: str, section: str) -> bool:
        value = body.get(key, False)
        if not isinstance(value, bool):
            raise self._wrong_type(f"{section}.{key}", "true / false")
        return value

    def _header_row(self, body: Mapping[str, Any], section: str) -> int:
        value = body.get("header_row", 0)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self._wrong_type(f"{section}.header_row", "1, 2, 3 …")
        return value

    def _file_name(self, body: Mapping[str, Any], section: str) -> str:
        name = self.text(body, "file", section)
        if name and (PurePath(name).name != name or name in (".", "..") or "\\" in name):
            raise InputError("mapping_file_name", file=self.file, section=f"[{section}]", given=name)
        return name

    def _computed(self, table: Table, name: str, entry: Any, columns: Mapping[str, str]) -> Computed:
        section = f"{table.name}.computed.{name}"
        if not isinstance(entry, dict):
            raise self._wrong_type(section, '{ ratio = "…", times = "…" }')
        self.refuse_unknown(section, entry, _COMPUTED_KEYS)
        ratio, times = self.text(entry, "ratio", section), self.text(entry, "times", section)
        per = entry.get("per", 1)
        if not ratio or not times or isinstance(per, bool) or not isinstance(per, (int, float)) or per <= 0:
            raise self._wrong_type(section, '{ ratio = "…", times = "…", per = 1 }')
        if not table.column(name).is_numeric:
            raise InputError(
                "mapping_not_numeric", file=self.file, section=f"[{section}]", column=label(name, "zh")
            )
        if times not in columns:
            self.refuse_unknown(f"{section}.times", {times: ""}, tuple(columns))
        return Computed(ratio, times, float(per))

    def _words(self, column: Column, entry: Any, section: str) -> dict[str, str]:
        where = f"{section}.words.{column.name}"
        permitted = ("yes", "no") if column.kind == "boolean" else column.choices
        if not permitted or not isinstance(entry, dict):
            raise self._wrong_type(where, "{ }")
        for word, name in entry.items():
            if name not in permitted:
                raise InputError(
                    "mapping_word",
                    file=self.file,
                    section=f"[{where}]",
                    word=word,
                    allowed=", ".join(permitted),
                )
        return entry

    def _permitted(self, section: str, key: str, value: Any) -> tuple[str, ...]:
        values = value if isinstance(value, list) else [value]
        if not values or not all(isinstance(item, (str, int, float)) for item in values):
            raise self._wrong_type(f"{section}.where.{key}", '["…", "…"]')
        return tuple(str(item) for item in values)

    def _check_constants(self, table: Table, constants: Mapping[str, Any]) -> None:
        for name, value in constants.items():
            converted = convert_column([value], table.column(name))
            if converted.issues or converted.series.isna().any():
                raise InputError(
                    "mapping_constant",
                    file=self.file,
                    section=f"[{table.name}.constants]",
                    column=name,
                    value=value,
                )

    def _check_units(self, table: Table, units: Mapping[str, str]) -> None:
        for name, unit in units.items():
            if unit_factor(unit, table.column(name)) is None:
                raise InputError(
                    "mapping_unit", file=self.file, section=f"[{table.name}.units]", column=name, unit=unit
                )

    def _refuse_twice(self, section: str, *parts: Mapping[str, Any]) -> None:
        seen: set[str] = set()
        for part in parts:
            twice = seen & part.keys()
            if twice:
                raise InputError(
                    "mapping_twice", file=self.file, section=f"[{section}]", column=sorted(twice)[0]
                )
            seen |= part.keys()

    def _wrong_type(self, where: str, expected: str) -> InputError:
        return InputError("mapping_type", file=self.file, where=where, expected=expected)
