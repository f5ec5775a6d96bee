"""The record and the log of a run, put together from what it was given and what came of it."""

import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from socket import gethostname

from toolkit.reporting.notebook_runs import DoneNotebook
from toolkit.reporting.parameters import OWN_STANDARD, STANDARD_PARAMETERS, StudyParameters
from toolkit.reporting.record import (
    InputFile,
    NotebookOutcome,
    RunLog,
    RunRecord,
    checkout_commit,
    package_versions,
    python_version,
)
from toolkit.reporting.run_inputs import NAMED_FILES
from toolkit.reporting.run_key import notebook_digest, source_digest
from toolkit.reporting.run_pages import ANNUAL_REPORT
from toolkit.reporting.study import Study, data_location
from toolkit.share import project_root, resolve_path
from toolkit.standards import hash_standard

# Nothing random enters the notebooks there are; those that draw will say from which seed.
SEED = 0


def describe_run(
    study: Study,
    shown: Mapping[str, Mapping[str, object]],
    inputs: tuple[InputFile, ...],
    outcomes: tuple[NotebookOutcome, ...],
) -> RunRecord:
    """Return the record of a run, what was asked for beside its notebooks left at the defaults."""
    root = project_root()
    return RunRecord(
        county_id=study.county.county_id,
        county_name=study.county.name,
        year=study.year,
        edition=study.edition,
        language=study.language,
        parameters=shown,
        inputs=inputs,
        standard=study.standard.id,
        standard_sha256=hash_standard(study.standard),
        plan=study.plan.id if study.plan else "",
        plan_sha256=hash_standard(study.plan) if study.plan else "",
        packages=package_versions(),
        python=python_version(),
        seed=SEED,
        commit=checkout_commit(root) if root else "",
        notebooks=tuple(sorted(outcomes, key=lambda outcome: outcome.notebook)),
        code_sha256=source_digest(),
        notebook_sha256={name: notebook_digest(name) for name in shown},
        accounting=tuple(
            {str(name): value for name, value in row.items()}
            for row in study.reading.accounting.to_dict(orient="records")
        ),
    )


def describe_log(
    every: Mapping[str, StudyParameters],
    study: Study,
    places: tuple[Path, tuple[Path, ...]],
    started: datetime,
    clock: float,
    done: tuple[DoneNotebook, ...],
) -> RunLog:
    """Return what the run was like here, with the places of all files so that it can be repeated."""
    target, forms = places
    own = {name: getattr(every[ANNUAL_REPORT], name) for name in (*NAMED_FILES, *STANDARD_PARAMETERS)}
    named = {
        name: str(resolve_path(path).resolve())
        for name, path in own.items()
        if path and (name in NAMED_FILES or path.endswith(OWN_STANDARD))
    }
    return RunLog(
        started=started,
        seconds=time.perf_counter() - clock,
        host=gethostname(),
        paths={"data": str(data_location(study.parameters)), "reports": str(target.parent), **named},
        seconds_by_notebook={notebook.name: notebook.seconds for notebook in done},
        reused=tuple(notebook.name for notebook in done if notebook.reused),
        forms=tuple(str(form.resolve()) for form in forms),
    )
