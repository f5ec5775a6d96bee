"""What the command line prints, in Chinese and in English."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from toolkit.data.problems import Problem, Severity
from toolkit.errors import JunhengError
from toolkit.reporting.refusal import DataError
from toolkit.vocabulary import label, sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

SEVERITY_STYLES: dict[Severity, str] = {"error": "bold red", "warning": "yellow", "notice": "blue"}
PROBLEMS_PRINTED = 30
PROBLEMS_OF_A_KIND = 5


@cache
def output() -> "Console":
    """Return the console for results."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True, markup=False, emoji=False)


@cache
def errors() -> "Console":
    """Return the console for errors and progress."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)


def help_text(name: str) -> str:
    """Return the help of a command, Chinese first."""
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
        print_problems(error.problems, errors())
    errors().print(error.zh, style="bold red")
    errors().print(error.en, style="dim")
    return error.exit_code


def print_problems(problems: Sequence[Problem], console: "Console", *, every: bool = False) -> None:
    """Print problems with address, school, message and remedy, the severest first, by kind.

    Unless every one is wanted, a few of each kind are printed and no more than `PROBLEMS_PRINTED`
    in all.
    """
    of_a_kind, room = (len(problems), len(problems)) if every else (PROBLEMS_OF_A_KIND, PROBLEMS_PRINTED)
    left = len(problems)
    for alike in _by_kind(problems):
        shown = alike[: min(of_a_kind, room)]
        for problem in shown:
            _print_problem(problem, console)
        if 0 < len(shown) < len(alike):
            _print_count("cli_more_of_this_kind", len(alike) - len(shown), console)
        room -= len(shown)
        left -= len(shown)
    if left:
        _print_count("cli_more_problems", left, console)


def _by_kind(problems: Sequence[Problem]) -> list[list[Problem]]:
    """Return the problems in groups of one severity and code, the severest first."""
    groups: dict[tuple[Severity, str], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((problem.severity, problem.code), []).append(problem)
    severities = list(SEVERITY_STYLES)
    return [groups[kind] for kind in sorted(groups, key=lambda kind: severities.index(kind[0]))]


def _print_problem(problem: Problem, console: "Console") -> None:
    place = " ".join(part for part in (problem.file, problem.sheet, problem.cell, problem.school) if part)
    names = " ".join(label(f"severity_{problem.severity}", language) for language in ("zh", "en"))
    console.print(f"[{names}] {place}", style=SEVERITY_STYLES[problem.severity])
    console.print(f"  {problem.message('zh')}{problem.remedy('zh')}")
    console.print(f"  {problem.message('en')} {problem.remedy('en')}", style="dim")


def _print_count(name: str, count: int, console: "Console") -> None:
    for language in ("zh", "en"):
        console.print(sentence(name, language, count=count))


@contextmanager
def steps() -> "Iterator[Callable[[str], None]]":
    """Show the step that is being done; on a terminal with the time it has taken so far."""
    if not errors().is_terminal:
        yield lambda name: errors().print(_step(name))
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=errors(), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda name: bar.update(task, description=_step(name))


def _step(name: str) -> str:
    return f"{sentence(f'step_{name}', 'zh')} {sentence(f'step_{name}', 'en')}"
