"""Items and targets beside the resource indicators. Shares lie in [0, 1]."""

from collections.abc import Mapping
from dataclasses import dataclass

from toolkit.standards.values import (
    Alternatives,
    Comparator,
    Formula,
    Part,
    StageScope,
    TargetKind,
    TestedOn,
    Text,
)


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
