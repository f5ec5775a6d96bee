"""How results of items are put into words."""

import math

from toolkit.standards import Formula, Item, Standard, format_requirement
from toolkit.standards.describe import RANK, UNITS_NOT_PRINTED
from toolkit.tables.exhibit import PERCENT
from toolkit.variation.items import Row
from toolkit.vocabulary import Language, format_number, label, sentence

SHARE_DECIMALS = 2
RATIO_DECIMALS = 3
ENTERED_COLUMNS = ("item_numerator", "item_denominator", "item_value")


def quantity_text(item: Item, value: float, language: Language) -> str:
    """Return a value in the unit of an item: 10.41%, 6,000 yuan, 0.137."""
    if math.isinf(value):
        return format_number(value, 0)
    if item.unit == "percent":
        return f"{format_number(PERCENT * value, SHARE_DECIMALS)}%"
    if item.unit in UNITS_NOT_PRINTED:
        return format_number(value, RATIO_DECIMALS)
    decimals = 0 if value == round(value) else SHARE_DECIMALS
    if item.unit == RANK:
        return sentence("quantity_rank", language, value=format_number(value, decimals))
    return sentence(
        "item_quantity", language, value=format_number(value, decimals), unit=label(item.unit, language)
    )


def result_text(item: Item, row: Row, language: Language) -> str:
    """Return what was found for one item: a value, a range, how many units meet it, an entered verdict."""
    if item.from_evidence:
        entered = row["entered_verdict"]
        return sentence("item_result_not_entered", language) if not entered else label(entered, language)
    if item.tested_on in ("school", "class"):
        return _units_text(item, row, language)
    if item.entries and not math.isnan(row["n_pass"]):
        return _entries_text(item, row, language)
    return value_text(item, row, language)


def value_text(item: Item, row: Row, language: Language) -> str:
    """Return one value, or the range that missing cells leave."""
    if not math.isnan(row["value"]):
        return quantity_text(item, row["value"], language)
    if math.isnan(row["low"]) or math.isinf(row["high"]):
        return sentence("item_result_unknown", language)
    low, high = (quantity_text(item, row[name], language) for name in ("low", "high"))
    return sentence("item_result_between", language, low=low, high=high)


def requirement_text(item: Item, language: Language) -> str:
    """Return the limit of an item, or that it is judged from evidence."""
    return format_requirement(item, language)


def item_title(standard: Standard, item_id: str, language: Language) -> str:
    """Return number and name of an item."""
    return f"{item_id} {label(standard.item(item_id).name, language)}"


def formula_text(formula: Formula, language: Language) -> str:
    """Return a formula in the words of its columns: (a − b) ÷ c."""
    above = _sum_text(formula, formula.numerator_name, formula.numerator, language)
    if not formula.denominator:
        return above.removeprefix("(").removesuffix(")") if above.startswith("(") else above
    below = _sum_text(formula, formula.denominator_name, formula.denominator, language)
    return f"{above} ÷ {below}"


def _sum_text(formula: Formula, name: str, components: tuple, language: Language) -> str:
    entered = any(part.column in ENTERED_COLUMNS for part in components)
    if name and (entered or formula.denominator_step or len(components) == 1):
        return label(name, language)
    signs = {1: " + ", -1: " − "}
    words = "".join(f"{signs[part.sign]}{label(part.column, language)}" for part in components)
    words = words.removeprefix(signs[1]).strip()
    return words if len(components) == 1 else f"({words})"


def _units_text(item: Item, row: Row, language: Language) -> str:
    if row["n_units"] == 0:
        return sentence("item_result_nobody", language)
    text = sentence(
        f"item_result_{item.tested_on}",
        language,
        units=format_number(row["n_units"], 0),
        met=format_number(row["n_pass"], 0),
    )
    if row["n_undecided"]:
        text = sentence("item_result_open", language, result=text, count=format_number(row["n_undecided"], 0))
    return text


def _entries_text(item: Item, row: Row, language: Language) -> str:
    units = int(row["n_pass"] + row["n_fail"] + row["n_undecided"])
    counts = {"units": units, "met": int(row["n_pass"])}
    if row["n_undecided"]:
        return sentence("item_result_entries_open", language, count=int(row["n_undecided"]), **counts)
    return sentence(
        "item_result_entries", language, value=quantity_text(item, row["value"], language), **counts
    )
