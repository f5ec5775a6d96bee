"""The command that makes the reports of many counties and years."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit.cli.console import errors, help_text, option_help, output, say
from toolkit.cli.paths import given_path
from toolkit.cli.report_commands import with_parameter_options
from toolkit.errors import InputError, ParameterError, RunError
from toolkit.reporting.parameters import OWN_STANDARD, STANDARD_PARAMETERS, require_language
from toolkit.share import workspace
from toolkit.vocabulary import Language, label, sentence

if TYPE_CHECKING:
    from toolkit.batch.batch import BatchOutcome, BatchPlan
    from toolkit.batch.engines import Engine
    from toolkit.batch.inputs import Years
    from toolkit.batch.status import UnitStatus
    from toolkit.batch.units import Place

SOME_FAILED = RunError.exit_code
LIST_SUFFIX = ".csv"
ALL_YEARS = "all"
REPORTS_FOLDER = "reports"
LANGUAGES: tuple[Language, ...] = ("zh", "en")


def add_to(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("batch", help=help_text("batch"), short_help=option_help("batch_short"))(_with_options(batch))


def batch(
    mapping: str,
    names: str,
    output: str,
    embed_font: bool,
    docx: bool,
    pdf: bool,
    schools: bool,
    form: list[str],
    only: list[str],
    **own_and_parameters: Any,
) -> int:
    """Make the reports of all counties of a folder or list."""
    from toolkit.batch.batch import batch_place, plan_batch
    from toolkit.batch.inputs import find_units
    from toolkit.batch.memory import available_cores
    from toolkit.batch.units import Options, require_notebooks
    from toolkit.reporting.outputs import Outputs, require_forms
    from toolkit.reporting.run import parameter_records

    own = {name: own_and_parameters.pop(name) for name in OWN_OPTIONS}
    source = _source(own["source"])
    jobs = _jobs(own["jobs"], own["dask"])
    years = _years(own["years"], own_and_parameters.pop("year"))
    parameters = _given(own_and_parameters, mapping, names)
    language = require_language(parameters.get("language", "zh"))
    parameter_records(parameters)
    require_notebooks(only)
    outputs = Outputs(
        docx=docx, pdf=pdf, schools=schools, forms=tuple(Path(given_path(each)) for each in form)
    )
    require_forms(outputs.forms)
    options = Options(embed_font, outputs, tuple(only))
    reports = Path(output).resolve() if output else workspace() / REPORTS_FOLDER
    place = batch_place(reports, own["name"] or source.stem)
    wanted = find_units(source, parameters, years, jobs=jobs or available_cores())
    if wanted.left_out:
        say("batch_left_out", names=", ".join(wanted.left_out))
    plan = plan_batch(wanted.units, place, options, fresh=own["fresh"], retry_failed=own["retry_failed"])
    with _engine(own["dask"], jobs, plan, place) as (engine, workers):
        return _run(plan, engine, workers, place, language)


def _run(plan: "BatchPlan", engine: "Engine", workers: int, place: "Place", language: Language) -> int:
    """Run the units, and tell how far they are and how they end."""
    from toolkit.batch.batch import run_batch
    from toolkit.batch.progress import starting_progress

    say(
        "batch_starts",
        batch=place.folder.name,
        total=len(plan.jobs),
        kept=len(plan.kept),
        waiting=len(plan.waiting),
        workers=workers,
    )
    if plan.waiting and set(plan.why) != {"new"}:
        _tell_why(plan)
    counts = starting_progress(len(plan.jobs), plan.kept)
    try:
        with _shown_progress() as show:

            def told(status: "UnitStatus") -> None:
                nonlocal counts
                counts = counts.after(status)
                for reason in status.reasons:
                    _tell_failure(status, reason)
                show(" | ".join(counts.told(each) for each in LANGUAGES))

            outcome = run_batch(plan, engine, place, language=language, told=told)
    except KeyboardInterrupt:
        say("batch_interrupted", done=counts.done, left=counts.left)
        raise
    return _tell(outcome)


def _tell_why(plan: "BatchPlan") -> None:
    styles: dict[Language, str] = {"zh": "", "en": "dim"}
    for language, style in styles.items():
        reasons = label("report_list_separator", language).join(
            f"{label(f'batch_why_{reason}', language)} {count}" for reason, count in plan.why.items()
        )
        output().print(sentence("batch_why", language, reasons=reasons), style=style)


def _tell(outcome: "BatchOutcome") -> int:
    counts = {state: outcome.count(state) for state in ("done", "incomplete", "failed")}
    say("batch_counted", total=len(outcome.statuses), **counts)
    say("batch_summary", path=outcome.summary)
    return 0 if counts["done"] == len(outcome.statuses) else SOME_FAILED


def _tell_failure(status: "UnitStatus", reason: Any) -> None:
    name = " ".join(part for part in (status.unit, status.county_name, status.data) if part)
    styles: dict[Language, str] = {"zh": "red", "en": "dim"}
    for language, style in styles.items():
        text = sentence("batch_failure", language, unit=name, reason=getattr(reason, language))
        errors().print(text, style=style)


@contextmanager
def _engine(dask: str, jobs: int, plan: "BatchPlan", place: "Place") -> "Iterator[tuple[Engine, int]]":
    """Give the engine and how many units it runs side by side, after looking at memory or at its workers."""
    from toolkit.batch.engines import DaskEngine, LokyEngine, connect_dask

    if dask:
        from toolkit.batch.dask_workers import require_fit_workers

        client = connect_dask(dask)
        try:
            yield DaskEngine(client, dask), require_fit_workers(client, place)
        finally:
            client.close()
        return
    from toolkit.batch.memory import available_memory_mb, fitting_workers

    workers = fitting_workers(jobs, len(plan.waiting), available_mb=available_memory_mb())
    if workers.is_lowered:
        say(
            "batch_fewer_jobs",
            available=workers.available_mb,
            needed=workers.needed_mb,
            wanted=workers.wanted,
            jobs=workers.jobs,
        )
    yield LokyEngine(workers.jobs), workers.jobs


@contextmanager
def _shown_progress() -> "Iterator[Callable[[str], None]]":
    """Show counts and time left: on one line of a terminal, elsewhere a line for each unit."""
    if not errors().is_terminal:
        yield lambda text: errors().print(text)
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=errors(), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda text: bar.update(task, description=text)


def _source(given: str) -> Path:
    """Return the folder or list, or say what it should be."""
    source = given_path(given)
    if not source.exists():
        raise InputError("batch_source_missing", source=given)
    if not source.is_dir() and source.suffix.lower() != LIST_SUFFIX:
        raise ParameterError("batch_source_is_file", source=given)
    return source


def _jobs(asked: int | None, dask: str) -> int:
    """Return how many units side by side were asked for, 0 where the machine decides."""
    if asked is not None and dask:
        raise ParameterError("batch_jobs_with_dask")
    if asked is not None and asked < 1:
        raise ParameterError("batch_jobs", jobs=asked)
    return asked or 0


def _years(text: str, year: int | None) -> "Years":
    from toolkit.batch.inputs import Years

    if text and year is not None:
        raise ParameterError("batch_year_twice")
    if year:
        return Years(chosen=(year,))
    if text.strip().lower() == ALL_YEARS:
        return Years(all=True)
    parts = [part.strip() for part in text.replace("，", ",").split(",") if part.strip()]
    if not all(part.isdecimal() for part in parts) or (text and not parts):
        raise ParameterError("batch_years", years=text)
    return Years(chosen=tuple(dict.fromkeys(map(int, parts))))


def _given(parameters: dict[str, Any], mapping: str, names: str) -> dict[str, Any]:
    """Return the parameters that were given, paths absolute."""
    paths = {"mapping_path": mapping, "names_path": names}
    given = {name: value for name, value in parameters.items() if value is not None}
    for name in STANDARD_PARAMETERS:
        if str(given.get(name, "")).endswith(OWN_STANDARD):
            given[name] = str(given_path(given[name]))
    return given | {name: str(given_path(path)) for name, path in paths.items() if path}


# fmt: off
OWN_OPTIONS: dict[str, tuple[Any, object]] = {
    "source": (Annotated[str, typer.Argument(help=option_help("batch_source"), metavar="FOLDER|LIST")],
               inspect.Parameter.empty),
    "jobs": (Annotated[int | None, typer.Option("--jobs", "-j", help=option_help("option_batch_jobs"))],
             None),
    "dask": (Annotated[str, typer.Option("--dask", help=option_help("option_batch_dask"))], ""),
    "years": (Annotated[str, typer.Option("--years", help=option_help("option_batch_years"))], ""),
    "name": (Annotated[str, typer.Option("--name", help=option_help("option_batch_name"))], ""),
    "fresh": (Annotated[bool, typer.Option("--fresh", help=option_help("option_batch_fresh"))], False),
    "retry_failed": (Annotated[bool, typer.Option("--retry-failed/--keep-failed",
                                                  help=option_help("option_batch_retry_failed"))], True),
}
# fmt: on


def _with_options(command: Callable[..., int]) -> Callable[..., int]:
    """Return the command with its own options before those that it shares with a single run."""
    called = with_parameter_options(command)
    own = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in OWN_OPTIONS.items()
    ]
    shared = inspect.signature(called).parameters
    signature = inspect.Signature([*own, *shared.values()])
    called.__signature__ = signature  # pyright: ignore[reportFunctionMemberAccess]
    called.__annotations__ = {name: each.annotation for name, each in signature.parameters.items()}
    return called
