"""A clean workbook of a county, and the same figures as an office would send them."""

import csv
import re
import shutil
from pathlib import Path

import openpyxl
from openpyxl.utils import get_column_letter

REGISTER, YEARS = "学校名录", "学校年度"
MISSING_SHEETS = ("班额", "满意度")
EQUIPMENT, GROUND = "教学仪器设备值", "体育运动场地面积"
STAGES = ("小学", "初中", "高中")
SQUARE_METRES_OF_A_MU = 2000 / 3
FIRST_HEADER, FIRST_ROW = 3, 5
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def make_ugly(clean: Path, ugly: Path) -> int:
    """Write a clean workbook as an office sends it; return the number of lines of the sheet of figures.

    The register becomes a GB18030 text file in the folder beside the workbook; two sheets are left out; the
    figures stand under two header rows, without codes, in other units, with totals.
    """
    ugly.with_suffix("").mkdir()
    shutil.copyfile(clean, ugly)
    book = openpyxl.load_workbook(ugly)
    rows = [list(row) for row in book[YEARS].iter_rows(values_only=True)]
    _write_register(book[REGISTER], ugly.with_suffix("") / f"{REGISTER}.csv")
    for name in (REGISTER, YEARS, *MISSING_SHEETS):
        del book[name]
    lines = _write_figures(book.create_sheet(YEARS, 1), rows)
    book.save(ugly)
    return lines


def _write_register(sheet, path: Path) -> None:
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows(
            ["" if value is None else value for value in row] for row in sheet.iter_rows(values_only=True)
        )


def _write_figures(sheet, rows) -> int:
    headers = [re.sub(r"\*$", "", text) for text in rows[0]]
    kept = [position for position, text in enumerate(headers) if not text.startswith("学校代码")]
    sheet["A1"] = "云岭县义务教育学校办学条件汇总表"
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=12)
    sheet["A2"] = "填报单位（盖章）：云岭县教育局"
    _write_header(sheet, [_office_unit(headers[position]) for position in kept])
    years = sorted({row[2] for row in rows[1:]})
    at = FIRST_ROW
    for year in years:
        own = [row for row in rows[1:] if row[2] == year]
        for number, row in enumerate(own, start=1):
            sheet.cell(at, 1, number)
            for column, position in enumerate(kept, start=2):
                sheet.cell(at, column, _office_value(row[position], headers[position], number))
            at += 1
        sheet.cell(at, 1, "合计")
        for column, position in enumerate(kept, start=2):
            if position > 2:
                sheet.cell(at, column, sum(row[position] or 0 for row in own))
        at += 1
    sheet.cell(at + 1, 1, "注：本表数据截至每年9月1日。")
    sheet.cell(at + 2, 2, "填表人：张三")
    return at + 2


def _write_header(sheet, headers) -> None:
    """Write two rows: figures of the stages under one merged heading, all others merged downwards."""
    top, bottom = FIRST_HEADER, FIRST_HEADER + 1
    sheet.cell(top, 1, "序号")
    sheet.merge_cells(f"A{top}:A{bottom}")
    column = 2
    while column < 2 + len(headers):
        stage, heading = _stage_first(headers[column - 2])
        if not stage:
            sheet.cell(top, column, heading)
            sheet.merge_cells(f"{get_column_letter(column)}{top}:{get_column_letter(column)}{bottom}")
            column += 1
            continue
        start = column
        while column < 2 + len(headers) and _stage_first(headers[column - 2])[1] == heading:
            sheet.cell(bottom, column, _stage_first(headers[column - 2])[0])
            column += 1
        sheet.cell(top, start, heading)
        sheet.merge_cells(start_row=top, end_row=top, start_column=start, end_column=column - 1)


def _stage_first(header):
    """Return the stage before a heading, empty when there is none, and the rest."""
    stage = next((stage for stage in STAGES if header.startswith(stage)), "")
    return stage, header.removeprefix(stage)


def _office_unit(header):
    for name, unit in ((EQUIPMENT, "万元"), (GROUND, "亩")):
        if header.startswith(name):
            return f"{name}（{unit}）"
    return header


def _office_value(value, header, number):
    """Return a figure in the office's unit; every third one is typed in its own way."""
    if value is None or isinstance(value, str):
        return value
    if header.startswith(EQUIPMENT):
        return value / 10_000
    if header.startswith(GROUND):
        return f"{value:,}㎡" if number % 3 == 0 else value / SQUARE_METRES_OF_A_MU
    if "在校生数（人）" in header and number % 3 == 0:
        return str(value).translate(FULL_WIDTH)
    if "专任教师数（人）" in header and number % 3 == 1:
        return f"{value}人"
    return value
