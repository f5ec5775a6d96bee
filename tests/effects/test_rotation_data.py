"""Rotation and outcomes of counties, and the panel drawn from them: counts, controls, links."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.effects.rotation_results import LOCATIONS, PUPILS, moves, no_rotation, rotation, small_county
from tests.people import member
from toolkit.effects.rotation_data import (
    DOSE_FLOWS,
    build_rotation_sample,
    sum_doses,
    sum_use,
    trace_rotation,
)
from toolkit.standards import load_standard

STANDARD = load_standard("national_2017")


@pytest.fixture(scope="module")
def grouped():
    members = [member("1", role="lead", start_year=2021), member("4", start_year=2022)]
    return trace_rotation(small_county(rotations=moves(), school_groups=members), STANDARD)


def sample_of(*counties, outcome="R1", **options):
    """Return the primary panel; its outcome is a number per year that every school has."""
    given = [with_outcome(one, outcome) for one in counties]
    return build_rotation_sample(given, stage="primary", outcome=outcome, **options)


def with_outcome(county, outcome):
    values = np.arange(county.panel.measures["enrolment"].size, dtype=float)
    measures = {**county.panel.measures, outcome: values.reshape(county.panel.measures["enrolment"].shape)}
    return replace(county, panel=replace(county.panel, measures=measures))


def row_of(sample, school):
    return sample.units.index[sample.units["school"] == school][0]


def test_the_use_of_spells_adds_up_to_all_with_those_fully_used_first():
    use = sum_use([rotation()])
    assert use.to_numpy().tolist() == [["rotation_used", 10], ["rotation_sender_unknown", 1]]
    assert sum_use([rotation(), rotation()])["n_spells"].tolist() == [20, 2]


def test_teachers_in_and_out_are_those_of_the_spells():
    doses = sum_doses([rotation()]).set_index("year")
    assert doses["stage"].unique().tolist() == ["primary"]
    # The records begin in 2021: the year before is known to have had none, earlier ones are not known.
    assert doses.index.tolist() == [2020, 2021, 2022, 2023, 2024, 2025]
    assert doses["inflow"].tolist() == pytest.approx([0, 2, 2, 8, 8, 9])
    assert doses["outflow"].tolist() == pytest.approx([0, 2, 2, 8, 8, 8])
    assert doses["backbone_inflow"].tolist() == pytest.approx([0, 0, 0, 4, 4, 4])
    assert doses["first_year_inflow"].tolist() == pytest.approx([0, 2, 0, 8, 0, 1])


def test_two_counties_have_the_sum_of_both():
    one, two = sum_doses([rotation()]), sum_doses([rotation(), rotation()])
    np.testing.assert_allclose(two[list(DOSE_FLOWS)], 2 * one[list(DOSE_FLOWS)])


def test_a_flow_of_a_sample_is_that_of_the_school_per_100_students():
    sample = sample_of(rotation())
    at = sample.years.index(2023)
    for school, received, sent in (("4", 3, 1), ("1", 1, 3), ("5", 2, 1)):
        row = row_of(sample, school)
        assert sample.flows["inflow"][row, at] == pytest.approx(100 * received / PUPILS[school])
        assert sample.teachers("outflow")[row, at] == pytest.approx(sent)
        assert sample.mean_enrolment[row] == PUPILS[school]


def test_a_rate_at_mean_enrolment_moves_with_teachers_only():
    sample = sample_of(rotation())
    growing = replace(
        sample,
        enrolment=sample.enrolment * np.linspace(0.5, 1.5, len(sample.years)),
        flows={name: rate / np.linspace(0.5, 1.5, len(sample.years)) for name, rate in sample.flows.items()},
    )
    np.testing.assert_allclose(growing.steady_per_100("inflow"), sample.steady_per_100("inflow"))


def test_schools_used_and_left_out_are_all_of_the_stage():
    county = with_outcome(rotation(), "R1")
    county.panel.measures["R1"][2] = np.nan
    sample = build_rotation_sample([county], stage="primary", outcome="R1")
    assert len(sample.units) + len(sample.left_out) == len(LOCATIONS)
    assert sample.left_out["reason"].tolist() == ["sample_few_years"]
    assert len(sample.outcomes) == len(sample.units) == 4


def test_links_are_pairs_of_schools_in_the_years_of_their_spells():
    sample = sample_of(rotation())
    names = sample.units["school"].tolist()
    found = {(*sorted((names[a], names[b])), sample.years[year]) for a, b, year in sample.links}
    early = {("2", "3", year) for year in (2021, 2022)} | {("1", "5", year) for year in (2021, 2022)}
    pairs = {("1", "3"), ("1", "4"), ("2", "4"), ("2", "5"), ("3", "5")}
    assert found == early | {(*pair, year) for pair in pairs for year in (2023, 2024, 2025)}
    assert len(found) == len(sample.links)


def test_the_share_of_spells_without_a_school_is_that_of_all_counties():
    assert sample_of(rotation()).unmatched_share == pytest.approx(1 / 11)
    assert sample_of(rotation(), no_rotation()).unmatched_share == pytest.approx(1 / 11)


def test_joining_a_group_is_held_fixed_and_what_never_varies_is_left_out(grouped):
    assert sample_of(rotation()).control_names == ()
    sample = sample_of(grouped)
    assert sample.control_names == (
        "control_member_before", "control_member_0", "control_member_1", "control_member_2", "control_lead",
    )  # fmt: skip
    joined = sample.controls[row_of(sample, "4")]
    assert joined.sum(axis=1).tolist() == [0, 0, 0, 1, 1, 1, 1, 1]
    lead = sample.controls[row_of(sample, "1"), :, 4]
    assert lead.tolist() == [0, 0, 0, 1, 1, 1, 1, 1]
    assert sample_of(grouped, with_controls=False).controls.shape[2] == 0


def test_moves_between_schools_of_one_group_are_told_apart(grouped):
    sample = sample_of(grouped)
    row, at = row_of(sample, "4"), sample.years.index(2023)
    # Of three teachers one is of the backbone: from the lead of the same group.
    inside, outside = (sample.teachers(f"backbone_{name}")[row, at] for name in ("inside", "outside"))
    assert inside + outside == pytest.approx(sample.teachers("backbone_inflow")[row, at])
    assert inside == pytest.approx(1)


def test_counties_are_stacked_with_their_own_links_and_block():
    one = sample_of(rotation())
    two = sample_of(rotation(), rotation())
    assert two.blocks.tolist() == [0] * 5 + [1] * 5
    assert len(two.links) == 2 * len(one.links)
    np.testing.assert_array_equal(two.links[len(one.links) :, :2], one.links[:, :2] + 5)
    np.testing.assert_array_equal(two.flows["inflow"][5:], one.flows["inflow"])


def test_schools_count_alike_or_by_enrolment():
    assert sample_of(rotation()).weights.tolist() == list(PUPILS.values())
    assert sample_of(rotation(), weighting="school").weights.tolist() == [1.0] * 5


def test_a_stage_without_outcome_is_an_empty_panel():
    sample = build_rotation_sample([rotation()], stage="primary", outcome="achievement")
    assert len(sample.units) == 0
    assert len(sample.left_out) == 5
    assert sample.controls.shape[0] == 0


def test_an_outcome_that_a_county_does_not_know_is_an_error():
    with pytest.raises(ValueError, match="outcome must be one of"):
        build_rotation_sample([rotation()], stage="primary", outcome="happiness")


def test_a_county_without_records_has_no_spells_and_no_share():
    assert len(no_rotation().placed) == 0
    assert sum_use([no_rotation()]).empty
    assert sum_doses([no_rotation()]).empty
    assert np.isnan(sample_of(no_rotation()).unmatched_share)


def test_tidy_has_a_row_for_each_school_and_year():
    sample = sample_of(rotation())
    table = sample.tidy()
    assert len(table) == 5 * len(sample.years)
    assert table.groupby("year")["inflow"].count().loc[2023] == 5
    assert isinstance(table, pd.DataFrame)
