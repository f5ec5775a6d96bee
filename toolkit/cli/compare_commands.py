"""The command that compares two runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.cli.console import help_text, option_help, output, say
from toolkit.cli.paths import given_path, new_path, writing
from toolkit.reporting.parameters import require_language
from toolkit.vocabulary import Language, label, sentence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from toolkit.reporting.compare import RunComparison
    from toolkit.reporting.run_change import Change, Told

RUNS_DIFFER = 1
PAGE_NAME = "compare.html"
# Numbers are counted by table and listed in the files only.
COUNTED_ONLY = ("number",)
PRINTED_OF_A_KIND = 40


def add_to(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("compare", help=help_text("compare"), short_help=option_help("compare_short"))(compare)


def compare(
    before: Annotated[str, typer.Argument(help=option_help("compare_before"), metavar="RUN_A")],
    after: Annotated[str, typer.Argument(help=option_help("compare_after"), metavar="RUN_B")],
    output_folder: Annotated[
        str, typer.Option("--output", "-o", help=option_help("option_compare_output"))
    ] = "",
    language: Annotated[
        str, typer.Option("--language", help=option_help("option_compare_language"), show_default=False)
    ] = "",
) -> int:
    """Say what differs between two runs of a county, and why each verdict turned."""
    chosen = require_language(language) if language else None
    target = Path(output_folder).resolve() if output_folder else None
    if target is not None:
        new_path(target / PAGE_NAME)
    from toolkit.reporting.compare import compare_runs

    comparison = compare_runs(given_path(before), given_path(after))
    print_comparison(comparison)
    if target is not None:
        from toolkit.reporting.compare_page import write_comparison

        own = chosen or require_language(comparison.after.record.language)
        with writing(target / PAGE_NAME) as page:
            write_comparison(comparison, page, own)
        say("cli_compare_written", path=page)
    return RUNS_DIFFER if comparison.changes else 0


def print_comparison(comparison: "RunComparison") -> None:
    """Print the differences by kind, each in Chinese and in English, verdicts with their causes."""
    from toolkit.reporting.compare_page import summary
    from toolkit.reporting.run_change import SECTIONS

    say("cli_compare_runs", before=comparison.before.name, after=comparison.after.name)
    output().print(summary(comparison, "zh"), style="bold")
    output().print(summary(comparison, "en"), style="dim")
    _print_told(comparison.remarks)
    for section in SECTIONS:
        changes = comparison.of(section)
        if not changes or section in COUNTED_ONLY:
            continue
        names = (label(f"compare_section_{section}", "zh"), label(f"compare_section_{section}", "en"))
        output().print(f"\n{' '.join(names)}", style="bold")
        for change in changes[:PRINTED_OF_A_KIND]:
            _print_change(change)
        left = len(changes) - PRINTED_OF_A_KIND
        if left > 0:
            say("cli_compare_more", count=left)


def _print_change(change: "Change") -> None:
    from toolkit.reporting.run_change import labelled

    parts = [labelled(change.stage)] if change.stage and labelled(change.stage) != change.subject else []
    parts += [part for part in (change.subject, change.aspect) if part]
    styles: dict[Language, str] = {"zh": "", "en": "dim"}
    for language, style in styles.items():
        what = label("compare_of", language).join(getattr(part, language) for part in parts)
        values = {"before": getattr(change.before, language), "after": getattr(change.after, language)}
        output().print(sentence("cli_compare_change", language, what=what, **values), style=style)
    _print_told(change.causes, indent="  ")


def _print_told(texts: "Iterable[Told]", *, indent: str = "") -> None:
    for text in texts:
        output().print(f"{indent}{text.zh}")
        output().print(f"{indent}{text.en}", style="dim")
