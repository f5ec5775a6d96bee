"""The command that repeats a run and says whether the same comes out."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.cli.compare_commands import PAGE_NAME, PRINTED_OF_A_KIND, RUNS_DIFFER, print_comparison
from toolkit.cli.console import errors, help_text, option_help, output, say, steps
from toolkit.cli.paths import given_path, new_path, writing
from toolkit.reporting.parameters import require_language
from toolkit.vocabulary import Language, label, sentence

if TYPE_CHECKING:
    from toolkit.reporting.run_change import Change, Told
    from toolkit.reporting.verify import Verification


def add_to(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("verify", help=help_text("verify"), short_help=option_help("verify_short"))(verify)


def verify(
    run: Annotated[str, typer.Argument(help=option_help("verify_run"), metavar="RUN")],
    data: Annotated[str, typer.Option("--data", help=option_help("option_verify_data"))] = "",
    output_folder: Annotated[
        str, typer.Option("--output", "-o", help=option_help("option_verify_output"))
    ] = "",
    cached: Annotated[bool, typer.Option("--cached", help=option_help("option_cached"))] = False,
) -> int:
    """Repeat a run from its record and say whether the same comes out."""
    target = Path(output_folder).resolve() if output_folder else None
    if target is not None:
        new_path(target / PAGE_NAME)
    from toolkit.reporting.notebook_cache import open_cache
    from toolkit.reporting.verify import verify_run

    with steps() as progress:
        verification = verify_run(
            given_path(run),
            data=given_path(data) if data else None,
            output=target,
            cache=open_cache() if cached else None,
            progress=progress,
        )
    print_verification(verification)
    if target is not None:
        _write_page(verification, target)
    return RUNS_DIFFER if verification.agreement == "different" else 0


def print_verification(verification: "Verification") -> None:
    """Print the verdict, then what went in otherwise, then each cell, finding and file that differs."""
    for failure in verification.failures:
        errors().print(failure.zh, style="bold red")
        errors().print(failure.en, style="dim")
    name = f"verify_{verification.agreement}"
    output().print(sentence(name, "zh", run=verification.comparison.before.name), style="bold")
    output().print(sentence(name, "en", run=verification.comparison.before.name), style="bold")
    _print_told(verification.remarks)
    if verification.comparison.changes:
        print_comparison(replace(verification.comparison, remarks=()))
    if verification.agreement != "different":
        return
    _print_title("verify_cells", verification.cells)
    for change in verification.cells[:PRINTED_OF_A_KIND]:
        _print_cell(change)
    _print_more(len(verification.cells))
    files = [file for file in verification.files if file.status != "equal"]
    _print_title("verify_files", files)
    for file in files[:PRINTED_OF_A_KIND]:
        states = [label(f"verify_file_{file.status}", language) for language in ("zh", "en")]
        output().print(f"{file.name}  {' '.join(states)}")
    _print_more(len(files))


def _print_cell(change: "Change") -> None:
    parts = [part for part in (change.subject, change.aspect) if part]
    styles: dict[Language, str] = {"zh": "", "en": "dim"}
    for language, style in styles.items():
        what = label("compare_of", language).join(getattr(part, language) for part in parts)
        values = {"before": getattr(change.before, language), "after": getattr(change.after, language)}
        output().print(sentence("cli_compare_change", language, what=what, **values), style=style)


def _print_title(name: str, listed: Iterable[object]) -> None:
    if listed:
        output().print(f"\n{label(name, 'zh')} {label(name, 'en')}", style="bold")


def _print_more(count: int) -> None:
    if count > PRINTED_OF_A_KIND:
        say("cli_compare_more", count=count - PRINTED_OF_A_KIND)


def _print_told(texts: "Iterable[Told]") -> None:
    for text in texts:
        output().print(text.zh)
        output().print(text.en, style="dim")


def _write_page(verification: "Verification", folder: Path) -> None:
    """Write the comparison of the two runs with every difference."""
    from toolkit.reporting.compare_page import write_comparison

    comparison = verification.comparison
    others = tuple(change for change in comparison.changes if change.section != "number")
    every = replace(comparison, changes=(*others, *verification.cells), remarks=verification.remarks)
    with writing(folder / PAGE_NAME) as page:
        write_comparison(every, page, require_language(comparison.after.record.language))
    say("cli_compare_written", path=page)
