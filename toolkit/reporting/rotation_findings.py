"""What a study of teacher rotation says: question, design, result, credibility and limits, in sentences."""

import math
from collections.abc import Sequence

import numpy as np

from toolkit.effects.flow_effects import FlowStudy
from toolkit.effects.flow_paths import FlowPaths
from toolkit.effects.flow_power import FlowPower
from toolkit.effects.guard import guard_sentence
from toolkit.effects.path_bounds import FlowBounds, PathBounds
from toolkit.reporting.findings import Finding, FindingNumber, build_finding, number_in_cell
from toolkit.reporting.group_words import plain_text
from toolkit.vocabulary import Language, Term, format_number, term

EFFECTS_TABLE, NET_TABLE, AVERAGES_TABLE, BOUNDS_TABLE, NEEDS_TABLE = (
    "rotation_flow_effects",
    "rotation_net_effects",
    "rotation_path_averages",
    "rotation_path_bounds",
    "rotation_flow_needs",
)
SIGNIFICANT = 0.05
P_DECIMALS, RATIO_DECIMALS = 3, 2
PLANNED = 0.10


def find_rotation(
    studies: Sequence[FlowStudy],
    paths: Sequence[FlowPaths],
    bounds: Sequence[FlowBounds],
    powers: Sequence[FlowPower],
) -> list[Finding]:
    """Return the findings of a study of rotation, the effects first.

    Parameters
    ----------
    studies : sequence of FlowStudy
        One per stage.
    paths : sequence of FlowPaths
        The same stages with doses that move both ways.
    bounds : sequence of FlowBounds
        Of the same paths, if trends were not parallel.
    powers : sequence of FlowPower
        What smaller effects would take in the same stages.
    """
    findings = [finding for study in studies for finding in _study(study)]
    findings += [finding for one, own in zip(paths, bounds, strict=True) for finding in _paths(one, own)]
    return findings + [finding for power in powers for finding in _needs(power)]


def _study(study: FlowStudy) -> list[Finding]:
    """State what one stage found, or why nothing was estimated, and what qualifies it."""
    stage = study.sample.stage
    if study.is_refused:
        told = study.guard.findings[0]
        reason = Term(zh=guard_sentence(told, "zh"), en=guard_sentence(told, "en"))
        return [
            build_finding(
                f"refused_{stage}",
                "finding_rotation_refused",
                kind="not_judged",
                importance=3,
                stage=term(stage),
                reason=reason,
            )
        ]
    found = [_effect(study, place) for place in range(len(study.table))]
    found.append(_net(study))
    found.append(_next_year(study))
    return found + _qualified(study)


def _effect(study: FlowStudy, place: int) -> Finding:
    """State one effect with its interval and what could have been detected."""
    row = study.table.iloc[place]
    flow, stage = f"flow_{row['flow']}", study.sample.stage
    seen = row["conf_low"] > 0 or row["conf_high"] < 0
    name = "detected" if seen else "not_detected"
    if seen and study.placebo_p_value < SIGNIFICANT:
        name = "detected_doubtful"
    elif seen and not _holds_without_trends(study, str(row["flow"])):
        name = "detected_with_trend"
    where = {"stage": stage, "flow": flow}
    numbers = tuple(
        number_in_cell(one, float(row[one]), EFFECTS_TABLE, one, where)
        for one in ("effect", "conf_low", "conf_high", "detectable")
    )
    return build_finding(
        f"effect_{stage}_{row['flow']}",
        f"finding_rotation_{name}",
        kind="headline" if place < 2 else "finding",
        importance=1 + (place == 2),
        numbers=numbers,
        stage=term(stage),
        flow=term(flow),
        effect=plain_text(row["effect"]),
        low=plain_text(row["conf_low"]),
        high=plain_text(row["conf_high"]),
        detectable=plain_text(row["detectable"]),
        percent=f"{100 * study.settings.confidence_level:g}",
    )


def _holds_without_trends(study: FlowStudy, flow: str) -> bool:
    """Say whether the effect is still seen without the schools' own trends."""
    own = study.without_trends[study.without_trends["flow"] == flow]
    return bool(((own["conf_low"] > 0) | (own["conf_high"] < 0)).any())


def _net(study: FlowStudy) -> Finding:
    """State what a move comes to for both schools together."""
    stage = study.sample.stage
    row = study.net[study.net["net"] == "net_move"].iloc[0]
    numbers = tuple(
        number_in_cell(one, float(row[one]), NET_TABLE, one, {"stage": stage, "net": "net_move"})
        for one in ("effect", "conf_low", "conf_high")
    )
    return build_finding(
        f"net_{stage}",
        "finding_rotation_net",
        kind="finding",
        importance=3,
        numbers=numbers,
        stage=term(stage),
        **{
            name: plain_text(row[column])
            for name, column in (("effect", "effect"), ("low", "conf_low"), ("high", "conf_high"))
        },  # pyright: ignore[reportArgumentType]
    )


def _next_year(study: FlowStudy) -> Finding:
    """Say whether next year's flows show in this year's scores."""
    stage, p_value = study.sample.stage, study.placebo_p_value
    if math.isnan(p_value):
        return build_finding(
            f"next_year_{stage}",
            "finding_rotation_next_year_none",
            kind="limit",
            importance=4,
            stage=term(stage),
        )
    name = "seen" if p_value < SIGNIFICANT else "unseen"
    where = {"stage": stage, "flow": f"flow_{study.settings.flows[0]}"}
    return build_finding(
        f"next_year_{stage}",
        f"finding_rotation_next_year_{name}",
        kind="limit",
        importance=3,
        numbers=(number_in_cell("p", p_value, EFFECTS_TABLE, "placebo_p_value", where),),
        stage=term(stage),
        p=format_number(p_value, P_DECIMALS),
    )


def _qualified(study: FlowStudy) -> list[Finding]:
    """Say what qualifies the estimates of a stage."""

    def joined(language: Language) -> str:
        told = [guard_sentence(one, language) for one in study.guard.findings]
        return ("" if language == "zh" else " ").join(told)

    if not study.guard.findings:
        return []
    return [
        build_finding(
            f"qualified_{study.sample.stage}",
            "finding_rotation_qualified",
            kind="limit",
            importance=4,
            stage=term(study.sample.stage),
            remarks=Term(zh=joined("zh"), en=joined("en")),
        )
    ]


def _paths(found: FlowPaths, bounds: FlowBounds) -> list[Finding]:
    """State the total effects by doses that move both ways, or why there are none.

    An effect whose interval excludes zero is told with how far trends may part before it does not.
    """
    of_flow = {one.flow: one for one in bounds.flows}
    stage = found.sample.stage
    findings = [
        build_finding(
            f"paths_refused_{stage}_{flow}",
            "finding_rotation_paths_refused",
            kind="not_judged",
            importance=5,
            stage=term(stage),
            flow=term(f"flow_{flow}"),
            reason=Term(zh=refusal.zh, en=refusal.en),
        )
        for flow, refusal in found.refusals.items()
    ]
    for row in found.averages.to_dict("records"):
        where = {"stage": stage, "flow": f"flow_{row['flow']}"}
        numbers = tuple(
            number_in_cell(one, float(row[one]), AVERAGES_TABLE, one, where)
            for one in ("effect", "conf_low", "conf_high", "n_compared", "n_changed")
        )
        seen = row["conf_low"] > 0 or row["conf_high"] < 0
        limit, told = _bounded(of_flow[row["flow"]], stage)
        findings.append(
            build_finding(
                f"paths_{stage}_{row['flow']}",
                "finding_rotation_paths_seen" if seen else "finding_rotation_paths",
                kind="finding",
                importance=5,
                numbers=numbers + told if seen else numbers,
                stage=term(stage),
                flow=term(f"flow_{row['flow']}"),
                effect=plain_text(row["effect"]),
                low=plain_text(row["conf_low"]),
                high=plain_text(row["conf_high"]),
                compared=row["n_compared"],
                changed=row["n_changed"],
                **({"limit": limit} if seen else {}),  # pyright: ignore[reportArgumentType]
            )
        )
    return findings


def _bounded(bounds: PathBounds, stage: str) -> tuple[Term, tuple[FindingNumber, ...]]:
    """Say up to which difference in trends an interval excludes zero, or why that is not known."""
    if bounds.refusal:
        return term("finding_rotation_bounds_unknown"), ()
    breakdown = next(one for one in bounds.breakdowns if one.restriction == "relative_magnitudes")
    if breakdown.value == 0:
        return term("finding_rotation_bounds_none"), ()
    if math.isinf(breakdown.value):
        return term("finding_rotation_bounds_any"), ()
    made, ratio = term("finding_rotation_bounds_ratio"), format_number(breakdown.value, RATIO_DECIMALS)
    where = {
        "stage": stage,
        "flow": f"flow_{bounds.flow}",
        "restriction": "rotation_bound_relative_magnitudes",
        "bound": "0",
    }
    number = number_in_cell("ratio", breakdown.value, BOUNDS_TABLE, "breakdown_value", where)
    return Term(zh=made.zh.format(ratio=ratio), en=made.en.format(ratio=ratio)), (number,)


def _needs(power: FlowPower) -> list[Finding]:
    """Say what the planned effect would take, of the flow that takes most."""
    planned = {
        flow: one.counties
        for flow, needs in power.needs.items()
        for one in needs
        if one.effect == PLANNED and one.counties
    }
    flow = max(planned, key=planned.__getitem__, default="")
    stage, counties = power.study.sample.stage, planned.get(flow, 0)
    if counties <= len(np.unique(power.study.sample.blocks)):
        return []
    where = {"stage": stage, "flow": f"flow_{flow}", "planned": f"{PLANNED:g}"}
    return [
        build_finding(
            f"needs_{stage}",
            "finding_rotation_needs",
            kind="finding",
            importance=6,
            numbers=(number_in_cell("counties", counties, NEEDS_TABLE, "needs_counties_value", where),),
            stage=term(stage),
            flow=term(f"flow_{flow}"),
            effect=f"{PLANNED:.2f}",
            counties=counties,
            schools=power.n_schools,
        )
    ]
