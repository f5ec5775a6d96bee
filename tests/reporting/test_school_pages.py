"""One page for each school: what is on it, in both languages, and nothing that leaves it."""

from dataclasses import replace

import pytest

from tests.counties import make_county
from tests.reporting.pages import Outline
from toolkit.data.schema import TABLES, conform
from toolkit.errors import ParameterError
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.planning.gaps import compute_gaps
from toolkit.planning.ledger import carry_over
from toolkit.planning.problems import collect_problems
from toolkit.reporting.page import PageHeader
from toolkit.reporting.school_pages import SchoolData, school_contexts, write_school_pages
from toolkit.standards import load_standard
from toolkit.variation.compliance import judge_resources

STANDARD = load_standard("national_2017")
HEADER = PageHeader("zh", "测试县", 2025, "办法（2017）", "abc123", "0.1", "internal", (("数据", "x"),))
EVIL = "<script>alert(1)</script>学校"


def row(code, year, **cells):
    own = {"school_id": code, "year": year, "enrolment_primary": 500, "indoor_sports_area": 0}
    own |= {"teachers_primary": 60, "teachers_above_required_qualification_primary": 40}
    own |= {"backbone_teachers_primary": 10, "pe_teachers_primary": 4, "arts_teachers_primary": 4}
    own |= {"teaching_area": 3000, "sports_ground_area": 5000, "gymnasium_area": 0}
    own |= {"equipment_value": 1.5e6, "multimedia_rooms": 20, "visiting_pe_arts_teachers_primary": 0}
    return own | cells


@pytest.fixture(scope="module")
def data():
    import pandas as pd

    names = {"A": EVIL, "B": "第二小学", "C": "第三学校"}
    types = {"A": "primary_school", "B": "primary_school", "C": "nine_year_school"}
    schools = [
        {"school_id": code, "school_name": name, "school_type": types[code], "ownership": "public"}
        for code, name in names.items()
    ]
    years = [row(code, year) for code in "AB" for year in range(2019, 2025)]
    junior = {
        "enrolment_junior": 200,
        "teachers_junior": 30,
        "teachers_above_required_qualification_junior": 20,
        "backbone_teachers_junior": 4,
        "pe_teachers_junior": 2,
        "arts_teachers_junior": 2,
    }
    years += [
        row("A", 2025, multimedia_rooms=5),
        row("B", 2025, equipment_value=None),
        row("C", 2025, **junior),
    ]
    county = make_county(schools, years)
    classes = conform(
        pd.DataFrame(
            [
                {
                    "school_id": "A",
                    "year": 2025,
                    "stage": "primary",
                    "size_band": "band_41_45",
                    "class_count": 9,
                },
                {"school_id": "A", "year": 2025, "stage": "primary", "class_id": "1", "class_size": 66},
                {"school_id": "A", "year": 2024, "stage": "primary", "class_id": "1", "class_size": 30},
            ]
        ),
        TABLES["classes"],
    )
    resources = compute_resource_indicators(county, STANDARD)
    compliance = judge_resources(resources, year=2025)
    gaps = compute_gaps(resources, compliance, year=2025)
    problems = collect_problems(county, resources, compliance, gaps)
    ledger = carry_over(problems, None, None, year=2025)
    rows = tuple(
        replace(own, measure="购置设备", person="李四", deadline="2026-06-30") for own in ledger.rows
    )
    return SchoolData(resources, compliance, gaps, replace(ledger, rows=rows), classes)


@pytest.fixture(scope="module")
def pages(data, tmp_path_factory):
    return write_school_pages(tmp_path_factory.mktemp("schools"), data, HEADER)


def read(path):
    return path.read_text(encoding="utf-8")


def test_there_is_a_page_for_each_school_and_an_index_with_links_to_all(pages):
    index, *schools = pages
    assert [path.name for path in schools] == ["school-001.html", "school-002.html", "school-003.html"]
    links = [link["href"] for link in Outline(read(index)).all("a")]
    assert [link for link in links if not link.startswith("#")] == [path.name for path in schools]


def test_pages_are_well_formed_escape_what_comes_from_data_and_request_nothing(pages):
    for path in pages:
        html = read(path)
        outline = Outline(html)
        assert outline.unbalanced == []
        assert outline.open == []
        assert "<script>alert" not in html
        assert "default-src 'none'" in html
        assert "http" not in html.replace("http-equiv", "")
    assert EVIL in Outline(read(pages[1])).text


def test_a_page_holds_value_minimum_mean_gap_ledger_classes_and_signatures(pages):
    text = Outline(read(pages[1])).text
    # 5 rooms for 500 students against 2.3 per 100: 12 rooms needed, 7 more.
    # The county has 5 + 20 + its part of 20 rooms: 500 / (500 + 1.1 * 200) of them at C.
    mean = 100 * (5 + 20 + 20 * 500 / 720) / 1500
    for told in (
        "1.00",
        "2.30",
        f"{mean:.2f}",
        "7 间",
        "购置设备",
        "李四",
        "2026-06-30",
        "未启动",
        "学校负责人",
    ):
        assert told in text
    for told in ("41—45人", "66人及以上", "2021/2022", "2025/2026", "自评结果"):
        assert told in text
    assert "2020/2021" not in text


def test_an_open_verdict_names_what_is_missing(pages):
    text = Outline(read(pages[2])).text
    assert "不予判定" in text
    assert "待补数据：教学仪器设备值" in text
    assert "0至1,000,000 元" in text


def test_a_combined_school_has_both_stages_on_one_page(data):
    school = school_contexts(data, "zh")[2]
    assert [stage["stage"] for stage in school["stages"]] == ["小学", "初中"]
    assert [len(stage["rows"]) for stage in school["stages"]] == [7, 7]


def test_bars_lie_where_the_ratio_says(data):
    rooms = school_contexts(data, "zh")[0]["stages"][0]["rows"][6]
    # The bar ends at twice the minimum: 1.00 / 2.30 / 2 of its width.
    assert (rooms["bar"], rooms["minimum_at"], rooms["floor_at"]) == ("21.7", "50.0", "42.5")


def test_english_pages_have_no_chinese_but_names_and_what_people_wrote(data, tmp_path):
    header = replace(HEADER, language="en", county="Test", standard="Measures")
    text = Outline(read(write_school_pages(tmp_path, data, header)[1])).text
    for told in ("Resource indicators", "7 rooms", "Not started", "Head of school", "County mean"):
        assert told in text


def test_the_same_data_give_the_same_bytes(data, pages, tmp_path):
    again = write_school_pages(tmp_path, data, HEADER)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in pages]


def test_the_public_edition_is_refused_in_plain_words(data, tmp_path):
    with pytest.raises(ParameterError, match="内部版"):
        write_school_pages(tmp_path / "none", data, replace(HEADER, edition="public"))
    assert not (tmp_path / "none").exists()


def test_without_classes_or_problems_the_page_says_so(data, tmp_path):
    empty = replace(data, classes=None, ledger=replace(data.ledger, rows=()))
    text = Outline(read(write_school_pages(tmp_path, empty, HEADER)[1])).text
    assert "没有班额数据" in text
    assert "台账中没有本校的问题" in text
