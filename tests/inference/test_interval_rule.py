from dataclasses import FrozenInstanceError, replace

import pytest

from toolkit.inference.interval_rule import (
    ClusterCounts,
    EstimatorKind,
    IntervalChoice,
    IntervalRule,
    choose_interval,
)

MANY = ClusterCounts(treated=40, comparison=200, effective_treated=35.0, effective=60.0, assignments=1e9)


def chosen(kind: EstimatorKind = "influence", rule=None, **changes):
    choice = choose_interval(replace(MANY, **changes), kind, rule)
    return choice.interval, choice.reason


def test_from_many_treated_clusters_to_none():
    assert chosen() == ("multiplier", "many_clusters")
    for treated in (20, 12, 6, 3):
        few = {"treated": treated, "effective_treated": treated - 0.4, "effective": treated + 2.0}
        assert chosen(**few) == ("analytic_t", "enough_clusters")
        assert chosen(**few, assignments=0) == ("analytic_t", "enough_clusters")
    assert chosen(treated=2, effective_treated=2) == ("none", "too_few_treated_clusters")


def test_one_dominant_group_makes_many_treated_clusters_few():
    assert chosen(effective_treated=20.0) == ("analytic_t", "enough_clusters")
    assert chosen(effective_treated=1.9) == ("none", "too_few_treated_clusters")
    assert chosen(treated=4, effective_treated=2.0 - 1e-15) == ("analytic_t", "enough_clusters")


def test_regressions_take_the_wild_bootstrap_unless_few_are_treated():
    few = {"treated": 8, "effective_treated": 8.0, "effective": 9.0}
    assert chosen("regression", **few) == ("wild", "few_clusters_in_regression")
    assert chosen("regression", treated=4, effective_treated=4.0, effective=5.0)[0] == "permutation"
    assert chosen("regression", treated=20, effective_treated=18, effective=25)[0] == "analytic_t"


def test_placebo_estimators_are_judged_by_permutation_alone():
    assert chosen("placebo") == ("permutation", "placebo_only")
    assert chosen("placebo", treated=1, effective_treated=1.0) == ("permutation", "placebo_only")
    assert chosen("placebo", assignments=19) == ("none", "too_few_assignments")


def test_no_interval_without_comparison_or_with_too_few_assignments():
    assert chosen(comparison=5) == ("none", "too_few_comparison_clusters")
    few = {"treated": 3, "effective_treated": 3.0, "effective": 3.0}
    assert chosen("regression", **few, assignments=19) == ("none", "too_few_assignments")
    assert chosen("regression", **few, assignments=20)[0] == "permutation"
    assert chosen("regression", **few, assignments=0) == ("none", "too_few_assignments")


def test_limits_can_be_changed_and_not_overwritten():
    strict = IntervalRule(fewest_treated=6)
    assert chosen(rule=strict, treated=5, effective_treated=5.0, effective=5.0)[0] == "none"
    with pytest.raises(FrozenInstanceError):
        strict.fewest_treated = 2  # pyright: ignore[reportAttributeAccessIssue]
    assert choose_interval(MANY, "influence") == IntervalChoice("multiplier", "many_clusters")
