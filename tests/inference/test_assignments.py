from itertools import permutations

import numpy as np
import pytest

from toolkit.inference.assignments import permuted_cohorts, schedules_of

NEVER = np.inf
GROUP = np.array([0, 0, 1, 1, 2, 3, 3, 4, -1, -1])
COHORTS = np.array([3.0, 3, 5, 5, 3, NEVER, NEVER, NEVER, NEVER, NEVER])


def all_cohorts(schedules):
    return [tuple(row) for row in permuted_cohorts(schedules, COHORTS, n_draws=None, seed=1)]


def test_every_distinct_assignment_occurs_once_and_the_real_one_first():
    found = all_cohorts(schedules_of(COHORTS, GROUP))
    dates = [3.0, 5.0, 3.0, NEVER, NEVER]
    slow = {(*np.array(order)[GROUP[:8]], NEVER, NEVER) for order in permutations(dates)}
    assert found[0] == tuple(COHORTS)
    assert len(found) == len(set(found)) == 30 == schedules_of(COHORTS, GROUP).n_assignments
    assert set(found) == slow


def test_schedules_stay_within_strata():
    schedules = schedules_of(COHORTS, GROUP, np.array([0, 1, 1, 0, 1]))
    found = all_cohorts(schedules)
    # Stratum 0 holds dates 3 and never, stratum 1 dates 5, 3 and never: 2 times 6.
    assert len(found) == 12 == schedules.n_assignments
    for row in found:
        assert sorted([row[0], row[5]]) == [3, NEVER]
        assert sorted([row[2], row[4], row[7]]) == [3, 5, NEVER]


def test_random_assignments_are_seeded_and_equally_likely():
    schedules = schedules_of(COHORTS, GROUP)
    drawn = [tuple(row) for row in permuted_cohorts(schedules, COHORTS, n_draws=3000, seed=2)]
    again = [tuple(row) for row in permuted_cohorts(schedules, COHORTS, n_draws=3000, seed=2)]
    assert drawn == again
    _, counts = np.unique(np.array(drawn[1:]), axis=0, return_counts=True)
    assert len(counts) == 30
    np.testing.assert_allclose(counts, 100, atol=4.5 * np.sqrt(100))


def test_random_assignments_stay_within_strata():
    schedules = schedules_of(COHORTS, GROUP, np.array([0, 1, 1, 0, 1]))
    drawn = {tuple(row) for row in permuted_cohorts(schedules, COHORTS, n_draws=200, seed=2)}
    assert drawn == set(all_cohorts(schedules))


def test_a_group_that_grew_passes_its_dates_on_by_rank():
    cohorts = np.array([3.0, 3, 6, 6, NEVER, NEVER])
    schedules = schedules_of(cohorts, np.array([0, 0, 0, 0, 1, 1]))
    found = [tuple(row) for row in permuted_cohorts(schedules, cohorts, n_draws=None, seed=1)]
    assert found == [tuple(cohorts), (NEVER, NEVER, NEVER, NEVER, 3, 6)]


def test_refuses_gaps_in_the_numbers_and_strata_of_another_length():
    with pytest.raises(ValueError, match="numbered from 0"):
        schedules_of(COHORTS, np.where(GROUP == 1, 7, GROUP))
    with pytest.raises(ValueError, match="strata for 5"):
        schedules_of(COHORTS, GROUP, np.zeros(4, dtype=int))
