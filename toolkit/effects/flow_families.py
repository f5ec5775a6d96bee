"""Effects of all kinds of the flow in as one family: p-values adjusted for their number."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from toolkit.effects.flow_effects import FlowSettings, FlowStudy
from toolkit.effects.joint_effects import adjust_p_values
from toolkit.inference.clusters import ClusterInfluence, align_clusters

ADJUSTED = "p_adjusted"


def adjust_flow_kinds(
    found: Mapping[str, Sequence[FlowStudy]], settings: FlowSettings
) -> dict[str, tuple[FlowStudy, ...]]:
    """Adjust the p-values of kinds of the flow in for all kinds of all divisions of the stage.

    Romano and Wolf's stepdown on multipliers that schools share: the divisions split the same teachers, and
    their estimates go together. What the joint model holds fixed besides (flow out, first year) is in no
    family here.

    Parameters
    ----------
    found : mapping of str to sequence of FlowStudy
        By division: one study per stage, of the same schools in every division, see `study_flow_kinds`.
    settings : FlowSettings
        Of the primary effects: their flows are not exploratory; draws and seed of the multipliers.

    Returns
    -------
    dict of str to tuple of FlowStudy
        The same studies, whose tables have one column more, "p_adjusted": missing for flows held fixed, and
        everywhere without draws.
    """
    stages = dict.fromkeys(study.sample.stage for studies in found.values() for study in studies)
    adjusted = {stage: _adjust_stage(found, stage, settings) for stage in stages}

    def with_column(division: str, study: FlowStudy) -> FlowStudy:
        own = adjusted[study.sample.stage]
        values = [own.get((division, flow), np.nan) for flow in study.table["flow"]]
        return replace(study, table=study.table.assign(**{ADJUSTED: np.array(values, dtype=float)}))

    return {
        division: tuple(with_column(division, study) for study in studies)
        for division, studies in found.items()
    }


def _adjust_stage(
    found: Mapping[str, Sequence[FlowStudy]], stage: str, settings: FlowSettings
) -> dict[tuple[str, str], float]:
    """Return the adjusted p-values of one stage by division and flow."""
    names: list[tuple[str, str]] = []
    p_values: list[float] = []
    parts: list[ClusterInfluence] = []
    for division, studies in found.items():
        for study in studies:
            if study.sample.stage != stage or study.regression is None:
                continue
            kinds = [place for place, flow in enumerate(study.settings.flows) if flow not in settings.flows]
            sums = study.regression.contributions.sum(axis=1)[:, kinds]
            # A school is the same row in every division.
            parts.append(ClusterInfluence(np.arange(len(sums)), sums))
            names += [(division, study.settings.flows[place]) for place in kinds]
            p_values += study.table["p_value"].iloc[kinds].tolist()
    if not parts or not settings.n_draws:
        return {}
    values = adjust_p_values(
        np.array(p_values, dtype=float),
        align_clusters(parts),
        seed=settings.seed,
        n_draws=settings.n_draws,
    )
    return dict(zip(names, values.tolist(), strict=True))
