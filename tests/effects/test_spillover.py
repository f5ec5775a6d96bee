"""Spillover: planted effects on neighbours come back, and without untouched schools it is refused."""

from dataclasses import replace

import numpy as np
import pytest

from tests.effects.samples import YEARS, make_study, make_units, never
from toolkit.effects.adoption_data import AdoptionData
from toolkit.effects.event_study import EventStudySettings, estimate_event_study
from toolkit.effects.nearness import exposure_to_neighbours, find_near_adopters
from toolkit.effects.sample_rules import SampleRules
from toolkit.effects.spillover import OWN_CODES, compare_without_neighbours, estimate_spillover
from toolkit.indicators.adoption_units import mark_neighbours
from toolkit.indicators.distances import great_circle_km
from toolkit.vocabulary import has_sentence, has_term

BARE = SampleRules(covariates=())
SETTINGS = EventStudySettings(anticipation=1, n_draws=199)
WHICH = {"stage": "primary", "outcome": "achievement", "rules": BARE}
N_TOWNS, N_FAR = 6, 10


def study_of(rng, *, spillover=0.1, noise=0.02, far=N_FAR):
    """Return data of towns with two adopters (2021 or 2022) and two neighbours, and of towns without."""
    years, towns = [], []
    for town in range(N_TOWNS):
        years += [(2021, 2022)[town % 2]] * 2 + never(2)
        towns += [f"镇{town}"] * 4
    years += never(2 * far)
    towns += [f"远{number // 2}" for number in range(2 * far)]
    groups = [f"集团{number // 4}" for number in range(4 * N_TOWNS)] + [""] * 2 * far
    units = make_units(years, groups=groups, town=towns, longitude=np.nan, latitude=np.nan)
    units = mark_neighbours(units.assign(first_code=units["school"]))
    first = units["adoption_year"].fillna(units["neighbour_year"]).fillna(np.inf).to_numpy()
    size = np.where(units["adoption_year"].notna(), 0.3, spillover)
    after = np.array(YEARS) >= first[:, None]
    outcomes = rng.normal(size=(len(units), 1)) + noise * rng.normal(size=after.shape) + size[:, None] * after
    return AdoptionData((make_study(units, achievement=outcomes),))


def test_the_effect_on_neighbours_comes_back_without_noise():
    found = estimate_spillover(study_of(np.random.default_rng(0), noise=1e-9), SETTINGS, **WHICH)
    assert found.refusals == ()
    assert found.average["effect"][0] == pytest.approx(0.1, abs=1e-7)
    assert found.counts == {"near": 12, "not_near": 20, "unusable": 0}
    before = found.table[found.table["event_time"] < 0]
    assert before["effect"].abs().max() < 1e-7
    assert set(found.sample.left_out["reason"]) == {"spillover_joined_itself"}


def test_exposed_schools_cluster_by_the_group_near_them_and_others_by_town():
    found = estimate_spillover(study_of(np.random.default_rng(1)), SETTINGS, **WHICH)
    assert len(set(found.sample.clusters)) == N_TOWNS + N_FAR
    exposed = found.sample.units["adoption_year"].notna().to_numpy()
    assert len(set(found.sample.clusters[exposed])) == N_TOWNS
    row = found.average.iloc[0]
    assert abs(row["effect"] - 0.1) < 4 * row["std_error"]


def test_without_any_school_away_from_adopters_it_is_refused():
    found = estimate_spillover(study_of(np.random.default_rng(2), far=0), SETTINGS, **WHICH)
    assert [one.code for one in found.refusals] == ["spillover_everyone_near"]
    assert found.refusals[0].numbers == {"schools": 12}
    assert found.table.empty
    assert found.average["effect"].isna().all()


def test_without_neighbours_or_with_few_it_is_refused_in_words_of_neighbours():
    units = make_units([2021, 2021, 2021, *never(8)], town=["甲"] * 3 + ["乙"] * 8)
    data = AdoptionData((make_study(units),))
    assert estimate_spillover(data, SETTINGS, **WHICH).refusals[0].code == "spillover_no_neighbours"
    few = units.assign(town=["甲"] * 5 + ["乙"] * 6)
    found = estimate_spillover(AdoptionData((make_study(few),)), SETTINGS, **WHICH)
    assert found.refusals[0].code == "spillover_too_few_clusters"


def test_near_by_distance_is_the_first_adoption_within_the_limit():
    places = {"latitude": 0.0, "longitude": [0.0, 0.01, 0.02, 1.0]}
    units = make_units([2022, 2020, None, None], town=np.nan, **places)
    adoption, _ = make_study(units)
    near = find_near_adopters(adoption, nearness="distance", distance_km=3.0)
    assert near.years.tolist()[:3] == [2020, 2022, 2020]
    assert np.isnan(near.years[3])
    assert near.groups.tolist() == ["集团1", "集团0", "集团1", ""]
    closer = find_near_adopters(adoption, nearness="distance", distance_km=0.5)
    assert np.isnan(closer.years).all()
    by_town = find_near_adopters(adoption, nearness="town", distance_km=3.0)
    assert not by_town.is_placed.any()
    changed = exposure_to_neighbours(adoption, by_town).units
    assert changed["reason"].tolist() == ["spillover_joined_itself"] * 2 + ["spillover_place_unknown"] * 2
    with pytest.raises(ValueError, match="nearness must be one of"):
        find_near_adopters(adoption, nearness="road", distance_km=1.0)


def test_a_school_of_another_stage_and_an_adoption_after_the_data_are_not_near():
    units = make_units([2030, 2021, None], town="甲", stage=["primary", "junior", "primary"])
    adoption, _ = make_study(units)
    near = find_near_adopters(adoption, nearness="town", distance_km=1.0)
    assert np.isnan(near.years).all()


def test_one_degree_of_latitude_is_its_share_of_the_great_circle():
    found = great_circle_km(np.array([[30.0, 110.0]]), np.array([[31.0, 110.0], [30.0, np.nan]]))
    assert found[0, 0] == pytest.approx(2 * np.pi * 6371 / 360)
    assert np.isnan(found[0, 1])


def test_the_main_estimate_without_neighbours_is_that_of_the_rule_and_the_bias_shows():
    data = study_of(np.random.default_rng(3), noise=0.05)
    sample = data.sample(stage="primary", outcome="achievement", rules=BARE)
    table = compare_without_neighbours(sample, SETTINGS).table.set_index("sample")
    rules = replace(BARE, without_neighbours=True)
    alone = data.sample(stage="primary", outcome="achievement", rules=rules)
    for name, one in (("comparison_all", sample), ("comparison_without_neighbours", alone)):
        average = estimate_event_study(one, SETTINGS).average
        assert table.at[name, "effect"] == pytest.approx(average.effect, abs=1e-12)
        assert table.at[name, "std_error"] == pytest.approx(average.std_error, rel=1e-9)
    assert table["n_comparison"].tolist() == [32, 20, 12]
    row = table.loc["difference_of_samples"]
    # 12 of 32 comparison schools gain 0.1 where their neighbours have joined: the estimate is too small.
    assert row["effect"] < 0
    assert row["effect"] == pytest.approx(table["effect"].iloc[0] - table["effect"].iloc[1])
    spread = np.hypot(*table["std_error"].iloc[:2])
    assert row["std_error"] < spread


@pytest.mark.slow
def test_the_standard_error_of_the_difference_is_its_scatter_over_samples():
    rng = np.random.default_rng(4)
    rows = []
    for _ in range(40):
        data = study_of(rng, noise=0.3, spillover=0.0)
        sample = data.sample(stage="primary", outcome="achievement", rules=BARE)
        rows.append(compare_without_neighbours(sample, replace(SETTINGS, n_draws=19)).table.iloc[2])
    effects = np.array([row["effect"] for row in rows])
    stated = np.mean([row["std_error"] for row in rows])
    assert abs(effects.mean()) < 4 * effects.std() / np.sqrt(40)
    assert 0.7 < stated / effects.std() < 1.4


def test_nothing_to_leave_out_or_nothing_left_is_refused():
    data = study_of(np.random.default_rng(5), far=0)
    sample = data.sample(stage="primary", outcome="achievement", rules=BARE)
    assert compare_without_neighbours(sample, SETTINGS).refusals[0].code == "neighbours_all"
    away = replace(sample, units=sample.units.assign(neighbour_year=np.nan))
    assert compare_without_neighbours(away, SETTINGS).refusals[0].code == "neighbours_none"


def test_a_second_county_just_alike_changes_neither_effect():
    data = study_of(np.random.default_rng(6), noise=0.3)
    adoption, panel = data.counties[0]
    twin = replace(adoption, county_id="990200", units=adoption.units.assign(county_id="990200"))
    both = AdoptionData(((adoption, panel), (twin, panel)))
    one, two = (estimate_spillover(each, SETTINGS, **WHICH) for each in (data, both))
    assert two.counts == {"near": 24, "not_near": 40, "unusable": 0}
    assert two.average["effect"][0] == pytest.approx(one.average["effect"][0])
    assert len(set(two.sample.clusters)) == 2 * (N_TOWNS + N_FAR)
    samples = [each.sample(stage="primary", outcome="achievement", rules=BARE) for each in (data, both)]
    tables = [compare_without_neighbours(sample, SETTINGS).table for sample in samples]
    np.testing.assert_allclose(tables[1]["effect"], tables[0]["effect"])


def test_codes_are_in_the_vocabulary():
    codes = [*OWN_CODES.values(), "spillover_everyone_near", "neighbours_all", "neighbours_none"]
    assert [code for code in codes if not has_sentence(code)] == []
    terms = ["spillover_joined_itself", "spillover_place_unknown", "comparison_all", "difference_of_samples"]
    assert [name for name in terms if not has_term(name)] == []
