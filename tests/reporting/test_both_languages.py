"""Titles and words of a report in one language, told in both."""

import pytest

from toolkit.exhibits import Caption
from toolkit.reporting.both_languages import column_told, title_told, word_told
from toolkit.tables.exhibit import TableColumn
from toolkit.vocabulary import Language


def told(key: str, title: str, language: Language = "zh"):
    found = title_told(Caption(key=key, title=title, language=language))
    return found.zh, found.en


def test_a_title_without_anything_filled_in_is_that_of_the_vocabulary():
    zh, en = told("adoption_design", "设计审查：哪些能估计，哪些不能")
    assert (zh, en) == ("设计审查：哪些能估计，哪些不能", "Check of the designs: what can be estimated")
    assert told("adoption_design", en, "en") == (zh, en)


@pytest.mark.parametrize(
    ("key", "zh", "en"),
    [
        (
            "segregation",
            "各学生群体的校际分布差异（2024/2025 学年）",
            "How unevenly groups of students are spread over schools (2024/2025)",
        ),
        (
            "adoption_placebo_primary_member",
            "小学·成员校：同样薄弱、但未参加的学校",
            "Primary, member schools: schools as weak that did not join",
        ),
        (
            "adoption_accounting",
            "参加集团化办学的学校：各校在估计中的用途",
            "Group schooling: what each school is used for",
        ),
    ],
)
def test_years_programmes_and_studies_are_filled_in_again(key, zh, en):
    assert told(key, zh) == (zh, en)
    assert told(key, en, "en") == (zh, en)


def test_a_title_that_cannot_be_told_stands_in_brackets_behind_its_key():
    assert told("own_table", "某表") == ("某表", "own_table (某表)")
    assert told("own_table", "A table", "en") == ("own_table（A table）", "A table")
    unknown = "某学段·某类：同样薄弱、但未参加的学校"
    assert told("adoption_placebo_primary_member", unknown)[1].startswith("adoption_placebo_primary_member (")


def test_a_label_is_found_by_its_text_and_other_texts_stay():
    assert word_told("县区太少", "zh").en == "too few counties"
    outcome = "R1 每百名学生拥有高于规定学历教师数（人/百名学生）"
    assert word_told(outcome, "zh").en == (
        "R1 Teachers above the required qualification per 100 students (teachers per 100 students)"
    )
    assert word_told("芷陂镇中心小学", "zh").en == "芷陂镇中心小学"


def test_a_heading_that_is_not_of_its_own_name_is_told_by_its_text():
    assert column_told(TableColumn("estimate", "参加批次"), "zh").en == "Cohorts"
    assert column_told(TableColumn("school_name", "学校名称"), "zh").en == "School"
    assert column_told(TableColumn("conf_low", "置信下限"), "zh").en != "置信下限"
    assert column_told(TableColumn("unheard_of", "某列"), "zh").en == "某列"
