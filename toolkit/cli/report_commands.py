"""Commands that make reports: demo, run, lab."""

import inspect
import os
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from toolkit.cli.console import help_text, option_help, say, steps
from toolkit.reporting.parameters import NOTEBOOKS
from toolkit.reporting.run import RunOutcome, run_report
from toolkit.share import WORKSPACE_NAME, WORKSPACE_VARIABLE, mark_workspace, resolve_path, share_path

NOTEBOOK_FAILED = 4
# Given by name on the command line, or by position.
NOT_OPTIONS = ("data_path", "results_dir", "mapping_path")


def add_to(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("demo", help=help_text("demo"))(_with_parameter_options(demo))
    app.command("run", help=help_text("run"))(_with_parameter_options(run))
    app.command("lab", help=help_text("lab"))(lab)


def demo(output: str, embed_font: bool, **parameters: object) -> int:
    """Make the report of the demonstration county."""
    say("cli_demo")
    return _report(parameters, output, embed_font)


def run(data: str, mapping: str, output: str, embed_font: bool, **parameters: object) -> int:
    """Make the report of a county."""
    paths = {"data_path": _given_path(data), "mapping_path": _given_path(mapping)}
    return _report(parameters | paths, output, embed_font)


def lab(
    folder: Annotated[str, typer.Argument(help=option_help("lab_folder"))] = WORKSPACE_NAME,
    no_start: Annotated[bool, typer.Option("--no-start", help=option_help("lab_no_start"))] = False,
) -> int:
    """Copy the notebooks into a workspace and start JupyterLab there."""
    target = Path(folder).resolve()
    mark_workspace(target)
    notebooks = target / "notebooks"
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


def _report(parameters: dict[str, Any], output: str, embed_font: bool) -> int:
    with steps() as progress:
        outcome = run_report(
            {name: value for name, value in parameters.items() if value is not None},
            reports=Path(output).resolve() if output else None,
            embed_font=embed_font,
            progress=progress,
        )
    _tell(outcome)
    return NOTEBOOK_FAILED if outcome.failures else 0


def _tell(outcome: RunOutcome) -> None:
    for failure in outcome.failures:
        say("cli_notebook_failed", title=failure.title, section=failure.section, reason=failure.reason)
    if outcome.placement.status != "new":
        say("cli_placed", zh=outcome.placement.told("zh"), en=outcome.placement.told("en"))
    if outcome.narratives:
        say("cli_narratives", folder=outcome.narratives[0].parent)
    say("cli_report", path=outcome.placement.path / "index.html")


def _given_path(path: str) -> str:
    """Return a path on the command line as absolute: there, relative means from the current folder."""
    if not path:
        return ""
    here = Path(path).resolve()
    return str(here if here.exists() else resolve_path(path))


def _with_parameter_options(command: Any) -> Any:
    """Give a command one option for each parameter of the notebooks."""
    entries = {entry.name: entry for record in NOTEBOOKS.values() for entry in fields(record)}
    own = {
        "data": inspect.Parameter(
            "data",
            inspect.Parameter.KEYWORD_ONLY,
            annotation=Annotated[str, typer.Argument(help=option_help("data"), metavar="FILE")],
        ),
        "mapping": _option("mapping", str, "", "--mapping"),
        "output": _option("output", str, "", "--output", "-o"),
        "embed_font": _option("embed_font", bool, False, "--embed-font"),
    }
    wanted = [name for name in inspect.signature(command).parameters if name in own]
    derived = [
        _option(name, entry.type, None, f"--{name.replace('_', '-')}")
        for name, entry in entries.items()
        if name not in NOT_OPTIONS
    ]

    def called(**values: object) -> int:
        return command(**values)

    called.__signature__ = inspect.Signature([own[name] for name in wanted] + derived)  # pyright: ignore[reportFunctionMemberAccess]
    called.__annotations__ = {
        parameter.name: parameter.annotation for parameter in called.__signature__.parameters.values()  # pyright: ignore[reportFunctionMemberAccess]
    }
    return called


def _option(name: str, kind: Any, default: Any, *flags: str) -> inspect.Parameter:
    wanted = kind if default is not None else kind | None
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[wanted, typer.Option(*flags, help=option_help(f"option_{name}"))],
    )
