import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import null_space

from toolkit.exhibits import Caption
from toolkit.reporting.edition import (
    in_pinyin_order,
    minimum_cell,
    order_of_schools,
    singles_out_schools,
    suppress_count_table,
    suppress_counts,
    suppress_small_samples,
)
from toolkit.tables.exhibit import CellMark, TableColumn, TableExhibit
from toolkit.tables.html import table_html


def recoverable(withheld):
    """Cells that the row and column equations determine: a zero row of the null space."""
    cells = [tuple(cell) for cell in np.argwhere(withheld)]
    if not cells:
        return []
    rows, columns = withheld.shape
    equations = np.zeros((rows + columns, len(cells)))
    for number, (row, column) in enumerate(cells):
        # A total enters its equation with the opposite sign.
        equations[row, number] = -1 if column == columns - 1 else 1
        equations[rows + column, number] = -1 if row == rows - 1 else 1
    free = null_space(equations)
    return [cell for number, cell in enumerate(cells) if np.abs(free[number]).max(initial=0) < 1e-9]


tables = st.integers(1, 5).flatmap(
    lambda columns: st.lists(
        st.lists(st.integers(0, 40), min_size=columns, max_size=columns), min_size=1, max_size=5
    )
)


@settings(deadline=None, max_examples=150)
@given(tables)
def test_no_withheld_cell_follows_from_rows_and_columns(counts):
    suppressed = suppress_counts(pd.DataFrame(counts))
    assert recoverable(suppressed.withheld.to_numpy()) == []


@settings(deadline=None, max_examples=50)
@given(tables)
def test_every_small_cell_is_withheld_totals_included(counts):
    suppressed = suppress_counts(pd.DataFrame(counts))
    small = (suppressed.counts > 0) & (suppressed.counts < 10)
    assert not (small & ~suppressed.withheld).to_numpy().any()


def test_the_second_cell_is_the_one_with_the_fewest_persons():
    counts = pd.DataFrame([[3, 50, 12], [40, 60, 15], [70, 80, 90]])
    withheld = suppress_counts(counts).withheld.to_numpy()
    assert {tuple(map(int, cell)) for cell in np.argwhere(withheld)} == {(0, 0), (0, 2), (1, 0), (1, 2)}


def test_a_table_without_small_cells_is_shown_whole():
    assert not suppress_counts(pd.DataFrame([[10, 0], [0, 25]])).withheld.to_numpy().any()


def test_totals_are_added():
    counts = suppress_counts(pd.DataFrame([[10, 20], [30, 40]])).counts
    assert counts.to_numpy().tolist() == [[10, 20, 30], [30, 40, 70], [40, 60, 100]]


def exhibit():
    data = pd.DataFrame({"band": ["甲", "乙"], "mean": [61.25, 72.5], "persons": [4, 30]})
    columns = (
        TableColumn("band", "组"),
        TableColumn("mean", "均分", "number"),
        TableColumn("persons", "人数", "number"),
    )
    return TableExhibit(Caption("means", "均分", "zh"), columns, data)


def test_a_mean_of_few_persons_is_gone_from_the_public_table():
    table = exhibit()
    public = suppress_small_samples(table, table.data["persons"], ["mean", "persons"], edition="public")
    assert "61.2" not in table_html(public)
    assert public.data["mean"].isna().tolist() == [True, False]
    assert "公开版：人数少于 10 的单元格" in table_html(public)
    assert table.data["mean"].tolist() == [61.25, 72.5]


def test_the_internal_table_shows_all():
    table = exhibit()
    assert suppress_small_samples(table, table.data["persons"], ["mean"], edition="internal") is table


def test_a_table_of_counts_is_marked_where_cells_are_withheld():
    suppressed = suppress_counts(pd.DataFrame({"a": [3, 40], "b": [50, 60]}, index=["甲", "乙"]))
    data = suppressed.counts.reset_index(names="row")
    columns = (
        TableColumn("row", "行"),
        *(TableColumn(name, name, "number", decimals=0) for name in ("a", "b", "total")),
    )
    table = suppress_count_table(
        TableExhibit(Caption("c", "人数", "zh"), columns, data), suppressed.withheld, edition="public"
    )
    assert {(mark.row, mark.column) for mark in table.marks} == {(0, "a"), (0, "b"), (1, "a"), (1, "b")}


def test_the_public_edition_has_no_order_of_merit():
    schools = pd.DataFrame({"school_name": ["乙校", "甲校", "丙校"], "cv": [1.0, 2.0, 3.0]})
    internal = order_of_schools(schools, edition="internal", by="cv")
    public = order_of_schools(schools, edition="public", by="cv")
    assert internal["school_name"].tolist() == ["乙校", "甲校", "丙校"]
    assert public["school_name"].tolist() == ["丙校", "甲校", "乙校"]


def test_a_public_table_of_schools_stands_in_pinyin_order_within_stage_and_coefficient():
    columns = tuple(TableColumn(name, name) for name in ("name", "stage", "school_name", "share"))
    rows = [
        ("R2", "primary", "乙校", 3), ("R2", "primary", "甲校", 2), ("R2", "primary", "丙校", 1),
        ("R1", "primary", "丙校", 9), ("R1", "primary", "丙校", 8), ("R1", "primary", "丙东校", 7),
    ]  # fmt: skip
    data = pd.DataFrame(rows, columns=[column.name for column in columns])
    given = TableExhibit(Caption("d", "表", "zh"), columns, data, (CellMark(0, "share", "unsure"),))
    ordered = in_pinyin_order(given)
    assert list(zip(ordered.data["name"], ordered.data["school_name"], strict=True)) == [
        ("R2", "丙校"), ("R2", "甲校"), ("R2", "乙校"), ("R1", "丙东校"), ("R1", "丙校"), ("R1", "丙校"),
    ]  # fmt: skip
    assert ordered.data["share"].tolist() == [1, 2, 3, 7, 9, 8]
    assert ordered.marks == (CellMark(2, "share", "unsure"),)
    assert given.data["share"].tolist() == [3, 2, 1, 9, 8, 7]


def test_schools_named_beside_other_subjects_stand_in_pinyin_order_too():
    columns = tuple(TableColumn(name, name) for name in ("subject", "stage", "name"))
    rows = [("学校", "primary", "乙校"), ("学校", "primary", "丙校"), ("学段", "primary", "")]
    data = pd.DataFrame(rows, columns=[column.name for column in columns])
    ordered = in_pinyin_order(TableExhibit(Caption("readings", "表", "zh"), columns, data))
    assert ordered.data["name"].tolist() == ["丙校", "乙校", ""]


def test_only_the_internal_edition_singles_out_schools():
    assert [singles_out_schools(edition) for edition in ("internal", "public")] == [True, False]


def test_totals_stay_below_the_schools_and_stages_apart():
    columns = tuple(TableColumn(name, name) for name in ("school_name", "stage"))
    rows = [("乙校", "primary"), ("甲校", "junior"), ("丙校", "primary"), ("", "")]
    data = pd.DataFrame(rows, columns=["school_name", "stage"])
    ordered = in_pinyin_order(TableExhibit(Caption("d", "表", "zh"), columns, data, total_rows=1))
    assert ordered.data["school_name"].tolist() == ["丙校", "乙校", "甲校", ""]


def test_a_table_without_schools_stays_as_it_is():
    table = TableExhibit(Caption("d", "表", "zh"), (TableColumn("a", "a"),), pd.DataFrame({"a": ["b", "a"]}))
    assert in_pinyin_order(table) is table


def test_the_smallest_cell_shown_holds_ten_persons():
    assert minimum_cell() == 10


@pytest.mark.parametrize("count", [1, 9])
def test_a_table_of_one_small_cell_is_withheld_whole(count):
    assert suppress_counts(pd.DataFrame([[count]])).withheld.to_numpy().all()
