"""From the tables of a standard file to its indicators and rules."""

from typing import get_args

from toolkit.standards.expressions import LARGEST_VALUE, parse_alternatives, parse_components, parse_doubts
from toolkit.standards.reader import Section
from toolkit.standards.rules import CoefficientRule, Indicator, PassRule, Scope, SpecialCase, Split
from toolkit.standards.values import Stage

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


def parse_scope(section: Section) -> Scope:
    """Read which schools count."""
    scope = Scope(
        excluded_types=section.words("excluded_types", SCHOOL_TYPES),
        minimum_enrolment_by_type=section.mapping("minimum_enrolment_by_type", SCHOOL_TYPES, 0, 10_000),
        ownership=section.words("ownership", OWNERSHIPS, OWNERSHIPS),
        excludes_directly_administered=section.flag("excludes_directly_administered", False),
        **parse_doubts(section),
    )
    section.finish()
    return scope


def parse_split(section: Section) -> Split:
    """Read the weights by which a whole-school stock is split."""
    split = Split(
        primary=section.number("primary", 0.1, 10),
        junior=section.number("junior", 0.1, 10),
        senior_in_complete_secondary_school=section.number("senior_in_complete_secondary_school", 0.1, 10),
        senior_in_twelve_year_school=section.number("senior_in_twelve_year_school", 0.1, 10),
        **parse_doubts(section),
    )
    section.finish()
    return split


def parse_pass_rule(section: Section) -> PassRule:
    """Read when a school passes."""
    rule = PassRule(
        minimum_met=section.whole_number("minimum_met", 1, 50),
        floor_ratio=section.number("floor_ratio", 0, 1),
        **parse_doubts(section),
    )
    section.finish()
    return rule


def parse_coefficients(section: Section) -> CoefficientRule:
    """Read the limits of the coefficients of variation."""
    rule = CoefficientRule(
        maximum=section.mapping("maximum", STAGES, 0.01, 1),
        composite=section.flag("composite", False),
        **parse_doubts(section),
    )
    section.finish()
    return rule


def parse_indicator(name: str, section: Section) -> Indicator:
    """Read one resource indicator."""
    per = section.number("per", 1, 100, 1)
    if per not in (1, 100):
        section.report("standard_unknown_choice", "per", found=per, choices="1, 100")
    indicator = Indicator(
        id=name,
        name=section.vocabulary("name"),
        numerator=parse_components(section, "numerator", required=True),
        shared=section.flag("shared", False),
        per=int(per),
        minimum=section.mapping("minimum", STAGES, 0, LARGEST_VALUE),
        note=section.bilingual("note"),
        **parse_doubts(section),
    )
    section.finish()
    return indicator


def parse_special_case(name: str, section: Section) -> SpecialCase:
    """Read one special case."""
    case = SpecialCase(
        id=name,
        name=section.bilingual("name", required=True),
        enabled=section.flag("enabled", True),
        applies_to=section.words("applies_to"),
        when=parse_alternatives(section, "when"),
        adds=parse_components(section, "adds"),
        limits=section.mapping("limits", (), 0, LARGEST_VALUE),
        **parse_doubts(section),
    )
    section.finish()
    return case
