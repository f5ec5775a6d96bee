"""The design of a rotation study from the parameters of its notebook, and the schools it is of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from toolkit.data.county import County
from toolkit.effects.flow_effects import FlowSettings, FlowStudy, study_flow_kinds, study_flows
from toolkit.effects.flow_families import adjust_flow_kinds
from toolkit.effects.flow_paths import FlowPaths, follow_flow_paths
from toolkit.effects.flow_power import FlowPower, compute_flow_power
from toolkit.effects.flow_projection import FlowProjection, project_flows
from toolkit.effects.group_schooling import GroupDesign
from toolkit.effects.path_bounds import FlowBounds, bound_flow_paths
from toolkit.effects.rotation_channel import RotationChannel, decompose_joining
from toolkit.effects.rotation_data import (
    RotationCounty,
    RotationSample,
    Weighting,
    build_rotation_sample,
    trace_rotation,
)
from toolkit.effects.rotation_movers import RotationMovers, study_rotation_movers
from toolkit.effects.teacher_switch import TeacherSwitch, study_teacher_switch
from toolkit.effects.teacher_variance import TeacherVariance, study_teacher_variance
from toolkit.indicators.teacher_cells import TeacherCells, compute_teacher_cells
from toolkit.reporting.parameters import TeacherRotation
from toolkit.reporting.study import Study
from toolkit.standards import Standard

STAGES = ("primary", "junior")
FLOWS = {
    "backbone_teachers": ("backbone_inflow", "backbone_outflow", "first_year_inflow"),
    "all_teachers": ("inflow", "outflow", "first_year_inflow"),
}
KINDS = {
    "kinds_spell_year": ("backbone_year_1", "backbone_year_2", "backbone_year_3", "backbone_after"),
    "kinds_group": ("backbone_inside", "backbone_outside"),
    "kinds_direction": ("backbone_down", "backbone_level", "backbone_up"),
}


@dataclass(frozen=True, slots=True)
class TeacherStudies:
    """What the scores of pupils say of their teachers.

    Attributes
    ----------
    cells : TeacherCells
        Means by teacher, and how many pupils are linked to one.
    switch : TeacherSwitch
        Changes of teachers against changes of means, both stages.
    movers : RotationMovers
        Rotating teachers before and after, beside matched stayers.
    variances : tuple of TeacherVariance
        Teachers and schools, one per stage.
    """

    cells: TeacherCells
    switch: TeacherSwitch
    movers: RotationMovers
    variances: tuple[TeacherVariance, ...]


def read_flow_settings(study: Study) -> FlowSettings:
    """Return the flows and draws that the parameters set."""
    parameters = _parameters(study)
    return FlowSettings(flows=FLOWS[parameters.dose], n_draws=parameters.draws, seed=parameters.seed)


def trace_counties(counties: Sequence[County], standard: Standard) -> tuple[RotationCounty, ...]:
    """Trace rotation and outcomes of every county."""
    return tuple(trace_rotation(county, standard) for county in counties)


def build_samples(study: Study, data: Sequence[RotationCounty]) -> tuple[RotationSample, ...]:
    """Return the panel of each stage."""
    parameters = _parameters(study)
    return tuple(
        build_rotation_sample(
            data,
            stage=stage,
            outcome=parameters.outcome,
            weighting=cast("Weighting", parameters.weighting),
        )
        for stage in STAGES
    )


def study_stages(samples: Sequence[RotationSample], settings: FlowSettings) -> tuple[FlowStudy, ...]:
    """Estimate the joint model of each stage."""
    return tuple(study_flows(sample, settings) for sample in samples)


def plan_stages(flows: Sequence[FlowStudy]) -> tuple[FlowPower, ...]:
    """Compute what smaller receiving and sending effects would take, of each stage."""
    return tuple(compute_flow_power(study) for study in flows)


def study_kinds(
    samples: Sequence[RotationSample], settings: FlowSettings
) -> dict[str, tuple[FlowStudy, ...]]:
    """Estimate the joint model of each stage with the flow in split, by division, as one family a stage."""
    found = {
        division: tuple(study_flow_kinds(sample, kinds, settings) for sample in samples)
        for division, kinds in KINDS.items()
    }
    return adjust_flow_kinds(found, settings)


def follow_paths(samples: Sequence[RotationSample], settings: FlowSettings) -> tuple[FlowPaths, ...]:
    """Estimate effects by year since the first change of a flow, of each stage."""
    return tuple(follow_flow_paths(sample, settings) for sample in samples)


def bound_paths(paths: Sequence[FlowPaths]) -> tuple[FlowBounds, ...]:
    """Bound the total effects by doses that move both ways if trends were not parallel, of each stage."""
    return tuple(bound_flow_paths(one) for one in paths)


def project_stages(samples: Sequence[RotationSample], settings: FlowSettings) -> tuple[FlowProjection, ...]:
    """Follow schools after a clean change of one flow, of each stage."""
    return tuple(project_flows(sample, settings) for sample in samples)


def decompose_stages(
    data: Sequence[RotationCounty], flows: Sequence[FlowStudy], weighting: str
) -> tuple[RotationChannel, ...]:
    """Set the effect of joining a group beside what its moves of teachers would do, of each stage.

    The study of joining is that of report 03 with its usual design.
    """
    design = GroupDesign(weighting=cast("Weighting", weighting))
    return tuple(decompose_joining(data, one, design.rules("member"), design.settings) for one in flows)


def study_teachers(study: Study, data: Sequence[RotationCounty]) -> TeacherStudies:
    """Study teachers of the county of the report, as far as pupils are linked to them."""
    cells = compute_teacher_cells(study.county, study.standard)
    placed = data[0].placed
    return TeacherStudies(
        cells=cells,
        switch=study_teacher_switch(cells, placed),
        movers=study_rotation_movers(cells, placed),
        variances=tuple(study_teacher_variance(cells, stage) for stage in STAGES),
    )


def _parameters(study: Study) -> TeacherRotation:
    if not isinstance(study.parameters, TeacherRotation):
        raise TypeError("the study has not the parameters of 04_teacher_rotation")
    return study.parameters
