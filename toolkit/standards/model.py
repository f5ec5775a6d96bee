"""What a standard or a local plan is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from toolkit.standards.items import Item, Requirement, Target
from toolkit.standards.rules import CoefficientRule, Indicator, PassRule, Scope, SpecialCase, Split
from toolkit.standards.values import Kind, Mark, Text


@dataclass(frozen=True, slots=True)
class Standard:
    """A standard or a local plan, read from one file and checked.

    Attributes
    ----------
    id : str
        Code name, or name of the user's own file.
    kind : Kind
        National standard, local plan, or a user's own.
    title : Text
        Title of the document.
    document : str
        Its number, empty when it has none or none is known.
    issued : str
        Date of issue (ISO), empty when not known.
    valid_from, valid_to : int or None
        First and last year the document speaks of.
    base : str
        Standard whose indicators and items a plan refers to.
    related_documents : tuple of str
        Documents that it cites.
    split, pass_rule, coefficients : Split, PassRule, CoefficientRule or None
        None where the document has no such rule.
    near_limit : float
        Distance from a limit below which a value is flagged 临界.
    parts : Mapping of str to int
        Number of items that each part of the standard has.
    exceptions : tuple of SpecialCase
        Special cases.
    unmeasured, process_rules : tuple of Requirement
        Demands without a number; rules about how the work is done.
    marks, sources : Mapping
        Doubts, and citations, by code.
    own_marks : tuple of str
        Doubts about the document as a whole.
    """

    id: str
    kind: Kind
    title: Text
    document: str
    issued: str
    valid_from: int | None
    valid_to: int | None
    base: str
    related_documents: tuple[str, ...]
    scope: Scope
    split: Split | None
    pass_rule: PassRule | None
    coefficients: CoefficientRule | None
    near_limit: float
    parts: Mapping[str, int]
    indicators: tuple[Indicator, ...]
    exceptions: tuple[SpecialCase, ...]
    items: tuple[Item, ...]
    targets: tuple[Target, ...]
    unmeasured: tuple[Requirement, ...]
    process_rules: tuple[Requirement, ...]
    marks: Mapping[str, Mark]
    sources: Mapping[str, Text]
    own_marks: tuple[str, ...]

    @property
    def coefficient_limits(self) -> Mapping[str, float]:
        """Greatest coefficient of variation by stage, empty when there is no such rule."""
        return self.coefficients.maximum if self.coefficients else {}

    @property
    def composite(self) -> bool:
        """Whether the limit holds for the mean of the coefficients."""
        return self.coefficients is not None and self.coefficients.composite

    def indicator(self, indicator_id: str) -> Indicator:
        """Return one indicator by its number."""
        return _by_id(self.indicators, indicator_id)

    def item(self, item_id: str) -> Item:
        """Return one item by its number."""
        return _by_id(self.items, item_id)

    def exception(self, exception_id: str) -> SpecialCase:
        """Return one special case by its code name."""
        return _by_id(self.exceptions, exception_id)

    def target(self, target_id: str) -> Target:
        """Return one target by its number."""
        return _by_id(self.targets, target_id)

    def floor(self, indicator: Indicator) -> Mapping[str, float]:
        """Return the least value of an indicator that may miss its minimum, by stage."""
        if self.pass_rule is None:
            return {}
        # Products such as 0.85 * 4.2 carry binary dust that would decide exact ties.
        return {
            stage: round(self.pass_rule.floor_ratio * least, 12) for stage, least in indicator.minimum.items()
        }


Entry = TypeVar("Entry", Indicator, Item, SpecialCase, Target)


def _by_id(entries: tuple[Entry, ...], entry_id: str) -> Entry:
    for entry in entries:
        if entry.id == entry_id:
            return entry
    raise KeyError(f"no entry {entry_id!r}; there are: {', '.join(entry.id for entry in entries)}")
