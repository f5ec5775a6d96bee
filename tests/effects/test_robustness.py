"""The robustness table: every estimator is a row with what it assumes, or with the reason why not."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from tests.effects.samples import YEARS, make_sample, never
from toolkit.effects.event_study import EventStudySettings, estimate_event_study
from toolkit.effects.robustness import (
    ROBUSTNESS_COLUMNS,
    RobustnessSettings,
    compare_estimators,
    decompose_two_way,
)
from toolkit.effects.robustness_rules import RULES
from toolkit.effects.synthetic_group import SyntheticLimits, estimate_synthetic_group
from toolkit.inference.clusters import t_interval
from toolkit.inference.wild_bootstrap import wild_cluster_test
from toolkit.models.robust_estimate import Average, Convention, Refusal
from toolkit.models.synthetic_differences import estimate_synthetic_difference
from toolkit.models.two_way import estimate_two_way, two_way_regression
from toolkit.vocabulary import has_sentence, has_term

QUICK = RobustnessSettings(anticipation=1, last=2, synthetic=SyntheticLimits(n_placebos=19))
WINDOWED = {name for name in RULES if name not in {"estimator_two_way", "estimator_synthetic"}}
CODES = ["estimator", "average", "comparison", "within", "base", "anticipation_rule", "covariates", "weights"]


def sample_of(rng, *, effect=0.3, noise=0.05, dip=0.0, n_groups=8, n_never=30, gaps=0.0, **changes):
    """Return groups of three that join in 2020 or 2022, one of four, and schools that never do."""
    sizes = [4, *[3] * (n_groups - 1)] if n_groups else []
    dates = [(2020, 2022)[number % 2] for number, size in enumerate(sizes) for _ in range(size)]
    groups = [f"集团{number}" for number, size in enumerate(sizes) for _ in range(size)] + [""] * n_never
    cohorts = np.array([*dates, *[np.inf] * n_never], dtype=float)
    since = np.array(YEARS, dtype=float)[None, :] - cohorts[:, None]
    outcomes = rng.normal(size=(len(cohorts), 1)) + noise * rng.normal(size=since.shape)
    outcomes = outcomes + 0.03 * np.arange(len(YEARS)) + effect * (since >= 0) + dip * (since == -1)
    outcomes[rng.random(outcomes.shape) < gaps] = np.nan
    given = {
        "covariates": rng.normal(size=(len(cohorts), 1)),
        "covariate_names": ("log_enrolment",),
        "weights": rng.uniform(50, 400, len(cohorts)),
    }
    return make_sample([*dates, *never(n_never)], groups=groups, outcomes=outcomes, **(given | changes))


def rows_of(sample, settings=QUICK):
    return compare_estimators(sample, settings).tidy().set_index("estimator", drop=False)


@pytest.fixture(scope="module")
def usual():
    """Return the comparison of a study in which every estimator has its number."""
    return compare_estimators(sample_of(np.random.default_rng(2)), QUICK)


@pytest.fixture(scope="module")
def usual_rows(usual):
    return usual.tidy().set_index("estimator", drop=False)


def test_a_common_effect_comes_back_from_every_estimator_and_selection_on_a_bad_year_from_none():
    table = rows_of(sample_of(np.random.default_rng(1), noise=0.02, dip=-0.5))
    assert list(table.columns) == ROBUSTNESS_COLUMNS
    assert set(table.index) == set(RULES)
    assert (table["refusal"] == "").all()
    for name in WINDOWED - {"estimator_matched"}:
        assert abs(table.at[name, "estimate"] - 0.3) < 4 * table.at[name, "std_error"], name
    np.testing.assert_allclose(table["estimate"], 0.3, atol=0.05)


def test_the_first_row_is_the_average_of_the_event_study(usual, usual_rows):
    average = estimate_event_study(
        usual.sample, EventStudySettings(comparison="never", anticipation=1, last=2, n_draws=99)
    ).average
    row = usual_rows.loc["estimator_group_time"]
    assert row[["estimate", "std_error", "conf_low", "conf_high"]].tolist() == pytest.approx(
        [average.effect, average.std_error, average.conf_low, average.conf_high]
    )
    assert (row["covariates"], row["weights"]) == ("robust_covariates_of_sample", "robust_weights_enrolment")


def test_without_covariates_and_gaps_three_estimators_are_one(usual_rows):
    table = usual_rows
    one = table.at["estimator_group_time_plain", "estimate"]
    assert table.at["estimator_sun_abraham", "estimate"] == pytest.approx(one, abs=1e-10)
    assert table.at["estimator_stacked", "estimate"] == pytest.approx(one, abs=1e-10)
    assert table.at["estimator_group_time", "estimate"] != pytest.approx(one, abs=1e-6)


def test_intervals_have_the_treated_groups_less_one_as_degrees_of_freedom(usual_rows):
    for name in ("estimator_stacked", "estimator_imputation", "estimator_two_way"):
        row = usual_rows.loc[name]
        low, high = t_interval(row["estimate"], row["std_error"], 7)
        assert (row["conf_low"], row["conf_high"], row["n_treated_clusters"]) == pytest.approx((low, high, 8))


def test_the_synthetic_row_is_the_largest_group_with_a_p_value_and_no_interval(usual, usual_rows):
    row, found = usual_rows.loc["estimator_synthetic"], usual
    assert found.synthetic.members.tolist() == [0, 1, 2, 3]
    assert (row["n_treated"], row["n_units"], found.synthetic.cohort) == (4, 34, 2020.0)
    assert row["p_value"] == found.synthetic.p_value == 1 / 20
    assert np.isnan(row["conf_low"])


def test_the_synthetic_group_is_one_unit_with_the_weights_of_its_members(usual):
    panel, found = usual.sample.panel, usual.synthetic
    years = [0, 1, 2, 4, 5, 6]
    own = np.average(panel.outcomes[:4], axis=0, weights=panel.weights[:4])[years]
    donors = panel.outcomes[np.isinf(panel.cohorts)][:, years]
    slow = estimate_synthetic_difference(own, donors, n_before=3, n_treated=4)
    assert found.effect.estimate == pytest.approx(slow.estimate, abs=1e-12)
    assert found.n_donors == len(donors) == 30


def test_every_code_has_a_label_and_every_assumption_and_refusal_a_sentence(usual_rows):
    plain = rows_of(sample_of(np.random.default_rng(6), n_groups=1, covariate_names=()))
    for table in (usual_rows, plain):
        assert [code for column in CODES for code in table[column] if not has_term(code)] == []
        assert [code for code in table["assumption"] if not has_sentence(code)] == []
    assert [code for code in get_args(Refusal) if code and not has_sentence(code)] == []
    named = [f"robust_error_{code}" for code in get_args(Convention)]
    named += [f"robust_average_{code}" for code in get_args(Average)]
    named += [
        f"robustness_{name}" for name in ("n_units", "n_treated", "n_treated_clusters", "within", "base")
    ]
    assert [name for name in named if not has_term(name)] == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"n_groups": 0},
            {"sun_abraham": "robustness_no_treated", "group_time": "robustness_no_comparison"},
        ),
        (
            {"n_groups": 1},
            {
                "group_time": "robustness_few_treated_clusters",
                "imputation": "robustness_few_treated_clusters",
            },
        ),
        ({"n_groups": 2}, {"sun_abraham": "robustness_single_cluster_cohort"}),
        (
            {"n_never": 8, "gaps": 0.05},
            {"synthetic": "robustness_few_placebos"},
        ),
        ({"n_never": 0}, {"matched": "robustness_no_comparison"}),
    ],
)
def test_an_estimator_that_the_data_do_not_allow_is_a_row_with_its_reason(changes, expected):
    table = rows_of(sample_of(np.random.default_rng(7), **changes))
    assert len(table) == len(RULES)
    for name, reason in expected.items():
        assert table.at[f"estimator_{name}", "refusal"] == reason
    assert [code for code in table["refusal"] if code and not has_sentence(code)] == []
    silent = table[(table["refusal"] == "") & (table["estimate"].isna() | table["std_error"].isna())]
    assert silent.empty


def test_limits_of_the_synthetic_estimator_are_kept(usual):
    for limits, reason in (
        ({"most_donors": 10}, "robustness_many_donors"),
        ({"least_years_before": 9}, "robustness_few_years_before"),
        ({"least_placebos": 500}, "robustness_few_placebos"),
    ):
        found = estimate_synthetic_group(
            usual.sample, last=2, anticipation=1, limits=SyntheticLimits(**limits)
        )
        assert (found.effect.refusal, found.placebos) == (reason, None)


def test_the_group_of_the_synthetic_estimator_has_years_enough_before(usual):
    limits = SyntheticLimits(n_placebos=19, least_years_before=5)
    found = estimate_synthetic_group(usual.sample, last=2, anticipation=1, limits=limits)
    assert (found.cohort, len(found.members)) == (2022.0, 3)


def test_an_error_of_unknown_origin_is_not_swallowed(monkeypatch):
    def fail(*_args, **_kwargs):
        raise ValueError("something else")

    monkeypatch.setattr("toolkit.effects.main_estimate.estimate_event_study", fail)
    with pytest.raises(ValueError, match="something else"):
        compare_estimators(sample_of(np.random.default_rng(9)), QUICK)


def test_schools_of_two_counties_are_compared_within_by_the_main_estimate_only():
    sample = sample_of(np.random.default_rng(13))
    county = np.where(np.arange(len(sample.units)) % 2, "990100", "990200")
    table = rows_of(replace(sample, units=sample.units.assign(county_id=county)))
    within = table.index[table["within"] == "robust_within_county"].tolist()
    assert within == ["estimator_group_time", "estimator_group_time_plain"]


def test_the_decomposition_adds_up_to_the_two_way_regression_and_names_its_kinds():
    sample = sample_of(np.random.default_rng(14), n_groups=4)
    study = decompose_two_way(sample)
    kinds = study.tidy()
    assert (kinds["weight"] * kinds["estimate"]).sum() == pytest.approx(study.decomposition.two_way)
    assert kinds["weight"].sum() == pytest.approx(1)
    assert kinds["n_comparisons"].tolist() == [2, 1, 1]
    assert all(has_term(f"robust_kind_{kind}") for kind in kinds["kind"])
    row = estimate_two_way(sample.panel, sample.clusters)
    assert study.decomposition.two_way == pytest.approx(row.estimate, abs=1e-9)
    assert study.n_left_out == 0


def test_a_decomposition_takes_the_schools_observed_every_year_and_counts_the_others():
    sample = sample_of(np.random.default_rng(15), gaps=0.02)
    complete = np.isfinite(sample.outcomes).all(axis=1)
    study = decompose_two_way(sample)
    assert study.n_left_out == np.count_nonzero(~complete) > 0
    nobody = decompose_two_way(sample_of(np.random.default_rng(16), n_groups=0))
    assert (nobody.refusal, len(nobody.tidy())) == ("robustness_no_treated", 0)


@pytest.mark.parametrize("settings", [{"last": -1}, {"anticipation": -1}, {"confidence_level": 1.0}])
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValueError, match="must not be negative"):
        RobustnessSettings(**settings)


def test_the_wild_bootstrap_judges_the_same_regression_as_the_two_way_row(usual, usual_rows):
    row = usual_rows.loc["estimator_two_way"]
    assert usual.wild.estimate == pytest.approx(row["estimate"], abs=1e-10)
    assert usual.wild.std_error == pytest.approx(row["std_error"], rel=1e-8)
    assert row["p_value"] == usual.wild.p_value
    assert usual.wild.conf_low < row["estimate"] < usual.wild.conf_high


def test_the_wild_bootstrap_rejects_a_large_effect_and_not_its_own_estimate(usual):
    sample = usual.sample
    found = two_way_regression(sample.panel, sample.clusters, anticipation=1)
    args = (found.observations(found.outcome), found.observations(found.dummy)[:, None], found.clusters)
    own = wild_cluster_test(
        *args, residualise=found.residualise, null_value=found.estimate, seed=1, n_draws=999
    )
    assert usual.wild.p_value < 0.05
    assert own.p_value == 1.0


def test_effects_taken_out_twice_are_taken_out_once(usual):
    found = two_way_regression(usual.sample.panel, usual.sample.clusters, anticipation=1)
    raw = np.random.default_rng(3).normal(size=(found.effects.cells.sum(), 2))
    once = found.residualise(raw)
    np.testing.assert_allclose(found.residualise(once), once, atol=1e-10)
    stacked = found.observations(found.outcome)[:, None]
    np.testing.assert_allclose(found.residualise(stacked), stacked, atol=1e-10)


def test_without_schools_that_joined_there_is_no_wild_bootstrap():
    sample = sample_of(np.random.default_rng(4), n_groups=0)
    assert isinstance(two_way_regression(sample.panel, sample.clusters), str)
    assert compare_estimators(sample, QUICK).wild is None
