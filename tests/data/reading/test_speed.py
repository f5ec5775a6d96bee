"""A large county is read quickly."""

import time

import pytest

from toolkit.data.reading import load_county
from toolkit.data.schema import TABLES
from toolkit.vocabulary import label

YEARS = TABLES["school_years"]


def _value(column, school, year):
    fixed = {"school_id": f"{school:05d}", "school_name": f"第{school}小学", "year": year}
    usual = 0.5 if column.kind == "share" else 100_000 if column.quantity == "money" else 20 + school % 40
    return fixed.get(column.name, usual)


@pytest.fixture
def large(workbook):
    schools = [
        ["学校代码", "学校名称", "学校类型"],
        *([f"{n:05d}", f"第{n}小学", "小学"] for n in range(300)),
    ]
    years = [[label(column.name, "zh") for column in YEARS.columns]]
    years += [
        [_value(column, n, year) for column in YEARS.columns]
        for year in range(2014, 2024)
        for n in range(300)
    ]
    return workbook({"学校名录": schools, "学校年度": years})


def test_three_hundred_schools_in_ten_years_are_read_in_three_seconds(large):
    start = time.process_time()
    reading = load_county(large)
    seconds = time.process_time() - start

    assert reading.errors == ()
    assert reading.county.tables["school_years"].shape == (3000, len(YEARS.columns))
    assert seconds < 3
