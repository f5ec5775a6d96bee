"""Every row of the input is used or left out with a reason, and the counts add up."""

import csv
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.data.county import Reading
from toolkit.data.reading import load_county
from toolkit.vocabulary import has_term

HEADER = ["学校代码", "学校名称", "学年", "小学在校生数", "教师满意度"]
CELLS = st.one_of(
    st.sampled_from(
        ["0101", "0102", "第一小学", "二小", "合计", "小计", "备注：无", "2023", "2022", "学年", "-", "#REF!"]
    ),
    st.integers(-5, 3000).map(str),
    st.just(""),
    st.text(alphabet="小学abc12%、（）", max_size=6),
)
ROWS = st.lists(st.lists(CELLS, min_size=5, max_size=5), max_size=12)


def _read(rows) -> tuple[Reading, int]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "学校名录.csv").write_text(
            "学校代码,学校名称,学校类型\n0101,第一小学,小学\n0102,第二小学,小学\n", encoding="utf-8"
        )
        with (place / "学校年度.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([HEADER, *rows])
        return load_county(place), 3


@settings(max_examples=30)
@given(ROWS)
def test_rows_read_are_rows_used_and_rows_left_out(rows):
    reading, register_rows = _read(rows)
    accounting = reading.accounting
    filled = [number for number, row in enumerate(rows, start=1) if any(cell.strip() for cell in row)]
    height = 1 + (max(filled) if filled else 0)

    assert (accounting["rows_read"] == accounting["rows_used"] + accounting["rows_left_out"]).all()
    assert accounting["rows_read"].sum() == height + register_rows
    assert ((accounting["reason"] == "") == (accounting["rows_left_out"] == 0)).all()
    years = reading.county.tables.get("school_years")
    used = accounting.query("table == 'school_years'")["rows_used"].sum()
    assert used == (0 if years is None else len(years))
    assert all(has_term(f"row_{reason}") for reason in accounting["reason"] if reason)


@settings(max_examples=30)
@given(ROWS)
def test_the_origin_of_a_row_is_the_row_it_came_from(rows):
    reading, _ = _read(rows)
    years = reading.county.tables.get("school_years")

    for index in [] if years is None else years.index:
        file, _, cell = reading.origins["school_years"].cell(index, "enrolment_primary")
        assert file == "学校年度.csv"
        typed = rows[int(cell[1:]) - 2][3]
        value = years.at[index, "enrolment_primary"]
        assert value != value or float(typed) == value


@settings(max_examples=30)
@given(ROWS)
def test_every_problem_tells_itself_in_both_languages(rows):
    reading, _ = _read(rows)

    for problem in reading.problems:
        for language in ("zh", "en"):
            text = problem.message(language) + problem.remedy(language)
            assert "{" not in text
            assert "@" not in text
