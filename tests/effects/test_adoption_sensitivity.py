"""Groups left out one by one, schools that only looked weak, many outcomes and many specifications."""

from dataclasses import replace

import numpy as np
import pytest

from tests.effects.samples import YEARS, make_study, make_units, never
from toolkit.effects.adoption_data import AdoptionData
from toolkit.effects.adoption_power import _own_tests, compute_adoption_power
from toolkit.effects.adoption_sensitivity import leave_one_group_out, place_placebo_adoption
from toolkit.effects.adoption_study import StudySettings, estimate_adoption_study
from toolkit.effects.event_study import EventStudySettings
from toolkit.effects.group_schooling import compute_powers
from toolkit.effects.outcome_family import estimate_outcome_family
from toolkit.effects.sample_rules import SampleRules
from toolkit.effects.specification_curve import trace_specifications

SETTINGS = StudySettings(EventStudySettings(anticipation=1, n_draws=199))
DATES = [2020] * 3 + [2020] * 3 + [2022] * 3 + [2022] * 3
GROUPS = np.r_[np.repeat(np.arange(4), 3), np.arange(4, 24)]
NAMES = [f"集团{number}" for number in range(4) for _ in range(3)]


def make_data(seed=0, *, effect=0.2, noise=0.05, n_never=16, extra=None, **columns):
    rng = np.random.default_rng(seed)
    units = make_units([*DATES, *never(n_never)], groups=NAMES + [""] * n_never, **columns)
    since = np.array(YEARS, dtype=float) - units["adoption_year"].to_numpy()[:, None]
    shape = (len(units), len(YEARS))
    values = {
        "achievement": rng.normal(size=(shape[0], 1))
        + noise * rng.normal(size=shape)
        + effect * (since >= 0),
        "R1": 5 + rng.normal(size=(shape[0], 1)) + noise * rng.normal(size=shape),
        "R2": 1 + noise * rng.normal(size=shape) + 0.5 * (since >= 0),
    }
    enrolment = np.broadcast_to(rng.integers(200, 800, (shape[0], 1)), shape).astype(float)
    return AdoptionData((make_study(units, enrolment=enrolment, **(values | (extra or {}))),))


def study_of(data):
    return estimate_adoption_study(data.sample(stage="primary", outcome="achievement"), SETTINGS)


def test_without_noise_no_group_changes_a_common_effect():
    found = leave_one_group_out(study_of(make_data(noise=0.0)))
    assert found.table["school_group"].tolist() == sorted(set(NAMES))
    assert found.table["effect"].tolist() == pytest.approx([0.2] * 4)
    assert found.range == pytest.approx((0.2, 0.2))


def test_a_group_that_carries_the_effect_is_seen_when_it_is_left_out():
    data = make_data(effect=0.0, noise=0.001)
    values = data.panel.measures["achievement"]
    values[:3] += 0.4 * (np.array(YEARS) >= 2020)
    found = leave_one_group_out(study_of(data)).table.set_index("school_group")
    assert found.at["集团0", "effect"] == pytest.approx(0.0, abs=0.01)
    assert found["effect"].drop("集团0").min() > 0.15


def test_schools_that_were_weak_for_one_year_return_by_themselves_unless_the_base_is_before():
    rng = np.random.default_rng(5)
    units = make_units([*DATES, *never(30)], groups=NAMES + [""] * 30)
    values = 0.01 * rng.normal(size=(42, len(YEARS)))
    for unit, year in enumerate(DATES):
        values[unit, YEARS.index(year - 1)] -= 0.3
    # As many comparison schools had the same bad year and were not chosen.
    for unit in range(12, 18):
        values[unit, YEARS.index(2019)] -= 0.3
        values[unit + 6, YEARS.index(2021)] -= 0.3
    study = study_of(AdoptionData((make_study(units, achievement=values),)))
    table = place_placebo_adoption(study).table.set_index("anticipation")
    assert table.at[0, "effect"] == pytest.approx(0.3, abs=0.03)
    assert abs(table.at[1, "effect"]) < 0.03
    assert table["is_study_base"].tolist() == [False, True]


@pytest.mark.parametrize("year", [2019, 2021])
def test_without_the_year_before_joining_the_placebo_has_the_base_of_the_study_alone(year):
    data = make_data(noise=0.0)
    data.panel.measures["achievement"][:, YEARS.index(year)] = np.nan
    study = study_of(data)
    assert not study.is_refused
    assert place_placebo_adoption(study).table["is_study_base"].tolist() == [True]
    assert (
        trace_specifications(data, stage="primary", outcome="achievement", settings=SETTINGS)
        .table["is_study"]
        .sum()
        == 1
    )


def test_leaving_out_a_group_may_leave_nothing_to_compare():
    data = make_data()
    whole = data.sample(stage="primary", outcome="achievement")
    # The group that is left out alone overlaps with comparison schools.
    alike = np.where(np.isfinite(whole.cohorts), 100.0, 0.0) + np.arange(len(whole.units)) % 5
    alike[[0, 1, 6, 7]] -= 100.0
    sample = replace(whole, covariates=alike[:, None], covariate_names=("x",))
    study = estimate_adoption_study(sample, SETTINGS)
    table = leave_one_group_out(study).table
    assert set(table["reason"]) <= {"", "sensitivity_too_few_groups"}


def test_an_outcome_that_never_varies_has_no_error_and_is_not_adjusted():
    data = make_data(extra={"R3": np.zeros((28, len(YEARS)))})
    family = estimate_outcome_family(
        data, stage="primary", outcomes=("R1", "R2", "R3"), primary="achievement", settings=SETTINGS
    )
    table = family.table.set_index("outcome")
    assert np.isnan(table.at["R3", "adjusted_p_value"])
    assert table.loc[["R1", "R2"], "adjusted_p_value"].notna().all()


def test_the_design_of_the_study_is_marked_whatever_it_is():
    data = make_data()
    rules = SampleRules(weighting="school", covariates=())
    settings = StudySettings(EventStudySettings(comparison="never", anticipation=0, n_draws=99))
    curve = trace_specifications(
        data, stage="primary", outcome="achievement", rules=rules, settings=settings
    ).table
    own = curve[curve["is_study"]]
    sample = data.sample(stage="primary", outcome="achievement", rules=rules)
    study = estimate_adoption_study(sample, settings)
    assert own[["comparison", "base", "weighting"]].to_numpy().tolist() == [
        ["never", "year_before", "school"]
    ]
    assert own["effect"].item() == pytest.approx(study.event_study.average.effect)


def test_where_every_school_joined_no_power_is_computed():
    rng = np.random.default_rng(0)
    dates = [2019] * 6 + [2020] * 3 + [2022] * 9
    names = [f"集团{number}" for number in range(6) for _ in range(3)]
    values = rng.normal(size=(18, len(YEARS)))
    data = AdoptionData((make_study(make_units(dates, groups=names), achievement=values),))
    study = study_of(data)
    assert not study.is_refused
    assert compute_powers(data, [study]) == (None,)


def test_too_few_comparison_schools_make_no_placebo():
    found = place_placebo_adoption(study_of(make_data(n_never=5)))
    assert found.table.empty
    assert found.reason == "sensitivity_too_few_placebos"


def test_exploratory_outcomes_are_adjusted_and_the_primary_one_is_not():
    family = estimate_outcome_family(
        make_data(),
        stage="primary",
        outcomes=("achievement", "R1", "R2"),
        primary="achievement",
        settings=SETTINGS,
    )
    table = family.table.set_index("outcome")
    assert table.index.tolist() == ["achievement", "R1", "R2"]
    assert np.isnan(table.at["achievement", "adjusted_p_value"])
    assert table.at["R2", "effect"] == pytest.approx(0.5, abs=0.05)
    assert table.at["R2", "adjusted_p_value"] < 0.05
    assert (table["adjusted_p_value"].dropna() >= table.loc[["R1", "R2"], "p_value"] - 0.02).all()


def test_an_outcome_that_nobody_knows_is_a_row_with_its_refusal():
    data = make_data(extra={"R3": np.full((28, len(YEARS)), np.nan)})
    family = estimate_outcome_family(
        data, stage="primary", outcomes=("R3",), primary="achievement", settings=SETTINGS
    )
    assert family.table.set_index("outcome").at["R3", "refusal"] == "guard_no_outcome"


def test_every_specification_finds_an_effect_that_needs_no_choice():
    curve = trace_specifications(
        make_data(noise=0.0), stage="primary", outcome="achievement", settings=SETTINGS
    )
    assert curve.estimated["effect"].tolist() == pytest.approx([0.2] * len(curve.estimated))
    assert curve.table["is_study"].sum() == 1
    own = curve.table[curve.table["is_study"]].iloc[0]
    assert (own["comparison"], own["base"], own["covariates"]) == (
        "not_yet",
        "before_selection",
        "with_covariates",
    )


def test_specifications_with_the_same_schools_and_design_are_one():
    curve = trace_specifications(make_data(), stage="primary", outcome="achievement", settings=SETTINGS)
    assert set(curve.table["schools"]) == {"all_adopters"}
    assert set(curve.table["neighbours"]) == {"with_neighbours"}
    assert len(curve.table) == 2 * 2 * 2 * 2


def test_variances_of_the_design_come_back_from_simulated_schools():
    rng = np.random.default_rng(3)
    n_never, n_groups = 300, 60
    dates = [2023] * (3 * n_groups)
    units = make_units(
        [*dates, *never(n_never)],
        groups=[f"集团{number}" for number in range(n_groups) for _ in range(3)] + [""] * n_never,
    )
    shape = (len(units), len(YEARS))
    level, error = rng.normal(0, 0.3, (shape[0], 1)), rng.normal(0, 0.1, shape)
    own = rng.normal(0, 0.2, shape)
    data = AdoptionData((make_study(units, achievement=level + own + error),))
    study = study_of(data)
    periods = study.sample.outcomes.shape
    power = compute_adoption_power(study, np.full(periods, 0.01), np.full(periods, 80.0), n_draws=20)
    assert power.design.icc == pytest.approx(0.09 + 0.04, rel=0.1)
    assert power.year_correlation == pytest.approx(0.09 / 0.13, rel=0.1)
    assert power.design.pupils_per_school == pytest.approx(80)
    assert power.design.group_correlation < 0.1
    assert power.curve.rejected[-1] > 0.95


def test_simulated_power_is_that_of_outcomes_to_which_the_effect_was_really_added():
    study = study_of(make_data(noise=0.2, n_never=20))
    found = _own_tests(study.event_study.effects.panel, GROUPS, SETTINGS.event_study)
    outcomes = study.event_study.effects.panel.outcomes
    cohorts = np.array([np.where(GROUPS < 4, [*DATES, *[np.inf] * 20], np.inf)])
    moved = outcomes + 0.5 * (np.array(YEARS)[None, :] >= cohorts[0][:, None])
    (together,), (apart,) = (
        found(outcomes, cohorts, np.array([0.5])),
        found(moved, cohorts, np.array([0.0])),
    )
    assert together[0] == pytest.approx(apart[0])
