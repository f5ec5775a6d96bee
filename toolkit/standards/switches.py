"""Rules of a standard as a user switches them: special cases on or off, and the formula of an item."""

import re
from collections.abc import Mapping
from typing import Any, get_args

from toolkit.errors import ParameterError
from toolkit.standards.items import Item
from toolkit.standards.model import Standard
from toolkit.standards.rules import SpecialCase
from toolkit.vocabulary import Language, label, sentence

SWITCHES = ("off", "on")
_BETWEEN = re.compile(r"[,，;；、\n]")
_EQUALS = re.compile(r"[=＝]")


def parse_rules(text: str) -> dict[str, str]:
    """Return what a user chose for each rule: ``"visiting_teachers=off, Q1=retention_with_transfers"``.

    Names and choices are told apart by the standard, not here; half-width and full-width signs will do.

    Raises
    ------
    ParameterError
        If an entry is not of the form rule=choice, or a rule is chosen in two ways.
    """
    chosen: dict[str, str] = {}
    for entry in filter(None, (part.strip() for part in _BETWEEN.split(text))):
        name, *choice = (part.strip() for part in _EQUALS.split(entry))
        if len(choice) != 1 or not name or not choice[0]:
            raise ParameterError("rules_not_understood", found=entry)
        if chosen.get(name, choice[0]) != choice[0]:
            raise ParameterError("rules_twice", rule=name, first=chosen[name], second=choice[0])
        chosen[name] = choice[0]
    return chosen


def switched_content(standard: Standard, rules: str) -> dict[str, Any]:
    """Return the tables that change a standard as its rules are chosen, to be merged into its content.

    Raises
    ------
    ParameterError
        If the standard has no such rule, or the rule no such choice; the message lists what there is.
    """
    change: dict[str, Any] = {}
    for name, choice in parse_rules(rules).items():
        rule, chosen = _found(standard, name, choice)
        if isinstance(rule, SpecialCase):
            change.setdefault("exceptions", {})[rule.id] = {"enabled": chosen == "on"}
        else:
            change.setdefault("items", {})[rule.id] = {"formula": chosen}
    return change


def describe_switches(standard: Standard, rules: str, language: Language) -> tuple[tuple[str, str], ...]:
    """Return rule and choice, in words, of every rule that was chosen; for the table of parameters."""
    rows = []
    for name, choice in sorted(parse_rules(rules).items()):
        rule, chosen = _found(standard, name, choice)
        if isinstance(rule, SpecialCase):
            rows.append((getattr(rule.name, language), label(f"switch_{chosen}", language)))
        else:
            formula = next(formula for formula in rule.formulas if formula.name == chosen)
            rows.append((_item_name(rule, language), _fraction(formula, language)))
    return tuple(rows)


def without_rules_of(change: Mapping[str, Any], reading: Mapping[str, Any]) -> dict[str, Any]:
    """Return the switched rules that a reading of the standard does not speak of."""
    return {
        table: {name: entry for name, entry in entries.items() if name not in reading.get(table, {})}
        for table, entries in change.items()
    }


def _found(standard: Standard, name: str, choice: str) -> tuple[SpecialCase | Item, str]:
    """Return the rule that is meant, and the choice by its code name."""
    known = _rules(standard)
    rule = known.get(name.casefold())
    if rule is None:
        raise ParameterError("rules_unknown", rule=name, standard=standard.id, known=_listed(known))
    choices = SWITCHES if isinstance(rule, SpecialCase) else tuple(formula.name for formula in rule.formulas)
    meant = _code(choice, choices)
    if meant not in choices:
        raise ParameterError("rules_unknown_choice", rule=rule.id, found=choice, choices=", ".join(choices))
    return rule, meant


def _code(choice: str, choices: tuple[str, ...]) -> str:
    """Return a choice by its code name, if it was given in other letters or as a word for on or off."""
    words = {
        label(f"switch_word_{name}", language): name for name in SWITCHES for language in get_args(Language)
    }
    spelled = {name.casefold(): name for name in choices}
    return spelled.get(choice.casefold(), words.get(choice, choice))


def _rules(standard: Standard) -> dict[str, SpecialCase | Item]:
    """Return what can be switched: the special cases, and the items with more than one known formula."""
    items = [item for item in standard.items if len(item.formulas) > 1]
    return {rule.id.casefold(): rule for rule in (*standard.exceptions, *items)}


def _listed(rules: Mapping[str, SpecialCase | Item]) -> str:
    """Return the rules with their choices, as one types them."""
    choices = {
        rule.id: SWITCHES if isinstance(rule, SpecialCase) else [formula.name for formula in rule.formulas]
        for rule in rules.values()
    }
    return ", ".join(f"{name}={'|'.join(names)}" for name, names in choices.items()) or "–"


def _item_name(item: Item, language: Language) -> str:
    return f"{item.id} {label(item.name, language)}"


def _fraction(formula: Any, language: Language) -> str:
    """Return a formula in words: its name, and what is divided by what."""
    name = label(formula.name, language)
    if not formula.denominator_name:
        return name
    return sentence(
        "switch_formula",
        language,
        name=name,
        numerator=label(formula.numerator_name, language),
        denominator=label(formula.denominator_name, language),
    )
