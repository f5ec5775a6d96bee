"""How a yearly series is named and scaled for readers."""

from toolkit.standards import Standard, indicator_name
from toolkit.vocabulary import Language, label, sentence, unit_label

PERCENT = 100.0


def series_name(standard: Standard, code: str, entry: str, language: Language) -> str:
    """Return number and name of an indicator or item, with the subject it is entered for."""
    if code in {item.id for item in standard.items}:
        name = f"{code} {label(standard.item(code).name, language)}"
    else:
        name = indicator_name(standard, code, language)
    return sentence("series_of_entry", language, name=name, entry=label(entry, language)) if entry else name


def scale_of(standard: Standard, subject: str, code: str) -> float:
    """Return what a value is multiplied with for printing: 100 for shares."""
    if subject == "item_units":
        return PERCENT
    return PERCENT if subject == "item" and standard.item(code).unit == "percent" else 1.0


def unit_of_series(standard: Standard, subject: str, code: str, language: Language) -> str:
    """Return the printed unit of a series; empty where it has none."""
    if subject == "item_units":
        return label("percent", language)
    if subject == "item":
        return label(standard.item(code).unit, language)
    return unit_label(standard.indicator(code).name, language) if subject == "mean" else ""
