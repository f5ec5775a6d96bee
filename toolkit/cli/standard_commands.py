"""The command about standards: a list of those that ship, or one of them in full."""

from collections.abc import Mapping
from typing import Annotated, Any

import pandas as pd
import typer

from toolkit.cli.console import help_text, option_help, output
from toolkit.cli.paths import given_path
from toolkit.reporting.parameters import OWN_STANDARD, require_language
from toolkit.standards import (
    Standard,
    available_standards,
    describe_items,
    describe_standard,
    describe_targets,
    load_standard,
)
from toolkit.vocabulary import Language, label, sentence

DOUBTS = "standard_marks"
# A unit is printed behind the name and a part above its items: a terminal is 80 columns wide.
HEADING = ("standard_indicator", "standard_name")
NOT_COLUMNS = ("standard_unit", "standard_part", DOUBTS)


def add_to(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("standards", help=help_text("standards"), short_help=option_help("standards"))(standards)


def standards(
    standard: Annotated[str, typer.Argument(help=option_help("standards_id"), metavar="[ID]")] = "",
    language: Annotated[str, typer.Option("--language", help=option_help("option_language"))] = "zh",
) -> int:
    """List the standards that ship, or print one."""
    chosen = require_language(language)
    if not standard:
        for name in available_standards():
            output().print(f"{name:14} {_title(load_standard(name), chosen)}")
        return 0
    own = standard.endswith(OWN_STANDARD)
    print_standard(load_standard(given_path(standard) if own else standard), chosen)
    return 0


def print_standard(standard: Standard, language: Language) -> None:
    """Print indicators, items and targets of a standard, then the rules that are in doubt."""
    output().print(_title(standard, language))
    described = (
        describe_standard(standard, language),
        describe_items(standard, language),
        describe_targets(standard, language),
    )
    frames = [frame for frame in described if len(frame)]
    doubts = _numbered_doubts(frames)
    for frame in frames:
        parts = frame.groupby("standard_part", sort=False) if "standard_part" in frame else [("", frame)]
        for part, rows in parts:
            output().print(f"\n{part}" if part else "")
            _print_rows(rows, doubts, language)
    if doubts:
        output().print(f"\n{label(DOUBTS, language)}")
    for text, number in doubts.items():
        output().print(f"({number}) {text}")


def _title(standard: Standard, language: Language) -> str:
    title = getattr(standard.title, language)
    if not standard.document:
        return title
    return sentence("standard_with_number", language, title=title, document=standard.document)


def _numbered_doubts(frames: list[pd.DataFrame]) -> dict[str, int]:
    """Return each doubt once, with the number that stands for it in the tables."""
    texts = [text for frame in frames for cell in frame[DOUBTS] for text in str(cell).splitlines()]
    return {text: number for number, text in enumerate(dict.fromkeys(texts), start=1)}


def _print_rows(frame: pd.DataFrame, doubts: dict[str, int], language: Language) -> None:
    """Print the columns that hold something as a table; what repeats the row above stays empty."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    shown = [str(name) for name in frame.columns if name not in NOT_COLUMNS and _holds_something(frame[name])]
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    for name in shown:
        numeric = pd.api.types.is_numeric_dtype(frame[name])
        table.add_column(label(name, language), overflow="fold", justify="right" if numeric else "left")
    table.add_column("", no_wrap=True)
    above = ("", "")
    for row in frame.to_dict("records"):
        heading = (str(row["standard_indicator"]), _name(row))
        repeated = heading == above
        above = heading
        cells: dict[str, str] = {name: _cell(row[name]) for name in shown}
        cells |= dict(zip(HEADING, ("", "") if repeated else heading, strict=True))
        numbers = [f"({doubts[text]})" for text in str(row[DOUBTS]).splitlines()]
        table.add_row(*(cells[name] for name in shown), "".join(numbers))
    output().print(table)


def _name(row: Mapping[Any, Any]) -> str:
    unit = row.get("standard_unit", "")
    return f"{row['standard_name']} ({unit})" if unit else str(row["standard_name"])


def _cell(value: object) -> str:
    """Return a value as it is printed; empty when it is missing."""
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:g}"
    return "" if value is None else str(value)


def _holds_something(values: pd.Series) -> bool:
    return any(_cell(value) for value in values)
