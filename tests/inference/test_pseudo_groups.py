import numpy as np
import pytest

from toolkit.inference.pseudo_groups import form_pseudo_groups

RNG = np.random.default_rng(1)
N_UNITS = 120
GROUP = np.full(N_UNITS, -1)
GROUP[:12] = np.repeat([0, 1, 2], [3, 4, 5])
TYPE = np.where(np.arange(N_UNITS) % 3 == 0, "junior", "primary")
CANDIDATE = np.arange(N_UNITS) >= 20
BASELINE = RNG.normal(size=(N_UNITS, 2))


def formed(**options):
    return form_pseudo_groups(GROUP, CANDIDATE, TYPE, BASELINE, **({"seed": 1} | options))


def test_pseudo_groups_have_the_sizes_and_types_of_the_real_groups():
    found = formed(n_per_group=3)
    assert found.n_missing == 0
    assert found.n_real == 3
    assert len(found.matched_to) == 12
    for label, real in enumerate(found.matched_to):
        assert sorted(TYPE[found.school_group == label]) == sorted(TYPE[real == GROUP])


def test_real_groups_stay_and_only_candidates_are_used_once():
    found = formed(n_per_group=3)
    np.testing.assert_array_equal(found.school_group[:12], GROUP[:12])
    assert (found.school_group[12:20] == -1).all()
    assert (found.school_group >= 0).sum() == 12 * 4


def test_places_are_taken_from_the_nearest_stratum():
    baseline = np.zeros((N_UNITS, 1))
    baseline[:12, 0] = 5.0
    baseline[60:, 0] = 5.0
    found = form_pseudo_groups(GROUP, CANDIDATE, TYPE, baseline, seed=1, n_strata=2, n_per_group=2)
    assert (np.flatnonzero(found.school_group >= 3) >= 60).all()
    assert (found.distance == 0).all()


def test_matched_groups_are_closer_at_baseline_than_others():
    selected = BASELINE.copy()
    selected[:12] -= 1.0
    gaps = []
    for seed in range(30):
        found = form_pseudo_groups(GROUP, CANDIDATE, TYPE, selected, seed=seed)
        gaps.append(selected[found.school_group >= 3, 0].mean() - selected[:12, 0].mean())
    assert abs(np.mean(gaps)) < 0.4 * abs(selected[20:, 0].mean() - selected[:12, 0].mean())


def test_draws_are_seeded():
    np.testing.assert_array_equal(formed().school_group, formed().school_group)
    assert (formed().school_group != formed(seed=2).school_group).any()


def test_units_of_the_baseline_do_not_matter():
    other = form_pseudo_groups(GROUP, CANDIDATE, TYPE, BASELINE * [1000.0, 0.01] + 5, seed=1)
    np.testing.assert_array_equal(other.school_group, formed().school_group)


def test_groups_that_cannot_be_formed_are_counted():
    few = CANDIDATE & (np.arange(N_UNITS) < 32)
    found = form_pseudo_groups(GROUP, few, TYPE, BASELINE, seed=1, n_per_group=2)
    assert found.n_missing > 0
    assert len(found.matched_to) + found.n_missing == 9
    assert (np.bincount(found.school_group[found.school_group >= 0]) >= 3).all()


def test_refuses_candidates_in_groups_and_missing_baselines():
    with pytest.raises(ValueError, match="in a real school group"):
        form_pseudo_groups(GROUP, np.ones(N_UNITS, dtype=bool), TYPE, BASELINE, seed=1)
    with pytest.raises(ValueError, match="missing"):
        form_pseudo_groups(GROUP, CANDIDATE, TYPE, np.full((N_UNITS, 1), np.nan), seed=1)
