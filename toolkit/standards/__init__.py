"""Standards and local plans as data: indicators, thresholds, rules, targets and their doubts."""

from toolkit.standards.crosscheck import check_columns, referenced_columns
from toolkit.standards.describe import (
    describe_items,
    describe_marks,
    describe_standard,
    describe_targets,
    format_deadline,
    format_requirement,
    indicator_name,
)
from toolkit.standards.items import Item, Requirement, Target
from toolkit.standards.loading import available_standards, hash_standard, load_readings, load_standard
from toolkit.standards.model import Standard
from toolkit.standards.reader import StandardError
from toolkit.standards.rules import CoefficientRule, Indicator, PassRule, Scope, SpecialCase, Split
from toolkit.standards.switches import describe_switches, parse_rules
from toolkit.standards.values import Alternatives, Component, Condition, Formula, Mark, Text

__all__ = [
    "Alternatives",
    "CoefficientRule",
    "Component",
    "Condition",
    "Formula",
    "Indicator",
    "Item",
    "Mark",
    "PassRule",
    "Requirement",
    "Scope",
    "SpecialCase",
    "Split",
    "Standard",
    "StandardError",
    "Target",
    "Text",
    "available_standards",
    "check_columns",
    "describe_items",
    "describe_marks",
    "describe_standard",
    "describe_switches",
    "describe_targets",
    "format_deadline",
    "format_requirement",
    "hash_standard",
    "indicator_name",
    "load_readings",
    "load_standard",
    "parse_rules",
    "referenced_columns",
]
