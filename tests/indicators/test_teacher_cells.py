"""Scores linked to teachers: means of standardised scores by hand, coverage, refusals."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.tests_of_pupils import make_tested_county, score_rows
from toolkit.errors import DesignError
from toolkit.indicators.teacher_cells import compute_teacher_cells, require_teacher_cells
from toolkit.standards import load_standard

NATIONAL = load_standard("national_2017")


def linked_county(n_pupils=40, **changes):
    rng = np.random.default_rng(2)
    scores = score_rows({code: rng.normal(70, 10, n_pupils).round().tolist() for code in "123"})
    number = np.arange(len(scores))
    given = {
        "teacher_id": [f"T{place % 5}" for place in number],
        "class_id": "501",
        "prior_score": np.where(number % 7 == 0, np.nan, rng.normal(50, 5, len(scores))),
    }
    scores = scores.assign(**given | changes)
    return make_tested_county(scores, enrolment=dict.fromkeys("123", float(n_pupils)))


def test_means_are_those_of_scores_standardised_over_the_test():
    county = linked_county()
    cells = compute_teacher_cells(county, NATIONAL)
    scores = county.tables["scores"]
    z = (scores["score"] - scores["score"].mean()) / scores["score"].std(ddof=0)
    prior = (scores["prior_score"] - scores["prior_score"].mean()) / scores["prior_score"].std(ddof=0)
    own = cells.cells.set_index(["teacher", "school"])
    for (teacher, school), rows in scores.groupby(["teacher_id", "school_id"]):
        cell, known = own.loc[(teacher, school)], prior[rows.index].notna()
        assert cell["n_pupils"] == len(rows)
        assert cell["score"] == pytest.approx(z[rows.index].mean(), abs=1e-12)
        assert cell["prior"] == pytest.approx(prior[rows.index].mean(), abs=1e-12)
        mine, before = z[rows.index][known], prior[rows.index][known]
        assert cell["prior_known_score"] == pytest.approx(mine.mean(), abs=1e-12)
        assert cell["product"] == pytest.approx(((mine - mine.mean()) * (before - before.mean())).sum())
    assert cells.cells["n_pupils"].sum() == len(scores)
    assert cells.refusal is None


def test_weights_count_and_have_a_mean_of_one():
    county = linked_county(weight=np.tile([1.0, 3.0], 60))
    cells = compute_teacher_cells(county, NATIONAL).cells
    scores = county.tables["scores"]
    weights = scores["weight"]
    mean = np.average(scores["score"], weights=weights)
    spread = np.sqrt(np.average((scores["score"] - mean) ** 2, weights=weights))
    one = scores[(scores["teacher_id"] == "T0") & (scores["school_id"] == "1")]
    expected = np.average((one["score"] - mean) / spread, weights=one["weight"])
    row = cells[(cells["teacher"] == "T0") & (cells["school"] == "1")].iloc[0]
    assert row["score"] == pytest.approx(expected)
    assert cells["weight"].sum() == pytest.approx(len(scores))


def test_a_county_without_teachers_is_refused_with_the_number_of_scores():
    cells = compute_teacher_cells(linked_county(teacher_id=np.nan), NATIONAL)
    assert cells.refusal == ("teacher_links_none", {"scores": 120.0})
    with pytest.raises(DesignError, match="120"):
        require_teacher_cells(cells)


def test_few_links_and_few_earlier_scores_are_refused_with_the_coverage():
    teachers = np.where(np.arange(120) < 90, "T1", None)
    few = compute_teacher_cells(linked_county(teacher_id=teachers), NATIONAL)
    with pytest.raises(DesignError, match=r"75\.0%"):
        require_teacher_cells(few)
    none = compute_teacher_cells(linked_county(prior_score=np.nan), NATIONAL)
    assert none.refusal == ("teacher_priors_none", {"prior_share": 0.0})


def test_a_county_without_scores_has_no_cells():
    county = linked_county()
    tables = {name: table for name, table in county.tables.items() if name != "scores"}
    cells = compute_teacher_cells(replace(county, tables=tables), NATIONAL)
    assert cells.cells.empty
    assert cells.refusal is not None
    assert cells.refusal[0] == "teacher_links_none"


def test_the_county_stays_as_it_was_and_row_order_does_not_matter():
    county = linked_county()
    before = county.tables["scores"].copy()
    first = compute_teacher_cells(county, NATIONAL).cells
    pd.testing.assert_frame_equal(county.tables["scores"], before)
    turned = before.iloc[::-1].reset_index(drop=True)
    again = compute_teacher_cells(replace(county, tables={**county.tables, "scores": turned}), NATIONAL)
    pd.testing.assert_frame_equal(again.cells, first)
