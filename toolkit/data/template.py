"""The empty workbook that an office fills in."""

from pathlib import Path

import pandas as pd

from toolkit.data.workbook import write_workbook
from toolkit.standards import Item, load_standard
from toolkit.vocabulary import Language, label

PATH = Path(__file__).parents[2] / "data" / "template.xlsx"
YEAR = 2025
"""School year for which the committed template lists the items of the county."""


def write_template(path: Path, language: Language = "zh", *, year: int | None = None) -> None:
    """Write an empty template, with the items that a county enters listed for one school year.

    Parameters
    ----------
    path : pathlib.Path
        The workbook to write (.xlsx).
    language : {"zh", "en"}
        Language of sheet names, headers, notes and lists.
    year : int, optional
        School year for which the items of the national standard are listed in 县域保障; without
        it that sheet is empty.
    """
    tables = {} if year is None else {"county_years": entered_items(year, language)}
    write_workbook(path, tables, language=language)


def entered_items(year: int, language: Language) -> pd.DataFrame:
    """Return one row per item of the national standard that is entered for the county, without values."""
    rows = [
        {"year": year, "item": item.id, "item_name": label(item.name, language), "subject": subject}
        for item in load_standard("national_2017").items
        if _is_entered(item)
        for subject in item.entries or (None,)
    ]
    return pd.DataFrame(rows)


def _is_entered(item: Item) -> bool:
    """Say whether an item is judged from evidence or has a number that the school tables do not give."""
    tables = {part.table for formula in item.formulas for part in (*formula.numerator, *formula.denominator)}
    return item.from_evidence or "county_years" in tables


if __name__ == "__main__":
    write_template(PATH, year=YEAR)
