"""Changes between two years, split into stock, enrolment, and entry and exit of schools."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.counties import make_county
from toolkit.data.schema import TABLES, conform
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.standards import load_standard
from toolkit.variation.breaks import Break
from toolkit.variation.changes import (
    SchoolStocks,
    decompose_changes,
    decompose_coefficient_change,
    decompose_mean_change,
)

STANDARD = load_standard("national_2017")


def year(schools):
    """Return the stocks of a year from (code, stock, enrolment) or (code, stock, enrolment, share)."""
    full = [(*entry, 1.0)[:4] for entry in schools]
    codes, stock, enrolment, share = zip(*full, strict=True)
    return SchoolStocks(
        np.array(codes, dtype=str), *(np.array(part, dtype=float) for part in (stock, share, enrolment))
    )


def slow_coefficient(stock, enrolment):
    students = sum(enrolment)
    mean = sum(stock) / students
    variance = sum(p / students * (x / p - mean) ** 2 for x, p in zip(stock, enrolment, strict=True))
    return variance**0.5 / mean


def shapley_over_orders(value):
    """Return each factor's mean contribution over all orders of changing them, the slow way."""
    parts = [0.0, 0.0]
    for order in itertools.permutations(range(2)):
        state = [0, 0]
        for factor in order:
            before = value(*state)
            state[factor] = 1
            parts[factor] += (value(*state) - before) / 2
    return parts


positive = st.floats(0.5, 5000, allow_nan=False)
a_school = st.tuples(positive, positive, positive, positive)


@settings(max_examples=40, deadline=None)
@given(st.lists(a_school, min_size=2, max_size=7))
def test_parts_of_a_mean_are_the_average_over_both_orders_and_add_up(schools):
    before = year([(str(at), s0, p0) for at, (s0, _, p0, _) in enumerate(schools)])
    after = year([(str(at), s1, p1) for at, (_, s1, _, p1) in enumerate(schools)])
    found = decompose_mean_change(before, after, per=100)
    stocks = [before.stock.sum(), after.stock.sum()]
    students = [before.enrolment.sum(), after.enrolment.sum()]
    stock, enrolment = shapley_over_orders(lambda a, b: 100 * stocks[a] / students[b])
    size = max(found.before, found.after)
    assert found.stock_part == pytest.approx(stock, rel=1e-10, abs=1e-10 * size)
    assert found.enrolment_part == pytest.approx(enrolment, rel=1e-10, abs=1e-10 * size)
    assert found.stock_part + found.enrolment_part == pytest.approx(found.change, abs=1e-12 * size)


@settings(max_examples=40, deadline=None)
@given(st.lists(a_school, min_size=2, max_size=7), st.integers(0, 1), st.integers(0, 1))
def test_parts_of_a_coefficient_are_the_average_over_both_orders_and_add_up(schools, entered, left):
    both = list(enumerate(schools))
    before = year([(str(at), s0, p0) for at, (s0, _, p0, _) in both] + [("old", 30, 90)] * left)
    after = year([(str(at), s1, p1) for at, (_, s1, _, p1) in both] + [("new", 10, 70)] * entered)
    found = decompose_coefficient_change(before, after)
    stocks = [[school[year_] for school in schools] for year_ in (0, 1)]
    students = [[school[2 + year_] for school in schools] for year_ in (0, 1)]
    stock, enrolment = shapley_over_orders(lambda a, b: slow_coefficient(stocks[a], students[b]))
    assert found.stock_part == pytest.approx(stock, rel=1e-9, abs=1e-9)
    assert found.enrolment_part == pytest.approx(enrolment, rel=1e-9, abs=1e-9)
    total = slow_coefficient(after.stock, after.enrolment) - slow_coefficient(before.stock, before.enrolment)
    assert found.change == pytest.approx(total, rel=1e-9, abs=1e-9)
    parts = found.stock_part + found.enrolment_part + found.schools_part
    assert parts == pytest.approx(found.change, abs=1e-12)
    assert (found.n_both, found.n_entered, found.n_left) == (len(schools), entered, left)


def test_a_mean_by_hand():
    # 20 teachers per 200 pupils, then 22 per 160: 10 to 13.75 per 100.
    found = decompose_mean_change(
        year([("a", 12, 120), ("b", 8, 80)]), year([("a", 12, 90), ("b", 10, 70)]), per=100
    )
    assert found.change == pytest.approx(3.75)
    # Two more teachers, on the mean of 1/200 and 1/160 pupils.
    assert found.stock_part == pytest.approx(1.125)
    assert found.enrolment_part == pytest.approx(2.625)


def test_a_mean_that_rises_only_because_pupils_left_has_no_part_from_stock():
    found = decompose_mean_change(year([("a", 10, 100)]), year([("a", 10, 80)]), per=100)
    assert found.stock_part == 0
    assert found.enrolment_part == pytest.approx(2.5)


def test_reversing_the_years_changes_every_sign():
    before = year([("a", 12, 120), ("b", 8, 80), ("old", 3, 20)])
    after = year([("a", 15, 90), ("b", 10, 70), ("new", 2, 30)])
    there, back = decompose_mean_change(before, after), decompose_mean_change(after, before)
    assert (back.stock_part, back.enrolment_part) == pytest.approx((-there.stock_part, -there.enrolment_part))
    there, back = decompose_coefficient_change(before, after), decompose_coefficient_change(after, before)
    for name in ("change", "stock_part", "enrolment_part", "schools_part"):
        assert getattr(back, name) == pytest.approx(-getattr(there, name))


def test_nothing_changes_when_nothing_changes():
    same = year([("a", 12.3, 120), ("b", 8.1, 77, 0.4)])
    mean, coefficient = decompose_mean_change(same, same), decompose_coefficient_change(same, same)
    assert (mean.change, mean.stock_part, mean.enrolment_part) == (0, 0, 0)
    parts = (coefficient.stock_part, coefficient.enrolment_part, coefficient.schools_part)
    assert (coefficient.change, *parts) == (0, 0, 0, 0)


def test_a_new_split_between_the_stages_of_a_school_is_counted_with_enrolment():
    # The school keeps its 100 rooms, but half of them, then a third, fall to the stage.
    found = decompose_mean_change(year([("a", 100, 200, 0.5)]), year([("a", 100, 100, 1 / 3)]))
    assert found.stock_part == 0
    assert found.enrolment_part == pytest.approx(100 / 3 / 100 - 50 / 200)


def test_a_closed_school_changes_the_coefficient_only_through_the_schools():
    before = year([("a", 10, 100), ("b", 20, 100), ("c", 90, 100)])
    after = year([("a", 10, 100), ("b", 20, 100)])
    found = decompose_coefficient_change(before, after)
    assert (found.stock_part, found.enrolment_part) == (0, 0)
    assert found.schools_part == pytest.approx(
        slow_coefficient([10, 20], [100, 100]) - slow_coefficient([10, 20, 90], [100] * 3)
    )


def test_a_resource_that_no_school_had_leaves_the_coefficient_without_parts():
    found = decompose_coefficient_change(
        year([("a", 0, 10), ("b", 0, 10)]), year([("a", 1, 10), ("b", 2, 10)])
    )
    assert np.isnan([found.change, found.stock_part, found.enrolment_part, found.schools_part]).all()


def county_of(rows):
    """Return a county of primary schools from (code, year, teachers, enrolment)."""
    schools = [{"school_id": code, "school_type": "primary_school", "ownership": "public"}
               for code in sorted({row[0] for row in rows})]  # fmt: skip
    years = [
        {"school_id": code, "year": at, "enrolment_primary": students,
         "teachers_above_required_qualification_primary": teachers}
        for code, at, teachers, students in rows
    ]  # fmt: skip
    return make_county(schools, years)


def changes_of(rows, **options):
    resources = compute_resource_indicators(county_of(rows), STANDARD)
    found = decompose_changes(resources, last_year=2025, **options)
    return (table[table["indicator"] == "R1"] for table in (found.means, found.coefficients))


ROWS = [("a", 2020, 4, 100), ("b", 2020, 6, 100), ("a", 2024, 5, 100), ("b", 2024, 6, 90),
        ("a", 2025, 5, 80), ("b", 2025, 9, 90)]  # fmt: skip


def test_a_county_is_compared_with_the_year_before_and_with_the_first_year():
    means, coefficients = changes_of(ROWS)
    assert list(means["first_year"]) == [2024, 2020]
    assert list(means["mean_before"]) == pytest.approx([100 * 11 / 190, 5.0])
    assert list(means["mean_after"]) == pytest.approx([100 * 14 / 170] * 2)
    assert list(means["stock_part"] + means["enrolment_part"]) == pytest.approx(list(means["change"]))
    assert list(coefficients["coefficient_after"]) == pytest.approx([slow_coefficient([5, 9], [80, 90])] * 2)


def test_a_school_that_does_not_report_in_one_year_is_left_out_of_both_and_counted():
    rows = [*ROWS, ("c", 2024, None, 50), ("c", 2025, 50, 50)]
    means, _ = changes_of(rows, first_years=[2024])
    assert list(means["n_left_out"]) == [1]
    assert list(means["mean_after"]) == pytest.approx([100 * 14 / 170])


def test_a_school_that_only_changed_its_code_is_the_same_school():
    rows = [("old", 2024, 4, 100), ("b", 2024, 6, 100), ("new", 2025, 4, 100), ("b", 2025, 6, 100)]
    link = {"from_school_id": "old", "to_school_id": "new", "link_date": "2025-08-31", "link_kind": "rename"}
    links = conform(pd.DataFrame([link]), TABLES["school_links"])
    links["link_date"] = pd.to_datetime(links["link_date"])
    _, without = changes_of(rows)
    assert list(without["n_entered"]) == [1]
    _, found = changes_of(rows, links=links)
    assert list(found["n_both"]) == [2]
    assert list(found["schools_part"]) == [0]


def test_a_span_over_a_break_is_not_split():
    means, coefficients = changes_of(ROWS, breaks=[Break("R1", 2022, "")])
    assert list(means["is_broken"]) == [False, True]
    for table in (means, coefficients):
        assert table["change"].notna().tolist() == [True, False]
        assert table["stock_part"].notna().tolist() == [True, False]


def test_a_break_of_another_indicator_changes_nothing():
    means, _ = changes_of(ROWS, breaks=[Break("R5", 2022, "")])
    assert not means["is_broken"].any()


def test_one_year_of_data_has_no_changes():
    means, coefficients = changes_of([row for row in ROWS if row[1] == 2025])
    assert means.empty
    assert coefficients.empty
