"""Honest bounds equal published ones, and those that other packages give for frozen event studies."""

import time

import numpy as np
import pytest

from tests.inference.honest_oracle import frozen_rows, frozen_studies, medicaid_study
from toolkit.inference.honest_moments import least_favourable_value, reject_conditionally
from toolkit.inference.honest_relative import (
    estimate_under_relative_magnitudes,
    find_breakdown_ratio,
    violations,
)
from toolkit.inference.honest_smoothness import estimate_under_smoothness

FIRST = [1.0, 0.0]
STUDIES = frozen_studies()
RELATIVE = frozen_rows("relative")
SMOOTH = frozen_rows("smooth")


def limits(interval):
    return interval.conf_low, interval.conf_high


def test_the_event_study_is_the_one_in_the_readme_of_honestdid():
    study = medicaid_study()
    assert study.before == pytest.approx([-0.005285, -0.011297, -0.002676, -0.001419, 0.000340], abs=5e-7)
    assert study.after == pytest.approx([0.046447, 0.069206], abs=5e-7)
    assert np.sqrt(np.diag(study.covariance))[-2:] == pytest.approx([0.009152, 0.010350], abs=5e-7)


# README of the R package HonestDiD: relative magnitudes (C-LF) and smoothness (FLCI), first period after.
@pytest.mark.parametrize(("ratio", "expected"), [(1.0, (0.0171, 0.0720)), (2.0, (-0.00107, 0.0883))])
def test_relative_magnitudes_equal_the_readme_of_honestdid(ratio, expected):
    found = estimate_under_relative_magnitudes(medicaid_study(), FIRST, ratio=ratio)
    assert limits(found) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(("curvature", "expected"), [(0.0, (0.0259, 0.0607)), (0.02, (0.00286, 0.0907))])
def test_smoothness_equals_the_readme_of_honestdid(curvature, expected):
    found = estimate_under_smoothness(medicaid_study(), FIRST, curvature=curvature)
    assert limits(found) == pytest.approx(expected, abs=1e-3)


def test_breakdown_lies_between_the_ratios_at_which_the_readme_excludes_and_includes_zero():
    assert 1.5 < find_breakdown_ratio(medicaid_study(), FIRST).value < 2.0


def test_is_wider_than_the_interval_that_takes_the_change_before_as_known():
    # diff-diff 3.13.0 gives [.01127, .08163] at 2: the estimated change, without its error.
    low, high = limits(estimate_under_relative_magnitudes(medicaid_study(), FIRST, ratio=2.0))
    assert low < 0 < 0.01127
    assert high > 0.08163 + 0.005


@pytest.mark.parametrize("row", RELATIVE, ids=lambda row: f"{row['design']}-{row['test']}-{row['ratio']}")
def test_relative_magnitudes_equal_statspai(row):
    study, weights = STUDIES[int(row["design"])]
    found = estimate_under_relative_magnitudes(study, weights, ratio=float(row["ratio"]), test=row["test"])
    expected = float(row["low"]), float(row["high"])
    length, grid = expected[1] - expected[0], float(row["grid"])
    if study.n_after == 1 and row["test"] == "hybrid":
        # There, as in HonestDiD, the second step forgets with one period after that the first was passed,
        # which lengthens the interval; with more periods after it does not.
        assert expected[0] <= found.conf_low + grid
        assert found.conf_high <= expected[1] + grid
        assert found.conf_high - found.conf_low == pytest.approx(length, rel=0.02)
    else:
        # The first-step critical value is simulated there; the grid has its own step.
        tolerance = 2 * grid + (1e-3 * length if row["test"] == "hybrid" else 0)
        assert limits(found) == pytest.approx(expected, abs=tolerance)


def test_equals_statspai_with_one_period_after_when_the_second_step_forgets_the_first():
    compared = 0
    for row in RELATIVE:
        study, weights = STUDIES[int(row["design"])]
        if study.n_after == 1 and row["test"] == "hybrid":
            expected = np.array([float(row["low"]), float(row["high"])])
            step = 2 * float(row["grid"]) + 1e-3 * np.ptp(expected)
            inside, outside = expected + step * np.array([1, -1]), expected - step * np.array([1, -1])
            accepted = np.zeros((2, 2), dtype=bool)
            for change in np.eye(study.n_before, k=1) - np.eye(study.n_before):
                for sign in (1, -1):
                    found = violations(study, weights, sign * change, float(row["ratio"]))
                    ceiling = least_favourable_value(found, 0.005)
                    for position, ends in enumerate((inside, outside)):
                        first = found.values(ends).max(axis=0) > ceiling
                        accepted[position] |= ~first & ~reject_conditionally(found, ends, 0.045 / 0.995)
            assert accepted.tolist() == [[True, True], [False, False]]
            compared += 1
    assert compared == 9


@pytest.mark.parametrize("row", SMOOTH, ids=lambda row: f"{row['design']}-{row['curvature']}")
def test_smoothness_equals_moderndid(row):
    study, weights = STUDIES[int(row["design"])]
    low, high = limits(estimate_under_smoothness(study, weights, curvature=float(row["curvature"])))
    expected = float(row["low"]), float(row["high"])
    length = expected[1] - expected[0]
    # The search there stops within a hundredth of the range, which moves the middle more than the length.
    assert (low, high) == pytest.approx(expected, abs=1e-3 * length)
    assert high - low <= length * (1 + 1e-6)
    assert high - low == pytest.approx(length, rel=1e-5)


def test_four_intervals_with_five_periods_before_take_less_than_a_second():
    study = medicaid_study()
    start = time.process_time()
    for ratio in (0.5, 1.0, 1.5, 2.0):
        estimate_under_relative_magnitudes(study, FIRST, ratio=ratio)
    assert time.process_time() - start < 1.0
