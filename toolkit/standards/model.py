"""What a standard or a local plan is made of. Shares lie in [0, 1]."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from toolkit.standards.values import (
    Alternatives,
    Comparator,
    Component,
    Formula,
    Kind,
    Mark,
    Part,
    StageScope,
    TargetKind,
    TestedOn,
    Text,
)


@dataclass(frozen=True, slots=True)
class Indicator:
    """A resource indicator: a stock per student or per 100 students, by school and stage.

    Attributes
    ----------
    id : str
        Number in the standard, such as "R1".
    name : str
        Vocabulary code.
    numerator : tuple of Component
        Stems of the columns that add up to the stock.
    shared : bool
        True for a whole-school stock, which is split between the stages of a combined school;
        False where each stage has its own column (`<stem>_primary`, `<stem>_junior`).
    per : int
        1 or 100 students.
    minimum : Mapping of Stage to float
        Least value by stage; empty when the standard sets none.
    note : Text
        How the numerator is counted.
    marks, sources : tuple of str
        Codes in `Standard.marks` and `Standard.sources`.
    """

    id: str
    name: str
    numerator: tuple[Component, ...]
    shared: bool
    per: int
    minimum: Mapping[str, float]
    note: Text
    marks: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpecialCase:
    """A rule that treats some schools differently, and that can be switched off.

    Where several cases replace a limit of one school, the most favourable one holds.

    Attributes
    ----------
    id : str
        Code name.
    name : Text
        What the rule is about.
    enabled : bool
        Whether the rule is applied.
    applies_to : tuple of str
        Indicators and items it changes.
    when : Alternatives
        Conditions on the school.
    adds : tuple of Component
        What is added to the numerator of the indicators.
    limits : Mapping of str to float
        Limit that replaces the one of each item.
    """

    id: str
    name: Text
    enabled: bool
    applies_to: tuple[str, ...]
    when: Alternatives
    adds: tuple[Component, ...]
    limits: Mapping[str, float]
    marks: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a part of the standard that is not a resource indicator.

    Attributes
    ----------
    id : str
        Number with a letter for sub-items, such as "G11a".
    number : str
        Number of the item in the standard, such as "G11"; all sub-items must be met.
    part : Part
        Part of the standard.
    name : str
        Vocabulary code.
    stage : StageScope
        Stages the item speaks of.
    tested_on : TestedOn
        Unit on which the comparison is made.
    from_evidence : bool
        True when the item has no number and takes an entered verdict.
    comparator : Comparator
        Comparison with `limits`.
    limits : tuple of float
        One value, or the lowest and the highest; empty for items judged from evidence.
    unit : str
        Vocabulary code of the printed unit; limits of unit "percent" are shares.
    formula : str
        Name of the formula in use.
    formulas : tuple of Formula
        Formulas known for the item.
    entries : tuple of str
        Subjects or respondents for which the item is entered separately.
    applies_to : Alternatives
        Rows that the item covers.
    room_bands : Mapping of str to float
        For room items: column of each band and the area from which it starts, in m2. A room
        counts when its band starts at or above the limit; as many rooms are needed as the
        denominator of the formula says.
    """

    id: str
    number: str
    part: Part
    name: str
    stage: StageScope
    tested_on: TestedOn
    from_evidence: bool
    comparator: Comparator
    limits: tuple[float, ...]
    unit: str
    formula: str
    formulas: tuple[Formula, ...]
    entries: tuple[str, ...]
    applies_to: Alternatives
    room_bands: Mapping[str, float]
    note: Text
    marks: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """One number of a local plan.

    A target has a `reference`, or a `formula`, or says in `needs` which data are absent.

    Attributes
    ----------
    id : str
        Number within the plan, such as "MZ-01".
    name : Text
        What is measured.
    comparator : Comparator
        Comparison with `limits`.
    limits : tuple of float
        One value, or the lowest and the highest; shares when the unit is "percent".
    unit : str
        Vocabulary code of the printed unit.
    stage, tested_on : StageScope, TestedOn
        What the number speaks of, and the unit it is tested on.
    deadline : str
        "2025" (end of that year), "2021-12-31", "annual" or "none".
    kind : TargetKind
        Commitment, standing rule, reported fact, input or programme.
    reference : str
        Indicator or item of the base standard that measures it.
    formula : tuple of Formula
        One formula, or none.
    applies_to : Alternatives
        Rows that the target covers.
    needs : Text
        Data that the contract does not hold. The value may be entered under the id in 县域保障.
    quotation : str
        Words of the plan.
    """

    id: str
    name: Text
    comparator: Comparator
    limits: tuple[float, ...]
    unit: str
    stage: StageScope
    tested_on: TestedOn
    deadline: str
    kind: TargetKind
    reference: str
    formula: tuple[Formula, ...]
    applies_to: Alternatives
    needs: Text
    note: Text
    quotation: str
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Requirement:
    """A demand of a plan without a number, or a process rule, with the words of the plan if quoted."""

    text: Text
    quotation: str


@dataclass(frozen=True, slots=True)
class Scope:
    """Which schools count.

    Attributes
    ----------
    excluded_types : tuple of str
        School types left out.
    minimum_enrolment_by_type : Mapping of str to float
        Least enrolment for a school of that type to count.
    ownership : tuple of str
        Forms of ownership that count.
    excludes_directly_administered : bool
        Whether schools run by the province or city are left out.
    """

    excluded_types: tuple[str, ...]
    minimum_enrolment_by_type: Mapping[str, float]
    ownership: tuple[str, ...]
    excludes_directly_administered: bool
    marks: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """Weights of a student of each stage when a whole-school stock is split.

    A stage receives weight × students of the stage ÷ sum over the school's stages.
    """

    primary: float
    junior: float
    senior_in_complete_secondary_school: float
    senior_in_twelve_year_school: float
    marks: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PassRule:
    """When a school passes: enough indicators met, and the others at least at the floor.

    Attributes
    ----------
    minimum_met : int
        Number of indicators that must reach their minimum.
    floor_ratio : float
        Least ratio of value to minimum for the indicators that do not.
    """

    minimum_met: int
    floor_ratio: float
    marks: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CoefficientRule:
    """Greatest coefficient of variation by stage, of each indicator or of their mean (`composite`)."""

    maximum: Mapping[str, float]
    composite: bool
    marks: tuple[str, ...]
    sources: tuple[str, ...]


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
