"""Texts, doubts, conditions and formulas, from which standards and plans are built."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["national", "local", "own"]
Stage = Literal["primary", "junior"]
StageScope = Literal[
    "primary", "junior", "both_stages", "combined_schools", "special_education", "senior", "all_stages"
]
"""Stages a rule speaks of; `combined_schools` is the compulsory part of 九年/十二年一贯制 schools."""

TestedOn = Literal["class", "school", "town", "county", "city", "teacher", "student", "project"]
Comparator = Literal[">=", ">", "<=", "<", "==", "between", "nondecreasing", "report"]
"""`nondecreasing`: change from the year before, at least the value; `report`: a fact, no test."""

Part = Literal["government", "quality", "social", "prerequisite", "veto"]
TargetKind = Literal["target", "norm", "baseline", "input", "programme"]
MarkStatus = Literal["secondary_source", "single_source", "conflicting", "inferred", "memory", "as_printed"]
Value = float | str | bool


@dataclass(frozen=True, slots=True)
class Text:
    """A text in Chinese and in English, both empty when there is none."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A doubt about a rule, printed beside every verdict the rule can change.

    Attributes
    ----------
    status : MarkStatus
        What the rule rests on.
    doubt : Text
        What is not certain.
    """

    status: MarkStatus
    doubt: Text


@dataclass(frozen=True, slots=True)
class Component:
    """One column of a sum, added or subtracted.

    Attributes
    ----------
    column : str
        Column of `table`; in an indicator that is not `shared`, without its stage suffix.
        A column of codes or text counts its distinct values.
    sign : int
        +1 or -1.
    table : str
        Table of the data contract.
    """

    column: str
    sign: int
    table: str = "school_years"


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison that rows must meet: sum of `numerator` over sum of `denominator`, compared.

    An empty `denominator` compares the sum itself. `==` against several values means one of them.
    """

    numerator: tuple[Component, ...]
    denominator: tuple[Component, ...]
    comparator: Comparator
    against: tuple[Value, ...]


Alternatives = tuple[tuple[Condition, ...], ...]
"""Met when every condition of one of the alternatives is met; empty means always met."""


@dataclass(frozen=True, slots=True)
class Formula:
    """How an item or a target is computed from the data.

    Attributes
    ----------
    name : str
        Vocabulary code of the quantity.
    numerator_name, denominator_name : str
        Vocabulary codes of what is counted, and out of what.
    numerator, denominator : tuple of Component
        Columns summed over the rows; an empty denominator leaves the sum itself.
    numerator_when : Alternatives
        Rows that enter the numerator, where these are fewer than those of the denominator.
    denominator_step : float
        Above 0, the denominator is counted in units of this size, rounded up (one room per
        12 classes); 0 leaves it as it is.
    """

    name: str
    numerator_name: str
    denominator_name: str
    numerator: tuple[Component, ...]
    denominator: tuple[Component, ...]
    numerator_when: Alternatives
    denominator_step: float
