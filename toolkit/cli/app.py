"""The command `junheng`, its commands and its exit codes."""

import sys

import typer

from toolkit.cli import (
    batch_commands,
    compare_commands,
    data_commands,
    pool_commands,
    report_commands,
    standard_commands,
    verify_commands,
)
from toolkit.cli.console import fail, help_text
from toolkit.cli.usage import UsageError, told
from toolkit.errors import JunhengError

INTERRUPTED = 130

app = typer.Typer(
    name="junheng",
    help=help_text("junheng"),
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
report_commands.add_to(app)
data_commands.add_to(app)
standard_commands.add_to(app)
compare_commands.add_to(app)
verify_commands.add_to(app)
batch_commands.add_to(app)
pool_commands.add_to(app)


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code.

    Parameters
    ----------
    arguments : list of str, optional
        Command and options; those of the process by default. Without any, the help is printed.

    Returns
    -------
    int
        0 done; 1 runs that were compared differ, or a run and its repetition; 2 wrong option or parameter;
        3 the data cannot be used as they are; 4 a notebook failed or a file could not be put in place;
        5 the data do not identify what was asked for; 130 interrupted.
    """
    given = sys.argv[1:] if arguments is None else arguments
    try:
        result = app(given or ["--help"], prog_name="junheng", standalone_mode=False)
    except UsageError as error:  # pyright: ignore[reportGeneralTypeIssues]
        return fail(told(error))
    except JunhengError as error:
        return fail(error)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    return result if isinstance(result, int) else 0
