"""Command lines that are not understood, told in Chinese and in English."""

from typing import Any

import typer

from toolkit.errors import ParameterError

# typer brings its own copy of click from 0.26 on: the errors of either are known by the class below theirs.
UsageError: type[Any] = typer.BadParameter.__mro__[1]

BOUNDS = {"greater_than_equal": "ge", "less_than_equal": "le"}


def told(error: Any) -> ParameterError:
    """Return what is wrong with a command line as an error in both languages."""
    command = error.ctx.command_path if error.ctx else "junheng"
    parameter = getattr(error, "param", None)
    match type(error).__name__:
        case "NoSuchOption":
            return ParameterError("usage_no_such_option", name=error.option_name, command=command)
        case "MissingParameter" if parameter is not None:
            return ParameterError("usage_missing", name=_name(parameter), command=command)
        case "BadParameter" if parameter is not None:
            return _bad_value(_name(parameter), error, command)
        case _:
            return ParameterError("usage_other", detail=error.format_message(), command=command)


def _bad_value(name: str, error: Any, command: str) -> ParameterError:
    """Return what a whole number should be, and of other values what the library of the command line says."""
    # Its newer versions check values with pydantic, whose errors tell the bound.
    causes = getattr(error.__cause__, "errors", list)()
    kind = causes[0]["type"] if causes else ""
    if kind in BOUNDS:
        bound = causes[0]["ctx"][BOUNDS[kind]]
        return ParameterError(f"usage_{kind}", name=name, bound=bound, command=command)
    if kind == "int_parsing":
        return ParameterError("usage_no_whole_number", name=name, command=command)
    return ParameterError("usage_bad_value", name=name, detail=error.message, command=command)


def _name(parameter: Any) -> str:
    """Return an option as it is typed, or an argument as the help calls it."""
    flag = max(parameter.opts, key=len)
    return flag if flag.startswith("-") else parameter.metavar or parameter.name
