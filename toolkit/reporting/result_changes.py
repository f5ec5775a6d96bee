"""Verdicts on county, stages, coefficients and items that differ between two runs, each with its causes."""

from collections.abc import Iterator, Mapping

from toolkit.errors import DesignError
from toolkit.reporting.compared_runs import RunResults, plain, rows_of
from toolkit.reporting.run_change import (
    NOTHING,
    Change,
    Told,
    changed,
    differ,
    joined,
    labelled,
    numbers,
    same,
    told,
    verdict,
)
from toolkit.reporting.school_changes import MatchedSchools, Unit
from toolkit.reporting.verdict_causes import Row, printed_decimals, rule_causes
from toolkit.variation.dispersion import coefficient_of_variation
from toolkit.vocabulary import has_term

VERDICT_FINDINGS = "verdict_"
DECIMALS = 3
MOVERS = 3
COMPOSITE = "composite"
STAGE_VERDICTS = ("overall_verdict", "schools_verdict", "coefficients_verdict")

Known = dict[str, tuple[float, float, Row]]
"""Stock, students and row of each school that reports an indicator."""


def county_verdict_changes(before: RunResults, after: RunResults) -> Iterator[Change]:
    """Give the verdicts on the county as a whole, as the findings state them."""
    stages = {f"{VERDICT_FINDINGS}{row['stage']}" for row in rows_of(after, "stage_verdicts")}
    for key, new in after.findings.items():
        old = before.findings.get(key)
        if old is None or not key[1].startswith(VERDICT_FINDINGS) or key[1] in stages:
            continue
        if old.status != new.status:
            shown = [verdict(found.status) if found.status != "none" else same("") for found in (old, new)]
            causes = tuple(_stages_turned(before, after)) or rule_causes(before, after)
            yield changed("verdict", "", labelled("compare_county"), _aspect(key[1]), shown, causes)


def stage_verdict_changes(
    before: RunResults, after: RunResults, turned: tuple[Change, ...]
) -> Iterator[Change]:
    """Give the verdicts on stages, with the verdicts on schools and coefficients that turned them.

    Parameters
    ----------
    before, after : RunResults
        The two runs.
    turned : tuple of Change
        Verdicts on schools and coefficients that changed.
    """
    for stage, old, new in _paired(before, after):
        for name in STAGE_VERDICTS:
            verdicts = [plain(row[name]) for row in (old, new)]
            if verdicts[0] == verdicts[1]:
                continue
            kinds = [
                kind for kind in ("school", "coefficient") if name in ("overall_verdict", f"{kind}s_verdict")
            ]
            parts = [labelled(f"compare_{kind}") for kind in kinds]
            own = [change for change in turned if change.stage == stage and change.aspect in parts]
            causes = tuple(_turned(own)) or rule_causes(before, after)
            shown = [verdict(found) for found in verdicts]
            yield changed("verdict", stage, labelled(stage), labelled(name), shown, causes)


def coefficient_verdict_changes(
    matched: MatchedSchools, before: RunResults, after: RunResults
) -> Iterator[Change]:
    """Give the verdicts on coefficients, with their limits, missing data and the schools that moved them."""
    old_rows, new_rows = (
        {(row["stage"], _number(row)): row for row in rows_of(run, "coefficients")} for run in (before, after)
    )
    for key, new in new_rows.items():
        old = old_rows.get(key)
        if old is None or plain(old["verdict"]) == plain(new["verdict"]):
            continue
        causes = tuple(_coefficient_causes(matched, key, old, new)) or rule_causes(before, after)
        shown = [verdict(plain(row["verdict"])) for row in (old, new)]
        subject = labelled("composite_coefficient") if key[1] == COMPOSITE else _name(matched, key, new)
        yield changed("verdict", key[0], subject, labelled("compare_coefficient"), shown, causes)


def _coefficient_causes(matched: MatchedSchools, key: Unit, old: Row, new: Row) -> Iterator[Told]:
    if differ(float(old["coefficient"]), float(new["coefficient"])):
        before, after = numbers(float(old["coefficient"]), float(new["coefficient"]), DECIMALS)
        yield told("compare_cause_coefficient", before=before, after=after)
        movers = _movers(matched, key, float(new["coefficient"]) - float(old["coefficient"]))
        if movers:
            yield told("compare_cause_movers", schools=joined(movers))
    if differ(float(old["limit"]), float(new["limit"])):
        before, after = numbers(float(old["limit"]), float(new["limit"]), DECIMALS)
        yield told("compare_cause_coefficient_limit", before=before, after=after)
    if old["n_missing"] != new["n_missing"]:
        before, after = numbers(float(old["n_missing"]), float(new["n_missing"]), 0)
        yield told("compare_cause_missing_schools", before=before, after=after)


def _movers(matched: MatchedSchools, key: Unit, direction: float) -> list[Told]:
    """Return the schools whose change, made alone in the earlier run, moves the coefficient most."""
    stage, indicator = key
    one, other = (_known(side.values, stage, indicator) for side in (matched.before, matched.after))
    start = _coefficient(one)
    effects = {}
    for school in dict.fromkeys([*one, *other]):
        if _same(one.get(school), other.get(school)):
            continue
        changed = {name: entry for name, entry in one.items() if name != school}
        if school in other:
            changed[school] = other[school]
        effects[school] = _coefficient(changed) - start
    with_it = [school for school, effect in effects.items() if effect * direction > 0]
    largest = sorted(with_it, key=lambda school: (-abs(effects[school]), school))[:MOVERS]
    return [_mover(one.get(school), other.get(school)) for school in largest]


def _mover(old: tuple[float, float, Row] | None, new: tuple[float, float, Row] | None) -> Told:
    """Return a school with its value before and after."""
    row = (new or old or (0.0, 0.0, {}))[2]
    values = [float(entry[2]["value"]) if entry else float("nan") for entry in (old, new)]
    before, after = numbers(values[0], values[1], printed_decimals(row))
    return told("compare_mover", school=row["school_name"], before=before, after=after)


def _known(values: Mapping[Unit, Mapping[str, Row]], stage: str, indicator: str) -> Known:
    """Return the schools of a stage that report an indicator."""
    rows = {
        school: rows[indicator] for (school, at), rows in values.items() if at == stage and indicator in rows
    }
    known = {school: (float(row["stock"]), float(row["enrolment"]), row) for school, row in rows.items()}
    return {
        school: entry
        for school, entry in known.items()
        if entry[0] == entry[0]
        and entry[1] == entry[1]
        and float(entry[2]["value"]) == float(entry[2]["value"])
    }


def _coefficient(known: Known) -> float:
    """Return the coefficient of variation of some schools; missing where it is not defined."""
    try:
        return coefficient_of_variation(
            [entry[0] for entry in known.values()], [entry[1] for entry in known.values()]
        )
    except DesignError:
        return float("nan")


def _same(old: tuple[float, float, Row] | None, new: tuple[float, float, Row] | None) -> bool:
    if old is None or new is None:
        return False
    return not differ(old[0], new[0]) and not differ(old[1], new[1])


def _turned(changes: list[Change]) -> Iterator[Told]:
    """Give, by kind and turn, the schools and coefficients whose verdict changed."""
    kinds: dict[tuple[Told, Told, Told], list[Told]] = {}
    for change in changes:
        kinds.setdefault((change.aspect, change.before, change.after), []).append(change.subject)
    for (aspect, before, after), names in kinds.items():
        yield told(
            "compare_cause_turned",
            kind=aspect,
            before=before,
            after=after,
            count=len(names),
            names=joined(names),
        )


def _stages_turned(before: RunResults, after: RunResults) -> Iterator[Told]:
    for stage, old, new in _paired(before, after):
        verdicts = [plain(row["overall_verdict"]) for row in (old, new)]
        if verdicts[0] != verdicts[1]:
            shown = [verdict(found) for found in verdicts]
            yield told("compare_cause_stage", stage=labelled(stage), before=shown[0], after=shown[1])


def _paired(before: RunResults, after: RunResults) -> Iterator[tuple[str, Row, Row]]:
    """Give the stages of both runs."""
    old = {row["stage"]: row for row in rows_of(before, "stage_verdicts")}
    for new in rows_of(after, "stage_verdicts"):
        if new["stage"] in old:
            yield new["stage"], old[new["stage"]], new


def _aspect(finding: str) -> Told:
    """Return what a finding on the county judges."""
    return labelled(f"compare_{finding}") if has_term(f"compare_{finding}") else NOTHING


def _number(row: Row) -> str:
    """Return the number of the indicator of a coefficient, which its name begins with."""
    number = str(row["name"]).split(" ")[0]
    return number if plain(row["unit"]) else COMPOSITE


def _name(matched: MatchedSchools, key: Unit, row: Row) -> Told:
    """Return number and name of an indicator in both languages, where the run has its code name."""
    for rows in matched.after.values.values():
        if key[1] in rows and has_term(str(rows[key[1]]["indicator_name"])):
            named = labelled(str(rows[key[1]]["indicator_name"]))
            return told("compare_indicator", number=key[1], name=named)
    return same(str(row["name"]))
