"""Coefficients with rotating teachers at the sending and at the receiving school."""

import numpy as np
import pytest

from tests.people import school, school_year, spell, teacher, with_tables
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.standards import load_standard
from toolkit.variation.rotation_dispersion import compare_placements

STANDARD = load_standard("national_2017")


def slow_cv(amounts, pupils):
    """The official coefficient, by its definition."""
    mean = sum(amounts) / sum(pupils)
    variance = sum(p / sum(pupils) * (x / p - mean) ** 2 for x, p in zip(amounts, pupils, strict=True))
    return variance**0.5 / mean


def compare(*spells, backbone=(4, 2), teachers=(), sizes=(100, 200), **changes):
    years = [
        school_year(
            code,
            enrolment_primary=size,
            backbone_teachers_primary=count,
            teachers_above_required_qualification_primary=5,
            pe_teachers_primary=1,
            arts_teachers_primary=2,
        )
        | changes
        for code, size, count in zip("12", sizes, backbone, strict=True)
    ]
    tables = {"rotations": spells} | ({"teachers": teachers} if teachers else {})
    county = with_tables([school("1"), school("2")], years, **tables)
    table = compare_placements(county, compute_resource_indicators(county, STANDARD), year=2025).table
    return table.set_index("indicator")


def test_a_backbone_teacher_moves_from_the_sending_to_the_receiving_school():
    found = compare(spell("t", "1", "2", backbone=True)).loc["R2"]
    assert found["coefficient_reported"] == pytest.approx(slow_cv([4, 2], [100, 200]))
    assert found["coefficient_sending"] == pytest.approx(slow_cv([4, 2], [100, 200]))
    assert found["coefficient_receiving"] == pytest.approx(slow_cv([3, 3], [100, 200]))
    assert found["difference"] == pytest.approx(slow_cv([3, 3], [100, 200]) - slow_cv([4, 2], [100, 200]))
    assert (found["limit"], found["full_time_equivalent"]) == (0.5, 1)


def test_a_part_time_teacher_stays_with_the_rest_at_the_sending_school():
    found = compare(spell("t", "1", "2", backbone=True, full_time_share=0.4)).loc["R2"]
    assert found["coefficient_receiving"] == pytest.approx(slow_cv([3.6, 2.4], [100, 200]))


def test_a_teacher_whose_file_moved_is_reported_at_the_receiving_school():
    found = compare(spell("t", "1", "2", backbone=True, file_moved=True)).loc["R2"]
    assert found["coefficient_receiving"] == pytest.approx(slow_cv([4, 2], [100, 200]))
    assert found["coefficient_sending"] == pytest.approx(slow_cv([5, 1], [100, 200]))


def test_only_teachers_of_the_kind_move_and_those_of_pe_and_arts_by_subject():
    found = compare(spell("t", "1", "2", subject="music"))
    assert found.at["R2", "difference"] == 0
    assert found.at["R3", "coefficient_receiving"] == pytest.approx(slow_cv([2, 4], [100, 200]))


def test_qualification_comes_from_the_roster_by_stage():
    found = compare(spell("t", "1", "2"), teachers=[teacher("t", "1", qualification="college")])
    assert found.at["R1", "coefficient_receiving"] == pytest.approx(slow_cv([4, 6], [100, 200]))
    low = compare(spell("t", "1", "2"), teachers=[teacher("t", "1", qualification="below_college")])
    assert low.at["R1", "difference"] == 0


def test_without_a_roster_the_qualification_indicator_is_not_compared():
    found = compare(spell("t", "1", "2"))
    assert np.isnan(found.at["R1", "coefficient_receiving"])
    assert found.at["R1", "n_not_known"] == 1
    assert found.at["R1", "coefficient_reported"] == pytest.approx(slow_cv([5, 5], [100, 200]))


def test_spells_that_are_over_or_unmatched_do_not_move():
    over = spell("a", "1", "2", backbone=True, rotation_start="2024-09-01", rotation_end="2025-08-31")
    unmatched = spell("b", "1", None, backbone=True, receiving_school_name="外县小学")
    found = compare(over, unmatched, spell("c", "1", "2")).loc["R2"]
    assert found["difference"] == 0
    assert found["n_not_known"] == 1


def test_a_spell_with_one_end_outside_the_county_s_schools_is_counted():
    found = compare(spell("t", "1", "77", backbone=True)).loc["R2"]
    assert found["n_outside"] == 1
    assert found["coefficient_receiving"] == pytest.approx(slow_cv([3, 2], [100, 200]))


def test_of_two_open_spells_of_a_teacher_the_last_one_counts():
    found = compare(
        spell("t", "1", "2", backbone=True, rotation_start="2022-09-01"),
        spell("t", "2", "1", backbone=True, rotation_start="2024-09-01"),
    ).loc["R2"]
    assert found["coefficient_receiving"] == pytest.approx(slow_cv([5, 1], [100, 200]))


def test_a_school_that_reports_fewer_than_leave_is_set_to_zero_and_counted():
    found = compare(spell("t", "1", "2", backbone=True), backbone=(0, 2)).loc["R2"]
    assert found["n_below_zero"] == 1
    assert found["coefficient_receiving"] == pytest.approx(slow_cv([0, 3], [100, 200]))


def test_without_running_spells_there_is_no_table():
    assert compare().empty
