"""From the tables of a standard file to the values of a standard."""

import re
from typing import Any, get_args

from toolkit.standards.model import (
    CoefficientRule,
    Indicator,
    Item,
    PassRule,
    Requirement,
    Scope,
    SpecialCase,
    Split,
    Standard,
    Target,
)
from toolkit.standards.reader import Section
from toolkit.standards.values import (
    Alternatives,
    Comparator,
    Component,
    Condition,
    Formula,
    Kind,
    Mark,
    MarkStatus,
    Part,
    Stage,
    StageScope,
    TargetKind,
    TestedOn,
    Value,
)

SCHOOL_TYPES = (
    "primary_school",
    "teaching_point",
    "junior_secondary_school",
    "nine_year_school",
    "twelve_year_school",
    "complete_secondary_school",
    "special_education_school",
)
OWNERSHIPS = ("public", "private")
STAGES = get_args(Stage)
COMPARISONS = (">=", ">", "<=", "<", "==")
LARGEST_VALUE = 1e12
FIRST_YEAR, LAST_YEAR = 1986, 2100
_COMPONENT = re.compile(r"(?P<sign>[+-]?)(?:(?P<table>[a-z][a-z0-9_]*)\.)?(?P<column>[a-z][a-z0-9_]*)")
_DEADLINE = r"\d{4}(-\d{2}-\d{2})?|annual|none"
_ISSUED = r"(\d{4}-\d{2}-\d{2})?"


def parse_standard(top: Section, default_id: str, kinds: tuple[Kind, ...]) -> Standard:
    """Return the standard held by the top table of a file; problems are noted in the section."""
    standard = Standard(
        id=top.text("id", default_id),
        kind=top.choice("kind", kinds, kinds[-1]),
        title=top.bilingual("title", required=True),
        document=top.text("document", ""),
        issued=top.date("issued", _ISSUED, "2018-08-31", ""),
        valid_from=top.year("valid_from", FIRST_YEAR, LAST_YEAR),
        valid_to=top.year("valid_to", FIRST_YEAR, LAST_YEAR),
        base=top.text("base", ""),
        related_documents=top.words("related_documents"),
        scope=_scope(top.section("scope")),
        split=_split(top.section("split")) if top.has("split") else None,
        pass_rule=_pass_rule(top.section("pass_rule")) if top.has("pass_rule") else None,
        coefficients=_coefficients(top.section("coefficients")) if top.has("coefficients") else None,
        near_limit=top.number("near_limit", 0, 0.1, 0.0),
        parts={part: int(count) for part, count in top.mapping("parts", get_args(Part), 0, 100).items()},
        indicators=tuple(_indicator(name, entry) for name, entry in top.entries("indicators")),
        exceptions=tuple(_special_case(name, entry) for name, entry in top.entries("exceptions")),
        items=tuple(_item(name, entry) for name, entry in top.entries("items")),
        targets=tuple(_target(name, entry) for name, entry in top.entries("targets")),
        unmeasured=tuple(_requirement(entry) for entry in top.tables("unmeasured")),
        process_rules=tuple(_requirement(entry) for entry in top.tables("process_rules")),
        marks={name: _mark(entry) for name, entry in top.entries("marks")},
        sources={name: top.section("sources").bilingual(name) for name, _ in top.entries("sources")},
        own_marks=top.words("own_marks"),
    )
    top.finish()
    return standard


def _scope(section: Section) -> Scope:
    scope = Scope(
        excluded_types=section.words("excluded_types", SCHOOL_TYPES),
        minimum_enrolment_by_type=section.mapping("minimum_enrolment_by_type", SCHOOL_TYPES, 0, 10_000),
        ownership=section.words("ownership", OWNERSHIPS, OWNERSHIPS),
        excludes_directly_administered=section.flag("excludes_directly_administered", False),
        **_doubts(section),
    )
    section.finish()
    return scope


def _split(section: Section) -> Split:
    split = Split(
        primary=section.number("primary", 0.1, 10),
        junior=section.number("junior", 0.1, 10),
        senior_in_complete_secondary_school=section.number("senior_in_complete_secondary_school", 0.1, 10),
        senior_in_twelve_year_school=section.number("senior_in_twelve_year_school", 0.1, 10),
        **_doubts(section),
    )
    section.finish()
    return split


def _pass_rule(section: Section) -> PassRule:
    rule = PassRule(
        minimum_met=section.whole_number("minimum_met", 1, 50),
        floor_ratio=section.number("floor_ratio", 0, 1),
        **_doubts(section),
    )
    section.finish()
    return rule


def _coefficients(section: Section) -> CoefficientRule:
    rule = CoefficientRule(
        maximum=section.mapping("maximum", STAGES, 0.01, 1),
        composite=section.flag("composite", False),
        **_doubts(section),
    )
    section.finish()
    return rule


def _indicator(name: str, section: Section) -> Indicator:
    per = section.number("per", 1, 100, 1)
    if per not in (1, 100):
        section.report("standard_unknown_choice", "per", found=per, choices="1, 100")
    indicator = Indicator(
        id=name,
        name=section.vocabulary("name"),
        numerator=_components(section, "numerator", required=True),
        shared=section.flag("shared", False),
        per=int(per),
        minimum=section.mapping("minimum", STAGES, 0, LARGEST_VALUE),
        note=section.bilingual("note"),
        **_doubts(section),
    )
    section.finish()
    return indicator


def _special_case(name: str, section: Section) -> SpecialCase:
    case = SpecialCase(
        id=name,
        name=section.bilingual("name", required=True),
        enabled=section.flag("enabled", True),
        applies_to=section.words("applies_to"),
        when=_alternatives(section, "when"),
        adds=_components(section, "adds"),
        limits=section.mapping("limits", (), 0, LARGEST_VALUE),
        **_doubts(section),
    )
    section.finish()
    return case


def _item(name: str, section: Section) -> Item:
    unit = section.vocabulary("unit", "")
    from_evidence = section.flag("from_evidence", False)
    formulas = tuple(_formula(code, entry) for code, entry in section.entries("formulas"))
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
        limits=_limits(section, unit),
        unit=unit,
        formula=section.choice("formula", names, names[0]) if names else "",
        formulas=formulas,
        entries=section.words("entries"),
        applies_to=_alternatives(section, "applies_to"),
        room_bands=section.mapping("room_bands", (), 0, 1000),
        note=section.bilingual("note"),
        **_doubts(section),
    )
    if not from_evidence and not item.limits:
        section.report("standard_missing_key", "limits")
    if not from_evidence and not formulas:
        section.report("standard_missing_key", "formulas")
    section.finish()
    return item


def _target(name: str, section: Section) -> Target:
    unit = section.vocabulary("unit")
    target = Target(
        id=name,
        name=section.bilingual("name", required=True),
        comparator=section.choice("comparator", get_args(Comparator)),
        limits=_limits(section, unit),
        unit=unit,
        stage=section.choice("stage", get_args(StageScope), "both_stages"),
        tested_on=section.choice("tested_on", get_args(TestedOn), "county"),
        deadline=section.date("deadline", _DEADLINE, "2025, 2025-12-31, annual, none", "none"),
        kind=section.choice("kind", get_args(TargetKind), "target"),
        reference=section.text("reference", ""),
        formula=(_formula("", section.section("formula")),) if section.has("formula") else (),
        applies_to=_alternatives(section, "applies_to"),
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


def _formula(name: str, section: Section) -> Formula:
    formula = Formula(
        name=name,
        numerator_name=section.vocabulary("numerator_name", ""),
        denominator_name=section.vocabulary("denominator_name", ""),
        numerator=_components(section, "numerator", required=True),
        denominator=_components(section, "denominator"),
        numerator_when=_alternatives(section, "numerator_when"),
        denominator_step=section.number("denominator_step", 0, 1000, 0.0),
    )
    section.finish()
    return formula


def _requirement(section: Section) -> Requirement:
    requirement = Requirement(section.bilingual("text", required=True), section.text("quotation", ""))
    section.finish()
    return requirement


def _mark(section: Section) -> Mark:
    mark = Mark(
        status=section.choice("status", get_args(MarkStatus)),
        doubt=section.bilingual("doubt", required=True),
    )
    section.finish()
    return mark


def _doubts(section: Section) -> dict[str, tuple[str, ...]]:
    return {"marks": section.words("marks"), "sources": section.words("sources")}


def _limits(section: Section, unit: str) -> tuple[float, ...]:
    """Read the limits of an item or target; those in percent are shares."""
    return section.numbers("limits", 0, 1 if unit == "percent" else LARGEST_VALUE)


def _components(section: Section, key: str, required: bool = False) -> tuple[Component, ...]:
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


def _alternatives(section: Section, key: str) -> Alternatives:
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


def _condition(section: Section) -> Condition:
    condition = Condition(
        numerator=_components(section, "numerator", required=True),
        denominator=_components(section, "denominator"),
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
