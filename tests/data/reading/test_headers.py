"""Headers matched to columns."""

import pytest

from toolkit.data.reading.headers import is_annotation, match_header, nearest_header, stage_of
from toolkit.data.schema import TABLES
from toolkit.data.text import arabic_numerals, squash
from toolkit.vocabulary import label

YEARS = "school_years"


@pytest.mark.parametrize("table", TABLES)
def test_every_label_of_the_contract_finds_its_column(table):
    for column in TABLES[table].columns:
        assert match_header((label(column.name, "zh"),), table).column == column.name
        assert match_header((column.name,), table).column == column.name


@pytest.mark.parametrize("table", TABLES)
def test_no_header_of_a_table_means_two_columns(table):
    meanings = {}
    for column in TABLES[table].columns:
        for text in (label(column.name, "zh"), column.name, *column.aliases):
            assert meanings.setdefault(squash(text), column.name) == column.name


@pytest.mark.parametrize(
    ("parts", "column"),
    [
        (("小学", "在校生数"), "enrolment_primary"),
        (("小学阶段", "学生人数", "人"), "enrolment_primary"),
        (("专任教师数", "小学"), "teachers_primary"),
        (("小学", "专任教师", "其中：骨干教师数"), "backbone_teachers_primary"),
        (("学生情况", "小学在校生数"), "enrolment_primary"),
        (("在校生数（小学）",), "enrolment_primary"),
        (("专任教师数-初中",), "teachers_junior"),
        (("学 校\n名 称*",), "school_name"),
        (("１年级学生数",), "enrolment_grade_1"),
        (("（1）小学在校生数",), "enrolment_primary"),
        (("3.学校名称（必填）",), "school_name"),
        (("音乐专用教室间数（96平方米及以上）",), "music_rooms_96"),
        (("县级及以上骨干教师数",), "backbone_teachers_total"),
        (("小学", "县级及以上骨干教师数"), "backbone_teachers_primary"),
        (("生师比",), ""),
        (("在校生数（含借读）",), ""),
    ],
)
def test_composed_and_decorated_headers(parts, column):
    assert match_header(parts, YEARS).column == column


@pytest.mark.parametrize(
    ("header", "column", "unit"),
    [
        ("教学仪器设备值（万元）", "equipment_value", "万元"),
        ("教学仪器设备资产值（账面原值）万元", "equipment_value", "万元"),
        ("教学仪器设备值(单位：元)", "equipment_value", "元"),
        ("运动场地面积(亩)", "sports_ground_area", "亩"),
        ("教学及辅助\n用房面积［㎡］", "teaching_area", ""),
        ("教学及辅助用房面积/平方米", "teaching_area", "平方米"),
        ("教师满意度（％）", "teacher_satisfaction", "%"),
        ("图书（万册）", "books", "万册"),
    ],
)
def test_units_in_headers(header, column, unit):
    match = match_header((header,), YEARS)

    assert match.column == column
    assert match.unit == unit or not unit


def test_a_header_without_stage_keeps_its_stem_until_the_stage_is_known():
    assert match_header(("在校生数",), YEARS).stem == "enrolment"
    assert match_header(("在校生数",), YEARS, "junior").column == "enrolment_junior"


def test_subjects_and_bands_are_parts_of_the_long_form():
    assert match_header(("语文成绩",), "scores").part == "chinese"
    match = match_header(("小学", "25人以下"), "classes")
    assert (match.part, match.stage) == ("band_1_25", "primary")


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("小学", "primary"),
        ("2023小学数据", "primary"),
        ("初中", "junior"),
        ("中小学", ""),
        ("九年一贯制（小学、初中）", ""),
        ("学校年度", ""),
    ],
)
def test_the_stage_of_a_sheet_name(text, stage):
    assert stage_of(text) == stage


def test_units_and_remarks_are_no_headers_of_their_own():
    assert all(map(is_annotation, ["（人）", "万元", "单位：平方米", "必填", "甲", "3"]))
    assert not any(map(is_annotation, ["学校名称", "小学", "年级"]))


def test_the_nearest_column_is_suggested():
    assert nearest_header("小学在校生数量合计", YEARS) == "enrolment_primary"


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("第十一小学", "第11小学"),
        ("二十中", "20中"),
        ("一百零三中", "103中"),
        ("五一小学", "51小学"),
        ("三十里铺", "30里铺"),
    ],
)
def test_chinese_numerals_become_digits(written, digits):
    assert arabic_numerals(written) == digits
