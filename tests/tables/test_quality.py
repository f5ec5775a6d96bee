"""Tables of the reading, from accounts written by hand."""

from dataclasses import replace

import pandas as pd
import pytest

from toolkit.data.checks import completeness
from toolkit.data.county import County, Reading
from toolkit.data.schema import TABLES, conform
from toolkit.figures.quality import plot_missing_cells
from toolkit.standards import load_standard
from toolkit.tables import quality
from toolkit.tables.html import table_html

NATIONAL = load_standard("national_2017")
ACCOUNTING = pd.DataFrame(
    [
        ("", "truth.json", "", 0, 0, 0, "other_file"),
        ("", "notes.docx", "", 0, 0, 0, "other_file"),
        ("", "county.xlsx", "填表说明", 9, 0, 9, "instruction_sheet"),
        ("schools", "county.xlsx", "学校名录", 60, 60, 0, ""),
        ("schools", "county.xlsx", "学校名录", 1, 0, 1, "header_row"),
        ("schools", "county.xlsx", "学校名录", 3, 0, 3, "total_row"),
        ("teachers", "county.xlsx", "教师年度", 1, 0, 1, "header_row"),
    ],
    columns=["table", "file", "sheet", "rows_read", "rows_used", "rows_left_out", "reason"],
)
MATCHES = pd.DataFrame(
    [
        ("rotations", "sending_school_id", "第一小学", "101", "exact"),
        ("rotations", "sending_school_id", "一小", "101", "short_name"),
        ("rotations", "receiving_school_id", "一小", "101", "short_name"),
        ("rotations", "receiving_school_id", "河东中心小学", "102", "nearly"),
        ("rotations", "receiving_school_id", "甲县第一小学", "101", "normalised"),
        ("rotations", "receiving_school_id", "邻县中学", "", "unmatched"),
        ("support", "supporter_id", "邻县中学", "", "unmatched"),
        ("rotations", "sending_school_id", "邻县中学", "", "unmatched"),
    ],
    columns=["table", "column", "name", "school_id", "how"],
)

COMPLETE = {"enrolment_primary": 300.0} | dict.fromkeys(
    (
        "teachers_above_required_qualification_primary", "backbone_teachers_primary", "pe_teachers_primary",
        "arts_teachers_primary", "indoor_sports_area", "gymnasium_area", "sports_ground_area",
        "equipment_value", "multimedia_rooms",
    ),
    10.0,
)  # fmt: skip


@pytest.fixture
def reading():
    schools = [
        {"school_id": "101", "school_name": "第一小学", "school_type": "primary_school"},
        {"school_id": "102", "school_name": "河东镇中心小学", "school_type": "primary_school"},
    ]
    years = [
        {"school_id": code, "year": year, "teaching_area": area, "books": books} | COMPLETE
        for code, year, area, books in (
            ("101", 2024, 1500.0, 9000.0), ("102", 2024, None, None),
            ("101", 2025, 1500.0, 9000.0), ("102", 2025, 1400.0, 8000.0),
        )
    ]  # fmt: skip
    tables = {
        "schools": conform(pd.DataFrame(schools), TABLES["schools"]),
        "school_years": conform(pd.DataFrame(years), TABLES["school_years"]),
    }
    return Reading(County("000000", "甲县", tables), (), ACCOUNTING, pd.DataFrame(), MATCHES, {})


def test_each_sheet_has_one_line_with_its_reasons_and_the_truth_of_a_simulation_none(reading):
    data = quality.tabulate_accounting(reading, "zh").data
    assert data[["table", "file", "rows_read", "rows_used", "rows_left_out", "reason"]].values.tolist() == [
        ["（全部文件）", "notes.docx", 0, 0, 0, "不是表格的文件"],
        ["（全部文件）", "county.xlsx", 9, 0, 9, "说明性工作表 9 行"],
        ["学校名录", "county.xlsx", 64, 60, 4, "表头 1 行；合计、小计、平均行 3 行"],
        ["教师年度", "county.xlsx", 1, 0, 1, "表头 1 行"],
        ["合计", "", 74, 60, 14, ""],
    ]


def test_each_name_is_counted_once_per_table_and_the_surest_way_comes_first(reading):
    data = quality.tabulate_matches(reading, "zh").data
    assert data[["table", "how", "names"]].values.tolist() == [
        ["结对委托", "未匹配", 1],
        ["交流轮岗", "完全一致", 1],
        ["交流轮岗", "规范化后一致", 1],
        ["交流轮岗", "简称", 1],
        ["交流轮岗", "近似", 1],
        ["交流轮岗", "未匹配", 1],
    ]


def test_names_matched_other_than_exactly_are_listed_with_the_registered_name(reading):
    exhibit = quality.tabulate_match_list(reading, "zh")
    assert exhibit.tidy().values.tolist() == [
        ["河东中心小学", "河东镇中心小学", "102", "近似", "交流轮岗"],
        ["一小", "第一小学", "101", "简称", "交流轮岗"],
        ["甲县第一小学", "第一小学", "101", "规范化后一致", "交流轮岗"],
    ]
    assert "3" in exhibit.caption.notes[0]


def test_an_unmatched_name_is_listed_once_per_table_with_its_columns(reading):
    data = quality.tabulate_unmatched(reading, "en").data
    assert data.values.tolist() == [
        ["Rotations", "Receiving school (code), Sending school (code)", "邻县中学"],
        ["Support", "Supporter (code)", "邻县中学"],
    ]


def test_gaps_are_listed_for_the_year_and_over_all_years(reading):
    exhibit = quality.tabulate_completeness(completeness(reading, NATIONAL, 2024), "zh")
    names = [
        "column",
        "missing_in_year",
        "cells_in_year",
        "missing",
        "cells_to_fill",
        "missing_share",
        "decides",
    ]
    assert exhibit.data[names].values.tolist() == [
        ["教学及辅助用房面积", 1, 2, 1, 4, 0.25, True],
        ["图书册数", 1, 2, 1, 4, 0.25, False],
        # Two schools, two years, eleven columns that indicators need.
        ["", 1, 22, 1, 44, 1 / 44, True],
    ]
    assert exhibit.data["missing_share_in_year"].tolist() == [0.5, 0.5, 1 / 22]
    assert "2024" in exhibit.caption.notes[0]
    assert "资源配置指标所需" in table_html(exhibit)


def test_a_column_that_is_empty_throughout_is_listed_if_the_indicators_need_it(reading):
    tables = dict(reading.county.tables)
    tables["school_years"] = tables["school_years"].assign(teaching_area=float("nan"))
    empty = replace(reading, county=replace(reading.county, tables=tables))
    data = quality.tabulate_completeness(completeness(empty, NATIONAL, 2025), "zh").data
    assert data[["column", "missing", "missing_share"]].values.tolist() == [
        ["教学及辅助用房面积", 4, 1.0],
        ["图书册数", 1, 0.25],
        ["", 4, 4 / 44],
    ]


def test_a_table_in_several_places_is_counted_once_among_the_tables(reading):
    tidy = quality.tabulate_accounting(reading, "zh").tidy()
    assert tidy[["table_code", "n_tables"]].values.tolist() == [
        ["", 0],
        ["", 0],
        ["schools", 1],
        ["teachers", 0],
        ["total", 2],
    ]


def test_the_figure_shows_the_gaps_of_the_year(reading):
    shown = {
        year: plot_missing_cells(completeness(reading, NATIONAL, year), "en").alt for year in (2024, 2025)
    }
    assert "50.0%" in shown[2024]
    assert "50.0%" not in shown[2025]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_name_to_match_gives_empty_tables(reading, language):
    none = Reading(reading.county, (), ACCOUNTING, pd.DataFrame(), MATCHES[:0], {})
    for tabulate in (quality.tabulate_matches, quality.tabulate_match_list, quality.tabulate_unmatched):
        assert tabulate(none, language).data.empty
