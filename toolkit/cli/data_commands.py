"""Commands about data: template, check, simulate."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from toolkit.cli.console import (
    SEVERITY_STYLES,
    help_text,
    option_help,
    output,
    print_problems,
    say,
    steps,
)
from toolkit.cli.paths import given_path, new_path, writing
from toolkit.data.problems import Problem
from toolkit.errors import InputError, ParameterError
from toolkit.reporting.parameters import require_language
from toolkit.vocabulary import label

DATA_HAVE_ERRORS = InputError.exit_code
WORKBOOK = ".xlsx"
MACRO_WORKBOOK = ".xlsm"


def add_to(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("names", help=help_text("names"), short_help=option_help("names"))(names)
    app.command("template", help=help_text("template"), short_help=option_help("template"))(template)
    app.command("check", help=help_text("check"), short_help=option_help("check"))(check)
    app.command("simulate", help=help_text("simulate"), short_help=option_help("simulate"))(simulate)


def template(
    file: Annotated[
        str, typer.Argument(help=option_help("template_file"), metavar="FILE")
    ] = "junheng-template.xlsx",
    language: Annotated[str, typer.Option("--language", help=option_help("option_language"))] = "zh",
) -> int:
    """Write the workbook to fill in."""
    chosen = require_language(language)
    target = new_path(_workbook(file))
    from toolkit.data.template import write_template

    with writing(target):
        write_template(target, language=chosen)
    say("cli_template", path=target)
    return 0


def check(
    data: Annotated[str, typer.Argument(help=option_help("data"), metavar="FILE")],
    mapping: Annotated[str, typer.Option("--mapping", help=option_help("option_mapping"))] = "",
    names: Annotated[str, typer.Option("--names", help=option_help("option_names"))] = "",
    county: Annotated[str, typer.Option("--county", help=option_help("option_county"))] = "",
    year: Annotated[
        int, typer.Option("--year", help=option_help("option_check_year"), show_default=False)
    ] = 0,
    marked: Annotated[str, typer.Option("--marked", help=option_help("option_marked"))] = "",
    every: Annotated[bool, typer.Option("--all", help=option_help("option_all"))] = False,
) -> int:
    """List everything that is wrong with a county's data."""
    from toolkit.data.checks import check_county
    from toolkit.data.marked_copy import write_marked_copy
    from toolkit.data.reading import load_county

    source = given_path(data)
    target = _workbook(marked, MACRO_WORKBOOK) if marked else _beside(source)
    with steps() as progress:
        progress("reading")
        reading = load_county(
            source,
            mapping=given_path(mapping) if mapping else None,
            names=given_path(names) if names else None,
            county=county or None,
            year=year or None,
        )
        progress("checking")
        problems = reading.problems + check_county(reading, county=county)
    print_problems(problems, output(), every=every)
    counts = _counts(problems)
    used, read = (int(reading.accounting[name].sum()) for name in ("rows_used", "rows_read"))
    say("cli_check_rows", county=reading.county.name, read=read, used=used, left=read - used)
    say("cli_check_counts", errors=counts["error"], warnings=counts["warning"], notices=counts["notice"])
    with writing(target):
        written = write_marked_copy(reading, problems, source, target)
    say("cli_marked_copy", path=written)
    return DATA_HAVE_ERRORS if counts["error"] else 0


def names(
    data: Annotated[str, typer.Argument(help=option_help("data"), metavar="FILE")],
    target: Annotated[str, typer.Option("--output", "-o", help=option_help("names_output"))] = "",
    names: Annotated[str, typer.Option("--names", help=option_help("option_names"))] = "",
    mapping: Annotated[str, typer.Option("--mapping", help=option_help("option_mapping"))] = "",
    county: Annotated[str, typer.Option("--county", help=option_help("option_county"))] = "",
    language: Annotated[str, typer.Option("--language", help=option_help("option_language"))] = "zh",
) -> int:
    """List the school names to look over, as a workbook to fill in."""
    from toolkit.data.names_file import list_names, write_names
    from toolkit.data.reading import load_county
    from toolkit.data.reading.corrections import read_corrections

    chosen = require_language(language)
    source = given_path(data)
    path = new_path(_workbook(target)) if target else _unused(source)
    earlier = given_path(names) if names else None
    with steps() as progress:
        progress("reading")
        reading = load_county(
            source,
            mapping=given_path(mapping) if mapping else None,
            names=earlier,
            county=county or None,
        )
    listed = list_names(reading, read_corrections(earlier) if earlier else None)
    if listed.empty:
        say("cli_names_none")
        return 0
    with writing(path):
        write_names(listed, path, language=chosen)
    unmatched = int((listed["how"] == "unmatched").sum())
    say("cli_names_written", path=path, count=len(listed), unmatched=unmatched)
    return 0


def simulate(
    target: Annotated[str, typer.Argument(help=option_help("simulate_target"), metavar="TARGET")],
    seed: Annotated[int, typer.Option("--seed", min=0, help=option_help("simulate_seed"))] = 1,
    schools: Annotated[
        int, typer.Option("--schools", min=20, max=600, help=option_help("simulate_schools"))
    ] = 60,
    years: Annotated[int, typer.Option("--years", min=3, max=20, help=option_help("simulate_years"))] = 8,
    counties: Annotated[
        int, typer.Option("--counties", min=1, max=99, help=option_help("simulate_counties"))
    ] = 1,
    clean: Annotated[bool, typer.Option("--clean", help=option_help("simulate_clean"))] = False,
    no_effects: Annotated[
        bool, typer.Option("--no-effects", help=option_help("simulate_no_effects"))
    ] = False,
) -> int:
    """Write synthetic counties with known truth."""
    from toolkit.data.simulate import (
        NO_EFFECTS,
        PlantedEffects,
        SimulationSettings,
        simulate_pool,
        write_county,
    )

    place = Path(target).resolve()
    if counties > 1 and place.suffix.lower() == WORKBOOK:
        raise ParameterError("simulate_needs_folder", target=target, count=counties)
    for path in (place, place.with_suffix("")) if place.suffix.lower() == WORKBOOK else (place,):
        new_path(path)
    effects = NO_EFFECTS if no_effects else PlantedEffects()
    settings = SimulationSettings(n_schools=schools, n_years=years, clean=clean, effects=effects)
    with steps() as progress:
        progress("simulating")
        for simulated in simulate_pool(counties, settings, seed=seed):
            path = place if counties == 1 else place / f"{simulated.county.county_id}{WORKBOOK}"
            with writing(path):
                write_county(simulated, path)
            say("cli_simulated", path=path)
    return 0


def _workbook(file: str, *also: str) -> Path:
    """Return the absolute path of a workbook to write."""
    if Path(file).suffix.lower() not in (WORKBOOK, *also):
        raise ParameterError("file_not_workbook", file=file)
    return Path(file).resolve()


def _beside(source: Path) -> Path:
    """Return where the marked copy of a source belongs: beside it, with macros if the source has them."""
    suffix = MACRO_WORKBOOK if source.suffix.lower() == MACRO_WORKBOOK else WORKBOOK
    return source.with_name(f"{source.stem}-{label('checked', 'zh')}{suffix}")


def _unused(source: Path) -> Path:
    """Return a path beside a source under which no list of names stands: people fill the lists in."""
    stem = f"{source.stem}-{label('names_path_beside', 'zh')}"
    path, number = source.with_name(f"{stem}{WORKBOOK}"), 2
    while path.exists():
        path, number = source.with_name(f"{stem}-{number}{WORKBOOK}"), number + 1
    return path


def _counts(problems: Sequence[Problem]) -> dict[str, int]:
    """Return how many problems there are of each severity."""
    return {name: sum(problem.severity == name for problem in problems) for name in SEVERITY_STYLES}
