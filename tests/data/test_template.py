import openpyxl
import pandas as pd
import pytest
from python_calamine import load_workbook as calamine

from toolkit.data.reading import load_county
from toolkit.data.schema import TABLES, conform
from toolkit.data.template import YEAR, write_template
from toolkit.data.workbook import write_workbook
from toolkit.data.workbook.headers import allowed_words
from toolkit.errors import InputError


def _value(column, row):
    """A value of the right kind, different from cell to cell."""
    if column.kind == "choice":
        return column.choices[row % len(column.choices)]
    if column.kind == "boolean":
        return row % 2 == 0
    if column.kind == "year":
        return 2023 + row
    if column.kind == "date":
        return pd.Timestamp(2024, 3 + row, 5)
    if column.kind == "share":
        return [0.07, 0.5, 0.8125][row]
    if column.kind == "integer":
        return float([3, 0, 7][row])
    if column.kind == "number":
        return [12.25, column.minimum or 0.0, 24.5][row]
    return f"{column.name}-{row}"


def _filled():
    """Three rows in every column of every table."""
    tables = {}
    for table in TABLES.values():
        rows = [{column.name: _value(column, row) for column in table.columns} for row in range(3)]
        tables[table.name] = conform(pd.DataFrame(rows), table)
    return tables


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    write_workbook(folder / "filled.xlsx", _filled())
    write_template(folder / "empty.xlsx", year=YEAR)
    return folder


def test_every_value_stands_in_the_workbook_as_a_person_would_enter_it(written):
    sheets = openpyxl.load_workbook(written / "filled.xlsx")
    years, schools = sheets["学校年度"], sheets["学校名录"]
    header = [cell.value for cell in years[1]]
    assert header[:4] == ["学校代码*", "学校名称", "学年*", "小学在校生数（人）"]
    assert len(header) == len(TABLES["school_years"].columns)
    assert [cell.value for cell in years[2]][:4] == ["school_id-0", "school_name-0", 2023, 3]
    assert years["D3"].value == 0
    kinds = [cell.value for cell in schools[1]].index("学校类型*")
    assert [schools.cell(row, kinds + 1).value for row in (2, 3, 4)] == ["小学", "教学点", "初级中学"]
    links = sheets["学校沿革"]
    assert links["G1"].value == "承接学生比例（%）"
    assert [links.cell(row, 7).value for row in (2, 3, 4)] == [7, 50, 81.25]
    assert links["E2"].value == pd.Timestamp(2024, 3, 5)


def test_missing_values_stay_empty(tmp_path):
    table = TABLES["school_years"]
    frame = conform(pd.DataFrame([{"school_id": "001", "year": 2025}]), table)
    write_workbook(tmp_path / "one.xlsx", {"school_years": frame})
    rows = calamine(tmp_path / "one.xlsx").get_sheet_by_name("学校年度").to_python(skip_empty_area=False)
    assert rows[1][0] == "001"
    assert [value for value in rows[1] if value != ""] == ["001", 2025]


def test_the_template_is_read_back_as_it_was_written(tmp_path):
    """Values with meaning, since reading refuses codes that the register does not hold."""
    tables = _filled()
    schools = pd.DataFrame(
        [
            {"school_id": f"0{row}", "school_name": name, "school_type": kind, "ownership": "public"}
            | {
                "location": "rural",
                "county_id": "441402",
                "county_name": "甲县",
                "longitude": 116.1 + row / 10,
            }
            for row, (name, kind) in enumerate(
                [
                    ("红星学校", "nine_year_school"),
                    ("育才学校", "nine_year_school"),
                    ("实验学校", "twelve_year_school"),
                ]
            )
        ]
    )
    tables["schools"] = conform(schools, TABLES["schools"])
    for name, table in TABLES.items():
        for column in table.columns:
            if column.names_school_in and name != "schools":
                order = [1, 2, 0] if column.name.startswith(("to_", "receiving", "supporter")) else [0, 1, 2]
                tables[name][column.name] = tables["schools"]["school_id"].iloc[order].to_numpy()
                tables[name][column.names_school_in] = tables["schools"]["school_name"].iloc[order].to_numpy()
    tables["scores"]["grade"] = [6.0, 9.0, 3.0]
    tables["classes"]["grade"] = [6.0, 9.0, 3.0]
    tables["support"]["support_cycle"] = [1.0, 2.0, 3.0]
    for name in ("rotations", "support", "projects"):
        start, end = (column for column in tables[name].columns if column.endswith(("_start", "_end")))
        tables[name][end] = tables[name][start] + pd.Timedelta(days=300)
    write_workbook(tmp_path / "甲县.xlsx", tables)
    reading = load_county(tmp_path / "甲县.xlsx")
    assert [problem.message("en") for problem in reading.errors] == []
    assert set(reading.county.tables) == set(TABLES)
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(reading.county.tables[name], frame, check_dtype=False, obj=name)


def test_an_english_template_is_read_as_well(tmp_path):
    schools = [{"school_id": "3144000001", "school_name": "Hope", "school_type": "nine_year_school"}]
    years = [
        {
            "school_id": "3144000001",
            "school_name": "Hope",
            "year": year,
            "enrolment_primary": 300.0,
            "teaching_area": 2500.5,
        }
        for year in (2024, 2025)
    ]
    tables = {
        "schools": conform(pd.DataFrame(schools), TABLES["schools"]),
        "school_years": conform(pd.DataFrame(years), TABLES["school_years"]),
    }
    write_workbook(tmp_path / "county.xlsx", tables, language="en")
    reading = load_county(tmp_path / "county.xlsx")
    assert reading.errors == ()
    pd.testing.assert_frame_equal(
        reading.county.tables["school_years"], tables["school_years"], check_dtype=False
    )


def test_codes_are_text_and_lists_are_offered(written):
    sheet = openpyxl.load_workbook(written / "empty.xlsx")["学校名录"]
    assert sheet.column_dimensions["C"].width > 10
    assert sheet.freeze_panes == "E2"
    rules = {str(rule.sqref).split(":")[0]: rule for rule in sheet.data_validations.dataValidation}
    assert (
        rules["G2"].formula1 == '"小学,教学点,初级中学,九年一贯制学校,十二年一贯制学校,完全中学,特殊教育学校"'
    )
    assert rules["G2"].errorStyle == "warning"
    filled = openpyxl.load_workbook(written / "filled.xlsx")["学校名录"]
    assert filled["C2"].number_format == "@"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_closed_list_fits_into_a_drop_down(language):
    """Excel takes 255 characters, separated by commas."""
    for table in TABLES.values():
        for column in table.columns:
            words = allowed_words(column, language)
            assert len(",".join(words)) <= 255, column.name
            assert not any("," in word for word in words), column.name


def test_each_header_has_a_note_with_period_and_range(written):
    sheet = openpyxl.load_workbook(written / "empty.xlsx")["学校年度"]
    notes = {cell.value: cell.comment.text for cell in sheet[1]}
    assert len(notes) == len(TABLES["school_years"].columns)
    assert "9月1日" in notes["小学在校生数（人）"]
    assert "不大于同一行的“小学专任教师数”" in notes["小学县级及以上骨干教师数（人）"]
    assert "上一自然年度" in notes["教师培训经费（元）"]
    assert "0至60" in notes["教师周课时数（课时）"]


def test_the_template_lists_the_items_a_county_enters(written):
    rows = calamine(written / "empty.xlsx").get_sheet_by_name("县域保障").to_python()
    items = [row[1] for row in rows[1:]]
    assert {row[0] for row in rows[1:]} == {YEAR}
    assert {"G01", "G07", "G11a", "G14a", "Q2", "V4"} <= set(items)
    assert items.count("Q9a") == 6
    assert "G12" not in items


def test_an_untouched_template_holds_no_school(written):
    rows = calamine(written / "empty.xlsx").get_sheet_by_name("学校年度").to_python()
    assert len(rows) == 1


def test_equal_tables_give_equal_bytes(tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(tmp_path / name, {"schools": _filled()["schools"]}, county_name="甲县")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_the_committed_template_is_the_one_generated_now(checkout, tmp_path):
    write_template(tmp_path / "template.xlsx", year=YEAR)
    assert _cells(tmp_path / "template.xlsx") == _cells(checkout / "data" / "template.xlsx")


def _cells(path):
    workbook = calamine(path)
    return {name: workbook.get_sheet_by_name(name).to_python() for name in workbook.sheet_names}


def test_the_county_is_written_beside_schools_that_have_none(tmp_path):
    frame = conform(
        pd.DataFrame([{"school_id": "1"}, {"school_id": "2", "county_name": "乙县"}]), TABLES["schools"]
    )
    write_workbook(tmp_path / "a.xlsx", {"schools": frame}, county_id="441402", county_name="甲县")
    rows = calamine(tmp_path / "a.xlsx").get_sheet_by_name("学校名录").to_python()
    assert [row[:3] for row in rows[1:]] == [["441402", "甲县", "1"], ["441402", "乙县", "2"]]
    assert frame["county_id"].isna().all()


def test_text_that_looks_like_a_formula_stays_text(tmp_path):
    frame = conform(pd.DataFrame([{"school_id": "1", "school_name": "=HYPERLINK(1)"}]), TABLES["schools"])
    write_workbook(tmp_path / "a.xlsx", {"schools": frame})
    cell = openpyxl.load_workbook(tmp_path / "a.xlsx")["学校名录"]["D2"]
    assert (cell.value, cell.data_type) == ("=HYPERLINK(1)", "s")


def test_refuses_tables_and_columns_outside_the_schema(tmp_path):
    with pytest.raises(ValueError, match="'pupils' is not a table"):
        write_workbook(tmp_path / "a.xlsx", {"pupils": pd.DataFrame()})
    with pytest.raises(ValueError, match="outside the schema: x"):
        write_workbook(tmp_path / "a.xlsx", {"schools": pd.DataFrame({"x": [1]})})
    assert list(tmp_path.iterdir()) == []


def test_refuses_more_rows_than_a_sheet_holds(tmp_path):
    frame = pd.DataFrame({"student_id": range(1_048_576)})
    with pytest.raises(InputError, match="CSV"):
        write_workbook(tmp_path / "a.xlsx", {"scores": frame})
