"""Commands about data and standards: template, check, simulate, standards."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.cli.console import help_text, option_help, output, print_problems, say, steps
from toolkit.vocabulary import Language, label

if TYPE_CHECKING:
    import pandas as pd

DATA_HAVE_ERRORS = 3


def add_to(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("template", help=help_text("template"))(template)
    app.command("check", help=help_text("check"))(check)
    app.command("simulate", help=help_text("simulate"))(simulate)
    app.command("standards", help=help_text("standards"))(standards)


def template(
    file: Annotated[str, typer.Argument(help=option_help("template_file"))] = "junheng-template.xlsx",
    language: Annotated[str, typer.Option("--language", help=option_help("option_language"))] = "zh",
) -> int:
    """Write the workbook to fill in."""
    from toolkit.data.template import write_template

    target = _new_file(file)
    write_template(target, language=_language(language))
    say("cli_template", path=target)
    return 0


def check(
    data: Annotated[str, typer.Argument(help=option_help("data"), metavar="FILE")],
    mapping: Annotated[str, typer.Option("--mapping", help=option_help("option_mapping"))] = "",
    county: Annotated[str, typer.Option("--county", help=option_help("option_county"))] = "",
    year: Annotated[int, typer.Option("--year", help=option_help("option_year"))] = 0,
    marked: Annotated[str, typer.Option("--marked", help=option_help("option_marked"))] = "",
    every: Annotated[bool, typer.Option("--all", help=option_help("option_all"))] = False,
) -> int:
    """List everything that is wrong with a county's data."""
    from toolkit.data.checks import check_county
    from toolkit.data.marked_copy import write_marked_copy
    from toolkit.data.reading import load_county

    source = Path(data).resolve()
    with steps() as progress:
        progress("reading")
        reading = load_county(
            source,
            mapping=Path(mapping).resolve() if mapping else None,
            county=county or None,
            year=year or None,
        )
        progress("checking")
        problems = reading.problems + check_county(reading)
    print_problems(problems, limit=len(problems) if every else 30)
    counts = {name: sum(problem.severity == name for problem in problems) for name in ("error", "warning", "notice")}
    used, read = int(reading.accounting["rows_used"].sum()), int(reading.accounting["rows_read"].sum())
    say("cli_check_rows", county=reading.county.name, read=read, used=used, left=read - used)
    say("cli_check_counts", errors=counts["error"], warnings=counts["warning"], notices=counts["notice"])
    target = Path(marked).resolve() if marked else source.with_name(f"{source.stem}-{label('checked', 'zh')}.xlsx")
    written = write_marked_copy(reading, problems, source, target)
    say("cli_marked_copy", path=written)
    return DATA_HAVE_ERRORS if counts["error"] else 0


def simulate(
    target: Annotated[str, typer.Argument(help=option_help("simulate_target"))],
    seed: Annotated[int, typer.Option("--seed", help=option_help("simulate_seed"))] = 1,
    schools: Annotated[int, typer.Option("--schools", min=20, max=600, help=option_help("simulate_schools"))] = 60,
    years: Annotated[int, typer.Option("--years", min=3, max=20, help=option_help("simulate_years"))] = 8,
    counties: Annotated[int, typer.Option("--counties", min=1, max=99, help=option_help("simulate_counties"))] = 1,
    clean: Annotated[bool, typer.Option("--clean", help=option_help("simulate_clean"))] = False,
    no_effects: Annotated[bool, typer.Option("--no-effects", help=option_help("simulate_no_effects"))] = False,
) -> int:
    """Write synthetic counties with known truth."""
    from toolkit.data.simulate import NO_EFFECTS, PlantedEffects, SimulationSettings, simulate_pool, write_county

    settings = SimulationSettings(
        n_schools=schools,
        n_years=years,
        clean=clean,
        effects=NO_EFFECTS if no_effects else PlantedEffects(),
    )
    place = Path(target).resolve()
    with steps() as progress:
        progress("simulating")
        for simulated in simulate_pool(counties, settings, seed=seed):
            path = place if counties == 1 else place / f"{simulated.county.county_id}.xlsx"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_county(simulated, path)
            say("cli_simulated", path=path)
    return 0


def standards(
    standard: Annotated[str, typer.Argument(help=option_help("standards_id"))] = "",
    language: Annotated[str, typer.Option("--language", help=option_help("option_language"))] = "zh",
) -> int:
    """List the standards that ship, or print one."""
    from toolkit.standards import available_standards, describe_items, describe_standard, describe_targets, load_standard

    chosen = _language(language)
    if not standard:
        for name in available_standards():
            loaded = load_standard(name)
            output().print(f"{name:15} {getattr(loaded.title, chosen)} {loaded.document}")
        return 0
    loaded = load_standard(Path(standard).resolve() if standard.endswith(".toml") else standard)
    output().print(f"{getattr(loaded.title, chosen)} {loaded.document}")
    for frame in (
        describe_standard(loaded, chosen),
        describe_items(loaded, chosen),
        describe_targets(loaded, chosen),
    ):
        if len(frame):
            _print_frame(frame, chosen)
    return 0


def _print_frame(frame: "pd.DataFrame", language: Language) -> None:
    from rich.table import Table

    table = Table(show_edge=False)
    for column in frame.columns:
        table.add_column(label(str(column), language), overflow="fold")
    for row in frame.astype("object").itertuples(index=False):
        table.add_row(*("" if value is None or value != value else str(value) for value in row))
    output().print(table)


def _language(language: str) -> Language:
    from toolkit.errors import ParameterError

    if language not in ("zh", "en"):
        raise ParameterError("parameter_choice", name="language", value=language, choices="zh, en")
    return "en" if language == "en" else "zh"


def _new_file(file: str) -> Path:
    """Return the path of a file that does not exist yet."""
    from toolkit.errors import ParameterError

    target = Path(file).resolve()
    if target.exists():
        raise ParameterError("file_exists", path=target)
    return target
