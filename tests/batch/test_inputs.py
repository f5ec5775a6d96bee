"""Folder and list: one unit for each county and year, nothing dropped without a word."""

import pytest

from toolkit.batch import inputs, survey
from toolkit.batch.inputs import Years, find_inputs, find_units
from toolkit.batch.survey import CountyYears, survey_inputs
from toolkit.data.reading import load_county
from toolkit.errors import InputError, ParameterError

ONE = (CountyYears("990101", (2023, 2024)),)
THREE = tuple(CountyYears(code, (2024,)) for code in ("990101", "990102", "990103"))


@pytest.fixture
def surveyed(monkeypatch):
    """Let files hold the counties said here, by their names; others cannot be read."""
    held = {}

    def survey(sources, *, with_years, jobs):
        return {source: held.get(source[0].rsplit("/", 1)[-1], ()) for source in sources}

    monkeypatch.setattr(inputs, "survey_inputs", survey)
    return held


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def short(units):
    return [(unit.county, unit.year) for unit in units]


def test_a_folder_gives_workbooks_and_folders_and_tells_what_it_leaves_out(data):
    touch(
        data,
        "甲县.xlsx",
        "甲县/scores.parquet",
        "乙县/schools.csv",
        "丙县.xls",
        "readme.md",
        "pictures/a.png",
    )
    touch(data, "~$甲县.xlsx", ".hidden.xlsx", "甲县-已检查.xlsx", "notes.csv")
    found = find_inputs(data)
    assert {path.name for path in found.inputs} == {"甲县.xlsx", "乙县", "丙县.xls"} | (
        {"甲县-已检查.xlsx"} & {path.name for path in found.inputs}
    )
    assert set(found.left_out) >= {"readme.md", "pictures", "notes.csv"}


def test_marked_copies_and_lists_of_names_beside_a_workbook_are_no_counties(data):
    from toolkit.vocabulary import label

    beside = [f"甲县-{label(name, 'zh')}.xlsx" for name in ("checked", "names_path_beside")]
    touch(data, "甲县.xlsx", *beside)
    assert [path.name for path in find_inputs(data).inputs] == ["甲县.xlsx"]
    assert sorted(find_inputs(data).left_out) == sorted(beside)


def test_loose_tables_make_the_folder_itself_one_input(data):
    touch(data, "schools.csv", "school_years.parquet", "学校沿革.csv")
    assert find_inputs(data).inputs == (data,)


def test_with_a_mapping_every_table_file_is_an_input(data):
    touch(data, "2023.csv", "2024.csv")
    assert find_inputs(data).inputs == ()
    assert [path.name for path in find_inputs(data, is_mapped=True).inputs] == ["2023.csv", "2024.csv"]


def test_a_folder_without_data_is_refused(data):
    touch(data, "readme.md")
    with pytest.raises(InputError, match=str(data)):
        find_units(data, {}, Years())


@pytest.mark.parametrize(
    ("years", "expected"),
    [
        (Years(), [("990101", 0)]),
        (Years(all=True), [("990101", 2023), ("990101", 2024)]),
        (Years(chosen=(2022, 2024)), [("990101", 2022), ("990101", 2024)]),
    ],
    ids=["latest", "all", "chosen"],
)
def test_a_county_has_one_unit_for_each_year_asked_for(data, surveyed, years, expected):
    touch(data, "a.xlsx")
    surveyed["a.xlsx"] = ONE
    assert short(find_units(data, {"plan": "meizhou"}, years).units) == expected


def test_a_file_of_several_counties_gives_one_unit_each_and_chooses_it(data, surveyed):
    touch(data, "city.xlsx")
    surveyed["city.xlsx"] = THREE
    units = find_units(data, {}, Years()).units
    assert short(units) == [("990101", 0), ("990102", 0), ("990103", 0)]
    assert [unit.parameters["county"] for unit in units] == ["990101", "990102", "990103"]


def test_a_file_of_one_county_is_run_as_a_single_run_runs_it(data, surveyed):
    touch(data, "a.xlsx")
    surveyed["a.xlsx"] = ONE
    (unit,) = find_units(data, {}, Years()).units
    assert unit.parameters == {"data_path": str(data / "a.xlsx")}


def test_a_file_that_cannot_be_read_is_one_unit_that_will_tell_why(data, surveyed):
    touch(data, "broken.xlsx")
    (unit,) = find_units(data, {}, Years(all=True)).units
    assert (unit.county, unit.year, unit.name.split("-")[0]) == ("", 0, "broken")


def test_names_of_units_stay_the_same_whatever_else_is_in_the_folder(data, surveyed):
    touch(data, "b.xlsx")
    surveyed.update({"a.xlsx": ONE, "b.xlsx": ONE})
    (before,) = find_units(data, {}, Years()).units
    touch(data, "a.xlsx")
    after = find_units(data, {"edition": "public"}, Years()).units
    assert before.name in {unit.name for unit in after}
    assert len({unit.name for unit in after}) == 2


def write_list(data, text, encoding="utf-8"):
    data.mkdir(exist_ok=True)
    path = data / "list.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_list_keeps_codes_as_text_in_every_encoding(data, surveyed, encoding):
    path = write_list(data, "data,county,year,plan\n甲县.xlsx,010203,2024,meizhou\n乙县.xlsx,,,\n", encoding)
    first, second = find_units(path, {"plan": "heping"}, Years()).units
    assert first.parameters == {
        "data_path": str(data / "甲县.xlsx"), "county": "010203", "year": 2024, "plan": "meizhou"
    }  # fmt: skip
    assert (first.county, first.data) == ("010203", "甲县.xlsx")
    assert second.parameters == {"data_path": str(data / "乙县.xlsx"), "plan": "heping"}


def test_a_list_takes_chinese_headings_semicolons_and_blank_lines(data, surveyed):
    path = write_list(data, "数据;县区;学年;reporting_error\n\na.xlsx;01;2024;0.05\n;;;\n")
    (unit,) = find_units(path, {}, Years()).units
    assert unit.parameters["reporting_error"] == 0.05
    assert unit.county == "01"


def test_rows_that_differ_by_a_parameter_only_are_two_units_and_equal_rows_one(data, surveyed):
    path = write_list(data, "data,county,plan\na.xlsx,01,meizhou\na.xlsx,01,heping\na.xlsx,01,meizhou\n")
    units = find_units(path, {}, Years()).units
    assert [unit.parameters["plan"] for unit in units] == ["meizhou", "heping"]
    assert len({unit.name for unit in units}) == 2


def test_years_of_the_call_hold_where_a_row_says_none(data, surveyed):
    path = write_list(data, "data,county,year\na.xlsx,01,2020\nb.xlsx,02,\n")
    assert short(find_units(path, {}, Years(chosen=(2023, 2024))).units) == [
        ("01", 2020), ("02", 2023), ("02", 2024)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("county,year\n01,2024\n", InputError, "no column data"),
        ("", InputError, "no column data"),
        ("data,county\n", InputError, "no row"),
        ("data,plans\na.xlsx,x\n", ParameterError, "plans"),
        ("data,year,year\na.xlsx,1,2\n", ParameterError, "year"),
        ("data,results_dir\na.xlsx,x\n", ParameterError, "results_dir"),
        ("data,year\na.xlsx,2024\nb.xlsx,in 2024\n", ParameterError, "Line 3"),
        ("data,edition\na.xlsx,secret\n", ParameterError, "Line 2.*secret"),
        ("data,year\n,2024\n", InputError, "Line 2"),
    ],
)
def test_a_list_that_is_not_understood_is_refused_with_its_line(data, surveyed, text, error, told):
    with pytest.raises(error, match=told):
        find_units(write_list(data, text), {}, Years())


def test_a_list_in_no_known_encoding_is_refused(data):
    data.mkdir()
    (data / "list.csv").write_bytes(b"data\n\xff\xff\xff.xlsx\n")
    with pytest.raises(InputError, match="encoding"):
        find_units(data / "list.csv", {}, Years())


def test_files_are_looked_into_for_their_counties_and_years(data):
    data.mkdir()
    schools = "county_id,county_name,school_id,school_name,school_type\n" + "".join(
        f"{code},县{code},{code}000{n},学校{code}{n},小学\n" for code in ("990101", "990102") for n in (1, 2)
    )
    years = "school_id,year,enrolment_primary\n" + "".join(
        f"9901010001,{year},100\n" for year in (2022, 2023)
    ) + "9901020001,2023,90\n"  # fmt: skip
    (data / "schools.csv").write_text(schools, encoding="utf-8")
    (data / "school_years.csv").write_text(years, encoding="utf-8")
    source, broken = (str(data), ""), (str(data / "none.xlsx"), "")
    assert survey_inputs([source, broken], with_years=True, jobs=1) == {
        source: (CountyYears("990101", (2022, 2023)), CountyYears("990102", (2023,))),
        broken: (),
    }


@pytest.mark.parametrize(("with_years", "read"), [(False, {"schools"}), (True, set(survey.WITH_YEARS))])
def test_only_the_register_is_read_where_no_years_are_wanted(data, monkeypatch, with_years, read):
    data.mkdir()
    (data / "schools.csv").write_text(
        "county_id,school_id,school_name,school_type\n990101,9901010001,甲校,小学\n", encoding="utf-8"
    )
    asked = []

    def load(path, *, county, tables):
        asked.append(set(tables))
        return load_county(path, county=county, tables=tables)

    monkeypatch.setattr(survey, "load_county", load)
    found = survey_inputs([(str(data), "")], with_years=with_years, jobs=1)
    assert found == {(str(data), ""): (CountyYears("990101", ()),)}
    assert all(tables == read for tables in asked)
