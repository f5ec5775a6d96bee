"""Commands that make reports: demo, run, lab."""

import inspect
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import Field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit.cli.console import errors, help_text, option_help, output, say, steps
from toolkit.cli.paths import given_path, writing
from toolkit.errors import RunError
from toolkit.reporting.parameters import OWN_STANDARD, PATH_PARAMETERS, parameter_fields
from toolkit.share import WORKSPACE_NAME, WORKSPACE_VARIABLE, mark_workspace, share_path

if TYPE_CHECKING:
    from toolkit.reporting.run import RunOutcome

NOTEBOOK_FAILED = RunError.exit_code


def add_to(app: typer.Typer) -> None:
    """Add the commands to the application."""
    commands = {"demo": with_parameter_options(demo), "run": with_parameter_options(run), "lab": lab}
    for name, command in commands.items():
        app.command(name, help=help_text(name), short_help=option_help(name))(command)


def demo(output: str, embed_font: bool, **parameters: object) -> int:
    """Make the report of the demonstration county."""
    say("cli_demo")
    return _report(parameters, output, embed_font)


def run(data: str, mapping: str, output: str, embed_font: bool, **parameters: object) -> int:
    """Make the report of a county."""
    paths = {"data_path": str(given_path(data)), "mapping_path": str(given_path(mapping)) if mapping else ""}
    return _report(parameters | paths, output, embed_font)


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
        "output": _option("output", str, "--output", "-o", default=""),
        "embed_font": _option("embed_font", bool, "--embed-font", default=False),
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


def _report(parameters: dict[str, Any], output: str, embed_font: bool) -> int:
    from toolkit.reporting.run import run_report

    given = {name: value for name, value in parameters.items() if value is not None}
    if str(given.get("standard", "")).endswith(OWN_STANDARD):
        given["standard"] = str(given_path(given["standard"]))
    with steps() as progress:
        outcome = run_report(
            given,
            reports=Path(output).resolve() if output else None,
            embed_font=embed_font,
            progress=progress,
        )
    _tell(outcome)
    return NOTEBOOK_FAILED if outcome.failures else 0


def _tell(outcome: "RunOutcome") -> None:
    """Say which notebooks failed, what was created, and where the report is."""
    for failure in outcome.failures:
        errors().print(failure.zh, style="bold red")
        errors().print(failure.en, style="dim")
    placement = outcome.placement
    if placement.status != "new":
        output().print(placement.told("zh"))
        output().print(placement.told("en"), style="dim")
    if outcome.narratives:
        say("cli_narratives", folder=outcome.narratives[0].parent)
    say("cli_report", path=placement.path / "index.html")
