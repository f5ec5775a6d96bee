"""From the tables of a standard file to columns, conditions and formulas."""

import re
from typing import Any

from toolkit.standards.reader import Section
from toolkit.standards.values import Alternatives, Component, Condition, Formula, Value

COMPARISONS = (">=", ">", "<=", "<", "==")
LARGEST_VALUE = 1e12
_COMPONENT = re.compile(r"(?P<sign>[+-]?)(?:(?P<table>[a-z][a-z0-9_]*)\.)?(?P<column>[a-z][a-z0-9_]*)")


def parse_formula(name: str, section: Section) -> Formula:
    """Read how an item or a target is computed."""
    formula = Formula(
        name=name,
        numerator_name=section.vocabulary("numerator_name", ""),
        denominator_name=section.vocabulary("denominator_name", ""),
        numerator=parse_components(section, "numerator", required=True),
        denominator=parse_components(section, "denominator"),
        numerator_when=parse_alternatives(section, "numerator_when"),
        denominator_step=section.number("denominator_step", 0, 1000, 0.0),
    )
    section.finish()
    return formula


def parse_components(section: Section, key: str, required: bool = False) -> tuple[Component, ...]:
    """Read columns such as "teaching_area", "-indoor_sports_area", "classes.class_size"."""
    words = section.words(key)
    if required and not section.has(key):
        section.report("standard_missing_key", key)
    components = []
    for word in words:
        match = _COMPONENT.fullmatch(word)
        if match is None:
            section.report("standard_bad_column", key, found=word)
            continue
        sign = -1 if match["sign"] == "-" else 1
        components.append(Component(match["column"], sign, match["table"] or "school_years"))
    return tuple(components)


def parse_alternatives(section: Section, key: str) -> Alternatives:
    """Read a list of lists of conditions."""
    if not section.has(key):
        return ()
    lists = section.table[key]
    if not isinstance(lists, list) or not all(isinstance(entry, list) for entry in lists):
        section.report("standard_wrong_type", key, expected="[[{ … }]]", found=lists)
        return ()
    alternatives = []
    for conditions in lists:
        wrapped = Section({key: conditions}, section.file, section.path, section.problems)
        alternatives.append(tuple(_condition(entry) for entry in wrapped.tables(key)))
    return tuple(alternatives)


def parse_limits(section: Section, unit: str) -> tuple[float, ...]:
    """Read the limits of an item or target; those in percent are shares."""
    return section.numbers("limits", 0, 1 if unit == "percent" else LARGEST_VALUE)


def parse_doubts(section: Section) -> dict[str, tuple[str, ...]]:
    """Read the codes of the marks and sources of an entry."""
    return {"marks": section.words("marks"), "sources": section.words("sources")}


def _condition(section: Section) -> Condition:
    condition = Condition(
        numerator=parse_components(section, "numerator", required=True),
        denominator=parse_components(section, "denominator"),
        comparator=section.choice("comparator", COMPARISONS, "=="),
        against=_against(section),
    )
    section.finish()
    return condition


def _against(section: Section) -> tuple[Value, ...]:
    if not section.has("against"):
        section.report("standard_missing_key", "against")
        return ()
    against: Any = section.table["against"]
    return tuple(against) if isinstance(against, list) else (against,)
