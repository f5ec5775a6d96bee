"""The range of a ratio of sums with missing cells, against all completions on a grid."""

from itertools import product

import numpy as np
import pytest

from toolkit.indicators.ratio_bounds import open_part, ratio_range, sum_range

FAR = 1e6


def test_a_part_and_its_whole_move_together():
    # 8 of 10 are known; another school has c of t, 0 <= c <= t: from 8/(10+t) to (8+t)/(10+t).
    part = open_part(np.eye(2), np.zeros(2), np.full(2, np.inf), ((0, 1),))
    assert ratio_range(8, 10, [part]) == (0.0, 1.0)


def test_a_missing_part_lies_between_nothing_and_its_whole():
    part = open_part(np.array([[1.0, 0.0]]), np.array([0.0]), np.array([30.0]), ())
    low, high = ratio_range(70, 100, [part])
    assert low == pytest.approx(0.70)
    assert high == pytest.approx(1.00)


def test_a_whole_whose_part_is_known_can_only_lower_the_ratio():
    # 5 certified are known, their teachers are not: at least 5.
    part = open_part(np.array([[0.0, 1.0]]), np.array([5.0]), np.array([np.inf]), ())
    assert ratio_range(9 + 5, 10, [part]) == (0.0, pytest.approx(14 / 15))


def test_what_is_taken_from_the_denominator_can_only_raise_the_ratio():
    # Deceased are taken off: 95 / (100 - d), d >= 0.
    part = open_part(np.array([[0.0, -1.0]]), np.array([0.0]), np.array([np.inf]), ())
    assert ratio_range(95, 100, [part]) == (pytest.approx(0.95), np.inf)


def test_a_denominator_that_is_zero_everywhere_has_no_ratio():
    assert np.isnan(ratio_range(0, 0, [])).all()


def test_a_sum_without_denominator_is_bounded_on_the_sides_that_are_open():
    above = open_part(np.array([[1.0, 0.0]]), np.array([2.0]), np.array([np.inf]), ())
    below = open_part(np.array([[-1.0, 0.0]]), np.array([0.0]), np.array([7.0]), ())
    assert sum_range(10, [above, below]) == (5.0, np.inf)


@pytest.mark.parametrize("seed", range(12))
def test_range_is_that_of_all_completions_on_a_grid(seed):
    """Corners of boxes, ties and unbounded cells against brute force over bounds, ties and a far point."""
    rng = np.random.default_rng(seed)
    parts, completions = [], []
    for _ in range(2):
        n_cells = int(rng.integers(1, 3))
        low = rng.integers(0, 4, n_cells).astype(float)
        high = low + rng.integers(0, 6, n_cells)
        high = np.where(rng.random(n_cells) < 0.3, np.inf, high)
        tied = n_cells == 2 and rng.random() < 0.6 and low[0] <= high[1]
        if tied:
            low[1] = max(low[0], low[1])
            high[1] = max(high[1], low[1])
            high[0] = min(high[0], high[1])
        # The second side is never negative, so that denominators stay positive.
        weights = np.column_stack([rng.choice([-1.0, 0.0, 1.0], n_cells), rng.choice([0.0, 1.0], n_cells)])
        parts.append(open_part(weights, low, high, ((0, 1),) if tied else ()))
        axes = [
            np.unique(
                [low[i], *np.arange(low[i], min(high[i], low[i] + 8) + 1), min(high[i], FAR), 0.5 * FAR]
            )
            for i in range(n_cells)
        ]
        points = [
            cell
            for cell in product(*axes)
            if all(low[i] <= value <= high[i] for i, value in enumerate(cell))
            and (not tied or cell[0] <= cell[1])
        ]
        completions.append(np.array(points) @ weights)
    numerator, denominator = 5.0, 4.0
    found = [
        (numerator + one[0] + two[0]) / (denominator + one[1] + two[1])
        for one in completions[0]
        for two in completions[1]
    ]
    low, high = ratio_range(numerator, denominator, parts)
    assert low <= min(found) + 1e-9
    assert high >= max(found) - 1e-9
    # Sharp: attained at a corner, or approached far out.
    assert low == pytest.approx(min(found), rel=1e-4, abs=2e-5) or (np.isinf(low) and min(found) < -FAR / 100)
    assert high == pytest.approx(max(found), rel=1e-4, abs=2e-5) or (
        np.isinf(high) and max(found) > FAR / 100
    )
