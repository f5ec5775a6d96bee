"""Tables of segregation, groups and rotation: what a reader finds in them."""

from dataclasses import replace

import pandas as pd
import pytest

from tests.people import member, school, school_year, spell, teacher, with_tables
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.standards import load_standard
from toolkit.tables import programmes as programme_tables
from toolkit.tables import segregation as segregation_tables
from toolkit.tables.html import table_html
from toolkit.variation.programmes import describe_programmes
from toolkit.variation.pupil_segregation import compute_pupil_segregation
from toolkit.variation.rotation import describe_rotation
from toolkit.variation.rotation_dispersion import compare_placements

STANDARD = load_standard("national_2017")
SCHOOLS = [school("1"), school("2", location="rural"), school("3")]
LANGUAGES = ("zh", "en")


def exhibits(county, language):
    programmes = describe_programmes(county, year=2025)
    rotation = describe_rotation(county, STANDARD, year=2025)
    placements = compare_placements(county, compute_resource_indicators(county, STANDARD), year=2025)
    segregation = compute_pupil_segregation(county, last_year=2025)
    made = (
        segregation_tables.tabulate_segregation(segregation, language),
        segregation_tables.tabulate_segregation_trend(segregation, language),
        programme_tables.tabulate_school_groups(programmes, language),
        programme_tables.tabulate_coverage(programmes, language),
        programme_tables.tabulate_support(programmes, language),
        programme_tables.tabulate_unusable_rows(programmes, rotation, language),
        programme_tables.tabulate_rotation_shares(rotation, language),
        programme_tables.tabulate_rotation_profile(rotation, language),
        programme_tables.tabulate_rotation_flows(rotation, language),
        programme_tables.tabulate_rotation_towns(rotation, language),
        programme_tables.tabulate_placements(placements, language),
    )
    return {exhibit.caption.key: exhibit for exhibit in made}


@pytest.fixture(scope="module")
def county():
    years = [
        school_year("1", migrant_students=10, backbone_teachers_primary=3),
        school_year("2", migrant_students=30, backbone_teachers_primary=3),
        school_year("3", backbone_teachers_primary=3),
    ]
    spells = [
        spell("a", "1", "2", backbone=True, rotation_end="2026-08-31"),
        spell("b", "1", "2"),
        spell("c", "2", "2"),
    ]
    support = {"supporter_id": "1", "supporter_name": "x", "receiver_id": "2", "support_start": "2024-09-01"}
    return with_tables(
        SCHOOLS,
        years,
        rotations=spells,
        teachers=[teacher(f"t{number}", "1") for number in range(10)],
        school_groups=[member("1", role="lead"), member("2", start_year=2025)],
        support=[support | {"programme": "paired_support"}],
    )


@pytest.fixture(scope="module")
def by_language(county):
    return {language: exhibits(county, language) for language in LANGUAGES}


@pytest.fixture(params=LANGUAGES)
def made(by_language, request):
    return by_language[request.param]


@pytest.fixture
def zh(by_language):
    return by_language["zh"]


def test_every_table_has_rows_and_renders(made):
    for exhibit in made.values():
        assert len(exhibit.data)
        assert exhibit.caption.title in table_html(exhibit)


def test_indices_are_marked_where_a_school_is_missing_or_nothing_is_defined(zh):
    exhibit = zh["segregation"]
    row = exhibit.data.index[exhibit.data["pupils"] == "migrant_pupils"][0]
    undefined = exhibit.data.index[exhibit.data["pupils"] == "left_behind_pupils"][0]
    assert exhibit.marks_by_cell[row, "dissimilarity"] == "provisional"
    assert exhibit.marks_by_cell[undefined, "dissimilarity"] == "not_applicable"
    assert "没有学校填报" in table_html(exhibit)
    assert "n_inconsistent" not in [column.name for column in exhibit.columns]


def test_a_group_names_its_schools_and_who_joined(zh):
    row = zh["school_groups"].data.iloc[0]
    assert (row["leads"], row["members"], row["joined"], row["left"]) == (
        "第1小学",
        "第2小学",
        "第2小学",
        "–",
    )


def test_the_doubt_about_who_is_eligible_is_printed_beside_the_share(zh):
    exhibit = zh["rotation_shares"]
    assert exhibit.marks_by_cell[0, "eligible_share"] == "unsure"
    assert STANDARD.marks["eligible_teachers"].doubt.zh in exhibit.caption.notes
    assert "6 年" in " ".join(exhibit.caption.notes)


def test_categories_are_printed_in_words(zh):
    words = set(zh["rotation_profile"].data["category"])
    assert {"城区→乡村", "超过 0.5 至 1 学年", "未填结束日期（进行中）", "同一集团（学区）内"} <= words
    assert programme_tables.category_text("length_0_0.5", "zh") == "0.5 学年及以下"
    assert programme_tables.category_text("length_3_", "en") == "over 3 school years"


def test_flows_have_totals_that_stay_at_the_end(zh):
    exhibit = zh["rotation_flows"]
    assert exhibit.total_rows == 1
    assert exhibit.data.iloc[-1]["total"] == 2
    assert exhibit.data["sending"].tolist() == ["urban", "rural", "total"]


def test_rows_that_cannot_be_used_are_counted_by_reason_without_a_person(by_language):
    exhibit = by_language["en"]["programme_unusable"]
    assert exhibit.data[["table", "reason", "n_rows"]].to_numpy().tolist() == [
        ["rotation_rows", "rotation_to_same_school", 1]
    ]


def test_no_table_holds_a_teacher(made):
    codes = {"a", "b", "c", *(f"t{number}" for number in range(10))}
    for exhibit in made.values():
        assert not codes & {str(value) for value in exhibit.data.to_numpy().ravel()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_county_without_data_has_one_line_in_place_of_each_table(language):
    bare = with_tables(SCHOOLS, [school_year(code) for code in "123"])
    found = exhibits(bare, language)
    words = {"zh": "本年无数据", "en": "No data for this year"}[language]
    for key in (
        "school_groups",
        "programme_coverage",
        "programme_support",
        "rotation_shares",
        "rotation_profile",
    ):
        assert words in table_html(found[key])
        assert found[key].caption.notes == ()
    for key in ("rotation_flows", "rotation_placements"):
        assert words in table_html(found[key])
    assert len(found["segregation"].data)


def test_flows_between_many_towns_are_listed_by_pair_and_add_up_to_the_matrix(county):
    rotation = describe_rotation(county, STANDARD, year=2025)
    names = [f"第{number}镇" for number in range(20)]
    towns = pd.DataFrame(0, index=names, columns=names)
    towns.iloc[3, 4], towns.iloc[5, 5], towns.iloc[0, 19] = 7, 9, 1
    listed = programme_tables.tabulate_rotation_towns(replace(rotation, towns=towns), "zh")
    pairs = listed.data[["sending", "receiving", "moved"]].to_numpy().tolist()
    assert pairs == [["第5镇", "第5镇", 9], ["第3镇", "第4镇", 7], ["第0镇", "第19镇", 1]]
    assert listed.caption.key == "rotation_towns"
