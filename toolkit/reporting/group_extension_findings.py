"""What stands beside the main estimate of group schooling, in sentences."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.extension_words import (
    division_name,
    intake_text,
    shown_divisions,
    subgroup_name,
)
from toolkit.effects.group_extensions import Divisions, StageIntake
from toolkit.effects.guard import GuardFinding, guard_sentence
from toolkit.effects.legacy import LegacyEffect
from toolkit.effects.robustness import RobustnessTable, TwoWayStudy
from toolkit.effects.spillover import NeighbourSensitivity, Spillover
from toolkit.effects.study_words import in_words_of_unit, p_value_text, study_name
from toolkit.reporting.findings import Finding, FindingKind, FindingNumber, build_finding
from toolkit.standards import Standard
from toolkit.tables.adoption_texts import outcome_name, outcome_scale
from toolkit.vocabulary import Language, Term, format_number, label, sentence, term

SIGNIFICANT = 0.05
EFFECT_DECIMALS = 3
PERCENT = 100
MAIN = "estimator_group_time"
# Not estimates of the same average effect on the same terms: named apart.
APART = ("estimator_two_way", "estimator_matched", "estimator_synthetic")
NOT_VALID = "later_earlier"
NO_NEIGHBOURS = "neighbours_none"
ALL_THERE_BEFORE = "legacy_cells_coincide"


@in_words_of_unit
def find_extensions(
    studies: Sequence[AdoptionStudy],
    main: AdoptionStudy,
    standard: Standard,
    *,
    divisions: Divisions | None = None,
    spillovers: Sequence[Spillover] = (),
    neighbours: Sequence[NeighbourSensitivity | None] = (),
    legacies: Sequence[LegacyEffect | None] = (),
    intakes: Sequence[StageIntake] = (),
    robustness: RobustnessTable | None = None,
    two_way: TwoWayStudy | None = None,
) -> list[Finding]:
    """Return findings on subgroups, neighbours, pupils, intake and other estimators.

    Parameters
    ----------
    studies : sequence of AdoptionStudy
        All studies of the design; `neighbours` and `legacies` are theirs, in the same order.
    main : AdoptionStudy
        The study whose credibility is looked into.
    standard : Standard
        Names its indicators, where one is the outcome.
    divisions, spillovers, neighbours, legacies, intakes, robustness, two_way
        What was computed.
    """
    findings = (
        []
        if main.is_refused or divisions is None
        else _divisions(shown_divisions(divisions, main), main, standard)
    )
    findings += _spillovers(spillovers, main, standard)
    for one, study in zip(neighbours, studies, strict=False):
        if one is not None and study is main:
            findings += _neighbours(one, study, standard)
    for one, study in zip(legacies, studies, strict=False):
        if one is not None and (study is main or len(one.table)):
            findings += _legacy(one, study, standard)
    findings += [finding for one in intakes for finding in _intake(one)]
    findings += _estimators(robustness, main, standard) if robustness is not None else []
    return findings + (_two_way(two_way, main) if two_way is not None else [])


def _divisions(found: Divisions, study: AdoptionStudy, standard: Standard) -> list[Finding]:
    """Name the differences that stand out after adjustment, or say that none can be told."""
    table = found.differences
    known = table[table["p_adjusted"].notna()] if len(table) else table
    if known.empty:
        return [_plain("divisions", "finding_extension_not_divided", "not_judged", study=_study(study))]
    count = len(known)
    told = known[known["p_adjusted"] < SIGNIFICANT]
    if told.empty:
        least = float(known["p_adjusted"].min())
        return [
            build_finding(
                "divisions",
                "finding_extension_no_difference",
                kind="finding",
                importance=6,
                numbers=(_number("least_adjusted_p", least, "adoption_differences"),),
                study=_study(study),
                divisions=known["by"].nunique(),
                count=count,
                p=p_value_text(least),
            )
        ]
    return [
        _difference(found, row, count, study, standard)
        for row in told.sort_values("p_adjusted").to_dict("records")
    ]


def _difference(
    found: Divisions, row: Mapping[Any, Any], count: int, study: AdoptionStudy, standard: Standard
) -> Finding:
    """State one difference between two subgroups."""
    division = next(one for one in found.divisions if one.by == row["by"])
    names = [
        _both(lambda language, name=name: subgroup_name(division.by, str(row[name]), language))
        for name in ("subgroup", "other_subgroup")
    ]
    return build_finding(
        f"difference_{row['by']}_{row['subgroup']}_{row['other_subgroup']}",
        "finding_extension_differs",
        kind="finding",
        importance=5,
        numbers=(_number("difference", row["effect"], "adoption_differences"),),
        study=_study(study),
        division=_both(lambda language: division_name(division, language)),
        first=names[0],
        second=names[1],
        count=count,
        p=p_value_text(float(row["p_adjusted"])),
        **_interval(row, study, standard),  # pyright: ignore[reportArgumentType]
    )


def _spillovers(found: Sequence[Spillover], study: AdoptionStudy, standard: Standard) -> list[Finding]:
    """State the effect on neighbours stage by stage; where no meaning of near allows one, say why once."""
    findings = []
    for stage in dict.fromkeys(one.sample.stage for one in found):
        own = [one for one in found if one.sample.stage == stage]
        estimated = [one for one in own if not one.refusals]
        findings += [_spillover(one, study, standard) for one in estimated]
        if not estimated:
            findings.append(
                _plain(
                    f"spillover_{stage}",
                    "finding_extension_spillover_refused",
                    "not_judged",
                    stage=term(stage),
                    reason=_reason(own[0].refusals),
                )
            )
    return findings


def _spillover(one: Spillover, study: AdoptionStudy, standard: Standard) -> Finding:
    row = one.average.to_dict("records")[0]
    seen = bool(row["conf_low"] > 0 or row["conf_high"] < 0)
    told = "seen" if seen else "unseen" if math.isfinite(row["conf_low"]) else "no_interval"
    distance = f"{one.distance_km:g}"
    return build_finding(
        f"spillover_{one.sample.stage}_{one.nearness}",
        f"finding_extension_spillover_{told}",
        kind="finding",
        importance=5,
        numbers=(_number("spillover", row["effect"], "adoption_spillover"),),
        stage=term(one.sample.stage),
        nearness=_both(
            lambda language: sentence(f"adoption_near_{one.nearness}", language, distance=distance)
        ),
        near=one.counts["near"],
        outcome=_outcome(study, standard),
        **_interval(row, study, standard),  # pyright: ignore[reportArgumentType]
    )


def _neighbours(one: NeighbourSensitivity, study: AdoptionStudy, standard: Standard) -> list[Finding]:
    """Say how far the main estimate hangs on comparison schools near those that joined."""
    if one.refusals:
        if one.refusals[0].code == NO_NEIGHBOURS:
            return []
        return [
            _plain(
                "neighbours",
                "finding_extension_neighbours_refused",
                "limit",
                study=_study(study),
                reason=_reason(one.refusals),
            )
        ]
    rows = {row["sample"]: row for row in one.table.to_dict("records")}
    difference = rows["difference_of_samples"]
    words = _interval(difference, study, standard)
    return [
        build_finding(
            "neighbours",
            _with_interval("finding_extension_neighbours", difference),
            kind="limit",
            importance=6,
            numbers=(_number("difference", difference["effect"], "adoption_neighbours"),),
            study=_study(study),
            left=int(difference["n_comparison"]),
            whole=_amount(rows["comparison_all"]["effect"], study, standard),
            without=_amount(rows["comparison_without_neighbours"]["effect"], study, standard),
            difference=words.pop("effect"),
            **words,  # pyright: ignore[reportArgumentType]
        )
    ]


def _legacy(one: LegacyEffect, study: AdoptionStudy, standard: Standard) -> list[Finding]:
    """State the effect on pupils who were there before beside that on all."""
    key = f"legacy_{study.sample.stage}_{study.sample.rules.role}"
    if one.refusals:
        kind: FindingKind = "finding" if one.refusals[0].code == ALL_THERE_BEFORE else "not_judged"
        reason = _reason(one.refusals)
        return [_plain(key, "finding_extension_legacy_refused", kind, study=_study(study), reason=reason)]
    averages = one.table[one.table["event_time"].isna()].to_dict("records")
    rows = {str(row["estimate"]): row for row in averages}
    legacy, difference = rows["effect_legacy"], rows["effect_intake_change"]
    of_legacy, words = (_interval(row, study, standard) for row in (legacy, difference))
    moved = bool(difference["conf_low"] > 0 or difference["conf_high"] < 0)
    return [
        build_finding(
            key,
            _with_interval("finding_extension_legacy", legacy, difference),
            kind="finding",
            importance=6,
            numbers=tuple(_number(name, row["effect"], "adoption_legacy") for name, row in rows.items()),
            study=_study(study),
            total=_amount(rows["effect_total"]["effect"], study, standard),
            legacy=of_legacy["effect"],
            legacy_low=of_legacy["low"],
            legacy_high=of_legacy["high"],
            difference=words.pop("effect"),
            verdict=term("finding_extension_moved" if moved else "finding_extension_unmoved"),
            **words,  # pyright: ignore[reportArgumentType]
        )
    ]


def _intake(one: StageIntake) -> list[Finding]:
    """Name what moved after adjustment, and what of it had moved before joining."""
    table, key = one.effects.table, f"intake_{one.stage}"
    averages = table[table["event_time"].isna() & (table["refusal"] == "")]
    if averages.empty:
        reason = _reason(list(one.effects.refusals.values())[:1])
        name = "finding_extension_intake_refused"
        return [_plain(key, name, "not_judged", stage=term(one.stage), reason=reason)]
    told = averages[averages["p_adjusted"] < SIGNIFICANT]
    numbers = tuple(
        _number(str(row["outcome"]), row["effect"], "adoption_intake") for row in told.to_dict("records")
    )
    before = [
        str(name) for name in told["outcome"] if one.trends_before.get(str(name), math.nan) < SIGNIFICANT
    ]
    return [
        build_finding(
            key,
            "finding_extension_intake" if len(told) else "finding_extension_intake_none",
            kind="finding",
            importance=6,
            numbers=numbers,
            stage=term(one.stage),
            count=len(averages),
            outcomes=_both(lambda language: _changes(told, language)),
            trends=_both(lambda language: _differed(before, language)),
        )
    ]


def _changes(told: pd.DataFrame, language: Language) -> str:
    parts = [
        sentence(
            f"finding_extension_change_{row['outcome']}",
            language,
            value=intake_text(str(row["outcome"]), float(row["effect"])),
        )
        for row in told.to_dict("records")
    ]
    return label("list_separator", language).join(parts)


def _differed(outcomes: list[str], language: Language) -> str:
    if not outcomes:
        return ""
    names = label("list_separator", language).join(
        label(f"finding_extension_{name}", language) for name in outcomes
    )
    return sentence("finding_extension_intake_trend", language, outcomes=names)


def _estimators(result: RobustnessTable, study: AdoptionStudy, standard: Standard) -> list[Finding]:
    """Say how far other estimators agree with the main one, and which give the extremes."""
    estimates = result.table.set_index("estimator")["estimate"].astype(float).dropna()
    others = estimates.drop([name for name in (MAIN, *APART) if name in estimates])
    if MAIN not in estimates or others.empty:
        return []
    main = float(estimates[MAIN])
    low, high = str(others.idxmin()), str(others.idxmax())
    same = bool((others * main > 0).all())
    apart = estimates[[name for name in APART if name in estimates]]
    return [
        build_finding(
            "estimators",
            "finding_extension_estimators",
            kind="limit",
            importance=5,
            numbers=tuple(
                _number(str(name), value, "adoption_robustness") for name, value in estimates.items()
            ),
            study=_study(study),
            main=_amount(main, study, standard),
            count=len(others),
            low=_amount(float(others[low]), study, standard),
            high=_amount(float(others[high]), study, standard),
            low_name=term(low),
            high_name=term(high),
            verdict=term(f"finding_extension_{'same' if same else 'other'}_sign"),
            others=_both(lambda language: _apart(apart, study, standard, language)),
        )
    ]


def _apart(apart: pd.Series, study: AdoptionStudy, standard: Standard, language: Language) -> str:
    if apart.empty:
        return ""
    parts = [
        sentence(
            "finding_extension_named_value",
            language,
            name=label(f"adoption_{name}", language),
            value=getattr(_amount(float(value), study, standard), language),
        )
        for name, value in apart.items()
    ]
    listed = label("list_separator", language).join(parts)
    return sentence("finding_extension_estimators_others", language, listed=listed)


def _two_way(found: TwoWayStudy, study: AdoptionStudy) -> list[Finding]:
    """Say how much of the two-way regression compares with schools that had joined already."""
    if found.decomposition is None:
        return []
    rows = found.decomposition.comparisons
    share = float(rows.loc[rows["kind"] == NOT_VALID, "weight"].sum())
    return [
        build_finding(
            "two_way",
            "finding_extension_two_way",
            kind="limit",
            importance=7,
            numbers=(_number("share_not_valid", share, "adoption_two_way"),),
            study=_study(study),
            share=format_number(PERCENT * share, 1),
        )
    ]


def _plain(key: str, name: str, kind: FindingKind, **values: Term) -> Finding:
    """Return a finding without numbers."""
    return build_finding(key, name, kind=kind, importance=6, **values)  # pyright: ignore[reportArgumentType]


def _both(words: Callable[[Language], str]) -> Term:
    """Return what a function of the language says, in both languages."""
    return Term(zh=words("zh"), en=words("en"))


def _study(study: AdoptionStudy) -> Term:
    return _both(lambda language: study_name(study, language))


def _reason(refusals: Sequence[GuardFinding]) -> Term:
    return _both(lambda language: guard_sentence(refusals[0], language))


def _outcome(study: AdoptionStudy, standard: Standard) -> Term:
    """Return the name of the outcome for a sentence."""
    if study.sample.outcome == "achievement":
        return term("finding_group_achievement")
    return _both(lambda language: outcome_name(study.sample.outcome, standard, language))


def _amount(value: float, study: AdoptionStudy, standard: Standard) -> Term:
    """Return an effect in the unit of the outcome; the unit is named where it is standard deviations."""
    text = _text(value, study, standard)
    if study.sample.outcome != "achievement":
        return Term(zh=text, en=text)
    unit = term("finding_group_sd")
    return Term(zh=f"{text} {unit.zh}", en=f"{text} {unit.en}")


def _text(value: float, study: AdoptionStudy, standard: Standard) -> str:
    if study.sample.outcome == "achievement":
        return format_number(float(value), EFFECT_DECIMALS)
    factor, decimals = outcome_scale(study.sample.outcome, standard)
    return format_number(factor * float(value), max(decimals, 2))


def _with_interval(name: str, *rows: Mapping[Any, Any]) -> str:
    """Return the name of a sentence, or of the one for effects whose error is not known."""
    return name if all(math.isfinite(row["conf_low"]) for row in rows) else f"{name}_no_interval"


def _interval(row: Mapping[Any, Any], study: AdoptionStudy, standard: Standard) -> dict[str, object]:
    """Return an effect with its unit and its interval for a sentence."""
    return {
        "effect": _amount(float(row["effect"]), study, standard),
        "low": _text(float(row["conf_low"]), study, standard),
        "high": _text(float(row["conf_high"]), study, standard),
        "percent": f"{PERCENT * study.settings.event_study.confidence_level:g}",
    }


def _number(name: str, value: float, table: str) -> FindingNumber:
    return FindingNumber(name, float(value) if math.isfinite(value) else None, "", table)
