"""From the tables of a standard file to its items and targets."""

from typing import get_args

from toolkit.standards.expressions import parse_alternatives, parse_doubts, parse_formula, parse_limits
from toolkit.standards.items import Item, Requirement, Target
from toolkit.standards.reader import Section
from toolkit.standards.values import Comparator, Part, StageScope, TargetKind, TestedOn

_DEADLINE = r"\d{4}(-\d{2}-\d{2})?|annual|none"


def parse_item(name: str, section: Section) -> Item:
    """Read one item, and note what an item with a number lacks."""
    unit = section.vocabulary("unit", "")
    from_evidence = section.flag("from_evidence", False)
    formulas = tuple(parse_formula(code, entry) for code, entry in section.entries("formulas"))
    names = tuple(formula.name for formula in formulas)
    item = Item(
        id=name,
        number=section.text("number", name),
        part=section.choice("part", get_args(Part)),
        name=section.vocabulary("name"),
        stage=section.choice("stage", get_args(StageScope), "both_stages"),
        tested_on=section.choice("tested_on", get_args(TestedOn), "county"),
        from_evidence=from_evidence,
        comparator=section.choice("comparator", get_args(Comparator), "=="),
        limits=parse_limits(section, unit),
        unit=unit,
        formula=section.choice("formula", names, names[0]) if names else "",
        formulas=formulas,
        entries=section.words("entries"),
        applies_to=parse_alternatives(section, "applies_to"),
        room_bands=section.mapping("room_bands", (), 0, 1000),
        note=section.bilingual("note"),
        **parse_doubts(section),
    )
    if not from_evidence and not item.limits:
        section.report("standard_missing_key", "limits")
    if not from_evidence and not formulas:
        section.report("standard_missing_key", "formulas")
    section.finish()
    return item


def parse_target(name: str, section: Section) -> Target:
    """Read one target, which must be measured in exactly one way."""
    unit = section.vocabulary("unit")
    target = Target(
        id=name,
        name=section.bilingual("name", required=True),
        comparator=section.choice("comparator", get_args(Comparator)),
        limits=parse_limits(section, unit),
        unit=unit,
        stage=section.choice("stage", get_args(StageScope), "both_stages"),
        tested_on=section.choice("tested_on", get_args(TestedOn), "county"),
        deadline=section.date("deadline", _DEADLINE, "2025, 2025-12-31, annual, none", "none"),
        kind=section.choice("kind", get_args(TargetKind), "target"),
        reference=section.text("reference", ""),
        formula=(parse_formula("", section.section("formula")),) if section.has("formula") else (),
        applies_to=parse_alternatives(section, "applies_to"),
        needs=section.bilingual("needs"),
        note=section.bilingual("note"),
        quotation=section.text("quotation", ""),
        marks=section.words("marks"),
    )
    ways = [bool(target.reference), bool(target.formula), bool(target.needs.zh)]
    if sum(ways) != 1:
        section.report("standard_target_measure", "")
    if not target.limits or (target.comparator == "between" and len(target.limits) != 2):
        section.report("standard_missing_key", "limits")
    section.finish()
    return target


def parse_requirement(section: Section) -> Requirement:
    """Read a demand without a number."""
    requirement = Requirement(section.bilingual("text", required=True), section.text("quotation", ""))
    section.finish()
    return requirement
