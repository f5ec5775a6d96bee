"""Checks on a county after reading: contradictions, gaps and values that raise a question."""

from collections.abc import Callable

from toolkit.data.checks import (
    class_sizes,
    county_items,
    missing,
    outliers,
    panel,
    premises,
    programmes,
    registry,
    relations,
    rotation,
    scores,
    students,
    teachers,
)
from toolkit.data.checks.evidence import Evidence, gather_evidence, registered_names
from toolkit.data.checks.missing import completeness
from toolkit.data.county import Reading
from toolkit.data.problems import Problem
from toolkit.data.schema import TABLES

RULES: tuple[Callable[[Evidence], list[Problem]], ...] = (
    registry.parents_outside_register,
    registry.open_schools_without_years,
    registry.reports_outside_lifetime,
    registry.same_names_in_a_town,
    registry.positions_outside_county,
    registry.flags_against_opening,
    relations.parts_above_their_whole,
    relations.parts_above_enrolment,
    relations.ends_before_starts,
    students.stages_against_type,
    students.stages_without_students,
    students.grades_against_stages,
    students.entrants_against_first_grades,
    students.stocks_without_students,
    students.small_teaching_points,
    teachers.stages_without_teachers,
    teachers.students_per_teacher,
    teachers.pe_and_arts_above_teachers,
    teachers.totals_against_stages,
    teachers.roll_against_school_years,
    teachers.backbone_against_titles,
    teachers.expired_titles,
    premises.gymnasium_counted_twice,
    premises.equipment_missing_its_value,
    premises.network_without_bandwidth,
    premises.rented_without_distance,
    premises.retention_above_one,
    outliers.stocks_far_from_the_county,
    outliers.county_medians,
    panel.sharp_changes,
    panel.copied_rows,
    class_sizes.classes_without_size,
    class_sizes.class_sizes_against_enrolment,
    class_sizes.class_counts_against_school_years,
    class_sizes.largest_class_against_classes,
    programmes.links_to_closed_schools,
    programmes.shares_above_one,
    programmes.overlapping_memberships,
    programmes.groups_without_lead,
    programmes.stages_outside_school,
    programmes.support_of_itself,
    rotation.rotations_to_the_same_school,
    rotation.overlapping_rotations,
    rotation.rotations_against_roll,
    rotation.backbone_without_title,
    scores.scores_outside_marks,
    scores.scores_of_absent_pupils,
    scores.full_marks_within_tests,
    scores.coverage_of_grades,
    county_items.values_against_fractions,
    county_items.verdicts_without_judge,
    county_items.unknown_items,
    missing.missing_deciding_values,
)
SEVERITIES = ("error", "warning", "notice")

__all__ = ["RULES", "check_county", "completeness", "registered_names"]


def check_county(reading: Reading, *, county: str = "") -> tuple[Problem, ...]:
    """Check a county for contradictions, gaps and values that raise a question.

    Problems of the reading itself are not repeated. Nothing is changed.

    Parameters
    ----------
    reading : Reading
        The county as it was read.
    county : str
        Code of the county that was asked for, empty when none was.

    Returns
    -------
    tuple of Problem
        Errors first, then warnings and notices; within each by table, then by rule.
    """
    evidence = gather_evidence(reading)
    found = [problem for rule in RULES for problem in rule(evidence)]
    found += registry.code_that_was_only_asked_for(evidence, county)
    tables = list(TABLES)
    return tuple(sorted(found, key=lambda p: (SEVERITIES.index(p.severity), tables.index(p.table))))
