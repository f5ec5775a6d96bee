"""What the command line prints, in Chinese and in English."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from toolkit.data.problems import Problem
from toolkit.errors import JunhengError
from toolkit.reporting.run import DataError
from toolkit.vocabulary import label, sentence

if TYPE_CHECKING:
    from rich.console import Console

    from toolkit.reporting.run import Progress

SEVERITY_STYLES = {"error": "bold red", "warning": "yellow", "notice": "blue"}
PROBLEMS_PRINTED = 30


@cache
def output() -> "Console":
    """Return the console for results."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True, markup=False)


@cache
def errors() -> "Console":
    """Return the console for errors and progress."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


def help_text(name: str) -> str:
    """Return the help of a command or option, Chinese first."""
    return f"{sentence(f'help_{name}', 'zh')}\n\n{sentence(f'help_{name}', 'en')}"


def option_help(name: str) -> str:
    """Return the help of an option on one line."""
    return f"{sentence(f'help_{name}', 'zh')} / {sentence(f'help_{name}', 'en')}"


def say(name: str, **values: object) -> None:
    """Print a sentence in both languages."""
    output().print(sentence(name, "zh", **values))
    output().print(sentence(name, "en", **values), style="dim")


def fail(error: JunhengError) -> int:
    """Print an error in both languages and return its exit code."""
    if isinstance(error, DataError):
        print_problems([problem for problem in error.problems if problem.severity == "error"])
    errors().print(error.zh, style="bold red")
    errors().print(error.en, style="dim")
    return error.exit_code


def print_problems(problems: Sequence[Problem], limit: int = PROBLEMS_PRINTED) -> None:
    """Print problems with address, school, message and remedy, the severest first."""
    ordered = sorted(problems, key=lambda problem: list(SEVERITY_STYLES).index(problem.severity))
    for problem in ordered[:limit]:
        place = " ".join(part for part in (problem.file, problem.sheet, problem.cell, problem.school) if part)
        names = f"{label(f'severity_{problem.severity}', 'zh')} {label(f'severity_{problem.severity}', 'en')}"
        output().print(f"[{names}] {place}", style=SEVERITY_STYLES[problem.severity])
        output().print(f"  {problem.message('zh')}{problem.remedy('zh')}")
        output().print(f"  {problem.message('en')} {problem.remedy('en')}", style="dim")
    if len(ordered) > limit:
        say("cli_more_problems", count=len(ordered) - limit)


@contextmanager
def steps() -> "Iterator[Progress]":
    """Show the step that is being done, with the time it has taken so far."""
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bar(*columns, console=errors(), transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(name: str) -> None:
            text = f"{sentence(f'step_{name}', 'zh')} {sentence(f'step_{name}', 'en')}"
            if errors().is_terminal:
                bar.update(task, description=text)
            else:
                errors().print(text)

        yield show
