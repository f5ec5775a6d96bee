"""The command that pools counties."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.cli.console import errors, help_text, option_help, output, say, steps
from toolkit.cli.paths import given_path, new_path, writing
from toolkit.errors import InputError, RunError
from toolkit.reporting.parameters import require_language
from toolkit.vocabulary import label, sentence

if TYPE_CHECKING:
    from toolkit.data.pool import PoolSummary
    from toolkit.data.pool_inputs import PoolInputs

SOME_LEFT_OUT = InputError.exit_code


def add_to(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("pool", help=help_text("pool"), short_help=option_help("pool_short"))(pool)


def pool(
    source: Annotated[str, typer.Argument(help=option_help("pool_source"), metavar="FOLDER|LIST.csv")],
    target: Annotated[str, typer.Option("--output", "-o", help=option_help("pool_output"))] = "pooled",
    strict: Annotated[bool, typer.Option("--strict", help=option_help("pool_strict"))] = False,
    standard: Annotated[
        str, typer.Option("--standard", help=option_help("option_standard"))
    ] = "national_2017",
    name: Annotated[str, typer.Option("--name", help=option_help("pool_name"))] = "",
    no_province: Annotated[bool, typer.Option("--no-province", help=option_help("pool_no_province"))] = False,
    language: Annotated[str, typer.Option("--language", help=option_help("option_language"))] = "zh",
) -> int:
    """Pool the counties of a folder or a list; 3 when some were left out."""
    chosen = require_language(language)
    place = new_path(Path(target).resolve())
    from toolkit.data.pool import build_pool
    from toolkit.data.pool_inputs import find_inputs
    from toolkit.reporting.runfolder import OWNER_NAME, scratch_folder
    from toolkit.reporting.study import load_own_or_shipped

    judged_by = load_own_or_shipped(standard)
    found = find_inputs(given_path(source))
    with writing(place), scratch_folder(place.parent, place.name) as scratch, steps() as progress:
        progress("pool_reading")
        summary = build_pool(found, scratch, strict=strict, progress=_tell_input)
        if not no_province:
            progress("province")
            from toolkit.reporting.province_page import analyse_pool, write_province

            write_province(analyse_pool(scratch, judged_by, region=name), scratch, chosen)
        (scratch / OWNER_NAME).unlink()
        try:
            scratch.rename(place)
        except OSError as error:
            raise RunError("file_not_written", path=place, reason=error.strerror or error) from error
    _print_summary(summary, found, place)
    if not no_province:
        say("cli_province_written", path=place / "province.html")
    return SOME_LEFT_OUT if summary.left_out else 0


def _tell_input(number: int, total: int, name: str) -> None:
    errors().print(sentence("cli_pool_input", "zh", number=number, total=total, file=name), style="dim")


def _print_summary(summary: "PoolSummary", found: "PoolInputs", place: Path) -> None:
    """Print what is in the pool, what is not and why, and what needs an eye."""
    say("cli_pool_written", counties=len(summary.counties), path=place)
    for table, rows in summary.rows.items():
        names = " ".join(label(f"table_{table}", language) for language in ("zh", "en"))
        output().print(f"  {names}: {rows:,}")
    for entry in summary.left_out:
        county = f"{entry.county_name} {entry.county_id}".strip() or "–"
        places = ", ".join(entry.places)
        values = {"county": county, "places": places}
        output().print(sentence("cli_pool_left_out", "zh", reason=entry.zh, **values), style="yellow")
        output().print(sentence("cli_pool_left_out", "en", reason=entry.en, **values), style="dim")
    if summary.shared_codes:
        code, counties = next(iter(summary.shared_codes.items()))
        count = len(summary.shared_codes)
        say("cli_pool_shared_codes", count=count, code=code, counties=", ".join(counties))
    if found.others:
        say("cli_pool_others", count=len(found.others), file=found.others[0])
