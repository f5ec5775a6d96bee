"""The ledger as a workbook: written, edited by people in every way that happens, and read back."""

import datetime as dt
import io
import math
from dataclasses import fields, replace

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.errors import InputError
from toolkit.planning.ledger import Ledger, LedgerRow, carry_over
from toolkit.planning.problems import Judged, Problems
from toolkit.reporting.ledger_reading import load_ledger
from toolkit.reporting.ledger_texts import date_text, guarded, unguarded
from toolkit.reporting.ledger_workbook import ledger_bytes, place_ledger

SCHOOLS = {"9901010001": "实验小学", "9901010002": "第二小学", "9901010003": "第三初中", "990101": "云岭县"}
STATES = ("not_started", "in_progress", "done", "closed_out")


def judged(number, item="R4", met="fail", stage="primary"):
    code = f"990101000{number}"
    return Judged(code, SCHOOLS[code], item, f"{item} 指标", stage, 4.0, 4.5, 250.5, "square_metres", met)


def found(year, *rows):
    county = Judged("990101", "云岭县", "G08", "G08 工资", "", 0.97, 1.0, math.nan, "", "fail")
    return Problems(year, "990101", (*rows, county), SCHOOLS)


def first_ledger():
    rows = (judged(1), judged(1, "R5"), judged(2), judged(3, "R7", stage="junior"))
    return carry_over(found(2024, *rows), None, None, year=2024)


def written(ledger, folder, **options):
    return place_ledger(ledger, folder / "台账.xlsx", county="云岭县", **options).path


def cells(path):
    """Return title, header and rows as people see them."""
    sheet = openpyxl.load_workbook(path).worksheets[0]
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def saved(rows, path, title="整改台账"):
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    workbook.save(path)
    return path


def assert_same(row, other, leaving=()):
    for field in fields(LedgerRow):
        one, two = getattr(row, field.name), getattr(other, field.name)
        if field.name in leaving or one == two:
            continue
        assert one == pytest.approx(two, nan_ok=True), field.name


def test_a_share_is_shown_in_percent_and_read_back_to_the_last_digit(tmp_path):
    share = Judged("990101", "云岭县", "G04", "G04 占比", "", 0.853, 0.95, math.nan, "percent", "fail")
    ratio = Judged("990101", "云岭县", "G05", "G05 比", "", 1 / 7, 0.25, math.nan, "ratio_unit", "fail")
    rows = (judged(1), share, ratio)
    ledger = carry_over(Problems(2024, "990101", rows, SCHOOLS), None, None, year=2024)
    path = written(ledger, tmp_path)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    header = [cell.value for cell in sheet[2]]
    shown = [
        {
            name: sheet.cell(at, header.index(name) + 1)
            for name in ("实际值", "标准值（限值）", "缺口", "缺口单位")
        }
        for at in (3, 4, 5)
    ]
    assert [row["实际值"].number_format for row in shown] == ["#,##0", "0.00%", "0.000"]
    assert [row["标准值（限值）"].number_format for row in shown] == ["#,##0.00", "0.00%", "0.000"]
    assert [row["缺口"].number_format for row in shown] == ["#,##0.00", "@", "@"]
    assert (shown[1]["实际值"].value, shown[1]["标准值（限值）"].value, shown[1]["缺口单位"].value) == (
        0.853,
        0.95,
        "%",
    )
    for row, other in zip(ledger.rows, load_ledger(path).rows, strict=True):
        assert_same(row, other)
    again = carry_over(Problems(2025, "990101", rows, SCHOOLS), load_ledger(path), None, year=2025)
    assert "85.30%" in again.rows[1].history


def test_a_percentage_that_people_typed_stays_as_they_typed_it(tmp_path):
    path = written(first_ledger(), tmp_path)
    title, header, *body = cells(path)
    own = [
        dict.fromkeys(header) | {"问题指标": "到位率", "实际值": value, "缺口单位": "%"}
        for value in (85, "85%")
    ]
    saved([title, header, *body, *([row[name] for name in header] for row in own)], path)
    read = load_ledger(path)
    again = load_ledger(written(read, tmp_path / "again"))
    assert [row.value for row in again.rows[-2:]] == [85, "85%"]
    assert [row.unit for row in again.rows[-2:]] == ["percent", "percent"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_is_written_is_read_back(tmp_path, language):
    ledger = first_ledger()
    rows = [
        replace(
            row, measure=f"措施{at}", state=STATES[at % 4], deadline="2026-06-30", extra={"科室": f"科{at}"}
        )
        for at, row in enumerate(ledger.rows)
    ]
    ledger = Ledger(2024, tuple(rows), ("科室",))
    read = load_ledger(written(ledger, tmp_path, language=language))
    assert (read.year, read.extra, len(read.rows)) == (2024, ("科室",), 5)
    for row, other in zip(ledger.rows, read.rows, strict=True):
        assert_same(row, other)


def test_the_same_ledger_gives_the_same_bytes():
    assert ledger_bytes(first_ledger(), county="云岭县") == ledger_bytes(first_ledger(), county="云岭县")


texts = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=12)
hard_texts = texts | st.sampled_from(
    ["=1+1", "'=x", "+86 10", "-5", "@sum", "＝A1", "合计", "2026年底", "是"]
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_of_rows_and_columns_is_read_as_the_same_ledger(tmp_path, data):
    ledger = first_ledger()
    rows = [
        replace(
            row,
            measure=data.draw(hard_texts),
            person=data.draw(hard_texts),
            state=data.draw(st.sampled_from(STATES)),
            extra={"科室": data.draw(st.text("科室一二三", min_size=1, max_size=4))},
        )
        for row in ledger.rows
    ]
    path = tmp_path / "shuffled.xlsx"
    path.write_bytes(ledger_bytes(Ledger(2024, tuple(rows), ("科室",)), county="云岭县"))
    title, header, *body = cells(path)
    columns = data.draw(st.permutations(range(len(header))))
    body = data.draw(st.permutations(body))
    blank = [None] * len(header)
    shuffled = [[row[at] for at in columns] for row in (header, *body)]
    saved([title, shuffled[0], blank, *shuffled[1:], blank], path, title="我的台账")
    read = {row.id: row for row in load_ledger(path).rows}
    assert [row.id for row in load_ledger(path).rows] == [row[header.index("台账编号")] for row in body]
    for row in rows:
        assert_same(row, read[row.id])


@given(hard_texts | st.text(max_size=8))
def test_a_guarded_text_is_no_formula_and_comes_back(text):
    shown = guarded(text)
    assert shown.strip()[:1] not in ("=", "+", "-", "@", "＝", "＋", "－", "＠")
    assert unguarded(shown) == text


def test_dates_are_understood_however_they_were_entered():
    given_dates = ["2026年6月30日", "2026.6.30", "2026/06/30", "20260630", 46203, 20260630.0]
    given_dates += [dt.date(2026, 6, 30), pd.Timestamp(2026, 6, 30, 8), "2026-06-30 00:00:00"]
    assert {date_text(value) for value in given_dates} == {"2026-06-30"}
    assert [date_text(value) for value in ("6月底前", "2026-02-30", None, "")] == [
        "6月底前",
        "2026-02-30",
        "",
        "",
    ]


def test_totals_empty_rows_and_running_numbers_are_no_problems(tmp_path):
    path = written(first_ledger(), tmp_path)
    title, header, *body = cells(path)
    body = [[*row, at] for at, row in enumerate(body, start=1)]
    blank = [None] * len(header)
    total = ["合计", *blank[1:-1], "5项", None]
    saved([title, [*header, "序号"], *body, total, [*blank, 6], [*blank, 7]], path)
    assert len(load_ledger(path).rows) == 5


def test_a_row_without_number_becomes_a_row_by_hand_or_gets_the_number_that_it_tells(tmp_path):
    path = written(first_ledger(), tmp_path)
    title, header, *body = cells(path)
    by_hand = dict.fromkeys(header) | {"学校（县）": "实验小学", "问题指标": "操场积水", "实际值": "雨后两天"}
    by_item = dict.fromkeys(header) | {"学校代码": 9901010002, "指标编号": "R6", "学段": "小学"}
    rows = [[row[name] for name in header] for row in (by_hand, by_item)]
    saved([title, header, rows[0], *body, rows[1]], path)
    read = load_ledger(path)
    assert [read.rows[0].id, read.rows[-1].id] == ["hand-1", "9901010002|R6|primary"]
    assert (read.rows[0].value, read.rows[0].state, read.rows[0].year) == ("雨后两天", "not_started", 2024)
    again = load_ledger(written(read, tmp_path / "again"))
    assert [row.id for row in again.rows] == [row.id for row in read.rows]


def changed(tmp_path, column, value):
    path = written(first_ledger(), tmp_path)
    rows = cells(path)
    rows[3][rows[1].index(column)] = value
    return saved(rows, path, title="台账定稿")


@pytest.mark.parametrize(
    ("column", "value", "cell", "told"),
    [
        ("整改状态", "快好了", "M4", ("快好了", "未启动", "已销号")),
        ("台账编号", "9901010001|R5", "A4", ("恢复",)),
        ("台账编号", "9901010001|R6|primary", "A4", ("恢复",)),
        ("台账编号", 9.90101e9, "A4", ("恢复",)),
        ("学段", "初中", "A4", ("9901010001|R5|primary",)),
        ("台账编号", "9901010001|R4|primary", "A4", ("恢复",)),
    ],
)
def test_an_unknown_state_or_a_damaged_number_is_named_with_sheet_cell_school_and_remedy(
    tmp_path, column, value, cell, told
):
    with pytest.raises(InputError) as refused:
        load_ledger(changed(tmp_path, column, value))
    for text in ("台账定稿", cell, "实验小学", *told):
        assert text in refused.value.zh
    assert cell in refused.value.en


def test_a_number_that_stands_twice_is_refused(tmp_path):
    path = written(first_ledger(), tmp_path)
    rows = cells(path)
    saved([*rows, rows[2]], path)
    with pytest.raises(InputError, match="与第 3 行重复"):
        load_ledger(path)


def test_a_file_without_a_ledger_or_that_is_no_workbook_is_refused(tmp_path):
    with pytest.raises(InputError, match="没有整改台账"):
        load_ledger(saved([["学校", "状态"]], tmp_path / "other.xlsx"))
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"no workbook")
    with pytest.raises(InputError, match="无法读取"):
        load_ledger(broken)


def test_an_edited_ledger_is_never_overwritten(tmp_path):
    ledger = first_ledger()
    path = tmp_path / "台账.xlsx"
    assert place_ledger(ledger, path, county="云岭县").status == "new"
    assert place_ledger(ledger, path, county="云岭县").status == "identical"
    rows = cells(path)
    rows[2][rows[1].index("整改措施")] = "改建"
    saved(rows, path)
    content = path.read_bytes()
    beside = place_ledger(ledger, path, county="云岭县")
    assert (beside.status, beside.path.name) == ("kept_beside", "台账-2.xlsx")
    assert path.read_bytes() == content
    assert place_ledger(ledger, path, county="云岭县").path.name == "台账-2.xlsx"
    assert "台账-2.xlsx" in beside.told("zh")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["台账-2.xlsx", "台账.xlsx"]


def test_a_ledger_edited_by_hand_carries_states_repeats_and_proposals_into_the_next_year(tmp_path):
    path = written(first_ledger(), tmp_path)
    title, header, *body = cells(path)
    at = {name: position for position, name in enumerate(header)}
    for row, (state, measure, deadline) in zip(
        body,
        [
            ("已销号", "扩建教学楼", "2025年6月30日"),
            ("整改中", "整修操场", dt.date(2025, 6, 30)),
            ("已完成", "新建教室", "2025.7.1"),
            ("整改中", "购置设备", "2026-07-01"),
            ("未启动", "提高待遇", None),
        ],
        strict=True,
    ):
        row[at["整改状态"]], row[at["整改措施"]], row[at["完成时限"]] = state, measure, deadline
    order = list(reversed(range(len(header))))
    reordered = [[row[position] for position in order] for row in (header, *reversed(body))]
    saved([title, *reordered], path)
    # Next year 9901010002 has a new code, its problem is solved; a new problem turns up.
    moved = Judged("9901010009", "新二小", "R4", "R4 指标", "primary", 5.0, 4.5, 0.0, "square_metres", "pass")
    year = found(2025, judged(1), judged(1, "R5"), moved, judged(3, "R7", stage="junior"), judged(3, "R1"))
    year = replace(year, schools={**SCHOOLS, "9901010009": "新二小"} | {})
    schools = {code: name for code, name in year.schools.items() if code != "9901010002"}
    links = pd.DataFrame(
        {"from_school_id": ["9901010002"], "to_school_id": ["9901010009"], "link_kind": ["rename"]}
    ).assign(link_date=pd.Timestamp("2025-08-31"))
    ledger = carry_over(replace(year, schools=schools), load_ledger(path), links, year=2025)
    told = {
        row.id: (row.state, row.data_check, row.proposal, row.repeated, row.relapsed) for row in ledger.rows
    }
    assert told == {
        "9901010001|R4|primary": ("not_started", "fail", "reopened", True, True),
        "9901010001|R5|primary": ("in_progress", "fail", "overdue", True, False),
        "9901010009|R4|primary": ("done", "pass", "close_out", False, False),
        "9901010003|R7|junior": ("in_progress", "fail", "", True, False),
        "990101|G08|": ("not_started", "fail", "", True, False),
        "9901010003|R1|primary": ("not_started", "fail", "", False, False),
    }
    assert ledger.rows[0].id == "990101|G08|"
    assert {row.measure for row in ledger.rows} == {
        "扩建教学楼", "整修操场", "新建教室", "购置设备", "提高待遇", "",
    }  # fmt: skip
    assert "已销号" in next(row.history for row in ledger.rows if row.relapsed)


def test_the_workbook_offers_states_freezes_the_header_and_explains_itself():
    book = openpyxl.load_workbook(io.BytesIO(ledger_bytes(first_ledger(), county="云岭县")))
    sheet, help_sheet = book.worksheets
    rules = [rule.formula1 for rule in sheet.data_validations.dataValidation if rule.type == "list"]
    assert '"未启动,整改中,已完成,已销号"' in rules
    assert sheet.freeze_panes == "C3"
    assert sheet["J3"].fill.fgColor.rgb != sheet["A3"].fill.fgColor.rgb
    assert help_sheet.max_row > 8
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
