"""What the study of pupils linked to teachers found, in sentences."""

from collections.abc import Sequence
from typing import Any

from toolkit.effects.guard import guard_sentence
from toolkit.effects.rotation_movers import ALL_DIRECTIONS, PERIODS, RotationMovers
from toolkit.effects.switch_guard import MAIN_WINDOW
from toolkit.effects.teacher_switch import PLACEBOS, SOURCES, TeacherSwitch
from toolkit.effects.teacher_variance import TeacherVariance
from toolkit.reporting.findings import Finding, FindingNumber, build_finding, number_in_cell
from toolkit.reporting.group_words import plain_text
from toolkit.vocabulary import Term, format_number, sentence, term

PERCENT = 100
VARIANCE_DECIMALS = 4
COMPONENTS = {
    "teachers": "teacher_variance",
    "schools": "school_effect_variance",
    "sorting": "teacher_school_covariance",
}


def find_teachers(
    switches: Sequence[TeacherSwitch], movers: RotationMovers, variances: Sequence[TeacherVariance]
) -> list[Finding]:
    """State what the switches, the movers and the variances show, or why they show nothing.

    Parameters
    ----------
    switches : sequence of TeacherSwitch
        As in the table of the switches.
    movers : RotationMovers
        All stages together.
    variances : sequence of TeacherVariance
        One per stage.
    """
    findings: list[Finding] = []
    for study in switches:
        findings += _switch(study)
    return [*findings, _movers(movers), *(_variance(one) for one in variances)]


def _switch(study: TeacherSwitch) -> list[Finding]:
    stage = term(study.stage)
    if study.is_refused:
        name, reason = "finding_teacher_links_refused", _refusal(study)
        key = f"teacher_switch_{study.stage}"
        return [build_finding(key, name, kind="not_judged", importance=5, stage=stage, reason=reason)]
    found = []
    row = study.row(SOURCES[0], "score")
    placebos = [study.row(SOURCES[0], outcome) for outcome in PLACEBOS]
    placebo = next((one for one in placebos if not one["refusal"]), placebos[-1])
    if not row["refusal"]:
        found.append(_slope(study, row, placebo))
    moved = study.row(SOURCES[1], "score")
    key = f"teacher_switch_rotation_{study.stage}"
    if moved["refusal"]:
        reason = Term(zh=sentence(moved["refusal"], "zh"), en=sentence(moved["refusal"], "en"))
        name = "finding_teacher_switch_rotation_none"
        found.append(build_finding(key, name, kind="not_judged", importance=6, stage=stage, reason=reason))
        return found
    found.append(
        build_finding(
            key,
            "finding_teacher_switch_rotation",
            kind="finding",
            importance=6,
            numbers=_numbers(study, moved, "")[:1],
            stage=stage,
            estimate=plain_text(moved["estimate"]),
        )
    )
    return found


def _slope(study: TeacherSwitch, row: dict[str, Any], placebo: dict[str, Any]) -> Finding:
    """State the slope of all changes with its placebo."""
    level = 1 - study.confidence_level
    known = not placebo["refusal"]
    moves = known and placebo["p_zero"] < level
    about = "moves" if moves else "sound" if known else "none"
    values = _texts(study, row) | {
        "prior": plain_text(placebo["estimate"]),
        "prior_low": plain_text(placebo["conf_low"]),
        "prior_high": plain_text(placebo["conf_high"]),
    }
    if not known:
        values = _texts(study, row)
    return build_finding(
        f"teacher_switch_{study.stage}",
        "finding_teacher_switch" if known else "finding_teacher_switch_no_placebo",
        kind="finding",
        importance=4,
        numbers=(*_numbers(study, row, ""), *(_numbers(study, placebo, "prior_") if known else ())),
        stage=term(study.stage),
        verdict=_verdict(study, row),
        placebo=term(f"finding_switch_placebo_{about}"),
        **values,  # pyright: ignore[reportArgumentType]
    )


def _verdict(study: TeacherSwitch, row: dict[str, Any]) -> Term:
    level = 1 - study.confidence_level
    differs, seen = row["p_one"] < level, row["p_zero"] < level
    return term(f"finding_switch_{'differs' if differs else 'holds' if seen else 'vague'}")


def _texts(study: TeacherSwitch, row: dict[str, Any]) -> dict[str, object]:
    return {
        "estimate": plain_text(row["estimate"]),
        "low": plain_text(row["conf_low"]),
        "high": plain_text(row["conf_high"]),
        "percent": format_number(PERCENT * study.confidence_level, 0),
    }


def _numbers(study: TeacherSwitch, row: dict[str, Any], prefix: str) -> tuple[FindingNumber, ...]:
    """Return estimate and interval with their place in the table."""
    place = {
        "stage": study.stage,
        "window": f"switch_window_{MAIN_WINDOW}",
        "source": f"switch_source_{row['source']}",
        "outcome": f"switch_outcome_{row['outcome']}",
    }
    return tuple(
        number_in_cell(prefix + name, float(row[name]), "teacher_switch", name, place)
        for name in ("estimate", "conf_low", "conf_high")
    )


def _movers(movers: RotationMovers) -> Finding:
    """Set movers during their spells beside matched stayers."""
    if movers.is_refused:
        name, reason = "finding_movers_none", _refusal(movers)
        return build_finding("rotation_movers", name, kind="not_judged", importance=6, reason=reason)
    own = movers.table[(movers.table["direction"] == ALL_DIRECTIONS) & movers.table["since"].isna()]
    (row,) = own[own["period"] == PERIODS[1]].to_dict("records")
    if row["refusal"]:
        reason = Term(zh=sentence(row["refusal"], "zh"), en=sentence(row["refusal"], "en"))
        return build_finding(
            "rotation_movers", "finding_movers_none", kind="not_judged", importance=6, reason=reason
        )
    verdict = "rose" if row["conf_low"] > 0 else "fell" if row["conf_high"] < 0 else "same"
    place = {"direction": f"movers_{ALL_DIRECTIONS}", "period": f"movers_{PERIODS[1]}", "since": ""}
    names = ("movers", "stayers", "difference", "conf_low", "conf_high", "n_movers")
    return build_finding(
        "rotation_movers",
        "finding_movers",
        kind="finding",
        importance=5,
        numbers=tuple(
            number_in_cell(name, float(row[name]), "rotation_movers", name, place) for name in names
        ),
        verdict=term(f"finding_movers_{verdict}"),
        movers=plain_text(row["movers"]),
        stayers=plain_text(row["stayers"]),
        difference=plain_text(row["difference"]),
        low=plain_text(row["conf_low"]),
        high=plain_text(row["conf_high"]),
        count=int(row["n_movers"]),
        percent=format_number(PERCENT * movers.confidence_level, 0),
    )


def _variance(one: TeacherVariance) -> Finding:
    """State the variances of teachers and schools, and their covariance, in one stage."""
    key, stage = f"teacher_variance_{one.stage}", term(one.stage)
    if one.is_refused:
        name, reason = "finding_teacher_variance_none", _refusal(one)
        return build_finding(key, name, kind="not_judged", importance=6, stage=stage, reason=reason)
    rows = one.table.set_index("component")
    numbers, texts = [], {}
    for name, component in COMPONENTS.items():
        place = {"stage": one.stage, "component": component}
        for column, key_of_text in (("leave_out", name), ("std_error", f"{name}_error")):
            value = float(rows.loc[component, column])  # pyright: ignore[reportArgumentType]
            numbers.append(number_in_cell(key_of_text, value, "teacher_variance", column, place))
            texts[key_of_text] = format_number(value, VARIANCE_DECIMALS)
    return build_finding(
        key,
        "finding_teacher_variance",
        kind="finding",
        importance=6,
        numbers=tuple(numbers),
        stage=stage,
        **texts,
    )


def _refusal(study: TeacherSwitch | RotationMovers | TeacherVariance) -> Term:
    """Return the first reason why nothing was estimated."""
    first = next(finding for finding in study.guard.findings if finding.severity == "refused")
    return Term(zh=guard_sentence(first, "zh"), en=guard_sentence(first, "en"))
