"""Commands that make reports: demo, run, lab."""

import inspect
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import Field, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit.cli.console import errors, help_text, option_help, output, say, steps
from toolkit.cli.paths import given_path, writing
from toolkit.errors import RunError
from toolkit.reporting.parameters import (
    OWN_STANDARD,
    PATH_PARAMETERS,
    STANDARD_PARAMETERS,
    parameter_fields,
)
from toolkit.share import WORKSPACE_NAME, WORKSPACE_VARIABLE, mark_workspace, share_path

if TYPE_CHECKING:
    from toolkit.reporting.repeat import RunRequest
    from toolkit.reporting.run import RunOutcome

NOTEBOOK_FAILED = RunError.exit_code
DEMO_PLAN = "meizhou"
NOTHING_TAKEN = "–"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for beside the parameters of the notebooks."""

    output: str
    embed_font: bool
    docx: bool
    pdf: bool
    schools: bool
    forms: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    fresh: bool = False
    like: str = ""


def add_to(app: typer.Typer) -> None:
    """Add the commands to the application."""
    commands = {"demo": with_parameter_options(demo), "run": with_parameter_options(run), "lab": lab}
    for name, command in commands.items():
        app.command(name, help=help_text(name), short_help=option_help(name))(command)


def demo(output: str, embed_font: bool, docx: bool, pdf: bool, schools: bool, **parameters: object) -> int:
    """Make the report of the demonstration county."""
    say("cli_demo")
    parameters |= {"plan": parameters["plan"] or DEMO_PLAN}
    return _report(parameters, Wanted(output, embed_font, docx, pdf, schools))


def run(
    data: str,
    mapping: str,
    names: str,
    ledger: str,
    output: str,
    embed_font: bool,
    docx: bool,
    pdf: bool,
    schools: bool,
    form: list[str],
    only: list[str],
    fresh: bool,
    like: str,
    **parameters: object,
) -> int:
    """Make the report of a county."""
    given = {"data_path": data, "mapping_path": mapping, "names_path": names, "ledger_path": ledger}
    paths = {name: str(given_path(path)) if path else "" for name, path in given.items()}
    wanted = Wanted(output, embed_font, docx, pdf, schools, tuple(form), tuple(only), fresh, like)
    return _report(parameters | paths, wanted)


def lab(
    folder: Annotated[str, typer.Argument(help=option_help("lab_folder"), metavar="FOLDER")] = WORKSPACE_NAME,
    no_start: Annotated[bool, typer.Option("--no-start", help=option_help("lab_no_start"))] = False,
) -> int:
    """Copy the notebooks into a workspace and start JupyterLab there."""
    target = Path(folder).resolve()
    notebooks = target / "notebooks"
    with writing(notebooks):
        mark_workspace(target)
        notebooks.mkdir(exist_ok=True)
        for source in sorted(share_path("notebooks").glob("*.ipynb")):
            if not (notebooks / source.name).exists():
                shutil.copyfile(source, notebooks / source.name)
    say("cli_lab", folder=notebooks)
    if no_start:
        return 0
    environment = os.environ | {WORKSPACE_VARIABLE: str(target)}
    command = [sys.executable, "-m", "jupyterlab", "--ServerApp.root_dir", str(target)]
    return subprocess.run(command, env=environment, check=False).returncode


def with_parameter_options(command: Callable[..., int]) -> Callable[..., int]:
    """Return a command with one option for each parameter of the notebooks.

    The options of the command itself come first; a parameter that is not given keeps its default.
    """
    own = {
        "data": _parameter("data", str, typer.Argument(help=option_help("data"), metavar="FILE")),
        "mapping": _option("mapping", str, "--mapping", default=""),
        "names": _option("names", str, "--names", default=""),
        "output": _option("output", str, "--output", "-o", default=""),
        "embed_font": _option("embed_font", bool, "--embed-font", default=False),
        "ledger": _option("ledger", str, "--ledger", default=""),
        "docx": _option("docx", bool, "--docx", default=False),
        "pdf": _option("pdf", bool, "--pdf", default=False),
        "schools": _option("schools", bool, "--schools", default=False),
        "only": _option("only", list[str], "--only", default=[]),
        "form": _option("form", list[str], "--form", default=[]),
        "fresh": _option("fresh", bool, "--fresh", default=False),
        "like": _option("like", str, "--like", default=""),
    }
    wanted = [own[name] for name in inspect.signature(command).parameters if name in own]
    derived = [
        _option(entry.name, _optional(entry), f"--{entry.name.replace('_', '-')}", default=None)
        for entry in parameter_fields()
        if entry.name not in PATH_PARAMETERS
    ]
    signature = inspect.Signature([*wanted, *derived])

    def called(**values: object) -> int:
        return command(**values)

    called.__signature__ = signature  # pyright: ignore[reportFunctionMemberAccess]
    called.__annotations__ = {name: each.annotation for name, each in signature.parameters.items()}
    return called


def _optional(entry: Field[Any]) -> Any:
    kind: Any = entry.type
    return kind | None


def _option(name: str, kind: Any, *flags: str, default: object) -> inspect.Parameter:
    return _parameter(name, kind, typer.Option(*flags, help=option_help(f"option_{name}")), default=default)


def _parameter(
    name: str, kind: Any, described: Any, *, default: object = inspect.Parameter.empty
) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, described]
    )


def _report(parameters: dict[str, Any], wanted: Wanted) -> int:
    from toolkit.reporting.notebook_cache import open_cache
    from toolkit.reporting.notebook_runs import kernels_at_a_time
    from toolkit.reporting.run import run_report

    request = _request(parameters, wanted)
    try:
        with steps() as progress:
            outcome = run_report(
                request.parameters,
                reports=Path(wanted.output).resolve() if wanted.output else None,
                embed_font=request.embed_font,
                outputs=request.outputs,
                only=request.only,
                progress=progress,
                cache=open_cache(fresh=wanted.fresh),
                side_by_side=kernels_at_a_time(),
            )
    except KeyboardInterrupt:
        say("cli_interrupted")
        raise
    _tell(outcome)
    return NOTEBOOK_FAILED if outcome.failures or outcome.notices else 0


def _request(parameters: dict[str, Any], wanted: Wanted) -> "RunRequest":
    """Return what is asked for, completed by an earlier run where one is named."""
    from toolkit.reporting.outputs import Outputs
    from toolkit.reporting.recorded_run import load_recorded_run
    from toolkit.reporting.repeat import RunRequest, request_like

    given = {name: value for name, value in parameters.items() if value is not None}
    for name in STANDARD_PARAMETERS:
        if str(given.get(name, "")).endswith(OWN_STANDARD):
            given[name] = str(given_path(given[name]))
    forms = tuple(Path(given_path(form)) for form in wanted.forms)
    outputs = Outputs(docx=wanted.docx, pdf=wanted.pdf, schools=wanted.schools, forms=forms)
    request = RunRequest(given, outputs, wanted.embed_font, wanted.only)
    if not wanted.like:
        return request
    completed = request_like(load_recorded_run(given_path(wanted.like)), request)
    taken = sorted(_options(completed) - _options(request))
    say("cli_like", options=" ".join(taken) or NOTHING_TAKEN)
    return completed


def _options(request: "RunRequest") -> set[str]:
    """Return a request as options of the command; parameters at their defaults are none."""
    defaults = {entry.name: entry.default for entry in parameter_fields()}
    values = {
        name.removesuffix("_path").replace("_", "-"): value
        for name, value in request.parameters.items()
        if value not in ("", defaults.get(name))
    }
    outputs = request.outputs.decisive().get("outputs", ())
    return {
        *(f"--{name} {value}" for name, value in values.items()),
        *(f"--{name}" for name in outputs),
        *(f"--form {form}" for form in request.outputs.forms),
        *(f"--only {name}" for name in request.only),
        *(["--embed-font"] if request.embed_font else []),
    }


def _tell(outcome: "RunOutcome") -> None:
    """Say what failed, what was created, and where the report is."""
    for failure in (*outcome.failures, *outcome.notices):
        errors().print(failure.zh, style="bold red")
        errors().print(failure.en, style="dim")
    placement = outcome.placement
    if placement.status != "new":
        output().print(placement.told("zh"))
        output().print(placement.told("en"), style="dim")
    if outcome.narratives:
        say("cli_narratives", folder=outcome.narratives[0].parent)
    say("cli_report", path=placement.path / "index.html")
