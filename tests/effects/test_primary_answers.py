"""P-values of several primary answers, adjusted for their number."""

from types import SimpleNamespace

import numpy as np
import pytest

from toolkit.effects.primary_answers import adjust_primary_answers


def answered(p_value):
    return SimpleNamespace(interval=SimpleNamespace(p_value=p_value))


def test_the_smallest_of_three_counts_three_times_and_the_next_never_less():
    found = adjust_primary_answers([answered(0.03), answered(0.01), answered(0.04)])
    np.testing.assert_allclose(found, [0.06, 0.03, 0.06])


def test_answers_without_an_interval_do_not_count():
    refused, none_printed = SimpleNamespace(interval=None), answered(np.nan)
    found = adjust_primary_answers([refused, answered(0.02), none_printed, answered(0.5)])
    np.testing.assert_allclose(found, [np.nan, 0.04, np.nan, 0.5])


def test_one_answer_stays_as_it_is():
    assert adjust_primary_answers([answered(0.2)])[0] == pytest.approx(0.2)
    assert len(adjust_primary_answers([])) == 0
