"""The files of a run, and everything else that decides what its notebooks find."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from toolkit.data.reading.pools import is_pool, open_pool, pool_files
from toolkit.reporting.parameters import PATH_PARAMETERS, STANDARD_PARAMETERS, StudyParameters, shown_standard
from toolkit.reporting.pseudonym_key import open_secret, secret_fingerprint
from toolkit.reporting.record import InputFile, InputRole, file_input
from toolkit.reporting.study import Study, data_location
from toolkit.share import resolve_path
from toolkit.standards import hash_standard

TRUTH = "truth.json"
# Files that the notebooks read; the county's own text and the forms come in afterwards.
READ_BY_NOTEBOOKS: tuple[InputRole, ...] = ("data", "mapping", "names", "ledger")
NAMED_FILES: dict[str, InputRole] = {
    "mapping_path": "mapping",
    "names_path": "names",
    "ledger_path": "ledger",
}


def input_files(parameters: StudyParameters) -> tuple[InputFile, ...]:
    """Return every file that the parameters name: data, the folder beside a workbook, mapping and names."""
    # The planted truth beside a simulated county is no input.
    data = [path for path in data_files(data_location(parameters)) if path.name != TRUTH]
    return (
        *(file_input(path) for path in data),
        *(
            file_input(resolve_path(getattr(parameters, name)), role)
            for name, role in NAMED_FILES.items()
            if getattr(parameters, name, "")
        ),
    )


def data_files(location: Path) -> list[Path]:
    """Return the data file, and the files of the folder that the data are or that lies beside them.

    Of a pool of counties those that it is read from, not the tables of the province.
    """
    if is_pool(location):
        return [path for path in pool_files(open_pool(location)) if path.is_file()]
    paths = [location] if location.is_file() else []
    for folder in dict.fromkeys((location, location.with_suffix(""))):
        paths += [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return paths


def decisive_values(
    study: Study, shown: Mapping[str, Mapping[str, object]], inputs: tuple[InputFile, ...]
) -> dict[str, Mapping[str, object]]:
    """Return, by notebook, what its results depend on beside code and other notebooks."""
    common = {
        # The table of what was read names every file, also one that is not used.
        "files": [path.name for path in data_files(data_location(study.parameters))],
        "inputs": [asdict(file) for file in inputs if file.role in READ_BY_NOTEBOOKS],
        "readings": {mark: hash_standard(reading) for mark, reading in study.readings.items()},
        **standard_hashes(study),
    }
    return {name: {**common, "parameters": values} for name, values in shown.items()}


def shown_values(record: StudyParameters, study: Study) -> dict[str, object]:
    """Return the values that decide the results: the year that was chosen, files by their names only."""
    values = {name: value for name, value in asdict(record).items() if name not in PATH_PARAMETERS}
    standards = {name: shown_standard(values[name]) for name in STANDARD_PARAMETERS if name in values}
    key = {"pseudonym_key": secret_fingerprint(open_secret())} if len(study.pseudonyms) else {}
    return {**values, "year": study.year, **standards, **key}


def standard_hashes(study: Study) -> dict[str, str]:
    """Return the hashes of the standard and of the plan, if there is one."""
    plan = {"plan": hash_standard(study.plan)} if study.plan else {}
    return {"standard": hash_standard(study.standard)} | plan
