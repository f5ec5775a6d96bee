"""Open verdicts and comparisons at the limit."""

from itertools import product

import pytest

from toolkit.errors import DesignError
from toolkit.variation.three_valued import all_of, at_least, at_most


@pytest.mark.parametrize("verdicts", list(product(["pass", "fail", "undecided"], repeat=3)))
def test_the_whole_is_judged_as_every_way_of_settling_the_open_parts(verdicts):
    settled = [["pass", "fail"] if verdict == "undecided" else [verdict] for verdict in verdicts]
    outcomes = {all(part == "pass" for part in parts) for parts in product(*settled)}
    expected = {frozenset([True]): "pass", frozenset([False]): "fail"}.get(frozenset(outcomes), "undecided")
    assert all_of(verdicts) == expected


def test_refuses_to_judge_nothing():
    with pytest.raises(DesignError, match="nothing to judge"):
        all_of([])


def test_float_noise_does_not_turn_a_value_at_the_limit():
    assert 0.85 * 4.5 < 3.825
    assert at_least(0.85 * 4.5, 3.825)
    assert at_least(21 / 500 * 100, 4.2)
    assert at_least(100 * 21 / 500, 21 / 500 * 100)
    assert at_most(0.1 + 0.2, 0.3)


def test_a_value_that_only_rounds_to_the_limit_is_not_at_it():
    assert not at_most(0.5004, 0.5)
    assert not at_most(0.500001, 0.5)
    assert not at_least(3.5699, 3.57)


def test_a_missing_value_reaches_nothing():
    assert not at_least(float("nan"), 0)
    assert not at_most(float("nan"), 1)
