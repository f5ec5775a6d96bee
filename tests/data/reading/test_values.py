"""Cells as people type them, column by column."""

import datetime as dt
import math

import pytest

from toolkit.data.reading.values import convert_column
from toolkit.data.schema import TABLES

YEARS = TABLES["school_years"]
NUMBER = TABLES["county_years"].column("item_value")


def _one(value, column, **options):
    """Return the value and the code of the issue of a single cell."""
    converted = convert_column([value], column, **options)
    issues = [issue.code for issue in converted.issues]
    return converted.series[0], issues[0] if issues else ""


@pytest.mark.parametrize(
    ("cell", "count"),
    [
        (45, 45),
        ("45", 45),
        ("４５", 45),
        ("1,234", 1234),
        ("1，234", 1234),
        ("12,345,678", 12_345_678),
        ("1 234", 1234),
        ("45人", 45),
        (" 45 名", 45),
        ("1.2万", 12_000),
        ("1.2万人", 12_000),
        ("'45", 45),
        ("3e3", 3000),
        (0, 0),
        ("0", 0),
        ("０", 0),
    ],
)
def test_reads_counts_as_they_are_typed(cell, count):
    assert _one(cell, YEARS.column("enrolment_primary")) == (count, "")


@pytest.mark.parametrize(
    "cell",
    ["约45", "45（含借读3人）", "45/50", "1,23", "(5)", "四十五", "45.5.1", dt.date(2023, 9, 1), True, "inf"],
)
def test_refuses_what_is_no_count(cell):
    value, issue = _one(cell, YEARS.column("enrolment_primary"))

    assert math.isnan(value)
    assert issue == "number_unreadable"


@pytest.mark.parametrize("cell", ["-", "—", "——", "/", "无", "N/A", "缺", "…", "／", "－", "未填"])
def test_reads_dashes_and_words_for_none_as_missing_and_never_as_zero(cell):
    converted = convert_column([cell, 3], YEARS.column("enrolment_primary"))

    assert math.isnan(converted.series[0])
    assert converted.placeholders == [0]
    assert converted.issues == []


@pytest.mark.parametrize("cell", ["", "  ", "\u3000", "\xa0", None])
def test_an_empty_cell_is_missing_and_a_zero_is_not(cell):
    converted = convert_column([cell, 0], YEARS.column("enrolment_primary"))

    assert math.isnan(converted.series[0])
    assert converted.series[1] == 0
    assert converted.placeholders == []


@pytest.mark.parametrize("cell", ["#N/A", "#REF!", "#DIV/0!", "#value!"])
@pytest.mark.parametrize("name", ["enrolment_primary", "year", "school_id", "school_name"])
def test_error_values_are_errors_in_every_kind_of_column(cell, name):
    assert _one(cell, YEARS.column(name))[1] == "cell_error"


@pytest.mark.parametrize(
    ("cell", "unit", "square_metres"),
    [
        (96, "", 96),
        ("96㎡", "", 96),
        ("96m²", "", 96),
        ("96平方米", "", 96),
        ("12亩", "", 8000),
        (3, "亩", 2000),
        (1.5, "公顷", 15_000),
        ("96平方米", "亩", 96),
    ],
)
def test_areas_become_square_metres(cell, unit, square_metres):
    value, issue = _one(cell, YEARS.column("teaching_area"), unit=unit)

    assert value == pytest.approx(square_metres, rel=1e-12)
    assert issue == ""


@pytest.mark.parametrize(
    ("cell", "unit", "yuan"),
    [
        (35, "万元", 350_000),
        ("35万元", "", 350_000),
        ("35.5万", "元", 355_000),
        ("350,000元", "", 350_000),
        (2, "亿元", 2e8),
    ],
)
def test_money_becomes_yuan(cell, unit, yuan):
    value, issue = _one(cell, YEARS.column("equipment_value"), unit=unit)

    assert value == pytest.approx(yuan, rel=1e-12)
    assert issue == ""


@pytest.mark.parametrize(
    ("cells", "shares"),
    [
        ([0.85, 0.9, 1], [0.85, 0.9, 1.0]),
        ([85, 90, 100], [0.85, 0.9, 1.0]),
        (["85%", "90％", "100%"], [0.85, 0.9, 1.0]),
        (["85%", 0.9], [0.85, 0.9]),
        (["85%", 90], [0.85, 0.9]),
        ([0, 90], [0.0, 0.9]),
    ],
)
def test_a_whole_column_is_either_in_shares_or_in_percent(cells, shares):
    converted = convert_column(cells, YEARS.column("teacher_satisfaction"))

    assert converted.series.tolist() == pytest.approx(shares)
    assert converted.issues == []


def test_a_column_of_shares_and_percents_is_an_error():
    converted = convert_column([0.85, 90, 95], YEARS.column("teacher_satisfaction"))

    assert [(issue.position, issue.code) for issue in converted.issues] == [(0, "share_mixed")]
    assert math.isnan(converted.series[0])


def test_shares_under_a_percent_header_are_doubted():
    converted = convert_column([0.85, 0.9], YEARS.column("teacher_satisfaction"), unit="%")

    assert converted.series.tolist() == [0.85, 0.9]
    assert converted.doubts == [("share_below_percent", "0.85")]


def test_a_share_above_one_hundred_percent_is_out_of_range():
    assert _one("120%", YEARS.column("teacher_satisfaction"))[1] == "above_maximum"


@pytest.mark.parametrize("cell", ["1:20.7", "1∶20.7", "1：20.7"])
def test_a_ratio_of_one_to_n_is_n(cell):
    assert _one(cell, NUMBER) == (20.7, "")


@pytest.mark.parametrize(
    ("cell", "year"),
    [
        (2023, 2023),
        ("2023", 2023),
        ("2023年", 2023),
        ("2023学年", 2023),
        ("2023-2024", 2023),
        ("2023—2024学年", 2023),
        ("2023/24", 2023),
        ("２０２３", 2023),
        ("2023.0", 2023),
        ("二〇二三年", 2023),
        (202309, 2023),
        ("2024-06", 2023),
        (dt.date(2023, 9, 1), 2023),
        (dt.date(2024, 6, 20), 2023),
    ],
)
def test_reads_the_year_in_which_a_school_year_starts(cell, year):
    assert _one(cell, YEARS.column("year")) == (year, "")


@pytest.mark.parametrize("cell", ["2023-2025", "2023年和2024年", "今年", 2023.5, "23"])
def test_refuses_what_is_no_year(cell):
    assert _one(cell, YEARS.column("year"))[1] == "year_unreadable"


@pytest.mark.parametrize("cell", [1023, 2203, 1989, 45170])
def test_refuses_impossible_school_years(cell):
    assert _one(cell, YEARS.column("year"))[1] == "year_impossible"


def test_the_year_a_school_was_founded_is_a_calendar_year():
    assert _one("1956年3月", TABLES["schools"].column("opened")) == (1956, "")
    assert _one(1902, TABLES["schools"].column("opened")) == (1902, "")


START, END = TABLES["rotations"].column("rotation_start"), TABLES["rotations"].column("rotation_end")


@pytest.mark.parametrize(
    ("cell", "start", "end"),
    [
        (dt.date(2023, 9, 5), "2023-09-05", "2023-09-05"),
        (dt.datetime.fromisoformat("2023-09-05T08:00"), "2023-09-05", "2023-09-05"),
        (45174, "2023-09-05", "2023-09-05"),
        ("2023-09-05", "2023-09-05", "2023-09-05"),
        ("2023年9月5日", "2023-09-05", "2023-09-05"),
        ("2023.9.5", "2023-09-05", "2023-09-05"),
        ("20230905", "2023-09-05", "2023-09-05"),
        (20230905, "2023-09-05", "2023-09-05"),
        ("2023-09-05 08:30:00", "2023-09-05", "2023-09-05"),
        ("2024年2月", "2024-02-01", "2024-02-29"),
        ("2023-09", "2023-09-01", "2023-09-30"),
        (202309, "2023-09-01", "2023-09-30"),
        (2023.09, "2023-09-01", "2023-09-30"),
        ("2023", "2023-09-01", "2023-08-31"),
        (2023, "2023-09-01", "2023-08-31"),
    ],
)
def test_reads_dates_and_lets_an_end_last_to_the_end_of_its_month(cell, start, end):
    for column, expected in ((START, start), (END, end)):
        value, issue = _one(cell, column)
        assert issue == ""
        assert value.strftime("%Y-%m-%d") == expected


def test_a_rotation_that_still_runs_has_no_end():
    value, issue = _one("至今", END)

    assert issue == ""
    assert value is None or value != value


@pytest.mark.parametrize(
    ("cell", "issue"),
    [
        (2019.1, "date_ambiguous"),
        ("2023-13", "date_unreadable"),
        ("2023-02-30", "date_unreadable"),
        ("九月", "date_unreadable"),
        ("2203-09", "date_impossible"),
    ],
)
def test_refuses_what_is_no_date(cell, issue):
    assert _one(cell, START)[1] == issue


CODE = YEARS.column("school_id")


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("0101", "0101"),
        (1010.0, "1010"),
        (1010, "1010"),
        ("1010.0", "1010"),
        ("０１０１", "0101"),
        (" 01 01 ", "0101"),
        ("'0101", "0101"),
        ('="0101"', "0101"),
        ("350102199001011234", "350102199001011234"),
        ("35010219900101123Ｘ", "35010219900101123X"),
        ("А01", "A01"),
        ("0101\u200b", "0101"),
        ("GX\u201312", "GX-12"),
        ("1e5", "1e5"),
    ],
)
def test_codes_are_plain_text_with_their_leading_zeros(cell, code):
    assert _one(cell, CODE) == (code, "")


@pytest.mark.parametrize(
    ("cell", "issue"),
    [
        (350102199001011234, "code_digits_lost"),
        (3.50102199001011e17, "code_digits_lost"),
        (1234567890123456, "code_digits_lost"),
        ("3.5E+17", "code_scientific"),
        (10.5, "code_not_whole"),
        (dt.date(2023, 3, 1), "code_converted"),
        (True, "code_converted"),
    ],
)
def test_codes_that_lost_something_are_errors(cell, issue):
    assert _one(cell, CODE)[1] == issue


def test_a_number_of_fifteen_digits_is_still_whole():
    assert _one(123456789012345, CODE) == ("123456789012345", "")


TYPE = TABLES["schools"].column("school_type")


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("小学", "primary_school"),
        (" 完 小 ", "primary_school"),
        ("九年一贯制", "nine_year_school"),
        ("初级中学（含民办）", "junior_secondary_school"),
        ("12年一贯制", "twelve_year_school"),
        ("primary_school", "primary_school"),
        ("Teaching point", "teaching_point"),
    ],
)
def test_reads_the_words_of_a_closed_list(cell, name):
    assert _one(cell, TYPE) == (name, "")


def test_a_word_outside_a_closed_list_is_an_error():
    assert _one("幼儿园", TYPE)[1] == "choice_unknown"


@pytest.mark.parametrize(
    ("cell", "flag"),
    [
        ("是", True),
        ("√", True),
        (1, True),
        (1.0, True),
        (True, True),
        ("否", False),
        ("×", False),
        (0, False),
    ],
)
def test_reads_yes_and_no(cell, flag):
    value, issue = _one(cell, TABLES["schools"].column("boarding_school"))

    assert issue == ""
    assert bool(value) is flag


def test_none_is_no_title_for_a_teacher_and_missing_for_a_count():
    assert _one("无", TABLES["teachers"].column("title")) == ("no_title", "")
    assert math.isnan(_one("无", YEARS.column("enrolment_primary"))[0])


def test_class_size_bands_are_read_in_any_spelling():
    band = TABLES["classes"].column("size_band")

    for cell in ("26-30人", "26～30", "26—30人", "26–30"):
        assert _one(cell, band) == ("band_26_30", "")
    assert _one("≥66", band) == ("band_66_up", "")
