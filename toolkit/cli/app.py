"""The command `junheng`, its commands and its exit codes."""

import sys

import click
import typer

from toolkit.cli import data_commands, report_commands
from toolkit.cli.console import fail, help_text
from toolkit.errors import JunhengError

app = typer.Typer(
    name="junheng",
    help=help_text("junheng"),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
report_commands.add_to(app)
data_commands.add_to(app)


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code.

    Parameters
    ----------
    arguments : list of str, optional
        Command and options; those of the process by default.

    Returns
    -------
    int
        0 done; 2 wrong option or parameter; 3 the data cannot be used as they are; 4 a notebook
        failed or the report could not be put in place; 5 the data do not identify what was
        asked for; 130 interrupted.
    """
    try:
        result = app(arguments if arguments is not None else sys.argv[1:], prog_name="junheng", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except JunhengError as error:
        return fail(error)
    except (KeyboardInterrupt, click.Abort):
        return 130
    return result if isinstance(result, int) else 0
