"""Why one indicator of one school is judged differently in two runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.reporting.compared_runs import RunResults, plain
from toolkit.reporting.run_change import NOTHING, Told, differ, joined, labelled, numbers, told
from toolkit.standards import available_standards, load_standard, parse_rules
from toolkit.vocabulary import has_term, term
from toolkit.vocabulary.numbers import MISSING

Row = Mapping[str, Any]

RANK = {"fail": 0, "undecided": 1, "pass": 2}
DEFAULT_DECIMALS = 2


@dataclass(frozen=True, slots=True)
class RuleSwitch:
    """A rule that two runs switch differently; `before` and `after` are "–" where it is left as it stands.

    Attributes
    ----------
    name : str
        Special case or item, as one types it.
    before, after : str
        What was chosen.
    items : tuple of str
        Items and indicators that the rule changes.
    """

    name: str
    before: str
    after: str
    items: tuple[str, ...]


def indicator_causes(old: Row, new: Row, *, by_standard: bool) -> list[Told]:
    """Return why one indicator of a school is judged differently: special case, cell, value, limit."""
    name = indicator_label(new)
    causes = [_case_cause(old, new, name, by_standard=by_standard)]
    before, after = float(old["value"]), float(new["value"])
    if differ(before, after):
        printed = numbers(before, after, printed_decimals(new))
        shown: dict[str, Told] = {"before": printed[0], "after": printed[1]}
        if before != before:
            causes.append(told("compare_cause_filled", indicator=name, cell=_cell(old), **shown))
        elif after != after:
            causes.append(told("compare_cause_emptied", indicator=name, cell=_cell(new), **shown))
        else:
            causes.append(_value_cause(old, new, name, shown))
    for limit in ("minimum", "floor"):
        if differ(float(old[limit]), float(new[limit])):
            printed = numbers(float(old[limit]), float(new[limit]), printed_decimals(new))
            values = {"indicator": name, "limit": labelled(limit), "before": printed[0], "after": printed[1]}
            causes.append(told("compare_cause_limit", **values))
    return [cause for cause in causes if cause]


def indicator_label(row: Row) -> Told:
    """Return number and name of an indicator."""
    named = labelled(str(row["indicator_name"]))
    return told("compare_indicator", number=row["indicator"], name=named)


def switched_rules(before: RunResults, after: RunResults) -> tuple[RuleSwitch, ...]:
    """Return the rules that the parameters of the two runs switch differently."""
    old, new = (parse_rules(str(run.parameter("rules") or "")) for run in (before, after))
    shipped = after.record.standard in available_standards()
    cases = load_standard(after.record.standard).exceptions if shipped else ()
    applies_to = {case.id: case.applies_to for case in cases}
    return tuple(
        RuleSwitch(name, old.get(name, MISSING), new.get(name, MISSING), applies_to.get(name, (name,)))
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    )


def turned(old: Row, new: Row) -> int:
    """Return by how much an indicator of a school is judged better (+) or worse (-)."""
    return sum(RANK.get(str(new[name]), 1) - RANK.get(str(old[name]), 1) for name in ("met", "above_floor"))


def by_other_standard(before: RunResults, after: RunResults) -> bool:
    """Say whether the two runs judge by different rules."""
    return before.record.standard_sha256 != after.record.standard_sha256


def rule_causes(before: RunResults, after: RunResults) -> tuple[Told, ...]:
    """Return causes that no single number shows: rules, treatment of unstaged teachers, software."""
    causes = []
    if by_other_standard(before, after):
        causes.append(told("compare_cause_rules"))
    unstaged = [str(run.parameter("unstaged_teachers") or "") for run in (before, after)]
    if unstaged[0] != unstaged[1]:
        shown = [labelled(f"unstaged_teachers_{value}") for value in unstaged]
        name = labelled("parameter_unstaged_teachers")
        causes.append(told("compare_cause_parameter", name=name, before=shown[0], after=shown[1]))
    if not causes and before.record.packages != after.record.packages:
        causes.append(told("compare_cause_software"))
    return tuple(causes) or (told("compare_cause_unknown"),)


def _value_cause(old: Row, new: Row, name: Told, shown: Mapping[str, Told]) -> Told:
    """Return a changed value with the stock and the students behind it, where these changed."""
    parts = []
    stock = f"stock_{new['indicator_name']}"
    names = {"stock": stock if has_term(stock) else "stock", "enrolment": "compare_students"}
    for column, named in names.items():
        before, after = float(old[column]), float(new[column])
        if differ(before, after):
            pair = numbers(before, after, 0)
            parts.append(told("compare_part", name=labelled(named), before=pair[0], after=pair[1]))
    if not parts:
        return told("compare_cause_value", indicator=name, **shown)
    return told("compare_cause_value_parts", indicator=name, parts=joined(parts), **shown)


def _case_cause(old: Row, new: Row, name: Told, *, by_standard: bool) -> Told:
    """Return the special cases that count in one run only."""
    before, after = (_cases(row) for row in (old, new))
    if before == after:
        return NOTHING
    who = "rules" if by_standard else "school"
    parts = [told(f"compare_case_on_{who}", case=case) for case in after if case not in before]
    parts += [told(f"compare_case_off_{who}", case=case) for case in before if case not in after]
    return told("compare_cause_case", indicator=name, cases=joined(parts))


def _cases(row: Row) -> list[str]:
    text = plain(row["special_case"])
    return text.split("+") if text else []


def _cell(row: Row) -> Told:
    return labelled(plain(row["missing_cell"]) or "compare_a_cell")


def printed_decimals(row: Row) -> int:
    """Return the decimals with which an indicator is printed."""
    name = str(row["indicator_name"])
    decimals = term(name).decimals if has_term(name) else None
    return DEFAULT_DECIMALS if decimals is None else decimals
