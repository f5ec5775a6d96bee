"""What the county entered for the items, what differs from the schools, and what is still needed."""

import pandas as pd

from toolkit.data.county import Reading
from toolkit.data.schema import TABLES
from toolkit.exhibits import exhibit_caption
from toolkit.tables.exhibit import TableColumn, TableExhibit, vocabulary_column
from toolkit.tables.item_texts import item_title
from toolkit.variation.county_verdict import RESOURCES, CountyVerdict
from toolkit.variation.item_readings import ItemReadings
from toolkit.variation.items import ItemCompliance
from toolkit.vocabulary import Language, has_term, label, sentence

DIFFERENCE_DECIMALS = 4
OPEN_SHOWN = 60


def tabulate_item_evidence(compliance: ItemCompliance, language: Language) -> TableExhibit:
    """Return evidence, entered verdict, judge and date of every item that takes or has them."""
    table = compliance.items
    texts = table[["evidence", "entered_verdict", "judge"]]
    entered = (texts.notna() & (texts != "")).any(axis=1)
    own = table[entered | table["from_evidence"].astype(bool)].reset_index(drop=True)
    data = own.assign(
        item_number=[item_title(compliance.standard, item, language) for item in own["item"]],
        judged_on=pd.to_datetime(own["judged_on"]),
        verdict_decides=own["from_evidence"].astype(bool),
    )
    columns = (
        TableColumn("item_number", label("item_number", language)),
        vocabulary_column("evidence", language, kind="text"),
        vocabulary_column("entered_verdict", language, kind="code"),
        vocabulary_column("judge", language, kind="text"),
        vocabulary_column("judged_on", language, kind="text"),
        vocabulary_column("verdict_decides", language, kind="flag"),
    )
    return TableExhibit(exhibit_caption("item_evidence", language), columns, data)


def tabulate_item_differences(compliance: ItemCompliance, language: Language) -> TableExhibit:
    """Return the items that schools and county both give, where they differ."""
    table = compliance.differences
    # Entered with few decimals, a number that agrees is never equal to the last digit.
    own = table[~(table["difference"].abs() < 0.5 * 10**-DIFFERENCE_DECIMALS)].reset_index(drop=True)
    data = own.assign(
        item_number=[item_title(compliance.standard, item, language) for item in own["item"]],
        computed_value=own["computed"],
        entered_value=own["entered"],
        value_difference=own["difference"],
    )
    columns = (
        TableColumn("item_number", label("item_number", language)),
        *(
            vocabulary_column(name, language, kind="number", decimals=DIFFERENCE_DECIMALS)
            for name in ("computed_value", "entered_value", "value_difference")
        ),
    )
    return TableExhibit(exhibit_caption("item_differences", language), columns, data)


def tabulate_item_open(verdict: CountyVerdict, reading: Reading, language: Language) -> TableExhibit:
    """Return what cannot be judged, and the cells that decide, where they stand in the input."""
    table = verdict.open.reset_index(drop=True)
    places, names = _Places(reading, verdict.items.year), schools_by_code(verdict.items)
    data = pd.DataFrame(
        {
            "item_number": [
                label("school_verdict_open", language)
                if item == RESOURCES
                else item_title(verdict.items.standard, item, language)
                for item in table["item"]
            ],
            "school_name": table["unit_name"],
            "item_id": table["item"],
            "table": [label(f"table_{name}", language) for name in table["table"]],
            "column": [label(name, language) for name in table["column"]],
            "row_named": [
                unit or names.get(row) or row_text(row, language)
                for unit, row in zip(table["unit_name"], table["row"], strict=True)
            ],
            "address": [
                places.address(*cell, language)
                for cell in zip(table["table"], table["column"], table["row"], strict=True)
            ],
        }
    )
    columns = (
        TableColumn("item_number", label("item_number", language)),
        vocabulary_column("table", language, kind="text"),
        vocabulary_column("column", language, kind="text"),
        TableColumn("row_named", label("row_named", language)),
        vocabulary_column("address", language, kind="text"),
        vocabulary_column("item_id", language, kind="text", in_files_only=True),
    )
    return TableExhibit(exhibit_caption("item_open", language), columns, data, rows_shown=OPEN_SHOWN)


def tabulate_item_readings(
    readings: ItemReadings, compliance: ItemCompliance, language: Language
) -> TableExhibit:
    """Return the verdicts on items that another reading turns; schools and classes are counted."""
    keys = ["mark", "item", "subject", "verdict", "other_verdict"]
    counted = readings.flips.groupby(keys, sort=False).size().reset_index(name="n_verdicts")
    standard = compliance.standard
    data = counted.assign(
        item_number=[item_title(standard, item, language) for item in counted["item"]],
        item_id=counted["item"],
        mark_code=counted["mark"],
        doubt=[getattr(standard.marks[mark].doubt, language) for mark in counted["mark"]],
        subject_judged=["item_itself" if name == "item" else "item_units" for name in counted["subject"]],
        verdict=counted["verdict"].replace("", None),
        other_verdict=counted["other_verdict"].replace("", None),
    )
    columns = (
        TableColumn("item_number", label("item_number", language)),
        vocabulary_column("subject_judged", language, kind="code"),
        vocabulary_column("n_verdicts", language),
        vocabulary_column("verdict", language, kind="met"),
        vocabulary_column("other_verdict", language, kind="met"),
        vocabulary_column("doubt", language, kind="text"),
        *(
            vocabulary_column(name, language, kind="text", in_files_only=True)
            for name in ("mark_code", "item_id")
        ),
    )
    return TableExhibit(exhibit_caption("item_readings", language), columns, data)


def is_row_of_school(table: str) -> bool:
    """Say whether the rows of a table are those of schools."""
    return "school_id" in TABLES[table].column_names


def schools_by_code(compliance: ItemCompliance) -> dict[str, str]:
    """Return the names of the schools that items are tested on, by code."""
    units = compliance.units
    return dict(zip(units["school_id"], units["unit_name"], strict=True))


def row_text(row: str, language: Language) -> str:
    """Return how a row of the county is named, with code names of subjects and respondents in words."""
    return " ".join(label(part, language) if has_term(part) else part for part in row.split("/"))


class _Places:
    """Where the cells of one year stand in the input."""

    def __init__(self, reading: Reading, year: int) -> None:
        self.reading = reading
        self.year = year
        self.rows: dict[str, dict[str, int]] = {}

    def address(self, table: str, column: str, row: str, language: Language) -> str:
        """Return file, sheet and cell, or that the row is to be added."""
        origin = self.reading.origins.get(table)
        position = self._positions(table).get(row)
        if origin is None or position is None:
            return sentence("item_row_to_add", language, table=label(f"table_{table}", language))
        file, sheet, cell = origin.cell(position, column)
        return sentence("cell_address", language, file=file, sheet=sheet, cell=cell or "–")

    def _positions(self, table: str) -> dict[str, int]:
        """Return the position of each row of the year by its name."""
        if table not in self.rows:
            frame = self.reading.county.tables.get(table)
            self.rows[table] = {} if frame is None else _named_rows(frame, table, self.year)
        return self.rows[table]


def _named_rows(frame: pd.DataFrame, table: str, year: int) -> dict[str, int]:
    names = {"county_years": ["item", "subject"], "surveys": ["respondents"]}.get(table, ["school_id"])
    own = frame if "year" not in TABLES[table].column_names else frame[(frame["year"] == year).fillna(False)]
    texts = own[names].astype(object).fillna("").to_numpy()
    return {
        "/".join(part for part in parts if part): int(position)
        for position, parts in zip(own.index, texts, strict=True)
    }
