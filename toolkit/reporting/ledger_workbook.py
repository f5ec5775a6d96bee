"""The ledger as a workbook that people edit; an edited one is never overwritten."""

import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from toolkit.planning.ledger import Ledger, LedgerRow
from toolkit.reporting.ledger_columns import COLUMNS, FIELDS, LedgerColumn
from toolkit.reporting.ledger_texts import guarded, parsed_date
from toolkit.tables.export import CREATION_DATE
from toolkit.vocabulary import Language, has_term, label, sentence

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

HEADER_ROW = 1
FROZEN_COLUMNS = 2
# Rows below the last problem that offer the same drop-downs, for problems added by hand.
SPARE_ROWS = 500
LONGEST_TEXT = 32_000
FONT = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "top"}
COMPUTED_COLOUR, PEOPLES_COLOUR = "#E7EAED", "#FFF7DC"
HEADER_COLOURS = {True: "#F3D98B", False: "#B9C3CD"}
INSTRUCTION_LINES = (
    "ledger_help_purpose",
    "ledger_help_yellow",
    "ledger_help_grey",
    "ledger_help_state",
    "ledger_help_check",
    "ledger_help_repeated",
    "ledger_help_add",
    "ledger_help_id",
    "ledger_help_next_year",
    "ledger_help_beside",
)

# Shares, whole numbers, numbers below one, others.
OF_THE_PROBLEM = ("value", "limit")
NUMBER_LOOKS = ("0.00%", "#,##0", "0.000", "#,##0.00")

LedgerStatus = Literal["new", "identical", "kept_beside"]


@dataclass(frozen=True, slots=True)
class LedgerPlacement:
    """Where a ledger was put.

    Attributes
    ----------
    path : pathlib.Path
        The workbook.
    status : {"new", "identical", "kept_beside"}
        "identical": the same ledger was there; "kept_beside": a different one was there and stays.
    existing : pathlib.Path
        The place that was asked for.
    """

    path: Path
    status: LedgerStatus
    existing: Path

    def told(self, language: Language) -> str:
        """Return one line for people."""
        return sentence(
            f"ledger_placed_{self.status}", language, path=self.path.name, existing=self.existing.name
        )


def place_ledger(ledger: Ledger, path: Path, *, county: str, language: Language = "zh") -> LedgerPlacement:
    """Write a ledger to a file, or beside it under the next free number when another one is there.

    Parameters
    ----------
    ledger : Ledger
        The ledger.
    path : pathlib.Path
        Where it belongs (.xlsx).
    county : str
        Name of the county, for the title.
    language : {"zh", "en"}
        Language of headers and words.
    """
    content = ledger_bytes(ledger, county=county, language=language)
    path.parent.mkdir(parents=True, exist_ok=True)
    for target in _numbered(path):
        try:
            with target.open("xb") as file:
                file.write(content)
        except FileExistsError:
            if target.read_bytes() == content:
                return LedgerPlacement(target, "identical", path)
            continue
        return LedgerPlacement(target, "new" if target == path else "kept_beside", path)
    raise AssertionError("unreachable: there is always a next number")


def ledger_bytes(ledger: Ledger, *, county: str, language: Language = "zh") -> bytes:
    """Return a ledger as a workbook; the same ledger gives the same bytes."""
    from xlsxwriter import Workbook

    title = sentence(
        "ledger_title_line", language, county=county, year=ledger.year, next_year=ledger.year + 1
    )
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    content = io.BytesIO()
    with Workbook(content, options) as workbook:
        workbook.set_properties(
            {"created": CREATION_DATE, "title": title, "author": label("report_brand", language)}
        )
        sheet = workbook.add_worksheet(label("ledger_sheet", language))
        _write_rows(workbook, sheet, ledger, title, language)
        _write_instructions(workbook, title, language)
    return content.getvalue()


def _numbered(path: Path) -> Iterator[Path]:
    """Give a file and the names beside it: <name>-2, <name>-3 and so on."""
    yield path
    number = 2
    while True:
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1


def _write_rows(
    workbook: "Workbook", sheet: "Worksheet", ledger: Ledger, title: str, language: Language
) -> None:
    """Write title, header and one line per problem."""
    sheet.write_string(0, 0, title, workbook.add_format({**FONT, "bold": True, "font_size": 14}))
    last = HEADER_ROW + len(ledger.rows) + SPARE_ROWS
    for position, column in enumerate(COLUMNS):
        formats = _formats(workbook, column.by_people)
        sheet.set_column(position, position, column.width)
        sheet.write_string(HEADER_ROW, position, column.header(language), formats["header"])
        for at, row in enumerate(ledger.rows, start=HEADER_ROW + 1):
            value = _shown(row, column, language)
            _write_value(sheet, at, position, value, formats, look=_number_look(row, column, value))
        _offer_words(sheet, position, column, last, language)
    for position, name in enumerate(ledger.extra, start=len(COLUMNS)):
        formats = _formats(workbook, by_people=True)
        sheet.set_column(position, position, 16)
        sheet.write_string(HEADER_ROW, position, guarded(name), formats["header"])
        for at, row in enumerate(ledger.rows, start=HEADER_ROW + 1):
            _write_value(sheet, at, position, row.extra.get(name), formats)
    _set_up(sheet, len(ledger.rows), len(COLUMNS) + len(ledger.extra))


def _formats(workbook: "Workbook", by_people: bool) -> dict[str, "Format"]:
    """Return the looks of a column: what people fill is yellow, what is computed is grey."""
    colour = PEOPLES_COLOUR if by_people else COMPUTED_COLOUR
    look = {**FONT, "bg_color": colour, "border": 1, "border_color": "#BFBFBF", "text_wrap": True}
    return {
        "header": workbook.add_format(
            {**look, "bold": True, "bg_color": HEADER_COLOURS[by_people], "align": "center"}
        ),
        "text": workbook.add_format({**look, "num_format": "@"}),
        **{name: workbook.add_format({**look, "num_format": name}) for name in NUMBER_LOOKS},
        "year": workbook.add_format({**look, "num_format": "0"}),
        "date": workbook.add_format({**look, "num_format": "yyyy-mm-dd"}),
    }


def _shown(row: LedgerRow, column: LedgerColumn, language: Language) -> object:
    """Return a value as it is written: a number, a date, or the word that people read."""
    value = getattr(row, column.field)
    match column.kind:
        case "choice":
            return column.word(value, language)
        case "unit":
            return label(value, language) if value and has_term(value) else value
        case "flag":
            return label("yes" if value else "no", language)
        case "date":
            return parsed_date(value) or value
        case "year":
            return value or None
        case _:
            return value


def _number_look(row: LedgerRow, column: LedgerColumn, value: object) -> str:
    """Return how a number is shown: shares in percent, where people did not type them themselves."""
    if column.kind != "number" or not isinstance(value, float):
        return ""
    if row.unit == "percent" and column.field in OF_THE_PROBLEM and not row.is_by_hand:
        return "0.00%"
    return _plain_look(value)


def _plain_look(value: float) -> str:
    """Return how a number that is no share is shown."""
    if value.is_integer():
        return "#,##0"
    return "0.000" if abs(value) < 1 else "#,##0.00"


def _write_value(
    sheet: "Worksheet",
    row: int,
    position: int,
    value: object,
    formats: dict[str, "Format"],
    *,
    look: str = "",
) -> None:
    """Write one cell; a missing number is an empty cell."""
    if isinstance(value, bool):
        sheet.write_boolean(row, position, value, formats["text"])
    elif isinstance(value, dt.date):
        sheet.write_datetime(row, position, dt.datetime(value.year, value.month, value.day), formats["date"])  # noqa: DTZ001
    elif isinstance(value, int):
        sheet.write_number(row, position, value, formats["year"])
    elif isinstance(value, float) and value == value:
        sheet.write_number(row, position, value, formats[look or _plain_look(value)])
    elif isinstance(value, str) and value:
        sheet.write_string(row, position, guarded(value)[-LONGEST_TEXT:], formats["text"])
    else:
        sheet.write_blank(row, position, None, formats["text"])


def _offer_words(
    sheet: "Worksheet", position: int, column: LedgerColumn, last: int, language: Language
) -> None:
    """Offer the states and the stages as drop-downs; warn of what is no date."""
    first = HEADER_ROW + 1
    if column.field == "state":
        words = [column.word(value, language) for value in column.words or ()]
        rule = {"validate": "list", "source": words, "error_type": "stop"}
        rule |= {"error_title": label("ledger_state", language)}
        rule |= {
            "error_message": sentence(
                "ledger_state_words", language, words=label("list_separator", language).join(words)
            )
        }
    elif column.field == "stage":
        words = [column.word(value, language) for value in column.words or ()]
        rule = {"validate": "list", "source": words, "error_type": "information"}
    elif column.kind == "date":
        rule = {
            "validate": "date",
            "criteria": ">=",
            "value": dt.date(2000, 1, 1),
            "error_type": "information",
        }
    else:
        return
    sheet.data_validation(first, position, last, position, rule | {"ignore_blank": True})


def _set_up(sheet: "Worksheet", n_rows: int, n_columns: int) -> None:
    """Freeze the header and the school, add a filter, set up printing on A3 landscape."""
    sheet.freeze_panes(HEADER_ROW + 1, FROZEN_COLUMNS)
    sheet.autofilter(HEADER_ROW, 0, HEADER_ROW + max(n_rows, 1), n_columns - 1)
    sheet.set_row(0, 26)
    sheet.set_row(HEADER_ROW, 34)
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.repeat_rows(HEADER_ROW)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&R&P / &N")


def _write_instructions(workbook: "Workbook", title: str, language: Language) -> None:
    """Write the sheet that says how the ledger is kept."""
    sheet = workbook.add_worksheet(label("ledger_sheet_help", language))
    sheet.set_column(0, 0, 5)
    sheet.set_column(1, 1, 96)
    plain = workbook.add_format({**FONT, "text_wrap": True})
    sheet.write_string(0, 0, title, workbook.add_format({**FONT, "bold": True, "font_size": 14}))
    words = label("list_separator", language).join(
        FIELDS["state"].word(value, language) for value in FIELDS["state"].words or ()
    )
    for number, name in enumerate(INSTRUCTION_LINES, start=1):
        sheet.write_number(number, 0, number, plain)
        sheet.write_string(number, 1, sentence(name, language, words=words), plain)
