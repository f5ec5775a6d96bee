"""Checks that need a whole standard: codes that must exist, rules that must fit together."""

from collections.abc import Collection, Iterator, Mapping

from toolkit.errors import InputError
from toolkit.standards.model import Standard
from toolkit.standards.reader import StandardError
from toolkit.standards.values import Alternatives, Component, Formula

STAGE_SUFFIXES = ("_primary", "_junior")


def check_references(standard: Standard, file: str, base: Standard | None) -> list[InputError]:
    """Return the problems of codes that point nowhere and of rules that contradict each other.

    Parameters
    ----------
    standard : Standard
        The standard as read.
    file : str
        Name of its file, for the messages.
    base : Standard or None
        Standard its targets refer to.
    """
    problems = []
    for key, found, known in _references(standard, base):
        if found not in known:
            problems.append(
                InputError(
                    "standard_unknown_choice",
                    file=file,
                    key=key,
                    found=found,
                    choices=", ".join(known) or "–",
                )
            )
    rule, count = standard.pass_rule, len(standard.indicators)
    if rule is not None and rule.minimum_met > count:
        problems.append(
            InputError("standard_more_than_indicators", file=file, found=rule.minimum_met, count=count)
        )
    if standard.split is None and any(indicator.shared for indicator in standard.indicators):
        problems.append(InputError("standard_missing_key", file=file, key="split"))
    for part, expected in standard.parts.items():
        found = len({item.number for item in standard.items if item.part == part})
        if found != expected:
            problems.append(
                InputError("standard_part_count", file=file, part=part, expected=f"{expected:g}", found=found)
            )
    return problems


def referenced_columns(standard: Standard) -> set[str]:
    """Return every column that a standard reads, as `table.column`.

    An indicator that is not shared reads the column of each stage.
    """
    columns: set[str] = set()
    for indicator in standard.indicators:
        suffixes = ("",) if indicator.shared else STAGE_SUFFIXES
        columns |= {name + suffix for name in _names(indicator.numerator) for suffix in suffixes}
    for case in standard.exceptions:
        columns |= _condition_names(case.when)
        for indicator in standard.indicators:
            if indicator.id in case.applies_to:
                suffixes = ("",) if indicator.shared else STAGE_SUFFIXES
                columns |= {name + suffix for name in _names(case.adds) for suffix in suffixes}
    for item in standard.items:
        columns |= _condition_names(item.applies_to)
        columns |= {f"school_years.{column}" for column in item.room_bands}
    for target in standard.targets:
        columns |= _condition_names(target.applies_to)
    for formula in _formulas(standard):
        columns |= _names(formula.numerator) | _names(formula.denominator)
        columns |= _condition_names(formula.numerator_when)
    return columns


def check_columns(standard: Standard, tables: Mapping[str, Collection[str]]) -> None:
    """Refuse a standard that reads a column which the data do not have.

    Parameters
    ----------
    standard : Standard
        The standard as loaded.
    tables : Mapping of str to collection of str
        Columns of each table of the data contract.

    Raises
    ------
    StandardError
        One problem for each unknown column.
    """
    problems = []
    for address in sorted(referenced_columns(standard)):
        table, column = address.split(".")
        if column not in tables.get(table, ()):
            problems.append(InputError("standard_unknown_column", file=standard.id, found=address))
    if problems:
        raise StandardError(problems)


def _references(standard: Standard, base: Standard | None) -> Iterator[tuple[str, str, Collection[str]]]:
    """Yield the address of each code, the code, and the codes there are."""
    own = [entry.id for entry in (*standard.indicators, *standard.items)]
    marked = {
        "scope": standard.scope,
        "split": standard.split,
        "pass_rule": standard.pass_rule,
        "coefficients": standard.coefficients,
        **{f"indicators.{indicator.id}": indicator for indicator in standard.indicators},
        **{f"exceptions.{case.id}": case for case in standard.exceptions},
        **{f"items.{item.id}": item for item in standard.items},
        **{f"targets.{target.id}": target for target in standard.targets},
    }
    for address, entry in marked.items():
        for mark in entry.marks if entry else ():
            yield f"{address}.marks", mark, standard.marks
        for source in getattr(entry, "sources", ()):
            yield f"{address}.sources", source, standard.sources
    for mark in standard.own_marks:
        yield "own_marks", mark, standard.marks
    for case in standard.exceptions:
        for entry_id in (*case.applies_to, *case.limits):
            yield f"exceptions.{case.id}.applies_to", entry_id, own
    measured = [*own, *(entry.id for entry in (*base.indicators, *base.items))] if base else own
    for target in standard.targets:
        if target.reference:
            yield f"targets.{target.id}.reference", target.reference, measured


def _formulas(standard: Standard) -> Iterator[Formula]:
    for item in standard.items:
        yield from item.formulas
    for target in standard.targets:
        yield from target.formula


def _names(components: tuple[Component, ...]) -> set[str]:
    return {f"{component.table}.{component.column}" for component in components}


def _condition_names(alternatives: Alternatives) -> set[str]:
    names: set[str] = set()
    for conditions in alternatives:
        for condition in conditions:
            names |= _names(condition.numerator) | _names(condition.denominator)
    return names
