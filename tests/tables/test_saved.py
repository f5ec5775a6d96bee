"""A saved table printed again equals the original, whatever its cells hold."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.errors import RunError
from toolkit.exhibits import EXHIBITS_NAME, Caption, saved_exhibits
from toolkit.tables.exhibit import CellMark, TableColumn, TableExhibit
from toolkit.tables.html import table_html
from toolkit.tables.saved import load_saved_table, save_table

MARKS = ("suppressed", "not_available", "not_applicable", "provisional", "unsure")
AWKWARD = (
    "",
    "–",
    "=1+1",
    "'=1+1",
    "'x",
    "0012",
    "1e5",
    "None",
    "nan",
    "True",
    "a,b",
    'a"b',
    "甲\n乙",
    "丙\r丁",
    " -1",
)
TEXTS = st.one_of(
    st.sampled_from(AWKWARD), st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
)
WORDS = st.one_of(TEXTS, st.integers(-5, 2030), st.floats(-9, 9), st.just(pd.Timestamp("2024-09-01")))
NUMBERS = st.one_of(
    st.floats(allow_nan=False).map(lambda number: number + 0.0),
    st.integers(-(2**60), 2**60),
    st.sampled_from([0.1 + 0.2, 1 / 3]),
)
VALUES = {
    "text": WORDS,
    "number": NUMBERS,
    "share": st.floats(0, 1).map(lambda number: number + 0.0),
    "code": st.sampled_from(["primary", "junior", "of_no_vocabulary"]),
    "verdict": st.sampled_from(["pass", "fail", "undecided"]),
    "met": st.sampled_from(["pass", "fail", "undecided"]),
    "flag": st.sampled_from([True, False, np.True_, np.False_]),
}
MISSING = st.sampled_from([None, math.nan, pd.NA, pd.NaT])


@st.composite
def tables(draw):
    kinds = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=5))
    n_rows = draw(st.integers(0, 4))
    columns = tuple(
        TableColumn(
            f"c{i}", f"列{i}", kind, unit=draw(st.sampled_from(["", "元"])), decimals=draw(st.integers(0, 3))
        )
        for i, kind in enumerate(kinds)
    )
    cell = {kind: st.one_of(values, MISSING) for kind, values in VALUES.items()}
    data = pd.DataFrame(
        {
            column.name: pd.Series([draw(cell[column.kind]) for _ in range(n_rows)], dtype=object)
            for column in columns
        }
    )
    places = [(row, column.name) for row in range(n_rows) for column in columns]
    marked = draw(st.lists(st.sampled_from(places), unique=True, max_size=3)) if places else []
    marks = tuple(CellMark(row, name, draw(st.sampled_from(MARKS))) for row, name in marked)
    caption = Caption(
        "drawn", draw(st.sampled_from(["题", "<b>"])), "zh", notes=tuple(draw(st.lists(TEXTS, max_size=2)))
    )
    return TableExhibit(
        caption,
        columns,
        data,
        marks,
        total_rows=draw(st.integers(0, n_rows)),
        rows_shown=draw(st.integers(0, 3)),
        empty_text=draw(st.sampled_from(["", "公开版不列出"])),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("saved")


@settings(max_examples=35)
@given(tables())
def test_a_saved_table_prints_as_the_original(folder, exhibit):
    save_table(exhibit, folder)
    loaded = load_saved_table(folder, "drawn")
    assert table_html(loaded) == table_html(exhibit)
    assert (loaded.caption, loaded.columns, loaded.marks) == (exhibit.caption, exhibit.columns, exhibit.marks)


@settings(max_examples=15)
@given(tables())
def test_a_saved_table_saved_again_gives_the_same_files(folder, exhibit):
    files = save_table(exhibit, folder)
    before = (files.csv.read_bytes(), (folder / EXHIBITS_NAME).read_bytes())
    save_table(load_saved_table(folder, "drawn"), folder)
    assert (files.csv.read_bytes(), (folder / EXHIBITS_NAME).read_bytes()) == before


def small(key="small", marks=(), **columns):
    kinds = {"school": "text", "n": "number", "share": "share"}
    shown = tuple(TableColumn(name, name, kinds[name]) for name in columns)
    return TableExhibit(Caption(key, f"表 {key}", "zh"), shown, pd.DataFrame(columns), tuple(marks))


def test_unrounded_numbers_come_back_to_the_last_bit(tmp_path):
    save_table(small(school=["甲", "乙"], n=[0.1 + 0.2, 1e-300]), tmp_path)
    loaded = load_saved_table(tmp_path, "small").data
    assert loaded["n"].tolist() == [0.30000000000000004, 1e-300]
    assert str(loaded["n"].dtype) == "float64"


def test_a_suppressed_value_is_in_no_file_and_stays_suppressed(tmp_path):
    exhibit = small(
        school=["=甲", "乙"],
        n=[7.25, 30.0],
        marks=[CellMark(0, "n", "suppressed"), CellMark(0, "school", "suppressed")],
    )
    save_table(exhibit, tmp_path)
    written = (tmp_path / EXHIBITS_NAME).read_text(encoding="utf-8") + (tmp_path / "small.csv").read_text(
        encoding="utf-8-sig"
    )
    assert "7.25" not in written
    assert "甲" not in written
    loaded = load_saved_table(tmp_path, "small")
    assert loaded.marks_by_cell == {(0, "n"): "suppressed", (0, "school"): "suppressed"}
    assert loaded.data["n"].isna().tolist() == [True, False]


def test_the_values_stand_in_the_csv_only(tmp_path):
    save_table(small(school=["甲校", "101"], n=[5.125, 30.0]), tmp_path)
    saved = (tmp_path / EXHIBITS_NAME).read_text(encoding="utf-8")
    assert [text for text in ("甲校", "101", "5.125") if text in saved] == []


def test_exhibits_stay_in_the_order_of_the_notebook_when_a_cell_is_run_again(tmp_path):
    for key in ("first", "second", "first"):
        save_table(small(key, school=["甲"], n=[1.0]), tmp_path)
    assert list(saved_exhibits(tmp_path)) == ["first", "second"]


def test_a_table_that_was_not_saved_is_named_with_those_that_were(tmp_path):
    save_table(small(school=["甲"], n=[1.0]), tmp_path)
    with pytest.raises(RunError, match=r"holds no other\. It holds: small\."):
        load_saved_table(tmp_path, "other")


@pytest.mark.parametrize("content", ["", "{}", '{"schema_version": 99, "exhibits": []}', "[1]"])
def test_a_damaged_list_of_exhibits_is_refused(tmp_path, content):
    (tmp_path / EXHIBITS_NAME).write_text(content, encoding="utf-8")
    with pytest.raises(RunError, match=r"exhibits\.json cannot be read"):
        load_saved_table(tmp_path, "small")


def test_a_table_whose_csv_is_gone_or_cut_is_refused(tmp_path):
    save_table(small(school=["甲"], n=[1.0], marks=[CellMark(0, "n", "unsure")]), tmp_path)
    (tmp_path / "small.csv").write_text("school,n\n甲\n", encoding="utf-8")
    with pytest.raises(RunError, match="saved table small is damaged"):
        load_saved_table(tmp_path, "small")
    (tmp_path / "small.csv").unlink()
    with pytest.raises(RunError, match="saved table small is damaged"):
        load_saved_table(tmp_path, "small")


def test_the_list_of_exhibits_has_no_place_of_this_machine(tmp_path):
    save_table(small(school=["甲"], n=[1.0]), tmp_path)
    assert str(tmp_path) not in (tmp_path / EXHIBITS_NAME).read_text(encoding="utf-8")
    assert json.loads((tmp_path / EXHIBITS_NAME).read_text(encoding="utf-8"))["schema_version"] == 1
