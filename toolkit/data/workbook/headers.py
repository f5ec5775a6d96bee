"""What stands above a column of the template: header, note, colour block and permitted entries."""

from toolkit.data.schema import Column, Table, school_years
from toolkit.vocabulary import Language, format_number, label, sentence, unit_label

BLOCK_COLOURS = {
    "template_block_identity": "#D9D9D9",
    "template_block_students": "#DDEBF7",
    "template_block_classes": "#E4DFEC",
    "template_block_teachers": "#E2EFDA",
    "template_block_premises": "#FFF2CC",
    "template_block_equipment": "#FCE4D6",
    "template_block_funds": "#EDEDED",
    "template_block_retention": "#DAEEF3",
    "template_block_other": "#F2F2F2",
}

_SCHOOL_YEAR_BLOCKS = {
    column.name: block
    for block, columns in (
        ("template_block_students", school_years.STUDENTS),
        ("template_block_classes", school_years.CLASSES),
        ("template_block_teachers", school_years.TEACHERS),
        ("template_block_premises", school_years.PREMISES),
        ("template_block_equipment", school_years.EQUIPMENT),
        ("template_block_funds", school_years.FUNDS),
        ("template_block_retention", school_years.RETENTION),
    )
    for column in columns
}
_IDENTITY_KINDS = ("code", "year")
_BRACKETS = {"zh": "（{}）", "en": " ({})"}
_SEPARATORS = {"zh": "、", "en": ", "}
_REQUIRED_MARK = "*"


def sheet_name(table: Table, language: Language) -> str:
    """Return the name of a table's sheet."""
    return label(f"table_{table.name}", language)


def header_text(column: Column, language: Language) -> str:
    """Return the header of a column: label, unit in brackets, and a star where it must be filled."""
    unit = unit_label(column.name, language)
    bracket = _BRACKETS[language].format(unit) if unit else ""
    return f"{label(column.name, language)}{bracket}{_REQUIRED_MARK if column.required else ''}"


def block_of(table: Table, column: Column) -> str:
    """Return the colour block of a column, a code name of the vocabulary."""
    if table.name == "school_years" and column.name in _SCHOOL_YEAR_BLOCKS:
        return _SCHOOL_YEAR_BLOCKS[column.name]
    is_identity = column.kind in _IDENTITY_KINDS or column.name in table.key or column.name.endswith("_name")
    return "template_block_identity" if is_identity else "template_block_other"


def allowed_words(column: Column, language: Language) -> tuple[str, ...]:
    """Return the entries of a closed list, empty where any value may be entered."""
    names = ("yes", "no") if column.kind == "boolean" else column.choices
    return tuple(label(name, language) for name in names)


def range_text(column: Column, language: Language) -> str:
    """Say in which range values must lie, in the unit of the header; empty where there is none."""
    low, high = entry_range(column)
    if low is None and high is None:
        return ""
    if high is None:
        return sentence("template_column_at_least", language, low=_plain(low))
    if low is None:
        return sentence("template_column_up_to", language, high=_plain(high))
    return sentence("template_column_between", language, low=_plain(low), high=_plain(high))


def entry_range(column: Column) -> tuple[float | None, float | None]:
    """Return the range of a column as it is entered: shares are entered in percent."""
    scale = 100 if column.kind == "share" else 1
    low = None if column.minimum is None else column.minimum * scale
    high = None if column.maximum is None else column.maximum * scale
    return low, high


def column_note(column: Column, language: Language) -> str:
    """Return everything a person filling in the column must know, one fact a line."""
    facts = [
        sentence("template_column_required" if column.required else "template_column_optional", language),
        label(f"template_kind_{column.kind}", language),
        label(f"template_period_{column.period}", language),
    ]
    limits = range_text(column, language)
    if limits:
        facts.append(sentence("template_column_range", language, limits=limits))
    unit = unit_label(column.name, language)
    if unit:
        facts.insert(1, sentence("template_column_unit", language, unit=unit))
    if column.choices:
        words = _SEPARATORS[language].join(allowed_words(column, language))
        facts.append(sentence("template_column_choices", language, words=words))
    if column.at_most:
        facts.append(sentence("template_column_at_most", language, other=label(column.at_most, language)))
    if column.names_school_in:
        facts.append(
            sentence(
                "template_column_name_stands_in", language, beside=label(column.names_school_in, language)
            )
        )
    return "\n".join(facts)


def _plain(value: float | None) -> str:
    return format_number(value, 0 if value is None or float(value).is_integer() else 2)
