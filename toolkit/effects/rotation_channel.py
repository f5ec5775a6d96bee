"""Does group schooling work through rotation? A described decomposition of the effect of joining."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from toolkit.effects.adoption_data import AdoptionData
from toolkit.effects.adoption_study import AdoptionStudy, StudySettings, estimate_adoption_study
from toolkit.effects.flow_effects import FlowStudy
from toolkit.effects.rotation_data import RotationCounty
from toolkit.effects.sample_rules import SampleRules
from toolkit.inference.clusters import t_interval

CHANNEL_COLUMNS = [
    "step",
    "effect",
    "std_error",
    "conf_low",
    "conf_high",
    "refusal",
]


@dataclass(frozen=True, slots=True)
class RotationChannel:
    """How much of the effect of joining moves of backbone teachers could account for.

    Attributes
    ----------
    stage : str
        Stage.
    table : pandas.DataFrame
        `CHANNEL_COLUMNS`, one row per step: "channel_total" (effect of joining on achievement),
        "channel_inflow" and "channel_outflow" (effect of joining on backbone teachers received and sent per
        100 students), "channel_through" (these times the effects of receiving and sending), and
        "channel_rest" (total less through). `refusal` names the sentence of a step without number.
    """

    stage: str
    table: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per step."""
        return self.table.assign(stage=self.stage)


def decompose_joining(
    counties: Sequence[RotationCounty], flows: FlowStudy, rules: SampleRules, settings: StudySettings
) -> RotationChannel:
    """Set the effect of joining beside what its moves of backbone teachers would do by the joint model.

    What joining did to the flows, times what the flows do to achievement, is the part that runs through
    rotation if (1) joining is as good as random given the design of the group study, (2) so are the flows
    given that of the rotation study, (3) a teacher does the same at a member as elsewhere. None of these is
    tested here; the decomposition describes. Its interval takes the two factors as independent.

    Parameters
    ----------
    counties : sequence of RotationCounty
        Groups, outcomes and flows.
    flows : FlowStudy
        The joint model of the stage.
    rules : SampleRules
        Who enters the study of joining.
    settings : StudySettings
        Its design.
    """
    stage = flows.sample.stage
    names = flows.settings.flows[:2]
    total = _joining(counties, stage, "achievement", rules, settings)
    moved = [_joining(counties, stage, name, rules, settings) for name in names]
    rows = [_step("channel_total", total)]
    rows += [_step(f"channel_{side}", one) for side, one in zip(("inflow", "outflow"), moved, strict=True)]
    through = _through(moved, flows)
    rows.append({"step": "channel_through"} | through)
    effects, errors = (pd.DataFrame(rows)[name].to_numpy(dtype=float) for name in ("effect", "std_error"))
    effect, error = float(effects[0] - effects[-1]), float(np.hypot(errors[0], errors[-1]))
    level = settings.event_study.confidence_level
    degrees = np.nan if total.event_study is None else total.event_study.average.degrees
    refusal = "channel_incomplete" if np.isnan(effect) else ""
    rows.append({"step": "channel_rest", **_interval(effect, error, degrees, level), "refusal": refusal})
    return RotationChannel(stage, pd.DataFrame(rows, columns=CHANNEL_COLUMNS))


def _joining(
    counties: Sequence[RotationCounty], stage: str, outcome: str, rules: SampleRules, settings: StudySettings
) -> AdoptionStudy:
    """Study the effect of joining on achievement, or on a flow per 100 students."""
    pairs = []
    for one in counties:
        flows = {name: one.doses.per_100(name) for name in one.doses.flows}
        pairs.append((one.adoption, replace(one.panel, measures={**one.panel.measures, **flows})))
    data = AdoptionData(tuple(pairs))
    return estimate_adoption_study(data.sample(stage=stage, outcome=outcome, rules=rules), settings)


def _step(name: str, study: AdoptionStudy) -> dict[str, object]:
    """Return the effect of joining on one outcome, with its printed interval."""
    if study.event_study is None:
        blank = dict.fromkeys(CHANNEL_COLUMNS[1:5], np.nan)
        return {"step": name, **blank, "refusal": study.guard.findings[0].code}
    average, printed = study.event_study.average, study.interval
    limits = (np.nan, np.nan) if printed is None else (printed.conf_low, printed.conf_high)
    return {
        "step": name,
        "effect": average.effect,
        "std_error": average.std_error,
        "conf_low": limits[0],
        "conf_high": limits[1],
        "refusal": "",
    }


def _through(moved: Sequence[AdoptionStudy], flows: FlowStudy) -> dict[str, object]:
    """Return the sum over flows of what joining did to the flow times what the flow does."""
    blank = dict.fromkeys(CHANNEL_COLUMNS[1:5], np.nan)
    averages = [None if one.event_study is None else one.event_study.average for one in moved]
    if flows.regression is None or any(one is None for one in averages):
        return {**blank, "refusal": "channel_incomplete"}
    size = len(averages)
    joined = np.array([one.effect for one in averages if one is not None])
    errors = np.array([one.std_error for one in averages if one is not None])
    effects = flows.regression.estimates[:size]
    covariance = flows.covariance[:size, :size]
    # Variance of a sum of products of independent factors, to first order; the flows' errors apart.
    variance = joined @ covariance @ joined + float((effects**2) @ (errors**2))
    degrees = float(flows.table["degrees"].iloc[:size].min())
    found = _interval(
        float(joined @ effects), float(np.sqrt(variance)), degrees, flows.settings.confidence_level
    )
    return {**found, "refusal": ""}


def _interval(effect: float, error: float, degrees: float, level: float) -> dict[str, float]:
    low, high = t_interval(effect, error, degrees, confidence_level=level)
    return {"effect": effect, "std_error": error, "conf_low": low, "conf_high": high}
