"""What a form of an office can be filled with: every number of a run under a name that stays the same."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from toolkit.exhibits import Caption, saved_exhibits
from toolkit.reporting.findings import FILE_NAME as FINDINGS_NAME
from toolkit.reporting.findings import load_findings
from toolkit.reporting.record import RunRecord
from toolkit.tables.exhibit import (
    REPLACING_MARKS,
    VERDICT_KINDS,
    TableColumn,
    TableExhibit,
    as_float,
    cell_text,
    mark_symbol,
    verdict_text,
)
from toolkit.tables.export import TableFiles, export_table
from toolkit.tables.saved import load_saved_table
from toolkit.vocabulary import Language, label, sentence

# Their rows may be named without the table, and some columns by a shorter word.
SHORT_TABLES: Mapping[str, Mapping[str, str]] = {
    "coefficients": {"coefficient": "cv"},
    "government_items": {"item_result": "value"},
    "quality_items": {"item_result": "value"},
    "social_items": {"satisfied_share": "value"},
    "item_overview": {"item_result": "value", "standard_requirement": "requirement"},
}
COUNTY_FINDINGS = ("items_county", "verdict_county")
PART_FINDING = re.compile(r"items_part_(?P<part>\w+)")
STAGE_FINDING = re.compile(r"verdict_(?P<stage>primary|junior)")
# A name such as "R1 每百名学生拥有…" starts with the number of its indicator or item.
LEADING_NUMBER = re.compile(r"(?P<number>[A-Z]{1,4}-?\d{1,2}[a-z]?)(?=\s|$)")
NOT_IN_NAMES = re.compile(r"[\s{}.:]+")
LARGEST_KEY = 3
PLACEHOLDER = "{{%s}}"


@dataclass(frozen=True, slots=True)
class FormValue:
    """One value for a form.

    Attributes
    ----------
    text : str
        As the report prints it.
    number : float or None
        Unrounded, None when it is no number or is withheld.
    number_format : str
        Format of the number for a spreadsheet, empty when it is none.
    source : str
        File or record that it comes from.
    """

    text: str
    number: float | None
    number_format: str
    source: str


@dataclass(frozen=True, slots=True)
class FormValues:
    """All values by name, and the tables that a form can take as a whole, by key."""

    named: Mapping[str, FormValue]
    tables: Mapping[str, TableExhibit]


def collect_form_values(results: Path, record: RunRecord) -> FormValues:
    """Return what the notebooks of a run saved, by names built from table, row and column.

    Parameters
    ----------
    results : pathlib.Path
        Folder with one folder of results for each notebook.
    record : RunRecord
        The record of the run.

    Notes
    -----
    A number of a table is ``<table>.<row>.<column>``. The row is named by the codes in its first columns,
    such as ``R1.primary``, or by its id. Rows of equal names are numbered. The tables of indicators and
    items may be left out: ``R1.primary.cv``, ``G05.verdict``.
    """
    language: Language = "en" if record.language == "en" else "zh"
    values = dict(_of_record(record, language))
    tables: dict[str, TableExhibit] = {}
    for folder in sorted(path for path in results.iterdir() if path.is_dir()):
        for key, entry in saved_exhibits(folder).items():
            if entry["kind"] == "table":
                tables[key] = load_saved_table(folder, key)
                source = f"{results.name}/{folder.name}/{key}.csv"
                values.update(_of_table(tables[key], source))
    for key, words in SHORT_TABLES.items():
        for name, value in list(values.items()):
            table, _, rest = name.partition(".")
            if table == key:
                row, _, column = rest.rpartition(".")
                values.setdefault(f"{row}.{words.get(column, column)}", value)
    values.update(_of_findings(results, language))
    return FormValues(values, tables)


def write_placeholders(values: FormValues, folder: Path, language: Language) -> TableFiles:
    """Write every placeholder with its value, as ``placeholders.csv`` and ``placeholders.xlsx``."""
    rows = [
        {"placeholder": PLACEHOLDER % name, "form_value": value.text, "form_source": value.source}
        for name, value in values.named.items()
    ]
    rows += [
        {"placeholder": PLACEHOLDER % f"table:{key}", "form_value": table.caption.title, "form_source": ""}
        for key, table in values.tables.items()
    ]
    columns = tuple(
        TableColumn(name, label(name, language)) for name in ("placeholder", "form_value", "form_source")
    )
    caption = Caption("placeholders", label("placeholders", language), language)
    return export_table(TableExhibit(caption, columns, pd.DataFrame(rows)), folder)


def _of_record(record: RunRecord, language: Language) -> Iterator[tuple[str, FormValue]]:
    """Give what the record says about county, year, edition and standard."""
    years = {"year": record.year, "next_year": record.year + 1}
    texts = {
        "county_name": record.county_name,
        "county_id": record.county_id,
        "school_year": sentence("report_school_year", language, **years),
        "statistic_date": sentence("report_statistic_date", language, year=record.year),
        "edition": label(f"report_edition_{record.edition}", language),
        "standard": record.standard,
    }
    for name, text in texts.items():
        yield name, FormValue(text, None, "", "run.json")
    yield "year", FormValue(str(record.year), float(record.year), "0", "run.json")


def _of_table(exhibit: TableExhibit, source: str) -> Iterator[tuple[str, FormValue]]:
    """Give every cell of a table that does not name its row."""
    names = _row_names(exhibit)
    marks = exhibit.marks_by_cell
    for column in exhibit.columns:
        for row, value in enumerate(exhibit.data[column.name].tolist()):
            mark = marks.get((row, column.name))
            is_withheld = mark in REPLACING_MARKS
            text = (
                mark_symbol(mark)
                if mark and is_withheld
                else cell_text(value, column, exhibit.caption.language)
            )
            number = None if is_withheld or not column.is_numeric else as_float(value)
            printed = FormValue(text, number, _number_format(column), source)
            yield f"{exhibit.caption.key}.{names[row]}.{column.name}", printed


def _row_names(exhibit: TableExhibit) -> list[str]:
    """Return the name of each row: its id, else the codes and words before the first number."""
    ids = [column for column in exhibit.columns if column.name.endswith("_id")]
    stages = [column for column in exhibit.columns if column.name == "stage"]
    leading = ids[:1] + stages if ids else list(_leading(exhibit))
    cells = [exhibit.data[column.name].tolist() for column in leading]
    names = [".".join(_part(value) for value in row) for row in zip(*cells, strict=True)]
    total, used = Counter(names), Counter[str]()
    numbered = []
    for name in names:
        used[name] += 1
        numbered.append(name if total[name] == 1 else f"{name}_{used[name]}")
    return numbered


def _leading(exhibit: TableExhibit) -> Iterator[TableColumn]:
    """Give the columns that name a row: the first one, and codes and numbered names right behind it."""
    for position, column in enumerate(exhibit.columns[:LARGEST_KEY]):
        if position and (column.is_numeric or column.kind in ("flag", *VERDICT_KINDS)):
            return
        words = exhibit.data[column.name].tolist()
        if not position or column.kind == "code" or all(LEADING_NUMBER.match(str(word)) for word in words):
            yield column


def _part(value: object) -> str:
    """Return one part of the name of a row."""
    text = str(value)
    number = LEADING_NUMBER.match(text)
    return number["number"] if number else NOT_IN_NAMES.sub("_", text).strip("_")


def _number_format(column: TableColumn) -> str:
    """Return how a spreadsheet shows the numbers of a column."""
    if not column.is_numeric:
        return ""
    decimals = f".{'0' * column.decimals}" if column.decimals else ""
    return f"0{decimals}%" if column.kind == "share" else f"#,##0{decimals}"


def _of_findings(results: Path, language: Language) -> Iterator[tuple[str, FormValue]]:
    """Give the verdicts on county, parts and stages, and every sentence by its id."""
    verdicts: dict[str, FormValue] = {}
    for path in sorted(results.glob(f"*/{FINDINGS_NAME}")):
        source = f"{results.name}/{path.parent.name}/{FINDINGS_NAME}"
        for finding in load_findings(path).findings:
            yield f"finding.{finding.id}", FormValue(finding.text(language), None, "", source)
            if finding.status == "none":
                continue
            value = FormValue(verdict_text(finding.status, language), None, "", source)
            if finding.id in COUNTY_FINDINGS:
                verdicts.setdefault(finding.id, value)
            part, stage = PART_FINDING.fullmatch(finding.id), STAGE_FINDING.fullmatch(finding.id)
            if part:
                yield f"part.{part['part']}.verdict", value
            if stage:
                yield f"{stage['stage']}.verdict", value
    for name in COUNTY_FINDINGS:
        if name in verdicts:
            yield "county.verdict", verdicts[name]
            return
