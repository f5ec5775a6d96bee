import pytest

from toolkit.data.schema import TABLES
from toolkit.data.schema.words import NO_WORDS, WORDS, YES_WORDS
from toolkit.standards import load_standard
from toolkit.vocabulary import has_term, label, term, unit_label

COLUMNS = [(table, column) for table in TABLES.values() for column in table.columns]
BY_NAME = pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)

# Which columns hold each of the 32 national indicators of 2017, the weights, splits and special cases.
# Written by hand from 教督〔2017〕6号; a stem stands for its columns by stage.
STAGES = ("primary", "junior")


def by_stage(*stems):
    return [("school_years", f"{stem}_{stage}") for stem in stems for stage in STAGES]


def school_years(*names):
    return [("school_years", name) for name in names]


def schools(*names):
    return [("schools", name) for name in names]


def evidence():
    return [("county_years", name) for name in ("item", "evidence", "entered_verdict", "judge", "judged_on")]


def entered():
    return [("county_years", name) for name in ("item", "item_value", "item_numerator", "item_denominator")]


NATIONAL_INDICATORS = {
    "R1 高于规定学历教师": by_stage("teachers_above_required_qualification", "enrolment"),
    "R2 骨干教师": by_stage("backbone_teachers", "enrolment"),
    "R3 体育、艺术教师": by_stage("pe_teachers", "arts_teachers", "enrolment"),
    "R4 教学及辅助用房": school_years("teaching_area", "indoor_sports_area"),
    "R5 体育运动场馆": school_years("sports_ground_area", "gymnasium_area", "indoor_sports_area"),
    "R6 教学仪器设备值": school_years("equipment_value"),
    "R7 网络多媒体教室": school_years("multimedia_rooms"),
    "G1 规划布局": evidence(),
    "G2 标准统一": evidence(),
    "G3 音乐、美术专用教室": by_stage("classes")
    + school_years(
        *(f"music_rooms_{band}" for band in ("96", "73", "61", "54", "below_54")),
        *(f"art_rooms_{band}" for band in ("90", "67", "61", "54", "below_54")),
    ),
    "G4 学校规模": by_stage("enrolment") + schools("school_type"),
    "G5 班额": [("classes", name) for name in ("stage", "class_size", "size_band", "class_count")],
    "G6 不足100人按100人核定": school_years("public_funds_students", "enrolment_primary")
    + schools("location", "school_type"),
    "G7 特教生均公用经费": entered(),
    "G8 教师工资": entered(),
    "G9 360学时培训": by_stage("trained_teachers", "teachers"),
    "G10 编制岗位统筹": evidence(),
    "G11 交流轮岗": entered()
    + [("rotations", name) for name in ("teacher_id", "rotation_start", "rotation_end", "backbone")]
    + [("teachers", name) for name in ("arrived", "exemption", "backbone_title")],
    "G12 持证上岗": by_stage("certified_teachers", "teachers"),
    "G13 就近划片入学": by_stage("in_zone_students", "enrolment")
    + schools("location", "ownership", "boarding_school"),
    "G14 名额分配": entered() + evidence(),
    "G15 留守、随迁": entered()
    + evidence()
    + school_years("left_behind_students", "migrant_students", "purchased_place_students"),
    "Q1 巩固率": school_years(
        "graduates_junior", "grade7_enrolment_at_entry", "transferred_in", "transferred_out", "deceased"
    ),
    "Q2 残疾儿童入学率": entered() + school_years("students_with_disabilities"),
    "Q3 章程与信息化": evidence(),
    "Q4 培训经费": school_years("training_funds", "public_funds_budget"),
    "Q5 信息化教学": evidence(),
    "Q6 德育、校园文化": evidence(),
    "Q7 课程": evidence(),
    "Q8 课业负担": evidence(),
    "Q9 质量监测": [*entered(), ("county_years", "subject")],
    "S1 社会认可度": [
        ("surveys", name) for name in ("respondents", "questionnaires_returned", "questionnaires_satisfied")
    ],
}
SPLITS_AND_CASES = {
    "九年一贯制、完全中学、十二年一贯制拆分": by_stage("enrolment")
    + school_years("enrolment_senior")
    + schools("school_type"),
    "教学点不足50人": schools("school_type", "parent_school_id") + by_stage("enrolment"),
    "2010年及之前建成，或随迁子女过半": schools("planned_by_2010") + school_years("migrant_students"),
    "2016年及之前建成的音乐、美术教室": schools("built_by_2016"),
    "最大班额低于30人": schools("largest_class_below_30") + school_years("largest_class_size"),
    "50至99人乡村小规模学校": schools("rural_small_school") + by_stage("visiting_pe_arts_teachers"),
    "大城市中心城区": schools("dense_urban")
    + school_years("rented_sports_area", "rented_sports_minutes", "converted_sports_area"),
    "省市直属、民办": schools("directly_administered", "ownership"),
    "2012年标准": school_years("computers", "books") + by_stage("teachers", "teachers_intermediate_title"),
}


def test_there_are_thirty_two_national_indicators():
    assert len(NATIONAL_INDICATORS) == 32
    assert [sum(name.startswith(part) for name in NATIONAL_INDICATORS) for part in "RGQS"] == [7, 15, 9, 1]


@pytest.mark.parametrize("name", [*NATIONAL_INDICATORS, *SPLITS_AND_CASES])
def test_each_rule_of_the_national_standard_has_its_columns(name):
    for table, column in (NATIONAL_INDICATORS | SPLITS_AND_CASES)[name]:
        assert column in TABLES[table].column_names, f"{table}.{column}"


def test_the_standard_uses_no_column_that_the_map_does_not_have():
    mapped = {place for places in (NATIONAL_INDICATORS | SPLITS_AND_CASES).values() for place in places}
    for indicator in load_standard("national_2017").indicators:
        for component in indicator.numerator:
            stages = ("",) if indicator.shared else tuple(f"_{stage}" for stage in STAGES)
            assert {("school_years", component.column + stage) for stage in stages} <= mapped


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda value: value.name)
def test_each_column_and_choice_has_a_label_in_both_languages(table, column):
    for name in (column.name, *column.choices):
        assert has_term(name)
        assert term(name).zh
        assert term(name).en
    if column.quantity:
        assert unit_label(column.name, "en") == {"area": "m²", "money": "yuan"}[column.quantity]
    if column.kind == "share":
        assert unit_label(column.name, "en") == "%"


@BY_NAME
def test_each_table_has_a_label_of_its_own(table):
    for language in ("zh", "en"):
        labels = [label(f"table_{name}", language) for name in TABLES]
        assert labels.count(label(f"table_{table.name}", language)) == 1
        assert len(label(f"table_{table.name}", language)) <= 31


@BY_NAME
def test_labels_are_unique_within_a_table(table):
    for language in ("zh", "en"):
        labels = [label(name, language) for name in table.column_names]
        assert len(set(labels)) == len(labels)


@BY_NAME
def test_an_alias_names_one_column_only(table):
    owner = {label(column.name, "zh"): column.name for column in table.columns}
    for column in table.columns:
        for alias in column.aliases:
            assert owner.setdefault(alias, column.name) == column.name, alias


def test_a_sheet_name_stands_for_one_table_only():
    owner = {label(f"table_{name}", "zh"): name for name in TABLES}
    for table in TABLES.values():
        for alias in table.aliases:
            assert owner.setdefault(alias, table.name) == table.name, alias


@BY_NAME
def test_keys_and_relations_name_existing_columns(table):
    names = table.column_names
    assert len(set(names)) == len(names)
    assert table.key
    assert set(table.key) <= set(names)
    for column in table.columns:
        assert not column.at_most or column.at_most in names
        assert not column.names_school_in or column.names_school_in in names


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda value: value.name)
def test_ranges_and_lists_fit_the_kind(table, column):
    assert bool(column.choices) == (column.kind == "choice")
    if column.minimum is not None and column.maximum is not None:
        assert column.minimum < column.maximum
    if column.kind == "share":
        assert (column.minimum, column.maximum) == (0, 1)
    if column.quantity or column.at_most:
        assert column.is_numeric


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda value: value.name)
def test_a_column_named_after_a_stage_belongs_to_it(table, column):
    named = next(
        (stage for stage in ("primary", "junior", "senior") if column.name.endswith(f"_{stage}")), ""
    )
    assert column.stage in ("", "primary", "junior", "senior")
    assert not named or column.stage == named


@pytest.mark.parametrize(
    ("column", "stage"),
    [
        ("enrolment_grade_1", "primary"),
        ("enrolment_grade_5", "primary"),
        ("enrolment_grade_6", ""),  # the last year of primary school, or the first of four of junior school
        ("enrolment_grade_7", "junior"),
        ("enrolment_grade_9", "junior"),
        ("grade7_enrolment_at_entry", "junior"),
        ("transferred_out", "junior"),
        ("teaching_area", ""),
    ],
)
def test_grades_and_retention_belong_to_their_stage(column, stage):
    assert TABLES["school_years"].column(column).stage == stage


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda value: value.name)
def test_no_required_column_and_no_column_of_an_indicator_may_be_empty(table, column):
    needed = {place for places in NATIONAL_INDICATORS.values() for place in places}
    school_year = table.name == "school_years" and (table.name, column.name) in needed
    assert not (column.may_be_empty and (column.required or school_year))


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda value: value.name)
def test_a_word_stands_for_one_choice_of_a_column(table, column):
    owner = {}
    for name in column.choices:
        for word in {label(name, "zh"), label(name, "en"), *WORDS.get(name, ())}:
            assert owner.setdefault(word, name) == name, word


def test_words_belong_to_choices_and_yes_is_not_no():
    choices = {name for _, column in COLUMNS for name in column.choices}
    assert set(WORDS) <= choices
    assert not set(YES_WORDS) & set(NO_WORDS)


def test_looking_for_an_unknown_column_says_which_table_lacks_it():
    with pytest.raises(KeyError, match="'schools' has no column 'colour'"):
        TABLES["schools"].column("colour")
