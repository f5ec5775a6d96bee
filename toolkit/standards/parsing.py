"""From the top table of a standard file to a standard."""

from typing import get_args

from toolkit.standards.item_parsing import parse_item, parse_requirement, parse_target
from toolkit.standards.model import Standard
from toolkit.standards.reader import Section
from toolkit.standards.rule_parsing import (
    parse_coefficients,
    parse_indicator,
    parse_pass_rule,
    parse_scope,
    parse_special_case,
    parse_split,
)
from toolkit.standards.values import Kind, Mark, MarkStatus, Part

FIRST_YEAR, LAST_YEAR = 1986, 2100
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
        scope=parse_scope(top.section("scope")),
        split=parse_split(top.section("split")) if top.has("split") else None,
        pass_rule=parse_pass_rule(top.section("pass_rule")) if top.has("pass_rule") else None,
        coefficients=parse_coefficients(top.section("coefficients")) if top.has("coefficients") else None,
        near_limit=top.number("near_limit", 0, 0.1, 0.0),
        parts={part: int(count) for part, count in top.mapping("parts", get_args(Part), 0, 100).items()},
        indicators=tuple(parse_indicator(name, entry) for name, entry in top.entries("indicators")),
        exceptions=tuple(parse_special_case(name, entry) for name, entry in top.entries("exceptions")),
        items=tuple(parse_item(name, entry) for name, entry in top.entries("items")),
        targets=tuple(parse_target(name, entry) for name, entry in top.entries("targets")),
        unmeasured=tuple(parse_requirement(entry) for entry in top.tables("unmeasured")),
        process_rules=tuple(parse_requirement(entry) for entry in top.tables("process_rules")),
        marks={name: _mark(entry) for name, entry in top.entries("marks")},
        sources={name: top.section("sources").bilingual(name) for name, _ in top.entries("sources")},
        own_marks=top.words("own_marks"),
    )
    top.finish()
    return standard


def _mark(section: Section) -> Mark:
    mark = Mark(
        status=section.choice("status", get_args(MarkStatus)),
        doubt=section.bilingual("doubt", required=True),
    )
    section.finish()
    return mark
