"""Schools of two runs: which came, went, changed their name, and why a verdict on one turned."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.reporting.compared_runs import RunResults, plain, rows_of
from toolkit.reporting.run_change import NOTHING, Change, Told, changed, labelled, same, told, verdict
from toolkit.reporting.verdict_causes import RANK, by_other_standard, indicator_causes, rule_causes, turned

Row = Mapping[str, Any]
Unit = tuple[str, str]
"""School and stage."""

NOTEBOOK = "02_inter_school_variation"


@dataclass(frozen=True, slots=True)
class Schools:
    """The schools of one run.

    Attributes
    ----------
    verdicts : mapping of Unit to Row
        Row of `school_verdicts` by school and stage.
    values : mapping of Unit to mapping of str to Row
        Rows of `school_values` by indicator, by school and stage.
    left_out : mapping of str to str
        Reason by name of the school.
    """

    verdicts: Mapping[Unit, Row]
    values: Mapping[Unit, Mapping[str, Row]]
    left_out: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MatchedSchools:
    """The schools of two runs, the later ones under the codes of the earlier where a code changed."""

    before: Schools
    after: Schools
    new_codes: Mapping[str, str]


def match_schools_of(before: RunResults, after: RunResults) -> MatchedSchools:
    """Match the schools of two runs by code; those left over by name."""
    one, other = _schools(before), _schools(after)
    old, new = ({school: row for (school, _), row in side.verdicts.items()} for side in (one, other))
    by_name = {row["school_name"]: school for school, row in old.items() if school not in new}
    codes = {
        school: by_name[row["school_name"]]
        for school, row in new.items()
        if school not in old and row["school_name"] in by_name
    }
    return MatchedSchools(one, _under_old_codes(other, codes), {old: new for new, old in codes.items()})


def school_changes(matched: MatchedSchools) -> Iterator[Change]:
    """Give schools that are new, gone, renamed, or in or out of scope."""
    one, other = matched.before, matched.after
    for unit in _units(one, other):
        old, new = one.verdicts.get(unit), other.verdicts.get(unit)
        if old is None or new is None:
            shown = [
                labelled("compare_counted" if row is not None else "compare_not_counted")
                for row in (old, new)
            ]
            cause = _presence_cause(matched, unit)
            yield changed("school", unit[1], _name(old, new), NOTHING, shown, (cause,) if cause else ())
        elif old["school_name"] != new["school_name"]:
            names = (same(old["school_name"]), same(new["school_name"]))
            yield changed("school", unit[1], same(new["school_name"]), labelled("school_name"), names)
    for old, new in sorted(matched.new_codes.items()):
        row = next(row for (school, _), row in one.verdicts.items() if school == old)
        yield Change("school", "", same(row["school_name"]), labelled("school_id"), same(old), same(new))


def school_verdict_changes(
    matched: MatchedSchools, before: RunResults, after: RunResults
) -> Iterator[Change]:
    """Give every verdict on a school that is new, gone or turned, with its causes."""
    one, other = matched.before, matched.after
    for unit in _units(one, other):
        old, new = one.verdicts.get(unit), other.verdicts.get(unit)
        verdicts = [_verdict(row) for row in (old, new)]
        if verdicts[0] == verdicts[1]:
            continue
        if old is None or new is None:
            causes = tuple(filter(None, (_presence_cause(matched, unit),)))
        else:
            causes = _verdict_causes(matched, unit, (before, after))
            if old["school_name"] != new["school_name"]:
                names = {"before": old["school_name"], "after": new["school_name"]}
                causes = (*causes, told("compare_cause_renamed", **names))
        shown = [verdict(found) for found in verdicts]
        yield changed("verdict", unit[1], _name(old, new), labelled("compare_school"), shown, causes)


def _verdict_causes(
    matched: MatchedSchools, unit: Unit, runs: tuple[RunResults, RunResults]
) -> tuple[Told, ...]:
    """Return the indicators that turned in the direction of the verdict, each with its causes."""
    old_rows, new_rows = matched.before.values.get(unit, {}), matched.after.values.get(unit, {})
    common = [name for name in old_rows if name in new_rows]
    moves = {name: turned(old_rows[name], new_rows[name]) for name in common}
    verdicts = [RANK.get(_verdict(side.verdicts[unit]), 1) for side in (matched.before, matched.after)]
    direction = 1 if verdicts[1] > verdicts[0] else -1
    deciding = [name for name, move in moves.items() if move * direction > 0] or [
        name for name, move in moves.items() if move
    ]
    by_standard = by_other_standard(*runs)
    causes = [
        cause
        for name in deciding
        for cause in indicator_causes(old_rows[name], new_rows[name], by_standard=by_standard)
    ]
    other = set(old_rows) ^ set(new_rows)
    if other:
        causes.append(told("compare_cause_indicators", names=", ".join(sorted(other))))
    return tuple(causes) or rule_causes(*runs)


def _presence_cause(matched: MatchedSchools, unit: Unit) -> Told:
    """Return why a school or one of its stages is judged in one run only."""
    old, new = matched.before.verdicts.get(unit), matched.after.verdicts.get(unit)
    name = str((old or new or {})["school_name"])
    absent_from = matched.before if old is None else matched.after
    reason = absent_from.left_out.get(name)
    if reason:
        return told(
            "compare_cause_into_scope" if old is None else "compare_cause_out_of_scope",
            reason=labelled(reason),
        )
    if any(school == unit[0] for school, _ in absent_from.verdicts):
        return told("compare_cause_stage_new" if old is None else "compare_cause_stage_gone")
    return told("compare_cause_new" if old is None else "compare_cause_gone")


def _schools(run: RunResults) -> Schools:
    """Return the schools of a run from the tables of its notebook on variation."""
    verdicts = {(row["school_id"], row["stage"]): row for row in rows_of(run, "school_verdicts")}
    values: dict[Unit, dict[str, Row]] = {}
    for row in rows_of(run, "school_values"):
        values.setdefault((row["school_id"], row["stage"]), {})[row["indicator"]] = row
    left_out = {row["school_name"]: row["reason"] for row in rows_of(run, "left_out")}
    return Schools(verdicts, values, left_out)


def _under_old_codes(schools: Schools, codes: Mapping[str, str]) -> Schools:
    """Return the schools under the codes by which they match."""
    return Schools(
        {(codes.get(school, school), stage): row for (school, stage), row in schools.verdicts.items()},
        {(codes.get(school, school), stage): rows for (school, stage), rows in schools.values.items()},
        schools.left_out,
    )


def _units(one: Schools, other: Schools) -> list[Unit]:
    """Return the units of both runs, by stage, in the order of the later run."""
    units = list(dict.fromkeys([*other.verdicts, *one.verdicts]))
    stages = list(dict.fromkeys(stage for _, stage in units))
    return sorted(units, key=lambda unit: stages.index(unit[1]))


def _verdict(row: Row | None) -> str:
    return "" if row is None else plain(row["verdict"])


def _name(old: Row | None, new: Row | None) -> Told:
    return same(str((new or old or {})["school_name"]))
