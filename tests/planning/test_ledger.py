"""The ledger over two years: states, repeats, proposals, and schools that change."""

import math
from dataclasses import replace

import pandas as pd
import pytest

from toolkit.planning.ledger import Ledger, carry_over
from toolkit.planning.problems import Judged, Problems
from toolkit.planning.succession import Successor, find_successors

COUNTY = "990100"


def judged(school, met="fail", item="R4", stage="primary", value=4.0):
    return Judged(school, f"学校{school}", item, "生均面积", stage, value, 4.5, 100.0, "square_metres", met)


def problems(year, *rows, schools="ABCD", names=()):
    known = {code: f"学校{code}" for code in schools} | {COUNTY: "测试县"} | dict(names)
    return Problems(year=year, county_id=COUNTY, judged=rows, schools=known)


def links(*rows):
    columns = ["from_school_id", "to_school_id", "link_date", "link_kind"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(link_date=pd.to_datetime(table["link_date"]))


def edited(ledger, **changes):
    """Return the ledger with the first row changed, as people would."""
    first, *others = ledger.rows
    return replace(ledger, rows=(replace(first, **changes), *others))


def last_year(*rows, **changes):
    ledger = carry_over(problems(2024, *rows), None, None, year=2024)
    return edited(ledger, **changes) if changes else ledger


def test_a_first_ledger_holds_what_is_missed_and_nothing_else():
    found = problems(2024, judged("A"), judged("B", "pass"), judged("C", "undecided"))
    ledger = carry_over(found, None, None, year=2024)
    assert [row.id for row in ledger.rows] == ["A|R4|primary"]
    row = ledger.rows[0]
    assert (row.state, row.data_check, row.first_year, row.year) == ("not_started", "fail", 2024, 2024)
    assert (row.repeated, row.relapsed, row.proposal, row.history) == (False, False, "", "")


def test_what_people_wrote_carries_over_and_the_problem_is_marked_as_repeated():
    before = last_year(judged("A"), state="in_progress", measure="改建", person="张", deadline="2026-06-30")
    row = carry_over(problems(2025, judged("A", value=4.2)), before, None, year=2025).rows[0]
    assert (row.state, row.measure, row.person, row.deadline) == ("in_progress", "改建", "张", "2026-06-30")
    assert (row.repeated, row.relapsed, row.first_year, row.year) == (True, False, 2024, 2025)
    assert row.value == 4.2
    assert row.history == "2024学年实际值4.00，整改中"


def test_a_solved_problem_is_proposed_for_closing_out_and_its_state_stays():
    before = last_year(judged("A"), state="done")
    row = carry_over(problems(2025, judged("A", "pass", value=4.6)), before, None, year=2025).rows[0]
    assert (row.state, row.data_check, row.proposal, row.repeated) == ("done", "pass", "close_out", False)


def test_a_problem_closed_out_that_is_back_is_opened_again_and_marked():
    before = last_year(judged("A"), state="closed_out", evidence="验收单")
    row = carry_over(problems(2025, judged("A")), before, None, year=2025).rows[0]
    assert (row.state, row.relapsed, row.repeated, row.proposal) == ("not_started", True, True, "reopened")
    assert row.evidence == "验收单"
    assert "已销号" in row.history


def test_closed_out_in_the_year_of_the_data_is_no_relapse_but_must_be_checked():
    before = last_year(judged("A"), state="closed_out")
    row = carry_over(problems(2024, judged("A")), before, None, year=2024).rows[0]
    assert (row.state, row.relapsed, row.proposal) == ("closed_out", False, "still_unmet")


def test_a_closed_problem_that_stays_solved_stays_closed_without_a_proposal():
    before = last_year(judged("A"), state="closed_out")
    row = carry_over(problems(2025, judged("A", "pass")), before, None, year=2025).rows[0]
    assert (row.state, row.proposal, row.relapsed) == ("closed_out", "", False)


def test_missing_data_do_not_decide():
    before = last_year(judged("A"), state="in_progress")
    row = carry_over(problems(2025, judged("A", "undecided", value=math.nan)), before, None, year=2025).rows[
        0
    ]
    assert (row.data_check, row.proposal, row.state) == ("undecided", "fill_cells", "in_progress")


@pytest.mark.parametrize(
    ("deadline", "proposal"),
    [("2025-06-30", "overdue"), ("2025-09-01", ""), ("2026-06-30", ""), ("年底前", ""), ("2025-99-99", "")],
)
def test_a_deadline_before_the_statistic_date_is_overdue(deadline, proposal):
    before = last_year(judged("A"), state="in_progress", deadline=deadline)
    assert carry_over(problems(2025, judged("A")), before, None, year=2025).rows[0].proposal == proposal


def test_rows_follow_a_school_with_a_new_code():
    before = last_year(judged("A"), state="in_progress", measure="改建")
    renamed = links(("A", "B", "2025-08-31", "rename"))
    ledger = carry_over(problems(2025, judged("B"), schools="B"), before, renamed, year=2025)
    assert [row.id for row in ledger.rows] == ["B|R4|primary"]
    row = ledger.rows[0]
    assert (row.measure, row.school_name, row.school_change, row.repeated) == (
        "改建",
        "学校B",
        "rename",
        True,
    )
    assert "原为学校A（A）" in row.history


def test_merged_rows_become_one_and_no_text_is_lost():
    before = last_year(judged("A"), judged("B"))
    first, second = before.rows
    first = replace(first, measure="A的措施", person="甲", extra={"备注": "甲注"})
    second = replace(second, measure="B的措施", state="in_progress")
    before = replace(before, rows=(first, second), extra=("备注",))
    merged = links(("A", "B", "2025-08-31", "merge"))
    ledger = carry_over(problems(2025, judged("B"), schools="B"), before, merged, year=2025)
    (row,) = ledger.rows
    assert (row.id, row.measure, row.state, row.person) == ("B|R4|primary", "B的措施", "in_progress", "甲")
    assert "A的措施" in row.history
    assert row.extra == {"备注": "甲注"}


def test_a_split_school_hands_its_problems_to_all_parts():
    before = last_year(judged("A"), measure="改建")
    split = links(("A", "B", "2025-08-31", "split"), ("A", "C", "2025-08-31", "split"))
    found = problems(2025, judged("B"), judged("C", "pass"), schools="BC")
    ledger = carry_over(found, before, split, year=2025)
    assert [(row.id, row.measure, row.data_check) for row in ledger.rows] == [
        ("B|R4|primary", "改建", "fail"),
        ("C|R4|primary", "改建", "pass"),
    ]


def test_a_closed_school_keeps_its_rows_and_they_are_marked():
    before = last_year(judged("A"), measure="改建", state="in_progress")
    row = carry_over(problems(2025, schools="B"), before, links(), year=2025).rows[0]
    assert (row.id, row.school_change, row.data_check) == ("A|R4|primary", "gone", "undecided")
    assert (row.measure, row.state) == ("改建", "in_progress")
    assert math.isnan(row.value)
    assert "4.00" in row.history


def test_rows_by_hand_extra_columns_and_their_order_survive():
    before = last_year(judged("A"), judged("B"))
    by_hand = replace(
        before.rows[0],
        id="hand-1",
        item="",
        title="操场积水",
        value="雨后两天",
        measure="排水",
        extra={"牵头科室": "基建科"},
    )
    before = Ledger(2024, (before.rows[1], by_hand, before.rows[0]), ("牵头科室",))
    ledger = carry_over(problems(2025, judged("C"), judged("A"), judged("B")), before, None, year=2025)
    assert [row.id for row in ledger.rows] == ["B|R4|primary", "hand-1", "A|R4|primary", "C|R4|primary"]
    kept = ledger.rows[1]
    assert (kept.title, kept.value, kept.measure, kept.extra) == (
        "操场积水",
        "雨后两天",
        "排水",
        {"牵头科室": "基建科"},
    )
    assert (kept.data_check, kept.proposal) == ("undecided", "")
    assert ledger.extra == ("牵头科室",)


def test_carrying_over_twice_with_the_same_data_changes_nothing():
    before = last_year(judged("A"), judged("B"), state="closed_out", measure="改建")
    found = problems(2025, judged("A"), judged("B", "pass"), judged("C"))
    once = carry_over(found, before, None, year=2025)
    twice = carry_over(found, once, None, year=2025)
    assert [replace(row, proposal="") for row in once.rows] == [
        replace(row, proposal="") for row in twice.rows
    ]
    assert carry_over(found, before, None, year=2025) == once


def test_over_three_years_a_relapse_and_the_first_year_are_remembered():
    ledger = last_year(judged("A"), state="closed_out")
    ledger = carry_over(problems(2025, judged("A", "pass")), ledger, None, year=2025)
    ledger = carry_over(problems(2026, judged("A")), ledger, None, year=2026)
    row = ledger.rows[0]
    assert (row.relapsed, row.state, row.first_year) == (True, "not_started", 2024)
    assert row.history == "2024学年实际值4.00，已销号；2025学年实际值4.00，已销号"


def test_items_of_the_county_have_a_row_of_their_own():
    item = Judged(COUNTY, "测试县", "G08", "教师工资", "", 0.97, 1.0, math.nan, "", "fail")
    ledger = carry_over(problems(2024, item), None, None, year=2024)
    assert [row.id for row in ledger.rows] == [f"{COUNTY}|G08|"]
    again = carry_over(problems(2025, item), ledger, None, year=2025)
    assert [(row.id, row.repeated) for row in again.rows] == [(f"{COUNTY}|G08|", True)]


def test_successors_are_found_over_several_steps_and_circles_end():
    chain = links(
        ("A", "B", "2023-08-31", "rename"),
        ("B", "A", "2023-09-30", "rename"),
        ("B", "C", "2024-08-31", "merge"),
    )
    assert find_successors("A", chain, {"C"}, year=2025) == (Successor("C", "rename"),)
    assert find_successors("A", chain, {"C"}, year=2023) == (Successor("A", "gone"),)
    assert find_successors("A", chain, {"A", "C"}, year=2025) == (Successor("A", ""),)
    assert find_successors("A", None, {"C"}, year=2025) == (Successor("A", "gone"),)


def test_a_new_campus_is_no_successor():
    campus = links(("A", "B", "2024-08-31", "new_campus"))
    assert find_successors("A", campus, {"B"}, year=2025) == (Successor("A", "gone"),)
