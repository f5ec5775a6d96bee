"""Averages of many placebo assignments: equal to one study after the other."""

import numpy as np
import pytest

from toolkit.inference import placebo_averages
from toolkit.inference.placebo_averages import estimate_placebo_averages
from toolkit.inference.pooled_cohorts import estimate_pooled_average
from toolkit.models.group_time import AdoptionPanel, estimate_group_time

N_UNITS, PERIODS = 60, np.arange(2015.0, 2024.0)
CLUSTERS = np.concatenate([np.repeat(np.arange(10), 3), 10 + np.arange(30)])
DATES = [2018.0, 2019.0, 2019.0, 2021.0]


def make_panel(rng, n_covariates=1):
    outcomes = rng.normal(size=(N_UNITS, 1)) + rng.normal(size=(N_UNITS, len(PERIODS)))
    never = np.full(N_UNITS, np.inf)
    return AdoptionPanel(
        outcomes, PERIODS, never, rng.normal(size=(N_UNITS, n_covariates)), rng.uniform(1, 3, N_UNITS)
    )


def make_assignments(rng, n_draws=8):
    dates = np.full((n_draws, 40), np.inf)
    for own in dates:
        own[rng.choice(10, len(DATES), replace=False)] = DATES
    return dates[:, CLUSTERS]


def one_by_one(panel, cohorts, *, comparison, anticipation, last):
    for assigned in cohorts:
        own = AdoptionPanel(panel.outcomes, PERIODS, assigned, panel.covariates, panel.weights)
        effects = estimate_group_time(own, comparison=comparison, base="universal", anticipation=anticipation)
        times = effects.event_times
        if (np.isfinite(effects.effects) & (times >= 0) & (times <= last)).any():
            yield estimate_pooled_average(effects, CLUSTERS[effects.used], last=last)
        else:
            yield None


def numbers(averages):
    names = ("effect", "std_error", "degrees", "effective_treated")
    return np.array(
        [[np.nan] * 4 if own is None else [getattr(own, name) for name in names] for own in averages]
    )


@pytest.mark.parametrize("comparison", ["never", "not_yet"])
@pytest.mark.parametrize(("anticipation", "n_covariates"), [(0, 0), (1, 2)])
def test_every_assignment_has_the_average_and_error_of_its_own_study(comparison, anticipation, n_covariates):
    rng = np.random.default_rng(4)
    panel, cohorts = make_panel(rng, n_covariates), make_assignments(rng)
    design = {"comparison": comparison, "anticipation": anticipation, "last": 2}
    found = numbers(estimate_placebo_averages(panel, cohorts, CLUSTERS, **design))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, numbers(one_by_one(panel, cohorts, **design)), rtol=1e-9)


def test_cells_without_overlap_are_left_out_and_assignments_without_any_have_no_average():
    rng = np.random.default_rng(5)
    panel = make_panel(rng)
    cohorts = make_assignments(rng)
    # The covariate tells the units of the first assignment apart, and some of those of the others.
    panel.covariates[:, 0] = np.where(np.isfinite(cohorts[0]), 100.0, 0.0) + rng.normal(size=N_UNITS)
    design = {"comparison": "never", "anticipation": 0, "last": 2}
    averages = estimate_placebo_averages(panel, cohorts, CLUSTERS, **design)
    assert averages[0] is None
    assert any(own is not None for own in averages)
    np.testing.assert_allclose(
        numbers(averages), numbers(one_by_one(panel, cohorts, **design)), rtol=1e-7, equal_nan=True
    )


def test_a_few_assignments_at_a_time_change_nothing(monkeypatch):
    rng = np.random.default_rng(6)
    panel, cohorts = make_panel(rng), make_assignments(rng)
    design = {"comparison": "not_yet", "anticipation": 1, "last": 2}
    whole = numbers(estimate_placebo_averages(panel, cohorts, CLUSTERS, **design))
    monkeypatch.setattr(placebo_averages, "BLOCK_VALUES", 3 * N_UNITS)
    np.testing.assert_allclose(numbers(estimate_placebo_averages(panel, cohorts, CLUSTERS, **design)), whole)


def test_outcomes_must_be_complete_and_every_date_have_a_period_before():
    rng = np.random.default_rng(7)
    panel, cohorts = make_panel(rng), make_assignments(rng)
    with pytest.raises(ValueError, match="period before"):
        estimate_placebo_averages(panel, cohorts, CLUSTERS, comparison="never", anticipation=3)
    panel.outcomes[0, 0] = np.nan
    with pytest.raises(ValueError, match="complete"):
        estimate_placebo_averages(panel, cohorts, CLUSTERS, comparison="never")
