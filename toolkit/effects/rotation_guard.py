"""What a study of rotation cannot identify, or only with care, said before anything is estimated."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.effects.guard import DesignGuard, GuardFinding, Severity, require_design
from toolkit.effects.rotation_data import RotationSample, rotation_settings
from toolkit.inference.clusters import effective_clusters
from toolkit.models.flow_regression import FlowRegression, estimate_flow_regression

Floats = NDArray[np.float64]
Numbers = Mapping[str, float]

SEVERITIES: Mapping[str, Severity] = {
    "rotation_no_outcome": "refused",
    "rotation_no_flow": "refused",
    "rotation_few_schools_refused": "refused",
    "rotation_no_stayers": "refused",
    "rotation_not_told_apart": "refused",
    "rotation_flows_collinear": "refused",
    "rotation_one_school_carries": "refused",
    "rotation_unmatched_refused": "refused",
    "rotation_few_schools": "qualified",
    "rotation_few_stayers": "qualified",
    "rotation_flows_correlated": "qualified",
    "rotation_few_carry": "qualified",
    "rotation_unmatched": "qualified",
    "rotation_inside_groups": "qualified",
    "rotation_interference": "qualified",
}
"""Codes in the order in which they are told; each is a sentence of the vocabulary."""

RECORDS = ("rotation_no_outcome", "rotation_few_schools_refused", "rotation_unmatched_refused")
"""Refusals that hold for every model: there are too few schools or records."""


def check_rotation_design(
    sample: RotationSample, flows: Sequence[str], *, limits: Mapping[str, Any] | None = None
) -> DesignGuard:
    """Check what a sample can identify about several flows at once.

    Parameters
    ----------
    sample : RotationSample
        Schools of one stage.
    flows : sequence of str
        Names in `sample.flows`: flow in, flow out, and further ones.
    limits : mapping, optional
        As in the section "guard" of the settings.

    Notes
    -----
    Refused are: no outcome; a flow that never moves; too few schools; all schools changing their flows every
    year, so that no school shows what happens without a change; flows in and out that move together; an
    effect that a few schools carry; too many spells without a school. That flows answer to shocks (teachers
    sent where scores have just fallen) no check of the design can show; the test of next year's flows looks
    for it.
    """
    rule = limits or rotation_settings("guard")
    found: dict[str, Numbers] = {}
    is_seen = np.isfinite(sample.outcomes).sum(axis=1) > 1
    n_schools = int(is_seen.sum())
    moves = {
        name: float(np.nansum(np.abs(sample.flows[name]))) if name in sample.flows else 0.0 for name in flows
    }
    if not n_schools:
        found["rotation_no_outcome"] = {}
    elif min(moves.values()) <= 0:
        found["rotation_no_flow"] = {}
    else:
        found |= _sizes(sample, flows, n_schools, rule)
        found |= _regression(sample, flows, rule)
    findings = [GuardFinding(code, kind, found[code]) for code, kind in SEVERITIES.items() if code in found]
    return DesignGuard(tuple(findings), rule)


def require_records(sample: RotationSample, flows: Sequence[str]) -> None:
    """Refuse where schools or records do not suffice for whatever model of the flows.

    Raises
    ------
    DesignError
        With the sentence of the first refusal, in both languages.
    """
    found = check_rotation_design(sample, flows)
    require_design(replace(found, findings=tuple(one for one in found.findings if one.code in RECORDS)))


def stayers(sample: RotationSample, flows: Sequence[str]) -> NDArray[np.bool_]:
    """Say in which years a school's flows in and out both stayed as the year before, (n_units, n_years - 1).

    A change of fewer teachers than the settings say is none.
    """
    limit = rotation_settings("settings")["unchanged"]
    stay = np.isfinite(sample.outcomes[:, 1:]) & np.isfinite(sample.outcomes[:, :-1])
    for name in flows[:2]:
        stay &= np.abs(np.diff(sample.teachers(name), axis=1)) < limit
    return stay


def _sizes(
    sample: RotationSample, flows: Sequence[str], n_schools: int, rule: Mapping[str, Any]
) -> dict[str, Numbers]:
    """Return what the numbers of schools, stayers and spells say."""
    found: dict[str, Numbers] = {}
    schools = {"schools": float(n_schools)}
    if n_schools < rule["least_schools"]:
        found["rotation_few_schools_refused"] = schools | {"least": float(rule["least_schools"])}
    elif n_schools < rule["few_schools"]:
        found["rotation_few_schools"] = schools
    observed = np.isfinite(sample.outcomes[:, 1:]) & np.isfinite(sample.outcomes[:, :-1])
    share = float(stayers(sample, flows).sum() / max(observed.sum(), 1))
    if share < rule["least_stayers"]:
        found["rotation_no_stayers"] = {"stayers_share": share}
    elif share < rule["few_stayers"]:
        found["rotation_few_stayers"] = {"stayers_share": share}
    unmatched = {"unmatched_share": sample.unmatched_share}
    if sample.unmatched_share > rule["most_unmatched"]:
        found["rotation_unmatched_refused"] = unmatched
    elif sample.unmatched_share > rule["many_unmatched"]:
        found["rotation_unmatched"] = unmatched
    if {"backbone_inside", "backbone_outside"} <= set(sample.flows):
        inside, outside = (
            float(np.nansum(sample.teachers(name))) for name in ("backbone_inside", "backbone_outside")
        )
        share = inside / (inside + outside) if inside + outside else 0.0
        if share > rule["many_inside"]:
            found["rotation_inside_groups"] = {"inside_share": share}
    found["rotation_interference"] = {"linked": float(len({(a, b) for a, b, _ in sample.links.tolist()}))}
    return found


def _regression(sample: RotationSample, flows: Sequence[str], rule: Mapping[str, Any]) -> dict[str, Numbers]:
    """Return what the flows leave when school and year effects are taken out."""
    try:
        found = estimate_flow_regression(sample.panel_of(flows))
    except ValueError:
        return {"rotation_not_told_apart": {}}
    told: dict[str, Numbers] = {}
    correlation = float(found.correlations[0, 1]) if len(flows) > 1 else 0.0
    numbers = {"correlation": correlation}
    if abs(correlation) > rule["highest_correlation"]:
        told["rotation_flows_collinear"] = numbers
    elif abs(correlation) > rule["high_correlation"]:
        told["rotation_flows_correlated"] = numbers
    effective = float(effective_schools(found).min())
    if effective < rule["least_effective"]:
        told["rotation_one_school_carries"] = {"effective": effective}
    elif effective < rule["few_effective"]:
        told["rotation_few_carry"] = {"effective": effective}
    return told


def effective_schools(found: FlowRegression) -> Floats:
    """Return the effective number of schools behind each estimate, from the design alone, (n_flows,).

    The variance that a school adds is taken as that of independent shocks of its years.
    """
    seen = found.cells.any(axis=1)
    return np.array(
        [
            effective_clusters((found.loads[seen, :, term] ** 2).sum(axis=1))
            for term in range(found.loads.shape[2])
        ]
    )
