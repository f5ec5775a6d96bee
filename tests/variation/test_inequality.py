"""Gini and Theil against the pairwise formulas, and decompositions that add up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import DesignError
from toolkit.variation.dispersion import coefficient_of_variation
from toolkit.variation.inequality import (
    compute_lorenz_curve,
    decompose_theil,
    decompose_variance,
    gini,
)

PLACES = ["urban", "town", "rural"]
rows = st.lists(
    st.tuples(st.one_of(st.just(0.0), st.floats(1, 1e4)), st.integers(10, 3000), st.sampled_from(PLACES)),
    min_size=1,
    max_size=15,
).filter(lambda rows: sum(row[0] for row in rows) > 0)


def split(rows):
    amount, enrolment, place = zip(*rows, strict=True)
    return np.array(amount), np.array(enrolment, dtype=float), np.array(place)


@given(rows)
def test_gini_equals_the_mean_difference_between_all_pairs_of_students(rows):
    amount, enrolment, _ = split(rows)
    share, weight = amount / enrolment, enrolment / enrolment.sum()
    pairs = sum(
        wi * wj * abs(xi - xj)
        for wi, xi in zip(weight, share, strict=True)
        for wj, xj in zip(weight, share, strict=True)
    )
    mean = amount.sum() / enrolment.sum()
    assert gini(amount, enrolment) == pytest.approx(pairs / (2 * mean), rel=1e-9, abs=1e-12)


def test_gini_of_one_school_that_has_everything_is_the_share_of_the_others():
    assert gini([0, 0, 10], [30, 20, 50]) == pytest.approx(0.5)


def test_lorenz_curve_runs_from_the_poorest_school_to_the_richest():
    curve = compute_lorenz_curve([30, 10, 60], [10, 10, 10])
    assert curve.order.tolist() == [1, 0, 2]
    assert curve.amount_share == pytest.approx([0, 0.1, 0.4, 1])
    assert curve.student_share == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert list(curve.tidy()) == ["student_share", "amount_share"]


def test_lorenz_curve_is_sorted_by_amount_per_student_not_by_amount():
    assert compute_lorenz_curve([30, 20], [30, 10]).order.tolist() == [0, 1]


@given(rows)
def test_theil_equals_the_sum_over_students_and_its_parts_add_up(rows):
    amount, enrolment, place = split(rows)
    relative = np.repeat(amount / enrolment, enrolment.astype(int)) / (amount.sum() / enrolment.sum())
    logs = np.log(relative, out=np.zeros_like(relative), where=relative > 0)
    theil = decompose_theil(amount, enrolment, place)
    assert theil.total == pytest.approx(np.mean(relative * logs), rel=1e-8, abs=1e-10)
    assert theil.within + theil.between == pytest.approx(theil.total, rel=1e-9, abs=1e-12)
    assert theil.tidy()["within_part"].sum() == pytest.approx(theil.within, abs=1e-12)


def test_theil_is_all_between_when_schools_of_a_location_are_alike():
    theil = decompose_theil([10, 20, 60, 30], [10, 20, 20, 10], ["urban", "urban", "rural", "rural"])
    # X = 1 and 3, mean 2, halves of the students: 0.25 ln 0.5 + 0.75 ln 1.5.
    assert theil.between == pytest.approx(0.25 * np.log(0.5) + 0.75 * np.log(1.5))
    assert theil.within == pytest.approx(0, abs=1e-15)


def test_a_location_without_the_resource_has_no_inequality_of_its_own():
    theil = decompose_theil([0, 0, 5], [10, 10, 20], ["rural", "rural", "urban"])
    assert np.isnan(theil.locations["theil"][0])
    assert theil.total == pytest.approx(np.log(2))
    assert theil.within == 0


@given(rows)
def test_variance_parts_add_up_to_the_variance_behind_the_coefficient(rows):
    amount, enrolment, place = split(rows)
    parts = decompose_variance(amount, enrolment, place)
    mean = amount.sum() / enrolment.sum()
    expected = (coefficient_of_variation(amount, enrolment) * mean) ** 2
    assert parts.total == pytest.approx(expected, rel=1e-8, abs=1e-12 * mean**2)
    if parts.total > 1e-9 * mean**2:
        assert parts.within_share + parts.between_share == pytest.approx(1, rel=1e-12)
        assert parts.tidy()["variance_share"].sum() == pytest.approx(1, rel=1e-12)


def test_variance_between_locations_is_that_of_their_ratios_of_totals():
    parts = decompose_variance([10, 30, 60], [10, 10, 20], ["urban", "urban", "rural"])
    # Means 2 (urban) and 3 (rural), county 2.5: between 0.25; within 0.5 * 1.
    assert parts.total == pytest.approx(0.75)
    assert parts.between_share == pytest.approx(1 / 3)
    assert parts.locations["location"].tolist() == ["urban", "rural"]
    assert parts.locations["variance"].tolist() == pytest.approx([1, 0])


@pytest.mark.parametrize("decompose", [decompose_theil, decompose_variance])
def test_refuses_a_school_without_a_location(decompose):
    with pytest.raises(DesignError, match="1 of 2 schools have no location"):
        decompose([1, 2], [1, 2], ["urban", np.nan])
