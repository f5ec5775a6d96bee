"""Workbooks as offices send them, built cell by cell."""

from pathlib import Path

import pytest
import xlsxwriter

from toolkit.data.reading import load_county

SCHOOLS = [
    ["学校代码", "学校名称", "学校类型", "办别"],
    ["0101", "第一小学", "小学", "公办"],
    ["0102", "第二小学", "小学", "公办"],
    ["0103", "城关中学", "初级中学", "公办"],
    ["0104", "育才学校", "九年一贯制学校", "民办"],
]
SCHOOL_YEARS = [
    ["学校代码", "学年", "小学在校生数", "初中在校生数", "教学仪器设备值（元）"],
    ["0101", 2023, 1200, "", 3_600_000],
    ["0102", 2023, 800, "", 2_400_000],
    ["0103", 2023, "", 900, 3_000_000],
    ["0104", 2023, 300, 200, 1_500_000],
]


def write_sheet(sheet, rows, first_row=0):
    for row, cells in enumerate(rows, start=first_row):
        for column, value in enumerate(cells):
            if isinstance(value, bool):
                sheet.write_boolean(row, column, value)
            elif isinstance(value, int | float):
                sheet.write_number(row, column, value)
            elif value not in ("", None):
                sheet.write_string(row, column, str(value))


@pytest.fixture
def workbook(tmp_path):
    """Write sheets given as lists of rows, and return the path; `change` may touch the open workbook."""

    def write(sheets=None, *, name="county.xlsx", change=None) -> Path:
        content = {"学校名录": SCHOOLS, "学校年度": SCHOOL_YEARS} | (sheets or {})
        path = tmp_path / name
        with xlsxwriter.Workbook(str(path)) as book:
            for title, rows in content.items():
                if rows is not None:
                    write_sheet(book.add_worksheet(title), rows)
            if change:
                change(book)
        return path

    return write


@pytest.fixture
def read(workbook):
    """Read a workbook of the given sheets."""

    def run(sheets=None, *, change=None, **options):
        return load_county(workbook(sheets, change=change), **options)

    return run


@pytest.fixture
def changed():
    """Return the yearly data with some cells changed: {(row, column): value}, counted from 0."""

    def change(cells, rows=SCHOOL_YEARS):
        copy = [list(row) for row in rows]
        for (row, column), value in cells.items():
            copy[row][column] = value
        return copy

    return change


def found(reading, code):
    """Return the problems of one code."""
    return [problem for problem in reading.problems if problem.code == code]


@pytest.fixture(name="found")
def found_fixture():
    return found


@pytest.fixture
def tables():
    """Return the two required sheets as lists of rows."""
    return {"学校名录": SCHOOLS, "学校年度": SCHOOL_YEARS}
