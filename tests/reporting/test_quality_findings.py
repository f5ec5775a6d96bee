"""Sentences about the quality of the data."""

from types import SimpleNamespace

import pandas as pd
import pytest

from toolkit.data.county import County, Reading
from toolkit.data.schema import TABLES, conform
from toolkit.reporting.quality_findings import find_quality
from toolkit.standards import load_standard

COLUMNS = (
    "teachers_above_required_qualification_primary", "backbone_teachers_primary", "pe_teachers_primary",
    "arts_teachers_primary", "teaching_area", "indoor_sports_area", "gymnasium_area", "sports_ground_area",
    "equipment_value", "multimedia_rooms",
)  # fmt: skip


@pytest.fixture
def finding():
    """Return the finding on missing data of a county of 2 schools and 2 years, some cells emptied."""

    def build(*empty, year=2025, school_type="primary_school"):
        schools = [
            {"school_id": "101", "school_name": "甲", "school_type": "primary_school"},
            {"school_id": "102", "school_name": "乙", "school_type": school_type},
        ]
        rows = {
            (code, of): {"school_id": code, "year": of, "enrolment_primary": 300.0}
            | dict.fromkeys(COLUMNS, 10.0)
            for of in (2024, 2025)
            for code in ("101", "102")
        }
        for code, of, column in empty:
            rows[code, of][column] = None
        tables = {
            "schools": conform(pd.DataFrame(schools), TABLES["schools"]),
            "school_years": conform(pd.DataFrame(list(rows.values())), TABLES["school_years"]),
        }
        counts = pd.DataFrame({"rows_read": [6], "rows_used": [6]})
        matches = pd.DataFrame(columns=["table", "column", "name", "school_id", "how"])
        reading = Reading(County("0", "甲县", tables), (), counts, pd.DataFrame(), matches, {})
        study = SimpleNamespace(
            reading=reading,
            county=reading.county,
            year=year,
            problems=(),
            standard=load_standard("national_2017"),
        )
        return next(found for found in find_quality(study) if found.id == "missing")

    return build


def test_states_the_assessment_year_with_all_years_beside_it(finding):
    found = finding(("101", 2024, "teaching_area"), ("101", 2025, "equipment_value"))
    assert found.zh == (
        "2025/2026 学年资源配置指标所需数据应填 22 个，缺失 1 个，缺失比例最高的是“教学仪器设备值”，"
        "为 50.0%；"
        "全部学年应填 44 个，缺失 2 个。"
    )


def test_names_all_columns_with_the_largest_share(finding):
    found = finding(("101", 2025, "teaching_area"), ("102", 2025, "equipment_value"))
    assert "“教学及辅助用房面积”、“教学仪器设备值”，为 50.0%" in found.zh
    assert "22" in found.en


def test_a_complete_year_is_called_complete_whatever_the_years_before(finding):
    found = finding(("101", 2024, "teaching_area"))
    assert found.kind == "finding"
    assert found.zh == "2025/2026 学年资源配置指标所需数据没有缺失；全部学年应填 44 个，缺失 1 个。"


def test_cells_of_a_school_out_of_scope_are_not_missing(finding):
    found = finding(("102", 2025, "teaching_area"), school_type="special_education_school")
    assert found.zh == "2025/2026 学年资源配置指标所需数据没有缺失；全部学年应填 22 个，缺失 0 个。"
