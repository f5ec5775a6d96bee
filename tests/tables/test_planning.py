"""Tables and findings of gaps and ledger."""

from dataclasses import replace

import numpy as np
import pytest

from tests.planning.test_gaps import gaps_of, school
from toolkit.planning.ledger import Ledger, carry_over
from toolkit.planning.posts import compare_with_posts
from toolkit.planning.problems import collect_problems
from toolkit.reporting.planning_findings import find_gaps, find_ledger
from toolkit.tables.export import export_table, load_exported_table
from toolkit.tables.html import table_html
from toolkit.tables.planning import (
    gap_text,
    tabulate_gap_totals,
    tabulate_gaps,
    tabulate_ledger,
    tabulate_ledger_states,
    tabulate_posts,
    tabulate_school_needs,
    tabulate_staff,
)
from toolkit.variation.compliance import judge_resources


@pytest.fixture(scope="module")
def results():
    nine = school("A", "nine_year_school", multimedia_rooms=5, enrolment_junior=None)
    low = school("B", equipment_value=500_000, teachers_primary=15, backbone_teachers_primary=1)
    county, resources, gaps = gaps_of(nine, low, school("C", teaching_area=None))
    compliance = judge_resources(resources, year=2025)
    problems = collect_problems(county, resources, compliance, gaps)
    ledger = carry_over(problems, None, None, year=2025)
    return gaps, compare_with_posts(county, resources, gaps), ledger


def exhibits(results, language):
    gaps, posts, ledger = results
    return [
        tabulate_gaps(gaps, language),
        tabulate_school_needs(gaps, language),
        tabulate_gap_totals(gaps, language),
        tabulate_posts(posts, gaps, language),
        tabulate_staff(posts, language),
        tabulate_ledger(ledger, language),
        tabulate_ledger_states(ledger, language),
    ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_table_is_shown_and_exported(results, language, tmp_path):
    for exhibit in exhibits(results, language):
        assert "<table>" in table_html(exhibit)
        files = export_table(exhibit, tmp_path)
        assert len(load_exported_table(files.csv)) == len(exhibit.data)


def test_numbers_are_equal_in_both_languages(results):
    for one, other in zip(exhibits(results, "zh"), exhibits(results, "en"), strict=True):
        numbers = [column.name for column in one.columns if column.is_numeric]
        assert one.data[numbers].equals(other.data[numbers])


def test_a_county_without_gaps_or_problems_says_so():
    county, resources, gaps = gaps_of(school("A"))
    posts = compare_with_posts(county, resources, gaps)
    results = gaps, posts, Ledger(2025, (), ())
    for exhibit in exhibits(results, "zh"):
        table_html(exhibit)
    assert "没有缺口" in table_html(tabulate_gaps(gaps, "zh"))
    assert [finding.id for finding in find_gaps(gaps, posts)] == ["gaps_none"]
    assert [finding.id for finding in find_ledger(results[2])] == ["ledger_empty"]


@pytest.mark.parametrize(
    ("low", "high", "unit", "told"),
    [
        (4, 4, "teachers_unit", "4"),
        (70.891, 70.891, "square_metres", "70.9"),
        (0, 1_000_000, "yuan", "0至1,000,000"),
        (7, np.inf, "rooms", "不少于 7"),
        (0, np.inf, "rooms", "不能计算"),
    ],
)
def test_a_gap_is_a_number_a_range_a_lower_bound_or_not_computable(low, high, unit, told):
    assert gap_text(low, high, unit, "zh") == told


def test_findings_state_the_numbers_of_their_tables(results):
    gaps, posts, ledger = results
    findings = {finding.id: finding for finding in (*find_gaps(gaps, posts), *find_ledger(ledger))}
    assert findings["gap_R6"].numbers[0].value == 500_000
    assert "500,000 元" in findings["gap_R6"].zh
    # R2 of B needs 5 and has 1; of its 15 teachers 4 more can be trained. Its R1 is met: 200 of them count.
    assert findings["gap_posts"].numbers[0].value == 4
    assert "编制" in findings["gap_posts"].zh
    assert findings["gaps_open"].numbers[0].value == (gaps.gaps["status"] != "exact").sum()
    assert findings["ledger_states"].numbers[0].value == len(ledger.rows)


def test_the_public_edition_names_no_school(results):
    gaps, posts, _ = results
    internal, public = (
        next(found for found in find_gaps(gaps, posts, edition=edition) if found.id == "gap_schools")
        for edition in ("internal", "public")
    )
    assert "学校B" in internal.zh
    assert "学校B" not in public.zh + public.en


def test_states_and_signs_are_counted_by_stage(results):
    _, _, ledger = results
    first, *others = ledger.rows
    rows = (replace(first, state="done", proposal="close_out", repeated=True), *others)
    counts = tabulate_ledger_states(replace(ledger, rows=rows), "zh").data
    total = counts.set_index("part").loc["total"]
    assert total["ledger_n"] == len(rows)
    assert total[["ledger_n_done", "ledger_n_close_out", "ledger_n_repeated"]].tolist() == [1, 1, 1]
    assert total["ledger_n_not_started"] == len(rows) - 1


def test_the_ledger_prints_shares_in_percent_and_school_years_as_such(results):
    _, _, ledger = results
    share = replace(ledger.rows[0], title="G11b", value=0.1852, limit=0.2, unit="percent")
    data = tabulate_ledger(replace(ledger, rows=(share, *ledger.rows[1:])), "zh").data
    assert data["ledger_value"].iloc[0] == pytest.approx(18.52)
    assert data["ledger_title"].iloc[0] == "G11b（%）"
    assert set(data["ledger_first_year"]) == {"2025/2026"}
