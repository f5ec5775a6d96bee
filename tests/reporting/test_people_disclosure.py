"""What the public edition shows of teachers and tested pupils."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from tests.people import member, school, school_year, spell, teacher, with_tables
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.reporting.edition import minimum_cell
from toolkit.reporting.people_disclosure import (
    flows_fully_shown,
    places_of_flows,
    suppress_placements,
    suppress_rotation_flows,
    suppress_rotation_profile,
    suppress_rotation_shares,
    suppress_rotation_towns,
    suppress_segregation,
    withheld_flows,
)
from toolkit.reporting.people_findings import find_programmes
from toolkit.standards import load_standard
from toolkit.tables.programmes import (
    tabulate_placements,
    tabulate_rotation_flows,
    tabulate_rotation_profile,
    tabulate_rotation_shares,
    tabulate_rotation_towns,
)
from toolkit.tables.segregation import tabulate_segregation
from toolkit.variation.programmes import describe_programmes
from toolkit.variation.pupil_segregation import compute_pupil_segregation
from toolkit.variation.rotation import describe_rotation
from toolkit.variation.rotation_dispersion import compare_placements

STANDARD = load_standard("national_2017")
PLACES = {"1": "urban", "2": "rural", "3": "town_area"}
SCHOOLS = [school(code, location=place) for code, place in PLACES.items()]
YEARS = [school_year(code, backbone_teachers_primary=20, pe_teachers_primary=3) for code in "123"]


def county(flows, backbone=15, **tables):
    """Return a county with so many teachers on each way; the first ones are backbone teachers."""
    ways = [way for way, count in flows.items() for _ in range(count)]
    spells = [
        spell(f"t{number}", sent, taken, backbone=number % (len(ways) // backbone or 1) == 0)
        for number, (sent, taken) in enumerate(ways)
    ]
    roster = [teacher(f"t{number}", sent) for number, (sent, _) in enumerate(ways)]
    return with_tables(SCHOOLS, YEARS, rotations=spells, teachers=roster, **tables)


@pytest.fixture(scope="module")
def rotation():
    flows = {("1", "2"): 40, ("1", "3"): 4, ("2", "1"): 12, ("3", "2"): 15, ("2", "3"): 11}
    return describe_rotation(county(flows), STANDARD, year=2025)


def shown(exhibit, names):
    return {name: exhibit.data[name].tolist() for name in names}


def test_the_internal_edition_shows_every_count(rotation):
    profile = tabulate_rotation_profile(rotation, "zh")
    assert suppress_rotation_profile(profile, rotation, edition="internal") is profile
    flows = tabulate_rotation_flows(rotation, "zh")
    assert suppress_rotation_flows(flows, rotation, edition="internal") is flows
    assert withheld_flows(rotation, edition="internal") is None
    assert (places_of_flows("internal"), places_of_flows("public")) == ("towns", "locations")


def test_the_public_edition_shows_no_count_of_one_to_nine_teachers(rotation):
    profile = suppress_rotation_profile(tabulate_rotation_profile(rotation, "zh"), rotation, edition="public")
    flows = suppress_rotation_flows(tabulate_rotation_flows(rotation, "zh"), rotation, edition="public")
    shares = suppress_rotation_shares(tabulate_rotation_shares(rotation, "zh"), rotation, edition="public")
    counts = [
        *shown(profile, ["moved", "backbone", "others", "eligible"]).values(),
        *shown(flows, [c.name for c in flows.columns if c.is_numeric]).values(),
        *shown(shares, ["moved", "backbone", "eligible"]).values(),
    ]
    seen = [value for values in counts for value in values if value is not None and not pd.isna(value)]
    assert seen
    assert not [value for value in seen if 0 < float(value) < minimum_cell()]


def test_withheld_flows_do_not_follow_from_their_totals(rotation):
    flows = suppress_rotation_flows(tabulate_rotation_flows(rotation, "zh"), rotation, edition="public")
    numbers = flows.data[[c.name for c in flows.columns if c.is_numeric]]
    hidden = np.array([[value is None or pd.isna(value) for value in row] for row in numbers.to_numpy()])
    assert hidden.any()
    assert 1 not in hidden.sum(axis=0).tolist()
    assert 1 not in hidden.sum(axis=1).tolist()


def test_the_profile_gives_no_flow_away_that_the_table_of_flows_withholds(rotation):
    assert not flows_fully_shown(rotation, "public")
    profile = suppress_rotation_profile(tabulate_rotation_profile(rotation, "zh"), rotation, edition="public")
    linked = rotation.profile["dimension"].isin(["location", "direction"]).to_numpy()
    assert profile.data.loc[linked, "moved"].isna().all()


def test_the_public_edition_lists_no_flows_between_towns(rotation):
    towns = tabulate_rotation_towns(rotation, "zh")
    assert suppress_rotation_towns(towns, edition="internal") is towns
    public = suppress_rotation_towns(towns, edition="public")
    assert public.data.empty
    assert "公开版" in public.empty_text


def test_a_share_is_withheld_with_its_count(rotation):
    profile = suppress_rotation_profile(tabulate_rotation_profile(rotation, "zh"), rotation, edition="public")
    hidden = profile.data["moved"].isna() & rotation.profile["eligible"].notna().to_numpy()
    assert hidden.any()
    assert profile.data.loc[hidden, "eligible_share"].isna().all()


def test_few_teachers_in_all_are_neither_in_the_table_nor_in_a_sentence():
    few = county({("1", "2"): 5, ("2", "1"): 3}, backbone=2, school_groups=[member("1"), member("2")])
    rotation = describe_rotation(few, STANDARD, year=2025)
    shares = suppress_rotation_shares(tabulate_rotation_shares(rotation, "en"), rotation, edition="public")
    assert shares.data[["moved", "backbone", "eligible_share", "teacher_share"]].isna().all(axis=None)
    placements = compare_placements(few, compute_resource_indicators(few, STANDARD), year=2025)
    found = find_programmes(describe_programmes(few, year=2025), rotation, placements, edition="public")
    numbers = {number.name: number.value for finding in found for number in finding.numbers}
    assert not {"moved", "backbone", "down", "eligible_share"} & set(numbers)
    table = suppress_placements(tabulate_placements(placements, "en"), placements, edition="public")
    assert not [v for v in table.data["full_time_equivalent"] if v is not None and 0 < v < minimum_cell()]


def test_what_the_county_entered_gives_no_withheld_count_away():
    items = [
        {"year": 2025, "item": "G11a", "item_numerator": 83, "item_denominator": 500},
        {"year": 2025, "item": "G11b", "item_numerator": 3, "item_denominator": 83},
    ]
    rotation = describe_rotation(
        county({("1", "2"): 83}, backbone=3, county_years=items), STANDARD, year=2025
    )
    shares = suppress_rotation_shares(tabulate_rotation_shares(rotation, "en"), rotation, edition="public")
    assert len(shares.data) == 2
    assert shares.data[["backbone", "backbone_share"]].isna().all(axis=None)
    assert shares.data["moved"].notna().all()


@pytest.mark.parametrize(("edition", "hidden"), [("internal", False), ("public", True)])
def test_the_index_of_few_tested_pupils_is_withheld_and_counts_of_schools_are_not(edition, hidden):
    scores = [
        {
            "student_id": f"{at}{n}",
            "year": 2025,
            "grade": 6,
            "subject": "chinese",
            "school_id": at,
            "prior_score": n,
        }
        for at, n in product("12", range(8))
    ]
    years = [school_year(code, migrant_students=int(code)) for code in "12"]
    found = compute_pupil_segregation(with_tables(SCHOOLS[:2], years, scores=scores), last_year=2025)
    exhibit = suppress_segregation(tabulate_segregation(found, "zh"), found.latest, edition=edition)
    data = exhibit.data.set_index(found.latest["pupils"].to_numpy())
    assert pd.isna(data.at["low_prior_pupils", "dissimilarity"]) == hidden
    assert data.at["migrant_pupils", "members"] == 3
