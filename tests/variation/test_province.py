"""Counties of a province together: bands, quantiles, Theil within and between; teachers counted."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from toolkit.data.reading.pools import arrow_schema
from toolkit.data.schema import TABLES, conform
from toolkit.data.simulate import SimulationSettings, simulate_county
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.standards import load_standard
from toolkit.variation.coefficients import judge_coefficients
from toolkit.variation.inequality import combine_theil, decompose_theil, theil
from toolkit.variation.province import BANDS, describe_province
from toolkit.variation.province_staff import count_staff, describe_staff, load_staff_counts

STANDARD = load_standard("national_2017")
SETTINGS = SimulationSettings(n_schools=20, n_years=3, with_teachers=False, with_scores=False)


@pytest.fixture(scope="module")
def counties():
    return [simulate_county(replace(SETTINGS, county_number=n), seed=n).county for n in (1, 2, 3)]


@pytest.fixture(scope="module")
def province(counties):
    return describe_province(counties, STANDARD)


def groups_of(amount, students, member):
    rows = [
        (name, int((member == name).sum()), amount[member == name].sum(), students[member == name].sum(),
         theil(amount[member == name], students[member == name]))
        for name in dict.fromkeys(member)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["location", "n_schools", "amount", "students", "theil"])


def test_theil_of_two_counties_is_the_one_computed_by_hand():
    # Two counties of one pupil in each of two schools: 1 and 3 units, and 4 and 4: 12 units in all.
    found = combine_theil(
        groups_of(np.array([1.0, 3.0, 4.0, 4.0]), np.ones(4), np.array(["a", "a", "b", "b"]))
    )
    inside = 0.25 * math.log(0.25 * 2) + 0.75 * math.log(0.75 * 2)
    assert found.within == pytest.approx(4 / 12 * inside, rel=1e-12)
    between = 4 / 12 * math.log((4 / 12) / 0.5) + 8 / 12 * math.log((8 / 12) / 0.5)
    assert found.between == pytest.approx(between, rel=1e-12)
    total = sum(x / 12 * math.log(x / 12 * 4) for x in (1, 3, 4, 4))
    assert found.total == pytest.approx(total, rel=1e-12)


def test_counties_put_together_equal_the_decomposition_over_all_their_schools():
    rng = np.random.default_rng(3)
    amount, students = rng.gamma(2, 5, 60), rng.integers(20, 900, 60).astype(float)
    amount[7] = 0.0
    member = rng.choice(["a", "b", "c"], 60)
    whole, parts = (
        decompose_theil(amount, students, member),
        combine_theil(groups_of(amount, students, member)),
    )
    for name in ("total", "within", "between"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), rel=1e-12)
    assert whole.total == pytest.approx(theil(amount, students), rel=1e-12)


@pytest.mark.parametrize("change", ["scale", "replication", "order"])
def test_theil_of_a_province_does_not_depend_on_unit_size_or_order(change):
    rng = np.random.default_rng(4)
    amount, students = rng.gamma(2, 5, 30), rng.integers(20, 900, 30).astype(float)
    groups = groups_of(amount, students, rng.choice(["a", "b"], 30))
    other = {
        "scale": groups.assign(amount=groups["amount"] * 15),
        "replication": groups.assign(amount=groups["amount"] * 2, students=groups["students"] * 2),
        "order": groups.iloc[::-1],
    }[change]
    one, two = combine_theil(groups), combine_theil(other)
    assert (two.total, two.within, two.between) == pytest.approx(
        (one.total, one.within, one.between), rel=1e-12
    )


def test_a_county_without_the_resource_counts_between_and_not_within():
    groups = pd.DataFrame(
        {
            "location": ["a", "b"],
            "n_schools": 1,
            "amount": [0.0, 5.0],
            "students": 10.0,
            "theil": [np.nan, 0.0],
        }
    )
    found = combine_theil(groups)
    assert found.within == 0
    assert found.between == pytest.approx(math.log(2), rel=1e-12)


def test_the_theil_of_a_province_is_that_of_all_its_schools(counties, province):
    year, parts = province.years[-1], []
    for county in counties:
        resources = compute_resource_indicators(county, STANDARD)
        at = resources.select(year=year, stage="primary")
        own = resources.units.iloc[at].assign(amount=resources.amount[at, 3], county=county.county_id)
        parts.append(own.dropna(subset=["amount", "enrolment"]))
    schools = pd.concat(parts)
    expected = decompose_theil(schools["amount"], schools["enrolment"], schools["county"])
    found = province.inequality.query("year == @year and stage == 'primary' and indicator == 'R4'").iloc[0]
    assert found["n_counties"] == 3
    assert found["theil"] == pytest.approx(expected.total, rel=1e-10)
    assert found["theil_between"] == pytest.approx(expected.between, rel=1e-10)
    assert found["theil"] == pytest.approx(found["theil_within"] + found["theil_between"], rel=1e-12)


@pytest.mark.slow
def test_bands_count_every_county_once_and_quantiles_are_those_of_the_coefficients(counties, province):
    year = province.years[-1]
    for row in province.limits.query("year == @year").to_dict("records"):
        assert sum(row[f"n_{band}"] for band in BANDS) == 3
        found = []
        for county in counties:
            resources = compute_resource_indicators(county, STANDARD)
            own = judge_coefficients(resources, year=year, stage=row["stage"])
            found.append(own.set_index("indicator").loc[row["indicator"]])
        values = [one["coefficient"] for one in found]
        assert row["median"] == pytest.approx(sorted(values)[1], rel=1e-12)
        assert (row["least"], row["greatest"]) == pytest.approx((min(values), max(values)), rel=1e-12)
        assert row["n_pass"] == sum(one["verdict"] == "pass" for one in found)
        near = sum(
            abs(one["coefficient"] - one["limit"]) <= STANDARD.near_limit and one["verdict"] != "undecided"
            for one in found
        )
        assert row["n_band_near"] == near


def test_the_order_of_the_counties_does_not_matter(counties, province):
    other = describe_province(list(reversed(counties)), STANDARD)
    pd.testing.assert_frame_equal(other.counties, province.counties)
    pd.testing.assert_frame_equal(other.inequality, province.inequality)


@pytest.mark.slow
def test_trends_compare_only_counties_that_have_every_year(counties, province):
    years = province.years
    third = counties[2]
    own = third.tables["school_years"]
    late = replace(third, tables={**third.tables, "school_years": own[own["year"] > years[0]]})
    found = describe_province([*counties[:2], late], STANDARD)
    assert set(province.trends["n_counties"]) == {3}
    assert set(found.trends["n_counties"]) == {2}
    two = describe_province(counties[:2], STANDARD)
    pd.testing.assert_frame_equal(found.trends, two.trends)


def test_a_standard_that_limits_the_mean_has_one_limit_a_stage(counties):
    found = describe_province(counties[:1], load_standard("national_2012"))
    judged = found.counties[found.counties["band"] != ""]
    assert set(judged["indicator"]) == {"composite"}
    assert set(found.met["n_limits"]) <= {1, 2}


def test_teachers_counted_from_a_file_equal_those_counted_from_rows(tmp_path):
    rng = np.random.default_rng(8)
    n = 4000
    rows = pd.DataFrame(
        {
            "teacher_id": [f"T{at}" for at in range(n)],
            "year": rng.choice([2023, 2024], n),
            "school_id": rng.choice(["0001", "0002", "0003", None], n),
            "stage": rng.choice(["primary", "junior", None], n, p=[0.6, 0.3, 0.1]),
            "qualification": rng.choice(["college", "bachelor", "master", None], n),
            "title": rng.choice(["first_title", "senior_title", None], n),
            "established_post": rng.choice([True, False, None], n),
        }
    )
    roll = conform(rows, TABLES["teachers"]).assign(county_id=rng.choice(["990101", "990102"], n))
    names = [name for name in arrow_schema(TABLES["teachers"]).names if name in roll]
    roll[names].to_parquet(tmp_path / "teachers.parquet", index=False)
    found, expected = load_staff_counts(tmp_path / "teachers.parquet"), count_staff(roll)
    pd.testing.assert_frame_equal(found, expected)
    table = describe_staff(found)
    own = roll[(roll["county_id"] == "990101") & (roll["year"] == 2024) & (roll["stage"] == "primary")]
    own = own.dropna(subset=["school_id"])
    row = table.query("county_id == '990101' and year == 2024 and stage == 'primary'").iloc[0]
    known = own["title"].dropna()
    assert row["n_teachers"] == len(own)
    assert row["senior_share"] == pytest.approx((known == "senior_title").mean(), rel=1e-12)
