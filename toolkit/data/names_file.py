"""The list of school names to look over: what was matched loosely or not at all, with a column to fill in."""

from pathlib import Path

import pandas as pd
import xlsxwriter

from toolkit.data.county import Reading
from toolkit.data.names import SchoolNames
from toolkit.data.reading.corrections import FIELDS, Corrections
from toolkit.vocabulary import Language, label, sentence

SURE = ("exact", "normalised", "former_name", "linked_name")
"""Ways of matching that need no second look."""

WIDTHS = {"table": 14, "name": 34, "count": 8, "found_id": 16, "found_name": 28, "how": 22, "nearest": 28}
WIDTH = 20
TO_FILL = ("corrected_id", "note")
FILL_COLOUR = "#FFF6D6"
HEAD_COLOUR = "#E7ECF2"


def list_names(reading: Reading, corrections: Corrections | None = None) -> pd.DataFrame:
    """List the names to look over, the unmatched first, then from the loosest match to the surest.

    Parameters
    ----------
    reading : Reading
        Data as read.
    corrections : Corrections, optional
        Corrections that were read; they stand in the list again.

    Returns
    -------
    pandas.DataFrame
        Columns `FIELDS`; `table` and `how` are code names, a correction to a school outside the county
        is the code name "outside".
    """
    names = _counted(reading.matches)
    names = names[~names["how"].isin(SURE)]
    order = {"unmatched": 0, "slip": 1, "group_name": 2, "cleaned": 3, "nearly": 4, "campus": 5}
    names = names.assign(order=[order.get(how, 6) for how in names["how"]])
    names = names.sort_values(["order", "count", "name"], ascending=[True, False, True], kind="stable")
    schools = reading.county.tables.get("schools", pd.DataFrame(columns=["school_id", "school_name"]))
    registered = dict(zip(schools["school_id"], schools["school_name"], strict=True))
    matcher = SchoolNames(schools, reading.county.tables.get("school_links")) if len(schools) else None
    given = {(row.table, row.name): row for row in (corrections.rows if corrections else ())}
    rows = []
    columns = (names[name].tolist() for name in ("table", "name", "school_id", "how", "count"))
    for table, name, found_id, how, count in zip(*columns, strict=True):
        code = found_id if isinstance(found_id, str) else ""
        correction = given.get((table, name), given.get(("", name)))
        nearest = matcher.find(name).nearest if matcher and how == "unmatched" else ""
        corrected = "" if correction is None else correction.code or "outside"
        note = correction.note if correction else ""
        found = (code, registered.get(code, ""), how, nearest)
        rows.append((table, name, count, *found, corrected, note))
    return pd.DataFrame(rows, columns=list(FIELDS))


def write_names(names: pd.DataFrame, path: Path, *, language: Language = "zh") -> None:
    """Write the list of names as a workbook with one sheet.

    Parameters
    ----------
    names : pandas.DataFrame
        See `list_names`.
    path : pathlib.Path
        Workbook to write; what stands there is replaced.
    language : {"zh", "en"}
        Language of headers, tables and ways of matching.
    """
    with xlsxwriter.Workbook(str(path)) as workbook:
        sheet = workbook.add_worksheet(label("names_file_sheet", language))
        head = workbook.add_format({"bold": True, "bg_color": HEAD_COLOUR, "border": 1, "text_wrap": True})
        plain = workbook.add_format({"num_format": "@", "valign": "top"})
        fill = workbook.add_format({"num_format": "@", "valign": "top", "bg_color": FILL_COLOUR, "border": 1})
        for at, name in enumerate(FIELDS):
            sheet.set_column(at, at, WIDTHS.get(name, WIDTH))
            sheet.write_string(0, at, label(f"names_file_{name}", language), head)
        sheet.write_comment(0, FIELDS.index("corrected_id"), sentence("names_file_how_to_fill", language))
        for at, row in enumerate(names.itertuples(index=False), start=1):
            for column, (name, value) in enumerate(zip(FIELDS, row, strict=True)):
                if name == "count":
                    sheet.write_number(at, column, value, plain)
                else:
                    look = fill if name in TO_FILL else plain
                    sheet.write_string(at, column, _shown(name, str(value), language), look)
        sheet.freeze_panes(1, 2)
        if len(names):
            sheet.autofilter(0, 0, len(names), len(FIELDS) - 1)


def _counted(matches: pd.DataFrame) -> pd.DataFrame:
    """Return each name of each table once, with the number of its cells."""
    grouped = matches.groupby(["table", "name"], sort=False)
    return grouped.agg(
        school_id=("school_id", "first"), how=("how", "first"), count=("cells", "sum")
    ).reset_index()


def _shown(name: str, value: str, language: Language) -> str:
    """Return a value as people read it."""
    if name == "table":
        return label(f"table_{value}", language)
    if name == "how":
        return label(f"match_{value}", language)
    if name == "corrected_id" and value == "outside":
        return label("names_file_outside", language)
    return value
