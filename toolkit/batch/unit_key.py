"""The key of a unit: hashes over everything that decides its report, by kind."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from toolkit.batch.units import Options, Unit
from toolkit.errors import JunhengError, RunError
from toolkit.reporting.narrative import NARRATIVE_FOLDER, read_narrative
from toolkit.reporting.parameters import (
    NOTEBOOKS,
    PATH_PARAMETERS,
    STANDARD_PARAMETERS,
    StudyParameters,
    shown_standard,
)
from toolkit.reporting.pseudonym_key import open_secret, secret_fingerprint
from toolkit.reporting.record import file_input
from toolkit.reporting.run import parameter_records
from toolkit.reporting.run_inputs import input_files
from toolkit.reporting.run_key import code_digest, content_digest, notebook_digest
from toolkit.reporting.runfolder import ascii_name
from toolkit.reporting.study import standard_location
from toolkit.share import workspace
from toolkit.standards import hash_standard, load_standard

WITH_ALL_PATHS = "07_annual_report"


class _Hashes:
    """What the units of one call share, hashed once: code, notebooks, files, standards."""

    def __init__(self) -> None:
        notebooks = {name: notebook_digest(name) for name in NOTEBOOKS}
        self.program = {"code": code_digest(), "notebooks": notebooks}
        self._inputs: dict[tuple[str, ...], list[str]] = {}
        self._standards: dict[str, str] = {}

    def inputs(self, record: StudyParameters) -> list[str]:
        """Return the hashes of all input files of a unit."""
        paths = tuple(str(getattr(record, name)) for name in PATH_PARAMETERS)
        if paths not in self._inputs:
            self._inputs[paths] = sorted(file.sha256 for file in input_files(record))
        return self._inputs[paths]

    def standards(self, record: StudyParameters) -> dict[str, str]:
        """Return the hashes of standard and plan: a file of one's own changes under the same name."""
        chosen = {name: str(getattr(record, name)) for name in STANDARD_PARAMETERS if getattr(record, name)}
        for standard in set(chosen.values()) - self._standards.keys():
            self._standards[standard] = hash_standard(load_standard(standard_location(standard)))
        return {name: self._standards[standard] for name, standard in chosen.items()}


def unit_keys(units: Iterable[Unit], options: Options) -> dict[str, dict[str, str]]:
    """Return the key of each unit by its name: hashes by kind, none when one of its files cannot be read.

    The kinds are "data", "standard", "parameters", "texts", "pseudonyms" and "program". A unit without a
    key is run every time, and fails with the reason.
    """
    hashes = _Hashes()
    return {unit.name: _unit_key(unit, options, hashes) for unit in units}


def _unit_key(unit: Unit, options: Options, hashes: _Hashes) -> dict[str, str]:
    try:
        record = parameter_records(unit.parameters)[WITH_ALL_PATHS]
        wanted = {
            "parameters": _without_paths(unit),
            "forms": sorted(file_input(form).sha256 for form in options.outputs.forms),
            "outputs": options.outputs.decisive(),
            "embed_font": options.embed_font,
            "only": sorted(options.only),
        }
        contents: dict[str, Any] = {
            "data": hashes.inputs(record),
            "standard": hashes.standards(record),
            "parameters": wanted,
            "texts": _texts(unit),
            "pseudonyms": _secret(record),
            "program": hashes.program,
        }
    except (OSError, JunhengError):
        return {}
    return {kind: content_digest({kind: content}) for kind, content in contents.items()}


def _without_paths(unit: Unit) -> dict[str, Any]:
    values = {name: value for name, value in unit.parameters.items() if name not in PATH_PARAMETERS}
    shown = {name: shown_standard(str(values[name])) for name in STANDARD_PARAMETERS if name in values}
    return values | shown


def _secret(record: StudyParameters) -> str:
    return secret_fingerprint(open_secret()) if record.school_names == "pseudonym" else ""


def _texts(unit: Unit) -> list[str]:
    """Return the county's own texts, of all years where the latest is asked for."""
    if not unit.county:
        return []
    year = unit.year or "*"
    paths = sorted((workspace() / NARRATIVE_FOLDER).glob(f"{ascii_name(unit.county)}-{year}/*.md"))
    return [f"{path.parent.name}/{path.name}: {text}" for path in paths if (text := _text(path))]


def _text(path: Path) -> str:
    """Return a text as it enters the report; one in no known encoding by its hash, it fails later."""
    try:
        return read_narrative(path)
    except RunError:
        return file_input(path).sha256
