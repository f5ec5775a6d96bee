"""Resource indicators, and the rules by which schools count and pass. Shares lie in [0, 1]."""

from collections.abc import Mapping
from dataclasses import dataclass

from toolkit.standards.values import Alternatives, Component, Text


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
