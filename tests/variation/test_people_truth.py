"""Groups and rotation of the demonstration county against what was planted in it."""

from dataclasses import replace

import pytest

from toolkit.data.simulate import DEMO, DEMO_SEED, simulate_county
from toolkit.indicators.exposure import compute_memberships, compute_rotation_spells
from toolkit.standards import load_standard
from toolkit.variation.programmes import describe_programmes
from toolkit.variation.rotation import describe_rotation


@pytest.fixture(scope="module")
def demo():
    return simulate_county(replace(DEMO, with_scores=False), seed=DEMO_SEED)


@pytest.fixture(scope="module")
def rotation(demo):
    return describe_rotation(demo.county, load_standard("national_2017"), year=DEMO.last_year)


def test_eligible_moved_and_backbone_teachers_are_those_planted_in_every_year(demo, rotation):
    counted = rotation.compliance[rotation.compliance["source"] == "counted_from_rows"]
    names = {"eligible": "eligible", "moved": "rotated", "backbone": "rotated_backbone"}
    found = [{name: int(row[own]) for own, name in names.items()} for row in counted.to_dict("records")]
    planted = [{name: row[name] for name in names.values()} for row in demo.truth["rotation"]["by_year"]]
    assert found == planted
    assert (counted["eligible_unknown"] == 0).all()


def test_what_the_county_entered_agrees_with_what_is_counted(rotation):
    years = rotation.compliance.groupby("year").filter(lambda rows: len(rows) == 2)
    assert len(years) >= 2
    for name in ("moved", "eligible", "backbone"):
        assert (years.groupby("year")[name].nunique() == 1).all()


def test_every_planted_spell_is_used_and_names_without_codes_are_counted(demo):
    spells = compute_rotation_spells(demo.county)
    assert len(spells.spells) == demo.truth["rotation"]["spells"]
    named = [entry["column"] for entry in demo.truth["free_text_schools"]]
    assert spells.n_sending_unmatched == named.count("sending_school_name")
    assert spells.n_receiving_unmatched == named.count("receiving_school_name")


def test_memberships_of_every_year_are_those_planted(demo):
    found = compute_memberships(demo.county)
    assert found.unusable.empty
    for year in range(DEMO.first_year, DEMO.last_year + 1):
        planted = {
            (entry["school_id"], entry["stage"], entry["programme"], entry["school_group"], entry["role"])
            for entry in demo.truth["programmes"]
            if entry["start_year"] <= year and not (entry["end_year"] or year) < year
        }
        own = found.in_year(year)[["school", "stage", "programme", "school_group", "role"]]
        assert set(own.itertuples(index=False, name=None)) == planted


def test_the_schools_that_left_are_those_whose_planted_membership_ended(demo):
    names = demo.county.tables["schools"].set_index("school_id")["school_name"]
    ended = {
        names[entry["school_id"]]
        for entry in demo.truth["programmes"]
        if entry["end_year"] == DEMO.last_year - 1
    }
    groups = describe_programmes(demo.county, year=DEMO.last_year).school_groups
    assert {name for left in groups["left"] for name in left} == ended
    assert ended
