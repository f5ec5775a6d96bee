"""Bad inputs: each gives a clear message with file, sheet, cell and remedy, in both languages."""

import io
import struct
import zipfile

import msoffcrypto.format.ooxml
import openpyxl
import pytest
import xlwt

from toolkit.data.reading import load_county
from toolkit.errors import InputError


def _replaced(path, part, old, new):
    """Replace bytes in one part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def _missing(workbook, tmp_path):
    return tmp_path / "不存在.xlsx"


def _empty(workbook, tmp_path):
    path = tmp_path / "空.xlsx"
    path.write_bytes(b"")
    return path


def _text_under_a_false_name(workbook, tmp_path):
    path = tmp_path / "通知.xlsx"
    path.write_text("关于报送数据的通知\n各学校：\n", encoding="utf-8")
    return path


def _picture(workbook, tmp_path):
    path = tmp_path / "扫描件.xlsx"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    return path


def _word_document(workbook, tmp_path):
    path = tmp_path / "报告.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    return path


def _protected(workbook, tmp_path):
    path = tmp_path / "加密.xlsx"
    with workbook().open("rb") as plain, path.open("wb") as locked:
        msoffcrypto.format.ooxml.OOXMLFile(plain).encrypt("secret", locked)
    return path


def _truncated_zip(workbook, tmp_path):
    path = workbook()
    path.write_bytes(path.read_bytes()[:3000])
    return path


def _truncated_xls(workbook, tmp_path):
    path = tmp_path / "旧.xls"
    book = xlwt.Workbook()
    book.add_sheet("学校名录").write(0, 0, "学校代码")
    book.save(str(path))
    path.write_bytes(path.read_bytes()[:3000])
    return path


def _web_page(workbook, tmp_path):
    path = tmp_path / "导出.xls"
    path.write_text("<html><table><tr><td>学校代码</td></tr></table></html>", encoding="utf-8")
    return path


def _unknown_encoding(workbook, tmp_path):
    path = tmp_path / "表.csv"
    path.write_bytes("学校代码,学年\n".encode() + b"\xff\xff\x80,\xfe\xff\n")
    return path


def _entity_expansion(workbook, tmp_path):
    return _replaced(
        workbook(), "xl/workbook.xml", b"<workbook ", b'<!DOCTYPE x [<!ENTITY a "aaaa">]><workbook '
    )


def _far_cell(workbook, tmp_path):
    path = tmp_path / "远.xlsx"
    book = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1048576"] = "学校代码", 1
    book.save(path)
    return path


def _lying_sizes(workbook, tmp_path):
    """A part whose declared size is smaller than what it unpacks to."""
    path = _replaced(workbook(), "xl/sharedStrings.xml", b"</sst>", b"<!--" + b"x" * 1_000_000 + b"--></sst>")
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("xl/sharedStrings.xml")
        central = data.rfind(b"PK\x01\x02", 0, data.rfind(b"xl/sharedStrings.xml"))
    for offset in (info.header_offset + 22, central + 24):
        struct.pack_into("<I", data, offset, 500)
    path.write_bytes(bytes(data))
    return path


def _empty_folder(workbook, tmp_path):
    folder = tmp_path / "空文件夹"
    folder.mkdir()
    (folder / "说明.docx").write_bytes(b"PK")
    return folder


def _no_tables(workbook, tmp_path):
    return workbook({"学校名录": None, "学校年度": None, "值班表": [["周一", "张三"], ["周二", "李四"]]})


UNREADABLE = {
    "missing file": (_missing, "找不到", "not found"),
    "empty file": (_empty, "空文件", "is empty"),
    "text under a false name": (_text_under_a_false_name, "不是工作簿", "neither a workbook"),
    "picture": (_picture, "不是工作簿", "neither a workbook"),
    "word document": (_word_document, "不是工作簿", "neither a workbook"),
    "password": (_protected, "打开密码", "password"),
    "truncated zip": (_truncated_zip, "已损坏", "damaged"),
    "truncated xls": (_truncated_xls, "已损坏", "damaged"),
    "web page named xls": (_web_page, "网页", "web page"),
    "unknown encoding": (_unknown_encoding, "编码", "encoding"),
    "entity expansion": (_entity_expansion, "文档声明", "document declarations"),
    "cell far away": (_far_cell, "范围过大", "spans more than"),
    "lying sizes": (_lying_sizes, "已损坏", "damaged"),
    "empty folder": (_empty_folder, "没有可以读取的表格文件", "no table"),
    "no tables": (_no_tables, "值班表", "--mapping"),
}


@pytest.mark.parametrize("case", UNREADABLE, ids=lambda case: case.replace(" ", "_"))
def test_an_unreadable_input_is_refused_with_its_name_and_a_remedy(case, workbook, tmp_path):
    make, zh, en = UNREADABLE[case]
    path = make(workbook, tmp_path)
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(InputError) as refusal:
        load_county(path)

    assert path.name in refusal.value.zh
    assert path.name in refusal.value.en
    assert zh in refusal.value.zh
    assert en in refusal.value.en
    assert "请" in refusal.value.zh
    assert refusal.value.exit_code == 3
    assert sorted(tmp_path.rglob("*")) == before


YEARS = "学校年度"
CELLS = {
    # code of the problem, changed cells, address, words of the Chinese message, words of the remedy
    "negative count": ("below_minimum", {(1, 2): -5}, "C2", "“-5”", "负数"),
    "text in a number": ("number_unreadable", {(2, 2): "约八百"}, "C3", "约八百", "数字"),
    "area in a count": ("unit_unfit", {(1, 2): "1200亩"}, "C2", "1200亩", "单位"),
    "half a student": ("not_whole", {(4, 3): 200.5}, "D5", "200.5", "整数"),
    "unknown school": ("school_unknown", {(3, 0): "0999"}, "A4", "0999", "学校名录"),
    "impossible year": ("year_impossible", {(1, 1): 2203}, "B2", "2203", "核对"),
    "no year": ("year_unreadable", {(1, 1): "去年"}, "B2", "去年", "2023"),
    "missing year": ("value_missing", {(1, 1): ""}, "B2", "学年", "补填"),
    "18 digits as number": ("code_digits_lost", {(1, 0): 350102199001011234}, "A2", "15位", "文本格式"),
    "scientific code": ("code_scientific", {(1, 0): "3.50102E+17"}, "A2", "科学计数法", "文本格式"),
    "error value": ("cell_error", {(1, 2): "#REF!"}, "C2", "#REF!", "公式"),
    "duplicate key": ("key_twice", {(2, 0): "0101"}, "A3", "学校年度!A2", "一行"),
}


@pytest.mark.parametrize("case", CELLS, ids=lambda case: case.replace(" ", "_"))
def test_a_bad_cell_is_told_with_its_address_and_a_remedy(case, read, changed, found):
    code, cells, address, message, remedy = CELLS[case]

    reading = read({YEARS: changed(cells)})

    problem = found(reading, code)[0]
    assert problem in reading.errors
    assert (problem.file, problem.sheet, problem.cell) == ("county.xlsx", YEARS, address)
    text = problem.message("zh") + problem.remedy("zh")
    assert message in text
    assert remedy in text
    assert problem.message("en") != problem.message("zh")
    assert reading.accounting["rows_read"].sum() == 10


def test_the_school_is_named_beside_a_bad_cell(read, changed, found):
    years = [[*row[:1], name, *row[1:]] for row, name in zip(
        changed({(2, 2): "很多"}), ["学校名称", "第一小学", "第二小学", "城关中学", "育才学校"], strict=True
    )]  # fmt: skip

    assert found(read({YEARS: years}), "number_unreadable")[0].school == "第二小学"


def test_all_problems_are_told_at_once(read, changed):
    reading = read({YEARS: changed({(1, 2): -5, (2, 2): "很多", (3, 0): "0999", (4, 1): "去年"})})

    assert {"below_minimum", "number_unreadable", "school_unknown", "year_unreadable"} <= {
        problem.code for problem in reading.errors
    }


def test_a_wrong_sheet_leaves_the_required_table_missing(workbook, found):
    reading = load_county(workbook({YEARS: None, "食堂": [["菜名", "价格"], ["米饭", 1]]}))

    assert found(reading, "table_missing")[0].message("zh") == "缺少必需的“学校年度”表。"
    assert found(reading, "sheet_unknown")[0].sheet == "食堂"


def test_a_column_in_ten_thousands_without_its_unit_is_an_error(read, changed, found):
    years = changed({(0, 4): "教学仪器设备值", (1, 4): 360, (2, 4): 240, (3, 4): 300, (4, 4): 150})

    problem = found(read({YEARS: years}), "unit_undeclared")[0]

    assert problem.severity == "error"
    assert problem.cell == "E2"
    assert "万元" in problem.remedy("zh")


def test_a_unit_that_does_not_fit_the_column_is_an_error(read, changed, found):
    problem = found(read({YEARS: changed({(0, 4): "教学仪器设备值（亩）"})}), "header_unit_unfit")[0]

    assert problem.cell == "E1"
    assert "亩" in problem.message("zh")


@pytest.mark.parametrize("suffix", ["xlsx", "xls"])
def test_a_formula_without_a_stored_result_is_an_error_and_never_empty(
    suffix, workbook, tmp_path, found, tables
):
    path = tmp_path / f"公式.{suffix}"
    if suffix == "xlsx":
        book = openpyxl.load_workbook(workbook())
        book[YEARS]["C3"] = "=400+400"
        book.save(path)
    else:
        _write_xls(path, tables, {(2, 2): xlwt.Formula("400+400")})

    problem = found(load_county(path), "formula_uncached")[0]

    assert (problem.sheet, problem.cell, problem.severity) == (YEARS, "C3", "error")
    assert "F9" in problem.remedy("zh")


def test_an_error_value_of_a_cell_is_an_error_and_never_empty(workbook, found):
    def divide(book):
        book.get_worksheet_by_name(YEARS).write_formula("C3", "=1/0", None, "#DIV/0!")

    problem = found(load_county(workbook(change=divide)), "cell_error")[0]

    assert (problem.cell, dict(problem.values)["value"]) == ("C3", "#DIV/0!")


def test_a_formula_with_its_stored_result_is_read(workbook):
    def add(book):
        book.get_worksheet_by_name(YEARS).write_formula("C3", "=400+401", None, 801)

    reading = load_county(workbook(change=add))

    assert reading.errors == ()
    assert reading.county.tables["school_years"]["enrolment_primary"].tolist()[1] == 801


def test_commands_and_markup_stay_text(read, changed):
    schools = [
        ["学校代码", "学校名称", "学校类型", "办别", "所在乡镇（街道）"],
        ["0101", "<script>alert(1)</script>小学", "小学", "公办", "=cmd|' /C calc'!A0"],
        ["0102", "第二小学", "小学", "公办", "+1+1"],
        ["0103", "城关中学", "初级中学", "公办", "@SUM(A1)"],
        ["0104", "育才学校", "九年一贯制学校", "民办", ""],
    ]

    register = read({"学校名录": schools}).county.tables["schools"]

    assert register["school_name"][0] == "<script>alert(1)</script>小学"
    assert register["town"].tolist()[:3] == ["=cmd|' /C calc'!A0", "+1+1", "@SUM(A1)"]


def test_lookalike_letters_in_codes_are_made_plain_and_told(read, changed, found):
    schools = [
        ["学校代码", "学校名称", "学校类型"],
        ["A\u200b01", "第一小学", "小学"],
        ["B02", "第二小学", "小学"],
    ]
    years = [
        ["学校代码", "学年", "小学在校生数"],
        ["Ａ01", 2023, 5],
        ["В02", 2023, 6],
    ]  # full-width A, Cyrillic В

    reading = read({"学校名录": schools, YEARS: years})

    assert reading.errors == ()
    assert reading.county.tables["school_years"]["school_id"].tolist() == ["A01", "B02"]
    assert {problem.table for problem in found(reading, "lookalike")} == {"schools", "school_years"}


def test_twenty_thousand_junk_rows_are_counted_and_not_listed(workbook, tmp_path, found):
    path = tmp_path / "junk.csv"
    header = "学校代码,学年,小学在校生数\n0101,2023,5\n"
    path.write_text(header + "x,,\n" * 10_000 + ",,\n" * 10_000 + "0102,2023,6\n", encoding="utf-8")
    folder = tmp_path / "county"
    folder.mkdir()
    path.rename(folder / "学校年度.csv")
    workbook({YEARS: None})

    reading = load_county(tmp_path / "county.xlsx")

    accounting = reading.accounting[reading.accounting["file"] == "学校年度.csv"].set_index("reason")
    assert accounting["rows_read"].to_dict() == {
        "": 2,
        "blank_row": 10_000,
        "header_row": 1,
        "no_key": 10_000,
    }
    assert len(reading.problems) < 60
    assert "9950" in found(reading, "more_of_the_same")[0].message("zh")


def test_formatted_blank_rows_are_no_data(workbook):
    def paint(book):
        red = book.add_format({"bg_color": "red"})
        sheet = book.get_worksheet_by_name(YEARS)
        for row in range(10, 20_000):
            sheet.write_blank(row, 0, None, red)
            sheet.write_blank(row, 4, None, red)

    reading = load_county(workbook(change=paint))

    assert reading.errors == ()
    assert reading.accounting["rows_read"].sum() == 10


def test_a_broken_file_in_a_folder_does_not_hide_the_others(workbook, tmp_path, found):
    folder = tmp_path / "county"
    folder.mkdir()
    (folder / "坏.xlsx").write_bytes(b"PK\x03\x04broken")
    (folder / "说明.pdf").write_bytes(b"%PDF")

    reading = load_county(workbook())

    assert found(reading, "file_damaged")[0].file == "坏.xlsx"
    assert "坏.xlsx" in found(reading, "file_damaged")[0].message("zh")
    reasons = reading.accounting.set_index("file")["reason"]
    assert (reasons["坏.xlsx"], reasons["说明.pdf"]) == ("unreadable_file", "other_file")
    assert len(reading.county.tables["school_years"]) == 4


def test_a_hidden_sheet_is_left_out_and_told(read, found):
    def hide(book):
        book.get_worksheet_by_name("学校沿革").hide()

    links = [
        ["变更前学校代码", "变更后学校代码", "变更日期", "变更类型"],
        ["0101", "0102", "2020-09", "更名"],
    ]
    reading = read({"学校沿革": links}, change=hide)

    assert found(reading, "sheet_hidden")[0].sheet == "学校沿革"
    assert "school_links" not in reading.county.tables
    assert "hidden_sheet" in set(reading.accounting["reason"])


def test_a_missing_required_column_is_told(read, found):
    reading = read({"学校名录": [["学校代码", "学校名称"], ["0101", "第一小学"]]})

    assert [problem.message("zh") for problem in found(reading, "column_missing")] == [
        "缺少必填列“学校类型”。"
    ]


def test_two_columns_of_one_meaning_are_an_error_only_if_they_differ(read, found, changed):
    doubled = [[*row, row[2]] for row in changed({})]
    doubled[0][5] = "小学学生人数"
    assert found(read({YEARS: doubled}), "column_twice") == []

    doubled[1][5] = 7
    problem = found(read({YEARS: doubled}), "column_twice")[0]

    assert (problem.severity, problem.cell) == ("error", "F1")
    assert "C列" in problem.message("zh")


def _write_xls(path, tables, extra):
    book = xlwt.Workbook(encoding="utf-8")
    for title, rows in tables.items():
        sheet = book.add_sheet(title, cell_overwrite_ok=True)
        for row, cells in enumerate(rows):
            for column, value in enumerate(cells):
                if value != "":
                    sheet.write(row, column, value)
        if title == YEARS:
            for (row, column), value in extra.items():
                sheet.write(row, column, value)
    stream = io.BytesIO()
    book.save(stream)
    path.write_bytes(stream.getvalue())
