"""Standards and plans as tables that people read."""

import pandas as pd

from toolkit.standards.items import Item, Target
from toolkit.standards.model import Standard
from toolkit.standards.rules import Indicator
from toolkit.vocabulary import Language, format_number, label, sentence, unit_label

SIGNS = {
    ">=": "at_least",
    ">": "more_than",
    "<=": "at_most",
    "<": "less_than",
    "==": "equal_to",
    "nondecreasing": "not_below_year_before",
    "report": "as_reported",
}
UNITS_NOT_PRINTED = ("ratio_unit",)
# Ranks are named, not counted: rank 3, not 3 ranks.
RANK = "attainment_rank"


def describe_standard(standard: Standard, language: Language) -> pd.DataFrame:
    """Return one row per indicator and stage; the columns are vocabulary codes.

    Returns
    -------
    pandas.DataFrame
        `standard_indicator`, `standard_name`, `standard_stage`, `standard_minimum`,
        `standard_floor` and `coefficient_limit` (numbers, NaN where there is none),
        `standard_unit`, `standard_marks`.
    """
    rows = [
        {
            "standard_indicator": indicator.id,
            "standard_name": label(indicator.name, language),
            "standard_stage": label(stage, language),
            "standard_minimum": indicator.minimum.get(stage),
            "standard_floor": standard.floor(indicator).get(stage),
            "coefficient_limit": standard.coefficient_limits.get(stage),
            "standard_unit": unit_label(indicator.name, language),
            "standard_marks": describe_marks(standard, _marks_of(standard, indicator), language),
        }
        for indicator in standard.indicators
        for stage in ("primary", "junior")
    ]
    columns = [
        "standard_indicator",
        "standard_name",
        "standard_stage",
        "standard_minimum",
        "standard_floor",
        "coefficient_limit",
        "standard_unit",
        "standard_marks",
    ]
    table = pd.DataFrame(rows, columns=columns)
    numbers = ["standard_minimum", "standard_floor", "coefficient_limit"]
    return table.astype(dict.fromkeys(numbers, "float64"))


def describe_items(standard: Standard, language: Language) -> pd.DataFrame:
    """Return one row per item: number, part, name, requirement, unit of testing, how it is judged, doubts."""
    rows = [
        {
            "standard_indicator": item.id,
            "standard_part": label(f"part_{item.part}", language),
            "standard_name": label(item.name, language),
            "standard_requirement": format_requirement(item, language),
            "standard_tested_on": label(f"tested_on_{item.tested_on}", language),
            "standard_evidence": label("from_evidence" if item.from_evidence else "from_data", language),
            "standard_marks": describe_marks(standard, item.marks, language),
        }
        for item in standard.items
    ]
    return pd.DataFrame(rows)


def describe_targets(plan: Standard, language: Language) -> pd.DataFrame:
    """Return one row per target of a plan: requirement, stage, deadline, kind, source of data, doubts."""
    rows = [
        {
            "standard_indicator": target.id,
            "standard_name": getattr(target.name, language),
            "standard_requirement": format_requirement(target, language),
            "standard_stage": label(target.stage, language),
            "standard_tested_on": label(f"tested_on_{target.tested_on}", language),
            "standard_deadline": format_deadline(target.deadline, language),
            "standard_kind": label(f"target_kind_{target.kind}", language),
            "standard_source": _source(target, language),
            "standard_marks": describe_marks(plan, target.marks, language),
        }
        for target in plan.targets
    ]
    return pd.DataFrame(rows)


def describe_marks(standard: Standard, marks: tuple[str, ...], language: Language) -> str:
    """Return the doubts of some marks, each with what it rests on."""
    texts = []
    for code in marks:
        mark = standard.marks[code]
        texts.append(f"[{label(f'mark_{mark.status}', language)}] {getattr(mark.doubt, language)}")
    return "\n".join(texts)


def format_requirement(rule: Item | Target, language: Language) -> str:
    """Return a comparison as people write it: ≥96%, 3–3.1 人/班, ≤2,000人."""
    if not rule.limits:
        return label("from_evidence", language)
    if rule.comparator == "nondecreasing":
        return label(SIGNS[rule.comparator], language)
    if rule.unit == "yes_no":
        return label("yes", language)
    printed = _printed(rule.limits, rule.unit)
    if rule.unit == "percent":
        printed[-1] += "%"
    unit = "" if rule.unit in (*UNITS_NOT_PRINTED, "percent") else label(rule.unit, language)
    if rule.comparator == "between":
        return sentence("requirement_between", language, low=printed[0], high=printed[1], unit=unit).strip()
    is_whole = rule.unit == "percent" and rule.comparator == ">=" and rule.limits == (1.0,)
    if rule.comparator == "==" or is_whole:
        # All, or exactly so many: a sign says no more.
        return sentence("requirement_number", language, sign="", value=printed[0], unit=unit).strip()
    if rule.unit == RANK and rule.comparator == ">=":
        return sentence("requirement_rank", language, value=printed[0])
    sign = label(SIGNS[rule.comparator], language)
    return sentence("requirement_number", language, sign=sign, value=printed[0], unit=unit).strip()


def format_deadline(deadline: str, language: Language) -> str:
    """Return a deadline as people read it."""
    return label(f"deadline_{deadline}", language) if deadline in ("annual", "none") else deadline


def _marks_of(standard: Standard, indicator: Indicator) -> tuple[str, ...]:
    """Return the doubts that touch an indicator: its own, of its special cases, of the limit and the rule."""
    codes = dict.fromkeys(indicator.marks)
    for case in standard.exceptions:
        if indicator.id in case.applies_to:
            codes |= dict.fromkeys(case.marks)
    for rule in (standard.pass_rule, standard.coefficients):
        codes |= dict.fromkeys(rule.marks if rule else ())
    return tuple(codes)


def _printed(limits: tuple[float, ...], unit: str) -> list[str]:
    """Return numbers with as many decimals as the finest of them has, shares in percent."""
    numbers = [round(limit * 100, 10) if unit == "percent" else limit for limit in limits]
    decimals = max(len(f"{number:.10f}".rstrip("0").partition(".")[2]) for number in numbers)
    return [format_number(number, decimals) for number in numbers]


def _source(target: Target, language: Language) -> str:
    if target.needs.zh:
        return label("data_absent", language) + getattr(target.needs, language)
    return target.reference or label("from_data", language)


def indicator_name(standard: Standard, indicator_id: str, language: Language) -> str:
    """Return number and name of an indicator; "composite" is the mean of the coefficients."""
    if indicator_id == "composite":
        return label("composite_coefficient", language)
    return f"{indicator_id} {label(standard.indicator(indicator_id).name, language)}"
