"""The first sheet of the template: how to fill it in."""

from collections.abc import Mapping
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from toolkit.data.schema import TABLES
from toolkit.data.workbook.headers import BLOCK_COLOURS, header_text, sheet_name
from toolkit.vocabulary import Language, label, sentence

RULES = (
    "template_instruction_sheets",
    "template_instruction_year",
    "template_instruction_period",
    "template_instruction_zero",
    "template_instruction_codes",
    "template_instruction_units",
    "template_instruction_combined",
    "template_instruction_teaching_point",
    "template_instruction_layout",
    "template_instruction_formulas",
    "template_instruction_scores",
    "template_instruction_check",
)
CONTACT = ("template_contact_office", "template_contact_person", "template_contact_telephone")
EXAMPLE: Mapping[str, Any] = {
    "school_id": "3441000001",
    "school_name": "",
    "year": 2025,
    "enrolment_primary": 812,
    "teachers_primary": 46,
    "pe_teachers_primary": 5,
    "teaching_area": 4310.5,
    "equipment_value": 1985600,
    "multimedia_rooms": 22,
}


def write_instructions(
    workbook: xlsxwriter.Workbook, font: Mapping[str, Any], language: Language, county_name: str
) -> None:
    """Write the instructions as the next sheet of a workbook."""
    sheet = workbook.add_worksheet(sentence("template_instructions_sheet", language))
    looks = _looks(workbook, font)
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 12)
    sheet.set_column(2, 9, 12)
    row = _write_title(sheet, looks, language, county_name)
    row = _write_rules(sheet, row, looks, language)
    row = _write_tables(sheet, row, looks, language)
    row = _write_example(sheet, row, looks, language)
    row = _write_colours(workbook, sheet, row, font, looks, language)
    _set_up(sheet, row)


def _looks(workbook: xlsxwriter.Workbook, font: Mapping[str, Any]) -> dict[str, Format]:
    boxed = {"border": 1, "border_color": "#A6A6A6", "valign": "vcenter", "text_wrap": True}
    return {
        "title": workbook.add_format({**font, "font_size": 16, "bold": True}),
        "heading": workbook.add_format({**font, "font_size": 12, "bold": True, "font_color": "#1F4E79"}),
        "text": workbook.add_format({**font, "text_wrap": True, "valign": "top"}),
        "head": workbook.add_format(
            {**font, **boxed, "bold": True, "bg_color": "#D9E2F3", "align": "center"}
        ),
        "cell": workbook.add_format({**font, **boxed}),
        "number": workbook.add_format({**font, **boxed, "num_format": "#,##0.##"}),
        "year": workbook.add_format({**font, **boxed, "num_format": "0"}),
        "contact": workbook.add_format({**font, "valign": "bottom", "align": "right"}),
        "blank": workbook.add_format({**font, "bottom": 1}),
    }


def _write_title(sheet: Worksheet, looks: Mapping[str, Format], language: Language, county_name: str) -> int:
    title = sentence("template_title", language)
    sheet.write_string(0, 0, f"{county_name} {title}".strip(), looks["title"])
    sheet.set_row(0, 28)
    for position, name in enumerate(CONTACT):
        sheet.write_string(1, position * 3, label(name, language), looks["contact"])
        sheet.write_blank(1, position * 3 + 1, None, looks["blank"])
        sheet.write_blank(1, position * 3 + 2, None, looks["blank"])
    sheet.set_row(1, 22)
    return 3


def _write_rules(sheet: Worksheet, row: int, looks: Mapping[str, Format], language: Language) -> int:
    sheet.write_string(row, 0, sentence("template_instructions_how", language), looks["heading"])
    for number, name in enumerate(RULES, start=1):
        row += 1
        text = f"{number}. {sentence(name, language)}"
        sheet.merge_range(row, 0, row, 9, text, looks["text"])
        sheet.set_row(row, 17 * _lines(text, 134))
    return row + 2


def _write_tables(sheet: Worksheet, row: int, looks: Mapping[str, Format], language: Language) -> int:
    sheet.write_string(row, 0, sentence("template_instructions_tables", language), looks["heading"])
    row += 1
    sheet.write_string(row, 0, label("template_heading_sheet", language), looks["head"])
    sheet.write_string(row, 1, label("template_heading_needed", language), looks["head"])
    sheet.merge_range(row, 2, row, 9, label("template_heading_holds", language), looks["head"])
    for table in TABLES.values():
        row += 1
        target = sheet_name(table, language)
        sheet.write_url(row, 0, f"internal:'{target}'!A1", looks["cell"], target)
        needed = label("template_needed_always" if table.required else "template_needed_for_study", language)
        sheet.write_string(row, 1, needed, looks["cell"])
        text = sentence(f"template_holds_{table.name}", language)
        sheet.merge_range(row, 2, row, 9, text, looks["cell"])
        sheet.set_row(row, 17 * _lines(text, 100))
    return row + 2


def _write_example(sheet: Worksheet, row: int, looks: Mapping[str, Format], language: Language) -> int:
    table = TABLES["school_years"]
    heading = sentence("template_instructions_example", language, sheet=sheet_name(table, language))
    sheet.write_string(row, 0, heading, looks["heading"])
    sheet.set_row(row + 1, 48)
    for position, (name, value) in enumerate(EXAMPLE.items()):
        column = table.column(name)
        sheet.write_string(row + 1, position, header_text(column, language), looks["head"])
        if name == "school_name":
            sheet.write_string(
                row + 2, position, sentence("template_example_school", language), looks["cell"]
            )
        elif isinstance(value, str):
            sheet.write_string(row + 2, position, value, looks["cell"])
        else:
            look = looks["year"] if column.kind == "year" else looks["number"]
            sheet.write_number(row + 2, position, value, look)
    sheet.set_row(row + 2, 32)
    return row + 4


def _write_colours(
    workbook: xlsxwriter.Workbook,
    sheet: Worksheet,
    row: int,
    font: Mapping[str, Any],
    looks: Mapping[str, Format],
    language: Language,
) -> int:
    sheet.write_string(row, 0, sentence("template_instructions_colours", language), looks["heading"])
    for position, (block, colour) in enumerate(BLOCK_COLOURS.items()):
        look = workbook.add_format(
            {
                **font,
                "bg_color": colour,
                "border": 1,
                "align": "center",
                "valign": "vcenter",
                "text_wrap": True,
            }
        )
        sheet.write_string(row + 1, position, label(block, language), look)
    sheet.set_row(row + 1, 32)
    return row + 1


def _set_up(sheet: Worksheet, last_row: int) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.5, right=0.5, top=0.5, bottom=0.5)
    sheet.print_area(0, 0, last_row, 9)
    sheet.fit_to_pages(1, 1)
    sheet.set_footer("&L&A&R&P / &N")


def _lines(text: str, width: int) -> int:
    """Return the lines that a text needs; Chinese characters count twice."""
    return 1 + sum(2 if ord(character) > 0x2E80 else 1 for character in text) // width
