"""One question answered whole: refusals, the printed interval, schools without a base year, many counties."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.effects.samples import YEARS, make_sample, make_study, make_units, never
from toolkit.effects.adoption_data import AdoptionData
from toolkit.effects.adoption_panel import pool_samples
from toolkit.effects.adoption_study import StudySettings, estimate_adoption_study, with_base_year
from toolkit.effects.event_study import EventStudySettings, estimate_event_study
from toolkit.effects.group_schooling import GroupDesign, estimate_spreads
from toolkit.effects.sample_rules import SampleRules

SETTINGS = StudySettings(EventStudySettings(anticipation=1, n_draws=199))


def groups_sample(seed=0, *, n_groups=6, n_never=20, effect=0.2, noise=0.05, county="990100", **changes):
    """Return groups of three schools that joined in 2020 or 2022, and schools alone."""
    rng = np.random.default_rng(seed)
    dates = [year for number in range(n_groups) for year in [(2020, 2022)[number % 2]] * 3]
    names = [f"集团{number}" for number in range(n_groups) for _ in range(3)] + [""] * n_never
    cohorts = np.array([*dates, *[np.inf] * n_never], dtype=float)
    since = np.array(YEARS, dtype=float)[None, :] - cohorts[:, None]
    outcomes = (
        rng.normal(size=(len(cohorts), 1)) + noise * rng.normal(size=since.shape) + effect * (since >= 0)
    )
    return make_sample(
        [*dates, *never(n_never)], groups=names, outcomes=outcomes, county_id=county, **changes
    )


def test_a_design_that_identifies_nothing_is_refused_with_its_reason():
    study = estimate_adoption_study(make_sample([2020] * 6, outcomes=np.zeros((6, len(YEARS)))), SETTINGS)
    assert study.is_refused
    assert study.interval is None
    row = study.tidy().iloc[0]
    assert np.isnan(row["effect"])
    assert row["n_adopters"] == 6
    assert study.guard.findings[0].severity == "refused"


def test_the_printed_interval_is_the_row_that_the_rule_chose():
    study = estimate_adoption_study(groups_sample(), SETTINGS)
    printed = study.interval.methods[study.interval.methods["is_printed"]]
    assert printed["interval"].tolist() == [study.interval.choice.interval]
    assert printed["conf_low"].item() == study.interval.conf_low
    assert study.interval.conf_low < 0.2 < study.interval.conf_high
    assert study.tidy().iloc[0]["effect"] == pytest.approx(study.event_study.average.effect)


def test_the_permutation_judges_the_average_that_the_event_study_estimates():
    study = estimate_adoption_study(groups_sample(), SETTINGS)
    assert study.interval.permutation.estimate == pytest.approx(study.event_study.average.effect)


def test_cohorts_whose_base_year_lies_before_the_data_are_left_out_and_listed():
    sample = make_sample([YEARS[1], 2020, 2020, *never(4)])
    kept = with_base_year(sample, anticipation=1)
    assert len(kept.units) + len(kept.left_out) == len(sample.units)
    assert kept.left_out["reason"].tolist() == ["sample_no_base_year"]
    assert with_base_year(sample, anticipation=0) is sample


def test_shocks_of_a_county_in_a_year_do_not_move_a_pooled_effect():
    parts = [groups_sample(seed, county=code) for seed, code in ((1, "990101"), (2, "990102"))]
    shocks = np.random.default_rng(9).normal(size=(2, len(YEARS)))
    moved = [replace(one, outcomes=one.outcomes + shock) for one, shock in zip(parts, shocks, strict=True)]
    before = estimate_event_study(pool_samples(parts), SETTINGS.event_study)
    after = estimate_event_study(pool_samples(moved), SETTINGS.event_study)
    assert after.average.effect == pytest.approx(before.average.effect)
    assert after.average.std_error == pytest.approx(before.average.std_error)
    everywhere = replace(SETTINGS.event_study, within="everywhere")
    assert (
        estimate_event_study(pool_samples(moved), everywhere).average.std_error > 5 * after.average.std_error
    )


def test_a_pooled_effect_lies_between_those_of_its_counties_and_is_more_precise():
    parts = [groups_sample(seed, county=f"99010{seed}", effect=0.2) for seed in (1, 2, 3)]
    alone = [estimate_event_study(one, SETTINGS.event_study).average for one in parts]
    pooled = estimate_event_study(pool_samples(parts), SETTINGS.event_study).average
    assert min(one.effect for one in alone) < pooled.effect < max(one.effect for one in alone)
    assert pooled.std_error < min(one.std_error for one in alone)


def test_groups_without_an_effect_do_not_count_as_treated_in_the_rule():
    sample = groups_sample(n_groups=6)
    joined = np.isfinite(sample.cohorts)
    groups = sorted(set(sample.units.loc[joined, "school_group"]))
    cohort_of = sample.units.groupby("school_group")["adoption_year"].first()
    first = cohort_of[groups].min()
    apart = (sample.units["adoption_year"] == first).to_numpy()
    levels = np.arange(len(joined)) % 7 + 100.0 * apart
    study = estimate_adoption_study(
        replace(sample, covariates=levels[:, None], covariate_names=("x",)), StudySettings()
    )
    assert "guard_part_without_overlap" in study.guard.codes
    assert study.interval.counts.treated == int((cohort_of[groups] != first).sum())


def draw_study(year, *, n_groups, county="990100", drift=0.0):
    """Return twelve schools that join in groups and twelve that do not, with levels of their own."""
    rng = np.random.default_rng(year)
    names = [f"集团{number % n_groups}" for number in range(12)] + [""] * 12
    units = make_units([year] * 12 + never(12), groups=names, county_id=county)
    values = 0.3 * rng.normal(size=(24, 1)) + 0.05 * rng.normal(size=(24, len(YEARS)))
    return make_study(units, achievement=values + drift * np.arange(len(YEARS)))


def test_inequality_in_several_counties_is_that_of_the_first():
    first = draw_study(2019, n_groups=6)
    second = draw_study(2022, n_groups=6, county="990200", drift=0.3)
    own = estimate_spreads(AdoptionData((first,)), GroupDesign())
    both = estimate_spreads(AdoptionData((first, second)), GroupDesign())
    assert own[0].effects.equals(both[0].effects)


def test_two_groups_have_no_estimate_of_inequality():
    assert estimate_spreads(AdoptionData((draw_study(2019, n_groups=3),)), GroupDesign())
    assert not estimate_spreads(AdoptionData((draw_study(2019, n_groups=2),)), GroupDesign())


def test_counties_that_adopted_as_a_whole_are_compared_across_counties():
    rng = np.random.default_rng(4)
    parts = []
    for number in range(12):
        year = (2020, None)[number % 2]
        outcomes = rng.normal(size=(5, 1)) + 0.02 * rng.normal(size=(5, len(YEARS)))
        outcomes += 0.3 * (np.array(YEARS) >= (year or np.inf))
        parts.append(
            make_sample(
                [year] * 5,
                outcomes=outcomes,
                county_id=f"9901{number:02d}",
                rules=SampleRules(assignment="county"),
            )
        )
    study = estimate_adoption_study(pool_samples(parts), SETTINGS)
    assert study.event_study.average.effect == pytest.approx(0.3, abs=0.03)
    assert study.event_study.is_treated.sum() == 6


def test_data_of_several_counties_give_the_pooled_sample_without_counties_that_have_no_adopter():
    rng = np.random.default_rng(0)
    pairs = []
    for code, dates in (("990101", [2020, 2020]), ("990102", [2022]), ("990103", [])):
        units = make_units([*dates, *never(3)], county_id=code)
        shape = (len(units), len(YEARS))
        pairs.append(make_study(units, achievement=rng.normal(size=shape)))
    sample = AdoptionData(tuple(pairs)).sample(stage="primary", outcome="achievement")
    assert sample.units["county_id"].value_counts().to_dict() == {"990101": 5, "990102": 4}
    single = AdoptionData(tuple(pairs[:1])).sample(stage="primary", outcome="achievement")
    assert isinstance(single.units, pd.DataFrame)
    assert len(single.units) == 5


def test_described_together_counties_keep_their_schools_and_lack_the_years_they_do_not_have():
    early, late = YEARS[:8], YEARS[2:]
    pairs = []
    for code, years in (("990101", early), ("990102", late)):
        units = make_units([2020, *never(2)], county_id=code)
        values = np.full((3, len(years)), float(code))
        pairs.append(make_study(units, years=years, achievement=values))
    data = AdoptionData(tuple(pairs))
    adoption, panel = data.pooled()
    assert adoption.data_years == panel.years == YEARS
    assert len(adoption.units) == len(panel.units) == 6
    achievement = panel.measures["achievement"]
    assert np.isnan(achievement[:3, 8:]).all()
    assert np.isnan(achievement[3:, :2]).all()
    assert set(achievement[np.isfinite(achievement)]) == {990101.0, 990102.0}
    assert data.exposure.units["county_id"].nunique() == 2
    assert AdoptionData(tuple(pairs[:1])).pooled() == pairs[0]


def test_without_a_year_before_the_selection_counties_share_the_years_of_selection():
    years = YEARS[3:]
    pairs = []
    for number, year in enumerate((years[1], None)):
        units = make_units([year] * 4, county_id=f"9901{number:02d}")
        pairs.append(make_study(units, years=years, achievement=np.ones((4, len(years)))))
    rules = SampleRules(assignment="county")
    sample = AdoptionData(tuple(pairs)).sample(stage="primary", outcome="achievement", rules=rules)
    assert sample.baseline_years == years[:1]
    assert sample.units["county_id"].nunique() == 2


def test_counties_share_the_baseline_before_the_first_of_them_brought_the_reform_in():
    pairs = []
    for number, year in enumerate((2020, 2022, None)):
        units = make_units([year] * 4, county_id=f"9901{number:02d}")
        pairs.append(make_study(units, achievement=np.ones((4, len(YEARS)))))
    rules = SampleRules(assignment="county")
    sample = AdoptionData(tuple(pairs)).sample(stage="primary", outcome="achievement", rules=rules)
    assert sample.baseline_years == tuple(year for year in YEARS if year < 2019)
    assert sample.units["county_id"].nunique() == 3
    assert len(np.unique(sample.clusters)) == 3
