"""The data dictionary `data/README.md`, generated from the schema and the vocabulary."""

from collections.abc import Iterable
from pathlib import Path

from toolkit.data.schema import TABLES, Column, Table
from toolkit.data.workbook.headers import allowed_words, range_text
from toolkit.vocabulary import Language, label, sentence, unit_label

PATH = Path(__file__).parents[2] / "data" / "README.md"
LANGUAGES: tuple[Language, Language] = ("zh", "en")
RULES = (
    "dictionary_layout",
    "template_instruction_year",
    "template_instruction_period",
    "template_instruction_zero",
    "dictionary_empty",
    "dictionary_units",
    "template_instruction_codes",
    "template_instruction_combined",
    "dictionary_register_years",
    "dictionary_links",
    "dictionary_spells",
    "dictionary_tests",
)
HEADINGS = ("column", "label", "unit", "kind", "range", "period", "stage", "needed", "aliases")


def data_dictionary() -> str:
    """Return the data dictionary as Markdown, Chinese first."""
    parts = [f"# {_both('dictionary_title')}", _both("dictionary_generated", "\n\n")]
    parts += [f"## {_both('dictionary_rules')}", *(f"- {_both(name, '<br>')}" for name in RULES)]
    parts += [f"## {_both('dictionary_tables')}", _tables_overview()]
    parts += [section for table in TABLES.values() for section in _table_sections(table)]
    return _spaced(parts)


def write_dictionary(path: Path = PATH) -> None:
    """Write the data dictionary."""
    path.write_text(data_dictionary(), encoding="utf-8", newline="\n")


def _tables_overview() -> str:
    headings = ("sheet", "table", "required", "key")
    rows = [
        (
            f"[{label(f'table_{table.name}', 'zh')}](#{table.name})",
            f"`{table.name}` {label(f'table_{table.name}', 'en')}",
            _mark(table.required),
            ", ".join(f"`{name}`" for name in table.key),
        )
        for table in TABLES.values()
    ]
    return _markdown_table(headings, rows)


def _table_sections(table: Table) -> list[str]:
    name = f"table_{table.name}"
    facts = [
        _heading("key") + ": " + ", ".join(f"`{column}`" for column in table.key),
        _heading("sheets") + ": " + "、".join((label(name, "zh"), label(name, "en"), *table.aliases)),
    ]
    if table.outgrows_excel:
        facts.append(_both("dictionary_outgrows"))
    rows = [_column_row(column) for column in table.columns]
    return [
        f'<a id="{table.name}"></a>',
        f"## {label(name, 'zh')} {label(name, 'en')} `{table.name}`",
        _both(f"template_holds_{table.name}", "\n\n"),
        *(f"- {fact}" for fact in facts),
        _markdown_table(HEADINGS, rows),
        *_choice_lists(table),
    ]


def _column_row(column: Column) -> tuple[str, ...]:
    at_most = [f"≤ `{column.at_most}`"] if column.at_most else []
    units = dict.fromkeys(unit_label(column.name, language) for language in LANGUAGES)
    return (
        f"`{column.name}`",
        "<br>".join(label(column.name, language) for language in LANGUAGES),
        " ".join(filter(None, units)),
        _heading(f"kind_{column.kind}"),
        "<br>".join([*filter(None, (range_text(column, language) for language in LANGUAGES)), *at_most]),
        _heading(f"period_{column.period}"),
        _both_labels(column.stage) if column.stage else "",
        _mark(column.required) or (_heading("may_be_empty") if column.may_be_empty else ""),
        "、".join(column.aliases),
    )


def _choice_lists(table: Table) -> Iterable[str]:
    """Return the closed lists of a table, each value in both languages with its code name."""
    for column in table.columns:
        if column.choices:
            words = zip(
                column.choices, *(allowed_words(column, language) for language in LANGUAGES), strict=True
            )
            listed = "、".join(f"{zh} {en} `{name}`" for name, zh, en in words)
            yield f"- `{column.name}`: {listed}"


def _heading(name: str) -> str:
    return _both_labels(f"dictionary_{name}")


def _both_labels(name: str) -> str:
    return " ".join(label(name, language) for language in LANGUAGES)


def _mark(required: bool) -> str:
    return "✓" if required else ""


def _both(name: str, between: str = " ") -> str:
    return between.join(sentence(name, language) for language in LANGUAGES)


def _markdown_table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [tuple(map(_heading, headings)), ("---",) * len(headings), *rows]
    return "\n".join(f"| {' | '.join(_escaped(cell) for cell in line)} |" for line in lines)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _spaced(parts: list[str]) -> str:
    """Join the parts with empty lines, list items without."""
    text = ""
    for part, before in zip(parts, ["", *parts], strict=False):
        tight = part.startswith("- ") and before.startswith("- ")
        text += ("" if not text else "\n" if tight else "\n\n") + part
    return text + "\n"


if __name__ == "__main__":
    write_dictionary()
