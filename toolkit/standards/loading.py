"""The standards that ship, and a user's own: found, merged, checked and hashed."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from toolkit.errors import InputError, ParameterError
from toolkit.standards.crosscheck import check_references
from toolkit.standards.model import Standard
from toolkit.standards.parsing import parse_standard
from toolkit.standards.reader import Section, StandardError
from toolkit.standards.switches import switched_content, without_rules_of

FOLDER = Path(__file__).parent


def available_standards() -> tuple[str, ...]:
    """Return the ids of the standards and plans that ship, national ones first."""
    ids = sorted(path.stem for path in FOLDER.glob("*.toml"))
    return tuple(sorted(ids, key=lambda name: (not name.startswith("national_"), name)))


def load_standard(id_or_path: str | Path, *, rules: str = "") -> Standard:
    """Return a shipped standard by its id, or a user's own from its file.

    An own file may begin with `extends = "<id>"` and give only what differs; its tables are
    merged into those of the standard it extends, key by key, and lists are replaced whole.

    Parameters
    ----------
    id_or_path : str or pathlib.Path
        Id of a standard that ships, or a file.
    rules : str
        Special cases switched on or off and formulas chosen, as `parse_rules` reads them.

    Raises
    ------
    ParameterError
        If the id is not known and no such file exists, or `rules` names no rule of the standard.
    StandardError
        If the file breaks the rules of the format; all problems together.
    """
    source = _read(id_or_path)
    standard = _build(source)
    return _build(source.merged(switched_content(standard, rules))) if rules.strip() else standard


def load_readings(id_or_path: str | Path, *, rules: str = "") -> Mapping[str, Standard]:
    """Return, by mark of doubt, the standard as it reads when that doubt is resolved the other way.

    A verdict that differs between the standard and a reading is printed both ways with the mark. Where the
    rules already read as the doubt's other side, the reading is the one of the file.

    Parameters
    ----------
    id_or_path : str or pathlib.Path
        Id of a standard that ships, or a file.
    rules : str
        Rules as they were chosen for the standard itself.
    """
    source = _read(id_or_path)
    change = switched_content(_build(source), rules) if rules.strip() else {}
    chosen = source.merged(change)
    readings = {}
    for mark, reading in source.content.get("readings", {}).items():
        other = chosen.merged(reading)
        if other.content == chosen.content:
            other = source.merged(without_rules_of(change, reading))
        readings[mark] = _build(other)
    return readings


def hash_standard(standard: Standard) -> str:
    """Return the sha256 of a standard's content, whatever the order and layout of its file."""
    content = json.dumps(asdict(standard), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(content.encode("utf-8")).hexdigest()


class _Source:
    """The tables of one file after merging."""

    def __init__(self, file: str, default_id: str, ships: bool, content: dict[str, Any]) -> None:
        self.file = file
        self.default_id = default_id
        self.ships = ships
        self.content = content

    def merged(self, change: Mapping[str, Any]) -> "_Source":
        """Return the source with a change merged into its tables."""
        return _Source(self.file, self.default_id, self.ships, _merged(self.content, change))


def _read(id_or_path: str | Path) -> _Source:
    shipped = str(id_or_path) in available_standards()
    path = FOLDER / f"{id_or_path}.toml" if shipped else Path(id_or_path)
    if not path.is_file():
        raise ParameterError(
            "standard_not_found", found=str(id_or_path), known=", ".join(available_standards())
        )
    content = _toml(path)
    if "extends" in content:
        content = _extended(content, path.name)
    return _Source(path.name, path.stem, shipped, content)


def _extended(content: dict[str, Any], file: str) -> dict[str, Any]:
    base = content["extends"]
    if base not in available_standards():
        problem = InputError(
            "standard_unknown_choice",
            file=file,
            key="extends",
            found=base,
            choices=", ".join(available_standards()),
        )
        raise StandardError([problem])
    inherited = _toml(FOLDER / f"{base}.toml")
    # The base standard's own name and doubts about its title do not describe the new file.
    for key in ("id", "kind", "title", "document", "issued"):
        inherited.pop(key, None)
    own = {key: value for key, value in content.items() if key != "extends"}
    return _merged(inherited, {"base": base, **own})


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise StandardError(
            [InputError("standard_not_utf8", file=path.name, position=error.start)]
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise StandardError([InputError("standard_not_toml", file=path.name, reason=str(error))]) from error


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _build(source: _Source) -> Standard:
    content = {key: value for key, value in source.content.items() if key != "readings"}
    problems: list[InputError] = []
    kinds = ("national", "local") if source.ships else ("local", "own")
    standard = parse_standard(Section(content, source.file, "", problems), source.default_id, kinds)
    if not problems:
        problems += _unknown_names(source, standard)
        problems += check_references(standard, source.file, _base_of(standard))
    if problems:
        raise StandardError(problems)
    return standard


def _base_of(standard: Standard) -> Standard | None:
    """Return the standard that a plan refers to, if it is one that ships."""
    return load_standard(standard.base) if standard.base in available_standards() else None


def _unknown_names(source: _Source, standard: Standard) -> list[InputError]:
    """Check the base standard, and that each reading resolves a mark of doubt."""
    named = [("base", standard.base, available_standards())] if standard.base else []
    named += [
        (f"readings.{mark}", mark, tuple(standard.marks)) for mark in source.content.get("readings", {})
    ]
    return [
        InputError(
            "standard_unknown_choice", file=source.file, key=key, found=found, choices=", ".join(known)
        )
        for key, found, known in named
        if found not in known
    ]
