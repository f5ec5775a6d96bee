"""Sheets as offices send them: titles, header rows, merged cells, sheets by year or stage, wide forms."""

import pandas as pd
import pytest
import xlwt

from toolkit.data.reading import load_county
from toolkit.errors import InputError

YEARS = "学校年度"


def _years(reading):
    return reading.county.tables["school_years"]


def _conversions(reading):
    table = reading.conversions
    return {(row.column, row.conversion): row.cells for row in table.itertuples()}


def test_the_plain_template_is_read_without_a_problem(read):
    reading = read()

    assert reading.problems == ()
    assert _years(reading)["enrolment_primary"].tolist()[:2] == [1200, 800]
    assert reading.county.tables["schools"]["school_type"].tolist() == [
        "primary_school", "primary_school", "junior_secondary_school", "nine_year_school",
    ]  # fmt: skip


@pytest.fixture
def ugly(workbook):
    """A sheet with title, units in a note, two merged header rows, names without codes and a total."""

    def decorate(book):
        sheet = book.add_worksheet("办学条件")
        sheet.merge_range("A1:H1", "示例县2023—2024学年学校办学条件统计表")
        sheet.write("A2", "填报单位（盖章）：示例县教育局")
        sheet.write("G2", "单位：万元")
        for area, text in (
            ("A3:A4", "序号"),
            ("B3:B4", "学校\n名称"),
            ("C3:D3", "在校生数（人）"),
            ("E3:F3", "专任教师数"),
            ("G3:G4", "教学仪器设备值"),
            ("H3:H4", "运动场地面积（亩）"),
        ):
            sheet.merge_range(area, text)
        for cell, text in (("C4", "小学"), ("D4", "初中"), ("E4", "小学"), ("F4", "初中")):
            sheet.write(cell, text)
        sheet.write_row("A5", ["甲", "乙", 1, 2, 3, 4, 5, 6])
        sheet.write_row("A6", [1, "第一小学", "１２００人", "-", 60, "", 360, 12])
        sheet.write_row("A7", [2, "二小", "800", "", 40, "", 240, "9亩"])
        sheet.write_row("A9", [3, "城关中学", "", 900, "", 70, 300, "6,000㎡"])
        sheet.write_row("A10", [4, "育才学校", 300, 200, 20, 18, 150, 3])
        sheet.write_row("A11", ["合计", "", 2300, 1100, 120, 88, 1050])
        sheet.write("A12", "注：本表由各学校填报。")
        sheet.write("B13", "填表人：张三")

    return load_county(workbook({YEARS: None}, change=decorate))


def test_an_ugly_sheet_gives_the_same_numbers(ugly):
    years = _years(ugly).set_index("school_id")

    assert ugly.errors == ()
    assert years["enrolment_primary"].dropna().to_dict() == {"0101": 1200, "0102": 800, "0104": 300}
    assert years["enrolment_junior"].dropna().to_dict() == {"0103": 900, "0104": 200}
    assert years["teachers_junior"].dropna().to_dict() == {"0103": 70, "0104": 18}
    assert years["equipment_value"].tolist() == [3_600_000, 2_400_000, 3_000_000, 1_500_000]
    assert years["sports_ground_area"].tolist() == pytest.approx([8000, 6000, 6000, 2000])
    assert years["year"].tolist() == [2023] * 4


def test_the_addresses_in_an_ugly_sheet_are_true(ugly):
    origin = ugly.origins["school_years"]

    assert origin.cell(2, "enrolment_junior") == ("county.xlsx", "办学条件", "D9")
    assert origin.cell(0, "equipment_value") == ("county.xlsx", "办学条件", "G6")
    assert origin.cell(0, "books") == ("county.xlsx", "办学条件", "")


def test_every_row_of_an_ugly_sheet_is_accounted_for(ugly):
    sheet = ugly.accounting[ugly.accounting["sheet"] == "办学条件"].set_index("reason")["rows_read"]

    assert sheet.to_dict() == {
        "": 4,
        "blank_row": 1,
        "header_row": 3,
        "note_above": 2,
        "note_row": 2,
        "total_row": 1,
    }


def test_what_was_converted_in_an_ugly_sheet_is_logged(ugly):
    conversions = _conversions(ugly)

    assert conversions["equipment_value", "ten_thousand"] == 4
    assert conversions["sports_ground_area", "mu"] == 3
    assert conversions["enrolment_junior", "placeholder"] == 1
    matches = ugly.matches.set_index("name")
    assert matches.loc["二小", ["school_id", "how"]].tolist() == ["0102", "short_name"]


def test_sheets_of_several_years_are_stacked(read, tables):
    plain = [[row[0], *row[2:]] for row in tables[YEARS]]

    reading = read({YEARS: None, "学校年度2022": plain, "学校年度（2023—2024学年）": plain})

    assert _years(reading)["year"].tolist() == [2022] * 4 + [2023] * 4
    assert [problem.code for problem in reading.problems] == ["year_from_title"] * 2


def test_the_given_year_is_used_where_a_sheet_tells_none(read, tables):
    plain = [[row[0], *row[2:]] for row in tables[YEARS]]

    assert _years(read({YEARS: plain}, year=2021))["year"].tolist() == [2021] * 4
    assert "year_column_missing" in {problem.code for problem in read({YEARS: plain}).errors}


def test_sheets_of_the_stages_are_joined_school_by_school(read):
    header = ["学校代码", "学年", "在校生数", "专任教师数"]
    reading = read(
        {
            YEARS: None,
            "学校年度-小学": [header, ["0101", 2023, 1200, 60], ["0104", 2023, 300, 20]],
            "学校年度-初中": [header, ["0103", 2023, 900, 70], ["0104", 2023, 200, 18]],
        }
    )
    years = _years(reading).set_index("school_id")

    assert reading.errors == ()
    assert years.loc["0104", ["enrolment_primary", "enrolment_junior", "teachers_junior"]].tolist() == [
        300,
        200,
        18,
    ]
    assert years.loc["0103", "enrolment_junior"] == 900
    assert reading.accounting["rows_used"].sum() == 4 + 4


def test_rows_of_the_stages_that_contradict_each_other_are_an_error(read, found):
    header = ["学校代码", "学年", "学段", "在校生数", "教学及辅助用房面积"]
    reading = read({YEARS: [header, ["0104", 2023, "小学", 300, 4000], ["0104", 2023, "初中", 200, 3000]]})

    problem = found(reading, "stage_rows_conflict")[0]
    assert (problem.column, problem.cell, problem.severity) == ("teaching_area", "E3", "error")
    assert problem.school == "育才学校"


def test_a_column_without_stage_belongs_to_the_stage_of_the_school(read, found):
    header = ["学校代码", "学年", "在校生数"]
    reading = read({YEARS: [header, ["0101", 2023, 1200], ["0103", 2023, 900], ["0104", 2023, 500]]})
    years = _years(reading).set_index("school_id")

    assert (years.loc["0101", "enrolment_primary"], years.loc["0103", "enrolment_junior"]) == (1200, 900)
    problem = found(reading, "stage_unclear")[0]
    assert (problem.cell, problem.school, problem.severity) == ("C4", "育才学校", "error")


def test_scores_with_one_column_per_subject_become_one_row_per_subject(read):
    scores = [
        ["学籍号", "学年", "年级", "学校名称", "语文", "数学", "英语"],
        ["S1", 2023, 4, "第一小学", 90, 85.5, ""],
        ["S2", 2023, 4, "二小", "缺考", 70, 60],
    ]
    reading = read({"学业成绩": scores})
    table = reading.county.tables["scores"]

    assert list(zip(table["student_id"], table["subject"], table["score"].fillna(-1), strict=True)) == [
        ("S1", "chinese", 90), ("S1", "mathematics", 85.5),
        ("S2", "chinese", -1), ("S2", "mathematics", 70), ("S2", "english", 60),
    ]  # fmt: skip
    assert table["absent"].tolist() == [False, False, True, False, False]
    assert reading.origins["scores"].cell(1, "score")[2] == "F2"
    assert reading.origins["scores"].cell(4, "score")[2] == "G3"
    assert reading.origins["scores"].cell(4, "student_id")[2] == "A3"
    used = reading.accounting[reading.accounting["table"] == "scores"]["rows_used"].sum()
    assert used == 2


def test_the_sum_of_the_subjects_is_no_full_mark(read):
    scores = [
        ["学号", "姓名", "学校", "年级", "语文", "数学", "总分"],
        ["S1", "张三", "第一小学", "四年级", 90, -1, 90],
    ]
    table = read({"学业成绩": [*scores, ["平均分", "", "", "", 90, "", 90]]}, year=2023).county.tables[
        "scores"
    ]

    assert table["full_mark"].isna().all()
    assert table["grade"].tolist() == [4, 4]
    assert table["absent"].tolist() == [False, True]
    assert table["score"].fillna(-9).tolist() == [90, -9]


def test_class_size_bands_beside_the_yearly_data_become_a_table(read, tables):
    bands = ["25人以下", "26-30人", "66人以上"]
    numbers = [[1, 2, ""], [0, "", 3], ["", 4, ""], ["", "", ""]]
    wide = [[*row, *extra] for row, extra in zip(tables[YEARS], [bands, *numbers], strict=True)]

    reading = read({YEARS: wide})
    classes = reading.county.tables["classes"]

    assert reading.errors == ()
    assert classes[["school_id", "stage", "size_band", "class_count"]].to_numpy().tolist() == [
        ["0101", "primary", "band_1_25", 1],
        ["0101", "primary", "band_26_30", 2],
        ["0102", "primary", "band_1_25", 0],
        ["0102", "primary", "band_66_up", 3],
        ["0103", "junior", "band_26_30", 4],
    ]
    assert reading.origins["classes"].cell(3, "class_count")[2] == "H3"


def test_one_flat_sheet_gives_register_and_yearly_data(read):
    flat = [
        ["学校代码", "学校名称", "学校类型", "学年", "小学在校生数", "小学专任教师数", "初中在校生数"],
        ["0101", "第一小学", "小学", 2022, 1100, 55, ""],
        ["0101", "第一小学", "小学", 2023, 1200, 60, ""],
        ["0103", "城关中学", "初级中学", 2023, "", "", 900],
    ]
    reading = read({"学校名录": None, YEARS: flat})

    assert reading.errors == ()
    assert reading.county.tables["schools"]["school_id"].tolist() == ["0101", "0103"]
    assert len(_years(reading)) == 3


def test_a_sheet_with_another_name_is_known_by_its_headers(read, tables, found):
    reading = read({YEARS: None, "Sheet3": tables[YEARS]})

    assert len(_years(reading)) == 4
    assert found(reading, "sheet_by_headers")[0].sheet == "Sheet3"


def test_instructions_are_left_out_and_accounted_for(read):
    reading = read({"填表说明": [["一、怎样填写"], ["学校年度填起始年份"]]})

    row = reading.accounting.set_index("sheet").loc["填表说明"]
    assert (row["reason"], row["rows_left_out"]) == ("instruction_sheet", 2)
    assert reading.problems == ()


def test_repeated_headers_sections_and_subtotals_are_left_out(read, tables):
    header, *rows = tables[YEARS]
    reading = read(
        {
            YEARS: [
                header,
                ["一、城区"],
                *rows[:2],
                ["城区小计", "", 2000],
                header,
                *rows[2:],
                ["平均值", "", 767],
            ]
        }
    )

    assert len(_years(reading)) == 4
    reasons = reading.accounting.query("table == 'school_years'").set_index("reason")["rows_read"].to_dict()
    assert reasons == {"": 4, "header_row": 1, "repeated_header": 1, "section_row": 1, "total_row": 2}


def test_merged_names_are_filled_down_and_merged_numbers_are_not(read, found):
    def merge(book):
        sheet = book.add_worksheet(YEARS)
        sheet.write_row("A1", ["学校代码", "学年", "小学在校生数", "运动场地面积（平方米）"])
        sheet.merge_range("A2:A3", "0101")
        sheet.merge_range("D2:D3", 5000)
        sheet.write_row("B2", [2022, 1100])
        sheet.write_row("B3", [2023, 1200])

    reading = read({YEARS: None}, change=merge)
    years = _years(reading)

    assert years["school_id"].tolist() == ["0101", "0101"]
    assert years["sports_ground_area"].isna().tolist() == [False, True]
    assert dict(found(reading, "merged_numbers")[0].values)["area"] == "D2:D3"


def test_a_town_is_repeated_downwards_and_a_type_is_not(read, found):
    schools = [
        ["所在乡镇（街道）", "学校代码", "学校名称", "学校类型"],
        ["城关镇", "0101", "第一小学", "小学"],
        ["", "0102", "第二小学", ""],
    ]
    reading = read({"学校名录": schools, YEARS: [["学校代码", "学年", "小学在校生数"], ["0101", 2023, 5]]})

    assert reading.county.tables["schools"]["town"].tolist() == ["城关镇", "城关镇"]
    assert found(reading, "value_missing")[0].cell == "D3"


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [
        ("utf-8", ","),
        ("utf-8-sig", ","),
        ("gb18030", ","),
        ("gb18030", "\t"),
        ("utf-8", ";"),
        ("utf-16", "\t"),
    ],
)
def test_text_tables_in_every_encoding(encoding, delimiter, tables, tmp_path):
    folder = tmp_path / "示例县"
    folder.mkdir()
    for name, rows in tables.items():
        text = "\r\n".join(delimiter.join(str(value) for value in row) for row in rows)
        (folder / f"{name}.csv").write_bytes(text.encode(encoding))

    reading = load_county(folder)

    assert reading.problems == ()
    assert _years(reading)["school_id"].tolist() == ["0101", "0102", "0103", "0104"]
    assert reading.county.name == "示例县"
    assert reading.origins["school_years"].cell(1, "enrolment_primary") == ("学校年度.csv", "", "C3")


def test_parquet_files_keep_their_types(tables, tmp_path):
    for name, rows in tables.items():
        header, *data = rows
        frame = pd.DataFrame(
            [[None if value == "" else value for value in row] for row in data], columns=header
        )
        frame.to_parquet(tmp_path / f"{name}.parquet")

    reading = load_county(tmp_path)

    assert reading.problems == ()
    assert _years(reading)["enrolment_primary"].isna().tolist() == [False, False, True, False]


def test_a_folder_beside_the_workbook_holds_what_outgrows_it(workbook, tmp_path):
    folder = tmp_path / "county"
    folder.mkdir()
    (folder / "学业成绩.csv").write_text(
        "学籍号,学年,年级,学科,学校代码,成绩\n000000000000000001,2023,4,语文,0101,88\n", encoding="gb18030"
    )

    reading = load_county(workbook())

    assert reading.county.tables["scores"]["student_id"].tolist() == ["000000000000000001"]
    assert set(reading.county.tables) == {"schools", "school_years", "scores"}


def test_an_old_xls_workbook_is_read_with_its_merged_cells(tables, tmp_path):
    book = xlwt.Workbook(encoding="utf-8")
    for title, rows in tables.items():
        sheet = book.add_sheet(title)
        sheet.write_merge(0, 0, 0, 3, f"示例县{title}")
        for row, cells in enumerate(rows, start=1):
            for column, value in enumerate(cells):
                if value != "":
                    sheet.write(row, column, value)
    book.save(str(tmp_path / "旧.xls"))

    reading = load_county(tmp_path / "旧.xls")

    assert reading.errors == ()
    assert reading.origins["school_years"].cell(0, "enrolment_primary")[2] == "C3"


def test_text_named_xls_is_read_as_text(tables, tmp_path):
    for name, rows in tables.items():
        text = "\n".join("\t".join(str(value) for value in row) for row in rows)
        (tmp_path / f"{name}.xls").write_bytes(text.encode("gb18030"))

    assert load_county(tmp_path).errors == ()


def test_the_county_is_named_by_the_register(read, tables):
    header, *rows = tables["学校名录"]
    schools = [["县区代码", "县区名称", *header], *(["350102", "示例县", *row] for row in rows)]

    county = read({"学校名录": schools}).county

    assert (county.county_id, county.name) == ("350102", "示例县")


def test_several_counties_need_a_choice(read, tables, found):
    header, *rows = tables["学校名录"]
    codes = ["350102", "350102", "350103", "350103"]
    schools = [["县区代码", *header], *([code, *row] for code, row in zip(codes, rows, strict=True))]

    assert found(read({"学校名录": schools}), "several_counties")[0].severity == "error"

    reading = read({"学校名录": schools}, county="350103")
    assert reading.errors == ()
    assert _years(reading)["school_id"].tolist() == ["0103", "0104"]
    assert reading.accounting.query("reason == 'other_county'")["rows_left_out"].tolist() == [2, 2]

    with pytest.raises(InputError, match="350999"):
        read({"学校名录": schools}, county="350999")


def test_codes_that_lost_their_zeros_find_their_school(read, changed):
    reading = read({YEARS: changed({(1, 0): 101, (2, 0): "102"})})

    assert reading.errors == ()
    assert _years(reading)["school_id"].tolist()[:2] == ["0101", "0102"]
    assert _conversions(reading)["school_id", "leading_zeros"] == 2


def test_a_code_beside_the_name_of_another_school_is_doubted(read, found):
    years = [
        ["学校代码", "学校名称", "学年", "小学在校生数"],
        ["0101", "第二小学", 2023, 5],
        ["0102", "二小", 2023, 6],
    ]

    problems = found(read({YEARS: years}), "school_name_differs")

    assert [(problem.cell, problem.severity) for problem in problems] == [("B2", "warning")]


def test_a_rotation_from_outside_the_county_keeps_its_row(read, found):
    rotations = [
        ["教师代码", "派出学校名称", "接收学校名称", "轮岗开始日期", "轮岗结束日期"],
        ["T1", "县外小学", "第一小学", "2023-09", "至今"],
        ["T2", "甲校", "乙校", "2023-09", ""],
    ]
    reading = read({"交流轮岗": rotations})
    table = reading.county.tables["rotations"]

    assert table["teacher_id"].tolist() == ["T1"]
    assert table["receiving_school_id"].tolist() == ["0101"]
    assert table["sending_school_id"].isna().all()
    assert {problem.severity for problem in reading.problems if problem.cell == "B2"} == {"warning"}
    assert {problem.severity for problem in reading.problems if problem.cell == "B3"} == {"error"}
    assert reading.accounting.query("reason == 'school_unmatched'")["rows_left_out"].tolist() == [1]


def test_a_lonely_school_year_is_doubted(read, found):
    header = ["学校代码", "学年", "小学在校生数"]
    rows = [["0101", year, 100] for year in range(1995, 2024)] + [["0101", 2032, 100]]

    problem = found(read({YEARS: [header, *rows]}), "year_lonely")[0]

    assert (problem.cell, problem.severity) == ("B31", "warning")
