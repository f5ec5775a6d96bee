"""The event study: known effects come back, the base year is zero, bounds take what they need."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tests.effects.samples import YEARS, make_sample, never
from toolkit.effects.event_study import EventStudySettings, estimate_event_study
from toolkit.inference.honest_relative import estimate_under_relative_magnitudes
from toolkit.inference.pooled_cohorts import estimate_pooled_average
from toolkit.models.group_time import estimate_group_time

PATH = {0: 0.1, 1: 0.2, 2: 0.3}
QUICK: dict[str, Any] = {"n_draws": 199}


def study_of(rng, *, effects=PATH, noise=0.05, n_groups=10, n_never=60, dip=0.0, settings=None, **changes):
    """Return the event study of groups of three schools that join in 2020 or 2022."""
    dates = [year for number in range(n_groups) for year in [(2020, 2022)[number % 2]] * 3]
    groups = [f"集团{number}" for number in range(n_groups) for _ in range(3)] + [""] * n_never
    cohorts = np.array([*dates, *[np.inf] * n_never], dtype=float)
    since = np.array(YEARS, dtype=float)[None, :] - cohorts[:, None]
    outcomes = rng.normal(size=(len(cohorts), 1)) + noise * rng.normal(size=since.shape)
    outcomes = outcomes + 0.03 * np.arange(len(YEARS))
    for at, effect in effects.items():
        outcomes += effect * (since == at)
    outcomes += effects.get(2, 0.0) * (np.isfinite(since) & (since > 2)) + dip * (since == -1)
    sample = make_sample([*dates, *never(n_never)], groups=groups, outcomes=outcomes, **changes)
    return estimate_event_study(sample, EventStudySettings(**(QUICK | (settings or {}))))


def test_without_noise_the_planted_path_comes_back_exactly():
    table = study_of(np.random.default_rng(0), noise=0.0).table.set_index("event_time")
    for at in range(-4, 3):
        assert table.at[at, "effect"] == pytest.approx(PATH.get(at, 0.0), abs=1e-12)
    assert table.index[table["is_base"]].tolist() == [-1]


def test_the_average_is_the_mean_over_the_years_from_joining_on():
    study = study_of(np.random.default_rng(1))
    after = study.table[study.table["event_time"] >= 0]
    assert study.average.effect == pytest.approx(after["effect"].mean(), abs=1e-12)
    assert abs(study.average.effect - 0.2) < 4 * study.average.std_error
    assert study.average.conf_low < study.average.effect < study.average.conf_high
    assert study.average.detectable > 2.8 * study.average.std_error


def test_a_year_of_selection_is_kept_out_of_the_base():
    never_joined = {"comparison": "never"}
    selected = {"noise": 0.0, "effects": {}, "dip": -0.1}
    taken_in = study_of(np.random.default_rng(2), **selected, settings=never_joined)
    kept_out = study_of(np.random.default_rng(2), **selected, settings={**never_joined, "anticipation": 1})
    assert taken_in.average.effect == pytest.approx(0.1)
    assert kept_out.average.effect == pytest.approx(0.0, abs=1e-12)
    by_time = kept_out.table.set_index("event_time")
    assert by_time.index[by_time["is_base"]].tolist() == [-2]
    assert by_time.at[-1, "effect"] == pytest.approx(-0.1)


def test_groups_are_the_clusters_and_those_with_adopters_are_known():
    study = study_of(np.random.default_rng(3))
    assert len(study.influence.clusters) == 10 + 60
    assert study.is_treated.sum() == 10
    assert study.influence.contributions.shape == (70, len(study.table) + 1)


def test_shared_shocks_of_a_group_widen_the_interval():
    rng = np.random.default_rng(4)
    narrow = study_of(rng, noise=0.05).average
    shock = np.repeat(rng.normal(scale=0.3, size=(10, len(YEARS))), 3, axis=0)
    outcomes = np.vstack([shock, 0.05 * rng.normal(size=(60, len(YEARS)))])
    dates = [year for number in range(10) for year in [(2020, 2022)[number % 2]] * 3]
    groups = [f"集团{number}" for number in range(10) for _ in range(3)] + [""] * 60
    sample = make_sample([*dates, *never(60)], groups=groups, outcomes=outcomes)
    wide = estimate_event_study(sample, EventStudySettings(**QUICK)).average
    assert wide.std_error > 3 * narrow.std_error


def test_a_band_holds_its_pointwise_intervals():
    table = study_of(np.random.default_rng(5)).table
    table = table[~table["is_base"]]
    assert (table["band_low"] <= table["conf_low"] + 1e-12).all()
    assert (table["band_high"] >= table["conf_high"] - 1e-12).all()


def test_bounds_get_consecutive_years_and_weights_on_those_from_joining_on():
    study = study_of(np.random.default_rng(6), settings={"anticipation": 1, "first": -4})
    given, weights = study.for_bounds()
    assert (given.n_before, given.n_after) == (2, 4)
    assert weights.tolist() == [0.0, *[pytest.approx(1 / 3)] * 3]
    assert float(weights @ given.after) == pytest.approx(study.average.effect)
    variance = weights @ given.covariance[2:, 2:] @ weights
    # Every year has its own pooled error: that of their mean is close to theirs together, not equal.
    assert variance == pytest.approx(study.average.std_error**2, rel=0.2)
    assert given.effective_clusters == pytest.approx(study.average.degrees + 1)


def test_a_bound_of_the_whole_trend_before_is_wider_than_none():
    study, weights = study_of(np.random.default_rng(7), settings={"first": -3}).for_bounds()
    intervals = [
        estimate_under_relative_magnitudes(study, weights, ratio=ratio, clusters_per_coefficient=0)
        for ratio in (0.0, 0.5, 1.0)
    ]
    lengths = [each.conf_high - each.conf_low for each in intervals]
    assert all(first < second for first, second in pairwise(lengths))


def test_years_with_gaps_are_refused_for_bounds():
    sample = make_sample(
        [*[2020] * 6, *never(20)],
        outcomes=np.random.default_rng(8).normal(size=(26, 9)),
        periods=np.array([year for year in YEARS if year != 2021], dtype=float),
    )
    study = estimate_event_study(sample, EventStudySettings(**QUICK))
    with pytest.raises(ValueError, match="gaps"):
        study.for_bounds()


def test_the_cells_are_those_of_the_universal_base():
    study = study_of(np.random.default_rng(9))
    cells = estimate_group_time(study.sample.panel, comparison="not_yet", base="universal")
    np.testing.assert_array_equal(study.effects.effects, cells.effects)


@pytest.mark.parametrize("settings", [{"last": -1}, {"anticipation": -1}, {"first": -1, "anticipation": 1}])
def test_settings_without_years_on_both_sides_are_refused(settings):
    with pytest.raises(ValueError, match="years before"):
        EventStudySettings(**settings)


def test_standard_errors_are_those_of_pooled_cohorts_and_contributions_add_to_them():
    study = study_of(np.random.default_rng(10))
    clusters = study.sample.clusters[study.effects.used]
    pooled = estimate_pooled_average(study.effects, clusters, last=2)
    assert study.average.std_error == pytest.approx(pooled.std_error)
    assert (study.average.conf_low, study.average.conf_high) == pytest.approx(pooled.interval())
    squares = (study.influence.contributions**2).sum(axis=0)
    assert squares[-1] == pytest.approx(pooled.std_error**2)
    errors = study.table["std_error"].to_numpy()
    np.testing.assert_allclose(np.sqrt(squares[:-1]), errors, atol=1e-12)


def test_a_year_that_a_single_group_reached_has_an_effect_and_no_interval():
    rng = np.random.default_rng(12)
    dates = [2018] * 3 + [2022] * 9
    names = ["甲"] * 3 + [f"集团{number}" for number in range(3) for _ in range(3)]
    sample = make_sample(
        [*dates, *never(12)],
        groups=names + [""] * 12,
        outcomes=rng.normal(size=(24, 1)) + 0.1 * rng.normal(size=(24, len(YEARS))),
    )
    table = estimate_event_study(sample, EventStudySettings(last=6, first=-1, **QUICK)).table
    alone = table[table["n_cohorts"].eq(1) & table["event_time"].gt(3)]
    assert len(alone) == 3
    assert alone["effect"].notna().all()
    assert alone[["std_error", "conf_low", "band_high"]].isna().all(axis=None)


def test_a_cohort_whose_base_year_was_not_observed_is_refused():
    sample = make_sample(
        [*[2020] * 6, *never(20)],
        outcomes=np.random.default_rng(11).normal(size=(26, 9)),
        periods=np.array([year for year in YEARS if year != 2019], dtype=float),
    )
    with pytest.raises(ValueError, match=r"base year was not observed for the cohorts of \[2020\]"):
        estimate_event_study(sample, EventStudySettings(**QUICK))
