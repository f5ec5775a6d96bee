"""Effects by subgroup: planted differences come back, comparison is shared, small subgroups are refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.effects.samples import YEARS, make_study, make_units, never
from toolkit.effects.adoption_data import AdoptionData
from toolkit.effects.adoption_panel import build_adoption_sample
from toolkit.effects.event_study import EventStudySettings, estimate_event_study
from toolkit.effects.heterogeneity import UNKNOWN, adjust_over_divisions, estimate_heterogeneity
from toolkit.effects.joint_effects import adjust_p_values, compute_equality_test
from toolkit.effects.sample_rules import SampleRules
from toolkit.effects.subgroups import label_subgroups
from toolkit.inference.clusters import ClusterInfluence, cluster_std_errors
from toolkit.vocabulary import has_sentence, has_term

BARE = SampleRules(covariates=(), role="any")
SETTINGS = EventStudySettings(anticipation=1, n_draws=199)
SIZE, N_GROUPS, N_NEVER = 3, 8, 40


def study_of(rng, *, effects=None, noise=0.05, level=None, doses=None, **columns):
    """Return the data and sample of eight groups of three; odd ones join in 2022, the others in 2021."""
    dates = [(2021, 2022)[group % 2] for group in range(N_GROUPS) for _ in range(SIZE)]
    groups = [f"集团{group}" for group in range(N_GROUPS) for _ in range(SIZE)] + [""] * N_NEVER
    units = make_units([*dates, *never(N_NEVER)], groups=groups, **columns)
    after = np.array(YEARS) >= units["adoption_year"].fillna(np.inf).to_numpy()[:, None]
    base = rng.normal(size=(len(units), 1)) if level is None else np.asarray(level)[:, None]
    outcomes = base + noise * rng.normal(size=after.shape)
    outcomes += after * (np.full(len(units), 0.2) if effects is None else np.asarray(effects))[:, None]
    adoption, panel = make_study(units, achievement=outcomes)
    if doses is not None:
        adoption = replace(adoption, doses=doses)
    sample = build_adoption_sample(adoption, panel, stage="primary", outcome="achievement", rules=BARE)
    return AdoptionData(((adoption, panel),)), sample


def by_group(odd, even):
    """Return one value per adopter: groups alternate in pairs, so that each half has both years."""
    return [(odd, even)[group // 2 % 2] for group in range(N_GROUPS) for _ in range(SIZE)]


def forms(unknown=0):
    own = by_group("close_form", "loose_form")
    return [*[np.nan] * unknown, *own[unknown:], *[""] * N_NEVER]


def planted(close, loose):
    return [*by_group(close, loose), *[0.0] * N_NEVER]


def test_without_noise_the_effect_of_each_form_comes_back():
    data, sample = study_of(np.random.default_rng(0), effects=planted(0.1, 0.4), noise=0.0, form=forms())
    found = estimate_heterogeneity(data, sample, SETTINGS, by="form")
    assert found.table["subgroup"].tolist() == ["close_form", "loose_form"]
    assert found.table["effect"].tolist() == [pytest.approx(0.1), pytest.approx(0.4)]
    assert found.table["n_schools"].tolist() == [12, 12]
    assert found.table["n_clusters"].tolist() == [4, 4]
    assert set(found.table["caution"]) == {"guard_few_clusters"}
    assert found.differences["effect"].tolist() == [pytest.approx(-0.3)]


def test_with_schools_that_never_joined_each_effect_is_that_of_a_study_without_the_other_subgroups():
    data, sample = study_of(np.random.default_rng(1), form=forms())
    settings = replace(SETTINGS, comparison="never")
    found = estimate_heterogeneity(data, sample, settings, by="form")
    for position, form in enumerate(["close_form", "loose_form"]):
        adoption, panel = data.counties[0]
        units = adoption.units
        other = units["status"].eq("adopter") & units["form"].ne(form)
        gone = units.assign(
            status=units["status"].mask(other, "unusable"), reason=np.where(other, "unit_other_programme", "")
        )
        alone = build_adoption_sample(
            replace(adoption, units=gone), panel, stage="primary", outcome="achievement", rules=BARE
        )
        average = estimate_event_study(alone, settings).average
        row = found.table.iloc[position]
        assert row["effect"] == pytest.approx(average.effect, abs=1e-12)
        assert row["std_error"] == pytest.approx(average.std_error, rel=1e-12)
        assert row["detectable"] == pytest.approx(average.detectable)


def test_the_covariance_of_two_subgroups_is_that_of_their_shared_comparison():
    data, sample = study_of(np.random.default_rng(2), form=forms(), noise=0.3)
    found = estimate_heterogeneity(data, sample, replace(SETTINGS, comparison="never"), by="form")
    own = found.influence.contributions
    shared = own[:, 0] @ own[:, 1]
    treated = np.array(["group|" in name for name in found.influence.clusters])
    # Groups are in one subgroup each: what the two share comes from schools that never joined.
    assert own[treated, 0] @ own[treated, 1] == 0
    assert shared == pytest.approx(own[~treated, 0] @ own[~treated, 1])
    assert shared > 0
    errors = found.table["std_error"].to_numpy()
    expected = np.sqrt(errors[0] ** 2 + errors[1] ** 2 - 2 * shared)
    assert found.differences["std_error"][0] == pytest.approx(expected)


def test_an_adopter_of_another_subgroup_compares_until_its_own_anticipation():
    data, sample = study_of(np.random.default_rng(3), form=forms(), noise=0.3)
    found = estimate_heterogeneity(data, sample, SETTINGS, by="form")
    study = found.studies["close_form"]
    late = sample.units["adoption_year"].eq(2022) & sample.units["form"].eq("loose_form")
    position = list(study.sample.units["school"]).index(sample.units["school"][late].iloc[0])
    known = np.isfinite(study.sample.outcomes[position])
    assert study.sample.periods[known].tolist() == [year for year in YEARS if year < 2021]
    assert np.isinf(study.sample.cohorts[position])


def test_the_joint_test_is_the_squared_t_of_two_effects_and_hotelling_of_three():
    rng = np.random.default_rng(4)
    own = rng.normal(size=(30, 3))
    own -= own.mean(axis=0)
    influence = ClusterInfluence(np.arange(30), own / 30 * np.sqrt(30 / 29))
    effects = np.array([0.1, 0.3, 0.2])
    two = compute_equality_test(
        effects[:2], ClusterInfluence(influence.clusters, influence.contributions[:, :2])
    )
    moved = influence.contributions[:, 0] - influence.contributions[:, 1]
    t = 0.2 / np.sqrt(moved @ moved)
    assert two.statistic == pytest.approx(t**2)
    assert two.p_value == pytest.approx(2 * stats.t.sf(t, two.denominator_degrees))
    three = compute_equality_test(effects, influence)
    contrasts = np.array([[-1.0, 1, 0], [-1, 0, 1]])
    sample_covariance = np.cov(own @ contrasts.T, rowvar=False) / 30
    hotelling = (contrasts @ effects) @ np.linalg.inv(sample_covariance) @ (contrasts @ effects)
    assert three.wald == pytest.approx(hotelling)
    clusters = three.denominator_degrees + 2
    assert three.statistic == pytest.approx(hotelling * (clusters - 2) / ((clusters - 1) * 2))


def test_the_order_of_the_effects_does_not_change_the_joint_test():
    rng = np.random.default_rng(5)
    influence = ClusterInfluence(np.arange(20), rng.normal(size=(20, 4)))
    effects = rng.normal(size=4)
    order = [2, 0, 3, 1]
    one = compute_equality_test(effects, influence)
    other = compute_equality_test(
        effects[order], ClusterInfluence(np.arange(20), influence.contributions[:, order])
    )
    assert one.p_value == pytest.approx(other.p_value)
    assert compute_equality_test(
        effects[:1], ClusterInfluence(np.arange(20), rng.normal(size=(20, 1)))
    ).refusal
    same = ClusterInfluence(np.arange(20), np.repeat(influence.contributions[:, :1], 3, axis=1))
    assert compute_equality_test(effects[:3], same).refusal == "equality_singular"


def test_adjusted_p_values_of_one_are_its_own_and_of_independent_ones_those_of_the_least_of_them():
    p_values = np.array([0.02, 0.4, 0.6])
    apart = ClusterInfluence(np.arange(30), np.kron(np.eye(3), np.ones((10, 1))))
    found = adjust_p_values(p_values, apart, seed=1, n_draws=20_000)
    assert found[0] == pytest.approx(1 - 0.98**3, abs=0.005)
    assert found[1] == pytest.approx(1 - 0.6**2, abs=0.02)
    assert found[2] == pytest.approx(max(0.6, found[1]), abs=0.02)
    same = ClusterInfluence(np.arange(30), np.ones((30, 3)))
    assert adjust_p_values(p_values, same, seed=1, n_draws=20_000) == pytest.approx(p_values, abs=0.02)
    blank = adjust_p_values(np.array([0.02, np.nan, 0.6]), apart, seed=1, n_draws=999)
    assert np.isnan(blank).tolist() == [False, True, False]


def test_a_subgroup_with_too_few_groups_and_schools_of_no_known_form_are_rows_with_a_code():
    own = [*["close_form"] * 18, *["loose_form"] * 5, np.nan, *[""] * N_NEVER]
    data, sample = study_of(np.random.default_rng(6), form=own)
    found = estimate_heterogeneity(data, sample, SETTINGS, by="form")
    table = found.table.set_index("subgroup")
    assert table.at["loose_form", "refusal"] == "guard_too_few_clusters"
    assert table.at[UNKNOWN, "refusal"] == "subgroup_not_known"
    assert table.at["close_form", "refusal"] == ""
    assert found.refusals["loose_form"].numbers["clusters"] == 2
    assert table.loc[["loose_form", UNKNOWN], "effect"].isna().all()
    assert found.equality.refusal == "equality_one_effect"
    assert found.differences.empty


def test_leads_and_members_are_told_apart_though_the_sample_has_members_alone():
    roles = ["lead", "member", "member"] * N_GROUPS + [""] * N_NEVER
    effects = [0.0, 0.3, 0.3] * N_GROUPS + [0.0] * N_NEVER
    data, _ = study_of(np.random.default_rng(7), effects=effects, noise=1e-9, role=roles)
    members = data.sample(stage="primary", outcome="achievement", rules=SampleRules(covariates=()))
    found = estimate_heterogeneity(data, members, SETTINGS, by="role")
    assert found.table.set_index("subgroup")["effect"].to_dict() == {
        "lead": pytest.approx(0.0, abs=1e-8),
        "member": pytest.approx(0.3, abs=1e-8),
    }
    assert not found.is_descriptive


def test_stages_are_compared_with_groups_as_shared_clusters():
    data, _ = study_of(np.random.default_rng(8), noise=0.2)
    adoption, panel = data.counties[0]
    both = pd.concat([adoption.units, adoption.units.assign(stage="junior")], ignore_index=True)
    values = {name: np.vstack([own, own]) for name, own in panel.measures.items() if name != "log_enrolment"}
    data = AdoptionData((make_study(both, **values),))
    sample = data.sample(stage="primary", outcome="achievement", rules=BARE)
    found = estimate_heterogeneity(data, sample, SETTINGS, by="stage")
    assert found.table["subgroup"].tolist() == ["primary", "junior"]
    assert found.table["effect"].nunique() == 1
    # The same schools twice: the difference is zero and so is its standard error.
    assert found.differences[["effect", "std_error"]].to_numpy().tolist() == [[0.0, 0.0]]
    assert len(found.influence.clusters) == N_GROUPS + N_NEVER


def test_the_level_before_is_cut_at_the_median_and_leaves_out_the_base_year_of_the_school():
    level = [*np.linspace(-1, 1, SIZE * N_GROUPS), *[0.0] * N_NEVER]
    data, sample = study_of(np.random.default_rng(9), level=level, noise=0.0)
    _, panel = data.counties[0]
    assert sample.baseline_years == (2016, 2017, 2018, 2019)
    values = panel.measures["achievement"]
    values[0, list(YEARS).index(2019)] += 100
    found = label_subgroups(data, sample, by="prior_level", settings=SETTINGS)
    # School 0 joins in 2021: its base year is 2019.
    assert found.values[0] == pytest.approx(-1)
    assert found.cut == pytest.approx(0)
    assert found.names[:24].tolist() == ["subgroup_prior_low"] * 12 + ["subgroup_prior_high"] * 12
    assert found.n_with_base_year == 0
    short = replace(sample, baseline_years=(2018, 2019))
    held = label_subgroups(data, short, by="prior_level", settings=SETTINGS)
    assert held.n_with_base_year == 12
    one = label_subgroups(data, replace(sample, baseline_years=(2019,)), by="prior_level", settings=SETTINGS)
    assert set(one.names) == {""}


def test_a_split_at_the_earlier_level_does_not_make_an_effect_out_of_chance():
    rng = np.random.default_rng(10)
    gaps = []
    for _ in range(12):
        data, sample = study_of(rng, effects=[0.2] * 24 + [0.0] * N_NEVER, noise=0.5, level=[0.0] * 64)
        found = estimate_heterogeneity(data, sample, replace(SETTINGS, n_draws=19), by="prior_level")
        gaps.append(found.differences["effect"][0])
    assert abs(np.mean(gaps)) < 3 * np.std(gaps) / np.sqrt(len(gaps))


def test_dose_is_the_mean_of_the_first_years_of_the_group_and_only_describes():
    rows = [
        {"school_group": f"集团{group}", "stage": "primary", "year": year, "members_per_lead": 2.0,
         "moved_share": 0.01 * group + 0.1 * (year > 2024)}
        for group in range(N_GROUPS) for year in YEARS
    ]  # fmt: skip
    data, sample = study_of(np.random.default_rng(11), doses=pd.DataFrame(rows))
    found = estimate_heterogeneity(data, sample, SETTINGS, by="moved_share")
    assert found.is_descriptive
    assert found.cut == pytest.approx(0.035)
    assert found.table["subgroup"].tolist() == ["subgroup_dose_low", "subgroup_dose_high"]
    same = estimate_heterogeneity(data, sample, SETTINGS, by="members_per_lead")
    assert same.table["subgroup"].tolist() == ["subgroup_dose_high"]


def test_the_distance_is_to_the_nearest_lead_of_the_own_group():
    data, sample = study_of(
        np.random.default_rng(12), longitude=[0.0, 1.0, 3.0] * N_GROUPS + [np.nan] * N_NEVER,
        latitude=0.0, role=["lead", "member", "member"] * N_GROUPS + [""] * N_NEVER,
    )  # fmt: skip
    adoption, panel = data.counties[0]
    leads = adoption.units[adoption.units["role"] == "lead"]
    spells = leads[["school", "stage", "school_group", "role"]].assign(
        start_year=leads["adoption_year"], end_year=np.nan
    )
    data = AdoptionData(((replace(adoption, spells=spells), panel),))
    found = label_subgroups(data, sample, by="lead_distance_km", settings=SETTINGS)
    degree = 6371.0 * np.pi / 180
    assert np.isnan(found.values[0])
    assert found.values[1:3].tolist() == [pytest.approx(degree), pytest.approx(3 * degree)]
    assert found.names[:3].tolist() == ["", "subgroup_lead_near", "subgroup_lead_far"]


def test_p_values_over_several_divisions_are_no_smaller_than_within_one():
    data, sample = study_of(
        np.random.default_rng(13), form=forms(), role=["lead", "member", "member"] * N_GROUPS + [""] * N_NEVER
    )
    found = [estimate_heterogeneity(data, sample, SETTINGS, by=by) for by in ("form", "role")]
    table = adjust_over_divisions(found, n_draws=199)
    assert table["by"].tolist() == ["form", "role"]
    assert (table["p_adjusted"] >= table["p_value"]).all()
    single = adjust_over_divisions(found[:1], n_draws=199)
    assert table["p_adjusted"][0] >= single["p_adjusted"][0]
    assert adjust_over_divisions([]).empty


def test_units_in_another_order_give_the_same_effects():
    rng = np.random.default_rng(14)
    data, sample = study_of(rng, form=forms(), noise=0.3)
    adoption, panel = data.counties[0]
    order = rng.permutation(len(adoption.units))
    values = {name: own[order] for name, own in panel.measures.items() if name != "log_enrolment"}
    moved = AdoptionData((make_study(adoption.units.iloc[order].reset_index(drop=True), **values),))
    again = moved.sample(stage="primary", outcome="achievement", rules=BARE)
    one = estimate_heterogeneity(data, sample, SETTINGS, by="form")
    other = estimate_heterogeneity(moved, again, SETTINGS, by="form")
    pd.testing.assert_frame_equal(one.table, other.table)
    pd.testing.assert_frame_equal(one.differences, other.differences)
    np.testing.assert_allclose(cluster_std_errors(one.influence), one.table["std_error"])


def test_a_second_county_just_alike_changes_no_effect_and_halves_the_variances():
    level = [*np.linspace(-1, 1, SIZE * N_GROUPS), *[0.0] * N_NEVER]
    data, sample = study_of(np.random.default_rng(15), form=forms(), noise=0.3, level=level)
    adoption, panel = data.counties[0]
    twin = replace(adoption, county_id="990200", units=adoption.units.assign(county_id="990200"))
    both = AdoptionData(((adoption, panel), (twin, panel)))
    pooled = both.sample(stage="primary", outcome="achievement", rules=BARE)
    for by in ("form", "prior_level"):
        one = estimate_heterogeneity(data, sample, SETTINGS, by=by)
        two = estimate_heterogeneity(both, pooled, SETTINGS, by=by)
        assert two.table["n_schools"].tolist() == [24, 24]
        np.testing.assert_allclose(two.table["effect"], one.table["effect"])
        # Each side has the root of m / (m - 1) with twice as many clusters.
        np.testing.assert_allclose(two.table["std_error"], one.table["std_error"] / np.sqrt(2), rtol=0.1)
        assert one.cut == two.cut or np.isnan(one.cut)


def test_codes_are_in_the_vocabulary():
    terms = ["subgroup_unknown", "equality_one_effect", "equality_few_clusters", "equality_singular"]
    terms += [
        "subgroup_prior_low",
        "subgroup_lead_far",
        "subgroup_dose_high",
        "lead_distance_km",
        "prior_level",
    ]
    assert [name for name in terms if not has_term(name)] == []
    sentences = ["subgroup_not_known", "effects_no_identified_cell", "note_dose_descriptive"]
    assert [name for name in sentences if not has_sentence(name)] == []
